-- The policy of each collection, whether the current rule (policy, mode, identity) holds for every transaction that can
-- still commit, and whether it is validated: since the rule holds, something found every row born, and the gateway is
-- there. That is a run that is done, an admission that read the table, or a census on record. It counts unless a
-- compensation took births away while it read, or after it.
CREATE OR REPLACE VIEW birth.v_birth_policy AS
SELECT c.collection_name, c.coverage_status, c.governed, c.policy_version, c.gateway_mode, f.holds,
       c.coverage_status = 'BIRTH_REQUIRED' AND f.holds AND g.guarded AND p.proven_at IS NOT NULL AS validated,
       p.proven_at, p.proven_by,
       CASE WHEN c.coverage_status <> 'BIRTH_REQUIRED' OR p.proven_at IS NOT NULL AND f.holds AND g.guarded THEN NULL
            WHEN NOT g.guarded
              THEN coalesce(g.repair, format('SELECT birth.fn_birth_gateway_attach(p_collection := %L, '
                                             'p_mode := %L);  -- a steward', c.collection_name, c.gateway_mode))
            WHEN NOT f.holds THEN 'SELECT birth.fn_birth_gateway_fence();  -- a steward, as a separate statement'
            ELSE format('SELECT * FROM birth.fn_birth_census_record(p_collection := %L);  -- an operator',
                        c.collection_name) END AS next_step
FROM birth.collection_registry c
JOIN birth.v_birth_gateway_fence f ON f.collection_name = c.collection_name
CROSS JOIN LATERAL (
  SELECT EXISTS (SELECT FROM birth.v_birth_gateway_trigger t
                 WHERE t.collection_name = c.collection_name AND t.enabled AND t.schema_name = c.schema_name
                   AND t.table_name = c.table_name)
         AND NOT EXISTS (SELECT FROM birth.v_birth_gateway_gap p WHERE p.collection_name = c.collection_name)
           AS guarded,
         coalesce((SELECT min(t.repair) FROM birth.v_birth_gateway_trigger t
                   WHERE t.collection_name = c.collection_name AND t.schema_name = c.schema_name
                     AND t.table_name = c.table_name),
                  (SELECT min(p.repair) FROM birth.v_birth_gateway_gap p
                   WHERE p.collection_name = c.collection_name)) AS repair
) g
LEFT JOIN LATERAL (
  SELECT a.acted_at AS proven_at, a.act || ' by ' || a.actor AS proven_by
  FROM birth.birth_act a
  WHERE a.collection_name = c.collection_name AND a.act IN ('outcome', 'census', 'admit')
    AND a.detail ->> 'rule_version' = c.rule_version::text AND a.detail ->> 'holds' = 'true'
    AND a.detail ->> 'unborn' = '0'
    AND NOT EXISTS (SELECT FROM birth.birth_backfill_ledger_v2 l
                    WHERE l.collection_name = c.collection_name AND l.compensating_since IS NOT NULL
                      AND l.status <> 'compensated')
    AND NOT EXISTS (SELECT FROM birth.birth_act o
                    WHERE o.collection_name = c.collection_name AND o.act = 'outcome'
                      AND o.detail ->> 'status' = 'compensated' AND o.acted_at >= (a.detail ->> 'since')::timestamptz)
  ORDER BY a.acted_at DESC LIMIT 1
) p ON true;

COMMENT ON VIEW birth.v_birth_policy IS
  'The policy of each collection: whether it holds for every transaction that can still commit, whether every row was '
  'found born since (validated), and the next step. Specification: 4.1.';
