"""A page of every object of a released database, from its COMMENTs."""

from typing import LiteralString

import psycopg

from pgcontract.project import Project, SourceError

_TABLES: LiteralString = """
SELECT c.relname::text, obj_description(c.oid, 'pg_class'), a.attname::text, format_type(a.atttypid, a.atttypmod),
       col_description(c.oid, a.attnum)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = %s::regnamespace AND c.relkind = 'r'
ORDER BY c.relname, a.attnum
"""

_VIEWS: LiteralString = """
SELECT c.relname::text, obj_description(c.oid, 'pg_class'),
       (SELECT string_agg(a.attname, ', ' ORDER BY a.attnum)
        FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0)
FROM pg_class c WHERE c.relnamespace = %s::regnamespace AND c.relkind = 'v'
ORDER BY c.relname
"""

_ROUTINES: LiteralString = """
SELECT p.proname::text, pg_get_function_arguments(p.oid), obj_description(p.oid, 'pg_proc'),
       coalesce((SELECT string_agg(r.rolname, ', ' ORDER BY r.rolname)
                 FROM aclexplode(p.proacl) g JOIN pg_roles r ON r.oid = g.grantee WHERE g.grantee <> p.proowner), '')
FROM pg_proc p WHERE p.pronamespace = %s::regnamespace
ORDER BY p.proname
"""


def text(connection: psycopg.Connection[tuple[str, ...]], project: Project, command: str) -> str:
    """Return the reference as Markdown: tables with their columns, views, routines with who may call them.

    ``command`` is what writes the page. Raises SourceError that names each object without a COMMENT.
    """
    schema = (project.schema,)
    lines = [
        "# Reference",
        "",
        f"Every object of schema `{project.schema}`, from its own comment. Generated: `{command}`.",
        "",
    ]
    tables = connection.execute(_TABLES, schema).fetchall()
    views = connection.execute(_VIEWS, schema).fetchall()
    routines = connection.execute(_ROUTINES, schema).fetchall()
    silent = {
        *(f"TABLE {table}" for table, about, *_ in tables if about is None),
        *(f"COLUMN {table}.{column}" for table, _, column, _, meaning in tables if meaning is None),
        *(f"VIEW {view}" for view, about, _ in views if about is None),
        *(f"ROUTINE {routine}" for routine, _, about, _ in routines if about is None),
    }
    if silent:
        raise SourceError(f"no COMMENT ON {', '.join(sorted(silent))}\n    write it in the file that makes the object")
    lines += ["## Tables", ""]
    before = ""
    for table, about, column, kind, meaning in tables:
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
    lines += [f"| `{view}` | {_cell(about)} | {columns} |" for view, about, columns in views]
    lines += [
        "",
        "## Routines",
        "",
        f"Roles that are not named may not call it; {project.owner}'s own routines do.",
        "",
    ]
    for routine, arguments, about, callers in routines:
        lines += [f"### {routine}", "", f"`{routine}({arguments})`", "", f"{about}", ""]
        if callers:
            lines += [f"May be called by: {callers}", ""]
    return "\n".join(lines).strip() + "\n"


def _cell(value: str) -> str:
    return value.replace("|", "\\|")
