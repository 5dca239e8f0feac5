"""Life triggers beside other sessions: whichever commits first, living births are the codes of living rows."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from helpers import BIRTH
from lives import ROWS, agree, dead, death_run, deaths, grounded, living, parted, past, retiring, send
from psycopg import IsolationLevel
from sample import some
from world import APPLICATION, World, wait_until_blocked

from birthdb import api, errors

OLD = [IsolationLevel.REPEATABLE_READ, IsolationLevel.SERIALIZABLE]


@contextmanager
def another(world: World, level: IsolationLevel | None = None, who: str | None = APPLICATION) -> Iterator[Any]:
    """Another session, in a transaction that the caller ends."""
    with world.db.connect(who, autocommit=False) as conn:
        conn.isolation_level = level
        yield conn


@contextmanager
def waiting(world: World, conn: psycopg.Connection[Any], send: Callable[[], object]) -> Iterator[Future[object]]:
    """Send something of a session that waits for another one; the block lets it go on."""
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(send)
        try:
            wait_until_blocked(world.admin, conn)
        except AssertionError:
            sent.result(timeout=0)
            raise
        yield sent


def by_hand(world: World, *codes: str) -> list[tuple[str, str]]:
    return [(code, "thing") for code in codes]


SHAPES: list[Callable[[World], None]] = [living, parted]


# --- beside a backfill that is not committed


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("prepared", [False, True])
@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize(
    ("statement", "codes"),
    [
        ("DELETE FROM app.thing WHERE id = 2", ["T-2"]),
        ("DELETE FROM app.thing WHERE id < 4", ["T-1", "T-2", "T-3"]),
        ("UPDATE app.thing SET id = 9 WHERE id = 2", ["T-2"]),
    ],
    ids=["one", "bulk", "rekey"],
)
def test_a_row_that_goes_beside_an_uncommitted_birth_waits_for_it(
    world: World, shape: Callable[[World], None], prepared: bool, committed: bool, statement: str, codes: list[str]
) -> None:
    shape(world)
    past(world, ROWS)
    with another(world, who=None) as batch:
        batch.cursor().executemany(BIRTH, by_hand(world, "T-1", "T-2", "T-3"))
        if prepared:
            batch.execute("PREPARE TRANSACTION 'batch'")
            batch.commit()
        with waiting(world, world.owner, lambda: send(world, statement)) as sent:
            if prepared:
                world.admin.execute(f"{'COMMIT' if committed else 'ROLLBACK'} PREPARED 'batch'".encode())
            elif committed:
                batch.commit()
            else:
                batch.rollback()
            sent.result()
    assert dead(world) == (codes if committed else [])
    grounded(world)
    births = api.census(world.person("rita_reviewer"), "thing")
    assert {row["check"]: row["rows"] for row in births}["births without a row or a death"] == 0


@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize(
    ("shape", "statement"),
    [
        (living, "DELETE FROM app.thing WHERE id = 2"),
        (living, "DELETE FROM app.thing WHERE id IN (2, 4)"),
        (living, "UPDATE app.thing SET id = 9 WHERE id = 2"),
        (parted, "DELETE FROM app.thing WHERE id = 2"),
    ],
)
def test_a_batch_waits_for_a_row_that_is_going_and_then_reads_again(
    world: World, shape: Callable[[World], None], statement: str, committed: bool
) -> None:
    shape(world)
    past(world, ROWS)
    run, permit, delta = world.permitted()
    with another(world) as going:
        going.execute(statement.encode())

        def apply() -> None:
            api.apply(world.operator, "thing", run, permit, delta, delta, batch=3, execute=True)

        with waiting(world, world.operator, apply) as sent:
            if committed:
                going.commit()
            else:
                going.rollback()
            if committed:
                with pytest.raises(errors.SourceChanged):
                    sent.result()
            else:
                sent.result()
    status = world.value("SELECT status FROM birth.birth_backfill_ledger_v2")
    assert status == ("stopped" if committed else "done")
    assert (deaths(world), world.births()) == ({}, [] if committed else ["T-1", "T-2", "T-3", "T-4", "T-5"]) or (
        "UPDATE" in statement
    )
    grounded(world)


@pytest.mark.parametrize("level", OLD)
@pytest.mark.parametrize("statement", ["DELETE FROM app.thing WHERE id = 2", "DELETE FROM app.thing WHERE id < 4"])
@pytest.mark.parametrize("shape", SHAPES)
def test_an_old_snapshot_does_not_take_a_row_whose_birth_it_cannot_see(
    world: World, shape: Callable[[World], None], statement: str, level: IsolationLevel
) -> None:
    shape(world)
    past(world, ROWS)
    with another(world, level) as late:
        late.execute("SELECT count(*) FROM app.thing")
        world.backfill()
        with pytest.raises(psycopg.errors.SerializationFailure):
            late.execute(statement.encode())
        late.rollback()
    agree(world)


def test_truncating_a_partition_beside_an_uncommitted_birth_waits_for_it(world: World) -> None:
    parted(world)
    past(world, ROWS)
    with another(world, who=None) as batch:
        batch.cursor().executemany(BIRTH, by_hand(world, "T-1", "T-2"))
        with waiting(world, world.owner, lambda: send(world, "TRUNCATE app.low")) as sent:
            batch.commit()
            sent.result()
    assert dead(world) == ["T-1", "T-2"]
    agree(world)


@pytest.mark.parametrize("committed", [True, False])
def test_a_batch_waits_for_a_partition_that_is_being_truncated(world: World, committed: bool) -> None:
    parted(world)
    past(world, ROWS, "INSERT INTO app.thing VALUES (11), (12)")
    run, permit, delta = world.permitted()
    with another(world) as going:
        going.execute("TRUNCATE app.high")

        def apply() -> None:
            api.apply(world.operator, "thing", run, permit, delta, delta, batch=3, execute=True)

        with waiting(world, world.operator, apply) as sent:
            if committed:
                going.commit()
                with pytest.raises(errors.BirthError):
                    sent.result()
            else:
                going.rollback()
                sent.result()
    checks = {row["check"]: row["rows"] for row in api.census(world.operator, "thing")}
    assert checks["births without a row or a death"] == 0


# --- beside a compensation


def compensable(world: World, shape: Callable[[World], None]) -> tuple[Any, int]:
    shape(world)
    past(world, ROWS)
    run = world.backfill(batch=5)
    return run, world.judged(run, purpose="COMPENSATE", rows=5)


@contextmanager
def compensating(world: World, run: Any) -> Iterator[psycopg.Connection[Any]]:
    """A compensation batch that removed the births of a run, and is not committed."""
    with another(world, who=None) as conn:
        conn.execute("SELECT birth.fn_birth_compensate_slice(l, NULL, 10) FROM birth.birth_backfill_ledger_v2 l")
        conn.execute("DELETE FROM birth.birth_registry WHERE run_id = %s", (run,))
        yield conn


TAKES = [
    "DELETE FROM app.thing WHERE id = 2",
    "DELETE FROM app.thing WHERE id IN (2, 3)",
    "UPDATE app.thing SET id = 9 WHERE id = 2",
]


@pytest.mark.parametrize("shape", SHAPES)
@some("statement", TAKES)
@pytest.mark.parametrize("committed", [True, False])
def test_no_death_is_left_without_its_birth_by_a_compensation(
    world: World, shape: Callable[[World], None], statement: str, committed: bool
) -> None:
    run, _ = compensable(world, shape)
    with (
        compensating(world, run) as removing,
        waiting(world, world.owner, lambda: send(world, statement)) as sent,
    ):
        if committed:
            removing.commit()
        else:
            removing.rollback()
        sent.result()
    grounded(world)
    if not committed:
        agree(world)


@some("statement", [*TAKES, "TRUNCATE app.low"])
@pytest.mark.parametrize("level", [None, *OLD])
def test_a_death_after_a_compensation_needs_its_birth(
    world: World, statement: str, level: IsolationLevel | None
) -> None:
    shape = parted if "low" in statement else living
    run, permit = compensable(world, shape)
    with another(world, level) as late:
        late.execute("SELECT count(*) FROM app.thing")
        api.compensate(world.operator, run, permit, execute=True)
        try:
            late.execute(statement.encode())
            late.commit()
        except psycopg.errors.SerializationFailure:
            assert level is not None
            late.rollback()
    grounded(world)
    assert deaths(world) == {}


@pytest.mark.parametrize("shape", SHAPES)
@some("statement", TAKES)
@pytest.mark.parametrize("committed", [True, False])
def test_a_compensation_waits_for_deaths_and_finds_them(
    world: World, shape: Callable[[World], None], statement: str, committed: bool
) -> None:
    run, permit = compensable(world, shape)
    with another(world) as going:
        going.execute(statement.encode())

        def undo() -> None:
            api.compensate(world.operator, run, permit, execute=True)

        with waiting(world, world.operator, undo) as sent:
            if committed:
                going.commit()
                with pytest.raises(errors.BirthsTouched):
                    sent.result()
            else:
                going.rollback()
                sent.result()
    grounded(world)
    assert len([b for b in world.births() if b != "T-9"]) == (5 if committed else 0)


def test_a_row_that_returns_beside_a_compensation_does_not_deadlock(world: World) -> None:
    run, _ = compensable(world, living)
    send(world, "DELETE FROM app.thing WHERE id = 2")
    with another(world, who=None) as removing:
        removing.execute("LOCK TABLE birth.birth_death IN SHARE MODE")
        with waiting(
            world, world.owner, lambda: send(world, "INSERT INTO app.thing VALUES (2)", "DELETE FROM app.thing")
        ) as sent:
            removing.execute("SELECT FROM birth.birth_registry WHERE run_id = %s FOR UPDATE", (run,))
            removing.rollback()
            sent.result()
    agree(world)


# --- beside a death run


@contextmanager
def dying(world: World, *codes: str) -> Iterator[psycopg.Connection[Any]]:
    """A death run's batch that ends the codes, and is not committed."""
    plan = api.death_plan(world.operator, "thing", dry_run=False)
    with another(world, who=None) as conn:
        conn.execute(
            "SELECT birth.fn_birth_death_write(l, %s, ARRAY[1, 1, 1]) FROM birth.birth_backfill_ledger_v2 l"
            " WHERE l.run_id = %s",
            (list(codes), plan["run_id"]),
        )
        yield conn


