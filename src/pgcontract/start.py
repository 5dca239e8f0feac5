"""The next release, written from what was edited in ``sql/``: its steps, its revision, the texts it supersedes.

What ``CREATE OR REPLACE`` cannot do is found by doing it: the release is tried up and back on a database at the present
head, and what the server will not replace is dropped first and made anew, with all that depends on it. Then the release
has to prove itself: up, back to what was there before, up again to what loading ``sql/`` makes. Everything happens in a
copy; the checkout changes when all of it has succeeded, or not at all.
"""

import difflib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, LiteralString

import psycopg
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from pgcontract.changes import Changes, examine, living_texts
from pgcontract.databases import config, database, downgrade, load, upgrade
from pgcontract.measure import dumped
from pgcontract.project import SourceError
from pgcontract.references import Circle, References, arrange, references
from pgcontract.release import undone
from pgcontract.sources import Sources
from pgcontract.texts import Step

# What the server says when the new definition cannot take the place of the old one; 42725: it stands beside it, and a
# COMMENT that names no arguments could mean either.
_IRREPLACEABLE = {"42P13", "42P16", "42809", "42725"}
# … and when something that is there depends on what goes.
_DEPENDED_ON = {"2BP01", "0A000"}

# Which object of the schema depends on which, as the files that make them; `piece` is a part of a table.
_DEPENDENTS: LiteralString = """
WITH relation AS (
  SELECT c.oid, c.reltype,
         CASE WHEN c.relkind IN ('v', 'm') THEN 'views/' ELSE 'tables/' END || c.relname || '.sql' AS path
  FROM pg_class c WHERE c.relnamespace = %(schema)s::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
), object (classid, objid, path, piece) AS (
  SELECT 'pg_class'::regclass, r.oid, r.path, NULL FROM relation r
  UNION ALL SELECT 'pg_type'::regclass, t.oid, r.path, NULL
            FROM relation r JOIN pg_type t ON r.reltype IN (t.oid, t.typelem)
  UNION ALL SELECT 'pg_rewrite'::regclass, w.oid, r.path, NULL FROM relation r JOIN pg_rewrite w ON w.ev_class = r.oid
  UNION ALL SELECT 'pg_proc'::regclass, p.oid, 'functions/' || p.proname || '.sql', NULL
            FROM pg_proc p WHERE p.pronamespace = %(schema)s::regnamespace
  UNION ALL SELECT 'pg_constraint'::regclass, k.oid, r.path, 'constraint ' || k.conname
            FROM relation r JOIN pg_constraint k ON k.conrelid = r.oid
  UNION ALL SELECT 'pg_attrdef'::regclass, d.oid, r.path, 'the default of a column'
            FROM relation r JOIN pg_attrdef d ON d.adrelid = r.oid
  UNION ALL SELECT 'pg_class'::regclass, i.indexrelid, r.path, 'index ' || i.indexrelid::regclass
            FROM relation r JOIN pg_index i ON i.indrelid = r.oid
  UNION ALL SELECT 'pg_trigger'::regclass, t.oid, r.path, 'trigger ' || t.tgname
            FROM relation r JOIN pg_trigger t ON t.tgrelid = r.oid
)
SELECT DISTINCT used.path, dependent.path, dependent.piece
FROM pg_depend d
JOIN object used ON (used.classid, used.objid) = (d.refclassid, d.refobjid)
JOIN object dependent ON (dependent.classid, dependent.objid) = (d.classid, d.objid)
WHERE used.path <> dependent.path
ORDER BY 1, 2, 3
"""

_NAMES: LiteralString = (
    "SELECT count(*) FROM pg_proc WHERE pronamespace = %(schema)s::regnamespace AND proname = %(name)s"
)


_COLUMNS: LiteralString = """
SELECT a.attrelid::bigint, a.attnum, c.relname || '.' || a.attname
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = %(schema)s::regnamespace AND c.relkind IN ('r', 'p') AND a.attgenerated = ''
ORDER BY c.relname, a.attnum
"""


@dataclass
class Started:
    """A release that was started: its steps, why each is there, and what the developer should know."""

    name: str
    steps: list[Step]
    why: dict[str, str]
    remarks: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """Return a line a step, and the remarks."""
        width = max((len(str(step)) for step in self.steps), default=0)
        lines = [f"{step!s:{width}}  {self.why.get(str(step), self.why.get(step.object, ''))}" for step in self.steps]
        return "\n".join([f"{self.name}: up, back, up again, and the same as loading sql/", *lines, *self.remarks])


