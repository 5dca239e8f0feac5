"""From nothing to head and back, as the process that a person starts."""

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack

from bench.scenario import Claim, Contestant, Scenario
from bench.world import DBA
from birthdb import target

ORDER = 90
UPGRADE = "upgrade head"
DOWNGRADE = "downgrade base"
START = "heads: Python's start alone"


class Migration(Scenario):
    """By the DBA, who is no superuser, each in a database of its own."""

    name = "migration"
    title = "every release up, and down again, each a process"
    rows_in_full = 0
    most_rounds = 5
    claims = (
        Claim("alembic upgrade, from nothing to head", UPGRADE, None, 1.5, unit="s"),
        Claim("alembic downgrade, from head to nothing", DOWNGRADE, None, 1.5, unit="s"),
        Claim("of that, Python's start", START, None, None, unit="s"),
    )

    def prepare(self) -> None:
        """Nothing is open yet."""
        self._stack = ExitStack()

    def reset(self) -> None:
        """Make an empty database."""
        self._stack.close()
        self.database = self._stack.enter_context(self.world.cluster.database())

    def contestants(self) -> Sequence[Contestant]:
        """Return both directions, and the start."""
        return [
            Contestant(UPGRADE, lambda: self.alembic("upgrade", "head")),
            Contestant(
                DOWNGRADE, lambda: self.alembic("downgrade", "base"), ready=lambda: self.alembic("upgrade", "head")
            ),
            Contestant(START, lambda: self.alembic("heads")),
        ]

    def alembic(self, *words: str) -> None:
        """Start the command and wait for it; raises RuntimeError with what it said when it fails."""
        url = self.world.cluster.login_url(DBA, self.database)
        ended = subprocess.run(
            [sys.executable, "-m", "birthdb", "alembic", *words],
            env={**os.environ, target.VARIABLE: url},
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode:
            raise RuntimeError(f"alembic {' '.join(words)}: {ended.stderr[-2000:]}")

    def close(self) -> None:
        """Drop the last database."""
        self._stack.close()
