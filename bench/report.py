"""The command line, and what it writes: markdown for people, JSON for programs, the page of benchmarks, the plots."""

import argparse
import json
import os
import textwrap
from collections.abc import Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from bench.progress import say
from bench.rounds import measure
from bench.scenario import Figure, Result, Scenario
from bench.scenarios import known
from bench.world import Cluster
from birthdb import target

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results.json"
PAGE = ROOT / "docs" / "evidence" / "performance.md"
PLOTS = PAGE.parent / "bench"
BEGIN = "<!-- bench: written by `make bench` -->"
END = "<!-- bench: end -->"
WIDTH = 120

IN_FULL = 1_000_000
#: What is measured with more rows than that stands beside it, under a name of its own.
LARGE = "-large"
QUICK = 2_000
PAIRS = 5
_LEAST = 100

Json = dict[str, Any]
_CONDITIONS = ("server", "cores", "settings", "columns", "indexes")
#: Without these a figure says nothing about what a commit costs.
DURABLE = ("fsync", "synchronous_commit", "full_page_writes")
_MET = {True: "yes", False: "**no**", None: "–"}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the command line asks for and show it."""
    scenarios = known()
    options = _options(scenarios, arguments)
    with Cluster(options.url, durable=not options.quick) as cluster:
        about = cluster.about() | {"rounds": options.pairs, "rows": options.rows, "births": options.births}
        say(settings(about))
        if options.rows < IN_FULL:
            say("fewer rows than the targets are for: what a run costs once counts for more")
        if options.write and (off := [name for name in DURABLE if about["settings"].get(name) != "on"]):
            raise SystemExit(f"this server is not durable: {', '.join(off)}; nothing is measured that is to be written")
        results = []
        for scenario in scenarios:
            if scenario.name not in options.only:
                continue
            with cluster.world() as world:
                part = round(scenario.rows_in_full * options.rows / IN_FULL)
                rows = max(_LEAST, part) if scenario.rows_in_full else 0
                made = scenario(world, rows=rows, births=options.births, rounds=options.pairs)
                made.result.judged = not options.quick
                about.setdefault("indexes", world.indexes())
                about.setdefault("columns", world.columns())
                results.append(measure(made))
    suffix = LARGE if options.rows > IN_FULL else ""
    report = {"about": about, "scenarios": {result.name + suffix: as_json(result) for result in results}}
    print(markdown(report))
    if options.json:
        Path(options.json).write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if options.plots:
        draw(results, Path(options.plots), suffix)
    if options.write:
        write(report)
        draw(results, PLOTS, suffix)


def as_json(result: Result) -> Json:
    """Return a result as it stands in the file."""
    return {
        "title": result.title,
        "rows": result.rows,
        "unit": result.unit,
        "claims": [_claim(figure, result) for figure in result.figures],
        "series": {name: [_short(value) for value in values] for name, values in result.series.items()},
        "wal": result.wal,
        "tables": [{"title": t.title, "columns": t.columns, "rows": t.rows} for t in result.tables],
        "notes": result.notes,
        "plots": [plot.name for plot in result.plots],
    }


def settings(about: Json) -> str:
    """Return one line of where it was measured."""
    shown = ", ".join(f"{name} {value}" for name, value in about["settings"].items())
    return f"{about['server']} on {about['cores']} cores; {shown}"


def _registry(about: Json) -> str:
    """Return the shape of the table that births go to."""
    indexes = [definition.split(" USING ")[1] for definition in about["indexes"]]
    return f"birth_registry: columns {', '.join(about['columns'])}; indexes {', '.join(indexes)}"


def markdown(report: Json) -> str:
    """Return everything, as people read it."""
    about = report["about"]
    lines = [f"{settings(about)}.", "", f"{_registry(about)}."]
    for name, result in report["scenarios"].items():
        lines += ["", f"## {name}: {result['title']}"]
        lines += ["", f"{result['rows']:,} rows."] if result["rows"] else []
        if result["claims"]:
            lines += ["", *claims(result["claims"])]
        if result["series"]:
            lines += ["", *_series(result)]
        for table in result["tables"]:
            lines += ["", f"**{table['title']}**", "", *_table(table["columns"], table["rows"])]
        lines += ["", *result["notes"]] if result["notes"] else []
    return "\n".join(lines)


def claims(found: Sequence[Json]) -> list[str]:
    """Return the table of claims."""
    header = ("what", "against", "target", "measured: median (from–to)", "met")
    return _table(header, [_row(claim) for claim in found])


def section(report: Json) -> str:
    """Return the page's section, without its markers: what has a target or is held against something."""
    about = report["about"]
    found = [
        claim | {"rows": result["rows"]}
        for result in report["scenarios"].values()
        for claim in result["claims"]
        if claim["target"] is not None or claim["floor"]
    ]
    if not found:
        return "Not measured yet: `make bench`."
    header = ("what", "rows", "against, in the same run", "target", "measured: median (from–to)", "met")
    rows = [
        (row[0], f"{claim['rows']:,}" if claim["rows"] else "–", *row[1:]) for claim in found for row in [_row(claim)]
    ]
    rounds = max(len(claim["values"]) for claim in found)
    rule = f"Median and range over at most {rounds} rounds in turn; a single value is one measurement."
    about_it = (rule, f"{settings(about)}.", f"{_registry(about)}.")
    below = [textwrap.fill(text, WIDTH, break_on_hyphens=False) for text in about_it]
    if any(claim["met"] is False for claim in found):
        below.insert(0, "Each **no** is explained in [What is not met, and why](#what-is-not-met-and-why).")
    below += [
        note for result in report["scenarios"].values() for note in result.get("notes", ()) if "not measured" in note
    ]
    return "\n\n".join(["\n".join(_table(header, rows)), *below])


