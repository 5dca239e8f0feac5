"""What a file of ``sql/`` makes and mentions, and the order that follows; read from tokens.

A mention is *hard* where the server looks the object up when the file runs: in a view, a table, the header of a
routine, a body in SQL. A PL/pgSQL body is looked up when it is called: its mentions order files where they can, and
where routines call each other in a circle the alphabet decides.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import PurePosixPath

from pgcontract.scanner import ParseError
from pgcontract.semantic import tokens

#: What a file of a folder makes: one of these, named after the file.
KINDS = {"functions": ("function", "procedure"), "tables": ("table",), "views": ("view",)}

_WORDS = ("word", "name")


@dataclass(frozen=True)
class References:
    """What a text makes, as ``(kind, name)``, and the names of the schema that it mentions.

    ``said`` are names in strings: statements built at run time, and prose. They order nothing.
    """

    makes: tuple[tuple[str, str], ...]
    hard: frozenset[str]
    soft: frozenset[str]
    said: frozenset[str]

    @property
    def names(self) -> frozenset[str]:
        """Every name mentioned."""
        return self.hard | self.soft | self.said


@cache
def references(text: str, schema: str) -> References:
    """Return what a file makes of a schema and mentions of it. Raises ParseError for text that cannot be scanned."""
    makes: list[tuple[str, str]] = []
    hard: set[str] = set()
    soft: set[str] = set()
    said: set[str] = set()
    for statement in _statements(tokens(text)):
        words = [word if kind in _WORDS else None for kind, word in statement]
        # A comment's text is prose.
        if words[:2] == ["comment", "on"]:
            continue
        made = _made(words, schema) if words[0] == "create" else None
        if made:
            makes.append(made)
        hard.update(_qualified(words, schema))
        bodies = words[0] == "do" or (made is not None and made[0] in KINDS["functions"])
        called = words[0] != "do" and ("language", "plpgsql") in pairwise(words)
        for inner in (string for kind, string in statement if kind == "string"):
            body, strings = _in_string(inner, schema)
            (said if not bodies else soft if called else hard).update(body)
            said.update(strings)
    own = {name for _, name in makes}
    return References(
        tuple(makes), frozenset(hard - own), frozenset(soft - hard - own), frozenset(said - soft - hard - own)
    )


def _statements(stream: Iterable[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    statement: list[tuple[str, str]] = []
    for token in stream:
        if token != ("word", ";"):
            statement.append(token)
        elif statement:
            yield statement
            statement = []
    if statement:
        yield statement


def _made(words: Sequence[str | None], schema: str) -> tuple[str, str] | None:
    rest = [word for word in words[1:8] if word not in ("or", "replace")]
    known = {kind for kinds in KINDS.values() for kind in kinds}
    if len(rest) >= 4 and rest[0] in known and rest[1:3] == [schema, "."] and rest[3] is not None:
        return str(rest[0]), rest[3]
    return None


def _qualified(words: Sequence[str | None], schema: str) -> Iterator[str]:
    for first, dot, name in zip(words, words[1:], words[2:], strict=False):
        if first == schema and dot == "." and name is not None:
            yield name


def _in_string(text: str, schema: str) -> tuple[set[str], set[str]]:
    """Return what a body mentions, and what the strings in it do."""
    try:
        found = list(tokens(text))
    except ParseError:
        # Part of a statement: a pattern may only find too much.
        return set(re.findall(rf"\b{schema}\.(\w+)", text)), set()
    mentioned = set(_qualified([word if kind in _WORDS else None for kind, word in found], schema))
    strings = [_in_string(inner, schema) for kind, inner in found if kind == "string" and schema in inner]
    return mentioned, {name for names in strings for part in names for name in part}


class Circle(Exception):
    """Files that each need another one to be there first; the argument is their paths."""


def arrange(files: Mapping[str, References], listed: Sequence[str] = ()) -> list[str]:
    """Return the paths, each after what it mentions; tables first, then in the order of ``listed``, then by name.

    Raises Circle where hard mentions form one.
    """
    made: dict[str, set[str]] = {}
    for path, file in files.items():
        for _, name in file.makes or [("", PurePosixPath(path).stem)]:
            made.setdefault(name, set()).add(path)

    def needs(names: Iterable[str], path: str) -> set[str]:
        return {other for name in names for other in made.get(name, ())} - {path}

    hard = {path: needs(file.hard, path) for path, file in files.items()}
    every = {path: needs(file.hard | file.soft, path) for path, file in files.items()}
    place = {path: position for position, path in enumerate(listed)}

    def rank(path: str) -> tuple[bool, int, str]:
        table = any(kind == "table" for kind, _ in files[path].makes)
        return not table, place.get(path, len(place)), path

    ordered: list[str] = []
    left = set(files)
    while left:
        if ready := [path for path in left if not every[path] & left]:
            ordered.append(min(ready, key=rank))
        elif loose := [path for path in left if not hard[path] & left and _in_source(path, every, left)]:
            ordered.append(min(loose))
        else:
            raise Circle(sorted(path for path in left if _in_source(path, every, left)))
        left.remove(ordered[-1])
    return ordered


def _in_source(path: str, edges: Mapping[str, set[str]], left: set[str]) -> bool:
    """Return whether the path waits only for files that wait for it in turn."""
    return all(path in _reached(other, edges, left) for other in _reached(path, edges, left))


def _reached(path: str, edges: Mapping[str, set[str]], left: set[str]) -> set[str]:
    found: set[str] = set()
    ahead = [path]
    while ahead:
        new = (edges[ahead.pop()] & left) - found
        found |= new
        ahead += new
    return found
