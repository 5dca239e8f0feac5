"""A claim is proven by a test that passes, and fails when the guard is taken out."""

import hashlib
from pathlib import Path

import pytest
from helpers import Scene
from support import Database

from birthdb import paths
from birthdb.release import prove

FILE = "tests/integration/identity/test_template.py"

CLAIM = prove.Claim(
    "writer_has_false_done_guard",
    routine="fn_birth_template_parse",
    guard="""
  IF v_columns = 0 THEN
    PERFORM birth.fn_birth_raise('identity_malformed', format('template %L names no column', left(p_template, 80)));
  END IF;
""",
    test=f"{FILE}::test_an_invalid_template_is_refused_and_nothing_is_classified",
)


def test_the_body_of_a_claim_is_the_one_that_the_database_runs(scene: Scene) -> None:
    for claim in [CLAIM, *prove.claims().values()]:
        assert claim.sha256 == scene.value(
            "SELECT encode(sha256(convert_to(prosrc, 'UTF8')), 'hex') FROM pg_proc"
            " WHERE pronamespace = 'birth'::regnamespace AND proname = %s",
            (claim.routine,),
        )


def test_every_claimed_guard_occurs_once_and_every_test_exists() -> None:
    for claim in [CLAIM, *prove.claims().values()]:
        assert claim.without(claim.body) != claim.body
        file, _, name = claim.test.partition("::")
        assert f"def {name.partition('[')[0]}(" in (paths.ROOT / file).read_text(encoding="utf-8")


def test_a_claim_without_its_guard_text_is_an_error() -> None:
    with pytest.raises(prove.ClaimError, match="0 times"):
        prove.Claim("x", "fn_birth_template_parse", "IF the moon is full", "t").without(CLAIM.body)


def test_disabling_a_claimed_guard_changes_nothing_else(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prove, "claims", lambda: {CLAIM.name: CLAIM})
    prove.take_out(scene.admin, CLAIM.name)
    assert scene.value("SELECT literal FROM birth.fn_birth_template_parse('no column')") == "no column"
    assert scene.value("SELECT all_ok FROM birth.v_birth_gateway_contract_integrity_dashboard") is True
    assert scene.value("SELECT count(*) FROM birth.v_birth_stage0_still_enforced_guard WHERE NOT pass") == 0


def test_evidence_for_another_body_is_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prove, "claims", lambda: {CLAIM.name: CLAIM})
    proven = {
        "routine": CLAIM.routine,
        "body_sha256": CLAIM.sha256,
        "test": CLAIM.test,
        "test_sha256": CLAIM.test_sha256,
    }
    monkeypatch.setattr(prove, "evidence", lambda: {CLAIM.name: proven})
    assert prove.stale() == []
    for part in ("body_sha256", "test_sha256"):
        other = proven | {part: hashlib.sha256(b"another").hexdigest()}
        monkeypatch.setattr(prove, "evidence", lambda other=other: {CLAIM.name: other})
        assert prove.stale() == [CLAIM.name]


def test_every_claim_is_proven_for_the_current_bodies_and_tests() -> None:
    assert prove.stale() == []


def test_a_claim_with_a_missing_test_is_an_error() -> None:
    with pytest.raises(prove.ClaimError, match="there is no"):
        _ = prove.Claim("x", "fn_birth_template_parse", "g", f"{FILE}::test_nothing").test_sha256


def test_a_released_database_shows_every_flag_of_the_writer_proven(db: Database) -> None:
    (flags,) = db.connect("olga_operator").execute("SELECT * FROM birth.v_qt001_apply_runtime_status").fetchall()
    assert len(flags) == 10
    assert all(flags)
