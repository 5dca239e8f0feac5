"""The contract: what is recorded, what counts as drift, what blocks, and that the repair repairs."""

from dataclasses import dataclass
from typing import Any

import pytest
from helpers import OPERATOR, Row, Scene
from psycopg.sql import SQL, Identifier
from support import Cluster, Database

GATEWAY = {
    "fn_birth_registry_auto",
    "fn_birth_registry_auto_id",
    "fn_birth_policy_decision",
    "fn_birth_resolve_identity",
    "fn_birth_register",
}

#: Every setting that changes how the server writes a definition down.
SETTINGS = {
    "search_path": "birth, public",
    "timezone": "Asia/Kathmandu",
    "datestyle": "SQL, DMY",
    "intervalstyle": "iso_8601",
    "quote_all_identifiers": "on",
    "extra_float_digits": "-15",
}


def drifted(scene: Scene) -> list[Row]:
    return scene.rows("SELECT * FROM birth.v_birth_gateway_release_drift_guard WHERE NOT pass ORDER BY kind, object")


def all_ok(scene: Scene) -> bool:
    return bool(scene.value("SELECT all_ok FROM birth.v_birth_gateway_contract_integrity_dashboard"))


def live(scene: Scene, *, trust: bool = False) -> dict[tuple[str, str], str]:
    rows = scene.rows("SELECT kind, object, exact_sha256 FROM birth.fn_birth_contract_live(%s)", (trust,))
    return {(row["kind"], row["object"]): row["exact_sha256"] for row in rows}


def token(scene: Scene) -> str:
    return str(scene.value("SELECT birth.fn_birth_contract_token()"))


def contract_hash(scene: Scene) -> str:
    return str(scene.value("SELECT birth.fn_birth_contract_hash()"))


def record(scene: Scene, release: str = "next") -> int:
    with scene.admin.transaction():
        scene.execute("SET LOCAL ROLE birth_definer")
        return int(scene.value("SELECT birth.fn_birth_contract_record(%s, '{}')", (release,)))


def test_nothing_has_drifted_after_a_release(scene: Scene) -> None:
    assert drifted(scene) == []
    assert all_ok(scene)


def test_the_five_gateway_functions_are_kind_gateway_and_pass(scene: Scene) -> None:
    rows = scene.rows("SELECT * FROM birth.v_birth_gateway_release_drift_guard WHERE kind = 'gateway'")
    assert {row["object"].partition("(")[0] for row in rows} == GATEWAY
    assert all(row["pass"] for row in rows)


def test_every_object_of_the_schema_is_in_the_contract(scene: Scene) -> None:
    counted = scene.rows("""
        SELECT (SELECT count(*) FROM pg_proc WHERE pronamespace = 'birth'::regnamespace) AS routines,
               (SELECT count(*) FROM pg_class WHERE relnamespace = 'birth'::regnamespace AND relkind IN ('r', 'v')
                  AND relname <> 'alembic_version') AS relations,
               (SELECT count(*) FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
                WHERE c.relnamespace = 'birth'::regnamespace AND k.contype <> 'n' AND c.relname <> 'alembic_version') AS constraints
        """)
    kinds = [kind for kind, _ in live(scene)]
    assert counted == [
        {
            "routines": sum(kind in ("gateway", "function", "procedure") for kind in kinds),
            "relations": sum(kind in ("table", "view") for kind in kinds),
            "constraints": kinds.count("constraint"),
        }
    ]


def test_it_does_not_depend_on_what_a_session_has_set(scene: Scene) -> None:
    before = live(scene)
    for name, value in SETTINGS.items():
        scene.execute("SELECT set_config(%s, %s, false)", (name, value))
    assert live(scene) == before
    assert all_ok(scene)


def test_two_databases_of_one_server_have_the_same_contract(scene: Scene, server: Cluster) -> None:
    other = server.create_released()
    try:
        # Other OIDs, and another history of transactions.
        with Scene(other).db.connect() as conn:
            found = conn.execute("SELECT kind, object, exact_sha256 FROM birth.fn_birth_contract_live()").fetchall()
            assert {(kind, name): sha for kind, name, sha in found} == live(scene)
            assert conn.execute("SELECT birth.fn_birth_contract_hash()").fetchone() == (contract_hash(scene),)
    finally:
        other.drop()


