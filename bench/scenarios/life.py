"""Rows that end: what their deaths cost beside triggers that a person writes with the same two checks.

The checks: the birth is of this collection, and no row of the table has the code any more.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

from psycopg.sql import SQL, Identifier
from psycopg.sql import Literal as Constant

from bench.scenario import Claim, Contestant, Parts
from bench.scenarios.gateway import SECONDS, Inserting
from bench.world import STEWARD

ORDER = 65
BARE = "no trigger for deaths"
BY_HAND = "a trigger by hand"
LIFE = "life triggers"
PARTED_BARE = "partitioned, no trigger for deaths"
PARTED = "partitioned, life triggers by row"

_BY_HAND = """
GRANT SELECT ON public.by_hand TO birth_definer;
CREATE FUNCTION public.deaths_of_rows() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO birth.birth_death AS d (entity_code, collection_name, manner)
  SELECT b.entity_code, 'by_hand', 'DELETE'
  FROM birth_old_rows o JOIN birth.birth_registry b ON b.entity_code = o.code
  WHERE b.collection_name = 'by_hand' AND NOT EXISTS (SELECT FROM public.by_hand t WHERE t.code = o.code)
  ON CONFLICT (entity_code) DO UPDATE
  SET died_at = excluded.died_at, died_xid = excluded.died_xid, returned_at = NULL WHERE d.returned_at IS NOT NULL;
  RETURN NULL;
END $$;
CREATE FUNCTION public.deaths_of_table() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO birth.birth_death AS d (entity_code, collection_name, manner)
  SELECT b.entity_code, 'by_hand', 'DELETE'
  FROM public.by_hand t JOIN birth.birth_registry b ON b.entity_code = t.code
  WHERE b.collection_name = 'by_hand'
  ON CONFLICT (entity_code) DO UPDATE
  SET died_at = excluded.died_at, died_xid = excluded.died_xid, returned_at = NULL WHERE d.returned_at IS NOT NULL;
  RETURN NULL;
END $$;
ALTER FUNCTION public.deaths_of_rows() OWNER TO birth_definer;
ALTER FUNCTION public.deaths_of_table() OWNER TO birth_definer;
CREATE TRIGGER deaths_of_rows AFTER DELETE ON public.by_hand REFERENCING OLD TABLE AS birth_old_rows
  FOR EACH STATEMENT EXECUTE FUNCTION public.deaths_of_rows();
CREATE TRIGGER deaths_of_table BEFORE TRUNCATE ON public.by_hand
  FOR EACH STATEMENT EXECUTE FUNCTION public.deaths_of_table();
