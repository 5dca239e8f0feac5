"""The writer's checks come in the order of the specification (section 6), and a refusal changes nothing."""

import re
from collections.abc import Iterator
from itertools import combinations

import pytest
from helpers import OPERATOR, Fault, Prepared, Run, Scene, name, prepared, refused
from support import Cluster, Database

from birthdb import errors, paths
from birthdb.errors import BirthError


def exempt(scene: Scene, run: Run) -> None:
    scene.execute("UPDATE birth.collection_registry SET coverage_status = 'BIRTH_EXEMPT_TEST'")


def lose_the_key(scene: Scene, run: Run) -> None:
    scene.execute("ALTER TABLE pair DROP CONSTRAINT pair_pkey")


def collide(scene: Scene, run: Run) -> None:
    scene.born("other", "k3/1")


def duplicate(scene: Scene, run: Run) -> None:
    scene.execute("INSERT INTO pair VALUES ('x/y', 'z'), ('x', 'y/z')")


def leave_orphans(scene: Scene, run: Run) -> None:
    scene.born("pair", "gone")


def drift(scene: Scene, run: Run) -> None:
    scene.execute("ALTER FUNCTION birth.fn_birth_run_batch SET work_mem = '1MB'")


def thaw_a_dangerous_operation(scene: Scene, run: Run) -> None:
    scene.execute("DELETE FROM birth.birth_act WHERE act = 'freeze' AND dot_name = 'dot-birth-backfill'")


def condemn(scene: Scene, run: Run) -> None:
    scene.review(run.run_id, "NOT_SAFE_NEEDS_FIX")


def expire(scene: Scene, run: Run) -> None:
    scene.expire(run.permit_id)


def grow(scene: Scene, run: Run) -> None:
    scene.execute("INSERT INTO pair VALUES ('k99', '1')")


#: Step, fault, refusal; within a step in its own order.
STEPS: list[tuple[int, Fault, type[BirthError]]] = [
    (2, exempt, errors.PolicyNotRequired),
    (2, lose_the_key, errors.IdentityNotEligible),
    (3, collide, errors.CodeForeign),
    (4, duplicate, errors.CodeDuplicate),
    (4, leave_orphans, errors.PlanStale),
    (5, drift, errors.ContractDrift),
    (5, thaw_a_dangerous_operation, errors.Stage0NotEnforced),
    (5, condemn, errors.VerdictMissing),
    (6, expire, errors.PermitExpired),
    (7, grow, errors.PlanStale),
]


def test_the_list_of_checks_is_the_one_of_the_specification_in_its_order() -> None:
    specified = (paths.ROOT / "docs" / "reference" / "specification.md").read_text(encoding="utf-8")
    table = specified.partition("| step | check |\n| --- | --- |\n")[2].partition("\n\n")[0]
    routine = (paths.SQL / "functions/operation/fn_birth_checks.sql").read_text(encoding="utf-8")
    rows = routine.partition("FROM (VALUES\n")[2].partition(") AS l(scopes")[0]
    listed = re.findall(r"^    \((?:CASE WHEN .*? END|'[a-z ]+'),\s+'([^']+)',", rows, re.MULTILINE | re.DOTALL)
    assert listed == [line.split("|")[2].strip() for line in table.splitlines()]


@pytest.fixture(scope="module")
def run_template(server: Cluster, template: Database, colleagues: None) -> Iterator[Prepared]:
    """A run over a key of two columns, beside another collection, that only needs to be executed."""

    def prepare(scene: Scene) -> Run:
        scene.collection("other", 1)
        scene.execute("CREATE TABLE public.pair (a text, b text, PRIMARY KEY (a, b))")
        scene.execute("INSERT INTO pair SELECT 'k' || g, '1' FROM generate_series(1, 9) g")
        scene.govern("pair", "legacy", template="{a}/{b}")
        return scene.permitted("pair")

    with prepared(server, template, prepare) as made:
        yield made


@pytest.mark.parametrize(
    ("first", "second", "refusal"),
    [
        pytest.param(first, second, refusal, id=f"{i}-{name(first)}-before-{j}-{name(second)}")
        for (i, first, refusal), (j, second, _) in combinations(STEPS, 2)
        if i < j
    ],
)
def test_of_two_faults_the_earlier_step_is_raised(
    scene: Scene, run: Run, first: Fault, second: Fault, refusal: type[BirthError]
) -> None:
    second(scene, run)
    first(scene, run)
    with scene.unchanged(), refused(refusal):
        scene.apply(run)


@pytest.mark.parametrize(("fault", "refusal"), [(fault, refusal) for _, fault, refusal in STEPS], ids=name)
def test_driver_writer_and_dry_run_refuse_each_fault_alike(
    scene: Scene, run: Run, fault: Fault, refusal: type[BirthError]
) -> None:
    fault(scene, run)
    with scene.unchanged():
        with refused(refusal):
            scene.apply(run)
        with refused(refusal):
            scene.apply(run, p_execute=False)
        with refused(refusal):
            scene.write(run)
        with refused(refusal):
            scene.write(run, p_execute=False)
    assert scene.held_locks() == 0


