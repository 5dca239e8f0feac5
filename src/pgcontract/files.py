"""Files that belong together, written all or none."""

import shutil
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from pgcontract.project import ORDER


def publish(root: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write files, by their paths below ``root``; return those that were not like that already.

    Each appears whole. Whatever stops it takes the others back, for which all room is taken first.
    """
    changed = {path: content for path, content in files.items() if _content(root / path) != content}
    if not changed:
        return []
    with tempfile.TemporaryDirectory(prefix=".pgcontract-", dir=root) as directory, ExitStack() as undo:
        moves = []
        # order.txt is the last: a release that it does not list is none.
        for number, path in enumerate(sorted(changed, key=lambda path: (path == f"sql/{ORDER}", path))):
            file, new, old = root / path, Path(directory, f"{number}.new"), Path(directory, f"{number}.old")
            new.write_bytes(changed[path])
            if file.exists():
                shutil.copymode(file, new)
                shutil.copy2(file, old)
            moves.append((file, new, old))
        for file, new, old in moves:
            for parent in reversed([parent for parent in file.parents if not parent.exists()]):
                undo.callback(_unmake, parent)
                parent.mkdir()
            undo.callback(_back, file, new, old)
            new.replace(file)
        undo.pop_all()
    return [file for file, _, _ in moves]


def _back(file: Path, new: Path, old: Path) -> None:
    if new.exists():
        return
    if old.exists():
        old.replace(file)
    else:
        file.unlink(missing_ok=True)


def _unmake(folder: Path) -> None:
    if folder.is_dir():
        folder.rmdir()


def _content(file: Path) -> bytes | None:
    return file.read_bytes() if file.is_file() else None
