"""A prepared transaction keeps its locks without a session: it is named wherever it is in the way."""

from collections.abc import Callable, Iterator

import psycopg
import pytest
from helpers import DBA, OPERATOR, OWNER, SECOND_OPERATOR, Run, Scene, begin, refused, statement, step
from psycopg.sql import SQL, Composed

from birthdb import errors

GID = "somebody's batch"
END = "ROLLBACK PREPARED 'somebody''s batch';"


@pytest.fixture
def prepares(scene: Scene) -> Iterator[Callable[[Callable[[psycopg.Connection[object]], object]], None]]:
    """Do something in the operator's session, and prepare that; at the end of the test it is rolled back."""
    session = scene.session(OPERATOR)

    def prepare(act: Callable[[psycopg.Connection[object]], object]) -> None:
        session.execute("BEGIN")
        act(session)
        session.execute("PREPARE TRANSACTION 'somebody''s batch'")

    yield prepare
    if scene.value("SELECT EXISTS (SELECT FROM pg_prepared_xacts WHERE gid = %s)", (GID,)):
        scene.execute(END.encode())


Prepares = Callable[[Callable[[psycopg.Connection[object]], object]], None]


def a_batch(run: Run) -> Callable[[psycopg.Connection[object]], object]:
    return lambda session: step(session, run, 5)


def take_over(scene: Scene, run: Run) -> None:
    scene.ask(DBA, "fn_birth_run_takeover", p_run_id=run.run_id, p_reason="it hangs")


def call(scene: Scene, run: Run) -> None:
    scene.apply(run, by=SECOND_OPERATOR)


def call_from_the_session_that_holds_the_run(scene: Scene, run: Run) -> None:
    scene.apply(run)


def step_in_the_session_that_holds_the_run(scene: Scene, run: Run) -> None:
    step(scene.session(OPERATOR), run, 5)


@pytest.mark.parametrize(
    "act",
    [take_over, call, call_from_the_session_that_holds_the_run, step_in_the_session_that_holds_the_run],
    ids=lambda act: act.__name__,
)
def test_a_prepared_batch_in_the_way_is_named_with_the_statement_that_ends_it(
    scene: Scene, run: Run, prepares: Prepares, act: Callable[[Scene, Run], None]
) -> None:
    begin(scene.session(OPERATOR), run)
    prepares(a_batch(run))
    with scene.unchanged(), refused(errors.RunHeld) as told:
        act(scene, run)
    assert f"prepared transaction 'somebody''s batch' of {OPERATOR}, since" in str(told.value.diag.message_detail)
    assert END in str(told.value.diag.message_hint)
    assert "pg_terminate_backend" not in str(told.value.diag.message_hint)
    # As its owner, in this database: no superuser is needed.
    scene.session(OPERATOR).execute(END.encode())
    scene.apply(run)
    assert scene.status(run) == ("done", None)


def whole_run(run: Run) -> Callable[[psycopg.Connection[object]], object]:
    given = run.arguments(p_batch_size=1000, p_dry_run=False, p_execute=True)
    query: Composed = statement("SELECT", "fn_dot_birth_qt001_apply", given)
    return lambda session: session.execute(query, given)


@pytest.mark.parametrize("act", [a_batch, whole_run], ids=lambda act: act.__name__)
def test_a_revoke_names_the_prepared_transaction_that_spends_the_permit(
    scene: Scene, run: Run, prepares: Prepares, act: Callable[[Run], Callable[[psycopg.Connection[object]], object]]
) -> None:
    if act is a_batch:
        begin(scene.session(OPERATOR), run)
    prepares(act(run))
    told: list[str] = []
    scene.session(OWNER).add_notice_handler(lambda said: told.append(f"{said.message_primary} {said.message_hint}"))
    scene.revoke(run.permit_id)
    (said,) = told
    assert f"prepared transaction 'somebody''s batch' of {OPERATOR}" in said
    assert END in said


def test_a_prepared_start_of_another_run_is_named(scene: Scene, item: str, prepares: Prepares) -> None:
    first, second = scene.permitted(item), scene.permitted(item)
    prepares(lambda session: begin(session, first))
    with scene.unchanged(), refused(errors.RunHeld) as told:
        scene.apply(second, by=SECOND_OPERATOR)
    assert f"prepared transaction 'somebody''s batch' of {OPERATOR}" in str(told.value.diag.message_detail)
    assert END in str(told.value.diag.message_hint)


def test_a_prepared_batch_is_named_after_its_session_ended(scene: Scene, run: Run, prepares: Prepares) -> None:
    holder = scene.session(OPERATOR)
    begin(holder, run)
    prepares(a_batch(run))
    scene.execute("SELECT pg_terminate_backend(%s, 10000)", (holder.info.backend_pid,))
    holder.close()
    with refused(errors.RunHeld) as told:
        take_over(scene, run)
    assert END in str(told.value.diag.message_hint)


def test_an_unrelated_prepared_transaction_is_not_named_as_the_holder(
    scene: Scene, run: Run, prepares: Prepares
) -> None:
    other = scene.plan(scene.collection("other", 3))["run_id"]
    prepares(lambda session: session.execute(SQL("SELECT birth.fn_birth_run_tune({}, 5)").format(str(other))))
    with scene.db.connect(autocommit=False) as session:
        session.execute("SELECT FROM birth.birth_backfill_ledger_v2 WHERE run_id = %s FOR UPDATE", (run.run_id,))
        with refused(errors.RunHeld) as told:
            scene.apply(run)
        assert f"pg_terminate_backend({session.info.backend_pid})" in str(told.value.diag.message_hint)
        assert "PREPARED" not in str(told.value.diag.message_hint)
