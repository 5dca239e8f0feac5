"""One random walk of a state machine, by its seed: the same for every model."""

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test


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
