"""Prometheus scrapes sql_exporter, which reads a database: each alert fires on its fault and ends after the repair."""

import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import urlopen

import pytest
import yaml
from helpers import OPERATOR, STEWARD, Scene
from psycopg.conninfo import conninfo_to_dict
from support import Database

from birthdb import paths

MONITORING = paths.MONITORING
PROGRAMS = ("prometheus", "promtool", "prometheus-sql-exporter")
READER = "wanda_watch"

#: Seconds. An alert takes a reading, a scrape and an evaluation, a second each where the machine has nothing to do.
_PATIENCE = 90

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        any(shutil.which(program) is None for program in PROGRAMS),
        reason="needs apt-get install prometheus prometheus-sql-exporter",
    ),
]


@contextmanager
def running(log: Path, *command: str) -> Iterator[None]:
    """Have a program run."""
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            yield
        finally:
            process.terminate()


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        return int(taken.getsockname()[1])


def collector(db: Database, folder: Path) -> Path:
    """Write the exporter's configuration for a database, read every second."""
    config = yaml.safe_load((MONITORING / "prometheus-sql-exporter.yml").read_text(encoding="utf-8"))
    parts = conninfo_to_dict(db.url(READER))
    host = f"host={quote(str(parts['host']), safe='')}&port={parts.get('port', 5432)}&sslmode=disable"
    (job,) = config["jobs"]
    job["interval"] = "1s"
    job["connections"] = [f"postgres://{READER}:{parts['password']}@/{db.name}?{host}"]
    written = folder / "exporter.yml"
    written.write_text(yaml.safe_dump(config), encoding="utf-8")
    return written


