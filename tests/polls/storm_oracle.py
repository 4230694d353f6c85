"""Is what a centre says of a poll what truly happened? Person by person, once everything is heard.

Who is one person, and who was handed a ballot, the world says. Of the programs that are tried only what they tell people is read: who
used his right, alarms, sums, what a voter's code finds, the audit. None of their rules is asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from joined_world import KEYS, Machine
from storm_people import HOME, Ballots, votes_of
from storm_world import here

from dauys.errors import DauysError
from dauys.pollbook.gathered.audit import audit_poll
from dauys.pollbook.gathered.states import alarms, whole
from dauys.pollbook.sealed.commitment import code_of
from dauys.pollbook.settling.asked import state
from dauys.polls import pollbook_find
from dauys.polls.pollbook_join import report, reported, seal
from dauys.registers.poll import Poll
from dauys.store.engine import Connection

TWICE = "P.109"
PUT_BACK = "P.120"


@dataclass(frozen=True, slots=True)
class Polling:
    """One poll of the country: what truly happened in it, its centre, and its stations as voters find them."""

    connection: Connection
    poll: Poll
    now: Callable[[], datetime]
    ballots: Ballots
    right: Callable[[int], UUID]
    machines: Callable[[], Collection[Machine]]
    working: Callable[[str], Machine | None]
    wants: Callable[[Machine, int], None]
    heard: Callable[[], None]
    hand_out: Callable[[Machine, int], None]


@dataclass(frozen=True, slots=True)
class Alarm:
    """`serial`: whose right it is of; 0 of nobody's."""

    number: str
    serial: int
    settled: bool


