"""Faults to plant, one at a time: what the walks are for is to find each of them."""

from model.machine import Fault, finds
from model.stage import Stage
from model.walk import SEEDS, walk

FAULTS = {
    "a batch does not count the rows that it spends": Fault(
        "fn_birth_run_batch",
        "SET spent_rows = p.spent_rows + v_written[1]::bigint",
        "SET spent_rows = p.spent_rows",
        seed=5,
    ),
    "the second batch leaves no receipt": Fault(
        "fn_birth_run_batch", "v_visited, v_written);", "v_visited, v_written) WHERE r_run.batches <> 2;", seed=5
    ),
    "an expired permit admits": Fault(
        "fn_birth_checks", "r_permit.expires_at > birth.fn_birth_clock()", "true", seed=11
    ),
    "a revoked permit admits": Fault(
        "fn_birth_checks", "a.act = 'permit_revoke')", "a.act = 'permit_revoked')", seed=133
    ),
    "a permit of another run admits": Fault(
        "fn_birth_checks",
        "r_permit.collection_name = p_run.collection_name AND r_permit.run_id = p_run.run_id"
        "\n       AND r_permit.purpose = p_purpose",
        "true",
        seed=43,
    ),
    "a permit that nobody confirmed admits": Fault(
        "fn_birth_checks", "r_permit.confirmed_by IS NOT NULL", "true", seed=5
    ),
    "a permit admits any number of rows": Fault(
        "fn_birth_checks",
        "r_permit.max_rows - r_permit.spent_rows >= p_rows",
        "true",
        seed=95,
    ),
    "a failed run goes on without a new verdict": Fault(
        "fn_birth_checks",
        "WHEN r_review.failures_seen < birth.fn_birth_run_failures(p_run) THEN",
        "WHEN false THEN",
        seed=81,
    ),
    "a check that failed only stops the run": Fault(
        "fn_birth_run_outcome", "v_status text := v_error ->> 'outcome';", "v_status text := 'stopped';", seed=10
    ),
    "a verdict outlives the contract": Fault(
        "fn_birth_checks",
        "WHEN r_review.contract_hash <> birth.fn_birth_contract_hash() THEN",
        "WHEN false THEN",
        seed=24,
    ),
    "a stop is not heard": Fault(
        "fn_birth_checks", "AND a.act = 'stop' AND a.epoch = p_run.epoch LIMIT", "AND a.act = 'halt' LIMIT", seed=78
    ),
    "a stop is heard by the next attempt": Fault(
        "fn_birth_checks", "AND a.epoch = p_run.epoch LIMIT", "AND a.epoch = p_run.epoch - 1 LIMIT", seed=78
    ),
    "a pause of everything is heard at the beginning only": Fault(
        "fn_birth_checks",
        "WHEN p_scope IN ('claim', 'batch') THEN r_purpose.dot",
        "WHEN p_scope = 'claim' THEN r_purpose.dot",
        seed=13,
    ),
    "a run that is held can be begun again": Fault(
        "fn_birth_checks",
        "(v_holder <> pg_backend_pid() AND v_holder = p_run.holder_pid AND p_run.status = 'running') IS NOT TRUE",
        "true",
        seed=33,
    ),
    "a source that changed is not noticed": Fault(
        "fn_birth_checks", "fingerprint[3]] = p_run.target_fingerprint", "fingerprint[3]] IS NOT NULL", seed=130
    ),
    "a plan that is stale goes through": Fault(
        "fn_birth_checks", "p_now.planned_fingerprint = p_run.planned_fingerprint", "true", seed=11
    ),
    "births without a row are accepted by nobody": Fault(
        "fn_birth_checks",
        "p_run.orphans = 0 OR v_accepted = p_run.orphans",
        "true",
        seed=78,
    ),
    "a run is done while a row has another's code": Fault(
        "fn_birth_checks",
        "WHERE p_scope = ANY (string_to_array(c.scopes, ' '))",
        "WHERE p_scope = ANY (string_to_array(c.scopes, ' '))"
        " AND NOT (p_scope = 'end' AND c.error IN ('code_foreign', 'code_duplicate'))",
        seed=3891,
    ),
    "an identity changes under a run": Fault(
        "fn_birth_open_run", "IF v_run IS NOT NULL THEN", "IF false THEN", seed=86
    ),
    "a compensation removes a birth more": Fault(
        "fn_birth_compensate_slice", "LIMIT p_rows FOR UPDATE", "LIMIT p_rows + 1 FOR UPDATE", seed=82
    ),
    "a compensation removes a birth fewer": Fault(
        "fn_birth_compensate_write", "= ANY (p_codes) RETURNING", "= ANY (p_codes[2:]) RETURNING", seed=13
    ),
    "a policy is loosened beside an open permit": Fault(
        "fn_birth_transition_fault", "AND p.status = 'OPEN');", "AND p.status = 'OPENED');", seed=9
    ),
    "a policy changes beside an open run": Fault(
        "fn_birth_transition_fault", "AND (l.status = 'running' OR", "AND false AND (l.status = 'running' OR", seed=18
    ),
    "an undone run keeps its permit": Fault(
        "fn_birth_run_finish",
        "WHERE p.permit_id = p_run.permit_id;",
        "WHERE p.permit_id = p_run.permit_id AND NOT v_undo;",
        seed=13,
    ),
}


def found(stage: Stage, fault: Fault) -> int | None:
    """Plant a fault, and return the walk that finds it, if one does."""
    stage.plant(fault.routine, (fault.old, fault.new))
    return finds(fault, SEEDS, lambda seed: walk(stage, seed, shrink=False))
