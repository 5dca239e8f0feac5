"""Each type that an identity column may have: one text on every path, whatever the session's settings are."""

import re
from datetime import datetime, timedelta

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from integration.identity.test_agreement import agree, create
from lives import agree as alive
from lives import dead, deaths
from psycopg import IsolationLevel
from psycopg.sql import SQL, Literal
from sample import some
from security.attack.spy import ran_as, spied
from world import World

from birthdb import api, errors

pytestmark = pytest.mark.ordinary

#: Of each setting values that would change the text of some type; the second zone calls another time UTC.
HOSTILE = {
    "DateStyle": ["ISO, MDY", "SQL, DMY", "German", "Postgres, MDY"],
    "TimeZone": ["Asia/Kolkata", "<UTC>5", "America/New_York"],
    "IntervalStyle": ["iso_8601", "sql_standard"],
    "bytea_output": ["escape", "hex"],
    "extra_float_digits": ["-15", "3"],
    "lc_time": ["C"],
}
TYPES = """
CREATE TYPE app.colour AS ENUM ('red', 'Grün', ' ', '', 'it''s', '{x}');
CREATE DOMAIN app.padded AS char(6);
CREATE DOMAIN app.label AS varchar(9) COLLATE "C";
CREATE DOMAIN app.short AS app.label CHECK (app.quiet('check') = 'spied');
CREATE DOMAIN app.number AS integer CHECK (app.quiet('check') = 'spied');
CREATE DOMAIN app.moment AS timestamptz CHECK (app.quiet('check') = 'spied');
CREATE DOMAIN app.day AS date CHECK (app.quiet('check') = 'spied');
GRANT USAGE ON SCHEMA app TO PUBLIC;
"""
Pair = tuple[str | None, str | None]


def words(length: int) -> st.SearchStrategy[str]:
    return st.text(st.sampled_from("ab é\t'\\%"), max_size=length)


def code(text: str) -> str | None:
    return text if text.strip(" \t\n\r\f\v") else None


def moment(value: datetime) -> str:
    """Return the text of a time: as ISO 8601 has it, without zeros at the end of the fraction."""
    text = value.isoformat()
    return text.rstrip("0") if "." in text else text


def times(*special: str) -> st.SearchStrategy[Pair]:
    """Return times as they are written, and their codes."""
    plain = st.datetimes().map(lambda value: (str(value), moment(value)))
    return st.one_of(plain, st.sampled_from(special).map(lambda text: (text, text)))


def zoned(pair: Pair, hours: int) -> Pair:
    """Return the same moment as another zone writes it, and the code of it."""
    text, expected = pair
    if text is None or not re.fullmatch(r"\d{4}-.*", text) or "BC" in text:
        return pair if text is None or "infinity" in text else (text.replace(" BC", "+00 BC"), expected)
    moved = datetime.fromisoformat(text)
    if not 1 < moved.year < 9999:
        return f"{text}+00", expected
    return f"{moved + timedelta(hours=hours)}{hours:+03}", expected


INFINITE = ("infinity", "-infinity")
STAMPS = (*INFINITE, "0044-03-15T12:00:00.5 BC", "4713-01-01T00:00:00 BC")
DATES: st.SearchStrategy[Pair] = st.one_of(
    st.dates().map(lambda value: (str(value), str(value))),
    st.sampled_from([*INFINITE, "0044-03-15 BC", "10000-01-01", "5874897-12-31"]).map(lambda text: (text, text)),
)
MOMENTS = st.builds(zoned, times(*STAMPS), st.integers(-11, 12))
LABELS = st.sampled_from(["red", "Grün", " ", "", "it's", "{x}"]).map(lambda text: (text, code(text)))
NUMBERS = st.integers(-(2**31), 2**31 - 1).map(lambda value: (str(value), str(value)))
#: Type: its values as they are written, with the codes that they have.
VALUES: dict[str, st.SearchStrategy[Pair]] = {
    "char(6)": words(6).map(lambda text: (text, code(text.rstrip(" ")))),
    "bpchar": words(9).map(lambda text: (text, code(text.rstrip(" ")))),
    "boolean": st.sampled_from([("t", "true"), ("f", "false")]),
    "date": DATES,
    "timestamp": times(*STAMPS),
    "timestamptz": MOMENTS,
    "app.colour": LABELS,
    "app.padded": words(6).map(lambda text: (text, code(text.rstrip(" ")))),
    "app.label": words(9).map(lambda text: (text, code(text))),
    "app.short": words(9).map(lambda text: (text, code(text))),
    "app.number": NUMBERS,
    "app.moment": MOMENTS,
    "app.day": DATES,
}


