"""A numbered boundary before every statement of every PL/pgSQL routine, and at the end of every list of statements.

A fault is to strike between two statements, at each of them, and no lock or trigger can sit there. So the routines are
read, and ``ASSERT faults.at(n);`` is put between their statements: the one statement that PL/pgSQL has which touches
neither FOUND nor ROW_COUNT. What ``faults.at`` does is decided by the session: nothing, tell which boundary is passed,
stop at one passing and wait, or raise an error there. Passings are counted by a temporary sequence, because a
rolled back block does not take that back, and nothing of it reaches the WAL.

The altered routines are recorded as the contract, as a release would do; nothing else about them differs. A routine in
SQL is one statement and has no boundary inside.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

#: What a session sets to be watched: ``record``, or the number of the passing at which it waits.
WATCH = "faults.watch"
#: What a session sets besides, to fail with 57014 by itself at this passing.
BREAK = "faults.break"
#: What a session sets besides, so that its wait ends by lock_timeout.
BRIEF = "faults.brief"

#: Who holds this lock holds up whoever waits at a boundary.
HOLD = "pg_catalog.hashtextextended('faults', 0)"

#: What a notice of a passing begins with; the numbers of the passing and of the boundary follow.
PASSING = "boundary"

_INSTALL = f"""
CREATE SCHEMA faults;
GRANT USAGE ON SCHEMA faults TO PUBLIC;

CREATE FUNCTION faults.hold() RETURNS void LANGUAGE sql
  SET lock_timeout = 0
  AS $$ SELECT pg_catalog.pg_advisory_xact_lock_shared({HOLD}) $$;

CREATE FUNCTION faults.hold_briefly() RETURNS void LANGUAGE sql
  SET lock_timeout = 1
  AS $$ SELECT pg_catalog.pg_advisory_xact_lock_shared({HOLD}) $$;

-- As a superuser, because the sequence is the session's and the caller may be birth_definer.
CREATE FUNCTION faults.at(p_boundary integer) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
  AS $faults_at$
DECLARE
  v_watch CONSTANT text := current_setting('{WATCH}', true);
  v_passing bigint;
BEGIN
  IF v_watch IS NULL OR v_watch = '' THEN
    RETURN true;
  END IF;
  v_passing := nextval('pg_temp.passing'::text::regclass);
  IF v_watch = 'record' OR v_watch = v_passing::text THEN
    RAISE NOTICE '{PASSING} % %', v_passing, p_boundary;
  END IF;
  IF v_watch = v_passing::text THEN
    IF current_setting('{BRIEF}', true) = 'on' THEN
      PERFORM faults.hold_briefly();
    ELSE
      PERFORM faults.hold();
    END IF;
  END IF;
  IF current_setting('{BREAK}', true) = v_passing::text THEN
    RAISE query_canceled USING MESSAGE = 'broken off here';
  END IF;
  RETURN true;
END;
$faults_at$;
"""

#: Stage 0 holds these bodies to the letter, and no run calls them.
_ANCHORED = [
    "fn_birth_registry_auto",
    "fn_birth_registry_auto_id",
    "fn_dot_birth_backfill",
    "fn_dot_birth_trigger_setup",
]

_TOKEN = re.compile(
    r"""--[^\n]* | /\*.*?\*/ | \s+                                   # nothing
      | (?P<word> [A-Za-z_][\w$]* | ; | '(?:[^']|'')*' | "[^"]*" | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ | . )""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Boundary:
    """A place between two statements: before the one that is named, or at the end of a list of them."""

    routine: str
    number: int  # in its routine, from 1
    offset: int
    statement: str

    def __str__(self) -> str:
        return f"{self.routine} {self.number}"

    @property
    def commits(self) -> bool:
        """Whether the statement is a COMMIT."""
        return self.statement == "COMMIT"


@dataclass(frozen=True)
class _Word:
    text: str
    start: int
    end: int


