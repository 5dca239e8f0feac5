"""What people write when they have no driver: a row at a time in the database, a page at a time from a client."""

from collections.abc import Iterator, Sequence
from uuid import uuid4

from psycopg.sql import SQL

from bench.scenario import Claim, Contestant, Scenario

ORDER = 20
PAGE = 10_000
ORIGIN = "by hand"
DRIVER = "birthdb: the whole CALL"
BY_ROW = "procedure, a row at a time"
FETCHED = "client, keys fetched and inserted"
PAGED = "client, INSERT … SELECT per page"

_BY_ROW = """
CREATE PROCEDURE public.register_by_row(p_collection text, p_rows bigint, p_page bigint) LANGUAGE plpgsql AS $$
DECLARE
  r_row record;
  v_done bigint := 0;
BEGIN
  FOR r_row IN SELECT i.code FROM public.item i ORDER BY i.code LIMIT p_rows LOOP
    PERFORM FROM birth.fn_birth_register(p_collection, ARRAY[r_row.code], 'by hand', NULL, false);
    v_done := v_done + 1;
    IF v_done % p_page = 0 THEN
      COMMIT;
    END IF;
  END LOOP;
END;
$$
"""


class Alternatives(Scenario):
    """Neither the row-wise procedure nor a client's loop has a permit, a receipt, a proof, or a way to resume."""

    name = "alternatives"
    title = "the driver against what people write instead"
    rows_in_full = 200_000
    claims = (
        Claim(
            "apply, in rows a second",
            BY_ROW,
            DRIVER,
            3.0,
            at_least=True,
            against=f"{BY_ROW} (a quarter of them)",
            digits=1,
        ),
        Claim("apply, in rows a second", FETCHED, DRIVER, None, at_least=True, against=FETCHED, digits=1),
        Claim("apply, in rows a second", PAGED, DRIVER, None, at_least=True, against=PAGED, digits=1),
    )

    def prepare(self) -> None:
        """Make the table and the procedure."""
        self.source = self.world.source("item", self.rows)
        self.world.execute(_BY_ROW)
        self.part = max(1, self.rows // 4)
        self.result.notes.append(
            f"The procedure registers {self.part:,} of {self.rows:,} rows and is multiplied up; a COMMIT per {PAGE:,}."
        )

    def reset(self) -> None:
        """Empty the registry."""
        self.world.empty()

    def permit(self) -> None:
        """Plan, review and permit the run of the next turn."""
        self.run = self.world.permitted(self.source.name)

    def contestants(self) -> Sequence[Contestant]:
        """Return the driver and its alternatives."""
        return [
            Contestant(DRIVER, lambda: self.world.apply(self.run), ready=self.permit),
            Contestant(BY_ROW, self.by_row, rows=self.part),
            Contestant(FETCHED, self.fetched),
            Contestant(PAGED, self.paged),
        ]

    def by_row(self) -> None:
        """Call the public register function for each row."""
        self.world.execute("CALL public.register_by_row('item', %s, %s)", (self.part, PAGE))

    def fetched(self) -> None:
        """Fetch a page of keys, insert them row by row in one pipeline, commit."""
        run = uuid4()
        for codes in self.pages():
            with self.world.admin.transaction():
                self.world.admin.cursor().executemany(
                    "INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin, run_id)"
                    " VALUES (%s, 'item', %s, %s) ON CONFLICT DO NOTHING",
                    [(code, ORIGIN, run) for code in codes],
                )

    def pages(self) -> Iterator[list[str]]:
        """Yield the keys, page by page."""
        last = ""
        while codes := [
            str(code)
            for (code,) in self.world.admin.execute(
                "SELECT code FROM public.item WHERE code > %s ORDER BY code LIMIT %s", (last, PAGE)
            )
        ]:
            yield codes
            last = codes[-1]

    def paged(self) -> None:
        """Insert a page in one statement that tells its last key, until there is none."""
        run, last = uuid4(), ""
        statement = SQL(
            "WITH page AS MATERIALIZED (SELECT code FROM public.item WHERE code > %s ORDER BY code LIMIT %s),"
            " written AS (INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin, run_id)"
            " SELECT code, 'item', %s, %s FROM page ON CONFLICT DO NOTHING) SELECT max(code) FROM page"
        )
        while row := self.world.admin.execute(statement, (last, PAGE, ORIGIN, run)).fetchone():
            if row[0] is None:
                return
            last = row[0]
