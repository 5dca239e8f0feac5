"""A value is only a value: prefixes, templates, codes, and all that a person may say with an act.

Each goes the whole way, from the plan to the undoing, and comes out as it went in; or the catalogue refuses it, with
the facts and the next step, and nothing has changed. PostgreSQL itself refuses two: a text with a NUL, and a key that
is too long for an index of the application's table.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest
from helpers import DBA, OPERATOR, OWNER, REVIEWER, STEWARD, Run, Scene, raised, refused, statement
from hypothesis import example, given, settings
from hypothesis import strategies as st
from psycopg.sql import SQL, Identifier
from security.hostile.identity import Identity, Valued, identities, rows_of
from security.hostile.records import clear_records
from security.hostile.text import BLANK, SAVED, WORDS

from birthdb import audit, errors
from birthdb.audit import evidence
from birthdb.errors import BirthError

APPLY = "dot-birth-backfill-apply"
#: What says something: no blank of any alphabet.
SAID = WORDS.filter(lambda text: any(c.isalnum() and c.isascii() for c in text))
ORIGINS = SAID.filter(lambda text: len(text.encode()) <= 63)
#: The words of a story: what is said of it, and what its births carry.
SAYINGS = (
    "findings",
    "reason",
    "revoked",
    "stopped",
    "taken over",
    "frozen",
    "thawed",
    "mode",
    "undo",
    "undone",
    "home",
)


def table_of(scene: Scene, identity: Identity, rows: Iterable[Valued]) -> None:
    """Make the table with its rows, and the collection of it."""
    columns = SQL(", ").join(SQL("{} {}").format(Identifier(n), SQL(t)) for n, t in identity.types.items())
    key = SQL(", ").join(map(Identifier, identity.types))
    scene.execute(SQL("CREATE TABLE public.thing ({}, PRIMARY KEY ({}))").format(columns, key))
    insert(scene, rows)
    scene.execute("GRANT SELECT ON public.thing TO birth_scanner; GRANT TRIGGER ON public.thing TO birth_definer")
    scene.ask(
        STEWARD,
        "fn_birth_collection_register",
        p_collection="thing",
        p_schema="public",
        p_table="thing",
        p_coverage_status="BIRTH_REQUIRED",
    )
    scene.ask(STEWARD, "fn_birth_identity_classify", p_collection="thing", **identity.parts)


def insert(scene: Scene, rows: Iterable[Valued]) -> None:
    for row in rows:
        values = SQL(", ").join(SQL("%s") for _ in row)
        scene.execute(SQL("INSERT INTO public.thing VALUES ({})").format(values), row)


def codes_of(identity: Identity, rows: Iterable[Valued]) -> list[str]:
    """Return the codes that the rows can have, in the order of the registry."""
    return sorted(filter(None, map(identity.code, rows)), key=str.encode)


def begun_and_lost(scene: Scene, run: Run, said: dict[str, str], origin: str) -> None:
    """Begin the run, ask it to stop, and take it from the session that began it."""
    begin = run.arguments(p_batch=2, p_dot_origin=origin)
    with scene.db.connect(OPERATOR) as holder:
        holder.execute(statement("SELECT", "fn_birth_run_begin", begin) + SQL(" /* sp_dot_birth_qt001_apply */"), begin)
        scene.ask(OPERATOR, "fn_birth_run_stop", p_run_id=run.run_id, p_reason=said["stopped"])
        scene.ask(DBA, "fn_birth_run_takeover", p_run_id=run.run_id, p_reason=said["taken over"])


def whole_way(scene: Scene, said: dict[str, str], origin: str) -> Run:
    """Plan, review, permit, revoke, permit again, begin, take over, freeze, unfreeze, run."""
    plan = scene.plan("thing")
    scene.review(plan["run_id"], p_findings=said["findings"])
    rows = plan["expected_delta"]
    first = scene.open_permit("thing", plan["run_id"], rows, p_reason=said["reason"])
    scene.ask(OWNER, "fn_birth_permit_revoke", p_permit_id=first, p_reason=said["revoked"])
    permit = scene.open_permit("thing", plan["run_id"], rows, p_reason=said["reason"])
    scene.confirm(permit)
    run = Run("thing", plan["run_id"], permit, rows, rows)
    begun_and_lost(scene, run, said, origin)
    scene.ask(OPERATOR, "fn_birth_dot_freeze", p_dot=APPLY, p_reason=said["frozen"])
    scene.ask(DBA, "fn_birth_dot_unfreeze", p_dot=APPLY, p_reason=said["thawed"])
    scene.ask(DBA, "fn_birth_home_confirm", p_reason=said["home"])
    scene.apply(run, batch=2, p_dot_origin=origin)
    assert scene.status(run) == ("done", None)
    return run


def proven(scene: Scene, run: Run, file: Path) -> dict[str, Any]:
    """Export the run, births included, and check the file as an auditor does, and the database; return the document."""
    file.write_text("".join(evidence.export_births(scene.session(OPERATOR), run.run_id)), encoding="utf-8")
    assert [found for found in audit.check(audit.read(file)) if not found["ok"]] == []
    assert [row for row in scene.ask(OPERATOR, "fn_birth_run_audit") if not row["pass"]] == []
    assert scene.disagreements() == []
    document = audit.read(file).document
    assert json.loads(json.dumps(document)) == document
    return document


def clear(scene: Scene) -> None:
    scene.execute("DROP TABLE IF EXISTS public.thing")
    clear_records(scene.admin)


def test_a_backfill_keeps_hostile_texts_unchanged(scene: Scene, tmp_path: Path) -> None:
    def story(identity: Identity, rows: list[Valued], live: list[Valued], said: dict[str, str], origin: str) -> None:
        table_of(scene, identity, rows)
        codes = codes_of(identity, rows)
        assert scene.examine("thing")["planned_rows"] == len(codes)
        if not codes:
            with scene.unchanged(), refused(errors.NothingToDo):
                scene.plan("thing")
            return
        run = whole_way(scene, said, origin)
        assert scene.codes(run) == codes
        document = proven(scene, run, tmp_path / "run")
        assert document["run"]["dot_origin"] == origin
        assert {verdict["findings"] for verdict in document["verdicts"]} == {said["findings"]}
        assert {permit["reason"] for permit in document["permits"]} == {said["reason"]}
        assert {act["reason"] for act in document["acts"]} >= {said[w] for w in ("revoked", "stopped", "taken over")}
        acts = scene.rows("SELECT reason FROM birth.birth_act WHERE act IN ('freeze', 'unfreeze', 'home')")
        assert {said[word] for word in ("frozen", "thawed", "home")} <= {row["reason"] for row in acts}

        scene.ask(STEWARD, "fn_birth_gateway_attach", p_collection="thing")
        scene.ask(STEWARD, "fn_birth_gateway_mode", p_collection="thing", p_mode="enforce", p_reason=said["mode"])
        for row in live:
            if identity.code(row) is None:
                with scene.unchanged(), refused(errors.GatewayNoIdentity):
                    insert(scene, [row])
            else:
                insert(scene, [row])
        scene.review(run.run_id, p_purpose="COMPENSATE", p_findings=said["undo"])
        permit = scene.open_permit("thing", run.run_id, run.delta, p_purpose="COMPENSATE", p_reason=said["undone"])
        scene.confirm(permit)
        scene.compensate(run.under(permit), batch=2)
        born = scene.rows("SELECT entity_code FROM birth.birth_registry ORDER BY 1")
        assert [row["entity_code"] for row in born] == codes_of(identity, live)
        proven(scene, run, tmp_path / "undone")

    @settings(SAVED, max_examples=8)
    @given(st.data(), identities(), st.fixed_dictionaries(dict.fromkeys(SAYINGS, SAID)), ORIGINS)
    def property_holds(data: st.DataObject, identity: Identity, said: dict[str, str], origin: str) -> None:
        rows = data.draw(rows_of(identity))
        try:
            story(identity, rows[1:], rows[:1], said, origin)
        finally:
            clear(scene)

    property_holds()


#: The grammar of templates, as its page has it.
LITERAL, COLUMN = re.compile(r"(?:[^{}]|\{\{|\}\})+"), re.compile(r"\{([^{}:]+)(?::0[1-9][0-9]?)?\}")
PARTS = ["{", "}", "{{", "}}", "{n}", "{t}", "{n:04}", "{t:04}", "{x}", ":", "0", "'", "\\", "%I", "\n"]
TEMPLATES = st.one_of(
    st.lists(st.sampled_from(PARTS)).map("".join),
    st.tuples(WORDS, WORDS).map(lambda two: f"{two[0]}{{n}}{two[1]}"),
)


def read(template: str) -> tuple[list[str], int, int] | None:
    """Return a template's columns as they stand in it, its bytes of text and its pieces; None if it is none."""
    place, columns, text, pieces = 0, list[str](), 0, 0
    while place < len(template):
        found = LITERAL.match(template, place) or COLUMN.match(template, place)
        if found is None:
            return None
        if found.re is COLUMN:
            columns.append(found[0][1:-1])
        else:
            text += len(found[0].replace("{{", "{").replace("}}", "}").encode())
        place, pieces = found.end(), pieces + 1
    return (columns, text, pieces) if columns else None


