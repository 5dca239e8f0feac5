"""Statements of the application that make it hard to tell whether a code's row is gone."""

from typing import Any

import pytest
from lives import (
    ROWS,
    agree,
    dead,
    death_run,
    deaths,
    living,
    parted,
    past,
    retiring,
    send,
)
from psycopg.sql import Literal
from world import World, sql

from birthdb import api, errors

MERGE = (
    "MERGE INTO app.thing t USING (VALUES (2, 1, true), (1, 2, false)) s(seen, made, gone) ON t.id = s.seen AND s.gone"
    " WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (made, 'merged')"
)


def majors(world: World, least: int) -> None:
    if world.admin.info.server_version < least * 10000:
        pytest.skip(f"PostgreSQL {least}")


@pytest.mark.parametrize("shape", [living, parted])
@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        # In one statement.
        (
            [
                "WITH gone AS (DELETE FROM app.thing WHERE id = 2 RETURNING id)"
                " INSERT INTO app.thing SELECT id + 5, 'y' FROM gone"
            ],
            ["T-2"],
        ),
        (
            [
                "CREATE TEMP TABLE k (id bigint); INSERT INTO k VALUES (2)",
                "WITH gone AS (DELETE FROM app.thing t USING k WHERE t.id = k.id RETURNING t.id)"
                " UPDATE app.thing SET id = 8 FROM gone WHERE app.thing.id = 3",
            ],
            ["T-2", "T-3"],
        ),
        # In one transaction.
        (
            [
                "DELETE FROM app.thing WHERE id = 2",
                "INSERT INTO app.thing VALUES (2)",
                "DELETE FROM app.thing WHERE id = 2",
            ],
            ["T-2"],
        ),
        (["UPDATE app.thing SET id = 8 WHERE id = 2", "UPDATE app.thing SET id = 2 WHERE id = 8"], ["T-8"]),
        (["UPDATE app.thing SET id = 8 WHERE id = 2", "UPDATE app.thing SET id = 9 WHERE id = 8"], ["T-2", "T-8"]),
        (
            [
                "SAVEPOINT a",
                "DELETE FROM app.thing WHERE id = 2",
                "SAVEPOINT b",
                "INSERT INTO app.thing VALUES (2)",
                "ROLLBACK TO b",
            ],
            ["T-2"],
        ),
        (
            [
                "SAVEPOINT a",
                "DELETE FROM app.thing WHERE id = 2",
                "INSERT INTO app.thing VALUES (2)",
                "RELEASE a",
                "SAVEPOINT b",
                "DELETE FROM app.thing WHERE id = 2",
                "ROLLBACK TO b",
            ],
            [],
        ),
        (["DELETE FROM app.thing WHERE id = 2", "SAVEPOINT a", "INSERT INTO app.thing VALUES (2)", "RELEASE a"], []),
        (
            ["INSERT INTO app.thing VALUES (9)", "SAVEPOINT a", "DELETE FROM app.thing WHERE id = 9", "ROLLBACK TO a"],
            [],
        ),
        # The rows come back as they go.
        (
            ["INSERT INTO app.thing VALUES (2), (3) ON CONFLICT (id) DO UPDATE SET id = app.thing.id + 4"],
            ["T-2", "T-3"],
        ),
        (["INSERT INTO app.thing VALUES (2) ON CONFLICT (id) DO NOTHING"], []),
        (["UPDATE app.thing SET id = id"], []),
    ],
)
def test_a_code_is_dead_when_no_living_row_has_it(
    world: World, shape: Any, statements: list[str], expected: list[str]
) -> None:
    shape(world)
    send(world, ROWS)
    send(world, *statements)
    assert dead(world) == expected
    agree(world)


def test_a_statement_takes_a_row_and_puts_it_back(world: World) -> None:
    # A function that writes runs its statement in the middle of another one.
    living(world)
    world.owner.execute(
        "CREATE FUNCTION app.again(bigint) RETURNS bigint LANGUAGE sql AS"
        " 'INSERT INTO app.thing VALUES ($1 + 5) RETURNING id'"
    )
    send(world, ROWS)
    send(world, "WITH gone AS (DELETE FROM app.thing WHERE id < 3 RETURNING id) SELECT app.again(id) FROM gone")
    assert dead(world) == ["T-1", "T-2"]
    agree(world)


