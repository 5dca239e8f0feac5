"""No false done, in three layers, each of which stops the cheat alone: binding, measurement, CHECK."""

import pytest
from helpers import LYING_CORE, OPERATOR, REVIEWER, Run, Scene, raised, refused
from psycopg.sql import SQL

from birthdb import errors

# The guards that these tests take out, as they stand in the routines.
BINDING = (
    "p_now.expected_delta = v_target AND (v_first OR p_now.max_rows = p_run.max_rows)",
    "true",
)
STALE = ("p_now.planned_fingerprint = p_run.planned_fingerprint", "true")
NOTHING = ("(p_now.planned_rows = 0) IS NOT TRUE", "true")
MEASURED_IS_COUNTED = ("was counted',\n     v_held = p_run.written_fingerprint", "was counted', true")
WRITTEN_IS_TARGET = ("v_held = p_run.target_fingerprint", "true")

# The cheats.
READS_NO_ROW = ("t WHERE %5$s AND %6$s ORDER", "t WHERE false AND %5$s AND %6$s ORDER")


def ready(scene: Scene, run: Run) -> Run:
    """Have the run reviewed and permitted again, because the contract was changed."""
    scene.review(run.run_id, by=REVIEWER)
    return run


# --- layer 1: the expected binding


@pytest.mark.parametrize(("delta", "bound"), [(19, 20), (21, 21), (1, 20), (20, 10), (10, 20)])
def test_a_run_with_a_wrong_expected_delta_does_not_start(scene: Scene, run: Run, delta: int, bound: int) -> None:
    scene.revoke(run.permit_id)
    wide = run.under(scene.permit(run, 100))
    with scene.unchanged(), refused(errors.DeltaMismatch):
        scene.apply(wide, p_expected_delta=delta, p_max_rows=bound)


def test_a_run_with_an_expected_delta_of_0_does_not_start(scene: Scene, run: Run) -> None:
    with scene.unchanged(), refused(errors.BadArgument):
        scene.apply(run, p_expected_delta=0)


def test_a_run_without_missing_rows_does_not_start_and_is_not_done(scene: Scene, run: Run) -> None:
    scene.born("item", *[f"item-{number}" for number in range(1, 21)])
    with scene.unchanged(), refused(errors.PlanStale):
        scene.apply(run)
    assert scene.status(run) == ("planned", None)
    told: list[str | None] = []
    scene.session(OPERATOR).add_notice_handler(lambda notice: told.append(notice.message_detail))
    scene.ask(OPERATOR, "fn_dot_birth_qt001_apply", **run.arguments(p_batch_size=10))
    assert told == ["20 planned, 0 left now", "collection item"]


def test_a_run_with_a_changed_set_of_equal_size_does_not_start(scene: Scene, run: Run) -> None:
    scene.execute("UPDATE item SET id = 99 WHERE id = 7")
    with scene.unchanged(), refused(errors.PlanStale):
        scene.apply(run)


def test_without_the_delta_check_the_ledger_constraint_rejects_too_high_a_delta(scene: Scene, item: str) -> None:
    scene.replace_routine("fn_birth_checks", BINDING)
    run = scene.permitted(item, 30)
    with scene.unchanged(), raised("23514") as caught:
        scene.apply(run, p_expected_delta=30)
    assert caught.value.diag.constraint_name == "bbl2_counts"


def test_without_the_delta_check_the_final_count_rejects_a_shrunken_set(scene: Scene, item: str) -> None:
    scene.replace_routine("fn_birth_checks", BINDING, STALE)
    run = scene.permitted(item)
    scene.execute("DELETE FROM item WHERE id = 20")
    with refused(errors.SourceChanged):
        scene.apply(run)
    assert scene.status(run) == ("stopped", "source_changed")


