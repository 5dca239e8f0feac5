"""Attaching only ever creates triggers, of the level that fits the table; detaching says what it may not do itself."""

import psycopg
import pytest
from support import worker
from world import APPLICATION, World, sql

from birthdb import api, errors

ROUTINES = "SELECT oid, proname, prosrc, proowner, proacl::text FROM pg_proc ORDER BY oid"
TRIGGERS = (
    "SELECT c.relname, p.proname, t.tgtype & 1 = 1 FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
    " JOIN pg_proc p ON p.oid = t.tgfoid WHERE t.tgname = 'birth_gateway' ORDER BY 1"
)


def test_attaching_creates_a_trigger_and_no_routine(world: World) -> None:
    world.governed("(code text PRIMARY KEY)", mode=None)
    before = world.admin.execute(ROUTINES).fetchall()
    next_step = world.attach()
    assert world.admin.execute(ROUTINES).fetchall() == before
    assert world.admin.execute(TRIGGERS).fetchall() == [("thing", "fn_birth_registry_auto", False)]
    assert "fn_dot_birth_qt001_plan" in next_step
    world.operator.execute(next_step.encode())


def test_a_numbered_identity_over_id_gets_the_faster_gateway(world: World) -> None:
    world.governed("(id int PRIMARY KEY)", strategy="synthetic_id", column="id", prefix="n-")
    assert world.admin.execute(TRIGGERS).fetchall() == [("thing", "fn_birth_registry_auto_id", False)]


def test_a_partitioned_table_gets_a_row_trigger_that_its_partitions_inherit(world: World) -> None:
    world.table("(id int PRIMARY KEY) PARTITION BY HASH (id)")
    world.table("PARTITION OF app.thing FOR VALUES WITH (MODULUS 1, REMAINDER 0)", "part")
    world.register()
    world.classify("synthetic_id", column="id", prefix="n-")
    world.attach()
    assert world.admin.execute(TRIGGERS).fetchall() == [
        ("part", "fn_birth_registry_auto", True),
        ("thing", "fn_birth_registry_auto", True),
    ]


def test_a_single_partition_gets_a_row_trigger(world: World) -> None:
    world.table("(code text PRIMARY KEY) PARTITION BY HASH (code)", "root")
    world.governed("PARTITION OF app.root FOR VALUES WITH (MODULUS 1, REMAINDER 0)", mode="enforce")
    assert world.admin.execute(TRIGGERS).fetchall() == [("thing", "fn_birth_registry_auto", True)]
    world.insert(["a"], "root")
    world.insert(["b"], "thing")
    assert world.births() == ["a", "b"]


def grants(refusal: pytest.ExceptionInfo[errors.BirthError]) -> str:
    """Return the statements that the hint gives to the owner of the table."""
    assert refusal.value.sqlstate == "NB115"
    assert refusal.value.hint is not None
    return refusal.value.hint.removeprefix("let the owner of the table: ")


def test_a_missing_privilege_is_named_by_the_exact_grant(world: World) -> None:
    world.governed("(code text PRIMARY KEY)", mode=None)
    world.owner.execute(
        "REVOKE ALL ON SCHEMA app FROM birth_definer; REVOKE ALL ON app.thing FROM birth_definer, birth_scanner"
    )
    with pytest.raises(errors.SourcePrivilege) as refusal:
        world.attach()
    assert grants(refusal) == "GRANT USAGE ON SCHEMA app TO birth_definer; GRANT TRIGGER ON app.thing TO birth_definer;"
    world.owner.execute(grants(refusal).encode())
    world.attach()
    assert world.blockers()[0] == "NB115"
    with pytest.raises(errors.SourcePrivilege) as refusal:
        world.failed_checks()
    assert grants(refusal) == "GRANT SELECT ON app.thing TO birth_scanner;"
    world.owner.execute(grants(refusal).encode())
    assert world.failed_checks() == {}


def test_the_printed_grant_for_a_hostile_name_can_be_executed(world: World) -> None:
    names = {"schema": 'a"b.c', "table": "User's; --"}
    world.admin.execute(sql("CREATE SCHEMA {schema}", **names))
    world.admin.execute(sql("CREATE TABLE {schema}.{table} (code text PRIMARY KEY)", **names))
    world.register(table=names["table"], schema=names["schema"])
    world.classify("column", column="code")
    with pytest.raises(errors.SourcePrivilege) as refusal:
        world.attach()
    world.admin.execute(grants(refusal).encode())
    world.attach()


def test_partitions_need_the_privilege_too_and_are_named(world: World) -> None:
    world.table("(code text PRIMARY KEY) PARTITION BY HASH (code)")
    world.owner.execute("CREATE TABLE app.part PARTITION OF app.thing FOR VALUES WITH (MODULUS 1, REMAINDER 0)")
    world.register()
    world.classify("column", column="code")
    with pytest.raises(errors.SourcePrivilege) as refusal:
        world.attach()
    assert "app.part" in grants(refusal)
    world.owner.execute(grants(refusal).encode())
    world.attach()
    world.insert(["a"])
    assert world.births() == ["a"]


