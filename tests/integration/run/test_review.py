"""The verdict: it stands until another one names it, and counts only while what it was bound to is unchanged."""

from helpers import BIRTH, OPERATOR, REVIEWER, SECOND_REVIEWER, STEWARD, Run, Scene, raised, refused
from world import judged

from birthdb import errors


def detail_of_refusal(scene: Scene, run: Run) -> str:
    with scene.unchanged(), refused(errors.VerdictMissing) as caught:
        scene.apply(run)
    with scene.unchanged(), refused(errors.VerdictMissing):
        scene.write(run, p_execute=False)
    return str(caught.value.diag.message_detail)


def test_a_verdict_is_bound_to_plan_contract_and_identity(scene: Scene, run: Run) -> None:
    (review,) = scene.rows("SELECT * FROM birth.birth_review")
    ledger = scene.ledger(run)
    assert (review["run_id"], review["verdict"], review["reviewed_by"]) == (run.run_id, "SAFE", REVIEWER)
    for bound in ("planned_fingerprint", "contract_hash", "identity_hash"):
        assert review[bound] == ledger[bound]


def test_a_verdict_not_safe_overrides_a_safe_one(scene: Scene, run: Run) -> None:
    scene.review(run.run_id, "NOT_SAFE_NEEDS_FIX", p_findings="the prefix is wrong", by=SECOND_REVIEWER)
    assert "the prefix is wrong" in detail_of_refusal(scene, run)


def test_a_safe_verdict_must_supersede_the_not_safe_one(scene: Scene, run: Run) -> None:
    against = scene.review(run.run_id, "NOT_SAFE_NEEDS_FIX")["review_id"]
    scene.review(run.run_id, p_supersedes=[against])
    scene.apply(run)
    assert scene.status(run) == ("done", None)


# --- verdicts and the clock


def set_back(scene: Scene) -> None:
    """Let the clock have gone back an hour since every verdict so far."""
    scene.execute("UPDATE birth.birth_review SET reviewed_at = reviewed_at + interval '1 hour'")


def test_a_verdict_not_safe_stays_in_force_after_the_clock_went_back(scene: Scene, run: Run) -> None:
    set_back(scene)
    scene.review(run.run_id, "NOT_SAFE_NEEDS_FIX", p_findings="the prefix is wrong")
    assert "the prefix is wrong" in detail_of_refusal(scene, run)


def test_a_running_run_fails_on_a_verdict_not_safe_after_the_clock_went_back(scene: Scene, run: Run) -> None:
    driver = scene.start(run)
    set_back(scene)
    scene.review(run.run_id, "NOT_SAFE_NEEDS_FIX", by=SECOND_REVIEWER)
    scene.go_on(run)
    with refused(errors.VerdictMissing):
        driver.end()
    assert scene.status(run) == ("failed", "verdict_missing")


def test_a_superseding_verdict_counts_after_the_clock_went_back(scene: Scene, run: Run) -> None:
    scene.review(run.run_id, "NOT_SAFE_NEEDS_FIX")
    set_back(scene)
    scene.absolve(run.run_id)
    scene.apply(run)
    assert scene.status(run) == ("done", None)


def test_a_failure_after_the_verdict_counts_after_the_clock_went_back(scene: Scene, run: Run) -> None:
    driver = scene.start(run)
    scene.execute("CREATE TABLE birth.stray ()")
    scene.execute("ALTER FUNCTION birth.fn_birth_run_batch SET work_mem = '64MB'")
    scene.go_on(run)
    with refused(errors.ContractDrift):
        driver.end()
    scene.execute("DROP TABLE birth.stray; ALTER FUNCTION birth.fn_birth_run_batch RESET work_mem")
    set_back(scene)
    assert "it failed after the verdict" in detail_of_refusal(scene, run)


# --- taking back by name


