"""What do officers go on with whose machine is gone before it printed its list? The centre prints what that machine held.

The same paper as the station's own print (`pollbook.station.paper`): voters sign on it, and two people type it in afterwards
(`paper.by_hand`). It shows what the machine had sent; what it did after that stands on the station's own prints alone. No
right moves by it. Names leave the roll by it, so who printed it is kept.

Whose right is elsewhere stands on it as such, by whatever the centre knows: who holds it, what it gave or another log received
in a later epoch, a use somewhere else. After the centre was put back from a copy it may know less than the machine did: then
the list says so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from dauys.errors import BadInput
from dauys.pollbook.centre.predicates import RELEASED, UNHEARD, UNUSED, USED
from dauys.pollbook.centre.take import Cursor, cursor
from dauys.pollbook.log.events import LogId
from dauys.pollbook.packing import lists
from dauys.pollbook.rules.decided import unlisted
from dauys.pollbook.wire.package import Voter
from dauys.registers.poll import Poll
from dauys.roll.vault import Vault
from dauys.store.engine import Connection

Model = dict[str, Any]

OTHERWISE = ("P.103", "P.105")
"""Alarms by which another log let go, or received, a right that the centre did not know to be there."""


def left(connection: Connection, lost: LogId) -> int:
    """How many rights of a machine's list are not its any more: on a print that is older their voters stand as if here.

    Those that it let go, as far as the centre heard that; of a machine that was not heard since the centre was put back, all of
    its station that are elsewhere. What stood on its list as held by an earlier machine is none of them.
    """
    cur = cursor(connection)
    rows = cur.execute(
        "SELECT e.id FROM entitlement e WHERE e.poll = %(poll)s "  # noqa: S608 - texts of ours
        f"AND (e.holder <> %(holder)s OR e.state = {RELEASED}) AND EXISTS ("
        "SELECT FROM pollbook_event v JOIN pollbook_log l ON l.id = v.log WHERE l.poll = e.poll AND l.holder = %(holder)s "
        "AND v.entitlement = e.id AND v.kind IN ('release', 'certificate')) UNION "
        "SELECT e.id FROM entitlement e JOIN pollbook_log l ON l.poll = e.poll AND l.holder = %(holder)s "
        f"WHERE e.poll = %(poll)s AND e.home = %(station)s AND {UNHEARD} "
        "AND e.holder <> %(roll)s AND NOT EXISTS (SELECT FROM pollbook_log o WHERE o.poll = e.poll AND o.holder = e.holder "
        "AND o.station = %(station)s)",
        {"poll": lost.poll, "holder": lost.holder, "station": lost.station, "roll": unlisted(lost.station)},
    )
    return len({row.id for row in rows} | _given_elsewhere(cur, lost).keys())


def may_lack(connection: Connection, lost: LogId) -> bool:
    """Whether more may have left a machine than the centre knows: it was put back from a copy and has not heard all of this log
    since, or somebody was added at the station whose name it has forgotten."""
    return cursor(connection).execute(
        f"SELECT FROM pollbook_log l WHERE poll = %(poll)s AND holder = %(holder)s AND {UNHEARD} "  # noqa: S608 - a text of ours
        "UNION ALL SELECT FROM entitlement WHERE poll = %(poll)s AND home IN (%(station)s, '') AND addition < 0 LIMIT 1",
        {"poll": lost.poll, "holder": lost.holder, "station": lost.station},
    ).rowcount > 0  # fmt: skip


def to_strike_by(lost: LogId) -> str:
    """The command that prints whom to strike."""
    return f"dauys pollbook print {lost.poll} {lost.station} --strike --out FILE --by NAME"


def may_lack_says(lost: LogId) -> str:
    """What the commands say of a list that `may_lack` some."""
    return (
        "The centre was put back from a copy and does not have all of this machine's log: more may have left it than are known. "
        "Print the list to strike before anybody goes on by hand, and again whenever more stations were heard: "
        + to_strike_by(lost)
    )


def _given_elsewhere(cur: Cursor, lost: LogId) -> dict[UUID, str]:
    """Rights that are with this machine and unused by custody, while something says otherwise; and where it says that they are:
    the centre's signature on a later epoch, a use that stands elsewhere, what another log let go or received. And those that it
    was ever told to let go, though whoever asked may be gone: it may have, unheard."""
    rows = cur.execute(
        "WITH here AS (SELECT poll, id, epoch FROM entitlement WHERE poll = %(poll)s AND holder = %(holder)s "
        "AND state = %(unused)s) "
        "SELECT e.id, g.receiver AS there FROM here e JOIN pollbook_grant g ON g.poll = e.poll AND g.entitlement = e.id "
        "AND g.epoch > e.epoch UNION ALL SELECT e.id, t.asker FROM here e JOIN pollbook_told t ON t.poll = e.poll "
        "AND t.entitlement = e.id AND t.epoch = e.epoch AND t.holder = %(holder)s UNION ALL "
        "SELECT e.id, l.holder FROM here e JOIN ("
        "SELECT poll, entitlement, log FROM pollbook_stray WHERE NOT undone UNION ALL "
        "SELECT poll, entitlement, log FROM pollbook_alarm WHERE number = ANY(%(numbers)s)) s "
        "ON s.poll = e.poll AND s.entitlement = e.id JOIN pollbook_log l ON l.id = s.log WHERE l.holder <> ALL(%(own)s)",
        {
            "poll": lost.poll, "holder": lost.holder, "unused": UNUSED, "own": [lost.holder, lost.paper.holder],
            "numbers": list(OTHERWISE),
        },
    )  # fmt: skip
    return {row.id: row.there for row in rows}


def _came(cur: Cursor, lost: LogId) -> list[UUID]:
    """Rights of other stations that this machine was given: its print has them, wherever they are now."""
    rows = cur.execute(
        "SELECT DISTINCT v.entitlement FROM pollbook_event v JOIN pollbook_log l ON l.id = v.log "
        "WHERE l.poll = %s AND l.holder = %s AND v.kind = 'receive'",
        (lost.poll, lost.holder),
    )
    return [row.entitlement for row in rows]


def lost_list(
    connection: Connection, vault: Vault, poll: Poll, lost: LogId, by: str, at: datetime, to_strike: bool = False
) -> Model:  # fmt: skip
    """The list of a machine that was declared lost, as a model for `centre/lost_list.html`; notes who had it printed.

    `to_strike`: only who gets no ballot there. Commit before anything is shown. Raises BadInput without a name.
    """
    if not by.strip():
        raise BadInput("who prints it? names leave the roll with it", field="--by", expected="a name")
    cur = cursor(connection)
    log = cur.execute(
        "SELECT n, head, heard FROM pollbook_log WHERE (poll, station, generation) = (%s, %s, %s)",
        (lost.poll, lost.station, lost.generation),
    ).fetchone()
    assert log is not None, "a machine that was declared lost has a log"
    area = cur.execute("SELECT area FROM station WHERE poll = %s AND id = %s", (lost.poll, lost.station)).fetchone()
    zone = ZoneInfo((poll.area(area.area).timezone if area else "") or poll.timezone)
    shown = _Shown(poll, zone, *_told(cur, lost))
    place = lists.place_of(connection, lost.poll, lost.station)
    there = _given_elsewhere(cur, lost)
    voters = lists.voters_of(connection, vault, lost, _came(cur, lost))
    lines = [shown.line(replace(voter, away=there.get(voter.entitlement, voter.away))) for voter in voters]
    used = sum(line["standing"] == "used" for line in lines)
    here = sum(line["standing"] == "here" for line in lines)
    if to_strike:
        lines = [line for line in lines if line["standing"] != "here"]
    cur.execute(
        "INSERT INTO pollbook_print (poll, station, generation, at, by, lines, strike) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (lost.poll, lost.station, lost.generation, at, by.strip(), len(lines), to_strike),
    )
    return {
        "lines": lines,
        "to_strike": to_strike,
        "may_lack": may_lack(connection, lost),
        "sums": {"eligible": used + here, "received": used},
        "printed_at": shown.clock(at),
        "sent_until": "" if log.heard is None else shown.clock(log.heard),  # the journal alone knows of it
        "events": log.n,
        "head": log.head[:16],
        "own": {
            "id": lost.station,
            "names": None,
            "address": ", ".join(filter(None, (place.settlement, place.address))),
        },
        "machine": lost.generation,
        "station": {"poll": dict(poll.names), "trial": poll.trial},
    }


@dataclass(frozen=True, slots=True)
class _Shown:
    """How a line is shown. `used`: check-ins that stand, in the machine's log or its paper's; `mobile`: requests for the box."""

    poll: Poll
    zone: ZoneInfo
    used: Mapping[UUID, Model]
    mobile: Mapping[UUID, datetime]

    def clock(self, at: datetime) -> str:
        local = at.astimezone(self.zone)
        return f"{local:%H:%M}" if local.date() == self.poll.day else f"{local:%d.%m. %H:%M}"

    def line(self, voter: Voter) -> Model:
        """As `station.words.line` has it."""
        was = self.used.get(voter.entitlement)
        asked = self.mobile.get(voter.entitlement)
        return {
            "number": voter.number,
            "name": " ".join(filter(None, (voter.surname, voter.given, voter.patronymic))),
            "iin": f"{voter.iin[:6]} {voter.iin[6:]}",
            "address": voter.address,
            "standing": "used" if was else "away" if voter.away else "here",
            "check_in": None if was is None else {"clock": self.clock(was["at"]), "officer": was["officer"]},
            "mobile": "" if asked is None else self.clock(asked),
            "where": _where(voter.away),
        }


def _where(holder: str) -> Model:
    kind, _, rest = holder.partition("/")
    if kind == "station":
        return {"kind": kind, "id": rest.rpartition("/")[0], "names": None, "address": ""}
    return {"kind": kind if kind in ("certificate", "remote", "withdrawn") else "centre", "id": "", "names": None}


def _told(cur: Cursor, lost: LogId) -> tuple[dict[UUID, Model], dict[UUID, datetime]]:
    """The check-ins that stand in the machine's log and its paper's, and requests for the mobile box."""
    rows = cur.execute(
        "SELECT v.kind, v.entitlement, v.at, v.body FROM pollbook_event v JOIN pollbook_log l ON l.id = v.log "
        "WHERE l.poll = %(poll)s AND l.holder = ANY(%(holders)s) AND (v.kind = 'mobile-request' OR v.kind = 'check-in' "
        "AND EXISTS (SELECT FROM entitlement e WHERE e.poll = l.poll AND e.id = v.entitlement AND e.holder = l.holder "
        "AND e.state = %(used)s AND e.used = v.n))",
        {"poll": lost.poll, "holders": [lost.holder, lost.paper.holder], "used": USED},
    ).fetchall()
    used = {
        row.entitlement: {"at": row.at, "officer": json.loads(row.body)["body"]["officer"]}
        for row in rows
        if row.kind == "check-in"
    }
    return used, {row.entitlement: row.at for row in rows if row.kind == "mobile-request"}


@dataclass(frozen=True, slots=True)
class Printed:
    """A list that the centre printed: of which machine, how many lines, when, who had it printed, and whether only who is to be
    struck on the station's own print stands on it."""

    station: str
    generation: int
    at: datetime
    by: str
    lines: int
    strike: bool

    def to_json(self) -> Model:
        return {name: getattr(self, name) for name in self.__slots__} | {"at": self.at.isoformat()}


def printed(connection: Connection, poll: str) -> list[Printed]:
    """What was printed of a poll, the newest first."""
    rows = cursor(connection).execute(
        "SELECT station, generation, at, by, lines, strike FROM pollbook_print WHERE poll = %s ORDER BY id DESC",
        (poll,),
    )
    return [Printed(*row) for row in rows]
