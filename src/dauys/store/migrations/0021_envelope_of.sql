-- Whose a provisional envelope is that was taken while nobody could say: by its station's log (`told`), or by two clerks.
CREATE TABLE pollbook_envelope_of (
    log         integer     NOT NULL,                -- of pollbook_log: where the envelope lies
    n           integer     NOT NULL,                -- its event there
    entitlement uuid        NOT NULL,
    told        integer,                             -- the event of that log that says so
    first       text,
    second      text        CHECK (second <> first),
    reason      text        CHECK ((told IS NULL) = (first IS NOT NULL AND second IS NOT NULL AND reason IS NOT NULL)),
    at          timestamptz NOT NULL,
    PRIMARY KEY (log, n)
);

-- What one clerk says of it; another one has to find the same voter by himself. No number of a person is kept.
CREATE TABLE pollbook_envelope_guess (
    log         integer     NOT NULL,
    n           integer     NOT NULL,
    by          text        NOT NULL,
    entitlement uuid        NOT NULL,
    reason      text        NOT NULL,
    at          timestamptz NOT NULL,
    PRIMARY KEY (log, n, by)
);