def disturb(conn: psycopg.Connection[object], drawn: dict[str, str]) -> None:
    for name, value in drawn.items():
        conn.execute(SQL("SELECT set_config({}, {}, false)").format(Literal(name), Literal(value)))


@some("kind", VALUES, every=2)
def test_every_path_gives_a_value_the_same_code_under_any_settings(world: World, kind: str) -> None:
    spied(world).owner.execute(TYPES.encode())
    create(world, {"id": kind}, "column", {"column": "id"})
    drawn = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in HOSTILE.items()})
    values = st.one_of(st.just((None, None)), VALUES[kind])

    @settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
    @given(st.lists(values, min_size=1, max_size=6, unique_by=lambda pair: pair[1]), drawn, drawn)
    def property_holds(rows: list[Pair], inserting: dict[str, str], planning: dict[str, str]) -> None:
        disturb(world.owner, inserting)
        disturb(world.admin, planning)
        # psycopg reads the times of a plan in ISO alone.
        disturb(world.operator, {**planning, "DateStyle": "ISO, DMY"})
        agree(world, {"id": kind}, [[text] for text, _ in rows], [expected for _, expected in rows], run=False)

    property_holds()
    assert ran_as(world) <= {"nora_nobody"}


#: Type: values in the order of its key, as they are written and as codes; one key each.
ORDERED: dict[str, list[Pair]] = {
    "char(6)": [("a ", "a"), ("b c", "b c"), ("é\t", "é\t")],
    "boolean": [("f", "false"), ("t", "true")],
    "date": [("0044-03-15 BC",) * 2, ("2024-02-01",) * 2, ("2024-11-03",) * 2, ("infinity",) * 2],
    "timestamp": [("2024-02-01T00:00:00",) * 2, ("2024-11-03T01:30:00.000001",) * 2],
    # Twice half past one in New York.
    "timestamptz": [
        ("2024-02-01 05:00+05:30", "2024-01-31T23:30:00"),
        ("2024-11-03 05:30+00", "2024-11-03T05:30:00"),
        ("2024-11-03 06:30+00", "2024-11-03T06:30:00"),
        ("infinity", "infinity"),
    ],
    "app.colour": [("red",) * 2, ("Grün",) * 2, ("it's",) * 2],
    "app.padded": [("a ", "a"), ("b", "b"), ("c", "c")],
    "app.short": [("a ", "a "), ("b", "b"), ("c", "c")],
    "app.number": [("-1", "-1"), ("2", "2"), ("10", "10")],
    "app.moment": [("2024-11-03 05:30+00", "2024-11-03T05:30:00"), ("2024-11-03 06:30+00", "2024-11-03T06:30:00")],
    "app.day": [("2024-02-01",) * 2, ("2024-11-03",) * 2],
}


def put(world: World, kind: str, *values: str | None, by: str = "INSERT INTO app.thing VALUES ({})") -> None:
    for value in values:
        world.owner.execute(SQL(by).format(SQL("{}::text::{}").format(Literal(value), SQL(kind))))


