"""A scene of a backfill: a source table, the people around it, and the runs they make of it together."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from queue import Queue
from time import monotonic, sleep
from typing import Any, LiteralString
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg.sql import SQL, Composed, Identifier, Literal, Placeholder
from psycopg.types.json import Jsonb
from records import DISAGREEMENTS, OVERSTEPPED
from support import DBA as DBA
from support import POLL, Cluster, Database

from birthdb.errors import BirthError

Row = dict[str, Any]
Caught = pytest.ExceptionInfo[psycopg.Error]

STEWARD = "alice_steward"
OPERATOR = "olga_operator"
REVIEWER = "rita_reviewer"
OWNER = "paul_owner"

#: People of some tests alone: a second operator, a second reviewer, and one who is a member of every role.
SECOND_OPERATOR = "oscar_operator"
SECOND_REVIEWER = "ruth_reviewer"
EVERYBODY = "mona_many"

#: Operators who want the same at the same moment.
RIVALS = (SECOND_OPERATOR, *(f"rival_{number}_operator" for number in range(2, 9)))

#: A register core that writes no row, of a fresh set or of another, and says it did: for ``Scene.replace_routine``.
LYING_CORE = tuple(
    (f"\n{indent}{old}", f"\n{indent}{new}")
    for indent in (" " * 6, " " * 4)
    for old, new in (
        ("FROM unnest(p_codes) AS u(code)\n", "FROM unnest('{}'::text[]) AS u(code)\n"),
        (
            "GET DIAGNOSTICS v_born = ROW_COUNT",
            "v_born := (SELECT count(*) FROM unnest(p_codes) AS c(code)"
            " WHERE NOT EXISTS (SELECT FROM birth.birth_registry b WHERE b.entity_code = c.code))",
        ),
    )
)

#: A birth by hand, past gateway and writer: until its transaction ends, whoever wants the code waits.
BIRTH = "INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin) VALUES (%s, %s, 'by hand')"

_PATIENCE = 60  # seconds until a test that waits for another session is given up
_HOUR = 3_600_000  # milliseconds


@contextmanager
def refused(refusal: type[BirthError]) -> Iterator[Caught]:
    """Expect a refusal of the catalogue, by its SQLSTATE, with the facts and the next step."""
    with pytest.raises(psycopg.Error) as caught:
        yield caught
    error = caught.value
    assert error.sqlstate == refusal.sqlstate, f"{error.sqlstate} instead of {refusal.sqlstate}: {error}"
    assert error.diag.message_detail
    assert error.diag.message_hint


@contextmanager
def raised(sqlstate: str) -> Iterator[Caught]:
    """Expect an error of PostgreSQL's own, by its SQLSTATE."""
    with pytest.raises(psycopg.Error) as caught:
        yield caught
    assert caught.value.sqlstate == sqlstate, f"{caught.value.sqlstate} instead of {sqlstate}: {caught.value}"


@dataclass(frozen=True)
class Run:
    """A run with its permit, and the numbers it is called with."""

    collection: str
    run_id: UUID
    permit_id: int
    delta: int
    max_rows: int

    def arguments(self, **changed: Any) -> dict[str, object]:
        """Return the arguments that writer and driver share, some of them changed."""
        return {
            "p_collection": self.collection,
            "p_run_id": self.run_id,
            "p_permit_id": self.permit_id,
            "p_expected_delta": self.delta,
            "p_max_rows": self.max_rows,
        } | changed

    def under(self, permit_id: int) -> "Run":
        """Return the same run under a further permit."""
        return replace(self, permit_id=permit_id)


def statement(head: LiteralString, routine: str, arguments: Mapping[str, object]) -> Composed:
    """Return ``head`` and the routine as it is named, because the database looks for its name in what is sent."""
    bound = [SQL("{} => {}").format(Identifier(name), Placeholder(name)) for name in arguments]
    return SQL(head) + SQL(" birth.{}({})").format(Identifier(routine), SQL(", ").join(bound))


def driven(routine: str, arguments: Mapping[str, object], driver: LiteralString = "apply") -> Composed:
    """Return a step as the procedure sends it: a statement is of the driver when it names the driver."""
    return statement("SELECT", routine, arguments) + SQL(" /* sp_dot_birth_qt001_") + SQL(driver) + SQL(" */")


def begin(conn: psycopg.Connection[Any], run: Run, batch: int = 10) -> None:
    """Hold a run in a session, as the procedure does."""
    given = run.arguments(p_batch=batch, p_dot_origin="dot-birth-backfill-apply")
    conn.execute(driven("fn_birth_run_begin", given), given)


