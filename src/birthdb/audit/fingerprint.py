"""Fingerprints of sets of codes, computed without a database: ``hashtextextended`` of PostgreSQL in Python.

A fingerprint is a count and two sums of hashes with the seeds of the run (specification, R12). So fingerprints of
disjoint sets can be added, and the order does not matter. PostgreSQL hashes the bytes of a text by
``hash_bytes_extended``: Bob Jenkins' lookup3 over little-endian words, on every machine that PostgreSQL is packaged for
except IBM's mainframes.
"""

import codecs
from collections.abc import Callable, Iterable
from functools import reduce
from typing import NamedTuple

_WORD = 0xFFFFFFFF
_GOLDEN = 0x9E3779B9 + 3923095

_State = tuple[int, int, int]


class Fingerprint(NamedTuple):
    """A number of births, and the sums of the hashes of their codes with one seed and with another."""

    births: int = 0
    a: int = 0
    b: int = 0

    def plus(self, other: Iterable[int]) -> "Fingerprint":
        """Return the fingerprint of the union with a disjoint set."""
        return Fingerprint(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))

    def minus(self, other: Iterable[int]) -> "Fingerprint":
        """Return the fingerprint of this set without the other one, a subset."""
        return Fingerprint(*(mine - theirs for mine, theirs in zip(self, other, strict=True)))


def sum_of(fingerprints: Iterable[Fingerprint]) -> Fingerprint:
    """Return the fingerprint of the union of disjoint sets."""
    return reduce(Fingerprint.plus, fingerprints, Fingerprint())


def hasher(seed: int) -> Callable[[bytes], int]:
    """Return ``hashtextextended`` with a seed: of a text's bytes in its database's encoding, signed, of 64 bits."""
    # Where it begins depends on the length alone, and codes have few lengths.
    begins: dict[int, _State] = {}

    def hash_extended(data: bytes) -> int:
        length = len(data)
        begin = begins.get(length)
        if begin is None:
            begin = begins[length] = _begin(length, seed)
        a, b, c = begin
        whole = length - length % 12
        for at in range(0, whole, 12):
            # Three words at once, the first one lowest.
            words = int.from_bytes(data[at : at + 12], "little")
            a, b, c = _mix(a + words & _WORD, b + (words >> 32) & _WORD, c + (words >> 64) & _WORD)
        # The lowest byte of the last word is the length's.
        words = int.from_bytes(data[whole:], "little")
        a, b, c = a + words & _WORD, b + (words >> 32) & _WORD, c + (words >> 64 << 8) & _WORD
        c = (c ^ b) - (b << 14 & _WORD | b >> 18) & _WORD
        a = (a ^ c) - (c << 11 & _WORD | c >> 21) & _WORD
        b = (b ^ a) - (a << 25 & _WORD | a >> 7) & _WORD
        c = (c ^ b) - (b << 16 & _WORD | b >> 16) & _WORD
        a = (a ^ c) - (c << 4 & _WORD | c >> 28) & _WORD
        b = (b ^ a) - (a << 14 & _WORD | a >> 18) & _WORD
        c = (c ^ b) - (b << 24 & _WORD | b >> 8) & _WORD
        return (b << 32 | c) - (b >> 31 << 64)

    return hash_extended


def codec_of(encoding: str) -> str | None:
    """Return Python's name of a database's encoding, where it has one."""
    for name in (encoding, encoding.replace("WIN", "cp")):
        try:
            return codecs.lookup(name).name
        # A name of no encoding, or one that is not even of letters.
        except (LookupError, ValueError):
            continue
    return None


def _begin(length: int, seed: int) -> _State:
    start = _GOLDEN + length & _WORD
    return _mix(start + (seed >> 32) & _WORD, start + seed & _WORD, start) if seed else (start, start, start)


def _mix(a: int, b: int, c: int) -> _State:
    a = (a - c & _WORD) ^ (c << 4 & _WORD | c >> 28)
    c = c + b & _WORD
    b = (b - a & _WORD) ^ (a << 6 & _WORD | a >> 26)
    a = a + c & _WORD
    c = (c - b & _WORD) ^ (b << 8 & _WORD | b >> 24)
    b = b + a & _WORD
    a = (a - c & _WORD) ^ (c << 16 & _WORD | c >> 16)
    c = c + b & _WORD
    b = (b - a & _WORD) ^ (a << 19 & _WORD | a >> 13)
    a = a + c & _WORD
    c = (c - b & _WORD) ^ (b << 4 & _WORD | b >> 28)
    b = b + a & _WORD
    return a, b, c
