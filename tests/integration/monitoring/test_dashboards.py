"""Readiness, runtime status and the views that people and machines look at."""

from datetime import timedelta

import pytest
from helpers import OPERATOR, REVIEWER, STEWARD, Row, Scene
from psycopg.sql import SQL, Identifier
from psycopg.types.json import Jsonb

FLAGS = [
    "writer_fn_exists",
    "driver_proc_exists",
    "plan_fn_exists",
    "writer_calls_fn_birth_register",
    "writer_has_false_done_guard",
    "writer_has_collision_failclose",
    "writer_has_parity_failclose",
    "writer_no_pseudocode",
    "execute_defaults_false",
    "false_done_check_constraint",
]
CLAIMED = FLAGS[3:8]


def readiness(scene: Scene) -> dict[str, str]:
    rows = scene.rows("SELECT metric, value FROM birth.v_birth_stage2_qt001_readiness_dashboard")
    return {row["metric"]: row["value"] for row in rows}


def status(scene: Scene) -> Row:
    (row,) = scene.rows("SELECT * FROM birth.v_qt001_apply_runtime_status")
    return row


def attention(scene: Scene) -> list[Row]:
    return scene.rows("SELECT * FROM birth.v_birth_attention")


def register(scene: Scene, name: str, policy: str = "BIRTH_REQUIRED") -> None:
    scene.ask(
        STEWARD,
        "fn_birth_collection_register",
        p_collection=name,
        p_schema="public",
        p_table=name,
        p_coverage_status=policy,
    )


def test_every_view_can_be_read_by_every_birth_role(scene: Scene) -> None:
    scene.permitted(scene.collection())
    names = scene.rows("SELECT relname FROM pg_class WHERE relnamespace = 'birth'::regnamespace AND relkind = 'v'")
    assert len(names) > 20
    for row in names:
        for person in ("alice_steward", "olga_operator", "rita_reviewer", "paul_owner", "dora_dba"):
            scene.session(person).execute(SQL("SELECT * FROM birth.{}").format(Identifier(row["relname"]))).fetchall()


def test_the_readiness_gate_follows_from_its_figures(scene: Scene) -> None:
    register(scene, "nothing_yet")
    register(scene, "nor_this")
    found = readiness(scene)
    assert found["birth_required_total"] == "2"
    assert found["identity_unclassified_blockers"] == "2"
    assert found["qt001_gate"] == "BLOCKED_UNTIL_2_IDENTITIES_RESOLVED_AND_PERMIT_OPENED"
    scene.execute("UPDATE birth.collection_registry SET coverage_status = 'BIRTH_EXEMPT_GONE'")
    scene.collection()
    assert readiness(scene)["qt001_gate"] == "BLOCKED_UNTIL_PERMIT_OPENED"
    run = scene.permitted()
    found = readiness(scene)
    assert (found["open_permits"], found["qt001_gate"]) == ("1", "OPEN_FOR_PERMITTED_RUNS")
    register(scene, "third")
    assert readiness(scene)["qt001_gate"] == "BLOCKED_UNTIL_1_IDENTITIES_RESOLVED"
    scene.expire(run.permit_id)
    found = readiness(scene)
    assert (found["open_permits"], found["qt001_gate"]) == (
        "0",
        "BLOCKED_UNTIL_1_IDENTITIES_RESOLVED_AND_PERMIT_OPENED",
    )


def test_readiness_does_not_pass_while_the_writer_is_absent(scene: Scene) -> None:
    scene.permitted(scene.collection())
    scene.execute("DROP PROCEDURE birth.sp_dot_birth_qt001_apply")
    found = readiness(scene)
    assert found["apply_writer"] == "absent"
    assert found["qt001_gate"] == "BLOCKED_UNTIL_WRITER_RELEASED"
    assert status(scene)["driver_proc_exists"] is False


def test_the_runtime_status_has_ten_flags_in_one_row(scene: Scene) -> None:
    row = status(scene)
    assert list(row) == FLAGS
    assert all(isinstance(value, bool) for value in row.values())
    assert all(row[flag] for flag in set(FLAGS) - set(CLAIMED))