def start(
    sources: Sources,
    name: str,
    message: str,
    url: str,
    pg_dump: Path,
    complete: Callable[[Sources], object] = lambda _: None,
) -> Started:
    """Start release ``name``: write its revision, its section of order.txt, its sums, and copies of what it supersedes.

    ``url`` is a superuser's of a server on which databases may be made; they are dropped. ``pg_dump`` is a program for
    it. ``complete`` is called with a checkout that has the release, and what it writes there is written with the rest.
    Raises SourceError with every reason that was found, each with what to do, and what ``complete`` raises; the
    checkout is then as it was.
    """
    changes, remarks = examine(sources, name, message)
    with ExitStack() as stack:
        copy = stack.enter_context(sources.proposed())
        tried, loaded = (
            stack.enter_context(database(url, f"start_{os.getpid()}_{one}")) for one in ("tried", "loaded")
        )
        for path in [*changes.changed, *changes.removed, *changes.common]:
            copy.supersede(sources.head, path, sources.older(path, sources.head))
        release = _Release(copy, name, message, changes)
        try:
            upgrade(copy, tried, sources.head)
        except psycopg.Error as error:
            raise SourceError(f"{sources.head} cannot be released: {_said(error)}") from error
        release.refine(tried)
        release.revise()
        Sources(copy.root).sum(name)
        _prove(Sources(copy.root), name, tried, loaded, pg_dump)
        started = Started(name, release.steps, release.why, [*remarks, *release.callers()])
        complete(Sources(copy.root, copy.commits))
    return started


# ---- what only a server can say


