"""The first-row gate: states of tables, closing, admission, and the end of a migration."""

import psycopg
import pytest
from support import worker
from world import APPLICATION, World, sql

from birthdb import api, errors

SECOND = "stella_steward"
TABLE = "(code text PRIMARY KEY)"
KEPT = "SELECT gate_closed, admitted_by, admitted_how FROM birth.collection_registry WHERE collection_name = %s"


def gated(world: World, mode: api.Mode = "enforce") -> None:
    """Bring schema app under the gate."""
    api.gate_scope(world.steward, "app", mode, "a test")


def state(world: World, table: str = "thing") -> str | None:
    """Return the state of a table of schema app; None: it is not listed."""
    row = world.admin.execute(
        "SELECT state FROM birth.v_birth_gate WHERE schema_name = 'app' AND table_name = %s", (table,)
    ).fetchone()
    return row[0] if row else None


def step(world: World, table: str = "thing") -> str:
    return str(world.value("SELECT next_step FROM birth.v_birth_gate WHERE table_name = %s", table))


def kept(world: World, collection: str = "thing") -> tuple[bool, str | None, str | None]:
    closed, by, how = world.admin.execute(KEPT, (collection,)).fetchall()[0]
    return closed, by, how


def admit(world: World, collection: str = "thing") -> str:
    return api.gate_admit(world.person(SECOND), collection, "a test")


def refused(world: World, *, hint: bool = False) -> str:
    """Return why the collection is not admitted, or what to do."""
    before = kept(world)
    with pytest.raises(errors.AdmissionRefused) as refusal:
        admit(world)
    assert kept(world) == before
    return str(refusal.value.hint if hint else refusal.value.detail)


def test_a_table_goes_from_unknown_to_admitted_and_then_takes_its_first_row(world: World) -> None:
    gated(world)
    world.table(TABLE)
    assert state(world) == "UNKNOWN"
    world.steward.execute(step(world).encode())
    assert state(world) == "REGISTERED"
    world.classify("column", column="code")
    assert state(world) == "READY"
    world.steward.execute(step(world).encode())
    assert state(world) == "CLOSED"
    with pytest.raises(psycopg.Error) as refusal:
        world.insert(["a"])
    assert refusal.value.sqlstate == "NB508"
    assert world.births() == []
    assert world.value("SELECT count(*) FROM app.thing") == 0
    world.person(SECOND).execute(step(world).encode())
    assert (state(world), kept(world)) == ("ADMITTED", (False, SECOND, "EMPTY"))
    world.insert(["a"])
    assert world.births() == ["a"]


def test_a_deferred_collection_is_closed_until_it_is_admitted_too(world: World) -> None:
    gated(world)
    world.governed(TABLE, coverage="BIRTH_DEFERRED_NEEDS_REVIEW")
    with pytest.raises(psycopg.Error) as refusal:
        world.insert(["a"])
    assert refusal.value.sqlstate == "NB508"
    admit(world)
    assert kept(world) == (False, SECOND, "DEFERRED")
    world.insert(["a"])


def test_an_exempt_collection_is_admitted_by_its_policy_and_before_its_table_exists(world: World) -> None:
    gated(world)
    world.register(coverage="BIRTH_EXEMPT_LOG")
    admit(world)
    world.table(TABLE)
    assert state(world) == "EXEMPT"
    assert api.gate(world.owner) == 1
    world.insert(["a"])
    assert world.births() == []


@pytest.mark.parametrize("kept_by", ["actor", "registry"])
def test_who_registered_or_classified_a_collection_cannot_admit_it(world: World, kept_by: str) -> None:
    gated(world)
    world.governed(TABLE)
    if kept_by == "registry":
        world.admin.execute("DELETE FROM birth.birth_act WHERE collection_name = 'thing'")
    with pytest.raises(errors.SeparationOfDuties):
        api.gate_admit(world.steward, "thing", "my own")
    assert kept(world) == (True, None, None)
    # The second one classifies it: then neither may.
    api.identity_classify(world.person(SECOND), "thing", "column", column="code")
    with pytest.raises(errors.SeparationOfDuties):
        admit(world)


