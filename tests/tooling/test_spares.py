"""What a test leaves in its database does not reach the next one."""

from collections.abc import Iterator
from contextlib import closing
from typing import LiteralString

import pytest
from spares import Spares
from support import Cluster, Database

#: What is taken away.
TAKEN_AWAY: list[LiteralString] = [
    "CREATE TABLE public.left_behind (n integer)",
    "CREATE SCHEMA left_behind CREATE TABLE t (n integer)",
    "CREATE FUNCTION public.left_behind() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "SET session_replication_role = replica; DELETE FROM birth.dot_registry",
    "SELECT nextval(pg_get_serial_sequence('birth.birth_act', 'act_id'))",
]

#: What the database goes with.
KEPT: list[LiteralString] = [
    "ANALYZE birth.birth_act",
    "GRANT SELECT ON birth.birth_act TO nora_nobody",
    "COMMENT ON TABLE birth.birth_act IS 'left behind'",
    "CREATE TYPE public.left_behind AS ENUM ('one')",
    "SELECT lo_create(4711)",
    "DO $$ BEGIN EXECUTE format('COMMENT ON DATABASE %I IS ''left behind''', current_database()); END $$",
    "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = ''1MB''', current_database()); END $$",
    "BEGIN; INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin)"
    " SELECT g::text, 'rolled back', 'a test' FROM generate_series(1, 20000) g; ROLLBACK",
]

#: All that the schema holds, and who may what.
CONTENT = """
SELECT (SELECT array_agg(x ORDER BY x) FROM (SELECT relname || relacl::text FROM pg_class WHERE relnamespace <> 99
          UNION ALL SELECT proname FROM pg_proc UNION ALL SELECT nspname FROM pg_namespace
          UNION ALL SELECT d::text FROM birth.dot_registry d) AS of(x)),
       (SELECT last_value FROM birth.birth_act_act_id_seq)
"""


@pytest.fixture
def own(server: Cluster) -> Iterator[Spares]:
    """Spares of this test alone."""
    with closing(Spares(server)) as made:
        yield made


@pytest.mark.parametrize("statement", TAKEN_AWAY)
def test_what_is_left_is_taken_away(own: Spares, template: Database, statement: LiteralString) -> None:
    with own.one(template) as first:
        before = first.connect().execute(CONTENT).fetchall()
        first.connect().execute(statement)
        assert first.connect().execute(CONTENT).fetchall() != before
    with own.one(template) as second:
        assert second is first
        assert second.connect().execute(CONTENT).fetchall() == before


@pytest.mark.parametrize("statement", KEPT)
def test_a_database_goes_with_what_cannot_be_taken_away(
    own: Spares, template: Database, statement: LiteralString
) -> None:
    with own.one(template) as first:
        first.connect().execute(statement)
    with own.one(template) as second:
        assert second is not first


def test_a_session_is_handed_on_as_it_began(own: Spares, template: Database) -> None:
    with own.one(template) as first:
        conn = first.connect("olga_operator")
        session = conn.info.backend_pid
        conn.add_notice_handler(lambda _: pytest.fail("a handler of the test before"))
        conn.execute("SET work_mem = '1MB'; SELECT pg_advisory_lock(4711)")
    with own.one(template) as second:
        again = second.connect("olga_operator")
        assert again.info.backend_pid == session
        again.execute("DO $$ BEGIN RAISE NOTICE 'heard by nobody'; END $$")
        found = again.execute("SELECT setting <> reset_val FROM pg_settings WHERE name = 'work_mem'").fetchone()
        assert found == (False,)
        assert again.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone() == (0,)


def test_a_session_of_a_login_that_was_changed_is_not_handed_on(
    own: Spares, server: Cluster, template: Database
) -> None:
    server.login("sid_session")
    try:
        with own.one(template) as first:
            session = first.connect("sid_session").info.backend_pid
        with own.one(template) as second:
            server.execute("ALTER ROLE sid_session SET work_mem = '1MB'")
            again = second.connect("sid_session")
            assert again.info.backend_pid != session
            assert again.execute("SHOW work_mem").fetchone() == ("1MB",)
    finally:
        server.execute("DROP ROLE sid_session")
