-- What the centre says of the stations' pollbooks: how far they are heard, what is sealed, where a voter's code leads.

ALTER TABLE pollbook_log
    ADD whole       timestamptz,                     -- when the station last said that this is all it has
    ADD sealed_used integer NOT NULL DEFAULT 0;      -- check-ins that stand, after the events that are sealed

ALTER TABLE pollbook_package ADD voters integer NOT NULL DEFAULT 0;  -- rights on the list that this log may use

-- Who held the right when it was asked for (before the first package: the station without a generation).
ALTER TABLE pollbook_request ADD holder text NOT NULL DEFAULT '';
CREATE INDEX pollbook_request_holder ON pollbook_request (poll, holder) WHERE NOT granted;

CREATE INDEX pollbook_grant_entitlement ON pollbook_grant (poll, entitlement);

-- check-ins/<station>/<generation>/<last event>: the entries of one station.
CREATE INDEX entry_check_ins ON entry (poll, substring(id FROM '^check-ins/(.*)/[0-9]+/[0-9]+$')) WHERE kind = 'check-ins';

CREATE INDEX pollbook_event_at ON pollbook_event USING brin (at);
CREATE INDEX pollbook_event_queue ON pollbook_event (log, n) WHERE kind = 'queue';
