-- A right that was withdrawn by mistake is given back: the row stays and says so; withdrawn again, the right gets another row.
ALTER TABLE roll_withdrawal
    DROP CONSTRAINT roll_withdrawal_pkey,
    DROP CONSTRAINT roll_withdrawal_outcome_check,
    DROP CONSTRAINT roll_withdrawal_check;
ALTER TABLE roll_withdrawal
    ADD back_set    bigint,                         -- the set that shows the mistake
    ADD back_reason text,
    ADD back_by     text,
    ADD back_at     timestamptz,
    ADD back_n      integer,                        -- restorations/<station>/<n> of the record
    ADD CHECK (outcome IN ('asked', 'withdrawn', 'used', 'returned', 'kept')),  -- kept: called off before it was let go
    ADD CHECK ((outcome IN ('withdrawn', 'returned')) = (n IS NOT NULL)),
    ADD CHECK ((outcome = 'returned') = (back_n IS NOT NULL)),
    ADD CHECK ((outcome IN ('returned', 'kept')) = (back_by IS NOT NULL));
CREATE UNIQUE INDEX roll_withdrawal_live ON roll_withdrawal (poll, entitlement) WHERE outcome NOT IN ('returned', 'kept');
CREATE INDEX roll_withdrawal_right ON roll_withdrawal (poll, entitlement);

-- What one person typed at the desk from a lost machine's paper, sealed, until another one has typed the same or confirmed it.
CREATE TABLE pollbook_typing (
    poll       text        NOT NULL,
    station    text        NOT NULL,
    generation integer     NOT NULL,                -- of the lost machine
    what       text        NOT NULL CHECK (what IN ('in', 'back')),
    by         text        NOT NULL,
    at         timestamptz NOT NULL,
    lines      integer     NOT NULL,
    found      boolean     NOT NULL DEFAULT false,  -- back: all that the found log has as well
    reason     text        NOT NULL DEFAULT '',
    sealed     bytea       NOT NULL,
    PRIMARY KEY (poll, station, generation, what, by)
);

-- Members' own signatures: whether the log names a key of any, and how far its check-ins have been held against them.
ALTER TABLE pollbook_log
    ADD keyed     boolean NOT NULL DEFAULT false,
    ADD signed_to integer NOT NULL DEFAULT 0;
UPDATE pollbook_log SET keyed = true WHERE id IN (SELECT log FROM pollbook_event WHERE kind = 'officer-key');
