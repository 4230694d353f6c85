"""How does a station get its package? The list, the law and the officers of one station, sealed by a code of its own.

The electronic channel gets one, too, where it is on: its list is empty, and it has no officers (pollbook.machine.channel_acts).

The first package of a station is its generation 1. Made again before the station has told its key, it replaces the one
before, whose machine can do nothing then (docs/custody.md); afterwards the commission first declares the machine lost, and
the next package is the next generation.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.errors import BadInput, DauysError
from dauys.pollbook.centre import packages as packages_noted
from dauys.pollbook.centre.locks import lock_station
from dauys.pollbook.centre.mark import must_be_whole, standing
from dauys.pollbook.centre.predicates import MISSED
from dauys.pollbook.centre.take import Cursor, cursor, declare_lost
from dauys.pollbook.log.events import CHANNEL_LOGS, PAPER, LogId
from dauys.pollbook.log.spelling import without_sign
from dauys.pollbook.packing import lists
from dauys.pollbook.put_back.restored import (
    declared_lost,
    followed,
    make_list,
    never_was,
    not_late,
    void,
    works_again,
)
from dauys.pollbook.rules.channels import ANY_STATION, REMOTE, Channels
from dauys.pollbook.rules.decided import unlisted
from dauys.pollbook.wire.package import (
    CODE_BYTES,
    NONCE_BYTES,
    SALT_BYTES,
    SYSTEM,
    Officer,
    Package,
    Place,
    new_code,
    proof_key,
    seal,
)
from dauys.registers.poll import Poll, Station
from dauys.roll.vault import Vault
from dauys.store.engine import Connection

UNHEARD = timedelta(hours=6)
"""How long after closing a station that was never heard may still work: until its queue and its count are done."""

TRIAL_OFFICERS = (
    Officer("chair", "chair", "Chair (trial)"),
    Officer("secretary", "secretary", "Secretary (trial)"),
    Officer("member1", "member", "Member 1 (trial)"),
    Officer("member2", "member", "Member 2 (trial)"),
)
Random = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Packing:
    """What every package of a poll is made with. `stations` are all of the poll, by id; `trial`: it has to be one."""

    poll: Poll
    stations: Mapping[str, Station]
    channels: Channels
    key: Ed25519PrivateKey
    vault: Vault
    trial: bool = False


@dataclass(frozen=True, slots=True)
class Packed:
    """A package on its way: the file, and the code that goes another way. `doubts`: how many of the voters on its list have their
    right in doubt, so that its machine gives them no ballot before a lost one is found."""

    log: LogId
    data: bytes
    code: str
    voters: int
    doubts: int = 0


def pack(
    connection: Connection, packing: Packing, station: str, officers: tuple[Officer, ...], at: datetime,
    random: Random = os.urandom, again: bool = True,
) -> Packed:  # fmt: skip
    """Makes a station's package and notes at the centre what checks its enrolment. In the caller's transaction.

    `station` may be a channel's name. `again`: one that is on its way becomes void. Raises DauysError where the roll is not
    frozen, the station is unknown, or it works already; BadInput P.085 for a rehearsal's package of a real poll, P.086 where
    one is on its way and not to be made again; NotAllowed P.026 where the channel is off.
    """
    poll = packing.poll
    if packing.trial and not poll.trial:
        expected = "a poll whose id begins with test/, or whose last part begins with trial-"
        raise BadInput("packages for a trial, of a poll that is none", found=poll.id, expected=expected, check="P.085")
    if station in CHANNEL_LOGS:
        packing.channels.require(station)
        if station in packing.stations:
            raise DauysError(f"{poll.id} has a station with the name of a channel: {station!r}")
    elif station not in packing.stations:
        raise DauysError(f"{poll.id} has no station {station!r}")
    cur = cursor(connection)
    if cur.execute("SELECT 1 FROM roll_freeze WHERE poll = %s", (poll.id,)).fetchone() is None:
        raise DauysError(f"the roll of {poll.id} is not frozen: dauys roll freeze {poll.id}")
    lock_station(cur, poll.id, station)
    must_be_whole(cur, poll.id)
    log = LogId(poll.id, station, next_generation(connection, poll.id, station))
    if not again and packages_noted.is_packed(cur, log):
        message = f"station {station} has a package on its way, which would be void"
        raise BadInput(message, expected=f"--again {station}, if that is meant", check="P.086")
    if station in CHANNEL_LOGS:
        not_late(cur, log)
        package = _of_channel(packing, log)
    else:
        make_list(connection, log, ahead=packing.channels[ANY_STATION].on or packing.channels[REMOTE].on)
        package = _of_station(connection, packing, log, officers)
    code, salt = new_code(without_sign(lambda: random(CODE_BYTES))), random(SALT_BYTES)
    data = seal(package, code, packing.key, salt, random(NONCE_BYTES))
    here = sum(not voter.away for voter in package.voters)
    packages_noted.note_package(
        connection, log, proof_key(code, salt, log), at, here, [one.id for one in package.officers]
    )
    doubts = sum(voter.away == unlisted(station) for voter in package.voters)  # `make_list` left them off
    return Packed(log, data, code, len(package.voters), doubts)


def _of_station(connection: Connection, packing: Packing, log: LogId, officers: tuple[Officer, ...]) -> Package:
    poll, found = packing.poll, packing.stations[log.station]
    area = poll.area(found.area)
    return Package(
        log=log,
        names=poll.names,
        centre=packing.key.public_key().public_bytes_raw(),
        lease=poll.closing(found.area) + UNHEARD,
        opens=f"{poll.opens:%H:%M}",
        closes=f"{poll.closes:%H:%M}",
        channels=replace(packing.channels, timezone=area.timezone or poll.timezone),
        officers=officers,
        voters=lists.voters_of(connection, packing.vault, log),
        stations={
            one.id: Place(dict.fromkeys(("kk", "ru", "en"), one.id), one.settlement, one.address)
            for one in packing.stations.values()
            if one.area == found.area
        },
        trial=poll.trial,  # so that each of its pages says so
    )


def _of_channel(packing: Packing, log: LogId) -> Package:
    """Without a list; its hour of closing is that of the last station, by the poll's own clock."""
    poll = packing.poll
    last = poll.last_closing(station.area for station in packing.stations.values())
    return Package(
        log=log,
        names=poll.names,
        centre=packing.key.public_key().public_bytes_raw(),
        lease=last + UNHEARD,
        opens=f"{poll.opens:%H:%M}",
        closes=f"{last:%H:%M}" if last.date() == poll.day else "23:59",
        channels=packing.channels,
        officers=(SYSTEM,),
        voters=(),
        trial=poll.trial,
    )


