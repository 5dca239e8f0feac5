"""The world that stage 0 found, in the shape that the documents describe: collections, tables, triggers, births.

The builder is a superuser and writes the registry of collections by hand, because at ``baseline`` nothing else could;
the births are all made by the live gateway, as rows are inserted. Of the collections that nobody had classified the
registry forgets the identity again, as the documents found it: only the arguments of their triggers still say it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal

from psycopg.sql import SQL, Composed, Identifier
from psycopg.sql import Literal as Constant

from birthdb.api import Connection
from birthdb.demo.scene import TABLES_OWNER

SCHEMA = "app"
REQUIRED = "BIRTH_REQUIRED"
DEFERRED = "BIRTH_DEFERRED_NEEDS_REVIEW"
EXEMPT = "BIRTH_EXEMPT_SYSTEM"

#: The collection that holds almost all births.
PROVENANCE = "provenance_event"

_CHUNK = 200_000
_FIRST_EVENT = 1_000_000  # all keys of one length, so that codes and keys have the same order
_ALERTS = 129

Shape = Literal["code", "id", "pair", "bare"]
Told = Callable[[int, int], None]


@dataclass(frozen=True)
class Found:
    """A collection as it was found. ``shape`` is None where there is no table."""

    name: str
    coverage: str
    shape: Shape | None
    strategy: Literal["column", "synthetic_id", "legacy"] | None = None
    #: Column, prefix or template, whichever the strategy takes.
    identity: str | None = None
    #: Whether the registry knows the identity; otherwise only the trigger's arguments say it.
    classified: bool = True
    #: How many triggers, and which function they call.
    triggers: int = 1
    by_id: bool = False
    governed: bool = False
    status: bool = False
    born: int = 20
    missing: int = 0

    @property
    def table(self) -> Composed:
        """The table's qualified name."""
        return SQL("{}.{}").format(Identifier(SCHEMA), Identifier(self.name))


def collections() -> list[Found]:
    """Return every collection but for the size of ``PROVENANCE``."""
    required = [
        *_unclassified(),
        *(Found(f"document_kind_{i:02}", REQUIRED, "code", "column", "code") for i in range(1, 28)),
        *(
            Found(name, REQUIRED, "id", "synthetic_id", f"{name}-", by_id=by_id)
            for name, by_id in ((PROVENANCE, True), ("revision", True), ("comment", True), ("attachment", False))
        ),
    ]
    with_table = [found for found in required if found.shape is not None]
    # A native status column stands in 54 of them; half of the required ones are governed, the targets first.
    status = {found.name for found in with_table[-54:]}
    governed = {found.name for found in with_table[:35]}
    exempt = [
        Found(f"system_{i:02}", EXEMPT, "id", triggers=1 if i <= 18 else 0, governed=i == 1, born=0)
        for i in range(1, 37)
    ]
    deferred = [
        Found(f"under_review_{i:02}", DEFERRED, "id", triggers=2 if i <= 18 else 1, born=0) for i in range(1, 59)
    ]
    return [
        *(replace(found, status=found.name in status, governed=found.name in governed) for found in required),
        *deferred,
        *exempt,
    ]


def build(conn: Connection, births: int, told: Told, owner: str = TABLES_OWNER) -> None:
    """Make the world, with so many births in all; ``told`` hears how many there are. Needs a superuser.

    ``owner`` is the login that owns the tables.
    """
    known = collections()
    born = sum(found.born for found in known if found.name != PROVENANCE and found.strategy)
    world = [replace(found, born=births - born) if found.name == PROVENANCE else found for found in known]
    conn.execute(SQL("CREATE SCHEMA {} AUTHORIZATION {}").format(Identifier(SCHEMA), Identifier(owner)))
    conn.execute(SQL("GRANT USAGE ON SCHEMA {} TO birth_definer, birth_scanner").format(Identifier(SCHEMA)))
    with conn.transaction():
        for found in world:
            if found.shape is not None:
                _create(conn, found, owner)
            _enter(conn, found)
        conn.execute(
            "SELECT birth.fn_birth_identity_store(c.collection_name) FROM birth.collection_registry c"
            " WHERE c.birth_code_strategy IS NOT NULL"
        )
    done = 0
    for found in world:
        for first, last in _chunks(found.born):
            _insert(conn, found, first, last)
            done += last - first + 1
            told(done, births)
    _forget(conn, world)
    conn.execute(
        "INSERT INTO birth.trigger_guard_alerts (command, object)"
        " SELECT 'ALTER TABLE', format('app.document_kind_%%s', lpad((i %% 27 + 1)::text, 2, '0'))"
        " FROM generate_series(1, %s) AS i",
        (_ALERTS,),
    )
    conn.execute("ANALYZE")


