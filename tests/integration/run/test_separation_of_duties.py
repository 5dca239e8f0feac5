"""Nobody holds two parts in a run: by session_user, over a run and its predecessors, at every act and every batch."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
import pytest
from helpers import (
    DBA,
    EVERYBODY,
    OPERATOR,
    OWNER,
    REVIEWER,
    SECOND_OPERATOR,
    SECOND_REVIEWER,
    STEWARD,
    Run,
    Scene,
    name,
    raised,
    refused,
    statement,
)
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Identifier, Literal
from support import RELEASER

from birthdb import errors

PEOPLE_CHECK = "birth.fn_birth_people_check(p_run_id, p_lineage, p_act)"


@dataclass
class Cast:
    """Who plays which part of a run."""

    planner: str = OPERATOR
    reviewer: str = REVIEWER
    opener: str = OWNER
    confirmer: str = REVIEWER
    executor: str = OPERATOR


def play(scene: Scene, cast: Cast, execute: Callable[[Scene, Run, str], None]) -> None:
    """Take a run from plan to execution with this cast."""
    plan = scene.plan("item", by=cast.planner)
    scene.review(plan["run_id"], by=cast.reviewer)
    permit_id = scene.open_permit("item", plan["run_id"], 20, by=cast.opener)
    scene.confirm(permit_id, by=cast.confirmer)
    execute(scene, Run("item", plan["run_id"], permit_id, 20, 20), cast.executor)


def by_driver(scene: Scene, run: Run, person: str) -> None:
    scene.apply(run, by=person)


def by_writer(scene: Scene, run: Run, person: str) -> None:
    scene.write(run, by=person)


@pytest.mark.parametrize("execute", [by_driver, by_writer], ids=name)
@pytest.mark.parametrize(
    "pair",
    [
        ("planner", "reviewer"),
        ("planner", "opener"),
        ("planner", "confirmer"),
        ("reviewer", "opener"),
        ("reviewer", "executor"),
        ("opener", "confirmer"),
        ("opener", "executor"),
        ("confirmer", "executor"),
    ],
    ids="-and-".join,
)
def test_a_member_of_every_role_cannot_hold_conflicting_duties(
    scene: Scene, item: str, pair: tuple[str, str], execute: Callable[[Scene, Run, str], None]
) -> None:
    cast = Cast(**dict.fromkeys(pair, EVERYBODY))
    with refused(errors.SeparationOfDuties) as caught:
        play(scene, cast, execute)
    assert EVERYBODY in str(caught.value.diag.message_detail)
    assert scene.births() == 0


@pytest.mark.parametrize("pair", [("planner", "executor"), ("reviewer", "confirmer")], ids="-and-".join)
def test_one_person_may_plan_and_execute_or_review_and_confirm(scene: Scene, item: str, pair: tuple[str, str]) -> None:
    play(scene, Cast(**dict.fromkeys(pair, EVERYBODY)), by_driver)
    assert scene.births() == 20


def test_five_different_people_can_do_the_five_steps(scene: Scene, item: str) -> None:
    play(scene, Cast(reviewer=SECOND_REVIEWER, executor=SECOND_OPERATOR), by_driver)
    assert scene.births() == 20


def test_a_refused_act_records_nothing(scene: Scene, item: str) -> None:
    plan = scene.plan(item, by=EVERYBODY)
    with scene.unchanged(), refused(errors.SeparationOfDuties):
        scene.review(plan["run_id"], by=EVERYBODY)


# --- predecessors


def stopped_run(scene: Scene) -> UUID:
    """A run with the usual people that stopped after a batch; the next plan has it as predecessor."""
    run = scene.permitted("item")
    scene.stopped_after_a_batch(run)
    return run.run_id


def test_the_planner_of_a_predecessor_cannot_review_its_successor(scene: Scene, item: str) -> None:
    plan = scene.plan(item, by=EVERYBODY)
    scene.review(plan["run_id"])
    permit_id = scene.open_permit(item, plan["run_id"], 20)
    scene.confirm(permit_id)
    scene.stopped_after_a_batch(Run(item, plan["run_id"], permit_id, 20, 20))
    successor = scene.plan(item)
    assert successor["predecessor"] == plan["run_id"]
    with scene.unchanged(), refused(errors.SeparationOfDuties):
        scene.review(successor["run_id"], by=EVERYBODY)


def test_the_reviewer_of_a_predecessor_cannot_plan_its_successor(scene: Scene, item: str) -> None:
    plan = scene.plan(item)
    scene.review(plan["run_id"], by=EVERYBODY)
    permit_id = scene.open_permit(item, plan["run_id"], 20)
    scene.confirm(permit_id)
    scene.stopped_after_a_batch(Run(item, plan["run_id"], permit_id, 20, 20))
    with scene.unchanged(), refused(errors.SeparationOfDuties):
        scene.plan(item, by=EVERYBODY)


def test_the_owner_of_a_predecessor_s_permit_cannot_execute_its_successor(scene: Scene, item: str) -> None:
    plan = scene.plan(item)
    scene.review(plan["run_id"])
    permit_id = scene.open_permit(item, plan["run_id"], 20, by=EVERYBODY)
    scene.confirm(permit_id)
    scene.stopped_after_a_batch(Run(item, plan["run_id"], permit_id, 20, 20))
    successor = scene.permitted(item)
    with scene.unchanged(), refused(errors.SeparationOfDuties):
        scene.apply(successor, by=EVERYBODY)


def test_the_executor_of_a_run_cannot_open_the_permit_of_its_successor(scene: Scene, item: str) -> None:
    run = scene.permitted(item)
    driver = scene.start(run, by=EVERYBODY)
    scene.stop(run)
    with refused(errors.StopRequested):
        driver.end()
    plan = scene.plan(item)
    scene.review(plan["run_id"])
    with scene.unchanged(), refused(errors.SeparationOfDuties):
        scene.open_permit(item, plan["run_id"], 15, by=EVERYBODY)


def test_conflicting_duties_during_a_run_are_found_at_the_next_batch(scene: Scene, item: str) -> None:
    """The act itself would be refused: here a superuser forges it."""
    run = scene.permitted(item)
    driver = scene.start(run)
    scene.execute(
        "INSERT INTO birth.birth_act (act, actor, run_id, lineage) VALUES ('review', %s, %s, %s)",
        (OPERATOR, run.run_id, run.run_id),
    )
    scene.go_on(run)
    with refused(errors.SeparationOfDuties):
        driver.end()
    assert scene.status(run) == ("failed", "separation_of_duties")


def test_without_the_check_per_act_the_check_per_batch_still_refuses(scene: Scene, item: str) -> None:
    scene.replace_routine("fn_birth_act_record", (PEOPLE_CHECK, "NULL"))
    with refused(errors.SeparationOfDuties):
        play(scene, Cast(planner=EVERYBODY, reviewer=EVERYBODY), by_driver)
    assert scene.births() == 0


# --- who a person is


@dataclass
class Login:
    """A login of this test alone that plans and reviews, under changing names."""

    scene: Scene
    name: str

    def make(self) -> None:
        given = "CREATE ROLE {0} LOGIN PASSWORD {1}; GRANT birth_operator, birth_reviewer, birth_permit_owner TO {0}"
        password = conninfo_to_dict(self.scene.db.url(self.name))["password"]
        self.scene.execute(SQL(given).format(Identifier(self.name), Literal(password)))

    def rename(self) -> None:
        old, self.name = self.name, f"{self.name}x"
        self.scene.execute(SQL("ALTER ROLE {} RENAME TO {}").format(Identifier(old), Identifier(self.name)))

    def drop(self) -> None:
        self.scene.execute(SQL("DROP ROLE IF EXISTS {}").format(Identifier(self.name)))

    def ask(self, conn: psycopg.Connection[Any], routine: str, **arguments: object) -> Any:
        ((value,),) = conn.execute(statement("SELECT", routine, arguments), arguments).fetchall()
        return value

    def plan(self, conn: psycopg.Connection[Any]) -> UUID:
        self.ask(conn, "fn_dot_birth_qt001_plan", p_collection="item", p_dry_run=False)
        run_id: UUID = self.scene.value("SELECT run_id FROM birth.birth_backfill_ledger_v2")
        return run_id

    def review(self, conn: psycopg.Connection[Any], run_id: UUID) -> None:
        self.ask(conn, "fn_birth_review_record", p_run_id=run_id, p_verdict="SAFE", p_findings="mine")


@pytest.fixture
def login(scene: Scene, item: str) -> Iterator[Login]:
    made = Login(scene, f"Petra {scene.db.name}")
    made.make()
    yield made
    made.drop()


@pytest.mark.parametrize("again", [False, True], ids=["the same session", "a new session"])
def test_a_login_renamed_between_plan_and_review_counts_as_one_person(scene: Scene, login: Login, again: bool) -> None:
    old, conn = login.name, scene.db.connect(login.name)
    run_id = login.plan(conn)
    login.rename()
    conn = scene.db.connect(login.name) if again else conn
    with scene.unchanged(), refused(errors.SeparationOfDuties) as caught:
        login.review(conn, run_id)
    detail = str(caught.value.diag.message_detail)
    assert f"{old} alias {login.name}" in detail or f"{login.name} alias {old}" in detail
    assert "acted as execution (plan) and as review (review)" in detail


def test_a_login_that_was_renamed_between_its_acts_is_found_before_every_batch(scene: Scene, login: Login) -> None:
    run_id = login.plan(scene.db.connect(login.name))
    login.rename()
    scene.replace_routine("fn_birth_act_record", (PEOPLE_CHECK, "NULL"))
    login.review(scene.db.connect(login.name), run_id)
    permit_id = scene.open_permit("item", run_id, 20)
    scene.confirm(permit_id)
    with scene.unchanged(), refused(errors.SeparationOfDuties) as caught:
        scene.apply(Run("item", run_id, permit_id, 20, 20))
    assert f"{login.name[:-1]} alias {login.name}" in str(caught.value.diag.message_detail)


def test_a_login_dropped_and_recreated_counts_as_one_person(scene: Scene, login: Login) -> None:
    with scene.db.connect(login.name) as conn:
        run_id = login.plan(conn)
    login.drop()
    login.make()
    with scene.unchanged(), refused(errors.SeparationOfDuties):
        login.review(scene.db.connect(login.name), run_id)


def test_oids_of_another_cluster_are_not_compared(scene: Scene, login: Login) -> None:
    run_id = login.plan(scene.db.connect(login.name))
    scene.execute("UPDATE birth.birth_act SET actor_id = regexp_replace(actor_id, '^[0-9]+', '1')")
    login.rename()
    login.review(scene.db.connect(login.name), run_id)
    assert scene.value("SELECT reviewed_by FROM birth.birth_review") == login.name


def test_logins_that_acted_under_another_name_are_listed(scene: Scene, login: Login) -> None:
    listed = "SELECT finding FROM birth.v_birth_separation_of_duties WHERE login = %s AND detail LIKE '%%one person%%'"
    with scene.db.connect(login.name) as conn:
        login.plan(conn)
    assert scene.rows(listed, (login.name,)) == []
    old = login.name
    login.rename()
    assert scene.rows(listed, (login.name,)) == [{"finding": "acted under another name"}]
    login.drop()
    login.name = old
    login.make()
    assert scene.rows(listed, (login.name,)) == [{"finding": "has the name of an earlier login"}]


def test_the_login_that_released_the_contract_under_another_name_cannot_review_under_it(
    scene: Scene, item: str
) -> None:
    plan = scene.plan(item)
    scene.execute(
        "UPDATE birth.birth_gateway_release_registry SET released_by_id = format('%%s:%%s', s.system_identifier,"
        " %s::regrole::oid) FROM pg_control_system() s",
        (REVIEWER,),
    )
    with scene.unchanged(), refused(errors.SeparationOfDuties) as caught:
        scene.review(plan["run_id"])
    assert "released" in str(caught.value.diag.message_detail)


def test_the_login_that_released_the_contract_cannot_review_under_it(scene: Scene, item: str) -> None:
    releasers = scene.rows("SELECT DISTINCT released_by FROM birth.birth_gateway_release_registry")
    assert releasers == [{"released_by": RELEASER}]
    plan = scene.plan(item)
    scene.execute("UPDATE birth.birth_gateway_release_registry SET released_by = %s", (REVIEWER,))
    with scene.unchanged(), refused(errors.SeparationOfDuties) as caught:
        scene.review(plan["run_id"])
    assert "released" in str(caught.value.diag.message_detail)


def test_set_role_does_not_make_another_person(scene: Scene, item: str) -> None:
    plan = scene.plan(item, by=EVERYBODY)
    scene.session(EVERYBODY).execute("SET ROLE birth_reviewer")
    with scene.unchanged(), refused(errors.SeparationOfDuties):
        scene.review(plan["run_id"], by=EVERYBODY)


def test_a_superuser_with_set_role_counts_as_one_person(scene: Scene, item: str) -> None:
    """SET SESSION AUTHORIZATION would help; that it is a superuser's can be detected, not prevented."""
    scene.execute(SQL("SET ROLE {}").format(Identifier(OPERATOR)))
    (plan,) = scene.rows("SELECT * FROM birth.fn_dot_birth_qt001_plan(p_collection := 'item', p_dry_run := false)")
    scene.execute(SQL("SET ROLE {}").format(Identifier(REVIEWER)))
    with refused(errors.SeparationOfDuties):
        scene.execute(
            "SELECT birth.fn_birth_review_record(p_run_id := %s, p_verdict := 'SAFE', p_findings := 'x')",
            (plan["run_id"],),
        )
    scene.execute("RESET ROLE")


