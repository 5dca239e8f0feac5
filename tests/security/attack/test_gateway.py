"""The gateway after the ground under it changed, and a trigger that somebody put where it does not belong."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from psycopg import IsolationLevel
from world import World, wait_until_blocked

from birthdb import api, errors

IDENTITIES: dict[str, dict[str, str]] = {
    "column": {"column": "id"},
    "synthetic_id": {"column": "id", "prefix": "t-"},
    "legacy": {"template": "A-{id:06}"},
}


@pytest.mark.parametrize("strategy", IDENTITIES)
def test_observe_lets_text_through_after_a_numeric_identity_was_retyped(world: World, strategy: str) -> None:
    identity: dict[str, Any] = IDENTITIES[strategy]
    world.governed("(id integer PRIMARY KEY)", strategy=strategy, **identity)  # type: ignore[arg-type]
    world.owner.execute("ALTER TABLE app.thing ALTER id TYPE text")
    # A table that outgrew its type may hold what its index still takes: long values shrink there.
    for value in ("ok", " ", "x" * 3000):
        world.insert([value])
    assert world.births() == []
    assert world.findings() == [("gateway_no_identity", 1)] * 3


def test_births_continue_after_a_numbered_identity_was_replaced(world: World) -> None:
    world.governed(
        "(id integer PRIMARY KEY, code text UNIQUE NOT NULL)",
        mode="enforce",
        strategy="synthetic_id",
        column="id",
        prefix="T-",
    )
    # The trigger stays the one for an id. Each identity gives the rows that are there the code that they have.
    world.owner.execute("INSERT INTO app.thing VALUES (1, 'T-1')")
    world.classify("column", column="code")
    world.owner.execute("INSERT INTO app.thing VALUES (2, 'T-2')")
    world.classify("legacy", template="T-{id}")
    world.owner.execute("INSERT INTO app.thing VALUES (3, 'T-3')")
    world.classify("synthetic_id", column="id", prefix="T-")
    world.owner.execute("INSERT INTO app.thing VALUES (4, 'four')")
    assert world.births() == ["T-1", "T-2", "T-3", "T-4"]
    assert world.findings() == []


@pytest.mark.parametrize(
    ("level", "routine"),
    [
        ("REFERENCING NEW TABLE AS birth_new_rows FOR EACH STATEMENT", "fn_birth_registry_auto"),
        ("FOR EACH ROW", "fn_birth_registry_auto"),
        ("REFERENCING NEW TABLE AS birth_new_rows FOR EACH STATEMENT", "fn_birth_registry_auto_id"),
    ],
)
def test_a_trigger_on_ones_own_table_writes_no_births_for_another_collection(
    world: World, level: str, routine: str
) -> None:
    world.admin.execute("CREATE TABLE public.prize (id integer PRIMARY KEY)")
    world.admin.execute("GRANT SELECT ON public.prize TO birth_scanner; GRANT TRIGGER ON public.prize TO birth_definer")
    world.register("prize", schema="public")
    world.classify("synthetic_id", "prize", column="id", prefix="P-")
    world.attach("prize")
    world.table("(id integer PRIMARY KEY)", "own")
    # Whoever adds partitions to a governed table may use one of the trigger functions; suppose it were both.
    world.admin.execute("GRANT USAGE ON SCHEMA birth TO birth_source_owner")
    world.admin.execute(f"GRANT EXECUTE ON FUNCTION birth.{routine}() TO birth_source_owner".encode())
    world.owner.execute(
        f"CREATE TRIGGER forged AFTER INSERT ON app.own {level} EXECUTE FUNCTION birth.{routine}('prize')".encode()
    )
    world.owner.execute("INSERT INTO app.own VALUES (7)")
    assert world.births("prize") == []
    assert world.findings("prize") == [("gateway_no_identity", 1)]
    api.gateway_mode(world.steward, "prize", "enforce", "ready")
    with pytest.raises(psycopg.Error) as refusal:
        world.owner.execute("INSERT INTO app.own VALUES (8)")
    assert refusal.value.sqlstate == errors.GatewayNoIdentity.sqlstate
    assert world.births("prize") == []


@pytest.mark.parametrize("table", ["TEMPORARY TABLE prize", "TEMPORARY TABLE own", "TABLE app.prize"])
@pytest.mark.parametrize(
    "level", ["REFERENCING NEW TABLE AS birth_new_rows FOR EACH STATEMENT", "FOR EACH ROW"], ids=["statement", "row"]
)
@pytest.mark.parametrize("missing", ["renamed", "dropped", "not made yet"])
def test_ones_own_table_writes_no_births_for_a_collection_without_a_table(
    world: World, table: str, level: str, missing: str
) -> None:
    """A source owner who can read may name the gateway's function, and put it on any table of their own."""
    if missing == "not made yet":
        world.register("prize", schema="public")
    else:
        world.admin.execute("CREATE TABLE public.prize (id integer PRIMARY KEY)")
        world.admin.execute("GRANT SELECT, TRIGGER ON public.prize TO birth_definer")
        world.register("prize", schema="public")
        world.classify("synthetic_id", "prize", column="id", prefix="P-")
        world.attach("prize")
        world.admin.execute(
            "ALTER TABLE public.prize RENAME TO award" if missing == "renamed" else "DROP TABLE public.prize"
        )
    world.admin.execute("GRANT USAGE ON SCHEMA birth TO birth_source_owner")
    name = table.split()[-1]
    world.owner.execute(f"CREATE {table} (id integer PRIMARY KEY)".encode())
    world.owner.execute(
        f"CREATE TRIGGER forged AFTER INSERT ON {name} {level}"
        " EXECUTE FUNCTION birth.fn_birth_registry_auto('prize')".encode()
    )
    world.owner.execute(f"INSERT INTO {name} VALUES (7)".encode())
    assert (world.births("prize"), world.findings("prize")) == ([], [("gateway_no_identity", 1)])
    if missing == "renamed":
        world.admin.execute("INSERT INTO public.award VALUES (8)")
        assert world.births("prize") == ["P-8"]


