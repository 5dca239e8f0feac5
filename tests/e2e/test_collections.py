"""Collections as code: what a repository declares, from nothing to enforced, and back into the file."""

import gc
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sample import some
from support import Database

from birthdb import proposed, target
from birthdb.__main__ import main

Command = Callable[..., "subprocess.CompletedProcess[str]"]

#: Who decides and who acts; the owner of the tables is another, as in any application.
STEWARD, OPERATOR, REVIEWER, PERMITTER = "alice_steward", "olga_operator", "rita_reviewer", "paul_owner"
OWNER = "nora_nobody"


@pytest.fixture
def birthdb(
    db: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Command:
    """Run a command in this process, as a login, in a directory of its own."""
    monkeypatch.chdir(tmp_path)

    def run(user: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        monkeypatch.setenv(target.VARIABLE, db.url(user))
        monkeypatch.setattr(sys, "argv", ["birthdb", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        gc.enable()
        assert isinstance(ended.value.code, int)
        return subprocess.CompletedProcess(arguments, ended.value.code, *capsys.readouterr())

    return run


@pytest.fixture
def shop(db: Database) -> Database:
    """A schema of an application's own."""
    db.connect().execute(f"CREATE SCHEMA shop AUTHORIZATION {OWNER}".encode())
    return db


def made(db: Database, statements: str) -> None:
    db.connect(OWNER).execute(statements.encode())


def declare(text: str) -> None:
    Path("birthdb.toml").write_text(text, encoding="utf-8")


def granted(db: Database, birthdb: Command) -> None:
    """Send what ``grants`` prints, each part as whom it names."""
    said = birthdb(STEWARD, "collections", "grants")
    assert said.returncode == 0, said.stderr
    _, *parts = re.split("^-- as (.*)\n", said.stdout, flags=re.MULTILINE)
    assert parts[0] == OWNER
    for who, script in zip(parts[::2], parts[1::2], strict=True):
        db.connect(OWNER if who == OWNER else None).execute(script.encode())


def backfilled(birthdb: Command, planned: str) -> int:
    """Take each planned run through verdict and permit to its end; return how many."""
    runs = re.findall(r"p_run_id := '([0-9a-f-]{36})'", planned)
    for run in runs:
        for login, *arguments in (
            (REVIEWER, "review", run, "SAFE", "--findings", "counts agree"),
            (PERMITTER, "permit", run, "--reason", "adoption"),
            (OPERATOR, "apply", run),
        ):
            done = birthdb(login, *arguments)
            if arguments[0] == "permit":
                assert done.returncode == 0, done.stderr
                number = re.search(r"p_permit_id := (\d+)", done.stdout)
                assert number is not None, done.stdout
                assert birthdb(REVIEWER, "confirm", number[1]).returncode == 0
            assert done.returncode == 0, done.stdout + done.stderr
        done = birthdb(OPERATOR, "apply", run, "--execute")
        assert done.returncode == 0, done.stderr
    return len(runs)


@some("tables", [40, 150])
def test_many_tables_go_from_nothing_to_enforced_in_one_sitting(shop: Database, birthdb: Command, tables: int) -> None:
    full = 3
    made(
        shop,
        ";".join(
            f"CREATE TABLE shop.t{number:03} (id integer PRIMARY KEY, note text);"
            f"INSERT INTO shop.t{number:03} SELECT i FROM generate_series(1, {7 if number < full else 0}) i"
            for number in range(tables)
        ),
    )
    assert birthdb(STEWARD, "collections", "init", "--schema", "shop", "-o", "birthdb.toml").returncode == 0
    sent = 1
    first = birthdb(STEWARD, "collections", "apply")
    assert first.returncode == 1
    assert f"{tables} declared: 0 are so, {tables} are not; {2 * tables} sent" in first.stdout
    assert first.stdout.count("NB115") == tables
    granted(shop, birthdb)
    second = birthdb(STEWARD, "collections", "apply")
    assert f"{tables} declared: {tables - full} are so, {full} are not; {2 * tables - full} sent" in second.stdout
    planned = birthdb(OPERATOR, "collections", "apply")
    assert (planned.returncode, backfilled(birthdb, planned.stdout)) == (1, full), planned.stdout
    last = birthdb(STEWARD, "collections", "apply")
    assert (last.returncode, last.stderr.count("Traceback")) == (0, 0), last.stdout
    sent += 6 + 5 * full
    assert sent == 22, "statements that people sent, however many tables there are, of which three had rows"
    same = birthdb(STEWARD, "collections", "diff")
    assert (same.returncode, same.stdout.splitlines()[-1]) == (0, f"{tables} declared: none to differ")
    counted = shop.connect().execute(
        "SELECT count(*), count(*) FILTER (WHERE r.gateway_mode = 'enforce') FROM birth.collection_registry r"
    )
    assert counted.fetchone() == (tables, tables)
    assert shop.connect().execute("SELECT count(*) FROM birth.birth_registry").fetchone() == (7 * full,)
    # Everyone's next insert is born.
    made(shop, f"INSERT INTO shop.t{tables - 1:03} VALUES (1, 'new')")
    assert shop.connect().execute("SELECT count(*) FROM birth.birth_registry").fetchone() == (7 * full + 1,)


def test_what_init_writes_is_what_apply_makes_and_export_returns(shop: Database, birthdb: Command) -> None:
    made(
        shop,
        "CREATE TABLE shop.customer (email text PRIMARY KEY);"
        'CREATE TABLE shop."odd ""name"".x" (id bigint PRIMARY KEY);'
        "CREATE TABLE shop.line (tenant integer, no integer, PRIMARY KEY (tenant, no));"
        "CREATE TABLE shop.log (said text);"
        "CREATE TABLE shop.visit (id integer, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day)",
    )
    written = birthdb(STEWARD, "collections", "init", "--schema", "shop")
    assert written.returncode == 0
    assert 'code = "{email}"' in written.stdout
    assert 'code = "line-{tenant}/{no}"' in written.stdout
    assert "# shop.log: no unique, immediate, complete index over columns" in written.stdout
    declare(written.stdout)
    birthdb(STEWARD, "collections", "apply")
    granted(shop, birthdb)
    assert birthdb(STEWARD, "collections", "apply").returncode == 0
    exported = birthdb(STEWARD, "collections", "export").stdout
    declare(exported)
    assert birthdb(STEWARD, "collections", "diff").returncode == 0
    body = [line for line in written.stdout.splitlines() if line and not line.startswith("#")]
    assert sorted(line.split("  #")[0].split(" # ")[0] for line in body) == sorted(
        line for line in exported.splitlines() if line and not line.startswith("#")
    )


def test_names_of_every_kind_are_written_and_read_again(shop: Database, birthdb: Command) -> None:
    long = "x" * 63
    for schema in ("app1", "app2"):
        shop.connect().execute(f"CREATE SCHEMA {schema} AUTHORIZATION {OWNER}".encode())
    keyed = ("app1.shop_customer", "app2.customer", "shop.customer", f"app1.{long}", f"shop.{long}", 'shop."a{b:"')
    made(shop, ";".join(f"CREATE TABLE {name} (id integer PRIMARY KEY)" for name in keyed))
    made(
        shop,
        """CREATE TABLE shop."x\n[collections.evil]\ntable = 'shop.y'" (said text);
           CREATE TABLE shop.line ("a\nb" integer PRIMARY KEY);
           CREATE TABLE shop.brace ("i}d{:x" integer PRIMARY KEY)""",
    )
    written = birthdb(STEWARD, "collections", "init")
    assert written.returncode == 0, written.stderr
    declare(written.stdout)
    compared = birthdb(STEWARD, "collections", "diff").stdout
    assert "8 declared: 8 to differ" in compared
    assert "evil:" not in compared
    assert "shop_customer_2: collection: declared shop.customer" in compared
    said = birthdb(STEWARD, "collections", "apply").stdout
    assert said.count("refused: NB115") == 8, said


def test_a_gateway_on_another_table_or_disabled_is_a_difference(shop: Database, birthdb: Command) -> None:
    made(shop, "CREATE TABLE shop.a (id integer PRIMARY KEY); CREATE TABLE shop.b (id integer PRIMARY KEY)")
    declare(birthdb(STEWARD, "collections", "init", "--schema", "shop").stdout)
    birthdb(STEWARD, "collections", "apply")
    granted(shop, birthdb)
    assert birthdb(STEWARD, "collections", "apply").returncode == 0
    made(shop, "ALTER TABLE shop.a RENAME TO c; ALTER TABLE shop.b DISABLE TRIGGER birth_gateway")
    assert birthdb(STEWARD, "collections", "diff").stdout.splitlines() == [
        "a: gateway: declared yes, found no",
        "b: gateway: declared yes, found no",
        "2 declared: 2 to differ",
    ]
    said = birthdb(STEWARD, "collections", "apply").stdout
    assert "a: refused: NB114" in said
    assert "next: ALTER TABLE shop.b ENABLE TRIGGER birth_gateway;  -- its owner" in said


def test_a_difference_is_named_both_ways_and_fails(shop: Database, birthdb: Command) -> None:
    made(shop, "CREATE TABLE shop.a (id integer PRIMARY KEY); CREATE TABLE shop.b (id integer PRIMARY KEY)")
    admin = shop.connect("alice_steward")
    admin.execute("SELECT birth.fn_birth_collection_register('b', 'shop', 'b', 'BIRTH_EXEMPT_TEST')")
    admin.execute("SELECT birth.fn_birth_gate_scope('shop', 'observe', 'a drill')")
    declare('[collections.c]\ntable = "shop.c"\ncode = "{id}"\n')
    said = birthdb(STEWARD, "collections", "diff")
    assert said.returncode == 1
    assert said.stdout.splitlines()[:3] == [
        "c: collection: declared shop.c, found nothing",
        "b: collection: not declared, found shop.b",
        "shop.a: table: not declared, found in a schema under the gate",
    ]
    # Ignored with a reason, it is no difference, where the gate only observes.
    b = '[collections.b]\ntable = "shop.b"\npolicy = "BIRTH_EXEMPT_TEST"\ngoverned = false\n'
    declare(b + '[ignored]\n"shop.a" = "scratch"\n')
    assert birthdb(STEWARD, "collections", "diff").returncode == 0


def test_where_the_gate_enforces_another_steward_admits(shop: Database, birthdb: Command) -> None:
    made(shop, "CREATE TABLE shop.a (id integer PRIMARY KEY); CREATE TABLE shop.log (said text)")
    exempt = '[collections.log]\ntable = "shop.log"\npolicy = "BIRTH_EXEMPT_LOG"\ngoverned = false\n'
    declare('[collections.a]\ntable = "shop.a"\ncode = "a-{id}"\n' + exempt)
    birthdb(STEWARD, "collections", "apply")
    shop.connect(STEWARD).execute("SELECT birth.fn_birth_gate_scope('shop', 'enforce', 'from now on')")
    granted(shop, birthdb)
    said = birthdb(STEWARD, "collections", "apply")
    assert (said.returncode, said.stdout.count("fn_birth_gate_admit")) == (1, 0)
    assert said.stdout.count("refused: NB") == 2
    assert "a: admitted: declared yes, found no" in birthdb(STEWARD, "collections", "diff").stdout
    sent = birthdb("stella_steward", "collections", "apply", "--reason", "seen")
    assert sent.returncode == 0
    assert "fn_birth_gate_admit(p_collection := 'a', p_reason := 'seen');" in sent.stdout
    assert birthdb(STEWARD, "collections", "diff").returncode == 0
    assert birthdb(STEWARD, "gate").returncode == 0


def test_a_policy_is_asked_for_and_not_changed(shop: Database, birthdb: Command) -> None:
    made(shop, "CREATE TABLE shop.a (id integer PRIMARY KEY)")
    declare('[collections.a]\ntable = "shop.a"\ncode = "a-{id}"\npolicy = "BIRTH_DEFERRED_NEEDS_REVIEW"\n')
    birthdb(STEWARD, "collections", "apply")
    granted(shop, birthdb)
    assert birthdb(STEWARD, "collections", "apply").returncode == 0
    declare('[collections.a]\ntable = "shop.a"\ncode = "a-{id}"\n')
    asked = birthdb(STEWARD, "collections", "apply")
    assert asked.returncode == 1
    assert "a: waits: for a member of birth_operator" in asked.stdout
    assert "fn_dot_birth_qt005_plan" in asked.stdout
    planned = birthdb(OPERATOR, "collections", "apply")
    assert "a: waits: a run is open (TRANSITION)" in planned.stdout
    assert backfilled(birthdb, planned.stdout) == 1
    assert birthdb(STEWARD, "collections", "diff").returncode == 0


def test_a_refusal_keeps_nothing_else_from_going_on(shop: Database, birthdb: Command) -> None:
    made(shop, "CREATE TABLE shop.a (id integer PRIMARY KEY); CREATE TABLE shop.log (said text)")
    made(shop, "GRANT USAGE ON SCHEMA shop TO birth_definer; GRANT TRIGGER ON shop.a TO birth_definer")
    declare(
        '[collections.log]\ntable = "shop.log"\ncode = "{said}"\n\n[collections.a]\ntable = "shop.a"\ncode = "a-{id}"\n'
    )
    said = birthdb(STEWARD, "collections", "apply")
    assert said.returncode == 1
    assert "log: refused: NB105" in said.stdout
    assert "a: as declared" in said.stdout


def test_life_and_modes_follow_the_file_both_ways(shop: Database, birthdb: Command) -> None:
    made(shop, "CREATE TABLE shop.a (id integer PRIMARY KEY, state text)")
    base = '[collections.a]\ntable = "shop.a"\ncode = "a-{id}"\n'
    declare(base + 'mode = "enforce"\nlife = "enforce"\nlife_column = "state"\nlife_dead = ["closed"]\n')
    birthdb(STEWARD, "collections", "apply")
    granted(shop, birthdb)
    assert birthdb(STEWARD, "collections", "apply").returncode == 0
    assert birthdb(STEWARD, "collections", "diff").returncode == 0
    # A switch without its fence holds for nobody.
    fences = shop.connect().execute("SELECT count(*) FROM birth.birth_act WHERE act = 'fence'").fetchone()
    assert fences != (0,)
    declare(base + 'life = "observe"\nlife_column = "state"\nlife_dead = ["closed", "merged"]\n')
    again = ("collections", "apply", "--reason", "the import is repeated")
    changed = birthdb(STEWARD, *again)
    # A trigger is its owner's to drop.
    dropped = re.search("next: (DROP TRIGGER .*)", changed.stdout)
    assert (changed.returncode, dropped is not None) == (1, True), changed.stdout
    made(shop, dropped[1] if dropped else "")
    changed = birthdb(STEWARD, *again)
    assert changed.returncode == 0, changed.stdout
    found = shop.connect().execute("SELECT gateway_mode, life_mode, life_dead FROM birth.collection_registry")
    assert found.fetchone() == ("observe", "observe", ["closed", "merged"])


def test_what_no_backfill_mends_is_named_and_life_observes_until_the_census_passes(
    shop: Database, birthdb: Command
) -> None:
    made(shop, "CREATE TABLE shop.a (id integer PRIMARY KEY, state text); INSERT INTO shop.a VALUES (1, 'closed')")
    made(shop, "CREATE TABLE shop.b (id integer PRIMARY KEY)")
    a = '[collections.a]\ntable = "shop.a"\ncode = "a-{id}"\nmode = "enforce"\n'
    b = '[collections.b]\ntable = "shop.b"\ncode = "b-{id}"\n'
    declare(a + 'life = "enforce"\nlife_column = "state"\nlife_dead = ["closed"]\n' + b)
    assert "2 are not registered yet" in birthdb(STEWARD, "collections", "grants").stderr
    birthdb(STEWARD, "collections", "apply")
    granted(shop, birthdb)
    birthdb(STEWARD, "collections", "apply")
    assert shop.connect().execute(
        "SELECT life_mode FROM birth.collection_registry WHERE collection_name = 'a'"
    ).fetchone() == ("observe",)
    made(shop, "INSERT INTO shop.b VALUES (1); DELETE FROM shop.b")
    declare(Path("birthdb.toml").read_text(encoding="utf-8") + 'mode = "enforce"\n')
    said = birthdb(OPERATOR, "collections", "apply").stdout
    assert "a: waits: a run is open (APPLY)" in said
    assert "b: waits: the census fails: births without a row or a death" in said
    assert backfilled(birthdb, said) == 1
    # The row that had ended was born, and has no death yet.
    ended = birthdb(OPERATOR, "collections", "apply").stdout
    assert "a: done: SELECT * FROM birth.fn_dot_birth_qt006_plan" in ended
    assert "a: waits: a run is open (DEATH)" in ended


def test_grants_name_each_schema_once_and_come_as_json(shop: Database, birthdb: Command) -> None:
    made(shop, "CREATE TABLE shop.a (id integer PRIMARY KEY); CREATE TABLE shop.b (id integer PRIMARY KEY)")
    seen: list[tuple[int, int]] = []
    with shop.connect(STEWARD) as conn:
        declare(proposed.document(conn, ["shop"], propose=True, each=lambda number, of: seen.append((number, of))))
    assert seen == [(1, 2), (2, 2)]
    refused = birthdb(STEWARD, "collections", "apply")
    assert refused.stdout.count("of all declared tables: birthdb collections grants") == 2
    # Progress is for a terminal.
    assert [said for said in refused.stderr.splitlines() if not said.startswith("database ")] == []
    _, *statements = birthdb(STEWARD, "collections", "grants").stdout.splitlines()
    assert len(statements) == len(set(statements)) == 6
    said = json.loads(birthdb(STEWARD, "collections", "grants", "--json").stdout)
    assert said == {"grants": {OWNER: statements}, "unregistered": []}
    granted(shop, birthdb)
    assert json.loads(birthdb(STEWARD, "collections", "grants", "--json").stdout)["grants"] == {}


def test_a_printed_statement_with_a_name_that_does_not_print_works_when_it_is_pasted(
    shop: Database, birthdb: Command
) -> None:
    name = "a\\\x1b[1m\u202eb\U000e0001"
    made(shop, f'CREATE TABLE shop."{name}" (id integer PRIMARY KEY); INSERT INTO shop."{name}" VALUES (1)')
    with shop.connect(STEWARD) as conn:
        declare(proposed.document(conn, ["shop"], propose=True))
    birthdb(STEWARD, "collections", "apply")
    granted(shop, birthdb)
    said = birthdb(STEWARD, "collections", "apply").stdout
    assert all(part.isprintable() for part in said.splitlines())
    (pasted,) = re.findall("next: (SELECT .* FROM birth.fn_dot_birth_qt001_plan.*)", said)
    shop.connect(OPERATOR).execute(pasted.encode())
    found = shop.connect().execute("SELECT collection_name FROM birth.birth_backfill_ledger_v2")
    assert found.fetchall() == [(name,)]


def test_a_release_that_lacks_a_column_is_named(shop: Database, birthdb: Command) -> None:
    shop.connect().execute("ALTER TABLE birth.collection_registry RENAME COLUMN life_column TO later")
    said = birthdb(STEWARD, "collections", "export")
    assert (said.returncode, "lacks it: column r.life_column does not exist" in said.stderr) == (1, True), said.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[collections.a]\n", "[collections.a]: table is missing"),
        ('[collections.a]\ntable = "a"\n', "[collections.a] a: a table is named with its schema"),
        ('[collections.a]\ntable = "s.a"\nkode = 1\n', "[collections.a]: unknown: kode; known: table, policy"),
        ('[collections.a]\ntable = "s.a"\nmode = "of"\n', "[collections.a] mode: one of observe, enforce is wanted"),
        ('[collections.a]\ntable = "s.a"\ngoverned = 1\n', "[collections.a] governed: a boolean is wanted"),
        ('[collections.a]\ntable = "s.a"\nlife_dead = "x"\n', "[collections.a] life_dead: a list of texts is wanted"),
        ('[collections.a]\ntable = "s.a"\ncode = 1\n', "[collections.a] code: write a template"),
        ('[collections.a]\ntable = "s.a"\n[collections.b]\ntable = "s.a"\n', "[collections.b]: a has the same table"),
        ('[collections.a]\ntable = "s.a"\n[ignored]\n"s.a" = "x"\n', "[collections.a]: [ignored] has the same table"),
        ('[ignored]\n"s.a" = ""\n', "[ignored] s.a: say why"),
        ("[default]\n", "unknown: default; known: defaults, collections, ignored"),
        ("collections = 1\n", "collections is no table: write [collections]"),
        ("x", "Expected '=' after a key"),
        ("\ufeff[collections.a]\r\n", "[collections.a]: table is missing"),
    ],
)
def test_a_file_that_declares_nothing_names_the_place(birthdb: Command, text: str, said: str) -> None:
    declare(text)
    done = birthdb(STEWARD, "collections", "diff", "--json")
    assert done.returncode == 2
    assert said in done.stderr.replace("\\n", " ").replace('\\"', '"')
