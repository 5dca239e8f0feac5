"""A ``birthdb.toml`` written from a database, for a person to go through (specification, 4.2)."""

from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any, LiteralString

import tomlkit
from tomlkit.items import InlineTable
from tomlkit.items import Table as TomlTable

from birthdb import api
from birthdb.api import Connection
from birthdb.declared import Code, Collection, code_of, found, spelled
from birthdb.plain import line

#: Ordinary tables and partition trees of a person's own; a partition is governed with its tree.
_TABLES: LiteralString = """
SELECT n.nspname, c.relname
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
WHERE c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p}'::"char"[]) AND NOT c.relispartition
  AND c.relpersistence OPERATOR(pg_catalog.<>) 't'
  AND n.nspname OPERATOR(pg_catalog.<>) ALL ('{birth,birth_guard,pg_catalog,information_schema}')
  AND (%(schemas)s::pg_catalog.text[] IS NULL OR n.nspname OPERATOR(pg_catalog.=) ANY (%(schemas)s))
  AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend d
    WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
      AND d.objid OPERATOR(pg_catalog.=) c.oid AND d.deptype OPERATOR(pg_catalog.=) 'e')
ORDER BY 1, 2
"""


def document(
    conn: Connection,
    schemas: Sequence[str] | None = None,
    *,
    propose: bool,
    each: Callable[[int, int], None] = lambda number, of: None,
) -> str:
    """Return a ``birthdb.toml`` of what is registered; with ``propose`` of every other table of ``schemas`` too.

    A table gets the best identity that is proposed for it. One for which none is, or only a part of its key, stands
    there as a comment with the reason: that is a person's decision. ``schemas`` is all of them when it is None.
    ``each`` is told after each table its number, and how many there are.
    """
    toml = tomlkit.document()
    toml.add(tomlkit.comment("What birthdb governs here. Read by: birthdb collections diff | apply | grants"))
    toml.add(tomlkit.nl())
    collections = tomlkit.table(is_super_table=True)
    registered = {name: each.collection for name, each in found(conn).items()}
    for known in registered.values():
        if schemas is None or known.schema in schemas:
            collections.add(known.name, _entry(known))
    left: list[str] = []
    if propose:
        tables = {(known.schema, known.table) for known in registered.values()}
        found_tables = conn.execute(_TABLES, {"schemas": schemas}).fetchall()
        for number, (schema, table) in enumerate(found_tables, 1):
            each(number, len(found_tables))
            if (schema, table) in tables:
                continue
            proposed, reason = _proposed(conn, schema, table)
            if proposed is None:
                left.append(line(f"{spelled(schema, table)}: {reason}"))
                continue
            name = _name(schema, table, collections)
            entry = _entry(Collection(name, schema, table, code=proposed, mode="enforce"))
            entry.comment(line(reason))
            collections.add(name, entry)
    toml.add("collections", collections)
    if left:
        toml.add(tomlkit.nl())
        toml.add(tomlkit.comment("Undecided: give each an identity, a policy such as BIRTH_EXEMPT_LOG, or a line in"))
        toml.add(tomlkit.comment("[ignored] with the reason."))
    for undecided in left:
        toml.add(tomlkit.comment(undecided))
    return tomlkit.dumps(toml)


def _name(schema: str, table: str, taken: Container[str]) -> str:
    """Return a name that no other collection has: the table's, else with its schema, in the 63 bytes of a name."""
    name, number = table, 0
    while name in taken:
        number += 1
        ending = "" if number == 1 else f"_{number}"
        name = f"{schema}_{table}".encode()[: 63 - len(ending)].decode(errors="ignore") + ending
    return name


def _proposed(conn: Connection, schema: str, table: str) -> tuple[Code | None, str]:
    best = api.identity_propose(conn, schema, table)[0]
    if best["strategy"] is None or "p_part_of_key" in best["next_step"]:
        return None, best["reason"]
    if best["template"] is None:
        return Code(best["column"]), best["reason"]
    if best["strategy"] == "synthetic_id" and best["column"] is not None:
        # Prefix and column as they are: either may hold what means something in a template.
        column = best["column"]
        return Code(column, best["template"].removesuffix(f"{{{column}}}")), best["reason"]
    return code_of(best["template"]), best["reason"]


def _entry(collection: Collection) -> TomlTable:
    """Return a collection as the file has it, without what the defaults say anyway."""
    entry = tomlkit.table()
    entry.add("table", spelled(collection.schema, collection.table))
    code = collection.code
    if code is not None and not collection.exempt:
        written = code.text or {"column": code.column} | ({"prefix": code.prefix} if code.prefix else {})
        entry.add("code", tomlkit.item(written) if isinstance(written, str) else _inline(written))
    bare = Collection(collection.name, collection.schema, collection.table)
    compared = ["policy", "governed"]
    if not collection.exempt:
        compared += ["part_of_key", "mode", "life", "life_column", "life_dead"]
    for name in compared:
        value = getattr(collection, name)
        if value != getattr(bare, name):
            entry.add(name, list(value) if isinstance(value, tuple) else value)
    return entry


def _inline(values: Mapping[str, Any]) -> InlineTable:
    table = tomlkit.inline_table()
    table.update(values)
    return table