@pytest.mark.parametrize("flag", CLAIMED)
def test_a_runtime_flag_is_true_only_for_the_proven_body(scene: Scene, flag: str) -> None:
    def claim(sha256: str) -> None:
        claims = Jsonb({"claims": {flag: {"routine": "fn_birth_run_finish", "body_sha256": sha256, "test": "a test"}}})
        scene.execute("SELECT birth.fn_birth_contract_record('proven', %s)", (claims,))

    sha256 = scene.value(
        "SELECT encode(sha256(convert_to(prosrc, 'UTF8')), 'hex') FROM pg_proc WHERE proname = 'fn_birth_run_finish'"
    )
    claim("0" * 64)
    assert status(scene)[flag] is False
    claim(sha256)
    assert status(scene)[flag] is True
    definition = scene.value("SELECT pg_get_functiondef('birth.fn_birth_run_finish'::regproc)")
    scene.execute(definition.replace("BEGIN\n", "BEGIN\n-- fn_birth_register, false_done\n", 1).encode())
    assert status(scene)[flag] is False
    scene.execute(definition.encode())
    assert status(scene)[flag] is True


def test_a_changed_default_or_constraint_shows_in_the_runtime_status(scene: Scene) -> None:
    definition = scene.value("SELECT pg_get_functiondef('birth.sp_dot_birth_qt001_apply'::regproc)")
    scene.execute(definition.replace("p_execute boolean DEFAULT false", "p_execute boolean DEFAULT true").encode())
    assert status(scene)["execute_defaults_false"] is False
    scene.execute(
        "ALTER TABLE birth.birth_backfill_ledger_v2 DROP CONSTRAINT bbl2_no_false_done,"
        " ADD CONSTRAINT bbl2_no_false_done CHECK (status <> 'done' OR true)"
    )
    assert status(scene)["false_done_check_constraint"] is False


def test_metadata_compatibility_shows_all_facts_of_a_collection(scene: Scene) -> None:
    scene.execute("CREATE TABLE public.plain (id integer PRIMARY KEY, status text)")
    scene.govern("plain", "synthetic_id", column="id", prefix="P-")
    scene.ask(STEWARD, "fn_birth_gateway_attach", p_collection="plain", p_mode="observe")
    register(scene, "absent")
    rows = {row["collection_name"]: row for row in scene.rows("SELECT * FROM birth.v_birth_metadata_compatibility")}
    plain, absent = rows["plain"], rows["absent"]
    assert (plain["identity_status"], plain["has_table"], plain["native_status_column"]) == (
        "ELIGIBLE_SYNTHETIC_ID",
        True,
        True,
    )
    assert (plain["gateway_triggers"], plain["auto_id"], plain["needs_owner"]) == (1, True, False)
    assert (absent["identity_status"], absent["has_table"], absent["native_status_column"]) == (
        "BLOCKED_NO_TABLE",
        False,
        False,
    )
    assert (absent["gateway_triggers"], absent["needs_owner"]) == (0, True)


def test_plan_reconciliation_compares_a_plan_with_its_source(scene: Scene) -> None:
    scene.collection()
    scene.born("item", "item-1", "gone-1")
    plan = scene.plan("item")
    (row,) = scene.rows("SELECT * FROM birth.v_birth_plan_reconciliation")
    assert (row["run_id"], row["reconciled"], row["existing_births"], row["births_accounted"]) == (
        plan["run_id"],
        True,
        2,
        2,
    )
    assert row["outstanding"] == 19
    # A change of policy counts no source.
    wanted = {"p_collection": "item", "p_to_governed": True, "p_dry_run": False}
    change = scene.ask_one(OPERATOR, "fn_dot_birth_qt005_plan", **wanted)
    (row,) = scene.rows("SELECT * FROM birth.v_birth_plan_reconciliation")
    assert (row["run_id"], row["reconciled"]) == (plan["run_id"], True)
    scene.review(change["run_id"])
    scene.confirm(scene.open_permit("item", change["run_id"], 1))
    assert readiness(scene)["qt001_gate"] == "BLOCKED_UNTIL_PERMIT_OPENED"
    scene.execute("UPDATE birth.birth_backfill_ledger_v2 SET orphans = 0")
    (row,) = scene.rows("SELECT * FROM birth.v_birth_plan_reconciliation")
    assert row["reconciled"] is False


def test_a_reader_may_ask_each_view_that_readers_are_granted(scene: Scene) -> None:
    scene.collection()
    scene.plan("item")
    views = scene.rows(
        "SELECT relname FROM pg_class WHERE relnamespace = 'birth'::regnamespace AND relkind = 'v'"
        " AND has_table_privilege('birth_reader', oid, 'SELECT')"
    )
    assert len(views) > 25
    for view in views:
        scene.rows(SQL("SELECT * FROM birth.{}").format(Identifier(view["relname"])), person=REVIEWER)


