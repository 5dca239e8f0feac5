"""A checkout of its own for each test that changes one."""

import shutil
import subprocess
from pathlib import Path

import pytest

from birthdb import paths
from pgcontract.sources import Sources


@pytest.fixture
def checkout(tmp_path: Path) -> Sources:
    """A copy of the sources that a test may break, committed."""
    shutil.copytree(paths.SQL, tmp_path / "sql")
    for page in ("schema/birth.sql", "docs/reference/objects.md"):
        (tmp_path / page).parent.mkdir(parents=True)
        shutil.copy(paths.ROOT / page, tmp_path / page)
    shutil.copytree(paths.MIGRATIONS, tmp_path / "migrations", ignore=shutil.ignore_patterns("__pycache__"))
    commit(tmp_path)
    return Sources(tmp_path)


def commit(root: Path) -> None:
    """Commit everything below a directory, in a repository of its own."""
    who = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "--quiet"], ["add", "--all"], [*who, "commit", "--quiet", "--message", "as it is"]):
        subprocess.run(["git", "-C", root, *arguments], check=True)


def declare(sources: Sources, *releases: str) -> None:
    """Declare releases as they are, all without any."""
    lines = "".join(f"- `{name}` sha256:{sources.seal(name)}\n" for name in releases or sources.releases)
    (sources.root / "CHANGELOG.md").write_text(lines)