def _unclassified() -> Iterator[Found]:
    """The 43 whose identity the registry does not know."""
    by_hand: tuple[tuple[str, Literal["column", "synthetic_id", "legacy"], Shape, str, int, int], ...] = (
        ("dot_domain_rules", "column", "code", "code", 33, 67),
        ("apr_approvals", "legacy", "id", "APR-{id:06}", 0, 42),
        ("normative_relations", "synthetic_id", "id", "normative_relations-", 12, 18),
        ("apr_action_types", "legacy", "id", "AAT-{id:04}", 0, 6),
        ("field_type_equivalences", "synthetic_id", "id", "field_type_equivalences-", 6, 4),
        ("tenant_numbers", "legacy", "pair", "{tenant}/{no}", 20, 0),
    )
    for name, strategy, shape, identity, born, missing in by_hand:
        yield Found(name, REQUIRED, shape, strategy, identity, classified=False, born=born, missing=missing)
    for i in range(1, 7):
        yield Found(f"vocabulary_{i:02}", REQUIRED, "code", "column", "code", classified=False)
    for i in range(1, 28):
        yield Found(f"relation_{i:02}", REQUIRED, "id", "synthetic_id", f"relation_{i:02}-", classified=False)
    # Four need an owner: two have rows but nothing unique to call them by, two have no table.
    for name in ("import_log", "import_raw"):
        yield Found(name, REQUIRED, "bare", classified=False, born=0, missing=5)
    for name in ("iu_staging_payload", "iu_staging_record"):
        yield Found(name, REQUIRED, None, classified=False, born=0)


def _create(conn: Connection, found: Found, owner: str) -> None:
    columns = {
        "code": SQL("code text PRIMARY KEY, title text"),
        "id": SQL("id bigint PRIMARY KEY, title text"),
        "pair": SQL("tenant text, no integer, title text, PRIMARY KEY (tenant, no)"),
        "bare": SQL("line integer, title text"),
    }[found.shape or "bare"]
    status = SQL(", status text NOT NULL DEFAULT 'published'") if found.status else SQL("")
    conn.execute(SQL("CREATE TABLE {} ({}{})").format(found.table, columns, status))
    conn.execute(SQL("ALTER TABLE {} OWNER TO {}").format(found.table, Identifier(owner)))
    conn.execute(SQL("GRANT SELECT ON {0} TO birth_scanner; GRANT TRIGGER ON {0} TO birth_definer").format(found.table))
    routine = Identifier("birth", "fn_birth_registry_auto_id" if found.by_id else "fn_birth_registry_auto")
    arguments = SQL(", ").join(map(Constant, _arguments(found)))
    for name in islice(("birth_gateway", "birth_gateway_again"), found.triggers):
        trigger = SQL(
            "CREATE TRIGGER {} AFTER INSERT ON {} REFERENCING NEW TABLE AS birth_new_rows"
            " FOR EACH STATEMENT EXECUTE FUNCTION {}({})"
        )
        conn.execute(trigger.format(Identifier(name), found.table, routine, arguments))


def _arguments(found: Found) -> list[str]:
    """The trigger's arguments: the collection, and where the registry does not know it, the identity."""
    if found.classified or found.identity is None:
        return [found.name]
    return [found.name, found.identity, *(["id"] if found.strategy == "synthetic_id" else [])]


def _enter(conn: Connection, found: Found) -> None:
    identity = {
        "column": (found.identity, None, None),
        "synthetic_id": ("id", found.identity, None),
        "legacy": (None, None, found.identity),
        None: (None, None, None),
    }[found.strategy]
    conn.execute(
        "INSERT INTO birth.collection_registry (collection_name, schema_name, table_name, coverage_status, governed,"
        " birth_code_strategy, birth_code_column, birth_code_prefix, birth_code_template)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (found.name, SCHEMA, found.name, found.coverage, found.governed, found.strategy, *identity),
    )


def _insert(conn: Connection, found: Found, first: int, last: int) -> None:
    columns, values = {
        "code": (SQL("code, title"), SQL("%(name)s || '-' || lpad(i::text, 5, '0'), 'row ' || i")),
        "id": (SQL("id, title"), SQL("%(base)s::bigint + i, 'row ' || i")),
        "pair": (SQL("tenant, no, title"), SQL("'tenant-' || (i %% 4), i, 'row ' || i")),
        "bare": (SQL("line, title"), SQL("i, 'row ' || i")),
    }[found.shape or "bare"]
    statement = SQL("INSERT INTO {} ({}) SELECT {} FROM generate_series(%(first)s::bigint, %(last)s) AS i")
    base = _FIRST_EVENT if found.name == PROVENANCE else 0
    parameters = {"name": found.name.upper(), "base": base, "first": first, "last": last}
    conn.execute(statement.format(found.table, columns, values), parameters)


def _forget(conn: Connection, world: list[Found]) -> None:
    """Take the identity of what nobody had classified out of the registry; rows after that have no birth."""
    unknown = [found for found in world if not found.classified]
    conn.execute(
        "UPDATE birth.collection_registry SET birth_code_strategy = NULL, birth_code_column = NULL,"
        " birth_code_prefix = NULL, birth_code_template = NULL, birth_code_sql = NULL, birth_code_row_sql = NULL,"
        " birth_code_columns = '{}', birth_code_types = '{}', birth_code_distinct = false"
        " WHERE collection_name = ANY (%s)",
        ([found.name for found in unknown],),
    )
    for found in unknown:
        if found.missing:
            _insert(conn, found, found.born + 1, found.born + found.missing)


def _chunks(rows: int) -> Iterator[tuple[int, int]]:
    for first in range(1, rows + 1, _CHUNK):
        yield first, min(first + _CHUNK - 1, rows)
