"""Births as rows come in: bulk, COPY, single rows, wide rows, many tables, partitions; and beside audit triggers.

The peers take part where they can: django-pghistory when it is importable, supa_audit and E-Maj when the environment
names the file of their SQL. The report says who could not, and why.
"""

import importlib.util
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, Literal

import psycopg
from psycopg.sql import SQL, Composed, Identifier
from psycopg.sql import Literal as Constant

from bench.scenario import Claim, Contestant, Parts, Scenario
from bench.world import STEWARD
from birthdb.server import client

ORDER = 60
BARE = "no gateway"
BY_HAND = "two statements"
TRIGGER = "a trigger of one INSERT"
GATEWAY = "gateway"
CODED = 'code text COLLATE "C" PRIMARY KEY, title text'
CODE = "'code-' || lpad(g::text, 11, '0')"
SECONDS = 3


class Inserting(Scenario):
    """Tables of one shape: one without a gateway, one with, and the rows that go into them."""

    rows_in_full = 300_000
    columns = CODED
    values = f"{CODE}, 'row ' || g"
    key = "code"

    def prepare(self) -> None:
        """Make the rows, as a table and as a file for COPY, and the tables that they go into."""
        self.table("source")
        self.world.execute(
            SQL("INSERT INTO public.source SELECT {} FROM generate_series(1, {}) AS g").format(
                SQL(self.values), Constant(self.rows)
            )
        )
        self.world.execute("VACUUM (ANALYZE) public.source")
        self.table("bare")
        self.governed("item")

    def table(self, name: str, tail: str = "") -> None:
        """Make a table of the scenario's shape."""
        self.world.execute(SQL("CREATE TABLE {} ({}) {}").format(Identifier(name), SQL(self.columns), SQL(tail)))

    def governed(self, name: str, mode: Literal["observe", "enforce"] = "enforce", tail: str = "") -> None:
        """Make a table with a gateway; collection and table have one name."""
        self.table(name, tail)
        if tail:
            self.world.execute(
                SQL("CREATE TABLE {} PARTITION OF {} DEFAULT").format(Identifier(f"{name}_rest"), Identifier(name))
            )
            self.world.execute(SQL("GRANT TRIGGER ON {} TO birth_definer").format(Identifier(f"{name}_rest")))
        self.world.execute(
            SQL("GRANT SELECT ON {0} TO birth_scanner; GRANT TRIGGER ON {0} TO birth_definer").format(Identifier(name))
        )
        self.world.govern(name, column=self.key)
        self.world.ask(STEWARD, "fn_birth_gateway_attach", p_collection=name, p_mode=mode)

    def reset(self) -> None:
        """Empty the tables and the registry."""
        tables = self.world.rows(
            "SELECT c.relname AS name FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace"
            " AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> 'source'"
        )
        self.world.execute(SQL("TRUNCATE {}").format(SQL(", ").join(Identifier(row["name"]) for row in tables)))
        self.world.empty()

    def contestants(self) -> Sequence[Contestant]:
        """Return the floor, the gateway, and the rows alone."""
        return [
            Contestant(BARE, partial(self.fill, "bare")),
            Contestant(BY_HAND, self.by_hand),
            Contestant(GATEWAY, partial(self.fill, "item"), check=self.born),
        ]

    def fill(self, name: str) -> None:
        """Insert every row in one statement."""
        self.world.execute(SQL("INSERT INTO {} SELECT * FROM public.source").format(Identifier(name)))

    def by_hand(self) -> None:
        """Insert every row, and then the births by a statement of their own, in one transaction."""
        with self.world.admin.transaction():
            self.fill("bare")
            self.world.execute(self.second())

    def second(self) -> Composed:
        """Return the statement that a person writes for the births."""
        return SQL(
            "INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin)"
            " SELECT s.{}::text, 'bare', 'by hand' FROM public.source s ON CONFLICT DO NOTHING"
        ).format(Identifier(self.key))

    def born(self, rows: int | None = None) -> None:
        """Raise ValueError unless every row was born."""
        born = self.world.value("SELECT count(*) FROM birth.birth_registry")
        if born != (rows or self.rows):
            raise ValueError(f"{born} births of {rows or self.rows} rows")


