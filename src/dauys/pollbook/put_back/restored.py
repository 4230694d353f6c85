"""The centre was put back from a copy: what does it learn again, whom has it not heard, and who lifts the mark?

Stations know what the centre acknowledged, under its own signature. A station that hears less than that shows the answer
(`shown`); its log begins again under the same key, whatever became of its package here, and is sent from the beginning. Grants
that stand in the logs move the rights again (`centre.mark.given_before`).

A person lifts the mark when every log that is known was heard as a whole since, or was declared lost after it. What was free then
may have been given to one of those that were lost: it stays in doubt until that machine's disk is found (`DOUBT`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Cursor

from dauys.errors import BadInput, DauysError
from dauys.law.files import Node
from dauys.pollbook.centre.decided import onto_the_list
from dauys.pollbook.centre.late import follow, onto_the_next_list
from dauys.pollbook.centre.locks import lock_station
from dauys.pollbook.centre.mark import are_clear, mark, newest, standing
from dauys.pollbook.centre.packages import is_packed, void_package
from dauys.pollbook.centre.predicates import BEGUN, DOUBT, UNHEARD, UNUSED
from dauys.pollbook.centre.take import cursor
from dauys.pollbook.log.events import PAPER, LogError, LogId, parsed
from dauys.pollbook.rules.decided import unlisted
from dauys.pollbook.rules.grants import LEASE, Answer
from dauys.store.engine import Connection

ALARM = "P.120"

NOT_SEEN = "no journal beside the keys has seen it"
NOT_ALL = "the journal beside the keys was begun late, or another machine's was not held against the database since"
"""Why no journal vouches for the machines that there are."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a machine shows: bytes that may be an answer of this centre, to the machine of this log."""

    log: LogId
    data: bytes

    @classmethod
    def from_bytes(cls, data: bytes) -> Shown:
        """Whose it is; whether the centre signed it says `Answer.of_centre`. Raises LogError P.001."""
        match parsed(data, "an answer"):
            case {"poll": str(poll), "station": str(station), "generation": int(generation)}:
                return cls(LogId(poll, station, generation), data)
        raise LogError("not an answer of the centre", "P.001")


def shown(connection: Connection, answer: Answer, at: datetime) -> bool:
    """A machine shows what the centre signed to it; whether the centre has forgotten some of it. Anybody may show it."""
    cur, log = cursor(connection), answer.log
    lock_station(cur, log.poll, log.station)
    where = (log.poll, log.station, log.generation)
    known = "SELECT id, key, n, missed, sound FROM pollbook_log WHERE (poll, station, generation) = (%s, %s, %s)"
    row = cur.execute(known, where).fetchone()
    same = row is not None and bytes(row.key) == answer.key
    if row is not None and same and row.n >= answer.acknowledged.n:
        return False
    if row is not None and row.missed and (same or not row.key):  # what it may have is in doubt already
        adopt(connection, log, answer.key)
        return True
    if row is not None and row.key and not same and _was_shown(cur, row.id, answer.acknowledged.n):
        return True
    why = f"station {log.station}/{log.generation} shows an answer up to event {answer.acknowledged.n}"
    found = standing(cur, log.poll)
    # said since a mark that stands: what stands is a copy of that mark
    after = found is not None and answer.lease is not None and answer.lease - LEASE > found.at
    again = after or (row is not None and same and row.sound)
    # the journal had not seen it, so it is of before, too, and does not say which machines there are
    new = mark(cur, log.poll, why, at, blind=again or found is None, again=again)
    if row is None or not row.key:
        adopt(connection, log, answer.key)
    if new or (row is not None and row.key and not same):
        text = "the centre acknowledged what it has no more: it was put back from a copy"
        if row is not None and row.key and not same:
            text = "before it was put back the centre had this log under another key: two machines may have its list"
        cur.execute(
            "INSERT INTO pollbook_alarm (poll, log, n, number, text, at) "
            "SELECT %s, id, %s, %s, %s, %s FROM pollbook_log WHERE (poll, station, generation) = (%s, %s, %s)",
            (log.poll, answer.acknowledged.n, ALARM, text, at, *where),
        )
    return True


def _was_shown(cur: Cursor[Any], log: int, n: int) -> bool:
    """Whether a machine with another key has shown this before: whoever has those bytes shows them as often as he likes."""
    query = "SELECT FROM pollbook_alarm WHERE log = %s AND n = %s AND number = %s"
    return cur.execute(query, (log, n, ALARM)).rowcount > 0


def begins(connection: Connection, poll: str) -> None:
    """The centre starts. A mark that stands begins anew: the database may be a copy of while it stood, in which machines had said
    already that the centre has all of them."""
    cur = cursor(connection)
    if (found := standing(cur, poll)) is not None:
        mark(cur, poll, found.why, found.at, again=True)