#: Routine, arguments, and the role whose members may call it.
ACTS: list[tuple[str, str]] = [
    ("fn_dot_birth_qt001_plan(p_collection := 'item', p_dry_run := false)", "birth_operator"),
    ("fn_dot_birth_qt001_rehearse(p_collection := 'item')", "birth_operator"),
    ("fn_birth_review_record(gen_random_uuid(), 'SAFE', 'x')", "birth_reviewer"),
    ("fn_birth_permit_open('item', gen_random_uuid(), 1, now() + interval '1 hour', 'x')", "birth_permit_owner"),
    ("fn_birth_permit_confirm(1)", "birth_reviewer"),
    ("fn_birth_permit_revoke(1, 'x')", "birth_permit_owner"),
    ("fn_birth_run_stop(gen_random_uuid(), 'x')", "birth_operator"),
    ("fn_birth_run_tune(gen_random_uuid(), 1, 0)", "birth_operator"),
    ("fn_birth_run_takeover(gen_random_uuid(), 'x')", "birth_dba"),
    ("fn_birth_dot_freeze('dot-birth-backfill-apply', 'x')", "birth_operator"),
    ("fn_birth_dot_unfreeze('dot-birth-backfill-apply', 'x')", "birth_dba"),
    ("fn_birth_evidence_acknowledge('birth_act', 'x')", "birth_dba"),
    ("fn_birth_home_confirm('x')", "birth_dba"),
    ("fn_birth_collection_register('other', 'public', 'other', 'BIRTH_REQUIRED')", "birth_steward"),
    ("fn_birth_identity_classify('item', 'column', 'code')", "birth_steward"),
    ("fn_birth_gateway_attach('item')", "birth_steward"),
    ("fn_birth_gateway_mode('item', 'enforce', 'x')", "birth_steward"),
    ("fn_birth_gateway_detach('item', 'x')", "birth_steward"),
    ("fn_birth_gate_scope('public', 'observe', 'x')", "birth_steward"),
    ("fn_birth_gate_admit('item', 'x')", "birth_steward"),
    ("fn_birth_census_record('item')", "birth_operator"),
    ("fn_dot_birth_qt005_plan('item', 'BIRTH_EXEMPT_X')", "birth_operator"),
    ("fn_birth_life_attach('item')", "birth_steward"),
    ("fn_birth_life_mode('item', 'off', 'x')", "birth_steward"),
    ("fn_birth_life_detach('item', 'x')", "birth_steward"),
    ("fn_birth_return('x', 'x')", "birth_steward"),
    ("fn_birth_succeed('x', 'y', 'x')", "birth_steward"),
    ("fn_dot_birth_qt006_plan('item', false)", "birth_operator"),
    ("fn_dot_birth_qt001_compensate(gen_random_uuid(), 1, 1, 'ask')", "birth_operator"),
    ("fn_birth_run_step(gen_random_uuid(), 1, 'APPLY', 1)", "birth_operator"),
    ("fn_birth_run_leave(gen_random_uuid())", "birth_operator"),
    ("fn_dot_birth_qt001_apply('item', gen_random_uuid(), 1, 1, 1, 1, false, true)", "birth_operator"),
    ("fn_dot_birth_qt001_apply('item', gen_random_uuid(), 1, 1, 1, 1, true, false)", "birth_operator"),
]


