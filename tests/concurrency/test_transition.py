"""Changes of policy beside writers, runs, releases and each other: one wins, and no row is lost between two rules."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
import pytest
from helpers import OPERATOR, SECOND_OPERATOR, Run, Scene, refused
from psycopg import IsolationLevel
from support import RELEASER, Cluster, downgrade
from world import APPLICATION, World, wait_until_blocked

from birthdb import api, errors
from birthdb.errors import BirthError

REQUIRED, DEFERRED, EXEMPT = "BIRTH_REQUIRED", "BIRTH_DEFERRED_NEEDS_REVIEW", "BIRTH_EXEMPT_LOG"
TABLE = "(code text PRIMARY KEY)"


def policy(world: World, collection: str = "thing") -> str:
    query = "SELECT coverage_status FROM birth.collection_registry WHERE collection_name = %s"
    return str(world.value(query, collection))


def permitted(world: World, to: str | None, collection: str = "thing", *, accept: int = 0, **more: Any) -> Run:
    """Plan a change of policy, judge and permit it."""
    run: UUID = api.transition_plan(world.operator, collection, to, dry_run=False, **more)["run_id"]
    return Run(collection, run, world.judged(run, collection, accept=accept), 1, 1)


def change(world: World, run: Run, conn: psycopg.Connection[Any] | None = None) -> None:
    api.transition_apply(conn or world.operator, run.run_id, run.permit_id, execute=True)


@contextmanager
def open_change(world: World, run: Run) -> Iterator[psycopg.Connection[Any]]:
    """Change the policy in a transaction that the caller ends."""
    with world.db.connect(OPERATOR, autocommit=False) as conn:
        change(world, run, conn)
        yield conn


@contextmanager
def meanwhile(send: Callable[[], object]) -> Iterator[Future[object]]:
    """Send something in a thread; what it raised is raised by the result."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(send)


def validation(world: World) -> tuple[bool, bool]:
    row = world.admin.execute("SELECT validated, holds FROM birth.v_birth_policy").fetchone()
    assert row is not None
    return row[0], row[1]


# --- writers across the switch


def test_a_row_under_the_old_policy_that_commits_later_keeps_the_new_one_unproven(world: World) -> None:
    world.governed(TABLE, coverage=EXEMPT)
    run = permitted(world, REQUIRED)
    with world.db.connect(APPLICATION, autocommit=False) as writer:
        with open_change(world, run) as switch:
            own = switch.execute("SELECT pg_current_xact_id()::text::bigint").fetchone()
            writer.execute("INSERT INTO app.thing VALUES ('late')")
            later = writer.execute("SELECT pg_current_xact_id()::text::bigint").fetchone()
            switch.commit()
        assert own is not None
        assert later is not None
        assert later > own
        assert policy(world) == REQUIRED
        # Every row that can be seen is born, and that is no proof yet.
        api.gateway_fence(world.steward)
        api.census_record(world.operator, "thing")
        assert validation(world) == (False, False)
        writer.commit()
    assert world.births() == []
    api.gateway_fence(world.steward)
    assert validation(world) == (False, True)
    api.census_record(world.operator, "thing")
    assert validation(world) == (False, True)
    world.backfill()
    assert world.births() == ["late"]
    assert validation(world) == (True, True)


@pytest.mark.parametrize("level", [IsolationLevel.REPEATABLE_READ, IsolationLevel.SERIALIZABLE])
@pytest.mark.parametrize("old_and_new", [(EXEMPT, REQUIRED), (DEFERRED, REQUIRED), (REQUIRED, EXEMPT)])
def test_an_insert_with_an_older_snapshot_than_the_switch_is_to_be_sent_again(
    world: World, level: IsolationLevel, old_and_new: tuple[str, str]
) -> None:
    old, new = old_and_new
    world.governed(TABLE, coverage=old)
    run = permitted(world, new)
    with world.db.connect(APPLICATION, autocommit=False) as writer:
        writer.isolation_level = level
        writer.execute("SELECT count(*) FROM app.thing")
        change(world, run)
        with pytest.raises(psycopg.errors.SerializationFailure):
            writer.execute("INSERT INTO app.thing VALUES ('a')")
        writer.rollback()
        writer.execute("INSERT INTO app.thing VALUES ('a')")
        writer.commit()
    assert world.births() == (["a"] if new == REQUIRED else [])


