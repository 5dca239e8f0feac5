"""The whole way in a database whose upper and lower case are those of Turkish: I is no capital of i there."""

from collections.abc import Iterator

import psycopg
import pytest
from support import RELEASER, Cluster, downgrade, upgrade
from world import World

from birthdb import api
from birthdb.release import attest


@pytest.fixture
def turkish(server: Cluster) -> Iterator[World]:
    """A released database with the rules of Turkish."""
    if server.major < 15:
        pytest.skip("PostgreSQL 14 has no databases with a locale of ICU")
    try:
        made = server.create(icu="tr-TR")
    except psycopg.errors.FeatureNotSupported:
        pytest.skip("this server was built without ICU: BIRTHDB_PG_BIN=/usr/lib/postgresql/15/bin")
    upgrade(made.url(RELEASER))
    downgrade(made.url(RELEASER), "base")
    upgrade(made.url(RELEASER))
    server.enrol()
    world = World(made)
    assert world.value("SELECT lower('VIEW') || upper('id')") == "v\u0131ew\u0130D"
    yield world
    world.close()
    made.drop()


def test_the_whole_way_in_a_database_of_a_turkish_locale(turkish: World) -> None:
    world = turkish
    world.governed('("ID" int PRIMARY KEY)', mode=None, strategy="synthetic_id", column="ID", prefix="I-")
    world.governed(
        "(id int, kind text, PRIMARY KEY (id, kind))", "pair", None, strategy="legacy", template="{kind}i{id}"
    )
    assert world.status() == "ELIGIBLE_SYNTHETIC_ID"
    world.owner.execute("INSERT INTO app.thing VALUES (1), (2); INSERT INTO app.pair VALUES (1, 'I'), (1, '\u0131')")
    for name in ("thing", "pair"):
        run = world.backfill(name)
        ended = api.progress(world.operator, run)
        assert ended is not None
        assert ended["status"] == "done"
        world.attach(name, "enforce")
        api.life_attach(world.steward, name, "enforce")
    world.owner.execute('INSERT INTO app.thing VALUES (3); DELETE FROM app.thing WHERE "ID" = 1')
    assert sorted(world.births()) == ["I-1", "I-2", "I-3"]
    for name in ("thing", "pair"):
        assert world.failed_checks(name) == {}
    assert world.change_policy("BIRTH_EXEMPT_ITI", "pair", accept=2)
    assert all(row["pass"] for row in api.run_audit(world.operator))
    proposed = api.identity_propose(world.steward, "app", "thing")
    assert {row["strategy"] for row in proposed} <= {"column", "synthetic_id", "legacy"}
    for view in (
        "v_birth_attention",
        "v_birth_metrics",
        "v_qt001_apply_runtime_status",
        "v_birth_policy",
        "v_birth_life",
    ):
        world.admin.execute(f"SELECT * FROM birth.{view}".encode())
    api.dot_freeze(world.operator, "dot-birth-backfill-apply", "an incident")


def test_a_drift_is_repaired_in_a_database_of_a_turkish_locale(turkish: World) -> None:
    world = turkish
    world.admin.execute(
        "CREATE VIEW birth.v_birth_extra AS SELECT 1 AS i; CREATE FUNCTION birth.fn_birth_extra() RETURNS int"
        " LANGUAGE sql AS 'SELECT 1'; DROP VIEW birth.v_birth_spike CASCADE;"
        " ALTER FUNCTION birth.fn_birth_clock() SECURITY DEFINER;"
        " GRANT INSERT ON birth.birth_registry TO birth_steward; ALTER TABLE birth.birth_act DISABLE TRIGGER ALL;"
        " CREATE INDEX iii ON birth.birth_registry (run_id)"
    )
    drifted = "SELECT object, repair FROM birth.v_birth_gateway_release_drift_guard WHERE NOT pass"
    found = world.admin.execute(drifted).fetchall()
    assert {"v_birth_extra", "v_birth_spike", "iii"} <= {name.rpartition(".")[2] for name, _ in found}
    with world.db.connect() as conn:
        attest.repair(conn)
    for _, step in world.admin.execute(drifted).fetchall():
        assert step.isascii()
        world.admin.execute(step.encode())
    assert world.admin.execute(drifted).fetchall() == []
