"""The collections that a repository declares in ``birthdb.toml``, against those of a database (specification, 4.2).

``read`` returns what a file declares, ``found`` what a database has, both as ``Collection``. ``differences`` compares
the two, and ``next_step`` names the one statement that comes next, so that whoever applies a file asks again after each
statement and never holds a list that has become wrong. Nothing here decides what the routines decide: a statement that
the database refuses is reported as it was refused.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, LiteralString, cast

import psycopg
from psycopg.rows import dict_row

from birthdb import api
from birthdb.api import Connection
from birthdb.errors import BirthError, SourcePrivilege

REQUIRED = "BIRTH_REQUIRED"
EXEMPT = "BIRTH_EXEMPT_"

#: What a collection may say; what it leaves out is said by ``[defaults]``, else by the class.
_DEFAULTS = ("policy", "governed", "mode", "life")


class DeclarationError(Exception):
    """The file declares nothing that can be compared: the message names the place, and what may stand there."""


@dataclass(frozen=True)
class Code:
    """An identity as ``fn_birth_identity_classify`` takes it."""

    column: str | None = None
    prefix: str | None = None
    template: str | None = None

    @property
    def arguments(self) -> dict[str, str]:
        """The arguments that say it, with the strategy."""
        strategy = "legacy" if self.template else "synthetic_id" if self.prefix else "column"
        parts = {"column": self.column, "prefix": self.prefix, "template": self.template}
        return {"p_strategy": strategy} | {f"p_{name}": part for name, part in parts.items() if part is not None}

    @property
    def text(self) -> str | None:
        """It as a template; None where the grammar of templates cannot name the column."""
        if self.template is not None:
            return self.template
        if self.column is None or re.search("[{}:]", self.column):
            return None
        return (self.prefix or "").replace("{", "{{").replace("}", "}}") + "{" + self.column + "}"


@dataclass(frozen=True)
class Collection:
    """What is declared of a collection, or found of it."""

    name: str
    schema: str
    table: str
    policy: str = REQUIRED
    governed: bool = True
    code: Code | None = None
    part_of_key: bool = False
    mode: str = "observe"
    life: str = "off"
    life_column: str | None = None
    life_dead: tuple[str, ...] = ()

    @property
    def exempt(self) -> bool:
        """Whether its rows have no births: then only table and policy are compared."""
        return self.policy.startswith(EXEMPT)


@dataclass(frozen=True)
class Found:
    """A registered collection: what it is now, and what stands in the way of the next statement."""

    collection: Collection
    gateway: bool
    unadmitted: bool
    life_triggers: bool
    #: The purpose of the run that is open, and its next step.
    run: tuple[str, str] | None
    #: Who owns the table; None where there is none.
    owner: str | None


@dataclass(frozen=True)
class Declaration:
    """A file: the collections by name, and the tables that are left alone, each with the reason."""

    collections: Mapping[str, Collection]
    ignored: Mapping[tuple[str, str], str]


@dataclass(frozen=True)
class Difference:
    """One thing that is declared otherwise than it is found; None is nothing."""

    collection: str
    what: str
    declared: Any
    found: Any


@dataclass(frozen=True)
class Step:
    """A statement, and the role that may send it."""

    role: str
    routine: LiteralString
    arguments: Mapping[LiteralString, Any]

    def text(self, conn: Connection) -> str:
        """Return the statement as a person would type it."""
        return f"{api.written(conn, self.routine, self.arguments)}  -- {self.role}"


def read(file: Path) -> Declaration:
    """Return what ``file`` declares; raises DeclarationError, and OSError."""
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise DeclarationError(f"{file}: {exc}") from exc
    _only(document, ("defaults", "collections", "ignored"), str(file))
    defaults = _section(document, "defaults")
    _only(defaults, _DEFAULTS, "[defaults]")
    entries = _section(document, "collections")
    collections = {name: _collection(name, _section(entries, name), defaults) for name in entries}
    ignored: dict[tuple[str, str], str] = {}
    for table, reason in _section(document, "ignored").items():
        if not isinstance(reason, str) or not reason.strip():
            raise DeclarationError(f"[ignored] {table}: say why, in a text")
        ignored[_table(table, "[ignored]")] = reason
    claimed = dict.fromkeys(ignored, "[ignored]")
    for each in collections.values():
        other = claimed.setdefault((each.schema, each.table), each.name)
        if other != each.name:
            raise DeclarationError(f"[collections.{each.name}]: {other} has the same table")
    return Declaration(collections, ignored)


def _section(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    section = document.get(name, {})
    if not isinstance(section, dict):
        raise DeclarationError(f"{name} is no table: write [{name}]")
    return section


def _only(section: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    if unknown := sorted(section.keys() - set(known)):
        raise DeclarationError(f"{where}: unknown: {', '.join(unknown)}; known: {', '.join(known)}")


def _collection(name: str, entry: dict[str, Any], defaults: Mapping[str, Any]) -> Collection:
    where = f"[collections.{name}]"
    known = [field.name for field in fields(Collection) if field.name not in ("name", "schema")]
    _only(entry, known, where)
    said = {**defaults, **entry}
    for field in fields(Collection):
        if field.name in said and field.name not in ("code", "life_dead"):
            wanted = bool if field.type in (bool, "bool") else str
            if not isinstance(said[field.name], wanted):
                raise DeclarationError(f"{where} {field.name}: a {'boolean' if wanted is bool else 'text'} is wanted")
    if "table" not in said:
        raise DeclarationError(f'{where}: table is missing, such as table = "public.{name}"')
    dead = said.pop("life_dead", [])
    if not isinstance(dead, list) or not all(isinstance(value, str) for value in dead):
        raise DeclarationError(f"{where} life_dead: a list of texts is wanted")
    for key, values in (("mode", ("observe", "enforce")), ("life", ("off", "observe", "enforce"))):
        if said.get(key, values[0]) not in values:
            raise DeclarationError(f"{where} {key}: one of {', '.join(values)} is wanted")
    schema, table = _table(said.pop("table"), where)
    code = _code(said.pop("code", None), where)
    return Collection(name, schema, table, code=code, life_dead=tuple(dead), **said)


def _code(said: Any, where: str) -> Code | None:
    match said:
        case None:
            return None
        case str():
            return code_of(said)
        case {"column": str(column), "prefix": str(prefix), **rest} if not rest:
            return Code(column, prefix)
        case {"column": str(column), **rest} if not rest:
            return Code(column)
    raise DeclarationError(f'{where} code: write a template, such as "{{email}}", "C-{{id}}", or {{ column, prefix }}')


def code_of(template: str) -> Code:
    """Return a template as the simplest identity that says the same."""
    if only := re.fullmatch(r"((?:[^{}]|\{\{|\}\})*)\{([^{}:]+)\}", template):
        prefix = only[1].replace("{{", "{").replace("}}", "}")
        if not prefix or prefix.strip():
            return Code(only[2], prefix or None)
    return Code(template=template)


def _table(text: str, where: str) -> tuple[str, str]:
    """Return schema and table of a name as SQL has it: quoted where it needs to be."""
    part = r'("(?:[^"]|"")+"|[^".\s]+)'
    names = re.fullmatch(rf"{part}\.{part}", text)
    if names is None:
        raise DeclarationError(f"{where} {text}: a table is named with its schema, such as public.customer")
    schema, table = (each[1:-1].replace('""', '"') if each[0] == '"' else each for each in names.groups())
    return schema, table


def spelled(schema: str, table: str) -> str:
    """Return the name of a table as ``birthdb.toml`` has it: what SQL would fold or split stands in quotes."""
    return ".".join(
        each if re.fullmatch("[a-z_][a-z0-9_$]*", each) else '"' + each.replace('"', '""') + '"'
        for each in (schema, table)
    )


#: What is registered, and what the next statement depends on.
_FOUND: LiteralString = """
SELECT r.collection_name AS name, r.schema_name AS schema, r.table_name AS table, r.coverage_status AS policy,
       r.governed, r.birth_code_column AS column, r.birth_code_prefix AS prefix, r.birth_code_template AS template,
       r.birth_code_strategy AS strategy, r.birth_code_part AS part_of_key, r.gateway_mode AS mode,
       r.life_mode AS life, r.life_column, r.life_dead,
       r.gate_closed AS closed,
       EXISTS (SELECT FROM birth.birth_gate_scope s WHERE s.schema_name OPERATOR(pg_catalog.=) r.schema_name
                 AND s.mode OPERATOR(pg_catalog.=) 'enforce') AS gated,
       -- One on a table that was renamed or moved, or that is disabled, is none.
       EXISTS (SELECT FROM birth.v_birth_gateway_trigger g
               WHERE g.collection_name OPERATOR(pg_catalog.=) r.collection_name
                 AND g.relation OPERATOR(pg_catalog.=) t.oid AND g.enabled) AS gateway,
       EXISTS (SELECT FROM birth.v_birth_life_trigger l
               WHERE l.collection_name OPERATOR(pg_catalog.=) r.collection_name) AS life_triggers,
       l.run_id, pg_catalog.pg_get_userbyid(t.relowner) AS owner
