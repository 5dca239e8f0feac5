"""Databases that go from test to test, each handed out as it was made.

A fresh copy costs a test more than most tests do: it is made, confirmed and dropped, and every session in it compiles
each routine anew. So what a test left is taken away, and the database is handed out again with its idle sessions. Where
it is not certain that nothing is left, in a catalog say, it is dropped, and the next test gets a fresh copy.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.sql import SQL, Composed, Identifier, Literal
from support import Cluster, Database, session

#: Tests until a database is dropped all the same: dead rows of the catalogs add up.
MOST = 100

#: Bytes by which the tables may grow: the planner looks at pages, and empty ones stay.
GROWTH = 1 << 20

# What DISCARD ALL does, but for the plans; in one round trip.
_AS_NEW = """
SELECT pg_catalog.pg_advisory_unlock_all(); CLOSE ALL; UNLISTEN *; DEALLOCATE ALL; DISCARD TEMP; DISCARD SEQUENCES;
RESET SESSION AUTHORIZATION; RESET ALL
"""

# A version of a row is known by its transaction and its place.
_CATALOGS = """
SELECT relname, CASE relname WHEN 'pg_database' THEN ' WHERE datname = current_database()'
  WHEN 'pg_db_role_setting' THEN ' JOIN pg_database d ON d.oid = setdatabase AND d.datname = current_database()'
  ELSE '' END
FROM pg_class
WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r'
  AND (NOT relisshared OR relname IN ('pg_database', 'pg_db_role_setting', 'pg_shdescription', 'pg_subscription'))
ORDER BY relname
"""

# As ANALYZE and VACUUM found it: the planner would remember it in the next test.
_SIZES = (
    " UNION ALL SELECT relname, relpages, reltuples::numeric FROM pg_class WHERE oid >= 16384 AND relkind IN ('r', 'i')"
)

_RELATIONS = """
SELECT oid, relnamespace::regnamespace::text, relname FROM pg_class
WHERE relkind = %s AND relnamespace::regnamespace::text !~ '^pg_' AND relnamespace <> 'information_schema'::regnamespace
ORDER BY oid
"""

_LAST = """
SELECT max(last) FROM (SELECT max(oid::bigint) FROM pg_class UNION ALL SELECT max(oid::bigint) FROM pg_proc
                       UNION ALL SELECT max(oid::bigint) FROM pg_namespace) AS of(last)
"""

# What came after the last object of the copy, and goes with nothing else.
_ADDED = """
SELECT format('DROP SCHEMA %%I CASCADE', nspname) FROM pg_namespace WHERE oid > %(last)s AND nspname !~ '^pg_'
UNION ALL
SELECT format('DROP %%s %%I.%%I CASCADE', CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
                WHEN 'S' THEN 'SEQUENCE' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END,
              relnamespace::regnamespace::text, relname)
FROM pg_class
WHERE oid > %(last)s AND relnamespace <= %(last)s AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND NOT relispartition
  AND relnamespace::regnamespace::text !~ '^pg_'
  AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype IN ('a', 'i')
                  AND refclassid = 'pg_class'::regclass)
UNION ALL
SELECT format('DROP ROUTINE %%s CASCADE', oid::regprocedure) FROM pg_proc
WHERE oid > %(last)s AND pronamespace <= %(last)s AND pronamespace::regnamespace::text !~ '^pg_'
"""

_END_OTHERS = """
SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> ALL (%s)
"""

# What a session takes over when it begins.
_STAMP = """
SELECT (SELECT ROW(xmin, ctid)::text FROM pg_authid WHERE rolname = coalesce(%s, session_user)),
       (SELECT string_agg(ROW(xmin, ctid)::text, '' ORDER BY ctid) FROM pg_db_role_setting
        WHERE setrole = 0 OR setrole = (SELECT oid FROM pg_authid WHERE rolname = coalesce(%s, session_user)))
