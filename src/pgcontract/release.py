"""What a revision does: it runs the texts of its release, up or down, and nothing else.

A revision file holds verbs only. ``sql/order.txt`` lists what a release runs, and ``pgcontract.texts`` finds the
texts; what was edited since the release was measured is refused.

SQL runs verbatim: online as one string through psycopg without parameters, by script as it stands. Alembic's
``op.execute`` would read ``:word`` as a parameter.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
from alembic import op
from alembic.runtime.migration import MigrationContext, MigrationInfo
from alembic.util import CommandError

from pgcontract.project import CONTRACT, EVIDENCE, GRANTS, MANIFEST, PREPARE, VERSION_TABLE_CHECK, SourceError
from pgcontract.surroundings import for_psql
from pgcontract.texts import Step, Texts

#: In a configuration's attributes: releases are being measured, so neither sums nor manifests are asked yet.
MEASURING = "measuring"

#: What the session of a release has, whatever its database, its login or a service set: for the statements of Alembic
#: around the revisions, which pin no more than they need. Who waits longer for a lock stops live inserts.
SESSION: Mapping[str, str] = {
    "search_path": "pg_catalog, pg_temp",
    "role": "none",
    "default_transaction_isolation": "read committed",
    "default_tablespace": "",
    "default_table_access_method": "heap",
    "lock_timeout": "5s",
}

_PLAIN = re.compile(r"[a-z0-9_. ]*")


def manifest_sql(schema: str, manifest: Mapping[str, Any]) -> str:
    """Return the statement that tells the database what a release fixed; what knows no objects asks for nothing."""
    if manifest:
        objects = {key: dict(entry) for key, entry in manifest["objects"].items()}
        on: dict[str, dict[str, Any]] = {}
        for key, entry in objects.items():
            for major, other in entry.pop("on", {}).items():
                on.setdefault(major, {})[key] = other
        manifest = {**manifest, "objects": objects, "on": on}
    compact = json.dumps(manifest, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return "SET LOCAL {}.manifest = '{}';\n".format(schema, compact.replace("'", "''"))


class Release:
    """The verbs of one revision. Every statement is in a text, so that a script is the same release."""

    def __init__(self, revision: str) -> None:
        """Speak for the release of that name."""
        self.revision = revision

    def upgrade(self) -> None:
        """Run the release's steps between its own begin and finish. Raises what the database refuses.

        The contract of the release before is asked first and its own last, also by script. Raises SourceError
        for texts that are not those that were measured.
        """
        # It reads texts of its own and of the release before; the way back may need any older one.
        run = _Run(op.get_context(), self.revision, most=2)
        before = run.texts.before(self.revision)
        run.begin(self.revision, at=before or "base")
        if before is not None:
            run.contract(before, anew=True)
        for step in run.texts.releases[self.revision]:
            if step.drops:
                run.send(step.drop(run.project.schema), f"{self.revision}: {step}")
            else:
                run.file(self.revision, step.path)
        run.finish(self.revision)

    def downgrade(self, evidence: tuple[str, ...] = ()) -> None:
        """Undo the steps in reverse; what an earlier release had is restored from the text that it has.

        ``evidence`` names the tables, and as ``table.column`` the columns, whose values must be acknowledged before
        they go. Grants and contract are then those of the release before.
        """
        run = _Run(op.get_context(), self.revision)
        before = run.texts.before(self.revision)
        run.begin(before or "", at=self.revision)
        run.contract(self.revision, anew=True)
        if evidence:
            run.settings(evidence=" ".join(evidence))
            run.file(self.revision, EVIDENCE)
        for release, undo in undone(run.texts, self.revision):
            if undo.drops:
                run.send(undo.drop(run.project.schema), f"{release}: {undo}")
            else:
                run.file(release, undo.path)
        if before is not None:
            run.finish(before)
        else:
            for path in run.project.finish:
                run.file(self.revision, path)


def open_script(context: MigrationContext) -> None:
    """Write what stands before the first revision of a script: psql stops at errors; a database at base is prepared.

    What Alembic writes names no schema for its operators, and makes objects where the session's settings say.
    """
    project = _Run(context).project
    settings = "\n".join(
        # ROLE takes no sign.
        f"SET {name.upper()} {value.upper()};"
        if name == "role"
        else "SET {} = {};".format(name, ", ".join(f"'{part}'" for part in value.split(", ")))
        for name, value in SESSION.items()
    )
    context.impl.static_output(
        "-- For psql: alembic ... --sql | psql -d database\n"
        f"\\set ON_ERROR_STOP on\n\\set VERBOSITY verbose\n\\encoding UTF8\n{settings}\n{for_psql(project)}"
    )
    if not context.get_current_heads():
        run = _Run(context)
        context.impl.static_output("BEGIN;")
        run.settings(release_from="base", servers=run.servers)
        for path in (*run.project.begin, PREPARE, run.project.finish[-1]):
            run.file(run.release, path)
        context.impl.static_output("COMMIT;")


def prepare(context: MigrationContext) -> None:
    """Have Alembic find a version table that is the owner's and that is safe to read, before it reads it.

    Roles, schema and table are made where they are not, a table of somebody else is handed over; what only asks
    changes nothing. Commits, unless the caller's connection is in a transaction. Raises what the database refuses.
    """
    connection = context.connection
    if connection is None:
        return
    outer = connection.in_transaction()
    run = _Run(context)
    project = run.project
    owner = connection.exec_driver_sql(
        "SELECT pg_catalog.pg_get_userbyid(c.relowner) "
        "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace "
        f"WHERE n.nspname OPERATOR(pg_catalog.=) '{project.schema}' "
        f"AND c.relname OPERATOR(pg_catalog.=) '{project.version_table}'"
    ).scalar()
    there = owner == project.owner or context.opts.get("dont_mutate")
    if not there:
        run.settings(servers=run.servers)
    for path in (VERSION_TABLE_CHECK,) if there else (*project.begin, project.finish[-1]):
        run.file(run.release, path)
    if not outer:
        connection.commit()


def stamped(*, ctx: MigrationContext, step: MigrationInfo, heads: Collection[str], **_: Any) -> None:
    """Refuse, for Alembic's ``on_version_apply``, a version that is written by ``stamp`` and that the database is not.

    The contract of the release is asked; for base the schema must hold nothing. Raises what the database refuses.
    """
    if not step.is_stamp:
        return
    release = next(iter(heads), None)
    run = _Run(ctx)
    run.begin(release or "", at="" if release else "base")
    if release is not None:
        run.contract(release, anew=True)
    run.file(run.release, run.project.finish[-1])


class _Run:
    """The texts of a release on their way to a connection or into a script."""

    def __init__(self, context: MigrationContext, release: str | None = None, most: int | None = None) -> None:
        """Run ``release``, the newest revision without it.

        Raises SourceError where it or one before, of ``most`` releases, has other texts than were measured.
        """
        if context.script is None:
            raise CommandError("a release runs from a script location")
        self.context = context
        self.measuring = context.config is not None and bool(context.config.attributes.get(MEASURING))
        self.texts = Texts(Path(context.script.dir).parent)
        self.project = self.texts.project
        if (named := release or context.script.get_current_head()) is None:
            raise CommandError("there is no release")
        self.release = named
        if not self.measuring:
            self.texts.hold(named, most)

    @property
    def servers(self) -> str:
        """The majors that the release was measured on."""
        # One that is being started has not been measured yet.
        return "" if self.measuring else " ".join(sorted(self.texts.manifest(self.release).get("servers", ())))

    def begin(self, becomes: str, at: str) -> None:
        self.settings(release=becomes, release_from=at, servers=self.servers)
        for path in self.project.begin:
            self.file(self.release, path)

    def contract(self, release: str, *, anew: bool = False) -> None:
        """Refuse a database that is not what the release made.

        ``anew`` makes the checkers first: who changed an object may have changed them too.
        """
        if anew:
            for path in self.project.checkers:
                self.send(self.texts.text(release, path), f"{release}/{path}")
        manifest = {} if self.measuring else self.texts.manifest(release)
        self.send(manifest_sql(self.project.schema, manifest), f"{release}/{MANIFEST}")
        self.settings(contract=release)
        self.file(release, CONTRACT)

    def finish(self, release: str) -> None:
        self.file(release, GRANTS)
        self.contract(release)
        for path in self.project.finish:
            self.file(release, path)

    def settings(self, **settings: str) -> None:
        """Tell the SQL files what they need to know, for this transaction; settings reach a script too."""
        for value in settings.values():
            if not _PLAIN.fullmatch(value):
                raise CommandError(f"not a plain name: {value!r}")
        self.send(
            "".join(f"SET LOCAL {self.project.schema}.{name} = '{value}';\n" for name, value in settings.items()),
            "settings",
        )

    def file(self, release: str, path: str) -> None:
        self.send(self.texts.text(release, path), f"{release}/{path}")

    def send(self, text: str, source: str) -> None:
        context = self.context
        if context.as_sql:
            context.impl.static_output(f"-- {source}\n{text.rstrip()}")
            return
        if context.connection is None:
            raise CommandError("there is no connection")
        raw = context.connection.connection.driver_connection
        if not isinstance(raw, psycopg.Connection):
            raise CommandError("a release runs through psycopg 3: use a postgresql+psycopg engine")
        execute(raw, text, source)


def undone(texts: Texts, release: str) -> Iterator[tuple[str, Step]]:
    """Yield what undoes the steps of a release, last step first: whose file to run, or what to drop."""
    steps = texts.releases[release]
    remade = {step.path for step in steps if step.drops}
    for step in reversed(steps):
        if step.undone_by_file:
            yield release, Step(step.way_back)
            continue
        older = texts.standing(step.path, texts.until(release)[1:])
        if step.drops and older is None:
            raise SourceError(f"{release} drops {step.path}, which no earlier release has")
        if older is not None and (step.drops or step.path not in remade):
            yield older, Step(step.path)
        else:
            yield release, Step(step.path, drops=True)


def execute(connection: psycopg.Connection[Any], text: str, source: str) -> None:
    """Send a text verbatim. Raises what the database refuses, with a note of where the text is from."""
    # No parameters, so several statements at once and no reading of %; never prepared, which takes one statement only.
    with connection.cursor() as cursor:
        try:
            cursor.execute(text.encode(connection.info.encoding), prepare=False)
        except psycopg.Error as error:
            error.add_note(f"in {source}")
            raise