def test_a_safe_verdict_without_supersedes_is_refused_with_the_statement(scene: Scene, run: Run) -> None:
    scene.review(run.run_id, "NOT_SAFE_NEEDS_FIX", p_findings="the prefix is wrong", by=SECOND_REVIEWER)
    with scene.unchanged(), refused(errors.VerdictStands) as caught:
        scene.review(run.run_id)
    assert "the prefix is wrong" in str(caught.value.diag.message_detail)
    _, _, ready = str(caught.value.diag.message_hint).partition("name it: ")
    scene.session(REVIEWER).execute(judged(ready).encode())
    scene.apply(run)
    assert scene.status(run) == ("done", None)


def test_the_next_step_after_a_verdict_not_safe_names_that_verdict(scene: Scene, run: Run) -> None:
    scene.stopped_after_a_batch(run)
    scene.review(run.run_id, "NOT_SAFE_NEEDS_FIX")
    ready = scene.value("SELECT birth.fn_birth_run_next_step(%s)", (run.run_id,))
    with scene.unchanged(), raised("NB211"):
        scene.session(REVIEWER).execute(ready.encode())
    scene.session(REVIEWER).execute(judged(ready).encode())
    scene.apply(run)
    assert scene.status(run) == ("done", None)


def test_a_safe_verdict_must_supersede_all_not_safe_ones(scene: Scene, run: Run) -> None:
    first = scene.review(run.run_id, "NOT_SAFE_NEEDS_FIX")["review_id"]
    second = scene.review(run.run_id, "NOT_SAFE_NEEDS_FIX", by=SECOND_REVIEWER)["review_id"]
    with scene.unchanged(), refused(errors.VerdictStands) as caught:
        scene.review(run.run_id, p_supersedes=[first])
    assert f"{second}, by {SECOND_REVIEWER}" in str(caught.value.diag.message_detail)
    scene.review(run.run_id, p_supersedes=[first, second])
    scene.apply(run)
    assert scene.status(run) == ("done", None)


def test_a_verdict_supersedes_only_not_safe_ones_of_its_run_and_purpose(scene: Scene, run: Run) -> None:
    scene.stopped_after_a_batch(run)
    safe = scene.value("SELECT review_id FROM birth.birth_review")
    undo = scene.review(run.run_id, "NOT_SAFE_NEEDS_FIX", p_purpose="COMPENSATE")["review_id"]
    other = scene.review(scene.plan("item")["run_id"], "NOT_SAFE_NEEDS_FIX")["review_id"]
    for names in ([safe], [undo], [other], [other + 1], [None]):
        with scene.unchanged(), refused(errors.VerdictMalformed):
            scene.review(run.run_id, p_supersedes=names)


def test_a_constraint_rejects_a_verdict_that_supersedes_itself(scene: Scene, run: Run) -> None:
    for names in ("ARRAY[review_id]", "ARRAY[NULL::bigint]"):
        with scene.unchanged(), raised("23514") as caught:
            scene.execute(f"UPDATE birth.birth_review SET supersedes = {names}".encode())
        assert caught.value.diag.constraint_name == "birth_review_supersedes"


def test_only_the_safe_verdict_that_saw_all_others_is_in_force(scene: Scene, run: Run) -> None:
    last = scene.review(run.run_id, by=SECOND_REVIEWER)["review_id"]
    set_back(scene)
    assert scene.rows("SELECT review_id FROM birth.v_birth_verdict_standing", person=OPERATOR) == [{"review_id": last}]


def test_of_two_concurrent_verdicts_the_not_safe_one_counts(scene: Scene, run: Run) -> None:
    with scene.session(SECOND_REVIEWER).transaction():
        scene.review(run.run_id, "NOT_SAFE_NEEDS_FIX", by=SECOND_REVIEWER, p_findings="the prefix is wrong")
        scene.review(run.run_id)
    assert "the prefix is wrong" in detail_of_refusal(scene, run)


def test_the_apply_guard_reports_a_permit_with_a_superseded_verdict(scene: Scene, run: Run) -> None:
    set_back(scene)
    scene.review(run.run_id, "NOT_SAFE_NEEDS_FIX", by=SECOND_REVIEWER)
    failing = scene.rows("SELECT found FROM birth.v_qt001_apply_runtime_no_go_guard WHERE NOT pass")
    assert failing == [{"found": "1"}]


