"""The package's own SQL becomes ordinary files of a project, and only the project's contract.toml makes it another."""

from pathlib import Path

import pytest
from support import PROJECT

from birthdb import paths
from pgcontract.project import Project, SourceError
from pgcontract.render import files, render, stale


def project(root: Path, text: str = 'schema = "shop"\nowner = "shop_owner"\n') -> Project:
    (root / "sql").mkdir(exist_ok=True)
    (root / "sql" / "contract.toml").write_text(text)
    return Project.read(root)


def test_the_files_of_a_project_are_what_the_package_writes() -> None:
    assert list(files(PROJECT))
    assert stale(PROJECT) == []


def test_a_project_of_another_name_gets_nothing_of_this_one(tmp_path: Path) -> None:
    written = render(project(tmp_path))
    assert len(written) == 22
    assert [file for file in written if "birth" in file.read_text() or "@" in file.read_text()] == []
    assert render(project(tmp_path)) == []


def test_a_generated_file_is_written_again_where_it_lies_and_a_projects_own_stays(tmp_path: Path) -> None:
    shop = project(tmp_path)
    render(shop)
    moved = tmp_path / "sql" / "functions" / "elsewhere" / "contract_live.sql"
    moved.parent.mkdir()
    (tmp_path / "sql" / "functions" / "contract" / "contract_live.sql").rename(moved)
    moved.write_text(moved.read_text() + "-- edited\n")
    own = tmp_path / "sql" / "release" / "evidence.sql"
    own.write_text("-- The project's own.\n")
    assert stale(shop) == [moved]
    assert render(shop) == [moved]
    assert own.read_text() == "-- The project's own.\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('owner = "o"\n', "say schema"),
        ('schema = "a b"\nowner = "o"\n', "not a plain name: 'a b'"),
        ('schema = "shop"\nowner = "o"\ncolour = "red"\n', "unknown keys: colour"),
        ('schema = "shop"\nowner = "o"\n[special]\nview = ["v"]\n', "not for kinds or errors: view"),
        ("schema = ", "cannot be read"),
    ],
)
def test_a_contract_that_cannot_be_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(SourceError, match=reason):
        project(tmp_path, text)


def test_nothing_in_the_package_knows_the_project() -> None:
    package = paths.ROOT / "src" / "pgcontract"
    texts = {file: file.read_text() for pattern in ("*.py", "sql/*.sql", "*.md") for file in package.glob(pattern)}
    assert texts
    assert [file.name for file, text in texts.items() if "birth" in text.lower() or "NB4" in text] == []
