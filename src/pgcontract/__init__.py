"""A contract for a schema of PL/pgSQL: what each release makes, whether a database is that, and what repairs it.

README.md beside this file says how a project uses it.
"""
