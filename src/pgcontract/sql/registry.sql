-- The contract as each release recorded it, object by object. Append-only: a return to an earlier body is a new row,
-- and an object that a release removes gets a row without hashes. The newest generation of an object is in force.
CREATE TABLE @schema@.@registry@ (
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
  PRIMARY KEY (kind, object, generation),
  -- A row records an object with its parts and its hash, or a removal with neither.
  CONSTRAINT @registry@_whole CHECK ((parts IS NULL) = (exact_sha256 IS NULL))
);

COMMENT ON TABLE @schema@.@registry@ IS
  'Every object as each release recorded it: readable parts, exact and semantic SHA-256. Append-only.@see@';
COMMENT ON COLUMN @schema@.@registry@.generation IS
  'Number of the recording; the highest generation of an object is in force.';
COMMENT ON COLUMN @schema@.@registry@.release IS 'The release, which is an Alembic revision.';
COMMENT ON COLUMN @schema@.@registry@.kind IS 'table, view, function, constraint and so on.';
COMMENT ON COLUMN @schema@.@registry@.object IS 'Name of the object within the schema.';
COMMENT ON COLUMN @schema@.@registry@.parts IS
  'The recorded parts: body, signature, configuration, owner, privileges, state.';
COMMENT ON COLUMN @schema@.@registry@.definition IS
  'The statement that creates a routine or view as released, used to repair it. NULL for other kinds.';
COMMENT ON COLUMN @schema@.@registry@.exact_sha256 IS
  'SHA-256 of the parts, computed in this database; NULL when the release removed the object.';
COMMENT ON COLUMN @schema@.@registry@.semantic_sha256 IS
  'SHA-256 that does not depend on formatting and comments, from the manifest of the release.';
COMMENT ON COLUMN @schema@.@registry@.normalized_md5 IS
  'MD5 of a body without white space and comments; only displayed, no check uses it.';
COMMENT ON COLUMN @schema@.@registry@.algorithm IS
  'Version of the hash algorithms; live if the recording was made without a manifest.';
COMMENT ON COLUMN @schema@.@registry@.server_major IS
  'Major version of the server that deparsed the object.';
COMMENT ON COLUMN @schema@.@registry@.released_at IS 'When the release recorded the object.';
COMMENT ON COLUMN @schema@.@registry@.released_by IS 'Login that released.';