@pytest.mark.parametrize("shape", [living, parted])
def test_a_merge_deletes_and_inserts_codes(world: World, shape: Any) -> None:
    majors(world, 15)
    shape(world)
    send(world, "INSERT INTO app.thing VALUES (2), (3)")
    # Code 2 is deleted, and inserted for another row of the source, in one statement.
    send(world, MERGE)
    assert dead(world) == []
    assert world.births() == ["T-1", "T-2", "T-3"][0 if "T-1" in world.births() else 1 :]
    agree(world)
    send(
        world,
        "MERGE INTO app.thing t USING (VALUES (3, 30), (40, 40)) s(old, new) ON t.id = s.old"
        " WHEN MATCHED THEN UPDATE SET id = s.new WHEN NOT MATCHED THEN INSERT VALUES (s.new)",
    )
    assert dead(world) == ["T-3"]
    assert deaths(world)["T-3"][1] == ("T-30" if shape is living else None)
    agree(world)


def test_codes_that_move_up_one_by_one_are_living(world: World) -> None:
    living(world)
    send(world, "INSERT INTO app.thing SELECT g FROM generate_series(5, 1, -1) g")
    send(world, "UPDATE app.thing SET id = id + 1")
    assert deaths(world) == {"T-1": ("REKEY", "T-2", 1, True)}
    agree(world)


def test_a_row_that_moves_to_another_partition_and_keeps_its_code_lives(world: World) -> None:
    world.table("(id bigint, place text, PRIMARY KEY (id, place)) PARTITION BY LIST (place)")
    for place in ("here", "there"):
        world.owner.execute(
            f"CREATE TABLE app.{place} PARTITION OF app.thing FOR VALUES IN ('{place}');"
            f" GRANT TRIGGER ON app.{place} TO birth_definer".encode()
        )
    world.register()
    world.classify("legacy", template="T-{id}-{place}")
    world.attach()
    api.life_attach(world.steward, "thing")
    send(world, "INSERT INTO app.thing VALUES (1, 'here'), (2, 'here')")
    send(world, "UPDATE app.thing SET place = 'there' WHERE id = 1")
    assert dead(world) == ["T-1-here"]
    send(world, "UPDATE app.thing SET place = 'there'", "UPDATE app.thing SET place = 'here'")
    assert dead(world) == ["T-1-there", "T-2-there"]
    agree(world)


def test_a_rekey_that_moves_to_another_partition_is_a_death_and_a_birth(world: World) -> None:
    parted(world)
    send(world, ROWS)
    send(world, "UPDATE app.thing SET id = id + 10 WHERE id < 3", "UPDATE app.thing SET id = 1 WHERE id = 12")
    assert deaths(world) == {"T-12": ("DELETE", None, 1, True), "T-2": ("DELETE", None, 1, True)}
    agree(world)
    api.code_succeed(world.steward, "T-2", "T-1", "moved")
    assert api.code_now(world.operator, "T-2") == "T-1"


def test_a_chain_of_codes_follows_what_happens_to_its_end(world: World) -> None:
    living(world)
    send(world, ROWS)
    for old, new in ((1, 11), (11, 12), (12, 11)):
        send(world, f"UPDATE app.thing SET id = {new} WHERE id = {old}")
    now = [api.code_now(world.operator, code) for code in ("T-1", "T-11", "T-12")]
    assert now == ["T-11"] * 3
    send(world, "UPDATE app.thing SET id = 1 WHERE id = 11")
    assert [api.code_now(world.operator, code) for code in ("T-1", "T-11", "T-12")] == ["T-1"] * 3
    send(world, "DELETE FROM app.thing WHERE id = 1")
    assert [api.code_now(world.operator, code) for code in ("T-1", "T-11", "T-12")] == [None] * 3
    assert deaths(world)["T-1"] == ("DELETE", None, 2, True)
    agree(world)