def next_generation(connection: Connection, poll: str, station: str) -> int:
    """Which generation the next package of a station is. Raises DauysError while the last one works."""
    newest = packages_noted.newest_machine(cursor(connection), poll, station)
    if newest is None:
        return 1
    if not newest.lost:
        raise DauysError(
            f"station {station} works with the package it has; if its machine is gone: dauys pollbook lost {poll} {station}"
        )
    return int(newest.generation) + 1


def without_package(connection: Connection, poll: str, stations: Iterable[str]) -> list[str]:
    """Those of the stations that neither work nor have a package on its way."""
    rows = cursor(connection).execute(
        "SELECT station FROM pollbook_package p WHERE poll = %(poll)s AND NOT EXISTS (SELECT FROM pollbook_log l "
        "WHERE l.poll = p.poll AND l.station = p.station AND l.generation = p.generation AND l.lost) "
        "UNION SELECT station FROM pollbook_log WHERE poll = %(poll)s AND NOT lost AND generation <= %(paper)s",
        {"poll": poll, "paper": PAPER},
    )
    have = {row.station for row in rows}
    return [station for station in stations if station not in have]


def lose(
    connection: Connection, poll: str, station: str, generation: int | None = None, *, every: bool = False
) -> tuple[LogId, str]:
    """Declares a machine of a station `lost`. Rights stay where they are.

    A package that nobody has enrolled with is made `void` instead: nobody can any more, and a machine that opened it while
    its wire was cut never could do anything. While the centre's books are not whole somebody may have enrolled with it since the
    copy, unless the journal beside the keys has `every` machine (`Journal.vouches`): then its machine is declared lost, but only
    by its number. Without `generation` it is the one machine, or package, that can be meant: while the books are not whole, one
    that was not heard since. Raises DauysError where there is none, or several.
    """
    cur = cursor(connection)
    lock_station(cur, poll, station)
    query = "SELECT FROM station WHERE poll = %s AND id = %s"
    if station not in CHANNEL_LOGS and not cur.execute(query, (poll, station)).rowcount:
        raise DauysError(f"{poll} has no station {station!r}")
    mark = standing(cur, poll)
    vouched, every = every, mark is None or (every and not mark.blind)
    known = cur.execute(
        "SELECT generation, lost, %(marked)s AND stopped = '' AND (sound OR closed) AS heard, true AS begun "
        "FROM pollbook_log WHERE poll = %(poll)s AND station = %(station)s AND generation <= %(paper)s "
        "UNION ALL SELECT generation, false, false, false FROM pollbook_package p WHERE poll = %(poll)s "
        "AND station = %(station)s AND NOT EXISTS (SELECT FROM pollbook_log l WHERE l.poll = p.poll "
        "AND l.station = p.station AND l.generation = p.generation) ORDER BY 1",
        {"poll": poll, "station": station, "marked": mark is not None, "paper": PAPER},
    ).fetchall()
    log = LogId(poll, station, generation or _meant(known, poll, station, mark is not None, every))
    begun = {row.generation: row.begun for row in known}
    newest = max(begun, default=0)
    if log.generation not in begun and (every or log.generation != newest + 1):  # that may be of after the copy
        raise DauysError(f"station {station} of {poll} has no machine {log.generation}: the newest is {newest}")
    if every and not begun[log.generation] and void(connection, log, vouched=vouched):
        return log, "void"
    if mark is None:
        declare_lost(connection, log)
    else:
        declared_lost(connection, log)
    return log, "lost"


