"""The faults that the independent review of stage 2 found (specification, end of section 3): one test each."""

import re
import tomllib

from helpers import OPERATOR, Run, Scene, raised, refused

from birthdb import errors, paths


def test_the_apply_procedure_exists_and_done_means_births_in_the_registry(scene: Scene, item: str) -> None:
    """Found: it was absent or pseudocode."""
    run = scene.permitted(item)
    scene.apply(run)
    assert scene.ledger(run)["actual_inserted"] == len(scene.codes(run)) == 20


def test_a_ledger_is_not_completed_with_no_rows(scene: Scene, item: str) -> None:
    """Found: the procedure would have completed the ledger with 0 rows."""
    run = scene.permitted(item)
    with scene.unchanged(), raised("23514"):
        scene.execute(
            "UPDATE birth.birth_backfill_ledger_v2 SET status = 'done', dry_run = false, permit_id = %s,"
            " executed_by = 'olga_operator', finished_at = now()",
            (run.permit_id,),
        )


def readiness(scene: Scene) -> dict[str, str]:
    return {
        row["metric"]: row["value"]
        for row in scene.rows("SELECT * FROM birth.v_birth_stage2_qt001_readiness_dashboard")
    }


def test_readiness_does_not_pass_while_the_procedure_is_absent(scene: Scene, item: str) -> None:
    """Found: readiness passed while procedure and DOTs were absent."""
    scene.permitted(item)
    assert readiness(scene)["qt001_gate"] == "OPEN_FOR_PERMITTED_RUNS"
    scene.execute("DROP PROCEDURE birth.sp_dot_birth_qt001_apply")
    assert readiness(scene)["apply_writer"] == "absent"
    assert readiness(scene)["qt001_gate"].startswith("BLOCKED")
    assert scene.value("SELECT all_ok FROM birth.v_birth_gateway_contract_integrity_dashboard") is False


def test_a_run_does_not_begin_while_its_dot_is_absent(scene: Scene, item: str) -> None:
    run = scene.permitted(item)
    scene.execute("DELETE FROM birth.dot_registry WHERE NOT dangerous")
    with scene.unchanged(), refused(errors.DotUnknown):
        scene.apply(run)
    with scene.unchanged(), refused(errors.DotUnknown):
        scene.plan(item)


def test_a_permit_has_an_expiry_and_a_row_bound(scene: Scene, item: str) -> None:
    """Found: the permit had no expiry and no row bound."""
    run = scene.permitted(item)
    for column in ("expires_at", "max_rows"):
        with raised("23502"):
            scene.execute(f"UPDATE birth.birth_admission_permit_v2 SET {column} = NULL".encode())
    scene.expire(run.permit_id)
    with refused(errors.PermitExpired):
        scene.apply(run)
    narrow = run.under(scene.permit(run, 19))
    with refused(errors.PermitExhausted):
        scene.apply(narrow)


def test_the_ledger_proves_one_scoped_resumable_apply(scene: Scene, item: str) -> None:
    """Found: the ledger could not prove one scoped, resumable apply."""
    run = scene.permitted(item)
    scene.stopped_after_a_batch(run)
    assert scene.ledger(run)["resume_marker"] == ["5"]
    scene.apply(run)
    row = scene.ledger(run)
    assert (row["collection_name"], row["permit_id"], row["epoch"]) == (item, run.permit_id, 2)
    assert row["written_fingerprint"] == row["target_fingerprint"]
    assert [receipt["key_after"] for receipt in scene.receipts(run)] == [None, ["5"]]


def test_a_code_collision_is_refused_at_every_step(scene: Scene, item: str) -> None:
    """Found: a cross-collection collision was skipped silently."""
    scene.collection("other", 1)
    run = scene.permitted(item)
    scene.born("other", "item-7")
    for attempt in (scene.apply, scene.write):
        with scene.unchanged(), refused(errors.CodeForeign) as caught:
            attempt(run)
        assert "item-7" in str(caught.value.diag.message_detail)
    with scene.unchanged(), refused(errors.CodeForeign):
        scene.plan(item)


