"""What may be shown on a terminal: nothing that it would obey, and nothing that cannot be read back."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from birthdb.plain import line, plain, plain_json, statement

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
DOCUMENTS = st.dictionaries(TEXTS, st.lists(TEXTS | st.none() | st.integers(), max_size=3), max_size=3)


@given(TEXTS)
def test_plain_text_is_one_printable_line(text: str) -> None:
    assert line(text).isprintable()
    assert line(text) == text or not text.isprintable()


@given(TEXTS)
def test_multi_line_text_keeps_line_breaks_and_only_printable_characters(text: str) -> None:
    assert plain(text).split("\n") == [line(part) for part in text.split("\n")]


@settings(max_examples=50)
@given(DOCUMENTS, st.sampled_from([None, 2]))
def test_escaped_json_keeps_its_value(document: object, indent: int | None) -> None:
    shown = plain_json(json.dumps(document, ensure_ascii=False, indent=indent))
    assert json.loads(shown) == document
    assert all(part.isprintable() for part in shown.split("\n"))


@given(TEXTS)
def test_a_statement_is_printable_and_changes_only_where_it_is_not(text: str) -> None:
    shown = statement(text)
    assert all(part.isprintable() for part in shown.split("\n"))
    assert shown == text or not text.isprintable()


def test_a_statement_has_the_escapes_of_sql() -> None:
    written = "SELECT 'it''s \\ \x1b', E'\\\\ \u202e', \"a\"\"b\U000e0001\\\", 'x'  -- a steward"
    assert statement(written) == (
        "SELECT E'it''s \\\\ \\u001b', E'\\\\ \\u202e', U&\"a\"\"b\\+0e0001\\\\\", 'x'  -- a steward"
    )
