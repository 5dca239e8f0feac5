"""A pytest plugin: which test fails first, and is its failure evidence?

A failure is evidence when a test or its end fails. It is none when a test could not begin, nor when it wanted to take
out of a routine what is not there any more.
"""

import json
import os
from collections.abc import Generator
from pathlib import Path

import pytest

#: The environment variable that names the file for the outcome.
VARIABLE = "BIRTHDB_WITNESS"


def pytest_runtest_logstart(nodeid: str) -> None:
    """Say which test is on, in case it does not end."""
    _say(on=nodeid)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Stop at the first failure that is evidence."""
    report = yield
    if call.excinfo is not None and report.failed and call.when != "setup" and not _unable(call.excinfo):
        _say(caught=item.nodeid, why=call.excinfo.exconly().splitlines()[0][:300])
        item.session.shouldstop = "caught"
    elif report.failed and call.excinfo is not None:
        _say(broken=item.nodeid, why=call.excinfo.exconly().splitlines()[0][:300])
    return report


def _unable(excinfo: pytest.ExceptionInfo[BaseException]) -> bool:
    return excinfo.typename == "ClaimError" or excinfo.traceback[-1].name == "replace_routine"


def _say(**what: object) -> None:
    with Path(os.environ[VARIABLE]).open("a", encoding="utf-8") as file:
        file.write(json.dumps(what) + "\n")
