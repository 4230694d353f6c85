-- The journal beside the keys (dauys.pollbook.journal) and this database tell by numbers which of them lacks something: a clock
-- may be set back.

-- How often a package of a machine was made, or made void: the higher number is the later one. Without a package: it is void.
CREATE TABLE pollbook_packing (
    poll       text    NOT NULL,
    station    text    NOT NULL,
    generation integer NOT NULL,
    changes    integer NOT NULL,
    PRIMARY KEY (poll, station, generation)
);
INSERT INTO pollbook_packing
SELECT poll, station, generation, CASE WHEN v.made IS NULL THEN 1 WHEN p.made IS NULL THEN 2 ELSE 3 END
FROM pollbook_package p FULL JOIN pollbook_void v USING (poll, station, generation);
DROP TABLE pollbook_void;

-- Whoever makes one, or makes it void, is counted: nobody can forget to.
CREATE FUNCTION packing_is_counted() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    package pollbook_package;
BEGIN
    IF TG_OP = 'DELETE' THEN package := OLD; ELSE package := NEW; END IF;
    INSERT INTO pollbook_packing AS c VALUES (package.poll, package.station, package.generation, 1)
    ON CONFLICT (poll, station, generation) DO UPDATE SET changes = c.changes + 1;
    RETURN NULL;
END
$$;
CREATE TRIGGER packing_is_counted AFTER INSERT OR UPDATE OR DELETE ON pollbook_package
    FOR EACH ROW EXECUTE FUNCTION packing_is_counted();

-- How often the journal's count of events has begun again here: once it has marked the poll, what it counted before is over.
ALTER TABLE pollbook_journal ADD series integer NOT NULL DEFAULT 0;

-- Who took it back that a machine was declared lost, and said that nobody had gone on by hand with its list; `never`: and that
-- nobody ever enrolled as that machine.
CREATE TABLE pollbook_not_lost (
    id         bigserial   PRIMARY KEY,
    poll       text        NOT NULL,
    station    text        NOT NULL,
    generation integer     NOT NULL,
    at         timestamptz NOT NULL,
    by_hand    text        NOT NULL CHECK (by_hand <> ''),
    never      text        NOT NULL DEFAULT ''
);
