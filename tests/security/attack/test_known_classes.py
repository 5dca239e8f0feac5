"""The attacks on SECURITY DEFINER code and on installation scripts that PostgreSQL's own advisories are about.

CVE-2018-1058: objects that anybody may put into a schema of the search path. tests/security/test_search_path.py has it
for everything that is called; here it is what somebody put into ``public``.
CVE-2020-14350: an installation script that meets objects which an attacker put in its way.
CVE-2022-1552: maintenance, and whatever else reads a table, that runs its owner's code with somebody else's rights.
CVE-2023-39417: a name that ends the quotes which a script put around it.
"""

import subprocess
from collections.abc import Iterator
from io import StringIO

import psycopg
import pytest
from alembic import command
from psycopg.sql import SQL, Identifier
from sample import some
from security.attack.spy import ran_as, spied
from sqlalchemy import create_engine, text
from support import RELEASER, Cluster, Database, alembic_config, downgrade, upgrade, worker
from world import World

from birthdb import api, errors, target
from birthdb.audit import evidence
from birthdb.audit import verify as verification
from birthdb.server import client

ATTACKER = "nora_nobody"


# --- CVE-2018-1058


def test_overloads_in_public_that_match_better_are_never_called(world: World) -> None:
    """What PostgreSQL prefers to its own functions are those that need no conversion of an argument."""
    world.admin.execute(f"GRANT CREATE ON SCHEMA public TO {ATTACKER}".encode())
    world.owner.execute(
        """
        CREATE TABLE public.called (who text);
        GRANT INSERT ON public.called TO PUBLIC;
        CREATE FUNCTION public.ambush() RETURNS boolean LANGUAGE plpgsql AS
          $$BEGIN INSERT INTO public.called VALUES (current_user); RETURN true; END$$;
        """
    )
    matches = {
        "format": "(text, varchar) RETURNS text",
        "btrim": "(varchar, text) RETURNS text",
        "lower": "(varchar) RETURNS text",
        "octet_length": "(varchar) RETURNS integer",
        "starts_with": "(varchar, text) RETURNS boolean",
        "array_position": "(text[], varchar) RETURNS integer",
        "hashtextextended": "(text, integer) RETURNS bigint",
    }
    for name, signature in matches.items():
        result = "NULL" if "text" in signature.partition("RETURNS")[2] else "0"
        result = "true" if signature.endswith("boolean") else result
        world.owner.execute(
            f"CREATE FUNCTION public.{name}{signature} LANGUAGE plpgsql AS"
            f" $$BEGIN PERFORM public.ambush(); RETURN {result}; END$$".encode()
        )
    for symbol, types in {"=": ("name", "varchar"), "||": ("text", "varchar"), "<>": ("varchar", "text")}.items():
        world.owner.execute(
            f"CREATE FUNCTION public.op({', '.join(types)}) RETURNS boolean LANGUAGE plpgsql AS"
            " $$BEGIN RETURN public.ambush(); END$$".encode()
        )
        world.owner.execute(
            f"CREATE OPERATOR public.{symbol}"
            f" (LEFTARG = {types[0]}, RIGHTARG = {types[1]}, FUNCTION = public.op)".encode()
        )
    assert world.operator.execute("SELECT lower('A'::varchar)").fetchone() == (None,)
    world.owner.execute("DELETE FROM public.called")
    world.governed("(code varchar PRIMARY KEY)", mode="enforce")
    world.insert(["a"])
    world.owner.execute("INSERT INTO app.thing VALUES ('b'), ('c')")
    world.admin.execute("DELETE FROM birth.birth_registry WHERE entity_code <> 'a'")
    world.backfill(batch=1)
    assert world.births() == ["a", "b", "c"]
    assert world.failed_checks() == {}
    assert world.value("SELECT count(*) FROM public.called") == 0


# --- CVE-2020-14350


@pytest.fixture
def taken(empty_db: Database) -> Database:
    """A database that an attacker, who may create schemas, got to before its DBA."""
    empty_db.cluster.execute(
        SQL("GRANT CREATE ON DATABASE {} TO {}").format(Identifier(empty_db.name), Identifier(ATTACKER))
    )
    empty_db.connect().execute(f"GRANT CREATE ON SCHEMA public TO {ATTACKER}".encode())
    return empty_db


