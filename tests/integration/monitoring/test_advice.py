"""Each item of v_birth_attention goes away when its next step is sent by whoever it names."""

import re
from collections.abc import Callable, Iterator
from typing import Any, LiteralString, cast

import psycopg
import pytest
from support import DBA
from world import World

from birthdb import api, errors

TABLE = "(code text PRIMARY KEY, n int)"

#: Who a step is for, by the comment behind it.
_SENDERS = (
    ("a superuser", ""),
    ("its owner|the owner of the table", "nora_nobody"),
    ("who neither registered nor classified", "stella_steward"),
    ("a steward", "alice_steward"),
    ("a DBA", DBA),
    ("a permit owner", "paul_owner"),
    ("a reviewer", "rita_reviewer"),
)

#: What was done to an enforced table, and which items there are then.
SITUATIONS: dict[str, tuple[str, list[str]]] = {
    "its trigger is disabled": (
        "ALTER TABLE app.thing DISABLE TRIGGER USER",
        ["thing is enforced and has no enabled gateway"],
    ),
    "its trigger fires for replicated rows alone": (
        "ALTER TABLE app.thing ENABLE REPLICA TRIGGER birth_gateway",
        ["thing is enforced and has no enabled gateway"],
    ),
    "its trigger was dropped": (
        "DROP TRIGGER birth_gateway ON app.thing",
        ["thing is enforced and has no enabled gateway"],
    ),
    "its trigger has a condition": (
        "DROP TRIGGER birth_gateway ON app.thing; CREATE TRIGGER birth_gateway AFTER INSERT ON app.thing FOR EACH ROW"
        " WHEN (NEW.n > 0) EXECUTE FUNCTION birth.fn_birth_registry_auto('thing')",
        ["thing is enforced and has no enabled gateway"],
    ),
    "it was replaced by a copy": (
        "ALTER TABLE app.thing RENAME TO thing_old; CREATE TABLE app.thing (LIKE app.thing_old INCLUDING ALL);"
        " GRANT SELECT ON app.thing TO birth_scanner; GRANT TRIGGER ON app.thing TO birth_definer",
        [
            "thing is enforced and has no enabled gateway",
            "gateway of thing is on app.thing_old, which is registered as app.thing",
        ],
    ),
    "it was renamed": (
        "ALTER TABLE app.thing RENAME TO article",
        [
            "gateway of thing is on app.article, which is registered as app.thing",
            "thing is required, and its table app.thing does not exist",
        ],
    ),
}


#: What was done to the table of an enforced collection, whether its inserts are refused, and what undoes it; None where
#: what is proposed can be classified.
CHANGES: dict[str, tuple[str, str, str, str | None]] = {
    "its column was renamed": (
        "ALTER TABLE app.thing RENAME code TO kode",
        "critical",
        "column code does not exist",
        None,
    ),
    "its column was given another type": (
        "ALTER TABLE app.thing ALTER code TYPE char(9)",
        "critical",
        "code were text when they were classified, and are character",
        "ALTER TABLE app.thing ALTER code TYPE text",
    ),
    "its key was dropped": (
        "ALTER TABLE app.thing DROP CONSTRAINT thing_pkey",
        "warning",
        "no unique, immediate, complete index over code",
        "ALTER TABLE app.thing ADD PRIMARY KEY (code)",
    ),
    "it was inherited": (
        "CREATE TABLE app.kid () INHERITS (app.thing)",
        "warning",
        "app.thing has inheritance parents or children",
        "ALTER TABLE app.kid NO INHERIT app.thing",
    ),
}


def attention(world: World) -> list[tuple[str, str]]:
    found = world.admin.execute("SELECT what, next_step FROM birth.v_birth_attention WHERE what !~ '^enforce does not'")
    return found.fetchall()


def follow(world: World, step: str) -> None:
    """Send each statement of a step as whoever the comment behind it names."""
    statements, _, comment = step.partition("  --")
    sender = next((login for words, login in _SENDERS if re.search(words, comment)), "olga_operator")
    (world.person(sender) if sender else world.admin).execute(statements.replace("'...'", "'a test'").encode())


