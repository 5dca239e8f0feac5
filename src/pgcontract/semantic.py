"""Semantic SHA-256 of every object of a schema: formatting and comments do not change it, everything else does.

A routine is its header, as the catalogue has it, and the tokens of its body. What the catalogue keeps as a parse tree
(views, constraints, indexes, triggers, defaults, BEGIN ATOMIC) is its header and the tokens of the server's text of it,
after that was loaded and written again until it no longer changed. A header also holds the state bits (enabled,
validated, valid, …), but neither owner nor privileges: those are the contract's.

The tokens are PostgreSQL's own (``pglast.parser.scan``). Parse trees were tried: they are blind to much. pglast is
needed to measure and to prove a release, never to install one, and is imported here alone. Specification: 7.

``ALGORITHM`` is part of every hash. It is raised with every change after which the same object could hash differently,
or another one the same: a fact more or less in a header, another rule in ``tokens``, another pin, another shape of
what ``digest`` serialises. A new pglast or a new server major is no such change: tokens are equal across pglast 5 to 8,
and that another server writes another text is why a manifest names the servers of its hashes.
"""

import hashlib
import json
import re
import string
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, LiteralString, TypeVar

import psycopg
from psycopg.rows import dict_row
from psycopg.sql import SQL, Composed, Identifier
from psycopg.types.json import Jsonb

from pgcontract.project import Project

#: Part of every hash; see above for what raises it. A project puts its name before it.
ALGORITHM = "semantic-2"

#: What ``hashes`` can be asked for.
KINDS = ("routine", "relation", "constraint", "index", "trigger", "rule", "policy")

Connection = psycopg.Connection[Any]
Row = dict[str, Any]
State = TypeVar("State")

# Each of the first six changes what the server writes; the last one spares parsing bodies that are only moved.
_PINS: LiteralString = """
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO, YMD';
SET LOCAL IntervalStyle = 'postgres';
SET LOCAL quote_all_identifiers = off;
SET LOCAL standard_conforming_strings = on;
SET LOCAL extra_float_digits = 1;
SET LOCAL check_function_bodies = off;
"""

# Kind and object are named as the contract's `live` names them.
_ROUTINES: LiteralString = """
SELECT coalesce(%(special)s::jsonb ->> p.proname,
                CASE WHEN p.prokind = 'p' THEN 'procedure' ELSE 'function' END) AS kind,
  substr(p.oid::regprocedure::text, length(quote_ident(n.nspname)) + 2) AS object,
  coalesce(pg_get_function_sqlbody(p.oid), p.prosrc) AS body,
  CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END AS word,
  -- What follows the name.
  substr(d.text, strpos(d.text, format('.%%I(', p.proname)) + length(quote_ident(p.proname)) + 1) AS definition,
  p.prokind <> 'a' AND (p.prosqlbody IS NOT NULL OR p.pronargdefaults > 0) AS settles,
  l.lanname IN ('sql', 'plpgsql') AS scans,
  jsonb_build_object(
    'kind', p.prokind, 'name', p.proname, 'language', l.lanname, 'parsed', p.prosqlbody IS NOT NULL,
    'arguments', pg_get_function_arguments(p.oid), 'result', pg_get_function_result(p.oid),
    'volatile', p.provolatile, 'parallel', p.proparallel, 'strict', p.proisstrict, 'leakproof', p.proleakproof,
    'security_definer', p.prosecdef, 'cost', p.procost, 'rows', p.prorows, 'binary', p.probin,
    'support', p.prosupport::regproc::text, 'transforms', p.protrftypes::regtype[]::text[],
    'settings', (SELECT jsonb_agg(s ORDER BY s COLLATE "C") FROM unnest(p.proconfig) s),
    'aggregate', (SELECT to_jsonb(a) - 'aggfnoid' || jsonb_build_object('aggtranstype', a.aggtranstype::regtype::text,
                           'aggmtranstype', a.aggmtranstype::regtype::text, 'aggsortop', a.aggsortop::regoper::text)
                  FROM pg_aggregate a WHERE a.aggfnoid = p.oid)) AS header
FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
JOIN pg_language l ON l.oid = p.prolang
CROSS JOIN LATERAL (SELECT CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) END AS text) d
WHERE CASE %(schema)s WHEN 'pg_temp' THEN n.oid = pg_my_temp_schema() ELSE n.nspname = %(schema)s END
  AND (%(only)s::oid[] IS NULL OR p.oid = ANY (%(only)s))
"""

