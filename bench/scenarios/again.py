"""Rows whose code was there already: single rows and many, beside new ones; and a load of which few are."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from psycopg.sql import SQL, Identifier
from psycopg.sql import Literal as Constant

from bench.scenario import Claim, Contestant, Parts
from bench.scenarios.gateway import Inserting, Loop
from bench.world import STEWARD

ORDER = 61


@dataclass(frozen=True)
class Shape:
    """A table and its identity; the rows of a numbered table have the prefix N-."""

    columns: str
    #: How a row of number i is written.
    values: str
    template: str | None = None
    tail: str = ""
    #: One statement for all rows; else a statement for each.
    at_once: bool = False
    target: float | None = 1.5


NUMBER = "id bigint PRIMARY KEY, title text"
PAIR = "tenant text, no bigint, title text, PRIMARY KEY (tenant, no)"
PAIRED = "'t' || i % 100, i, 'row'"
TEMPLATE = "I-{tenant}/{no}"
SHAPES = {
    "one column": Shape(NUMBER, "i, 'row'"),
    "composite": Shape(PAIR, PAIRED, TEMPLATE),
    "composite, at once": Shape(PAIR, PAIRED, TEMPLATE, at_once=True),
    "two texts, each a finding": Shape(
        "a text, b text, title text, PRIMARY KEY (a, b)", "'t' || i % 100, i, 'row'", "T-{a}/{b}", target=None
    ),
    "partitioned": Shape(NUMBER, "i, 'row'", tail="PARTITION BY RANGE (id)"),
    "partitioned, at once": Shape(NUMBER, "i, 'row'", tail="PARTITION BY RANGE (id)", at_once=True),
    "composite, partitioned, at once": Shape(PAIR, PAIRED, TEMPLATE, "PARTITION BY RANGE (no)", at_once=True),
}


class Again(Loop):
    """Rows that come, go by TRUNCATE, and come again: the processor time of both, and of the same without a gateway."""

    name = "gateway-again"
    title = "rows that come again, beside new ones: processor time of the whole statement"
    rows_in_full = 5_000
    claims: ClassVar[tuple[Claim, ...]] = tuple(
        Claim(
            f"gateway: {{rows:,}} rows again, {kind}",
            f"{kind}: again",
            f"{kind}: new",
            shape.target,
            against="new rows",
        )
        for kind, shape in SHAPES.items()
    )

    def prepare(self) -> None:
        """Fill the registry; make two tables of each shape, one without a gateway."""
        self.world.fill(self.births)
        self.next = 1
        for number, shape in enumerate(SHAPES.values()):
            self.columns = shape.columns
            self.table(f"bare_{number}", shape.tail)
            self.table(f"item_{number}", shape.tail)
            for name in (f"bare_{number}", f"item_{number}"):
                parts = [name, f"{name}_rest"] if shape.tail else [name]
                if shape.tail:
                    self.world.execute(f"CREATE TABLE {name}_rest PARTITION OF {name} DEFAULT".encode())
                for part in parts:
                    self.world.execute(
                        SQL("GRANT SELECT ON {0} TO birth_scanner; GRANT TRIGGER ON {0} TO birth_definer").format(
                            Identifier(part)
                        )
                    )
            column = None if shape.template else "id"
            self.world.govern(f"item_{number}", column=column, template=shape.template)
            self.world.ask(STEWARD, "fn_birth_gateway_attach", p_collection=f"item_{number}", p_mode="enforce")

    def contestants(self) -> Sequence[Contestant]:
        """Return one a shape."""
        return [
            Contestant(f"{kind}: again", partial(self.twice, kind, number, shape))
            for number, (kind, shape) in enumerate(SHAPES.items())
        ]

    def twice(self, kind: str, number: int, shape: Shape) -> Parts:
        """Insert rows into the table without a gateway, into the one with it, and there again."""
        parts = {}
        for name, table in (("bare", f"bare_{number}"), ("new", f"item_{number}"), ("again", f"item_{number}")):
            self.world.execute(SQL("TRUNCATE {}").format(Identifier(table)))
            parts[f"{kind}: {name}"] = self.send(table, shape) / self.rows
        self.next += self.rows
        return parts

    def send(self, table: str, shape: Shape) -> float:
        """Insert the rows; return the microseconds of the server process."""
        into = SQL("INSERT INTO {} SELECT {}").format(Identifier(table), SQL(shape.values))
        numbers = SQL("generate_series({}, {})").format(Constant(self.next), Constant(self.next + self.rows - 1))
        if shape.at_once:
            statement = SQL("{} FROM {} AS i").format(into, numbers)
        else:
            statement = SQL("DO $$ BEGIN FOR i IN {}..{} LOOP {}; END LOOP; END $$").format(
                Constant(self.next), Constant(self.next + self.rows - 1), into
            )
        before = self.clock()
        self.world.execute(statement)
        return self.clock() - before


class Load(Inserting):
    """One statement of many rows, of which none, the first, the middle or the last one has its birth already."""

    name = "gateway-load"
    title = "INSERT of many rows in one statement, of which one has its birth already"
    rows_in_full = 200_000
    kinds: ClassVar[dict[str, float | None]] = {"all new": None, "the first": 0.0, "the middle": 0.5, "the last": 1.0}
    claims: ClassVar[tuple[Claim, ...]] = (
        *(
            Claim(f"gateway: a load of {{rows:,}} rows of which {kind} exists", kind, "all new", 2.0)
            for kind in list(kinds)[1:]
        ),
        *(
            Claim(
                f"gateway: MiB of the registry after a load of which {kind} exists", f"{kind}: MiB", "all new: MiB", 1.1
            )
            for kind in list(kinds)[1:]
        ),
    )

    def contestants(self) -> Sequence[Contestant]:
        """Return one for each place of the row that exists."""
        return [
            Contestant(kind, partial(self.load, kind), ready=partial(self.exists, place), check=self.born)
            for kind, place in self.kinds.items()
        ]

    def exists(self, place: float | None) -> None:
        """Give one row its birth beforehand."""
        if place is not None:
            offset = round(place * (self.rows - 1))
            self.world.execute(
                SQL("INSERT INTO item SELECT * FROM source ORDER BY code LIMIT 1 OFFSET {}; TRUNCATE item").format(
                    Constant(offset)
                )
            )

    def load(self, kind: str) -> Parts:
        """Insert every row in one statement; return the size of the registry."""
        self.fill("item")
        return {f"{kind}: MiB": self.world.value("SELECT pg_total_relation_size('birth.birth_registry')") / 2**20}
