"""``python -m faults``: the matrix, written into docs/; the whole of it takes two cores the better part of an hour.

It is written after each part, a story under one sort of fault, and so a run that is cut short leaves what it has seen.
What is chosen by ``--only`` and ``--by`` takes the place of its own rows; all others stay. The exit code is 1 when a
disturbed run did not come to the same end; its part is left out then.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer
from faults import disk, matrix, page
from faults.disk import NoDiskError
from faults.matrix import Passing, Strikes
from faults.page import Seen
from faults.stories import STORIES, Story
from faults.strikes import CHEAP, CRASHES, DATA_FULL, WAL_FULL, Ground

from birthdb import paths
from birthdb.server import EmbeddedServer

#: Between whose statements nothing else may write a row or plan anew.
SETTINGS = {"autovacuum": "off", "jit": "off"}

#: What makes a COMMIT outlive a crash of the server, wherever its data lies.
DURABLE = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}


class Sort(StrEnum):
    """A sort of faults: all that strike on one server."""

    ALONE = "alone"
    CRASH = "crash"
    DATA = "data"
    WAL = "wal"


def main(
    jobs: Annotated[int, typer.Option(help="How many servers at once.")] = os.cpu_count() or 1,
    only: Annotated[list[str] | None, typer.Option(help=f"Stories, of {', '.join(STORIES)}.")] = None,
    by: Annotated[list[Sort] | None, typer.Option(help="Sorts of faults.")] = None,
    turns: Annotated[int | None, typer.Option(help="In one turn each boundary sees one fault; all without.")] = None,
) -> None:
    """Disturb every story at every boundary, and write docs/evidence/faults.md and docs/evidence/faults.csv."""
    docs = paths.ROOT / "docs" / "evidence"
    seen = page.read(docs) if only or by else []
    equal = True
    with ProcessPoolExecutor(jobs) as pool:
        chosen = [(name, sort) for sort in by or Sort for name in only or STORIES]
        parts = {pool.submit(_part, name, sort, turns): (name, sort) for name, sort in chosen}
        for part in as_completed(parts):
            name, sort = parts[part]
            try:
                found, unequal, version = part.result()
            except NoDiskError as error:
                typer.echo(error, err=True)
                continue
            for message in unequal:
                typer.echo(message, err=True)
            equal = equal and not unequal
            seen = [one for one in seen if one.story != name or one.fault not in WAYS[sort].faults]
            seen += [] if unequal else found
            typer.echo(f"{name}, {sort}: {len(found):,} faults, {len(unequal)} with another end", err=True)
            page.write(docs, sorted(seen), version)
    sys.exit(not equal)


#: Chooses where in a story which faults strike, in so many turns.
Choice = Callable[[Story, Sequence[Passing], int | None], Strikes]


@contextmanager
def _running() -> Iterator[tuple[Ground, Choice]]:
    with EmbeddedServer(settings=SETTINGS) as server, closing(Ground(server)) as ground:
        yield ground, matrix.everywhere


@contextmanager
def _recovering() -> Iterator[tuple[Ground, Choice]]:
    with EmbeddedServer(settings=SETTINGS | DURABLE) as server, closing(Ground(server)) as ground:
        yield ground, matrix.crashes


@contextmanager
def _without_room_for_data() -> Iterator[tuple[Ground, Choice]]:
    with disk.full_data(SETTINGS) as (ground, fault):
        yield ground, lambda _story, passings, _turns: (([at], fault) for at in matrix.at_commits(passings))


@contextmanager
def _without_room_for_wal() -> Iterator[tuple[Ground, Choice]]:
    with disk.full_wal(SETTINGS | DURABLE) as (ground, fault):
        yield ground, lambda _story, passings, _turns: (([at], fault) for at in matrix.at_commits(passings))


@dataclass(frozen=True)
class Way:
    """A server, and what strikes on it."""

    ground: Callable[[], AbstractContextManager[tuple[Ground, Choice]]]
    faults: Sequence[str]


WAYS = {
    Sort.ALONE: Way(_running, [fault.name for fault in CHEAP]),
    Sort.CRASH: Way(_recovering, [fault.name for fault in CRASHES]),
    Sort.DATA: Way(_without_room_for_data, [DATA_FULL]),
    Sort.WAL: Way(_without_room_for_wal, [WAL_FULL]),
}


def _part(name: str, sort: Sort, turns: int | None) -> tuple[list[Seen], list[str], str]:
    """Disturb one story on a server of its own; return what was seen, what ended otherwise, and the version."""
    seen: list[Seen] = []
    unequal: list[str] = []
    with ExitStack() as stack:
        ground, choose = stack.enter_context(WAYS[sort].ground())
        version = ground.cluster.execute("SELECT split_part(current_setting('server_version'), ' ', 1)").fetchone()
        source, known = stack.enter_context(matrix.instrumented(ground))
        stage = stack.enter_context(matrix.staged(ground, source, known, STORIES[name]))
        for passings, fault in choose(stage.story, stage.passings, turns):
            for passing, outcome in zip(passings, matrix.struck_at_once(ground, stage, passings, fault), strict=True):
                if isinstance(outcome, Exception):
                    unequal.append("\n".join([f"{type(outcome).__name__}: {outcome}", *outcome.__notes__]))
                else:
                    seen.append(page.saw(name, passing, fault, outcome))
    assert version is not None
    return seen, unequal, str(version[0])


if __name__ == "__main__":
    typer.run(main)