_WITH_RELATION: LiteralString = """
WITH relation AS (
  SELECT c.*, c.relname::text AS name
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
)
"""

_RELATIONS: LiteralString = (
    _WITH_RELATION
    + """
SELECT CASE WHEN r.relkind IN ('v', 'm') THEN 'view' ELSE 'table' END AS kind, quote_ident(r.name) AS object,
  r.name AS relation, pg_get_viewdef(r.oid) AS query,
  jsonb_build_object('name', r.name, 'kind', r.relkind, 'persistence', r.relpersistence,
    'options', (SELECT jsonb_agg(o ORDER BY o COLLATE "C") FROM unnest(r.reloptions) o),
    'replica_identity', r.relreplident, 'row_security', r.relrowsecurity, 'forced', r.relforcerowsecurity,
    'children', (SELECT jsonb_agg(i.inhrelid::regclass::text ORDER BY i.inhrelid::regclass::text COLLATE "C")
                 FROM pg_inherits i WHERE i.inhparent = r.oid)) AS header,
  (SELECT jsonb_agg(jsonb_build_object(
     'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'generated', a.attgenerated <> '',
     'declared', concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
       CASE WHEN a.attcollation <> t.typcollation
            THEN (SELECT format('COLLATE %%I.%%I', c.collnamespace::regnamespace, c.collname)
                  FROM pg_collation c WHERE c.oid = a.attcollation) END,
       CASE WHEN a.attnotnull THEN 'NOT NULL' END,
       CASE a.attidentity WHEN 'a' THEN 'GENERATED ALWAYS AS IDENTITY'
                          WHEN 'd' THEN 'GENERATED BY DEFAULT AS IDENTITY' END,
       CASE a.attgenerated WHEN 's' THEN 'GENERATED ALWAYS STORED' WHEN 'v' THEN 'GENERATED ALWAYS VIRTUAL' END),
     'expression', pg_get_expr(d.adbin, d.adrelid)) ORDER BY a.attnum)
   FROM pg_attribute a
   JOIN pg_type t ON t.oid = a.atttypid
   LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
   WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
FROM relation r
"""
)

_CONSTRAINTS: LiteralString = (
    _WITH_RELATION
    + """
SELECT 'constraint' AS kind, format('%%I.%%I', r.name, k.conname) AS object, r.name AS relation, k.conname AS name,
  pg_get_constraintdef(k.oid) AS text, k.contype IN ('c', 'x') AS settles,
  jsonb_build_object('name', k.conname, 'type', k.contype, 'validated', k.convalidated,
    -- A superuser can switch off the triggers that hold a foreign key.
    'triggers', (SELECT string_agg(t.tgenabled::text, '' ORDER BY t.tgenabled::text COLLATE "C")
                 FROM pg_trigger t WHERE t.tgconstraint = k.oid),
    'valid', x.indisvalid AND x.indisready AND x.indislive) AS header
FROM relation r
JOIN pg_constraint k ON k.conrelid = r.oid
LEFT JOIN pg_index x ON x.indexrelid = k.conindid AND k.contype IN ('p', 'u', 'x')
WHERE k.contype <> 'n' OR NOT k.convalidated
"""
)