def missing(world: World, mode: Any = "observe") -> None:
    living(world, mode=mode)
    send(world, ROWS)
    past(world, "DELETE FROM app.thing WHERE id IN (2, 3)", trigger="birth_life_delete")


@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO app.thing VALUES (2)",
        "INSERT INTO app.thing VALUES (2), (3)",
        "UPDATE app.thing SET id = 2 WHERE id = 5",
    ],
)
def test_a_row_that_comes_beside_an_uncommitted_death_waits_for_it(
    world: World, mode: Any, committed: bool, statement: str
) -> None:
    missing(world, mode)
    with (
        dying(world, "T-2", "T-3") as run,
        waiting(world, world.owner, lambda: send(world, statement)) as sent,
    ):
        if committed:
            run.commit()
        else:
            run.rollback()
        if mode == "observe" or (not committed and "UPDATE" not in statement):
            sent.result()
        else:
            with pytest.raises((errors.CodeDead, errors.CodeTaken)), api.refusals():
                sent.result()
    grounded(world)
    checks = {row["check"]: row["rows"] for row in api.census(world.operator, "thing")}
    assert checks["dead with a living row"] == 0


@pytest.mark.parametrize("committed", [True, False])
def test_a_row_that_is_taken_back_into_use_beside_an_uncommitted_death_waits_for_it(
    world: World, committed: bool
) -> None:
    retiring(world)
    send(world, "INSERT INTO app.thing VALUES (1, 'open')")
    past(world, "UPDATE app.thing SET status = 'closed'", trigger="birth_life_update")
    with (
        dying(world, "T-1") as run,
        waiting(world, world.owner, lambda: send(world, "UPDATE app.thing SET status = 'open'")) as sent,
    ):
        if committed:
            run.commit()
        else:
            run.rollback()
        sent.result()
    assert deaths(world) == ({"T-1": ("FOUND", None, 2, False)} if committed else {})
    agree(world)


