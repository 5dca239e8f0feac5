"""What a refusal of a trigger tells a client: its fields, its rows, its reason, and one line of CONTEXT."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy
from guides import blocks, section
from lives import living, retiring, send
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from world import APPLICATION, World

from birthdb import api

TRIGGER = re.compile(
    r"PL/pgSQL function birth\.fn_birth_(registry_auto|registry_auto_id|life_auto)\(\) line \d+ at RAISE"
)


def refused(world: World, *statements: str, by: psycopg.Connection[Any] | None = None) -> psycopg.Error:
    """Return the error of the statements, sent in one transaction."""
    session = by or world.owner
    *before, last = (statement.encode() for statement in statements)
    with session.transaction(force_rollback=True):
        for statement in before:
            session.execute(statement)
        with pytest.raises(psycopg.Error) as refusal:
            session.execute(last)
    assert TRIGGER.fullmatch(str(refusal.value.diag.context))
    return refusal.value


def fields(refusal: psycopg.Error) -> tuple[str | None, ...]:
    told = refusal.diag
    return refusal.sqlstate, told.schema_name, told.table_name, told.column_name, told.constraint_name


def detail(refusal: psycopg.Error) -> str:
    return str(refusal.diag.message_detail)


def by_code(world: World) -> None:
    world.governed("(code text PRIMARY KEY)", mode="enforce")


def by_id(world: World) -> None:
    world.governed("(n int, id text PRIMARY KEY)", mode="enforce", strategy="synthetic_id", column="id", prefix="P-")


def by_row(world: World) -> None:
    world.table("(code text PRIMARY KEY) PARTITION BY HASH (code)")
    world.table("PARTITION OF app.thing FOR VALUES WITH (MODULUS 1, REMAINDER 0)", "part")
    world.register()
    world.classify("column", column="code")
    world.attach(mode="enforce")


def by_two(world: World) -> None:
    world.governed("(a int, b text, PRIMARY KEY (a, b))", mode="enforce", strategy="legacy", template="{a}/{b}")


LONG = "repeat('x', 600)"
SHAPES: dict[str, tuple[Callable[[World], None], str, str, str, str]] = {
    "a row": (by_code, f"VALUES ({LONG})", "VALUES ('P-a')", "thing", "code"),
    "rows": (by_code, f"VALUES ({LONG}), ('b')", "VALUES ('b'), ('P-a')", "thing", "code"),
    "many rows": (
        by_code,
        f"SELECT 'n' || g FROM generate_series(1, 12000) g UNION ALL SELECT {LONG}",
        "SELECT 'n' || g FROM generate_series(1, 12000) g UNION ALL SELECT 'P-a'",
        "thing",
        "code",
    ),
    "a row by id": (by_id, f"VALUES (1, {LONG})", "VALUES (1, 'a')", "thing", "id"),
    "rows by id": (by_id, f"VALUES (1, {LONG}), (2, 'b')", "VALUES (1, 'a'), (2, 'b')", "thing", "id"),
    "a row of a partition": (by_row, f"VALUES ({LONG})", "VALUES ('P-a')", "part", "code"),
    "a row with two columns": (by_two, f"VALUES (1, {LONG})", "VALUES (1, 'a')", "thing", ""),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_refused_insert_names_table_column_and_trigger(world: World, shape: str) -> None:
    make, long, foreign, table, column = SHAPES[shape]
    world.governed("(code text PRIMARY KEY)", "other")
    world.insert(["P-a", "1/a"], "other")
    make(world)
    refusal = refused(world, f"INSERT INTO app.thing {long}")
    assert fields(refusal) == ("NB501", "app", table, column, "birth_gateway")
    assert "1 rows with a code of more than 512 bytes, such as (" in detail(refusal)
    assert "512 bytes" in str(refusal.diag.message_hint)
    refusal = refused(world, f"INSERT INTO app.thing {foreign}")
    assert fields(refusal) == ("NB502", "app", table, column, "birth_gateway")
    assert re.search(r"1 codes, such as '(P-a|1/a)', which belongs to collection other$", detail(refusal))
    assert (world.births(), world.findings()) == ([], [])


def test_up_to_three_rows_without_a_code_are_named_by_their_primary_key(world: World) -> None:
    world.table("(id int, day date, code text UNIQUE, PRIMARY KEY (id, day) INCLUDE (code))")
    world.register()
    world.classify("column", column="code")
    world.attach(mode="enforce")
    rows = "INSERT INTO app.thing SELECT g, '2026-01-02', {} FROM generate_series(1, {}) g"
    none = "4 rows with no value, or a blank one, in code"
    named = "such as (id, day)=(1, 2026-01-02), (id, day)=(2, 2026-01-02), (id, day)=(3, 2026-01-02)"
    refusal = refused(world, rows.format("NULL", 4))
    assert detail(refusal) == f"collection thing: {none}, {named}"
    assert str(refusal.diag.message_hint).startswith("set the identity columns")
    refusal = refused(world, rows.format(f"CASE WHEN g = 5 THEN {LONG} WHEN g < 5 THEN repeat(' ', g) ELSE 'c' END", 6))
    assert detail(refusal) == f"collection thing: {none}, 1 rows with a code of more than 512 bytes, {named}"
    assert str(refusal.diag.message_hint).startswith("set the identity columns")


KEYS = {
    "is not to be read by the login": "REVOKE SELECT (id) ON app.thing FROM rita_reviewer",
    "is under row security": "ALTER TABLE app.thing ENABLE ROW LEVEL SECURITY;"
    " CREATE POLICY every ON app.thing USING (true)",
}


@pytest.mark.parametrize("level", ["statement", "row"])
@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_not_named_that(world: World, key: str, level: str) -> None:
    if level == "statement":
        world.governed("(id int PRIMARY KEY, code text UNIQUE)", mode="enforce")
    else:
        world.table("(id int PRIMARY KEY, code text) PARTITION BY HASH (id)")
        world.table("PARTITION OF app.thing FOR VALUES WITH (MODULUS 1, REMAINDER 0)", "part")
        world.register()
        world.classify("legacy", template="{id}/{code}")
        world.attach(mode="enforce")
    world.owner.execute(
        "GRANT USAGE ON SCHEMA app TO rita_reviewer;"
        " GRANT INSERT ON app.thing TO rita_reviewer; GRANT SELECT (id) ON app.thing TO rita_reviewer"
    )
    writer = world.person("rita_reviewer")
    assert detail(refused(world, "INSERT INTO app.thing VALUES (7)", by=writer)).endswith(", such as (id)=(7)")
    world.owner.execute(KEYS[key].encode())
    assert re.search(r"in code(, id)?$", detail(refused(world, "INSERT INTO app.thing VALUES (7)", by=writer)))


def test_a_key_of_a_type_of_the_owner_s_is_not_read(world: World) -> None:
    world.owner.execute("CREATE DOMAIN app.number AS int")
    world.governed("(id app.number PRIMARY KEY, code text UNIQUE)", mode="enforce")
    assert detail(refused(world, "INSERT INTO app.thing VALUES (7)")).endswith("in code")


def test_under_an_old_snapshot_no_key_is_read(world: World) -> None:
    world.governed("(id int PRIMARY KEY, code text UNIQUE)", mode="enforce")
    assert detail(refused(world, "INSERT INTO app.thing VALUES (7)")).endswith("(id)=(7)")
    refusal = refused(world, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "INSERT INTO app.thing VALUES (7)")
    assert detail(refusal).endswith("in code")


@pytest.mark.parametrize("level", ["statement", "row"])
def test_a_row_of_a_table_that_was_replaced_is_refused_for_that(world: World, level: str) -> None:
    by_row(world) if level == "row" else by_code(world)
    world.owner.execute("ALTER TABLE app.thing RENAME TO thing_old; CREATE TABLE app.thing (code text PRIMARY KEY)")
    refusal = refused(world, "INSERT INTO app.thing_old VALUES ('a')")
    assert detail(refusal) == "collection thing: 1 rows for table app.thing_old, but its table is app.thing"
    assert "DROP TRIGGER birth_gateway ON app.thing_old;" in str(refusal.diag.message_hint)
    assert fields(refusal)[2] == ("part" if level == "row" else "thing_old")
    world.owner.execute("DROP TRIGGER birth_gateway ON app.thing_old")
    world.owner.execute("INSERT INTO app.thing_old VALUES ('a')")


def test_a_row_of_a_table_whose_column_was_retyped_is_refused_for_that(world: World) -> None:
    world.governed("(code int PRIMARY KEY)", mode="enforce")
    world.owner.execute("ALTER TABLE app.thing ALTER code TYPE text")
    refusal = refused(world, "INSERT INTO app.thing VALUES ('a'), ('b')")
    assert detail(refusal) == (
        "collection thing: 2 rows for table app.thing, whose columns are not those that were classified:"
        " code were bigint when they were classified, and are text"
    )
    assert "fn_birth_identity_classify" in str(refusal.diag.message_hint)


def test_a_row_that_an_old_snapshot_shows_otherwise_is_refused_for_that(world: World) -> None:
    world.governed("(code int PRIMARY KEY)", mode="enforce")
    with world.db.connect(APPLICATION) as session:
        session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        session.execute("SELECT FROM pg_class LIMIT 1")
        world.owner.execute("ALTER TABLE app.thing ALTER code TYPE text")
        with pytest.raises(psycopg.Error) as refusal:
            session.execute("INSERT INTO app.thing VALUES ('a')")
        session.execute("ROLLBACK")
    assert refusal.value.sqlstate == "NB501"
    assert "columns are not those that were classified" in detail(refusal.value)


def test_up_to_three_codes_of_other_collections_are_named(world: World) -> None:
    for name, codes in (("left", ["a", "b"]), ("right", ["c", "d"])):
        world.governed("(code text PRIMARY KEY)", name)
        world.insert(codes, name)
    by_code(world)
    refusal = refused(world, "INSERT INTO app.thing VALUES ('a'), ('b'), ('c'), ('d'), ('e')")
    told = re.findall("'(.)', which belongs to collection (left|right)", detail(refusal))
    assert detail(refusal).startswith("collection thing: 4 codes, such as ")
    assert len(told) == 3
    assert set(told) < {("a", "left"), ("b", "left"), ("c", "right"), ("d", "right")}


# --- the life triggers

ENDS = {
    "DELETE": (
        ["DELETE FROM app.thing WHERE id IN (1, 2, 4, 5)"],
        ["INSERT INTO app.thing VALUES (1), (2), (4), (5)"],
        ("NB511", "birth_gateway"),
        "4 rows, such as 'T-1', 'T-2', 'T-4'",
    ),
    "DELETE of one": (
        ["DELETE FROM app.thing WHERE id = 1"],
        ["INSERT INTO app.thing VALUES (1)"],
        ("NB511", "birth_gateway"),
        "1 rows, such as 'T-1'",
    ),
    "UPDATE to a dead code": (
        ["DELETE FROM app.thing WHERE id = 1"],
        ["UPDATE app.thing SET id = 1 WHERE id = 2"],
        ("NB511", "birth_life_update"),
        "1 rows, such as 'T-1'",
    ),
    "UPDATE": ([], ["UPDATE app.thing SET id = id - 1"], ("NB512", "birth_life_update"), "1 rows, such as 'T-1'"),
    "UPDATE to a foreign code": (
        [],
        ["UPDATE app.thing SET id = 9 WHERE id = 3"],
        ("NB502", "birth_life_update"),
        "1 rows, such as 'T-9', which belongs to collection other",
    ),
    "TRUNCATE": ([], ["TRUNCATE app.thing"], ("NB513", "birth_life_truncate"), "app.thing"),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_refused_end_names_table_column_trigger_and_rows(world: World, end: str) -> None:
    before, after, (state, trigger), rows = ENDS[end]
    world.governed("(code text PRIMARY KEY)", "other")
    world.insert(["T-9"], "other")
    living(world, "(id int PRIMARY KEY)", mode="enforce")
    send(world, "INSERT INTO app.thing SELECT generate_series(1, 5)")
    send(world, *before)
    refusal = refused(world, *after)
    assert fields(refusal) == (state, "app", "thing", "id", trigger)
    assert detail(refusal) == f"collection thing: {rows}"


def test_rows_that_are_deleted_before_they_retire_are_named(world: World) -> None:
    retiring(world, "enforce")
    send(world, "INSERT INTO app.thing SELECT g, 'open' FROM generate_series(1, 5) g")
    refusal = refused(world, "DELETE FROM app.thing WHERE id < 5")
    assert fields(refusal) == ("NB514", "app", "thing", "id", "birth_life_delete")
    assert detail(refusal) == "collection thing: 4 rows, such as 'T-1', 'T-2', 'T-3'"


@pytest.mark.parametrize(
    ("value", "why"), [("NULL", "no value, or a blank one, in code"), (LONG, "a code of more than 512 bytes")]
)
def test_a_row_that_loses_its_code_is_refused_as_one_that_comes_without(world: World, value: str, why: str) -> None:
    world.governed("(id int PRIMARY KEY, code text UNIQUE)", mode="enforce")
    api.life_attach(world.steward, "thing", "enforce")
    world.owner.execute("INSERT INTO app.thing VALUES (7, 'a')")
    refusal = refused(world, f"UPDATE app.thing SET code = {value}")
    assert fields(refusal) == ("NB501", "app", "thing", "code", "birth_life_update")
    assert detail(refusal) == f"collection thing: 1 rows with {why}, such as (id)=(7)"


def test_a_dead_code_among_many_rows_is_named(world: World) -> None:
    living(world, "(id int PRIMARY KEY)", mode="enforce")
    send(world, "INSERT INTO app.thing SELECT generate_series(1, 21000)")
    send(world, "DELETE FROM app.thing WHERE id > 20990")
    refusal = refused(world, "DELETE FROM app.thing", "INSERT INTO app.thing SELECT generate_series(1, 21000)")
    assert fields(refusal)[0] == "NB511"
    assert "'T-20991', 'T-20992', 'T-20993'" in detail(refusal)


# --- what it arrives as: the lines of the developers' page

PAGE = section("developers.md", "### As a form error")
FORM_ERROR, SQLALCHEMY, DJANGO = blocks(PAGE, "python")


class Base(DeclarativeBase):
    pass


class Thing(Base):
    __tablename__ = "thing"
    __table_args__ = ({"schema": "app"},)
    code: Mapped[str] = mapped_column(primary_key=True)


def test_psycopg_and_sqlalchemy_turn_a_refusal_into_a_form_error(world: World) -> None:
    world.governed("(code text PRIMARY KEY)", "other")
    world.insert(["a"], "other")
    by_code(world)
    names: dict[str, Any] = {"sqlalchemy": sqlalchemy}
    exec(FORM_ERROR, names)
    refusal = refused(world, "INSERT INTO app.thing VALUES ('a')")
    assert type(refusal) is psycopg.DatabaseError
    assert names["form_error"](refusal) == ("code", "is in use elsewhere")

    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://", creator=lambda: world.db.connect(APPLICATION, autocommit=False)
    )
    with Session(engine) as session:
        names["session"] = session
        session.add(Thing(code="a"))
        exec(SQLALCHEMY, names)
        assert names["found"] == ("code", "is in use elsewhere")
        session.add(Thing(code="b"))
        exec(SQLALCHEMY, names)
        assert world.births() == ["b"]
        session.add(Thing(code=" "))
        with pytest.raises(sqlalchemy.exc.DatabaseError) as arrived:
            session.flush()
    assert type(arrived.value) is sqlalchemy.exc.DatabaseError
    engine.dispose()


SITE = """
import json
import sys

