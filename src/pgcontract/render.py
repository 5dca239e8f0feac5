"""The package's own SQL, written for a project: its routines, and what a release runs first and last.

A template of ``pgcontract/sql/`` becomes an ordinary file of the project's ``sql/``, so that sums, linters and loading
read it like every other file. A file that does not say that it is generated is the project's own, and stays.
"""

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

from pgcontract.files import publish
from pgcontract.project import Project

_TEMPLATES = Path(__file__).parent / "sql"
_HEAD = "-- Generated from pgcontract/sql/"
_WIDTH = 120

#: Routines that some role may call, and those that only the others call.
_PUBLIC = ("live", "compare", "objects", "drift", "token", "hash")
_INTERNAL = ("record", "repair", "regrant", "recolumn")
_RELEASE = ("begin", "enter", "version_table", "from", "prepare", "evidence", "contract", "leave")


def files(project: Project) -> Iterator[tuple[Path, str]]:
    """Yield each generated file, where it is or belongs, with the text that it should have."""
    for template, place in _places(project):
        kept = sorted((project.root / "sql" / place.parts[0]).rglob(place.name))
        file = kept[0] if kept else project.root / "sql" / place
        if not file.is_file() or file.read_text(encoding="utf-8").startswith(_HEAD):
            yield file, _filled(project, template)


def render(project: Project) -> list[Path]:
    """Write the generated files that differ; return which."""
    return publish(
        project.root, {file.relative_to(project.root).as_posix(): text.encode() for file, text in files(project)}
    )


def stale(project: Project) -> list[Path]:
    """Return the generated files that are not what the package writes."""
    return [file for file, text in files(project) if not file.is_file() or file.read_text(encoding="utf-8") != text]


def _places(project: Project) -> Iterator[tuple[str, Path]]:
    functions = Path("functions", "contract")
    for name in _PUBLIC:
        yield name, functions / f"{project.prefix}{name}.sql"
    for name in _INTERNAL:
        yield name, functions / "internal" / f"{project.prefix}{name}.sql"
    for name in _RELEASE:
        yield name, Path("release", f"{name}.sql")
    yield "record_contract", Path("release", "record.sql")
    yield "registry", Path("tables", "contract", f"{project.registry}.sql")
    yield "rules", Path("tables", "contract", f"{project.rules}.sql")
    yield "recorded", Path("views", "contract", f"{project.recorded}.sql")


def _filled(project: Project, template: str) -> str:
    text = (_TEMPLATES / f"{template}.sql").read_text(encoding="utf-8")
    values = _values(project)
    filled = re.sub(r"@([a-z_]+(?:\.[a-z]+)?)@", lambda found: values[found[1]], text)
    lines = "\n".join(_folded(line) for line in filled.split("\n"))
    return f"{_HEAD}{template}.sql by {project.command} render: edit that, or contract.toml.\n{lines}"


def _values(project: Project) -> dict[str, str]:
    kinds = [f"'{kind}'" for kind in project.special]
    owners = (project.owner, *project.lent)
    values = {
        "schema": project.schema,
        "owner": project.owner,
        "releaser": project.releaser,
        "reader": project.reader,
        "owners": ", ".join(owners),
        "owners_quoted": ", ".join(f"'{owner}'" for owner in owners),
        "lent": ",".join(project.lent),
        "referenced": ",".join(project.referenced),
        "roles": textwrap.fill(", ".join(project.roles), 110).replace("\n", "\n      "),
        "role_prefix": project.role_prefix,
        "prefix": project.prefix,
        "registry": project.registry,
        "recorded": project.recorded,
        "rules": project.rules,
        "version_table": project.version_table,
        "alembic": project.alembic,
        "repair": project.repair,
        "see": f" {project.see}" if project.see else "",
        # Where the name begins in "schema.name(arguments)".
        "after_schema": str(len(project.schema) + 2),
        "function_kinds": ", ".join([*kinds, "'function'"]),
        "routine_kinds": ", ".join([*kinds, "'function'", "'procedure'"]),
        "routine_kind": textwrap.fill(project.kind_of("p"), 100, subsequent_indent=" " * 16),
    }
    for name, error in project.errors.items():
        values |= {f"{name}.{part}": text.replace("'", "''") for part, text in error.items()}
    return values


def _folded(line: str) -> str:
    """Return a line with a long string as two literals: SQL joins them."""
    found = re.fullmatch(r"( *(?:[A-Z]+ = )?)'([^']*)';", line)
    if len(line) <= _WIDTH or found is None:
        return line
    indent = " " * len(found[1])
    parts = textwrap.wrap(found[2], _WIDTH - len(indent) - 3)
    return f"{found[1]}'" + f" '\n{indent}'".join(parts) + "';"
