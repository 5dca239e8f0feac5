"""A pytest process that collects the tests once and runs chosen ones in copies of itself.

A line of stdin is a job, ``{"tests": […], "environment": {…}}``; a line of stdout is how the copy ended. A copy ends
itself when its tests do not.
"""

import json
import os
import signal
import sys

import pytest
from guards import witness
from guards.reach import TESTS

#: Until tests that do not end are given up.
SECONDS = 300

_IMPORTED_EARLY = "ignore::pytest.PytestAssertRewriteWarning"


class Forker:
    """The plugin that takes jobs where pytest would run everything."""

    def __init__(self) -> None:
        """Keep stdin and stdout for the jobs; the tests have none."""
        self._jobs = os.fdopen(os.dup(0), encoding="utf-8")
        self._ends = os.fdopen(os.dup(1), "w", encoding="utf-8")
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(nowhere, number)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run job after job, until there is no more."""
        items = {item.nodeid: item for item in session.items}
        for line in self._jobs:
            job = json.loads(line)
            pid = os.fork()
            if pid == 0:
                _run([items[test] for test in job["tests"] if test in items], job["environment"])
            _, status = os.waitpid(pid, 0)
            print(json.dumps({"pid": pid, "ended": os.WIFEXITED(status)}), file=self._ends, flush=True)
        return True


def _run(items: list[pytest.Item], environment: dict[str, str]) -> None:
    signal.alarm(SECONDS)
    os.environ.update(environment)
    try:
        for item, after in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
            if item.session.shouldstop:
                break
    finally:
        # Nothing of the process that this is a copy of is to be closed here.
        os._exit(0)


if __name__ == "__main__":
    options = ["-q", "-s", "-p", "no:cacheprovider", "-W", _IMPORTED_EARLY]
    sys.exit(pytest.main([*options, *(sys.argv[1:] or TESTS)], plugins=[witness, Forker()]))
