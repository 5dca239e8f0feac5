"""Tables, people and settings that life triggers meet: what they cannot record is told; nobody kills for another."""

from typing import Any

import psycopg
import pytest
from helpers import Run, begin, step
from lives import ROWS, TABLE, agree, dead, death_run, deaths, living, parted, past, retiring, send
from support import RELEASER, downgrade
from world import APPLICATION, World

from birthdb import api, errors


def attention(world: World) -> list[str]:
    found = world.operator.execute("SELECT what FROM birth.v_birth_attention WHERE what LIKE 'life triggers%'")
    return [row[0].removeprefix("life triggers of thing: ") for row in found]


def detach(world: World) -> None:
    """Detach as the steward, and drop the triggers as the owner of the tables."""
    world.owner.execute(api.life_detach(world.steward, "thing", "a test").encode())


def failing(world: World) -> dict[str, list[str]]:
    return world.failed_checks()


# --- code of the application

SPY = """
CREATE TABLE app.ran (who text);
GRANT INSERT ON app.ran TO PUBLIC;
CREATE FUNCTION app.spy() RETURNS text IMMUTABLE LANGUAGE plpgsql AS
  'BEGIN INSERT INTO app.ran VALUES (current_user); RETURN ''spied''; EXCEPTION WHEN OTHERS THEN
   RAISE WARNING ''ran as %'', current_user; RETURN ''spied''; END';
GRANT EXECUTE ON FUNCTION app.spy() TO PUBLIC;
CREATE TYPE app.secret AS (v text);
CREATE FUNCTION app.told(app.secret) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT app.spy()';
CREATE CAST (app.secret AS text) WITH FUNCTION app.told(app.secret) AS IMPLICIT;
"""


@pytest.mark.parametrize("life", [{}, {"column": "status", "dead": ["closed"]}])
def test_no_code_of_the_application_runs_as_birth_definer(world: World, life: Any) -> None:
    world.owner.execute(SPY.encode())
    notices: list[str | None] = []
    world.owner.add_notice_handler(lambda notice: notices.append(notice.message_primary))
    world.governed("(a app.secret, code text PRIMARY KEY, status text, b app.secret)")
    api.life_attach(world.steward, "thing", **life)
    send(
        world,
        "INSERT INTO app.thing VALUES (ROW('x'), 'a', 'open', ROW('x')), (ROW('x'), 'b', 'open', ROW('x'))",
        "INSERT INTO app.thing (code) VALUES ('c'), ('d'), ('e')",
    )
    send(world, "DELETE FROM app.thing WHERE code = 'a'")
    send(world, "DELETE FROM app.thing WHERE code IN ('c', 'd')", "UPDATE app.thing SET code = 'n' WHERE code = 'e'")
    send(world, "TRUNCATE app.thing")
    # Once no trigger names the column, it can become anything.
    world.owner.execute("DROP TRIGGER birth_life_update ON app.thing")
    world.owner.execute("ALTER TABLE app.thing ALTER status TYPE app.secret USING ROW(status)::app.secret")
    send(world, "INSERT INTO app.thing (code, status) VALUES ('f', ROW('x'))", "DELETE FROM app.thing")
    world.owner.execute("ALTER TABLE app.thing ALTER code TYPE app.secret USING ROW(code)::app.secret")
    send(world, "INSERT INTO app.thing (code) VALUES (ROW('y'))", "DELETE FROM app.thing")
    assert world.owner.execute("SELECT who FROM app.ran").fetchall() == []
    assert [notice for notice in notices if "ran as" in (notice or "")] == []


@pytest.mark.parametrize("level", ["STATEMENT", "ROW"])
@pytest.mark.parametrize("mode", ["observe", "enforce"])
def test_a_table_that_names_the_collection_of_another_kills_nobody(world: World, level: str, mode: Any) -> None:
    living(world, mode=mode)
    send(world, ROWS)
    old, new, leaf = "REFERENCING OLD TABLE AS birth_old_rows", "REFERENCING NEW TABLE AS birth_new_rows", "thing"
    world.admin.execute(f"CREATE SCHEMA lair AUTHORIZATION {APPLICATION}".encode())
    if level == "ROW":
        old, new, leaf = "", "", "low"
        world.owner.execute("CREATE TABLE lair.thing (id bigint, note text) PARTITION BY LIST (id)")
        world.owner.execute("CREATE TABLE lair.low PARTITION OF lair.thing DEFAULT")
    else:
        world.owner.execute("CREATE TABLE lair.thing (id bigint, note text)")
    for event, table, how in (
        ("AFTER DELETE", "thing", f"{old} FOR EACH {level}"),
        ("AFTER INSERT", "thing", f"{new} FOR EACH {level}"),
        ("AFTER UPDATE", "thing", "FOR EACH ROW"),
        ("BEFORE TRUNCATE", leaf, "FOR EACH STATEMENT"),
    ):
        world.owner.execute(
            f"CREATE TRIGGER {event.split()[1]}_it {event} ON lair.{table} {how}"
            " EXECUTE FUNCTION birth.fn_birth_life_auto('thing', 'forged')".encode()
        )
    for statement in (
        "INSERT INTO lair.thing VALUES (1), (2), (3), (4), (5)",
        "DELETE FROM lair.thing WHERE id = 1",
        "DELETE FROM lair.thing WHERE id < 4",
        "UPDATE lair.thing SET id = 1 WHERE id = 5",
    ):
        world.owner.execute(statement.encode())
    if mode == "observe":
        world.owner.execute("TRUNCATE lair.thing")
    else:
        with pytest.raises(errors.TruncateRefused), api.refusals():
            send(world, "TRUNCATE lair.thing")
    assert deaths(world) == {}
    assert attention(world) == []
    agree(world)


def test_a_temporary_table_named_like_the_transition_table_is_refused(world: World) -> None:
    retiring(world)
    send(world, "INSERT INTO app.thing VALUES (1), (2)")
    for name, statement in (
        ("birth_old_rows", "DELETE FROM app.thing WHERE id = 1"),
        ("birth_old_rows", "UPDATE app.thing SET id = 3 WHERE id = 1"),
        ("birth_new_rows", "INSERT INTO app.thing VALUES (4)"),
    ):
        world.owner.execute(f"CREATE TEMP TABLE {name} (id bigint)".encode())
        with pytest.raises(errors.GatewayShadowed), api.refusals():
            send(world, statement)
        world.owner.execute(f"DROP TABLE {name}".encode())
    assert deaths(world) == {}
    agree(world)


