"""Each guard passes as released, and each of its checks fails when what it guards is broken."""

import re
from typing import LiteralString

import pytest
from helpers import Scene

from birthdb import paths

FREEZE = "v_birth_stage0_freeze_no_go_guard"
OLD = "v_birth_stage0_no_old_function_guard"
DETECTOR = "v_birth_gateway_ssot_drift_detector"
ENFORCED = "v_birth_stage0_still_enforced_guard"
PROOF = "v_birth_stage1_no_worse_proof"
STAGE2 = "v_birth_stage2_no_worse_guard"
NO_GO = "v_qt001_apply_runtime_no_go_guard"

ROWS = {FREEZE: 2, OLD: 3, DETECTOR: 2, ENFORCED: 8, PROOF: 5, STAGE2: 6, NO_GO: 4}


def failing(scene: Scene, view: str) -> list[str]:
    return [row["check_name"] for row in scene.rows(f"SELECT * FROM birth.{view}".encode()) if row["pass"] is not True]


@pytest.mark.parametrize("view", ROWS)
def test_every_guard_view_has_its_rows_and_passes_after_a_release(scene: Scene, view: str) -> None:
    rows = scene.rows(f"SELECT * FROM birth.{view}".encode())
    assert len(rows) == ROWS[view]
    for row in rows:
        assert {"check_name", "found", "expected", "pass"} <= row.keys()
        assert row["pass"] is True, row
        assert row["found"] is not None
        assert row["expected"] is not None


def test_an_anchor_that_is_gone_is_left_to_a_person(scene: Scene) -> None:
    scene.execute("DELETE FROM birth.birth_stage_anchor WHERE stage = 'stage1'")
    steps = [row["next_step"] for row in scene.rows("SELECT what, next_step FROM birth.v_birth_attention")]
    assert steps
    assert all("a person has to restore the rows of birth.birth_stage_anchor from a backup" in step for step in steps)


def body(name: str) -> bytes:
    """A statement that gives a routine another body."""
    return f"""
      DO $do$ DECLARE v text := (SELECT pg_get_functiondef(p.oid) FROM pg_proc p
        WHERE p.pronamespace = 'birth'::regnamespace AND p.proname = '{name}');
      BEGIN EXECUTE regexp_replace(v, 'BEGIN', 'BEGIN NULL;'); END $do$""".encode()


def old_gateway() -> bytes:
    source = (paths.MIGRATIONS / "objects/fn_dot_birth_trigger_setup/baseline.sql").read_text(encoding="utf-8")
    (text,) = re.findall(r"AS \$fn_birth_registry_auto\$(.*?)\$fn_birth_registry_auto\$", source, re.DOTALL)
    # Written differently, it is the same.
    text = text.replace("\n", "\n\t ")
    return f"CREATE FUNCTION public.anything() RETURNS trigger LANGUAGE plpgsql AS $x${text}$x$".encode()


