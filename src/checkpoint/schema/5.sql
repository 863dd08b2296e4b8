-- How many lines the whole manifest had, and in a shard's ledger, which holds its own lines only, a digest of all line numbers
-- and leafUserIds: the ledgers of one night's shards agree in both.
ALTER TABLE runs ADD COLUMN manifest_lines INTEGER;
ALTER TABLE runs ADD COLUMN manifest_print TEXT;