# --- tables that change


def test_rows_of_a_child_table_take_no_code_with_them(world: World) -> None:
    living(world)
    send(world, ROWS)
    world.owner.execute("CREATE TABLE app.child () INHERITS (app.thing)")
    send(world, "INSERT INTO app.child SELECT g, 'child' FROM generate_series(1, 3) g")
    send(world, "DELETE FROM app.thing WHERE id = 1 AND note = 'child'")
    send(world, "DELETE FROM app.thing WHERE note = 'child'")
    assert dead(world) == []
    send(world, "DELETE FROM app.thing WHERE id = 1")
    send(world, "DELETE FROM app.thing WHERE id < 4")
    assert dead(world) == ["T-1", "T-2", "T-3"]


@pytest.mark.parametrize("change", ["RENAME id TO ident", "RENAME status TO state", "DROP status CASCADE"])
@pytest.mark.parametrize("shape", ["plain", "parted"])
def test_what_a_changed_table_does_not_tell_is_a_finding(world: World, change: str, shape: str) -> None:
    if shape == "plain":
        retiring(world)
    else:
        parted(world, "observe", "status text", column="status", dead=["closed"])
    key = "ident" if "ident" in change else "id"
    send(world, "INSERT INTO app.thing VALUES (1), (2), (3), (4), (5)")
    world.owner.execute(f"ALTER TABLE app.thing {change}".encode())
    send(world, f"DELETE FROM app.thing WHERE {key} = 1")
    send(world, f"DELETE FROM app.thing WHERE {key} < 4")
    send(world, f"UPDATE app.thing SET {key} = 7 WHERE {key} = 4")
    send(world, "TRUNCATE app.thing")
    assert dead(world) == []
    found = {error for error, _ in world.findings()}
    assert "life_unread" in found
    if "DROP" in change:
        assert attention(world) == ["some are missing"]
    else:
        assert attention(world) == [f"the table has no column {change.split()[1]} any more"]
        with pytest.raises(errors.LifeRefused):
            api.life_mode(world.steward, "thing", "enforce", "a test")


def test_an_enforced_life_refuses_to_take_rows_that_it_cannot_read(world: World) -> None:
    living(world, mode="enforce")
    send(world, ROWS)
    world.owner.execute("ALTER TABLE app.thing RENAME id TO ident")
    for statement in ("DELETE FROM app.thing WHERE ident = 1", "DELETE FROM app.thing"):
        with pytest.raises(errors.LifeUnread), api.refusals():
            send(world, statement)
    world.owner.execute("ALTER TABLE app.thing RENAME ident TO id")
    world.owner.execute("REVOKE SELECT ON app.thing FROM birth_scanner")
    # Where nothing has to be looked for, nothing is read.
    send(world, "DELETE FROM app.thing WHERE id = 1")
    with pytest.raises(errors.LifeUnread), api.refusals():
        send(
            world,
            "DELETE FROM app.thing WHERE id = 2",
            "INSERT INTO app.thing VALUES (2)",
            "DELETE FROM app.thing WHERE id = 2",
        )
    assert dead(world) == ["T-1"]


def test_a_look_that_fails_is_a_finding_when_life_is_observed(world: World) -> None:
    living(world)
    send(world, ROWS)
    world.owner.execute("ALTER TABLE app.thing ENABLE ROW LEVEL SECURITY")
    send(world, "INSERT INTO app.thing VALUES (9)", "DELETE FROM app.thing WHERE id = 9")
    send(world, "DELETE FROM app.thing WHERE id = 1", "TRUNCATE app.thing")
    assert dead(world) == ["T-1"]
    assert [error for error, _ in world.findings()] == ["life_unread", "life_unread"]
    world.owner.execute("ALTER TABLE app.thing DISABLE ROW LEVEL SECURITY")
    death_run(world, 5)
    agree(world)


def test_a_renamed_table_keeps_its_life(world: World) -> None:
    living(world)
    send(world, ROWS)
    world.owner.execute("ALTER TABLE app.thing RENAME TO other")
    send(
        world,
        "DELETE FROM app.other WHERE id = 1",
        "DELETE FROM app.other WHERE id IN (2, 3)",
        "INSERT INTO app.other VALUES (3)",
        "UPDATE app.other SET id = 9 WHERE id = 4",
    )
    assert dead(world) == ["T-1", "T-2", "T-4"]
    # Once the name is another table's, the rows of the former one are not the collection's any more.
    world.table(TABLE)
    send(world, "DELETE FROM app.other WHERE id = 3", "DELETE FROM app.other", "TRUNCATE app.other")
    assert dead(world) == ["T-1", "T-2", "T-4"]


def test_a_first_column_that_was_replaced_does_not_matter(world: World) -> None:
    living(world)
    send(world, ROWS)
    send(world, "DELETE FROM app.thing WHERE id = 1")
    world.owner.execute("ALTER TABLE app.thing ADD k bigint DEFAULT 2")
    send(world, "DELETE FROM app.thing WHERE id IN (2, 3)")
    assert dead(world) == ["T-1", "T-2", "T-3"]
    agree(world)


