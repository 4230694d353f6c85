"""A nation in small: stations with disks and clocks, a centre, and a network that loses, repeats and reorders everything.

The world knows the truth (every disk there ever was) and asserts after each step what must hold:

* no right is used twice, over all logs, synced or not;
* no right can be used at two places from now on;
* what an officer was told is done is on his station's disk;
* what the centre has of a log is the beginning of that log, and honest stations raise no alarm.

With `fault` the world itself breaks a rule on purpose (custody_faults.py breaks the others).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from custody_disk import LEASE, Machine
from pollbook_sample import CENTRE, MORNING, POLL, key, voter, who

from dauys.pollbook import acts, custody, decided, envelopes
from dauys.pollbook.audit import audit
from dauys.pollbook.book import Book
from dauys.pollbook.custody import Centre, Custody, CustodyError, Place, Standing
from dauys.pollbook.grants import Answer, Grant
from dauys.pollbook.log import Batch, Event, Head, LogError, LogId, sign_batch

STATIONS, VOTERS = 3, 6
ADDED = STATIONS + 2
"""Voters who are added: one of each station before its list is made, others later."""
ALL = VOTERS + ADDED
UNHEARD = timedelta(hours=2)
CENTRE_KEY = CENTRE.public_key().public_bytes_raw()
HERE = Place(Standing.HERE, 0)
REFUSALS = (acts.Refused, CustodyError, LogError)


class World:
    """All of it. Each public method is one step; what the rules refuse is refused and changes nothing."""

    def __init__(self, fault: str = "") -> None:
        self.fault = fault
        self.machines: list[Machine] = []
        self.centre = Centre(POLL, {who(n): Custody(f"station/{n % STATIONS}/1", 0) for n in range(VOTERS)})
        self.net: list[tuple[str, bytes, LogId]] = []
        self.grants: list[Grant] = []
        self.told: list[tuple[Machine, int, bytes]] = []
        self.leases: dict[str, datetime] = {}
        self.now = MORNING
        self.tap = 0
        self.typed: dict[Machine, Counter[UUID | None]] = {}
        self.steps = 0
        self.done: Counter[str] = Counter()
        self.homes: dict[UUID, LogId] = {who(n): LogId(POLL, str(n % STATIONS), 1) for n in range(VOTERS)}
        self.added: list[str] = []
        """The stations of voters VOTERS, VOTERS + 1, ... who were added one after the other."""
        for number in range(STATIONS):
            self.enter(number)
            self._enrol(LogId(POLL, str(number), 1))
        for machine in self.machines:
            self._store(machine, acts.do_open(machine.book, "c1", MORNING))

    # Steps at a station

    def check_in(self, at: int, number: int, crash: str = "") -> None:
        machine = self.machine(at)
        self.tap += 1
        salt = self.tap.to_bytes(10, "big")
        self._act(
            machine,
            "check-in",
            lambda book, now: acts.do_check_in(book, who(number), officer="m1", salt=salt, at=now),
            crash,
        )

    def undo(self, at: int, number: int) -> None:
        machine = self.machine(at)
        n = machine.book.used_by.get(who(number), 1)
        self._act(machine, "undo", lambda book, now: acts.do_undo(book, n, reason="wrong person", officer="m2", at=now))

    def certificate(self, at: int, number: int) -> None:
        def act(book: Book, now: datetime) -> Event:
            day_before = now - timedelta(days=1)
            return acts.do_certificate(book, who(number), number=f"c-{self.tap}", officer="m1", at=day_before)

        self._act(self.machine(at), "certificate", act)

    def envelope(self, at: int, number: int) -> None:
        self.tap += 1
        name = UUID(int=self.tap)
        self._act(
            self.machine(at),
            "envelope",
            lambda book, now: acts.do_envelope(book, name, reason="no answer", officer="m1", at=now, who=who(number)),
        )

    def close(self, at: int) -> None:
        self._act(self.machine(at), "close", lambda book, now: acts.do_close(book, "c1", now))

    def crash(self, at: int) -> None:
        self.machine(at).up = False
        self.done["crash"] += 1

    def start(self, at: int) -> None:
        machine = self.machine(at)
        if not machine.destroyed and not machine.up:
            machine.fold()
            machine.up = True
            self.done["start"] += 1

    def set_clock(self, at: int, days: int) -> None:
        self.machine(at).clock = timedelta(days=days)
        self.done["clock"] += 1

    def time_passes(self, hours: int) -> None:
        self.now = min(self.now + timedelta(hours=hours), MORNING.replace(hour=22))

    # Steps on the wire

    def send(self, at: int, first: int) -> None:
        """A batch sets out; it may carry what was sent before, or leave a gap."""
        machine = self.machine(at)
        if machine.up:
            events = [event for event in machine.events() if event.n >= first]
            first = events[0].n if events else len(machine.disk) + 1
            head = events[-1].head.hash if events else machine.book.head.hash
            self.net.append(
                ("batch", sign_batch(machine.log, first, events, head, machine.signing).to_bytes(), machine.log)
            )

    def deliver(self, message: int, committed: bool = True, let_go: bool = True) -> None:
        """Anything that was ever on the wire arrives, again or late; the centre may crash before it has committed."""
        if not self.net:
            return
        kind, data, log = self.net[-1 - message % min(len(self.net), 60)]
        self.done[f"{kind} arrives"] += 1
        if kind == "answer":
            for machine in self.machines:
                if machine.log == log and machine.up:
                    self._hear(machine, Answer.from_bytes(data, machine.log, CENTRE_KEY), let_go)
            return
        before = self.centre
        taken = custody.take(before, Batch.from_bytes(data))
        self.centre = taken.centre
        self._grant_what_is_free()
        if not committed:
            self.centre = before
            return
        known = self.centre
        given = tuple(grant.signed(CENTRE) for grant in custody.granted_to(known, log))
        self.grants += given
        asked = custody.asked_of(known, log)
        lease = self.leases[log.holder] = self.now + UNHEARD
        answer = Answer(log, taken.acknowledged, taken.send_from, taken.stopped, lease, asked, given)
        self.net.append(("answer", answer.to_bytes(CENTRE), log))

    def forge(self, message: int, at: int, how: int) -> None:
        """Somebody on the wire changes a batch; none of it may be taken."""
        batches = [data for kind, data, _ in self.net if kind == "batch"]
        if not batches:
            return
        true = Batch.from_bytes(batches[message % len(batches)])
        if how == 0 and true.events:
            event = true.events[-1]
            changed = Event(event.n, "19" + event.at[2:], event.kind, event.body, event.prev)
            false = Batch(true.log, true.first, (*true.events[:-1], changed), changed.head.hash, true.sig)
        elif how == 1:
            false = sign_batch(true.log, true.first, true.events, true.head, key(999))
        else:
            other = self.machine(at).log
            false = Batch(
                other if other != true.log else LogId(POLL, "9", 1), true.first, true.events, true.head, true.sig
            )
        try:
            custody.take(self.centre, false)
        except LogError as error:
            assert error.check in ("P.003", "P.004", "P.005"), error
            self.done["forged batch refused"] += 1
        else:
            raise AssertionError("a forged batch was taken")

    def replay_grant(self, grant: int, at: int) -> None:
        """A grant that was ever given comes again, long after: to whom it was given, or to another."""
        if not self.grants:
            return
        logs = {machine.log.holder: machine for machine in self.machines}
        gone = [
            one for one in self.grants if logs[one.to].book.places.get(one.entitlement, HERE).standing is Standing.AWAY
        ]
        again = gone if gone and at < 3 else self.grants
        given = again[grant % len(again)]
        machine = logs[given.to] if at < 3 else self.machine(at)
        if machine.up:
            self._act(machine, "receive", lambda book, now: acts.do_receive(book, given, now))

    # Steps at the centre

    def ask(self, number: int, at: int) -> None:
        self.tap += 1
        try:
            self.centre = custody.ask(self.centre, f"r-{self.tap}", who(number), self.machine(at).log)
        except REFUSALS:
            return
        self.done["ask"] += 1

    def enter(self, station: int) -> None:
        """The commission adds a voter to the roll: he is on no list yet."""
        one = who(len(self.centre.custody))
        if len(self.centre.custody) < ALL:
            self.centre = decided.enter(self.centre, one, str(station % STATIONS))
            self.added.append(str(station % STATIONS))
            self.done["enter"] += 1

    def add(self, number: int, at: int) -> None:
        """Somebody who was added stands at a station, which asks for his right; at which one, and whether he was, is open."""
        self.tap += 1
        try:
            self.centre, _ = decided.add(
                self.centre, f"add-{number % 2 or self.tap}", who(number), self.machine(at).log
            )
        except REFUSALS as error:
            self.done[f"add refused {error.check}"] += 1
            return
        self.done["add"] += 1

    def withdraw(self, number: int) -> None:
        """The commission takes a right back: whoever holds it is asked to let it go."""
        self.tap += 1
        try:
            self.centre = decided.withdraw(self.centre, f"w-{self.tap}", who(number))
        except REFUSALS:
            return
        self.done["withdraw"] += 1

    def call_off(self, number: int) -> None:
        """The commission asks no more for a right; who heard of it may still let it go."""
        asked = [one.id for one in self.centre.requests.values() if one.to == custody.WITHDRAWN]
        if asked:
            self.centre = decided.call_off(self.centre, asked[number % len(asked)])
            self.done["call off"] += 1

    def give_back(self, number: int, at: int) -> None:
        """What was withdrawn, or let go for that, was so by mistake: a station gets it."""
        self.tap += 1
        try:
            self.centre, _ = decided.give_back(self.centre, f"b-{self.tap}", who(number), self.machine(at).log)
        except REFUSALS as error:
            self.done[f"give back refused {error.check}"] += 1
            return
        self.done["give back"] += 1

    def type_in(self, at: int) -> None:
        """The paper of a machine that burnt: its officers signed for every ballot; what the centre lacks is typed in."""
        burnt = [machine for machine in self.machines if machine.destroyed and machine not in self.typed]
        if not burnt:
            return
        machine = burnt[at % len(burnt)]
        paper = machine.log.paper
        signing = key(100 + len(self.typed))
        self.centre = custody.enrol(self.centre, paper, signing.public_key().public_bytes_raw())
        head, events = Head.before(paper), []

        def note(kind: str, body: dict[str, Any]) -> None:
            last = events[-1].head if events else head
            events.append(Event(last.n + 1, MORNING.isoformat(), kind, body, last.hash))

        for one in sorted(machine.standing() - self._sent(machine), key=str):
            self.centre, given = decided.write_up(self.centre, f"paper/{one}", one, paper)
            note("receive", given.signed(CENTRE).body())
            note("check-in", {"entitlement": str(one), "channel": "polling-day", "officer": "m1", "salt": "00" * 10,
                              "typed": ["anna", "boris"]})  # fmt: skip
        if events:
            batch = sign_batch(paper, 1, events, events[-1].head.hash, signing)
            self.centre = custody.take(self.centre, batch).centre
        self.typed[machine] = Counter(event.entitlement for event in events if event.kind == "check-in")
        self.done["typed in"] += len(events) // 2

    def lose(self, at: int, destroyed: bool) -> None:
        """A machine is given up for lost: burnt, or only thought so; the station goes on with a new one."""
        machine = self.machine(at)
        newest = max(one.log.generation for one in self.machines if one.log.station == machine.log.station)
        if newest > 2 or machine.log.generation != newest:
            return
        if destroyed:
            machine.up, machine.destroyed = False, True
        self.centre = custody.declare_lost(self.centre, machine.log)
        self._enrol(LogId(POLL, machine.log.station, newest + 1))
        self.done["lost"] += 1

    def everything_ends(self) -> None:
        """All wires up, all disks that exist read out, all lists closed: nothing is lost, and envelopes are resolved."""
        alive = [machine for machine in self.machines if not machine.destroyed]
        for machine in alive:
            machine.up, machine.clock = True, timedelta()
            machine.fold()
            if not machine.book.closed and not machine.stopped:
                self._store(machine, acts.do_close(machine.book, "c1", MORNING))
            self.send(self.machines.index(machine), 1)
            self.deliver(0)
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
        everyone = {machine.log: machine.events() for machine in self.machines}
        assert (found := audit(everyone, self.homes)) == [], f"a false alarm of the audit: {found}"
        everything = true + sum((machine.standing() for machine in unread), Counter())
        for one in resolved:
            assert one.entitlement is not None
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
        assert not self.centre.alarms, f"a false alarm: {self.centre.alarms}"

    def machine_with(self, standing: Standing, at: int) -> int:
        """A machine, from that one on, where some right stands so."""
        turned = [(at + step) % len(self.machines) for step in range(len(self.machines))]
        places = (self.machines[one].book.places.values() for one in turned)
        return next(
            (one for one, found in zip(turned, places, strict=True) if any(p.standing is standing for p in found)), at
        )

    def newest(self, station: str) -> int:
        """The machine of a station that was enrolled last."""
        return max(n for n, machine in enumerate(self.machines) if machine.log.station == station)

    def one_of(self, at: int, standing: Standing, number: int) -> int:
        """One of the voters who stand so at that machine, where there are any; otherwise the number itself."""
        places = self.machine(at).book.places
        found = [n for n in range(ALL) if (place := places.get(who(n))) and place.standing is standing]
        return found[number % len(found)] if found else number

    def machine(self, at: int) -> Machine:
        return self.machines[at % len(self.machines)]

    def _sent(self, machine: Machine) -> Counter[UUID]:
        """What the centre has of a machine that is gone, counted from its hashes and the true disk."""
        n = len(self.centre.logs[machine.log].hashes)
        short = Machine(machine.log, [], machine.signing)
        short.disk = machine.disk[:n]
        return short.standing()

    def _act(self, machine: Machine, name: str, act: Callable[[Book, datetime], Event], crash: str = "") -> None:
        if not machine.up:
            return
        try:
            event = act(machine.book, self.now + machine.clock)
        except REFUSALS as error:
            self.done[f"{name} refused {error.check}"] += 1
            return
        self.done[name] += 1
        self._store(machine, event, crash)

    def _store(self, machine: Machine, event: Event, crash: str = "") -> None:
        """Durable first, then told. `crash`: the power goes before the disk has it, or before the officer hears."""
        data = event.to_bytes()
        if self.fault == "told before the disk":
            self.told.append((machine, event.n, data))
        if crash == "before":
            machine.up = False
            return
        machine.disk.append(data)
        machine.book.apply(event)
        if crash == "after":
            machine.up = False
        elif event.kind == "check-in":
            self.told.append((machine, event.n, data))

    def _hear(self, machine: Machine, answer: Answer, let_go: bool) -> None:
        machine.stopped = machine.book.hear(answer)
        machine.lease = machine.book.lease
        assert not machine.stopped, "an honest station was stopped"
        for grant in answer.grants:
            self._act(machine, "receive", lambda book, now, grant=grant: acts.do_receive(book, grant, now))
        for request in answer.requests if let_go else ():
            self._act(machine, "release", lambda book, now, one=request: acts.do_release(book, one, now))

    def _grant_what_is_free(self) -> None:
        logs = {log.holder: log for log in self.centre.logs}
        for request in list(self.centre.requests.values()):
            try:
                if request.to == custody.WITHDRAWN:
                    self.centre = decided.settle(self.centre, request.id)
                    continue
                self.centre, _ = custody.grant(self.centre, request.id, logs[request.to])
                self.done["grant"] += 1
            except CustodyError:
                continue

    def _enrol(self, log: LogId) -> None:
        """The station's list as the centre has it: what another holder has, this very station's lost log too, is away."""
        signing = key(len(self.machines) + 1)
        waiting = [one for one, has in self.centre.custody.items() if has.holder == decided.unlisted(log.station)]
        self.centre = decided.listed(self.centre, log)
        self.homes |= dict.fromkeys(waiting, log)
        self.centre = custody.enrol(self.centre, log, signing.public_key().public_bytes_raw())
        lines = []
        for number in range(ALL):
            has = self.centre.custody.get(who(number))
            home = (*(str(n % STATIONS) for n in range(VOTERS)), *self.added, *([""] * ADDED))[number]
            if has is not None and home == log.station:
                away = "" if has.holder == log.holder else has.holder
                if self.fault == "the new machine gets the old list" and has.holder.startswith(
                    f"station/{log.station}/"
                ):
                    away = ""
                lines.append(voter(number, epoch=has.epoch, away=away))
        machine = Machine(log, lines, signing)
        self.machines.append(machine)
        self.leases[log.holder] = LEASE
        if log.generation > 1:
            self._store(machine, acts.do_open(machine.book, "c1", MORNING))
