"""What the specification says of permit, ledger, receipts and births: over plain sets, without fingerprint or clock.

An operation changes the state, or raises ``Refused`` with every refusal that the specification allows there. Which of
them comes first is held elsewhere. What was refused changed nothing, but for what the driver records of a batch.
"""

from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

OPERATORS = {"olga_operator", "oscar_operator", "mona_many"}
REVIEWERS = {"rita_reviewer", "mona_many"}
OWNERS = {"paul_owner", "mona_many"}
DBAS = {"dora_dba", "mona_many"}

#: Policies, and how much each asks for.
POLICIES = {"exempt": 0, "exempt otherwise": 0, "deferred": 1, "required": 2}

#: The world's doing, or somebody's, stops a run. Everything else is a check that failed.
STOPPING = {
    "permit_not_open": "permit_not_open", "permit_expired": "permit_expired", "permit_exhausted": "permit_exhausted",
    "source_changed": "source_changed", "stop_requested": "stop_requested", "dot_frozen": "dot_frozen",
    "query_canceled": "57014", "lock_not_available": "55P03",
}  # fmt: skip

#: What happens in the middle of a batch, at the point that is named; its answer, if any, ends the batch.
Hook = Callable[[str], str | None]


class Refused(Exception):
    """The reasons of which the database gives one."""

    def __init__(self, reasons: Iterable[str]) -> None:
        self.reasons = set(reasons)
        super().__init__(", ".join(sorted(self.reasons)))


def refuse(**reasons: object) -> None:
    """Raise, where any holds, those that do."""
    if any(reasons.values()):
        raise Refused(name for name, holds in reasons.items() if holds)


class Policy(NamedTuple):
    status: str = "required"
    governed: bool = False

    def loosened(self, to: "Policy") -> bool:
        """Say whether another policy asks less in any respect."""
        less, rank = POLICIES[to.status] - POLICIES[self.status], POLICIES[to.status]
        return less < 0 or (rank == 0 and to.status != self.status) or self.governed > to.governed


#: A change of policy: from which policy, in which version, to which one.
Change = tuple[Policy, int, Policy]
#: What a verdict is bound to of a collection: identity, policy and its version.
Definition = tuple[str, Policy, int]


@dataclass
class Collection:
    """A source table; its identity is over the name (the key, too), the id, or both."""

    identity: str
    mode: str
    policy: Policy = field(default_factory=Policy)
    #: Rises with each change of the policy.
    version: int = 1
    rows: dict[int, str | None] = field(default_factory=dict)

    @property
    def definition(self) -> Definition:
        return self.identity, self.policy, self.version

    def code(self, row: int, name: str | None) -> str | None:
        if self.identity == "synthetic_id":
            return f"n{row}"
        code = name if self.identity == "column" else f"{row}{name}"
        return code if name is not None and code is not None and code.strip() else None

    def scan(self) -> list[tuple[Any, str | None]]:
        """Return keys and codes of all rows with a key, in its order."""
        found = [(name if self.identity == "column" else row, self.code(row, name)) for row, name in self.rows.items()]
        return sorted((pair for pair in found if pair[0] is not None), key=lambda pair: pair[0])


@dataclass
class Verdict:
    purpose: str
    safe: bool
    #: How many births without a row, or births that a transition leaves behind, it accepts.
    accepts: int
    #: Contract, definition of the collection and number of failures that it is bound to.
    about: tuple[int, Definition, int]
    #: Until another verdict names it.
    stands: bool = True


@dataclass
class Permit:
    run: int
    purpose: str
    most: int
    spent: int = 0
    status: str = "OPEN"
    confirmed: bool = False
    revoked: bool = False
    expired: bool = False


