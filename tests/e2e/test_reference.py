"""``birthdb demo --reference``: a database of the documents' shape reports the documents' figures."""

import json
import subprocess
import sys
from contextlib import nullcontext
from typing import Any

import pytest
from support import RELEASER, Cluster

from birthdb import target
from birthdb.demo import reference

Said = pytest.CaptureFixture[str]


def measured_as(monkeypatch: pytest.MonkeyPatch, measured: dict[str, Any]) -> None:
    """Let the scenario have measured that, without building anything."""
    monkeypatch.setattr(reference, "Scene", lambda *_, **__: nullcontext())
    monkeypatch.setattr(reference._Scenario, "play", lambda _: measured)


def everything() -> dict[str, Any]:
    known = reference.documents()
    return known | reference._consequences(known)


# One test, because the database takes half a minute to build.
@pytest.mark.long
def test_every_figure_of_the_source_documents_is_reported() -> None:
    command = [sys.executable, "-m", "birthdb", "demo", "--reference", "--json"]
    finished = subprocess.run(command, capture_output=True, text=True)
    shown = json.loads(finished.stdout)
    assert list(shown) == ["figures", "seconds"]
    figures = {figure["name"]: figure for figure in shown["figures"]}

    assert [name for name, figure in figures.items() if not figure["equal"]] == []
    assert [name for name, figure in figures.items() if figure["measured"] != figure["documents"]] == []
    assert (finished.returncode, finished.stderr) == (0, "")

    # Nothing that the documents count is left out, and what is shown as theirs is theirs.
    known = reference.documents()
    sentences = {name for name, value in known.items() if isinstance(value, str) and " " in value}
    assert sentences == {"about", "dry_run.rule_for_eligible"}
    counted = known.keys() - sentences
    assert {name: figures[name]["documents"] for name in counted} == {name: known[name] for name in counted}

    # The rehearsals leave nothing; the permitted runs commit exactly what was planned.
    assert figures["rehearsal_through_register_core.births"]["measured"] == 137
    assert figures["rehearsal.births"]["measured"] == 137
    assert figures["rehearsal.committed"]["measured"] == 0
    assert figures["rehearsal.false_done_blocked"]["measured"] is True
    assert figures["permitted_runs.committed"]["measured"] == 137
    assert figures["permitted_runs.rerun_delta"]["measured"] == 0

    # No upgrade changes a policy, a trigger or a birth; what was registered before the gate goes on as it was.
    for stage in ("stage3", "stage4", "stage5"):
        after = {
            name.removeprefix(f"{stage}."): figure["measured"]
            for name, figure in figures.items()
            if name.startswith(f"{stage}.")
        }
        assert {
            "collections.BIRTH_REQUIRED": 74,
            "collections.BIRTH_DEFERRED_NEEDS_REVIEW": 58,
            "collections.BIRTH_EXEMPT_*": 36,
            "gateway.triggers": 166,
            "gateway.tables": 148,
            "gateway.bodies_of_stage0": "2/2",
            "guards.stage1_no_worse": "5/5",
            "guards.stage2_no_worse": "6/6",
            "guards.stage3_no_worse": "3/3",
            "open_permits": 0,
            "births": 0,
            "grandfathered": 168,
            # Two of them have no table.
            "gate.admitted": 166,
            "gate.asked": 166,
        }.items() <= after.items()
    for stage in ("stage4", "stage5"):
        assert figures[f"{stage}.guards.stage4_no_worse"]["measured"] == "3/3"


def test_equal_figures_exit_0(monkeypatch: pytest.MonkeyPatch, capsys: Said) -> None:
    measured_as(monkeypatch, everything())
    assert reference.run(json=True) == 0
    assert all(figure["equal"] for figure in json.loads(capsys.readouterr().out)["figures"])


@pytest.mark.parametrize("found", [36, None, 35])
def test_a_different_or_missing_figure_exits_1(
    monkeypatch: pytest.MonkeyPatch, capsys: Said, found: int | None
) -> None:
    measured_as(monkeypatch, everything() | {"governed.required": found})
    assert reference.run(json=True) == int(found != 35)
    said = capsys.readouterr()
    differing = [figure for figure in json.loads(said.out)["figures"] if not figure["equal"]]
    assert [(figure["name"], figure["measured"]) for figure in differing] == [("governed.required", found)] * (
        found != 35
    )
    assert ("governed.required" in said.err) is (found != 35)


def test_figures_are_printed_side_by_side(monkeypatch: pytest.MonkeyPatch, capsys: Said) -> None:
    measured_as(monkeypatch, everything() | {"gateway.triggers": 165})
    assert reference.run() == 1
    line = next(line for line in capsys.readouterr().out.splitlines() if "gateway.triggers" in line)
    assert [word for word in line.split() if word.isalnum()] == ["166", "165", "DIFFERS"]


def test_the_reference_scenario_needs_a_superuser_and_says_so(server: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(target.VARIABLE, server.url("postgres", RELEASER))
    with pytest.raises(target.Unsuitable, match="is no superuser") as caught:
        reference.run(json=True)
    assert target.VARIABLE in caught.value.hint