def test_rows_that_go_by_a_cascade_die(world: World) -> None:
    world.owner.execute("CREATE TABLE app.parent (id bigint PRIMARY KEY)")
    living(
        world,
        "(id bigint PRIMARY KEY, parent bigint REFERENCES app.parent ON DELETE CASCADE ON UPDATE CASCADE"
        " DEFERRABLE INITIALLY DEFERRED)",
    )
    send(
        world,
        "INSERT INTO app.parent VALUES (1), (2), (3)",
        "INSERT INTO app.thing VALUES (1, 1), (2, 1), (3, 2), (4, 3)",
    )
    send(world, "DELETE FROM app.parent WHERE id = 1")
    assert dead(world) == ["T-1", "T-2"]
    send(
        world,
        "DELETE FROM app.parent WHERE id = 2",
        "INSERT INTO app.parent VALUES (2)",
        "INSERT INTO app.thing VALUES (3, 2)",
    )
    assert dead(world) == ["T-1", "T-2"]
    send(world, "UPDATE app.parent SET id = 30 WHERE id = 3")
    assert dead(world) == ["T-1", "T-2"]
    send(world, "TRUNCATE app.parent CASCADE")
    assert dead(world) == ["T-1", "T-2", "T-3", "T-4"]
    agree(world)


def test_a_key_that_follows_its_parent_is_a_rekey(world: World) -> None:
    world.owner.execute("CREATE TABLE app.parent (id bigint PRIMARY KEY)")
    living(world, "(id bigint PRIMARY KEY REFERENCES app.parent ON DELETE CASCADE ON UPDATE CASCADE)")
    send(world, "INSERT INTO app.parent VALUES (1), (2)", "INSERT INTO app.thing VALUES (1), (2)")
    send(world, "UPDATE app.parent SET id = 9 WHERE id = 1", "DELETE FROM app.parent WHERE id = 2")
    assert deaths(world) == {"T-1": ("REKEY", "T-9", 1, True), "T-2": ("DELETE", None, 1, True)}
    agree(world)


def test_a_row_that_a_trigger_puts_back_at_the_commit_is_living(world: World) -> None:
    living(world)
    world.owner.execute(
        "CREATE FUNCTION app.back() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN INSERT INTO app.thing VALUES (OLD.id, ''back''); RETURN NULL; END';"
        "CREATE CONSTRAINT TRIGGER late AFTER DELETE ON app.thing DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
        " EXECUTE FUNCTION app.back()"
    )
    send(world, ROWS)
    send(world, "DELETE FROM app.thing WHERE id < 3", "DELETE FROM app.thing WHERE id = 3")
    assert deaths(world) == {}
    agree(world)


@pytest.mark.parametrize("size", [5, 10001])
def test_a_reload_leaves_one_row_a_code_and_nothing_that_vacuum_keeps(world: World, size: int) -> None:
    living(world)
    send(world, f"INSERT INTO app.thing SELECT g FROM generate_series(1, {size}) g")
    sizes = []
    for _ in range(6):
        with world.owner.transaction(), world.owner.cursor() as cursor:
            cursor.execute("TRUNCATE app.thing")
            with cursor.copy("COPY app.thing (id) FROM STDIN") as copy:
                for number in range(1, size + 1):
                    copy.write_row((number,))
        assert deaths(world) == {}
        world.admin.execute("VACUUM birth.birth_death")
        world.admin.execute("VACUUM birth.birth_registry")
        sizes.append(world.value("SELECT pg_table_size('birth.birth_death') + pg_table_size('birth.birth_registry')"))
    assert sizes[-1] <= sizes[1]
    for _ in range(3):
        send(world, "TRUNCATE app.thing")
        send(world, f"INSERT INTO app.thing SELECT g FROM generate_series(1, {size}) g")
    assert world.value("SELECT count(*) FROM birth.birth_death") == size
    assert world.value("SELECT min(lives) FROM birth.birth_death") == 4
    agree(world)


# --- codes of another collection


