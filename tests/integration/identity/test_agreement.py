"""Planner, writer, both levels of the gateway and fn_birth_resolve_identity give every value the same code."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.sql import SQL, Identifier
from world import Strategy, World, sql

from birthdb import api

pytestmark = pytest.mark.ordinary

Row = Sequence[str | None]
BLANK = " \t\n\r\f\v"
TEXTS = [
    None,
    "",
    " ",
    "\t",
    "\n",
    "\r\n \v\f",
    "\u00a0",  # a no-break space is a character like any other
    "plain",
    " padded ",
    "Zürich",
    "日本語",
    "e\u0301",
    "é",
    "x" * 511,
    "x" * 512,
    "x" * 513,
    "é" * 256,
    "é" * 256 + "x",
    "'",
    '"',
    "it''s",
    "\\",
    "\\n",
    "$1",
    "%I",
    "{code}",
    "NULL",
    "null",
    "'); DROP TABLE birth.birth_registry; --",
    "(SELECT 1)",
    "0",
    "-0",
    "1e3",
]
LONG_NUMBERS = ["-9223372036854775808", "9223372036854775807"]
INTEGERS = [None, "0", "7", "-7", "999999", "-999999", "1234567", "-1234567", "99999", "-99999"]
UUIDS = [None, "00000000-0000-0000-0000-000000000000", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"]
NUMERICS = [None, "0.000", "1.50", "-1.5", "1e3", "NaN", "123456789012345678901234567890.123", "1e600", "-1e511"]


def checked(code: str | None) -> str | None:
    """Return the code, or None where it is too long or blank: the rule, written a second time."""
    return code if code is not None and len(code.encode()) <= 512 and code.strip(BLANK) else None


def padded(number: str, width: int) -> str:
    return ("-" if int(number) < 0 else "") + str(abs(int(number))).rjust(width - (int(number) < 0), "0")


def create(world: World, columns: Mapping[str, str], strategy: Strategy, parts: Mapping[str, str]) -> None:
    """Create a plain table and a partitioned one, each with its collection and gateway."""
    names = SQL(", ").join(map(Identifier, columns))
    body = SQL(", ").join(SQL("{} {}").format(Identifier(n), SQL(t)) for n, t in columns.items())
    for table, tail in (("plain", ""), ("parted", " PARTITION BY HASH ({names})")):
        world.owner.execute(
            (sql("CREATE TABLE app.{table} (", table=table) + body + SQL(", UNIQUE ({}))").format(names))
            + SQL(tail).format(names=names)
        )
    for remainder in (0, 1):
        world.owner.execute(
            f"CREATE TABLE app.part_{remainder} PARTITION OF app.parted"
            f" FOR VALUES WITH (MODULUS 2, REMAINDER {remainder})".encode()
        )
    world.owner.execute(
        "GRANT SELECT ON ALL TABLES IN SCHEMA app TO birth_scanner;"
        "GRANT TRIGGER ON ALL TABLES IN SCHEMA app TO birth_definer"
    )
    for collection in ("plain", "parted"):
        world.register(collection)
        world.classify(strategy, collection, **parts)
        world.attach(collection)


def clear(world: World) -> None:
    world.admin.execute("DELETE FROM birth.birth_registry")
    world.admin.execute("DELETE FROM birth.birth_gateway_finding")


def fill(world: World, table: str, types: Sequence[str], rows: Sequence[Row]) -> None:
    values = SQL(", ").join(SQL(f"%s::text::{kind}") for kind in types)
    lines = SQL(", ").join([SQL("({})").format(values)] * len(rows))
    flat = [value for row in rows for value in row]
    world.owner.execute(SQL("INSERT INTO app.{} VALUES ").format(Identifier(table)) + lines, flat)


def agree(
    world: World, columns: Mapping[str, str], rows: Sequence[Row], expected: Sequence[str | None], *, run: bool = True
) -> None:
    """Insert the rows into both tables and ask each path for its codes; ``run`` lets the writer commit a backfill."""
    world.owner.execute("TRUNCATE app.plain, app.parted")
    codes = sorted((code for code in expected if code is not None), key=str.encode)
    unresolved = len(expected) - len(codes)
    for collection in ("parted", "plain"):
        clear(world)
        fill(world, collection, list(columns.values()), rows)
        assert world.births(collection) == codes
        assert sum(count for _, count in world.findings(collection)) == unresolved
    clear(world)

    answers = world.admin.execute(
        "SELECT r.entity_code FROM app.plain t, birth.fn_birth_resolve_identity('plain', to_jsonb(t)) r"
    )
    assert sorted((row[0] for row in answers if row[0] is not None), key=str.encode) == codes

    plan = world.planned("plain")
    assert (plan["source_rows"], plan["planned_rows"], plan["unresolvable"]) == (len(rows), len(codes), unresolved)
    (fingerprint,) = world.admin.execute(
        'SELECT ARRAY[count(*), coalesce(sum(hashtextextended(c COLLATE "C", 0)), 0),'
        ' coalesce(sum(hashtextextended(c COLLATE "C", 0)), 0)]::numeric[] FROM unnest(%s::text[]) c',
        (codes,),
    ).fetchall()
    assert plan["planned_fingerprint"] == fingerprint[0]

    if run:
        world.backfill("plain", batch=12)
        assert world.births("plain") == codes
    elif codes:
        rehearsal = api.rehearse(world.operator, "plain")
        assert (rehearsal["actual_inserted"], rehearsal["rerun_delta"]) == (len(codes), 0)


SINGLE: dict[str, tuple[str, list[str | None], Strategy, dict[str, str], Callable[[str], str]]] = {
    "text": ("text", TEXTS, "column", {"column": "id"}, lambda v: v),
    "varchar": ("varchar(600)", TEXTS, "column", {"column": "id"}, lambda v: v),
    "int2": ("smallint", [None, "-32768", "32767", "0"], "column", {"column": "id"}, lambda v: v),
    "int4": ("integer", INTEGERS, "column", {"column": "id"}, lambda v: v),
    "int8": ("bigint", [*INTEGERS, *LONG_NUMBERS], "column", {"column": "id"}, lambda v: v),
    "uuid": ("uuid", UUIDS, "column", {"column": "id"}, str.lower),
    "numeric": ("numeric", NUMERICS, "column", {"column": "id"}, lambda v: v if v == "NaN" else f"{Decimal(v):f}"),
    "scaled numeric": (
        "numeric(12,2)",
        [None, "0", "1.5", "-1.005", "12.3456"],
        "column",
        {"column": "id"},
        lambda v: {"0": "0.00", "1.5": "1.50", "-1.005": "-1.01", "12.3456": "12.35"}[v],
    ),
    "prefixed text": ("text", TEXTS, "synthetic_id", {"column": "id", "prefix": "pre'\\ "}, lambda v: "pre'\\ " + v),
    "prefixed int8": (
        "bigint",
        [*INTEGERS, *LONG_NUMBERS],
        "synthetic_id",
        {"column": "id", "prefix": "thing-"},
        lambda v: "thing-" + v,
    ),
    "long prefix": (
        "bigint",
        [*INTEGERS, *LONG_NUMBERS],
        "synthetic_id",
        {"column": "id", "prefix": "p" * 505},
        lambda v: "p" * 505 + v,
    ),
    "padded int8": (
        "bigint",
        [*INTEGERS, *LONG_NUMBERS],
        "legacy",
        {"template": "APR-{id:06}"},
        lambda v: "APR-" + padded(v, 6),
    ),
    "padded too long": (
        "bigint",
        ["1", "2", None],
        "legacy",
        {"template": "{id:99}".replace(":", ":0") * 6},
        lambda v: padded(v, 99) * 6,
    ),
    "template of text": ("text", TEXTS, "legacy", {"template": "{{{id}}}'"}, lambda v: "{" + v + "}'"),
    "blank template": ("text", TEXTS, "legacy", {"template": " {id}\t"}, lambda v: f" {v}\t"),
}


@pytest.mark.parametrize("case", SINGLE)
def test_every_path_gives_a_value_the_same_code(world: World, case: str) -> None:
    kind, values, strategy, parts, code = SINGLE[case]
    create(world, {"id": kind}, strategy, parts)
    expected = [None if value is None else checked(code(value)) for value in values]
    agree(world, {"id": kind}, [[value] for value in values], expected, run=any(expected))


def test_every_path_gives_a_pair_the_same_code(world: World) -> None:
    columns = {"tenant": "text", "no": "integer"}
    create(world, columns, "legacy", {"template": "{tenant}/{no:04}"})
    rows: list[Row] = [[tenant, no] for tenant in (None, "", " ", "a", "é'") for no in (None, "0", "-12", "123456")]
    expected = [None if t is None or n is None else checked(f"{t}/{padded(n, 4)}") for t, n in rows]
    agree(world, columns, rows, expected)


def test_a_row_as_equivalent_json_gets_the_same_code_as_the_stored_row(world: World) -> None:
    world.governed("(id numeric(8,2) PRIMARY KEY)", column="id")
    world.owner.execute("INSERT INTO app.thing VALUES (1.5)")
    answer = world.admin.execute(
        'SELECT r.entity_code FROM birth.fn_birth_resolve_identity(\'thing\', \'{"id": 1.5, "other": {"a": [1]}}\') r'
    ).fetchone()
    assert answer == (world.births()[0],) == ("1.50",)


def test_a_key_whose_order_depends_on_a_collation_gives_the_same_codes(world: World) -> None:
    world.admin.execute("CREATE COLLATION app.other (provider = libc, locale = 'C.UTF-8')")
    create(world, {"id": "text COLLATE app.other"}, "column", {"column": "id"})
    values = ["b", "B", "é", "a", "-a", "Á"]
    agree(world, {"id": "text"}, [[value] for value in values], values)


def test_columns_of_different_collations_make_one_code(world: World) -> None:
    world.admin.execute("CREATE COLLATION app.other (provider = libc, locale = 'C.UTF-8')")
    create(world, {"a": 'text COLLATE "C"', "b": "text COLLATE app.other"}, "legacy", {"template": "{a} {b}"})
    agree(world, {"a": "text", "b": "text"}, [["x", "é"], ["é", "x"], ["", " "]], ["x é", "é x", None])


def test_a_nondeterministic_collation_changes_no_code(world: World) -> None:
    try:
        world.admin.execute(
            "CREATE COLLATION app.loose (provider = icu, locale = 'und-u-ka-shifted-ks-level1', deterministic = false)"
        )
    except psycopg.errors.FeatureNotSupported:
        pytest.skip("this server was built without ICU")
    world.governed("(code text COLLATE app.loose PRIMARY KEY)", mode="enforce")
    world.insert(["--", "É", "b"])
    assert world.births() == ["--", "b", "É"]
    world.admin.execute("DELETE FROM birth.birth_registry")
    world.backfill(batch=1)
    assert world.births() == ["--", "b", "É"]
    assert world.failed_checks() == {}


SAVED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
ANY_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
VALUES = st.one_of(
    st.none(),
    ANY_TEXT,
    st.text(st.sampled_from(BLANK + "a'\\"), max_size=4),
    st.integers(500, 520).map(lambda length: "y" * length),
    st.integers(250, 260).map(lambda length: "ß" * length),
)


def test_every_path_gives_any_text_the_same_code(world: World) -> None:
    create(world, {"id": "text"}, "column", {"column": "id"})

    @settings(max_examples=25, suppress_health_check=SAVED)
    @given(st.lists(VALUES, min_size=1, max_size=12, unique=True))
    def property_holds(values: list[str | None]) -> None:
        agree(world, {"id": "text"}, [[v] for v in values], [checked(v) for v in values], run=False)

    property_holds()


def test_every_path_gives_any_number_the_same_padded_code(world: World) -> None:
    create(world, {"id": "bigint"}, "legacy", {"template": "{id:012}"})
    numbers = st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1), st.integers(-1000, 1000))

    @settings(max_examples=15, suppress_health_check=SAVED)
    @given(st.lists(numbers, min_size=1, max_size=12, unique=True))
    def property_holds(values: list[int | None]) -> None:
        rows: list[Row] = [[None if v is None else str(v)] for v in values]
        agree(world, {"id": "bigint"}, rows, [None if v is None else padded(str(v), 12) for v in values], run=False)

    property_holds()
