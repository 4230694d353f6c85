-- Observation: organisations that ask to observe, and badges. Every public fact (accredited, refused, suspended) is an entry of the
-- record and stands nowhere else. No observer's name is kept: it stands on his badge.

CREATE TABLE observer_application (
    id         bigserial   PRIMARY KEY,
    poll       text        NOT NULL REFERENCES log,
    token      bytea       NOT NULL UNIQUE,         -- hash of the form's secret: sent twice, asked once
    at         timestamptz NOT NULL,
    kind       text        NOT NULL CHECK (kind IN ('party', 'association', 'foreign', 'international')),
    names      jsonb       NOT NULL,                -- by language
    charter    text        NOT NULL DEFAULT '',     -- what its charter says on observing
    through    text        NOT NULL DEFAULT '',     -- the note of the ministry that puts it forward
    scope      text[]      NOT NULL,                -- areas, or {*}
    key        text        NOT NULL DEFAULT '',     -- base64 of the mission's Ed25519 key
    coalition  text        NOT NULL DEFAULT '',     -- the organisation whose mission it works under
    contact    text        NOT NULL DEFAULT '',     -- the organisation's address for answers
    due        timestamptz,                         -- until when it is decided; none where the law is not loaded
    cite       text        NOT NULL DEFAULT '',
    state      text        NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'accredited', 'refused')),
    decided    timestamptz,
    decided_by text,
    seq        bigint,                              -- the entry of the record that says what was decided
    CHECK ((state = 'open') = (decided IS NULL) AND (decided IS NULL) = (decided_by IS NULL) AND (decided IS NULL) = (seq IS NULL))
);
CREATE INDEX observer_application_work ON observer_application (poll, state, id);

CREATE TABLE observer_badge (
    poll         text        NOT NULL REFERENCES log,
    organisation text        NOT NULL,
    n            integer     NOT NULL,
    commitment   text        NOT NULL UNIQUE,       -- SHA-256 of the badge, which holds a salt
    station      text        NOT NULL DEFAULT '',   -- the one station it is for; '' for all within the accreditation
    at           timestamptz NOT NULL,
    by           text        NOT NULL,
    PRIMARY KEY (poll, organisation, n)
);
