-- What people do with the roll: likely duplicates that somebody decides about, citizens' look-ups, and their claims of errors.

-- Two entries that may be one person. No personal data: ids, points, and codes of what agrees and what differs.
CREATE TABLE roll_pair (
    id        bigserial   PRIMARY KEY,
    one       uuid        NOT NULL,                 -- voters
    other     uuid        NOT NULL,
    score     smallint    NOT NULL CHECK (score BETWEEN 0 AND 100),
    evidence  text[]      NOT NULL,                 -- roll.likeness.WORDS
    print     bytea       NOT NULL,                 -- SHA-256 of both entries as they were compared
    found     timestamptz NOT NULL,
    run       bigint      NOT NULL,                 -- the last search that came upon it
    proposed  bigint      NOT NULL,                 -- the search that put it on the worklist, or again on it
    state     text        NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'same', 'different', 'gone')),
    set_id    bigint      REFERENCES roll_set,      -- same: the set that takes one of them off
    goes      uuid,                                 -- same: whose entry it takes off
    CHECK (one < other),
    CHECK ((state = 'same') = (set_id IS NOT NULL) AND (set_id IS NULL) = (goes IS NULL)),
    UNIQUE (one, other)
);
CREATE INDEX roll_pair_work ON roll_pair (state, score DESC, id);
CREATE INDEX roll_pair_goes ON roll_pair (goes) WHERE goes IS NOT NULL;

-- Every decision about a pair stays.
CREATE TABLE roll_pair_decision (
    pair    bigint      NOT NULL REFERENCES roll_pair,
    n       integer     NOT NULL,
    at      timestamptz NOT NULL,
    by      text        NOT NULL,
    what    text        NOT NULL CHECK (what IN ('same', 'different', 'open')),
    reason  text        NOT NULL,
    set_id  bigint,
    PRIMARY KEY (pair, n)
);
CREATE FUNCTION decision_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a decision about two entries is never changed: the next one follows it';
END $$;
CREATE TRIGGER decision_is_final BEFORE UPDATE OR DELETE ON roll_pair_decision
    FOR EACH STATEMENT EXECUTE FUNCTION decision_is_final();

-- A pair is open again when the set that was to take one of them off was rejected or rolled back.
CREATE VIEW roll_pair_now AS
    SELECT p.*, CASE WHEN p.state = 'same' AND s.state IN ('rejected', 'rolled back') THEN 'open' ELSE p.state END AS now
    FROM roll_pair p LEFT JOIN roll_set s ON s.id = p.set_id;

-- Each time somebody asked, under keyed hashes; which client it was is forgotten after a day.
CREATE TABLE roll_lookup (
    id       bigserial   PRIMARY KEY,
    at       timestamptz NOT NULL,
    poll     text        NOT NULL,
    client   bytea,                                 -- keyed hash of the address and the day
    iin      bytea       NOT NULL,                  -- keyed hash, not the voter's id
    outcome  text        NOT NULL CHECK (outcome IN ('listed', 'not listed', 'limited', 'claim', 'follow'))
);
CREATE INDEX roll_lookup_client ON roll_lookup (client, at) WHERE client IS NOT NULL;
CREATE INDEX roll_lookup_old ON roll_lookup (at) WHERE client IS NOT NULL;
CREATE INDEX roll_lookup_iin ON roll_lookup (iin, at);

-- A citizen says that the list is wrong. What he wrote and what he is answered is sealed under the id of his IIN.
CREATE TABLE roll_claim (
    id          bigserial   PRIMARY KEY,
    number      bytea       NOT NULL UNIQUE,        -- keyed hash of the number by which he follows it
    token       bytea       NOT NULL UNIQUE,        -- keyed hash of the form's secret: sent twice, claimed once
    poll        text        NOT NULL REFERENCES log,
    at          timestamptz NOT NULL,
    kind        text        NOT NULL CHECK (kind IN ('missing', 'name', 'place', 'gone')),
    voter       uuid        NOT NULL,               -- the id that his IIN has, on the roll or not
    station     text        NOT NULL DEFAULT '',    -- whose commission decides; '' where none is known yet
    sealed      bytea       NOT NULL,
    due         timestamptz,                        -- until when it is decided; none where the law is not loaded
    cite        text        NOT NULL DEFAULT '',
    state       text        NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'accepted', 'refused')),
    decided_by  text,
    decided     timestamptz,
    answer      bytea,                              -- the reasons, sealed
    set_id      bigint      REFERENCES roll_set,
    CHECK ((state = 'open') = (decided IS NULL) AND (decided IS NULL) = (decided_by IS NULL)),
    CHECK ((state = 'open') = (answer IS NULL)),
    CHECK ((state = 'accepted') = (set_id IS NOT NULL))
);
CREATE INDEX roll_claim_work ON roll_claim (poll, state, station, id);
CREATE INDEX roll_claim_set ON roll_claim (set_id) WHERE set_id IS NOT NULL;

-- A claim is open again when the set that was to follow it was rejected or rolled back.
CREATE VIEW roll_claim_now AS
    SELECT c.*, s.state AS set_state,
           CASE WHEN c.state = 'accepted' AND s.state IN ('rejected', 'rolled back') THEN 'open' ELSE c.state END AS now
    FROM roll_claim c LEFT JOIN roll_set s ON s.id = c.set_id;
