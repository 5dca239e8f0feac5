"""Results for CI, as JUnit XML: a suite of each kind, a test case of each check."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from birthdb import files
from birthdb.plain import line


@dataclass(frozen=True)
class Case:
    """One check of a suite; ``failure`` is what it found, None if it passed; ``text`` says it in full."""

    suite: str
    name: str
    failure: str | None
    text: str


def write(file: Path, title: str, cases: Sequence[Case]) -> None:
    """Write the cases, by ``files.written``, in suites as they come first. Raises OSError."""
    root = ElementTree.Element("testsuites", name=title)
    for suite in dict.fromkeys(case.suite for case in cases):
        own = [case for case in cases if case.suite == suite]
        failures = str(sum(case.failure is not None for case in own))
        counts = {"tests": str(len(own)), "failures": failures, "errors": "0"}
        element = ElementTree.SubElement(root, "testsuite", {"name": line(suite)} | counts)
        for case in own:
            shown = {"classname": f"birthdb.{line(case.suite)}", "name": line(case.name)}
            test = ElementTree.SubElement(element, "testcase", shown)
            if case.failure is not None:
                ElementTree.SubElement(test, "failure", message=line(case.failure)).text = line(case.text)
    with files.written(file) as junit:
        ElementTree.ElementTree(root).write(junit, encoding="unicode", xml_declaration=True)
