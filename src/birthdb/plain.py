"""Text that is safe to print: names may contain control characters and bidirectional overrides."""

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any


def plain(text: str) -> str:
    """Return the text with all unprintable characters except line breaks escaped."""
    return text if text.isprintable() else "".join(c if c == "\n" else line(c) for c in text)


def line(text: str) -> str:
    """Return the text on one line, with all unprintable characters escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


_QUOTED = re.compile(r"""(?P<e>\bE)?'(?P<text>(?:[^']|'')*)'|"(?P<name>(?:[^"]|"")*)\"""")


def statement(text: str) -> str:
    """Return SQL that can be pasted: unprintable characters of names and values, but line breaks, in SQL's escapes."""
    return text if text.isprintable() else plain(_QUOTED.sub(_quoted, text))


def _quoted(found: re.Match[str]) -> str:
    name, text = found["name"], found["text"]
    if (said := text if name is None else name).replace("\n", "").isprintable():
        return found[0]
    if not found["e"]:
        said = said.replace("\\", "\\\\")
    long, short = ("\\+{:06x}", "\\{:04x}") if name is not None else ("\\U{:08x}", "\\u{:04x}")
    escaped = "".join(
        c if c.isprintable() or c == "\n" else (short if ord(c) < 0x10000 else long).format(ord(c)) for c in said
    )
    return f"E'{escaped}'" if name is None else f'U&"{escaped}"'


def plain_json(document: str) -> str:
    """Return equivalent JSON with all unprintable characters except line breaks escaped; they occur only in strings."""
    if document.isprintable():
        return document
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in document)


def value(of: Any) -> str:
    """Return a value of the database as a person writes it: no notation of Python or JSON."""
    match of:
        case None:
            return ""
        case bool():
            return "yes" if of else "no"
        case datetime():
            return of.isoformat(" ", timespec="seconds")
        case timedelta():
            return str(timedelta(seconds=round(of.total_seconds())))
        case Mapping():
            return "; ".join(f"{plain(str(name))}: {value(each)}" for name, each in of.items())
        case list() | tuple():
            return ", ".join(map(value, of))
    return plain(str(of))
