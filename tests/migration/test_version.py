"""A version is no more than a word: the objects are asked before it is written, and before anything follows from it."""

import io
from typing import LiteralString

import psycopg
import pytest
from alembic import command
from alembic.util import CommandError
from helpers import OPERATOR
from sample import some
from support import RELEASER, Database, alembic_config, downgrade, upgrade

from birthdb import errors, paths
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


@some("version", ["base", *reversed(RELEASES[:-1])], 3)
def test_a_version_that_the_objects_are_not_is_not_stamped(db: Database, version: str) -> None:
    before = shape(db)
    with pytest.raises(psycopg.Error) as refused:
        stamp(db, version)
    assert refused.value.sqlstate == ("NB411" if version == "base" else "NB404")
    assert (versions(db), shape(db)) == ([RELEASES[-1]], before)


def test_a_purge_that_is_refused_keeps_the_version(db: Database) -> None:
    with pytest.raises(psycopg.Error) as refused:
        command.stamp(alembic_config(db.url(RELEASER)), RELEASES[-2], purge=True)
    assert refused.value.sqlstate == "NB404"
    assert versions(db) == [RELEASES[-1]]
    command.stamp(alembic_config(db.url(RELEASER)), RELEASES[-1], purge=True)
    assert versions(db) == [RELEASES[-1]]


@pytest.mark.long
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


@pytest.mark.long
@pytest.mark.parametrize("version", [RELEASES[0], RELEASES[-2]])
def test_verify_names_the_version_where_the_objects_are_of_another(db: Database, version: str) -> None:
    db.connect().execute("UPDATE birth.alembic_version SET version_num = %s", (version,))
    first, *_ = verify.verify(db.connect(OPERATOR)).differing
    assert str(first).startswith(f"version: {version}: the objects are of {RELEASES[-1]}")
    command.stamp(alembic_config(db.url(RELEASER)), RELEASES[-1])
    assert verify.verify(db.connect(OPERATOR)).fine


@some("loss", LOST)
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


@pytest.mark.long
def test_a_version_that_somebody_wrote_drops_no_table_of_a_later_release(db: Database) -> None:
    admin = db.connect()
    before = shape(db)
    admin.execute("UPDATE birth.alembic_version SET version_num = 'stage2'")
    with pytest.raises(attest.NotReleased, match=r"says stage2, and .*table birth_death") as said:
        attest.repair(admin, harmless=True, drop_data=True)
    assert said.value.hint.endswith(f"birthdb alembic stamp {RELEASES[-1]}")
    assert shape(db) == before
    with pytest.raises(psycopg.Error) as refused:
        downgrade(db.url(RELEASER), RELEASES[RELEASES.index("stage2") - 1])
    assert refused.value.sqlstate == "NB404"
    assert "NB404" in psql(db, script("downgrade", "stage2:stage1")).stderr
    assert shape(db) == before
    stamp(db, RELEASES[-1])
    assert verify.verify(db.connect()).fine


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("UPDATE birth.alembic_version SET version_num = 'nonsense'", "nonsense"),
        ("INSERT INTO birth.alembic_version VALUES ('stage2')", f"{RELEASES[-1]} and stage2"),
    ],
)
def test_a_version_that_is_none_is_named_and_written_anew(db: Database, change: LiteralString, named: str) -> None:
    admin = db.connect()
    admin.execute(change)
    for ask in (attest.current, verify.verify, attest.repair):
        with pytest.raises(
            attest.NotReleased, match=f"objects of {RELEASES[-1]}, and the version table {named}"
        ) as said:
            ask(db.connect())
        assert said.value.hint == f"birthdb alembic stamp --purge {RELEASES[-1]}"
    command.stamp(alembic_config(db.url(RELEASER)), RELEASES[-1], purge=True)
    assert verify.verify(admin).fine


@pytest.mark.long
@some("loss", LOST)
def test_a_version_that_was_lost_with_more_is_put_back_by_repair(db: Database, loss: LiteralString) -> None:
    admin = db.connect()
    admin.execute(loss)
    admin.execute("DROP VIEW birth.v_birth_metrics")
    with pytest.raises(attest.NotReleased, match=f"objects of {RELEASES[-1]}, .* drifted") as said:
        verify.verify(admin)
    assert said.value.hint == "birthdb repair --execute"
    with pytest.raises(psycopg.Error) as refused:
        stamp(db, RELEASES[-1])
    assert refused.value.sqlstate == "NB404"
    attest.repair(db.connect(RELEASER))
    assert versions(db) == [RELEASES[-1]]
    assert verify.verify(admin).fine


