"""``python -m birthdb`` is the ``birthdb`` command."""

from birthdb.cli import main

main()
