"""The whole way in databases of other encodings, and for clients of other encodings."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from sample import sampled
from support import RELEASER, Cluster, Database, downgrade, upgrade
from world import World

from birthdb import api, errors

#: Encoding and a name that it has.
ENCODINGS = {
    "LATIN1": "Müller",
    "LATIN9": "Œuvre €",
    "WIN1252": "Müller €",
    "EUC_JP": "日本",
    "SQL_ASCII": "Müller",
}
#: Of one byte a character as LATIN1 is.
SIMILAR = ("LATIN9", "WIN1252")


@pytest.fixture(params=sampled(["LATIN1", "SQL_ASCII", "EUC_JP", *SIMILAR], 1))
def encoded(request: pytest.FixtureRequest, server: Cluster, template: Database) -> Iterator[tuple[World, str]]:
    """A released database of an encoding, and a name."""
    made = server.create(encoding=request.param)
    upgrade(made.url(RELEASER))
    downgrade(made.url(RELEASER), "base")
    upgrade(made.url(RELEASER))
    world = World(made)
    yield world, ENCODINGS[request.param]
    world.close()
    made.drop()


def test_the_whole_way_in_a_database_of_another_encoding(encoded: tuple[World, str]) -> None:
    world, name = encoded
    world.governed("(code text PRIMARY KEY)", mode=None)
    world.insert([name, f"{name} 2"])
    has_ellipsis = world.value("SELECT getdatabaseencoding() = 'WIN1252'")
    for dots in ("...", "\u2026") if has_ellipsis else ("...",):
        planned = api.plan(world.operator, "thing", dry_run=False)["run_id"]
        with pytest.raises(errors.VerdictMalformed):
            api.review_record(world.person("rita_reviewer"), planned, "SAFE", f"{dots} ")
    run = world.backfill()
    world.attach(mode="enforce")
    api.life_attach(world.steward, "thing", "enforce")
    world.insert([f"{name} 3"])
    world.owner.execute("DELETE FROM app.thing WHERE code = %s", (name,))
    assert sorted(world.births()) == sorted([name, f"{name} 2", f"{name} 3"])
    assert world.failed_checks() == {}
    assert all(row["pass"] for row in api.run_audit(world.operator))
    ended = api.progress(world.operator, run)
    assert ended is not None
    assert ended["status"] == "done"


def test_a_client_of_another_encoding_can_freeze_and_is_told_what_to_do(world: World) -> None:
    world.operator.execute("SET client_encoding = 'LATIN1'")
    api.dot_freeze(world.operator, "dot-birth-backfill-apply", "an incident")
    for view in ("v_birth_attention", "v_birth_dot_status", "v_birth_metrics"):
        world.operator.execute(f"SELECT * FROM birth.{view}".encode())
    with pytest.raises(errors.RunUnknown) as refusal:
        api.run_stop(world.operator, uuid4(), "a test")
    assert (
        refusal.value.hint == "plan one with birth.fn_dot_birth_qt001_plan(p_collection := '...', p_dry_run := false)"
    )
