"""fn_dot_birth_qt001_plan: what it counts, what it refuses, and what it leaves alone."""

import pytest
from helpers import DBA, OPERATOR, Row, Scene, raised, refused
from psycopg.sql import SQL
from world import judged

from birthdb import errors


def blockers(plan: Row) -> list[str]:
    return [blocker["code"] for blocker in plan["blockers"]]


@pytest.fixture
def mixed(scene: Scene) -> str:
    """A collection with a row of every kind: 3 missing, 1 born, 2 orphans, 4 without a code, 1 of somebody else."""
    scene.collection("other", 1)
    scene.execute("CREATE TABLE public.mixed (code text UNIQUE)")
    values = ["a", "b", "c", "born", "foreign", None, "", " \t\n", "x" * 513]
    scene.admin.cursor().executemany("INSERT INTO mixed VALUES (%s)", [(value,) for value in values])
    scene.govern("mixed", "column", column="code")
    scene.born("mixed", "born", "gone 1", "gone 2")
    scene.born("other", "foreign")
    return "mixed"


def test_a_dry_run_writes_nothing(scene: Scene, item: str) -> None:
    with scene.unchanged():
        plan = scene.examine(item)
    assert (plan["status"], plan["run_id"], plan["blockers"]) == ("dry_run", None, [])
    assert (plan["source_rows"], plan["existing_births"], plan["planned_rows"]) == (20, 0, 20)


def test_a_plan_is_a_dry_run_by_default(scene: Scene, item: str) -> None:
    with scene.unchanged():
        plan = scene.ask_one(OPERATOR, "fn_dot_birth_qt001_plan", p_collection=item)
    assert plan["dry_run"] is True


def test_a_dry_run_works_in_a_read_only_session(scene: Scene, item: str) -> None:
    scene.session(OPERATOR).execute("SET default_transaction_read_only = on")
    assert scene.examine(item)["planned_rows"] == 20


def test_a_dry_run_works_in_a_read_only_transaction(scene: Scene, item: str) -> None:
    session = scene.session(OPERATOR)
    with session.transaction():
        session.execute("SET TRANSACTION READ ONLY")
        assert scene.examine(item)["planned_rows"] == 20


def test_a_written_plan_writes_one_planned_row_and_its_act_and_nothing_else(scene: Scene, item: str) -> None:
    before = scene.digest()
    plan = scene.plan(item)
    changed = {table for table, digest in scene.digest().items() if digest != before[table]}
    assert changed == {"birth_act", "birth_backfill_ledger_v2"}
    row = scene.ledger(plan["run_id"])
    assert (row["status"], row["dry_run"], row["planned_by"], row["actual_inserted"]) == ("planned", True, OPERATOR, 0)
    assert row["planned_fingerprint"] == plan["planned_fingerprint"]
    assert row["contract_hash"] == scene.value("SELECT birth.fn_birth_contract_hash()")
    assert row["lineage"] == plan["run_id"]


def test_a_plan_counts_each_kind_of_row(scene: Scene, mixed: str) -> None:
    plan = scene.examine(mixed)
    counts = {name: plan[name] for name in ("source_rows", "existing_births", "orphans", "unresolvable", "collisions")}
    assert counts == {"source_rows": 9, "existing_births": 3, "orphans": 2, "unresolvable": 4, "collisions": 1}
    assert (plan["planned_rows"], plan["duplicates"]) == (3, 0)


def test_the_counts_of_a_plan_add_up(scene: Scene, mixed: str) -> None:
    p = scene.examine(mixed)
    assert p["existing_births"] == (
        p["source_rows"] - p["unresolvable"] - p["duplicates"] - p["collisions"] - p["planned_rows"] + p["orphans"]
    )


def test_rows_with_one_code_are_counted_as_duplicates_and_refused(scene: Scene) -> None:
    scene.execute("CREATE TABLE public.pair (a text, b text, PRIMARY KEY (a, b))")
    scene.execute("INSERT INTO pair VALUES ('1', '23'), ('12', '3'), ('4', '5')")
    scene.govern("pair", "legacy", template="{a}{b}")
    plan = scene.examine("pair")
    assert (plan["source_rows"], plan["duplicates"], plan["planned_rows"]) == (3, 1, 2)
    assert blockers(plan) == [errors.CodeDuplicate.sqlstate]
    with refused(errors.CodeDuplicate):
        scene.plan("pair")


