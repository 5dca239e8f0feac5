"""A change of mode, policy or identity: what an older transaction may still commit, and from when on nothing does."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL
from world import APPLICATION, World, wait_until_blocked

from birthdb import api, errors

LEVELS = {
    "statement": ["(code text PRIMARY KEY)"],
    "row": [
        "(code text PRIMARY KEY) PARTITION BY HASH (code)",
        "PARTITION OF app.thing FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
    ],
}
SNAPSHOTS = ["REPEATABLE READ", "SERIALIZABLE"]


def make(world: World, level: str = "statement", mode: api.Mode = "observe", coverage: str = "BIRTH_REQUIRED") -> None:
    """Create a collection whose gateway is of the level: a partitioned table has one partition."""
    for definition, name in zip(LEVELS[level], ("thing", "part"), strict=False):
        world.table(definition, name)
    world.register(coverage=coverage)
    world.classify("column", column="code")
    world.attach(mode=mode)


@contextmanager
def old_snapshot(world: World, isolation: str) -> Iterator[psycopg.Connection[Any]]:
    """Yield a session of the application whose transaction has its snapshot."""
    with world.db.connect(APPLICATION) as session:
        session.execute(f"BEGIN ISOLATION LEVEL {isolation}".encode())
        session.execute("SELECT FROM pg_class LIMIT 1")
        yield session
        session.execute("ROLLBACK")


CHANGES: dict[str, tuple[str, Callable[[World], object]]] = {
    "observe to enforce": (
        "BIRTH_REQUIRED",
        lambda world: api.gateway_mode(world.steward, "thing", "enforce", "ready"),
    ),
    "exempt to required": ("BIRTH_EXEMPT_TEST", lambda world: world.change_policy("BIRTH_REQUIRED")),
    "required to exempt": ("BIRTH_REQUIRED", lambda world: world.change_policy("BIRTH_EXEMPT_TEST")),
    "reclassified": ("BIRTH_REQUIRED", lambda world: world.classify("synthetic_id", column="code", prefix="p-")),
}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("isolation", SNAPSHOTS)
@pytest.mark.parametrize("change", CHANGES)
def test_an_insert_under_a_snapshot_older_than_a_rule_change_gets_40001(
    world: World, level: str, isolation: str, change: str
) -> None:
    coverage, act = CHANGES[change]
    make(world, level, coverage=coverage)
    with old_snapshot(world, isolation) as session:
        act(world)
        with pytest.raises(psycopg.errors.SerializationFailure):
            session.execute("INSERT INTO app.thing VALUES ('a')")
    assert world.value("SELECT count(*) FROM app.thing") == 0
    assert (world.births(), world.findings()) == ([], [])


def test_a_row_without_a_code_under_a_snapshot_older_than_enforce_is_refused(world: World) -> None:
    make(world)
    with old_snapshot(world, "REPEATABLE READ") as session:
        api.gateway_mode(world.steward, "thing", "enforce", "ready")
        with pytest.raises(psycopg.errors.SerializationFailure):
            session.execute("INSERT INTO app.thing VALUES (' ')")
        session.execute("ROLLBACK; BEGIN ISOLATION LEVEL REPEATABLE READ")
        with pytest.raises(psycopg.Error) as refusal:
            session.execute("INSERT INTO app.thing VALUES (' ')")
        assert refusal.value.sqlstate == errors.GatewayNoIdentity.sqlstate
    assert world.findings() == []


def test_inserts_for_a_collection_deleted_after_the_snapshot_are_refused(
    world: World,
) -> None:
    make(world)
    with old_snapshot(world, "REPEATABLE READ") as session:
        world.admin.execute("DELETE FROM birth.collection_registry")
        with pytest.raises(psycopg.errors.SerializationFailure):
            session.execute("INSERT INTO app.thing VALUES ('a')")
    assert world.value("SELECT count(*) FROM birth.collection_registry") == 0


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("isolation", SNAPSHOTS)
def test_inserts_under_an_old_snapshot_get_births_and_do_not_block_stewards(
    world: World, level: str, isolation: str
) -> None:
    make(world, level)
    row = "SELECT ctid, xmin, xmax FROM birth.collection_registry"
    before = world.admin.execute(row).fetchall()
    world.steward.execute("SET lock_timeout = '1s'")
    with old_snapshot(world, isolation) as session:
        session.execute("INSERT INTO app.thing VALUES ('a')")
        session.execute("INSERT INTO app.thing VALUES ('b'), ('c')")
        assert world.admin.execute(row).fetchall() == before
        api.gateway_mode(world.steward, "thing", "enforce", "ready")
        session.execute("COMMIT")
    assert world.births() == ["a", "b", "c"]


def test_an_insert_under_an_old_snapshot_waits_for_an_uncommitted_change(world: World) -> None:
    make(world)
    with old_snapshot(world, "REPEATABLE READ") as session, ThreadPoolExecutor(1) as elsewhere:
        with world.steward.transaction(force_rollback=True):
            api.gateway_mode(world.steward, "thing", "enforce", "not yet")
            waiting = elsewhere.submit(session.execute, "INSERT INTO app.thing VALUES ('a')")
            wait_until_blocked(world.admin, session)
        waiting.result(timeout=60)
        session.execute("COMMIT")
    assert world.births() == ["a"]


def test_an_insert_under_an_old_snapshot_gets_a_birth_without_schema_usage_for_birth_definer(world: World) -> None:
    """Types are asked of the rows: a name could be another type's by the time that it is read."""
    world.governed("(a int, b text, PRIMARY KEY (a, b))", strategy="legacy", template="{b}/{a:03}")
    world.owner.execute("REVOKE ALL ON SCHEMA app FROM birth_definer; REVOKE ALL ON app.thing FROM birth_definer")
    with old_snapshot(world, "REPEATABLE READ") as session:
        session.execute("INSERT INTO app.thing VALUES (1, 'x')")
        session.execute("INSERT INTO app.thing VALUES (2, 'x'), (3, 'x')")
        session.execute("COMMIT")
    assert world.births() == ["x/001", "x/002", "x/003"]


