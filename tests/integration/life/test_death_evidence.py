"""Deaths on record: what a superuser forges of them shows in the database, in an export, and later."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import pytest
from sample import some
from support import Cluster
from world import World

from birthdb import api, audit
from birthdb.audit import Export, evidence, verify

LEFT = "births are what the receipts leave"
EACH = "each birth once, of this run and collection"
HELD = "birth_registry holds what the receipts leave"
ALLOWED = "every row is as its constraints allow"


@dataclass
class History:
    """A death run whose codes lived on in every way, one that was undone, and a backfill."""

    world: World
    runs: dict[str, UUID] = field(default_factory=dict)
    #: Exports of before their runs were undone, or their codes lived on.
    before: dict[str, Export] = field(default_factory=dict)

    def send(self, *statements: str) -> None:
        """Send the statements as the application."""
        for statement in statements:
            self.world.owner.execute(statement.encode())

    def aside(self, statement: str) -> None:
        """Take rows away, or put them, past every trigger."""
        self.world.admin.execute(f"SET session_replication_role = replica; {statement}".encode())
        self.world.admin.execute("RESET session_replication_role")

    def death_run(self, rows: int) -> UUID:
        """Carry a death run out, in batches of two."""
        run: UUID = api.death_plan(self.world.operator, "thing", dry_run=False)["run_id"]
        permit = self.world.judged(run, accept=rows, rows=rows)
        api.death_apply(self.world.operator, run, permit, batch=2, execute=True)
        return run

    def export(self, run: str) -> Export:
        """Return the records of a run, as a superuser sees them now."""
        with audit.live(self.world.person("rita_reviewer"), self.runs[run]) as now:
            assert now.births is not None
            births = list(now.births())
            return Export(now.document | {"sha256": evidence.digest(now.document)}, lambda: iter(births))

    def failing(self) -> set[str]:
        """Return the checks of the database's own audit that fail."""
        return {row["check_name"] for row in api.run_audit(self.world.person("rita_reviewer")) if not row["pass"]}

    def census(self) -> dict[str, int]:
        """Return what the census counts of births and deaths."""
        checks = api.census(self.world.person("rita_reviewer"), "thing")
        return {row["check"]: row["rows"] for row in checks if row["rows"] and "row" in row["check"]}


@pytest.fixture(scope="module")
def history(server: Cluster) -> Iterator[History]:
    """Whoever changes something takes it back."""
    made = server.create_released()
    with closing(World(made)) as world:
        world.table("(code text PRIMARY KEY)")
        world.insert("abcdefgh")
        world.register()
        world.classify("column", column="code")
        made_of = History(world)
        made_of.runs["backfill"] = world.backfill()
        world.attach()
        api.life_attach(world.steward, "thing")
        made_of.aside("DELETE FROM app.thing WHERE code IN ('g', 'h')")
        made_of.runs["undone"] = made_of.death_run(2)
        made_of.before["undone"] = made_of.export("undone")
        permit = world.judged(made_of.runs["undone"], purpose="COMPENSATE", rows=2)
        api.compensate(world.operator, made_of.runs["undone"], permit, execute=True)
        made_of.aside("DELETE FROM app.thing WHERE code < 'g'")
        made_of.aside("INSERT INTO app.thing VALUES ('g'), ('h')")
        made_of.runs["done"] = made_of.death_run(6)
        made_of.before["done"] = made_of.export("done")
        # a stays dead; b has a successor; c returned; d died again; e was found again; f died again in another way.
        api.code_succeed(world.steward, "b", "g", "merged")
        made_of.send("INSERT INTO app.thing VALUES ('c'), ('d'), ('e'), ('f')")
        made_of.send("DELETE FROM app.thing WHERE code = 'd'", "UPDATE app.thing SET code = 'i' WHERE code = 'f'")
        made_of.aside("DELETE FROM app.thing WHERE code = 'e'")
        made_of.runs["later"] = made_of.death_run(1)
        yield made_of
    made.drop()


def differing(export: Export) -> set[str]:
    return {finding["check"] for finding in audit.check(export) if not finding["ok"]}


def test_honest_deaths_pass_every_audit(history: History) -> None:
    assert history.failing() == set()
    assert history.census() == {}
    for run in history.runs:
        assert differing(history.export(run)) == set()
        assert all(finding["ok"] for finding in audit.compare(history.export(run), history.export(run)))
    assert verify.verify(history.world.person("rita_reviewer")).differing == []


def test_what_became_of_deaths_since_an_export_passes(history: History) -> None:
    for run, earlier in history.before.items():
        assert differing(earlier) == set()
        assert [finding for finding in audit.compare(earlier, history.export(run)) if not finding["ok"]] == []
    since = {finding["check"]: finding["found"] for finding in audit.compare(*both(history, "done"))}
    assert since["birth as exported"] == "1, 5 lived on"
    since = {finding["check"]: finding["found"] for finding in audit.compare(*both(history, "undone"))}
    assert since["birth as exported"] == "0, and since then 0 written, 2 removed"
    # The other way round is no course that things can take.
    found = [finding["check"] for finding in audit.compare(history.export("done"), history.before["done"])]
    assert {f"birth {code}" for code in "cdef"} <= set(found)


