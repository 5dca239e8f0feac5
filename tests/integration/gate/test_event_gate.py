"""The first-row gate by the optional event trigger: what it refuses, and which tables get birth_gate."""

import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import LiteralString

import pytest
from helpers import raised
from psycopg.sql import SQL, Identifier, Literal
from support import RELEASER, Cluster
from world import APPLICATION, World

from birthdb import api, errors, paths
from birthdb.server import VARIABLE, binaries

ADD = "sql/optional/event_triggers.sql"
REMOVE = "sql/optional/event_triggers.down.sql"
LOCK: LiteralString = "SELECT pg_advisory_xact_lock(hashtextextended('birth.release', 0))"
TABLE = "(code text PRIMARY KEY)"
GATES: LiteralString = """
SELECT tgrelid::regclass::text, CASE tgtype & 1 WHEN 1 THEN 'row' ELSE 'statement' END
FROM pg_trigger WHERE tgname = 'birth_gate' ORDER BY 1
"""


def send(world: World, path: str = ADD) -> None:
    """Send an optional file as psql does."""
    text = (paths.ROOT / path).read_text(encoding="utf-8")
    world.admin.execute("\n".join(line for line in text.splitlines() if not line.startswith("\\")).encode())


@pytest.fixture
def gated(world: World) -> World:
    """Schema app under the gate, and on the event trigger's list; schema open, of the same owner, is neither."""
    world.admin.execute(SQL("CREATE SCHEMA open AUTHORIZATION {}").format(Identifier(APPLICATION)))
    world.owner.execute("GRANT USAGE ON SCHEMA open TO birth_definer, birth_scanner")
    world.owner.execute("CREATE TABLE open.filled AS SELECT 'a'::text AS code; CREATE TABLE open.bare (code text)")
    send(world)
    world.admin.execute("INSERT INTO birth_guard.gated_schema (schema_name) VALUES ('app')")
    api.gate_scope(world.steward, "app", "enforce", "a test")
    return world


def gates(world: World) -> dict[str, str]:
    """Return the tables with birth_gate, and for each whether it is a row or a statement trigger."""
    return dict(world.admin.execute(GATES).fetchall())


def exempt(world: World, table: str = "thing", schema: str = "app") -> str:
    """Register and admit an exempt collection; return the next step."""
    world.register(table, coverage="BIRTH_EXEMPT_LOG", schema=schema)
    return api.gate_admit(world.person("stella_steward"), table, "a test")


REFUSED: list[LiteralString] = [
    "CREATE TABLE app.thing AS SELECT 'a'::text AS code",
    "CREATE TABLE IF NOT EXISTS app.thing AS SELECT 'a'::text AS code",
    "CREATE UNLOGGED TABLE app.thing AS SELECT 'a'::text AS code",
    "SELECT 'a'::text AS code INTO app.thing",
    "DO $$ BEGIN EXECUTE 'CREATE TABLE app.thing AS SELECT 1'; END $$",
    "ALTER TABLE open.filled SET SCHEMA app",
    "BEGIN; CREATE TABLE open.new (code text); INSERT INTO open.new VALUES ('a'); ALTER TABLE open.new SET SCHEMA app",
    "ALTER TABLE open.root SET SCHEMA app",
    "ALTER TABLE open.root_1 SET SCHEMA app",
]


@pytest.mark.parametrize("statement", REFUSED)
@pytest.mark.parametrize("by", ["owner", "superuser"])
def test_a_table_that_comes_with_rows_is_refused_and_nothing_changes(
    gated: World, statement: LiteralString, by: str
) -> None:
    gated.owner.execute(
        "CREATE TABLE open.root (code text) PARTITION BY LIST (code);"
        "CREATE TABLE open.root_1 PARTITION OF open.root FOR VALUES IN ('a'); INSERT INTO open.root VALUES ('a')"
    )
    before = gated.admin.execute("SELECT oid::regclass::text FROM pg_class ORDER BY 1").fetchall()
    session = gated.owner if by == "owner" else gated.admin
    with raised("NB509") as caught:
        session.execute(statement)
    session.execute("ROLLBACK")
    assert "filled before it was admitted: app." in (caught.value.diag.message_detail or "")
    assert gated.admin.execute("SELECT oid::regclass::text FROM pg_class ORDER BY 1").fetchall() == before


