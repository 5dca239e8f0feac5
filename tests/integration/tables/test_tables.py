"""What the tables alone forbid, whoever writes: each NULL, each double key, each lost reference, each CHECK."""

from collections.abc import Iterator, Mapping

import psycopg
import pytest
from helpers import Scene, raised
from support import Database

RUN = "'00000000-0000-0000-0000-000000000001'"
SHA = "repeat('0', 64)"
EMPTY = "'{0,0,0}'"

#: A row that each table takes: the columns that are never NULL, identities apart. In the order of their references.
ROWS: Mapping[str, dict[str, str]] = {
    "collection_registry": {
        "collection_name": "'c'",
        "schema_name": "'public'",
        "table_name": "'t'",
        "coverage_status": "'BIRTH_REQUIRED'",
        "governed": "false",
        "birth_code_columns": "'{}'",
        "birth_code_types": "'{}'",
        "birth_code_distinct": "false",
        "birth_code_part": "false",
        "gateway_mode": "'observe'",
        "registered_at": "now()",
        "registered_by": "'x'",
        "rule_version": "1",
        "policy_version": "1",
        "gate_closed": "false",
        "life_mode": "'off'",
        "life_dead": "'{}'",
        "life_key": "'{}'",
    },
    "birth_gate_scope": {
        "schema_name": "'public'",
        "mode": "'observe'",
        "since": "now()",
        "set_by": "'x'",
        "reason": "'x'",
    },
    "birth_registry": {
        "entity_code": "'c-1'",
        "collection_name": "'c'",
        "dot_origin": "'x'",
        "born_at": "now()",
    },
    "dot_registry": {"dot_name": "'d'", "dangerous": "false", "description": "'x'"},
    "trigger_guard_alerts": {"raised_at": "now()", "raised_by": "'x'", "command": "'x'", "object": "'x'"},
    "birth_act": {"act": "'plan'", "actor": "'x'", "actor_id": "'x'", "acted_at": "now()", "detail": "'{}'"},
    "birth_gateway_finding": {
        "found_at": "now()",
        "found_xid": "'7'",
        "inserted_by": "'x'",
        "collection_name": "'c'",
        "error": "'code_duplicate'",
        "row_count": "1",
        "times": "1",
        "examples": "'{}'",
    },
    "birth_stage_anchor": {"stage": "'s'", "subject": "'x'", "value": "'x'", "recorded_at": "now()"},
    "birth_gateway_release_registry": {
        "generation": "1000",
        "release": "'x'",
        "kind": "'k'",
        "object": "'o'",
        "algorithm": "'x'",
        "server_major": "18",
        "released_at": "now()",
        "released_by": "'x'",
        "released_by_id": "'x'",
    },
    "birth_backfill_ledger_v2": {
        "run_id": RUN,
        "lineage": RUN,
        "collection_name": "'c'",
        "purpose": "'APPLY'",
        "status": "'planned'",
        "dry_run": "true",
        "source_rows": "1",
        "existing_births": "0",
        "orphans": "0",
        "dead": "0",
        "unresolvable": "0",
        "duplicates": "0",
        "collisions": "0",
        "planned_rows": "1",
        "planned_fingerprint": EMPTY,
        "seed_a": "0",
        "seed_b": "0",
        "algorithm": "'x'",
        "server_major": "18",
        "contract_hash": "'x'",
        "identity_hash": "'x'",
        "planned_at": "now()",
        "planned_by": "'x'",
        "expected_delta": "1",
        "target_fingerprint": EMPTY,
        "accepted_orphans": "0",
        "epoch": "0",
        "batches": "0",
        "visited": "0",
        "actual_inserted": "0",
        "skipped": "0",
        "blocked": "0",
        "written_fingerprint": EMPTY,
        "compensated_rows": "0",
    },
    "birth_admission_permit_v2": {
        "collection_name": "'c'",
        "run_id": RUN,
        "purpose": "'APPLY'",
        "status": "'OPEN'",
        "max_rows": "1",
        "spent_rows": "0",
        "reason": "'x'",
        "opened_at": "now()",
        "opened_by": "'x'",
        "expires_at": "now() + interval '1 hour'",
    },
    "birth_review": {
        "run_id": RUN,
        "purpose": "'APPLY'",
        "verdict": "'SAFE'",
        "findings": "'x'",
        "accept_orphans": "0",
        "reviewed_at": "now()",
        "reviewed_by": "'x'",
        "planned_fingerprint": EMPTY,
        "contract_hash": "'x'",
        "identity_hash": "'x'",
        "alerts_seen": "0",
        "failures_seen": "0",
        "supersedes": "'{}'",
    },
    "birth_receipt": {
        "run_id": RUN,
        "batch_no": "1",
        "purpose": "'APPLY'",
        "epoch": "1",
        "visited": "0",
        "written": "0",
        "skipped": "0",
        "fingerprint": EMPTY,
        "born_at": "now()",
        "dot_origin": "'x'",
        "written_by": "'x'",
        "sha256": SHA,
    },
    "birth_transition": {
        "run_id": RUN,
        "collection_name": "'c'",
        "from_status": "'BIRTH_DEFERRED_NEEDS_REVIEW'",
        "from_governed": "false",
        "from_version": "1",
        "to_status": "'BIRTH_REQUIRED'",
        "to_governed": "false",
        "direction": "'tightening'",
        "executed_at": "now()",
    },
    "birth_death": {
        "entity_code": "'c-1'",
        "collection_name": "'c'",
        "died_at": "now()",
        "died_xid": "'7'",
        "manner": "'DELETE'",
        "lives": "1",
    },
}

