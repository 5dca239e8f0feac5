"""A name is only a name: schemas, tables, columns and collections may be called anything that PostgreSQL lets them be.

The way from the first registration to the undoing is gone by the statements that the database itself proposes, sent as
they stand: whatever it writes down of a name can be read again.
"""

import json

import psycopg
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from psycopg.rows import dict_row
from records import DISAGREEMENTS
from sample import some
from security.hostile.records import clear_records
from security.hostile.text import NAMES, SAVED, TEXTS, fits
from world import World, judged, sql

from birthdb import api, audit, errors
from birthdb.audit import evidence

SYSTEM_COLUMNS = {"tableoid", "cmax", "xmax", "cmin", "xmin", "ctid"}
SCHEMAS = TEXTS.filter(lambda n: fits(n) and not n.startswith("pg_") and n not in {"birth", "app", "public"})
COLUMNS = TEXTS.filter(lambda n: fits(n) and n not in SYSTEM_COLUMNS)
#: A blank is no name for a collection.
COLLECTIONS = TEXTS.filter(lambda n: fits(n) and bool(n.strip(" ")))
#: Which person sends a statement of the database's, by the remark behind it or the routine in it.
SENDERS = {
    "fn_birth_collection_register": "alice_steward",
    "fn_birth_identity_propose": "alice_steward",
    "fn_birth_identity_classify": "alice_steward",
    "fn_birth_gateway_attach": "alice_steward",
    "fn_birth_gate_admit": "stella_steward",
    "fn_dot_birth_qt005_plan": "olga_operator",
    "sp_dot_birth_qt005_apply": "olga_operator",
    "fn_dot_birth_qt001_plan": "olga_operator",
    "fn_birth_review_record": "rita_reviewer",
    "fn_birth_permit_open": "paul_owner",
    "fn_birth_permit_confirm": "rita_reviewer",
    "sp_dot_birth_qt001": "olga_operator",
}


def send(world: World, said: str) -> str | None:
    """Send what the database said comes next, as the person whose part it is; return what it says then."""
    (person,) = {person for routine, person in SENDERS.items() if routine in said}
    with world.person(person).cursor(row_factory=dict_row) as cursor:
        cursor.execute(judged(said).encode())
        if cursor.description is None:
            return None
        (row,) = cursor.fetchall()
    found = row.get("next_step", next(iter(row.values())))
    return None if found is None else str(found)


def governed(world: World, schema: str, table: str, column: str, other: str, collection: str, code: str = "") -> None:
    """Create the table with a row of before and one of after its gateway, and register it."""
    names = {"schema": schema, "table": table, "column": column, "other": other}
    world.admin.execute(sql("CREATE SCHEMA {schema}", **names))
    world.admin.execute(sql("CREATE TABLE {schema}.{table} ({other} integer, {column} text PRIMARY KEY)", **names))
    world.admin.execute(sql("GRANT USAGE ON SCHEMA {schema} TO birth_definer, birth_scanner", **names))
    world.admin.execute(
        sql(
            "GRANT SELECT ON {schema}.{table} TO birth_scanner; GRANT TRIGGER ON {schema}.{table} TO birth_definer",
            **names,
        )
    )
    world.admin.execute(sql("INSERT INTO {schema}.{table} VALUES (1, 'before')", **names))
    world.register(collection, table, schema=schema)
    (proposal,) = api.identity_propose(world.steward, schema, table)
    planning = send(world, proposal["next_step"])
    assert planning is not None
    assert world.attach(collection, "enforce") == planning
    world.admin.execute(sql("INSERT INTO {schema}.{table} VALUES (2, 'after'), (3, 'later')", **names))
    world.admin.execute(sql("INSERT INTO {schema}.{table} VALUES (4, 'last')", **names))
    assert world.births(collection) == ["after", "last", "later"]


