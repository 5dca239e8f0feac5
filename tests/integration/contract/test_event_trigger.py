"""The optional event trigger: what it stops, what it records, what it leaves alone, and what is there without it."""

import os
import subprocess
from collections.abc import Callable
from typing import Any, LiteralString

import psycopg
import pytest
from helpers import Scene, raised, refused
from sample import some
from support import RELEASER, Cluster, Database, downgrade, upgrade

from birthdb import errors, paths
from birthdb.audit import verify as verification
from birthdb.server import VARIABLE, binaries

ADD = "sql/optional/event_triggers.sql"
REMOVE = "sql/optional/event_triggers.down.sql"
LOCK = b"SELECT pg_advisory_xact_lock(hashtextextended('birth.release', 0))"


def send(connection: psycopg.Connection[Any], path: str) -> None:
    """Send an optional file as psql does."""
    text = (paths.ROOT / path).read_text(encoding="utf-8")
    connection.execute("\n".join(line for line in text.splitlines() if not line.startswith("\\")).encode())


@pytest.fixture
def guarded(scene: Scene) -> Scene:
    """A scene with an attached collection, whose table belongs to nora_nobody, and the event triggers."""
    scene.collection("item")
    scene.execute("ALTER TABLE item OWNER TO nora_nobody; GRANT CREATE ON SCHEMA public TO nora_nobody")
    scene.ask("alice_steward", "fn_birth_gateway_attach", p_collection="item", p_mode="enforce")
    send(scene.admin, ADD)
    assert alerts(scene) == []
    return scene


def alerts(scene: Scene) -> list[tuple[str, str]]:
    """Return command and object of every alert, as a reader sees them."""
    rows = scene.rows("SELECT command, object FROM birth.fn_birth_alerts() ORDER BY raised_at", person="olga_operator")
    return [(row["command"], row["object"]) for row in rows]


def states(scene: Scene) -> list[str]:
    """Return the state of each event trigger that there could be."""
    return [row["state"] for row in scene.rows("SELECT * FROM birth.v_birth_event_trigger ORDER BY name")]


NOTHING = "RETURNS text LANGUAGE sql AS 'SELECT NULL::text'"

