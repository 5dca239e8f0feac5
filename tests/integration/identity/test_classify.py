"""The classifier proposes and never applies; a steward decides, and not while a run is open."""

from collections.abc import Callable
from uuid import UUID

import pytest
from world import World

from birthdb import api, errors

PROPOSALS: dict[str, tuple[str, list[tuple[str, str | None, str | None]]]] = {
    "a text key": ("(code text PRIMARY KEY)", [("column", "code", None)]),
    "the key before another unique text": (
        "(z text PRIMARY KEY, a text UNIQUE NOT NULL)",
        [("column", "z", None), ("column", "a", None)],
    ),
    "a primary key before a name, which may change": (
        "(id int PRIMARY KEY, slug varchar(20) UNIQUE NOT NULL)",
        [("synthetic_id", "id", "thing-{id}"), ("column", "slug", None)],
    ),
    "a unique text before a number": (
        "(id int UNIQUE NOT NULL, slug varchar(20) UNIQUE NOT NULL)",
        [("column", "slug", None), ("synthetic_id", "id", "thing-{id}")],
    ),
    "a number": ("(id bigint PRIMARY KEY)", [("synthetic_id", "id", "thing-{id}")]),
    "a uuid": ("(id uuid PRIMARY KEY)", [("synthetic_id", "id", "thing-{id}")]),
    "a composite key": (
        "(tenant text, no int, PRIMARY KEY (tenant, no))",
        [("legacy", None, "thing-{tenant}/{no}")],
    ),
    "a unique text that may be null": ("(slug text UNIQUE)", []),
    "a type whose text depends on settings": ("(every interval PRIMARY KEY)", []),
    "no key": ("(code text)", []),
    "a partial key": ("(code text NOT NULL); CREATE UNIQUE INDEX ON app.thing (code) WHERE code <> ''", []),
    "a deferrable key": ("(code text NOT NULL UNIQUE DEFERRABLE)", []),
    "an order that no row comparison follows": ("(a text, b text); CREATE UNIQUE INDEX ON app.thing (a, b DESC)", []),
    "another operator class": ("(a text NOT NULL); CREATE UNIQUE INDEX ON app.thing (a text_pattern_ops)", []),
    "another collation": ('(a text NOT NULL); CREATE UNIQUE INDEX ON app.thing (a COLLATE "C")', []),
    "NULLs first": ("(a text, b text); CREATE UNIQUE INDEX ON app.thing (a NULLS FIRST, b)", []),
    "names that a template cannot hold": ('("a{b" int, c int, PRIMARY KEY ("a{b", c))', []),
}


@pytest.mark.parametrize("case", PROPOSALS)
def test_the_classifier_proposes_from_the_keys_best_first(world: World, case: str) -> None:
    definition, expected = PROPOSALS[case]
    world.table(definition)
    world.register()
    proposals = api.identity_propose(world.steward, "app", "thing")
    found = [(p["strategy"], p["column"], p["template"]) for p in proposals]
    assert found == expected if expected else found == [(None, None, None)]
    assert all(p["reason"] and p["next_step"] for p in proposals)
    assert world.status() == "BLOCKED_UNCLASSIFIED"


@pytest.mark.parametrize("case", [case for case, (_, expected) in PROPOSALS.items() if expected])
def test_a_proposed_identity_can_be_classified_unchanged(world: World, case: str) -> None:
    world.table(PROPOSALS[case][0])
    world.register()
    for proposal in api.identity_propose(world.steward, "app", "thing"):
        world.steward.execute(proposal["next_step"].encode())
        assert world.status() == f"ELIGIBLE_{str(proposal['strategy']).upper()}"


SOURCES = {
    "is a child": ("app", "kid", "app.kid has inheritance parents or children"),
    "has a child": ("app", "thing", "app.thing has inheritance parents or children"),
    "is a view": ("app", "seen", "app.seen is not an ordinary or partitioned table"),
    "is of birthdb": ("birth", "birth_act", "birth.birth_act is not a table of the application"),
    "is not there": ("app", "nothing", "table app.nothing does not exist"),
    "is not named": (None, None, 'table ""."" does not exist'),
}


@pytest.mark.parametrize("source", SOURCES)
def test_of_a_table_that_cannot_be_a_source_nothing_is_proposed(world: World, source: str) -> None:
    schema, table, reason = SOURCES[source]
    world.table("(code text PRIMARY KEY)")
    world.owner.execute("CREATE TABLE app.kid (UNIQUE (code)) INHERITS (app.thing); CREATE VIEW app.seen AS SELECT 1 a")
    found = world.steward.execute(
        "SELECT strategy, reason, next_step IS NOT NULL FROM birth.fn_birth_identity_propose(%s, %s)", (schema, table)
    ).fetchall()
    assert found == [(None, reason, True)]


def test_identity_classify_raises_unknown_collection(world: World) -> None:
    with pytest.raises(errors.UnknownCollection):
        api.identity_classify(world.steward, "nothing", "column")


TRIGGERS = {
    "fn_birth_registry_auto('thing', 'slug')": ("column", "slug", None),
    "fn_birth_registry_auto('thing', 'OLD-{slug}')": ("legacy", None, "OLD-{slug}"),
    "fn_birth_registry_auto_id('thing', 'it''s-')": ("synthetic_id", "id", "it's-{id}"),
    "fn_birth_registry_auto_id('thing', 'é-', 'no')": ("synthetic_id", "no", "é-{no}"),
}


