"""The census counts from both sides, and what follows from what it finds; tests/doors opens the doors themselves."""

import pytest
from world import World

from birthdb import api, errors

CHECKS = [
    "rows without a birth",
    "births without a row or a death",
    "dead with a living row",
    "codes owned by another collection",
    "duplicate codes",
    "rows without a code",
]


@pytest.fixture
def thing(world: World) -> World:
    """A plain table with its gateway."""
    world.governed("(code text UNIQUE, n int)")
    return world


@pytest.fixture
def parted(world: World) -> World:
    """A table partitioned by region, code and region its key; regions a and b have partitions."""
    world.table("(code text, region text, PRIMARY KEY (code, region)) PARTITION BY LIST (region)")
    for region in "ab":
        world.table(f"PARTITION OF app.thing FOR VALUES IN ('{region}')", region)
    world.register()
    world.classify("legacy", template="{code}")
    world.attach(mode="enforce")
    return world


@pytest.fixture
def tree(world: World) -> World:
    """A partitioned table whose code is a key by itself, of a region that a row can leave."""
    world.table("(code text PRIMARY KEY) PARTITION BY LIST (code)")
    for codes, name in (("'a', 'b'", "low"), ("'y', 'z'", "high")):
        world.table(f"PARTITION OF app.thing FOR VALUES IN ({codes})", name)
    world.register()
    world.classify("column", column="code")
    world.attach(mode="enforce")
    return world


def test_a_clean_collection_passes_every_census_check(thing: World) -> None:
    thing.insert(["a", "b"], "thing (code)")
    checks = api.census(thing.operator, "thing")
    assert [check["check"] for check in checks][: len(CHECKS)] == CHECKS
    assert all(check["pass"] and check["rows"] == 0 and check["examples"] == [] for check in checks)


def test_the_census_finds_rows_without_births_and_births_without_rows(thing: World) -> None:
    thing.insert(["a", "b", "c"], "thing (code)")
    thing.admin.execute("DELETE FROM birth.birth_registry WHERE entity_code = 'a'")
    thing.owner.execute("DELETE FROM app.thing WHERE code = 'c'")
    assert thing.failed_checks() == {"rows without a birth": ["a"], "births without a row or a death": ["c"]}


def test_a_code_of_another_collection_is_found_with_its_owner(thing: World) -> None:
    thing.governed("(code text PRIMARY KEY)", "other")
    thing.insert(["theirs"], "other")
    thing.insert(["mine", "theirs"], "thing (code)")
    assert thing.failed_checks() == {"codes owned by another collection": ["theirs (other)"]}


def test_rows_with_one_code_are_found(world: World) -> None:
    world.governed("(a text, b text, PRIMARY KEY (a, b))", strategy="legacy", template="{a}{b}")
    world.owner.execute("INSERT INTO app.thing VALUES ('x', 'yz'), ('xy', 'z'), ('q', 'q')")
    assert world.failed_checks() == {"duplicate codes": ["xyz"]}
    world.admin.execute("DELETE FROM birth.birth_registry")
    assert world.blockers() == ["NB109"]


def test_rows_without_a_code_are_found(thing: World) -> None:
    thing.owner.execute("INSERT INTO app.thing VALUES (NULL), (NULL), (' ')")
    checks = {check["check"]: check["rows"] for check in api.census(thing.operator, "thing") if not check["pass"]}
    assert checks == {"rows without a code": 3}


def test_at_most_ten_examples_are_shown_and_every_row_is_counted(world: World) -> None:
    world.governed("(code text PRIMARY KEY)", mode=None)
    world.insert([f"{n:02}" for n in range(25)])
    found = {check["check"]: check for check in api.census(world.operator, "thing")}["rows without a birth"]
    assert (found["rows"], found["examples"]) == (25, [f"{n:02}" for n in range(10)])