#: Statement: the object that it would have redefined, as it is called after the statement.
STOPPED: dict[LiteralString, str] = {
    f"CREATE OR REPLACE FUNCTION birth.fn_birth_source_grants(p_collection text, p_privilege text) {NOTHING}":
        "function birth.fn_birth_source_grants(",
    "CREATE OR REPLACE VIEW birth.v_birth_spike AS SELECT * FROM birth.v_birth_spike WHERE false":
        "view birth.v_birth_spike",
    "ALTER FUNCTION birth.fn_birth_raise(text, text, text) SECURITY DEFINER": "function birth.fn_birth_raise(",
    "ALTER FUNCTION birth.fn_birth_raise RENAME TO fn_other": "function birth.fn_other(",
    "ALTER FUNCTION birth.fn_birth_raise SET SCHEMA public": "function public.fn_birth_raise(",
    "ALTER FUNCTION birth.fn_birth_raise OWNER TO nora_nobody": "function birth.fn_birth_raise(",
    "ALTER PROCEDURE birth.sp_dot_birth_qt001_apply RENAME TO sp_other": "procedure birth.sp_other(",
    "DROP FUNCTION birth.fn_birth_census(text)": "function birth.fn_birth_census(",
    "DROP VIEW birth.v_birth_attention": "view birth.v_birth_attention",
    "ALTER VIEW birth.v_birth_attention RENAME TO v_other": "view birth.v_other",
    "ALTER VIEW birth.v_birth_attention SET (security_barrier)": "view birth.v_birth_attention",
    "ALTER TABLE birth.birth_registry RENAME TO registry": "table birth.registry",
    "ALTER TABLE birth.birth_registry SET SCHEMA public": "table public.birth_registry",
    "ALTER TABLE birth.birth_registry OWNER TO nora_nobody": "table birth.birth_registry",
    "ALTER TABLE birth.birth_registry ADD COLUMN note text": "table birth.birth_registry",
    "ALTER TABLE birth.birth_registry RENAME COLUMN dot_origin TO origin": "table column birth.birth_registry.origin",
    "ALTER TABLE birth.birth_registry ALTER dot_origin DROP NOT NULL": "birth.birth_registry",
    "ALTER TABLE birth.birth_act DROP COLUMN reason CASCADE": "table constraint birth_act_reason on birth.birth_act",
    "ALTER TABLE birth.birth_act DROP CONSTRAINT birth_act_known":
        "table constraint birth_act_known on birth.birth_act",
    "ALTER TABLE birth.birth_act RENAME CONSTRAINT birth_act_known TO other":
        "table constraint other on birth.birth_act",
    "ALTER TABLE birth.birth_act ADD CONSTRAINT other CHECK (true)": "table birth.birth_act",
    "ALTER TABLE birth.birth_act ENABLE ROW LEVEL SECURITY": "table birth.birth_act",
    "CREATE POLICY other ON birth.birth_act": "policy other on birth.birth_act",
    "CREATE RULE other AS ON DELETE TO birth.birth_act DO INSTEAD NOTHING": "rule other on birth.birth_act",
    "CREATE TRIGGER other BEFORE UPDATE ON birth.birth_act FOR EACH ROW"
    " EXECUTE FUNCTION suppress_redundant_updates_trigger()": "trigger other on birth.birth_act",
    "CREATE TABLE public.child () INHERITS (birth.birth_act)": "table public.child",
    "CREATE UNIQUE INDEX other ON birth.birth_act (acted_at)": "index birth.other",
    "CREATE INDEX other ON birth.birth_act (lower(reason))": "index birth.other",
    "CREATE INDEX other ON birth.birth_act (acted_at) WHERE reason > ''": "index birth.other",
    "CREATE TABLE public.parent (LIKE birth.birth_receipt) PARTITION BY RANGE (run_id);"
    " ALTER TABLE public.parent ATTACH PARTITION birth.birth_receipt DEFAULT": "table public.parent",
    "ALTER INDEX birth.birth_act_lineage RENAME TO other": "index birth.other",
    "CREATE STATISTICS public.other ON acted_at, reason FROM birth.birth_act": "statistics object public.other",
    "DROP INDEX birth.birth_act_lineage": "index birth.birth_act_lineage",
    "DROP TABLE birth.trigger_guard_alerts CASCADE": "table birth.trigger_guard_alerts",
    "ALTER SCHEMA birth RENAME TO other": "schema other",
    "DROP SCHEMA birth CASCADE": "table birth.birth_registry",
    "DROP OWNED BY birth_definer CASCADE": "table birth.birth_registry",
    "ALTER SCHEMA birth OWNER TO nora_nobody": "schema birth",
}  # fmt: skip


@some("statement", STOPPED, every=3)
def test_a_contract_change_is_stopped_by_the_event_trigger_only(guarded: Scene, statement: LiteralString) -> None:
    admin = guarded.admin
    before = guarded.value(
        "SELECT string_agg(exact_sha256, '' ORDER BY kind, object) FROM birth.fn_birth_contract_live()"
    )
    with refused(errors.DefinitionGuarded) as caught:
        admin.execute(statement)
    detail = caught.value.diag.message_detail
    assert detail is not None
    assert STOPPED[statement] in detail
    assert guarded.value("SELECT session_user::text") in detail
    assert alerts(guarded) == []
    after = guarded.value(
        "SELECT string_agg(exact_sha256, '' ORDER BY kind, object) FROM birth.fn_birth_contract_live()"
    )
    assert after == before
    with admin.transaction(force_rollback=True):
        admin.execute("ALTER EVENT TRIGGER birth_guard_changed DISABLE")
        admin.execute("ALTER EVENT TRIGGER birth_guard_dropped DISABLE")
        admin.execute(statement)


def test_the_hint_contains_the_statement_that_allows_a_repair(guarded: Scene) -> None:
    guarded.admin.execute("ALTER EVENT TRIGGER birth_guard_dropped DISABLE")
    guarded.admin.execute("DROP INDEX birth.birth_act_lineage")
    guarded.admin.execute("ALTER EVENT TRIGGER birth_guard_dropped ENABLE ALWAYS")
    repair = guarded.value(
        "SELECT repair FROM birth.fn_birth_contract_drift() WHERE object = 'birth_act_lineage'"
    ).encode()
    with refused(errors.DefinitionGuarded) as caught:
        guarded.admin.execute(b"ALTER TABLE birth.birth_act ADD COLUMN other text")
    hint = caught.value.diag.message_hint
    assert hint is not None
    with guarded.admin.transaction():
        guarded.admin.execute(hint.partition("transaction: ")[2].encode())
        guarded.admin.execute(repair)
        guarded.admin.execute("ALTER TABLE birth.birth_act ADD COLUMN other text")
        guarded.admin.execute("ALTER TABLE birth.birth_act DROP COLUMN other")
    assert alerts(guarded) == []