def test_a_code_of_exactly_512_bytes_is_planned(scene: Scene) -> None:
    scene.execute("CREATE TABLE public.long (code text PRIMARY KEY)")
    scene.execute("INSERT INTO long VALUES (repeat('é', 256)), (repeat('é', 256) || 'x')")
    scene.govern("long", "column", column="code")
    plan = scene.examine("long")
    assert (plan["planned_rows"], plan["unresolvable"]) == (1, 1)


def test_a_dry_run_returns_every_blocker_in_the_order_of_the_checks(scene: Scene) -> None:
    scene.collection("other", 1)
    scene.execute("CREATE TABLE public.pair (a text, b text, PRIMARY KEY (a, b))")
    scene.execute("INSERT INTO pair VALUES ('1', '23'), ('12', '3'), ('fore', 'ign')")
    scene.govern("pair", "legacy", template="{a}{b}")
    scene.born("other", "foreign")
    scene.born("pair", "123")
    scene.execute(
        "UPDATE birth.collection_registry SET coverage_status = 'BIRTH_EXEMPT_TEST', gateway_mode = 'enforce'"
    )
    scene.ask(OPERATOR, "fn_birth_dot_freeze", p_dot="dot-birth-backfill-plan", p_reason="a test")
    plan = scene.examine("pair")
    expected = [
        errors.DotFrozen,
        errors.PolicyNotRequired,
        errors.GatewayMissing,
        errors.CodeForeign,
        errors.CodeDuplicate,
        errors.NothingToDo,
    ]
    assert blockers(plan) == [refusal.sqlstate for refusal in expected]
    assert all(blocker["detail"] and blocker["hint"] for blocker in plan["blockers"])


def test_a_written_plan_raises_the_first_blocker_and_writes_nothing(scene: Scene, mixed: str) -> None:
    scene.execute("UPDATE birth.collection_registry SET coverage_status = 'BIRTH_EXEMPT_TEST'")
    assert blockers(scene.examine(mixed))[:2] == [errors.PolicyNotRequired.sqlstate, errors.CodeForeign.sqlstate]
    with scene.unchanged(), refused(errors.PolicyNotRequired):
        scene.plan(mixed)


@pytest.mark.parametrize("policy", ["BIRTH_DEFERRED_NEEDS_REVIEW", "BIRTH_EXEMPT_STAGING"])
def test_a_collection_without_policy_birth_required_is_not_planned(scene: Scene, policy: str) -> None:
    scene.collection(policy=policy)
    with scene.unchanged(), refused(errors.PolicyNotRequired):
        scene.plan("item")


def test_a_collection_without_an_identity_is_not_planned(scene: Scene, item: str) -> None:
    scene.execute("ALTER TABLE item DROP CONSTRAINT item_pkey")
    assert blockers(scene.examine(item)) == [errors.IdentityNotEligible.sqlstate]
    with scene.unchanged(), refused(errors.IdentityNotEligible):
        scene.plan(item)


def test_a_table_that_changed_since_it_was_classified_is_not_planned(scene: Scene) -> None:
    scene.execute("CREATE TABLE public.named (code text PRIMARY KEY)")
    scene.execute("INSERT INTO named VALUES ('1'), ('2')")
    scene.govern("named", "column", column="code")
    scene.execute("ALTER TABLE named ALTER code TYPE bigint USING code::bigint")
    with scene.unchanged(), refused(errors.IdentityNotEligible) as caught:
        scene.plan("named")
    assert "code were text when they were classified, and are bigint" in str(caught.value.diag.message_detail)


def test_a_table_that_birth_definer_cannot_read_is_refused_with_the_grant(scene: Scene, item: str) -> None:
    scene.execute("REVOKE SELECT ON item FROM birth_scanner")
    with scene.unchanged(), refused(errors.SourcePrivilege) as caught:
        scene.plan(item)
    assert "GRANT SELECT ON public.item TO birth_scanner" in str(caught.value.diag.message_hint)


def test_a_missing_grant_is_told_beside_a_missing_identity(scene: Scene, item: str) -> None:
    scene.execute("ALTER TABLE item DROP CONSTRAINT item_pkey; REVOKE SELECT ON item FROM birth_scanner")
    assert blockers(scene.examine(item)) == [errors.IdentityNotEligible.sqlstate, errors.SourcePrivilege.sqlstate]


