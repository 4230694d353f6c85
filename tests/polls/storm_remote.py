"""What happens at the electronic channel in the storm? Ballots before a screen, taken back or struck by paper, with its wire or without."""

from __future__ import annotations

from joined_world import Machine, iin_of, right
from storm_envelopes import Envelopes
from storm_people import HOME, Ballot
from storm_world import NotNow, here, said

from dauys.pollbook.channel.machine import Channel
from dauys.pollbook.machine import channel_acts
from dauys.pollbook.machine.syncing import Syncing

BORN = "1979-10-28"
"""All who live here."""


class Remote(Envelopes):
    """The country, with an electronic channel in every other world: one machine, which may be silent, burn and be found."""

    channel: Channel | None = None

    def channel_begins(self) -> None:
        machine = self.noted.machine(self.noted.package("remote"), "remote")
        self.machines[machine.keep.log.holder] = machine
        self.channel = Channel(machine.keep, Syncing(machine.link), lambda: self.world.now)
        self.channel.begin()

    # Steps

    def electronic(self) -> str:
        """Somebody wants to vote before a screen; mostly he gets there."""
        channel, machine = self._channel()
        serial = self._one_of(HOME)
        who = right(serial)
        if self._is_silent(machine):
            if who not in here(machine):
                raise NotNow
        else:
            given = channel.find(iin_of(serial), BORN)["state"] == "granted"
            self.is_looked_at(machine)
            for other in () if given else self._heard():
                self._exchange(other)
            self._exchange(machine)
        if who not in here(machine):
            return f"{said(machine, who)}: not given"
        if self.dice.random() < 0.2:
            return f"{said(machine, who)}: given"
        salt = self.dice.randbytes(10)
        event = channel.use(who, salt)["event"]
        self.ballots.handed_out.append(Ballot(serial, machine.keep.log.holder, n=event, salt=salt))
        return f"{said(machine, who)}: used"

    def paper_instead(self) -> str:
        """Who voted before a screen stands at a station."""
        _, channel = self._channel()
        ballot = self._one_of(self.ballots.standing(channel.keep.log.holder))
        return self._moves(self._machine(), right(ballot.serial))

    def electronic_back(self) -> str:
        """The voting system has no such ballot."""
        channel, machine = self._channel()
        ballot = self._one_of(self.ballots.standing(machine.keep.log.holder))
        channel.take_back(right(ballot.serial), "no such ballot")
        ballot.back = True
        return said(machine, right(ballot.serial))

    def take_out(self) -> str:
        """The voting system takes struck ballots out of its box."""
        channel, machine = self._channel()
        for one in channel.struck()["struck"]:
            channel.struck_out(one["event"])
        return said(machine)

    def is_looked_at(self, machine: Machine) -> None:
        """What the channel strikes, nobody has voted by: the voting system knows the ballot by its salt."""
        if self.channel is None or machine.keep is not self.channel.keep:
            return
        salts = {bytes.fromhex(one["salt"]) for one in self.channel.struck()["struck"]}
        for ballot in self.ballots.standing(machine.keep.log.holder):
            if ballot.salt in salts:
                ballot.back = True
                self.seen["paper beat electronic"] += 1

    # What that is made of

    def close(self, machine: Machine) -> None:
        if machine.keep.log.station != "remote":
            super().close(machine)
            return
        self.take_out()
        machine.do(channel_acts.do_end, self.world.now)

    def _channel(self) -> tuple[Channel, Machine]:
        if self.channel is None:
            raise NotNow
        return self.channel, self.machines[self.channel.keep.log.holder]

    def _is_silent(self, machine: Machine) -> bool:
        return machine.keep.log.holder in self.silent
