"""``python -m faults``: the whole matrix, written into docs/; more than half an hour of two cores.

The exit code is 1 when a disturbed run did not come to the same end; then nothing is written.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from typing import Annotated

import typer
from faults import disk, matrix, page
from faults.disk import NoDiskError
from faults.matrix import Passing
from faults.page import Seen
from faults.stories import STORIES, Story
from faults.strikes import Fault, Ground

from birthdb import paths
from birthdb.server import EmbeddedServer

#: Between whose statements nothing else may write a row or plan anew.
SETTINGS = {"autovacuum": "off", "jit": "off"}


def main(
    jobs: Annotated[int, typer.Option(help="How many servers at once.")] = os.cpu_count() or 1,
    only: Annotated[list[str] | None, typer.Option(help=f"Of {', '.join(STORIES)}; writes nothing then.")] = None,
    turns: Annotated[int | None, typer.Option(help="In one turn each boundary sees one fault; all without.")] = None,
) -> None:
    """Disturb every story at every boundary, and write docs/faults.md and docs/faults.csv."""
    seen: list[Seen] = []
    unequal: list[str] = []
    version = ""
    with ProcessPoolExecutor(jobs) as pool:
        for part in as_completed(pool.submit(_part, name, way, turns) for way in WAYS for name in only or STORIES):
            try:
                found, wrong, version = part.result()
            except NoDiskError as error:
                typer.echo(error, err=True)
                continue
            seen += found
            unequal += wrong
            typer.echo(f"{len(seen)} faults, {len(unequal)} of them with another end", err=True)
    for message in unequal:
        typer.echo(message, err=True)
    if unequal:
        sys.exit(1)
    if only is None:
        page.write(paths.ROOT / "docs", sorted(seen), version, turns)


#: Chooses where in a story which faults strike, in so many turns.
Way = Callable[[Story, Sequence[Passing], int | None], Iterator[tuple[Passing, Fault]]]


@contextmanager
def _running() -> Iterator[tuple[Ground, Way]]:
    with EmbeddedServer(settings=SETTINGS) as server, closing(Ground(server)) as ground:
        yield ground, matrix.everywhere


@contextmanager
def _recovering() -> Iterator[tuple[Ground, Way]]:
    with EmbeddedServer(durable=True, settings=SETTINGS) as server, closing(Ground(server)) as ground:
        yield ground, matrix.crashes


@contextmanager
def _without_room_for_data() -> Iterator[tuple[Ground, Way]]:
    with disk.full_data(SETTINGS) as (ground, fault):
        yield ground, lambda _story, passings, _turns: ((at, fault) for at in matrix.at_commits(passings))


@contextmanager
def _without_room_for_wal() -> Iterator[tuple[Ground, Way]]:
    with disk.full_wal(SETTINGS) as (ground, fault):
        yield ground, lambda _story, passings, _turns: ((at, fault) for at in matrix.at_commits(passings))


#: A server, and what strikes on it.
WAYS = (_running, _recovering, _without_room_for_data, _without_room_for_wal)


def _part(
    name: str, way: Callable[[], AbstractContextManager[tuple[Ground, Way]]], turns: int | None
) -> tuple[list[Seen], list[str], str]:
    """Disturb one story on a server of its own; return what was seen, what ended otherwise, and the version."""
    seen: list[Seen] = []
    unequal: list[str] = []
    with ExitStack() as stack:
        ground, choose = stack.enter_context(way())
        version = ground.cluster.execute("SELECT split_part(current_setting('server_version'), ' ', 1)").fetchone()
        source, known = stack.enter_context(matrix.instrumented(ground))
        stage = stack.enter_context(matrix.staged(ground, source, known, STORIES[name]))
        for passing, fault in choose(stage.story, stage.passings, turns):
            try:
                outcome = matrix.struck(ground, stage, passing, fault)
            except Exception as error:
                unequal.append("\n".join([f"{type(error).__name__}: {error}", *error.__notes__]))
            else:
                seen.append(page.saw(name, passing, fault, outcome))
    assert version is not None
    return seen, unequal, str(version[0])


if __name__ == "__main__":
    typer.run(main)
