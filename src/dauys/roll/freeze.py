"""Which roll is a poll held with? The one of a moment: frozen, committed to the record, and one right for each voter on it.

Who comes onto it later does so by an addition, with a reason (Constitutional Law On elections, art. 26-1); after the closing
nobody does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.errors import DauysError
from dauys.record import log
from dauys.record.entry import Entry, sign_entry
from dauys.record.merkle import inclusion_proof, leaf_hash
from dauys.registers.poll import COMMISSION, Poll
from dauys.roll.bulk import copy_rows, loading
from dauys.roll.changes import get_set, one_decision_at_a_time
from dauys.roll.free_text import no_iin
from dauys.roll.frozen import (
    ADDITIONS,
    COMMITMENTS_PER_ENTRY,
    PURPOSE,
    StationRoll,
    bodies,
    change_body,
    commitment,
    station_root,
)
from dauys.roll.parallel import cores, mapped
from dauys.roll.rights import EACH, RIGHT, Rights
from dauys.roll.vault import ID, Vault
from dauys.roll.versions import HOLDS, applied_sets, may_vote, replaced
from dauys.roll.voter import Person, of_age
from dauys.store.engine import Connection

MANY_VOTERS, VOTERS_PER_BLOCK = 1_000_000, 20_000
"""So many are worth more processes than one, and indexes built afterwards."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """A frozen roll. `differ` counts the stations whose number is not that of the poll's list.

    `elsewhere` counts the voters who are not on it because their home station is none of the poll's (a local poll with the
    nation's roll), `elsewhere_stations` those stations.
    """

    poll: str
    at: datetime
    voters: int
    stations: int
    root: bytes
    differ: int
    elsewhere: int = 0
    elsewhere_stations: int = 0

    def to_json(self) -> dict[str, Any]:
        return {
            "poll": self.poll,
            "at": self.at.isoformat(),
            "voters": self.voters,
            "stations": self.stations,
            "root": self.root.hex(),
            "differ": self.differ,
            "elsewhere": self.elsewhere,
            "elsewhere_stations": self.elsewhere_stations,
        }


def has_closed(poll: Poll, station: str, area: str, at: datetime) -> DauysError | None:
    """What is said of an addition to a station's list where its hour of closing has come."""
    over = poll.closing(area)
    if at < over:
        return None
    now = at.astimezone(over.tzinfo)
    return DauysError(
        f"station {station} has closed ({over:%Y-%m-%d %H:%M}; it is {now:%Y-%m-%d %H:%M} there): its list does not "
        "change any more. A trial on another day gives each step its moment"
    )


