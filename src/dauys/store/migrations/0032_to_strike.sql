-- What the centre printed of a lost machine: its list, or only who is to be struck on the station's own print.
ALTER TABLE pollbook_print ADD strike boolean NOT NULL DEFAULT false;
