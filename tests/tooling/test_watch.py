"""What monitoring/ hands to users fits what a release makes: names, labels, zeros, runbooks."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from helpers import OPERATOR, STEWARD, Row, Scene, acting
from psycopg.rows import dict_row
from support import Database

from birthdb import paths

MONITORING = paths.MONITORING
PAGE = (paths.ROOT / "docs" / "guide" / "watching.md").read_text(encoding="utf-8")

#: A login that may read, and nothing else.
READER = "wanda_watch"

#: What is not 0 on a fresh release: the time, and the operations that a release freezes.
NOT_ZERO = {"birth_metrics_timestamp_seconds", "birth_dots_frozen"}


def read(name: str) -> Any:
    """Return what a YAML file of monitoring/ says."""
    return yaml.safe_load((MONITORING / name).read_text(encoding="utf-8"))


(JOB,) = read("prometheus-sql-exporter.yml")["jobs"]
(COLLECTOR,) = JOB["queries"]
RULES = read("birthdb.rules.yml")["groups"][0]["rules"]
DASHBOARD = json.loads((MONITORING / "birthdb.dashboard.json").read_text(encoding="utf-8"))

EXPRESSIONS = {rule["alert"]: rule["expr"] for rule in RULES} | {
    f"{panel['title']} {target['refId']}": target["expr"]
    for panel in DASHBOARD["panels"]
    for target in panel["targets"]
}

#: Those of a series itself; the exporter adds host and database.
ADDED = {"database", "host"}


@pytest.fixture
def scene(db: Database) -> Iterator[Scene]:
    with acting(db) as made:
        yield made


def collected(scene: Scene) -> list[Row]:
    """Return what the exporter reads, sent as it sends it by a login that is a member of birth_reader alone."""
    scene.db.cluster.login(READER)
    scene.execute(f"GRANT birth_reader TO {READER}")
    with scene.db.connect(READER) as conn, conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(COLLECTOR["query"].encode()).fetchall()


def named(rows: list[Row]) -> dict[str, list[Row]]:
    """Return the rows of each name."""
    return {name: [row for row in rows if row["metric"] == name] for name in {row["metric"] for row in rows}}


def asked(expression: str) -> set[str]:
    """Return the names of the series in an expression."""
    return set(re.findall(r"\bbirth_\w+", expression))


def busy(scene: Scene) -> None:
    """Have everything that is counted."""
    scene.collection()
    scene.ask(STEWARD, "fn_birth_gateway_attach", p_collection="item", p_mode="observe")
    scene.ask(STEWARD, "fn_birth_gate_scope", p_schema="public", p_mode="observe", p_reason="a test")
    scene.execute("CREATE TABLE public.name (code text UNIQUE)")
    scene.govern("name", "column", column="code")
    scene.ask(STEWARD, "fn_birth_gateway_attach", p_collection="name", p_mode="observe")
    scene.execute("INSERT INTO public.name VALUES (NULL), (NULL)")
    scene.ask(OPERATOR, "fn_birth_census_record", p_collection="name")
    scene.start(scene.permitted())


def test_a_reader_collects_every_series_with_every_label_that_the_views_have(scene: Scene) -> None:
    busy(scene)
    rows = collected(scene)
    assert {tuple(row) for row in rows} == {(*COLLECTOR["labels"], *COLLECTOR["values"])}
    # The exporter takes text for a label and no NULL for anything.
    assert {type(row[label]) for row in rows for label in COLLECTOR["labels"]} == {str}
    assert None not in {row["value"] for row in rows}
    labels = {label for row in scene.rows("SELECT labels FROM birth.v_birth_metrics") for label in row["labels"]}
    assert labels | {"metric", "severity"} == set(COLLECTOR["labels"])
    # A series for each: two rows of the same labels are an error of the exporter.
    assert len({tuple(row[label] for label in COLLECTOR["labels"]) for row in rows}) == len(rows)


@pytest.mark.parametrize("where", EXPRESSIONS)
def test_alerts_and_dashboard_name_series_and_labels_that_are_collected(where: str) -> None:
    source = (paths.SQL / "views" / "monitoring" / "v_birth_metrics.sql").read_text(encoding="utf-8")
    names = set(re.findall(r"'(birth_\w+)'", source + COLLECTOR["query"])) - {"birth_scanner"}
    assert asked(EXPRESSIONS[where])
    assert asked(EXPRESSIONS[where]) <= names
    matched = re.findall(r"(\w+)=~?\"", EXPRESSIONS[where])
    grouped = [label for by in re.findall(r"by \(([^)]*)\)", EXPRESSIONS[where]) for label in by.split(", ")]
    assert {*matched, *grouped} <= {*COLLECTOR["labels"], *ADDED}


def test_every_name_of_alerts_and_dashboard_is_collected_when_everything_is_there(scene: Scene) -> None:
    busy(scene)
    names = set(named(collected(scene)))
    assert {name for expression in EXPRESSIONS.values() for name in asked(expression)} <= names
    # The page tells of each, and of no other.
    assert {name for name in re.findall(r"`(birth_\w+)(?:\{[^`]*\})?`", PAGE) if not name.endswith("watch")} - {
        "birth_registry",
        "birth_reader",
        "birth_scanner",
    } == names


def test_what_an_alert_asks_is_there_with_zero_on_a_fresh_release(scene: Scene) -> None:
    fresh = named(collected(scene))
    asks = {name for rule in RULES for name in asked(rule["expr"])}
    of_a_collection = {name for name in asks if name.startswith(("birth_collection_", "birth_census_"))}
    assert asks - of_a_collection <= set(fresh)
    assert [row for name, rows in fresh.items() if name not in NOT_ZERO for row in rows if row["value"] != 0] == []
    for metric, label, values in (
        ("birth_attention", "severity", {"critical", "warning", "notice"}),
        ("birth_contract_drifted", "blocks", {"true", "false"}),
        ("birth_runs", "status", {"planned", "running", "stopped", "failed", "done", "compensated"}),
        ("birth_permit_rows_spent_total", "purpose", {"APPLY", "COMPENSATE", "TRANSITION", "DEATH"}),
    ):
        assert {row[label] for row in fresh[metric]} == values
    scene.ask(
        STEWARD,
        "fn_birth_collection_register",
        p_collection="new",
        p_schema="public",
        p_table="new",
        p_coverage_status="BIRTH_REQUIRED",
    )
    registered = named(collected(scene))
    for metric in of_a_collection:
        assert [(row["collection"], row["value"]) for row in registered[metric]] == [("new", 0)]


def test_a_collection_that_became_exempt_has_no_series_any_more(scene: Scene) -> None:
    scene.collection()
    scene.ask(OPERATOR, "fn_birth_census_record", p_collection="item")
    assert "item" in {row["collection"] for row in collected(scene)}
    scene.execute("UPDATE birth.collection_registry SET coverage_status = 'BIRTH_EXEMPT_GONE'")
    assert "item" not in {row["collection"] for row in collected(scene)}


def test_a_gateway_on_another_table_does_not_count(scene: Scene) -> None:
    scene.collection()

    def gateways() -> list[tuple[str, int]]:
        return [(row["mode"], int(row["value"])) for row in named(collected(scene))["birth_collection_gateway"]]

    assert gateways() == [("observe", 0)]
    scene.ask(STEWARD, "fn_birth_gateway_attach", p_collection="item", p_mode="enforce")
    assert gateways() == [("enforce", 1)]
    scene.execute("ALTER TABLE public.item DISABLE TRIGGER birth_gateway")
    assert gateways() == [("enforce", 0)]
    scene.execute("ALTER TABLE public.item ENABLE TRIGGER birth_gateway; ALTER TABLE public.item RENAME TO thing")
    assert gateways() == [("enforce", 0)]


def test_a_census_on_record_shows_what_is_missing_and_what_failed(scene: Scene) -> None:
    scene.collection()
    scene.born("item", "gone-1")
    scene.ask(OPERATOR, "fn_birth_census_record", p_collection="item")
    found = {name: rows[0]["value"] for name, rows in named(collected(scene)).items() if "census" in name}
    assert {name.removeprefix("birth_census_"): value for name, value in found.items() if "timestamp" not in name} == {
        "births": 1,
        "living": 0,
        "dead": 0,
        "unexplained": 1,
        "missing": 20,
        "checks_failed": 3,
    }


def test_the_oldest_stopped_run_counts_until_it_goes_on(scene: Scene) -> None:
    scene.collection()
    run = scene.permitted()
    scene.stopped_after_a_batch(run)
    scene.execute("UPDATE birth.birth_backfill_ledger_v2 SET last_batch_at = now() - interval '2 hours'")

    def figures() -> tuple[int, ...]:
        found = named(collected(scene))
        spent = [row for row in found["birth_permit_rows_spent_total"] if row["purpose"] == "APPLY"]
        unspent = [row for row in found["birth_permit_rows_unspent"] if row["purpose"] == "APPLY"]
        return tuple(int(row["value"]) for row in (*found["birth_oldest_stopped_run_seconds"], *spent, *unspent))

    seconds, *rows = figures()
    assert (seconds // 3600, rows) == (2, [5, 15])
    scene.apply(run)
    assert figures() == (0, 20, 0)


def test_each_alert_has_its_runbook_and_each_runbook_its_alert() -> None:
    headings = re.findall(r"^### (Birth\w+)$", PAGE, re.MULTILINE)
    assert headings == [rule["alert"] for rule in RULES]
    for rule in RULES:
        assert rule["annotations"]["runbook"] == f"docs/guide/watching.md#{rule['alert'].lower()}"
        severity = re.search(rf"### {rule['alert']}\n\n\*(\w+)\.\*", PAGE)
        assert severity
        assert severity[1].lower() == rule["labels"]["severity"]


def test_the_statements_of_the_page_are_for_whom_it_says(scene: Scene) -> None:
    collected(scene)
    people = {"any reader": READER, "an operator": OPERATOR}
    sent = re.findall(r"^```sql\n-- ([^\n]*)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert len(sent) == PAGE.count("```sql")
    for person, block in sent:
        conn = scene.session(people[person]) if person in people else scene.admin
        with conn.transaction(force_rollback=True):
            name = "birth_watch_of_a_test" if "CREATE ROLE" in block else READER
            conn.execute(block.replace("birth_watch", name).encode())


def test_the_test_of_the_rules_has_each_alert_silent_firing_and_resolved() -> None:
    tested: dict[str, list[bool]] = {}
    for case in read("birthdb.rules.test.yml")["tests"]:
        for point in case["alert_rule_test"]:
            tested.setdefault(point["alertname"], []).append(bool(point["exp_alerts"]))
    assert set(tested) == {rule["alert"] for rule in RULES}
    assert {tuple(points[:3]) for points in tested.values()} == {(False, True, False)}


def test_the_scrape_gives_each_series_the_name_that_the_view_says() -> None:
    (scrape,) = read("prometheus.yml")["scrape_configs"]
    rename, drop = scrape["metric_relabel_configs"]
    assert re.fullmatch(rename["regex"], f"sql_{COLLECTOR['name']};birth_runs")
    assert not set(drop["regex"].split("|")) & ({*COLLECTOR["labels"], *ADDED} - {"metric"})
    assert read("prometheus.yml")["rule_files"] == ["birthdb.rules.yml"]
