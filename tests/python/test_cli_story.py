"""The command line on a released database: a backfill from its plan to its evidence."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from support import Database

from birthdb import api, evidence, target

Command = Callable[..., "subprocess.CompletedProcess[str]"]
ROWS = 2500


@pytest.fixture
def collection(db: Database) -> str:
    """A classified collection of rows that were there before."""
    owner = db.connect()
    owner.execute("CREATE TABLE public.asset (id integer PRIMARY KEY, code text NOT NULL UNIQUE)")
    owner.execute("INSERT INTO public.asset SELECT i, 'A-' || i FROM generate_series(1, %s) AS i", (ROWS,))
    owner.execute("GRANT SELECT, TRIGGER ON public.asset TO birth_definer")
    steward = db.connect("alice_steward")
    api.collection_register(steward, "asset", "public", "asset", "BIRTH_REQUIRED", governed=True)
    api.identity_classify(steward, "asset", "column", column="code")
    api.gateway_attach(steward, "asset", "enforce")
    return "asset"


@pytest.fixture
def birthdb(db: Database, monkeypatch: pytest.MonkeyPatch) -> Command:
    def run(user: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        monkeypatch.setenv(target.VARIABLE, db.url(user))
        return subprocess.run([sys.executable, "-m", "birthdb", *arguments], capture_output=True, text=True)

    return run


def permitted(db: Database, collection: str) -> tuple[dict[str, Any], int]:
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
    db: Database, collection: str, birthdb: Command, tmp_path: Path
) -> None:
    planned, permit = permitted(db, collection)
    run = str(planned["run_id"])
    numbers = ["--permit", str(permit), "--expected-delta", str(ROWS), "--max-rows", str(ROWS)]

    checked = birthdb("olga_operator", "apply", collection, run, *numbers)
    assert (checked.returncode, checked.stderr.count("Traceback")) == (0, 0), checked.stderr
    assert db.connect().execute("SELECT count(*) FROM birth.birth_registry").fetchone() == (0,)

    applied = birthdb("olga_operator", "apply", collection, run, *numbers, "--batch", "500", "--execute")
    assert (applied.returncode, applied.stderr.count("Traceback")) == (0, 0), applied.stderr
    assert "100%" in applied.stderr

    assert birthdb("olga_operator", "census", collection).returncode == 0
    file = tmp_path / "evidence.json"
    assert birthdb("olga_operator", "evidence", run, "--output", str(file)).returncode == 0
    document = json.loads(file.read_text(encoding="utf-8"))
    assert document["sha256"] == evidence.digest(document)
    assert document["run"]["actual_inserted"] == ROWS
    assert len(document["receipts"]) == 5
    assert all(check["pass"] for check in document["census"])
    assert document["contract"]
    assert {act["run_id"] for act in document["acts"]} == {run}
    assert document["permits"][0]["permit_id"] == permit
    assert document["verdicts"][0]["verdict"] == "SAFE"


def test_a_refusal_is_shown_with_code_detail_and_hint(db: Database, collection: str, birthdb: Command) -> None:
    planned, permit = permitted(db, collection)
    numbers = ["--permit", str(permit), "--expected-delta", "1", "--max-rows", str(ROWS)]
    refused = birthdb("olga_operator", "apply", collection, str(planned["run_id"]), *numbers, "--execute", "--json")
    assert refused.returncode == 1
    shown = json.loads(refused.stderr)
    assert shown["code"] == "NB306"
    assert shown["error"]
    assert shown["detail"]
    assert shown["hint"]


def test_rows_without_a_birth_need_attention(collection: str, birthdb: Command) -> None:
    census = birthdb("olga_operator", "census", collection, "--json")
    assert census.returncode == 1
    assert any(not check["pass"] for check in json.loads(census.stdout)["census"])


def test_a_released_database_is_as_it_was_released(db: Database, birthdb: Command) -> None:
    verified = birthdb("olga_operator", "verify", "--json")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    db.connect().execute("DROP VIEW birth.v_birth_metrics")
    drifted = birthdb("olga_operator", "verify", "--json")
    assert drifted.returncode == 1
    assert "v_birth_metrics" in drifted.stdout


def test_status_shows_the_release(birthdb: Command) -> None:
    shown = json.loads(birthdb("olga_operator", "status", "--json").stdout)
    assert shown["releases"]


def test_the_digests_of_evidence_cover_every_table(birthdb: Command) -> None:
    shown = json.loads(birthdb("dora_dba", "evidence", "all", "--json").stdout)
    assert tuple(row["table_name"] for row in shown["evidence"]) == evidence.TABLES


def test_an_unknown_run_has_no_evidence(birthdb: Command) -> None:
    assert birthdb("olga_operator", "evidence", str(UUID(int=0))).returncode == 2
