-- Stocks a product, or gives it another cost.
CREATE OR REPLACE PROCEDURE shop.restock(p_name text, p_cost numeric)
  LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp
AS $restock$
BEGIN
  INSERT INTO shop.product AS p (name, cost) VALUES (p_name, p_cost * shop.discount(0))
  ON CONFLICT (name) DO UPDATE SET cost = excluded.cost;
END;
$restock$;

COMMENT ON PROCEDURE shop.restock IS 'Stocks a product, or gives it another cost.';