AMBUSH = """
CREATE TABLE {schema}.ran (who text);
GRANT INSERT ON {schema}.ran TO PUBLIC;
CREATE FUNCTION {schema}.equal(name, varchar) RETURNS boolean LANGUAGE plpgsql AS
  $$BEGIN INSERT INTO {schema}.ran VALUES (current_user); RETURN $1::text = $2::text; END$$;
CREATE OPERATOR {schema}.= (LEFTARG = name, RIGHTARG = varchar, FUNCTION = {schema}.equal);
CREATE FUNCTION {schema}.equal(name, name) RETURNS boolean LANGUAGE plpgsql AS
  $$BEGIN INSERT INTO {schema}.ran VALUES (current_user); RETURN $1::text OPERATOR(pg_catalog.=) $2::text; END$$;
CREATE OPERATOR {schema}.= (LEFTARG = name, RIGHTARG = name, FUNCTION = {schema}.equal);
CREATE FUNCTION {schema}.equal(oid, oid) RETURNS boolean LANGUAGE plpgsql AS
  $$BEGIN INSERT INTO {schema}.ran VALUES (current_user); RETURN $1::text OPERATOR(pg_catalog.=) $2::text; END$$;
CREATE OPERATOR {schema}.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = {schema}.equal);
CREATE FUNCTION {schema}.format(text) RETURNS text LANGUAGE plpgsql AS
  $$BEGIN INSERT INTO {schema}.ran VALUES (current_user); RETURN $1; END$$;
CREATE FUNCTION {schema}.current_setting(text) RETURNS text LANGUAGE plpgsql AS
  $$BEGIN INSERT INTO {schema}.ran VALUES (current_user); RETURN pg_catalog.current_setting($1); END$$;
CREATE FUNCTION {schema}.to_regrole(text) RETURNS regrole LANGUAGE plpgsql AS
  $$BEGIN INSERT INTO {schema}.ran VALUES (current_user); RETURN pg_catalog.to_regrole($1); END$$;
CREATE DOMAIN {schema}.text AS pg_catalog.text;
CREATE DOMAIN {schema}.jsonb AS pg_catalog.jsonb;
"""


@some("releaser", [RELEASER, None], ids=["a login", "a superuser"])
@some("schema", ["ambush", "public"])
def test_a_release_calls_no_routine_planted_earlier_in_the_search_path(
    taken: Database, schema: str, releaser: str | None
) -> None:
    """First in the path that the database's owner has set, or only better matching and in ``public``."""
    if schema == "ambush":
        taken.connect(ATTACKER).execute("CREATE SCHEMA ambush; GRANT USAGE ON SCHEMA ambush TO PUBLIC")
        taken.cluster.execute(
            SQL("ALTER DATABASE {} SET search_path = ambush, pg_catalog").format(Identifier(taken.name))
        )
    taken.connect(ATTACKER).execute(AMBUSH.format(schema=schema).encode())
    upgrade(taken.url(releaser))
    taken.cluster.enrol()
    dba = taken.connect("dora_dba")
    assert verification.verify(dba).fine
    assert evidence.export_all(dba)["sha256"]
    assert target.release(dba)
    admin = taken.connect()
    assert admin.execute(f"SELECT DISTINCT r.who FROM {schema}.ran r".encode()).fetchall() == []
    admin.execute("SET search_path = pg_catalog")
    assert admin.execute("SELECT version_num FROM birth.alembic_version").fetchall() != []
    strangers = admin.execute(
        "SELECT t.typnamespace::regnamespace::text, a.attrelid::regclass FROM pg_attribute a"
        " JOIN pg_type t ON t.oid = a.atttypid JOIN pg_class c ON c.oid = a.attrelid"
        " WHERE c.relnamespace = 'birth'::regnamespace AND t.typnamespace::regnamespace::text = %s",
        (schema,),
    ).fetchall()
    assert strangers == []


