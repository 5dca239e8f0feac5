-- The DOTs and whether each is frozen. A freeze is an act. It is in force until an unfreeze lists it in
-- detail->'lifts'. Therefore the order of acts does not matter (an identity column does not give it), and an unfreeze
-- never lifts a freeze that it did not see.
CREATE OR REPLACE VIEW birth.v_birth_dot_status AS
SELECT d.dot_name, d.dot_code, d.dangerous, d.routine,
       f.acts IS NOT NULL AS frozen,
       coalesce(f.acts, '{}'::bigint[]) AS freeze_acts,
       f.since AS frozen_since,
       f.actors AS frozen_by,
       f.reasons AS frozen_because
FROM birth.dot_registry d
LEFT JOIN LATERAL (
  SELECT array_agg(a.act_id) AS acts, min(a.acted_at) AS since,
         string_agg(DISTINCT a.actor, ', ') AS actors, string_agg(DISTINCT a.reason, '; ') AS reasons
  FROM birth.birth_act a
  WHERE a.dot_name = d.dot_name AND a.act = 'freeze'
    AND NOT EXISTS (
      SELECT FROM birth.birth_act u
      WHERE u.dot_name = a.dot_name AND u.act = 'unfreeze' AND (u.detail -> 'lifts') @> to_jsonb(a.act_id))
) f ON true;

COMMENT ON VIEW birth.v_birth_dot_status IS
  'Every DOT and whether it is frozen: since when, by whom, why, and by which acts. Specification: 1, 2.';
