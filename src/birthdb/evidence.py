"""What an auditor may take away: everything about one run as one document that carries its own SHA-256.

Specification: "The command line", and section 3 on downgrades that would destroy evidence.
"""

import hashlib
import json
from typing import Any, LiteralString
from uuid import UUID

from psycopg import IsolationLevel
from psycopg.sql import SQL

from birthdb import __version__, api
from birthdb.api import Connection, Row

#: The tables whose rows a downgrade refuses to destroy.
TABLES = ("birth_backfill_ledger_v2", "birth_admission_permit_v2", "birth_review", "birth_receipt")

_PARTS: dict[str, LiteralString] = {
    "verdicts": "SELECT * FROM birth.birth_review WHERE run_id = %(run)s ORDER BY reviewed_at, review_id",
    "permits": "SELECT * FROM birth.birth_admission_permit_v2 WHERE run_id = %(run)s ORDER BY permit_id",
    "receipts": "SELECT * FROM birth.birth_receipt WHERE run_id = %(run)s ORDER BY batch_no",
    "acts": "SELECT * FROM birth.birth_act WHERE run_id = %(run)s ORDER BY acted_at, act_id",
    "contract": """
        SELECT DISTINCT ON (kind, object)
               kind, object, generation, release, exact_sha256, semantic_sha256, normalized_md5, algorithm,
               server_major, released_at, released_by
        FROM birth.birth_gateway_release_registry
        ORDER BY kind, object, generation DESC""",
}
_RUN: LiteralString = "SELECT * FROM birth.birth_backfill_ledger_v2 WHERE run_id = %(run)s"


def export(conn: Connection, run: UUID) -> dict[str, Any]:
    """Return plan, verdicts, permits, receipts, acts, contract and census of one run, all of one moment.

    ``sha256`` is that of the canonical JSON of everything else. Raises LookupError for an unknown run. The connection
    must not be inside a transaction.
    """
    conn.set_isolation_level(IsolationLevel.REPEATABLE_READ)
    conn.set_read_only(True)
    try:
        with api.refusals(), conn.transaction():
            found = _as_json(conn, _RUN, run)
            if not found:
                raise LookupError(f"there is no run {run}")
            parts = {name: _as_json(conn, query, run) for name, query in _PARTS.items()}
            census = json.loads(json.dumps(api.census(conn, found[0]["collection_name"]), default=str))
    finally:
        conn.set_read_only(None)
        conn.set_isolation_level(None)
    document = {"birthdb": __version__, "run": found[0], **parts, "census": census}
    return document | {"sha256": digest(document)}


def digest(document: dict[str, Any]) -> str:
    """Return the SHA-256 of a document's canonical JSON: sorted keys, no white space, UTF-8, ``sha256`` left out."""
    content = {key: value for key, value in document.items() if key != "sha256"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def tables(conn: Connection) -> list[Row]:
    """Return table_name, rows and digest of every table of evidence: what a DBA acknowledges before a downgrade."""
    return [row for table in TABLES for row in api.rows(conn, "fn_birth_evidence", p_table=table)]


def _as_json(conn: Connection, query: LiteralString, run: UUID) -> list[dict[str, Any]]:
    # The database writes the JSON, and numbers stay as it wrote them.
    text = SQL("SELECT coalesce(pg_catalog.jsonb_agg(r), '[]')::text FROM ({}) AS r").format(SQL(query))
    row = conn.execute(text, {"run": run}).fetchone()
    return json.loads(row[0], parse_float=str) if row else []