@pytest.mark.parametrize(("act", "role"), ACTS, ids=[act.split("(")[0] for act, _ in ACTS])
def test_a_user_function_cannot_act_for_its_caller(scene: Scene, item: str, act: str, role: str) -> None:
    """A trap: whoever can be brought to call it would act without having said so."""
    scene.execute(f"CREATE FUNCTION public.harmless() RETURNS void LANGUAGE sql AS $$ SELECT birth.{act} $$".encode())
    with scene.unchanged(), refused(errors.RoutineNotNamed):
        scene.session(EVERYBODY).execute("SELECT public.harmless()")


def test_a_user_view_cannot_act_for_its_reader(scene: Scene, item: str) -> None:
    scene.execute(
        "CREATE VIEW public.harmless AS SELECT run_id FROM birth.fn_dot_birth_qt001_plan('item', false);"
        " GRANT SELECT ON public.harmless TO PUBLIC"
    )
    with scene.unchanged(), refused(errors.RoutineNotNamed):
        scene.session(EVERYBODY).execute("SELECT * FROM public.harmless")


@pytest.mark.parametrize(("act", "role"), ACTS, ids=[act.split("(")[0] for act, _ in ACTS])
def test_a_superuser_needs_membership_in_the_role(scene: Scene, item: str, act: str, role: str) -> None:
    others = {STEWARD, OPERATOR, REVIEWER, OWNER, DBA} - {
        {
            "birth_operator": OPERATOR,
            "birth_reviewer": REVIEWER,
            "birth_permit_owner": OWNER,
            "birth_steward": STEWARD,
            "birth_dba": DBA,
        }[role]
    }
    allowed_too = {DBA} if "dot_freeze" in act else {REVIEWER} if "rehearse" in act else set()
    with scene.unchanged():
        for person in [*sorted(others - allowed_too), "nora_nobody"]:
            with raised("42501"):
                scene.session(person).execute(f"SELECT birth.{act}".encode())


