"""Attacks on Alembic's version table: who reads or alters a table runs what is on it, and a superuser reads it."""

import io
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, LiteralString

import psycopg
import pytest
from alembic import command
from helpers import refused
from sample import some
from support import DBA, RELEASER, Cluster, Database, alembic_config, downgrade, upgrade

from birthdb import errors, target
from birthdb.audit import evidence, verify
from birthdb.release import attest

#: Counts, whatever is rolled back, how often a superuser has run it.
_EVIL = """
CREATE SEQUENCE d2.ran;
CREATE FUNCTION d2.note() RETURNS bigint LANGUAGE sql VOLATILE AS $$SELECT nextval('d2.ran')$$;
CREATE FUNCTION d2.evil(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
    PERFORM d2.note();
  END IF;
  RETURN $1;
END $$;
CREATE FUNCTION d2.fire() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM d2.evil(1); RETURN NULL; END$$;
CREATE DOMAIN d2.version AS varchar(32) CHECK (length(VALUE) + d2.evil(1) > 0);
"""

#: What an owner, or who has TRIGGER or REFERENCES, can put on the table; what the refusal calls it.
PLANTED: dict[LiteralString, str] = {
    "CREATE STATISTICS d2.s ON (length(version_num) + d2.evil(1)), version_num FROM birth.alembic_version":
        "statistics d2.s",
    "CREATE INDEX other ON birth.alembic_version ((length(version_num) + d2.evil(1)))": "index birth.other",
    "CREATE INDEX other ON birth.alembic_version (version_num) WHERE d2.evil(1) > 0": "index birth.other",
    "CREATE INDEX other ON birth.alembic_version (version_num)": "index birth.other",
    "ALTER TABLE birth.alembic_version ADD CONSTRAINT other CHECK (length(version_num) + d2.evil(1) > 0)":
        "constraint other",
    "ALTER TABLE birth.alembic_version ALTER version_num TYPE d2.version": "column version_num d2.version",
    "ALTER TABLE birth.alembic_version ALTER version_num TYPE text": "column version_num text",
    "ALTER TABLE birth.alembic_version ALTER version_num SET DEFAULT d2.evil(1)::text": "another default",
    "ALTER TABLE birth.alembic_version ADD COLUMN other integer DEFAULT d2.evil(1)": "column other integer",
    "CREATE TRIGGER other AFTER UPDATE OR DELETE ON birth.alembic_version"
    " FOR EACH STATEMENT EXECUTE FUNCTION d2.fire()": "trigger other",
    "CREATE TABLE d2.child (version_num varchar(32) REFERENCES birth.alembic_version)": "trigger ",
    "CREATE RULE other AS ON UPDATE TO birth.alembic_version DO ALSO SELECT d2.evil(1)": "rule other",
    "CREATE POLICY other ON birth.alembic_version USING (d2.evil(1) > 0)": "policy other",
    "ALTER TABLE birth.alembic_version ENABLE ROW LEVEL SECURITY": "row security",
    "CREATE TABLE d2.child (CHECK (d2.evil(1) > 0)) INHERITS (birth.alembic_version)": "a parent or child",
    "GRANT TRIGGER ON birth.alembic_version TO nora_nobody": "TRIGGER to nora_nobody",
    "GRANT REFERENCES (version_num) ON birth.alembic_version TO nora_nobody": "REFERENCES to nora_nobody",
    "ALTER TABLE birth.alembic_version SET UNLOGGED": "no ordinary table",
}  # fmt: skip


@pytest.fixture(scope="module")
def prepared(server: Cluster, template: Database) -> Iterator[Database]:
    """A database at stage1 in which a member of birth_dba may create in a schema, and has prepared an attack."""
    server.enrol()
    made = server.create()
    upgrade(made.url(RELEASER), "stage1")
    with made.connect() as admin, made.connect(DBA) as attacker:
        admin.execute(f"CREATE SCHEMA d2 AUTHORIZATION {DBA}; GRANT USAGE ON SCHEMA d2 TO PUBLIC".encode())
        attacker.execute(_EVIL.encode())
    yield made
    made.drop()


