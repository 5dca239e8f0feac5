"""Which command goes with which release of the database, and what an upgrade means for what is open in it."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from uuid import UUID

import psycopg
import pytest
from sample import some
from support import RELEASER, Cluster, Database, downgrade, upgrade
from world import World

from birthdb import __version__, api, errors, paths, target
from birthdb.audit import verify
from pgcontract.sources import Sources

Command = Callable[..., "subprocess.CompletedProcess[str]"]

RELEASES = list(Sources(paths.ROOT).releases)
_RUN = "6e1b5a0e-0000-4000-8000-000000000000"
_APPLY = ("apply", _RUN)

#: What each command calls comes with a release; the one before it lacks it.
BROUGHT = {
    ("census", "thing"): ("stage0", "stage1"),
    ("plan", "thing"): ("stage1", "stage2"),
    _APPLY: ("stage2", "stage2_5"),
    ("gate",): ("stage2_5", "stage3"),
}


@pytest.fixture
def birthdb(monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run a command in a process of its own."""

    def run(db: Database, user: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        monkeypatch.setenv(target.VARIABLE, db.url(user))
        command = [sys.executable, "-m", "birthdb", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return run


@pytest.mark.long
def test_a_command_that_comes_with_a_later_release_names_it(db: Database, birthdb: Command) -> None:
    for arguments, (before, since) in reversed(BROUGHT.items()):
        downgrade(db.url(RELEASER), before)
        said = birthdb(db, "olga_operator", *arguments)
        assert said.returncode == 1
        assert "code: NB418" in said.stderr
        assert f"the database is at {before}; what the command calls comes with {since}" in said.stderr
        assert said.stderr.endswith(f"hint: birthdb alembic upgrade {since}\n")
    for arguments, (_, since) in BROUGHT.items():
        assert birthdb(db, RELEASER, "alembic", "upgrade", since).returncode == 0
        assert "NB418" not in birthdb(db, "olga_operator", *arguments).stderr


@some(
    "arguments",
    [
        ("verify",), _APPLY, ("alembic", "upgrade", "head"), ("status",), ("plan", "thing"), ("census", "thing"),
        ("gate",), ("repair",), ("attest",), ("uninstall", "--plan"), ("alembic", "current"),
        ("alembic", "downgrade", "stage4"), ("alembic", "stamp", RELEASES[-1]),
    ],
    most=2,
    ids=" ".join,
)  # fmt: skip
def test_a_release_that_is_newer_than_the_command_is_left_alone(
    db: Database, birthdb: Command, arguments: tuple[str, ...]
) -> None:
    # It has changed an object: with those of a release that is known only the version would be wrong.
    db.connect().execute("ALTER FUNCTION birth.fn_birth_lock_key(text) COST 7")
    db.connect().execute("UPDATE birth.alembic_version SET version_num = 'later'")
    said = birthdb(db, RELEASER, *arguments)
    assert said.returncode == 1
    assert "code: NB418" in said.stderr
    assert (
        f"release later is not among the installed ones: this birthdb knows those up to {RELEASES[-1]}" in said.stderr
    )
    assert "hint: install the birthdb that has later; where none has, a superuser sends DELETE FROM " in said.stderr
    assert f"birthdb repair --execute; this is {__version__}" in said.stderr


def test_evidence_is_exported_from_a_newer_release_too(db: Database, birthdb: Command) -> None:
    World(db).governed("(code text PRIMARY KEY)")
    db.connect().execute("UPDATE birth.alembic_version SET version_num = 'later'")
    said = birthdb(db, "olga_operator", "evidence", "all")
    assert (said.returncode, "error" in said.stderr) == (0, False), said.stderr


@pytest.fixture
def world(server: Cluster) -> Iterator[World]:
    """A world at stage4, with ten rows that have no birth."""
    db = server.create_released("stage4")
    world = World(db)
    world.governed("(code text PRIMARY KEY)", mode=None)
    world.insert("abcdefghij")
    yield world
    db.drop()


def apply(world: World, run: UUID, permit: int, rows: int) -> str:
    """Run a backfill to its end; return its status."""
    api.apply(world.operator, "thing", run, permit, rows, rows, batch=3, execute=True)
    return str(world.value("SELECT status FROM birth.birth_backfill_ledger_v2 WHERE run_id = %s", run))


def stopped(world: World, run: UUID, permit: int, rows: int) -> None:
    """Run a backfill until its second batch, which another session holds up."""
    insert = "INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin) VALUES ('e', 'thing', 'x')"
    with world.db.connect(autocommit=False) as rival:
        rival.execute(insert)
        with pytest.raises(psycopg.errors.LockNotAvailable):
            apply(world, run, permit, rows)
        rival.rollback()


def test_a_plan_outlives_an_upgrade(world: World) -> None:
    plan = api.plan(world.operator, "thing", dry_run=False)
    upgrade(world.db.url(RELEASER))
    rows = plan["expected_delta"]
    assert apply(world, plan["run_id"], world.judged(plan["run_id"], rows=rows), rows) == "done"
    assert verify.verify(world.person("rita_reviewer")).fine


@some("begun", [True, False])
def test_a_verdict_is_given_again_after_an_upgrade_and_run_and_permit_go_on(world: World, begun: bool) -> None:
    run, permit, rows = world.permitted()
    if begun:
        stopped(world, run, permit, rows)
    upgrade(world.db.url(RELEASER))
    with pytest.raises(errors.VerdictMissing) as refused:
        apply(world, run, permit, rows)
    assert "the contract changed after the verdict" in str(refused.value.detail)
    api.review_record(world.person("rita_reviewer"), run, "SAFE", "read again", accept_orphans=0)
    assert apply(world, run, permit, rows) == "done"
    assert verify.verify(world.person("rita_reviewer")).fine


def test_a_change_of_policy_is_judged_again_after_an_upgrade(world: World) -> None:
    run = api.transition_plan(world.operator, "thing", None, to_governed=True, dry_run=False)["run_id"]
    permit = world.judged(run)
    upgrade(world.db.url(RELEASER))
    with pytest.raises(errors.VerdictMissing):
        api.transition_apply(world.operator, run, permit, execute=True)
    api.review_record(world.person("rita_reviewer"), run, "SAFE", "read again", accept_orphans=0)
    api.transition_apply(world.operator, run, permit, execute=True)
    assert world.value("SELECT governed FROM birth.collection_registry")


def test_a_verdict_counts_as_long_as_the_release_is_the_same(world: World) -> None:
    run, permit, rows = world.permitted()
    upgrade(world.db.url(RELEASER), "stage4")
    assert apply(world, run, permit, rows) == "done"
