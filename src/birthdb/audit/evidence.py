"""Evidence: documents that carry their own SHA-256 and can be verified without a database.

Specification: "The command line", and section 3 on downgrades that would destroy evidence.
"""

import hashlib
import json
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import chain, groupby
from pathlib import Path
from typing import Any, LiteralString, TypedDict
from uuid import UUID

from psycopg import IsolationLevel
from psycopg.sql import SQL, Composed, Identifier

from birthdb import __version__, api, target
from birthdb.api import Connection
from birthdb.audit import shape
from birthdb.plain import plain_json

#: Every table of evidence in any release, with what its rows are sorted by.
TABLES = {
    "birth_registry": "entity_code",
    "birth_act": "act_id",
    "birth_admission_permit": "permit_id",
    "birth_backfill_ledger": "run_id",
    "birth_admission_permit_v2": "permit_id",
    "birth_backfill_ledger_v2": "run_id",
    "birth_review": "review_id",
    "birth_receipt": "run_id, batch_no",
    "birth_transition": "run_id",
    "birth_death": "entity_code",
}

#: The tables that may be too large for a document: their rows only when they are asked for.
LARGE = frozenset(["birth_registry", "birth_death"])

_LEDGER = "birth_backfill_ledger_v2"
# The schema of an operator and a type is named where the path may be the caller's: outside of ``one_moment``.
_RUN: LiteralString = "SELECT * FROM birth.birth_backfill_ledger_v2 WHERE run_id OPERATOR(pg_catalog.=) %(run)s"
_PARTS: dict[str, LiteralString] = {
    "verdicts": "SELECT * FROM birth.birth_review WHERE run_id = %(run)s ORDER BY reviewed_at, review_id",
    "permits": "SELECT * FROM birth.birth_admission_permit_v2 WHERE run_id = %(run)s ORDER BY permit_id",
    "receipts": "SELECT * FROM birth.birth_receipt WHERE run_id = %(run)s ORDER BY batch_no",
    "transitions": "SELECT * FROM birth.birth_transition WHERE run_id = %(run)s",
    "acts": "SELECT * FROM birth.birth_act WHERE run_id = %(run)s ORDER BY acted_at, act_id",
    # Every recording, so that the contract of any moment, the plan's too, can be put together and hashed.
    "contract": """
        SELECT kind, object, generation, release, exact_sha256, semantic_sha256, normalized_md5, algorithm,
               server_major, released_at, released_by
        FROM birth.birth_gateway_release_registry
        ORDER BY kind, object, generation""",
    "contract_dashboard": "SELECT * FROM birth.v_birth_gateway_contract_integrity_dashboard",
    "contract_drift": "SELECT * FROM birth.v_birth_gateway_release_drift_guard WHERE NOT pass",
}
#: A part of releases from the one on that brings its table.
_SINCE = {"transitions": "birth_transition"}
#: Ordered by the bytes of the codes, so that a reader finds duplicates without keeping all codes in memory.
_BIRTHS: LiteralString = """
    SELECT pg_catalog.to_jsonb(b)::text FROM birth.birth_registry AS b WHERE b.run_id = %(run)s
    ORDER BY pg_catalog.convert_to(b.entity_code, 'UTF8')"""
#: The births of a run, its deaths, and the codes that a later run found dead again; a run has only one sort of them.
_DEATHS: LiteralString = """
    SELECT l.line::text
    FROM (
      SELECT b.entity_code, to_jsonb(b) AS line FROM birth.birth_registry AS b WHERE b.run_id = %(run)s
      UNION ALL
      SELECT d.entity_code, to_jsonb(d) || jsonb_build_object('born_in', b.collection_name)
      FROM birth.birth_death AS d LEFT JOIN birth.birth_registry AS b ON b.entity_code = d.entity_code
      WHERE d.run_id = %(run)s
      UNION ALL
      SELECT c.code, jsonb_build_object('entity_code', c.code, 'collection_name', a.collection_name,
               'born_in', b.collection_name, 'run_id', a.detail -> 'run_id', 'act_id', a.act_id)
      FROM birth.birth_act AS a CROSS JOIN LATERAL jsonb_array_elements_text(
        CASE jsonb_typeof(a.detail -> 'codes') WHEN 'array' THEN a.detail -> 'codes' ELSE '[]' END) AS c(code)
      LEFT JOIN birth.birth_registry AS b ON b.entity_code = c.code
      WHERE a.act = 'refound' AND a.detail ->> 'run_id' = %(run)s::text
    ) AS l
    ORDER BY convert_to(l.entity_code, 'UTF8')"""