def test_writing_every_definition_out_and_in_again_changes_nothing(scene: Scene) -> None:
    """What a dump and restore does: a definition that is not stable would drift by it."""
    scene.execute("SET search_path = pg_catalog, pg_temp")
    scene.execute("CREATE SCHEMA again")
    views = scene.rows("SELECT c.relname, pg_get_viewdef(c.oid) AS text FROM pg_class c WHERE c.relnamespace = 'birth'::regnamespace AND c.relkind = 'v'")
    for view in views:
        scene.execute(SQL("CREATE VIEW again.{} AS ").format(Identifier(view["relname"])) + SQL(view["text"]))
    assert {view["relname"]: view["text"] for view in views} == {
        row["relname"]: row["text"]
        for row in scene.rows("SELECT c.relname, pg_get_viewdef(c.oid) AS text FROM pg_class c WHERE c.relnamespace = 'again'::regnamespace")
    }
    for check in scene.rows("""
        SELECT k.conrelid::regclass::text AS rel, pg_get_constraintdef(k.oid) AS text FROM pg_constraint k
        JOIN pg_class c ON c.oid = k.conrelid WHERE c.relnamespace = 'birth'::regnamespace AND k.contype = 'c'"""):
        scene.execute(f"CREATE TABLE again.t (LIKE {check['rel']}); ALTER TABLE again.t ADD CONSTRAINT it {check['text']}".encode())
        assert scene.value("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'again.t'::regclass AND conname = 'it'") == check["text"]
        scene.execute("DROP TABLE again.t")


@dataclass(frozen=True)
class Drift:
    """What a statement does to the contract."""

    statement: str
    object: str
    drift: str
    blocks: bool
    #: Whether the repair is a statement that can be sent as it is.
    repairs: bool = True


