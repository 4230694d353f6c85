-- A polling day writes each right once or twice, in its own page (heap-only), and adds events that are never changed. Reading
-- millions of rows again each minute, to find nothing that could be freed, makes the check-ins wait that wrote them.
ALTER TABLE entitlement SET (autovacuum_vacuum_scale_factor = 2, autovacuum_analyze_scale_factor = 1);
ALTER TABLE pollbook_event SET (autovacuum_vacuum_insert_threshold = -1, autovacuum_analyze_scale_factor = 1);
ALTER INDEX pollbook_event_at SET (autosummarize = on);  -- what a vacuum would have done for it
