"""The figures of docs/evidence/performance.md, re-runnable: ``make bench``, or ``python -m bench --help``.

``scenarios/`` has one file per scenario, and a new one is found by being there. ``scenario.py`` says what a scenario
is, ``world.py`` what it measures in, ``rounds.py`` how; ``report.py`` and ``plot.py`` show it.
"""