def test_the_owner_of_a_partitioned_table_can_still_add_partitions(world: World) -> None:
    world.governed("(code text PRIMARY KEY) PARTITION BY LIST (code)", mode="enforce")
    world.owner.execute("CREATE TABLE app.a PARTITION OF app.thing FOR VALUES IN ('a')")
    world.owner.execute("CREATE TABLE app.b (code text PRIMARY KEY)")
    world.owner.execute("ALTER TABLE app.thing ATTACH PARTITION app.b FOR VALUES IN ('b')")
    world.insert(["a", "b"])
    assert world.births() == ["a", "b"]


def test_attach_refuses_an_owner_who_could_no_longer_add_partitions(world: World) -> None:
    names = {"login": f"partitioner_{worker()}"}
    world.admin.execute(sql("CREATE ROLE {login} LOGIN", **names))
    try:
        world.table("(code text PRIMARY KEY) PARTITION BY LIST (code)")
        world.admin.execute(sql("ALTER TABLE app.thing OWNER TO {login}; GRANT ALL ON SCHEMA app TO {login}", **names))
        world.register()
        world.classify("column", column="code")
        with pytest.raises(errors.SourcePrivilege) as refusal:
            world.attach()
        world.admin.execute(grants(refusal).encode())
        world.attach()
        world.person(names["login"]).execute("CREATE TABLE app.a PARTITION OF app.thing FOR VALUES IN ('a')")
        world.admin.execute("INSERT INTO app.a VALUES ('a')")
        assert world.births() == ["a"]
    finally:
        world.admin.execute(sql("DROP OWNED BY {login}; DROP ROLE {login}", **names))


def test_attach_waits_only_briefly_for_a_lock(world: World) -> None:
    world.governed("(code text PRIMARY KEY)", mode=None)
    with world.owner.transaction():
        world.owner.execute("LOCK app.thing IN ROW EXCLUSIVE MODE")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            world.attach()
    world.attach()


def test_a_second_attach_is_refused(world: World) -> None:
    world.governed("(code text PRIMARY KEY)")
    with pytest.raises(errors.GatewayAttached) as refusal:
        world.attach()
    assert refusal.value.sqlstate == "NB504"


@pytest.mark.parametrize("mode", ["off", "", None])
def test_an_unknown_mode_is_refused(world: World, mode: api.Mode) -> None:
    world.governed("(code text PRIMARY KEY)", mode=None)
    with pytest.raises(errors.BadArgument):
        api.rows(world.steward, "fn_birth_gateway_attach", p_collection="thing", p_mode=mode)


def test_attach_refuses_ineligible_tables(world: World) -> None:
    with pytest.raises(errors.UnknownCollection):
        world.attach("nothing")
    world.register()
    with pytest.raises(errors.SourceMissing):
        world.attach()


def test_detaching_prints_the_statement_for_the_owner_and_stops_enforcing(world: World) -> None:
    world.governed("(code text PRIMARY KEY)", mode="enforce")
    statement = api.gateway_detach(world.steward, "thing", "moved")
    assert "DROP TRIGGER birth_gateway ON app.thing;" in statement
    world.insert([" "])
    assert world.findings() == [("gateway_no_identity", 1)]
    world.owner.execute(statement.encode())
    world.insert(["a"])
    assert world.births() == []
    assert "no gateway on the table" in world.failed_checks()


def test_detaching_drops_the_triggers_of_a_table_that_birth_definer_owns(world: World) -> None:
    world.governed("(code text PRIMARY KEY)")
    world.admin.execute("ALTER TABLE app.thing OWNER TO birth_definer")
    api.gateway_detach(world.steward, "thing", "moved")
    assert world.admin.execute(TRIGGERS).fetchall() == []
    world.attach()


def test_detaching_needs_a_gateway_and_a_reason(world: World) -> None:
    with pytest.raises(errors.UnknownCollection):
        api.gateway_detach(world.steward, "thing", "x")
    world.governed("(code text PRIMARY KEY)", mode=None)
    with pytest.raises(errors.GatewayAbsent):
        api.gateway_detach(world.steward, "thing", "x")
    for reason in (" ", None):
        with pytest.raises(errors.BadArgument):
            api.gateway_detach(world.steward, "thing", reason)  # type: ignore[arg-type]


