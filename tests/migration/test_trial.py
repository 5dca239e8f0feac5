"""A release on top of the newest one: the command makes it, linters and texts agree, tests assume no newest release."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from checkouts import commit, edit, write
from typer.testing import CliRunner

from birthdb import paths
from birthdb.release.__main__ import SETUP
from birthdb.server import ServerError
from pgcontract.commands import commands
from pgcontract.sources import Sources
from pgcontract.texts import Step

pytestmark = pytest.mark.long

NAME = "trial"

#: What a test says that could take a release for the newest one.
_ABOUT_RELEASES = re.compile(r"\bRELEASES\b|\bHEAD\b|\.head\b|grade\(.*\"stage\d")

#: They start releases of their own, or replay the reference data for minutes; neither asks which release is the newest.
_ELSEWHERE = {"library", "test_start.py", "test_trial.py", "test_reference.py"}

TABLE = """-- What a trial is about.
CREATE TABLE birth.birth_trial (
  trial text COLLATE "C" NOT NULL
);

COMMENT ON TABLE birth.birth_trial IS 'For a trial. Specification: 3.';
COMMENT ON COLUMN birth.birth_trial.trial IS 'Its name.';
"""

VIEW = """-- The trials.
CREATE OR REPLACE VIEW birth.v_birth_trial AS SELECT t.trial FROM birth.birth_trial t;

COMMENT ON VIEW birth.v_birth_trial IS 'The trials. Specification: 3.';
"""

ROUTINE = """-- How many trials there are.
-- Returns: the number.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_trials()
  RETURNS bigint
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_trials$
  SELECT count(*) FROM birth.v_birth_trial;
$fn_birth_trials$;

COMMENT ON FUNCTION birth.fn_birth_trials() IS 'The number of trials. Specification: 3.';
"""

GRANTS = """
      ('TABLE',   'birth_trial',                      'birth_reader',       'SELECT'),
      ('TABLE',   'v_birth_trial',                    'birth_reader',       'SELECT'),
      ('ROUTINE', 'fn_birth_trials',                  'birth_reader',       'EXECUTE'),
"""

NOTE = "COMMENT ON COLUMN birth.birth_review.note IS 'A note of the reviewer.';\n"


def _edited(sources: Sources) -> None:
    """Add a table, a view, a routine and a column; change a routine's shape and body; rename another one."""
    for path, text in (
        ("tables/core/birth_trial.sql", TABLE),
        ("views/monitoring/v_birth_trial.sql", VIEW),
        ("functions/core/fn_birth_trials.sql", ROUTINE),
        (f"release/{NAME}_birth_review.sql", f"ALTER TABLE birth.birth_review ADD COLUMN note text;\n{NOTE}"),
        (f"release/{NAME}_birth_review.down.sql", "ALTER TABLE birth.birth_review DROP COLUMN note;\n"),
    ):
        write(sources, path, text)
    columns = "  supersedes          bigint[] NOT NULL DEFAULT '{}',\n"
    edit(sources, "tables/birth_review.sql", (columns, f"{columns}  note                text,\n"))
    review = sources.file("tables/birth_review.sql")
    review.write_text(review.read_text() + NOTE)
    readers = "\n      -- routines that only read\n"
    edit(sources, "grants.sql", (readers, f"{GRANTS}{readers}"))
    edit(sources, "functions/fn_birth_lock_holder.sql", ("p_name", "p_what"))
    row = sources.file("functions/fn_birth_life_row.sql")
    renamed = ("fn_birth_life_row", "fn_birth_life_line")
    row.with_name(f"{renamed[1]}.sql").write_text(row.read_text().replace(*renamed))
    row.unlink()
    edit(sources, "functions/fn_birth_life_auto.sql", renamed)


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout with the release on top, made by the command."""
    try:
        SETUP.ready()
    except ServerError as missing:
        pytest.skip(str(missing))
    root = tmp_path_factory.mktemp("trial") / "birthdb"
    left = shutil.ignore_patterns(".git", ".venv", ".servers", ".*cache*", "__pycache__", "*.egg-info")
    shutil.copytree(paths.ROOT, root, ignore=left)
    commit(root)
    _edited(Sources(root))
    app = commands(replace(SETUP, root=lambda: root))
    done = CliRunner().invoke(app, ["start", NAME, "-m", "a trial"], catch_exceptions=False)
    assert done.exit_code == 0
    return root


def _run(root: Path, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=root,
        env={**os.environ, "PYTHONPATH": f"{root / 'src'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_release_has_the_steps_that_its_edits_need(trial: Path) -> None:
    sources = Sources(trial)
    assert [str(finding) for finding in sources.check()] == []
    steps = sources.releases[NAME]
    assert {step.path for step in steps if step.drops} == {
        "functions/fn_birth_lock_holder.sql",
        "functions/fn_birth_life_row.sql",
    }
    assert Step(f"release/{NAME}_birth_review.sql", makes="tables/birth_review.sql") in steps
    revision = (trial / "migrations" / "versions" / f"{NAME}.py").read_text()
    assert 'evidence=("birth_review.note", "birth_trial")' in revision


def test_linters_find_nothing_in_the_release(trial: Path) -> None:
    _run(trial, "-m", "birthdb.release.lint")


def test_no_test_takes_a_release_for_the_newest_one(trial: Path) -> None:
    files = [
        str(file.relative_to(trial))
        for file in sorted((trial / "tests").rglob("test_*.py"))
        if _ABOUT_RELEASES.search(file.read_text()) and _ELSEWHERE.isdisjoint(file.parts)
    ]
    assert len(files) > 5
    _run(trial, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider")
    _run(trial, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-m", "not long", *files)
