"""A checkout of its own for each test that changes one."""

import shutil
from pathlib import Path

import pytest

from birthdb import paths
from birthdb.release.sources import Sources


@pytest.fixture
def checkout(tmp_path: Path) -> Sources:
    """A copy of the sources that a test may break."""
    shutil.copytree(paths.SQL, tmp_path / "sql")
    shutil.copytree(paths.MIGRATIONS, tmp_path / "migrations")
    return Sources(tmp_path)
