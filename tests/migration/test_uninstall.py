"""The list of `birthdb uninstall --plan`, sent as it is printed, leaves a database and its cluster as before."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from support import upgrade

from birthdb import api, paths, target
from birthdb.server import EmbeddedServer, client

#: Logins, each with the role that it has of birthdb.
PEOPLE = {
    "alice": "birth_steward", "olga": "birth_operator", "rita": "birth_reviewer", "paul": "birth_permit_owner",
    "shop": "birth_source_owner", "Ledger Team": "birth_source_owner",
}  # fmt: skip

#: Everything of the database and of its cluster, by name; no privilege is the same as the default ones.
SNAPSHOT: LiteralString = """
SELECT 'role' AS kind, r.rolname::text AS name, to_jsonb(r) - 'oid' AS facts FROM pg_roles r
UNION ALL
SELECT 'member', m.roleid::regrole::text || ' of ' || m.member::regrole::text, to_jsonb(m.admin_option)
FROM pg_auth_members m
UNION ALL
SELECT 'setting', s.setdatabase::text || s.setrole::regrole::text, to_jsonb(s.setconfig) FROM pg_db_role_setting s
UNION ALL
SELECT 'default privileges', d.defaclrole::regrole::text, to_jsonb(d) - 'oid' FROM pg_default_acl d
UNION ALL
SELECT 'event trigger', e.evtname::text, to_jsonb(e) - 'oid' FROM pg_event_trigger e
UNION ALL
SELECT 'trigger', t.tgname || ' on ' || t.tgrelid::regclass::text, NULL FROM pg_trigger t WHERE NOT t.tgisinternal
UNION ALL
SELECT 'constraint', k.conname || ' of ' || k.conrelid::regclass::text, NULL FROM pg_constraint k
UNION ALL
SELECT o.kind, o.name, (SELECT jsonb_agg(x::text ORDER BY x::text)
                        FROM unnest(coalesce(o.acl, acldefault(o.class::"char", o.owner))) x)
