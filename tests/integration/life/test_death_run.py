"""A death run by what is said of it: the next step, progress, attention, refusals."""

import re

import psycopg
import pytest
from world import World, judged

from birthdb import api, errors

PEOPLE = {"an operator": "olga_operator", "a reviewer": "rita_reviewer", "a permit owner": "paul_owner"}


@pytest.fixture
def ended(world: World) -> World:
    """Five births, of which three have no row any more."""
    world.governed("(code text PRIMARY KEY)")
    world.insert("abcde")
    world.owner.execute("DELETE FROM app.thing WHERE code > 'b'")
    return world


def followed(world: World, run: object, purpose: str | None = None) -> list[str]:
    """Send what is said to be next, each by whom it names, until a census or a plan; return the routines."""
    sent: list[str] = []
    while not sent or not re.search("fn_birth_census|_plan$", sent[-1]):
        step = world.value("SELECT birth.fn_birth_run_next_step(%s, %s)", run, purpose)
        sender = re.search("-- (.*)$", step)
        world.person(PEOPLE[sender[1]] if sender else "olga_operator").execute(judged(step).encode())
        sent.append(re.findall(r"birth\.(\w+)", step)[0])
    return sent


def test_each_step_is_said_from_the_plan_to_the_census_and_from_the_undoing_to_a_new_plan(ended: World) -> None:
    world = ended
    dry = api.death_plan(world.operator, "thing")
    assert (
        dry["next_step"] == "SELECT * FROM birth.fn_dot_birth_qt006_plan(p_collection := 'thing', p_dry_run := false);"
    )
    run = api.death_plan(world.operator, "thing", dry_run=False)["run_id"]
    (progress,) = api.view(world.operator, "v_birth_run_progress")
    assert (progress["purpose"], progress["rows_done"], progress["rows_target"]) == ("DEATH", 0, 3)
    (told,) = [row for row in api.view(world.operator, "v_birth_attention") if str(run) in row["what"]]
    assert told["what"] == f"plan {run} of thing is not executed"
    assert "p_accept_orphans := 3" in told["next_step"]
    judged = ["fn_birth_review_record", "fn_birth_permit_open", "fn_birth_permit_confirm"]
    assert followed(world, run) == [*judged, "sp_dot_birth_qt006_apply", "fn_birth_census"]
    assert world.failed_checks() == {}
    assert api.view(world.operator, "v_birth_attention") == []
    assert followed(world, run, "COMPENSATE") == [
        *judged,
        "sp_dot_birth_qt001_compensate",
        "fn_dot_birth_qt006_plan",
    ]
    (told,) = [row for row in api.view(world.operator, "v_birth_attention") if "plan" in row["what"]]
    assert "fn_birth_review_record" in told["next_step"]


def test_a_plan_that_a_reviewer_refused_is_planned_again(ended: World) -> None:
    run = api.death_plan(ended.operator, "thing", dry_run=False)["run_id"]
    api.review_record(ended.person("rita_reviewer"), run, "NOT_SAFE_NEEDS_FIX", "the source is half restored")
    assert followed(ended, run) == ["fn_dot_birth_qt006_plan"]


def test_births_since_the_plan_are_no_reason_for_a_death_run_to_stop(ended: World) -> None:
    run = api.death_plan(ended.operator, "thing", dry_run=False)["run_id"]
    ended.admin.execute(
        "UPDATE birth.birth_backfill_ledger_v2 SET status = 'stopped', stop_reason = 'source_changed', dry_run = false"
    )
    ended.insert("x")
    changes = api.view(ended.operator, "v_birth_run_source_change")
    assert [(row["run_id"], row["change"], row["rows"]) for row in changes] == [(run, "planned and not written", 3)]
    assert followed(ended, run) == ["fn_dot_birth_qt006_plan"]


