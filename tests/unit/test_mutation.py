"""What the hunt judges by: a lexer of its own, mutations that change something, reformattings that change nothing."""

from random import Random

import pytest

from pgcontract.mutation import lexemes, meaning, mutated, reformatted, words_of

BODY = """
DECLARE v "N" := E'a\\'b'; -- it's
BEGIN /* a /* b */ c */
  EXECUTE $q$SELECT 'x' -- $1$q$ USING v;
  RETURN a[1:2] || 'a''b' != .5e-3 AND v<-1 AND x @-1 AND 'é🐘'
    'more';
END
"""


def test_joined_tokens_equal_the_text() -> None:
    assert "".join(lexeme.text for lexeme in lexemes(BODY)) == BODY


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("1..10", ["1", "..", "10"]),
        ("a<-1", ["a", "<", "-", "1"]),
        ("a@-1", ["a", "@-", "1"]),
        ("a--b\nc", ["a", "c"]),
        ("/* /* */ */ a /**/", ["a"]),
        ("a\u00a0b c", ["a\u00a0b", "c"]),
        ("$x$ $y$ $x$", [" $y$ "]),
        ("'a''b' E'\\'' U&'x'", ["a'b", "e'\\''", "u&'x'"]),
        ("a.b%TYPE", ["a", ".", "b", "%", "type"]),
        ("x::int := $1", ["x", "::", "int", ":=", "$1"]),
        ("0xFF 1_0 .5", ["0xFF", "1_0", ".5"]),
        ("!= <>", ["<>", "<>"]),
    ],
)
def test_text_is_tokenized_like_postgresql(text: str, pieces: list[str]) -> None:
    assert [value for _, value in meaning(text)] == pieces


def test_a_mutation_changes_the_meaning() -> None:
    for seed in range(300):
        assert meaning(mutated(BODY, Random(seed), words_of(BODY))) != meaning(BODY), seed


def test_a_reformatting_changes_the_text_and_keeps_the_meaning() -> None:
    for seed in range(100):
        after = reformatted(BODY, Random(seed))
        assert after != BODY
        assert meaning(after) == meaning(BODY), seed
