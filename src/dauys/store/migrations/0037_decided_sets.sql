-- Which sets the commission has carried out in a poll: what they say of pairs holds for whoever is added later, too, and as soon as
-- nothing overrules them any more (dauys.pollbook.settling.one_person).
CREATE TABLE roll_decided (
    poll   text   NOT NULL,
    set_id bigint NOT NULL,
    reason text   NOT NULL,
    by     text   NOT NULL,
    PRIMARY KEY (poll, set_id)
);
INSERT INTO roll_decided SELECT DISTINCT ON (poll, set_id) poll, set_id, reason, by FROM roll_withdrawal
ORDER BY poll, set_id, instead, asked;
INSERT INTO roll_decided SELECT DISTINCT ON (poll, set_id) poll, set_id, reason, by FROM roll_one_person
ORDER BY poll, set_id ON CONFLICT DO NOTHING;

-- A pair that was decided again: 0036 may have kept the first set, which is rolled back.
UPDATE roll_one_person o SET set_id = d.set_id, reason = d.reason, by = d.by
FROM entitlement e, entitlement t, roll_pair p, roll_set s, roll_decided d
WHERE (e.poll, e.id) = (o.poll, o.entitlement) AND (t.poll, t.id) = (o.poll, o.twin)
AND (p.one, p.other) IN ((e.voter, t.voter), (t.voter, e.voter)) AND s.id = p.set_id AND s.state = 'applied'
AND (d.poll, d.set_id) = (o.poll, p.set_id) AND o.set_id <> p.set_id;

CREATE INDEX roll_pair_set ON roll_pair (set_id) WHERE set_id IS NOT NULL;
