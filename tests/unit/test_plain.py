"""What may be shown on a terminal: nothing that it would obey, and nothing that cannot be read back."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from birthdb.plain import line, plain, plain_json

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
