-- Generated from pgcontract/sql/begin.sql by python -m birthdb.release render: edit that, or contract.toml.
-- First step of every revision: a lock_timeout short enough for live inserts, and settings that do not depend on the
-- login.
SET LOCAL lock_timeout = '5s';

DO $begin$
BEGIN
  PERFORM pg_catalog.set_config('birth.release_role', pg_catalog.current_setting('role'), true),
          pg_catalog.set_config('birth.release_path', pg_catalog.current_setting('search_path'), true),
          pg_catalog.set_config('birth.release_granted', 'off', true);
  -- PostgreSQL 16 and later: this setting could make the login a member of each role it creates, birth_definer too.
  IF pg_catalog.current_setting('createrole_self_grant', true) IS NOT NULL THEN
    PERFORM pg_catalog.set_config('createrole_self_grant', '', true);
  END IF;
END
$begin$;

SET LOCAL ROLE NONE;
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL standard_conforming_strings = on;
SET LOCAL check_function_bodies = on;
SET LOCAL quote_all_identifiers = off;
SET LOCAL default_tablespace = '';
SET LOCAL default_table_access_method = heap;
