"""A backfill against the one statement that a person would write by hand, into the same table with the same indexes."""

from collections.abc import Sequence
from uuid import uuid4

from psycopg.sql import SQL, Composed, Literal

from bench.scenario import Claim, Contestant, Parts, Scenario
from bench.world import Source

ORDER = 10
FLOOR = "one statement"
PLAIN = "one statement without ON CONFLICT"


def by_hand(source: Source, *, on_conflict: bool) -> Composed:
    """Return the hand-written statement: rows in heap order, run and origin filled as birthdb fills them."""
    return SQL(
        "INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin, run_id)"
        " SELECT {code}, {name}, 'dot-birth-backfill-apply', {run} FROM {table} t {conflict}"
    ).format(
        code=SQL(source.code),
        name=Literal(source.name),
        run=Literal(uuid4()),
        table=source.table,
        conflict=SQL("ON CONFLICT DO NOTHING" if on_conflict else ""),
    )


class Apply(Scenario):
    """Codes in the order of the rows, as identities and time-ordered keys are."""

    name = "apply"
    title = "every row of a table gets its birth; codes of 16 characters in key order"
    claims = (
        Claim("apply, COMMIT per 10,000: batch loop", "birthdb, 10,000 a batch: loop", FLOOR, 1.00),
        Claim("apply, COMMIT per 10,000: the whole CALL", "birthdb, 10,000 a batch", FLOOR, 1.20),
        Claim("apply, default batch size: batch loop", "birthdb, default batch: loop", FLOOR, 1.05),
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
            Contestant(FLOOR, lambda: self.statement(on_conflict=True)),
            Contestant(PLAIN, lambda: self.statement(on_conflict=False)),
            Contestant(
                "birthdb, 10,000 a batch", lambda: self.birthdb("birthdb, 10,000 a batch", 10_000), ready=self.permit
            ),
            Contestant(
                "birthdb, default batch", lambda: self.birthdb("birthdb, default batch", None), ready=self.permit
            ),
        ]

    def statement(self, *, on_conflict: bool) -> None:
        """Send the hand-written statement."""
        self.world.execute(by_hand(self.source, on_conflict=on_conflict))

    def birthdb(self, name: str, batch: int | None) -> Parts:
        """Send the CALL."""
        self.world.apply(self.run, batch)
        return {f"{name}: loop": self.world.applied(self.run).loop}
