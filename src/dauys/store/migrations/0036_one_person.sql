-- Rights of which it was decided for a poll that they are one person's, each with the other one: one of them is used at most. In
-- force while the set that says so is applied (dauys.pollbook.settling.one_person).
CREATE TABLE roll_one_person (
    poll            text   NOT NULL,
    entitlement     uuid   NOT NULL,
    twin            uuid   NOT NULL,
    twin_station    text   NOT NULL,
    twin_commitment bytea  NOT NULL,
    set_id          bigint NOT NULL,
    reason          text   NOT NULL,
    by              text   NOT NULL,
    PRIMARY KEY (poll, entitlement, twin)
);
INSERT INTO roll_one_person
SELECT poll, entitlement, twin, twin_station, twin_commitment, set_id, reason, by FROM roll_withdrawal WHERE twin IS NOT NULL
UNION ALL SELECT poll, twin, entitlement, station, commitment, set_id, reason, by FROM roll_withdrawal WHERE twin IS NOT NULL
ON CONFLICT DO NOTHING;