# --- runs


def progress(scene: Scene) -> Row:
    (row,) = scene.rows("SELECT * FROM birth.v_birth_run_progress")
    return row


def test_the_next_step_leads_from_plan_to_done(scene: Scene) -> None:
    scene.collection()
    plan = scene.plan("item")
    assert "fn_birth_review_record" in progress(scene)["next_step"]
    scene.review(plan["run_id"])
    assert "fn_birth_permit_open" in progress(scene)["next_step"]
    permit = scene.open_permit("item", plan["run_id"], 20)
    assert f"fn_birth_permit_confirm(p_permit_id := {permit})" in progress(scene)["next_step"]
    scene.confirm(permit)
    step = progress(scene)["next_step"]
    assert step.startswith("CALL birth.sp_dot_birth_qt001_apply(p_collection := 'item'")
    # The statement is ready: an operator sends it as it stands.
    scene.session(OPERATOR).execute(step.partition("--")[0].encode())
    row = progress(scene)
    assert (row["status"], row["rows_done"], row["rows_target"], row["percent"]) == ("done", 20, 20, 100)
    assert "fn_birth_census" in row["next_step"]


def test_a_permit_larger_than_its_plan_and_a_verdict_on_other_numbers_are_remarked_on(scene: Scene) -> None:
    item = scene.collection()
    scene.born(item, "gone")
    plan = scene.plan(item)
    assert "p_verdict := '...', p_findings := '...', p_accept_orphans := 1" in plan["next_step"]
    said = scene.review(plan["run_id"])["next_step"]
    assert said.endswith(";  -- a permit owner; the verdict accepts 0 orphans, the plan has 1")
    said = scene.review(plan["run_id"], p_accept_orphans=1)["next_step"]
    assert said.endswith(";  -- a permit owner")
    permit = scene.open_permit(item, plan["run_id"], 21)
    assert progress(scene)["next_step"].endswith(";  -- a reviewer; the permit allows 21 rows, the plan has 20")
    scene.revoke(permit)
    scene.open_permit(item, plan["run_id"], 20)
    assert progress(scene)["next_step"].endswith(";  -- a reviewer")


def test_run_progress_shows_executor_and_rate(scene: Scene) -> None:
    driver = scene.start(scene.permitted(scene.collection()), batch=5)
    row = progress(scene)
    assert (row["status"], row["rows_done"], row["rows_target"], row["percent"]) == ("running", 5, 20, 25)
    assert (row["executed_by"], row["purpose"], row["interrupted"], row["next_step"]) == (
        OPERATOR,
        "APPLY",
        False,
        None,
    )
    assert row["running_since"] <= row["last_batch_at"]
    scene.execute("SELECT pg_terminate_backend(%s)", (driver.pid,))
    driver.close()
    row = progress(scene)
    assert (row["status"], row["interrupted"]) == ("running", True)
    assert row["next_step"].startswith("CALL birth.sp_dot_birth_qt001_apply")
    (item,) = [one for one in attention(scene) if "interrupted" in one["what"]]
    assert (item["severity"], item["next_step"]) == ("critical", row["next_step"])


def test_a_compensation_has_its_own_progress(scene: Scene) -> None:
    run = scene.permitted(scene.collection())
    scene.apply(run)
    scene.compensate(scene.compensable(run))
    row = progress(scene)
    assert (row["status"], row["purpose"], row["rows_done"], row["rows_target"]) == (
        "compensated",
        "COMPENSATE",
        20,
        20,
    )


# --- attention


def test_attention_is_empty_in_a_fresh_database(scene: Scene) -> None:
    assert attention(scene) == []


def whats(scene: Scene) -> str:
    return "\n".join(f"{row['severity']}: {row['what']}" for row in attention(scene))


def test_attention_shows_an_unexecuted_plan_and_no_done_run(scene: Scene) -> None:
    scene.collection()
    scene.ask(STEWARD, "fn_birth_gateway_attach", p_collection="item", p_mode="observe")
    run = scene.permitted()
    assert "notice: plan" in whats(scene)
    scene.apply(run)
    assert whats(scene) == ""