@pytest.mark.parametrize("level", LEVELS)
def test_a_column_retyped_after_the_snapshot_gives_no_code(world: World, level: str) -> None:
    world.owner.execute("CREATE DOMAIN app.other AS text")
    if level == "statement":
        world.table("(id int, code text UNIQUE NOT NULL)")
    else:
        world.table("(id int, code text PRIMARY KEY) PARTITION BY HASH (code)")
        world.table("PARTITION OF app.thing FOR VALUES WITH (MODULUS 1, REMAINDER 0)", "part")
    world.register()
    world.classify("legacy", template="{id}-{code}")
    world.attach()
    with old_snapshot(world, "REPEATABLE READ") as session:
        world.owner.execute("ALTER TABLE app.thing ALTER id TYPE app.other")
        session.execute("INSERT INTO app.thing VALUES ('x', 'a')")
        session.execute("COMMIT")
    assert (world.births(), world.findings()) == ([], [("gateway_no_identity", 1)])


# --- the fence

FENCE = "SELECT holds, fence_xid IS NULL, waits_for, next_step FROM birth.v_birth_gateway_fence"


def fence(world: World) -> tuple[Any, ...]:
    """Return what a reader sees of the one collection: holds, no fence yet, who is open, how to end it."""
    (row,) = world.operator.execute(FENCE).fetchall()
    return tuple(row)


def said(world: World) -> list[tuple[str, str]]:
    """Return what needs a person about a change that does not hold."""
    return world.operator.execute(
        "SELECT what, next_step FROM birth.v_birth_attention WHERE what LIKE 'enforce does not hold%'"
    ).fetchall()


def test_enforce_holds_after_every_earlier_transaction_has_ended(world: World) -> None:
    make(world)
    application = world.owner
    # The number of the switch is lower than that of the insert, which reads the earlier mode all the same.
    with world.steward.transaction():
        api.gateway_mode(world.steward, "thing", "enforce", "ready")
        application.execute("BEGIN")
        application.execute("INSERT INTO app.thing VALUES (' ')")
    assert world.failed_checks() == {}
    assert fence(world)[:2] == (False, True)
    ((what, next_step),) = said(world)
    assert "may still commit rows without a birth" in what
    world.steward.execute(next_step.partition("  --")[0].encode())
    pid = application.info.backend_pid
    assert fence(world) == (
        False,
        False,
        [f"session {pid} of {APPLICATION}"],
        f"SELECT pg_catalog.pg_terminate_backend({pid});  -- or wait until it ends",
    )
    ((what, next_step),) = said(world)
    assert f"session {pid} of {APPLICATION}" in what
    application.execute("COMMIT")
    assert fence(world) == (True, False, None, None)
    assert said(world) == []
    # What was committed under the earlier mode was found by then, and nothing follows it.
    assert world.findings() == [("gateway_no_identity", 1)]
    with pytest.raises(psycopg.Error) as refusal:
        world.insert(["\t"])
    assert refusal.value.sqlstate == errors.GatewayNoIdentity.sqlstate


