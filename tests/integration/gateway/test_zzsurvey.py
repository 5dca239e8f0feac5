import psycopg, pytest
from concurrent.futures import ThreadPoolExecutor
from birthdb import api
from world import World

def say(*a): print("SURVEY", *a)

def err(fn):
    try:
        r = fn()
        return "ok %r" % (r,)
    except psycopg.Error as e:
        d=e.diag
        return f"{e.sqlstate} {d.message_primary} | D {d.message_detail} | H {d.message_hint} | C {d.context} | {d.schema_name} {d.table_name} {d.column_name} {d.constraint_name}"

def att(world): return world.admin.execute("SELECT severity, what, next_step FROM birth.v_birth_attention").fetchall()

def test_lastval(world: World):
    world.governed("(id serial PRIMARY KEY, sku text UNIQUE)", column="sku")
    world.owner.execute("INSERT INTO app.thing (sku) VALUES (NULL)")
    say(1, err(lambda: world.owner.execute("SELECT lastval()").fetchone()))

def test_fields(world: World):
    world.governed("(id int PRIMARY KEY, sku text)", mode="enforce", column="id")
    world.governed("(id int PRIMARY KEY, sku text UNIQUE)", "other", mode="enforce", column="sku")
    say(5, err(lambda: world.owner.execute("INSERT INTO app.other VALUES (1, NULL)")))
    world.owner.execute("INSERT INTO app.thing VALUES (1)")
    say(5, err(lambda: world.owner.execute("INSERT INTO app.other VALUES (1, '1')")))
    say("5 long", err(lambda: world.owner.execute("INSERT INTO app.other VALUES (2, repeat('x', 3000))")))

def test_osc(world: World):
    world.governed("(id bigint PRIMARY KEY, t text)", "book", strategy="synthetic_id", column="id", prefix="B-", mode="enforce")
    world.owner.execute("BEGIN; ALTER TABLE app.book RENAME TO book_old; CREATE TABLE app.book (LIKE app.book_old INCLUDING ALL); COMMIT;")
    for r in att(world): say(6, r)

def test_disabled(world: World):
    world.governed("(code text PRIMARY KEY)", mode="enforce")
    world.owner.execute("ALTER TABLE app.thing DISABLE TRIGGER USER")
    for r in att(world): say(7, r)
    say(7, err(lambda: world.attach("thing","enforce")))

def test_no_identity(world: World):
    world.table("(code text PRIMARY KEY)")
    world.register()
    say(12, err(lambda: world.attach("thing","enforce")))
    say(12, err(lambda: world.attach("thing","observe")))
    say(12, err(lambda: api.gateway_mode(world.steward,"thing","enforce","x")))

def test_partition(world: World):
    world.governed("(code text PRIMARY KEY)", mode="enforce")
    world.governed("(code text PRIMARY KEY) PARTITION BY RANGE (code)", "root", mode="enforce")
    say(8, err(lambda: world.owner.execute("ALTER TABLE app.root ATTACH PARTITION app.thing FOR VALUES FROM ('a') TO ('b')")))
    world.table("(code text PRIMARY KEY) PARTITION BY RANGE (code)", "r2"); world.register("r2"); world.classify("column","r2",column="code")
    world.owner.execute("ALTER TABLE app.r2 ATTACH PARTITION app.thing FOR VALUES FROM ('a') TO ('b')")
    say("8b", err(lambda: world.attach("r2","enforce")))
    world.table("(code text PRIMARY KEY)", "f"); world.register("f"); world.classify("column","f",column="code")
    world.owner.execute("CREATE TRIGGER birth_gateway BEFORE UPDATE ON app.f FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()")
    say("8c", err(lambda: world.attach("f","enforce")))

def test_owner(world: World):
    world.governed("(code text PRIMARY KEY) PARTITION BY RANGE (code)", "root", mode="enforce")
    world.admin.execute("CREATE ROLE newo LOGIN; GRANT USAGE, CREATE ON SCHEMA app TO newo; ALTER TABLE app.root OWNER TO newo")
    for r in att(world): say(9, r)
    w2=world.db.connect("newo")
    say(9, err(lambda: w2.execute("CREATE TABLE app.root1 PARTITION OF app.root FOR VALUES FROM ('a') TO ('b')")))
    w2.close()
    world.admin.execute("DROP OWNED BY newo; DROP ROLE newo")

def test_propose(world: World):
    for i,d in enumerate(["(a, b DESC)","(a text_pattern_ops)","(a COLLATE \"C\")","(a NULLS FIRST, b)"]):
        world.table("(a text NOT NULL, b text NOT NULL, id int)", f"p{i}")
        world.owner.execute(f"CREATE UNIQUE INDEX ON app.p{i} {d}".encode())
        r=world.steward.execute("SELECT * FROM birth.fn_birth_identity_propose(p_schema := 'app', p_table := %s)",(f"p{i}",)).fetchall()
        say(10,d,r)
    world.table("(note text)", "nokey")
    say(10,"nokey",world.steward.execute("SELECT * FROM birth.fn_birth_identity_propose(p_schema := 'app', p_table := 'nokey')").fetchall())

def test_finding_deleted(world: World):
    world.governed("(id int PRIMARY KEY, code text UNIQUE)")
    world.owner.execute("INSERT INTO app.thing VALUES (2, NULL); DELETE FROM app.thing WHERE id = 2")
    for r in att(world): say(11, r)
    world.register("ghost")
    for r in att(world): say("11b", r)

def test_client_encoding(world: World):
    world.operator.execute("SET client_encoding = 'LATIN1'")
    say(13, err(lambda: world.operator.execute("SELECT birth.fn_birth_dot_freeze('dot-birth-backfill-apply', 'incident')")))

def test_transaction_timeout(world: World):
    world.governed("(code text PRIMARY KEY)", mode=None)
    world.insert(["a","b"])
    run, permit, delta = world.permitted()
    for t in ("transaction_timeout","idle_session_timeout","idle_in_transaction_session_timeout","statement_timeout"):
        world.operator.execute(f"SET {t} = '400ms'")
        say(15, t, err(lambda: api.apply(world.operator,"thing",run,permit,delta,delta,execute=True)))
        world.operator.execute(f"RESET {t}")

@pytest.mark.parametrize("typ,val",[("char(5)","'ab'"),("citext","'ab'"),("app.dom","'ab'"),("app.mood","'happy'"),("date","'2020-01-02'"),("timestamptz","'2020-01-02 03:04:05+00'"),("timestamp","'2020-01-02 03:04:05'"),("bool","true"),("numeric","1.50"),("uuid","'00000000-0000-4000-8000-000000000000'"),("bytea","'\\x01'"),("inet","'1.2.3.4'"),("float8","1.5"),("interval","'1 day'")])
def test_types(world: World, typ, val):
    world.owner.execute("CREATE DOMAIN app.dom AS text; CREATE TYPE app.mood AS ENUM ('happy','sad')")
    if typ=="citext":
        try: world.admin.execute("CREATE EXTENSION citext SCHEMA app")
        except psycopg.Error: say(20,"citext missing"); return
        typ="app.citext"
    world.table(f"(code {typ} PRIMARY KEY)")
    say(20, typ, "propose", err(lambda: [tuple(r)[:8] for r in world.steward.execute("SELECT * FROM birth.fn_birth_identity_propose(p_schema := 'app', p_table := 'thing')").fetchall()]))
    world.register()
    say(20, typ, err(lambda: world.classify("column", column="code")), world.status())
