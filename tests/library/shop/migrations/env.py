"""Runs the releases of the shop."""

from alembic import context

from pgcontract import environment

environment.run(context)