def test_missing_births_are_no_fault_of_a_collection_that_needs_none(world: World) -> None:
    world.governed("(code text PRIMARY KEY)", mode=None, coverage="BIRTH_EXEMPT_LOG")
    world.insert(["a"])
    assert world.failed_checks() == {}


def test_a_collection_whose_identity_is_not_eligible_fails_and_says_why(thing: World) -> None:
    thing.owner.execute("ALTER TABLE app.thing RENAME code TO kode")
    (check,) = thing.failed_checks()
    assert "column code does not exist" in check


def test_an_unknown_collection_has_no_census(world: World) -> None:
    with pytest.raises(errors.UnknownCollection):
        world.failed_checks("nothing")


# What a trigger alone does not cover, and what follows.


def test_a_row_moved_to_another_partition_gets_no_second_birth(tree: World) -> None:
    tree.insert(["a"])
    tree.owner.execute("UPDATE app.thing SET code = code")
    assert tree.births() == ["a"]
    tree.owner.execute("UPDATE app.thing SET code = 'z'")
    assert tree.births() == ["a", "z"]
    assert tree.failed_checks() == {"births without a row or a death": ["a"]}


def test_a_row_that_moves_and_keeps_its_code_makes_no_second_birth(world: World) -> None:
    world.table("(id int, region text, PRIMARY KEY (id, region)) PARTITION BY LIST (region)")
    for region in "ab":
        world.table(f"PARTITION OF app.thing FOR VALUES IN ('{region}')", region)
    # No unique key tells a row from its moved self here, so the identity holds the region: the old code is an orphan.
    world.register()
    world.classify("legacy", template="{id}/{region}")
    world.attach(mode="enforce")
    world.owner.execute("INSERT INTO app.thing VALUES (1, 'a')")
    world.owner.execute("UPDATE app.thing SET region = 'b'")
    assert world.failed_checks() == {"births without a row or a death": ["1/a"]}
    world.owner.execute("UPDATE app.thing SET region = 'a'")
    assert world.births() == ["1/a", "1/b"]


def test_a_partition_attached_later_has_the_gateway(tree: World) -> None:
    tree.admin.execute("CREATE TABLE app.mid (code text PRIMARY KEY)")
    tree.admin.execute("ALTER TABLE app.thing ATTACH PARTITION app.mid FOR VALUES IN ('m', 'n')")
    tree.admin.execute("CREATE TABLE app.rest PARTITION OF app.thing DEFAULT PARTITION BY HASH (code)")
    tree.admin.execute("CREATE TABLE app.leaf PARTITION OF app.rest FOR VALUES WITH (MODULUS 1, REMAINDER 0)")
    tree.insert(["m", "q"])
    tree.admin.execute("INSERT INTO app.mid VALUES ('n'); INSERT INTO app.leaf VALUES ('r')")
    assert tree.births() == ["m", "n", "q", "r"]
    assert tree.failed_checks() == {}


def test_rows_of_an_attached_partition_are_found(tree: World) -> None:
    tree.admin.execute("CREATE TABLE app.mid AS SELECT 'm' AS code")
    tree.admin.execute("ALTER TABLE app.mid ADD PRIMARY KEY (code)")
    tree.admin.execute("ALTER TABLE app.thing ATTACH PARTITION app.mid FOR VALUES IN ('m')")
    assert tree.failed_checks() == {"rows without a birth": ["m"]}
    tree.backfill()
    assert tree.failed_checks() == {}


def test_a_child_table_makes_the_collection_not_eligible(thing: World) -> None:
    thing.owner.execute("CREATE TABLE app.heir () INHERITS (app.thing)")
    assert thing.blockers()[0] == "NB105"


def test_an_enforced_collection_without_a_gateway_cannot_be_planned(thing: World) -> None:
    api.gateway_mode(thing.steward, "thing", "enforce", "a test")
    thing.owner.execute("ALTER TABLE app.thing DISABLE TRIGGER birth_gateway")
    thing.insert(["a"], "thing (code)")
    assert thing.blockers() == ["NB316"]
