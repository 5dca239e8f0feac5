"""What a revision does: it runs the frozen files of its release, up or down, and nothing else.

A revision file holds verbs only. What a release loads stands in ``migrations/frozen/<revision>/ORDER``, which
``python -m birthdb.release freeze`` derives from ``sql/order.txt``; a released revision reads no living file.

Frozen SQL runs verbatim: online as one string through psycopg without parameters, by script as it stands. Alembic's
``op.execute`` would read ``:word`` as a parameter.

For the autogenerate of your own Alembic environment in the same database::

    from birthdb.release import include_name
    context.configure(…, include_schemas=True, include_name=include_name)
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import psycopg
from alembic import op
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError

#: The schema that holds everything, and Alembic's version table in it.
SCHEMA = "birth"
VERSION_TABLE = "alembic_version"

#: What every release runs before and after its own files; each release has its own frozen copies.
#: ``VERSION_TABLE_CHECK`` asks the catalogue alone whether Alembic's table may be read, by anybody.
VERSION_TABLE_CHECK = "release/version_table.sql"
BEGIN = ("release/begin.sql", "roles/roles.sql", "release/enter.sql", VERSION_TABLE_CHECK, "release/ready.sql")
GRANTS = "grants.sql"
CONTRACT = "release/contract.sql"
FINISH = ("release/finish.sql", "release/leave.sql")
COMMON = (*BEGIN, "release/prepare.sql", "release/evidence.sql", GRANTS, CONTRACT, *FINISH)

#: What answers whether the database is what a release says. Made anew from the frozen files before it is asked.
CHECKERS = tuple(f"functions/fn_birth_contract_{name}.sql" for name in ("live", "compare", "objects"))

#: The list of steps of a release, and the contract that it fixes, in its frozen folder.
ORDER = "ORDER"
MANIFEST = "manifest.sql"

#: In a configuration's attributes: releases are being measured, so their manifests are not asked yet.
MEASURING = "measuring"
NO_MANIFEST = "SET LOCAL birth.manifest = '{}';\n"

_DROPS = {"tables": "TABLE", "functions": "ROUTINE", "views": "VIEW"}
_PLAIN = re.compile(r"[a-z0-9_ ]*")


def include_name(name: str | None, type_: str, parent_names: Mapping[str, str | None]) -> bool:
    """Return False for schema ``birth``: the ``include_name`` hook for your own environment's autogenerate."""
    return not (type_ == "schema" and name == SCHEMA)


@dataclass(frozen=True)
class Step:
    """A line of ORDER: a file to run, or (``drops``) an object of an earlier release to drop at this point.

    A file of ``release/`` may turn a table of an earlier release into what its living file says (``makes``): the file
    runs, and the table's new text is frozen beside it.
    """

    path: str
    drops: bool = False
    makes: str | None = None

    @classmethod
    def parse(cls, line: str) -> "Step":
        """Return the step of ``path``, ``drop path`` or ``release/name.sql makes tables/name.sql``.

        Raises ValueError for what is not ``folder/name.sql`` of a known folder.
        """
        drops = line.startswith("drop ")
        path, makes, made = line.removeprefix("drop ").strip().partition(" makes ")
        known = _DROPS.keys() if drops else {"release"} if makes else {*_DROPS, "release"}
        if path.rpartition("/")[0] not in known or not path.endswith(".sql"):
            raise ValueError(f"not a step: {line!r}; known folders: {', '.join(sorted(known))}")
        if makes and (drops or not re.fullmatch(r"tables/\w+\.sql", made.strip())):
            raise ValueError(f"not a step: {line!r}; a step of release/ makes a table, as tables/name.sql")
        return cls(path, drops, made.strip() or None)

    def __str__(self) -> str:
        """Return the line."""
        if self.makes:
            return f"{self.path} makes {self.makes}"
        return f"drop {self.path}" if self.drops else self.path

    @property
    def object(self) -> str:
        """The file that has the text of what there is after the step."""
        return self.makes or self.path

    @property
    def way_back(self) -> str:
        """The twin that undoes a file of ``release/``, which is no object that could be dropped."""
        return self.path.removesuffix(".sql") + ".down.sql"

    @property
    def undone_by_file(self) -> bool:
        """Whether the way back is a file and no DROP."""
        return self.path.startswith("release/")

    @property
    def drop(self) -> str:
        """The DROP of the object that the file makes: never CASCADE, so that what depends on it speaks up."""
        path = PurePosixPath(self.path)
        return f"DROP {_DROPS[str(path.parent)]} {SCHEMA}.{path.stem};\n"


