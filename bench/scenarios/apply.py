"""A backfill against the one statement that a person would write by hand, into the same table with the same indexes."""

from collections.abc import Sequence
from typing import ClassVar
from uuid import uuid4

from psycopg.sql import SQL, Composed, Literal

from bench.scenario import Claim, Contestant, Parts, Scenario
from bench.world import Source

ORDER = 10
FLOOR = "one statement"
PLAIN = "one statement without ON CONFLICT"
ORDERED = "one statement, ORDER BY code"
TENS = "birthdb, 10,000 a batch"
DEFAULT = "birthdb, default batch"


def by_hand(source: Source, *, on_conflict: bool = True, ordered: bool = False) -> Composed:
    """Return the hand-written statement: in heap order unless told, run and origin filled as birthdb does."""
    return SQL(
        "INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin, run_id)"
        " SELECT {code}, {name}, 'dot-birth-backfill-apply', {run} FROM {table} t {order} {conflict}"
    ).format(
        code=SQL(source.code),
        name=Literal(source.name),
        run=Literal(uuid4()),
        table=source.table,
        order=SQL("ORDER BY 1" if ordered else ""),
        conflict=SQL("ON CONFLICT DO NOTHING" if on_conflict else ""),
    )


class Apply(Scenario):
    """Codes in the order of the rows, as identities and time-ordered keys are."""

    name = "apply"
    title = "every row of a table gets its birth; codes of 16 characters in key order"
    claims: ClassVar[tuple[Claim, ...]] = (
        Claim("apply, COMMIT per 10,000: batch loop", f"{TENS}: loop", FLOOR, 1.00),
        Claim("apply, COMMIT per 10,000: the whole CALL", TENS, FLOOR, 1.20),
        Claim("apply, default batch size: batch loop", f"{DEFAULT}: loop", FLOOR, 1.05),
        Claim("apply, default batch size: batch loop", f"{DEFAULT}: loop", PLAIN, None),
    )
    random = False

    def prepare(self) -> None:
        """Make the table."""
        self.source = self.world.source("item", self.rows, random=self.random)

    def reset(self) -> None:
        """Empty the registry."""
        self.world.empty()

    def permit(self) -> None:
        """Plan, review and permit the run of the next turn."""
        self.run = self.world.permitted(self.source.name)

    def contestants(self) -> Sequence[Contestant]:
        """Return the two floors and the two batch sizes."""
        return [
            Contestant(FLOOR, lambda: self.world.execute(by_hand(self.source))),
            Contestant(PLAIN, lambda: self.world.execute(by_hand(self.source, on_conflict=False))),
            Contestant(TENS, lambda: self.birthdb(TENS, 10_000), ready=self.permit),
            Contestant(DEFAULT, lambda: self.birthdb(DEFAULT, None), ready=self.permit),
        ]

    def birthdb(self, name: str, batch: int | None) -> Parts:
        """Send the CALL."""
        self.world.apply(self.run, batch)
        return {f"{name}: loop": self.world.applied(self.run).loop}


class ApplyRandom(Apply):
    """Codes in no order, as hashes and random keys are: the floor writes them in heap order too."""

    name = "apply-random"
    title = "the same with codes in no order"
    rows_in_full = 200_000
    claims = (
        Claim("apply, codes in no order: batch loop", f"{TENS}: loop", FLOOR, 1.00),
        Claim("apply, codes in no order: the whole CALL", TENS, FLOOR, 1.20),
        Claim("apply, codes in no order: batch loop", f"{TENS}: loop", ORDERED, None),
    )
    random = True

    def contestants(self) -> Sequence[Contestant]:
        """Return the floor, the floor of who knows that an index is filled best in its order, and birthdb."""
        return [
            *(contestant for contestant in super().contestants() if contestant.name in (FLOOR, TENS)),
            Contestant(ORDERED, lambda: self.world.execute(by_hand(self.source, ordered=True))),
        ]
