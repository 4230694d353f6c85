-- The record: one append-only log for each poll.

CREATE TABLE log (
    poll     text PRIMARY KEY,
    origin   text NOT NULL,              -- the name on its checkpoints
    size     bigint NOT NULL DEFAULT 0,
    frontier bytea NOT NULL DEFAULT ''   -- the compact range of the tree (record.merkle.Frontier)
);

CREATE TABLE entry (
    poll text   NOT NULL REFERENCES log,
    seq  bigint NOT NULL,                -- its place in the log, from 0
    kind text   NOT NULL,
    id   text   NOT NULL,
    body bytea  NOT NULL,                -- canonical JSON, exactly as hashed
    leaf bytea  NOT NULL,                -- SHA-256(0x00 || body)
    PRIMARY KEY (poll, seq),
    UNIQUE (poll, id)
);

CREATE INDEX entry_kind ON entry (poll, kind, seq) WHERE kind NOT IN ('turnout', 'protocol');

-- Nothing is ever overwritten.
CREATE FUNCTION entry_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the record is append-only';
END $$;
CREATE TRIGGER entry_is_final BEFORE UPDATE OR DELETE ON entry FOR EACH STATEMENT EXECUTE FUNCTION entry_is_final();

CREATE TABLE checkpoint (
    poll text   NOT NULL REFERENCES log,
    size bigint NOT NULL,
    note text   NOT NULL,                -- the log's own signed note, without cosignatures
    kept boolean NOT NULL,               -- of a stage: published for good; others while newest, or once cosigned
    PRIMARY KEY (poll, size)
);

CREATE TABLE witness (
    poll text NOT NULL REFERENCES log,
    vkey text NOT NULL,                  -- a witness the commission has accredited
    PRIMARY KEY (poll, vkey)
);

CREATE TABLE cosignature (
    poll    text   NOT NULL,
    size    bigint NOT NULL,
    witness text   NOT NULL,
    line    text   NOT NULL,
    PRIMARY KEY (poll, size, witness),
    FOREIGN KEY (poll, size) REFERENCES checkpoint
);
