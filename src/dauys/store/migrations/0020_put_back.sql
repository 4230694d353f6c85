-- The centre was put back from a copy: what it acknowledged and gave since is not in it (dauys.pollbook.restored).

CREATE TABLE pollbook_restored (
    id        bigserial   PRIMARY KEY,
    poll      text        NOT NULL,
    at        timestamptz NOT NULL,
    why       text        NOT NULL,                  -- what showed it
    blind     boolean     NOT NULL DEFAULT false,    -- the journal beside the keys cannot say which machines there are
    lifted    timestamptz,
    lifted_by text,
    word      text                                   -- of who lifted it, where the journal cannot say it
);
CREATE UNIQUE INDEX pollbook_restored_now ON pollbook_restored (poll) WHERE lifted IS NULL;

-- Rights that were free when the mark was lifted without having heard every machine: one of those may have got them.
CREATE TABLE pollbook_doubt (
    poll        text     NOT NULL,
    entitlement uuid     NOT NULL,
    epoch       smallint NOT NULL,
    PRIMARY KEY (poll, entitlement)
);

-- Given up while the mark stood, and not heard since: what it was given after the copy is not known.
ALTER TABLE pollbook_log ADD missed boolean NOT NULL DEFAULT false;

-- Its machine said, since the newest mark, that the centre has all of it.
ALTER TABLE pollbook_log ADD sound boolean NOT NULL DEFAULT true;

-- Which journals beside the keys there are: one for each machine that serves. `acts`: how many stand in it, as far as this database
-- knows; `late`: it was begun when there were packages already, so that it does not vouch for all.
CREATE TABLE pollbook_journal (
    poll  text        NOT NULL,
    id    text        NOT NULL,
    begun timestamptz NOT NULL,
    late  boolean     NOT NULL,
    acts  integer     NOT NULL DEFAULT 0,
    PRIMARY KEY (poll, id)
);

-- Packages that were made void: nobody enrols with one that was made then, or before.
CREATE TABLE pollbook_void (
    poll       text        NOT NULL,
    station    text        NOT NULL,
    generation integer     NOT NULL,
    made       timestamptz NOT NULL,
    PRIMARY KEY (poll, station, generation)
);
