"""The command line on a released database: a backfill from its plan to its evidence."""

import gc
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

import psycopg
import pytest
from sample import some
from support import POLL, RELEASER, Database, downgrade

from birthdb import api, paths, target
from birthdb.__main__ import main
from birthdb.answers import Plan
from birthdb.audit import evidence
from pgcontract.sources import Sources

Command = Callable[..., "subprocess.CompletedProcess[str]"]
ROWS = 2500
RELEASES = list(Sources(paths.ROOT).releases)


@pytest.fixture
def collection(db: Database) -> str:
    """A classified collection of rows that were there before."""
    owner = db.connect()
    owner.execute("CREATE TABLE public.asset (id integer PRIMARY KEY, code text NOT NULL UNIQUE)")
    owner.execute("INSERT INTO public.asset SELECT i, 'A-' || i FROM generate_series(1, %s) AS i", (ROWS,))
    owner.execute("GRANT SELECT ON public.asset TO birth_scanner; GRANT TRIGGER ON public.asset TO birth_definer")
    steward = db.connect("alice_steward")
    api.collection_register(steward, "asset", "public", "asset", "BIRTH_REQUIRED", governed=True)
    api.identity_classify(steward, "asset", "column", column="code")
    api.gateway_attach(steward, "asset", "enforce")
    return "asset"


