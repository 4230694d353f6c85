"""How much may one accredited organisation send, so that one key cannot flood the record that everybody copies?

The figures stand here and nowhere else: `QUOTA` is what the routes of the centre are made with.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from dauys.errors import BadInput
from dauys.store.engine import Connection

CHECK = "O.080"


@dataclass(frozen=True, slots=True)
class Quota:
    """The limits of one organisation in one poll. A day is one of the poll's time zone, by the centre's clock.

    A mission of a thousand stations, which is large, says something of each station twice in a night (not published, then
    published) with three photos of some 400 KiB, an entry being one or two KiB: 2,000 entries, 4 MiB, 3,000 photos, 1.2 GiB.
    The limits leave room for twice that in a night, and for a country of ten thousand stations over some days, not for an
    endless loop: what enters the record is copied by every witness and mirror for ever.
    """

    entries_a_day: int = 4_000
    bytes_a_day: int = 16 << 20
    entries: int = 40_000
    photos: int = 20_000
    photo_bytes: int = 8 << 30

    def admit_entry(self, connection: Connection, poll: str, organisation: str, size: int, day: date) -> None:
        """Whether one more entry of so many bytes is within the limits. Under the log's lock. Raises BadInput O.080."""
        there = connection.execute(
            sa.text(
                "SELECT coalesce(sum(entries), 0) AS entries, coalesce(sum(entries) FILTER (WHERE day = :day), 0) AS today, "
                "coalesce(sum(bytes) FILTER (WHERE day = :day), 0) AS bytes "
                "FROM observer_sent WHERE poll = :poll AND organisation = :organisation"
            ),
            {"poll": poll, "organisation": organisation, "day": day},
        ).one()
        if there.entries >= self.entries:
            raise _full(f"{self.entries:,} entries", "in this poll", "ask the commission")
        if there.today >= self.entries_a_day:
            raise _full(f"{self.entries_a_day:,} entries", f"on {day}", "send the rest tomorrow")
        if there.bytes + size > self.bytes_a_day:
            raise _full(f"{self.bytes_a_day >> 20} MiB of entries", f"on {day}", "send the rest tomorrow")

    def count_entry(self, connection: Connection, poll: str, organisation: str, size: int, day: date) -> None:
        """Notes an entry that was taken, in the transaction that takes it."""
        connection.execute(
            sa.text(
                "INSERT INTO observer_sent VALUES (:poll, :organisation, :day, 1, :size) ON CONFLICT (poll, organisation, day) "
                "DO UPDATE SET entries = observer_sent.entries + 1, bytes = observer_sent.bytes + excluded.bytes"
            ),
            {"poll": poll, "organisation": organisation, "day": day, "size": size},
        )

    def admit_photo(self, connection: Connection, poll: str, organisation: str, size: int) -> None:
        """Whether one more photo of so many bytes is within the limits. Raises BadInput O.080."""
        there = connection.execute(
            sa.text(
                "SELECT count(*) AS photos, coalesce(sum(size), 0) AS bytes FROM observer_photo "
                "WHERE poll = :poll AND organisation = :organisation"
            ),
            {"poll": poll, "organisation": organisation},
        ).one()
        if there.photos >= self.photos:
            raise _full(f"{self.photos:,} photos", "in this poll", "ask the commission")
        if there.bytes + size > self.photo_bytes:
            raise _full(f"{self.photo_bytes >> 20:,} MiB of photos", "in this poll", "ask the commission")


QUOTA = Quota()


def _full(limit: str, when: str, then: str) -> BadInput:
    message = f"an organisation sends at most {limit} {when}, and this one has: {then}"
    return BadInput(message, expected=f"at most {limit}", check=CHECK)
