"""Bytes per birth, heap and indexes, against what PostgreSQL needs at the least, computed from its documentation."""

from bench.scenario import Claim, Scenario, Table
from bench.scenarios.apply import by_hand

ORDER = 80
MEASURED = "in key order"
COMPUTED = "computed"

_HEADER = 24  # HeapTupleHeaderData, 23 bytes, aligned to 8; a NULL bitmap of eight columns fits into the gap
_POINTER = 4  # ItemIdData: the line pointer of a tuple, of an index entry too
_ENTRY = 8  # IndexTupleData

_ALIGNMENT = {"c": 1, "s": 2, "i": 4, "d": 8}


def _aligned(size: int, to: int = 8) -> int:
    return -(-size // to) * to


class Size(Scenario):
    """What a run leaves: the pages of table and indexes, divided by the births."""

    name = "size"
    title = "bytes per birth, for codes of 16 characters"
    rows_in_full = 200_000
    unit = "bytes"
    claims = (
        Claim("bytes per birth, indexes included", MEASURED, COMPUTED, 1.5, against="computed minimum"),
        Claim("bytes per birth, indexes included", MEASURED, None, None, unit="bytes", digits=0),
    )

    def conclude(self) -> None:
        """Write births, and divide."""
        sources = [self.world.source(f"item_{int(random)}", self.rows, random=random) for random in (False, True)]
        for order, source, driven in (
            (MEASURED, sources[0], True),
            ("in no order", sources[1], True),
            ("in no order, by one statement", sources[1], False),
        ):
            self.world.empty()
            if driven:
                self.world.apply(self.world.permitted(source.name))
            else:
                self.world.execute(by_hand(source))
            self.world.execute("VACUUM birth.birth_registry")
            parts = self.world.rows(
                "SELECT 'table' AS part, pg_relation_size('birth.birth_registry') AS bytes UNION ALL"
                " SELECT i.indexrelid::regclass::text, pg_relation_size(i.indexrelid) FROM pg_index i"
                " WHERE i.indrelid = 'birth.birth_registry'::regclass ORDER BY 2 DESC"
            )
            rows = tuple((part["part"], part["bytes"] / self.rows) for part in parts)
            total = sum(size for _, size in rows)
            self.result.add(order, total)
            self.result.tables.append(Table(f"codes {order}", ("part", "bytes a birth"), (*rows, ("all", total))))
            if order == MEASURED:
                self.compute()

    def compute(self) -> None:
        """Compute the least from a birth as it stands: each column at its alignment, one index entry for the code."""
        columns = self.world.rows(
            "SELECT a.attname AS name, a.attalign::text AS align, a.attlen AS length, quote_ident(a.attname) AS quoted"
            " FROM pg_attribute a WHERE a.attrelid = 'birth.birth_registry'::regclass AND a.attnum > 0"
            " AND NOT a.attisdropped ORDER BY a.attnum"
        )
        sizes = ", ".join(f"pg_column_size(b.{column['quoted']}) AS c{i}" for i, column in enumerate(columns))
        (birth,) = self.world.rows(f"SELECT {sizes} FROM birth.birth_registry b ORDER BY b.entity_code LIMIT 1")
        at, rows = 0, [("tuple header", _HEADER)]
        for i, column in enumerate(columns):
            # A short varlena has a header of one byte and is not aligned.
            size, align = birth[f"c{i}"], 1 if column["length"] < 0 else _ALIGNMENT[column["align"]]
            rows.append((column["name"], _aligned(at, align) - at + size))
            at = _aligned(at, align) + size
            if column["name"] == "entity_code":
                key = _aligned(size)
        rows += [("alignment of the tuple", _aligned(at) - at), ("line pointer", _POINTER)]
        rows += [
            ("index entry: header", _ENTRY),
            ("index entry: code, aligned", key),
            ("index entry: pointer", _POINTER),
        ]
        total = sum(size for _, size in rows)
        self.result.add(COMPUTED, total)
        table = Table("computed minimum", ("part", "bytes a birth"), (*rows, ("all", total)))
        self.result.tables.append(table)