class _Release:
    """The release in a copy of the checkout, as far as it is known."""

    def __init__(self, copy: Sources, name: str, message: str, changes: Changes) -> None:
        self.copy = copy
        self.schema = copy.project.schema
        self.name = name
        self.message = message
        self.changes = changes
        self.listed = list(dict.fromkeys(step.object for steps in copy.releases.values() for step in steps))
        #: What goes before anything is made, and why.
        self.first: dict[str, str] = {}
        self.steps: list[Step] = []
        #: The columns that steps add to tables, as ``table.column``.
        self.columns: list[str] = []
        self._order = (copy.sql / "order.txt").read_text(encoding="utf-8")

    @property
    def why(self) -> dict[str, str]:
        """Why each step is there, by line or by file."""
        return {
            **dict.fromkeys(self.changes.changed, "changed"),
            **dict.fromkeys(self.changes.new, "new"),
            **{f"drop {path}": "removed" for path in self.changes.removed},
            **{path: f"made anew: {reason}" for path, reason in self.first.items()},
            **{f"drop {path}": reason for path, reason in self.first.items()},
            **{step.path: "a step" for step in self.changes.further},
        }

    def revise(self) -> None:
        """Write the revision."""
        tables = (PurePosixPath(path).stem for path in self.changes.new if path.startswith("tables/"))
        evidence = tuple(sorted([*tables, *self.columns]))
        script = ScriptDirectory.from_config(config(self.copy))
        script.messaging_opts = {"quiet": True}
        try:
            script.generate_revision(self.name, self.message, evidence=_tuple(evidence))
        except CommandError as error:
            raise SourceError(f"the revision cannot be written: {error}") from error

    def refine(self, url: str) -> None:
        """Find what has to go first, trial by trial. Raises SourceError for what a server refuses in any order."""
        with psycopg.connect(url) as connection:
            dependents: dict[str, list[tuple[str, str | None]]] = {}
            for used, dependent, piece in connection.execute(_DEPENDENTS, {"schema": self.schema}).fetchall():
                dependents.setdefault(used, []).append((dependent, piece))
            connection.rollback()
            while True:
                self._write()
                known = set(self.first)
                try:
                    with connection.transaction(force_rollback=True):
                        self._try(connection)
                except _Stuck as stuck:
                    for path in self._in_the_way(stuck, dependents):
                        self._goes_first(path, stuck.reason, dependents)
                    if set(self.first) == known:
                        raise SourceError(stuck.refusal) from stuck.__cause__
                else:
                    return

    @staticmethod
    def _in_the_way(stuck: "_Stuck", dependents: Mapping[str, list[tuple[str, str | None]]]) -> list[str]:
        """Return what goes first: of a table, which stays, what the server names, or else all that uses it."""
        if stuck.path is None or not stuck.path.startswith("tables/"):
            return [] if stuck.path is None else [stuck.path]
        users = [path for path, piece in dependents.get(stuck.path, []) if piece is None and path[:7] != "tables/"]
        return [path for path in users if PurePosixPath(path).stem in stuck.named] or users

    def callers(self) -> Iterator[str]:
        """Yield which files call a routine of another shape and were not changed: no server looks into them."""
        read = {
            path: references(text, self.schema) for path, text in living_texts(self.copy) if path not in self._made()
        }
        for path in sorted(self.first.keys() & self.changes.changed):
            name = PurePosixPath(path).stem
            if callers := [other for other, file in read.items() if name in file.soft | file.said]:
                yield f"{path}: has another shape; not changed: {', '.join(callers)}; see whether they still fit"

    def _write(self) -> None:
        """Write the section of order.txt, with what is known now."""
        living = {path: self._references(self.copy.file(path)) for path in self._made()}
        steps = {path: step for path, step in self.changes.altered.items() if path in living}
        for path, step in steps.items():
            altering = self._references(self.copy.sql / step.path)
            own = PurePosixPath(path).stem
            needed = (altering.hard | altering.soft) - {own}
            living[path] = References((("table", own),), needed, frozenset(), frozenset())
        older = {
            path: references(self.copy.text(self.copy.head, path), self.schema)
            for path in (*self.first, *self.changes.removed)
        }
        try:
            made = [steps.get(path, Step(path)) for path in arrange(living, self.listed)]
            down = list(reversed(arrange(older, self.listed)))
        except Circle as circle:
            raise SourceError(
                f"{', '.join(circle.args[0])}: each needs another one to be there first\n    take one of them apart"
            ) from None
        first = [Step(path, drops=True) for path in down if path in self.first]
        last = [Step(path, drops=True) for path in down if path not in self.first]
        self.steps = [*first, *made, *self.changes.further, *last]
        blocks: tuple[tuple[str, list[Step]], ...] = (
            (f"[{self.name}]  # {self.message}", []),
            ("# what cannot be replaced, and what depends on it", first),
            ("# made, each after what it uses", [*made, *self.changes.further]),
            ("# gone for good", last),
        )
        section = "\n\n".join(
            "\n".join([title, *map(str, steps)]) for number, (title, steps) in enumerate(blocks) if steps or not number
        )
        (self.copy.sql / "order.txt").write_text(f"{self._order.rstrip()}\n\n{section}\n", encoding="utf-8")

    def _made(self) -> set[str]:
        return (self.changes.changed | self.changes.new | set(self.first)) - self.changes.removed

    def _references(self, file: Path) -> References:
        return references(file.read_text(encoding="utf-8"), self.schema)

    def _goes_first(self, path: str, reason: str, dependents: Mapping[str, list[tuple[str, str | None]]]) -> None:
        """Note an object and all that depends on it. Raises SourceError where a part of a table does."""
        if path in self.first or path in self.changes.new:
            return
        self.first[path] = reason
        for dependent, piece in dependents.get(path, []):
            if piece is not None:
                raise SourceError(
                    f"{path}: {reason}; but {piece} of {dependent} uses it, and taking that off and putting it on "
                    "again checks every row under a lock\n"
                    "    leave the routine as it is and write another one; a step of the table moves over to it"
                )
            if not dependent.startswith("tables/"):
                self._goes_first(dependent, f"it uses {path}", dependents)

    def _try(self, connection: psycopg.Connection[Any]) -> None:
        """Run the steps up and back. Raises _Stuck with what has to go first."""
        _run(connection, f"SET LOCAL {self.schema}.release = '{self.name}'")
        for path in self.copy.project.begin:
            try:
                _run(connection, self.copy.file(path).read_text(encoding="utf-8"))
            except psycopg.Error as error:
                raise SourceError(f"{path}: {_said(error)}\n    correct it") from error
        before = self._columns(connection)
        for step in self.steps:
            text = step.drop(self.schema) if step.drops else self.copy.file(step.path).read_text(encoding="utf-8")
            with self._watched(connection, step, "up"):
                _run(connection, text)
            self._watch_overloads(connection, step)
        after = self._columns(connection)
        if gone := sorted(before.keys() - after.keys()):
            raise SourceError(
                f"{', '.join(before[key] for key in gone)}: a release destroys no values, so no column is dropped\n"
                "    leave the column where it is; a COMMENT may say that nothing writes it any more"
            )
        altered = {table for table, _ in before}
        self.columns = [name for key, name in after.items() if key not in before and key[0] in altered]
        texts = Sources(self.copy.root)
        for release, undo in undone(texts, self.name):
            text = undo.drop(self.schema) if undo.drops else texts.text(release, undo.path)
            with self._watched(connection, undo, "back"):
                _run(connection, text)

    @contextmanager
    def _watched(self, connection: psycopg.Connection[Any], step: Step, way: str) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            said = error.diag.message_primary or str(error)
            refusal = f"{step}, on the way {way}: {_said(error)}\n    correct it"
            table = next((one.makes for one in self.steps if one.makes and step.path in (one.path, one.way_back)), None)
            path = table or step.path
            if step.drops or table:
                known = error.sqlstate in _DEPENDED_ON
            else:
                known = path.startswith(("functions/", "views/")) and (
                    way == "back" or error.sqlstate in _IRREPLACEABLE
                )
            reason = said if way == "up" else f"on the way back: {said}"
            named = re.findall(r"\w+", error.diag.message_detail or "")
            raise _Stuck(path if known else None, reason, refusal, frozenset(named)) from error

    def _columns(self, connection: psycopg.Connection[Any]) -> dict[tuple[int, int], str]:
        """Return the columns of tables that hold values of their own, by table and number."""
        rows = connection.execute(_COLUMNS, {"schema": self.schema}).fetchall()
        return {(table, number): name for table, number, name in rows}

    def _watch_overloads(self, connection: psycopg.Connection[Any], step: Step) -> None:
        if step.drops or not step.path.startswith("functions/"):
            return
        name = PurePosixPath(step.path).stem
        (count,) = connection.execute(_NAMES, {"schema": self.schema, "name": name}).fetchone() or (0,)
        if count > 1:
            refusal = f"{step}: there would be {count} routines {name}\n    a routine's name is enough: use another one"
            raise _Stuck(step.path, "its arguments change", refusal)