def test_a_verdict_does_not_count_after_the_contract_changed(scene: Scene, run: Run) -> None:
    scene.execute("ALTER FUNCTION birth.fn_birth_run_batch SET work_mem = '64MB'")
    scene.record_contract()
    assert "contract changed" in detail_of_refusal(scene, run)
    scene.review(run.run_id)
    scene.apply(run)
    assert scene.status(run) == ("done", None)


def test_a_verdict_does_not_count_after_the_identity_changed(scene: Scene, run: Run) -> None:
    scene.ask(
        STEWARD,
        "fn_birth_identity_classify",
        p_collection="item",
        p_strategy="synthetic_id",
        p_column="id",
        p_prefix="x-",
    )
    assert "identity" in detail_of_refusal(scene, run)


def test_a_verdict_does_not_count_after_the_policy_changed_and_came_back_differently(scene: Scene, run: Run) -> None:
    scene.execute("CREATE TABLE public.elsewhere (LIKE item INCLUDING ALL)")
    scene.execute("INSERT INTO elsewhere SELECT * FROM item; GRANT SELECT ON elsewhere TO birth_scanner")
    scene.execute("UPDATE birth.collection_registry SET table_name = 'elsewhere'")
    assert "table changed" in detail_of_refusal(scene, run)


def test_a_verdict_about_another_planned_set_does_not_count(scene: Scene, run: Run) -> None:
    scene.execute("UPDATE birth.birth_review SET planned_fingerprint = '{20,1,1}'")
    assert "another planned set" in detail_of_refusal(scene, run)


def test_an_unreviewed_plan_cannot_be_executed(scene: Scene, run: Run) -> None:
    scene.execute("DELETE FROM birth.birth_review")
    assert "nobody reviewed" in detail_of_refusal(scene, run)


def test_a_verdict_applies_only_to_its_run(scene: Scene, run: Run) -> None:
    plan = scene.plan("item")
    with scene.unchanged(), refused(errors.VerdictMissing):
        scene.open_permit("item", plan["run_id"], 20)


def test_a_compensation_verdict_does_not_allow_apply(scene: Scene, run: Run) -> None:
    scene.stopped_after_a_batch(run)
    scene.review(run.run_id, "NOT_SAFE_NEEDS_FIX")
    scene.review(run.run_id, p_purpose="COMPENSATE")
    assert "NOT_SAFE_NEEDS_FIX" in detail_of_refusal(scene, run)


def test_a_done_run_is_not_reviewed_again_to_apply(scene: Scene, run: Run) -> None:
    scene.apply(run)
    with scene.unchanged(), refused(errors.RunStatus):
        scene.review(run.run_id)


def test_orphans_are_accepted_by_exactly_the_number_of_the_plan(scene: Scene, item: str) -> None:
    scene.born(item, "gone 1", "gone 2")
    plan = scene.plan(item)
    for wrong in (1, 3):
        with scene.unchanged(), refused(errors.VerdictMalformed):
            scene.review(plan["run_id"], p_accept_orphans=wrong)
    scene.review(plan["run_id"], p_accept_orphans=2)
    permit_id = scene.open_permit(item, plan["run_id"], 20)
    scene.confirm(permit_id)
    scene.apply(Run(item, plan["run_id"], permit_id, 20, 20))
    assert scene.ledger(plan["run_id"])["accepted_orphans"] == 2


def test_a_later_verdict_without_orphans_revokes_their_acceptance(scene: Scene, item: str) -> None:
    scene.born(item, "gone")
    run = scene.permitted(item, accept_orphans=1)
    scene.review(run.run_id, p_accept_orphans=0)
    with scene.unchanged(), refused(errors.ParityBroken):
        scene.apply(run)


