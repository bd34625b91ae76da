-- What people look at all day: how many calls ended in each five minutes, and
-- the calls that wait for a person.
CREATE INDEX calls_ended   ON calls (finished / 300000000000, state, result) WHERE finished IS NOT NULL;
CREATE INDEX calls_unknown ON calls (created) WHERE state = 'unknown';
