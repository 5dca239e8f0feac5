-- The factor of a discount.
CREATE OR REPLACE FUNCTION shop.discount(p_percent integer)
  RETURNS numeric
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $discount$
  SELECT 1 - p_percent / 100.0;
$discount$;

COMMENT ON FUNCTION shop.discount IS 'The factor of a discount in percent.';
