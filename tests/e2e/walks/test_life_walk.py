"""Random walks through the lives of rows, beside an oracle, and whether they find what they are for."""

import os
import random
import sys
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from model.life import FAULTS, SEEDS, Household, found, walk
from support import Database


@pytest.fixture
def household(db: Database, colleagues: None) -> Iterator[Household]:
    """A released database with three tables whose lives are recorded."""
    with closing(Household(db)) as made:
        yield made


def taken(household: Household, seeds: range, until: float) -> None:
    for seed in seeds:
        print(f"again by: make test-long ONLY=life_soak SEED={seed} WALKS=1")
        walk(household, seed, shrink=bool(os.environ.get("SEED")))
        if time.monotonic() > until:
            break


def test_lives_and_oracle_agree_after_every_step(household: Household) -> None:
    taken(household, SEEDS[:14], float("inf"))
    # So that nobody takes a stroll for a walk.
    met = {answer for _, answer in household.answers}
    assert {"code_dead", "code_taken", "truncate_refused", "not_retired", "gateway_foreign"} <= met
    assert {"births_touched", "serialization_failure", "plan_stale"} <= met
    for step in ("run DEATH", "undo DEATH", "run APPLY", "allow", "succeed"):
        assert household.answers[step, "done"] >= 1
    assert household.ends.keys() == {"DELETE", "STATUS", "REKEY", "FOUND", "returned"}


@pytest.mark.parametrize("fault", ["a death is not closed"])
def test_a_planted_fault_of_a_life_is_found(household: Household, fault: str) -> None:
    assert found(household, FAULTS[fault])


@pytest.mark.long
@pytest.mark.parametrize("fault", FAULTS)
def test_every_planted_fault_of_a_life_is_found(household: Household, fault: str) -> None:
    assert found(household, FAULTS[fault])


@pytest.mark.long
def test_life_soak(household: Household) -> None:
    until = time.monotonic() + 3600 * float(os.environ.get("HOURS") or 0.25)
    walks = int(os.environ.get("WALKS") or sys.maxsize)
    first = int(os.environ.get("SEED") or 0) or random.randrange(1, 2**31)
    taken(household, range(first, first + walks), until)
    print(household.answers, household.ends)
