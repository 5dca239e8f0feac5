"""One random walk of a state machine by its seed, and the faults that walks are to find: the same for every model."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test
from model.sides import Disagreement


class Fault(NamedTuple):
    """A routine, the text that is taken out of it, what goes there instead, and which walk found it: it goes first."""

    routine: str
    old: str
    new: str
    seed: int | None = None


def take(machine: type[RuleBasedStateMachine], seed: int, steps: int, *, shrink: bool) -> None:
    """Take the walk of that seed; where it fails, the shortest is shown that fails."""
    chosen = settings(
        # One, after the simplest. More would mostly be the same walk with a step changed.
        max_examples=2,
        stateful_step_count=steps,
        phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(hypothesis.seed(seed)(machine), settings=chosen)


def finds(fault: Fault, seeds: Iterable[int], walk: Callable[[int], None]) -> int | None:
    """Return the walk that finds a fault that was planted, if one does."""
    for seed in seeds if fault.seed is None else (fault.seed, *seeds):
        try:
            walk(seed)
        except Disagreement:
            return seed
    return None
