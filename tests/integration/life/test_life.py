"""What a life trigger records: a code is dead when no living row has it after the statement that took its row."""

import psycopg
import pytest
from lives import ROWS, TABLE, agree, dead, death_run, deaths, living, send
from world import World

from birthdb import api, errors


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (["DELETE FROM app.thing WHERE id = 2"], ["T-2"]),
        (["DELETE FROM app.thing WHERE id > 2"], ["T-3", "T-4", "T-5"]),
        (["DELETE FROM app.thing WHERE id = 2", "INSERT INTO app.thing VALUES (2, 'y')"], []),
        (["DELETE FROM app.thing", ROWS], []),
        (["TRUNCATE app.thing"], ["T-1", "T-2", "T-3", "T-4", "T-5"]),
        (["TRUNCATE app.thing", ROWS], []),
        (["WITH gone AS (DELETE FROM app.thing WHERE id = 2 RETURNING id) SELECT FROM gone"], ["T-2"]),
        (["INSERT INTO app.thing VALUES (9)", "DELETE FROM app.thing WHERE id = 9"], ["T-9"]),
        (["UPDATE app.thing SET id = id - 1"], ["T-5"]),
        (["UPDATE app.thing SET note = 'other'"], []),
        (["DELETE FROM app.thing WHERE id IN (2, 3)", "INSERT INTO app.thing VALUES (3)"], ["T-2"]),
        ([f"UPDATE app.thing SET id = {new} WHERE id = {old}" for old, new in ((1, -1), (2, 1), (-1, 2))], ["T--1"]),
        (["SAVEPOINT a", "DELETE FROM app.thing WHERE id = 2", "ROLLBACK TO a"], []),
        (["SAVEPOINT a", "DELETE FROM app.thing WHERE id = 2", "RELEASE a", "INSERT INTO app.thing VALUES (2)"], []),
        (["INSERT INTO app.thing VALUES (2) ON CONFLICT (id) DO UPDATE SET id = 22"], ["T-2"]),
    ],
    ids=lambda value: "; ".join(value)[:60] if value and " " in value[0] else None,
)
def test_a_code_is_dead_when_no_living_row_has_it(world: World, statements: list[str], expected: list[str]) -> None:
    living(world)
    send(world, ROWS)
    before = world.births()
    send(world, *statements)
    assert dead(world) == expected
    assert set(before) <= set(world.births())
    agree(world)


def test_a_row_that_comes_back_later_returns_with_one_more_life(world: World) -> None:
    living(world)
    send(world, ROWS)
    send(world, "DELETE FROM app.thing WHERE id IN (1, 2)")
    send(world, "INSERT INTO app.thing VALUES (1, 'y')")
    assert deaths(world) == {"T-1": ("DELETE", None, 2, False), "T-2": ("DELETE", None, 1, True)}
    assert world.findings() == [("code_dead", 1)]
    agree(world)
    # A second death, and a return in the transaction of it: as many lives as before.
    send(world, "DELETE FROM app.thing WHERE id = 1", "INSERT INTO app.thing VALUES (1, 'z')")
    assert deaths(world)["T-1"] == ("DELETE", None, 2, False)
    send(world, "DELETE FROM app.thing WHERE id = 1")
    assert deaths(world)["T-1"] == ("DELETE", None, 2, True)
    agree(world)


def test_an_enforced_life_refuses_a_used_code_until_a_steward_allows_it_once(world: World) -> None:
    living(world, mode="enforce")
    send(world, ROWS)
    send(world, "DELETE FROM app.thing WHERE id = 2")
    for _ in range(2):
        before = deaths(world), world.births()
        with pytest.raises(errors.CodeDead) as refusal, api.refusals():
            send(world, "INSERT INTO app.thing VALUES (2, 'again')")
        assert "T-2" in str(refusal.value.detail)
        assert (deaths(world), world.births()) == before
        api.code_return(world.steward, "T-2", "the same thing, found again")
        send(world, "INSERT INTO app.thing VALUES (2, 'again')")
        agree(world)
        send(world, "DELETE FROM app.thing WHERE id = 2")
    assert deaths(world)["T-2"] == ("DELETE", None, 3, True)
    assert world.findings() == []


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("UPDATE app.thing SET id = id - 1", errors.CodeTaken),
        ("TRUNCATE app.thing", errors.TruncateRefused),
        ("UPDATE app.thing SET id = 7 WHERE id = 1", errors.CodeDead),
    ],
)
def test_an_enforced_life_refuses_what_would_make_one_thing_another(
    world: World, statement: str, error: type[Exception]
) -> None:
    living(world, mode="enforce")
    send(world, ROWS, "INSERT INTO app.thing VALUES (7)")
    send(world, "DELETE FROM app.thing WHERE id = 7")
    before = deaths(world), world.births(), world.value("SELECT array_agg(id ORDER BY id) FROM app.thing")
    with pytest.raises(error), api.refusals():
        send(world, statement)
    assert before == (deaths(world), world.births(), world.value("SELECT array_agg(id ORDER BY id) FROM app.thing"))
    assert world.findings() == []


