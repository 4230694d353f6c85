-- A question of a station is answered once: whoever has caught one on its way hears nothing by sending it again.
ALTER TABLE pollbook_question ADD sig bytea;  -- of the station, over the question and its mark, which is random
CREATE UNIQUE INDEX pollbook_question_once ON pollbook_question (log, sig);
