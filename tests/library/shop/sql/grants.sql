-- Every permission, applied at the end of each release to what there is then.
DO $grants$
BEGIN
  REVOKE ALL ON ALL ROUTINES IN SCHEMA shop FROM PUBLIC;
  REVOKE ALL ON ALL TABLES IN SCHEMA shop FROM PUBLIC, shop_reader;
  GRANT USAGE ON SCHEMA shop TO shop_reader;
  GRANT SELECT ON ALL TABLES IN SCHEMA shop TO shop_reader;
END
$grants$;