def freeze(
    connection: Connection,
    vault: Vault,
    poll: Poll,
    seal: Ed25519PrivateKey,
    at: datetime,
    processes: int | None = None,
) -> Frozen:
    """Freezes the roll as it is in force now for an opened poll: entitlements, and signed entries of the record.

    On it are all who may vote on the poll's day, are 18 then, and whose home station the poll has; the others are counted.
    `seal` is the commission's key. In the caller's transaction. Raises DauysError: frozen already, or nobody is left.
    """
    before = connection.scalar(sa.text("SELECT at FROM roll_freeze WHERE poll = :poll"), {"poll": poll.id})
    if before is not None:
        raise DauysError(
            f"the roll of {poll.id} was frozen at {before.isoformat()}: who is missing comes by an addition"
        )
    stations = connection.execute(sa.text("SELECT id, eligible FROM station WHERE poll = :poll"), {"poll": poll.id})
    listed: dict[str, int] = {row.id: row.eligible for row in stations}
    one_decision_at_a_time(connection)
    sets = applied_sets(connection)
    young = _too_young(connection, vault, poll.day, sets)
    rolls = {station: StationRoll(station, 0, station_root(())) for station in listed}
    about = connection.scalar(sa.text("SELECT reltuples FROM pg_class WHERE oid = CAST('voter' AS regclass)"))
    many = (about or 0) >= MANY_VOTERS
    everybody = _homes(connection, poll.day, sets, young)
    homes, elsewhere = [], []  # 24 bytes each: one connection reads or writes
    for station, voters in everybody:
        if station in listed:
            homes.append((station, voters))
        else:
            elsewhere.append(len(voters) // EACH)
    workers = (cores() if many else 0) if processes is None else processes

    def packed_rows() -> Iterator[bytes]:
        for packed, made in mapped(Rights(vault, poll.id), _blocks(homes), workers):
            rolls.update((roll.id, roll) for roll in made)
            yield packed

    with loading(connection, "entitlement", many) as fresh:
        copy_rows(connection, "entitlement", RIGHT, packed_rows(), fresh)
    found = list(rolls.values())
    total_voters = sum(roll.voters for roll in found)
    if not total_voters:
        more = f" at a station of this poll, {sum(elsewhere):,} do elsewhere" if elsewhere else ""
        raise DauysError(f"nobody on the roll may vote on {poll.day}{more}: import it and have the set approved first")
    entries = [
        sign_entry(Entry(poll.id, kind, name, at.isoformat(), COMMISSION, body), seal)
        for kind, name, body in bodies(found, poll.day.isoformat())
    ]
    log.append(connection, poll.id, entries)
    root = bytes.fromhex(str(entries[0].body["root"]))
    connection.execute(
        sa.text("INSERT INTO roll_freeze (poll, at, sets, voters, root) VALUES (:poll, :at, :sets, :voters, :root)"),
        {"poll": poll.id, "at": at, "sets": sets["sets"], "voters": total_voters, "root": root},
    )
    connection.execute(
        sa.text("INSERT INTO roll_station (poll, station, voters, root) VALUES (:poll, :station, :voters, :root)"),
        [{"poll": poll.id, "station": roll.id, "voters": roll.voters, "root": roll.root} for roll in found],
    )
    differ = sum(roll.voters != listed[roll.id] for roll in found)
    return Frozen(poll.id, at, total_voters, len(found), root, differ, sum(elsewhere), len(elsewhere))


def _homes(
    connection: Connection, day: date, sets: Mapping[str, list[int]], young: Sequence[UUID]
) -> Iterator[tuple[str, bytes]]:
    """Each home station with its voters' ids and sets, one after the other; the poll may not have it."""
    connection.exec_driver_sql("SET LOCAL work_mem = '256MB'")
    rows = connection.execute(
        sa.text(
            "SELECT v.station, string_agg(uuid_send(v.voter) || int8send(v.set_id), '') AS voters FROM voter v "  # noqa: S608
            f"WHERE {may_vote('v')} AND v.voter <> ALL(CAST(:young AS uuid[])) AND {HOLDS} "
            "GROUP BY v.station ORDER BY v.station"
        ),
        {**sets, "on": day, "young": list(young)},
        execution_options={"yield_per": 100},
    )
    for row in rows:
        yield row.station, bytes(row.voters)


def _blocks(homes: Iterable[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    """Whole stations, some twenty thousand voters together."""
    block, size = [], 0
    for home in homes:
        block.append(home)
        size += len(home[1]) // EACH
        if size >= VOTERS_PER_BLOCK:
            yield block
            block, size = [], 0
    if block:
        yield block


def _too_young(connection: Connection, vault: Vault, day: date, sets: Mapping[str, list[int]]) -> list[UUID]:
    """Who is not 18 on the day, among those in force: only sets brought in for a later day are opened."""
    rows = connection.execute(
        sa.text(
            "SELECT v.voter, v.sealed FROM voter v JOIN roll_set s ON s.id = v.set_id "  # noqa: S608
            f"WHERE s.day > :on AND {may_vote('v')} AND {HOLDS}"
        ),
        {**sets, "on": day},
        execution_options={"yield_per": 10_000},
    )
    return [row.voter for row in rows if not _of_age(vault, row.voter, bytes(row.sealed), day)]


def _of_age(vault: Vault, voter: UUID, sealed: bytes, day: date) -> bool:
    return of_age(Person.from_bytes(vault.open(voter.bytes, sealed)).born, day)


@dataclass(frozen=True, slots=True)
class Added:
    """What an addition did: voters added, those who were on the list already, those who may not vote, and the new total.

    `elsewhere`: those whose home station the poll does not have. `later`: how many of the set are in force by later sets,
    which are `later_sets`: they come with those.
    """

    added: int
    on_list: int
    may_not: int
    elsewhere: int
    total: int
    stations: int
    later: int = 0
    later_sets: Sequence[int] = ()

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__} | {"later_sets": list(self.later_sets)}


class Custody(Protocol):
    """Where is a right that is added to a frozen roll? The pollbook knows, which this room does not: the shell hands it in.

    No addition goes without: where the centre was put back from a copy, whoever is added may have been added before.
    """

    def hold(self, connection: Connection, poll: str) -> None:
        """First of all: until the transaction ends nobody says anything new of where rights of the poll are."""

    def known(
        self, connection: Connection, poll: str, station: str, number: int, whose: Mapping[UUID, bytes]
    ) -> Set[UUID]:
        """Those of the rights, each with its voter's id and set (24 bytes), that are here without their voters: they are of the
        station's addition of this number from now on, and are not entered again."""

    def entered(self, connection: Connection, poll: str, station: str, rights: Set[UUID]) -> None:
        """These rights were entered now, on no list."""

    def paired(self, connection: Connection, vault: Vault, poll: Poll, at: datetime) -> None:
        """Last of all: whoever was added may be one person with somebody who has voted."""


def add_set(
    connection: Connection, vault: Vault, poll: Poll, set_id: int, reason: str, seal: Ed25519PrivateKey, at: datetime,
    custody: Custody,
) -> Added:  # fmt: skip
    """Brings the voters of an applied set, as they are in force, onto a frozen roll, each at the home station, with a reason.

    Who has a right in the poll already keeps it where it is; so does whose addition was forgotten when the centre was put back
    from a copy, and is made again now: `custody` says where. Raises DauysError: not frozen, or only later than `at`; closed; set
    not applied; no reason.
    """
    if not reason.strip():
        raise DauysError("an addition needs a reason: it stands in the record")
    no_iin(reason)
    one_decision_at_a_time(connection)  # a set that is being rolled back adds nobody behind its back
    # the record before the list, as everywhere, so that nobody waits for both
    connection.execute(sa.text("SELECT FROM log WHERE poll = :poll FOR NO KEY UPDATE"), {"poll": poll.id})
    custody.hold(connection, poll.id)
    frozen = connection.scalar(sa.text("SELECT at FROM roll_freeze WHERE poll = :poll FOR UPDATE"), {"poll": poll.id})
    if frozen is None:
        raise DauysError(f"the roll of {poll.id} is not frozen yet: apply the set and freeze it")
    if at < frozen:
        raise DauysError(
            f"the roll of {poll.id} was frozen at {frozen.isoformat()}: nothing is added to it at {at.isoformat()}, before that"
        )
    if log.is_closed(connection, poll.id):
        raise DauysError(f"{poll.id} is closed: the list does not change once counting has begun")
    found = get_set(connection, set_id)
    if found.state != "applied":
        raise DauysError(f"set {set_id} is {found.state}: a second person has to approve it first")
    rows = connection.execute(
        sa.text(
            f"SELECT v.voter, v.station, v.sealed, {may_vote('v')} AS votes, st.area "  # noqa: S608
            "FROM voter v LEFT JOIN station st ON st.poll = :poll AND st.id = v.station "
            f"WHERE v.set_id = :set AND {HOLDS} ORDER BY v.station, v.voter"
        ),
        {"poll": poll.id, "set": set_id, "on": poll.day} | applied_sets(connection),
    ).all()
    rights = {row.voter: vault.right(poll.id, row.voter) for row in rows}
    listed = set(
        connection.scalars(
            sa.text("SELECT id FROM entitlement WHERE poll = :poll AND id = ANY(:ids) AND addition >= 0"),
            {"poll": poll.id, "ids": list(rights.values())},
        )
    )
    new: dict[str, list[bytes]] = {}
    on_list = may_not = elsewhere = 0
    for row in rows:
        if rights[row.voter] in listed:
            on_list += 1
        elif not row.votes or not _of_age(vault, row.voter, bytes(row.sealed), poll.day):
            may_not += 1
        elif row.area is None:
            elsewhere += 1
        elif (closed := has_closed(poll, row.station, row.area, at)) is not None:
            raise closed
        else:
            new.setdefault(row.station, []).append(row.voter.bytes + set_id.to_bytes(8, "big"))
    for station, voters in new.items():
        for first in range(0, len(voters), COMMITMENTS_PER_ENTRY):
            part = voters[first : first + COMMITMENTS_PER_ENTRY]
            _add(connection, vault, poll, station, part, reason, seal, at, custody)
    custody.paired(connection, vault, poll, at)
    later = replaced(connection, set_id)
    return Added(
        sum(map(len, new.values())), on_list, may_not, elsewhere, total(connection, poll.id), len(new),
        sum(later.values()), list(later),
    )  # fmt: skip


def _add(
    connection: Connection, vault: Vault, poll: Poll, station: str, voters: Sequence[bytes], reason: str,
    seal: Ed25519PrivateKey, at: datetime, custody: Custody,
) -> None:  # fmt: skip
    last = connection.scalar(
        sa.text("SELECT count(*) FROM roll_addition WHERE poll = :poll AND station = :station"),
        {"poll": poll.id, "station": station},
    )
    number = (last or 0) + 1
    rights = [vault.entitlement(poll.id, voter[:ID]) for voter in voters]
    ones = [commitment(poll.id, station, vault.salt(PURPOSE, right), right) for right in rights]
    body = change_body(station, reason, ones)
    entry = Entry(poll.id, ADDITIONS, f"{ADDITIONS}/{station}/{number}", at.isoformat(), COMMISSION, body)
    log.append(connection, poll.id, [sign_entry(entry, seal)])
    whose = {UUID(bytes=right): voter for right, voter in zip(rights, voters, strict=True)}
    known = custody.known(connection, poll.id, station, number, whose)
    new = [voter for right, voter in whose.items() if right not in known]
    packed, _ = Rights(vault, poll.id, number)([(station, b"".join(new))])
    copy_rows(connection, "entitlement", RIGHT, [packed], fresh=False)
    custody.entered(connection, poll.id, station, whose.keys() - known)
    connection.execute(
        sa.text(
            "INSERT INTO roll_addition (poll, station, n, at, reason, voters) "
            "VALUES (:poll, :station, :n, :at, :reason, :voters)"
        ),
        {"poll": poll.id, "station": station, "n": number, "at": at, "reason": reason, "voters": len(voters)},
    )


def total(connection: Connection, poll: str) -> int:
    """How many are on a poll's roll now: the frozen ones and all additions, without the withdrawn."""
    found = connection.scalar(
        sa.text(
            "SELECT coalesce((SELECT voters FROM roll_freeze WHERE poll = :poll), 0) "
            "+ coalesce((SELECT sum(voters) FROM roll_addition WHERE poll = :poll), 0) "
            "- (SELECT count(*) FROM roll_withdrawal WHERE poll = :poll AND outcome = 'withdrawn')"
        ),
        {"poll": poll},
    )
    return int(found or 0)


@dataclass(frozen=True, slots=True)
class Proof:
    """What shows a voter that he is on the frozen roll, whose root of his station the record has, or came by which addition."""

    station: str
    salt: bytes
    entitlement: bytes
    addition: int
    index: int
    size: int
    path: tuple[bytes, ...]
    root: bytes


def proof(connection: Connection, vault: Vault, poll: str, voter: UUID) -> Proof | None:
    """The proof for one voter; None for who has no right in the poll. For an addition the path is empty: its entry has all."""
    right = vault.entitlement(poll, voter)
    row = connection.execute(
        sa.text("SELECT home, addition FROM entitlement WHERE poll = :poll AND id = :id AND addition >= 0"),
        {"poll": poll, "id": UUID(bytes=right)},
    ).one_or_none()
    if row is None:
        return None
    salt = vault.salt(PURPOSE, right)
    rights = connection.scalars(
        sa.text("SELECT id FROM entitlement WHERE poll = :poll AND home = :home AND addition = :addition"),
        {"poll": poll, "home": row.home, "addition": row.addition},
    )
    ones = sorted(commitment(poll, row.home, vault.salt(PURPOSE, one.bytes), one.bytes) for one in rights)
    index = ones.index(commitment(poll, row.home, salt, right))
    path = () if row.addition else tuple(inclusion_proof([leaf_hash(one) for one in ones], index))
    return Proof(row.home, salt, right, row.addition, index, len(ones), path, station_root(ones))