@pytest.mark.parametrize("value", ["replica", "'REPLICA'"])
@pytest.mark.parametrize(
    "whose", ["DATABASE {}", "ROLE ALL", "ROLE alice_steward", "ROLE alice_steward IN DATABASE {}"]
)
def test_a_setting_that_switches_triggers_off_is_an_item(world: World, whose: str, value: str) -> None:
    asked: LiteralString = (
        "SELECT severity, next_step FROM birth.v_birth_attention WHERE what ~ 'session_replication_role'"
    )
    changed = f"ALTER {whose.format(world.db.name)} SET session_replication_role = {value}"
    with world.admin.transaction(force_rollback=True):
        world.admin.execute(changed.encode())
        ((severity, step),) = world.admin.execute(asked).fetchall()
        assert severity == ("warning" if "alice" in whose else "critical")
        world.admin.execute(step.encode())
        assert world.admin.execute(asked).fetchall() == []


@pytest.mark.parametrize("situation", SITUATIONS)
def test_an_item_goes_away_when_its_next_step_is_sent(world: World, situation: str) -> None:
    statements, items = SITUATIONS[situation]
    world.governed(TABLE, mode="enforce")
    world.owner.execute(statements.encode())
    assert [what for what, _ in attention(world)] == items
    for _ in range(4):
        if found := attention(world):
            follow(world, found[0][1])
    assert attention(world) == []
    table = world.value("SELECT table_name FROM birth.collection_registry")
    world.owner.execute(f"INSERT INTO app.{table} VALUES ('z', 1)".encode())
    assert world.births() == ["z"]


def test_a_disabled_gateway_is_enabled_wherever_one_asks_for_it(world: World) -> None:
    world.governed(TABLE, mode="enforce")
    world.owner.execute("ALTER TABLE app.thing DISABLE TRIGGER USER")
    enable = "ALTER TABLE app.thing ENABLE TRIGGER birth_gateway;  -- its owner"
    with pytest.raises(errors.GatewayAttached) as attached:
        world.attach(mode="enforce")
    with pytest.raises(errors.GatewayAbsent) as absent:
        api.gateway_mode(world.steward, "thing", "enforce", "a test")
    policy = world.value("SELECT next_step FROM birth.v_birth_policy")
    assert (attached.value.hint, absent.value.hint, policy) == (enable, enable, enable)


@pytest.mark.parametrize("change", CHANGES)
def test_an_identity_that_a_change_of_the_table_took_is_listed_until_it_is_mended(world: World, change: str) -> None:
    statement, severity, reason, undone = CHANGES[change]
    world.governed(TABLE, mode="enforce")
    world.owner.execute("INSERT INTO app.thing VALUES ('a', 1)")
    world.owner.execute(statement.encode())
    insert = b"INSERT INTO app.thing VALUES ('b', 1)"
    if severity == "critical":
        with pytest.raises(psycopg.DatabaseError) as refusal:
            world.owner.execute(insert)
        assert refusal.value.sqlstate == "NB501"
    found = world.admin.execute("SELECT severity, what, next_step FROM birth.v_birth_attention").fetchall()
    assert [(rank, what) for rank, what, _ in found] == [(severity, f"the identity of thing is not eligible: {reason}")]
    step = found[0][2]
    answer = world.steward.execute(step.partition("  --")[0].encode())
    if undone is None:
        (proposal,) = answer.fetchall()
        world.steward.execute(proposal[-1].encode())
    else:
        world.owner.execute(undone.encode())
    assert attention(world) == []
    world.owner.execute(insert)
    assert world.births() == ["a", "b"]


def test_a_partition_is_enabled_wherever_one_asks_for_it(world: World) -> None:
    world.governed(f"{TABLE} PARTITION BY RANGE (code)", mode="enforce")
    world.owner.execute("CREATE TABLE app.low PARTITION OF app.thing FOR VALUES FROM ('a') TO ('m')")
    world.owner.execute("ALTER TABLE app.low DISABLE TRIGGER birth_gateway")
    enable = "ALTER TABLE app.low ENABLE TRIGGER birth_gateway;  -- its owner"
    with pytest.raises(errors.GatewayAttached) as attached:
        world.attach(mode="enforce")
    policy = world.value("SELECT next_step FROM birth.v_birth_policy")
    assert (attached.value.hint, policy) == (enable, enable)
    assert attention(world) == [("partition app.low of thing has no gateway", enable)]
    follow(world, enable)
    assert attention(world) == []
    world.owner.execute("INSERT INTO app.thing VALUES ('b', 1)")
    assert world.births() == ["b"]


