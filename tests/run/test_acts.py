"""What a person does is on record: which act, and whose."""

from helpers import DBA, OPERATOR, OWNER, REVIEWER, STEWARD, Scene

REASON = "a test"

#: The releaser has frozen what is dangerous, and a DBA confirmed the copy that the test has.
ACTS = "SELECT act, actor FROM birth.birth_act WHERE actor <> 'release_dba' AND act <> 'home' ORDER BY act_id"


def test_everything_that_is_done_is_an_act_of_the_person_who_did_it(scene: Scene) -> None:
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