_INDEXES: LiteralString = (
    _WITH_RELATION
    + """
SELECT 'index' AS kind, quote_ident(i.relname) AS object, r.name AS relation, i.relname AS name,
  pg_get_indexdef(i.oid) AS text, x.indexprs IS NOT NULL OR x.indpred IS NOT NULL AS settles,
  jsonb_build_object('name', i.relname, 'valid', x.indisvalid, 'ready', x.indisready, 'live', x.indislive,
    'immediate', x.indimmediate) AS header
FROM relation r
JOIN pg_index x ON x.indrelid = r.oid
JOIN pg_class i ON i.oid = x.indexrelid
WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = x.indexrelid AND k.contype IN ('p', 'u', 'x'))
"""
)

_TRIGGERS: LiteralString = (
    _WITH_RELATION
    + """
SELECT 'trigger' AS kind, format('%%I.%%I', r.name, t.tgname) AS object, r.name AS relation, t.tgname AS name,
  pg_get_triggerdef(t.oid) AS text, t.tgqual IS NOT NULL AS settles,
  jsonb_build_object('name', t.tgname, 'enabled', t.tgenabled) AS header
FROM relation r JOIN pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal
"""
)

_RULES: LiteralString = (
    _WITH_RELATION
    + """
SELECT 'rule' AS kind, format('%%I.%%I', r.name, w.rulename) AS object, r.name AS relation, w.rulename AS name,
  pg_get_ruledef(w.oid) AS text, true AS settles,
  jsonb_build_object('name', w.rulename, 'enabled', w.ev_enabled) AS header
FROM relation r JOIN pg_rewrite w ON w.ev_class = r.oid AND w.rulename <> '_RETURN'
"""
)

_POLICIES: LiteralString = (
    _WITH_RELATION
    + """
SELECT 'policy' AS kind, format('%%I.%%I', r.name, l.polname) AS object, r.name AS relation, l.polname AS name,
  concat_ws(' ', 'USING (' || pg_get_expr(l.polqual, l.polrelid) || ')',
                 'WITH CHECK (' || pg_get_expr(l.polwithcheck, l.polrelid) || ')') AS text, true AS settles,
  jsonb_build_object('name', l.polname, 'command', l.polcmd, 'permissive', l.polpermissive,
    'roles', (SELECT jsonb_agg(CASE o WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(o) END ORDER BY pg_get_userbyid(o))
              FROM unnest(l.polroles) o)) AS header
FROM relation r JOIN pg_policy l ON l.polrelid = r.oid
"""
)

_PARTS = {
    "constraint": _CONSTRAINTS,
    "index": _INDEXES,
    "trigger": _TRIGGERS,
    "rule": _RULES,
    "policy": _POLICIES,
}

# The keyword after which the text of a part names its relation; a constraint and a policy do not name it.
_RELATION_AFTER = {"index": "ON", "trigger": "ON", "rule": "TO"}

# How a part is loaded onto a scratch table, and what the server makes of it there.
_LOAD: dict[str, LiteralString] = {
    "constraint": "ALTER TABLE {table} ADD CONSTRAINT {name} {after}",
    "index": "{before}{table}{after}",
    "trigger": "{before}{table}{after}",
    "rule": "{before}{table}{after}",
    "policy": "CREATE POLICY {name} ON {table} {after}",
}
_REWRITTEN: dict[str, LiteralString] = {
    "constraint": "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE conrelid = {table}::regclass AND conname = {name}",
    "index": "SELECT pg_get_indexdef(indexrelid) FROM pg_index x JOIN pg_class i ON i.oid = indexrelid"
    " WHERE indrelid = {table}::regclass AND relname = {name}",
    "trigger": "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = {table}::regclass AND tgname = {name}",
    "rule": "SELECT pg_get_ruledef(oid) FROM pg_rewrite WHERE ev_class = {table}::regclass AND rulename = {name}",
    "policy": "SELECT concat_ws(' ', 'USING (' || pg_get_expr(polqual, polrelid) || ')',"
    " 'WITH CHECK (' || pg_get_expr(polwithcheck, polrelid) || ')')"
    " FROM pg_policy WHERE polrelid = {table}::regclass AND polname = {name}",
}

