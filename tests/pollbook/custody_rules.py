"""Every kind of trouble that the world of `custody_world` can be in, as rules for Hypothesis."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import ClassVar

import hypothesis.strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

sys.path.insert(0, str(Path(__file__).parent))
from custody_faults import planted
from custody_ground import ADDED, STATIONS, VOTERS
from custody_world import World

from dauys.pollbook.rules.custody import Standing

at = st.integers(0, 5)
number = st.integers(0, VOTERS)
anywhere = st.integers(0, 200)


class Custody(RuleBasedStateMachine):
    """Every step of the world is a rule; the world's own assertions are the invariant."""

    steps: ClassVar[int] = 0
    done: ClassVar[Counter[str]] = Counter()
    fault: ClassVar[str] = ""

    def __init__(self) -> None:
        super().__init__()
        self.world: World
        self.planted: AbstractContextManager[None] = nullcontext()

    @initialize(paper=st.integers(0, 99).map(lambda n: n % 3 > 0), late=st.sampled_from([0, 0, 1, 2]))
    def begin(self, paper: bool, late: int) -> None:
        fault = type(self).fault
        self.world = World(fault, paper, late)
        self.planted = planted(fault, self.world)
        self.planted.__enter__()

    def teardown(self) -> None:
        """Whatever happened, in the end all that is left is read out, and the books agree."""
        try:
            self.world.everything_ends()
        finally:
            self.planted.__exit__(None, None, None)
            Custody.done += self.world.done

    @invariant()
    def nobody_twice_and_nothing_lost(self) -> None:
        Custody.steps += 1
        self.world.check()

    @rule(at=at, number=number, many=st.integers(1, 3))
    def check_in(self, at: int, number: int, many: int) -> None:
        """One voter after the other, each twice."""
        at = self.world.machine_with(Standing.HERE, at)
        for more in range(many):
            self.world.check_in(at, one := self.world.one_of(at, Standing.HERE, number + more))
            self.world.check_in(at, one)

    @rule(at=at, number=number, crash=st.sampled_from(["before", "after"]))
    def check_in_and_crash(self, at: int, number: int, crash: str) -> None:
        at = self.world.machine_with(Standing.HERE, at)
        self.world.check_in(at, self.world.one_of(at, Standing.HERE, number), crash)

    @rule(at=at, number=number, standing=st.sampled_from(Standing))
    def check_in_who_should_not(self, at: int, number: int, standing: Standing) -> None:
        self.world.check_in(at, self.world.one_of(at, standing, number))

    @rule(at=at, number=number)
    def undo(self, at: int, number: int) -> None:
        at = self.world.machine_with(Standing.USED, at)
        self.world.undo(at, self.world.one_of(at, Standing.USED, number))

    @rule(at=at, number=number, votes=st.booleans())
    def certificate(self, at: int, number: int, votes: bool) -> None:
        """And the voter asks for a ballot where he was given it, all the same."""
        at = self.world.machine_with(Standing.HERE, at, channel=False)
        number = self.world.one_of(at, Standing.HERE, number)
        self.world.certificate(at, number)
        if votes:
            self.world.check_in(at, number)

    @rule(at=at, number=number, elsewhere=at, how=st.sampled_from(["heard", "shown", "cut"]))
    def certificate_back(self, at: int, number: int, elsewhere: int, how: str) -> None:
        """One is noted for the wrong person and taken back; it was shown somewhere before, or the wire is cut. Its voter asks for
        a ballot at once, and again, here and there."""
        number = self.world.one_of(at, Standing.HERE, number)
        self.world.certificate(at, number)
        if how == "shown":
            self.sync(at)
            self.world.ask(number, elsewhere)
            self.sync(elsewhere)
        self.world.certificate_back(at, number)
        for _ in range(2):
            self.world.check_in(at, number)
            if how != "cut":
                self.sync(at)
        self.world.check_in(elsewhere, number)

    @rule(at=at, number=number, cut=st.booleans(), slip=st.integers(0, 3))
    def envelope(self, at: int, number: int, cut: bool, slip: int) -> None:
        """Now and then it was a slip."""
        self.world.envelope(at, number, cut)
        if slip == 0:
            self.world.envelope_undo(at)

    @rule(at=at, number=number, elsewhere=at, home=st.booleans())
    def box(self, at: int, number: int, elsewhere: int, home: bool) -> None:
        """The mobile box is on its way to a voter; meanwhile he, or somebody for him, stands at the table, and elsewhere."""
        at = self.world.machine_with(Standing.HERE, at, channel=False)
        number = self.world.one_of(at, Standing.HERE, number)
        self.world.box_out(at, number)
        self.world.ask(number, elsewhere)
        self.sync(at)
        self.world.check_in(at, number)
        if home:
            self.world.box_back(at)

    @rule(at=at)
    def name_envelopes(self, at: int) -> None:
        self.world.name_envelopes(at)

    @rule(at=at, number=number, sure=st.integers(0, 2))
    def close(self, at: int, number: int, sure: int) -> None:
        """And somebody comes too late."""
        at = self.world.machine_with(Standing.HERE, at)
        if sure == 1:
            self.world.close(at)
            self.world.check_in(at, self.world.one_of(at, Standing.HERE, number))

    @rule(at=at)
    def crash(self, at: int) -> None:
        self.world.crash(at)

    @rule(at=at)
    def start(self, at: int) -> None:
        self.world.start(at)

    @precondition(lambda self: any(not machine.up for machine in self.world.machines))
    @rule()
    def start_all(self) -> None:
        for place in range(len(self.world.machines)):
            self.world.start(place)

    @rule(at=at, days=st.sampled_from([0, 0, 0, 0, -400, -1, 1, 30]))
    def set_clock(self, at: int, days: int) -> None:
        self.world.set_clock(at, days)

    @rule(hours=st.integers(1, 3))
    def time_passes(self, hours: int) -> None:
        self.world.time_passes(hours)

    @rule(at=at, first=st.integers(1, 6))
    def send(self, at: int, first: int) -> None:
        self.world.send(at, first)

    @rule(message=anywhere, committed=st.sampled_from([True, True, False]), let_go=st.booleans(), torn=st.booleans())
    def deliver(self, message: int, committed: bool, let_go: bool, torn: bool) -> None:
        self.world.deliver(message, committed, let_go, torn)

    @rule(at=at)
    def sync(self, at: int) -> None:
        """The wire works: a batch goes, an answer comes."""
        self.world.send(at, 1)
        self.world.deliver(0)
        self.world.deliver(0)

    @rule(number=number)
    def withdraw(self, number: int) -> None:
        self.world.withdraw(number)

    @rule(number=number)
    def call_off(self, number: int) -> None:
        self.world.call_off(number)

    @rule(number=number, at=at)
    def give_back(self, number: int, at: int) -> None:
        self.world.give_back(number, at)

    @rule(number=number)
    def give_back_to_nobody(self, number: int) -> None:
        self.world.let_go(number)

    @rule(number=number, at=at)
    def withdraw_and_give_back(self, number: int, at: int) -> None:
        """A mistake of the duplicates desk, while everything works: asked back, let go, seen to be wrong, given back."""
        self.world.withdraw(number)
        holder = self.world.holder_of(number)
        self.sync(holder)
        self.sync(holder)
        self.world.give_back(number, at)
        self.sync(at)

    @rule(at=at, number=number, typed=st.booleans())
    def burn(self, at: int, number: int, typed: bool) -> None:
        """A machine is gone before it could say whom it checked in; its paper is typed in, then or later. At the next one somebody
        stands who was added to the roll."""
        self.world.check_in(at, self.world.one_of(at, Standing.HERE, number))
        self.world.lose(at, True)
        if typed:
            self.world.type_in(at)
        station = self.world.machine(at).log.station
        if station in self.world.added:
            self.world.add(VOTERS + self.world.added.index(station), self.world.newest(station))
            self.sync(self.world.newest(station))

    @rule(at=at)
    def type_in(self, at: int) -> None:
        self.world.type_in(at)

    @rule(at=at, number=number, lost=st.integers(0, 3), votes=st.booleans())
    def mistype(self, at: int, number: int, lost: int, votes: bool) -> None:
        """A line of a lost machine's paper is misread, by both, and taken back. Now and then the machine was only thought lost."""
        if lost == 0:
            self.world.lose(at, False)
        self.world.mistype(at, number, votes)

    @rule(message=anywhere, at=at, how=st.integers(0, 2))
    def forge(self, message: int, at: int, how: int) -> None:
        self.world.forge(message, at, how)

    @rule(grant=anywhere, at=at)
    def replay_grant(self, grant: int, at: int) -> None:
        self.world.replay_grant(grant, at)

    @rule(number=number, at=at)
    def ask(self, number: int, at: int) -> None:
        self.world.ask(number, at)

    @rule(number=number, at=at)
    def move(self, number: int, at: int) -> None:
        """A voter moves while everything works: asked for, let go, granted, received. Then old grants come again, to others too."""
        self.world.ask(number, at)
        for place in (self.world.holder_of(number), at):
            self.sync(place)
            self.sync(place)
        self.world.replay_grant(number, 0)
        self.world.replay_grant(number, 3 + at)

    @rule(number=number, at=at, home=at, late=st.sampled_from([False, False, True]), kept=st.booleans())
    def go_there(self, number: int, at: int, home: int, late: bool, kept: bool) -> None:
        """A voter waits at a station whose page tells him to go to his own one; that is heard for a moment while he walks, or
        before (`late`). `kept`: somebody on the wire keeps the answer by which that one is asked for his right, and plays it when
        it has sent again."""
        home = self.world.machine_with(Standing.HERE, home)
        number, at = self.world.one_of(home, Standing.HERE, number), home + 1 + at
        self.world.ask(number, at)
        if late:
            self.sync(home)
            self.sync(home)
            self.sync(at)
        if kept:
            self.world.send(home, 1)
            self.world.deliver(0)
            self.world.send(home, 1)
        self.world.go_home(number, at)
        if kept:
            self.world.deliver(1)
        self.sync(home)
        self.sync(at)

    @rule(number=number, at=at, home=at)
    def vote_while_asked(self, number: int, at: int, home: int) -> None:
        """A voter asks to move, and votes where his right is before that station hears of it."""
        number = self.world.one_of(home, Standing.HERE, number)
        self.world.ask(number, at)
        self.world.send(home, 1)
        self.world.deliver(0)
        self.world.check_in(home, number)
        self.world.deliver(0)

    @precondition(lambda self: self.world.centre.unmade)
    @rule(station=st.integers(0, STATIONS - 1))
    def make_list(self, station: int) -> None:
        self.world.begin(str(station))

    @rule(number=number, vote=st.booleans())
    def go_electronic(self, number: int, vote: bool) -> None:
        """A voter sits at home while everything works; he votes, or stops before that."""
        self.move(number, self.world.channel)
        if vote:
            self.world.check_in(self.world.channel, number)

    @rule(number=number, at=at, how=st.sampled_from(["cut", "cut", "torn", "heard"]))
    def come_on_paper(self, number: int, at: int, how: str) -> None:
        """Who voted electronically stands at a station, mostly his own, which asks for him. The channel's wire may be cut, or its
        power may go between the two things that it does then."""
        channel = self.world.channel
        if Standing.USED not in {place.standing for place in self.world.machine(channel).book.places.values()}:
            self.go_electronic(number, True)
        number = self.world.one_of(channel, Standing.USED, number)
        at = at if at == 5 else self.world.newest(str(number % STATIONS))
        self.sync(channel)
        self.world.ask(number, at)
        if how != "cut":
            self.world.send(channel, 1)
            self.world.deliver(0)
            self.world.deliver(0, torn=how == "torn")
        if how == "heard":
            for place in (channel, at):
                self.sync(place)
        self.world.check_in(at, number)

    @rule(station=at)
    def enter(self, station: int) -> None:
        self.world.enter(station)

    @rule(number=number, at=at)
    def add(self, number: int, at: int) -> None:
        """A voter who was added, mostly; one of the frozen list now and then; at any station."""
        self.world.add(number if number == 0 else VOTERS + number % len(self.world.added), at)

    @rule(number=st.integers(0, ADDED - 1), enter=st.booleans())
    def add_at_home(self, number: int, enter: bool) -> None:
        """The newest machine of his station asks for him, and hears the answer."""
        if enter:
            self.world.enter(number)
        at = self.world.newest(self.world.added[number % len(self.world.added)])
        self.world.add(VOTERS + number % len(self.world.added), at)
        self.sync(at)

    @rule(at=at, destroyed=st.booleans(), sure=st.integers(0, 3))
    def lose(self, at: int, destroyed: bool, sure: int) -> None:
        if sure == 0:
            self.world.lose(at, destroyed)