def test_a_row_level_policy_is_refused_instead_of_missing_rows(scene: Scene, item: str) -> None:
    scene.execute("ALTER TABLE item ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON item USING (id < 3)")
    with scene.unchanged(), refused(errors.SourcePrivilege):
        scene.plan(item)


def test_an_enforced_collection_without_a_gateway_is_not_planned(scene: Scene, item: str) -> None:
    scene.execute("UPDATE birth.collection_registry SET gateway_mode = 'enforce'")
    with scene.unchanged(), refused(errors.GatewayMissing):
        scene.plan(item)


def test_a_frozen_plan_dot_stops_plans_until_a_dba_unfreezes_it(scene: Scene, item: str) -> None:
    scene.ask(OPERATOR, "fn_birth_dot_freeze", p_dot="dot-birth-backfill-plan", p_reason="a test")
    with scene.unchanged(), refused(errors.DotFrozen):
        scene.plan(item)
    scene.ask(DBA, "fn_birth_dot_unfreeze", p_dot="dot-birth-backfill-plan", p_reason="over")
    assert scene.plan(item)["status"] == "planned"


def test_a_complete_collection_cannot_be_planned(scene: Scene, item: str) -> None:
    scene.apply(scene.permitted())
    assert scene.examine(item)["expected_delta"] == 0
    with scene.unchanged(), refused(errors.NothingToDo):
        scene.plan(item)


def test_an_unknown_collection_raises_in_a_dry_run_too(scene: Scene) -> None:
    with scene.unchanged(), refused(errors.UnknownCollection):
        scene.examine("nothing of the kind")
    with scene.unchanged(), refused(errors.UnknownCollection):
        scene.plan("nothing of the kind")


def test_a_plan_without_the_switch_or_the_collection_is_refused(scene: Scene, item: str) -> None:
    with scene.unchanged(), refused(errors.BadArgument):
        scene.ask(OPERATOR, "fn_dot_birth_qt001_plan", p_collection=item, p_dry_run=None)
    with scene.unchanged(), refused(errors.UnknownCollection):
        scene.ask(OPERATOR, "fn_dot_birth_qt001_plan", p_collection=None)


def test_the_fingerprint_does_not_depend_on_the_order_of_the_rows(scene: Scene) -> None:
    for name, order in (("up", "ASC"), ("down", "DESC")):
        scene.execute(f"CREATE TABLE public.{name} (code text PRIMARY KEY)".encode())
        scene.execute(f"INSERT INTO {name} SELECT 'c' || g FROM generate_series(1, 50) g ORDER BY g {order}".encode())
        scene.govern(name, "column", column="code")
    assert scene.examine("up")["planned_fingerprint"] == scene.examine("down")["planned_fingerprint"]


def test_the_fingerprint_depends_on_the_set_and_is_additive(scene: Scene, item: str) -> None:
    whole = scene.examine(item)["planned_fingerprint"]
    scene.born(item, *[f"item-{number}" for number in range(1, 11)])
    second_half = scene.examine(item)["planned_fingerprint"]
    scene.execute("DELETE FROM birth.birth_registry")
    scene.born(item, *[f"item-{number}" for number in range(11, 21)])
    first_half = scene.examine(item)["planned_fingerprint"]
    assert first_half != second_half
    assert [a + b for a, b in zip(first_half, second_half, strict=True)] == whole


def test_another_set_of_the_same_size_has_another_fingerprint(scene: Scene, item: str) -> None:
    before = scene.examine(item)["planned_fingerprint"]
    scene.execute("UPDATE item SET id = 99 WHERE id = 7")
    after = scene.examine(item)["planned_fingerprint"]
    assert before[0] == after[0]
    assert before != after


def test_every_plan_has_its_own_seeds(scene: Scene, item: str) -> None:
    first, second = scene.ledger(scene.plan(item)["run_id"]), scene.ledger(scene.plan(item)["run_id"])
    assert len({first["seed_a"], first["seed_b"], second["seed_a"], second["seed_b"]}) == 4
    assert first["planned_fingerprint"][0] == second["planned_fingerprint"][0]
    assert first["planned_fingerprint"] != second["planned_fingerprint"]
    assert first["algorithm"] == "hashtextextended-sum-1"
    assert first["server_major"] == scene.db.cluster.major


