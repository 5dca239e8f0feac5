"""Twins of functions, operators, types and relations, put first in the search path: none of them is ever reached."""

import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from psycopg.types.json import Jsonb
from support import Cluster, Database
from world import World, judged

from birthdb import api, cli, target

pytestmark = pytest.mark.majors

#: What a twin raises: its body is that of a trigger, which cannot be called.
REACHED = "39P01"

# Every built-in function and operator whose name stands anywhere in a routine or view of ours, with every signature
# that it has. Only a superuser can make twins of all these types: nobody else comes closer.
TWINS = r"""
CREATE SCHEMA twin;
GRANT USAGE ON SCHEMA twin TO PUBLIC;
CREATE TABLE twin.source AS
SELECT string_agg(s.text, chr(10)) AS text FROM (
  SELECT prosrc AS text FROM pg_proc WHERE pronamespace = 'birth'::regnamespace
  UNION ALL
  SELECT pg_get_viewdef(oid) FROM pg_class WHERE relnamespace = 'birth'::regnamespace AND relkind = 'v') s;
CREATE TABLE twin.word AS
SELECT DISTINCT m[1] AS name FROM twin.source, regexp_matches(text, '[a-z_][a-z0-9_]*', 'g') m;
GRANT SELECT ON twin.word TO PUBLIC;
DO $twins$
DECLARE
  v_body CONSTANT text := 'suppress_redundant_updates_trigger';
  r record;
BEGIN
  FOR r IN SELECT p.* FROM pg_proc p JOIN twin.word w ON w.name = p.proname
           WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind <> 'p'
             AND 'internal'::regtype <> ALL (p.proargtypes) AND p.prorettype <> 'internal'::regtype LOOP
    EXECUTE format('CREATE FUNCTION twin.%I(%s) RETURNS %s %s LANGUAGE internal AS %L', r.proname,
      (SELECT string_agg(CASE WHEN r.provariadic <> 0 AND n = r.pronargs THEN 'VARIADIC ' ELSE '' END
                         || format_type(r.proargtypes[n - 1], NULL), ', ' ORDER BY n)
       FROM generate_series(1, r.pronargs) n),
      CASE WHEN r.proretset THEN 'SETOF' ELSE '' END, format_type(r.prorettype, NULL), v_body);
  END LOOP;
  FOR r IN SELECT o.* FROM pg_operator o, twin.source s
           WHERE o.oprnamespace = 'pg_catalog'::regnamespace AND o.oprcode <> 0 AND strpos(s.text, o.oprname) > 0 LOOP
    EXECUTE format('CREATE FUNCTION twin.operator_%s(%s) RETURNS %s LANGUAGE internal AS %L', r.oid,
      concat_ws(', ', CASE WHEN r.oprkind = 'b' THEN format_type(r.oprleft, NULL) END, format_type(r.oprright, NULL)),
      format_type(r.oprresult, NULL), v_body);
    EXECUTE format('CREATE OPERATOR twin.%s (%s RIGHTARG = %s, FUNCTION = twin.operator_%s)', r.oprname,
      CASE WHEN r.oprkind = 'b' THEN format('LEFTARG = %s,', format_type(r.oprleft, NULL)) END,
      format_type(r.oprright, NULL), r.oid);
  END LOOP;
  FOR r IN SELECT t.typname FROM pg_type t JOIN twin.word w ON w.name = t.typname
           WHERE t.typnamespace = 'pg_catalog'::regnamespace AND t.typtype = 'b' LOOP
    EXECUTE format('CREATE DOMAIN twin.%I AS pg_catalog.text CHECK (false)', r.typname);
  END LOOP;
END
$twins$;
"""
PEOPLE = ("alice_steward", "olga_operator", "rita_reviewer", "paul_owner", "dora_dba", "nora_nobody")


