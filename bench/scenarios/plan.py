"""A plan against the anti-join that a person would count with."""

from collections.abc import Sequence
from functools import partial
from statistics import median

from psycopg.sql import SQL, Composed, Literal

from bench.scenario import Claim, Contestant, Scenario, Table
from bench.scenarios.apply import by_hand
from bench.world import OPERATOR, Source

ORDER = 50
FLOOR = "anti-join count"
WHOEVER = "anti-join count, whoever owns the code"


def anti_join(source: Source) -> Composed:
    """Return the hand-written count of rows without a birth."""
    return SQL(
        "SELECT count(*) FROM {table} t WHERE NOT EXISTS (SELECT FROM birth.birth_registry b"
        ' WHERE b.entity_code = {code} COLLATE "C" AND b.collection_name = {name})'
    ).format(table=source.table, code=SQL(source.code), name=Literal(source.name))


def anti_join_of_any_owner(source: Source) -> Composed:
    """Return the count of rows whose code nobody has: what is left of them may be born, the others cannot.

    The other count takes the code of another collection for missing. Where its collection has no birth, it need not
    read the registry either, because the planner knows; a plan has to, for R10 asks who owns a code.
    """
    return SQL(
        "SELECT count(*) FROM {table} t WHERE NOT EXISTS (SELECT FROM birth.birth_registry b"
        ' WHERE b.entity_code = {code} COLLATE "C")'
    ).format(table=source.table, code=SQL(source.code))


class _Plans(Scenario):
    """Plans by dry run: every count and check of a plan, and nothing written."""

    def prepare(self) -> None:
        """Make the tables, and births for those that have them."""
        self.sources = self.made()
        self.world.execute("DELETE FROM birth.birth_registry WHERE right(entity_code, 2) = '07'")
        self.world.execute("VACUUM (ANALYZE) birth.birth_registry")

    def made(self) -> dict[str, Source]:
        """Return the tables by what is special about them."""
        raise NotImplementedError

    def contestants(self) -> Sequence[Contestant]:
        """Return floor and plan for each table."""
        return [
            contestant
            for kind, source in self.sources.items()
            for contestant in (
                Contestant(f"{kind}: {FLOOR}", partial(self.world.execute, anti_join(source))),
                Contestant(f"{kind}: {WHOEVER}", partial(self.world.execute, anti_join_of_any_owner(source))),
                Contestant(f"{kind}: plan", partial(self.plan, source)),
            )
        ]

    def plan(self, source: Source) -> None:
        """Plan; raises ValueError when the counts do not cover the table."""
        found = self.world.ask(OPERATOR, "fn_dot_birth_qt001_plan", p_collection=source.name)
        if found["source_rows"] != source.rows:
            raise ValueError(f"planned {found['source_rows']} rows of {source.rows}: {found['blockers']}")

    def conclude(self) -> None:
        """Tell the time per row."""
        rows: list[tuple[str | float, ...]] = []
        for kind, source in self.sources.items():
            times = (median(self.result.series[f"{kind}: {who}"]) for who in ("plan", FLOOR, WHOEVER))
            rows.append((kind, f"{source.rows:,}", *(1e6 * time / source.rows for time in times)))
        self.result.tables.append(
            Table("a row", ("table", "rows", *(f"{who}, µs a row" for who in ("plan", FLOOR, WHOEVER))), tuple(rows))
        )


class Plan(_Plans):
    """As many births as rows, one in a hundred missing."""

    name = "plan"
    title = "counting what a backfill would do, where almost everything is born"
    claims = (Claim("plan: as many births as rows", "born: plan", f"born: {FLOOR}", 1.15, against=FLOOR),)

    def made(self) -> dict[str, Source]:
        """Return the one table."""
        source = self.world.source("born", self.rows)
        self.world.execute(by_hand(source))
        return {"born": source}


class PlanShapes(_Plans):
    """The other shapes, and how the time grows."""

    name = "plan-shapes"
    title = "plans where nothing is born, over several columns, of rows without a code; and how they grow"
    claims = (
        *(
            Claim(f"plan: {what}", f"{kind}: plan", f"{kind}: {floor}", target, against=floor)
            for kind, what in (
                ("nothing born", "nothing born"),
                ("two columns", "identity over two columns"),
                ("no code", "no row has a code"),
            )
            for floor, target in ((FLOOR, 1.15), (WHOEVER, None))
        ),
    )

    def made(self) -> dict[str, Source]:
        """Return tables of three tenths of the rows; those without a code are as many as asked for."""
        part, quarter = max(4, self.rows * 3 // 10), max(1, self.rows // 4)
        pair = ("tenant text, no integer, title text, PRIMARY KEY (tenant, no)", "'tenant-' || (g % 4), g, 'row ' || g")
        none = ('code text COLLATE "C" UNIQUE, title text', "NULL, 'row ' || g")
        world = self.world
        born = {
            "two columns": world.made("pair", *pair, part, template="{tenant}/{no}"),
            "born": world.source("born", part),
            "born, a quarter": world.source("born_less", part // 4, first=part + 1),
        }
        for source in born.values():
            world.execute(by_hand(source))
        return {
            **born,
            "nothing born": world.source("unborn", part, first=2 * part + 1),
            "no code": world.made("nameless", *none, self.rows, column="code"),
            "no code, a quarter": world.made("nameless_less", *none, quarter, column="code"),
        }


class Stale(Scenario):
    """Census and plan right after a backfill: the statistics are those of before."""

    name = "stale"
    title = "census and plan of a collection right after its backfill, beside a filled registry"
    claims = tuple(
        Claim(f"{what} right after a backfill", f"{what}, before ANALYZE", f"{what}, after ANALYZE", 1.50)
        for what in ("census", "plan")
    )

    def prepare(self) -> None:
        """Make the table, and the births of another one."""
        self.world.fill(max(self.births, self.rows))
        self.source = self.world.source("born", self.rows)
        self.world.execute("ALTER TABLE birth.birth_registry SET (autovacuum_enabled = off)")

    def contestants(self) -> Sequence[Contestant]:
        """Return both reads, before and after ANALYZE."""
        return [
            Contestant(f"{what}, {when} ANALYZE", read, ready=ready)
            for when, ready in (("before", self.backfill), ("after", self.analyze))
            for what, read in (("census", self.census), ("plan", self.plan))
        ]

    def backfill(self) -> None:
        """Leave statistics of the time before the births of the table."""
        self.world.execute("DELETE FROM birth.birth_registry WHERE collection_name = 'born'")
        self.world.execute("VACUUM (ANALYZE) birth.birth_registry")
        self.world.execute(by_hand(self.source))

    def analyze(self) -> None:
        """Tell PostgreSQL of the births, after the same writing."""
        self.backfill()
        self.world.execute("ANALYZE birth.birth_registry")

    def census(self) -> None:
        """Take the census; raises ValueError when a row or a birth is alone."""
        checks = self.world.rows("SELECT * FROM birth.fn_birth_census('born') WHERE position('birth' IN \"check\") > 0")
        if any(check["rows"] for check in checks if "without a" in check["check"]):
            raise ValueError(f"rows or births are missing: {checks}")

    def plan(self) -> None:
        """Plan; raises ValueError when a birth is missing."""
        found = self.world.ask(OPERATOR, "fn_dot_birth_qt001_plan", p_collection="born")
        if found["existing_births"] != self.source.rows:
            raise ValueError(f"{found['existing_births']} births of {self.source.rows}")