@pytest.mark.parametrize("committed", [True, False])
def test_a_death_run_waits_for_a_row_that_is_coming(world: World, committed: bool) -> None:
    missing(world)
    plan = api.death_plan(world.operator, "thing", dry_run=False)
    permit = world.judged(plan["run_id"], accept=2, rows=2)
    with another(world) as coming:
        coming.execute("INSERT INTO app.thing VALUES (2)")

        def end() -> None:
            api.death_apply(world.operator, plan["run_id"], permit, execute=True)

        with waiting(world, world.operator, end) as sent:
            if committed:
                coming.commit()
                with pytest.raises(errors.SourceChanged):
                    sent.result()
            else:
                coming.rollback()
                sent.result()
    assert dead(world) == ([] if committed else ["T-2", "T-3"])
    checks = {row["check"]: row["rows"] for row in api.census(world.operator, "thing")}
    assert checks["dead with a living row"] == 0


@pytest.mark.parametrize("committed", [True, False])
def test_the_undoing_of_a_death_run_waits_for_a_row_that_is_coming(world: World, committed: bool) -> None:
    missing(world)
    run = death_run(world, 2)
    permit = world.judged(run, purpose="COMPENSATE", rows=2)
    with another(world) as coming:
        coming.execute("INSERT INTO app.thing VALUES (2)")

        def undo() -> None:
            api.compensate(world.operator, run, permit, execute=True)

        with waiting(world, world.operator, undo) as sent:
            if committed:
                coming.commit()
                with pytest.raises(errors.BirthsTouched) as refused:
                    sent.result()
                assert refused.value.detail == "T-2 returned"
            else:
                coming.rollback()
                sent.result()
    found = {"T-2": ("FOUND", None, 2, False), "T-3": ("FOUND", None, 1, True)}
    assert deaths(world) == (found if committed else {})