def test_a_key_behind_other_columns_lives_and_dies(world: World) -> None:
    world.governed("(gone int, note int DEFAULT 7, code varchar PRIMARY KEY)")
    world.owner.execute("ALTER TABLE app.thing DROP gone")
    api.life_attach(world.steward, "thing")
    send(world, "INSERT INTO app.thing (code) VALUES ('7'), ('a'), ('b')")
    send(world, "DELETE FROM app.thing WHERE code = 'a'")
    send(world, "DELETE FROM app.thing WHERE code = '7'")
    assert dead(world) == ["7", "a"]
    agree(world)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("varchar(20)", ["a", "b"]),
        ("text", [" a", "é"]),
        ("smallint", ["-1", "2"]),
        ("uuid", ["00000000-0000-0000-0000-000000000001", "ffffffff-0000-0000-0000-000000000001"]),
        ("numeric", ["1.0", "2.50"]),
    ],
)
def test_keys_of_every_type_live_and_die(world: World, kind: str, values: list[str]) -> None:
    world.governed(f"(code {kind} PRIMARY KEY)")
    api.life_attach(world.steward, "thing", "enforce")
    one, other = values
    send(world, f"INSERT INTO app.thing VALUES ('{one}'), ('{other}')")
    send(world, f"DELETE FROM app.thing WHERE code = '{one}'")
    assert dead(world) == [one]
    send(world, f"DELETE FROM app.thing WHERE code = '{other}'", f"INSERT INTO app.thing VALUES ('{other}')")
    assert dead(world) == [one]
    agree(world)


def test_a_number_that_is_written_otherwise_is_another_code(world: World) -> None:
    world.governed("(code numeric PRIMARY KEY)")
    api.life_attach(world.steward, "thing")
    send(world, "INSERT INTO app.thing VALUES (1.0)")
    send(world, "UPDATE app.thing SET code = 1.00")
    assert deaths(world) == {"1.0": ("REKEY", "1.00", 1, True)}
    send(world, "DELETE FROM app.thing", "INSERT INTO app.thing VALUES (1.000)")
    assert dead(world) == ["1.0", "1.00"]
    agree(world)


def test_keys_that_a_collation_calls_equal_are_told_apart(world: World) -> None:
    if not world.value("SELECT EXISTS (SELECT FROM pg_collation WHERE collname = 'und-x-icu')"):
        pytest.skip("a build with ICU")
    blind = "(provider = icu, locale = 'und-u-ks-level2', deterministic = false)"
    world.owner.execute(f"CREATE COLLATION app.blind {blind}".encode())
    world.governed("(code text COLLATE app.blind PRIMARY KEY)")
    api.life_attach(world.steward, "thing")
    send(world, "INSERT INTO app.thing VALUES ('a'), ('b')")
    send(world, "DELETE FROM app.thing WHERE code = 'a'", "INSERT INTO app.thing VALUES ('A')")
    send(
        world,
        "INSERT INTO app.thing VALUES ('c')",
        "DELETE FROM app.thing WHERE code = 'c'",
        "INSERT INTO app.thing VALUES ('C')",
    )
    assert dead(world) == ["a", "c"]
    agree(world)


def test_an_identity_that_is_classified_anew_is_seen(world: World) -> None:
    world.governed(
        "(id bigint PRIMARY KEY, code text UNIQUE NOT NULL)", strategy="synthetic_id", column="id", prefix="T-"
    )
    api.life_attach(world.steward, "thing")
    world.classify("column", column="code")
    assert attention(world) == ["its identity changed since they were attached"]
    send(world, "INSERT INTO app.thing VALUES (1, '2'), (2, '1'), (3, '3')")
    send(world, "DELETE FROM app.thing WHERE id = 1")
    send(world, "DELETE FROM app.thing WHERE id IN (1, 2)", "UPDATE app.thing SET id = 9")
    assert dead(world) == []
    assert {error for error, _ in world.findings()} == {"life_unread"}
    with pytest.raises(errors.LifeRefused):
        api.life_mode(world.steward, "thing", "enforce", "a test")
    detach(world)
    api.life_attach(world.steward, "thing")
    assert attention(world) == []
    death_run(world, 2)
    agree(world)


# --- what a steward takes back alone


@pytest.mark.parametrize("rows", ["(7, 'x')", "(7, 'x'), (8, 'x')"])
def test_a_row_that_comes_again_after_life_was_detached_ends_its_death(world: World, rows: str) -> None:
    living(world)
    world.owner.execute(f"INSERT INTO app.thing VALUES {rows}".encode())
    world.owner.execute("DELETE FROM app.thing")
    detach(world)
    assert "T-7" in dead(world)
    world.owner.execute(f"INSERT INTO app.thing VALUES {rows}".encode())
    assert dead(world) == []


def test_a_life_that_was_detached_stays_in_attention_until_it_is_enforced_again(world: World) -> None:
    def told() -> list[tuple[str, str]]:
        return world.operator.execute(
            "SELECT what, next_step FROM birth.v_birth_attention WHERE what LIKE 'the life of%'"
        ).fetchall()

    retiring(world, "enforce")
    api.life_mode(world.steward, "thing", "observe", "rows are refused")
    [(what, _)] = told()
    assert what == "the life of thing was set back to observe by alice_steward: rows are refused"
    detach(world)
    [(what, _)] = told()
    assert what == "the life of thing was set back to off by alice_steward: rows are refused"
    api.life_attach(world.steward, "thing", column="status", dead=["gone"])
    assert len(told()) == 1
    detach(world)
    [(_, step)] = told()
    world.steward.execute(step.encode())
    assert told() == []
    assert world.value("SELECT life_mode || life_dead[1] FROM birth.v_birth_life") == "enforcegone"


# --- triggers that do not fire


def test_triggers_that_are_disabled_or_gone_are_seen(world: World) -> None:
    retiring(world)
    names = ["birth_life_delete", "birth_life_update", "birth_life_truncate", "birth_life_insert"]
    for name in names:
        world.owner.execute(f"ALTER TABLE app.thing DISABLE TRIGGER {name}".encode())
        assert attention(world) == ["some are disabled, or do not fire for replicated rows"]
        with pytest.raises(errors.LifeRefused):
            api.life_mode(world.steward, "thing", "enforce", "a test")
        world.owner.execute(f"ALTER TABLE app.thing ENABLE REPLICA TRIGGER {name}".encode())
        assert attention(world) == ["some are disabled, or do not fire for replicated rows"]
        world.owner.execute(f"ALTER TABLE app.thing ENABLE ALWAYS TRIGGER {name}".encode())
        assert attention(world) == []
    api.life_mode(world.steward, "thing", "enforce", "a test")
    api.life_mode(world.steward, "thing", "observe", "a test")
    for name in names:
        world.owner.execute(f"DROP TRIGGER {name} ON app.thing".encode())
        assert attention(world) == ["none is there" if name == names[-1] else "some are missing"]
        with pytest.raises(errors.LifeRefused):
            api.life_mode(world.steward, "thing", "enforce", "a test")


