"""Apply: the driver in committed batches, the writer in one transaction, over tables and keys of all kinds."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from uuid import UUID

import psycopg
import pytest
from helpers import OPERATOR, STEWARD, Run, Scene, raised, refused
from psycopg.sql import SQL, Identifier
from support import RELEASER, downgrade

from birthdb import errors


def test_a_run_gives_every_row_of_the_plan_its_birth(scene: Scene, run: Run) -> None:
    scene.apply(run)
    assert scene.codes(run) == sorted(f"item-{number}" for number in range(1, 21))
    assert scene.value("SELECT DISTINCT dot_origin FROM birth.birth_registry") == "dot-birth-backfill-apply"
    assert scene.examine("item")["expected_delta"] == 0
    census = {check["check"]: check["rows"] for check in scene.ask(OPERATOR, "fn_birth_census", p_collection="item")}
    assert census["rows without a birth"] == census["births without a row or a death"] == 0


def test_a_done_run_records_counts_and_people_in_the_ledger(scene: Scene, run: Run) -> None:
    scene.apply(run, batch=8)
    row = scene.ledger(run)
    assert (row["status"], row["dry_run"], row["stop_reason"], row["holder_pid"]) == ("done", False, None, None)
    assert (row["expected_delta"], row["actual_inserted"], row["visited"], row["skipped"]) == (20, 20, 20, 0)
    assert (row["executed_by"], row["permit_id"], row["max_rows"]) == (OPERATOR, run.permit_id, 20)
    assert row["written_fingerprint"] == row["target_fingerprint"] == row["planned_fingerprint"]
    assert row["resume_marker"] == row["target_upper"] == ["20"]
    assert row["started_at"] <= row["last_batch_at"] <= row["finished_at"]


def test_attempt_and_outcome_are_recorded_as_acts(scene: Scene, run: Run) -> None:
    scene.apply(run)
    acts = scene.rows("SELECT act, actor, epoch, detail FROM birth.birth_act WHERE act IN ('attempt', 'outcome')")
    assert [(act["act"], act["actor"], act["epoch"]) for act in acts] == [
        ("attempt", OPERATOR, 1),
        ("outcome", OPERATOR, 1),
    ]
    rule = {"rule_version": 2, "holds": False, "unborn": 0}  # classified, and no fence recorded since
    assert acts[1]["detail"].pop("since") is not None
    assert acts[1]["detail"] == {"status": "done", "rerun_delta": 0, "orphans": 0} | rule


def test_births_of_a_run_have_the_requested_dot_origin(scene: Scene, run: Run) -> None:
    scene.apply(run, p_dot_origin="ticket 42")
    assert scene.value("SELECT DISTINCT dot_origin FROM birth.birth_registry") == "ticket 42"


def test_every_batch_is_committed_and_reported_by_a_notice(scene: Scene, run: Run) -> None:
    notices = scene.apply(run, batch=8)
    assert notices == [
        f"run {run.run_id}: 8 of 20 written, running",
        f"run {run.run_id}: 16 of 20 written, running",
        f"run {run.run_id}: 20 of 20 written, running",
        f"run {run.run_id}: 20 of 20 written, done",
    ]
    assert [receipt["written"] for receipt in scene.receipts(run)] == [8, 8, 4]
    assert scene.value("SELECT count(DISTINCT xmin::text) FROM birth.birth_registry") == 3


def test_the_last_batch_is_committed_before_the_run_is_proven(scene: Scene, run: Run) -> None:
    driver = scene.start(run, batch=20)
    assert scene.status(run) == ("running", None)
    assert scene.births() == 20
    assert scene.ledger(run)["written_fingerprint"] == scene.ledger(run)["target_fingerprint"]
    scene.execute("SELECT pg_terminate_backend(%s, 10000)", (driver.pid,))
    scene.go_on(run)
    assert scene.apply(run) == [f"run {run.run_id}: 20 of 20 written, done"]
    assert scene.status(run) == ("done", None)
    assert len(scene.receipts(run)) == 1


def test_a_batch_is_visible_to_others_when_its_notice_arrives(scene: Scene, run: Run) -> None:
    driver = scene.start(run, batch=8)
    assert scene.births() == 8
    assert scene.ledger(run)["resume_marker"] == ["8"]
    scene.go_on(run)
    driver.end()


def test_receipts_cover_the_key_range_without_a_gap(scene: Scene, run: Run) -> None:
    scene.apply(run, batch=6)
    ranges = [(receipt["key_after"], receipt["key_to"]) for receipt in scene.receipts(run)]
    assert ranges == [(None, ["6"]), (["6"], ["12"]), (["12"], ["18"]), (["18"], ["20"])]


def test_the_chain_of_receipts_can_be_verified_outside_the_database(scene: Scene, run: Run) -> None:
    scene.apply(run, batch=6)
    before = ""
    for receipt in scene.rows(
        "SELECT jsonb_build_array(run_id, batch_no, purpose, epoch, permit_id, key_after, key_to, visited, written,"
        " skipped, fingerprint, extract(epoch FROM born_at)::numeric, written_by, dot_origin)::text AS told, sha256"
        " FROM birth.birth_receipt ORDER BY batch_no"
    ):
        before = hashlib.sha256((before + receipt["told"]).encode()).hexdigest()
        assert receipt["sha256"] == before


@pytest.mark.parametrize(
    "change",
    [
        "written = 5, fingerprint = '{5,1,1}'",
        "visited = 7",
        "key_to = '{9}'",
        "written_by = 'x'",
        "dot_origin = 'x'",
    ],
)
def test_a_changed_receipt_breaks_the_hash_chain(scene: Scene, run: Run, change: str) -> None:
    scene.apply(run, batch=6)
    scene.execute(f"UPDATE birth.birth_receipt SET {change} WHERE batch_no = 2".encode())
    assert "chain of receipts" in [found["what"] for found in scene.disagreements()]
    scene.forged = True


def test_a_deleted_receipt_breaks_the_hash_chain(scene: Scene, run: Run) -> None:
    scene.apply(run, batch=6)
    scene.execute("DELETE FROM birth.birth_receipt WHERE batch_no = 2")
    assert "chain of receipts" in [found["what"] for found in scene.disagreements()]
    scene.forged = True


@pytest.mark.parametrize("batch", [1, 7, 20, 21, 2**31 - 1])
def test_the_batch_size_changes_nothing_but_the_number_of_batches(scene: Scene, run: Run, batch: int) -> None:
    notices = scene.apply(run, batch=batch)
    assert len(notices) == len(scene.receipts(run)) + 1 == -(-20 // batch) + 1
    assert len(scene.codes(run)) == 20
    assert scene.status(run) == ("done", None)


def test_a_run_in_uneven_batches_is_complete(scene: Scene) -> None:
    run = scene.permitted(scene.collection("many", 3000))
    scene.apply(run, batch=701)
    assert len(scene.codes(run)) == 3000
    assert len(scene.receipts(run)) == 5


def test_a_batch_larger_than_a_chunk_is_one_batch(scene: Scene) -> None:
    run = scene.permitted(scene.collection("many", 10050))
    scene.apply(run, batch=20000)
    assert [receipt["written"] for receipt in scene.receipts(run)] == [10050]


# --- execute is off unless said


def test_without_execute_the_driver_checks_everything_and_writes_nothing(scene: Scene, run: Run) -> None:
    with scene.unchanged():
        (notice,) = scene.apply(run, p_execute=False)
    assert "every check passes, 20 births would be written" in notice


def test_p_execute_defaults_to_false_and_null_does_not_execute(scene: Scene, run: Run) -> None:
    session = scene.session(OPERATOR)
    with scene.unchanged():
        session.execute(
            "CALL birth.sp_dot_birth_qt001_apply(%s, %s, %s, %s, %s)",
            (run.collection, run.run_id, run.permit_id, run.delta, run.max_rows),
        )
        scene.apply(run, p_execute=None)


# --- how it may be called


def test_inside_a_transaction_block_the_driver_refuses_before_doing_anything(scene: Scene, run: Run) -> None:
    with scene.unchanged(), raised("2D000"), scene.session(OPERATOR).transaction():
        scene.apply(run)


@pytest.mark.parametrize("timeout", ["statement_timeout", "transaction_timeout"])
def test_under_a_timeout_the_driver_refuses_before_doing_anything(scene: Scene, run: Run, timeout: str) -> None:
    if timeout == "transaction_timeout" and scene.admin.info.server_version < 170000:
        pytest.skip("transaction_timeout came with PostgreSQL 17")
    # Of the database: whoever sets it there has it in every session.
    scene.execute(SQL("ALTER DATABASE {} SET {} = '1h'").format(Identifier(scene.db.name), SQL(timeout)))
    scene.session(OPERATOR).close()
    with scene.unchanged(), refused(errors.TimeoutWouldCut) as refusal:
        scene.apply(run)
    assert refusal.value.diag.message_hint == f"SET {timeout} = 0;  -- then send the CALL again"
    with scene.unchanged(), refused(errors.TimeoutWouldCut):
        scene.apply(run, p_execute=False)


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_executing_needs_read_committed(scene: Scene, run: Run, level: str) -> None:
    scene.session(OPERATOR).execute(f"SET default_transaction_isolation = '{level}'".encode())
    with scene.unchanged(), refused(errors.IsolationLevel):
        scene.apply(run)
    with scene.unchanged(), refused(errors.IsolationLevel):
        scene.write(run)
    assert scene.held_locks() == 0


def test_the_driver_leaves_no_lock_and_no_setting_in_the_session(scene: Scene, run: Run) -> None:
    session = scene.session(OPERATOR)
    session.execute("DO 'BEGIN END'")  # loads PL/pgSQL, whose settings are known from then on
    settings = session.execute("SELECT name, setting FROM pg_settings ORDER BY 1").fetchall()
    scene.apply(run, batch=6)
    assert session.execute("SELECT name, setting FROM pg_settings ORDER BY 1").fetchall() == settings
    assert scene.held_locks() == 0


def test_a_hostile_search_path_does_not_affect_driver_and_writer(scene: Scene, run: Run) -> None:
    scene.execute(
        "CREATE SCHEMA trap; GRANT USAGE ON SCHEMA trap TO PUBLIC;"
        " CREATE FUNCTION trap.format(text, VARIADIC anyarray) RETURNS text LANGUAGE plpgsql"
        " AS $$ BEGIN RAISE 'trapped'; END $$;"
        " CREATE FUNCTION trap.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql"
        " AS $$ BEGIN RAISE 'trapped'; END $$;"
        " CREATE FUNCTION trap.current_setting(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped'; END $$"
    )
    scene.session(OPERATOR).execute("SET search_path = trap, pg_catalog, birth, public")
    scene.apply(run, batch=6)
    assert scene.status(run) == ("done", None)


# --- the writer alone


def test_a_direct_call_does_a_whole_run_in_the_caller_s_transaction(scene: Scene, run: Run) -> None:
    row = scene.write(run, batch=20)
    assert (row["status"], row["expected_delta"], row["actual_inserted"]) == ("done", 20, 20)
    assert (row["run_id"], row["skipped"], row["blocked"], row["resume_marker"]) == (run.run_id, 0, 0, ["20"])
    assert scene.status(run) == ("done", None)
    assert len(scene.receipts(run)) == 1
    assert scene.permit_row(run.permit_id)["status"] == "CONSUMED"


def test_a_rolled_back_direct_call_leaves_no_data_and_no_lock(scene: Scene, run: Run) -> None:
    session = scene.session(OPERATOR)
    with scene.unchanged(), session.transaction(force_rollback=True):
        assert scene.write(run)["status"] == "done"
    assert scene.held_locks() == 0
    scene.apply(run)
    assert scene.status(run) == ("done", None)


def test_a_direct_call_with_too_small_a_batch_is_rolled_back(scene: Scene, run: Run) -> None:
    with scene.unchanged(), refused(errors.DriverRequired):
        scene.write(run, batch=19)


def test_a_direct_call_for_a_run_with_a_committed_batch_is_refused(scene: Scene, run: Run) -> None:
    scene.stopped_after_a_batch(run)
    with scene.unchanged(), refused(errors.DriverRequired):
        scene.write(run)


def test_a_direct_call_records_nothing_when_it_is_refused(scene: Scene, run: Run) -> None:
    scene.execute("DELETE FROM item WHERE id = 20")
    with scene.unchanged(), refused(errors.PlanStale):
        scene.write(run)
    assert scene.status(run) == ("planned", None)


def test_internal_steps_of_the_driver_cannot_be_called(scene: Scene, run: Run) -> None:
    with scene.unchanged(), refused(errors.RoutineNotNamed):
        scene.ask(
            OPERATOR,
            "fn_birth_run_begin",
            **run.arguments(p_batch=10, p_dot_origin="x"),
        )
    with scene.unchanged(), refused(errors.RoutineNotNamed):
        scene.ask(OPERATOR, "fn_birth_run_leave", p_run_id=run.run_id)
    for routine in (
        "fn_birth_run_batch",
        "fn_birth_apply_write",
        "fn_birth_compensate_write",
        "fn_birth_run_outcome",
        "fn_birth_run_finish",
        "fn_birth_plan",
    ):
        assert not scene.value(
            "SELECT bool_or(has_function_privilege(r.rolname, p.oid, 'EXECUTE')) FROM pg_proc p, pg_roles r"
            " WHERE p.proname = %s AND r.rolname ~ '^birth_' AND r.rolname <> 'birth_definer'",
            (routine,),
        )


# --- less than everything


def test_a_bound_smaller_than_the_delta_writes_the_first_rows_in_the_order_of_the_key(scene: Scene, item: str) -> None:
    run = scene.permitted(item, 12)
    assert run.delta == 12
    scene.apply(run, batch=5)
    assert scene.status(run) == ("done", None)
    assert scene.codes(run) == sorted(f"item-{number}" for number in range(1, 13))
    row = scene.ledger(run)
    assert (row["expected_delta"], row["planned_rows"], row["target_upper"]) == (12, 20, ["12"])
    assert row["target_fingerprint"] != row["planned_fingerprint"]
    outcome = scene.value("SELECT detail FROM birth.birth_act WHERE act = 'outcome'")
    assert outcome["rerun_delta"] == 8
    assert scene.examine(item)["expected_delta"] == 8


def test_a_bounded_run_skips_existing_births(scene: Scene, item: str) -> None:
    scene.born(item, "item-2", "item-4", "item-15")
    run = scene.permitted(item, 5)
    scene.apply(run, batch=3)
    assert scene.codes(run) == ["item-1", "item-3", "item-5", "item-6", "item-7"]
    row = scene.ledger(run)
    assert (row["visited"], row["skipped"], row["actual_inserted"]) == (7, 2, 5)


def test_successive_bounded_runs_complete_the_collection(scene: Scene, item: str) -> None:
    for expected in (9, 9, 2):
        run = scene.permitted(item, 9)
        assert run.delta == expected
        scene.apply(run, batch=4, p_max_rows=9)
    assert scene.births() == 20
    assert scene.examine(item)["expected_delta"] == 0


def test_a_bound_larger_than_the_delta_writes_the_delta(scene: Scene, item: str) -> None:
    run = scene.permitted(item, 1000)
    assert (run.delta, run.max_rows) == (20, 1000)
    scene.apply(run)
    assert scene.permit_row(run.permit_id)["spent_rows"] == 20


def test_rows_without_a_code_are_skipped_and_counted(scene: Scene) -> None:
    scene.execute("CREATE TABLE public.loose (code text UNIQUE)")
    values = ["a", None, "", "b", " ", "c" * 513, None, "d"]
    scene.admin.cursor().executemany("INSERT INTO loose VALUES (%s)", [(value,) for value in values])
    scene.govern("loose", "column", column="code")
    run = scene.permitted("loose")
    scene.apply(run, batch=2)
    assert scene.codes(run) == ["a", "b", "d"]
    assert scene.status(run) == ("done", None)


# --- tables and keys of all kinds


def run_over(scene: Scene, table: str, batch: int) -> list[str]:
    run = scene.permitted(table)
    scene.apply(run, batch=batch)
    assert scene.status(run) == ("done", None)
    assert scene.examine(table)["expected_delta"] == 0
    return scene.codes(run)


def test_a_composite_key_loses_no_rows_at_batch_boundaries(scene: Scene) -> None:
    scene.execute("CREATE TABLE public.pair (tenant text, no integer, PRIMARY KEY (tenant, no))")
    scene.execute("INSERT INTO pair SELECT t, n FROM unnest('{b,a,c}'::text[]) t, generate_series(-3, 3) n")
    scene.govern("pair", "legacy", template="{tenant}/{no:03}")
    codes = run_over(scene, "pair", 2)
    assert len(codes) == 21
    assert {"a/-03", "a/000", "c/003"} <= set(codes)


def test_a_bounded_run_can_end_inside_a_prefix_of_a_composite_key(scene: Scene) -> None:
    scene.execute("CREATE TABLE public.pair (tenant text, no integer, PRIMARY KEY (tenant, no))")
    scene.execute("INSERT INTO pair SELECT t, n FROM unnest('{b,a}'::text[]) t, generate_series(1, 5) n")
    scene.govern("pair", "legacy", template="{tenant}/{no}")
    run = scene.permitted("pair", 7)
    scene.apply(run, batch=3)
    assert scene.codes(run) == ["a/1", "a/2", "a/3", "a/4", "a/5", "b/1", "b/2"]
    assert scene.ledger(run)["target_upper"] == ["b", "2"]


ODD = [
    "a",
    "A",
    "ä",
    "Z",
    "z",
    "_",
    "-1",
    "1",
    "10",
    "2",
    "é",
    "e\u0301",
    "ß",
    "ss",
    "日本",
    "'; DROP TABLE x; --",
    '"q"',
    "a b",
    "{x}",
    "\\",
]


def collations(scene: Scene) -> Iterator[str]:
    """One collation of every provider that this server was built with, where it has one that is not plain C."""
    found = scene.rows(
        "SELECT DISTINCT ON (collprovider) quote_ident(collname) AS name FROM pg_collation"
        " WHERE collencoding IN (-1, pg_char_to_encoding(getdatabaseencoding())) AND collname <> 'default'"
        " ORDER BY collprovider, collname IN ('C', 'POSIX', 'ucs_basic'), collname"
    )
    for row in found:
        with suppress(psycopg.errors.FeatureNotSupported):
            scene.execute(f"SELECT 'a' < 'b' COLLATE {row['name']}".encode())
            yield row["name"]


def test_text_keys_are_paged_in_the_order_of_their_own_collation(scene: Scene) -> None:
    for number, collation in enumerate(['"C"', *collations(scene)]):
        table = f"odd_{number}"
        scene.execute(f"CREATE TABLE public.{table} (code text COLLATE {collation} PRIMARY KEY)".encode())
        scene.admin.cursor().executemany(
            f"INSERT INTO {table} VALUES (%s)".encode(), [(f"{number}{value}",) for value in ODD]
        )
        scene.govern(table, "column", column="code")
        assert set(run_over(scene, table, 3)) == {f"{number}{value}" for value in ODD}


def test_uuid_keys_are_paged_in_order(scene: Scene) -> None:
    scene.execute("CREATE TABLE public.thing (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), note text)")
    scene.execute("INSERT INTO thing (note) SELECT 'row' FROM generate_series(1, 40)")
    scene.govern("thing", "column", column="id")
    codes = run_over(scene, "thing", 7)
    assert len({UUID(code) for code in codes}) == 40


def test_numeric_keys_are_paged_by_value(scene: Scene) -> None:
    scene.execute("CREATE TABLE public.amount (v numeric PRIMARY KEY)")
    scene.execute("INSERT INTO amount VALUES (-1.50), (0), (2), (10), (1e30), ('NaN'), (0.1)")
    scene.govern("amount", "synthetic_id", column="v", prefix="v")
    assert set(run_over(scene, "amount", 2)) == {"v-1.50", "v0", "v2", "v10", "v1" + "0" * 30, "vNaN", "v0.1"}


def test_the_largest_and_the_smallest_keys_are_reached(scene: Scene) -> None:
    scene.execute("CREATE TABLE public.edge (id bigint PRIMARY KEY)")
    scene.execute("INSERT INTO edge VALUES (-9223372036854775808), (-1), (0), (9223372036854775807)")
    scene.govern("edge", "synthetic_id", column="id", prefix="e")
    assert len(run_over(scene, "edge", 1)) == 4


def test_a_partitioned_table_is_scanned_whole(scene: Scene) -> None:
    scene.execute("CREATE TABLE public.part (id integer PRIMARY KEY) PARTITION BY RANGE (id)")
    scene.execute("CREATE TABLE public.part_1 PARTITION OF part FOR VALUES FROM (0) TO (10)")
    scene.execute("CREATE TABLE public.part_2 PARTITION OF part FOR VALUES FROM (10) TO (100)")
    scene.execute("INSERT INTO part SELECT generate_series(1, 30)")
    scene.govern("part", "synthetic_id", column="id", prefix="p-")
    assert len(run_over(scene, "part", 8)) == 30


def test_hostile_table_and_column_names_cannot_inject_sql(scene: Scene) -> None:
    name = 'Select "from" where; DROP é'
    scene.admin.execute(
        'CREATE TABLE public."Select ""from"" where; DROP é" ("or 1=1 --" text PRIMARY KEY, "s" integer)'
    )
    scene.admin.execute('INSERT INTO public."Select ""from"" where; DROP é" VALUES (\'x\', 1), (\'y\', 2)')
    scene.govern(name, "column", column="or 1=1 --")
    assert run_over(scene, name, 1) == ["x", "y"]


@pytest.mark.parametrize("column", ["t", "s", "b", "code", "u", "c", "n", "in_range", "key_1"])
def test_column_names_do_not_clash_with_planner_and_writer_statements(scene: Scene, column: str) -> None:
    scene.execute(f"CREATE TABLE public.named (id integer PRIMARY KEY, {column} text)".encode())
    scene.execute("INSERT INTO named SELECT g, 'x' FROM generate_series(1, 6) g")
    scene.govern("named", "synthetic_id", column="id", prefix="n")
    assert len(run_over(scene, "named", 4)) == 6


# --- the table lives meanwhile


def test_births_of_the_gateway_during_a_run_are_not_counted_as_written(scene: Scene, item: str) -> None:
    scene.ask(STEWARD, "fn_birth_gateway_attach", p_collection=item, p_mode="enforce")
    scene.execute("DELETE FROM item WHERE id IN (8, 9)")
    run = scene.permitted(item)
    driver = scene.start(run)
    scene.execute("INSERT INTO item VALUES (8, 'late'), (9, 'late'), (30, 'late')")
    scene.go_on(run, batch=4)
    driver.end()
    assert scene.status(run) == ("done", None)
    assert scene.births() == 21
    assert len(scene.codes(run)) == 18
    assert scene.ledger(run)["skipped"] == 2


def test_rows_born_by_the_gateway_between_plan_and_start_change_nothing(scene: Scene, item: str) -> None:
    scene.ask(STEWARD, "fn_birth_gateway_attach", p_collection=item, p_mode="enforce")
    run = scene.permitted(item)
    scene.insert(item, 21, 30)
    scene.apply(run)
    assert scene.status(run) == ("done", None)
    assert scene.births() == 30


def test_row_level_security_enabled_during_a_run_is_an_error(scene: Scene, run: Run) -> None:
    driver = scene.start(run)
    scene.execute("ALTER TABLE item ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON item USING (id < 8)")
    scene.go_on(run)
    with raised("42501"):
        driver.end()
    assert scene.status(run) == ("failed", "42501")
    assert len(scene.codes(run)) == 5


def test_the_writers_result_equals_the_ledger_row(scene: Scene, run: Run) -> None:
    answer = scene.write(run)
    row = scene.ledger(run)
    assert answer == {column: row[column] for column in answer}


def test_nothing_is_written_while_a_table_of_ours_is_distributed(scene: Scene, run: Run) -> None:
    driver = scene.start(run)
    # Citus' own catalogue, as far as it is read.
    scene.execute(
        "SET allow_system_table_mods = on; CREATE TABLE pg_catalog.pg_dist_partition (logicalrelid regclass);"
        " GRANT SELECT ON pg_catalog.pg_dist_partition TO PUBLIC;"
        " INSERT INTO pg_catalog.pg_dist_partition VALUES ('public.item'); RESET allow_system_table_mods"
    )
    assert scene.examine(run.collection)["blockers"] == []
    scene.execute("INSERT INTO pg_catalog.pg_dist_partition VALUES ('birth.birth_registry')")
    scene.go_on(run)
    with refused(errors.RegistryDistributed):
        driver.end()
    assert len(scene.codes(run)) == 5
    with scene.unchanged(), refused(errors.RegistryDistributed):
        scene.apply(run)
    with scene.unchanged(), refused(errors.RegistryDistributed):
        scene.plan(run.collection)
    with raised("NB417"):
        downgrade(scene.db.url(RELEASER), "stage4")
