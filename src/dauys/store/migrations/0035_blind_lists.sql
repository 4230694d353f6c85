-- Of a list that was on its way when the centre was put back, and for which nobody vouched: nobody enrols with it
-- (dauys.pollbook.put_back.restored.may_enrol).
ALTER TABLE pollbook_late_list ADD blind boolean NOT NULL DEFAULT false;
