"""Between releases: what differs is found without believing the database, put back, and attested."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, LiteralString

import psycopg
import pytest
from helpers import OPERATOR, Scene
from integration.contract.drifts import DRIFTS, Drift, Group, grouped, known, label
from psycopg.sql import SQL, Identifier, Literal
from sample import some
from support import RELEASER, Database, downgrade, upgrade

from birthdb import cli, paths, target
from birthdb.audit import verify
from birthdb.release import attest
from pgcontract.sources import Sources

RELEASES = list(Sources(paths.ROOT).releases)

#: What only a superuser has done, and only a superuser undoes.
SUPERUSERS = [drift for drift in DRIFTS if drift.superuser]

#: What no release may put back: a superuser's doing, lost values, and a rewrite of the registry.
REFUSED = {drift: "NB404" for drift in DRIFTS if drift.blocks and (drift.superuser or not drift.repairs)} | {
    drift: "NB408" for drift in DRIFTS if drift.statement == "ALTER TABLE birth.birth_registry SET UNLOGGED"
}

REPAIRED = grouped(drift for drift in DRIFTS if drift.repairs and not drift.superuser and drift not in REFUSED)

GUARD: LiteralString = "SELECT kind, object, drift, blocks FROM birth.fn_birth_contract_drift() WHERE drift <> 'ok'"


def found(conn: psycopg.Connection[Any], release: str = RELEASES[-1]) -> set[tuple[str, str, str, bool]]:
    return {(row.kind, row.object, row.drift, row.blocks) for row in attest.differences(conn, release)}


def objects(conn: psycopg.Connection[Any]) -> set[str]:
    return {f"{kind} {name}" for kind, name, _, _ in found(conn)}


@contextmanager
def acting(conn: psycopg.Connection[Any], login: str) -> Iterator[None]:
    """Make the superuser's session that of another login, with its rights and no more."""
    conn.execute(SQL("SET SESSION AUTHORIZATION {}").format(Identifier(login)))
    yield
    conn.execute("RESET SESSION AUTHORIZATION")


def drifted(conn: psycopg.Connection[Any], *drifts: Drift) -> set[tuple[str, str, str, bool]]:
    """Do what the drifts are; return what a reader finds, which is what the guard says."""
    for drift in known(conn, drifts):
        conn.execute(drift.statement.encode())
    said = set(conn.execute(GUARD).fetchall())
    with acting(conn, OPERATOR):
        assert found(conn) == said
        assert {drift.object for drift in known(conn, drifts)} <= objects(conn)
    return said


@some("drifts", REPAIRED, every=3, ids=label)
def test_a_reader_finds_drift_and_the_releasing_login_repairs_it(undone: Scene, drifts: Group) -> None:
    conn = undone.admin
    drifted(conn, *drifts)
    with acting(conn, RELEASER):
        assert attest.repair(conn, harmless=True, drop_data=True)
        assert found(conn) == set()
    assert conn.execute(GUARD).fetchall() == []


@some(("drift", "refusal"), REFUSED.items(), most=4, ids=str)
def test_what_who_releases_cannot_put_back_is_refused(undone: Scene, drift: Drift, refusal: str) -> None:
    conn = undone.admin
    before = drifted(conn, drift)
    with acting(conn, RELEASER):
        with pytest.raises(psycopg.Error) as refused:
            attest.repair(conn, harmless=True)
        assert refused.value.sqlstate == refusal
        assert found(conn) == before


def test_a_dry_run_prints_the_repair_and_changes_nothing(scene: Scene) -> None:
    scene.execute("DROP VIEW birth.v_birth_metrics; GRANT INSERT ON birth.birth_receipt TO nora_nobody")
    before = found(scene.admin)
    planned = attest.repair(scene.admin, dry_run=True)
    assert {difference.object for difference, _ in planned} == {"v_birth_metrics", "birth_receipt"}
    assert found(scene.admin) == before
    assert attest.repair(scene.admin) == planned


