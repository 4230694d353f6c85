-- Which provisional envelopes were resolved, and how: once each, and at most one of a right counts.
CREATE TABLE pollbook_envelope (
    poll        text        NOT NULL REFERENCES log,
    log         integer     NOT NULL,                -- of pollbook_log: where the envelope lies
    n           integer     NOT NULL,                -- its event there
    entitlement uuid,
    counts      boolean     NOT NULL,
    number      text        NOT NULL,                -- of the reason (docs/pollbook-checks.md)
    final       boolean     NOT NULL,                -- the commission waited no longer for a log that was missing
    decided     timestamptz NOT NULL,
    entry       text        NOT NULL,                -- envelopes/<station>/<n> of the record
    PRIMARY KEY (log, n)
);
CREATE UNIQUE INDEX pollbook_envelope_right ON pollbook_envelope (poll, entitlement) WHERE counts;
CREATE INDEX pollbook_envelope_poll ON pollbook_envelope (poll);
CREATE INDEX pollbook_event_envelope ON pollbook_event (log, n) WHERE kind = 'envelope';

-- Whether the chair of a station has opened it.
CREATE INDEX pollbook_event_open ON pollbook_event (log) WHERE kind = 'open';