def test_the_release_lock_without_membership_does_not_bypass_the_guard(guarded: Scene) -> None:
    # Anybody can take an advisory lock; shared, as batches hold it, it is not even a release's.
    nora = guarded.session("nora_nobody")
    with nora.transaction():
        nora.execute("SELECT pg_advisory_xact_lock(hashtextextended('birth.release', 0))")
        nora.execute("ALTER TABLE item DISABLE TRIGGER birth_gateway")
    assert alerts(guarded) == [("ALTER TABLE", "public.item")]
    with guarded.admin.transaction(), refused(errors.DefinitionGuarded):
        guarded.admin.execute(LOCK.replace(b"lock(", b"lock_shared("))
        guarded.admin.execute("DROP VIEW birth.v_birth_attention")


def test_the_release_lock_of_another_session_does_not_bypass_the_guard(guarded: Scene) -> None:
    with guarded.db.connect(autocommit=False) as other:
        other.execute(LOCK)
        with refused(errors.DefinitionGuarded):
            guarded.admin.execute("ALTER VIEW birth.v_birth_spike RENAME TO v_other")


#: Statement: who sends it and what is recorded.
RECORDED: dict[LiteralString, tuple[str | None, list[tuple[str, str]]]] = {
    "ALTER TABLE item DISABLE TRIGGER birth_gateway": ("nora_nobody", [("ALTER TABLE", "public.item")]),
    "ALTER TABLE item DISABLE TRIGGER USER": ("nora_nobody", [("ALTER TABLE", "public.item")]),
    "ALTER TABLE item ENABLE REPLICA TRIGGER birth_gateway": ("nora_nobody", [("ALTER TABLE", "public.item")]),
    "DROP TRIGGER birth_gateway ON item": ("nora_nobody", [("DROP TRIGGER", "birth_gateway on public.item")]),
    "ALTER TRIGGER birth_gateway ON item RENAME TO other":
        ("nora_nobody", [("ALTER TRIGGER", "other on public.item")]),
    "DROP TABLE item": ("nora_nobody", [("DROP TABLE", "birth_gateway on public.item")]),
    "CREATE OR REPLACE TRIGGER birth_gateway BEFORE INSERT ON item FOR EACH ROW"
    " EXECUTE FUNCTION suppress_redundant_updates_trigger()":
        ("nora_nobody", [("CREATE TRIGGER", "birth_gateway on public.item")]),
    "CREATE OR REPLACE TRIGGER birth_gateway AFTER INSERT ON item FOR EACH ROW WHEN (NEW.id > 100)"
    " EXECUTE FUNCTION birth.fn_birth_registry_auto('item')":
        (None, [("CREATE TRIGGER", "birth_gateway on public.item")]),
    "CREATE TABLE birth.note (n integer)": (None, [("CREATE TABLE", "birth.note")]),
    "CREATE VIEW birth.v_note AS SELECT 1 AS one": (None, [("CREATE VIEW", "birth.v_note")]),
    "CREATE FUNCTION birth.fn_birth_raise() RETURNS text LANGUAGE sql AS 'SELECT NULL::text'":
        (None, [("CREATE FUNCTION", "birth.fn_birth_raise()")]),
    "CREATE TYPE birth.note AS ENUM ('a')": (None, [("CREATE TYPE", "birth.note")]),
    "CREATE INDEX other ON birth.birth_act (acted_at)": (None, [("CREATE INDEX", "birth.other")]),
    "GRANT INSERT ON birth.birth_registry TO birth_operator": (None, [("GRANT", "table birth.birth_registry")]),
    "GRANT INSERT (entity_code) ON birth.birth_registry TO birth_operator":
        (None, [("GRANT", "table birth.birth_registry")]),
    "GRANT EXECUTE ON FUNCTION birth.fn_birth_census TO PUBLIC":
        (None, [("GRANT", "function birth.fn_birth_census(text)")]),
    "GRANT CREATE ON SCHEMA birth TO birth_steward": (None, [("GRANT", "schema birth")]),
    "GRANT UPDATE ON SEQUENCE birth.birth_act_act_id_seq TO birth_steward":
        (None, [("GRANT", "table birth.birth_act_act_id_seq")]),
    "ALTER DEFAULT PRIVILEGES FOR ROLE birth_definer IN SCHEMA birth GRANT INSERT ON TABLES TO birth_steward":
        (None, [("ALTER DEFAULT PRIVILEGES", "schema birth")]),
}  # fmt: skip


