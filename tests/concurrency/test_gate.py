"""The gate beside writers: nothing that is in use is refused, and nothing slips in while a collection is admitted."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
from world import APPLICATION, World, wait_until_blocked

from birthdb import api, errors

SECOND = "stella_steward"
TABLE = "(code text PRIMARY KEY)"


def gated(world: World, mode: api.Mode = "enforce") -> None:
    api.gate_scope(world.steward, "app", mode, "a test")


def admit(world: World) -> str:
    return api.gate_admit(world.person(SECOND), "thing", "a test")


@contextmanager
def writers(world: World, count: int = 2) -> Iterator[list[str]]:
    """Insert rows in sessions of their own until the block ends, sometimes many at once; yield what was refused."""
    refused: list[str] = []
    over = threading.Event()

    def write() -> None:
        with world.db.connect(APPLICATION) as conn:
            turn = 0
            while not over.is_set():
                turn += 1
                try:
                    conn.execute(
                        "INSERT INTO app.thing SELECT format('%s-%s-%s', %s::int, %s::int, g)"
                        " FROM generate_series(1, %s::int) g".replace("%s-%s-%s", "%%s-%%s-%%s"),
                        (conn.info.backend_pid, turn, 1 + turn % 3),
                    )
                except psycopg.Error as error:
                    refused.append(f"{error.sqlstate} {error}")

    threads = [threading.Thread(target=write) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield refused
    finally:
        over.set()
        for thread in threads:
            thread.join()


def test_no_row_of_a_table_in_use_is_refused_whatever_stewards_do(world: World) -> None:
    world.table(TABLE)
    world.insert(["first"])
    world.register()
    world.classify("column", column="code")
    with writers(world) as refused:
        for _ in range(3):
            gated(world)
            world.attach()
            gated(world, "observe")
            api.gate_scope(world.steward, "app", None, "a test")
            gated(world)
            with pytest.raises(errors.AdmissionRefused):
                admit(world)
            api.gateway_detach(world.steward, "thing", "a test")
            world.admin.execute("DROP TRIGGER birth_gateway ON app.thing")
        world.attach()
    assert refused == []
    world.backfill()
    with writers(world) as refused:
        admit(world)
        api.gateway_detach(world.steward, "thing", "a test")
        world.admin.execute("DROP TRIGGER birth_gateway ON app.thing")
        world.attach()
    assert refused == []
    assert world.value("SELECT admitted_how FROM birth.collection_registry") == "PROVEN"


def test_two_sessions_that_insert_during_an_admission_are_refused_or_born(world: World) -> None:
    gated(world)
    world.governed(TABLE)
    with writers(world) as refused:
        admit(world)
    assert {each[:5] for each in refused} <= {"NB508"}
    assert world.failed_checks() == {}
    assert world.value("SELECT admitted_how FROM birth.collection_registry") == "EMPTY"


def test_an_uncommitted_row_past_the_gateway_is_waited_for_and_found(world: World) -> None:
    gated(world)
    world.governed(TABLE)
    stella = world.person(SECOND)
    with world.db.connect(APPLICATION, autocommit=False) as other:
        # The trigger is put back in the transaction that inserted without it.
        other.execute("ALTER TABLE app.thing DISABLE TRIGGER birth_gateway")
        other.execute("INSERT INTO app.thing VALUES ('a')")
        other.execute("ALTER TABLE app.thing ENABLE TRIGGER birth_gateway")
        found: list[object] = []

        def admission() -> None:
            try:
                found.append(admit(world))
            except errors.BirthError as error:
                found.append(error.sqlstate)

        thread = threading.Thread(target=admission)
        thread.start()
        wait_until_blocked(world.admin, stella)
        other.commit()
        thread.join()
    assert found == ["NB510"]


@pytest.mark.parametrize("table", ["thing", "part"])
def test_a_gateway_that_is_disabled_while_an_admission_waits_is_missed(world: World, table: str) -> None:
    gated(world)
    world.table("(id int PRIMARY KEY) PARTITION BY HASH (id)")
    world.table("PARTITION OF app.thing FOR VALUES WITH (MODULUS 1, REMAINDER 0)", "part")
    world.register()
    world.classify("synthetic_id", column="id", prefix="n-")
    world.attach()
    stella = world.person(SECOND)
    with world.db.connect(APPLICATION, autocommit=False) as other:
        other.execute(f"ALTER TABLE ONLY app.{table} DISABLE TRIGGER birth_gateway".encode())
        found: list[object] = []

        def admission() -> None:
            try:
                found.append(admit(world))
            except errors.BirthError as error:
                found.append(error.sqlstate)

        thread = threading.Thread(target=admission)
        thread.start()
        wait_until_blocked(world.admin, stella)
        other.commit()
        thread.join()
    assert found == ["NB510"]


def test_a_prepared_insert_holds_up_an_admission_two_seconds_and_no_longer(world: World) -> None:
    gated(world)
    world.governed(TABLE)
    with world.db.connect(APPLICATION, autocommit=False) as other:
        other.execute("ALTER TABLE app.thing DISABLE TRIGGER birth_gateway")
        other.execute("INSERT INTO app.thing VALUES ('a')")
        other.execute("ALTER TABLE app.thing ENABLE TRIGGER birth_gateway")
        other.execute("PREPARE TRANSACTION 'kept'")
    with pytest.raises(psycopg.errors.LockNotAvailable):
        admit(world)
    world.owner.execute("ROLLBACK PREPARED 'kept'")
    admit(world)
    assert world.value("SELECT admitted_how FROM birth.collection_registry") == "EMPTY"


def test_an_insert_that_waits_for_the_attach_meets_a_closed_collection(world: World) -> None:
    gated(world)
    world.governed(TABLE, mode=None)
    refused: list[str | None] = []
    with world.db.connect("alice_steward", autocommit=False) as steward:
        api.gateway_attach(steward, "thing", "enforce")

        def insert() -> None:
            try:
                world.insert(["a"])
            except psycopg.Error as error:
                refused.append(error.sqlstate)

        owner = world.owner
        thread = threading.Thread(target=insert)
        thread.start()
        wait_until_blocked(world.admin, owner)
        steward.commit()
        thread.join()
    assert refused == ["NB508"]
    assert world.value("SELECT count(*) FROM app.thing") == 0


def test_two_migrations_side_by_side_answer_for_what_they_see(world: World) -> None:
    gated(world)
    with (
        world.db.connect(APPLICATION, autocommit=False) as one,
        world.db.connect(APPLICATION, autocommit=False) as other,
    ):
        one.execute("CREATE TABLE app.left_open (id int)")
        assert api.gate(other) == 0  # it cannot see what is not committed
        with pytest.raises(errors.TableUngated):
            api.gate(one)
        one.rollback()
        one.execute("CREATE TABLE app.left_open (id int)")
        one.commit()  # a team that does not ask
        with pytest.raises(errors.TableUngated) as refusal:
            api.gate(other)
        assert "app.left_open" in str(refusal.value.detail)
        other.rollback()


@pytest.mark.long
def test_two_thousand_partitions_are_closed_and_admitted_as_one_table(world: World) -> None:
    gated(world)
    world.table("(id int PRIMARY KEY) PARTITION BY RANGE (id)")
    world.owner.execute(
        "DO $$ BEGIN FOR i IN 0 .. 1999 LOOP EXECUTE format('CREATE TABLE app.part_%s PARTITION OF app.thing"
        " FOR VALUES FROM (%s) TO (%s); GRANT TRIGGER ON app.part_%s TO birth_definer', i, i, i + 1, i);"
        " END LOOP; END $$"
    )
    world.register()
    world.classify("synthetic_id", column="id", prefix="n-")
    world.attach()
    for target in ("thing", "part_1999"):
        with pytest.raises(psycopg.Error, match="takes no rows"):
            world.owner.execute(f"INSERT INTO app.{target} VALUES (1999)".encode())
    assert api.gate(world.owner) == 1
    admit(world)
    world.owner.execute("INSERT INTO app.thing SELECT g FROM generate_series(1, 9) g")
    assert len(world.births()) == 9


def test_an_owner_who_may_not_put_the_gateway_on_a_partition_cannot_make_one(world: World) -> None:
    gated(world)
    world.table("(id int PRIMARY KEY) PARTITION BY HASH (id)")
    world.register()
    world.classify("synthetic_id", column="id", prefix="n-")
    world.attach()
    admit(world)
    world.admin.execute(f"REVOKE birth_source_owner FROM {APPLICATION}")
    part = "CREATE TABLE app.part PARTITION OF app.thing FOR VALUES WITH (MODULUS 1, REMAINDER 0)"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        world.owner.execute(part)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        world.owner.execute(
            "CREATE TABLE app.part (id int PRIMARY KEY); INSERT INTO app.part VALUES (1);"
            " ALTER TABLE app.thing ATTACH PARTITION app.part FOR VALUES WITH (MODULUS 1, REMAINDER 0)"
        )
    assert world.value("SELECT to_regclass('app.part') IS NULL")
    world.admin.execute(f"GRANT birth_source_owner TO {APPLICATION}")
    world.owner.execute(part)
    world.owner.execute("INSERT INTO app.thing VALUES (1)")
    assert world.births() == ["n-1"]


def test_a_registration_is_not_withdrawn_beside_an_attach_that_is_not_committed(world: World) -> None:
    world.table(TABLE)
    world.register(coverage="BIRTH_DEFERRED_NEEDS_REVIEW")
    world.classify("column", column="code")
    with (
        world.db.connect("stella_steward", autocommit=False) as another,
        world.db.connect("alice_steward") as steward,
        ThreadPoolExecutor(1) as elsewhere,
    ):
        api.gateway_attach(another, "thing")
        withdrawn = elsewhere.submit(api.collection_withdraw, steward, "thing", "a test")
        wait_until_blocked(world.admin, steward)
        another.commit()
        with pytest.raises(errors.CollectionInUse):
            withdrawn.result()
    assert world.value("SELECT count(*) FROM birth.collection_registry") == 1
