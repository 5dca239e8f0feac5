"""The page is made of the table beside it, and the table of what was seen."""

from pathlib import Path

from faults import page
from faults.page import Seen
from faults.strikes import CANCEL, KILL_SERVER

REFUSED = Seen("plan", 3, CANCEL.name, "plan", "fn_a", 1, "RETURN", "57014, nothing there; the same statement")
CRASHED = Seen("plan", 5, KILL_SERVER.name, "plan", "fn_b", 2, "END", "connection lost, planned; nothing to do")


def test_fault_results_are_read_back_as_written(tmp_path: Path) -> None:
    page.write(tmp_path, [REFUSED, CRASHED], "18.4")
    assert page.read(tmp_path) == [REFUSED, CRASHED]


def test_the_page_counts_the_boundaries_with_a_fault(tmp_path: Path) -> None:
    page.write(tmp_path, [REFUSED, CRASHED], "18.4")
    _, _, table = (tmp_path / "faults.md").read_text(encoding="utf-8").partition("## A plan\n\n")
    assert table.splitlines() == [
        "2 boundaries, struck 2 times.",
        "",
        f"| | {CANCEL.name} | {KILL_SERVER.name} |",
        "| --- | --- | --- |",
        "| *boundaries* | 1 | 1 |",
        "| plan | A 1 | B 1 |",
    ]