def test_a_change_of_policy_waits_for_no_writer_and_none_for_it(world: World) -> None:
    world.governed(TABLE, coverage=EXEMPT)
    run = permitted(world, REQUIRED)
    with world.db.connect(APPLICATION, autocommit=False) as writer:
        writer.execute("INSERT INTO app.thing VALUES ('before')")
        with open_change(world, run) as switch:
            world.insert(["beside"])
            writer.execute("INSERT INTO app.thing VALUES ('after')")
            switch.commit()
        writer.execute("INSERT INTO app.thing VALUES ('last')")
        writer.commit()
    assert world.births() == ["last"]


# --- runs and releases


def test_a_loosening_of_a_collection_with_a_run_under_way_is_refused(scene: Scene, run: Run) -> None:
    arguments = {"p_collection": "item", "p_to_status": EXEMPT}
    driver = scene.start(run)
    blockers = scene.ask_one(SECOND_OPERATOR, "fn_dot_birth_qt005_plan", **arguments)["blockers"]
    assert [blocker["code"] for blocker in blockers] == [errors.TransitionBlocked.sqlstate]
    assert f"run {run.run_id} for APPLY is running" in blockers[0]["detail"]
    assert f"permit {run.permit_id} of run {run.run_id} is open" in blockers[0]["detail"]
    with refused(errors.TransitionBlocked):
        scene.ask(SECOND_OPERATOR, "fn_dot_birth_qt005_plan", **arguments, p_dry_run=False)
    scene.go_on(run)
    driver.end()
    assert scene.status(run) == ("done", None)


def test_a_change_that_was_permitted_before_a_run_began_is_refused_while_it_is_under_way(
    scene: Scene, item: str
) -> None:
    loosening = scene.permitted_change(item, DEFERRED)
    run = scene.permitted(item)
    driver = scene.start(run)
    with scene.unchanged(), refused(errors.TransitionBlocked) as refusal:
        scene.change(loosening, by=SECOND_OPERATOR)
    assert f"run {run.run_id} for APPLY is running" in str(refusal.value.diag.message_detail)
    scene.go_on(run)
    driver.end()
    assert scene.status(run) == ("done", None)
    # Births came, which nobody accepted.
    with scene.unchanged(), refused(errors.TransitionBlocked):
        scene.change(loosening)


def test_a_change_beside_a_run_that_is_not_committed_is_refused(scene: Scene, item: str) -> None:
    governing = scene.permitted_change(item, REQUIRED, governed=True)
    run = scene.permitted(item)
    with scene.session(OPERATOR).transaction():
        scene.write(run)
        with scene.unchanged(), refused(errors.RunHeld):
            scene.change(governing, by=SECOND_OPERATOR)
    scene.change(governing, by=SECOND_OPERATOR)
    assert (scene.status(run), scene.status(governing)) == (("done", None), ("done", None))


def test_a_run_that_begins_beside_an_uncommitted_change_of_policy_does_not_write_under_the_old_one(
    scene: Scene, item: str
) -> None:
    loosening = scene.permitted_change(item, DEFERRED)
    run = scene.permitted(item)
    scene.revoke(run.permit_id)
    with scene.session(SECOND_OPERATOR).transaction():
        scene.change(loosening, by=SECOND_OPERATOR)
        run = run.under(scene.permit(run, 20))
        with pytest.raises(psycopg.Error) as refusal:
            scene.apply(run)
        assert refusal.value.sqlstate in (errors.RunHeld.sqlstate, "55P03")
    with scene.unchanged(), pytest.raises(psycopg.Error) as refusal:
        scene.apply(run)
    assert refusal.value.sqlstate in (errors.PolicyNotRequired.sqlstate, errors.VerdictMissing.sqlstate)
    assert scene.births() == 0


def test_a_release_and_a_change_of_policy_keep_each_other_out(world: World) -> None:
    world.governed(TABLE, coverage=DEFERRED)
    run = permitted(world, REQUIRED)
    with world.db.connect(autocommit=False) as release:
        release.execute("SELECT pg_advisory_xact_lock(birth.fn_birth_lock_key('release'))")
        with pytest.raises(errors.ReleaseInProgress):
            change(world, run)
    with open_change(world, run) as switch:
        with pytest.raises(psycopg.Error) as refusal:
            downgrade(world.db.url(RELEASER), "stage3")
        assert refusal.value.sqlstate == errors.ReleaseBlocked.sqlstate
        switch.commit()
    assert policy(world) == REQUIRED