FROM (
  SELECT 'table', c.oid::regclass::text, c.relowner, CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END, c.relacl
  FROM pg_class c WHERE c.relkind NOT IN ('t', 'i', 'I') AND c.relnamespace <> 'pg_toast'::regnamespace
  UNION ALL SELECT 'routine', p.oid::regprocedure::text, p.proowner, 'f', p.proacl FROM pg_proc p
  UNION ALL SELECT 'schema', n.nspname, n.nspowner, 'n', n.nspacl FROM pg_namespace n
    WHERE n.nspname !~ '^pg_(toast_)?temp_'
  UNION ALL SELECT 'type', t.oid::regtype::text, t.typowner, 'T', t.typacl FROM pg_type t
    WHERE t.typnamespace <> 'pg_toast'::regnamespace
  UNION ALL SELECT 'language', l.lanname, l.lanowner, 'l', l.lanacl FROM pg_language l
  UNION ALL SELECT 'database', b.datname, b.datdba, 'd', b.datacl FROM pg_database b
) AS o(kind, name, owner, class, acl)
UNION ALL
SELECT 'column', a.attrelid::regclass || '.' || a.attname, to_jsonb(nullif(a.attacl, '{}'))
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE a.attnum > 0 AND c.relkind IN ('r', 'p', 'v') AND c.relnamespace = ANY ('{app,ledger,public}'::regnamespace[])
ORDER BY 1, 2, 3
"""

TABLES = {
    "person": "(code text PRIMARY KEY, note text)",
    "visit": "(code text, day date, PRIMARY KEY (code, day)) PARTITION BY RANGE (day)",
    "seat": "(hall integer, number integer, PRIMARY KEY (hall, number))",
}


class Site:
    """A server with a database that has an application's tables, of two owners."""

    def __init__(self, server: EmbeddedServer) -> None:
        self.url = make_conninfo(server.url(), dbname="app")
        with psycopg.connect(server.url(), autocommit=True) as admin:
            for login in ("dba CREATEROLE", "alice", "olga", "rita", "paul", "shop", '"Ledger Team"'):
                admin.execute(f"CREATE ROLE {login} LOGIN".encode())
            admin.execute("CREATE DATABASE app")
            admin.execute("CREATE DATABASE other")
            for database in ("app", "other"):
                admin.execute(f"GRANT CREATE ON DATABASE {database} TO dba".encode())
        self.admin = psycopg.connect(self.url, autocommit=True)
        self.admin.execute('CREATE SCHEMA app AUTHORIZATION shop; CREATE SCHEMA ledger AUTHORIZATION "Ledger Team"')
        self.sessions = {login: self.connect(login) for login in PEOPLE}
        for name, definition in TABLES.items():
            self.sessions["shop"].execute(f"CREATE TABLE app.{name} {definition}".encode())
        self.sessions["shop"].execute(
            "CREATE TABLE app.visit_1 PARTITION OF app.visit FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')"
        )
        self.sessions["Ledger Team"].execute('CREATE TABLE ledger."Entry 1" (code text PRIMARY KEY)')

    def connect(self, login: str) -> psycopg.Connection[Any]:
        return psycopg.connect(make_conninfo(self.url, user=login), autocommit=True)

    def close(self) -> None:
        for session in (self.admin, *self.sessions.values()):
            session.close()

    def snapshot(self) -> list[Any]:
        return self.admin.execute(SNAPSHOT).fetchall()

    def install(self) -> None:
        """Release, and give people their roles."""
        upgrade(make_conninfo(self.url, user="dba"))
        for person, role in PEOPLE.items():
            self.admin.execute(f'GRANT {role} TO "{person}"'.encode())
        self.admin.execute("GRANT EXECUTE ON FUNCTION pg_control_system() TO birth_definer, birth_reader")

    def govern(self) -> None:
        """Have every table governed, with the ends of two recorded, a backfill done, and readers of what there is."""
        alice = self.sessions["alice"]
        for owner, schema, table, identity in (
            ("shop", "app", "person", {"column": "code"}),
            ("shop", "app", "visit", {"column": "code", "part_of_key": True}),
            ("shop", "app", "seat", {"template": "seat-{hall}-{number}"}),
            ("Ledger Team", "ledger", "Entry 1", {"column": "code"}),
        ):
            self.sessions[owner].execute(
                f'GRANT USAGE ON SCHEMA {schema} TO birth_definer, birth_scanner; GRANT SELECT ON {schema}."{table}"'
                f' TO birth_scanner; GRANT TRIGGER ON {schema}."{table}" TO birth_definer'.encode()
            )
            if table == "visit":
                self.sessions[owner].execute("GRANT TRIGGER ON app.visit_1 TO birth_definer")
            name = table.lower().replace(" ", "_")
            api.collection_register(alice, name, schema, table, "BIRTH_REQUIRED")
            strategy = "legacy" if "template" in identity else "column"
            api.identity_classify(alice, name, strategy, **identity)  # type: ignore[call-overload]
            api.gateway_attach(alice, name, "enforce")
        for name in ("person", "entry_1"):
            api.life_attach(alice, name)
        self.sessions["shop"].execute(
            "GRANT UPDATE (note) ON app.person TO birth_steward;"
            " INSERT INTO app.person VALUES ('a'), ('b'); DELETE FROM app.person WHERE code = 'b';"
            " INSERT INTO app.visit VALUES ('v', '2025-02-02'); INSERT INTO app.seat VALUES (1, 2)"
        )
        self.sessions["Ledger Team"].execute("""INSERT INTO ledger."Entry 1" VALUES ('1')""")
        self.admin.execute("GRANT birth_reader TO shop")
        self.sessions["shop"].execute("CREATE VIEW app.births AS SELECT * FROM birth.v_birth_living")
        self.sessions["shop"].execute("CREATE VIEW app.a_count AS SELECT count(*) FROM app.births")


