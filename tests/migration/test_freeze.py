"""The four guards: living = frozen, sums, migrated = loaded, dump; and each fails when what it guards is broken."""

import hashlib
import json
import re
import tomllib
from pathlib import Path

import psycopg
import pytest
from support import RELEASER, Database
from typer.testing import CliRunner

from birthdb import paths
from birthdb.release import Step, include_name
from birthdb.release import __main__ as commands
from birthdb.release.__main__ import check_database
from birthdb.release.databases import load
from birthdb.release.sources import SourceError, Sources
from birthdb.server import MAJORS, VARIABLE, ServerError

from .test_release import shape  # the same question to the catalogue


def findings(sources: Sources) -> list[str]:
    return [str(finding) for finding in (*sources.check_copies(), *sources.check_sums())]


def test_living_and_frozen_files_are_the_same_and_their_sums_hold() -> None:
    assert findings(Sources(paths.ROOT)) == []


def test_migrating_makes_what_loading_makes_and_what_the_dump_says(monkeypatch: pytest.MonkeyPatch) -> None:
    # The dump is that of one major, whichever the other tests run on.
    monkeypatch.delenv(VARIABLE, raising=False)
    assert [str(finding) for finding in check_database(Sources(paths.ROOT))] == []


@pytest.mark.parametrize("release", Sources(paths.ROOT).releases)
def test_every_release_fixes_its_contract_for_every_major(release: str) -> None:
    frozen = Sources(paths.ROOT).frozen
    manifest = json.loads(frozen.text(release, "manifest.json"))
    assert [int(major) for major in manifest["servers"]] == list(MAJORS)
    assert all(entry["exact"] and entry["parts"] for entry in manifest["objects"].values())
    sent = re.fullmatch(r"SET LOCAL birth\.manifest = '(.*)';\n", frozen.text(release, "manifest.sql"), re.DOTALL)
    assert sent is not None
    assert json.loads(sent[1].replace("''", "'")) == manifest


def test_loading_the_living_files_makes_a_released_schema(empty_db: Database, db: Database) -> None:
    load(empty_db.url(RELEASER), Sources(paths.ROOT))
    assert shape(empty_db) == shape(db)


def test_an_edited_living_file_is_found(checkout: Sources) -> None:
    with checkout.file("functions/fn_birth_raise.sql").open("a") as file:
        file.write("-- edited\n")
    assert findings(checkout) == [
        "functions/fn_birth_raise.sql: the living file is not the one frozen in baseline\n"
        "    python -m birthdb.release freeze"
    ]
    checkout.freeze("baseline")
    assert findings(checkout) == []


def test_an_edited_frozen_file_is_found(checkout: Sources) -> None:
    with (checkout.frozen.root / "baseline" / "functions" / "fn_dot_birth_backfill.sql").open("a") as file:
        file.write("-- edited\n")
    assert [found.partition("\n")[0] for found in findings(checkout)] == [
        "baseline: functions/fn_dot_birth_backfill.sql is not what SHA256SUMS says"
    ] * 2


def test_a_file_in_no_release_is_found(checkout: Sources) -> None:
    (checkout.sql / "views" / "v_birth_new.sql").write_text("SELECT;\n")
    assert findings(checkout) == ["views/v_birth_new.sql: in no release\n    list it in sql/order.txt"]


def test_a_declared_release_does_not_change(checkout: Sources) -> None:
    (checkout.root / "CHANGELOG.md").write_text(f"- `baseline` sha256:{checkout.seal('baseline')}\n")
    assert findings(checkout) == []
    living = checkout.file("functions/fn_birth_raise.sql")
    living.write_text(living.read_text() + "-- edited\n")
    with pytest.raises(SourceError, match=r"baseline is declared, and functions/fn_birth_raise\.sql differs"):
        checkout.freeze("baseline")
    frozen = checkout.frozen.root / "baseline" / "functions" / "fn_birth_raise.sql"
    frozen.write_text(living.read_text())
    checkout.sum("baseline")
    assert [found.partition("\n")[0] for found in findings(checkout)] == ["baseline: CHANGELOG.md declares other sums"]