@some("drift", SUPERUSERS, most=3, ids=str)
def test_drift_made_by_a_superuser_is_repaired_by_a_superuser(undone: Scene, drift: Drift) -> None:
    if known(undone.admin, [drift]):
        undone.execute(drift.statement.encode())
        assert attest.repair(undone.admin, harmless=True)
    assert found(undone.admin) == set()


def test_what_the_login_may_not_put_back_is_named_with_who_may(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.execute("CREATE PUBLICATION mine FOR TABLE birth.birth_act")
    monkeypatch.setenv(target.VARIABLE, scene.db.url(RELEASER))
    for options, left in ([], ""), (["--harmless"], "must be owner of publication mine; a superuser may"):
        monkeypatch.setattr("sys.argv", ["birthdb", "repair", "--execute", *options])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        assert (ended.value.code, said.out) == (cli.FINE, "0 put back\n")
        wanted = [f"left as it is: mine of birth_act: {left}"] if left else []
        assert said.err.splitlines()[1:] == wanted
    left_alone: dict[str, str] = {}
    assert len(attest.repair(scene.admin, harmless=True, left=left_alone)) == 1
    assert left_alone == {}


#: An extension with one object of each kind that the contract describes on its own.
TABLED = """
CREATE TABLE kept (id int PRIMARY KEY, note text CHECK (note <> '')); CREATE INDEX kept_note ON kept (note);
CREATE FUNCTION said(text) RETURNS text LANGUAGE sql AS 'SELECT $1';
CREATE OPERATOR !!! (RIGHTARG = text, FUNCTION = said); CREATE TYPE mood AS ENUM ('good'); CREATE SEQUENCE counted;
CREATE VIEW seen AS SELECT * FROM kept; CREATE CAST (mood AS text) WITH INOUT;
"""


@contextmanager
def extension(conn: psycopg.Connection[Any], *, relocatable: bool) -> Iterator[None]:
    """Make extension ``tabled`` in schema birth; its files are there as long as it is."""
    if conn.info.server_version < 180000:
        pytest.skip("extension_control_path came with PostgreSQL 18")
    # Where the server's user can read it.
    with TemporaryDirectory() as name:
        files = Path(name) / "extension"
        files.mkdir()
        control = f"default_version = '1'\nrelocatable = {str(relocatable).lower()}\n"
        (files / "tabled.control").write_text(control, encoding="utf-8")
        (files / "tabled--1.sql").write_text(TABLED, encoding="utf-8")
        for path in (Path(name), files):
            path.chmod(0o755)
        conn.execute(SQL("SET extension_control_path = {}").format(Literal(f"$system:{name}")))
        conn.execute("CREATE EXTENSION tabled SCHEMA birth")
        yield


def test_an_extension_in_the_schema_is_one_difference_and_is_moved(scene: Scene) -> None:
    conn = scene.admin
    with extension(conn, relocatable=True):
        assert found(conn) == {("extension", "tabled", "extra", True)} == set(conn.execute(GUARD).fetchall())
        move = "ALTER EXTENSION tabled SET SCHEMA public"
        # The releasing login does not own it: what is to be sent is printed, and nothing of repairing again.
        with acting(conn, RELEASER), pytest.raises(psycopg.Error) as refused:
            attest.repair(conn)
        assert (refused.value.sqlstate, "birthdb repair" in str(refused.value.diag.message_hint)) == ("NB404", False)
        assert f"{move};" in refused.value.__notes__
        ((difference, statement),) = attest.repair(conn)
        assert (str(difference), statement) == ("extension tabled: extra", move)
        assert found(conn) == set()


def test_a_statement_that_the_server_refused_is_printed_with_the_reason(scene: Scene) -> None:
    conn = scene.admin
    with extension(conn, relocatable=True):
        conn.execute("CREATE TABLE public.kept ()")
        with pytest.raises(psycopg.Error) as refused:
            attest.repair(conn)
        (said,) = [note for note in refused.value.__notes__ if note.startswith("tabled: ")]
        assert said.endswith('already exists in schema "public", by ALTER EXTENSION tabled SET SCHEMA public')


@pytest.mark.parametrize("taken", [False, True], ids=["cannot be moved", "took an object of the contract"])
def test_an_extension_that_cannot_be_moved_away_says_what_a_person_has_to_do(scene: Scene, taken: bool) -> None:
    conn = scene.admin
    with extension(conn, relocatable=taken):
        if taken:
            conn.execute("ALTER EXTENSION tabled ADD TABLE birth.birth_act")
        before = found(conn)
        with pytest.raises(psycopg.Error) as refused:
            attest.repair(conn)
        (said,) = [note for note in refused.value.__notes__ if "tabled" in note]
        assert said.startswith("-- extension tabled lies in the schema and cannot be moved: its owner takes")
        assert found(conn) == before


def test_a_disabled_guard_view_does_not_hide_drift(scene: Scene) -> None:
    scene.execute("GRANT INSERT ON birth.birth_registry TO olga_operator")
    scene.execute("""
        CREATE OR REPLACE FUNCTION birth.fn_birth_contract_compare(p_wanted jsonb, p_rules jsonb DEFAULT '{}')
        RETURNS TABLE (kind text, object text, drift text, blocks boolean, wanted jsonb, live jsonb, differs text[],
                       added text[], removed text[])
        LANGUAGE sql AS $$ SELECT '','','ok',false,'{}'::jsonb,'{}'::jsonb,'{}'::text[],'{}'::text[],'{}'::text[] $$""")
    assert scene.admin.execute(GUARD).fetchall() == []
    lines = {str(row) for row in attest.differences(scene.session("olga_operator"), RELEASES[-1])}
    assert "table birth_registry: privileges (+olga_operator=INSERT)" in lines
    assert any(line.startswith("function fn_birth_contract_compare(jsonb,jsonb): body") for line in lines)
    with psycopg.connect(scene.db.url(RELEASER), autocommit=True) as releaser:
        attest.repair(releaser)
        assert found(releaser) == set()


def test_repair_keeps_extra_select_grants_unless_asked(scene: Scene) -> None:
    scene.execute("GRANT SELECT ON birth.birth_registry TO nora_nobody")
    with psycopg.connect(scene.db.url(RELEASER), autocommit=True) as releaser:
        assert attest.repair(releaser) == []
        assert [str(row) for row in attest.differences(releaser, RELEASES[-1])] == [
            "table birth_registry: privileges (+nora_nobody=SELECT)"
        ]
        ((difference, statement),) = attest.repair(releaser, harmless=True)
        assert not difference.blocks
        assert statement == "REVOKE SELECT ON TABLE birth.birth_registry FROM nora_nobody"


@pytest.mark.parametrize(
    "statement",
    ["CREATE TABLE birth.notes AS SELECT 1 AS n", "ALTER TABLE birth.birth_act ADD COLUMN note text"],
)
def test_repair_drops_extra_objects_with_data_only_if_asked(scene: Scene, statement: str) -> None:
    scene.execute(statement.encode())
    before = found(scene.admin)
    if "ADD COLUMN" in statement:
        with pytest.raises(psycopg.Error) as refused:
            attest.repair(scene.admin, harmless=True)
        assert refused.value.sqlstate == "NB404"
    else:
        assert attest.repair(scene.admin, harmless=True) == []
    assert found(scene.admin) == before
    assert attest.repair(scene.admin, harmless=True, drop_data=True)
    assert found(scene.admin) == set()


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER FUNCTION birth.fn_birth_contract_live(jsonb) OWNER TO birth_dba",
        "DROP FUNCTION birth.fn_birth_contract_objects(jsonb);"
        "CREATE FUNCTION birth.fn_birth_contract_objects(jsonb) RETURNS text LANGUAGE sql AS 'SELECT NULL::text'",
    ],
)
def test_a_changed_verification_function_is_reinstalled(scene: Scene, statement: str) -> None:
    scene.execute(statement.encode())
    with psycopg.connect(scene.db.url(RELEASER), autocommit=True) as releaser:
        attest.repair(releaser)
        assert found(releaser) == set()
    assert scene.admin.execute(GUARD).fetchall() == []


