"""Source tables are read as birth_scanner, in a sandbox: what their owner's code can do, and what it leaves behind."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any

import psycopg
import pytest
from helpers import raised
from psycopg.sql import SQL, Identifier, Literal
from world import World, wait_until_blocked

from birthdb import api, errors

#: Declared IMMUTABLE, so that the planner evaluates it; says as whom it ran by a notice, which no rollback takes back.
EVIL = """
CREATE FUNCTION app.act() RETURNS void LANGUAGE plpgsql VOLATILE AS
  'BEGIN RAISE NOTICE ''ran as %'', current_user; END';
CREATE FUNCTION app.evil(n integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS
  'BEGIN PERFORM app.act(); RETURN n; END';
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA app TO PUBLIC;
"""


@contextmanager
def ran_as(*connections: psycopg.Connection[Any]) -> Iterator[set[str]]:
    """Collect as whom the owner's code ran in these sessions."""
    heard: set[str] = set()

    def hear(notice: psycopg.errors.Diagnostic) -> None:
        message = notice.message_primary or ""
        if message.startswith("ran as "):
            heard.add(message.removeprefix("ran as "))

    for connection in connections:
        connection.add_notice_handler(hear)
    yield heard
    for connection in connections:
        connection.remove_notice_handler(hear)


def governed(world: World, rows: int = 3) -> World:
    world.owner.execute(EVIL.encode())
    world.governed("(id integer PRIMARY KEY)", column="id", mode=None)
    world.owner.execute("INSERT INTO app.thing SELECT generate_series(1, %s)", (rows,))
    return world


# --- what changes between the check and the plan

READINGS: dict[str, Callable[[World], object]] = {
    "census": lambda world: api.census(world.operator, "thing"),
    "dry plan": lambda world: api.plan(world.operator, "thing"),
    "plan": lambda world: api.plan(world.operator, "thing", dry_run=False),
    "rehearsal": lambda world: api.rehearse(world.operator, "thing"),
}


@pytest.mark.parametrize("reading", READINGS)
def test_statistics_created_during_planning_run_as_birth_scanner(world: World, reading: str) -> None:
    governed(world)
    with ThreadPoolExecutor(1) as elsewhere, ran_as(world.operator) as seen:
        with world.owner.transaction():
            world.owner.execute("REINDEX INDEX app.thing_pkey")
            waiting = elsewhere.submit(READINGS[reading], world)
            wait_until_blocked(world.admin, world.operator)
            world.owner.execute("CREATE STATISTICS app.s ON (id + app.evil(1)) FROM app.thing")
        # What reads a second time finds the table changed.
        with suppress(errors.IdentityNotEligible):
            waiting.result(timeout=60)
    assert seen == {"birth_scanner"}


def test_an_index_created_on_a_partition_during_planning_runs_as_birth_scanner(world: World) -> None:
    world.owner.execute(EVIL.encode())
    world.table("(id integer PRIMARY KEY) PARTITION BY RANGE (id)")
    world.table("PARTITION OF app.thing FOR VALUES FROM (0) TO (100)", "thing_1")
    world.register()
    world.classify("column", column="id")
    world.owner.execute("INSERT INTO app.thing SELECT generate_series(1, 9)")
    with ThreadPoolExecutor(1) as elsewhere, ran_as(world.operator) as seen:
        with world.owner.transaction():
            world.owner.execute("LOCK TABLE ONLY app.thing_1 IN ACCESS EXCLUSIVE MODE")
            waiting = elsewhere.submit(READINGS["dry plan"], world)
            wait_until_blocked(world.admin, world.operator)
            world.owner.execute("CREATE INDEX ON app.thing_1 ((id + app.evil(1)))")
        assert waiting.result(timeout=60)
    assert seen <= {"birth_scanner"}


def test_owner_code_on_a_referencing_table_runs_as_birth_scanner(world: World) -> None:
    governed(world)
    run_id = world.backfill()
    let_reference_births(world)
    world.owner.execute(
        "CREATE TABLE app.label (code text REFERENCES birth.birth_registry, n integer);"
        "GRANT SELECT ON app.label TO birth_scanner; INSERT INTO app.label SELECT NULL, n FROM generate_series(1, 9) n;"
        "CREATE STATISTICS app.s ON (n + app.evil(1)) FROM app.label;"
        "CREATE INDEX ON app.label (code) WHERE app.evil(1) = 1"
    )
    with ran_as(world.admin) as seen:
        assert touched(world, run_id) is None
    assert seen == {"birth_scanner"}


TRAP = """
CREATE TYPE app.mood AS ENUM ('a');
CREATE FUNCTION app.told(app.mood) RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT 'a'$$;
CREATE CAST (app.mood AS text) WITH FUNCTION app.told(app.mood) AS IMPLICIT;
CREATE TABLE app.plain (code text REFERENCES birth.birth_registry, short varchar(9) REFERENCES birth.birth_registry);
CREATE TABLE app.trap (code app.mood CONSTRAINT trap REFERENCES birth.birth_registry);
"""


def test_a_foreign_key_with_an_owner_defined_cast_needs_attention(world: World) -> None:
    let_reference_births(world)
    if world.admin.info.server_version >= 180000:
        # From PostgreSQL 18 on a key of another type that has no collation is refused.
        with pytest.raises(psycopg.Error, match="collatable"):
            world.owner.execute(TRAP.encode())
        return
    world.owner.execute(TRAP.encode())
    found = world.admin.execute(
        "SELECT what, next_step FROM birth.v_birth_attention WHERE what LIKE '%references births%'"
    ).fetchall()
    assert found == [
        (
            "trap of app.trap references births by a column of type app.mood, whose cast runs as birth_definer",
            "ALTER TABLE app.trap DROP CONSTRAINT trap;  -- the owner of the table",
        )
    ]
    world.owner.execute(found[0][1].encode())
    assert world.value("SELECT count(*) FROM birth.v_birth_attention WHERE what ~ 'references births'") == 0


def let_reference_births(world: World) -> None:
    world.admin.execute("GRANT USAGE ON SCHEMA birth TO nora_nobody")
    world.admin.execute("GRANT REFERENCES ON birth.birth_registry TO nora_nobody")


def touched(world: World, run_id: object) -> Any:
    """Return what stands in the way of undoing the run, asked as birth_definer."""
    with as_definer(world) as session:
        ((found,),) = session.execute(
            "SELECT birth.fn_birth_compensate_fault(l) ->> 'detail' FROM birth.birth_backfill_ledger_v2 l"
            " WHERE l.run_id = %s",
            (run_id,),
        ).fetchall()
        return found


# --- what the code can do in the sandbox


@contextmanager
def as_definer(world: World) -> Iterator[psycopg.Connection[Any]]:
    """Yield the superuser's session as one of birth_definer alone, as a routine of ours is."""
    world.admin.execute("SET SESSION AUTHORIZATION birth_definer")
    try:
        yield world.admin
    finally:
        world.admin.execute("RESET SESSION AUTHORIZATION")


def scan(session: psycopg.Connection[Any], query: str) -> list[Any]:
    return session.execute("SELECT * FROM birth.fn_birth_scan(%s) AS s(found text)", (query,)).fetchall()


#: What the code of a table's owner may try, and what becomes of it.
REFUSED = {
    "ALTER FUNCTION birth.fn_birth_scan SECURITY INVOKER": "25006",
    "ALTER FUNCTION birth.fn_birth_scan OWNER TO birth_definer": "25006",
    "CREATE OR REPLACE FUNCTION birth.fn_birth_scan_traces(p_before text[] DEFAULT NULL) RETURNS text[]"
    " LANGUAGE sql AS 'SELECT NULL::text[]'": "25006",
    "GRANT EXECUTE ON FUNCTION birth.fn_birth_scan_lock TO PUBLIC": "25006",
    "GRANT birth_scanner TO nora_nobody": "25006",
    "SET transaction_read_only = off": "25001",
    "SET TRANSACTION READ WRITE": "25001",
    "SET ROLE birth_definer": "42501",
    "RESET ROLE": "42501",
    "SET ROLE NONE": "42501",
    "SET SESSION AUTHORIZATION DEFAULT": "42501",
    "RESET SESSION AUTHORIZATION": "42501",
    "CREATE TEMP TABLE mine (x text)": "25006",
    "CREATE TABLE app.mine (x text)": "25006",
    "INSERT INTO app.own VALUES ('x')": "25006",
    "INSERT INTO app.open VALUES ('x')": "25006",
    "SELECT nextval('app.number')": "25006",
    "INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin) VALUES ('x', 'thing', 'x')": "25006",
    "SELECT born_at FROM birth.birth_registry": "42501",
    "SELECT FROM birth.collection_registry": "42501",
    "SELECT birth.fn_birth_error('bad_argument', '')": "42501",
    "SELECT birth.fn_birth_review_record(NULL, 'SAFE', 'x')": "42501",
    "COPY app.open TO PROGRAM 'true'": "42501",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()": "42501",
}


@pytest.mark.parametrize("statement", REFUSED)
def test_the_sandbox_refuses_statements_of_owner_code(world: World, statement: str) -> None:
    governed(world)
    world.owner.execute(
        "CREATE TABLE app.own (x text); CREATE TABLE app.open (x text); GRANT ALL ON app.open TO PUBLIC;"
        "CREATE SEQUENCE app.number; GRANT ALL ON app.number TO PUBLIC; GRANT USAGE ON SCHEMA app TO PUBLIC"
    )
    code = SQL("CREATE FUNCTION app.tries() RETURNS text LANGUAGE plpgsql AS {}").format(
        Literal(
            f"BEGIN EXECUTE {Literal(statement).as_string()}; RETURN 'done';"
            " EXCEPTION WHEN OTHERS THEN RETURN sqlstate; END"
        )
    )
    world.owner.execute(code)
    before = (
        world.value("SELECT md5(string_agg(p::text, '')) FROM pg_proc p WHERE pronamespace = 'birth'::regnamespace"),
    )
    with as_definer(world) as session:
        assert scan(session, "SELECT app.tries()") == [(REFUSED[statement],)]
    assert before == (
        world.value("SELECT md5(string_agg(p::text, '')) FROM pg_proc p WHERE pronamespace = 'birth'::regnamespace"),
    )


def test_writes_after_a_reset_in_the_sandbox_are_rolled_back(world: World) -> None:
    governed(world)
    world.owner.execute(
        "CREATE FUNCTION app.tries() RETURNS text LANGUAGE plpgsql AS $$BEGIN EXECUTE 'RESET transaction_read_only';"
        " ALTER FUNCTION birth.fn_birth_scan SECURITY INVOKER; RETURN 'done';"
        " EXCEPTION WHEN OTHERS THEN RETURN sqlstate; END$$; GRANT USAGE ON SCHEMA app TO PUBLIC"
    )
    with as_definer(world) as session:
        # Up to PostgreSQL 15 the setting can be reset.
        assert scan(session, "SELECT app.tries()") == [("done" if session.info.server_version < 160000 else "0A000",)]
        assert scan(session, "SELECT current_user::text") == [("birth_scanner",)]
    assert world.value("SELECT bool_and(prosecdef) FROM pg_proc WHERE proname ~ '^fn_birth_scan'")


#: Settings of a function apply when it is called, and are refused like a statement.
SETTINGS = {
    "role = birth_definer": "42501",
    "session_authorization = birth_definer": "42501",
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_sandbox_refuses_functions_with_settings(world: World, setting: str) -> None:
    governed(world)
    # A superuser makes it, because its owner could not even have such a function.
    world.admin.execute(
        f"CREATE FUNCTION app.sets() RETURNS text LANGUAGE plpgsql SET {setting} AS 'BEGIN RETURN current_user; END';"
        "CREATE FUNCTION app.tries() RETURNS text LANGUAGE plpgsql AS"
        " 'BEGIN RETURN app.sets(); EXCEPTION WHEN OTHERS THEN RETURN sqlstate; END';"
        "GRANT USAGE ON SCHEMA app TO PUBLIC".encode()
    )
    with as_definer(world) as session:
        assert scan(session, "SELECT app.tries()") == [(SETTINGS[setting],)]


def test_owner_code_cannot_end_a_rehearsal(world: World) -> None:
    governed(world)
    # A superuser's function is trusted by the check beforehand.
    world.admin.execute(
        "CREATE FUNCTION app.ends(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS"
        " $$BEGIN RAISE EXCEPTION 'over' USING ERRCODE = 'NB317'; END$$"
    )
    world.owner.execute("CREATE STATISTICS app.s ON (id + app.ends(1)) FROM app.thing")
    with pytest.raises(errors.RehearsalOver):
        api.rehearse(world.operator, "thing")


#: Statements that succeed in the sandbox, a question about the session, and its answer, which they do not change.
ROLLED_BACK = {
    "SELECT set_config('search_path', 'app', false)": "SHOW search_path",
    "SELECT set_config('application_name', 'mine', false)": "SELECT current_setting('application_name')",
    "LISTEN mine": "SELECT count(*) FROM pg_listening_channels()",
    "DECLARE mine CURSOR WITH HOLD FOR SELECT 1": "SELECT count(*) FROM pg_cursors WHERE name = 'mine'",
    "SELECT pg_advisory_xact_lock(7)": "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 7",
    "INSERT INTO theirs VALUES ('x')": "SELECT count(*) FROM theirs",
}


@pytest.mark.parametrize("statement", ROLLED_BACK)
def test_settings_changed_by_owner_code_are_rolled_back(world: World, statement: str) -> None:
    governed(world)
    world.admin.execute("CREATE TEMP TABLE theirs (x text); GRANT ALL ON theirs TO PUBLIC")
    world.owner.execute(
        SQL("CREATE FUNCTION app.does() RETURNS text LANGUAGE plpgsql AS {}").format(
            Literal(f"BEGIN EXECUTE {Literal(statement).as_string()}; RETURN 'done'; END")
        )
    )
    question = ROLLED_BACK[statement].encode()
    before = world.admin.execute(question).fetchall()
    with world.admin.transaction(), as_definer(world) as session:
        assert scan(session, "SELECT app.does()") == [("done",)]
    assert world.admin.execute(question).fetchall() == before


# --- what outlives a rollback

TRACES = {
    "a statement under a name of the session's": (
        "DEALLOCATE theirs; PREPARE theirs AS SELECT app.evil(1)",
        "added prepared statement theirs",
    ),
    "a new statement": ("PREPARE mine AS SELECT app.evil(1)", "added prepared statement mine"),
    "a lock taken": ("PERFORM pg_advisory_lock(7)", "added ExclusiveLock on advisory key 0, 7, 1"),
    "a shared lock taken": ("PERFORM pg_advisory_lock_shared(7)", "added ShareLock on advisory key 0, 7, 1"),
    "a lock let go": ("PERFORM pg_advisory_unlock(42)", "removed ExclusiveLock on advisory key 0, 42, 1"),
    "a statement forgotten": ("DEALLOCATE theirs", "removed prepared statement theirs"),
}
ENDS = {
    "returns": "RETURN 1",
    "raises": "RAISE EXCEPTION 'no'",
    "pretends that it was cancelled": "RAISE query_canceled",
    "fails an assertion": "ASSERT false",
}


@pytest.mark.parametrize("ends", ENDS)
@pytest.mark.parametrize("trace", TRACES)
def test_session_state_that_survives_the_rollback_is_refused_and_prepared_statements_are_removed(
    world: World, trace: str, ends: str
) -> None:
    governed(world)
    session = world.operator
    session.execute("PREPARE theirs AS SELECT 1")
    session.execute("SELECT pg_advisory_lock(42)")
    statement, detail = TRACES[trace]
    does = statement if statement.startswith("PERFORM") else "; ".join(f"EXECUTE '{s}'" for s in statement.split("; "))
    world.owner.execute(
        SQL("CREATE FUNCTION app.leaves(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS {}").format(
            Literal(f"BEGIN PERFORM app.does(); {ENDS[ends]}; END")
        )
    )
    world.owner.execute(
        SQL("CREATE FUNCTION app.does() RETURNS void LANGUAGE plpgsql AS {}").format(Literal(f"BEGIN {does}; END"))
    )
    # An aggregate's order, a cast, an index: whatever runs the code. Here the check beforehand is passed by.
    with in_the_planner(world, "app.leaves"), pytest.raises(errors.SourceLeftTraces) as refusal:
        api.census(session, "thing")
    assert detail in str(refusal.value.detail)
    # birth_scanner can call nothing of ours, so that the refusal is written out where it is raised.
    catalogue = "SELECT birth.fn_birth_error('source_left_traces', '') ->> %s"
    assert refusal.value.hint == world.value(catalogue, "hint")
    assert str(refusal.value).startswith(world.value(catalogue, "message"))
    statements = {row[0] for row in session.execute("SELECT name FROM pg_prepared_statements WHERE from_sql")}
    assert "mine" not in statements
    # The session's own statement is its own still, or gone; never the owner's.
    if "theirs" in statements:
        assert session.execute("EXECUTE theirs").fetchall() == [(1,)]


@contextmanager
def in_the_planner(world: World, function: str) -> Iterator[None]:
    """Have the next census wait in the planner until the owner has put a function of theirs into it."""
    with ThreadPoolExecutor(1) as elsewhere:
        owner = world.owner
        owner.execute("BEGIN; REINDEX INDEX app.thing_pkey")

        def put() -> None:
            wait_until_blocked(world.admin, world.operator)
            owner.execute(
                SQL("CREATE STATISTICS app.s ON (id + {}(1)) FROM app.thing; COMMIT").format(
                    Identifier(*function.split("."))
                )
            )

        done = elsewhere.submit(put)
        yield
        done.result(timeout=60)


def test_a_timeout_while_the_session_is_cleared_leaves_no_statement(world: World) -> None:
    """The owner's code makes the clearing last, and times it so that the victim's own timeout comes meanwhile."""
    governed(world)
    world.owner.execute(SLOW)
    session = world.operator
    session.execute("SET statement_timeout = '7s'")
    session.execute("PREPARE theirs AS SELECT 1")
    with in_the_planner(world, "app.slow"), raised(errors.SourceLeftTraces.sqlstate):
        session.execute("SELECT * FROM birth.fn_birth_census('thing')")
    session.execute("SET statement_timeout = 0")
    assert session.execute("SELECT name FROM pg_prepared_statements WHERE from_sql").fetchall() == []


#: Many long statements, and a pause that ends shortly before the timeout of whoever reads.
SLOW = """
CREATE FUNCTION app.slowly() RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  DEALLOCATE theirs;
  PREPARE theirs AS SELECT 2;
  FOR i IN 1 .. 40 LOOP
    EXECUTE format('PREPARE e%s AS SELECT %L', i, repeat('x', 8000000));
  END LOOP;
  PERFORM pg_sleep(greatest(0, 6.85 - extract(epoch FROM clock_timestamp() - statement_timestamp())));
END $$;
CREATE FUNCTION app.slow(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS
  $$BEGIN PERFORM app.slowly(); RETURN 1; END$$;
"""


# --- races without a lock


@pytest.mark.parametrize(
    ("there", "back"),
    [
        ("CREATE INDEX mine ON app.thing ((id + app.evil(1)))", "DROP INDEX app.mine"),
        ("CREATE STATISTICS app.s ON (id + app.evil(1)) FROM app.thing", "DROP STATISTICS app.s"),
    ],
)
def test_an_owner_cannot_win_the_race_between_check_and_planning(world: World, there: str, back: str) -> None:
    governed(world)
    until = monotonic() + 2
    with ThreadPoolExecutor(1) as elsewhere, ran_as(world.operator) as seen:
        reading = elsewhere.submit(read_until, world, until)
        while monotonic() < until:
            world.owner.execute(there.encode())
            world.owner.execute(back.encode())
        assert reading.result(timeout=60) > 0
    assert seen <= {"birth_scanner"}


def test_a_schema_renamed_during_a_read_runs_nothing_as_birth_definer(world: World) -> None:
    governed(world)
    world.admin.execute("CREATE SCHEMA other AUTHORIZATION nora_nobody")
    world.owner.execute(
        "CREATE VIEW other.thing AS SELECT app.evil(1) AS id;"
        "GRANT USAGE ON SCHEMA other TO birth_definer, birth_scanner;"
        "GRANT SELECT ON other.thing TO birth_scanner, birth_definer; GRANT USAGE ON SCHEMA app TO PUBLIC"
    )
    until = monotonic() + 2
    with ThreadPoolExecutor(1) as elsewhere, ran_as(world.operator) as seen:
        reading = elsewhere.submit(read_until, world, until)
        swap = "ALTER SCHEMA app RENAME TO away; ALTER SCHEMA other RENAME TO app; ALTER SCHEMA away RENAME TO other"
        while monotonic() < until:
            world.admin.execute(swap.encode())
        assert reading.result(timeout=60) > 0
    assert seen <= {"birth_scanner"}


def read_until(world: World, until: float) -> int:
    read = 0
    while monotonic() < until:
        try:
            api.census(world.operator, "thing")
            api.plan(world.operator, "thing")
        except psycopg.Error:
            pass
        read += 1
    return read


# --- where sources are read

#: Routines of birth_definer that build statements, and why none of these names a source table.
DYNAMIC = {
    "fn_birth_alerts": "what the optional event triggers recorded, where a superuser owns that",
    "fn_birth_anchor_record": "counts permits",
    "fn_birth_checks": "calls what the list of purposes names",
    "fn_birth_collection_births": "counts births",
    "fn_birth_compensate_fault": "births and receipts",
    "fn_birth_constraint_violations": "our tables, by the constraints of the release",
    "fn_birth_contract_repair": "prints statements",
    "fn_birth_evidence": "reads our tables",
    "fn_birth_gate_read": "CREATE TRIGGER, which evaluates nothing",
    "fn_birth_distributed": "a table of Citus's, in pg_catalog",
    "fn_birth_gateway_attach": "CREATE TRIGGER, which evaluates nothing",
    "fn_birth_gateway_detach": "DROP TRIGGER",
    "fn_birth_life_attach": "CREATE TRIGGER, which evaluates nothing",
    "fn_birth_life_auto": "the transition table, OLD and NEW",
    "fn_birth_life_column": "a literal of a built-in type",
    "fn_birth_life_detach": "DROP TRIGGER",
    "fn_birth_registry_auto": "the transition table, and NEW",
    "fn_birth_registry_auto_id": "the transition table",
    "fn_birth_resolve_identity": "a JSON value",
    "fn_birth_run_batch": "calls what the list of purposes names",
    "fn_birth_run_proof": "calls what the list of purposes names",
    "fn_birth_run_set": "calls what the list of purposes names",
    "fn_birth_source_grants": "prints statements",
}


def test_no_dynamic_statement_of_birth_definer_names_a_source_table(world: World) -> None:
    building = world.admin.execute(
        r"SELECT proname FROM pg_proc WHERE pronamespace = 'birth'::regnamespace"
        r" AND proowner = 'birth_definer'::regrole"
        r" AND prosrc ~ '\mEXECUTE\M' AND prorettype <> 'event_trigger'::regtype"
    )
    assert {row[0] for row in building} == DYNAMIC.keys()


def test_birth_definer_needs_no_select_on_sources(world: World) -> None:
    governed(world)
    world.backfill()
    assert world.value("SELECT has_table_privilege('birth_definer', 'app.thing', 'SELECT')") is False
    assert world.failed_checks() == {"no gateway on the table": ["app.thing"]}


def test_birth_scanner_has_exactly_the_documented_privileges(world: World) -> None:
    held = world.admin.execute(
        "SELECT DISTINCT p.proname::text, NULL FROM pg_proc p, aclexplode(p.proacl) a"
        " WHERE pronamespace = 'birth'::regnamespace AND a.grantee = 'birth_scanner'::regrole"
        " UNION ALL SELECT c.relname, a.attname"
        " FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid, aclexplode(attacl) x"
        " WHERE relnamespace = 'birth'::regnamespace AND x.grantee = 'birth_scanner'::regrole"
        " UNION ALL SELECT c.relname, x.privilege_type FROM pg_class c, aclexplode(relacl) x"
        " WHERE relnamespace = 'birth'::regnamespace AND x.grantee = 'birth_scanner'::regrole ORDER BY 1, 2"
    ).fetchall()
    assert held == [
        ("birth_death", "collection_name"),
        ("birth_death", "entity_code"),
        ("birth_death", "returned_at"),
        ("birth_registry", "collection_name"),
        ("birth_registry", "entity_code"),
        ("birth_registry", "run_id"),
        ("fn_birth_scan", None),
        ("fn_birth_scan_lock", None),
        ("fn_birth_scan_traces", None),
    ]