#: The first permit and ledger, which take no row at all; what else they demand stands behind that.
CLOSED: Mapping[str, dict[str, str]] = {
    "birth_admission_permit": {
        "collection_name": "'c'",
        "status": "'OPEN'",
        "reason": "'x'",
        "opened_at": "now()",
        "opened_by": "'x'",
    },
    "birth_backfill_ledger": {
        "run_id": RUN,
        "collection_name": "'c'",
        "status": "'planned'",
        "dry_run": "true",
        "planned_rows": "1",
        "applied_rows": "0",
        "planned_at": "now()",
        "planned_by": "'x'",
    },
}


@pytest.fixture
def scene(db: Database) -> Iterator[Scene]:
    """A released database whose tables have a row each."""
    made = Scene(db)
    for table in ROWS:
        insert(made, table)
    yield made
    made.close()


def insert(scene: Scene, table: str, **changed: str) -> None:
    row = {**ROWS, **CLOSED}[table] | changed
    scene.execute(f"INSERT INTO birth.{table} ({', '.join(row)}) VALUES ({', '.join(row.values())})".encode())


def update(scene: Scene, table: str, column: str, value: str) -> None:
    scene.execute(f"UPDATE birth.{table} SET {column} = {value}".encode())


@pytest.mark.parametrize("table", ROWS)
def test_required_columns_are_not_null(scene: Scene, table: str) -> None:
    for column in ROWS[table]:
        with raised("23502") as caught:
            update(scene, table, column, "NULL")
        assert caught.value.diag.column_name == column


@pytest.mark.parametrize(
    ("table", "changed"),
    [
        ("collection_registry", {"table_name": "'another'"}),
        ("birth_registry", {}),
        ("dot_registry", {}),
        ("birth_stage_anchor", {}),
        ("birth_gateway_release_registry", {}),
        ("birth_backfill_ledger_v2", {}),
        ("birth_receipt", {}),
        ("birth_gate_scope", {}),
        ("birth_transition", {}),
        ("birth_death", {}),
        ("birth_gateway_finding", {"found_at": "(SELECT max(found_at) FROM birth.birth_gateway_finding)"}),
        *(
            (table, {name: f"(SELECT max({name}) FROM birth.{table})"})
            for table, name in (
                ("trigger_guard_alerts", "alert_id"),
                ("birth_act", "act_id"),
                ("birth_admission_permit_v2", "permit_id"),
                ("birth_review", "review_id"),
            )
        ),
    ],
)
def test_keys_are_unique(scene: Scene, table: str, changed: dict[str, str]) -> None:
    row = {**ROWS[table], **changed}
    if table == "birth_admission_permit_v2":
        row |= {"run_id": "gen_random_uuid()"}
    with raised("23505") as caught:
        scene.execute(
            f"INSERT INTO birth.{table} ({', '.join(row)}) OVERRIDING SYSTEM VALUE"
            f" VALUES ({', '.join(row.values())})".encode()
        )
    assert caught.value.diag.constraint_name == f"{table}_pkey"