def test_more_orphans_than_the_plan_counted_need_a_new_plan(scene: Scene, item: str) -> None:
    scene.born(item, "gone 1")
    run = scene.permitted(item, accept_orphans=1)
    scene.born(item, "gone 2")
    with scene.unchanged(), refused(errors.PlanStale):
        scene.apply(run)


def test_orphans_from_deletes_during_the_run_are_recorded_at_its_end(scene: Scene, item: str) -> None:
    run = scene.permitted(item)
    driver = scene.start(run)
    scene.execute("DELETE FROM item WHERE id IN (1, 2)")
    scene.go_on(run)
    driver.end()
    assert scene.status(run) == ("done", None)
    outcome = scene.value("SELECT detail FROM birth.birth_act WHERE act = 'outcome'")
    assert (outcome["status"], outcome["orphans"], outcome["rerun_delta"]) == ("done", 2, 0)


def test_a_verdict_revoked_during_the_run_fails_the_next_batch(scene: Scene, run: Run) -> None:
    driver = scene.start(run)
    scene.review(run.run_id, "NOT_SAFE_NEEDS_FIX", by=SECOND_REVIEWER)
    scene.go_on(run)
    with refused(errors.VerdictMissing):
        driver.end()
    assert scene.status(run) == ("failed", "verdict_missing")
    assert len(scene.codes(run)) == 5


def test_a_failed_run_needs_a_verdict_that_saw_its_failure(scene: Scene, run: Run) -> None:
    driver = scene.start(run)
    scene.execute("CREATE TABLE birth.stray ()")
    scene.execute("ALTER FUNCTION birth.fn_birth_run_batch SET work_mem = '64MB'")
    scene.go_on(run)
    with refused(errors.ContractDrift):
        driver.end()
    assert scene.status(run) == ("failed", "contract_drift")
    scene.execute("DROP TABLE birth.stray; ALTER FUNCTION birth.fn_birth_run_batch RESET work_mem")
    assert "it failed after the verdict" in detail_of_refusal(scene, run)
    scene.review(run.run_id, p_findings="the drift was repaired")
    scene.apply(run)
    assert scene.status(run) == ("done", None)
    assert len(scene.codes(run)) == 20


def test_a_run_is_not_reclassified_while_it_is_open(scene: Scene, run: Run) -> None:
    scene.stopped_after_a_batch(run)
    with scene.unchanged(), refused(errors.DefinitionInUse):
        scene.ask(
            STEWARD,
            "fn_birth_identity_classify",
            p_collection="item",
            p_strategy="synthetic_id",
            p_column="id",
            p_prefix="x-",
        )
    with scene.unchanged(), refused(errors.DefinitionInUse):
        scene.ask(
            STEWARD,
            "fn_birth_collection_register",
            p_collection="item",
            p_schema="public",
            p_table="item",
            p_coverage_status="BIRTH_EXEMPT_TEST",
        )


def test_a_run_that_wrote_nothing_is_refused_under_an_identity_with_other_keys(scene: Scene) -> None:
    scene.execute("CREATE TABLE public.named (id integer PRIMARY KEY, name text UNIQUE NOT NULL)")
    scene.execute("INSERT INTO named SELECT g, 'n' || g FROM generate_series(1, 5) g")
    named = scene.govern("named", "column", column="name")
    run = scene.permitted(named)
    with scene.db.connect().transaction(force_rollback=True) as rival:
        rival.connection.execute(BIRTH, ("n1", named))
        driver = scene.start_unpaced(run)
        scene.wait_for(driver, rival.connection.info.backend_pid)
        scene.execute("SELECT pg_cancel_backend(%s)", (driver.pid,))
        with raised("57014"):
            driver.end()
    id_key = {"p_collection": named, "p_strategy": "synthetic_id", "p_column": "id", "p_prefix": "x-"}
    scene.ask(STEWARD, "fn_birth_identity_classify", **id_key)
    assert "identity" in detail_of_refusal(scene, run)
    scene.review(run.run_id)
    with refused(errors.SourceChanged):
        scene.apply(run)
