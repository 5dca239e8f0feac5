"""Generate the SQL function, the Python exceptions and the documentation from ``sql/errors.toml``.

``make generate`` writes the three files (specification, section 8).
"""

import re
import sys
import textwrap
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from birthdb import paths
from pgcontract.files import publish

GROUPS = {
    "NB1": "Input and policy",
    "NB2": "Permit and review",
    "NB3": "Plan, run and ledger",
    "NB4": "Contract and freeze",
    "NB5": "Gateway and lifecycle",
}
OUTCOMES = ("failed", "stopped")


@dataclass(frozen=True)
class Entry:
    """One error of the catalogue."""

    name: str
    code: str
    message: str
    hint: str
    outcome: str

    @property
    def class_name(self) -> str:
        """Return the name of the Python exception."""
        return "".join(word.capitalize() for word in self.name.split("_"))


def load(path: Path = paths.SQL / "errors.toml") -> list[Entry]:
    """Return the entries in the order of their codes. Raises ValueError that lists every fault of the catalogue."""
    catalogue = tomllib.loads(path.read_text(encoding="utf-8"))
    faults = check(catalogue)
    if faults:
        raise ValueError("\n".join(faults))
    return sorted((Entry(name, **fields) for name, fields in catalogue.items()), key=lambda entry: entry.code)


