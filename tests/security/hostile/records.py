"""What an example leaves in the records, taken back before the next one."""

from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

#: In the order in which they can go.
_LEFT = (
    "birth_registry",
    "birth_death",
    "birth_receipt",
    "birth_transition",
    "birth_review",
    "birth_admission_permit_v2",
    "birth_backfill_ledger_v2",
    "birth_gateway_finding",
    "collection_registry",
)


def clear_records(admin: psycopg.Connection[Any]) -> None:
    for table in _LEFT:
        admin.execute(SQL("DELETE FROM birth.{}").format(Identifier(table)))
    admin.execute("DELETE FROM birth.birth_act WHERE run_id IS NOT NULL")
