DELETE FROM birth.birth_stage_anchor a WHERE a.stage = 'stage4';
