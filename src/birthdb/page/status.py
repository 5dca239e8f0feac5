"""The collections of a database on one page: what is governed, what runs, what needs a person."""

from collections.abc import Mapping, Sequence

from birthdb.api import Row
from birthdb.page.sections import Page, Section

#: As v_birth_attention ranks them.
_ALARMING = ("critical", "warning")


def dashboard(found: Mapping[str, Sequence[Row]], where: str) -> Page:
    """Return what ``birthdb status --all`` found, as a page; ``where`` names the database and the moment."""
    items = found.get("attention", ())
    alarming = [item for item in items if item["severity"] in _ALARMING]
    release = ", ".join(str(row["release"]) for row in found["release"])
    sections = [
        Section(
            "Needs action",
            [] if items else ["Nothing."],
            rows=[{"severity": item["severity"], "since": item["since"], "what": item["what"]} for item in items],
            statements=[str(item["next_step"]) for item in items if item["next_step"]],
            alarm=bool(alarming),
        ),
        Section("Collections", [] if found["collections"] else ["None."], rows=found["collections"]),
    ]
    for title, rows in found.items():
        if title not in ("release", "collections", "attention") and rows:
            sections.append(Section(title.capitalize(), rows=rows))
    lead = f"{len(found['collections'])} collections, {len(alarming)} things that need action; release {release}"
    return Page("birthdb", lead, sections, where)