@pytest.fixture
def birthdb(db: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command in this process, because importing everything anew takes longer than most commands."""

    def run(user: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        monkeypatch.setenv(target.VARIABLE, db.url(user))
        monkeypatch.setattr(sys, "argv", ["birthdb", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        gc.enable()
        assert isinstance(ended.value.code, int)
        return subprocess.CompletedProcess(arguments, ended.value.code, *capsys.readouterr())

    return run


@pytest.fixture
def process(db: Database, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run a command in a process of its own."""

    def run(user: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        monkeypatch.setenv(target.VARIABLE, db.url(user))
        return subprocess.run([sys.executable, "-m", "birthdb", *arguments], capture_output=True, text=True)

    return run


def permitted(db: Database, collection: str) -> tuple[Plan, int]:
    """Return a plan and its confirmed permit."""
    planned = api.plan(db.connect("olga_operator"), collection, dry_run=False)
    reviewer = db.connect("rita_reviewer")
    api.review_record(reviewer, planned["run_id"], "SAFE", "counts agree")
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    owner = db.connect("paul_owner")
    permit = api.permit_open(owner, collection, planned["run_id"], ROWS, tomorrow, "first backfill")["permit_id"]
    api.permit_confirm(reviewer, permit)
    return planned, permit


def test_a_run_is_applied_with_progress_and_its_evidence_can_be_checked(
    db: Database, collection: str, process: Command, tmp_path: Path
) -> None:
    planned, permit = permitted(db, collection)
    run = str(planned["run_id"])
    numbers = ["--expected-delta", str(ROWS), "--max-rows", str(ROWS)]

    checked = process("olga_operator", "apply", run, *numbers, "--batch-ms", "200")
    assert (checked.returncode, checked.stderr.count("Traceback")) == (0, 0), checked.stderr
    assert db.connect().execute("SELECT count(*) FROM birth.birth_registry").fetchone() == (0,)

    pace = ["--batch", "500", "--batch-ms", "3600000"]
    applied = process("olga_operator", "apply", run, *numbers, *pace, "--execute")
    assert (applied.returncode, applied.stderr.count("Traceback")) == (0, 0), applied.stderr
    assert "100%" in applied.stderr

    census = process("olga_operator", "census", collection)
    assert census.returncode == 0
    assert census.stdout.rstrip().endswith(": PASS")
    born = process("olga_operator", "plan", collection)
    assert (born.returncode, "nothing to do" in born.stdout) == (0, True), born.stdout + born.stderr
    file = tmp_path / "evidence.json"
    assert process("olga_operator", "evidence", run, "--output", str(file)).returncode == 0
    document = json.loads(file.read_text(encoding="utf-8"))
    assert document["sha256"] == evidence.digest(document)
    assert [finding for finding in evidence.check(document) if not finding["ok"]] == []
    assert process("olga_operator", "evidence", "--check", str(file)).returncode == 0
    assert (document["exported_by"], document["release"]) == ("olga_operator", RELEASES[-1])
    assert document["database"]["name"] == db.name
    assert document["run"]["actual_inserted"] == ROWS
    assert len(document["receipts"]) == 5
    assert all(check["pass"] for check in document["census"])
    assert document["contract"]
    assert {act["run_id"] for act in document["acts"]} == {run}
    assert [act["detail"] for act in document["acts"] if act["act"] == "tune"] == [
        {"batch": 500, "pause_ms": 0, "target_ms": 3_600_000}
    ]
    assert document["permits"][0]["permit_id"] == permit
    assert document["verdicts"][0]["verdict"] == "SAFE"


def test_ctrl_c_says_what_was_written_and_how_to_go_on(
    db: Database, collection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned, _ = permitted(db, collection)
    api.run_tune(db.connect("olga_operator"), planned["run_id"], 10, 600_000)
    monkeypatch.setenv(target.VARIABLE, db.url("olga_operator"))
    numbers = ["--expected-delta", str(ROWS), "--max-rows", str(ROWS), "--execute"]
    command = [sys.executable, "-m", "birthdb", "apply", str(planned["run_id"]), *numbers]
    watch = db.connect()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        deadline = monotonic() + 60
        while watch.execute("SELECT count(*) FROM birth.birth_registry").fetchone() == (0,):
            assert monotonic() < deadline
            sleep(POLL)
        process.send_signal(signal.SIGINT)
        try:
            _, said = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 1
    assert f"error: interrupted: 10 of {ROWS} rows are written and stay; run {planned['run_id']}" in said
    assert "hint: the same command goes on" in said
    assert "next: CALL birth.sp_dot_birth_qt001_apply" in said
    assert "Traceback" not in said


def test_an_error_is_shown_with_sqlstate_detail_and_hint(db: Database, collection: str, birthdb: Command) -> None:
    planned, _ = permitted(db, collection)
    numbers = ["--expected-delta", "1", "--max-rows", str(ROWS)]
    refused = birthdb("olga_operator", "apply", str(planned["run_id"]), *numbers, "--execute", "--json")
    assert refused.returncode == 1
    shown = json.loads(refused.stderr)
    assert shown["code"] == "NB306"
    assert shown["error"]
    assert shown["detail"]
    assert shown["hint"]


def test_rows_without_a_birth_exit_1(collection: str, birthdb: Command) -> None:
    census = birthdb("olga_operator", "census", collection, "--json")
    assert census.returncode == 1
    shown = json.loads(census.stdout)
    assert shown["pass"] is False
    assert datetime.fromisoformat(shown["checked_at"]).tzinfo is not None
    assert any(not check["pass"] for check in shown["census"])
    assert birthdb("olga_operator", "census", collection).stdout.rstrip().endswith(": FAIL")


def test_verify_passes_on_a_released_database(db: Database, birthdb: Command) -> None:
    verified = birthdb("olga_operator", "verify", "--json")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    db.connect().execute("DROP VIEW birth.v_birth_metrics")
    drifted = birthdb("olga_operator", "verify", "--json")
    assert drifted.returncode == 1
    assert json.loads(drifted.stdout)["differing"] == [
        {"what": "contract", "object": "view v_birth_metrics", "found": "missing", "blocks": True}
    ]


def test_verify_prints_a_line_per_drifted_object_and_writes_junit(
    db: Database, birthdb: Command, tmp_path: Path
) -> None:
    admin = db.connect()
    admin.execute("GRANT SELECT ON birth.birth_act TO nora_nobody")
    body = admin.execute("SELECT pg_get_functiondef('birth.fn_birth_lock_key'::regproc)").fetchone()
    assert body is not None
    admin.execute(body[0].replace("SELECT hash", "SELECT  /* key */ hash").encode())
    found = birthdb("olga_operator", "verify", "--junit", str(tmp_path / "verify.xml"))
    assert found.returncode == 1
    *lines, last = found.stdout.splitlines()
    assert lines == [
        "contract: function fn_birth_lock_key(text): body (formatting and comments only)",
        "contract: table birth_act: privileges (+nora_nobody=SELECT) (does not block apply)",
    ]
    assert last.endswith(": 2 DIFFER")
    suites = ElementTree.parse(tmp_path / "verify.xml").getroot()
    counted = {suite.get("name"): (suite.get("tests"), suite.get("failures")) for suite in suites}
    assert counted["contract"][1] == "2"
    recorded = admin.execute("SELECT count(*) FROM birth.v_birth_contract_recorded WHERE kind = 'claim'").fetchone()
    assert recorded is not None
    assert counted["registry"] == (str(int(counted["contract"][0] or 0) + recorded[0]), "0")
    assert {case.get("name") for case in suites.iter("testcase") if case.find("failure") is not None} == {
        "function fn_birth_lock_key(text)",
        "table birth_act",
    }


def test_drift_shows_what_was_found_and_expected(db: Database, birthdb: Command) -> None:
    db.connect().execute(
        "ALTER FUNCTION birth.fn_birth_lock_key(text) COST 7;"
        "ALTER VIEW birth.v_birth_living SET (security_barrier = true);"
        "ALTER TABLE birth.birth_act ALTER reason SET DEFAULT 'none given';"
        "CREATE OR REPLACE FUNCTION birth.fn_birth_version_probe() RETURNS int LANGUAGE sql AS 'SELECT 1'"
    )
    found = birthdb("olga_operator", "verify").stdout
    assert "fn_birth_lock_key(text): configuration; configuration: found 7, expected 100\n" in found
    assert "v_birth_living: configuration; configuration: found security_barrier=true, expected nothing\n" in found
    assert "signature reason default: found 'none given'::text, expected nothing" in found
    assert "fn_birth_version_probe(): extra\n" in found


def test_an_unwritable_report_file_is_misuse(birthdb: Command, tmp_path: Path) -> None:
    refused = birthdb("olga_operator", "verify", "--junit", str(tmp_path / "nowhere" / "verify.xml"))
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    "command", [["verify", "--junit"], ["evidence", "all", "-o"], ["evidence", "RUN", "--births", "-o"]]
)
def test_written_files_are_private_and_follow_no_link(
    db: Database, collection: str, birthdb: Command, tmp_path: Path, command: list[str]
) -> None:
    planned = api.plan(db.connect("olga_operator"), collection, dry_run=False)
    arguments = [str(planned["run_id"]) if word == "RUN" else word for word in command]
    file, elsewhere, link = (tmp_path / name for name in ("file", "elsewhere", "link"))
    written = birthdb("olga_operator", *arguments, str(file))
    assert written.returncode == 0, written.stderr
    assert file.stat().st_mode & 0o777 == 0o600
    link.symlink_to(elsewhere)
    refused = birthdb("olga_operator", *arguments, str(link), "--json")
    assert (refused.returncode, elsewhere.exists(), link.is_symlink()) == (2, False, True)
    assert "a link is not followed" in json.loads(refused.stderr)["error"]


def test_verify_finds_drift_hidden_by_a_forged_contract(db: Database, birthdb: Command) -> None:
    """Who changes a routine and records it as released deceives the database, and not the release's files."""
    admin = db.connect()
    admin.execute("ALTER FUNCTION birth.fn_birth_lock_key(text) COST 7")
    admin.execute("SELECT birth.fn_birth_contract_record(%s, '{}')", (RELEASES[-1],))
    assert admin.execute("SELECT all_ok FROM birth.v_birth_gateway_contract_integrity_dashboard").fetchone() == (True,)
    found = {(check["what"], check["object"]) for check in json.loads(
        birthdb("olga_operator", "verify", "--json").stdout)["differing"]}  # fmt: skip
    assert ("contract", "function fn_birth_lock_key(text)") in found
    assert ("registry", "function fn_birth_lock_key(text)") in found


def test_drift_is_shown_and_repaired(db: Database, birthdb: Command) -> None:
    db.connect().execute("DROP VIEW birth.v_birth_metrics; GRANT INSERT ON birth.birth_receipt TO nora_nobody")
    shown = birthdb(RELEASER, "repair")
    assert "REVOKE INSERT ON TABLE birth.birth_receipt FROM nora_nobody;" in shown.stdout
    assert shown.stdout.splitlines()[0] == "SET search_path = pg_catalog, pg_temp;"
    assert shown.stdout.splitlines()[-1] == "2 to put back: add --execute"
    assert birthdb("olga_operator", "verify").returncode == 1
    assert birthdb(RELEASER, "repair", "--execute").stdout.splitlines()[-1] == "2 put back"
    assert birthdb(RELEASER, "repair").stdout.splitlines()[-1] == "0 to put back"
    assert birthdb("olga_operator", "verify").returncode == 0
    assert birthdb(RELEASER, "attest").stdout.strip().endswith("as released: 0 objects recorded again")
    refused = birthdb("olga_operator", "repair")
    assert refused.returncode == 1
    assert "NB410" in refused.stderr


def test_repair_prints_what_a_superuser_has_to_send_first(db: Database, birthdb: Command) -> None:
    admin = db.connect()
    admin.execute("DROP VIEW birth.v_birth_metrics; ALTER VIEW birth.v_birth_living OWNER TO postgres")
    refused = birthdb(RELEASER, "repair", "--execute")
    assert (refused.returncode, "GRANT birth_dba" in refused.stderr) == (1, False)
    ready = refused.stderr.partition("a superuser repairs, or sends this first:\n")[2]
    assert "ALTER TABLE birth.v_birth_living OWNER TO birth_definer;" in ready
    admin.execute(ready.encode())
    assert birthdb(RELEASER, "repair", "--execute").returncode == 0
    assert birthdb("olga_operator", "verify").returncode == 0


def test_verify_compares_living_files_with_the_releases(db: Database, birthdb: Command) -> None:
    found = json.loads(birthdb("olga_operator", "verify", "--source", "--json").stdout)
    assert found["checked"]["source"] == len(Sources(paths.ROOT).releases)


def test_status_shows_the_release(birthdb: Command) -> None:
    shown = json.loads(birthdb("olga_operator", "status", "--json").stdout)
    assert shown["releases"]
    # A release needs no superuser: what only one can add is missing, is said, and is no fault.
    assert {row["name"]: row["state"] for row in shown["event triggers"]} == dict.fromkeys(
        ("birth_guard_changed", "birth_guard_dropped", "birth_guard_gate"), "absent"
    )
    assert all(row["not_noticed"] for row in shown["event triggers"])
    assert all("by a superuser" in row["next_step"] for row in shown["event triggers"])


def test_status_begins_with_the_collections_and_shows_ten_items(
    db: Database, collection: str, birthdb: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin, steward = db.connect(), db.connect("alice_steward")
    api.rows(db.connect("olga_operator"), "fn_birth_census_record", p_collection=collection)
    admin.execute("ANALYZE public.asset")
    for i in range(30):
        api.collection_register(steward, f"more_{i:02}", "public", f"more_{i:02}", "BIRTH_REQUIRED")
    shown = birthdb("olga_operator", "status")
    release, title, _, headers, _, first, *_, last = shown.stdout.splitlines()
    assert (release, title, last) == (f"release {RELEASES[-1]}", "collections", "needs action: 30 notice")
    assert headers.strip("┃ ").split() == ["collection", "┃", "mode", "┃", "rows", "┃", "births", "┃", "last", "census"]
    assert first.startswith(f"│ asset      │ enforce    │ ~{ROWS} │ 0      │ ")
    assert first.endswith(" FAIL │")
    assert "11 more collections: --all" in shown.stdout
    assert "20 more need action: --all" in shown.stdout
    assert shown.stdout.count("    next: SELECT birth.fn_birth_collection_withdraw(") == 10
    assert "dots" not in shown.stdout
    assert max(len(line) for line in shown.stdout.splitlines() if "next: " not in line) <= 80
    everything = birthdb("olga_operator", "status", "--all").stdout
    assert "more_29" in everything
    assert "event triggers" in everything
    assert "dots" in everything
    assert everything.count("    next: SELECT birth.fn_birth_collection_withdraw(") == 30


def test_status_fails_from_a_warning_up_or_as_it_is_told(db: Database, collection: str, birthdb: Command) -> None:
    admin = db.connect()

    def ends(*arguments: str) -> int:
        return birthdb("olga_operator", "status", *arguments).returncode

    assert ends("--fail-on", "notice") == 0
    api.collection_register(db.connect("alice_steward"), "later", "public", "later", "BIRTH_REQUIRED")
    assert (ends(), ends("--fail-on", "notice")) == (0, 1)
    api.gateway_mode(db.connect("alice_steward"), collection, "observe", "trouble")
    assert (ends(), ends("--fail-on", "warning"), ends("--fail-on", "critical")) == (1, 1, 0)
    admin.execute("DROP VIEW birth.v_birth_living")
    assert (ends(), ends("--fail-on", "critical"), ends("--fail-on", "never")) == (1, 1, 0)
    assert ends("--fail-on", "sometimes") == 2


def test_status_prints_no_definition(db: Database, birthdb: Command) -> None:
    db.connect().execute("DROP VIEW birth.v_birth_living")
    shown = birthdb("olga_operator", "status").stdout
    assert "    next: birthdb repair\n" in shown
    assert "CREATE " not in shown


def test_a_plan_that_is_blocked_says_why_in_lines(db: Database, collection: str, birthdb: Command) -> None:
    db.connect().execute("ALTER TABLE public.asset DISABLE TRIGGER ALL")
    blocked = birthdb("olga_operator", "plan", collection)
    assert blocked.returncode == 1
    assert "blocked: NB" in blocked.stdout
    assert not {"{", "}", "[", "]", "None", "True", "False"} & set(re.findall(r"[\[\]{}]|\w+", blocked.stdout))


def test_an_unknown_run_has_no_evidence(birthdb: Command) -> None:
    assert birthdb("olga_operator", "evidence", str(UUID(int=0))).returncode == 2


def done(db: Database, collection: str) -> Plan:
    """Return the plan of a run that was done in five batches."""
    planned, permit = permitted(db, collection)
    operator = db.connect("olga_operator")
    api.apply(operator, collection, planned["run_id"], permit, ROWS, ROWS, batch=500, execute=True)
    return planned


def signed(document: dict[str, Any]) -> dict[str, Any]:
    return document | {"sha256": evidence.digest(document)}


def test_a_tampered_document_is_detected(db: Database, collection: str, birthdb: Command, tmp_path: Path) -> None:
    planned = done(db, collection)
    document = evidence.export(db.connect("olga_operator"), planned["run_id"])
    whole = json.dumps(document)

    def failing(tampered: dict[str, Any]) -> list[str]:
        return [finding["check"].split(" ")[0] for finding in evidence.check(tampered) if not finding["ok"]]

    def tamper(change: Callable[[dict[str, Any]], object]) -> list[str]:
        copy = json.loads(whole)
        change(copy)
        assert failing(copy)[0] == "SHA-256"
        return failing(signed(copy))

    def in_force(copy: dict[str, Any]) -> dict[str, Any]:
        return next(row for row in reversed(copy["contract"]) if row["kind"] == "view")

    assert failing(json.loads(whole)) == []
    assert tamper(lambda copy: copy["verdicts"][0].update(findings="fine")) == []
    assert tamper(lambda copy: copy["receipts"][2].update(written_by="somebody")) == ["seals"]
    assert tamper(lambda copy: copy["receipts"][2].update(born_at="2020-01-01T00:00:00+00:00")) == ["seals"]
    assert tamper(lambda copy: copy["receipts"].pop()) == ["seals", "births"]
    assert tamper(lambda copy: copy["receipts"].pop(1)) == ["seals", "births"]
    assert tamper(lambda copy: copy["run"].update(actual_inserted=1)) == ["births"]
    assert tamper(lambda copy: in_force(copy).update(exact_sha256="0")) == ["contract"]
    assert tamper(lambda copy: copy.pop("run")) != []
    assert failing({"sha256": 1})[0] == "SHA-256"

    file = tmp_path / "tampered.json"
    file.write_text(json.dumps(document | {"exported_by": "somebody"}), encoding="utf-8")
    refused = birthdb("olga_operator", "evidence", "--check", str(file), "--json")
    assert refused.returncode == 1
    assert json.loads(refused.stdout)["pass"] is False


def test_an_exported_run_is_verified_offline_and_against_the_database(
    db: Database, collection: str, birthdb: Command, tmp_path: Path
) -> None:
    run = str(done(db, collection)["run_id"])
    file = tmp_path / "run.jsonl"
    written = birthdb("olga_operator", "evidence", run, "--births", "--output", str(file), "--json")
    assert written.returncode == 0, written.stderr
    lines = file.read_bytes().splitlines(keepends=True)
    assert len(lines) == ROWS + 2
    assert json.loads(lines[-1]) == {"births": ROWS, "sha256": hashlib.sha256(b"".join(lines[:-1])).hexdigest()}
    shown = birthdb("olga_operator", "evidence", run, "--births").stdout
    assert len(shown.splitlines()) == ROWS + 2
    head = json.loads(lines[0])["receipts"][-1]["sha256"]

    # Any machine: none that is named has a database.
    nowhere = {target.VARIABLE: "postgresql://nobody@/births?host=/nonexistent", "PATH": os.environ["PATH"]}
    command = [sys.executable, "-m", "birthdb", "verify", "--run", str(file), "--head", head]
    offline = subprocess.run(command, capture_output=True, text=True, env=nowhere)
    assert offline.returncode == 0, offline.stdout + offline.stderr
    assert offline.stdout.count("ok  ") == len(offline.stdout.splitlines()) - 1
    refused = birthdb("olga_operator", "verify", "--run", str(file), "--head", "0" * 64, "--json")
    assert refused.returncode == 1
    assert [check["check"] for check in json.loads(refused.stdout)["checks"] if not check["ok"]] == ["head"]

    short = tmp_path / "run.json"
    assert birthdb("olga_operator", "evidence", run, "--output", str(short)).returncode == 0
    less = birthdb("olga_operator", "verify", "--run", str(short))
    assert (less.returncode, "DIFFERS" in less.stdout) == (0, False)
    assert "births: not checked: they are not in this export" in less.stdout
    assert less.stdout.splitlines()[-1].endswith(
        "as recorded; its births are not in this export: birthdb evidence RUN --births"
    )

    against = ["verify", "--run", str(file), "--url", db.url("olga_operator")]
    assert birthdb("olga_operator", *against).returncode == 0
    db.connect().execute("UPDATE birth.birth_registry SET dot_origin = 'by hand' WHERE entity_code = 'A-77'")
    changed = birthdb("olga_operator", *against)
    assert changed.returncode == 1
    assert "DIFFERS birth A-77: changed: dot_origin by hand; expected dot_origin dot-birth-" in changed.stdout
    db.connect().execute("UPDATE birth.birth_registry SET dot_origin = E'\\x1b[2J' WHERE entity_code = 'A-77'")
    cleared = birthdb("olga_operator", *against).stdout
    assert "changed: dot_origin \\x1b[2J;" in cleared
    assert "\x1b" not in cleared
    forge = db.connect()
    forge.execute("SET session_replication_role = replica")
    forge.execute("DELETE FROM birth.birth_backfill_ledger_v2")
    gone = birthdb("olga_operator", *against)
    assert gone.returncode == 1
    assert f"DIFFERS run {run}: there is no run {run}" in gone.stdout


def test_an_unverifiable_document_is_misuse(birthdb: Command, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("{}", encoding="utf-8")
    for arguments in (["--run", str(tmp_path / "none")], ["--run", str(other)], ["--head", "0" * 64]):
        assert birthdb("olga_operator", "verify", *arguments).returncode == 2


@pytest.mark.long
def test_exported_and_acknowledged_evidence_may_be_dropped(
    db: Database, collection: str, birthdb: Command, tmp_path: Path
) -> None:
    done(db, collection)
    births = db.connect()
    hold = {
        "stage2_5": ("birth_admission_permit_v2", "birth_backfill_ledger_v2", "birth_review", "birth_receipt"),
        "baseline": ("birth_registry",),
    }
    for release, earlier in pairwise([*reversed(RELEASES), "base"]):
        tables = hold.get(release, ())
        exported = birthdb("dora_dba", "evidence", "all", *(["--births"] if release == "baseline" else []))
        assert exported.returncode == 0, exported.stderr
        document = json.loads(exported.stdout)
        assert document["release"] == release
        assert [finding for finding in evidence.check(document) if not finding["ok"]] == []
        assert document["tables"]["birth_registry"]["count"] == ROWS
        assert document["tables"]["birth_act"]["rows"]
        assert ("rows" in document["tables"]["birth_registry"]) is (release == "baseline")
        there = {row[0] for row in births.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'birth'")}
        assert document["tables"].keys() == evidence.TABLES.keys() & there
        if tables:
            with pytest.raises(psycopg.DatabaseError, match="would destroy evidence"):
                downgrade(db.url(RELEASER), earlier)
        for table in tables:
            births.execute(
                "SELECT birth.fn_birth_evidence_acknowledge(%s, %s)", (table, document["tables"][table]["digest"])
            )
        if earlier == "base":
            # Its trigger calls the gateway.
            births.execute("DROP TABLE public.asset")
        downgrade(db.url(RELEASER), earlier)


@pytest.mark.long
@some("release", reversed(RELEASES[:-1]), most=2)
def test_status_works_on_earlier_releases_and_names_what_is_missing(
    db: Database, birthdb: Command, release: str
) -> None:
    downgrade(db.url(RELEASER), release)
    status = birthdb("olga_operator", "status", "--json")
    assert status.returncode == 0, status.stderr
    shown = json.loads(status.stdout)
    assert shown["release"] == [{"release": release}]
    missing = {(each["missing"], each["comes_with"]) for each in shown.get("missing", [])}
    for name, since in (("v_birth_run_progress", "stage2_5"), ("v_birth_gate", "stage3"), ("v_birth_life", "stage5")):
        assert ((name, since) in missing) is (RELEASES.index(release) < RELEASES.index(since))
    assert "collections" in shown
    verified = birthdb("olga_operator", "verify", "--json")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert not json.loads(verified.stdout)["differing"]


def test_verify_finds_a_run_that_does_not_match_its_births(db: Database, collection: str, birthdb: Command) -> None:
    done(db, collection)
    assert birthdb("olga_operator", "verify").returncode == 0
    forger = db.connect()
    forger.execute("SET session_replication_role = replica")
    forger.execute("DELETE FROM birth.birth_registry WHERE entity_code = 'A-7'")
    found = birthdb("olga_operator", "verify", "--json")
    assert found.returncode == 1
    assert {check["what"] for check in json.loads(found.stdout)["differing"]} == {"run"}


def test_a_census_of_all_goes_on_after_one_that_fails_and_is_put_on_record(
    db: Database, collection: str, birthdb: Command
) -> None:
    steward = db.connect("alice_steward")
    db.connect().execute("CREATE TABLE public.closed (id integer PRIMARY KEY)")
    for name in ("absent", "closed", "exempt"):
        policy = "BIRTH_EXEMPT_TEST" if name == "exempt" else "BIRTH_REQUIRED"
        api.collection_register(steward, name, "public", name, policy)
    api.identity_classify(steward, "closed", "synthetic_id", column="id", prefix="closed-")
    shown = birthdb("olga_operator", "census", "--all", "--record")
    lines = [line.split(" ", 2) for line in shown.stdout.splitlines()]
    assert [name for name, _, _ in lines] == ["absent", collection, "closed"]
    absent, asset, closed = (outcome for _, _, outcome in lines)
    assert absent == "FAIL identity is not eligible: table public.absent does not exist"
    assert asset == f"FAIL rows without a birth: {ROWS}"
    assert closed.startswith("refused: NB115 ")
    assert shown.returncode == 1
    recorded = "SELECT collection_name FROM birth.birth_act WHERE act = 'census' ORDER BY act_id"
    assert db.connect().execute(recorded).fetchall() == [("absent",), (collection,)]
    read = json.loads(birthdb("rita_reviewer", "census", "--all", "--json").stdout)["censuses"]
    assert [(one["collection"], one["pass"], one.get("code")) for one in read] == [
        ("absent", False, None),
        (collection, False, None),
        ("closed", False, "NB115"),
    ]
    assert db.connect().execute(recorded).fetchall() == [("absent",), (collection,)]


def test_a_census_on_record_needs_an_operator_and_passes_when_every_row_has_its_birth(
    db: Database, collection: str, birthdb: Command
) -> None:
    refused = birthdb("rita_reviewer", "census", collection, "--record")
    assert (refused.returncode, "birth_operator" in refused.stderr) == (1, True)
    planned, permit = permitted(db, collection)
    delta = planned["expected_delta"]
    api.apply(db.connect("olga_operator"), collection, planned["run_id"], permit, delta, delta, execute=True)
    assert birthdb("olga_operator", "census", "--all", "--record").returncode == 0
    assert birthdb("olga_operator", "census", collection, "--record").returncode == 0
    assert db.connect().execute("SELECT count(*) FROM birth.birth_act WHERE act = 'census'").fetchone() == (2,)
