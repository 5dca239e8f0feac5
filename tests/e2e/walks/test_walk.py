"""Some dozens of random walks beside the model; ``make test-long`` takes them for hours."""

from collections.abc import Sequence

import pytest
from model.stage import Stage
from model.walk import ENOUGH, SEEDS, walk

#: What the walks together have met, by what was done: a walk that has become thin does not get there. The model knows
#: more, which so few do not meet: code_duplicate, gateway_foreign, gateway_no_identity, and verdict_malformed; of a
#: transition births_touched, plan_stale and separation_of_duties.
MET = {
    "arrive": "done",
    "plan": "done code_foreign nothing_to_do policy_not_required",
    "rehearse": "done nothing_to_do",
    "review": "done run_status separation_of_duties verdict_stands",
    "permit": "done permit_in_the_way permit_terms role_required separation_of_duties",
    "confirm": "done permit_not_open role_required",
    "revoke": "done permit_not_open permit_unknown",
    "expire": "done",
    "call": "done admin_shutdown code_foreign contract_drift delta_mismatch dot_frozen parity_broken permit_expired"
    " permit_not_confirmed permit_not_open permit_scope permit_unknown plan_stale policy_not_required query_canceled"
    " run_held run_status separation_of_duties source_changed stop_requested verdict_missing bound_exceeded",
    "begin": "done contract_drift delta_mismatch permit_not_confirmed permit_scope plan_stale verdict_missing",
    "batch": "done contract_drift permit_expired stop_requested verdict_missing",
    "call a transition": "done permit_expired permit_not_confirmed permit_scope permit_unknown run_status"
    " transition_blocked verdict_missing",
    "write": "done delta_mismatch driver_required permit_not_confirmed plan_stale verdict_missing",
    "undo": "done contract_drift permit_exhausted permit_expired permit_not_confirmed permit_scope run_held"
    " verdict_missing",
    "undo a transition": "done permit_scope transition_blocked verdict_missing",
    "ask call": "done delta_mismatch plan_stale verdict_missing",
    "ask undo": "done permit_exhausted permit_expired verdict_missing",
    "ask call a transition": "done permit_not_confirmed permit_scope permit_unknown run_status verdict_missing",
    "ask undo a transition": "done verdict_missing",
    "stop": "done run_status",
    "take over": "role_required run_status",
    "kill": "done",
    "cancel": "done",
    "terminate": "done",
    "classify": "done definition_in_use transition_required",
    "plan a transition": "done nothing_to_do transition_blocked",
    "policy": "done nothing_to_do transition_blocked",
    "mode": "done",
    "insert": "done unique_violation",
    "insert past the gateway": "done unique_violation",
    "rename": "done unique_violation",
    "delete": "done",
    "clear": "done",
    "freeze or unfreeze": "done",
    "drift or repair": "done",
    "renew": "done",
}


def taken(stage: Stage, seeds: Sequence[int]) -> set[tuple[str, str]]:
    """Take these walks; return what could be met and was not."""
    for seed in seeds:
        print(f"again by: make test-long ONLY=soak SEED={seed} WALKS=1")
        walk(stage, seed)
    # So that nobody takes a stroll for a walk: one run is finished in each, every second one is begun
    # again, and every second one changes a policy.
    assert stage.ends["done"] + stage.ends["compensated"] >= len(seeds)
    assert stage.ends["resumed"] >= len(seeds) // 2
    assert stage.ends["compensated"] >= len(seeds) // 8
    assert stage.ends["changed"] >= len(seeds) // 2
    return {(move, answer) for move, answers in MET.items() for answer in answers.split()} - stage.answers.keys()


def test_database_and_model_agree_after_every_step(stage: Stage) -> None:
    missed = taken(stage, SEEDS[:ENOUGH])
    assert len(missed) <= 12
    assert "done" not in {answer for _, answer in missed}


@pytest.mark.long
def test_all_walks_together_meet_what_is_rare_too(stage: Stage) -> None:
    assert taken(stage, SEEDS) == set()
