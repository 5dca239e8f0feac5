"""Attacks on the optional event triggers: they run in every session that sends DDL, a superuser's too."""

from typing import LiteralString

import pytest
from helpers import Scene, raised
from support import PEOPLE, RELEASER

from birthdb import paths

ADD = "sql/optional/event_triggers.sql"
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('birth.release', 0))"

#: Counts, whatever is rolled back, how often somebody with rights has run it.
_EVIL: LiteralString = """
CREATE SCHEMA d2;
CREATE SEQUENCE d2.ran;
GRANT USAGE ON SCHEMA d2 TO PUBLIC;
GRANT USAGE ON SEQUENCE d2.ran TO PUBLIC;
CREATE FUNCTION d2.note() RETURNS bigint LANGUAGE sql VOLATILE AS $$SELECT nextval('d2.ran')$$;
CREATE FUNCTION d2.evil(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  IF (SELECT rolsuper OR rolname = current_setting('d2.victim', true) FROM pg_roles WHERE rolname = current_user) THEN
    PERFORM d2.note();
  END IF;
  RETURN $1;
END $$;
CREATE FUNCTION d2.fire() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM d2.evil(1); RETURN NULL; END$$;
"""

#: What who releases can do to everything of birth_definer's.
_REPLACE: LiteralString = """
DO $replace$
DECLARE
  v_statement text;
BEGIN
  FOR v_statement IN
    SELECT format('CREATE STATISTICS birth.evil_%s ON (%I::text || d2.evil(1)), (%2$I::text || d2.evil(2))'
                  ' FROM birth.%I;'
                  ' CREATE TRIGGER evil BEFORE INSERT OR UPDATE OR DELETE ON birth.%3$I'
                  ' FOR EACH STATEMENT EXECUTE FUNCTION d2.fire()', c.relname, a.attname, c.relname)
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = 1
    WHERE c.relnamespace = 'birth'::regnamespace AND c.relkind = 'r'
    UNION ALL
    SELECT format('CREATE OR REPLACE VIEW birth.%I AS SELECT x.* FROM (%s) AS x WHERE d2.evil(1) = 1',
                  c.relname, rtrim(pg_get_viewdef(c.oid), ';'))
    FROM pg_class c WHERE c.relnamespace = 'birth'::regnamespace AND c.relkind = 'v'
    UNION ALL
    SELECT replace(replace(split_part(pg_get_functiondef(p.oid), 'AS $', 1), ' SECURITY DEFINER', ''), 'LANGUAGE sql',
                   'LANGUAGE plpgsql') || 'AS $evil$BEGIN PERFORM d2.evil(1); RAISE EXCEPTION ''evil''; END$evil$'
    FROM pg_proc p WHERE p.pronamespace = 'birth'::regnamespace AND p.proowner = 'birth_definer'::regrole
  LOOP
    EXECUTE v_statement;
  END LOOP;
END
$replace$;
"""


def send(scene: Scene, person: str | None = None) -> None:
    """Send the file as psql does, as a superuser unless somebody is named."""
    text = (paths.ROOT / ADD).read_text(encoding="utf-8")
    connection = scene.session(person) if person else scene.admin
    connection.execute("\n".join(line for line in text.splitlines() if not line.startswith("\\")).encode())


def ran(scene: Scene) -> bool:
    """Return whether the attacker's code was run with rights that the attacker has not."""
    return bool(scene.value("SELECT is_called FROM d2.ran"))


def test_ddl_of_a_superuser_runs_no_code_that_birth_definer_can_replace(scene: Scene) -> None:
    scene.collection("item")
    scene.ask("alice_steward", "fn_birth_gateway_attach", p_collection="item", p_mode="enforce")
    send(scene)
    scene.execute(_EVIL)
    with scene.admin.transaction():
        scene.execute(LOCK)
        scene.execute("SET LOCAL ROLE birth_definer")
        scene.execute(_REPLACE)
    for statement in (
        "CREATE TABLE public.other (id integer PRIMARY KEY)",
        "ALTER TABLE public.other ADD COLUMN note text",
        "DROP TABLE public.other",
        "GRANT SELECT ON public.item TO nora_nobody",
        "ALTER TABLE item DISABLE TRIGGER birth_gateway",
        "DROP TRIGGER birth_gateway ON item",
        "GRANT INSERT ON birth.birth_registry TO nora_nobody",
        "CREATE TABLE birth.note (n integer)",
    ):
        scene.execute(statement)
    with raised("NB413"):
        scene.execute("ALTER TABLE birth.birth_registry ADD COLUMN note text")
    # The guard was at work all the time, and looked at the objects that were replaced.
    assert scene.value("SELECT count(*) FROM birth_guard.alert") == 4
    assert not ran(scene)


