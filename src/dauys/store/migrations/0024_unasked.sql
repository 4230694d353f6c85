-- Requests for a right that are called off, or end by themselves (dauys.pollbook.unasked).

-- The holder's machine has heard of it: it may let the right go without being heard any more.
ALTER TABLE pollbook_request ADD told boolean NOT NULL DEFAULT false;

-- Envelopes that were noted by mistake: taken back by their own log (event `undo_n`), while they were not resolved.
CREATE TABLE pollbook_envelope_undone (
    log    integer NOT NULL,                        -- of pollbook_log
    n      integer NOT NULL,                        -- the envelope's event there
    undo_n integer NOT NULL,
    PRIMARY KEY (log, n)
);

-- Rights that the mobile box carries (dauys.pollbook.box): by their holder's log, while it is on its way.
CREATE TABLE pollbook_in_box (
    poll        text    NOT NULL,
    entitlement uuid    NOT NULL,
    holder      text    NOT NULL,
    n           integer NOT NULL,                   -- the event `mobile-out` of that log
    PRIMARY KEY (poll, entitlement, holder)
);
