"""A full disk: a small file system of its own, for the data of a database or for the WAL, and what fills it.

Only where one can be mounted: on Linux, by root.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from signal import SIGCONT, SIGQUIT, SIGSTOP
from typing import Any

import psycopg
from faults import boundaries
from faults.strikes import DATA_FULL, WAL_FULL, Fault, Ground
from helpers import Scene
from psycopg.sql import SQL, Identifier, Literal
from support import Database

from birthdb.server import EmbeddedServer

_SEGMENT = 16 << 20
#: Room that may be left in the last segment: less than a batch takes.
_LEFT = 2048
_DATA_MB, _WAL_MB = 64, 5 * 16
_SMALL = "small"

#: Ten times as many as it takes to use up the WAL.
_STEPS = 1000

#: The WAL is kept to the two segments that a server needs.
_LITTLE_WAL = {"max_wal_size": "32MB", "min_wal_size": "32MB"}


class SmallDisk:
    """A mounted file system of a few megabytes, the server's own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ballast = path / "ballast"

    def fill(self) -> None:
        """Leave no byte of room."""
        with self._ballast.open("ab", buffering=0) as ballast, suppress(OSError):
            while ballast.write(bytes(4096)):
                pass

    def empty(self) -> None:
        """Give the room back."""
        self._ballast.unlink(missing_ok=True)


class NoDiskError(Exception):
    """No file system can be mounted here; the message says why."""


@contextmanager
def _small_disk(server: EmbeddedServer, megabytes: int) -> Iterator[SmallDisk]:
    owner = (server.directory / "data").stat()
    path = Path(tempfile.mkdtemp(prefix="birthdb-disk-", dir=server.directory.parent))
    options = f"size={megabytes}m,uid={owner.st_uid},gid={owner.st_gid},mode=700"
    try:
        _run("mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path))
        try:
            yield SmallDisk(path)
        finally:
            _run("umount", str(path))
    finally:
        path.rmdir()


def _run(*command: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = getattr(error, "stderr", None) or str(error).encode()
        raise NoDiskError(f"no small file system for a full disk: {reason.decode().strip()}") from error


@contextmanager
def full_data(settings: Mapping[str, str]) -> Iterator[tuple[Ground, Fault]]:
    """Provide a server, and a fault that leaves no room for the data. Raises NoDiskError."""
    with EmbeddedServer(settings=settings) as server, closing(Ground(server)) as ground, data_disk(ground) as fault:
        yield ground, fault


@contextmanager
def data_disk(ground: Ground) -> Iterator[Fault]:
    """Provide a fault that leaves no room for the data, for a server that runs. Raises NoDiskError."""
    with _small_disk(ground.server, _DATA_MB) as disk:
        try:
            yield DataDisk(disk, ground).fault
        finally:
            ground.cluster.execute(SQL("DROP TABLESPACE {}").format(Identifier(_SMALL)))


@contextmanager
def full_wal(settings: Mapping[str, str]) -> Iterator[tuple[Ground, Fault]]:
    """Provide a server, and a fault that leaves no room for its WAL. Raises NoDiskError."""
    with (
        EmbeddedServer(settings={**settings, **_LITTLE_WAL}) as server,
        _small_disk(server, _WAL_MB) as disk,
        closing(Ground(server)) as ground,
    ):
        try:
            yield ground, WalDisk(disk, ground).fault
        finally:
            server.stop()


class DataDisk:
    """A database is moved to the small disk, which is full from the boundary until the statement ends."""

    def __init__(self, disk: SmallDisk, ground: Ground) -> None:
        self._disk = disk
        ground.cluster.execute(
            SQL("CREATE TABLESPACE {} LOCATION {}").format(Identifier(_SMALL), Literal(str(disk.path)))
        )
        self.fault = Fault(DATA_FULL, self._strike, before=self._move, after=self._empty)

    def _move(self, ground: Ground, database: Database) -> None:
        ground.cluster.execute(
            SQL("ALTER DATABASE {} SET TABLESPACE {}").format(Identifier(database.name), Identifier(_SMALL))
        )

    def _strike(self, ground: Ground, scene: Scene, conn: psycopg.Connection[Any]) -> None:
        self._disk.fill()
        scene.execute(f"SELECT pg_advisory_unlock({boundaries.HOLD})")

    def _empty(self, ground: Ground) -> None:
        self._disk.empty()


class WalDisk:
    """The WAL lies on the small disk, which is full from the boundary until the server has crashed of it."""

    def __init__(self, disk: SmallDisk, ground: Ground) -> None:
        self._disk = disk
        wal = ground.server.directory / "data" / "pg_wal"
        ground.server.stop()
        shutil.copytree(wal, disk.path, dirs_exist_ok=True)
        for path in (disk.path, *disk.path.rglob("*")):
            shutil.chown(path, wal.stat().st_uid, wal.stat().st_gid)
        wal.rename(wal.with_name("pg_wal.before"))
        wal.symlink_to(disk.path)
        ground.server.start()
        ground.cluster.reconnect()
        self.fault = Fault(WAL_FULL, self._strike, ends_session=True, crashes=True, after=self._empty)

    def _strike(self, ground: Ground, scene: Scene, conn: psycopg.Connection[Any]) -> None:
        # Checkpoints would give the segments back as fast as they are used up.
        self._checkpointer = scene.value("SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'")
        os.kill(self._checkpointer, SIGSTOP)
        self._disk.fill()
        # The segments that are there already are used up, and the last one up to less than a batch takes.
        for _ in range(_STEPS):
            segment, left = self._position(scene)
            if any(path.name[8:] > segment[8:] for path in self._disk.path.glob("?" * 24)):
                scene.execute("SELECT pg_logical_emit_message(false, 'faults', ''), pg_switch_wal()")
            elif left > _LEFT:
                size = min(left * 9 // 10, 1 << 20)
                scene.execute("SELECT pg_logical_emit_message(false, 'faults', repeat('x', %s))", (size,))
            else:
                scene.execute(f"SELECT pg_advisory_unlock({boundaries.HOLD})")
                return
        raise AssertionError("the WAL is not used up")

    def _position(self, scene: Scene) -> tuple[str, int]:
        (row,) = scene.rows(
            "SELECT pg_walfile_name(lsn) AS segment, (lsn - '0/0'::pg_lsn)::bigint AS place"
            " FROM pg_current_wal_insert_lsn() AS p(lsn)"
        )
        return row["segment"], _SEGMENT - row["place"] % _SEGMENT

    def _empty(self, ground: Ground) -> None:
        with suppress(ProcessLookupError):
            os.kill(self._checkpointer, SIGCONT)
        # Recovery needs room too: it may have failed, and the server with it.
        self._disk.empty()
        ground.server.stop(SIGQUIT)
        ground.server.start()
        ground.revive()
