-- Where a station is, as the published list of stations writes it.
ALTER TABLE station
    ADD address    text NOT NULL DEFAULT '',
    ADD settlement text NOT NULL DEFAULT '';