def test_without_the_delta_check_the_final_count_rejects_an_empty_run(scene: Scene, item: str) -> None:
    scene.replace_routine("fn_birth_checks", BINDING, STALE, NOTHING)
    run = scene.permitted(item)
    scene.born(item, *[f"item-{number}" for number in range(1, 21)])
    with refused(errors.SourceChanged):
        scene.apply(run)
    assert scene.status(run) == ("stopped", "source_changed")
    assert scene.codes(run) == []


# --- layer 2: the measurement at the end, from birth_registry itself


def test_a_writer_that_skips_all_rows_is_not_done(scene: Scene, item: str) -> None:
    scene.replace_routine("fn_birth_apply_slice", READS_NO_ROW)
    run = scene.permitted(item)
    with refused(errors.SourceChanged):
        scene.apply(run)
    assert scene.status(run) == ("stopped", "source_changed")


def test_a_writer_that_reports_births_it_did_not_write_is_not_done(scene: Scene, item: str) -> None:
    scene.replace_routine("fn_birth_register", *LYING_CORE)
    run = scene.permitted(item)
    with refused(errors.FalseDone):
        scene.apply(run)
    assert scene.status(run) == ("failed", "false_done")
    assert scene.births() == 0
    assert {row["what"] for row in scene.disagreements()} == {"births and ledger: rows", "births and receipts: set"}
    scene.forged = True


def test_a_writer_that_misreports_existing_births_is_rolled_back(scene: Scene, item: str) -> None:
    scene.born(item, "item-1")
    scene.replace_routine("fn_birth_register", *LYING_CORE)
    run = scene.permitted(item)
    with refused(errors.FalseDone):
        scene.apply(run)
    assert scene.status(run) == ("failed", "false_done")
    assert scene.births() == 1
    assert scene.disagreements() == []


def test_a_direct_call_of_a_misreporting_writer_is_rolled_back(scene: Scene, item: str) -> None:
    scene.replace_routine("fn_birth_register", *LYING_CORE)
    run = scene.permitted(item)
    with scene.unchanged(), refused(errors.FalseDone):
        scene.write(run)


def test_births_deleted_during_the_run_fail_it(scene: Scene, item: str) -> None:
    run = scene.permitted(item)
    driver = scene.start(run)
    scene.execute("DELETE FROM birth.birth_registry WHERE entity_code = 'item-3'")
    scene.go_on(run)
    with refused(errors.FalseDone):
        driver.end()
    assert scene.status(run) == ("failed", "false_done")
    scene.forged = True


def test_births_replaced_by_as_many_others_fail_the_run(scene: Scene, item: str) -> None:
    run = scene.permitted(item)
    driver = scene.start(run)
    scene.execute("UPDATE birth.birth_registry SET entity_code = 'item-x' WHERE entity_code = 'item-3'")
    scene.go_on(run)
    with refused(errors.FalseDone):
        driver.end()
    assert scene.status(run) == ("failed", "false_done")
    scene.forged = True


def test_an_alert_during_the_run_prevents_done(scene: Scene, item: str) -> None:
    run = scene.permitted(item)
    driver = scene.start(run)
    columns = scene.value(
        "SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute"
        " WHERE attrelid = 'birth.trigger_guard_alerts'::regclass"
        " AND attnum > 0 AND attnotnull AND NOT atthasdef AND attidentity = ''"
    )
    marks = ", ".join(["'a test'"] * len(columns.split(", ")))
    scene.execute(f"INSERT INTO birth.trigger_guard_alerts ({columns}) VALUES ({marks})".encode())
    scene.go_on(run)
    with refused(errors.AlertsGrew):
        driver.end()
    assert scene.status(run) == ("failed", "alerts_grew")


def test_a_verdict_after_the_alert_allows_done(scene: Scene, item: str) -> None:
    run = scene.permitted(item)
    driver = scene.start(run)
    scene.execute("INSERT INTO birth.trigger_guard_alerts (command, object) VALUES ('ALTER TABLE', 'a test')")
    scene.go_on(run)
    with refused(errors.AlertsGrew):
        driver.end()
    scene.review(run.run_id)
    scene.apply(run)
    assert scene.status(run) == ("done", None)


