-- What was learned of each host's unpublished quota, in requests a second.
CREATE TABLE learned_rates (
    service     TEXT PRIMARY KEY,
    per_second  REAL NOT NULL,
    at          INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