def test_a_failed_repair_reports_the_reason(scene: Scene) -> None:
    scene.execute("""
        CREATE VIEW public.theirs AS SELECT * FROM birth.v_birth_metrics;
        ALTER VIEW birth.v_birth_metrics RENAME COLUMN value TO val""")
    with pytest.raises(psycopg.Error) as refused:
        attest.repair(scene.admin)
    assert any("v_birth_metrics: cannot drop view" in note for note in refused.value.__notes__)


def test_dependent_objects_are_repaired_together(scene: Scene) -> None:
    scene.execute("DROP FUNCTION birth.fn_birth_contract_drift() CASCADE")
    assert len(found(scene.admin)) > 3
    with psycopg.connect(scene.db.url(RELEASER), autocommit=True) as releaser:
        attest.repair(releaser)
    assert scene.admin.execute(GUARD).fetchall() == []
    assert scene.value("SELECT all_ok FROM birth.v_birth_gateway_contract_integrity_dashboard") is True


def test_a_failed_repair_changes_nothing(scene: Scene) -> None:
    scene.execute("ALTER TABLE birth.trigger_guard_alerts DROP COLUMN detail; DROP VIEW birth.v_birth_metrics")
    before = found(scene.admin)
    with psycopg.connect(scene.db.url(RELEASER), autocommit=True) as releaser:
        with pytest.raises(psycopg.Error) as refused:
            attest.repair(releaser)
        assert refused.value.sqlstate == "NB404"
    assert found(scene.admin) == before