def test_any_text_is_a_valid_template_or_is_refused_with_a_hint(scene: Scene) -> None:
    scene.execute("CREATE TABLE public.thing (n integer, t text, UNIQUE (n), UNIQUE (t))")
    scene.govern("thing", "column", column="t")

    @settings(SAVED, max_examples=40)
    @given(TEMPLATES)
    @example("{n}" + "{t}" * 99)
    @example("{n}" + "{t}" * 100)
    @example("{n}" + "{t}" * 20_000)
    @example("{n}" + "x" * 512)
    @example("{n}" + "é" * 257)
    @example("{" * 100_000)
    def property_holds(template: str) -> None:
        def classify() -> None:
            scene.ask(
                STEWARD, "fn_birth_identity_classify", p_collection="thing", p_strategy="legacy", p_template=template
            )

        known = read(template)
        if known is None or known[1] > 512 or known[2] > 100:
            with scene.unchanged(), refused(errors.IdentityMalformed) as told:
                classify()
            assert len(str(told.value.diag.message_detail)) < 400
        elif set(known[0]) <= {"n", "t", "n:04"}:
            classify()
            assert scene.examine("thing")["source_rows"] == 0
        else:
            with scene.unchanged(), refused(errors.IdentityNotEligible):
                classify()

    property_holds()


