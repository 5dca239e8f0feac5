"""Offline audit of a run: from an export alone, or from an export and the current database.

An export is the output of ``birthdb evidence RUN``, with ``--births`` or without. The audit compares its records with
each other (seals, receipts, ledger, permits, verdicts, acts, births) and with the checks that the database makes before
it writes. To forge one record, a superuser has to forge the others too. If the seal of the last receipt was noted
elsewhere when the run ended, it reveals every rewritten receipt and birth; an export kept elsewhere reveals every other
changed row.
Specification: 6, 6.1 R11.
"""

import json
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from birthdb.api import Connection
from birthdb.audit import admitted, death, evidence, shape, transition
from birthdb.audit.evidence import Finding, Unreadable
from birthdb.audit.fingerprint import Fingerprint, codec_of, hasher, sum_of

Row = dict[str, Any]
Proof = Callable[[], tuple[object, object]]

#: The purposes whose runs write a line each, births or deaths; runs of the others have none.
_BEARING = frozenset(["APPLY", "DEATH"])

#: What is found of births that an export does not have.
UNCHECKED = "not checked: they are not in this export, which was made without --births"

#: What a birth has of its run.
_OF_THE_RUN = ("run_id", "collection_name", "dot_origin")

#: Of what differs in the same way, no more rows are named.
_NAMED = 20

#: Columns of the ledger row that a continued run may change; before the start also its target.
_MOVING = frozenset(
    [
        "status",
        "stop_reason",
        "dry_run",
        "permit_id",
        "executed_by",
        "epoch",
        "holder_pid",
        "contract_token",
        "batches",
        "visited",
        "actual_inserted",
        "skipped",
        "blocked",
        "written_fingerprint",
        "resume_marker",
        "started_at",
        "last_batch_at",
        "finished_at",
        "compensating_since",
        "compensated_rows",
    ]
)
_TARGET = frozenset(
    [
        "max_rows",
        "expected_delta",
        "target_upper",
        "target_fingerprint",
        "accepted_orphans",
        "alerts_before",
        "dot_origin",
    ]
)
#: What an open permit may change until it is closed.
_SPENDING = frozenset(["status", "spent_rows", "confirmed_at", "confirmed_by", "closed_at"])


@dataclass(frozen=True)
class Export:
    """A document and an iterator over its births, which can be restarted; None if the export has no births."""

    document: Row
    births: Callable[[], Iterator[Row]] | None = None
    #: What the lines came to and what the closing line says, once the births were read to their end.
    closing: Callable[[], tuple[object, object]] | None = None


def read(file: Path) -> Export:
    """Return the export in a file; births are read line by line. Raises Unreadable, OSError."""
    with file.open("rb") as lines:
        first = lines.readline()
    if _begins_births(first):
        births = _Lines(file)
        return Export(evidence.parsed(first, file), births.__iter__, births.closing)
    document = evidence.read(file)
    if document.get("kind") == "all":
        raise Unreadable(f"{file} is an export of everything: birthdb evidence --check")
    return Export(document)


def _begins_births(line: bytes) -> bool:
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and document.get("kind") == "births"


@contextmanager
def live(conn: Connection, run: UUID) -> Iterator[Export]:
    """Yield the current state of the run in the database. Raises LookupError for an unknown run."""
    with evidence.one_moment(conn):
        document = evidence.records(conn, run)
        yield Export(document, lambda: map(json.loads, evidence.births_of(conn, run)))


