"""For your own Alembic: a migration that leaves a table of a gated schema open does not commit (specification, 5.1).

Two lines of your ``env.py``::

    from birthdb.alembic import gate
    context.configure(…, on_version_apply=gate())
"""

from collections.abc import Callable
from typing import Any

from alembic.runtime.migration import MigrationContext, MigrationInfo
from alembic.util import CommandError
from sqlalchemy import TextClause, text
from sqlalchemy.exc import DBAPIError

from birthdb.gate import refusal


def gate(*schemas: str) -> Callable[..., None]:
    """Return a function for ``on_version_apply`` of ``context.configure``, which takes several of them too.

    It sends ``birth.fn_birth_gate()`` as the last statement of each migration, up or down, in its transaction. Also
    offline: the script of ``--sql`` holds the statement. Without ``schemas`` every enforcing schema is asked, also
    those of others. A schema that is named must exist when a migration has gone up. ``alembic stamp`` runs nothing and
    asks nothing.

    The function raises alembic.util.CommandError when a table is not governed, naming each with the statement to send,
    and where birthdb is not released or the login may not ask.
    """

    def asked(*, ctx: MigrationContext, step: MigrationInfo, **_: Any) -> None:
        if step.is_stamp:
            return
        for schema in schemas or (None,):
            try:
                ctx.execute(_statement(schema, up=step.is_upgrade))
            except DBAPIError as exc:
                said = refusal(exc.orig or exc, "on_version_apply")
                raise CommandError(f"{step.up_revision_id}: {said}") from exc

    return asked


def _statement(schema: str | None, *, up: bool) -> TextClause:
    if schema is None:
        return text("SELECT birth.fn_birth_gate()")
    # A script has no parameters, and a colon would begin one.
    name = "'{}'".format(schema.replace("'", "''").replace(":", "\\:"))
    # A migration that goes down may have dropped it.
    there = "" if up else f" FROM pg_catalog.pg_namespace WHERE nspname OPERATOR(pg_catalog.=) {name}"
    return text(f"SELECT birth.fn_birth_gate({name}){there}")
