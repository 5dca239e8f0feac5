"""The semantic hash: formatting and comments do not change it, everything else does."""

from typing import Any

import psycopg
import pytest
from sample import some
from support import PROJECT, RELEASER, Database, upgrade

from birthdb import paths
from pgcontract import semantic
from pgcontract.sources import Sources

RELEASES = tuple(Sources(paths.ROOT).releases)

BODY = """
DECLARE v_sum bigint := 0;
BEGIN
  SELECT count(*) INTO v_sum FROM pg_class WHERE relname != 'a''b' AND "Name" <> E'\\n';
  RETURN v_sum;
END
"""


def digest(body: str) -> str:
    return semantic.digest({"name": "f"}, body)


@pytest.mark.parametrize(
    "same",
    [
        BODY.replace("\n", "\n\n   "),
        BODY.replace("BEGIN", "-- said\nbegin /* and /* more */ */"),
        BODY.replace("!=", "<>"),
        BODY.replace("'a''b'", "$q$a'b$q$"),
        BODY.replace("SELECT count", "select COUNT"),
    ],
)
def test_formatting_does_not_change_the_hash(same: str) -> None:
    assert digest(same) == digest(BODY)


@pytest.mark.parametrize(
    "different",
    [
        BODY.replace("RETURN v_sum", "RETURN v_sum2"),
        BODY.replace("'a''b'", "'a  b'"),
        BODY.replace('"Name"', '"name"'),
        BODY.replace('"Name"', "Name"),
        BODY.replace("E'\\n'", "'\\n'"),
        BODY.replace("count(*)", "-- count(*)\n 1"),
        BODY.replace(":= 0", ":= 00"),
        BODY.replace("<>", "="),
        BODY.replace("v_sum bigint", "v_sum integer"),
        BODY.replace("v_sum", "v_ßum"),
    ],
)
def test_anything_else_changes_the_hash(different: str) -> None:
    assert digest(different) != digest(BODY)


def test_a_header_changes_the_hash() -> None:
    assert semantic.digest({"volatile": "s"}, BODY) != semantic.digest({"volatile": "v"}, BODY)


def test_split_string_literals_hash_distinctly() -> None:
    assert digest("SELECT 'a'\n'b'") != digest("SELECT 'a''b'") != digest("SELECT 'ab'")


def test_live_objects_hash_the_same_after_a_round_trip(db: Database) -> None:
    with psycopg.connect(db.url()) as connection:
        connection.execute(
            "CREATE FUNCTION birth.fn_atomic(p integer) RETURNS boolean LANGUAGE sql IMMUTABLE"
            " BEGIN ATOMIC SELECT p BETWEEN 1 AND 2; END"
        )
        connection.execute(
            "CREATE VIEW birth.v_unstable AS SELECT oid FROM pg_class WHERE relname::varchar IN ('a', 'b')"
        )
        first = semantic.hashes(connection, PROJECT)
        definition: Any = connection.execute("SELECT pg_get_viewdef('birth.v_unstable'::regclass)").fetchone()
        connection.execute(f"CREATE OR REPLACE VIEW birth.v_unstable AS {definition[0]}".encode())
        assert semantic.hashes(connection, PROJECT) == first
        connection.execute("ALTER FUNCTION birth.fn_atomic(integer) STRICT")
        second = semantic.hashes(connection, PROJECT)
        assert {key for key in first if first[key] != second[key]} == {"function fn_atomic(integer)"}
        connection.rollback()


def test_objects_are_named_as_the_contract_names_them(db: Database) -> None:
    with psycopg.connect(db.url()) as connection:
        connection.execute("CREATE FUNCTION birth.fn_twice(text) RETURNS text LANGUAGE sql AS 'SELECT $1'")
        connection.execute(
            'CREATE FUNCTION birth."Fn Twice"(birth.birth_act[]) RETURNS text LANGUAGE sql RETURN 1::text'
        )
        connection.execute('CREATE TABLE birth."T.t" ("A b" integer CONSTRAINT "C c" CHECK ("A b" > 0))')
        connection.execute('CREATE INDEX "I on t" ON birth."T.t" (("A b" + 1))')
        connection.execute(
            'CREATE TRIGGER "T r" BEFORE UPDATE ON birth."T.t" FOR EACH ROW WHEN (NEW."A b" > 1)'
            " EXECUTE FUNCTION birth.fn_birth_registry_auto()"
        )
        connection.execute('CREATE RULE "R u" AS ON DELETE TO birth."T.t" WHERE OLD."A b" > 1 DO INSTEAD NOTHING')
        connection.execute('CREATE POLICY "P o" ON birth."T.t" USING ("A b" > 1) WITH CHECK ("A b" > 2)')
        live = connection.execute(
            "SELECT kind || ' ' || object FROM birth.fn_birth_contract_live() WHERE kind NOT IN ('schema', 'role')"
        ).fetchall()
        assert {key for (key,) in live} == set(semantic.hashes(connection, PROJECT))
        connection.rollback()


