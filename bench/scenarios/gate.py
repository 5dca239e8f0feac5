"""What the last statement of a migration costs: the gate over a schema of many tables."""

import time
from collections.abc import Sequence

from psycopg.sql import SQL, Literal

from bench.scenario import Claim, Contestant, Parts, Scenario

ORDER = 65
TABLES = 1_000
ASKED = "fn_birth_gate"

# Half of the tables closed, half admitted, as they are in a schema that is governed; made by hand, which takes seconds.
_MAKE = """
DO $$ BEGIN
  FOR i IN 1 .. {tables} LOOP
    EXECUTE format('CREATE TABLE gated.t%s (code text PRIMARY KEY); CREATE TRIGGER birth_gateway AFTER INSERT ON'
      ' gated.t%s REFERENCING NEW TABLE AS birth_new_rows FOR EACH STATEMENT'
      ' EXECUTE FUNCTION birth.fn_birth_registry_auto(%L)', i, i, 't' || i);
  END LOOP;
END $$;
INSERT INTO birth.collection_registry (collection_name, schema_name, table_name, coverage_status, gate_relation,
  gate_closed, admitted_at, admitted_by, admitted_how)
SELECT c.relname, 'gated', c.relname, 'BIRTH_REQUIRED', c.oid, k.closed,
       CASE WHEN NOT k.closed THEN now() END, CASE WHEN NOT k.closed THEN 'bench' END,
       CASE WHEN NOT k.closed THEN 'EMPTY' END
FROM pg_class c CROSS JOIN LATERAL (SELECT c.oid::bigint % 2 = 0 AS closed) k
WHERE c.relnamespace = 'gated'::regnamespace AND c.relkind = 'r';
INSERT INTO birth.birth_gate_scope (schema_name, mode, reason) VALUES ('gated', 'enforce', 'bench')
"""


class Gate(Scenario):
    """A schema of a thousand tables under the gate, each with its gateway."""

    name = "gate"
    title = "the gate at the end of a migration"
    unit = "ms"
    claims = (Claim(f"fn_birth_gate(), {TABLES:,} tables", ASKED, None, 50, unit="ms", digits=1),)

    def prepare(self) -> None:
        """Make the tables."""
        self.world.execute("CREATE SCHEMA gated")
        self.world.execute(SQL(_MAKE).format(tables=Literal(TABLES)))
        self.world.execute("VACUUM ANALYZE")

    def contestants(self) -> Sequence[Contestant]:
        """Return the one call."""
        return [Contestant(ASKED, self.ask)]

    def ask(self) -> Parts:
        """Ask the gate of every schema."""
        begin = time.perf_counter()
        looked = self.world.value("SELECT birth.fn_birth_gate()")
        assert looked == TABLES
        return {ASKED: (time.perf_counter() - begin) * 1000}