def _words(body: str) -> list[_Word]:
    found = [(m["word"], m) for m in _TOKEN.finditer(body)]
    return [_Word(word.lower(), m.start(), m.end()) for word, m in found if word is not None]


class _Reader:
    """Goes through a body from statement to statement."""

    def __init__(self, body: str) -> None:
        self.words = _words(body)
        self.place = 0

    def skip(self, *ends: str) -> None:
        """Go behind the next of these words that is not inside parentheses, as PL/pgSQL does."""
        depth = 0
        while self.place < len(self.words):  # the last END may stand without a semicolon
            text = self.words[self.place].text
            self.place += 1
            if depth == 0 and text in ends:
                return
            depth += (text in "([") - (text in ")]")

    def statements(self) -> Iterator[tuple[int, int]]:
        """Yield where each statement begins and how far it reaches, up to its first inner statement if it has some."""
        self.skip("begin")
        while self.place < len(self.words):
            word = self.words[self.place]
            match word.text:
                case "case" | "<":
                    raise ValueError(f"a statement begins with {word.text}: no routine had one so far")
                case "begin" | "loop" | "else":
                    self.place += 1
                case "if" | "elsif" | "when" | "exception":
                    self.skip("then")
                case "while" | "for" | "foreach":
                    self.skip("loop")
                case "declare":
                    self.skip("begin")
                case _:
                    self.skip(";")
            yield word.start, self.words[self.place - 1].end


def boundaries(routine: str, body: str) -> list[Boundary]:
    """Return the boundaries of a body, in its order."""
    return [
        Boundary(routine, number, start, " ".join(body[start:end].removesuffix(";").split()))
        for number, (start, end) in enumerate(_Reader(body).statements(), 1)
    ]


def instrumented(body: str, marks: dict[int, int]) -> str:
    """Return the body with a mark at each of these offsets: ``{offset: number}``."""
    for offset, number in sorted(marks.items(), reverse=True):
        body = f"{body[:offset]}ASSERT faults.at({number}); {body[offset:]}"
    return body


def install(conn: psycopg.Connection[Any]) -> list[Boundary]:
    """Put the boundaries into every PL/pgSQL routine of schema birth; return them, as ``faults.at`` numbers them.

    The connection is a superuser's.
    """
    known: list[Boundary] = []
    conn.execute(_INSTALL)
    with conn.transaction():
        # A routine of birth_definer's, made anew by itself: its grants and its owner stay.
        conn.execute("SET LOCAL ROLE birth_definer")
        routines = conn.execute(
            "SELECT p.proname, p.prosrc, pg_get_functiondef(p.oid)"
            " FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang"
            " WHERE p.pronamespace = 'birth'::regnamespace AND l.lanname = 'plpgsql' AND p.proname <> ALL (%s)"
            # What reads source tables is birth_scanner's: nothing can be recorded in its sandbox.
            " AND p.proowner = 'birth_definer'::regrole"
            " ORDER BY 1",
            (_ANCHORED,),
        ).fetchall()
        for routine, body, definition in routines:
            here = boundaries(routine, body)
            marks = {boundary.offset: len(known) + place for place, boundary in enumerate(here, 1)}
            conn.execute(definition.replace(body, instrumented(body, marks)).encode(), prepare=False)
            known += here
        conn.execute("SELECT birth.fn_birth_contract_record('of a test', '{}')")
    return known


def watch(conn: psycopg.Connection[Any], how: str, **settings: str) -> None:
    """Have a session watched from here on; passings are counted anew."""
    conn.execute("DROP SEQUENCE IF EXISTS pg_temp.passing")
    conn.execute("CREATE TEMPORARY SEQUENCE passing")
    for setting, value in {WATCH: how, **settings}.items():
        conn.execute("SELECT set_config(%s, %s, false)", (setting, value))


def unwatch(conn: psycopg.Connection[Any]) -> None:
    """Let a session pass every boundary again."""
    for setting in (WATCH, BREAK, BRIEF):
        conn.execute("SELECT set_config(%s, '', false)", (setting,))
