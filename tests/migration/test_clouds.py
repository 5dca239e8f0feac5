"""A login as managed clouds hand it out, which is no superuser; and roles that somebody else made beforehand."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier
from sample import some
from support import downgrade, upgrade

from birthdb import api
from birthdb.audit import verify
from birthdb.release import attest
from birthdb.server import EmbeddedServer

#: A cloud's login: its attributes, the role that the cloud gives it, that role's attributes, its memberships. As the
#: pages that docs/guide/clouds.md names describe them; what a cloud patched into its server is not here.
LOGINS = {
    "rds": ("CREATEROLE CREATEDB", "rds_superuser", "NOLOGIN", "pg_monitor, pg_signal_backend"),
    "cloudsql": ("CREATEROLE CREATEDB", "cloudsqlsuperuser", "CREATEROLE CREATEDB NOLOGIN", "pg_monitor"),
    "azure": ("CREATEROLE CREATEDB", "azure_pg_admin", "CREATEROLE CREATEDB NOLOGIN", "pg_monitor"),
    "supabase": ("CREATEROLE CREATEDB REPLICATION BYPASSRLS", None, "", "pg_monitor, pg_read_all_data"),
    "neon": (
        "CREATEROLE CREATEDB BYPASSRLS REPLICATION", "neon_superuser", "CREATEROLE CREATEDB BYPASSRLS NOLOGIN",
        "pg_read_all_data, pg_write_all_data, pg_monitor",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    with EmbeddedServer() as running:
        yield running


@pytest.fixture
def superuser(server: EmbeddedServer) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A superuser, who leaves neither databases nor roles of a test behind."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        yield connection
        for (name,) in connection.execute(
            "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> current_database()"
        ).fetchall():
            connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(str(name))))
        for (name,) in connection.execute(
            "SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' AND NOT rolsuper ORDER BY rolcreaterole, 1"
        ).fetchall():
            connection.execute(SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(Identifier(str(name))))


def send(url: str, login: str, *statements: str) -> None:
    with psycopg.connect(make_conninfo(url, user=login), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


@some("cloud", LOGINS)
def test_a_login_of_a_cloud_releases_governs_runs_and_goes_back(
    superuser: psycopg.Connection[tuple[object, ...]], server: EmbeddedServer, cloud: str
) -> None:
    attributes, granted, of_granted, memberships = LOGINS[cloud]
    login = f"{cloud}_admin"
    superuser.execute(f"CREATE ROLE {login} LOGIN {attributes}".encode())
    if granted:
        superuser.execute(f"CREATE ROLE {granted} {of_granted}; GRANT {granted} TO {login}".encode())
    superuser.execute(f"GRANT {memberships} TO {granted or login} WITH ADMIN OPTION".encode())
    superuser.execute(SQL("CREATE DATABASE app OWNER {}").format(Identifier(login)))
    url = make_conninfo(server.url(), dbname="app")
    people = {"steward": "steward", "operator": "operator", "reviewer": "reviewer", "payer": "permit_owner"}

    # Everything as this login alone: also the people's logins and the grants.
    upgrade(make_conninfo(url, user=login))
    send(url, login, *(f"CREATE ROLE {who} LOGIN; GRANT birth_{role} TO {who}" for who, role in people.items()))
    send(url, login, "CREATE SCHEMA shop", "CREATE TABLE shop.item (code text PRIMARY KEY)",
         "INSERT INTO shop.item SELECT 'i' || n FROM generate_series(1, 20) n",
         "GRANT USAGE ON SCHEMA shop TO birth_definer, birth_scanner",
         "GRANT SELECT ON shop.item TO birth_scanner; GRANT TRIGGER ON shop.item TO birth_definer")  # fmt: skip
    sessions = {who: psycopg.connect(make_conninfo(url, user=who), autocommit=True) for who in people}
    steward, operator, reviewer = sessions["steward"], sessions["operator"], sessions["reviewer"]
    api.collection_register(steward, "item", "shop", "item", "BIRTH_REQUIRED")
    api.identity_classify(steward, "item", "column", column="code")
    api.gateway_attach(steward, "item", "enforce")
    run = api.plan(operator, "item", dry_run=False)["run_id"]
    api.review_record(reviewer, run, "SAFE", "read", accept_orphans=0)
    expires = datetime.now(UTC) + timedelta(days=1)
    permit = api.permit_open(sessions["payer"], "item", run, 20, expires, "a test")["permit_id"]
    api.permit_confirm(reviewer, permit)
    api.apply(operator, "item", run, permit, 20, 20, execute=True)
    assert all(check["pass"] for check in api.census(operator, "item"))
    with psycopg.connect(make_conninfo(url, user=login), autocommit=True) as dba:
        assert verify.verify(dba).fine
        assert attest.repair(dba) == []
        dba.execute("DROP TRIGGER birth_gateway ON shop.item")
        for table in ("birth_registry", "birth_backfill_ledger_v2", "birth_admission_permit_v2", "birth_review",
                      "birth_receipt"):  # fmt: skip
            digest = dba.execute("SELECT digest FROM birth.fn_birth_evidence(%s)", (table,)).fetchone()
            dba.execute("SELECT birth.fn_birth_evidence_acknowledge(%s, %s)", (table, digest[0] if digest else None))
    downgrade(make_conninfo(url, user=login), "base")
    for session in sessions.values():
        session.close()


@pytest.mark.long
def test_roles_made_by_somebody_else_are_granted_by_what_the_refusal_says(
    superuser: psycopg.Connection[tuple[object, ...]], server: EmbeddedServer
) -> None:
    superuser.execute("CREATE ROLE maker LOGIN CREATEROLE; CREATE ROLE dba LOGIN")
    superuser.execute("CREATE DATABASE app OWNER dba")
    url = make_conninfo(server.url(), dbname="app")
    with pytest.raises(psycopg.Error) as refused:
        upgrade(make_conninfo(url, user="dba"))
    assert refused.value.sqlstate == "NB410"
    made, _, alone = str(refused.value.diag.message_hint).partition("to send: ")[2].partition("; or: ")
    assert made.count("CREATE ROLE") == 9
    assert alone == "ALTER ROLE dba CREATEROLE"
    send(url, "maker", *made.split("; "))
    superuser.execute(alone.encode())
    if superuser.info.server_version < 160000:
        upgrade(make_conninfo(url, user="dba"))
        return
    with pytest.raises(psycopg.Error) as refused:
        upgrade(make_conninfo(url, user="dba"))
    assert refused.value.sqlstate == "NB410"
    who, _, grants = str(refused.value.diag.message_hint).partition(" to send: ")
    assert who == "ask a superuser or maker"
    send(url, "maker", *grants.split("; "))
    upgrade(make_conninfo(url, user="dba"))
    with psycopg.connect(url, autocommit=True) as admin:
        assert verify.verify(admin).fine
