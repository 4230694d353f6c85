-- Who said that the commission waits no longer for logs that are missing (`final`): two people, by name.
ALTER TABLE pollbook_envelope ADD by text[] NOT NULL DEFAULT '{}';

-- Who said so at the desk, where it waits for a second person (dauys.pollbook.settling.envelopes).
CREATE TABLE pollbook_final (
    poll text        NOT NULL REFERENCES log,
    by   text        NOT NULL,
    at   timestamptz NOT NULL,
    PRIMARY KEY (poll, by)
);
