-- Of a right that was added since the copy from which the centre was put back, the logs know more than the roll
-- (dauys.roll.added_again).
COMMENT ON COLUMN entitlement.addition IS '0: on the frozen roll; else the number of the station''s addition; -1: added, by a grant '
    'that the centre had signed before it was put back from a copy; which voter''s it is, is not known until he is added again';