def test_a_renamed_login_is_no_other_steward(world: World) -> None:
    gated(world)
    before, after = f"renamed_{worker()}", f"renamed_{worker()}_after"
    world.db.cluster.login(before)
    try:
        world.admin.execute(sql("GRANT birth_steward TO {name}", name=before))
        api.collection_register(world.person(before), "thing", "app", "thing", "BIRTH_EXEMPT_LOG")
        world.person(before).close()
        world.admin.execute(sql("ALTER ROLE {name} RENAME TO {to}", name=before, to=after))
        before = after
        with pytest.raises(errors.SeparationOfDuties):
            api.gate_admit(world.person(after), "thing", "a test")
        world.person(after).close()
    finally:
        world.admin.execute(sql("DROP ROLE {name}", name=before))


def test_admission_needs_a_reason_a_steward_and_a_known_collection(world: World) -> None:
    gated(world)
    world.governed(TABLE)
    stella = world.person(SECOND)
    with pytest.raises(errors.BadArgument):
        api.gate_admit(stella, "thing", " ")
    with pytest.raises(errors.UnknownCollection):
        api.gate_admit(stella, "nothing", "a test")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        api.gate_admit(world.operator, "thing", "a test")
    admit(world)
    with pytest.raises(errors.AdmissionRefused):
        admit(world)


def test_a_filled_table_is_breached_takes_rows_and_is_admitted_as_proven(world: World) -> None:
    world.table(TABLE)
    world.insert(["old"])
    world.register()
    world.classify("column", column="code")
    gated(world)
    world.attach()
    assert state(world) == "BREACHED"
    world.insert(["new"])
    with pytest.raises(errors.AdmissionRefused) as refusal:
        admit(world)
    assert "1 have no birth" in str(refusal.value.detail)
    assert refusal.value.hint is not None
    world.operator.execute(refusal.value.hint.encode())
    assert kept(world) == (False, None, None)
    world.backfill()
    admit(world)
    assert (state(world), kept(world)) == ("ADMITTED", (False, SECOND, "PROVEN"))
    assert world.births() == ["new", "old"]


@pytest.mark.parametrize("fault", ["orphan", "foreign", "no code"])
def test_admission_as_proven_needs_every_count_to_be_right(world: World, fault: str) -> None:
    world.governed("(id int PRIMARY KEY, code text UNIQUE)")
    world.owner.execute("INSERT INTO app.thing VALUES (1, 'a'), (2, 'b')")
    if fault == "orphan":
        world.owner.execute("DELETE FROM app.thing WHERE code = 'a'")
    elif fault == "foreign":
        world.governed(TABLE, "other")
        world.insert(["c"], "other")
        world.owner.execute("INSERT INTO app.thing VALUES (3, 'c')")
    else:
        world.owner.execute("INSERT INTO app.thing VALUES (3, NULL)")
    with pytest.raises(errors.AdmissionRefused):
        admit(world)
    assert kept(world) == (False, None, None)


def test_admission_needs_an_enabled_gateway(world: World) -> None:
    gated(world)
    world.governed(TABLE)
    world.owner.execute("ALTER TABLE app.thing DISABLE TRIGGER birth_gateway")
    assert state(world) == "READY"
    assert "no enabled gateway" in refused(world)


def test_a_row_past_a_disabled_trigger_is_found_by_the_admission(world: World) -> None:
    gated(world)
    world.governed(TABLE)
    world.owner.execute("ALTER TABLE app.thing DISABLE TRIGGER birth_gateway")
    world.insert(["a"])
    world.owner.execute("ALTER TABLE app.thing ENABLE TRIGGER birth_gateway")
    assert "1 have no birth" in refused(world)
    with pytest.raises(psycopg.Error, match="takes no rows"):
        world.insert(["b"])
    world.backfill()
    admit(world)
    assert kept(world) == (False, SECOND, "PROVEN")


def test_admission_waits_two_seconds_for_an_open_insert_and_changes_nothing(world: World) -> None:
    gated(world)
    world.governed(TABLE)
    world.owner.execute("ALTER TABLE app.thing DISABLE TRIGGER birth_gateway")
    with world.owner.transaction():
        world.insert(["a"])
        assert "no enabled gateway" in refused(world)
    world.owner.execute("TRUNCATE app.thing; ALTER TABLE app.thing ENABLE TRIGGER birth_gateway")
    with world.db.connect(APPLICATION, autocommit=False) as other:
        other.execute("LOCK TABLE app.thing IN ROW EXCLUSIVE MODE")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            admit(world)
    assert kept(world) == (True, None, None)
    admit(world)
    triggers = "SELECT count(*) FROM pg_trigger WHERE tgrelid = 'app.thing'::regclass AND NOT tgisinternal"
    assert world.value(triggers) == 1


