"""The law of sql/, held against its files."""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

from birthdb import errors, paths

SQL = paths.ROOT / "sql"
TESTS = paths.ROOT / "tests"
OBJECTS = sorted(path for folder in ("functions", "tables", "views") for path in (SQL / folder).rglob("*.sql"))
ROUTINES = sorted((SQL / "functions").rglob("*.sql"))
TABLES = {path.stem for path in (SQL / "tables").rglob("*.sql")}
CREATED = re.compile(r"^CREATE (?:OR REPLACE )?(FUNCTION|PROCEDURE|VIEW|TABLE) birth\.(\w+)", re.MULTILINE)
CALL = re.compile(r"\bbirth\.((?:fn|sp)_\w+)\s*\(")
WRITE = re.compile(r"\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|MERGE\s+INTO|TRUNCATE)\s+(?:ONLY\s+)?birth\.(\w+)")
STRING_OR_COMMENT = re.compile(r"'(?:[^']|'')*'|--[^\n]*")


def split(path: Path) -> tuple[str, str]:
    """Return the comment at the head of a file and its statements without comments."""
    text = path.read_text(encoding="utf-8")
    head = re.match(r"(?:--[^\n]*\n)*", text)
    assert head is not None
    return head[0], STRING_OR_COMMENT.sub(
        lambda found: "" if found[0].startswith("--") else found[0], text[head.end() :]
    )


def said(head: str, what: str) -> set[str]:
    """Return the names after ``-- what:`` in the head, which may go on in the next lines."""
    found = re.search(rf"^-- {what}: (.*(?:\n-- (?!\w+:).*)*)", head, re.MULTILINE)
    assert found is not None, f"no line -- {what}:"
    return set(re.findall(r"\b(?:fn|sp)_\w+|\b(?:birth|dot|collection|trigger)_\w+", found[1]))


def breaches(check: Callable[[Path, str, str], object], files: list[Path]) -> dict[str, object]:
    """Return what the check finds wrong in each file, given its head and its statements."""
    assert files
    found = {path.stem: check(path, *split(path)) for path in files}
    return {name: what for name, what in found.items() if what}


def test_public_routines_lie_in_their_domain_and_internal_ones_in_its_internal_folder() -> None:
    granted = set(re.findall(r"\('ROUTINE', +'(\w+)'", (SQL / "grants.sql").read_text(encoding="utf-8")))
    assert {path.stem for path in ROUTINES if path.parent.name != "internal"} == granted
    assert len({path.name for path in OBJECTS}) == len(OBJECTS)
    assert all(len(path.relative_to(SQL).parts) > 2 for path in OBJECTS), "an object lies in the folder of its domain"


def test_a_file_holds_one_object_named_after_it_and_grants_and_drops_nothing() -> None:
    def check(path: Path, head: str, body: str) -> list[str]:
        created = [name for _, name in CREATED.findall(body)]
        commented = re.findall(
            rf"^COMMENT ON (?:FUNCTION|PROCEDURE|VIEW|TABLE) birth\.({path.stem})\b", body, re.MULTILINE
        )
        return [
            *(["says nothing of what it is for"] if not head else []),
            *([f"creates {created}"] if created != [path.stem] else []),
            *([] if commented else ["has no comment"]),
            *re.findall(r"^(?:GRANT|REVOKE|DROP|SET|ALTER)\b.*", body, re.MULTILINE),
        ]

    assert breaches(check, OBJECTS) == {}


def test_the_header_of_a_routine_states_returns_calls_and_writes() -> None:
    def check(path: Path, head: str, body: str) -> list[str]:
        body = body.partition("COMMENT ON ")[0]
        calls = set(CALL.findall(STRING_OR_COMMENT.sub("", body))) - {path.stem}
        # Statements are built in strings too; a table of another name is one of a statement's own.
        writes = set(WRITE.findall(body)) & TABLES
        return [
            *([] if re.search(r"^-- Returns: \S", head, re.MULTILINE) else ["does not say what it returns"]),
            *(f"calls {name}: said or done, not both" for name in said(head, "Calls") ^ calls),
            *(f"writes {name}: said or done, not both" for name in said(head, "Writes") ^ writes),
        ]

    assert breaches(check, ROUTINES) == {}


