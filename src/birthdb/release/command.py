"""Alembic's commands, with the migrations that are installed: ``birthdb alembic …``."""

from collections.abc import Sequence

import psycopg
from alembic.config import CommandLine
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from birthdb import paths, target
from pgcontract.attest import NotReleased


def run(arguments: Sequence[str]) -> int:
    """Run one and return the exit code: 0 fine, 1 refused, 2 misuse.

    Raises TargetError, what the database refuses, and CommandError for what Alembic refuses itself.
    """
    target.refuse_misplaced(arguments)
    try:
        CommandLine(prog="birthdb alembic").main([*_configuration(arguments), "--raiseerr", *arguments])
    except CommandError as exc:
        # env.py made it of an error that has an exit code and a hint of its own.
        known = isinstance(exc.__cause__, (target.TargetError, DBAPIError, psycopg.Error, NotReleased))
        raise (exc.__cause__ if known and exc.__cause__ else exc) from None
    except SystemExit as exc:
        # Alembic ends with -1 whatever it refused; argparse with 2.
        return exc.code if exc.code in (0, 2) and isinstance(exc.code, int) else 1 if exc.code else 0
    return 0


def _configuration(arguments: Sequence[str]) -> list[str]:
    """Return the options that name the installed configuration, unless the arguments name another one."""
    given = any(argument.startswith(("-c", "--config")) for argument in arguments)
    return [] if given else ["-c", str(paths.ALEMBIC_INI)]
