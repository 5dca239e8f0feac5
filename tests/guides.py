"""The guides as data: their sections, the blocks of code in them, and who sends the statements of a block."""

import re

from world import APPLICATION, World

from birthdb import paths

LOGINS = {
    "a steward": "alice_steward",
    "another steward": "stella_steward",
    "the owner": APPLICATION,
    "an operator": "olga_operator",
    "the operator": "olga_operator",
    "a reviewer": "rita_reviewer",
    "a permit owner": "paul_owner",
}


def page(name: str) -> str:
    """Return a guide, or a page that is named from where the guides are."""
    return (paths.ROOT / "docs" / "guide" / name).read_text(encoding="utf-8")


def section(name: str, heading: str) -> str:
    """Return a section of a guide, with those below it."""
    text = page(name)
    level = heading.split(" ")[0]
    found = re.search(rf"^{re.escape(heading)}$(.*?)(?=^#{{1,{len(level)}}} |\Z)", text, re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1]


def blocks(text: str, language: str = "sql") -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def statements(block: str) -> list[str]:
    """Return the statements of a block, each of which ends its line, with a semicolon or psql's ``\\gexec``."""
    return [each.strip() for each in re.split(r"(?:(?<=;)|(?<=\\gexec))\s*(?:--.*)?\n", block) if each.strip()]


def send(world: World, block: str) -> None:
    """Send a block by the logins that its comments name; of what ends with ``\\gexec``, also each row, as psql does."""
    parts = re.split(r"^-- (.*)\n", block, flags=re.MULTILINE)
    assert parts[0] == ""
    for login, text in zip(parts[1::2], parts[2::2], strict=True):
        for statement in statements(text):
            person = world.person(LOGINS[login])
            query, generates, _ = filled(world, statement).partition("\\gexec")
            answer = person.execute(query.encode())
            for (generated,) in answer.fetchall() if generates else ():
                person.execute(generated.encode())


def filled(world: World, statement: str) -> str:
    """Return a statement with the newest run and permit in place of what a person notes."""
    for name, query in (
        ("<run_id>", "SELECT run_id FROM birth.birth_backfill_ledger_v2 ORDER BY planned_at DESC LIMIT 1"),
        ("<permit_id>", "SELECT max(permit_id) FROM birth.birth_admission_permit_v2"),
    ):
        if name in statement:
            statement = statement.replace(name, str(world.value(query)))
    return statement
