-- What each release fixed, object by object. Append-only: going back to an earlier body is a new row, never a conflict,
-- and an object that a release removes gets a row without hashes. The newest generation of an object counts.
CREATE TABLE birth.birth_gateway_release_registry (
  generation      bigint NOT NULL,
  release         text COLLATE "C" NOT NULL,
  kind            text COLLATE "C" NOT NULL,
  object          text COLLATE "C" NOT NULL,
  parts           jsonb,
  definition      text,
  exact_sha256    text COLLATE "C",
  semantic_sha256 text COLLATE "C",
  normalized_md5  text COLLATE "C",
  algorithm       text NOT NULL,
  server_major    integer NOT NULL,
  released_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
  released_by     text NOT NULL DEFAULT session_user,
  released_by_id  text NOT NULL DEFAULT birth.fn_birth_login_id(),
  PRIMARY KEY (kind, object, generation),
  -- An object is there with its parts and hash, or it was removed: nothing in between.
  CONSTRAINT birth_gateway_release_registry_whole CHECK ((parts IS NULL) = (exact_sha256 IS NULL))
);

COMMENT ON TABLE birth.birth_gateway_release_registry IS
  'Every object as each release fixed it: readable parts, exact and semantic SHA-256. Append-only. Specification: 7.';
COMMENT ON COLUMN birth.birth_gateway_release_registry.generation IS 'Number of the recording; the highest of an object counts.';
COMMENT ON COLUMN birth.birth_gateway_release_registry.release IS 'The stage, as Alembic names the revision.';
COMMENT ON COLUMN birth.birth_gateway_release_registry.kind IS
  'gateway (the five functions of the documents), function, procedure, view, table, constraint, index, trigger, schema, role, claim.';
COMMENT ON COLUMN birth.birth_gateway_release_registry.object IS 'Name of the object within schema birth.';
COMMENT ON COLUMN birth.birth_gateway_release_registry.parts IS 'What is fixed, part by part: body, signature, configuration, owner, privileges, state.';
COMMENT ON COLUMN birth.birth_gateway_release_registry.definition IS 'The statement that makes a routine or view as released: what repairs it. NULL for other kinds.';
COMMENT ON COLUMN birth.birth_gateway_release_registry.exact_sha256 IS 'SHA-256 of the parts, computed in this database; NULL when the release removed the object.';
COMMENT ON COLUMN birth.birth_gateway_release_registry.semantic_sha256 IS 'SHA-256 that formatting and comments do not change, from the release''s manifest.';
COMMENT ON COLUMN birth.birth_gateway_release_registry.normalized_md5 IS 'The documents'' normalised md5; shown, never decided by.';
COMMENT ON COLUMN birth.birth_gateway_release_registry.algorithm IS 'Version of the hash algorithms; live for a recording that no manifest fixed.';
COMMENT ON COLUMN birth.birth_gateway_release_registry.server_major IS 'Major version of the server that deparsed the object.';
COMMENT ON COLUMN birth.birth_gateway_release_registry.released_at IS 'When.';
COMMENT ON COLUMN birth.birth_gateway_release_registry.released_by IS 'Login that released; it may not review what it released.';
COMMENT ON COLUMN birth.birth_gateway_release_registry.released_by_id IS
  'The same login by cluster and OID: the same after ALTER ROLE … RENAME.';
