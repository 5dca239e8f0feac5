-- First step of every revision: a lock_timeout short enough for live inserts, settings that do not depend on the login,
-- a server that the release knows, and the lock of the schema's releases.
SET LOCAL lock_timeout = '5s';

DO $begin$
BEGIN
  PERFORM pg_catalog.set_config('@schema@.release_role', pg_catalog.current_setting('role'), true),
          pg_catalog.set_config('@schema@.release_path', pg_catalog.current_setting('search_path'), true),
          pg_catalog.set_config('@schema@.release_granted', 'off', true);
  -- PostgreSQL 16 and later: this setting could make the login a member of each role it creates, @owner@ too.
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

DO $writable$
BEGIN
  IF current_setting('transaction_read_only') = 'on' THEN
    RAISE EXCEPTION USING ERRCODE = '@privilege.code@', MESSAGE = '@privilege.message@',
      DETAIL = 'this transaction is read-only',
      HINT = format('send: ALTER ROLE %I IN DATABASE %I SET default_transaction_read_only = off; '
                    'on a standby, release on the primary', session_user, current_database());
  END IF;
END
$writable$;

-- The majors that the release was measured on; while it is being measured it names none.
DO $server$
DECLARE
  v_servers CONSTANT text := nullif(current_setting('@schema@.servers', true), '');
BEGIN
  IF current_setting('server_version_num')::integer / 10000 <> ALL (string_to_array(v_servers, ' ')::integer[]) THEN
    RAISE EXCEPTION USING ERRCODE = '@server.code@', MESSAGE = '@server.message@',
      DETAIL = format('it was fixed for PostgreSQL %s; this is %s', replace(v_servers, ' ', ', '),
        current_setting('server_version')),
      HINT = '@server.hint@';
  END IF;
END
$server$;

-- Where PUBLIC has lost the languages, the roles that make the routines need them; and a DO block needs its own.
DO $languages$
DECLARE
  v_roles CONSTANT text[] := ARRAY[session_user, @owners_quoted@];
  v_missing text;
  v_owner text;
BEGIN
  -- As "public" is asked what a role has that does not exist yet.
  SELECT string_agg(format('%s may not use language %s', r.name, l.lanname), ', ' ORDER BY r.place, l.lanname),
         min(pg_get_userbyid(l.lanowner))
  INTO v_missing, v_owner
  FROM unnest(v_roles) WITH ORDINALITY AS r(name, place)
  JOIN pg_language l ON l.lanname IN ('plpgsql', 'sql')
  WHERE NOT has_language_privilege(CASE WHEN to_regrole(quote_ident(r.name)) IS NULL THEN 'public' ELSE r.name END,
                                   l.oid, 'USAGE');
  IF v_missing IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = '@privilege.code@', MESSAGE = '@privilege.message@',
      DETAIL = v_missing,
      HINT = concat_ws('; then ',
        (SELECT format('as %s: %s', session_user, string_agg(format('CREATE ROLE %I NOLOGIN', r.name), '; '))
         FROM unnest(v_roles) AS r(name) WHERE to_regrole(quote_ident(r.name)) IS NULL HAVING count(*) > 0),
        format('ask %s to send: GRANT USAGE ON LANGUAGE plpgsql, sql TO %s', v_owner,
               (SELECT string_agg(quote_ident(r.name), ', ') FROM unnest(v_roles) AS r(name))));
  END IF;
END
$languages$;

-- A release holds this advisory lock in exclusive mode. Work that must not meet a release holds it in shared mode. An
-- event trigger can recognise a release by this lock, so it is taken before any object is created.
DO $lock$
DECLARE
  v_key CONSTANT bigint := hashtextextended('@schema@.release', 0);
  v_release boolean;
  v_holders text;
BEGIN
  LOOP
    IF pg_try_advisory_xact_lock(v_key) THEN
      RETURN;
    END IF;
    SELECT bool_or(k.mode = 'ExclusiveLock'),
           string_agg(CASE WHEN a.pid IS NULL THEN 'a prepared transaction'
             ELSE format('process %s of %s, since %s', a.pid, a.usename, a.xact_start) END, '; ' ORDER BY a.pid)
    INTO v_release, v_holders
    FROM pg_locks k
    LEFT JOIN pg_stat_activity a ON a.pid = k.pid
    WHERE k.locktype = 'advisory' AND k.granted AND k.objsubid = 1
      AND k.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
      AND (k.classid::bigint << 32 | k.objid::bigint) = v_key;
    -- Without one it has ended meanwhile.
    EXIT WHEN v_holders IS NOT NULL;
  END LOOP;
  IF v_release THEN
    RAISE EXCEPTION USING ERRCODE = '@releasing.code@', MESSAGE = '@releasing.message@',
      DETAIL = format('it is held by %s', v_holders),
      HINT = '@releasing.hint@';
  END IF;
  RAISE EXCEPTION USING ERRCODE = '@busy.code@', MESSAGE = '@busy.message@',
    DETAIL = format('the release lock is held by %s', v_holders),
    HINT = '@busy.hint@';
END
$lock$;
