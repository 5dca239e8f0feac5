"""Which database: the order of the sources, and what is shown of it."""

import os
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.config import Config
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError
from support import Database, upgrade

from birthdb import target
from pgcontract import environment

SECRET = "s3cr3t"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    ini = tmp_path / "alembic.ini"
    ini.write_text("[alembic]\nsqlalchemy.url = postgresql+psycopg://ini@host/ini\n")
    return Config(str(ini))


def test_x_argument_has_the_highest_precedence(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(target.VARIABLE, "postgresql://env@host/env")
    config.attributes["url"] = "postgresql://attribute@host/attribute"
    assert target.from_alembic(config, {"url": "postgresql://x@host/x"}) == "postgresql://x@host/x"


def test_the_attribute_of_an_alembic_caller_precedes_the_environment(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(target.VARIABLE, "postgresql://env@host/env")
    config.attributes["url"] = "postgresql://attribute@host/attribute"
    assert target.from_alembic(config, {}) == "postgresql://attribute@host/attribute"


def test_the_environment_precedes_alembic_ini(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(target.VARIABLE, "postgresql://env@host/env")
    assert target.from_alembic(config, {}) == "postgresql://env@host/env"


def test_alembic_ini_has_the_lowest_precedence_and_its_driver_name_is_parsed(config: Config) -> None:
    assert target.from_alembic(config, {}) == "postgresql://ini@host/ini"


def test_the_error_for_a_missing_target_names_what_to_set() -> None:
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


def test_a_description_includes_libpq_environment_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "elsewhere")
    monkeypatch.setenv("PGPASSWORD", SECRET)
    assert target.describe("postgresql://paul@/births") == "database births on elsewhere as paul"


@pytest.mark.parametrize("url", [f"paul:{SECRET}@db.example/births", f"postgresql://paul:{SECRET}@[db/births"])
def test_an_unparseable_url_is_not_printed(url: str) -> None:
    with pytest.raises(target.BadTarget) as caught:
        target.resolve(url)
    assert SECRET not in repr(caught.value)
    assert caught.value.__cause__ is None


PINNED = {
    "search_path": "pg_catalog,pg_temp",
    "DateStyle": "ISO",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "quote_all_identifiers": "off",
    "standard_conforming_strings": "on",
}
HOSTILE = {
    "search_path": "public, pg_catalog",
    "DateStyle": "German",
    "IntervalStyle": "iso_8601",
    "bytea_output": "escape",
    "extra_float_digits": "-15",
    "quote_all_identifiers": "on",
    "standard_conforming_strings": "off",
}


def settings(conn: psycopg.Connection[Any]) -> dict[str, str]:
    """Return them; the order of day and month, which ISO does not have, is left out."""
    shown = {name: str((conn.execute(f"SHOW {name}".encode()).fetchone() or [""])[0]) for name in PINNED}
    return shown | {"DateStyle": shown["DateStyle"].partition(",")[0]}


@pytest.mark.parametrize("where", ["DATABASE", "ROLE", "PGOPTIONS", "options"])
def test_connection_settings_change_no_answer(empty_db: Database, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """From its start: no statement comes before."""
    url = empty_db.url("nora_nobody")
    given = " ".join(f"-c {name}={value.replace(' ', chr(92) + ' ')}" for name, value in HOSTILE.items())
    if where == "PGOPTIONS":
        monkeypatch.setenv("PGOPTIONS", given)
    elif where == "options":
        url = make_conninfo(url, options=given)
    else:
        name = {"DATABASE": f"DATABASE {empty_db.name}", "ROLE": f"ROLE nora_nobody IN DATABASE {empty_db.name}"}[where]
        for setting, value in HOSTILE.items():
            quoted = value if setting == "search_path" else f"'{value}'"
            empty_db.connect().execute(f"ALTER {name} SET {setting} = {quoted}".encode())
    monkeypatch.setattr(target, "_make_readable", lambda conn: None)
    with target.connect(url) as conn:
        assert settings(conn) == PINNED
    with target.engine(url).connect() as connection:
        assert connection.execute(text("SHOW search_path")).scalar_one() == "pg_catalog,pg_temp"


@pytest.mark.parametrize("named", ["in the target", "by PGSERVICE"])
def test_options_of_a_service_are_kept(
    empty_db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    file = tmp_path / "services"
    given = conninfo_to_dict(empty_db.url()) | {"options": "-c default_transaction_read_only=on"}
    file.write_text("\n".join(["[prod]", *(f"{name}={value}" for name, value in given.items())]))
    monkeypatch.setenv("PGSERVICEFILE", str(file))
    monkeypatch.setenv("PGSERVICE", "another" if named == "in the target" else "prod")
    url = "service=prod" if named == "in the target" else "application_name=x"
    with target.connect(url) as conn:
        assert conn.execute("SHOW default_transaction_read_only").fetchone() == ("on",)
        assert conn.execute("SHOW search_path").fetchone() == ("pg_catalog,pg_temp",)
        assert conn.info.dbname == empty_db.name
    with pytest.raises(psycopg.Error) as refused:
        upgrade(url)
    assert refused.value.diag.message_detail == "this transaction is read-only"
    assert os.environ["PGSERVICE"] == ("another" if named == "in the target" else "prod")


def test_several_hosts_of_a_sqlalchemy_url_are_tried_in_turn(empty_db: Database) -> None:
    given = conninfo_to_dict(empty_db.url())
    hosts = f"host=127.0.0.1:1&host={given['host']}:{given['port']}"
    url = target.resolve(f"postgresql+psycopg://{given['user']}@/{given['dbname']}?{hosts}&connect_timeout=5")
    with target.connect(url) as conn:
        assert conn.info.dbname == empty_db.name


@pytest.mark.parametrize("name", ["ssl", "schema", "async_fallback"])
def test_a_parameter_of_another_driver_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(target.ForeignParameter, match=f"no parameter {name}$") as caught:
        target.resolve(f"postgresql://user@host/db?{name}={SECRET}")
    assert "take it out of the URL" in caught.value.hint
    assert SECRET not in str(caught.value) + caught.value.hint
    with pytest.raises(target.BadTarget) as unknown:
        target.resolve(f"postgresql://user@host/db?{SECRET}={name}")
    assert SECRET not in str(unknown.value) + unknown.value.hint


def test_user_options_of_a_connection_are_kept(empty_db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    url = make_conninfo(empty_db.url(), options="-c lock_timeout=1234")
    monkeypatch.setenv("PGOPTIONS", "-c lock_timeout=4321")
    for conn, kept in ((target.connect(url), "1234ms"), (target.connect(empty_db.url()), "4321ms")):
        with conn:
            assert conn.execute("SHOW lock_timeout").fetchone() == (kept,)
            assert conn.execute("SHOW search_path").fetchone() == ("pg_catalog,pg_temp",)


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("outer", [False, True])
def test_an_open_connection_gets_its_settings_back(empty_db: Database, outer: bool, fails: bool) -> None:
    def path() -> object:
        return connection.execute(text("SHOW search_path")).scalar_one()

    def patience() -> object:
        return connection.execute(text("SHOW lock_timeout")).scalar_one()

    def use() -> None:
        with environment.session(connection):
            assert (path(), patience()) == ("pg_catalog, pg_temp", "5s")
            if fails:
                connection.execute(text("SELECT no_such_column"))

    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(empty_db.url()))
    with engine.connect() as connection:
        connection.execute(text("SET search_path = public, pg_catalog"))
        connection.execute(text("SET lock_timeout = '1min'"))
        connection.commit()
        if outer:
            connection.begin()
        with pytest.raises(ProgrammingError) if fails else nullcontext():
            use()
        assert connection.in_transaction() is outer
        if outer and fails:
            connection.rollback()
        assert (path(), patience()) == ("public, pg_catalog", "1min")
    engine.dispose()


def test_engine_and_connection_reach_the_same_database(empty_db: Database) -> None:
    with target.engine(empty_db.url()).connect() as connection:
        assert connection.execute(text("SELECT current_database()")).scalar_one() == empty_db.name
    assert empty_db.connect().info.dbname == empty_db.name