"""


class Ending(Inserting):
    """Tables with a gateway: one without a trigger for deaths, one with a trigger by hand, one with life triggers."""

    tables: ClassVar[dict[str, str]] = {BARE: "bare_life", BY_HAND: "by_hand", LIFE: "item"}

    def prepare(self) -> None:
        """Fill the registry with births of others, and make the tables."""
        self.world.fill(self.births)
        super().prepare()
        for name in ("bare_life", "by_hand"):
            self.governed(name)
        self.world.execute(_BY_HAND)
        self.world.ask(STEWARD, "fn_birth_life_attach", p_collection="item", p_mode="observe")

    def reset(self) -> None:
        """Empty the tables without a death, and take the births of their rows away."""
        self.world.execute("SET session_replication_role = replica")
        for name in self.tables.values():
            self.world.execute(SQL("TRUNCATE {}").format(Identifier(name)))
        self.world.execute("RESET session_replication_role")
        self.world.execute("TRUNCATE birth.birth_death")
        self.world.execute("DELETE FROM birth.birth_registry WHERE collection_name <> 'older'")
        self.world.execute("VACUUM birth.birth_registry")

    def full(self, name: str) -> None:
        """Fill a table: every row is born."""
        self.fill(name)
        for table in (name, "birth_registry"):
            schema = "birth" if table == "birth_registry" else "public"
            self.world.execute(SQL("VACUUM (ANALYZE) {}").format(Identifier(schema, table)))

    def each(self, statement: str) -> list[Contestant]:
        """Return a contestant for each table that sends a statement in which {} is the table."""
        return [
            Contestant(
                series,
                partial(self.send, statement, name),
                ready=partial(self.full, name),
                check=partial(self.ended, 0 if series == BARE else self.ends()),
            )
            for series, name in self.tables.items()
        ]

    def send(self, statement: str, name: str) -> None:
        """Send a statement about a table."""
        self.world.execute(SQL(statement).format(Identifier(name)))

    def ends(self) -> int:
        """Return how many rows a turn ends."""
        return self.rows

    def ended(self, rows: int) -> None:
        """Raise ValueError unless so many are dead."""
        dead = self.world.value("SELECT count(*) FROM birth.birth_death WHERE returned_at IS NULL")
        if dead != rows:
            raise ValueError(f"{dead} deaths of {rows} rows")


class Deleting(Ending):
    """One DELETE; and by row, where the table is partitioned."""

    name = "life-delete"
    title = "DELETE of many rows in one statement, beside a filled registry"
    claims = (
        Claim("life: DELETE of {rows:,} rows", LIFE, BY_HAND, 1.10),
        Claim("life: DELETE of {rows:,} rows, by row on a partitioned table", PARTED, PARTED_BARE, None),
    )
    tables: ClassVar[dict[str, str]] = Ending.tables | {PARTED_BARE: "bare_parted", PARTED: "parted"}

    def prepare(self) -> None:
        """Add the partitioned tables."""
        super().prepare()
        self.part = max(1, self.rows // 10)
        for name in ("bare_parted", "parted"):
            self.governed(name, tail=f"PARTITION BY RANGE ({self.key})")
        self.world.ask(STEWARD, "fn_birth_life_attach", p_collection="parted", p_mode="observe")

    def contestants(self) -> Sequence[Contestant]:
        """Return the three, and the partitioned tables with a tenth of the rows: a row trigger is slow."""
        parted = [
            Contestant(
                series,
                partial(self.send, "DELETE FROM {}", name),
                rows=self.part,
                ready=partial(self.fill_part, name),
                check=partial(self.ended, dead),
            )
            for series, name, dead in ((PARTED_BARE, "bare_parted", 0), (PARTED, "parted", self.part))
        ]
        return [*(one for one in self.each("DELETE FROM {}") if one.name in Ending.tables), *parted]

    def fill_part(self, name: str) -> None:
        """Insert a tenth of the rows."""
        self.world.execute(
            SQL("INSERT INTO {} SELECT * FROM public.source LIMIT {}").format(Identifier(name), Constant(self.part))
        )
        self.world.execute("VACUUM (ANALYZE) birth.birth_registry")


class Truncating(Ending):
    """TRUNCATE, which observe records."""

    name = "life-truncate"
    title = "TRUNCATE of a table with many rows, beside a filled registry"
    claims = (Claim("life: TRUNCATE of {rows:,} rows", LIFE, BY_HAND, 1.10),)

    def contestants(self) -> Sequence[Contestant]:
        """Return the three."""
        return self.each("TRUNCATE {}")


class Looping(Ending):
    """Single rows, deleted by their key in one transaction."""

    name = "life-loop"
    title = "DELETE of single rows in one transaction, beside a filled registry"
    rows_in_full = 20_000
    claims = (
        Claim("life: {rows:,} single DELETEs in one transaction", LIFE, BY_HAND, 2.0),
        Claim("life: {rows:,} single DELETEs in one transaction", LIFE, BARE, None),
    )

    def contestants(self) -> Sequence[Contestant]:
        """Return the three."""
        loop = "DO $$ BEGIN FOR i IN 1..{} LOOP DELETE FROM {{}} WHERE code = 'code-' || lpad(i::text, 11, '0'); "
        return self.each(loop.format(self.rows) + "END LOOP; END $$")


class Updating(Ending):
    """An UPDATE of another column, and of the code itself."""

    name = "life-update"
    title = "UPDATE of many rows in one statement, beside a filled registry"
    claims = (
        Claim("life: UPDATE of another column of {rows:,} rows", LIFE, BARE, 1.15),
        Claim("life: UPDATE of the code of {rows:,} rows", "life triggers, codes", "no trigger, codes", None),
    )

    def contestants(self) -> Sequence[Contestant]:
        """Return both tables, and both again for a tenth of the rows with other codes."""
        part = max(1, self.rows // 10)
        recode = f"UPDATE {{}} SET code = 'x' || code WHERE code <= 'code-' || lpad('{part}', 11, '0')"
        return [
            *(
                Contestant(
                    series,
                    partial(self.send, "UPDATE {} SET title = 'other'", self.tables[series]),
                    ready=partial(self.full, self.tables[series]),
                    check=partial(self.ended, 0),
                )
                for series in (BARE, LIFE)
            ),
            *(
                Contestant(
                    series,
                    partial(self.send, recode, self.tables[of]),
                    rows=part,
                    ready=partial(self.full, self.tables[of]),
                    check=partial(self.ended, dead),
                )
                for series, of, dead in (("no trigger, codes", BARE, 0), ("life triggers, codes", LIFE, part))
            ),
        ]


class Committing(Ending):
    """pgbench, two clients: single updates of another column, each a transaction of its own."""

    name = "life-single"
    title = "single UPDATEs of another column by pgbench, two clients, each a transaction"
    rows_in_full = 100_000
    unit = "rows/s"
    claims = (Claim("life: single UPDATEs of another column", LIFE, BARE, 0.87, at_least=True),)

    def prepare(self) -> None:
        """Write a script for each table."""
        self.folder = TemporaryDirectory(prefix="birthdb-bench-")
        super().prepare()
        for table in (self.tables[BARE], self.tables[LIFE]):
            (Path(self.folder.name) / table).write_text(
                f"\\set n random(1, {self.rows})\nUPDATE public.{table} SET title = 'other'"
                " WHERE code = 'code-' || lpad((:n)::text, 11, '0');\n",
                encoding="utf-8",
            )

    def contestants(self) -> Sequence[Contestant]:
        """Return both."""
        return [
            Contestant(series, partial(self.pgbench, series), ready=partial(self.full, self.tables[series]))
            for series in (BARE, LIFE)
        ]

    def pgbench(self, series: str) -> Parts:
        """Run pgbench for some seconds; return its rate."""
        script = Path(self.folder.name) / self.tables[series]
        return {series: self.world.pgbench(script, SECONDS if self.rounds > 1 else 1)}

    def close(self) -> None:
        """Remove the scripts."""
        self.folder.cleanup()