@some("way", ["a connection that is handed over", "a script"])
def test_no_release_method_uses_the_search_path_of_the_database(taken: Database, way: str) -> None:
    """Alembic asks and writes its own table in between, and an open connection comes with any path."""
    admin = taken.connect()
    admin.execute(
        f"CREATE SCHEMA ambush; GRANT USAGE ON SCHEMA ambush TO PUBLIC; {AMBUSH.format(schema='ambush')}".encode()
    )
    admin.execute(
        """
        CREATE FUNCTION ambush.equal(varchar, varchar) RETURNS boolean LANGUAGE plpgsql AS
          $$BEGIN INSERT INTO ambush.ran VALUES (current_user); RETURN $1::text OPERATOR(pg_catalog.=) $2::text; END$$;
        CREATE OPERATOR ambush.= (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = ambush.equal);
        """
    )
    admin.execute(SQL("ALTER DATABASE {} SET search_path = ambush, pg_catalog").format(Identifier(taken.name)))
    if way == "a script":
        written = StringIO()
        config = alembic_config(taken.url())
        config.output_buffer = written
        command.upgrade(config, "base:head", sql=True)
        sent = subprocess.run(
            [client("psql"), "-qX", "-d", taken.url()],
            input=written.getvalue(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert (sent.returncode, sent.stderr) == (0, "")
    else:
        engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(taken.url()))
        with engine.connect() as connection:
            # What the caller's engine asks at its first use is the caller's.
            connection.execute(text("SELECT 1"))
            connection.commit()
            admin.execute("DELETE FROM ambush.ran")
            config = alembic_config("")
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            assert connection.execute(text("SHOW search_path")).scalar_one() == "ambush, pg_catalog"
        engine.dispose()
    assert admin.execute("SELECT r.who FROM ambush.ran r").fetchall() == []
    assert admin.execute("SELECT version_num FROM birth.alembic_version").fetchall() != []


@pytest.mark.parametrize(
    "way",
    [
        "CREATE SCHEMA birth",
        "CREATE SCHEMA birth; CREATE TABLE birth.birth_registry (entity_code text)",
        "CREATE SCHEMA birth; CREATE FUNCTION birth.fn_birth_raise(text, text) RETURNS void LANGUAGE sql AS ''",
    ],
)
def test_a_release_does_not_use_a_schema_owned_by_an_attacker(taken: Database, way: str) -> None:
    taken.connect(ATTACKER).execute(way.encode())
    with pytest.raises(psycopg.Error) as refusal:
        upgrade(taken.url(RELEASER))
    assert refusal.value.sqlstate == errors.ReleasePrivilege.sqlstate
    # Nor where somebody believed that handing it over were enough.
    taken.connect().execute("ALTER SCHEMA birth OWNER TO birth_definer")
    if way == "CREATE SCHEMA birth":
        upgrade(taken.url(RELEASER))
        return
    with pytest.raises(psycopg.Error) as refusal:
        upgrade(taken.url(RELEASER))
    assert refusal.value.sqlstate in {errors.ContractDrift.sqlstate, "42P07", "42501", "42725"}
    assert taken.connect().execute("SELECT to_regclass('birth.birth_act')").fetchone() == (None,)


# --- CVE-2022-1552


def test_partition_key_code_never_runs_with_rights_of_birthdb(world: World) -> None:
    """PostgreSQL evaluates what is constant in a partition key's expressions whenever it opens the parent."""
    spied(world).table("(code text NOT NULL) PARTITION BY LIST ((code || app.quiet('key')))", "root")
    world.table("PARTITION OF app.root DEFAULT", "thing")
    world.owner.execute("CREATE UNIQUE INDEX ON app.thing (code)")
    world.owner.execute("INSERT INTO app.root VALUES ('a'), ('b'); DELETE FROM app.ran")
    world.operator.execute("SET constraint_exclusion = on; SET enable_partition_pruning = on")
    world.register()
    world.classify("column", column="code")
    if world.status().startswith("ELIGIBLE"):
        world.attach()
        world.backfill()
        assert world.births() == ["a", "b"]
    assert ran_as(world) <= {ATTACKER}


CODE_OF_THE_OWNER = {
    "a default": "ALTER TABLE app.thing ADD made text DEFAULT app.spy('default')",
    "a stored column": "ALTER TABLE app.thing ADD made text GENERATED ALWAYS AS (app.quiet('stored')) STORED",
    "a domain": "CREATE DOMAIN app.checked AS text CHECK (app.spy('domain') <> VALUE);"
    " ALTER TABLE app.thing ADD made app.checked",
    "a trigger": "CREATE FUNCTION app.fired() RETURNS trigger LANGUAGE plpgsql AS"
    " 'BEGIN PERFORM app.spy(''trigger''); RETURN NEW; END';"
    " CREATE TRIGGER z BEFORE INSERT OR UPDATE ON app.thing FOR EACH ROW EXECUTE FUNCTION app.fired();"
    " CREATE CONSTRAINT TRIGGER zz AFTER INSERT ON app.thing DEFERRABLE INITIALLY DEFERRED"
    " FOR EACH ROW EXECUTE FUNCTION app.fired()",
    "a rule": "CREATE RULE r AS ON INSERT TO app.thing DO ALSO SELECT app.spy('rule')",
    "a child": "CREATE TABLE app.child (made text CHECK (app.quiet('child') <> made)) INHERITS (app.thing)",
    "a policy": "ALTER TABLE app.thing ENABLE ROW LEVEL SECURITY;"
    " CREATE POLICY p ON app.thing USING (app.spy('policy') <> code); ALTER TABLE app.thing FORCE ROW LEVEL SECURITY",
    "an exclusion": "ALTER TABLE app.thing ADD EXCLUDE USING btree ((app.quiet('exclusion') || code) WITH =)",
}


@pytest.mark.parametrize("way", CODE_OF_THE_OWNER)
def test_code_of_the_table_owner_never_runs_with_rights_of_birthdb(world: World, way: str) -> None:
    spied(world).governed("(code text PRIMARY KEY)", mode="observe")
    world.insert(["a", "b"])
    world.admin.execute("DELETE FROM birth.birth_registry")
    world.owner.execute(CODE_OF_THE_OWNER[way].encode())
    world.owner.execute("DELETE FROM app.ran")
    refusals = (errors.IdentityNotEligible, errors.SourceMissing, errors.SourcePrivilege)
    try:
        world.backfill(batch=1)
        assert world.births() == ["a", "b"]
    except refusals:
        assert world.births() == []
    try:
        world.owner.execute("INSERT INTO app.thing VALUES ('c')")
        assert "c" in world.births()
    except psycopg.errors.InsufficientPrivilege:
        assert way == "a policy"
    # As the DBA's autovacuum would, and as whoever maintains our tables does.
    world.admin.execute("VACUUM ANALYZE")
    world.admin.execute("REINDEX SCHEMA birth")
    assert "birth_definer" not in ran_as(world)
    assert ran_as(world) <= {ATTACKER}


# --- CVE-2023-39417

HOSTILE_NAME = """o'br"ien$$; %I \\ :x @extschema@"""
HELD = ("birth_definer", "birth_scanner", "birth_dba", "birth_operator", "birth_steward")


@pytest.fixture
def hostile(server: Cluster, template: Database) -> Iterator[tuple[Database, str]]:
    """A database whose name and whose owner's name end quotes of every kind."""
    name = f"{HOSTILE_NAME} {worker()}"
    server.login(name, SQL("CREATEROLE"))
    login = Identifier(name)
    # From PostgreSQL 16 on whoever did not make the roles has to be given them; the template's release has made them.
    for role in HELD[:3]:
        server.execute(SQL("GRANT {} TO {} WITH ADMIN OPTION").format(Identifier(role), login))
    server.execute(SQL("CREATE DATABASE {} TEMPLATE template0 OWNER {}").format(login, login))
    made = Database(server, name)
    yield made, name
    made.drop()
    for role in HELD:
        server.execute(SQL("REVOKE {} FROM {}").format(Identifier(role), login))
    server.execute(SQL("DROP ROLE {}").format(login))


def test_a_name_with_quotes_cannot_inject_sql(hostile: tuple[Database, str]) -> None:
    database, name = hostile
    upgrade(database.url(name))
    downgrade(database.url(name), "stage1")
    upgrade(database.url(name))
    for role in HELD[3:]:
        database.cluster.execute(SQL("GRANT {} TO {}").format(Identifier(role), Identifier(name)))
    session = database.connect(name)
    session.execute("CREATE SCHEMA app; CREATE TABLE app.thing (code text PRIMARY KEY)")
    session.execute("INSERT INTO app.thing VALUES ('before')")
    api.collection_register(session, name, "app", "thing", "BIRTH_REQUIRED")
    api.identity_classify(session, name, "column", column="code")
    with pytest.raises(errors.SourcePrivilege) as refusal:
        api.gateway_attach(session, name, "enforce")
    session.execute((refusal.value.hint or "").partition(": ")[2].encode())
    api.gateway_attach(session, name, "enforce")
    session.execute(
        "GRANT USAGE ON SCHEMA app TO birth_scanner; GRANT SELECT ON app.thing TO birth_scanner;"
        "INSERT INTO app.thing VALUES ('a')"
    )
    admin = database.connect()
    assert admin.execute("SELECT collection_name FROM birth.birth_registry").fetchall() == [(name,)]
    assert admin.execute("SELECT DISTINCT actor FROM birth.birth_act").fetchall() == [(name,)]
    planned = api.plan(session, name, dry_run=False)
    assert (planned["planned_by"], planned["expected_delta"]) == (name, 1)
    assert verification.verify(session).fine