def test_a_plan_after_an_unfinished_run_names_its_predecessor_and_shares_its_lineage(scene: Scene, item: str) -> None:
    run = scene.permitted()
    scene.stopped_after_a_batch(run)
    plan = scene.plan(item)
    assert plan["predecessor"] == run.run_id
    assert scene.ledger(plan["run_id"])["lineage"] == run.run_id
    assert (plan["planned_rows"], plan["existing_births"]) == (15, 5)


def test_a_plan_after_a_done_run_has_no_predecessor(scene: Scene, item: str) -> None:
    scene.apply(scene.permitted())
    scene.insert(item, 21, 25)
    assert scene.plan(item)["predecessor"] is None


def test_a_plan_after_an_unexecuted_plan_has_no_predecessor(scene: Scene, item: str) -> None:
    scene.plan(item)
    assert scene.plan(item)["predecessor"] is None


def test_each_answer_carries_the_statement_of_the_next_step(scene: Scene, item: str) -> None:
    """From dry run to done by nothing but what the answers say, each sent by whom it names."""

    def sent(answer: Row, person: str) -> Row:
        (row,) = scene.rows(judged(answer["next_step"]).encode(), person=person)
        return row

    plan = sent(scene.examine(item), OPERATOR)
    review = sent(plan, "rita_reviewer")
    permit = sent(review, "paul_owner")
    confirmed = sent(permit, "rita_reviewer")
    scene.session(OPERATOR).execute(confirmed["next_step"].encode())
    assert scene.ledger(plan["run_id"])["status"] == "done"
    assert scene.births() == 20


def test_the_next_step_of_a_plan_with_orphans_accepts_exactly_these(scene: Scene, item: str) -> None:
    scene.born(item, "gone")
    assert "p_accept_orphans := 1" in scene.plan(item)["next_step"]


@pytest.fixture
def pair(scene: Scene) -> str:
    """A collection of one row with a composite key, which alone keeps its codes apart."""
    scene.execute("CREATE TABLE public.pair (a integer, b integer, UNIQUE (a, b))")
    scene.execute("INSERT INTO pair VALUES (1, 1)")
    return scene.govern("pair", "legacy", template="{a}-{b}")


def test_the_unique_key_cannot_be_dropped_before_the_plan_is_committed(scene: Scene, pair: str) -> None:
    scene.execute("ALTER TABLE pair DROP CONSTRAINT pair_a_b_key; CREATE UNIQUE INDEX pair_key ON pair (a, b)")
    with scene.session(OPERATOR).transaction():
        assert scene.examine(pair)["planned_rows"] == 1
        dropping = scene.send(scene.db.connect(), SQL("DROP INDEX CONCURRENTLY public.pair_key").format())
        scene.wait_for(dropping, scene.session(OPERATOR).info.backend_pid)
        with raised("23505"):
            scene.execute("INSERT INTO pair VALUES (1, 1)")
    dropping.end()
    assert blockers(scene.examine(pair)) == [errors.IdentityNotEligible.sqlstate]


def test_a_child_table_attached_concurrently_is_not_counted(scene: Scene, pair: str) -> None:
    scene.execute("CREATE TABLE public.child (LIKE pair INCLUDING ALL); INSERT INTO child VALUES (1, 1)")
    with scene.db.connect().transaction() as between:
        # Where the plan has checked its source and wants to count.
        between.connection.execute("LOCK TABLE birth.birth_registry IN ACCESS EXCLUSIVE MODE")
        planning = scene.send(
            scene.session(OPERATOR),
            SQL("DO $$ BEGIN ASSERT (SELECT planned_rows FROM birth.fn_dot_birth_qt001_plan({})) = 1; END $$").format(
                pair
            ),
        )
        scene.wait_for(planning, between.connection.info.backend_pid)
        scene.execute("ALTER TABLE child INHERIT pair")
    planning.end()


def test_a_corrupt_index_cannot_make_a_run_done(scene: Scene, pair: str) -> None:
    """A superuser breaks it here, and a changed collation of the operating system elsewhere."""
    unique = "UPDATE pg_index SET indisunique = %s WHERE indexrelid = 'pair_a_b_key'::regclass"
    scene.execute(unique, (False,))
    scene.execute("INSERT INTO pair VALUES (1, 1)")
    scene.execute(unique, (True,))
    run = scene.permitted(pair)
    assert run.delta == 2, "the plan believes the index; whoever writes does not"
    with refused(errors.SourceChanged):
        scene.apply(run)
    assert scene.status(run) == ("stopped", "source_changed")
    assert scene.births() == 0
