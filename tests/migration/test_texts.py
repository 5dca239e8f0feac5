"""The four guards: living files, sums, migrated = loaded, dump; and each fails when what it guards is broken.

A text is stored once: a release reads the living file until a later one has another text, and then a copy.
"""

import hashlib
import json
import re
import tomllib
from pathlib import Path

import psycopg
import pytest
from checkouts import commit, declare
from support import PROJECT, RELEASER, Database
from typer.testing import CliRunner

from birthdb import paths
from birthdb.release import __main__ as commands
from birthdb.release import include_name
from birthdb.release.__main__ import SERVERS, SETUP
from birthdb.server import MAJORS, VARIABLE, ServerError
from pgcontract.attest import objects_of
from pgcontract.databases import load, upgrade
from pgcontract.measure import check_database
from pgcontract.project import SourceError
from pgcontract.release import manifest_sql
from pgcontract.sources import Sources
from pgcontract.texts import Step

from .test_release import shape  # the same question to the catalogue

START, MEASURE = PROJECT.start, PROJECT.measure
RAISE = "functions/fn_birth_raise.sql"
BACKFILL = "functions/fn_dot_birth_backfill.sql"


def findings(sources: Sources) -> list[str]:
    return [str(finding) for finding in sources.check()]


def edit(file: Path) -> None:
    with file.open("a") as opened:
        opened.write("-- edited\n")


def test_living_files_are_what_the_releases_were_measured_with() -> None:
    assert findings(Sources(paths.ROOT)) == []


def test_a_text_is_kept_only_where_a_later_release_has_another_one() -> None:
    sources = Sources(paths.ROOT)
    copies = list(sources.migrations.glob("objects/*/*.sql"))
    assert copies
    living = {file.stem: file.read_bytes() for _, file in sources.living()}
    assert [copy for copy in copies if copy.read_bytes() == living.get(copy.parent.name)] == []


def test_migrated_schema_equals_loaded_schema_equals_dump(monkeypatch: pytest.MonkeyPatch) -> None:
    # The dump is that of one major, whichever the other tests run on.
    monkeypatch.delenv(VARIABLE, raising=False)
    assert [str(finding) for finding in check_database(Sources(paths.ROOT), SERVERS, SETUP.pages)] == []


@pytest.mark.parametrize("release", Sources(paths.ROOT).releases)
def test_every_release_has_a_contract_for_every_major(release: str) -> None:
    manifest = Sources(paths.ROOT).manifest(release)
    assert [int(major) for major in manifest["servers"]] == list(MAJORS)
    assert all(entry["exact"] and entry["parts"] for entry in manifest["objects"].values())
    sent = re.fullmatch(r"SET LOCAL birth\.manifest = '(.*)';\n", manifest_sql("birth", manifest), re.DOTALL)
    assert sent is not None
    told = json.loads(sent[1].replace("''", "'"))
    assert told["objects"].keys() == manifest["objects"].keys()
    for major in map(str, MAJORS):
        assert told["objects"] | told["on"].get(major, {}) == objects_of(manifest, major)


def test_a_manifest_has_a_line_for_each_object_that_is_not_as_the_release_before_fixed_it(checkout: Sources) -> None:
    before, head = list(checkout.releases)[-2:]
    whole = checkout.manifest(head)
    gone, changed, on_one_major = list(checkout.manifest(before)["objects"])[:3]
    del whole["objects"][gone]
    whole["objects"][changed]["exact"] = "another"
    whole["objects"][on_one_major]["on"] = {"14": {"exact": "as 14 writes it"}}
    checkout.write_manifest(head, whole)
    assert checkout.manifest(head) == whole
    lines = checkout.manifest_file(head).read_text().splitlines()
    assert f'"{gone}": null,' in lines
    assert [sum(line.startswith(f'"{key}": ') for line in lines) for key in (changed, on_one_major)] == [1, 1]
    checkout.write_manifest(head, checkout.manifest(before))
    assert '"objects": {}' in checkout.manifest_file(head).read_text().splitlines()


def test_loading_the_living_files_makes_a_released_schema(empty_db: Database, db: Database) -> None:
    load(Sources(paths.ROOT), empty_db.url(RELEASER))
    assert shape(empty_db) == shape(db)


