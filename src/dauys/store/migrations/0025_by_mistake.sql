-- A set that was applied is rolled back as it was applied: one person proposes it, and another one does it.
ALTER TABLE roll_set
    ADD back_by  text,
    ADD back_at  timestamptz,
    ADD back_why text,
    ADD CHECK ((back_by IS NULL) = (back_at IS NULL) AND (back_by IS NULL) = (back_why IS NULL)),
    ADD CHECK (back_by <> undone_by);

-- A machine was declared lost by mistake, and that was taken back before anything followed from it: it was lost once.
ALTER TABLE pollbook_log ADD not_lost boolean NOT NULL DEFAULT false;
