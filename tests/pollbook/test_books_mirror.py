"""Put back from copies again and again, with machines that are stopped, lost, heard and found: do model and database agree?

Here the mark alone is driven, by machines without a disk; copies of the database, and what comes back from the logs, are in
`test_centre.test_the_database_follows_the_model`.
"""

from __future__ import annotations

import random
from collections import Counter
from contextlib import suppress
from uuid import UUID

import pytest
from centre_mirror import in_database
from custody_ground import STATIONS, VOTERS
from pollbook_sample import POLL, who
from test_centre import Liar, centre_of

from dauys.pollbook.log.events import LogId, sign_batch
from dauys.pollbook.rules import custody
from dauys.pollbook.rules.custody import Centre, Custody, CustodyError, State
from dauys.store.engine import Connection

pytestmark = pytest.mark.database
__all__ = ["centre_of"]

STEPS = (*["whole"] * 3, *["lift", "let go", "move"] * 2, "put back", "old word", "lose", "stop")


class Country:
    """A few machines, and what somebody does with them."""

    def __init__(self, connection: Connection, dice: random.Random, seen: Counter[str]) -> None:
        self.connection, self.dice, self.seen = connection, dice, seen
        rights = {who(n): Custody(f"station/{n % STATIONS}/1", 0) for n in range(VOTERS)}
        self.model = Centre(POLL, rights)
        self.machines = [Liar(connection, n) for n in range(STATIONS)]
        self.mirror = self.machines[0].mirror
        for one in self.machines:
            self.model = self.mirror.enrol(self.model, one.log, one.key.public_key().public_bytes_raw())
        self.asked = 0
        self.words: dict[LogId, str] = {}
        """By the name of which mark each machine said last that this is all."""

    def step(self, name: str) -> None:
        one, books = self.dice.choice(self.machines), self.model.books
        known = self.model.logs[one.log]
        match name:
            case "put back":
                self.seen["stopped in the copy"] += any(log.stopped for log in self.model.logs.values())
                self.seen["found before the next mark"] += bool(books.missed & books.whole)
                self.model = self.mirror.put_back(self.model, "")
            case "whole" if books.mark and not known.stopped:
                self.model = self.mirror.whole(self.model, one.log, books.mark, self.model.head(one.log))
                self.words[one.log] = books.mark
            case "old word" if self.words.get(one.log, books.mark) != books.mark:
                self.model = self.mirror.whole(self.model, one.log, self.words[one.log], self.model.head(one.log))
            case "lose" if not known.lost and self.dice.random() < 0.4:
                self.seen["lost while sound"] += books.marked and one.log in books.whole and not known.stopped
                self.seen["lost while stopped"] += books.marked and bool(known.stopped)
                self.model = self.mirror.declare_lost(self.model, one.log)
                self.seen["missed"] += one.log in self.model.books.missed
            case "stop" if self.dice.random() < 0.2:
                other = sign_batch(one.log, 1, (), "0" * 64, one.key)
                self.model = self.mirror.take(self.model, other).centre
            case "lift" if books.marked:
                with suppress(CustodyError):
                    self.model = self.mirror.lift(self.model)
                    self.seen["lifted"] += 1
            case "let go" if held := self.rights(one.log, State.UNUSED):
                if not known.stopped:
                    right = self.dice.choice(held)
                    epoch = self.model.custody[right].epoch
                    body = {"entitlement": str(right), "epoch": epoch, "request": "r", "to": "station/9/1"}
                    self.model = one.says(self.model, ("release", body))
            case "move" if free := self.rights(None, State.RELEASED):
                self.asked += 1
                right, request = self.dice.choice(free), f"r-{self.asked}"
                self.seen["in doubt"] += custody.in_doubt(self.model, right, self.model.custody[right].epoch)
                with suppress(CustodyError):
                    self.model = self.mirror.ask(self.model, request, right, one.log)
                    self.model, _ = self.mirror.grant(self.model, request, one.log)
                    self.seen["given after a mark"] += bool(books.mark)

    def rights(self, log: LogId | None, state: State) -> list[UUID]:
        return [
            right
            for right, has in sorted(self.model.custody.items(), key=str)
            if has.state is state and (log is None or has.holder == log.holder)
        ]


def test_marks_stops_losses_and_words(centre_of: Connection) -> None:
    """Whom each mark waits for, which rights are in doubt, and what is given: the same at every step."""
    seen: Counter[str] = Counter()
    for seed in range(7):
        copy, dice = centre_of.begin_nested(), random.Random(seed)
        country = Country(centre_of, dice, seen)
        for name in dice.choices(STEPS, k=60):
            country.step(name)
            assert in_database(centre_of) == dict(country.model.custody), (seed, name)
            country.mirror.stand(country.model)
        copy.rollback()
    assert min(seen[one] for one in SITUATIONS) > 0, seen


SITUATIONS = (
    "stopped in the copy", "found before the next mark", "lost while sound", "lost while stopped", "missed", "lifted", "in doubt",
    "given after a mark",
)  # fmt: skip
