"""The demo, and an empty server."""

import importlib
import importlib.util
import json
import os
import signal
from typing import Annotated

import typer

from birthdb import target
from birthdb.cli.console import FINE
from birthdb.cli.options import Json, app
from birthdb.server import EmbeddedServer, ServerError, binaries


@app.command(rich_help_panel="To try it")
def demo(
    reference: Annotated[bool, typer.Option("--reference", help="Replay the figures of the documents.")] = False,
    as_json: Json = False,
) -> None:
    """Run the demo on real data: on the server of BIRTHDB_URL, else on a temporary one. It removes everything."""
    if not reference and importlib.util.find_spec("pycountry") is None:
        raise ServerError("the demo needs its extra: pip install 'birthdb[demo]'")
    if not os.environ.get(target.VARIABLE):
        binaries()
    module = importlib.import_module("birthdb.demo.reference" if reference else "birthdb.demo")
    raise typer.Exit(module.run(json=as_json) or FINE)


@app.command(rich_help_panel="To try it")
def server(
    tcp: Annotated[bool, typer.Option("--tcp", help="Listen on loopback too, with a password.")] = False,
    durable: Annotated[bool, typer.Option("--durable", help="Keep fsync on and the data on disk.")] = False,
    as_json: Json = False,
) -> None:
    """Run an empty server until Ctrl-C; its URL is the first line."""
    # A script's background job starts with SIGINT ignored; who sends it means it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with EmbeddedServer(tcp=tcp, durable=durable) as running:
        url = running.url(tcp=tcp)
        print(json.dumps({"url": url}) if as_json else url, flush=True)
        try:
            running.wait()
        except KeyboardInterrupt:
            return
        raise ServerError(f"the server ended:\n{running.log.read_text(errors='replace')[-2000:]}")
