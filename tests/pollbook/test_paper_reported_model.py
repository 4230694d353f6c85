"""Lines of a lost machine's paper that were only counted, and what its log takes back: do model and centre say the same, always?"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import pytest
from centre_mirror import in_database, right
from pollbook_sample import MORNING, POLL, key, who

from dauys.pollbook.centre import take as centre
from dauys.pollbook.log.events import Batch, Event, Head, LogId, sign_batch
from dauys.pollbook.rules import custody
from dauys.pollbook.rules.custody import Centre, Custody
from dauys.record import log as record
from dauys.store.engine import Connection

pytestmark = pytest.mark.database

MACHINE, OTHER = LogId(POLL, "1", 1), LogId(POLL, "2", 1)
KEYS = {MACHINE: key(1), OTHER: key(2), MACHINE.paper: key(3)}
PEOPLE = (who(1), who(2))


class Pair:
    """A lost machine, another one, and the paper of the first, at the model and at the centre in PostgreSQL."""

    def __init__(self, connection: Connection, dice: random.Random) -> None:
        self.connection, self.dice = connection, dice
        self.model = Centre(POLL, {one: Custody(MACHINE.holder, 0) for one in PEOPLE})
        for log in (MACHINE, OTHER):
            self.model = custody.enrol(self.model, log, KEYS[log].public_key().public_bytes_raw())
            centre.enrol(connection, log, KEYS[log].public_key().public_bytes_raw(), MORNING)
        self.model = custody.declare_lost(self.model, MACHINE)
        centre.declare_lost(connection, MACHINE)
        self.model = custody.enrol(self.model, MACHINE.paper, KEYS[MACHINE.paper].public_key().public_bytes_raw())
        centre.enrol(connection, MACHINE.paper, KEYS[MACHINE.paper].public_key().public_bytes_raw(), MORNING)
        self.done: Counter[str] = Counter()

    def note(self, log: LogId, *notes: tuple[str, dict[str, object]]) -> list[str]:
        """A batch of that log; what alarms it raises, by both."""
        head = first = self.model.head(log)
        events: list[Event] = []
        for kind, body in notes:
            events.append(Event(head.n + 1, MORNING.isoformat(), kind, body, head.hash))
            head = events[-1].head
        batch = sign_batch(log, first.n + 1, events, head.hash, KEYS[log])
        wanted = custody.take(self.model, batch)
        got = centre.take(self.connection, Batch.from_bytes(batch.to_bytes()), MORNING)
        assert (got.acknowledged, got.stopped) == (wanted.acknowledged, wanted.stopped)
        assert sorted(map(str, got.alarms)) == sorted(map(str, wanted.alarms))
        self.model = wanted.centre
        self.same()
        return [alarm.check for alarm in wanted.alarms]

    def same(self) -> None:
        """Custody, uses, and how far each log goes."""
        assert in_database(self.connection) == self.model.custody
        cur = centre.cursor(self.connection)
        for log in KEYS:
            row = cur.execute(
                "SELECT n, head, check_ins FROM pollbook_log WHERE poll = %s AND holder = %s", (POLL, log.holder)
            ).fetchone()
            assert row is not None
            assert (Head(row.n, row.head), row.check_ins) == (self.model.head(log), len(self.model.logs[log].check_ins))
        for one in PEOPLE:
            assert centre._uses(cur, POLL, one) == len(self.model.uses.get(one, ()))

    # What may happen

    def use(self, log: LogId) -> None:
        self.note(log, ("check-in", self.body("officer")))

    def undo(self, log: LogId) -> None:
        if stands := list(self.model.logs[log].check_ins):
            self.note(log, ("undo", {"of": self.dice.choice(stands), "reason": "wrong", "officer": "m1"}))

    def let_go(self, log: LogId) -> None:
        one = self.dice.choice(PEOPLE)
        body = {"entitlement": str(one), "epoch": self.model.custody[one].epoch, "request": "r", "to": OTHER.holder}
        self.note(log, ("release", body))

    def type_in(self, log: LogId) -> None:
        """As `by_hand.type_in` does."""
        body = self.body("typed")
        one = next(one for one in PEOPLE if str(one) == body["entitlement"])
        uses = [use[0] for use in self.model.uses.get(one, ())]
        if MACHINE.paper not in uses and one not in self.model.logs[MACHINE.paper].reported:
            self.note(MACHINE.paper, ("reported" if MACHINE in uses else "check-in", body))

    def take_back(self, log: LogId) -> None:
        """As `by_hand.take_back` does with a line."""
        one, paper = self.dice.choice(PEOPLE), self.model.logs[MACHINE.paper]
        why = {"reason": "misread", "officer": "anna + boris"}
        if one in paper.reported:
            self.note(MACHINE.paper, ("reported-undo", {"entitlement": str(one), **why}))
        for n in [n for n, whose in paper.check_ins.items() if whose == one][:1]:
            self.note(MACHINE.paper, ("undo", {"of": n, **why}))

    def body(self, what: str) -> dict[str, object]:
        body: dict[str, object] = {"channel": "polling-day", "officer": "m1", "salt": self.dice.randbytes(10).hex()}
        body |= {"typed": ["anna", "boris"]} if what == "typed" else {}
        return {"entitlement": str(self.dice.choice(PEOPLE)), **body}


def test_model_and_centre_take_the_lines_of_a_lost_machine_alike(connection: Connection) -> None:
    """Whatever is checked in, taken back, let go, typed and taken back again, in any order: and a line that was counted is a use of its
    right as soon as its machine has none."""
    record.open_log(connection, POLL, "dauys/test")
    turned = 0
    for seed in range(20):
        dice = random.Random(seed)
        with connection.begin_nested() as world:
            for one in PEOPLE:
                right(connection, one, "1")
            pair = Pair(connection, dice)
            acts: list[Callable[[LogId], None]] = [
                pair.use, pair.use, pair.undo, pair.undo, pair.type_in, pair.type_in, pair.take_back, pair.let_go,
            ]  # fmt: skip
            for _ in range(25):
                log = MACHINE if dice.random() < 0.8 else OTHER
                dice.choice(acts)(log)
                for one in pair.model.logs[MACHINE.paper].reported:
                    uses = [use[0] for use in pair.model.uses.get(one, ())]
                    assert MACHINE in uses and MACHINE.paper not in uses, "a line is forgotten, or counted twice"
            turned += sum("took back" in alarm.text for alarm in pair.model.alarms)
            world.rollback()
    assert turned > 3


def test_an_undo_makes_a_counted_line_a_use_which_nobody_else_is_given(connection: Connection) -> None:
    record.open_log(connection, POLL, "dauys/test")
    for one in PEOPLE:
        right(connection, one, "1")
    pair = Pair(connection, random.Random(1))
    use = {"entitlement": str(who(1)), "channel": "polling-day", "officer": "m1", "salt": "0" * 20}
    assert pair.note(MACHINE, ("check-in", use)) == []
    assert pair.note(MACHINE.paper, ("reported", {**use, "typed": ["anna", "boris"]})) == []
    assert pair.model.uses[who(1)] == ((MACHINE, 1),)
    undo = {"of": 1, "reason": "wrong", "officer": "m1"}
    assert pair.note(MACHINE, ("undo", undo), ("close", {"officer": "c1"})) == ["P.108"]
    assert pair.model.custody[who(1)] == Custody(MACHINE.paper.holder, 0, custody.State.USED, 2)
    assert not custody.may_grant(pair.model, who(1)) and custody.may_grant(pair.model, who(2))
    assert pair.note(MACHINE.paper, ("undo", {**undo, "of": 2})) == []
    assert custody.may_grant(pair.model, who(1))
