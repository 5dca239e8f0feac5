"""Files that a command writes: for their owner alone, whole or not at all, and never through a link."""

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
    """Yield a new file, of UTF-8 and mode 0600, that takes the place of ``path`` when the block ends without an error.

    A regular file there is replaced. Raises OSError, also for a link, a pipe or a device, which the place stays.
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
