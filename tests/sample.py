"""Which of alike cases ``make test`` takes."""

from collections.abc import Iterable, Sequence
from typing import Any

import pytest


def some(names: str | Sequence[str], cases: Iterable[Any], most: int = 1, **how: Any) -> pytest.MarkDecorator:
    """Parametrize a test: the cases after the first ``most`` are of ``make test-long`` alone.

    For cases that take the same path with another word in it, and whose first ones hold the promise.
    """
    several = not isinstance(names, str)
    parameters = [
        case if number < most else pytest.param(*(case if several else (case,)), marks=pytest.mark.long)
        for number, case in enumerate(cases)
    ]
    return pytest.mark.parametrize(names, parameters, **how)
