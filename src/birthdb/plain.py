"""Text that is safe to print: names may contain control characters and bidirectional overrides."""

import json


def plain(text: str) -> str:
    """Return the text with all unprintable characters except line breaks escaped."""
    return text if text.isprintable() else "".join(c if c == "\n" else line(c) for c in text)


def line(text: str) -> str:
    """Return the text on one line, with all unprintable characters escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def plain_json(document: str) -> str:
    """Return equivalent JSON with all unprintable characters except line breaks escaped; they occur only in strings."""
    if document.isprintable():
        return document
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in document)
