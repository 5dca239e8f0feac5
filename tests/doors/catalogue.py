"""The side doors as data; ``python tests/doors/catalogue.py`` writes docs/reference/side-doors.md from doors.toml."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from birthdb import errors, paths
from pgcontract.files import publish

PAGE = paths.ROOT / "docs" / "reference" / "side-doors.md"
COMMAND = "python tests/doors/catalogue.py"

_DATA = Path(__file__).with_name("doors.toml")

_HEAD = f"""\
<!-- Generated from tests/doors/doors.toml by `{COMMAND}`: edit that, then `make generate`. -->

# Side doors

A side door is a bypass: any way for a row, or a birth, to come into being past the gateway or the writer, or for a row
to end, or a used code to come back, past the life triggers. The tables list every known one with its result. A test
opens each of them.

- *closed*: the row is born, or its end recorded, like any other; or the statement is refused.
- *found*: the check of `birth.fn_birth_census` that fails. *Rows without a birth*, *births without a row or a death*
  and *dead with a living row* find the rows and births of every side door; the other checks name the side door.
- *named*: the drift guard, `birth.v_birth_attention` or `birth.fn_birth_run_audit` reports it too.

The owner of the source table can open a door, unless somebody else is named.
"""


@dataclass(frozen=True)
class Door:
    """One way past a gateway or a writer, and its result; doors.toml says what each part means."""

    title: str
    scene: str = "plain"
    by: str = "owner"
    needs: str | None = None
    prepare: str | None = None
    before: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    test: str | None = None
    refused: str | None = None
    born: list[str] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)
    census: dict[str, list[str]] = field(default_factory=dict)
    census_refused: str | None = None
    drift: list[str] = field(default_factory=list)
    attention: str | None = None
    audit: list[str] = field(default_factory=list)
    other: bool = False
    note: str | None = None

    @property
    def outcome(self) -> str:
        """What becomes of it, as the page says it."""
        found = ", ".join(f"*{check}*" for check in (*self.census, *self.audit))
        named = ", ".join(f"drift of `{what}`" for what in self.drift) or (
            "`v_birth_attention`" if self.attention else ""
        )
        ended = "closed: the end is recorded" if self.dead and not (self.refused or self.census) else ""
        parts = [
            f"closed: refused, {_code(self.refused)}" if self.refused else ended,
            f"found: {found}" if found else "",
            f"found: the census is refused, {_code(self.census_refused)}" if self.census_refused else "",
            f"named: {named}" if named else "",
        ]
        said = "; ".join(filter(None, parts)) or ("no row of the collection" if self.other else "closed: born")
        return f"{said}. {self.note[0].upper()}{self.note[1:]}" if self.note else said

    @property
    def what(self) -> str:
        """What opens it, and who can, as the page says it."""
        return self.title if self.by == "owner" else f"{self.title} ({self.by})"


def groups() -> dict[str, list[Door]]:
    """Return the doors under their headings, in the order of the file. Raises TypeError for a part that no door has."""
    data = tomllib.loads(_DATA.read_text(encoding="utf-8"))
    return {group["title"]: [Door(**parts) for parts in group["door"]] for group in data["group"]}


def load() -> list[Door]:
    """Return all doors."""
    return [door for doors in groups().values() for door in doors]


def titled(title: str) -> Door:
    """Return the one door of this title, for a test that opens it itself."""
    (found,) = [door for door in load() if door.title == title]
    return found


def page() -> str:
    """Return the text of docs/reference/side-doors.md."""
    parts = [_HEAD]
    for title, doors in groups().items():
        rows = "".join(f"| {door.what} | {door.outcome} |\n" for door in doors)
        parts.append(f"\n## {title}\n\n| side door | result |\n| --- | --- |\n{rows}")
    return "".join(parts)


def _code(sqlstate: str) -> str:
    for refusal in errors.BirthError.__subclasses__():
        if refusal.sqlstate == sqlstate:
            return f"[{sqlstate}](errors.md)"
    return f"PostgreSQL's {sqlstate}"


def main() -> None:
    """Write the page, and say so when it changed."""
    for path in publish(paths.ROOT, {PAGE.relative_to(paths.ROOT).as_posix(): page().encode()}):
        print(f"written: {path.relative_to(paths.ROOT)}")


if __name__ == "__main__":
    main()