def test_a_death_slice_reads_a_table_as_the_change_that_it_waited_for_left_it(world: World) -> None:
    missing(world)
    api.death_plan(world.operator, "thing", dry_run=False)
    with another(world) as changing, world.db.connect() as slicing:
        changing.execute("ALTER TABLE app.thing RENAME id TO ident")

        def visit() -> list[Any]:
            ledger = "birth.birth_backfill_ledger_v2"
            return slicing.execute(
                f"SELECT s.* FROM {ledger} l, birth.fn_birth_death_slice(l, NULL, 9) s".encode()
            ).fetchall()

        with waiting(world, slicing, visit) as sent:
            changing.commit()
            # Without a code there is nothing to end; the list of checks says why.
            assert sent.result() == []


# --- old snapshots


@pytest.mark.parametrize("level", OLD)
@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO app.thing VALUES (2, 'late')",
        "INSERT INTO app.thing VALUES (8, 'new'), (2, 'late'), (3, 'late')",
        "UPDATE app.thing SET id = 2 WHERE id = 5",
    ],
    ids=["one", "bulk", "rekey"],
)
def test_an_old_snapshot_does_not_hide_a_death_from_a_row_that_comes(
    world: World, shape: Any, statement: str, mode: Any, level: IsolationLevel
) -> None:
    shape(world, mode=mode)
    send(world, ROWS)
    with another(world, level) as late:
        late.execute("SELECT 1 FROM app.thing")
        send(world, "DELETE FROM app.thing WHERE id IN (2, 3)")
        with pytest.raises(psycopg.errors.SerializationFailure):
            late.execute(statement.encode())
        late.rollback()
    assert dead(world) == ["T-2", "T-3"]
    agree(world)