@some("kind", ORDERED, every=2)
def test_a_run_pages_by_a_key_under_other_settings_than_its_plan(world: World, kind: str) -> None:
    spied(world).owner.execute(TYPES.encode())
    world.governed(f"(code {kind} PRIMARY KEY)", mode=None)
    put(world, kind, *(text for text, _ in ORDERED[kind]))
    disturb(world.operator, {"DateStyle": "SQL, DMY", "TimeZone": "America/New_York"})
    planned = world.operator.execute(
        "SELECT run_id, expected_delta FROM birth.fn_dot_birth_qt001_plan('thing', p_dry_run := false)"
    ).fetchone()
    assert planned is not None
    assert planned[1] == len(ORDERED[kind])
    permit = world.judged(planned[0], rows=planned[1])
    disturb(world.operator, {"DateStyle": "Postgres, MDY", "TimeZone": "Asia/Kolkata"})
    api.apply(world.operator, "thing", planned[0], permit, planned[1], planned[1], batch=1, execute=True)
    assert world.births() == sorted(str(expected) for _, expected in ORDERED[kind])


@some("kind", ORDERED, every=2)
@pytest.mark.parametrize("first", ["", "note text, "])
def test_a_life_is_told_by_the_same_text(world: World, kind: str, first: str) -> None:
    spied(world).owner.execute(TYPES.encode())
    world.governed(f"({first}code {kind} PRIMARY KEY)", mode="enforce")
    api.life_attach(world.steward, "thing", "observe")
    (one, born), (two, _), *_ = ORDERED[kind]
    insert = "INSERT INTO app.thing (code) VALUES ({})"
    delete = "DELETE FROM app.thing WHERE code = {}"
    disturb(world.owner, {"DateStyle": "SQL, DMY", "TimeZone": "America/New_York"})
    put(world, kind, one, by=insert)
    disturb(world.owner, {"DateStyle": "German", "TimeZone": "<UTC>5"})
    put(world, kind, one, by="WITH gone AS (DELETE FROM app.thing WHERE code = {} RETURNING code)"
        " INSERT INTO app.thing (code) SELECT code FROM gone")  # fmt: skip
    assert dead(world) == []
    put(world, kind, one, by=delete)
    assert dead(world) == [born]
    disturb(world.owner, {"DateStyle": "Postgres, MDY", "TimeZone": "Asia/Kolkata"})
    put(world, kind, one, by=insert)
    assert dead(world) == []
    put(world, kind, two, by="UPDATE app.thing SET code = {}")
    assert {code: death[1] for code, death in deaths(world).items()} == {born: ORDERED[kind][1][1]}
    world.owner.execute("DELETE FROM app.thing")
    assert len(dead(world)) == 2
    alive(world)


def test_a_number_of_a_domain_is_padded(world: World) -> None:
    spied(world).owner.execute(TYPES.encode())
    world.governed("(id app.number PRIMARY KEY)", strategy="legacy", template="N-{id:04}")
    put(world, "app.number", "7", "-7")
    assert world.births() == ["N--007", "N-0007"]


def test_the_trigger_of_a_column_id_writes_the_text_of_its_type(world: World) -> None:
    world.governed("(note text, id date PRIMARY KEY)", strategy="synthetic_id", column="id", prefix="d-")
    disturb(world.owner, {"DateStyle": "SQL, DMY"})
    put(world, "date", "2024-02-01", by="INSERT INTO app.thing (id) VALUES ({})")
    world.owner.execute("INSERT INTO app.thing (id) VALUES ('infinity'), ('2024-02-02'::date)")
    assert world.births() == ["d-2024-02-01", "d-2024-02-02", "d-infinity"]


def test_no_cast_of_an_enum_runs_for_its_label(world: World) -> None:
    spied(world).governed("(note text, id app.mood PRIMARY KEY)", column="id", mode="enforce")
    api.life_attach(world.steward, "thing", "observe")
    world.owner.execute("INSERT INTO app.thing (id) VALUES ('a')")
    world.owner.execute("DELETE FROM app.thing")
    world.owner.execute("INSERT INTO app.thing (id) VALUES ('a'), ('b')")
    world.owner.execute("UPDATE app.thing SET note = 'x'")
    world.owner.execute("DELETE FROM app.thing WHERE id = 'b'")
    assert (world.births(), dead(world)) == (["a", "b"], ["b"])
    found = world.admin.execute("SELECT entity_code FROM birth.fn_birth_resolve_identity('thing', '{\"id\": \"a\"}')")
    assert found.fetchone() == ("a",)
    assert world.failed_checks() == {}
    assert ran_as(world) == set()


