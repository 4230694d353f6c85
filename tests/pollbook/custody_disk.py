"""What of a station's machine outlives a crash? Its disk, and what the centre last told it: the rest is folded anew."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pollbook_sample import MORNING, all_on, package

from dauys.pollbook.log.events import Event, LogId, is_channel
from dauys.pollbook.machine.book import Book
from dauys.pollbook.wire.package import Voter

LEASE = MORNING + timedelta(hours=3)


class Machine:
    """One machine of one station, or of the electronic channel: what is on its disk stays, what is only in `book` goes with the
    power. `paper`: a paper ballot replaces an electronic one."""

    def __init__(self, log: LogId, lines: list[Voter], signing: Ed25519PrivateKey, paper: bool = True) -> None:
        self.channel = is_channel(log.holder)
        self.package = package(
            log.station,
            lines,
            generation=log.generation,
            channels=all_on() if paper else all_on(paper_beats_electronic="not in the law"),
            lease=LEASE,
        )
        self.signing = signing
        self.disk: list[bytes] = []
        self.read: list[Event] = []
        self.stopped = ""
        self.lost = self.gone = False
        """What the centre last said, and whether it ever said so: that is taken back nowhere here."""
        self.asked = b""
        """The batch that waits for its answer."""
        self.lease = self.package.lease
        self.book = Book.of(self.package)
        self.up = True
        self.destroyed = False
        self.clock = timedelta()

    @property
    def log(self) -> LogId:
        return self.package.log

    @property
    def public(self) -> bytes:
        return self.signing.public_key().public_bytes_raw()

    def events(self) -> list[Event]:
        """What is on the disk; each event is parsed once."""
        self.read += [Event.from_bytes(data) for data in self.disk[len(self.read) :]]
        return self.read

    def fold(self) -> None:
        """What a start reads: the disk, nothing else."""
        self.book, self.asked = Book.of(self.package, self.events()), b""
        self.book.stopped, self.book.lease, self.book.lost = self.stopped, self.lease, self.lost

    def standing(self) -> Counter[UUID]:
        """The check-ins that stand, counted from the disk without any of the rules."""
        found: dict[int, UUID] = {}
        for event in self.events():
            if event.kind == "check-in":
                found[event.n] = UUID(event.body["entitlement"])
            elif event.kind == "undo":
                del found[event.body["of"]]
        return Counter(found.values())