def test_a_compensation_verdict_does_not_clear_an_alert(scene: Scene, item: str) -> None:
    run = scene.permitted(item)
    driver = scene.start(run)
    scene.execute("INSERT INTO birth.trigger_guard_alerts (command, object) VALUES ('ALTER TABLE', 'a test')")
    scene.review(run.run_id, p_purpose="COMPENSATE")
    scene.go_on(run)
    with refused(errors.AlertsGrew):
        driver.end()


def test_an_alert_during_a_waiting_verdict_is_not_cleared(scene: Scene, item: str) -> None:
    run = scene.permitted(item)
    seen = "SELECT alerts_seen FROM birth.birth_review WHERE run_id = %s ORDER BY review_id DESC LIMIT 1"
    with scene.db.connect().transaction() as batch:
        batch.connection.execute("SELECT FROM birth.birth_backfill_ledger_v2 FOR UPDATE")
        verdict = scene.send(
            scene.session(REVIEWER),
            SQL("SELECT birth.fn_birth_review_record({}, 'SAFE', 'read and counted')").format(run.run_id),
        )
        scene.wait_for(verdict, batch.connection.info.backend_pid)
        scene.execute("INSERT INTO birth.trigger_guard_alerts (command, object) VALUES ('ALTER TABLE', 'a test')")
    verdict.end()
    assert scene.value(seen, (run.run_id,)) == 0


# --- layer 3: the CHECK, when everything else is gone


def test_without_the_final_count_the_ledger_constraint_rejects_an_idle_writer(scene: Scene, item: str) -> None:
    scene.replace_routine("fn_birth_apply_slice", READS_NO_ROW)
    scene.replace_routine("fn_birth_checks", MEASURED_IS_COUNTED, WRITTEN_IS_TARGET)
    run = scene.permitted(item)
    with scene.unchanged(), raised("23514") as caught:
        scene.write(run)
    assert caught.value.diag.constraint_name == "bbl2_no_false_done"
    with raised("23514"):
        scene.apply(run)
    assert scene.status(run) == ("failed", "23514")


def test_without_all_three_layers_a_false_done_succeeds(scene: Scene, item: str) -> None:
    scene.replace_routine("fn_birth_apply_slice", READS_NO_ROW)
    scene.replace_routine("fn_birth_checks", MEASURED_IS_COUNTED, WRITTEN_IS_TARGET)
    scene.execute("ALTER TABLE birth.birth_backfill_ledger_v2 DROP CONSTRAINT bbl2_no_false_done")
    scene.record_contract()
    run = scene.permitted(item)
    scene.apply(run)
    assert scene.status(run) == ("done", None)
    assert scene.births() == 0
    scene.forged = True


#: What a superuser would have to set to call a planned run done.
WHOLE = {
    "status": "'done'",
    "dry_run": "false",
    "actual_inserted": "planned_rows",
    "written_fingerprint": "planned_fingerprint",
    "target_fingerprint": "planned_fingerprint",
    "permit_id": "1",
    "executed_by": "'olga_operator'",
    "finished_at": "now()",
}


def forge(scene: Scene, run: Run, **changed: str) -> None:
    assignments = ", ".join(f"{column} = {value}" for column, value in (WHOLE | changed).items())
    scene.execute(f"UPDATE birth.birth_backfill_ledger_v2 SET {assignments} WHERE run_id = %s".encode(), (run.run_id,))