class _Lines:
    """The births of a file, between the document's line and the closing one."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._came_to: tuple[object, object] = ("", "")

    def __iter__(self) -> Iterator[Row]:
        summed, births, closing = sha256(), -1, None
        with self._file.open("rb") as lines:
            for line in lines:
                row = self._row(line)
                if births >= 0 and "entity_code" not in row:
                    closing = row if not lines.readline() else {"births": "lines after the closing one"}
                    break
                summed.update(line)
                births += 1
                if births:
                    if fault := shape.fault(row, shape.line(row), f"line {births + 1}"):
                        raise Unreadable(f"{self._file} is no export: {fault}")
                    yield row
        found = {"births": births, "sha256": summed.hexdigest()}
        self._came_to = found, closing or "a closing line"

    def _row(self, line: bytes) -> Row:
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as exc:
            raise Unreadable(f"a line of {self._file} cannot be read as JSON: {exc}") from exc
        if not isinstance(row, dict):
            raise Unreadable(f"a line of {self._file} is no object")
        return row

    def closing(self) -> tuple[object, object]:
        return self._came_to


def check(export: Export, head: str | None = None) -> list[Finding]:
    """Compare an export's records with each other, and with the last seal as it was noted; needs no database."""
    document = export.document
    run, receipts = document["run"], sorted(document["receipts"], key=lambda row: int(row["batch_no"]))
    written = [row for row in receipts if row["purpose"] != "COMPENSATE"]
    found = evidence.check(document)

    def compare(what: str, proof: Proof) -> None:
        found.append(evidence.finding(what, proof))

    if head is not None:
        compare("head", lambda: _head(receipts, head))
    compare("receipts carry the origin of the run", lambda: _origins(run, receipts))
    compare("receipts go on where the one before ended", lambda: _ranges(run, written))
    compare("rows visited and skipped", lambda: _visited(run, written))
    for permit in document["permits"]:
        compare(f"permit {permit['permit_id']}", partial(_spent, permit, receipts))
    compare("every receipt has its permit", lambda: (_permits(receipts), _permits(document["permits"], receipts)))
    compare("acts behind plan, verdicts and permits", lambda: (_acted(document["acts"]), _recorded(document)))
    compare("attempts behind epochs and receipts", lambda: _attempts(run, receipts, document["acts"]))
    compare("outcome", lambda: _outcome(run, document["acts"]))
    found += admitted.check(document)
    found += transition.check(document)
    if export.births is None:
        found.append({"check": "births", "found": UNCHECKED, "expected": UNCHECKED, "ok": True})
    else:
        found += _births(export, receipts)
    return found


def _head(receipts: Sequence[Row], head: str) -> tuple[object, object]:
    seals = [row["sha256"] for row in receipts]
    if seals and seals[-1] != head and head in seals:
        return f"the seal of receipt {seals.index(head) + 1}, and {len(seals)} receipts", f"{head} of the last receipt"
    return (seals or ["no receipt"])[-1], head


def _origins(run: Row, receipts: Sequence[Row]) -> tuple[object, object]:
    sealed = {row["dot_origin"] for row in receipts}
    return sorted(sealed), sorted(sealed and {run["dot_origin"]})


def _ranges(run: Row, written: Sequence[Row]) -> tuple[object, object]:
    marker = None
    for row in written:
        if row["key_after"] != marker:
            return f"receipt {row['batch_no']} after {row['key_after']}", f"after {marker}"
        marker = row["key_to"]
    return f"up to {marker}", f"up to {run['resume_marker']}"


def _visited(run: Row, written: Sequence[Row]) -> tuple[object, object]:
    for row in written:
        if row["visited"] != row["written"] + row["skipped"]:
            return f"receipt {row['batch_no']} visited {row['visited']}", f"{row['written']} + {row['skipped']}"
    return (run["visited"], run["skipped"]), (sum(r["visited"] for r in written), sum(r["skipped"] for r in written))


def _spent(permit: Row, receipts: Sequence[Row]) -> tuple[object, object]:
    spent = [row for row in receipts if row["permit_id"] == permit["permit_id"]]
    for row in spent:
        if row["purpose"] != permit["purpose"]:
            return f"receipt {row['batch_no']} of purpose {row['purpose']}", f"purpose {permit['purpose']}"
        # Both are UTC and of one form, so that their texts have the order of the times.
        if row["born_at"] >= permit["expires_at"]:
            return f"receipt {row['batch_no']} at {row['born_at']}", f"before {permit['expires_at']}"
    return f"{permit['spent_rows']} rows spent", f"{sum(row['written'] for row in spent)} rows spent"


def _permits(rows: Sequence[Row], receipts: Sequence[Row] | None = None) -> list[int]:
    used = {row["permit_id"] for row in (rows if receipts is None else receipts)}
    return sorted({row["permit_id"] for row in rows} & used)


def _acted(acts: Sequence[Row]) -> list[str]:
    """What the acts say of records that a person made."""
    texts: dict[str, Callable[[Row], str]] = {
        "plan": lambda act: "plan",
        "review": lambda act: _said(act["detail"], act["reason"]),
        "permit_open": lambda act: _terms(act | act["detail"]),
        "permit_confirm": lambda act: f"permit {act['permit_id']}",
    }
    return sorted(f"{act['act']} by {act['actor']}: {texts[act['act']](act)}" for act in acts if act["act"] in texts)


