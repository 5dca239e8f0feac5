"""What is printed to be copied into psql calls nothing that a search path decides: functions, operators, relations."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pglast
import pytest
from pglast.enums import A_Expr_Kind
from pglast.parser import ParseError, scan
from pglast.visitors import Visitor

from birthdb import paths
from pgcontract.texts import body_of

SQL = paths.ROOT / "sql"
_VERBS = "SELECT|CALL|GRANT|REVOKE|ALTER|DROP|CREATE|SET|ROLLBACK|COMMIT|UPDATE|DELETE|INSERT|REASSIGN|LOCK"

#: What stands in a statement where something is filled in, by what comes before it.
_FILLED = (
    (r"%(?:\d+\$)?L", "'x'"),
    (r"%(?:\d+\$)?I", "x"),
    (r"(?<=GRANT )%(?:\d+\$)?s", "SELECT"),
    (r"(?<=REVOKE )%(?:\d+\$)?s", "SELECT"),
    (r"(?<=EVENT TRIGGER x ON )%(?:\d+\$)?s", "x"),
    (r"(?<= ON )%(?:\d+\$)?s", "x.x"),
    (r"(?<=TABLE )%(?:\d+\$)?s", "x.x"),
    (r"(?<= TYPE )%(?:\d+\$)?s", "x.x"),
    (r"(?<=FROM birth\.)%(?:\d+\$)?s", "x"),
    (r"(?<=:= )%(?:\d+\$)?s", "1"),
    (r"(?<=[(])%(?:\d+\$)?s", "1"),
    (r"%(?:\d+\$)?s", ""),
)

#: Generated from the catalogue; and definitions, which a repair sends with the path of a release.
_OTHERWISE = ("fn_birth_error.sql", "fn_birth_contract_repair.sql")


def literals(text: str) -> Iterator[str]:
    """Yield the string literals of SQL or PL/pgSQL; literals with only a line break between them are one, as in SQL."""
    for token in scan(text):
        if token.name == "SCONST":
            found = text[token.start : token.end + 1]
            if found.startswith("$"):
                continue
            yield re.sub(r"^[Ee]?'|'$", "", re.sub(r"'\s*\n\s*'", "", found)).replace("''", "'")


def printed(text: str) -> Iterator[str]:
    """Yield the statements in a literal or hint, a value in each place: what ends in a semicolon is there to be sent.

    What a routine executes itself, under its own path, has none.
    """
    for statement in re.findall(rf"(?<![\w'])(?:{_VERBS}) [^;]*;", text):
        for place, value in _FILLED:
            statement = re.sub(place, value, statement)
        yield statement.replace("%%", "%")


def sources() -> Iterator[tuple[str, str]]:
    """Yield where each printed statement is from, and the statement."""
    for path in sorted((*SQL.glob("functions/**/*.sql"), *SQL.glob("views/**/*.sql"), *SQL.glob("release/*.sql"))):
        text = path.read_text(encoding="utf-8")
        if path.name in _OTHERWISE:
            continue
        body = text if path.is_relative_to(SQL / "views") else body_of(text, path.stem)
        bodies = (
            [body] if body is not None else re.findall(r"AS \$\w+\$(.*?)\$\w+\$|DO \$\w*\$(.*?)\$\w*\$", text, re.S)
        )
        for each in bodies:
            for literal in literals(each if isinstance(each, str) else "".join(each)):
                yield from ((path.name, statement) for statement in printed(literal))
    for error in tomllib.loads((SQL / "errors.toml").read_text(encoding="utf-8")).values():
        entries = error if isinstance(error, list) else [error]
        for entry in entries:
            if isinstance(entry, dict):
                yield from (("errors.toml", statement) for statement in printed(str(entry.get("hint", ""))))


class Unqualified(Visitor):
    """Collects what a statement leaves to the search path."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def visit_FuncCall(self, ancestors: object, node: Any) -> None:  # noqa: N802
        if len(node.funcname) < 2:
            self.found.append(f"function {node.funcname[-1].sval}")

    def visit_A_Expr(self, ancestors: object, node: Any) -> None:  # noqa: N802
        if node.kind != A_Expr_Kind.AEXPR_OP or len(node.name) < 2:
            self.found.append(f"operator {node.name[-1].sval}")

    def visit_RangeVar(self, ancestors: object, node: Any) -> None:  # noqa: N802
        if node.schemaname is None:
            self.found.append(f"relation {node.relname}")

    def visit_TypeName(self, ancestors: object, node: Any) -> None:  # noqa: N802
        if len(node.names) < 2:
            self.found.append(f"type {node.names[-1].sval}")


def unqualified(statement: str) -> list[str]:
    """Return what the search path decides in a statement; raises ParseError for what is none."""
    visitor = Unqualified()
    visitor(pglast.parse_sql(statement))
    return visitor.found


STATEMENTS = sorted(set(sources()))


def test_the_statements_are_found() -> None:
    assert len(STATEMENTS) > 30
    assert {"fn_birth_run_next_step.sql", "v_birth_attention.sql", "errors.toml"} <= {name for name, _ in STATEMENTS}


def test_literals_on_consecutive_lines_are_one_literal() -> None:
    assert list(literals("SELECT f('CALL birth.x('\n  'a);', 'b') || 'c'")) == ["CALL birth.x(a);", "b", "c"]


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("SELECT now()", ["function now"]),
        ("SELECT * FROM birth.x WHERE a = 'b'", ["operator ="]),
        ("SELECT * FROM birth.x WHERE a LIKE 'b'", ["operator ~~"]),
        ("SELECT * FROM birth.x WHERE a IN ('b')", ["operator ="]),
        ("SELECT 'a'::text", ["type text"]),
        ("SELECT * FROM x", ["relation x"]),
        ("SELECT pg_catalog.now() OPERATOR(pg_catalog.+) interval '1 day' FROM birth.x", []),
    ],
)
def test_unqualified_names_in_a_statement_are_found(statement: str, found: list[str]) -> None:
    assert unqualified(statement) == found


def test_every_printed_statement_names_the_schema_of_all_that_it_calls() -> None:
    found = {}
    for name, statement in STATEMENTS:
        try:
            if left := unqualified(statement):
                found[name, statement] = left
        except ParseError as error:
            found[name, statement] = [str(error)]
    assert found == {}


def test_printed_hints_are_those_of_the_catalogue() -> None:
    """What is asked here is what is raised."""
    text = (SQL / "functions" / "core" / "fn_birth_error.sql").read_text(encoding="utf-8")
    hints = list(literals(body_of(text, "fn_birth_error") or ""))
    for name, statement in STATEMENTS:
        if name == "errors.toml":
            assert any(statement in hint for hint in hints)


def test_a_repair_statement_is_printed_with_its_search_path() -> None:
    """It holds definitions, as a release has them: these name no schema of what they call."""
    attention = (SQL / "views" / "monitoring" / "v_birth_attention.sql").read_text(encoding="utf-8")
    assert [line for line in attention.splitlines() if re.search(r"\bd\.repair\b", line)] == [
        line for line in attention.splitlines() if "'SET search_path = pg_catalog, pg_temp; ' || d.repair" in line
    ]
