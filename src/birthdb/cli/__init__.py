"""The command line ``birthdb`` (specification, "The command line").

Exit codes: 0 fine, 1 differs or needs attention, 2 misuse, 3 unreachable.
"""

import importlib
import sys
from typing import Annotated, NoReturn

import psycopg
import typer
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from birthdb import __version__, target

# Importing a module of commands adds them to the menu, in this order.
from birthdb.cli.console import ATTENTION, ESCAPES, FINE, MISUSE, UNREACHABLE, complain, complain_of, reconfigure
from birthdb.cli.options import USAGE, NotThere, app
from birthdb.errors import BirthError
from birthdb.release import attest as attesting
from birthdb.release import command as alembic
from birthdb.server import ServerError

# Importing a module adds its commands to the menu, in this order.
for _module in ("status", "collections", "runs", "contract", "exports", "server", "doors"):
    importlib.import_module(f"birthdb.cli.{_module}")

__all__ = ["ATTENTION", "FINE", "MISUSE", "UNREACHABLE", "main", "refuse"]


def _version(asked: bool) -> None:
    if asked:
        print(f"birthdb {__version__}")
        raise typer.Exit


@app.callback()
def _whole(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


@app.command(
    name="alembic",
    rich_help_panel="Releases and proof",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
)
def run_alembic(context: typer.Context) -> None:
    """Run Alembic with the migrations that are installed: birthdb alembic upgrade head."""
    # For the menu, and for callers of ``main`` here: ``__main__`` runs Alembic without the rest of this module.
    raise typer.Exit(alembic.run(context.args))


def main() -> NoReturn:
    """Run the command line and end the process with its exit code."""
    as_json = "--json" in sys.argv
    # What the terminal's encoding lacks is no reason to end a command whose work is done.
    reconfigure(errors=ESCAPES)
    try:
        target.refuse_misplaced(sys.argv[1:])
        # For machines misuse is an object too; for people the library's own words.
        code = app(prog_name="birthdb", standalone_mode=not as_json)
        sys.exit(code if isinstance(code, int) else FINE)
    except typer.Abort:
        sys.exit(ATTENTION)
    except Exception as exc:
        refuse(exc, as_json=as_json)


def refuse(exc: Exception, *, as_json: bool) -> NoReturn:
    """Print the error with its hint, and end the process with its exit code. Raises any unexpected exception again."""
    match exc:
        case _ if isinstance(exc, USAGE):
            complain(as_json, MISUSE, exc.format_message())
        case target.TargetError():
            complain(as_json, MISUSE, str(exc), hint=exc.hint)
        case ServerError():
            complain(as_json, UNREACHABLE, str(exc))
        case NotThere():
            complain(as_json, ATTENTION, exc.message, code=exc.code, hint=exc.hint)
        case attesting.UnknownRelease():
            refuse(attesting.unfit(exc), as_json=as_json)
        case attesting.NotReleased():
            complain(as_json, ATTENTION, str(exc), hint=exc.hint)
        case BirthError():
            complain(as_json, ATTENTION, exc.message, code=exc.sqlstate, detail=exc.detail, hint=exc.hint)
        case DBAPIError():
            complain_of(as_json, exc.orig if isinstance(exc.orig, psycopg.Error) else exc)
        case psycopg.Error():
            complain_of(as_json, exc)
        case CommandError():
            complain(as_json, ATTENTION, str(exc))
        case UnicodeEncodeError():
            complain(as_json, MISUSE, "an argument is not UTF-8")
    raise exc