def test_a_code_that_changes_is_followed_to_the_living_one(world: World) -> None:
    living(world, mode="enforce")
    send(world, ROWS)
    for old, new in ((1, 11), (11, 111)):
        send(world, f"UPDATE app.thing SET id = {new} WHERE id = {old}")
    assert deaths(world) == {"T-1": ("REKEY", "T-11", 1, True), "T-11": ("REKEY", "T-111", 1, True)}
    reader = world.person("rita_reviewer")
    assert [api.code_now(reader, code) for code in ("T-1", "T-11", "T-111", "T-2", "T-99")] == (
        ["T-111", "T-111", "T-111", "T-2", None]
    )
    send(world, "DELETE FROM app.thing WHERE id = 111")
    assert api.code_now(reader, "T-1") is None
    agree(world)


def test_a_row_gets_its_former_code_again_in_one_transaction(world: World) -> None:
    living(world, mode="enforce")
    send(world, ROWS)
    send(world, "UPDATE app.thing SET id = 11 WHERE id = 1", "UPDATE app.thing SET id = 1 WHERE id = 11")
    assert deaths(world) == {"T-11": ("REKEY", "T-1", 1, True)}
    agree(world)


def test_things_retire_by_status(world: World) -> None:
    living(world, "(id bigint PRIMARY KEY, status text)", mode="enforce", column="status", dead=["closed", "merged"])
    send(
        world, "INSERT INTO app.thing VALUES (1, 'open'), (2, 'closed'), (3, NULL)", "INSERT INTO app.thing VALUES (4)"
    )
    assert dead(world) == ["T-2"]
    send(world, "UPDATE app.thing SET status = 'merged' WHERE id = 1")
    assert dead(world) == ["T-1", "T-2"]
    agree(world)
    with pytest.raises(errors.CodeDead), api.refusals():
        send(world, "UPDATE app.thing SET status = 'open' WHERE id = 1")
    with pytest.raises(errors.NotRetired), api.refusals():
        send(world, "DELETE FROM app.thing WHERE id = 3")
    send(world, "DELETE FROM app.thing WHERE id = 1")
    api.code_return(world.steward, "T-2", "reopened")
    send(world, "UPDATE app.thing SET status = 'open' WHERE id = 2")
    assert dead(world) == ["T-1"]
    agree(world)


def test_partitions_are_heard_one_by_one(world: World) -> None:
    world.table("(id bigint PRIMARY KEY, note text) PARTITION BY RANGE (id)")
    for name, low, high in (("low", 0, 10), ("high", 10, 100)):
        world.owner.execute(
            f"CREATE TABLE app.{name} PARTITION OF app.thing FOR VALUES FROM ({low}) TO ({high});"
            f" GRANT TRIGGER ON app.{name} TO birth_definer".encode()
        )
    world.register()
    world.classify("synthetic_id", column="id", prefix="T-")
    world.attach()
    api.life_attach(world.steward, "thing")
    send(world, ROWS, "INSERT INTO app.thing VALUES (11), (12), (13)")
    send(world, "DELETE FROM app.low WHERE id = 1", "DELETE FROM app.thing WHERE id = 12")
    assert dead(world) == ["T-1", "T-12"]
    send(world, "UPDATE app.thing SET note = 'moved', id = 20 WHERE id = 2")
    assert dead(world) == ["T-1", "T-12", "T-2"]
    agree(world)
    api.code_succeed(world.steward, "T-2", "T-20", "moved to another partition")
    assert api.code_now(world.person("rita_reviewer"), "T-2") == "T-20"
    send(world, "TRUNCATE app.high")
    assert dead(world) == ["T-1", "T-11", "T-12", "T-13", "T-2", "T-20"]
    agree(world)


def test_a_deleted_row_that_a_trigger_of_the_user_puts_back_is_living(world: World) -> None:
    world.owner.execute(
        "CREATE FUNCTION app.back() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN INSERT INTO app.thing VALUES (OLD.id, ''back''); RETURN NULL; END'"
    )
    living(world)
    send(world, ROWS)
    for name in ("a_first", "z_last"):
        world.owner.execute(
            f"CREATE TRIGGER {name} AFTER DELETE ON app.thing FOR EACH ROW EXECUTE FUNCTION app.back()".encode()
        )
        send(world, "DELETE FROM app.thing WHERE id < 4")
        send(world, "DELETE FROM app.thing WHERE id = 4")
        assert dead(world) == []
        agree(world)
        world.owner.execute(f"DROP TRIGGER {name} ON app.thing".encode())


