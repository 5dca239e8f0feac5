"""From one major version of PostgreSQL to the next: a DBA attests what differs, nothing blocks for good."""

import os
import pwd
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from helpers import Scene
from sample import some
from support import Cluster, Database, upgrade

from birthdb import server, target
from birthdb.audit import verify
from birthdb.release import attest
from birthdb.server import EmbeddedServer, ServerError, binaries, client

NEWEST = max(server.MAJORS)

DASHBOARD = "SELECT all_ok FROM birth.v_birth_gateway_contract_integrity_dashboard"


@pytest.fixture(autouse=True)
def _every_major(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two servers take part, whichever one the other tests run on."""
    monkeypatch.delenv(server.VARIABLE, raising=False)


def started(major: int, **options: Any) -> EmbeddedServer:
    try:
        binaries(major)
    except ServerError as missing:
        pytest.skip(str(missing))
    return EmbeddedServer(major=major, **options)


@pytest.fixture(scope="module")
def newest() -> Iterator[EmbeddedServer]:
    """The server that everybody moves to."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(server.VARIABLE, raising=False)
        with EmbeddedServer(major=NEWEST) as running:
            yield running


def records(server: EmbeddedServer, name: str = "postgres") -> dict[str, str]:
    """Return a digest of every table of schema birth; what receipts, births, permits and ledger say of a run agrees."""
    cluster = Cluster(server.url())
    with closing(cluster), closing(Scene(Database(cluster, name))) as scene:
        assert scene.unsound() == []
        return scene.digest()


def released_with_births(old: EmbeddedServer) -> str:
    """Release to head on an old server; three rows are born by the gateway and two by a run, and two more died."""
    url = old.url()
    upgrade(url)
    cluster = Cluster(url)
    cluster.enrol()
    with target.connect(url, autocommit=True) as conn:
        conn.execute("""
            CREATE TABLE public.thing (id int PRIMARY KEY);
            GRANT SELECT ON public.thing TO birth_scanner; GRANT TRIGGER ON public.thing TO birth_definer;
            CREATE ROLE stefan LOGIN IN ROLE birth_steward;
            GRANT SELECT ON birth.birth_registry TO stefan""")
    with target.connect(old.url(user="stefan"), autocommit=True) as steward:
        steward.execute("""
            SELECT birth.fn_birth_collection_register('thing', 'public', 'thing', 'BIRTH_REQUIRED', true)""")
        steward.execute("""
            SELECT birth.fn_birth_identity_classify('thing', 'synthetic_id', p_column => 'id', p_prefix => 'thing-')""")
        steward.execute("SELECT birth.fn_birth_gateway_attach('thing', 'enforce')")
        steward.execute("SELECT birth.fn_birth_life_attach('thing', 'enforce')")
    with target.connect(url, autocommit=True) as conn:
        conn.execute("INSERT INTO public.thing VALUES (1), (2), (3), (7), (8)")
        conn.execute("DELETE FROM public.thing WHERE id = 7")
        conn.execute("SET session_replication_role = replica; INSERT INTO public.thing VALUES (5), (6)")
        conn.execute("DELETE FROM public.thing WHERE id = 8")
        assert conn.execute(DASHBOARD).fetchone() == (True,)
    with closing(cluster), closing(Scene(Database(cluster, "postgres"))) as scene:
        scene.end(scene.permitted_deaths("thing"))
        scene.apply(scene.permitted("thing"), batch=1)
    return url


def is_attested_anew(url: str, recorded_on: int) -> None:
    """The move is said, changes nothing else, and ends with one statement of a DBA."""
    with target.connect(url, autocommit=True) as conn:
        assert [row for row in attest.differences(conn, attest.current(conn)) if row.blocks] == []
        said = verify.verify(conn).differing
        assert {check.found for check in said if check.what == "registry"} == {
            f"recorded on PostgreSQL {recorded_on}, this is {NEWEST}: birthdb attest"
        }
        before = conn.execute("SELECT count(*) FROM birth.birth_gateway_release_registry").fetchone()
        assert attest.attest(conn) > 0
        assert conn.execute(DASHBOARD).fetchone() == (True,)
        # The grant that a stranger was given is all that is left to say, as it was before.
        assert [str(check) for check in verify.verify(conn).differing] == [
            "contract: table birth_registry: privileges (+stefan=SELECT) (does not block apply)"
        ]
        after = conn.execute("SELECT count(*) FROM birth.birth_gateway_release_registry").fetchone()
        assert before is not None
        assert after is not None
        assert after > before
        conn.execute("INSERT INTO public.thing VALUES (4)")
        census = conn.execute("SELECT bool_and(pass) FROM birth.fn_birth_census('thing')").fetchone()
        assert census == (True,)
        births = conn.execute("SELECT array_agg(entity_code ORDER BY entity_code) FROM birth.birth_registry").fetchone()
        assert births == ([f"thing-{number}" for number in range(1, 9)],)
        conn.execute("DELETE FROM public.thing WHERE id = 4")
        deaths = "SELECT array_agg(entity_code || ' ' || manner ORDER BY entity_code) FROM birth.birth_death"
        assert conn.execute(deaths).fetchone() == (["thing-4 DELETE", "thing-7 DELETE", "thing-8 FOUND"],)
        with pytest.raises(psycopg.Error) as refused:
            conn.execute("INSERT INTO public.thing VALUES (7)")
        assert refused.value.sqlstate == "NB511"


@some("major", [major for major in server.MAJORS if major < NEWEST])
def test_a_dump_is_restored_into_the_newest_major_and_attested(
    newest: EmbeddedServer, tmp_path: Path, major: int
) -> None:
    # In parallel from every other one.
    formats = ("-Fd", "-j", "2", "-f", tmp_path / "dump") if major % 2 else ("-Fp",)
    with started(major) as old:
        url = released_with_births(old)
        before = records(old)
        roles = dump(url, "pg_dumpall", "--roles-only", "--database")
        data = dump(url, "pg_dump", *formats, "--dbname")
    name = f"from_{major}"
    with psycopg.connect(newest.url(), autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
    # The roles are the cluster's: there already when another test was here before.
    restored(newest.url(name), roles, tolerant=True)
    if data:
        restored(newest.url(name), data)
    else:
        parallel: list[str | Path] = [
            client("pg_restore"),
            "--exit-on-error",
            "-j",
            "2",
            "-d",
            newest.url(name),
            tmp_path / "dump",
        ]
        assert subprocess.run(parallel, check=True, capture_output=True).stderr == b""
    assert records(newest, name) == before
    is_attested_anew(newest.url(name), major)


def dump(url: str, program: str, *options: str | Path) -> bytes:
    """Return what the newest client writes of a database, or nothing where an option says to which file."""
    return subprocess.run([client(program), *options, url], check=True, capture_output=True).stdout


def restored(url: str, text: bytes, *, tolerant: bool = False) -> None:
    stop = "off" if tolerant else "on"
    command: list[str | Path] = [client("psql"), "-qX", "-v", f"ON_ERROR_STOP={stop}", "-d", url]
    sent = subprocess.run(command, input=text, capture_output=True, check=False)
    assert tolerant or (sent.returncode, sent.stderr) == (0, b"")


@pytest.mark.long
def test_a_database_after_pg_upgrade_can_be_attested(tmp_path: Path) -> None:
    old_major = 16  # the oldest whose package brings what pg_upgrade asks of an old server
    with started(old_major) as old, started(NEWEST) as new:
        released_with_births(old)
        old.stop()
        new.stop()
        pg_upgrade(old, new)
        new.start()
        is_attested_anew(new.url(), old_major)


def pg_upgrade(old: EmbeddedServer, new: EmbeddedServer) -> None:
    """Run pg_upgrade as the servers' user, where that may write. Skips where a package lacks what it calls."""
    for directory in (old.bin, new.bin):
        for program in ("pg_controldata", "pg_resetwal", "pg_ctl", "pg_checksums"):
            if not (directory / program).is_file():
                pytest.skip(f"there is no {program} in {directory}")
    data = new.directory / "data"
    account = pwd.getpwuid(data.stat().st_uid)
    options: dict[str, Any] = {"user": account.pw_uid, "group": account.pw_gid} if os.geteuid() == 0 else {}

    def run(*command: str | Path) -> None:
        ran = subprocess.run(command, cwd=new.socket_directory, capture_output=True, text=True, check=False, **options)
        assert ran.returncode == 0, ran.stdout + ran.stderr

    # Checksums became the default with 18, and both clusters must have them or not.
    run(new.bin / "pg_checksums", "--disable", "-D", data)
    run(
        *(new.bin / "pg_upgrade", "-U", "postgres", "-s", new.socket_directory),
        *("-b", old.bin, "-B", new.bin, "-d", old.directory / "data", "-D", data),
    )
