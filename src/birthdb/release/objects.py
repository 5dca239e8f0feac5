"""The object reference, docs/reference/objects.md, from the COMMENTs of a released database."""

from typing import LiteralString

import psycopg

_TABLES: LiteralString = """
SELECT c.relname::text, obj_description(c.oid, 'pg_class'), a.attname::text, format_type(a.atttypid, a.atttypmod),
       col_description(c.oid, a.attnum)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = 'birth'::regnamespace AND c.relkind = 'r'
ORDER BY c.relname, a.attnum
"""

_VIEWS: LiteralString = """
SELECT c.relname::text, obj_description(c.oid, 'pg_class'),
       (SELECT string_agg(a.attname, ', ' ORDER BY a.attnum)
        FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0)
FROM pg_class c WHERE c.relnamespace = 'birth'::regnamespace AND c.relkind = 'v'
ORDER BY c.relname
"""

_ROUTINES: LiteralString = """
SELECT p.proname::text, pg_get_function_arguments(p.oid), obj_description(p.oid, 'pg_proc'),
       coalesce((SELECT string_agg(r.rolname, ', ' ORDER BY r.rolname)
                 FROM aclexplode(p.proacl) g JOIN pg_roles r ON r.oid = g.grantee WHERE g.grantee <> p.proowner), '')
FROM pg_proc p WHERE p.pronamespace = 'birth'::regnamespace
ORDER BY p.proname
"""


def text(connection: psycopg.Connection[tuple[str, ...]]) -> str:
    """Return the reference as Markdown: tables with their columns, views, routines with who may call them."""
    lines = ["# Reference", "", "Every object of schema `birth`, from its own comment. Generated: `make measure`.", ""]
    lines += ["## Tables", ""]
    before = ""
    for table, about, column, kind, meaning in connection.execute(_TABLES).fetchall():
        if table != before:
            lines += [
                *([""] if before else []),
                f"### {table}",
                "",
                about,
                "",
                "| column | type | |",
                "| --- | --- | --- |",
            ]
            before = table
        lines.append(f"| `{column}` | {kind} | {_cell(meaning)} |")
    lines += ["", "## Views", "", "| view | | columns |", "| --- | --- | --- |"]
    lines += [
        f"| `{view}` | {_cell(about)} | {columns} |" for view, about, columns in connection.execute(_VIEWS).fetchall()
    ]
    lines += ["", "## Routines", "", "Roles that are not named may not call it; birth_definer's own routines do.", ""]
    for routine, arguments, about, callers in connection.execute(_ROUTINES).fetchall():
        lines += [f"### {routine}", "", f"`{routine}({arguments})`", "", f"{about}", ""]
        if callers:
            lines += [f"May be called by: {callers}", ""]
    return "\n".join(lines).strip() + "\n"


def _cell(value: str) -> str:
    return value.replace("|", "\\|")
