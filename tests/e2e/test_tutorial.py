"""The tutorial can be pasted into one bash: its commands run in order, and fail only where the page shows the error."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from birthdb import paths
from birthdb.server import EmbeddedServer
from pgcontract.sources import Sources

PAGE = paths.ROOT / "docs" / "tutorial" / "first-hour.md"


def blocks(language: str) -> list[str]:
    """Return the code blocks of the page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def errors(text: str) -> list[str]:
    """Return the messages of every ERROR line."""
    return re.findall(r"^ERROR:  (.*)$", text, re.MULTILINE)


def test_the_tutorial_commands_run_as_documented(tmp_path: Path) -> None:
    with EmbeddedServer() as server:
        search = os.pathsep.join([str(Path(sys.executable).parent), str(server.bin), os.environ["PATH"]])
        ran = subprocess.run(
            ["bash", "-c", "\n".join(blocks("sh"))],
            cwd=tmp_path,
            env=os.environ | {"SERVER": server.url(), "PATH": search, "TMPDIR": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    assert errors(ran.stdout) == errors("".join(blocks("text"))), ran.stdout
    for shown in (
        "as released",
        "customer-25001 | customer        | QT-002",
        "send the same CALL again",
        "25000 of 25000 written, done",
        "25000 of 25000 undone, compensated",
    ):
        assert shown in ran.stdout, ran.stdout


@pytest.mark.parametrize("page", [PAGE, paths.ROOT / "docs" / "guide" / "ci.md"], ids=lambda page: page.name)
def test_what_verify_prints_is_shown_of_the_newest_release(page: Path) -> None:
    shown = re.findall(r"^(\w+) on PostgreSQL .* checks: ", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert shown == [Sources(paths.ROOT).head]
