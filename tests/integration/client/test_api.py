"""The client: each function binds its arguments to a routine that exists, and answers alike over both connections."""

import asyncio
import inspect
import pickle
import re
import types
import typing
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.types.numeric import FloatLoader
from psycopg.types.string import TextLoader
from support import Database
from world import World

from birthdb import answers, api, errors
from birthdb.query import Query

VALUES: dict[str, object] = {
    "run_id": UUID(int=0),
    "expires_at": datetime.now(UTC),
    "notice": None,
    "dry_run": True,
    "execute": False,
    "governed": False,
}
NUMBERS = {"permit_id", "max_rows", "expected_delta", "batch", "pause_ms", "accept_orphans"}
#: What asks a view or a table, or takes the name of what it asks.
NOT_ROUTINES = {"progress", "required", "rows", "usable_permit", "view"}
FUNCTIONS = {
    name: function
    for name, function in inspect.getmembers(api, inspect.isfunction)
    if function.__module__ == api.__name__ and hasattr(function, "__wrapped__")
}
WRAPPERS = [function for name, function in FUNCTIONS.items() if name not in NOT_ROUTINES]


def described(function: Callable[..., Any]) -> Query[Any]:
    """Return the query of a function with every argument given."""
    describe = inspect.unwrap(function)
    given = {p: VALUES.get(p, 1 if p in NUMBERS else p) for p in inspect.signature(describe).parameters}
    query: Query[Any] = describe(**given)
    return query


@pytest.mark.parametrize("wrapper", WRAPPERS, ids=lambda wrapper: wrapper.__name__)
def test_a_wrapper_binds_exactly_the_arguments_of_its_routine(
    admin: psycopg.Connection[Any], wrapper: Callable[..., Any]
) -> None:
    query = described(wrapper)
    assert query.head is not None
    routine = query.head.rpartition(".")[2]
    row = admin.execute(
        "SELECT proargnames[1:pronargs] FROM pg_proc WHERE pronamespace = 'birth'::regnamespace AND proname = %s",
        (routine,),
    ).fetchone()
    assert row is not None, f"{routine} does not exist"
    assert set(query.parameters) == set(row[0] or ())


#: What psycopg makes of a type, by its name in the catalogue.
PYTHON: dict[str, object] = {
    "_text": list[str],
    "bool": bool,
    "int4": int,
    "int8": int,
    "interval": timedelta,
    "jsonb": dict[str, Any],
    "_numeric": list[Decimal],
    "numeric": Decimal,
    "text": str,
    "timestamptz": datetime,
    "uuid": UUID,
}


def dictionary(function: Callable[..., Any]) -> Any:
    """Return the TypedDict of an answer, of its rows, or None."""
    answer = inspect.signature(function).return_annotation
    return next((each for each in (answer, *typing.get_args(answer)) if typing.is_typeddict(each)), None)


def plain(hint: Any) -> object:
    """Return the type of a value that is there, without its choices."""
    (hint,) = {each for each in typing.get_args(hint) if each not in (type(None), Any)} if is_union(hint) else {hint}
    if typing.get_origin(hint) is typing.Literal:
        return type(typing.get_args(hint)[0])
    return dict[str, Any] if hint == list[dict[str, Any]] else hint


def is_union(hint: Any) -> bool:
    return typing.get_origin(hint) in (typing.Union, types.UnionType)


@pytest.mark.parametrize("name", [name for name, function in FUNCTIONS.items() if dictionary(function)])
def test_an_answer_has_the_columns_and_types_that_the_database_sends(admin: psycopg.Connection[Any], name: str) -> None:
    text = re.sub(r"%\(\w+\)s", "NULL", described(FUNCTIONS[name]).statement.as_string(admin))
    admin.pgconn.prepare(b"described", text.encode())
    found = admin.pgconn.describe_prepared(b"described")
    names: dict[int, str] = dict(admin.execute("SELECT oid, typname FROM pg_type").fetchall())
    columns = {(found.fname(n) or b"").decode(): PYTHON[names[found.ftype(n)]] for n in range(found.nfields)}
    hints = typing.get_type_hints(dictionary(FUNCTIONS[name]))
    assert columns == {column: plain(hint) for column, hint in hints.items()}


def test_every_typed_answer_belongs_to_a_function() -> None:
    declared = {each for each in vars(answers).values() if typing.is_typeddict(each)}
    assert declared == {dictionary(function) for function in FUNCTIONS.values()} - {None}


