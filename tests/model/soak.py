"""Planted faults, all of them, then random walks.

``make soak HOURS=2``, ``make soak WALKS=500``; ``make soak SEED=7 WALKS=1`` takes one walk again.
"""

import os
import random
import sys
import time

import pytest
from model.planted import FAULTS, found
from model.stage import Stage
from model.walk import walk


@pytest.mark.skipif(bool(os.environ.get("SEED")), reason="one walk is wanted")
@pytest.mark.parametrize("fault", FAULTS)
def test_every_planted_fault_is_found(stage: Stage, fault: str) -> None:
    assert found(stage, FAULTS[fault])


def test_soak(stage: Stage) -> None:
    """Each walk has a seed of its own, which is on the screen when it fails."""
    until = time.monotonic() + 3600 * float(os.environ.get("HOURS") or 1)
    walks = int(os.environ.get("WALKS") or sys.maxsize)
    first = int(os.environ.get("SEED") or 0) or random.randrange(1, 2**31)
    print()
    for seed in range(first, first + walks):
        print(f"\rwalk {seed - first + 1}, seed {seed}: {stage.answers.total()} moves made ", end="", flush=True)
        walk(stage, seed)
        if time.monotonic() > until:
            break
    print(f"\n{seed - first + 1} walks, {stage.answers.total()} moves")
    for (move, answer), number in sorted(stage.answers.items()):
        print(f"{number:8} {move}: {answer}")
