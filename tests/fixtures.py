"""People and a scene for the tests of a backfill; at the end of each, the records are held against each other."""

from collections.abc import Iterator

import pytest
from helpers import EVERYBODY, RIVALS, SECOND_REVIEWER, Prepared, Run, Scene, acting, prepared
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Identifier, Literal
from spares import Spares
from support import Cluster, Database

_COLLEAGUES = {
    **{rival: ["birth_operator"] for rival in RIVALS},
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
            SQL("EXECUTE {}").format(
                Literal(SQL("GRANT {} TO {}").format(Identifier(r), Identifier(person)).as_string())
            )
            for r in roles
        ]
        server.execute(
            SQL(
                "DO $$ BEGIN PERFORM pg_advisory_xact_lock(hashtext('birthdb colleagues'));"
                " IF to_regrole({}) IS NULL THEN EXECUTE {}; {}; END IF; END $$"
            ).format(Literal(person), Literal(create), SQL("; ").join(grants))
        )


@pytest.fixture(scope="session")
def item_template(server: Cluster, template: Database, colleagues: None) -> Iterator[Prepared]:
    """A database with the collection item of twenty rows, none of them born."""

    def collect(scene: Scene) -> None:
        scene.collection()

    with prepared(server, template, collect) as made:
        yield made


@pytest.fixture(scope="session")
def run_template(server: Cluster, item_template: Prepared) -> Iterator[Prepared]:
    """The same, with a run that only needs to be executed."""
    with prepared(server, item_template.database, Scene.permitted) as made:
        yield made


@pytest.fixture
def db(request: pytest.FixtureRequest, spares: Spares, template: Database) -> Iterator[Database]:
    """A database of this test alone, as far prepared as its other fixtures ask for."""
    source = template
    for name in ("run_template", "item_template"):
        if name in request.fixturenames:
            source = request.getfixturevalue(name).database
            break
    with spares.one(source) as made:
        yield made


@pytest.fixture
def scene(db: Database, colleagues: None) -> Iterator[Scene]:
    """A database with everybody in it; receipts, births, permits and ledger agree when the test is over."""
    with acting(db) as made:
        yield made
        assert made.forged or made.disagreements() == []


@pytest.fixture
def item(item_template: Prepared) -> str:
    """The collection item of twenty rows, none of them born."""
    return "item"


@pytest.fixture
def run(item: str, run_template: Prepared) -> Run:
    """A run of that collection that is planned, reviewed, permitted and confirmed."""
    assert run_template.run is not None
    return run_template.run
