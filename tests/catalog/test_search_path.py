"""Twins of functions, operators and tables, put first in the search path, change nothing of what the routines do."""

from typing import Any

import psycopg
import pytest
from gateway.world import World

# A twin of every plain function and operator of pg_catalog over the types that the routines use: each raises.
TWINS = r"""
CREATE SCHEMA twin;
GRANT USAGE ON SCHEMA twin TO PUBLIC;
DO $twins$
DECLARE
  v_types CONSTANT oid[] := ARRAY['text', 'name', 'bool', 'int4', 'int8', 'numeric', 'jsonb', 'uuid', 'oid', 'text[]',
    'bytea', '"char"', 'regclass', 'timestamptz', 'interval', 'anyelement', 'anyarray', 'anycompatible']::regtype[];
  r record;
BEGIN
  FOR r IN SELECT p.* FROM pg_proc p JOIN pg_type t ON t.oid = p.prorettype
           WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f' AND NOT p.proretset
             AND t.typname !~ 'internal|cstring|handler|trigger|^any|void|record'
             AND p.proargtypes::oid[] <@ v_types LOOP
    EXECUTE format('CREATE FUNCTION twin.%I(%s) RETURNS %s LANGUAGE plpgsql AS %L', r.proname,
      (SELECT string_agg(CASE WHEN r.provariadic <> 0 AND n = r.pronargs THEN 'VARIADIC ' ELSE '' END
                         || format_type(r.proargtypes[n - 1], NULL), ', ' ORDER BY n)
       FROM generate_series(1, r.pronargs) n),
      format_type(r.prorettype, NULL),
      format('BEGIN RAISE EXCEPTION ''the twin of %s ran as %%'', current_user; END', r.proname));
  END LOOP;
  FOR r IN SELECT o.* FROM pg_operator o
           WHERE o.oprnamespace = 'pg_catalog'::regnamespace AND o.oprkind = 'b'
             AND o.oprleft = ANY (v_types) AND o.oprright = ANY (v_types)
             AND concat_ws(' ', o.oprresult::regtype, o.oprleft::regtype, o.oprright::regtype) !~ '\yany' LOOP
    EXECUTE format('CREATE FUNCTION twin.operator_%s(%s, %s) RETURNS %s LANGUAGE plpgsql AS %L', r.oid,
      format_type(r.oprleft, NULL), format_type(r.oprright, NULL), format_type(r.oprresult, NULL),
      format('BEGIN RAISE EXCEPTION ''the twin of operator %s ran as %%'', current_user; END',
             replace(r.oprname, '%', '%%')));
    EXECUTE format('CREATE OPERATOR twin.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = twin.operator_%s)', r.oprname,
      format_type(r.oprleft, NULL), format_type(r.oprright, NULL), r.oid);
  END LOOP;
END
$twins$;
"""
# Names that the routines read: of the catalogue, of ours, of a statement's own subqueries.
TABLES = [
    "pg_class",
    "pg_attribute",
    "pg_trigger",
    "pg_roles",
    "birth_registry",
    "collection_registry",
    "birth_act",
    "t",
]


def turn(session: psycopg.Connection[Any]) -> None:
    """Put the twins before everything else in this session."""
    for table in TABLES:
        session.execute(f"CREATE TEMPORARY TABLE {table} (entity_code text, collection_name text, oid oid)".encode())
    session.execute("SET search_path = pg_temp, twin, pg_catalog, public")


def test_the_twins_are_there_and_would_be_found(world: World) -> None:
    world.admin.execute(TWINS.encode())
    assert world.value("SELECT count(*) FROM pg_proc WHERE pronamespace = 'twin'::regnamespace") > 500
    assert world.value("SELECT count(*) FROM pg_operator WHERE oprnamespace = 'twin'::regnamespace") > 100
    turn(world.operator)
    for statement in ("SELECT lower('A')", "SELECT 1 = 1", "SELECT 'a'::text || 'b'::text"):
        with pytest.raises(psycopg.errors.RaiseException, match="twin"):
            world.operator.execute(statement.encode())


def test_a_whole_backfill_is_the_same_under_a_hostile_search_path(world: World) -> None:
    world.admin.execute(TWINS.encode())
    for person in ("alice_steward", "olga_operator", "rita_reviewer", "paul_owner", "nora_nobody"):
        turn(world.person(person))
    world.table("(tenant pg_catalog.text, no pg_catalog.int4, PRIMARY KEY (tenant, no))")
    world.owner.execute("INSERT INTO app.thing VALUES ('a', 1), ('a', -2), ('b', 3)")
    world.register()
    world.classify("legacy", template="{tenant}/{no:03}")
    world.attach(mode="enforce")
    world.owner.execute("INSERT INTO app.thing VALUES ('c', 4)")
    assert world.births() == ["c/004"]
    world.backfill(batch=2)
    assert world.births() == ["a/-02", "a/001", "b/003", "c/004"]
    assert world.failed_checks() == {}
    views = world.admin.execute(
        "SELECT v.oid::regclass::text FROM pg_class v WHERE v.relnamespace = 'birth'::regnamespace AND v.relkind = 'v'"
        " AND has_table_privilege('birth_operator', v.oid, 'SELECT')"
    ).fetchall()
    assert len(views) > 10
    for (view,) in views:
        world.operator.execute(f"SELECT * FROM {view}".encode())


def test_a_numbered_gateway_is_the_same_under_a_hostile_search_path(world: World) -> None:
    world.admin.execute(TWINS.encode())
    world.governed("(id int PRIMARY KEY)", mode="enforce", strategy="synthetic_id", column="id", prefix="n-")
    turn(world.owner)
    world.owner.execute("INSERT INTO app.thing VALUES (1), (2)")
    assert world.births() == ["n-1", "n-2"]
