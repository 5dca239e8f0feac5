"""Every way past a trigger is closed, or the census finds what came in by it; and the census counts from both sides."""

import pytest
from gateway.world import World

from birthdb import api, errors

CHECKS = [
    "rows without a birth",
    "births without a row",
    "codes owned by another collection",
    "duplicate codes",
    "rows without a code",
]
DISABLED = "gateway trigger disabled or not firing in every role"


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


def test_a_clean_collection_passes_every_check_and_every_side_door_is_shut(thing: World) -> None:
    thing.insert(["a", "b"], "thing (code)")
    checks = api.census(thing.operator, "thing")
    assert [check["check"] for check in checks][: len(CHECKS)] == CHECKS
    assert all(check["pass"] and check["rows"] == 0 and check["examples"] == [] for check in checks)


def test_rows_without_a_birth_and_births_without_a_row_are_found_from_both_sides(thing: World) -> None:
    thing.insert(["a", "b", "c"], "thing (code)")
    thing.admin.execute("DELETE FROM birth.birth_registry WHERE entity_code = 'a'")
    thing.owner.execute("DELETE FROM app.thing WHERE code = 'c'")
    assert thing.failed_checks() == {"rows without a birth": ["a"], "births without a row": ["c"]}


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


# The table of traps: one test a cell that a trigger alone does not cover.


def test_a_row_that_moves_to_another_partition_is_not_born_again(tree: World) -> None:
    tree.insert(["a"])
    tree.owner.execute("UPDATE app.thing SET code = code")
    assert tree.births() == ["a"]
    tree.owner.execute("UPDATE app.thing SET code = 'z'")
    assert tree.births() == ["a", "z"]
    assert tree.failed_checks() == {"births without a row": ["a"]}


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
    assert world.failed_checks() == {"births without a row": ["1/a"]}
    world.owner.execute("UPDATE app.thing SET region = 'a'")
    assert world.births() == ["1/a", "1/b"]


def test_an_insert_straight_into_a_leaf_is_born(tree: World) -> None:
    tree.insert(["a"], "low")
    tree.insert(["z"], "thing")
    assert tree.births() == ["a", "z"]


def test_a_partition_attached_later_has_the_gateway(tree: World) -> None:
    tree.admin.execute("CREATE TABLE app.mid (code text PRIMARY KEY)")
    tree.admin.execute("ALTER TABLE app.thing ATTACH PARTITION app.mid FOR VALUES IN ('m', 'n')")
    tree.admin.execute("CREATE TABLE app.rest PARTITION OF app.thing DEFAULT PARTITION BY HASH (code)")
    tree.admin.execute("CREATE TABLE app.leaf PARTITION OF app.rest FOR VALUES WITH (MODULUS 1, REMAINDER 0)")
    tree.insert(["m", "q"])
    tree.admin.execute("INSERT INTO app.mid VALUES ('n'); INSERT INTO app.leaf VALUES ('r')")
    assert tree.births() == ["m", "n", "q", "r"]
    assert tree.failed_checks() == {}


def test_rows_that_come_with_an_attached_partition_are_found(tree: World) -> None:
    tree.admin.execute("CREATE TABLE app.mid AS SELECT 'm' AS code")
    tree.admin.execute("ALTER TABLE app.mid ADD PRIMARY KEY (code)")
    tree.admin.execute("ALTER TABLE app.thing ATTACH PARTITION app.mid FOR VALUES IN ('m')")
    assert tree.failed_checks() == {"rows without a birth": ["m"]}
    tree.backfill()
    assert tree.failed_checks() == {}


def test_a_partition_whose_trigger_is_disabled_is_named(tree: World) -> None:
    tree.owner.execute("ALTER TABLE app.low DISABLE TRIGGER birth_gateway")
    tree.insert(["a", "z"])
    assert tree.failed_checks() == {"rows without a birth": ["a"], "partition past the gateway": ["app.low"]}


def test_a_table_that_becomes_a_partition_is_named(thing: World) -> None:
    # A statement trigger fires for the table that is named in the statement, and that is now the root.
    thing.owner.execute("ALTER TABLE app.thing ALTER code SET NOT NULL")
    thing.owner.execute("CREATE TABLE app.root (code text UNIQUE, n int) PARTITION BY LIST (code)")
    thing.owner.execute("ALTER TABLE app.root ATTACH PARTITION app.thing FOR VALUES IN ('a')")
    thing.insert(["a"], "root (code)")
    assert thing.failed_checks()["rows without a birth"] == ["a"]


def test_a_table_made_like_another_takes_no_gateway_along_and_is_another_table(thing: World) -> None:
    thing.owner.execute("CREATE TABLE app.copy (LIKE app.thing INCLUDING ALL)")
    thing.insert(["a"], "copy (code)")
    thing.owner.execute("CREATE TABLE app.snapshot AS SELECT 'b'::text AS code")
    assert thing.births() == []
    assert thing.failed_checks() == {}
    # Put in the place of the table, as migrations do, it is found.
    thing.owner.execute("ALTER TABLE app.thing RENAME TO old; ALTER TABLE app.copy RENAME TO thing")
    thing.owner.execute("GRANT SELECT ON app.thing TO birth_definer")
    assert thing.failed_checks() == {
        "rows without a birth": ["a"],
        "no gateway on the table": ["app.thing"],
        "gateway on another table than registered (renamed or moved)": ["birth_gateway on app.old"],
    }


