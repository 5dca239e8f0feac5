"""What is handed to users for their own repositories does what it says."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from support import RELEASER, Database

from birthdb import paths, target

WORKFLOW = paths.ROOT / "docs" / "guide" / "ci" / "verify.yml"
HOOKS = paths.ROOT / ".pre-commit-hooks.yaml"


def commands(file: Path, key: str) -> list[str]:
    """Return the birthdb commands of a file, in their order."""
    return re.findall(rf"^\s*(?:- )?{key}: (birthdb .*)$", file.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.long
def test_the_commands_of_workflow_and_hook_pass_on_a_fresh_database(
    empty_db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(target.VARIABLE, empty_db.url(RELEASER))
    sent = commands(WORKFLOW, "run") + commands(HOOKS, "entry")
    assert [command.split()[1] for command in sent] == ["alembic", "verify", "verify", "verify"]
    for command in sent:
        words = [sys.executable, "-m", *shlex.split(command)]
        ran = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
    suites = ElementTree.parse(tmp_path / "birthdb.xml").getroot()
    assert {suite.get("name"): suite.get("failures") for suite in suites} == dict.fromkeys(
        ("contract", "registry", "guard"), "0"
    )