@pytest.mark.long
@some("loss", LOST)
def test_a_version_that_was_lost_with_an_owner_is_put_back_by_repair(db: Database, loss: LiteralString) -> None:
    admin = db.connect()
    admin.execute(loss)
    admin.execute("ALTER FUNCTION birth.fn_birth_clock() OWNER TO SESSION_USER")
    with pytest.raises(attest.NotReleased, match="have drifted") as said:
        verify.verify(admin)
    assert said.value.hint == "birthdb repair --execute"
    attest.repair(admin, dry_run=True)
    attest.repair(admin)
    assert versions(db) == [RELEASES[-1]]
    assert verify.verify(admin).fine


def test_an_unknown_version_of_other_objects_is_of_a_newer_package(db: Database) -> None:
    admin = db.connect()
    admin.execute("UPDATE birth.alembic_version SET version_num = 'stage9'; DROP VIEW birth.v_birth_metrics")
    for ask in (attest.current, attest.repair):
        with pytest.raises(attest.NotReleased, match="stage9 is not among the installed ones"):
            ask(admin)


#: What becomes of the table without a word of its being lost; a reader finds each, and who releases repairs it.
CHANGES: list[LiteralString] = [
    "REVOKE SELECT ON birth.alembic_version FROM birth_reader",
    "REVOKE USAGE ON SCHEMA birth FROM birth_reader, birth_operator",
    "REVOKE INSERT, UPDATE, DELETE ON birth.alembic_version FROM birth_dba",
    "GRANT ALL ON birth.alembic_version TO nora_nobody",
    "GRANT UPDATE ON birth.alembic_version TO PUBLIC",
    "ALTER TABLE birth.alembic_version ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE birth.alembic_version FORCE ROW LEVEL SECURITY",
    "ALTER TABLE birth.alembic_version DROP CONSTRAINT alembic_version_pkc",
    "ALTER TABLE birth.alembic_version ALTER version_num TYPE text",
    "ALTER TABLE birth.alembic_version ALTER version_num SET DEFAULT 'stage2'",
    "ALTER TABLE birth.alembic_version SET UNLOGGED",
    "CREATE INDEX mine ON birth.alembic_version (version_num)",
    "CREATE RULE mine AS ON UPDATE TO birth.alembic_version DO INSTEAD NOTHING",
]


def verified(db: Database) -> str:
    """Return what comes of a reader's look: that something differs, or the hint of the refusal."""
    try:
        return "fine" if verify.verify(db.connect(OPERATOR)).fine else "differs"
    except errors.ContractDrift as refused:
        return (refused.hint or "").rpartition(": ")[2]


@some("change", CHANGES, 5)
def test_a_version_table_that_somebody_changed_is_found_and_repaired(db: Database, change: LiteralString) -> None:
    db.connect().execute(change)
    assert verified(db) in ("differs", "birthdb repair --execute")
    assert attest.repair(db.connect(RELEASER))
    assert verify.verify(db.connect(OPERATOR)).fine
    upgrade(db.url(RELEASER))


def test_a_column_of_somebodys_goes_with_its_values_only_if_asked(db: Database) -> None:
    admin = db.connect()
    admin.execute("ALTER TABLE birth.alembic_version ADD note text DEFAULT 'mine'")
    with pytest.raises(psycopg.Error) as refused:
        attest.repair(admin)
    assert refused.value.sqlstate == "NB404"
    assert "goes with its values" in refused.value.__notes__[-1]
    assert admin.execute("SELECT note FROM birth.alembic_version").fetchall() == [("mine",)]
    assert attest.repair(admin, drop_data=True)
    assert verify.verify(admin).fine


def test_a_release_that_is_unknown_is_not_stamped(db: Database) -> None:
    with pytest.raises(CommandError, match="no_such_release"):
        stamp(db, "no_such_release")
    assert versions(db) == [RELEASES[-1]]
