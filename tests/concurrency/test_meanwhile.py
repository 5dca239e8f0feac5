"""Two at once on one collection: the later one waits, and then sees what the earlier one did."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from time import sleep

import pytest
from support import POLL
from world import World

from birthdb import api, errors
from birthdb.errors import BirthError

REASON = "a test"


@contextmanager
def meanwhile(world: World, *statements: str) -> Iterator[None]:
    """Statements of another transaction, which commits when the steward waits for it."""
    with ThreadPoolExecutor(1) as elsewhere, world.db.connect(autocommit=False) as other:
        for statement in statements:
            other.execute(statement.encode())

        over = Event()

        def commit() -> None:
            waits = "SELECT cardinality(pg_blocking_pids(%s)) > 0"
            while not over.is_set() and not world.value(waits, world.steward.info.backend_pid):
                sleep(POLL)
            other.commit()

        committed = elsewhere.submit(commit)
        try:
            yield
        finally:
            over.set()
            committed.result()


@pytest.mark.parametrize(
    "change",
    [
        lambda world: world.register(coverage="BIRTH_DEFERRED_NEEDS_REVIEW"),
        lambda world: world.classify("synthetic_id", column="code", prefix="p-"),
    ],
    ids=["register", "classify"],
)
def test_policy_and_identity_cannot_change_while_a_run_starts(world: World, change: Callable[[World], None]) -> None:
    world.governed("(code text PRIMARY KEY)", mode=None)
    world.insert(["a"])
    run_id, _, _ = world.permitted()
    with (
        pytest.raises(errors.DefinitionInUse),
        meanwhile(
            world,
            "SELECT FROM birth.collection_registry WHERE collection_name = 'thing' FOR SHARE",
            f"UPDATE birth.birth_backfill_ledger_v2 SET status = 'running', dry_run = false WHERE run_id = '{run_id}'",
        ),
    ):
        change(world)


LOCKED = "SELECT FROM birth.collection_registry WHERE collection_name = 'thing' FOR UPDATE"


@pytest.mark.parametrize(
    ("change", "refusal", "statement"),
    [
        (
            lambda world: api.gateway_mode(world.steward, "thing", "enforce", REASON),
            errors.GatewayAbsent,
            "DROP TRIGGER birth_gateway ON app.thing",
        ),
        (
            lambda world: api.gateway_detach(world.steward, "thing", REASON),
            errors.GatewayAbsent,
            "DROP TRIGGER birth_gateway ON app.thing",
        ),
        (
            lambda world: world.attach(),
            errors.GatewayAttached,
            "CREATE TRIGGER another AFTER INSERT ON app.thing REFERENCING NEW TABLE AS birth_new_rows"
            " FOR EACH STATEMENT EXECUTE FUNCTION birth.fn_birth_registry_auto('thing')",
        ),
    ],
    ids=["mode", "detach", "attach"],
)
def test_a_gateway_attached_or_detached_concurrently_is_noticed(
    world: World, change: Callable[[World], object], refusal: type[BirthError], statement: str
) -> None:
    world.governed("(code text PRIMARY KEY)", mode="observe" if "DROP" in statement else None)
    with pytest.raises(refusal), meanwhile(world, LOCKED, statement):
        change(world)


@pytest.mark.parametrize(
    "act",
    [
        lambda world: world.classify("column", column="code"),
        lambda world: api.gateway_mode(world.steward, "thing", "observe", REASON),
        lambda world: world.register(),
    ],
    ids=["classify", "mode", "register"],
)
def test_an_insert_with_a_finding_does_not_wait_for_a_steward(world: World, act: Callable[[World], object]) -> None:
    world.governed("(id int PRIMARY KEY, code text UNIQUE)")
    world.owner.execute("SET lock_timeout = '2s'")
    with world.steward.transaction():
        act(world)
        world.owner.execute("INSERT INTO app.thing VALUES (1, NULL)")
    assert world.value("SELECT error FROM birth.birth_gateway_finding") == "gateway_no_identity"
