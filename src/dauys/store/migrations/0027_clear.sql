-- While a machine that was given up unheard is unread, it may have been given any right that was free when the centre was put back,
-- whenever that comes to light. These were not: let go by a machine since its word, or given by the centre as it is now.
DROP TABLE pollbook_doubt;
CREATE TABLE pollbook_clear (
    poll        text     NOT NULL,
    entitlement uuid     NOT NULL,
    epoch       smallint NOT NULL,
    PRIMARY KEY (poll, entitlement)
);
CREATE INDEX pollbook_log_missed ON pollbook_log (poll) WHERE missed;

-- The mark by which its machine said last that the centre has all of it: what was given before that is void.
ALTER TABLE pollbook_log ADD mark text NOT NULL DEFAULT '';

-- The name of a mark: of no clock, for a clock may be set back.
ALTER TABLE pollbook_restored ADD name text NOT NULL DEFAULT gen_random_uuid()::text;
