-- Who may have signed for ballots at a station: the ids of its package's officers, no names (dauys.pollbook.centre.packages). None:
-- nobody here knows. It was made before this, or the journal beside the keys told of it after the centre was put back from a copy.
ALTER TABLE pollbook_package ADD officers text[];