@pytest.mark.parametrize("mode", ["observe", "enforce"])
def test_a_row_does_not_take_the_code_of_another_collection(world: World, mode: Any) -> None:
    world.governed("(code text PRIMARY KEY)", "other")
    world.insert(["T-9"], "other")
    living(world, mode=mode)
    send(world, ROWS)
    if mode == "enforce":
        with pytest.raises(errors.GatewayForeign) as refused, api.refusals():
            send(world, "UPDATE app.thing SET id = 9 WHERE id = 1")
        assert refused.value.detail == "collection thing: 1 rows, such as 'T-9', which belongs to collection other"
        assert (deaths(world), world.findings()) == ({}, [])
    else:
        send(world, "UPDATE app.thing SET id = 9 WHERE id = 1")
        send(world, "DELETE FROM app.thing WHERE id = 9")
        assert deaths(world) == {"T-1": ("REKEY", "T-9", 1, True)}
        assert world.findings() == [("gateway_foreign", 1), ("gateway_foreign", 1)]
    assert world.births("other") == ["T-9"]


# --- retired by status


@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize("shape", ["plain", "parted"])
def test_a_reload_of_retired_rows_is_no_return(world: World, mode: Any, shape: str) -> None:
    if shape == "plain":
        retiring(world, mode)
    else:
        parted(world, mode, "status text", column="status", dead=["closed"])
    rows = "INSERT INTO app.thing VALUES (1, 'open'), (2, 'closed'), (3, 'closed')"
    send(world, rows)
    assert dead(world) == ["T-2", "T-3"]
    send(
        world,
        "DELETE FROM app.thing WHERE status = 'closed'",
        "INSERT INTO app.thing VALUES (2, 'closed')",
        "INSERT INTO app.thing VALUES (3, 'closed')",
    )
    assert deaths(world) == {"T-2": ("STATUS", None, 1, True), "T-3": ("STATUS", None, 1, True)}
    assert world.findings() == []
    agree(world)


@pytest.mark.parametrize("shape", ["plain", "parted"])
def test_a_retired_row_that_comes_back_in_use_returns(world: World, shape: str) -> None:
    if shape == "plain":
        retiring(world)
    else:
        parted(world, "observe", "status text", column="status", dead=["closed"])
    send(world, "INSERT INTO app.thing VALUES (1, 'open'), (2, 'closed'), (3, 'open')")
    send(world, "DELETE FROM app.thing WHERE id = 2", "INSERT INTO app.thing VALUES (2, 'open')")
    assert deaths(world)["T-2"] == ("STATUS", None, 2, False)
    assert world.findings() == [("code_dead", 1)]
    send(world, "UPDATE app.thing SET status = 'closed' WHERE id = 3")
    send(world, "UPDATE app.thing SET status = 'open' WHERE id = 3")
    assert deaths(world)["T-3"] == ("STATUS", None, 2, False)
    send(world, "UPDATE app.thing SET status = 'closed'", "UPDATE app.thing SET status = 'open'")
    assert dead(world) == []
    agree(world)


def test_a_retired_row_that_is_deleted_stays_as_it_died(world: World) -> None:
    retiring(world, "enforce")
    send(world, "INSERT INTO app.thing VALUES (1, 'open')")
    send(world, "UPDATE app.thing SET status = 'closed'")
    send(world, "DELETE FROM app.thing")
    assert deaths(world) == {"T-1": ("STATUS", None, 1, True)}
    with pytest.raises(errors.CodeDead), api.refusals():
        send(world, "INSERT INTO app.thing VALUES (1, 'open')")
    agree(world)


def test_a_retired_code_that_another_row_takes_returns(world: World) -> None:
    retiring(world)
    send(world, "INSERT INTO app.thing VALUES (1, 'open'), (2, 'closed')")
    send(world, "DELETE FROM app.thing WHERE id = 2")
    send(world, "UPDATE app.thing SET id = 2 WHERE id = 1")
    assert deaths(world) == {"T-1": ("REKEY", "T-2", 1, True), "T-2": ("STATUS", None, 2, False)}
    assert sorted(world.findings()) == [("code_dead", 1), ("code_taken", 1)]
    agree(world)