def test_switching_the_mode_returns_the_fence_statement(world: World) -> None:
    make(world)
    next_step = api.gateway_mode(world.steward, "thing", "enforce", "ready")
    world.steward.execute(next_step.partition("  --")[0].encode())
    assert fence(world)[0] is True


def test_an_earlier_prepared_transaction_is_named_with_the_statement_that_ends_it(world: World) -> None:
    make(world)
    world.owner.execute("BEGIN; INSERT INTO app.thing VALUES (' '); PREPARE TRANSACTION 'it''s open'")
    try:
        api.gateway_mode(world.steward, "thing", "enforce", "ready")
        api.gateway_fence(world.steward)
        holds, _, waits_for, next_step = fence(world)
        assert (holds, waits_for) == (False, [f"prepared transaction 'it''s open' of {APPLICATION}"])
        assert next_step.startswith("ROLLBACK PREPARED 'it''s open';")
    finally:
        world.owner.execute("ROLLBACK PREPARED 'it''s open'")
    assert fence(world)[0] is True


@pytest.mark.parametrize("wrote", ["the change", "something else"])
def test_a_transaction_that_has_written_cannot_record_the_fence(world: World, wrote: str) -> None:
    make(world, mode="enforce")
    acts = "SELECT count(*) FROM birth.birth_act"
    with world.steward.transaction(force_rollback=True):
        if wrote == "the change":
            api.gateway_mode(world.steward, "thing", "observe", "later")
        else:
            world.steward.execute("SELECT pg_current_xact_id()")
        before = world.steward.execute(acts).fetchone()
        with pytest.raises(errors.FenceLate) as refusal, world.steward.transaction():
            api.gateway_fence(world.steward)
        assert refusal.value.sqlstate == "NB516"
        assert refusal.value.detail
        assert "fn_birth_gateway_fence" in str(refusal.value.hint)
        assert world.steward.execute(acts).fetchone() == before


@pytest.mark.parametrize("change", CHANGES)
def test_each_change_of_mode_policy_or_identity_needs_its_own_fence(world: World, change: str) -> None:
    coverage, act = CHANGES[change]
    make(world, coverage=coverage)
    assert fence(world)[0] is True
    act(world)
    assert fence(world)[:2] == (False, True)
    api.gateway_fence(world.steward)
    assert fence(world)[0] is True


def test_changes_that_keep_the_rule_need_no_fence(world: World) -> None:
    make(world, mode="enforce")
    world.register()
    api.gateway_mode(world.steward, "thing", "enforce", "again")
    assert fence(world)[0] is True
    acts = world.value("SELECT count(*) FROM birth.birth_act")
    api.gateway_fence(world.steward)
    assert world.value("SELECT count(*) FROM birth.birth_act") == acts


def test_attaching_in_mode_enforce_holds_at_once(world: World) -> None:
    make(world, mode="enforce")
    api.gateway_detach(world.steward, "thing", "for a while")
    assert fence(world)[0] is False
    world.owner.execute("DROP TRIGGER birth_gateway ON app.thing")
    world.attach(mode="enforce")
    assert fence(world)[0] is True
    assert said(world) == []


def test_a_fence_of_another_cluster_does_not_count(world: World) -> None:
    make(world)
    api.gateway_mode(world.steward, "thing", "enforce", "ready")
    api.gateway_fence(world.steward)
    assert fence(world)[0] is True
    world.admin.execute(
        """UPDATE birth.birth_act SET detail = detail || '{"cluster": "1", "xid": "3"}' WHERE act = 'fence'"""
    )
    assert fence(world)[:2] == (False, True)
    api.gateway_fence(world.steward)
    assert fence(world)[0] is True


# --- births that were there already

