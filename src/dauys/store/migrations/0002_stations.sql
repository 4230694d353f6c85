-- What the stations of a poll are and what came in from them. All of it can be made again from the record.

CREATE TABLE station (
    poll     text    NOT NULL REFERENCES log,
    id       text    NOT NULL,
    area     text    NOT NULL,
    eligible integer NOT NULL,
    key      bytea,
    abroad   boolean NOT NULL DEFAULT false,
    PRIMARY KEY (poll, id)
);
CREATE INDEX station_area ON station (poll, area);

CREATE TABLE turnout (
    poll     text    NOT NULL,
    station  text    NOT NULL,
    at       text    NOT NULL,           -- the report's hour in the poll's zone, 'HH:MM'
    eligible integer NOT NULL,
    received integer NOT NULL,
    seq      bigint  NOT NULL,
    checks   text[]  NOT NULL DEFAULT '{}',
    PRIMARY KEY (poll, station, at),
    FOREIGN KEY (poll, station) REFERENCES station
);

-- The protocol that counts now, or waits in quarantine, for each station and contest.
CREATE TABLE protocol (
    poll     text      NOT NULL,
    contest  text      NOT NULL,
    station  text      NOT NULL,
    version  integer   NOT NULL,         -- 0 as first received, then one more with each correction
    state    text      NOT NULL CHECK (state IN ('accepted', 'quarantined', 'annulled')),
    values   jsonb     NOT NULL,
    checks   text[]    NOT NULL,
    seq      bigint    NOT NULL,         -- the entry it stands in
    PRIMARY KEY (poll, contest, station),
    FOREIGN KEY (poll, station) REFERENCES station
);
CREATE INDEX protocol_held ON protocol (poll, contest, station) WHERE state = 'quarantined';