@pytest.mark.parametrize("execute", [False, True])
def test_under_a_statement_timeout_a_death_run_is_refused_before_it_does_anything(ended: World, execute: bool) -> None:
    run = api.death_plan(ended.operator, "thing", dry_run=False)["run_id"]
    permit = ended.judged(run, accept=3, rows=3)
    before = ended.value("SELECT row(l, (SELECT count(*) FROM birth.birth_act)) FROM birth.birth_backfill_ledger_v2 l")
    ended.operator.execute("SET statement_timeout = '1h'")
    with pytest.raises(errors.TimeoutWouldCut) as refused:
        api.death_apply(ended.operator, run, permit, execute=execute)
    assert refused.value.detail == "statement_timeout is 1h"
    assert before == ended.value(
        "SELECT row(l, (SELECT count(*) FROM birth.birth_act)) FROM birth.birth_backfill_ledger_v2 l"
    )
    assert ended.value("SELECT count(*) FROM birth.birth_death") == 0


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("INSERT INTO app.thing VALUES ('c')", "c returned"),
        ("INSERT INTO app.thing VALUES ('c'); DELETE FROM app.thing WHERE code = 'c'", "c died again"),
        ("SELECT birth.fn_birth_succeed('c', 'a', 'merged')", "c has a successor"),
        ("refound", "1 codes were found again by a later run"),
    ],
)
def test_a_death_run_whose_deaths_were_touched_is_not_undone(ended: World, what: str, said: str) -> None:
    world = ended
    api.life_attach(world.steward, "thing")
    run = api.death_plan(world.operator, "thing", dry_run=False)["run_id"]
    api.death_apply(world.operator, run, world.judged(run, accept=3, rows=3), execute=True)
    permit = world.judged(run, purpose="COMPENSATE", rows=3)
    if what == "refound":
        world.insert("c")
        world.admin.execute("SET session_replication_role = replica; DELETE FROM app.thing WHERE code = 'c'")
        world.admin.execute("RESET session_replication_role")
        later = api.death_plan(world.operator, "thing", dry_run=False)["run_id"]
        api.death_apply(world.operator, later, world.judged(later, accept=1), execute=True)
    for statement in what.split("; ") if what != "refound" else ():
        (world.steward if "succeed" in statement else world.owner).execute(statement.encode())
    before = world.value("SELECT jsonb_agg(d ORDER BY d.entity_code) FROM birth.birth_death d")
    with pytest.raises(errors.BirthsTouched) as refused:
        api.compensate(world.operator, run, permit, execute=True)
    assert said in str(refused.value.detail)
    # Each batch asks again: they may have been touched since it began.
    with pytest.raises(psycopg.Error) as again:
        world.admin.execute("SELECT birth.fn_birth_death_undo(l, '{d}', NULL) FROM birth.birth_backfill_ledger_v2 l")
    assert again.value.sqlstate == "NB313"
    assert world.value("SELECT jsonb_agg(d ORDER BY d.entity_code) FROM birth.birth_death d") == before


@pytest.mark.parametrize(
    ("code", "counts"),
    [
        ("a", "1 have a living row again, 1 have a birth, 1 were not dead"),
        ("x", "0 have a living row again, 0 have a birth, 1 were not dead"),
        ("c", "0 have a living row again, 1 have a birth, 0 were not dead"),
    ],
)
def test_a_slice_that_changed_while_its_births_were_locked_ends_nothing(ended: World, code: str, counts: str) -> None:
    api.death_plan(ended.operator, "thing", dry_run=False)
    ended.admin.execute(
        "INSERT INTO birth.birth_death (entity_code, collection_name, manner) VALUES ('c', 'thing', 'DELETE')"
    )
    with pytest.raises(psycopg.Error) as refused:
        ended.admin.execute(
            "SELECT birth.fn_birth_death_write(l, ARRAY[%s], l.planned_fingerprint)"
            " FROM birth.birth_backfill_ledger_v2 l",
            (code,),
        )
    assert refused.value.sqlstate == "NB310"
    assert counts in str(refused.value.diag.message_detail)
    assert ended.value("SELECT count(*) FROM birth.birth_death") == 1
