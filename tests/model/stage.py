"""Where a walk takes place: one released database, two collections, whoever acts, and what the tables show of it."""

import re
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, LiteralString
from uuid import UUID

import psycopg
from helpers import EVERYBODY, OPERATOR, SECOND_OPERATOR, STEWARD, Scene
from model.model import Policy
from psycopg.sql import SQL, Composed, Identifier
from support import POLL, Database

from birthdb.errors import BirthError

_OBSERVE = """
SELECT jsonb_build_object(
  'births', (
    SELECT coalesce(jsonb_agg(jsonb_build_array(b.entity_code, b.collection_name, b.run_id)), '[]')
    FROM birth.birth_registry b),
  'policies', (
    SELECT jsonb_object_agg(c.collection_name, jsonb_build_array(c.coverage_status, c.governed, c.policy_version))
    FROM birth.collection_registry c),
  'transitions', (
    SELECT coalesce(jsonb_agg(jsonb_build_array(t.run_id, jsonb_build_array(t.from_status, t.from_governed),
      t.from_version, jsonb_build_array(t.to_status, t.to_governed), t.direction, t.undone_at IS NOT NULL)
      ORDER BY l.planned_at), '[]')
    FROM birth.birth_transition t JOIN birth.birth_backfill_ledger_v2 l USING (run_id)),
  'rows', jsonb_build_object(
    'a', (SELECT coalesce(jsonb_agg(jsonb_build_array(s.id, s.name)), '[]') FROM public.a s),
    'b', (SELECT coalesce(jsonb_agg(jsonb_build_array(s.id, s.name)), '[]') FROM public.b s)),
  'permits', (
    SELECT coalesce(jsonb_agg(jsonb_build_array(
      p.run_id, p.purpose, p.status, p.max_rows, p.spent_rows, p.confirmed_by IS NOT NULL) ORDER BY p.permit_id), '[]')
    FROM birth.birth_admission_permit_v2 p),
  'runs', (
    SELECT coalesce(jsonb_agg(jsonb_build_object(
      'number', l.run_id, 'collection', l.collection_name, 'purpose', l.purpose, 'status', l.status,
      'reason', l.stop_reason,
      'predecessor', l.predecessor, 'expected', l.expected_delta, 'most', l.max_rows,
      'counts', ARRAY[l.source_rows, l.existing_births, l.orphans, l.unresolvable, l.planned_rows],
      'written', l.actual_inserted, 'skipped', l.skipped, 'removed', l.compensated_rows,
      'receipts', ARRAY[r.applied, r.removed, r.visited],
      'epoch', l.epoch, 'held', birth.fn_birth_run_holder(l.run_id, l.epoch) IS NOT NULL,
      'permit', l.permit_id, 'executed_by', l.executed_by) ORDER BY l.planned_at), '[]')
    FROM birth.birth_backfill_ledger_v2 l,
         LATERAL (SELECT count(*) FILTER (WHERE r.purpose <> 'COMPENSATE') AS applied,
                         count(*) FILTER (WHERE r.purpose = 'COMPENSATE') AS removed,
                         coalesce(sum(r.visited) FILTER (WHERE r.purpose <> 'COMPENSATE'), 0) AS visited
                  FROM birth.birth_receipt r WHERE r.run_id = l.run_id) r))
"""

COLLECTIONS = ("a", "b")

#: How each identity is classified.
IDENTITIES: dict[str, dict[str, str]] = {
    "column": {"p_column": "name"},
    "synthetic_id": {"p_column": "id", "p_prefix": "n"},
    "legacy": {"p_template": "{id}{name}"},
}

#: What each policy is called.
STATUSES = {
    "exempt": "BIRTH_EXEMPT_TEST",
    "exempt otherwise": "BIRTH_EXEMPT_OTHER",
    "deferred": "BIRTH_DEFERRED_NEEDS_REVIEW",
    "required": "BIRTH_REQUIRED",
}

_EMPTY = [
    *[("public", name) for name in COLLECTIONS],
    ("birth", "birth_registry"),
    ("birth", "birth_gateway_finding"),
    ("birth", "birth_receipt"),
    ("birth", "birth_transition"),
    ("birth", "birth_review"),
    ("birth", "birth_admission_permit_v2"),
    ("birth", "birth_backfill_ledger_v2"),
]

#: What a batch waits for: its first birth, or its receipt.
POINTS: dict[str, LiteralString] = {"writing": "birth_registry", "written": "birth_receipt"}

#: Seconds that a batch waits for a lock.
LOCK_TIMEOUT = 5

_SNAKE = re.compile(r"(?<=[a-z])(?=[A-Z])")
_CATALOGUE = {refusal.sqlstate: refusal for refusal in BirthError.__subclasses__()}


def reason(error: psycopg.Error) -> str:
    """Return what an error is called: by the catalogue of refusals, or by PostgreSQL."""
    cls: type[Exception] = _CATALOGUE.get(error.sqlstate or "", type(error))
    name = _SNAKE.sub("_", cls.__name__).lower()
    return "role_required" if name == "insufficient_privilege" else name


def _policy(status: str, governed: bool) -> Policy:
    return Policy(next(name for name, known in STATUSES.items() if known == status), governed)


