-- What a customer pays.
CREATE OR REPLACE FUNCTION shop.price(p_cost numeric)
  RETURNS numeric
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $price$
  SELECT round(p_cost * 2, 2);
$price$;

COMMENT ON FUNCTION shop.price IS 'What a customer pays for a product of that cost.';
