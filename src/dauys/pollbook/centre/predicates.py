"""What do the centre's queries mean by a complete log, a used right, a free one, one in doubt? One text in SQL for each.

In a query `e` is a right (`entitlement`), `l` a log (`pollbook_log`), `r` a request for a right (`pollbook_request`). `rules` has
the same as functions, and a test drives both: where one of them changes, so does the other.
"""

from __future__ import annotations

from dauys.pollbook.log.events import PAPER
from dauys.pollbook.rules.holders import CERTIFICATE, UNLISTED, WITHDRAWN

UNUSED, USED, RELEASED = 0, 1, 2
"""`entitlement.state`."""

COMPLETE = f"(l.closed AND l.stopped = '' AND l.generation <= {PAPER})"
"""Of a log: nothing can follow that touches custody. What is typed from paper has no end."""

UNHEARD = f"(NOT l.sound AND NOT {COMPLETE})"
"""Of a log: its machine was not heard as a whole since the centre was put back, and nobody has all of it."""

MISSED = f"(l.missed AND {UNHEARD})"
"""The same of a machine that was given up unheard."""

UNREAD = f"EXISTS (SELECT FROM pollbook_log l WHERE l.poll = e.poll AND {MISSED})"
"""Of a right: in its poll a machine was given up unheard, and nobody has all of its log."""

STRAY = "EXISTS (SELECT FROM pollbook_stray s WHERE s.poll = e.poll AND s.entitlement = e.id AND NOT s.undone)"
"""Of a right: a check-in of it stands that was not its log's to make."""

USE = f"(e.state = {USED} OR {STRAY})"
"""Of a right: it was used (`custody.must_be_unused`)."""

FREE = (
    f"(e.state = {RELEASED} OR e.state = {UNUSED} AND "
    f"(e.holder = '{CERTIFICATE}' OR starts_with(e.holder, '{UNLISTED}') OR coalesce({COMPLETE}, false)))"
)
"""Of a right and its holder's log, if there is one: nobody can use it any more unless the centre gives it to him. With those that
are `AHEAD` of any list these are the free ones (`custody.free`)."""

AHEAD = (
    f"(e.epoch = 0 AND e.state = {UNUSED} AND e.holder = 'station/' || e.home || '/1' "  # noqa: S608 - of no query
    "AND NOT EXISTS (SELECT FROM pollbook_package p WHERE p.poll = e.poll AND p.station = e.home) "
    "AND NOT EXISTS (SELECT FROM pollbook_log o WHERE o.poll = e.poll AND o.station = e.home))"
)
"""Of a right: it is where the freeze put it, and no list of its station was ever made (`custody.never_listed`). It stays so only
for who holds `locks.lock_station`."""

BEGUN = (
    "EXISTS (SELECT FROM pollbook_log l WHERE (l.poll, l.station, l.generation) = (p.poll, p.station, p.generation))"
)
"""Of a package `p`: a machine enrolled with it, whose log has begun."""

EARLIER = (
    f"(e.addition > 0 AND e.epoch = 0 AND e.state = {UNUSED} AND EXISTS (SELECT FROM pollbook_late_list t "
    "JOIN pollbook_late_list o USING (poll, station) WHERE t.poll = e.poll AND t.station = e.home "
    "AND 'station/' || t.station || '/' || t.generation = e.holder AND o.generation > t.generation "
    "AND 'station/' || o.station || '/' || o.generation = %(holder)s))"
)
"""Of a right: it was added, and of two lists of its station that the centre had forgotten the earlier one's log holds it; the
later one's is `holder`, and may have it instead (`centre.late`, `rules.late`)."""

ASKS = f"(r.at >= %(since)s OR r.asker = '{WITHDRAWN}' OR r.holder = '{CERTIFICATE}')"
"""Of a request that was not granted: it still asks, if it was made since the moment `since`. Only a station's ends by itself: not
the commission's, and not that for a certificate, which nobody has to let go."""

ASKED_BACK = (
    "EXISTS (SELECT FROM pollbook_request w WHERE w.poll = e.poll AND w.entitlement = e.id AND w.epoch = e.epoch "
    f"AND w.asker = '{WITHDRAWN}' AND NOT w.granted)"
)
"""Of a right: the commission has asked for it, and it is withdrawn as soon as that can be; nobody else is given it."""

ASKED_FOR = (
    "LEFT JOIN pollbook_request r ON r.poll = e.poll AND r.entitlement = e.id AND r.epoch = e.epoch "
    f"AND r.asker = '{WITHDRAWN}' AND NOT r.granted"
)
"""To a right: the request of the commission that stands."""

LIVE = "outcome NOT IN ('returned', 'kept')"
"""Of a withdrawal (`roll_withdrawal`): it is not over. Of each right there is one at most."""

LET_GO_FOR_NOBODY = (
    f"((e.state = {RELEASED} AND r.id IS NOT NULL OR e.state = {UNUSED} AND e.holder = '{WITHDRAWN}') "
    "AND NOT EXISTS (SELECT FROM roll_withdrawal w "
    f"WHERE w.poll = e.poll AND w.entitlement = e.id AND w.{LIVE}))"
)
"""Of a right, with `ASKED_FOR`: it was let go for the commission, or a list has it as withdrawn, and the decision was forgotten
when the centre was put back from a copy. Nobody has it until that is repeated, or it is given back (`settling.returns`)."""

DOUBT = (
    f"({UNREAD} AND NOT EXISTS (SELECT FROM pollbook_clear c "
    "WHERE c.poll = e.poll AND c.entitlement = e.id AND c.epoch = e.epoch))"
)
"""Of a right (poll, id, epoch): a machine that was given up unheard may have been given it in the next epoch."""