def step(conn: psycopg.Connection[Any], run: Run, batch: int = 10, purpose: LiteralString = "APPLY") -> str | None:
    """Do one step of a run that the session holds, as the procedure does; raise what it returns, return the status."""
    given = {"p_run_id": run.run_id, "p_permit_id": run.permit_id, "p_purpose": purpose, "p_batch": batch}
    query = statement("SELECT status, error FROM", "fn_birth_run_step", given) + SQL(
        f" /* sp_dot_birth_qt001_{purpose.lower()} */"
    )
    found = conn.execute(query, given).fetchone()
    assert found is not None
    if found[1] is not None:
        conn.execute("SELECT birth.fn_birth_refuse(%s)", (Jsonb(found[1]),))
    status: str | None = found[0]
    return status


class Driver:
    """A CALL under way in a session of its own; what it has done is known by its notices, so that nothing polls."""

    def __init__(self, conn: psycopg.Connection[Any], query: Composed, arguments: Mapping[str, object]) -> None:
        self.conn = conn
        self.pid = conn.info.backend_pid
        self._notices: Queue[str | None] = Queue()
        conn.add_notice_handler(lambda diagnostic: self._notices.put(diagnostic.message_primary))
        self._executor = ThreadPoolExecutor(1)
        self._call: Future[object] = self._executor.submit(conn.execute, query, arguments)
        self._call.add_done_callback(lambda _: self._notices.put(None))

    def next_batch(self) -> str:
        """Wait for the next committed batch and return its notice."""
        notice = self._notices.get(timeout=_PATIENCE)
        if notice is None:
            self._call.result(timeout=0)
        assert notice is not None, "the CALL ended without another batch"
        return notice

    def end(self) -> None:
        """Wait for the end of the CALL; raise what it raised."""
        self._call.result(timeout=_PATIENCE)

    @property
    def ended(self) -> bool:
        """Whether the CALL is over."""
        return self._call.done()

    def close(self) -> None:
        """Wait until the session is over, however it ends."""
        self._executor.shutdown(wait=True)
        self.conn.close()


