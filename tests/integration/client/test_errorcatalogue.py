"""The catalogue of refusals and what is generated from it."""

import errorcatalogue
import psycopg
import pytest
from errorcatalogue import Entry
from support import Database

from birthdb import errors, paths

ENTRIES = errorcatalogue.load()
GOOD = {"code": "NB101", "message": "a refusal", "hint": "do this", "outcome": "failed"}


@pytest.mark.parametrize(
    ("name", "change", "fault"),
    [
        ("Wrong_Name", {}, "lower_snake_case"),
        ("a", {"code": "XX101"}, "not NB1xx to NB5xx"),
        ("a", {"code": "NB000"}, "not NB1xx to NB5xx"),
        ("a", {"code": "NB1"}, "not NB1xx to NB5xx"),
        ("a", {"message": "A refusal"}, "capital"),
        ("a", {"message": "a refusal."}, "full stop"),
        ("a", {"hint": " "}, "hint is empty"),
        ("a", {"outcome": "maybe"}, "neither failed nor stopped"),
        ("a", {"extra": "x"}, "needs code"),
    ],
)
def test_a_faulty_entry_is_named(name: str, change: dict[str, str], fault: str) -> None:
    (found,) = errorcatalogue.check({name: GOOD | change})
    assert found.startswith(name)
    assert fault in found


def test_one_code_belongs_to_one_entry() -> None:
    assert errorcatalogue.check({"a": GOOD, "b": GOOD}) == ["b: NB101 belongs to a already"]


def test_generated_files_are_up_to_date() -> None:
    stale = [
        path.relative_to(paths.ROOT).as_posix()
        for path, text in errorcatalogue.render(ENTRIES).items()
        if path.read_text(encoding="utf-8") != text
    ]
    assert not stale, "the catalogue has changed: make generate"


def test_every_entry_has_an_exception() -> None:
    classes = {refusal.sqlstate: refusal.__name__ for refusal in errors.BirthError.__subclasses__()}
    assert classes == {entry.code: entry.class_name for entry in ENTRIES}


@pytest.fixture
def function(empty_db: Database) -> psycopg.Connection[tuple[object, ...]]:
    """A connection to a database that has nothing but the generated function."""
    conn = empty_db.connect()
    conn.execute("CREATE SCHEMA birth")
    conn.execute((paths.SQL / "functions" / "core" / "fn_birth_error.sql").read_bytes())
    return conn


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_every_entry_has_a_hint_that_is_one_line(entry: Entry) -> None:
    assert "\n" not in entry.hint + entry.message


def test_name_and_sqlstate_find_the_same_error(function: psycopg.Connection[tuple[object, ...]]) -> None:
    for entry in ENTRIES:
        for key in (entry.name, entry.code):
            row = function.execute("SELECT birth.fn_birth_error(%s, %s)", (key, "the facts")).fetchone()
            assert row == (
                {
                    "error": entry.name,
                    "code": entry.code,
                    "message": entry.message,
                    "detail": "the facts",
                    "hint": entry.hint,
                    "outcome": entry.outcome,
                },
            )


def test_the_raising_routine_may_replace_the_hint(function: psycopg.Connection[tuple[object, ...]]) -> None:
    row = function.execute("SELECT birth.fn_birth_error('dot_frozen', NULL, 'wait') ->> 'hint'").fetchone()
    assert row == ("wait",)


@pytest.mark.parametrize("key", ["no_such_error", "NB999", "", None])
def test_an_unknown_error_raises(function: psycopg.Connection[tuple[object, ...]], key: str | None) -> None:
    with pytest.raises(psycopg.errors.UndefinedObject, match="no such error"):
        function.execute("SELECT birth.fn_birth_error(%s, 'facts')", (key,))


def test_a_catalogue_error_becomes_the_exception_of_its_sqlstate(empty_db: Database) -> None:
    with pytest.raises(psycopg.Error) as caught:
        empty_db.connect().execute(
            "DO $$BEGIN RAISE EXCEPTION 'no' USING ERRCODE = 'NB203', DETAIL = 'facts', HINT = 'next'; END$$"
        )
    refusal = errors.BirthError.from_psycopg(caught.value)
    assert isinstance(refusal, errors.PermitExpired)
    assert (refusal.sqlstate, refusal.message, refusal.detail, refusal.hint) == ("NB203", "no", "facts", "next")


def test_an_error_outside_the_catalogue_is_unchanged(empty_db: Database) -> None:
    with pytest.raises(psycopg.Error) as caught:
        empty_db.connect().execute("SELECT 1/0")
    assert errors.BirthError.from_psycopg(caught.value) is None