def test_a_second_collection_on_one_table_is_rejected(scene: Scene) -> None:
    with raised("23505") as caught:
        insert(scene, "collection_registry", collection_name="'another'")
    assert caught.value.diag.constraint_name == "collection_registry_table"


def test_a_second_running_run_of_a_collection_is_rejected(scene: Scene) -> None:
    running = {"status": "'running'", "dry_run": "false"}
    insert(scene, "birth_backfill_ledger_v2", **running, run_id="gen_random_uuid()")
    with raised("23505") as caught:
        insert(scene, "birth_backfill_ledger_v2", **running, run_id="gen_random_uuid()")
    assert caught.value.diag.constraint_name == "bbl2_one_running"


def test_a_second_open_permit_of_a_run_is_rejected(scene: Scene) -> None:
    with raised("23505") as caught:
        insert(scene, "birth_admission_permit_v2")
    assert caught.value.diag.constraint_name == "birth_admission_permit_v2_open"


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("birth_act", "dot_name", "'nothing'"),
        ("birth_gateway_finding", "collection_name", "'nothing'"),
        ("birth_backfill_ledger_v2", "collection_name", "'nothing'"),
        ("birth_admission_permit_v2", "collection_name", "'nothing'"),
        ("birth_review", "run_id", "gen_random_uuid()"),
        ("birth_receipt", "run_id", "gen_random_uuid()"),
        ("birth_transition", "run_id", "gen_random_uuid()"),
        ("birth_transition", "collection_name", "'nothing'"),
        ("birth_death", "collection_name", "'nothing'"),
    ],
)
def test_foreign_keys_reject_missing_rows(scene: Scene, table: str, column: str, value: str) -> None:
    with raised("23503") as caught:
        update(scene, table, column, value)
    assert caught.value.diag.constraint_name == f"{table}_{column}_fkey"


