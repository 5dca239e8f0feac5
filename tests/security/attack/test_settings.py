"""No setting that a person may choose changes what a routine does: the same births, the same records, or a refusal.

The settings come as they would: by ALTER DATABASE, so that they are there before anybody's first statement.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from helpers import Scene
from psycopg.sql import SQL, Identifier, Literal
from psycopg.types.string import TextLoader
from support import PEOPLE, Database
from world import World

from birthdb import api, errors, target
from birthdb.audit import evidence

pytestmark = pytest.mark.majors

#: What changes how a text is read or written.
WORDS = {
    "standard_conforming_strings": "off",
    "backslash_quote": "on",
    "quote_all_identifiers": "on",
    "array_nulls": "off",
    "transform_null_equals": "on",
    "bytea_output": "escape",
    "DateStyle": "SQL, DMY",
    "IntervalStyle": "sql_standard",
    "TimeZone": "Asia/Kathmandu",
    "extra_float_digits": "-15",
    "lc_numeric": "C",
    "lc_time": "C",
    "lc_monetary": "C",
    "xmloption": "document",
    "client_min_messages": "warning",
    "escape_string_warning": "off",
}
#: What changes how a statement is planned and executed.
PLANS = {
    "plan_cache_mode": "force_generic_plan",
    "constraint_exclusion": "on",
    "row_security": "off",
    "enable_seqscan": "off",
    "enable_indexscan": "off",
    "enable_hashjoin": "off",
    "enable_sort": "off",
    "enable_partition_pruning": "off",
    "from_collapse_limit": "1",
    "join_collapse_limit": "1",
    "work_mem": "64kB",
    "cursor_tuple_fraction": "0.0001",
    "parallel_setup_cost": "0",
    "parallel_tuple_cost": "0",
    "min_parallel_table_scan_size": "0",
    "default_transaction_deferrable": "on",
    "synchronous_commit": "off",
    "default_tablespace": "nowhere",
    "default_table_access_method": "nothing",
    "check_function_bodies": "off",
    "default_toast_compression": "pglz",
    "session_replication_role": "origin",
    "jit": "on",
    "jit_above_cost": "0",
}
COLUMNS = "(tenant text, no integer, PRIMARY KEY (tenant, no))"
CODES = ["C:\\c/004", "C:\\c/005", "a'\\/-02", "a'\\/001", "b\\t/003"]


def setting(db: Database, settings: Mapping[str, str]) -> None:
    """Have every session that comes start with the settings; those that this server has no word for are left out."""
    known = {row[0].lower() for row in db.connect().execute("SELECT name FROM pg_settings")}
    for name, value in settings.items():
        if name.lower() in known:
            statement = SQL("ALTER DATABASE {} SET {} = {}")
            # DateStyle and its like are lists, which ALTER DATABASE takes as they stand.
            words = SQL(", ").join(map(Literal, value.split(", ")))
            db.cluster.execute(statement.format(Identifier(db.name), Identifier(name), words))


def story(world: World) -> None:
    """Take rows before and after the gateway through everything that is written about them."""
    world.table(COLUMNS)
    world.owner.execute("INSERT INTO app.thing VALUES (E'a''\\\\', 1), (E'a''\\\\', -2), (E'b\\\\t', 3)")
    world.register()
    (proposal, *_) = api.identity_propose(world.steward, "app", "thing")
    assert proposal["template"] == "thing-{tenant}/{no}"
    world.classify("legacy", template="{tenant}/{no:03}")
    world.attach(mode="enforce")
    world.owner.execute("INSERT INTO app.thing VALUES (E'C:\\\\c', 4)")
    world.owner.execute("INSERT INTO app.thing VALUES (E'C:\\\\c', 5)")
    assert world.births() == CODES[:2]
    assert api.rehearse(world.operator, "thing")["rerun_delta"] == 0
    run = world.backfill(batch=2)
    assert world.births() == CODES
    assert world.failed_checks() == {}
    assert [row for row in api.run_audit(world.operator) if not row["pass"]] == []
    # A code that may be blank is tested for that, with an expression of its own.
    world.governed("(code text PRIMARY KEY)", "other", mode="enforce")
    world.insert(["A\\t"], "other")
    world.admin.execute("DELETE FROM birth.birth_registry WHERE collection_name = 'other'")
    world.backfill("other")
    assert world.births("other") == ["A\\t"]
    document = evidence.export(world.operator, run)
    assert [finding for finding in evidence.check(document) if not finding["ok"]] == []


@pytest.mark.parametrize("settings", [{}, WORDS, PLANS], ids=["none", "words", "plans"])
def test_a_backfill_gives_the_same_result_under_every_session_setting(
    db: Database, settings: Mapping[str, str], colleagues: None
) -> None:
    setting(db, settings)
    world = World(db)
    for person in PEOPLE:
        session = world.person(person)
        # connect() asks for the styles that psycopg reads; the routines shall run under the others too.
        session.adapters.register_loader("timestamptz", TextLoader)
        for style in {"DateStyle", "IntervalStyle"} & settings.keys():
            session.execute(f"SET {style} = {settings[style]}".encode())
    story(world)
    scene = Scene(db)
    assert scene.disagreements() == []
    scene.close()


def test_an_identity_classified_under_one_setting_holds_under_another(db: Database) -> None:
    """The steward's settings are not the gateway's, nor the operator's."""
    steward = next(person for person, role in PEOPLE.items() if role == "birth_steward")
    for name in ("quote_all_identifiers", "standard_conforming_strings"):
        value = WORDS[name]
        db.cluster.execute(
            SQL("ALTER ROLE {} IN DATABASE {} SET {} = {}").format(
                Identifier(steward), Identifier(db.name), Identifier(name), Literal(value)
            )
        )
    story(World(db))


