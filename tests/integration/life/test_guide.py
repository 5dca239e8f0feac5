"""What the guides say of the ends of rows, statement by statement, by the logins that they name."""

from typing import Any

import pytest
from guides import blocks, filled, section, send, statements
from world import APPLICATION, World

from birthdb import api, errors


@pytest.fixture
def shop(world: World) -> World:
    """A schema with customers, two of whom went before their ends were recorded, and accounts that retire by status."""
    world.admin.execute(f"CREATE SCHEMA shop AUTHORIZATION {APPLICATION}")
    world.owner.execute(
        "GRANT USAGE ON SCHEMA shop TO birth_definer, birth_scanner;"
        " CREATE TABLE shop.customer (id integer PRIMARY KEY);"
        " CREATE TABLE shop.account (id integer PRIMARY KEY, status text)"
    )
    for table in ("customer", "account"):
        world.owner.execute(
            f"GRANT SELECT ON shop.{table} TO birth_scanner; GRANT TRIGGER ON shop.{table} TO birth_definer".encode()
        )
        world.register(table, schema="shop")
        world.classify("synthetic_id", table, column="id", prefix=f"{table}-")
        world.attach(table, "enforce")
    world.owner.execute(
        "INSERT INTO shop.customer SELECT generate_series(1, 5); DELETE FROM shop.customer WHERE id > 3"
    )
    return world


def dead(world: World) -> list[str]:
    found = world.admin.execute("SELECT entity_code FROM birth.birth_death WHERE returned_at IS NULL ORDER BY 1")
    return [row[0] for row in found]


def test_the_ends_of_rows_are_recorded_as_the_adopting_guide_says(shop: World) -> None:
    observe, status, findings = blocks(section("adopting.md", "### Observe the ends"))
    (before,) = blocks(section("adopting.md", "### End what ended before"))
    (enforce,) = blocks(section("adopting.md", "### Census, then enforce the ends"))
    (back,) = blocks(section("adopting.md", "### A code that comes back, a code that changed"))
    assert len(blocks(section("adopting.md", "## The ends of rows"))) == 6

    send(shop, observe)
    send(shop, status)
    shop.owner.execute("INSERT INTO shop.account VALUES (1, 'open'), (2, 'closed')")
    shop.owner.execute("UPDATE shop.account SET status = 'merged' WHERE id = 1")
    assert dead(shop) == ["account-1", "account-2"]
    send(shop, findings)

    assert shop.failed_checks("customer") == {"births without a row or a death": ["customer-4", "customer-5"]}
    send(shop, before)
    assert dead(shop)[2:] == ["customer-4", "customer-5"]
    with pytest.raises(errors.NothingToDo):
        api.death_plan(shop.operator, "customer", dry_run=False)

    send(shop, enforce)
    shown = "SELECT life_mode, living, dead, unexplained FROM birth.v_birth_life WHERE collection_name = 'customer'"
    assert shop.admin.execute(shown.encode()).fetchone() == ("enforce", 3, 2, 0)

    shop.owner.execute("DELETE FROM shop.customer WHERE id = 1")
    send(shop, back)
    assert api.code_now(shop.operator, "customer-1") == "customer-11"
    assert shop.failed_checks("customer") == {}


def test_a_death_run_goes_and_is_undone_as_the_operator_s_page_says(shop: World) -> None:
    plan, run, undo = blocks(section("operator.md", "## A death run"))
    census, *_ = statements(blocks(section("reviewer.md", "### What a verdict on a death run means"))[0])[1:]
    api.life_attach(shop.steward, "customer")
    send(shop, plan)
    reviewer = shop.person("rita_reviewer")
    assert reviewer.execute(census.encode()).fetchall() == [
        ("births without a row or a death", 2, ["customer-4", "customer-5"])
    ]
    shop.judged(shop.value("SELECT run_id FROM birth.birth_backfill_ledger_v2"), "customer", accept=2, rows=2)
    send(shop, run)
    assert dead(shop) == ["customer-4", "customer-5"]
    send(shop, undo)
    assert dead(shop) == []
    assert shop.value("SELECT status FROM birth.birth_backfill_ledger_v2") == "compensated"


def test_a_verdict_reads_what_the_reviewer_s_page_says(shop: World) -> None:
    planned, _ = statements(blocks(section("reviewer.md", "### What a verdict on a death run means"))[0])
    run = api.death_plan(shop.operator, "customer", dry_run=False)["run_id"]
    found = shop.person("rita_reviewer").execute(filled(shop, planned).encode()).fetchall()
    assert found == [(run, "customer", "olga_operator", 3, 5, 2)]


ALL = ["customer-1", "customer-2", "customer-3"]


@pytest.mark.parametrize("mode", ["off", "observe", "enforce"])
@pytest.mark.parametrize(
    ("sent", "ended", "finding", "refused"),
    [
        (["DELETE FROM shop.customer WHERE id = 1"], ["customer-1"], [], None),
        (["UPDATE shop.customer SET id = 9 WHERE id = 1"], ["customer-1"], [], None),
        (["UPDATE shop.customer SET id = id - 1"], ["customer-3"], ["code_taken"], "NB512"),
        (
            ["DELETE FROM shop.customer WHERE id = 1", "INSERT INTO shop.customer VALUES (1)"],
            [],
            ["code_dead"],
            "NB511",
        ),
        (["BEGIN; DELETE FROM shop.customer; INSERT INTO shop.customer VALUES (1), (2), (3); COMMIT"], [], [], None),
        (["TRUNCATE shop.customer"], ALL, ["truncate_refused"], "NB513"),
    ],
    ids=lambda value: value[-1][:40] if isinstance(value, list) and value and " " in value[-1] else None,
)
def test_each_statement_ends_rows_as_the_developers_page_says(
    shop: World, mode: Any, sent: list[str], ended: list[str], finding: list[str], refused: str | None
) -> None:
    if mode != "off":
        api.life_attach(shop.steward, "customer", mode)
    *before, last = [statement.encode() for statement in sent]
    for statement in before:
        shop.owner.execute(statement)
    if mode == "enforce" and refused:
        with pytest.raises(errors.BirthError) as refusal, api.refusals():
            shop.owner.execute(last)
        assert refusal.value.sqlstate == refused
        return
    shop.owner.execute(last)
    expected = ([], []) if mode == "off" else (ended, finding)
    assert (dead(shop), [error for error, _ in shop.findings("customer")]) == expected


def test_the_developers_page_follows_a_code(shop: World) -> None:
    (follow,) = blocks(section("developers.md", "## What ends"))
    assert shop.operator.execute(follow.encode()).fetchone() == (None,)
