"""Every guard there is: of the routines as ``sql/functions`` has them, of the tables as a database has them."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from guards import routine
from psycopg.sql import SQL, Composed, Identifier

Connection = psycopg.Connection[Any]

_CONSTRAINTS: LiteralString = """
SELECT r.relname, g.rank, g.name, g.what
FROM pg_class r
CROSS JOIN LATERAL (
  SELECT 1, k.conname::text, pg_get_constraintdef(k.oid)
  FROM pg_constraint k WHERE k.conrelid = r.oid AND k.contype <> 'n'
  UNION ALL
  SELECT 2, (SELECT x.relname::text FROM pg_class x WHERE x.oid = i.indexrelid), pg_get_indexdef(i.indexrelid)
  FROM pg_index i
  WHERE i.indrelid = r.oid AND i.indisunique
    AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)
  UNION ALL
  SELECT 3, t.tgname::text, pg_get_triggerdef(t.oid) FROM pg_trigger t WHERE t.tgrelid = r.oid AND NOT t.tgisinternal
  UNION ALL
  SELECT 4, a.attname::text, a.attname || ' NOT NULL'
  FROM pg_attribute a
  WHERE a.attrelid = r.oid AND a.attnum > 0 AND a.attnotnull AND a.attidentity = ''
    AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = r.oid AND i.indisprimary AND a.attnum = ANY (i.indkey))
) AS g(rank, name, what)
WHERE r.relnamespace = 'birth'::regnamespace AND r.relkind = 'r' AND r.relname <> 'alembic_version'
ORDER BY r.relname, g.rank, g.name
"""

# By the rank above. A foreign key goes with the key that it needs.
_DROPS: dict[int, LiteralString] = {
    1: "ALTER TABLE birth.{0} DROP CONSTRAINT {1} CASCADE",
    2: "DROP INDEX birth.{1}",
    3: "DROP TRIGGER {1} ON birth.{0}",
    4: "ALTER TABLE birth.{0} ALTER COLUMN {1} DROP NOT NULL",
}


@dataclass(frozen=True, order=True)
class Guard:
    """What one rule is held by, and by what it is known: the object, the text, and which of several alike."""

    object: str
    what: str
    number: int = 1

    def __str__(self) -> str:
        """The guard on a line."""
        return f"{self.object}: {self.what}" + (f" ({self.number})" if self.number > 1 else "")


@dataclass(frozen=True)
class Removal:
    """How a guard is taken out: a change of a routine's body, or a statement."""

    change: routine.Change | None = None
    statement: Composed | None = None

    def line(self, name: str) -> int:
        """Return the line of a routine's body from which the guard's refusal comes; 0 for a constraint."""
        return routine.routines()[name][: self.change.seen].count("\n") + 1 if self.change else 0


def of_routines() -> dict[Guard, Removal]:
    """Return the guards of all routines."""
    return _numbered(
        (name, change.what, Removal(change=change))
        for name, body in routine.routines().items()
        for change in dict.fromkeys(routine.changes(body))
    )


def of_tables(connection: Connection) -> dict[Guard, Removal]:
    """Return the guards of all tables: constraints, unique indexes, triggers, columns that are never NULL."""
    return _numbered(
        (table, what if rank == 4 else f"{name} {what}", Removal(statement=_drop(rank, table, name)))
        for table, rank, name, what in connection.execute(_CONSTRAINTS).fetchall()
    )


def everything(connection: Connection) -> dict[Guard, Removal]:
    """Return every guard, and how it is taken out."""
    return of_routines() | of_tables(connection)


def take_out(connection: Connection, *removals: tuple[Guard, Removal]) -> None:
    """Take guards out, and record the contract anew, so that nothing else is amiss. The connection is a superuser's."""
    with connection.transaction():
        for name, changes in _by_routine(removals).items():
            define(connection, name, _without(routine.routines()[name], changes))
        connection.execute("SET LOCAL ROLE birth_definer")
        for _, removal in removals:
            if removal.statement is not None:
                connection.execute(removal.statement)
        agree(connection)


def agree(connection: Connection) -> None:
    """Record what there is as the contract, and as what every stage left, so that it is as if released."""
    connection.execute(
        "SELECT birth.fn_birth_anchor_record(a.stage)"
        " FROM (SELECT DISTINCT stage FROM birth.birth_stage_anchor WHERE stage <> 'contract') a"
    )
    connection.execute("SELECT birth.fn_birth_contract_record('without a guard', '{}')")


def define(connection: Connection, name: str, body: str) -> None:
    """Make a routine anew with another body."""
    row = connection.execute(
        "SELECT pg_get_functiondef(p.oid), p.prosrc FROM pg_proc p"
        " WHERE p.pronamespace = 'birth'::regnamespace AND p.proname = %s",
        (name,),
    ).fetchone()
    assert row is not None, f"the database has no {name}"
    definition, before = row
    connection.execute(definition.replace(before, body).encode(), prepare=False)


def _by_routine(removals: Iterable[tuple[Guard, Removal]]) -> dict[str, list[routine.Change]]:
    found: dict[str, list[routine.Change]] = {}
    for guard, removal in removals:
        if removal.change is not None:
            found.setdefault(guard.object, []).append(removal.change)
    return found


def _without(body: str, changes: list[routine.Change]) -> str:
    for change in sorted(changes, key=lambda change: change.start, reverse=True):
        body = routine.without(body, change)
    return body


def _numbered(found: Iterable[tuple[str, str, Removal]]) -> dict[Guard, Removal]:
    seen: Counter[tuple[str, str]] = Counter()

    def each() -> Iterator[tuple[Guard, Removal]]:
        for name, what, removal in found:
            seen[name, what] += 1
            yield Guard(name, what, seen[name, what]), removal

    return dict(each())


def _drop(rank: int, table: str, name: str) -> Composed:
    return SQL(_DROPS[rank]).format(Identifier(table), Identifier(name))
