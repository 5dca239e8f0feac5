"""What a file makes and mentions, and the order that follows."""

import pytest

from pgcontract.references import Circle, References, arrange, references
from pgcontract.texts import Step


def test_references_are_hard_if_the_server_resolves_them_at_creation() -> None:
    body = "DECLARE r birth.t; BEGIN PERFORM birth.fn_b(); -- birth.fn_no()\nEXECUTE 'SELECT birth.fn_said()'; END"
    later = f"CREATE OR REPLACE FUNCTION birth.fn_a(p birth.v_arg) RETURNS int LANGUAGE plpgsql AS $x$ {body} $x$;"
    comment = "COMMENT ON FUNCTION birth.fn_a IS 'birth.fn_prose';"
    assert references(later + comment, "birth") == References(
        makes=(("function", "fn_a"),),
        hard=frozenset({"v_arg"}),
        soft=frozenset({"t", "fn_b"}),
        said=frozenset({"fn_said"}),
    )
    at_once = references(later.replace("plpgsql", "sql"), "birth")
    assert at_once.hard == {"v_arg", "t", "fn_b"}
    assert references("CREATE VIEW birth.v AS SELECT 'birth.fn_said()', birth.fn_a()", "birth").hard == {"fn_a"}


def test_files_are_ordered_by_dependency_then_by_listing() -> None:
    def file(name: str, hard: str = "", soft: str = "", kind: str = "function") -> References:
        return References(((kind, name),), frozenset(hard.split()), frozenset(soft.split()), frozenset())

    files = {
        "functions/fn_c.sql": file("fn_c"),
        "functions/fn_b.sql": file("fn_b", soft="fn_a"),
        "functions/fn_a.sql": file("fn_a", soft="fn_b"),
        "functions/fn_first.sql": file("fn_first", hard="fn_b"),
        "tables/t.sql": file("t", hard="fn_c", kind="table"),
        "views/v.sql": file("v", hard="t", kind="view"),
    }
    assert arrange(files, ["views/v.sql"]) == [
        *("functions/fn_c.sql", "tables/t.sql", "views/v.sql"),
        *("functions/fn_a.sql", "functions/fn_b.sql", "functions/fn_first.sql"),
    ]
    with pytest.raises(Circle):
        arrange({"views/v.sql": file("v", hard="w"), "views/w.sql": file("w", hard="v")})


@pytest.mark.parametrize(
    "line",
    ["drop tables/x.sql makes tables/x.sql", "views/v.sql makes tables/x.sql", "release/x.sql makes views/v.sql"],
)
def test_only_a_release_step_changes_a_table(line: str) -> None:
    with pytest.raises(ValueError, match="not a step"):
        Step.parse(line)