@dataclass
class Run:
    collection: str
    predecessor: int | None
    lineage: int
    counts: tuple[int, ...]
    planned: set[Any]
    orphans: int
    purpose: str = "APPLY"
    wanted: Policy | None = None
    status: str = "planned"
    reason: str | None = None
    failures: int = 0
    verdicts: list[Verdict] = field(default_factory=list)
    # pinned when it begins
    target: set[Any] = field(default_factory=set)
    most: int | None = None
    upper: Any = None
    identity: str | None = None
    # the attempt
    permit: int | None = None
    executed_by: str | None = None
    epoch: int = 0
    holder: str | None = None
    stop: bool = False
    # what came of it
    written: set[Any] = field(default_factory=set)
    marker: Any = None
    visited: int = 0
    batches: int = 0
    compensating: bool = False
    removed: int = 0
    removals: int = 0

    def standing(self, purpose: str, *, safe: bool) -> list[Verdict]:
        return [v for v in self.verdicts if v.purpose == purpose and v.stands and v.safe == safe]

    def closed(self, purpose: str) -> bool:
        own = purpose != "COMPENSATE"
        return self.status == "compensated" or (own and (self.status == "done" or self.compensating))


@dataclass
class Count:
    """A collection held against the births: S, B, O, U and M are the numbers of a plan."""

    missing: set[str]
    foreign: set[str]
    duplicates: int
    orphans: int
    numbers: tuple[int, ...]


@dataclass
class Call:
    """What driver and writer are called with."""

    run: int
    permit: int | None
    delta: int
    most: int
    size: int


