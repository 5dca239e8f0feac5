"""``python -m soak``: a table that lives, for ten minutes; the figures go into docs/evidence/life.md."""

import sys
from contextlib import closing
from typing import Annotated

import typer
from soak import page
from soak.story import Story, Terms
from support import Cluster
from world import World

from birthdb import paths
from birthdb.server import EmbeddedServer

#: A COMMIT outlives a crash, as the application's would.
SETTINGS = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}


def main(
    minutes: Annotated[float, typer.Option(help="How long; a tenth of ten minutes has a tenth of the rows.")] = 10,
    clients: Annotated[int, typer.Option(help="Sessions of pgbench.")] = 3,
    rate: Annotated[int, typer.Option(help="Transactions a second, of all sessions together.")] = 150,
    write: Annotated[bool, typer.Option(help="Write docs/evidence/life.md.")] = True,
) -> None:
    """Tell the story on a server of its own; exit 1 when something does not hold at its end."""
    terms = Terms(minutes * 60, clients, rate, history=int(30_000 * minutes))
    with (
        EmbeddedServer(settings=SETTINGS) as server,
        closing(Cluster(server.url(), local=True)) as cluster,
        closing(World(cluster.create_released())) as world,
    ):
        figures = Story(world, terms).tell()
    text = page.page(figures)
    typer.echo(text)
    if write and not figures.broken:
        (paths.ROOT / "docs" / "evidence" / "life.md").write_text(text, encoding="utf-8")
    sys.exit(bool(figures.broken))


if __name__ == "__main__":
    typer.run(main)
