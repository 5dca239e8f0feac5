"""Admission audit: repeats the checks that the database makes before it writes, on an export.

Each rule yields its findings; there are none if people, verdicts, permits and times obey the rules. Times are texts in
UTC and one format, so that their text order is their time order. Times of acts, verdicts and permits never go back,
even if the server's clock did: each is later than every earlier record. The records on which a batch relies must be
older than its attempt, because the start of the attempt checks them all. ``born_at`` cannot be used for this: it is the
start of the transaction by the server's clock, and a direct call of the writer may be in a transaction that started
before the permit was opened.
Specification: 6, 6.1 R5 to R11.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Any

from birthdb.audit.evidence import Finding, finding

Row = dict[str, Any]
Rule = Callable[[Row], Iterable[str]]

_LONGEST = timedelta(hours=168)
_PART = {
    "plan": "execution",
    "attempt": "execution",
    "review": "review",
    "permit_confirm": "review",
    "permit_open": "admission",
}
_OVER = ("done", "compensated")
_STATUS = ("planned", "running", "stopped", "failed", *_OVER)
_PURPOSE = ("APPLY", "COMPENSATE", "TRANSITION", "DEATH")
#: Their verdicts accept a number of births at most, which no record counts when the run writes.
_AT_MOST = ("TRANSITION",)
#: Acts that say why.
_EXPLAINED = ("stop", "takeover", "permit_open", "permit_revoke")


def check(document: Row) -> Iterator[Finding]:
    """Yield a finding for each rule."""
    for what, rule in _RULES.items():
        yield finding(what, lambda rule=rule: ("; ".join(rule(document)) or "nothing", "nothing"))  # type: ignore[misc]


# --- the plan and its target


def _target(document: Row) -> Iterator[str]:
    """Values that constraints of the ledger forbid, and a target that differs from the plan."""
    run, permits = document["run"], {permit["permit_id"]: permit for permit in document["permits"]}
    planned, delta, written = run["planned_rows"], run["expected_delta"], run["actual_inserted"]
    target = run["target_fingerprint"]
    if run["planned_fingerprint"][0] != planned:
        yield f"planned {planned} rows, and a set of {run['planned_fingerprint'][0]}"
    if not 0 <= run["compensated_rows"] <= written <= delta <= planned:
        yield f"{run['compensated_rows']} undone of {written} written of {delta} expected of {planned} planned"
    if run["dry_run"] != (run["status"] == "planned"):
        yield f"{run['status']}, and dry_run {run['dry_run']}"
    if (run["stop_reason"] is None) == (run["status"] in ("stopped", "failed")):
        yield f"{run['status']}, and stop_reason {run['stop_reason']}"
    if run["compensating_since"] and run["status"] in ("planned", "done"):
        yield f"{run['status']}, and undone since {run['compensating_since']}"
    attempts = _attempts(document)
    if bool(attempts) != bool(run["started_at"]):
        yield f"{len(attempts)} attempts, and begun {run['started_at']}"
    if not attempts:
        return
    if target[0] != delta or (delta == planned and target != run["planned_fingerprint"]):
        yield f"{delta} rows expected, and a target of {target[0]} that is not the planned one"
    first = permits[attempts[0]["permit_id"]]["max_rows"]
    if run["max_rows"] is None or not delta <= run["max_rows"] <= first:
        yield f"{delta} rows expected, {run['max_rows']} bound, {first} permitted"
    if (attempts[-1]["actor"], attempts[-1]["permit_id"]) != (run["executed_by"], run["permit_id"]):
        yield f"executed by {run['executed_by']} under permit {run['permit_id']}, who did not attempt it last"


def _end(document: Row) -> Iterator[str]:
    """A run marked done or compensated whose records contradict it."""
    run = document["run"]
    if run["status"] in _OVER and not run["finished_at"]:
        yield f"{run['status']}, and never finished"
    elif run["status"] in _OVER and run["finished_at"] < (run["started_at"] or run["finished_at"]):
        yield f"finished at {run['finished_at']}, begun at {run['started_at']}"
    if run["status"] == "done":
        if not 0 < run["expected_delta"] == run["actual_inserted"]:
            yield f"done with {run['actual_inserted']} of {run['expected_delta']} rows"
        if run["written_fingerprint"] != run["target_fingerprint"]:
            yield "done with another set than its target"
    if run["status"] == "compensated" and not (
        run["compensating_since"] and 0 < run["actual_inserted"] == run["compensated_rows"]
    ):
        yield f"compensated with {run['compensated_rows']} of {run['actual_inserted']} rows"
    told = {act["permit_id"] for act in _acts(document, "outcome") if act["detail"]["status"] in _OVER}
    consumed = {permit["permit_id"] for permit in document["permits"] if permit["status"] == "CONSUMED"}
    yield from (f"permit {permit} and the end of the run do not agree" for permit in sorted(told ^ consumed))


# --- what a row may hold


def _rows(document: Row) -> Iterator[str]:
    """Values that the constraints of a table forbid."""
    run, receipts, verdicts, permits = (document[name] for name in ("run", "receipts", "verdicts", "permits"))
    own = (run["purpose"], "COMPENSATE")
    for name, rows, column, words in (
        ("run", [run], "status", _STATUS),
        ("run", [run], "purpose", _PURPOSE),
        ("receipt", receipts, "purpose", own),
        ("verdict", verdicts, "purpose", own),
        ("verdict", verdicts, "verdict", ("SAFE", "NOT_SAFE_NEEDS_FIX")),
        ("permit", permits, "purpose", own),
        ("permit", permits, "status", ("OPEN", "CONSUMED", "REVOKED", "EXPIRED")),
    ):
        yield from (f"{name} of {column} {row[column]}" for row in rows if row[column] not in words)
    for name, rows, columns in (
        ("run", [run], ("orphans", "epoch", "batches", "visited", "skipped")),
        ("receipt", receipts, ("batch_no", "visited", "written", "skipped")),
        ("verdict", verdicts, ("accept_orphans",)),
    ):
        yield from (f"{name} of {row[each]} {each}" for row in rows for each in columns if row[each] < 0)
    reasons = [(f"act {act['act_id']}", act["reason"]) for act in document["acts"] if act["act"] in _EXPLAINED]
    reasons += [(f"permit {permit['permit_id']}", permit["reason"]) for permit in permits]
    reasons += [(f"verdict {verdict['review_id']}", verdict["findings"]) for verdict in verdicts]
    yield from (f"{name} says nothing" for name, text in reasons if not (text or "").strip())
    yield from (
        f"permit {permit['permit_id']} confirmed by {permit['confirmed_by']}, who opened it"
        for permit in permits
        if permit["confirmed_by"] == permit["opened_by"]
    )


# --- verdicts


def _verdicts(document: Row) -> Iterator[str]:
    """An attempt without a valid verdict: a verdict is in force until another one supersedes it by id."""
    run, times = document["run"], {v["review_id"]: v["reviewed_at"] for v in document["verdicts"]}
    for verdict in document["verdicts"]:
        name, at = f"verdict {verdict['review_id']}", verdict["reviewed_at"]
        late = [each for each in verdict["supersedes"] if each not in times or times[each] >= at]
        yield from (f"{name} takes back {each}, which was not there" for each in late)
        failures = sum(act["acted_at"] < at for act in _failures(document))
        if verdict["failures_seen"] > failures:
            yield f"{name} saw {verdict['failures_seen']} failures of {failures}"
    for attempt in _attempts(document):
        at, purpose = attempt["acted_at"], attempt["detail"]["purpose"]
        given = [v for v in document["verdicts"] if v["purpose"] == purpose and v["reviewed_at"] < at]
        taken_back = {each for v in given for each in v["supersedes"]}
        standing = [v for v in given if v["review_id"] not in taken_back]
        # One that says no comes first.
        verdict = min(standing, key=lambda v: v["verdict"] == "SAFE", default=None)
        failures = sum(act["epoch"] < attempt["epoch"] for act in _failures(document))
        name = f"attempt {attempt['epoch']}"
        if verdict is None:
            yield f"{name} to {purpose} before anybody's verdict"
        elif verdict["verdict"] != "SAFE":
            yield f"{name} on a verdict {verdict['verdict']}"
        elif verdict["failures_seen"] < failures:
            yield f"{name} after {failures} failures, of which the verdict saw {verdict['failures_seen']}"
        elif verdict["planned_fingerprint"] != run["planned_fingerprint"]:
            yield f"{name} on a verdict about another planned set"
        elif purpose not in ("COMPENSATE", *_AT_MOST) and verdict["accept_orphans"] != run["orphans"]:
            yield f"{name} with {run['orphans']} orphans, of which the verdict accepts {verdict['accept_orphans']}"


def _failures(document: Row) -> list[Row]:
    return [act for act in _acts(document, "outcome") if act["detail"]["status"] == "failed"]


# --- permits


def _terms(document: Row) -> Iterator[str]:
    """A permit with terms or spent rows that the database would refuse."""
    run = document["run"]
    revoked = {act["permit_id"] for act in _acts(document, "permit_revoke")}
    for permit in document["permits"]:
        name = f"permit {permit['permit_id']}"
        if (permit["run_id"], permit["collection_name"]) != (run["run_id"], run["collection_name"]):
            yield f"{name} is of {permit['collection_name']}, run {permit['run_id']}"
        if not 0 <= permit["spent_rows"] <= permit["max_rows"] > 0:
            yield f"{name}: {permit['spent_rows']} of {permit['max_rows']} rows spent"
        lasts = datetime.fromisoformat(permit["expires_at"]) - datetime.fromisoformat(permit["opened_at"])
        if not timedelta() < lasts <= _LONGEST:
            yield f"{name} lasts {lasts}"
        if (permit["status"] == "OPEN") != (permit["closed_at"] is None):
            yield f"{name} is {permit['status']}, closed {permit['closed_at']}"
        if permit["status"] == "REVOKED" and permit["permit_id"] not in revoked:
            yield f"{name} is REVOKED, and nobody did it"
        if (permit["confirmed_by"] is None) != (permit["confirmed_at"] is None):
            yield f"{name} is confirmed by {permit['confirmed_by']} at {permit['confirmed_at']}"


def _used(document: Row) -> Iterator[str]:
    """A permit used before its confirmation, or after its end."""
    permits = {permit["permit_id"]: permit for permit in document["permits"]}
    attempts = {act["epoch"]: act for act in _attempts(document)}
    for epoch, attempt in attempts.items():
        permit = permits[attempt["permit_id"]]
        if permit["purpose"] != attempt["detail"]["purpose"]:
            yield f"attempt {epoch} to {attempt['detail']['purpose']} under a permit to {permit['purpose']}"
        confirmed = permit["confirmed_at"]
        if confirmed is None or not permit["opened_at"] <= confirmed < attempt["acted_at"]:
            yield f"attempt {epoch} at {attempt['acted_at']}, its permit opened {permit['opened_at']}, " + (
                f"confirmed {confirmed}" if confirmed else "never confirmed"
            )
        yield from _too_late(f"attempt {epoch}", attempt["acted_at"], permit, document)
    for row in document["receipts"]:
        # Of a transaction that began before its attempt, the attempt says when it wrote.
        at = max(row["born_at"], attempts[row["epoch"]]["acted_at"])
        yield from _too_late(f"receipt {row['batch_no']}", at, permits[row["permit_id"]], document)


def _too_late(name: str, at: str, permit: Row, document: Row) -> Iterator[str]:
    ends = {"expired": permit["expires_at"], "closed": permit["closed_at"]}
    # Also while the transaction was open that revoked it: the batch was written after somebody had said no.
    ends |= {
        "revoked": min(
            (act["acted_at"] for act in _acts(document, "permit_revoke") if act["permit_id"] == permit["permit_id"]),
            default=None,
        )
    }
    for how, end in ends.items():
        if end is not None and at >= end:
            yield f"{name} at {at}, its permit {how} at {end}"


# --- people and times


def _people(document: Row) -> Iterator[str]:
    """One person with conflicting duties, under one name or one login under two names."""
    for known_by in ("actor", "actor_id"):
        parts: dict[str, set[str]] = {}
        for act in document["acts"]:
            if act["act"] in _PART:
                parts.setdefault(act[known_by], set()).add(_PART[act["act"]])
        yield from (f"{who}: {' and '.join(sorted(had))}" for who, had in sorted(parts.items()) if len(had) > 1)


def _order(document: Row) -> Iterator[str]:
    """Records older than what they depend on, or newer than the export."""
    run, acts = document["run"], document["acts"]
    (planned,) = [act["acted_at"] for act in _acts(document, "plan")]
    if not run["planned_at"] <= planned <= min(act["acted_at"] for act in acts):
        yield f"planned at {run['planned_at']}, after something that was done with the plan"
    stood = sorted(
        (act for act in acts if act["act"] in ("attempt", "takeover")), key=lambda act: (act["epoch"], act["acted_at"])
    )
    for one, next_ in zip_longest(stood, stood[1:]):
        end = next_["acted_at"] if next_ else document["exported_at"]
        if one["acted_at"] > end:
            yield f"epoch {one['epoch']} at {one['acted_at']}, what came next at {end}"
        mine = [row for row in document["receipts"] if row["epoch"] == one["epoch"]]
        yield from (f"receipt {r['batch_no']} at {r['born_at']}, after {end}" for r in mine if r["born_at"] > end)
        # The transaction that made the attempt may have begun earlier, and written batches too.
        begun = _by_the_server(one)
        if len({row["born_at"] for row in mine if datetime.fromisoformat(row["born_at"]) < begun}) > 1:
            yield f"batches of epoch {one['epoch']} before its attempt at {one['acted_at']}"
    for what, at in _times(document):
        if at is not None and at > document["exported_at"]:
            yield f"{what} at {at}, exported at {document['exported_at']}"


def _by_the_server(act: Row) -> datetime:
    """When it was by the server's clock, which receipts have, in seconds behind that of the acts."""
    behind = timedelta(seconds=float(act["detail"].get("clock_behind", 0)))
    return datetime.fromisoformat(act["acted_at"]) - behind


