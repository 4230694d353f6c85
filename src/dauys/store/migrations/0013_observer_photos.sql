-- What an organisation sends beside the record. Photos that its observations name by their SHA-256: people may be on them, so they
-- are in no record and in no bundle, and clerks alone see them. And how much it has sent.

CREATE TABLE observer_photo (
    poll         text        NOT NULL REFERENCES log,
    sha256       text        NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    organisation text        NOT NULL,              -- whose observation named it, and who sent it first
    of           bigint      NOT NULL,              -- that observation's place in the record
    kind         text        NOT NULL CHECK (kind IN ('image/jpeg', 'image/png', 'image/webp')),
    size         integer     NOT NULL,
    content      bytea       NOT NULL CHECK (length(content) = size),
    at           timestamptz NOT NULL,
    PRIMARY KEY (poll, sha256)                      -- stored once, whoever names it
);
ALTER TABLE observer_photo ALTER content SET STORAGE EXTERNAL;  -- a picture is compressed already
CREATE INDEX observer_photo_whose ON observer_photo (poll, organisation) INCLUDE (size);

CREATE TABLE observer_sent (
    poll         text        NOT NULL REFERENCES log,
    organisation text        NOT NULL,
    day          date        NOT NULL,              -- when it came, by the centre's clock in the poll's time zone
    entries      integer     NOT NULL,
    bytes        bigint      NOT NULL,
    PRIMARY KEY (poll, organisation, day)
);