#: Who may say something with an act, in an order in which all can: by which routine, what with, what refuses a blank.
ACTS: list[tuple[str, str, dict[str, Any], type[BirthError]]] = [
    (REVIEWER, "fn_birth_review_record", {"p_verdict": "SAFE"}, errors.VerdictMalformed),
    (OPERATOR, "fn_birth_dot_freeze", {"p_dot": APPLY}, errors.BadArgument),
    (DBA, "fn_birth_dot_unfreeze", {"p_dot": APPLY}, errors.BadArgument),
    (STEWARD, "fn_birth_gateway_mode", {"p_collection": "item", "p_mode": "observe"}, errors.BadArgument),
    (STEWARD, "fn_birth_gateway_detach", {"p_collection": "item"}, errors.BadArgument),
    (DBA, "fn_birth_home_confirm", {}, errors.BadArgument),
    (OWNER, "fn_birth_permit_open", {"p_collection": "item", "p_max_rows": 1}, errors.PermitTerms),
    (OWNER, "fn_birth_permit_revoke", {}, errors.BadArgument),
]


def test_reasons_are_kept_verbatim_and_blank_ones_refused(scene: Scene) -> None:
    scene.collection()
    scene.ask(STEWARD, "fn_birth_gateway_attach", p_collection="item")
    run = scene.plan("item")["run_id"]
    tomorrow = scene.value("SELECT now() + interval '1 day'")

    def say(person: str, routine: str, other: dict[str, Any], text: str, permit: int) -> int:
        """Do the act; return the permit that is open then."""
        more: dict[str, Any] = {
            "fn_birth_review_record": {"p_run_id": run, "p_findings": text},
            "fn_birth_permit_open": {"p_run_id": run, "p_expires_at": tomorrow, "p_reason": text},
            "fn_birth_permit_revoke": {"p_permit_id": permit, "p_reason": text},
        }.get(routine, {"p_reason": text})
        (row,) = scene.ask(person, routine, **other, **more)
        return int(row["permit_id"]) if routine == "fn_birth_permit_open" else permit

    def kept(text: str) -> None:
        last, permit = scene.value("SELECT max(act_id) FROM birth.birth_act"), 0
        for person, routine, other, _ in ACTS:
            permit = say(person, routine, other, text, permit)
        told = scene.rows("SELECT reason FROM birth.birth_act WHERE act_id > %s AND act <> 'review'", (last,))
        assert [row["reason"] for row in told] == [text] * (len(ACTS) - 1)
        assert scene.value("SELECT findings FROM birth.birth_review ORDER BY review_id DESC LIMIT 1") == text
        for person, routine in ((OPERATOR, "fn_birth_run_stop"), (DBA, "fn_birth_run_takeover")):
            with refused(errors.RunStatus):
                scene.ask(person, routine, p_run_id=run, p_reason=text)

    def blank(text: str) -> None:
        with scene.unchanged():
            for person, routine, other, refusal in ACTS:
                with refused(refusal):
                    say(person, routine, other, text, 1)
            for person, routine in ((OPERATOR, "fn_birth_run_stop"), (DBA, "fn_birth_run_takeover")):
                with refused(errors.BadArgument):
                    scene.ask(person, routine, p_run_id=run, p_reason=text)

    @settings(SAVED, max_examples=20)
    @given(WORDS)
    @example("")
    @example("\n")
    @example("\t\v\f\r")
    @example("x" * 1_000_000)
    def property_holds(text: str) -> None:
        # Which characters of other alphabets are blank, the database's locale says; it says so to every act.
        said = scene.value("SELECT %s ~ '[^[:space:]]'", (text,))
        assert said or not any(c.isalnum() for c in text)
        assert not said or text.strip(BLANK)
        (kept if said else blank)(text)

    property_holds()


