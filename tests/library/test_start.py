"""From an edit in sql/ to a release of the shop: it goes up and back; a refusal changes nothing and says what to do."""

import errno
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from itertools import count
from pathlib import Path

import psycopg
import pytest
from checkouts import commit, contents, edit, function, view, write
from sample import some
from support import worker

from birthdb.server import client
from pgcontract import objects
from pgcontract.commands import Setup, commands, run
from pgcontract.databases import database, downgrade, load, upgrade
from pgcontract.measure import Servers, schema_text
from pgcontract.project import SourceError
from pgcontract.render import files
from pgcontract.sources import Sources
from pgcontract.start import Started, start
from pgcontract.texts import Step

from .conftest import Shop

NAME = "next"
HEAD = "sale"

DISCOUNT = "functions/discount.sql"
PRICE = "functions/price.sql"
RESTOCK = "functions/restock.sql"
OFFER = "views/offer.sql"
PRODUCT = "tables/product.sql"


def begin(shop: Shop, name: str = NAME, message: str = "what it brings") -> Started:
    return start(shop.sources, name, message, shop.cluster, client("pg_dump"))


@pytest.fixture
def refused(started: Shop) -> Callable[..., str]:
    """Return a function that starts a release, sees it refused and nothing changed, and returns the reasons."""

    def refused(*arguments: str) -> str:
        before = contents(started.root)
        with pytest.raises(SourceError) as raised:
            begin(started, *arguments)
        assert contents(started.root) == before
        return str(raised.value)

    return refused


def goes_up_and_back(shop: Shop, before: str = HEAD, name: str = NAME) -> None:
    """Hold that a started release makes what loading makes, and that the way back restores what was there."""
    sources = shop.sources
    assert list(sources.check()) == []

    def made(url: str) -> str:
        return schema_text(sources, client("pg_dump"), url)

    older = made(shop.url)
    upgrade(sources, shop.url, name)
    released = made(shop.url)
    downgrade(sources, shop.url, before)
    assert made(shop.url) == older
    upgrade(sources, shop.url, name)
    assert made(shop.url) == released
    with database(shop.cluster, f"shop_{worker()}_loaded") as url:
        load(sources, url)
        assert made(url) == released
    # Measuring all of them again, as long as none is declared, leaves each text where it is.
    there = contents(shop.root)
    sources.keep()
    for release in sources.releases:
        sources.sum(release)
    assert contents(shop.root) == there


def lines(release: Started) -> list[str]:
    return [str(step) for step in release.steps]


# ---- what goes up and back


def test_a_changed_body_is_replaced_and_the_older_text_is_copied(started: Shop) -> None:
    older = started.sources.text("opening", DISCOUNT)
    edit(started.sources, DISCOUNT, ("  SELECT", "  -- changed\n  SELECT"))
    assert lines(begin(started)) == [DISCOUNT]
    assert (started.root / f"migrations/versions/{NAME}.py").read_text().startswith('"""what it brings"""\n')
    assert f"\n[{NAME}]  # what it brings\n" in (started.root / "sql" / "order.txt").read_text()
    goes_up_and_back(started)
    sources = started.sources
    copies = [copy.relative_to(sources.migrations).as_posix() for copy in sources.migrations.glob("objects/*/*")]
    assert sorted(copies) == [f"objects/discount/{HEAD}.sql", "objects/price/opening.sql"]
    texts = [sources.text(release, DISCOUNT) == older for release in ("opening", HEAD, NAME)]
    assert texts == [True, True, False]


@pytest.mark.long
def test_an_added_argument_replaces_the_routine_and_its_callers(started: Shop) -> None:
    edit(started.sources, DISCOUNT, ("(p_percent integer)", "(p_percent integer, p_more integer)"))
    edit(started.sources, PRICE, ("discount(10)", "discount(10, 0)"))
    release = begin(started)
    # The body of price is SQL: its older text needs the older discount, which is not there yet on the way back. The
    # view uses price.
    assert lines(release) == [f"drop {OFFER}", f"drop {PRICE}", f"drop {DISCOUNT}", DISCOUNT, PRICE, OFFER]
    assert release.why[DISCOUNT].startswith('made anew: function name "shop.discount" is not unique')
    assert release.why[PRICE].startswith("made anew: on the way back: function shop.discount(integer) does not exist")
    # PL/pgSQL bodies are not resolved by the server: whoever calls is named.
    assert [remark for remark in release.remarks if RESTOCK in remark and DISCOUNT in remark]
    goes_up_and_back(started)


