"""birthdb: exactly one birth for every governed row of a PostgreSQL database.

What decides, decides in the database (schema ``birth``); this package binds arguments, releases and shows.
"""

__version__ = "0.1.0"
