"""Pages to decide on: what a reviewer sees of a run before and after it, and the dashboard of collections."""

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from helpers import OPERATOR, REVIEWER
from support import Database
from world import World

from birthdb import api, cli, target
from birthdb.page import Page, html, review

#: Names as whoever makes a table may choose them.
HOSTILE = "<script>alert('x')</script> \"&amp;\" {{ 7*7 }} \\ \u202e\x1b[31m"


class Text(HTMLParser):
    """The text of a document, and every tag and attribute in it."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.said: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(document)

    def handle_data(self, data: str) -> None:
        self.said.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs


def planned(world: World, rows: int = 40) -> Any:
    """Return a planned backfill of a table whose rows were there before."""
    world.table("(id integer PRIMARY KEY, code text UNIQUE NOT NULL)")
    world.owner.execute("INSERT INTO app.thing SELECT i, 'C-' || i FROM generate_series(1, %s) i", (rows,))
    world.register()
    world.classify("column", column="code")
    world.attach()
    return api.plan(world.operator, "thing", dry_run=False)["run_id"]


def section(page: Page, title: str) -> Any:
    """Return the one section whose title begins so."""
    (found,) = [each for each in page.sections if each.title.startswith(title)]
    return found


def test_a_reviewer_sees_what_is_asked_and_what_to_send(world: World) -> None:
    run = planned(world)
    page = review(world.person(REVIEWER), run)
    assert page.lead == "APPLY: 40 rows of collection thing, planned"
    assert section(page, "What is asked").facts["planned by"] == OPERATOR
    numbers = section(page, "The numbers")
    assert numbers.text[1] == "It adds up."
    assert numbers.facts["rows to write"] == 40
    sample = section(page, "Some of the codes").rows
    assert {row["which"] for row in sample} == {"first", "last", "longest", "random"}
    assert sample[0] == {"which": "first", "code": "C-1", "key code": "C-1"}
    assert "Nobody has rehearsed" in section(page, "Rehearsal").text[0]
    people = section(page, "The people")
    assert REVIEWER in people.facts["may still judge"]
    assert OPERATOR not in people.facts["may still judge"]
    safe, unsafe = section(page, "Decide").statements
    assert ("'SAFE'" in safe, "'NOT_SAFE_NEEDS_FIX'" in unsafe, "p_findings := '...'" in safe) == (True, True, True)
    assert "p_accept_orphans" not in unsafe


def test_a_reviewer_rehearses_and_the_page_has_it(world: World) -> None:
    run = planned(world)
    reviewer = world.person(REVIEWER)
    assert api.rehearse(reviewer, "thing")["rerun_delta"] == 0
    rehearsal = section(review(reviewer, run), "Rehearsal")
    assert (rehearsal.facts["by"], rehearsal.facts["written"], rehearsal.alarm) == (REVIEWER, 40, False)
    # It took no part in the run: the same person may judge it.
    api.review_record(reviewer, run, "SAFE", "rehearsed")


def test_another_plan_and_another_identity_are_named(world: World) -> None:
    planned(world)
    world.classify("synthetic_id", column="id", prefix="thing-")
    world.owner.execute("INSERT INTO app.thing SELECT i, 'C-' || i FROM generate_series(41, 50) i")
    second = api.plan(world.operator, "thing", dry_run=False)["run_id"]
    page = review(world.operator, second)
    rule = section(page, "How a row gets its code")
    assert (rule.alarm, rule.text[0].startswith("CHANGED since")) == (True, True)
    changed = {row["what"]: row["difference"] for row in section(page, "Since the plan of").rows}
    assert changed["births that exist"] == 10


def test_after_the_run_the_page_is_its_evidence(db: Database, world: World) -> None:
    run = planned(world)
    reviewer, owner = world.person(REVIEWER), world.person("paul_owner")
    api.review_record(reviewer, run, "SAFE", "counted")
    permit = api.permit_open(owner, "thing", run, 40, datetime.now(UTC) + timedelta(hours=1), "adoption")["permit_id"]
    api.permit_confirm(reviewer, permit)
    api.apply(world.operator, "thing", run, permit, 40, 40, batch=10, execute=True)
    api.census_record(world.operator, "thing")
    page = review(world.operator, run)
    receipts = section(page, "Receipts")
    assert (receipts.facts["rows written"], len(receipts.plot)) == (40, receipts.facts["batches"])
    assert not section(page, "The records with each other").alarm
    assert not section(page, "The last census").alarm
    assert not {each.title for each in page.sections} & {"Decide", "Some of the codes, read now", "Rehearsal"}
    people = section(page, "The people")
    assert people.text[0] == "The run is done. Who may sign its undoing:"
    assert REVIEWER in people.facts["may still judge"]
    assert OPERATOR not in people.facts["may still judge"]
    document = html(page)
    assert "<svg" in document
    assert receipts.facts["the last seal"] in document


def test_only_a_backfill_has_to_add_up_and_a_plan_is_not_in_its_own_way(world: World) -> None:
    run = planned(world)
    assert not section(review(world.operator, run), "In the way").alarm
    asked = api.transition_plan(world.operator, "thing", to_status="BIRTH_EXEMPT_TEST", dry_run=False)["run_id"]
    numbers = section(review(world.operator, asked), "The numbers")
    assert (numbers.text[0].startswith("It changes a policy"), numbers.alarm, numbers.facts) == (True, False, {})


def test_what_was_removed_again_is_not_counted_as_written(world: World) -> None:
    run = planned(world)
    reviewer, owner = world.person(REVIEWER), world.person("paul_owner")
    until = datetime.now(UTC) + timedelta(hours=1)
    for purpose in ("APPLY", "COMPENSATE"):
        api.review_record(reviewer, run, "SAFE", "counted", purpose=purpose)
        permit = api.permit_open(owner, "thing", run, 40, until, "a drill", purpose=purpose)["permit_id"]
        api.permit_confirm(reviewer, permit)
        if purpose == "APPLY":
            api.apply(world.operator, "thing", run, permit, 40, 40, execute=True)
            # Whom the page names, the database takes.
            assert REVIEWER in section(review(world.operator, run), "The people").facts["may still judge"]
        else:
            api.compensate(world.operator, run, permit, execute=True)
    page = review(world.operator, run)
    facts = section(page, "Receipts").facts
    assert (facts["rows written"], facts["rows removed again"]) == (40, 40)
    assert {row["purpose"] for row in section(page, "Permits").rows} == {"APPLY", "COMPENSATE"}
    assert {row["purpose"] for row in section(page, "Verdicts").rows} == {"APPLY", "COMPENSATE"}
    assert not section(page, "The people").facts


def test_hostile_names_are_text_and_nothing_is_loaded(world: World) -> None:
    quoted = '"' + HOSTILE.replace('"', '""') + '"'
    world.owner.execute(f'CREATE TABLE app.{quoted[:40]}" (id integer PRIMARY KEY)'.encode())
    name = quoted[1:40].replace('""', '"')
    world.owner.execute(f'INSERT INTO app.{quoted[:40]}" VALUES (1)'.encode())
    world.owner.execute(f'GRANT SELECT ON app.{quoted[:40]}" TO birth_scanner'.encode())
    api.collection_register(world.steward, HOSTILE, "app", name, "BIRTH_REQUIRED")
    api.identity_classify(world.steward, HOSTILE, "synthetic_id", column="id", prefix=HOSTILE)
    run = api.plan(world.operator, HOSTILE, dry_run=False)["run_id"]
    document = html(review(world.operator, run))
    shown = Text(document)
    assert "script" not in shown.tags
    assert not shown.tags & {"link", "img", "iframe", "object"}
    assert {name for name, _ in shown.attributes} <= {
        *("lang", "charset", "name", "content", "class", "scope", "viewbox", "role", "aria-label"),
    }
    assert not re.search(r"https?://|url\(|@import", document)
    assert any("<script>alert('x')</script>" in said for said in shown.said)
    assert any("{{ 7*7 }}" in said for said in shown.said)
    assert "\x1b" not in document
    assert "\u202e" not in document
    # What is printed to be sent names the collection, whatever its name.
    (rehearse,) = [said for said in shown.said if "fn_dot_birth_qt001_rehearse(" in said]
    assert ";;" not in rehearse
    world.operator.execute(rehearse.encode())
    rehearsed = world.admin.execute("SELECT collection_name FROM birth.birth_act WHERE act = 'rehearse'")
    assert rehearsed.fetchall() == [(HOSTILE,)]


def test_the_commands_write_a_page_of_mode_0600(
    db: Database, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = planned(world)
    monkeypatch.setenv(target.VARIABLE, db.url(REVIEWER))
    for arguments in (["review", str(run)], ["status", "--fail-on", "never"]):
        for options in ([], ["--html", str(tmp_path / f"{arguments[0]}.html")]):
            monkeypatch.setattr("sys.argv", ["birthdb", *arguments, *options])
            with pytest.raises(SystemExit) as ended:
                cli.main()
            said = capsys.readouterr()
            assert (ended.value.code, said.err.count("Traceback")) == (cli.FINE, 0), said.err
            assert "thing" in said.out or options
        file = tmp_path / f"{arguments[0]}.html"
        assert file.stat().st_mode & 0o777 == 0o600
        assert "thing" in "".join(Text(file.read_text(encoding="utf-8")).said)
    monkeypatch.setattr("sys.argv", ["birthdb", "review", "00000000-0000-0000-0000-000000000000"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == cli.MISUSE
