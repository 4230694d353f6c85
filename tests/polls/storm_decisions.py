"""What does the commission decide about voters in the storm? Added, dead, one person, two after all; and what is true in the end.

A decision is a set of the roll, which two people make; what was withdrawn by mistake a third one gives back.
"""

from __future__ import annotations

from joined_world import KEYS, POLL, VAULT, applied, rows
from storm_commission import Commission
from storm_people import ADDED, HOME, PAIRS, PERSONS, TRUE_PAIRS, VOTERS, joined
from storm_world import Decision, What
from test_decided_since import died
from test_paper_and_withdrawals import ask, duplicate, settled
from test_returns import back, mistaken

from dauys.pollbook.settling import additions
from dauys.pollbook.settling.withdrawals import withdraw_added
from dauys.polls.pollbook_join import seal
from dauys.roll.freeze import add_set

DYING = (1, 3, 5, 50)
"""Whom the commission may take for dead. Nobody is."""

OPPOSITE: dict[What, What] = {"lives": "died", "unpaired": "paired", "unadded": "added"}
"""By a decision, which one it calls off."""


class Decisions(Commission):
    """The country, and what is decided about its voters."""

    otherwise: set[int]
    """Whose entries were to go by a decision that was forgotten, and is not repeated."""
    shaken: set[int]
    """The pairs that held when a copy was put back: what followed of them may be forgotten."""

    def add(self) -> str:
        return self._decide(("added", self._one_of([one for one in ADDED if not self._is_added(one)])))

    def die(self) -> str:
        dying = [one for one in DYING if ("died", one) not in self.decided.sets and self._is_added(one)]
        return self._decide(("died", self._one_of(dying)))

    def live(self) -> str:
        return self._decide(("lives", self._one_of(self._in_force("died"))))

    def unadd(self) -> str:
        return self._decide(("unadded", self._one_of(self._in_force("added"))))

    def pair(self) -> str:
        """Two entries are found to be one person's."""
        return self._decide(("paired", self._one_of([one for one in PAIRS if self._may_be_paired(one)])))

    def ask_later(self) -> str:
        """What was approved before, the rights are asked back for now."""
        one = self._one_of(self.decided.unasked)
        with self.world.connection.begin_nested():
            ask(self.world, self.decided.sets[one])
        self.decided.unasked.remove(one)
        return f"{one}"

    def unpair(self) -> str:
        return self._decide(("unpaired", self._one_of(self._in_force("paired"))))

    def decide_again(self) -> str:
        """The next of what the database has forgotten, unless it was decided anew meanwhile."""
        one = self._one_of(self.forgotten[:1])
        what, serial = one
        if what in OPPOSITE:
            over = (OPPOSITE[what], serial) not in self.decided.sets
        else:
            over = one in self.decided.sets or (what == "paired" and not self._may_be_paired(serial))
            over = over or (what == "died" and not self._is_added(serial))
        if over and what == "paired":
            self.otherwise.add(PAIRS[serial][1])
        told = "" if over else self._decide(one)
        self.forgotten.pop(0)
        return f"{told}{' (over)' if over else ''}"

    def decided_otherwise(self) -> str:
        """Who was let go by a decision that is forgotten, and made otherwise since: a set lets him vote, and gives it back."""
        done = []
        for serial in sorted(self.otherwise):
            if not any(_about(one) == serial and one[0] != "added" for one in self.decided.sets) and self._is_added(
                serial
            ):
                with self.world.connection.begin_nested():
                    number = int(applied(self.world.connection, rows({HOME[serial]: 1}, serial), self.world.now))
                self.decided.called_off.append(number)
                done.append(serial)
        return str(done)

    def give_back_again(self) -> str:
        """A machine that is found lets rights go for decisions that were called off meanwhile: a person gives them back."""
        return str(self.give_back())

    def put_back(self) -> str:
        before = self._in_force("paired")
        said = super().put_back()
        self.shaken |= {*before, *self._in_force("paired")}
        return said

    def give_back(self) -> int:
        """How many rights that were. Who was let go in the place of an entry that was used, and that is forgotten since a copy was
        put back, gets his by the set of the pair, though it is in force (docs/running.md). Others get theirs by themselves."""
        with self.world.connection.begin_nested():
            return sum(self._back(number) for number in self._sets_to_give_back())

    def _back(self, number: int) -> int:
        found = back(self.world, number)
        self.seen["given back to nobody"] += found.free
        return found.returned

    def _sets_to_give_back(self) -> list[int]:
        shaken = [number for one, number in self.decided.sets.items() if one[0] == "paired" and one[1] in self.shaken]
        return self.decided.called_off + shaken

    def settle(self) -> str:
        """What was let go for the commission is withdrawn, as each minute."""
        with self.world.connection.begin_nested():
            seal(self.world.connection, POLL, KEYS.commission, self.world.now)
        with self.world.connection.begin_nested():
            return str(settled(self.world).withdrawn)

    # At the end

    def the_truth_comes_out(self) -> None:
        """Nobody died, who was added lives here, and who is one person is known as such. Nothing of it is refused."""
        wrong: list[Decision] = [("lives", one) for one in DYING]
        wrong += [("unpaired", one) for one in PAIRS if one not in TRUE_PAIRS]
        for what, one in wrong:
            if (OPPOSITE[what], one) in self.decided.sets:
                self.story.append(f"truly {self._decide((what, one))}")
        for one in ADDED:
            if not self._is_added(one):
                self.story.append(f"truly {self._decide(('added', one))}")
        for one in TRUE_PAIRS:
            if self._may_be_paired(one) and not any(set(PAIRS[one]) <= some for some in self.persons()):
                self.story.append(f"truly {self._decide(('paired', one))}")
        for _ in range(len(self.decided.unasked)):
            self.step("ask_later")

    def persons(self) -> list[set[int]]:
        """Who is one person by what is decided, and carried out."""
        return joined(one for one in self._in_force("paired") if ("paired", one) not in self.decided.unasked)

    def some_ballots_are_taken_back(self) -> None:
        """Of people who stand on the roll twice: nobody decides anything, and they may vote once again."""
        for person in PERSONS:
            ballots = [one for one in self.ballots.standing(by_hand=False) if one.serial in person]
            for one in ballots if self.dice.random() < 0.5 else ():
                machine = self.machines[one.at]
                if machine.keep.log.station in VOTERS and not machine.keep.book.closed:
                    self.take_back_a_ballot(machine, one)
                    self.story.append(f"taken back {one.serial}")
                    self.seen["taken back in the end"] += 1

    # What the steps are made of

    def _is_added(self, serial: int) -> bool:
        return serial not in ADDED or ("added", serial) in self.decided.sets

    def _may_be_paired(self, one: int) -> bool:
        """As the desk has it: both are on the roll, nothing is decided of them, and neither goes by another pair."""
        stays, goes = PAIRS[one]
        known = [PAIRS[other] for other in self._in_force("paired")]
        return (
            self._is_added(stays) and self._is_added(goes) and not any({stays, goes} == set(other) for other in known)
            and not any(other[1] in (stays, goes) for other in known)
        )  # fmt: skip

    def _in_force(self, decided: What) -> list[int]:
        return [serial for what, serial in self.decided.sets if what == decided]

    def _decide(self, one: Decision) -> str:
        what, serial = one
        with self.world.connection.begin_nested():
            if what == "added":
                number = int(applied(self.world.connection, rows({HOME[serial]: 1}, serial), self.world.now))
                add_set(
                    self.world.connection, VAULT, self.world.poll, number, "forgotten", KEYS.commission, self.world.now, additions
                )  # fmt: skip
                if ("unadded", serial) in self.decided.made:
                    self._back(number)
                self.decided.sets[one] = number
            elif what == "died":
                self.decided.sets[one] = died(self.world, (HOME[serial], serial))
            elif what == "paired":
                stays, goes = PAIRS[serial]
                number = duplicate(self.world, goes, stays, HOME[goes])
                if self.dice.random() < 0.75:
                    ask(self.world, number)
                else:
                    self.decided.unasked.append(one)
                self.decided.sets[one] = number
            else:
                self._call_off((OPPOSITE[what], serial))
        self.decided.made.append(one)
        return f"{serial} {what}"

    def _call_off(self, one: Decision) -> None:
        """What was decided later about the same voter goes first."""
        same = [other for other in self.decided.sets if _about(other) == _about(one)]
        gone = same[same.index(one) :][::-1]
        self.shaken -= {number for what, number in gone if what == "paired"}
        for other in gone:
            number = self.decided.sets[other]
            mistaken(self.world, number)
            if other[0] == "added":
                withdraw_added(self.world.connection, VAULT, self.world.poll, number, "wrong", "vera", self.world.now)
            elif self.dice.random() < 0.6:  # otherwise somebody does it later
                self._back(number)
        self.decided.unasked = [one for one in self.decided.unasked if one not in gone]
        self.decided.called_off += [self.decided.sets.pop(other) for other in gone]


def _about(one: Decision) -> int:
    """The voter whose entry a decision changes."""
    what, serial = one
    return PAIRS[serial][1] if what == "paired" else serial