def test_what_the_hint_says_works(gated: World) -> None:
    gated.owner.execute("CREATE TABLE app.thing AS SELECT code FROM open.filled WITH NO DATA")
    assert gates(gated) == {"app.thing": "statement"}
    exempt(gated)
    gated.owner.execute("INSERT INTO app.thing SELECT code FROM open.filled")
    releaser = gated.person(RELEASER)
    gated.admin.execute(SQL("GRANT {} TO {}").format(Identifier(APPLICATION), Identifier(RELEASER)))
    try:
        with raised("NB509"):
            releaser.execute("ALTER TABLE open.filled SET SCHEMA app")
        with releaser.transaction():
            releaser.execute(LOCK)
            releaser.execute("ALTER TABLE open.filled SET SCHEMA app")
    finally:
        gated.admin.execute(SQL("REVOKE {} FROM {}").format(Identifier(APPLICATION), Identifier(RELEASER)))
    assert gates(gated) == {"app.thing": "statement"}


LEFT_ALONE: list[LiteralString] = [
    "CREATE TABLE open.other AS SELECT 1 AS n",
    "SELECT 1 AS n INTO open.other",
    "CREATE TABLE open.other (n int); INSERT INTO open.other VALUES (1); ALTER TABLE open.other ADD m int",
    "CREATE TEMPORARY TABLE other AS SELECT 1 AS n",
    "SET search_path = app; CREATE TEMPORARY TABLE other (n int)",
    "CREATE MATERIALIZED VIEW app.other AS SELECT 1 AS n",
    "CREATE VIEW app.other AS SELECT 1 AS n",
    "CREATE TABLE IF NOT EXISTS app.old (n int)",
    "CREATE TABLE IF NOT EXISTS app.old AS SELECT 1 AS n",
    "ALTER TABLE app.old ALTER n SET DEFAULT 1",
    "ALTER TABLE app.old ADD m int; ALTER TABLE app.old ALTER n SET DEFAULT 1; ALTER TABLE app.old RENAME TO elder",
    "ALTER SCHEMA app RENAME TO gone; ALTER SCHEMA gone RENAME TO app",
    "CREATE TABLE app.old_2 PARTITION OF app.old_root FOR VALUES IN (2); INSERT INTO app.old_root VALUES (1), (2)",
    "ALTER TABLE app.old SET SCHEMA open",
]


@pytest.mark.parametrize("statement", LEFT_ALONE)
def test_other_tables_and_live_ones_are_left_alone(world: World, statement: LiteralString) -> None:
    world.admin.execute(SQL("CREATE SCHEMA open AUTHORIZATION {}").format(Identifier(APPLICATION)))
    world.admin.execute(SQL("GRANT CREATE ON DATABASE {} TO {}").format(
        Identifier(world.admin.info.dbname), Identifier(APPLICATION)))  # fmt: skip
    world.owner.execute(
        "CREATE TABLE app.old AS SELECT 1 AS n; CREATE TABLE app.old_root (n int) PARTITION BY LIST (n);"
        "CREATE TABLE app.old_1 PARTITION OF app.old_root FOR VALUES IN (1)"
    )
    for table in ("old", "old_root"):
        world.register(table, coverage="BIRTH_DEFERRED_NEEDS_REVIEW")
    send(world)
    world.admin.execute("INSERT INTO birth_guard.gated_schema (schema_name) VALUES ('app')")
    api.gate_scope(world.steward, "app", "enforce", "a test")
    with world.owner.transaction():
        world.owner.execute(statement)
    assert gates(world) == {}


def test_foreign_tables_are_left_alone(gated: World) -> None:
    gated.admin.execute("CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w")
    gated.admin.execute("CREATE FOREIGN TABLE app.far (code text) SERVER s")
    gated.admin.execute("CREATE FOREIGN TABLE open.near (code text) SERVER s; ALTER TABLE open.near SET SCHEMA app")
    assert gates(gated) == {}


