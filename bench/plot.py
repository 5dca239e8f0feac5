"""Plots as SVG, light enough to commit and legible on white and on black: the colours follow the reader's scheme."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

_WIDTH, _HEIGHT = 720, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 74, 24, 54, 100
_LETTER = 7.2
_STYLE = """
  .paper { fill: #ffffff }
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-weight: 600; font-size: 15px }
  .grid { stroke: #d0d7de; stroke-width: 1 }
  .line { fill: none; stroke-width: 2; stroke-linejoin: round }
  .s0 { stroke: #0969da; color: #0969da } .s1 { stroke: #bc4c00; color: #bc4c00 }
  .s2 { stroke: #1a7f37; color: #1a7f37 } .s3 { stroke: #8250df; color: #8250df }
  .line.s1 { stroke-dasharray: 7 3 } .line.s2 { stroke-dasharray: 2 3 } .line.s3 { stroke-dasharray: 7 3 2 3 }
  .dot { fill: currentColor; stroke: none }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117 }
    text { fill: #e6edf3 } .grid { stroke: #3d444d }
    .s0 { stroke: #58a6ff; color: #58a6ff } .s1 { stroke: #f0883e; color: #f0883e }
    .s2 { stroke: #3fb950; color: #3fb950 } .s3 { stroke: #bc8cff; color: #bc8cff }
  }
"""


@dataclass(frozen=True)
class Line:
    """One line of a plot."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Plot:
    """Lines over one horizontal axis, logarithmic where ``log``; the vertical axis begins at zero."""

    name: str
    title: str
    across: str
    upward: str
    lines: Sequence[Line]
    log: bool = False

    def svg(self) -> str:
        """Return the picture as an SVG document."""
        xs = [x for line in self.lines for x, _ in line.points]
        ys = [y for line in self.lines for _, y in line.points]
        steps = _ticks(max(ys))
        top = steps[-1]
        marks = sorted(set(xs)) if self.log else _ticks(max(xs))
        low, high = (log10(min(xs)), log10(max(xs))) if self.log else (0.0, float(marks[-1]))

        def across(x: float) -> float:
            where = ((log10(x) if self.log else x) - low) / ((high - low) or 1)
            return round(_LEFT + where * (_WIDTH - _LEFT - _RIGHT), 1)

        def upward(y: float) -> float:
            return round(_HEIGHT - _BOTTOM - y / top * (_HEIGHT - _TOP - _BOTTOM), 1)

        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
            f"<title>{escape(self.title)}</title><style>{_STYLE}</style>",
            f'<rect class="paper" width="{_WIDTH}" height="{_HEIGHT}"/>',
            _text(_LEFT, 22, self.title, "title"),
            _text(_LEFT, 42, self.upward),
            _text(_WIDTH - _RIGHT, _HEIGHT - _BOTTOM + 40, self.across, anchor="end"),
        ]
        for y in steps:
            parts.append(f'<path class="grid" d="M{_LEFT} {upward(y)}H{_WIDTH - _RIGHT}"/>')
            parts.append(_text(_LEFT - 8, upward(y) + 4, _number(y), anchor="end"))
        parts += [_text(across(x), _HEIGHT - _BOTTOM + 20, _number(x), anchor="middle") for x in marks]
        beside, below = _LEFT, _HEIGHT - 34
        for i, line in enumerate(self.lines):
            path = "L".join(f"{across(x)} {upward(y)}" for x, y in line.points)
            parts.append(f'<path class="line s{i % 4}" d="M{path}"/>')
            if len(line.points) <= 20:
                dots = [f'cx="{across(x)}" cy="{upward(y)}"' for x, y in line.points]
                parts += [f'<circle class="dot s{i % 4}" {dot} r="3.5"/>' for dot in dots]
            wide = 46 + round(_LETTER * len(line.name))
            if beside > _LEFT and beside + wide > _WIDTH:
                beside, below = _LEFT, below + 22
            parts.append(f'<path class="line s{i % 4}" d="M{beside} {below - 4}h18"/>')
            parts.append(_text(beside + 24, below, line.name))
            beside += wide
        return "\n".join([*parts, "</svg>", ""])


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    style = f' class="{kind}"' if kind else ""
    return f'<text{style} x="{x}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'


def _ticks(most: float) -> list[float]:
    """Return round numbers from zero to beyond ``most``, about five."""
    if most <= 0:
        return [0.0, 1.0]
    rough = most / 5
    unit = 10 ** floor(log10(rough))
    step = next(unit * factor for factor in (1, 2, 2.5, 5, 10) if unit * factor >= rough)
    return [round(step * i, 10) for i in range(ceil(most / step - 1e-9) + 1)]


def _number(value: float) -> str:
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"
