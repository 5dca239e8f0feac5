"""What strikes at a boundary, and what it takes until the database answers again.

A strike is made by the client that is told of the boundary, while the backend waits there. It is always the same
moment: what has been done before the boundary is done, nothing behind it has begun.
"""

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Barrier, BrokenBarrierError, Event, Lock
from typing import Any

import psycopg
from faults import boundaries
from helpers import Scene
from support import Cluster, Database

from birthdb.server import EmbeddedServer

_PATIENCE = 60  # seconds


class Ground:
    """The server on which it happens."""

    def __init__(self, server: EmbeddedServer) -> None:
        self.server = server
        self.cluster = Cluster(server.url())

    def close(self) -> None:
        """Close the connection; the server is its owner's."""
        self.cluster.close()

    def revive(self) -> None:
        """Return when the server, which has crashed, takes connections again."""
        # It answers for a moment more, until it knows that one of its processes was killed.
        until(self._gone)
        until(self._back)

    def _gone(self) -> bool:
        try:
            self.cluster.execute("SELECT")
        except psycopg.OperationalError:
            return True
        return False

    def _back(self) -> bool:
        with suppress(psycopg.OperationalError):
            self.cluster.reconnect()
            return True
        return False


def until(happened: Callable[[], bool]) -> None:
    """Return when it has happened."""
    deadline = time.monotonic() + _PATIENCE
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.002)


@dataclass(frozen=True)
class Fault:
    """Something that happens to a session, or to its server."""

    name: str
    #: Makes it happen to the backend that waits at the boundary; nothing for a wait that ends by itself.
    strike: Callable[[Ground, Scene, psycopg.Connection[Any]], None] | None = None
    #: What the session sets before.
    settings: Mapping[str, str] = field(default_factory=dict)
    #: Whether the session is over by it.
    ends_session: bool = False
    #: Whether every session is over by it, and the server recovers from a crash.
    crashes: bool = False
    #: Makes the server crash and recover while all these backends wait at their boundaries.
    crash: Callable[["Ground", Sequence[int]], None] | None = None
    #: What is made ready with the database that it strikes.
    before: Callable[[Ground, Database], None] | None = None
    #: What ends it, when the statement is over.
    after: Callable[[Ground], None] | None = None
    #: Whether it is a statement_timeout, which the procedures refuse to run with.
    times_out: bool = False


def _terminate(ground: Ground, scene: Scene, conn: psycopg.Connection[Any]) -> None:
    scene.execute("SELECT pg_terminate_backend(%s)", (conn.info.backend_pid,))


def _cancel(ground: Ground, scene: Scene, conn: psycopg.Connection[Any]) -> None:
    scene.execute("SELECT pg_cancel_backend(%s)", (conn.info.backend_pid,))


def _vanish(ground: Ground, scene: Scene, conn: psycopg.Connection[Any]) -> None:
    with socket.socket(fileno=os.dup(conn.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)
    # The backend is told nothing: it goes on until it has something to say.
    scene.execute(f"SELECT pg_advisory_unlock({boundaries.HOLD})")


def _kill_backends(ground: Ground, pids: Sequence[int]) -> None:
    _kill(*pids)
    ground.revive()


def _kill_server(ground: Ground, pids: Sequence[int]) -> None:
    # A backend outlives its postmaster until it waits, and could end the run in that moment: it goes at the same time.
    _kill(*pids, ground.server.pid)
    ground.server.stop(signal.SIGKILL)
    ground.server.start()
    ground.revive()


def _kill(*pids: int) -> None:
    """Kill all of them before one of them learns of another's end."""
    for how in (signal.SIGSTOP, signal.SIGKILL):
        for pid in pids:
            os.kill(pid, how)


class Crash:
    """One crash for several sessions, each in a database of its own and at a boundary of its own.

    One of them acts at a time: at its boundary it lets the next one act. The server crashes when the last one is there.
    """

    def __init__(self, ground: Ground, fault: Fault, sessions: int) -> None:
        assert fault.crash is not None
        self._make = partial(fault.crash, ground)
        self._pids: list[int] = []
        self._turn = Lock()
        self._all_there = Barrier(sessions + 1, timeout=_PATIENCE * sessions)
        self._over = Event()
        self.fault = replace(fault, strike=self._wait)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Act alone; whoever fails lets the others go."""
        with self._turn:
            try:
                yield
            except BaseException:
                self._all_there.abort()
                raise

    def strike(self) -> None:
        """Wait until all are there, and strike; in the thread that started the server, which dies with its thread."""
        try:
            with suppress(BrokenBarrierError):  # then each of them says so
                self._all_there.wait()
                self._make(self._pids)
        finally:
            self._over.set()

    def _wait(self, ground: Ground, scene: Scene, conn: psycopg.Connection[Any]) -> None:
        self._pids.append(conn.info.backend_pid)
        self._turn.release()
        try:
            self._all_there.wait()
            self._over.wait()
        finally:
            self._turn.acquire()


TERMINATE = Fault("pg_terminate_backend", _terminate, ends_session=True)
CANCEL = Fault("pg_cancel_backend", _cancel)
LOCK_TIMEOUT = Fault("lock_timeout", settings={boundaries.BRIEF: "on"})
STATEMENT_TIMEOUT = Fault("statement_timeout", times_out=True)
VANISH = Fault("the client vanishes", _vanish, ends_session=True)
KILL_BACKEND = Fault("SIGKILL of the backend", ends_session=True, crashes=True, crash=_kill_backends)
KILL_SERVER = Fault("SIGKILL of the postmaster", ends_session=True, crashes=True, crash=_kill_server)

#: These leave the server alone.
CHEAP = (TERMINATE, CANCEL, LOCK_TIMEOUT, STATEMENT_TIMEOUT, VANISH)
#: After these the server recovers from its WAL.
CRASHES = (KILL_BACKEND, KILL_SERVER)

DATA_FULL = "no room for data"
WAL_FULL = "no room for WAL"

#: The names of all faults.
FAULTS = (*(fault.name for fault in (*CHEAP, *CRASHES)), DATA_FULL, WAL_FULL)
