"""Hunt for a change that the semantic hash does not see.

Every routine, view, constraint, index and default of the released schema is changed, and specimens of what it has none
of, token by token, and sent to a server. What the server accepts must hash differently; what is only formatted
otherwise must hash the same. Whether a change is one is not asked of the hash: a body's by how it was made
(``pgcontract.mutation``), a parse tree's by the server's own catalogue row, its trees included.
"""

import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from random import Random
from typing import Any, LiteralString

import psycopg
from psycopg.rows import dict_row

from pgcontract import semantic
from pgcontract.mutation import mutated, reformatted, tag_for, words_of
from pgcontract.project import Project

Connection = psycopg.Connection[Any]

_SETUP: LiteralString = """
CREATE SCHEMA hunt;
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL statement_timeout = '20s';
SET LOCAL client_min_messages = error;
"""

# @ is the schema. Statements say hunt in its place for the object that is made, and for the table it is made on.
_TARGETS: LiteralString = """
WITH relation AS (
  SELECT c.*, format('CREATE TABLE hunt.%I (LIKE @.%1$I)', c.relname) AS given
  FROM pg_class c WHERE c.relnamespace = '@'::regnamespace
)
SELECT 'routine' AS kind, p.oid::regprocedure::text AS name, '' AS given, p.prosrc AS body,
  replace(split_part(pg_get_functiondef(p.oid), 'AS $', 1), ' @.' || p.proname, ' hunt.' || p.proname)
    AS statement, NULL AS state
FROM pg_proc p WHERE p.pronamespace = '@'::regnamespace
UNION ALL
SELECT 'relation', r.relname, '', NULL, format('CREATE VIEW hunt.%I%s AS %s', r.relname,
  ' WITH (' || array_to_string(r.reloptions, ', ') || ')', rtrim(pg_get_viewdef(r.oid), ';')),
  format('ALTER VIEW hunt.%I SET (security_barrier = true)', r.relname)
FROM relation r WHERE r.relkind = 'v'
UNION ALL
SELECT 'constraint', format('%I.%I', r.relname, k.conname), r.given, NULL,
  format('ALTER TABLE hunt.%I ADD CONSTRAINT %I %s', r.relname, k.conname, pg_get_constraintdef(k.oid)),
  format('UPDATE pg_constraint SET convalidated = false WHERE conname = %L'
    ' AND connamespace = ''hunt''::regnamespace', k.conname)
FROM relation r JOIN pg_constraint k ON k.conrelid = r.oid WHERE k.contype <> 'n'
UNION ALL
SELECT 'index', x.indexrelid::regclass::text, r.given, NULL,
  replace(pg_get_indexdef(x.indexrelid), ' ON @.', ' ON hunt.'),
  'UPDATE pg_index SET indisvalid = false FROM pg_class c'
  ' WHERE c.oid = indrelid AND c.relnamespace = ''hunt''::regnamespace'
FROM relation r JOIN pg_index x ON x.indrelid = r.oid
WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = x.indexrelid AND k.contype IN ('p', 'u', 'x'))
UNION ALL
SELECT 'relation', format('%I.%I', r.relname, a.attname), r.given, NULL,
  format('ALTER TABLE hunt.%I ALTER %I SET DEFAULT %s', r.relname, a.attname, pg_get_expr(d.adbin, d.adrelid)),
  format('ALTER TABLE hunt.%I ALTER %I DROP DEFAULT', r.relname, a.attname)
FROM relation r JOIN pg_attrdef d ON d.adrelid = r.oid
JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum AND a.attgenerated = ''
ORDER BY 1, 2
"""

# The server's own account of what was made, for each kind: rows of the catalogue, parse trees included.
_FACTS: dict[str, LiteralString] = {
    "routine": "SELECT to_jsonb(p) - 'oid' AS row FROM pg_proc p WHERE pronamespace = 'hunt'::regnamespace",
    "relation": """
        SELECT jsonb_build_array(c.relname, c.relkind, c.reloptions,
          (SELECT jsonb_agg(to_jsonb(a) - 'attrelid' || jsonb_build_object('default', d.adbin) ORDER BY a.attnum)
           FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
           WHERE a.attrelid = c.oid AND a.attnum > 0),
          (SELECT replace(w.ev_action::text, format(':relid %s ', c.oid), ':relid own ')
           FROM pg_rewrite w WHERE w.ev_class = c.oid)) AS row
        FROM pg_class c WHERE c.relnamespace = 'hunt'::regnamespace AND c.relkind IN ('r', 'v')""",
    "constraint": """
        SELECT to_jsonb(k) - '{oid,conrelid,conindid}'::text[] AS row FROM pg_constraint k
        WHERE connamespace = 'hunt'::regnamespace AND contype <> 'n'""",
    "index": """
        SELECT jsonb_build_array(c.relname, c.relam, c.reloptions, to_jsonb(x) - '{indexrelid,indrelid}'::text[]) AS row
        FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid WHERE c.relnamespace = 'hunt'::regnamespace""",
    "trigger": """
        SELECT to_jsonb(t) - '{oid,tgrelid,tgconstraint}'::text[] AS row
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE c.relnamespace = 'hunt'::regnamespace AND NOT tgisinternal""",
}

