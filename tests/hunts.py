"""``PYTHONPATH=tests python -m hunts``: hunt in schema ``birth`` for a change that the semantic hash does not see."""

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import reduce
from operator import add
from random import SystemRandom
from typing import Annotated

import psycopg
import typer
from psycopg.sql import SQL, Identifier

from birthdb import paths
from birthdb.server import EmbeddedServer
from pgcontract.databases import upgrade
from pgcontract.hunt import Report, Target, hunt
from pgcontract.project import Project
from pgcontract.sources import Sources

_GIVEN = "CREATE TABLE hunt.birth_registry (LIKE birth.birth_registry)"
_TRIGGER_OFF = "ALTER TABLE hunt.birth_registry DISABLE TRIGGER t"

#: Of kinds that the released schema may have none of.
SPECIMENS = (
    Target(
        "trigger",
        "row trigger",
        _GIVEN,
        "CREATE TRIGGER t AFTER INSERT OR UPDATE OF collection_name, entity_code ON hunt.birth_registry FOR EACH ROW"
        " WHEN (new.entity_code <> 'a b' AND new.collection_name IN ('x', 'y')) EXECUTE FUNCTION"
        " birth.fn_birth_registry_auto('x', 'a b', '1')",
        _TRIGGER_OFF,
    ),
    Target(
        "trigger",
        "statement trigger",
        _GIVEN,
        "CREATE TRIGGER t AFTER INSERT ON hunt.birth_registry REFERENCING NEW TABLE AS made FOR EACH STATEMENT"
        " EXECUTE FUNCTION birth.fn_birth_registry_auto_id('x')",
        _TRIGGER_OFF,
    ),
    Target(
        "trigger",
        "constraint trigger",
        _GIVEN,
        "CREATE CONSTRAINT TRIGGER t AFTER DELETE ON hunt.birth_registry DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
        " WHEN (old.run_id IS NOT NULL OR old.dot_origin = 'DOT-118') EXECUTE FUNCTION birth.fn_birth_registry_auto()",
        _TRIGGER_OFF,
    ),
    Target(
        "routine",
        "BEGIN ATOMIC",
        "",
        "CREATE FUNCTION hunt.fn_atomic(p_code text, p_limit integer DEFAULT 10) RETURNS TABLE (code text, n bigint)"
        " LANGUAGE sql STABLE BEGIN ATOMIC SELECT r.entity_code, count(*) FROM birth.birth_registry r"
        " LEFT JOIN birth.collection_registry c ON c.collection_name = r.collection_name"
        " WHERE r.entity_code <> p_code AND (r.dot_origin = 'a b' OR r.run_id IS NULL)"
        " GROUP BY r.entity_code HAVING count(*) > 1 ORDER BY r.entity_code DESC LIMIT p_limit; END",
    ),
    Target(
        "index",
        "partial index over an expression",
        _GIVEN,
        "CREATE UNIQUE INDEX i ON hunt.birth_registry USING btree (lower(entity_code), collection_name DESC)"
        " INCLUDE (born_at) WHERE dot_origin <> 'a b' AND run_id IS NULL",
    ),
)


def _hunt_part(url: str, mutations: int, reformattings: int, seed: int, part: int, parts: int) -> Report:
    project = Project.read(paths.ROOT)
    share = {"mutations": mutations, "reformattings": reformattings, "seed": seed, "part": part, "parts": parts}
    with psycopg.connect(url) as connection:
        return hunt(connection, project, SPECIMENS, **share)


def _copies(server: EmbeddedServer, number: int) -> list[str]:
    """Return as many released databases: two hunts would wait for each other in one."""
    upgrade(Sources(paths.ROOT), server.url("postgres"), "head")
    names = [f"hunt_{i}" for i in range(number)]
    with psycopg.connect(server.url("template1"), autocommit=True) as connection:
        for name in names:
            connection.execute(SQL("CREATE DATABASE {} TEMPLATE postgres").format(Identifier(name)))
    return [server.url(name) for name in names]


def main(
    mutations: Annotated[int, typer.Option(help="Mutations to try.")] = 20_000,
    reformattings: Annotated[int, typer.Option(help="Reformattings to try.")] = 2_000,
    seed: Annotated[int | None, typer.Option(help="Of an earlier hunt, to see it again; a new one without it.")] = None,
    jobs: Annotated[int, typer.Option(help="Processes; they do not change what is tried.")] = os.cpu_count() or 1,
    major: Annotated[int | None, typer.Option(help="The server's major; the newest without it.")] = None,
) -> None:
    """Hunt on a server of its own; exit 1 when a change was missed or formatting was taken for a change."""
    chosen = SystemRandom().randrange(2**32) if seed is None else seed
    typer.echo(f"seed {chosen}")
    with EmbeddedServer(major=major) as server, ProcessPoolExecutor(jobs) as pool:
        parts = [
            pool.submit(_hunt_part, url, mutations, reformattings, chosen, part, jobs)
            for part, url in enumerate(_copies(server, jobs))
        ]
        report = reduce(add, (part.result() for part in parts))
    for what, found in (("missed", report.missed), ("false", report.false), ("refused", report.refused)):
        for finding in found:
            typer.echo(f"{what}: {finding}", err=True)
    typer.echo(str(report))
    if not report.clean:
        again = f"--mutations {mutations} --reformattings {reformattings} --seed {chosen}"
        typer.echo(f"see it again: PYTHONPATH=tests python -m hunts {again}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    typer.run(main)