@pytest.fixture
def attacked(server: Cluster, prepared: Database) -> Iterator[Database]:
    """A copy of it; stage1 knows no copies that a DBA confirms."""
    made = server.create(prepared.name, confirmed=False)
    yield made
    made.drop()


def ran(db: Database) -> bool:
    """Return whether a superuser has run the attacker's code."""
    (found,) = db.connect().execute("SELECT is_called FROM d2.ran").fetchone() or (None,)
    return bool(found)


def as_before(db: Database) -> None:
    """Make the version table as earlier versions left it: a member of birth_dba may do anything to it."""
    db.connect().execute("ALTER TABLE birth.alembic_version OWNER TO birth_dba")


@cache
def script(direction: str, revisions: str) -> str:
    """Return what Alembic writes for psql."""
    config = alembic_config("postgresql://nobody@/nowhere?host=/nowhere")
    config.output_buffer = written = io.StringIO()
    getattr(command, direction)(config, revisions, sql=True)
    return written.getvalue()


#: Everything of ours that reads or writes the table, as a superuser.
READERS: dict[str, Callable[[Database], Any]] = {
    "status": lambda db: target.release(db.connect()),
    "verify": lambda db: verify.verify(db.connect()),
    "evidence": lambda db: evidence.export_all(db.connect()),
    "current": lambda db: command.current(alembic_config(db.url())),
    "stamp": lambda db: command.stamp(alembic_config(db.url()), "stage1"),
    "upgrade": lambda db: upgrade(db.url(), "stage2"),
    "downgrade": lambda db: downgrade(db.url(), "stage0"),
}


def refusal(reader: Callable[[Database], Any], db: Database) -> str:
    """Return the detail of NB404, which is all that comes of a read."""
    with pytest.raises((errors.ContractDrift, psycopg.Error)) as caught:
        reader(db)
    found: Exception = caught.value
    if isinstance(found, psycopg.Error):
        assert found.sqlstate == errors.ContractDrift.sqlstate
        return found.diag.message_detail or ""
    assert isinstance(found, errors.ContractDrift)
    return found.detail or ""


@some("statement", PLANTED, most=3)
def test_a_member_of_birth_dba_cannot_attach_code_to_the_version_table(
    attacked: Database, statement: LiteralString
) -> None:
    if statement.startswith("GRANT"):
        # Only a warning: nothing was granted.
        attacked.connect(DBA).execute(statement)
    else:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            attacked.connect(DBA).execute(statement)
    assert target.release(attacked.connect()) == "stage1"
    assert verify.verify(attacked.connect()).fine
    assert not ran(attacked)


@some("statement", PLANTED, most=3)
def test_code_on_the_version_table_never_runs_as_superuser(attacked: Database, statement: LiteralString) -> None:
    as_before(attacked)
    admin = attacked.connect()
    admin.execute("GRANT CREATE ON SCHEMA birth TO birth_dba")
    attacked.connect(DBA).execute(statement)
    admin.execute(
        "REVOKE CREATE ON SCHEMA birth FROM birth_dba; ALTER TABLE birth.alembic_version OWNER TO birth_definer"
    )
    for reader in READERS.values():
        assert PLANTED[statement] in refusal(reader, attacked)
    for direction, revisions in (("upgrade", "stage1:stage2"), ("downgrade", "stage1:stage0")):
        with pytest.raises(psycopg.Error) as stopped:
            send(attacked, script(direction, revisions))
        assert stopped.value.sqlstate == "NB404"
    assert attest.repair(admin, drop_data=True)
    assert verify.verify(admin).fine
    assert not ran(attacked)


def send(db: Database, text: str) -> None:
    """Send a script as a superuser in psql does, up to the first error."""
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("\\"))
    db.connect().execute(lines.encode(), prepare=False)