STAGE0: dict[str, tuple[bytes, dict[str, int]]] = {
    "the refusing body of DOT-118 is replaced": (body("fn_dot_birth_backfill"), {FREEZE: 1, ENFORCED: 1}),
    "the refusing body of DOT-119 is replaced": (body("fn_dot_birth_trigger_setup"), {FREEZE: 1, ENFORCED: 1}),
    "the routine is gone": (b"DROP FUNCTION birth.fn_dot_birth_backfill(text)", {FREEZE: 1, ENFORCED: 1}),
    "the routine is overloaded": (
        b"CREATE FUNCTION birth.fn_dot_birth_backfill() RETURNS void LANGUAGE sql AS ''",
        {FREEZE: 1, ENFORCED: 1},
    ),
    "somebody may insert births": (b"GRANT INSERT ON birth.birth_registry TO birth_operator", {FREEZE: 2, ENFORCED: 2}),
    "everybody may insert births": (b"GRANT INSERT ON birth.birth_registry TO PUBLIC", {FREEZE: 2, ENFORCED: 2}),
    "somebody may insert into a column": (
        b"GRANT INSERT (entity_code) ON birth.birth_registry TO birth_operator",
        {FREEZE: 2, ENFORCED: 2},
    ),
    "somebody may create in the schema": (b"GRANT CREATE ON SCHEMA birth TO birth_steward", {FREEZE: 2, ENFORCED: 2}),
    "the gateway has another owner": (
        b"ALTER FUNCTION birth.fn_birth_registry_auto() OWNER TO birth_dba",
        {FREEZE: 2, ENFORCED: 2},
    ),
    "the registry has another owner": (
        b"ALTER TABLE birth.birth_registry OWNER TO birth_dba",
        {FREEZE: 2, ENFORCED: 2},
    ),
    "the freeze acts are gone": (b"DELETE FROM birth.birth_act WHERE act = 'freeze'", {FREEZE: 2, ENFORCED: 2}),
    "the anchors are gone": (
        b"DELETE FROM birth.birth_stage_anchor",
        {FREEZE: 2, OLD: 1, DETECTOR: 2, PROOF: 5, STAGE2: 6},
    ),
    "the gateway has another body": (body("fn_birth_registry_auto"), {DETECTOR: 1, ENFORCED: 1, PROOF: 1, STAGE2: 1}),
    "the id gateway has another body": (body("fn_birth_registry_auto_id"), {DETECTOR: 1, ENFORCED: 1, PROOF: 1}),
    "the old gateway is back under another name": (old_gateway(), {OLD: 1, ENFORCED: 1, DETECTOR: 0}),
    "a second gateway stands in another schema": (
        b"CREATE FUNCTION public.fn_birth_registry_auto() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        {OLD: 1, ENFORCED: 1, DETECTOR: 0},
    ),
}


@pytest.mark.parametrize("what", STAGE0)
def test_the_guards_report_a_broken_stage_0(scene: Scene, what: str) -> None:
    statement, expected = STAGE0[what]
    scene.execute(statement)
    assert {view: len(failing(scene, view)) for view in expected} == expected


def anchor(scene: Scene) -> None:
    """Release stages 1 and 2 again, as far as the guards are concerned."""
    scene.execute("SELECT birth.fn_birth_anchor_record(s) FROM unnest(ARRAY['stage1', 'stage2']) AS s")


@pytest.fixture
def known(scene: Scene) -> Scene:
    """A scene whose stages were released with three collections: required with a gateway, in review, exempt."""
    scene.collection("item")
    scene.ask("alice_steward", "fn_birth_gateway_attach", p_collection="item", p_mode="enforce")
    scene.collection("draft", policy="BIRTH_DEFERRED_NEEDS_REVIEW")
    scene.collection("cache", policy="BIRTH_EXEMPT_DERIVED")
    anchor(scene)
    assert failing(scene, PROOF) == failing(scene, STAGE2) == []
    return scene


SET_POLICY: LiteralString = "UPDATE birth.collection_registry SET coverage_status = %s WHERE collection_name = %s"


@pytest.mark.parametrize(
    ("collection", "policy", "proof", "stage2"),
    [
        ("item", "BIRTH_DEFERRED_NEEDS_REVIEW", 1, ["BIRTH_REQUIRED"]),
        ("item", "BIRTH_EXEMPT_LATER", 1, ["BIRTH_REQUIRED", "BIRTH_DEFERRED_NEEDS_REVIEW", "BIRTH_EXEMPT"]),
        ("draft", "BIRTH_EXEMPT_LATER", 1, ["BIRTH_DEFERRED_NEEDS_REVIEW", "BIRTH_EXEMPT"]),
        ("draft", "BIRTH_REQUIRED", 0, []),
        ("cache", "BIRTH_DEFERRED_NEEDS_REVIEW", 0, []),
        ("cache", "BIRTH_REQUIRED", 0, []),
    ],
)
def test_reduced_coverage_fails_the_guards_and_more_coverage_passes(
    known: Scene, collection: str, policy: str, proof: int, stage2: list[str]
) -> None:
    known.execute(SET_POLICY, (policy, collection))
    assert len(failing(known, PROOF)) == proof
    assert failing(known, STAGE2) == stage2


