"""What a person does is on record: which act, and whose."""

from helpers import DBA, OPERATOR, OWNER, REVIEWER, STEWARD, Run, Scene

REASON = "a test"

#: The releaser has frozen what is dangerous, and a DBA confirmed the copy that the test has.
ACTS = "SELECT act, actor FROM birth.birth_act WHERE actor <> 'release_dba' AND act <> 'home' ORDER BY act_id"


def test_every_operation_records_an_act_of_its_actor(scene: Scene) -> None:
    item = scene.collection()
    scene.ask(STEWARD, "fn_birth_gateway_attach", p_collection=item, p_mode="observe")
    scene.ask(STEWARD, "fn_birth_gateway_mode", p_collection=item, p_mode="enforce", p_reason=REASON)
    scene.ask(STEWARD, "fn_birth_gateway_detach", p_collection=item, p_reason=REASON)
    scene.ask(DBA, "fn_birth_dot_freeze", p_dot="dot-birth-backfill-plan", p_reason=REASON)
    scene.ask(DBA, "fn_birth_dot_unfreeze", p_dot="dot-birth-backfill-plan", p_reason=REASON)
    run = scene.permitted(item)
    scene.tune(run, 5, 0)
    scene.apply(run)
    scene.revoke(scene.compensable(run).permit_id)
    scene.compensate(run.under(scene.permit(run, 20, "COMPENSATE")))
    evidence = scene.value("SELECT digest FROM birth.fn_birth_evidence('birth_receipt')")
    scene.ask(DBA, "fn_birth_evidence_acknowledge", p_table="birth_receipt", p_digest=evidence)

    acts = [(row["act"], row["actor"]) for row in scene.rows(ACTS)]
    assert acts == [
        ("register", STEWARD),
        ("classify", STEWARD),
        ("attach", STEWARD),
        ("mode", STEWARD),
        ("detach", STEWARD),
        ("freeze", DBA),
        ("unfreeze", DBA),
        ("plan", OPERATOR),
        ("review", REVIEWER),
        ("permit_open", OWNER),
        ("permit_confirm", REVIEWER),
        ("tune", OPERATOR),
        ("attempt", OPERATOR),
        ("outcome", OPERATOR),
        ("review", REVIEWER),
        ("permit_open", OWNER),
        ("permit_confirm", REVIEWER),
        ("permit_revoke", OWNER),
        ("permit_open", OWNER),
        ("permit_confirm", REVIEWER),
        ("attempt", OPERATOR),
        ("outcome", OPERATOR),
        ("evidence_acknowledged", DBA),
    ]


def test_acts_stay_ordered_after_the_clock_went_back(scene: Scene, run: Run) -> None:
    scene.execute("UPDATE birth.birth_act SET acted_at = acted_at + interval '1 hour'")
    before = scene.value("SELECT max(acted_at) FROM birth.birth_act")
    scene.tune(run, 5, 0)
    scene.apply(run)
    scene.compensate(scene.compensable(run))
    acts = scene.rows("SELECT act, acted_at FROM birth.birth_act WHERE acted_at > %s ORDER BY act_id", (before,))
    assert [row["act"] for row in acts] == [
        "tune",
        "attempt",
        "outcome",
        "review",
        "permit_open",
        "permit_confirm",
        "attempt",
        "outcome",
    ]
    assert [row["acted_at"] for row in acts] == sorted({row["acted_at"] for row in acts})


def test_the_last_pace_is_used_after_the_clock_went_back(scene: Scene, run: Run) -> None:
    scene.tune(run, 5, 0)
    scene.execute("UPDATE birth.birth_act SET acted_at = acted_at + interval '1 hour' WHERE act = 'tune'")
    scene.tune(run, 7, 0)
    pace = "SELECT batch FROM birth.fn_birth_run_pace(%s, 1, 1, 1)"
    assert scene.rows(pace, (run.run_id,)) == [{"batch": 7}]


def test_a_plan_names_the_unfinished_run_after_the_clock_went_back(scene: Scene, run: Run) -> None:
    scene.execute("UPDATE birth.birth_backfill_ledger_v2 SET planned_at = planned_at + interval '1 hour'")
    scene.execute("UPDATE birth.birth_act SET acted_at = acted_at + interval '1 hour'")
    planned = scene.ledger(scene.plan("item")["run_id"])["planned_at"]
    assert planned > scene.ledger(run)["planned_at"]


def test_an_act_names_its_login_by_cluster_and_oid(scene: Scene, run: Run) -> None:
    scene.tune(run, 5, 0)
    assert scene.value("SELECT actor_id FROM birth.birth_act WHERE act = 'tune'") == scene.value(
        "SELECT format('%%s:%%s', s.system_identifier, r.oid)"
        " FROM pg_control_system() s, pg_roles r WHERE r.rolname = %s",
        (OPERATOR,),
    )


def test_acts_are_committed_synchronously_under_every_session_setting(scene: Scene, run: Run) -> None:
    reviewer = scene.session(REVIEWER)
    reviewer.execute("SET synchronous_commit = off")
    with reviewer.transaction():
        scene.review(run.run_id)
        assert reviewer.execute("SHOW synchronous_commit").fetchone() == ("on",)
    assert reviewer.execute("SHOW synchronous_commit").fetchone() == ("off",)
