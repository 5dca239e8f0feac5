"""What tests do with a checkout of their own: commit it, declare its releases, compare its files."""

import hashlib
import subprocess
from pathlib import Path

from pgcontract.sources import Sources


def commit(root: Path) -> None:
    """Commit everything below a directory, in a repository of its own."""
    who = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "--quiet"], ["add", "--all"], [*who, "commit", "--quiet", "--message", "as it is"]):
        subprocess.run(["git", "-C", root, *arguments], check=True)


def declare(sources: Sources, *releases: str) -> None:
    """Declare releases as they are, all without any."""
    lines = "".join(f"- `{name}` sha256:{sources.seal(name)}\n" for name in releases or sources.releases)
    (sources.root / "CHANGELOG.md").write_text(lines)


def contents(root: Path) -> dict[str, str]:
    """Return every file with its digest."""
    return {
        file.relative_to(root).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in root.rglob("*")
        if file.is_file() and not {"__pycache__", ".git"} & {*file.parts}
    }


def edit(sources: Sources, path: str, *replacements: tuple[str, str]) -> None:
    """Replace texts that a file has."""
    file = sources.file(path)
    text = file.read_text()
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    file.write_text(text)


def write(sources: Sources, path: str, text: str) -> None:
    """Write a file where it is, or where it belongs."""
    sources.file(path).write_text(text)


def function(
    schema: str, name: str, body: str, language: str = "sql", arguments: str = "", returns: str = "bigint"
) -> str:
    """Return the file of a function."""
    text = body if language == "sql" else f"BEGIN RETURN ({body}); END;"
    return (
        f"-- For a test.\nCREATE OR REPLACE FUNCTION {schema}.{name}({arguments})\n  RETURNS {returns}\n"
        f"  LANGUAGE {language}\n  STABLE\n  SET search_path = pg_catalog, pg_temp\nAS ${name}$ {text} ${name}$;\n"
        f"COMMENT ON FUNCTION {schema}.{name} IS 'For a test.';\n"
    )


def view(schema: str, name: str, query: str) -> str:
    """Return the file of a view."""
    made = f"CREATE OR REPLACE VIEW {schema}.{name} AS {query};\nCOMMENT ON VIEW {schema}.{name} IS 'For a test.';\n"
    return f"-- For a test.\n{made}"
