"""The linters of SQL: what pgspot says of a project's ``sql/``, and squawk of its releases.

pgspot looks for unpinned search paths, unqualified operators and definer routines without a path. It reads ``sql/`` as
one script in load order, because that is how the search path is pinned. squawk looks for statements that lock or scan.
It reads each release's script as ``alembic upgrade --sql`` writes it, so that nothing made by an earlier release counts
as new. Both are programs; pgspot needs a pglast of its own.
"""

import io
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from alembic import command

from pgcontract.databases import config as alembic_config
from pgcontract.project import GRANTS
from pgcontract.sources import Sources

_SAID = re.compile(r"(?P<code>PS\d+): (?P<what>.*) at line (?P<line>\d+)")


def script(sources: Sources) -> str:
    """Return ``sql/`` as one script in load order, as pgspot reads it: enter.sql makes the schema unless it is ours."""
    schema = sources.project.schema
    parts = [f"CREATE SCHEMA {schema};"]
    parts += [(sources.sql / path).read_text(encoding="utf-8") for path in sources.project.begin]
    parts += dict(sources.loading()).values()
    parts += [(sources.sql / path).read_text(encoding="utf-8") for path in (GRANTS, *sources.project.finish)]
    text = "\n".join(parts)
    # Its parser of PL/pgSQL knows no row type of ours; for what it looks for, a record is the same.
    tables = "|".join(sorted(set(re.findall(rf"^CREATE TABLE {schema}\.(\w+)", text, re.MULTILINE))))
    return re.sub(rf"^(  \w+) {schema}\.(?:{tables})(?=;| :=)", r"\1 record", text, flags=re.MULTILINE)


def pgspot(text: str, program: Path, exceptions: Sequence[tuple[str, str, str]] = ()) -> list[str]:
    """Return what pgspot finds in a script, without the exceptions; an exception that it no longer finds is one too.

    An exception is a code, an object, and the reason.
    """
    done = subprocess.run([program], input=text, capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    if not lines or not lines[-1].lstrip().startswith("Errors:"):
        # It gives up at what it cannot parse, and that is a finding, not a pass.
        return [f"pgspot gave up: {line}" for line in [*lines, *done.stderr.splitlines()] or ["it said nothing"]]
    findings, met = [], set()
    for line in lines[:-1]:
        said = _SAID.fullmatch(line)
        excepted = next((one for one in exceptions if said and said["code"] == one[0] and one[1] in line), None)
        if excepted:
            met.add(excepted)
        else:
            findings.append(line)
    return findings + [f"{one[0]} {one[1]}: excepted, and not found" for one in exceptions if one not in met]


def upgrades(sources: Sources) -> Iterable[tuple[str, str]]:
    """Yield every release with the script of its upgrade."""
    before = "base"
    for release in sources.releases:
        written = io.StringIO()
        config = alembic_config(sources, "postgresql://nowhere")
        config.output_buffer = written
        command.upgrade(config, f"{before}:{release}", sql=True)
        yield release, written.getvalue()
        before = release


def squawk(text: str, rules: Iterable[str] = (), *, name: str = "stdin") -> list[str]:
    """Return what squawk finds in a release's script, without the rules that do not hold."""
    excluded = [word for rule in rules for word in ("--exclude", rule)]
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
