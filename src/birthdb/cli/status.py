"""What is governed, and what needs action."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, LiteralString

import typer
from psycopg.rows import dict_row

from birthdb import api, gate
from birthdb.api import Connection
from birthdb.cli.console import (
    ATTENTION,
    FINE,
    out,
    print_json,
    print_lines,
    show,
    show_page,
    styled,
    styled_line,
    working,
)
from birthdb.cli.options import Json, Url, app, database, has
from birthdb.plain import value
from birthdb.release import attest as attesting


class Severity(StrEnum):
    """How urgent an item of v_birth_attention is, the worst first; never is not a severity, and fails on nothing."""

    NEVER = "never"
    CRITICAL = "critical"
    WARNING = "warning"
    NOTICE = "notice"


_STYLES = {Severity.CRITICAL: "bold red", Severity.WARNING: "bold"}


#: What fits on a screen.
_COLLECTIONS_SHOWN, _ITEMS_SHOWN = 20, 10


#: Of each collection what a person looks for first. Above a million births counting takes seconds, and the last census
#: on record has to do; what is written here of the table is the planner's.
_COLLECTIONS: LiteralString = """
WITH counted AS MATERIALIZED (
  SELECT b.collection_name, pg_catalog.count(*) AS births FROM birth.birth_registry b
  WHERE (SELECT c.reltuples FROM pg_catalog.pg_class c
         WHERE c.oid OPERATOR(pg_catalog.=) 'birth.birth_registry'::pg_catalog.regclass)
    OPERATOR(pg_catalog.<) 1000000
  GROUP BY 1
), census AS (
  SELECT DISTINCT ON (a.collection_name) a.collection_name, a.acted_at, (a.detail OPERATOR(pg_catalog.->>) 'births')
           ::pg_catalog.int8 AS births,
         NOT a.detail OPERATOR(pg_catalog.@>) '{"checks": [{"pass": false}]}' AS pass
  FROM birth.birth_act a WHERE a.act OPERATOR(pg_catalog.=) 'census'
  ORDER BY a.collection_name, a.acted_at DESC
)
SELECT r.collection_name AS collection,
       CASE WHEN r.coverage_status OPERATOR(pg_catalog.~) '^BIRTH_EXEMPT' THEN 'exempt'
            WHEN r.coverage_status OPERATOR(pg_catalog.<>) 'BIRTH_REQUIRED' THEN 'deferred'
            WHEN r.gate_closed THEN 'closed'
            WHEN NOT EXISTS (SELECT FROM birth.v_birth_gateway_trigger g WHERE g.enabled
              AND g.collection_name OPERATOR(pg_catalog.=) r.collection_name) THEN 'no gateway'
            ELSE r.gateway_mode END AS mode,
       r.coverage_status, t.rows_estimate,
       CASE WHEN (SELECT c.reltuples FROM pg_catalog.pg_class c
                  WHERE c.oid OPERATOR(pg_catalog.=) 'birth.birth_registry'::pg_catalog.regclass)
              OPERATOR(pg_catalog.<) 1000000 THEN coalesce(k.births, 0) ELSE n.births END AS births,
       n.acted_at AS census_at, n.pass AS census_pass
