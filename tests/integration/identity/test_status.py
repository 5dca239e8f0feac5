"""Whether a collection's identity is eligible, and if not, why; also after its table was changed."""

import pytest
from psycopg import IsolationLevel
from world import World

from birthdb import errors

ELIGIBLE = {
    "a key of text": ("(code text PRIMARY KEY)", "code"),
    "a unique text that may be null": ("(id int PRIMARY KEY, code text UNIQUE)", "code"),
    "a unique index": ("(code varchar(10)); CREATE UNIQUE INDEX ON app.thing (code)", "code"),
    "a unique index with an included column": (
        "(code uuid, n int); CREATE UNIQUE INDEX ON app.thing (code) INCLUDE (n)",
        "code",
    ),
    "a stored generated column": (
        "(n int, code text GENERATED ALWAYS AS ('x' || (n % 10)) STORED UNIQUE)".replace("(n % 10)", "'y'"),
        "code",
    ),
    "a partitioned table": ("(code bigint PRIMARY KEY) PARTITION BY HASH (code)", "code"),
    "an unlogged table": ("(code numeric PRIMARY KEY)", "code"),
}
NO_UNIQUE_KEY = {
    "no index": "(code text)",
    "an ordinary index": "(code text); CREATE INDEX ON app.thing (code)",
    "a partial index": "(code text); CREATE UNIQUE INDEX ON app.thing (code) WHERE code <> ''",
    "an index over an expression": "(code text); CREATE UNIQUE INDEX ON app.thing (lower(code))",
    "a deferrable constraint": "(code text UNIQUE DEFERRABLE)",
    "a key with a further column": "(code text, n int, UNIQUE (code, n))",
    "an operator class of its own": "(code text); CREATE UNIQUE INDEX ON app.thing (code text_pattern_ops)",
    "an index of another collation": '(code text); CREATE UNIQUE INDEX ON app.thing (code COLLATE "POSIX")',
    "an exclusion constraint": "(code int, EXCLUDE USING btree (code WITH =))",
}
TYPES = {
    "float8": "float8",
    "bytea": "bytea",
    "interval": "interval",
    "name": "name",
    "a domain over an interval": "app.span",
    "an array": "text[]",
}


@pytest.mark.parametrize("case", ELIGIBLE)
def test_an_identity_over_a_unique_immediate_complete_key_is_eligible(world: World, case: str) -> None:
    definition, column = ELIGIBLE[case]
    world.governed(definition, mode=None, column=column)
    assert world.status() == "ELIGIBLE_COLUMN"


@pytest.mark.parametrize(
    ("strategy", "parts", "status"),
    [
        ("column", {"column": "code"}, "ELIGIBLE_COLUMN"),
        ("synthetic_id", {"column": "code", "prefix": "t-"}, "ELIGIBLE_SYNTHETIC_ID"),
        ("legacy", {"template": "T/{code}"}, "ELIGIBLE_LEGACY"),
    ],
)
def test_an_eligible_identity_says_its_strategy(
    world: World, strategy: str, parts: dict[str, str], status: str
) -> None:
    world.governed("(code int PRIMARY KEY)", mode=None, strategy=strategy, **parts)  # type: ignore[arg-type]
    assert world.status() == status


def refused(world: World, status: str, **parts: str) -> str:
    """Classify by column, expect the refusal to name the status; return its detail."""
    with pytest.raises(errors.IdentityNotEligible) as refusal:
        world.classify("column", **(parts or {"column": "code"}))
    assert refusal.value.sqlstate == "NB105"
    assert refusal.value.detail is not None
    assert status in refusal.value.detail
    return refusal.value.detail


@pytest.mark.parametrize("case", NO_UNIQUE_KEY)
def test_an_identity_without_a_unique_key_is_refused(world: World, case: str) -> None:
    world.table(NO_UNIQUE_KEY[case])
    world.register()
    refused(world, "BLOCKED_NO_UNIQUE_KEY")


def test_an_invalid_index_is_no_key(world: World) -> None:
    world.table("(code text)")
    world.insert(["twice", "twice"])
    with pytest.raises(Exception, match="could not create unique index"):
        world.owner.execute("CREATE UNIQUE INDEX CONCURRENTLY broken ON app.thing (code)")
    world.register()
    refused(world, "BLOCKED_NO_UNIQUE_KEY")


@pytest.mark.parametrize("case", TYPES)
def test_a_type_whose_text_depends_on_settings_or_code_is_refused(world: World, case: str) -> None:
    world.owner.execute("CREATE DOMAIN app.span AS interval")
    world.table(f"(code {TYPES[case]} PRIMARY KEY)")
    world.register()
    assert "type" in refused(world, "BLOCKED_TYPE")