_ROUNDS = 5
_ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_PIECE = re.compile(r"'((?:[^']|'')*)'")
_ESCAPED_PIECE = re.compile(r"'((?:[^'\\]|''|\\.)*)'", re.DOTALL)
_BETWEEN_PIECES = re.compile(r"(?:[ \t\n\r\f\v]|--[^\n\r]*)*")


def tokens(text: str) -> Iterator[tuple[str, str]]:
    """Yield class and text of each token; equal streams are texts that differ in formatting and comments alone.

    ``word``: unquoted and lower-cased in ASCII, numbers and operators too, ``!=`` as ``<>``; ``name``: a quoted name,
    decoded; ``string``: a string's value, however it is quoted or continued on the next line; ``raw``: a string with
    escapes or of bits, its prefix lower-cased, the rest as written. Raises ParseError.
    """
    from pgcontract.scanner import scan

    for token in scan(text):
        raw = text[token.start : token.end + 1]
        if token.name in ("SQL_COMMENT", "C_COMMENT"):
            continue
        if token.name == "NOT_EQUALS":
            yield "word", "<>"
        elif raw.startswith('"'):
            yield "name", raw[1:-1].replace('""', '"')
        elif token.name == "SCONST" and raw.startswith("'"):
            yield "string", "".join(_pieces(raw, _PIECE)).replace("''", "'")
        elif token.name == "SCONST" and raw.startswith("$"):
            tag = raw.index("$", 1) + 1
            yield "string", raw[tag:-tag]
        elif "'" in raw:
            prefix, quote, rest = raw.partition("'")
            # Joined, `E'\1'` and `'23'` on the next line would read as one escape.
            pieces = _pieces(quote + rest, _ESCAPED_PIECE if prefix in "eE" else _PIECE)
            yield "raw", "\n".join([prefix.translate(_ASCII_LOWER), *(f"'{piece}'" for piece in pieces)])
        elif '"' in raw:
            yield "raw", raw[:2].translate(_ASCII_LOWER) + raw[2:]
        else:
            yield "word", raw.translate(_ASCII_LOWER)


def algorithm(project: Project) -> str:
    """Return what the hashes of a project are made by."""
    return f"{project.name}-{ALGORITHM}"


def digest(header: dict[str, Any], text: str, *, scans: bool = True, by: str = ALGORITHM) -> str:
    """Return the SHA-256 of a header and a text; a text in a language that does not scan counts byte by byte."""
    canonical = json.dumps(
        [by, header, _stream(text) if scans else [("raw", text)]],
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
    )
    return hashlib.sha256(canonical.encode()).hexdigest()


def hashes(
    connection: Connection, project: Project, *, schema: str | None = None, kinds: Collection[str] = KINDS
) -> dict[str, str]:
    """Return the semantic hash of every object of the schema by ``"<kind> <object>"``, as the contract's `live` has.

    ``schema`` is another one than the project's.

    Texts are loaded into the session's temporary schema, in a transaction that is rolled back: nothing is changed, and
    no object is locked against those who read or write. The login must be a superuser or act as the owner, and may
    make temporary tables; raises psycopg.errors.InsufficientPrivilege where it may not.
    """
    found: dict[str, str] = {}
    with _pinned(connection):
        scratch = _Scratch(connection, project, schema or project.schema)
        if "routine" in kinds:
            found.update(_routines(connection, project, scratch.schema))
        if "relation" in kinds:
            found.update(_relations(scratch))
        for kind, query in _PARTS.items():
            if kind in kinds:
                found.update(_parts(scratch, query))
    return found


def of_source(connection: Connection, project: Project, text: str) -> dict[str, str]:
    """Return the hash of every routine that a source file makes, by key as ``hashes`` does; changes nothing.

    A header is what the server makes of it, so the file is loaded, in a transaction that is rolled back. Raises what
    the server refuses.
    """
    versions = "SELECT oid, xmin::text, cmin::text, ctid::text FROM pg_proc WHERE pronamespace = %s::regnamespace"
    with connection.transaction(force_rollback=True):
        before = set(connection.execute(versions, (project.schema,)).fetchall())
        connection.execute(text.encode(), prepare=False)
        made = [row[0] for row in connection.execute(versions, (project.schema,)).fetchall() if row not in before]
        with _pinned(connection):
            return dict(_routines(connection, project, project.schema, made))


