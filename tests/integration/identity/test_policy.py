"""The policy of a collection: three kinds, no default, and the database rejects anything else."""

import psycopg
import pytest
from world import World

from birthdb import api, errors

DECISIONS = {
    "BIRTH_REQUIRED": ("REQUIRED", True),
    "BIRTH_DEFERRED_NEEDS_REVIEW": ("DEFERRED", False),
    "BIRTH_EXEMPT_LOG": ("EXEMPT", False),
    "BIRTH_EXEMPT_2_OLD": ("EXEMPT", False),
}
MALFORMED = [
    "",
    "BIRTH_EXEMPT",
    "BIRTH_EXEMPT_",
    "BIRTH_EXEMPT_log",
    "BIRTH_EXEMPT_A B",
    "BIRTH_DEFERRED",
    "birth_required",
    " BIRTH_REQUIRED",
    "BIRTH_REQUIRED\n",
    "REQUIRED",
]


@pytest.mark.parametrize("coverage", DECISIONS)
def test_the_policy_decides_by_the_coverage_status_alone(world: World, coverage: str) -> None:
    world.register(coverage=coverage)
    question = "SELECT decision, may_register FROM birth.fn_birth_policy_decision('thing')"
    assert [world.admin.execute(question.encode()).fetchone() for _ in range(2)] == [DECISIONS[coverage]] * 2


def test_the_policy_decision_works_in_a_read_only_transaction(world: World) -> None:
    world.register()
    with world.operator.transaction():
        world.operator.execute("SET TRANSACTION READ ONLY")
        answer = world.operator.execute("SELECT decision FROM birth.fn_birth_policy_decision('thing')").fetchone()
    assert answer == ("REQUIRED",)


@pytest.mark.parametrize("unknown", ["nothing", "", "Thing", None])
def test_an_unknown_collection_is_refused_and_gets_no_default(world: World, unknown: str | None) -> None:
    world.register()
    answer = world.admin.execute(
        "SELECT decision, may_register FROM birth.fn_birth_policy_decision(%s)", (unknown,)
    ).fetchone()
    assert answer == ("REFUSED", False)


@pytest.mark.parametrize("coverage", [*MALFORMED, None])
def test_no_other_coverage_status_is_accepted(world: World, coverage: str | None) -> None:
    with pytest.raises(errors.BadArgument) as refusal:
        world.register(coverage=coverage)  # type: ignore[arg-type]
    assert refusal.value.sqlstate == "NB102"
    with pytest.raises(psycopg.errors.IntegrityError):
        world.admin.execute(
            "INSERT INTO birth.collection_registry (collection_name, schema_name, table_name, coverage_status)"
            " VALUES ('thing', 'app', 'thing', %s)",
            (coverage,),
        )
    assert world.value("SELECT count(*) FROM birth.collection_registry") == 0


@pytest.mark.parametrize("coverage", [c for c, (_, may_register) in DECISIONS.items() if not may_register])
def test_a_collection_that_is_not_birth_required_is_neither_planned_nor_registered(world: World, coverage: str) -> None:
    world.governed("(code text PRIMARY KEY)", mode=None, coverage=coverage)
    world.insert(["a"])
    assert world.blockers()[0] == "NB104"
    with pytest.raises(errors.PolicyNotRequired) as refusal:
        api.rows(world.operator, "fn_birth_register", p_collection="thing", p_codes=["a"], p_dot_origin="x")
    assert refusal.value.sqlstate == "NB104"


@pytest.mark.parametrize(
    ("collection", "schema", "table"),
    [
        ("", "app", "t"),
        (" ", "app", "t"),
        ("x" * 64, "app", "t"),
        (None, "app", "t"),
        ("t", None, "t"),
        ("t", "app", None),
    ],
)
def test_a_collection_needs_a_name_and_a_place(world: World, collection: str, schema: str, table: str) -> None:
    with pytest.raises(errors.BadArgument):
        api.collection_register(world.steward, collection, schema, table, "BIRTH_REQUIRED")


def test_a_collection_is_governed_or_not(world: World) -> None:
    with pytest.raises(errors.BadArgument):
        api.collection_register(  # type: ignore[call-overload]
            world.steward,
            "thing",
            "app",
            "thing",
            "BIRTH_REQUIRED",
            governed=None,
        )


def test_claiming_a_table_names_its_collection(world: World) -> None:
    world.register("other", "thing")
    with pytest.raises(errors.SourceClaimed) as refusal:
        world.register()
    assert "belongs to collection other" in str(refusal.value.detail)


def test_correcting_a_collection_changes_its_place(world: World) -> None:
    world.register(coverage="BIRTH_EXEMPT_TEST")
    world.register(table="other", coverage="BIRTH_EXEMPT_TEST")
    assert world.admin.execute(
        "SELECT collection_name, table_name, coverage_status FROM birth.collection_registry"
    ).fetchall() == [("thing", "other", "BIRTH_EXEMPT_TEST")]
