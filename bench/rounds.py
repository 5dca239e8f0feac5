"""Contestants in turn, round after round, each beginning where the others began; the order rotates by round."""

import gc
import time
from collections.abc import Sequence

from bench.progress import say
from bench.scenario import Contestant, Result, Scenario


def measure(scenario: Scenario) -> Result:
    """Prepare a scenario, give every contestant its turn in every round, and return what came of it."""
    say(f"{scenario.name}: {scenario.title}" + (f"; {scenario.rows:,} rows" if scenario.rows else ""))
    try:
        scenario.prepare()
        contestants = list(scenario.contestants())
        for number in range(scenario.rounds if contestants else 0):
            told = [_turn(scenario, contestant) for contestant in rotated(contestants, number)]
            say(f"{scenario.name}: round {number + 1} of {scenario.rounds}: {', '.join(told)}")
        scenario.conclude()
    finally:
        scenario.close()
    for figure in scenario.result.figures:
        claim = figure.claim
        verdict = {True: ", met", False: ", NOT MET", None: ""}[figure.met]
        what = claim.what.format(rows=scenario.rows, births=scenario.births)
        say(f"{scenario.name}: {what}: {figure.median:.3g} {claim.unit}{verdict}")
    return scenario.result


def _turn(scenario: Scenario, contestant: Contestant) -> str:
    """Give one contestant its turn, record it, and return how it is told."""
    scenario.reset()
    if contestant.ready:
        contestant.ready()
    scenario.world.settle()
    gc.collect()
    before = scenario.world.wal()
    begin = time.perf_counter()
    parts = contestant.run()
    seconds = time.perf_counter() - begin
    if contestant.check:
        contestant.check()
    # Whoever did a part of the rows is told as if it had done all.
    scale = 1 if contestant.rows is None else scenario.rows / contestant.rows
    result = scenario.result
    result.wal.setdefault(contestant.name, []).append(round((scenario.world.wal() - before) * scale))
    samples = {contestant.name: seconds * scale, **(parts or {})}
    for series, value in samples.items():
        result.add(series, value)
    return f"{contestant.name} {samples[contestant.name]:,.4g} {scenario.unit}"


def rotated(contestants: Sequence[Contestant], by: int) -> list[Contestant]:
    """Return the order of a round: everybody moves up by one, and the first goes to the end."""
    start = by % len(contestants)
    return [*contestants[start:], *contestants[:start]]