def test_attention_shows_permits_drift_freezes_and_guards_with_their_repair(scene: Scene) -> None:
    scene.collection()
    plan = scene.plan("item")
    scene.review(plan["run_id"])
    permit = scene.open_permit("item", plan["run_id"], 20)
    assert f"notice: permit {permit} of item is not confirmed" in whats(scene)
    scene.expire(permit)
    assert f"warning: permit {permit} of item has expired" in whats(scene)
    scene.ask(OPERATOR, "fn_birth_dot_freeze", p_dot="dot-birth-backfill-apply", p_reason="lunch")
    assert "warning: dot-birth-backfill-apply is frozen by olga_operator: lunch" in whats(scene)
    scene.execute("GRANT INSERT ON birth.birth_registry TO birth_operator")
    found = attention(scene)
    assert found[0]["severity"] == "critical"
    repair = "REVOKE INSERT ON TABLE birth.birth_registry FROM birth_operator"
    assert f"SET search_path = pg_catalog, pg_temp; {repair}" in [row["next_step"] for row in found]
    assert "critical: stage 0 is not enforced: frozen: DOT-118" in whats(scene)
    assert "warning: worse than at stage 1" in whats(scene)


def test_attention_shows_a_role_that_has_lost_all_its_logins(scene: Scene) -> None:
    plan = scene.plan(scene.collection())
    with scene.admin.transaction(force_rollback=True):
        # Roles are the cluster's.
        for role in ("birth_operator", "birth_permit_owner"):
            members = scene.rows(
                "SELECT quote_ident(r.rolname) AS name FROM pg_roles r WHERE r.rolcanlogin AND NOT r.rolsuper"
                " AND birth.fn_birth_is_member(r.rolname, %s)",
                (role,),
            )
            scene.execute(f"REVOKE {role} FROM {', '.join(row['name'] for row in members)}".encode())
        (row,) = [one for one in attention(scene) if "can act as" in one["what"]]
        assert row["severity"] == "warning"
        # Nobody has opened a permit yet: that role is not missed.
        assert row["what"] == f"no login but a superuser can act as birth_operator any more; {OPERATOR} did"
        scene.execute(row["next_step"].encode())
        assert "can act as" not in whats(scene)
        assert plan["run_id"] is not None


def test_attention_shows_missing_disabled_and_misplaced_gateways(scene: Scene) -> None:
    scene.collection()
    assert "notice: item is required and has no enabled gateway" in whats(scene)
    scene.ask(STEWARD, "fn_birth_gateway_attach", p_collection="item", p_mode="enforce")
    assert whats(scene) == ""
    scene.execute("ALTER TABLE public.item DISABLE TRIGGER birth_gateway")
    assert "critical: item is enforced and has no enabled gateway" in whats(scene)
    scene.execute("ALTER TABLE public.item ENABLE TRIGGER birth_gateway; ALTER TABLE public.item RENAME TO thing")
    assert "warning: gateway of item is on public.thing, which is registered as public.item" in whats(scene)
    (row,) = [one for one in attention(scene) if "public.thing" in one["what"]]
    scene.session(STEWARD).execute(row["next_step"].partition("--")[0].encode())
    assert whats(scene) == ""


def test_attention_shows_a_partition_with_a_disabled_gateway(scene: Scene) -> None:
    scene.execute("""
        CREATE TABLE public.part (id integer PRIMARY KEY) PARTITION BY RANGE (id);
        CREATE TABLE public.part_1 PARTITION OF public.part FOR VALUES FROM (0) TO (10);
        CREATE TABLE public.part_2 PARTITION OF public.part FOR VALUES FROM (10) TO (20);
        GRANT SELECT ON public.part_1, public.part_2 TO birth_scanner;
        GRANT TRIGGER ON public.part_1, public.part_2 TO birth_definer""")
    scene.govern("part", "synthetic_id", column="id", prefix="part-")
    scene.ask(STEWARD, "fn_birth_gateway_attach", p_collection="part", p_mode="observe")
    assert whats(scene) == ""
    scene.execute("ALTER TABLE public.part_2 DISABLE TRIGGER birth_gateway")
    assert "warning: partition part_2 of part has no gateway" in whats(scene).replace("public.", "")


def test_attention_shows_findings_of_the_gateway(scene: Scene) -> None:
    scene.execute("CREATE TABLE public.name (code text UNIQUE)")
    scene.govern("name", "column", column="code")
    scene.ask(STEWARD, "fn_birth_gateway_attach", p_collection="name", p_mode="observe")
    scene.execute("INSERT INTO public.name VALUES (NULL), (NULL)")
    assert "warning: 2 rows of name have no birth: gateway_no_identity" in whats(scene)


