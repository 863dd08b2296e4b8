-- The magic link that Leaf gave out for a user. Its address is sealed under a key that is derived from the fingerprint key:
-- the ledger alone gives nobody a link.
CREATE TABLE links (
    user        INTEGER PRIMARY KEY,
    sealed      BLOB NOT NULL,
    made_at     INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    -- In which run; NULL where it was none (audit, report).
    run         INTEGER
) STRICT;
