"""The linters find nothing in the releases, and find what is planted."""

import re
from pathlib import Path

import pytest

from birthdb import paths
from birthdb.release import lint
from pgcontract.sources import Sources

needs_pgspot = pytest.mark.skipif(
    not lint.pgspot_program().is_file(), reason="pgspot is in an environment of its own: make lint"
)

SOURCES = Sources(paths.ROOT)
PINNED = "  SET search_path = pg_catalog, pg_temp\n"


@needs_pgspot
def test_pgspot_reports_only_the_listed_exceptions() -> None:
    assert lint.pgspot(lint.script(SOURCES)) == []


@needs_pgspot
@pytest.mark.parametrize(
    ("routine", "codes"),
    [
        # A definer's routine; one of its caller's, whose operators then are anybody's; its calls too.
        ("fn_birth_gateway_attach", {"PS003"}),
        ("fn_birth_run_finish", {"PS001", "PS005", "PS016"}),
    ],
)
def test_pgspot_reports_a_routine_without_a_pinned_search_path(routine: str, codes: set[str]) -> None:
    text = lint.script(SOURCES)
    start = text.index(f"CREATE OR REPLACE FUNCTION birth.{routine}(")
    planted = text[:start] + text[start:].replace(PINNED, "", 1)
    assert codes <= {line.partition(":")[0] for line in lint.pgspot(planted)}


@needs_pgspot
def test_pgspot_reports_a_statement_before_the_search_path_is_pinned() -> None:
    text = lint.script(SOURCES).replace("pg_catalog.set_config(", "set_config(", 1)
    assert [line.partition(":")[0] for line in lint.pgspot(text)] == ["PS016"]


@needs_pgspot
def test_text_that_pgspot_cannot_parse_is_a_finding() -> None:
    assert lint.pgspot(lint.script(SOURCES) + "\nCREATE FUNCTION;") != []


@needs_pgspot
def test_an_exception_that_is_no_longer_needed_is_a_finding() -> None:
    assert lint.pgspot("SELECT 1;") == [
        f"{code} {what}: excepted, and not found" for code, what, _ in lint.PGSPOT_EXCEPTIONS
    ]


def test_squawk_reports_only_the_listed_exceptions() -> None:
    assert {name: lint.squawk(text, name=name) for name, text in lint.upgrades(SOURCES)} == {
        name: [] for name in SOURCES.releases
    }


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        (
            "ALTER TABLE birth.birth_registry ADD CONSTRAINT c CHECK (born_at > 'epoch');",
            "constraint-missing-not-valid",
        ),
        ("CREATE INDEX birth_registry_born ON birth.birth_registry (born_at);", "require-concurrent-index-creation"),
        ("ALTER TABLE birth.birth_registry ALTER dot_origin TYPE varchar(9);", "changing-column-type"),
        ("DROP TABLE birth.birth_act;", "ban-drop-table"),
    ],
)
def test_squawk_reports_locks_scans_and_drops_in_a_later_release(statement: str, rule: str) -> None:
    scripts = dict(lint.upgrades(SOURCES))
    name = SOURCES.head
    found = lint.squawk(scripts[name].replace("\nCOMMIT;", f"\n{statement}\nCOMMIT;", 1), name=name)
    assert any(f" {rule} " in f"{line} " for line in found), found


def test_every_release_sets_a_lock_timeout() -> None:
    scripts = dict(lint.upgrades(SOURCES))
    text = re.sub(r"^SET (LOCAL )?lock_timeout.*$", "", scripts[SOURCES.head], flags=re.MULTILINE)
    assert any("require-lock-timeout" in line for line in lint.squawk(text))


def test_sql_and_pages_end_at_120_columns_and_links_lead_to_files() -> None:
    assert lint.too_long(paths.ROOT, [*lint.pages(paths.ROOT), *lint.statements(paths.ROOT)]) == []
    assert lint.broken_links(paths.ROOT, lint.pages(paths.ROOT)) == []


def test_a_long_line_and_a_broken_link_are_found_but_not_a_row_of_a_table(tmp_path: Path) -> None:
    page = Path("page.md")
    row = f"| {'x' * lint.WIDTH} |"
    (tmp_path / page).write_text(f"{row}\n{'x' * lint.WIDTH}\n{'x' * lint.WIDTH}y\n[a](no.md#x) [b](page.md) [c](#x)\n")
    assert list(lint.pages(tmp_path)) == [page]
    assert lint.too_long(tmp_path, [page]) == ["page.md:3: 121 columns, 120 at most"]
    assert lint.broken_links(tmp_path, [page]) == ["page.md: no no.md"]
