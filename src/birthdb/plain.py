"""Text as it may be shown: a name may hold what moves a terminal's cursor, or turns the line round."""

import json


def plain(text: str) -> str:
    """Return the text with whatever is not printable escaped, but for line breaks."""
    return text if text.isprintable() else "".join(c if c == "\n" else line(c) for c in text)


def line(text: str) -> str:
    """Return the text on one line, whatever is not printable escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def plain_json(document: str) -> str:
    """Return JSON that says the same, whatever is not printable escaped; it stands in strings, but for line breaks."""
    if document.isprintable():
        return document
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in document)