@pytest.mark.parametrize("fault", [fault for _, fault, _ in STEPS], ids=name)
def test_the_switch_is_checked_before_anything_else(scene: Scene, run: Run, fault: Fault) -> None:
    fault(scene, run)
    with scene.unchanged(), refused(errors.SwitchConflict):
        scene.write(run, p_dry_run=True, p_execute=True)


def test_within_a_step_the_first_fault_is_raised(scene: Scene, run: Run) -> None:
    for _, fault, refusal in reversed(STEPS):
        fault(scene, run)
        with scene.unchanged(), refused(refusal):
            scene.apply(run)


def test_a_dry_run_of_the_writer_returns_all_blockers_in_order(scene: Scene, run: Run) -> None:
    for _, fault, _ in STEPS:
        if fault not in (lose_the_key, thaw_a_dangerous_operation):
            fault(scene, run)
    told: list[str] = []
    scene.session(OPERATOR).add_notice_handler(lambda notice: told.append((notice.message_primary or "").split(":")[0]))
    with scene.unchanged():
        row = scene.ask_one(OPERATOR, "fn_dot_birth_qt001_apply", **run.arguments(p_batch_size=10))
    assert row["status"] == "blocked"
    expected = [
        errors.PolicyNotRequired,
        errors.CodeForeign,
        errors.CodeDuplicate,
        errors.PlanStale,
        errors.ContractDrift,
        errors.VerdictMissing,
        errors.PermitExpired,
        errors.PlanStale,
    ]
    assert told == [refusal.sqlstate for refusal in expected]


def test_a_dry_run_of_the_writer_is_the_default(scene: Scene, run: Run) -> None:
    with scene.unchanged():
        row = scene.ask_one(OPERATOR, "fn_dot_birth_qt001_apply", **run.arguments(p_batch_size=10))
    assert (row["status"], row["expected_delta"], row["actual_inserted"]) == ("planned", 9, 0)


@pytest.mark.parametrize(("dry_run", "execute"), [(True, True), (None, False), (False, None), (None, None)])
def test_a_switch_that_contradicts_itself_or_is_missing_is_refused(
    scene: Scene, run: Run, dry_run: bool | None, execute: bool | None
) -> None:
    with scene.unchanged(), refused(errors.SwitchConflict):
        scene.write(run, p_dry_run=dry_run, p_execute=execute)


def test_status_and_freeze_are_checked_before_the_steps(scene: Scene, run: Run) -> None:
    exempt(scene, run)
    scene.ask(OPERATOR, "fn_birth_dot_freeze", p_dot="dot-birth-backfill-apply", p_reason="a test")
    with scene.unchanged(), refused(errors.DotFrozen):
        scene.apply(run)
    with scene.unchanged(), refused(errors.DotFrozen):
        scene.write(run)


def test_orphans_need_a_verdict_that_accepts_exactly_their_number(scene: Scene) -> None:
    scene.collection()
    scene.born("item", "gone 1", "gone 2")
    run = scene.permitted("item")
    with scene.unchanged(), refused(errors.ParityBroken):
        scene.apply(run)
    scene.review(run.run_id, p_accept_orphans=2)
    scene.apply(run)
    assert scene.status(run) == ("done", None)


def test_a_bound_above_the_permit_is_refused_even_if_the_rows_fit(scene: Scene) -> None:
    scene.collection()
    run = scene.permitted("item", 20)
    with scene.unchanged(), refused(errors.BoundExceeded):
        scene.apply(run, p_max_rows=21)


def test_a_plan_of_another_server_major_is_stale(scene: Scene, run: Run) -> None:
    scene.execute("UPDATE birth.birth_backfill_ledger_v2 SET server_major = server_major - 1")
    with scene.unchanged(), refused(errors.PlanStale):
        scene.apply(run)


@pytest.mark.parametrize("scope", ["starts", "", None])
def test_an_unknown_scope_of_the_checks_is_refused(scene: Scene, run: Run, scope: str | None) -> None:
    with refused(errors.BadArgument):
        scene.rows("SELECT birth.fn_birth_checks(%s, l, 'APPLY', l) FROM birth.birth_backfill_ledger_v2 l", (scope,))


def test_a_purpose_that_is_not_in_the_list_passes_no_scope(scene: Scene, run: Run) -> None:
    found = scene.rows(
        "SELECT s.scope FROM birth.birth_backfill_ledger_v2 l,"
        " unnest(ARRAY['plan', 'permit', 'confirm', 'claim', 'start', 'batch', 'spend', 'end']) AS s(scope)"
        " WHERE EXISTS (SELECT FROM birth.fn_birth_checks(s.scope, l, 'TRIAL', l) c"
        "               WHERE c.number = 1 AND NOT c.pass AND c.blocker ->> 'error' = 'bad_argument')"
    )
    assert len(found) == 8
