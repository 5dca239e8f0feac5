-- What the guards compare with from now on.
DO $anchor$
BEGIN
  PERFORM birth.fn_birth_anchor_record('stage2_5');
END
$anchor$;