@pytest.mark.long
def test_a_changed_argument_type_replaces_the_routine(started: Shop) -> None:
    write(started.sources, "functions/alone.sql", function("shop", "alone", "SELECT 1::bigint", arguments="p text[]"))
    begin(started)
    commit(started.root)
    upgrade(started.sources, started.url, NAME)
    edit(started.sources, "functions/alone.sql", ("text[]", "name[]"))
    release = begin(started, "later")
    assert lines(release) == ["drop functions/alone.sql", "functions/alone.sql"]
    assert release.why["functions/alone.sql"] in (
        "made anew: its arguments change",
        'made anew: function name "shop.alone" is not unique',
    )
    goes_up_and_back(started, before=NAME, name="later")


@pytest.mark.long
def test_a_function_can_become_a_procedure(started: Shop) -> None:
    write(
        started.sources,
        RESTOCK,
        "-- For a test.\nCREATE OR REPLACE FUNCTION shop.restock(p_name text, p_cost numeric)\n  RETURNS void\n"
        "  LANGUAGE plpgsql\nAS $restock$ BEGIN NULL; END; $restock$;\n"
        "COMMENT ON FUNCTION shop.restock(text, numeric) IS 'For a test.';\n",
    )
    release = begin(started)
    assert lines(release) == [f"drop {RESTOCK}", RESTOCK]
    assert release.why[RESTOCK] == "made anew: cannot change routine kind"
    # Back to the procedure, and to the function again.
    goes_up_and_back(started)


@pytest.mark.long
def test_a_view_with_an_added_column_is_recreated_for_the_downgrade(started: Shop) -> None:
    edit(started.sources, OFFER, ("AS price\n", "AS price, 1 AS one\n"))
    release = begin(started)
    assert release.why[OFFER] == "made anew: on the way back: cannot drop columns from view"
    assert lines(release) == [f"drop {OFFER}", OFFER]
    goes_up_and_back(started)


@pytest.mark.long
def test_a_renamed_routine_is_created_and_the_old_one_dropped(started: Shop) -> None:
    text = started.sources.file(PRICE).read_text()
    started.sources.file(PRICE).unlink()
    write(
        started.sources,
        "functions/charge.sql",
        text.replace("shop.price", "shop.charge").replace("$price$", "$charge$"),
    )
    edit(started.sources, OFFER, ("shop.price", "shop.charge"))
    release = begin(started)
    assert lines(release) == ["functions/charge.sql", OFFER, f"drop {PRICE}"]
    assert release.remarks == []
    goes_up_and_back(started)


def test_dependent_views_are_dropped_in_order_and_recreated(started: Shop) -> None:
    for path in (OFFER, PRICE):
        started.sources.file(path).unlink()
    assert lines(begin(started)) == [f"drop {OFFER}", f"drop {PRICE}"]
    goes_up_and_back(started)
    commit(started.root)
    write(started.sources, OFFER, view("shop", "offer", "SELECT 1 AS one"))
    assert [(one.kind, one.path) for one in started.sources.ahead()] == [("new", OFFER)]
    assert lines(begin(started, "later")) == [OFFER]
    goes_up_and_back(started, before=NAME, name="later")