def test_a_new_partition_without_a_trigger_on_truncate_is_seen(world: World) -> None:
    parted(world)
    assert attention(world) == []
    world.owner.execute("CREATE TABLE app.more PARTITION OF app.thing FOR VALUES FROM (100) TO (200)")
    assert attention(world) == ["partition app.more has none on TRUNCATE"]
    send(world, "INSERT INTO app.thing VALUES (100), (101)", "DELETE FROM app.thing WHERE id = 100")
    send(world, "TRUNCATE app.more")
    assert dead(world) == ["T-100"]
    assert failing(world) == {"births without a row or a death": ["T-101"]}
    world.owner.execute(world.value("SELECT next_step FROM birth.v_birth_life").encode())
    assert attention(world) == []
    send(world, "INSERT INTO app.thing VALUES (102)", "TRUNCATE app.more")
    assert dead(world) == ["T-100", "T-102"]
    world.owner.execute("GRANT TRIGGER ON app.more TO birth_definer")
    detach(world)
    api.life_attach(world.steward, "thing")
    assert attention(world) == []
    death_run(world, 1)
    agree(world)


def test_rows_that_are_replicated_need_triggers_that_always_fire(world: World) -> None:
    living(world)
    send(world, ROWS)
    world.admin.execute("SET session_replication_role = replica")
    world.admin.execute("DELETE FROM app.thing WHERE id = 1")
    assert dead(world) == []
    assert failing(world) == {"births without a row or a death": ["T-1"]}
    for name in ("delete", "update", "truncate"):
        world.owner.execute(f"ALTER TABLE app.thing ENABLE ALWAYS TRIGGER birth_life_{name}".encode())
    world.admin.execute("DELETE FROM app.thing WHERE id = 2")
    world.admin.execute("UPDATE app.thing SET id = 9 WHERE id = 3")
    assert dead(world) == ["T-2", "T-3"]
    world.admin.execute("TRUNCATE app.thing")
    assert dead(world) == ["T-2", "T-3", "T-4", "T-5", "T-9"]
    world.admin.execute("RESET session_replication_role")
    death_run(world, 1)
    agree(world)


def subscribed(world: World, table: str = "app.thing") -> None:
    """Let the catalogue say that a subscription writes into the table; none is there to write."""
    name = world.db.name
    world.admin.execute(f"CREATE SUBSCRIPTION {name} CONNECTION '' PUBLICATION p WITH (connect = false)".encode())
    world.admin.execute("SET allow_system_table_mods = on")
    world.admin.execute(
        "INSERT INTO pg_subscription_rel (srsubid, srrelid, srsubstate)"
        f" SELECT oid, '{table}'::regclass, 'r' FROM pg_subscription WHERE subname = '{name}'".encode()
    )


def unsubscribed(world: World) -> None:
    name = world.db.name
    world.admin.execute(f"ALTER SUBSCRIPTION {name} DISABLE; ALTER SUBSCRIPTION {name} SET (slot_name = NONE)".encode())
    world.admin.execute(f"DROP SUBSCRIPTION {name}".encode())


@pytest.mark.parametrize("shape", ["plain", "parted"])
def test_a_table_that_is_replicated_into_is_observed_alone(world: World, shape: str) -> None:
    if shape == "plain":
        world.governed(TABLE, strategy="synthetic_id", column="id", prefix="T-")
    else:
        parted(world)
        detach(world)
    subscribed(world, "app.thing" if shape == "plain" else "app.low")
    try:
        with pytest.raises(errors.LifeRefused):
            api.life_attach(world.steward, "thing", "enforce")
        assert world.value("SELECT count(*) FROM birth.v_birth_life_trigger") == 0
        told = api.life_attach(world.steward, "thing")
        assert attention(world) == ["some are disabled, or do not fire for replicated rows"]
        for statement in told.split(";")[:-1]:
            world.owner.execute(statement.encode())
        assert attention(world) == []
        with pytest.raises(errors.LifeRefused):
            api.life_mode(world.steward, "thing", "enforce", "a test")
    finally:
        unsubscribed(world)


# --- policies


def test_an_exempt_collection_records_nothing(world: World) -> None:
    living(world)
    send(world, ROWS)
    world.change_policy("BIRTH_EXEMPT_LOG", accept=5)
    send(
        world,
        "DELETE FROM app.thing WHERE id = 1",
        "DELETE FROM app.thing WHERE id < 4",
        "UPDATE app.thing SET id = 9 WHERE id = 4",
        "TRUNCATE app.thing",
    )
    assert (deaths(world), world.findings()) == ({}, [])


@pytest.mark.parametrize("mode", ["observe", "enforce"])
def test_a_deferred_collection_records_deaths_and_refuses_nothing(world: World, mode: Any) -> None:
    living(world, mode=mode)
    send(world, ROWS)
    world.change_policy("BIRTH_DEFERRED_NEEDS_REVIEW", accept=5)
    send(world, "DELETE FROM app.thing WHERE id = 1")
    send(world, "DELETE FROM app.thing WHERE id < 4", "UPDATE app.thing SET id = 5 + id")
    send(world, "INSERT INTO app.thing VALUES (1)", "TRUNCATE app.thing")
    assert set(dead(world)) >= {"T-1", "T-2", "T-3", "T-4", "T-5"}


def test_a_life_that_is_off_records_nothing(world: World) -> None:
    retiring(world)
    send(world, "INSERT INTO app.thing VALUES (1, 'open'), (2, 'open'), (3, 'open')")
    api.life_mode(world.steward, "thing", "off", "a test")
    send(
        world,
        "DELETE FROM app.thing WHERE id = 1",
        "UPDATE app.thing SET status = 'closed' WHERE id = 2",
        "UPDATE app.thing SET id = 9 WHERE id = 2",
        "INSERT INTO app.thing VALUES (10, 'closed')",
    )
    send(world, "TRUNCATE app.thing")
    assert (deaths(world), world.findings()) == ({}, [])
    api.life_mode(world.steward, "thing", "observe", "a test")
    death_run(world, 4)
    agree(world)


