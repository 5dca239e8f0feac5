"""Which of alike cases ``make test`` takes: the first ones. The others are of ``make test-long``.

For cases that take the same path with another word in it, and whose first ones hold the promise.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import pytest


def sampled(cases: Iterable[Any], most: int = 1, *, several: bool = False) -> list[Any]:
    """Return cases as parameters, those after the first ``most`` marked; ``several``: each is a tuple of arguments."""
    return [
        case if number < most else pytest.param(*(case if several else (case,)), marks=pytest.mark.long)
        for number, case in enumerate(cases)
    ]


def some(names: str | Sequence[str], cases: Iterable[Any], most: int = 1, **how: Any) -> pytest.MarkDecorator:
    """Parametrize a test by such cases."""
    return pytest.mark.parametrize(names, sampled(cases, most, several=not isinstance(names, str)), **how)
