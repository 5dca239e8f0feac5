"""``birthdb demo``: the whole story on real data, as a person runs it."""

import json
import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import transcript

from birthdb import demo, target
from birthdb.demo import story
from birthdb.errors import PlanStale

ROWS = {
    "country": 249,
    "currency": 178,
    "subdivision": 5046,
    "former_country": 31,
    "language": 7923,
    "language_family": 115,
    "script": 226,
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the demo's story is written when it has ``finished``."""
    return tmp_path_factory.mktemp("demo") / "page.md"


@pytest.fixture(scope="module")
def finished(told: Path) -> "subprocess.CompletedProcess[str]":
    """Return how ``birthdb demo --json`` ended, on a server of its own: the page tells of one."""
    own = {name: value for name, value in os.environ.items() if name != target.VARIABLE}
    return subprocess.run([sys.executable, transcript.__file__, told], env=own, capture_output=True, text=True)


@pytest.fixture(scope="module")
def figures(finished: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(finished.stdout)
    return shown


def test_the_demo_exits_0_without_complaints(finished: "subprocess.CompletedProcess[str]") -> None:
    assert (finished.returncode, finished.stderr) == (0, "")


def test_the_demo_prints_exactly_the_documented_json(figures: dict[str, Any]) -> None:
    assert list(figures) == [
        "server",
        "collections",
        "refusals",
        "admissions",
        "policies",
        "deaths",
        "census_pass",
        "seconds",
    ]
    assert figures["server"].startswith("PostgreSQL ")
    assert figures["seconds"] > 0


@pytest.mark.usefixtures("finished")
def test_the_page_shows_what_the_demo_tells(told: Path) -> None:
    shown, now = (transcript.masked(page.read_text("utf-8")) for page in (transcript.PAGE, told))
    assert shown == now, "python tests/transcript.py writes the page anew"


def test_every_row_of_the_seven_registers_has_its_birth(figures: dict[str, Any]) -> None:
    # The package may follow the standards: what matters is that as many are born as there are rows.
    assert {done["collection"] for done in figures["collections"]} == ROWS.keys()
    for done in figures["collections"]:
        assert done["births"] == done["expected_delta"] == done["actual_inserted"] == done["source_rows"]
        assert done["source_rows"] >= ROWS[done["collection"]] * 0.9
        assert done["rerun_delta"] == 0
    assert figures["census_pass"] is True


def test_every_attempt_to_cheat_is_refused_by_the_database(figures: dict[str, Any]) -> None:
    refusals = {refusal["attempt"]: refusal for refusal in figures["refusals"]}
    assert {attempt: refusal["sqlstate"] for attempt, refusal in refusals.items()} == {
        "plan currencies under codes that countries own": "NB108",
        "insert a country without a code": "NB501",
        "mark the run done by hand, as a superuser": "23514",
        "use a permit a second time": "NB202",
        "change one byte of the writer, as a superuser": "NB404",
        "admit currencies of which three have no birth": "NB510",
        "insert into a table before it is admitted": "NB508",
        "admit a collection that one registered oneself": "NB209",
        "leave a table open in a migration": "NB509",
        "exempt a required collection alone": "NB117",
        "give a newcomer the code of a dead currency": "NB511",
    }
    assert "bbl2_no_false_done" in refusals["mark the run done by hand, as a superuser"]["message"]


def test_filled_tables_are_admitted_as_proven_and_a_new_one_as_empty(figures: dict[str, Any]) -> None:
    assert figures["admissions"] == dict.fromkeys(ROWS, "PROVEN") | {"paper_size": "EMPTY"}


def test_a_policy_is_changed_by_three_people_and_changed_back(figures: dict[str, Any]) -> None:
    assert figures["policies"] == ["BIRTH_REQUIRED", "BIRTH_EXEMPT_STANDARD", "BIRTH_REQUIRED"]


def test_what_ends_is_recorded_also_while_a_backfill_runs(figures: dict[str, Any]) -> None:
    # A deleted and a corrected currency; a language after each message of the run.
    assert figures["deaths"].keys() == {"currency", "language"}
    assert figures["deaths"]["currency"] == 2
    assert figures["deaths"]["language"] > 1


def test_an_attempt_that_is_not_refused_ends_the_demo_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def tell(self: story.Story) -> None:
        self._refused("cheat", "NB404", lambda: None)

    monkeypatch.setattr(story, "Scene", lambda *_: nullcontext(SimpleNamespace(version="PostgreSQL", gone="gone")))
    monkeypatch.setattr(story.Story, "tell", tell)
    assert demo.run(json=True) == 1
    assert capsys.readouterr().err == "not as it should be: nothing stopped the attempt to cheat\n"


def test_a_refusal_with_another_sqlstate_fails_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise PlanStale("the plan is out of date")

    def tell(self: story.Story) -> None:
        self._refused("cheat", "NB404", refuse)

    monkeypatch.setattr(story, "Scene", lambda *_: nullcontext(SimpleNamespace(version="PostgreSQL", gone="gone")))
    monkeypatch.setattr(story.Story, "tell", tell)
    assert demo.run(json=True) == 1
