"""The grammar of legacy templates: literal text, {column}, {column:0N}, {{ and }}."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world import World

from birthdb import errors

Piece = tuple[str | None, str | None, int | None]

ACCEPTED: dict[str, list[Piece]] = {
    "{id}": [(None, "id", None)],
    "APR-{id:06}": [("APR-", None, None), (None, "id", 6)],
    "{id:01}": [(None, "id", 1)],
    "{id:099}": [(None, "id", 99)],
    "{tenant}/{no}": [(None, "tenant", None), ("/", None, None), (None, "no", None)],
    "{a}{b}": [(None, "a", None), (None, "b", None)],
    "{{{id}}}": [("{", None, None), (None, "id", None), ("}", None, None)],
    "{{}}{id}": [("{}", None, None), (None, "id", None)],
    "{id}}}": [(None, "id", None), ("}", None, None)],
    "{two words}": [(None, "two words", None)],
    "{Ä\"'}": [(None, "Ä\"'", None)],
    "%I $1 \\ ' :{id}": [("%I $1 \\ ' :", None, None), (None, "id", None)],
    "{id}\n": [(None, "id", None), ("\n", None, None)],
    "{id}" * 100: [(None, "id", None)] * 100,
}
REFUSED = [
    "",
    "no column",
    "{{id}}",
    "{}",
    "{id",
    "id}",
    "{id}}",
    "{{id}",
    "{id:}",
    "{id:6}",
    "{id:0}",
    "{id:00}",
    "{id:0100}",
    "{id:06x}",
    "{id:-06}",
    "{id: 06}",
    "{:06}",
    "{id:06:06}",
    "{a{b}}",
    "}{id}",
    "{id}" * 101,
    "x{id}" * 50 + "x",
    "{id}" + "x" * 513,
    "é" * 257 + "{id}",
]


@pytest.mark.parametrize("pattern", ACCEPTED)
def test_a_template_is_parsed_into_its_parts(world: World, pattern: str) -> None:
    pieces = world.admin.execute(
        "SELECT literal, column_name, width FROM birth.fn_birth_template_parse(%s) ORDER BY ordinal", (pattern,)
    ).fetchall()
    assert pieces == ACCEPTED[pattern]


def test_an_invalid_template_is_refused_and_nothing_is_classified(world: World) -> None:
    world.governed("(id integer PRIMARY KEY)", mode=None, column="id")
    for template in REFUSED:
        with pytest.raises(errors.IdentityMalformed) as refusal:
            world.classify("legacy", template=template)
        assert refusal.value.sqlstate == "NB106"
    assert world.status() == "ELIGIBLE_COLUMN"


@pytest.mark.parametrize(
    ("strategy", "parts"),
    [
        ("column", {}),
        ("column", {"column": "id", "prefix": "x"}),
        ("column", {"column": "id", "template": "{id}"}),
        ("synthetic_id", {"column": "id"}),
        ("synthetic_id", {"prefix": "x"}),
        ("synthetic_id", {"column": "id", "prefix": ""}),
        ("synthetic_id", {"column": "id", "prefix": " "}),
        ("synthetic_id", {"column": "id", "prefix": "\t\n"}),
        ("synthetic_id", {"column": "id", "prefix": "x" * 513}),
        ("synthetic_id", {"column": "id", "prefix": "x", "template": "{id}"}),
        ("legacy", {}),
        ("legacy", {"template": "{id}", "column": "id"}),
        ("legacy", {"template": "{id}", "prefix": "x"}),
        ("sql", {"column": "id"}),
        (None, {"column": "id"}),
    ],
)
def test_a_strategy_takes_exactly_its_own_parts(world: World, strategy: str, parts: dict[str, str]) -> None:
    world.table("(id integer PRIMARY KEY)")
    world.register()
    with pytest.raises(errors.IdentityMalformed):
        world.classify(strategy, **parts)  # type: ignore[arg-type]
    assert world.status() == "BLOCKED_UNCLASSIFIED"


def test_literal_text_of_a_template_is_kept_verbatim(world: World) -> None:
    literals = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)

    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(literals, literals)
    def property_holds(before: str, after: str) -> None:
        template = "{id}".join(text.replace("{", "{{").replace("}", "}}") for text in (before, after))
        written = world.value(
            "SELECT string_agg(coalesce(literal, chr(1)), '' ORDER BY ordinal) FROM birth.fn_birth_template_parse(%s)",
            template,
        )
        assert written == f"{before}\x01{after}"

    property_holds()
