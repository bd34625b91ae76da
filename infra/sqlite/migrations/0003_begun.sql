-- begun: the message of a call that somebody has begun to work, which goes
-- before contacts that nobody has. sent: when the message was first sent.
ALTER TABLE messages ADD COLUMN begun INTEGER NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN sent INTEGER NOT NULL DEFAULT 0;
DROP INDEX messages_due;
CREATE INDEX messages_due ON messages (begun, due);

-- grouped: the alert is told in a digest, so it lets those that are told one by
-- one go first.
ALTER TABLE alerts ADD COLUMN grouped INTEGER NOT NULL DEFAULT 0;
