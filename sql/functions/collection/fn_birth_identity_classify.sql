-- Decides a collection's identity, and stores the expression that the gateway evaluates. Refused while a run of the
-- collection is open. A collection with births keeps the code of every row that has one. That an identity may be a part
-- of the table's key is a steward's word, which the gateway, plans and the census check.
-- SECURITY DEFINER: stewards write the registry only through routines.
-- Returns: the next step.
-- Calls: fn_birth_actor, fn_birth_raise, fn_birth_open_run, fn_birth_template_parse, fn_birth_identity_definition,
--        fn_birth_identity_store, fn_birth_type_way_out, fn_birth_identity_loss, fn_birth_act_record
-- Writes: collection_registry
CREATE OR REPLACE FUNCTION birth.fn_birth_identity_classify(
    p_collection text, p_strategy text, p_column text DEFAULT NULL, p_prefix text DEFAULT NULL,
    p_template text DEFAULT NULL, p_part_of_key boolean DEFAULT false)
  RETURNS text
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_identity_classify$
DECLARE
  r_identity record;
  v_before text;
  v_fault text;
  v_text bigint := octet_length(p_prefix);
BEGIN
  PERFORM birth.fn_birth_actor('birth_steward', 'fn_birth_identity_classify');
  PERFORM FROM birth.collection_registry c WHERE c.collection_name = p_collection FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('unknown_collection', format('collection %L', p_collection));
  END IF;
  IF (CASE p_strategy
        WHEN 'column' THEN p_column IS NOT NULL AND p_prefix IS NULL AND p_template IS NULL
        WHEN 'synthetic_id' THEN p_column IS NOT NULL AND btrim(p_prefix, E' \t\n\r\f\x0b') <> '' AND p_template IS NULL
        WHEN 'legacy' THEN p_template IS NOT NULL AND p_column IS NULL AND p_prefix IS NULL
      END) IS NOT TRUE THEN
    PERFORM birth.fn_birth_raise('identity_malformed',
      format('strategy %L, column %L, prefix %L, template %L', left(p_strategy, 80), left(p_column, 80),
        left(p_prefix, 80), left(p_template, 80)),
      'column takes p_column; synthetic_id takes p_column and p_prefix; legacy takes p_template');
  END IF;
  IF p_template IS NOT NULL THEN
    SELECT sum(octet_length(t.literal)) INTO v_text FROM birth.fn_birth_template_parse(p_template) t;
  END IF;
  IF v_text > 512 THEN
    PERFORM birth.fn_birth_raise('identity_malformed', format('the text around the columns has %s bytes', v_text),
      'a code has at most 512 bytes: shorten the prefix or the template');
  END IF;
  PERFORM birth.fn_birth_open_run(p_collection);
  SELECT i.code_sql INTO v_before FROM birth.fn_birth_identity_definition(p_collection) i;

  UPDATE birth.collection_registry c
  SET birth_code_strategy = p_strategy, birth_code_column = p_column, birth_code_prefix = p_prefix,
      birth_code_template = p_template, birth_code_sql = NULL, birth_code_row_sql = NULL, birth_code_columns = '{}',
      birth_code_types = '{}', birth_code_part = p_part_of_key IS TRUE, classified_at = clock_timestamp(),
      classified_by = session_user,
      rule_version = c.rule_version + 1
  WHERE c.collection_name = p_collection;
  r_identity := birth.fn_birth_identity_store(p_collection);
  IF starts_with(r_identity.status, 'BLOCKED_') THEN
    PERFORM birth.fn_birth_raise('identity_not_eligible',
      format('collection %s: %s, %s', p_collection, r_identity.status, r_identity.reason),
      (SELECT birth.fn_birth_type_way_out(i.relation, i.columns)
              || '; then birth.fn_birth_identity_propose suggests it'
       FROM birth.fn_birth_identity_definition(p_collection) i));
  END IF;
  v_fault := birth.fn_birth_identity_loss(p_collection, v_before);
  IF v_fault IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('transition_required', v_fault,
      'a birth is not given another code: choose an identity under which these rows keep theirs');
  END IF;
  PERFORM birth.fn_birth_act_record('classify', p_collection := p_collection,
    p_detail := jsonb_strip_nulls(jsonb_build_object(
      'strategy', p_strategy, 'column', p_column, 'prefix', p_prefix, 'template', p_template,
      'part_of_key', CASE WHEN p_part_of_key THEN true END,
      -- A writer that is open now may commit births under the former identity: v_birth_attention.
      'under_gateway', (SELECT true FROM birth.collection_registry c
                        WHERE c.collection_name = p_collection AND c.birth_code_sql <> v_before
                          AND EXISTS (SELECT FROM birth.v_birth_gateway_trigger g
                                      WHERE g.collection_name = p_collection)))));
  RETURN format('SELECT * FROM birth.fn_dot_birth_qt001_plan(p_collection := %L);', p_collection);
END;
$fn_birth_identity_classify$;

COMMENT ON FUNCTION birth.fn_birth_identity_classify(text, text, text, text, text, boolean) IS
  'Decides a collection''s identity: column, synthetic_id or legacy; with p_part_of_key a part of the table''s key, '
  'where no two rows share it; returns the next step. A code is for good: choose none with personal data. Steward. '
  'NB103, NB105, NB106, NB110, NB111, NB115 to NB117. Specification: 4, 4.1, 5.2.';
