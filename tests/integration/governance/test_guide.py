"""What the guides say of a change of policy, statement by statement, by the logins that they name."""

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from guides import blocks, section, statements
from psycopg.rows import dict_row
from world import World

from birthdb import api

LOGINS = {
    "the operator": "olga_operator",
    "a reviewer": "rita_reviewer",
    "a permit owner": "paul_owner",
    "a steward": "alice_steward",
}
CHANGE = blocks(section("operator.md", "## Change the policy of a collection"))
LOOK = blocks(section("reviewer.md", "## A change of policy"))


def sent(world: World, block: str, known: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Send a block by the logins that its comments name; yield the first row of each answer.

    What an answer says of run and permit takes the place of ``<run_id>`` and ``<permit_id>`` in what follows.
    """

    def known_as(found: re.Match[str]) -> str:
        return known[found[1]]

    parts = re.split(r"^-- (.*)\n", block, flags=re.MULTILINE)
    assert parts[0] == ""
    for login, text in zip(parts[1::2], parts[2::2], strict=True):
        for statement in statements(text):
            filled = re.sub(r"<(\w+)>", known_as, statement)
            with world.person(LOGINS[login]).cursor(row_factory=dict_row) as cursor:
                cursor.execute(filled.encode())
                row = cursor.fetchone() if cursor.description else None
            known |= {key: str(value) for key, value in (row or {}).items() if key in ("run_id", "permit_id")}
            yield row or {}


@pytest.fixture
def shop(world: World) -> World:
    """A required collection with two births."""
    world.governed("(code text PRIMARY KEY)", "customer")
    world.insert(["a", "b"], "customer")
    return world


def policy(world: World) -> object:
    return world.value("SELECT coverage_status FROM birth.collection_registry")


def test_a_policy_changes_and_is_changed_back_as_the_guide_says(shop: World) -> None:
    plan, judge, execute, undo, after = CHANGE
    (look,) = LOOK
    known: dict[str, str] = {}

    dry, _ = sent(shop, plan, known)
    assert (dry["direction"], dry["births"], dry["blockers"]) == ("loosening", 2, [])
    asked, now, before = (shop.person("rita_reviewer").execute(each.encode()) for each in statements(look))
    wanted = {"p_to_status": "BIRTH_EXEMPT_ARCHIVED", "p_to_governed": False}
    assert [str(row[0]) for row in asked] == [known["run_id"]]
    assert now.fetchall() == [("BIRTH_REQUIRED", False, "observe", False)]
    assert before.fetchall() == []
    assert shop.value("SELECT wanted FROM birth.birth_backfill_ledger_v2") == wanted

    list(sent(shop, judge, known))
    *_, changed = sent(shop, execute, known)
    assert changed == {"coverage_status": "BIRTH_EXEMPT_ARCHIVED", "policy_version": 2}
    shop.insert(["c"], "customer")

    list(sent(shop, undo, known))
    assert policy(shop) == "BIRTH_REQUIRED"
    *_, census, unproven = sent(shop, after, known)
    assert (census["check"], census["rows"], unproven["validated"]) == ("rows without a birth", 1, False)
    shop.backfill("customer")
    *_, proven = sent(shop, after, known)
    assert proven == {"validated": True, "next_step": None}


@pytest.mark.parametrize(
    ("meanwhile", "code"),
    [
        ("INSERT INTO app.customer VALUES ('c')", "NB118"),
        ("ALTER TABLE app.customer RENAME TO client", "NB210"),
    ],
)
def test_a_change_is_refused_as_the_guide_says(shop: World, meanwhile: str, code: str) -> None:
    plan, judge, execute, *_ = CHANGE
    known: dict[str, str] = {}
    for block in (plan, judge):
        list(sent(shop, block, known))
    shop.owner.execute(meanwhile.encode())
    if code == "NB210":
        api.collection_register(shop.steward, "customer", "app", "client", "BIRTH_REQUIRED")
    with pytest.raises(psycopg.Error) as refusal:
        list(sent(shop, execute, known))
    assert refusal.value.sqlstate == code
    assert f"`{code}`" in section("operator.md", "## Change the policy of a collection")
    assert policy(shop) == "BIRTH_REQUIRED"
