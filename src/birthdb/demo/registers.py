"""Seven ISO registers as plain tables, from the ``pycountry`` package: nothing in them knows of birthdb."""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg.sql import SQL, Identifier

from birthdb.api import Connection
from birthdb.server import ServerError

SCHEMA = "iso"


@dataclass(frozen=True)
class Register:
    """A register: its table, the columns with their types, the primary key, and which standard it is."""

    table: str
    columns: str
    key: str
    standard: str
    source: str

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return [column.split()[0] for column in self.columns.split(", ")]


REGISTERS = (
    Register(
        "country",
        "alpha_3 text, alpha_2 text NOT NULL UNIQUE, numeric text NOT NULL, name text NOT NULL, official_name text",
        "alpha_3",
        "ISO 3166-1",
        "countries",
    ),
    Register(
        "currency", "alpha_3 text, numeric text NOT NULL, name text NOT NULL", "alpha_3", "ISO 4217", "currencies"
    ),
    # The code of a subdivision is made of two parts; kept apart, they are a composite key.
    Register(
        "subdivision",
        "country text, local text, name text NOT NULL, type text NOT NULL",
        "country, local",
        "ISO 3166-2",
        "subdivisions",
    ),
    Register(
        "former_country",
        "alpha_4 text, alpha_2 text NOT NULL, alpha_3 text NOT NULL, name text NOT NULL, withdrawal_date text NOT NULL",
        "alpha_4",
        "ISO 3166-3",
        "historic_countries",
    ),
    Register(
        "language",
        "alpha_3 text, alpha_2 text, name text NOT NULL, scope text NOT NULL, type text NOT NULL",
        "alpha_3",
        "ISO 639-3",
        "languages",
    ),
    Register("language_family", "alpha_3 text, name text NOT NULL", "alpha_3", "ISO 639-5", "language_families"),
    Register(
        "script", "numeric integer, alpha_4 text NOT NULL UNIQUE, name text NOT NULL", "numeric", "ISO 15924", "scripts"
    ),
)


def read(register: Register) -> list[Sequence[str | None]]:
    """Return the rows of a register in the order of its columns. Raises ServerError where pycountry is missing."""
    try:
        import pycountry
    except ImportError:
        raise ServerError("there is no data to show: pip install 'birthdb[demo]'") from None
    rows: list[Sequence[str | None]] = []
    for entry in getattr(pycountry, register.source):
        fields = dict(entry)
        if register.table == "subdivision":
            fields["country"], fields["local"] = entry.code.split("-", 1)
        rows.append([fields.get(name) for name in register.names])
    return rows


def load(conn: Connection, register: Register, rows: Sequence[Sequence[str | None]]) -> None:
    """Create the table of a register and COPY the rows into it."""
    # The text is this module's own.
    conn.execute(f"CREATE TABLE {SCHEMA}.{register.table} ({register.columns}, PRIMARY KEY ({register.key}))".encode())
    columns = SQL(", ").join(map(Identifier, register.names))
    copy = SQL("COPY {}.{} ({}) FROM STDIN").format(Identifier(SCHEMA), Identifier(register.table), columns)
    with conn.cursor() as cursor, cursor.copy(copy) as writer:
        for row in rows:
            writer.write_row(row)
