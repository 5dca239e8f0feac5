"""What is not birthdb's and acts in a release: event triggers of other programs, and languages that PUBLIC has lost."""

import re
from typing import LiteralString

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from sample import some
from sqlalchemy.exc import DBAPIError
from support import RELEASER, Cluster, Database, downgrade, upgrade

from birthdb.audit import verify
from birthdb.release import attest

from .test_release import psql, script, shape, versions

#: As AWS DMS makes it: the login may not write the table that it writes to.
DMS: LiteralString = """
CREATE TABLE public.awsdms_ddl_audit (c_key bigserial, c_tag text);
CREATE FUNCTION public.awsdms_intercept_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO public.awsdms_ddl_audit (c_tag) VALUES (tg_tag);
END $$;
CREATE EVENT TRIGGER awsdms_intercept_ddl ON ddl_command_end EXECUTE FUNCTION public.awsdms_intercept_ddl();
"""

#: What the function of an event trigger does to each table that is made, with a superuser's rights.
_EACH: LiteralString = """
CREATE FUNCTION public.{name}() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  v_table text;
BEGIN
  FOR v_table IN SELECT c.object_identity FROM pg_event_trigger_ddl_commands() c WHERE c.command_tag = 'CREATE TABLE'
  LOOP
    EXECUTE format('{what}', v_table);
  END LOOP;
END $$;
CREATE EVENT TRIGGER {name} ON ddl_command_end EXECUTE FUNCTION public.{name}();
"""

#: What refuses a statement.
RAISES: LiteralString = """
CREATE FUNCTION public.no_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'no DDL in working hours';
END $$;
CREATE EVENT TRIGGER no_ddl ON {event} EXECUTE FUNCTION public.no_ddl();
"""

#: Of each: what makes it, how it is named, and whether the error's own CONTEXT names it.
MEDDLING: dict[str, tuple[LiteralString, str, bool]] = {
    "writes": (DMS, "awsdms_intercept_ddl", True),
    "raises": (RAISES.replace("{event}", "ddl_command_start"), "no_ddl", True),
    "gives away": (
        _EACH.replace("{name}", "own_all").replace("{what}", "ALTER TABLE %s OWNER TO nora_nobody"), "own_all", False
    ),
    "secures": (
        _EACH.replace("{name}", "ensure_rls").replace("{what}", "ALTER TABLE %s ENABLE ROW LEVEL SECURITY"),
        "ensure_rls", False,
    ),
    "grants": (
        _EACH.replace("{name}", "grant_all").replace("{what}", "GRANT ALL ON %s TO nora_nobody"), "grant_all", False
    ),
}  # fmt: skip


def said_of(error: BaseException) -> str:
    """Return the notes of an error of the database."""
    raw = error.orig if isinstance(error, DBAPIError) else error
    return "\n".join(getattr(raw, "__notes__", ()))


def switched(notes: str) -> list[str]:
    """Return the statements that a note names, for the time of a release and afterwards."""
    return re.findall(r"ALTER EVENT TRIGGER \S+ (?:DISABLE|ENABLE)", notes)


@some("kind", MEDDLING)
def test_an_event_trigger_of_others_is_named_when_a_release_fails(empty_db: Database, kind: str) -> None:
    made, name, in_context = MEDDLING[kind]
    admin = empty_db.connect()
    admin.execute(made)
    with pytest.raises((psycopg.Error, DBAPIError)) as refused:
        upgrade(empty_db.url(RELEASER))
    notes = said_of(refused.value)
    assert f"event trigger {name} (function public.{name}, on ddl_command_" in notes
    assert f"owner {admin.info.user})" in notes
    assert (f"PL/pgSQL function public.{name}() line" in notes.partition("CONTEXT:")[2]) is in_context
    off, on = switched(notes)
    admin.execute(off.encode())
    upgrade(empty_db.url(RELEASER))
    admin.execute(on.encode())
    assert verify.verify(admin).fine


@pytest.mark.long
@some("kind", MEDDLING, 2)
def test_a_script_names_the_event_triggers_of_others(empty_db: Database, kind: str) -> None:
    made, name, _ = MEDDLING[kind]
    admin = empty_db.connect()
    admin.execute(made)
    sent = psql(empty_db, script("upgrade", "base:head"))
    assert sent.returncode
    assert f"run in this release: {name} (function public.{name}, on ddl_command_" in sent.stderr
    admin.execute(SQL("ALTER EVENT TRIGGER {} DISABLE").format(Identifier(name)))
    sent = psql(empty_db, script("upgrade", "base:head"))
    assert (sent.returncode, sent.stderr) == (0, "")


