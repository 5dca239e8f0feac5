"""Faults to plant, one at a time: what the walks are for is to find each of them."""

from typing import NamedTuple

from model.sides import Disagreement
from model.stage import Stage
from model.walk import SEEDS, walk


class Fault(NamedTuple):
    """A routine, the text that is taken out of it, what goes there instead, and which walk found it: it goes first."""

    routine: str
    old: str
    new: str
    seed: int = 1


FAULTS = {
    "a batch does not count the rows that it spends": Fault(
        "fn_birth_permit_spend", "SET spent_rows = p.spent_rows + p_rows", "SET spent_rows = p.spent_rows"
    ),
    "the second batch leaves no receipt": Fault(
        "fn_birth_run_write",
        "PERFORM birth.fn_birth_run_receipt(r_run, 'APPLY', p_run.resume_marker, v_visited, v_written);",
        "IF r_run.batches <> 2 THEN"
        " PERFORM birth.fn_birth_run_receipt(r_run, 'APPLY', p_run.resume_marker, v_visited, v_written); END IF;",
    ),
    "an expired permit admits": Fault(
        "fn_birth_permit_blocker", "WHEN r_permit.expires_at <= birth.fn_birth_clock() THEN", "WHEN false THEN", seed=9
    ),
    "a revoked permit admits": Fault(
        "fn_birth_permit_blocker", "a.act = 'permit_revoke') THEN", "a.act = 'permit_revoked') THEN", seed=2
    ),
    "a permit of another run admits": Fault(
        "fn_birth_permit_blocker",
        "WHEN (r_permit.collection_name, r_permit.run_id, r_permit.purpose)"
        " <> (p_run.collection_name, p_run.run_id, p_purpose) THEN",
        "WHEN false THEN",
    ),
    "a permit that nobody confirmed admits": Fault(
        "fn_birth_permit_blocker", "WHEN r_permit.confirmed_by IS NULL THEN", "WHEN false THEN", seed=2
    ),
    "a permit admits any number of rows": Fault(
        "fn_birth_permit_blocker",
        "WHEN r_permit.max_rows - r_permit.spent_rows < p_rows THEN",
        "WHEN false THEN",
        seed=13,
    ),
    "a failed run goes on without a new verdict": Fault(
        "fn_birth_verdict_blocker",
        "WHEN r_review.failures_seen < birth.fn_birth_run_failures(p_run) THEN",
        "WHEN false THEN",
        seed=8,
    ),
    "a check that failed only stops the run": Fault(
        "fn_birth_run_outcome", "v_status text := v_error ->> 'outcome';", "v_status text := 'stopped';", seed=4
    ),
    "a verdict outlives the contract": Fault(
        "fn_birth_verdict_blocker",
        "WHEN r_review.contract_hash <> birth.fn_birth_contract_hash() THEN",
        "WHEN false THEN",
        seed=24,
    ),
    "a stop is not heard": Fault(
        "fn_birth_run_gate", "AND a.act = 'stop' AND a.epoch = r_run.epoch) THEN", "AND a.act = 'halt') THEN"
    ),
    "a stop is heard by the next attempt": Fault(
        "fn_birth_run_gate", "AND a.epoch = r_run.epoch) THEN", "AND a.epoch = r_run.epoch - 1) THEN"
    ),
    "a pause of everything is heard at the beginning only": Fault(
        "fn_birth_run_gate", "IF birth.fn_birth_dot_frozen('dot-birth-backfill-apply') THEN", "IF false THEN", seed=7
    ),
    "a run that is held can be begun again": Fault(
        "fn_birth_run_startable",
        "IF v_holder <> pg_backend_pid() AND v_holder = p_run.holder_pid AND p_run.status = 'running' THEN",
        "IF false THEN",
    ),
    "a source that changed is not noticed": Fault(
        "fn_birth_run_examine", "IS DISTINCT FROM p_run.target_fingerprint THEN", "IS NULL THEN", seed=7
    ),
    "a plan that is stale goes through": Fault(
        "fn_birth_run_examine", "ELSIF fingerprint IS DISTINCT FROM p_run.planned_fingerprint OR", "ELSIF", seed=5
    ),
    "births without a row are accepted by nobody": Fault(
        "fn_birth_run_examine",
        "ELSIF p_run.orphans > 0 AND v_accepted IS DISTINCT FROM p_run.orphans THEN",
        "ELSIF false THEN",
        seed=16,
    ),
    "a run is done while a row has another's code": Fault(
        "fn_birth_run_finish", "PERFORM birth.fn_birth_refuse(r_count.blockers -> 0);", "NULL;", seed=12
    ),
    "an identity changes under a run": Fault("fn_birth_open_run", "IF v_run IS NOT NULL THEN", "IF false THEN", seed=7),
    "a compensation removes a birth more": Fault(
        "fn_birth_compensation_write", "LIMIT p_batch FOR UPDATE", "LIMIT p_batch + 1 FOR UPDATE", seed=17
    ),
    "a compensation removes a birth fewer": Fault(
        "fn_birth_compensation_write", "= ANY (v_codes) RETURNING", "= ANY (v_codes[2:]) RETURNING", seed=9
    ),
    "an undone run keeps its permit": Fault(
        "fn_birth_compensation_write",
        "UPDATE birth.birth_admission_permit_v2 p SET status = 'CONSUMED', closed_at = clock_timestamp()"
        " WHERE p.permit_id = r_run.permit_id;",
        "",
        seed=9,
    ),
}


def found(stage: Stage, fault: Fault) -> int | None:
    """Plant a fault, and return the walk that finds it, if one does."""
    stage.plant(fault.routine, (fault.old, fault.new))
    seed: int
    for seed in (fault.seed, *SEEDS):
        try:
            walk(stage, seed, shrink=False)
        except Disagreement:
            return seed
    return None
