"""What is asked of a few births does not read all of them: the server counts its scans of birth_registry."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, LiteralString

import psycopg
import pytest
from helpers import OPERATOR, Prepared, Run, Scene, prepared
from psycopg.sql import SQL, Identifier
from support import Cluster, Database

#: Enough births for the planner to have a choice, of which a small collection's are a thousandth.
_OTHERS = 60_000
_KINDS = 7

#: One of them lists births, and is asked for one.
_VIEWS = SQL("SELECT relname FROM pg_class WHERE relnamespace = 'birth'::regnamespace AND relkind = 'v' ORDER BY 1")
_LISTED = {"v_birth_living": SQL("SELECT * FROM birth.v_birth_living WHERE entity_code = 'o-1'")}


@pytest.fixture(scope="session")
def crowded_template(server: Cluster, run_template: Prepared) -> Iterator[Prepared]:
    """A run to execute, a run that is done, and the births of others around them."""

    def crowd(scene: Scene) -> Run | None:
        # Whose births lie anyhow among each other: the planner then thinks little of an index on ranges of pages.
        for number in range(_KINDS):
            scene.collection(f"other-{number}", 1)
        scene.collection("earlier", 60)
        scene.execute(
            "INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin, run_id, born_at)"
            " SELECT 'o-' || g, 'other-' || abs(hashint4(g / 500) %% %s), 'by hand',"
            " CASE WHEN g %% 60 > 0 THEN md5((g / 1000)::text)::uuid END,"
            " now() - g * interval '10 seconds' FROM generate_series(1, %s) g",
            (_KINDS, _OTHERS),
        )
        scene.apply(scene.permitted("earlier"))
        scene.execute("SELECT brin_summarize_new_values('birth.birth_registry_run')")
        scene.execute("ANALYZE")
        return run_template.run

    with prepared(server, run_template.database, crowd) as made:
        yield made


@pytest.fixture
def db(server: Cluster, crowded_template: Prepared) -> Iterator[Database]:
    """A database of this test alone, with many births."""
    made = server.create(crowded_template.database.name)
    yield made
    made.drop()


@pytest.fixture
def run(crowded_template: Prepared) -> Run:
    """A run of the collection item that only needs to be executed."""
    assert crowded_template.run is not None
    return crowded_template.run


@pytest.fixture
def scene(scene: Scene) -> Scene:
    """The births of others were put there by hand, and belong to no run of the ledger."""
    scene.forged = True
    return scene


def scans(session: psycopg.Connection[Any], ask: Callable[[], object]) -> int:
    """Return how many sequential scans of birth_registry it takes to ask, and leave nothing behind."""

    def counted() -> int:
        ((count,),) = session.execute("SELECT pg_stat_get_xact_numscans('birth.birth_registry'::regclass)").fetchall()
        return int(count)

    with session.transaction(force_rollback=True):
        session.execute("SET LOCAL max_parallel_workers_per_gather = 0")  # a worker counts for itself
        before = counted()
        ask()
        return counted() - before


def plan(scene: Scene, run: Run) -> object:
    return scene.examine(run.collection)


def written_plan(scene: Scene, run: Run) -> object:
    return scene.plan(run.collection)


def whole_run(scene: Scene, run: Run) -> object:
    written = scene.write(run)
    assert written["status"] == "done"
    return written


def count(scene: Scene, run: Run) -> object:
    return scene.rows("SELECT birth.fn_birth_collection_births(%s)", (run.collection,))


def births_of_a_run(scene: Scene, run: Run) -> object:
    return scene.rows("SELECT birth.fn_birth_run_births(l) FROM birth.birth_backfill_ledger_v2 l")


def audit(scene: Scene, run: Run) -> object:
    return scene.rows("SELECT * FROM birth.fn_birth_run_audit()")


def spike(scene: Scene, run: Run) -> object:
    return scene.rows("SELECT * FROM birth.v_birth_spike")


def births_since(scene: Scene, run: Run) -> object:
    return scene.rows(
        "SELECT * FROM birth.fn_birth_births_since('earlier', now() - interval '1 day', now(), gen_random_uuid())"
    )


_BY_THE_OPERATOR = (plan, written_plan, whole_run)
_BY_THE_SERVER = (count, births_of_a_run, audit, spike, births_since)


@pytest.mark.parametrize("ask", [*_BY_THE_OPERATOR, *_BY_THE_SERVER])
def test_queries_for_few_births_do_not_scan_the_registry(
    scene: Scene, run: Run, ask: Callable[[Scene, Run], object]
) -> None:
    session = scene.session(OPERATOR) if ask in _BY_THE_OPERATOR else scene.admin
    assert scans(session, lambda: ask(scene, run)) == 0


def test_no_view_scans_the_registry(scene: Scene) -> None:
    views = [row["relname"] for row in scene.rows(_VIEWS)]
    assert len(views) > 20
    reading = []
    for view in views:
        query = _LISTED.get(view, SQL("SELECT * FROM birth.{}").format(Identifier(view)))
        if scans(scene.admin, partial(scene.rows, query)):
            reading.append(view)
    assert reading == []


@pytest.mark.parametrize(
    ("ask", "taken_out"),
    [
        (count, "DROP INDEX birth.birth_registry_run"),
        (plan, "DROP INDEX birth.birth_registry_run"),
        (births_of_a_run, "DROP INDEX birth.birth_registry_run"),
        (audit, "DROP INDEX birth.birth_registry_run"),
        (births_since, "DROP INDEX birth.birth_registry_run"),
        (spike, "DROP INDEX birth.birth_registry_live, birth.birth_registry_run"),
        (plan, "ALTER TABLE birth.birth_registry DROP CONSTRAINT birth_registry_pkey"),
    ],
)
def test_a_registry_scan_is_detected_without_its_index(
    scene: Scene, run: Run, ask: Callable[[Scene, Run], object], taken_out: LiteralString
) -> None:
    scene.execute(taken_out)
    session = scene.session(OPERATOR) if ask in _BY_THE_OPERATOR else scene.admin
    assert scans(session, lambda: ask(scene, run)) > 0
