"""Whoever owns an object of the schema may run it: repair gives all of it back first, or says whose each is."""

from typing import LiteralString

import psycopg
import pytest
from support import RELEASER, Database, upgrade

from birthdb.audit import verify
from birthdb.release import attest

#: What only a superuser puts right.
TAKEN: list[LiteralString] = [
    "REASSIGN OWNED BY birth_definer TO postgres",
    "REASSIGN OWNED BY birth_definer, birth_scanner TO nora_nobody",
    "ALTER SCHEMA birth OWNER TO postgres",
    "ALTER TABLE birth.birth_receipt OWNER TO nora_nobody",
    "ALTER TABLE birth.alembic_version OWNER TO nora_nobody",
    "REASSIGN OWNED BY birth_definer TO postgres; ALTER TABLE birth.alembic_version ENABLE ROW LEVEL SECURITY;"
    " DROP VIEW birth.v_birth_metrics; REVOKE ALL ON ALL TABLES IN SCHEMA birth FROM birth_reader",
]

#: What who releases owns, as after a restore of its own.
OWNED: list[LiteralString] = [
    "REASSIGN OWNED BY birth_definer, birth_scanner TO release_dba",
    "ALTER SCHEMA birth OWNER TO release_dba",
]


@pytest.mark.parametrize("taken", TAKEN)
def test_who_may_not_is_told_whose_it_is_and_a_superuser_repairs(db: Database, taken: LiteralString) -> None:
    admin = db.connect()
    admin.execute(taken)
    owners = {"postgres", "nora_nobody"}
    with pytest.raises(psycopg.Error) as refused:
        attest.repair(db.connect(RELEASER))
    assert refused.value.sqlstate == "NB410"
    said = "\n".join(refused.value.__notes__)
    assert any(f"of {owner}, not of birth_definer: " in said for owner in owners)
    assert "birthdb repair --execute" in (refused.value.diag.message_hint or "") or "ALTER TABLE birth." in said
    assert "GRANT" not in said + (refused.value.diag.message_hint or "")
    assert attest.repair(admin)
    assert verify.verify(admin).fine
    upgrade(db.url(RELEASER))


@pytest.mark.parametrize("taken", OWNED)
def test_who_releases_gives_back_what_is_its_own(db: Database, taken: LiteralString) -> None:
    db.connect().execute(taken)
    with pytest.raises(psycopg.Error) as refused:
        upgrade(db.url(RELEASER))
    assert "birthdb repair --execute" in (refused.value.diag.message_hint or "")
    assert attest.repair(db.connect(RELEASER))
    assert verify.verify(db.connect()).fine


def test_the_statements_that_are_printed_give_everything_back(db: Database) -> None:
    admin = db.connect()
    admin.execute("REASSIGN OWNED BY birth_definer TO postgres")
    with pytest.raises(psycopg.Error) as refused:
        attest.repair(db.connect(RELEASER))
    notes = refused.value.__notes__
    for statement in notes[notes.index("SET search_path = pg_catalog, pg_temp;") :]:
        admin.execute(statement.encode())
    assert attest.repair(db.connect(RELEASER)) == []
    assert verify.verify(admin).fine


def test_an_object_of_somebodys_stays_its_own(db: Database) -> None:
    admin = db.connect()
    admin.execute("CREATE VIEW birth.v_mine AS SELECT 1 AS one; ALTER VIEW birth.v_mine OWNER TO nora_nobody")
    admin.execute("ALTER SCHEMA birth OWNER TO postgres")
    assert [text for _, text in attest.repair(admin)] == ["ALTER SCHEMA birth OWNER TO birth_definer"]
    owner = admin.execute("SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 'v_mine'").fetchone()
    assert owner == ("nora_nobody",)