def adopt(connection: Connection, log: LogId, key: bytes, *, lost: bool = False, packed: bool = False) -> None:
    """A log that the centre had, under this key (empty: not known), is known again; it is to be heard.

    Its list was made, too, and the machines before it were lost, for otherwise it would not have been. `packed`: the package that
    is here is the one that it began with, by the journal: two of one number may have been made, one since the copy.
    """
    cur = cursor(connection)
    if log.generation > 1:
        before = LogId(log.poll, log.station, log.generation - 1)
        if cur.execute(_KNOWN, (before.poll, before.holder)).rowcount:
            cur.execute(_LOST, (before.poll, before.holder))
        else:
            adopt(connection, before, b"", lost=True)
    began = "SELECT FROM pollbook_log WHERE poll = %s AND holder = %s AND key <> ''"
    if not packed and not cur.execute(began, (log.poll, log.holder)).rowcount:
        told(connection, log)
    cur.execute(
        "INSERT INTO pollbook_log (poll, station, generation, holder, key, head, lost, missed, sound) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, false) ON CONFLICT (poll, station, generation) DO UPDATE SET key = excluded.key",
        (log.poll, log.station, log.generation, log.holder, key, log.start, lost, lost),
    )


_KNOWN = "SELECT FROM pollbook_log WHERE poll = %s AND holder = %s"
_LOST = "UPDATE pollbook_log SET lost = true, missed = missed OR NOT lost AND NOT sound WHERE poll = %s AND holder = %s"
"""Nothing is given while the mark stands: of a machine that was heard since, all is known."""


def declared_lost(connection: Connection, log: LogId, changes: int = 0) -> None:
    """A machine is given up while the mark stands: whether it was enrolled since the copy, or given what, nobody knows here.

    `changes`: how often it was said or taken back, by the journal. Where the database has fewer, it worked after the copy.
    """
    cur = cursor(connection)
    if cur.execute(_KNOWN, (log.poll, log.holder)).rowcount:
        cur.execute(_LOST, (log.poll, log.holder))
    else:
        adopt(connection, log, b"", lost=True)
    cur.execute(
        "UPDATE pollbook_log SET lost_changes = %s, missed = missed OR NOT sound "
        "WHERE poll = %s AND holder = %s AND lost_changes < %s",
        (changes, log.poll, log.holder, changes),
    )


def works_again(connection: Connection, log: LogId, changes: int = 0) -> None:
    """That a machine was declared lost is taken back: it works with what it holds, and is waited for where the mark stands.

    `changes`: as for `declared_lost`. A package or a machine of a later generation proves that it was lost after all.
    """
    cur = cursor(connection)
    if followed(cur, log):
        declared_lost(connection, log, changes)
        return
    cur.execute(
        "UPDATE pollbook_log SET lost = false, lost_changes = greatest(lost_changes, %s), missed = missed AND NOT sound "
        "WHERE poll = %s AND holder = %s",
        (changes, log.poll, log.holder),
    )


def never_was(connection: Connection, log: LogId) -> None:
    """A machine that is known by its number alone, declared lost by mistake: nobody ever enrolled as that one. Its log is empty
    and ends; what stood on its list comes to whoever asks, as from any that is closed. Should it be heard all the same, that
    raises the alarms of a machine that goes on after its end."""
    cursor(connection).execute(
        "UPDATE pollbook_log SET closed = true WHERE poll = %s AND holder = %s AND lost AND key = '' AND n = 0",
        (log.poll, log.holder),
    )
    onto_the_next_list(cursor(connection), log.poll, log.station)


def followed(cur: Cursor[Any], log: LogId) -> str:
    """What there is of a later machine of its station: `is enrolled`, `has a package`, or nothing."""
    row = cur.execute(
        "SELECT EXISTS (SELECT FROM pollbook_log WHERE poll = %(poll)s AND station = %(station)s "
        "AND generation > %(generation)s AND generation <= %(paper)s) AS enrolled, "
        "EXISTS (SELECT FROM pollbook_package WHERE poll = %(poll)s AND station = %(station)s "
        "AND generation > %(generation)s) AS packed",
        {"poll": log.poll, "station": log.station, "generation": log.generation, "paper": PAPER},
    ).fetchone()
    return "is enrolled" if row and row.enrolled else "has a package" if row and row.packed else ""


def whole(connection: Connection, log: LogId, body: Node) -> bool:
    """A machine signs, with the name of the newest mark, that its log ends at `n` with `head`; whether the centre has it so far.

    The name is new with each mark: what was signed before the centre was put back says nothing.
    """
    cur, parts = cursor(connection), body.mapping(("mark", "n", "head"))
    if parts["mark"].text() != newest(cur, log.poll):
        return False
    return cur.execute(
        "UPDATE pollbook_log SET sound = true WHERE poll = %s AND holder = %s AND n = %s AND head = %s",
        (log.poll, log.holder, parts["n"].integer(), parts["head"].text()),
    ).rowcount > 0  # fmt: skip