@some("statement", RECORDED, every=2)
def test_changes_that_are_not_stopped_are_recorded_by_the_event_trigger_only(
    guarded: Scene, statement: LiteralString
) -> None:
    person, expected = RECORDED[statement]
    session = guarded.session(person) if person else guarded.admin
    with session.transaction(force_rollback=True):
        session.execute(statement)
        seen = guarded.db.connect()  # nobody else sees it before it is committed
        assert seen.execute("SELECT count(*) FROM birth.fn_birth_alerts()").fetchone() == (0,)
    assert alerts(guarded) == []
    with guarded.admin.transaction(force_rollback=True):
        send_inside(guarded.admin, "DROP EVENT TRIGGER birth_guard_changed; DROP EVENT TRIGGER birth_guard_dropped")
        guarded.execute(statement)
        assert alerts(guarded) == []
    # In a subtransaction it is the transaction's own too.
    with session.transaction(), session.transaction():
        session.execute(statement)
    assert alerts(guarded) == expected
    (row,) = guarded.rows("SELECT * FROM birth.fn_birth_alerts()")
    assert row["raised_by"] == (person or guarded.value("SELECT session_user::text"))
    assert row["raised_at"] is not None
    assert "application" in row["detail"]


def send_inside(connection: psycopg.Connection[Any], statements: LiteralString) -> None:
    """Send several statements inside the transaction that is open."""
    connection.execute(statements)


#: Nothing of this is an alert.
LEFT_ALONE: list[tuple[str | None, LiteralString]] = [
    (None, "COMMENT ON TABLE birth.birth_registry IS 'other'"),
    (None, "GRANT SELECT ON birth.birth_registry TO nora_nobody"),
    (None, "REVOKE SELECT ON birth.birth_registry FROM birth_reader"),
    (None, "REINDEX INDEX birth.birth_act_lineage"),
    (None, "CREATE TABLE public.other (code text REFERENCES birth.birth_registry)"),
    (None, "CREATE VIEW public.other AS SELECT * FROM birth.birth_registry"),
    (None, "CREATE SCHEMA other CREATE TABLE birth_registry (id integer PRIMARY KEY)"),
    (None, "CREATE FUNCTION public.fn_birth_raise() RETURNS text LANGUAGE sql AS 'SELECT NULL::text'"),
    (None, "GRANT ALL ON public.item TO PUBLIC"),
    (None, "ALTER TABLE item ENABLE ALWAYS TRIGGER birth_gateway"),
    # Grants nothing, because a reader may not: a warning.
    ("olga_operator", "GRANT EXECUTE ON FUNCTION birth.fn_birth_census(text) TO PUBLIC"),
    ("nora_nobody", "CREATE TEMPORARY TABLE birth_registry (id integer)"),
    ("nora_nobody", "CREATE INDEX other ON item (note)"),
    ("nora_nobody", "ALTER TABLE item ADD COLUMN other text"),
    ("nora_nobody", "ALTER TABLE item RENAME TO thing"),
    ("nora_nobody", "CREATE TRIGGER other BEFORE UPDATE ON item FOR EACH ROW"
                    " EXECUTE FUNCTION suppress_redundant_updates_trigger()"),
]  # fmt: skip


@pytest.mark.parametrize(("person", "statement"), LEFT_ALONE, ids=[statement for _, statement in LEFT_ALONE])
def test_unrelated_ddl_is_neither_stopped_nor_recorded(
    guarded: Scene, person: str | None, statement: LiteralString
) -> None:
    (guarded.session(person) if person else guarded.admin).execute(statement)
    assert alerts(guarded) == []


