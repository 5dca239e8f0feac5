"""The scene of a run, on the database of the test."""

from fixtures import colleagues, db, item, item_template, run, run_template, scene

__all__ = ["colleagues", "db", "item", "item_template", "run", "run_template", "scene"]
