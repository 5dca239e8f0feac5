"""The schema of an export: type of every field that a check reads, validated before the records are compared.

A shape is a word (``number``, ``time?``: or null), a dictionary of fields (``census?``: it may be left out), a list of
one shape for any number of items, or a tuple of one for each item.
"""

import re
from collections.abc import Callable
from typing import Any

Shape = str | dict[str, Any] | list[Any] | tuple[Any, ...]

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
#: As PostgreSQL writes it in UTC, so that texts have the order of the times.
_TIME = re.compile(r"[1-9]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?\+00:00", re.ASCII)

#: A number of births, and two sums of their hashes.
FINGERPRINT: Shape = ("number", "sum", "sum")
_RUN: Shape = {
    "run_id": "uuid",
    "collection_name": "text",
    "purpose": "text",
    "status": "text",
    "stop_reason": "text?",
    "dry_run": "truth",
    "orphans": "number",
    "planned_rows": "number",
    "planned_fingerprint": FINGERPRINT,
    "seed_a": "number",
    "seed_b": "number",
    "wanted?": "policy?",
    "contract_hash": "text",
    "planned_at": "time",
    "planned_by": "text",
    "max_rows": "number?",
    "expected_delta": "number",
    "target_fingerprint": FINGERPRINT,
    "dot_origin": "text?",
    "permit_id": "number?",
    "executed_by": "text?",
    "epoch": "number",
    "batches": "number",
    "visited": "number",
    "actual_inserted": "number",
    "skipped": "number",
    "written_fingerprint": FINGERPRINT,
    "resume_marker": "key?",
    "started_at": "time?",
    "last_batch_at": "time?",
    "finished_at": "time?",
    "compensating_since": "time?",
    "compensated_rows": "number",
}
_RECEIPT: Shape = {
    "run_id": "uuid",
    "batch_no": "number",
    "purpose": "text",
    "epoch": "number",
    "permit_id": "number?",
    "key_after": "key?",
    "key_to": "key?",
    "visited": "number",
    "written": "number",
    "skipped": "number",
    "fingerprint": FINGERPRINT,
    "born_at": "time",
    "written_by": "text",
    "dot_origin": "text",
    "sha256": "text",
}
_PERMIT: Shape = {
    "permit_id": "number",
    "collection_name": "text",
    "run_id": "uuid",
    "purpose": "text",
    "status": "text",
    "max_rows": "number",
    "spent_rows": "number",
    "reason": "text",
    "opened_at": "time",
    "opened_by": "text",
    "expires_at": "time",
    "confirmed_at": "time?",
    "confirmed_by": "text?",
    "closed_at": "time?",
}
_VERDICT: Shape = {
    "review_id": "number",
    "purpose": "text",
    "verdict": "text",
    "findings": "text",
    "accept_orphans": "number",
    "reviewed_at": "time",
    "reviewed_by": "text",
    "planned_fingerprint": FINGERPRINT,
    "failures_seen": "number",
    "supersedes": ["number"],
}
_TRANSITION: Shape = {
    "run_id": "uuid",
    "collection_name": "text",
    "from_status": "text",
    "from_governed": "truth",
    "from_version": "number",
    "to_status": "text",
    "to_governed": "truth",
    "direction": "text",
    "executed_at": "time",
    "undone_at": "time?",
}
_ACT: Shape = {
    "act_id": "number",
    "act": "text",
    "actor": "text",
    "actor_id": "text",
    "acted_at": "time",
    "permit_id": "number?",
    "epoch": "number?",
    "reason": "text?",
    "detail": {},
}
_CONTRACT: Shape = {
    "generation": "number",
    "kind": "text",
    "object": "text",
    "exact_sha256": "text?",
}