def test_a_table_that_had_the_gateway_before_is_never_closed_again(world: World) -> None:
    world.governed(TABLE)
    gated(world)
    assert state(world) == "BREACHED"
    api.gateway_detach(world.steward, "thing", "a test")
    world.admin.execute("DROP TRIGGER IF EXISTS birth_gateway ON app.thing")
    world.attach()
    assert kept(world) == (False, None, None)
    world.insert(["a"])
    assert world.births() == ["a"]


def test_an_admission_stands_when_the_same_table_is_attached_again(world: World) -> None:
    gated(world)
    world.governed(TABLE)
    admit(world)
    api.gateway_detach(world.steward, "thing", "a test")
    world.admin.execute("DROP TRIGGER birth_gateway ON app.thing")
    world.attach()
    assert kept(world) == (False, SECOND, "EMPTY")
    world.insert(["a"])


@pytest.mark.parametrize("before", [True, False])
def test_an_admitted_exempt_table_is_not_closed_by_its_first_gateway(world: World, before: bool) -> None:
    gated(world)
    world.register(coverage="BIRTH_EXEMPT_LOG")
    if before:
        admit(world)
    world.table(TABLE)
    if not before:
        admit(world)
    world.classify("column", column="code")
    world.attach()
    assert kept(world) == (False, SECOND, "EXEMPT")
    world.insert(["a"])


@pytest.mark.parametrize("renamed", [False, True])
def test_a_table_in_use_is_not_closed_by_the_next_one_of_its_collection(world: World, renamed: bool) -> None:
    gated(world)
    world.governed(TABLE, coverage="BIRTH_REQUIRED" if renamed else "BIRTH_EXEMPT_LOG")
    admit(world)
    world.insert(["a"])
    if renamed:
        world.owner.execute("ALTER TABLE app.thing RENAME TO former; ALTER INDEX app.thing_pkey RENAME TO former_pkey")
        world.table(TABLE)
        former, thing = "former", "thing"
    else:
        world.table(TABLE, "other")
        world.register(table="other", coverage="BIRTH_EXEMPT_LOG")
        former, thing = "thing", "other"
    world.attach()
    assert kept(world) == (True, None, None)
    world.insert(["b"], former)
    with pytest.raises(psycopg.Error) as refusal:
        world.insert(["c"], thing)
    assert refusal.value.sqlstate == "NB508"


@pytest.mark.parametrize("dropped", [False, True])
def test_a_table_in_use_that_comes_back_in_place_of_the_closed_one_takes_rows(world: World, dropped: bool) -> None:
    gated(world)
    world.governed(TABLE)
    admit(world)
    world.insert(["a"])
    world.owner.execute("ALTER TABLE app.thing RENAME TO former; ALTER INDEX app.thing_pkey RENAME TO former_pkey")
    world.table(TABLE)
    world.attach()
    assert state(world) == "CLOSED"
    world.owner.execute("DROP TABLE app.thing" if dropped else "ALTER TABLE app.thing RENAME TO next")
    world.insert(["b"], "former")
    world.owner.execute("ALTER TABLE app.former RENAME TO thing")
    world.insert(["c"])
    assert state(world) == "BREACHED"
    if not dropped:
        with pytest.raises(psycopg.Error) as refusal:
            world.insert(["d"], "next")
        assert refusal.value.sqlstate == "NB508"
    admit(world)
    assert kept(world) == (False, SECOND, "PROVEN")
    assert world.births() == ["a", "b", "c"]


def test_a_closed_collection_stays_in_attention_when_its_schema_leaves_the_gate(world: World) -> None:
    gated(world)
    world.governed(TABLE)
    api.gate_scope(world.steward, "app", None, "not now")
    with pytest.raises(psycopg.Error, match="takes no rows"):
        world.insert(["a"])
    closed = "SELECT next_step FROM birth.v_birth_attention WHERE what LIKE '%%which is not under the gate'"
    world.person(SECOND).execute(world.value(closed).encode())
    world.insert(["a"])