def test_a_row_that_retires_under_another_code_ends_both(world: World) -> None:
    retiring(world, "enforce")
    send(world, "INSERT INTO app.thing VALUES (1, 'open')")
    send(world, "UPDATE app.thing SET id = 9, status = 'closed'")
    assert deaths(world) == {"T-1": ("REKEY", None, 1, True), "T-9": ("STATUS", None, 1, True)}
    assert world.findings() == []
    agree(world)


def test_a_retired_row_without_a_birth_is_born_when_it_is_taken_back_into_use(world: World) -> None:
    retiring(world)
    past(world, "INSERT INTO app.thing VALUES (1, 'closed')")
    send(world, "UPDATE app.thing SET status = 'open'")
    assert (world.births(), deaths(world)) == (["T-1"], {})
    agree(world)


def test_a_backfill_of_retired_rows_leaves_them_to_a_death_run(world: World) -> None:
    retiring(world)
    past(world, "INSERT INTO app.thing VALUES (1, 'open'), (2, 'closed')")
    world.owner.execute("ALTER TABLE app.thing DISABLE TRIGGER birth_life_insert")
    world.backfill()
    checks = {row["check"]: row["rows"] for row in api.census(world.operator, "thing")}
    assert checks["births without a row or a death"] == 1
    death_run(world, 1)
    assert deaths(world) == {"T-2": ("FOUND", None, 1, True)}
    agree(world)


# --- names


def test_a_column_of_any_name_stands_beside_the_key(world: World) -> None:
    for name in ("k", "t", "codes", "living", "keys", "code", "s", "r", "ends", "chunk", 'a "b"', "ctid2"):
        table = f"x_{abs(hash(name))}"
        world.owner.execute(sql("CREATE TABLE app.{t} (id bigint PRIMARY KEY, {c} text)", t=table, c=name))
        world.owner.execute(
            sql("GRANT SELECT ON app.{t} TO birth_scanner; GRANT TRIGGER ON app.{t} TO birth_definer", t=table)
        )
        world.register(table)
        world.classify("synthetic_id", table, column="id", prefix=f"{table}-")
        world.attach(table)
        api.life_attach(world.steward, table)
        world.owner.execute(sql("INSERT INTO app.{t} VALUES (1), (2), (3), (4)", t=table))
        world.owner.execute(sql("DELETE FROM app.{t} WHERE id = 1", t=table))
        world.owner.execute(sql("DELETE FROM app.{t} WHERE id < 4", t=table))
        world.owner.execute(sql("UPDATE app.{t} SET id = 5", t=table))
        assert dead(world) == [f"{table}-{n}" for n in (1, 2, 3, 4)]
        world.admin.execute("DELETE FROM birth.birth_death")


