"""The search for a double use: Hypothesis drives the world of `custody_world` through every kind of trouble.

python tests/pollbook/custody_machine.py 2000 80      # examples, steps of each; prints the number of steps
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path
from typing import ClassVar

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

sys.path.insert(0, str(Path(__file__).parent))
from custody_faults import planted
from custody_world import ADDED, VOTERS, World

from dauys.pollbook.custody import Standing

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
        fault = type(self).fault
        self.world = World(fault)
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

    @rule(at=at, number=number, crash=st.sampled_from(["", "", "", "", "before", "after"]))
    def check_in(self, at: int, number: int, crash: str) -> None:
        self.world.check_in(at, self.world.one_of(at, Standing.HERE, number), crash)

    @rule(at=at, number=number, standing=st.sampled_from(Standing))
    def check_in_who_should_not(self, at: int, number: int, standing: Standing) -> None:
        self.world.check_in(at, self.world.one_of(at, standing, number))

    @rule(at=at, number=number)
    def undo(self, at: int, number: int) -> None:
        at = self.world.machine_with(Standing.USED, at)
        self.world.undo(at, self.world.one_of(at, Standing.USED, number))

    @rule(at=at, number=number)
    def certificate(self, at: int, number: int) -> None:
        self.world.certificate(at, self.world.one_of(at, Standing.HERE, number))

    @rule(at=at, number=number)
    def envelope(self, at: int, number: int) -> None:
        self.world.envelope(at, number)

    @rule(at=at, sure=st.integers(0, 4))
    def close(self, at: int, sure: int) -> None:
        if sure == 0:
            self.world.close(at)

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

    @rule(message=anywhere, committed=st.sampled_from([True, True, False]), let_go=st.booleans())
    def deliver(self, message: int, committed: bool, let_go: bool) -> None:
        self.world.deliver(message, committed, let_go)

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

    @rule(number=number, at=at)
    def withdraw_and_give_back(self, number: int, at: int) -> None:
        """A mistake of the duplicates desk, while everything works: asked back, let go, seen to be wrong, given back."""
        self.world.withdraw(number)
        for place in (*range(len(self.world.machines)), *range(len(self.world.machines))):
            self.sync(place)
        self.world.give_back(number, at)
        self.sync(at)

    @rule(at=at, number=number, typed=st.booleans())
    def burn(self, at: int, number: int, typed: bool) -> None:
        """A machine is gone before it could say whom it checked in; its paper is typed in, then or later."""
        self.world.check_in(at, self.world.one_of(at, Standing.HERE, number))
        self.world.lose(at, True)
        if typed:
            self.world.type_in(at)

    @rule(at=at)
    def type_in(self, at: int) -> None:
        self.world.type_in(at)

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
        """A voter moves while everything works: asked for, let go, granted, received."""
        self.world.ask(number, at)
        for place in (*range(len(self.world.machines)), at):
            self.sync(place)
            self.sync(place)

    @rule(number=number, at=at, home=at)
    def vote_while_asked(self, number: int, at: int, home: int) -> None:
        """A voter asks to move, and votes where his right is before that station hears of it."""
        number = self.world.one_of(home, Standing.HERE, number)
        self.world.ask(number, at)
        self.world.send(home, 1)
        self.world.deliver(0)
        self.world.check_in(home, number)
        self.world.deliver(0)

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


def search(examples: int, steps: int, fault: str = "", *, seeded: bool = True) -> int:
    """Runs the machine; raises what it finds. Returns the number of steps taken."""
    machine = type("Custody", (Custody,), {"fault": fault})
    before = Custody.steps
    how = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        derandomize=seeded,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    run_state_machine_as_test(machine, settings=how)
    return Custody.steps - before


if __name__ == "__main__":
    wanted, each = (int(text) for text in (*sys.argv[1:], *("1000", "60")[len(sys.argv) - 1 :]))
    begun = time.perf_counter()
    taken = search(wanted, each, seeded=False)
    print(f"{taken:,} steps in {time.perf_counter() - begun:.0f} s: no double use, no lost acknowledged check-in")
    for name, times in sorted(Custody.done.items()):
        print(f"{times:>9,}  {name}")
