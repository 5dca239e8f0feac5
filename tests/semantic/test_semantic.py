"""The semantic hash: formatting and comments do not change it, everything else does."""

from typing import Any

import psycopg
import pytest
from support import Database

from birthdb.release import semantic

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


def test_a_string_in_pieces_is_never_equal_to_another() -> None:
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
        first = semantic.hashes(connection)
        definition: Any = connection.execute("SELECT pg_get_viewdef('birth.v_unstable'::regclass)").fetchone()
        connection.execute(f"CREATE OR REPLACE VIEW birth.v_unstable AS {definition[0]}".encode())
        assert semantic.hashes(connection) == first
        connection.execute("ALTER FUNCTION birth.fn_atomic(integer) STRICT")
        assert semantic.hashes(connection)["function fn_atomic(integer)"] != first["function fn_atomic(integer)"]
        connection.rollback()