def test_an_event_trigger_that_stops_a_downgrade_or_a_repair_is_named(db: Database) -> None:
    admin = db.connect()
    admin.execute("ALTER TABLE birth.birth_act ADD COLUMN note text")
    admin.execute(RAISES.replace("{event}", "sql_drop").encode())
    before = shape(db)
    with pytest.raises(psycopg.Error) as refused:
        attest.repair(db.connect(RELEASER), harmless=True, drop_data=True)
    assert "event trigger no_ddl (function public.no_ddl, on sql_drop" in said_of(refused.value)
    assert shape(db) == before
    admin.execute("ALTER EVENT TRIGGER no_ddl DISABLE; ALTER TABLE birth.birth_act DROP COLUMN note")
    admin.execute("ALTER EVENT TRIGGER no_ddl ENABLE")
    with pytest.raises((psycopg.Error, DBAPIError)) as failed:
        downgrade(db.url(RELEASER), "stage4")
    assert "event trigger no_ddl (function public.no_ddl, on sql_drop" in said_of(failed.value)
    assert "PL/pgSQL function public.no_ddl() line" in said_of(failed.value).partition("CONTEXT:")[2]


@pytest.mark.long
def test_an_event_trigger_that_lets_a_release_be_is_no_fault(empty_db: Database) -> None:
    # As PostgREST has it on Supabase.
    empty_db.connect().execute(
        "CREATE FUNCTION public.pgrst_ddl_watch() RETURNS event_trigger LANGUAGE plpgsql AS"
        " $$BEGIN NOTIFY pgrst, 'reload schema'; END$$;"
        " CREATE EVENT TRIGGER pgrst_ddl_watch ON ddl_command_end EXECUTE FUNCTION public.pgrst_ddl_watch()"
    )
    upgrade(empty_db.url(RELEASER))
    assert verify.verify(empty_db.connect()).fine
    # What the login may not is no event trigger's doing.
    with pytest.raises((psycopg.Error, DBAPIError)) as refused:
        upgrade(empty_db.url("nora_nobody"))
    assert "event trigger" not in said_of(refused.value)


@pytest.mark.long
@some("languages", ["plpgsql, sql", "plpgsql", "sql"])
@pytest.mark.parametrize("granted", [False, True])
def test_languages_that_public_has_lost_are_asked_for_before_anything_is_made(
    server: Cluster, template: Database, empty_db: Database, languages: str, granted: bool
) -> None:
    admin = empty_db.connect()
    admin.execute(f"REVOKE USAGE ON LANGUAGE {languages} FROM PUBLIC".encode())
    if granted:
        admin.execute(f"GRANT USAGE ON LANGUAGE {languages} TO {RELEASER}".encode())
    hint = ""
    for _ in range(2):
        with pytest.raises((psycopg.Error, DBAPIError)) as refused:
            upgrade(empty_db.url(RELEASER))
        hint = said_of(refused.value)
        if isinstance(refused.value, psycopg.Error):
            hint = refused.value.diag.message_hint or hint
        assert admin.execute("SELECT to_regnamespace('birth')").fetchone() == (None,)
        sent = psql(empty_db, script("upgrade", "base:head"))
        assert sent.returncode
        (statement,) = re.findall(r"GRANT USAGE ON LANGUAGE plpgsql, sql TO [a-z_]+(?:, [a-z_]+)*", hint)
        assert statement in sent.stderr
        admin.execute(statement.encode())
        if "birth_definer" in statement:
            break
    assert hint.endswith(f"TO {RELEASER}, birth_definer, birth_scanner")
    upgrade(empty_db.url(RELEASER))
    assert verify.verify(admin).fine
    downgrade(empty_db.url(RELEASER), "base")
    assert versions(empty_db) == []


@pytest.mark.long
def test_default_privileges_of_the_login_that_releases_open_nothing(empty_db: Database, db: Database) -> None:
    admin = empty_db.connect()
    for objects in ("TABLES", "SEQUENCES", "FUNCTIONS", "TYPES", "SCHEMAS"):
        admin.execute(f"ALTER DEFAULT PRIVILEGES FOR ROLE {RELEASER} GRANT ALL ON {objects} TO nora_nobody".encode())
    upgrade(empty_db.url(RELEASER))
    assert shape(empty_db) == shape(db)
    assert verify.verify(admin).fine
    downgrade(empty_db.url(RELEASER), "base")
    sent = psql(empty_db, script("upgrade", "base:head"))
    assert (sent.returncode, sent.stderr) == (0, "")
    assert shape(empty_db) == shape(db)
    assert verify.verify(admin).fine
    found = admin.execute(
        "SELECT relacl::text FROM pg_class WHERE oid = 'birth.alembic_version'::regclass AND relacl::text ~ 'nora'"
    )
    assert found.fetchall() == []
