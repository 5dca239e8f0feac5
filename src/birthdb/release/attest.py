"""What a DBA does between releases: hold the database against its release, attest it anew, put back what drifted.

The contract asked is the one that the release fixed, never the one that the database keeps of itself. Specification: 7.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from birthdb import api, paths
from birthdb.release import CHECKERS, execute, manifest_sql
from birthdb.release.texts import BEGIN, CONTRACT, FINISH, GRANTS, MANIFEST, Texts, body_of

#: What writes the statements that repair.
_REPAIRERS = tuple(
    f"functions/fn_birth_contract_{name}.sql" for name in ("regrant", "recolumn", "reflag", "rerole", "repair")
)

_FOLDERS = {"gateway": "functions", "function": "functions", "procedure": "functions", "view": "views"}

_REPAIR: LiteralString = """
SELECT birth.fn_birth_contract_repair(%(kind)s, %(object)s, %(drift)s, %(wanted)s, %(live)s, %(added)s, %(removed)s,
                                      %(definition)s)
"""


class NotReleased(Exception):
    """The database has no release, or one that the installed files do not know; ``hint`` says what to do."""

    def __init__(self, message: str, hint: str) -> None:
        """Say what is and what to do."""
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True)
class Difference:
    """An object that is not as its release made it; ``drift`` as ``fn_birth_contract_compare`` has it."""

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


class Installed:
    """The releases that are installed with this package, and what each fixed."""

    def __init__(self, root: Path = paths.ROOT) -> None:
        """Read below ``root``."""
        self._texts = Texts(root)

    def text(self, release: str, path: str) -> str:
        """Return the file as the release left it. Raises NotReleased for a release that is not installed."""
        return self._known(release).text(release, path)

    def manifest(self, release: str) -> dict[str, Any]:
        """Return what the release fixed. Raises NotReleased for a release that is not installed."""
        return self._known(release).manifest(release)

    def query(self, release: str, name: str) -> str:
        """Return the query that is the body of a checker of the release."""
        body = body_of(self.text(release, f"functions/{name}.sql"), name) or ""
        query, end, _ = body.partition("RETURN QUERY\n")[2].partition(";\nEND;\n")
        assert end, f"{name} is not one query"
        return query

    def _known(self, release: str) -> Texts:
        if release not in self._texts.releases:
            raise NotReleased(f"release {release} is not among the installed ones", "install the birthdb that has it")
        return self._texts


def current(connection: psycopg.Connection[Any]) -> str:
    """Return the release that the database says it has. Raises NotReleased."""
    release = api.release(connection)
    if release is None:
        raise NotReleased("not released", "birthdb alembic upgrade head")
    return release


def contract(
    connection: psycopg.Connection[Any], release: str, installed: Installed | None = None
) -> dict[str, dict[str, Any]]:
    """Return the objects that the release fixed for this server, by "kind object": parts, exact, semantic.

    Raises NotReleased for a server that the release does not know.
    """
    installed = installed or Installed()
    manifest, major = installed.manifest(release), str(connection.info.server_version // 10000)
    if major not in manifest["servers"]:
        known = ", ".join(sorted(manifest["servers"]))
        raise NotReleased(
            f"release {release} was fixed for PostgreSQL {known}, not for {major}", "install a newer birthdb"
        )
    return objects_of(manifest, major)


def objects_of(manifest: Mapping[str, Any], major: str) -> dict[str, dict[str, Any]]:
    """Return the objects of a manifest as a server of that major writes them down, like fn_birth_contract_objects."""
    beside = {key: (entry, entry.get("on", {})) for key, entry in manifest["objects"].items()}
    return {
        key: on.get(major) or {part: value for part, value in entry.items() if part != "on"}
        for key, (entry, on) in beside.items()
    }


def differences(
    connection: psycopg.Connection[Any], release: str, installed: Installed | None = None
) -> list[Difference]:
    """Return what is not as the release made it; reads only, with the rights of birth_reader.

    Asks by the release's own query, sent as text, and not by the routines of the database. Raises NotReleased.
    """
    installed = installed or Installed()
    wanted = contract(connection, release, installed)
    live = installed.query(release, "fn_birth_contract_live").replace("p_rules", "'{}'::jsonb")
    compare = installed.query(release, "fn_birth_contract_compare")
    query = compare.replace("birth.fn_birth_contract_live(p_rules)", f"({live})").replace("p_wanted", "$1::jsonb")
    with connection.transaction(force_rollback=True):
        connection.execute(PINS)
        with psycopg.RawCursor(connection, row_factory=class_row(Difference)) as cursor:
            return [row for row in cursor.execute(query.encode(), [Jsonb(wanted)]) if row.drift != "ok"]


#: What the routines pin: each changes what the server writes down.
PINS: LiteralString = """
SET LOCAL search_path = pg_catalog, pg_temp; SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, MDY';
SET LOCAL intervalstyle = 'postgres'; SET LOCAL quote_all_identifiers = off; SET LOCAL extra_float_digits = 1;
SET LOCAL bytea_output = 'hex'; SET LOCAL standard_conforming_strings = on;
"""


def attest(connection: psycopg.Connection[Any]) -> int:
    """Record the contract of the present release for this server, once the database is shown to be that.

    After pg_upgrade or a restore into another major version, whose server writes definitions down otherwise. Returns
    how many objects were recorded anew; 0 when nothing differed. Raises what the database refuses: NB404 with what
    is not as released, NB410, NB414.
    """
    installed, release = Installed(), current(connection)
    with connection.transaction(), _acting(connection, installed, release):
        _contract(connection, installed, release)
        before = _recorded(connection)
    return _recorded(connection) - before


def repair(
    connection: psycopg.Connection[Any], *, harmless: bool = False, drop_data: bool = False, dry_run: bool = False
) -> list[tuple[Difference, str]]:
    """Put back what differs from the release, as birth_definer, and attest; all of it or nothing.

    Returns each difference with the statement that repaired it; with ``dry_run`` it is done all the same, locks
    included, and rolled back. What does not block apply, such as a grant to read, is left alone unless ``harmless``;
    a table or column that somebody added, unless ``drop_data``: its values would go. Raises NB404 when something
    cannot be put back, with what is left, and what the server said of each statement as a note.
    """
    installed, release = Installed(), current(connection)
    done: list[tuple[Difference, str]] = []
    refusals: dict[str, str] = {}
    with connection.transaction(force_rollback=dry_run), _acting(connection, installed, release):
        for path in _REPAIRERS:
            _make_anew(connection, path, installed.text(release, path))
        # One may need another first: again, as long as there is something that has not been sent.
        while sent := [
            (difference, text)
            for difference, text in _repairable(connection, installed, release, harmless=harmless)
            if (difference, text) not in done
            and (drop_data or not _drops_data(difference, text))
            and _send(connection, difference, text, refusals)
        ]:
            done += sent
        try:
            execute(connection, installed.text(release, GRANTS), f"{release}/{GRANTS}")
            _contract(connection, installed, release)
        except psycopg.Error as error:
            for refusal in refusals.values():
                error.add_note(refusal)
            raise
    return done


def _contract(connection: psycopg.Connection[Any], installed: Installed, release: str) -> None:
    """Refuse a database that is not what the release made."""
    execute(connection, manifest_sql(installed.manifest(release)), f"{release}/{MANIFEST}")
    execute(connection, installed.text(release, CONTRACT), f"{release}/{CONTRACT}")


def _drops_data(difference: Difference, text: str) -> bool:
    extra_table = difference.drift == "extra" and difference.kind == "table"
    return extra_table or (difference.kind == "table" and "DROP COLUMN" in text)


def _repairable(
    connection: psycopg.Connection[Any], installed: Installed, release: str, *, harmless: bool
) -> list[tuple[Difference, str]]:
    found = [row for row in differences(connection, release, installed) if row.blocks or harmless]
    return [(row, text) for row in found if (text := _statement(connection, installed, release, row))]


def _statement(
    connection: psycopg.Connection[Any], installed: Installed, release: str, difference: Difference
) -> str | None:
    definition = None
    if difference.wanted is not None and (folder := _FOLDERS.get(difference.kind)):
        file = installed.text(release, f"{folder}/{difference.object.partition('(')[0]}.sql")
        definition = file.rstrip().removesuffix(";")
    row = connection.execute(
        _REPAIR,
        vars(difference)
        | {
            "wanted": None if difference.wanted is None else Jsonb(difference.wanted),
            "live": None if difference.live is None else Jsonb(difference.live),
            "definition": definition,
        },
    ).fetchone()
    return row[0] if row else None


def _send(connection: psycopg.Connection[Any], difference: Difference, text: str, refusals: dict[str, str]) -> bool:
    """Send a statement as birth_definer, else as the login: what has another owner is not birth_definer's to alter.

    Returns whether it was sent; a mere comment says why nothing can be. What the server refused is noted.
    """
    if all(line.startswith("--") for line in text.splitlines()):
        refusals[difference.object] = text
        return False
    for role in ("birth_definer", "NONE"):
        try:
            with connection.transaction():
                execute(connection, f"SET LOCAL ROLE {role};\n{text}", "repair")
                connection.execute("SET LOCAL ROLE birth_definer")
        except psycopg.Error as error:
            refusals[difference.object] = f"{difference.object}: {error.diag.message_primary or error}"
            continue
        refusals.pop(difference.object, None)
        return True
    return False


def _make_anew(connection: psycopg.Connection[Any], path: str, text: str) -> None:
    """Make a checker; in the place of one that somebody else owns or has given another shape."""
    try:
        with connection.transaction():
            execute(connection, text, path)
    except psycopg.Error:
        drop = f"DROP ROUTINE IF EXISTS birth.{Path(path).stem};\n"
        execute(connection, drop + text, path)


def _recorded(connection: psycopg.Connection[Any]) -> int:
    """Return how many recordings of objects the registry holds; none before the release that brings it."""
    if "birth_gateway_release_registry" not in api.objects(connection):
        return 0
    row = connection.execute("SELECT pg_catalog.count(*) FROM birth.birth_gateway_release_registry").fetchone()
    return int(row[0]) if row else 0


@contextmanager
def _acting(connection: psycopg.Connection[Any], installed: Installed, release: str) -> Iterator[None]:
    """Do what a release does before and after its own steps, within the caller's transaction."""
    settings = {"release": release, "release_from": release, "contract": release}
    for name, value in settings.items():
        connection.execute("SELECT pg_catalog.set_config(%s, %s, true)", (f"birth.{name}", value))
    for path in BEGIN:
        execute(connection, installed.text(release, path), f"{release}/{path}")
    for path in CHECKERS:
        _make_anew(connection, path, installed.text(release, path))
    yield
    for path in FINISH:
        execute(connection, installed.text(release, path), f"{release}/{path}")
