-- Freezes the dangerous operations that are not frozen yet.
INSERT INTO birth.birth_act (act, dot_name, reason)
SELECT 'freeze', d.dot_name, 'stage0: a dangerous operation does not run'
FROM birth.v_birth_dot_status d
WHERE d.dangerous AND NOT d.frozen;