def test_new_objects_are_created_in_dependency_order(started: Shop) -> None:
    sources = started.sources
    write(
        sources,
        "tables/zoo.sql",
        "-- For a test.\nCREATE TABLE shop.zoo (\n  animal text PRIMARY KEY,\n  -- For a test.\n"
        "  CONSTRAINT zoo_known CHECK (shop.z(animal) > 0)\n);\nCOMMENT ON TABLE shop.zoo IS 'For a test.';\n",
    )
    write(sources, "functions/z.sql", function("shop", "z", "SELECT 1::bigint", arguments="p_animal text"))
    write(sources, "views/zoos.sql", view("shop", "zoos", "SELECT animal, shop.z(animal) FROM shop.zoo"))
    write(sources, "functions/a.sql", function("shop", "a", "SELECT count(*) FROM shop.zoos"))
    write(sources, "functions/ping.sql", function("shop", "ping", "shop.pong()", "plpgsql"))
    write(sources, "functions/pong.sql", function("shop", "pong", "shop.ping()", "plpgsql"))
    release = begin(started)
    assert lines(release) == [
        *("functions/z.sql", "tables/zoo.sql", "views/zoos.sql", "functions/a.sql"),
        *("functions/ping.sql", "functions/pong.sql"),
    ]
    assert [remark.partition(":")[0] for remark in release.remarks] == ["functions/a.sql"]
    assert 'release.downgrade(evidence=("zoo",))' in (started.root / f"migrations/versions/{NAME}.py").read_text()
    goes_up_and_back(started)


def alter_product(shop: Shop) -> None:
    edit(shop.sources, PRODUCT, ("  cost  numeric NOT NULL,\n", "  cost  numeric NOT NULL,\n  note  text,\n"))
    # A new column stands last; a constraint is no column.
    up = f"release/{NAME}_product.sql"
    write(shop.sources, up, "ALTER TABLE shop.product ADD COLUMN note text;\n")
    write(shop.sources, Step(up).way_back, "ALTER TABLE shop.product DROP COLUMN note;\n")


def test_a_table_step_must_produce_the_living_table_definition(started: Shop) -> None:
    alter_product(started)
    body = "SELECT max(note) FROM shop.product"
    write(started.sources, "functions/a.sql", function("shop", "a", body, returns="text"))
    release = begin(started)
    step = Step(f"release/{NAME}_product.sql", makes=PRODUCT)
    assert 'evidence=("product.note",)' in (started.root / f"migrations/versions/{NAME}.py").read_text()
    assert release.steps == [step, Step("functions/a.sql")]
    assert release.remarks[0].startswith("functions/a.sql: nobody is granted it and no file mentions it")
    assert Step.parse(str(step)) == step
    goes_up_and_back(started)


@pytest.mark.long
@some(
    ("kind", "kept", "lost"),
    [
        ("text", "NULL", "'hot'"),
        ("text DEFAULT 'none'", "DEFAULT", "NULL"),
        ("json", "NULL", "'{}'"),
        ("timestamptz NOT NULL DEFAULT clock_timestamp()", None, "DEFAULT"),
    ],
)
def test_a_downgrade_drops_no_value_of_a_column_that_its_release_added(
    started: Shop, kind: str, kept: str | None, lost: str
) -> None:
    alter_product(started)
    for path, before in ((PRODUCT, "note  "), (f"release/{NAME}_product.sql", "note ")):
        edit(started.sources, path, (f"{before}text", f"{before}{kind}"))
    begin(started)
    upgrade(started.sources, started.url, NAME)
    # No row, no value.
    downgrade(started.sources, started.url, HEAD)
    started.rows("CALL shop.restock('tea', 2)")
    upgrade(started.sources, started.url, NAME)
    started.rows(f"UPDATE shop.product SET note = {lost}")
    with pytest.raises(psycopg.Error, match="the downgrade would drop rows or values") as refused:
        downgrade(started.sources, started.url, HEAD)
    assert refused.value.sqlstate == "PC409"
    assert refused.value.diag.message_detail == "tables with rows, or columns with values: product.note"
    if kept is not None:
        started.rows(f"UPDATE shop.product SET note = {kept}")
        downgrade(started.sources, started.url, HEAD)
        assert started.rows("SELECT name FROM shop.product") == ["tea"]


@pytest.mark.long
def test_a_release_drops_no_column_and_may_rename_one(started: Shop, refused: Callable[..., str]) -> None:
    alter_product(started)
    begin(started)
    commit(started.root)
    up, note = "release/later_product.sql", "ALTER TABLE shop.product {};\n"
    edit(started.sources, PRODUCT, ("  note  text,\n", ""))
    write(started.sources, up, note.format("DROP COLUMN note"))
    write(started.sources, Step(up).way_back, note.format("ADD COLUMN note text"))
    assert "product.note: a release destroys no values, so no column is dropped\n    leave" in refused("later")

    edit(started.sources, PRODUCT, ("numeric NOT NULL,\n", "numeric NOT NULL,\n  remark text,\n"))
    write(started.sources, up, note.format("RENAME COLUMN note TO remark"))
    write(started.sources, Step(up).way_back, note.format("RENAME COLUMN remark TO note"))
    begin(started, "later")
    assert "evidence=())" in (started.root / "migrations/versions/later.py").read_text()


