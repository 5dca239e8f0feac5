"""docs/guide/python.md does what it says, and the reference of the functions is that of the functions."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import apireference
import psycopg
import pytest
import sqlalchemy
from guides import blocks, page
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.ext.asyncio import create_async_engine
from world import World

from birthdb import api, paths
from birthdb.query import AsyncConnection


@pytest.fixture
def shown() -> dict[str, Any]:
    """What the blocks of the page define."""
    defined: dict[str, Any] = {}
    for block in blocks(page("python.md"), "python"):
        exec(block, defined)
    return defined


@pytest.fixture
def shop(world: World) -> World:
    """A table of three rows from before, registered and classified."""
    world.admin.execute("CREATE SCHEMA shop; GRANT USAGE ON SCHEMA shop TO PUBLIC")
    world.admin.execute("CREATE TABLE shop.customer (id bigint PRIMARY KEY, name text)")
    world.admin.execute(
        "GRANT SELECT ON shop.customer TO birth_scanner; GRANT TRIGGER ON shop.customer TO birth_definer"
    )
    world.admin.execute("INSERT INTO shop.customer SELECT g, 'before' FROM generate_series(1, 3) AS g")
    world.register("customer", schema="shop")
    world.classify("column", "customer", column="id")
    return world


def over(world: World, login: str, call: Any) -> Any:
    """Return what a coroutine of one connection returns."""

    async def opened() -> Any:
        async with await psycopg.AsyncConnection.connect(world.db.url(login), autocommit=True) as conn:
            return await call(conn)

    return asyncio.run(opened())


def test_both_kinds_of_connections_count_alike(shop: World, shown: dict[str, Any]) -> None:
    assert shown["lacking"](shop.operator) == {"customer": 3}
    assert over(shop, "olga_operator", shown["lacking_soon"]) == {"customer": 3}


def test_a_run_is_checked_and_spent_as_shown(
    shop: World, shown: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    planned = api.plan(shop.operator, "customer", dry_run=False)
    run, rows = planned["run_id"], planned["expected_delta"]
    api.review_record(shop.person("rita_reviewer"), run, "SAFE", "three rows from before")
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    permit = api.permit_open(shop.person("paul_owner"), "customer", run, rows, tomorrow, "a test")["permit_id"]
    said = shown["waiting"](shop.operator, run, permit, rows)
    assert "fn_birth_permit_confirm" in said
    assert over(shop, "olga_operator", lambda conn: shown["run"](conn, "customer", run)) == "no run, or no permit"
    api.permit_confirm(shop.person("rita_reviewer"), permit)
    assert shown["waiting"](shop.operator, run, permit, rows) is None
    assert over(shop, "olga_operator", lambda conn: shown["run"](conn, "customer", run)) == "done"
    assert capsys.readouterr().out
    assert shown["waiting"](shop.operator, UUID(int=0), permit, rows).startswith("NB")


def test_a_statement_of_ones_own_is_refused_as_shown(shop: World, shown: dict[str, Any]) -> None:
    shop.attach("customer", "enforce")
    shop.governed("(id bigint PRIMARY KEY)", column="id")
    shop.owner.execute("INSERT INTO app.thing VALUES (7)")
    assert shown["add"](shop.admin, 8)
    assert not shown["add"](shop.admin, 7)
    with pytest.raises(psycopg.errors.UniqueViolation):
        shown["add"](shop.admin, 8)


def test_connections_of_sqlalchemy_are_taken(shop: World) -> None:
    parts = {name: str(value) for name, value in conninfo_to_dict(shop.db.url("olga_operator")).items()}
    url = sqlalchemy.URL.create("postgresql+psycopg", query=parts)
    engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.NullPool)
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        assert api.required(driver) == ["customer"]

    async def asked() -> list[str]:
        engine = create_async_engine(url, isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.NullPool)
        async with engine.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            assert isinstance(driver, psycopg.AsyncConnection)
            found: AsyncConnection = driver
            return await api.required(found)

    assert asyncio.run(asked()) == ["customer"]


def test_the_reference_is_that_of_the_functions() -> None:
    assert (paths.ROOT / apireference.PAGE).read_text(encoding="utf-8") == apireference.text(), "make generate"