class _Stuck(Exception):
    """A trial that failed: whose place could be cleared first, why, and what to say where that does not help."""

    def __init__(self, path: str | None, reason: str, refusal: str, named: frozenset[str] = frozenset()) -> None:
        super().__init__(reason)
        self.path = path
        self.reason = reason
        self.refusal = refusal
        self.named = named


def _tuple(names: tuple[str, ...]) -> str:
    # As the formatter writes it.
    inner = ", ".join(f'"{name}"' for name in names)
    return f"({inner},)" if len(names) == 1 else f"({inner})"


def _run(connection: psycopg.Connection[Any], text: str) -> None:
    connection.execute(text.encode(), prepare=False)


def _said(error: psycopg.Error) -> str:
    parts = (error.diag.message_primary or str(error).strip(), error.diag.message_detail, error.diag.message_hint)
    return "; ".join(part for part in parts if part) + "".join(f" ({note})" for note in getattr(error, "__notes__", ()))


def _prove(copy: Sources, name: str, tried: str, loaded: str, pg_dump: Path) -> None:
    """Hold that the release goes up, comes back, goes up again, and is what loading makes. Raises SourceError."""

    def made(url: str) -> list[str]:
        # \\restrict has a new key each time.
        return [line for line in dumped(copy, pg_dump, url).splitlines() if line and not line.startswith("\\")]

    before = made(tried)
    head = list(copy.releases)[-2]
    try:
        upgrade(copy, tried, name)
        after = made(tried)
        downgrade(copy, tried, head)
        _same(before, made(tried), f"{name}: the way back does not lead to {head}", "see release/*.down.sql")
        upgrade(copy, tried, name)
        load(copy, loaded)
    except psycopg.Error as error:
        raise SourceError(f"{name} cannot be released: {_said(error)}") from error
    again, living = made(tried), made(loaded)
    _same(after, again, f"{name}: the second time up does not make what the first time did", "see its steps")
    _same(living, after, f"{name}: migrating does not make what the living files say", "see its steps of release/")


def _same(wanted: list[str], found: list[str], what: str, repair: str) -> None:
    diff = list(difflib.unified_diff(wanted, found, n=0, lineterm=""))[2:]
    lines = [line for line in diff if not line.startswith("@@")]
    if lines:
        shown = "\n".join(f"    {line}" for line in lines[:12])
        raise SourceError(f"{what} (- is wanted, + was made):\n{shown}\n    {repair}")
