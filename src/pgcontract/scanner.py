"""PostgreSQL's own scanner, from pglast. Few need it, so it is optional: import this where a text is scanned."""

try:
    from pglast.parser import ParseError, scan
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError("this needs pglast, which the extra 'release' brings", name=missing.name) from missing

__all__ = ["ParseError", "scan"]
