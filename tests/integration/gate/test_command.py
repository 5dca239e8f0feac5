"""What the command line says of the gate: a line for each table for CI, and what enforces it in the status."""

import gc
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import psycopg
import pytest
from world import World

from birthdb import api, paths, target
from birthdb.__main__ import main

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def birthdb(world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command in this process as a reader."""

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        monkeypatch.setenv(target.VARIABLE, world.db.url("olga_operator"))
        monkeypatch.setattr(sys, "argv", ["birthdb", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        gc.enable()
        assert isinstance(ended.value.code, int)
        return subprocess.CompletedProcess(arguments, ended.value.code, *capsys.readouterr())

    return run


def states(world: World) -> None:
    """Make a table of each state that can be had in an enforcing schema without a row."""
    api.gate_scope(world.steward, "app", "enforce", "a test")
    for name in ("unknown", "registered", "ready", "closed", "admitted"):
        world.table("(code text PRIMARY KEY)", name)
        if name != "unknown":
            world.register(name)
        if name not in ("unknown", "registered"):
            world.classify("column", name, column="code")
        if name in ("closed", "admitted"):
            world.attach(name)
    api.gate_admit(world.person("stella_steward"), "admitted", "a test")


def test_the_command_lists_each_table_and_fails_on_what_the_gate_refuses(
    world: World, birthdb: Command, tmp_path: Path
) -> None:
    states(world)
    file = tmp_path / "gate.xml"
    asked = birthdb("gate", "--junit", str(file))
    assert asked.returncode == 1
    lines = asked.stdout.splitlines()
    assert lines[0] == "app.admitted is ADMITTED"
    assert lines[1].startswith("app.closed is CLOSED: SELECT birth.fn_birth_gate_admit(")
    assert lines[4].startswith("app.unknown is UNKNOWN: SELECT birth.fn_birth_collection_register(")
    assert lines[5:] == ["5 tables: 3 NOT GOVERNED"]
    (suite,) = ElementTree.parse(file).getroot()
    assert suite.attrib == {"name": "app", "tests": "5", "failures": "3", "errors": "0"}
    failed = [case.get("name") for case in suite if case.find("failure") is not None]
    assert failed == ["ready", "registered", "unknown"]
    # What the last statement of a migration refuses is the same.
    with pytest.raises(psycopg.Error) as refusal:
        world.owner.execute("SELECT birth.fn_birth_gate()")
    assert [line.split(": ")[0] for line in str(refusal.value.diag.message_detail).splitlines()] == [
        f"app.{name} is {name.upper()}" for name in ("ready", "registered", "unknown")
    ]


def test_the_command_passes_where_the_gate_observes_and_says_where_there_is_none(
    world: World, birthdb: Command
) -> None:
    none = birthdb("gate")
    assert (none.returncode, none.stdout) == (0, "no schema is under the gate\n")
    states(world)
    world.admin.execute("CREATE SCHEMA team")
    api.gate_scope(world.steward, "team", "enforce", "a test")
    assert birthdb("gate", "--schema", "team").returncode == 0
    api.gate_scope(world.steward, "app", "observe", "a test")
    observed = birthdb("gate", "--json")
    assert observed.returncode == 0
    shown = json.loads(observed.stdout)
    assert (shown["pass"], shown["schemas"], len(shown["tables"])) == (True, ["app", "team"], 5)


def test_a_schema_that_is_not_under_the_gate_is_misuse(world: World, birthdb: Command) -> None:
    asked = birthdb("gate", "--schema", "ap", "--json")
    assert (asked.returncode, asked.stdout) == (2, "")
    assert "schema ap is not under the gate" in json.loads(asked.stderr)["error"]
    assert birthdb("gate", "--junit", "/nonexistent/gate.xml").returncode == 2


def test_the_status_says_what_enforces_the_gate_of_each_schema(world: World, birthdb: Command) -> None:
    assert json.loads(birthdb("status", "--json").stdout)["gate"] == []
    states(world)
    (scope,) = json.loads(birthdb("status", "--json").stdout)["gate"]
    assert scope == {
        "schema": "app",
        "mode": "enforce",
        "tables": 5,
        "undecided": 3,
        "closed": 1,
        "gateway": "closes empty tables",
        "event_trigger": "absent",
        "end_of_migration": "not seen from here",
    }
    text = (paths.ROOT / "sql/optional/event_triggers.sql").read_text(encoding="utf-8")
    world.admin.execute("\n".join(line for line in text.splitlines() if not line.startswith("\\")).encode())
    (scope,) = json.loads(birthdb("status", "--json").stdout)["gate"]
    assert scope["event_trigger"] == "has another list"
    world.admin.execute("INSERT INTO birth_guard.gated_schema (schema_name) VALUES ('app')")
    (scope,) = json.loads(birthdb("status", "--json").stdout)["gate"]
    assert scope["event_trigger"] == "present"
    world.admin.execute("ALTER EVENT TRIGGER birth_guard_gate ENABLE")
    (scope,) = json.loads(birthdb("status", "--json").stdout)["gate"]
    assert scope["event_trigger"] == "not always"
    api.gate_scope(world.steward, "app", "observe", "a test")
    shown = birthdb("status", "--all").stdout
    assert "closes none" in shown
    assert "not seen from here" in shown
