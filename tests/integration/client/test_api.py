"""The wrappers: each binds its arguments to a routine that exists, and refusals arrive as exceptions."""

import inspect
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest
from support import Database

from birthdb import api, errors

VALUES: dict[str, object] = {
    "run_id": UUID(int=0),
    "expires_at": datetime.now(UTC),
    "notice": None,
    "dry_run": True,
    "execute": False,
    "governed": False,
}
NUMBERS = {"permit_id", "max_rows", "expected_delta", "batch", "pause_ms", "accept_orphans"}
NOT_ROUTINES = {
    *("refusals", "rows", "view", "progress", "objects", "release", "may_read_release"),
    *("required", "usable_permit", "written"),
}
WRAPPERS = [
    function
    for name, function in inspect.getmembers(api, inspect.isfunction)
    if function.__module__ == api.__name__ and not name.startswith("_") and name not in NOT_ROUTINES
]


def call_with_every_argument(wrapper: Callable[..., Any]) -> None:
    parameters = list(inspect.signature(wrapper).parameters.values())[1:]
    given = {p.name: VALUES.get(p.name, 1 if p.name in NUMBERS else p.name) for p in parameters}
    wrapper(None, **given)


@pytest.mark.parametrize("wrapper", WRAPPERS, ids=lambda wrapper: wrapper.__name__)
def test_a_wrapper_binds_exactly_the_arguments_of_its_routine(
    admin: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch, wrapper: Callable[..., Any]
) -> None:
    bound: dict[str, set[str]] = {}

    def rows(conn: object, routine: str, /, **arguments: object) -> list[api.Row]:
        bound[routine] = set(arguments)
        return [{routine: "1"}]

    def call(conn: object, routine: str, notice: object, /, **arguments: object) -> None:
        bound[routine] = set(arguments)

    monkeypatch.setattr(api, "rows", rows)
    monkeypatch.setattr(api, "_call", call)
    call_with_every_argument(wrapper)
    ((routine, arguments),) = bound.items()
    row = admin.execute(
        "SELECT proargnames[1:pronargs] FROM pg_proc WHERE pronamespace = 'birth'::regnamespace AND proname = %s",
        (routine,),
    ).fetchone()
    assert row is not None, f"{routine} does not exist"
    assert arguments == set(row[0] or ())


def test_an_error_is_raised_as_the_exception_of_its_sqlstate(db: Database) -> None:
    with pytest.raises(errors.UnknownCollection) as caught:
        api.plan(db.connect("olga_operator"), "no such collection")
    assert isinstance(caught.value.__cause__, psycopg.Error)
    assert caught.value.hint


def test_other_errors_are_raised_unchanged(empty_db: Database) -> None:
    with pytest.raises(psycopg.errors.InvalidSchemaName):
        api.plan(empty_db.connect(), "x")


def test_notices_of_the_driver_reach_the_caller(empty_db: Database) -> None:
    conn = empty_db.connect()
    conn.execute("CREATE SCHEMA birth")
    conn.execute(
        """
        CREATE PROCEDURE birth.sp_dot_birth_qt001_compensate(
          p_run_id uuid, p_permit_id bigint, p_batch integer DEFAULT 1000, p_execute boolean DEFAULT false)
        LANGUAGE plpgsql AS $$BEGIN COMMIT; RAISE NOTICE '% %', p_batch, p_execute; END$$"""
    )
    told: list[str] = []
    api.compensate(conn, UUID(int=0), 1, execute=True, notice=told.append)
    api.compensate(conn, UUID(int=0), 1, batch=5)
    assert told == ["1000 t"]