FROM birth.collection_registry r
LEFT JOIN counted k ON k.collection_name OPERATOR(pg_catalog.=) r.collection_name
LEFT JOIN census n ON n.collection_name OPERATOR(pg_catalog.=) r.collection_name
LEFT JOIN LATERAL (
  SELECT pg_catalog.sum(l.reltuples) FILTER (WHERE l.reltuples OPERATOR(pg_catalog.>=) 0)::pg_catalog.int8
           AS rows_estimate
  FROM pg_catalog.pg_namespace s
  JOIN pg_catalog.pg_class c ON c.relnamespace OPERATOR(pg_catalog.=) s.oid
    AND c.relname OPERATOR(pg_catalog.=) r.table_name
  CROSS JOIN LATERAL (
    SELECT p.relid FROM pg_catalog.pg_partition_tree(c.oid) p WHERE p.isleaf
    UNION SELECT c.oid WHERE c.relkind OPERATOR(pg_catalog.<>) 'p'
  ) p(relid)
  JOIN pg_catalog.pg_class l ON l.oid OPERATOR(pg_catalog.=) p.relid
  WHERE s.nspname OPERATOR(pg_catalog.=) r.schema_name
) t ON true
ORDER BY r.collection_name
"""


def released(conn: Connection) -> dict[str, list[api.Row]]:
    """Return the release and what is known at every release; raises NotReleased where there is none."""
    release = attesting.current(conn)
    with api.refusals(), conn.cursor(row_factory=dict_row) as cursor:
        known = cursor.execute(_COLLECTIONS).fetchall()
    return {"release": [{"release": release}], "collections": known}


def _released(conn: Connection) -> dict[str, list[api.Row]]:
    """Return the release and what is known at every release; raises NotReleased where there is none."""
    release = attesting.current(conn)
    with api.refusals(), conn.cursor(row_factory=dict_row) as cursor:
        known = cursor.execute(_COLLECTIONS).fetchall()
    return {"release": [{"release": release}], "collections": known}


@app.command(rich_help_panel="Every day")
def status(
    everything: Annotated[
        bool, typer.Option("--all", help="Every collection and item, and dots, releases, runs, event triggers, gate.")
    ] = False,
    fail_on: Annotated[Severity, typer.Option("--fail-on", help="The least that exits 1.")] = Severity.WARNING,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write it as one page.")] = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Show the collections, and what needs action: ten items at most, each with the statement to send next.

    Rows of a collection are PostgreSQL's estimate; births of a registry beyond a million are those of the last census
    on record. Exits 1 when something needs action, from a warning up, or as --fail-on says.
    """
    with database(url, as_json) as conn, working("reading", as_json):
        found = _released(conn)
        where = f"Made {value(datetime.now(UTC))}, database {conn.info.dbname} as {conn.info.user}"
        found |= {
            title: api.view(conn, name)
            for title, name in (
                ("dots", "v_birth_dot_status"),
                ("releases", "v_birth_release_history"),
                ("runs", "v_birth_run_progress"),
                ("attention", "v_birth_attention"),
                ("event triggers", "v_birth_event_trigger"),
            )
            if has(conn, found, name)
        }
        if has(conn, found, "v_birth_gate"):
            found["gate"] = gate.enforcement(conn)
        if has(conn, found, "v_birth_life"):
            # Of the others nothing is recorded or counted.
            lives = api.view(conn, "v_birth_life")
            found["lives"] = [life for life in lives if life["life_mode"] != "off" or life["counted_at"]]
    items = found.get("attention", [])
    if html is not None:
        from birthdb.page import dashboard

        show_page(dashboard(found, where), html, as_json)
    elif as_json:
        print_json(found)
    else:
        _show_status(found, everything)
    ranks = list(Severity)
    fails = any(ranks.index(Severity(item["severity"])) <= ranks.index(fail_on) for item in items)
    raise typer.Exit(ATTENTION if fails else FINE)


def _show_status(found: Mapping[str, Sequence[api.Row]], everything: bool) -> None:
    """Print the collections, what runs, and what needs action, the worst first; with ``everything`` the rest too."""
    for name in ("release", "missing"):
        print_lines(found.get(name, ()))
    collections, items = found["collections"], found.get("attention", ())
    most = len(collections) if everything else _COLLECTIONS_SHOWN
    show({"collections": [_of_status(row) for row in collections[:most]]}, False)
    if len(collections) > most:
        out.print(styled(f"{len(collections) - most} more collections: --all", style="dim"))
    if running := [row for row in found.get("runs", ()) if row["status"] == "running" and not row["interrupted"]]:
        columns = ("collection_name", "rows_done", "rows_target", "percent", "remaining")
        show({"running": [{name: row[name] for name in columns} for row in running]}, False)
    most = len(items) if everything else _ITEMS_SHOWN
    for item in items[:most]:
        out.print(styled_line(f"{item['severity']}: {item['what']}", style=_STYLES.get(item["severity"], "")))
        if item["next_step"]:
            step = str(item["next_step"])
            # A definition is for repair to send.
            out.print(styled(f"    next: {'birthdb repair' if len(step.splitlines()) > 1 else step}"))
    if len(items) > most:
        out.print(styled(f"{len(items) - most} more need action: --all", style="dim"))
    if absent := [row for row in found.get("event triggers", ()) if row["state"] != "present"]:
        out.print(styled(f"event triggers: {len(absent)} not active; what is not noticed: --all", style="dim"))
    if everything:
        shown = ("release", "missing", "collections", "attention")
        show({title: rows for title, rows in found.items() if title not in shown}, False)
    said = ", ".join(f"{len(group)} {each}" for each in Severity if (group := _ranked(items, each)))
    out.print(styled(f"needs action: {said or 'nothing'}", style="bold"))


def _ranked(items: Sequence[api.Row], severity: str) -> list[api.Row]:
    return [item for item in items if item["severity"] == severity]


def _of_status(row: api.Row) -> dict[str, Any]:
    """Return what a person reads first of a collection."""
    estimate, births = row["rows_estimate"], row["births"]
    census = "never" if row["census_at"] is None else value(row["census_at"])
    passed = {True: " PASS", False: " FAIL"}.get(row["census_pass"], "")
    return {
        "collection": row["collection"],
        "mode": row["mode"],
        "rows": "" if estimate is None else f"~{estimate}",
        "births": births,
        "last census": census + passed,
    }