"""

# What goes with no session and no object.
_HELD = """
SELECT FROM pg_prepared_xacts WHERE database = current_database()
UNION ALL SELECT FROM pg_replication_slots WHERE database = current_database()
UNION ALL SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> ALL (%s)
"""


def _versions(table: Identifier, key: object, condition: str = "") -> Composed:
    query = SQL("SELECT {}, count(*), sum(hash_record_extended(ROW(t.xmin, t.ctid), 0)) FROM {} t{}")
    return query.format(Literal(key), table, SQL(condition))


class _Session(psycopg.Connection[Any]):
    """A session that outlives the test; what the test made of the connection, handlers and loaders, does not."""

    stamp: object = None

    def __del__(self, *_: object) -> None:
        """Say nothing: the session goes on in another connection."""

    def renewed(self) -> "_Session":
        """Return the session as a connection that nobody has used."""
        made = _Session(self.pgconn)
        made.autocommit, made.prepare_threshold, made.stamp = True, None, self.stamp
        return made


class Spare(Database):
    """A copy of a template that knows how it was made."""

    def __init__(self, made: Database) -> None:
        super().__init__(made.cluster, made.name)
        self.uses = 0
        self._lent: list[tuple[str | None, _Session]] = []
        self._idle: dict[str | None, list[_Session]] = {}
        self._keeper = session(self.url(), _Session, autocommit=True)
        self._keeper.execute("SET search_path = pg_catalog; SET client_min_messages = error")
        # So that rows are taken back past triggers and references.
        self._keeper.execute("SET session_replication_role = replica")
        ((self._last,),) = self._all(_LAST)
        union = SQL(" UNION ALL ")
        self._catalogs = union.join(
            _versions(Identifier(name), name, condition) for name, condition in self._all(_CATALOGS)
        ) + SQL(_SIZES)
        self._tables = {oid: Identifier(schema, name) for oid, schema, name in self._all(_RELATIONS, ("r",))}
        self._versions = union.join(_versions(table, oid) for oid, table in self._tables.items())
        self._counters = [self._counter(Identifier(schema, name)) for _, schema, name in self._all(_RELATIONS, ("S",))]
        self._small = self._size()
        self._made = set(self._all(self._catalogs))
        self._rows = {oid: self._copied(table) for oid, table in self._tables.items()}
        self._unchanged = set(self._all(self._versions))

    def connect(self, user: str | None = None, **options: Any) -> psycopg.Connection[Any]:
        """Return a connection in autocommit mode, an idle one of an earlier test unless ``options`` ask for others."""
        if options:
            return super().connect(user, **options)
        (stamp,) = self._all(_STAMP, (user, user))
        idle = self._idle.setdefault(user, [])
        while idle:
            conn = idle.pop()
            if conn.stamp == stamp:
                break
            conn.close()
        else:
            conn = session(self.url(user), _Session, autocommit=True)
        conn.stamp = stamp
        self._lent.append((user, conn))
        return conn

    def leave(self) -> None:
        """End every session, so that the database can be copied; no further test gets it."""
        super().leave()
        for conn in (self._keeper, *(conn for _, conn in self._lent), *self._waiting()):
            conn.close()

    def _waiting(self) -> list[_Session]:
        return [conn for idle in self._idle.values() for conn in idle]

    def restored(self) -> bool:
        """Take away what a test left; return whether the database is as it was made, and may be used once more."""
        self.uses += 1
        if self.uses == MOST or self._keeper.closed:
            return False
        super().leave()
        try:
            self._keep_sessions()
            mine = [conn.info.backend_pid for conn in (self._keeper, *self._waiting())]
            self._keeper.execute(_END_OTHERS, (mine,))
            if self._all(_HELD, (mine,)):
                return False
            with self._keeper.transaction():
                for (drop,) in self._all(_ADDED, {"last": self._last}):
                    self._keeper.execute(drop)
            if set(self._all(self._catalogs)) != self._made:
                return False
            if self._size() > self._small + GROWTH:
                return False
            changed = set(self._all(self._versions)) - self._unchanged
            with self._keeper.transaction():
                for oid, *_ in changed:
                    self._put_back(self._tables[oid], self._rows[oid])
                for counter in self._counters:
                    self._keeper.execute(counter)
            self._unchanged = set(self._all(self._versions))
        except psycopg.Error:
            return False
        return True

    def _keep_sessions(self) -> None:
        lent, self._lent = self._lent, []
        for user, conn in lent:
            if conn.closed or conn.info.transaction_status != TransactionStatus.IDLE:
                conn.close()
            else:
                conn.autocommit = True
                conn.execute(_AS_NEW)
                self._idle.setdefault(user, []).append(conn.renewed())

    def _put_back(self, table: Identifier, rows: bytes) -> None:
        self._keeper.execute(SQL("DELETE FROM {}").format(table))
        with self._keeper.cursor().copy(SQL("COPY {} FROM STDIN").format(table)) as copy:
            copy.write(rows)

    def _counter(self, sequence: Identifier) -> Composed:
        ((last, called),) = self._all(SQL("SELECT last_value, is_called FROM {}").format(sequence))
        return SQL("SELECT setval({}, {}, {})").format(Literal(sequence.as_string()), last, called)

    def _size(self) -> int:
        ((size,),) = self._all(
            "SELECT sum(pg_relation_size(oid))::bigint FROM unnest(%s::oid[]) oid", (list(self._tables),)
        )
        return int(size)

    def _all(self, query: Any, parameters: Any = None) -> list[Any]:
        return self._keeper.execute(query, parameters).fetchall()

    def _copied(self, table: Identifier) -> bytes:
        with self._keeper.cursor().copy(SQL("COPY {} TO STDOUT").format(table)) as copy:
            return b"".join(map(bytes, copy))


class Spares:
    """The spare copies of a cluster's templates."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._free: dict[str, list[Spare]] = {}

    @contextmanager
    def one(self, template: Database) -> Iterator[Spare]:
        """Hand out a copy of ``template`` that nobody else uses."""
        free = self._free.setdefault(template.name, [])
        made = free.pop() if free else Spare(self._cluster.create(template.name))
        restored = False
        try:
            yield made
            restored = made.restored()
        finally:
            if restored:
                free.append(made)
            else:
                made.drop()

    def close(self) -> None:
        """Drop them all."""
        for free in self._free.values():
            for made in free:
                made.drop()
