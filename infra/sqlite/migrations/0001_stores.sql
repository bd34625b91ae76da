-- Times are nanoseconds since 1970 in UTC; NULL is no time.

-- What must not be lost when a whole record is written has a column of its own
-- outside the body: answer and sent_at. The other columns repeat what the body
-- says, for conditions and lists.
CREATE TABLE calls (
    id           INTEGER PRIMARY KEY,
    campaign     TEXT    NOT NULL,
    contact      TEXT    NOT NULL,
    version      INTEGER NOT NULL,
    state        TEXT    NOT NULL,
    result       TEXT    NOT NULL,
    due          INTEGER,
    attempt      TEXT,
    park_service TEXT,
    park_since   INTEGER,
    park_number  INTEGER NOT NULL,
    created      INTEGER NOT NULL,
    finished     INTEGER,
    sent_at      INTEGER,
    answer       BLOB,
    body         BLOB    NOT NULL,
    UNIQUE (campaign, contact)
);
CREATE INDEX calls_due      ON calls (due) WHERE due IS NOT NULL;
CREATE INDEX calls_parked   ON calls (park_service, park_since) WHERE park_service IS NOT NULL;
CREATE INDEX calls_created  ON calls (created);
CREATE INDEX calls_finished ON calls (finished) WHERE finished IS NOT NULL;
CREATE INDEX calls_counted  ON calls (state, campaign, result);

CREATE TABLE sids (
    sid  TEXT    PRIMARY KEY,
    call INTEGER NOT NULL REFERENCES calls ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX sids_call ON sids (call);

-- The numbers that a live call holds.
CREATE TABLE holders (
    number TEXT    PRIMARY KEY,
    call   INTEGER NOT NULL REFERENCES calls ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX holders_call ON holders (call);

-- The numbers that were dialled for a campaign.
CREATE TABLE marks (
    number   TEXT    NOT NULL,
    campaign TEXT    NOT NULL,
    call     INTEGER NOT NULL REFERENCES calls ON DELETE CASCADE,
    PRIMARY KEY (number, campaign)
) WITHOUT ROWID;
CREATE INDEX marks_call ON marks (call);

CREATE TABLE blocked (number TEXT PRIMARY KEY) WITHOUT ROWID;

CREATE TABLE circuits (
    service TEXT    PRIMARY KEY,
    version INTEGER NOT NULL,
    body    BLOB    NOT NULL
) WITHOUT ROWID;

CREATE TABLE pace (
    service TEXT    PRIMARY KEY,
    last    INTEGER NOT NULL
) WITHOUT ROWID;

-- A message is hidden until due. taken: somebody received it and has not said
-- what becomes of it.
CREATE TABLE messages (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    key      TEXT    NOT NULL,
    due      INTEGER NOT NULL,
    receives INTEGER NOT NULL DEFAULT 0,
    taken    INTEGER NOT NULL DEFAULT 0,
    body     BLOB    NOT NULL
);
CREATE INDEX messages_due ON messages (due);
CREATE INDEX messages_key ON messages (key, due);

CREATE TABLE dead_letters (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    buried   INTEGER NOT NULL,
    receives INTEGER NOT NULL,
    reason   TEXT    NOT NULL,
    body     BLOB    NOT NULL
);

CREATE TABLE alerts (
    seq       INTEGER PRIMARY KEY AUTOINCREMENT,
    channel   TEXT    NOT NULL,
    id        TEXT    NOT NULL,
    delivered INTEGER,
    body      BLOB    NOT NULL,
    UNIQUE (channel, id)
);
CREATE INDEX alerts_undelivered ON alerts (channel, seq) WHERE delivered IS NULL;

CREATE TABLE alert_groups (
    channel   TEXT    NOT NULL,
    key       TEXT    NOT NULL,
    last_sent INTEGER,
    sent      INTEGER NOT NULL,
    PRIMARY KEY (channel, key)
) WITHOUT ROWID;

CREATE TABLE events (
    seq  INTEGER PRIMARY KEY AUTOINCREMENT,
    body BLOB    NOT NULL
);

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;