@pytest.fixture(scope="module")
def twinned(server: Cluster, template: Database) -> Iterator[Database]:
    """A released database with twins; nobody connects to it."""
    made = server.create(template.name)
    with target.connect(made.url(), autocommit=True) as connection:
        connection.execute(TWINS.encode())
    yield made
    made.drop()


@pytest.fixture
def twins(server: Cluster, twinned: Database) -> Iterator[World]:
    """A world with twins, of which nobody has heard yet."""
    made = server.create(twinned.name)
    yield World(made)
    made.drop()


def turn(session: psycopg.Connection[Any]) -> None:
    """Put the twins before everything else in this session, and a temporary table in the place of each relation."""
    relations = session.execute(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'birth' AND c.relkind IN ('r', 'v', 'S')"
        " OR n.nspname = 'pg_catalog' AND c.relname IN (SELECT name FROM twin.word)"
    ).fetchall()
    assert len(relations) > 50
    # A temporary table is a type too; t, s and c are aliases in the statements of the routines.
    for relation in [*(row[0] for row in relations), "t", "s", "c", "text", "uuid"]:
        session.execute(
            SQL("CREATE TEMPORARY TABLE {} (entity_code pg_catalog.text, oid pg_catalog.oid)").format(
                Identifier(relation)
            )
        )
    session.execute("SET search_path = pg_temp, twin, pg_catalog, public")


def test_planted_twin_objects_exist_and_are_detected_when_called(twins: World) -> None:
    assert twins.value("SELECT count(*) FROM pg_proc WHERE pronamespace = 'twin'::regnamespace") > 1000
    assert twins.value("SELECT count(*) FROM pg_operator WHERE oprnamespace = 'twin'::regnamespace") > 400
    assert twins.value("SELECT count(*) FROM pg_type WHERE typnamespace = 'twin'::regnamespace AND typtype = 'd'") > 10
    turn(twins.operator)
    for statement in (
        "SELECT lower('A')",
        "SELECT 1 = 1",
        "SELECT 'a'::pg_catalog.text || 'b'::pg_catalog.text",
        "SELECT format('%s', 1)",
        "SELECT sum(1)",
        "SELECT * FROM unnest(ARRAY['a'])",
        "SELECT jsonb_build_object('a', 1)",
    ):
        with pytest.raises(psycopg.Error) as refusal:
            twins.operator.execute(statement.encode())
        assert refusal.value.sqlstate == REACHED, statement
    with pytest.raises(psycopg.errors.CheckViolation):
        twins.operator.execute("SELECT 'a'::twin.text")
    assert twins.operator.execute("SELECT * FROM pg_class").fetchall() == []


def test_the_guides_work_the_same_under_a_hostile_search_path(twins: World) -> None:
    world = twins
    for person in PEOPLE:
        turn(world.person(person))
    world.table("(tenant pg_catalog.text, no pg_catalog.int4, PRIMARY KEY (tenant, no))")
    world.owner.execute("INSERT INTO app.thing VALUES ('a', 1), ('a', -2), ('b', 3)")
    world.register()
    assert api.identity_propose(world.steward, "app", "thing")
    world.classify("legacy", template="{tenant}/{no:03}")
    world.attach(mode="enforce")
    world.owner.execute("INSERT INTO app.thing VALUES ('c', 4)")
    world.owner.execute("INSERT INTO app.thing VALUES ('d', 5), ('d', 6)")
    assert world.births() == ["c/004", "d/005", "d/006"]
    row = Jsonb({"tenant": "z", "no": 1})
    (resolved,) = api.rows(world.operator, "fn_birth_resolve_identity", p_collection="thing", p_row=row)
    assert resolved["entity_code"] == "z/001"
    api.rehearse(world.operator, "thing")

    run, permit, delta = world.permitted()
    dba, owner, reviewer = world.person("dora_dba"), world.person("paul_owner"), world.person("rita_reviewer")
    api.dot_freeze(world.operator, "dot-birth-backfill-apply", "a test")
    api.dot_unfreeze(dba, "dot-birth-backfill-apply", "a test")
    api.permit_revoke(owner, permit, "another one")
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    permit = api.permit_open(owner, "thing", run, delta, tomorrow, "a test")["permit_id"]
    api.permit_confirm(reviewer, permit)
    api.run_tune(world.operator, run, 2, 0)
    api.apply(world.operator, "thing", run, permit, delta, delta, batch=2, execute=True)
    assert world.births() == ["a/-02", "a/001", "b/003", "c/004", "d/005", "d/006"]
    assert world.failed_checks() == {}
    assert all(row["pass"] for row in api.run_audit(world.operator))

    api.review_record(reviewer, run, "SAFE", "undo", purpose="COMPENSATE")
    permit = api.permit_open(owner, "thing", run, delta, tomorrow, "a test", purpose="COMPENSATE")["permit_id"]
    api.permit_confirm(reviewer, permit)
    api.compensate(world.operator, run, permit, batch=2, execute=True)
    assert world.births() == ["c/004", "d/005", "d/006"]
    api.gateway_mode(world.steward, "thing", "observe", "a test")
    api.gateway_detach(world.steward, "thing", "a test")