def body_of(text: str, routine: str) -> str | None:
    """Return the body of a routine's file, as ``pg_proc.prosrc`` has it; None where the file has none."""
    found = re.search(rf"AS \${routine}\$(.*?)\${routine}\$", text, re.DOTALL)
    return found[1] if found else None


class Frozen:
    """The frozen folders of a script location, ``migrations/frozen``."""

    def __init__(self, root: Path) -> None:
        """Read below ``root``."""
        self.root = root

    def text(self, release: str, path: str) -> str:
        """Return a frozen file. Raises CommandError when the release has no such file."""
        try:
            return (self.root / release / path).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise CommandError(f"{release} has no frozen {path}: python -m birthdb.release freeze {release}") from None

    def has(self, release: str, path: str) -> bool:
        """Return whether the release has the file."""
        return (self.root / release / path).is_file()

    def newest(self, path: str, releases: Iterable[str]) -> str:
        """Return the text that the first of ``releases``, newest first, has of the file. Raises CommandError."""
        release = next((one for one in releases if self.has(one, path)), None)
        if release is None:
            raise CommandError(f"no release has a frozen {path}")
        return self.text(release, path)

    def steps(self, release: str) -> list[Step]:
        """Return the steps of a release in load order. Raises CommandError when it was never frozen."""
        return [Step.parse(line) for line in self.text(release, ORDER).splitlines()]


class Release:
    """The verbs of one revision. Every statement is defined by a frozen file, so that a script is the same release."""

    def __init__(self, revision: str) -> None:
        """Speak for the release of that name."""
        self.revision = revision

    def upgrade(self) -> None:
        """Run the release's steps between its own begin and finish. Raises what the database refuses.

        The contract of the release before is asked first and its own last, also by script (NB404).
        """
        context = op.get_context()
        frozen = _frozen(context)
        before = _before(context, self.revision)
        _begin(context, self.revision, self.revision, at=before or "base")
        if before is not None:
            _believe_nothing(context, before)
            _contract(context, before)
        for step in frozen.steps(self.revision):
            if step.drops:
                _run(context, step.drop, f"{self.revision}: {step}")
            else:
                _run_file(context, self.revision, step.path)
        _finish(context, self.revision)

    def downgrade(self, evidence: tuple[str, ...] = ()) -> None:
        """Undo the steps in reverse; what an earlier release had is restored from the newest earlier frozen copy.

        ``evidence`` names the tables whose rows must be acknowledged before they go (NB409). Grants and contract are
        then those of the release before.
        """
        context = op.get_context()
        frozen = _frozen(context)
        before = _before(context, self.revision)
        _begin(context, self.revision, before or "", at=self.revision)
        _believe_nothing(context, self.revision)
        _contract(context, self.revision)
        if evidence:
            _set(context, {"evidence": " ".join(evidence)})
            _run_file(context, self.revision, "release/evidence.sql")
        for release, undo in undone(frozen, self.revision, list(_earlier(context, self.revision))):
            if undo.drops:
                _run(context, undo.drop, f"{release}: {undo}")
            else:
                _run_file(context, release, undo.path)
        if before is not None:
            _finish(context, before)
        else:
            for path in FINISH:
                _run_file(context, self.revision, path)


def open_script(context: MigrationContext) -> None:
    """Write what stands before the first revision of a script: psql stops at errors; a database at base is prepared.

    What Alembic writes names no schema for its operators, and is to see what was committed before it.
    """
    context.impl.static_output(
        "-- For psql: alembic … --sql | psql -d database\n"
        "\\set ON_ERROR_STOP on\n\\set VERBOSITY verbose\n\\encoding UTF8\n"
        # For Alembic's own statements, which the releases' do not pin.
        "SET search_path = pg_catalog, pg_temp;\nSET default_transaction_isolation = 'read committed';"
    )
    if not context.get_current_heads():
        context.impl.static_output("BEGIN;")
        for path in (*BEGIN, "release/prepare.sql", "release/leave.sql"):
            _run_file(context, _head(context), path)
        context.impl.static_output("COMMIT;")


def prepare(context: MigrationContext) -> None:
    """Have Alembic find a version table that is birth_definer's and that is safe to read, before it reads it.

    Roles, schema and table are made where they are not, a table of somebody else is handed over; what only asks
    changes nothing. Commits, unless the caller's connection is in a transaction. Raises what the database refuses
    (NB404, NB407, NB410).
    """
    connection = context.connection
    if connection is None:
        return
    outer = connection.in_transaction()
    owner = connection.exec_driver_sql(
        "SELECT pg_catalog.pg_get_userbyid(c.relowner) "
        "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace "
        f"WHERE n.nspname OPERATOR(pg_catalog.=) '{SCHEMA}' AND c.relname OPERATOR(pg_catalog.=) '{VERSION_TABLE}'"
    ).scalar()
    if owner != "birth_definer" and not context.opts.get("dont_mutate"):
        for path in (*BEGIN, "release/leave.sql"):
            _run_file(context, _head(context), path)
    else:
        _run_file(context, _head(context), VERSION_TABLE_CHECK)
    if not outer:
        connection.commit()


