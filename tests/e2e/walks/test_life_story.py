"""The story that ``make soak`` tells for ten minutes, in twenty seconds."""

from contextlib import closing

import pytest
from soak.page import page
from soak.story import Story, Terms
from support import Database
from world import World


@pytest.mark.long
def test_a_table_lives_while_its_history_is_run_compensated_and_run_again(db: Database) -> None:
    with closing(World(db)) as world:
        figures = Story(world, Terms(seconds=20, clients=2, rate=60, history=2_000, feed=500, night=2)).tell()
    assert figures.broken == []
    operations = {name for phase in figures.latencies.values() for name in phase}
    assert {"UPDATE of the key", "DELETE of one row", "upsert that changes the key"} <= operations
    assert figures.counts["findings of `feed`: truncate_refused"] > 0
    assert "**" not in page(figures)