@pytest.mark.parametrize("policy", ["BIRTH_REQUIRED", "BIRTH_DEFERRED_NEEDS_REVIEW", "BIRTH_EXEMPT_DERIVED"])
def test_a_collection_registered_later_keeps_the_guards_passing(known: Scene, policy: str) -> None:
    known.collection("later", policy=policy)
    assert failing(known, PROOF) == failing(known, STAGE2) == []


def test_a_removed_collection_fails_the_guards(known: Scene) -> None:
    known.execute("DELETE FROM birth.birth_gateway_finding")
    known.execute("DELETE FROM birth.collection_registry WHERE collection_name = 'draft'")
    assert failing(known, STAGE2) == ["BIRTH_DEFERRED_NEEDS_REVIEW"]


@pytest.mark.parametrize(
    "statement",
    [b"DROP TRIGGER birth_gateway ON public.item", b"ALTER TABLE public.item DISABLE TRIGGER birth_gateway"],
)
def test_a_required_table_that_lost_its_gateway_fails_the_guards(known: Scene, statement: bytes) -> None:
    known.execute(statement)
    (row,) = [r for r in known.rows(f"SELECT * FROM birth.{STAGE2}".encode()) if not r["pass"]]
    assert row["check_name"].startswith("QT-002")
    assert row["found"] == "item"


def test_a_dropped_source_table_keeps_the_guards_passing(known: Scene) -> None:
    known.execute("DROP TABLE public.item")
    assert failing(known, STAGE2) == []


def test_an_open_stage_1_permit_fails_the_guards(known: Scene) -> None:
    known.execute("ALTER TABLE birth.birth_admission_permit DROP CONSTRAINT birth_admission_permit_closed")
    known.execute("INSERT INTO birth.birth_admission_permit (collection_name, reason) VALUES ('item', 'forged')")
    assert failing(known, PROOF) == ["open permits in birth_admission_permit"]
    assert failing(known, STAGE2) == ["open permits in birth_admission_permit"]
    assert [name[:17] for name in failing(known, NO_GO)] == ["contract intact", "every open permit"]


def test_a_trigger_guard_alert_fails_the_guards(known: Scene) -> None:
    known.execute("INSERT INTO birth.trigger_guard_alerts (command, object) VALUES ('ALTER TABLE', 'public.item')")
    assert failing(known, PROOF) == ["trigger guard alerts since stage 1"]


def test_a_confirmed_permit_with_a_verdict_passes_the_no_go_guard(scene: Scene) -> None:
    scene.permitted(scene.collection())
    assert failing(scene, NO_GO) == []


def test_an_unconfirmed_permit_fails_the_no_go_guard(scene: Scene) -> None:
    plan = scene.plan(scene.collection())
    scene.review(plan["run_id"])
    scene.open_permit("item", plan["run_id"], 20)
    assert [name[:17] for name in failing(scene, NO_GO)] == ["every open permit"]


def test_an_expired_permit_fails_the_no_go_guard(scene: Scene) -> None:
    scene.expire(scene.permitted(scene.collection()).permit_id)
    assert [name[:17] for name in failing(scene, NO_GO)] == ["every open permit"]


def test_a_permit_with_a_superseded_verdict_fails_the_no_go_guard(scene: Scene) -> None:
    run = scene.permitted(scene.collection())
    scene.review(run.run_id, "NOT_SAFE_NEEDS_FIX")
    assert [name[:17] for name in failing(scene, NO_GO)] == ["every open permit"]


def test_a_done_run_that_contradicts_its_receipts_fails_the_no_go_guard(scene: Scene) -> None:
    run = scene.permitted(scene.collection())
    scene.apply(run)
    assert failing(scene, NO_GO) == []
    scene.execute("UPDATE birth.birth_receipt SET written = 19, fingerprint[1] = 19")
    assert failing(scene, NO_GO) == ["no false done"]


def test_a_drifted_contract_fails_the_no_go_guard(scene: Scene) -> None:
    scene.execute(body("fn_birth_run_batch"))
    assert failing(scene, NO_GO) == ["contract intact"]
