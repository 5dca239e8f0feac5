"""Changes to SQL text that are known to change it, and changes that are known to change nothing.

The hunt (``pgcontract.hunt``) judges the semantic hash by these, so nothing here uses it or what it is built on:
a small lexer of its own cuts the text, and every mutation is a change of the sequence of lexemes.
"""

import re
import string
from collections.abc import Callable
from functools import lru_cache
from random import Random
from typing import NamedTuple

_WORD = r"[A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_$\u0080-\U0010ffff]*"
_LEXEME = re.compile(
    rf"""(?P<space>[ \t\n\r\f]+)
    |(?P<comment>--[^\n\r]*|/\*)
    |(?P<dollar>\$(?:[A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_\u0080-\U0010ffff]*)?\$)
    |(?P<escaped>[eE]'(?:[^'\\]|\\.|'')*'|(?:[bBxXnN]|[uU]&)'(?:[^']|'')*')
    |(?P<string>'(?:[^']|'')*')
    |(?P<quoted>(?:[uU]&)?"(?:[^"]|"")*")
    |(?P<parameter>\$[0-9]+)
    |(?P<number>0[xXoObB][0-9A-Fa-f_]+|(?:[0-9][0-9_]*(?:\.(?!\.)[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<word>{_WORD})
    |(?P<operator>(?:(?!--|/\*)[~!@\#^&|`?+\-*/%<>=])+)
    |(?P<mark>::|:=|\.\.|[.,;:()\[\]])
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_ASCII_UPPER = str.maketrans(string.ascii_lowercase, string.ascii_uppercase)

_OPERATORS = ("=", "<>", "<", "<=", ">", ">=", "+", "-", "*", "/", "||", "~", "->", "->>", "@>", "%")
_KEYWORDS = (
    *({"and", "or"}, {"new", "old"}, {"in", "out", "inout"}, {"if", "elsif", "while"}, {"exit", "continue", "return"}),
    *({"asc", "desc"}, {"first", "last"}, {"left", "right", "full", "inner"}, {"union", "intersect", "except"}),
    *({"notice", "warning", "exception", "info"}, {"true", "false", "null"}, {"update", "share"}, {"any", "all"}),
    *({"integer", "bigint", "smallint", "text", "boolean", "jsonb", "numeric"}, {"insert", "update", "delete"}),
    *({"stable", "volatile", "immutable"}, {"definer", "invoker"}, {"before", "after"}, {"row", "statement"}),
    *({"min", "max", "sum", "count"}, {"detail", "hint", "message"}, {"strict", ""}, {"distinct", ""}, {"not", ""}),
)
# Of each keyword those that can stand in its place.
_KIN = {word: sorted({w for g in _KEYWORDS if word in g for w in g} - {word}) for group in _KEYWORDS for word in group}
_INSERTED = ("NOT", "STRICT", "DISTINCT", "REVERSE", "CONSTANT", "(10)", "COLLATE", '"C"', "[]", ";", "-", "1", "ONLY")
_MARKS_THAT_NEVER_JOIN = frozenset("(),;[]")
_COMMENTS = (
    "/* it's */",
    '/* a /* "b */ $c$ */',
    "/**/",
    "/* -- */",
    "-- it's $$ /* \n",
    "--\r\n",
    "--\n",
    "/* größer 🐘 */",
)
_SPACES = (" ", "  ", "\n", "\t", "\r\n", "\n\n    ", " \f ", "\r")


Mutation = Callable[["list[Lexeme]", Random, "list[str]"], "str | None"]


class Lexeme(NamedTuple):
    """A piece of SQL text, and what it means to the server; the kinds ``space`` and ``comment`` mean nothing."""

    kind: str
    text: str
    means: tuple[str, str]


@lru_cache(maxsize=8)
def lexemes(text: str) -> list[Lexeme]:
    """Cut SQL text; joined, the pieces are the text."""
    found, at = [], 0
    while at < len(text):
        match = _LEXEME.match(text, at)
        assert match is not None
        kind, end = str(match.lastgroup), match.end()
        if kind == "operator":
            end = at + len(_operator(match[0]))
        elif match[0] == "/*":
            end = _end_of_comment(text, at)
        elif kind == "dollar":
            end = text.find(match[0], end) + len(match[0])
            if end < match.end():
                kind, end = "other", at + 1
        found.append(Lexeme(kind, text[at:end], _meaning(kind, text[at:end])))
        at = end
    return found


@lru_cache(maxsize=8)
def meaning(text: str) -> list[tuple[str, str]]:
    """Return what a text means, lexeme by lexeme."""
    return [lexeme.means for lexeme in lexemes(text) if lexeme.kind not in ("space", "comment")]


def mutated(text: str, random: Random, words: list[str]) -> str:
    """Return the text with one change that is one to the server too: the sequence of what lexemes mean is another.

    ``words`` are names to put in place of others.
    """
    before = meaning(text)
    while True:
        after = random.choices(list(_MUTATIONS), list(_MUTATIONS.values()))[0](lexemes(text), random, words)
        if after is not None and meaning(after) != before:
            return after


def reformatted(text: str, random: Random) -> str:
    """Return the text with other white space, comments, case, quotes and spelling, which all mean nothing."""
    pieces = [lexeme for lexeme in lexemes(text) if lexeme.kind not in ("space", "comment")]
    parts: list[str] = []
    for before, lexeme, after in zip([None, *pieces], pieces, [*pieces[1:], None], strict=False):
        if before is not None:
            parts.append(_gap(before, lexeme, random))
        parts.append(lexeme.text if _goes_on(before, lexeme) or _goes_on(lexeme, after) else _rewritten(lexeme, random))
    return "".join([_comment(random), *parts, _comment(random)])


@lru_cache(maxsize=2)
def words_of(text: str) -> list[str]:
    """Return the unquoted words of a text, each once, in order."""
    return list(dict.fromkeys(lexeme.means[1] for lexeme in lexemes(text) if lexeme.kind == "word"))


def tag_for(text: str, random: Random) -> str:
    """Return a dollar quote that the text does not end."""
    while True:
        tag = "$" + "".join(random.choices(string.ascii_letters, k=random.randint(1, 6))) + "$"
        if tag not in text:
            return tag


def _meaning(kind: str, text: str) -> tuple[str, str]:
    """Return what a lexeme means, however it is written."""
    match kind:
        case "word":
            return "word", text.translate(_ASCII_LOWER)
        case "operator" if text == "!=":
            return "operator", "<>"
        case "escaped":
            prefix, quote, rest = text.partition("'")
            return kind, prefix.translate(_ASCII_LOWER) + quote + rest
        case "string":
            return "string", text[1:-1].replace("''", "'")
        case "dollar":
            tag = text.index("$", 1) + 1
            return "string", text[tag:-tag]
    return kind, text


def _operator(run: str) -> str:
    """Return the operator that a run of its characters begins with: a sign at the end belongs to what follows."""
    return run if re.search("[~!@#%^&|`?]", run) else run[0] + run[1:].rstrip("+-")


def _end_of_comment(text: str, at: int) -> int:
    depth = 0
    for match in re.compile(r"/\*|\*/").finditer(text, at):
        depth += 1 if match[0] == "/*" else -1
        if depth == 0:
            return match.end()
    return len(text)


# ── mutations: pieces in, text out; None where there is nothing to do it to ─────────────────────────────────────────


def _pick(pieces: list[Lexeme], random: Random, *kinds: str) -> int | None:
    """Return the place of a random lexeme that means something, of one of some kinds."""
    places = [i for i, p in enumerate(pieces) if (p.kind in kinds if kinds else p.kind not in ("space", "comment"))]
    if places and random.random() < 0.1:
        return random.choice((places[0], places[-1]))  # where a hash is most easily blind
    return random.choice(places) if places else None


def _with(pieces: list[Lexeme], at: int, text: str, upto: int | None = None) -> str:
    """Return the text with something else at a place, apart from its neighbours."""
    before, after = pieces[:at], pieces[(at if upto is None else upto) + 1 :]
    return "".join([*(p.text for p in before), f" {text} ", *(p.text for p in after)])


def _drop(pieces: list[Lexeme], random: Random, _: list[str]) -> str | None:
    at = _pick(pieces, random)
    return None if at is None else _with(pieces, at, "")


def _comment_out(pieces: list[Lexeme], random: Random, _: list[str]) -> str | None:
    at = _pick(pieces, random)
    return None if at is None or "*/" in pieces[at].text else _with(pieces, at, f"/* {pieces[at].text} */")


def _double(pieces: list[Lexeme], random: Random, _: list[str]) -> str | None:
    at = _pick(pieces, random)
    return None if at is None else _with(pieces, at, f"{pieces[at].text} {pieces[at].text}")


def _swap(pieces: list[Lexeme], random: Random, _: list[str]) -> str | None:
    places = [i for i, p in enumerate(pieces) if p.kind not in ("space", "comment")]
    if len(places) < 2:
        return None
    first = random.randrange(len(places) - 1)
    second = min(first + random.choice((1, 1, 2)), len(places) - 1)
    one, other = places[first], places[second]
    between = "".join(p.text for p in pieces[one + 1 : other])
    return _with(pieces, one, f"{pieces[other].text} {between} {pieces[one].text}", other)


def _other_word(pieces: list[Lexeme], random: Random, words: list[str]) -> str | None:
    at = _pick(pieces, random, "word")
    return None if at is None or not words else _with(pieces, at, random.choice(words))


def _other_keyword(pieces: list[Lexeme], random: Random, _: list[str]) -> str | None:
    places = [i for i, p in enumerate(pieces) if p.kind == "word" and p.means[1] in _KIN]
    if not places:
        return None
    at = random.choice(places)
    return _with(pieces, at, random.choice(_KIN[pieces[at].means[1]]))


def _insert(pieces: list[Lexeme], random: Random, words: list[str]) -> str | None:
    at = _pick(pieces, random)
    return None if at is None else _with(pieces, at, f"{pieces[at].text} {random.choice([*_INSERTED, *words[:5]])}")


def _other_operator(pieces: list[Lexeme], random: Random, _: list[str]) -> str | None:
    at = _pick(pieces, random, "operator")
    return None if at is None else _with(pieces, at, random.choice(_OPERATORS))


def _other_number(pieces: list[Lexeme], random: Random, _: list[str]) -> str | None:
    at = _pick(pieces, random, "number", "parameter")
    if at is None:
        return None
    text = pieces[at].text
    return _with(
        pieces, at, random.choice((f"{text}0", f"{text}.0", f"0{text}", f"{text}e0", f"-{text}", "7", "$1", "$2"))
    )


def _other_literal(pieces: list[Lexeme], random: Random, _: list[str]) -> str | None:
    at = _pick(pieces, random, "string", "dollar", "escaped", "quoted")
    if at is None:
        return None
    text = pieces[at].text
    start = text.index("$", 1) + 1 if pieces[at].kind == "dollar" else re.search("['\"]", text).end()  # type: ignore[union-attr]
    inside = text[start : len(text) - (start if pieces[at].kind == "dollar" else 1)]
    return _with(pieces, at, text[:start] + _other_content(inside, random) + text[start + len(inside) :])


def _other_content(inside: str, random: Random) -> str:
    """Return other characters; what is doubled (quotes) or escaped is not torn."""
    at = random.randint(0, len(inside))
    while at < len(inside) and inside[at - 1 : at + 1] in ("''", '""', "$$"):
        at += 1
    edits: list[Callable[[], str]] = [
        lambda: inside[:at] + " " + inside[at:],
        lambda: inside[:at] + random.choice(("\t", "\n", "\r\n", "x", "é", "\u00a0", "--", "/**/")) + inside[at:],
        lambda: inside.replace(" ", "  ", 1),
        lambda: inside.replace("\n", " ", 1),
        lambda: inside.swapcase(),
        lambda: inside.upper(),
        lambda: inside.replace("!=", "<>", 1),
        lambda: re.sub(r"[A-Za-z0-9]", "z", inside, count=1),
        lambda: inside[: random.randint(0, len(inside))].rstrip("'\"\\$"),
    ]
    return random.choice(edits)()


def _other_quoting(pieces: list[Lexeme], random: Random, _: list[str]) -> str | None:
    at = _pick(pieces, random, "word", "string")
    if at is None:
        return None
    text = pieces[at].text
    if pieces[at].kind == "word":
        return _with(
            pieces, at, random.choice((f'"{text}"', f'"{text.swapcase()}"', f"'{text}'", f"{text}\u00a0", f"{text}ü"))
        )
    return _with(pieces, at, random.choice((f"E{text}", f"N{text}", f"U&{text}", text.replace("'", '"'))))


def _swallow(pieces: list[Lexeme], random: Random, _: list[str]) -> str | None:
    """Let a line comment run on over the next line."""
    breaks = [i for i, p in enumerate(pieces) if p.kind == "space" and "\n" in p.text and i + 1 < len(pieces)]
    if not breaks:
        return None
    at = random.choice(breaks)
    said = "" if at and pieces[at - 1].text.startswith("--") else " -- "
    return "".join([*(p.text for p in pieces[:at]), said, " ", *(p.text for p in pieces[at + 1 :])])


def _join(pieces: list[Lexeme], random: Random, _: list[str]) -> str | None:
    """Take the white space out between two lexemes that it keeps apart."""
    kinds = ("word", "number", "operator", "string")
    places = [
        i
        for i in range(1, len(pieces) - 1)
        if pieces[i].kind == "space" and pieces[i - 1].kind in kinds and pieces[i + 1].kind in kinds
    ]
    if not places:
        return None
    at = random.choice(places)
    return "".join(p.text for i, p in enumerate(pieces) if i != at)


# How often each is tried.
_MUTATIONS: dict[Mutation, int] = {
    _drop: 3,
    _comment_out: 1,
    _double: 2,
    _swap: 3,
    _other_word: 8,
    _other_keyword: 4,
    _insert: 2,
    _other_operator: 3,
    _other_number: 3,
    _other_literal: 6,
    _other_quoting: 3,
    _swallow: 2,
    _join: 1,
}


# ── formatting ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _goes_on(before: Lexeme | None, after: Lexeme | None) -> bool:
    """Return whether two lexemes are pieces of one string, of which each keeps its quotes."""
    return before is not None and after is not None and before.kind in ("string", "escaped") and after.kind == "string"


def _gap(before: Lexeme, after: Lexeme, random: Random) -> str:
    """Return white space and comments; none only where nothing can join."""
    if _goes_on(before, after):
        return "\n" + random.choice(_SPACES)
    if _MARKS_THAT_NEVER_JOIN & {before.text, after.text} and random.random() < 0.4:
        return ""
    return random.choice(_SPACES) + (_comment(random) if random.random() < 0.2 else "")


def _comment(random: Random) -> str:
    return f" {random.choice(_COMMENTS)} "


def _rewritten(lexeme: Lexeme, random: Random) -> str:
    """Return another spelling that means the same."""
    text = lexeme.text
    match lexeme.kind:
        case "word":
            return random.choice((text, text.translate(_ASCII_UPPER), text.translate(_ASCII_LOWER), _capital(text)))
        case "operator" if text in ("!=", "<>"):
            return random.choice(("!=", "<>"))
        case "string" | "dollar":
            value = lexeme.means[1]
            tag = tag_for(value + "$", random)
            return random.choice((text, f"{tag}{value}{tag}", "'" + value.replace("'", "''") + "'"))
        case "escaped":
            return text[:1].swapcase() + text[1:]
    return text


def _capital(text: str) -> str:
    return text[:1].translate(_ASCII_UPPER) + text[1:]
