"""Files that a command writes: mode 0600, atomically, and never through a link."""

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


@contextmanager
def written(path: Path) -> Iterator[TextIO]:
    """Yield a new UTF-8 file of mode 0600 that replaces ``path`` when the block ends without an error.

    An existing regular file is replaced. Raises OSError, also if ``path`` is a link, a pipe or a device, which is kept.
    """
    try:
        regular = stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:
        regular = True
    if not regular:
        raise FileExistsError(errno.EEXIST, "not a regular file; a link is not followed", str(path))
    descriptor, name = tempfile.mkstemp(prefix=".birthdb-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            yield file
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink()
        raise