def test_tables_of_an_extension_are_left_alone(gated: World) -> None:
    if gated.admin.info.server_version < 180000:
        pytest.skip("extension_control_path came with PostgreSQL 18")
    # Where the server's user can read it.
    with TemporaryDirectory() as name:
        files = Path(name) / "extension"
        files.mkdir()
        (files / "tabled.control").write_text("default_version = '1'\nrelocatable = true\n", encoding="utf-8")
        (files / "tabled--1.sql").write_text("CREATE TABLE one AS SELECT 1 AS n; CREATE TABLE two (n int);", "utf-8")
        for path in (Path(name), files):
            path.chmod(0o755)
        gated.admin.execute(SQL("SET extension_control_path = {}").format(Literal(f"$system:{name}")))
        gated.admin.execute("CREATE EXTENSION tabled SCHEMA app")
    assert gated.value("SELECT count(*) FROM app.one") == 1
    assert gates(gated) == {}


WAYS: list[LiteralString] = [
    "INSERT INTO app.thing VALUES ('a')",
    "INSERT INTO app.thing VALUES ('a') ON CONFLICT DO NOTHING",
    "INSERT INTO app.thing VALUES ('a') ON CONFLICT (code) DO UPDATE SET code = 'b'",
    "COPY app.thing FROM PROGRAM 'echo a'",
    "WITH w AS (INSERT INTO app.thing VALUES ('a') RETURNING code) SELECT * FROM w",
]
MERGE: LiteralString = (
    "MERGE INTO app.thing t USING (VALUES ('a')) AS n(code) ON t.code = n.code"
    " WHEN NOT MATCHED THEN INSERT VALUES ('a')"
)


@pytest.mark.parametrize("definition", [TABLE, f"{TABLE} PARTITION BY LIST (code)"], ids=["table", "root"])
def test_a_new_table_takes_no_row_before_it_is_admitted(gated: World, definition: str) -> None:
    gated.table(definition)
    if "PARTITION" in definition:
        gated.owner.execute("CREATE TABLE app.leaf PARTITION OF app.thing DEFAULT")
        gated.owner.execute("CREATE TABLE open.leaf PARTITION OF app.thing FOR VALUES IN ('z')")
    ways = [*WAYS, *([MERGE] if gated.admin.info.server_version >= 150000 else [])]
    if "PARTITION" in definition:
        ways += ["INSERT INTO app.leaf VALUES ('a')", "INSERT INTO open.leaf VALUES ('z')"]
    for way in ways:
        with raised("NB508"):
            gated.admin.execute(way.encode())
    with raised("NB508"), gated.owner.cursor().copy("COPY app.thing FROM STDIN") as copy:
        copy.write("a\n")
    assert gated.value("SELECT count(*) FROM app.thing") == 0
    assert gated.value("SELECT held_by FROM birth.v_birth_gate WHERE table_name = 'thing'") == ["trigger birth_gate"]
    step = exempt(gated)
    assert step.startswith("DROP TRIGGER birth_gate ON app.thing;")
    for way in ways:
        with gated.admin.transaction(force_rollback=True):
            gated.admin.execute(way.encode())
            assert gated.value("SELECT count(*) FROM app.thing") == 1
    gated.owner.execute(step.encode())
    assert gates(gated) == {}
    gated.owner.execute("INSERT INTO app.thing VALUES ('a')")


def test_a_required_table_is_admitted_and_then_its_rows_are_born(gated: World) -> None:
    gated.governed(TABLE)
    with raised("NB508"):
        gated.insert(["a"])
    step = api.gate_admit(gated.person("stella_steward"), "thing", "a test")
    gated.insert(["a"])
    gated.owner.execute(step.encode())
    gated.insert(["b"])
    assert gated.births() == ["a", "b"]


def test_a_partition_of_a_root_elsewhere_takes_no_row_through_it_either(gated: World) -> None:
    gated.owner.execute("CREATE TABLE open.root (code text) PARTITION BY LIST (code)")
    gated.owner.execute("CREATE TABLE app.leaf PARTITION OF open.root FOR VALUES IN ('a')")
    gated.owner.execute("CREATE TABLE open.leaf PARTITION OF open.root FOR VALUES IN ('b')")
    assert gates(gated) == {"app.leaf": "row"}
    for way in ("INSERT INTO open.root VALUES ('b'), ('a')", "INSERT INTO app.leaf VALUES ('a')"):
        with raised("NB508"):
            gated.owner.execute(way.encode())
    gated.owner.execute("INSERT INTO open.root VALUES ('b')")
    step = exempt(gated, "root", "open")
    gated.owner.execute("INSERT INTO open.root VALUES ('a')")
    assert gated.value("SELECT count(*) FROM app.leaf") == 1
    gated.owner.execute(step.encode())
    assert gates(gated) == {}


