"""The command line: exit codes, and what it prints where."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from sample import some
from support import Database

from birthdb import __version__, cli, paths, plain, target
from birthdb.audit import evidence

RUN = "5b0e9f0a-8d0c-4f5e-9a51-0c6f8f3f6c11"
COMMANDS = [
    ["status"],
    ["plan", "x"],
    ["apply", RUN, "--expected-delta", "1", "--max-rows", "1"],
    ["census", "x"],
    ["verify"],
    ["gate"],
    ["uninstall", "--plan"],
    ["evidence", RUN],
    ["evidence", "all"],
    ["alembic", "current"],
]
NOWHERE = "postgresql://paul:s3cr3t@/births?host=/nonexistent"

#: Alembic's commands about files, and the exit code of each.
OF_FILES = {
    "branches": cli.FINE,
    "check": cli.FINE,
    "heads": cli.FINE,
    "history": cli.FINE,
    "history -v -r stage1:": cli.FINE,
    "list_templates": cli.FINE,
    "show head": cli.FINE,
    "stamp head --sql": cli.FINE,
    "upgrade stage1:head --sql": cli.FINE,
    "downgrade stage1:base --sql": cli.FINE,
    "downgrade base --sql": cli.ATTENTION,
    "merge heads": cli.ATTENTION,
    "revision -m x": cli.ATTENTION,
    "revision --autogenerate": cli.ATTENTION,
    "revision --sql": cli.ATTENTION,
    "show no_such_revision": cli.ATTENTION,
    "history -r stage1": cli.ATTENTION,
}
#: Those about a database.
OF_A_DATABASE = [
    "current",
    "current --check-heads",
    "downgrade -1",
    "ensure_version",
    "history -i",
    "history -r base:current",
    "show current",
    "stamp head",
    "upgrade head",
    "upgrade no_such_revision",
]
#: Sends Alembic's commands one after another; the last line has the exit code of each, or the error that got through.
SEND = """
import contextlib, io, json, sys
program, arguments, *commands = json.loads(sys.argv[1])
if program == "alembic":
    from alembic.config import main
else:
    from birthdb.__main__ import main
ended = {}
for command in commands:
    sys.argv = [*program.split(), *arguments, *command.split()]
    said, code = io.StringIO(), 0
    try:
        with contextlib.redirect_stderr(said):
            main()
    except SystemExit as exc:
        code = exc.code
    except BaseException as exc:
        code = repr(exc)
    ended[command] = code, said.getvalue()
