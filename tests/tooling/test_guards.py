"""The list of guards holds against the sources, and the tool that proves it can tell."""

from collections.abc import Iterator

import pytest
from guards import guard, listing, prove, routine
from guards.guard import Guard
from guards.listing import Proof
from sample import some
from support import Cluster, Database

from birthdb import paths, target

EXPIRED = Guard("fn_birth_checks", "the permit has not expired")

#: Guards, and a test that has to miss each.
CAUGHT = {
    str(EXPIRED): "tests/integration/run/test_permit.py::test_an_expired_permit_is_refused",
    "birth_backfill_ledger_v2: bbl2_no_false_done CHECK": (
        "tests/integration/run/test_no_false_done.py::test_a_superuser_cannot_mark_an_incomplete_run_done"
        "[changed0-bbl2_no_false_done]"
    ),
}


@pytest.fixture(scope="module")
def guards(template: Database) -> dict[Guard, guard.Removal]:
    """Every guard there is, and how it is taken out."""
    with target.connect(template.url()) as connection:
        return guard.everything(connection)


@pytest.fixture(scope="module")
def prover(server: Cluster, template: Database) -> Iterator[prove.Prover]:
    """What takes a guard out and runs tests."""
    tests = [
        "tests/integration/run/test_permit.py",
        "tests/integration/run/test_no_false_done.py",
        "tests/integration/monitoring/test_dots.py",
    ]
    with prove.Prover(server, template, tests) as made:
        yield made


def test_the_guard_list_names_exactly_the_existing_guards(guards: dict[Guard, guard.Removal]) -> None:
    known = listing.read()
    new = sorted(guards.keys() - known.keys())
    assert not new, f"nobody has tried without {new[0]} ({len(new)} in all): make guards"
    gone = sorted(known.keys() - guards.keys())
    assert not gone, f"the list has {gone[0]}, the sources have not ({len(gone)} in all): make guards"
    assert listing.PAGE.read_text(encoding="utf-8") == listing.page(known)


def test_a_guard_that_moved_to_another_routine_keeps_its_proof() -> None:
    """Each proof goes to one guard, and only from a routine that has the guard no more."""
    old, stays, other = Guard("fn_old", "x: a"), Guard("fn_stays", "x: b"), Guard("fn_old", "x: c")
    known = {one: Proof(one, f"tests/{one.object}.py::test") for one in (old, stays)} | {other: Proof(other, None)}
    moved = Guard("fn_new", "x: a")
    there = [moved, Guard("fn_new", "x: a", 2), Guard("fn_new", "x: b"), Guard("fn_new", "x: c"), stays]
    assert listing.carried(known, there) == {moved: Proof(moved, "tests/fn_old.py::test")}


def test_every_guard_has_a_test_that_fails_without_it() -> None:
    assert [str(one) for one, proof in listing.read().items() if not proof.test] == []


def test_every_listed_test_exists() -> None:
    for test in {proof.test for proof in listing.read().values() if proof.test}:
        file, _, name = test.partition("::")
        assert f"def {name.partition('[')[0]}(" in (paths.ROOT / file).read_text(encoding="utf-8")


@some(("one", "test"), CAUGHT.items(), ids=["a routine", "a table"])
def test_disabling_a_guard_makes_its_test_fail(
    prover: prove.Prover, guards: dict[Guard, guard.Removal], one: str, test: str
) -> None:
    (taken,) = (g for g in guards if str(g).startswith(one))
    outcome = prover.without([(taken, guards[taken])], [test])
    assert (outcome.caught, outcome.ran) == (test, 1)