def _times(document: Row) -> Iterator[tuple[str, str | None]]:
    for name in ("started_at", "last_batch_at", "finished_at", "compensating_since"):
        yield name, document["run"][name]
    for kind, names in {
        "acts": ("acted_at",),
        "verdicts": ("reviewed_at",),
        "permits": ("opened_at", "confirmed_at", "closed_at"),
    }.items():
        yield from ((f"{kind}: {name}", row[name]) for row in document[kind] for name in names)


def _census(document: Row) -> Iterator[str]:
    """A census that fails where it counted nothing. That of a file is of the moment after the export."""
    for row in document.get("census", []):
        if row["rows"] == 0 and not row["pass"]:
            yield f"{row['check']}: 0 rows, and failed"


def _acts(document: Row, act: str) -> list[Row]:
    return [row for row in document["acts"] if row["act"] == act]


def _attempts(document: Row) -> Sequence[Row]:
    return sorted(_acts(document, "attempt"), key=lambda act: int(act["epoch"]))


_RULES: dict[str, Rule] = {
    "against plan and target": _target,
    "against the end of the run": _end,
    "against what its rows may hold": _rows,
    "against the verdicts": _verdicts,
    "against the terms of the permits": _terms,
    "against the use of the permits": _used,
    "against the people": _people,
    "against the order of what was done": _order,
    "against the census": _census,
}