@pytest.mark.parametrize("name", ["status", "verify", "evidence", "current"])
def test_a_version_table_of_another_owner_is_not_read_and_a_release_takes_it_over(
    attacked: Database, name: str
) -> None:
    as_before(attacked)
    attacked.connect(DBA).execute("GRANT ALL ON birth.alembic_version TO nora_nobody WITH GRANT OPTION")
    assert refusal(READERS[name], attacked).endswith("is not as a release creates it: owner birth_dba")
    # As the hint says.
    upgrade(attacked.url(RELEASER), "stage1")
    READERS[name](attacked)
    assert verify.verify(attacked.connect()).fine


def test_a_script_takes_over_a_version_table_of_another_owner(attacked: Database) -> None:
    as_before(attacked)
    send(attacked, script("upgrade", "stage1:stage2"))
    assert target.release(attacked.connect()) == "stage2"
    assert verify.verify(attacked.connect()).fine


def test_the_hint_repairs_the_version_table(attacked: Database) -> None:
    admin = attacked.connect()
    admin.execute(
        "CREATE STATISTICS d2.s ON (length(version_num) + d2.evil(1)), version_num FROM birth.alembic_version"
    )
    with refused(errors.ContractDrift) as caught:
        upgrade(attacked.url(RELEASER), "stage2")
    assert (caught.value.diag.message_hint or "").endswith("birthdb repair --execute")
    attest.repair(admin)
    upgrade(attacked.url(RELEASER), "stage2")
    assert verify.verify(admin).fine


def test_a_schema_of_another_owner_is_not_read(server: Cluster, template: Database, empty_db: Database) -> None:
    server.enrol()
    admin = empty_db.connect()
    admin.execute(f"CREATE SCHEMA d2 AUTHORIZATION {DBA}; GRANT USAGE ON SCHEMA d2 TO PUBLIC".encode())
    admin.execute(f"CREATE SCHEMA birth AUTHORIZATION {DBA}".encode())
    stranger = empty_db.connect(DBA)
    stranger.execute(_EVIL.encode())
    stranger.execute(
        "CREATE TABLE birth.alembic_version (version_num varchar(32) PRIMARY KEY);"
        " CREATE STATISTICS d2.s ON (length(version_num) + d2.evil(1)), version_num FROM birth.alembic_version"
    )
    for name in ("status", "verify", "current"):
        assert f"schema birth is of {DBA}" in refusal(READERS[name], empty_db)
    with refused(errors.ReleasePrivilege):
        upgrade(empty_db.url())
    with pytest.raises(attest.NotReleased, match="not released"):
        attest.repair(empty_db.connect())
    assert not ran(empty_db)


def test_a_script_uses_only_operators_of_pg_catalog(attacked: Database) -> None:
    # Alembic compares a varchar with a literal: an operator for two varchars would match better than the catalogue's.
    attacked.connect(DBA).execute(
        "CREATE FUNCTION d2.same(varchar, varchar) RETURNS boolean LANGUAGE sql AS 'SELECT d2.evil(1) = 1';"
        " CREATE OPERATOR d2.= (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = d2.same)"
    )
    attacked.connect().execute("DO $$BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = d2, public',"
                               " current_database()); END$$")  # fmt: skip
    send(attacked, script("upgrade", "stage1:stage2"))
    assert target.release(attacked.connect()) == "stage2"
    assert not ran(attacked)


def test_the_version_table_is_part_of_the_contract(attacked: Database) -> None:
    admin = attacked.connect()
    for statement, object_ in {
        "GRANT INSERT ON birth.alembic_version TO nora_nobody": "table alembic_version",
        "ALTER TABLE birth.alembic_version DROP CONSTRAINT alembic_version_pkc":
            "constraint alembic_version.alembic_version_pkc",
    }.items():  # fmt: skip
        with admin.transaction(force_rollback=True):
            admin.execute(statement.encode())
            found = admin.execute(
                "SELECT kind || ' ' || object FROM birth.fn_birth_contract_drift() WHERE drift <> 'ok' AND blocks"
            ).fetchall()
            assert found == [(object_,)]
