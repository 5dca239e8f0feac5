"""No part of a password is printed, however it was written and wherever it was put."""

import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from unittest.mock import patch
from urllib.parse import quote

import psycopg
import pytest
from alembic.config import Config
from hypothesis import example, given, settings
from hypothesis import strategies as st
from psycopg.conninfo import make_conninfo
from sample import some

from birthdb import cli, paths, target

pytestmark = pytest.mark.ordinary

#: Of what a password is made here: parts that nothing prints by itself, and whatever means something to a URI.
PARTS = ("s3cr3t", "Zx9", "Ω", "Щ")
SPECIAL = "@/:?#[]%&=+ '\"\\,;.-"
PASSWORDS = st.lists(st.sampled_from([*PARTS, *SPECIAL, "%41", "//", "@["]), min_size=1, max_size=7).map("".join)

#: Where nothing listens: the port is reserved.
_HOST = "127.0.0.1:1"

#: Each example is a dozen of connection strings.
few = settings(max_examples=6)

#: A command for each way from the command line to a connection.
COMMANDS = [
    ["status", "--url", "TARGET"],
    ["verify", "--url=TARGET", "--json"],
    ["evidence", "all", "--url", "TARGET"],
    ["alembic", "-x", "url=TARGET", "current"],
    ["status"],
]

#: The same where another argument belongs: a slip that must not show it either.
SLIPS = [
    ["TARGET"],
    ["status", "TARGET"],
    ["plan", "TARGET"],
    ["apply", "TARGET", "--expected-delta", "1"],
    ["apply", "x", "--expected-delta", "TARGET"],
    ["evidence", "TARGET"],
    ["status", "--ulr", "TARGET"],
    ["status", "--ulr=TARGET"],
    ["alembic", "current", "TARGET"],
    ["alembic", "upgrade", "TARGET"],
    ["alembic", "--TARGET"],
    ["alembic", "-x", "TARGET", "current"],
]


def said(*arguments: str, url: str | None = None) -> str:
    """Return everything that the command line prints, and how it ends where nobody foresaw that."""
    out, err = StringIO(), StringIO()
    environment = {} if url is None else {target.VARIABLE: url}
    with (
        patch.object(sys, "argv", ["birthdb", *arguments]),
        patch.dict("os.environ", environment),
        redirect_stdout(out),
        redirect_stderr(err),
        pytest.raises((SystemExit, Exception)) as ended,
    ):
        cli.main()
    assert isinstance(ended.value, SystemExit), repr(ended.value)
    assert ended.value.code != cli.FINE
    return out.getvalue() + err.getvalue()


def shown(password: str, text: str) -> list[str]:
    """Return which parts of the password the text has, plain or escaped."""
    forms = {form: part for part in PARTS for form in (part, quote(part), ascii(part)[1:-1])}
    return [part for form, part in forms.items() if part in password and form.lower() in text.lower()]


def written(password: str) -> Iterator[str]:
    """Yield connection strings with the password: as it must be written, and as somebody in a hurry writes it."""
    escaped = quote(password, safe="")
    for given_as in (escaped, password):
        yield f"postgresql://paul:{given_as}@{_HOST}/births"
        yield f"postgresql+psycopg://paul:{given_as}@{_HOST}/births?sslmode=disable"
        # Where an & ends the value, a parameter follows: nothing tells that it is none.
        for name in ("password", "sslpassword"):
            yield f"postgres://paul@{_HOST}/births?{name}={given_as.replace('&', '%26')}"
    yield make_conninfo(host="127.0.0.1", port=1, user="paul", password=password)
    yield make_conninfo(host="127.0.0.1", port=1, user="paul", sslpassword=password)
    yield f"{password}@{_HOST}/births"
    yield f"dbname='postgresql://paul:{escaped}@{_HOST}/births' host=127.0.0.1 port=1"


