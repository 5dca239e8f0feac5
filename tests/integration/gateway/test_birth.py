"""A birth in the transaction that inserts the row, however it is inserted; what mode and policy make of it."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg import IsolationLevel
from world import World, wait_until_blocked

from birthdb import api, errors

BY_STATEMENT = "(code text PRIMARY KEY, n int)"
BY_ROW = "(code text PRIMARY KEY, n int) PARTITION BY HASH (code)"


def make(
    world: World, level: str, mode: api.Mode = "enforce", name: str = "thing", coverage: str = "BIRTH_REQUIRED"
) -> None:
    """Create a collection whose gateway is of the level: the partitioned table has one partition."""
    world.table(BY_STATEMENT if level == "statement" else BY_ROW, name)
    if level == "row":
        world.table(f"PARTITION OF app.{name} FOR VALUES WITH (MODULUS 1, REMAINDER 0)", f"{name}_0")
    world.register(name, coverage=coverage)
    world.classify("column", name, column="code")
    world.attach(name, mode)


@pytest.fixture(params=["statement", "row"])
def level(request: pytest.FixtureRequest) -> str:
    return str(request.param)


INSERTS = {
    "a row": "INSERT INTO app.thing VALUES ('a')",
    "many rows": "INSERT INTO app.thing VALUES ('a'), ('c'), ('b')",
    "a query": "INSERT INTO app.thing SELECT chr(96 + g) FROM generate_series(1, 3) g",
    "a common table expression": "WITH i AS (INSERT INTO app.thing VALUES ('a'), ('b') RETURNING code) SELECT FROM i",
    "no row": "INSERT INTO app.thing SELECT 'a' WHERE false",
    "a function": "DO $$BEGIN INSERT INTO app.thing VALUES ('a'); INSERT INTO app.thing VALUES ('b'); END$$",
}


@pytest.mark.parametrize("statement", INSERTS)
def test_an_insert_gives_births_to(world: World, level: str, statement: str) -> None:
    make(world, level)
    world.owner.execute(INSERTS[statement].encode())
    rows = [row[0] for row in world.owner.execute('SELECT code FROM app.thing ORDER BY code COLLATE "C"')]
    assert world.births() == rows
    assert world.value(
        "SELECT count(*) FROM birth.birth_registry WHERE run_id IS NULL AND dot_origin = 'QT-002'"
    ) == len(rows)


def test_copy_is_an_insert(world: World, level: str) -> None:
    make(world, level)
    with world.owner.cursor() as cursor, cursor.copy("COPY app.thing (code) FROM STDIN") as copy:
        for code in ("b", "a", "é\t\\"):
            copy.write_row((code,))
    assert world.births() == ["a", "b", "é\t\\"]


def test_an_upsert_gives_births_to_the_rows_it_inserts(world: World, level: str) -> None:
    make(world, level)
    world.owner.execute("INSERT INTO app.thing VALUES ('old', 1)")
    world.admin.execute("DELETE FROM birth.birth_registry")
    world.owner.execute(
        "INSERT INTO app.thing VALUES ('old', 2), ('new', 2) ON CONFLICT (code) DO UPDATE SET n = excluded.n"
    )
    world.owner.execute("INSERT INTO app.thing VALUES ('old', 3), ('newer', 3) ON CONFLICT DO NOTHING")
    assert world.births() == ["new", "newer"]


def test_a_merge_gives_births_to_the_rows_it_inserts(world: World, level: str) -> None:
    if world.db.cluster.major < 15:
        pytest.skip("MERGE came with PostgreSQL 15")
    make(world, level)
    world.owner.execute("INSERT INTO app.thing VALUES ('old', 1), ('gone', 1)")
    world.admin.execute("DELETE FROM birth.birth_registry")
    world.owner.execute(
        "MERGE INTO app.thing t USING (VALUES ('old'), ('gone'), ('new')) s(code) ON t.code = s.code"
        " WHEN MATCHED AND s.code = 'gone' THEN DELETE WHEN MATCHED THEN UPDATE SET n = 2"
        " WHEN NOT MATCHED THEN INSERT (code) VALUES (s.code)"
    )
    assert world.births() == ["new"]


def test_a_birth_is_rolled_back_with_its_row(world: World, level: str) -> None:
    make(world, level)
    with world.owner.transaction(force_rollback=True):
        world.owner.execute("INSERT INTO app.thing VALUES ('never')")
    with world.owner.transaction():
        world.owner.execute("INSERT INTO app.thing VALUES ('kept')")
        with world.owner.transaction(force_rollback=True):
            world.owner.execute("INSERT INTO app.thing VALUES ('undone')")
    with pytest.raises(psycopg.errors.UniqueViolation):
        world.owner.execute("INSERT INTO app.thing VALUES ('twice'), ('twice')")
    assert world.births() == ["kept"]


def test_a_birth_is_visible_in_its_own_transaction(world: World, level: str) -> None:
    make(world, level)
    with world.admin.transaction():
        world.admin.execute("INSERT INTO app.thing VALUES ('a')")
        assert world.births() == ["a"]


def test_a_reinserted_row_keeps_its_first_birth(world: World, level: str) -> None:
    make(world, level)
    for _ in range(2):
        world.insert(["a"], "thing (code)")
        world.owner.execute("DELETE FROM app.thing")
    assert world.births() == ["a"]
    assert world.findings() == []


def test_an_exempt_collection_gets_no_births_or_findings(world: World, level: str) -> None:
    make(world, level, coverage="BIRTH_EXEMPT_LOG")
    world.insert(["a", " "], "thing (code)")
    assert world.births() == []
    assert world.findings() == []


def test_an_exempt_collection_with_a_numbered_identity_is_skipped(world: World) -> None:
    # The guard that the documents found missing in fn_birth_registry_auto_id.
    world.governed(
        "(id int PRIMARY KEY)", coverage="BIRTH_EXEMPT_LOG", strategy="synthetic_id", column="id", prefix="n-"
    )
    world.owner.execute("INSERT INTO app.thing VALUES (1)")
    assert world.value("SELECT routine FROM birth.v_birth_gateway_trigger") == "fn_birth_registry_auto_id"
    assert world.births() == []


@pytest.mark.parametrize("mode", ["observe", "enforce"])
def test_a_deferred_collection_gets_births_or_findings(world: World, level: str, mode: api.Mode) -> None:
    make(world, level, name="other")
    world.insert(["theirs"], "other (code)")
    make(world, level, mode, coverage="BIRTH_DEFERRED_NEEDS_REVIEW")
    world.insert(["mine", " ", "theirs"], "thing (code)")
    assert world.births() == ["mine"]
    assert sorted(world.findings()) == [("gateway_foreign", 1), ("gateway_no_identity", 1)]


def test_a_deferred_collection_without_an_identity_gets_findings(world: World) -> None:
    world.table("(code text PRIMARY KEY)")
    world.register(coverage="BIRTH_DEFERRED_NEEDS_REVIEW")
    world.attach()
    world.insert(["a", "b"])
    assert world.births() == []
    assert world.findings() == [("gateway_no_identity", 2)]


def test_enforce_refuses_a_row_without_a_code(world: World, level: str) -> None:
    make(world, level)
    with pytest.raises(psycopg.Error) as refusal:
        world.insert(["a", " "], "thing (code)")
    assert refusal.value.sqlstate == "NB501"
    assert world.value("SELECT count(*) FROM app.thing") == 0
    assert world.births() == []


def test_enforce_refuses_a_code_of_another_collection_and_names_it(world: World, level: str) -> None:
    make(world, level, name="other")
    make(world, level)
    world.insert(["theirs"], "other (code)")
    with pytest.raises(psycopg.Error) as refusal:
        world.insert(["a", "theirs"], "thing (code)")
    assert refusal.value.sqlstate == "NB502"
    assert "theirs" in str(refusal.value.diag.message_detail)
    assert world.births() == []


def test_observe_lets_rows_through_and_records_findings(world: World, level: str) -> None:
    make(world, level, name="other")
    make(world, level, "observe")
    world.insert(["theirs"], "other (code)")
    world.insert(["a", " ", "theirs"], "thing (code)")
    assert world.births() == ["a"]
    assert sorted(world.findings()) == [("gateway_foreign", 1), ("gateway_no_identity", 1)]
    assert world.value("SELECT examples FROM birth.birth_gateway_finding WHERE error = 'gateway_foreign'") == ["theirs"]
    assert world.value("SELECT DISTINCT inserted_by FROM birth.birth_gateway_finding") == "nora_nobody"


def make_pairs(world: World, level: str, mode: api.Mode = "observe", pattern: str = "{a}{b}", b: str = "text") -> None:
    """Create a collection whose codes are made of two columns."""
    definition = f"(a text, b {b}, PRIMARY KEY (a, b))"
    world.table(definition if level == "statement" else f"{definition} PARTITION BY HASH (a)")
    if level == "row":
        world.table("PARTITION OF app.thing FOR VALUES WITH (MODULUS 1, REMAINDER 0)", "thing_0")
    world.register()
    world.classify("legacy", template=pattern)
    world.attach(mode=mode)


@pytest.mark.parametrize("mode", ["observe", "enforce"])
def test_a_row_that_may_share_a_birth_is_a_finding(world: World, level: str, mode: api.Mode) -> None:
    make_pairs(world, level, mode)
    world.owner.execute("INSERT INTO app.thing VALUES ('x', 'yz'), ('q', 'q')")
    assert world.findings() == []
    world.owner.execute("INSERT INTO app.thing VALUES ('xy', 'z')")
    assert (world.births(), world.findings()) == (["qq", "xyz"], [("code_duplicate", 1)])
    assert world.failed_checks() == {"duplicate codes": ["xyz"]}
    (said,) = world.admin.execute("SELECT what, next_step FROM birth.v_birth_attention WHERE what LIKE '%duplicate%'")
    assert "may share their birth" in said[0]
    assert "fn_birth_census" in said[1]
    assert errors.CodeDuplicate.sqlstate in world.blockers()


@pytest.mark.parametrize("mode", ["observe", "enforce"])
def test_rows_of_one_statement_that_share_a_birth_are_findings(world: World, level: str, mode: api.Mode) -> None:
    make_pairs(world, level, mode)
    world.owner.execute("INSERT INTO app.thing VALUES ('x', 'yz'), ('xyz', ''), ('xy', 'z'), ('q', 'q')")
    assert world.births() == ["qq", "xyz"]
    assert sum(rows for error, rows in world.findings() if error == "code_duplicate") == 2


def test_findings_of_a_transaction_add_up(world: World, level: str) -> None:
    make(world, level, name="other")
    make_pairs(world, level)
    world.insert(["theirs"], "other (code)")
    world.owner.execute(
        "INSERT INTO app.thing VALUES ('x', 'yz'), ('xy', 'z'), ('', ''), ('the', 'irs'), ('their', 's'), ('q', 'q')"
    )
    found: dict[str, int] = {}
    for error, rows in world.findings():
        found[error] = found.get(error, 0) + rows
    assert found == {"gateway_no_identity": 1, "gateway_foreign": 2, "code_duplicate": 1}


@pytest.mark.parametrize(("pattern", "recorded"), [("{a}/{b}", 0), ("{a}{b}", 3)])
def test_a_reinserted_row_is_a_finding_only_if_it_may_be_another_entity(
    world: World, level: str, pattern: str, recorded: int
) -> None:
    make_pairs(world, level, "observe", pattern, "integer")
    for _ in range(2):
        world.owner.execute("INSERT INTO app.thing VALUES ('x', 1), ('q', 2)")
        world.owner.execute("INSERT INTO app.thing VALUES ('z', 3)")
        world.owner.execute("DELETE FROM app.thing")
    assert len(world.births()) == 3
    assert sum(rows for _, rows in world.findings()) == recorded


def test_rows_that_come_again_derive_no_identity(world: World, level: str) -> None:
    make_pairs(world, level, "enforce", "{a}/{b}", "integer")
    load = "INSERT INTO app.thing VALUES ('x', 1), ('q', 2)", "INSERT INTO app.thing VALUES ('z', 3)"
    for statement in load:
        world.owner.execute(statement.encode())
    world.owner.execute("DELETE FROM app.thing")
    world.admin.execute("DROP FUNCTION birth.fn_birth_identity_definition(text) CASCADE")
    for statement in load:
        world.owner.execute(statement.encode())
    assert (len(world.births()), world.findings()) == (3, [])


def test_a_bulk_load_leaves_one_finding_per_reason(world: World) -> None:
    world.governed("(code text UNIQUE)")
    world.owner.execute("INSERT INTO app.thing SELECT NULL FROM generate_series(1, 1000)")
    assert world.findings() == [("gateway_no_identity", 1000)]


LATER = {
    "renamed": "ALTER TABLE app.thing RENAME id TO ident",
    "dropped": "ALTER TABLE app.thing DROP id",
    "made text": "ALTER TABLE app.thing ALTER id TYPE text",
    "made a number": "ALTER TABLE app.thing ALTER id TYPE numeric",
    "made a type whose text depends on settings": "ALTER TABLE app.thing ALTER id TYPE float8",
    "made a type with code of its own": "ALTER TABLE app.thing ALTER id TYPE app.mine USING ROW(id)::app.mine",
}
IDENTITIES: dict[str, dict[str, str]] = {
    "column": {"column": "id"},
    "synthetic_id": {"column": "id", "prefix": "t-"},
    "legacy": {"template": "T{id:06}"},
}


@pytest.mark.parametrize("strategy", IDENTITIES)
@pytest.mark.parametrize("change", LATER)
def test_observe_lets_rows_through_after_the_identity_column_was(world: World, strategy: str, change: str) -> None:
    world.owner.execute("CREATE TYPE app.mine AS (v int)")
    world.governed("(id int PRIMARY KEY, other int)", strategy=strategy, **IDENTITIES[strategy])  # type: ignore[arg-type]
    world.owner.execute("INSERT INTO app.thing VALUES (1)")
    world.owner.execute(LATER[change].encode())
    value = {"made text": "''", "made a type with code of its own": "ROW(2)"}.get(change, "2")
    world.owner.execute(f"INSERT INTO app.thing {'(other)' if change == 'dropped' else ''} VALUES ({value})".encode())
    assert len(world.births()) == 1
    assert world.findings() == [("gateway_no_identity", 1)]


@pytest.mark.parametrize("strategy", IDENTITIES)
def test_enforce_refuses_after_the_identity_column_was_retyped(world: World, strategy: str) -> None:
    world.governed("(id int PRIMARY KEY)", "thing", "enforce", strategy=strategy, **IDENTITIES[strategy])  # type: ignore[arg-type]
    world.owner.execute("ALTER TABLE app.thing ALTER id TYPE text")
    with pytest.raises(psycopg.Error) as refusal:
        world.owner.execute("INSERT INTO app.thing VALUES ('')")
    assert refusal.value.sqlstate == "NB501"


@pytest.mark.parametrize("strategy", IDENTITIES)
def test_a_session_continues_after_other_columns_change(world: World, strategy: str) -> None:
    world.governed("(id int PRIMARY KEY, a int)", "thing", "enforce", strategy=strategy, **IDENTITIES[strategy])  # type: ignore[arg-type]
    for change in ("", "ADD b text DEFAULT 'b'", "DROP a", "ALTER id TYPE bigint", "ADD a int[]"):
        if change:
            world.owner.execute(f"ALTER TABLE app.thing {change}".encode())
        world.owner.execute("INSERT INTO app.thing (id) SELECT coalesce(max(id), 0) + 1 FROM app.thing")
    assert len(world.births()) == 5
    assert world.findings() == []


def test_switching_the_mode_does_not_wait_for_writers(world: World) -> None:
    world.governed("(code text PRIMARY KEY)")
    oid = world.value("SELECT oid FROM pg_trigger WHERE tgname = 'birth_gateway'")
    with world.owner.transaction():
        world.owner.execute("LOCK app.thing IN ACCESS EXCLUSIVE MODE")
        world.steward.execute("SET lock_timeout = 1")
        api.gateway_mode(world.steward, "thing", "enforce", "ready")
    assert world.value("SELECT oid FROM pg_trigger WHERE tgname = 'birth_gateway'") == oid
    with pytest.raises(psycopg.Error) as refusal:
        world.insert([" "])
    assert refusal.value.sqlstate == "NB501"
    api.gateway_mode(world.steward, "thing", "observe", "not ready")
    world.insert([" "])
    assert world.findings() == [("gateway_no_identity", 1)]


@pytest.mark.parametrize(("mode", "reason"), [("off", "x"), (None, "x"), ("enforce", " "), ("enforce", None)])
def test_a_mode_change_needs_a_valid_mode_and_a_reason(world: World, mode: api.Mode, reason: str) -> None:
    world.governed("(code text PRIMARY KEY)")
    with pytest.raises(errors.BadArgument):
        api.gateway_mode(world.steward, "thing", mode, reason)


def test_a_mode_needs_a_collection_and_a_gateway(world: World) -> None:
    with pytest.raises(errors.UnknownCollection):
        api.gateway_mode(world.steward, "thing", "enforce", "x")
    world.governed("(code text PRIMARY KEY)", mode=None)
    with pytest.raises(errors.GatewayAbsent) as refusal:
        api.gateway_mode(world.steward, "thing", "enforce", "x")
    assert refusal.value.sqlstate == "NB505"


def test_a_renamed_table_keeps_its_gateway_and_is_reported(world: World) -> None:
    world.governed("(code text PRIMARY KEY)", mode="enforce")
    world.owner.execute("ALTER TABLE app.thing RENAME TO ding")
    world.insert(["a"], "ding")
    assert world.births() == ["a"]
    assert "gateway on another table than registered (renamed or moved)" in world.failed_checks()
    noticed = "SELECT what FROM birth.v_birth_attention WHERE what ~ '^thing|app[.]ding'"
    assert world.operator.execute(noticed.encode()).fetchall() != []
    world.register(table="ding")
    assert world.failed_checks() == {}
    assert world.operator.execute(noticed.encode()).fetchall() == []


def test_a_trigger_of_an_unregistered_collection_refuses_inserts(world: World) -> None:
    world.table("(code text PRIMARY KEY)")
    for call in ("fn_birth_registry_auto('ghost')", "fn_birth_registry_auto_id('ghost')", "fn_birth_registry_auto()"):
        world.admin.execute(
            "CREATE OR REPLACE TRIGGER ghost AFTER INSERT ON app.thing REFERENCING NEW TABLE AS birth_new_rows"
            f" FOR EACH STATEMENT EXECUTE FUNCTION birth.{call}".encode()
        )
        with pytest.raises(psycopg.Error) as refusal:
            world.insert(["a"])
        assert refusal.value.sqlstate == "NB503"


def test_a_table_of_a_thousand_columns_is_governed_like_any_other(world: World, level: str) -> None:
    columns = ", ".join(f"c{n} int" for n in range(1000))
    world.table(f"(code text PRIMARY KEY, {columns})" + (" PARTITION BY HASH (code)" if level == "row" else ""))
    if level == "row":
        world.table("PARTITION OF app.thing FOR VALUES WITH (MODULUS 1, REMAINDER 0)", "part")
    world.register()
    world.classify("column", column="code")
    world.attach(mode="enforce")
    world.insert(["a", "b"], "thing (code)")
    assert world.births() == ["a", "b"]


@pytest.mark.parametrize("column", ["t", "v", "s", "code", "birth_new_rows", "new", "birth"])
def test_a_table_may_have_a_column_of_any_name_beside_its_identity(world: World, level: str, column: str) -> None:
    world.owner.execute('CREATE TYPE app.trap AS (id text, "no" text)')
    world.table(f'(id text PRIMARY KEY, "{column}" app.trap)' + (" PARTITION BY HASH (id)" if level == "row" else ""))
    if level == "row":
        world.table("PARTITION OF app.thing FOR VALUES WITH (MODULUS 1, REMAINDER 0)", "part")
    world.register()
    world.classify("column", column="id")
    world.attach(mode="enforce")
    world.owner.execute("INSERT INTO app.thing VALUES ('right', ROW('wrong', 'wrong'))")
    assert world.births() == ["right"]
    assert world.failed_checks() == {}
    world.admin.execute("DELETE FROM birth.birth_registry")
    world.backfill()
    assert world.births() == ["right"]


@pytest.mark.parametrize(
    ("isolation", "refused"),
    [
        (IsolationLevel.READ_COMMITTED, "NB502"),
        # A snapshot that does not show the other's birth cannot say whose it is: PostgreSQL has the client try again.
        (IsolationLevel.REPEATABLE_READ, "40001"),
        (IsolationLevel.SERIALIZABLE, "40001"),
    ],
)
def test_of_two_sessions_with_the_same_code_the_later_waits_and_gets_the_owner(
    world: World, level: str, isolation: IsolationLevel, refused: str
) -> None:
    make(world, level, name="first")
    make(world, level, name="second")
    other = world.db.connect("nora_nobody")
    other.isolation_level = isolation

    def insert() -> None:
        with other.transaction():
            other.execute("INSERT INTO app.second VALUES ('same')")

    with ThreadPoolExecutor() as pool:
        with world.owner.transaction():
            world.owner.execute("INSERT INTO app.first VALUES ('same')")
            late = pool.submit(insert)
            wait_until_blocked(world.admin, other)
        with pytest.raises(psycopg.Error) as refusal:
            late.result()
    assert refusal.value.sqlstate == refused
    with pytest.raises(psycopg.Error) as again:
        other.execute("INSERT INTO app.second VALUES ('same')")
    assert again.value.sqlstate == "NB502"
    assert (world.births("first"), world.births("second")) == (["same"], [])


def test_the_later_session_gets_the_birth_if_the_earlier_rolls_back(world: World, level: str) -> None:
    make(world, level, name="first")
    make(world, level, name="second")
    other = world.db.connect("nora_nobody")
    with ThreadPoolExecutor() as pool:
        with world.owner.transaction(force_rollback=True):
            world.owner.execute("INSERT INTO app.first VALUES ('same')")
            late = pool.submit(other.execute, "INSERT INTO app.second VALUES ('same')")
            wait_until_blocked(world.admin, other)
        late.result()
    assert (world.births("first"), world.births("second")) == ([], ["same"])


@pytest.mark.parametrize("numbered", [False, True])
def test_bulk_inserts_in_opposite_order_queue_and_do_not_deadlock(world: World, numbered: bool) -> None:
    for name in ("first", "second"):
        if numbered:
            world.governed("(id int PRIMARY KEY)", name, strategy="synthetic_id", column="id", prefix="n-")
        else:
            world.governed("(id int PRIMARY KEY, code text UNIQUE)", name)
    # The first session stops in the middle of its births until the test lets it go on.
    world.admin.execute("""
        CREATE FUNCTION app.pause() RETURNS trigger LANGUAGE plpgsql AS
          'BEGIN IF new.entity_code LIKE ''%5'' THEN PERFORM pg_advisory_xact_lock(1); END IF; RETURN new; END';
        CREATE TRIGGER pause BEFORE INSERT ON birth.birth_registry FOR EACH ROW EXECUTE FUNCTION app.pause();
        SELECT pg_advisory_lock(1);
    """)
    other = world.db.connect("nora_nobody")
    fill = "INSERT INTO app.{} SELECT g" + ("" if numbered else ", 'n-' || g") + " FROM generate_series({}) g"
    with ThreadPoolExecutor() as pool:
        early = pool.submit(world.owner.execute, fill.format("first", "1, 9").encode())
        wait_until_blocked(world.admin, world.owner)
        late = pool.submit(other.execute, fill.format("second", "9, 1, -1").encode())
        wait_until_blocked(world.admin, other)
        world.admin.execute("SELECT pg_advisory_unlock(1)")
        early.result()
        late.result()
    assert (len(world.births("first")), world.births("second")) == (9, [])
    assert world.findings("second") == [("gateway_foreign", 9)]


def plans(world: World, statement: str) -> int:
    """Return how many plans the server makes for a statement, those within its triggers included."""
    told: list[str | None] = []
    with world.db.connect() as session:
        session.add_notice_handler(lambda notice: told.append(notice.message_primary))
        # A statement's plan is made for its values five times before one for any value is kept.
        for number in range(8):
            session.execute(statement.format(number).encode(), prepare=False)
        session.execute("SET client_min_messages = log; SET debug_print_plan = on")
        told.clear()
        session.execute(statement.format(8).encode(), prepare=False)
        return told.count("plan:") + told.count("plan")


@pytest.mark.parametrize(
    ("definition", "identity", "plans_of_the_gateway"),
    [
        ("(n int, id int PRIMARY KEY)", {"strategy": "synthetic_id", "column": "id", "prefix": "x-"}, 0),
        ("(n int, no int PRIMARY KEY)", {"strategy": "synthetic_id", "column": "no", "prefix": "x-"}, 1),
        ("(no int PRIMARY KEY, n int)", {"strategy": "synthetic_id", "column": "no", "prefix": "x-"}, 0),
        ("(n int, code text PRIMARY KEY)", {"strategy": "column", "column": "code"}, 1),
        ("(code text PRIMARY KEY, n int)", {"strategy": "column", "column": "code"}, 0),
        ("(code text PRIMARY KEY, n int)", {"strategy": "legacy", "template": "x-{code}"}, 1),
    ],
    ids=["a column called id", "another number", "a number first", "a code", "a code first", "a template"],
)
def test_a_single_row_insert_plans_only_the_code_expression(
    world: World, definition: str, identity: dict[str, str], plans_of_the_gateway: int
) -> None:
    world.governed(definition, **identity)  # type: ignore[arg-type]
    inserted = f"INSERT INTO app.thing ({identity.get('column', 'code')}) VALUES ('{{}}')"
    assert plans(world, inserted) == 1 + plans_of_the_gateway
    assert len(world.births()) == 9


FIRST = {
    "a code": ("text", {"strategy": "column"}, ["a", " a", "é", " ", "", "x" * 512, "x" * 513, None]),
    "a prefix and a code": (
        "text",
        {"strategy": "synthetic_id", "prefix": "P-"},
        ["a", " ", "", "x" * 510, "x" * 511, None],
    ),
    "a prefix that starts with white space": ("text", {"strategy": "synthetic_id", "prefix": " P"}, ["a", "", None]),
    "a varchar": ("varchar(9)", {"strategy": "column"}, ["a", "", None]),
    "a smallint": ("smallint", {"strategy": "synthetic_id", "prefix": "N-"}, ["-7", "7", None]),
    "an integer": ("integer", {"strategy": "column"}, ["-7", "7", None]),
    "a bigint": ("bigint", {"strategy": "synthetic_id", "prefix": "N-"}, ["7", str(2**62), None]),
    "a numeric": ("numeric", {"strategy": "synthetic_id", "prefix": "N-"}, ["1.50", "-0.0", "NaN", None]),
    "a uuid": ("uuid", {"strategy": "column"}, ["ABCDEF00-0000-4000-8000-000000000001", None]),
}


@pytest.mark.parametrize("identity", FIRST)
def test_single_rows_get_the_codes_that_rows_of_one_statement_get(world: World, identity: str) -> None:
    kind, how, values = FIRST[identity]
    world.governed(f"(key {kind} UNIQUE, note text)", column="key", **how)  # type: ignore[arg-type]
    world.owner.execute(f"INSERT INTO app.thing SELECT v::{kind} FROM unnest(%s::text[]) v".encode(), (values,))
    together = world.births(), world.value("SELECT sum(row_count) FROM birth.birth_gateway_finding")
    world.admin.execute("DELETE FROM birth.birth_registry; DELETE FROM birth.birth_gateway_finding")
    world.owner.execute("DELETE FROM app.thing")
    for value in values:
        world.owner.execute(f"INSERT INTO app.thing VALUES (%s::{kind})".encode(), (value,))
    assert (world.births(), world.value("SELECT sum(row_count) FROM birth.birth_gateway_finding")) == together


def test_columns_of_any_other_name_stand_beside_the_identity(world: World) -> None:
    names = ["c", "s", "t", "k", "first", "code", "v_code", "v_type", "count", "birth_new_rows"]
    world.governed(f"(id int PRIMARY KEY, {' int, '.join(names)} int)", mode="enforce", column="id")
    world.owner.execute("INSERT INTO app.thing VALUES (1)")
    world.owner.execute("INSERT INTO app.thing VALUES (2), (3)")
    assert world.births() == ["1", "2", "3"]


PLACED = {
    "renamed": ["ALTER TABLE app.thing RENAME code TO other"],
    "another gets its name": [
        "ALTER TABLE app.thing RENAME code TO other",
        "ALTER TABLE app.thing RENAME note TO code",
    ],
    "dropped": ["ALTER TABLE app.thing DROP code"],
    "another type": ["ALTER TABLE app.thing ALTER code TYPE integer USING 7"],
}


@pytest.mark.parametrize(
    ("change", "births"), [("renamed", []), ("another gets its name", ["note"]), ("dropped", []), ("another type", [])]
)
def test_a_session_notices_that_the_first_column_is_not_the_identity(
    world: World, change: str, births: list[str]
) -> None:
    world.governed("(code text PRIMARY KEY, note text)")
    for number in range(6):
        world.owner.execute("INSERT INTO app.thing VALUES (%s)", (str(number),))
    world.owner.execute("DELETE FROM app.thing")
    for statement in PLACED[change]:
        world.owner.execute(statement.encode())
    row = "'note'" if change == "dropped" else "7, 'note'"
    world.owner.execute(f"INSERT INTO app.thing VALUES ({row})".encode())
    assert world.births() == [*map(str, range(6)), *births]
    assert world.findings() == ([] if births else [("gateway_no_identity", 1)])


def test_a_first_column_that_is_named_as_if_it_were_dropped_gives_no_code_once_it_is(world: World) -> None:
    name = "........pg.dropped.1........"
    world.governed(f'("{name}" text PRIMARY KEY, note text)', column=name)
    world.owner.execute("INSERT INTO app.thing VALUES ('a', 'x')")
    world.owner.execute(f'ALTER TABLE app.thing DROP "{name}"'.encode())
    world.owner.execute("INSERT INTO app.thing VALUES ('b')")
    assert (world.births(), world.findings()) == (["a"], [("gateway_no_identity", 1)])


def test_the_name_that_a_table_had_before_gives_no_births(world: World) -> None:
    world.governed("(code text PRIMARY KEY)")
    world.owner.execute("INSERT INTO app.thing VALUES ('a')")
    world.owner.execute("ALTER TABLE app.thing RENAME TO ding")
    world.owner.execute("INSERT INTO app.ding VALUES ('b')")
    api.collection_register(world.steward, "thing", "app", "ding", "BIRTH_REQUIRED")
    world.table("(code text PRIMARY KEY)")
    world.admin.execute(
        "CREATE TRIGGER forged AFTER INSERT ON app.thing REFERENCING NEW TABLE AS birth_new_rows"
        " FOR EACH STATEMENT EXECUTE FUNCTION birth.fn_birth_registry_auto('thing')"
    )
    world.owner.execute("INSERT INTO app.thing VALUES ('forged')")
    world.owner.execute("INSERT INTO app.ding VALUES ('c')")
    assert world.births() == ["a", "b", "c"]


def test_a_multi_row_insert_plans_only_the_birth_insert(world: World) -> None:
    world.governed(BY_STATEMENT)
    for rows in (2, 1000):
        statement = f"INSERT INTO app.thing SELECT '{rows}-{{0}}-' || g FROM generate_series(1, {rows}) g"
        assert plans(world, statement) == 2
    assert len(world.births()) == 9 * 1002


def test_a_session_continues_after_the_first_column_was_replaced(world: World) -> None:
    world.governed("(code text PRIMARY KEY, other text, third text)", mode="enforce")
    world.owner.execute("INSERT INTO app.thing VALUES ('a', 'no', 'no')")
    world.owner.execute("ALTER TABLE app.thing ADD added text")
    world.owner.execute("INSERT INTO app.thing VALUES ('b', 'no', 'no', 'no')")
    world.owner.execute("ALTER TABLE app.thing DROP added")
    world.owner.execute("ALTER TABLE app.thing DROP code CASCADE; ALTER TABLE app.thing RENAME other TO code")
    world.owner.execute("INSERT INTO app.thing VALUES ('c', 'no')")
    world.owner.execute("INSERT INTO app.thing VALUES ('d', 'no'), ('e', 'no')")
    assert world.births() == ["a", "b", "c", "d", "e"]


def test_dropped_columns_before_the_identity_do_not_matter(world: World) -> None:
    world.governed("(a text, code text PRIMARY KEY, b text, c text)", mode="enforce")
    for number, change in enumerate(("", "DROP a", "ADD a text", "ADD added text", "DROP b")):
        if change:
            world.owner.execute(f"ALTER TABLE app.thing {change}".encode())
        for row in range(2):
            world.owner.execute(
                f"INSERT INTO app.thing (code, c) VALUES ('{number}-{row}', 'no')".encode(), prepare=False
            )
    assert len(world.births()) == 10
    assert world.failed_checks() == {}


BULK = 10_000


@pytest.mark.parametrize("numbered", [False, True])
def test_a_bulk_load_over_existing_codes_gives_births_to_the_new_ones(world: World, numbered: bool) -> None:
    identity: dict[str, str] = (
        {"strategy": "synthetic_id", "column": "id", "prefix": "n-"} if numbered else {"column": "code"}
    )
    definition = "(id int UNIQUE)" if numbered else "(code text UNIQUE)"
    made = "g" if numbered else "'n-' || g"
    world.governed(definition, "other", **identity)  # type: ignore[arg-type]
    world.governed(definition, "thing", **identity)  # type: ignore[arg-type]
    world.owner.execute(f"INSERT INTO app.other SELECT {made} FROM generate_series(1, 3) g".encode())
    world.owner.execute(f"INSERT INTO app.thing SELECT {made} FROM generate_series(10, 12) g".encode())
    world.owner.execute("DELETE FROM app.thing")
    world.owner.execute(f"INSERT INTO app.thing SELECT {made} FROM generate_series(1, {BULK + 1}) g".encode())
    assert len(world.births("thing")) == BULK + 1 - 3
    assert world.findings() == [("gateway_foreign", 3)]
    world.owner.execute("DELETE FROM app.thing")
    api.gateway_mode(world.steward, "thing", "enforce", "a test")
    with pytest.raises(psycopg.Error) as refusal:
        world.owner.execute(f"INSERT INTO app.thing SELECT {made} FROM generate_series(1, {BULK + 1}) g".encode())
    assert refusal.value.sqlstate == "NB502"


@pytest.mark.parametrize("numbered", [False, True])
@pytest.mark.parametrize("existing", [1, BULK])
def test_a_bulk_load_over_one_existing_code_leaves_no_dead_births(world: World, numbered: bool, existing: int) -> None:
    if numbered:
        world.governed("(id int PRIMARY KEY)", strategy="synthetic_id", column="id", prefix="n-")
    else:
        world.governed("(id int PRIMARY KEY)", strategy="legacy", template="{id}")
    world.owner.execute(f"INSERT INTO app.thing VALUES ({existing})".encode())
    world.owner.execute("DELETE FROM app.thing")
    before = world.value("SELECT pg_relation_size('birth.birth_registry')")
    world.owner.execute(f"INSERT INTO app.thing SELECT generate_series(1, {BULK})".encode())
    grown = world.value("SELECT pg_relation_size('birth.birth_registry')") - before
    assert len(world.births()) == BULK
    world.admin.execute("VACUUM FULL birth.birth_registry")
    assert grown <= world.value("SELECT pg_relation_size('birth.birth_registry')")


def test_two_rows_of_a_bulk_load_with_one_code_share_its_birth(world: World) -> None:
    world.governed("(a text, b text, PRIMARY KEY (a, b))", strategy="legacy", template="{a}{b}")
    rows = f"SELECT g::text, 'x' FROM generate_series(1, {BULK}) g UNION ALL SELECT '1x', ''"
    world.owner.execute(f"INSERT INTO app.thing {rows}".encode())
    assert len(world.births()) == BULK
    assert world.findings() == [("code_duplicate", 1)]


def test_a_bulk_load_waits_for_concurrent_codes_and_then_gets_its_births(world: World) -> None:
    for name in ("first", "second"):
        world.governed("(id int PRIMARY KEY, code text UNIQUE)", name)
    other = world.db.connect("nora_nobody")
    with ThreadPoolExecutor() as pool:
        with world.owner.transaction():
            world.owner.execute("INSERT INTO app.first VALUES (1, 'n-500')")
            late = pool.submit(
                other.execute, f"INSERT INTO app.second SELECT g, 'n-' || g FROM generate_series(1, {BULK}) g".encode()
            )
            wait_until_blocked(world.admin, other)
        late.result()
    assert len(world.births("second")) == BULK - 1
    assert world.findings("second") == [("gateway_foreign", 1)]


@pytest.mark.parametrize("name", ["thing", "other"])
def test_codes_that_are_there_are_found_whatever_the_planner_knows_of_the_registry(world: World, name: str) -> None:
    """A registry that was analysed when it had pages and no row has one row to the planner, however many come."""
    for table in ("thing", "other"):
        world.governed("(code text UNIQUE)", table)
    world.admin.execute(
        "SET session_replication_role = replica;"
        "INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin)"
        " SELECT 'gone-' || g, 'thing', 'a test' FROM generate_series(1, 500) g;"
        "DELETE FROM birth.birth_registry; ANALYZE birth.birth_registry"
    )
    assert world.value("SELECT reltuples = 0 AND relpages > 0 FROM pg_class WHERE relname = 'birth_registry'")
    codes = [f"c-{number}" for number in range(10_000)]
    world.insert(codes)
    world.owner.execute("DELETE FROM app.thing")
    # Each code beside every birth would take half a minute.
    world.owner.execute("SET statement_timeout = '5s'")
    world.insert(codes, name)
    assert len(world.births()) == len(codes)
    assert world.findings("other") == ([("gateway_foreign", len(codes))] if name == "other" else [])
