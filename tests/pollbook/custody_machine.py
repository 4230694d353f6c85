"""The search for a double use: Hypothesis drives the world of `custody_world` through every kind of trouble.

python tests/pollbook/custody_machine.py 2000 80      # examples, steps of each; prints the number of steps
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import rule, run_state_machine_as_test

sys.path.insert(0, str(Path(__file__).parent))
from custody_ground import STATIONS
from custody_rules import Custody, number


class PutBack(Custody):
    """The same, and the centre goes back to a copy of its database. What this costs the search in steps, those for other faults save."""

    @rule()
    def copy(self) -> None:
        self.world.copy()

    @rule(sure=st.integers(0, 2))
    def go_back(self, sure: int) -> None:
        if sure == 1:
            self.world.go_back()

    @rule()
    def lift(self) -> None:
        self.world.lift()

    @rule(
        number=number, first=st.booleans(), heard=st.sampled_from(["nobody", "home", "others", "all"]),
        lost=st.sampled_from(["none", "there", "both"]), cut=st.booleans(), twice=st.booleans(),
    )  # fmt: skip
    def move_and_go_back(self, number: int, first: bool, heard: str, lost: str, cut: bool, twice: bool) -> None:
        """A voter moves and votes, the centre goes back to before that, and he stands at a third station.

        `lost`: the machine where he voted is given up before it is heard; or his own one, too, and that is found first. `cut`: he
        did not vote there, for the grant did not arrive; it does afterwards. `twice`: the centre was put back before, and every
        log was heard.
        """
        if twice:
            self.world.copy()
            self.world.go_back()
            self._all_heard([*range(len(self.world.machines))] * 2)
        home = self.world.holder_of(number)
        at, other = ((home + step) % STATIONS for step in ((1, 2) if first else (2, 1)))
        self.world.copy()
        if cut:
            self.world.ask(number, at)
            self.sync(home)
            self.sync(home)
            self.world.send(at, 1)
            self.world.deliver(0)  # he waits for that answer
        else:
            self.move(number, at)
            self.world.check_in(at, number)
            self.world.send(at, 1)  # it will come late
        self.world.go_back()
        self.world.words_again()
        for place in {"none": [], "there": [at]}.get(lost, [at, home]):
            self.world.lose(place, False)
        every = [place for place in range(len(self.world.machines)) if heard == "all" or place != at] * 3
        found = [place for place in every if place != home]
        self._all_heard(found if lost == "both" else {"nobody": [], "home": [home, home]}.get(heard, every))
        self.world.ask(number, other)
        for place in (home, home, other, other):
            self.sync(place)
        self.world.check_in(other, number)
        if cut:
            self.world.replay_grant(number, 0)
            self.world.check_in(at, number)

    def _all_heard(self, places: list[int]) -> None:
        """These logs come in, and the mark is lifted if they are all."""
        for place in places:
            self.sync(place)
            self.world.deliver(0)
        self.world.lift()


def search(examples: int, steps: int, fault: str = "", *, seeded: bool = True) -> int:
    """Runs the machine; raises what it finds. Returns the number of steps taken."""
    machine = type("Custody", (Custody if fault else PutBack,), {"fault": fault})
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
