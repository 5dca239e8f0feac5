"""Audit of a change of policy: the record of a transition against plan, receipts and attempts of its run.

Specification: 4.1.
"""

import json
from collections.abc import Iterator
from typing import Any

from birthdb.audit.evidence import Finding, finding
from birthdb.audit.fingerprint import codec_of, hasher

Row = dict[str, Any]

_PURPOSE = "TRANSITION"
_CHANGE = ("collection_name", "from_status", "from_governed", "from_version", "to_status", "to_governed")
#: What ends an attempt.
_ENDS = ("outcome", "attempt", "takeover")


def check(document: Row) -> Iterator[Finding]:
    """Yield a finding for the set that a transition wrote, its canonical text, and one for the rest of its record."""
    yield finding("changes of policy are what the receipts wrote", lambda: (_recorded(document), _receipted(document)))
    yield finding("against the change that was planned", lambda: (list(_differing(document)), []))


def canonical(row: Row) -> str:
    """Return the text of a change whose fingerprint plan and receipt hold, as the database writes it."""
    return json.dumps([row[name] for name in _CHANGE], ensure_ascii=False)


def _recorded(document: Row) -> list[list[int]]:
    run, encoding = document["run"], document["database"]["encoding"]
    texts = [canonical(row).encode(codec_of(encoding) or encoding) for row in document.get("transitions", [])]
    return [[1, *(hasher(run[seed])(text) for seed in ("seed_a", "seed_b"))] for text in texts]


def _receipted(document: Row) -> list[list[int]]:
    return [row["fingerprint"] for row in document["receipts"] if row["purpose"] == _PURPOSE]


def _differing(document: Row) -> Iterator[str]:
    run, receipts = document["run"], {row["purpose"]: row for row in document["receipts"]}
    for row in document.get("transitions", []):
        wanted = run["wanted"] or {}
        if (row["to_status"], row["to_governed"]) != (wanted.get("p_to_status"), wanted.get("p_to_governed")):
            yield f"changed to {row['to_status']}, governed {row['to_governed']}, and {wanted} was planned"
        if (row["run_id"], row["collection_name"]) != (run["run_id"], run["collection_name"]):
            yield f"a change of {row['collection_name']}, run {row['run_id']}"
        if row["direction"] != _direction(row):
            yield f"a {row['direction']} from {row['from_status']} to {row['to_status']}"
        for what, purpose in (("executed_at", _PURPOSE), ("undone_at", "COMPENSATE")):
            at, receipt = row[what], receipts.get(purpose)
            if (at is None) != (receipt is None):
                yield f"{what} {at}, and {'no' if receipt is None else 'a'} receipt of purpose {purpose}"
            elif receipt is not None and not _within(at, receipt["epoch"], document):
                yield f"{what} {at}, not in attempt {receipt['epoch']}"


def _direction(row: Row) -> str:
    weaker = row["to_status"].startswith("BIRTH_EXEMPT_") or row["from_status"] == "BIRTH_REQUIRED"
    loosening = (row["to_status"] != row["from_status"] and weaker) or (row["from_governed"] and not row["to_governed"])
    return "loosening" if loosening else "tightening"


def _within(at: str, epoch: int, document: Row) -> bool:
    """Whether a moment lies after the start of an attempt and not after its end."""
    acts = document["acts"]
    (begun,) = [act["acted_at"] for act in acts if (act["act"], act["epoch"]) == ("attempt", epoch)]
    ends = [act["acted_at"] for act in acts if act["act"] in _ENDS and act["acted_at"] > begun]
    return bool(begun < at <= min(ends, default=document["exported_at"]))
