"""What a table holds as one digest, and the DBA who acknowledges it before a downgrade drops the table."""

import pytest
from helpers import DBA, Scene, refused
from psycopg.sql import SQL

from birthdb.errors import BadArgument

INSERT = SQL(
    "INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin, born_at)"
    " SELECT code, 'item', 'x', '2024-02-29 12:00+00' FROM unnest(%s::text[]) code"
)
EVIDENCE = "SELECT * FROM birth.fn_birth_evidence('birth_registry')"


def test_a_digest_does_not_depend_on_order_or_settings(scene: Scene) -> None:
    scene.collection()
    scene.execute(INSERT, (["a", "b", "ü"],))
    before = scene.rows(EVIDENCE)
    scene.execute("TRUNCATE birth.birth_registry CASCADE")
    scene.execute(INSERT, (["ü", "b", "a"],))
    scene.execute("SET TimeZone = 'Asia/Kathmandu'; SET DateStyle = 'SQL, DMY'")
    assert scene.rows(EVIDENCE) == before


@pytest.mark.parametrize("table", [None, "nothing", "pg_class", "v_birth_home"])
def test_only_tables_of_schema_birth_have_a_digest(scene: Scene, table: str | None) -> None:
    with refused(BadArgument):
        scene.execute("SELECT birth.fn_birth_evidence(%s)", (table,))


@pytest.mark.parametrize("digest", [None, "", "0:0:0"])
def test_a_digest_of_other_rows_cannot_be_acknowledged(scene: Scene, digest: str | None) -> None:
    scene.collection()
    scene.execute(INSERT, (["a"],))
    with scene.unchanged(), refused(BadArgument) as caught:
        scene.ask(DBA, "fn_birth_evidence_acknowledge", p_table="birth_registry", p_digest=digest)
    assert scene.value("SELECT digest FROM birth.fn_birth_evidence('birth_registry')") in str(
        caught.value.diag.message_detail
    )