def _head(context: MigrationContext) -> str:
    head = context.script.get_current_head() if context.script is not None else None
    if head is None:
        raise CommandError("there is no release")
    return head


def _begin(context: MigrationContext, revision: str, becomes: str, at: str) -> None:
    _set(context, {"release": becomes, "release_from": at})
    for path in BEGIN:
        _run_file(context, revision, path)


def _believe_nothing(context: MigrationContext, release: str) -> None:
    """Make what answers for the contract anew: who changed an object may have changed that too."""
    releases = [release, *_earlier(context, release)]
    for path in CHECKERS:
        _run(context, _frozen(context).newest(path, releases), f"{release}/{path}")


def _contract(context: MigrationContext, release: str) -> None:
    """Refuse a database that is not what the release made."""
    config = context.config
    if config is not None and config.attributes.get(MEASURING):
        _run(context, NO_MANIFEST, "no manifest")
    else:
        _run_file(context, release, MANIFEST)
    _set(context, {"contract": release})
    _run_file(context, release, CONTRACT)


def _finish(context: MigrationContext, release: str) -> None:
    _run_file(context, release, GRANTS)
    _contract(context, release)
    for path in FINISH:
        _run_file(context, release, path)


def undone(frozen: Frozen, release: str, earlier: list[str]) -> Iterator[tuple[str, Step]]:
    """Yield what undoes the steps of a release, last step first: whose file to run, or what to drop.

    ``earlier`` are the releases before it, newest first.
    """
    steps = frozen.steps(release)
    remade = {step.path for step in steps if step.drops}
    for step in reversed(steps):
        if step.undone_by_file:
            yield release, Step(step.way_back)
            continue
        older = _standing(frozen, step.path, earlier)
        if step.drops and older is None:
            raise CommandError(f"{release} drops {step.path}, which no earlier release has")
        if older is not None and (step.drops or step.path not in remade):
            yield older, Step(step.path)
        else:
            yield release, Step(step.path, drops=True)


def _standing(frozen: Frozen, path: str, earlier: list[str]) -> str | None:
    """Return which of the earlier releases, newest first, has the text that stood; None for what was dropped or new."""
    for release in earlier:
        named = [step for step in frozen.steps(release) if step.object == path]
        if named:
            return None if named[-1].drops else release
    return None


def _frozen(context: MigrationContext) -> Frozen:
    if context.script is None:
        raise CommandError("a release runs from a script location")
    return Frozen(Path(context.script.dir) / "frozen")


def _before(context: MigrationContext, revision: str) -> str | None:
    return next(_earlier(context, revision), None)


def _earlier(context: MigrationContext, revision: str) -> Iterator[str]:
    """Yield the releases before this one, newest first: they are a single line."""
    if context.script is None:
        return
    for script in context.script.iterate_revisions(revision, "base"):
        if script.revision != revision:
            yield script.revision


def _set(context: MigrationContext, settings: Mapping[str, str]) -> None:
    """Tell the SQL files what they need to know, for this transaction; settings reach a script too."""
    for value in settings.values():
        if not _PLAIN.fullmatch(value):
            raise CommandError(f"not a plain name: {value!r}")
    _run(context, "".join(f"SET LOCAL birth.{name} = '{value}';\n" for name, value in settings.items()), "settings")


def _run_file(context: MigrationContext, release: str, path: str) -> None:
    _run(context, _frozen(context).text(release, path), f"{release}/{path}")


def _run(context: MigrationContext, text: str, source: str) -> None:
    if context.as_sql:
        context.impl.static_output(f"-- {source}\n{text.rstrip()}")
        return
    if context.connection is None:
        raise CommandError("there is no connection")
    raw = context.connection.connection.driver_connection
    if not isinstance(raw, psycopg.Connection):
        raise CommandError("a release runs through psycopg 3: use a postgresql+psycopg engine")
    execute(raw, text, source)


def execute(connection: psycopg.Connection[Any], text: str, source: str) -> None:
    """Send frozen text verbatim. Raises what the database refuses, with a note of where the text is from."""
    # No parameters, so several statements at once and no reading of %; never prepared, which takes one statement only.
    with connection.cursor() as cursor:
        try:
            cursor.execute(text.encode(connection.info.encoding), prepare=False)
        except psycopg.Error as error:
            error.add_note(f"in {source}")
            raise
