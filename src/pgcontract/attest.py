"""What a DBA does between releases: hold the database against its release, attest it anew, put back what drifted.

The contract asked is the one that the release fixed, never the one that the database keeps of itself. Specification: 7.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from pgcontract.project import CONTRACT, GRANTS, MANIFEST, TABLES, VERSION_TABLE_CHECK
from pgcontract.release import execute, manifest_sql
from pgcontract.surroundings import explained
from pgcontract.texts import Texts, body_of

_REPAIR: LiteralString = """
SELECT {}(%(kind)s, %(object)s, %(drift)s, %(wanted)s, %(live)s, %(added)s, %(removed)s, %(definition)s)
"""


class NotReleased(Exception):
    """The database has no release, or one that the installed files do not know; ``hint`` says what to do."""

    def __init__(self, message: str, hint: str) -> None:
        """Say what is and what to do."""
        super().__init__(message)
        self.hint = hint


class UnknownRelease(NotReleased):
    """The installed files do not have the release of the database: they are older, or another project's."""

    def __init__(self, texts: Texts, release: str) -> None:
        """Name the release and the newest that is known."""
        name = texts.project.name
        super().__init__(
            f"release {release} is not among the installed ones: this {name} knows those up to {texts.head}",
            f"install the {name} that has {release}",
        )


@dataclass(frozen=True)
class Difference:
    """An object that is not as its release made it; ``drift`` as the contract's ``compare`` has it."""

    kind: str
    object: str
    drift: str
    blocks: bool
    wanted: Mapping[str, Any] | None
    live: Mapping[str, Any] | None
    differs: list[str] | None
    added: list[str] | None
    removed: list[str] | None

    def __str__(self) -> str:
        """Return the object and what is the matter with it, in a line."""
        facts = ", ".join(self.differs or ()) if self.drift == "state" else ""
        if self.drift == "privileges":
            facts = ", ".join(
                [f"+{entry}" for entry in self.added or ()] + [f"-{entry}" for entry in self.removed or ()]
            )
        return f"{self.kind} {self.object}: {self.drift}" + (f" ({facts})" if facts else "")

    def changes(self) -> list[str]:
        """Return what was found and what was expected, part by part; of an object that is there and should be."""
        if self.live is None or self.wanted is None or self.drift in ("missing", "extra"):
            return []
        parts = [part for part in self.differs or () if part != "privileges"]
        return [said for part in parts for said in _changes(part, self.live.get(part), self.wanted.get(part))]


def _changes(path: str, live: Any, wanted: Any) -> Iterator[str]:
    if isinstance(live, dict) and isinstance(wanted, dict):
        for name in sorted(live.keys() | wanted.keys()):
            yield from _changes(f"{path} {name}", live.get(name), wanted.get(name))
    elif isinstance(live, list) and isinstance(wanted, list) and len(live) == len(wanted):
        for found, expected in zip(live, wanted, strict=True):
            name = expected.get("name") if isinstance(expected, dict) else None
            yield from _changes(f"{path} {name}" if name else path, found, expected)
    elif live != wanted:
        yield f"{path}: found {_short(live)}, expected {_short(wanted)}"


def _short(value: Any) -> str:
    """Return a value in a few words; of a hash as much as tells it from another one."""
    if isinstance(value, dict):
        value = [f"{name} {_short(each)}" for name, each in value.items()]
    said = "nothing" if value is None else ", ".join(map(_short, value)) if isinstance(value, list) else str(value)
    return said[:12] if re.fullmatch("[0-9a-f]{64}", said) else said if len(said) <= 80 else f"{said[:80]}..."


def query(texts: Texts, release: str, name: str) -> str:
    """Return the query that is the body of a checker of the release, ``live`` or ``compare``."""
    routine = texts.project.prefix + name
    body = body_of(texts.text(release, f"functions/{routine}.sql"), routine) or ""
    found, end, _ = body.partition("RETURN QUERY\n")[2].partition(";\nEND;\n")
    assert end, f"{routine} is not one query"
    return found