@pytest.mark.parametrize(
    ("table", "column", "value", "constraint"),
    [
        ("collection_registry", "collection_name", "' '", "collection_registry_name"),
        ("collection_registry", "coverage_status", "'BIRTH_UNKNOWN'", "collection_registry_coverage"),
        ("collection_registry", "birth_code_prefix", "'p-'", "collection_registry_identity"),
        ("collection_registry", "gateway_mode", "'off'", "collection_registry_mode"),
        ("collection_registry", "admitted_at", "now()", "collection_registry_admission"),
        (
            "collection_registry",
            "(admitted_at, admitted_by, admitted_how)",
            "(now(), 'x', 'WISHED')",
            "collection_registry_admission",
        ),
        (
            "collection_registry",
            "(admitted_at, admitted_by, admitted_how, gate_closed)",
            "(now(), 'x', 'EMPTY', true)",
            "collection_registry_admission",
        ),
        ("birth_gate_scope", "mode", "'off'", "birth_gate_scope_mode"),
        ("birth_transition", "to_status", "from_status", "birth_transition_change"),
        ("birth_transition", "direction", "'sideways'", "birth_transition_direction"),
        ("birth_transition", "direction", "'loosening'", "birth_transition_direction"),
        ("birth_transition", "from_governed", "true", "birth_transition_direction"),
        ("birth_transition", "to_status", "'BIRTH_EXEMPT_X'", "birth_transition_direction"),
        ("birth_transition", "undone_at", "executed_at - interval '1 second'", "birth_transition_undone"),
        ("collection_registry", "life_mode", "'sometimes'", "collection_registry_life"),
        ("collection_registry", "life_mode", "'observe'", "collection_registry_life"),
        ("collection_registry", "life_column", "'x'", "collection_registry_life"),
        ("collection_registry", "life_dead", "'{x}'", "collection_registry_life"),
        ("birth_death", "manner", "'LOST'", "birth_death_manner"),
        ("birth_death", "manner", "'FOUND'", "birth_death_run"),
        ("birth_death", "run_id", RUN, "birth_death_run"),
        ("birth_death", "successor", "entity_code", "birth_death_successor"),
        ("birth_death", "lives", "0", "birth_death_lives"),
        ("birth_death", "returned_at", "now()", "birth_death_lives"),
        ("birth_death", "return_allowed_by", "'x'", "birth_death_return"),
        ("birth_death", "return_allowed_at", "now()", "birth_death_return"),
        ("birth_registry", "entity_code", "' '", "birth_registry_code"),
        ("birth_registry", "entity_code", "repeat('x', 513)", "birth_registry_code"),
        ("dot_registry", "dot_code", "NULL", "dot_registry_dangerous_code"),
        ("birth_act", "act", "'nothing'", "birth_act_known"),
        ("birth_act", "act", "'freeze'", "birth_act_reason"),
        ("birth_act", "run_id", RUN, "birth_act_run"),
        ("birth_gateway_finding", "error", "'x'", "birth_gateway_finding_error"),
        ("birth_gateway_finding", "row_count", "0", "birth_gateway_finding_rows"),
        ("birth_gateway_release_registry", "exact_sha256", "NULL", "birth_gateway_release_registry_whole"),
        ("birth_review", "purpose", "'BOTH'", "birth_review_purpose"),
        ("birth_review", "verdict", "'FINE'", "birth_review_verdict"),
        ("birth_review", "findings", "' '", "birth_review_findings"),
        ("birth_review", "accept_orphans", "-1", "birth_review_orphans"),
        ("birth_review", "supersedes", "ARRAY[NULL::bigint]", "birth_review_supersedes"),
        ("birth_receipt", "purpose", "'BOTH'", "birth_receipt_purpose"),
        ("birth_receipt", "written", "1", "birth_receipt_counts"),
        ("birth_receipt", "fingerprint", "'{0,NULL,NULL}'", "birth_receipt_counts"),
    ],
)
def test_check_constraints_reject_impossible_values(
    scene: Scene, table: str, column: str, value: str, constraint: str
) -> None:
    with raised("23514") as caught:
        update(scene, table, column, value)
    assert caught.value.diag.constraint_name == constraint


@pytest.mark.parametrize("table", CLOSED)
def test_closed_tables_reject_inserts(scene: Scene, table: str) -> None:
    with raised("23514") as caught:
        insert(scene, table)
    assert caught.value.diag.constraint_name == f"{table}_closed"
    for column in CLOSED[table]:
        with raised("23502") as caught:
            insert(scene, table, **{column: "NULL"})
        assert caught.value.diag.column_name == column


@pytest.mark.parametrize(
    ("table", "column", "value", "constraint"),
    [
        ("birth_admission_permit", "status", "'EXPIRED'", "birth_admission_permit_status"),
        ("birth_backfill_ledger", "applied_rows", "1", "birth_backfill_ledger_plans_only"),
        ("birth_admission_permit", "collection_name", "'nothing'", "birth_admission_permit_collection_name_fkey"),
        ("birth_backfill_ledger", "collection_name", "'nothing'", "birth_backfill_ledger_collection_name_fkey"),
        ("birth_admission_permit", "permit_id", "1", "birth_admission_permit_pkey"),
        ("birth_backfill_ledger", "run_id", RUN, "birth_backfill_ledger_pkey"),
    ],
)
def test_closed_tables_reject_updates(scene: Scene, table: str, column: str, value: str, constraint: str) -> None:
    scene.execute(f"ALTER TABLE birth.{table} DROP CONSTRAINT {table}_closed".encode())
    insert(scene, table)
    another = {"run_id": "gen_random_uuid()"} if "run_id" in CLOSED[table] else {}
    row = {**CLOSED[table], **another, column: value}
    with pytest.raises(psycopg.errors.IntegrityError) as caught:
        scene.execute(
            f"INSERT INTO birth.{table} ({', '.join(row)}) OVERRIDING SYSTEM VALUE"
            f" VALUES ({', '.join(row.values())})".encode()
        )
    assert caught.value.diag.constraint_name == constraint