def test_extra_objects_can_be_dropped_by_a_repair(guarded: Scene) -> None:
    # Of what is gone nothing tells whose it was.
    with guarded.admin.transaction():
        guarded.execute(LOCK)
        guarded.execute("CREATE FUNCTION birth.fn_birth_raise() RETURNS text LANGUAGE sql AS 'SELECT NULL::text'")
        guarded.execute("CREATE TABLE birth.note (id integer PRIMARY KEY)")
        guarded.execute("CREATE INDEX other ON birth.birth_act (acted_at)")
    with refused(errors.DefinitionGuarded):
        guarded.execute("DROP TABLE birth.note")
    with guarded.admin.transaction():
        guarded.execute(LOCK)
        guarded.execute("DROP FUNCTION birth.fn_birth_raise(); DROP TABLE birth.note; DROP INDEX birth.other")
    assert alerts(guarded) == []
    assert guarded.rows("SELECT * FROM birth.fn_birth_contract_drift() WHERE drift <> 'ok'") == []


def test_partition_ddl_is_allowed_and_only_gateway_changes_are_recorded(guarded: Scene) -> None:
    nora = guarded.session("nora_nobody")
    guarded.execute("CREATE TABLE part (id integer PRIMARY KEY, note text) PARTITION BY RANGE (id)")
    guarded.execute("CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (1) TO (100)")
    guarded.govern("part", "synthetic_id", column="id", prefix="part-")
    guarded.execute(
        "GRANT birth_source_owner TO nora_nobody;"
        "GRANT SELECT ON part_1 TO birth_scanner; GRANT TRIGGER ON part_1 TO birth_definer"
    )
    guarded.execute("ALTER TABLE part OWNER TO nora_nobody; ALTER TABLE part_1 OWNER TO nora_nobody")
    guarded.ask("alice_steward", "fn_birth_gateway_attach", p_collection="part", p_mode="enforce")
    try:
        nora.execute("CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM (100) TO (200)")
        nora.execute("CREATE TABLE part_3 (LIKE part)")
        nora.execute("ALTER TABLE part ATTACH PARTITION part_3 FOR VALUES FROM (200) TO (300)")
    finally:
        guarded.execute("REVOKE birth_source_owner FROM nora_nobody")
    nora.execute("ALTER TABLE part DETACH PARTITION part_3")
    nora.execute("DROP TABLE part_3")
    nora.execute("DROP TABLE part_1")
    assert alerts(guarded) == []
    nora.execute("ALTER TABLE part_2 DISABLE TRIGGER birth_gateway")
    assert alerts(guarded) == [("ALTER TABLE", "public.part_2")]


def test_a_gateway_that_a_steward_detached_may_be_dropped(guarded: Scene) -> None:
    (row,) = guarded.ask("alice_steward", "fn_birth_gateway_detach", p_collection="item", p_reason="retired")
    statement = row["fn_birth_gateway_detach"].partition("  --")[0]
    assert statement.startswith("DROP TRIGGER")
    guarded.session("nora_nobody").execute(statement.encode())
    guarded.ask("alice_steward", "fn_birth_gateway_attach", p_collection="item", p_mode="enforce")
    # Where birth_definer may drop it, detaching does.
    guarded.execute("GRANT nora_nobody TO birth_definer")
    try:
        (row,) = guarded.ask("alice_steward", "fn_birth_gateway_detach", p_collection="item", p_reason="retired")
    finally:
        guarded.execute("REVOKE nora_nobody FROM birth_definer")
    assert row["fn_birth_gateway_detach"].startswith("SELECT")
    assert alerts(guarded) == []


def test_the_event_triggers_fire_with_session_replication_role_replica(guarded: Scene) -> None:
    guarded.execute("SET session_replication_role = replica")
    with refused(errors.DefinitionGuarded):
        guarded.execute("DROP VIEW birth.v_birth_attention")


def test_quote_all_identifiers_does_not_affect_the_event_triggers(guarded: Scene) -> None:
    guarded.execute("SET quote_all_identifiers = on")
    for statement in ("DROP VIEW birth.v_birth_attention", "ALTER TABLE birth.birth_registry RENAME TO registry"):
        with refused(errors.DefinitionGuarded):
            guarded.execute(statement.encode())
    guarded.execute("GRANT EXECUTE ON FUNCTION birth.fn_birth_census TO PUBLIC")
    assert alerts(guarded) == [("GRANT", "function birth.fn_birth_census(text)")]


