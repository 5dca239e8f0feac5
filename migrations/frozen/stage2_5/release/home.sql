-- Where the permits come to be is their home; from then on it changes by a DBA's word only.
DO $home$
BEGIN
  PERFORM birth.fn_birth_act_record('home', p_reason := 'released', p_detail := h.home || jsonb_build_object('timeline', h.timeline))
  FROM birth.v_birth_home h;
END
$home$;