class Stage:
    """The database of many walks, one after the other."""

    def __init__(self, db: Database) -> None:
        self.scene = Scene(db)
        #: What the walks have done here, by the answer they got.
        self.answers: Counter[tuple[str, str]] = Counter()
        #: How the runs of the walks ended, and how many were begun more than once.
        self.ends: Counter[str] = Counter()
        #: Seconds for which a batch was held up, the last time.
        self.held_for = 0.0
        self._locker = db.connect()
        self._snapshot = ""
        self._drivers: dict[str, psycopg.Connection[Any]] = {}
        for name in COLLECTIONS:
            self.scene.execute(
                SQL("CREATE TABLE public.{} (id integer PRIMARY KEY, name text UNIQUE)").format(Identifier(name))
            )
            self.scene.govern(name, "column", column="name")
            self.scene.ask(STEWARD, "fn_birth_gateway_attach", p_collection=name)
        self._acts = self.scene.value("SELECT max(act_id) FROM birth.birth_act")
        self._generation = self.scene.value("SELECT max(generation) FROM birth.birth_gateway_release_registry")

    def close(self) -> None:
        for conn in (self._locker, *self._drivers.values()):
            conn.close()
        self.scene.close()

    def reset(self) -> None:
        """Take everything back that a walk has left."""
        for person in (OPERATOR, SECOND_OPERATOR, EVERYBODY):
            self.scene.session(person).execute("SELECT pg_advisory_unlock_all()")
        with self.scene.admin.transaction():
            self.scene.execute("SET LOCAL session_replication_role = replica")
            for table in _EMPTY:
                self.scene.execute(SQL("DELETE FROM {}").format(Identifier(*table)))
            self.scene.execute(
                "UPDATE birth.collection_registry SET coverage_status = %s, governed = false, policy_version = 1",
                (STATUSES["required"],),
            )
            self.scene.execute("DELETE FROM birth.birth_act WHERE act_id > %s", (self._acts,))
            self.scene.execute(
                "DELETE FROM birth.birth_gateway_release_registry WHERE generation > %s", (self._generation,)
            )
        self.redefine(0)

    # --- what the tables show

    def observe(self, run_ids: list[UUID], permit_ids: list[int]) -> dict[str, Any]:
        """Return it as the model does, runs and permits by their numbers."""
        found = self.scene.value(_OBSERVE)
        runs = {str(run_id): number for number, run_id in enumerate(run_ids)}
        permits = {permit_id: number for number, permit_id in enumerate(permit_ids)}
        return {
            "births": {code: (owner, runs.get(run_id)) for code, owner, run_id in found["births"]},
            "policies": {
                name: (_policy(status, governed), version)
                for name, (status, governed, version) in found["policies"].items()
            },
            "transitions": [
                (runs[run_id], _policy(*before), version, _policy(*to), *rest)
                for run_id, before, version, to, *rest in found["transitions"]
            ],
            "rows": {name: dict(map(tuple, rows)) for name, rows in found["rows"].items()},
            "permits": [(runs[run_id], *rest) for run_id, *rest in found["permits"]],
            "runs": [
                row
                | {"number": runs[row["number"]], "predecessor": runs.get(row["predecessor"])}
                | {"permit": permits.get(row["permit"]), "counts": tuple(row["counts"])}
                | {"receipts": tuple(row["receipts"])}
                for row in found["runs"]
            ],
        }

    def touched(self) -> bool:
        """Return whether any transaction has written, or is open with an id, since this was last asked."""
        before, self._snapshot = self._snapshot, self.scene.value("SELECT pg_current_snapshot()::text")
        return bool(before != self._snapshot)

    # --- what only a superuser does

    def plant(self, routine: str, change: tuple[str, str]) -> None:
        """Make a routine faulty, and the contract say that it is as it should be."""
        self.scene.replace_routine(routine, change)
        self._generation = self.scene.value("SELECT max(generation) FROM birth.birth_gateway_release_registry")

    def redefine(self, version: int) -> None:
        """Change an object of the contract that does nothing here, or change it back."""
        self.scene.execute(
            SQL("ALTER FUNCTION birth.fn_birth_live_births {}").format(SQL("VOLATILE" if version else "STABLE"))
        )

    def change(self, query: Composed, parameters: Any = None, *, gateway: bool = False) -> None:
        """Change a source table; mostly past its gateway."""
        with self.scene.admin.transaction():
            self.scene.execute(
                SQL("SET LOCAL session_replication_role = {}").format("origin" if gateway else "replica")
            )
            self.scene.execute(query, parameters)

    # --- sessions that come to harm

    def driver(self, person: str) -> psycopg.Connection[Any]:
        """Return the session in which the person sends CALLs."""
        if person not in self._drivers or self._drivers[person].closed:
            self._drivers[person] = self.scene.db.connect(person)
        return self._drivers[person]

    def cancel(self, conn: psycopg.Connection[Any]) -> None:
        self.scene.execute("SELECT pg_cancel_backend(%s)", (conn.info.backend_pid,))

    def terminate(self, conn: psycopg.Connection[Any]) -> None:
        """End a session and wait until it is gone, with its locks."""
        pid = conn.info.backend_pid
        self.scene.execute("SELECT pg_terminate_backend(%s)", (pid,))
        while self.scene.value("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = %s)", (pid,)):
            time.sleep(POLL)

    def held_up(
        self, conn: psycopg.Connection[Any], query: Composed, given: Any, point: str, act: Callable[[], None]
    ) -> None:
        """Send a CALL; when its first batch has come to the point, act; then let it go on. It may end before."""
        began, conn_pid = time.monotonic(), conn.info.backend_pid
        with ThreadPoolExecutor(1) as pool:
            with self._locker.transaction():
                self._locker.execute(SQL("LOCK TABLE birth.{} IN SHARE MODE").format(Identifier(POINTS[point])))
                call = pool.submit(conn.execute, query, given)
                waits = "SELECT %s = ANY (pg_blocking_pids(%s))"
                while not call.done():
                    if self.scene.value(waits, (self._locker.info.backend_pid, conn_pid)):
                        act()
                        break
                    time.sleep(POLL)
            self.held_for = time.monotonic() - began
        call.result()
