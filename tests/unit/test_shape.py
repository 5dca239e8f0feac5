"""Whatever stands in a file, it is said to be no export, or is checked to the end: nothing else comes of it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from birthdb import audit, cli
from birthdb.audit import evidence, shape
from birthdb.audit.fingerprint import hasher

_EXAMPLES = {
    "number": 1,
    "sum": 1,
    "text": "é",
    "truth": True,
    "key": ["1"],
    "policy": {"p_to_status": "é", "p_to_governed": True},
    "time": "2026-01-01T00:00:00.5+00:00",
    "uuid": "00000000-0000-0000-0000-000000000001",
}
DEEP = "[" * 20_000 + "]" * 20_000


def example(of: shape.Shape) -> Any:
    """Return a value of a shape, with one item in each list."""
    if isinstance(of, str):
        return _EXAMPLES[of.rstrip("?")]
    if isinstance(of, dict):
        return {field.rstrip("?"): example(each) for field, each in of.items()}
    return [example(each) for each in of]


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every container in a value, with each of its keys or positions."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from places(value[key])


def checked(file: Path) -> None:
    """Check a file in both ways, to the end, where it can be read as an export at all."""
    with suppress(evidence.Unreadable):
        assert audit.check(audit.read(file), "0" * 64)
    with suppress(evidence.Unreadable):
        assert evidence.check(evidence.read(file))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "export"


def test_a_valid_document_is_accepted(file: Path) -> None:
    file.write_text(json.dumps(example(shape.RUN)), encoding="utf-8")
    export = audit.read(file)
    assert evidence.read(file) == export.document
    assert audit.check(export)


def test_unchecked_fields_may_have_any_value(file: Path) -> None:
    words = json.dumps(example(shape.RUN))
    for depth in range(100, 1200, 50):
        file.write_text(words[:-1] + ', "more": ' + "[" * depth + "]" * depth + "}", encoding="utf-8")
        checked(file)


#: Of each kind one that no field has, and one that many have.
OTHERS: tuple[Any, ...] = (None, 7, 2**63, 1.5, True, "x", "a\0b", "\ud800", [], ["a"], {}, {"a": 1})


@pytest.mark.parametrize("of", [shape.RUN, shape.ALL], ids=["run", "all"])
@pytest.mark.parametrize("other", OTHERS, ids=ascii)
def test_a_wrong_field_type_is_refused(file: Path, of: shape.Shape, other: Any) -> None:
    whole = example(of) | ({"kind": "all"} if of is shape.ALL else {})
    for number in range(len(list(places(whole)))):
        changed = deepcopy(whole)
        container, key = list(places(changed))[number]
        container[key] = other
        file.write_text(json.dumps(changed), encoding="utf-8")
        checked(file)


def test_a_field_that_is_missing_is_named(file: Path) -> None:
    changed = example(shape.RUN)
    del changed["permits"][0]["max_rows"]
    file.write_text(json.dumps(changed), encoding="utf-8")
    with pytest.raises(evidence.Unreadable, match=r"permits\[0\] has no max_rows"):
        audit.read(file)


WORDS = {
    "nothing": "",
    "a list": '["a"]',
    "a run of nothing": '{"run":{}}',
    "births of nothing": '{"kind":"births"}',
    "everything, and nothing in it": '{"kind":"all"}',
    "null": "null",
    "nested deep": DEEP,
    "nested deep in a run": f'{{"run":{DEEP}}}',
    "half a surrogate": '{"run":"\\ud800"}',
    "a long number": f'{{"run":{"9" * 5000}}}',
}


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("command", [["verify", "--run"], ["evidence", "--check"]], ids=" ".join)
def test_another_file_is_misuse(
    file: Path, words: str, command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(WORDS[words], encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["birthdb", *command, str(file), "--json"])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    said = capsys.readouterr()
    assert (caught.value.code, said.out) == (cli.MISUSE, "")
    assert file.name in json.loads(said.err)["error"]


LINES = {
    "a list": '["a"]',
    "a number": "7",
    "nested deep": DEEP,
    "a code that is none": json.dumps(example(shape.BIRTH) | {"entity_code": 7}),
    "a time that is none": json.dumps(example(shape.BIRTH) | {"born_at": None}),
    "no JSON": "{",
}


@pytest.mark.parametrize("line", LINES)
def test_reading_stops_at_an_invalid_birth_line(file: Path, line: str) -> None:
    document = example(shape.RUN) | {"kind": "births"}
    document["database"] = {"encoding": "UTF8", "hashed": hasher(1)(b"birthdb")}
    lines = [json.dumps(document), json.dumps(example(shape.BIRTH)), LINES[line], '{"births": 2}']
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    export = audit.read(file)
    (found,) = [each for each in audit.check(export) if each["check"] == "births are what the receipts leave"]
    assert not found["ok"]
    assert export.births is not None
    with pytest.raises(evidence.Unreadable):
        list(export.births())


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--expected-delta", "9" * 20),
        ("--max-rows", "-" + "9" * 20),
        ("--batch", "9" * 11),
        ("--batch-ms", "9" * 11),
    ],
)
def test_a_number_that_the_database_cannot_hold_is_misuse(
    option: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {"--expected-delta": "1", "--max-rows": "1"} | {option: value}
    options = [word for pair in given.items() for word in pair]
    monkeypatch.setattr(sys, "argv", ["birthdb", "apply", _EXAMPLES["uuid"], *options, "--json"])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == cli.MISUSE
    assert option in json.loads(capsys.readouterr().err)["error"]


def test_unencodable_characters_are_escaped_as_in_json(tmp_path: Path) -> None:
    file = tmp_path / "é\U0001f423"
    file.write_text(json.dumps(example(shape.RUN)), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "birthdb", "verify", "--run", str(file), "--json"],
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "1"},
        check=False,
    )
    assert (done.returncode, done.stderr) == (cli.ATTENTION, b"")
    assert json.loads(done.stdout.decode("ascii"))["file"] == str(file)
