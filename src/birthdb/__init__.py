"""birthdb: exactly one birth for every governed row of a PostgreSQL database.

All rules are in the database (schema ``birth``). This package binds arguments, releases the schema and prints.
"""

__version__ = "0.1.0"