def test_a_function_states_its_volatility_and_tags_its_body_with_its_name() -> None:
    def check(path: Path, _: str, body: str) -> list[str]:
        stated = re.findall(r"^  (?:VOLATILE|STABLE|IMMUTABLE)$", body, re.MULTILINE)
        return [
            *(
                ["states no volatility"]
                if (len(stated) == 1) != body.lstrip().startswith("CREATE OR REPLACE FUNCTION")
                else []
            ),
            *([] if body.count(f"${path.stem}$") == 2 else ["tags its body otherwise"]),
        ]

    assert breaches(check, ROUTINES) == {}


CATALOGUE = tomllib.loads((SQL / "errors.toml").read_text(encoding="utf-8"))


def test_every_error_of_the_catalogue_is_raised_by_some_routine() -> None:
    text = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in (SQL, paths.ROOT / "migrations", paths.ROOT / "src")
        for path in folder.rglob("*")
        if path.suffix in {".sql", ".py"} and path.stem not in {"fn_birth_error", "errors"}
    )
    # A statement names an error or its code, Python its class.
    raised = set(re.findall(r"'(\w+)'|(?:raise|return) (\w+)\(", text))
    named = {word for words in raised for word in words}
    classes = {refusal.sqlstate: refusal.__name__ for refusal in errors.BirthError.__subclasses__()}
    missing = [name for name, entry in CATALOGUE.items() if not named & {name, entry["code"], classes[entry["code"]]}]
    assert missing == []


def test_every_error_of_the_catalogue_is_asserted_by_some_test() -> None:
    words = {
        word
        for path in TESTS.rglob("test_*.py")
        if path.name != "test_sources.py"
        for word in re.findall(r"\w+", path.read_text(encoding="utf-8"))
    }
    classes = {refusal.sqlstate: refusal.__name__ for refusal in errors.BirthError.__subclasses__()}
    missing = [
        f"{entry['code']} {name}"
        for name, entry in CATALOGUE.items()
        if name != "rehearsal_over"  # a signal that never leaves the routine that raises it
        and not words & {entry["code"], classes[entry["code"]], name}
    ]
    assert missing == []


def test_the_grants_page_names_only_existing_objects() -> None:
    page = (SQL / "grants.sql").read_text(encoding="utf-8")
    named = set(re.findall(r"\('(?:TABLE|ROUTINE)',\s+'(\w+)'", page))
    # Alembic's table is made by enter.sql, as Alembic makes it.
    assert named - {path.stem for path in OBJECTS} == {"alembic_version"}


def test_what_is_sent_to_a_database_is_ascii() -> None:
    """A database of another encoding cannot store what it has no character for, and a client cannot be told it."""
    sent = [path for folder in (SQL, paths.ROOT / "migrations") for path in folder.rglob("*.sql")]
    assert [path for path in [*sent, SQL / "errors.toml"] if not path.read_text(encoding="utf-8").isascii()] == []


def test_literals_do_not_depend_on_standard_conforming_strings() -> None:
    """A body is read when it is called, and standard_conforming_strings is the caller's: a backslash stands in E''."""

    def check(path: Path, head: str, body: str) -> list[str]:
        literals = re.findall(r"(?<![\w'])(E?)('(?:[^'\\]|''|\\.)*'(?:\s*\n\s*'(?:[^'\\]|''|\\.)*')*)", body)
        return [text for escaped, text in literals if "\\" in text and not escaped]

    assert breaches(check, ROUTINES) == {}


def test_variables_of_a_procedure_have_qualified_types() -> None:
    """They are declared before a procedure that commits can pin its search path; a temporary table is a type too."""

    def check(path: Path, head: str, body: str) -> list[str]:
        if "CREATE OR REPLACE PROCEDURE" not in body or "\n  SET search_path = " in body:
            return []
        types = re.findall(r"^  [rv]_\w+ ([^\n;]+)", body.partition("\nDECLARE\n")[2].partition("\nBEGIN\n")[0], re.M)
        assert types
        return [kind for kind in types if not re.match(r"pg_catalog\.|(boolean|integer|double precision)\b", kind)]

    assert breaches(check, ROUTINES) == {}