def test_a_partition_without_a_gateway_makes_room_for_one(world: World) -> None:
    world.governed(f"{TABLE} PARTITION BY RANGE (code)", mode="enforce")
    world.owner.execute("CREATE TABLE app.low PARTITION OF app.thing FOR VALUES FROM ('a') TO ('m')")
    # The owner cannot: PostgreSQL keeps the clone of a trigger.
    world.owner.execute("GRANT TRIGGER ON app.low TO birth_definer")
    world.admin.execute("SET allow_system_table_mods = on; SET session_replication_role = replica")
    world.admin.execute(
        "DELETE FROM pg_depend WHERE objid = (SELECT oid FROM pg_trigger WHERE tgrelid = 'app.low'::regclass);"
        "DELETE FROM pg_trigger WHERE tgrelid = 'app.low'::regclass"
    )
    for _ in range(2):
        ((_, step),) = attention(world)
        follow(world, step)
    assert attention(world) == []
    world.owner.execute("INSERT INTO app.thing VALUES ('b', 1)")
    assert world.births() == ["b"]


@pytest.mark.parametrize("fate", ["judged", "stale"])
def test_a_plan_that_was_planned_again_is_listed_no_more(world: World, fate: str) -> None:
    world.governed(TABLE, mode=None)
    world.owner.execute("INSERT INTO app.thing VALUES ('a', 1), ('b', 2)")
    world.attach()
    if fate == "judged":
        run = api.plan(world.operator, "thing", dry_run=False)["run_id"]
        api.review_record(world.person("rita_reviewer"), run, "NOT_SAFE_NEEDS_FIX", "b is wrong")
    else:
        run = world.permitted()[0]
    world.owner.execute("DELETE FROM app.thing WHERE code = 'b'")
    assert [what for what, _ in attention(world)] == [f"plan {run} of thing is not executed"]
    again = api.plan(world.operator, "thing", dry_run=False)["run_id"]
    ((what, step),) = attention(world)
    assert what == f"plan {again} of thing is not executed"
    assert "fn_birth_review_record" in step


def test_attaching_twice_names_the_switch_of_the_mode(world: World) -> None:
    world.governed(TABLE)
    with pytest.raises(errors.GatewayAttached) as attached:
        world.attach(mode="enforce")
    follow(world, str(attached.value.hint))
    assert world.value("SELECT gateway_mode FROM birth.collection_registry") == "enforce"


@pytest.mark.parametrize("mode", ["attach", "switch"])
def test_enforce_without_an_identity_is_refused_at_once(world: World, mode: str) -> None:
    world.table(TABLE)
    world.register()
    if mode == "switch":
        world.attach()
    enforce = {
        "attach": lambda: world.attach(mode="enforce"),
        "switch": lambda: api.gateway_mode(world.steward, "thing", "enforce", "a test"),
    }
    with pytest.raises(errors.IdentityNotEligible) as refusal:
        enforce[mode]()
    assert "every insert would be refused" in str(refusal.value.detail)
    assert world.value("SELECT gateway_mode FROM birth.collection_registry") == "observe"


@pytest.mark.parametrize("place", ["table", "partition"])
def test_a_trigger_of_that_name_is_an_error_that_names_it(world: World, place: str) -> None:
    world.governed(TABLE if place == "table" else f"{TABLE} PARTITION BY RANGE (code)", mode=None)
    on = "app.thing"
    if place == "partition":
        on = "app.low"
        world.owner.execute("CREATE TABLE app.low PARTITION OF app.thing FOR VALUES FROM ('a') TO ('m')")
        world.owner.execute("GRANT TRIGGER ON app.low TO birth_definer")
    world.owner.execute(
        f"CREATE TRIGGER birth_gateway BEFORE UPDATE ON {on} FOR EACH ROW"
        " EXECUTE FUNCTION suppress_redundant_updates_trigger()".encode()
    )
    with pytest.raises(errors.TriggerInTheWay) as refusal:
        world.attach()
    assert refusal.value.sqlstate == "NB523"
    assert world.value("SELECT count(*) FROM birth.birth_act WHERE act = 'attach'") == 0
    follow(world, str(refusal.value.hint))
    world.attach()
    world.owner.execute("INSERT INTO app.thing VALUES ('b', 1)")
    assert world.births() == ["b"]