@pytest.mark.parametrize("level", OLD)
def test_a_row_with_the_code_of_another_collection_holds_up_no_death_there(world: World, level: IsolationLevel) -> None:
    world.governed("(code text PRIMARY KEY)", "other")
    api.life_attach(world.steward, "other")
    world.insert(["T-9"], "other")
    living(world)
    world.owner.execute("SET lock_timeout = '2s'")
    with another(world, level) as late:
        late.execute("INSERT INTO app.thing VALUES (9)")
        send(world, "DELETE FROM app.other")
        late.rollback()
    assert dead(world) == ["T-9"]


@pytest.mark.parametrize("level", OLD)
def test_deletes_of_different_rows_do_not_fail_each_other(world: World, level: IsolationLevel) -> None:
    living(world)
    send(world, ROWS)
    with another(world, level) as one, another(world, level) as other:
        one.execute("DELETE FROM app.thing WHERE id = 1")
        other.execute("DELETE FROM app.thing WHERE id = 2")
        one.commit()
        other.commit()
    assert dead(world) == ["T-1", "T-2"]
    agree(world)


# --- deletes that cross


def test_deletes_that_cross_do_not_deadlock(world: World) -> None:
    living(world)
    count = 200
    send(world, f"INSERT INTO app.thing SELECT g FROM generate_series(1, {count}) g")

    def cross(order: str, rest: int) -> None:
        with world.db.connect(APPLICATION) as conn:
            for _ in range(5):
                with conn.transaction():
                    conn.execute(
                        f"DELETE FROM app.thing WHERE id IN (SELECT id FROM app.thing WHERE id % 2 = {rest}"
                        f" ORDER BY id {order} LIMIT 30)".encode()
                    )
                    conn.execute(
                        f"INSERT INTO app.thing SELECT g FROM generate_series(1, {count}) g WHERE g % 2 = {rest}"
                        f" ORDER BY g {order} ON CONFLICT DO NOTHING".encode()
                    )

    with ThreadPoolExecutor(2) as pool:
        for each in [pool.submit(cross, "ASC", 0), pool.submit(cross, "DESC", 1)]:
            each.result()
    assert (deaths(world), world.findings()) == ({}, [])
    agree(world)


# --- people beside each other


def test_successions_that_cross_do_not_make_a_circle(world: World) -> None:
    living(world)
    send(world, ROWS)
    send(world, "DELETE FROM app.thing WHERE id = 1")
    stella = world.person("stella_steward")
    with another(world, who="alice_steward") as one:
        api.code_succeed(one, "T-1", "T-2", "a test")
        refused: list[object] = []

        def other() -> None:
            try:
                api.code_succeed(stella, "T-2", "T-1", "a test")
            except errors.BirthError as error:
                refused.append(error.sqlstate)

        with waiting(world, stella, other) as sent:
            one.commit()
            sent.result()
    assert refused == [errors.SuccessionRefused.sqlstate]
    assert api.code_now(world.operator, "T-1") == "T-2"


@pytest.mark.parametrize("committed", [True, False])
def test_a_row_that_comes_beside_a_steward_who_allows_its_return_waits_for_the_steward(
    world: World, committed: bool
) -> None:
    living(world, mode="enforce")
    send(world, ROWS)
    send(world, "DELETE FROM app.thing WHERE id = 1")
    with another(world, who="stella_steward") as allowing:
        api.code_return(allowing, "T-1", "a test")
        with waiting(world, world.owner, lambda: send(world, "INSERT INTO app.thing VALUES (1)")) as sent:
            if committed:
                allowing.commit()
                sent.result()
            else:
                allowing.rollback()
                with pytest.raises(errors.CodeDead), api.refusals():
                    sent.result()
    assert deaths(world) == {"T-1": ("DELETE", None, 2, False) if committed else ("DELETE", None, 1, True)}
    agree(world)


