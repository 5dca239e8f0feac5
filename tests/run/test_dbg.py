import time, psycopg, pytest
def test_c(scene, item):
    run = scene.permitted(item)
    d = scene.start(run)
    time.sleep(0.35)
    scene.execute("SELECT pg_cancel_backend(%s)", (d.pid,))
    try: d.end()
    except psycopg.Error as e: print(repr(e.diag.context), e)
    print(scene.status(run), scene.rows("select act, detail, reason from birth.birth_act where act in ('attempt','outcome')"))
    print(scene.rows("select pid, classid, objid from pg_locks where locktype='advisory'"), d.pid)
def test_l(scene, item):
    run = scene.permitted(item)
    blocker = scene.db.connect(autocommit=False)
    blocker.execute("LOCK TABLE birth.birth_receipt IN ACCESS EXCLUSIVE MODE")
    scene.session('olga_operator').execute("SET lock_timeout = '10ms'")
    try: scene.apply(run)
    except psycopg.Error as e: print(repr(e.diag.context), e)
