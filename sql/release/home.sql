-- Records the identity of this database instance as the home of its permits. Later only a DBA changes it
-- (fn_birth_home_confirm).
DO $home$
BEGIN
  PERFORM birth.fn_birth_act_record('home', p_reason := 'released',
    p_detail := h.home || jsonb_build_object('timeline', h.timeline))
  FROM birth.v_birth_home h;
END
$home$;
