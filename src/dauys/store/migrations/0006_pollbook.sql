-- The centre's side of the pollbook: every station's log as it came in, and who asked for whose right (docs/custody.md).

ALTER TABLE entitlement ADD used integer NOT NULL DEFAULT 0;  -- state 1: the number of the check-in in its holder's log
COMMENT ON COLUMN entitlement.state IS '0 unused, 1 used, 2 released: its holder let it go and nobody has it yet';

-- One log for each station of a poll, and one more for each time its machine was lost.
CREATE TABLE pollbook_log (
    id         serial      PRIMARY KEY,
    poll       text        NOT NULL REFERENCES log,
    station    text        NOT NULL,
    generation integer     NOT NULL,
    holder     text        NOT NULL,                 -- its name as a holder of custody
    key        bytea       NOT NULL,                 -- raw Ed25519 public key
    n          integer     NOT NULL DEFAULT 0,       -- how many events are here
    head       text        NOT NULL,                 -- hash of the last one
    closed     boolean     NOT NULL DEFAULT false,
    lost       boolean     NOT NULL DEFAULT false,   -- the commission gave its machine up
    stopped    text        NOT NULL DEFAULT '',      -- why: two histories
    heard      timestamptz,
    check_ins  integer     NOT NULL DEFAULT 0,       -- that stand
    sealed     integer     NOT NULL DEFAULT 0,       -- events whose commitments are in the record
    UNIQUE (poll, station, generation),
    UNIQUE (poll, holder)
) WITH (fillfactor = 50);

CREATE TABLE pollbook_event (
    log         integer     NOT NULL,                -- of pollbook_log
    n           integer     NOT NULL,
    kind        text        NOT NULL,
    entitlement uuid,
    at          timestamptz NOT NULL,                -- by the station's clock
    body        bytea       NOT NULL,                -- canonical JSON, exactly as hashed
    PRIMARY KEY (log, n)
);
CREATE TRIGGER event_is_final BEFORE UPDATE OR DELETE ON pollbook_event FOR EACH STATEMENT EXECUTE FUNCTION entry_is_final();

-- Check-ins that were not that log's to make: each has its alarm.
CREATE TABLE pollbook_stray (
    poll        text    NOT NULL,
    entitlement uuid    NOT NULL,
    log         integer NOT NULL,
    n           integer NOT NULL,
    undone      boolean NOT NULL DEFAULT false,
    PRIMARY KEY (poll, entitlement, log, n)
);

CREATE TABLE pollbook_request (
    poll        text        NOT NULL,
    id          text        NOT NULL,                -- made by who asks: asking twice is asking once
    entitlement uuid        NOT NULL,
    epoch       smallint    NOT NULL,
    asker       text        NOT NULL,                -- the holder who wants it
    at          timestamptz NOT NULL,
    granted     boolean     NOT NULL DEFAULT false,
    PRIMARY KEY (poll, id)
);
CREATE INDEX pollbook_request_open ON pollbook_request (poll, asker) WHERE NOT granted;

CREATE TABLE pollbook_grant (
    poll        text        NOT NULL,
    request     text        NOT NULL,
    entitlement uuid        NOT NULL,
    epoch       smallint    NOT NULL,
    receiver    text        NOT NULL,
    why         text        NOT NULL,
    at          timestamptz NOT NULL,
    taken       boolean     NOT NULL DEFAULT false,  -- it is in the receiver's log
    PRIMARY KEY (poll, request)
);
CREATE INDEX pollbook_grant_open ON pollbook_grant (poll, receiver) WHERE NOT taken;

CREATE TABLE pollbook_alarm (
    id          bigserial   PRIMARY KEY,
    poll        text        NOT NULL,
    log         integer     NOT NULL,
    n           integer     NOT NULL,
    entitlement uuid,
    number      text        NOT NULL,                -- of the check
    text        text        NOT NULL,
    at          timestamptz NOT NULL
);
CREATE INDEX pollbook_alarm_poll ON pollbook_alarm (poll, id);

-- What was made for a station: the key that checks its enrolment (it opens no package, and is not the code).
CREATE TABLE pollbook_package (
    poll       text        NOT NULL,
    station    text        NOT NULL,
    generation integer     NOT NULL,
    made       timestamptz NOT NULL,
    proof      bytea       NOT NULL,
    PRIMARY KEY (poll, station, generation)
);

-- Every question a station asked about a voter (no names; the answer is not kept).
CREATE TABLE pollbook_question (
    log         integer     NOT NULL,
    at          timestamptz NOT NULL,
    what        text        NOT NULL,
    entitlement uuid                                 -- none: nobody of that number is on the roll
);
CREATE INDEX pollbook_question_log ON pollbook_question (log, at);