@pytest.mark.parametrize("place", ["app.thing", "app.low"])
def test_a_trigger_with_the_name_of_a_life_trigger_is_an_error_that_names_it(world: World, place: str) -> None:
    world.governed(f"{TABLE} PARTITION BY RANGE (code)")
    world.owner.execute("CREATE TABLE app.low PARTITION OF app.thing FOR VALUES FROM ('a') TO ('m')")
    world.owner.execute("GRANT TRIGGER ON app.low TO birth_definer; GRANT SELECT ON app.low TO birth_scanner")
    world.owner.execute(
        f"CREATE TRIGGER birth_life_delete BEFORE UPDATE ON {place} FOR EACH ROW"
        " EXECUTE FUNCTION suppress_redundant_updates_trigger()".encode()
    )
    with pytest.raises(errors.TriggerInTheWay) as refusal:
        api.life_attach(world.steward, "thing")
    assert refusal.value.hint == f"DROP TRIGGER birth_life_delete ON {place};  -- its owner"
    follow(world, str(refusal.value.hint))
    api.life_attach(world.steward, "thing")
    assert attention(world) == []


def test_another_owner_is_told_before_the_next_partition_fails(world: World) -> None:
    world.governed(f"{TABLE} PARTITION BY RANGE (code)", mode="enforce")
    owner = "nina_newcomer"
    world.db.cluster.login(owner)
    world.admin.execute(
        f"GRANT USAGE, CREATE ON SCHEMA app TO {owner}; ALTER TABLE app.thing OWNER TO {owner}".encode()
    )
    ((what, step),) = attention(world)
    assert what == f"{owner}, the owner of app.thing, can make no partition of it"
    partition = b"CREATE TABLE app.low PARTITION OF app.thing FOR VALUES FROM ('a') TO ('m')"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        world.person(owner).execute(partition)
    world.admin.execute(step.encode())
    assert attention(world) == []
    world.person(owner).execute(partition)
    world.person(owner).execute("INSERT INTO app.thing VALUES ('b')")
    assert world.births() == ["b"]


def test_a_column_of_another_type_with_the_same_expression_is_not_the_same_identity(world: World) -> None:
    world.governed("(code int PRIMARY KEY)", mode="enforce")
    world.owner.execute("INSERT INTO app.thing VALUES (1)")
    world.owner.execute("ALTER TABLE app.thing ALTER code TYPE bigint")
    world.owner.execute("INSERT INTO app.thing VALUES (2)")
    world.owner.execute("ALTER TABLE app.thing ALTER code TYPE uuid USING md5(code::text)::uuid")
    assert world.status() == "BLOCKED_TYPE"
    assert next(iter(world.failed_checks())).startswith("identity is not eligible")
    with pytest.raises(errors.TransitionRequired) as refusal:
        world.classify("column", column="code")
    assert refusal.value.detail == "2 rows of collection thing would lose their birth"
    assert world.births() == ["1", "2"]


@pytest.fixture
def scanner(world: World) -> Iterator[None]:
    """The role that reads, which all databases of the server share, is as it was when the test is over."""
    yield
    world.admin.execute("ALTER ROLE birth_scanner NOBYPASSRLS")


def test_life_is_recorded_of_a_table_under_row_level_security_after_a_superuser_allowed_it(
    world: World, scanner: None
) -> None:
    world.governed(TABLE)
    world.owner.execute("ALTER TABLE app.thing ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON app.thing USING (true)")
    with pytest.raises(errors.LifeRefused) as refusal:
        api.life_attach(world.steward, "thing")
    assert refusal.value.detail == (
        "collection thing: row level security of app.thing would hide rows from birth_scanner"
    )
    follow(world, str(refusal.value.hint))
    api.life_attach(world.steward, "thing")


