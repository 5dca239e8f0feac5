"""What a reviewer has to know of a run, and what an auditor wants to see of it afterwards."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from birthdb import api
from birthdb.api import Connection, Row
from birthdb.audit import evidence
from birthdb.declared import spelled
from birthdb.errors import BirthError
from birthdb.page.sections import Page, Section
from birthdb.plain import value

#: The plan of the same collection and purpose before this one.
_BEFORE: LiteralString = """
SELECT * FROM birth.birth_backfill_ledger_v2 l
WHERE l.collection_name OPERATOR(pg_catalog.=) %(collection_name)s AND l.purpose OPERATOR(pg_catalog.=) %(purpose)s
  AND l.planned_at OPERATOR(pg_catalog.<) %(planned_at)s
ORDER BY l.planned_at DESC LIMIT 1
"""
_COLLECTION: LiteralString = """
SELECT * FROM birth.collection_registry r WHERE r.collection_name OPERATOR(pg_catalog.=) %(collection_name)s
"""
_ACTS: LiteralString = """
SELECT a.acted_at, a.act, a.actor, a.reason, a.detail FROM birth.birth_act a
WHERE a.lineage OPERATOR(pg_catalog.=) %(lineage)s ORDER BY a.acted_at
"""
#: The last act of one kind on a collection.
_LAST_ACT: LiteralString = """
SELECT a.acted_at, a.actor, a.detail FROM birth.birth_act a
WHERE a.collection_name OPERATOR(pg_catalog.=) %(collection_name)s AND a.act OPERATOR(pg_catalog.=) %(act)s
ORDER BY a.acted_at DESC LIMIT 1
"""
_RELEASES: LiteralString = """
SELECT r.release, r.released_at, r.released_by FROM birth.v_birth_release_history r
WHERE r.released_at OPERATOR(pg_catalog.>) %(planned_at)s ORDER BY r.released_at
"""
_ATTENTION: LiteralString = """
SELECT a.severity, a.what, a.next_step FROM birth.v_birth_attention a
WHERE a.severity OPERATOR(pg_catalog.=) 'critical'
  -- A name is found as words: b is not in "run of a_b".
  OR pg_catalog.strpos(pg_catalog.concat(' ', pg_catalog.translate(a.what, ':;,', '   '), ' '),
       pg_catalog.concat(' ', pg_catalog.translate(%(collection_name)s, ':;,', '   '), ' ')) OPERATOR(pg_catalog.>) 0
    -- That it waits for its verdict is why the page is read.
    AND NOT (a.severity OPERATOR(pg_catalog.=) 'notice'
             AND pg_catalog.strpos(a.what, %(run_id)s) OPERATOR(pg_catalog.>) 0)
"""
#: Bytes a birth takes here with its index entries, and the fastest rate of a run that wrote enough to tell.
_COST: LiteralString = """
SELECT pg_catalog.pg_total_relation_size(c.oid) OPERATOR(pg_catalog./)
         NULLIF(GREATEST(c.reltuples, 0), 0)::pg_catalog.int8 AS bytes,
       (SELECT pg_catalog.max(l.actual_inserted OPERATOR(pg_catalog./) NULLIF(pg_catalog.date_part('epoch',
          l.finished_at OPERATOR(pg_catalog.-) l.started_at), 0))
        FROM birth.birth_backfill_ledger_v2 l
        WHERE l.status OPERATOR(pg_catalog.=) 'done' AND l.actual_inserted OPERATOR(pg_catalog.>=) 10000) AS rate
FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) 'birth.birth_registry'::pg_catalog.regclass
"""
_WRITERS: LiteralString = """
SELECT DISTINCT CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.pg_get_userbyid(x.grantee)::pg_catalog.text END
         AS name
FROM pg_catalog.pg_namespace n
JOIN pg_catalog.pg_class c ON c.relnamespace OPERATOR(pg_catalog.=) n.oid
  AND c.relname OPERATOR(pg_catalog.=) %(table_name)s
CROSS JOIN LATERAL pg_catalog.aclexplode(coalesce(c.relacl, pg_catalog.acldefault('r', c.relowner))) x
WHERE n.nspname OPERATOR(pg_catalog.=) %(schema_name)s
  AND x.privilege_type OPERATOR(pg_catalog.=) ANY ('{INSERT,UPDATE,DELETE}')
