"""The guides: their sections, and the statements in them."""

import re

from birthdb import paths


def section(page: str, heading: str) -> str:
    """Return a section of a guide, with those below it."""
    text = (paths.ROOT / "docs" / "guide" / page).read_text(encoding="utf-8")
    level = heading.split(" ")[0]
    found = re.search(rf"^{re.escape(heading)}$(.*?)(?=^#{{1,{len(level)}}} |\Z)", text, re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1]


def blocks(text: str, language: str = "sql") -> list[str]:
    """Return the blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def statements(block: str) -> list[str]:
    """Return the statements of a block, each of which ends its line."""
    return [each.strip() for each in re.split(r"(?<=;)\s*(?:--.*)?\n", block) if each.strip()]