def current(connection: psycopg.Connection[Any], texts: Texts) -> str:
    """Return the release that the database says it has. Raises NotReleased.

    Alembic's table is read only once the catalogue shows that reading it runs no code of somebody else; raises what
    ``release/version_table.sql`` raises.
    """
    project = texts.project
    with connection.transaction():
        execute(connection, texts.text(texts.head, VERSION_TABLE_CHECK), VERSION_TABLE_CHECK)
        named = sql.Identifier(project.schema, project.version_table)
        there = connection.execute("SELECT pg_catalog.to_regclass(%s)", (named.as_string(connection),)).fetchone()
        row = None
        if there is not None and there[0] is not None:
            row = connection.execute(sql.SQL("SELECT v.version_num FROM {} AS v").format(named)).fetchone()
    if row is not None:
        return str(row[0])
    raise not_released(connection, texts)


def not_released(connection: psycopg.Connection[Any], texts: Texts) -> NotReleased:
    """Return what there is to say of a database without a version: it may have lost only that."""
    ours = texts.project.version_table
    for release in reversed(list(texts.releases)):
        found = differences(connection, texts, release)
        if not any(row.blocks and row.object.partition(".")[0] != ours for row in found):
            said = f"the schema holds the objects of {release}, and the version table no version"
            return NotReleased(said, f"{texts.project.alembic} stamp {release}")
    return NotReleased("not released", f"{texts.project.alembic} upgrade head")