@some("command", COMMANDS, ids=" ".join)
@example("ss/s3cr3t")
@example("p@ss/s3cr3t")
@example("p@s3cr3t?sslmode=Zx9")
@example("s3cr3t")
@few
@given(PASSWORDS)
def test_no_command_prints_a_part_of_a_password(command: list[str], password: str) -> None:
    named = any("TARGET" in word for word in command)
    for url in written(password):
        text = said(*(word.replace("TARGET", url) for word in command), url=None if named else url)
        assert shown(password, text) == [], (url, text)


@pytest.mark.parametrize("command", SLIPS, ids=" ".join)
@example("s3cr3t")
@few
@given(PASSWORDS)
def test_a_connection_string_as_a_wrong_argument_is_not_printed(command: list[str], password: str) -> None:
    for url in (f"postgresql://paul:{password}@{_HOST}/births", make_conninfo(host="127.0.0.1", password=password)):
        text = said(*(word.replace("TARGET", url) for word in command))
        assert shown(password, text) == [], (url, text)


@example("p@ss/s3cr3t")
@settings(max_examples=20)
@given(PASSWORDS)
def test_no_exception_contains_a_part_of_a_password(password: str) -> None:
    ways: list[Callable[[str], object]] = [
        target.resolve,
        target.describe,
        target.connect,
        lambda url: target.engine(url).connect(),
    ]
    for url in written(password):
        for way in ways:
            try:
                text = str(way(url))
            except Exception as exc:
                text = f"{exc!r} {exc} {getattr(exc, 'hint', '')} {getattr(exc, 'orig', '')}"
            if way is not target.resolve:
                assert shown(password, text) == [], (url, text)


@example("100%s3cr3t")
@few
@given(PASSWORDS)
def test_a_password_in_alembic_ini_is_not_printed(tmp_path_factory: pytest.TempPathFactory, password: str) -> None:
    """Where a % is not doubled, the file cannot be read, and what reads it quotes what follows."""
    ini = tmp_path_factory.mktemp("ini") / "alembic.ini"
    text = Path(paths.ALEMBIC_INI).read_text(encoding="utf-8")
    url = f"postgresql://paul:{password}@{_HOST}/births"
    ini.write_text(text.replace("[alembic]\n", f"[alembic]\nsqlalchemy.url = {url}\n", 1), "utf-8")
    with pytest.raises((target.TargetError, psycopg.Error)) as refused:
        target.connect(target.resolve(None, Config(str(ini))))
    assert shown(password, f"{refused.value!r} {refused.value}") == [], url
    with patch.object(paths, "ALEMBIC_INI", ini):
        assert shown(password, said("status")) == []


@given(PASSWORDS)
def test_an_escaped_password_is_passed_unchanged(password: str) -> None:
    """Refusing what may be misread refuses nothing that is written as it must be."""
    url = target.resolve(f"postgresql://paul:{quote(password, safe='')}@{_HOST}/births")
    assert target._parse(url)["password"] == password
    assert target.describe(url) == "database births on 127.0.0.1 as paul"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://paul:pass?word#1@db.example/births",
        "postgresql://db.example,other.example:5433/births",
        "postgresql://paul@[::1]:5432/births?options=-c%20role%3Dx",
        "postgresql:///births?host=/run/postgresql",
        "host=/run/postgresql dbname=a@b",
        "postgresql://paul@db.example/a%40b",
        "service=births",
    ],
)
def test_an_unambiguous_url_is_accepted(url: str) -> None:
    assert target.resolve(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://paul:p@ss@db.example/births",
        "postgresql://paul:p/w@db.example/births",
        "postgresql://paul:p@ss/w@db.example/births",
        "postgresql://paul:p@s?sslmode=x@db.example/births",
        "postgresql://paul:s3cr3t/births",
        "postgresql://paul:/s3cr3t/births",
        "dbname=postgresql://paul:s3cr3t@db.example/births",
    ],
)
def test_an_ambiguous_url_is_refused_with_the_correct_form(url: str) -> None:
    with pytest.raises(target.BadTarget) as refused:
        target.resolve(url)
    assert "%40" in refused.value.hint
