"""``python -m birthdb.release.lint``: the linters of SQL and pages; what they may say stands here, with the reason.

pgspot needs a pglast of its own (``constraints-pgspot.txt``), so it is a program beside this environment.
"""

import os
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from birthdb import paths
from pgcontract import lint
from pgcontract.lint import script, upgrades
from pgcontract.sources import Sources

__all__ = [
    "broken_links",
    "findings_in_sql",
    "main",
    "pages",
    "pgspot",
    "pgspot_program",
    "script",
    "squawk",
    "too_long",
    "upgrades",
]

#: The program, when it is not in an environment of its own below this one.
PGSPOT = "BIRTHDB_PGSPOT"

#: What pgspot says and why it may: code, object, reason. Anything else fails.
PGSPOT_EXCEPTIONS: Sequence[tuple[str, str, str]] = tuple(
    ("PS005", f"birth.{procedure}", "a procedure that COMMITs can have no SET clause: it qualifies everything itself")
    for procedure in (
        "sp_birth_run_drive",
        "sp_dot_birth_qt001_apply",
        "sp_dot_birth_qt001_compensate",
        "sp_dot_birth_qt006_apply",
    )
)

#: squawk's rules that do not hold here, and why.
SQUAWK_EXCEPTIONS: dict[str, str] = {
    "require-statement-timeout": "a release bounds what it waits for (lock_timeout), not how long it works",
    "prefer-robust-stmts": "a release is one transaction and knows where it starts (NB411): half of it is never there",
    "prefer-bigint-over-int": "batch sizes and pauses in milliseconds, integer in the fixed signatures",
    "ban-drop-function": "a release drops only routines that nothing outside may call, and never CASCADE",
    "prefer-text-field": "Alembic's version table, whose shape is Alembic's",
}

#: Where lines end. A row of a Markdown table cannot be broken, and a generated file has the lines of its source.
WIDTH = 120
GENERATED = (Path("docs/reference/objects.md"), Path("sql/functions/core/fn_birth_error.sql"))


def pgspot_program() -> Path:
    """Return where pgspot is: ``BIRTHDB_PGSPOT``, else ``pgspot/bin/pgspot`` in this virtual environment."""
    return Path(os.environ.get(PGSPOT) or Path(sys.prefix) / "pgspot" / "bin" / "pgspot")


def pgspot(text: str) -> list[str]:
    """Return what pgspot finds in a script, without the exceptions above."""
    return lint.pgspot(text, pgspot_program(), PGSPOT_EXCEPTIONS)


def squawk(text: str, *, name: str = "stdin") -> list[str]:
    """Return what squawk finds in a release's script, without the rules above."""
    return lint.squawk(text, SQUAWK_EXCEPTIONS, name=name)


def pages(root: Path) -> Iterable[Path]:
    """Yield the Markdown pages of a checkout, relative to it."""
    for pattern in ("*.md", "docs/**/*.md", "sql/*.md", "src/**/*.md", "migrations/*.md", "tests/**/*.md"):
        yield from (path.relative_to(root) for path in sorted(root.glob(pattern)))


def statements(root: Path) -> Iterable[Path]:
    """Yield the SQL that people edit, relative to a checkout; a superseded text stays as it was."""
    for pattern in ("sql/**/*.sql", "src/**/*.sql"):
        yield from (path.relative_to(root) for path in sorted(root.glob(pattern)))


def too_long(root: Path, files: Iterable[Path]) -> list[str]:
    """Return the lines that end behind column ``WIDTH``, but for rows of Markdown tables and generated files."""
    return [
        f"{file}:{number}: {len(line)} columns, {WIDTH} at most"
        for file in files
        if file not in GENERATED
        for number, line in enumerate((root / file).read_text(encoding="utf-8").split("\n"), 1)
        if len(line) > WIDTH and not (file.suffix == ".md" and line.lstrip().startswith("|"))
    ]


def broken_links(root: Path, files: Iterable[Path]) -> list[str]:
    """Return the links of pages that lead to no file of the checkout."""
    return [
        f"{file}: no {link}"
        for file in files
        for link in re.findall(r"\]\(([^)\s:#']+)(?:#[^)]*)?\)", (root / file).read_text(encoding="utf-8"))
        if not (root / file.parent / link).exists()
    ]


def findings_in_sql(sources: Sources) -> list[str]:
    """Return what the linters find in the SQL of a checkout; pgspot is not asked where it is not installed."""
    findings = pgspot(script(sources)) if pgspot_program().is_file() else []
    for release, text in upgrades(sources):
        findings += squawk(text, name=f"{release}.sql")
    return findings + too_long(sources.root, statements(sources.root))


def main() -> int:
    """Print what the linters find; 1 when they find anything, 3 when one is not there."""
    sources = Sources(paths.ROOT)
    if not pgspot_program().is_file():
        print(f"there is no {pgspot_program()}: make lint, or set {PGSPOT}", file=sys.stderr)
        return 3
    findings = findings_in_sql(sources)
    findings += too_long(sources.root, pages(sources.root))
    findings += broken_links(sources.root, pages(sources.root))
    print("\n".join(findings) or f"{len(sources.releases)} releases and all pages: nothing found")
    return int(bool(findings))


if __name__ == "__main__":
    sys.exit(main())
