-- How often a machine was declared lost, or that was taken back: odd while it is lost. The journal beside the keys has the same
-- number, so that the later of the two is known, however often it changes (dauys.pollbook.journal).
ALTER TABLE pollbook_log ADD lost_changes integer NOT NULL DEFAULT 0;
UPDATE pollbook_log SET lost_changes = CASE WHEN not_lost THEN 2 ELSE 0 END + CASE WHEN lost THEN 1 ELSE 0 END;
ALTER TABLE pollbook_log DROP not_lost;

-- Whoever declares a machine lost, or takes it back, is counted: nobody can forget to.
CREATE FUNCTION lost_is_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.lost <> (mod(NEW.lost_changes, 2) = 1) THEN
        NEW.lost_changes := NEW.lost_changes + 1;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER lost_is_counted BEFORE INSERT OR UPDATE OF lost, lost_changes ON pollbook_log
    FOR EACH ROW EXECUTE FUNCTION lost_is_counted();

-- The newest mark (pollbook_restored) when a journal was last held against the database as a whole: by then all that stands in it
-- is known here.
ALTER TABLE pollbook_journal ADD held bigint NOT NULL DEFAULT 0;
