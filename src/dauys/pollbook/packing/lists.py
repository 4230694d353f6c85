"""Which list does a station get, and who stands at the wrong station? Persons out of the roll, for those who need them.

A list holds every right whose home is the station; others come to it by grants, when it is enrolled. Names leave the roll only
sealed for one station (`package.seal`), or as the answer to one question of an enrolled station.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from dauys.pollbook.centre.predicates import RELEASED, UNUSED, USED
from dauys.pollbook.centre.take import cursor
from dauys.pollbook.log.events import LogId
from dauys.pollbook.rules.holders import NOBODY
from dauys.pollbook.wire.package import Voter
from dauys.roll.vault import Vault
from dauys.roll.voter import Person
from dauys.store.engine import Connection

_ROWS = (
    "SELECT e.id, e.home, e.holder, e.epoch, e.state, e.voter, v.sealed, EXISTS (SELECT FROM pollbook_grant g "
    "WHERE g.poll = e.poll AND g.entitlement = e.id AND g.epoch = e.epoch AND NOT g.taken) AS comes FROM entitlement e "
    "JOIN voter v ON v.voter = e.voter AND v.set_id = e.set_id WHERE e.poll = %s AND "
)


@dataclass(frozen=True, slots=True)
class Standing:
    """A voter's right as the centre knows it, and his line. `used`: a check-in that stands is known; `let_go`: nobody has it."""

    home: str
    holder: str
    used: bool
    voter: Voter
    let_go: bool = False


def voters_of(connection: Connection, vault: Vault, log: LogId, came: Sequence[UUID] = ()) -> tuple[Voter, ...]:
    """The lines of a station's list, by name, numbered from 1. Rights held elsewhere stand on it as such (`away`).

    A right that is used, or let go and given to nobody, is away too: this log is not to use it; and one that comes by a grant,
    which this log is to show. `came`: others that the list had.
    """
    rows = [*cursor(connection).execute(_ROWS + "e.home = %s", (log.poll, log.station))]
    seen = {row.id for row in rows}
    others = [who for who in came if who not in seen]
    rows += cursor(connection).execute(_ROWS + "e.id = ANY(%s)", (log.poll, others)) if others else ()
    lines = sorted(
        _lines(rows, vault, log), key=lambda one: (one.surname, one.given, one.patronymic, one.born, one.iin)
    )
    return tuple(replace(line, number=number) for number, line in enumerate(lines, 1))


def find(connection: Connection, vault: Vault, poll: str, iin: str) -> Standing | None:
    """The voter with this IIN; None where he is not on the roll of the poll."""
    who = vault.right(poll, vault.voter(iin))
    row = cursor(connection).execute(_ROWS + "e.id = %s", (poll, who)).fetchone()
    if row is None:
        return None
    return Standing(row.home, row.holder, row.state == USED, _line(row, vault, row.holder), row.state == RELEASED)


def _lines(rows: Any, vault: Vault, log: LogId) -> Iterator[Voter]:
    for row in rows:
        mine = row.holder == log.holder and row.state == UNUSED
        away = "" if mine and not row.comes else NOBODY if mine or row.state == RELEASED else row.holder
        line = _line(row, vault, away)
        yield replace(line, epoch=line.epoch - 1) if mine and row.comes else line


def _line(row: Any, vault: Vault, away: str) -> Voter:
    person = Person.from_bytes(vault.open(row.voter.bytes, bytes(row.sealed)))
    kazakh = " ".join(filter(None, (person.names_kk.get(part, "") for part in ("surname", "given", "patronymic"))))
    return Voter(
        row.id,
        0,
        person.iin,
        person.born.isoformat(),
        person.surname,
        person.given,
        person.patronymic,
        (kazakh,) if kazakh else (),
        ", ".join(person.address.values()),
        row.epoch,
        away,
    )


@dataclass(frozen=True, slots=True)
class Where:
    """Where a station is, by the published list; empty where that does not say."""

    address: str
    settlement: str


def place_of(connection: Connection, poll: str, station: str) -> Where:
    """Address and settlement of a station."""
    row = cursor(connection).execute(
        "SELECT address, settlement FROM station WHERE poll = %s AND id = %s", (poll, station)
    ).fetchone()  # fmt: skip
    return Where("", "") if row is None else Where(row.address, row.settlement)