def test_a_run_during_which_an_alert_was_recorded_is_not_done(guarded: Scene) -> None:
    guarded.collection("thing")
    run = guarded.permitted("thing")
    driver = guarded.start(run)
    guarded.session("nora_nobody").execute("ALTER TABLE item DISABLE TRIGGER birth_gateway")
    guarded.go_on(run)
    with refused(errors.AlertsGrew):
        driver.end()
    assert guarded.status(run) == ("failed", "alerts_grew")


def test_a_whole_run_raises_no_alert(guarded: Scene) -> None:
    guarded.collection("thing")
    guarded.apply(guarded.permitted("thing"), batch=5)
    assert alerts(guarded) == []


# --- releases


@pytest.mark.long
@some("releaser", [RELEASER, None], ids=["a login", "a superuser"])
def test_upgrade_and_downgrade_work_with_the_event_triggers(empty_db: Database, releaser: str | None) -> None:
    upgrade(empty_db.url(RELEASER), "stage1")
    admin = empty_db.connect()
    send(admin, ADD)
    for direction, to in ((upgrade, "head"), (downgrade, "base"), (upgrade, "head")):
        direction(empty_db.url(releaser), to)
    assert admin.execute("SELECT * FROM birth.fn_birth_alerts()").fetchall() == []
    assert admin.execute("SELECT DISTINCT state FROM birth.v_birth_event_trigger").fetchall() == [("present",)]
    assert verification.verify(admin).fine


def test_the_event_trigger_checks_for_a_release_first(guarded: Scene) -> None:
    """Counted, not timed: during a release the catalogue is not searched."""
    guarded.execute("SET track_functions = 'all'")
    searched = "SELECT count(*) FROM pg_stat_xact_user_functions WHERE schemaname = 'birth_guard' AND funcname = %s"
    with guarded.admin.transaction():
        guarded.execute(LOCK)
        guarded.execute("CREATE TABLE birth.note (id integer)")
        guarded.execute("DROP TABLE birth.note")
        assert guarded.value(searched, ("guard",)) == 1
        assert guarded.value(searched, ("changed",)) == 0
        assert guarded.value(searched, ("dropped",)) == 0


def test_a_dump_contains_the_event_triggers_and_a_restore_raises_no_alert(guarded: Scene, server: Cluster) -> None:
    bin_ = binaries(server.major) if VARIABLE not in os.environ else binaries()
    if not (bin_ / "pg_dump").is_file():
        pytest.skip(f"the server in {bin_} came without pg_dump")
    dump = subprocess.run([bin_ / "pg_dump", guarded.db.url()], check=True, capture_output=True).stdout
    restored = server.create()
    try:
        command = [str(bin_ / "psql"), "-qX", "-v", "ON_ERROR_STOP=1", "-o", os.devnull, "-d", restored.url()]
        sent = subprocess.run(command, input=dump, check=False, capture_output=True)
        assert sent.stderr == b""
        admin = restored.connect()
        assert admin.execute("SELECT DISTINCT state FROM birth.v_birth_event_trigger").fetchall() == [("present",)]
        assert admin.execute("SELECT * FROM birth.fn_birth_alerts()").fetchall() == []
        with refused(errors.DefinitionGuarded):
            admin.execute("DROP VIEW birth.v_birth_attention")
    finally:
        restored.drop()


# --- what is missing


def test_the_event_trigger_view_names_the_state_and_the_repairing_statement(scene: Scene) -> None:
    assert states(scene) == ["absent"] * 3
    for row in scene.rows("SELECT * FROM birth.v_birth_event_trigger", person="olga_operator"):
        assert row["not_noticed"]
        assert row["next_step"] == f"-- psql -f {ADD}, by a superuser"
    send(scene.admin, ADD)
    assert states(scene) == ["present"] * 3
    with refused(errors.DefinitionGuarded):
        scene.execute("DROP VIEW birth.v_birth_attention")
    for state, change in {
        "disabled": "ALTER EVENT TRIGGER birth_guard_dropped DISABLE",
        "not always": "ALTER EVENT TRIGGER birth_guard_dropped ENABLE",
        "partial": "DROP EVENT TRIGGER birth_guard_dropped; CREATE EVENT TRIGGER birth_guard_dropped ON sql_drop"
        " WHEN TAG IN ('DROP TABLE') EXECUTE FUNCTION birth_guard.guard()",
        "replaceable": "ALTER FUNCTION birth_guard.guard OWNER TO birth_definer",
        "absent": "DROP EVENT TRIGGER birth_guard_dropped",
    }.items():
        scene.execute(change.encode())
        assert states(scene)[1] == state
        while "absent" not in states(scene) and states(scene) != ["present"] * 3:
            for row in scene.rows("SELECT * FROM birth.v_birth_event_trigger WHERE state <> 'present'"):
                scene.execute(row["next_step"].encode())
        if "absent" in states(scene):
            scene.execute("DROP EVENT TRIGGER IF EXISTS birth_guard_changed; DROP SCHEMA birth_guard CASCADE")
            send(scene.admin, ADD)
        assert states(scene) == ["present"] * 3
    send(scene.admin, REMOVE)
    assert states(scene) == ["absent"] * 3