def test_only_an_integer_is_padded(world: World) -> None:
    world.table("(code text PRIMARY KEY)")
    world.register()
    with pytest.raises(errors.IdentityNotEligible) as refusal:
        world.classify("legacy", template="T-{code:06}")
    assert "BLOCKED_TYPE" in str(refusal.value.detail)


def test_a_column_that_a_trigger_cannot_read_is_refused(world: World) -> None:
    if world.db.cluster.major < 18:
        pytest.skip("columns generated when read came with PostgreSQL 18")
    world.table("(code int PRIMARY KEY, twice int GENERATED ALWAYS AS (code * 2) VIRTUAL)")
    world.register()
    with pytest.raises(errors.IdentityNotEligible) as refusal:
        world.classify("legacy", template="{code}-{twice}")
    assert "BLOCKED_TYPE" in str(refusal.value.detail)


def test_a_column_that_does_not_exist_is_refused(world: World) -> None:
    world.table("(code text PRIMARY KEY, gone text)")
    world.owner.execute("ALTER TABLE app.thing DROP COLUMN gone")
    world.register()
    for column in ("missing", "gone", "CODE", "ctid", "........pg.dropped.2........"):
        assert column in refused(world, "BLOCKED_NO_COLUMN", column=column)


def test_a_collection_without_a_decided_identity_is_unclassified(world: World) -> None:
    world.table("(code text PRIMARY KEY)")
    world.register()
    assert world.status() == "BLOCKED_UNCLASSIFIED"
    assert world.blockers() == ["NB105"]


def test_a_collection_may_be_registered_before_its_table_exists_and_waits_for_it(world: World) -> None:
    world.register()
    assert world.status() == "BLOCKED_NO_TABLE"
    refused(world, "BLOCKED_NO_TABLE")
    world.table("(code text PRIMARY KEY)")
    assert world.status() == "BLOCKED_UNCLASSIFIED"


NO_SOURCE = {
    "a view": "CREATE VIEW app.thing AS SELECT 'a'::text AS code",
    "a materialised view": "CREATE MATERIALIZED VIEW app.thing AS SELECT 'a'::text AS code",
    "a sequence": "CREATE SEQUENCE app.thing",
    "a foreign table": (
        "CREATE FOREIGN DATA WRAPPER nowhere; CREATE SERVER nowhere FOREIGN DATA WRAPPER nowhere;"
        "CREATE FOREIGN TABLE app.thing (code text) SERVER nowhere"
    ),
    "a table with heirs": "CREATE TABLE app.thing (code text); CREATE TABLE app.heir () INHERITS (app.thing)",
    "an heir": "CREATE TABLE app.parent (code text); CREATE TABLE app.thing () INHERITS (app.parent)",
}


@pytest.mark.parametrize("case", NO_SOURCE)
def test_only_ordinary_and_partitioned_tables_are_sources(world: World, case: str) -> None:
    world.admin.execute(NO_SOURCE[case].encode())
    with pytest.raises(errors.SourceMissing) as refusal:
        world.register()
    assert refusal.value.sqlstate == "NB114"


@pytest.mark.parametrize("case", NO_SOURCE)
def test_a_table_replaced_by_another_relation_is_blocked(world: World, case: str) -> None:
    world.governed("(code text PRIMARY KEY)", mode=None)
    world.owner.execute("DROP TABLE app.thing")
    world.admin.execute(NO_SOURCE[case].encode())
    assert world.status() == "BLOCKED_SOURCE"
    assert "NB105" in world.blockers()
    with pytest.raises(errors.SourceMissing):
        world.attach()


def test_temporary_and_system_tables_are_no_sources(world: World) -> None:
    world.steward.execute("CREATE TEMPORARY TABLE thing (code text PRIMARY KEY)")
    schema = world.steward.execute("SELECT pg_my_temp_schema()::regnamespace::text").fetchone()
    assert schema is not None
    for place in (schema[0], "pg_catalog", "birth"):
        with pytest.raises(errors.SourceMissing):
            world.register("thing", {"pg_catalog": "pg_class", "birth": "birth_registry"}.get(place), schema=place)