@pytest.mark.long
def test_altering_a_column_recreates_dependent_views(started: Shop) -> None:
    up = f"release/{NAME}_product.sql"
    alter = "ALTER TABLE shop.product ALTER COLUMN cost TYPE {};\n"
    edit(started.sources, PRODUCT, ("cost  numeric NOT NULL", "cost  numeric(9,2) NOT NULL"))
    write(started.sources, up, alter.format("numeric(9,2)"))
    write(started.sources, Step(up).way_back, alter.format("numeric"))
    release = begin(started)
    assert release.why[OFFER].startswith("made anew: cannot alter type of a column")
    assert lines(release) == [f"drop {OFFER}", f"{up} makes {PRODUCT}", OFFER]
    goes_up_and_back(started)


@pytest.mark.long
def test_changed_grants_alone_make_a_release(started: Shop) -> None:
    last = "TO shop_reader;\nEND"
    edit(
        started.sources,
        "grants.sql",
        (last, last.replace("END", "  REVOKE SELECT ON shop.offer FROM shop_reader;\nEND")),
    )
    assert lines(begin(started)) == []
    reads = "SELECT has_table_privilege('shop_reader', 'shop.offer', 'SELECT')"
    assert started.rows(reads) == [True]
    goes_up_and_back(started)
    assert started.rows(reads) == [False]


# ---- what is refused


@pytest.mark.parametrize(
    ("name", "message", "reason"),
    [
        ("sale", "x", "sale is there already"),
        ("head", "x", "'head' names no release"),
        ("Stage 9", "x", "'Stage 9' names no release"),
        ("s" * 33, "x", "names no release"),
        (NAME, " ", "the message is to be a line of text"),
        (NAME, 'x"""', "the message is to be a line of text"),
        (NAME, "x\ny", "the message is to be a line of text"),
        (NAME, "x", "nothing is ahead of the releases"),
    ],
)
def test_a_release_needs_a_name_a_message_and_a_change(
    refused: Callable[..., str], name: str, message: str, reason: str
) -> None:
    assert reason in refused(name, message)


def test_copies_that_were_touched_are_no_ground_to_build_on(started: Shop, refused: Callable[..., str]) -> None:
    edit(started.sources, DISCOUNT, ("  SELECT", "  -- changed\n  SELECT"))
    copy = "migrations/objects/price/opening.sql"
    with (started.root / copy).open("a") as file:
        file.write("-- edited\n")
    assert f"opening: {copy} is not what its sums say" in refused()


@pytest.mark.long
def test_an_older_text_that_is_in_no_commit_is_asked_for_and_taken_as_it_is_written(
    started: Shop, refused: Callable[..., str]
) -> None:
    shutil.rmtree(started.root / ".git")
    older = started.sources.text(HEAD, DISCOUNT)
    edit(started.sources, DISCOUNT, ("  SELECT", "  -- changed\n  SELECT"))
    copy = f"migrations/objects/discount/{HEAD}.sql"
    assert refused() == f"{DISCOUNT}: the text that opening was measured with is in no commit\n    write it to {copy}"
    (started.root / copy).parent.mkdir(exist_ok=True)
    (started.root / copy).write_text(older)
    assert lines(begin(started)) == [DISCOUNT]
    sources = started.sources
    assert [sources.text(release, DISCOUNT) == older for release in (HEAD, NAME)] == [True, False]
    assert list(sources.check()) == []


