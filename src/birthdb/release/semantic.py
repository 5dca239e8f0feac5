"""Semantic SHA-256 of routines and views: formatting and comments do not change it, everything else does.

A routine is its header, as the catalogue has it, and the tokens of its body; a view is the tokens of its deparsed text.
The tokens are PostgreSQL's own (``pglast.parser.scan``): comments and white space go, unquoted words are lower-cased
in ASCII only, quoted names and strings stay, ``!=`` is ``<>``. Parse trees were tried: they are blind to much.

pglast is needed to freeze and to prove a release, never to install one, and is imported here alone. Specification: 7.
"""

import hashlib
import json
import string
from collections.abc import Iterator
from typing import Any, LiteralString

import psycopg
from psycopg import sql

#: Raised whenever the same object could hash differently.
ALGORITHM = "birthdb-semantic-1"

# Each of these changes what the server deparses.
_PINS: LiteralString = """
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO, YMD';
SET LOCAL IntervalStyle = 'postgres';
SET LOCAL quote_all_identifiers = off;
SET LOCAL extra_float_digits = 1;
"""

_ROUTINES: LiteralString = """
SELECT p.oid, p.proname AS name, CASE WHEN p.proname IN ('fn_birth_registry_auto', 'fn_birth_registry_auto_id', 'fn_birth_policy_decision', 'fn_birth_resolve_identity', 'fn_birth_register') THEN 'gateway' WHEN p.prokind = 'p' THEN 'procedure' ELSE 'function' END || ' ' || substr(p.oid::regprocedure::text, 7) AS key, p.prosrc AS body, p.prosqlbody IS NOT NULL AS parsed,
  l.lanname IN ('sql', 'plpgsql') AS scans,
  jsonb_build_object(
    'kind', p.prokind, 'name', p.proname, 'language', l.lanname,
    'arguments', pg_get_function_arguments(p.oid), 'result', pg_get_function_result(p.oid),
    'volatile', p.provolatile, 'parallel', p.proparallel, 'strict', p.proisstrict, 'leakproof', p.proleakproof,
    'security_definer', p.prosecdef, 'cost', p.procost, 'rows', p.prorows, 'binary', p.probin,
    'support', p.prosupport::regproc::text, 'transforms', p.protrftypes::regtype[]::text[],
    'settings', (SELECT jsonb_agg(s ORDER BY s) FROM unnest(p.proconfig) s)) AS header
FROM pg_proc p
JOIN pg_language l ON l.oid = p.prolang
WHERE p.pronamespace = 'birth'::regnamespace
ORDER BY p.proname
"""

_VIEWS: LiteralString = """
SELECT c.oid, c.relname AS name, pg_get_viewdef(c.oid) AS body,
  jsonb_build_object('name', c.relname, 'kind', c.relkind,
    'columns', (SELECT jsonb_agg(jsonb_build_array(a.attname, format_type(a.atttypid, a.atttypmod)) ORDER BY a.attnum)
                FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
    'options', (SELECT jsonb_agg(o ORDER BY o) FROM unnest(c.reloptions) o)) AS header
FROM pg_class c
WHERE c.relnamespace = 'birth'::regnamespace AND c.relkind IN ('v', 'm')
ORDER BY c.relname
"""

_ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_DEPARSE_ROUNDS = 5


def tokens(text: str) -> Iterator[tuple[str, str]]:
    """Yield class and text of each token: ``name``, ``string`` decoded, ``raw`` as written, ``word`` lower-cased.

    Raises pglast.parser.ParseError for text that cannot be scanned.
    """
    from pglast.parser import scan

    for token in scan(text):
        raw = text[token.start : token.end + 1]
        if token.name in ("SQL_COMMENT", "C_COMMENT"):
            continue
        if token.name == "NOT_EQUALS":
            yield "word", "<>"
        elif raw.startswith('"'):
            yield "name", raw[1:-1].replace('""', '"')
        elif token.name == "SCONST" and raw.startswith("'"):
            # A string continued on the next line is one token with several pieces: as written, never falsely equal.
            pieces = raw[1:-1].replace("''", "").find("'") >= 0
            yield ("raw", raw) if pieces else ("string", raw[1:-1].replace("''", "'"))
        elif token.name == "SCONST" and raw.startswith("$"):
            tag = raw.index("$", 1) + 1
            yield "string", raw[tag:-tag]
        elif "'" in raw or '"' in raw:
            yield "raw", raw
        else:
            yield "word", raw.translate(_ASCII_LOWER)


def digest(header: dict[str, Any], body: str, *, scans: bool = True) -> str:
    """Return the SHA-256 of a header and a body; a body in a language that does not scan counts byte by byte."""
    stream = list(tokens(body)) if scans else [("raw", body)]
    canonical = json.dumps([ALGORITHM, header, stream], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def hashes(connection: psycopg.Connection[Any]) -> dict[str, str]:
    """Return ``{"routine": {name: hash}, "view": {name: hash}}`` of schema ``birth``; changes nothing.

    What the server deparses is loaded and deparsed again until it is stable, in a transaction that is rolled back; the
    login must be a superuser or birth_definer. View text differs between server majors, and so do the hashes of views.
    """
    found: dict[str, str] = {}
    with connection.transaction(force_rollback=True), connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        cursor.execute(_PINS, prepare=False)
        for row in cursor.execute(_ROUTINES).fetchall():
            body = _stable_body(connection, row["oid"]) if row["parsed"] else row["body"]
            found[row["key"]] = digest(row["header"], body, scans=row["scans"])
        for row in cursor.execute(_VIEWS).fetchall():
            body = row["body"] if row["header"]["kind"] == "m" else _stable_view(connection, row["oid"], row["name"])
            found["view " + row["name"]] = digest(row["header"], body)
    return found


def _stable_view(connection: psycopg.Connection[Any], oid: int, name: str) -> str:
    def load(text: str) -> None:
        # WITH (…) is kept by CREATE OR REPLACE only when repeated; options are hashed from before, in the header.
        connection.execute(
            sql.SQL("CREATE OR REPLACE VIEW {} AS {}").format(sql.Identifier("birth", name), _verbatim(text))
        )

    return _stable(connection, "SELECT pg_get_viewdef(%s)", oid, load)


def _stable_body(connection: psycopg.Connection[Any], oid: int) -> str:
    def load(_: str) -> None:
        definition = connection.execute("SELECT pg_get_functiondef(%s)", (oid,)).fetchone()
        assert definition is not None
        connection.execute(_verbatim(definition[0]))

    return _stable(connection, "SELECT pg_get_function_sqlbody(%s)", oid, load)


def _stable(connection: psycopg.Connection[Any], deparse: LiteralString, oid: int, load: Any) -> str:
    text = ""
    for _ in range(_DEPARSE_ROUNDS):
        row = connection.execute(deparse, (oid,)).fetchone()
        assert row is not None
        if row[0] == text:
            return text
        text = row[0]
        load(text)
    raise RuntimeError(f"the server's text of object {oid} is not stable")


def _verbatim(text: str) -> sql.SQL:
    """Return text of the server's own as SQL, unchanged."""
    return sql.SQL(text)
