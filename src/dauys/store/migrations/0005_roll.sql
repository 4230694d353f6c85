-- Who may vote: the roll as versions that are never overwritten, the roll of a poll as it was frozen, and one right for each voter.

-- A change set: what one person brought in and another decided. Sets take effect in the order of their numbers.
CREATE TABLE roll_set (
    id          bigserial   PRIMARY KEY,
    made        timestamptz NOT NULL,
    by          text        NOT NULL,
    kind        text        NOT NULL CHECK (kind IN ('import', 'changes', 'duplicates', 'claim')),
    source      text        NOT NULL,                 -- where it comes from: a file's name, an authority's letter, a claim
    sha256      text,                                 -- of the file, where there is one
    day         date        NOT NULL,                 -- everyone in it is at least 18 on this day
    state       text        NOT NULL DEFAULT 'held' CHECK (state IN ('held', 'applied', 'rejected', 'rolled back')),
    decided_by  text        CHECK (decided_by <> by), -- applied or rejected by a second person
    decided     timestamptz,
    reason      text        NOT NULL DEFAULT '',
    undone_by   text,                                 -- rolled back
    undone      timestamptz,
    undone_why  text,
    summary     jsonb       NOT NULL DEFAULT '{}',    -- counts, never persons
    CHECK ((state = 'held') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided IS NULL)),
    CHECK ((state = 'rolled back') = (undone_by IS NOT NULL) AND (undone_by IS NULL) = (undone IS NULL))
);
CREATE INDEX roll_set_applied ON roll_set (id) WHERE state = 'applied';

-- A version of a voter. In force: the one of the newest applied set. `sealed` is the person (roll.vault), bound to `voter`.
CREATE TABLE voter (
    voter   uuid   NOT NULL,                          -- keyed hash of the IIN
    set_id  bigint NOT NULL,                          -- of roll_set (a foreign key would be looked up for every row of a nation)
    station text   NOT NULL,                          -- home station
    area    text   NOT NULL,
    status  text   NOT NULL,                          -- roll.voter.STATUSES
    since   date,                                     -- first and last day of the status, where known
    until   date,
    source  text   NOT NULL,                          -- who says so; 'synthetic' for a made-up person
    block1  bigint NOT NULL,                          -- keyed hashes that likely duplicates share (roll.voter.blocks)
    block2  bigint NOT NULL,
    sealed  bytea  NOT NULL,
    CONSTRAINT voter_version PRIMARY KEY (voter, set_id)
);
CREATE INDEX voter_block1 ON voter (block1);
CREATE INDEX voter_block2 ON voter (block2);
CREATE INDEX voter_station ON voter (station);
CREATE INDEX voter_set ON voter USING brin (set_id) WITH (pages_per_range = 32, autosummarize = on);

CREATE FUNCTION version_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a version of a voter is never changed: a later set brings another one';
END $$;
CREATE TRIGGER version_is_final BEFORE UPDATE ON voter FOR EACH STATEMENT EXECUTE FUNCTION version_is_final();

-- The roll of a poll, as it was frozen: its numbers and roots stand in the record too.
CREATE TABLE roll_freeze (
    poll     text        PRIMARY KEY REFERENCES log,
    at       timestamptz NOT NULL,                    -- the moment whose roll it is
    sets     bigint[]    NOT NULL,                    -- the sets that were in force then
    voters   integer     NOT NULL,
    root     bytea       NOT NULL                     -- over the stations
);

CREATE TABLE roll_station (
    poll     text    NOT NULL REFERENCES roll_freeze,
    station  text    NOT NULL,
    voters   integer NOT NULL,
    root     bytea   NOT NULL,                        -- over the commitments of the station's voters
    PRIMARY KEY (poll, station)
);

CREATE TABLE roll_addition (
    poll     text        NOT NULL,
    station  text        NOT NULL,
    n        integer     NOT NULL,                    -- the station's first addition is 1
    at       timestamptz NOT NULL,
    reason   text        NOT NULL,
    voters   integer     NOT NULL,
    PRIMARY KEY (poll, station, n),
    FOREIGN KEY (poll, station) REFERENCES roll_station
);

-- One voter's right in one poll, and who holds it. Rows lie by home station and leave half of each page, so that a station's
-- check-ins touch few of them and no index (heap-only updates).
CREATE TABLE entitlement (
    poll     text     NOT NULL,
    id       uuid     NOT NULL,                       -- keyed hash of the poll and the voter
    home     text     NOT NULL,
    holder   text     NOT NULL,                       -- 'station/<id>/<generation>', 'certificate', a channel: custody (docs/custody.md)
    epoch    smallint NOT NULL DEFAULT 0,             -- how often custody moved
    state    smallint NOT NULL DEFAULT 0,             -- 0 unused, 1 used
    addition integer  NOT NULL DEFAULT 0,             -- 0: on the frozen roll; else the number of the station's addition
    voter    uuid     NOT NULL,
    set_id   bigint   NOT NULL,                       -- the version of the voter that was frozen
    CONSTRAINT entitlement_id PRIMARY KEY (poll, id)
) WITH (fillfactor = 50);
CREATE INDEX entitlement_home ON entitlement (poll, home);
