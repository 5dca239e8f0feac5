"""The tutorials can be pasted into one bash: their commands run in order, and print what the pages show."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from birthdb import paths
from birthdb.server import EmbeddedServer
from pgcontract.sources import Sources

TUTORIAL = paths.ROOT / "docs" / "tutorial"
FIRST_TABLE = TUTORIAL / "first-table.md"
FIRST_HOUR = TUTORIAL / "first-hour.md"

#: Printed between the commands of two blocks.
MARK = "-- the next block --"


def steps(page: Path) -> list[tuple[str, str]]:
    """Return the commands of each block of a page, and what is shown below them: nothing, or a block of text."""
    return re.findall(r"^```sh\n(.*?)^```$(?:\n\n```text\n(.*?)^```$)?", page.read_text("utf-8"), re.M | re.S)


def errors(text: str) -> list[str]:
    """Return the messages of every ERROR line."""
    return re.findall(r"^ERROR:  (.*)$", text, re.MULTILINE)


def printed(page: Path, folder: Path) -> list[str]:
    """Return what the commands of each block print, of all blocks in one bash, beside a server of their own."""
    with EmbeddedServer() as server:
        search = os.pathsep.join([str(Path(sys.executable).parent), str(server.bin), os.environ["PATH"]])
        ran = subprocess.run(
            ["bash", "-c", f"echo '{MARK}'\n".join(commands for commands, _ in steps(page))],
            cwd=folder,
            env=os.environ | {"SERVER": server.url(), "PATH": search, "TMPDIR": str(folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    return ran.stdout.split(f"{MARK}\n")


def pattern(text: str) -> str:
    """Return what a shown text matches: itself, and anything for an ellipsis, whole lines for a line of one."""
    lines = (f"{re.escape(line).replace('…', '.*')} *\n" for line in text.splitlines())
    return "".join("(?:.*\n)*?" if line == ".* *\n" else line for line in lines)


@pytest.mark.parametrize(
    ("wanted", "got"), [("1…3 | a\n", "1 2 3 | a  \n"), ("a\n…\nd\n", "a\nb\nc\nd\n"), ("…\nb\n", "b\n"), ("", "")]
)
def test_an_ellipsis_stands_for_what_differs(wanted: str, got: str) -> None:
    assert re.fullmatch(pattern(wanted), got)
    assert not re.fullmatch(pattern(wanted), f"{got}more\n")


def test_the_commands_of_the_first_table_print_what_the_page_shows(tmp_path: Path) -> None:
    outputs = printed(FIRST_TABLE, tmp_path)
    for (commands, text), output in zip(steps(FIRST_TABLE), outputs, strict=True):
        if text:
            assert re.fullmatch(pattern(text), output.rstrip("\n") + "\n"), f"{commands}\nprinted\n{output}"
        else:
            assert errors(output) == [], output


@pytest.mark.long
def test_the_commands_of_the_first_hour_fail_only_where_the_page_shows_it(tmp_path: Path) -> None:
    output = "".join(printed(FIRST_HOUR, tmp_path))
    assert errors(output) == errors(FIRST_HOUR.read_text("utf-8")), output
    for told in (
        "as released",
        "customer-25001 | customer        | QT-002",
        "send the same CALL again",
        "25000 of 25000 written, done",
        "25000 of 25000 undone, compensated",
    ):
        assert told in output, output


@pytest.mark.parametrize("page", [FIRST_HOUR, paths.ROOT / "docs" / "guide" / "ci.md"], ids=lambda page: page.name)
def test_what_verify_prints_is_shown_of_the_newest_release(page: Path) -> None:
    shown = re.findall(r"^(\w+) on PostgreSQL .* checks: ", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert shown == [Sources(paths.ROOT).head]
