"""Who in the storm votes otherwise than at the table? Mobile boxes on their way, provisional envelopes, and how these end."""

from __future__ import annotations

from uuid import UUID

from joined_world import KEYS, Machine, iin_of
from storm_paper import Paper
from storm_people import Envelope
from storm_world import SERIAL, here, said

from dauys.pollbook.machine import acts, box, unnamed
from dauys.pollbook.machine.envelope_acts import do_envelope_undo, must_be_first
from dauys.polls.pollbook_join import envelopes, resolve_envelopes

MEMBERS = ("member1", "member2")


class Envelopes(Paper):
    """The country, with boxes and envelopes."""

    def mobile(self) -> str:
        """Somebody asks for the box, or it leaves, or it is back with a ballot handed out or without."""
        machine = self._machine()
        book, now = machine.keep.book, self.world.now
        who = self._one_of(here(machine))
        if who not in book.mobile:
            machine.do(acts.do_mobile_request, who, officer="member1", at=now)
            return f"{said(machine, who)}: asked"
        if who not in book.in_box:
            machine.do(box.do_out, who, members=MEMBERS, officer="member1", at=now)
            return f"{said(machine, who)}: out"
        if self.dice.random() < 0.5:
            machine.do(box.do_back, who, officer="member1", at=now)
            return f"{said(machine, who)}: back"
        self.hand_out_a_ballot(machine, who, "mobile", members=MEMBERS)
        return f"{said(machine, who)}: used"

    def envelope(self) -> str:
        machine, who = self._stranger()
        name = UUID(int=self.dice.getrandbits(128))
        iin, told = iin_of(SERIAL[who]), ""
        must_be_first(machine.keep, who, iin)
        named: UUID | None = who
        if self.dice.random() < 0.4:  # the centre could not be asked whose it is
            unnamed.keep_iin(machine.keep, name, iin)
            named, told = None, " (not named)"
        event = machine.do(
            acts.do_envelope, name, reason="no answer", officer="member1", at=self.world.now, who=named
        )  # fmt: skip
        self.ballots.enveloped.append(Envelope(SERIAL[who], machine.keep.log.holder, event.n))
        return said(machine, who) + told

    def envelope_undo(self) -> str:
        machine = self._machine()
        one = self._one_of(self.ballots.envelopes(machine.keep.log.holder))
        machine.do(do_envelope_undo, one.n, reason="wrong", officer="member1", at=self.world.now)
        one.back = True
        return f"{said(machine)} {one.serial}"

    # At the end

    def boxes_are_back(self) -> None:
        for machine in self.machines.values():
            for who in [*machine.keep.book.in_box]:
                machine.do(box.do_back, who, officer="member1", at=self.world.now)

    def lists_close(self) -> None:
        self.world.at(20, 1)
        for machine in self.machines.values():
            if not machine.keep.book.closed:
                self.close(machine)
        self.all_heard()

    def close(self, machine: Machine) -> None:
        machine.do(acts.do_close, officer="chair", at=self.world.now)

    def envelopes_are_resolved(self) -> tuple[list[int], bool]:
        """Whose envelopes count; and whether two people had to say that nobody waits any longer."""
        with self.world.connection.begin_nested():
            final = not self._resolve() and self._resolve("anna", "boris") > 0
        lines = envelopes(self.world.connection, self.world.poll).lines
        open_ones = [line for line in lines if line.decided is None]
        assert not open_ones or not final, f"not resolved: {open_ones}"
        return [SERIAL[line.at.entitlement] for line in lines if line.counts and line.at.entitlement], final

    def _resolve(self, *final: str) -> int:
        return resolve_envelopes(
            self.world.connection, self.world.poll, KEYS.commission, self.world.now, final
        )  # fmt: skip