def unheard(cur: Cursor[Any], poll: str) -> list[LogId]:
    """The logs for which the mark waits: not heard as a whole since, not complete, not declared lost, nor stopped in the copy
    already (such a one counts as heard: see `centre.mark.mark`)."""
    rows = cur.execute(
        f"SELECT station, generation FROM pollbook_log l WHERE poll = %s AND generation <= {PAPER} AND NOT lost "  # noqa: S608
        f"AND {UNHEARD} ORDER BY station, generation",
        (poll,),
    )
    return [LogId(poll, row.station, row.generation) for row in rows]


def books(connection: Connection, poll: str) -> dict[str, Any] | None:
    """What the desk says of the mark: since when, and which machines (station/generation) were not heard; None without one."""
    cur = cursor(connection)
    if (found := standing(cur, poll)) is None:
        return None
    return {"since": found.at.isoformat(), "unheard": [f"{log.station}/{log.generation}" for log in unheard(cur, poll)]}


def lift(
    connection: Connection, poll: str, by: str, at: datetime, word: str = "", *, blind: bool = False, packages: str = ""
) -> None:  # fmt: skip
    """The books are whole again, by a person's name. What stays `in_doubt` is counted after the commit: while this lasts, no
    check-in comes in.

    `word`: how it is known that no other machine was enrolled since the copy, where the journal cannot say it (`blind`).
    `packages`: what became of those on their way, then: they are `good`, or to be made `again`. Raises DauysError.
    """
    if not by.strip():
        raise BadInput("who says that the books are whole? The name is kept", field="--by", check="P.058")
    cur = cursor(connection)
    cur.execute("SELECT FROM pollbook_log WHERE poll = %s ORDER BY id FOR SHARE", (poll,))
    found = standing(cur, poll)
    if found is None:
        raise DauysError(f"{poll} is not marked: there is nothing to lift")
    if missing := unheard(cur, poll):
        names = ", ".join(f"{log.station}/{log.generation}" for log in missing[:10])
        more = f" and {len(missing) - 10} more" if len(missing) > 10 else ""
        raise DauysError(
            f"not heard since the centre was put back: {names}{more}; wait for them, or, where a machine is gone, "
            f"dauys pollbook lost {poll} STATION"
        )
    here = cur.execute(_EVENTS, (poll, found.at)).fetchone() if found.counted else None
    gone = f"SELECT FROM pollbook_log l WHERE poll = %s AND (missed OR lost AND {UNHEARD})"
    if here and here.n < found.counted and not cur.execute(gone, (poll,)).rowcount and not word.strip():
        raise BadInput(
            f"of {found.counted:,} events that the centre had only {here.n:,} came back, and no machine is gone: was the disk of "
            "one put back from a copy, too? Its last check-ins are on its prints. Say what became of them",
            field="--word", check="P.090",
        )  # fmt: skip
    if (blind or found.blind) and not word.strip():
        raise BadInput(
            f"{NOT_SEEN if found.blind else NOT_ALL}: say how it is known that no other machine was enrolled since the copy",
            field="--word", check="P.090",
        )  # fmt: skip
    on_their_way = cur.execute(f"SELECT {_ON_THEIR_WAY}", (poll,)).rowcount if blind or found.blind else 0
    if packages == "again" and not (blind or found.blind):
        raise BadInput(
            "the journal beside the keys vouches for the packages on their way: leave --packages out, and make one again by its "
            f"station's name, if that is meant: dauys pollbook packages {poll} --again STATION --out FOLDER",
            field="--packages", check="P.090",
        )  # fmt: skip
    if on_their_way and packages not in ("good", "again"):
        raise BadInput(
            f"packages on their way, with which nobody has enrolled: {on_their_way:,}. Was one of them made again or void since "
            "the copy, or made before anybody knew of it? Say that they are good, or that they are to be made again",
            field="--packages", expected="good or again", check="P.090",
        )  # fmt: skip
    if blind or found.blind:  # nobody knows whether one that was lost by the copy was taken to work again
        cur.execute(
            f"UPDATE pollbook_log l SET missed = true WHERE poll = %s AND lost AND {UNHEARD}",  # noqa: S608 - a text of ours
            (poll,),
        )
        cur.execute(  # nor whether a package on its way was made again, or void meanwhile
            f"INSERT INTO pollbook_late_list AS t SELECT poll, station, generation, %s, %s {_ON_THEIR_WAY} "
            "ON CONFLICT (poll, station, generation) DO UPDATE SET blind = t.blind OR excluded.blind",
            (packages == "again", found.at, poll),
        )
    cur.execute(
        "UPDATE pollbook_restored SET lifted = %s, lifted_by = %s, word = %s WHERE poll = %s AND lifted IS NULL",
        (at, by.strip(), word.strip(), poll),
    )


