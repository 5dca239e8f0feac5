"""``python -m birthdb.release.lint``: the linters of SQL and pages; what they may say stands here, with the reason.

pgspot looks for unpinned search paths, unqualified operators and definer routines without a path; it reads ``sql/`` as
one script in load order, because that is how the search path is pinned. squawk looks for statements that lock or scan;
it reads each release's script as ``alembic upgrade --sql`` writes it, so that nothing made by an earlier release counts
as new. pgspot needs a pglast of its own (``constraints-pgspot.txt``), so it is a program beside this environment.
"""

import io
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from alembic import command
from alembic.config import Config

from birthdb import paths
from birthdb.release.sources import Sources
from birthdb.release.texts import BEGIN, FINISH

#: The program, when it is not in an environment of its own below this one.
PGSPOT = "BIRTHDB_PGSPOT"

#: What pgspot says and why it may: code, object, reason. Anything else fails.
PGSPOT_EXCEPTIONS: Sequence[tuple[str, str, str]] = tuple(
    ("PS005", f"birth.{procedure}", "a procedure that COMMITs can have no SET clause: it qualifies everything itself")
    for procedure in ("sp_birth_run_drive", "sp_dot_birth_qt001_apply", "sp_dot_birth_qt001_compensate")
)

#: squawk's rules that do not hold here, and why.
SQUAWK_EXCEPTIONS: dict[str, str] = {
    "require-statement-timeout": "a release bounds what it waits for (lock_timeout), not how long it works",
    "prefer-robust-stmts": "a release is one transaction and knows where it starts (NB411): half of it is never there",
    "prefer-bigint-over-int": "batch sizes and pauses in milliseconds, integer in the fixed signatures",
    "ban-drop-function": "a release drops only routines that nothing outside may call, and never CASCADE",
    "prefer-text-field": "Alembic's version table, whose shape is Alembic's",
}

#: Where lines end. A row of a Markdown table cannot be broken, and a generated page has the lines of its source.
WIDTH = 120
GENERATED = (Path("docs/reference/objects.md"),)

_SAID = re.compile(r"(?P<code>PS\d+): (?P<what>.*) at line (?P<line>\d+)")


def pgspot_program() -> Path:
    """Return where pgspot is: ``BIRTHDB_PGSPOT``, else ``pgspot/bin/pgspot`` in this virtual environment."""
    return Path(os.environ.get(PGSPOT) or Path(sys.prefix) / "pgspot" / "bin" / "pgspot")


def script(sources: Sources) -> str:
    """Return ``sql/`` as one script in load order, as pgspot reads it: enter.sql makes the schema unless it is ours."""
    parts = ["CREATE SCHEMA birth;"]
    parts += [(sources.sql / path).read_text(encoding="utf-8") for path in BEGIN]
    parts += dict(sources.loading()).values()
    parts += [(sources.sql / path).read_text(encoding="utf-8") for path in ("grants.sql", *FINISH)]
    text = "\n".join(parts)
    # Its parser of PL/pgSQL knows no row type of ours; for what it looks for, a record is the same.
    tables = "|".join(sorted(set(re.findall(r"^CREATE TABLE birth\.(\w+)", text, re.MULTILINE))))
    return re.sub(rf"^(  \w+) birth\.(?:{tables});$", r"\1 record;", text, flags=re.MULTILINE)


def pgspot(text: str) -> list[str]:
    """Return what pgspot finds in a script, without the exceptions; an exception that it no longer finds is one too."""
    done = subprocess.run([pgspot_program()], input=text, capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    if not lines or not lines[-1].lstrip().startswith("Errors:"):
        # It gives up at what it cannot parse, and that is a finding, not a pass.
        return [f"pgspot gave up: {line}" for line in [*lines, *done.stderr.splitlines()] or ["it said nothing"]]
    findings, met = [], set()
    for line in lines[:-1]:
        said = _SAID.fullmatch(line)
        excepted = next((one for one in PGSPOT_EXCEPTIONS if said and said["code"] == one[0] and one[1] in line), None)
        if excepted:
            met.add(excepted)
        else:
            findings.append(line)
    return findings + [f"{one[0]} {one[1]}: excepted, and not found" for one in PGSPOT_EXCEPTIONS if one not in met]


def upgrades(sources: Sources) -> Iterable[tuple[str, str]]:
    """Yield every release with the script of its upgrade."""
    before = "base"
    for release in sources.releases:
        written = io.StringIO()
        config = Config(paths.ALEMBIC_INI, output_buffer=written)
        config.attributes.update(url="postgresql://nowhere", configure_logger=False)
        command.upgrade(config, f"{before}:{release}", sql=True)
        yield release, written.getvalue()
        before = release


def squawk(text: str, *, name: str = "stdin") -> list[str]:
    """Return what squawk finds in a release's script."""
    excluded = [word for rule in SQUAWK_EXCEPTIONS for word in ("--exclude", rule)]
    program = str(Path(sys.executable).parent / "squawk")
    done = subprocess.run(
        [program, "--pg-version", "14.0", "--reporter", "Gcc", "--stdin-filepath", name, *excluded],
        input=re.sub(r"^\\.*$", "", text, flags=re.MULTILINE),
        capture_output=True,
        text=True,
        check=False,
    )
    findings = done.stdout.splitlines()
    if done.returncode not in (0, 1) or bool(findings) != bool(done.returncode):
        return [f"{name}: squawk gave up: {done.stderr.strip() or done.stdout.strip()}"]
    return findings


def pages(root: Path) -> Iterable[Path]:
    """Yield the Markdown pages of a checkout, relative to it; not what a release has frozen."""
    for pattern in ("*.md", "docs/**/*.md", "sql/*.md", "tests/**/*.md"):
        yield from (path.relative_to(root) for path in sorted(root.glob(pattern)))


def too_long(root: Path, files: Iterable[Path]) -> list[str]:
    """Return the lines that end behind column ``WIDTH``, but for rows of Markdown tables and generated pages."""
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


def main() -> int:
    """Print what the linters find; 1 when they find anything, 3 when one is not there."""
    sources = Sources(paths.ROOT)
    if not pgspot_program().is_file():
        print(f"there is no {pgspot_program()}: make lint, or set {PGSPOT}", file=sys.stderr)
        return 3
    findings = pgspot(script(sources))
    for release, text in upgrades(sources):
        findings += squawk(text, name=f"{release}.sql")
    findings += too_long(sources.root, pages(sources.root)) + broken_links(sources.root, pages(sources.root))
    print("\n".join(findings) or f"{len(sources.releases)} releases and all pages: nothing found")
    return int(bool(findings))


if __name__ == "__main__":
    sys.exit(main())
