-- Lists of which the database knew nothing when the centre was put back from a copy: the journal beside the keys, or a machine, told
-- of them (dauys.pollbook.put_back.restored.told). What stands on such a list, the machine that has it knows, and nobody here.
CREATE TABLE pollbook_late_list (
    poll       text    NOT NULL,
    station    text    NOT NULL,
    generation integer NOT NULL,
    PRIMARY KEY (poll, station, generation)
);

-- How many events the journal had counted where the database had fewer: the mark is lifted when they are here again.
ALTER TABLE pollbook_restored ADD counted bigint NOT NULL DEFAULT 0;
