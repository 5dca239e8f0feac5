"""One released database with its people, an application that owns its tables, and what became of their rows."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from time import monotonic, sleep
from typing import Any, Literal
from uuid import UUID

import psycopg
from psycopg.sql import SQL, Composed, Identifier
from support import POLL, Database

from birthdb import api
from birthdb.answers import Plan

#: Owns schema ``app`` and its tables; member of no role, like any application.
APPLICATION = "nora_nobody"

Strategy = Literal["column", "synthetic_id", "legacy"]


def judged(step: str) -> str:
    """Return a ready statement with what it leaves open, as a reviewer fills it in who agrees."""
    return step.replace("p_verdict := '...'", "p_verdict := 'SAFE'").replace("'...'", "'read and counted'")


class World:
    """Statements by whoever may send them, and the answers of the registry."""

    def __init__(self, db: Database, *, made: bool = False) -> None:
        """Give the database its application, unless it is a copy of one that is ``made``."""
        self.db = db
        self.admin = db.connect()
        self._people: dict[str, psycopg.Connection[Any]] = {}
        if made:
            return
        self.admin.execute(SQL("CREATE SCHEMA app AUTHORIZATION {}").format(Identifier(APPLICATION)))
        self.owner.execute("GRANT USAGE ON SCHEMA app TO birth_definer, birth_scanner")
        if self.value("SELECT to_regrole('birth_source_owner') IS NOT NULL"):
            self.admin.execute(SQL("GRANT birth_source_owner TO {}").format(Identifier(APPLICATION)))

    def close(self) -> None:
        """Close every connection, so that the database can be copied."""
        self.db.leave()

    def person(self, name: str) -> psycopg.Connection[Any]:
        """Return the one connection of this login."""
        if name not in self._people:
            self._people[name] = self.db.connect(name)
        return self._people[name]

    @property
    def owner(self) -> psycopg.Connection[Any]:
        return self.person(APPLICATION)

    @property
    def steward(self) -> psycopg.Connection[Any]:
        return self.person("alice_steward")

    @property
    def operator(self) -> psycopg.Connection[Any]:
        return self.person("olga_operator")

    def table(self, definition: str, name: str = "thing") -> None:
        """Create ``app.name`` as the application, readable and attachable by birth_definer."""
        self.owner.execute(f"CREATE TABLE app.{name} {definition}".encode())
        self.owner.execute(
            f"GRANT SELECT ON app.{name} TO birth_scanner; GRANT TRIGGER ON app.{name} TO birth_definer".encode()
        )

    def register(
        self, collection: str = "thing", table: str | None = None, coverage: str = "BIRTH_REQUIRED", schema: str = "app"
    ) -> None:
        api.collection_register(self.steward, collection, schema, collection if table is None else table, coverage)

    def classify(self, strategy: Strategy, collection: str = "thing", **parts: Any) -> None:
        api.identity_classify(self.steward, collection, strategy, **parts)

    def attach(self, collection: str = "thing", mode: api.Mode = "observe") -> str:
        return api.gateway_attach(self.steward, collection, mode)

    def governed(
        self,
        definition: str,
        name: str = "thing",
        mode: api.Mode | None = "observe",
        coverage: str = "BIRTH_REQUIRED",
        strategy: Strategy = "column",
        **parts: str,
    ) -> None:
        """Create a table and its collection of the same name; attach a gateway unless ``mode`` is None."""
        self.table(definition, name)
        self.register(name, coverage=coverage)
        self.classify(strategy, name, **(parts or {"column": "code"}))
        if mode is not None:
            self.attach(name, mode)

    def insert(self, values: Iterable[Any], name: str = "thing") -> None:
        """Insert rows of one column as the application, in one statement."""
        self.owner.execute(f"INSERT INTO app.{name} SELECT * FROM unnest(%s::text[])".encode(), (list(values),))

    def births(self, collection: str = "thing") -> list[str]:
        """Return the codes of the collection, in byte order."""
        found = self.admin.execute(
            "SELECT entity_code FROM birth.birth_registry WHERE collection_name = %s ORDER BY 1", (collection,)
        )
        return [row[0] for row in found]

    def findings(self, collection: str = "thing") -> list[tuple[str, int]]:
        """Return what the gateway let pass: error and number of rows, oldest first."""
        return self.admin.execute(
            "SELECT error, row_count FROM birth.birth_gateway_finding WHERE collection_name = %s ORDER BY found_xid",
            (collection,),
        ).fetchall()

    def status(self, collection: str = "thing") -> str:
        return str(self.value("SELECT status FROM birth.fn_birth_identity_definition(%s)", collection))

    def value(self, query: str, *parameters: Any) -> Any:
        """Return the one value of a query of the superuser."""
        row = self.admin.execute(query.encode(), parameters).fetchone()
        assert row is not None
        return row[0]

    def failed_checks(self, collection: str = "thing") -> dict[str, list[str]]:
        """Return the examples of each check of the census that does not pass."""
        checks = api.census(self.operator, collection)
        return {check["check"]: check["examples"] or [] for check in checks if not check["pass"]}

    def planned(self, collection: str = "thing") -> Plan:
        """Return a dry plan."""
        return api.plan(self.operator, collection)

    def blockers(self, collection: str = "thing") -> list[str]:
        """Return the SQLSTATEs that stand in the way of a plan, in order."""
        return [blocker["code"] for blocker in self.planned(collection)["blockers"]]

    def permitted(self, collection: str = "thing") -> tuple[UUID, int, int]:
        """Plan, review, permit and confirm a backfill; return run, permit and expected rows."""
        run = api.plan(self.operator, collection, dry_run=False)
        run_id, delta = run["run_id"], run["expected_delta"]
        reviewer = self.person("rita_reviewer")
        api.review_record(reviewer, run_id, "SAFE", "read", accept_orphans=run["orphans"])
        expires = datetime.now(UTC) + timedelta(days=1)
        permit = api.permit_open(self.person("paul_owner"), collection, run_id, delta, expires, "a test")
        api.permit_confirm(reviewer, permit["permit_id"])
        return run_id, permit["permit_id"], delta

    def change_policy(
        self, to: str | None, collection: str = "thing", *, accept: int = 0, governed: bool | None = None
    ) -> UUID:
        """Carry a governance transition out, by its three people; return its run."""
        plan = api.transition_plan(self.operator, collection, to, to_governed=governed, dry_run=False)
        permit = self.judged(plan["run_id"], collection, accept=accept)
        api.transition_apply(self.operator, plan["run_id"], permit, execute=True)
        run: UUID = plan["run_id"]
        return run

    def judged(
        self,
        run: UUID,
        collection: str = "thing",
        *,
        accept: int = 0,
        purpose: api.Purpose | None = None,
        rows: int = 1,
    ) -> int:
        """Give a run verdict, permit and confirmation, each by its person; return the permit."""
        reviewer = self.person("rita_reviewer")
        api.review_record(reviewer, run, "SAFE", "read", accept_orphans=accept, purpose=purpose)
        expires = datetime.now(UTC) + timedelta(days=1)
        permit = api.permit_open(self.person("paul_owner"), collection, run, rows, expires, "a test", purpose=purpose)
        api.permit_confirm(reviewer, permit["permit_id"])
        return int(permit["permit_id"])

    def backfill(self, collection: str = "thing", batch: int = 3) -> UUID:
        """Run a whole backfill; return its run."""
        run_id, permit_id, delta = self.permitted(collection)
        api.apply(self.operator, collection, run_id, permit_id, delta, delta, batch=batch, execute=True)
        return run_id


def sql(template: str, **names: str) -> Composed:
    """Return a statement with its ``{names}`` quoted as identifiers."""
    return SQL(template).format(**{key: Identifier(name) for key, name in names.items()})


def wait_until_blocked(admin: psycopg.Connection[Any], blocked: psycopg.Connection[Any]) -> None:
    """Return as soon as the session waits for a lock of another one."""
    deadline = monotonic() + _PATIENCE
    query = "SELECT cardinality(pg_blocking_pids(%s)) > 0"
    while admin.execute(query, (blocked.info.backend_pid,)).fetchone() != (True,):
        assert monotonic() < deadline, "the session does not wait"
        sleep(POLL)


#: Seconds: a lock wait is seen within a millisecond where nothing else is going on.
_PATIENCE = 30