def _meant(known: Sequence[Any], poll: str, station: str, marked: bool, every: bool) -> int:
    """Which machine of a station is gone, where nobody says it by number. Raises DauysError where that is not certain."""
    command = f"dauys pollbook lost {poll} {station} --generation"
    some = [row.generation for row in known if not row.lost and not row.heard and (row.begun or every)]
    if len(some) == 1:
        return int(some[0])
    if some:
        names = ", ".join(map(str, some))
        raise DauysError(f"machines {names} of station {station} are not declared lost: which is gone? {command} N")
    newest = known[-1].generation if known else 0
    if not marked:
        if known:
            return int(newest)  # lost already
        raise DauysError(f"station {station} of {poll} has no package yet")
    if heard := [row.generation for row in known if row.heard and not row.lost]:
        why = f"machine {heard[-1]} of station {station} was heard since the centre was put back"
        raise DauysError(f"{why}: it would be shut out. If it is gone all the same: {command} {heard[-1]}")
    why = f"{newest} is lost already" if known else "none is known"
    after = newest + 1
    if known and not known[-1].begun:
        why, after = f"nobody is known to have enrolled with package {newest}", newest
    why = f"no machine of station {station} is waited for: {why}"
    if every:
        raise DauysError(f"{why}, and the journal beside the keys has every machine that enrolled")
    raise DauysError(f"{why}. If one was enrolled since the copy, and is gone: {command} {after}")