print("\\n" + json.dumps(ended))
"""


@dataclass(frozen=True)
class Outcome:
    code: object
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    def run(*arguments: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["birthdb", *arguments])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        return Outcome(caught.value.code, *capfd.readouterr())

    return run


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_without_a_target_names_what_to_set(run: Run, command: list[str]) -> None:
    outcome = run(*command)
    assert outcome.code == cli.MISUSE
    assert target.VARIABLE in outcome.err
    assert not outcome.out


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_an_unreachable_server_is_reported_without_the_password(
    run: Run, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setenv(target.VARIABLE, NOWHERE)
    outcome = run(*command)
    assert outcome.code == cli.UNREACHABLE
    assert "s3cr3t" not in outcome.out + outcome.err


def test_url_comes_before_the_environment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(target.VARIABLE, "postgresql://paul@/births?host=/environment")
    assert "/option" in run("status", "--url", "postgresql://paul@/births?host=/option").err


def test_an_invalid_url_is_misuse_and_is_not_printed(run: Run) -> None:
    outcome = run("status", "--url", "paul:s3cr3t@db/births")
    assert outcome.code == cli.MISUSE
    assert "s3cr3t" not in outcome.err


@pytest.mark.parametrize("command", [[], ["nonsense"], ["plan"], ["apply", "no-uuid"], ["alembic", "--nonsense"]])
def test_misuse_exits_2(run: Run, command: list[str]) -> None:
    assert run(*command).code == cli.MISUSE


def test_a_run_that_is_no_uuid_is_misuse(run: Run, empty_db: Database) -> None:
    assert run("evidence", "no-uuid", "--url", empty_db.url()).code == cli.MISUSE


@pytest.mark.parametrize("command", [c for c in COMMANDS if c[0] not in ("alembic", "uninstall")], ids=" ".join)
def test_a_command_on_an_unreleased_database_names_the_next_step(
    run: Run, empty_db: Database, command: list[str]
) -> None:
    outcome = run(*command, "--json", "--url", empty_db.url())
    assert outcome.code == cli.ATTENTION
    assert json.loads(outcome.err) == {"error": "not released", "hint": "birthdb alembic upgrade head"}
    assert not outcome.out


@pytest.mark.parametrize(
    ("command", "role"),
    [
        (["status"], "birth_reader"),
        (["verify"], "birth_reader"),
        (["gate"], "birth_reader"),
        (["census", "x"], "birth_reader"),
        (["evidence", "all"], "birth_reader"),
        (["plan", "x"], "birth_operator"),
        (["census", "--all"], "birth_reader"),
        (["census", "x", "--record"], "birth_operator"),
    ],
)
def test_a_login_without_a_role_gets_the_missing_role(run: Run, db: Database, command: list[str], role: str) -> None:
    outcome = run(*command, "--json", "--url", db.url("nora_nobody"))
    assert outcome.code == cli.ATTENTION
    said = json.loads(outcome.err)
    assert said["code"] == "42501"
    assert f"GRANT {role} TO " in said["hint"]


def test_no_role_is_asked_for_that_the_login_has(run: Run, db: Database) -> None:
    db.connect().execute("REVOKE SELECT ON birth.collection_registry FROM birth_reader")
    outcome = run("status", "--url", db.url("olga_operator"))
    assert outcome.code == cli.ATTENTION
    assert "GRANT" not in outcome.err
    assert "birthdb repair" in outcome.err


@pytest.mark.parametrize(
    "command",
    [
        *(["plan"], ["apply", "no-uuid"], ["evidence"], ["evidence", "all", "--check", "x"], ["nonsense"]),
        *(["census"], ["census", "x", "--all"]),
    ],
)
def test_misuse_is_a_json_object_with_json_output(run: Run, command: list[str]) -> None:
    outcome = run(*command, "--json")
    assert outcome.code == cli.MISUSE
    assert json.loads(outcome.err)["error"]
    assert not outcome.out


def test_table_headers_are_never_wrapped(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli.console, "out", Console(width=80, soft_wrap=True))
    names = [f"a_column_{i:02}" for i in range(16)]
    cli.console.show({"wide": [dict.fromkeys(names, i) for i in range(2)]}, False)
    run = {"run_id": RUN, "collection_name": "x", "status": "done", "percent": 100, "more": "z" * 40}
    cli.console.show({"runs": [run, run]}, False)
    shown = capsys.readouterr().out
    assert [name for name in names if shown.count(name) != 2] == []
    assert all(name in shown for name in ("run_id", "collection_name", "percent"))
    assert shown.count(RUN) == 2
    assert max(map(len, shown.splitlines())) <= 80


def test_every_command_has_help(run: Run) -> None:
    assert run("--help").code == cli.FINE


def test_an_alembic_error_exits_1(run: Run) -> None:
    assert run("alembic", "show", "no_such_revision").code == cli.ATTENTION


def alembic_ends(program: str, arguments: list[str], commands: Iterable[str], **process: Any) -> dict[str, Any]:
    """Return the exit code and standard error of each command."""
    script = [sys.executable, "-c", SEND, json.dumps([program, arguments, *commands])]
    done = subprocess.run(script, capture_output=True, text=True, **{"cwd": paths.ROOT} | process)
    assert done.returncode == 0, done.stderr
    return {command: tuple(ended) for command, ended in json.loads(done.stdout.splitlines()[-1]).items()}


@some("arguments", [[], ["-x", f"url={NOWHERE}"], ["-x", "url=paul:s3cr3t@db/births"]])
@some("program", ["birthdb alembic", "alembic"])
def test_no_command_of_alembic_ends_in_a_traceback(program: str, arguments: list[str]) -> None:
    ended = alembic_ends(program, arguments, [*OF_FILES, *OF_A_DATABASE])
    plain = program == "alembic"
    # Alembic itself ends with -1 whatever is refused.
    files = {command: -1 if plain and code else code for command, code in OF_FILES.items()}
    assert {command: code for command, (code, _) in ended.items() if command in OF_FILES} == files
    refused = -1 if plain else cli.UNREACHABLE if NOWHERE in "".join(arguments) else cli.MISUSE
    assert {command: ended[command][0] for command in OF_A_DATABASE} == dict.fromkeys(OF_A_DATABASE, refused)
    assert "s3cr3t" not in str(ended)
    assert all("python -m birthdb.release start" in ended[command][1] for command in ("merge heads", "revision -m x"))


@some("program", ["birthdb alembic", "alembic"])
def test_what_a_database_refuses_is_no_traceback(program: str, empty_db: Database, db: Database) -> None:
    refused = -1 if program == "alembic" else cli.ATTENTION
    ended = alembic_ends(program, ["-x", f"url={empty_db.url('nora_nobody')}"], ["current", "upgrade head"])
    assert ended["current"][0] == cli.FINE
    assert ended["upgrade head"][0] == refused
    ended = alembic_ends(program, ["-x", f"url={db.url()}"], [c for c in OF_A_DATABASE if c != "downgrade -1"])
    assert {command: code for command, (code, _) in ended.items() if code} == {"upgrade no_such_revision": refused}


@pytest.mark.parametrize("option", ["-c", "--config"])
def test_another_configuration_file_is_used(run: Run, tmp_path: Path, option: str) -> None:
    ini = tmp_path / "my.ini"
    ini.write_text(
        f"[alembic]\nscript_location = {paths.ALEMBIC_INI.parent / 'migrations'}\nsqlalchemy.url = {NOWHERE}\n"
    )
    assert run("alembic", option, str(ini), "current").code == cli.UNREACHABLE
    assert run("alembic", "current").code == cli.MISUSE


def test_alembic_imports_neither_typer_nor_rich_and_keeps_exit_codes() -> None:
    ask = "import atexit, sys; atexit.register(lambda: print([m for m in ('typer', 'rich') if m in sys.modules])); "
    ask += "from birthdb import __main__; sys.argv = ['birthdb', 'alembic', *sys.argv[1:]]; __main__.main()"

    def alembic(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-c", ask, *arguments], capture_output=True, text=True, check=False)

    heads = alembic("heads")
    assert (heads.returncode, heads.stdout.splitlines()[-1]) == (cli.FINE, "[]")
    assert alembic("show", "no_such_revision").returncode == cli.ATTENTION
    assert alembic("no_such_command").returncode == cli.MISUSE
    unreachable = alembic("-x", f"url={NOWHERE}", "current")
    assert unreachable.returncode == cli.UNREACHABLE
    assert any(line.startswith("error: connection ") for line in unreachable.stderr.splitlines())
    assert "Traceback" not in unreachable.stderr


def test_server_prints_its_url_first_and_ends_well_on_ctrl_c() -> None:
    command = [sys.executable, "-m", "birthdb", "server", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        target.connect(url).close()
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(60) == cli.FINE
        finally:
            process.kill()
    assert not Path(target._parse(url)["host"]).exists()


def test_version_is_that_of_the_distribution() -> None:
    import importlib.metadata

    assert importlib.metadata.version("birthdb") == __version__


def test_the_version_is_printed(run: Run) -> None:
    outcome = run("--version")
    assert (outcome.code, outcome.out) == (cli.FINE, f"birthdb {__version__}\n")


def test_the_demo_says_first_that_its_extra_is_missing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pycountry", None)
    monkeypatch.setattr("birthdb.cli.server.EmbeddedServer.__enter__", lambda self: pytest.fail("a server was started"))
    outcome = run("demo")
    assert (outcome.code, outcome.out) == (cli.UNREACHABLE, "")
    assert outcome.err == "error: the demo needs its extra: pip install 'birthdb[demo]'\n"


def test_the_bar_is_a_bar_at_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = StringIO()
    monkeypatch.setattr(cli.console, "err", Console(file=shown, width=80, force_terminal=True, color_system=None))
    with cli.console.progress_bar(hidden=False) as bar:
        bar.update(bar.add_task("c" * 63, total=100.0, rows=""), completed=50.0, rows="500000000/1000000000")
    last = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.getvalue()).strip().splitlines()[-1].rpartition("\r")[2]
    assert len(last) <= 80
    assert last.count("━") >= 10
    assert "500000000/1000000000" in last


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        (True, "yes"),
        (Decimal("7.50"), "7.50"),
        (["a", None, 3], "a, , 3"),
        ({"a": [1, 2], "b": {"c": False}}, "a: 1, 2; b: c: no"),
        (datetime(2026, 1, 2, 3, 4, 5, 678, UTC), "2026-01-02 03:04:05+00:00"),
        (timedelta(seconds=75.4), "0:01:15"),
    ],
)
def test_a_cell_has_no_notation_of_python_or_json(value: object, cell: str) -> None:
    assert plain.value(value) == cell


@pytest.mark.parametrize("command", ["apply", "plan", "status", "evidence", "verify"])
def test_help_shows_no_type_of_the_library(run: Run, command: str) -> None:
    assert "range" not in run(command, "--help").out
    assert "<=" not in run(command, "--help").out


@pytest.mark.parametrize("number", ["-1", "x", "1.5", str(2**63), "1" * 5000])
def test_a_number_that_does_not_fit_is_misuse(run: Run, number: str) -> None:
    outcome = run("apply", RUN, f"--expected-delta={number}")
    assert (outcome.code, outcome.err.count("Traceback")) == (cli.MISUSE, 0)


def test_an_evidence_document_has_a_digest_of_its_content() -> None:
    document = {"b": [1, "é"], "a": None}
    signed = document | {"sha256": evidence.digest(document)}
    assert evidence.digest(signed) == signed["sha256"]
    assert evidence.digest(signed | {"a": 0}) != signed["sha256"]


@pytest.mark.long
def test_the_wheel_carries_migrations_and_sql(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=paths.ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    (wheel,) = tmp_path.glob("*.whl")
    unpacked = tmp_path / "unpacked"
    subprocess.run([sys.executable, "-m", "zipfile", "-e", str(wheel), str(unpacked)], check=True)
    # Every text that every release reads.
    script = [sys.executable, "-m", "birthdb", "alembic", "upgrade", "base:head", "--sql"]
    installed, here = (
        subprocess.run(script, cwd=tmp_path, env=os.environ | path, check=True, capture_output=True).stdout
        for path in ({"PYTHONPATH": str(unpacked)}, {})
    )
    assert installed == here
    assert b"CREATE OR REPLACE FUNCTION birth.fn_birth_run_finish" in installed
    ended = alembic_ends(
        "birthdb alembic", [], [*OF_FILES, *OF_A_DATABASE], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(unpacked)}
    )
    expected = OF_FILES | dict.fromkeys(OF_A_DATABASE, cli.MISUSE)
    assert {command: code for command, (code, _) in ended.items()} == expected
    for part in ("alembic.ini", "migrations/env.py", "sql/errors.toml"):
        assert (unpacked / "birthdb" / "_data" / part).read_bytes() == (paths.ROOT / part).read_bytes()
