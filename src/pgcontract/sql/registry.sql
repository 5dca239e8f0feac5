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
