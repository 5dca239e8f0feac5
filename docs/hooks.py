"""What the site needs and the forge does not: files outside docs/, the forge's lists, the summary of README.md."""

import posixpath
import re
from pathlib import Path
from typing import Any

from markdown import Markdown
from markdown.extensions import Extension
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]

#: Where the site keeps the files that its pages link to and that are not in docs/.
OUTSIDE = "repository"

#: The line of index.md that leads to README.md on the forge. The site has the text itself there.
SUMMARY = re.compile(r"^\[README\.md\]\(.*\n", re.MULTILINE)

_LINK = re.compile(r"(\]\()([^)\s:#']+)((?:#[^)]*)?\))")
_FENCE = re.compile(r"^( *```).*?^\1", re.MULTILINE | re.DOTALL)


class ForgeLists(Extension):  # type: ignore[misc]
    """Lists whose items go on after two or three spaces; Python-Markdown wants four."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - the name is Python-Markdown's
        """Set the width of an indentation, and build the parsers anew: each remembers it."""
        md.tab_length = 2
        md.build_parser()


def on_config(config: Any) -> Any:
    """Add the extension before the others: they register with the parsers that it builds."""
    config.markdown_extensions.insert(0, ForgeLists())
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add the files outside docs/ to which a page leads, and those to which these lead."""
    known = {_in_repository(file.src_uri) for file in files}
    waiting = [name for name in known if name.endswith(".md")]
    while waiting:
        for name in _outside(waiting.pop()) - known:
            known.add(name)
            waiting += [name] if name.endswith(".md") else []
            files.append(File.generated(config, _in_site(name), abs_src_path=str(ROOT / name)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Return a page with its summary, and with its links as the site has their files."""
    here = _in_repository(page.file.src_uri)
    if here == "docs/index.md":
        summary = (ROOT / "README.md").read_text(encoding="utf-8").split("\n\n")[1]
        markdown, found = SUMMARY.subn(f"{summary}\n", markdown)
        assert found == 1, "docs/index.md has no line that leads to README.md"

    def lead(found: re.Match[str]) -> str:
        target = _in_site(_target(here, found[2]))
        return found[1] + posixpath.relpath(target, posixpath.dirname(page.file.src_uri)) + found[3]

    return _LINK.sub(lead, markdown)


def _in_repository(site: str) -> str:
    return site.removeprefix(f"{OUTSIDE}/") if site.startswith(f"{OUTSIDE}/") else f"docs/{site}"


def _in_site(name: str) -> str:
    return name.removeprefix("docs/") if name.startswith("docs/") else f"{OUTSIDE}/{name}"


def _target(page: str, link: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(page), link))


def _outside(page: str) -> set[str]:
    text = _FENCE.sub("", (ROOT / page).read_text(encoding="utf-8"))
    targets = {_target(page, link) for _, link, _ in _LINK.findall(text)}
    return {name for name in targets if not name.startswith("docs/") and (ROOT / name).is_file()}