def test_an_error_is_raised_as_the_exception_of_its_sqlstate(db: Database) -> None:
    with pytest.raises(errors.UnknownCollection) as caught:
        api.plan(db.connect("olga_operator"), "no such collection")
    assert isinstance(caught.value.__cause__, psycopg.Error)
    assert caught.value.hint


def test_an_error_survives_the_way_to_another_process(db: Database) -> None:
    with pytest.raises(errors.UnknownCollection) as caught:
        api.plan(db.connect("olga_operator"), "no such collection")
    copied = pickle.loads(pickle.dumps(caught.value))
    assert isinstance(copied, errors.UnknownCollection)
    assert (copied.message, copied.detail, copied.hint) == (
        caught.value.message,
        caught.value.detail,
        caught.value.hint,
    )


def test_other_errors_are_raised_unchanged(empty_db: Database) -> None:
    with pytest.raises(psycopg.errors.InvalidSchemaName):
        api.plan(empty_db.connect(), "x")


def loaded(conn: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """Return the connection of an application that reads numbers as float and JSON itself, as Django does."""
    conn.adapters.register_loader("numeric", FloatLoader)
    conn.adapters.register_loader("jsonb", TextLoader)
    return conn


def test_an_answer_has_its_types_over_a_connection_that_has_others(world: World) -> None:
    world.table("(id bigint PRIMARY KEY)")
    world.owner.execute("INSERT INTO app.thing VALUES (1)")
    world.register()
    world.classify("column", column="id")
    conn = loaded(world.db.connect("olga_operator"))
    planned = api.plan(conn, "thing", dry_run=False)
    assert {type(part) for part in planned["planned_fingerprint"]} == {Decimal}
    (sample, *_) = api.plan_sample(conn, "thing")
    assert sample["key"] == {"id": "1"}
    assert isinstance(api.plan(conn, "thing")["blockers"], list)


@pytest.mark.parametrize("factory", [psycopg.ClientCursor, psycopg.RawCursor])
def test_the_cursors_of_a_connection_do_not_matter(db: Database, factory: type[psycopg.Cursor[Any]]) -> None:
    conn = db.connect("olga_operator")
    conn.cursor_factory = factory
    assert api.required(conn) == []
    assert api.progress(conn, UUID(int=0)) is None


def test_a_call_in_a_pipeline_answers_as_any_other(db: Database) -> None:
    conn = db.connect("olga_operator")
    with conn.pipeline():
        assert [check["pass"] for check in api.run_audit(conn)] == [
            check["pass"] for check in api.run_audit(db.connect("olga_operator"))
        ]
        assert api.gate(conn) == 0
        with pytest.raises(errors.UnknownCollection):
            api.plan(conn, "no such collection")
        with pytest.raises(errors.RunUnknown):
            api.compensate(conn, UUID(int=0), 1)
        assert api.gate(conn) == 0


def test_a_call_in_an_asynchronous_pipeline_answers_as_any_other(db: Database) -> None:
    async def story() -> None:
        async with (
            await psycopg.AsyncConnection.connect(
                db.url("olga_operator"), autocommit=True, cursor_factory=psycopg.AsyncRawCursor
            ) as conn,
            conn.pipeline(),
        ):
            assert await api.gate(conn) == 0
            with pytest.raises(errors.UnknownCollection):
                await api.plan(conn, "no such collection")
            assert await api.gate(conn) == 0

    asyncio.run(story())


def test_a_call_is_not_prepared_so_that_a_pool_may_give_each_another_session(db: Database) -> None:
    conn = db.connect("olga_operator")
    conn.prepare_threshold = 0
    api.required(conn)
    assert conn.execute("SELECT count(*) FROM pg_prepared_statements", prepare=False).fetchone() == (0,)


def test_a_closed_connection_is_named_by_psycopg_also_where_calls_are_logged(
    db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "birthdb.api")
    conn = db.connect("olga_operator")
    conn.close()
    with pytest.raises(psycopg.OperationalError, match="closed"):
        api.plan(conn, "x")
    assert not caplog.records


def test_what_is_no_connection_of_psycopg_is_named() -> None:
    with pytest.raises(TypeError, match=r"a connection of psycopg 3 is needed, not builtins\.object"):
        api.plan(object(), "x")  # type: ignore[call-overload]


def told_procedure(db: Database) -> None:
    conn = db.connect()
    conn.execute("CREATE SCHEMA birth")
    conn.execute(
        """
        CREATE PROCEDURE birth.sp_dot_birth_qt001_compensate(
          p_run_id uuid, p_permit_id bigint, p_batch integer DEFAULT 1000, p_execute boolean DEFAULT false)
        LANGUAGE plpgsql AS $$BEGIN COMMIT; RAISE NOTICE '% %', p_batch, p_execute; END$$"""
    )


def test_notices_of_the_driver_reach_the_caller(empty_db: Database) -> None:
    told_procedure(empty_db)
    conn = empty_db.connect()
    told: list[str] = []
    api.compensate(conn, UUID(int=0), 1, execute=True, notice=told.append)
    api.compensate(conn, UUID(int=0), 1, batch=5)
    assert told == ["1000 t"]


class Async:
    """The people of a world, each with an asynchronous connection of their own."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._open: dict[str, api.AsyncConnection] = {}

    async def __aenter__(self) -> "Async":
        return self

    async def __aexit__(self, *_: object) -> None:
        for conn in self._open.values():
            await conn.close()

    async def person(self, login: str) -> api.AsyncConnection:
        if login not in self._open:
            self._open[login] = await psycopg.AsyncConnection.connect(self._world.db.url(login), autocommit=True)
        return self._open[login]

    async def permitted(self, rows: int) -> tuple[UUID, int]:
        """Return a run of collection ``thing`` and its confirmed permit."""
        reviewer = await self.person("rita_reviewer")
        run = (await api.plan(await self.person("olga_operator"), "thing", dry_run=False))["run_id"]
        await api.review_record(reviewer, run, "SAFE", "read and counted")
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        owner = await self.person("paul_owner")
        permit = await api.permit_open(owner, "thing", run, rows, tomorrow, "a test")
        await api.permit_confirm(reviewer, permit["permit_id"])
        return run, permit["permit_id"]


def test_a_backfill_goes_over_asynchronous_connections(world: World) -> None:
    world.table("(id bigint PRIMARY KEY)")
    world.owner.execute("INSERT INTO app.thing SELECT generate_series(1, 20)")

    async def story() -> list[str]:
        async with Async(world) as people:
            steward, operator = await people.person("alice_steward"), await people.person("olga_operator")
            await api.collection_register(steward, "thing", "app", "thing", "BIRTH_REQUIRED")
            await api.identity_classify(steward, "thing", "synthetic_id", column="id", prefix="T-")
            await api.gateway_attach(steward, "thing")
            run, permit = await people.permitted(20)
            told: list[str] = []
            await api.apply(operator, "thing", run, permit, 20, 20, batch=5, execute=True, notice=told.append)
            ended = await api.progress(operator, run)
            assert ended is not None
            assert (ended["status"], ended["rows_done"]) == ("done", 20)
            assert all(check["pass"] for check in await api.census(operator, "thing"))
            assert await api.required(operator) == ["thing"]
            assert await api.usable_permit(operator, run, "APPLY") is None
            with pytest.raises(errors.UnknownCollection) as refused:
                await api.plan(operator, "nothing")
            assert isinstance(refused.value.__cause__, psycopg.Error)
            return told

    told = asyncio.run(story())
    assert len(told) >= 4
    assert len(world.births()) == 20


def test_a_task_that_is_cancelled_ends_the_call_and_what_was_committed_stays(world: World) -> None:
    world.table("(id bigint PRIMARY KEY)")
    world.owner.execute("INSERT INTO app.thing SELECT generate_series(1, 3000)")
    world.register()
    world.classify("column", column="id")

    async def story() -> tuple[UUID, int]:
        async with Async(world) as people:
            operator = await people.person("olga_operator")
            run, permit = await people.permitted(3000)
            begun = asyncio.Event()
            call = asyncio.create_task(
                api.apply(
                    operator, "thing", run, permit, 3000, 3000, batch=100, execute=True, notice=lambda _: begun.set()
                )
            )
            await begun.wait()
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            # The connection is usable again: the server was told, and has ended the statement.
            found = await api.progress(operator, run)
            assert found is not None
            assert 0 < found["rows_done"] < 3000
            await api.apply(operator, "thing", run, permit, 3000, 3000, execute=True)
            ended = await api.progress(operator, run)
            assert ended is not None
            assert ended["status"] == "done"
            return run, permit

    asyncio.run(story())
    assert len(world.births()) == 3000
    assert all(row["pass"] for row in api.run_audit(world.operator))