def _recorded(document: Row) -> list[str]:
    """The same, of the records themselves."""
    permits, verdicts = document["permits"], document["verdicts"]
    return sorted(
        [
            f"plan by {document['run']['planned_by']}: plan",
            *(f"review by {v['reviewed_by']}: {_said(v, v['findings'])}" for v in verdicts),
            *(f"permit_open by {p['opened_by']}: {_terms(p)}" for p in permits),
            *(f"permit_confirm by {p['confirmed_by']}: permit {p['permit_id']}" for p in permits if p["confirmed_by"]),
        ]
    )


def _said(verdict: Row, findings: str) -> str:
    return f"{verdict['verdict']} {verdict['purpose']}, takes back {verdict['supersedes']}: {findings}"


def _terms(permit: Row) -> str:
    # An act has the time as the session told it that opened the permit.
    until = datetime.fromisoformat(permit["expires_at"]).astimezone(UTC)
    return f"permit {permit['permit_id']} {permit['purpose']} {permit['max_rows']} rows, {until}: {permit['reason']}"


def _attempts(run: Row, receipts: Sequence[Row], acts: Sequence[Row]) -> tuple[object, object]:
    attempts = {
        act["epoch"]: (act["actor"], act["permit_id"], act["detail"]["purpose"])
        for act in acts
        if act["act"] == "attempt"
    }
    epoch = 0
    for row in receipts:
        made = row["written_by"], row["permit_id"], row["purpose"]
        if row["epoch"] < epoch or attempts.get(row["epoch"]) != made:
            return f"receipt {row['batch_no']} of epoch {row['epoch']}: {made}", f"{attempts.get(row['epoch'])}"
        epoch = row["epoch"]
    stood = attempts.keys() | {act["epoch"] for act in acts if act["act"] == "takeover"}
    return f"epochs {sorted(stood)}", f"epochs {list(range(1, run['epoch'] + 1))}"


def _outcome(run: Row, acts: Sequence[Row]) -> tuple[object, object]:
    told = {act["detail"].get("status") for act in acts if act["act"] == "outcome" and act["epoch"] == run["epoch"]}
    over = {"done", "compensated"}
    return f"acts tell {sorted(told & over)}", f"acts tell {sorted({run['status']} & over)}"


# --- births


def _births(export: Export, receipts: Sequence[Row]) -> Iterator[Finding]:
    """Compare births with receipts: in total, and batch by batch unless births were compensated."""
    run, database = export.document["run"], export.document["database"]
    codec = codec_of(database["encoding"])
    known = evidence.finding(
        "births can be hashed here", lambda: (hasher(1)(b"birthdb") if codec else "no", database["hashed"])
    )
    yield known
    if codec is None or not known["ok"] or export.births is None:
        return
    times = frozenset(row["born_at"] for row in receipts if row["purpose"] == run["purpose"])
    gone = death.dropped(export.document)
    strange: list[str] = []
    by_time: dict[str, Fingerprint] = {}

    def everything() -> tuple[object, object]:
        by_time.update(_by_time(export.births() if export.births else (), run, codec, times, strange))
        return sum_of([*by_time.values(), gone]), _left(receipts if run["purpose"] in _BEARING else ())

    yield evidence.finding("births are what the receipts leave", everything)
    yield evidence.finding("each birth once, of this run and collection", lambda: (_named(strange), _named([])))
    if export.closing is not None:
        yield evidence.finding("lines of the export", export.closing)
    # Of births that were removed, and of deaths whose codes lived on, the batch is not known any more.
    batched = run["purpose"] in _BEARING and not any(row["purpose"] == "COMPENSATE" for row in receipts)
    if batched and (run["purpose"] != "DEATH" or (times >= by_time.keys() and not gone.births)):
        yield from _batches(export, by_time, receipts, codec)


def _left(receipts: Iterable[Row]) -> Fingerprint:
    left = Fingerprint()
    for row in receipts:
        left = left.plus(row["fingerprint"]) if row["purpose"] != "COMPENSATE" else left.minus(row["fingerprint"])
    return left