def both(history: History, run: str) -> tuple[Export, Export]:
    return history.before[run], history.export(run)


def test_a_death_that_is_left_out_of_an_export_is_found_in_its_batch(history: History) -> None:
    export = history.before["done"]
    assert export.births is not None
    lines = [row for row in export.births() if row["entity_code"] != "c"]
    found = differing(Export(export.document, lambda: iter(lines)))
    assert LEFT in found
    assert [check for check in found if check.startswith("births of receipt 2, keys after ")]
    birth = {"entity_code": "c", "collection_name": "thing", "run_id": str(history.runs["done"]), "dot_origin": "x"}
    lines.insert(2, birth | {"born_at": export.document["receipts"][1]["born_at"]})
    assert differing(Export(export.document, lambda: iter(lines))) == {EACH}


def test_an_export_of_a_death_run_carries_its_deaths_and_those_that_only_an_act_tells_of(
    history: History, tmp_path: Path
) -> None:
    file = tmp_path / "run.jsonl"
    lines = list(evidence.export_births(history.world.person("rita_reviewer"), history.runs["done"]))
    file.write_text("".join(lines), encoding="utf-8")
    export = audit.read(file)
    assert export.births is not None
    assert {row["entity_code"]: (row.get("manner"), row.get("lives")) for row in export.births()} == {
        "a": ("FOUND", 1),
        "b": ("FOUND", 1),
        "c": ("FOUND", 2),
        "d": ("DELETE", 2),
        "e": (None, None),
        "f": ("REKEY", 2),
    }
    verified = [sys.executable, "-m", "birthdb", "verify", "--run", str(file)]
    offline = subprocess.run(verified, capture_output=True, text=True, check=False)
    assert (offline.returncode, offline.stderr) == (0, "")
    assert f"ok      {LEFT}" in offline.stdout
    file.write_text("".join(lines).replace('"entity_code": "e"', '"entity_code": "e1"'), encoding="utf-8")
    forged = subprocess.run(verified, capture_output=True, text=True, check=False)
    assert forged.returncode == 1
    assert f"DIFFERS {LEFT}" in forged.stdout
    assert history.export("undone").births is not None
    assert list(history.export("undone").births()) == []  # type: ignore[misc]
    everything = evidence.export_all(history.world.person("dora_dba"))
    assert everything["tables"]["birth_death"]["count"] == 6
    assert "rows" not in everything["tables"]["birth_death"]
    whole = evidence.export_all(history.world.person("dora_dba"), births=True)
    assert [row["entity_code"] for row in whole["tables"]["birth_death"]["rows"]] == list("abcdef")
    for document in (everything, whole):
        assert [finding for finding in evidence.check(document) if not finding["ok"]] == []


DEATH = "UPDATE birth.birth_death SET {} WHERE entity_code = '{}'"

