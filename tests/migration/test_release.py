"""Releases go up, down and up again, online and by script, as a login that is no superuser, and leave no trace."""

import io
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from alembic import command
from alembic.script import ScriptDirectory
from psycopg.sql import SQL, Identifier
from sample import some
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from support import PROJECT, RELEASER, Cluster, Database, alembic_config, downgrade, upgrade
from world import World

from birthdb import api, audit, errors, paths, target
from birthdb.audit import Export, evidence, verify
from birthdb.release import attest
from birthdb.server import VARIABLE, EmbeddedServer, client
from pgcontract import semantic
from pgcontract.release import MEASURING
from pgcontract.sources import Sources

RELEASES = list(Sources(paths.ROOT).releases)
BEFORE = dict(zip(RELEASES, ["base", *RELEASES], strict=False))

# What a release makes: text, owner, privileges and shape of every object, by name and never by OID.
_SHAPE = """
SELECT 'routine', p.oid::regprocedure::text, md5(pg_get_functiondef(p.oid)), p.proowner::regrole::text,
       (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(p.proacl) a)::text
FROM pg_proc p WHERE p.pronamespace = 'birth'::regnamespace
UNION ALL
SELECT c.relkind::text, c.relname, md5(coalesce(pg_get_viewdef(c.oid),
         (SELECT string_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                                      pg_get_expr(d.adbin, d.adrelid)), ',' ORDER BY a.attnum)
          FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
          WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped))),
       c.relowner::regrole::text, (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(c.relacl) a)::text
FROM pg_class c WHERE c.relnamespace = 'birth'::regnamespace AND c.relname !~ '^alembic_version'
UNION ALL
SELECT 'constraint', k.conname, md5(pg_get_constraintdef(k.oid)), k.convalidated::text, NULL
FROM pg_constraint k WHERE k.connamespace = 'birth'::regnamespace AND k.conname <> 'alembic_version_pkc'
  AND k.contype <> 'n'
UNION ALL
SELECT 'schema', n.nspname, NULL, n.nspowner::regrole::text,
       (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(n.nspacl) a)::text
FROM pg_namespace n WHERE n.nspname = 'birth'
ORDER BY 1, 2
"""


def shape(db: Database) -> list[Any]:
    """Return everything the schema holds."""
    with db.connect() as connection:
        return connection.execute(_SHAPE).fetchall()


def versions(db: Database) -> list[str]:
    with db.connect() as connection:
        return [row[0] for row in connection.execute("SELECT version_num FROM birth.alembic_version").fetchall()]


def definer_members(db: Database) -> list[Any]:
    """Return who can act as birth_definer or birth_scanner: ADMIN alone, a creator's from 16 on, is not acting."""
    with db.connect() as connection:
        option = "set_option OR inherit_option" if connection.info.server_version >= 160000 else "true"
        query = (
            "SELECT member::regrole::text FROM pg_auth_members"
            f" WHERE roleid::regrole::text IN ('birth_definer', 'birth_scanner') AND ({option})"
        )
        return connection.execute(query.encode()).fetchall()


def script(direction: str, revisions: str) -> str:
    """Return what `alembic upgrade revisions --sql` prints; it needs no database."""
    config = alembic_config("postgresql://nobody@/nowhere?host=/nowhere")
    config.output_buffer = written = io.StringIO()
    getattr(command, direction)(config, revisions, sql=True)
    return written.getvalue()


def psql(db: Database, text_: str, user: str = RELEASER) -> subprocess.CompletedProcess[str]:
    """Send a script through psql."""
    return subprocess.run(
        [client("psql"), "-qX", "-d", db.url(user)], input=text_, capture_output=True, text=True, check=False
    )


