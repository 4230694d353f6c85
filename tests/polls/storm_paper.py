"""What becomes of a machine that is lost, in the storm? Its officers go on by hand; sheets are typed, and taken back; lists are printed."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from joined_world import KEYS, POLL, VAULT, Machine, iin_of, right
from storm_decisions import Decisions
from storm_people import VOTERS
from storm_world import SERIAL, NotNow, here, said
from test_paper_and_withdrawals import typed_by_two

from dauys.errors import DauysError
from dauys.pollbook.log.events import LogId
from dauys.pollbook.paper import by_hand as paper
from dauys.pollbook.paper.lost_list import lost_list


class Paper(Decisions):
    """The country, with ballots that are handed out without any machine."""

    typed: dict[str, set[int]]
    """Of a lost machine, whose lines two people have typed."""

    def hand_out(self) -> str:
        """The machine burnt, the commission says so, and its officers go on by hand with whom it still held."""
        if self.fate != "kept":
            raise NotNow  # nobody knows then that it is lost
        holder = self._one_of([one for one in self._lost() if one in self.silent and not self._is_closed(one)])
        machine = self.machines[holder]
        signed = {right(one.serial) for one in self.ballots.standing(holder)} | set(machine.keep.book.in_box)
        who = self._one_of([one for one in here(machine) if one not in signed])
        self.ballots.by_hand(SERIAL[who], holder)
        return said(machine, who)

    def burn(self) -> str:
        """A machine burns, maybe with an undo alone that it had not sent; its officers go on by hand, also with whom that was of."""
        if self.fate != "kept" or len(self.silent) >= 3:
            raise NotNow
        machine = self._machine()
        holder = machine.keep.log.holder
        self._exchange(machine)
        undone = None
        if (ballots := self.ballots.standing(holder)) and self.dice.random() < 0.7:
            undone = self.dice.choice(ballots)
            self.take_back_a_ballot(machine, undone)
        self.silent.add(holder)
        lost = self._lose(machine.keep.log.station, machine.keep.log.generation)
        if undone is not None:
            self.ballots.by_hand(undone.serial, holder)
        kept = {*machine.keep.book.in_box, *(right(one.serial) for one in self.ballots.standing(holder))}
        others = [one for one in here(machine) if one not in kept]
        if others and self.dice.random() < 0.5:
            self.ballots.by_hand(SERIAL[self.dice.choice(others)], holder)
        return f"{said(machine)} {lost}: by hand {[one.serial for one in self.ballots.standing(holder, by_hand=True)]}"

    def type_paper(self) -> str:
        """Some of the lines that were signed at a lost machine."""
        holder = self._one_of(self._lost())
        return self._type(self.machines[holder], [one for one in self._signed(holder) if self.dice.random() < 0.7])

    def untype(self) -> str:
        """Both had misread a line, or the disk is found."""
        holder = self._one_of(self._lost())
        serials = None if self.dice.random() < 0.5 else [self._one_of(self._signed(holder))]
        return f"{said(self.machines[holder])} {serials or 'all'}: {self._take_back(holder, serials, 'misread')}"

    def print_list(self) -> str:
        machine = self.machines[self._one_of(self._lost())]
        strike = self.dice.random() < 0.5
        with self.world.connection.begin_nested():
            lost_list(
                self.world.connection, VAULT, self.world.poll, machine.keep.log, "anna", self.world.now, strike
            )  # fmt: skip
        return said(machine)

    # At the end

    def sheets_are_typed(self, holders: Iterable[str]) -> list[str]:
        """All that was handed out, by hand or not; which sheets cannot be typed yet, for somebody's addition is forgotten."""
        left = []
        for holder in holders:
            machine = self.machines[holder]
            if holder not in self._lost():
                self._lose(machine.keep.log.station, machine.keep.log.generation)
            try:
                self._type(machine, self._signed(holder))
            except DauysError as error:
                if "add him first" not in str(error):
                    raise
                left.append(holder)
                continue
            self.story.append(f"sheets of {holder} are typed")
        return left

    def hours_are_compared(self) -> None:
        """A disk was found: what it has as well goes from its paper, and what was no ballot after all (docs/pollbook.md). A line that
        was strange, for its grant is forgotten, is typed again: now the disk shows the grant."""
        for holder in self._lost():
            try:
                self._take_back(holder, None, "the disk was found")
            except DauysError as error:
                if "nothing was typed" not in str(error):
                    raise
                continue
            signed = self._signed(holder)
            if nobodys := sorted(self.typed.get(holder, set()) - set(signed)):
                self._take_back(holder, nobodys, "the wrong person, as the machine says")
            strange = [one.serial for one in self.ballots.standing(holder, by_hand=True) if self._is_stray(one.serial)]
            if strange:
                self._take_back(holder, strange, "strange as the grant was")
                self._type(self.machines[holder], strange)
                self.seen["a strange line is typed again"] += 1

    # What that is made of

    def _lost(self) -> list[str]:
        """Stations' machines that the commission has declared lost."""
        query = "SELECT holder FROM pollbook_log WHERE poll = :poll AND lost ORDER BY holder"
        lost = self.world.connection.scalars(sa.text(query), {"poll": POLL}).all()
        return [one for one in lost if one in self.machines and self.machines[one].keep.log.station in VOTERS]

    def _is_closed(self, holder: str) -> bool:
        return bool(self.machines[holder].keep.book.closed)

    def _signed(self, holder: str) -> list[int]:
        """Who signed for a ballot there, at the machine or by hand."""
        return sorted({one.serial for one in self.ballots.standing(holder)})

    def _typing(self, machine: Machine) -> paper.Typing:
        log: LogId = paper.lost_log(self.world.connection, POLL, machine.keep.log.station, machine.keep.log.generation)
        return paper.Typing(log, ("anna", "boris"), KEYS.commission, self.world.now)

    def _lines(self, serials: Iterable[int]) -> list[paper.Line]:
        return typed_by_two(self.world.folder, *(f"{iin_of(serial)},member1" for serial in serials))

    def _take_back(self, holder: str, serials: list[int] | None, why: str) -> int:
        """Lines of these voters, or all that the machine has as well; how many check-ins that were."""
        lines = None if serials is None else self._lines(serials)
        with self.world.connection.begin_nested():
            done = paper.take_back(self.world.connection, VAULT, lines, self._typing(self.machines[holder]), why)
        self.typed[holder] = self.typed.get(holder, set()) - set(serials or ())
        return done.noted

    def _is_stray(self, serial: int) -> bool:
        """Whether a use stands that the centre does not know to be its log's."""
        query = sa.text("SELECT count(*) FROM pollbook_stray WHERE poll = :poll AND entitlement = :who AND NOT undone")
        return bool(self.world.connection.scalar(query, {"poll": POLL, "who": right(serial)}))

    def _type(self, machine: Machine, serials: list[int]) -> str:
        if not serials:
            raise NotNow
        with self.world.connection.begin_nested():
            done = paper.type_in(
                self.world.connection, VAULT, self._lines(serials), self._typing(machine), self.dice.randbytes
            )  # fmt: skip
        self.typed.setdefault(machine.keep.log.holder, set()).update(serials)
        return f"{said(machine)} {serials}: {done.noted}, {done.reported} reported"
