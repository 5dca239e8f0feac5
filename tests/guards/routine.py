"""The guards in the text of a routine: found by reading its statements, and taken out by changing them.

What counts as a guard, and what stands in its place while it is taken out:

- a refusal, ``PERFORM fn_birth_raise(…)``, ``fn_birth_refuse(…)`` or ``RAISE EXCEPTION``: nothing
- a refusal handed on as a value, ``blockers := blockers || fn_birth_error(…)``, ``status := 'BLOCKED_…'``: nothing
- a branch of a CASE that gives such a value: its condition is false
- a row of the list of checks: it passes; where it demands several things, each of them: true
- where a condition has alternatives, each of them: false
- a call of a routine that refuses or records, ``PERFORM birth.…``: nothing; of a ``…_blocker``, or of one that hands
  a refusal on to a trigger: no refusal
- what an UPDATE demands of its row before a refusal follows, each part: true
- the exemption of a policy: false
- a lock, of rows, of a table, or advisory: nothing
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

from birthdb import paths
from pgcontract.mutation import lexemes
from pgcontract.texts import body_of

_OPENS = ("(", "[")
_CLOSES = (")", "]")

#: What returns a refusal, or NULL: blockers of a run, and what a trigger of a user's table raises.
_HANDS_ON = re.compile(r"fn_birth_(\w+_blockers?|gateway_(report|no_code)|life_(report|end|return|change|truncate))")


class UnreadableError(Exception):
    """A routine whose statements could not be told apart."""


@dataclass(frozen=True)
class Token:
    """A lexeme that means something, and where it stands."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.start + len(self.text)

    @property
    def word(self) -> str:
        """A word in upper case; nothing for everything else."""
        return self.text.upper() if self.kind == "word" else ""


Tokens = tuple[Token, ...]


@dataclass
class Branch:
    """Statements that run on one condition: of an IF, an ELSIF, or none."""

    condition: Tokens = ()
    #: The statement before the IF.
    before: Tokens = ()
    statements: list[Tokens] = field(default_factory=list)


@dataclass(frozen=True)
class Change:
    """A guard of a routine: its text, and what stands in its place when it is taken out."""

    what: str
    start: int
    end: int
    instead: str
    #: Where the statement begins from which its refusal comes, and which one of the catalogue that is, if it is one.
    seen: int = 0
    error: str = ""


@cache
def routines() -> dict[str, str]:
    """Return the bodies of all routines by name, as ``pg_proc.prosrc`` has them."""
    found = {}
    for file in sorted((paths.SQL / "functions").rglob("*.sql")):
        body = body_of(file.read_text(encoding="utf-8"), file.stem)
        if body is None:
            raise UnreadableError(f"{file.name} has no body ${file.stem}$")
        found[file.stem] = body
    return found


def changes(body: str) -> list[Change]:
    """Return the guards of a body, in their order."""
    tokens = _tokens(body)
    if _is_procedural(tokens):
        found = [*_in_statements(body)]
    else:
        found = [*_in_cases(body, tokens, "", 0), *_in_locks(body, tokens)]
    return sorted(found, key=lambda change: (change.start, change.end))


def without(body: str, change: Change) -> str:
    """Return the body without a guard of it."""
    return body[: change.start] + change.instead + body[change.end :]


def branches(body: str) -> list[Branch]:
    """Return the statements of a PL/pgSQL body, as they hang together. Raises UnreadableError."""
    reader = _Reader(_tokens(body))
    reader.block()
    if reader.at < len(reader.tokens):
        raise UnreadableError(f"there is more after the end: {reader.tokens[reader.at].text}")
    return reader.branches


def _is_procedural(tokens: Tokens) -> bool:
    return tokens[0].word in ("DECLARE", "BEGIN")


def _tokens(text: str) -> Tokens:
    found, at = [], 0
    for lexeme in lexemes(text):
        if lexeme.kind not in ("space", "comment"):
            found.append(Token(lexeme.kind, lexeme.text, at))
        at += len(lexeme.text)
    return tuple(found)


