-- Does the live schema match the release manifest? One row per object of the contract. The five gateway functions that
-- the source documents name are of kind gateway. What an operator tuned passes, and its drift is `tuning`.
CREATE OR REPLACE VIEW birth.v_birth_gateway_release_drift_guard AS
SELECT d.kind, d.object, d.kind || ' ' || d.object AS check_name, d.drift,
       CASE d.drift WHEN 'ok' THEN 'as released' ELSE coalesce(d.found, 'nothing') END AS found,
       CASE d.drift WHEN 'ok' THEN 'as released' ELSE coalesce(d.expected, 'nothing') END AS expected,
       d.drift IN ('ok', 'tuning') AS pass,
       d.blocks, d.repair
FROM birth.fn_birth_contract_drift() d;

COMMENT ON VIEW birth.v_birth_gateway_release_drift_guard IS
  'Guard: each object of the contract as released and as found, whether a difference blocks apply, and the statement '
  'that repairs it. Specification: 2, 7.';