def contract(connection: psycopg.Connection[Any], texts: Texts, release: str) -> dict[str, dict[str, Any]]:
    """Return the objects that the release fixed for this server, by "kind object": parts, exact, semantic.

    Raises NotReleased for a release that is not among the texts, and for a server that it does not know.
    """
    known(texts, release)
    manifest, major = texts.manifest(release), str(connection.info.server_version // 10000)
    if major not in manifest["servers"]:
        majors = ", ".join(sorted(manifest["servers"]))
        raise NotReleased(
            f"release {release} was fixed for PostgreSQL {majors}, not for {major}",
            f"install a newer {texts.project.name}",
        )
    return objects_of(manifest, major)


def known(texts: Texts, release: str) -> None:
    """Raise UnknownRelease unless the texts have the release."""
    if release not in texts.releases:
        raise UnknownRelease(texts, release)


def objects_of(manifest: Mapping[str, Any], major: str) -> dict[str, dict[str, Any]]:
    """Return the objects of a manifest as a server of that major writes them down, like the contract's `objects`."""
    beside = {key: (entry, entry.get("on", {})) for key, entry in manifest["objects"].items()}
    return {
        key: on.get(major) or {part: value for part, value in entry.items() if part != "on"}
        for key, (entry, on) in beside.items()
    }


def differences(connection: psycopg.Connection[Any], texts: Texts, release: str) -> list[Difference]:
    """Return what is not as the release made it; reads only, and needs no privilege.

    Asks by the release's own query, sent as text, and not by the routines of the database. Raises NotReleased.
    """
    wanted = contract(connection, texts, release)
    project = texts.project
    live = query(texts, release, "live").replace("p_rules", "'{}'::jsonb")
    compare = query(texts, release, "compare").replace(f"{project.schema}.{project.prefix}live(p_rules)", f"({live})")
    asked = compare.replace("p_wanted", "$1::jsonb")
    with connection.transaction(force_rollback=True):
        connection.execute(PINS)
        with psycopg.RawCursor(connection, row_factory=class_row(Difference)) as cursor:
            return [row for row in cursor.execute(asked.encode(), [Jsonb(wanted)]) if row.drift != "ok"]


#: What the routines pin: each changes what the server writes down.
PINS: LiteralString = """
SET LOCAL search_path = pg_catalog, pg_temp; SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, MDY';
SET LOCAL intervalstyle = 'postgres'; SET LOCAL quote_all_identifiers = off; SET LOCAL extra_float_digits = 1;
SET LOCAL bytea_output = 'hex'; SET LOCAL standard_conforming_strings = on;
"""


def attest(connection: psycopg.Connection[Any], texts: Texts, release: str) -> int:
    """Record the contract of the present release for this server, once the database is shown to be that.

    After pg_upgrade or a restore into another major version, whose server writes definitions down otherwise. Returns
    how many objects were recorded anew; 0 when nothing differed. Raises what the database refuses:
    drift, with what is not as released, a privilege that is missing, a server that the release does not know.
    """
    known(texts, release)
    with explained(connection, texts.project), connection.transaction(), _acting(connection, texts, release):
        _contract(connection, texts, release)
        before = _recorded(connection, texts)
    return _recorded(connection, texts) - before


def repair(
    connection: psycopg.Connection[Any],
    texts: Texts,
    release: str,
    *,
    harmless: bool = False,
    drop_data: bool = False,
    dry_run: bool = False,
) -> list[tuple[Difference, str]]:
    """Put back what differs from the release, as the owner, and attest; all of it or nothing.

    Returns each difference with the statement that repaired it; with ``dry_run`` it is done all the same, locks
    included, and rolled back. What does not block apply, such as a grant to read, is left alone unless ``harmless``;
    a table or column that somebody added, unless ``drop_data``: its values would go. Raises the error of drift
    when something cannot be put back, with what is left, and what the server said of each statement as a note; where
    only a right of the login was missing, the statement too, for a superuser to send first. Raises NotReleased where
    the version is not that of the objects, by which what a later release made would be taken for somebody's.
    """
    known(texts, release)
    _hold_version(connection, texts, release)
    done: list[tuple[Difference, str]] = []
    refusals: dict[str, str] = {}
    rights: dict[str, str] = {}
    with (
        explained(connection, texts.project),
        connection.transaction(force_rollback=dry_run),
        _acting(connection, texts, release),
    ):
        for path in texts.project.repairers:
            _make_anew(connection, texts, path, texts.text(release, path))
        # One may need another first: again, as long as there is something that has not been sent.
        while sent := [
            (difference, text)
            for difference, text in _repairable(connection, texts, release, harmless=harmless)
            if (difference, text) not in done
            and (drop_data or not _drops_data(difference, text))
            and _send(connection, texts, difference, text, refusals, rights)
        ]:
            done += sent
        try:
            execute(connection, texts.text(release, GRANTS), f"{release}/{GRANTS}")
            _contract(connection, texts, release)
        except psycopg.Error as error:
            for refusal in refusals.values():
                error.add_note(refusal)
            if rights:
                error.add_note(f"nothing was put back; {len(done)} can be when a superuser has sent this:")
                error.add_note("SET search_path = pg_catalog, pg_temp;")
                for text in rights.values():
                    error.add_note(f"{text.rstrip().rstrip(';')};")
            raise
    return done


def _hold_version(connection: psycopg.Connection[Any], texts: Texts, release: str) -> None:
    """Refuse a version that is older than the tables: to the release they are somebody's, and would be dropped."""
    found = differences(connection, texts, release)
    extra = {f"{row.kind} {row.object}" for row in found if (row.kind, row.drift) == ("table", "extra")}
    releases = list(texts.releases)
    for later in releases[: releases.index(release) : -1]:
        if theirs := sorted(extra & contract(connection, texts, later).keys()):
            raise NotReleased(
                f"the version table says {release}, and {', '.join(theirs)} are of a later release",
                f"write the version back, which compares the objects first: {texts.project.alembic} stamp {later}",
            )


def _contract(connection: psycopg.Connection[Any], texts: Texts, release: str) -> None:
    """Refuse a database that is not what the release made."""
    execute(connection, manifest_sql(texts.project.schema, texts.manifest(release)), f"{release}/{MANIFEST}")
    execute(connection, texts.text(release, CONTRACT), f"{release}/{CONTRACT}")


def _drops_data(difference: Difference, text: str) -> bool:
    extra_table = difference.drift == "extra" and difference.kind == "table"
    return extra_table or (difference.kind == "table" and "DROP COLUMN" in text)


def _repairable(
    connection: psycopg.Connection[Any], texts: Texts, release: str, *, harmless: bool
) -> list[tuple[Difference, str]]:
    found = [row for row in differences(connection, texts, release) if row.blocks or harmless]
    return [(row, text) for row in found if (text := _statement(connection, texts, release, row))]


def _statement(connection: psycopg.Connection[Any], texts: Texts, release: str, difference: Difference) -> str | None:
    definition = None
    if difference.wanted is not None and difference.kind not in TABLES - {"view"}:
        folder = "views" if difference.kind == "view" else "functions"
        file = texts.text(release, f"{folder}/{difference.object.partition('(')[0]}.sql")
        definition = file.rstrip().removesuffix(";")
    row = connection.execute(
        sql.SQL(_REPAIR).format(sql.Identifier(texts.project.schema, f"{texts.project.prefix}repair")),
        vars(difference)
        | {
            "wanted": None if difference.wanted is None else Jsonb(difference.wanted),
            "live": None if difference.live is None else Jsonb(difference.live),
            "definition": definition,
        },
    ).fetchone()
    return row[0] if row else None


def _send(
    connection: psycopg.Connection[Any],
    texts: Texts,
    difference: Difference,
    text: str,
    refusals: dict[str, str],
    rights: dict[str, str],
) -> bool:
    """Send a statement as the owner of the schema, else as the login: only it may alter what has another owner.

    Returns whether it was sent; a mere comment says why nothing can be. What the server refused is noted, and the
    statement among ``rights`` where nothing but a right was missing.
    """
    if all(line.startswith("--") for line in text.splitlines()):
        refusals[difference.object] = text
        return False
    owner = texts.project.owner
    for role in (owner, "NONE"):
        try:
            with connection.transaction():
                execute(connection, f"SET LOCAL ROLE {role};\n{text}", "repair")
                connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(owner)))
        except psycopg.Error as error:
            refusals[difference.object] = f"{difference.object}: {error.diag.message_primary or error}"
            if isinstance(error, psycopg.errors.InsufficientPrivilege):
                rights[difference.object] = text
            else:
                rights.pop(difference.object, None)
            continue
        refusals.pop(difference.object, None)
        rights.pop(difference.object, None)
        return True
    return False