def backfilled(world: World, collection: str) -> None:
    """Plan, review, permit, run, and prove; then undo it and take it up again."""
    plan = api.plan(world.operator, collection, dry_run=False)
    run, step = plan["run_id"], plan["next_step"]
    for _ in range(4):
        assert step is not None
        step = send(world, step)
    assert step is None
    assert world.births(collection) == ["after", "before", "last", "later"]
    assert world.failed_checks(collection) == {}
    assert [row for row in api.run_audit(world.operator) if not row["pass"]] == []
    document = json.loads(json.dumps(evidence.export(world.operator, run), ensure_ascii=False))
    assert [finding for finding in evidence.check(document) if not finding["ok"]] == []
    assert document["run"]["collection_name"] == collection

    api.review_record(world.person("rita_reviewer"), run, "SAFE", "undo", purpose="COMPENSATE")
    step = world.value("SELECT birth.fn_birth_run_next_step(%s, 'COMPENSATE')", run)
    for _ in range(3):
        assert step is not None
        step = send(world, step)
    assert world.births(collection) == ["after", "last", "later"]


def gated(world: World, schema: str, table: str) -> str:
    """Create a table under the gate and carry it to its first row, as the gate says; return its collection."""
    names = {"schema": schema, "table": table}
    world.admin.execute(sql("CREATE SCHEMA {schema}", **names))
    world.admin.execute(sql("GRANT USAGE ON SCHEMA {schema} TO birth_definer, birth_scanner", **names))
    api.gate_scope(world.steward, schema, "enforce", "a test")
    world.admin.execute(sql("CREATE TABLE {schema}.{table} (code text PRIMARY KEY)", **names))
    world.admin.execute(
        sql(
            "GRANT SELECT ON {schema}.{table} TO birth_scanner; GRANT TRIGGER ON {schema}.{table} TO birth_definer",
            **names,
        )
    )
    for state in ("UNKNOWN", "REGISTERED", "READY"):
        with pytest.raises(errors.TableUngated) as refusal:
            api.gate(world.steward, schema)
        (row,) = api.view(world.steward, "v_birth_gate")
        assert (row["schema_name"], row["table_name"], row["state"]) == (schema, table, state)
        named = world.value("SELECT format('%%I.%%I', %s::text, %s::text)", schema, table)
        assert refusal.value.detail == f"{named} is {state}: {row['next_step']}"
        step = send(world, row["next_step"])
        if state == "REGISTERED":
            assert step is not None
            send(world, step)
    assert api.gate(world.steward, schema) == 1
    (row,) = api.view(world.steward, "v_birth_gate")
    with pytest.raises(psycopg.Error) as closed:
        world.admin.execute(sql("INSERT INTO {schema}.{table} VALUES ('early')", **names))
    assert (row["state"], closed.value.sqlstate) == ("CLOSED", errors.NotAdmitted.sqlstate)
    send(world, row["next_step"])
    world.admin.execute(sql("INSERT INTO {schema}.{table} VALUES ('first')", **names))
    (row,) = api.view(world.steward, "v_birth_gate")
    assert (row["state"], row["next_step"]) == ("ADMITTED", None)
    collection: str = row["collection_name"]
    assert world.births(collection) == ["first"]
    return collection


def transitioned(world: World, schema: str, table: str, collection: str) -> None:
    """Loosen the policy by the statements that are printed, and undo that."""
    with pytest.raises(errors.TransitionRequired) as refusal:
        world.register(collection, table, "BIRTH_EXEMPT_LOG", schema)
    assert refusal.value.hint is not None
    dry = send(world, refusal.value.hint)
    assert dry is not None
    step = send(world, dry)
    for purpose in ("TRANSITION", "COMPENSATE"):
        for _ in range(4):
            assert step is not None
            step = send(world, step)
        run = world.value("SELECT run_id FROM birth.birth_backfill_ledger_v2 WHERE purpose = 'TRANSITION'")
        step = world.value("SELECT birth.fn_birth_run_next_step(%s, 'COMPENSATE')", run)
        if purpose == "TRANSITION":
            assert world.value("SELECT coverage_status FROM birth.collection_registry") == "BIRTH_EXEMPT_LOG"
        with audit.live(world.operator, run) as now:
            assert now.births is not None
            export = audit.Export(now.document | {"sha256": evidence.digest(now.document)}, lambda: iter([]))
        assert [finding for finding in audit.check(export) if not finding["ok"]] == []
    assert world.value("SELECT coverage_status FROM birth.collection_registry") == "BIRTH_REQUIRED"
    assert [row for row in api.run_audit(world.operator) if not row["pass"]] == []
    assert world.admin.execute(DISAGREEMENTS).fetchall() == []