FROM birth.collection_registry r
LEFT JOIN pg_catalog.pg_namespace n ON n.nspname OPERATOR(pg_catalog.=) r.schema_name
LEFT JOIN pg_catalog.pg_class t ON t.relnamespace OPERATOR(pg_catalog.=) n.oid
  AND t.relname OPERATOR(pg_catalog.=) r.table_name
LEFT JOIN LATERAL (
  -- Plans that a later one replaced stay on record.
  SELECT l.run_id, l.status FROM birth.birth_backfill_ledger_v2 l
  WHERE l.collection_name OPERATOR(pg_catalog.=) r.collection_name ORDER BY l.planned_at DESC LIMIT 1
) l ON l.status OPERATOR(pg_catalog.=) ANY ('{planned,running,stopped,failed}')
WHERE %(name)s::pg_catalog.text IS NULL OR r.collection_name OPERATOR(pg_catalog.=) %(name)s
ORDER BY r.collection_name
"""


#: Never admitted where the gate enforces: only an admission opens it.
_UNADMITTED: LiteralString = """
SELECT v.collection_name AS name FROM birth.v_birth_gate v
WHERE v.collection_name OPERATOR(pg_catalog.=) ANY (%(names)s) AND v.mode OPERATOR(pg_catalog.=) 'enforce'
  AND v.state OPERATOR(pg_catalog.=) ANY ('{READY,BREACHED}')
