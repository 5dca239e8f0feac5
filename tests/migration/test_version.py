"""A version is no more than a word: the objects are asked before it is written, and before anything follows from it."""

import io
from typing import LiteralString

import psycopg
import pytest
from alembic import command
from alembic.util import CommandError
from support import RELEASER, Database, alembic_config, upgrade

from birthdb import paths
from birthdb.audit import verify
from birthdb.release import attest
from pgcontract.sources import Sources

from .test_release import psql, script, shape, versions

RELEASES = list(Sources(paths.ROOT).releases)

LOST: list[LiteralString] = ["DELETE FROM birth.alembic_version", "DROP TABLE birth.alembic_version"]


def stamp(db: Database, version: str) -> None:
    """Send `alembic stamp` as the login that releases."""
    command.stamp(alembic_config(db.url(RELEASER)), version)


def stamp_script(versions_: str) -> str:
    """Return what `alembic stamp --sql` prints."""
    config = alembic_config("postgresql://nobody@/nowhere?host=/nowhere")
    config.output_buffer = written = io.StringIO()
    command.stamp(config, versions_, sql=True)
    return written.getvalue()


@pytest.mark.parametrize("version", [*RELEASES[:-1], "base"])
def test_a_version_that_the_objects_are_not_is_not_stamped(db: Database, version: str) -> None:
    before = shape(db)
    with pytest.raises(psycopg.Error) as refused:
        stamp(db, version)
    assert refused.value.sqlstate == ("NB411" if version == "base" else "NB404")
    assert (versions(db), shape(db)) == ([RELEASES[-1]], before)


def test_nothing_is_stamped_on_an_empty_database(empty_db: Database) -> None:
    with pytest.raises(psycopg.Error) as refused:
        stamp(empty_db, "head")
    assert refused.value.sqlstate == "NB404"
    assert versions(empty_db) == []
    upgrade(empty_db.url(RELEASER))
    assert verify.verify(empty_db.connect()).fine


def test_a_script_that_stamps_asks_the_objects_too(db: Database) -> None:
    sent = psql(db, stamp_script(f"{RELEASES[-1]}:{RELEASES[1]}"))
    assert sent.returncode
    assert "NB404" in sent.stderr
    assert versions(db) == [RELEASES[-1]]


@pytest.mark.parametrize("loss", LOST)
def test_a_lost_version_is_named_and_written_back(db: Database, loss: LiteralString) -> None:
    db.connect().execute(loss)
    for ask in (attest.current, verify.verify, attest.repair):
        with pytest.raises(attest.NotReleased, match=f"objects of {RELEASES[-1]}, and the version") as said:
            ask(db.connect())
        assert said.value.hint == f"birthdb alembic stamp {RELEASES[-1]}"
    with pytest.raises(psycopg.Error) as refused:
        upgrade(db.url(RELEASER))
    assert refused.value.sqlstate == "NB411"
    assert f"birthdb alembic stamp {RELEASES[-1]}" in str(refused.value.diag.message_hint)
    sent = psql(db, script("upgrade", "base:head"))
    assert "NB411" in sent.stderr
    stamp(db, RELEASES[-1])
    assert verify.verify(db.connect()).fine


def test_a_version_that_somebody_wrote_drops_no_table_of_a_later_release(db: Database) -> None:
    admin = db.connect()
    before = shape(db)
    admin.execute("UPDATE birth.alembic_version SET version_num = 'stage2'")
    with pytest.raises(attest.NotReleased, match=r"says stage2, and .*table birth_death") as said:
        attest.repair(admin, harmless=True, drop_data=True)
    assert said.value.hint.endswith(f"birthdb alembic stamp {RELEASES[-1]}")
    assert shape(db) == before
    stamp(db, RELEASES[-1])
    assert verify.verify(db.connect()).fine


def test_a_release_that_is_unknown_is_not_stamped(db: Database) -> None:
    with pytest.raises(CommandError, match="no_such_release"):
        stamp(db, "no_such_release")
    assert versions(db) == [RELEASES[-1]]