#: What a superuser does to a record: the statement, what the database's own audit finds, and what an export shows. What
#: neither shows, the census of the collection does, or the comparison with an export from before.
RECORDS: dict[str, tuple[str, set[str], set[str]]] = {
    "a death is removed": ("DELETE FROM birth.birth_death WHERE entity_code = 'a'", {HELD}, {LEFT}),
    "its code is another": (DEATH.format("entity_code = 'h'", "a"), {HELD}, {LEFT}),
    "its code is nobody's": (DEATH.format("entity_code = 'x'", "a"), {HELD, ALLOWED}, {LEFT, EACH}),
    "it is of no run": (DEATH.format("run_id = NULL, manner = 'DELETE'", "a"), {HELD}, {LEFT}),
    "it is of the other run": (DEATH.format("run_id = '{later}'", "a"), {HELD, ALLOWED}, {LEFT}),
    "it is of a run for births": (DEATH.format("run_id = '{backfill}'", "a"), {HELD, ALLOWED}, {LEFT}),
    "it is of another collection": (DEATH.format("collection_name = 'other'", "a"), {HELD, ALLOWED}, {EACH}),
    "one more is of the run": (
        "INSERT INTO birth.birth_death (entity_code, collection_name, manner, run_id, died_at)"
        " SELECT 'h', collection_name, manner, run_id, died_at FROM birth.birth_death WHERE entity_code = 'a'",
        {HELD},
        {LEFT},
    ),
    "its birth is removed": ("DELETE FROM birth.birth_registry WHERE entity_code = 'a'", {HELD, ALLOWED}, {EACH}),
    "its birth is of another collection": (
        "UPDATE birth.birth_registry SET collection_name = 'other' WHERE entity_code = 'a'",
        {HELD, ALLOWED},
        {EACH},
    ),
    "its time is another": (DEATH.format("died_at = died_at - interval '1 hour'", "a"), {ALLOWED}, {EACH}),
    "its manner is another": (DEATH.format("manner = 'DELETE'", "a"), {ALLOWED}, {EACH}),
    "its manner and life are others": (DEATH.format("manner = 'DELETE', lives = 2", "a"), {ALLOWED}, {EACH}),
    "a later death is the run's": (DEATH.format("manner = 'FOUND'", "d"), {ALLOWED}, {EACH}),
    "it returned in no further life": (DEATH.format("returned_at = now()", "a"), {ALLOWED}, {EACH}),
    "it returned": (DEATH.format("returned_at = now(), lives = 2", "a"), set(), set()),
    "it never returned": (DEATH.format("returned_at = NULL", "c"), set(), set()),
    "it has fewer lives": (DEATH.format("lives = 1", "d"), {ALLOWED}, {EACH}),
    "it has more lives": (DEATH.format("lives = 7", "a"), set(), set()),
    "it has a successor that was not said": (DEATH.format("successor = 'g'", "a"), {ALLOWED}, set()),
    "it has another successor than was said": (DEATH.format("successor = 'h'", "b"), {ALLOWED}, set()),
    "its return is allowed by nobody": (
        DEATH.format("return_allowed_at = now(), return_allowed_by = 'alice_steward'", "a"),
        {ALLOWED},
        set(),
    ),
    "an act tells of other codes": (
        "UPDATE birth.birth_act SET detail = detail || '{{\"codes\": [\"h\"]}}' WHERE act = 'refound'",
        {HELD},
        {LEFT},
    ),
    "an act tells of no codes": (
        "UPDATE birth.birth_act SET detail = detail || '{{\"codes\": \"e\"}}' WHERE act = 'refound'",
        {HELD},
        {LEFT},
    ),
    "an act tells of another run": (
        "UPDATE birth.birth_act SET detail = detail || '{{\"run_id\": \"{undone}\"}}' WHERE act = 'refound'",
        {HELD},
        {LEFT},
    ),
    "the act is removed": ("DELETE FROM birth.birth_act WHERE act = 'refound'", {HELD}, {LEFT}),
    "more went with a downgrade than there was": (
        "INSERT INTO birth.birth_act (act, run_id, lineage, collection_name, detail) SELECT 'deaths_dropped', run_id,"
        " lineage, collection_name, '{{\"fingerprint\": [1, -2, 3]}}' FROM birth.birth_backfill_ledger_v2"
        " WHERE run_id = '{done}'",
        {HELD},
        {LEFT},
    ),
    "what went with a downgrade is no fingerprint": (
        "DELETE FROM birth.birth_death WHERE entity_code = 'a'; "
        "INSERT INTO birth.birth_act (act, run_id, lineage, collection_name, detail) SELECT 'deaths_dropped', run_id,"
        ' lineage, collection_name, \'{{"fingerprint": "all"}}\' FROM birth.birth_backfill_ledger_v2'
        " WHERE run_id = '{done}'",
        {HELD},
        {LEFT},
    ),
}

#: What the audits do not find, because nothing else says it: what does.
CENSUS = {
    "it returned": {"births without a row or a death": 1},
    "it never returned": {"dead with a living row": 1},
}
#: What can become of a death since an export, as far as the export can tell.
MAY_BE = {
    "it returned",
    "it has a successor that was not said",
    "it has another successor than was said",
    "its return is allowed by nobody",
    "more went with a downgrade than there was",
}


@some("what", RECORDS, every=2)
def test_a_forged_death_is_found(history: History, what: str) -> None:
    statement, online, offline = RECORDS[what]
    earlier = history.export("done")
    admin = history.world.admin
    forged = statement.format(**history.runs)
    tables = ("birth_death", "birth_act", "birth_registry")
    kept = {
        table: admin.execute(f"SELECT to_jsonb(t)::text FROM birth.{table} t".encode()).fetchall() for table in tables
    }
    constraints = admin.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = 'birth.birth_death'::regclass AND contype = 'c'"
    ).fetchall()
    admin.execute("SET session_replication_role = replica")
    try:
        for name, _ in constraints:
            admin.execute(f"ALTER TABLE birth.birth_death DROP CONSTRAINT {name}".encode())
        admin.execute(forged.encode())
        assert history.failing() & {HELD, ALLOWED} == online
        assert differing(history.export("done")) & {LEFT, EACH} >= offline
        assert bool(differing(history.export("done"))) == bool(offline)
        assert history.census() == CENSUS.get(what, history.census())
        compared = [finding for finding in audit.compare(earlier, history.export("done")) if not finding["ok"]]
        assert bool(compared) != (what in MAY_BE)
    finally:
        for table in tables:
            admin.execute(f"DELETE FROM birth.{table}".encode())
            with admin.cursor() as cursor:
                cursor.executemany(
                    f"INSERT INTO birth.{table} OVERRIDING SYSTEM VALUE"
                    f" SELECT (jsonb_populate_record(NULL::birth.{table}, %s::jsonb)).*".encode(),
                    kept[table],
                )
        for name, definition in constraints:
            admin.execute(f"ALTER TABLE birth.birth_death ADD CONSTRAINT {name} {definition}".encode())
        admin.execute("RESET session_replication_role")
    assert history.failing() == set()
