"""What a scenario works in: a server with durability on, a released database of its own, people with one part each.

Everything that birthdb does here is done as a user would: by its routines, by the login whose part it is.
"""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from itertools import count, pairwise
from pathlib import Path
from statistics import mean
from types import TracebackType
from typing import Any, LiteralString, Self
from uuid import UUID

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row
from psycopg.sql import SQL, Composed, Identifier, Literal, Placeholder

from bench.progress import say
from birthdb import target
from birthdb.demo.scene import DBA, OPERATOR, OWNER, REVIEWER, STEWARD, SUPERUSER, Scene
from birthdb.server import EmbeddedServer, client

__all__ = ["DBA", "OPERATOR", "OWNER", "REVIEWER", "STEWARD", "Applied", "Cluster", "Run", "Source", "World"]

#: A small dedicated server. Everything that makes a commit durable is on, as it is by default; so is autovacuum.
SETTINGS: Mapping[str, str] = {"shared_buffers": "512MB", "max_wal_size": "4GB"}

#: The settings that are printed with the figures.
SHOWN = (
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "wal_level",
    "shared_buffers",
    "work_mem",
    "maintenance_work_mem",
    "max_wal_size",
    "checkpoint_timeout",
    "autovacuum",
    "jit",
    "max_parallel_workers_per_gather",
)

Row = dict[str, Any]
Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Source:
    """A source table with its collection: both have this name, the table in schema public."""

    name: str
    #: What the code is, in SQL over a row called t.
    code: str
    rows: int

    @property
    def table(self) -> Composed:
        """The table's qualified name."""
        return SQL("public.{}").format(Identifier(self.name))


@dataclass(frozen=True)
class Run:
    """A run that only needs to be executed."""

    collection: str
    run_id: UUID
    permit_id: int
    rows: int


@dataclass(frozen=True)
class Applied:
    """A run that was executed, by the database's clock; ``batches`` are the starts of the batches."""

    run: Run
    began: float
    batches: tuple[float, ...]
    last_written: float
    finished: float

    @property
    def loop(self) -> float:
        """Seconds of all batches, each with checks, receipt and commit."""
        return sum(self.batch_seconds)

    @property
    def batch_seconds(self) -> list[float]:
        """Return the seconds of each batch, in order, with the pause after it.

        A batch's births carry the time at which its transaction began, which is when the one before it was committed.
        So all batches but the last are measured whole; the last counts as the mean of the others, because no clock of
        the database is read after its commit.
        """
        whole = [end - start for start, end in pairwise(self.batches)]
        return [*whole, mean(whole) if whole else self.last_written - self.batches[0]]


