"""Five objects, on every major: released, drifted, repaired, taken back; by a login that is no superuser."""

import io
import subprocess

import psycopg
import pytest
from alembic import command

from birthdb.server import client
from pgcontract import attest
from pgcontract.databases import config, database, downgrade, load, upgrade
from pgcontract.measure import check_database, dump, schema_text
from pgcontract.semantic import hashes

from .conftest import Shop

OBJECTS = {"function discount", "function price", "procedure restock", "table product", "view offer"}


def drifts(shop: Shop) -> list[str]:
    with psycopg.connect(shop.url) as connection:
        return [str(row) for row in attest.differences(connection, shop.sources, "sale")]


def test_a_release_goes_up_and_back_and_is_what_loading_makes(shop: Shop) -> None:
    sources = shop.sources
    assert list(sources.check()) == []
    upgrade(sources, shop.releaser, "opening")
    opening = schema_text(sources, client("pg_dump"), shop.url)
    upgrade(sources, shop.releaser, "head")
    assert {key.partition("(")[0] for key in sources.manifest("sale")["objects"]} >= OBJECTS
    shop.rows("CALL shop.restock('tea', 2)")
    assert [str(price) for price in shop.rows("SELECT price FROM shop.offer")] == ["3.60"]
    assert drifts(shop) == []

    with pytest.raises(psycopg.errors.DatabaseError, match="the downgrade would drop rows"):
        downgrade(sources, shop.releaser, "base")
    downgrade(sources, shop.releaser, "opening")
    assert schema_text(sources, client("pg_dump"), shop.url) == opening
    assert [str(price) for price in shop.rows("SELECT price FROM shop.offer")] == ["4.00"]
    shop.rows("DELETE FROM shop.product")
    downgrade(sources, shop.releaser, "base")
    assert shop.rows("SELECT relname FROM pg_class WHERE relnamespace = 'shop'::regnamespace AND relkind <> 'i'") == [
        "alembic_version"
    ]

    dump(sources, shop.servers)
    assert list(check_database(sources, shop.servers)) == []
    with database(shop.cluster, "loaded") as url:
        load(sources, url)
        assert schema_text(sources, client("pg_dump"), url) == (shop.root / "schema" / "shop.sql").read_text()


def test_a_script_for_psql_is_the_same_release(shop: Shop) -> None:
    written = config(shop.sources, "postgresql://nowhere")
    written.output_buffer = io.StringIO()
    command.upgrade(written, "head", sql=True)
    psql = [str(client("psql")), "-qX", "-d", shop.releaser]
    subprocess.run(psql, input=written.output_buffer.getvalue(), text=True, check=True, capture_output=True)
    assert drifts(shop) == []
    with psycopg.connect(shop.url) as connection:
        assert attest.current(connection, shop.sources) == "sale"


DRIFTS = {
    "function discount(integer): body": """
        CREATE OR REPLACE FUNCTION shop.discount(p_percent integer) RETURNS numeric LANGUAGE sql STABLE
        SET search_path = pg_catalog, pg_temp AS 'SELECT 0.0'""",
    "procedure restock(text,numeric): missing": "DROP PROCEDURE shop.restock",
    "constraint product.product_cost: missing": "ALTER TABLE shop.product DROP CONSTRAINT product_cost",
    "view offer: privileges (+PUBLIC=SELECT)": "GRANT SELECT ON shop.offer TO PUBLIC",
    "function discount(numeric): overload": "CREATE FUNCTION shop.discount(numeric) RETURNS int LANGUAGE sql RETURN 1",
    "table product: privileges (+PUBLIC=INSERT)": "GRANT INSERT ON shop.product TO PUBLIC",
    "function price(numeric): owner": "ALTER FUNCTION shop.price OWNER TO shop_dba",
    "type size: extra": "CREATE TYPE shop.size AS ENUM ('small')",
    "operator_family mine USING btree: extra": "CREATE OPERATOR FAMILY shop.mine USING btree",
    "constraint product.product_pkey: tuning": "ALTER INDEX shop.product_pkey SET (fillfactor = 50)",
}


def test_drift_is_found_stops_a_release_and_is_repaired(shop: Shop) -> None:
    sources = shop.sources
    upgrade(sources, shop.releaser, "head")
    recorded = shop.rows("SELECT shop.contract_hash()")
    for statement in DRIFTS.values():
        shop.rows(statement)
    assert {line for line in drifts(shop) if line in DRIFTS} == DRIFTS.keys()
    assert set(shop.rows("SELECT DISTINCT blocks FROM shop.contract_drift() WHERE drift <> 'ok'")) == {True, False}
    with pytest.raises(psycopg.errors.DatabaseError, match="the schema does not match its release") as refused:
        downgrade(sources, shop.releaser, "opening")
    assert isinstance(refused.value, psycopg.Error)
    assert refused.value.sqlstate == "PC404"

    with psycopg.connect(shop.url) as connection:
        assert attest.current(connection, sources) == "sale"
        assert attest.repair(connection, sources, harmless=True)
    assert drifts(shop) == []
    assert shop.rows("SELECT shop.contract_hash()") == recorded
    downgrade(sources, shop.releaser, "opening")


def test_what_is_recorded_is_the_contract_and_is_attested_again(shop: Shop) -> None:
    sources = shop.sources
    upgrade(sources, shop.releaser, "head")
    assert shop.rows("SELECT drift FROM shop.contract_drift() WHERE drift <> 'ok'") == []
    kept = "SELECT kind || ' ' || object, semantic_sha256 FROM shop.contract_recorded WHERE semantic_sha256 IS NOT NULL"
    with psycopg.connect(shop.url) as connection:
        assert dict(shop.rows(kept)) == hashes(connection, sources.project)
    with psycopg.connect(shop.releaser) as connection:
        assert attest.attest(connection, sources, "sale") == 0
    token = shop.rows("SELECT shop.contract_token()")
    assert shop.rows("SELECT shop.contract_token()") == token
    shop.rows("COMMENT ON TABLE shop.product IS 'x'; ALTER TABLE shop.product ADD note text")
    assert shop.rows("SELECT shop.contract_token()") != token
