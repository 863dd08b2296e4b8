-- What the ledger is about: its target, its fingerprint key's id, which dialects have worked.
CREATE TABLE facts (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- One record a user, keyed in the order of first appearance.
CREATE TABLE users (
    key                  INTEGER PRIMARY KEY,
    leaf_user_id         BLOB NOT NULL UNIQUE,
    -- The row that was decided last. The fingerprints are keyed; there is no password here.
    login                TEXT,
    row_print            INTEGER,
    login_print          INTEGER,
    -- How it ended.
    run                  INTEGER,
    outcome              TEXT,
    origin               TEXT,
    stage                TEXT,
    http_status          INTEGER,
    attempts             INTEGER,
    credential_id        TEXT,
    credential_status    TEXT,
    finished_at          INTEGER,
    message              TEXT,
    -- What was about to be sent and isn't settled; intent_at is NULL when nothing is open, and without attaches it is a
    -- deletion.
    intent_at            INTEGER,
    intent_attaches      INTEGER NOT NULL DEFAULT 0,
    intent_acknowledged  INTEGER NOT NULL DEFAULT 0,
    intent_over_nothing  INTEGER NOT NULL DEFAULT 0,
    intent_replacing     INTEGER NOT NULL DEFAULT 0,
    intent_removing      TEXT,
    -- The credential the user held when it was last seen.
    held_id              TEXT,
    held_ours            INTEGER NOT NULL DEFAULT 0,
    held_login           TEXT,
    held_origin          TEXT
) STRICT;

-- The lines of the latest run's manifest.
CREATE TABLE lines (
    line          INTEGER PRIMARY KEY,
    user          INTEGER,
    -- Only on an invalid line that nevertheless names a user.
    leaf_user_id  BLOB,
    login         TEXT,
    row_print     INTEGER,
    login_print   INTEGER,
    decision      TEXT NOT NULL,
    message       TEXT,
    -- A JSON array of the cells of --keep-column.
    kept          TEXT
) STRICT;
CREATE INDEX lines_by_user ON lines (user) WHERE user IS NOT NULL;

-- Logins and passwords that Stara refused, by keyed fingerprint.
CREATE TABLE refusals (
    login_print  INTEGER PRIMARY KEY,
    http_status  INTEGER,
    at           INTEGER NOT NULL
) STRICT;

-- Leaf's log of credentials that were deleted here, without headers and bodies.
CREATE TABLE events (
    user         INTEGER NOT NULL,
    id           TEXT NOT NULL,
    created      TEXT NOT NULL,
    status_code  INTEGER,
    PRIMARY KEY (user, id, created)
) STRICT, WITHOUT ROWID;

-- Every run, and its totals once it has ended.
CREATE TABLE runs (
    run           INTEGER PRIMARY KEY,
    started_at    INTEGER NOT NULL,
    manifest      TEXT NOT NULL,
    kept_columns  TEXT NOT NULL,
    lines         INTEGER NOT NULL DEFAULT 0,
    to_do         INTEGER NOT NULL DEFAULT 0,
    ended_at      INTEGER,
    exit_code     INTEGER,
    ending        TEXT,
    -- JSON objects: lines by outcome code, and requests by host.
    outcomes      TEXT,
    hosts         TEXT
) STRICT;
