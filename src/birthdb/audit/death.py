"""Audit of a death run: its deaths, line by line, against receipts and births; and what may become of them later.

Specification: 9.
"""

from collections.abc import Container, Iterator
from typing import Any

from birthdb.audit import shape
from birthdb.audit.fingerprint import Fingerprint, sum_of

Row = dict[str, Any]

#: What a death has of its run.
_OF_THE_RUN = ("run_id", "collection_name")
#: What a death keeps, whatever becomes of its code.
_KEPT = (*_OF_THE_RUN, "entity_code", "born_in")
#: What a death keeps until its code returns. A steward can say its successor, and allow its return.
_DEAD = ("died_at", "died_xid", "manner", "returned_at")


def strange(line: Row, run: Row, times: Container[str]) -> Iterator[str]:
    """Yield what of a line no death of the run can be; ``times`` are those of its receipts."""
    code = line["entity_code"]
    yield from (f"{code} has {name} {line[name]}" for name in _OF_THE_RUN if line[name] != run[name])
    if line["born_in"] != line["collection_name"]:
        yield f"{code} has a birth in {line['born_in']}"
    if "manner" not in line:
        return
    if (line["manner"] == "FOUND") != (line["died_at"] in times):
        yield f"{code} is {line['manner']} at {line['died_at']}"
    elif line["lives"] < (1 if line["manner"] == "FOUND" and line["returned_at"] is None else 2):
        yield f"{code} is {line['manner']}, returned {line['returned_at']}, in life {line['lives']}"


def dropped(document: Row) -> Fingerprint:
    """Return the fingerprint of the deaths that went with a downgrade, as acts kept it; without what is none."""
    told = (act["detail"].get("fingerprint") for act in document["acts"] if act["act"] == "deaths_dropped")
    return sum_of(Fingerprint(*sums) for sums in told if shape.fault(sums, shape.FINGERPRINT) is None)


def later(line: Row) -> bool:
    """Whether a line is of a code that returned after its run ended it, and died again."""
    return "act_id" in line or line.get("manner", "FOUND") != "FOUND"


def lived_on(was: Row, is_: Row) -> bool:
    """Whether what became of a death since an export is what can become of one."""
    if "manner" not in was or any(was[name] != is_.get(name) for name in _KEPT):
        return False
    if "manner" not in is_:
        return True
    died_later: bool = is_["died_at"] != was["died_at"]
    if is_["lives"] > was["lives"]:
        return died_later or is_["returned_at"] is not None
    if was["returned_at"] is None:
        return is_["lives"] == was["lives"] and all(was[name] == is_[name] for name in _DEAD)
    return is_["lives"] == was["lives"] and died_later