DRIFTS = [
    Drift("DO $$ BEGIN EXECUTE replace(pg_get_functiondef('birth.fn_birth_lock_key'::regproc), '0)', '1)'); END $$",
          "function fn_birth_lock_key(text)", "body", True, False),
    Drift("DO $$ BEGIN EXECUTE replace(pg_get_functiondef('birth.fn_birth_lock_key'::regproc), 'SELECT', 'SELECT /* */'); END $$",
          "function fn_birth_lock_key(text)", "body", True, False),
    Drift("DROP FUNCTION birth.fn_birth_lock_key(text)", "function fn_birth_lock_key(text)", "missing", True, False),
    Drift("ALTER FUNCTION birth.fn_birth_lock_key(text) VOLATILE", "function fn_birth_lock_key(text)", "configuration", True, False),
    Drift("ALTER FUNCTION birth.fn_birth_lock_key(text) SECURITY DEFINER", "function fn_birth_lock_key(text)", "configuration", True, False),
    Drift("ALTER FUNCTION birth.fn_birth_lock_key(text) SET search_path = public", "function fn_birth_lock_key(text)", "configuration", True, False),
    Drift("ALTER FUNCTION birth.fn_birth_lock_key(text) RESET search_path", "function fn_birth_lock_key(text)", "configuration", True, False),
    Drift("ALTER FUNCTION birth.fn_birth_lock_key(text) COST 7", "function fn_birth_lock_key(text)", "configuration", True, False),
    Drift("ALTER FUNCTION birth.fn_birth_lock_key(text) OWNER TO birth_dba", "function fn_birth_lock_key(text)", "owner", True),
    Drift("DO $$ BEGIN EXECUTE replace(pg_get_functiondef('birth.fn_birth_actor'::regproc), 'p_role text', 'p_role text DEFAULT NULL'); "
          "EXCEPTION WHEN others THEN EXECUTE 'ALTER FUNCTION birth.fn_birth_actor(text, text[]) STRICT'; END $$",
          "function fn_birth_actor(text,text[])", "configuration", True, False),
    Drift("DO $$ BEGIN EXECUTE replace(pg_get_functiondef('birth.sp_dot_birth_qt001_apply'::regproc), 'p_execute boolean DEFAULT false', "
          "'p_execute boolean DEFAULT true'); END $$", "procedure sp_dot_birth_qt001_apply(text,uuid,bigint,bigint,bigint,integer,boolean,text)",
          "signature", True, False),
    Drift("GRANT EXECUTE ON FUNCTION birth.fn_birth_register_set TO birth_operator", "function fn_birth_register_set(text,text[],text,uuid)", "privileges", True),
    Drift("GRANT EXECUTE ON FUNCTION birth.fn_birth_register_set TO PUBLIC", "function fn_birth_register_set(text,text[],text,uuid)", "privileges", True),
    Drift("REVOKE EXECUTE ON FUNCTION birth.fn_birth_dot_freeze FROM birth_operator", "function fn_birth_dot_freeze(text,text)", "privileges", False),
    Drift("CREATE FUNCTION birth.fn_birth_lock_key(p_name text, p_more text) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'",
          "function fn_birth_lock_key(text,text)", "overload", True),
    Drift("CREATE FUNCTION birth.fn_helper() RETURNS int LANGUAGE sql AS 'SELECT 1'", "function fn_helper()", "extra", True),
    Drift("CREATE PROCEDURE birth.sp_helper() LANGUAGE sql AS 'SELECT 1'", "procedure sp_helper()", "extra", True),
    Drift("CREATE VIEW birth.v_mine AS SELECT 1 AS one", "view v_mine", "extra", False),
    Drift("CREATE VIEW birth.v_door AS SELECT * FROM birth.birth_registry; GRANT INSERT ON birth.v_door TO birth_operator", "view v_door", "extra", True),
    Drift("CREATE OR REPLACE VIEW birth.v_birth_release_history AS SELECT * FROM (VALUES (1::bigint, 'x' COLLATE \"C\", now(), 'y'::text, 1, 'z'::text, "
          "1::bigint, 1::bigint)) AS v(generation, release, released_at, released_by, server_major, algorithm, recorded, removed)",
          "view v_birth_release_history", "body", True, False),
    Drift("ALTER VIEW birth.v_birth_release_history SET (security_barrier = true)", "view v_birth_release_history", "configuration", True, False),
    Drift("ALTER VIEW birth.v_birth_release_history OWNER TO birth_dba", "view v_birth_release_history", "owner", True),
    Drift("GRANT SELECT ON birth.birth_act TO nora_nobody", "table birth_act", "privileges", False),
    Drift("GRANT SELECT (actor) ON birth.birth_act TO nora_nobody WITH GRANT OPTION", "table birth_act", "privileges", False),
    Drift("GRANT UPDATE (reason) ON birth.birth_act TO birth_operator", "table birth_act", "privileges", True),
    Drift("GRANT INSERT ON birth.birth_registry TO birth_operator", "table birth_registry", "privileges", True),
    Drift("GRANT DELETE ON birth.birth_registry TO birth_dba", "table birth_registry", "privileges", True),
    Drift("GRANT TRUNCATE ON birth.birth_registry TO birth_dba", "table birth_registry", "privileges", True),
    Drift("GRANT UPDATE ON SEQUENCE birth.birth_act_act_id_seq TO birth_operator", "table birth_act", "privileges", True),
    Drift("GRANT CREATE ON SCHEMA birth TO birth_operator", "schema birth", "privileges", True),
    Drift("ALTER TABLE birth.birth_act OWNER TO birth_dba", "table birth_act", "owner", True),
    Drift("ALTER TABLE birth.birth_registry ADD COLUMN note text", "table birth_registry", "signature", True, False),
    Drift("ALTER TABLE birth.birth_registry ALTER COLUMN born_at DROP NOT NULL", "table birth_registry", "signature", True, False),
    Drift("ALTER TABLE birth.birth_registry ALTER COLUMN born_at SET DEFAULT '2000-01-01'", "table birth_registry", "signature", True, False),
    Drift("ALTER TABLE birth.birth_registry ENABLE ROW LEVEL SECURITY", "table birth_registry", "state", True),
    Drift("ALTER TABLE birth.birth_registry SET UNLOGGED", "table birth_registry", "state", True, False),
    Drift("CREATE TABLE public.child () INHERITS (birth.birth_registry)", "table birth_registry", "state", True),
    Drift("ALTER TABLE birth.birth_backfill_ledger_v2 DROP CONSTRAINT bbl2_no_false_done", "constraint birth_backfill_ledger_v2.bbl2_no_false_done", "missing", True),
    Drift("ALTER TABLE birth.birth_backfill_ledger_v2 DROP CONSTRAINT bbl2_no_false_done, ADD CONSTRAINT bbl2_no_false_done CHECK (true)",
          "constraint birth_backfill_ledger_v2.bbl2_no_false_done", "signature", True),
    Drift("DO $$ DECLARE d text := (SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'bbl2_no_false_done'); BEGIN "
          "ALTER TABLE birth.birth_backfill_ledger_v2 DROP CONSTRAINT bbl2_no_false_done; "
          "EXECUTE 'ALTER TABLE birth.birth_backfill_ledger_v2 ADD CONSTRAINT bbl2_no_false_done ' || d || ' NOT VALID'; END $$",
          "constraint birth_backfill_ledger_v2.bbl2_no_false_done", "not validated", True),
    Drift("ALTER TABLE birth.birth_registry ADD CONSTRAINT mine CHECK (entity_code <> 'x')", "constraint birth_registry.mine", "extra", True),
    Drift("ALTER TABLE birth.birth_review DISABLE TRIGGER ALL", "constraint birth_review.birth_review_run_id_fkey", "disabled", True),
    Drift("DROP INDEX birth.bbl2_one_running", "index bbl2_one_running", "missing", True),
    Drift("DROP INDEX birth.bbl2_collection", "index bbl2_collection", "missing", False),
    Drift("CREATE INDEX mine ON birth.birth_registry (dot_origin)", "index mine", "extra", False),
    Drift("CREATE UNIQUE INDEX mine ON birth.birth_registry (lower(entity_code))", "index mine", "extra", True),
    Drift("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'birth.bbl2_one_running'::regclass", "index bbl2_one_running", "state", True),
    Drift("CREATE TRIGGER mine BEFORE INSERT ON birth.birth_registry FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
          "trigger birth_registry.mine", "extra", True),
    Drift("CREATE RULE mine AS ON INSERT TO birth.birth_registry DO INSTEAD NOTHING", "rule birth_registry.mine", "extra", True),
    Drift("CREATE POLICY mine ON birth.birth_registry USING (true)", "policy birth_registry.mine", "extra", True),
    Drift("ALTER DEFAULT PRIVILEGES FOR ROLE birth_definer IN SCHEMA birth GRANT INSERT ON TABLES TO birth_operator", "schema birth", "privileges", True),
]


