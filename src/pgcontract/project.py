"""What differs between two projects: schema, roles, names, commands. Read from ``sql/contract.toml``.

README.md describes every key. What is not given has a default that follows from ``schema``.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from alembic.util import CommandError

FILE = Path("sql") / "contract.toml"

#: Files that every release runs, beside those that a project names as ``before`` and ``after``.
PREPARE = "release/prepare.sql"
EVIDENCE = "release/evidence.sql"
GRANTS = "grants.sql"
CONTRACT = "release/contract.sql"
#: Asks the catalogue alone whether Alembic's table may be read, by any login.
VERSION_TABLE_CHECK = "release/version_table.sql"
ORDER = "order.txt"
MANIFEST = "manifest"

#: The kinds that are no routines.
TABLES = frozenset(
    ("table", "view", "constraint", "index", "trigger", "rule", "policy", "statistics", "schema", "role", "claim")
)

#: What a release raises where a project says nothing else.
ERRORS: Mapping[str, Mapping[str, str]] = {
    "drift": {
        "code": "PC404",
        "message": "the schema does not match its release",
        "hint": "the release was rolled back; repair what the detail names; if the script is old, generate it again",
    },
    "releasing": {
        "code": "PC406",
        "message": "another release holds the lock of the schema",
        "hint": "wait until it has ended, then look at what the database is at now: alembic current",
    },
    "busy": {
        "code": "PC407",
        "message": "another session holds the release lock",
        "hint": "wait until it has ended, then release",
    },
    "kept": {
        "code": "PC409",
        "message": "the downgrade would drop rows or values",
        "hint": "save the rows and delete them, save the values and set them to their default, or stay at this release",
    },
    "privilege": {"code": "PC410", "message": "the login lacks a privilege that a release needs"},
    "order": {
        "code": "PC411",
        "message": "the database is at a different release",
        "hint": "another release may have come first: see alembic current; generate a script again from that release",
    },
    "server": {
        "code": "PC414",
        "message": "the release has no contract for this server version",
        "hint": "release on a server version that the contract was measured on, or measure it on this one",
    },
}

_NAME = re.compile(r"[a-z_][a-z0-9_]*")


class SourceError(CommandError):
    """The sources contradict each other; the message ends with what to do."""


@dataclass(frozen=True)
class Project:
    """A directory with ``sql/`` and ``migrations/``, and what the contract has to know of it."""

    root: Path
    #: The schema that a release makes and holds.
    schema: str
    #: The role that owns the schema and every object; a release makes them as this role.
    owner: str
    #: The role whose members release; ``<schema>_dba`` unless said.
    releaser: str = ""
    #: The role that may read the version table; ``<schema>_reader`` unless said.
    reader: str = ""
    #: Further roles that own routines. A release makes the owner a member of them until it ends.
    lent: tuple[str, ...] = ()
    #: The roles that the contract holds, with attributes and memberships; owner, releaser, reader and lent unless said.
    roles: tuple[str, ...] = ()
    #: A further schema, with the functions of the project's own event triggers; those of ``schema`` unless said.
    guard: str = ""
    #: Tables that foreign keys from elsewhere may refer to.
    referenced: tuple[str, ...] = ()
    #: The start of the names of the project's roles; ``<schema>_`` unless said.
    role_prefix: str = ""
    #: Part of every semantic hash, so that the hashes of two projects cannot be confused.
    name: str = ""
    #: The start of the names of the contract's own routines.
    prefix: str = "contract_"
    version_table: str = "alembic_version"
    #: The table that keeps what each release recorded, the view of what is in force, and the table of view rules.
    registry: str = "contract_registry"
    recorded: str = "contract_recorded"
    rules: str = "contract_rules"
    #: How a user calls this package's commands, for hints.
    command: str = "python -m pgcontract"
    #: How a user calls Alembic for this project, for hints.
    alembic: str = "alembic"
    #: How a user repairs the database, for hints.
    repair: str = "attest.repair"
    #: What runs before and after the steps of every release, beside the package's own files.
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    #: What a release raises: code, message and hint of drift, releasing, busy, kept, privilege, order and server.
    errors: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    #: What ends every COMMENT, such as where it is specified.
    see: str = ""
    #: Kinds of their own in the contract, each with the routines that are of it.
    special: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def read(cls, root: Path) -> "Project":
        """Read ``sql/contract.toml`` below a directory. Raises SourceError for a key or name that cannot be."""
        try:
            given = tomllib.loads((root / FILE).read_text(encoding="utf-8"))
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise SourceError(f"{FILE.as_posix()} cannot be read: {error}") from error
        known = {one.name for one in fields(cls)} - {"root"}
        if unknown := given.keys() - known:
            raise SourceError(f"{FILE.as_posix()}: unknown keys: {', '.join(sorted(unknown))}")
        if missing := {"schema", "owner"} - given.keys():
            raise SourceError(f"{FILE.as_posix()}: say {', '.join(sorted(missing))}")
        return cls(root, **{key: _fixed(value) for key, value in given.items()})

    def __post_init__(self) -> None:
        """Refuse names that SQL would have to quote; a project is named after its schema unless it says otherwise."""
        roles = {"releaser": f"{self.schema}_dba", "reader": f"{self.schema}_reader", "role_prefix": f"{self.schema}_"}
        for key, value in {"name": self.schema, **roles}.items():
            object.__setattr__(self, key, getattr(self, key) or value)
        object.__setattr__(self, "roles", self.roles or (self.owner, *self.lent, self.releaser, self.reader))
        errors = {name: {**ERRORS[name], **self.errors.get(name, {})} for name in ERRORS}
        object.__setattr__(self, "errors", errors)
        if unknown := set(self.special) & TABLES | self.errors.keys() - ERRORS.keys():
            raise SourceError(f"{FILE.as_posix()}: not for kinds or errors: {', '.join(sorted(unknown))}")
        tables = (self.version_table, *self.referenced)
        for name in (self.schema, self.owner, self.prefix, *tables, *self.roles, *self.lent):
            if not _NAME.fullmatch(name):
                raise SourceError(f"{FILE.as_posix()}: not a plain name: {name!r}")

    @property
    def opening(self) -> tuple[str, ...]:
        """What makes the session that of the owner; the last also makes a version table that is missing."""
        return "release/begin.sql", "roles/roles.sql", "release/enter.sql"

    @property
    def begin(self) -> tuple[str, ...]:
        """What every release runs before its own steps."""
        return (*self.opening, VERSION_TABLE_CHECK, "release/from.sql", *self.before)

    @property
    def finish(self) -> tuple[str, ...]:
        """What every release runs after its own steps, its grants and its contract."""
        return (*self.after, "release/record.sql", "release/leave.sql")

    @property
    def common(self) -> tuple[str, ...]:
        """Every file that each release reads, whatever its steps are."""
        return (*self.begin, PREPARE, EVIDENCE, GRANTS, CONTRACT, *self.finish)

    def routines(self, *names: str) -> tuple[str, ...]:
        """Return the files of some of the contract's own routines."""
        return tuple(f"functions/{self.prefix}{name}.sql" for name in names)

    @property
    def checkers(self) -> tuple[str, ...]:
        """What answers whether the database is what a release says; made anew from its texts before it is asked."""
        return self.routines("live", "compare", "objects")

    @property
    def repairers(self) -> tuple[str, ...]:
        """What writes the statements that repair."""
        return self.routines("regrant", "recolumn", "repair")

    @property
    def dumped(self) -> tuple[str, ...]:
        """The options with which pg_dump writes the schema without Alembic's table."""
        return f"--schema={self.schema}", f"--exclude-table={self.schema}.{self.version_table}"

    @property
    def start(self) -> str:
        """The command that starts the next release."""
        return f"{self.command} start NAME -m 'what it brings'"

    @property
    def measure(self) -> str:
        """The command that takes edits into the releases that are not declared."""
        return f"{self.command} measure"

    @property
    def check(self) -> str:
        """The command that says whether sources and releases agree, and what repairs them."""
        return f"{self.command} check"

    def kind_of(self, routine: str) -> str:
        """Return an SQL expression for the kind of a routine whose row of pg_proc is ``routine``."""
        lists = {kind: ", ".join(f"'{name}'" for name in names) for kind, names in self.special.items()}
        special = "".join(f"WHEN {routine}.proname IN ({names}) THEN '{kind}' " for kind, names in lists.items())
        return f"CASE {special}WHEN {routine}.prokind = 'p' THEN 'procedure' ELSE 'function' END"


def _fixed(value: Any) -> Any:
    """Return a value of TOML that cannot change."""
    if isinstance(value, list):
        return tuple(value)
    if isinstance(value, dict):
        return {key: _fixed(entry) for key, entry in value.items()}
    return value
