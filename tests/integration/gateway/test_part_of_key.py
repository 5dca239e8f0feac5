"""An identity that is a part of the table's key, as of a table partitioned by time: no two rows may share it."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from lives import agree as alive
from lives import dead
from psycopg import IsolationLevel
from world import APPLICATION, World, wait_until_blocked

from birthdb import api, errors

KEY = "(id bigint, created_at timestamptz, note text, PRIMARY KEY (id, created_at))"
JAN, FEB = "2024-01-15", "2024-02-15"


def months(world: World) -> None:
    """Create the table, with a partition a month."""
    world.table(f"{KEY} PARTITION BY RANGE (created_at)")
    for name, low, high in (("jan", "2024-01-01", "2024-02-01"), ("feb", "2024-02-01", "2024-03-01")):
        world.table(f"PARTITION OF app.thing FOR VALUES FROM ('{low}') TO ('{high}')", name)


def governed(world: World, mode: Any = "enforce", *, parted: bool = True) -> None:
    if parted:
        months(world)
    else:
        world.table(KEY)
    world.register()
    api.identity_classify(world.steward, "thing", "synthetic_id", column="id", prefix="T-", part_of_key=True)
    if mode:
        world.attach("thing", mode)


def put(world: World, *rows: tuple[int, str], into: str = "thing") -> None:
    """Insert the rows in one statement."""
    values = ", ".join(f"({number}, '{at}')" for number, at in rows)
    world.owner.execute(f"INSERT INTO app.{into} (id, created_at) VALUES {values}".encode())


def refused(world: World, *rows: tuple[int, str], into: str = "thing") -> psycopg.errors.Diagnostic:
    with pytest.raises(psycopg.Error) as refusal:
        put(world, *rows, into=into)
    assert refusal.value.sqlstate == "NB109"
    assert refusal.value.diag.constraint_name == "birth_gateway"
    return refusal.value.diag


# --- the word


def test_a_part_of_the_key_is_an_identity_on_a_stewards_word_alone(world: World) -> None:
    months(world)
    world.register()
    with pytest.raises(errors.IdentityNotEligible) as refusal:
        world.classify("synthetic_id", column="id", prefix="thing-")
    assert "BLOCKED_NO_UNIQUE_KEY" in str(refusal.value.detail)
    *_, proposal = api.identity_propose(world.steward, "app", "thing")
    assert (proposal["strategy"], proposal["column"]) == ("synthetic_id", "id")
    assert "only where no two rows share" in proposal["reason"]
    world.steward.execute(proposal["next_step"].encode())
    assert world.status() == "ELIGIBLE_SYNTHETIC_ID"
    act = world.value("SELECT detail FROM birth.birth_act WHERE act = 'classify' ORDER BY acted_at DESC LIMIT 1")
    assert act["part_of_key"] is True
    assert world.value("SELECT codes_distinct FROM birth.fn_birth_identity_definition('thing')") is False


def test_what_is_left_of_a_key_of_three_is_proposed_as_a_template(world: World) -> None:
    world.table("(tenant text, no int, at date, PRIMARY KEY (tenant, no, at)) PARTITION BY RANGE (at)")
    world.register()
    *_, proposal = api.identity_propose(world.steward, "app", "thing")
    assert (proposal["strategy"], proposal["template"]) == ("legacy", "thing-{tenant}/{no}")
    world.steward.execute(proposal["next_step"].encode())
    assert world.status() == "ELIGIBLE_LEGACY"


@pytest.mark.parametrize(
    "definition",
    [
        "(id bigint NOT NULL, created_at timestamptz, UNIQUE (id, created_at))",
        "(id bigint, span interval, PRIMARY KEY (id, span))",
        "(id bigint, no bigint, created_at date, PRIMARY KEY (no, created_at))",
    ],
)
def test_the_whole_key_has_to_be_readable_and_complete(world: World, definition: str) -> None:
    world.table(definition)
    world.register()
    with pytest.raises(errors.IdentityNotEligible) as refusal:
        api.identity_classify(world.steward, "thing", "synthetic_id", column="id", prefix="T-", part_of_key=True)
    assert "BLOCKED_NO_UNIQUE_KEY" in str(refusal.value.detail)


# --- the gateway


@pytest.mark.parametrize("parted", [True, False])
def test_a_second_row_with_the_code_is_refused(world: World, parted: bool) -> None:
    governed(world, parted=parted)
    put(world, (1, JAN))
    put(world, (2, JAN), (3, FEB))
    diag = refused(world, (1, FEB))
    assert "'T-1'" in str(diag.message_detail)
    assert diag.table_name == ("feb" if parted else "thing")
    refused(world, (4, JAN), (2, FEB), (5, FEB))
    refused(world, (6, JAN), (6, FEB))
    assert world.births() == ["T-1", "T-2", "T-3"]
    # The hint works.
    world.owner.execute("DELETE FROM app.thing WHERE id = 1")
    put(world, (1, FEB))
    assert world.failed_checks() == {}
    assert world.findings() == []


def test_a_row_straight_into_a_partition_is_looked_for_in_the_others(world: World) -> None:
    governed(world)
    put(world, (1, JAN), into="jan")
    refused(world, (1, FEB), into="feb")
    put(world, (2, FEB), into="feb")
    assert world.births() == ["T-1", "T-2"]


@pytest.mark.parametrize("parted", [True, False])
def test_what_enforce_refuses_is_a_finding_in_observe(world: World, parted: bool) -> None:
    governed(world, "observe", parted=parted)
    put(world, (1, JAN), (2, JAN))
    put(world, (1, FEB))
    put(world, (2, FEB), (3, FEB))
    assert world.findings() == [("code_duplicate", 1), ("code_duplicate", 1)]
    assert world.failed_checks() == {"duplicate codes": ["T-1", "T-2"]}


def test_a_row_that_moves_or_comes_again_is_no_second_one(world: World) -> None:
    governed(world)
    put(world, (1, JAN), (2, JAN))
    world.owner.execute("UPDATE app.thing SET created_at = %s WHERE id = 1", (FEB,))
    with world.owner.transaction():
        world.owner.execute("DELETE FROM app.thing WHERE id = 2")
        put(world, (2, FEB))
    world.owner.execute("INSERT INTO app.thing VALUES (1, %s) ON CONFLICT (id, created_at) DO NOTHING", (FEB,))
    assert world.failed_checks() == {}
    assert world.births() == ["T-1", "T-2"]
    assert world.findings() == []


def test_two_sessions_cannot_share_a_code(world: World) -> None:
    governed(world)
    other = world.db.connect("nora_nobody", autocommit=False)
    other.execute("INSERT INTO app.thing VALUES (1, %s)", (JAN,))
    with ThreadPoolExecutor(1) as elsewhere:
        waiting = elsewhere.submit(refused, world, (1, FEB))
        wait_until_blocked(world.admin, world.owner)
        other.commit()
        waiting.result(timeout=60)
    old = world.db.connect("nora_nobody", autocommit=False)
    old.set_isolation_level(IsolationLevel.REPEATABLE_READ)
    old.execute("SELECT 1")
    put(world, (2, JAN))
    with pytest.raises(psycopg.errors.SerializationFailure):
        old.execute("INSERT INTO app.thing VALUES (2, %s)", (FEB,))


@pytest.mark.parametrize("mode", ["observe", "enforce"])
def test_rows_that_cannot_be_read_are_refused_or_found(world: World, mode: Any) -> None:
    governed(world, mode)
    put(world, (1, JAN))
    world.owner.execute("REVOKE SELECT ON app.thing FROM birth_scanner")
    put(world, (2, JAN))
    if mode == "enforce":
        diag = refused(world, (1, FEB))
        assert "could not be read" in str(diag.message_detail)
        assert "grant SELECT" in str(diag.message_hint)
    else:
        put(world, (1, FEB))
        assert world.findings() == [("code_duplicate", 1)]


def test_attaching_needs_to_read_the_rows(world: World) -> None:
    governed(world, None)
    world.owner.execute("REVOKE SELECT ON app.thing FROM birth_scanner")
    with pytest.raises(errors.SourcePrivilege) as refusal:
        world.attach()
    world.owner.execute(str(refusal.value.hint).partition(": ")[2].encode())
    world.attach()


def test_a_template_is_looked_for_by_its_columns(world: World) -> None:
    world.table("(tenant text, no int, at date, PRIMARY KEY (tenant, no, at))")
    world.register()
    api.identity_classify(world.steward, "thing", "legacy", template="{tenant}/{no}", part_of_key=True)
    world.attach("thing", "enforce")
    world.owner.execute("INSERT INTO app.thing VALUES ('a', 1, '2024-01-15'), ('b', 1, '2024-01-15')")
    with pytest.raises(psycopg.Error) as refusal:
        world.owner.execute("INSERT INTO app.thing VALUES ('c', 1, '2024-02-15'), ('a', 1, '2024-02-15')")
    assert refusal.value.sqlstate == "NB109"
    assert world.births() == ["a/1", "b/1"]


# --- the backfill, and old partitions


def test_rows_that_share_a_code_stop_the_plan(world: World) -> None:
    governed(world, None)
    put(world, (1, JAN), (2, JAN), (1, FEB), (3, FEB), (4, FEB))
    assert world.blockers() == ["NB109"]
    assert world.planned()["duplicates"] == 1
    assert world.failed_checks()["duplicate codes"] == ["T-1"]
    world.owner.execute("DELETE FROM app.thing WHERE id = 1 AND created_at = %s", (FEB,))
    world.backfill(batch=1)
    assert world.births() == ["T-1", "T-2", "T-3", "T-4"]


def test_rows_of_a_detached_partition_stay_born(world: World) -> None:
    governed(world)
    put(world, (1, JAN), (2, FEB))
    world.owner.execute("ALTER TABLE app.thing DETACH PARTITION app.jan")
    assert world.births() == ["T-1", "T-2"]
    assert world.failed_checks() == {"births without a row or a death": ["T-1"]}
    bounds = "FOR VALUES FROM ('2024-01-01') TO ('2024-02-01')"
    world.owner.execute(f"ALTER TABLE app.thing ATTACH PARTITION app.jan {bounds}".encode())
    assert world.failed_checks() == {}
    refused(world, (1, FEB))


def test_a_partition_attached_with_a_second_row_is_found(world: World) -> None:
    governed(world)
    put(world, (1, JAN))
    world.table(KEY, "mar")
    put(world, (1, "2024-03-15"), into="mar")
    world.owner.execute(
        "ALTER TABLE app.thing ATTACH PARTITION app.mar FOR VALUES FROM ('2024-03-01') TO ('2024-04-01')"
    )
    assert world.failed_checks() == {"duplicate codes": ["T-1"]}
    assert world.blockers()[0] == "NB109"


def test_a_new_partition_has_the_gateway(world: World) -> None:
    governed(world)
    put(world, (1, JAN))
    world.owner.execute("CREATE TABLE app.mar PARTITION OF app.thing FOR VALUES FROM ('2024-03-01') TO ('2024-04-01')")
    refused(world, (1, "2024-03-15"))
    put(world, (2, "2024-03-15"))
    assert world.births() == ["T-1", "T-2"]


def test_the_ends_of_rows_of_a_dropped_partition_are_a_run(world: World) -> None:
    governed(world)
    api.life_attach(world.steward, "thing", "observe")
    put(world, (1, JAN), (2, FEB))
    world.owner.execute("DROP TABLE app.jan")
    assert world.failed_checks() == {"births without a row or a death": ["T-1"]}
    plan = api.death_plan(world.operator, "thing", dry_run=False)
    permit = world.judged(plan["run_id"], accept=1)
    api.death_apply(world.operator, plan["run_id"], permit, execute=True)
    assert dead(world) == ["T-1"]
    alive(world)


def test_a_code_dies_with_the_last_row_that_has_it(world: World) -> None:
    governed(world, "observe")
    api.life_attach(world.steward, "thing", "observe")
    put(world, (1, JAN), (2, JAN), (3, JAN))
    world.owner.execute("UPDATE app.thing SET created_at = %s WHERE id = 1", (FEB,))
    assert dead(world) == []
    world.owner.execute("DELETE FROM app.thing WHERE id = 2")
    assert dead(world) == ["T-2"]
    # Past the gateway, which would have left a mark on the birth.
    world.owner.execute("ALTER TABLE app.feb DISABLE TRIGGER birth_gateway")
    put(world, (3, FEB), into="feb")
    world.owner.execute("ALTER TABLE app.feb ENABLE TRIGGER birth_gateway")
    world.owner.execute("DELETE FROM app.thing WHERE id = 3 AND created_at = %s", (JAN,))
    assert dead(world) == ["T-2"]
    world.owner.execute("DELETE FROM app.thing WHERE id = 3")
    assert dead(world) == ["T-2", "T-3"]
    alive(world)


def test_a_single_row_of_a_plain_table_dies_with_the_last_one_too(world: World) -> None:
    governed(world, "observe", parted=False)
    api.life_attach(world.steward, "thing", "observe")
    put(world, (1, JAN))
    world.owner.execute("ALTER TABLE app.thing DISABLE TRIGGER birth_gateway")
    put(world, (1, FEB))
    world.owner.execute("ALTER TABLE app.thing ENABLE TRIGGER birth_gateway")
    world.owner.execute("DELETE FROM app.thing WHERE created_at = %s", (JAN,))
    assert dead(world) == []


def test_a_life_needs_a_code_that_tells_its_columns(world: World) -> None:
    world.table("(a text, b text, at date, PRIMARY KEY (a, b, at))")
    world.register()
    api.identity_classify(world.steward, "thing", "legacy", template="{a}/{b}", part_of_key=True)
    world.attach()
    with pytest.raises(errors.LifeRefused):
        api.life_attach(world.steward, "thing", "observe")


def test_rows_are_looked_for_by_a_time_under_any_settings(world: World) -> None:
    world.table("(at timestamptz, no int, PRIMARY KEY (at, no))")
    world.register()
    api.identity_classify(world.steward, "thing", "column", column="at", part_of_key=True)
    world.attach("thing", "enforce")
    world.owner.execute("SET TimeZone = 'America/New_York'; SET DateStyle = 'SQL, DMY'")
    world.owner.execute("INSERT INTO app.thing VALUES ('2024-11-03 06:30+00', 1)")
    with pytest.raises(psycopg.Error) as refusal:
        world.owner.execute("INSERT INTO app.thing VALUES ('2024-11-03 06:30+00', 2)")
    assert refusal.value.sqlstate == "NB109"


def test_of_two_sessions_that_bring_a_code_again_the_later_is_refused(world: World) -> None:
    governed(world)
    put(world, (1, JAN))
    world.owner.execute("DELETE FROM app.thing")
    with (
        world.db.connect(APPLICATION, autocommit=False) as first,
        world.db.connect(APPLICATION) as second,
        ThreadPoolExecutor(1) as elsewhere,
    ):
        first.execute("INSERT INTO app.thing (id, created_at) VALUES (1, %s)", (JAN,))
        later = elsewhere.submit(second.execute, "INSERT INTO app.thing (id, created_at) VALUES (1, %s)", (FEB,))
        wait_until_blocked(world.admin, second)
        first.commit()
        with pytest.raises(psycopg.Error) as refusal:
            later.result()
    assert refusal.value.sqlstate == "NB109"
    assert world.owner.execute("SELECT count(*) FROM app.thing").fetchone() == (1,)


def test_a_key_that_grew_after_the_word_was_given_is_no_way_past_the_look(world: World) -> None:
    world.table("(id bigint PRIMARY KEY, created_at timestamptz)")
    world.register()
    api.identity_classify(world.steward, "thing", "synthetic_id", column="id", prefix="T-", part_of_key=True)
    world.attach("thing", "enforce")
    put(world, (1, JAN))
    world.owner.execute("ALTER TABLE app.thing DROP CONSTRAINT thing_pkey, ADD PRIMARY KEY (id, created_at)")
    refused(world, (1, FEB))


def test_a_lock_that_keeps_the_look_waiting_is_named_as_one(world: World) -> None:
    governed(world)
    put(world, (1, JAN))
    world.owner.execute("DELETE FROM app.thing")
    with world.db.connect(APPLICATION, autocommit=False) as holder:
        holder.execute("LOCK TABLE app.feb IN ACCESS EXCLUSIVE MODE")
        world.owner.execute("SET lock_timeout = '300ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            put(world, (1, JAN), into="jan")
