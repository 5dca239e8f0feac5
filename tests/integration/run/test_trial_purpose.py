"""A further purpose is three functions and a line in the list of purposes: everything else of an operation is there."""

from dataclasses import dataclass
from typing import Any

import pytest
from helpers import OPERATOR, Driver, Row, Scene, driven, refused

from birthdb import audit, errors
from birthdb.audit import admitted, evidence

#: The line of the list. Its set has no source table and no counts beside its own, so it needs no other routine.
LINE = """    ('TRIAL', NULL, 'fn_birth_trial_plan', NULL, 'dot-birth-backfill-apply', ARRAY['sp_birth_trial'],
     false, NULL, NULL, 'fn_birth_trial_slice', 'fn_birth_trial_write', 'fn_birth_trial_proof', NULL,
     'orphans', false),
"""

#: The CHECKs that name each purpose.
NAMED = """
SELECT string_agg(format('ALTER TABLE %s DROP CONSTRAINT %I', k.conrelid::regclass, k.conname), '; ')
FROM pg_constraint k
WHERE k.connamespace = 'birth'::regnamespace AND k.contype = 'c' AND pg_get_constraintdef(k.oid) LIKE '%TRANSITION%'
"""

#: What it works on: rows to be done, each by one run.
TABLE = """
CREATE TABLE public.todo (n integer PRIMARY KEY, done_by uuid);
INSERT INTO public.todo SELECT generate_series(1, 12);
GRANT SELECT, UPDATE ON public.todo TO birth_definer;
"""

THREE_FUNCTIONS = """
CREATE FUNCTION birth.fn_birth_trial_slice(p_run birth.birth_backfill_ledger_v2, p_after text[], p_rows bigint)
  RETURNS TABLE (visited bigint, codes text[], fingerprint numeric[], last_key text[]) LANGUAGE sql VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $$
  SELECT count(*), coalesce(array_agg(s.n::text), '{}'),
         ARRAY[count(*), coalesce(sum(hashtextextended(s.n::text, p_run.seed_a)), 0),
               coalesce(sum(hashtextextended(s.n::text, p_run.seed_b)), 0)],
         CASE WHEN count(*) > 0 THEN ARRAY[max(s.n)::text] END
  FROM (SELECT t.n FROM public.todo t
        WHERE t.done_by IS NULL AND t.n > coalesce(p_after[1]::integer, 0)
          AND (p_run.target_upper IS NULL OR t.n <= p_run.target_upper[1]::integer)
        ORDER BY t.n LIMIT p_rows) s
$$;

CREATE FUNCTION birth.fn_birth_trial_write(
    p_run birth.birth_backfill_ledger_v2, p_codes text[], p_fingerprint numeric[])
  RETURNS numeric[] LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
  UPDATE public.todo t SET done_by = p_run.run_id WHERE t.n::text = ANY (p_codes);
  SELECT p_fingerprint;
$$;

CREATE FUNCTION birth.fn_birth_trial_proof(p_run birth.birth_backfill_ledger_v2)
  RETURNS numeric[] LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT ARRAY[count(*), coalesce(sum(hashtextextended(t.n::text, p_run.seed_a)), 0),
               coalesce(sum(hashtextextended(t.n::text, p_run.seed_b)), 0)]
  FROM public.todo t WHERE t.done_by = p_run.run_id
$$;
"""