# --- each other


def test_of_two_changes_of_one_collection_at_once_one_wins_and_the_other_is_stale(world: World) -> None:
    world.governed(TABLE, coverage=DEFERRED)
    first, second = permitted(world, REQUIRED), permitted(world, REQUIRED, to_governed=True)
    oscar = world.person(SECOND_OPERATOR)
    with open_change(world, first) as switch, meanwhile(lambda: change(world, second, oscar)) as other:
        wait_until_blocked(world.admin, oscar)
        switch.commit()
        with pytest.raises(BirthError) as refusal:
            other.result()
    assert refusal.value.sqlstate in (errors.PlanStale.sqlstate, errors.VerdictMissing.sqlstate)
    assert policy(world) == REQUIRED
    api.review_record(world.person("rita_reviewer"), second.run_id, "SAFE", "read again")
    with pytest.raises(errors.PlanStale):
        change(world, second, oscar)
    assert world.value("SELECT count(*) FROM birth.birth_transition") == 1


def test_one_change_is_done_once_however_often_it_is_sent_at_once(world: World) -> None:
    world.governed(TABLE, coverage=DEFERRED)
    run = permitted(world, REQUIRED)
    start = threading.Barrier(4)

    def send(conn: psycopg.Connection[Any]) -> str | None:
        start.wait()
        try:
            change(world, run, conn)
        except psycopg.Error as error:
            return error.sqlstate
        except BirthError as error:
            return error.sqlstate
        return None

    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(lambda conn: send(conn), [world.db.connect(OPERATOR) for _ in range(4)]))
    assert told.count(None) == 1, told
    assert world.value("SELECT policy_version FROM birth.collection_registry") == 2


def test_a_clone_that_no_dba_confirmed_changes_no_policy(world: World, server: Cluster) -> None:
    world.governed(TABLE, coverage=DEFERRED)
    run = permitted(world, REQUIRED)
    world.close()
    made = server.create(world.db.name, confirmed=False)
    clone = World(made, made=True)
    try:
        with pytest.raises(errors.HomeUnconfirmed):
            change(clone, run)
        assert policy(clone) == DEFERRED
    finally:
        clone.close()
        made.drop()


def test_a_rename_between_plan_and_run_asks_for_another_look(world: World) -> None:
    world.governed(TABLE, coverage=DEFERRED)
    run = permitted(world, REQUIRED)
    world.owner.execute("ALTER TABLE app.thing RENAME TO article")
    with pytest.raises(BirthError) as refusal:
        change(world, run)
    assert refusal.value.sqlstate in (errors.VerdictMissing.sqlstate, errors.TransitionBlocked.sqlstate)
    assert policy(world) == DEFERRED
    world.register(table="article", coverage=DEFERRED)
    with pytest.raises(errors.VerdictMissing):
        change(world, run)
    api.review_record(world.person("rita_reviewer"), run.run_id, "SAFE", "the table has another name now")
    change(world, run)
    world.owner.execute("INSERT INTO app.article VALUES ('a')")
    assert (policy(world), world.births()) == (REQUIRED, ["a"])


@pytest.mark.long
def test_fifty_eight_changes_at_once_of_which_one_is_stale(world: World) -> None:
    names = [f"c{number}" for number in range(58)]
    for name in names:
        world.register(name, coverage=DEFERRED)
    runs = {name: permitted(world, EXEMPT, name) for name in names}
    world.change_policy(None, "c17", governed=True)
    refused_at: dict[str, str | None] = {}

    def send(part: int) -> None:
        with world.db.connect((OPERATOR, SECOND_OPERATOR)[part]) as conn:
            for name in names[part::2]:
                try:
                    change(world, runs[name], conn)
                except BirthError as error:
                    refused_at[name] = error.sqlstate

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(send, range(2)))
    assert refused_at == {"c17": errors.VerdictMissing.sqlstate}
    assert [name for name in names if policy(world, name) != EXEMPT] == ["c17"]
    assert world.value("SELECT count(*) FROM birth.v_birth_stage4_no_worse_guard WHERE pass IS NOT TRUE") == 0
    assert [row for row in api.run_audit(world.operator) if not row["pass"]] == []
