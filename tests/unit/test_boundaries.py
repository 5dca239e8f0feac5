"""Where a fault may strike: before each statement, and nowhere inside one."""

import re

import pytest
from faults.boundaries import boundaries, instrumented

from birthdb import paths
from pgcontract.sources import Sources
from pgcontract.texts import body_of

BODY = """
DECLARE
  v_begin text := 'IF a THEN b; END IF;';  -- BEGIN
BEGIN
  IF (CASE WHEN a THEN b ELSE c END) THEN
    UPDATE "t;" SET a = $$;$$ || ';' /* ; */;
  ELSIF d THEN
    NULL;
  ELSE
    FOR r IN SELECT 1 LOOP
      EXIT WHEN (SELECT CASE WHEN x THEN y END);
    END LOOP;
  END IF;
  DECLARE
    x integer;
  BEGIN
    COMMIT;
  EXCEPTION
    WHEN query_canceled THEN RAISE;
    WHEN OTHERS THEN
  END;
END
"""


def test_each_statement_and_each_end_of_a_list_has_a_boundary() -> None:
    assert [boundary.statement.partition(" ")[0] for boundary in boundaries("fn", BODY)] == [
        *("IF", "UPDATE", "ELSIF", "NULL", "ELSE", "FOR", "EXIT", "END", "END"),
        *("DECLARE", "COMMIT", "EXCEPTION", "RAISE", "WHEN", "END", "END"),
    ]


def test_marks_are_added_at_boundaries_and_nothing_else_changes() -> None:
    here = boundaries("fn", BODY)
    marked = instrumented(BODY, {boundary.offset: boundary.number for boundary in here})
    assert re.findall(r"ASSERT faults\.at\((\d+)\); ", marked) == [str(boundary.number) for boundary in here]
    assert re.sub(r"ASSERT faults\.at\(\d+\); ", "", marked) == BODY
    assert "ASSERT faults.at(11); COMMIT;" in marked


@pytest.mark.parametrize("name", ["sp_birth_run_drive", "sp_dot_birth_qt001_apply", "sp_dot_birth_qt001_compensate"])
def test_each_commit_has_a_boundary_before_and_after_it(name: str) -> None:
    body = body_of(Sources(paths.ROOT).file(f"functions/{name}.sql").read_text(encoding="utf-8"), name)
    assert body is not None
    here = boundaries(name, body)
    commits = [place for place, boundary in enumerate(here) if boundary.commits]
    assert len(commits) == len(re.findall(r"^\s*COMMIT;", body, re.MULTILINE)) == 1
    for place in commits:
        between = body[here[place].offset : here[place + 1].offset]
        assert re.sub(r"--.*", "", between).split() == ["COMMIT;"]


def test_an_unknown_statement_type_is_refused() -> None:
    with pytest.raises(ValueError, match="case"):
        boundaries("fn", "BEGIN CASE x WHEN 1 THEN NULL; END CASE; END")
