-- What a summary cost, in units of 1e-12 USD; null when unpriced, and in rows from before that was
-- kept.
ALTER TABLE books ADD COLUMN summary_cost INTEGER;
