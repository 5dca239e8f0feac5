"""What the gateway lets pass is recorded, in bounded space and time, until a steward acknowledges it."""

import psycopg
import pytest
from world import APPLICATION, World

from birthdb import api, errors

FOUND = "SELECT row_count, at_least, last_by FROM birth.v_birth_gateway_finding"


@pytest.fixture
def thing(world: World) -> World:
    """A collection that is observed."""
    world.governed("(code text UNIQUE)")
    return world


def test_a_transaction_leaves_one_finding_per_reason(thing: World) -> None:
    thing.governed("(code text PRIMARY KEY)", "other")
    thing.insert(["a", "b"], "other")
    with thing.owner.transaction():
        for _ in range(3):
            thing.insert([None])
        thing.insert([None, None, "a"])
        thing.insert(["b"])
    thing.insert([None])
    assert sorted(thing.findings()) == [("gateway_foreign", 2), ("gateway_no_identity", 1), ("gateway_no_identity", 5)]
    assert thing.value("SELECT examples FROM birth.birth_gateway_finding WHERE error = 'gateway_foreign'") == ["a", "b"]


def test_a_finding_is_rolled_back_with_its_rows(thing: World) -> None:
    with thing.owner.transaction():
        with thing.owner.transaction(force_rollback=True):
            thing.insert([None, None])
        thing.insert([None])
        with thing.owner.transaction(force_rollback=True):
            thing.insert([None, None])
    assert thing.findings() == [("gateway_no_identity", 1)]


def test_concurrent_transactions_with_findings_do_not_block_each_other(thing: World) -> None:
    with thing.db.connect(APPLICATION) as other, thing.owner.transaction(), other.transaction():
        other.execute("SET LOCAL lock_timeout = '2s'")
        thing.insert([None])
        other.execute("INSERT INTO app.thing VALUES (NULL)")
        thing.insert([None])
    assert thing.findings() == [("gateway_no_identity", 2), ("gateway_no_identity", 1)]


def test_a_finding_uses_no_sequence(thing: World) -> None:
    thing.owner.execute("CREATE SEQUENCE app.own")
    thing.owner.execute("SELECT nextval('app.own')")
    thing.insert([None])
    assert thing.owner.execute("SELECT lastval(), currval('app.own')").fetchone() == (1, 1)


def test_a_finding_counts_at_most_a_thousand_statements(world: World) -> None:
    world.table("(code text) PARTITION BY HASH (code)")
    world.table("PARTITION OF app.thing FOR VALUES WITH (MODULUS 1, REMAINDER 0)", "part")
    world.register(coverage="BIRTH_DEFERRED_NEEDS_REVIEW")
    world.attach()
    world.owner.execute("INSERT INTO app.thing SELECT NULL FROM generate_series(1, 1500)")
    assert world.findings() == [("gateway_no_identity", 1000)]
    assert world.operator.execute(FOUND).fetchall() == [(1000, True, APPLICATION)]


@pytest.fixture
def many(thing: World) -> World:
    """More findings than are added up: one an hour, of two rows each, the oldest and the newest of others."""
    thing.admin.execute(
        "INSERT INTO birth.birth_gateway_finding (collection_name, error, found_at, found_xid, inserted_by, row_count)"
        " SELECT 'thing', 'gateway_no_identity', 'epoch'::timestamptz + g * interval '1 hour', g::text::xid8,"
        " CASE g WHEN 1 THEN 'first' WHEN 3000 THEN 'last' ELSE 'x' END, 2 FROM generate_series(1, 3000) g"
    )
    return thing


def test_the_finding_view_adds_up_at_most_a_thousand_rows(many: World) -> None:
    assert many.operator.execute(FOUND).fetchall() == [(2000, True, "last")]
    ((what, since),) = many.operator.execute("SELECT what, since FROM birth.v_birth_attention").fetchall()
    assert what == "at least 2000 rows of thing have no birth: gateway_no_identity, last by last"
    assert since == many.value("SELECT min(found_at) FROM birth.birth_gateway_finding")
    metric = "SELECT value FROM birth.v_birth_metrics WHERE name = 'birth_gateway_findings_rows_total'"
    assert many.operator.execute(metric).fetchall() == [(2000,)]


def test_acknowledging_sums_findings_up_in_one_act(many: World) -> None:
    many.governed("(code text PRIMARY KEY)", "other")
    many.insert(["a", " "], "other")
    many.insert(["a"])
    (next_step,) = many.operator.execute(
        "SELECT next_step FROM birth.v_birth_attention WHERE what LIKE '%2000 rows of thing%'"
    ).fetchone() or ("",)
    assert "fn_birth_finding_acknowledge(p_collection := 'thing'" in next_step
    assert api.finding_acknowledge(many.steward, "thing", "a load of the past") == 6001
    assert (many.findings(), many.findings("other")) == ([], [("gateway_no_identity", 1)])
    ((reason, actor, detail),) = many.admin.execute(
        "SELECT reason, actor, detail FROM birth.birth_act WHERE act = 'finding_acknowledged'"
    ).fetchall()
    assert (reason, actor) == ("a load of the past", "alice_steward")
    lost, taken = detail["gateway_no_identity"], detail["gateway_foreign"]
    assert (lost["rows"], lost["transactions"], lost["logins"]) == (6000, 3000, ["first", "last", "x"])
    assert lost["first_at"] < lost["last_at"]
    assert (taken["rows"], taken["examples"], taken["logins"]) == (1, ["a"], [APPLICATION])
    assert many.operator.execute("SELECT FROM birth.v_birth_attention WHERE what LIKE '%of thing %'").fetchall() == []


def test_acknowledging_without_findings_records_nothing(thing: World) -> None:
    assert api.finding_acknowledge(thing.steward, "thing", "none") == 0
    assert thing.value("SELECT count(*) FROM birth.birth_act WHERE act = 'finding_acknowledged'") == 0


def test_findings_of_an_open_transaction_are_not_acknowledged(thing: World) -> None:
    thing.insert([None])
    with thing.owner.transaction():
        thing.insert([None, None])
        thing.steward.execute("SET lock_timeout = '2s'")
        assert api.finding_acknowledge(thing.steward, "thing", "seen") == 1
    assert thing.findings() == [("gateway_no_identity", 2)]


@pytest.mark.parametrize(
    ("collection", "reason", "refusal"),
    [
        ("thing", " ", errors.BadArgument),
        ("thing", None, errors.BadArgument),
        ("nothing", "seen", errors.UnknownCollection),
        (None, "seen", errors.UnknownCollection),
    ],
)
def test_acknowledging_needs_a_collection_and_a_reason(
    thing: World, collection: str, reason: str, refusal: type[errors.BirthError]
) -> None:
    thing.insert([None])
    with pytest.raises(refusal):
        api.finding_acknowledge(thing.steward, collection, reason)
    assert thing.findings() == [("gateway_no_identity", 1)]


def test_only_a_steward_acknowledges(thing: World) -> None:
    thing.insert([None])
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        thing.operator.execute("SELECT birth.fn_birth_finding_acknowledge('thing', 'seen')")
    thing.admin.execute("GRANT EXECUTE ON FUNCTION birth.fn_birth_finding_acknowledge TO birth_operator")
    with pytest.raises(errors.RoleRequired):
        api.finding_acknowledge(thing.operator, "thing", "seen")
    assert thing.findings() == [("gateway_no_identity", 1)]
