"""What strikes at a boundary, and what it takes until the database answers again.

A strike is made by the client that is told of the boundary, while the backend waits there. It is always the same
moment: what has been done before the boundary is done, nothing behind it has begun.
"""

import os
import signal
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
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


def _kill_backend(ground: Ground, scene: Scene, conn: psycopg.Connection[Any]) -> None:
    os.kill(conn.info.backend_pid, signal.SIGKILL)


def _kill_server(ground: Ground, scene: Scene, conn: psycopg.Connection[Any]) -> None:
    # A backend outlives its postmaster until it waits, and could end the run in that moment: it goes at the same time.
    pid = conn.info.backend_pid
    os.kill(pid, signal.SIGSTOP)
    os.kill(ground.server.pid, signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    ground.server.stop(signal.SIGKILL)
    ground.server.start()


TERMINATE = Fault("pg_terminate_backend", _terminate, ends_session=True)
CANCEL = Fault("pg_cancel_backend", _cancel)
LOCK_TIMEOUT = Fault("lock_timeout", settings={boundaries.BRIEF: "on"})
STATEMENT_TIMEOUT = Fault("statement_timeout", times_out=True)
VANISH = Fault("the client vanishes", _vanish, ends_session=True)
KILL_BACKEND = Fault("SIGKILL of the backend", _kill_backend, ends_session=True, crashes=True)
KILL_SERVER = Fault("SIGKILL of the postmaster", _kill_server, ends_session=True, crashes=True)

#: At every passing of every boundary; these leave the server alone.
CHEAP = (TERMINATE, CANCEL, LOCK_TIMEOUT, STATEMENT_TIMEOUT, VANISH)
#: At every COMMIT and once in every routine; after these the server recovers from its WAL.
CRASHES = (KILL_BACKEND, KILL_SERVER)

DATA_FULL = "no room for data"
WAL_FULL = "no room for WAL"

#: The names of all faults.
FAULTS = (*(fault.name for fault in (*CHEAP, *CRASHES)), DATA_FULL, WAL_FULL)