def write(report: Json) -> None:
    """Write the committed results, and the page's section from them.

    Scenarios that did not run keep their figures, unless those are of another server, machine or set of indexes.
    """
    before = json.loads(RESULTS.read_text(encoding="utf-8"))
    kept = {
        name: {key: result[key] for key in ("rows", "claims", "notes")} for name, result in report["scenarios"].items()
    }
    order = [scenario.name + suffix for scenario in known() for suffix in ("", LARGE)]
    same = all(before["about"].get(name) == report["about"].get(name) for name in _CONDITIONS)
    both = (before["scenarios"] if same else {}) | kept
    committed = {"about": report["about"], "scenarios": {name: both[name] for name in order if name in both}}
    RESULTS.write_text(json.dumps(committed, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(replaced(text, section(committed)), encoding="utf-8")
    say(f"written: {RESULTS.name}, the section of {PAGE.name}")


def replaced(text: str, new: str) -> str:
    """Return a text with another section between the markers. Raises ValueError where they are missing."""
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError(f"the text has no section between {BEGIN} and {END}")
    head, rest = text.split(BEGIN)
    return f"{head}{BEGIN}\n\n{new}\n\n{END}{rest.split(END)[1]}"


def draw(results: Sequence[Result], folder: Path, suffix: str = "") -> None:
    """Write the plots."""
    folder.mkdir(parents=True, exist_ok=True)
    for result in results:
        for plot in result.plots:
            (folder / f"{plot.name}{suffix}.svg").write_text(plot.svg(), encoding="utf-8")


def _claim(figure: Figure, result: Result) -> Json:
    claim = figure.claim
    first, third = figure.quartiles
    return {
        "what": claim.what.format(rows=result.rows, births=result.births),
        "floor": claim.floor,
        "against": claim.against or claim.floor or "–",
        "target": claim.target,
        "at_least": claim.at_least,
        "unit": claim.unit,
        "digits": claim.digits,
        "values": [_short(value) for value in figure.values],
        "median": _short(figure.median),
        "low": _short(min(figure.values)),
        "high": _short(max(figure.values)),
        "quartiles": [_short(first), _short(third)],
        "met": figure.met,
    }


def _row(claim: Json) -> tuple[str, str, str, str, str]:
    digits, unit = claim["digits"], claim["unit"]
    low, high = f"{claim['low']:,.{digits}f}", f"{claim['high']:,.{digits}f}"
    measured = f"{claim['median']:,.{digits}f} {unit}" + (f" ({low}–{high})" if len(claim["values"]) > 1 else "")
    relation = "≥" if claim["at_least"] else "≤"
    target = "–" if claim["target"] is None else f"{relation} {claim['target']:,.{digits}f} {unit}"
    return claim["what"], claim["against"], target, measured, _MET[claim["met"]]


def _series(result: Json) -> list[str]:
    """Return every series: median, range and quartiles, rows a second where it is a time, WAL where it was counted."""
    rows = []
    for name, values in result["series"].items():
        middle = median(values)
        first, _, third = quantiles(values, n=4, method="inclusive") if len(values) > 1 else (middle,) * 3
        wal = result["wal"].get(name)
        timed = result["unit"] == "s" and (wal or name.endswith(": loop"))
        pace = f"{result['rows'] / middle:,.0f}" if timed and result["rows"] else "–"
        rows.append(
            (
                name,
                f"{middle:,.3f}",
                f"{min(values):,.3f}–{max(values):,.3f}",
                f"{first:,.3f}–{third:,.3f}",
                pace,
                f"{median(wal) / 2**20:,.1f}" if wal else "–",
            )
        )
    unit = result["unit"]
    return _table((f"contestant ({unit})", "median", "from–to", "quartiles", "rows/s", "WAL, MiB"), rows)


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    shown = [[_cell(value) for value in row] for row in rows]
    return [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}", *(f"| {' | '.join(row)} |" for row in shown)]


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.3f}" if abs(value) < 100 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _short(value: float) -> float:
    """Return a figure with as many digits as a clock is good for."""
    return float(f"{value:.5g}")


def _options(scenarios: Sequence[type[Scenario]], arguments: Sequence[str] | None) -> argparse.Namespace:
    names = [scenario.name for scenario in scenarios]
    parser = argparse.ArgumentParser(prog="python -m bench", description="birthdb's figures, measured on this machine")
    add = parser.add_argument
    add("--rows", type=int, default=IN_FULL, help="rows of the largest scenarios; the others in proportion")
    add("--births", type=int, help="births of a full registry; as many as rows unless given")
    add("--pairs", type=int, help=f"rounds, {PAIRS} unless given: in each, everybody has one turn")
    add("--only", nargs="+", choices=names, default=names, metavar="NAME", help=f"some of: {', '.join(names)}")
    add(
        "--url",
        default=os.environ.get(target.VARIABLE),
        help=f"a superuser's connection to a server, else {target.VARIABLE}, else a server of its own",
    )
    add("--quick", action="store_true", help="a few rows, one round, nothing durable: does everything work?")
    add("--json", metavar="FILE", help="write everything to this file")
    add("--plots", metavar="DIR", help="write the plots into this folder")
    add("--write", action="store_true", help="write bench/results.json, docs/evidence/performance.md and its plots")
    options = parser.parse_args(arguments)
    if options.quick:
        if options.rows != IN_FULL:
            parser.error("--quick has a number of rows of its own")
        options.rows, options.pairs = QUICK, options.pairs or 1
    if options.write and (options.rows < IN_FULL or (options.pairs or PAIRS) < PAIRS):
        parser.error(f"what is written has at least {IN_FULL:,} rows and {PAIRS} rounds")
    options.births = options.births or options.rows
    options.pairs = options.pairs or PAIRS
    return options
