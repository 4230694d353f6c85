-- Who of the commission was shown a voter's entry, at the desk or by a command. A citizen's own look-up names nobody.
ALTER TABLE roll_lookup
    DROP CONSTRAINT roll_lookup_outcome_check,
    ADD by text,
    ADD CHECK (outcome IN ('listed', 'not listed', 'limited', 'claim', 'follow', 'shown')),
    ADD CHECK ((outcome = 'shown') = (by IS NOT NULL));