@pytest.mark.parametrize(
    "name", ['we "said" it', "déjà vu", "back\\slash", "Upper", "select", "x" * 63, "a'b", "%s %I"]
)
def test_hostile_names_live_and_die(world: World, name: str) -> None:
    world.owner.execute(sql("CREATE TABLE app.{t} ({k} text PRIMARY KEY, {s} text)", t=name, k=name, s=name[:60] + "ß"))
    world.owner.execute(
        sql("GRANT SELECT ON app.{t} TO birth_scanner; GRANT TRIGGER ON app.{t} TO birth_definer", t=name)
    )
    world.register(name)
    world.classify("column", name, column=name)
    world.attach(name)
    retires: Any = {"column": name[:60] + "ß", "dead": ["a'b", "c\\d", '"', "{}", "NULL", "%s"]}
    lives: list[Any] = [{}, retires]
    for life in lives:
        api.life_attach(world.steward, name, "enforce", **life)
        triggers = world.admin.execute(
            "SELECT DISTINCT collection_name, current, enabled FROM birth.v_birth_life_trigger"
        )
        assert triggers.fetchall() == [(name, True, True)]
        world.owner.execute(sql("INSERT INTO app.{t} VALUES ('a', 'x'), ('b', 'x'), ('%s', 'x')", t=name))
        for value in ["a'b", "NULL"] if life else []:
            world.owner.execute(sql("UPDATE app.{t} SET {s} = ", t=name, s=name[:60] + "ß") + Literal(value))
            assert len(dead(world)) == 3
            for code in ("a", "b", "%s"):
                api.code_return(world.steward, code, "x")
            world.owner.execute(sql("UPDATE app.{t} SET {s} = 'x'", t=name, s=name[:60] + "ß"))
            assert dead(world) == []
        if life:
            world.owner.execute(sql("UPDATE app.{t} SET {s} = '{{}}'", t=name, s=name[:60] + "ß"))
        world.owner.execute(sql("DELETE FROM app.{t} WHERE {k} = 'a'", t=name, k=name))
        world.owner.execute(sql("UPDATE app.{t} SET {k} = 'new' WHERE {k} = 'b'", t=name, k=name))
        assert dead(world) == ["a", "b"] + (["new"] if life else []) or dead(world)[:2] == ["%s", "a"]
        world.owner.execute(api.life_detach(world.steward, name, "again").encode())
        world.owner.execute(sql("DELETE FROM app.{t}", t=name))
        world.admin.execute("DELETE FROM birth.birth_death; DELETE FROM birth.birth_registry")


@pytest.mark.parametrize("value", ["NULL", "''", "repeat('x', 600)"])
def test_a_row_that_loses_its_code_is_told_like_one_that_comes_without(world: World, value: str) -> None:
    world.governed("(code text UNIQUE)")
    api.life_attach(world.steward, "thing")
    world.insert(["a", "b"])
    loss = f"UPDATE app.thing SET code = {value} WHERE code = "
    send(world, f"{loss}'a'")
    assert (dead(world), world.findings()) == (["a"], [("gateway_no_identity", 1)])
    api.gateway_mode(world.steward, "thing", "enforce", "a test")
    send(world, "DELETE FROM app.thing WHERE code IS DISTINCT FROM 'b'")
    with pytest.raises(errors.GatewayNoIdentity), api.refusals():
        send(world, f"{loss}'b'")
    assert dead(world) == ["a"]


def test_a_row_without_a_key_does_not_end_the_life_of_an_empty_one(world: World) -> None:
    living(world, "(id text UNIQUE)")
    send(world, "INSERT INTO app.thing VALUES ('')")
    send(world, "INSERT INTO app.thing VALUES (NULL)")
    assert world.births() == ["T-"]
    send(world, "DELETE FROM app.thing WHERE id IS NULL")
    assert dead(world) == []


def test_codes_that_come_back_are_found_by_the_codes_alone(world: World) -> None:
    """An index over the deaths of the collection would read all of them for each ten thousand codes."""
    living(world)
    rows = 40_000
    fill = f"INSERT INTO app.thing SELECT g, 'x' FROM generate_series(1, {rows}) g"
    send(world, fill)
    send(world, "DELETE FROM app.thing")
    with world.owner.transaction():
        world.owner.execute(fill.encode())
        read = world.owner.execute(
            "SELECT idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relid = 'birth.birth_death'::regclass"
        ).fetchone()
    assert read is not None
    assert read[0] <= 3 * rows
    assert dead(world) == []


def test_touched_births_beside_others_are_looked_for_by_their_keys(world: World) -> None:
    world.governed("(part integer, no integer, PRIMARY KEY (no, part))", strategy="legacy", template="{part}/{no}")
    api.life_attach(world.steward, "thing")
    send(world, "INSERT INTO app.thing SELECT g % 3, g FROM generate_series(1, 9) g")
    send(world, "DELETE FROM app.thing WHERE no IN (2, 5)", "INSERT INTO app.thing VALUES (2, 2), (2, 5)")
    past(world, "INSERT INTO app.thing VALUES (7, 70), (7, 71)")
    send(world, "DELETE FROM app.thing WHERE no IN (1, 2, 70)")
    assert dead(world) == ["1/1", "2/2"]
    assert world.findings() == [("birth_absent", 1)]
