"""What a disturbed run is held against: the same run undisturbed, every table of schema birth, to the row.

What must differ is taken out, and nothing else:

- an instant of the run's is ``during the run``; those of before it stay. A birth has, in place of its instant, the
  batch whose receipt has the same one
- the attempts, the outcomes and verdicts of those that ended early, the epoch, the numbers of the acts, and a backend's
  number: a disturbed run took one attempt more
- that a DBA confirmed the copy which a case is struck in
- the seal of a receipt, because it covers epoch and instant; that it is right is held besides
- of a plan made anew its id, its seeds, and its fingerprint: that it is the right one is held instead
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from faults.stories import CODES, COLLECTION, DEFERRED
from helpers import Row, Scene
from psycopg.sql import SQL, Composed, Identifier

Rows = dict[str, list[Row]]

_ROWS: Mapping[str, LiteralString] = {
    "birth_registry": """
SELECT b.*, r.batch_no AS born_at FROM birth.birth_registry b
LEFT JOIN birth.birth_receipt r ON r.run_id = b.run_id AND r.born_at = b.born_at
""",
}

_LEDGER = """
SELECT l.*, l.planned_fingerprint = (
    SELECT ARRAY[count(*), sum(hashtextextended(c, l.seed_a)), sum(hashtextextended(c, l.seed_b))]
    FROM unnest(%s::text[]) c) AS planned_fingerprint
FROM birth.birth_backfill_ledger_v2 l
"""


def snapshot(scene: Scene, since: datetime, before: Mapping[str, str]) -> Rows:
    """Return every row of schema birth, without what must differ; what happened before ``since`` is kept as it is.

    Of a table that still has the digest of ``before`` the digest stands for its rows.
    """
    digests = scene.digest()
    assert len(digests) >= 14
    touched = [table for table, digest in digests.items() if digest != before[table]]
    found = {table: scene.rows(_ROWS.get(table) or _all(table)) for table in touched}
    new = [row["run_id"] for row in found.get("birth_backfill_ledger_v2", []) if row["planned_at"] > since]
    if new:
        found["birth_backfill_ledger_v2"] = scene.rows(_LEDGER, (sorted(CODES),))
        for row in found["birth_backfill_ledger_v2"]:
            del row["seed_a"], row["seed_b"]
    for table, of_this_case in _OF_THIS_CASE.items():
        found[table] = [row for row in found.get(table) or scene.rows(_all(table)) if not of_this_case(row)]
    for table, names in _DIFFERS.items():
        for row in found.get(table, []):
            for name in names:
                del row[name]
    for act in found.get("birth_act", []):
        # The moment from which on an act has read.
        act["detail"].pop("since", None)
    return {table: [{"digest": digest}] for table, digest in digests.items()} | {
        table: sorted(({n: _plain(v, since, new) for n, v in row.items()} for row in rows), key=str)
        for table, rows in found.items()
    }


def _all(table: str) -> Composed:
    return SQL("SELECT * FROM birth.{}").format(Identifier(table))


#: Columns that are not compared.
_DIFFERS = {
    "birth_act": ("act_id", "epoch"),
    "birth_backfill_ledger_v2": ("epoch",),
    "birth_receipt": ("epoch", "sha256"),
}


#: What a reviewer writes who lets a failed run go on.
AFTER_A_FAILURE = "a fault struck, the run is whole"


def _act_of_this_case(act: Row) -> bool:
    return (
        act["act"] in ("attempt", "home")
        or (act["act"] == "outcome" and act["detail"]["status"] in ("stopped", "failed"))
        or (act["act"] == "review" and act["reason"] == AFTER_A_FAILURE)
    )


#: Rows that a disturbed run has more than the undisturbed one.
_OF_THIS_CASE: Mapping[str, Callable[[Row], bool]] = {
    "birth_act": _act_of_this_case,
    "birth_review": lambda review: bool(review["findings"] == AFTER_A_FAILURE),
}


def _plain(value: Any, since: datetime, new: list[UUID]) -> Any:
    if isinstance(value, datetime) and value > since:
        return "during the run"
    return "the run" if value in new else value


def differences(one: Rows, other: Rows) -> list[str]:
    """Return the tables that differ, and how."""
    return [
        f"{table}: {[row for row in one[table] if row not in other[table]]} instead of"
        f" {[row for row in other[table] if row not in one[table]]}"
        for table in one
        if one[table] != other[table]
    ]


_STANDING = """
SELECT l.status, l.purpose, c.coverage_status
FROM birth.birth_backfill_ledger_v2 l JOIN birth.collection_registry c USING (collection_name)
"""


def unsound(scene: Scene) -> list[object]:
    """Return what must never be, at whatever moment: records that disagree, a done that is not, a row too many."""
    codes = {
        row["entity_code"]
        for row in scene.rows("SELECT entity_code FROM birth.birth_registry WHERE collection_name = %s", (COLLECTION,))
    }
    wrong: list[object] = [*scene.unsound()]
    for row in scene.rows(_STANDING):
        now = row["coverage_status"] if (change := row["purpose"] == "TRANSITION") else codes
        done, undone = ("BIRTH_REQUIRED", DEFERRED) if change else (CODES, set[str]())
        if now != {"done": done, "compensated": undone}.get(row["status"], now):
            wrong.append(f"{row['status']} with {now}")
    if not codes <= CODES:
        wrong.append(f"births of no row: {sorted(codes - CODES)}")
    return wrong