def _by_time(
    births: Iterable[Row], run: Row, codec: str, times: Container[str], strange: list[str]
) -> dict[str, Fingerprint]:
    """Return the births' fingerprints by their time, which is their batch's; note what is not as it must be.

    Those of deaths alike. A death that a later run found again has no time any more.
    """
    hash_a, hash_b = hasher(run["seed_a"]), hasher(run["seed_b"])
    sums: dict[str, list[int]] = {}
    before = b""
    for birth in births:
        code: str = birth["entity_code"]
        if (bytes_ := code.encode()) <= before:
            strange.append(f"{code} is there twice, or out of order")
        before = bytes_
        if ("dot_origin" in birth) == (run["purpose"] == "DEATH"):
            strange.append(f"{code} is nothing that a run for {run['purpose']} writes")
        elif run["purpose"] == "DEATH":
            strange += death.strange(birth, run, times)
        else:
            strange += (f"{code} has {name} {birth[name]}" for name in _OF_THE_RUN if birth[name] != run[name])
        stored = code.encode(codec)
        total = sums.setdefault(_time(birth), [0, 0, 0])
        total[0] += 1
        total[1] += hash_a(stored)
        total[2] += hash_b(stored)
    return {time: Fingerprint(*total) for time, total in sums.items()}


def _time(line: Row) -> str:
    """Return the time of a birth or a death; of one that only an act tells of, no time."""
    time: str = line.get("born_at") or line.get("died_at") or ""
    return time


def _batches(
    export: Export, by_time: Mapping[str, Fingerprint], receipts: Sequence[Row], codec: str
) -> Iterator[Finding]:
    """Yield the batches whose births are not those of their receipt."""
    told: dict[str, Fingerprint] = {}
    names: dict[str, str] = {}
    for row in receipts:
        told[row["born_at"]] = told.get(row["born_at"], Fingerprint()).plus(row["fingerprint"])
        names[row["born_at"]] = f"receipt {row['batch_no']}, keys after {row['key_after']} to {row['key_to']}"
    for time in sorted(told.keys() | by_time.keys()):
        held, expected = by_time.get(time, Fingerprint()), told.get(time, Fingerprint())
        if held != expected:
            one_more = held.minus(expected)
            added = _code_of(export, one_more, time, codec) if one_more.births == 1 else None
            found = f"{held.births} births" + (f", {added} added" if added else "") + f": {tuple(held)}"
            wanted = f"{expected.births} births: {tuple(expected)}"
            name = names.get(time, f"no receipt, at {time}")
            yield {"check": f"births of {name}", "found": found, "expected": wanted, "ok": False}


def _code_of(export: Export, one: Fingerprint, time: str, codec: str) -> str | None:
    """Return the birth of a batch that has this fingerprint by itself."""
    hash_a, hash_b = (hasher(export.document["run"][seed]) for seed in ("seed_a", "seed_b"))
    for birth in export.births() if export.births else ():
        code: str = birth["entity_code"]
        stored = code.encode(codec)
        if (_time(birth), hash_a(stored), hash_b(stored)) == (time, one.a, one.b):
            return code
    return None


def _named(rows: Sequence[str]) -> str:
    more = f", and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
    return ", ".join(rows[:_NAMED]) + more if rows else "all of them"


# --- an export and the database now


def compare(then: Export, now: Export) -> Iterator[Finding]:
    """Yield every row changed, deleted or added since an export, including the legitimate changes of a continued run.

    A run that is on, or was continued since, has more receipts, births and acts than then, and another row in the
    ledger. What it had then, it has still, but for births that a compensation removed.
    """
    old, new = then.document, now.document
    since = old["exported_at"]
    known = {act["act_id"] for act in old["acts"]}
    went_on = old["run"]["status"] == "running" or any(
        act["act"] in ("attempt", "takeover") and act["act_id"] not in known and act["acted_at"] > since
        for act in new["acts"]
    )
    yield from _changed("ledger", [old["run"]], [new["run"]], "run_id", _may_move(old["run"], went_on=went_on))
    last = max((row["batch_no"] for row in old["receipts"]), default=0)
    yield from _changed(
        "receipt", old["receipts"], new["receipts"], "batch_no", later=lambda row: went_on and row["batch_no"] > last
    )
    yield from _changed(
        "permit",
        old["permits"],
        new["permits"],
        "permit_id",
        lambda row: _SPENDING if row["status"] == "OPEN" else frozenset(),
        later=lambda row: row["opened_at"] > since,
    )
    yield from _changed(
        "verdict", old["verdicts"], new["verdicts"], "review_id", later=lambda row: row["reviewed_at"] > since
    )
    yield from _changed(
        "transition",
        old.get("transitions", []),
        new.get("transitions", []),
        "run_id",
        lambda row: frozenset(["undone_at"] if went_on and row["undone_at"] is None else []),
        later=lambda row: went_on,
    )
    yield from _changed("act", old["acts"], new["acts"], "act_id", later=lambda row: row["acted_at"] > since)
    if then.births is not None and now.births is not None:
        fresh = [row for row in new["receipts"] if went_on and row["batch_no"] > last]
        gone = death.dropped(new).births - death.dropped(old).births
        yield from _births_since(then.births(), now.births(), fresh, gone)