def scrape(folder: Path, port: int) -> Path:
    """Write Prometheus' configuration and rules, in which a minute and an hour are a moment."""
    rules = (MONITORING / "birthdb.rules.yml").read_text(encoding="utf-8")
    rules = re.sub(r"for: \S+", "for: 0s", rules).replace("> 300", "> 8").replace("> 3600", "> 1")
    (folder / "birthdb.rules.yml").write_text(rules, encoding="utf-8")
    config = yaml.safe_load((MONITORING / "prometheus.yml").read_text(encoding="utf-8"))
    config["global"] = {"evaluation_interval": "1s"}
    (job,) = config["scrape_configs"]
    job |= {"scrape_interval": "1s", "scrape_timeout": "1s", "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}
    written = folder / "prometheus.yml"
    written.write_text(yaml.safe_dump(config), encoding="utf-8")
    return written


class Watch:
    """What Prometheus says."""

    def __init__(self, port: int, folder: Path) -> None:
        self._url = f"http://127.0.0.1:{port}/api/v1/"
        self._folder = folder

    def ask(self, what: str) -> Any:
        with urlopen(self._url + what, timeout=10) as answer:
            return json.load(answer)["data"]

    def firing(self) -> set[tuple[str, str]]:
        """Return alert and collection of what fires."""
        alerts = [alert["labels"] for alert in self.ask("alerts")["alerts"] if alert["state"] == "firing"]
        return {(labels["alertname"], labels.get("collection", "")) for labels in alerts}

    def value(self, query: str) -> list[str]:
        return [series["value"][1] for series in self.ask(f"query?query={quote(query)}")["result"]]

    def until(self, holds: Callable[[], bool], what: str) -> None:
        """Return as soon as something holds."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            with suppress(URLError):
                if holds():
                    return
            if time.monotonic() > deadline:
                logs = "\n".join(log.read_text(errors="replace")[-1500:] for log in self._folder.glob("*.log"))
                raise AssertionError(f"not {what}\n{logs}")
            time.sleep(0.2)

    def fires(self, alert: str, collection: str = "") -> None:
        self.until(lambda: (alert, collection) in self.firing(), f"firing: {alert} {collection}")

    def ends(self, alert: str, collection: str = "") -> None:
        self.until(lambda: (alert, collection) not in self.firing(), f"over: {alert} {collection}")


@pytest.fixture
def scene(db: Database) -> Iterator[Scene]:
    with closing(Scene(db)) as made:
        yield made


@pytest.fixture
def watch(scene: Scene, tmp_path: Path) -> Iterator[Watch]:
    """Have the database of the test watched, by a login that may only read."""
    scene.db.cluster.login(READER)
    scene.execute(f"GRANT birth_reader TO {READER}")
    exporter, prometheus = free_port(), free_port()
    read, scraped = collector(scene.db, tmp_path), scrape(tmp_path, exporter)
    with ExitStack() as programs:
        listen = ("-web.listen-address", f"127.0.0.1:{exporter}")
        programs.enter_context(running(tmp_path / "exporter.log", PROGRAMS[2], "-config.file", str(read), *listen))
        programs.enter_context(
            running(
                tmp_path / "prometheus.log",
                PROGRAMS[0],
                f"--config.file={scraped}",
                f"--storage.tsdb.path={tmp_path / 'data'}",
                f"--web.listen-address=127.0.0.1:{prometheus}",
            )
        )
        made = Watch(prometheus, tmp_path)
        made.until(lambda: made.value("birth_attention") == ["0"] * 3, "reading")
        yield made


def test_promtool_takes_the_files_and_sees_each_alert_fire_and_end() -> None:
    ran = subprocess.run([PROGRAMS[1], "check", "config", "prometheus.yml"], cwd=MONITORING, capture_output=True)
    assert ran.returncode == 0, ran.stderr
    ran = subprocess.run([PROGRAMS[1], "test", "rules", "birthdb.rules.test.yml"], cwd=MONITORING, capture_output=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_each_alert_fires_on_its_fault_and_ends_after_the_repair(scene: Scene, watch: Watch) -> None:
    assert watch.firing() <= {("BirthMetricsStale", "")}
    watch.ends("BirthMetricsStale")

    scene.collection()
    watch.fires("BirthCensusOld", "item")
    scene.ask(OPERATOR, "fn_birth_census_record", p_collection="item")
    watch.ends("BirthCensusOld", "item")

    watch.fires("BirthCensusFailed", "item")
    scene.ask(STEWARD, "fn_birth_gateway_attach", p_collection="item", p_mode="observe")
    run = scene.permitted()
    scene.stopped_after_a_batch(run)
    watch.fires("BirthRunStopped")
    scene.apply(run)
    watch.ends("BirthRunStopped")
    scene.ask(OPERATOR, "fn_birth_census_record", p_collection="item")
    watch.ends("BirthCensusFailed", "item")

    scene.ask(STEWARD, "fn_birth_gateway_mode", p_collection="item", p_mode="enforce", p_reason="clean")
    scene.ask(STEWARD, "fn_birth_gateway_fence")
    scene.execute("ALTER TABLE public.item DISABLE TRIGGER birth_gateway")
    watch.fires("BirthGatewayMissing", "item")
    watch.fires("BirthAttentionCritical")
    scene.execute("ALTER TABLE public.item ENABLE TRIGGER birth_gateway")
    watch.ends("BirthGatewayMissing", "item")
    watch.ends("BirthAttentionCritical")

    scene.execute("CREATE TABLE public.name (code text UNIQUE)")
    scene.govern("name", "column", column="code")
    scene.ask(STEWARD, "fn_birth_gateway_attach", p_collection="name", p_mode="observe")
    scene.execute("INSERT INTO public.name VALUES (NULL)")
    watch.fires("BirthFindings", "name")
    watch.fires("BirthAttentionWarning")
    scene.execute("DELETE FROM public.name")
    scene.ask(STEWARD, "fn_birth_finding_acknowledge", p_collection="name", p_reason="corrected")
    watch.ends("BirthFindings", "name")
    watch.ends("BirthAttentionWarning")

    scene.execute("GRANT INSERT ON birth.birth_registry TO birth_operator")
    watch.fires("BirthContractBlocks")
    scene.execute("REVOKE INSERT ON birth.birth_registry FROM birth_operator")
    watch.ends("BirthContractBlocks")
    scene.execute("CREATE VIEW birth.v_mine AS SELECT 1 AS one")
    watch.fires("BirthContractDrifted")
    scene.execute("DROP VIEW birth.v_mine")
    watch.ends("BirthContractDrifted")

    # It goes on showing what it read last: only the time of the reading tells.
    scene.execute(f"REVOKE birth_reader FROM {READER}")
    watch.fires("BirthMetricsStale")
    assert watch.value("birth_attention") == ["0"] * 3
    scene.execute(f"GRANT birth_reader TO {READER}")
    watch.ends("BirthMetricsStale")

    scene.ask(OPERATOR, "fn_birth_census_record", p_collection="name")
    watch.until(lambda: not watch.firing(), "silent")
    dashboard = json.loads((MONITORING / "birthdb.dashboard.json").read_text(encoding="utf-8"))
    shown = {
        panel["title"]: [watch.value(target["expr"].replace("$database", scene.db.name)) for target in panel["targets"]]
        for panel in dashboard["panels"]
    }
    assert {title for title, found in shown.items() if not all(found)} == {"Running: rows done of target", "Findings"}
    named = watch.ask("label/__name__/values")
    assert "sql_birth" not in named
    assert {"birth_census_births", "birth_runs", "birth_permit_rows_spent_total"} <= set(named)
