"""Alembic's commands, with the migrations that are installed: ``birthdb alembic …``."""

from collections.abc import Sequence

from alembic.config import CommandLine

from birthdb import paths, target


def run(arguments: Sequence[str]) -> int:
    """Run one and return the exit code: 0 fine, 1 refused, 2 misuse.

    Raises MisplacedTarget, and what the database refuses.
    """
    target.refuse_misplaced(arguments)
    try:
        CommandLine(prog="birthdb alembic").main(["-c", str(paths.ALEMBIC_INI), *arguments])
    except SystemExit as exc:
        # Alembic ends with -1 whatever it refused; argparse with 2.
        return exc.code if exc.code in (0, 2) and isinstance(exc.code, int) else 1 if exc.code else 0
    return 0
