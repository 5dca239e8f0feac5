"""The ``birthdb`` command, and ``python -m birthdb``.

Starting Python takes half of the time of a release, and most of that is importing. So Alembic's commands start without
the modules for options and tables (they are imported to report an error), and with garbage collection off.
"""

import gc
import os
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line and end the process with its exit code."""
    gc.disable()
    if sys.argv[1:2] == ["alembic"]:
        _alembic(sys.argv[2:])
    from birthdb import cli

    gc.freeze()
    gc.enable()
    cli.main()


def _alembic(arguments: list[str]) -> NoReturn:
    # Mako loads Pygments when it is imported, to colour pages of errors that a command line never shows.
    sys.modules.setdefault("mako.ext.pygmentplugin", None)  # type: ignore[arg-type]
    try:
        from birthdb.release.command import run

        sys.exit(run(arguments))
    except KeyboardInterrupt:
        sys.exit("aborted")
    except BrokenPipeError:
        # Whoever read the output has enough; what is left of it has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as exc:
        from birthdb import cli

        cli.refuse(exc, as_json="--json" in sys.argv)


if __name__ == "__main__":
    main()