def check(catalogue: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the faults of a parsed catalogue, one sentence each; an empty list when there are none."""
    faults = []
    seen: dict[str, str] = {}
    for name, fields in catalogue.items():
        if set(fields) != {"code", "message", "hint", "outcome"}:
            faults.append(f"{name}: has {sorted(fields)}, needs code, message, hint and outcome")
            continue
        code, message, hint, outcome = (str(fields[key]) for key in ("code", "message", "hint", "outcome"))
        if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name):
            faults.append(f"{name}: the name is not lower_snake_case")
        if not re.fullmatch(r"NB[1-5][0-9A-Z]{2}", code) or code.endswith("000"):
            faults.append(f"{name}: {code} is not NB1xx to NB5xx")
        if code in seen:
            faults.append(f"{name}: {code} belongs to {seen[code]} already")
        seen[code] = name
        if not message or message[0].isupper() or message.endswith("."):
            faults.append(f"{name}: the message is empty, begins with a capital or ends with a full stop")
        if not hint.strip():
            faults.append(f"{name}: the hint is empty")
        if outcome not in OUTCOMES:
            faults.append(f"{name}: the outcome {outcome} is neither failed nor stopped")
    return faults


def render(entries: list[Entry]) -> dict[Path, str]:
    """Return the text of every generated file, keyed by its path."""
    return {
        paths.SQL / "functions" / "core" / "fn_birth_error.sql": _sql(entries),
        paths.ROOT / "src" / "birthdb" / "errors.py": _python(entries),
        paths.ROOT / "docs" / "reference" / "errors.md": _markdown(entries),
    }


def main() -> None:
    """Write the generated files and name those that changed."""
    try:
        files = render(load())
    except ValueError as faults:
        sys.exit(f"{faults}\n    correct sql/errors.toml; nothing is written")
    written = {path.relative_to(paths.ROOT).as_posix(): text.encode() for path, text in files.items()}
    for path in publish(paths.ROOT, written):
        print(f"written: {path.relative_to(paths.ROOT)}")


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _wrapped(text: str) -> str:
    """Return the literal in pieces of a line each, which SQL puts together again."""
    lines = textwrap.wrap(
        text, 110, drop_whitespace=False, replace_whitespace=False, break_long_words=False, break_on_hyphens=False
    )
    return "\n     ".join(_literal(line) for line in lines)


def _sql(entries: list[Entry]) -> str:
    rows = ",\n".join(
        f"    ({', '.join(_literal(value) for value in (entry.name, entry.code, entry.outcome))},\n"
        f"     {_literal(entry.message)},\n     {_wrapped(entry.hint)})"
        for entry in entries
    )
    return f"""\
-- Generated from sql/errors.toml by `make generate`: edit that.
--
-- One refusal as data, so that a check can be collected as a blocker, raised, or looked up by the driver.
-- Returns: error, code, message, detail, hint, outcome; p_error is the name or the SQLSTATE.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_error(p_error text, p_detail text, p_hint text DEFAULT NULL)
  RETURNS jsonb
  LANGUAGE plpgsql
  IMMUTABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_error$
DECLARE
  v_error jsonb;
BEGIN
  SELECT pg_catalog.jsonb_build_object(
           'error', e.error, 'code', e.code, 'message', e.message, 'detail', p_detail,
           'hint', coalesce(p_hint, e.hint), 'outcome', e.outcome)
  INTO v_error
  FROM (VALUES
{rows}
  ) AS e(error, code, outcome, message, hint)
  WHERE p_error IN (e.error, e.code);

  IF v_error IS NULL THEN
    RAISE EXCEPTION 'there is no such error: %', p_error
      USING ERRCODE = 'undefined_object', HINT = 'add it to sql/errors.toml, then make generate';
  END IF;
  RETURN v_error;
END
$fn_birth_error$;

COMMENT ON FUNCTION birth.fn_birth_error(text, text, text) IS
  'One refusal of the catalogue as jsonb: error, code, message, detail, hint, outcome. p_error is its name or its '
  'SQLSTATE; p_hint replaces the hint of the catalogue. Raises undefined_object (42704) for anything else. '
  'Specification: 8.';
"""


def _python(entries: list[Entry]) -> str:
    classes = "".join(
        f'\n\nclass {entry.class_name}(BirthError, sqlstate="{entry.code}"):\n'
        f'    """{entry.code}: {entry.message}."""\n'
        for entry in entries
    )
    return f'''\
# Generated from sql/errors.toml by `make generate`: edit that.
"""What the database refuses, as exceptions: one class per SQLSTATE (specification, section 8)."""

from typing import ClassVar

import psycopg


class BirthError(Exception):
    """A refusal by the database: ``sqlstate``, ``message``, ``detail`` (the facts) and ``hint`` (the next step)."""

    sqlstate: ClassVar[str]

    def __init_subclass__(cls, sqlstate: str) -> None:
        """Note the SQLSTATE that a class stands for."""
        cls.sqlstate = sqlstate

    def __init__(self, message: str, detail: str | None = None, hint: str | None = None) -> None:
        """Keep the parts as the database sent them."""
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.hint = hint

    @staticmethod
    def from_psycopg(exc: psycopg.Error) -> "BirthError | None":
        """Return the refusal that ``exc`` carries, or None when its SQLSTATE is not in the catalogue."""
        for refusal in BirthError.__subclasses__():
            if refusal.sqlstate == exc.sqlstate:
                diag = exc.diag
                return refusal(diag.message_primary or "", diag.message_detail, diag.message_hint)
        return None
{classes}'''


def _markdown(entries: list[Entry]) -> str:
    parts = [
        "<!-- Generated from sql/errors.toml by `make generate`: edit that. -->\n\n# Errors\n\n"
        "Every refusal has its own SQLSTATE, a DETAIL with the facts and a HINT with the next step. *Outcome* is what\n"
        "the driver records when a batch raises it: `failed` needs a new verdict, `stopped` is continued by the same\n"
        "CALL. In Python each is an exception of `birthdb.errors`.\n"
    ]
    for group, title in GROUPS.items():
        rows = "".join(
            f"| `{entry.code}` | `{entry.name}` | {entry.message} | {entry.hint} | {entry.outcome} |\n".replace(
                "<", "&lt;"
            )
            for entry in entries
            if entry.code.startswith(group)
        )
        parts.append(
            f"\n## {group}xx: {title}\n\n| SQLSTATE | name | message | hint | outcome |\n"
            f"| --- | --- | --- | --- | --- |\n{rows}"
        )
    return "".join(parts)


if __name__ == "__main__":
    main()
