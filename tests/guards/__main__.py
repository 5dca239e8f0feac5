"""``python -m guards``: take every guard out on its own and see a test fail; write the list."""

import fnmatch
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue
from typing import Annotated

import typer
from guards import guard, listing, prove, reach
from guards.guard import Guard, Removal
from guards.listing import Proof
from support import Cluster, Database

from birthdb import target
from birthdb.server import EmbeddedServer

Removals = dict[Guard, Removal]
Proofs = dict[Guard, Proof]

#: What the page says of a guard that was never taken out.
UNTRIED = "not tried"


def main(
    patterns: Annotated[
        list[str] | None, typer.Argument(help="What to try, such as 'fn_birth_permit_*'; without: what is not caught.")
    ] = None,
    again: Annotated[bool, typer.Option(help="Try also what is caught.")] = False,
    jobs: Annotated[int, typer.Option(help="How many at a time.")] = 2,
    most: Annotated[int, typer.Option(help="How many tests may try to catch a guard.")] = 60,
    by: Annotated[
        str,
        typer.Option(help="Only tests with this in their name; FILE::TEST is tried as it is, without measuring reach."),
    ] = "",
    reached: Annotated[Path | None, typer.Option(help="Keep what each test comes near here; read it here.")] = None,
) -> None:
    """Take guards out one by one; exit 1 when no test fails for one."""
    with EmbeddedServer(settings=reach.SETTINGS) as server:
        cluster = Cluster(server.url())
        released = cluster.create_released()
        with target.connect(released.url()) as connection:
            every = guard.everything(connection)
        known = listing.read()
        proofs = {one: known.get(one, Proof(one, None, UNTRIED)) for one in every}
        # What caught a guard in the routine where it stood most likely catches it where it stands now.
        if moved := listing.carried(known, every):
            tests = {one: [str(proof.test)] for one, proof in moved.items()}
            _try(cluster, released, {one: every[one] for one in moved}, proofs, lambda one, _: tests[one], jobs)
        wanted = _wanted(every, proofs, [f"{pattern}*" for pattern in patterns or [""]], again)
        if wanted:
            if "::" in by:
                _try(cluster, released, wanted, proofs, lambda *_: [by], jobs)
            else:
                # Often the tests that catch its like; what each test reaches takes minutes to measure.
                like = {one: prove.tests_of_alike(one, known, by)[:most] for one in wanted}
                _try(cluster, released, wanted, proofs, lambda one, _: like[one], jobs)
                wanted = {one: removal for one, removal in wanted.items() if proofs[one].test is None}
            if wanted and "::" not in by:
                near = _reached(cluster, server.log, released, jobs, reached)
                near = {name: test for name, test in near.items() if by in name}
                _try(
                    cluster,
                    released,
                    wanted,
                    proofs,
                    lambda one, removal: prove.candidates(one, removal, near, proofs, most),
                    jobs,
                )
        _write(proofs)
        cluster.close()
    left = [one for one in wanted if proofs[one].test is None]
    typer.echo(f"{len(every)} guards, {sum(p.test is not None for p in proofs.values())} caught; now not: {len(left)}")
    raise typer.Exit(bool(left))


def _wanted(every: Removals, proofs: Proofs, patterns: list[str], again: bool) -> Removals:
    """Return what to try, in the order of the patterns."""
    found = [
        (next(n for n, pattern in enumerate(patterns) if fnmatch.fnmatchcase(str(one), pattern)), one)
        for one in every
        if (again or proofs[one].test is None) and any(fnmatch.fnmatchcase(str(one), p) for p in patterns)
    ]
    return {one: every[one] for _, one in sorted(found, key=lambda each: each[0])}


def _reached(cluster: Cluster, log: Path, released: Database, jobs: int, file: Path | None) -> dict[str, reach.Reach]:
    if file is not None and file.is_file():
        return reach.load(file)
    typer.echo("which tests come near which guard: one run of the tests of behaviour")
    found = reach.measure(cluster, log, released, jobs)
    reach.save(file or Path(tempfile.gettempdir()) / "birthdb-reach.json", found)
    typer.echo(f"{len(found)} tests, {sum(not one.passed for one in found.values())} of them see any change")
    return found


def _try(
    cluster: Cluster,
    released: Database,
    wanted: Removals,
    proofs: Proofs,
    candidates: Callable[[Guard, Removal], list[str]],
    jobs: int,
) -> None:
    waiting = Queue[tuple[Guard, Removal]]()
    for each in wanted.items():
        waiting.put(each)
    making, telling = threading.Lock(), threading.Lock()

    def work() -> None:
        with prove.Prover(cluster, released, making=making) as prover, suppress(Empty):
            while True:
                one, removal = waiting.get_nowait()
                outcome = prover.without([(one, removal)], candidates(one, removal))
                with telling:
                    proofs[one] = Proof(one, outcome.caught, outcome.why)
                    typer.echo(f"{'caught' if outcome.caught else 'NOT   '}  {one}")
                    typer.echo(f"          {outcome.caught or ''} ({outcome.ran} ran): {outcome.why}")
                    _write(proofs)

    with ThreadPoolExecutor(jobs) as pool:
        for worker in [pool.submit(work) for _ in range(jobs)]:
            worker.result()


def _write(proofs: Proofs) -> None:
    listing.write(proofs.values())
    listing.PAGE.write_text(listing.page(proofs), encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