def test_a_numbered_gateway_works_the_same_under_a_hostile_search_path(twins: World) -> None:
    twins.governed("(id int PRIMARY KEY)", mode="enforce", strategy="synthetic_id", column="id", prefix="n-")
    turn(twins.owner)
    twins.owner.execute("INSERT INTO app.thing VALUES (1)")
    twins.owner.execute("INSERT INTO app.thing VALUES (2), (3)")
    assert twins.births() == ["n-1", "n-2", "n-3"]


def test_no_view_or_routine_calls_a_twin_for_any_caller(twins: World) -> None:
    """Also those that no guide names; with NULLs, which most of them refuse after having looked at something."""
    relations = twins.admin.execute(
        "SELECT c.oid::regclass::text FROM pg_class c WHERE c.relnamespace = 'birth'::regnamespace"
        " AND c.relkind IN ('r', 'v') AND c.relname <> 'alembic_version'"
    ).fetchall()
    calls = twins.admin.execute(
        "SELECT format('%s birth.%I(%s)', CASE p.prokind WHEN 'p' THEN 'CALL' ELSE 'SELECT * FROM' END, p.proname,"
        " (SELECT string_agg(format('%s NULL::%I.%I',"
        " CASE WHEN p.provariadic <> 0 AND n = p.pronargs THEN 'VARIADIC' END, s.nspname, t.typname), ', ' ORDER BY n)"
        " FROM generate_series(1, p.pronargs) n"
        " JOIN pg_type t ON t.oid = p.proargtypes[n - 1] JOIN pg_namespace s ON s.oid = t.typnamespace))"
        " FROM pg_proc p WHERE p.pronamespace = 'birth'::regnamespace"
        " AND p.prorettype <> ALL ('{trigger,event_trigger}'::regtype[])"
    ).fetchall()
    statements = [*(f"SELECT * FROM {relation}" for (relation,) in relations), *(call for (call,) in calls)]
    assert len(statements) > 140
    reached = []
    for person in PEOPLE[:5]:
        session = twins.person(person)
        turn(session)
        denied = []
        for statement in statements:
            try:
                session.execute(statement.encode())
            except psycopg.errors.InsufficientPrivilege:
                denied.append(statement)
            except psycopg.Error as refusal:
                if refusal.sqlstate == REACHED or "twin" in str(refusal):
                    reached.append((person, statement, str(refusal)))
        # What one person may is not tried by the next one again.
        statements = denied
    assert len(statements) < 100
    assert reached == []