def test_the_event_trigger_view_reads_the_event_triggers_setting(guarded: Scene) -> None:
    if guarded.db.cluster.major < 17:
        pytest.skip("event_triggers came with PostgreSQL 17")
    guarded.execute("SET event_triggers = off")
    assert states(guarded) == ["switched off"] * 3
    guarded.execute("SET event_triggers = on")
    assert states(guarded) == ["present"] * 3


def test_missing_event_triggers_are_no_fault(scene: Scene) -> None:
    assert scene.rows("SELECT * FROM birth.v_birth_attention") == []
    assert scene.value("SELECT all_ok FROM birth.v_birth_gateway_contract_integrity_dashboard") is True


def test_only_a_superuser_can_add_the_event_triggers(db: Database) -> None:
    with db.connect(RELEASER) as releaser, raised("42501"):
        send(releaser, ADD)


# --- nobody's DDL depends on them


def without_the_schema(scene: Scene) -> None:
    scene.execute("SET session_replication_role = origin")
    with scene.admin.transaction():
        scene.execute(LOCK)
        scene.execute("ALTER SCHEMA birth RENAME TO elsewhere")


def without_the_alerts(scene: Scene) -> None:
    with scene.admin.transaction():
        scene.execute(LOCK)
        scene.execute("DROP TABLE birth_guard.alert")


def without_its_helpers(scene: Scene) -> None:
    scene.execute("DROP FUNCTION birth_guard.changed; DROP FUNCTION birth_guard.dropped")


@pytest.mark.parametrize("broken", [without_the_schema, without_the_alerts, without_its_helpers])
def test_ddl_outside_birth_passes_even_if_schema_birth_is_broken(
    guarded: Scene, broken: Callable[[Scene], None]
) -> None:
    broken(guarded)
    nora = guarded.session("nora_nobody")
    for session in (nora, guarded.admin):
        session.execute("CREATE TABLE public.other (id integer PRIMARY KEY)")
        session.execute("ALTER TABLE public.other ADD COLUMN note text")
        session.execute("CREATE TRIGGER other BEFORE UPDATE ON public.other FOR EACH ROW"
                        " EXECUTE FUNCTION suppress_redundant_updates_trigger()")  # fmt: skip
        session.execute("GRANT SELECT ON public.other TO PUBLIC")
        session.execute("DROP TRIGGER other ON public.other")
        session.execute("DROP TABLE public.other")
        session.execute("CREATE SCHEMA other; ALTER SCHEMA other RENAME TO another; DROP SCHEMA another"
                        if session is guarded.admin else "SELECT")  # fmt: skip
    nora.execute("ALTER TABLE item DISABLE TRIGGER birth_gateway")
    nora.execute("DROP TRIGGER birth_gateway ON item")


def test_ddl_of_a_role_without_privileges_on_birth_passes(guarded: Scene) -> None:
    # Nobody else's: logins are cluster-wide, and other tests make nora_nobody an application.
    guarded.execute("CREATE ROLE sam_stranger LOGIN; GRANT CREATE ON SCHEMA public TO sam_stranger")
    try:
        with guarded.db.connect("sam_stranger") as stranger:
            assert stranger.execute("SELECT has_schema_privilege('birth', 'USAGE')").fetchone() == (False,)
            stranger.execute("CREATE TABLE public.other (id serial PRIMARY KEY)")
            stranger.execute("DROP TABLE public.other")
    finally:
        guarded.execute("DROP OWNED BY sam_stranger; DROP ROLE sam_stranger")
