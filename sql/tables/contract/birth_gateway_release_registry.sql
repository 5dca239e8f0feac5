-- The contract as each release recorded it, object by object. Append-only: a return to an earlier body is a new row,
-- and an object that a release removes gets a row without hashes. The newest generation of an object is in force.
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
  -- A row records an object with its parts and its hash, or a removal with neither.
  CONSTRAINT birth_gateway_release_registry_whole CHECK ((parts IS NULL) = (exact_sha256 IS NULL))
);

COMMENT ON TABLE birth.birth_gateway_release_registry IS
  'Every object as each release recorded it: readable parts, exact and semantic SHA-256. Append-only. Specification: '
  '7.';
COMMENT ON COLUMN birth.birth_gateway_release_registry.generation IS
  'Number of the recording; the highest generation of an object is in force.';
COMMENT ON COLUMN birth.birth_gateway_release_registry.release IS 'The stage, as Alembic names the revision.';
COMMENT ON COLUMN birth.birth_gateway_release_registry.kind IS
  'gateway (the five functions that the source documents name), function, procedure, view, table, constraint, index, '
  'trigger, schema, role, claim.';
COMMENT ON COLUMN birth.birth_gateway_release_registry.object IS 'Name of the object within schema birth.';
COMMENT ON COLUMN birth.birth_gateway_release_registry.parts IS
  'The recorded parts: body, signature, configuration, owner, privileges, state.';
COMMENT ON COLUMN birth.birth_gateway_release_registry.definition IS
  'The statement that creates a routine or view as released, used to repair it. NULL for other kinds.';
COMMENT ON COLUMN birth.birth_gateway_release_registry.exact_sha256 IS
  'SHA-256 of the parts, computed in this database; NULL when the release removed the object.';
COMMENT ON COLUMN birth.birth_gateway_release_registry.semantic_sha256 IS
  'SHA-256 that does not depend on formatting and comments, from the manifest of the release.';
COMMENT ON COLUMN birth.birth_gateway_release_registry.normalized_md5 IS
  'The normalised md5 of the source documents; only displayed, no check uses it.';
COMMENT ON COLUMN birth.birth_gateway_release_registry.algorithm IS
  'Version of the hash algorithms; live if the recording was made without a manifest.';
COMMENT ON COLUMN birth.birth_gateway_release_registry.server_major IS
  'Major version of the server that deparsed the object.';
COMMENT ON COLUMN birth.birth_gateway_release_registry.released_at IS 'When the release recorded the object.';
COMMENT ON COLUMN birth.birth_gateway_release_registry.released_by IS
  'Login that released; it may not review runs of this release.';
COMMENT ON COLUMN birth.birth_gateway_release_registry.released_by_id IS
  'The same login as cluster and OID, which ALTER ROLE ... RENAME does not change.';
