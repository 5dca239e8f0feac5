"""A collection whose life is recorded, what the application does to its rows, and which of its codes are dead."""

from typing import Any

from world import World

from birthdb import api

TABLE = "(id bigint PRIMARY KEY, note text)"
STATUS = "(id bigint PRIMARY KEY, status text)"
ROWS = "INSERT INTO app.thing SELECT g, 'x' FROM generate_series(1, 5) g"


def living(world: World, definition: str = TABLE, mode: Any = "observe", **life: Any) -> None:
    """Govern ``app.thing`` with codes such as T-7, and attach its life triggers."""
    world.governed(definition, strategy="synthetic_id", column="id", prefix="T-")
    api.life_attach(world.steward, "thing", mode, **life)


def retiring(world: World, mode: Any = "observe") -> None:
    """Govern a table whose rows retire by their status."""
    living(world, STATUS, mode, column="status", dead=["closed", "merged"])


def parted(world: World, mode: Any = "observe", columns: str = "note text", **life: Any) -> None:
    """Govern a partitioned table: app.low below 10, app.high from there."""
    world.table(f"(id bigint PRIMARY KEY, {columns}) PARTITION BY RANGE (id)")
    for name, low, high in (("low", 0, 10), ("high", 10, 100)):
        world.owner.execute(
            f"CREATE TABLE app.{name} PARTITION OF app.thing FOR VALUES FROM ({low}) TO ({high});"
            f" GRANT TRIGGER ON app.{name} TO birth_definer".encode()
        )
    world.register()
    world.classify("synthetic_id", column="id", prefix="T-")
    world.attach()
    api.life_attach(world.steward, "thing", mode, **life)


def send(world: World, *statements: str) -> None:
    """Send the statements as the application, in one transaction."""
    with world.owner.transaction():
        for statement in statements:
            world.owner.execute(statement.encode())


def past(world: World, *statements: str, trigger: str = "birth_gateway") -> None:
    """Send the statements past a trigger."""
    world.owner.execute(f"ALTER TABLE app.thing DISABLE TRIGGER {trigger}".encode())
    send(world, *statements)
    world.owner.execute(f"ALTER TABLE app.thing ENABLE TRIGGER {trigger}".encode())


def deaths(world: World) -> dict[str, tuple[Any, ...]]:
    """Return of each death: manner, successor, lives, and whether it is open."""
    found = world.admin.execute(
        "SELECT entity_code, manner, successor, lives, returned_at IS NULL FROM birth.birth_death ORDER BY 1"
    )
    return {row[0]: row[1:] for row in found}


def dead(world: World) -> list[str]:
    """Return the codes that are dead."""
    return [code for code, death in deaths(world).items() if death[-1]]


def agree(world: World) -> None:
    """Living births are the codes of living rows, both ways; each death has a birth of its collection."""
    checks = {row["check"]: row["rows"] for row in api.census(world.person("rita_reviewer"), "thing")}
    assert checks["births without a row or a death"] == checks["dead with a living row"] == 0
    assert checks["rows without a birth"] == 0
    grounded(world)


def grounded(world: World) -> None:
    """Each death has a birth of its collection."""
    assert (
        world.admin.execute(
            "SELECT d.entity_code FROM birth.birth_death d LEFT JOIN birth.birth_registry b USING (entity_code)"
            " WHERE b.collection_name IS DISTINCT FROM d.collection_name"
        ).fetchall()
        == []
    )


def death_run(world: World, accept: int, batch: int = 2) -> Any:
    """Plan, judge, permit and execute a death run; return it."""
    plan = api.death_plan(world.operator, "thing", dry_run=False)
    permit = world.judged(plan["run_id"], accept=accept, rows=accept)
    api.death_apply(world.operator, plan["run_id"], permit, batch=batch, execute=True)
    return plan["run_id"]
