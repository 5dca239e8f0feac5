"""What an export of a run holds, and how it is verified without the database; ``verify`` asks a database the same."""

from birthdb.audit.export import Export, check, compare, live, read

__all__ = ["Export", "check", "compare", "live", "read"]
