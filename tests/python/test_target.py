"""Which database: the order of the sources, and what is shown of it."""

from pathlib import Path

import pytest
from alembic.config import Config
from sqlalchemy import text
from support import Database

from birthdb import target

SECRET = "s3cr3t"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    ini = tmp_path / "alembic.ini"
    ini.write_text("[alembic]\nsqlalchemy.url = postgresql+psycopg://ini@host/ini\n")
    return Config(str(ini))


def test_x_argument_comes_before_everything(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(target.VARIABLE, "postgresql://env@host/env")
    config.attributes["url"] = "postgresql://attribute@host/attribute"
    assert target.from_alembic(config, {"url": "postgresql://x@host/x"}) == "postgresql://x@host/x"


def test_a_caller_of_alembic_names_the_database_before_the_environment(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(target.VARIABLE, "postgresql://env@host/env")
    config.attributes["url"] = "postgresql://attribute@host/attribute"
    assert target.from_alembic(config, {}) == "postgresql://attribute@host/attribute"


def test_the_environment_comes_before_alembic_ini(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(target.VARIABLE, "postgresql://env@host/env")
    assert target.from_alembic(config, {}) == "postgresql://env@host/env"


def test_alembic_ini_comes_last_and_its_driver_name_is_understood(config: Config) -> None:
    assert target.from_alembic(config, {}) == "postgresql://ini@host/ini"


def test_without_a_target_the_error_says_what_to_set() -> None:
    with pytest.raises(target.NoTarget) as caught:
        target.resolve(None, Config())
    assert target.VARIABLE in caught.value.hint


def test_the_installed_alembic_ini_names_no_database() -> None:
    from birthdb import paths

    with pytest.raises(target.NoTarget):
        target.resolve(None, Config(str(paths.ALEMBIC_INI)))


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://paul:{SECRET}@db.example/births",
        f"postgresql://paul@db.example/births?password={SECRET}",
        f"host=db.example dbname=births user=paul password={SECRET}",
        f"host=db.example dbname=births user=paul sslpassword={SECRET}",
    ],
)
def test_a_description_shows_host_database_and_user_and_no_password(url: str) -> None:
    assert target.describe(url) == "database births on db.example as paul"


def test_a_description_completes_what_the_environment_of_libpq_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "elsewhere")
    monkeypatch.setenv("PGPASSWORD", SECRET)
    assert target.describe("postgresql://paul@/births") == "database births on elsewhere as paul"


@pytest.mark.parametrize("url", [f"paul:{SECRET}@db.example/births", f"postgresql://paul:{SECRET}@[db/births"])
def test_what_cannot_be_parsed_is_not_quoted(url: str) -> None:
    with pytest.raises(target.BadTarget) as caught:
        target.resolve(url)
    assert SECRET not in repr(caught.value)
    assert caught.value.__cause__ is None


def test_engine_and_connection_reach_the_same_database(empty_db: Database) -> None:
    with target.engine(empty_db.url()).connect() as connection:
        assert connection.execute(text("SELECT current_database()")).scalar_one() == empty_db.name
    assert empty_db.connect().info.dbname == empty_db.name