@pytest.mark.parametrize(
    ("settings", "refusal"),
    [
        ({"default_transaction_isolation": "serializable"}, errors.IsolationLevel.sqlstate),
        ({"default_transaction_isolation": "repeatable read"}, errors.IsolationLevel.sqlstate),
        ({"default_transaction_read_only": "on"}, errors.ReadOnly.sqlstate),
        ({"statement_timeout": "1h"}, errors.TimeoutWouldCut.sqlstate),
    ],
    ids=lambda value: "-".join(value.values()).replace(" ", "-") if isinstance(value, dict) else None,
)
def test_settings_that_break_a_rule_are_refused(scene: Scene, run: Any, settings: dict[str, str], refusal: str) -> None:
    setting(scene.db, settings)
    with scene.unchanged(), pytest.raises(psycopg.Error) as caught:
        scene.apply(run)
    assert caught.value.sqlstate == refusal
    assert scene.held_locks() == 0


def test_a_client_encoding_without_a_character_gets_an_error(world: World) -> None:
    world.governed("(code text PRIMARY KEY)", mode="enforce")
    world.insert(["日本", "é"])
    latin = world.db.connect("olga_operator", client_encoding="LATIN1")
    assert latin.execute("SELECT entity_code FROM birth.birth_registry WHERE entity_code = 'é'").fetchone() == ("é",)
    with pytest.raises(psycopg.errors.UntranslatableCharacter):
        latin.execute("SELECT entity_code FROM birth.birth_registry").fetchall()
    assert latin.execute("SELECT count(*) FROM birth.birth_registry").fetchone() == (2,)


def test_times_are_parsed_under_every_datestyle(db: Database) -> None:
    setting(db, {"DateStyle": "German, DMY", "IntervalStyle": "iso_8601"})
    query = "SELECT timestamptz '2026-11-21 12:00Z', date '2026-11-02', interval '1 day 2 hours'"
    with target.connect(db.url(), autocommit=True) as conn:
        at, day, span = conn.execute(query).fetchone() or (None, None, None)
    assert (at, day, span) == (datetime(2026, 11, 21, 12, tzinfo=UTC), date(2026, 11, 2), timedelta(days=1, hours=2))
