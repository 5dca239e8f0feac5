"""What nobody would write, and PostgreSQL takes: names and values to try everything with."""

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

#: Names that end quotes, are keywords, are patterns of something, or are as long as a name can be.
NAMES = [
    "select",
    "User",
    'a"b',
    "a'b",
    "a.b",
    " ",
    "%I",
    "%1$s",
    "$1",
    "$$",
    "{}",
    "{0}",
    "t",
    "code",
    "birth_new_rows",
    "\\",
    "\\'; --",
    ";--",
    "/*",
    ":x",
    "é" * 31,
    "x" * 63,
    "x" * 60 + "日",
    "日" * 21,
    "🜁" * 15 + "abc",
    "日本語",
    "e\u0301",
    "line\nbreak",
    "\r\n",
    "tab\tand\x07bell",
    "\x1b[31mred\x1b[0m",
    "\u202eesrever",
    "\u200b",
    "NULL",
    "pg_temp",
]
#: Values beside them: formats, braces and quotes of templates, what a terminal obeys, blanks that are none in ASCII.
VALUES = [
    *NAMES,
    "%s %I %L %%",
    "%",
    "{",
    "}",
    "}}{{",
    "{id}",
    "$x$;$x$",
    "$_$ $1 $2",
    "E'\\x00'",
    "\\n\\",
    "'; DROP TABLE birth.birth_registry; --",
    "*/ SELECT 1 /*",
    "a\u0308\u0323\u0308",
    "\u2066b\u2069\u200f",
    "\ufeff",
    "\x01\x7f",
    "\x9b31m",
    "\x1b]0;title\x07",
    "\u00a0",
    "\u2003",
    "\u2028",
    "\U000e0041",
    "null",
    '{"a": [1]}',
]
ANY_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
TEXTS = st.one_of(st.sampled_from(NAMES), ANY_TEXT)
WORDS = st.one_of(st.sampled_from(VALUES), ANY_TEXT)

#: What PostgreSQL's btrim takes away where birthdb asks whether a text is blank.
BLANK = " \t\n\r\f\v"

#: One database for all the examples of a property, which each example leaves as it found it.
SAVED = settings(
    max_examples=15,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    # A failing example is shown as it was found: making it smaller would take minutes.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)


def fits(name: str) -> bool:
    """Whether PostgreSQL keeps the name as it is."""
    return 0 < len(name.encode()) <= 63
