"""What every batch checks, each check on its own: milliseconds, by the server's clock, in one session."""

from collections.abc import Sequence
from functools import partial
from statistics import median

from bench.scenario import Claim, Contestant, Parts, Scenario
from bench.world import Run

ORDER = 60
FULL = "contract, in full: v_birth_gateway_contract_integrity_dashboard"
TOKEN = "contract, between batches: fn_birth_contract_token"

# Each call is undone, so that the next one finds the same.
_TIMED = """
CREATE FUNCTION pg_temp.timed(p_statement text, p_calls integer) RETURNS double precision[] LANGUAGE plpgsql AS $$
DECLARE
  v_begin timestamptz;
  v_found double precision[] := '{}';
BEGIN
  FOR i IN 1..p_calls LOOP
    BEGIN
      v_begin := clock_timestamp();
      EXECUTE p_statement;
      v_found := v_found || extract(epoch FROM clock_timestamp() - v_begin)::double precision * 1000;
      RAISE EXCEPTION SQLSTATE 'UNDO1';
    EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
      NULL;
    END;
  END LOOP;
  RETURN v_found;
END;
$$
"""

# {l} is the ledger's row, {run} and {permit} its keys, {collection} its collection.
_CHECKS = {
    FULL: (
        "SELECT d.all_ok, (SELECT bool_and(g.pass) FROM birth.v_birth_stage0_still_enforced_guard g)"
        " FROM birth.v_birth_gateway_contract_integrity_dashboard d"
    ),
    TOKEN: "SELECT birth.fn_birth_contract_token()",
    "locks: fn_birth_run_lock": "SELECT birth.fn_birth_run_lock('{run}')",
    "holder: fn_birth_run_holder": "SELECT birth.fn_birth_run_holder('{run}', 1)",
    "freeze: v_birth_dot_status": (
        "SELECT d.frozen FROM birth.v_birth_dot_status d WHERE d.dot_name = 'dot-birth-backfill-apply'"
    ),
    "checks before a batch: fn_birth_checks": (
        "SELECT (SELECT count(c.pass) FROM birth.fn_birth_checks('batch', l, 'APPLY', l) c) FROM {l}"
    ),
    "permit, after a batch: fn_birth_checks": (
        "SELECT (SELECT count(c.pass) FROM birth.fn_birth_checks('spend', l, 'APPLY', l) c) FROM {l}"
    ),
    "source: fn_birth_source_lock": "SELECT birth.fn_birth_source_lock('{collection}')",
    "identity: fn_birth_identity_definition": "SELECT * FROM birth.fn_birth_identity_definition('{collection}')",
    "pace: fn_birth_run_pace": "SELECT * FROM birth.fn_birth_run_pace('{run}', 10000, NULL, NULL)",
    "receipt: fn_birth_run_receipt": (
        "SELECT birth.fn_birth_run_receipt("
        "jsonb_populate_record(l, jsonb_build_object('batches', l.batches + 1)), 'APPLY', l.resume_marker, 10000,"
        " ARRAY[10000, 1, 1]::numeric[]) FROM {l}"
    ),
}


class Contract(Scenario):
    """A run that is done, with its people, permit, verdict and a hundred receipts."""

    name = "contract"
    title = "what every batch checks, each check on its own"
    rows_in_full = 10_000
    unit = "ms"
    claims = (
        Claim("contract check, in full", FULL, None, 20, unit="ms", digits=1),
        Claim("contract check, between batches", TOKEN, None, 0.5, unit="ms"),
    )

    def prepare(self) -> None:
        """Make the run."""
        collection = self.world.source("item", self.rows).name
        self.run = self.world.permitted(collection)
        self.world.apply(self.run, max(1, self.rows // 100))
        self.world.execute(_TIMED)
        self.result.notes.append("A series is the median of 100 calls a round, of the check in full of 10.")

    def contestants(self) -> Sequence[Contestant]:
        """Return the checks."""
        return [
            Contestant(name, partial(self.timed, name, _filled(statement, self.run)))
            for name, statement in _CHECKS.items()
        ]

    def timed(self, name: str, statement: str) -> Parts:
        """Call it many times."""
        calls = 10 if name == FULL else 100
        return {name: median(self.world.value("SELECT pg_temp.timed(%s, %s)", (statement, calls)))}


def _filled(statement: str, run: Run) -> str:
    ledger = f"birth.birth_backfill_ledger_v2 l WHERE l.run_id = '{run.run_id}'"
    return statement.format(l=ledger, run=run.run_id, permit=run.permit_id, collection=run.collection)
