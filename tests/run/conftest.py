"""People and a scene for the tests of a backfill; at the end of each, the records are held against each other."""

from collections.abc import Iterator

import pytest
from helpers import EVERYBODY, SECOND_OPERATOR, SECOND_REVIEWER, Scene
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Identifier, Literal
from support import Cluster, Database

_COLLEAGUES = {
    SECOND_OPERATOR: ["birth_operator"],
    SECOND_REVIEWER: ["birth_reviewer"],
    EVERYBODY: ["birth_steward", "birth_operator", "birth_reviewer", "birth_permit_owner", "birth_dba"],
}


@pytest.fixture(scope="session")
def colleagues(server: Cluster, template: Database) -> None:
    """Make the people whom only these tests need; other workers may be making them on the same server."""
    for person, roles in _COLLEAGUES.items():
        password = conninfo_to_dict(server.url("postgres", person))["password"]
        create = SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(Identifier(person), Literal(password)).as_string()
        grants = [
            SQL("EXECUTE {}").format(Literal(SQL("GRANT {} TO {}").format(Identifier(r), Identifier(person)).as_string()))
            for r in roles
        ]
        server.execute(
            SQL(
                "DO $$ BEGIN PERFORM pg_advisory_xact_lock(hashtext('birthdb colleagues'));"
                " IF to_regrole({}) IS NULL THEN EXECUTE {}; {}; END IF; END $$"
            ).format(Literal(person), Literal(create), SQL("; ").join(grants))
        )


@pytest.fixture
def scene(db: Database, colleagues: None) -> Iterator[Scene]:
    """A database with everybody in it; receipts, births, permits and ledger agree when the test is over."""
    made = Scene(db)
    try:
        yield made
        assert made.forged or made.disagreements() == []
    finally:
        made.close()


@pytest.fixture
def item(scene: Scene) -> str:
    """The collection item of twenty rows, none of them born."""
    return scene.collection()
