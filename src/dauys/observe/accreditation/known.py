"""What does the record in the database say before the next entry? `follows.Known` over the log, and the commission's own entries.

All of it happens while the log is locked: nobody is suspended between the question and the entry.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.errors import BadInput, DauysError
from dauys.observe.accreditation.entries import ABOUT_OBSERVERS, observer_shape
from dauys.observe.accreditation.follows import Body, Register, Standing, follows
from dauys.record import log
from dauys.record.entry import Entry, sign_entry
from dauys.registers.poll import COMMISSION, Poll, Station
from dauys.store.engine import Connection


class Stored:
    """The record of a poll as it is now; `size` entries. With `lock` nothing is appended by anybody else until the commit."""

    def __init__(self, connection: Connection, poll: Poll, *, lock: bool = False) -> None:
        self.poll = poll
        self._connection = connection
        if lock:
            connection.execute(sa.text("SELECT FROM log WHERE poll = :poll FOR UPDATE"), {"poll": poll.id})
        self.size = log.size(connection, poll.id)
        self.register = Register()
        for kind in ("organisation", "organisation-suspended", "badge-suspended", "observer-sample", "observer-audit"):
            for seq, entry in log.of_kind(connection, poll.id, kind):
                self.register.take(seq, entry.kind, entry.body)

    @property
    def zone(self) -> str:
        return self.poll.timezone

    def standing(self, code: str) -> Standing | None:
        return self.register.organisations.get(code)

    def badge(self, commitment: str) -> bool:
        return self.register.badges.get(commitment, False)

    def area_of(self, station: str) -> str | None:
        area: str | None = self._connection.scalar(
            sa.text("SELECT area FROM station WHERE poll = :poll AND id = :id"), {"poll": self.poll.id, "id": station}
        )
        return area

    def listed(self) -> Iterator[Station]:
        for _, entry in log.of_kind(self._connection, self.poll.id, "stations"):
            yield from map(Station.from_json, entry.body["stations"])

    def said(self, place: int) -> tuple[str, Body] | None:
        entry = self._entry(place)
        if entry is None or entry.kind not in ABOUT_OBSERVERS | {"correction", "annulment"}:
            return None
        return entry.kind, entry.body

    def values(self, place: int, contest: str, station: str) -> Mapping[str, int] | None:
        entry = self._entry(place)
        if entry is None or (entry.body.get("contest"), entry.body.get("station")) != (contest, station):
            return None
        values: dict[str, Any] = {"protocol": entry.body.get("values"), "correction": entry.body.get("after")}
        return values.get(entry.kind)

    def sampled(self, organisation: str) -> int | None:
        return self.register.samples.get(organisation)

    def committed(self, organisation: str, contest: str, name: str) -> str | None:
        return self.register.audits.get((organisation, contest, name))

    def _entry(self, place: int) -> Entry | None:
        return log.entry_at(self._connection, self.poll.id, place) if 0 <= place < self.size else None


def poll_of(connection: Connection, poll_id: str) -> Poll:
    """The poll as its record defines it. Raises DauysError where there is none."""
    if not log.size(connection, poll_id):
        raise DauysError(f"there is no poll {poll_id!r} here")
    return Poll.from_json(log.entry_at(connection, poll_id, 0).body)


def accreditation(connection: Connection, poll_id: str, code: str) -> Body | None:
    """What the record says of one organisation, its key with it; None where it is not accredited. It reads one entry."""
    place = log.find(connection, poll_id, f"organisation/{code}")
    return None if place is None else log.entry_at(connection, poll_id, place).body


def enter(
    connection: Connection, known: Stored, kind: str, place: str, body: Body, key: Ed25519PrivateKey, at: datetime
) -> int:
    """Appends an entry of the commission under the id `kind/place` and says where it stands. `known` holds the lock.

    Raises BadInput O.008 for one that a verifier would find at fault.
    """
    poll = known.poll
    entry = sign_entry(Entry(poll.id, kind, f"{kind}/{place}", at.isoformat(), COMMISSION, body), key)
    try:
        expected = observer_shape(kind, body, poll, entry.id)
    except DauysError as error:
        raise BadInput(str(error), check="O.007") from None
    if entry.id != expected:
        raise BadInput("the id is not that of what the entry says", found=entry.id, expected=expected, check="O.007")
    if faults := follows(known.size, entry, known):
        raise BadInput(str(faults), check="O.008")
    return log.append(connection, poll.id, [entry])[0].seq


def next_number(connection: Connection, poll: str, kind: str, prefix: str = "") -> int:
    """The number of the next entry of a kind whose ids begin with `prefix`, from 1. Under the lock."""
    start = f"{kind}/{prefix}"
    found = [entry for _, entry in log.of_kind(connection, poll, kind) if entry.id.startswith(start)]
    return len(found) + 1
