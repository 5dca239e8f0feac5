"""A checkout of its own for each test that changes one."""

import shutil
from pathlib import Path

import pytest
from checkouts import commit

from birthdb import paths
from pgcontract.sources import Sources


@pytest.fixture
def checkout(tmp_path: Path) -> Sources:
    """A copy of the sources that a test may break, committed."""
    shutil.copytree(paths.SQL, tmp_path / "sql")
    for page in ("schema/birth.sql", "docs/reference/objects.md", "docs/tutorial/first-hour.md", "docs/guide/ci.md"):
        (tmp_path / page).parent.mkdir(parents=True)
        shutil.copy(paths.ROOT / page, tmp_path / page)
    shutil.copytree(paths.MIGRATIONS, tmp_path / "migrations", ignore=shutil.ignore_patterns("__pycache__"))
    commit(tmp_path)
    return Sources(tmp_path)
