"""What a checkout makes of a database: by migrating it, or by loading the living files."""

import psycopg
from alembic import command
from alembic.config import Config

from birthdb import paths
from birthdb.release import BEGIN, FINISH
from birthdb.release.sources import SourceError, Sources


def config(url: str | None = None, sources: Sources | None = None) -> Config:
    """Return Alembic's configuration for a checkout, of the installed one without it; quiet."""
    made = Config(paths.ALEMBIC_INI)
    made.attributes["configure_logger"] = False
    if url is not None:
        made.attributes["url"] = url
    if sources is not None:
        made.set_main_option("script_location", str(sources.root / "migrations").replace("%", "%%"))
    return made


def upgrade(url: str, revision: str, sources: Sources | None = None) -> None:
    """Upgrade a database, quietly. Raises what the database refuses."""
    command.upgrade(config(url, sources), revision)


def downgrade(url: str, revision: str, sources: Sources | None = None) -> None:
    """Downgrade a database, quietly. Raises what the database refuses."""
    command.downgrade(config(url, sources), revision)


def load(url: str, sources: Sources) -> None:
    """Load ``sql/`` into an empty database, in one transaction, as if it were one release.

    Raises SourceError for a file that fails where it must not.
    """
    with psycopg.connect(url) as connection:

        def run(text: str) -> None:
            connection.execute(text.encode(), prepare=False)

        run(f"SET LOCAL birth.release = '{sources.head}'")
        for path in BEGIN:
            run((sources.sql / path).read_text(encoding="utf-8"))
        tables: set[str] = set()
        for step, text, must in sources.loading():
            # A table has one text: where a later release alters it, it is there already.
            if step.path in tables and not step.drops:
                continue
            try:
                with connection.transaction():
                    run(text)
            except psycopg.Error as error:
                if must:
                    raise SourceError(f"{step}: {error}") from error
            else:
                tables.update({step.path} if step.path.startswith("tables/") else ())
        run((sources.sql / "grants.sql").read_text(encoding="utf-8"))
        for path in FINISH:
            run((sources.sql / path).read_text(encoding="utf-8"))