def test_a_temporary_table_is_not_taken_for_the_renamed_source(world: World) -> None:
    world.governed("(code text PRIMARY KEY)")
    world.owner.execute("ALTER TABLE app.thing RENAME TO ding")
    world.admin.execute("GRANT USAGE ON SCHEMA birth TO birth_source_owner")
    world.owner.execute("CREATE TEMPORARY TABLE thing (code text)")
    world.owner.execute(
        "CREATE TRIGGER forged AFTER INSERT ON thing FOR EACH ROW"
        " EXECUTE FUNCTION birth.fn_birth_registry_auto('thing')"
    )
    world.owner.execute("INSERT INTO thing VALUES ('forged'); INSERT INTO app.ding VALUES ('true')")
    assert world.births() == ["true"]


def test_a_partition_of_another_owner_keeps_its_births_when_the_root_is_renamed(world: World) -> None:
    world.table("(code text PRIMARY KEY) PARTITION BY HASH (code)")
    world.table("PARTITION OF app.thing FOR VALUES WITH (MODULUS 1, REMAINDER 0)", "part")
    world.register()
    world.classify("column", column="code")
    world.attach(mode="enforce")
    world.admin.execute("ALTER TABLE app.part OWNER TO CURRENT_USER")
    world.owner.execute("ALTER TABLE app.thing RENAME TO ding")
    world.insert(["a"], "ding")
    world.admin.execute("INSERT INTO app.part VALUES ('b')")
    assert world.births() == ["a", "b"]


SHADOWS = {
    "a table": "CREATE TEMP TABLE birth_new_rows (code text); INSERT INTO birth_new_rows VALUES ('forged')",
    "a view": "CREATE TEMP VIEW birth_new_rows AS SELECT app.ambush()::text AS code",
    "a table with a policy": "CREATE TEMP TABLE birth_new_rows (code text);"
    " INSERT INTO birth_new_rows VALUES ('forged');"
    " ALTER TABLE birth_new_rows ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON birth_new_rows USING (app.ambush())",
}


@pytest.mark.parametrize("shadow", SHADOWS)
@pytest.mark.parametrize("routine", ["fn_birth_registry_auto", "fn_birth_registry_auto_id"])
def test_a_temporary_relation_named_like_the_transition_table_is_not_read(
    world: World, shadow: str, routine: str
) -> None:
    world.governed("(code text PRIMARY KEY)")
    world.table("(code text)", "own")
    world.admin.execute("GRANT USAGE ON SCHEMA birth TO birth_source_owner")
    world.admin.execute(f"GRANT EXECUTE ON FUNCTION birth.{routine}() TO birth_source_owner".encode())
    world.owner.execute(
        "CREATE FUNCTION app.ambush() RETURNS boolean LANGUAGE plpgsql AS $$BEGIN"
        " INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin)"
        " VALUES ('by ' || current_user, 'thing', 'ambush') ON CONFLICT DO NOTHING; RETURN true; END$$"
    )
    world.owner.execute(
        "CREATE TRIGGER blind AFTER INSERT ON app.own FOR EACH STATEMENT"
        f" EXECUTE FUNCTION birth.{routine}('thing')".encode()
    )
    world.owner.execute(SHADOWS[shadow].encode())
    world.owner.execute("GRANT SELECT ON birth_new_rows TO public")
    with pytest.raises(psycopg.Error) as refusal:
        world.owner.execute("INSERT INTO app.own VALUES ('own')")
    assert refusal.value.sqlstate == errors.GatewayShadowed.sqlstate
    assert refusal.value.diag.message_detail
    assert refusal.value.diag.message_hint
    assert world.births() == []