def test_an_unrelated_test_failure_is_no_guard_proof(prover: prove.Prover, guards: dict[Guard, guard.Removal]) -> None:
    test = "tests/integration/monitoring/test_dots.py::test_an_unknown_operation_cannot_be_frozen_or_unfrozen"
    outcome = prover.without([(EXPIRED, guards[EXPIRED])], [test])
    assert outcome == prove.Outcome(None, "1 tests pass", 1)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("BEGIN IF a OR (b OR c) THEN PERFORM birth.fn_birth_raise('x', 'y'); END IF; END", ["x: a", "x: (b OR c)"]),
        ("BEGIN IF a THEN PERFORM birth.fn_birth_raise('x', 'y'); END IF; END", ["x: a"]),
        ("BEGIN IF (a, b) <> (c, d) THEN v := birth.fn_birth_error('x', 'y'); END IF; END", ["x: a <> c", "x: b <> d"]),
        ("BEGIN IF a BETWEEN 1 AND 2 THEN NULL; ELSE RAISE EXCEPTION 'x'; END IF; END", ["RAISE EXCEPTION"]),
        ("BEGIN RAISE NOTICE 'x'; v := 1; END", []),
        ("BEGIN PERFORM birth.fn_birth_refuse(coalesce(birth.f(1, 2), g)); END", ["birth.f(1, 2)", "g"]),
        ("BEGIN PERFORM birth.fn_birth_actor('r', 'f'); END", ["PERFORM birth.fn_birth_actor('r', 'f')"]),
        ("BEGIN v := v || birth.fn_birth_error('x', 'y'); END", ["x"]),
        ("BEGIN v := v || coalesce(birth.fn_birth_permit_blocker(a), '[]'); END", ["birth.fn_birth_permit_blocker(a)"]),
        ("DECLARE v_fault text := CASE WHEN a OR b THEN 'x' WHEN c THEN 'y' END; BEGIN NULL; END", ["a", "b", "c"]),
        ("BEGIN RETURN CASE WHEN a THEN birth.fn_birth_error('x', 'y') ELSE 'fine' END; END", ["a"]),
        (
            "BEGIN UPDATE t SET a = 1 WHERE k = 1 AND b AND c; IF NOT FOUND THEN RAISE EXCEPTION 'x'; END IF; END",
            ["UPDATE … WHERE b", "UPDATE … WHERE c", "RAISE EXCEPTION: NOT FOUND"],
        ),
        (
            "BEGIN PERFORM FROM birth.t x FOR NO KEY UPDATE SKIP LOCKED; END",
            ["FOR NO KEY UPDATE SKIP LOCKED (t)"],
        ),
        ("BEGIN FOR i IN 1 .. 2 LOOP IF a THEN RAISE EXCEPTION 'x'; END IF; END LOOP; END;", ["RAISE EXCEPTION: a"]),
        (
            "BEGIN RETURN QUERY SELECT 1 FROM (VALUES"
            " ('start', 'one', a AND f(b, c), 'x', d), ('end', 'two', e, 'y', g))"
            " AS l(scopes, check_name, pass, error, found); END",
            ["one: a", "one: f(b, c)", "two"],
        ),
        (
            "BEGIN PERFORM birth.fn_birth_refuse(c.blocker) FROM birth.fn_birth_checks('end', r) c; END",
            ["checks of end"],
        ),
        ("SELECT CASE WHEN a THEN birth.fn_birth_error('x', 'y') END", ["a"]),
        ("SELECT CASE a WHEN 1 THEN birth.fn_birth_error('x', 'y') END", []),
    ],
)
def test_guards_are_recognised_in_routine_bodies(body: str, found: list[str]) -> None:
    assert [change.what for change in routine.changes(body)] == found


def test_disabling_a_guard_changes_nothing_else_in_the_routine() -> None:
    body = "BEGIN IF a OR b THEN PERFORM birth.fn_birth_raise('x', 'y'); END IF; END"
    first, second = routine.changes(body)
    assert routine.without(body, first) == body.replace("IF a", "IF false")
    assert routine.without(body, second) == body.replace("OR b", "OR false")


@pytest.mark.parametrize("body", ["BEGIN IF a THEN NULL; END", "BEGIN CASE a WHEN 1 THEN NULL; END CASE; END"])
def test_an_unparseable_routine_is_an_error(body: str) -> None:
    with pytest.raises(routine.UnreadableError):
        routine.changes(body)
