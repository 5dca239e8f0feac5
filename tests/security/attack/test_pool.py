"""Behind a connection pool: people are not mixed up, and what one client leaves in a session is no other's undoing.

A pool of transactions gives a client another session for each transaction and takes nothing back from a session. That
is imitated here with ordinary sessions; where pgbouncer is installed it is asked too.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from helpers import EVERYBODY, OPERATOR, OWNER, REVIEWER, Run, Scene, begin, refused, step
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from support import PEOPLE

from birthdb import api, errors, target
from birthdb.audit import verify as verification

# --- two people, one login


def test_two_people_with_one_login_count_as_one_person(scene: Scene, item: str) -> None:
    """The login of the pool may be a member of every role: each act but the planner's own is refused."""
    plan = scene.plan(item, by=EVERYBODY)
    with scene.unchanged(), refused(errors.SeparationOfDuties):
        scene.review(plan["run_id"], by=EVERYBODY)
    scene.review(plan["run_id"])
    with scene.unchanged(), refused(errors.SeparationOfDuties):
        scene.open_permit(item, plan["run_id"], 20, by=EVERYBODY)


# --- one session, two clients


def leftovers(session: psycopg.Connection[Any]) -> list[tuple[Any, ...]]:
    """Return what the next client of this session would find."""
    return session.execute(
        "SELECT name, setting FROM pg_settings WHERE source = 'session'"
        " AND name NOT IN ('client_encoding', 'application_name', 'transaction_read_only') UNION ALL"
        " SELECT 'lock', objid::text FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() UNION ALL"
        " SELECT 'prepared', name FROM pg_prepared_statements UNION ALL SELECT 'cursor', name FROM pg_cursors"
        " WHERE name <> '' UNION ALL SELECT 'temporary', relname FROM pg_class WHERE relpersistence = 't' UNION ALL"
        " SELECT 'role', current_user::text WHERE current_user <> session_user ORDER BY 1, 2"
    ).fetchall()


def test_no_act_leaves_state_in_its_session(scene: Scene, run: Run) -> None:
    people = [scene.session(person) for person in (OPERATOR, REVIEWER, OWNER)]
    before = [leftovers(session) for session in people]
    with refused(errors.DeltaMismatch):
        scene.apply(run, p_expected_delta=7)
    scene.stopped_after_a_batch(run)
    with pytest.raises(psycopg.errors.InvalidTransactionTermination), people[0].transaction():
        scene.apply(run)
    scene.apply(run, batch=3)
    assert verification.verify(people[1]).fine
    api.census(people[0], run.collection)
    scene.compensate(scene.compensable(run))
    assert [leftovers(session) for session in people] == before


#: What a client may leave behind, and how the next one's CALL ends then: None where it is done all the same.
LEFT: dict[str, tuple[str, str | None]] = {
    "a role": ("SET ROLE birth_reader", "42501"),
    "a search path": ("SET search_path = public", None),
    "twins of relations and types": (
        "CREATE TEMPORARY TABLE birth_registry (x int); CREATE TEMPORARY TABLE birth_act (x int);"
        " CREATE TEMPORARY TABLE item (x int); CREATE TEMPORARY TABLE text (x int);"
        " CREATE TEMPORARY TABLE timestamptz (x int); CREATE TEMPORARY TABLE record (x int);"
        " CREATE TEMPORARY TABLE uuid (x int); SET search_path = pg_temp",
        None,
    ),
    "an isolation level": ("SET default_transaction_isolation = 'serializable'", errors.IsolationLevel.sqlstate),
    "reading only": ("SET default_transaction_read_only = on", errors.ReadOnly.sqlstate),
    "a timeout": ("SET statement_timeout = '1h'", errors.TimeoutWouldCut.sqlstate),
    "another reading of strings": ("SET standard_conforming_strings = off; SET quote_all_identifiers = on", None),
    "locks of ours": (
        "SELECT pg_advisory_lock(birth.fn_birth_lock_key('release'));"
        " SELECT pg_advisory_lock(birth.fn_birth_lock_key('claim:item'))",
        None,
    ),
    "a cursor and a prepared statement": (
        "PREPARE p AS SELECT 1; BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT 1; COMMIT",
        None,
    ),
}


@pytest.mark.parametrize("left", LEFT)
def test_session_state_left_by_another_client_is_harmless_or_refused(scene: Scene, run: Run, left: str) -> None:
    leaving, refusal = LEFT[left]
    session = scene.session(OPERATOR)
    session.execute(leaving.encode())
    if refusal is None:
        scene.apply(run, batch=7)
        assert scene.status(run) == ("done", None)
    else:
        with scene.unchanged(), pytest.raises(psycopg.Error) as caught:
            scene.apply(run, batch=7)
        assert caught.value.sqlstate == refusal


def test_a_release_lock_kept_by_a_pooled_session_is_named(scene: Scene, run: Run) -> None:
    scene.db.connect(OPERATOR).execute("SELECT pg_advisory_lock(birth.fn_birth_lock_key('release'))")
    with scene.unchanged(), refused(errors.ReleaseInProgress):
        scene.apply(run)


# --- one client, two sessions