@pytest.mark.parametrize("column", ["count", "num_nulls", "pg_column_size"])
def test_a_column_renamed_to_a_function_name_gives_no_code_under_an_old_snapshot(world: World, column: str) -> None:
    world.governed(f"({column} bigint PRIMARY KEY, x text)", strategy="column", column=column)
    with world.db.connect() as session:
        session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        session.execute("SELECT 1 FROM pg_class LIMIT 1")
        world.owner.execute(f"ALTER TABLE app.thing RENAME {column} TO renamed".encode())
        session.execute("INSERT INTO app.thing VALUES (77, 'a')")
        session.execute("INSERT INTO app.thing VALUES (78, 'b'), (79, 'c')")
        session.execute("COMMIT")
    assert world.births() == []
    assert world.findings() == [("gateway_no_identity", 3)]


@pytest.mark.parametrize("row", ["[1]", "5", "null", '{"id": "abc"}', None])
def test_resolving_a_value_that_is_no_row_is_refused(world: World, row: str | None) -> None:
    world.governed("(id integer PRIMARY KEY)", strategy="synthetic_id", column="id", prefix="t-", mode=None)
    resolve = "SELECT entity_code FROM birth.fn_birth_resolve_identity('thing', %s::jsonb)"
    with pytest.raises(psycopg.Error) as refusal:
        world.operator.execute(resolve, (row,))
    assert refusal.value.sqlstate == errors.BadArgument.sqlstate
    assert world.operator.execute(resolve, ('{"id": 7}',)).fetchone() == ("t-7",)


def test_a_steward_under_an_old_snapshot_is_refused(world: World) -> None:
    world.governed("(id integer PRIMARY KEY)", strategy="synthetic_id", column="id", prefix="t-")
    old = world.db.connect("alice_steward", autocommit=False)
    old.set_isolation_level(IsolationLevel.REPEATABLE_READ)
    for call in (
        "fn_birth_identity_classify('thing', 'synthetic_id', 'id', 'ZZ-')",
        "fn_birth_collection_register('thing', 'app', 'thing', 'BIRTH_EXEMPT_TEST')",
        "fn_birth_gateway_mode('thing', 'enforce', 'ready')",
        "fn_birth_gateway_fence()",
        "fn_birth_finding_acknowledge('thing', 'seen')",
        "fn_birth_collection_withdraw('thing', 'never came to be')",
    ):
        with pytest.raises(psycopg.Error) as refusal:
            old.execute(f"SELECT birth.{call}".encode())
        assert refusal.value.sqlstate == errors.IsolationLevel.sqlstate
        old.rollback()


def test_of_two_concurrent_registrations_of_a_table_the_later_gets_source_claimed(world: World) -> None:
    world.table("(code text PRIMARY KEY)")
    later = world.db.connect("alice_steward")
    with ThreadPoolExecutor(1) as elsewhere:
        with world.steward.transaction():
            world.register("first", "thing")
            waiting = elsewhere.submit(api.collection_register, later, "second", "app", "thing", "BIRTH_REQUIRED")
            wait_until_blocked(world.admin, later)
        with pytest.raises(errors.SourceClaimed):
            waiting.result(timeout=60)
    assert world.value("SELECT array_agg(collection_name) FROM birth.collection_registry") == ["first"]


TOLD = """
CREATE FUNCTION app.act() RETURNS void LANGUAGE plpgsql VOLATILE AS
  'BEGIN RAISE NOTICE ''ran as %'', current_user; END';
CREATE FUNCTION app.evil(n integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS
  'BEGIN PERFORM app.act(); RETURN n; END';
CREATE TYPE app.mood AS ENUM ('a');
CREATE FUNCTION app.told(app.mood) RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT 'a' || app.evil(1)$$;
CREATE CAST (app.mood AS text) WITH FUNCTION app.told(app.mood) AS IMPLICIT;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA app TO PUBLIC;
"""


@pytest.mark.parametrize("routine", ["fn_birth_registry_auto", "fn_birth_registry_auto_id"])
def test_a_cast_of_the_owner_does_not_run_as_birth_definer(world: World, routine: str) -> None:
    """The planner runs what is constant in it, whether or not a row is cast."""
    column, identity = ("id", {"strategy": "synthetic_id", "prefix": "T-"}) if routine.endswith("_id") else ("code", {})
    world.governed(f"({column} bigint PRIMARY KEY)", column=column, **identity)  # type: ignore[arg-type]
    assert world.value("SELECT routine FROM birth.v_birth_gateway_trigger") == routine
    heard: list[str | None] = []
    world.owner.add_notice_handler(lambda notice: heard.append(notice.message_primary))
    world.owner.execute(TOLD.encode())
    assert world.owner.execute("SELECT 'a'::app.mood::text").fetchone() == ("a1",)
    assert heard == ["ran as nora_nobody"]
    world.owner.execute(f"ALTER TABLE app.thing ALTER {column} TYPE app.mood USING 'a'".encode())
    world.owner.execute("INSERT INTO app.thing VALUES ('a')")
    assert set(heard) == {"ran as nora_nobody"}
    assert (world.births(), world.findings()) == ([], [("gateway_no_identity", 1)])