HELD = "SELECT FROM birth.birth_registry WHERE entity_code = 'a' FOR UPDATE"
REMOVED = "DELETE FROM birth.birth_registry WHERE entity_code = 'a'"
INSERTS = {
    "a row": SQL("INSERT INTO app.thing VALUES ('a')"),
    "some rows": SQL("INSERT INTO app.thing VALUES ('a'), ('b'), ('c')"),
    "many rows": SQL("INSERT INTO app.thing VALUES ('a') UNION ALL SELECT 'n' || g FROM generate_series(1, 12000) g"),
}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("insert", INSERTS)
def test_a_birth_deleted_during_a_reinsert_is_written_again(world: World, level: str, insert: str) -> None:
    make(world, level, "enforce")
    world.insert(["a"])
    with world.owner.transaction(), world.db.connect() as other, ThreadPoolExecutor(1) as elsewhere:
        world.owner.execute("DELETE FROM app.thing")
        with other.transaction():
            other.execute(HELD)
            waiting = elsewhere.submit(world.owner.execute, INSERTS[insert])
            wait_until_blocked(world.admin, world.owner)
            other.execute(REMOVED)
        waiting.result(timeout=60)
    assert world.failed_checks() == {}
    assert world.births()[0] == "a"
    assert world.findings() == []


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("insert", ["a row", "some rows"])
def test_an_existing_birth_is_locked_until_the_inserting_transaction_ends(
    world: World, level: str, insert: str
) -> None:
    make(world, level, "enforce")
    world.insert(["a", "other"])
    with world.owner.transaction(), world.db.connect() as other:
        world.owner.execute("DELETE FROM app.thing")
        world.owner.execute(INSERTS[insert])
        with pytest.raises(psycopg.errors.LockNotAvailable):
            other.execute(SQL(HELD + " NOWAIT"))
        # A birth that this transaction did not meet is nobody's to hold.
        other.execute("SELECT FROM birth.birth_registry WHERE entity_code = 'other' FOR UPDATE NOWAIT")


def test_a_birth_of_another_collection_is_not_locked(world: World) -> None:
    make(world)
    world.governed("(code text PRIMARY KEY)", "owning")
    world.insert(["a"], "owning")
    with world.owner.transaction(), world.db.connect() as other:
        world.insert(["a", "b"])
        world.insert(["c"])
        other.execute(SQL(HELD + " NOWAIT"))
    assert world.findings() == [("gateway_foreign", 1)]


def test_a_birth_deleted_after_the_snapshot_gives_40001(world: World) -> None:
    make(world, mode="enforce")
    world.insert(["a"])
    world.owner.execute("DELETE FROM app.thing")
    with old_snapshot(world, "REPEATABLE READ") as session, ThreadPoolExecutor(1) as elsewhere:
        with world.db.connect() as other, other.transaction():
            other.execute(HELD)
            waiting = elsewhere.submit(session.execute, "INSERT INTO app.thing VALUES ('a')")
            wait_until_blocked(world.admin, session)
            other.execute(REMOVED)
        with pytest.raises(psycopg.errors.SerializationFailure):
            waiting.result(timeout=60)
    assert world.births() == []


def test_a_code_that_another_collection_took_in_this_transaction_belongs_to_it(world: World) -> None:
    make(world)
    world.governed("(code text PRIMARY KEY)", "owning")
    with world.owner.transaction():
        world.insert(["a"], "owning")
        world.insert(["a", "b"])
    assert (world.births("owning"), world.births()) == (["a"], ["b"])
    assert world.findings() == [("gateway_foreign", 1)]


def test_a_foreign_code_is_refused_with_its_owner_and_what_a_steward_can_do(world: World) -> None:
    make(world, mode="enforce")
    world.governed("(code text PRIMARY KEY)", "owning")
    world.insert(["a"], "owning")
    world.owner.execute("DELETE FROM app.owning")
    for codes in (["a"], ["a", "b"]):
        with pytest.raises(psycopg.Error) as refusal:
            world.insert(codes)
        assert refusal.value.sqlstate == errors.GatewayForeign.sqlstate
        assert "'a', which belongs to collection owning" in str(refusal.value.diag.message_detail)
    assert "fn_birth_identity_classify" in str(refusal.value.diag.message_hint)
    world.classify("synthetic_id", column="code", prefix="thing-")
    world.insert(["a"])
    assert world.births() == ["thing-a"]