@pytest.mark.parametrize("level", ["plain", "parted"])
@pytest.mark.parametrize("kind", ["app.colour", "app.number"])
def test_a_type_of_the_owner_is_known_under_an_old_snapshot(world: World, kind: str, level: str) -> None:
    spied(world).owner.execute(TYPES.encode())
    create(world, {"id": kind}, "column", {"column": "id"})
    for collection in ("plain", "parted"):
        api.gateway_mode(world.steward, collection, "enforce", "a test")
    old = world.db.connect("nora_nobody", autocommit=False)
    old.set_isolation_level(IsolationLevel.REPEATABLE_READ)
    old.execute(SQL("INSERT INTO app.{} VALUES ({})").format(SQL(level), Literal(ORDERED[kind][0][0])))
    old.commit()
    assert world.births(level) == [ORDERED[kind][0][1]]


RETYPED = {
    "a domain became its type": ("app.number", "ALTER code TYPE integer", "ELIGIBLE_COLUMN"),
    "a column got a domain": ("varchar(9)", "ALTER code TYPE app.short", "ELIGIBLE_COLUMN"),
    "a longer char": ("char(6)", "ALTER code TYPE char(9)", "ELIGIBLE_COLUMN"),
    "a char became a text": ("char(6)", "ALTER code TYPE text", "BLOCKED_TYPE"),
    "an enum became a text": ("app.colour", "ALTER code TYPE text", "BLOCKED_TYPE"),
    "a date became a timestamp": ("date", "ALTER code TYPE timestamp", "BLOCKED_TYPE"),
    "a timestamp got a zone": ("timestamp", "ALTER code TYPE timestamptz", "BLOCKED_TYPE"),
}


@pytest.mark.parametrize("case", RETYPED)
def test_a_column_may_become_a_type_of_the_same_text(world: World, case: str) -> None:
    kind, statement, status = RETYPED[case]
    spied(world).owner.execute(TYPES.encode())
    world.governed(f"(code {kind} PRIMARY KEY)", mode="enforce")
    world.owner.execute(f"ALTER TABLE app.thing {statement}".encode())
    assert world.status() == status
    value = next(text for text, _ in ORDERED.get(kind, [("7", "7")]))
    becomes = statement.removeprefix("ALTER code TYPE ")
    if status == "ELIGIBLE_COLUMN":
        put(world, becomes, value)
        assert world.failed_checks() == {}
    else:
        with pytest.raises(psycopg.Error) as refusal:
            put(world, becomes, value)
        assert refusal.value.sqlstate == "NB501"


def test_a_renamed_label_is_another_code_which_the_census_finds(world: World) -> None:
    world.owner.execute("CREATE TYPE app.colour AS ENUM ('red', 'blue')")
    world.governed("(code app.colour PRIMARY KEY)", mode="enforce")
    put(world, "app.colour", "red", "blue")
    world.owner.execute("ALTER TYPE app.colour RENAME VALUE 'red' TO 'rouge'")
    found = world.failed_checks()
    assert found["rows without a birth"] == ["rouge"]
    assert found["births without a row or a death"] == ["red"]


# --- refused, and the way out

