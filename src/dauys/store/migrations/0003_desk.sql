-- Who works at the desk, and paper forms that are typed twice. None of it is public and none of it enters the record.

CREATE TABLE account (
    name     text        PRIMARY KEY,
    role     text        NOT NULL CHECK (role IN ('clerk', 'typist', 'resolver', 'station')),
    poll     text,                       -- a station's account belongs to one station of one poll
    station  text,
    password text        NOT NULL,       -- scrypt$n$r$p$salt$hash
    failed   integer     NOT NULL DEFAULT 0,
    retry    timestamptz,                -- no sign-in before, after too many wrong passwords
    CHECK ((role = 'station') = (station IS NOT NULL AND poll IS NOT NULL))
);

CREATE TABLE session (
    token   bytea       PRIMARY KEY,     -- SHA-256 of the token: the token itself is not kept
    account text        NOT NULL REFERENCES account ON DELETE CASCADE,
    expires timestamptz NOT NULL
);

CREATE TABLE paper (
    poll       text  NOT NULL,
    contest    text  NOT NULL,
    station    text  NOT NULL,
    state      text  NOT NULL CHECK (state IN ('typed once', 'agreed', 'differs', 'resolved')),
    first_by   text  NOT NULL,
    first      jsonb NOT NULL,
    second_by  text  CHECK (second_by <> first_by),
    second     jsonb,
    decided_by text  CHECK (decided_by NOT IN (first_by, second_by)),
    PRIMARY KEY (poll, contest, station),
    FOREIGN KEY (poll, station) REFERENCES station
);
CREATE INDEX paper_open ON paper (poll, state) WHERE state IN ('typed once', 'differs');
