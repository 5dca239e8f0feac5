"""Governance transitions: a policy changes by plan, verdict, permit and run, and one person alone loosens none."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
import pytest
from helpers import driven
from psycopg.types.json import Jsonb
from world import APPLICATION, World, judged, wait_until_blocked

from birthdb import api, errors

REQUIRED, DEFERRED, EXEMPT = "BIRTH_REQUIRED", "BIRTH_DEFERRED_NEEDS_REVIEW", "BIRTH_EXEMPT_LOG"
TABLE = "(code text PRIMARY KEY)"
STATE = "SELECT coverage_status, governed, policy_version FROM birth.collection_registry WHERE collection_name = %s"


def policy(world: World, collection: str = "thing") -> tuple[Any, ...]:
    return tuple(world.admin.execute(STATE, (collection,)).fetchall()[0])


def planned(world: World, to: str | None, collection: str = "thing", **more: Any) -> UUID:
    run: UUID = api.transition_plan(world.operator, collection, to, dry_run=False, **more)["run_id"]
    return run


def undone(world: World, run: UUID, accept: int = 0) -> None:
    permit = world.judged(run, accept=accept, purpose="COMPENSATE")
    api.compensate(world.operator, run, permit, execute=True)


def failing(world: World, guard: str) -> list[str]:
    found = world.admin.execute(f"SELECT check_name FROM birth.{guard} WHERE pass IS NOT TRUE".encode())
    return [row[0] for row in found]


def blocked(world: World, to: str, **more: Any) -> str:
    """Return why a plan is blocked, from its dry run and from the plan itself."""
    before = policy(world)
    (blocker,) = api.transition_plan(world.operator, "thing", to, **more)["blockers"]
    with pytest.raises(errors.TransitionBlocked) as refusal:
        planned(world, to, **more)
    assert blocker["detail"] == refusal.value.detail
    assert policy(world) == before
    return str(refusal.value.detail)


def test_three_people_loosen_a_policy_and_undo_it(world: World) -> None:
    world.governed(TABLE)
    world.insert(["a", "b"])
    dry = api.transition_plan(world.operator, "thing", EXEMPT)
    assert (dry["direction"], dry["births"], dry["planned_rows"], dry["blockers"]) == ("loosening", 2, 1, [])
    run = world.change_policy(EXEMPT, accept=2)
    assert policy(world) == (EXEMPT, False, 2)
    assert world.births() == ["a", "b"]
    row = world.admin.execute(
        "SELECT from_status, to_status, from_version, direction, executed_at IS NOT NULL, undone_at"
        " FROM birth.birth_transition WHERE run_id = %s",
        (run,),
    ).fetchone()
    assert row == (REQUIRED, EXEMPT, 1, "loosening", True, None)
    world.insert(["c"])
    assert world.births() == ["a", "b"]
    undone(world, run)
    assert policy(world) == (REQUIRED, False, 3)
    assert world.value("SELECT undone_at >= executed_at FROM birth.birth_transition")
    assert world.value("SELECT status FROM birth.birth_backfill_ledger_v2") == "compensated"
    # The row that came meanwhile is missing, and a backfill finds it.
    world.backfill()
    assert world.births() == ["a", "b", "c"]


def test_a_transition_is_on_record_like_any_run(world: World) -> None:
    world.governed(TABLE, coverage=DEFERRED)
    run = world.change_policy(REQUIRED)
    found = api.run_audit(world.person("rita_reviewer"), run)
    assert [row for row in found if not row["pass"]] == []
    assert world.admin.execute(
        "SELECT purpose, written FROM birth.birth_receipt WHERE run_id = %s", (run,)
    ).fetchall() == [("TRANSITION", 1)]
    assert world.value("SELECT status FROM birth.birth_admission_permit_v2") == "CONSUMED"
    world.admin.execute("UPDATE birth.birth_transition SET from_status = 'BIRTH_EXEMPT_FORGED'")
    found = api.run_audit(world.person("rita_reviewer"), run)
    assert [row["check_name"] for row in found if not row["pass"]] == ["birth_registry holds what the receipts leave"]


def test_a_change_of_policy_is_one_transaction_and_cannot_be_driven(world: World) -> None:
    world.governed(TABLE, coverage=DEFERRED)
    run = planned(world, REQUIRED)
    step: dict[str, object] = {"p_run_id": run, "p_permit_id": world.judged(run), "p_batch": 1}
    none = dict.fromkeys(("p_collection", "p_expected_delta", "p_max_rows", "p_dot_origin", "p_purpose"))
    door = "/* sp_dot_birth_qt005_apply */ SELECT birth.fn_birth_run_begin("
    call = door + ", ".join(f"{name} => %({name})s" for name in none | step) + ")"
    with pytest.raises(psycopg.Error, match="p_mode is 'drive'") as refusal:
        world.operator.execute(call.encode(), none | step)
    assert refusal.value.sqlstate == errors.BadArgument.sqlstate
    assert world.value("SELECT status FROM birth.birth_backfill_ledger_v2") == "planned"


def test_without_execute_every_check_is_asked_and_nothing_written(world: World) -> None:
    world.governed(TABLE, coverage=DEFERRED)
    run = planned(world, REQUIRED)
    told: list[str] = []
    permit = world.judged(run)
    api.transition_apply(world.operator, run, permit, notice=told.append)
    assert "every check passes" in told[0]
    assert policy(world) == (DEFERRED, False, 1)


@pytest.mark.parametrize(
    ("before", "governed", "to", "to_governed", "direction"),
    [
        (DEFERRED, False, REQUIRED, None, "tightening"),
        (EXEMPT, False, REQUIRED, None, "tightening"),
        (EXEMPT, False, DEFERRED, None, "tightening"),
        (REQUIRED, False, DEFERRED, None, "loosening"),
        (DEFERRED, False, EXEMPT, None, "loosening"),
        (EXEMPT, False, "BIRTH_EXEMPT_OTHER", None, "loosening"),
        (REQUIRED, False, None, True, "tightening"),
        (REQUIRED, True, None, False, "loosening"),
        (DEFERRED, True, REQUIRED, False, "loosening"),
    ],
)
def test_the_direction_is_that_of_the_weakest_part(
    world: World, before: str, governed: bool, to: str | None, to_governed: bool | None, direction: str
) -> None:
    world.table(TABLE)
    api.collection_register(world.steward, "thing", "app", "thing", before, governed=governed)
    world.classify("column", column="code")
    world.attach()
    plan = api.transition_plan(world.operator, "thing", to, to_governed=to_governed)
    assert (plan["direction"], plan["blockers"]) == (direction, [])
    world.change_policy(to, governed=to_governed)
    expected = (to or before, governed if to_governed is None else to_governed, 2)
    assert policy(world) == expected
    for guard in ("v_birth_stage1_no_worse_proof", "v_birth_stage2_no_worse_guard", "v_birth_stage4_no_worse_guard"):
        assert failing(world, guard) == []


def test_a_plan_to_required_names_every_reason_at_once(world: World) -> None:
    world.register(coverage=DEFERRED)
    assert "its identity is BLOCKED_NO_TABLE" in blocked(world, REQUIRED)
    world.table("(id int PRIMARY KEY, code text)")
    world.owner.execute("REVOKE SELECT ON app.thing FROM birth_scanner")
    reasons = blocked(world, REQUIRED)
    assert "BLOCKED_UNCLASSIFIED" in reasons
    assert "no enabled gateway" in reasons
    assert "GRANT SELECT ON app.thing TO birth_scanner" in reasons


def test_a_table_that_changed_since_it_was_classified_does_not_become_required(world: World) -> None:
    world.governed("(code text PRIMARY KEY)", mode="enforce", coverage=DEFERRED)
    world.owner.execute("ALTER TABLE app.thing ALTER code TYPE integer USING code::integer")
    assert "code were text when they were classified, and are bigint" in blocked(world, REQUIRED)
    world.classify("column", column="code")
    world.change_policy(REQUIRED)
    world.owner.execute("INSERT INTO app.thing VALUES (1)")
    assert world.births() == ["1"]


def test_a_table_of_which_a_partition_passes_the_gateway_does_not_become_required(world: World) -> None:
    world.table("(code text PRIMARY KEY) PARTITION BY RANGE (code)")
    world.table("PARTITION OF app.thing DEFAULT", "part")
    world.register(coverage=DEFERRED)
    world.classify("column", column="code")
    world.attach()
    world.owner.execute("ALTER TABLE app.part DISABLE TRIGGER birth_gateway")
    assert "a partition has no enabled gateway" in blocked(world, REQUIRED)


def test_missing_rows_do_not_block_a_move_to_required_and_foreign_codes_do(world: World) -> None:
    world.table(TABLE)
    world.insert(["a", "b"])
    world.register(coverage=DEFERRED)
    world.classify("column", column="code")
    world.attach()
    world.governed(TABLE, "other")
    world.insert(["a"], "other")
    assert "1 the code of another collection" in blocked(world, REQUIRED)
    world.owner.execute("DELETE FROM app.thing WHERE code = 'a'")
    world.change_policy(REQUIRED)
    assert world.planned()["planned_rows"] == 1


def test_a_loosening_waits_for_runs_and_permits_of_the_collection(world: World) -> None:
    world.table(TABLE)
    world.insert(["a", "b"])
    world.register()
    world.classify("column", column="code")
    world.attach()
    world.permitted()
    assert "is open" in blocked(world, EXEMPT)


def test_a_verdict_accepts_at_most_so_many_births(world: World) -> None:
    world.governed(TABLE)
    world.insert(["a", "b"])
    run = planned(world, EXEMPT)
    permit = world.judged(run, accept=1)
    with pytest.raises(errors.TransitionBlocked, match="cannot change"):
        api.transition_apply(world.operator, run, permit, execute=True)
    assert policy(world) == (REQUIRED, False, 1)
    api.review_record(world.person("rita_reviewer"), run, "SAFE", "read again", accept_orphans=3)
    world.insert(["c"])
    world.insert(["d"])
    with pytest.raises(errors.TransitionBlocked) as refusal:
        api.transition_apply(world.operator, run, permit, execute=True)
    assert "4 births would be left behind, the verdict accepts 3" in str(refusal.value.detail)
    api.review_record(world.person("rita_reviewer"), run, "SAFE", "and again", accept_orphans=9)
    api.transition_apply(world.operator, run, permit, execute=True)
    assert policy(world) == (EXEMPT, False, 2)


def test_births_of_a_batch_that_a_transition_waited_for_are_counted(world: World) -> None:
    world.governed(TABLE)
    run = planned(world, EXEMPT)
    permit = world.judged(run)
    operator = world.operator
    with world.db.connect(autocommit=False) as batch:
        # As fn_birth_run_lock holds it for a batch.
        batch.execute("SELECT FROM birth.collection_registry WHERE collection_name = 'thing' FOR SHARE")

        def commit() -> None:
            wait_until_blocked(world.admin, operator)
            batch.execute("INSERT INTO app.thing VALUES ('a')")
            batch.commit()

        thread = threading.Thread(target=commit)
        thread.start()
        with pytest.raises(errors.TransitionBlocked, match="cannot change") as refusal:
            api.transition_apply(operator, run, permit, execute=True)
        thread.join()
    assert "1 births would be left behind" in str(refusal.value.detail)
    assert (policy(world), world.births()) == ((REQUIRED, False, 1), ["a"])


def test_the_printed_steps_carry_a_transition_and_its_undoing_from_person_to_person(world: World) -> None:
    world.governed(TABLE)
    world.insert(["a", "b"])
    step = api.transition_plan(world.operator, "thing", EXEMPT, to_governed=True)["next_step"]
    people = {"operator": world.operator, "reviewer": world.person("rita_reviewer")}
    people["permit owner"] = world.person("paul_owner")
    assert step is not None
    world.operator.execute(step.encode())
    run = world.value("SELECT run_id FROM birth.birth_backfill_ledger_v2")
    for purpose, sent in (("TRANSITION", 4), ("COMPENSATE", 4)):
        for _ in range(sent):
            step = world.value("SELECT birth.fn_birth_run_next_step(%s, %s)", run, purpose)
            statement, _, who = step.partition(";  -- a")
            people[who.removeprefix("n").strip()].execute(judged(statement).encode())
    assert policy(world) == (REQUIRED, False, 3)


def test_one_person_alone_can_neither_judge_nor_permit_what_they_planned(world: World) -> None:
    world.governed(TABLE)
    run = planned(world, EXEMPT)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        api.review_record(world.operator, run, "SAFE", "mine")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        api.transition_plan(world.steward, "thing", EXEMPT)
    with pytest.raises(errors.VerdictMissing):
        api.transition_apply(world.operator, run, 999, execute=True)
    assert policy(world) == (REQUIRED, False, 1)


def test_a_policy_that_was_changed_and_changed_back_is_another(world: World) -> None:
    world.governed(TABLE, coverage=DEFERRED)
    run = planned(world, REQUIRED)
    permit = world.judged(run)
    world.change_policy(None, governed=True)
    world.change_policy(None, governed=False)
    assert policy(world) == (DEFERRED, False, 3)
    with pytest.raises(errors.VerdictMissing):
        api.transition_apply(world.operator, run, permit, execute=True)
    api.review_record(world.person("rita_reviewer"), run, "SAFE", "again")
    with pytest.raises(errors.PlanStale) as stale:
        api.transition_apply(world.operator, run, permit, execute=True)
    assert (stale.value.detail, stale.value.hint) == (
        "1 planned, 1 left now, and not the same",
        "plan again with birth.fn_dot_birth_qt005_plan",
    )
    assert policy(world) == (DEFERRED, False, 3)


def test_an_undoing_is_of_the_policy_that_the_run_wrote(world: World) -> None:
    world.governed(TABLE, coverage=DEFERRED)
    run = world.change_policy(REQUIRED)
    world.change_policy(EXEMPT)
    permit = world.judged(run, purpose="COMPENSATE")
    with pytest.raises(errors.BirthsTouched):
        api.compensate(world.operator, run, permit, execute=True)
    assert policy(world) == (EXEMPT, False, 3)


def test_an_undoing_needs_a_verdict_on_the_identity_of_now(world: World) -> None:
    world.governed("(code text PRIMARY KEY, other text UNIQUE)", coverage=DEFERRED)
    run = world.change_policy(REQUIRED)
    permit = world.judged(run, purpose="COMPENSATE")
    world.classify("column", column="other")
    with pytest.raises(errors.VerdictMissing, match="no current verdict"):
        api.compensate(world.operator, run, permit, execute=True)
    assert policy(world) == (REQUIRED, False, 2)
    api.review_record(world.person("rita_reviewer"), run, "SAFE", "again", purpose="COMPENSATE")
    api.compensate(world.operator, run, permit, execute=True)
    assert policy(world) == (DEFERRED, False, 3)


def test_an_undoing_that_was_cut_off_before_its_proof_goes_on_under_the_same_verdict(world: World) -> None:
    world.governed(TABLE, coverage=DEFERRED)
    run = world.change_policy(REQUIRED)
    permit = world.judged(run, purpose="COMPENSATE")
    with world.db.connect("olga_operator") as cut_off:
        step: dict[str, object] = {"p_run_id": run, "p_permit_id": permit, "p_purpose": "COMPENSATE", "p_batch": 1}
        none = dict.fromkeys(("p_collection", "p_expected_delta", "p_max_rows", "p_dot_origin"))
        cut_off.execute(driven("fn_birth_run_begin", none | step, "compensate"), none | step)
        cut_off.execute(driven("fn_birth_run_step", step, "compensate"), step)
        pid = cut_off.info.backend_pid
    while world.value("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = %s)", pid):
        pass
    state = "SELECT status || compensated_rows FROM birth.birth_backfill_ledger_v2"
    assert (world.value(state), policy(world)) == ("running1", (DEFERRED, False, 3))
    api.compensate(world.operator, run, permit, execute=True)
    assert (world.value(state), policy(world)) == ("compensated1", (DEFERRED, False, 3))


def test_an_undoing_that_tightens_needs_what_a_move_to_required_needs(world: World) -> None:
    world.governed(TABLE)
    run = world.change_policy(EXEMPT)
    statement = api.gateway_detach(world.steward, "thing", "a test")
    world.owner.execute(statement.encode())
    permit = world.judged(run, purpose="COMPENSATE")
    with pytest.raises(errors.TransitionBlocked) as refusal:
        api.compensate(world.operator, run, permit, execute=True)
    assert "it has no enabled gateway" in str(refusal.value.detail)
    assert (policy(world)[0], world.value("SELECT status FROM birth.birth_backfill_ledger_v2")) == (EXEMPT, "done")
    world.attach()
    api.compensate(world.operator, run, permit, execute=True)
    assert policy(world)[0] == REQUIRED


def test_an_undoing_that_loosens_needs_its_births_accepted(world: World) -> None:
    world.governed(TABLE, coverage=EXEMPT)
    run = world.change_policy(REQUIRED)
    world.insert(["a"])
    permit = world.judged(run, purpose="COMPENSATE")
    with pytest.raises(errors.TransitionBlocked):
        api.compensate(world.operator, run, permit, execute=True)
    api.review_record(world.person("rita_reviewer"), run, "SAFE", "one birth stays", purpose="COMPENSATE",
                      accept_orphans=1)  # fmt: skip
    api.compensate(world.operator, run, permit, execute=True)
    assert policy(world) == (EXEMPT, False, 3)
    assert world.births() == ["a"]


def test_a_frozen_operation_changes_no_policy(world: World) -> None:
    world.governed(TABLE, coverage=DEFERRED)
    run = planned(world, REQUIRED)
    permit = world.judged(run)
    api.dot_freeze(world.operator, "dot-birth-transition-apply", "a test")
    with pytest.raises(errors.DotFrozen):
        api.transition_apply(world.operator, run, permit, execute=True)
    assert policy(world) == (DEFERRED, False, 1)


def test_there_is_nothing_to_do_where_the_policy_is_that_already(world: World) -> None:
    world.governed(TABLE)
    with pytest.raises(errors.NothingToDo):
        planned(world, REQUIRED)
    with pytest.raises(errors.BadArgument):
        api.transition_plan(world.operator, "thing", "REQUIRED")
    with pytest.raises(errors.BadArgument):
        api.transition_plan(world.operator, "thing")
    with pytest.raises(errors.UnknownCollection):
        api.transition_plan(world.operator, "nothing", EXEMPT)


# --- what a steward may do alone


def test_registering_changes_the_policy_of_no_known_collection(world: World) -> None:
    world.governed(TABLE)
    for coverage, governed in ((EXEMPT, False), (DEFERRED, False), (REQUIRED, True)):
        with pytest.raises(errors.TransitionRequired) as refusal:
            api.collection_register(world.steward, "thing", "app", "thing", coverage, governed=governed)
        assert refusal.value.hint is not None
        world.operator.execute(refusal.value.hint.encode())
    assert policy(world) == (REQUIRED, False, 1)


def test_the_table_of_a_required_collection_moves_with_its_gateway_alone(world: World) -> None:
    world.governed(TABLE)
    world.table(TABLE, "decoy")
    with pytest.raises(errors.TransitionRequired):
        world.register(table="decoy")
    world.owner.execute("ALTER TABLE app.thing RENAME TO article")
    world.register(table="article")
    assert world.value("SELECT table_name FROM birth.collection_registry") == "article"
    with pytest.raises(errors.SourceClaimed):
        world.register("other", table="article")


def test_a_required_collection_does_not_go_back_to_a_table_that_still_has_its_gateway(world: World) -> None:
    world.governed(TABLE, coverage=DEFERRED)
    world.table(TABLE, "article")
    world.register(table="article", coverage=DEFERRED)
    world.attach()
    world.change_policy(REQUIRED)
    with pytest.raises(errors.TransitionRequired):
        world.register()
    what = "SELECT next_step FROM birth.v_birth_attention WHERE what LIKE 'gateway of thing is on app.thing%%'"
    world.owner.execute(world.value(what).encode())
    world.owner.execute("ALTER TABLE app.article RENAME TO item")
    world.register(table="item")
    assert world.value("SELECT table_name FROM birth.collection_registry") == "item"
    world.owner.execute("DROP TABLE app.item")
    with pytest.raises(errors.TransitionRequired):
        world.register(table="nowhere")


def test_a_table_with_the_gateway_of_a_collection_is_not_registered_under_another_name(world: World) -> None:
    world.governed(TABLE)
    world.owner.execute("ALTER TABLE app.thing RENAME TO article")
    with pytest.raises(errors.SourceClaimed):
        world.register("other", table="article", coverage=EXEMPT)


def test_a_collection_with_births_is_classified_anew_where_every_row_keeps_its_birth(world: World) -> None:
    world.governed("(code text PRIMARY KEY, other text UNIQUE)")
    world.owner.execute("INSERT INTO app.thing VALUES ('a', 'x'), ('b', 'y')")
    with pytest.raises(errors.TransitionRequired) as refusal:
        world.classify("column", column="other")
    assert "2 rows" in str(refusal.value.detail)
    assert world.value("SELECT birth_code_column FROM birth.collection_registry") == "code"
    world.owner.execute("ALTER TABLE app.thing RENAME COLUMN code TO name")
    world.classify("column", column="name")
    world.owner.execute("INSERT INTO app.thing VALUES ('c', 'z')")
    assert world.births() == ["a", "b", "c"]
    world.owner.execute("ALTER TABLE app.thing RENAME COLUMN name TO title")
    with pytest.raises(errors.TransitionRequired):
        world.classify("column", column="other")


def test_an_identity_that_changes_beside_an_open_writer_stays_in_attention_until_every_row_is_found_born(
    world: World,
) -> None:
    what = "SELECT next_step FROM birth.v_birth_attention WHERE what LIKE 'the identity of thing was changed%'"
    world.governed("(code text PRIMARY KEY, other text UNIQUE)")
    world.owner.execute("INSERT INTO app.thing VALUES ('a', 'a')")
    with world.db.connect(APPLICATION, autocommit=False) as writer:
        writer.execute("INSERT INTO app.thing VALUES ('b', 'z')")
        world.classify("column", column="other")
        writer.commit()
    assert world.failed_checks()["rows without a birth"] == ["z"]
    for person in ("alice_steward", "olga_operator"):
        ((step,),) = world.admin.execute(what.encode()).fetchall()
        world.person(person).execute(step.encode())
    assert len(world.admin.execute(what.encode()).fetchall()) == 1
    world.owner.execute("UPDATE app.thing SET other = 'b' WHERE other = 'z'")
    api.census_record(world.operator, "thing")
    assert world.admin.execute(what.encode()).fetchall() == []


def test_a_collection_without_births_is_classified_as_before(world: World) -> None:
    world.governed("(code text PRIMARY KEY, other text UNIQUE)")
    world.classify("column", column="other")


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({}, "birth_transition_pkey"),
        ({"run_id": "00000000-0000-0000-0000-000000000000"}, "birth_transition_run_id_fkey"),
        ({"run_id": None, "collection_name": "nothing"}, "birth_transition_collection_name_fkey"),
        ({"to_status": REQUIRED}, "birth_transition_change"),
        ({"direction": "tightening"}, "birth_transition_direction"),
        ({"undone_at": "2000-01-01"}, "birth_transition_undone"),
    ],
)
def test_the_record_of_a_change_is_one_that_a_run_can_have_written(
    world: World, change: dict[str, str | None], constraint: str
) -> None:
    world.governed(TABLE)
    run = world.change_policy(EXEMPT)
    if "run_id" in change:
        other = change["run_id"] or str(planned(world, DEFERRED))
        change = change | {"run_id": other}
    with pytest.raises(psycopg.errors.IntegrityError) as refusal:
        world.admin.execute(
            "INSERT INTO birth.birth_transition SELECT (jsonb_populate_record(t, %s)).*"
            " FROM birth.birth_transition t WHERE t.run_id = %s",
            (Jsonb(change), run),
        )
    assert refusal.value.diag.constraint_name == constraint


# --- guards, attention, validation


def test_an_update_by_hand_fails_the_guards_and_a_transition_none(world: World) -> None:
    world.governed(TABLE)
    guards = ("v_birth_stage1_no_worse_proof", "v_birth_stage2_no_worse_guard", "v_birth_stage4_no_worse_guard")
    world.admin.execute("UPDATE birth.birth_stage_anchor SET value = '1' WHERE subject = 'coverage.BIRTH_REQUIRED'")
    world.admin.execute("UPDATE birth.birth_stage_anchor SET recorded_at = clock_timestamp()")
    assert [failing(world, guard) for guard in guards] == [[], [], []]
    run = world.change_policy(EXEMPT)
    assert [failing(world, guard) for guard in guards] == [[], [], []]
    undone(world, run)
    assert [failing(world, guard) for guard in guards] == [[], [], []]
    world.change_policy(EXEMPT)
    world.admin.execute("UPDATE birth.collection_registry SET coverage_status = 'BIRTH_EXEMPT_FORGED'")
    assert [bool(failing(world, guard)) for guard in guards] == [True, True, True]


def test_a_transition_without_a_receipt_fails_the_guard(world: World) -> None:
    world.governed(TABLE)
    world.change_policy(EXEMPT)
    world.admin.execute("DELETE FROM birth.birth_receipt")
    assert failing(world, "v_birth_stage4_no_worse_guard") == ["transitions without a receipt"]


BRAKES = "SELECT what FROM birth.v_birth_attention WHERE what LIKE '%was set back to%' ORDER BY what"


def braked(world: World) -> list[str]:
    return [row[0] for row in world.admin.execute(BRAKES)]


def test_a_gateway_that_was_set_back_stays_in_attention_until_it_enforces_again(world: World) -> None:
    what = ["thing was set back to observe by alice_steward: inserts fail"]
    world.governed(TABLE, mode="enforce")
    assert braked(world) == []
    api.gateway_mode(world.steward, "thing", "observe", "inserts fail")
    assert braked(world) == what
    # Neither the same once more, nor by another steward, takes it out of sight.
    api.gateway_mode(world.person("stella_steward"), "thing", "observe", "as it is")
    assert braked(world) == what
    step = world.value("SELECT next_step FROM birth.v_birth_attention WHERE what = %s", what[0])
    world.steward.execute(step.replace("...", "mended").encode())
    assert braked(world) == []


def test_a_gateway_that_was_detached_and_only_observes_now_stays_in_attention(world: World) -> None:
    what = ["thing was set back to observe by alice_steward: inserts fail"]
    world.governed(TABLE, mode="enforce")
    statement = api.gateway_detach(world.steward, "thing", "inserts fail")
    # The table's owner has not dropped the trigger yet.
    assert braked(world) == what
    world.owner.execute(statement.encode())
    missing = "SELECT what FROM birth.v_birth_attention"
    assert world.value(missing) == "thing is required and has no enabled gateway"
    assert braked(world) == []
    world.attach(mode="observe")
    assert braked(world) == what
    api.gateway_mode(world.steward, "thing", "enforce", "mended")
    assert braked(world) == []


@pytest.mark.parametrize("modes", [["observe"], ["observe", "observe"], [None], [None, "observe"]])
def test_a_scope_that_was_set_back_stays_in_attention_until_it_enforces_again(
    world: World, modes: list[api.Mode | None]
) -> None:
    api.gate_scope(world.steward, "app", "observe", "to begin with")
    assert braked(world) == []
    api.gate_scope(world.steward, "app", "enforce", "a test")
    for number, mode in enumerate(modes):
        api.gate_scope(world.steward, "app", mode, f"reason {number}")
    assert braked(world) == [f"schema app was set back to {modes[0] or 'no gate'} by alice_steward: reason 0"]
    api.gate_scope(world.steward, "app", "enforce", "a test")
    assert braked(world) == []


def test_a_policy_is_validated_by_what_found_every_row_born_under_it(world: World) -> None:

    def state() -> object:
        return world.admin.execute("SELECT validated, holds FROM birth.v_birth_policy").fetchone()

    world.table(TABLE)
    world.insert(["a"])
    world.register()
    world.classify("column", column="code")
    world.attach()
    assert state() == (False, True)
    api.census_record(world.operator, "thing")
    assert state() == (False, True)
    world.backfill()
    assert state() == (True, True)
    api.gateway_mode(world.steward, "thing", "enforce", "a test")
    assert state() == (False, False)
    api.census_record(world.operator, "thing")
    assert state() == (False, False)
    api.gateway_fence(world.steward)
    assert state() == (False, True)
    world.operator.execute(world.value("SELECT next_step FROM birth.v_birth_policy").encode())
    assert state() == (True, True)


def test_a_census_is_put_on_record_by_who_sends_it(proven: World) -> None:
    hidden = "DO $$ BEGIN EXECUTE 'SELECT birth.fn_birth_' || 'census_record(''thing'')'; END $$"
    with pytest.raises(psycopg.Error) as refusal:
        proven.operator.execute(hidden.encode())
    assert refusal.value.sqlstate == errors.RoutineNotNamed.sqlstate


def validated(world: World) -> bool:
    return bool(world.value("SELECT validated FROM birth.v_birth_policy"))


@pytest.fixture
def proven(world: World) -> World:
    """A validated collection of one row."""
    world.governed(TABLE)
    world.insert(["a"])
    api.census_record(world.operator, "thing")
    assert validated(world)
    return world


def test_what_was_validated_is_not_while_its_gateway_is_away_nor_after_it(proven: World) -> None:
    proven.owner.execute(api.gateway_detach(proven.steward, "thing", "a test").encode())
    assert not validated(proven)
    proven.insert(["b"])
    proven.steward.execute(proven.value("SELECT next_step FROM birth.v_birth_policy").encode())
    assert not validated(proven)
    api.census_record(proven.operator, "thing")
    assert not validated(proven)
    proven.backfill()
    assert validated(proven)


def test_what_was_validated_is_not_when_its_table_was_made_anew(proven: World) -> None:
    proven.owner.execute("DROP TABLE app.thing")
    proven.table(TABLE)
    proven.insert(["b"])
    proven.attach()
    assert not validated(proven)


def test_what_was_validated_is_not_while_its_gateway_is_disabled_on_a_partition(world: World) -> None:
    world.table("(code text PRIMARY KEY) PARTITION BY RANGE (code)")
    world.table("PARTITION OF app.thing DEFAULT", "part")
    world.register()
    world.classify("column", column="code")
    world.attach()
    api.census_record(world.operator, "thing")
    assert validated(world)
    world.owner.execute("ALTER TABLE app.part DISABLE TRIGGER birth_gateway")
    assert not validated(world)


def test_what_was_validated_is_not_once_a_compensation_takes_births_away(world: World) -> None:
    world.table(TABLE)
    world.insert(["a", "b"])
    world.register()
    world.classify("column", column="code")
    world.attach()
    run = world.backfill()
    assert validated(world)
    permit = world.judged(run, purpose="COMPENSATE", rows=2)
    with world.db.connect("olga_operator") as operator:
        step: dict[str, object] = {"p_run_id": run, "p_permit_id": permit, "p_purpose": "COMPENSATE", "p_batch": 1}
        none = dict.fromkeys(("p_collection", "p_expected_delta", "p_max_rows", "p_dot_origin"))
        operator.execute(driven("fn_birth_run_begin", none | step, "compensate"), none | step)
        assert not validated(world)
        pid = operator.info.backend_pid
    while world.value("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = %s)", pid):
        pass
    api.compensate(world.operator, run, permit, execute=True)
    assert world.births() == []
    assert not validated(world)
    api.census_record(world.operator, "thing")
    assert not validated(world)
    world.backfill()
    assert validated(world)


def test_an_admission_that_rested_on_a_weaker_policy_ends_with_it(world: World) -> None:
    api.gate_scope(world.steward, "app", "enforce", "a test")
    world.governed(TABLE, coverage=EXEMPT)
    api.gate_admit(world.person("stella_steward"), "thing", "a test")
    world.change_policy(REQUIRED)
    assert world.value("SELECT state FROM birth.v_birth_gate") == "BREACHED"
    world.insert(["a"])
    api.gate_admit(world.person("stella_steward"), "thing", "a test")
    assert world.value("SELECT admitted_how FROM birth.collection_registry") == "PROVEN"


def test_an_exemption_of_a_closed_table_opens_nothing(world: World) -> None:
    api.gate_scope(world.steward, "app", "enforce", "a test")
    world.governed(TABLE)
    world.change_policy(EXEMPT)
    with pytest.raises(psycopg.Error) as refusal:
        world.insert(["a"])
    assert refusal.value.sqlstate == "NB508"


@contextmanager
def waiting_for(world: World, lock: str, meanwhile: str) -> Iterator[None]:
    """Hold the row of the collection until a CALL waits for it; then change something."""
    with world.db.connect(autocommit=False) as holder:
        holder.execute(f"SELECT FROM birth.collection_registry WHERE collection_name = 'thing' FOR {lock}".encode())

        def change() -> None:
            wait_until_blocked(world.admin, world.operator)
            holder.execute(meanwhile.encode())
            holder.commit()

        thread = threading.Thread(target=change)
        thread.start()
        yield
        thread.join()


@pytest.mark.parametrize(
    ("lock", "meanwhile", "refusal"),
    [
        # As a steward holds it: the CALL waits before its checks.
        ("NO KEY UPDATE", "UPDATE birth.collection_registry SET policy_version = policy_version + 1",
         errors.VerdictMissing),
        # As a batch of births holds it: the CALL has passed its checks.
        ("SHARE", "ALTER TABLE app.thing DISABLE TRIGGER birth_gateway", errors.TransitionBlocked),
    ],
)  # fmt: skip
def test_a_change_is_of_what_is_there_once_nobody_else_has_the_row_of_the_collection(
    world: World, lock: str, meanwhile: str, refusal: type[errors.BirthError]
) -> None:
    world.governed(TABLE, coverage=DEFERRED)
    run = planned(world, REQUIRED)
    permit = world.judged(run)
    with waiting_for(world, lock, meanwhile), pytest.raises(refusal):
        api.transition_apply(world.operator, run, permit, execute=True)
    assert policy(world)[0] == DEFERRED


def test_a_table_that_changes_while_a_plan_waits_for_it_is_judged_as_it_is_then(world: World) -> None:
    world.governed("(code text UNIQUE)", coverage=DEFERRED)
    found: list[Any] = []
    with world.db.connect(APPLICATION, autocommit=False) as owner:
        owner.execute("ALTER TABLE app.thing DROP CONSTRAINT thing_code_key")
        owner.execute("INSERT INTO app.thing VALUES ('a'), ('a')")

        def plan() -> None:
            found.extend(api.transition_plan(world.operator, "thing", REQUIRED)["blockers"])

        operator = world.operator
        thread = threading.Thread(target=plan)
        thread.start()
        wait_until_blocked(world.admin, operator)
        owner.commit()
        thread.join()
    assert "BLOCKED_NO_UNIQUE_KEY" in found[0]["detail"]
