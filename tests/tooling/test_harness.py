"""The benchmark itself: everything is measured, nothing is measured wrongly, and the page says what was found."""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from xml.etree import ElementTree

import pytest
from support import Cluster

from bench import report, world
from bench.plot import Line, Plot
from bench.rounds import measure, rotated
from bench.scenario import Claim, Contestant, Result, Scenario
from bench.scenarios import known
from bench.scenarios.apply import by_hand
from bench.scenarios.views import Views

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def made() -> Iterator[world.World]:
    with world.Cluster(durable=False) as cluster, cluster.world() as one:
        yield one


@pytest.mark.long
def test_a_quick_run_measures_every_scenario(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report.main(["--quick", "--json", str(tmp_path / "all.json"), "--plots", str(tmp_path)])
    found = json.loads((tmp_path / "all.json").read_text())
    assert list(found["scenarios"]) == [scenario.name for scenario in known()]
    assert found["about"]["server"].startswith("PostgreSQL ")
    assert found["about"]["settings"].keys() == set(world.SHOWN)
    assert any("entity_code" in definition for definition in found["about"]["indexes"])
    for scenario in known():
        result = found["scenarios"][scenario.name]
        assert result["series"] or result["notes"], scenario.name
        assert all(math.isfinite(value) and value >= 0 for values in result["series"].values() for value in values)
        # Who is beside the gateway depends on what is installed: these claims are made when it is known.
        if result["series"] and scenario.claims:
            assert len(result["claims"]) == len(scenario.claims), scenario.name
    drawn = {plot for result in found["scenarios"].values() for plot in result["plots"]}
    assert drawn == {path.stem for path in tmp_path.glob("*.svg")}
    assert drawn >= {"batch-size", "batch-time"}
    for path in tmp_path.glob("*.svg"):
        assert ElementTree.parse(path).getroot().tag == f"{SVG}svg"
    printed = capsys.readouterr().out
    assert re.findall(r"^## ([\w-]+):", printed, re.MULTILINE) == list(found["scenarios"])


def test_the_floor_writes_the_same_births_and_a_missing_birth_fails_the_benchmark(made: world.World) -> None:
    births = (
        "SELECT entity_code, collection_name, dot_origin, run_id IS NULL AS live FROM birth.birth_registry ORDER BY 1"
    )
    source = made.source("item", 50)
    made.execute(by_hand(source))
    written = made.rows(births)
    made.empty()
    run = made.permitted(source.name)
    made.apply(run, 20)
    assert len(written) == 50
    assert made.rows(births) == written
    applied = made.applied(run)
    assert len(applied.batches) == 3
    assert sum(applied.batch_seconds) == pytest.approx(applied.loop)
    assert applied.began <= applied.batches[0] < applied.last_written <= applied.finished
    made.execute("DELETE FROM birth.birth_registry WHERE entity_code = %s", (written[0]["entity_code"],))
    with pytest.raises(ValueError, match="done with 49 births of 50"):
        made.applied(run)


@pytest.mark.long
@pytest.mark.usefixtures("template")
def test_the_benchmark_leaves_a_given_server_unchanged(server: Cluster, tmp_path: Path) -> None:
    what = "SELECT datname FROM pg_database UNION ALL SELECT rolname FROM pg_roles ORDER BY 1"
    before = server.execute(what).fetchall()
    report.main(["--quick", "--only", "size", "--url", server.url("postgres"), "--json", str(tmp_path / "all.json")])
    assert server.execute(what).fetchall() == before
    assert json.loads((tmp_path / "all.json").read_text())["scenarios"]["size"]["series"]["computed"][0] > 100


def test_tables_with_unordered_codes_have_distinct_codes(made: world.World) -> None:
    sources = [made.source(name, 40, random=True) for name in ("item_1", "item_12")]
    for source in sources:
        made.execute(by_hand(source))
    made.fill(10)
    assert made.value("SELECT count(*) FROM birth.birth_registry") == 90
    codes = made.value("SELECT array_agg(code) FROM public.item_1")
    assert {len(code) for code in codes} == {16}


class _Still:
    """A world in which nothing happens."""

    def __init__(self) -> None:
        self.position = 0

    def wal(self) -> int:
        return self.position

    def settle(self) -> None:
        pass


class _Counted(Scenario):
    name = "counted"
    title = "turns, counted"
    claims = (
        Claim("rate", "fast", "slow", 1.5, at_least=True),
        Claim("parts", "slow: part", None, 10, unit="s"),
        Claim("nobody's", "not there", None, 1),
    )

    def prepare(self) -> None:
        self.log: list[str] = []

    def contestants(self) -> list[Contestant]:
        return [
            Contestant("slow", lambda: self.turn("slow", {"slow": 2.0, "slow: part": 7.0})),
            Contestant("fast", lambda: self.turn("fast", {"fast": 4.0}), ready=lambda: self.log.append("ready")),
            Contestant("part", lambda: self.turn("part", {}), rows=10),
        ]

    def reset(self) -> None:
        self.log.append("reset")

    def turn(self, who: str, parts: dict[str, float]) -> dict[str, float]:
        self.log.append(who)
        cast(_Still, self.world).position += 100
        return parts

    def close(self) -> None:
        self.log.append("close")


def _counted(rounds: int = 2) -> _Counted:
    return _Counted(cast(world.World, _Still()), rows=40, births=1, rounds=rounds)


def test_each_contender_runs_once_per_round_after_a_reset() -> None:
    scenario = _counted()
    measure(scenario)
    first = ["reset", "slow", "reset", "ready", "fast", "reset", "part"]
    assert scenario.log == [*first, *first[2:], *first[:2], "close"]


def test_a_reported_duration_replaces_the_clock_and_a_sample_is_extrapolated() -> None:
    result = measure(_counted())
    assert result.series["fast"] == [4.0, 4.0]
    assert result.series["slow: part"] == [7.0, 7.0]
    assert 0 < result.series["part"][0] < 2.0
    assert result.wal == {"slow": [100, 100], "fast": [100, 100], "part": [400, 400]}
    assert [(figure.claim.what, figure.median, figure.met) for figure in result.figures] == [
        ("rate", 2.0, True),
        ("parts", 7.0, True),
    ]


def test_a_scenario_is_closed_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = _counted()
    monkeypatch.setattr(scenario, "turn", lambda who, parts: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        measure(scenario)
    assert scenario.log[-1] == "close"


def test_the_order_of_contenders_rotates() -> None:
    three = [Contestant(name, lambda: None) for name in "abc"]
    assert ["".join(one.name for one in rotated(three, number)) for number in range(4)] == ["abc", "bca", "cab", "abc"]


@pytest.mark.parametrize(
    ("claim", "values", "met"),
    [
        (Claim("", "a", "b", 1.0), (1.0, 2.0, 0.5), True),
        (Claim("", "a", "b", 0.9), (1.0, 2.0, 0.5), False),
        (Claim("", "a", "b", 1.1, at_least=True), (1.0, 2.0, 0.5), False),
        (Claim("", "a", "b", None), (1.0, 2.0, 0.5), None),
        (Claim("", "a", None, 2.0, unit="s"), (1.0, 4.0, 2.0), True),
    ],
)
def test_a_figure_is_the_median_of_the_ratios_per_round(
    claim: Claim, values: tuple[float, ...], met: bool | None
) -> None:
    result = Result("x", "x", 1, 1, "s", [claim], series={"a": [1.0, 4.0, 2.0], "b": [1.0, 2.0, 4.0]})
    (figure,) = result.figures
    assert figure.values == values
    assert figure.median == sorted(values)[1]
    assert figure.met is met


def test_a_plot_keeps_lines_inside_its_frame_and_escapes_names() -> None:
    plot = Plot("x", "<a> & b", "x", "y", [Line('<"', [(1_000, 0), (10_000, 3.3), (100_000, 7)])], log=True)
    root = ElementTree.fromstring(plot.svg())
    texts = [element.text for element in root.iter(f"{SVG}text")]
    assert {"<a> & b", '<"', "1k", "10k", "100k"} <= set(texts)
    dots = [(float(dot.attrib["cx"]), float(dot.attrib["cy"])) for dot in root.iter(f"{SVG}circle")]
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    assert len(dots) == 3
    assert all(0 < x < width and 0 < y < height for x, y in dots)
    # Equal steps of a logarithmic axis are equally wide, and up is up.
    assert dots[1][0] - dots[0][0] == pytest.approx(dots[2][0] - dots[1][0], abs=0.2)
    assert dots[0][1] > dots[1][1] > dots[2][1]


def test_labels_of_many_lines_stay_inside_the_plot() -> None:
    plot = Plot("x", "t", "x", "y", [Line(f"a line that is number {i}", [(0, 1), (i + 1, 2)]) for i in range(4)])
    root = ElementTree.fromstring(plot.svg())
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    names = [element for element in root.iter(f"{SVG}text") if (element.text or "").startswith("a line")]
    ends = [float(name.attrib["x"]) + 7 * len(name.text or "") for name in names]
    assert len(names) == 4
    assert max(ends) < width
    assert max(float(name.attrib["y"]) for name in names) < height
    assert len({name.attrib["y"] for name in names}) == 2


def _report(name: str, value: float) -> dict[str, Any]:
    result = Result(
        name, name, 7, 8, "s", [Claim("in {births} births", "a", "b", 1.0)], series={"a": [value], "b": [1]}
    )
    about: dict[str, Any] = {
        "server": "PostgreSQL 18",
        "cores": 2,
        "settings": {"fsync": "on"},
        "columns": ["code text"],
    }
    about["indexes"] = ["CREATE UNIQUE INDEX i ON t USING btree (code)"]
    return {"about": about, "scenarios": {name: report.as_json(result)}}


def test_figures_are_written_between_the_markers_and_others_of_the_machine_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(report, "PAGE", tmp_path / "performance.md")
    report.RESULTS.write_text('{"about": {}, "scenarios": {}}')
    report.PAGE.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    report.write(_report("curve", 3.0) | {"about": _report("curve", 3.0)["about"] | {"cores": 64}})
    assert "| 3.00 × |" in report.PAGE.read_text()
    for name, value in (("size", 0.5), ("apply", 2.0), ("size", 0.75)):
        report.write(_report(name, value))
    text = report.PAGE.read_text()
    assert text.startswith(f"before\n{report.BEGIN}\n")
    assert text.endswith(f"{report.END}\nafter\n")
    rows = [line for line in text.splitlines() if "births" in line]
    assert rows == [
        "| in 8 births | 7 | b | ≤ 1.00 × | 2.00 × | **no** |",
        "| in 8 births | 7 | b | ≤ 1.00 × | 0.75 × | yes |",
    ]
    assert "indexes btree (code)." in text


def test_a_text_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="no section"):
        report.replaced("nothing here", "new")


def test_the_page_says_what_the_committed_results_say() -> None:
    text = report.PAGE.read_text(encoding="utf-8")
    assert report.replaced(text, report.section(json.loads(report.RESULTS.read_text(encoding="utf-8")))) == text


def test_a_view_that_scans_all_births_is_found_even_inside_a_function(made: world.World) -> None:
    made.execute("CREATE FUNCTION public.births() RETURNS bigint LANGUAGE plpgsql AS"
                 " 'BEGIN RETURN (SELECT count(*) FROM birth.birth_registry); END'")  # fmt: skip
    made.execute("CREATE VIEW birth.v_of_a_test AS SELECT public.births()")
    scenario = Views(made, rows=20, births=30, rounds=2)
    measure(scenario)
    assert scenario.scans["v_of_a_test"] == 1
    assert scenario.scans["v_birth_dot_status"] == 0
    assert min(scenario.result.series["views that scan the births"]) >= 1
    assert scenario.result.series["the slowest view"][0] >= scenario.result.series["v_of_a_test"][0] > 0
