-- Since which mark it is known of a list that the centre had forgotten it: who was withdrawn by then was not on that list, who is
-- withdrawn since was (dauys.pollbook.gathered.sums). Of the lists that are known already: as it was counted until now.
ALTER TABLE pollbook_late_list ADD since timestamptz;
UPDATE pollbook_late_list t SET since = (SELECT max(m.at) FROM pollbook_restored m WHERE m.poll = t.poll);
