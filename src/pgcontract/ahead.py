"""``alembic check``: which living files of ``sql/`` the releases do not know.

The question is one about files, so it is answered without a database: Alembic's command asks for one only to compare
tables, which this environment does not. Objects are compared by our plugin alone. So is ``alembic history``, which asks
for a database only because ``revision`` runs ``env.py``. Writing a revision is refused in all its forms, ``merge``
too: ``start`` writes it together with what goes with it.
"""

import logging
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from alembic import command
from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import MigrateOperation, MigrationScript, OpContainer, UpgradeOps
from alembic.runtime.migration import MigrationContext
from alembic.runtime.plugins import Plugin
from alembic.util import CommandError, PriorityDispatchResult
from sqlalchemy import MetaData

from pgcontract.sources import Ahead, Sources

#: The plugin's name, for ``autogenerate_plugins``: no other comparator runs.
PLUGIN = "pgcontract"

log = logging.getLogger("alembic.pgcontract")


class ObjectAhead(MigrateOperation):
    """A living file that the releases do not know."""

    def __init__(self, ahead: Ahead, then: str) -> None:
        """Keep what is ahead, and the command that comes next."""
        self.ahead = ahead
        self.then = then

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Return kind, file, reason and the next command."""
        return (self.ahead.kind, self.ahead.path, self.ahead.because, self.then)

    def reverse(self) -> MigrateOperation:
        """Return itself: the way back is the releases', not Alembic's."""
        return self


class NextRelease(OpContainer):
    """What the next release would bring; it is there when that is nothing, too."""

    def reverse(self) -> MigrateOperation:
        """Return itself: the way back is the releases', not Alembic's."""
        return self


def then(sources: Sources, ahead: Ahead) -> str:
    """Return the command that takes a file into the releases."""
    undeclared = ahead.kind == "changed" and ahead.release not in sources.declared()
    reshape = f"; while {ahead.release} is not declared also: {sources.project.measure}"
    return sources.project.start + (reshape if undeclared else "")


def asks(context: ModuleType) -> bool:
    """Return whether ``env.py`` runs for a command about files: check, revision, merge, history without "current"."""
    # Alembic hands its options over only when configured, and for a database that this question does not need.
    return "template_args" in vars(context)["_proxy"].context_opts or _asks_for_history(context)


def _asks_for_history(context: ModuleType) -> bool:
    asked = context.config.cmd_opts
    return (
        getattr(asked, "cmd", (None,))[0] is command.history
        and not asked.indicate_current
        and "current" not in (asked.rev_range or "").strip().split(":")
    )


def answer(context: ModuleType) -> None:
    """Answer ``alembic check`` or ``history``; raises CommandError for ``alembic revision`` and ``merge``."""
    context.configure(
        dialect_name="postgresql",
        target_metadata=MetaData(),
        autogenerate_plugins=[PLUGIN],
        process_revision_directives=_refuse_without_comparison,
    )
    migration: MigrationContext = context.get_context()
    script = migration.script
    assert script is not None
    # As if at head, which is what a comparison with the newest texts means.
    migration.opts["fn"](tuple(script.get_heads()), migration)
    if "revision_context" not in migration.opts and "template_args" in migration.opts:
        raise _refusal(migration)


def _compare(context: AutogenContext, upgrade: UpgradeOps) -> PriorityDispatchResult:
    sources = _sources(context.migration_context)
    found = [ObjectAhead(ahead, then(sources, ahead)) for ahead in sources.ahead()]
    for one in found:
        log.info("%s %s: %s; %s", *one.to_diff_tuple())
    upgrade.ops.append(NextRelease(found))
    return PriorityDispatchResult.CONTINUE


def _sources(context: MigrationContext) -> Sources:
    assert context.script is not None
    return Sources(Path(context.script.dir).parent)


def _refuse_without_comparison(context: MigrationContext, __: object, scripts: Iterable[MigrationScript]) -> None:
    # `alembic check` compares and writes nothing; a revision that is to be written compares only with --autogenerate.
    for script in scripts:
        if script.upgrade_ops is None or script.upgrade_ops.is_empty():
            raise _refusal(context)


@renderers.dispatch_for(NextRelease)
def _refuse_to_render(context: AutogenContext, _: NextRelease) -> str:
    raise _refusal(context.migration_context)


def _refusal(context: MigrationContext) -> CommandError:
    start = _sources(context).project.start
    return CommandError(f"a revision alone releases nothing: {start} writes it, with what goes with it")


_plugin = Plugin(PLUGIN)
_plugin.add_autogenerate_comparator(_compare, "autogenerate")
