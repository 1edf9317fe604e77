-- What was asked for beside who answered, and who a summary was made by and for; null in rows from
-- before that was kept.
ALTER TABLE books ADD COLUMN summary_requested_model TEXT;
ALTER TABLE books ADD COLUMN summary_simulated INTEGER;
ALTER TABLE books ADD COLUMN summary_call_id TEXT;
ALTER TABLE books ADD COLUMN summary_variant TEXT;
