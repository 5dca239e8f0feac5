"""What the commands share: their options, the connection, and what an earlier release lacks."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, cast

import psycopg
import typer
from alembic.config import Config
from psycopg.sql import Identifier

from birthdb import api, paths, target
from birthdb.api import Connection
from birthdb.cli.console import err, styled
from birthdb.plain import line
from birthdb.release import attest as attesting

app = typer.Typer(
    help="Exactly one birth for every governed row of a PostgreSQL database.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


#: Of whatever is wrong with the arguments; the library keeps the class where its version wants.
USAGE = cast(type[typer.BadParameter], typer.BadParameter.__mro__[2])


def _number(most: int) -> Callable[[str | int], int]:
    def parsed(text: str | int) -> int:
        # A default is a number already.
        if not re.fullmatch("[0-9]{1,20}", str(text)) or int(text) > most:
            raise typer.BadParameter(line(f"{text} is no whole number from 0 to {most}"))
        return int(text)

    return parsed


#: What fits into the database's types; whether it makes sense there is for the database to say.
BIGINT: Any = {"parser": _number(2**63 - 1), "metavar": "N"}


INTEGER: Any = {"parser": _number(2**31 - 1), "metavar": "N"}


Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


Url = Annotated[str | None, typer.Option("--url", metavar="URI", help=f"The database, in place of {target.VARIABLE}.")]


Collection = Annotated[str, typer.Argument(metavar="COLLECTION", help="A registered collection.")]


def misuse(what: str, param_hint: str | None = None) -> typer.BadParameter:
    """Return what is wrong with an argument, which may be a file of any name."""
    return typer.BadParameter(line(what), param_hint=param_hint)


class NotThere(Exception):
    """What was asked is not in this release, or not for this login."""

    def __init__(self, message: str, hint: str | None, code: str | None = None) -> None:
        """Name it, with the next step and the code of PostgreSQL."""
        super().__init__(message)
        self.message, self.hint, self.code = message, hint, code


@contextmanager
def database(url: str | None, quiet: bool, role: str = "birth_reader") -> Iterator[Connection]:
    """Connect; a missing release, object or ``role`` is reported with the next step."""
    resolved = target.resolve(url, Config(str(paths.ALEMBIC_INI)))
    if not quiet:
        err.print(styled(target.describe(resolved), style="dim"))
    with target.connect(resolved, autocommit=True) as conn:
        try:
            yield conn
        except psycopg.errors.InsufficientPrivilege as exc:
            if getattr(exc, "__notes__", ()):
                # A step of a release failed, and says itself what is missing.
                raise
            raise NotThere(exc.diag.message_primary or str(exc), _lacks(conn, role), exc.sqlstate) from exc
        except (
            psycopg.errors.InvalidSchemaName,
            psycopg.errors.UndefinedTable,
            psycopg.errors.UndefinedColumn,
            psycopg.errors.UndefinedFunction,
        ) as exc:
            raise NotThere(
                f"release {attesting.current(conn)} lacks it: {exc.diag.message_primary}",
                "birthdb alembic upgrade head; where that is done already, birthdb verify",
                exc.sqlstate,
            ) from exc


#: With which release what is shown comes.
_SINCE = {
    "v_birth_dot_status": "stage0",
    "v_birth_release_history": "stage1",
    "v_birth_event_trigger": "stage1",
    "v_birth_run_progress": "stage2_5",
    "v_birth_attention": "stage2_5",
    "v_birth_gate": "stage3",
    "v_birth_life": "stage5",
}


def _lacks(conn: Connection, role: str) -> str:
    """Return what helps who was denied something: the role, or where it has that already, what the role has lost."""
    held = conn.execute("SELECT pg_catalog.pg_has_role(pg_catalog.to_regrole(%s), 'USAGE')", (role,)).fetchone()
    if held == (False,):
        return f"the login needs a role: GRANT {role} TO {Identifier(conn.info.user).as_string()};  -- as a DBA"
    return "the login has its role: see birthdb verify, and as a login that releases or a superuser: birthdb repair"


def has(conn: Connection, found: dict[str, list[api.Row]], name: str) -> bool:
    """Whether the release has an object; what is missing is noted."""
    if name in target.objects(conn):
        return True
    found.setdefault("missing", []).append({"missing": name, "comes_with": _SINCE.get(name, "a later release")})
    return False