def test_a_run_held_by_one_session_cannot_be_written_by_the_next(scene: Scene, run: Run) -> None:
    """Begun by hand in one transaction, so that the pool gives the batch another session."""
    holder, other = scene.db.connect(OPERATOR), scene.db.connect(OPERATOR)
    begin(holder, run)
    with scene.unchanged():
        with refused(errors.RunTakenOver):
            step(other, run, 5)
        with refused(errors.RunHeld):
            scene.apply(run)
    step(holder, run, 5)
    assert scene.births() == 5
    scene.execute("SELECT pg_terminate_backend(%s, 10000)", (holder.info.backend_pid,))
    scene.apply(run)
    assert scene.status(run) == ("done", None)


# --- pgbouncer


def _account(host: str) -> pwd.struct_passwd | None:
    """Whom to run pgbouncer as, which refuses to run as root: whoever may enter the directory of the socket."""
    if os.geteuid() != 0:
        return None
    owner = pwd.getpwuid(Path(host).stat().st_uid) if Path(host).is_dir() else pwd.getpwnam("root")
    return owner if owner.pw_uid else pwd.getpwnam("nobody")


@pytest.fixture
def pooled(scene: Scene) -> Iterator[Callable[[str, str], psycopg.Connection[Any]]]:
    """Return how to connect through pgbouncer: a pool for each login, or one login's for all, of one session each."""
    program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        pytest.skip("pgbouncer is not installed; what it would do is imitated by the other tests here")
    known = conninfo_to_dict(scene.db.url(EVERYBODY))
    to = " ".join(f"{key}={known[key]}" for key in ("host", "port", "dbname") if key in known)
    with tempfile.TemporaryDirectory(prefix="birthdb-pool-") as made:
        folder = Path(made)
        folder.joinpath("users").write_text(
            "".join(f'"{person}" "{known["password"]}"\n' for person in (*PEOPLE, EVERYBODY)), encoding="utf-8"
        )
        folder.joinpath("pool.ini").write_text(
            f"[databases]\nown = {to}\nshared = {to} user={EVERYBODY} password={known['password']}\n"
            f"[pgbouncer]\nlisten_addr =\nunix_socket_dir = {folder}\nlisten_port = 6432\nauth_type = trust\n"
            f"auth_file = {folder}/users\npool_mode = transaction\ndefault_pool_size = 1\n",
            encoding="utf-8",
        )
        account = _account(str(known.get("host", "")))
        if account is not None:
            for path in (folder, *folder.iterdir()):
                os.chown(path, account.pw_uid, account.pw_gid)
        process = subprocess.Popen(
            [program, str(folder / "pool.ini")],
            stderr=subprocess.PIPE,
            user=None if account is None else account.pw_uid,
            group=None if account is None else account.pw_gid,
            extra_groups=None if account is None else [],
        )
        clients: list[psycopg.Connection[Any]] = []

        def connect(pool: str, person: str) -> psycopg.Connection[Any]:
            url = make_conninfo(host=made, port=6432, dbname=pool, user=person, connect_timeout=20)
            clients.append(target.connect(url, autocommit=True))
            return clients[-1]

        try:
            while not folder.joinpath(".s.PGSQL.6432").exists():
                assert process.poll() is None, process.stderr.read() if process.stderr else ""
            yield connect
        finally:
            for client in clients:
                client.close()
            process.terminate()
            process.communicate(timeout=60)


def test_a_transaction_pool_per_login_keeps_people_apart(
    scene: Scene, item: str, pooled: Callable[[str, str], psycopg.Connection[Any]]
) -> None:
    first, second = pooled("own", OPERATOR), pooled("own", OPERATOR)
    reviewer, owner = pooled("own", REVIEWER), pooled("own", OWNER)
    assert {c.execute("SELECT pg_backend_pid()").fetchone() for c in (first, second)} == {
        second.execute("SELECT pg_backend_pid()").fetchone()
    }
    plan = api.plan(first, item, dry_run=False)
    api.review_record(reviewer, plan["run_id"], "SAFE", "read")
    tomorrow = scene.value("SELECT now() + interval '1 day'")
    permit = api.permit_open(owner, item, plan["run_id"], 20, tomorrow, "agreed")["permit_id"]
    api.permit_confirm(reviewer, permit)
    for _ in range(8):  # more often than a client library waits before it prepares
        api.progress(second, plan["run_id"])
    api.apply(second, item, plan["run_id"], permit, 20, 20, batch=3, execute=True)
    assert scene.births() == 20
    assert verification.verify(reviewer).fine
    assert leftovers(first) == leftovers(second) == []
    actors = scene.rows("SELECT act, actor FROM birth.birth_act WHERE run_id = %s", (plan["run_id"],))
    assert {(row["act"], row["actor"]) for row in actors} >= {
        ("plan", OPERATOR),
        ("review", REVIEWER),
        ("permit_open", OWNER),
        ("permit_confirm", REVIEWER),
        ("attempt", OPERATOR),
    }


def test_a_pool_with_one_shared_login_is_refused(
    scene: Scene, item: str, pooled: Callable[[str, str], psycopg.Connection[Any]]
) -> None:
    plan = api.plan(pooled("shared", OPERATOR), item, dry_run=False)
    with scene.unchanged(), pytest.raises(errors.SeparationOfDuties) as refusal:
        api.review_record(pooled("shared", REVIEWER), plan["run_id"], "SAFE", "read")
    assert EVERYBODY in str(refusal.value.detail)
    assert scene.value("SELECT DISTINCT actor FROM birth.birth_act WHERE act = 'plan'") == EVERYBODY