_HEADER: LiteralString = """
    SELECT GREATEST(pg_catalog.clock_timestamp(), -- fn_birth_clock, calling nothing of birth
                    (SELECT pg_catalog.max(a.acted_at) FROM birth.birth_act AS a) + interval '1 microsecond')
             AS exported_at, session_user AS exported_by,
           pg_catalog.current_setting('server_version') AS server,
           pg_catalog.current_setting('server_encoding') AS encoding,
           pg_catalog.hashtextextended('birthdb', 1) AS hashed,
           (SELECT pg_catalog.string_agg(v.version_num, ', ') FROM birth.alembic_version AS v) AS release"""


class Finding(TypedDict):
    """One check: the value in the document, and the value computed from the rest of it."""

    check: str
    found: str
    expected: str
    ok: bool


def export(conn: Connection, run: UUID) -> dict[str, Any]:
    """Return plan, verdicts, permits, receipts, acts, contract and change of policy of a run, and a census after it.

    All but the census is of one snapshot. ``sha256`` is that of the canonical JSON of everything else. Raises
    LookupError for an unknown run. The connection must not be inside a transaction.
    """
    with one_moment(conn):
        document = records(conn, run)
    return _signed(document | _census(conn, document["run"]["collection_name"]))


def export_births(conn: Connection, run: UUID) -> Iterator[str]:
    """Yield the lines of an export of one run with its births: ``export``'s document, a line a birth, a closing line.

    Of a death run a line is a death. The closing line counts them and has the SHA-256 of every byte before it. They are
    streamed, in the order of the bytes of their codes, all of the document's moment. Raises LookupError for an unknown
    run. The connection must not be inside a transaction until the last line was taken.
    """
    summed, births = hashlib.sha256(), -1
    # Before that moment: the document, which holds the census too, comes first.
    census = _census(conn, _run(conn, run)["collection_name"])
    with one_moment(conn):
        document = _signed(records(conn, run) | census | {"kind": "births"})
        for line in map(plain_json, chain([json.dumps(document, ensure_ascii=False)], births_of(conn, run))):
            births += 1
            summed.update(f"{line}\n".encode())
            yield f"{line}\n"
    yield json.dumps({"births": births, "sha256": summed.hexdigest()}) + "\n"


def records(conn: Connection, run: UUID, *, without: Container[str] = ()) -> dict[str, Any]:
    """Return the records of a run as a document without a digest. Raises LookupError for an unknown run."""
    row, there = _run(conn, run), target.objects(conn)
    missing = {name for name, table in _SINCE.items() if table not in there}
    parts = {
        name: _as_json(conn, query, run)
        for name, query in _PARTS.items()
        if name not in without and name not in missing
    }
    return {**_header(conn, "run"), "run": row, **parts}


def births_of(conn: Connection, run: UUID) -> Iterator[str]:
    """Yield the births of a run, or its deaths, as JSON, a thousand at a time; inside a transaction."""
    query = _DEATHS if "birth_death" in target.objects(conn) else _BIRTHS
    # Births of a run lie side by side, which its index knows and the planner does not.
    conn.execute("SET LOCAL enable_seqscan = off")
    with conn.cursor(name="births") as cursor:
        cursor.itersize = 1000
        for row in cursor.execute(query, {"run": run}):
            yield row[0]


def export_all(conn: Connection, *, births: bool = False) -> dict[str, Any]:
    """Return all tables of evidence of the release from one snapshot: rows, their number, and their digest.

    The digest is what ``fn_birth_evidence_acknowledge`` asks a DBA for before a downgrade. Of births and deaths the
    rows are left out unless ``births``. ``sha256`` as in ``export``. The connection must not be inside a transaction.
    """
    with one_moment(conn):
        header = _header(conn, "all")
        there = {
            str(row[0])
            for row in conn.execute(
                "SELECT c.relname FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n"
                " ON n.oid = c.relnamespace WHERE n.nspname = 'birth' AND c.relkind IN ('r', 'p')"
            )
        }
        tables: dict[str, Any] = {}
        for table, order in TABLES.items():
            if table in there:
                digested = api.rows(conn, "fn_birth_evidence", p_table=table)[0]
                tables[table] = {"count": digested["rows"], "digest": digested["digest"]}
                if births or table not in LARGE:
                    tables[table]["rows"] = _rows(conn, table, order)
    return _signed({**header, "tables": tables})