# Code of the application that must never run with birth_definer's rights: each writes down who ran it.
SPY = """
CREATE TABLE app.ran (who text);
GRANT INSERT ON app.ran TO PUBLIC;
CREATE FUNCTION app.spy() RETURNS text LANGUAGE plpgsql AS
  'BEGIN INSERT INTO app.ran VALUES (current_user); RETURN ''spied''; END';
GRANT EXECUTE ON FUNCTION app.spy() TO PUBLIC;
CREATE TYPE app.secret AS (v text);
CREATE FUNCTION app.told(app.secret) RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN app.spy(); END';
CREATE FUNCTION app.as_json(app.secret) RETURNS json LANGUAGE plpgsql AS 'BEGIN PERFORM app.spy(); RETURN ''1''; END';
CREATE CAST (app.secret AS text) WITH FUNCTION app.told(app.secret) AS IMPLICIT;
CREATE CAST (app.secret AS json) WITH FUNCTION app.as_json(app.secret);
CREATE FUNCTION app.always(text) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN PERFORM app.spy(); RETURN true; END';
CREATE DOMAIN app.watched AS text CHECK (app.always(VALUE));
"""


def test_no_code_of_the_application_runs_as_birth_definer(world: World) -> None:
    world.owner.execute(SPY.encode())
    for tail, name in (("", "plain"), (" PARTITION BY HASH (code)", "parted")):
        world.table(f"(code text PRIMARY KEY, a app.secret, b app.watched, c app.secret[]){tail}", name)
        world.owner.execute(
            f"ALTER TABLE app.{name} ENABLE ROW LEVEL SECURITY;"
            f"CREATE POLICY p ON app.{name} USING (app.always(code)) WITH CHECK (app.always(code))".encode()
        )
    world.table("PARTITION OF app.parted FOR VALUES WITH (MODULUS 1, REMAINDER 0)", "part")
    for name in ("plain", "parted"):
        world.register(name)
        world.classify("column", name, column="code")
        world.attach(name, "enforce")
        world.owner.execute(
            f"INSERT INTO app.{name} VALUES ('{name}', ROW('x'), 'x', ARRAY[ROW('y')]::app.secret[])".encode()
        )
        assert world.births(name) == [name]
        # A policy makes an error and never a shorter table.
        with pytest.raises(errors.SourcePrivilege):
            world.failed_checks(name)
        assert "NB115" in world.blockers(name)
        world.owner.execute(f"ALTER TABLE app.{name} DISABLE ROW LEVEL SECURITY".encode())
        world.admin.execute("DELETE FROM birth.birth_registry")
        assert world.failed_checks(name) == {"rows without a birth": [name]}
        world.backfill(name)
    assert {row[0] for row in world.owner.execute("SELECT who FROM app.ran")} <= {APPLICATION}


def test_no_code_of_the_application_runs_as_birth_definer_after_a_column_was_retyped(world: World) -> None:
    world.owner.execute(SPY.encode())
    world.governed("(code text PRIMARY KEY)")
    world.owner.execute("ALTER TABLE app.thing ALTER code TYPE app.secret USING ROW(code)::app.secret")
    world.owner.execute("INSERT INTO app.thing VALUES (ROW('x'))")
    assert world.findings() == [("gateway_no_identity", 1)]
    assert world.blockers()[0] == "NB105"
    assert next(iter(world.failed_checks())).startswith("identity is not eligible")
    assert world.owner.execute("SELECT who FROM app.ran").fetchall() == []


def test_a_view_that_replaces_the_table_is_never_read(world: World) -> None:
    world.owner.execute(SPY.encode())
    world.governed("(code text PRIMARY KEY)", mode=None)
    world.owner.execute("ALTER TABLE app.thing RENAME TO real; CREATE VIEW app.thing AS SELECT app.spy() AS code")
    world.owner.execute("GRANT SELECT ON app.thing TO birth_scanner")
    assert world.blockers()[0] == "NB105"
    world.failed_checks()
    assert world.owner.execute("SELECT who FROM app.ran").fetchall() == []


def test_enforce_needs_an_eligible_identity_and_an_enabled_gateway(world: World) -> None:
    world.governed("(code text PRIMARY KEY, other text)")
    world.owner.execute("ALTER TABLE app.thing DISABLE TRIGGER birth_gateway")
    with pytest.raises(errors.GatewayAbsent) as refusal:
        api.gateway_mode(world.steward, "thing", "enforce", "a test")
    assert "disabled" in str(refusal.value.detail)
    world.owner.execute("ALTER TABLE app.thing ENABLE TRIGGER birth_gateway; ALTER TABLE app.thing DROP COLUMN code")
    with pytest.raises(errors.IdentityNotEligible):
        api.gateway_mode(world.steward, "thing", "enforce", "a test")
    assert world.value("SELECT gateway_mode FROM birth.collection_registry") == "observe"


def test_a_governed_table_becomes_a_partition_without_its_own_trigger(world: World) -> None:
    world.governed("(code text PRIMARY KEY) PARTITION BY LIST (code)", "root")
    world.governed("(code text PRIMARY KEY)", "part")
    attach = "ALTER TABLE app.root ATTACH PARTITION app.part FOR VALUES IN ('a')"
    with pytest.raises(psycopg.errors.DuplicateObject):
        world.owner.execute(attach)
    world.owner.execute("DROP TRIGGER birth_gateway ON app.part")
    world.owner.execute(attach)
    world.owner.execute("INSERT INTO app.root VALUES ('a')")
    assert world.births("root") == ["a"]