def test_partitions_are_attached_and_detached_before_and_after_the_root_is_admitted(gated: World) -> None:
    gated.owner.execute("CREATE TABLE app.thing (code text) PARTITION BY LIST (code)")
    gated.owner.execute(
        "CREATE TABLE app.leaf (LIKE app.thing); CREATE TABLE app.sub (code text) PARTITION BY LIST (code)"
    )
    gated.owner.execute("ALTER TABLE app.thing ATTACH PARTITION app.leaf FOR VALUES IN ('a')")
    gated.owner.execute("ALTER TABLE app.thing ATTACH PARTITION app.sub DEFAULT")
    gated.owner.execute("CREATE TABLE app.sub_1 PARTITION OF app.sub DEFAULT")
    assert gates(gated) == dict.fromkeys(["app.leaf", "app.sub", "app.sub_1", "app.thing"], "statement")
    gated.owner.execute("ALTER TABLE app.thing DETACH PARTITION app.leaf")
    with raised("NB508"):
        gated.owner.execute("INSERT INTO app.leaf VALUES ('a')")
    gated.owner.execute(exempt(gated).encode())
    assert gates(gated) == {"app.leaf": "statement"}
    gated.owner.execute("ALTER TABLE app.thing ATTACH PARTITION app.leaf FOR VALUES IN ('a')")
    gated.owner.execute("CREATE TABLE app.later PARTITION OF app.thing FOR VALUES IN ('b')")
    gated.owner.execute("INSERT INTO app.thing VALUES ('a'), ('b'), ('c'); INSERT INTO app.leaf VALUES ('a')")
    assert gates(gated) == {"app.leaf": "statement"}


def test_an_empty_table_that_is_moved_in_is_gated(gated: World) -> None:
    gated.owner.execute("ALTER TABLE open.bare SET SCHEMA app")
    assert gates(gated) == {"app.bare": "statement"}
    gated.owner.execute("ALTER TABLE app.bare SET SCHEMA open; INSERT INTO open.bare VALUES ('a')")
    with raised("NB509"):
        gated.owner.execute("ALTER TABLE open.bare SET SCHEMA app")


def test_a_table_that_was_made_admitted_and_filled_in_one_transaction_can_be_altered(gated: World) -> None:
    exempt(gated)
    with gated.owner.transaction():
        gated.owner.execute("CREATE TABLE app.thing (code text)")
        gated.owner.execute("INSERT INTO app.thing VALUES ('a')")
        gated.owner.execute("ALTER TABLE app.thing ALTER code SET DEFAULT 'b'")
        gated.owner.execute("DROP TRIGGER birth_gate ON app.thing")
        gated.owner.execute("ALTER TABLE app.thing ALTER code DROP DEFAULT")
    assert gates(gated) == {}


def test_a_table_that_was_moved_in_and_filled_in_one_transaction_can_be_altered(gated: World) -> None:
    exempt(gated)
    gated.owner.execute(
        "CREATE TABLE open.thing (code text); CREATE TRIGGER other BEFORE UPDATE ON open.thing FOR EACH ROW"
        " EXECUTE FUNCTION suppress_redundant_updates_trigger()"
    )
    with gated.owner.transaction():
        gated.owner.execute("ALTER TABLE open.thing SET SCHEMA app; ALTER TABLE app.thing SET SCHEMA open")
        gated.owner.execute("ALTER TABLE open.thing SET SCHEMA app; INSERT INTO app.thing VALUES ('a')")
        gated.owner.execute("ALTER TABLE app.thing ALTER code SET DEFAULT 'b'")
        gated.owner.execute("DROP TRIGGER birth_gate ON app.thing")
        gated.owner.execute("ALTER TABLE app.thing ALTER code DROP DEFAULT; ALTER TABLE app.thing ADD note text")
    assert gates(gated) == {}