#: citext as its extension makes it, with its text and its equality; the extension itself is not on every server.
CITEXT = """
CREATE TYPE app.citext;
CREATE FUNCTION app.citextin(cstring) RETURNS app.citext LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION app.citextout(app.citext) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE app.citext (INPUT = app.citextin, OUTPUT = app.citextout, LIKE = text, CATEGORY = 'S');
CREATE CAST (app.citext AS text) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (text AS app.citext) WITHOUT FUNCTION AS ASSIGNMENT;
CREATE FUNCTION app.citext_cmp(a app.citext, b app.citext) RETURNS integer LANGUAGE sql IMMUTABLE AS
  'SELECT CASE WHEN lower(a::text) = lower(b::text) THEN 0 WHEN lower(a::text) < lower(b::text) THEN -1 ELSE 1 END';
CREATE FUNCTION app.citext_eq(a app.citext, b app.citext) RETURNS boolean LANGUAGE sql IMMUTABLE AS
  'SELECT lower(a::text) = lower(b::text)';
CREATE OPERATOR app.= (LEFTARG = app.citext, RIGHTARG = app.citext, FUNCTION = app.citext_eq);
CREATE OPERATOR CLASS app.citext_ops DEFAULT FOR TYPE app.citext USING btree AS
  OPERATOR 3 app.= (app.citext, app.citext), FUNCTION 1 app.citext_cmp(app.citext, app.citext);
CREATE DOMAIN app.name AS app.citext;
GRANT USAGE ON TYPE app.citext, app.name TO PUBLIC;
"""
#: Type: a part of the reason; whether the statement stands as it is.
REFUSED: dict[str, tuple[str, bool]] = {
    "app.citext": ("is equal in any case", True),
    "app.name": ("is equal in any case", True),
    "bytea": ("depends on settings or code", True),
    "inet": ("depends on settings or code", True),
    "time": ("depends on settings or code", True),
    "interval": ("depends on settings or code", False),
    "double precision": ("depends on settings or code", False),
}


@pytest.mark.parametrize("tail", ["", " PARTITION BY LIST (part)"])
@pytest.mark.parametrize("kind", REFUSED)
def test_a_refused_type_has_a_way_out(world: World, kind: str, tail: str) -> None:
    reason, ready = REFUSED[kind]
    world.admin.execute(CITEXT.encode())
    world.table(f'("Code" {kind} NOT NULL, part integer, UNIQUE ("Code", part)){tail}')
    world.register()
    with pytest.raises(errors.IdentityNotEligible) as refusal:
        world.classify("legacy", template="{Code}-{part}")
    assert "BLOCKED_TYPE" in str(refusal.value.detail)
    assert reason in str(refusal.value.detail)
    (proposal,) = api.identity_propose(world.steward, "app", "thing")
    assert proposal["strategy"] is None
    statement = proposal["next_step"]
    assert str(refusal.value.hint).startswith(statement)
    assert ready == ("..." not in statement)
    world.owner.execute(statement.replace("(...)", "('no text')").encode())
    world.classify("legacy", template="{Code_text}-{part}")
    assert world.status() == "ELIGIBLE_LEGACY"


def test_a_domain_over_an_enum_becomes_the_enum(world: World) -> None:
    world.owner.execute("CREATE TYPE app.colour AS ENUM ('red'); CREATE DOMAIN app.hue AS app.colour")
    world.table("(code app.hue PRIMARY KEY)")
    world.register()
    with pytest.raises(errors.IdentityNotEligible) as refusal:
        world.classify("column", column="code")
    assert "a domain over an enum" in str(refusal.value.detail)
    (proposal,) = api.identity_propose(world.steward, "app", "thing")
    assert str(refusal.value.hint).startswith(proposal["next_step"])
    world.owner.execute(proposal["next_step"].encode())
    world.classify("column", column="code")
    assert world.status() == "ELIGIBLE_COLUMN"


@pytest.mark.parametrize("kind", [*ORDERED, "app.label"])
def test_an_eligible_type_is_proposed(world: World, kind: str) -> None:
    spied(world).owner.execute(TYPES.encode())
    world.table(f"(code {kind} PRIMARY KEY)")
    world.register()
    (proposal,) = api.identity_propose(world.steward, "app", "thing")
    textual = kind in ("char(6)", "app.padded", "app.label", "app.short")
    assert proposal["strategy"] == ("column" if textual else "synthetic_id")
    world.steward.execute(proposal["next_step"].encode())
    assert world.status().startswith("ELIGIBLE")
