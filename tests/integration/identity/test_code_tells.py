"""Which columns can be read back from a code: with a unique key over such, a plan need not look for equal codes."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import product

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg.sql import SQL, Identifier, Literal
from world import World, sql

from birthdb import errors

#: Template, types of its columns: the columns that its codes tell.
TOLD: dict[tuple[str, str], str] = {
    ("{a}-{b}", "integer, integer"): "a b",
    ("{a}-{b}-{c}", "bigint, smallint, integer"): "a b c",
    ("{a}.{b}", "integer, integer"): "a b",
    ("v{a:04}.{b:02}", "integer, integer"): "a b",
    ("{a:03}{b}/{c}", "integer, uuid, text"): "",
    ("{a:03}/{b}{c}", "integer, uuid, text"): "a b c",
    ("{a}/{b}", "text, integer"): "a b",
    ("{a}/{b}", "integer, text"): "a b",
    ("{a}{b}", "uuid, text"): "a b",
    ("{a}{b}", "text, uuid"): "a b",
    ("{a}{b}{c}", "uuid, integer, uuid"): "a b c",
    ("{a}/{b}", "numeric, numeric"): "a b",
    ("{a}-{b}", "numeric, integer"): "a b",
    ("{a}/{b}/{c}", "integer, text, integer"): "a b c",
    ("{a}{b}/{c}", "text, text, integer"): "c",
    ("{a}/{b}{c}", "integer, text, text"): "a",
    ("{a}/{b}/{a}", "integer, text"): "a b",
    ("{a}é{b}", "integer, integer"): "a b",
    ("{a}", "text"): "a",
    ("{a}/{b}", "text, text"): "",
    ("{a}-{b}", "text, integer"): "",
    ("{a}.{b}", "text, numeric"): "",
    ("{a}.{b}", "numeric, text"): "",
    ("{a}0{b}", "integer, integer"): "",
    ("{a:02}{b:02}", "integer, integer"): "",
    ("{a}{b}", "integer, text"): "",
    ("{a}{b}", "text, text"): "",
}

#: Template, types, and two rows that differ and have one code.
ALIKE: dict[tuple[str, str], tuple[Sequence[str], Sequence[str]]] = {
    ("{a}{b}", "integer, integer"): (("1", "11"), ("11", "1")),
    ("{a:02}{b:02}", "integer, integer"): (("12", "345"), ("123", "45")),
    ("{a}/{b}", "text, text"): (("x", "y/z"), ("x/y", "z")),
    ("{a}-{b}", "text, integer"): (("x-", "1"), ("x", "-1")),
    ("{a}.{b}", "text, numeric"): (("x", "1.5"), ("x.1", "5")),
    ("{a}.{b}", "numeric, text"): (("1.5", "x"), ("1", "5.x")),
    ("{a}0{b}", "integer, integer"): (("1", "101"), ("101", "1")),
    ("{a}-{b}", "text, numeric"): (("x", "-1"), ("x-", "1")),
    ("{a}{b}", "text, numeric"): (("-", "Infinity"), ("", "-Infinity")),
    ("{a}{b}", "text, integer"): (("x1", "1"), ("x", "11")),
    ("{a} {b}", "text, varchar"): (("a ", "b"), ("a", " b")),
}

_WHOLE = ["0", "1", "-1", "10", "11", "-11", "101", "110"]
_REAL = ["0", "1", "-1", "11", "1.0", "1.1", "0.1", "-1.1", "NaN", "Infinity", "-Infinity"]
_UUIDS = ["00000000-0000-0000-0000-000000000001", "11111111-1111-1111-1111-111111111111"]
_TEXTS = ["", "0", "1", "-", "-1", "1-", "/", "1/1", ".1", "1.", "NaN", "Infinity", "a", _UUIDS[0]]

#: Of each type the values that look like one another, like a part of one another, and like what stands between.
POOLS: Mapping[str, list[str]] = {
    "smallint": _WHOLE,
    "bigint": _WHOLE,
    "numeric": _REAL,
    "uuid": _UUIDS,
    "text": _TEXTS,
    "varchar": _TEXTS,
}
BETWEEN = ["", *"-/.01Naf", "/1", "1/", "-/", "/-"]


@st.composite
def identities(draw: st.DrawFn) -> tuple[str, list[str], list[str]]:
    """Return a template, the types of its columns a, b, …, and those of them that the key is over."""
    types = draw(st.lists(st.sampled_from(sorted(POOLS)), min_size=2, max_size=3))
    names = "abc"[: len(types)]
    places = [*names, *draw(st.lists(st.sampled_from(names), max_size=1))]
    template = draw(st.sampled_from(BETWEEN))
    for name in draw(st.permutations(places)):
        padded = types["abc".index(name)] in ("smallint", "bigint") and draw(st.booleans())
        template += f"{{{name}{':02' if padded else ''}}}" + draw(st.sampled_from(BETWEEN))
    key = draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
    return template, types, key


def told(world: World) -> list[str]:
    """Return the columns that the code of collection thing tells, from the pieces that the definition reads."""
    return list(
        world.value(
            "SELECT birth.fn_birth_code_tells(array_agg(p.literal ORDER BY p.ordinal),"
            " array_agg(p.column_name ORDER BY p.ordinal), array_agg(a.atttypid::regtype ORDER BY p.ordinal))"
            " FROM birth.collection_registry c, birth.fn_birth_template_parse(c.birth_code_template) p"
            " LEFT JOIN pg_attribute a ON a.attrelid = 'app.thing'::regclass AND a.attname = p.column_name"
            " WHERE c.collection_name = 'thing'"
        )
    )


def governed(world: World, template: str, types: Sequence[str], key: Sequence[str]) -> None:
    """Create table and collection thing, with columns a, b, … and a unique key."""
    columns = ", ".join(f"{name} {kind}" for name, kind in zip("abc", types, strict=False))
    world.governed(f"({columns}, UNIQUE ({', '.join(key)}))", mode=None, strategy="legacy", template=template)


def ungoverned(world: World) -> None:
    """Take table, births and collection away again: the next identity has the same database."""
    world.owner.execute("DROP TABLE app.thing")
    world.admin.execute("TRUNCATE birth.birth_registry")
    world.admin.execute("DELETE FROM birth.collection_registry")


def distinct(world: World) -> bool:
    """Return whether a plan takes the codes for distinct."""
    return bool(world.value("SELECT codes_distinct FROM birth.fn_birth_identity_definition('thing')"))


def test_the_columns_that_a_code_determines_are_derived_from_both_ends(world: World) -> None:
    for (pattern, types), expected in TOLD.items():
        names = "abc"[: types.count(",") + 1]
        governed(world, pattern, types.split(", "), names)
        assert (pattern, " ".join(sorted(set(told(world))))) == (pattern, expected)
        assert (pattern, distinct(world)) == (pattern, expected == " ".join(names))
        ungoverned(world)


def test_a_code_of_a_pair_determines_only_unambiguous_columns(world: World) -> None:
    """Every two types, with everything between them that a value may look like."""
    for first, second, between in product(POOLS, POOLS, BETWEEN):
        values: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for pair in product(POOLS[first], POOLS[second]):
            values[between.join(pair)].add(pair)
        pieces = [(None, "a", first), *([(between, None, None)] if between else []), (None, "b", second)]
        arrays = [list(part) for part in zip(*pieces, strict=True)]
        tells = world.value("SELECT birth.fn_birth_code_tells(%s::text[], %s::text[], %s::regtype[])", *arrays)
        for place, name in enumerate("ab"):
            shared = [code for code, pairs in values.items() if len({pair[place] for pair in pairs}) > 1]
            assert name not in tells or shared == [], (first, between, second)


def test_a_key_over_determined_columns_makes_codes_unique(world: World) -> None:
    governed(world, "{a}{b}/{c}", ["text", "text", "integer"], "c")
    assert distinct(world)


def test_rows_that_differ_and_have_one_code_are_found(world: World) -> None:
    for (pattern, types), rows in ALIKE.items():
        governed(world, pattern, types.split(", "), "ab")
        world.owner.cursor().executemany("INSERT INTO app.thing VALUES (%s, %s)", rows)
        plan = world.planned()
        assert (pattern, plan["source_rows"], plan["duplicates"], plan["planned_rows"]) == (pattern, 2, 1, 1)
        assert world.blockers() == [errors.CodeDuplicate.sqlstate]
        ungoverned(world)


def test_a_deferrable_or_partial_key_does_not_make_codes_unique(world: World) -> None:
    """Without a key that holds in every statement the collection has no identity at all."""
    governed(world, "{a}-{b}", ["integer", "integer"], "ab")
    for other in (
        "ADD UNIQUE (a, b) DEFERRABLE INITIALLY DEFERRED",
        "ADD EXCLUDE USING btree (a WITH =, b WITH =)",
    ):
        world.owner.execute(b"ALTER TABLE app.thing DROP CONSTRAINT IF EXISTS thing_a_b_key")
        world.owner.execute(f"ALTER TABLE app.thing {other}".encode())
        assert world.status() == "BLOCKED_NO_UNIQUE_KEY"
    world.owner.execute("CREATE UNIQUE INDEX ON app.thing (a, b) WHERE a > 0")
    world.owner.execute("CREATE UNIQUE INDEX ON app.thing (a, abs(b))")
    assert world.status() == "BLOCKED_NO_UNIQUE_KEY"
    assert world.value("SELECT codes_distinct IS NULL FROM birth.fn_birth_identity_definition('thing')")


def grouping(world: World) -> None:
    """Make a copy of the measure that takes no codes for distinct."""
    source = world.value("SELECT pg_get_functiondef('birth.fn_birth_measure'::regproc)")
    assert source.count("r_identity.codes_distinct") >= 1
    source = source.replace("birth.fn_birth_measure(", "birth.grouping_measure(")
    world.admin.execute(source.replace("r_identity.codes_distinct", "false").encode())


def test_counts_equal_those_of_a_plan_that_compares_all_codes(world: World) -> None:
    grouping(world)
    world.admin.prepare_threshold = None  # the types of the columns change under the statements

    @settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
    @given(identities(), st.integers(0, 9))
    @example(("{a}-{b}", ["smallint", "bigint"], ["a", "b"]), 0)
    @example(("{a}/{b}", ["text", "text"], ["a", "b"]), 0)
    @example(("{a}.{b}/{c}", ["text", "numeric", "uuid"], ["c", "b"]), 1)
    def property_holds(identity: tuple[str, list[str], list[str]], seed: int) -> None:
        template, types, key = identity
        try:
            governed(world, template, types, key)
            fill(world, types, seed)
            compare(world, key)
        finally:
            ungoverned(world)

    property_holds()


def fill(world: World, types: Sequence[str], seed: int) -> None:
    """Put every combination of the pools there that the key admits; of their codes some are born, some of another."""
    pools = [
        SQL("(SELECT p::{} FROM unnest({}::text[] || NULL) p) AS {}(v)").format(
            SQL(kind), Literal(POOLS[kind]), Identifier(name)
        )
        for name, kind in zip("abc", types, strict=False)
    ]
    values = SQL(", ").join(sql("{name}.v", name=name) for name in "abc"[: len(types)])
    world.owner.execute(
        SQL(
            "INSERT INTO app.thing SELECT {} FROM {} ORDER BY md5(concat_ws(' ', {}, {})) ON CONFLICT DO NOTHING"
        ).format(values, SQL(" CROSS JOIN ").join(pools), Literal(seed), values)
    )
    code = world.value("SELECT birth_code_sql FROM birth.collection_registry WHERE collection_name = 'thing'")
    world.admin.execute(
        "INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin)"
        " SELECT c.code, CASE hashtext(c.code) % 5 WHEN 0 THEN 'other' ELSE 'thing' END, 'by hand'"
        f" FROM (SELECT DISTINCT {code} AS code FROM app.thing t) c"
        " WHERE c.code IS NOT NULL AND hashtext(c.code) % 2 = 0"
        " UNION ALL SELECT 'an orphan', 'thing', 'by hand'".encode()
    )


def compare(world: World, key: Sequence[str]) -> None:
    """Hold the counts, and what is told, against the rows."""
    code = world.value("SELECT birth_code_sql FROM birth.collection_registry WHERE collection_name = 'thing'")
    rows, codes, differing = world.admin.execute(
        f"SELECT count(*), count({code}), count(DISTINCT {code}) FROM app.thing t".encode()
    ).fetchall()[0]
    upper = world.value(f"SELECT ARRAY[{', '.join(f'max({name}::text)' for name in key)}] FROM app.thing")
    for bound in (None, upper):
        measured, grouped = (
            world.admin.execute(f"SELECT * FROM birth.{name}('thing', 1, 2, %s)".encode(), (bound,)).fetchall()
            for name in ("fn_birth_measure", "grouping_measure")
        )
        assert measured == grouped
        assert measured[0][:3] == (rows, rows - codes, codes - differing)
    for name in told(world):
        assert (
            world.admin.execute(
                f"SELECT {code} FROM app.thing t WHERE {code} IS NOT NULL"
                f" GROUP BY 1 HAVING count(DISTINCT t.{name}) > 1".encode()
            ).fetchall()
            == []
        )
    if distinct(world):
        assert codes == differing