"""
_RUNS: LiteralString = """
SELECT o.run_id, o.purpose, o.next_step FROM birth.v_birth_run_progress o
WHERE o.run_id OPERATOR(pg_catalog.=) ANY (%(runs)s)
"""


def found(conn: Connection, name: str | None = None) -> dict[str, Found]:
    """Return every registered collection by name, or that one.

    The views of gate and runs are asked only for what they are about: to plan them takes longer than all the rest.
    """
    with api.refusals(), conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_FOUND, {"name": name}).fetchall()
        gated = [row["name"] for row in rows if row["gated"] and not row["closed"]]
        left = cursor.execute(_UNADMITTED, {"names": gated}).fetchall() if gated else []
        open_runs = [row["run_id"] for row in rows if row["run_id"]]
        runs = cursor.execute(_RUNS, {"runs": open_runs}).fetchall() if open_runs else []
    unadmitted = {row["name"] for row in left} | {row["name"] for row in rows if row["closed"]}
    steps = {row["run_id"]: (row["purpose"], row["next_step"]) for row in runs}
    return {row["name"]: _found(row, row["name"] in unadmitted, steps.get(row["run_id"])) for row in rows}


def _found(row: api.Row, unadmitted: bool, run: tuple[str, str] | None) -> Found:
    code = Code(row["column"], row["prefix"], row["template"]) if row["strategy"] else None
    if code and code.template:
        code = code_of(code.template)
    known = {field.name: row[field.name] for field in fields(Collection) if field.name in row}
    return Found(
        Collection(**known | {"code": code, "life_dead": tuple(row["life_dead"])}),
        row["gateway"],
        unadmitted,
        row["life_triggers"],
        run,
        row["owner"],
    )


def differences(want: Collection, have: Found | None) -> list[Difference]:
    """Return what is declared of a collection and is not so."""
    if have is None:
        return [Difference(want.name, "collection", spelled(want.schema, want.table), None)]
    pairs: list[tuple[str, Any, Any]] = [
        ("table", spelled(want.schema, want.table), spelled(have.collection.schema, have.collection.table))
    ]
    compared = ["policy", "governed"]
    if not want.exempt:
        compared += ["code", "part_of_key", "mode", "life", "life_column", "life_dead"]
        pairs.append(("gateway", True, have.gateway))
    pairs.append(("admitted", True, not have.unadmitted))
    pairs += [(name, getattr(want, name), getattr(have.collection, name)) for name in compared]
    return [Difference(want.name, what, declared, live) for what, declared, live in pairs if declared != live]


def next_step(want: Collection, have: Found | None, born: bool, reason: str) -> Step | None:
    """Return the statement that brings a collection nearer to what is declared; None where nothing is left to send.

    ``born`` says that a census passed: only then is gateway or life told to enforce; else a backfill is planned.
    """
    named = {"p_collection": want.name}
    if have is None or (want.schema, want.table) != (have.collection.schema, have.collection.table):
        return _registration(want, have)
    now = have.collection
    if not want.exempt:
        if want.code and (want.code, want.part_of_key) != (now.code, now.part_of_key):
            identity = named | want.code.arguments | ({"p_part_of_key": True} if want.part_of_key else {})
            return Step("birth_steward", "fn_birth_identity_classify", identity)
        if not have.gateway:
            return Step("birth_steward", "fn_birth_gateway_attach", named)
        if have.unadmitted:
            return Step("birth_steward", "fn_birth_gate_admit", named | {"p_reason": reason})
    if (want.policy, want.governed) != (now.policy, now.governed):
        policy = {"p_to_status": want.policy, "p_to_governed": want.governed, "p_dry_run": False}
        return Step("birth_operator", "fn_dot_birth_qt005_plan", named | policy)
    if want.exempt:
        # Where the gate enforces, a table that is exempt is admitted as any other.
        admission = Step("birth_steward", "fn_birth_gate_admit", named | {"p_reason": reason})
        return admission if have.unadmitted else None
    return _life(want, have, born, reason) or _mode(want, now, born, reason)


def _registration(want: Collection, have: Found | None) -> Step:
    # The policy of a known collection changes by a transition.
    policy = have.collection if have else want
    arguments = {
        "p_collection": want.name,
        "p_schema": want.schema,
        "p_table": want.table,
        "p_coverage_status": policy.policy,
        "p_governed": policy.governed,
    }
    return Step("birth_steward", "fn_birth_collection_register", arguments)


def _life(want: Collection, have: Found, born: bool, reason: str) -> Step | None:
    now, named = have.collection, {"p_collection": want.name}
    shape = (want.life_column, want.life_dead)
    if want.life != "off" and have.life_triggers and shape != (now.life_column, now.life_dead):
        return Step("birth_steward", "fn_birth_life_detach", named | {"p_reason": reason})
    if want.life != "off" and not have.life_triggers:
        # It observes first: what ended before, or was never born, would be refused to whoever touches it next.
        wanted = {"p_mode": "observe", "p_column": want.life_column, "p_dead": list(want.life_dead)}
        return Step("birth_steward", "fn_birth_life_attach", named | wanted)
    if want.life != now.life:
        if want.life == "enforce" and want.policy == REQUIRED and not born:
            return Step("birth_operator", "fn_dot_birth_qt001_plan", named | {"p_dry_run": False})
        return Step("birth_steward", "fn_birth_life_mode", named | {"p_mode": want.life, "p_reason": reason})
    return None


def _mode(want: Collection, now: Collection, born: bool, reason: str) -> Step | None:
    named = {"p_collection": want.name}
    if want.mode == now.mode:
        return None
    if want.mode == "enforce" and want.policy == REQUIRED and not born:
        return Step("birth_operator", "fn_dot_birth_qt001_plan", named | {"p_dry_run": False})
    return Step("birth_steward", "fn_birth_gateway_mode", named | {"p_mode": want.mode, "p_reason": reason})


@dataclass(frozen=True)
class Outcome:
    """What became of one statement: ``done``, ``waits`` for another person or run, ``refused``, or ``as declared``."""

    collection: str
    state: str
    said: str
    next: str | None = None
    #: The routine that was called, where it is done.
    routine: str | None = None


def apply(conn: Connection, want: Collection, reason: str) -> Iterator[Outcome]:
    """Send, statement by statement, what brings a collection to what is declared, as far as this login may.

    Each statement is a transaction of its own. The last outcome says why it went no further.
    """
    last = answer = None
    while True:
        have = found(conn, want.name).get(want.name)
        step = next_step(want, have, False, reason)
        if step and step.routine == "fn_dot_birth_qt001_plan":
            failed = [check["check"] for check in api.census(conn, want.name) if not check["pass"]]
            step = next_step(want, have, not failed, reason)
            if failed and "rows without a birth" not in failed:
                # No backfill mends it.
                if have is None or not have.life_triggers or "births without a row or a death" not in failed:
                    look = api.written(conn, "fn_birth_census", {"p_collection": want.name})
                    yield Outcome(want.name, "waits", f"the census fails: {', '.join(failed)}", look)
                    return
                ended = {"p_collection": want.name, "p_dry_run": False}
                step = Step("birth_operator", "fn_dot_birth_qt006_plan", ended)
        if step is None:
            yield Outcome(want.name, "as declared", "")
            return
        if step.role == "birth_operator" and have and have.run:
            yield Outcome(want.name, "waits", f"a run is open ({have.run[0]})", have.run[1])
            return
        if step == last:
            # It could not do everything itself, and answered who goes on.
            yield Outcome(want.name, "waits", "for what the database answered", answer)
            return
        last = step
        if not _may(conn, step.role):
            yield Outcome(want.name, "waits", f"for a member of {step.role}", step.text(conn))
            return
        try:
            row = api.rows(conn, step.routine, **step.arguments)[0]
        except BirthError as exc:
            hint = exc.hint
            if isinstance(exc, SourcePrivilege):
                hint = f"{hint}\n    of all declared tables: birthdb collections grants"
            yield Outcome(want.name, "refused", f"{exc.sqlstate} {exc.message}: {exc.detail}", hint)
            return
        except psycopg.errors.LockNotAvailable as exc:
            yield Outcome(want.name, "refused", f"{exc.sqlstate} {exc.diag.message_primary}", "the same command again")
            return
        answer = row.get("next_step", row.get(step.routine))
        yield Outcome(want.name, "done", step.text(conn), answer, step.routine)


def _may(conn: Connection, role: str) -> bool:
    found = conn.execute("SELECT pg_catalog.pg_has_role(session_user, %s, 'USAGE')", (role,)).fetchone()
    return found == (True,)


def undeclared(conn: Connection, declaration: Declaration) -> list[Difference]:
    """Return what the database has and the file does not declare: collections, and tables of gated schemas."""
    unknown = [
        Difference(name, "collection", None, spelled(each.collection.schema, each.collection.table))
        for name, each in found(conn).items()
        if name not in declaration.collections
    ]
    tables = {(each.schema, each.table) for each in declaration.collections.values()}
    for table in api.view(conn, "v_birth_gate"):
        named = (table["schema_name"], table["table_name"])
        if (
            table["state"] != "UNKNOWN"
            or named in tables
            or (named in declaration.ignored and table["mode"] != "enforce")
        ):
            continue
        said = "ignored, where the gate wants a policy" if named in declaration.ignored else None
        unknown.append(Difference(spelled(*named), "table", said, "in a schema under the gate"))
    return unknown


_USAGE = re.compile(r'(GRANT USAGE ON SCHEMA (?:"(?:[^"]|"")+"|[^" ]+) TO birth_[a-z]+;) ?(.*)', re.DOTALL)
_SPECIAL = re.compile(
    r"(.*?) ?(?:((?:ALTER ROLE birth_scanner BYPASSRLS|GRANT birth_source_owner TO .+);)  -- by (.+?))?", re.DOTALL
)


def grants(conn: Connection, declaration: Declaration) -> dict[str, list[str]]:
    """Return what the owners of the declared tables have yet to grant, by owner; a table is registered first."""
    registered = found(conn)
    statements: dict[str, list[str]] = {}
    for name, want in declaration.collections.items():
        have = registered.get(name)
        if have is None or have.owner is None or want.exempt:
            continue
        for privilege in ("SELECT", "TRIGGER"):
            missing = api.source_grants(conn, name, privilege)
            # What the owner may not send comes last, with who may.
            own, special, by = cast("re.Match[str]", _SPECIAL.fullmatch(missing)).groups()
            if usage := _USAGE.fullmatch(own):
                # Each table of the schema lacks it, and one statement grants it to all.
                shared, own = usage.groups()
                if shared not in statements.setdefault(have.owner, []):
                    statements[have.owner].append(shared)
            if own:
                statements.setdefault(have.owner, []).append(own)
            if special and special not in statements.setdefault(by, []):
                statements[by].append(special)
    return statements