@contextmanager
def _pinned(connection: Connection) -> Iterator[None]:
    """Undo what is done within, and have the server write every text in one way."""
    with connection.transaction(force_rollback=True):
        connection.execute(_PINS, prepare=False)
        yield


def _stream(text: str) -> list[tuple[str, str]]:
    """Return the tokens of a text; one that PostgreSQL's scanner refuses counts byte by byte."""
    from pgcontract.scanner import ParseError

    try:
        return list(tokens(text))
    except ParseError:
        return [("unscanned", text)]


def _pieces(raw: str, piece: re.Pattern[str]) -> Iterator[str]:
    """Yield what stands between the quotes of a string, which may go on after a line end and comments."""
    at = 0
    while at < len(raw):
        found = piece.match(raw, at)
        assert found is not None, raw
        yield found[1]
        gap = _BETWEEN_PIECES.match(raw, found.end())
        at = gap.end() if gap else found.end()


def _routines(
    connection: Connection, project: Project, schema: str, only: list[int] | None = None
) -> Iterator[tuple[str, str]]:
    """Yield key and hash of every routine: the header and the tokens of its body."""
    kinds = {name: kind for kind, names in project.special.items() for name in names}
    for row in _rows(connection, _ROUTINES, schema=schema, only=only, special=Jsonb(kinds)):
        settled = _settled(connection, row, partial(_reload_routine, connection)) if row["settles"] else row
        yield _key(row), digest(settled["header"], settled["body"], scans=row["scans"], by=algorithm(project))


def _reload_routine(connection: Connection, row: Row) -> Row:
    """Make a routine in the temporary schema; return its row with the texts that the server writes there."""
    made = SQL("CREATE {} {}").format(SQL(row["word"]), Identifier("pg_temp", row["header"]["name"]))
    connection.execute(made + SQL(row["definition"]), prepare=False)
    (again,) = _rows(connection, _ROUTINES, schema="pg_temp", only=None, special=Jsonb({}))
    return row | {part: again[part] for part in ("header", "body", "definition")}


def _relations(scratch: "_Scratch") -> Iterator[tuple[str, str]]:
    """Yield key and hash of every table and view: its columns with their defaults, and a view's query."""
    for row in _rows(scratch.connection, _RELATIONS, schema=scratch.schema):
        query = row["query"] and _settled(
            scratch.connection, row["query"], partial(_reload_query, scratch.connection, row["relation"])
        )
        columns = [_column(scratch, row["relation"], column) for column in row["columns"] or ()]
        yield _key(row), digest(row["header"], ",\n".join([*columns, *filter(None, [query])]), by=scratch.by)


def _reload_query(connection: Connection, name: str, query: str) -> str:
    """Make a view in the temporary schema; return its query as the server writes it."""
    view = Identifier("pg_temp", name)
    connection.execute(SQL("CREATE VIEW {} AS ").format(view) + SQL(query), prepare=False)
    return _text(connection, SQL("SELECT pg_get_viewdef({}::regclass)").format(view.as_string(connection)))


def _column(scratch: "_Scratch", relation: str, column: Row) -> str:
    """Return a column as it is declared, with its default or what it is generated from."""
    if column["expression"] is None:
        return str(column["declared"])
    reload = _reload_generated if column["generated"] else _reload_default
    settled = _settled(
        scratch.connection, column["expression"], partial(reload, scratch.connection, scratch.table(relation), column)
    )
    return f"{column['declared']} DEFAULT {settled}"


def _reload_default(connection: Connection, table: Identifier, column: Row, expression: str) -> str:
    """Give a scratch column a default; return it as the server writes it."""
    changed = SQL("ALTER TABLE {} ALTER COLUMN {} SET DEFAULT ").format(table, Identifier(column["name"]))
    connection.execute(changed + SQL(expression), prepare=False)
    return _default(connection, table, column["name"])


