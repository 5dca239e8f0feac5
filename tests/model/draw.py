"""What can be drawn: each step of a walk, with everything that it needs, without a look at model or database."""

import string
from collections.abc import Mapping
from typing import Any, NamedTuple

from helpers import EVERYBODY, OPERATOR, OWNER, REVIEWER, SECOND_OPERATOR
from hypothesis import strategies as st
from model.model import POLICIES, Collection, Policy
from model.sides import Row
from model.stage import COLLECTIONS, IDENTITIES, POINTS

#: So few that codes meet: n1 is a name and the code of an id, 1 and 11 make 111 twice. In every collation's order.
NAMES = (None, " ", "1", "11", *string.ascii_lowercase, "n1", "n2", "n3")
IDS = range(1, 21)


class Fresh(NamedTuple):
    """A run to be made: after rows that come in late, planned by one."""

    name: str
    rows: list[Row]
    by: str


class Admission(NamedTuple):
    """Who admits a run, and for how many births at most; None: as many as are left."""

    reviewer: str
    owner: str
    rows: int | None
    accept: bool
    confirm: bool


class Event(NamedTuple):
    """What happens before, between or in the middle of batches; which details count depends on what it is."""

    what: str
    name: str
    row: Row
    other: int
    policy: Policy


class Attempt(NamedTuple):
    """A further attempt: after another admission, if any, and with something in the middle of its first batch."""

    admission: Admission | None
    event: Event | None
    point: str


class Aim(NamedTuple):
    """Which run is meant: one that is there, by its number, or the fresh one; how it is admitted, what happens then."""

    fresh: Fresh
    number: int | None
    admission: Admission | None
    event: Event | None


class Deed(NamedTuple):
    """One step: what becomes of what the last one left behind, and what is done."""

    first: str
    what: str
    given: dict[str, Any]


def mostly(right: Any, *others: Any) -> st.SearchStrategy[Any]:
    """Six times the right thing for each of the others."""
    return st.sampled_from([right] * 6 + list(others))


def often(weights: Mapping[st.SearchStrategy[Any], int]) -> st.SearchStrategy[Any]:
    """As often as is said."""
    chosen = [strategy for strategy, weight in weights.items() for _ in range(weight)]
    return st.sampled_from(range(len(chosen))).flatmap(lambda number: chosen[number])


COLLECTION = st.sampled_from(COLLECTIONS)
IDENTITY = st.sampled_from(sorted(IDENTITIES))
POLICY = st.builds(Policy, st.sampled_from([*POLICIES, "required"]), st.booleans())
MODE = st.sampled_from(["observe", "enforce"])
ROW = st.tuples(st.sampled_from(IDS), st.sampled_from(NAMES))
ROWS = st.lists(ROW, min_size=2, max_size=7)
SOURCES = st.tuples(*(st.builds(Collection, IDENTITY, MODE) for _ in COLLECTIONS))
RECENT = st.integers(0, 3)
PLANNER = mostly(OPERATOR, SECOND_OPERATOR, EVERYBODY, REVIEWER)
EXECUTOR = st.sampled_from([OPERATOR] * 6 + [SECOND_OPERATOR] * 3 + [EVERYBODY])
ANYBODY = mostly(None, EVERYBODY, OPERATOR, REVIEWER, OWNER)
SIZE = st.sampled_from([1, 1, 2, 2, 3, 5])
BOUND = st.sampled_from([None] * 10 + [1, 2, 2, 3, 3, 0])
PURPOSE = st.sampled_from(["APPLY", "APPLY", "COMPENSATE"])
ACCEPT = mostly(True, False)
POINT = st.sampled_from(sorted(POINTS))

FRESH = st.builds(Fresh, COLLECTION, ROWS, EXECUTOR)
ADMISSION = st.builds(
    Admission,
    st.sampled_from([REVIEWER] * 15 + [EVERYBODY]),
    st.sampled_from([OWNER] * 15 + [EVERYBODY]),
    BOUND,
    ACCEPT,
    st.sampled_from([True] * 12 + [False]),
)

