"""What must hold in the world of `custody_world`, after each step and in the end, whatever happened?

It knows every disk there ever was, and asserts:

* no right is used twice, over all logs, synced or not;
* no right can be used at two places from now on;
* what an officer was told is done is on his station's disk;
* what the centre has of a log is the beginning of that log, and honest stations raise no alarm.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from uuid import UUID

from custody_ground import MORNING, Ground

from dauys.pollbook.rules import custody, envelopes
from dauys.pollbook.rules.audit import audit
from dauys.pollbook.rules.custody import Alarm, Standing


class Judged(Ground):
    """The ground, and the truth of it: it knows every disk there ever was."""

    def everything_ends(self) -> None:
        """All wires up, all disks that exist read out, all lists closed: nothing is lost, and envelopes are resolved."""
        alive = [machine for machine in self.machines if not machine.destroyed]
        for machine in alive:
            machine.up, machine.clock = True, timedelta()
            machine.fold()
            if not machine.book.closed and not machine.stopped:
                self.now = MORNING.replace(hour=23)
                self.close(self.machines.index(machine))
                assert machine.book.closed
            self.name_envelopes(self.machines.index(machine))
            self.send(self.machines.index(machine), 1)
            self.deliver(0)
            if self.centre.books.marked:
                self.deliver(0)
                self.deliver(0)
        self.lift()
        assert not self.centre.books.marked, "the books are never whole"
        self.check()
        used = Counter({one: len(uses) for one, uses in self.centre.uses.items() if uses})
        true = sum((machine.standing() for machine in alive), Counter())
        unread = [machine for machine in self.machines if machine.destroyed]
        sent = sum((self._sent(machine) for machine in unread), Counter())
        sent += sum(self.typed.values(), Counter())
        assert used == true + sent, "the centre's count is not what stands in the logs"
        for machine, n, data in self.told:
            if not machine.destroyed:
                assert machine.events()[n - 1].head.hash == self.centre.logs[machine.log].hashes[n - 1], (
                    "lost on the way"
                )
            assert machine.disk[n - 1] == data
        left = [
            envelopes.Provisional(one.id, machine.log, one.n, one.entitlement)
            for machine in alive
            for one in machine.book.envelopes
        ]
        resolved = envelopes.resolve(self.centre, left, envelopes.Rule("none", "art. 8"), final=True)
        for machine in alive:
            for one, place in machine.book.places.items():
                if place.standing is Standing.HERE and self.centre.custody[one].holder in self._of(machine):
                    doubted = custody.in_doubt(self.centre, one, self.centre.custody[one].epoch)  # by a burnt machine
                    assert doubted or custody.may_grant(self.centre, one), "a right is lost in a closed log"
        everyone = {machine.log: machine.events()[: self._read(machine)] for machine in self.machines}
        everyone |= {log.paper: events for log, events in self.papers.items()}
        homes = {one: log for one, log in self.homes.items() if one not in self.ahead}
        found = audit(everyone, homes)
        if self.back and any(
            machine.destroyed and len(everyone[machine.log]) < len(machine.disk) for machine in unread
        ):
            found = [one for one in found if one.check not in ("P.101", "P.105")]  # what the centre had heard burnt
        assert not found, f"a false alarm of the audit: {found}"
        everything = true + sum((machine.standing() for machine in unread), Counter())
        for one in resolved:
            assert one.entitlement is not None, "an envelope is lost: nobody knows whose it is"
            assert one.entitlement == self.enveloped[one.id]
            everything[one.entitlement] += one.counts
            self.done["envelope counts" if one.counts else "envelope does not count"] += 1
        assert max(everything.values(), default=0) <= 1, "an envelope counts beside a ballot"

    def check(self) -> None:
        """What must hold after every step."""
        used = sum((machine.standing() for machine in self.machines), Counter())
        assert max(used.values(), default=0) <= 1, "double use"
        able: Counter[UUID] = Counter()
        for machine in self.machines:
            may = (Standing.HERE, Standing.USED) if not machine.book.closed else (Standing.USED,)
            able.update(one for one, place in machine.book.places.items() if place.standing in may)
        assert max(able.values(), default=0) <= 1, "a right can be used at two places"
        for machine, n, data in self.told:
            assert len(machine.disk) >= n and machine.disk[n - 1] == data, "an acknowledged check-in is lost"
        for machine in self.machines:
            known = self.centre.logs[machine.log]
            ours = machine.book.hashes
            assert list(known.hashes) == ours[: len(known.hashes)], "the centre has another log"
        assert not (alarms := self.false_alarms()), f"a false alarm: {alarms}"
        for one, machine in self.promised.items():
            place = machine.book.places[one]
            assert place.standing is not Standing.AWAY, "lost on the way: let go behind its voter's back"
        for machine in self.machines:
            carried = {machine.book.places[one].standing for one in machine.book.in_box}
            assert carried <= {Standing.HERE}, "a right is lost to the mobile box that is on its way with it"

    def false_alarms(self, *, expected: str = "") -> list[Alarm]:
        """The alarms that honest machines may not raise.

        After the centre was put back it may: logs that are read out again come in another order, so that a check-in that was
        undone comes after its right moved on; and what is typed from the paper of a burnt machine may rest on a grant that the
        centre has forgotten, and that burnt as well.
        """
        allowed = {expected, *(("P.101", "P.102") if self.back else ())}
        return [one for one in self.centre.alarms if one.check not in allowed]
