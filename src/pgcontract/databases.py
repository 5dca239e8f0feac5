"""What a checkout makes of a database: by migrating it, or by loading the living files."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from alembic import command
from alembic.config import Config
from psycopg import sql
from psycopg.conninfo import make_conninfo

from pgcontract.project import GRANTS, SourceError
from pgcontract.release import MEASURING, execute, manifest_sql
from pgcontract.sources import Sources
from pgcontract.texts import Step, Texts


def config(texts: Texts, url: str | None = None) -> Config:
    """Return Alembic's configuration for a checkout; quiet. ``url`` reaches its env.py as an attribute."""
    made = Config()
    made.set_main_option("script_location", str(texts.migrations).replace("%", "%%"))
    made.set_main_option("file_template", "%%(rev)s")
    made.set_main_option("revision_environment", "true")
    made.attributes["configure_logger"] = False
    if url is not None:
        made.attributes["url"] = url
    return made


@contextmanager
def database(url: str, name: str) -> Iterator[str]:
    """Make an empty database on a superuser's server, yield its connection string, and drop it."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        try:
            yield make_conninfo(url, dbname=name)
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def upgrade(sources: Texts, url: str, revision: str, *, measuring: bool = False) -> None:
    """Upgrade a database, quietly; neither sums nor manifests are asked while they are made. Raises as Alembic does."""
    made = config(sources, url)
    made.attributes[MEASURING] = measuring
    command.upgrade(made, revision)


def downgrade(sources: Texts, url: str, revision: str) -> None:
    """Downgrade a database, quietly. Raises what the database refuses."""
    command.downgrade(config(sources, url), revision)


def load(sources: Sources, url: str) -> None:
    """Load ``sql/`` into an empty database, in one transaction, as if it were one release.

    What needs something that an older release did not have waits for it. Raises SourceError for a file that fails
    when everything else is there.
    """
    project = sources.project
    with psycopg.connect(url, client_encoding="UTF8") as connection:

        def run(text: str, source: str = "load") -> None:
            execute(connection, text, source)

        def fails(text: str) -> psycopg.Error | None:
            try:
                with connection.transaction():
                    run(text)
            except psycopg.Error as error:
                return error
            return None

        run(f"SET LOCAL {project.schema}.release = '{sources.head}'")
        for path in project.begin:
            run((sources.sql / path).read_text(encoding="utf-8"), path)
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
        run(manifest_sql(project.schema, {}))
        for path in project.finish:
            run((sources.sql / path).read_text(encoding="utf-8"))
