-- What the desk needs to be whole: corrected reports, accounts that end, files looked at before they are sent,
-- annulments that a second clerk confirms. Uploads and proposals are not public and do not enter the record.

ALTER TABLE turnout ADD version integer NOT NULL DEFAULT 0;  -- as first received, then one more with each correction

ALTER TABLE account ADD ended timestamptz;                   -- nobody else ever gets the name: the record has it

CREATE TABLE upload (
    account text        PRIMARY KEY REFERENCES account,      -- one file each: the next replaces it
    poll    text        NOT NULL REFERENCES log,
    about   text        NOT NULL CHECK (about IN ('protocols', 'turnout')),
    name    text        NOT NULL,
    columns text        NOT NULL,                            -- the mapping, as it was typed
    content bytea       NOT NULL,
    at      timestamptz NOT NULL
);

CREATE TABLE proposal (
    poll    text        NOT NULL REFERENCES log,
    contest text        NOT NULL,
    whole   boolean     NOT NULL,                            -- an area, or one station
    place   text        NOT NULL,
    reason  text        NOT NULL,
    cite    text        NOT NULL,
    repeat  boolean     NOT NULL,
    by      text        NOT NULL,
    at      timestamptz NOT NULL,
    PRIMARY KEY (poll, contest, whole, place)
);
