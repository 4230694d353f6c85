-- An answer names the very batch that it answers, and a machine believes no other: what it said before needs no name in it.
ALTER TABLE pollbook_log DROP COLUMN mark;