def test_another_table_of_the_same_name_is_closed_again(world: World) -> None:
    gated(world)
    world.governed(TABLE)
    admit(world)
    world.insert(["a"])
    world.owner.execute("DROP TABLE app.thing")
    world.table(TABLE)
    assert state(world) == "READY"
    assert "see birth.v_birth_gate" in refused(world, hint=True)
    world.steward.execute(step(world).encode())
    assert (state(world), kept(world)) == ("CLOSED", (True, None, None))
    with pytest.raises(psycopg.Error) as refusal:
        world.insert(["b"])
    assert refusal.value.sqlstate == "NB508"


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE app.thing AS SELECT 'a'::text AS code",
        "CREATE TABLE team.loose AS SELECT 'a'::text AS code; ALTER TABLE team.loose SET SCHEMA app;"
        " ALTER TABLE app.loose RENAME TO thing",
    ],
)
def test_another_table_under_an_admitted_name_does_not_commit(world: World, statement: str) -> None:
    world.admin.execute(f"CREATE SCHEMA team AUTHORIZATION {APPLICATION}")
    gated(world)
    world.governed(TABLE)
    admit(world)
    world.owner.execute(f"BEGIN; DROP TABLE app.thing; {statement}".encode())
    with pytest.raises(errors.TableUngated) as refusal:
        api.gate(world.owner)
    world.owner.execute("COMMIT")
    assert "app.thing is REGISTERED" in str(refusal.value.detail)
    assert state(world) == "ADMITTED"


@pytest.mark.parametrize("mode", ["enforce", "observe", None])
def test_a_closed_collection_stays_closed_through_detaching_while_it_is_empty(
    world: World, mode: api.Mode | None
) -> None:
    gated(world)
    world.governed(TABLE)
    if mode != "enforce":
        api.gate_scope(world.steward, "app", mode, "a test")
    for filled in (False, True):
        api.gateway_detach(world.steward, "thing", "a test")
        world.admin.execute("DROP TRIGGER birth_gateway ON app.thing")
        if filled:
            world.insert(["a"])
        world.attach()
        assert kept(world)[0] is not filled


def test_the_end_of_a_migration_refuses_a_table_that_is_not_governed(world: World) -> None:
    gated(world)

    def migration() -> None:
        with world.owner.transaction():
            world.table(TABLE)
            world.table(TABLE, "other")
            api.gate(world.owner)

    with pytest.raises(errors.TableUngated) as refusal:
        migration()
    assert refusal.value.detail is not None
    assert "app.thing is UNKNOWN: SELECT birth.fn_birth_collection_register" in refusal.value.detail
    assert "app.other is UNKNOWN" in refusal.value.detail
    assert world.value("SELECT to_regclass('app.thing') IS NULL")


def test_the_gate_of_a_migration_passes_what_is_closed_and_asks_one_schema_alone(world: World) -> None:
    gated(world)
    world.governed(TABLE)
    world.admin.execute(f"CREATE SCHEMA team AUTHORIZATION {APPLICATION}")
    api.gate_scope(world.steward, "team", "enforce", "a test")
    world.owner.execute("CREATE TABLE team.loose (id int)")
    assert api.gate(world.owner, "app") == 1
    with pytest.raises(errors.TableUngated):
        api.gate(world.owner)
    api.gate_scope(world.steward, "team", "observe", "later")
    assert api.gate(world.owner) == 1
    with pytest.raises(errors.BadArgument):
        api.gate(world.owner, "tema")


def test_enforce_is_refused_while_a_table_is_unknown_and_names_it(world: World) -> None:
    world.table(TABLE)
    with pytest.raises(errors.TableUngated) as refusal:
        gated(world)
    assert "app.thing" in str(refusal.value.detail)
    assert world.value("SELECT count(*) FROM birth.birth_gate_scope") == 0
    gated(world, "observe")
    assert state(world) == "UNKNOWN"
    world.register()
    gated(world)
    assert state(world) == "REGISTERED"