def test_one_collection_covers_a_whole_partition_tree(world: World) -> None:
    world.table("(code text PRIMARY KEY) PARTITION BY HASH (code)", "root")
    world.table("PARTITION OF app.root FOR VALUES WITH (MODULUS 1, REMAINDER 0) PARTITION BY HASH (code)", "branch")
    world.table("PARTITION OF app.branch FOR VALUES WITH (MODULUS 1, REMAINDER 0)", "leaf")
    world.register("branch")
    for table in ("root", "leaf"):
        with pytest.raises(errors.SourceMissing) as refusal:
            world.register(table)
        assert "branch" in str(refusal.value.detail)


def test_a_partition_tree_that_grows_over_another_collection_is_blocked(world: World) -> None:
    world.governed("(code text PRIMARY KEY) PARTITION BY LIST (code)", "root", mode=None)
    world.governed("(code text PRIMARY KEY)", "leaf", mode=None)
    world.owner.execute("ALTER TABLE app.root ATTACH PARTITION app.leaf FOR VALUES IN ('a')")
    assert world.status("root") == world.status("leaf") == "BLOCKED_SOURCE"


def test_two_collections_cannot_claim_one_table(world: World) -> None:
    world.table("(code text PRIMARY KEY)")
    world.register()
    with pytest.raises(errors.SourceClaimed) as refusal:
        world.register("other", "thing")
    assert refusal.value.sqlstate == "NB506"


@pytest.mark.parametrize("name", ["x" * 64, "é" * 32])
def test_a_name_longer_than_63_bytes_is_refused(world: World, name: str) -> None:
    for schema, table in ((name, "thing"), ("app", name)):
        with pytest.raises(errors.BadArgument) as refusal:
            world.register("thing", table, schema=schema)
        assert refusal.value.sqlstate == "NB102"


CHANGES = {
    "the column was retyped": ("ALTER TABLE app.thing ALTER code TYPE text", "BLOCKED_TYPE"),
    # The expression is the same, and the codes are others.
    "the column was retyped to one of the same expression": (
        "ALTER TABLE app.thing ALTER code TYPE uuid USING md5(code::text)::uuid",
        "BLOCKED_TYPE",
    ),
    "the column was retyped beyond use": (
        "ALTER TABLE app.thing ALTER code TYPE float8",
        "BLOCKED_TYPE",
    ),
    "the column was renamed": ("ALTER TABLE app.thing RENAME code TO kode", "BLOCKED_NO_COLUMN"),
    "the column was dropped": ("ALTER TABLE app.thing DROP code", "BLOCKED_NO_COLUMN"),
    "the key was dropped": ("ALTER TABLE app.thing DROP CONSTRAINT thing_pkey", "BLOCKED_NO_UNIQUE_KEY"),
    "the table was renamed": ("ALTER TABLE app.thing RENAME TO ding", "BLOCKED_NO_TABLE"),
    "the table was moved": ("ALTER TABLE app.thing SET SCHEMA other", "BLOCKED_NO_TABLE"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_the_table_after_classification_is_caught_at_the_plan(world: World, change: str) -> None:
    statement, status = CHANGES[change]
    world.governed("(code int PRIMARY KEY, n int)", mode=None)
    world.owner.execute("INSERT INTO app.thing VALUES (1)")
    assert world.blockers() == []
    world.admin.execute("CREATE SCHEMA other; GRANT ALL ON SCHEMA other TO PUBLIC")
    world.owner.execute(statement.encode())
    assert world.status() == status
    assert world.blockers()[0] == "NB105"
    with pytest.raises(errors.IdentityNotEligible):
        world.permitted()


@pytest.mark.parametrize(
    "statement",
    ["ALTER TABLE app.thing ALTER code TYPE bigint", "ALTER TABLE app.thing ADD extra text", "CLUSTER app.thing"],
)
def test_a_change_that_keeps_all_codes_is_accepted(world: World, statement: str) -> None:
    world.governed("(code int PRIMARY KEY, n int); CLUSTER app.thing USING thing_pkey", mode=None)
    world.owner.execute("INSERT INTO app.thing VALUES (1)")
    world.owner.execute(statement.encode())
    assert world.blockers() == []


def test_a_table_replaced_after_the_snapshot_is_not_taken_for_the_old_one(
    world: World,
) -> None:
    world.governed("(code text PRIMARY KEY)", mode=None)
    old = world.db.connect(autocommit=False)
    old.set_isolation_level(IsolationLevel.REPEATABLE_READ)
    old.execute("SELECT 1")
    world.owner.execute("ALTER TABLE app.thing RENAME TO gone; CREATE TABLE app.thing (code text PRIMARY KEY)")
    found = old.execute("SELECT status, reason FROM birth.fn_birth_identity_definition('thing')").fetchone()
    assert found == ("BLOCKED_NO_TABLE", "table app.thing was replaced after this snapshot was taken")