def _may_move(run: Row, *, went_on: bool) -> Callable[[Row], frozenset[str]]:
    allowed = frozenset[str]()
    if went_on:
        allowed = _MOVING if run["started_at"] else _MOVING | _TARGET
    return lambda _: allowed


def _changed(
    kind: str,
    then: Iterable[Row],
    now: Iterable[Row],
    key: str,
    moving: Callable[[Row], frozenset[str]] = lambda _: frozenset(),
    later: Callable[[Row], bool] = lambda _: False,
) -> Iterator[Finding]:
    """Yield a finding for each row that is not as it was and may not be otherwise; else one for all of them."""
    old, new = ({row[key]: row for row in rows} for rows in (then, now))
    fine = True
    for name in sorted(old.keys() | new.keys()):
        was, is_ = old.get(name, {}), new.get(name, {})
        if not was and later(is_):
            continue
        columns = sorted(column for column in was.keys() | is_.keys() if was.get(column) != is_.get(column))
        if was and is_:
            columns = [column for column in columns if column not in moving(was)]
        if columns:
            fine = False
            yield _differs(f"{kind} {name}", was, is_, columns)
    if fine:
        since = sorted(new.keys() - old.keys())
        more = f", and since then {', '.join(map(str, since))}" if since else ""
        yield {
            "check": f"{kind} as exported",
            "found": f"{len(old)}{more}",
            "expected": f"{len(old)}{more}",
            "ok": True,
        }


def _differs(check: str, was: Row, is_: Row, columns: Sequence[str]) -> Finding:
    if was and is_:
        found, expected = (", ".join(f"{name} {row.get(name)}" for name in columns) for row in (is_, was))
        return {"check": check, "found": f"changed: {found}", "expected": expected, "ok": False}
    found, expected = ("removed", "as exported") if was else ("added", "not there when it was exported")
    return {"check": check, "found": found, "expected": expected, "ok": False}


def _births_since(then: Iterator[Row], now: Iterator[Row], fresh: Sequence[Row], gone: int) -> Iterator[Finding]:
    """Walk along both, which are in the order of their codes; ``fresh`` are the receipts since.

    Of deaths ``gone`` went with a downgrade since.
    """
    born = {row["born_at"] for row in fresh if row["purpose"] != "COMPENSATE"}
    to_remove = sum(row["written"] for row in fresh if row["purpose"] == "COMPENSATE") + gone
    differing: list[Finding] = []
    kept = added = removed = lived = more = 0
    for was, is_ in _side_by_side(then, now):
        kept += was == is_
        if not was and born and (_time(is_) in born or death.later(is_)):
            added += 1
        elif was and is_ and death.lived_on(was, is_):
            lived += was != is_
        elif not is_ and removed < to_remove:
            removed += 1
        elif was != is_ and len(differing) < _NAMED:
            columns = sorted(name for name in is_ if was.get(name) != is_[name])
            differing.append(_differs(f"birth {(was or is_)['entity_code']}", was, is_, columns))
        else:
            more += was != is_
    yield from differing
    if more:
        yield {"check": "birth", "found": f"{more} more differ", "expected": "as exported", "ok": False}
    counts = f"{kept}, and since then {added} written, {removed} removed" if fresh or removed else f"{kept}"
    counts += f", {lived} lived on" if lived else ""
    yield {"check": "birth as exported", "found": counts, "expected": counts, "ok": not differing}


def _side_by_side(then: Iterator[Row], now: Iterator[Row]) -> Iterator[tuple[Row, Row]]:
    """Yield the rows of one code together; an empty one where there is none."""
    was, is_ = next(then, None), next(now, None)
    while was or is_:
        one, other = (row["entity_code"].encode() if row else None for row in (was, is_))
        first = one is not None and (other is None or one <= other)
        second = other is not None and (one is None or other <= one)
        yield was if first and was else {}, is_ if second and is_ else {}
        if first:
            was = next(then, None)
        if second:
            is_ = next(now, None)