class Model:
    def __init__(self, collections: dict[str, Collection]) -> None:
        self.collections = collections
        self.births: dict[str, tuple[str, int | None]] = {}
        self.runs: list[Run] = []
        self.permits: list[Permit] = []
        self.parts: dict[tuple[int, str], str] = {}
        self.frozen = False
        self.contract = self.recorded = 0
        self.in_flight: int | None = None

    # --- what holds

    def count(self, name: str) -> Count:
        rows = self.collections[name].rows
        having = [code for _, code in self.collections[name].scan() if code is not None]
        own, codes = self.own(name), set(having)
        missing, orphans = codes - set(self.births), len(own - codes)
        numbers = (len(rows), len(own), orphans, len(rows) - len(having), len(missing))
        return Count(missing, codes & set(self.births) - own, len(having) - len(codes), orphans, numbers)

    def other_part(self, lineage: int, person: str, part: str) -> bool:
        return self.parts.get((lineage, person), part) != part

    def own(self, name: str) -> set[str]:
        return {code for code, (owner, _) in self.births.items() if owner == name}

    def about(self, run: Run) -> tuple[int, Definition, int]:
        return self.recorded, self.collections[run.collection].definition, run.failures

    def verdict_missing(self, run: Run, purpose: str) -> bool:
        about, now = [verdict.about for verdict in run.standing(purpose, safe=True)], self.about(run)
        if run.purpose == "TRANSITION" and (run.removed if purpose == "COMPENSATE" else run.written):
            # What is written changed what the verdict is bound to; only the proof is left.
            about = [(contract, now[1], failures) for contract, _, failures in about]
        return bool(run.standing(purpose, safe=False)) or about != [now]

    def rows_left(self, permit: int | None) -> int:
        return 0 if permit is None else self.permits[permit].most - self.permits[permit].spent

    def permit_faults(self, number: int | None, run: int, purpose: str, rows: int) -> dict[str, bool]:
        if number is None:
            return {"permit_unknown": True}
        permit = self.permits[number]
        return {
            "permit_not_open": permit.status in ("CONSUMED", "REVOKED") or permit.revoked,
            "permit_expired": permit.status == "EXPIRED" or permit.expired,
            "permit_scope": (permit.run, permit.purpose) != (run, purpose),
            "permit_not_confirmed": not permit.confirmed,
            "permit_exhausted": self.rows_left(number) < rows,
        }

    def open_runs(self, name: str) -> list[Run]:
        """Return the runs of a collection that are under way, or were left behind with something written."""
        return [
            run
            for number, run in enumerate(self.runs)
            if run.collection == name
            and run.status in ("running", "stopped", "failed")
            and (run.status == "running" or len(run.written) > run.removed or run.compensating)
            and (run.status == "running" or not self.settled(number, "done", "compensated"))
        ]

    def rival(self, run: Run) -> bool:
        return any(other.holder and other is not run and other.collection == run.collection for other in self.runs)

    def settled(self, number: int, *by: str) -> bool:
        """Whether a later run of the lineage ended so."""
        return any(r.lineage == self.runs[number].lineage and r.status in by for r in self.runs[number + 1 :])

    def settle(self, run: int) -> None:
        """Close the open permits that are over, but for one that a batch holds."""
        for number, permit in enumerate(self.permits):
            if permit.run == run and permit.status == "OPEN" and number != self.in_flight:
                permit.status = "REVOKED" if permit.revoked else "EXPIRED" if permit.expired else "OPEN"

    # --- rows and identities

    def arrive(self, name: str, rows: list[tuple[int, str | None]]) -> None:
        """Let rows come in past the gateway, but for those whose place is taken."""
        there = self.collections[name].rows
        for row, text in rows:
            if row not in there and (text is None or text not in there.values()):
                there[row] = text

    def clear(self, name: str) -> None:
        self.collections[name].rows.clear()

    def insert(self, name: str, rows: list[tuple[int, str | None]], *, gateway: bool) -> None:
        source = self.collections[name]
        ids = [*source.rows, *(row for row, _ in rows)]
        names = [n for n in (*source.rows.values(), *(n for _, n in rows)) if n is not None]
        codes = [source.code(*row) for row in rows]
        gateway = gateway and POLICIES[source.policy.status] > 0
        enforced = gateway and source.mode == "enforce" and source.policy.status == "required"
        refuse(
            unique_violation=len(ids) > len(set(ids)) or len(names) > len(set(names)),
            gateway_no_identity=enforced and None in codes,
            gateway_foreign=enforced and any(self.births.get(code or "", (name,))[0] != name for code in codes),
        )
        source.rows.update(rows)
        for code in codes:
            if gateway and code is not None:
                self.births.setdefault(code, (name, None))

    def delete(self, name: str, row: int) -> None:
        self.collections[name].rows.pop(row, None)

    def rename(self, name: str, row: int, to: str | None) -> None:
        rows = self.collections[name].rows
        refuse(unique_violation=row in rows and to is not None and any(r != row and n == to for r, n in rows.items()))
        rows.update({row: to} if row in rows else {})

    def classify(self, name: str, identity: str) -> None:
        source, own = self.collections[name], self.own(name)
        anew = replace(source, identity=identity)
        lost = [row for row in source.rows.items() if (code := source.code(*row)) in own and anew.code(*row) != code]
        refuse(definition_in_use=self.open_runs(name), transition_required=lost)
        source.identity = identity

    # --- plan, review, permit

    def plan(self, name: str, by: str) -> None:
        count = self.count(name)
        unfinished = [
            (len(run.written) > run.removed, number)
            for number, run in enumerate(self.runs)
            if run.collection == name and run.purpose == "APPLY" and run.status in ("running", "stopped", "failed")
            and not run.compensating and not self.settled(number, "done")
        ]  # fmt: skip
        predecessor = max(unfinished)[1] if unfinished else None
        lineage = len(self.runs) if predecessor is None else self.runs[predecessor].lineage
        refuse(
            role_required=by not in OPERATORS,
            policy_not_required=self.collections[name].policy.status != "required",
            code_foreign=count.foreign,
            code_duplicate=count.duplicates,
            nothing_to_do=not count.missing,
            separation_of_duties=self.other_part(lineage, by, "execution"),
        )
        self.parts[lineage, by] = "execution"
        self.runs.append(Run(name, predecessor, lineage, count.numbers, count.missing, count.orphans))

    def rehearse(self, name: str, most: int, by: str) -> tuple[int, int]:
        """Return what is written, and what is left to write after; nothing of it stays."""
        before = deepcopy(vars(self))
        try:
            self.plan(name, by)
            refuse(run_held=self.rival(self.runs[-1]))
            planned = len(self.runs[-1].planned)
        finally:
            vars(self).update(before)
        return min(planned, most), planned - min(planned, most)

    def review(self, number: int, purpose: str, by: str, *, safe: bool, accepts: int, names: bool) -> None:
        run = self.runs[number]
        against = run.standing(purpose, safe=False)
        refuse(
            role_required=by not in REVIEWERS,
            verdict_malformed=run.purpose == "APPLY" and accepts not in (0, run.orphans),
            run_status=run.closed(purpose) or (purpose == "COMPENSATE" and run.status == "planned"),
            separation_of_duties=self.other_part(run.lineage, by, "review"),
            verdict_stands=safe and against and not names,
        )
        self.parts[run.lineage, by] = "review"
        for verdict in [*against, *run.standing(purpose, safe=True)] if safe else []:
            verdict.stands = False
        run.verdicts.append(Verdict(purpose, safe, accepts, self.about(run)))

    def open_permit(self, number: int, purpose: str, most: int, by: str) -> None:
        run = self.runs[number]
        refuse(
            role_required=by not in OWNERS,
            permit_terms=most <= 0,
            run_status=run.closed(purpose) or (purpose == "COMPENSATE" and not run.written),
            verdict_missing=self.verdict_missing(run, purpose),
            permit_in_the_way=any(
                (p.run, p.purpose, p.status, p.revoked, p.expired) == (number, purpose, "OPEN", False, False)
                for p in self.permits
            ),
            separation_of_duties=self.other_part(run.lineage, by, "admission"),
        )
        self.settle(number)
        self.parts[run.lineage, by] = "admission"
        self.permits.append(Permit(number, purpose, most))

    def confirm(self, number: int, by: str) -> None:
        permit = self.permits[number]
        lineage = self.runs[permit.run].lineage
        refuse(
            role_required=by not in REVIEWERS,
            permit_not_open=permit.status != "OPEN" or permit.confirmed or permit.revoked,
            permit_expired=permit.expired,
            separation_of_duties=self.other_part(lineage, by, "review"),
        )
        self.parts[lineage, by] = "review"
        permit.confirmed = True

    def revoke(self, number: int | None, by: str) -> None:
        if number is None:
            raise Refused({"permit_unknown"})
        permit = self.permits[number]
        refuse(role_required=by not in OWNERS, permit_not_open=permit.status != "OPEN")
        permit.revoked = True
        self.settle(permit.run)

    def expire(self, number: int) -> None:
        self.permits[number].expired |= self.permits[number].status == "OPEN"

    # --- changes of policy

    def plan_transition(self, name: str, wanted: Policy, by: str) -> None:
        run = Run(name, None, len(self.runs), (), set(), 0, "TRANSITION", wanted)
        run.planned = self.change_left(run)
        leaves = wanted.status not in ("required", self.collections[name].policy.status)
        run.counts = (0, len(self.own(name)) if leaves else 0, 0, 0, len(run.planned))
        refuse(
            role_required=by not in OPERATORS,
            nothing_to_do=not run.planned,
            **self.transition_faults(run, "TRANSITION"),
        )
        self.parts[run.lineage, by] = "execution"
        self.runs.append(run)

    def change_left(self, run: Run) -> set[Change]:
        source = self.collections[run.collection]
        return set() if run.wanted in (None, source.policy) else {(source.policy, source.version, run.wanted)}

    def transition_faults(self, run: Run, purpose: str) -> dict[str, bool]:
        """Return what is in the way of a change of policy, or of undoing it."""
        source, count = self.collections[run.collection], self.count(run.collection)
        if purpose == "COMPENSATE" and run.removed:
            return {}
        if purpose == "COMPENSATE":
            ((to, version, wrote),) = run.planned
            touched = (source.policy, source.version) != (wrote, version + 1)
        else:
            to, touched = run.wanted or source.policy, False
        if to.status == source.policy.status:
            blocked = False
        elif to.status == "required":
            blocked = bool(count.foreign or count.duplicates)
        else:
            accepts = [verdict.accepts for verdict in run.standing(purpose, safe=True)]
            blocked = any(len(self.own(run.collection)) > most for most in accepts) or any(
                permit.status == "OPEN"
                and self.runs[permit.run] is not run
                and self.runs[permit.run].collection == run.collection
                for permit in self.permits
            )
        others = [other for other in self.open_runs(run.collection) if other is not run]
        return {"births_touched": touched, "transition_blocked": not touched and (blocked or bool(others))}

    def admit_transition(self, session: str, by: str, call: Call, *, asked: bool = False) -> None:
        run = self.runs[call.run]
        left = self.change_left(run)
        refuse(
            role_required=by not in OPERATORS,
            run_status=run.closed("TRANSITION"),
            run_held=run.holder not in (None, session) or (not asked and self.rival(run)),
            dot_frozen=self.frozen,
            separation_of_duties=not asked and self.other_part(run.lineage, by, "execution"),
            contract_drift=self.contract != self.recorded,
            verdict_missing=self.verdict_missing(run, "TRANSITION"),
            plan_stale=left != run.planned,
            nothing_to_do=not left,
            bound_exceeded=self.rows_left(call.permit) < len(left),
            **self.permit_faults(call.permit, call.run, "TRANSITION", len(left)),
            **self.transition_faults(run, "TRANSITION"),
        )

    def transition(self, session: str, by: str, call: Call) -> None:
        """Do what one CALL does: everything, or nothing."""
        self.admit_transition(session, by, call)
        run = self.runs[call.run]
        self.claim(session, by, call, compensating=False)
        self.change(run.collection, run.wanted or Policy())
        run.target = run.written = run.planned
        run.most = run.visited = run.batches = 1
        self.permits[run.permit or 0].spent += 1
        self.permits[run.permit or 0].status = "CONSUMED"
        run.status, run.holder = "done", None

    def change(self, name: str, policy: Policy) -> None:
        self.collections[name].policy = policy
        self.collections[name].version += 1

    # --- a run begins

    def claim(self, session: str, by: str, call: Call, *, compensating: bool) -> None:
        run = self.runs[call.run]
        for other in self.runs:
            if other is not run and other.collection == run.collection and other.status == "running":
                other.status, other.reason = "stopped", "interrupted"
        self.parts[run.lineage, by] = "execution"
        run.status, run.reason, run.compensating, run.stop = "running", None, compensating, False
        run.epoch, run.holder, run.executed_by, run.permit = run.epoch + 1, session, by, call.permit

    def admit(self, session: str, by: str, call: Call, *, alone: bool = False, asked: bool = False) -> None:
        """Check what stands at the beginning. Only who begins in earnest meets rivals, and a part of their own."""
        run, source = self.runs[call.run], self.collections[self.runs[call.run].collection]
        count, begun = self.count(run.collection), bool(run.target)
        accepted = [verdict.accepts for verdict in run.standing("APPLY", safe=True)]
        size = len(run.target) if begun else min(len(count.missing), call.most)
        in_range = {
            code for key, code in source.scan() if begun and run.identity == source.identity and key <= run.upper
        }
        refuse(
            role_required=by not in OPERATORS,
            run_status=run.closed("APPLY"),
            run_held=run.holder not in (None, session) or (not asked and self.rival(run)),
            driver_required=alone and (run.batches or run.holder == session),
            dot_frozen=self.frozen,
            separation_of_duties=not asked and self.other_part(run.lineage, by, "execution"),
            policy_not_required=source.policy.status != "required",
            code_foreign=count.foreign,
            code_duplicate=count.duplicates,
            parity_broken=run.orphans and accepted != [run.orphans],
            contract_drift=self.contract != self.recorded,
            verdict_missing=self.verdict_missing(run, "APPLY"),
            plan_stale=not begun and (count.missing != run.planned or count.orphans > run.orphans),
            bound_exceeded=not begun and call.most > self.rows_left(call.permit),
            source_changed=begun and run.written | (in_range & count.missing) != run.target,
            nothing_to_do=not begun and not count.missing,
            delta_mismatch=call.delta != size or (begun and call.most != run.most),
            **self.permit_faults(call.permit, call.run, "APPLY", size - len(run.written)),
        )

    def begin(self, session: str, by: str, call: Call, *, alone: bool = False) -> None:
        self.admit(session, by, call, alone=alone)
        run, source = self.runs[call.run], self.collections[self.runs[call.run].collection]
        if not run.target:
            missing = self.count(run.collection).missing
            wanted = [(key, code) for key, code in source.scan() if code in missing][: min(len(missing), call.most)]
            last, _ = source.scan()[-1] if len(wanted) == len(run.planned) else wanted[-1]
            run.target = {code for _, code in wanted if code}
            run.upper, run.most, run.identity = last, call.most, source.identity
        self.claim(session, by, call, compensating=False)

    def admit_undo(self, session: str, by: str, call: Call, *, asked: bool = False) -> None:
        run = self.runs[call.run]
        refuse(
            role_required=by not in OPERATORS,
            run_status=run.status in ("planned", "compensated") or not run.written,
            run_held=run.holder not in (None, session) or (not asked and self.rival(run)),
            dot_frozen=self.frozen,
            separation_of_duties=not asked and self.other_part(run.lineage, by, "execution"),
            contract_drift=self.contract != self.recorded,
            verdict_missing=self.verdict_missing(run, "COMPENSATE"),
            **self.permit_faults(call.permit, call.run, "COMPENSATE", len(run.written) - run.removed),
            **(self.transition_faults(run, "COMPENSATE") if run.purpose == "TRANSITION" else {}),
        )

    def begin_undo(self, session: str, by: str, call: Call) -> None:
        self.admit_undo(session, by, call)
        self.claim(session, by, call, compensating=True)

    def ask(self, session: str, by: str, call: Call, *, back: bool = False) -> None:
        """Answer as if it were begun, and change nothing."""
        own = self.admit_transition if self.runs[call.run].purpose == "TRANSITION" else self.admit
        (self.admit_undo if back else own)(session, by, call, asked=True)

    # --- a run goes on

    def gate(self, session: str, call: Call, purpose: str) -> None:
        """What every batch checks."""
        run = self.runs[call.run]
        refuse(
            run_status=run.status != "running" or run.compensating != (purpose == "COMPENSATE"),
            run_taken_over=run.holder != session,
            stop_requested=run.stop,
            dot_frozen=self.frozen,
            contract_drift=self.contract != self.recorded,
            verdict_missing=self.verdict_missing(run, purpose),
            **self.permit_faults(call.permit, call.run, purpose, 0),
        )

    def at(self, point: str, call: Call, meanwhile: Hook) -> None:
        self.in_flight = call.permit
        end = meanwhile(point)
        self.in_flight = None
        refuse(**{end: True} if end else {})

    def batch(self, session: str, call: Call, meanwhile: Hook) -> None:
        self.gate(session, call, "APPLY")
        self.write(call, call.size, meanwhile)

    def write(self, call: Call, size: int, meanwhile: Hook) -> None:
        """Write the codes of the next rows of the range; where there is no such row, prove the run."""
        run = self.runs[call.run]
        begun_with, count = set(run.written), self.count(run.collection)
        rows = [pair for pair in self.collections[run.collection].scan() if pair[0] <= run.upper]
        rows = [pair for pair in rows if run.marker is None or pair[0] > run.marker][:size]
        codes = {code for _, code in rows if code is not None}
        if begun_with != run.target:
            self.at("writing", call, meanwhile)
        if begun_with == run.target or not rows:
            refuse(source_changed=begun_with != run.target, code_foreign=count.foreign, code_duplicate=count.duplicates)
            run.status, run.holder, self.permits[run.permit or 0].status = "done", None, "CONSUMED"
            return
        new = codes & count.missing
        total = begun_with | new
        last = len(rows) < size or rows[-1][0] == run.upper or len(total) == len(run.target)
        refuse(
            code_foreign=codes & count.foreign,
            source_changed=len(total) > len(run.target) or (last and total != run.target),
            **self.permit_faults(call.permit, call.run, "APPLY", len(new)),
        )
        self.at("written", call, meanwhile)
        run.written, run.marker = total, rows[-1][0]
        run.visited, run.batches = run.visited + len(rows), run.batches + 1
        self.permits[run.permit or 0].spent += len(new)
        self.births |= dict.fromkeys(new, (run.collection, call.run))

    def undo_batch(self, session: str, call: Call, meanwhile: Hook) -> None:
        """Remove births of the run; which of them first is left open, see ``adopt``. With none left, prove it.

        Of a transition the policy of before comes back, under the checks of that move.
        """
        self.gate(session, call, "COMPENSATE")
        run = self.runs[call.run]
        if run.removed == len(run.written):
            run.status, run.holder, self.permits[run.permit or 0].status = "compensated", None, "CONSUMED"
            return
        rows = min(call.size, len(run.written) - run.removed)
        if run.purpose == "TRANSITION":
            refuse(**self.transition_faults(run, "COMPENSATE"))
        else:
            self.at("writing", call, meanwhile)
        refuse(**self.permit_faults(call.permit, call.run, "COMPENSATE", rows))
        self.at("written", call, meanwhile)
        if run.purpose == "TRANSITION":
            ((before, _, _),) = run.planned
            self.change(run.collection, before)
        run.removed, run.removals = run.removed + rows, run.removals + 1
        self.permits[run.permit or 0].spent += rows

    def adopt(self, number: int, left: set[str]) -> bool:
        """Take over what a compensation has left of a run, and say whether that can be."""
        run, births = self.runs[number], {code for code, (_, writer) in self.births.items() if writer == number}
        self.births = {code: birth for code, birth in self.births.items() if code in left or birth[1] != number}
        return left <= births and len(left) == len(run.written) - run.removed

    def step(self, session: str, call: Call, answer: str, meanwhile: Hook, *, back: bool = False) -> None:
        """Do one batch as the driver does it: what ends it is recorded, by the answer that was given."""
        try:
            (self.undo_batch if back else self.batch)(session, call, meanwhile)
        except Refused as refusal:
            if answer in refusal.reasons:
                self.outcome(session, call.run, answer)
            raise

    def call(self, session: str, by: str, call: Call, answer: str, meanwhile: Hook, *, back: bool = False) -> None:
        """Do what one CALL of a driver does."""
        if self.runs[call.run].purpose == "TRANSITION" and not back:
            self.transition(session, by, call)
            return
        (self.begin_undo if back else self.begin)(session, by, call)
        while self.runs[call.run].status == "running":
            self.step(session, call, answer, meanwhile, back=back)

    def alone(self, session: str, by: str, call: Call) -> None:
        """Do what the writer does without the driver: everything, or nothing."""
        before = deepcopy(vars(self))
        try:
            self.begin(session, by, call, alone=True)
            self.write(call, call.size, lambda _: None)
            self.write(call, 1, lambda _: None)
            refuse(driver_required=self.runs[call.run].status != "done")
        except Refused:
            vars(self).update(before)
            raise

    def outcome(self, session: str, number: int, reason: str) -> None:
        run = self.runs[number]
        if reason == "admin_shutdown":
            self.die(session)
        elif run.holder == session:
            run.status, run.reason = "stopped" if reason in STOPPING else "failed", STOPPING.get(reason, reason)
            run.failures += run.status == "failed"
            run.holder = None
            self.settle(number)

    # --- what others do to it

    def die(self, session: str) -> None:
        """End a session; its runs stay running, and nobody holds them."""
        for run in self.runs:
            run.holder = None if run.holder == session else run.holder

    def stop(self, number: int, by: str) -> None:
        run = self.runs[number]
        refuse(role_required=by not in OPERATORS, run_status=run.status != "running")
        run.stop = True
        if run.holder is None:
            run.status, run.reason = "stopped", "interrupted"
            self.settle(number)

    def take_over(self, number: int, by: str) -> None:
        run = self.runs[number]
        refuse(role_required=by not in DBAS, run_status=run.status != "running")
        run.status, run.reason, run.holder, run.epoch = "stopped", "taken over", None, run.epoch + 1

    def view(self) -> dict[str, Any]:
        """Return what the tables have to show."""
        return {
            "births": self.births,
            "policies": {name: (source.policy, source.version) for name, source in self.collections.items()},
            "transitions": [
                (number, before, version, to, "loosening" if before.loosened(to) else "tightening", run.removed > 0)
                for number, run in enumerate(self.runs)
                if run.purpose == "TRANSITION"
                for before, version, to in run.written
            ],
            "rows": {name: source.rows for name, source in self.collections.items()},
            "permits": [(p.run, p.purpose, p.status, p.most, p.spent, p.confirmed) for p in self.permits],
            "runs": [
                {
                    "number": number, "collection": r.collection, "purpose": r.purpose,
                    "status": r.status, "reason": r.reason,
                    "predecessor": r.predecessor, "counts": r.counts, "expected": len(r.target or r.planned),
                    "most": r.most, "written": len(r.written), "skipped": r.visited - len(r.written),
                    "removed": r.removed, "receipts": (r.batches, r.removals, r.visited), "epoch": r.epoch,
                    "held": r.holder is not None, "permit": r.permit, "executed_by": r.executed_by,
                }
                for number, r in enumerate(self.runs)
            ],
        }  # fmt: skip