def _reload_generated(connection: Connection, table: Identifier, column: Row, expression: str) -> str:
    """Generate one more scratch column; return from what, as the server writes it."""
    # Beside the column itself, which is a plain one here: what is generated cannot read what is generated.
    name = f"{column['name'][:40]} generated"
    added = SQL("ALTER TABLE {} ADD {} {} GENERATED ALWAYS AS (").format(table, Identifier(name), SQL(column["type"]))
    connection.execute(added + SQL(expression) + SQL(") STORED"), prepare=False)
    return _default(connection, table, name)


def _default(connection: Connection, table: Identifier, column: str) -> str:
    query = SQL(
        "SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d JOIN pg_attribute a"
        " ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE d.adrelid = {}::regclass AND a.attname = {}"
    )
    return _text(connection, query.format(table.as_string(connection), column))


def _parts(scratch: "_Scratch", query: LiteralString) -> Iterator[tuple[str, str]]:
    """Yield key and hash of every constraint, index, trigger, rule or policy."""
    for row in _rows(scratch.connection, query, schema=scratch.schema):
        text = row["text"]
        if row["settles"]:
            table = scratch.table(row["relation"])
            text = _settled(scratch.connection, text, partial(_reload_part, scratch.connection, table, row))
        yield _key(row), digest(row["header"], text, by=scratch.by)


def _reload_part(connection: Connection, table: Identifier, row: Row, text: str) -> str:
    """Load a part onto the scratch table; return what the server writes of it there, said of its own relation."""
    before, own, after = _around_relation(text, _RELATION_AFTER.get(row["kind"]))
    how = SQL(_LOAD[row["kind"]]).format(
        table=table, name=Identifier(row["name"]), before=SQL(before), after=SQL(after)
    )
    connection.execute(how, prepare=False)
    asked = SQL(_REWRITTEN[row["kind"]]).format(table=table.as_string(connection), name=row["name"])
    before, _, after = _around_relation(_text(connection, asked), _RELATION_AFTER.get(row["kind"]))
    return before + own + after


def _around_relation(text: str, word: str | None) -> tuple[str, str, str]:
    """Cut a text before and after the relation that follows the first keyword ``word``; without one, at its start."""
    from pgcontract.scanner import scan

    if word is None:
        return "", "", text
    scanned = list(scan(text))
    raw = [text[token.start : token.end + 1] for token in scanned]
    first = raw.index(word) + 1
    first += raw[first] == "ONLY"
    last = first + 2 if raw[first + 1] == "." else first
    start, end = scanned[first].start, scanned[last].end + 1
    return text[:start], text[start:end], text[end:]


def _settled(connection: Connection, text: State, reload: Callable[[State], State]) -> State:
    """Return what the server writes when it is given its own text, again and again until that no longer changes."""
    for _ in range(_ROUNDS):
        with connection.transaction(force_rollback=True):
            again = reload(text)
        if again == text:
            return text
        text = again
    raise RuntimeError(f"the server's text is not stable: {text}")


class _Scratch:
    """Tables of the temporary schema with the names and columns of a schema's relations, made when first asked for."""

    def __init__(self, connection: Connection, project: Project, schema: str) -> None:
        self.connection = connection
        self.by = algorithm(project)
        self.schema = schema
        self._made: set[str] = set()

    def table(self, name: str) -> Identifier:
        table = Identifier("pg_temp", name)
        if name not in self._made:
            like = SQL("CREATE TABLE {} (LIKE {})").format(table, Identifier(self.schema, name))
            self.connection.execute(like, prepare=False)
            self._made.add(name)
        return table


def _rows(connection: Connection, query: LiteralString, **parameters: Any) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, parameters).fetchall()


def _text(connection: Connection, query: Composed) -> str:
    (row,) = connection.execute(query, prepare=False).fetchall()
    return str(row[0])


def _key(row: Row) -> str:
    return f"{row['kind']} {row['object']}"