class Bulk(Inserting):
    """One INSERT … SELECT."""

    name = "gateway-bulk"
    title = "INSERT of many rows in one statement"
    claims = (Claim("gateway: INSERT of {rows:,} rows", GATEWAY, BY_HAND, 1.10),)

    def prepare(self) -> None:
        """Add what is told beside it: mode observe, and a partitioned table."""
        super().prepare()
        self.part = max(1, self.rows // 10)
        self.governed("watched", "observe")
        self.table("bare_parted", f"PARTITION BY RANGE ({self.key})")
        self.world.execute("CREATE TABLE public.bare_parted_rest PARTITION OF public.bare_parted DEFAULT")
        self.governed("parted", tail=f"PARTITION BY RANGE ({self.key})")

    def contestants(self) -> Sequence[Contestant]:
        """Return the usual three, mode observe, and the partitioned tables, which have a row trigger."""
        return [
            *super().contestants(),
            Contestant("gateway, observe", partial(self.fill, "watched"), check=self.born),
            Contestant("partitioned, no gateway", partial(self.fill_part, "bare_parted"), rows=self.part),
            Contestant(
                "partitioned, gateway by row",
                partial(self.fill_part, "parted"),
                rows=self.part,
                check=partial(self.born, self.part),
            ),
        ]

    def fill_part(self, name: str) -> None:
        """Insert a tenth of the rows: a row trigger is slow."""
        self.world.execute(
            SQL("INSERT INTO {} SELECT * FROM public.source LIMIT {}").format(Identifier(name), Constant(self.part))
        )


class Copy(Inserting):
    """COPY … FROM STDIN of the same."""

    name = "gateway-copy"
    title = "COPY of many rows"
    claims = (Claim("gateway: COPY of {rows:,} rows", GATEWAY, BY_HAND, 1.10),)

    def prepare(self) -> None:
        """Keep the rows as COPY writes them."""
        super().prepare()
        with self.world.admin.cursor().copy("COPY public.source TO STDOUT") as copy:
            self.data = b"".join(copy)

    def fill(self, name: str) -> None:
        """Copy every row."""
        with self.world.admin.cursor().copy(SQL("COPY {} FROM STDIN").format(Identifier(name))) as copy:
            copy.write(self.data)


class Wide(Inserting):
    """The gateway reads one column of two hundred, and the rows go through its transition table whole."""

    name = "gateway-wide"
    title = "INSERT of rows of 200 columns in one statement"
    rows_in_full = 100_000
    columns = ", ".join([CODED, *(f"c{n} integer" for n in range(198))])
    values = ", ".join([CODE, "'row ' || g", *("g" for n in range(198))])
    claims = (Claim("gateway: INSERT of {rows:,} rows of 200 columns", GATEWAY, BY_HAND, 1.10),)


class Many(Inserting):
    """A few rows into each of fifty tables, and one commit."""

    name = "gateway-many"
    title = "three rows into each of 50 tables in one transaction"
    rows_in_full = 0
    tables = 50
    repeats = 20
    claims = (Claim("gateway: 3 rows into each of 50 tables, one transaction", GATEWAY, BY_HAND, None),)

    def prepare(self) -> None:
        """Make fifty tables without and fifty with a gateway."""
        for number in range(self.tables):
            self.table(f"bare_{number}")
            self.governed(f"item_{number}")

    def contestants(self) -> Sequence[Contestant]:
        """Return the three."""
        return [
            Contestant(BARE, partial(self.run, "bare", births=False)),
            Contestant(BY_HAND, partial(self.run, "bare", births=True)),
            Contestant(
                GATEWAY,
                partial(self.run, "item", births=False),
                check=partial(self.born, 3 * self.tables * self.repeats),
            ),
        ]

    def run(self, prefix: str, *, births: bool) -> None:
        """Send the transactions: three rows a statement, and for each statement that of its births where asked."""
        for repeat in range(self.repeats):
            with self.world.admin.transaction():
                for number in range(self.tables):
                    name = f"{prefix}_{number}"
                    codes = [f"{number}-{repeat}-{row}" for row in range(3)]
                    self.world.execute(
                        SQL("INSERT INTO {} SELECT c, 'row' FROM unnest(%s::text[]) AS c").format(Identifier(name)),
                        (codes,),
                    )
                    if births:
                        self.world.execute(
                            "INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin)"
                            " SELECT c, %s, 'by hand' FROM unnest(%s::text[]) AS c ON CONFLICT DO NOTHING",
                            (name, codes),
                        )


class Single(Inserting):
    """pgbench, two clients, one row a transaction, prepared statements."""

    name = "gateway-single"
    title = "single rows by pgbench, two clients, each row a transaction"
    rows_in_full = 0
    unit = "rows/s"
    columns = "id bigint PRIMARY KEY, title text"
    key = "id"
    claims: ClassVar[tuple[Claim, ...]] = (
        Claim("gateway: single rows, a code", GATEWAY, BARE, 0.75, at_least=True),
        Claim("gateway: single rows, numbered identity", "gateway, numbered", BARE, 0.75, at_least=True),
        Claim("gateway: single rows, a code in a later column", "gateway, a later column", BARE, None, at_least=True),
        Claim("gateway: single rows, partitioned", "partitioned, gateway", "partitioned", None, at_least=True),
    )

    def prepare(self) -> None:
        """Make one table of each kind, and a script for each."""
        self.folder = TemporaryDirectory(prefix="birthdb-bench-")
        self.world.execute("CREATE SEQUENCE public.number CACHE 100")
        self.kinds: dict[str, str] = {}
        self.table("bare")
        self.kinds[BARE] = "bare"
        self.governed("item")
        self.kinds[GATEWAY] = "item"
        self.numbered("numbered")
        self.kinds["gateway, numbered"] = "numbered"
        self.columns = "title text, a integer, b integer, id bigint PRIMARY KEY"
        self.governed("second")
        self.kinds["gateway, a later column"] = "second"
        self.columns = Single.columns
        self.table("bare_parted", "PARTITION BY RANGE (id)")
        self.world.execute("CREATE TABLE public.bare_parted_rest PARTITION OF public.bare_parted DEFAULT")
        self.kinds["partitioned"] = "bare_parted"
        self.governed("parted", tail="PARTITION BY RANGE (id)")
        self.kinds["partitioned, gateway"] = "parted"
        for table in self.kinds.values():
            (Path(self.folder.name) / table).write_text(
                f"INSERT INTO public.{table} (id, title) VALUES (nextval('public.number'), 'row');\n", encoding="utf-8"
            )

    def numbered(self, name: str) -> None:
        """Make a table whose codes are a prefix and its id."""
        self.table(name)
        self.world.execute(
            SQL("GRANT SELECT ON {0} TO birth_scanner; GRANT TRIGGER ON {0} TO birth_definer").format(Identifier(name))
        )
        where = {"p_collection": name, "p_schema": "public", "p_table": name, "p_coverage_status": "BIRTH_REQUIRED"}
        self.world.ask(STEWARD, "fn_birth_collection_register", **where)
        identity = {"p_collection": name, "p_strategy": "synthetic_id", "p_column": "id", "p_prefix": "N-"}
        self.world.ask(STEWARD, "fn_birth_identity_classify", **identity)
        self.world.ask(STEWARD, "fn_birth_gateway_attach", p_collection=name, p_mode="enforce")

    def contestants(self) -> Sequence[Contestant]:
        """Return one a kind."""
        return [Contestant(series, partial(self.pgbench, series, table)) for series, table in self.kinds.items()]

    def pgbench(self, series: str, table: str) -> Parts:
        """Run pgbench for some seconds; return its rate."""
        return {series: self.world.pgbench(Path(self.folder.name) / table, SECONDS if self.rounds > 1 else 1)}

    def close(self) -> None:
        """Remove the scripts."""
        self.folder.cleanup()


class Loop(Single):
    """What a row costs the processor above the bare table, beside a statement trigger of one INSERT."""

    name = "gateway-loop"
    title = "single rows in one transaction, into a filled registry: processor time of each above the bare table"
    rows_in_full = 20_000
    unit = "µs a row"
    claims: ClassVar[tuple[Claim, ...]] = (
        Claim("gateway: {rows:,} single rows in one transaction, a code", GATEWAY, TRIGGER, 2.0),
        Claim("gateway: {rows:,} single rows in one transaction, numbered", "gateway, numbered", TRIGGER, 2.0),
        Claim(
            "gateway: {rows:,} single rows in one transaction, a code in a later column",
            "gateway, a later column",
            TRIGGER,
            None,
        ),
    )

    def prepare(self) -> None:
        """Fill the registry; make one table of each kind, and a trigger as a person writes it."""
        self.world.fill(self.births)
        self.kinds = {TRIGGER: "by_hand", GATEWAY: "item", "gateway, numbered": "numbered"}
        self.table("bare")
        self.table("by_hand")
        self.world.execute(
            """
            CREATE FUNCTION public.by_hand() RETURNS trigger LANGUAGE plpgsql
            SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
            BEGIN
              INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin)
              SELECT 'H-' || n.id, 'by_hand', 'by hand' FROM birth_new_rows n ON CONFLICT DO NOTHING;
              RETURN NULL;
            END $$;
            ALTER FUNCTION public.by_hand() OWNER TO birth_definer;
            CREATE TRIGGER by_hand AFTER INSERT ON public.by_hand REFERENCING NEW TABLE AS birth_new_rows
              FOR EACH STATEMENT EXECUTE FUNCTION public.by_hand()
            """
        )
        self.governed("item")
        self.numbered("numbered")
        self.columns = "title text, id bigint PRIMARY KEY"
        self.governed("second")
        self.kinds["gateway, a later column"] = "second"
        self.next = 1

    def reset(self) -> None:
        """Leave what is there: births come into a filled registry."""

    def contestants(self) -> Sequence[Contestant]:
        """Return one a kind."""
        return [
            Contestant(series, partial(self.loop, series, table), check=partial(self.all_born, table))
            for series, table in self.kinds.items()
        ]

    def loop(self, series: str, table: str) -> Parts:
        """Insert the rows one by one, first into the bare table; return the difference."""
        bare, other = self.spent("bare"), self.spent(table)
        self.next += self.rows
        return {series: (other - bare) / self.rows}

    def spent(self, table: str) -> float:
        """Insert the rows one by one in one transaction; return microseconds of the server process."""
        before = self.clock()
        self.world.execute(
            SQL(
                "DO $$ BEGIN FOR i IN {}..{} LOOP INSERT INTO {} (id, title) VALUES (i, 'row'); END LOOP; END $$"
            ).format(Constant(self.next), Constant(self.next + self.rows - 1), Identifier(table))
        )
        return self.clock() - before

    def clock(self) -> float:
        """Return microseconds that the server process has run so far; by the wall clock where that is not told."""
        file = Path(f"/proc/{self.world.admin.info.backend_pid}/schedstat")
        if self.world.cluster.local and file.exists():
            return int(file.read_text().split()[0]) / 1e3
        return time.perf_counter() * 1e6

    def all_born(self, table: str) -> None:
        """Raise ValueError unless every row of a table was born."""
        born = self.world.value("SELECT count(*) FROM birth.birth_registry WHERE collection_name = %s", (table,))
        rows = self.world.value(SQL("SELECT count(*) FROM {}").format(Identifier(table)))
        if born != rows:
            raise ValueError(f"{born} births of {rows} rows of {table}")

    def close(self) -> None:
        """Nothing was left outside the database."""


class Peers(Inserting):
    """Audit triggers record the row, where a gateway records that it exists: the nearest thing that people install."""

    name = "gateway-peers"
    title = "INSERT of many rows in one statement, beside audit triggers"

    def prepare(self) -> None:
        """Install who can be installed."""
        super().prepare()
        self.present: dict[str, str] = {}
        peers = (("supa_audit", self.supa_audit), ("E-Maj", self.emaj), ("django-pghistory", self.pghistory))
        for peer, install in peers:
            try:
                self.present[peer] = install()
            except (LookupError, psycopg.Error, subprocess.CalledProcessError) as error:
                self.result.notes.append(f"{peer}: not measured: {_reason(error)}")
        self.result.claims = tuple(
            Claim(f"gateway against {peer}: INSERT of {{rows:,}} rows", GATEWAY, peer, 1.0) for peer in self.present
        )

    def contestants(self) -> Sequence[Contestant]:
        """Return the rows alone, the gateway, and each peer that is present."""
        others = [Contestant(peer, partial(self.fill, table)) for peer, table in self.present.items()]
        return [*(one for one in super().contestants() if one.name != BY_HAND), *others]

    def reset(self) -> None:
        """Empty what the peers wrote, too."""
        super().reset()
        for log in ("audit.record_version", "emaj_public.logged_log"):
            if self.world.value("SELECT to_regclass(%s)", (log,)):
                self.world.execute(SQL("TRUNCATE {}").format(SQL(".").join(map(Identifier, log.split(".")))))

    def supa_audit(self) -> str:
        """Install supa_audit from its SQL; return its table."""
        text = _sql("SUPA_AUDIT")
        self.world.execute('CREATE EXTENSION IF NOT EXISTS "uuid-ossp"')
        text = re.sub(r"(?m)^\s*select pg_catalog\.pg_extension_config_dump.*$", "", text)
        self.world.execute(text.encode())
        self.table("audited")
        self.world.execute("SELECT audit.enable_tracking('public.audited'::regclass)")
        return "audited"

    def emaj(self) -> str:
        """Install E-Maj with psql, start a group of one table; return the table."""
        text = _sql("EMAJ")
        with TemporaryDirectory(prefix="birthdb-bench-") as folder:
            file = Path(folder) / "emaj.sql"
            file.write_text(text, encoding="utf-8")
            command = [
                str(client("psql")),
                "-X",
                "-q",
                "-v",
                "ON_ERROR_STOP=1",
                "-d",
                self.world.url(),
                "-f",
                str(file),
            ]
            subprocess.run(command, capture_output=True, text=True, check=True)
        self.table("logged")
        self.world.execute("SELECT emaj.emaj_create_group('bench')")
        self.world.execute("SELECT emaj.emaj_assign_table('public', 'logged', 'bench')")
        self.world.execute("SELECT emaj.emaj_start_group('bench', 'begin')")
        return "logged"

    def pghistory(self) -> str:
        """Let django-pghistory write its event table and its statement trigger; return the table."""
        if not importlib.util.find_spec("pghistory"):
            raise LookupError("it is not installed")
        self.table("tracked")
        command = [sys.executable, "-m", "bench.pghistory_track", self.world.url()]
        subprocess.run(command, capture_output=True, text=True, check=True)
        return "tracked"


def _reason(error: Exception) -> str:
    """Return the line that says why."""
    text = error.stderr if isinstance(error, subprocess.CalledProcessError) else str(error)
    lines = [line for line in text.strip().splitlines() if "ERROR" in line] or text.strip().splitlines()
    return re.sub(
        r"^psql:\S+ |\S*/\S+", "", lines[-1] if isinstance(error, subprocess.CalledProcessError) else lines[0]
    ).strip()


def _sql(name: str) -> str:
    """Return the SQL of a peer, from the file that the environment names. Raises LookupError where it names none."""
    variable = f"BIRTHDB_BENCH_{name}"
    file = os.environ.get(variable)
    if not file:
        raise LookupError(f"{variable} names no file of its SQL")
    return Path(file).read_text(encoding="utf-8")