def test_an_edited_living_file_is_found(checkout: Sources) -> None:
    edit(checkout.file(RAISE))
    assert findings(checkout) == [f"{RAISE}: edited since baseline was measured\n    {MEASURE}"]
    checkout.sum("baseline")
    assert findings(checkout) == []


def test_edited_files_with_one_repair_are_one_finding(checkout: Sources) -> None:
    for path in (RAISE, BACKFILL, "functions/fn_birth_lock_key.sql"):
        edit(checkout.file(path))
    (found,) = findings(checkout)
    said, repair = found.split("\n    ")
    released: dict[str, list[str]] = {}
    for path in sorted((RAISE, BACKFILL, "functions/fn_birth_lock_key.sql")):
        released.setdefault(checkout.newest(path), []).append(path)
    assert repair == MEASURE
    assert said == "; ".join(
        f"{', '.join(paths)}: edited since {release} was measured" for release, paths in released.items()
    )
    assert len(released) > 1


def test_a_release_whose_text_was_edited_runs_only_to_be_measured(checkout: Sources, empty_db: Database) -> None:
    edit(checkout.file(RAISE))
    with pytest.raises(SourceError, match=f"not what baseline was measured with: {RAISE}"):
        upgrade(checkout, empty_db.url(RELEASER), "stage0")
    upgrade(checkout, empty_db.url(RELEASER), "stage0", measuring=True)


def test_a_file_that_moves_is_the_same_file(checkout: Sources) -> None:
    file = checkout.file(RAISE)
    elsewhere = checkout.sql / "functions" / "elsewhere" / file.name
    elsewhere.parent.mkdir()
    file.rename(elsewhere)
    assert findings(checkout) == []
    assert checkout.text("baseline", RAISE) == elsewhere.read_text()


def test_two_files_of_one_name_are_refused(checkout: Sources) -> None:
    (checkout.sql / "views" / "fn_birth_raise.sql").write_text("SELECT;\n")
    with pytest.raises(SourceError, match=r"several files of sql/ have one name: fn_birth_raise\.sql"):
        findings(checkout)


@pytest.mark.parametrize("path", ["objects/fn_dot_birth_backfill/baseline.sql", "manifests/baseline.json"])
def test_an_edited_file_of_migrations_is_found(checkout: Sources, path: str) -> None:
    edit(checkout.migrations / path)
    found = f"baseline: migrations/{path} is not what its sums say\n    git checkout -- migrations/{path}"
    assert findings(checkout) == [found]


def test_a_line_of_the_order_that_moves_is_found(checkout: Sources) -> None:
    order = checkout.sql / "order.txt"
    first, second = "functions/fn_birth_error.sql\n", "functions/fn_birth_refuse.sql\n"
    order.write_text(order.read_text().replace(first + second, second + first))
    assert findings(Sources(checkout.root)) == [
        f"baseline: its steps are not those that were measured\n    {MEASURE}",
    ]


def test_a_file_in_no_release_is_found(checkout: Sources) -> None:
    (checkout.sql / "views" / "v_birth_new.sql").write_text("SELECT;\n")
    assert findings(checkout) == ["views/v_birth_new.sql: in no release\n    list it in sql/order.txt"]


def test_a_declared_release_does_not_change(checkout: Sources) -> None:
    declare(checkout, "baseline")
    assert findings(checkout) == []
    edit(checkout.file(RAISE))
    assert findings(checkout) == [f"{RAISE}: edited since baseline was measured\n    {START}"]
    with pytest.raises(SourceError, match=f"baseline is declared, and differs: {RAISE}"):
        checkout.keep()
    checkout.sum("baseline")
    assert [found.partition("\n")[0] for found in findings(checkout)] == ["baseline: CHANGELOG.md declares other sums"]


def test_releases_are_declared_in_their_order(checkout: Sources) -> None:
    declare(checkout, "stage1")
    assert findings(checkout) == [
        "a release is declared, and one before it is not\n    declare them in their order",
    ]


def test_shared_release_steps_are_updated_only_in_undeclared_releases(checkout: Sources) -> None:
    declare(checkout, "baseline", "stage0")
    ready = checkout.sql / "release/ready.sql"
    before = ready.read_text()
    edit(ready)
    checkout.keep()
    for release in list(checkout.releases)[2:]:
        checkout.sum(release)
    assert [checkout.text(release, "release/ready.sql") == before for release in list(checkout.releases)[:3]] == [
        *(True, True, False)
    ]
    assert findings(checkout) == []
    assert [copy.name for copy in checkout.migrations.glob("objects/ready/*")] == ["stage0.sql"]


