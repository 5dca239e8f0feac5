"""The tables of the schemas under the gate, for CI: whether each is governed (specification, 5.1).

Reads only, with the privileges of ``birth_reader``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from birthdb import api, junit
from birthdb.api import Connection, Row

#: The states that ``fn_birth_gate`` refuses in a schema whose gate enforces.
OPEN = ("UNKNOWN", "REGISTERED", "READY")


class NotGated(Exception):
    """The schema that was named is not under the gate: nothing of it would be checked."""

    def __init__(self, schema: str) -> None:
        """Name it."""
        super().__init__(f"schema {schema} is not under the gate")


@dataclass(frozen=True)
class Report:
    """The schemas under the gate, and their tables as ``v_birth_gate`` has them, by name."""

    schemas: Sequence[str]
    tables: Sequence[Row]

    @property
    def refused(self) -> list[Row]:
        """The tables that ``fn_birth_gate`` refuses."""
        return [table for table in self.tables if _refused(table)]

    @property
    def fine(self) -> bool:
        """Whether ``fn_birth_gate`` passes. A breached table takes rows already, and is left to attention."""
        return not self.refused

    def document(self) -> dict[str, Any]:
        """Return the report for machines."""
        return {"pass": self.fine, "schemas": self.schemas, "tables": self.tables}

    def lines(self) -> list[str]:
        """Return a line for each table: its state, and the statement to send next."""
        return [_line(table) for table in self.tables]

    def write_junit(self, file: Path) -> None:
        """Write the report as JUnit: a suite for each schema, a test case for each table. Raises OSError."""
        junit.write(
            file,
            "birthdb gate",
            [
                junit.Case(
                    str(table["schema_name"]),
                    str(table["table_name"]),
                    str(table["state"]) if _refused(table) else None,
                    _line(table),
                )
                for table in self.tables
            ],
        )


def report(conn: Connection, schema: str | None = None) -> Report:
    """Return the report of every schema under the gate, or of one. Raises NotGated."""
    schemas = sorted(str(scope["schema_name"]) for scope in api.view(conn, "birth_gate_scope"))
    if schema is not None and schema not in schemas:
        raise NotGated(schema)
    asked = schemas if schema is None else [schema]
    tables = [table for table in api.view(conn, "v_birth_gate") if table["schema_name"] in asked]
    return Report(asked, sorted(tables, key=lambda table: (table["schema_name"], table["table_name"])))


def enforcement(conn: Connection) -> list[Row]:
    """Return for each schema under the gate how many tables it has, and what keeps an undecided one from rows."""
    tables = api.view(conn, "v_birth_gate")
    states = {row["name"]: row["state"] for row in api.view(conn, "v_birth_event_trigger")}
    watching, watched = states["birth_guard_gate"], _listed(conn)
    return [
        {
            "schema": scope["schema_name"],
            "mode": scope["mode"],
            "tables": len(own),
            "undecided": sum(table["state"] in OPEN for table in own),
            "closed": sum(table["state"] == "CLOSED" for table in own),
            "gateway": "closes empty tables" if scope["mode"] == "enforce" else "closes none",
            "event_trigger": (
                watching if watching != "present" or scope["schema_name"] in watched else "has another list"
            ),
            "end_of_migration": "not seen from here",
        }
        for scope in api.view(conn, "birth_gate_scope")
        for own in [[table for table in tables if table["schema_name"] == scope["schema_name"]]]
    ]


def refusal(exc: BaseException, helper: str) -> str:
    """Return what a driver says of ``fn_birth_gate``, and the next step where it could not be asked.

    ``helper`` is what a database without birthdb leaves out.
    """
    # psycopg and asyncpg call it sqlstate, psycopg2 pgcode.
    match getattr(exc, "sqlstate", None) or getattr(exc, "pgcode", None):
        case "42501":
            hint = "GRANT birth_source_owner TO ...;  -- the login that migrates; by an administrator of roles"
        case "3F000" | "42883":
            hint = f"birthdb alembic upgrade head; or, for a database that is to do without birthdb, leave out {helper}"
        case _:
            return str(exc).strip()
    return f"{str(exc).strip()}\nHINT:  {hint}"


def _listed(conn: Connection) -> set[str]:
    """Return the schemas on the list of the optional event trigger, which is no part of a release."""
    there = conn.execute("SELECT pg_catalog.to_regclass('birth_guard.gated_schema') IS NOT NULL").fetchone()
    if there != (True,):
        return set()
    return {str(name) for (name,) in conn.execute("SELECT g.schema_name FROM birth_guard.gated_schema g")}


def _refused(table: Row) -> bool:
    return table["mode"] == "enforce" and table["state"] in OPEN


def _line(table: Row) -> str:
    said = f"{table['schema_name']}.{table['table_name']} is {table['state']}"
    return f"{said}: {table['next_step']}" if table["next_step"] else said