def test_the_writer_refuses_a_collision_that_the_checks_missed(scene: Scene, item: str) -> None:
    """Every earlier check taken out: the last one is in the batch."""
    scene.replace_routine("fn_birth_checks", ("(p_now.collisions > 0) IS NOT TRUE", "true"))
    scene.collection("other", 1)
    run = scene.permitted(item)
    driver = scene.start(run)
    scene.born("other", "item-7")
    scene.go_on(run)
    with refused(errors.CodeForeign):
        driver.end()
    assert len(scene.codes(run)) == 5


def test_committed_batches_can_be_resumed_and_compensated(scene: Scene, item: str) -> None:
    """Found: they could be neither."""
    run = scene.permitted(item)
    scene.stopped_after_a_batch(run)
    scene.apply(run)
    assert scene.births() == 20
    scene.compensate(scene.compensable(run), batch=6)
    assert scene.births() == 0


def test_fn_birth_register_is_fail_closed_in_general(scene: Scene, item: str) -> None:
    """Found: it was not. Now whatever cannot be registered is an error, and nothing is skipped."""
    scene.collection("exempt", 1, policy="BIRTH_EXEMPT_TEST")
    scene.collection("deferred", 1, policy="BIRTH_DEFERRED_NEEDS_REVIEW")
    scene.collection("other", 1)
    scene.born("other", "taken")
    expected: dict[tuple[str, str | None], type[errors.BirthError]] = {
        ("unknown", "a"): errors.UnknownCollection,
        ("exempt", "a"): errors.PolicyNotRequired,
        ("deferred", "a"): errors.PolicyNotRequired,
        (item, None): errors.CodeMissing,
        (item, " "): errors.CodeMissing,
        (item, "taken"): errors.CodeForeign,
    }
    for (collection, code), refusal in expected.items():
        with scene.unchanged(), refused(refusal):
            scene.ask(OPERATOR, "fn_birth_register", p_collection=collection, p_codes=[code], p_dot_origin="a test")


def test_the_gate_text_follows_from_its_figures(scene: Scene) -> None:
    """Found: one gate text was stale."""
    scene.collection()
    scene.execute("CREATE TABLE public.unclear (id integer)")
    scene.ask(
        "alice_steward",
        "fn_birth_collection_register",
        p_collection="unclear",
        p_schema="public",
        p_table="unclear",
        p_coverage_status="BIRTH_REQUIRED",
    )
    figures = readiness(scene)
    assert figures["identity_unclassified_blockers"] == "1"
    assert figures["qt001_gate"] == "BLOCKED_UNTIL_1_IDENTITIES_RESOLVED_AND_PERMIT_OPENED"
    scene.execute("ALTER TABLE unclear ADD PRIMARY KEY (id)")
    scene.govern("unclear", "synthetic_id", column="id", prefix="u-")
    assert readiness(scene)["qt001_gate"] == "BLOCKED_UNTIL_PERMIT_OPENED"
    run: Run = scene.permitted("item")
    assert readiness(scene)["qt001_gate"] == "OPEN_FOR_PERMITTED_RUNS"
    scene.expire(run.permit_id)
    assert readiness(scene)["qt001_gate"] == "BLOCKED_UNTIL_PERMIT_OPENED"


def test_no_hint_of_the_catalogue_names_an_object_that_does_not_exist(scene: Scene) -> None:
    catalogue = tomllib.loads((paths.SQL / "errors.toml").read_text())
    named = {found for entry in catalogue.values() for found in re.findall(r"(?<!')birth\.(\w+)", entry["hint"])}
    present = {
        row["name"]
        for row in scene.rows(
            "SELECT proname AS name FROM pg_proc WHERE pronamespace = 'birth'::regnamespace"
            " UNION SELECT relname FROM pg_class WHERE relnamespace = 'birth'::regnamespace"
        )
    }
    assert named
    assert named - present == set()
