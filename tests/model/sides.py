"""Database and model, side by side: a move is made in the one, judged by the other, and everything is compared."""

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

import psycopg
from helpers import DBA, OPERATOR, OWNER, REVIEWER, STEWARD, Run, statement
from model.model import Call, Collection, Model, Policy, Refused
from model.stage import COLLECTIONS, IDENTITIES, LOCK_TIMEOUT, STATUSES, Stage, reason
from psycopg.sql import SQL, Composed, Identifier
from psycopg.types.json import Jsonb

Row = tuple[int, str | None]


class Disagreement(AssertionError):
    """Database and model do not agree; one of them is wrong."""


def insist(holds: object, otherwise: str) -> None:
    if not holds:
        raise Disagreement(otherwise)


class Move(NamedTuple):
    """What is done to the database, and what the model says of it, told the answer; both may return a result."""

    name: str
    do: Callable[[], Any]
    says: Callable[[str], Any]


class Sides:
    """Both sides of one walk, and the moves that can be made."""

    stage: ClassVar[Stage]

    def __init__(self) -> None:
        self.scene = self.stage.scene
        self.model = Model({name: Collection("column", "observe") for name in COLLECTIONS})
        #: What the database has shown last; runs and permits are known by their numbers there.
        self.seen: dict[str, Any] = {}
        self.run_ids: list[UUID] = []
        self.permit_ids: list[int] = []
        #: Which session holds a run by hand, and what it calls the writer with.
        self.hands: dict[str, Call] = {}
        #: Which contract is there, and which is recorded.
        self.contract = self.recorded = 0
        self.frozen = False

    # --- judging

    def judge(self, move: Move, *, compare: bool = True) -> bool:
        """Make a move, hear the model, compare everything; return whether it was done."""
        answer, result = self.attempt(move)
        self.agree(move, answer, result)
        if compare:
            self.compare(move.name)
        return answer == "done"

    def attempt(self, move: Move) -> tuple[str, Any]:
        """Make a move and return what the database said."""
        answer, result = "done", None
        try:
            result = move.do()
        except psycopg.Error as error:
            answer = reason(error)
        self.stage.answers[move.name, answer] += 1
        return answer, result

    def agree(self, move: Move, answer: str, result: Any) -> Any:
        """Hold the database's answer against the model's."""
        try:
            expected = move.says(answer)
        except Refused as refusal:
            insist(answer in refusal.reasons, f"{move.name}: database says {answer}, model {refusal}")
            return None
        insist(answer == "done", f"{move.name}: database says {answer}, model allows it")
        insist(result in (None, expected), f"{move.name}: database answers {result}, model {expected}")
        return expected

    def compare(self, after: str) -> None:
        """Hold the tables against the model, and against what holds always."""
        self.seen = self.stage.observe(self.run_ids, self.permit_ids)
        for number, run in enumerate(self.model.runs):
            if run.compensating and run.purpose == "APPLY":
                left = {code for code, (_, writer) in self.seen["births"].items() if writer == number}
                insist(self.model.adopt(number, left), f"after {after}, of run {number} is left: {left}")
        for part, expected in self.model.view().items():
            found = self.seen[part]
            insist(found == expected, f"after {after}, {part}: database {found}, model {expected}")
        if self.stage.touched():
            broken = self.stage.scene.unsound()
            insist(not broken, f"after {after}: {broken}")

    # --- what is meant

    def purpose(self, run: int, purpose: str) -> str:
        """Return what a verdict or permit is for: the run's own purpose, or its undoing."""
        own: str = self.seen["runs"][run]["purpose"]
        return purpose if purpose == "COMPENSATE" else own

    def runs(self, purpose: str, *over: str) -> list[int]:
        """Return the runs of a purpose that are not over."""
        return [n for n, row in enumerate(self.seen["runs"]) if row["purpose"] == purpose and row["status"] not in over]

    def births(self, name: str) -> int:
        return sum(owner == name for owner, _ in self.seen["births"].values())

    def permit_of(self, run: int, purpose: str = "APPLY") -> int | None:
        """Return the newest permit of a run."""
        purpose = self.purpose(run, purpose)
        found = [n for n, permit in enumerate(self.seen["permits"]) if tuple(permit[:2]) == (run, purpose)]
        return found[-1] if found else None

    def permit_id(self, permit: int | None) -> int:
        return 0 if permit is None else self.permit_ids[permit]

    def call(self, run: int, size: int, purpose: str = "APPLY", amiss: str | None = None) -> Call:
        """Return what an operator would send, who reads the numbers off the ledger and the permit, or misreads one."""
        row, permit = self.seen["runs"][run], self.permit_of(run, purpose)
        purpose = self.purpose(run, purpose)
        if amiss == "permit of another":
            others = [
                n for n, p in enumerate(self.seen["permits"]) if tuple(p[:2]) != (run, purpose) and p[2] == "OPEN"
            ]
            permit = others[-1] if others else permit
        most = row["most"] or (self.seen["permits"][permit][3] if permit is not None else 5)
        most += amiss == "larger bound"
        delta = min(row["expected"], most) + {"one more": 1, "one fewer": -1}.get(amiss or "", 0)
        return Call(run, permit, max(1, delta), most, size)

    def arguments(self, call: Call) -> dict[str, object]:
        permit_id = self.permit_id(call.permit)
        collection = self.seen["runs"][call.run]["collection"]
        return Run(collection, self.run_ids[call.run], permit_id, call.delta, call.most).arguments()

    # --- moves

    def asks(self, name: str, by: str, routine: str, says: Callable[[], Any], /, **arguments: Any) -> Move:
        def do() -> None:
            self.scene.ask(by, routine, **arguments)

        return Move(name, do, lambda _: says())

    def by_hand(self, by: str, routine: str, given: dict[str, Any]) -> Any:
        """Return the first value of what the driver calls, called as if by the driver."""
        query = statement("SELECT * FROM", routine, given) + SQL(" /* sp_dot_birth_qt001_apply */")
        return self.scene.rows(query, given, person=by)[0]

    def plans(self, name: str, by: str) -> Move:
        def do() -> None:
            self.run_ids.append(self.scene.plan(name, by=by)["run_id"])

        return Move("plan", do, lambda _: self.model.plan(name, by))

    def reviews(
        self,
        run: int,
        by: str = REVIEWER,
        purpose: str = "APPLY",
        *,
        safe: bool = True,
        accept: bool = True,
        names: bool = True,
    ) -> Move:
        row, purpose = self.seen["runs"][run], self.purpose(run, purpose)
        accepts = (self.births(row["collection"]) if row["purpose"] == "TRANSITION" else row["counts"][2]) * accept
        given = {
            "p_run_id": self.run_ids[run],
            "p_verdict": "SAFE" if safe else "NOT_SAFE_NEEDS_FIX",
            "p_findings": "read",
            "p_accept_orphans": accepts,
            "p_purpose": purpose,
            "p_supersedes": self.against(run, purpose) if safe and names else None,
        }

        def says() -> None:
            self.model.review(run, purpose, by, safe=safe, accepts=accepts, names=names)

        return self.asks("review", by, "fn_birth_review_record", says, **given)

    def against(self, run: int, purpose: str) -> list[int]:
        """Return the verdicts that stand against a run."""
        purpose = self.purpose(run, purpose)
        standing = "SELECT review_id FROM birth.v_birth_verdict_standing WHERE verdict <> 'SAFE'"
        rows = self.scene.rows(f"{standing} AND run_id = %s AND purpose = %s", (self.run_ids[run], purpose))
        return [row["review_id"] for row in rows]

    def opens(self, run: int, rows: int | None, by: str = OWNER, purpose: str = "APPLY") -> Move:
        row, purpose = self.seen["runs"][run], self.purpose(run, purpose)
        left = row["written"] - row["removed"] if purpose == "COMPENSATE" else row["expected"] - row["written"]
        most = left if rows is None else rows

        def do() -> None:
            collection, run_id = row["collection"], self.run_ids[run]
            self.permit_ids.append(self.scene.open_permit(collection, run_id, most, by=by, p_purpose=purpose))

        return Move("permit", do, lambda _: self.model.open_permit(run, purpose, most, by))

    def confirms(self, permit: int, by: str = REVIEWER) -> Move:
        return self.asks(
            "confirm",
            by,
            "fn_birth_permit_confirm",
            lambda: self.model.confirm(permit, by),
            p_permit_id=self.permit_ids[permit],
        )

    def revokes(self, permit: int | None, by: str = OWNER) -> Move:
        return self.asks(
            "revoke", by, "fn_birth_permit_revoke", lambda: self.model.revoke(permit, by),
            p_permit_id=self.permit_id(permit), p_reason="changed our mind",
        )  # fmt: skip

    def stops(self, run: int, by: str = OPERATOR) -> Move:
        return self.asks(
            "stop",
            by,
            "fn_birth_run_stop",
            lambda: self.model.stop(run, by),
            p_run_id=self.run_ids[run],
            p_reason="enough",
        )

    def freezes(self) -> Move:
        def do() -> None:
            self.frozen = not self.frozen
            routine, by = ("fn_birth_dot_freeze", OPERATOR) if self.frozen else ("fn_birth_dot_unfreeze", DBA)
            for dot in ("dot-birth-backfill-apply", "dot-birth-transition-apply"):
                self.scene.ask(by, routine, p_dot=dot, p_reason="a pause")

        def says(_: str) -> None:
            self.model.frozen = self.frozen

        return Move("freeze or unfreeze", do, says)

    def drifts(self) -> Move:
        def do() -> None:
            self.contract = 1 - self.contract
            self.stage.redefine(self.contract)

        def says(_: str) -> None:
            self.model.contract = self.contract

        return Move("drift or repair", do, says)

    def arrives(self, name: str, rows: list[Row]) -> Move:
        """Have rows come in late, past the gateway; the place of some is taken."""
        query = SQL(
            "INSERT INTO public.{} SELECT * FROM unnest(%s::integer[], %s::text[]) ON CONFLICT DO NOTHING"
        ).format(Identifier(name))
        columns = [row for row, _ in rows], [text for _, text in rows]
        return Move("arrive", lambda: self.stage.change(query, columns), lambda _: self.model.arrive(name, rows))

    def clears(self, name: str) -> Move:
        query = SQL("DELETE FROM public.{}").format(Identifier(name))
        return Move("clear", lambda: self.stage.change(query), lambda _: self.model.clear(name))

    def inserts(self, name: str, rows: list[Row], *, gateway: bool) -> Move:
        query = SQL("INSERT INTO public.{} SELECT * FROM unnest(%s::integer[], %s::text[])").format(Identifier(name))
        columns = [row for row, _ in rows], [text for _, text in rows]
        return Move(
            "insert" if gateway else "insert past the gateway",
            lambda: self.stage.change(query, columns, gateway=gateway),
            lambda _: self.model.insert(name, rows, gateway=gateway),
        )

    def deletes(self, name: str, row: int) -> Move:
        query = SQL("DELETE FROM public.{} WHERE id = %s").format(Identifier(name))
        return Move("delete", lambda: self.stage.change(query, (row,)), lambda _: self.model.delete(name, row))

    def renames(self, name: str, row: int, to: str | None) -> Move:
        query = SQL("UPDATE public.{} SET name = %s WHERE id = %s").format(Identifier(name))
        return Move("rename", lambda: self.stage.change(query, (to, row)), lambda _: self.model.rename(name, row, to))

    def driven(self, call: Call, *, back: bool, execute: bool = True) -> tuple[Composed, dict[str, object]]:
        """Return the CALL and what it is given."""
        given = self.arguments(call) | {"p_batch": call.size, "p_execute": execute}
        routine, names = "sp_dot_birth_qt001_apply", list(given)
        if back:
            routine, names = "sp_dot_birth_qt001_compensate", ["p_run_id", "p_permit_id", "p_batch", "p_execute"]
        elif self.seen["runs"][call.run]["purpose"] == "TRANSITION":
            routine, names = "sp_dot_birth_qt005_apply", ["p_run_id", "p_permit_id", "p_execute"]
        given = {name: given[name] for name in names}
        return statement("CALL", routine, given), given

    def meant(self, call: Call, *, back: bool) -> str:
        """Return what a CALL is called: each purpose has checks of its own."""
        transition = " a transition" if self.seen["runs"][call.run]["purpose"] == "TRANSITION" else ""
        return ("undo" if back else "call") + transition

    def asks_first(self, call: Call, by: str, *, back: bool = False) -> Move:
        """Send a CALL that is not to execute anything."""
        query, given = self.driven(call, back=back, execute=False)

        def do() -> None:
            self.stage.driver(by).execute(query, given)

        name = "ask " + self.meant(call, back=back)
        return Move(name, do, lambda _: self.model.ask(f"{by}, driving", by, call, back=back))

    def calls(
        self, call: Call, by: str, nested: Move | None = None, point: str = "writing", *, back: bool = False
    ) -> Move:
        """Send a CALL; in the middle of its first batch, something else may happen."""
        conn, heard = self.stage.driver(by), []
        query, given = self.driven(call, back=back)

        def do() -> None:
            if nested is None:
                conn.execute(query, given)
            else:
                self.stage.held_up(conn, query, given, point, lambda: heard.append(self.attempt(nested)))

        def says(answer: str) -> None:
            told: list[tuple[str, Any]] = []

            def meanwhile(reached: str) -> str | None:
                if nested is None or reached != point or told:
                    return None
                told.extend(heard)
                insist(heard, f"the model comes to {point}, the database did not")
                end: str | None = self.agree(nested, *told[0])
                # On a busy machine a batch may be held up for longer than it waits for a lock.
                return answer if answer == "lock_not_available" and self.stage.held_for >= LOCK_TIMEOUT else end

            try:
                self.model.call(f"{by}, driving", by, call, answer, meanwhile, back=back)
            except Refused as refusal:
                insist(told == heard, f"the database came to {point}, the model does not: {refusal}")
                raise
            insist(told == heard, f"the database came to {point}, the model does not")

        return Move(self.meant(call, back=back), do, says)

    def cancels(self, by: str) -> Move:
        """Cancel what a person's driver is doing."""
        conn = self.stage.driver(by)
        return Move("cancel", lambda: self.stage.cancel(conn), lambda _: "query_canceled")

    def terminates(self, by: str) -> Move:
        """End the session in which a person's driver is at work."""
        conn = self.stage.driver(by)
        return Move("terminate", lambda: self.stage.terminate(conn), lambda _: "admin_shutdown")

    def begins(self, call: Call, by: str) -> Move:
        """Begin a run by hand, as the driver does: its batches then come one by one."""
        given = self.arguments(call) | {"p_batch": call.size, "p_dot_origin": "dot-birth-backfill-apply"}

        def do() -> None:
            self.by_hand(by, "fn_birth_run_begin", given)
            self.hands[by] = call

        return Move("begin", do, lambda _: self.model.begin(by, by, call))

    def steps(self, by: str) -> Move:
        """Write a batch of a run that was begun by hand, and record what ends it, as the driver does."""
        call = self.hands[by]
        permit_id, run_id = self.permit_id(call.permit), self.run_ids[call.run]
        given = {"p_run_id": run_id, "p_permit_id": permit_id, "p_purpose": "APPLY", "p_batch": call.size}

        def do() -> None:
            row = self.by_hand(by, "fn_birth_run_step", given)
            if row["error"] is not None or row["status"] == "done":
                del self.hands[by]
                self.by_hand(by, "fn_birth_run_leave", {"p_run_id": run_id})
            if row["error"] is not None:
                self.scene.rows("SELECT birth.fn_birth_refuse(%s)", (Jsonb(row["error"]),), person=by)

        return Move("batch", do, lambda answer: self.model.step(by, call, answer, lambda _: None))

    def writes(self, call: Call, by: str) -> Move:
        """Call the writer without the driver."""
        given = self.arguments(call) | {"p_batch_size": call.size, "p_dry_run": False, "p_execute": True}
        return self.asks("write", by, "fn_dot_birth_qt001_apply", lambda: self.model.alone(by, by, call), **given)

    def rehearses(self, name: str, by: str, most: int) -> Move:
        def do() -> tuple[int, int]:
            row = self.scene.ask_one(by, "fn_dot_birth_qt001_rehearse", p_collection=name, p_max_rows=most)
            return row["actual_inserted"], row["rerun_delta"]

        return Move("rehearse", do, lambda _: self.model.rehearse(name, most, by))

    def kills(self, by: str) -> Move:
        """End the session that may hold a run between two batches."""

        def do() -> None:
            self.hands.pop(by, None)
            self.stage.terminate(self.scene.session(by))
            self.scene.session(by).close()

        return Move("kill", do, lambda _: self.model.die(by))

    def takes_over(self, run: int, by: str) -> Move:
        return self.asks(
            "take over", by, "fn_birth_run_takeover", lambda: self.model.take_over(run, by),
            p_run_id=self.run_ids[run], p_reason="nobody is there",
        )  # fmt: skip

    def expires(self, permit: int) -> Move:
        return Move("expire", lambda: self.scene.expire(self.permit_ids[permit]), lambda _: self.model.expire(permit))

    def classifies(self, name: str, identity: str) -> Move:
        given = {"p_collection": name, "p_strategy": identity} | IDENTITIES[identity]
        return self.asks(
            "classify", STEWARD, "fn_birth_identity_classify", lambda: self.model.classify(name, identity), **given
        )

    def plans_transition(self, name: str, to: Policy, by: str = OPERATOR) -> Move:
        def do() -> None:
            given = {"p_collection": name, "p_to_status": STATUSES[to.status], "p_to_governed": to.governed}
            row = self.scene.ask_one(by, "fn_dot_birth_qt005_plan", **given, p_dry_run=False)
            self.run_ids.append(row["run_id"])

        return Move("plan a transition", do, lambda _: self.model.plan_transition(name, to, by))

    def transits(self, name: str, to: Policy) -> Move:
        """Change a policy from plan to execution, by its three people, in one move."""
        accepts = self.births(name)

        def do() -> None:
            self.plans_transition(name, to).do()
            run_id = self.run_ids[-1]
            self.scene.review(run_id, p_accept_orphans=accepts)
            permit_id = self.scene.open_permit(name, run_id, 1)
            self.permit_ids.append(permit_id)
            self.scene.confirm(permit_id)
            given = {"p_run_id": run_id, "p_permit_id": permit_id, "p_execute": True}
            self.stage.driver(OPERATOR).execute(statement("CALL", "sp_dot_birth_qt005_apply", given), given)

        def says(_: str) -> None:
            self.model.plan_transition(name, to, OPERATOR)
            run = len(self.model.runs) - 1
            self.model.review(run, "TRANSITION", REVIEWER, safe=True, accepts=accepts, names=True)
            self.model.open_permit(run, "TRANSITION", 1, OWNER)
            permit = len(self.model.permits) - 1
            self.model.confirm(permit, REVIEWER)
            self.model.call(f"{OPERATOR}, driving", OPERATOR, Call(run, permit, 1, 1, 1), "", lambda _: None)

        return Move("policy", do, says)

    def switches(self, name: str, mode: str) -> Move:
        def says() -> None:
            self.model.collections[name].mode = mode

        given = {"p_collection": name, "p_mode": mode, "p_reason": "a trial"}
        return self.asks("mode", STEWARD, "fn_birth_gateway_mode", says, **given)

    def renews(self) -> Move:
        """Release another contract."""

        def do() -> None:
            self.contract = self.recorded = 1 - self.contract
            self.stage.redefine(self.contract)
            self.scene.record_contract()

        def says(_: str) -> None:
            self.model.contract = self.model.recorded = self.contract

        return Move("renew", do, says)
