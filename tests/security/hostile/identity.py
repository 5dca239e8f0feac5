"""Identities that may be classified, and the codes that they give, made without asking the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from security.hostile.text import BLANK, WORDS, fits

Value = str | int
Valued = tuple[Value, ...]

#: Columns that a template can name: it has no words for braces and colons.
COLUMNS = WORDS.filter(
    lambda n: fits(n) and not set(n) & set("{}:") and n not in {"tableoid", "cmax", "xmax", "cmin", "xmin", "ctid"}
)
NUMBERS = st.integers(-(2**31), 2**31 - 1)


@dataclass(frozen=True)
class Identity:
    """The columns of a table with their types, and how a code is made of them: literal text, or a column's position."""

    types: dict[str, str]
    pieces: Sequence[str | tuple[int, int]]
    #: What ``fn_birth_identity_classify`` is given.
    parts: dict[str, Any]

    def code(self, row: Valued) -> str | None:
        """Return the row's code, or None where it can have none."""
        made = "".join(piece if isinstance(piece, str) else padded(row[piece[0]], piece[1]) for piece in self.pieces)
        return made if len(made.encode()) <= 512 and made.strip(BLANK) else None


def padded(value: Value, width: int) -> str:
    """Return a value as a template writes it; a width of 0 pads nothing."""
    return f"{value:0{width}}" if isinstance(value, int) and width else str(value)


@st.composite
def identities(draw: st.DrawFn) -> Identity:
    """Draw a prefix and a column, or a template over one to three columns."""
    names = draw(st.lists(COLUMNS, min_size=1, max_size=3, unique=True))
    types = {name: draw(st.sampled_from(["text", "integer"])) for name in names}
    prefix = draw(st.one_of(st.none(), WORDS.filter(lambda text: bool(text.strip(BLANK)))))
    if prefix is not None:
        (name, kind) = next(iter(types.items()))
        parts = {"p_strategy": "synthetic_id", "p_column": name, "p_prefix": prefix}
        return Identity({name: kind}, [prefix, (0, 0)], parts)
    pieces: list[str | tuple[int, int]] = [draw(WORDS)]
    template = doubled(str(pieces[0]))
    for position, (name, kind) in enumerate(types.items()):
        width = draw(st.integers(0, 12)) if kind == "integer" else 0
        literal = draw(st.one_of(st.just(""), WORDS))
        template += f"{{{name}{f':0{width}' if width else ''}}}{doubled(literal)}"
        pieces += [(position, width), literal]
    return Identity(types, pieces, {"p_strategy": "legacy", "p_template": template})


def doubled(text: str) -> str:
    """Return a literal as a template has it."""
    return text.replace("{", "{{").replace("}", "}}")


@st.composite
def rows_of(draw: st.DrawFn, identity: Identity) -> list[Valued]:
    """Draw rows of which no two have one code."""
    kinds = [NUMBERS if kind == "integer" else WORDS for kind in identity.types.values()]
    drawn = draw(st.lists(st.tuples(*kinds), min_size=2, max_size=5, unique=True))
    return list({identity.code(row) or repr(row): row for row in drawn}.values())