def test_a_closed_table_can_be_emptied(world: World) -> None:
    api.gate_scope(world.steward, "app", "enforce", "a test")
    living(world)
    assert world.value("SELECT gate_closed FROM birth.collection_registry")
    past(world, ROWS)
    send(world, "DELETE FROM app.thing WHERE id = 1", "DELETE FROM app.thing WHERE id < 3", "TRUNCATE app.thing")
    assert deaths(world) == {}


# --- doors


def state(world: World) -> Any:
    return world.admin.execute(
        "SELECT (SELECT array_agg(c::text) FROM birth.collection_registry c),"
        " (SELECT array_agg(d::text ORDER BY d.entity_code) FROM birth.birth_death d),"
        " (SELECT count(*) FROM birth.birth_act), (SELECT array_agg(tgname) FROM pg_trigger)"
    ).fetchall()


#: Arguments that no type allows.
NO_MODE: Any = "strict"
NO_VALUES: Any = [None]
NOTHING: Any = None


def ask(conn: psycopg.Connection[Any], call: str) -> None:
    """Call a routine with arguments that no wrapper passes on."""
    with api.refusals():
        conn.execute(f"SELECT birth.{call}".encode())


DOORS = {
    "SELECT birth.fn_birth_life_attach('thing')": "birth_steward",
    "SELECT birth.fn_birth_life_mode('thing', 'off', 'x')": "birth_steward",
    "SELECT birth.fn_birth_life_detach('thing', 'x')": "birth_steward",
    "SELECT birth.fn_birth_return('T-1', 'x')": "birth_steward",
    "SELECT birth.fn_birth_succeed('T-1', 'T-2', 'x')": "birth_steward",
    "SELECT * FROM birth.fn_dot_birth_qt006_plan('thing', false)": "birth_operator",
    "CALL birth.sp_dot_birth_qt006_apply(gen_random_uuid(), 1)": "birth_operator",
}


@pytest.mark.parametrize("door", DOORS)
def test_nobody_else_opens_a_door(world: World, door: str) -> None:
    living(world)
    send(world, ROWS)
    send(world, "DELETE FROM app.thing WHERE id = 1")
    before = state(world)
    people = {
        "alice_steward": "birth_steward",
        "olga_operator": "birth_operator",
        "rita_reviewer": "birth_reviewer",
        "paul_owner": "birth_permit_owner",
        "dora_dba": "birth_dba",
        APPLICATION: None,
    }
    for person, role in people.items():
        if role != DOORS[door]:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                world.person(person).execute(door.encode())
    assert state(world) == before


@pytest.mark.parametrize(
    "routine",
    [
        "life_end",
        "life_write",
        "life_look",
        "life_return",
        "life_change",
        "life_truncate",
        "life_report",
        "life_unborn",
        "death_write",
        "death_undo",
    ],
)
def test_internal_routines_are_for_birth_definer_alone(world: World, routine: str) -> None:
    granted = world.admin.execute(
        "SELECT p.oid::regprocedure::text, a.grantee::regrole::text FROM pg_proc p"
        " CROSS JOIN LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a"
        " WHERE p.pronamespace = 'birth'::regnamespace AND p.proname = %s",
        (f"fn_birth_{routine}",),
    ).fetchall()
    assert [role for _, role in granted] == ["birth_definer"]