@pytest.mark.parametrize("call", TRIGGERS)
def test_the_arguments_of_an_existing_birth_trigger_are_proposed_first(world: World, call: str) -> None:
    world.table("(id int PRIMARY KEY, no int UNIQUE, slug text UNIQUE NOT NULL)")
    world.register()
    world.admin.execute(
        f"CREATE TRIGGER old AFTER INSERT ON app.thing FOR EACH ROW EXECUTE FUNCTION birth.{call}".encode()
    )
    first = api.identity_propose(world.steward, "app", "thing")[0]
    assert (first["strategy"], first["column"], first["template"]) == TRIGGERS[call]
    assert "old" in first["reason"]
    world.steward.execute(first["next_step"].encode())
    assert world.status().startswith("ELIGIBLE_")


def test_a_birth_trigger_without_arguments_is_ignored(world: World) -> None:
    world.governed("(code text PRIMARY KEY)")
    world.admin.execute(
        "CREATE TABLE app.old (id int);"
        "CREATE TRIGGER old AFTER INSERT ON app.old FOR EACH ROW EXECUTE FUNCTION birth.fn_birth_registry_auto()"
    )
    world.insert(["a"])
    assert world.failed_checks() == {}
    assert world.blockers() == ["NB314"]


def test_reclassifying_replaces_the_identity_for_the_gateway_too(world: World) -> None:
    world.governed("(code text PRIMARY KEY, no int UNIQUE)")
    world.classify("synthetic_id", column="no", prefix="n-")
    world.owner.execute("INSERT INTO app.thing VALUES ('b', 2)")
    assert world.births() == ["n-2"]


def test_an_identity_that_is_refused_leaves_the_old_one(world: World) -> None:
    world.governed("(code text PRIMARY KEY, no int)", mode=None)
    with pytest.raises(errors.IdentityNotEligible):
        world.classify("column", column="no")
    assert world.status() == "ELIGIBLE_COLUMN"
    assert world.value("SELECT birth_code_column FROM birth.collection_registry") == "code"


def test_a_collection_that_is_not_registered_cannot_be_classified(world: World) -> None:
    with pytest.raises(errors.UnknownCollection) as refusal:
        world.classify("column", "nothing", column="code")
    assert refusal.value.sqlstate == "NB103"


def begin(world: World, run_id: UUID, permit_id: int, delta: int) -> None:
    world.operator.execute(
        "/* sp_dot_birth_qt001_apply */ SELECT birth.fn_birth_run_begin("
        "p_collection := 'thing', p_run_id := %s, p_permit_id := %s,"
        " p_expected_delta := %s, p_max_rows := %s, p_batch := 1, p_dot_origin := 'dot-birth-backfill-apply')",
        (run_id, permit_id, delta, delta),
    )


def test_policy_and_identity_cannot_change_while_a_run_is_open(world: World) -> None:
    world.governed("(code text PRIMARY KEY, no int UNIQUE)", mode=None)
    world.owner.execute("INSERT INTO app.thing VALUES ('a', 1), ('b', 2)")
    run_id, permit_id, delta = world.permitted()
    begin(world, run_id, permit_id, delta)
    with pytest.raises(errors.DefinitionInUse) as refusal:
        world.classify("column", column="no")
    assert refusal.value.sqlstate == "NB116"
    assert str(run_id) in str(refusal.value.detail)
    with pytest.raises(errors.DefinitionInUse):
        world.register()
    api.apply(world.operator, "thing", run_id, permit_id, delta, delta, execute=True)
    world.classify("column", column="code")
    world.register()
    assert world.births() == ["a", "b"]


def test_tables_of_one_name_in_two_schemas_get_two_prefixes(world: World) -> None:
    world.admin.execute("CREATE SCHEMA other AUTHORIZATION nora_nobody; GRANT USAGE ON SCHEMA other TO birth_scanner")
    world.table("(id int PRIMARY KEY)")
    world.owner.execute("CREATE TABLE other.thing (a int, b int, PRIMARY KEY (a, b))")
    found = [api.identity_propose(world.steward, schema, "thing")[0]["template"] for schema in ("app", "other")]
    assert found == ["app-thing-{id}", "other-thing-{a}/{b}"]


@pytest.mark.parametrize(
    ("definition", "step"),
    [
        ("(n int); CREATE TABLE app.child () INHERITS (app.thing)", "make partitions of what inherits"),
        (
            "(n int); CREATE FUNCTION app.f(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1';"
            " CREATE INDEX ON app.thing (app.f(n))",
            "let the owner drop the index",
        ),
        ("(n int); DROP TABLE app.thing", "create the table, or correct schema and table"),
    ],
)
def test_why_a_table_is_no_source_comes_with_its_own_step(world: World, definition: str, step: str) -> None:
    world.owner.execute(f"CREATE TABLE app.thing {definition}".encode())
    refused: Callable[[], object] = world.register
    if "DROP TABLE" in definition:
        world.register()
        refused = world.attach
    with pytest.raises(errors.SourceMissing) as refusal:
        refused()
    assert str(refusal.value.hint).startswith(step)
