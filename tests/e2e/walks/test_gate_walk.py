"""Random walks around the first-row gate, beside an oracle, and whether they find what they are for."""

import os
import random
from collections.abc import Iterator
from contextlib import closing

import pytest
from model.gate import FAULTS, SEEDS, Grounds, found, walk
from support import Database


@pytest.fixture
def grounds(db: Database, colleagues: None) -> Iterator[Grounds]:
    """A released database with two schemas of an application."""
    with closing(Grounds(db)) as made:
        yield made


def taken(grounds: Grounds, seeds: range) -> None:
    for seed in seeds:
        print(f"again by: make test-long ONLY=gate_soak SEED={seed} WALKS=1")
        walk(grounds, seed)


def test_gate_and_oracle_agree_after_every_step(grounds: Grounds) -> None:
    taken(grounds, SEEDS[:9])
    # So that nobody takes a stroll for a walk.
    for step, answer in (("admit", "done"), ("insert", "not_admitted"), ("transition", "done"), ("attach", "done")):
        assert grounds.answers[step, answer] >= 3


@pytest.mark.parametrize("fault", ["a closed collection takes rows"])
def test_a_planted_fault_of_the_gate_is_found(grounds: Grounds, fault: str) -> None:
    assert found(grounds, FAULTS[fault])


@pytest.mark.long
@pytest.mark.parametrize("fault", FAULTS)
def test_every_planted_fault_of_the_gate_is_found(grounds: Grounds, fault: str) -> None:
    assert found(grounds, FAULTS[fault])


@pytest.mark.long
def test_gate_soak(grounds: Grounds) -> None:
    first = int(os.environ.get("SEED") or 0) or random.randrange(1, 2**31)
    taken(grounds, range(first, first + int(os.environ.get("WALKS") or 500)))
