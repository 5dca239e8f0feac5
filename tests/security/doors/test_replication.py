"""Logical replication for real, from one database of the server to another: what comes past the gateway is found."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from doors import catalogue
from psycopg.sql import SQL, Identifier, Literal
from support import Cluster, Database
from world import World, sql

from birthdb import api, errors

_PATIENCE = 60  # seconds


@pytest.fixture(autouse=True)
def _replicating(server: Cluster) -> None:
    if server.execute("SHOW wal_level").fetchone() != ("logical",):
        pytest.skip("this server has no wal_level = logical")


@pytest.fixture
def pair(server: Cluster, scenes: dict[str, Database]) -> Iterator[Callable[[str], tuple[World, World]]]:
    """Copies of a scene: the one that publishes and the one that subscribes."""
    with ExitStack() as stack:

        def copies(scene: str) -> tuple[World, World]:
            made = [server.create(scenes[scene].name) for _ in range(2)]
            for database in made:
                stack.callback(database.drop)
            publisher, subscriber = (World(database, made=True) for database in made)
            return publisher, subscriber

        yield copies


@contextmanager
def replicated(
    publisher: World, subscriber: World, *tables: str, options: str = "publish = 'insert'"
) -> Iterator[None]:
    """Replicate tables, whatever is in them first."""
    name = Identifier(subscriber.db.name)
    slot = Literal(publisher.db.name)
    publisher.admin.execute(
        SQL("CREATE PUBLICATION p FOR TABLE {} WITH ({})").format(
            SQL(", ").join(Identifier(*table.split(".")) for table in tables),
            SQL(options),
        )
    )
    # Within one server the slot is made by hand: making the subscription would wait for its own transaction.
    publisher.admin.execute(SQL("SELECT pg_create_logical_replication_slot({}, 'pgoutput')").format(slot))
    subscriber.admin.execute(
        SQL("CREATE SUBSCRIPTION {} CONNECTION {} PUBLICATION p WITH (create_slot = false, slot_name = {})").format(
            name, Literal(publisher.db.url()), slot
        )
    )
    try:
        # Until the first copy is over, it waits for whoever waits for the table: the server cannot see that it does.
        until(subscriber, "SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel", True)
        yield
    finally:
        subscriber.admin.execute(SQL("DROP SUBSCRIPTION {}").format(name))


def until(world: World, query: str, expected: object) -> None:
    """Wait until the query has this one value."""
    deadline = time.monotonic() + _PATIENCE
    while (found := world.value(query)) != expected:
        assert time.monotonic() < deadline, f"{query}: {found} instead of {expected}"


def arrived(subscriber: World, *codes: str) -> None:
    until(subscriber, "SELECT array_agg(code ORDER BY code) FROM app.thing", list(codes))


def noticed(world: World) -> list[str]:
    return [row[0] for row in world.operator.execute("SELECT what FROM birth.v_birth_attention")]


def test_replicated_rows_fire_no_statement_trigger_and_are_detected(
    pair: Callable[[str], tuple[World, World]],
) -> None:
    door = catalogue.titled("logical replication into a table whose gateway was attached before the subscription")
    publisher, subscriber = pair("plain")
    with replicated(publisher, subscriber, "app.thing"):
        publisher.insert(["a"], "thing (code)")
        arrived(subscriber, "a")
        assert (publisher.births(), subscriber.births()) == (["a"], [])
        assert subscriber.failed_checks() == door.census
        assert noticed(subscriber) == [door.attention]
        # ALWAYS does not help a statement trigger.
        subscriber.owner.execute("ALTER TABLE app.thing ENABLE ALWAYS TRIGGER birth_gateway")
        publisher.insert(["b"], "thing (code)")
        arrived(subscriber, "a", "b")
        assert subscriber.failed_checks() == door.census | {"rows without a birth": ["a", "b"]}


def test_a_gateway_attached_for_replication_gives_replicated_rows_births(
    pair: Callable[[str], tuple[World, World]],
) -> None:
    door = catalogue.titled("logical replication into a table whose gateway was attached after the subscription")
    publisher, subscriber = pair("plain")
    with replicated(publisher, subscriber, "app.thing"):
        subscriber.owner.execute(api.gateway_detach(subscriber.steward, "thing", "replicated").encode())
        subscriber.owner.execute(subscriber.attach(mode="enforce").encode())
        for code in door.born:
            publisher.insert([code], "thing (code)")
        arrived(subscriber, *door.born)
        assert subscriber.births() == door.born
        assert subscriber.failed_checks() == door.census
        assert noticed(subscriber) == []


def test_a_replicated_row_that_can_have_no_birth_stops_the_subscription(
    pair: Callable[[str], tuple[World, World]],
) -> None:
    publisher, subscriber = pair("plain")
    if subscriber.db.cluster.major < 15:
        pytest.skip("a subscription that ends at an error came with PostgreSQL 15")
    subscriber.governed("(code text PRIMARY KEY)", "other", mode="enforce")
    subscriber.insert(["theirs"], "other")
    with replicated(publisher, subscriber, "app.thing"):
        name = subscriber.db.name
        subscriber.admin.execute(sql("ALTER SUBSCRIPTION {name} SET (disable_on_error = true)", name=name))
        subscriber.owner.execute(api.gateway_detach(subscriber.steward, "thing", "replicated").encode())
        subscriber.owner.execute(subscriber.attach(mode="enforce").encode())
        publisher.insert(["a"], "thing (code)")
        arrived(subscriber, "a")
        publisher.insert(["theirs"], "thing (code)")
        until(subscriber, "SELECT subenabled FROM pg_subscription WHERE subname = current_database()", False)
        arrived(subscriber, "a")
        assert subscriber.births() == ["a"]
        assert subscriber.failed_checks() == {}


@pytest.mark.parametrize("by_root", [False, True], ids=["into partitions", "into the root"])
def test_rows_replicated_into_partitions_are_detected_until_the_gateway_is_enable_always(
    pair: Callable[[str], tuple[World, World]], by_root: bool
) -> None:
    door = catalogue.titled("logical replication into partitions, or into their root")
    publisher, subscriber = pair("parted")
    options = f"publish = 'insert', publish_via_partition_root = {str(by_root).lower()}"
    with replicated(publisher, subscriber, "app.thing" if by_root else "app.low", options=options):
        publisher.insert(["a"], "thing")
        arrived(subscriber, "a")
        subject = "replicated table without an ALWAYS gateway"
        named = {subject: ["app.high", "app.low"]} if by_root else {}
        assert subscriber.failed_checks() == door.census | named
        assert door.attention in noticed(subscriber)
        subscriber.owner.execute("ALTER TABLE app.thing ENABLE ALWAYS TRIGGER birth_gateway")
        publisher.insert(["b"], "thing")
        arrived(subscriber, "a", "b")
        assert subscriber.births() == ["b"]
        assert subscriber.failed_checks() == {"rows without a birth": ["a"]}
        assert noticed(subscriber) == []


def test_replicated_births_are_reported_until_the_subscription_is_dropped(
    pair: Callable[[str], tuple[World, World]],
) -> None:
    door = catalogue.titled("logical replication of the births with their rows")
    publisher, subscriber = pair("plain")
    with replicated(publisher, subscriber, "app.thing", "birth.birth_registry"):
        publisher.insert(door.born, "thing (code)")
        arrived(subscriber, *door.born)
        until(subscriber, "SELECT count(*) FROM birth.birth_registry", len(door.born))
        assert subscriber.births() == door.born
        assert subscriber.failed_checks() == door.census
        assert publisher.failed_checks() == {}
    assert subscriber.failed_checks() == {}
    assert (publisher.births(), noticed(subscriber)) == (door.born, [])


def test_the_first_copy_into_a_closed_table_is_found_by_its_admission_and_stops_no_subscription(
    pair: Callable[[str], tuple[World, World]],
) -> None:
    publisher, subscriber = pair("plain")
    publisher.insert(["a"], "thing (code)")
    api.gate_scope(subscriber.steward, "app", "enforce", "a test")
    subscriber.owner.execute("DROP TABLE app.thing")
    subscriber.table("(code text UNIQUE, n int)")
    subscriber.attach(mode="enforce")
    state = "SELECT state FROM birth.v_birth_gate"
    assert subscriber.value(state) == "CLOSED"
    with replicated(publisher, subscriber, "app.thing"):
        arrived(subscriber, "a")
        with pytest.raises(errors.AdmissionRefused, match="cannot be admitted") as refusal:
            api.gate_admit(subscriber.person("stella_steward"), "thing", "a test")
        assert "1 have no birth" in str(refusal.value.detail)
        # Attached after the first copy, as the guide says, it is in use.
        subscriber.owner.execute(api.gateway_detach(subscriber.steward, "thing", "replicated").encode())
        subscriber.owner.execute(subscriber.attach(mode="enforce").encode())
        publisher.insert(["b"], "thing (code)")
        arrived(subscriber, "a", "b")
        assert (subscriber.value(state), subscriber.births()) == ("BREACHED", ["b"])
        subscriber.backfill()
        api.gate_admit(subscriber.person("stella_steward"), "thing", "a test")
        assert subscriber.value(state) == "ADMITTED"
