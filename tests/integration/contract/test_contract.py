"""The contract: what is recorded, what counts as drift, what blocks, and that the repair repairs."""

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, LiteralString

import psycopg
import pytest
from helpers import OPERATOR, Row, Scene, refused, statement
from integration.contract.drifts import DRIFTS, Drift, Group, grouped, known, label
from psycopg.sql import SQL, Identifier
from sample import some
from support import RELEASER, Cluster, downgrade, upgrade, worker

from birthdb import paths
from birthdb.audit.verify import verify
from birthdb.errors import ContractDrift

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
    "bytea_output": "escape",
    "standard_conforming_strings": "off",
}


def drifted(scene: Scene) -> list[Row]:
    return scene.rows(
        "SELECT * FROM birth.v_birth_gateway_release_drift_guard WHERE drift <> 'ok' ORDER BY kind, object"
    )


def put_right(scene: Scene) -> None:
    """Send each repair; again those that needed another one first."""
    for _ in range(3):
        for row in drifted(scene):
            with suppress(psycopg.Error), scene.admin.transaction():
                scene.execute(row["repair"].encode())


def all_ok(scene: Scene) -> bool:
    return bool(scene.value("SELECT all_ok FROM birth.v_birth_gateway_contract_integrity_dashboard"))


#: What the drift guard knows of the rules that views are stored as.
KNOWN: LiteralString = """
SELECT jsonb_object_agg(substr(subject, 6), value) FROM birth.birth_stage_anchor WHERE stage = 'contract'
"""


def live(scene: Scene, *, known: bool = False) -> dict[tuple[str, str], str]:
    rules: LiteralString = f"coalesce(({KNOWN}), '{{}}')" if known else "'{}'"
    rows = scene.rows(SQL("SELECT kind, object, exact_sha256 FROM birth.fn_birth_contract_live({})").format(SQL(rules)))
    return {(row["kind"], row["object"]): row["exact_sha256"] for row in rows}


