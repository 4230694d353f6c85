"""What the world of `custody_world` stands on: machines, a centre, and a network that loses, repeats and reorders everything."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from custody_disk import LEASE, Machine
from pollbook_sample import CENTRE, MORNING, POLL, key, voter, who

from dauys.pollbook.log import words
from dauys.pollbook.log.events import Batch, Event, Head, LogError, LogId, sign_batch
from dauys.pollbook.machine import acts, channel_acts
from dauys.pollbook.machine.book import Book
from dauys.pollbook.rules import custody, decided, forgotten, holders
from dauys.pollbook.rules.books import Books
from dauys.pollbook.rules.custody import Centre, Custody, CustodyError, Place, Standing
from dauys.pollbook.rules.grants import BOOKS, Answer, Grant, Request

STATIONS, VOTERS = 3, 6
ADDED = STATIONS + 2
"""Voters who are added: one of each station before its list is made, others later."""
ALL = VOTERS + ADDED
UNHEARD = timedelta(hours=2)
CENTRE_KEY = CENTRE.public_key().public_bytes_raw()
HERE = Place(Standing.HERE, 0)
GIVES = ("check-in", "release", "certificate", "mobile-request", "mobile-out", "envelope")
"""By which a ballot is handed out or promised, or a right leaves."""
REFUSALS = (acts.Refused, CustodyError, LogError)


class Ground:
    """Machines, wire and centre; what is done on it are the steps of `World`.

    `paper`: a paper ballot replaces an electronic one; `late`: so many stations have no list yet.
    """

    def __init__(self, fault: str = "", paper: bool = True, late: int = 0) -> None:
        self.fault, self.paper = fault, paper
        self.machines: list[Machine] = []
        rights = {who(n): Custody(f"station/{n % STATIONS}/1", 0) for n in range(VOTERS)}
        self.centre = Centre(POLL, rights, unmade=frozenset(map(str, range(STATIONS))), books=Books(key=CENTRE_KEY))
        self.back = 0
        self.journal: list[Callable[[Centre], Centre]] = []
        """What was entered, enrolled and lost, in order: it lies beside the keys, and is entered again."""
        self.net: list[tuple[str, bytes, LogId]] = []
        self.grants: list[tuple[Grant, bytes]] = []
        """What was ever given, and the answer that gave it."""
        self.void = 0
        """So many of them were given before the centre was put back: it has forgotten them."""
        self.told: list[tuple[Machine, int, bytes]] = []
        self.leases: dict[str, datetime] = {}
        self.now = MORNING
        self.tap = 0
        self.typed: dict[Machine, Counter[UUID]] = {}
        self.papers: dict[LogId, list[Event]] = {}
        """Of lost machines: the logs that their paper was typed into."""
        self.steps = 0
        self.done: Counter[str] = Counter()
        self.enveloped: dict[UUID, UUID] = {}
        """Whose each envelope is, in truth."""
        self.heard: set[tuple[UUID, int]] = set()
        """Rights, and their epochs, that some machine was ever asked to let go, by an answer that it took."""
        self.asks: dict[str, set[tuple[UUID, int]]] = {}
        """Those that the answers to a batch ask for, by the digest of the batch."""
        self.promised: dict[UUID, Machine] = {}
        """Whose voters were told to go there: the machine that keeps the right, for nobody asks it for it."""
        self.ahead: set[UUID] = set()
        """Whose right moved before any list of its station was made: it begins with the grant."""
        self.homes: dict[UUID, LogId] = {who(n): LogId(POLL, str(n % STATIONS), 1) for n in range(VOTERS)}
        self.added: list[str] = []
        """The stations of voters VOTERS, VOTERS + 1, ... who were added one after the other."""
        for number in range(STATIONS):
            self.enter(number)
        for station in (*map(str, range(STATIONS - late)), "remote"):
            self.begin(station)

    def send(self, at: int, first: int) -> None:
        """A batch sets out; it may carry what was sent before, or leave a gap."""
        machine = self.machine(at)
        if machine.up:
            events = [event for event in machine.events() if event.n >= first]
            first = events[0].n if events else len(machine.disk) + 1
            head = events[-1].head.hash if events else machine.book.head.hash
            machine.asked = sign_batch(machine.log, first, events, head, machine.signing).to_bytes()
            self.net.append(("batch", machine.asked, machine.log))

    def deliver(self, message: int, committed: bool = True, let_go: bool = True, torn: bool = False) -> None:
        """Anything that was ever on the wire arrives, again or late; the centre may crash before it has committed.

        `torn`: the power goes when the machine has done the first thing that it was asked for.
        """
        if not self.net:
            return
        kind, data, log = self.net[-1 - message % min(len(self.net), 60)]
        self.done[f"{kind} arrives"] += 1
        if kind == "whole":
            mark, n, head = json.loads(data)
            self.centre = forgotten.whole(self.centre, log, mark, Head(n, head))
            return
        if kind == "answer":
            for machine in self.machines:
                if machine.log == log and machine.up:
                    self._hear(machine, data, let_go, torn)
            return
        before, ahead = self.centre, set(self.ahead)
        taken = custody.take(before, Batch.from_bytes(data))
        self.centre = taken.centre
        self._grant_what_is_free()
        if not committed:
            self.centre, self.ahead = before, ahead
            return
        known = self.centre
        given = tuple(grant.signed(CENTRE) for grant in custody.granted_to(known, log))
        asked = () if known.books.marked else custody.asked_of(known, log)
        if known.books.mark and log not in known.books.whole:
            asked = (Request(known.books.mark, who(0), 0, BOOKS),)
        of = words.digest(data)
        self.asks.setdefault(of, set()).update((one.entitlement, one.epoch) for one in asked)
        lease = self.leases[log.holder] = self.now + UNHEARD
        answer = Answer(
            log, known.logs[log].key, of, taken.acknowledged, taken.send_from, taken.stopped, lease, asked, given,
            lost=known.logs[log].lost,
        ).to_bytes(CENTRE)  # fmt: skip
        self.grants += [(grant, answer) for grant in given]
        self.net.append(("answer", answer, log))

    def waits_for(self, one: UUID, epoch: int) -> bool:
        """Whether a machine may still hear, by the answer to what it sent last, that it should let this right go."""
        waiting = (words.digest(machine.asked) for machine in self.machines if machine.asked)
        return any((one, epoch) in self.asks.get(of, ()) for of in waiting)

    def forge(self, message: int, at: int, how: int) -> None:
        """Somebody on the wire changes a batch; none of it may be taken."""
        batches = [data for kind, data, _ in self.net if kind == "batch"]
        if not batches:
            return
        true = Batch.from_bytes(batches[message % len(batches)])
        if how == 0 and true.events:
            event = true.events[-1]
            changed = Event(event.n, "19" + event.at[2:], event.kind, event.body, event.prev)
            false = replace(true, events=(*true.events[:-1], changed), head=changed.head.hash)
        elif how == 1:
            false = sign_batch(true.log, true.first, true.events, true.head, key(999))
        else:
            other = self.machine(at).log
            false = replace(true, log=other if other != true.log else LogId(POLL, "9", 1))
        try:
            custody.take(self.centre, false)
        except LogError as error:
            assert error.check in ("P.003", "P.004", "P.005"), error
            self.done["forged batch refused"] += 1
        else:
            raise AssertionError("a forged batch was taken")

    def replay_grant(self, grant: int, at: int) -> None:
        """An answer with a grant that was ever given comes again, long after: to whom it was given, or to another. And the grant
        itself comes again, in an answer of the centre to what is asked now, unless it has forgotten it."""
        if not self.grants:
            return
        logs = {machine.log.holder: machine for machine in self.machines}
        gone = [
            n
            for n, (one, _) in enumerate(self.grants)
            if logs[one.to].book.places.get(one.entitlement, HERE).standing is Standing.AWAY
        ]
        again = gone if gone and at < 3 else range(len(self.grants))
        given, answer = self.grants[n := again[grant % len(again)]]
        machine = logs[given.to] if at < 3 else self.machine(at)
        if machine.up:
            self._hear(machine, answer, True)
        if machine.up and n >= self.void:
            self._act(machine, "receive", lambda book, now: acts.do_receive(book, given, now))

    def machine_with(self, standing: Standing, at: int, channel: bool = True) -> int:
        """A machine that is up, from that one on, where some right stands so; `channel`: an electronic channel's, too."""
        every = [(at + step) % len(self.machines) for step in range(len(self.machines))]
        turned = [one for one in every if self.machines[one].up and (channel or not self.machines[one].channel)]
        places = (self.machines[one].book.places.values() for one in turned)
        return next(
            (one for one, found in zip(turned, places, strict=True) if any(p.standing is standing for p in found)), at
        )

    def holder_of(self, number: int) -> int:
        """The machine that holds a right, by what the centre knows; any other where none does."""
        has = self.centre.custody.get(who(number))
        return next((n for n, one in enumerate(self.machines) if has is not None and one.log.holder == has.holder), 0)

    def newest(self, station: str) -> int:
        """The machine of a station that was enrolled last."""
        return max((n for n, machine in enumerate(self.machines) if machine.log.station == station), default=0)

    @property
    def channel(self) -> int:
        """The machine of the electronic channel that works."""
        return self.newest("remote")

    def one_of(self, at: int, standing: Standing, number: int) -> int:
        """One of the voters who stand so at that machine, where there are any; otherwise the number itself."""
        places = self.machine(at).book.places
        found = [n for n in range(ALL) if (place := places.get(who(n))) and place.standing is standing]
        return found[number % len(found)] if found else number

    def machine(self, at: int) -> Machine:
        return self.machines[at % len(self.machines)]

    def _read(self, machine: Machine) -> int | None:
        """How far a machine's log is read; of one whose paper was typed in, what it had sent."""
        return len(self.centre.logs[machine.log].hashes) if machine in self.typed else None

    def _of(self, machine: Machine) -> tuple[str, str]:
        """The holders that the centre has for what this machine has."""
        return machine.log.holder, machine.log.paper.holder

    def _sent(self, machine: Machine) -> Counter[UUID]:
        """What the centre has of a machine that is gone, counted from its hashes and the true disk."""
        n = len(self.centre.logs[machine.log].hashes)
        short = Machine(machine.log, [], machine.signing)
        short.disk = machine.disk[:n]
        return short.standing()

    def _act(
        self, machine: Machine, name: str, act: Callable[[Book, datetime], Event | None], crash: str = ""
    ) -> Event | None:
        if not machine.up:
            return None
        try:
            event = act(machine.book, self.now + machine.clock)
        except REFUSALS as error:
            self.done[f"{name} refused {error.check}"] += 1
            return None
        if event is not None:
            self.done["strike" if "request" in event.body and event.kind == "undo" else name] += 1
            self._store(machine, event, crash)
        return event

    def _store(self, machine: Machine, event: Event, crash: str = "") -> None:
        """Durable first, then told. `crash`: the power goes before the disk has it, or before the officer hears."""
        assert not (machine.gone and event.kind in GIVES), f"a machine that heard that it is lost goes on: {event.kind}"
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

    def _hear(self, machine: Machine, data: bytes, let_go: bool, torn: bool = False) -> None:
        """The machine hears what may be an answer, and takes only that to the batch for which it waits."""
        try:
            answer = Answer.from_bytes(data, machine.log, machine.public, machine.asked, CENTRE_KEY)
        except LogError as error:
            assert error.check in ("P.002", "P.008"), error
            self.done["old answer refused" if error.check == "P.008" else "another's answer refused"] += 1
            return
        machine.asked = b""
        self.heard |= {(one.entitlement, one.epoch) for one in answer.requests}
        machine.stopped = machine.book.hear(answer)
        machine.lease, machine.lost = machine.book.lease, machine.book.lost
        machine.gone |= machine.lost
        assert not machine.stopped, "an honest station was stopped"
        for grant in answer.grants:
            self._act(machine, "receive", lambda book, now, grant=grant: acts.do_receive(book, grant, now))
        for request in answer.requests if let_go else ():
            if request.to == BOOKS:
                head = machine.book.head
                self.net.append(("whole", json.dumps([request.id, head.n, head.hash]).encode(), machine.log))
                continue
            crash = "after" if torn else ""
            while (
                self._act(machine, "release", lambda book, now, one=request: channel_acts.let_go(book, one, now), crash)
                is not None
            ):
                continue

    def _grant_what_is_free(self) -> None:
        logs = {log.holder: log for log in self.centre.logs}
        for request in list(self.centre.requests.values()):
            before = self.centre
            try:
                if request.to == holders.WITHDRAWN:
                    self.centre = decided.settle(self.centre, request.id)
                    continue
                self.centre, _ = custody.grant(self.centre, request.id, logs[request.to])
                self.done["grant"] += 1
            except CustodyError:
                continue
            finally:
                one = request.entitlement
                if before.custody[one] != self.centre.custody[one] and custody.never_listed(
                    before, before.custody[one]
                ):
                    self.ahead.add(one)

    def _enrol(self, log: LogId) -> None:
        """The station's list as the centre has it: what another holder has, this very station's lost log too, is away."""
        signing = key(len(self.machines) + 1)
        waiting = [one for one, has in self.centre.custody.items() if has.holder == decided.unlisted(log.station)]
        self.centre = decided.listed(self.centre, log)
        self.homes |= dict.fromkeys(waiting, log)
        public = signing.public_key().public_bytes_raw()
        self.centre = custody.enrol(self.centre, log, public)
        self.journal.append(partial(forgotten.enrolled, log=log, key=public))
        lines = []
        for number in range(ALL):
            has = self.centre.custody.get(who(number))
            home = (*(str(n % STATIONS) for n in range(VOTERS)), *self.added, *([""] * ADDED))[number]
            if has is not None and home == log.station:
                away = "" if has.holder == log.holder else has.holder
                if away and log.generation == 1:  # in doubt: it may have been given ahead of this list
                    self.ahead.add(who(number))
                if self.fault == "the new machine gets the old list" and has.holder.startswith(
                    f"station/{log.station}/"
                ):
                    away = ""
                lines.append(voter(number, epoch=has.epoch, away=away))
        machine = Machine(log, lines, signing, self.paper)
        self.machines.append(machine)
        self.leases[log.holder] = LEASE
        opened = (
            channel_acts.do_begin(machine.book, MORNING)
            if machine.channel
            else acts.do_open(machine.book, "c1", MORNING)
        )
        self._store(machine, opened)
