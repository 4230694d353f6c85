-- When a machine was last told to let a right go. It may have, unheard; whoever asked may have gone meanwhile, and his request
-- with him. Read where a list is printed to strike (dauys.pollbook.paper.lost_list).
CREATE TABLE pollbook_told (
    poll        text        NOT NULL,
    entitlement uuid        NOT NULL,
    holder      text        NOT NULL,
    epoch       smallint    NOT NULL,
    asker       text        NOT NULL,
    at          timestamptz NOT NULL,
    PRIMARY KEY (poll, entitlement, holder, epoch)
);
INSERT INTO pollbook_told SELECT DISTINCT ON (poll, entitlement, holder, epoch) poll, entitlement, holder, epoch, asker, now()
FROM pollbook_request WHERE told AND NOT granted ORDER BY poll, entitlement, holder, epoch;