def not_lost(
    connection: Connection, poll: str, station: str, at: datetime, by_hand: str = "", never: str = ""
) -> tuple[LogId, str]:  # fmt: skip
    """Takes back that the last lost machine of a station was declared lost: it `works` on, with what it held all the time.

    Only while nothing followed from it: no package of a later machine, no paper typed, the centre's books whole, and what it was
    given before they were not is known. `by_hand`: who says that its officers handed out nothing by hand, which the centre cannot
    know. Of a machine that is known by its number alone, `never`: who says that nobody ever enrolled as that one; its log is then
    `closed`, and it stays lost. The names are kept. Raises DauysError, BadInput P.058 without them.
    """
    cur = cursor(connection)
    lock_station(cur, poll, station)
    must_be_whole(cur, poll)
    row = cur.execute(
        f"SELECT generation, key = '' AS nobody, {MISSED} AS missed "  # noqa: S608 - a text of ours
        "FROM pollbook_log l WHERE poll = %s AND station = %s AND generation <= %s AND lost AND NOT (key = '' AND closed) "
        "ORDER BY generation DESC LIMIT 1",
        (poll, station, PAPER),
    ).fetchone()  # fmt: skip
    if row is None:
        raise DauysError(f"no machine of station {station} of {poll} is declared lost")
    log = LogId(poll, station, row.generation)
    stays = f"machine {log.generation} of station {station} stays lost:"
    if later := followed(cur, log):
        raise DauysError(f"{stays} its next machine {later}")
    typed = "SELECT FROM pollbook_log WHERE poll = %s AND holder = %s UNION ALL SELECT FROM pollbook_typing "
    typed += "WHERE (poll, station, generation) = (%s, %s, %s)"
    if cur.execute(typed, (poll, log.paper.holder, poll, station, log.generation)).rowcount:
        raise DauysError(f"{stays} its paper is typed in")
    if row.missed and not row.nobody:
        raise DauysError(f"{stays} given up when the centre was put back, and not heard since")
    if row.nobody and not never.strip():
        message = f"{stays} it is known by its number alone. If nobody ever enrolled as that one, who says so? The name is kept"
        raise BadInput(message, field="--nobody-enrolled", check="P.058")
    if not by_hand.strip():
        raise BadInput(_by_hand(cur, log), field="--nobody-by-hand", check="P.058")
    cur.execute(
        "INSERT INTO pollbook_not_lost (poll, station, generation, at, by_hand, never) VALUES (%s, %s, %s, %s, %s, %s)",
        (poll, station, log.generation, at, by_hand.strip(), never.strip() if row.nobody else ""),
    )
    if row.nobody:
        never_was(connection, log)
        return log, "closed"
    works_again(connection, log)
    return log, "works"


def _by_hand(cur: Cursor, log: LogId) -> str:
    """The question whether anybody was given a ballot by the paper of a machine that is to work again."""
    printed = cur.execute(
        "SELECT at, by FROM pollbook_print WHERE (poll, station, generation) = (%s, %s, %s) AND at > coalesce(("
        "SELECT max(at) FROM pollbook_not_lost n WHERE (n.poll, n.station, n.generation) = (%s, %s, %s)), '-infinity') "
        "ORDER BY id DESC LIMIT 1",
        (log.poll, log.station, log.generation) * 2,
    ).fetchone()
    what = "what the station printed itself, the centre does not know"
    if printed is not None:
        what = f"the centre printed its list for that on {printed.at.astimezone(UTC):%m-%d at %H:%M} UTC ({printed.by})"
    return (
        f"did the officers of station {log.station} hand out ballots by hand since its machine was declared lost? {what}. "
        f"If they did, it stays lost: dauys pollbook paper {log.poll} {log.station}. If not, who says so? The name is kept"
    )


def write(folder: Path, packed: Iterable[Packed]) -> list[tuple[Packed, Path, Path]]:
    """Writes `STATION.package` and `STATION.code` (for its owner's eyes alone) of each; a whole file or none."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for one in packed:
        package, code = (folder / (file_name(one.log.station) + ending) for ending in (".package", ".code"))
        _write(package, one.data, 0o644)
        _write(code, f"{one.code}\n".encode(), 0o600)
        written.append((one, package, code))
    return written


def file_name(station: str) -> str:
    """A station's id as the name of a file: letters, digits, `-`, `_` and `.`; anything else by its number."""
    return "".join(c if c.isalnum() or c in "-_" or (c == "." and n) else f"%{ord(c):X}" for n, c in enumerate(station))


def _write(path: Path, data: bytes, mode: int) -> None:
    making = path.with_name(path.name + ".making")
    making.unlink(missing_ok=True)
    with os.fdopen(os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    making.rename(path)
