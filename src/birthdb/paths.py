"""Where the files that are not Python lie: in the wheel's ``_data``, or in the checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_DATA = _PACKAGE / "_data"

#: The directory that holds ``sql/``, ``migrations/`` and ``alembic.ini``.
ROOT = _DATA if _DATA.is_dir() else _PACKAGE.parents[1]

#: The living definition of schema ``birth``; see ``sql/README.md``.
SQL = ROOT / "sql"

#: Alembic's script location: revisions, superseded texts, manifests, sums.
MIGRATIONS = ROOT / "migrations"

#: What watches a database: see ``docs/guide/watching.md``. Only its path is used.
MONITORING = ROOT / "monitoring"

#: The configuration that the release commands use.
ALEMBIC_INI = ROOT / "alembic.ini"