def test_a_table_under_row_level_security_is_read_after_a_superuser_allowed_it(world: World, scanner: None) -> None:
    world.governed(TABLE)
    api.life_attach(world.steward, "thing")
    world.owner.execute(
        "ALTER TABLE app.thing ENABLE ROW LEVEL SECURITY;"
        " ALTER TABLE app.thing FORCE ROW LEVEL SECURITY; CREATE POLICY few ON app.thing USING (code < 'b');"
        " CREATE POLICY mine ON app.thing FOR INSERT WITH CHECK (true); INSERT INTO app.thing VALUES ('a'), ('b')"
    )
    with pytest.raises(errors.SourcePrivilege) as refusal:
        api.census(world.operator, "thing")
    assert "ALTER ROLE birth_scanner BYPASSRLS;  -- by a superuser" in str(refusal.value.hint)
    assert world.blockers() == ["NB115"]
    assert [what for what, _ in attention(world)] == [
        "life triggers of thing: row level security would hide rows from birth_scanner",
        "thing is under row level security, which would hide rows from birth_scanner: no plan, run or census",
    ]
    follow(world, attention(world)[0][1])
    assert attention(world) == []
    assert world.failed_checks() == {}
    world.admin.execute("DELETE FROM birth.birth_registry")
    world.backfill()
    assert world.births() == ["a", "b"]
    world.owner.execute("DELETE FROM app.thing")
    assert world.value("SELECT array_agg(entity_code::text) FROM birth.birth_death") == ["a"]


def test_births_that_a_table_under_row_level_security_refers_to_are_asked_for_after_it(
    world: World, scanner: None
) -> None:
    world.governed(TABLE, mode=None)
    world.owner.execute("INSERT INTO app.thing VALUES ('a')")
    run = world.backfill()
    world.admin.execute(
        "CREATE TABLE app.note (about text REFERENCES birth.birth_registry); GRANT SELECT ON app.note TO birth_scanner;"
        " ALTER TABLE app.note ENABLE ROW LEVEL SECURITY"
    )
    permit = world.judged(run, purpose="COMPENSATE")
    with pytest.raises(errors.BirthsTouched) as refusal:
        api.compensate(world.operator, run, permit, execute=True)
    follow(world, str(refusal.value.detail).partition("security: ")[2])
    api.compensate(world.operator, run, permit, execute=True)
    assert world.births() == []


def test_a_read_only_session_is_told_what_to_set(world: World) -> None:
    world.governed(TABLE, mode=None)
    world.owner.execute("INSERT INTO app.thing VALUES ('a')")
    run, permit, delta = world.permitted()
    acts: dict[str, Callable[[psycopg.Connection[Any]], object]] = {
        "alice_steward": lambda conn: api.gateway_attach(conn, "thing", "observe"),
        "olga_operator": lambda conn: api.apply(conn, "thing", run, permit, delta, delta, execute=True),
        "rita_reviewer": lambda conn: api.review_record(conn, run, "SAFE", "read"),
        "paul_owner": lambda conn: api.permit_revoke(conn, permit, "a test"),
        DBA: lambda conn: api.dot_freeze(conn, "dot-birth-backfill-apply", "a test"),
    }
    for person, act in acts.items():
        conn = world.person(person)
        conn.execute("SET default_transaction_read_only = on")
        with pytest.raises(errors.ReadOnly) as refusal:
            act(conn)
        assert str(refusal.value.hint).startswith("SET default_transaction_read_only = off")
        assert world.planned()["planned_rows"] == 1
        conn.execute("SET default_transaction_read_only = off")
    acts["olga_operator"](world.operator)
    assert world.births() == ["a"]


def test_a_registration_that_never_came_to_be_is_withdrawn(world: World) -> None:
    world.register("drill")
    ((what, step),) = attention(world)
    assert what == "drill is required, and its table app.drill does not exist"
    follow(world, step)
    assert attention(world) == []
    assert world.value("SELECT count(*) FROM birth.collection_registry") == 0
    act = "SELECT reason, detail ->> 'table' FROM birth.birth_act WHERE act = 'withdraw'"
    assert world.admin.execute(act.encode()).fetchall() == [("a test", "app.drill")]
    # The name is free, for another policy too.
    world.table(TABLE, "drill")
    world.register("drill", coverage="BIRTH_EXEMPT_DRILL")
    assert world.value("SELECT bool_and(pass) FROM birth.v_birth_stage4_no_worse_guard")
    api.collection_withdraw(world.steward, "drill", "a test")


