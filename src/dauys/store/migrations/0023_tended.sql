-- When the centre last did its work of every minute for a poll, and which paper of a lost machine it printed.

CREATE TABLE pollbook_tended (
    poll   text        PRIMARY KEY REFERENCES log,
    sealed timestamptz,                              -- when everything that had come was last put into the record
    fault  text        NOT NULL DEFAULT ''           -- what failed the last time; of no voter
);

-- Lists of a lost machine that the centre printed: personal data left it by this way.
CREATE TABLE pollbook_print (
    id         bigserial   PRIMARY KEY,
    poll       text        NOT NULL,
    station    text        NOT NULL,
    generation integer     NOT NULL,
    at         timestamptz NOT NULL,
    by         text        NOT NULL CHECK (by <> ''),
    lines      integer     NOT NULL
);
