"""Files that a command writes: whose they are, what they replace, and what is left when writing fails."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from birthdb import files


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def write(path: Path, text: str = "new") -> None:
    with files.written(path) as file:
        file.write(text)


@pytest.fixture(autouse=True)
def _open_to_all() -> Iterator[None]:
    """Whatever a user lets others read by default."""
    before = os.umask(0)
    yield
    os.umask(before)


def test_a_new_file_has_mode_0600(tmp_path: Path) -> None:
    write(tmp_path / "out", "ä")
    assert (tmp_path / "out").read_bytes() == "ä".encode()
    assert mode(tmp_path / "out") == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_file_has_mode_0600_while_it_is_written(tmp_path: Path) -> None:
    with files.written(tmp_path / "out"):
        assert [mode(path) for path in tmp_path.iterdir()] == [0o600]


def test_an_existing_file_is_replaced_and_hard_links_keep_the_old_content(tmp_path: Path) -> None:
    """A hard link leads elsewhere as a symbolic one does."""
    old, other = tmp_path / "out", tmp_path / "other"
    old.write_text("old")
    old.chmod(0o666)
    other.hardlink_to(old)
    write(old)
    assert (old.read_text(), mode(old)) == ("new", 0o600)
    assert other.read_text() == "old"


@pytest.mark.parametrize("there", [True, False], ids=["to a file", "to nothing"])
def test_a_link_is_refused_and_not_followed(tmp_path: Path, there: bool) -> None:
    elsewhere, link = tmp_path / "elsewhere", tmp_path / "out"
    if there:
        elsewhere.write_text("old")
    link.symlink_to(elsewhere)
    with pytest.raises(FileExistsError, match="a link is not followed"):
        write(link)
    assert link.is_symlink()
    assert elsewhere.exists() == there
    assert not there or elsewhere.read_text() == "old"


def test_a_link_created_concurrently_is_not_followed(tmp_path: Path) -> None:
    elsewhere, path = tmp_path / "elsewhere", tmp_path / "out"
    elsewhere.write_text("old")
    with files.written(path) as file:
        file.write("new")
        path.symlink_to(elsewhere)
    assert elsewhere.read_text() == "old"
    assert (path.is_symlink(), path.read_text()) == (False, "new")


def test_a_pipe_is_neither_replaced_nor_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "out")
    with pytest.raises(FileExistsError):
        write(tmp_path / "out")
    assert (tmp_path / "out").is_fifo()


def test_a_failed_write_keeps_the_old_file_and_leaves_no_temporary_one(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("old")

    def interrupted() -> None:
        with files.written(tmp_path / "out") as file:
            file.write("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out").read_text() == "old"