class Scene:
    """One database, and whoever acts in it; every routine is called as the person whose part it is."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.admin = db.connect()
        #: Set by a test that forges rows as a superuser: then the records need not agree at its end.
        self.forged = False
        self._sessions: dict[str, psycopg.Connection[Any]] = {}
        self._drivers: list[Driver] = []

    # --- sessions

    def session(self, person: str) -> psycopg.Connection[Any]:
        """Return the person's session, in autocommit mode; always the same one."""
        if person not in self._sessions or self._sessions[person].closed:
            self._sessions[person] = self.db.connect(person)
        return self._sessions[person]

    def ask(self, person: str, routine: str, /, **arguments: Any) -> list[Row]:
        """Return the rows of a function called by the person."""
        return self.rows(statement("SELECT * FROM", routine, arguments), arguments, person=person)

    def ask_one(self, person: str, routine: str, /, **arguments: Any) -> Row:
        """Return the one row of a function called by the person."""
        (row,) = self.ask(person, routine, **arguments)
        return row

    def rows(self, query: Any, parameters: Any = None, *, person: str | None = None) -> list[Row]:
        """Return the rows of a statement, as the superuser unless a person is named."""
        conn = self.admin if person is None else self.session(person)
        with conn.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query, parameters).fetchall()

    def value(self, query: Any, parameters: Any = None) -> Any:
        """Return the one value of a statement of the superuser."""
        ((value,),) = self.admin.execute(query, parameters).fetchall()
        return value

    def execute(self, query: Any, parameters: Any = None) -> None:
        """Execute a statement as the superuser."""
        self.admin.execute(query, parameters)

    def halt(self) -> None:
        """End what still runs."""
        for driver in self._drivers:
            self.execute("SELECT pg_terminate_backend(%s)", (driver.pid,))
        for driver in self._drivers:
            driver.close()

    def close(self) -> None:
        """The same, and close every connection, so that the database can be copied."""
        self.halt()
        self.db.leave()

    def reopen(self) -> None:
        """Connect again as the superuser, after ``close``; people do so by themselves."""
        if self.admin.closed:
            self.admin, self._drivers = self.db.connect(), []

    # --- collections

    def collection(self, name: str = "item", rows: int = 20, *, policy: str = "BIRTH_REQUIRED") -> str:
        """Make the table ``name (id, note)`` with ids from 1, and the collection of it with codes such as item-7."""
        self.execute(SQL("CREATE TABLE public.{} (id integer PRIMARY KEY, note text)").format(Identifier(name)))
        self.insert(name, 1, rows)
        return self.govern(name, "synthetic_id", column="id", prefix=f"{name}-", policy=policy)

    def insert(self, name: str, first: int, last: int) -> None:
        """Insert the rows with these ids into the table of ``collection``."""
        self.execute(
            SQL("INSERT INTO public.{} SELECT g, 'row' FROM generate_series(%s::integer, %s) g").format(
                Identifier(name)
            ),
            (first, last),
        )

    def govern(
        self,
        name: str,
        strategy: str,
        *,
        column: str | None = None,
        prefix: str | None = None,
        template: str | None = None,
        policy: str = "BIRTH_REQUIRED",
    ) -> str:
        """Register the table ``public.name`` as a collection and classify it."""
        self.execute(
            SQL("GRANT SELECT ON {0} TO birth_scanner; GRANT TRIGGER ON {0} TO birth_definer").format(
                Identifier("public", name)
            )
        )
        self.ask(
            STEWARD,
            "fn_birth_collection_register",
            p_collection=name,
            p_schema="public",
            p_table=name,
            p_coverage_status=policy,
        )
        self.ask(
            STEWARD,
            "fn_birth_identity_classify",
            p_collection=name,
            p_strategy=strategy,
            p_column=column,
            p_prefix=prefix,
            p_template=template,
        )
        return name

    def born(self, collection: str, *codes: str) -> None:
        """Put births there as a superuser can, past gateway and writer."""
        self.admin.cursor().executemany(
            BIRTH,
            [(code, collection) for code in codes],
        )

    # --- plan, review, permit

    def examine(self, collection: str, *, by: str = OPERATOR) -> Row:
        """Return a plan's dry run."""
        return self.ask_one(by, "fn_dot_birth_qt001_plan", p_collection=collection)

    def plan(self, collection: str, *, by: str = OPERATOR) -> Row:
        """Plan for good."""
        return self.ask_one(by, "fn_dot_birth_qt001_plan", p_collection=collection, p_dry_run=False)

    def review(self, run_id: UUID, verdict: str = "SAFE", *, by: str = REVIEWER, **arguments: Any) -> Row:
        """Record a verdict."""
        given = {"p_run_id": run_id, "p_verdict": verdict, "p_findings": "read and counted"} | arguments
        return self.ask_one(by, "fn_birth_review_record", **given)

    def absolve(self, run_id: UUID, purpose: str = "APPLY", *, by: str = REVIEWER, **arguments: Any) -> Row:
        """Record a verdict SAFE that names what stands against it."""
        named = self.value(
            "SELECT array_agg(review_id) FROM birth.v_birth_verdict_standing"
            " WHERE run_id = %s AND purpose = %s AND verdict <> 'SAFE'",
            (run_id, purpose),
        )
        return self.review(run_id, by=by, p_purpose=purpose, p_supersedes=named, **arguments)

    def open_permit(self, collection: str, run_id: UUID, rows: int, *, by: str = OWNER, **arguments: Any) -> int:
        """Open a permit for a day."""
        tomorrow = self.value("SELECT now() + interval '1 day'")
        given = {
            "p_collection": collection,
            "p_run_id": run_id,
            "p_max_rows": rows,
            "p_expires_at": tomorrow,
            "p_reason": "agreed",
        } | arguments
        permit_id: int = self.ask_one(by, "fn_birth_permit_open", **given)["permit_id"]
        return permit_id

    def confirm(self, permit_id: int, *, by: str = REVIEWER) -> None:
        """Confirm a permit."""
        self.ask(by, "fn_birth_permit_confirm", p_permit_id=permit_id)

    def revoke(self, permit_id: int) -> None:
        """Revoke a permit."""
        self.ask(OWNER, "fn_birth_permit_revoke", p_permit_id=permit_id, p_reason="changed our mind")

    def expire(self, permit_id: int) -> None:
        """Set a permit's expiry into the past, as only a superuser can."""
        self.execute(
            "UPDATE birth.birth_admission_permit_v2 SET opened_at = opened_at - interval '2 days',"
            " expires_at = clock_timestamp() - interval '1 second' WHERE permit_id = %s",
            (permit_id,),
        )

    def permit(self, run: Run, rows: int, purpose: str = "APPLY") -> int:
        """Open a permit of a run and confirm it."""
        permit_id = self.open_permit(run.collection, run.run_id, rows, p_purpose=purpose)
        self.confirm(permit_id)
        return permit_id

    def permitted(self, collection: str = "item", max_rows: int | None = None, *, accept_orphans: int = 0) -> Run:
        """Plan, review, permit, confirm: a run that only needs to be executed."""
        plan = self.plan(collection)
        bound = max_rows or plan["planned_rows"]
        self.review(plan["run_id"], p_accept_orphans=accept_orphans)
        permit_id = self.open_permit(collection, plan["run_id"], bound)
        self.confirm(permit_id)
        return Run(collection, plan["run_id"], permit_id, min(plan["planned_rows"], bound), bound)

    def permitted_change(self, collection: str, to: str, *, governed: bool | None = None) -> Run:
        """Plan, review, permit, confirm: a change of policy that only needs to be executed."""
        arguments = {"p_collection": collection, "p_to_status": to, "p_to_governed": governed, "p_dry_run": False}
        plan = self.ask_one(OPERATOR, "fn_dot_birth_qt005_plan", **arguments)
        self.review(plan["run_id"])
        run = Run(collection, plan["run_id"], 0, 1, 1)
        return run.under(self.permit(run, 1, "TRANSITION"))

    def permitted_deaths(self, collection: str) -> Run:
        """Plan, review, permit, confirm: a death run that only needs to be executed."""
        plan = self.ask_one(OPERATOR, "fn_dot_birth_qt006_plan", p_collection=collection, p_dry_run=False)
        rows = plan["planned_rows"]
        self.review(plan["run_id"], p_accept_orphans=rows)
        run = Run(collection, plan["run_id"], 0, rows, rows)
        return run.under(self.permit(run, rows, "DEATH"))

    # --- execution

    def apply(self, run: Run, *, batch: int = 1000, by: str = OPERATOR, **changed: Any) -> list[str]:
        """Send the CALL and return its notices."""
        arguments = run.arguments(p_batch=batch, p_execute=True) | changed
        return self._call(by, "sp_dot_birth_qt001_apply", arguments)

    def write(self, run: Run, *, batch: int = 1000, by: str = OPERATOR, **changed: Any) -> Row:
        """Call the writer itself, for the whole run in one transaction."""
        arguments = run.arguments(p_batch_size=batch, p_dry_run=False, p_execute=True) | changed
        return self.ask_one(by, "fn_dot_birth_qt001_apply", **arguments)

    def change(self, run: Run, *, by: str = OPERATOR) -> list[str]:
        """Send the CALL that changes a policy and return its notices."""
        arguments = {"p_run_id": run.run_id, "p_permit_id": run.permit_id, "p_execute": True}
        return self._call(by, "sp_dot_birth_qt005_apply", arguments)

    def end(self, run: Run, *, batch: int = 1000, by: str = OPERATOR) -> list[str]:
        """Send the CALL of a death run and return its notices."""
        arguments = {"p_run_id": run.run_id, "p_permit_id": run.permit_id, "p_batch": batch, "p_execute": True}
        return self._call(by, "sp_dot_birth_qt006_apply", arguments)

    def compensate(self, run: Run, *, batch: int = 1000, by: str = OPERATOR, **changed: Any) -> list[str]:
        """Send the CALL that undoes a run and return its notices."""
        arguments = {
            "p_run_id": run.run_id,
            "p_permit_id": run.permit_id,
            "p_batch": batch,
            "p_execute": True,
        } | changed
        return self._call(by, "sp_dot_birth_qt001_compensate", arguments)

    def compensable(self, run: Run, rows: int | None = None) -> Run:
        """Have the undoing of a run reviewed and permitted."""
        self.review(run.run_id, p_purpose="COMPENSATE")
        return run.under(self.permit(run, rows or self.ledger(run)["actual_inserted"], "COMPENSATE"))

    def start(self, run: Run, *, batch: int = 5, by: str = OPERATOR) -> Driver:
        """Start the CALL in another session, one batch an hour; return when the first one is committed."""
        self.tune(run, batch, _HOUR)
        # A pause counts from the last batch, and an earlier attempt may have just written one.
        self.execute("UPDATE birth.birth_backfill_ledger_v2 SET last_batch_at = last_batch_at - interval '1 day'")
        driver = self._start(by, "sp_dot_birth_qt001_apply", run.arguments(p_batch=batch, p_execute=True))
        driver.next_batch()
        return driver

    def start_compensation(self, run: Run, *, batch: int = 5) -> Driver:
        """Start undoing in another session, one batch an hour; return when the first one is committed."""
        self.tune(run, batch, _HOUR)
        # A pause counts from the last batch, and the last of its apply has just been written.
        self.execute("UPDATE birth.birth_backfill_ledger_v2 SET last_batch_at = last_batch_at - interval '1 day'")
        arguments = {"p_run_id": run.run_id, "p_permit_id": run.permit_id, "p_batch": batch, "p_execute": True}
        driver = self._start(OPERATOR, "sp_dot_birth_qt001_compensate", arguments)
        driver.next_batch()
        return driver

    def start_again(self, run: Run, *, by: str = OPERATOR) -> Driver:
        """Send the CALL of a paused run in another session; return when it holds the run."""
        epoch = self.ledger(run)["epoch"]
        driver = self._start(by, "sp_dot_birth_qt001_apply", run.arguments(p_batch=5, p_execute=True))
        self.until(driver, lambda: self.ledger(run)["epoch"] != epoch, "holding the run")
        return driver

    def start_unpaced(self, run: Run, *, batch: int = 1000, by: str = OPERATOR) -> Driver:
        """Start the CALL in another session and return at once."""
        return self._start(by, "sp_dot_birth_qt001_apply", run.arguments(p_batch=batch, p_execute=True))

    def tune(self, run: Run, batch: int, pause_ms: int) -> None:
        """Change the pace of a run."""
        self.ask(OPERATOR, "fn_birth_run_tune", p_run_id=run.run_id, p_batch=batch, p_pause_ms=pause_ms)

    def go_on(self, run: Run, batch: int = 1000) -> None:
        """Take the pause out of a run."""
        self.tune(run, batch, 0)

    def stop(self, run: Run, *, by: str = OPERATOR) -> None:
        """Ask a run to stop."""
        self.ask(by, "fn_birth_run_stop", p_run_id=run.run_id, p_reason="enough for now")

    def stopped_after_a_batch(self, run: Run, *, batch: int = 5) -> None:
        """Leave a run stopped, with one batch committed."""
        driver = self.start(run, batch=batch)
        self.stop(run)
        with suppress(psycopg.Error):
            driver.end()
        self.go_on(run)

    def _call(self, by: str, routine: str, arguments: Mapping[str, object]) -> list[str]:
        notices: list[str] = []
        conn = self.session(by)

        def noted(diagnostic: psycopg.errors.Diagnostic) -> None:
            notices.append(diagnostic.message_primary or "")

        conn.add_notice_handler(noted)
        try:
            conn.execute(statement("CALL", routine, arguments), arguments)
        finally:
            conn.remove_notice_handler(noted)
        return notices

    def _start(self, by: str, routine: str, arguments: Mapping[str, object]) -> Driver:
        return self.send(self.db.connect(by), statement("CALL", routine, arguments), arguments)

    def send(self, conn: psycopg.Connection[Any], query: Composed, arguments: Mapping[str, object] = {}) -> Driver:
        """Send a statement and return at once; what still waits when the scene is over is ended."""
        driver = Driver(conn, query, arguments)
        self._drivers.append(driver)
        return driver

    def wait_for(self, driver: Driver, pid: int) -> None:
        """Return when what was sent waits for a session."""
        blocked = "SELECT %s = ANY (pg_blocking_pids(%s))"
        self.until(driver, lambda: self.value(blocked, (pid, driver.pid)), f"waiting for {pid}")

    def until(self, driver: Driver, seen: Callable[[], object], what: str) -> None:
        """Return when something is seen of what was sent, which has not ended by then."""
        deadline = monotonic() + _PATIENCE
        while not seen():
            assert not driver.ended, f"it ended without {what}"
            assert monotonic() < deadline, f"it goes on without {what}"
            sleep(POLL)

    # --- what is there

    def ledger(self, run: Run | UUID) -> Row:
        """Return the ledger's row of a run."""
        run_id = run.run_id if isinstance(run, Run) else run
        (row,) = self.rows("SELECT * FROM birth.birth_backfill_ledger_v2 WHERE run_id = %s", (run_id,))
        return row

    def status(self, run: Run) -> tuple[str, str | None]:
        """Return status and stop reason of a run."""
        row = self.ledger(run)
        return row["status"], row["stop_reason"]

    def permit_row(self, permit_id: int) -> Row:
        """Return a permit."""
        (row,) = self.rows("SELECT * FROM birth.birth_admission_permit_v2 WHERE permit_id = %s", (permit_id,))
        return row

    def receipts(self, run: Run) -> list[Row]:
        """Return the receipts of a run, in their order."""
        return self.rows("SELECT * FROM birth.birth_receipt WHERE run_id = %s ORDER BY batch_no", (run.run_id,))

    def codes(self, run: Run) -> list[str]:
        """Return the codes that carry the run, in their order."""
        found = self.rows(
            "SELECT entity_code FROM birth.birth_registry WHERE run_id = %s ORDER BY entity_code", (run.run_id,)
        )
        return [row["entity_code"] for row in found]

    def births(self) -> int:
        """Return how many births there are."""
        count: int = self.value("SELECT count(*) FROM birth.birth_registry")
        return count

    def held_locks(self, person: str = OPERATOR) -> int:
        """Return how many advisory locks the person's session holds."""
        count: int = self.value(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = %s",
            (self.session(person).info.backend_pid,),
        )
        return count

    def digest(self) -> dict[str, str]:
        """Return a digest of every table of schema birth: equal ones prove that not a byte changed."""
        names = self.rows(
            "SELECT relname FROM pg_class WHERE relnamespace = 'birth'::regnamespace AND relkind = 'r' ORDER BY 1"
        )
        parts = [
            SQL(
                "SELECT {} AS name, md5(string_agg(t::text, chr(10) ORDER BY t::text)) AS digest FROM birth.{} t"
            ).format(Literal(row["relname"]), Identifier(row["relname"]))
            for row in names
        ]
        return {row["name"]: row["digest"] for row in self.rows(SQL(" UNION ALL ").join(parts))}

    @contextmanager
    def unchanged(self, besides: str = "") -> Iterator[None]:
        """Expect that not a byte of schema birth changes, ``besides`` in that table."""
        before = self.digest()
        assert len(before) >= 14
        yield
        after = self.digest()
        assert {name for name in before | after if before.get(name) != after.get(name)} <= {besides}

    # --- taking guards out

    def replace_routine(self, name: str, *changes: tuple[str, str]) -> None:
        """Take something out of a routine; the contract then records it, so that nothing but the guard is gone."""
        source: str = self.value("SELECT pg_get_functiondef(%s::regproc)", (f"birth.{name}",))
        for old, new in changes:
            assert source.count(old) == 1, f"{name} has {source.count(old)} times: {old}"
            source = source.replace(old, new)
        self.execute(source.encode())
        self.record_contract()

    def record_contract(self) -> None:
        """Make what is there the contract, as a release would; verdicts before it no longer count."""
        with self.admin.transaction():
            self.execute("SET LOCAL ROLE birth_definer")
            self.execute("SELECT birth.fn_birth_contract_record('of a test', '{}')")

    # --- what must hold after everything

    def disagreements(self) -> list[Row]:
        """Return the runs whose receipts, births, permits and ledger do not agree; empty when nothing was lost."""
        return self.rows(DISAGREEMENTS)

    def unsound(self) -> list[Row]:
        """Return the same, who overstepped, and what the audit of the database itself finds."""
        audit: LiteralString = "SELECT run_id, check_name AS what FROM birth.fn_birth_run_audit() WHERE NOT pass"
        return self.disagreements() + self.rows(OVERSTEPPED) + self.rows(audit)


@dataclass
class Prepared:
    """A database to copy, and the run that is in it."""

    database: Database
    run: Run | None = None


@contextmanager
def prepared(server: Cluster, source: Database, prepare: Callable[[Scene], Run | None]) -> Iterator[Prepared]:
    """Make a database like ``source``, prepared further, for tests to copy."""
    made = server.create(source.name)
    try:
        with closing(Scene(made)) as scene:
            run = prepare(scene)
        yield Prepared(made, run)
    finally:
        made.drop()


@contextmanager
def acting(db: Database) -> Iterator[Scene]:
    """Let everybody act on a database; end what still runs, and leave the sessions to the database."""
    scene = Scene(db)
    try:
        yield scene
    finally:
        scene.halt()


def seal(before: str | None, canonical: str) -> str:
    """Return the seal of a receipt, from the one before and its canonical text, as an auditor would compute it."""
    return hashlib.sha256(((before or "") + canonical).encode()).hexdigest()


#: What a test does to a run to make it faulty.
Fault = Callable[[Scene, Run], None]


def name(value: object) -> str:
    """Return a readable name for a parameter of a test."""
    return str(getattr(value, "__name__", value))