@pytest.fixture
def site() -> Iterator[Site]:
    with EmbeddedServer() as server:
        made = Site(server)
        try:
            yield made
        finally:
            made.close()


@pytest.fixture
def printed(site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], str]:
    """Return what the command prints, as the login that releases."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(target.VARIABLE, make_conninfo(site.url, user="dba"))

    def show() -> str:
        command = [sys.executable, "-m", "birthdb", "uninstall", "--plan"]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    return show


def follow(site: Site, text: str) -> None:
    """Send each part of the list as its heading says."""
    parts = re.split(r"^-- \d+\. (.*), (with psql|in a shell):\n", text, flags=re.MULTILINE)
    for by, how, steps in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        url = site.url if by == "a superuser" else make_conninfo(site.url, user=by)
        if how == "with psql":
            psql: list[str] = [str(client("psql")), "-qX", "-v", "ON_ERROR_STOP=1", "-d", url]
            sent = subprocess.run(psql, input=steps, capture_output=True, text=True, check=False)
            assert sent.returncode == 0, sent.stderr
            continue
        for line in steps.splitlines():
            if not line.startswith("--"):
                environment = os.environ | {target.VARIABLE: url}
                subprocess.run([sys.executable, "-m", *line.split()], env=environment, capture_output=True, check=True)


def test_the_printed_list_leaves_database_and_cluster_as_they_were(site: Site, printed: Callable[[], str]) -> None:
    before = site.snapshot()
    site.install()
    site.govern()
    assert site.snapshot() != before
    text = printed()
    assert "print this list again" in text
    follow(site, text)
    assert site.snapshot() == before
    assert printed() == "-- nothing of birthdb is left; the login dba and what it was granted are yours\n"


@pytest.mark.long
def test_roles_that_another_database_uses_stay_and_are_named(site: Site, printed: Callable[[], str]) -> None:
    upgrade(make_conninfo(site.url, user="dba", dbname="other"))
    before = site.snapshot()
    site.install()
    site.govern()
    for person, role in PEOPLE.items():
        site.admin.execute(f'REVOKE {role} FROM "{person}"'.encode())
        site.admin.execute(f'GRANT {role} TO "{person}"'.encode())
    text = printed()
    assert "-- role birth_definer stays, with its members: used in other" in text
    assert "DROP ROLE" not in text
    follow(site, text)
    assert [line for line in printed().splitlines() if not line.startswith("-- role ")] == []
    kept = [row for row in site.snapshot() if row[0] != "member"]
    assert kept == [row for row in before if row[0] != "member"]


@pytest.mark.long
def test_a_superuser_goes_first_with_the_optional_event_triggers(site: Site, printed: Callable[[], str]) -> None:
    before = site.snapshot()
    site.install()
    send = (paths.SQL / "optional" / "event_triggers.sql").read_text(encoding="utf-8")
    subprocess.run([client("psql"), "-qX", "-d", site.url], input=send, text=True, check=True)
    site.govern()
    text = printed()
    assert text.index("DROP EVENT TRIGGER") < text.index("DROP TRIGGER")
    follow(site, text)
    assert site.snapshot() == before


@pytest.mark.long
def test_what_is_not_birthdbs_is_named(site: Site, printed: Callable[[], str]) -> None:
    site.install()
    site.admin.execute("CREATE TABLE birth.mine (id integer); CREATE TABLE public.theirs (id integer)")
    site.admin.execute("ALTER TABLE public.theirs OWNER TO birth_steward")
    text = printed()
    assert "schema birth has what no release made; move or drop it: table birth.mine" in text
    assert "-- role birth_steward stays, with its members: it has table public.theirs" in text
    site.admin.execute("DROP TABLE birth.mine")
    site.admin.execute("DROP TABLE public.theirs")
    follow(site, printed())


def test_only_a_list_is_offered(site: Site) -> None:
    command = [sys.executable, "-m", "birthdb", "uninstall", "--url", site.url]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "--plan" in ended.stderr
