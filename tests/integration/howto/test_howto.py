"""What the how-to pages say, statement by statement, by the logins that they name."""

import pytest
from guides import LOGINS, blocks, page, section, send, statements
from world import APPLICATION, World

#: Tables with a numbered key, and rows in each.
NUMBERED = {f"table_{number}": 3 * number for number in range(12)}


@pytest.fixture
def shop(world: World) -> World:
    world.admin.execute(f"CREATE SCHEMA shop AUTHORIZATION {APPLICATION}")
    return world


def test_many_tables_are_governed_by_the_statements_of_the_page(shop: World) -> None:
    for name, rows in NUMBERED.items():
        shop.owner.execute(
            f"CREATE TABLE shop.{name} (id integer PRIMARY KEY);"
            f" INSERT INTO shop.{name} SELECT generate_series(1, {rows})".encode()
        )
    shop.owner.execute("CREATE TABLE shop.product (sku text PRIMARY KEY); INSERT INTO shop.product VALUES ('A'), ('B')")
    shop.owner.execute("CREATE TABLE shop.note (text text)")
    sections = ("Look", "Grant", "Register, classify, attach", "Plan", "Review and permit", "Run", "Enforce")
    parts = {name: section("../howto/many-tables.md", f"### {name}") for name in sections}
    told = blocks(page("../howto/many-tables.md"))
    assert len(told) == len(parts)
    assert sum(len(statements(block)) for block in told) == 18

    (look,) = statements(blocks(parts["Look"])[0].partition("\n")[2])
    proposals = shop.person(LOGINS["a steward"]).execute(look.encode()).fetchall()
    assert [(name, strategy) for name, strategy, *_ in proposals] == [
        ("product", "column"),
        *((name, "synthetic_id") for name in sorted(NUMBERED)),
        ("note", None),
    ]
    for name in sections[1:]:
        send(shop, blocks(parts[name])[0])

    governed = shop.admin.execute("SELECT collection_name, gateway_mode FROM birth.collection_registry").fetchall()
    assert dict(governed) == dict.fromkeys([*NUMBERED, "product"], "enforce")
    assert {name: len(shop.births(name)) for name in [*NUMBERED, "product"]} == NUMBERED | {"product": 2}
    assert shop.value("SELECT bool_and(status = 'done') FROM birth.birth_backfill_ledger_v2")
    for name in [*NUMBERED, "product"]:
        assert shop.failed_checks(name) == {}


@pytest.fixture
def customers(shop: World) -> World:
    """A governed table whose rows' ends are recorded."""
    shop.owner.execute(
        "GRANT USAGE ON SCHEMA shop TO birth_definer, birth_scanner;"
        " CREATE TABLE shop.customer (id integer PRIMARY KEY);"
        " GRANT SELECT ON shop.customer TO birth_scanner; GRANT TRIGGER ON shop.customer TO birth_definer"
    )
    shop.register("customer", schema="shop")
    shop.classify("synthetic_id", "customer", column="id", prefix="customer-")
    return shop


def test_a_person_is_erased_by_the_statements_of_the_page(customers: World) -> None:
    customers.attach("customer", "enforce")
    customers.steward.execute("SELECT birth.fn_birth_life_attach('customer', 'enforce')")
    customers.owner.execute("INSERT INTO shop.customer VALUES (1), (2)")
    deleted, renamed = blocks(page("../howto/erasure.md").replace("\n  ", "\n"))
    send(customers, deleted)
    send(customers, renamed)
    ended = customers.admin.execute(
        "SELECT entity_code, manner, successor FROM birth.birth_death ORDER BY 1"
    ).fetchall()
    assert ended == [("customer-1", "DELETE", None), ("customer-2", "REKEY", "customer-4711")]


def test_the_gateway_of_a_replicated_table_is_enabled_by_the_statements_of_the_page(customers: World) -> None:
    (attach,) = blocks(page("../howto/replication.md").replace("\n   ", "\n"))
    send(customers, attach)
    enabled = "SELECT tgenabled FROM pg_trigger WHERE tgrelid = 'shop.customer'::regclass AND tgname = 'birth_gateway'"
    assert customers.value(enabled) == "A"


def test_an_identity_is_a_part_of_the_key_by_the_statement_of_the_page(shop: World) -> None:
    shop.owner.execute(
        "CREATE TABLE shop.event (id bigint, created_at date, PRIMARY KEY (id, created_at))"
        " PARTITION BY RANGE (created_at)"
    )
    shop.register("event", schema="shop")
    send(shop, blocks(page("../howto/partitions.md"))[0])
    assert shop.status("event") == "ELIGIBLE_SYNTHETIC_ID"


def test_a_restored_database_is_confirmed_by_the_statements_of_the_page(world: World) -> None:
    for login, statement in zip(
        ("olga_operator", "dora_dba"), statements(blocks(page("../howto/restore.md"))[0]), strict=True
    ):
        world.person(login).execute(statement.encode())
    assert world.value("SELECT confirmed FROM birth.v_birth_home")
