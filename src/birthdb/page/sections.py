"""What a page is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it, in this order; what is empty is left out."""

    title: str
    text: Sequence[str] = ()
    #: Names and values, as of one thing.
    facts: Mapping[str, Any] = field(default_factory=dict)
    #: Rows of one shape.
    rows: Sequence[Mapping[str, Any]] = ()
    #: Statements to copy, each with who sends it.
    statements: Sequence[str] = ()
    #: Numbers over time, one a batch: when, how many rows.
    plot: Sequence[tuple[datetime, int]] = ()
    #: True where it says that something is wrong or missing.
    alarm: bool = False


@dataclass(frozen=True)
class Page:
    """A title, one sentence that says what it is about, and sections."""

    title: str
    lead: str
    sections: Sequence[Section]
    made: str