def test_an_heir_blocks_the_collection_because_its_rows_pass_the_gateway(thing: World) -> None:
    thing.owner.execute("CREATE TABLE app.heir () INHERITS (app.thing)")
    thing.insert(["a"], "heir (code)")
    assert thing.births() == []
    (check,) = thing.failed_checks()
    assert "inheritance" in check
    assert thing.blockers()[0] == "NB105"


@pytest.mark.parametrize("role", ["replica", "origin"])
def test_rows_inserted_in_the_role_of_a_replica_are_found(thing: World, role: str) -> None:
    thing.admin.execute(f"SET session_replication_role = {role}".encode())
    thing.admin.execute("INSERT INTO app.thing VALUES ('a')")
    assert thing.failed_checks() == ({} if role == "origin" else {"rows without a birth": ["a"]})


@pytest.mark.parametrize(
    "state", ["DISABLE TRIGGER birth_gateway", "DISABLE TRIGGER ALL", "ENABLE REPLICA TRIGGER birth_gateway"]
)
def test_a_trigger_that_does_not_fire_is_named(thing: World, state: str) -> None:
    thing.owner.execute(f"ALTER TABLE app.thing {state}".encode())
    thing.insert(["a"], "thing (code)")
    assert thing.failed_checks() == {
        "rows without a birth": ["a"],
        DISABLED: ["birth_gateway on app.thing"],
    }


def test_a_trigger_that_fires_always_is_no_side_door(thing: World) -> None:
    thing.owner.execute("ALTER TABLE app.thing ENABLE ALWAYS TRIGGER birth_gateway")
    thing.admin.execute("SET session_replication_role = replica; INSERT INTO app.thing VALUES ('a')")
    assert thing.failed_checks() == {}


def test_a_dropped_trigger_is_named(thing: World) -> None:
    thing.owner.execute("DROP TRIGGER birth_gateway ON app.thing")
    thing.insert(["a"], "thing (code)")
    assert thing.failed_checks() == {
        "rows without a birth": ["a"],
        "no gateway on the table": ["app.thing"],
    }
    thing.attach()
    assert thing.failed_checks() == {"rows without a birth": ["a"]}


def test_an_enforced_collection_without_a_gateway_cannot_be_planned(thing: World) -> None:
    api.gateway_mode(thing.steward, "thing", "enforce", "a test")
    thing.owner.execute("ALTER TABLE app.thing DISABLE TRIGGER birth_gateway")
    thing.insert(["a"], "thing (code)")
    assert thing.blockers() == ["NB316"]


def test_a_changed_code_is_found_from_both_sides(thing: World) -> None:
    thing.insert(["a"], "thing (code)")
    thing.owner.execute("UPDATE app.thing SET code = 'b'")
    assert thing.failed_checks() == {"rows without a birth": ["b"], "births without a row": ["a"]}


def test_a_row_inserted_and_deleted_in_one_transaction_leaves_an_orphan_that_is_found(thing: World) -> None:
    with thing.owner.transaction():
        thing.owner.execute("INSERT INTO app.thing VALUES ('a')")
        thing.owner.execute("DELETE FROM app.thing")
    assert thing.failed_checks() == {"births without a row": ["a"]}


@pytest.mark.parametrize(
    "move",
    [
        "ALTER TABLE app.thing RENAME TO ding",
        "ALTER TABLE app.thing SET SCHEMA elsewhere",
        "ALTER SCHEMA app RENAME TO ppa",
    ],
)
def test_a_table_that_was_renamed_or_moved_is_named(thing: World, move: str) -> None:
    thing.admin.execute("CREATE SCHEMA elsewhere; GRANT ALL ON SCHEMA elsewhere TO PUBLIC")
    thing.admin.execute(move.encode())
    assert "gateway on another table than registered (renamed or moved)" in thing.failed_checks()


def test_rows_of_a_table_that_replaced_a_dropped_one_are_found(thing: World) -> None:
    thing.insert(["a"], "thing (code)")
    thing.owner.execute("DROP TABLE app.thing")
    thing.table("(code text UNIQUE)")
    thing.insert(["b"])
    assert thing.failed_checks() == {
        "rows without a birth": ["b"],
        "births without a row": ["a"],
        "no gateway on the table": ["app.thing"],
    }


def test_truncate_leaves_orphans_that_are_found(thing: World) -> None:
    thing.insert(["a"], "thing (code)")
    thing.owner.execute("TRUNCATE app.thing")
    assert thing.failed_checks() == {"births without a row": ["a"]}


def test_a_birth_written_past_the_writer_is_found(thing: World) -> None:
    thing.admin.execute(
        "INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin) VALUES ('forged', 'thing', 'hand')"
    )
    assert thing.failed_checks() == {"births without a row": ["forged"]}
