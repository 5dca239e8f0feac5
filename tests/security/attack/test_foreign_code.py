"""No code of a table's owner runs with the rights of birth_definer, whenever and wherever it is put in place."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import IsolationLevel
from security.attack.spy import ran_as, spied
from world import APPLICATION, World, wait_until_blocked

from birthdb import api, errors

IDENTITIES: dict[str, dict[str, str]] = {
    "column": {"column": "id"},
    "synthetic_id": {"column": "id", "prefix": "t-"},
    "legacy": {"template": "T{id}"},
}
LEVELS = ("statement", "row")


def governed(world: World, level: str, columns: str, **identity: Any) -> None:
    """Govern the table thing by a gateway of the level; a partitioned table gets one that fires by row."""
    world.table(columns + (" PARTITION BY HASH (id)" if level == "row" else ""))
    if level == "row":
        world.table("PARTITION OF app.thing FOR VALUES WITH (MODULUS 1, REMAINDER 0)", "part")
    world.register()
    world.classify(**identity)
    world.attach()


# --- a column with the name of an alias


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("kind", "value"), [("app.trap", "ROW('a', 'b')"), ("integer", "7")])
def test_a_column_named_t_does_not_shadow_the_identity(world: World, level: str, kind: str, value: str) -> None:
    spied(world).owner.execute("CREATE TYPE app.trap AS (id app.mood, x text)")
    governed(world, level, f"(id text PRIMARY KEY, t {kind})", strategy="column", column="id")
    world.owner.execute(f"INSERT INTO app.thing VALUES ('live', {value})".encode())
    assert world.births() == ["live"]
    world.owner.execute("ALTER TABLE app.thing DISABLE TRIGGER birth_gateway")
    world.owner.execute(f"INSERT INTO app.thing VALUES ('late', {value})".encode())
    world.owner.execute("ALTER TABLE app.thing ENABLE TRIGGER birth_gateway")
    assert world.failed_checks() == {"rows without a birth": ["late"]}
    assert world.planned()["planned_rows"] == 1
    world.backfill()
    assert world.births() == ["late", "live"]
    assert ran_as(world) == set()


# --- an old snapshot


@pytest.mark.parametrize("strategy", IDENTITIES)
def test_an_insert_under_an_old_snapshot_runs_no_cast_of_a_retyped_identity(world: World, strategy: str) -> None:
    spied(world)
    governed(world, "statement", "(id integer PRIMARY KEY)", strategy=strategy, **IDENTITIES[strategy])
    old = world.db.connect(APPLICATION, autocommit=False)
    old.set_isolation_level(IsolationLevel.REPEATABLE_READ)
    old.execute("SELECT 1")
    world.owner.execute("ALTER TABLE app.thing ALTER id TYPE app.mood USING 'a'::app.mood")
    old.execute("INSERT INTO app.thing VALUES ('b')")
    old.commit()
    assert ran_as(world) == set()
    assert world.births() == []
    assert world.findings() == [("gateway_no_identity", 1)]


def test_a_row_trigger_under_an_old_snapshot_runs_no_cast_of_a_retyped_identity(world: World) -> None:
    # A partition key cannot be retyped, but the trigger of a single partition fires by row too.
    spied(world).table("(k integer, id integer, UNIQUE (k, id)) PARTITION BY HASH (k)")
    world.table("PARTITION OF app.thing FOR VALUES WITH (MODULUS 1, REMAINDER 0)", "part")
    world.register()
    world.classify("legacy", template="{k}-{id}")
    world.attach()
    old = world.db.connect(APPLICATION, autocommit=False)
    old.set_isolation_level(IsolationLevel.REPEATABLE_READ)
    old.execute("SELECT 1")
    world.owner.execute("ALTER TABLE app.thing ALTER id TYPE app.mood USING 'a'::app.mood")
    old.execute("INSERT INTO app.thing VALUES (1, 'b')")
    old.commit()
    assert ran_as(world) == set()
    assert world.births() == []
    assert world.findings() == [("gateway_no_identity", 1)]


# --- a view in the place of the table


Permitted = tuple[UUID, int, int]


def census(world: World, _: Permitted) -> None:
    assert not all(check["pass"] for check in api.census(world.operator, "thing"))
    raise errors.IdentityNotEligible("the census says so")


def plan(world: World, _: Permitted) -> None:
    api.plan(world.operator, "thing", dry_run=False)


def rehearse(world: World, _: Permitted) -> None:
    api.rehearse(world.operator, "thing")


def sample(world: World, _: Permitted) -> None:
    api.plan_sample(world.operator, "thing")


def begin(world: World, permitted: Permitted) -> None:
    run_id, permit_id, delta = permitted
    api.apply(world.operator, "thing", run_id, permit_id, delta, delta, execute=True)


def ask(world: World, permitted: Permitted) -> None:
    run_id, permit_id, delta = permitted
    api.apply(world.operator, "thing", run_id, permit_id, delta, delta)


@pytest.mark.parametrize("reading", [census, plan, rehearse, sample, ask, begin])
def test_a_view_that_replaces_the_table_concurrently_is_not_read(
    world: World, reading: Callable[[World, Permitted], None]
) -> None:
    spied(world).governed("(code text PRIMARY KEY)", mode=None)
    world.insert(["a", "b"])
    world.owner.execute("CREATE VIEW app.fake AS SELECT code || coalesce(app.spy('view'), '') AS code FROM app.thing")
    world.owner.execute("GRANT SELECT ON app.fake TO birth_scanner")
    permitted = world.permitted()
    with ThreadPoolExecutor(1) as elsewhere:
        with world.owner.transaction():
            world.owner.execute("ALTER TABLE app.thing RENAME TO real; ALTER VIEW app.fake RENAME TO thing")
            waiting = elsewhere.submit(reading, world, permitted)
            wait_until_blocked(world.admin, world.operator)
        with pytest.raises((errors.IdentityNotEligible, errors.SourceMissing)):
            waiting.result(timeout=60)
    assert ran_as(world) == set()
    assert world.births() == []


@pytest.mark.parametrize(
    "routine",
    ["fn_birth_census", "fn_dot_birth_qt001_plan", "fn_dot_birth_qt001_rehearse", "fn_dot_birth_qt006_plan"],
)
def test_a_reader_under_an_old_snapshot_is_refused(world: World, routine: str) -> None:
    spied(world).governed("(code text PRIMARY KEY)", mode=None)
    world.insert(["a"])
    old = world.db.connect("olga_operator", autocommit=False)
    old.set_isolation_level(IsolationLevel.REPEATABLE_READ)
    old.execute("SELECT 1")
    world.owner.execute("CREATE VIEW app.fake AS SELECT code || coalesce(app.spy('view'), '') AS code FROM app.thing")
    world.owner.execute("GRANT SELECT ON app.fake TO birth_scanner")
    world.owner.execute("ALTER TABLE app.thing RENAME TO real; ALTER VIEW app.fake RENAME TO thing")
    with pytest.raises(psycopg.Error) as refusal:
        old.execute(f"SELECT * FROM birth.{routine}('thing')".encode())
    assert refusal.value.sqlstate == errors.IsolationLevel.sqlstate
    assert ran_as(world) == set()


# --- what the planner evaluates

PLANNED = {
    "an index over an expression": "CREATE INDEX ON app.thing ((app.quiet('index') || code))",
    "an index with a condition": "CREATE INDEX ON app.thing (code) WHERE app.quiet('index') <> code",
    "an index with an operator": "CREATE INDEX ON app.thing (code) WHERE 'x' OPERATOR(app.<<>>) 'y'",
    "a check": "ALTER TABLE app.thing ADD CHECK (app.quiet('check') <> code)",
    "extended statistics": "CREATE STATISTICS app.s ON (app.quiet('stats') || code), code FROM app.thing",
}


@pytest.mark.parametrize("planned", PLANNED)
def test_a_table_is_not_eligible_if_planning_runs_owner_code_in(world: World, planned: str) -> None:
    spied(world).governed("(code text PRIMARY KEY)", mode=None)
    world.insert(["a", "b", "c"])
    world.owner.execute(PLANNED[planned].encode())
    world.owner.execute("ANALYZE app.thing; DELETE FROM app.ran")
    # The caller's own settings do not reach into what runs as birth_definer.
    world.operator.execute("SET constraint_exclusion = on")
    assert world.status() == "BLOCKED_SOURCE"
    assert world.failed_checks() != {}
    assert world.blockers()[0] in {"NB105", "NB114"}
    with pytest.raises((errors.IdentityNotEligible, errors.SourceMissing)):
        api.rehearse(world.operator, "thing")
    assert ran_as(world) == set()


@pytest.mark.parametrize("planned", PLANNED)
def test_a_permitted_run_is_refused_if_planning_runs_owner_code_in(world: World, planned: str) -> None:
    spied(world).governed("(code text PRIMARY KEY)", mode=None)
    world.insert(["a", "b", "c"])
    run_id, permit_id, delta = world.permitted()
    world.owner.execute(PLANNED[planned].encode())
    world.owner.execute("ANALYZE app.thing; DELETE FROM app.ran")
    world.operator.execute("SET constraint_exclusion = on")
    with pytest.raises((errors.IdentityNotEligible, errors.SourceMissing)):
        api.apply(world.operator, "thing", run_id, permit_id, delta, delta, execute=True)
    assert ran_as(world) == set()
    assert world.births() == []


@pytest.mark.parametrize("planned", PLANNED)
def test_owner_code_on_a_partition_makes_the_root_not_eligible(world: World, planned: str) -> None:
    spied(world).table("(code text PRIMARY KEY) PARTITION BY HASH (code)", "root")
    world.table("PARTITION OF app.root FOR VALUES WITH (MODULUS 1, REMAINDER 0)", "thing")
    world.register("root")
    world.classify("column", "root", column="code")
    assert world.status("root") == "ELIGIBLE_COLUMN"
    world.owner.execute(PLANNED[planned].encode())
    assert world.status("root") == "BLOCKED_SOURCE"


def test_expressions_over_built_in_and_trusted_functions_are_eligible(world: World) -> None:
    world.governed("(code text PRIMARY KEY CHECK (length(code) < 100))")
    world.admin.execute(
        "CREATE FUNCTION public.trusted(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT upper($1)'"
    )
    world.owner.execute("CREATE INDEX ON app.thing (lower(code)) WHERE code <> 'x'")
    world.owner.execute("CREATE INDEX ON app.thing (public.trusted(code))")
    world.owner.execute("CREATE STATISTICS app.s ON (public.trusted(code)), code FROM app.thing")
    world.insert(["a", "b"])
    world.admin.execute("DELETE FROM birth.birth_registry")
    assert world.status() == "ELIGIBLE_COLUMN"
    world.backfill()
    assert world.failed_checks() == {}