@pytest.fixture(params=["pinned at the start", "behind a pool that passes no options on"])
def hostile(
    twins: World, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> tuple[World, UUID, int, int]:
    """A world and a permitted run, in a database that puts the twins before everything else for whoever connects."""
    database = Identifier(twins.admin.info.dbname)
    twins.governed("(code text PRIMARY KEY)", mode="enforce")
    twins.admin.execute("INSERT INTO app.thing SELECT 'before ' || g FROM generate_series(1, 5) g")
    twins.admin.execute("DELETE FROM birth.birth_registry")
    permitted = twins.permitted()
    twins.admin.execute(SQL("ALTER DATABASE {} SET search_path = twin, pg_catalog, public").format(database))
    twins.admin.execute(SQL("ALTER DATABASE {} SET quote_all_identifiers = on").format(database))
    twins.admin.execute(SQL("ALTER DATABASE {} SET DateStyle = 'German'").format(database))
    if request.param.startswith("behind"):
        connect = psycopg.connect

        def passes_no_options_on(url: str, **options: Any) -> psycopg.Connection[Any]:
            if "options" in options:
                raise psycopg.OperationalError("connection failed: FATAL:  unsupported startup parameter: options")
            return connect(url, **options)

        monkeypatch.setattr(psycopg, "connect", passes_no_options_on)
    return twins, *permitted


def test_no_command_calls_a_twin(
    hostile: tuple[World, UUID, int, int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    world, run, _, delta = hostile

    def does(user: str, *arguments: str) -> str:
        monkeypatch.setenv(target.VARIABLE, world.db.url(user))
        monkeypatch.setattr(sys, "argv", ["birthdb", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        assert ended.value.code == cli.FINE, (arguments, said)
        return said.out

    numbers = ["--expected-delta", str(delta), "--max-rows", str(delta), "--batch-ms", "60000"]
    does("olga_operator", "apply", str(run), *numbers, "--execute")
    assert world.births() == [f"before {number}" for number in range(1, 6)]
    for command in (
        ["status", "--fail-on", "never"],
        ["verify"],
        ["census", "thing"],
        ["plan", "thing"],
        ["evidence", "all"],
    ):
        does("olga_operator", *command)
    document = json.loads(does("olga_operator", "evidence", str(run)))
    assert document["run"]["run_id"] == str(run)
    for name, more in (("run", []), ("births", ["--births"])):
        does("olga_operator", "evidence", str(run), *more, "-o", str(tmp_path / name))
    does("olga_operator", "verify", "--run", str(tmp_path / "births"), "--url", world.db.url("olga_operator"))


def test_printed_statements_are_safe_under_a_hostile_search_path(twins: World) -> None:
    """From the plan to the census by nothing but what each answer says is next."""
    senders = {
        "an operator": "olga_operator",
        "a reviewer": "rita_reviewer",
        "a permit owner": "paul_owner",
        "a DBA": "dora_dba",
    }
    twins.governed("(code text PRIMARY KEY)", mode="enforce")
    twins.admin.execute("INSERT INTO app.thing SELECT 'before ' || g FROM generate_series(1, 5) g")
    twins.admin.execute("DELETE FROM birth.birth_registry")
    for person in senders.values():
        turn(twins.person(person))
    run = api.plan(twins.operator, "thing", dry_run=False)["run_id"]
    sent: list[str] = []
    while not sent or "fn_birth_census" not in sent[-1]:
        step = twins.value("SELECT birth.fn_birth_run_next_step(%s)", run)
        assert step not in sent
        sent.append(step)
        sender = re.search("-- (.*)$", step)
        twins.person(senders[sender[1]] if sender else "olga_operator").execute(judged(step).encode())
    assert [re.findall(r"birth\.(\w+)", step)[0] for step in sent] == [
        "fn_birth_review_record",
        "fn_birth_permit_open",
        "fn_birth_permit_confirm",
        "sp_dot_birth_qt001_apply",
        "fn_birth_census",
    ]
    for step in (api.run_tune(twins.operator, run, 5), api.run_tune(twins.operator, run, 6)):
        (row,) = twins.operator.execute(step.encode()).fetchall()
        assert row[0] == run