@pytest.mark.parametrize("case", DRIFTS, ids=lambda case: f"{case.drift}: {case.statement[:60]}")
def test_a_change_is_found_classified_and_repaired(scene: Scene, case: Drift) -> None:
    before = token(scene)
    scene.execute(case.statement.encode())
    assert token(scene) != before
    (found,) = [row for row in drifted(scene) if f"{row['kind']} {row['object']}" == case.object]
    assert (found["drift"], found["blocks"]) == (case.drift, case.blocks), found
    assert found["repair"]
    assert all_ok(scene) is not any(row["blocks"] for row in drifted(scene))
    if case.repairs:
        for row in drifted(scene):
            scene.execute(row["repair"].encode())
        assert drifted(scene) == []
        assert all_ok(scene)
    else:
        assert "sql/" in found["repair"]


def test_an_added_select_does_not_hide_an_added_insert(scene: Scene) -> None:
    scene.execute("GRANT SELECT, INSERT ON birth.birth_registry TO nora_nobody")
    (row,) = drifted(scene)
    assert row["blocks"]
    assert row["found"] == "nora_nobody=INSERT, nora_nobody=SELECT"


def test_a_blocking_drift_stops_a_run_and_a_harmless_one_does_not(scene: Scene) -> None:
    run = scene.permitted(scene.collection())
    scene.execute("GRANT SELECT ON birth.birth_act TO nora_nobody")
    scene.apply(run)
    other = scene.permitted(scene.collection("other"))
    scene.execute("GRANT INSERT ON birth.birth_receipt TO nora_nobody")
    with pytest.raises(Exception, match="differs from its release"):
        scene.apply(other)