def test_a_table_that_is_moved_in_under_an_open_cursor_is_gated(gated: World) -> None:
    gated.owner.execute(
        "CREATE TABLE open.thing (code text); CREATE TRIGGER other BEFORE UPDATE ON open.thing FOR EACH ROW"
        " EXECUTE FUNCTION suppress_redundant_updates_trigger()"
    )
    with gated.owner.transaction():
        gated.owner.execute("DECLARE c CURSOR FOR SELECT * FROM open.thing; FETCH c")
        gated.owner.execute("ALTER TABLE open.thing SET SCHEMA app")
    assert gates(gated) == {"app.thing": "statement"}


def test_a_trigger_of_the_owner_with_the_same_name_is_not_replaced(gated: World) -> None:
    gated.owner.execute(
        "CREATE TABLE open.thing (code text); CREATE TRIGGER birth_gate BEFORE UPDATE ON open.thing FOR EACH ROW"
        " EXECUTE FUNCTION suppress_redundant_updates_trigger()"
    )
    gated.owner.execute("ALTER TABLE open.thing SET SCHEMA app; INSERT INTO app.thing VALUES ('a')")
    assert gates(gated) == {"app.thing": "row"}


@pytest.mark.parametrize("mode", ["observe", None])
def test_a_schema_that_the_gate_does_not_enforce_takes_rows(gated: World, mode: api.Mode | None) -> None:
    gated.table(TABLE)
    with raised("NB508"):
        gated.insert(["a"])
    api.gate_scope(gated.steward, "app", mode, "a test")
    gated.insert(["a"])
    assert gated.value("SELECT count(*) FROM app.thing") == 1


def test_names_are_quoted_and_each_schema_of_the_list_is_gated(gated: World) -> None:
    schema, table = 'A "b"; DROP TABLE open.filled; --', "x'); SELECT 1/0; --\""
    gated.admin.execute(SQL("CREATE SCHEMA {} AUTHORIZATION {}").format(Identifier(schema), Identifier(APPLICATION)))
    gated.admin.execute("INSERT INTO birth_guard.gated_schema (schema_name) VALUES (%s)", (schema,))
    api.gate_scope(gated.steward, schema, "enforce", "a test")
    gated.owner.execute(
        SQL("SET quote_all_identifiers = on; CREATE TABLE {} (code text)").format(Identifier(schema, table))
    )
    gated.owner.execute("CREATE TABLE app.thing (code text)")
    assert len(gates(gated)) == 2
    for name in (Identifier(schema, table), Identifier("app", "thing")):
        with raised("NB508"):
            gated.owner.execute(SQL("INSERT INTO {} VALUES ('a')").format(name))
    with raised("NB509"):
        gated.owner.execute(SQL("CREATE TABLE {} AS SELECT 1").format(Identifier(schema, "other")))


def test_tables_of_a_create_schema_statement_are_gated(gated: World) -> None:
    gated.admin.execute("INSERT INTO birth_guard.gated_schema (schema_name) VALUES ('new')")
    gated.admin.execute("CREATE SCHEMA new CREATE TABLE one (n int) CREATE TABLE two (n int)")
    assert gates(gated) == dict.fromkeys(["new.one", "new.two"], "statement")


@pytest.mark.parametrize(
    "broken",
    [
        "DROP FUNCTION birth_guard.arrived",
        "ALTER TABLE birth_guard.gated_schema RENAME TO other",
        f"BEGIN; {LOCK}; ALTER FUNCTION birth.fn_birth_gate_insert() RENAME TO other; COMMIT",
        f"BEGIN; {LOCK}; ALTER SCHEMA birth RENAME TO other; COMMIT",
    ],
)
def test_no_ddl_fails_because_the_event_trigger_does(gated: World, broken: LiteralString) -> None:
    gated.admin.execute(broken)
    gated.owner.execute("CREATE TABLE app.thing (code text); INSERT INTO app.thing VALUES ('a')")
    assert gates(gated) == {}


@pytest.mark.parametrize("change", ["SECURITY INVOKER", "OWNER TO nora_nobody"])
def test_only_a_definer_function_of_birth_definer_is_put_on_tables(gated: World, change: str) -> None:
    with gated.admin.transaction():
        gated.admin.execute(LOCK)
        gated.admin.execute(f"ALTER FUNCTION birth.fn_birth_gate_insert() {change}".encode())
    gated.owner.execute("CREATE TABLE app.thing (code text)")
    assert gates(gated) == {}