@pytest.fixture
def migrations(tmp_path: Path) -> Callable[[str, str, str], Path]:
    """Return a function that copies the migrations with a text appended to one file that a release reads."""

    def sabotage(release: str, path: str, appended: str) -> Path:
        shutil.copytree(paths.MIGRATIONS, tmp_path / "migrations", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(paths.SQL, tmp_path / "sql")
        copied = Sources(tmp_path)
        with copied.read_file(release, path).open("a", encoding="utf-8") as file:
            file.write(appended)
        copied.sum(release)
        return copied.migrations

    return sabotage


@pytest.fixture
def released(server: Cluster, template: Database, empty_db: Database) -> Database:
    """An empty database in a cluster that has the roles and whose people have theirs."""
    server.enrol()
    return empty_db


def test_every_release_is_identical_after_downgrade_and_upgrade(empty_db: Database) -> None:
    url = empty_db.url(RELEASER)
    for release in RELEASES:
        upgrade(url, release)
        there = shape(empty_db)
        downgrade(url, BEFORE[release])
        upgrade(url, release)
        assert shape(empty_db) == there
        assert versions(empty_db) == [release]


@pytest.mark.long
def test_every_downgrade_restores_the_release_before(empty_db: Database) -> None:
    url = empty_db.url(RELEASER)
    shapes = {}
    for release in RELEASES:
        upgrade(url, release)
        shapes[release] = shape(empty_db)
    for release in reversed(RELEASES[1:]):
        downgrade(url, BEFORE[release])
        assert shape(empty_db) == shapes[BEFORE[release]]


def test_downgrading_to_base_leaves_only_the_version_table(empty_db: Database) -> None:
    upgrade(empty_db.url(RELEASER))
    downgrade(empty_db.url(RELEASER), "base")
    assert [row[:2] for row in shape(empty_db)] == [("schema", "birth")]
    assert versions(empty_db) == []


def test_a_script_makes_what_an_online_upgrade_makes(empty_db: Database, db: Database) -> None:
    sent = psql(empty_db, script("upgrade", "base:head"))
    assert (sent.returncode, sent.stderr) == (0, "")
    assert shape(empty_db) == shape(db)
    assert versions(empty_db) == [RELEASES[-1]]
    with psycopg.connect(empty_db.url()) as connection:
        owner = connection.execute(
            "SELECT relowner::regrole::text FROM pg_class WHERE oid = 'birth.alembic_version'::regclass"
        )
        assert owner.fetchone() == ("birth_definer",)


@pytest.mark.long
def test_a_script_goes_down_and_up_step_by_step(empty_db: Database, db: Database) -> None:
    there = shape(db)
    admin = empty_db.connect()
    for release in RELEASES:
        assert psql(empty_db, script("upgrade", f"{BEFORE[release]}:{release}")).stderr == ""
        # Object by object, bodies and all, what the manifest was measured to be after an online upgrade.
        assert attest.differences(admin, release) == []
    for release in reversed(RELEASES[1:]):
        assert psql(empty_db, script("downgrade", f"{release}:{BEFORE[release]}")).stderr == ""
        assert attest.differences(admin, BEFORE[release]) == []
    assert psql(empty_db, script("downgrade", f"{RELEASES[0]}:base")).stderr == ""
    assert [row[:2] for row in shape(empty_db)] == [("schema", "birth")]
    upgrade(empty_db.url(RELEASER))
    assert shape(empty_db) == there
    downgrade(empty_db.url(RELEASER), "base")
    assert psql(empty_db, script("upgrade", "base:head")).stderr == ""
    assert shape(empty_db) == there


@pytest.mark.parametrize("direction", ["upgrade base:head", "upgrade stage1:head", "downgrade stage2_5:base"])
def test_a_script_for_another_starting_point_is_refused(released: Database, direction: str) -> None:
    upgrade(released.url(RELEASER), "stage0")
    there = shape(released)
    sent = psql(released, "\\set VERBOSITY verbose\n" + script(*direction.split()))
    assert sent.returncode == 3
    assert "NB411" in sent.stderr
    assert shape(released) == there


@pytest.mark.long
def test_a_script_is_ascii_and_the_same_under_every_locale() -> None:
    command_ = [sys.executable, "-m", "birthdb", "alembic", "upgrade", "base:head", "--sql"]
    written = subprocess.run(
        command_, env=os.environ | {"PYTHONIOENCODING": "latin-1"}, capture_output=True, check=True
    )
    assert written.stdout.decode("utf-8").split() == script("upgrade", "base:head").split()
    assert written.stdout.isascii()


def test_every_transaction_of_a_script_sets_lock_timeout_and_stops_at_errors() -> None:
    written = script("upgrade", "base:head") + script("downgrade", f"{RELEASES[-1]}:base")
    assert written.startswith("-- For psql")
    assert written.splitlines()[1] == "\\set ON_ERROR_STOP on"
    assert written.count("SET LOCAL lock_timeout = '5s';") == written.count("\nBEGIN;\n") == 2 * len(RELEASES) + 1


def test_a_release_gives_up_after_lock_timeout(released: Database, migrations: Callable[[str, str, str], Path]) -> None:
    # The setting, not the clock: a release that would alter a table shows what it would wait.
    show = "DO $$ BEGIN RAISE EXCEPTION 'lock_timeout is %', current_setting('lock_timeout'); END $$;\n"
    config = alembic_config(released.url(RELEASER))
    config.set_main_option("script_location", str(migrations("stage2_5", "tables/birth_review.sql", show)))
    with pytest.raises(psycopg.errors.RaiseException, match="lock_timeout is 5s") as refused:
        command.upgrade(config, "head")
    assert refused.value.__notes__ == ["in stage2_5/tables/birth_review.sql"]


@pytest.mark.long
def test_two_databases_of_a_cluster_share_the_roles(server: Cluster, empty_db: Database, db: Database) -> None:
    upgrade(empty_db.url(RELEASER))
    assert shape(empty_db) == shape(db)
    downgrade(empty_db.url(RELEASER), "base")
    assert versions(db) == [RELEASES[-1]]


@pytest.mark.long
def test_two_databases_are_released_at_the_same_time(server: Cluster) -> None:
    several = [server.create() for _ in range(3)]
    failures: list[BaseException] = []

    def release(database: Database) -> None:
        try:
            # Alembic's context is one a process; a thread of its own needs a process of its own.
            sent = psql(database, written)
            assert sent.stderr == ""
        except BaseException as error:
            failures.append(error)

    written = script("upgrade", "base:head")
    threads = [threading.Thread(target=release, args=(database,)) for database in several]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    try:
        assert failures == []
        assert [versions(database) for database in several] == [[RELEASES[-1]]] * len(several)
    finally:
        for database in several:
            database.drop()


def test_another_alembic_environment_can_share_the_database(empty_db: Database) -> None:
    with empty_db.connect(RELEASER) as connection:
        connection.execute("CREATE SCHEMA app")
        connection.execute("CREATE TABLE app.alembic_version (version_num varchar(32) PRIMARY KEY)")
    with empty_db.connect() as connection:
        connection.execute("CREATE TABLE public.alembic_version (version_num varchar(32) PRIMARY KEY)")
        connection.execute("INSERT INTO public.alembic_version VALUES ('1975ea83b712')")
    upgrade(empty_db.url(RELEASER))
    downgrade(empty_db.url(RELEASER), "stage1")
    with empty_db.connect() as connection:
        assert connection.execute("SELECT version_num FROM public.alembic_version").fetchall() == [("1975ea83b712",)]
    assert versions(empty_db) == ["stage1"]


def test_birth_definer_has_no_member_after_a_release(released: Database) -> None:
    upgrade(released.url(RELEASER))
    assert definer_members(released) == []
    downgrade(released.url(RELEASER), "stage1")
    assert definer_members(released) == []
    with released.connect() as connection:
        lent = connection.execute("SELECT has_schema_privilege(%s, 'birth', 'CREATE')", (RELEASER,)).fetchone()
    assert lent == (False,)


@pytest.mark.long
def test_createrole_self_grant_makes_no_member_of_birth_definer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    # The roles must be new: a cluster of its own.
    with EmbeddedServer(major=16) as own:
        cluster = Cluster(own.url())
        made = cluster.create()
        cluster.execute("ALTER ROLE release_dba SET createrole_self_grant = 'set, inherit'")
        upgrade(made.url(RELEASER))
        assert definer_members(made) == []
        made.drop()
        cluster.close()


def test_asking_for_the_current_release_creates_nothing(empty_db: Database, capsys: pytest.CaptureFixture[str]) -> None:
    command.current(alembic_config(empty_db.url(RELEASER)))
    with empty_db.connect() as connection:
        assert connection.execute("SELECT to_regnamespace('birth')::text").fetchone() == (None,)


def test_another_member_of_birth_dba_may_release_once_granted(server: Cluster, released: Database) -> None:
    upgrade(released.url(RELEASER), "stage0")
    with pytest.raises(psycopg.Error) as refused:
        upgrade(released.url("dora_dba"), "stage1")
    assert refused.value.sqlstate == "NB410"
    hint = refused.value.diag.message_hint
    assert hint is not None
    _, _, statements = hint.partition(" to send: ")
    server.execute(statements)
    try:
        upgrade(released.url("dora_dba"), "stage1")
        assert versions(released) == ["stage1"]
    finally:
        server.execute("REVOKE birth_definer, birth_scanner FROM dora_dba")


@pytest.mark.parametrize("person", ["nora_nobody", "olga_operator"])
def test_a_login_that_cannot_release_gets_the_missing_grant(released: Database, person: str) -> None:
    with pytest.raises(psycopg.Error) as refused:
        upgrade(released.url(person))
    assert refused.value.sqlstate == "NB410"
    assert f" to send: GRANT birth_dba TO {person}" in str(refused.value.diag.message_hint)


@pytest.mark.long
def test_a_release_by_a_superuser_gives_the_same_schema(empty_db: Database, db: Database) -> None:
    upgrade(empty_db.url())
    assert shape(empty_db) == shape(db)


def test_a_ready_connection_is_used_and_its_transaction_kept(empty_db: Database, db: Database) -> None:
    config = alembic_config("unused")
    with target.engine(empty_db.url(RELEASER)).connect() as connection:
        with connection.begin() as outer:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            outer.rollback()
        assert connection.execute(text("SELECT to_regnamespace('birth')::text")).scalar_one() is None
        connection.rollback()
        command.upgrade(config, "head")
        settings = "SELECT current_setting('search_path'), current_user::text"
        assert connection.execute(text(settings)).one() == ("pg_catalog,pg_temp", RELEASER)
    assert shape(empty_db) == shape(db)


def test_a_release_that_inserts_a_birth_is_rolled_back(
    released: Database, migrations: Callable[[str, str, str], Path]
) -> None:
    upgrade(released.url(RELEASER), "stage2")
    there = shape(released)
    config = alembic_config(released.url(RELEASER))
    insert = "INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin) VALUES ('E', 'c', 'x');\n"
    copy = migrations("stage2_5", "tables/birth_review.sql", insert)
    config.set_main_option("script_location", str(copy))
    with pytest.raises(psycopg.Error) as refused:
        command.upgrade(config, "head")
    assert refused.value.sqlstate == "NB408"
    assert shape(released) == there
    assert versions(released) == ["stage2"]


@pytest.mark.parametrize(
    "sabotage", ["TRUNCATE birth.birth_registry;", "ALTER TABLE birth.birth_registry ALTER dot_origin TYPE varchar(9);"]
)
def test_a_release_that_empties_or_rewrites_the_registry_is_rolled_back(
    released: Database, migrations: Callable[[str, str, str], Path], sabotage: str
) -> None:
    upgrade(released.url(RELEASER), "stage2")
    config = alembic_config(released.url(RELEASER))
    config.set_main_option("script_location", str(migrations("stage2_5", "tables/birth_review.sql", sabotage)))
    with pytest.raises(psycopg.Error) as refused:
        command.upgrade(config, "head")
    # A changed column is noticed before the rewrite; a view that reads it refuses first.
    assert refused.value.sqlstate in ("NB408", "NB404", "0A000")


@pytest.mark.long
def test_births_of_other_sessions_do_not_stop_a_release(released: Database) -> None:
    upgrade(released.url(RELEASER), "stage2")
    with released.connect(autocommit=False) as other:
        other.execute(
            "INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin) VALUES ('E', 'c', 'x')"
        )
        upgrade(released.url(RELEASER))
        other.commit()
    downgrade(released.url(RELEASER), "baseline")


def test_a_batch_in_flight_refuses_a_release(released: Database) -> None:
    upgrade(released.url(RELEASER), "stage1")
    with released.connect(autocommit=False) as batch:
        batch.execute("SELECT pg_advisory_xact_lock_shared(birth.fn_birth_lock_key('release'))")
        with pytest.raises(psycopg.Error) as refused:
            upgrade(released.url(RELEASER))
        process = batch.info.backend_pid
    assert refused.value.sqlstate == "NB407"
    detail = str(refused.value.diag.message_detail)
    assert detail.startswith(f"the release lock is held by process {process} of postgres, since ")


def test_of_several_releases_at_once_the_losers_say_who_releases(empty_db: Database) -> None:
    url = empty_db.url(RELEASER)
    command_ = [sys.executable, "-m", "birthdb", "alembic", "-x", f"url={url}", "upgrade", "stage1"]
    rivals = [subprocess.Popen(command_, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in "1234"]
    said = [rival.communicate()[1] for rival in rivals]
    lost = [text_ for rival, text_ in zip(rivals, said, strict=True) if rival.returncode]
    assert len(lost) < len(rivals)
    # Who comes between two steps of the release meets no lock.
    known = (("code: NB406", "it is held by process "), ("code: NB411", "another release may have come first"))
    assert all(any(code in text_ and words in text_ for code, words in known) for text_ in lost), lost
    assert versions(empty_db) == ["stage1"]
    with empty_db.connect(RELEASER, autocommit=False) as holder:
        holder.execute("SELECT pg_advisory_xact_lock(hashtextextended('birth.release', 0))")
        with pytest.raises(psycopg.Error) as refused:
            upgrade(url)
        process = holder.info.backend_pid
    assert refused.value.sqlstate == "NB406"
    assert str(refused.value.diag.message_detail).startswith(f"it is held by process {process} of {RELEASER}, since ")


@some("way", ["by script", "online"])
def test_what_a_login_sets_changes_no_statement_of_alembic(empty_db: Database, way: str) -> None:
    cluster, other = empty_db.cluster, Identifier(f"role_of_{empty_db.name}")
    login = SQL("ALTER ROLE {} IN DATABASE {}").format(Identifier(RELEASER), Identifier(empty_db.name))
    cluster.execute(SQL("CREATE ROLE {0}; GRANT {0} TO {1}").format(other, Identifier(RELEASER)))
    try:
        for setting in (SQL("role = {}").format(other), SQL("default_tablespace = not_mine"), SQL("lock_timeout = 0")):
            cluster.execute(SQL("{} SET {}").format(login, setting))
        if way == "online":
            upgrade(empty_db.url(RELEASER))
        else:
            # The server warns of the tablespace when psql connects.
            assert psql(empty_db, script("upgrade", "base:head")).returncode == 0
        with empty_db.connect(autocommit=False) as holder:
            holder.execute("LOCK birth.alembic_version")
            with pytest.raises(OperationalError) as refused:
                downgrade(empty_db.url(RELEASER), "stage4")
            held = f"process {holder.info.backend_pid} of postgres holds AccessExclusiveLock on alembic_version since "
        assert isinstance(refused.value.orig, psycopg.errors.LockNotAvailable)
        assert [note[: len(held)] for note in refused.value.__notes__] == [held]
    finally:
        cluster.execute(SQL("{} RESET ALL").format(login))
        cluster.execute(SQL("DROP ROLE {}").format(other))


def test_an_active_run_refuses_a_release_and_an_interrupted_run_does_not(db: Database) -> None:
    run = "11111111-2222-4333-8444-555555555555"
    holder = db.connect()
    holder.execute("INSERT INTO birth.collection_registry (collection_name, schema_name, table_name, coverage_status)"
                   " VALUES ('c', 'app', 'c', 'BIRTH_REQUIRED')")  # fmt: skip
    holder.execute(
        "INSERT INTO birth.birth_backfill_ledger_v2 (run_id, lineage, collection_name, status, dry_run, source_rows,"
        " existing_births, orphans, unresolvable, duplicates, collisions, planned_rows, planned_fingerprint, seed_a,"
        " seed_b, algorithm, server_major, contract_hash, identity_hash, planned_by, expected_delta, epoch)"
        " VALUES (%s, %s, 'c', 'running', false, 1, 0, 0, 0, 0, 0, 1, '{1,2,3}', 1, 2, 'x', 16, 'x', 'x', 'x', 1, 3)",
        (run, run),
    )
    holder.execute("SELECT pg_advisory_lock(birth.fn_birth_lock_key(%s))", (f"run:{run}:3",))
    with pytest.raises(psycopg.Error) as refused:
        downgrade(db.url(RELEASER), "stage2")
    assert refused.value.sqlstate == "NB407"
    assert refused.value.diag.message_detail == f"run {run} of c"
    holder.execute("SELECT pg_advisory_unlock_all()")
    with pytest.raises(psycopg.Error) as refused:
        downgrade(db.url(RELEASER), "stage2")
    assert refused.value.sqlstate == "NB409"


def test_a_downgrade_is_refused_while_tables_have_a_gateway(released: Database) -> None:
    upgrade(released.url(RELEASER), "stage0")
    admin = released.connect()
    admin.execute("CREATE TABLE public.thing (id int PRIMARY KEY)")
    admin.execute(
        "CREATE TRIGGER birth_gateway AFTER INSERT ON thing FOR EACH ROW"
        " EXECUTE FUNCTION birth.fn_birth_registry_auto('thing')"
    )
    with pytest.raises(psycopg.Error) as refused:
        downgrade(released.url(RELEASER), "base")
    assert refused.value.sqlstate == "NB412"
    assert versions(released) == ["baseline"]
    statement = refused.value.diag.message_detail
    assert statement == "DROP TRIGGER birth_gateway ON public.thing;"
    admin.execute(statement.encode())
    downgrade(released.url(RELEASER), "base")
    assert versions(released) == []


def test_a_downgrade_that_would_open_a_closed_collection_is_refused(db: Database) -> None:
    world = World(db)
    api.gate_scope(world.steward, "app", "enforce", "a test")
    world.governed("(code text PRIMARY KEY)")
    with pytest.raises(psycopg.Error) as refused:
        downgrade(db.url(RELEASER), "stage2_5")
    assert (refused.value.sqlstate, refused.value.diag.message_detail) == ("NB415", "thing")
    assert versions(db) == ["stage3"]
    # As the optional event trigger puts it there.
    create = "CREATE TRIGGER birth_gate BEFORE INSERT ON app.thing EXECUTE FUNCTION birth.fn_birth_gate_insert()"
    world.admin.execute(create)
    with pytest.raises(psycopg.Error) as refused:
        downgrade(db.url(RELEASER), "stage2_5")
    detail = str(refused.value.diag.message_detail)
    assert (refused.value.sqlstate, detail) == ("NB412", "DROP TRIGGER birth_gate ON app.thing;")
    world.owner.execute(detail.encode())
    api.gate_admit(world.person("stella_steward"), "thing", "a test")
    downgrade(db.url(RELEASER), "stage2_5")
    upgrade(db.url(RELEASER), "head")
    assert world.value("SELECT admitted_how FROM birth.collection_registry") == "GRANDFATHERED"
    assert world.value("SELECT count(*) FROM birth.v_birth_stage3_no_worse_guard WHERE pass IS NOT TRUE") == 0


def test_changes_of_policy_are_kept_until_their_digest_is_acknowledged(db: Database) -> None:
    world = World(db)
    world.governed("(code text PRIMARY KEY)", coverage="BIRTH_DEFERRED_NEEDS_REVIEW")
    world.change_policy("BIRTH_REQUIRED")
    with pytest.raises(psycopg.Error) as refused:
        downgrade(db.url(RELEASER), "stage3")
    exported = evidence.export_all(db.connect("dora_dba"))["tables"]["birth_transition"]
    assert refused.value.sqlstate == "NB409"
    assert refused.value.diag.message_detail == f"birth.birth_transition holds 1 rows, digest {exported['digest']}"
    acknowledge = "SELECT birth.fn_birth_evidence_acknowledge('birth_transition', %s)"
    world.person("dora_dba").execute(acknowledge, (exported["digest"],))
    world.change_policy("BIRTH_REQUIRED", governed=True)
    with pytest.raises(psycopg.Error) as refused:
        downgrade(db.url(RELEASER), "stage3")
    assert refused.value.sqlstate == "NB409"
    exported = evidence.export_all(db.connect("dora_dba"))["tables"]["birth_transition"]
    world.person("dora_dba").execute(acknowledge, (exported["digest"],))
    downgrade(db.url(RELEASER), "stage3")
    assert world.value("SELECT coverage_status FROM birth.collection_registry") == "BIRTH_REQUIRED"
    assert "birth_transition" not in evidence.export_all(db.connect("dora_dba"))["tables"]
    upgrade(db.url(RELEASER), "head")
    assert world.value("SELECT count(*) FROM birth.v_birth_stage4_no_worse_guard WHERE pass IS NOT TRUE") == 0


@pytest.mark.long
def test_what_a_downgrade_kept_of_changes_of_policy_is_on_record_again_after_an_upgrade(db: Database) -> None:
    world = World(db)
    guard = "SELECT count(*) FROM birth.v_birth_stage4_no_worse_guard WHERE pass IS NOT TRUE"

    def there_and_back(*between: str) -> None:
        exported = evidence.export_all(world.person("dora_dba"))["tables"]["birth_transition"]
        world.person("dora_dba").execute(
            "SELECT birth.fn_birth_evidence_acknowledge('birth_transition', %s)", (exported["digest"],)
        )
        downgrade(db.url(RELEASER), "stage3")
        for statement in between:
            world.steward.execute(statement.encode())
        upgrade(db.url(RELEASER), "head")
        assert world.value(guard) == 0
        assert [row for row in api.run_audit(world.operator) if not row["pass"]] == []
        assert verify.verify(world.person("rita_reviewer")).differing == []

    world.governed("(code text PRIMARY KEY)", coverage="BIRTH_DEFERRED_NEEDS_REVIEW")
    undone = world.change_policy("BIRTH_REQUIRED")
    permit = world.judged(undone, purpose="COMPENSATE")
    api.compensate(world.operator, undone, permit, execute=True)
    done = world.change_policy("BIRTH_REQUIRED")
    rows = "SELECT jsonb_agg(t ORDER BY t.executed_at) FROM birth.birth_transition t"
    before = world.value(rows)
    there_and_back()
    there_and_back()
    assert world.value(rows) == before
    permit = world.judged(done, purpose="COMPENSATE")
    api.compensate(world.operator, done, permit, execute=True)
    assert world.value(guard) == 0
    # What a steward did at stage3, where that was free, is no fault of stage4.
    there_and_back("SELECT birth.fn_birth_collection_register('thing', 'app', 'thing', 'BIRTH_EXEMPT_LOG')")
    world.change_policy("BIRTH_REQUIRED")
    assert world.value(guard) == 0


@pytest.mark.long
def test_deaths_are_kept_until_their_digest_is_acknowledged_and_their_runs_say_what_went(db: Database) -> None:
    world = World(db)
    reader = world.person("rita_reviewer")

    def aside(statement: str) -> None:
        world.admin.execute(f"SET session_replication_role = replica; {statement}".encode())
        world.admin.execute("RESET session_replication_role")

    def judged(rows: int) -> tuple[UUID, int]:
        run = api.death_plan(world.operator, "thing", dry_run=False)["run_id"]
        return run, world.judged(run, accept=rows, rows=rows)

    def failing() -> list[tuple[Any, ...]]:
        return [(row["run_id"], row["check_name"]) for row in api.run_audit(reader) if not row["pass"]]

    def unexplained() -> list[str] | None:
        return world.failed_checks().get("births without a row or a death")

    world.governed("(code text PRIMARY KEY)")
    api.life_attach(world.steward, "thing")
    world.insert("abcdefg")
    world.owner.execute("DELETE FROM app.thing WHERE code = 'a'")
    aside("DELETE FROM app.thing WHERE code IN ('b', 'c')")
    done, permit = judged(2)
    api.death_apply(world.operator, done, permit, execute=True)
    # What returned, and was found again, is on record as an act, which stays.
    world.insert("c")
    aside("DELETE FROM app.thing WHERE code IN ('c', 'd', 'e')")
    stopped, held = judged(3)
    with db.connect(autocommit=False) as rival:
        rival.execute("SELECT FROM birth.birth_registry WHERE entity_code = 'e' FOR UPDATE")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            api.death_apply(world.operator, stopped, held, batch=2, execute=True)
    assert failing() == []
    with audit.live(reader, done) as now:
        earlier = [Export(now.document, list(now.births() if now.births else ()).__iter__)]
    world.owner.execute(api.life_detach(world.steward, "thing", "a downgrade").encode())

    with pytest.raises(psycopg.Error) as refused:
        downgrade(db.url(RELEASER), "stage4")
    assert refused.value.sqlstate == "NB409"
    exported = evidence.export_all(world.person("dora_dba"), births=True)["tables"]["birth_death"]
    assert refused.value.diag.message_detail == f"birth.birth_death holds 4 rows, digest {exported['digest']}"
    assert [row["entity_code"] for row in exported["rows"]] == list("abcd")
    world.person("dora_dba").execute(
        "SELECT birth.fn_birth_evidence_acknowledge('birth_death', %s)", (exported["digest"],)
    )
    downgrade(db.url(RELEASER), "stage4")
    # A release that does not know the purpose cannot hold the records against it, and says so.
    assert set(failing()) == {(run, "birth_registry holds what the receipts leave") for run in (done, stopped)}
    assert {row["next_step"] for row in api.view(reader, "v_birth_run_progress")} == {None}
    assert len(world.failed_checks()["births without a row"]) == 5
    upgrade(db.url(RELEASER), "head")

    assert failing() == []
    assert [check for check in verify.verify(reader).differing if check.what != "guard"] == []
    for run in (done, stopped):
        with audit.live(reader, run) as now:
            later = Export(now.document | {"sha256": evidence.digest(now.document)}, now.births)
            assert [finding for finding in audit.check(later) if not finding["ok"]] == []
            if run == done:
                assert [finding for finding in audit.compare(earlier[0], later) if not finding["ok"]] == []
    assert unexplained() == list("abcde")
    # What the runs wrote is not there any more: neither is undone or goes on.
    api.review_record(reader, stopped, "SAFE", "read again", accept_orphans=3)
    with pytest.raises(errors.SourceChanged):
        api.death_apply(world.operator, stopped, held, execute=True)
    for run in (done, stopped):
        permit = world.judged(run, purpose="COMPENSATE", rows=2)
        with pytest.raises(errors.BirthsTouched) as touched:
            api.compensate(world.operator, run, permit, execute=True)
        assert "went with a downgrade" in str(touched.value.detail)
    again, permit = judged(5)
    api.death_apply(world.operator, again, permit, execute=True)
    assert unexplained() is None
    assert failing() == []
    assert verify.verify(reader).differing == []


def test_deaths_are_kept_and_life_triggers_are_not_left_behind(db: Database) -> None:
    world = World(db)
    world.governed("(code text PRIMARY KEY)")
    api.life_attach(world.steward, "thing")
    world.insert(["a"])
    world.owner.execute("DELETE FROM app.thing")
    with pytest.raises(psycopg.Error) as refused:
        downgrade(db.url(RELEASER), "stage4")
    digest = world.value("SELECT digest FROM birth.fn_birth_evidence('birth_death')")
    assert refused.value.sqlstate == "NB409"
    assert refused.value.diag.message_detail == f"birth.birth_death holds 1 rows, digest {digest}"
    world.person("dora_dba").execute("SELECT birth.fn_birth_evidence_acknowledge('birth_death', %s)", (digest,))
    with pytest.raises(psycopg.Error) as refused:
        downgrade(db.url(RELEASER), "stage4")
    assert (refused.value.sqlstate, refused.value.diag.message_detail) == ("NB416", "thing")
    # The triggers belong to the owner of the table.
    world.owner.execute(api.life_detach(world.steward, "thing", "back to stage 4").encode())
    downgrade(db.url(RELEASER), "stage4")
    world.owner.execute("INSERT INTO app.thing VALUES ('b'); DELETE FROM app.thing")
    assert world.births() == ["a", "b"]
    upgrade(db.url(RELEASER), "head")
    assert world.failed_checks() == {"births without a row or a death": ["a", "b"]}


def test_evidence_is_kept_until_its_digest_is_acknowledged(released: Database) -> None:
    upgrade(released.url(RELEASER), "stage2")
    admin, dora = released.connect(), released.connect("dora_dba")
    insert = "INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin) VALUES (%s, 'c', 'x')"
    admin.execute(insert, ("E1",))
    with pytest.raises(psycopg.Error) as refused:
        downgrade(released.url(RELEASER), "base")
    assert refused.value.sqlstate == "NB409"
    digest = admin.execute("SELECT digest FROM birth.fn_birth_evidence('birth_registry')").fetchone()
    assert digest is not None
    assert refused.value.diag.message_detail == f"birth.birth_registry holds 1 rows, digest {digest[0]}"
    assert versions(released) == ["baseline"]

    acknowledge = "SELECT birth.fn_birth_evidence_acknowledge('birth_registry', %s)"
    assert dora.execute(acknowledge, digest).fetchone() == (1,)
    admin.execute(insert, ("E2",))
    with pytest.raises(psycopg.Error) as refused:
        downgrade(released.url(RELEASER), "base")
    assert refused.value.sqlstate == "NB409"

    with pytest.raises(psycopg.Error) as stale:
        dora.execute(acknowledge, digest)
    assert stale.value.sqlstate == "NB102"
    digest = admin.execute("SELECT digest FROM birth.fn_birth_evidence('birth_registry')").fetchone()
    assert dora.execute(acknowledge, digest).fetchone() == (2,)
    downgrade(released.url(RELEASER), "base")
    assert versions(released) == []


@pytest.mark.long
def test_a_text_runs_verbatim(
    server: Cluster, released: Database, migrations: Callable[[str, str, str], Path], tmp_path: Path
) -> None:
    statement = (
        "CREATE FUNCTION birth.fn_verbatim(n integer) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $tag$\n"
        "DECLARE v_a text[] := ARRAY['x', ':x', 'ünïcödé', 'a''b', '\\n', '100%', '%(name)s'];\n"
        "BEGIN\n  RETURN format('%I %%', (v_a[1:n])::text);  -- :n %s\nEND\n$tag$;\n"
        'COMMENT ON FUNCTION birth.fn_verbatim(integer) IS E\'{"k":1,"ok":true} :x %% \\\\ é\';\n'
    )
    copy = migrations("stage2_5", "tables/birth_review.sql", statement)
    found = "SELECT prosrc, obj_description(oid) FROM pg_proc WHERE proname = 'fn_verbatim'"
    config = alembic_config(released.url(RELEASER))
    config.set_main_option("script_location", str(copy))
    config.attributes[MEASURING] = True  # the copy's manifest does not know the function
    command.upgrade(config, "head")
    config.output_buffer = written = io.StringIO()
    command.upgrade(config, "base:head", sql=True)
    again = server.create()
    try:
        assert psql(again, written.getvalue()).stderr == ""
        rows = [database.connect().execute(found).fetchone() for database in (released, again)]
    finally:
        again.drop()
    assert rows[0] == rows[1]
    assert rows[0] is not None
    assert f"$tag${rows[0][0]}$tag$" in statement
    assert rows[0][1] == '{"k":1,"ok":true} :x %% \\ é'


@pytest.mark.long
def test_existing_roles_are_accepted(server: Cluster, released: Database) -> None:
    # The roles are there, as a DBA would have made them; the login may create none and is granted what the hints say.
    login = Identifier(f"plain_{released.name}")
    options = SQL("WITH ADMIN TRUE, INHERIT FALSE, SET FALSE") if server.major >= 16 else SQL("WITH ADMIN OPTION")
    server.execute(SQL("CREATE ROLE {} LOGIN PASSWORD 'of-a-test'").format(login))
    try:
        server.execute(SQL("GRANT birth_definer, birth_scanner TO {} {}").format(login, options))
        server.execute(SQL("GRANT birth_dba TO {}").format(login))
        url = released.url(f"plain_{released.name}")
        with pytest.raises(psycopg.Error) as refused:
            upgrade(url)
        assert refused.value.sqlstate == "NB410"
        assert refused.value.diag.message_hint == (
            f"ask a role with that right to send: GRANT CREATE ON DATABASE {released.name} TO plain_{released.name}"
        )
        server.execute(SQL("GRANT CREATE ON DATABASE {} TO {}").format(Identifier(released.name), login))
        upgrade(url)
        assert versions(released) == [RELEASES[-1]]
        downgrade(url, "base")
    finally:
        released.drop()
        server.execute(SQL("DROP ROLE {}").format(login))


def test_revisions_are_linear_and_match_order_txt() -> None:
    scripts = ScriptDirectory.from_config(alembic_config("unused"))
    assert [one.revision for one in reversed(list(scripts.walk_revisions()))] == RELEASES


@pytest.mark.long
def test_the_contract_holds_after_every_step_up_and_down(empty_db: Database) -> None:
    url = empty_db.url(RELEASER)
    drift = "SELECT d.* FROM birth.v_birth_gateway_release_drift_guard d WHERE NOT d.pass"
    with_contract = RELEASES[RELEASES.index("stage1") :]
    steps: list[tuple[Callable[[str, str], None], str]] = [(upgrade, release) for release in with_contract]
    steps += [(downgrade, release) for release in reversed(with_contract[:-1])]
    for step, release in [*steps, *steps[1 : len(with_contract)]]:
        step(url, release)
        with empty_db.connect() as connection:
            assert connection.execute(drift).fetchall() == []
            newest = connection.execute(
                "SELECT release FROM birth.birth_gateway_release_registry ORDER BY generation DESC LIMIT 1"
            )
            assert newest.fetchone() == (release,)


def test_the_registry_has_the_hashes_of_every_live_object(db: Database) -> None:
    """hash(source) = hash(live) = hash in the registry: sources are measured, which `check` repeats."""
    manifest = Sources(paths.ROOT).manifest(RELEASES[-1])
    with db.connect() as connection:
        live = semantic.hashes(connection, PROJECT)
        exact = dict(
            connection.execute(
                "SELECT kind || ' ' || object, exact_sha256 FROM birth.fn_birth_contract_live()"
            ).fetchall()
        )
        recorded = connection.execute(
            "SELECT kind || ' ' || object, exact_sha256, semantic_sha256 FROM birth.v_birth_contract_recorded"
            " WHERE kind <> 'claim'"
        ).fetchall()
    assert {key: sha for key, sha, _ in recorded} == exact
    assert {key: sha for key, _, sha in recorded if sha is not None} == live
    fixed = attest.objects_of(manifest, str(db.cluster.major))
    assert {key: entry["exact"] for key, entry in fixed.items()} == exact
    assert {key: entry["semantic"] for key, entry in fixed.items() if "semantic" in entry} == live


def edited(script_: str, before: str, after: str) -> str:
    assert script_.count(before) == 1
    return script_.replace(before, after)


def test_a_script_that_was_edited_is_refused(released: Database) -> None:
    written = script("upgrade", "base:baseline")
    for before, after in (
        ("hashtextextended('birth.' || p_name, 0)", "hashtextextended('birth.' || p_name, 1)"),
        (
            "('SCHEMA',  NULL,                               'birth_operator',     'USAGE'),",
            "('SCHEMA', NULL, 'birth_operator', 'CREATE'),",
        ),
        ("  command    text NOT NULL,\n", "  command    text,\n"),
        # Harmless by itself; but nobody asked for it.
        ("-- baseline/release/contract.sql", "GRANT SELECT ON birth.birth_act TO PUBLIC;"),
        ("-- baseline/release/contract.sql", "CREATE INDEX sneaked ON birth.birth_act (reason);"),
    ):
        sent = psql(released, "\\set VERBOSITY verbose\n" + edited(written, before, after))
        assert sent.returncode == 3
        assert "NB404" in sent.stderr
        assert "the release was rolled back" in sent.stderr
        assert target.release(released.connect()) is None
    assert psql(released, written).stderr == ""


@pytest.mark.parametrize("way", ["upgrade", "downgrade"])
@pytest.mark.parametrize("online", [True, False], ids=["online", "by script"])
def test_a_release_is_refused_on_a_drifted_database(released: Database, way: str, online: bool) -> None:
    upgrade(released.url(RELEASER), "stage1")
    admin = released.connect()
    admin.execute("ALTER FUNCTION birth.fn_birth_lock_key(text) COST 7")
    # Who drifts may silence the guard too; the release brings its own.
    admin.execute("ALTER FUNCTION birth.fn_birth_contract_live(jsonb) RESET ALL")
    there = shape(released)
    to = {"upgrade": "stage2", "downgrade": "stage0"}[way]
    if online:
        with pytest.raises(psycopg.Error) as refused:
            {"upgrade": upgrade, "downgrade": downgrade}[way](released.url(RELEASER), to)
        assert refused.value.sqlstate == "NB404"
        assert refused.value.diag.message_detail == "stage1: function fn_birth_lock_key(text): configuration"
    else:
        sent = psql(released, script(way, f"stage1:{to}"))
        assert "stage1: function fn_birth_lock_key(text): configuration" in sent.stderr
    assert shape(released) == there
    assert versions(released) == ["stage1"]


def test_an_unknown_server_major_is_refused(released: Database, migrations: Callable[[str, str, str], Path]) -> None:
    copy = migrations("baseline", "grants.sql", "")
    sources, major = Sources(copy.parent), str(released.cluster.major)
    for release in RELEASES:
        manifest = sources.manifest_file(release)
        manifest.write_text(re.sub(rf'"{major}": "{major}\.\d+"', '"13": "13.1"', manifest.read_text()))
        sources.sum(release)
    admin = released.connect()
    config = alembic_config(released.url(RELEASER))
    config.set_main_option("script_location", str(copy))
    config.output_buffer = written = io.StringIO()
    with pytest.raises(psycopg.Error) as refused:
        command.upgrade(config, "baseline")
    assert refused.value.sqlstate == "NB414"
    assert admin.execute("SELECT to_regnamespace('birth')").fetchone() == (None,)
    command.upgrade(config, "baseline", sql=True)
    assert "NB414" in psql(released, written.getvalue()).stderr
    assert admin.execute("SELECT to_regnamespace('birth')").fetchone() == (None,)


@pytest.mark.long
def test_grants_from_default_privileges_are_accepted(released: Database) -> None:
    upgrade(released.url(RELEASER), "stage0")
    admin = released.connect()
    admin.execute("ALTER DEFAULT PRIVILEGES FOR ROLE birth_definer GRANT SELECT ON TABLES TO nora_nobody")
    try:
        upgrade(released.url(RELEASER))
        drifted = "SELECT object, blocks FROM birth.v_birth_gateway_release_drift_guard WHERE NOT pass"
        found = dict(admin.execute(drifted).fetchall())
        assert "birth" in found
        assert "birth_review" in found
        assert not any(found.values())
    finally:
        admin.execute("ALTER DEFAULT PRIVILEGES FOR ROLE birth_definer REVOKE SELECT ON TABLES FROM nora_nobody")


@pytest.mark.long
def test_an_interrupted_script_leaves_its_login_no_privileges(released: Database) -> None:
    first = script("upgrade", "base:head").partition("\nCOMMIT;")[0] + "\nCOMMIT;\n"
    assert psql(released, first).stderr == ""
    upgrade(released.url())
    with released.connect() as connection:
        lent = connection.execute("SELECT has_schema_privilege(%s, 'birth', 'CREATE')", (RELEASER,)).fetchone()
    assert lent == (False,)


@pytest.mark.long
def test_grants_on_foreign_objects_are_kept_and_not_part_of_the_contract(released: Database) -> None:
    upgrade(released.url(RELEASER), "stage1")
    admin = released.connect()
    admin.execute("GRANT SELECT ON birth.birth_registry TO nora_nobody")
    upgrade(released.url(RELEASER))
    drifted = "SELECT object, found, blocks FROM birth.v_birth_gateway_release_drift_guard WHERE NOT pass"
    assert admin.execute(drifted).fetchall() == [("birth_registry", "nora_nobody=SELECT", False)]


def test_a_foreign_view_in_the_schema_does_not_block_releases(released: Database) -> None:
    upgrade(released.url(RELEASER), "stage1")
    admin = released.connect()
    admin.execute("CREATE VIEW birth.v_mine AS SELECT 1 AS one")
    upgrade(released.url(RELEASER), "stage2")
    downgrade(released.url(RELEASER), "stage1")
    assert attest.repair(released.connect(RELEASER)) == []
    assert admin.execute("SELECT one FROM birth.v_mine").fetchone() == (1,)


@pytest.mark.parametrize(
    ("made", "said", "step"),
    [
        ("", "belongs to nora_nobody", "ask a role with that right to send: ALTER SCHEMA birth OWNER TO birth_definer"),
        ("CREATE TABLE birth.person ()", "belongs to nora_nobody", "it holds objects that no release made"),
        ("CREATE TYPE birth.kind AS ENUM ()", "belongs to nora_nobody", "it holds objects that no release made"),
    ],
)
def test_a_schema_of_somebody_else_is_not_released_into(empty_db: Database, made: str, said: str, step: str) -> None:
    admin = empty_db.connect()
    admin.execute("CREATE SCHEMA birth AUTHORIZATION nora_nobody")
    admin.execute(made.encode())
    with pytest.raises(psycopg.Error) as refusal:
        upgrade(empty_db.url(RELEASER))
    assert (refusal.value.sqlstate, said in str(refusal.value)) == ("NB410", True)
    assert str(refusal.value.diag.message_hint).startswith(step)


@pytest.mark.long
def test_a_read_only_login_is_told_what_lets_it_release(empty_db: Database) -> None:
    admin = empty_db.connect()
    admin.execute(SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(Identifier(empty_db.name)))
    with pytest.raises(psycopg.Error) as refusal:
        upgrade(empty_db.url(RELEASER))
    assert refusal.value.sqlstate == "NB410"
    step = str(refusal.value.diag.message_hint).partition(";")[0].removeprefix("send: ")
    admin.execute("SET default_transaction_read_only = off")
    admin.execute(step.encode())
    upgrade(empty_db.url(RELEASER))
