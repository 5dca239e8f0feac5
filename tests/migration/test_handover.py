"""A login that has released leaves, and another one releases; on a server of its own: roles are the cluster's."""

from collections.abc import Iterator

import psycopg
import pytest
from guides import blocks, section, statements
from psycopg.conninfo import make_conninfo
from support import downgrade, upgrade

from birthdb import api
from birthdb.audit import verify
from birthdb.release import attest
from birthdb.server import EmbeddedServer


@pytest.fixture
def superuser() -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A superuser of a server where release_dba has released, and has made olga an operator."""
    with EmbeddedServer() as server, psycopg.connect(server.url(), autocommit=True) as connection:
        for role in ("release_dba CREATEROLE", "next_dba", "olga"):
            connection.execute(f"CREATE ROLE {role} LOGIN".encode())
        connection.execute("CREATE DATABASE app")
        connection.execute("GRANT CREATE ON DATABASE app TO release_dba")
        url = make_conninfo(server.url(), dbname="app")
        upgrade(make_conninfo(url, user="release_dba"))
        with psycopg.connect(url, autocommit=True) as admin:
            admin.execute("SET ROLE release_dba; GRANT birth_operator TO olga; RESET ROLE")
            yield admin


@pytest.mark.long
def test_the_steps_of_the_guide_hand_a_release_over(superuser: psycopg.Connection[tuple[object, ...]]) -> None:
    if superuser.info.server_version < 160000:
        pytest.skip("until PostgreSQL 15 a membership does not go with who granted it")
    people, successor = blocks(section("dba.md", "## When the login that releases leaves"))
    for (statement,) in superuser.execute(people.encode()).fetchall():
        superuser.execute(str(statement).encode())
    for statement in statements(successor):
        superuser.execute(statement.encode())
    superuser.execute("DROP OWNED BY release_dba")
    superuser.execute("REVOKE ALL ON DATABASE app FROM release_dba; DROP ROLE release_dba")
    found = {entry.object for entry in verify.verify(superuser).differing}
    assert found == {f"role birth_{who}" for who in ("dba", "operator", "permit_owner", "reviewer", "steward")}
    attest.repair(superuser)
    assert verify.verify(superuser).fine
    url = make_conninfo(superuser.info.dsn)
    with psycopg.connect(make_conninfo(url, user="olga"), autocommit=True) as olga:
        api.dot_freeze(olga, "dot-birth-backfill-apply", "a test")
    downgrade(make_conninfo(url, user="next_dba"), "stage4")
    upgrade(make_conninfo(url, user="next_dba"))
    assert verify.verify(superuser).fine