def test_a_schema_renamed_to_a_gated_name_is_found_and_not_prevented(gated: World) -> None:
    gated.admin.execute("ALTER SCHEMA app RENAME TO before; ALTER SCHEMA open RENAME TO app")
    assert gates(gated) == {}
    with pytest.raises(errors.TableUngated) as refusal:
        api.gate(gated.owner)
    assert "app.filled is UNKNOWN" in str(refusal.value.detail)


def test_a_release_gates_nothing(gated: World) -> None:
    with gated.admin.transaction():
        gated.admin.execute(LOCK)
        gated.admin.execute("CREATE TABLE app.one (n int); CREATE TABLE app.two AS SELECT 1 AS n")
    assert gates(gated) == {}


def test_the_size_of_a_table_is_taken_without_the_code_of_its_owner(gated: World) -> None:
    gated.owner.execute(
        "CREATE TABLE open.seen (who text);"
        "CREATE FUNCTION open.note(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$BEGIN"
        " IF current_user <> 'nora_nobody' THEN RAISE EXCEPTION 'ran as %', current_user; END IF; RETURN $1; END$$;"
        "CREATE STATISTICS open.evil ON open.note(code), (code || 'x') FROM open.filled;"
        "CREATE INDEX evil ON open.filled (open.note(code))"
    )
    with raised("NB509"):
        gated.owner.execute("ALTER TABLE open.filled SET SCHEMA app")


def test_removing_the_event_triggers_keeps_the_list_and_the_gates(gated: World) -> None:
    gated.table(TABLE)
    for _ in range(2):
        send(gated, REMOVE)
        gated.owner.execute("CREATE TABLE IF NOT EXISTS app.other AS SELECT 'a'::text AS code")
        assert gates(gated) == {"app.thing": "statement"}
        with raised("NB508"):
            gated.insert(["a"])
        assert gated.value("SELECT array_agg(schema_name::text) FROM birth_guard.gated_schema") == ["app"]
    send(gated)
    send(gated)
    with raised("NB509"):
        gated.owner.execute("CREATE TABLE app.third AS SELECT 'a'::text AS code")


def test_a_reader_sees_how_the_list_differs_from_the_scope(gated: World) -> None:
    header = (paths.ROOT / ADD).read_text(encoding="utf-8").partition("\\set")[0].replace("--", "")
    query = ("SELECT" + header.partition("SELECT coalesce")[2].partition(";")[0]).replace("SELECT(", "SELECT coalesce(")
    reader = gated.operator
    assert reader.execute(query.encode()).fetchall() == []
    api.gate_scope(gated.steward, "app", "observe", "a test")
    assert reader.execute(query.encode()).fetchall() == [("app", "observe", True)]
    gated.admin.execute("DELETE FROM birth_guard.gated_schema")
    assert reader.execute(query.encode()).fetchall() == []
    api.gate_scope(gated.steward, "app", "enforce", "a test")
    assert reader.execute(query.encode()).fetchall() == [("app", "enforce", False)]


def test_a_dump_and_its_restore_keep_the_gates(gated: World, server: Cluster) -> None:
    bin_ = binaries(server.major) if VARIABLE not in os.environ else binaries()
    if not (bin_ / "pg_dump").is_file():
        pytest.skip(f"the server in {bin_} came without pg_dump")
    gated.table(TABLE)
    gated.table(TABLE, "log")
    exempt(gated, "log")
    gated.owner.execute("INSERT INTO app.log VALUES ('a')")
    dump = subprocess.run([bin_ / "pg_dump", gated.db.url()], check=True, capture_output=True).stdout
    restored = server.create()
    try:
        command = [str(bin_ / "psql"), "-qX", "-v", "ON_ERROR_STOP=1", "-o", os.devnull, "-d", restored.url()]
        sent = subprocess.run(command, input=dump, check=False, capture_output=True)
        assert sent.stderr == b""
        admin = restored.connect()
        assert admin.execute(GATES).fetchall() == [("app.log", "statement"), ("app.thing", "statement")]
        with raised("NB508"):
            admin.execute("INSERT INTO app.thing VALUES ('a')")
        admin.execute("INSERT INTO app.log VALUES ('b')")
        with raised("NB509"):
            admin.execute("CREATE TABLE app.third AS SELECT 1 AS n")
    finally:
        restored.drop()