def test_attesting_an_unchanged_contract_records_nothing(scene: Scene) -> None:
    with psycopg.connect(scene.db.url(RELEASER), autocommit=True) as releaser:
        assert attest.attest(releaser) == 0


#: What takes the reading from operators.
LOCKED_OUT: dict[LiteralString, int] = {
    "DELETE FROM pg_auth_members WHERE roleid = 'birth_reader'::regrole AND member = 'birth_operator'::regrole": 14,
    "UPDATE pg_auth_members SET inherit_option = false"
    " WHERE roleid = 'birth_reader'::regrole AND member = 'birth_operator'::regrole": 16,
    "UPDATE pg_auth_members SET set_option = false"
    " WHERE roleid = 'birth_reader'::regrole AND member = 'birth_operator'::regrole": 16,
    "ALTER ROLE birth_operator NOINHERIT": 14,
}


@pytest.mark.parametrize("change", LOCKED_OUT)
def test_what_roles_have_of_each_other_is_reported_and_put_back(undone: Scene, change: LiteralString) -> None:
    conn = undone.admin
    if conn.info.server_version < LOCKED_OUT[change] * 10000:
        pytest.skip("a membership has no options there")
    conn.execute(change)
    assert objects(conn) == {"role birth_operator"}
    with acting(conn, RELEASER):
        ((difference, statement),) = attest.repair(conn)
        assert (difference.object, difference.blocks) == ("birth_operator", False)
        assert statement in ("GRANT birth_reader TO birth_operator", "ALTER ROLE birth_operator INHERIT")
    assert found(conn) == set()
    assert conn.execute("SELECT pg_has_role('olga_operator', 'birth_reader', 'USAGE')").fetchone() == (True,)


def test_what_a_team_gave_a_role_stays_when_its_own_is_put_back(undone: Scene) -> None:
    conn = undone.admin
    conn.execute(next(iter(LOCKED_OUT)))
    conn.execute("GRANT pg_monitor TO birth_operator")
    assert len(attest.repair(conn)) == 1
    (left,) = attest.differences(conn, RELEASES[-1])
    assert (left.removed, "pg_monitor" in (left.added or ())) == ([], True)


