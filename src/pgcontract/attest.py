"""What a DBA does between releases: hold the database against its release, attest it anew, put back what drifted.

The contract asked is the one that the release fixed, never the one that the database keeps of itself. Specification: 7.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from pgcontract.project import CONTRACT, GRANTS, MANIFEST, VERSION_TABLE_CHECK, Project
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
        project = texts.project
        emptied = f"a superuser sends DELETE FROM {project.schema}.{project.version_table}; then {project.repair}"
        super().__init__(
            f"release {release} is not among the installed ones: this {project.name} knows those up to {texts.head}",
            f"install the {project.name} that has {release}; where none has, {emptied}",
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
    with connection.transaction():
        execute(connection, texts.text(texts.head, VERSION_TABLE_CHECK), VERSION_TABLE_CHECK)
        found = _versions(connection, texts)
    return known(connection, texts, found)


def _versions(connection: psycopg.Connection[Any], texts: Texts) -> list[str]:
    named = sql.Identifier(texts.project.schema, texts.project.version_table)
    there = connection.execute("SELECT pg_catalog.to_regclass(%s)", (named.as_string(connection),)).fetchone()
    if there is None or there[0] is None:
        return []
    return [str(row[0]) for row in connection.execute(sql.SQL("SELECT v.version_num FROM {} AS v").format(named))]


def known(connection: psycopg.Connection[Any], texts: Texts, versions: list[str]) -> str:
    """Return the one release that the version table names. Raises NotReleased with what is there, and what to do."""
    if len(versions) == 1 and versions[0] in texts.releases:
        return versions[0]
    raise not_released(connection, texts, versions)


def not_released(
    connection: psycopg.Connection[Any], texts: Texts, versions: list[str], *, drifted: bool = False
) -> NotReleased:
    """Return what there is to say of a database that names no release that is known: its objects may be of one.

    ``drifted`` are objects that differ and that a transaction has repaired, but will not commit.
    """
    project = texts.project
    release = nearest(connection, texts)
    if release is None:
        return NotReleased("not released", f"{project.alembic} upgrade head")
    named = " and ".join(versions) or "no version"
    said = f"the schema holds the objects of {release}, and the version table {named}"
    if not drifted and not _blocking(connection, texts, release):
        return NotReleased(said, f"{project.alembic} stamp{' --purge' if versions else ''} {release}")
    if len(versions) == 1:
        return UnknownRelease(texts, versions[0])
    return NotReleased(f"{said}; some of them have drifted", project.repair)


def _blocking(connection: psycopg.Connection[Any], texts: Texts, release: str) -> list[Difference]:
    """Return what keeps the database from being the release, but for the version table."""
    found = differences(connection, texts, release)
    return [row for row in found if row.blocks and row.object.partition(".")[0] != texts.project.version_table]


def nearest(connection: psycopg.Connection[Any], texts: Texts, said: str | None = None) -> str | None:
    """Return the release whose objects the schema has, by their names alone; None where it has none of any release.

    Of releases with the same names it is the one that is ``said``, else the newest.
    """
    live = query(texts, texts.head, "live").replace("p_rules", "'{}'::jsonb")
    with connection.transaction(force_rollback=True):
        connection.execute(PINS)
        there = {f"{row[0]} {row[1]}" for row in connection.execute(f"SELECT l.* FROM ({live}) l".encode())}
    # These are there before the first release, and after the last way back.
    beside = re.compile(rf"(role|schema) .*|\w+ {texts.project.version_table}([.].*)?")
    objects = {
        release: {key for key in contract(connection, texts, release) if not beside.fullmatch(key)}
        for release in reversed(list(texts.releases))
    }
    there &= set().union(*objects.values())
    return min(objects, key=lambda release: (len(objects[release] ^ there), release != said)) if there else None


def contract(connection: psycopg.Connection[Any], texts: Texts, release: str) -> dict[str, dict[str, Any]]:
    """Return the objects that the release fixed for this server, by "kind object": parts, exact, semantic.

    Raises NotReleased for a release that is not among the texts, and for a server that it does not know.
    """
    installed(texts, release)
    manifest, major = texts.manifest(release), str(connection.info.server_version // 10000)
    if major not in manifest["servers"]:
        majors = ", ".join(sorted(manifest["servers"]))
        raise NotReleased(
            f"release {release} was fixed for PostgreSQL {majors}, not for {major}",
            f"install a newer {texts.project.name}",
        )
    return objects_of(manifest, major)


def installed(texts: Texts, release: str) -> None:
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
    installed(texts, release)
    with explained(connection, texts.project), connection.transaction(), _acting(connection, texts, release):
        _contract(connection, texts, release)
        before = _recorded(connection, texts)
    return _recorded(connection, texts) - before


def repair(
    connection: psycopg.Connection[Any],
    texts: Texts,
    *,
    harmless: bool = False,
    drop_data: bool = False,
    dry_run: bool = False,
    left: dict[str, str] | None = None,
) -> list[tuple[Difference, str]]:
    """Put back what differs from the present release, as the owner, and attest; all of it or nothing.

    What has lost its owner gets it back first, and the version table its shape, before anything is read or made.

    Returns each difference with the statement that repaired it; with ``dry_run`` it is done all the same, locks
    included, and rolled back. What does not block apply, such as a grant to read, is left alone unless ``harmless``;
    a table or column that somebody added, unless ``drop_data``: its values would go. What was asked for, does not block
    and could not be put back is added to ``left``, by object with the reason. Raises the error of drift
    when something cannot be put back, with what is left, and what the server said of each statement as a note; where
    only a right of the login was missing, the statement too, for a superuser to send first. Raises NotReleased where
    the version is not that of the objects, by which what a later release made would be taken for somebody's.
    """
    refusals: dict[str, str] = {}
    rights: dict[str, str] = {}
    with explained(connection, texts.project), connection.transaction(force_rollback=dry_run):
        release, done = _regain(connection, texts, drop_data=drop_data)
        _hold_version(connection, texts, release)
        with _acting(connection, texts, release, entered=True):
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
                    _note(error, rights.values())
                raise
    if left is not None:
        left |= {name: f"{said}; a superuser may" if name in rights else said for name, said in refusals.items()}
    return done


def _note(error: Exception, statements: Iterable[str]) -> None:
    error.add_note("SET search_path = pg_catalog, pg_temp;")
    for text in statements:
        error.add_note(f"{text.rstrip().rstrip(';')};")


def _regain(
    connection: psycopg.Connection[Any], texts: Texts, *, drop_data: bool
) -> tuple[str, list[tuple[Difference, str]]]:
    """Enter as a release does, and give everything back to the owner of the schema: what is of another role may run it.

    Returns the release, and each difference with the statement that repaired it: roles, owners, the version table.
    """
    project = texts.project
    release = nearest(connection, texts)
    if release is None:
        raise not_released(connection, texts, [])
    before = differences(connection, texts, release)
    # These are made anew, of whomever they are.
    anew = {Path(path).stem for path in (*project.checkers, *project.repairers)}
    lost = [
        (row, text)
        for row in before
        if row.object.partition("(")[0] not in anew and (text := _owner(project, row)) is not None
    ]
    connection.execute("SELECT pg_catalog.set_config(%s, 'on', true)", (f"{project.schema}.repairs",))
    refusals: dict[str, str] = {}
    rights: dict[str, str] = {}
    try:
        for path in project.opening:
            execute(connection, texts.text(release, path), f"{release}/{path}")
        for row, text in lost:
            if row.kind != "schema":
                _send(connection, texts, row, text, refusals, rights)
        if rights:
            _refuse(connection, project, f"{len(rights)} objects belong to other roles")
    except psycopg.Error as error:
        if lost and error.sqlstate == project.errors["privilege"]["code"]:
            for owner in sorted({str((row.live or {})["owner"]) for row, _ in lost}):
                objects = [f"{row.kind} {row.object}" for row, _ in lost if (row.live or {})["owner"] == owner]
                error.add_note(f"of {owner}, not of {project.owner}: {', '.join(objects)}")
            error.add_note("a superuser repairs, or sends this first:")
            _note(error, (text for _, text in lost))
        raise
    done = [*_roles(before, differences(connection, texts, release)), *lost]
    return _version(connection, texts, release, done, drop_data=drop_data), done


def _owner(project: Project, row: Difference) -> str | None:
    """Return the statement that gives an object of the release back to the owner of the schema."""
    if row.wanted is None or row.live is None or row.live.get("owner") in (None, project.owner, *project.lent):
        return None
    if row.kind == "schema":
        return f"ALTER SCHEMA {row.object} OWNER TO {project.owner}"
    routine = row.kind in ("function", "procedure", *project.special)
    kind = "ROUTINE" if routine else "TABLE" if row.kind == "view" else row.kind.upper()
    return f"ALTER {kind} {project.schema}.{row.object} OWNER TO {project.owner}"


def _refuse(connection: psycopg.Connection[Any], project: Project, detail: str) -> None:
    error = project.errors["privilege"]
    raised = sql.SQL("BEGIN RAISE EXCEPTION USING ERRCODE = {}, MESSAGE = {}, DETAIL = {}, HINT = {}; END").format(
        *map(sql.Literal, (error["code"], error["message"], detail, f"as a superuser: {project.repair}"))
    )
    connection.execute(sql.SQL("DO {}").format(sql.Literal(raised.as_string(connection))))


def _roles(before: list[Difference], after: list[Difference]) -> Iterator[tuple[Difference, str]]:
    """Yield what ``roles.sql`` has put back: the roles and their memberships."""
    left = {row.object: row for row in after if row.kind == "role"}
    for row in before:
        if row.kind != "role":
            continue
        now = left.get(row.object)
        made = [f"CREATE ROLE {row.object} NOLOGIN"] if row.live is None else []
        granted = [role for role in row.removed or () if now is None or role not in (now.removed or ())]
        if text := "; ".join([*made, *(f"GRANT {role} TO {row.object}" for role in granted)]):
            yield row, text


def _version(
    connection: psycopg.Connection[Any],
    texts: Texts,
    release: str,
    done: list[tuple[Difference, str]],
    *,
    drop_data: bool,
) -> str:
    """Return the release that the version table names.

    What cannot be read safely is never read: the table is made anew, with the release of the objects. So is a version
    that ``stamp`` would not write, because an object has drifted. Adds to ``done``. Raises NotReleased.
    """
    project = texts.project
    table = f"{project.schema}.{project.version_table}"
    try:
        with connection.transaction():
            execute(connection, texts.text(release, VERSION_TABLE_CHECK), VERSION_TABLE_CHECK)
    except psycopg.Error as error:
        fault = (error.diag.message_detail or "").rpartition(": ")[2]
        text = _drop(connection, texts, _found(project, fault), error, drop_data=drop_data)
        execute(connection, texts.text(release, project.opening[-1]), project.opening[-1])
    else:
        versions = _versions(connection, texts)
        if len(versions) == 1 and versions[0] in texts.releases:
            return versions[0]
        # What was given back a moment ago kept stamp from writing the version.
        drifted = any(row.blocks for row, _ in done) or bool(_blocking(connection, texts, release))
        if len(versions) == 1 or not drifted:
            raise not_released(connection, texts, versions, drifted=drifted)
        fault, text = " and ".join(versions) or "no version", f"DELETE FROM {table}"
        execute(connection, text, "repair")
    written = f"INSERT INTO {table} VALUES ('{release}')"
    execute(connection, written, "repair")
    done.append((_found(project, fault), f"{text}; {written}"))
    return release


def _found(project: Project, fault: str) -> Difference:
    """Return what is the matter with the version table."""
    return Difference("table", project.version_table, "state", True, None, None, [fault], None, None)


#: How a table is dropped that nothing else may go with; whether somebody added a column.
_DROP: LiteralString = """
SELECT coalesce((
         SELECT string_agg(t.text, '; ' ORDER BY t.text) FROM (
           SELECT format(CASE WHEN k.relispartition THEN 'ALTER TABLE %2$s DETACH PARTITION %1$s'
                           ELSE 'ALTER TABLE %1$s NO INHERIT %2$s' END, k.oid::regclass, c.oid::regclass) AS text
           FROM pg_inherits h JOIN pg_class k ON k.oid = h.inhrelid WHERE h.inhparent = c.oid
           UNION ALL
           SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', f.conrelid::regclass, f.conname)
           FROM pg_constraint f WHERE f.confrelid = c.oid AND f.contype = 'f' AND f.conrelid <> c.oid
         ) t) || '; ', '')
       || format('DROP %s %s', CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
                   WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::regclass),
       EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                 AND a.attname <> 'version_num')
