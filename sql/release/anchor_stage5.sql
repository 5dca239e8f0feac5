-- What the guards compare with from now on.
SELECT birth.fn_birth_anchor_record('stage5');