def test_a_release_accepts_harmless_role_attributes_and_refuses_dangerous_ones(scene: Scene) -> None:
    """In a transaction, because roles are the cluster's; as at a first release, where nothing was there before."""
    with scene.admin.transaction(force_rollback=True):
        scene.execute("ALTER ROLE birth_reader CREATEDB; SELECT set_config('birth.contract_before', '{}', true)")
        assert [str(row) for row in attest.differences(scene.admin, RELEASES[-1])] == [
            "role birth_reader: configuration"
        ]
        assert attest.attest(scene.admin) == 0
        scene.execute("ALTER ROLE birth_definer LOGIN")
        with pytest.raises(psycopg.Error) as refused:
            attest.attest(scene.admin)
        assert refused.value.sqlstate == "NB404"
        assert 'role birth_definer: configuration ["LOGIN"]' in (refused.value.diag.message_detail or "")


def test_a_drifted_contract_cannot_be_attested(scene: Scene) -> None:
    scene.execute("ALTER FUNCTION birth.fn_birth_lock_key(text) VOLATILE")
    recorded = scene.value("SELECT count(*) FROM birth.birth_gateway_release_registry")
    with (
        psycopg.connect(scene.db.url(RELEASER), autocommit=True) as releaser,
        pytest.raises(psycopg.Error) as refused,
    ):
        attest.attest(releaser)
    assert refused.value.sqlstate == "NB404"
    assert "function fn_birth_lock_key(text): configuration" in (refused.value.diag.message_detail or "")
    assert scene.value("SELECT count(*) FROM birth.birth_gateway_release_registry") == recorded


def test_a_contract_recorded_for_another_major_can_be_attested(scene: Scene) -> None:
    """What pg_upgrade leaves: the same objects, recorded as another major wrote them down."""
    scene.execute("""
        UPDATE birth.birth_gateway_release_registry
        SET server_major = 13, exact_sha256 = repeat('0', 64), parts = parts || '{"body": "as 13 writes it"}'
        WHERE kind = 'view' AND parts IS NOT NULL""")
    scene.execute("UPDATE birth.birth_stage_anchor SET value = 'nothing known' WHERE stage = 'contract'")
    assert {row[2] for row in scene.admin.execute(GUARD).fetchall()} == {"body"}
    assert found(scene.admin) == set()
    with psycopg.connect(scene.db.url(RELEASER), autocommit=True) as releaser:
        assert attest.attest(releaser) == scene.value(
            "SELECT count(*) FROM birth.v_birth_contract_recorded WHERE kind = 'view'"
        )
    assert scene.admin.execute(GUARD).fetchall() == []


@some("release", reversed(RELEASES), most=2)
def test_every_release_matches_its_manifest_after_upgrade_and_downgrade(empty_db: Database, release: str) -> None:
    url = empty_db.url(RELEASER)
    upgrade(url, release)
    with psycopg.connect(url, autocommit=True) as conn:
        assert attest.current(conn) == release
        assert found(conn, release) == set()
        upgrade(url)
        downgrade(url, release)
        assert found(conn, release) == set()
        attest.repair(conn)
        assert attest.attest(conn) == 0
    # A release may have the names of the one before.
    assert verify.verify(empty_db.connect()).fine


def test_a_missing_or_unknown_release_is_reported(empty_db: Database, scene: Scene) -> None:
    with pytest.raises(attest.NotReleased, match="not released"):
        attest.current(empty_db.connect())
    with pytest.raises(attest.NotReleased, match="not among the installed"):
        attest.differences(scene.admin, "unknown")
    assert target.release(scene.admin) == RELEASES[-1]


def test_a_foreign_view_in_the_schema_does_not_stop_a_release(scene: Scene) -> None:
    scene.execute("CREATE VIEW birth.v_mine AS SELECT 1 AS one")
    with psycopg.connect(scene.db.url(RELEASER), autocommit=True) as releaser:
        assert attest.repair(releaser) == []
    downgrade(scene.db.url(RELEASER), RELEASES[-2])
    upgrade(scene.db.url(RELEASER))


def test_bytea_output_does_not_affect_the_contract(scene: Scene) -> None:
    scene.execute("SET bytea_output = escape")
    assert found(scene.admin) == set()


@pytest.mark.long
def test_a_login_with_another_client_encoding_can_release(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    downgrade(scene.db.url(RELEASER), RELEASES[-2])
    upgrade(scene.db.url(RELEASER))
