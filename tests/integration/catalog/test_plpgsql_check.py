"""plpgsql_check reads every routine as the server would run it; skipped where the extension is not installed."""

import psycopg
import pytest
from support import Database

_CODE = "the expression of a code and the name of its table, quoted by fn_birth_identity_definition alone"
_QUOTED = "built by format() from %I, %L and regclass alone"
_INJECTION = "text type variable is not sanitized"

#: Routine, message: why it may say so.
EXCEPTIONS: dict[tuple[str, str], str] = {
    ("fn_birth_census", 'name of parameter "check" is reserved keyword'): "the column's name is the specification's",
    ("fn_birth_census", _INJECTION): _CODE,
    ("fn_birth_measure", _INJECTION): _CODE,
    ("fn_birth_registry_auto", _INJECTION): _CODE,
    ("fn_birth_registry_auto_id", _INJECTION): _CODE,
    ("fn_birth_resolve_identity", _INJECTION): _CODE,
    ("fn_birth_apply_set", _INJECTION): _CODE,
    ("fn_birth_apply_slice", _INJECTION): _CODE,
    ("fn_birth_source_lock", _INJECTION): _CODE,
    ("fn_birth_gateway_detach", _INJECTION): _QUOTED,
}

#: Where it says itself that it cannot tell: EXECUTE … INTO sets them.
UNKNOWABLE = "cannot to determine result of dynamic SQL"

#: A planted fault, in a routine that is otherwise like ours, and the word by which it is found.
PLANTED = {
    "a variable that nothing uses": ("DECLARE v_none text; BEGIN RETURN p_a; END", "unused variable"),
    "a column that there is not": ("BEGIN RETURN (SELECT c.nothing FROM birth.birth_act c); END", "does not exist"),
    "a value of another type": ("DECLARE v date := p_a; BEGIN RETURN v; END", "target type is different"),
    "a value put into a statement": ("BEGIN EXECUTE 'SELECT ' || p_a; RETURN p_a; END", _INJECTION),
    "an argument that nothing uses": ("BEGIN RETURN 1; END", "unused parameter"),
}

_FINDINGS = """
SELECT p.proname, c.level, c.message, c.lineno, c.detail
FROM pg_proc p
JOIN pg_language l ON l.oid = p.prolang AND l.lanname = 'plpgsql'
CROSS JOIN LATERAL public.plpgsql_check_function_tb(p.oid,
  relid => CASE WHEN p.prorettype = 'trigger'::regtype THEN %(source)s::regclass ELSE 0::regclass END,
  newtable => CASE WHEN p.prorettype = 'trigger'::regtype THEN 'birth_new_rows' END,
  fatal_errors => false, other_warnings => true, performance_warnings => false, extra_warnings => true,
  security_warnings => true, compatibility_warnings => true) c
WHERE p.pronamespace = 'birth'::regnamespace
  AND c.detail IS DISTINCT FROM %(unknowable)s
ORDER BY 1, 4, 3
"""


@pytest.fixture
def checked(db: Database) -> Database:
    """A released database with the extension and a source table, or a skip that says what is missing."""
    admin = db.connect()
    if not admin.execute("SELECT name FROM pg_available_extensions WHERE name = 'plpgsql_check'").fetchone():
        pytest.skip("plpgsql_check is not installed on this server: apt install postgresql-15-plpgsql-check,"
                    " BIRTHDB_PG_BIN=/usr/lib/postgresql/15/bin")  # fmt: skip
    admin.execute("CREATE EXTENSION plpgsql_check SCHEMA public")
    admin.execute("CREATE TABLE public.item (id integer PRIMARY KEY, note text, size integer)")
    return db


def findings(db: Database) -> list[tuple[object, ...]]:
    with psycopg.connect(db.url()) as connection:
        return connection.execute(_FINDINGS.encode(), {"source": "public.item", "unknowable": UNKNOWABLE}).fetchall()


def test_plpgsql_check_reports_only_the_listed_exceptions(checked: Database) -> None:
    found = {(str(row[0]), str(row[2])): row for row in findings(checked)}
    assert [row for key, row in found.items() if key not in EXCEPTIONS] == []
    assert [key for key in EXCEPTIONS if key not in found] == []


@pytest.mark.parametrize("fault", PLANTED)
def test_plpgsql_check_reports_a_planted_fault(checked: Database, fault: str) -> None:
    body, word = PLANTED[fault]
    checked.connect().execute(
        f"CREATE FUNCTION birth.fn_planted(p_a text) RETURNS text LANGUAGE plpgsql AS $x${body}$x$".encode()
    )
    assert [row for row in findings(checked) if row[0] == "fn_planted" and word in str(row[2])]


def test_plpgsql_check_reads_trigger_functions_with_their_table(checked: Database) -> None:
    checked.connect().execute(
        "CREATE FUNCTION birth.fn_planted() RETURNS trigger LANGUAGE plpgsql AS"
        " $x$BEGIN PERFORM n.nothing FROM birth_new_rows n; RETURN NEW; END$x$"
    )
    assert [row for row in findings(checked) if row[0] == "fn_planted" and "nothing" in str(row[2])]