@pytest.mark.parametrize(
    ("prepare", "has"),
    [
        ("SELECT", "a table that is not exempt"),
        ("ANALYZE birth.birth_act", "acts since it was registered"),
        ("attach", "a gateway"),
        ("INSERT INTO birth.birth_registry VALUES (now(), NULL, 'x', 'thing', 'a test')", "births"),
        ("plan", "runs"),
        (
            "INSERT INTO birth.birth_gateway_finding (collection_name, error, row_count)"
            " VALUES ('thing', 'code_taken', 1)",
            "findings",
        ),
    ],
)
def test_what_came_to_be_is_not_withdrawn(world: World, prepare: str, has: str) -> None:
    world.governed(TABLE, mode="observe" if prepare == "attach" else None)
    if prepare == "plan":
        world.owner.execute("INSERT INTO app.thing VALUES ('a')")
        api.plan(world.operator, "thing", dry_run=False)
    elif prepare != "attach":
        world.admin.execute(prepare.encode())
    if has != "a table that is not exempt":
        world.owner.execute("ALTER TABLE app.thing RENAME TO elsewhere")
    with pytest.raises(errors.CollectionInUse) as refusal:
        api.collection_withdraw(world.steward, "thing", "a test")
    assert has in str(refusal.value.detail)
    assert refusal.value.hint
    assert world.value("SELECT count(*) FROM birth.birth_act WHERE act = 'withdraw'") == 0


def test_a_withdrawal_that_would_be_refused_is_not_advised(world: World) -> None:
    world.governed(TABLE, mode=None)
    world.owner.execute("DROP TABLE app.thing")
    ((what, step),) = attention(world)
    assert what == "thing is required, and its table app.thing does not exist"
    with pytest.raises(errors.CollectionInUse) as refusal:
        api.collection_withdraw(world.steward, "thing", "a test")
    assert refusal.value.detail == "collection thing has acts since it was registered"
    assert str(refusal.value.hint).endswith("by a transition: birth.fn_dot_birth_qt005_plan")
    assert step.endswith("-- an operator")
    planned = world.operator.execute(step.replace("EXEMPT_...", "EXEMPT_GONE").encode()).fetchall()
    assert len(planned) == 1


def test_a_table_leaves_governance_by_no_withdrawal(world: World) -> None:
    world.table(TABLE)
    deferred = "BIRTH_DEFERRED_NEEDS_REVIEW"
    world.register(coverage=deferred)
    with pytest.raises(errors.CollectionInUse):
        api.collection_withdraw(world.steward, "thing", "a test")
    # Under another table's name for a moment.
    world.register(table="no_such_table", coverage=deferred)
    with pytest.raises(errors.CollectionInUse):
        api.collection_withdraw(world.steward, "thing", "a test")


@pytest.mark.parametrize(("name", "reason"), [("thing", " "), ("thing", None), ("other", "a test")])
def test_a_withdrawal_names_a_collection_and_a_reason(world: World, name: str, reason: str | None) -> None:
    world.register()
    with pytest.raises((errors.BadArgument, errors.UnknownCollection)):
        api.collection_withdraw(world.steward, name, cast(str, reason))
    assert world.value("SELECT count(*) FROM birth.collection_registry") == 1


def test_a_permit_larger_than_its_plan_is_named_to_its_reviewer(world: World) -> None:
    world.governed(TABLE, mode=None)
    world.owner.execute("INSERT INTO app.thing VALUES ('a')")
    run = api.plan(world.operator, "thing", dry_run=False)["run_id"]
    api.review_record(world.person("rita_reviewer"), run, "SAFE", "read")
    expires = world.value("SELECT now() + interval '1 day'")
    api.permit_open(world.person("paul_owner"), "thing", run, 500, expires, "a test")
    step = next(step for what, step in attention(world) if what.startswith("permit"))
    assert step.endswith("  -- a reviewer; the permit allows 500 rows, the plan has 1")
    follow(world, step)
    assert not [what for what, _ in attention(world) if what.startswith("permit")]