#: Who may ask for something by a name, and what they are told of one that is not there.
ASKED: list[tuple[type[BirthError], str, str, str, dict[str, Any]]] = [
    (errors.UnknownCollection, OPERATOR, "fn_dot_birth_qt001_plan", "p_collection", {}),
    (errors.UnknownCollection, OPERATOR, "fn_dot_birth_qt001_plan", "p_collection", {"p_dry_run": False}),
    (errors.UnknownCollection, OPERATOR, "fn_dot_birth_qt001_rehearse", "p_collection", {}),
    (errors.UnknownCollection, OPERATOR, "fn_birth_census", "p_collection", {}),
    (errors.UnknownCollection, OPERATOR, "fn_birth_resolve_identity", "p_collection", {"p_row": "{}"}),
    (errors.UnknownCollection, OPERATOR, "fn_birth_register", "p_collection", {"p_codes": ["x"], "p_dot_origin": "x"}),
    (errors.UnknownCollection, STEWARD, "fn_birth_identity_classify", "p_collection", {"p_strategy": "column"}),
    (errors.UnknownCollection, STEWARD, "fn_birth_gateway_attach", "p_collection", {}),
    (
        errors.UnknownCollection,
        STEWARD,
        "fn_birth_gateway_mode",
        "p_collection",
        {"p_mode": "observe", "p_reason": "x"},
    ),
    (errors.UnknownCollection, STEWARD, "fn_birth_gateway_detach", "p_collection", {"p_reason": "x"}),
    (errors.DotUnknown, OPERATOR, "fn_birth_dot_freeze", "p_dot", {"p_reason": "x"}),
    (errors.DotUnknown, DBA, "fn_birth_dot_unfreeze", "p_dot", {"p_reason": "x"}),
    (errors.BadArgument, STEWARD, "fn_birth_gateway_mode", "p_mode", {"p_collection": "item", "p_reason": "x"}),
    (errors.BadArgument, STEWARD, "fn_birth_gateway_attach", "p_mode", {"p_collection": "item"}),
    (errors.IdentityMalformed, STEWARD, "fn_birth_identity_classify", "p_strategy", {"p_collection": "item"}),
    (
        errors.IdentityNotEligible,
        STEWARD,
        "fn_birth_identity_classify",
        "p_column",
        {"p_collection": "item", "p_strategy": "column"},
    ),
]