#: What would change what the event triggers run, or what they recorded.
CHANGES: list[LiteralString] = [
    "CREATE OR REPLACE FUNCTION birth_guard.is_release() RETURNS boolean LANGUAGE sql AS 'SELECT true'",
    "ALTER FUNCTION birth_guard.guard() SET search_path = public",
    "CREATE FUNCTION birth_guard.evil() RETURNS boolean LANGUAGE sql AS 'SELECT true'",
    "CREATE TRIGGER evil BEFORE INSERT ON birth_guard.alert FOR EACH ROW EXECUTE FUNCTION d2.fire()",
    "CREATE STATISTICS public.evil ON command, object FROM birth_guard.alert",
    "INSERT INTO birth_guard.alert (command, object, detail) VALUES ('x', 'x', 'x')",
    "DELETE FROM birth_guard.alert",
    "INSERT INTO birth_guard.gated_schema (schema_name) VALUES ('public')",
    "CREATE TRIGGER evil BEFORE INSERT ON birth_guard.gated_schema FOR EACH ROW EXECUTE FUNCTION d2.fire()",
    "CREATE OR REPLACE FUNCTION birth_guard.gate() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'",
    "ALTER SCHEMA birth_guard RENAME TO other",
    "DROP EVENT TRIGGER birth_guard_changed",
    "DROP EVENT TRIGGER birth_guard_gate",
]


@pytest.mark.parametrize("person", [*PEOPLE, RELEASER, "birth_definer"])
def test_only_a_superuser_can_change_the_code_of_the_event_triggers(scene: Scene, person: str) -> None:
    scene.execute(_EVIL)
    # Default privileges that would let everybody in.
    scene.execute("ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC")
    scene.execute("ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO PUBLIC")
    send(scene)
    # Who releases can become birth_definer.
    with scene.db.connect(None if person == "birth_definer" else person) as session:
        session.execute(f"SET ROLE {person}".encode())
        for statement in CHANGES:
            with raised("42501"):
                session.execute(statement)


def test_the_event_trigger_file_refuses_a_schema_of_another_role(scene: Scene) -> None:
    scene.execute("CREATE SCHEMA birth_guard AUTHORIZATION nora_nobody")
    with raised("42501") as caught:
        send(scene)
    assert caught.value.diag.message_detail == "schema birth_guard of nora_nobody"
    scene.execute("ROLLBACK")
    scene.execute("ALTER SCHEMA birth_guard OWNER TO CURRENT_USER; CREATE TABLE birth_guard.alert (id integer)")
    scene.execute("ALTER TABLE birth_guard.alert OWNER TO nora_nobody")
    with raised("42501") as caught:
        send(scene)
    assert "birth_guard.alert of nora_nobody" in (caught.value.diag.message_detail or "")
    scene.execute("ROLLBACK")


def test_an_alert_table_of_another_owner_is_not_read(scene: Scene) -> None:
    scene.execute(_EVIL)
    scene.execute("GRANT CREATE ON SCHEMA d2 TO nora_nobody; SET d2.victim = 'birth_definer'")
    stranger = scene.session("nora_nobody")
    for owner in ("nora_nobody", scene.value("SELECT current_user::text")):
        scene.execute(f"CREATE SCHEMA birth_guard AUTHORIZATION {owner}".encode())
        scene.execute("GRANT USAGE, CREATE ON SCHEMA birth_guard TO nora_nobody")
        stranger.execute(
            "CREATE TABLE birth_guard.alert (raised_at timestamptz, raised_by text, command text, object text,"
            " detail text, source_schema text, source_table text);"
            " CREATE STATISTICS d2.s ON (command || d2.evil(1)), (object || d2.evil(1)) FROM birth_guard.alert;"
            " INSERT INTO birth_guard.alert VALUES (now(), 'x', 'x', 'x', 'x')"
        )
        stranger.execute("GRANT SELECT ON birth_guard.alert TO PUBLIC")
        for role in ("NONE", "birth_definer"):
            scene.execute(f"SET ROLE {role}".encode())
            assert scene.rows("SELECT * FROM birth.fn_birth_alerts()") == []
        scene.execute("RESET ROLE; DROP SCHEMA birth_guard CASCADE")
    assert not ran(scene)