def test_the_token_stays_while_only_data_change(scene: Scene) -> None:
    before = token(scene)
    scene.apply(scene.permitted(scene.collection()))
    scene.execute("VACUUM ANALYZE birth.birth_registry")
    scene.execute("CREATE TABLE public.theirs (id int)")
    assert token(scene) == before


@pytest.mark.parametrize("statement", [
    "COMMENT ON COLUMN birth.birth_registry.born_at IS 'a comment is no part of the contract'",
    "CREATE FUNCTION public.theirs() RETURNS int LANGUAGE sql AS 'SELECT 1'",
])
def test_what_is_no_part_of_the_contract_does_not_drift(scene: Scene, statement: str) -> None:
    scene.execute(statement.encode())
    assert drifted(scene) == []


def test_a_view_whose_rule_was_recorded_is_trusted_and_one_that_changed_is_written_out(scene: Scene) -> None:
    assert live(scene, trust=True) == live(scene)
    scene.execute("UPDATE birth.birth_stage_anchor SET value = 'nothing known' WHERE stage = 'contract'")
    assert live(scene, trust=True) == live(scene)
    assert drifted(scene) == []


def test_recording_again_appends_nothing_when_nothing_changed(scene: Scene) -> None:
    # The manifest's semantic hashes go with this recording; the second one is equal to it.
    record(scene)
    before = scene.value("SELECT count(*) FROM birth.birth_gateway_release_registry")
    assert record(scene) == 0
    assert scene.value("SELECT count(*) FROM birth.birth_gateway_release_registry") == before


def test_going_back_to_an_earlier_body_is_a_new_row_and_the_earlier_hash(scene: Scene) -> None:
    record(scene)
    first = contract_hash(scene)
    definition = scene.value("SELECT pg_get_functiondef('birth.fn_birth_lock_key'::regproc)")
    scene.execute(definition.replace("0)", "1)").encode())
    assert record(scene, "changed") == 1
    assert contract_hash(scene) != first
    scene.execute(definition.encode())
    assert record(scene, "back") == 1
    assert contract_hash(scene) == first
    rows = scene.rows("SELECT generation FROM birth.birth_gateway_release_registry WHERE object = 'fn_birth_lock_key(text)' ORDER BY 1")
    assert len(rows) >= 3


def test_what_a_release_removes_gets_a_row_without_hashes_and_is_not_missed(scene: Scene) -> None:
    record(scene)
    scene.execute("DROP VIEW birth.v_birth_metrics")
    assert [row["drift"] for row in drifted(scene)] == ["missing"]
    assert record(scene, "without metrics") == 1
    assert drifted(scene) == []
    (row,) = scene.rows("SELECT * FROM birth.v_birth_release_history ORDER BY generation DESC LIMIT 1")
    assert (row["release"], row["removed"], row["recorded"]) == ("without metrics", 1, 0)
    assert record(scene) == 0


def test_nothing_recorded_is_not_all_ok(scene: Scene) -> None:
    scene.execute("DELETE FROM birth.birth_gateway_release_registry")
    (row,) = scene.rows("SELECT * FROM birth.v_birth_gateway_contract_integrity_dashboard")
    assert row["all_ok"] is False
    assert row["contract_hash"] is None


def test_the_history_says_who_released_what(scene: Scene) -> None:
    rows = scene.rows("SELECT * FROM birth.v_birth_release_history")
    assert [row["release"] for row in rows][:2] == ["stage1", "stage2"]
    assert {row["released_by"] for row in rows} == {"release_dba"}


def test_an_operator_reads_the_contract(scene: Scene) -> None:
    conn: Any = scene.session(OPERATOR)
    assert conn.execute("SELECT all_ok FROM birth.v_birth_gateway_contract_integrity_dashboard").fetchone() == (True,)
    assert conn.execute("SELECT count(*) FROM birth.v_birth_gateway_release_drift_guard WHERE NOT pass").fetchone() == (0,)


def test_every_routine_and_view_has_the_semantic_hash_of_its_release(scene: Scene, db: Database) -> None:
    rows = scene.rows("SELECT object FROM birth.v_birth_contract_recorded WHERE kind IN ('gateway', 'function', 'procedure') AND semantic_sha256 IS NULL")
    assert rows == []