@pytest.mark.long
@some("release", reversed(RELEASES))
def test_hashing_as_the_owner_leaves_nothing_behind(empty_db: Database, release: str) -> None:
    upgrade(empty_db.url(RELEASER), release)
    with psycopg.connect(empty_db.url()) as connection:
        catalogue = "SELECT array_agg(oid ORDER BY oid) FROM (SELECT oid FROM pg_class UNION SELECT oid FROM pg_proc) o"
        before = connection.execute(catalogue).fetchone()
        hashed = semantic.hashes(connection, PROJECT)
        assert connection.execute(catalogue).fetchone() == before
        assert "table birth_registry" in hashed
        connection.execute("SET ROLE birth_definer")
        assert semantic.hashes(connection, PROJECT) == hashed


def test_hashing_does_not_wait_for_readers_or_writers(db: Database) -> None:
    with db.connect() as other, other.transaction(force_rollback=True):
        tables = "SELECT string_agg(format('birth.%I', relname), ', ') FROM pg_class"
        named: Any = other.execute(f"{tables} WHERE relnamespace = 'birth'::regnamespace AND relkind = 'r'").fetchone()
        other.execute(f"LOCK TABLE {named[0]} IN EXCLUSIVE MODE".encode())
        other.execute("SELECT count(*) FROM birth.v_birth_metrics")
        with psycopg.connect(db.url(), options="-c lock_timeout=1") as connection:
            assert semantic.hashes(connection, PROJECT)


@pytest.mark.long
def test_session_settings_do_not_change_a_hash(db: Database) -> None:
    with psycopg.connect(db.url()) as connection:
        connection.execute(
            "CREATE VIEW birth.v_dated AS SELECT timestamptz '2026-01-31 12:00+00' AS at, interval '1 day 2:00' AS for"
        )
        connection.execute(
            "CREATE TABLE birth.measured (at float8 DEFAULT 0.1::float8 + 0.2, day date DEFAULT date '2026-02-01')"
        )
        first = semantic.hashes(connection, PROJECT)
        for setting in (
            "search_path = birth, public",
            "TimeZone = 'Asia/Kathmandu'",
            "DateStyle = 'German'",
            "IntervalStyle = 'iso_8601'",
            "quote_all_identifiers = on",
            "extra_float_digits = -5",
            "standard_conforming_strings = off",
        ):
            connection.execute(f"SET LOCAL {setting}".encode())
            assert semantic.hashes(connection, PROJECT) == first, setting
        connection.rollback()


def test_a_source_file_has_the_hash_of_its_object_only(db: Database) -> None:
    source = (paths.SQL / "functions" / "core" / "fn_birth_lock_key.sql").read_text(encoding="utf-8")
    with psycopg.connect(db.url()) as connection:
        live = semantic.hashes(connection, PROJECT)
        (key,) = made = semantic.of_source(connection, PROJECT, source)
        assert made[key] == live[key]
        assert (
            semantic.of_source(connection, PROJECT, "-- reformatted\n" + source.replace("SELECT", "select\n"))[key]
            == live[key]
        )
        assert semantic.of_source(connection, PROJECT, source.replace("0)", "1)"))[key] != live[key]
        assert semantic.hashes(connection, PROJECT) == live


def test_a_source_file_of_an_overload_is_hashed_separately(db: Database) -> None:
    with psycopg.connect(db.url()) as connection:
        made = semantic.of_source(
            connection,
            PROJECT,
            "CREATE FUNCTION birth.fn_birth_lock_key(p integer) RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        )
        assert list(made) == ["function fn_birth_lock_key(integer)"]
        assert made.keys().isdisjoint(semantic.hashes(connection, PROJECT))
