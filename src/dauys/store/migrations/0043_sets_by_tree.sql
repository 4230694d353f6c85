-- A block range index (BRIN) gave wrong answers: a COPY keeps for its whole length which pages of the index there were when it
-- began, and says nothing to ranges that were summarised on later ones. Two imports at once, one of them stopped, and a part of the
-- other's set was found neither by a preview nor by its approval. Seen in PostgreSQL 18.6 with one COPY and one VACUUM.
DROP INDEX voter_set;
CREATE INDEX voter_set ON voter (set_id);
DELETE FROM voter v USING roll_set s WHERE s.id = v.set_id AND s.state = 'rejected';  -- what a rejection could not find
