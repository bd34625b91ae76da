-- kept: the finished call of an earlier round, under a key of its own.
ALTER TABLE calls ADD COLUMN kept INTEGER NOT NULL DEFAULT 0;

DROP INDEX calls_counted;
CREATE INDEX calls_counted ON calls (state, campaign, result, kept);