def test_nobody_writes_deaths_by_hand(world: World) -> None:
    living(world)
    send(world, ROWS)
    for person in ("alice_steward", "olga_operator", "rita_reviewer", "paul_owner", "dora_dba", APPLICATION):
        for statement in (
            "INSERT INTO birth.birth_death (entity_code, collection_name, manner) VALUES ('T-1', 'thing', 'DELETE')",
            "UPDATE birth.birth_death SET lives = 7",
            "DELETE FROM birth.birth_death",
            "TRUNCATE birth.birth_death",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                world.person(person).execute(statement.encode())


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda w: api.life_attach(w.steward, "thing"), errors.LifeAttached),
        (lambda w: api.life_attach(w.steward, "nothing"), errors.UnknownCollection),
        (lambda w: api.life_attach(w.steward, "thing", NO_MODE), errors.BadArgument),
        (lambda w: api.life_attach(w.steward, "thing", column="note"), errors.BadArgument),
        (lambda w: api.life_attach(w.steward, "thing", dead=["x"]), errors.BadArgument),
        (lambda w: api.life_attach(w.steward, "thing", column="note", dead=NO_VALUES), errors.BadArgument),
        (lambda w: api.life_attach(w.steward, "thing", NOTHING), errors.BadArgument),
        (lambda w: ask(w.steward, "fn_birth_life_attach('thing', 'observe', 'note', NULL)"), errors.BadArgument),
        (lambda w: api.life_mode(w.steward, "thing", NO_MODE, "x"), errors.BadArgument),
        (lambda w: api.life_mode(w.steward, "thing", NOTHING, "x"), errors.BadArgument),
        (lambda w: api.life_mode(w.steward, "thing", "off", NOTHING), errors.BadArgument),
        (lambda w: api.life_mode(w.steward, "thing", "off", " "), errors.BadArgument),
        (lambda w: api.life_mode(w.steward, "nothing", "off", "x"), errors.UnknownCollection),
        (lambda w: api.life_mode(w.steward, "other", "observe", "x"), errors.LifeAbsent),
        (lambda w: api.life_detach(w.steward, "thing", ""), errors.BadArgument),
        (lambda w: api.life_detach(w.steward, "thing", NOTHING), errors.BadArgument),
        (lambda w: api.life_detach(w.steward, "nothing", "x"), errors.UnknownCollection),
        (lambda w: api.life_detach(w.steward, "other", "x"), errors.LifeAbsent),
        (lambda w: api.life_attach(w.steward, "gone"), errors.SourceMissing),
        (lambda w: api.life_attach(w.steward, "unclassified"), errors.IdentityNotEligible),
        (lambda w: api.life_attach(w.steward, "other", column="missing", dead=["x"]), errors.LifeRefused),
        (lambda w: api.life_attach(w.steward, "other", column="kind", dead=["x"]), errors.LifeRefused),
        (lambda w: api.life_attach(w.steward, "two"), errors.LifeRefused),
        (lambda w: api.life_attach(w.steward, "ungoverned"), errors.LifeRefused),
        (lambda w: api.life_attach(w.steward, "walled"), errors.LifeRefused),
        (lambda w: api.life_attach(w.steward, "unread"), errors.SourcePrivilege),
        (lambda w: api.code_return(w.steward, "T-2", "x"), errors.CodeNotDead),
        (lambda w: api.code_return(w.steward, "T-99", "x"), errors.CodeNotDead),
        (lambda w: api.code_return(w.steward, "T-5", "x"), errors.CodeNotDead),
        (lambda w: api.code_return(w.steward, "T-1", "\t"), errors.BadArgument),
        (lambda w: api.code_return(w.steward, "T-1", NOTHING), errors.BadArgument),
        (lambda w: api.code_return(w.steward, NOTHING, "x"), errors.BadArgument),
        (lambda w: api.code_succeed(w.steward, "T-1", "T-1", "x"), errors.SuccessionRefused),
        (lambda w: api.code_succeed(w.steward, "T-2", "T-2", "x"), errors.SuccessionRefused),
        (lambda w: api.code_succeed(w.steward, "T-2", "T-3", "x"), errors.SuccessionRefused),
        (lambda w: api.code_succeed(w.steward, "T-1", "T-4", "x"), errors.SuccessionRefused),
        (lambda w: api.code_succeed(w.steward, "T-1", "T-99", "x"), errors.SuccessionRefused),
        (lambda w: api.code_succeed(w.steward, "T-99", "T-2", "x"), errors.SuccessionRefused),
        (lambda w: api.code_succeed(w.steward, "T-1", "o1", "x"), errors.SuccessionRefused),
        (lambda w: api.code_succeed(w.steward, "T-5", "T-2", "x"), errors.SuccessionRefused),
        (lambda w: api.code_succeed(w.steward, "T-1", "T-2", ""), errors.BadArgument),
        (lambda w: api.code_succeed(w.steward, "T-1", "T-2", NOTHING), errors.BadArgument),
        (lambda w: api.code_succeed(w.steward, "T-1", NOTHING, "x"), errors.BadArgument),
        (lambda w: api.code_succeed(w.steward, NOTHING, "T-2", "x"), errors.BadArgument),
        (lambda w: ask(w.operator, "fn_dot_birth_qt006_plan('thing', NULL)"), errors.BadArgument),
    ],
)
def test_a_refusal_changes_nothing(world: World, call: Any, error: type[Exception]) -> None:
    living(world)
    send(world, ROWS, "DELETE FROM app.thing WHERE id IN (1, 4, 5)")
    send(world, "INSERT INTO app.thing VALUES (5)")
    world.owner.execute("CREATE TYPE app.mood AS ENUM ('good')")
    world.governed("(code text PRIMARY KEY, kind app.mood)", "other")
    world.insert(["o1"], "other (code)")
    world.governed("(a text, b text, PRIMARY KEY (a, b))", "two", strategy="legacy", template="{a}-{b}")
    world.governed("(code text PRIMARY KEY)", "ungoverned", mode=None)
    world.governed("(code text PRIMARY KEY)", "walled")
    world.owner.execute("ALTER TABLE app.walled ENABLE ROW LEVEL SECURITY")
    world.governed("(code text PRIMARY KEY)", "unread")
    world.owner.execute("REVOKE SELECT ON app.unread FROM birth_scanner")
    world.governed("(code text PRIMARY KEY)", "gone")
    world.owner.execute("DROP TABLE app.gone")
    world.table("(code text PRIMARY KEY)", "unclassified")
    world.register("unclassified")
    before = state(world)
    with pytest.raises(error):
        call(world)
    assert state(world) == before


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("T-1", "T-1", "nothing succeeds itself"),
        ("T-1", "T-99", "both codes need a birth"),
        ("T-1", "o1", "the two births are of different collections"),
        ("T-1", "T-4", "T-4 is dead itself"),
        ("T-2", "T-3", "T-2 is not dead"),
    ],
)
def test_a_succession_that_is_refused_says_why(world: World, old: str, new: str, said: str) -> None:
    living(world)
    send(world, ROWS, "DELETE FROM app.thing WHERE id IN (1, 4)")
    world.governed("(code text PRIMARY KEY)", "other")
    world.insert(["o1"], "other")
    with pytest.raises(errors.SuccessionRefused) as refused:
        api.code_succeed(world.steward, old, new, "x")
    assert refused.value.detail == said


def test_what_stewards_do_to_lives_is_on_record(world: World) -> None:
    retiring(world)
    send(world, "INSERT INTO app.thing VALUES (1), (2)")
    send(world, "DELETE FROM app.thing WHERE id = 1")
    api.life_mode(world.steward, "thing", "enforce", "a test")
    api.code_return(world.steward, "T-1", "found again")
    api.code_succeed(world.steward, "T-1", "T-2", "merged")
    api.life_detach(world.steward, "thing", "the end")
    found = world.admin.execute(
        "SELECT act, actor, reason, detail FROM birth.birth_act"
        " WHERE act IN ('life_attach', 'life_mode', 'life_detach', 'return', 'succeed') ORDER BY act_id"
    )
    (*others, (detached, *who, said)) = found.fetchall()
    assert others == [
        ("life_attach", "alice_steward", None, {"mode": "observe", "column": "status", "dead": ["closed", "merged"]}),
        ("life_mode", "alice_steward", "a test", {"mode": "enforce", "before": "observe"}),
        ("return", "alice_steward", "found again", {"entity_code": "T-1"}),
        ("succeed", "alice_steward", "merged", {"entity_code": "T-1", "successor": "T-2"}),
    ]
    assert (detached, *who) == ("life_detach", "alice_steward", "the end")
    assert "DROP TRIGGER birth_life_delete ON app.thing;" in said["for_owner"]