def _make_anew(connection: psycopg.Connection[Any], texts: Texts, path: str, text: str) -> None:
    """Make a checker; in the place of one that somebody else owns or has given another shape."""
    try:
        with connection.transaction():
            execute(connection, text, path)
    except psycopg.Error:
        drop = f"DROP ROUTINE IF EXISTS {texts.project.schema}.{Path(path).stem};\n"
        execute(connection, drop + text, path)


def _recorded(connection: psycopg.Connection[Any], texts: Texts) -> int:
    """Return how many recordings of objects the registry holds; none before the release that brings it."""
    registry = sql.Identifier(texts.project.schema, texts.project.registry)
    there = connection.execute("SELECT pg_catalog.to_regclass(%s)", (registry.as_string(connection),)).fetchone()
    if there is None or there[0] is None:
        return 0
    row = connection.execute(sql.SQL("SELECT pg_catalog.count(*) FROM {}").format(registry)).fetchone()
    return int(row[0]) if row else 0


@contextmanager
def _acting(connection: psycopg.Connection[Any], texts: Texts, release: str) -> Iterator[None]:
    """Do what a release does before and after its own steps, within the caller's transaction."""
    settings = {"release": release, "release_from": release, "contract": release}
    for name, value in settings.items():
        connection.execute("SELECT pg_catalog.set_config(%s, %s, true)", (f"{texts.project.schema}.{name}", value))
    for path in texts.project.begin:
        execute(connection, texts.text(release, path), f"{release}/{path}")
    for path in texts.project.checkers:
        _make_anew(connection, texts, path, texts.text(release, path))
    yield
    for path in texts.project.finish:
        execute(connection, texts.text(release, path), f"{release}/{path}")