def digest(document: dict[str, Any]) -> str:
    """Return the SHA-256 of a document's canonical JSON: sorted keys, no white space, UTF-8, ``sha256`` left out."""
    content = {key: value for key, value in document.items() if key != "sha256"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def seal(receipt: dict[str, Any], before: str | None) -> str:
    """Return the seal of an exported receipt, computed as ``fn_birth_receipt_seal`` does; ``before`` is the last one's.

    The input is the seal before it and a JSON array in PostgreSQL's format: a blank after each comma, UTF-8.
    """
    names = ("run_id", "batch_no", "purpose", "epoch", "permit_id", "key_after", "key_to")
    counts = ("visited", "written", "skipped", "fingerprint")
    born = datetime.fromisoformat(receipt["born_at"]) - datetime(1970, 1, 1, tzinfo=UTC)
    micros = born // timedelta(microseconds=1)
    sealed = [json.dumps(receipt[name], ensure_ascii=False) for name in (*names, *counts)]
    # The database's number has six places, which no float keeps.
    sealed.append(f"{micros // 10**6}.{micros % 10**6:06}")
    sealed += [json.dumps(receipt[name], ensure_ascii=False) for name in ("written_by", "dot_origin")]
    return hashlib.sha256(f"{before or ''}[{', '.join(sealed)}]".encode()).hexdigest()


class Unreadable(ValueError):
    """A file is no export."""


def read(file: Path) -> dict[str, Any]:
    """Return the document of a file, with its shape checked. Raises Unreadable, OSError."""
    return parsed(file.read_bytes(), file)


def parsed(text: bytes, file: Path) -> dict[str, Any]:
    """Return the document of a file or of its first line. Raises Unreadable."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise Unreadable(f"{file} cannot be read as JSON: {exc}") from exc
    whole = isinstance(document, dict) and document.get("kind") == "all"
    if fault := shape.fault(document, shape.ALL if whole else shape.RUN):
        raise Unreadable(f"{file} is no export: {fault}")
    found: dict[str, Any] = document
    return found


def check(document: Any) -> list[Finding]:
    """Recompute all values that a document of ``export`` or ``export_all`` contains; needs no database.

    That is: its SHA-256; the chain of receipts, seal by seal; receipts against the ledger, in number, births and
    fingerprint; the contract that the plan was bound to; the number of rows of each table. A forger of all of them
    could also forge the SHA-256: compare it with the one that was noted at the export.
    """
    findings: list[Finding] = []

    def compare(what: str, proof: Callable[[], tuple[object, object]]) -> None:
        findings.append(finding(what, proof))

    compare("SHA-256 of the document", lambda: (document["sha256"], digest(document)))
    if isinstance(document, dict) and document.get("kind") == "all":
        for name in document.get("tables", {}):
            if name not in LARGE or "rows" in document["tables"][name]:
                compare(f"rows of {name}", lambda name=name: _counted(document["tables"][name]))  # type: ignore[misc]
        receipts = document.get("tables", {}).get("birth_receipt", {}).get("rows", [])
        ledger = document.get("tables", {}).get(_LEDGER, {}).get("rows", [])
    else:
        compare("contract of the plan", lambda: _bound(document))
        receipts = document.get("receipts", []) if isinstance(document, dict) else []
        ledger = [document.get("run")] if isinstance(document, dict) else []
    compare("receipts without a run", lambda: (sorted(_runs(receipts) - _runs(ledger)), []))
    for run in ledger:
        name = run.get("run_id") if isinstance(run, dict) else None
        compare(f"seals of run {name}", lambda run=run: _chained(run, receipts))  # type: ignore[misc]
        compare(f"births of run {name}", lambda run=run: _written(run, receipts))  # type: ignore[misc]
    return findings


def finding(what: str, proof: Callable[[], tuple[object, object]]) -> Finding:
    """Return the finding of a check; an error while reading the values is a finding too."""
    try:
        found, expected = proof()
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as exc:
        found, expected = f"cannot be read: {type(exc).__name__} {exc}", "a document of birthdb evidence"
    return {"check": what, "found": str(found), "expected": str(expected), "ok": found == expected}


@contextmanager
def one_moment(conn: Connection) -> Iterator[None]:
    """A transaction with one snapshot for all reads, and times in UTC."""
    conn.set_isolation_level(IsolationLevel.REPEATABLE_READ)
    conn.set_read_only(True)
    try:
        with api.refusals(), conn.transaction():
            # Whoever reads the document shall not have to know this session's zone.
            conn.execute("SET LOCAL TimeZone = 'UTC'")
            conn.execute("SET LOCAL search_path = pg_catalog, pg_temp")
            yield
    finally:
        conn.set_read_only(None)
        conn.set_isolation_level(None)


def _header(conn: Connection, kind: str) -> dict[str, Any]:
    target.may_read_release(conn)
    (known,) = _as_json(conn, _HEADER, None)
    database = {"name": conn.info.dbname, "host": conn.info.host, "port": conn.info.port} | {
        name: known.pop(name) for name in ("server", "encoding", "hashed")
    }
    return {"birthdb": __version__, "kind": kind, **known, "database": database}


def _run(conn: Connection, run: UUID) -> dict[str, Any]:
    with api.refusals():
        found = _as_json(conn, _RUN, run)
    if not found:
        raise LookupError(f"there is no run {run}")
    return found[0]


def _census(conn: Connection, collection: str) -> dict[str, Any]:
    # Outside of that moment and dated by itself: it looks at the table as it is, which an old snapshot may not show.
    (dated,) = _as_json(conn, "SELECT pg_catalog.clock_timestamp() AS census_at", None)
    return dated | {"census": json.loads(json.dumps(api.census(conn, collection), default=str))}


def _signed(document: dict[str, Any]) -> dict[str, Any]:
    return document | {"sha256": digest(document)}


def _as_json(conn: Connection, query: LiteralString, run: UUID | None) -> list[dict[str, Any]]:
    return _read(conn, SQL("SELECT pg_catalog.to_jsonb(r)::pg_catalog.text FROM ({}) AS r").format(SQL(query)), run)


def _rows(conn: Connection, table: str, order: str) -> list[dict[str, Any]]:
    query = SQL("SELECT pg_catalog.to_jsonb(r)::text FROM {} AS r ORDER BY {}").format(
        Identifier("birth", table), SQL(", ").join(map(Identifier, order.split(", ")))
    )
    return _read(conn, query, None)


def _read(conn: Connection, query: Composed, run: UUID | None) -> list[dict[str, Any]]:
    # The database writes the JSON, and numbers stay as it wrote them. A row at a time: one value holds a gigabyte.
    return [json.loads(row[0], parse_float=str) for row in conn.execute(query, {"run": run})]


def _counted(table: dict[str, Any]) -> tuple[object, object]:
    # The digest begins with the number of rows.
    return (
        f"{len(table['rows'])} rows, counted {table['count']}",
        f"{table['digest'].split(':')[0]} rows, counted {len(table['rows'])}",
    )


def _runs(rows: list[dict[str, Any]]) -> set[str]:
    return {str(row["run_id"]) for row in rows}


def _of(run: dict[str, Any], receipts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(
        (each for each in receipts if each["run_id"] == run["run_id"]), key=lambda each: int(each["batch_no"])
    )


def _chained(run: dict[str, Any], receipts: list[dict[str, Any]]) -> tuple[object, object]:
    chain = _of(run, receipts)
    before: str | None = None
    for position, receipt in enumerate(chain, 1):
        if receipt["batch_no"] != position:
            return f"receipt {receipt['batch_no']}", f"receipt {position}"
        if receipt["sha256"] != (computed := seal(receipt, before)):
            return f"receipt {position}: {receipt['sha256']}", f"receipt {position}: {computed}"
        before = receipt["sha256"]
    return f"{len(chain)} receipts", f"{run['batches']} receipts"


def _written(run: dict[str, Any], receipts: list[dict[str, Any]]) -> tuple[object, object]:
    sums = {run["purpose"]: [0, 0, 0], "COMPENSATE": [0, 0, 0]}
    for purpose, group in groupby(
        sorted(_of(run, receipts), key=lambda each: str(each["purpose"])), key=lambda each: each["purpose"]
    ):
        for receipt in group:
            if receipt["written"] != receipt["fingerprint"][0]:
                return (
                    f"receipt {receipt['batch_no']}: {receipt['written']} births",
                    f"{receipt['fingerprint'][0]} births",
                )
            sums[purpose] = [a + b for a, b in zip(sums[purpose], receipt["fingerprint"], strict=True)]
    removed = sums["COMPENSATE"][0]
    told = (run["actual_inserted"], run["written_fingerprint"], run["compensated_rows"])
    return told, (sums[run["purpose"]][0], sums[run["purpose"]], removed)


def _bound(document: dict[str, Any]) -> tuple[object, object]:
    """Compare the contract hash in the plan with that of the recording it was made under."""
    bound = document["run"]["contract_hash"]
    hashes = []
    for generation in sorted({row["generation"] for row in document["contract"]}, reverse=True):
        newest = {
            (row["kind"], row["object"]): row["exact_sha256"]
            for row in sorted(document["contract"], key=lambda row: int(row["generation"]))
            if row["generation"] <= generation and row["kind"] != "claim"
        }
        # Sorted by the bytes of UTF-8, as the database does.
        ordered = sorted(newest.items(), key=lambda item: (item[0][0].encode(), item[0][1].encode()))
        text = "\n".join("\t".join((*name, sha256)) for name, sha256 in ordered if sha256 is not None)
        hashes.append(hashlib.sha256(text.encode()).hexdigest())
    return bound, bound if bound in hashes else (hashes or ["no contract"])[0]