@pytest.mark.parametrize("schema", ["pg_catalog", "birth", "information_schema", "nowhere", None])
def test_only_a_schema_of_the_application_comes_under_the_gate(world: World, schema: str | None) -> None:
    with pytest.raises(errors.BadArgument):
        api.gate_scope(world.steward, schema, "observe", "a test")  # type: ignore[call-overload]
    with pytest.raises(errors.BadArgument):
        api.gate_scope(world.steward, "app", "observe", " ")
    with pytest.raises(errors.BadArgument):
        api.gate_scope(world.steward, "app", "strict", "a test")  # type: ignore[call-overload]
    with pytest.raises(errors.BadArgument):
        api.gate_scope(world.steward, "app", "observe", None)  # type: ignore[call-overload]
    with pytest.raises(errors.BadArgument):
        api.gate_scope(world.steward, "app", None, "it is not in")
    assert world.value("SELECT count(*) FROM birth.birth_gate_scope") == 0


def test_a_schema_goes_out_of_the_gate(world: World) -> None:
    gated(world)
    world.table(TABLE)
    api.gate_scope(world.steward, "app", None, "not now")
    assert state(world) is None
    assert api.gate(world.owner) == 0
    assert world.value("SELECT count(*) FROM birth.birth_act WHERE act = 'gate_scope'") == 2


def test_what_is_no_table_of_its_own_is_not_listed(world: World) -> None:
    gated(world)
    world.table("(id int PRIMARY KEY) PARTITION BY HASH (id)")
    world.table("PARTITION OF app.thing FOR VALUES WITH (MODULUS 2, REMAINDER 0)", "part_0")
    world.table("PARTITION OF app.thing FOR VALUES WITH (MODULUS 2, REMAINDER 1)", "part_1")
    world.owner.execute("CREATE TEMP TABLE thing_t (id int); CREATE VIEW app.seen AS SELECT 1 AS one")
    listed = "SELECT array_agg(table_name::text ORDER BY table_name) FROM birth.v_birth_gate"
    assert world.value(listed) == ["thing"]
    world.register()
    assert world.value(listed) == ["thing"]
    # Governed partition by partition, the root is none of its own; the other partition is.
    world.admin.execute("DELETE FROM birth.collection_registry")
    world.register("part_0")
    assert world.value(listed) == ["part_0", "part_1"]


def test_a_partition_is_listed_where_the_gate_enforces_and_its_root_is_only_observed(world: World) -> None:
    world.admin.execute(f"CREATE SCHEMA team AUTHORIZATION {APPLICATION}")
    gated(world)
    api.gate_scope(world.steward, "team", "observe", "a test")
    world.owner.execute(
        "CREATE TABLE team.root (id int) PARTITION BY HASH (id);"
        " CREATE TABLE app.part PARTITION OF team.root FOR VALUES WITH (MODULUS 1, REMAINDER 0)"
    )
    with pytest.raises(errors.TableUngated) as refusal:
        api.gate(world.owner)
    assert "app.part is UNKNOWN" in str(refusal.value.detail)
    world.register("root", schema="team")
    assert (api.gate(world.owner), state(world, "part")) == (0, None)


def test_a_table_with_two_gateway_triggers_is_listed_once(world: World) -> None:
    world.governed(TABLE)
    world.admin.execute(
        "CREATE TRIGGER birth_gateway_again AFTER INSERT ON app.thing REFERENCING NEW TABLE AS birth_new_rows"
        " FOR EACH STATEMENT EXECUTE FUNCTION birth.fn_birth_registry_auto('thing')"
    )
    gated(world)
    assert world.value("SELECT count(*) FROM birth.v_birth_gate") == api.gate(world.owner) == 1


def test_a_partitioned_collection_is_closed_and_admitted_whole(world: World) -> None:
    gated(world)
    world.table("(id int PRIMARY KEY) PARTITION BY HASH (id)")
    world.table("PARTITION OF app.thing FOR VALUES WITH (MODULUS 1, REMAINDER 0)", "part_0")
    world.register()
    world.classify("synthetic_id", column="id", prefix="n-")
    world.attach()
    assert state(world) == "CLOSED"
    for target in ("thing", "part_0"):
        with pytest.raises(psycopg.Error, match="takes no rows"):
            world.owner.execute(f"INSERT INTO app.{target} VALUES (8)".encode())
    world.owner.execute("ALTER TABLE app.part_0 DISABLE TRIGGER birth_gateway")
    assert "part_0" in refused(world)
    world.owner.execute("ALTER TABLE app.part_0 ENABLE TRIGGER birth_gateway")
    admit(world)
    assert kept(world) == (False, SECOND, "EMPTY")