def test_a_step_that_does_not_make_the_living_table_or_does_not_undo_it_is_refused(
    started: Shop, refused: Callable[..., str]
) -> None:
    alter_product(started)
    up = f"release/{NAME}_product.sql"
    edit(started.sources, up, ("note text;", "note varchar;"))
    reasons = refused()
    assert "migrating does not make what the living files say" in reasons
    assert "    -    note text" in reasons
    assert "    +    note character varying" in reasons
    edit(started.sources, up, ("note varchar;", "note text;"))
    write(started.sources, Step(up).way_back, "COMMENT ON COLUMN shop.product.note IS NULL;\n")
    assert f"the schema does not match its release; {HEAD}: table product: signature" in refused()
    (started.root / "sql" / Step(up).way_back).unlink()
    assert f"{up}: nothing undoes it\n    write sql/{Step(up).way_back}" in refused()


def test_an_error_of_the_server_in_every_order_is_reported_verbatim(started: Shop, refused: Callable[..., str]) -> None:
    write(started.sources, "views/other.sql", view("shop", "other", "SELECT nothing FROM shop.product"))
    assert 'views/other.sql, on the way up: column "nothing" does not exist' in refused()
    write(started.sources, "views/other.sql", view("shop", "other", "SELECT shop.another() AS one"))
    write(started.sources, "functions/another.sql", function("shop", "another", "SELECT count(*) FROM shop.other"))
    assert "another.sql, views/other.sql: each needs another one to be there first" in refused()


@pytest.mark.long
def test_a_routine_used_by_a_constraint_is_not_recreated(started: Shop, refused: Callable[..., str]) -> None:
    alter_product(started)
    write(started.sources, "functions/z.sql", function("shop", "z", "SELECT 1::bigint", arguments="p_note text"))
    check = "CONSTRAINT product_note CHECK (shop.z(note) > 0)"
    last = "CONSTRAINT product_cost CHECK (cost > 0)\n"
    edit(started.sources, PRODUCT, (last, f"{last[:-1]},\n  -- For a test.\n  {check}\n"))
    up = f"release/{NAME}_product.sql"
    edit(started.sources, up, ("note text;", f"note text;\nALTER TABLE shop.product ADD {check};"))
    assert lines(begin(started)) == ["functions/z.sql", f"{up} makes {PRODUCT}"]
    commit(started.root)

    write(started.sources, "functions/z.sql", function("shop", "z", "SELECT 1::bigint", arguments="p_text text"))
    reasons = refused("later")
    assert f"but constraint product_note of {PRODUCT} uses it" in reasons
    assert "leave the routine as it is and write another one" in reasons


# ---- from the command line: all files of a release, or none


def change(shop: Shop) -> None:
    """Edit what is released in any case, and needs copies, sums and manifests."""
    edit(shop.sources, DISCOUNT, ("  SELECT", "  -- changed\n  SELECT"))


def uncommented_column(shop: Shop) -> None:
    alter_product(shop)
    write(shop.sources, "views/silent.sql", view("shop", "silent", "SELECT 1 AS one").partition("COMMENT")[0])


def uncommented_routine(shop: Shop) -> None:
    text = function("shop", "silent", "SELECT 1::bigint")
    write(shop.sources, "functions/silent.sql", text.partition("COMMENT")[0])


def linted(shop: Shop) -> None:
    edit(shop.sources, OFFER, ("\n", "\n-- not nice\n"))


def unreadable_body(shop: Shop) -> None:
    edit(shop.sources, DISCOUNT, ("  SELECT", "  SELEKT"))


def unreadable_grants(shop: Shop) -> None:
    edit(shop.sources, "grants.sql", ("GRANT USAGE", "GRANTED USAGE"))


def unclosed_grants(shop: Shop) -> None:
    edit(shop.sources, "grants.sql", ("TO shop_reader;\nEND", "TO 'shop_reader;\nEND"))


def unreadable_role(shop: Shop) -> None:
    edit(shop.sources, "roles/roles.sql", ("DECLARE\n", "DECLARED\n"))


def undecodable(shop: Shop) -> None:
    shop.sources.file(DISCOUNT).write_bytes(b"-- caf\xe9\n" + shop.sources.file(DISCOUNT).read_bytes())