DOORS = """
CREATE FUNCTION birth.fn_birth_trial_plan(p_collection text, p_dry_run boolean)
  RETURNS SETOF birth.birth_backfill_ledger_v2 LANGUAGE sql VOLATILE SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $$ SELECT (p.run).* FROM birth.fn_birth_plan('TRIAL', p_collection, p_dry_run) p $$;

CREATE PROCEDURE birth.sp_birth_trial(
    p_run_id uuid, p_permit_id bigint, p_batch integer DEFAULT 10, p_execute boolean DEFAULT false)
  LANGUAGE plpgsql
AS $$
BEGIN
  COMMIT;
  PERFORM birth.fn_birth_run_begin(p_collection := NULL, p_run_id := p_run_id, p_permit_id := p_permit_id,
    p_expected_delta := NULL, p_max_rows := NULL, p_batch := p_batch, p_dot_origin := NULL, p_purpose := 'TRIAL');
  CALL birth.sp_birth_run_drive(p_run_id := p_run_id, p_permit_id := p_permit_id, p_purpose := 'TRIAL',
    p_batch := p_batch);
END
$$;

GRANT EXECUTE ON FUNCTION birth.fn_birth_trial_plan TO birth_operator;
GRANT EXECUTE ON PROCEDURE birth.sp_birth_trial TO birth_operator;
"""


@dataclass
class Trial:
    """A planned, reviewed and permitted run of the further purpose."""

    scene: Scene
    run: Any
    permit: int

    def call(self, batch: int = 5) -> list[str]:
        return self.scene._call(OPERATOR, "sp_birth_trial", self.arguments(batch))

    def start(self) -> Driver:
        """Start the CALL in another session, one batch an hour; return when the first one is committed."""
        self.scene.ask(OPERATOR, "fn_birth_run_tune", p_run_id=self.run, p_batch=5, p_pause_ms=3_600_000)
        driver = self.scene._start(OPERATOR, "sp_birth_trial", self.arguments(5))
        driver.next_batch()
        return driver

    def go_on(self) -> None:
        self.scene.ask(OPERATOR, "fn_birth_run_tune", p_run_id=self.run, p_batch=5, p_pause_ms=0)

    def arguments(self, batch: int) -> dict[str, object]:
        return {"p_run_id": self.run, "p_permit_id": self.permit, "p_batch": batch, "p_execute": True}

    @property
    def ledger(self) -> Row:
        return self.scene.ledger(self.run)

    @property
    def done(self) -> int:
        count: int = self.scene.value("SELECT count(*) FROM todo WHERE done_by = %s", (self.run,))
        return count


@pytest.fixture
def trial(scene: Scene, item: str) -> Trial:
    scene.execute(TABLE)
    with scene.admin.transaction():
        scene.execute("SET LOCAL ROLE birth_definer")
        scene.execute(THREE_FUNCTIONS + DOORS)
    scene.execute(scene.value(NAMED).encode())
    scene.replace_routine("fn_birth_purpose", ("    ('COMPENSATE', 'APPLY',", LINE + "    ('COMPENSATE', 'APPLY',"))
    (plan,) = scene.ask(OPERATOR, "fn_birth_trial_plan", p_collection=item, p_dry_run=False)
    assert (plan["purpose"], plan["planned_rows"], plan["orphans"]) == ("TRIAL", 12, 0)
    scene.review(plan["run_id"])
    permit = scene.open_permit(item, plan["run_id"], 12)
    scene.confirm(permit)
    scene.forged = True  # the tests' own look at the records knows births alone
    return Trial(scene, plan["run_id"], permit)


def test_it_is_planned_judged_permitted_written_and_proven(trial: Trial) -> None:
    assert trial.call() == [
        f"run {trial.run}: 5 of 12 written, running",
        f"run {trial.run}: 10 of 12 written, running",
        f"run {trial.run}: 12 of 12 written, running",
        f"run {trial.run}: 12 of 12 written, done",
    ]
    row = trial.ledger
    assert (row["status"], row["actual_inserted"]) == ("done", 12)
    assert row["target_upper"] == row["resume_marker"] == ["12"]
    assert trial.scene.births() == 0
    assert trial.scene.permit_row(trial.permit)["status"] == "CONSUMED"
    assert trial.scene.rows("SELECT DISTINCT purpose, dot_origin FROM birth.birth_receipt") == [
        {"purpose": "TRIAL", "dot_origin": "dot-birth-backfill-apply"}
    ]
    (shown,) = trial.scene.rows("SELECT * FROM birth.v_birth_run_progress")
    assert (shown["purpose"], shown["rows_done"], shown["rows_target"]) == ("TRIAL", 12, 12)
    backfilled = "SELECT value FROM birth.v_birth_metrics WHERE name = 'birth_backfilled_births_total'"
    assert trial.scene.value(backfilled) == 0