class Cluster:
    """A context manager: a server of its own or the one at ``url``, and the released database that worlds copy."""

    def __init__(self, url: str | None = None, *, durable: bool = True) -> None:
        """Remember which server; nothing is started yet."""
        self._url = url
        self._durable = durable
        self._numbers = count(1)

    def __enter__(self) -> Self:
        """Start the server, release, and enrol the people."""
        with ExitStack() as stack:
            #: Whether the server's processes are on this machine, and so can be looked at.
            self.local = self._url is None
            url = self._url or stack.enter_context(EmbeddedServer(durable=self._durable, settings=SETTINGS)).url()
            self._admin = stack.enter_context(closing(session(url)))
            with _environment(target.VARIABLE, url):
                self.scene = stack.enter_context(Scene("bench", superuser=True))
            self.scene.release("head")
            self.url = url
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop the server, or drop what was made on it."""
        self._stack.close()

    @contextmanager
    def database(self, template: str = "template0") -> Iterator[str]:
        """Make a database that belongs to the DBA, and drop it."""
        name = f"{self.scene.name}_{next(self._numbers)}"
        owner = self.scene.login(DBA)
        statement = SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}")
        self._admin.execute(statement.format(*map(Identifier, (name, template, owner))))
        try:
            yield name
        finally:
            self._admin.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name)))

    @contextmanager
    def world(self) -> Iterator["World"]:
        """Make a world of its own: a copy of the released database."""
        with self.database(self.scene.name) as name, closing(World(self, name)) as world:
            # A copy spends no permit until somebody says that it may.
            world.session(DBA).execute("SELECT birth.fn_birth_home_confirm(p_reason := 'a copy to measure')")
            world.leave(DBA)
            yield world

    def login_url(self, login: str, dbname: str) -> str:
        """Return a connection string for a person, or for the superuser."""
        return make_conninfo(self.scene._url(login), dbname=dbname)

    def about(self) -> dict[str, Any]:
        """Return what is to be known of server and machine: nothing that names either."""
        settings = {name: self._admin.execute("SELECT current_setting(%s)", (name,)).fetchone() for name in SHOWN}
        return {
            "server": f"PostgreSQL {self._admin.info.parameter_status('server_version')}",
            "cores": os.cpu_count(),
            "settings": {name: row[0] for name, row in settings.items() if row},
        }


class World:
    """One released database, and whoever acts in it."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        """Connect as the superuser."""
        self.cluster = cluster
        self.name = name
        self._sessions: dict[str, Connection] = {}
        self.admin = self.session(SUPERUSER)

    def close(self) -> None:
        """Close every session."""
        for session in self._sessions.values():
            session.close()

    # --- sessions

    def url(self, login: str = SUPERUSER) -> str:
        """Return a connection string, for pgbench and other processes."""
        return self.cluster.login_url(login, self.name)

    def session(self, login: str) -> Connection:
        """Return the session of a person, in autocommit mode; always the same one."""
        if login not in self._sessions:
            self._sessions[login] = session(self.url(login))
        return self._sessions[login]

    def leave(self, login: str) -> None:
        """Close the session of a person; the next use opens another."""
        if session := self._sessions.pop(login, None):
            session.close()

    def execute(self, query: Any, parameters: Any = None) -> None:
        """Execute a statement as the superuser."""
        self.admin.execute(query, parameters)

    def rows(self, query: Any, parameters: Any = None) -> list[Row]:
        """Return the rows of a statement of the superuser."""
        with self.admin.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query, parameters).fetchall()

    def value(self, query: Any, parameters: Any = None) -> Any:
        """Return the one value of a statement of the superuser."""
        ((value,),) = self.admin.execute(query, parameters).fetchall()
        return value

    def ask(self, login: str, routine: str, /, **arguments: Any) -> Row:
        """Return the one row of a routine called by a person."""
        with self.session(login).cursor(row_factory=dict_row) as cursor:
            (row,) = cursor.execute(_statement("SELECT * FROM", routine, arguments), arguments).fetchall()
        return row

    # --- what is worked on

    def source(self, name: str, rows: int, *, random: bool = False, first: int = 1) -> Source:
        """Make a table of so many rows with codes of 16 characters, its collection, and its identity.

        The codes are in the order of the rows, from number ``first``, after all codes of ``fill``; or scattered where
        ``random``.
        """
        code = f"substr(md5('{name}:' || g), 1, 16)" if random else f"'unit-' || lpad((g + {first - 1})::text, 11, '0')"
        columns: LiteralString = 'code text COLLATE "C" PRIMARY KEY, title text'
        return self.made(name, columns, f"{code}, 'row ' || g", rows, column="code")

    def made(
        self,
        name: str,
        columns: LiteralString,
        values: str,
        rows: int,
        *,
        column: str | None = None,
        template: str | None = None,
    ) -> Source:
        """Make a table with these columns, fill it with ``values`` over g = 1 to ``rows``, register and classify it.

        The identity is a column, or a template over several.
        """
        table = SQL("public.{}").format(Identifier(name))
        self.execute(SQL("CREATE TABLE {} ({})").format(table, SQL(columns)))
        self.execute(SQL("GRANT SELECT ON {0} TO birth_scanner; GRANT TRIGGER ON {0} TO birth_definer").format(table))
        filling = SQL("INSERT INTO {} SELECT {} FROM generate_series(1, {}) AS g")
        self.execute(filling.format(table, SQL(values), Literal(rows)))
        self.execute(SQL("VACUUM (ANALYZE) {}").format(table))
        self.govern(name, column=column, template=template)
        code = self.value("SELECT birth_code_sql FROM birth.collection_registry WHERE collection_name = %s", (name,))
        return Source(name, code, rows)

    def govern(self, name: str, *, column: str | None = None, template: str | None = None) -> None:
        """Register the table ``public.name`` as a collection whose rows must be born, and classify it."""
        register = {"p_collection": name, "p_schema": "public", "p_table": name, "p_coverage_status": "BIRTH_REQUIRED"}
        self.ask(STEWARD, "fn_birth_collection_register", **register)
        strategy = "column" if column else "legacy"
        identity = {"p_collection": name, "p_strategy": strategy, "p_column": column, "p_template": template}
        self.ask(STEWARD, "fn_birth_identity_classify", **{key: value for key, value in identity.items() if value})

    def fill(self, births: int) -> None:
        """Put births of another collection into the registry, by hand: a full registry, its codes scattered."""
        self.execute(
            "INSERT INTO birth.collection_registry (collection_name, schema_name, table_name, coverage_status)"
            " VALUES ('older', 'public', 'older', 'BIRTH_REQUIRED')"
        )
        for first in range(1, births + 1, 1_000_000):
            self.execute(
                "INSERT INTO birth.birth_registry (run_id, entity_code, collection_name, dot_origin)"
                " SELECT '00000000-0000-4000-8000-000000000000', substr(md5('older:' || g), 1, 16), 'older',"
                " 'dot-birth-backfill-apply' FROM generate_series(%s::bigint, %s) AS g ON CONFLICT DO NOTHING",
                (first, min(first + 999_999, births)),
            )
            say(f"{min(first + 999_999, births):,} of {births:,} births are there")
        self.execute("VACUUM (ANALYZE) birth.birth_registry")

    def empty(self) -> None:
        """Take every birth away."""
        self.execute("TRUNCATE birth.birth_registry")

    def settle(self) -> None:
        """Write out what earlier turns left, so that each begins right after a checkpoint."""
        self.execute("CHECKPOINT")

    # --- what birthdb does

    def plan(self, collection: str) -> Row:
        """Plan for good."""
        return self.ask(OPERATOR, "fn_dot_birth_qt001_plan", p_collection=collection, p_dry_run=False)

    def permitted(self, collection: str) -> Run:
        """Plan, review, permit, confirm."""
        plan = self.plan(collection)
        rows = plan["planned_rows"]
        review = {"p_run_id": plan["run_id"], "p_verdict": "SAFE", "p_findings": "read and counted"}
        self.ask(REVIEWER, "fn_birth_review_record", **review)
        opened = self.ask(
            OWNER,
            "fn_birth_permit_open",
            p_collection=collection,
            p_run_id=plan["run_id"],
            p_max_rows=rows,
            p_expires_at=self.value("SELECT now() + interval '1 day'"),
            p_reason="agreed",
        )
        self.ask(REVIEWER, "fn_birth_permit_confirm", p_permit_id=opened["permit_id"])
        return Run(collection, plan["run_id"], opened["permit_id"], rows)

    def apply(self, run: Run, batch: int | None = None) -> None:
        """Send the CALL: in batches of ``batch``, or of the default."""
        arguments = {
            "p_collection": run.collection,
            "p_run_id": run.run_id,
            "p_permit_id": run.permit_id,
            "p_expected_delta": run.rows,
            "p_max_rows": run.rows,
            "p_execute": True,
            **({} if batch is None else {"p_batch": batch}),
        }
        self.session(OPERATOR).execute(_statement("CALL", "sp_dot_birth_qt001_apply", arguments), arguments)

    def applied(self, run: Run) -> Applied:
        """Return when what of a run happened; raises ValueError for one that is not done with all its rows."""
        (row,) = self.rows(
            "SELECT l.status, l.actual_inserted, extract(epoch FROM l.started_at)::float8 AS began,"
            " extract(epoch FROM l.last_batch_at)::float8 AS last_written,"
            " extract(epoch FROM l.finished_at)::float8 AS finished,"
            " (SELECT array_agg(extract(epoch FROM r.born_at)::float8 ORDER BY r.batch_no)"
            "  FROM birth.birth_receipt r WHERE r.run_id = l.run_id) AS batches"
            " FROM birth.birth_backfill_ledger_v2 l WHERE l.run_id = %s",
            (run.run_id,),
        )
        born = self.value("SELECT count(*) FROM birth.birth_registry WHERE run_id = %s", (run.run_id,))
        if row["status"] != "done" or not row["actual_inserted"] == born == run.rows:
            raise ValueError(f"run {run.run_id} is {row['status']} with {born} births of {run.rows}")
        return Applied(run, row["began"], tuple(row["batches"]), row["last_written"], row["finished"])

    # --- what it cost

    def pgbench(self, script: Path, seconds: int) -> float:
        """Run a script by two clients with prepared statements; return transactions per second."""
        command = [str(client("pgbench")), "-n", "-M", "prepared", "-c", "2", "-j", "2", "-T", str(seconds)]
        told = subprocess.run([*command, "-f", str(script), self.url()], capture_output=True, text=True, check=True)
        return float(re.findall(r"tps = ([\d.]+)", told.stdout)[-1])

    def wal(self) -> int:
        """Return the WAL position in bytes; on a shared server others move it too."""
        return int(self.value("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"))

    def memory(self, login: str) -> int | None:
        """Return the bytes of private memory a session's backend holds; None where it is on another machine."""
        status = Path(f"/proc/{self.session(login).info.backend_pid}/status")
        if not self.cluster.local or not status.exists():
            return None
        held = dict(line.split(":", 1) for line in status.read_text().splitlines())["RssAnon"]
        return int(held.split()[0]) * 1024

    def indexes(self, table: str = "birth.birth_registry") -> list[str]:
        """Return the definitions of a table's indexes."""
        return [
            row["definition"]
            for row in self.rows(
                "SELECT pg_get_indexdef(i.indexrelid) AS definition FROM pg_index i"
                " WHERE i.indrelid = %s::regclass ORDER BY 1",
                (table,),
            )
        ]

    def columns(self, table: str = "birth.birth_registry") -> list[str]:
        """Return a table's columns with their types, in their order."""
        return [
            row["column"]
            for row in self.rows(
                "SELECT a.attname || ' ' || format_type(a.atttypid, a.atttypmod) AS column FROM pg_attribute a"
                " WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
                (table,),
            )
        ]


def session(url: str) -> psycopg.Connection[Any]:
    """Return a session in autocommit mode as an application has one, with the search path of its database."""
    return psycopg.connect(url, autocommit=True, client_encoding="UTF8", prepare_threshold=None)


def _statement(head: LiteralString, routine: str, arguments: Mapping[str, object]) -> Composed:
    """Return ``head`` and the routine as it is named, because the database looks for its name in what is sent."""
    bound = [SQL("{} => {}").format(Identifier(name), Placeholder(name)) for name in arguments]
    return SQL(head) + SQL(" birth.{}({})").format(Identifier(routine), SQL(", ").join(bound))


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
