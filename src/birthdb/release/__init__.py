"""The releases of schema ``birth``, for revisions and for your own Alembic environment.

For the autogenerate of your own Alembic environment in the same database::

    from birthdb.release import include_name
    context.configure(…, include_schemas=True, include_name=include_name)
"""

from collections.abc import Mapping

from pgcontract.release import Release

__all__ = ["SCHEMA", "Release", "include_name"]

#: The schema that holds everything.
SCHEMA = "birth"


def include_name(name: str | None, type_: str, parent_names: Mapping[str, str | None]) -> bool:
    """Return False for schema ``birth``: the ``include_name`` hook for your own environment's autogenerate."""
    return not (type_ == "schema" and name == SCHEMA)