def test_what_is_dead_stays_an_explained_orphan_of_the_backfill(world: World) -> None:
    living(world)
    send(world, ROWS)
    world.owner.execute("ALTER TABLE app.thing DISABLE TRIGGER birth_gateway")
    send(world, "INSERT INTO app.thing VALUES (8), (9)")
    world.owner.execute("ALTER TABLE app.thing ENABLE TRIGGER birth_gateway")
    send(world, "DELETE FROM app.thing WHERE id IN (1, 2)")
    plan = api.plan(world.operator, "thing")
    assert (plan["orphans"], plan["existing_births"], plan["planned_rows"], plan["blockers"]) == (0, 5, 2, [])
    run, permit, delta = world.permitted("thing")
    send(world, "DELETE FROM app.thing WHERE id = 3")
    api.apply(world.operator, "thing", run, permit, delta, delta, execute=True)
    assert world.value("SELECT status FROM birth.birth_backfill_ledger_v2") == "done"
    assert world.admin.execute("SELECT dead, orphans FROM birth.birth_backfill_ledger_v2").fetchall() == [(2, 0)]
    assert world.value("SELECT reconciled FROM birth.v_birth_plan_reconciliation")
    agree(world)


def test_a_death_run_ends_what_ended_before(world: World) -> None:
    world.governed(TABLE, strategy="synthetic_id", column="id", prefix="T-")
    send(world, ROWS)
    send(world, "DELETE FROM app.thing WHERE id > 2")
    api.life_attach(world.steward, "thing")
    run = death_run(world, 3)
    assert {code: death[0] for code, death in deaths(world).items()} == dict.fromkeys(["T-3", "T-4", "T-5"], "FOUND")
    assert world.value("SELECT status FROM birth.birth_backfill_ledger_v2") == "done"
    assert [row for row in api.run_audit(world.person("rita_reviewer"), run) if not row["pass"]] == []
    agree(world)
    with pytest.raises(errors.NothingToDo):
        api.death_plan(world.operator, "thing", dry_run=False)
    permit = world.judged(run, purpose="COMPENSATE", rows=3)
    api.compensate(world.operator, run, permit, execute=True)
    assert deaths(world) == {}
    assert [row for row in api.run_audit(world.person("rita_reviewer"), run) if not row["pass"]] == []
    death_run(world, 3)
    send(world, "INSERT INTO app.thing VALUES (3)")
    assert [row for row in api.run_audit(world.person("rita_reviewer"), run) if not row["pass"]] == []
    agree(world)


def test_a_verdict_accepts_exactly_the_codes_that_a_death_run_ends(world: World) -> None:
    living(world)
    send(world, ROWS)
    world.owner.execute("ALTER TABLE app.thing DISABLE TRIGGER birth_life_truncate")
    send(world, "TRUNCATE app.thing")
    plan = api.death_plan(world.operator, "thing", dry_run=False)
    assert (plan["planned_rows"], plan["source_rows"]) == (5, 0)
    permit = world.judged(plan["run_id"], rows=5)
    with pytest.raises(errors.ParityBroken):
        api.death_apply(world.operator, plan["run_id"], permit, execute=True)
    assert deaths(world) == {}


def test_a_dead_birth_is_not_removed_by_undoing_its_run(world: World) -> None:
    world.governed(TABLE, mode=None, strategy="synthetic_id", column="id", prefix="T-")
    send(world, ROWS)
    run = world.backfill()
    world.attach()
    api.life_attach(world.steward, "thing")
    send(world, "DELETE FROM app.thing WHERE id = 1")
    permit = world.judged(run, purpose="COMPENSATE", rows=5)
    with pytest.raises(errors.BirthsTouched) as refusal:
        api.compensate(world.operator, run, permit, execute=True)
    assert "T-1 died" in str(refusal.value.detail)
    assert len(world.births()) == 5


def test_an_old_snapshot_does_not_hide_a_death(world: World) -> None:
    living(world, mode="enforce")
    send(world, ROWS)
    late = world.db.connect(world.owner.info.user)
    late.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    late.autocommit = False
    late.execute("SELECT 1 FROM app.thing")
    send(world, "DELETE FROM app.thing WHERE id = 2")
    with pytest.raises(psycopg.errors.SerializationFailure):
        late.execute("INSERT INTO app.thing VALUES (2, 'late')")
    late.close()


def test_an_unborn_row_leaves_no_death(world: World) -> None:
    living(world)
    world.owner.execute("ALTER TABLE app.thing DISABLE TRIGGER birth_gateway")
    send(world, ROWS)
    send(world, "DELETE FROM app.thing WHERE id = 1")
    send(world, "DELETE FROM app.thing WHERE id IN (2, 3)")
    assert (deaths(world), world.births()) == ({}, [])
    assert world.findings() == [("birth_absent", 1), ("birth_absent", 2)]