# Where a tree keeps the place in the text it was read from.
_PLACES = re.compile(r":(?:\w*location|stmt_len|\w*list_start|\w*list_end) -?\d+")

# What a tree keeps and nothing depends on: how a cast was spelled, and what a column of a later branch of a UNION is
# called. A view's own columns, and those of a subquery, have their names elsewhere too.
_SPELLINGS = re.compile(
    r":\w+format \d|:resname (?:\\+.|[^\s\\])+|\{ALIAS :aliasname (?:\*SELECT\*\\+ \d+|\*GROUP\*) :colnames \([^)]*\)\}"
)

_ATTRIBUTES = (
    *("STRICT", "SECURITY DEFINER", "LEAKPROOF", "STABLE", "IMMUTABLE", "PARALLEL SAFE", "PARALLEL RESTRICTED"),
    *("COST 7", "ROWS 9", "SET work_mem = '1MB'", "SET search_path = pg_temp", "SET DateStyle = 'German'", "WINDOW"),
)


@dataclass(frozen=True)
class Target:
    """Something to change: the statement that makes it, and what must be there before."""

    kind: str
    name: str
    given: str
    statement: str
    state: str | None = None
    body: str | None = None

    def text(self, random: Random, statement: str | None = None, body: str | None = None) -> str:
        """Return what makes it, with another statement or another body."""
        statement = self.statement if statement is None else statement
        if self.body is None:
            return statement
        body = self.body if body is None else body
        tag = tag_for(body + "$", random)
        return f"{statement} AS {tag}{body}{tag}"


@dataclass
class Report:
    """What a hunt found. ``missed``, ``false`` and ``refused`` must be empty."""

    seed: int
    accepted: int = 0
    rejected: int = 0
    equivalent: int = 0
    reformattings: int = 0
    seconds: float = 0.0
    missed: list[str] = field(default_factory=list)
    false: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    by_kind: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: "Report") -> "Report":
        """Return two parts of one hunt, which were under way together, as one."""
        together = {
            name: getattr(self, name) + getattr(other, name)
            for name in ("accepted", "rejected", "equivalent", "reformattings", "missed", "false", "refused", "by_kind")
        }
        return Report(self.seed, seconds=max(self.seconds, other.seconds), **together)

    @property
    def tried(self) -> int:
        """Mutations that the server accepted as something else, or rejected."""
        return self.accepted + self.rejected

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not (self.missed or self.false or self.refused)

    def __str__(self) -> str:
        """Return the figures, in words."""
        kinds = ", ".join(f"{kind} {number}" for kind, number in sorted(self.by_kind.items()))
        return "\n".join(
            (
                f"mutations: {self.tried} tried, {self.accepted} accepted, {self.rejected} rejected,"
                f" {len(self.missed)} missed; {self.equivalent} more were none to the server",
                f"reformattings: {self.reformattings} tried, {len(self.false)} falsely different,"
                f" {len(self.refused)} refused",
                f"accepted: {kinds}",
                f"seed {self.seed}, {self.seconds:.0f} s",
            )
        )


def targets(connection: Connection, project: Project, specimens: Sequence[Target] = ()) -> list[Target]:
    """Return everything there is to change in a released database, and the specimens: of kinds that it has none of."""
    with connection.transaction(force_rollback=True), connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute("SET LOCAL search_path = pg_catalog, pg_temp")
        asked = _TARGETS.replace("@", project.schema).encode()
        return [*(Target(**row) for row in cursor.execute(asked).fetchall()), *specimens]