def test_execute_without_role_membership_is_refused(scene: Scene, item: str) -> None:
    """EXECUTE granted past the page of grants does not make an operator."""
    scene.execute(
        "GRANT USAGE ON SCHEMA birth TO nora_nobody;"
        " GRANT EXECUTE ON FUNCTION birth.fn_dot_birth_qt001_plan(text, boolean) TO nora_nobody"
    )
    with scene.unchanged(), refused(errors.RoleRequired):
        scene.plan(item, by="nora_nobody")


# --- who may still sign


def signers(scene: Scene, run_id: UUID, act: str) -> set[str]:
    rows = scene.ask(REVIEWER, "fn_birth_signers", p_run_id=run_id)
    return {row["login"] for row in rows if row["act"] == act and not row["superuser"]}


def test_who_may_still_sign_is_who_would_not_be_refused(scene: Scene, item: str) -> None:
    run_id = scene.plan(item, by=EVERYBODY)["run_id"]
    # Who planned under another role takes no other part.
    assert signers(scene, run_id, "review") == signers(scene, run_id, "permit_confirm")
    assert {REVIEWER, SECOND_REVIEWER} <= signers(scene, run_id, "review")
    assert OWNER in signers(scene, run_id, "permit_open")
    assert not {EVERYBODY, OPERATOR} & (signers(scene, run_id, "review") | signers(scene, run_id, "permit_open"))
    superusers = scene.rows("SELECT DISTINCT login FROM birth.fn_birth_signers(%s) WHERE superuser", (run_id,))
    assert scene.value("SELECT session_user::text") in {row["login"] for row in superusers}
    assert scene.rows("SELECT * FROM birth.fn_birth_signers(gen_random_uuid())") == []


def test_a_renamed_login_is_no_other_signer(scene: Scene, item: str, login: Login) -> None:
    conn = scene.db.connect(login.name)
    run_id = login.plan(conn)
    login.rename()
    assert login.name not in signers(scene, run_id, "review") | signers(scene, run_id, "permit_open")


def test_who_released_may_confirm_and_not_judge(scene: Scene, item: str) -> None:
    run_id = scene.plan(item)["run_id"]
    scene.execute("UPDATE birth.birth_gateway_release_registry SET released_by = %s", (REVIEWER,))
    assert REVIEWER not in signers(scene, run_id, "review")
    assert REVIEWER in signers(scene, run_id, "permit_confirm")