def test_what_every_release_runs_moves_on_with_the_newest_and_not_in_declared_ones(checkout: Sources) -> None:
    (checkout.root / "CHANGELOG.md").write_text(f"- `baseline` sha256:{checkout.seal('baseline')}\n")
    grants = checkout.sql / "grants.sql"
    before = grants.read_text()
    grants.write_text(before + "-- edited\n")
    for release in checkout.releases:
        checkout.freeze(release)
    assert checkout.frozen.text("baseline", "grants.sql") == before
    assert checkout.frozen.text(checkout.head, "grants.sql") == grants.read_text()
    assert findings(checkout) == []


def test_an_older_release_keeps_the_text_it_was_frozen_with(checkout: Sources) -> None:
    path = "functions/fn_dot_birth_backfill.sql"
    older = checkout.frozen.text("baseline", path)
    checkout.freeze("baseline")
    assert checkout.frozen.text("baseline", path) == older != checkout.frozen.text("stage0", path)
    (checkout.frozen.root / "baseline" / path).unlink()
    with pytest.raises(SourceError, match="stage0 has the newer text; write the older one there"):
        checkout.freeze("baseline")


def test_freezing_removes_no_text_that_is_nowhere_else(checkout: Sources) -> None:
    older = checkout.frozen.root / "stage1" / "functions" / "fn_dot_birth_backfill.sql"
    older.write_text("SELECT;\n")
    with pytest.raises(SourceError, match=r"stage1: frozen but not listed: functions/fn_dot_birth_backfill\.sql"):
        checkout.freeze("stage1")
    assert older.read_text() == "SELECT;\n"


def test_sums_are_those_of_sha256sum(checkout: Sources) -> None:
    for line in checkout.frozen.text("stage1", "SHA256SUMS").splitlines():
        digest, path = line.split("  ")
        assert hashlib.sha256(checkout.frozen.text("stage1", path).encode()).hexdigest() == digest


@pytest.mark.parametrize("line", ["views/x", "grants.sql", "drop release/x.sql", "../x.sql", "triggers/x.sql"])
def test_a_line_that_is_no_step_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="not a step"):
        Step.parse(line)


def test_the_release_files_raise_what_the_catalogue_says() -> None:
    catalogue = tomllib.loads((paths.SQL / "errors.toml").read_text())
    messages = {entry["code"]: entry["message"] for entry in catalogue.values()}
    files = [*(paths.SQL / "release").glob("*.sql"), *(paths.SQL / "roles").glob("*.sql")]
    raised = [
        found
        for file in files
        for found in re.findall(
            r"ERRCODE = '(\w+)', MESSAGE = '([^']*)',\s+DETAIL = .+?,\s+HINT = ", file.read_text(), re.S
        )
    ]
    assert {code for code, _ in raised} == {
        "NB404",
        "NB407",
        "NB408",
        "NB409",
        "NB410",
        "NB411",
        "NB412",
        "NB414",
    }
    assert [message for _, message in raised] == [messages[code] for code, _ in raised]
    assert sum(file.read_text().count("RAISE EXCEPTION") for file in files) == len(raised)


def test_the_hook_leaves_schema_birth_out_of_autogenerate() -> None:
    assert not include_name("birth", "schema", {})
    assert include_name("birth", "table", {"schema_name": "app"})
    assert include_name(None, "schema", {})


def test_grants_name_objects_that_exist(db: Database) -> None:
    rows = re.findall(r"\('(TABLE|ROUTINE)', +'(\w+)'", (paths.SQL / "grants.sql").read_text())
    with psycopg.connect(db.url()) as connection:
        there = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'birth'::regnamespace"
            " UNION SELECT proname FROM pg_proc WHERE pronamespace = 'birth'::regnamespace"
        ).fetchall()
    assert {name for _, name in rows} - {name for (name,) in there} == set()


def test_without_a_server_of_every_major_nothing_is_frozen_or_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(major: int | None = None) -> Path:
        raise ServerError(f"there is no PostgreSQL {major}")

    monkeypatch.setattr(commands, "binaries", none)
    for arguments in (["freeze"], ["start", "stage_next", "-m", "what it brings"]):
        refused = CliRunner().invoke(commands.app, arguments)
        assert isinstance(refused.exception, ServerError)


def test_a_release_that_was_never_measured_is_found(checkout: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    (checkout.frozen.root / checkout.head / "manifest.json").unlink()
    assert [str(finding) for finding in check_database(checkout)] == [
        f"{checkout.head}: its contract was never measured\n    python -m birthdb.release manifest"
    ]