def hunt(
    connection: Connection,
    project: Project,
    specimens: Sequence[Target] = (),
    *,
    mutations: int,
    reformattings: int,
    seed: int,
    part: int = 0,
    parts: int = 1,
) -> Report:
    """Change everything, at least so many times in all, and return what was found; the database stays as it is.

    Of several ``parts`` one does its own targets.

    Each target has its share by its length, and at least one of each.
    """
    report = Report(seed)
    start = time.monotonic()
    found = targets(connection, project, specimens)
    weight = sum(_weight(target) for target in found)
    for target in found[part::parts]:
        share = _weight(target) / weight
        with connection.transaction(force_rollback=True):
            _hunt_one(connection, project, target, ceil(mutations * share), ceil(reformattings * share), report)
    report.seconds = time.monotonic() - start
    return report


def _weight(target: Target) -> int:
    # A short text has more to it than its length: what the server makes of it.
    return 300 + len(target.statement) + len(target.body or "")


def _hunt_one(
    connection: Connection, project: Project, target: Target, mutations: int, reformattings: int, report: Report
) -> None:
    random = Random(f"{report.seed} {target.kind} {target.name}")
    connection.execute(_SETUP, prepare=False)
    connection.execute(target.given.encode(), prepare=False)
    original = _made(connection, project, target, target.text(random))
    assert not isinstance(original, psycopg.Error), f"{target.name}: {original}"
    tried = 0
    while tried < mutations:
        tried += _mutate(connection, project, target, original, random, report)
    for _ in range(reformattings):
        _reformat(connection, project, target, original, random, report)


@dataclass(frozen=True)
class _Made:
    hashes: list[str]
    facts: list[str]

    @property
    def meaning(self) -> list[str]:
        """The facts without what nothing depends on."""
        return [_SPELLINGS.sub("", fact) for fact in self.facts]


def _made(connection: Connection, project: Project, target: Target, text: str) -> _Made | psycopg.Error:
    """Return the hashes of what a statement makes and the server's account of it, or why the server refuses it."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(text.encode(), prepare=False)
            return _Made(_hashes(connection, project, target.kind), _facts(connection, target.kind))
    except (psycopg.OperationalError, psycopg.InterfaceError):
        raise
    except psycopg.Error as error:
        return error


def _hashes(connection: Connection, project: Project, kind: str) -> list[str]:
    return sorted(semantic.hashes(connection, project, schema="hunt", kinds=[kind]).values())


def _facts(connection: Connection, kind: str) -> list[str]:
    return sorted(_PLACES.sub("", str(row[0])) for row in connection.execute(_FACTS[kind]).fetchall())


def _mutate(
    connection: Connection, project: Project, target: Target, original: _Made, random: Random, report: Report
) -> bool:
    """Try one mutation; return whether it counts, because it was one to the server."""
    words = words_of(target.statement + " " + (target.body or ""))
    if target.body is not None and random.random() < 0.9:
        text = target.text(random, body=mutated(target.body, random, words))
    elif random.random() < 0.1:
        text = target.text(random, statement=_with_state(target, random))
    else:
        text = target.text(random, statement=mutated(target.statement, random, words))
    made = _made(connection, project, target, text)
    if isinstance(made, psycopg.Error):
        report.rejected += 1
    elif made.meaning == original.meaning:
        report.equivalent += 1
        if made.hashes != original.hashes and made.facts == original.facts:
            report.false.append(_finding(target, text))
        return False
    else:
        report.accepted += 1
        report.by_kind[target.kind] += 1
        if made.hashes == original.hashes:
            report.missed.append(_finding(target, text))
    return True


def _with_state(target: Target, random: Random) -> str:
    """Return the statement with an attribute more, or with a state that its text does not show."""
    if target.kind == "routine" and target.body is not None:
        return f"{target.statement} {random.choice(_ATTRIBUTES)}"
    return f"{target.statement}; {target.state}" if target.state else target.statement.replace("hunt.", "hunt. ", 1)


def _reformat(
    connection: Connection, project: Project, target: Target, original: _Made, random: Random, report: Report
) -> None:
    body = None if target.body is None else reformatted(target.body, random)
    text = target.text(random, statement=reformatted(target.statement, random), body=body)
    made = _made(connection, project, target, text)
    report.reformattings += 1
    if isinstance(made, psycopg.Error):
        report.refused.append(f"{_finding(target, text)}\n{made}")
    elif made.hashes != original.hashes:
        report.false.append(_finding(target, text))


def _finding(target: Target, text: str) -> str:
    return f"{target.kind} {target.name}: {_difference(target.text(Random(0)), text)}"


def _difference(before: str, after: str) -> str:
    """Return where two texts begin to differ."""
    at = next((i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after)))
    return f"{before[max(0, at - 30) : at + 60]!r} became {after[max(0, at - 30) : at + 60]!r}"