@dataclass(slots=True)
class Reckoning:
    """What truly happened beside what the centre says. `persons`: who is one, by what the commission has carried out; `ever`: by
    whatever it decided at any time; `added_again`: whose addition the centre had forgotten; `counted`: whose envelopes were opened."""

    polling: Polling
    persons: Sequence[set[int]]
    ever: Sequence[set[int]]
    added_again: Collection[int]
    counted: Sequence[int] = ()
    documented: Counter[str] = field(default_factory=Counter)
    """Alarms that stand and name an innocent, as docs/custody.md and docs/running.md say."""

    def faults(self) -> Iterator[str]:
        with self.polling.connection.begin_nested():
            seal(self.polling.connection, self.polling.poll.id, KEYS.commission, self.polling.now())
        uses = self.polling.ballots.uses() + Counter(self.counted)
        yield from (f"the right of {one} was used {times} times" for one, times in uses.items() if times > 1)
        yield from self._counts(uses)
        told = list(self._alarms())
        yield from self._persons(uses, told)
        yield from self._rights(uses, told)
        yield from self._codes()
        for _, found in audit_poll(self.polling.connection, self.polling.poll.id):
            yield from (f"the audit finds {one.check}: {one.text}" for one in found)

    def _counts(self, uses: Counter[int]) -> Iterator[str]:
        """Each right as used as it is, and the sums: nothing that was acknowledged is lost, and nothing is counted beside."""
        connection, poll = self.polling.connection, self.polling.poll.id
        rows = connection.execute(
            sa.text(
                "SELECT e.id, CAST(e.state = 1 AS int) + (SELECT count(*) FROM pollbook_stray s WHERE s.poll = e.poll "
                "AND s.entitlement = e.id AND NOT s.undone) AS uses FROM entitlement e WHERE e.poll = :poll"
            ),
            {"poll": poll},
        )
        serial = self._serials()
        centre = Counter({serial[row.id]: int(row.uses) for row in rows})
        for one in HOME:
            if centre[one] != uses[one]:
                yield f"the centre counts otherwise: {one} was used {uses[one]} times, it says {centre[one]}"
        handed_out = sum(self.polling.ballots.uses().values())
        sums = {
            "check-ins": whole(connection, poll).check_ins,
            "in the record": pollbook_find.totals(connection, poll)["used"],
        }
        for name, found in sums.items():
            if found != handed_out:
                yield f"{handed_out} ballots were handed out, the centre says {found} ({name})"

    def _persons(self, uses: Counter[int], told: Sequence[Alarm]) -> Iterator[str]:
        """Of each person: every vote beyond the first is an alarm that stands, once, and no other one is."""
        stand, named = self._twice(), {one.serial for one in told if one.number == TWICE}
        more = 0
        for person, votes in votes_of(self.persons, uses):
            blamed = sorted(person & stand)
            more += max(votes - 1, 0)
            if len(blamed) != max(votes - 1, 0):
                yield f"one person, {sorted(person)}, voted {votes} times, and {TWICE} stands of {blamed}"
            if not named.issuperset(blamed):
                yield f"{TWICE} stands of {blamed}, and no alarm is kept"
        if innocent := {one for one in stand if not uses[one]} | stand - set().union(*self.persons):
            yield f"{TWICE} stands of an innocent: {sorted(innocent)}"
        if (said := state(self.polling.connection, self.polling.poll.id).twice) != more:
            yield f"{more} votes were beyond somebody's first, the centre says {said}"
        ever = self.polling.ballots.ever() | set(self.counted)
        for one in named:
            if one not in ever or not any(one in person and len(person & ever) > 1 for person in self.ever):
                yield f"{TWICE} was never true of {one}"

    def _rights(self, uses: Counter[int], told: Sequence[Alarm]) -> Iterator[str]:
        """No other alarm stands, for no station lied: but those that the docs foresee."""
        for alarm in told:
            if alarm.settled or alarm.number in (TWICE, PUT_BACK):
                continue
            if alarm.number in ("P.101", "P.103") and alarm.serial in self.added_again:
                self.documented[f"{alarm.number} of who was added again"] += 1
            else:
                yield f"a false alarm: {alarm}, used {uses[alarm.serial]} times"

    def _codes(self) -> Iterator[str]:
        """What each voter finds with his code."""
        for ballot in self.polling.ballots.handed_out:
            if ballot.by_hand:
                continue
            code = code_of(ballot.salt, self.polling.right(ballot.serial))
            found = pollbook_find.find(self.polling.connection, self.polling.poll.id, code)
            if (found.state == "counted") == ballot.back:
                yield f"the code of {ballot} says {found}"

    def turnout(self) -> Iterator[str]:
        """When every list is closed: the hour's reports, which come by themselves."""
        connection, poll = self.polling.connection, self.polling.poll
        with connection.begin_nested():
            report(connection, poll, self.polling.now())
        query = sa.text("SELECT coalesce(sum(received), 0) FROM turnout WHERE poll = :poll AND at = '20:00'")
        told = int(connection.scalar(query, {"poll": poll.id}) or 0)
        handed_out = sum(not one.at.startswith("remote/") for one in self.polling.ballots.standing())
        if told != handed_out:
            stations = reported(connection, poll.id, "20:00")
            yield f"{handed_out} ballots were handed out at stations, the turnout is {told} of {stations}"

    # What that is made of

    def _alarms(self) -> Iterator[Alarm]:
        """All that are kept, with the voters whom they name to the centre alone."""
        connection, poll, serial = self.polling.connection, self.polling.poll.id, self._serials()
        rows = connection.execute(
            sa.text(
                "SELECT a.number, l.station, l.generation, a.n, a.entitlement FROM pollbook_alarm a "
                "JOIN pollbook_log l ON l.id = a.log WHERE a.poll = :poll ORDER BY a.id DESC"
            ),
            {"poll": poll},
        ).all()
        shown = alarms(connection, poll, limit=len(rows) + 1)
        assert len(shown) == len(rows), "the desk does not show every alarm"
        for row, one in zip(rows, shown, strict=True):
            assert (row.number, row.station, row.generation, row.n) == (one.number, one.station, one.generation, one.n)
            yield Alarm(one.number, serial.get(row.entitlement, 0), one.settled)

    def _twice(self) -> set[int]:
        """Whose use is an alarm that stands: beyond the first of a person."""
        query = sa.text("SELECT entitlement FROM roll_withdrawal WHERE poll = :poll AND alarmed")
        serial = self._serials()
        return {serial[who] for who in self.polling.connection.scalars(query, {"poll": self.polling.poll.id})}

    def _serials(self) -> dict[UUID, int]:
        return {self.polling.right(serial): serial for serial in HOME}


def everybody_votes(
    polling: Polling, people: Sequence[set[int]], may: Collection[int], at_home: Callable[[int], bool]
) -> Iterator[str]:
    """Each person goes to the stations of all his entries. Who has not voted, and has one that may vote, votes, once; nobody
    else does. `at_home`: who stays there, given his right or not."""
    uses, refused = polling.ballots.uses(), dict[int, DauysError]()
    for serial in [one for person in people for one in sorted(person) if not uses[one]]:
        machine = polling.working(HOME[serial])
        if machine is not None and polling.right(serial) not in here(machine):
            try:
                polling.wants(machine, serial)
            except DauysError as error:
                refused[serial] = error
    polling.heard()
    for person, votes in votes_of(people, uses):
        got = {
            serial: machine
            for machine in polling.machines() if not machine.keep.book.closed
            for serial in person if polling.right(serial) in here(machine)
        }  # fmt: skip
        due = 1 if not votes and person & set(may) else 0
        if len(got) != due or not set(got) <= set(may):
            why = {serial: str(refused.get(serial, "")) for serial in person}
            yield f"{sorted(person)} voted {votes} times, {sorted(person & set(may))} may vote: given {sorted(got)}; {why}"
        for serial, machine in got.items():
            if not at_home(serial):
                polling.hand_out(machine, serial)
    polling.heard()
