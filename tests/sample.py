"""Which of alike cases ``make test`` takes: the first ones, or every so many. The others are of ``make test-long``.

For cases that take the same path with another word in it, of which a few hold the promise.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import pytest


def sampled(cases: Iterable[Any], most: int = 1, *, every: int = 0, several: bool = False) -> list[Any]:
    """Return cases as parameters, all but the first ``most`` marked, or but one in ``every``.

    ``several``: each is a tuple of arguments.
    """
    return [
        case
        if (number % every == 0 if every else number < most)
        else pytest.param(*(case if several else (case,)), marks=pytest.mark.long)
        for number, case in enumerate(cases)
    ]


def some(
    names: str | Sequence[str], cases: Iterable[Any], most: int = 1, *, every: int = 0, **how: Any
) -> pytest.MarkDecorator:
    """Parametrize a test by such cases."""
    return pytest.mark.parametrize(names, sampled(cases, most, every=every, several=not isinstance(names, str)), **how)
