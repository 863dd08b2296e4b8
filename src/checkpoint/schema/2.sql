-- What was learned of each host's unpublished quota, in requests a second.
CREATE TABLE learned_rates (
    service     TEXT PRIMARY KEY,
    per_second  REAL NOT NULL,
    at          INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- With which login what is announced was sent: the row may have another one by the time that it is found.
ALTER TABLE users ADD COLUMN intent_login TEXT;
-- In which run it was refused.
ALTER TABLE refusals ADD COLUMN run INTEGER;
-- How Stara was asked then, where that run was stopped because it went wrong for everybody and no login was accepted:
-- asked otherwise, the login is open again. NULL on an ordinary refusal.
ALTER TABLE refusals ADD COLUMN asked INTEGER;
-- Whether it was refused again after it had been open: then it is an ordinary refusal for good.
ALTER TABLE refusals ADD COLUMN is_settled INTEGER NOT NULL DEFAULT 0;