#: What can happen while a batch is being written, without waiting for it.
MEANWHILE = (
    "stop", "stop", "revoke", "revoke", "cancel", "terminate", "freeze", "drift", "drift", "drift", "rival", "rival",
    "insert", "delete", "rename", "steal", "steal",
)  # fmt: skip
#: What can happen between two batches, or between admission and execution.
BETWEEN = (
    "stop", "stop", "revoke", "expire", "expire", "expire", "freeze", "drift", "drift", "renew", "renew", "rival",
    "rival", "kill", "take over", "insert", "delete", "delete", "delete all", "rename", "steal", "steal", "classify",
    "govern", "govern", "find unsafe",
)  # fmt: skip


def event(among: tuple[str, ...]) -> st.SearchStrategy[Event]:
    return st.builds(Event, st.sampled_from(among), mostly(None, *COLLECTIONS), ROW, RECENT, POLICY)


AIM = st.builds(
    Aim,
    FRESH,
    often({st.none(): 2, RECENT: 1}),
    often({ADMISSION: 7, st.none(): 1}),
    often({st.none(): 3, event(BETWEEN): 1}),
)
#: What becomes of a run that is not over.
THEN = st.lists(
    st.builds(
        Attempt,
        often({st.none(): 1, ADMISSION: 1}),
        often({st.none(): 1, event(MEANWHILE): 1}),
        POINT,
    ),
    max_size=3,
)
AMISS = st.sampled_from([None] * 9 + ["one more", "one fewer", "larger bound"] + ["permit of another"] * 3)
HAND = st.lists(often({st.none(): 1, event(BETWEEN): 1}), min_size=1, max_size=5)
FIRST = st.sampled_from(["go on", "go on", "go on", "kill", "leave"])


def deed(what: str, /, **given: st.SearchStrategy[Any]) -> st.SearchStrategy[Deed]:
    return st.builds(Deed, FIRST, st.just(what), st.fixed_dictionaries(given))


#: What a step may be, and how often: most carry a run on.
DEEDS = often({
    deed("apply", aim=AIM, by=EXECUTOR, size=SIZE, amiss=AMISS, asks=st.booleans(), then=THEN): 4,
    deed("disturb", aim=AIM, by=EXECUTOR, size=SIZE, event=event(MEANWHILE), point=POINT, then=THEN): 6,
    deed("begin", aim=AIM, by=EXECUTOR, size=SIZE, amiss=AMISS, batches=HAND, then=THEN): 5,
    deed("write", aim=AIM, by=EXECUTOR, size=mostly(100, 1, 2, 3), amiss=AMISS): 2,
    deed("undo", number=RECENT, by=EXECUTOR, size=SIZE, asks=st.booleans(),
         admission=often({ADMISSION: 4, st.none(): 1}), before=often({st.none(): 3, event(BETWEEN): 2}),
         event=often({st.none(): 1, event(MEANWHILE): 1}), point=POINT, amiss=AMISS, then=THEN): 4,
    deed("govern", name=COLLECTION, to=POLICY, number=st.none() | RECENT, by=EXECUTOR,
         admission=often({ADMISSION: 6, st.none(): 1}), event=often({st.none(): 2, event(BETWEEN): 1}), amiss=AMISS,
         asks=st.booleans()): 4,
    deed("look", name=COLLECTION, by=PLANNER, most=st.none() | st.integers(1, 9)): 1,
    deed("act", what=st.sampled_from(
             ["review", "permit", "confirm", "revoke", "revoke", "expire", "stop", "take over"]),
         number=RECENT, by=ANYBODY, purpose=PURPOSE, rows=BOUND, safe=st.booleans(), accept=ACCEPT): 3,
    deed("happen", name=COLLECTION,
         what=st.sampled_from(["insert", "insert", "insert", "delete", "rename", "classify", "switch", "govern"]),
         rows=st.lists(ROW, min_size=1, max_size=3), identity=IDENTITY, mode=MODE, policy=POLICY): 2,
})  # fmt: skip