import django
from django import forms
from django.conf import settings
from django.db import DatabaseError, IntegrityError, models, transaction

settings.configure(DATABASES={"default": json.loads(sys.argv[1])}, USE_TZ=True)
django.setup()


class Thing(models.Model):
    code = models.TextField(primary_key=True)

    class Meta:
        app_label = "shop"
        db_table = 'app"."thing'


class ThingForm(forms.ModelForm):
    class Meta:
        model = Thing
        fields = ["code"]


exec(sys.argv[2])
form = ThingForm({"code": "a"})
assert form.is_valid(), form.errors
exec(sys.argv[3])
print(json.dumps(form.errors))
try:
    Thing(code="a").save(force_insert=True)
except DatabaseError as exc:
    print(type(exc).__name__, exc.__cause__.sqlstate)
"""


def test_django_turns_a_refusal_into_a_form_error(world: World, tmp_path: Path) -> None:
    world.governed("(code text PRIMARY KEY)", "other")
    world.insert(["a"], "other")
    by_code(world)
    known = conninfo_to_dict(world.db.url(APPLICATION))
    given = {"NAME": "dbname", "HOST": "host", "PORT": "port", "USER": "user", "PASSWORD": "password"}
    database = {name: str(known.get(key, "")) for name, key in given.items()}
    database["ENGINE"] = "django.db.backends.postgresql"
    done = subprocess.run(
        [sys.executable, "-c", SITE, json.dumps(database), FORM_ERROR, DJANGO],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ['{"code": ["is in use elsewhere"]}', "DatabaseError NB502"]


@pytest.mark.parametrize("part", [False, True])
def test_every_refusal_of_the_gateway_names_table_and_trigger(world: World, part: bool) -> None:
    table = "(code text PRIMARY KEY)"
    world.governed(f"{table} PARTITION BY LIST (code)" if part else table)
    where = "part" if part else "thing"
    if part:
        world.owner.execute("CREATE TABLE app.part PARTITION OF app.thing DEFAULT")

    def told(session: psycopg.Connection[Any]) -> tuple[str | None, ...]:
        with pytest.raises(psycopg.Error) as refusal:
            session.execute("INSERT INTO app.thing VALUES ('a')")
        diag = refusal.value.diag
        return diag.sqlstate, diag.schema_name, diag.table_name, diag.column_name or "", diag.constraint_name

    world.owner.execute("CREATE TEMPORARY TABLE birth_new_rows (code text)")
    assert told(world.owner) == ("NB507", "app", where, "", "birth_gateway")
    world.owner.execute("DROP TABLE pg_temp.birth_new_rows")
    world.admin.execute("UPDATE birth.collection_registry SET gate_closed = true")
    assert told(world.owner) == ("NB508", "app", where, "code", "birth_gateway")
    world.admin.execute("DELETE FROM birth.collection_registry")
    assert told(world.owner) == ("NB503", "app", where, "", "birth_gateway")
