-- Of a list that was on its way when the centre was put back and no journal could say what became of it: nobody enrols with it
-- (dauys.pollbook.put_back.restored.may_enrol). Until today it could be used, where the books had as many rights for it.
ALTER TABLE pollbook_late_list ADD blind boolean NOT NULL DEFAULT false;