class _Reader:
    """Tells statements apart; expressions stay as they are."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.at = 0
        self.branches: list[Branch] = []

    @property
    def word(self) -> str:
        return self.tokens[self.at].word if self.at < len(self.tokens) else ""

    def until(self, *ends: str) -> Tokens:
        """Take what stands before the first of these words or marks outside brackets and CASE, and step over it."""
        first, depth = self.at, 0
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            if depth == 0 and (token.word in ends or token.text in ends):
                self.at += 1
                return self.tokens[first : self.at - 1]
            depth += _deeper(token)
            self.at += 1
        raise UnreadableError(
            f"no {' or '.join(ends)} after {' '.join(token.text for token in self.tokens[first - 1 :])}"
        )

    def block(self) -> None:
        """Read DECLARE … BEGIN … EXCEPTION … END."""
        if self.word == "DECLARE":
            self.at += 1
            declared = Branch()
            self.branches.append(declared)
            while self.word != "BEGIN":
                declared.statements.append(self.until(";"))
        if self.word != "BEGIN":
            raise UnreadableError(f"{self.word} instead of BEGIN")
        self.at += 1
        self.statements(Branch())
        if self.word == "EXCEPTION":
            self.at += 1
            while self.word == "WHEN":
                self.until("THEN")
                self.statements(Branch())
        self.end()

    def statements(self, branch: Branch) -> None:
        """Read statements up to the word that ends them."""
        self.branches.append(branch)
        while self.word not in ("END", "ELSE", "ELSIF", "EXCEPTION", "WHEN"):
            if self.word == "IF":
                self.choice(branch.statements[-1] if branch.statements else ())
            elif self.word in ("LOOP", "WHILE", "FOR", "FOREACH"):
                self.until("LOOP")
                self.statements(Branch())
                self.end()
            elif self.word in ("BEGIN", "DECLARE"):
                self.block()
            elif self.word == "CASE":
                raise UnreadableError("a CASE statement: not used here")
            else:
                branch.statements.append(self.until(";"))

    def choice(self, before: Tokens) -> None:
        """Read IF … ELSIF … ELSE … END IF."""
        while self.word in ("IF", "ELSIF"):
            self.at += 1
            self.statements(Branch(self.until("THEN"), before))
        if self.word == "ELSE":
            self.at += 1
            self.statements(Branch())
        self.end()

    def end(self) -> None:
        """Step over END, what it ends, and the semicolon; the last one of all has none."""
        if self.word != "END":
            raise UnreadableError(f"{self.word} instead of END")
        self.at += 1
        if self.at < len(self.tokens):
            self.until(";")


def _deeper(token: Token) -> int:
    if token.text in _OPENS or token.word == "CASE":
        return 1
    return -1 if token.text in _CLOSES or token.word == "END" else 0


def _in_statements(body: str) -> Iterator[Change]:
    status = "'BLOCKED_" in body
    procedure = any(tokens[0].word == "COMMIT" for branch in branches(body) for tokens in branch.statements if tokens)
    blocks = branches(body)
    # Faults that are found in one place and refused in another.
    refused_at = {
        token.text: tokens[0].start
        for branch in reversed(blocks)
        for tokens in reversed(branch.statements)
        if _refusal(tokens, False) is not None
        for token in tokens
    }
    for branch in blocks:
        sets = {_target(tokens) for tokens in branch.statements}
        refusals = []
        for tokens in branch.statements:
            yield from _in_locks(body, tokens)
            yield from _in_checks(body, tokens)
            if (kind := _refusal(tokens, status and "status" not in sets)) is not None:
                refusals.append((tokens, kind))
            else:
                yield from _in_calls(body, tokens, refused_at.get(_target(tokens) or ""))
        parts = [*_alternatives(body, branch.condition)] if branch.condition and refusals else []
        if len(parts) > 1:
            (first, *_), kind = refusals[0]
            for part, what, instead in parts:
                yield _change(body, part, f"{kind}: {what}", instead, first.start, kind)
        if len(parts) < 2 or len(refusals) > 1:
            about = f": {_text(body, branch.condition)}" if branch.condition else ""
            for tokens, kind in refusals:
                ending = "RETURN" if procedure and tokens[0].word == "RAISE" else "NULL"
                yield _change(body, tokens, f"{kind}{about}", ending, error=kind)
        if refusals and [token.word for token in branch.condition] == ["NOT", "FOUND"]:
            yield from _in_update(body, branch.before)
        if any(token.text.startswith("'BIRTH_EXEMPT_") for token in branch.condition):
            yield _change(body, branch.condition, _text(body, branch.condition), "false")


def _refusal(tokens: Tokens, reasons: bool) -> str | None:
    """Return what a statement refuses, and None for one that does not; ``reasons`` are refusals too."""
    words = _start(tokens)
    if words[:4] == ["PERFORM", "birth", ".", "fn_birth_raise"]:
        return next(token.text.strip("'") for token in tokens if token.kind == "string")
    if words[:4] == ["PERFORM", "birth", ".", "fn_birth_refuse"] and not _arguments(tokens, "coalesce"):
        if asked := _arguments(tokens, "fn_birth_checks"):
            return "checks of " + asked[0][0].text.strip("'")
        return "".join(token.text for token in tokens[3:])
    if words[:2] == ["RAISE", "EXCEPTION"]:
        return "RAISE EXCEPTION"
    value = _value(tokens)
    outside = [token for token, depth in _depths(value) if depth == 0]
    if any(token.text == "fn_birth_error" for token in outside):
        return next(token.text.strip("'") for token in value if token.kind == "string")
    target = _target(tokens)
    if target is not None and value:
        if value[0].word != "CASE" and any(token.text.startswith("'BLOCKED_") for token in value):
            return next(token.text.strip("'").split(" ")[0] for token in value if token.kind == "string")
        if value[0].text == "'NULL::text'" or value[0].text == "'SELECT NULL::text'":
            return f"{target} is NULL"
        if reasons and target == "reason" and value[0].text == "format":
            return next(token.text.strip("'") for token in value if token.kind == "string")
    return None


def _in_calls(body: str, tokens: Tokens, refused_at: int | None) -> Iterator[Change]:
    """Yield the calls that refuse or hand on a refusal, and the branches of a CASE that do."""
    if not tokens:
        return
    seen = tokens[0].start if refused_at is None else refused_at
    words = _start(tokens)
    if words[:4] == ["PERFORM", "birth", ".", "fn_birth_refuse"]:
        for argument in _arguments(tokens, "coalesce"):
            yield _change(body, argument, _text(body, argument), "NULL::jsonb", seen)
    elif words[:3] == ["PERFORM", "birth", "."]:
        yield _change(body, tokens, _text(body, tokens), "NULL")
    else:
        for number, token in enumerate(tokens):
            if _HANDS_ON.fullmatch(token.text):
                call = _call(tokens, number)
                yield _change(body, call, _text(body, call), "NULL::jsonb", seen)
        yield from _in_cases(body, tokens, _target(tokens) or "", seen)


def _in_cases(body: str, tokens: Tokens, target: str, seen: int) -> Iterator[Change]:
    """Yield the conditions of searched CASEs whose value is a refusal."""
    for number, token in enumerate(tokens):
        if token.word != "CASE" or tokens[number + 1].word != "WHEN":
            continue
        reader = _Reader(tokens)
        reader.at = number + 1
        while reader.word == "WHEN":
            reader.at += 1
            condition = reader.until("THEN")
            first, depth = reader.at, 0
            while depth or reader.word not in ("WHEN", "ELSE", "END"):
                depth += _deeper(tokens[reader.at])
                reader.at += 1
            value = tokens[first : reader.at]
            named = any(part.text == "fn_birth_error" or part.text.startswith("'BLOCKED_") for part in value)
            if named or target.endswith("_fault") or (target == "reason" and value[0].text == "format"):
                texts = [part.text for part in value]
                errors = value[texts.index("fn_birth_error") :] if "fn_birth_error" in texts else ()
                error = next((part.text.strip("'") for part in errors if part.kind == "string"), "")
                for part, what, instead in _alternatives(body, condition):
                    yield _change(body, part, what, instead, seen, error)


def _in_checks(body: str, tokens: Tokens) -> Iterator[Change]:
    """Yield the rows of the list of checks: known by their names, and by each thing where they demand several."""
    words = [token.text for token in tokens]
    columns = ["(", "scopes", ",", "check_name", ",", "pass", ",", "error", ","]
    if "VALUES" not in words or not any(words[at : at + 9] == columns for at in range(len(words))):
        return
    at = words.index("VALUES") + 1
    while words[at] == "(":
        row = _call(tokens, at - 1)[3:]
        _, name, passes, error, *_ = _commas(row[1:-1])
        label, refused = name[0].text.strip("'"), error[0].text.strip("'") if error[0].kind == "string" else ""
        parts = _split(passes, "AND")
        for part in parts:
            what = label if len(parts) == 1 else f"{label}: {_text(body, part)}"
            yield _change(body, part, what, "true", row[0].start, refused)
        at += len(row) + 1


def _in_update(body: str, update: Tokens) -> Iterator[Change]:
    """Yield what an UPDATE demands of its row beyond which one it is."""
    words = [token.word for token in update]
    if words[:1] == ["UPDATE"] and "WHERE" in words:
        for part in _split(update[words.index("WHERE") + 1 :], "AND")[1:]:
            yield _change(body, part, f"UPDATE … WHERE {_text(body, part)}", "true")


def _alternatives(body: str, condition: Tokens) -> Iterator[tuple[Tokens, str, str]]:
    """Yield what alone makes a condition true: what it is, how it reads, and what takes its place to take it out."""
    for part in _split(condition, "OR"):
        # A comparison of rows is one of each pair.
        closing = next((n for n, (token, depth) in enumerate(_depths(part)) if depth == 0 and token.text == ")"), 0)
        lefts = _commas(part[1:closing])
        if len(lefts) > 1 and [token.text for token in part[closing + 1 : closing + 3]] == ["<>", "("]:
            for left, right in zip(lefts, _commas(part[closing + 3 : -1]), strict=True):
                yield left, f"{_text(body, left)} <> {_text(body, right)}", _text(body, right)
        else:
            yield part, _text(body, part), "false"


def _in_locks(body: str, tokens: Tokens) -> Iterator[Change]:
    words = [token.word for token in tokens]
    if words[:2] == ["PERFORM", "PG_ADVISORY_XACT_LOCK"] or any(t.text.startswith("'LOCK TABLE") for t in tokens):
        yield _change(body, tokens, _text(body, tokens), "NULL")
    for number, word in enumerate(words):
        if word == "FOR" and words[number + 1] in ("UPDATE", "SHARE", "NO"):
            end = number + 1
            while end < len(words) and words[end] in ("UPDATE", "SHARE", "NO", "KEY", "OF", "O", "SKIP", "LOCKED"):
                end += 1
            table = next(tokens[at + 3].text for at in range(number, -1, -1) if words[at] == "FROM")
            yield _change(body, tokens[number:end], f"{_text(body, tokens[number:end])} ({table})", "")


def _start(tokens: Tokens) -> list[str]:
    return [token.word if token.word in ("PERFORM", "RAISE", "EXCEPTION") else token.text for token in tokens[:4]]


def _target(tokens: Tokens) -> str | None:
    """Return the variable that a statement or declaration assigns to, and None for all others."""
    for token, depth in _depths(tokens):
        if depth == 0 and token.text == ":=":
            return tokens[0].text if tokens[1].text != "." else tokens[2].text
    return None


def _value(tokens: Tokens) -> Tokens:
    """Return what a statement assigns or returns."""
    for number, (token, depth) in enumerate(_depths(tokens)):
        if depth == 0 and (token.text == ":=" or token.word == "RETURN"):
            return tokens[number + 1 :]
    return ()


def _depths(tokens: Tokens) -> Iterator[tuple[Token, int]]:
    depth = 0
    for token in tokens:
        step = _deeper(token)
        depth += min(step, 0)
        yield token, depth
        depth += max(step, 0)


def _split(tokens: Tokens, word: str) -> list[Tokens]:
    """Split an expression at a word outside brackets and CASE; the AND of a BETWEEN is no such word."""
    parts: list[Tokens] = []
    first, between = 0, False
    for number, (token, depth) in enumerate(_depths(tokens)):
        if depth == 0 and token.word == "BETWEEN":
            between = True
        elif depth == 0 and token.word == word:
            if between and word == "AND":
                between = False
                continue
            parts.append(tokens[first:number])
            first = number + 1
    return [*parts, tokens[first:]]


def _call(tokens: Tokens, number: int) -> Tokens:
    """Return the call, schema included, whose name has this number."""
    depth = 0
    for end in range(number + 1, len(tokens)):
        depth += _deeper(tokens[end])
        if depth == 0:
            return tokens[number - 2 : end + 1]
    raise UnreadableError(f"the call of {tokens[number].text} does not end")


def _arguments(tokens: Tokens, function: str) -> list[Tokens]:
    """Return the arguments of the first call of a function, and none where there is none."""
    for number, token in enumerate(tokens[:-1]):
        if token.text == function and tokens[number + 1].text == "(":
            return _commas(_call(tokens, number)[4:-1])
    return []


def _commas(tokens: Tokens) -> list[Tokens]:
    parts: list[Tokens] = []
    first = 0
    for number, (token, depth) in enumerate(_depths(tokens)):
        if depth == 0 and token.text == ",":
            parts.append(tokens[first:number])
            first = number + 1
    return [*parts, tokens[first:]]


def _text(body: str, tokens: Tokens) -> str:
    return re.sub(r"\s+", " ", body[tokens[0].start : tokens[-1].end])


def _change(body: str, tokens: Tokens, what: str, instead: str, seen: int | None = None, error: str = "") -> Change:
    start, end = tokens[0].start, tokens[-1].end
    return Change(re.sub(r"\s+", " ", what), start, end, instead, start if seen is None else seen, error)