@pytest.fixture
def ends(started: Shop, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return a function that sends a command, sees it end with nothing changed, and returns what it says."""

    def pages(url: str) -> dict[str, str]:
        with psycopg.connect(url) as connection:
            return {"docs/objects.md": objects.text(connection, started.sources.project, "it")}

    def lint(sources: Sources) -> list[str]:
        return ["offer.sql: not nice"] if "not nice" in sources.file(OFFER).read_text() else []

    def ends(*arguments: str, servers: Servers = started.servers) -> str:
        before = contents(started.root)
        monkeypatch.setattr("sys.argv", ["it", *(arguments or ("start", NAME, "-m", "x"))])
        with pytest.raises(SystemExit) as ended:
            run(commands(Setup(lambda: started.root, servers, pages=pages, lint=lint)))
        assert contents(started.root) == before
        return str(ended.value.code)

    return ends


@some(
    ("fault", "said"),
    [
        (uncommented_column, "no COMMENT ON COLUMN product.note, VIEW silent\n    write it in the file that makes"),
        (uncommented_routine, "no COMMENT ON ROUTINE silent\n    write it in the file that makes the object"),
        (linted, "offer.sql: not nice\n    correct that; nothing is written"),
        (unreadable_body, f'{DISCOUNT}, on the way up: syntax error at or near "SELEKT"'),
        (unreadable_grants, 'next cannot be released: syntax error at or near "GRANTED"'),
        (unclosed_grants, "grants.sql: cannot be read: "),
        (unreadable_role, 'roles/roles.sql: syntax error at or near "DECLARED"'),
        (undecodable, f"{DISCOUNT}: cannot be read: 'utf-8' codec can't decode byte 0xe9"),
    ],
    most=4,
)
def test_a_fault_is_said_and_nothing_is_written(
    started: Shop, ends: Callable[..., str], fault: Callable[[Shop], None], said: str
) -> None:
    change(started)
    fault(started)
    assert said in ends()


def test_without_a_server_nothing_is_written(started: Shop, ends: Callable[..., str]) -> None:
    change(started)
    nowhere = replace(started.servers, start=lambda _: nullcontext("host=/nowhere user=x dbname=x"))
    for command in (("start", NAME, "-m", "x"), ("measure",), ("dump",)):
        assert "No such file or directory" in ends(*command, servers=nowhere)


@some("command", [("start", NAME, "-m", "x"), ("measure",), ("dump",), ("render",)])
@pytest.mark.parametrize("stop", [OSError(errno.ENOSPC, "No space left on device", "sql"), KeyboardInterrupt()])
def test_a_command_that_is_stopped_while_it_writes_leaves_the_checkout_as_it_was(
    started: Shop,
    ends: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: tuple[str, ...],
    stop: Exception,
) -> None:
    change(started)
    for file in list(dict(files(started.sources.project)))[:2]:
        file.write_text(f"{file.read_text()}-- older\n")
    move, moved = Path.replace, count()

    def stopped(file: Path, target: Path) -> Path:
        if file.suffix == ".new" and next(moved) == 1:
            raise stop
        return move(file, target)

    monkeypatch.setattr(Path, "replace", stopped)
    said = ends(*command)
    assert next(moved) == 2
    assert ("sql: No space left on device; no file was changed\n    " in said) == isinstance(stop, OSError)
    assert ("interrupted: " in capsys.readouterr().err) == (said == "130") == isinstance(stop, KeyboardInterrupt)


@pytest.mark.long
def test_measure_names_the_releases_that_it_changed(
    started: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["it", "measure"])

    def said() -> list[str]:
        with pytest.raises(SystemExit):
            run(commands(Setup(lambda: started.root, started.servers)))
        return [line for line in capsys.readouterr().err.splitlines() if line.startswith("changed")]

    assert said() == []
    edit(started.sources, PRICE, ("  SELECT", "  -- changed\n  SELECT"))
    assert said() == ["changed: sale; a database that has one of them differs from now on"]


def test_a_file_that_was_edited_while_a_release_started_is_not_overwritten(started: Shop) -> None:
    change(started)
    order = started.root / "sql" / "order.txt"
    later = f"{order.read_text()}# edited\n"

    def complete(_: Sources) -> None:
        order.write_text(later)

    with pytest.raises(SourceError, match=r"sql/order\.txt was edited meanwhile; nothing is written\n    send"):
        start(started.sources, NAME, "x", started.cluster, client("pg_dump"), complete)
    assert order.read_text() == later
    assert not (started.root / "migrations" / "versions" / f"{NAME}.py").exists()