#: The export of a run; with births it is the first line.
RUN: Shape = {
    "sha256": "text",
    "exported_at": "time",
    "database": {"encoding": "text", "hashed": "number"},
    "run": _RUN,
    "receipts": [_RECEIPT],
    "permits": [_PERMIT],
    "verdicts": [_VERDICT],
    "transitions?": [_TRANSITION],
    "acts": [_ACT],
    "contract": [_CONTRACT],
    "census?": [{"check": "text", "rows": "number?", "pass": "truth"}],
}

#: A line of an export with births: a birth, or of a death run a death, with the collection of its birth.
BIRTH: Shape = {
    "entity_code": "text",
    "collection_name": "text",
    "dot_origin": "text",
    "run_id": "uuid?",
    "born_at": "time",
}
DEATH: Shape = {
    "entity_code": "text",
    "collection_name": "text",
    "born_in": "text?",
    "run_id": "uuid",
    "died_at": "time",
    "manner": "text",
    "successor": "text?",
    "returned_at": "time?",
    "lives": "number",
}
#: A code of a death run that returned, and that a later run found dead again: only an act tells of the earlier death.
REFOUND: Shape = {
    "entity_code": "text",
    "collection_name": "text",
    "born_in": "text?",
    "run_id": "uuid",
    "act_id": "number",
}


def line(value: dict[str, Any]) -> Shape:
    """Return the shape of a line, by the field that the others do not have."""
    return DEATH if "manner" in value else REFOUND if "act_id" in value else BIRTH


#: The export of every table of evidence; those that are not there yet are not in it.
ALL: Shape = {
    "sha256": "text",
    "tables": {
        "birth_receipt?": {"rows?": [_RECEIPT]},
        "birth_backfill_ledger_v2?": {"rows?": [_RUN]},
    },
}


def fault(value: object, shape: Shape, name: str = "the document") -> str | None:
    """Return the name of the first part of a value that does not have its shape; None if all parts have."""
    if isinstance(shape, str):
        null = shape.endswith("?")
        fine = null if value is None else _WORDS[shape.rstrip("?")](value)
        return None if fine else f"{name} is no {shape.rstrip('?')}"
    if isinstance(shape, dict):
        return _fields(value, shape, name) if isinstance(value, dict) else f"{name} is no object"
    if not isinstance(value, list):
        return f"{name} is no list"
    if isinstance(shape, tuple) and len(value) != len(shape):
        return f"{name} has {len(value)} items, not {len(shape)}"
    shapes = shape if isinstance(shape, tuple) else shape * len(value)
    faults = (fault(each, of, f"{name}[{at}]") for at, (each, of) in enumerate(zip(value, shapes, strict=True)))
    return next(filter(None, faults), None)


def _fields(value: dict[str, Any], shape: dict[str, Any], name: str) -> str | None:
    for field, of in shape.items():
        known = field.rstrip("?")
        if known not in value:
            if field == known:
                return f"{name} has no {known}"
        elif found := fault(value[known], of, known if name == "the document" else f"{name}.{known}"):
            return found
    return None


def _is_whole(value: object, bits: int) -> bool:
    return type(value) is int and -(2**bits) <= value < 2**bits


def _is_text(value: object) -> bool:
    # What no database can hold: a NUL, or half of a surrogate pair.
    return isinstance(value, str) and "\0" not in value and not any("\ud800" <= each <= "\udfff" for each in value)


def _is_key(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_policy(value: object) -> bool:
    return isinstance(value, dict) and _is_text(value.get("p_to_status")) and type(value.get("p_to_governed")) is bool


_WORDS: dict[str, Callable[[Any], bool]] = {
    "number": lambda value: _is_whole(value, 63),
    "sum": lambda value: _is_whole(value, 127),
    "text": _is_text,
    "truth": lambda value: type(value) is bool,
    "key": _is_key,
    "policy": _is_policy,
    "time": lambda value: isinstance(value, str) and _TIME.fullmatch(value) is not None,
    "uuid": lambda value: isinstance(value, str) and _UUID.fullmatch(value) is not None,
}