def test_any_unknown_name_is_refused_with_a_catalogue_error(scene: Scene) -> None:
    scene.collection()

    @settings(SAVED, max_examples=20)
    @given(WORDS.filter(lambda text: text not in {"item", "id", "note"}))
    @example("x" * 64)
    @example("é" * 100_000)
    def property_holds(text: str) -> None:
        with scene.unchanged():
            for refusal, person, routine, argument, other in ASKED:
                with refused(refusal):
                    scene.ask(person, routine, **other, **{argument: text})

    property_holds()


LENGTHS = ["a" * n for n in (1, 511, 512, 513, 2704, 2705, 100_000)] + ["é" * 256, "é" * 257, "日" * 170, "日" * 171]


def test_a_code_of_any_length_gets_a_birth_or_is_refused(scene: Scene, tmp_path: Path) -> None:
    scene.execute("CREATE TABLE public.thing (code text PRIMARY KEY)")
    scene.execute("INSERT INTO public.thing SELECT unnest(%s::text[])", (LENGTHS,))
    scene.govern("thing", "column", column="code")
    short = sorted((code for code in LENGTHS if len(code.encode()) <= 512), key=str.encode)
    plan = scene.examine("thing")
    assert (plan["planned_rows"], plan["unresolvable"]) == (len(short), len(LENGTHS) - len(short))
    run = scene.permitted("thing")
    scene.apply(run, batch=1)
    assert scene.codes(run) == short
    proven(scene, run, tmp_path / "run")

    scene.ask(STEWARD, "fn_birth_gateway_attach", p_collection="thing", p_mode="enforce")
    for code in LENGTHS:
        fits = code in short
        resolved = scene.ask_one(
            OPERATOR, "fn_birth_resolve_identity", p_collection="thing", p_row=json.dumps({"code": code})
        )
        assert resolved["entity_code"] == (code if fits else None)
        if not fits:
            with scene.unchanged(), refused(errors.GatewayNoIdentity):
                scene.execute("INSERT INTO public.thing VALUES (%s)", (f"{code}.",))
            with scene.unchanged(), refused(errors.CodeMissing):
                scene.ask(OPERATOR, "fn_birth_register", p_collection="thing", p_codes=[code], p_dot_origin="x")
    scene.ask(STEWARD, "fn_birth_gateway_mode", p_collection="thing", p_mode="observe", p_reason="they come")
    scene.execute("INSERT INTO public.thing SELECT code || '.' FROM public.thing WHERE octet_length(code) > 512")
    assert scene.value("SELECT sum(row_count) FROM birth.birth_gateway_finding") == len(LENGTHS) - len(short)
    scene.compensate(scene.compensable(run), batch=1)
    assert scene.births() == 0


def test_data_that_postgresql_rejects_leaves_no_trace(scene: Scene) -> None:
    scene.collection("thing", 1)
    scene.execute("CREATE TABLE public.long (code text PRIMARY KEY)")
    scene.govern("long", "column", column="code")
    scene.ask(STEWARD, "fn_birth_gateway_attach", p_collection="long")
    noise = "".join(map(chr, Random(1).choices(range(0x4E00, 0x9000), k=3000)))
    with scene.unchanged():
        # Longer than an entry of the source's own index.
        with raised("54000"):
            scene.execute("INSERT INTO public.long VALUES (%s)", (noise,))
        with raised("22021"):
            scene.execute(b"SELECT * FROM birth.fn_birth_census(E'\\x00')")
        with raised("22P05"):
            scene.ask(OPERATOR, "fn_birth_resolve_identity", p_collection="thing", p_row='{"id": "\\u0000"}')
        # The driver does not even send it.
        with pytest.raises(psycopg.DataError):
            scene.plan("\0")
        with pytest.raises(UnicodeEncodeError):
            scene.plan("\ud800")