@pytest.mark.parametrize(
    ("changed", "constraint"),
    [
        ({"actual_inserted": "planned_rows - 1", "written_fingerprint": "ARRAY[19, 1, 1]"}, "bbl2_no_false_done"),
        ({"written_fingerprint": "ARRAY[20, 1, 1]"}, "bbl2_no_false_done"),
        ({"target_fingerprint": "ARRAY[20, 1, 1]"}, "bbl2_no_false_done"),
        ({"target_fingerprint": "ARRAY[19, 1, 1]", "written_fingerprint": "ARRAY[20, 1, 1]"}, "bbl2_no_false_done"),
        ({"expected_delta": "19"}, "bbl2_counts"),
        ({"permit_id": "NULL"}, "bbl2_no_false_done"),
        ({"executed_by": "NULL"}, "bbl2_no_false_done"),
        ({"finished_at": "NULL"}, "bbl2_no_false_done"),
        (
            {
                "expected_delta": "0",
                "actual_inserted": "0",
                "written_fingerprint": "'{0,0,0}'",
                "target_fingerprint": "'{0,0,0}'",
            },
            "bbl2_no_false_done",
        ),
        ({"actual_inserted": "0", "written_fingerprint": "'{0,0,0}'"}, "bbl2_no_false_done"),
        ({"written_fingerprint": "'{20,NULL,NULL}'"}, "bbl2_fingerprints"),
        ({"written_fingerprint": "'{}'"}, "bbl2_fingerprints"),
        ({"target_fingerprint": "'{NULL,NULL,NULL}'"}, "bbl2_fingerprints"),
        ({"written_fingerprint": "ARRAY[1, 1, 1]"}, "bbl2_no_false_done"),
        ({"dry_run": "true"}, "bbl2_executed"),
    ],
)
def test_a_superuser_cannot_mark_an_incomplete_run_done(
    scene: Scene, run: Run, changed: dict[str, str], constraint: str
) -> None:
    with scene.unchanged(), raised("23514") as caught:
        forge(scene, run, **changed)
    assert caught.value.diag.constraint_name == constraint


@pytest.mark.parametrize(
    "column",
    [
        "status",
        "purpose",
        "dry_run",
        "planned_rows",
        "expected_delta",
        "actual_inserted",
        "planned_fingerprint",
        "target_fingerprint",
        "written_fingerprint",
    ],
)
def test_columns_of_the_done_proof_are_not_null(scene: Scene, run: Run, column: str) -> None:
    with scene.unchanged(), raised("23502"):
        forge(scene, run, **{column: "NULL"})


@pytest.mark.parametrize(
    ("changed", "constraint"),
    [
        ({"status": "'compensated'", "compensating_since": "now()"}, "bbl2_no_false_compensation"),
        ({"status": "'compensated'", "compensated_rows": "20"}, "bbl2_no_false_compensation"),
        ({"status": "'done'", "compensating_since": "now()"}, "bbl2_one_way"),
        ({"status": "'stopped'"}, "bbl2_reason"),
        ({"status": "'stopped'", "stop_reason": "'x'", "written_fingerprint": "ARRAY[1, 1, 1]"}, "bbl2_written"),
        ({"status": "'finished'"}, "bbl2_status"),
        ({"purpose": "'UNDO'"}, "bbl2_purpose"),
    ],
)
def test_a_superuser_cannot_write_a_state_that_does_not_exist(
    scene: Scene, run: Run, changed: dict[str, str], constraint: str
) -> None:
    with scene.unchanged(), raised("23514") as caught:
        forge(scene, run, **changed)
    assert caught.value.diag.constraint_name == constraint


def test_a_source_that_could_not_be_counted_at_the_end_is_no_proof(scene: Scene, item: str) -> None:
    run = scene.permitted(item)
    scene.apply(run)
    # The owner revoked, the counting saw nothing, and the owner granted again before the checks were asked.
    uncounted = 'jsonb_populate_record(l, \'{"source_rows": null, "collisions": null, "duplicates": null}\')'
    asked = (
        "SELECT c.check_name FROM birth.birth_backfill_ledger_v2 l,"
        " LATERAL birth.fn_birth_checks('end', l, 'APPLY', {}) c WHERE NOT c.pass"
    )
    assert scene.rows(asked.format("l").encode()) == []
    assert scene.rows(asked.format(uncounted).encode()) == [{"check_name": "the source can be read"}]