_ON_THEIR_WAY = f"FROM pollbook_package p WHERE poll = %s AND NOT {BEGUN}"


_EVENTS = f"""
SELECT count(*) AS n FROM pollbook_log l JOIN pollbook_event v ON v.log = l.id
WHERE l.poll = %s AND l.generation <= {PAPER} AND v.at <= %s
"""  # noqa: S608 - a number of ours
"""Events of before a moment, by the clocks of the stations: they go on while the mark stands."""


def told(connection: Connection, log: LogId, *, remade: bool = False) -> None:
    """A list was made for this log since the copy; the journal or a machine says so. Whatever may stand on it is held by it.

    `remade`: it is a later one than that for which nobody vouched (`lift`), if there was such a one. Otherwise it stays known
    since the mark at which it was told first: later copies have it.
    """
    late = (
        "INSERT INTO pollbook_late_list AS t (poll, station, generation, since) SELECT %(poll)s, %(station)s, %(generation)s, ("
        "SELECT at FROM pollbook_restored WHERE poll = %(poll)s ORDER BY id DESC LIMIT 1) "
        "ON CONFLICT (poll, station, generation) DO UPDATE SET blind = t.blind AND NOT %(remade)s, "
        "since = CASE WHEN %(remade)s THEN excluded.since ELSE t.since END"
    )
    where = {"poll": log.poll, "station": log.station, "generation": log.generation, "remade": remade}
    cursor(connection).execute(late, where)
    onto_the_list(connection, log, of_before=True)
    onto_the_next_list(cursor(connection), log.poll, log.station)


def make_list(connection: Connection, log: LogId, *, ahead: bool = True) -> None:
    """A list is made for this log: which rights stand on it. In the transaction that notes its package.

    A machine that was lost unheard may have been given some of them ahead of it: who was added, for its own station gave him to
    it; others where the law lets a voter vote at another station (`ahead`). What is in doubt stands on no list, and who asks for
    it gets it once that machine is found. But for a list that is made again, and was here before the centre was put back: nobody
    was given what stood on it (`decided.listed`).
    """
    cur = cursor(connection)
    late = not_late(cur, log)  # before all: who is being added again onto that list is on it when this goes on
    if late or not is_packed(cur, log):
        cur.execute(
            "UPDATE entitlement e SET holder = %s WHERE e.poll = %s AND e.home = %s AND e.holder = %s "  # noqa: S608 - texts of ours
            f"AND e.state = {UNUSED} AND e.epoch = 0 AND (%s OR e.addition > 0) AND {DOUBT}",
            (unlisted(log.station), log.poll, log.station, log.holder, ahead),
        )
    onto_the_list(connection, log)


def void(connection: Connection, log: LogId, *, vouched: bool = False) -> bool:
    """A package with which nobody has enrolled is void; False where there is none.

    Nobody was given what stood on its list, if that was here before the centre was put back: what can be given ahead of the next
    one is not in doubt, then. Otherwise nobody knows whether a machine has it, unless the journal has every machine (`vouched`).
    """
    if not void_package(connection, log):
        return False
    cur = cursor(connection)
    late = not_late(cur, log)
    if not late:
        are_clear(cur, log.poll, log.holder)
    if vouched or not late:
        _nobody_holds(cur, log)
    return True


def void_before(connection: Connection, log: LogId, *, vouched: bool) -> None:
    """A package was void before the centre was put back from an older copy, as the journal says. What was given since is not
    known here."""
    if void_package(connection, log) and (not not_late(cursor(connection), log) or vouched):
        _nobody_holds(cursor(connection), log)


def _nobody_holds(cur: Cursor[Any], log: LogId) -> None:
    """No machine ever holds as this log whom only its list had: who was added is on no list again."""
    nowhere = unlisted(log.station)
    cur.execute(
        "UPDATE entitlement SET holder = %s WHERE poll = %s AND home = %s AND holder = %s AND addition > 0 AND epoch = 0 "
        "AND state = %s",
        (nowhere, log.poll, log.station, log.holder, UNUSED),
    )
    follow(cur, log.poll, [log.holder, nowhere])


def not_late(cur: Cursor[Any], log: LogId) -> bool:
    """What stands on this log's list is known from now on: it is made now, or is none; whether it was not."""
    late = "DELETE FROM pollbook_late_list WHERE (poll, station, generation) = (%s, %s, %s)"
    return cur.execute(late, (log.poll, log.station, log.generation)).rowcount > 0
