"""``python -m faults``: the whole matrix, written into docs/; more than half an hour of two cores.

The exit code is 1 when a disturbed run did not come to the same end; then nothing is written.
"""

import os
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack, closing
from typing import Annotated

import typer
from faults import matrix, page
from faults.page import Seen
from faults.stories import STORIES
from faults.strikes import Ground

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
    with ProcessPoolExecutor(jobs) as pool:
        parts = [pool.submit(_part, name, durable, turns) for durable in (False, True) for name in only or STORIES]
        for part in as_completed(parts):
            found, wrong, version = part.result()
            seen += found
            unequal += wrong
            typer.echo(f"{len(seen)} faults, {len(unequal)} of them with another end", err=True)
    for message in unequal:
        typer.echo(message, err=True)
    if unequal:
        sys.exit(1)
    if only is None:
        page.write(paths.ROOT / "docs", sorted(seen), version, turns)


def _part(name: str, durable: bool, turns: int | None) -> tuple[list[Seen], list[str], str]:
    """Disturb one story on a server of its own; return what was seen, what ended otherwise, and the version."""
    seen: list[Seen] = []
    unequal: list[str] = []
    with ExitStack() as stack:
        server = stack.enter_context(EmbeddedServer(durable=durable, settings=SETTINGS))
        ground = stack.enter_context(closing(Ground(server)))
        version = ground.cluster.execute("SELECT split_part(current_setting('server_version'), ' ', 1)").fetchone()
        source, known = stack.enter_context(matrix.instrumented(ground))
        stage = stack.enter_context(matrix.staged(ground, source, known, STORIES[name]))
        choose = matrix.crashes if durable else matrix.everywhere
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