def test_a_filled_partition_that_is_attached_is_found_by_the_admission(world: World) -> None:
    gated(world)
    world.table("(id int PRIMARY KEY) PARTITION BY RANGE (id)")
    world.register()
    world.classify("synthetic_id", column="id", prefix="n-")
    world.attach()
    world.owner.execute(
        "CREATE TABLE app.part (id int PRIMARY KEY); INSERT INTO app.part VALUES (1);"
        " ALTER TABLE app.thing ATTACH PARTITION app.part FOR VALUES FROM (0) TO (10);"
        " GRANT TRIGGER ON app.part TO birth_definer"
    )
    assert "1 have no birth" in refused(world)


def test_a_table_with_inheritance_can_be_exempt_and_nothing_else(world: World) -> None:
    world.table("(id int PRIMARY KEY)")
    world.table("() INHERITS (app.thing)", "child")
    with pytest.raises(errors.SourceMissing):
        world.register("child")
    world.register("child", coverage="BIRTH_EXEMPT_INHERITED")
    world.register("thing", coverage="BIRTH_EXEMPT_INHERITED")
    gated(world)
    for table in ("child", "thing"):
        admit(world, table)
    assert api.gate(world.owner) == 2


def test_a_filled_table_that_is_moved_or_renamed_into_a_gated_schema_is_unknown(world: World) -> None:
    gated(world)
    world.admin.execute(f"CREATE SCHEMA team AUTHORIZATION {APPLICATION}")
    world.owner.execute("CREATE TABLE team.thing AS SELECT 1 AS id; ALTER TABLE team.thing SET SCHEMA app")
    assert state(world) == "UNKNOWN"
    with pytest.raises(errors.TableUngated):
        api.gate(world.owner)


def test_a_renamed_table_and_a_weaker_policy_keep_an_admission(world: World) -> None:
    gated(world)
    world.governed(TABLE)
    admit(world)
    world.owner.execute("ALTER TABLE app.thing RENAME TO article")
    world.register(table="article")
    assert kept(world)[2] == "EMPTY"
    world.insert(["a"], "article")
    world.change_policy("BIRTH_DEFERRED_NEEDS_REVIEW", accept=1)
    assert kept(world)[2] == "EMPTY"


def test_attaching_in_an_enforcing_schema_must_be_able_to_read_the_table(world: World) -> None:
    gated(world)
    world.governed(TABLE, mode=None)
    world.owner.execute("REVOKE SELECT ON app.thing FROM birth_scanner")
    with pytest.raises(errors.SourcePrivilege) as refusal:
        world.attach()
    assert refusal.value.hint is not None
    world.owner.execute(refusal.value.hint.removeprefix("let the owner of the table: ").encode())
    world.attach()
    assert kept(world)[0]


def test_the_hint_names_every_privilege_that_is_missing_and_works_when_it_is_pasted(world: World) -> None:
    gated(world)
    world.owner.execute(
        "CREATE TABLE app.thing (id int PRIMARY KEY) PARTITION BY HASH (id);"
        " CREATE TABLE app.part PARTITION OF app.thing FOR VALUES WITH (MODULUS 1, REMAINDER 0);"
        " REVOKE USAGE ON SCHEMA app FROM birth_definer, birth_scanner"
    )
    world.register()
    world.classify("synthetic_id", column="id", prefix="n-")
    world.admin.execute(f"REVOKE birth_source_owner FROM {APPLICATION}")
    with pytest.raises(errors.SourcePrivilege) as refusal:
        world.attach()
    hint = str(refusal.value.hint).removeprefix("let the owner of the table: ")
    assert hint.endswith(f"; GRANT birth_source_owner TO {APPLICATION};  -- by an administrator of roles")
    world.admin.execute(hint.encode())
    world.attach()
    world.owner.execute("REVOKE TRIGGER ON app.part FROM birth_definer; REVOKE SELECT ON app.thing FROM birth_scanner")
    hint = refused(world, hint=True).removeprefix("let the owner of the table: ")
    assert hint == "GRANT SELECT ON app.thing TO birth_scanner; GRANT TRIGGER ON app.part TO birth_definer;"
    world.owner.execute(hint.encode())
    admit(world)


