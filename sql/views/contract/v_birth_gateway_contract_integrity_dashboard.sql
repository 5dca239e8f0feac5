-- The contract in one row. Apply requires all_ok: a contract is recorded, and no drift blocks.
CREATE OR REPLACE VIEW birth.v_birth_gateway_contract_integrity_dashboard AS
SELECT r.release, r.generation, r.server_major AS recorded_major,
       current_setting('server_version_num')::integer / 10000 AS server_major,
       d.objects, d.drifted, d.blocking, d.gateway_objects, d.gateway_ok,
       birth.fn_birth_contract_hash() AS contract_hash,
       r.generation IS NOT NULL AND d.blocking = 0 AND d.gateway_objects > 0 AS all_ok
FROM (
  SELECT count(*) AS objects,
         count(*) FILTER (WHERE c.drift <> 'ok') AS drifted,
         count(*) FILTER (WHERE c.blocks) AS blocking,
         count(*) FILTER (WHERE c.kind = 'gateway') AS gateway_objects,
         count(*) FILTER (WHERE c.kind = 'gateway' AND c.drift = 'ok') AS gateway_ok
  FROM birth.fn_birth_contract_drift() c
) d
LEFT JOIN (
  SELECT g.release, g.generation, g.server_major
  FROM birth.birth_gateway_release_registry g
  ORDER BY g.generation DESC
  LIMIT 1
) r ON true;

COMMENT ON VIEW birth.v_birth_gateway_contract_integrity_dashboard IS
  'The contract in one row: release, number of objects, how many have drifted, how many of those block apply, the hash '
  'of the contract, and all_ok. Specification: 2, 7.';
