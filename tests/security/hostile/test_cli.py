"""The command line with hostile names and values: a terminal obeys none of them, and JSON gives each back as it is."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

import pytest
from psycopg.sql import SQL, Literal
from sample import some
from security.hostile.text import BLANK, VALUES
from world import World, sql

from birthdb import api, cli

COLLECTIONS = ["\x1b[2J\x9b31m\r\n", "x\nok: PASS\u2028\u202e'\"; --\\"]
CODES = sorted(value for value in VALUES if value.strip(BLANK))
WORDS = "\x1b]0;title\x07\u2066%s\n'"


@dataclass(frozen=True)
class Said:
    """How a command ended, and what it said; ``said`` is whatever a terminal would have got."""

    code: object
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Said]


@pytest.fixture
def birthdb(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, world: World) -> Command:
    """A command of an operator, or of another person; whatever it says, each line of it is printable."""

    def run(*arguments: str, person: str = "olga_operator") -> Said:
        monkeypatch.setattr(sys, "argv", ["birthdb", *arguments, "--url", world.db.url(person)])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        said = Said(caught.value.code, *capfd.readouterr())
        for line in (said.out + said.err).split("\n"):
            assert line.isprintable(), (arguments, line)
        return said

    return run


def collected(world: World, name: str) -> None:
    """Make a schema, a table, a column and a collection of one name, with a row for each code."""
    world.admin.execute(sql("CREATE SCHEMA {name}", name=name))
    world.admin.execute(sql("CREATE TABLE {name}.{name} ({name} text PRIMARY KEY)", name=name))
    world.admin.execute(sql("INSERT INTO {name}.{name} SELECT unnest(", name=name) + Literal(CODES) + SQL("::text[])"))
    world.admin.execute(sql("GRANT USAGE ON SCHEMA {name} TO birth_definer, birth_scanner", name=name))
    world.admin.execute(
        sql(
            "GRANT SELECT ON {name}.{name} TO birth_scanner; GRANT TRIGGER ON {name}.{name} TO birth_definer", name=name
        )
    )
    world.register(name, schema=name)
    world.classify("column", name, column=name)
    world.attach(name)


def permitted(world: World, name: str, run: Any) -> int:
    reviewer, tomorrow = world.person("rita_reviewer"), datetime.now(UTC) + timedelta(days=1)
    api.review_record(reviewer, run, "SAFE", WORDS)
    permit = api.permit_open(world.person("paul_owner"), name, run, len(CODES), tomorrow, WORDS)["permit_id"]
    api.permit_confirm(reviewer, permit)
    return permit


@some("name", COLLECTIONS, ids=ascii)
def test_a_backfill_with_hostile_names_is_shown_as_text_and_json(
    world: World, birthdb: Command, name: str, tmp_path: Path
) -> None:
    collected(world, name)
    assert birthdb("plan", name).code == cli.FINE
    assert birthdb("census", name).code == cli.ATTENTION
    written = birthdb("plan", name, "--write", "--json")
    (plan,) = written.json["plan"]
    assert (written.code, plan["collection_name"]) == (cli.FINE, name)
    run, rows = plan["run_id"], str(len(CODES))
    assert birthdb("status", "--fail-on", "notice").code == cli.ATTENTION
    (progress,) = birthdb("status", "--json").json["runs"]
    assert progress["collection_name"] == name

    permitted(world, name, run)
    call = ["apply", run, "--expected-delta", rows, "--max-rows", rows]
    assert birthdb(*call).code == cli.FINE
    refused = birthdb(*call[:-1], "1", "--execute")
    assert (refused.code, "NB306" in refused.err) == (cli.ATTENTION, True)
    assert birthdb(*call, "--batch", "9", "--execute").code == cli.FINE
    census = birthdb("census", name, "--json")
    assert (census.code, census.json["collection"]) == (cli.FINE, name)
    assert len(birthdb("census", name).out.splitlines()) == len(birthdb("census", name).out.split("\n")) - 1

    document = birthdb("evidence", run).json
    assert document["run"]["collection_name"] == name
    assert (
        {one["findings"] for one in document["verdicts"]} == {one["reason"] for one in document["permits"]} == {WORDS}
    )
    births = [json.loads(line) for line in birthdb("evidence", run, "--births").out.split("\n")[1:-2]]
    assert sorted(birth["entity_code"] for birth in births) == CODES
    assert birthdb("evidence", "all", "--births").code == cli.FINE
    file = tmp_path / "run"
    assert birthdb("evidence", run, "--births", "-o", str(file)).code == cli.FINE
    assert birthdb("verify", "--run", str(file)).code == cli.FINE
    world.admin.execute(
        "UPDATE birth.birth_registry SET dot_origin = E'\\nok      all of it: as recorded\\x1b[2J' WHERE run_id = %s"
        " AND entity_code = (SELECT max(entity_code) FROM birth.birth_registry)",
        (run,),
    )
    changed = birthdb("verify", "--run", str(file))
    assert changed.code == cli.ATTENTION
    assert [line for line in changed.out.splitlines() if line.startswith("ok      all of it")] == []
    assert not birthdb("verify", "--run", str(file), "--json").json["pass"]


@pytest.mark.parametrize("command", [["plan"], ["census"], ["evidence"]], ids=" ".join)
@pytest.mark.parametrize("name", VALUES[::14], ids=ascii)
def test_missing_objects_give_printable_errors(birthdb: Command, command: list[str], name: str) -> None:
    if name.startswith("-"):
        pytest.skip("an option")
    shown, said = birthdb(*command, name), birthdb(*command, name, "--json")
    expected = cli.MISUSE if command == ["evidence"] else cli.ATTENTION
    assert (shown.code, said.code) == (expected, expected)
    assert json.loads(said.err)["error"]


def test_an_extra_object_is_reported_on_one_line_and_in_junit(world: World, birthdb: Command, tmp_path: Path) -> None:
    for name in COLLECTIONS:
        world.admin.execute(sql("CREATE TABLE birth.{name} ({name} integer)", name=name))
    report = tmp_path / "junit"
    verified = birthdb("verify", "--junit", str(report))
    assert verified.code == cli.ATTENTION
    assert len([line for line in verified.out.splitlines() if line.startswith("contract: ")]) == len(COLLECTIONS)
    suites = ElementTree.parse(report).getroot()
    assert len(list(suites.iter("failure"))) == len(COLLECTIONS)
    named = [differing["object"] for differing in birthdb("verify", "--json").json["differing"]]
    quoted = [world.value("SELECT quote_ident(%s)", name) for name in COLLECTIONS]
    assert sorted(named) == sorted(f"table {name}" for name in quoted)
    assert birthdb("repair", "--harmless", "--drop-data", person="release_dba").code in (cli.FINE, cli.ATTENTION)


FILES = ["\x1b[2J\n\u202e\x9b'", "\udcff"]


@pytest.mark.parametrize("name", FILES, ids=ascii)
def test_a_file_that_cannot_be_read_or_written_is_misuse_and_named(birthdb: Command, name: str, tmp_path: Path) -> None:
    nowhere, broken = str(tmp_path / name / "file"), tmp_path / name
    broken.write_text("{", encoding="utf-8")
    for command in (
        ["verify", "--run", nowhere],
        ["verify", "--run", str(broken)],
        ["verify", "--junit", nowhere],
        ["evidence", "--check", nowhere],
        ["evidence", "--check", str(broken)],
        ["evidence", "all", "-o", nowhere],
        ["evidence", str(UUID(int=1)), "--births", "-o", nowhere],
    ):
        for json_too in ([], ["--json"]):
            said = birthdb(*command, *json_too)
            assert (said.code, "Traceback" in said.err) == (cli.MISUSE, False), said.err
            assert not said.out