ORDER BY 1
"""

#: What a plan counts, in the words of a person.
_COUNTS = {
    "source_rows": "rows of the table",
    "existing_births": "births that exist",
    "unresolvable": "rows without a code",
    "duplicates": "rows whose code another row has too",
    "collisions": "codes that another collection owns",
    "orphans": "births without a row",
    "dead": "births that are dead",
    "planned_rows": "rows to write",
}

_VERDICT = ("reviewed_at", "reviewed_by", "purpose", "verdict", "findings", "accept_orphans")
_PERMIT = (
    "permit_id",
    "purpose",
    "status",
    "max_rows",
    "spent_rows",
    "opened_by",
    "confirmed_by",
    "expires_at",
    "reason",
)
#: The acts by which a run is signed, in the words of a person.
_SIGNS = {"review": "may still judge", "permit_open": "may still permit", "permit_confirm": "may still confirm"}


def review(conn: Connection, run_id: UUID) -> Page:
    """Return what there is to know of a run. Raises LookupError for an unknown one."""
    document = evidence.records(conn, run_id, without=("contract",))
    run: Row = document["run"]
    collection = _first(conn, _COLLECTION, run) or {}
    progress: Row = {**(api.progress(conn, run_id) or {})}
    before = _first(conn, _BEFORE, run)
    sections = (
        _asked(run, collection, progress),
        *_identity(run, before, collection),
        _numbers(run),
        *_changes(run, before),
        *_samples(conn, run),
        *_rehearsal(conn, run),
        _in_the_way(conn, run, document),
        *_expect(conn, run),
        _writers(conn, collection),
        _people(conn, run),
        *_written(conn, document),
        *_decide(run, progress),
    )
    lead = f"{run['purpose']}: {run['planned_rows']} rows of collection {run['collection_name']}, {run['status']}"
    where = f"database {document['database']['name']}, PostgreSQL {document['database']['server']}"
    made = f"Made {value(datetime.fromisoformat(document['exported_at']))} by {document['exported_by']}, {where}"
    return Page(f"Run {run_id}", lead, sections, f"{made}, release {document['release']}")


def _asked(run: Row, collection: Row, progress: Row) -> Section:
    facts = {
        "collection": run["collection_name"],
        "table": spelled(collection["schema_name"], collection["table_name"]) if collection else None,
        "purpose": run["purpose"],
        "wanted": run.get("wanted"),
        "status": run["status"] if not run["stop_reason"] else f"{run['status']}: {run['stop_reason']}",
        "planned by": run["planned_by"],
        "planned at": _moment(run["planned_at"]),
        "policy": collection.get("coverage_status"),
        "gateway mode": collection.get("gateway_mode"),
        "next step": progress.get("next_step"),
    }
    return Section("What is asked", facts=facts)


def _identity(run: Row, before: Row | None, collection: Row) -> Iterator[Section]:
    if not collection.get("birth_code_strategy"):
        return
    changed = before is not None and before["identity_hash"] != run["identity_hash"]
    said = "There is no plan before this one."
    if before is not None:
        said = f"{'CHANGED since' if changed else 'As in'} the plan of {value(before['planned_at'])}."
    facts = {
        "strategy": collection["birth_code_strategy"],
        "column": collection["birth_code_column"],
        "prefix": collection["birth_code_prefix"],
        "template": collection["birth_code_template"],
        "columns": collection["birth_code_columns"],
        "a part of the key": collection.get("birth_code_part") or None,
        "classified by": collection["classified_by"],
        "classified at": collection["classified_at"],
    }
    yield Section("How a row gets its code", [said], facts, alarm=changed)


def _numbers(run: Row) -> Section:
    if run["purpose"] == "TRANSITION":
        return Section("The numbers", ["It changes a policy: no row is counted, and no birth is written."])
    facts = {said_of: run[name] for name, said_of in _COUNTS.items()}
    if run["purpose"] == "DEATH":
        # What it writes are no births: nothing is to add up.
        facts["codes that end"] = facts.pop("rows to write")
        return Section("The numbers", facts=facts)
    parts = [run[name] for name in ("source_rows", "unresolvable", "duplicates", "collisions", "planned_rows")]
    accounted = parts[0] - sum(parts[1:]) + run["orphans"] + run["dead"]
    agree = accounted == run["existing_births"]
    equation = (
        f"{run['existing_births']} births = {parts[0]} rows - {parts[1]} without a code - {parts[2]} duplicates"
        f" - {parts[3]} collisions - {parts[4]} to write + {run['orphans']} orphans + {run['dead']} dead"
    )
    said = [equation, "It adds up." if agree else f"It does NOT add up: the right side is {accounted}."]
    return Section("The numbers", said, facts, alarm=not agree)


def _changes(run: Row, before: Row | None) -> Iterator[Section]:
    if before is None:
        return
    rows = [
        {"what": said, "plan before": before[name], "this plan": run[name], "difference": run[name] - before[name]}
        for name, said in _COUNTS.items()
        if before[name] != run[name]
    ]
    same = [] if rows else ["The counts are those of the plan before."]
    yield Section(f"Since the plan of {value(before['planned_at'])} ({before['status']})", same, rows=rows)


def _samples(conn: Connection, run: Row) -> Iterator[Section]:
    if run["purpose"] != "APPLY" or run["status"] in ("done", "compensated"):
        return
    try:
        sample = api.plan_sample(conn, run["collection_name"])
    except BirthError as exc:
        yield Section("Some of the codes", [f"{exc.sqlstate} {exc.message}", exc.hint or ""], alarm=True)
        return
    except psycopg.errors.InsufficientPrivilege:
        yield Section("Some of the codes", ["This login may not read them."], alarm=True)
        return
    keys = list(dict.fromkeys(name for row in sample for name in row["key"]))
    rows = []
    for row in sample:
        key = {f"key {name}": row["key"][name] for name in keys}
        rows.append({"which": row["kind"], "code": row["code"], **key})
    yield Section("Some of the codes, read now", [] if rows else ["No row is without its birth."], rows=rows)


def _rehearsal(conn: Connection, run: Row) -> Iterator[Section]:
    if run["purpose"] != "APPLY":
        return
    act = _first(conn, _LAST_ACT, run | {"act": "rehearse"})
    if act is None and run["status"] in ("done", "compensated"):
        return
    since = datetime.fromisoformat(run["planned_at"])
    if act is None or (run["status"] == "planned" and act["acted_at"] < since):
        said = "Nobody has rehearsed this plan. An operator or a reviewer may: it writes, proves and rolls back."
        yield Section("Rehearsal", [said], statements=[_rehearse(conn, run)])
        return
    detail = act["detail"]
    facts = {"by": act["actor"], "at": act["acted_at"], **{name.replace("_", " "): v for name, v in detail.items()}}
    yield Section("Rehearsal", facts=facts, alarm=detail.get("expected") != detail.get("written"))


def _rehearse(conn: Connection, run: Row) -> str:
    call = api.written(conn, "fn_dot_birth_qt001_rehearse", {"p_collection": run["collection_name"]})
    return f"{call}  -- an operator or a reviewer"


def _in_the_way(conn: Connection, run: Row, document: Row) -> Section:
    said = [f"{run[name]} {_COUNTS[name]}" for name in ("collisions", "duplicates", "unresolvable") if run[name]]
    releases = _all(conn, _RELEASES, run)
    said += [f"release {row['release']} by {row['released_by']} at {row['released_at']}" for row in releases]
    drift = len(document["contract_drift"])
    said += [f"the contract has drifted: {drift} differences, birthdb verify names them"] if drift else []
    items = _all(conn, _ATTENTION, run)
    said += [f"{item['severity']}: {item['what']}" for item in items]
    return Section(
        "In the way", said or ["Nothing: no collision, no drift, no release since, no attention."], alarm=bool(said)
    )


def _expect(conn: Connection, run: Row) -> Iterator[Section]:
    left = run["planned_rows"] - run["actual_inserted"]
    if left <= 0 or run["purpose"] != "APPLY":
        return
    cost = _first(conn, _COST, run) or {}
    seconds = left / cost["rate"] if cost.get("rate") else None
    facts = {
        "rows to write": left,
        "bytes to expect": left * cost["bytes"] if cost.get("bytes") else "unknown: nothing was analysed here yet",
        "seconds to expect": round(seconds, 1) if seconds else "unknown: no run of 10,000 rows was done here yet",
    }
    yield Section("Time and size to expect", facts=facts)


def _writers(conn: Connection, collection: Row) -> Section:
    names = [row["name"] for row in _all(conn, _WRITERS, collection)] if collection else []
    said = ["Superusers, and the members of these roles, go on writing the table meanwhile:", ", ".join(names)]
    return Section("Who may write meanwhile", said if names else ["No role but a superuser."])


def _people(conn: Connection, run: Row) -> Section:
    acts = _all(conn, _ACTS, run)
    rows = [{"at": act["acted_at"], "who": act["actor"], "did": act["act"], "reason": act["reason"]} for act in acts]
    if run["status"] == "compensated":
        return Section("The people", rows=rows)
    signers = api.signers(conn, UUID(str(run["run_id"])))
    facts = {
        said: [each["login"] for each in signers if each["act"] == act and not each["superuser"]] or "nobody"
        for act, said in _SIGNS.items()
    }
    most = sorted({each["login"] for each in signers if each["superuser"]})
    said = ["The run is done. Who may sign its undoing:"] if run["status"] == "done" else []
    if most:
        said.append(f"A superuser passes as a member of every role: {', '.join(most)}.")
    return Section("The people", said, facts, rows)


def _written(conn: Connection, document: Row) -> Iterator[Section]:
    run, receipts = document["run"], document["receipts"]
    if document["verdicts"]:
        yield Section("Verdicts", rows=_columns(document["verdicts"], _VERDICT))
    if document["permits"]:
        yield Section("Permits", rows=_columns(document["permits"], _PERMIT))
    if not receipts:
        return
    facts = {
        "batches": len(receipts),
        "rows written": sum(row["written"] for row in receipts if row["purpose"] != "COMPENSATE"),
        "rows removed again": sum(row["written"] for row in receipts if row["purpose"] == "COMPENSATE") or None,
        "the last seal": receipts[-1]["sha256"],
        "started": _moment(run["started_at"]),
        "finished": _moment(run["finished_at"]),
    }
    said = ["Keep the last seal elsewhere: it proves that no receipt and no birth was rewritten."]
    plot = [(datetime.fromisoformat(row["born_at"]), row["written"]) for row in receipts]
    yield Section("Receipts", said, facts, plot=plot)
    audited = api.run_audit(conn, UUID(str(run["run_id"])))
    failed = [{**row} for row in audited if not row["pass"]]
    yield Section(
        "The records with each other",
        [f"{len(audited)} checks, {len(failed)} failed"],
        rows=_columns(failed, ("check_name", "found", "expected")),
        alarm=bool(failed),
    )
    census = _first(conn, _LAST_ACT, run | {"act": "census"})
    if census:
        checks = census["detail"].get("checks", [])
        wrong = any(not check.get("pass") for check in checks)
        rows = _columns(checks, ("check", "rows", "pass"))
        yield Section(f"The last census on record, {value(census['acted_at'])}", rows=rows, alarm=wrong)


def _decide(run: Row, progress: Row) -> Iterator[Section]:
    step = progress.get("next_step") or ""
    if "fn_birth_review_record" not in step:
        return
    safe, unsafe = (step.replace("p_verdict := '...'", f"p_verdict := '{v}'") for v in ("SAFE", "NOT_SAFE_NEEDS_FIX"))
    # Who refuses accepts no number of anything.
    unsafe = re.sub(", p_accept_orphans := [0-9]+", "", unsafe)
    said = "Write what you checked and found in place of the dots."
    yield Section("Decide", [said], statements=[safe, unsafe])


def _all(conn: Connection, query: LiteralString, values: Row) -> Sequence[Row]:
    with api.refusals(), conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, values).fetchall()


def _first(conn: Connection, query: LiteralString, values: Row) -> Row | None:
    rows = _all(conn, query, values)
    return rows[0] if rows else None


def _columns(rows: Sequence[Row], names: Sequence[str]) -> list[Row]:
    return [{name: _moment(row.get(name)) if name.endswith("_at") else row.get(name) for name in names} for row in rows]


def _moment(text: str | None) -> datetime | str | None:
    """Return a time of the records, which have it as JSON has it."""
    return text and datetime.fromisoformat(text)
