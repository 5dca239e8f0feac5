"""A restored or cloned database spends no permit until a DBA confirms that it is the one that goes on."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg
import pytest
from helpers import DBA, OPERATOR, OWNER, REVIEWER, STEWARD, Prepared, Run, Scene, refused
from psycopg.sql import SQL, Identifier
from support import Cluster, Database

from birthdb import errors


@contextmanager
def copied(server: Cluster, source: Database, *, confirmed: bool = False) -> Iterator[Scene]:
    """A copy of a database, as it is right after it was made; nobody may be connected to the source."""
    made = server.create(source.name, confirmed=confirmed)
    try:
        with closing(Scene(made)) as scene:
            yield scene
            assert scene.disagreements() == []
    finally:
        made.drop()


@pytest.fixture
def clone(server: Cluster, run_template: Prepared) -> Iterator[Scene]:
    """A copy of a database with a permitted run."""
    with copied(server, run_template.database) as scene:
        yield scene


@pytest.fixture
def origin(server: Cluster, run_template: Prepared) -> Iterator[Scene]:
    """The same, confirmed: to be copied again."""
    with copied(server, run_template.database, confirmed=True) as scene:
        yield scene
        scene.reopen()


HOMES = "SELECT actor, reason FROM birth.birth_act WHERE act = 'home' ORDER BY act_id"


def attention(scene: Scene) -> list[dict[str, Any]]:
    return [row for row in scene.rows("SELECT * FROM birth.v_birth_attention") if "home" in row["next_step"]]


def confirm(scene: Scene, reason: str | None = "the other one is gone", *, by: str = DBA) -> None:
    scene.ask(by, "fn_birth_home_confirm", p_reason=reason)


def test_a_clone_spends_no_permit_until_a_dba_confirms_it(clone: Scene, run: Run) -> None:
    with clone.unchanged():
        for attempt in (clone.apply, clone.write):
            with refused(errors.HomeUnconfirmed):
                attempt(run)
        with refused(errors.HomeUnconfirmed):
            clone.apply(run, p_execute=False)
    (said,) = attention(clone)
    assert said["severity"] == "critical"
    clone.session(DBA).execute(said["next_step"].encode())
    assert attention(clone) == []
    clone.apply(run, batch=7)
    assert clone.status(run) == ("done", None)


def test_a_confirmation_is_an_act_of_the_dba_who_gave_it(server: Cluster, template: Database, colleagues: None) -> None:
    with copied(server, template) as scene:
        before = scene.rows(HOMES)
        confirm(scene, "the only one")
        assert scene.rows(HOMES) == [*before, {"actor": DBA, "reason": "the only one"}]


def test_gateway_plans_and_rehearsals_work_in_a_clone(clone: Scene, run: Run) -> None:
    clone.ask(STEWARD, "fn_birth_gateway_attach", p_collection="item", p_mode="enforce")
    clone.insert("item", 21, 25)
    assert clone.births() == 5
    assert clone.ask_one(OPERATOR, "fn_dot_birth_qt001_rehearse", p_collection="item")["rerun_delta"] == 0
    assert clone.plan("item")["planned_rows"] == 20
    clone.revoke(run.permit_id)


def test_a_clone_cannot_compensate_a_run(server: Cluster, origin: Scene, run: Run) -> None:
    origin.apply(run)
    undo = origin.compensable(run)
    origin.close()
    with copied(server, origin.db) as clone:
        with clone.unchanged(), refused(errors.HomeUnconfirmed):
            clone.compensate(undo)
        confirm(clone)
        clone.compensate(undo)
        assert clone.births() == 0


def test_a_run_resumes_in_the_confirmed_copy(server: Cluster, origin: Scene, run: Run) -> None:
    origin.start(run)
    origin.close()
    with copied(server, origin.db) as clone:
        with refused(errors.HomeUnconfirmed):
            clone.apply(run)
        assert clone.births() == 5
        confirm(clone)
        clone.go_on(run)
        clone.apply(run)
        assert clone.status(run) == ("done", None)


def test_every_batch_checks_the_home(scene: Scene, run: Run) -> None:
    driver = scene.start(run)
    # As if a row of another home had been restored under a session that holds the run.
    scene.execute(
        "INSERT INTO birth.birth_act (act, reason, detail) SELECT 'home', 'elsewhere', home || '{\"cluster\": \"1\"}'"
        " FROM birth.v_birth_home"
    )
    scene.go_on(run)
    with refused(errors.HomeUnconfirmed):
        driver.end()
    assert scene.status(run) == ("stopped", "home_unconfirmed")
    assert scene.births() == 5
    confirm(scene)
    scene.apply(run)
    assert scene.status(run) == ("done", None)


@pytest.mark.parametrize("person", [OPERATOR, REVIEWER, OWNER, STEWARD])
def test_only_a_dba_confirms(clone: Scene, person: str) -> None:
    with clone.unchanged(), pytest.raises(psycopg.errors.InsufficientPrivilege):
        confirm(clone, by=person)


@pytest.mark.parametrize("reason", [None, "", " \n"])
def test_a_confirmation_needs_a_reason(clone: Scene, reason: str | None) -> None:
    with clone.unchanged(), refused(errors.BadArgument):
        confirm(clone, reason)


def test_a_confirmation_is_recorded_as_an_act(clone: Scene) -> None:
    confirm(clone, "the old server was switched off")
    (home,) = clone.rows("SELECT * FROM birth.v_birth_home", person=OPERATOR)
    assert home["confirmed"]
    assert (home["confirmed_by"], home["reason"]) == (DBA, "the old server was switched off")
    assert home["home"] == home["confirmed_home"]
    assert home["home"]["name"] == clone.db.name


def test_a_confirmation_holds_after_the_clock_went_back(clone: Scene, run: Run) -> None:
    clone.execute("UPDATE birth.birth_act SET acted_at = acted_at + interval '1 hour' WHERE act = 'home'")
    confirm(clone)
    assert attention(clone) == []
    clone.apply(run)
    assert clone.status(run) == ("done", None)


def test_a_renamed_database_keeps_its_home(server: Cluster, origin: Scene, run: Run) -> None:
    origin.close()
    renamed = f"{origin.db.name}_renamed"
    server.execute(SQL("ALTER DATABASE {} RENAME TO {}").format(Identifier(origin.db.name), Identifier(renamed)))
    origin.db.name = renamed
    origin.reopen()
    assert attention(origin) == []
    origin.apply(run)
    assert origin.status(run) == ("done", None)


def test_a_new_timeline_is_reported_and_stops_nothing(scene: Scene, run: Run) -> None:
    scene.execute("UPDATE birth.birth_act SET detail = jsonb_set(detail, '{timeline}', '7') WHERE act = 'home'")
    (said,) = attention(scene)
    assert said["severity"] == "notice"
    scene.apply(run)
    assert scene.status(run) == ("done", None)
    confirm(scene, "it was a failover")
    assert attention(scene) == []
