"""What of a database is not the project's and acts in a release all the same: event triggers, rights on languages.

An event trigger of another program runs for every statement of a release that makes an object. It may fail, change an
owner or switch on row security; the release then fails, and its message says nothing of the event trigger.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from pgcontract.project import Project

_EVENT_TRIGGERS: LiteralString = """
SELECT pg_catalog.quote_ident(e.evtname) AS name, e.evtfoid::pg_catalog.regproc::pg_catalog.text AS function,
       e.evtevent::pg_catalog.text AS event, pg_catalog.pg_get_userbyid(e.evtowner)::pg_catalog.text AS owner
FROM pg_catalog.pg_event_trigger AS e
JOIN pg_catalog.pg_proc AS p ON p.oid OPERATOR(pg_catalog.=) e.evtfoid
WHERE e.evtenabled OPERATOR(pg_catalog.=) ANY ('{{O,A}}') AND e.evtevent OPERATOR(pg_catalog.<>) 'login'
  AND p.pronamespace::pg_catalog.regnamespace::pg_catalog.text OPERATOR(pg_catalog.<>) {guard}
ORDER BY e.evtname
"""

_WITHOUT_PLPGSQL: LiteralString = """
SELECT pg_catalog.quote_ident(session_user) AS login
WHERE NOT pg_catalog.has_language_privilege(session_user, 'plpgsql', 'USAGE')
"""


@dataclass(frozen=True)
class EventTrigger:
    """An event trigger that runs in a release; names as SQL has them."""

    name: str
    function: str
    event: str
    owner: str

    def __str__(self) -> str:
        """Return what a person has to know to find it and whom to ask."""
        return f"{self.name} (function {self.function}, on {self.event}, owner {self.owner})"


def event_triggers(connection: psycopg.Connection[Any], project: Project) -> list[EventTrigger]:
    """Return the enabled event triggers that are not the project's own, by name."""
    with connection.cursor(row_factory=class_row(EventTrigger)) as cursor:
        return cursor.execute(_query(project)).fetchall()


@contextmanager
def explained(connection: psycopg.Connection[Any], project: Project) -> Iterator[None]:
    """Give an error of the database, once its transaction is over, a note of what outside the project may be the cause.

    In a transaction of the caller's, which failed, nothing more can be asked.
    """
    try:
        yield
    except psycopg.Error as error:
        if connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
            explain(connection, project, error)
        raise


def explain(connection: psycopg.Connection[Any], project: Project, error: psycopg.Error) -> None:
    """Note on an error what outside the project may have caused it; the connection can be asked."""
    for note in _notes(connection, project, error):
        error.add_note(note)


def _notes(connection: psycopg.Connection[Any], project: Project, error: psycopg.Error) -> Iterator[str]:
    with connection.transaction(force_rollback=True):
        # As a release pins it: names are written down as in the CONTEXT of its errors.
        connection.execute("SET LOCAL search_path = pg_catalog, pg_temp")
        if isinstance(error, psycopg.errors.InsufficientPrivilege):
            for (login,) in connection.execute(_WITHOUT_PLPGSQL).fetchall():
                yield f"the login {login} may not use the language plpgsql; its owner, usually a superuser, sends:"
                yield f"GRANT USAGE ON LANGUAGE plpgsql, sql TO {login}"
        context = error.diag.context or ""
        found = event_triggers(connection, project)
        named = [trigger for trigger in found if f"{trigger.function}(" in context]
        if named or (found and _may_be_caused(project, error)):
            yield from _of_event_triggers(named or found, context if named else "")


def _may_be_caused(project: Project, error: psycopg.Error) -> bool:
    """Whether an event trigger could be behind an error whose CONTEXT names none.

    The project's own errors say their cause, but for drift. Of others only those that a text of the release met.
    """
    drift, state = project.errors["drift"]["code"], error.sqlstate or ""
    ended = isinstance(error, psycopg.OperationalError)
    in_text = any(note.startswith("in ") for note in getattr(error, "__notes__", ()))
    return state == drift or (in_text and not ended and not state.startswith(drift[:2]))


def _of_event_triggers(triggers: list[EventTrigger], context: str) -> Iterator[str]:
    yield f"probable cause, because it ran in this release: event trigger {'; '.join(map(str, triggers))}"
    names = [trigger.name for trigger in triggers]
    off, on = ("; ".join(f"ALTER EVENT TRIGGER {name} {state}" for name in names) for state in ("DISABLE", "ENABLE"))
    yield f"its owner or a superuser sends, for the time of the release: {off}; and afterwards: {on}"
    if context:
        yield f"CONTEXT:  {context}"


def _query(project: Project) -> sql.Composed:
    return sql.SQL(_EVENT_TRIGGERS).format(guard=sql.Literal(project.guard or project.schema))


def for_psql(project: Project) -> str:
    """Return what a script says first, through psql, of the same: a script cannot ask once it has failed.

    What is no line of psql's is a statement, as in the rest of the script.
    """
    listed = _query(project).as_string().strip()
    return f"""\
SELECT pg_catalog.count(*) OPERATOR(pg_catalog.>) 0 AS found, pg_catalog.min(l.login) AS login
FROM ({_WITHOUT_PLPGSQL.strip()}) AS l
\\gset
;
\\if :found
\\warn the login :login may not use the language plpgsql: its owner, usually a superuser, sends
\\warn GRANT USAGE ON LANGUAGE plpgsql, sql TO :login
\\endif
SELECT pg_catalog.count(*) OPERATOR(pg_catalog.>) 0 AS found, pg_catalog.string_agg(
  pg_catalog.format('%s (function %s, on %s, owner %s)', e.name, e.function, e.event, e.owner), '; ') AS event_triggers
FROM ({listed}) AS e
\\gset
;
\\if :found
\\warn event triggers of others run in this release: :event_triggers
\\warn where it fails because of one, its owner or a superuser sends ALTER EVENT TRIGGER ... DISABLE until it has ended
\\endif"""