def test_an_insert_with_a_snapshot_from_before_the_admission_is_repeated(world: World) -> None:
    gated(world)
    world.governed(TABLE)
    with world.db.connect(APPLICATION, autocommit=False) as old:
        old.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        old.execute("SELECT 1")
        admit(world)
        with pytest.raises(psycopg.Error) as refusal:
            old.execute("INSERT INTO app.thing VALUES ('a')")
        assert refusal.value.sqlstate in ("NB508", "40001")
        old.rollback()
        old.execute("INSERT INTO app.thing VALUES ('a')")
    assert world.births() == ["a"]


def test_collections_of_before_are_grandfathered_and_the_guard_holds(world: World) -> None:
    guard = "SELECT check_name FROM birth.v_birth_stage3_no_worse_guard WHERE pass IS NOT TRUE"
    gated(world)
    world.governed(TABLE)
    admit(world)
    assert world.admin.execute(guard).fetchall() == []
    world.admin.execute("UPDATE birth.collection_registry SET admitted_how = 'GRANDFATHERED'")
    assert world.admin.execute(guard).fetchall() == [("admissions without a record",)]
    world.admin.execute(
        "UPDATE birth.collection_registry SET admitted_how = NULL, admitted_by = NULL, admitted_at = NULL,"
        " gate_closed = true; DROP TRIGGER birth_gateway ON app.thing"
    )
    assert world.admin.execute(guard).fetchall() == [("closed collections without an enabled gateway",)]


def test_the_trigger_of_a_gated_table_refuses_rows_until_its_collection_is_admitted(world: World) -> None:
    gated(world)
    world.table(TABLE)
    world.admin.execute(
        "CREATE TRIGGER birth_gate BEFORE INSERT ON app.thing FOR EACH STATEMENT"
        " EXECUTE FUNCTION birth.fn_birth_gate_insert()"
    )
    with pytest.raises(psycopg.Error) as refusal:
        world.insert(["a"])
    assert refusal.value.sqlstate == "NB508"
    world.register()
    world.classify("column", column="code")
    world.attach()
    world.owner.execute(admit(world).encode())
    world.insert(["a"])
    assert world.births() == ["a"]


def test_a_trigger_of_the_owner_with_a_name_of_the_gate_is_not_taken_for_it(world: World) -> None:
    gated(world)
    world.governed(TABLE, mode=None)
    for name in ("birth_gate", "birth_gate_lock"):
        world.owner.execute(
            f"CREATE TRIGGER {name} BEFORE UPDATE ON app.thing FOR EACH ROW"
            " EXECUTE FUNCTION suppress_redundant_updates_trigger()".encode()
        )
    held = "SELECT held_by FROM birth.v_birth_gate"
    assert world.value(held) == []
    world.attach()
    assert world.value(held) == ["gateway"]
    assert "DROP TRIGGER" not in admit(world)


def test_the_view_asks_for_the_identity_of_a_table_once_and_only_where_its_state_depends_on_it(world: World) -> None:
    gated(world)
    world.governed(TABLE)
    world.governed(TABLE, "ready", mode=None)
    world.register("registered", coverage="BIRTH_EXEMPT_LOG")
    world.table(TABLE, "registered")
    read = world.value("EXPLAIN (ANALYZE, FORMAT JSON) SELECT state, next_step, held_by FROM birth.v_birth_gate")
    nodes = [read[0]["Plan"]]
    for node in nodes:
        nodes += node.get("Plans", [])
    assert [n["Actual Loops"] for n in nodes if n.get("Function Name") == "fn_birth_identity_definition"] == [1]


def test_an_owner_of_tables_asks_the_gate_and_reads_nothing_else_of_birthdb(world: World) -> None:
    gated(world)
    assert api.gate(world.owner) == 0
    for statement in (
        "SELECT count(*) FROM birth.collection_registry",
        "SELECT count(*) FROM birth.v_birth_gate",
        "SELECT birth.fn_birth_gate_insert()",
        "SELECT birth.fn_birth_census('thing')",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            world.owner.execute(statement.encode())
