-- In which run the credential that a user holds was attached, so that a run can be rolled back. The last run of a user
-- attached it where that is how the user ended; of all others nobody knows.
ALTER TABLE users ADD COLUMN held_run INTEGER;
UPDATE users SET held_run = run
    WHERE held_ours = 1 AND outcome = 'attached' AND stage = 'verify' AND credential_id = held_id;
-- In which run the attach was announced that is in the open, or that is being taken back.
ALTER TABLE users ADD COLUMN intent_run INTEGER;

-- What kind of run it was: run, repair or detach.
ALTER TABLE runs ADD COLUMN kind TEXT NOT NULL DEFAULT 'run';

-- The audits, with their counts by finding as a JSON object.
CREATE TABLE audits (
    audit     INTEGER PRIMARY KEY,
    at        INTEGER NOT NULL,
    -- NULL where everything in the ledger was audited.
    manifest  TEXT,
    counts    TEXT NOT NULL
) STRICT;

-- What the last audit of a user found, where it isn't healthy. A healthy user has no record, so that a night on which
-- everything is well writes next to nothing.
CREATE TABLE findings (
    user               INTEGER PRIMARY KEY,
    finding            TEXT NOT NULL,
    -- When it was found first, and last, and in how many audits in a row.
    since              INTEGER NOT NULL,
    at                 INTEGER NOT NULL,
    audits             INTEGER NOT NULL,
    credential_id      TEXT,
    credential_status  TEXT
) STRICT;