def written_otherwise(scene: Scene) -> list[Row]:
    """Return what is not written as jsonb writes it, which is what a manifest hashes."""
    return scene.rows(
        "SELECT kind, object, parts FROM birth.fn_birth_contract_live() WHERE parts <> parts::jsonb::text"
    )


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
               (SELECT count(*) FROM pg_class
                WHERE relnamespace = 'birth'::regnamespace AND relkind IN ('r', 'v')) AS relations,
               (SELECT count(*) FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
                WHERE c.relnamespace = 'birth'::regnamespace AND k.contype <> 'n') AS constraints
        """)
    kinds = [kind for kind, _ in live(scene)]
    assert counted == [
        {
            "routines": sum(kind in ("gateway", "function", "procedure") for kind in kinds),
            "relations": sum(kind in ("table", "view") for kind in kinds),
            "constraints": kinds.count("constraint"),
        }
    ]


def test_the_contract_does_not_depend_on_session_settings(scene: Scene) -> None:
    before = live(scene)
    for name, value in SETTINGS.items():
        scene.execute("SELECT set_config(%s, %s, false)", (name, value))
    assert live(scene) == before
    assert all_ok(scene)


@pytest.mark.long
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


def test_recreating_every_definition_changes_nothing(scene: Scene) -> None:
    """What a dump and restore does: a definition that is not stable would drift by it."""
    scene.execute("SET search_path = pg_catalog, pg_temp")
    scene.execute("CREATE SCHEMA again")
    definitions: LiteralString = """
        SELECT c.relname, pg_get_viewdef(c.oid) AS text FROM pg_class c
        WHERE c.relnamespace = %s::text::regnamespace AND c.relkind = 'v'"""
    views = scene.rows(definitions, ("birth",))
    for view in views:
        scene.execute(SQL("CREATE VIEW again.{} AS ").format(Identifier(view["relname"])) + SQL(view["text"]))
    assert {view["relname"]: view["text"] for view in views} == {
        row["relname"]: row["text"] for row in scene.rows(definitions, ("again",))
    }
    for check in scene.rows("""
        SELECT k.conrelid::regclass::text AS rel, pg_get_constraintdef(k.oid) AS text FROM pg_constraint k
        JOIN pg_class c ON c.oid = k.conrelid WHERE c.relnamespace = 'birth'::regnamespace AND k.contype = 'c'"""):
        scene.execute(f"CREATE TABLE again.t (LIKE {check['rel']})".encode())
        scene.execute(f"ALTER TABLE again.t ADD CONSTRAINT it {check['text']}".encode())
        found = scene.value("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'it'")
        assert found == check["text"]
        scene.execute("DROP TABLE again.t")


@some("drifts", grouped(drift for drift in DRIFTS if drift.repairs), every=2, ids=label)
def test_a_change_is_found_classified_and_repaired(undone: Scene, drifts: Group) -> None:
    are_found(undone, drifts)
    put_right(undone)
    assert drifted(undone) == []
    assert all_ok(undone)


@pytest.mark.parametrize("drift", [drift for drift in DRIFTS if not drift.repairs], ids=str)
def test_what_no_statement_repairs_says_what_a_person_has_to_do(undone: Scene, drift: Drift) -> None:
    repair = are_found(undone, [drift])[drift.object]["repair"]
    assert repair.startswith("-- ")
    assert re.search("restore .* from a backup|REFRESH PUBLICATION|its owner|ALTER EXTENSION", repair)


def are_found(scene: Scene, drifts: Sequence[Drift]) -> dict[str, Row]:
    """Do what the drifts are; return what is found of each object."""
    drifts = known(scene.admin, drifts)
    before = token(scene)
    for drift in drifts:
        scene.execute(drift.statement.encode())
        assert (token(scene) != before) == drift.token, drift.statement
        before = token(scene)
    found = {f"{row['kind']} {row['object']}": row for row in drifted(scene)}
    for drift in drifts:
        row = found[drift.object]
        assert (row["drift"], row["blocks"]) == (drift.drift, drift.blocks), row
    assert all_ok(scene) is not any(row["blocks"] for row in found.values())
    assert written_otherwise(scene) == []
    return found


def test_a_tablespace_is_tuning(scene: Scene) -> None:
    if scene.admin.info.server_version < 150000:
        pytest.skip("PostgreSQL has tablespaces in its own folder from 15 on")
    name = Identifier(f"space_{worker()}")
    scene.execute("SET allow_in_place_tablespaces = on")
    scene.execute(SQL("CREATE TABLESPACE {} LOCATION ''").format(name))
    try:
        scene.execute(
            SQL(
                "ALTER TABLE birth.birth_act SET TABLESPACE {0}; ALTER INDEX birth.birth_act_pkey SET TABLESPACE {0}"
            ).format(name)
        )
        assert [(row["kind"], row["drift"], row["blocks"], row["pass"]) for row in drifted(scene)] == [
            ("constraint", "tuning", False, True),
            ("table", "tuning", False, True),
        ]
        put_right(scene)
        assert drifted(scene) == []
    finally:
        scene.execute(SQL("DROP TABLESPACE {}").format(name))


def test_a_release_goes_on_over_tuning_and_keeps_it(scene: Scene) -> None:
    scene.execute(
        "ALTER TABLE birth.birth_registry SET (fillfactor = 80); ALTER TABLE birth.birth_act ALTER COLUMN actor"
        " SET STATISTICS 500; ALTER INDEX birth.bbl2_collection SET (fillfactor = 70)"
    )
    downgrade(scene.db.url(RELEASER), "stage2_5")
    upgrade(scene.db.url(RELEASER))
    assert {(row["object"], row["drift"]) for row in drifted(scene)} == {
        ("birth_registry", "tuning"),
        ("birth_act", "tuning"),
        ("bbl2_collection", "tuning"),
    }
    assert scene.rows("SELECT FROM birth.v_birth_attention WHERE what ~ 'drifted'") == []
    assert verify(scene.admin).fine


def test_an_added_select_does_not_hide_an_added_insert(scene: Scene) -> None:
    scene.execute("GRANT SELECT, INSERT ON birth.birth_registry TO nora_nobody")
    (row,) = drifted(scene)
    assert row["blocks"]
    assert row["found"] == "nora_nobody=INSERT, nora_nobody=SELECT"


def test_an_empty_list_of_settings_is_named_as_drift(scene: Scene) -> None:
    scene.execute("UPDATE pg_proc SET proconfig = '{}' WHERE oid = 'birth.fn_birth_key_lists'::regproc")
    (row,) = drifted(scene)
    assert "fn_birth_key_lists" in row["object"]
    assert written_otherwise(scene) == []


def test_blocking_drift_stops_a_run_and_harmless_drift_does_not(scene: Scene) -> None:
    run = scene.permitted(scene.collection())
    scene.execute("GRANT SELECT ON birth.birth_act TO nora_nobody")
    scene.apply(run)
    other = scene.permitted(scene.collection("other"))
    scene.execute("GRANT INSERT ON birth.birth_receipt TO nora_nobody")
    with pytest.raises(Exception, match="does not match its release"):
        scene.apply(other)


def test_data_changes_keep_the_contract_token(scene: Scene) -> None:
    before = token(scene)
    scene.apply(scene.permitted(scene.collection()))
    scene.execute("VACUUM ANALYZE birth.birth_registry")
    scene.execute("CREATE TABLE public.theirs (id int)")
    assert token(scene) == before


@pytest.mark.parametrize(
    "statement",
    [
        "COMMENT ON COLUMN birth.birth_registry.born_at IS 'a comment is no part of the contract'",
        "CREATE FUNCTION public.theirs() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE VIEW public.theirs AS SELECT * FROM birth.birth_act",
        "CREATE TABLE public.theirs (entity_code text REFERENCES birth.birth_registry)",
        "CREATE TABLE public.theirs (of_ours birth.birth_act)",
        "ALTER SEQUENCE birth.birth_act_act_id_seq RESTART 1000",
    ],
)
def test_objects_outside_the_contract_do_not_drift(scene: Scene, statement: str) -> None:
    scene.execute(statement.encode())
    assert drifted(scene) == []


def test_cached_view_definitions_equal_deparsed_ones(scene: Scene) -> None:
    assert live(scene, known=True) == live(scene)
    scene.execute("UPDATE birth.birth_stage_anchor SET value = 'nothing known' WHERE stage = 'contract'")
    assert live(scene, known=True) == live(scene)
    assert drifted(scene) == []


def test_a_cached_view_rule_is_valid_only_with_its_dependencies(scene: Scene) -> None:
    """A table moved away and made anew in its place leaves the rule, which reads the one that was moved."""
    made = (paths.SQL / "tables" / "gateway" / "birth_gateway_finding.sql").read_text(encoding="utf-8")
    scene.execute(
        "CREATE SCHEMA hid AUTHORIZATION birth_definer; ALTER TABLE birth.birth_gateway_finding SET SCHEMA hid"
    )
    with scene.admin.transaction():
        scene.execute("SET LOCAL ROLE birth_definer")
        scene.execute(made.encode())
    assert any(row["kind"] == "view" and row["drift"] == "body" and row["blocks"] for row in drifted(scene))


def test_names_are_encoded_like_jsonb(scene: Scene) -> None:
    name = Identifier('a "quoted" \\ name,\tnicht nur ASCII: ä')
    scene.execute(
        SQL("""
        CREATE TABLE birth.{0} (
          {0} text COLLATE "C" DEFAULT '"\\' NOT NULL,
          n int GENERATED ALWAYS AS IDENTITY,
          g int GENERATED ALWAYS AS (1) STORED,
          CONSTRAINT {0} CHECK ({0} <> '\\"')
        ) WITH (fillfactor = 90, autovacuum_enabled = off);
        CREATE TABLE birth.child () INHERITS (birth.{0});
        GRANT SELECT ({0}), UPDATE (n) ON birth.{0} TO nora_nobody;
        CREATE FUNCTION birth.{0}({0} text DEFAULT '\\"') RETURNS SETOF int LANGUAGE sql
          COST 0.25 ROWS 1e10 SET x.y = '"\\' SET timezone = 'UTC'
          AS 'SELECT 1'
        """).format(name)
    )
    assert [row["object"] for row in drifted(scene) if row["kind"] in ("table", "function")]
    assert written_otherwise(scene) == []


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
    recorded = scene.value(
        "SELECT count(*) FROM birth.birth_gateway_release_registry WHERE object = 'fn_birth_lock_key(text)'"
    )
    assert recorded >= 3


def test_a_removed_object_gets_a_row_without_hashes_and_is_not_missing(scene: Scene) -> None:
    record(scene)
    scene.execute("DROP VIEW birth.v_birth_metrics")
    assert [row["drift"] for row in drifted(scene)] == ["missing"]
    assert record(scene, "without metrics") == 1
    assert drifted(scene) == []
    (row,) = scene.rows("SELECT * FROM birth.v_birth_release_history ORDER BY generation DESC LIMIT 1")
    assert (row["release"], row["removed"], row["recorded"]) == ("without metrics", 1, 0)
    assert record(scene) == 0


def test_an_empty_contract_is_not_all_ok(scene: Scene) -> None:
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
    assert conn.execute("SELECT FROM birth.v_birth_gateway_release_drift_guard WHERE NOT pass").fetchone() is None


def test_every_routine_has_the_semantic_hash_of_its_release(scene: Scene) -> None:
    rows = scene.rows("""
        SELECT object FROM birth.v_birth_contract_recorded
        WHERE kind IN ('gateway', 'function', 'procedure') AND semantic_sha256 IS NULL""")
    assert rows == []


@pytest.mark.parametrize(
    "name", ["x=SELECT y", "birth_definer=x", "PUBLIC", "a=SELECT(actor) ON birth.birth_act FROM b; --)"]
)
def test_a_hostile_role_name_cannot_imitate_another_entry(scene: Scene, name: str) -> None:
    scene.execute(
        SQL("CREATE ROLE {0}; GRANT CREATE ON SCHEMA birth TO {0}; GRANT DELETE ON birth.birth_act TO {0}").format(
            Identifier(name)
        )
    )
    scene.execute(
        SQL("ALTER DEFAULT PRIVILEGES FOR ROLE {0} IN SCHEMA birth GRANT SELECT ON TABLES TO nora_nobody").format(
            Identifier(name)
        )
    )
    try:
        rows = drifted(scene)
        assert {(row["object"], row["drift"], row["blocks"]) for row in rows} == {
            ("birth", "privileges", True),
            ("birth_act", "privileges", True),
        }
        assert written_otherwise(scene) == []
        for row in rows:
            scene.execute(row["repair"].encode())
        assert drifted(scene) == []
    finally:
        scene.execute(SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(Identifier(name)))


def test_a_hostile_table_name_cannot_inject_a_statement(scene: Scene) -> None:
    table = Identifier("a.IF EXISTS x ON birth.birth_act; CREATE TABLE public.sent(); --")
    scene.execute(SQL("CREATE TABLE birth.{} (a int)").format(table))
    acts = SQL("FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()")
    scene.execute(SQL("CREATE TRIGGER x BEFORE UPDATE ON birth.{} {}").format(table, acts))
    for row in sorted(drifted(scene), key=lambda row: str(row["kind"] == "table")):
        scene.execute(row["repair"].encode())
    assert drifted(scene) == []
    assert scene.value("SELECT to_regclass('public.sent')") is None


def test_a_view_replaced_during_recording_is_not_cached(scene: Scene) -> None:
    columns = scene.value("""
        SELECT string_agg(format('NULL::%s%s AS %I', format_type(a.atttypid, a.atttypmod),
                                 ' COLLATE ' || nullif(quote_ident(c.collname), '"default"'), a.attname),
                          ', ' ORDER BY a.attnum)
        FROM pg_attribute a LEFT JOIN pg_collation c ON c.oid = a.attcollation
        WHERE a.attrelid = 'birth.v_birth_separation_of_duties'::regclass""")
    scene.execute(f"CREATE OR REPLACE VIEW birth.v_birth_separation_of_duties AS SELECT {columns} WHERE false".encode())
    with scene.admin.transaction():
        scene.execute("SET LOCAL ROLE birth_definer")
        # What a release sends after it has compared: the manifest is what it wanted.
        scene.value("""
            SELECT birth.fn_birth_contract_record('again', jsonb_build_object(
              'servers', jsonb_build_object(current_setting('server_version_num')::int / 10000, 1),
              'objects', jsonb_object_agg(r.kind || ' ' || r.object,
                                          jsonb_build_object('parts', r.parts, 'semantic', r.semantic_sha256))))
            FROM birth.v_birth_contract_recorded r WHERE r.kind <> 'claim'""")
    assert [(row["object"], row["drift"]) for row in drifted(scene)] == [("v_birth_separation_of_duties", "body")]


#: What is done to a role, in a transaction that is rolled back; what the contract finds, and whether that blocks.
ROLES: dict[str, tuple[str, str, str, bool]] = {
    "the owner of everything is a superuser": (
        "ALTER ROLE birth_definer SUPERUSER",
        "birth_definer",
        '["SUPERUSER"]',
        True,
    ),
    "it passes row security": ("ALTER ROLE birth_definer BYPASSRLS", "birth_definer", '["BYPASSRLS"]', True),
    "it makes roles": ("ALTER ROLE birth_definer CREATEROLE", "birth_definer", '["CREATEROLE"]', True),
    "it logs in": ("ALTER ROLE birth_definer LOGIN", "birth_definer", '["LOGIN"]', True),
    "it replicates and makes databases": (
        "ALTER ROLE birth_definer REPLICATION CREATEDB",
        "birth_definer",
        '["CREATEDB", "REPLICATION"]',
        True,
    ),
    "it has settings": (
        "ALTER ROLE birth_definer SET row_security = off",
        "birth_definer",
        '["SET row_security=off"]',
        True,
    ),
    "it reads everything": ("GRANT pg_read_all_data TO birth_definer", "birth_definer", "pg_read_all_data", True),
    "it is a member of a team": ("CREATE ROLE team; GRANT team TO birth_definer", "birth_definer", "team", True),
    "operators write every table": (
        "GRANT pg_write_all_data TO birth_operator",
        "birth_operator",
        "pg_write_all_data",
        True,
    ),
    "operators write every table by a team": (
        "CREATE ROLE team; GRANT pg_write_all_data TO team; GRANT team TO birth_operator",
        "birth_operator",
        "pg_write_all_data by team, team",
        True,
    ),
    "operators review": ("GRANT birth_reviewer TO birth_operator", "birth_operator", "birth_reviewer", True),
    "operators hand their reading on": (
        "GRANT birth_reader TO birth_operator WITH ADMIN OPTION",
        "birth_operator",
        "birth_reader*",
        True,
    ),
    "operators run programs": (
        "GRANT pg_execute_server_program TO birth_operator",
        "birth_operator",
        "pg_execute_server_program",
        True,
    ),
    "operators become a superuser": (
        "CREATE ROLE chief SUPERUSER; GRANT chief TO birth_operator",
        "birth_operator",
        "chief SUPERUSER",
        True,
    ),
    "operators make roles": ("ALTER ROLE birth_operator CREATEROLE", "birth_operator", '["CREATEROLE"]', True),
    "operators read more": ("CREATE ROLE team; GRANT team TO birth_operator", "birth_operator", "team", False),
    "readers monitor": ("GRANT pg_monitor TO birth_reader", "birth_reader", "pg_monitor", False),
    "a role logs in": ("ALTER ROLE birth_dba LOGIN CREATEDB", "birth_dba", '["CREATEDB", "LOGIN"]', False),
    "a role is limited": (
        "ALTER ROLE birth_dba CONNECTION LIMIT 3 VALID UNTIL '2001-01-01'",
        "birth_dba",
        '["CONNECTION LIMIT", "VALID UNTIL"]',
        False,
    ),
    "operators no longer read": (
        "DELETE FROM pg_auth_members WHERE roleid = 'birth_reader'::regrole AND member = 'birth_operator'::regrole",
        "birth_operator",
        "nothing",
        False,
    ),
}


@some("what", ROLES, every=2)
def test_role_attributes_and_memberships_are_part_of_the_contract(scene: Scene, what: str) -> None:
    statement, role, found, blocks = ROLES[what]
    with scene.admin.transaction(force_rollback=True):
        scene.execute(statement.encode())
        (row,) = [row for row in drifted(scene) if row["kind"] == "role" and row["object"] == role]
        assert found in row["found"]
        assert row["blocks"] is blocks
        assert all_ok(scene) is not blocks
        assert written_otherwise(scene) == []
        for row in drifted(scene):
            scene.execute(row["repair"].encode())
        assert drifted(scene) == []


def test_a_role_that_is_gone_is_missing(scene: Scene) -> None:
    with scene.admin.transaction(force_rollback=True):
        scene.execute("ALTER ROLE birth_source_owner RENAME TO birth_gone")
        (row,) = [row for row in drifted(scene) if row["kind"] == "role"]
        assert (row["drift"], row["blocks"], row["repair"]) == (
            "missing",
            True,
            "CREATE ROLE birth_source_owner NOLOGIN",
        )


def test_every_role_of_the_release_is_checked(scene: Scene) -> None:
    made = set(re.findall(r"^    '(birth_\w+)'", (paths.SQL / "roles" / "roles.sql").read_text(encoding="utf-8"), re.M))
    assert len(made) > 7
    assert made <= {name for kind, name in live(scene) if kind == "role"}


def test_a_run_is_refused_while_birth_definer_is_superuser(scene: Scene) -> None:
    run = scene.permitted(scene.collection())
    arguments = run.arguments(p_batch_size=100, p_dry_run=False, p_execute=True)
    call = statement("SELECT * FROM", "fn_dot_birth_qt001_apply", arguments)
    with scene.unchanged(), scene.admin.transaction(force_rollback=True):
        scene.execute("ALTER ROLE birth_definer SUPERUSER")
        scene.execute(SQL("SET LOCAL SESSION AUTHORIZATION {}").format(Identifier(OPERATOR)))
        with refused(ContractDrift) as caught:
            scene.execute(call, arguments)
        assert "role birth_definer: configuration" in (caught.value.diag.message_detail or "")
    scene.apply(run)