@pytest.mark.parametrize(
    ("change", "statement", "refusal"),
    [
        (
            lambda world: api.life_mode(world.steward, "thing", "enforce", "a test"),
            "DROP TRIGGER birth_life_delete ON app.thing",
            errors.LifeRefused,
        ),
        (
            lambda world: api.life_detach(world.steward, "thing", "a test"),
            "DROP TRIGGER birth_life_delete ON app.thing; DROP TRIGGER birth_life_update ON app.thing;"
            " DROP TRIGGER birth_life_truncate ON app.thing",
            errors.LifeAbsent,
        ),
        (
            lambda world: api.life_attach(world.steward, "thing"),
            "CREATE TRIGGER another AFTER DELETE ON app.thing REFERENCING OLD TABLE AS birth_old_rows"
            " FOR EACH STATEMENT EXECUTE FUNCTION birth.fn_birth_life_auto('thing', 'x')",
            errors.LifeAttached,
        ),
        (
            lambda world: api.life_attach(world.steward, "thing"),
            "UPDATE birth.collection_registry SET birth_code_sql = birth_code_sql || ' '",
            errors.IdentityNotEligible,
        ),
    ],
    ids=["mode", "detach", "attach", "classify"],
)
def test_a_life_that_changes_beside_a_steward_is_noticed(
    world: World, change: Callable[[World], object], statement: str, refusal: type[errors.BirthError]
) -> None:
    living(world)
    if refusal in (errors.LifeAttached, errors.IdentityNotEligible):
        world.owner.execute(api.life_detach(world.steward, "thing", "a test").encode())
    with another(world, who=None) as other:
        other.execute("SELECT FROM birth.collection_registry WHERE collection_name = 'thing' FOR UPDATE")
        other.execute(statement.encode())
        with waiting(world, world.steward, lambda: change(world)) as sent:
            other.commit()
            before = world.value("SELECT c::text FROM birth.collection_registry c")
            with pytest.raises(refusal):
                sent.result()
    assert world.value("SELECT c::text FROM birth.collection_registry c") == before


def test_a_succession_beside_a_return_is_refused_when_the_code_lives_again(world: World) -> None:
    living(world)
    send(world, ROWS)
    send(world, "DELETE FROM app.thing WHERE id = 1")
    with another(world) as coming:
        coming.execute("INSERT INTO app.thing VALUES (1)")

        def succeed() -> None:
            api.code_succeed(world.steward, "T-1", "T-2", "a test")

        with waiting(world, world.steward, succeed) as sent:
            coming.commit()
            with pytest.raises(errors.SuccessionRefused):
                sent.result()
    assert deaths(world) == {"T-1": ("DELETE", None, 2, False)}
    assert world.value("SELECT count(*) FROM birth.birth_act WHERE act = 'succeed'") == 0


def test_a_prepared_delete_is_a_death_when_it_is_committed(world: World) -> None:
    living(world)
    send(world, ROWS)
    with another(world) as going:
        going.execute("DELETE FROM app.thing WHERE id = 1")
        going.execute("DELETE FROM app.thing WHERE id IN (2, 3)")
        going.execute("INSERT INTO app.thing VALUES (3)")
        going.execute("PREPARE TRANSACTION 'kept'")
        going.commit()
    assert dead(world) == []
    world.owner.execute("COMMIT PREPARED 'kept'")
    assert dead(world) == ["T-1", "T-2"]
    agree(world)


def test_a_retirement_beside_an_uncommitted_batch_is_recorded(world: World) -> None:
    retiring(world)
    past(world, "INSERT INTO app.thing VALUES (1, 'open'), (2, 'open')")
    with another(world, who=None) as batch:
        batch.cursor().executemany(BIRTH, by_hand(world, "T-1", "T-2"))
        with waiting(
            world, world.owner, lambda: send(world, "UPDATE app.thing SET status = 'closed' WHERE id = 1")
        ) as sent:
            batch.commit()
            sent.result()
    assert dead(world) == ["T-1"]
    agree(world)
