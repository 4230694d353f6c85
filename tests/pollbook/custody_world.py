"""A nation in small: stations with disks and clocks, an electronic channel, a centre, and a network that loses, repeats and
reorders everything. Here is what people do in it; what it stands on is `custody_ground`, what must hold
`custody_truth`, how the centre forgets `custody_back`.

With `fault` the world itself breaks a rule on purpose (custody_faults.py breaks the others).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from custody_back import Forgetful
from custody_disk import Machine
from custody_ground import ALL, REFUSALS, STATIONS, VOTERS
from pollbook_sample import MORNING, POLL, key, who

from dauys.pollbook.log.events import Event, Head, LogId, sign_batch
from dauys.pollbook.machine import acts, box, channel_acts
from dauys.pollbook.machine import envelope_acts as slips
from dauys.pollbook.machine.book import Book
from dauys.pollbook.rules import custody, decided, forgotten, holders
from dauys.pollbook.rules.custody import Custody, Standing, State


class World(Forgetful):
    """All of it. Each public method is one step; what the rules refuse is refused and changes nothing."""

    def begin(self, station: str) -> None:
        """A station's first list is made, and its machine opened: not while the centre's books are not whole."""
        new = all(machine.log.station != station for machine in self.machines)
        if new and not self.centre.books.marked:
            self._enrol(LogId(POLL, station, 1))
            self.done["a list is made"] += 1

    # Steps at a station

    def check_in(self, at: int, number: int, crash: str = "") -> None:
        """A ballot is handed out, or an electronic one taken."""
        machine, one = self.machine(at), who(number)
        self.tap += 1
        salt = self.tap.to_bytes(10, "big")

        def act(book: Book, now: datetime) -> Event:
            if machine.channel:
                return channel_acts.do_use(book, one, salt=salt, at=now)
            return acts.do_check_in(book, one, officer="m1", salt=salt, at=now)

        self._act(machine, "electronic ballot" if machine.channel else "check-in", act, crash)

    def undo(self, at: int, number: int) -> None:
        machine, one = self.machine(at), who(number)
        n = machine.book.used_by.get(one, 1)

        def act(book: Book, now: datetime) -> Event:
            if machine.channel:
                return channel_acts.do_take_back(book, one, reason="no such ballot", at=now)
            return acts.do_undo(book, n, reason="wrong person", officer="m2", at=now)

        self._act(machine, "undo", act)

    def certificate(self, at: int, number: int) -> None:
        self.promised.pop(who(number), None)

        def act(book: Book, now: datetime) -> Event:
            day_before = now - timedelta(days=1)
            return acts.do_certificate(book, who(number), number=f"c-{self.tap}", officer="m1", at=day_before)

        self._act(self.machine(at), "certificate", act)

    def certificate_back(self, at: int, number: int) -> None:
        """It was noted for the wrong person."""
        self._act(
            self.machine(at),
            "certificate back",
            lambda book, now: acts.do_certificate_back(book, who(number), reason="wrong person", officer="m1", at=now),
        )

    def envelope(self, at: int, number: int, cut: bool = False) -> None:
        """`cut`: nobody can say now whose right it is of."""
        self.tap += 1
        name = UUID(int=self.tap)
        self.enveloped[name] = who(number)
        one = None if cut else who(number)
        self._act(
            self.machine(at),
            "envelope",
            lambda book, now: acts.do_envelope(book, name, reason="no answer", officer="m1", at=now, who=one),
        )

    def envelope_undo(self, at: int) -> None:
        """The last one was noted by mistake."""
        for n in [one.n for one in self.machine(at).book.envelopes][-1:]:
            undo = partial(slips.do_envelope_undo, of=n, reason="wrong person", officer="m1")
            self._act(self.machine(at), "envelope undone", lambda book, now, undo=undo: undo(book, at=now))

    def box_out(self, at: int, number: int) -> None:
        """The mobile box leaves for a voter who asked for it in the morning."""
        machine, one = self.machine(at), who(number)
        ask = partial(acts.do_mobile_request, who=one, officer="m1", at=MORNING)
        self._act(machine, "box asked for", lambda book, now: ask(book))
        out = partial(box.do_out, who=one, members=("m1", "m2"), officer="m1")
        self._act(machine, "box leaves", lambda book, now: out(book, at=now))

    def box_back(self, at: int) -> None:
        """It is back, and nobody who is left got a ballot."""
        for one in list(self.machine(at).book.in_box):
            back = partial(box.do_back, who=one, officer="m2")
            self._act(self.machine(at), "box back", lambda book, now, back=back: back(book, at=now))

    def name_envelopes(self, at: int) -> None:
        """The centre says whose they are, before the list is closed or after."""
        for name in [one.id for one in self.machine(at).book.unnamed]:
            self._act(
                self.machine(at),
                "envelope named",
                lambda book, now, name=name: acts.do_envelope_of(book, name, self.enveloped[name], now),
            )

    def close(self, at: int) -> None:
        machine = self.machine(at)
        for one in [one.n for one in machine.book.struck.values() if not one.out]:
            self._act(machine, "struck out", lambda book, now, of=one: channel_acts.do_struck_out(book, of, now))
        self.box_back(at)
        self._act(machine, "close", lambda book, now: _closed(machine, now))

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

    def ask(self, number: int, at: int) -> None:
        self.tap += 1
        self.promised.pop(who(number), None)
        try:
            self.centre = custody.ask(self.centre, f"r-{self.tap}", who(number), self.machine(at).log, paper=self.paper)
        except REFUSALS:
            return
        self.done["ask"] += 1

    def go_home(self, number: int, at: int) -> None:
        """The voter who waits there is told to go to his own station: nobody asks for his right any more."""
        one, to, before = who(number), self.machine(at).log, self.centre
        waits = any((asked.entitlement, asked.to) == (one, to.holder) for asked in before.requests.values())
        self.centre = custody.unask(before, one, to)
        has = self.centre.custody.get(one)
        others = any(asked.entitlement == one and asked.to != to.holder for asked in self.centre.requests.values())
        if not waits or self.centre is before or others or has is None or (one, has.epoch) in self.heard:
            return
        if self.waits_for(one, has.epoch):
            return
        self.done["told to go home"] += 1
        for machine in self.machines:
            place = machine.book.places.get(one)
            if machine.log.holder == has.holder and place is not None and place.standing is not Standing.AWAY:
                self.promised[one] = machine

    def enter(self, station: int) -> None:
        """The commission adds a voter to the roll: he is on no list yet."""
        one, home = who(VOTERS + len(self.added)), str(station % STATIONS)
        if VOTERS + len(self.added) < ALL:
            self.centre = decided.enter(self.centre, one, home)
            self.added.append(home)
            self.journal.append(partial(decided.enter, who=one, station=home))
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
        self.promised.pop(who(number), None)
        try:
            self.centre = decided.withdraw(self.centre, f"w-{self.tap}", who(number))
        except REFUSALS:
            return
        self.done["withdraw"] += 1

    def call_off(self, number: int) -> None:
        """The commission asks no more for a right; who heard of it may still let it go."""
        asked = [one.id for one in self.centre.requests.values() if one.to == holders.WITHDRAWN]
        if asked:
            self.centre = decided.call_off(self.centre, asked[number % len(asked)])
            self.done["call off"] += 1

    def give_back(self, number: int, at: int) -> None:
        """What was withdrawn, or let go for that, was so by mistake: a station gets it, or, if it works no more, whoever asks."""
        self.tap += 1
        try:
            self.centre, _ = decided.give_back(self.centre, f"b-{self.tap}", who(number), self.machine(at).log)
            self.done["give back"] += 1
        except REFUSALS as error:
            if error.check in ("P.051", "P.052"):
                self.let_go(number)
            else:
                self.done[f"give back refused {error.check}"] += 1

    def let_go(self, number: int) -> None:
        """The same of a right whose station has no machine that works."""
        home = str(number % STATIONS) if number < VOTERS else self.added[(number - VOTERS) % len(self.added)]
        try:
            self.centre = decided.let_go(self.centre, who(number), home)
        except REFUSALS as error:
            self.done[f"let go refused {error.check}"] += 1
            return
        self.done["given back to nobody"] += 1

    def type_in(self, at: int) -> None:
        """The paper of a machine that burnt: its officers signed for every ballot; what the centre lacks is typed in."""
        burnt = [one for one in self.machines if one.destroyed and not one.channel and one not in self.typed]
        if not burnt:
            return
        machine = burnt[at % len(burnt)]
        unsent = sorted(machine.standing() - self._sent(machine), key=str)
        self._type(machine, *(on_paper(one) for one in unsent))
        self.typed[machine] = Counter(unsent)
        self.done["typed in"] += len(unsent)

    def deliver(self, message: int, committed: bool = True, let_go: bool = True, torn: bool = False) -> None:
        """What a burnt machine had sent may arrive when its paper is typed in: those lines are taken back (`paper-undo --found`)."""
        super().deliver(message, committed, let_go, torn)
        for machine, typed in self.typed.items():
            for one in [one for one in typed if typed[one] and self._sent(machine)[one]]:
                n = next(event.n for event in self.papers[machine.log] if event.entitlement == one)
                self._type(machine, ("undo", {"of": n, "reason": "found", "officer": "anna + boris"}))
                typed[one] = 0
                others = [alarm for alarm in self.centre.alarms if (alarm.check, alarm.entitlement) != ("P.108", one)]
                self.centre = replace(self.centre, alarms=tuple(others))

    def mistype(self, at: int, number: int, votes: bool) -> None:
        """Two people misread the paper of a lost machine, and take it back: a right that it has, as far as the centre knows, not
        used. `votes`: the machine is not gone, and checks that voter in meanwhile."""
        lost = [one for one in self.machines if self.centre.logs[one.log].lost and not one.channel]
        has = {number: self.centre.custody.get(who(number)) for number in range(ALL)}
        held = [
            (machine, number)
            for machine in lost
            for number, found in has.items()
            if found == Custody(machine.log.holder, found.epoch if found else 0)
        ]
        if not held:
            return
        machine, number = held[(at + number) % len(held)]
        before = self.centre
        self._type(machine, on_paper(who(number)))
        if votes and machine.up:
            self.check_in(self.machines.index(machine), number)
            self.send(self.machines.index(machine), 1)
            self.deliver(0)
            assert not (alarms := self.false_alarms(expected="P.108")), f"a false alarm: {alarms}"
            beside = [alarm for alarm in self.centre.alarms if alarm.check == "P.108"]
            self.done["found beside its paper"] += len(beside)
            self.centre = replace(self.centre, alarms=tuple(one for one in self.centre.alarms if one not in beside))
        last = len(self.papers[machine.log])
        self._type(machine, ("undo", {"of": last, "reason": "misread", "officer": "anna + boris"}))
        found, one = self.centre.custody[who(number)], before.custody[who(number)]
        as_before = (found.holder, found.epoch) == (one.holder, one.epoch)
        place = machine.book.places.get(
            who(number)
        )  # it may not have heard yet that the right is its own, or be away on its list
        away = place is not None and place.n and (place.standing, place.epoch) == (Standing.AWAY, one.epoch)
        if votes and machine.up and away:
            gone = replace(one, state=State.RELEASED), Custody(holders.CERTIFICATE, one.epoch + 1)
            assert found in gone, "what a found log let go is lost"
        else:
            assert as_before, "a right is lost that was typed and taken back"
        self.done["mistyped"] += 1

    def _type(self, machine: Machine, *notes: tuple[str, dict[str, Any]]) -> None:
        """Notes this in the log of the machine's paper."""
        paper, signing = machine.log.paper, key(100 + self.machines.index(machine))
        self.centre = custody.enrol(self.centre, paper, signing.public_key().public_bytes_raw())
        events = self.papers.setdefault(machine.log, [])
        before = len(events)
        for kind, body in notes:
            last = events[-1].head if events else Head.before(paper)
            events.append(Event(last.n + 1, MORNING.isoformat(), kind, body, last.hash))
        if notes:
            batch = sign_batch(paper, before + 1, events[before:], events[-1].head.hash, signing)
            self.centre = custody.take(self.centre, batch).centre

    def lose(self, at: int, destroyed: bool) -> None:
        """A machine is given up for lost: burnt, or only thought so; the station goes on with a new one."""
        machine = self.machine(at)
        newest = max(one.log.generation for one in self.machines if one.log.station == machine.log.station)
        if newest > 2 or machine.log.generation != newest:
            return
        if destroyed:
            machine.up, machine.destroyed = False, True
        self.centre = custody.declare_lost(self.centre, machine.log)
        self.journal.append(partial(forgotten.lost, log=machine.log))
        if self.centre.books.marked:  # no package is made
            return
        self._enrol(LogId(POLL, machine.log.station, newest + 1))
        self.done["lost"] += 1


def on_paper(one: UUID) -> tuple[str, dict[str, Any]]:
    """A check-in as it is typed from paper."""
    typed = {"salt": "00" * 10, "typed": ["anna", "boris"]}
    return "check-in", {"entitlement": str(one), "channel": "polling-day", "officer": "m1", **typed}


def _closed(machine: Machine, now: datetime) -> Event:
    return channel_acts.do_end(machine.book, now) if machine.channel else acts.do_close(machine.book, "c1", now)