def test_a_virtual_column_says_nothing_about_life(world: World) -> None:
    if world.admin.info.server_version < 180000:
        pytest.skip("PostgreSQL 18")
    world.governed(
        "(code text PRIMARY KEY, n int, status text GENERATED ALWAYS AS (n::text) VIRTUAL,"
        " kept text GENERATED ALWAYS AS (CASE n WHEN 1 THEN 'open' ELSE 'closed' END) STORED)"
    )
    with pytest.raises(errors.LifeRefused):
        api.life_attach(world.steward, "thing", column="status", dead=["2"])
    api.life_attach(world.steward, "thing", column="kept", dead=["closed"])
    send(world, "INSERT INTO app.thing (code, n) VALUES ('a', 1), ('b', 2)")
    assert dead(world) == ["b"]
    send(world, "UPDATE app.thing SET n = 2 WHERE code = 'a'")
    assert dead(world) == ["a", "b"]
    agree(world)


# --- death runs


def test_a_row_that_returns_between_plan_and_batch_stops_the_run(world: World) -> None:
    living(world)
    send(world, ROWS)
    past(world, "DELETE FROM app.thing WHERE id < 4", trigger="birth_life_delete")
    plan = api.death_plan(world.operator, "thing", dry_run=False)
    permit = world.judged(plan["run_id"], accept=3, rows=3)
    send(world, "INSERT INTO app.thing VALUES (2)")
    with pytest.raises(errors.PlanStale):
        api.death_apply(world.operator, plan["run_id"], permit, execute=True)
    assert (deaths(world), world.value("SELECT status FROM birth.birth_backfill_ledger_v2")) == ({}, "planned")
    death_run(world, 2)
    agree(world)


def test_a_run_over_a_source_that_is_empty_ends_all_when_all_is_accepted(world: World) -> None:
    living(world)
    send(world, ROWS)
    past(world, "TRUNCATE app.thing", trigger="birth_life_truncate")
    plan = api.death_plan(world.operator, "thing", dry_run=False)
    for accept in (4, 6):
        with pytest.raises(errors.VerdictMalformed):
            world.judged(plan["run_id"], accept=accept, rows=5)
    permit = world.judged(plan["run_id"], accept=5, rows=5)
    api.death_apply(world.operator, plan["run_id"], permit, execute=True)
    assert len(dead(world)) == 5
    agree(world)


def test_a_run_whose_death_returned_and_came_again_is_not_undone(world: World) -> None:
    living(world)
    send(world, ROWS)
    past(world, "DELETE FROM app.thing WHERE id < 4", trigger="birth_life_delete")
    run = death_run(world, 3)
    send(world, "INSERT INTO app.thing VALUES (2)")
    send(world, "DELETE FROM app.thing WHERE id = 2")
    assert deaths(world)["T-2"] == ("DELETE", None, 2, True)
    permit = world.judged(run, purpose="COMPENSATE", rows=3)
    with pytest.raises(errors.BirthsTouched) as refusal:
        api.compensate(world.operator, run, permit, execute=True)
    assert "T-2 died again" in str(refusal.value.detail)
    assert [row for row in api.run_audit(world.person("rita_reviewer"), run) if not row["pass"]] == []
    agree(world)


def test_the_undoing_of_a_second_run_leaves_the_first_as_it_was(world: World) -> None:
    living(world)
    send(world, ROWS)
    past(world, "DELETE FROM app.thing WHERE id < 4", trigger="birth_life_delete")
    first = death_run(world, 3)
    send(world, "INSERT INTO app.thing VALUES (2)")
    past(world, "DELETE FROM app.thing WHERE id = 2", trigger="birth_life_delete")
    second = death_run(world, 1)
    permit = world.judged(first, purpose="COMPENSATE", rows=3)
    with pytest.raises(errors.BirthsTouched):
        api.compensate(world.operator, first, permit, execute=True)
    permit = world.judged(second, purpose="COMPENSATE", rows=1)
    api.compensate(world.operator, second, permit, execute=True)
    assert deaths(world)["T-2"][-1] is False
    for run in (first, second):
        assert [row for row in api.run_audit(world.person("rita_reviewer"), run) if not row["pass"]] == []
    third = death_run(world, 1)
    for run in (first, second, third):
        assert [row for row in api.run_audit(world.person("rita_reviewer"), run) if not row["pass"]] == []
    agree(world)


def test_a_steward_who_allows_the_return_of_what_died_in_the_same_transaction_changes_nothing(world: World) -> None:
    living(world)
    world.owner.execute("GRANT ALL ON app.thing TO alice_steward; GRANT USAGE ON SCHEMA app TO alice_steward")
    send(world, ROWS)
    send(world, "DELETE FROM app.thing WHERE id = 1")
    send(world, "INSERT INTO app.thing VALUES (1)")
    with world.steward.transaction():
        world.steward.execute("DELETE FROM app.thing WHERE id = 1")
        api.code_return(world.steward, "T-1", "a test")
        world.steward.execute("INSERT INTO app.thing VALUES (1)")
    assert deaths(world)["T-1"] == ("DELETE", None, 2, False)
    agree(world)


# --- downgrades


def refused_downgrade(world: World) -> str:
    with pytest.raises(psycopg.Error) as refusal:
        downgrade(world.db.url(RELEASER), "stage4")
    return f"{refusal.value.sqlstate} {refusal.value.diag.message_detail}"


def test_a_downgrade_waits_for_triggers_and_deaths(world: World) -> None:
    living(world)
    send(world, ROWS)
    assert refused_downgrade(world) == "NB416 thing"
    api.life_mode(world.steward, "thing", "off", "a test")
    assert refused_downgrade(world) == "NB416 thing"
    api.life_mode(world.steward, "thing", "observe", "a test")
    send(world, "DELETE FROM app.thing WHERE id = 1", "INSERT INTO app.thing VALUES (1)")
    detach(world)
    send(world, "DELETE FROM app.thing WHERE id = 2")
    downgrade(world.db.url(RELEASER), "stage4")
    # The gateway goes on.
    send(world, "INSERT INTO app.thing VALUES (2), (9)", "INSERT INTO app.thing VALUES (10)", "DELETE FROM app.thing")
    assert len(world.births()) == 7


