"""What a checkout makes of a database: by migrating it, or by loading the living files."""

import psycopg
from alembic import command
from alembic.config import Config

from birthdb import paths, target
from birthdb.release import MEASURING, manifest_sql
from birthdb.release.sources import Sources
from birthdb.release.texts import BEGIN, FINISH, GRANTS, SourceError, Step


def config(url: str | None = None, sources: Sources | None = None) -> Config:
    """Return Alembic's configuration for a checkout, of the installed one without it; quiet."""
    made = Config(paths.ALEMBIC_INI)
    made.attributes["configure_logger"] = False
    if url is not None:
        made.attributes["url"] = url
    if sources is not None:
        made.set_main_option("script_location", str(sources.root / "migrations").replace("%", "%%"))
    return made


def upgrade(url: str, revision: str, sources: Sources | None = None, *, measuring: bool = False) -> None:
    """Upgrade a database, quietly; neither sums nor manifests are asked while they are made. Raises as Alembic does."""
    made = config(url, sources)
    made.attributes[MEASURING] = measuring
    command.upgrade(made, revision)


def downgrade(url: str, revision: str, sources: Sources | None = None) -> None:
    """Downgrade a database, quietly. Raises what the database refuses."""
    command.downgrade(config(url, sources), revision)


def load(url: str, sources: Sources) -> None:
    """Load ``sql/`` into an empty database, in one transaction, as if it were one release.

    What needs something that an older release did not have waits for it. Raises SourceError for a file that fails
    when everything else is there.
    """
    with target.connect(url) as connection:

        def run(text: str) -> None:
            connection.execute(text.encode(), prepare=False)

        def fails(text: str) -> psycopg.Error | None:
            try:
                with connection.transaction():
                    run(text)
            except psycopg.Error as error:
                return error
            return None

        run(f"SET LOCAL birth.release = '{sources.head}'")
        for path in BEGIN:
            run((sources.sql / path).read_text(encoding="utf-8"))
        made: set[Step] = set()
        waiting: dict[Step, str] = {}
        for step, text in sources.loading():
            # A table is there already where a later release alters it.
            if step.path.startswith("tables/") and step in made:
                continue
            waiting.pop(step, None)
            if fails(text):
                waiting[step] = text
            else:
                made.add(step)
        while waiting:
            errors = {step: fails(text) for step, text in waiting.items()}
            if all(errors.values()):
                step, error = next(iter(errors.items()))
                raise SourceError(f"{step}: {error}") from error
            waiting = {step: text for step, text in waiting.items() if errors[step]}
        run((sources.sql / GRANTS).read_text(encoding="utf-8"))
        run(manifest_sql({}))
        for path in FINISH:
            run((sources.sql / path).read_text(encoding="utf-8"))
