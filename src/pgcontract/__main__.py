"""``python -m pgcontract``: the commands for the project in this directory.

``PGCONTRACT_SERVERS`` names servers on which databases may be made, as superuser URLs by major::

    export PGCONTRACT_SERVERS="16=postgresql://postgres@localhost:5416 17=postgresql://postgres@localhost:5417"

The newest one writes the schema dump, with the pg_dump of the path.
"""

import os
import shutil
import sys
from contextlib import nullcontext
from pathlib import Path

from pgcontract.commands import Setup, commands, run
from pgcontract.measure import Servers
from pgcontract.project import SourceError

VARIABLE = "PGCONTRACT_SERVERS"


def _servers() -> Servers:
    try:
        urls = {int(major): url for major, url in (entry.split("=", 1) for entry in os.environ[VARIABLE].split())}
    except (KeyError, ValueError):
        sys.exit(f"no servers are named: {VARIABLE}='16=postgresql://postgres@localhost:5416 …'")
    return Servers(sorted(urls), lambda major: nullcontext(urls[major]), max(urls), _pg_dump)


def _pg_dump() -> Path:
    found = shutil.which("pg_dump")
    if found is None:
        raise SourceError("there is no pg_dump on the path")
    return Path(found)


if __name__ == "__main__":
    run(commands(Setup(Path.cwd, _servers())))