def test_a_source_change_is_listed_code_by_code(scene: Scene) -> None:
    run = scene.permitted(scene.collection())
    scene.stopped_after_a_batch(run)
    scene.born("item", "item-20")
    scene.execute("UPDATE birth.birth_backfill_ledger_v2 SET stop_reason = 'source_changed'")
    rows = scene.rows("SELECT * FROM birth.v_birth_run_source_change ORDER BY change")
    assert [(row["change"], row["entity_code"], row["rows"]) for row in rows] == [
        ("born otherwise", "item-20", 1),
        ("planned and not written", None, 15),
    ]
    assert "fn_dot_birth_qt001_plan" in progress(scene)["next_step"]


# --- spike, metrics, duties


def spike(scene: Scene) -> dict[str, Row]:
    return {row["window_name"]: row for row in scene.rows("SELECT * FROM birth.v_birth_spike")}


def births(scene: Scene, rows: int, ago: timedelta, prefix: str) -> None:
    scene.execute(
        "INSERT INTO birth.birth_registry (born_at, entity_code, collection_name, dot_origin)"
        " SELECT now() - %s, %s || g, 'item', 'QT-002' FROM generate_series(1, %s) g",
        (ago, prefix, rows),
    )


def test_backfilled_births_make_no_spike(scene: Scene) -> None:
    scene.apply(scene.permitted(scene.collection(rows=2000)))
    row = spike(scene)["last_1h"]
    assert (row["live_births"], row["backfilled_births"], row["state"]) == (0, 2000, "OK")


def test_many_live_births_are_a_spike_unless_they_are_the_norm(scene: Scene) -> None:
    births(scene, 1500, timedelta(minutes=10), "now-")
    row = spike(scene)["last_1h"]
    assert (row["live_births"], row["counted"], row["norm"], row["state"]) == (1500, True, 0, "SPIKE")
    assert "1500 live births in the last_1h" in whats(scene)
    for day in range(1, 8):
        births(scene, 900, timedelta(days=day, minutes=10), f"day{day}-")
    row = spike(scene)["last_1h"]
    assert (row["norm"], row["state"]) == (900, "OK")


def test_metrics_have_a_name_labels_and_a_value(scene: Scene) -> None:
    scene.permitted(scene.collection())
    rows = scene.rows("SELECT * FROM birth.v_birth_metrics")
    assert {"birth_collections", "birth_runs", "birth_permits_open", "birth_live_births"} <= {
        row["name"] for row in rows
    }
    assert all(row["value"] is not None and isinstance(row["labels"], dict) for row in rows)


def duties(scene: Scene) -> set[tuple[str, str]]:
    return {(row["login"], row["finding"]) for row in scene.rows("SELECT * FROM birth.v_birth_separation_of_duties")}


def test_conflicting_roles_superusers_and_releasers_are_listed(scene: Scene) -> None:
    found = duties(scene)
    assert ("release_dba", "released") in found
    assert any(finding == "superuser" for _, finding in found)
    assert not any(login == OPERATOR for login, _ in found)
    with scene.admin.transaction(force_rollback=True):
        scene.execute("GRANT birth_reviewer TO olga_operator; GRANT birth_definer TO alice_steward")
        found = duties(scene)
        assert (OPERATOR, "conflicting roles") in found
        assert (STEWARD, "can become birth_definer") in found
        assert (STEWARD, "can write every table") not in found
        scene.execute("GRANT pg_write_all_data TO alice_steward")
        assert (STEWARD, "can write every table") in duties(scene)


def test_logins_that_can_grant_birth_definer_are_listed_even_through_roles(scene: Scene) -> None:
    with scene.admin.transaction(force_rollback=True):
        scene.execute("CREATE ROLE team; GRANT birth_definer TO team; GRANT team TO alice_steward WITH ADMIN OPTION")
        (row,) = scene.rows("""
            SELECT * FROM birth.v_birth_separation_of_duties
            WHERE login = 'alice_steward' AND finding = 'can let others become birth_definer'""")
        assert row["detail"] == "has ADMIN of team"
        scene.execute("CREATE ROLE desk; GRANT team TO desk WITH ADMIN OPTION; GRANT desk TO olga_operator")
        assert (OPERATOR, "can let others become birth_definer") in duties(scene)


def test_logins_that_can_run_code_as_the_server_are_listed(scene: Scene) -> None:
    with scene.admin.transaction(force_rollback=True):
        scene.execute("GRANT pg_execute_server_program TO alice_steward; GRANT pg_write_server_files TO olga_operator")
        assert {(STEWARD, "can become the server"), (OPERATOR, "can become the server")} <= duties(scene)