def test_it_needs_a_verdict_and_a_permit_of_its_own_purpose(trial: Trial) -> None:
    with refused(errors.PermitTerms):
        trial.scene.open_permit("item", trial.run, 12, p_purpose="APPLY")
    with refused(errors.VerdictMalformed):
        trial.scene.review(trial.run, p_purpose="APPLY")
    trial.scene.revoke(trial.permit)
    with trial.scene.unchanged(), refused(errors.PermitNotOpen):
        trial.call()


def test_its_next_step_is_its_own_call(trial: Trial) -> None:
    step = trial.scene.value("SELECT birth.fn_birth_run_next_step(%s)", (trial.run,))
    assert step.startswith(f"CALL birth.sp_birth_trial(p_run_id := '{trial.run}', p_permit_id := {trial.permit}, ")


def test_it_stops_and_goes_on(trial: Trial) -> None:
    driver = trial.start()
    trial.scene.ask(OPERATOR, "fn_birth_run_stop", p_run_id=trial.run, p_reason="enough for now")
    with refused(errors.StopRequested):
        driver.end()
    assert (trial.ledger["status"], trial.done) == ("stopped", 5)
    trial.go_on()
    trial.call()
    assert (trial.ledger["status"], trial.done) == ("done", 12)


def test_it_is_stale_when_its_set_changed_after_the_plan(trial: Trial) -> None:
    trial.scene.execute("DELETE FROM todo WHERE n = 7")
    with trial.scene.unchanged(), refused(errors.PlanStale):
        trial.call()


def test_a_row_that_goes_during_the_run_ends_it_as_source_changed(trial: Trial) -> None:
    driver = trial.start()
    trial.scene.execute("DELETE FROM todo WHERE n = 7")
    trial.go_on()
    with refused(errors.SourceChanged):
        driver.end()
    assert trial.ledger["stop_reason"] == "source_changed"


def test_it_is_not_done_where_its_proof_disagrees(trial: Trial) -> None:
    driver = trial.start()
    trial.scene.execute("UPDATE todo SET done_by = gen_random_uuid() WHERE n = 3")
    trial.go_on()
    with refused(errors.FalseDone):
        driver.end()
    assert (trial.ledger["status"], trial.ledger["stop_reason"]) == ("failed", "false_done")


def test_the_records_agree_in_the_database_and_in_an_export(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admitted, "_PURPOSE", (*admitted._PURPOSE, "TRIAL"))
    trial.call()
    found = trial.scene.rows("SELECT * FROM birth.fn_birth_run_audit(%s)", (trial.run,))
    assert [row for row in found if not row["pass"]] == []
    with audit.live(trial.scene.db.connect(), trial.run) as export:
        document = export.document | {"sha256": evidence.digest(export.document)}
        findings = audit.check(audit.Export(document, export.births))
    assert [finding for finding in findings if not finding["ok"]] == []
    trial.scene.execute("UPDATE todo SET done_by = NULL WHERE n = 3")
    found = trial.scene.rows("SELECT * FROM birth.fn_birth_run_audit(%s)", (trial.run,))
    assert [row["check_name"] for row in found if not row["pass"]] == ["birth_registry holds what the receipts leave"]


@pytest.mark.parametrize("purpose", ["APPLY", "COMPENSATE"])
def test_it_begins_for_its_own_purpose_alone_as_long_as_the_list_has_none_to_undo_it(
    trial: Trial, purpose: str
) -> None:
    given = trial.arguments(5) | {"p_purpose": purpose, "p_collection": "item", "p_dot_origin": "a test"}
    given |= {"p_expected_delta": 12, "p_max_rows": 12}
    del given["p_execute"]
    with trial.scene.unchanged(), refused(errors.BadArgument):
        trial.scene.session(OPERATOR).execute(driven("fn_birth_run_begin", given), given)
