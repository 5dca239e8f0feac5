"""A page as one HTML file: no network, no script, readable on a phone, on paper, in light and dark."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from birthdb.page.sections import Page
from birthdb.plain import statement, value

_WIDTH, _HEIGHT = 640, 120

_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    # Every name comes from a database, and whoever made a table chose it.
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters["value"] = value
_environment.filters["statement"] = statement


def html(page: Page) -> str:
    """Return the page as a document of UTF-8 text."""
    return _environment.get_template("page.html").render(page=page, plot=_plot)


def _plot(points: Sequence[tuple[datetime, int]]) -> Markup:
    """Return bars, one a batch, as high as its rows, where it was committed between the first and the last."""
    begin, end = points[0][0], points[-1][0]
    span = (end - begin).total_seconds() or 1.0
    most = max(rows for _, rows in points) or 1
    wide = max(1.0, min(24.0, _WIDTH / len(points) * 0.8))
    bars = "".join(
        f'<rect x="{(at - begin).total_seconds() / span * (_WIDTH - wide):.1f}"'
        f' y="{_HEIGHT - rows / most * _HEIGHT:.1f}" width="{wide:.1f}" height="{rows / most * _HEIGHT:.1f}"/>'
        for at, rows in points
    )
    said = f"{len(points)} batches of at most {most} rows in {span:.1f} seconds"
    # Numbers alone: nothing in it comes from the database as text.
    return Markup(
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{said}"><title>{said}</title>{bars}</svg>'
        f"<p>{said}</p>"
    )
