-- Rights that the commission takes back after the freeze: asked of who holds them, withdrawn once nobody can use them any more.
CREATE TABLE roll_withdrawal (
    poll        text        NOT NULL,
    request     text        NOT NULL,               -- of pollbook_request; the newest one for this right
    entitlement uuid        NOT NULL,
    station     text        NOT NULL,               -- home station
    set_id      bigint      NOT NULL,
    commitment  bytea       NOT NULL,               -- what the roll committed to in its place
    twin        uuid,                               -- the other right of the same person, with its own station and commitment
    twin_station text,
    twin_commitment bytea,
    reason      text        NOT NULL,
    by          text        NOT NULL,
    asked       timestamptz NOT NULL,
    outcome     text        NOT NULL DEFAULT 'asked' CHECK (outcome IN ('asked', 'withdrawn', 'used')),
    decided     timestamptz,
    alarmed     boolean     NOT NULL DEFAULT false, -- both rights of one person were used
    n           integer,                            -- withdrawals/<station>/<n> of the record
    PRIMARY KEY (poll, entitlement),
    CHECK ((outcome = 'withdrawn') = (n IS NOT NULL))
);
CREATE INDEX roll_withdrawal_open ON roll_withdrawal (poll) WHERE outcome = 'asked';