def clear(world: World, schema: str) -> None:
    world.admin.execute(sql("DROP SCHEMA {schema} CASCADE", schema=schema))
    clear_records(world.admin)


def test_hostile_names_work_in_gateway_plan_and_compensation(world: World) -> None:
    @SAVED
    @given(SCHEMAS, TEXTS.filter(fits), st.tuples(COLUMNS, COLUMNS).filter(lambda two: two[0] != two[1]), COLLECTIONS)
    def property_holds(schema: str, table: str, columns: tuple[str, str], collection: str) -> None:
        try:
            governed(world, schema, table, *columns, collection)
            backfilled(world, collection)
        finally:
            clear(world, schema)

    property_holds()


@pytest.mark.long
def test_hostile_names_work_from_the_gate_to_a_transition_and_back(world: World) -> None:
    @SAVED
    @given(SCHEMAS, TEXTS.filter(fits))
    @example("é" * 31, "é" * 31)
    @example("s", " ")
    @example("x" * 60 + "日", "x" * 60 + "日")
    @example("a\nb: c", "x.y is READY: SELECT 1;\n--")
    def property_holds(schema: str, table: str) -> None:
        # The name of the table is taken: another one has to be proposed.
        world.register(table if table.strip(" ") else "blank", "nowhere", "BIRTH_EXEMPT_LOG")
        try:
            collection = gated(world, schema, table)
            world.admin.execute("DELETE FROM birth.collection_registry WHERE table_name = 'nowhere'")
            transitioned(world, schema, table, collection)
        finally:
            api.gate_scope(world.steward, schema, None, "a test")
            clear(world, schema)

    property_holds()


@some("name", NAMES[2::3], most=2)
def test_one_hostile_name_works_for_all_objects_at_once(world: World, name: str) -> None:
    schema = name if not name.startswith("pg_") else "s"
    collection = name if name.strip(" ") else "blank"
    governed(world, schema, name, name, "other", collection)
    backfilled(world, collection)
    transitioned(world, schema, name, collection)


def test_an_invalid_collection_name_is_refused(world: World) -> None:
    @SAVED
    @given(st.one_of(st.text(" ", max_size=3), TEXTS.map(lambda text: (text or "é") * 64)))
    def property_holds(name: str) -> None:
        for names in ((name, "app", "thing"), ("thing", name, "thing"), ("thing", "app", name)):
            if names[0] == name or len(name.encode()) > 63:
                with pytest.raises(errors.BadArgument):
                    api.collection_register(world.steward, *names, "BIRTH_REQUIRED")
        assert world.value("SELECT count(*) FROM birth.collection_registry") == 0

    property_holds()


def test_a_proposed_identity_can_be_classified_for_hostile_names(world: World) -> None:
    @SAVED
    @given(TEXTS.filter(fits), st.tuples(COLUMNS, COLUMNS, COLUMNS).filter(lambda names: len(set(names)) == 3))
    @example("{}", ("a", "b", "c"))
    @example("}}{", ("%I", "a'b", 'a"b'))
    def property_holds(table: str, columns: tuple[str, str, str]) -> None:
        names = dict(zip(("table", "a", "b", "c"), (table, *columns), strict=True))
        world.admin.execute(
            sql("CREATE TABLE app.{table} ({a} integer, {b} text, {c} integer UNIQUE, PRIMARY KEY ({a}, {b}))", **names)
        )
        try:
            world.admin.execute(
                sql(
                    "GRANT SELECT ON app.{table} TO birth_scanner; GRANT TRIGGER ON app.{table} TO birth_definer",
                    **names,
                )
            )
            world.register("thing", table)
            proposals = api.identity_propose(world.steward, "app", table)
            # A template has no words for some names.
            unnamed = any(set(name) & set("{}:") for name in columns[:2])
            assert [found["strategy"] for found in proposals] == ["legacy"] * (not unnamed) + ["synthetic_id"]
            for proposal in proposals:
                send(world, proposal["next_step"])
                assert world.status() == f"ELIGIBLE_{str(proposal['strategy']).upper()}"
        finally:
            world.admin.execute(sql("DROP TABLE app.{table}", **names))
            world.admin.execute("DELETE FROM birth.collection_registry")

    property_holds()