FROM pg_class c WHERE c.oid = to_regclass($1)
"""


def _drop(
    connection: psycopg.Connection[Any], texts: Texts, row: Difference, error: psycopg.Error, *, drop_data: bool
) -> str:
    """Drop the version table unread: what somebody attached to it would run. Returns the statements, or raises."""
    with psycopg.RawCursor(connection) as cursor:
        found = cursor.execute(_DROP, (f"{texts.project.schema}.{texts.project.version_table}",)).fetchone()
    text, values = found or ("", False)
    refusals: dict[str, str] = {}
    if values and not drop_data:
        error.add_note("a column that somebody added goes with its values, and only if asked to drop data")
        raise error
    if not _send(connection, texts, row, text, refusals, {}):
        for refusal in refusals.values():
            error.add_note(refusal)
        raise error
    return text


def _hold_version(connection: psycopg.Connection[Any], texts: Texts, release: str) -> None:
    """Refuse a version that is older than the tables: to the release they are somebody's, and would be dropped."""
    found = differences(connection, texts, release)
    extra = {f"{row.kind} {row.object}" for row in found if (row.kind, row.drift) == ("table", "extra")}
    releases, by_name = list(texts.releases), nearest(connection, texts, release)
    for later in releases[: releases.index(release) : -1]:
        theirs = sorted(extra & contract(connection, texts, later).keys())
        if theirs or later == by_name:
            raise NotReleased(
                f"the version table says {release}, and {', '.join(theirs) or 'the objects'} are of a later release",
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
    found = [row for row in differences(connection, texts, release) if row.blocks or harmless or _takes_away(row)]
    return [(row, text) for row in found if (text := _statement(connection, texts, release, row))]


def _takes_away(difference: Difference) -> bool:
    """Whether somebody lacks what the release gave, and has nothing beyond it."""
    left = difference.kind == "role" and (difference.live or {}).get("configuration") == ["NOINHERIT"]
    return left or (difference.drift == "privileges" and bool(difference.removed) and not difference.added)


def _statement(connection: psycopg.Connection[Any], texts: Texts, release: str, difference: Difference) -> str | None:
    definition = None
    if difference.wanted is not None and difference.kind in {"view", "function", "procedure", *texts.project.special}:
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
                # A text of several lines is a file's, and known by its name.
                if "\n" not in text.strip():
                    refusals[difference.object] += f", by {text.strip().rstrip(';')}"
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
def _acting(
    connection: psycopg.Connection[Any], texts: Texts, release: str, *, entered: bool = False
) -> Iterator[None]:
    """Do what a release does before and after its own steps, within the caller's transaction, which has ``entered``."""
    servers = " ".join(sorted(texts.manifest(release)["servers"]))
    settings = {"release": release, "release_from": release, "contract": release, "servers": servers}
    for name, value in settings.items():
        connection.execute("SELECT pg_catalog.set_config(%s, %s, true)", (f"{texts.project.schema}.{name}", value))
    for path in texts.project.begin[len(texts.project.opening) * entered :]:
        execute(connection, texts.text(release, path), f"{release}/{path}")
    for path in texts.project.checkers:
        _make_anew(connection, texts, path, texts.text(release, path))
    yield
    for path in texts.project.finish:
        execute(connection, texts.text(release, path), f"{release}/{path}")
