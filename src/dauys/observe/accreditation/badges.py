"""Which badges were given out, and which are suspended? The commission keeps their numbers and commitments, and nobody's name."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.errors import BadInput
from dauys.observe.accreditation.badge import NAME, Badge, commitment, write
from dauys.observe.accreditation.known import Stored, enter, next_number
from dauys.registers.poll import Poll
from dauys.store.engine import Connection

AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Issued:
    """A badge that was given out: its number within the organisation and its commitment; nobody's name."""

    organisation: str
    n: int
    commitment: str
    station: str
    at: datetime
    by: str

    @property
    def number(self) -> str:
        return f"{self.organisation}/{self.n}"


def issue(
    connection: Connection, poll: Poll, code: str, people: Sequence[tuple[str, str]], by: str, key: Ed25519PrivateKey,
    at: datetime,
) -> list[str]:  # fmt: skip
    """Makes a badge for each (name, station or empty) and returns their texts, which are not kept.

    Raises BadInput: O.006 the organisation is not accredited or is suspended, O.013 names, an unknown station, too many at once.
    """
    known = Stored(connection, poll, lock=True)
    standing = known.standing(code)
    if standing is None or standing.suspended:
        raise BadInput(
            "the organisation is not accredited, or is suspended", field="organisation", found=code, check="O.006"
        )
    if not 0 < len(people) <= AT_ONCE:
        raise BadInput("no names, or too many at once", found=len(people), expected=f"1 to {AT_ONCE}", check="O.013")
    last = connection.scalar(
        sa.text("SELECT max(n) FROM observer_badge WHERE poll = :poll AND organisation = :code"),
        {"poll": poll.id, "code": code},
    )
    texts = []
    for n, (name, station) in enumerate(people, int(last or 0) + 1):
        if station and known.area_of(station) is None:
            raise BadInput("no such station", field="station", found=station, check="O.013")
        names = standing.body["names"]
        of = (names.get("kk") or next(iter(names.values())))[:NAME]
        salt = secrets.token_urlsafe(16)
        badge = Badge(f"{code}/{n}", name.strip(), of, code, poll.id, salt, standing.body["until"], station)
        texts.append(write(badge, key))
        connection.execute(
            sa.text("INSERT INTO observer_badge VALUES (:poll, :code, :n, :commitment, :station, :at, :by)"),
            {
                "poll": poll.id, "code": code, "n": n, "commitment": commitment(badge), "station": station, "at": at,
                "by": by,
            },
        )  # fmt: skip
    return texts


def issued(connection: Connection, poll: str, code: str) -> list[Issued]:
    """The badges of an organisation, in the order of their numbers."""
    rows = connection.execute(
        sa.text(
            "SELECT organisation, n, commitment, station, at, by FROM observer_badge "
            "WHERE poll = :poll AND organisation = :code ORDER BY n"
        ),
        {"poll": poll, "code": code},
    )
    return [Issued(*row) for row in rows]


def suspend_badge(
    connection: Connection, poll: Poll, code: str, n: int, suspended: bool, reason: str, cite: str, key: Ed25519PrivateKey,
    at: datetime,
) -> int:  # fmt: skip
    """Suspends a badge, or lets it hold again; returns the place of the entry, which has its commitment alone."""
    if not reason.strip():
        raise BadInput(
            "a decision has its reasons: everybody reads them", field="reason", expected="a text", check="O.005"
        )
    known = Stored(connection, poll, lock=True)
    mark = connection.scalar(
        sa.text("SELECT commitment FROM observer_badge WHERE poll = :poll AND organisation = :code AND n = :n"),
        {"poll": poll.id, "code": code, "n": n},
    )
    if mark is None:
        raise BadInput("no such badge was given out", field="badge", found=f"{code}/{n}", check="O.013")
    place = f"{mark}/{next_number(connection, poll.id, 'badge-suspended', f'{mark}/')}"
    body = {"organisation": code, "badge": mark, "suspended": suspended, "reason": reason.strip(), "cite": cite.strip()}
    return enter(connection, known, "badge-suspended", place, body, key, at)
