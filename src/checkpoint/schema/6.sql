-- What a run measured of itself, as versioned JSON without users and logins: how it stood last, and what it did over time. Only the
-- latest runs keep theirs, and a run in which nothing happened has none.
CREATE TABLE measures (
    run       INTEGER PRIMARY KEY,
    live      TEXT,
    measures  TEXT
) STRICT;
