"""Files that belong together are written all or none."""

import os
from pathlib import Path

import pytest

from pgcontract.files import publish

FILES = {"a.txt": b"new", "new/below/b.txt": b"new", "there/c.txt": b"new", "there/same.txt": b"old"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("a.txt", "there/c.txt", "there/same.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("old")
    (tmp_path / "a.txt").chmod(0o600)
    return tmp_path


def tree(root: Path) -> dict[str, str]:
    return {str(path.relative_to(root)): path.read_text() if path.is_file() else "" for path in root.rglob("*")}


def test_only_what_differs_is_written_and_keeps_its_mode(root: Path) -> None:
    os.utime(root / "there/same.txt", (1, 1))
    assert publish(root, FILES) == [root / "a.txt", root / "new/below/b.txt", root / "there/c.txt"]
    assert {name: text for name, text in tree(root).items() if text} == {
        name: content.decode() for name, content in FILES.items()
    }
    assert (root / "a.txt").stat().st_mode & 0o777 == 0o600
    assert (root / "there/same.txt").stat().st_mtime == 1
    assert publish(root, FILES) == []


@pytest.mark.parametrize("method", ["replace", "write_bytes", "mkdir"])
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("stop", [OSError("no space left on device"), KeyboardInterrupt()])
def test_what_stops_the_writing_before_or_after_any_step_takes_everything_back(
    root: Path, monkeypatch: pytest.MonkeyPatch, method: str, after: bool, number: int, stop: BaseException
) -> None:
    before, done, calls = tree(root), getattr(Path, method), 0

    def stopped(path: Path, *arguments: object) -> object:
        nonlocal calls
        calls += 1
        if calls - 1 == number and not after:
            raise stop
        result = done(path, *arguments)
        if calls - 1 == number:
            raise stop
        return result

    monkeypatch.setattr(Path, method, stopped)
    if method == "mkdir" and number == 2:
        publish(root, FILES)
    else:
        with pytest.raises(type(stop)):
            publish(root, FILES)
        assert tree(root) == before