def test_an_older_text_that_is_nowhere_is_found(checkout: Sources) -> None:
    copy = checkout.copy("baseline", BACKFILL)
    assert checkout.text("baseline", BACKFILL) == copy.read_text() != checkout.text("stage0", BACKFILL)
    copy.unlink()
    assert (
        f"baseline: stage0 has the newer text of {BACKFILL}\n"
        "    write the older one to migrations/objects/fn_dot_birth_backfill/baseline.sql"
    ) in findings(checkout)
    with pytest.raises(SourceError, match="stage0 has the newer text"):
        checkout.keep()


def test_a_copy_of_another_text_is_found_and_left_alone(checkout: Sources) -> None:
    copy = checkout.copy("stage1", BACKFILL)
    copy.write_text("SELECT;\n")
    found = "stage0: migrations/objects/fn_dot_birth_backfill/stage1.sql is not what its sums say"
    assert [line.partition("\n")[0] for line in findings(checkout)] == [found]
    declare(checkout)
    with pytest.raises(SourceError, match=f"stage0 is declared, and differs: {BACKFILL}"):
        checkout.keep()
    assert copy.read_text() == "SELECT;\n"


def test_the_text_of_a_declared_release_is_found_in_the_commits(checkout: Sources) -> None:
    before = checkout.file(RAISE).read_bytes()
    edit(checkout.file(RAISE))
    commit(checkout.root)
    moved = checkout.file(RAISE).rename(checkout.sql / "functions" / "fn_birth_raise.sql")
    edit(moved)
    assert checkout.older(RAISE, "baseline") == before
    checkout.sums_file("baseline").write_text(f"{'0' * 64}  {RAISE}\n")
    with pytest.raises(SourceError, match="the text that baseline was measured with is in no commit") as refused:
        checkout.older(RAISE, "baseline")
    assert str(refused.value).endswith("write it to migrations/objects/fn_birth_raise/baseline.sql")


def test_sums_are_readable_by_sha256sum(checkout: Sources) -> None:
    lines = [line for line in checkout.recorded("stage2_5") if not line.startswith("#")]
    assert [line[66:] for line in lines[: len(PROJECT.common)]] == list(PROJECT.common)
    for line in lines:
        summed, path = line.split("  ")
        file = checkout.manifest_file("stage2_5") if path == "manifest" else checkout.read_file("stage2_5", path)
        assert hashlib.sha256(file.read_bytes()).hexdigest() == summed


@pytest.mark.parametrize("line", ["views/x", "grants.sql", "drop release/x.sql", "../x.sql", "triggers/x.sql"])
def test_an_invalid_line_of_order_txt_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="not a step"):
        Step.parse(line)


def test_errors_raised_by_release_files_match_the_catalogue() -> None:
    catalogue = tomllib.loads((paths.SQL / "errors.toml").read_text())
    messages = {entry["code"]: entry["message"] for entry in catalogue.values()}
    files = [*(paths.SQL / "release").glob("*.sql"), *(paths.SQL / "roles").glob("*.sql")]
    raised = [
        found
        for file in files
        for found in re.findall(
            r"ERRCODE = '(\w+)', MESSAGE = '([^']*)',\s+DETAIL = .+?,\s+(?:--[^\n]*\s+)?HINT = ", file.read_text(), re.S
        )
    ]
    assert {code for code, _ in raised} == {
        "NB404",
        "NB406",
        "NB407",
        "NB408",
        "NB409",
        "NB410",
        "NB411",
        "NB412",
        "NB414",
        "NB417",
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


def test_without_a_server_of_every_major_nothing_is_measured_or_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(major: int | None = None) -> Path:
        raise ServerError(f"there is no PostgreSQL {major}")

    monkeypatch.setattr(commands, "binaries", none)
    for arguments in (["measure"], ["start", "stage_next", "-m", "what it brings"]):
        refused = CliRunner().invoke(commands.app, arguments)
        assert isinstance(refused.exception, ServerError)


@pytest.mark.long
def test_a_release_without_a_measured_contract_is_found(checkout: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    checkout.manifest_file(checkout.head).unlink()
    assert [str(finding) for finding in check_database(checkout, SERVERS, SETUP.pages)] == [
        f"{checkout.head}: its contract was never measured\n    {MEASURE}"
    ]
