"""A Django project: post_migrate finds an undecided table, and the last operation of a migration prevents one."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from integration.gate.deployer import DEPLOYER, GOVERN
from psycopg.conninfo import conninfo_to_dict
from world import World

from birthdb import api

FILES = {
    "settings.py": """
import json
import pathlib

DATABASES = json.loads(pathlib.Path(__file__).with_name("databases.json").read_text())
INSTALLED_APPS = ["shop.apps.ShopConfig"]
SECRET_KEY = "of-a-test"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
""",
    "shop/__init__.py": "",
    "shop/apps.py": """
from django.apps import AppConfig

import birthdb.django


class ShopConfig(AppConfig):
    name = "shop"

    def ready(self):
        birthdb.django.gate_after_migrate(self{schemas})
""",
    "shop/models.py": """
from django.db import models


class Thing(models.Model):
    code = models.TextField(primary_key=True)

    class Meta:
        db_table = 'app"."thing'
""",
    "shop/migrations/__init__.py": "",
    "shop/migrations/0001_initial.py": """
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel(
            "Thing", [("code", models.TextField(primary_key=True))], options={"db_table": 'app"."thing'}
        ),
        *[migrations.RunSQL(statement, migrations.RunSQL.noop) for statement in %(statements)r],
    ]
""",
}
GATE = "SELECT birth.fn_birth_gate()"

Migrate = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def migrate(world: World, tmp_path: Path) -> Migrate:
    """Write a project whose one migration ends with statements, and run its migrations."""
    known = conninfo_to_dict(world.db.url(DEPLOYER))
    given = {"NAME": "dbname", "HOST": "host", "PORT": "port", "USER": "user", "PASSWORD": "password"}
    database = {
        "ENGINE": "django.db.backends.postgresql",
        **{name: str(known.get(key, "")) for name, key in given.items()},
    }

    def run(
        *statements: str, schemas: str = "", target: str = "", without: tuple[str, ...] = ()
    ) -> "subprocess.CompletedProcess[str]":
        for name, text in FILES.items():
            if name in without:
                continue
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            filled = text.replace("{schemas}", schemas).replace("%(statements)r", repr(list(statements)))
            file.write_text(filled, encoding="utf-8")
        databases = {"default": database, "other": database}
        (tmp_path / "databases.json").write_text(json.dumps(databases), encoding="utf-8")
        command = [sys.executable, "-m", "django", "migrate", "--settings", "settings", "--pythonpath", str(tmp_path)]
        where = ["--database", target] if target else []
        return subprocess.run([*command, *where], cwd=tmp_path, capture_output=True, text=True, check=False)

    return run


def there(world: World) -> bool:
    return bool(world.value("SELECT to_regclass('app.thing') IS NOT NULL"))


def test_a_migration_that_forgets_to_govern_a_table_is_found_when_it_has_committed(
    gated: World, migrate: Migrate
) -> None:
    found = migrate()
    assert found.returncode == 1
    assert "CommandError: a table of a gated schema is not governed" in found.stderr
    assert "app.thing is UNKNOWN: SELECT birth.fn_birth_collection_register(" in found.stderr
    assert "Traceback" not in found.stderr
    assert there(gated)
    # What is left to do is found again.
    assert migrate().returncode == 1


def test_a_migration_whose_last_operation_asks_the_gate_does_not_commit(gated: World, migrate: Migrate) -> None:
    refused = migrate(GATE)
    assert refused.returncode == 1
    assert "app.thing is UNKNOWN: SELECT birth.fn_birth_collection_register(" in refused.stderr
    assert not there(gated)


def test_a_migration_that_governs_its_table_commits_and_the_table_is_closed(steward: World, migrate: Migrate) -> None:
    done = migrate(*(statement.format("thing") for statement in GOVERN), GATE)
    assert done.returncode == 0, done.stderr
    assert steward.value("SELECT state FROM birth.v_birth_gate") == "CLOSED"


def test_a_schema_that_is_named_is_asked_alone_and_must_exist(gated: World, migrate: Migrate) -> None:
    gated.admin.execute("CREATE SCHEMA team")
    api.gate_scope(gated.steward, "team", "enforce", "a test")
    assert migrate(schemas=", 'team'").returncode == 0
    misspelt = migrate(schemas=", 'taem'")
    assert (misspelt.returncode, "schema 'taem' does not exist" in misspelt.stderr) == (1, True)


def test_where_the_gate_cannot_be_asked_migrate_fails_with_the_next_step(
    ungranted: World, deployer: Callable[..., None], migrate: Migrate
) -> None:
    assert "GRANT birth_source_owner TO" in migrate().stderr
    deployer("birth_source_owner")
    ungranted.admin.execute("DROP SCHEMA birth CASCADE")
    missing = migrate()
    assert (missing.returncode, "leave out gate_after_migrate" in missing.stderr) == (1, True)


def test_the_other_databases_of_a_project_are_not_asked(gated: World, migrate: Migrate) -> None:
    gated.table("(code text)", "loose")
    other = migrate(target="other")
    assert other.returncode == 0, other.stderr


def test_an_app_that_django_tells_nothing_is_refused_at_once(gated: World, migrate: Migrate) -> None:
    silent = migrate(without=("shop/models.py",))
    assert (silent.returncode, "shop has no module models" in silent.stderr) == (1, True)
    assert not there(gated)


def test_each_call_is_heard(gated: World, migrate: Migrate) -> None:
    gated.admin.execute("CREATE SCHEMA team")
    twice = migrate(schemas=", 'team')\n        birthdb.django.gate_after_migrate(self, 'app'")
    assert (twice.returncode, "app.thing is UNKNOWN" in twice.stderr) == (1, True)