def test_a_downgrade_destroys_no_death(world: World) -> None:
    living(world)
    send(world, ROWS)
    past(world, "DELETE FROM app.thing WHERE id = 1", trigger="birth_life_delete")
    run = death_run(world, 1)
    detach(world)
    send(world, "INSERT INTO app.thing VALUES (1)")
    past(world, "DELETE FROM app.thing WHERE id = 1")
    permit = world.judged(run, purpose="COMPENSATE", rows=1)
    with pytest.raises(errors.BirthsTouched):
        api.compensate(world.operator, run, permit, execute=True)
    assert refused_downgrade(world).startswith("NB409 birth.birth_death holds 1 rows")


def test_a_planned_row_that_is_deleted_during_its_run_stops_it(world: World) -> None:
    living(world)
    past(world, ROWS)
    run = Run("thing", *(planned := world.permitted()), planned[2])
    begin(world.operator, run, batch=2)
    assert step(world.operator, run, batch=2) == "running"
    send(world, "DELETE FROM app.thing WHERE id = 1")
    assert step(world.operator, run, batch=2) == "running"
    send(world, "DELETE FROM app.thing WHERE id = 5")
    with pytest.raises(psycopg.Error) as refusal:
        step(world.operator, run, batch=2)
    assert refusal.value.sqlstate == errors.SourceChanged.sqlstate
    assert dead(world) == ["T-1"]
    assert world.births() == ["T-1", "T-2", "T-3", "T-4"]
    agree(world)


@pytest.mark.parametrize(
    ("kind", "dead", "said"),
    [
        ("date", "2020-01-31", "the text of column status depends on settings or code (type date)"),
        ("timestamptz", "x", "the text of column status depends on settings or code"),
        ("interval", "x", "the text of column status depends on settings or code"),
        ("bytea", "x", "the text of column status depends on settings or code"),
        ("boolean", "t", "no value of column status (type boolean) reads 't'; it would read 'true'"),
        ("boolean", "gone", "no value of column status (type boolean) reads 'gone'"),
        ("numeric(6,2)", "1", "no value of column status (type numeric(6,2)) reads '1'; it would read '1.00'"),
        ("varchar(3)", "closed", "no value of column status (type character varying(3)) reads 'closed'"),
        ("integer", "99999999999", "no value of column status (type integer) reads '99999999999'"),
    ],
)
def test_rows_retire_by_a_value_that_their_column_can_have(world: World, kind: str, dead: str, said: str) -> None:
    world.governed(f"(code text PRIMARY KEY, status {kind})")
    with pytest.raises(errors.LifeRefused) as refusal:
        api.life_attach(world.steward, "thing", column="status", dead=[dead])
    assert said in str(refusal.value.detail)
    assert world.value("SELECT life_mode || life_key::text FROM birth.collection_registry") == "off{}"


@pytest.mark.parametrize(
    ("kind", "dead", "value"),
    [
        ("boolean", "true", "true"),
        ("numeric(6,2)", "1.00", "1"),
        ("char(5)", "gone", "'gone'"),
        ('"char"', "g", "'g'"),
        ("name", "gone", "'gone'"),
        ("smallint", "-1", "-1"),
        ("boolean GENERATED ALWAYS AS (n > 0) STORED", "true", "DEFAULT"),
    ],
)
def test_a_row_retires_by_a_column_of_each_kind(world: World, kind: str, dead: str, value: str) -> None:
    world.governed(f"(code text PRIMARY KEY, n int, status {kind})")
    api.life_attach(world.steward, "thing", "enforce", column="status", dead=[dead])
    world.owner.execute("SET DateStyle = 'German'")
    world.owner.execute("INSERT INTO app.thing (code, n) VALUES ('a', 0)")
    world.owner.execute(f"UPDATE app.thing SET n = 1, status = {value}".encode())
    world.owner.execute("DELETE FROM app.thing")
    assert world.admin.execute("SELECT entity_code, manner FROM birth.birth_death").fetchall() == [("a", "STATUS")]


def test_a_row_that_moves_to_another_partition_is_not_refused_where_rows_retire_by_status(world: World) -> None:
    world.table("(id int, region int, status text, PRIMARY KEY (id, region)) PARTITION BY RANGE (region)")
    world.owner.execute(
        "CREATE TABLE app.low PARTITION OF app.thing FOR VALUES FROM (0) TO (10);"
        "CREATE TABLE app.high PARTITION OF app.thing FOR VALUES FROM (10) TO (20);"
        "GRANT TRIGGER ON app.low, app.high TO birth_definer"
    )
    world.register()
    world.classify("legacy", template="T-{id}/{region}")
    world.attach(mode="enforce")
    api.life_attach(world.steward, "thing", "enforce", column="status", dead=["closed"])
    world.owner.execute("INSERT INTO app.thing VALUES (1, 2, 'open')")
    world.owner.execute("UPDATE app.thing SET region = 12")
    assert world.births() == ["T-1/12", "T-1/2"]
    assert world.admin.execute("SELECT entity_code, manner FROM birth.birth_death").fetchall() == [("T-1/2", "DELETE")]
    assert world.findings() == [("not_retired", 1)]


def test_a_table_that_can_no_longer_be_read_is_in_attention_before_it_is_needed(world: World) -> None:
    world.governed("(code text PRIMARY KEY)")
    api.life_attach(world.steward, "thing")
    world.owner.execute("REVOKE SELECT ON app.thing FROM birth_scanner")
    found = "SELECT next_step FROM birth.v_birth_attention WHERE what = %s"
    step = world.value(found, "life triggers of thing: birth_scanner may not read the table")
    assert step.endswith("  -- the owner of the table")
    world.owner.execute(step.encode())
    assert world.value("SELECT fault FROM birth.v_birth_life") is None


def test_a_lost_gateway_under_an_enforced_life_is_a_warning(world: World) -> None:
    world.governed("(code text PRIMARY KEY)")
    api.life_attach(world.steward, "thing", "enforce")
    world.owner.execute("DROP TRIGGER birth_gateway ON app.thing")
    found = "SELECT severity FROM birth.v_birth_attention WHERE what = 'thing is required and has no enabled gateway'"
    assert world.value(found) == "warning"
