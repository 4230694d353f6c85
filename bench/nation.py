"""The synthetic nation votes on one machine: 11.7 million rights, 10,012 stations, and the guarantee checked over every voter.

The roll is brought in, approved and frozen; every station is enrolled and sends signed batches to the centre's own code (without
HTTP: see the job `checkins`). One station in ten is offline until the evening, and sends everything then. One voter in a hundred
of those who vote does so elsewhere: asked for, let go, granted. Every twentieth batch is sent twice. With offline stations
nothing can be moved; their voters are told so, and vote at home. Then, over every voter: no right used twice, every check-in
that was answered is there, no alarm.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.batches import Machine
from bench.own_store import own_store
from bench.timing import Line, peak_mib
from dauys.pollbook.centre import moves
from dauys.pollbook.centre import take as centre
from dauys.pollbook.log.events import LogError, LogId
from dauys.pollbook.rules.custody import CustodyError
from dauys.pollbook.serving import service
from dauys.pollbook.wire.received import received
from dauys.polls.keys import throwaway_keys
from dauys.polls.opening import open_poll
from dauys.polls.sources import open_source
from dauys.registers.poll_file import find_poll, read_poll
from dauys.roll.changes import approve
from dauys.roll.freeze import freeze
from dauys.roll.importing import bring
from dauys.roll.synthetic import nation, write_nation
from dauys.roll.vault import new_vault

POLL, SEED, QUICK = "kz/2022-referendum", "bench", 117_225
MORNING = datetime(2022, 6, 5, 7, tzinfo=UTC)
TURNOUT, MOVE, OFFLINE, TWICE = 68, 100, 10, 20
TOGETHER, BATCH = 20, 100
CENTRE = Ed25519PrivateKey.from_private_bytes(b"c" * 32)


@dataclass(slots=True)
class Station:
    """A station: its machine, and the rights that it holds, 16 bytes each, one after the other."""

    machine: Machine
    rights: bytes
    used: int = 0

    @property
    def log(self) -> LogId:
        return self.machine.log

    def going(self) -> list[bytes]:
        """The rights of those who vote."""
        several = (self.rights[start : start + 16] for start in range(0, len(self.rights), 16))
        return [right for right in several if _number(right) % 100 < TURNOUT]

    def voting(self) -> Iterator[bytes]:
        """Everybody who votes here, a hundred at a time: signed batches."""
        going = self.going()
        for start in range(0, len(going), BATCH):
            part = going[start : start + BATCH]
            self.used += len(part)
            yield self.machine.check_ins(part)


def _number(right: bytes) -> int:
    return int.from_bytes(right[8:], "big")


def measure(quick: bool) -> list[Line]:
    """One line for the day; `--quick` has a nation of one hundredth, spread over as many stations."""
    described = read_poll(find_poll(POLL))
    source = open_source(described, throwaway_keys(described.poll))
    poll, vault = source.poll, new_vault()
    areas = {station.id: station.area for station in source.stations}
    with own_store() as (engine, folder):
        path = folder / "nation.csv"
        with _phase("the voters are made up"):
            write_nation(path, nation(source.stations, poll.areas, poll.day, SEED, QUICK if quick else None))
        with _phase("the roll is brought in"), engine.begin() as connection:
            bring(connection, vault, path, areas, day=poll.day, by="one", at=MORNING, bad_file=path.with_suffix(".bad"))
        path.unlink()
        with _phase("the roll is approved and frozen"), engine.begin() as connection:
            approve(connection, 1, "two", MORNING)
            keys = throwaway_keys(poll)
            open_poll(connection, poll, source.stations, keys, MORNING)
            frozen = freeze(connection, vault, poll, keys.commission, MORNING)
        with _phase(f"{frozen.voters:,} rights; their stations enrol"):
            stations = _enrolled(engine, poll.id)
        start = time.perf_counter()
        moved, refused = _day(engine, stations)
        seconds = time.perf_counter() - start
        used = sum(station.used for station in stations)
        with _phase("every voter is looked at"):
            _guarantee(engine, poll.id, used)
        _say(f"{moved:,} rights moved, {refused:,} could not; no right used twice, none of {used:,} check-ins lost")
        with _phase("bare COPY"), engine.connect() as connection:
            bare = _bare(connection)
    job = f"nation: {used:,} check-ins of {frozen.voters:,} voters ({used / seconds:,.0f} a second), {moved:,} moved"
    return [Line(job, [seconds], "bare COPY of the same events", [bare], peak=peak_mib())]


def _enrolled(engine: sa.Engine, poll: str) -> list[Station]:
    stations = []
    with engine.begin() as connection:
        rows = connection.execute(
            sa.text(
                "SELECT home, string_agg(uuid_send(id), '') AS rights FROM entitlement WHERE poll = :poll "
                "GROUP BY home ORDER BY home"
            ),
            {"poll": poll},
        )
        for row in rows:
            station = Station(Machine(LogId(poll, row.home, 1), MORNING), bytes(row.rights))
            centre.enrol(connection, station.log, station.machine.public, MORNING)
            stations.append(station)
    return stations


def _day(engine: sa.Engine, stations: Sequence[Station]) -> tuple[int, int]:
    """Morning: who votes elsewhere asks. Day: those with a wire. Evening: the others."""
    online = [station for place, station in enumerate(stations) if place % OFFLINE]
    offline = [station for place, station in enumerate(stations) if not place % OFFLINE]
    with _phase("in the morning: who votes elsewhere"):
        moved, refused = _moves(engine, stations, {station.log for station in offline})
    for name, several in (("by day", online), ("in the evening: stations that had no wire", offline)):
        with _phase(name):
            for start in range(0, len(several), TOGETHER):
                _together(engine, [station.voting() for station in several[start : start + TOGETHER]])
                if start // TOGETHER % 50 == 49:
                    _say(f"{name}: {sum(station.used for station in several):,} check-ins so far")
        _say(f"{name}: {sum(station.used for station in several):,} check-ins")
    return moved, refused


def _moves(engine: sa.Engine, stations: Sequence[Station], away: set[LogId]) -> tuple[int, int]:
    """One voter in a hundred stands at the next station: asked, let go, granted; refused where home is offline."""
    moved = refused = 0
    leaving = [[right for right in home.going() if _number(right) // 100 % MOVE == 0] for home in stations]
    for place, (home, several) in enumerate(zip(stations, leaving, strict=True)):
        host = stations[(place + 1) % len(stations)]
        if host.log in away or not several:
            continue
        with engine.begin() as connection:
            names = {f"{home.log.station}-{right.hex()}": UUID(bytes=right) for right in several}
            for name, right in names.items():
                moves.ask(connection, name, right, host.log, MORNING)
            if home.log in away:
                refused += sum(_refused(connection, name, host.log) for name in names)
                continue
            asked = [one for one in moves.asked_of(connection, home.log) if one.id in names]
            assert len(asked) == len(names)
            let_go = [
                ("release", {"entitlement": str(one.entitlement), "epoch": one.epoch, "request": one.id, "to": one.to})
                for one in asked
            ]
            _take(connection, [home.machine.events(*let_go)])
            given = [one.signed(CENTRE) for one in moves.grant_what_can_be(connection, host.log, MORNING)]
            assert len(given) == len(names)
            _take(connection, [host.machine.events(*(("receive", one.body()) for one in given))])
        gone = set(several)
        home.rights = b"".join(
            right for start in range(0, len(home.rights), 16) if (right := home.rights[start : start + 16]) not in gone
        )
        host.rights += b"".join(several)
        moved += len(several)
    return moved, refused


def _refused(connection: sa.Connection, request: str, host: LogId) -> bool:
    """Nobody gives what its holder, who cannot be reached, has not let go."""
    try:
        moves.grant(connection, request, host, MORNING)
    except CustodyError as error:
        return error.check == "P.052"
    return False


def _together(engine: sa.Engine, logs: Sequence[Iterator[bytes]]) -> None:
    """One batch of each log in turn, all in one transaction; some come twice."""
    count = 0
    while group := [batch for log in logs if (batch := next(log, None)) is not None]:
        with engine.begin() as connection:
            _take(connection, group)
        count += 1
        if count % TWICE == 0:
            with engine.begin() as connection:
                _take(connection, group)


def _take(connection: sa.Connection, batches: Sequence[bytes]) -> None:
    for said in service.answer(connection, [received(one) for one in batches], MORNING, lambda poll: CENTRE):
        assert not isinstance(said, LogError), said


def _guarantee(engine: sa.Engine, poll: str, used: int) -> None:
    """Over every voter, from the logs and from custody: nobody twice, nothing lost, no alarm."""
    with engine.connect() as connection:
        connection.exec_driver_sql("SET work_mem = '256MB'")
        twice = connection.scalar(
            sa.text(
                "SELECT count(*) FROM (SELECT entitlement FROM pollbook_event WHERE kind = 'check-in' "
                "GROUP BY entitlement HAVING count(*) > 1) AS t"
            )
        )
        events = connection.scalar(sa.text("SELECT count(*) FROM pollbook_event WHERE kind = 'check-in'"))
        marked = connection.scalar(
            sa.text("SELECT count(*) FROM entitlement WHERE poll = :poll AND state = 1"), {"poll": poll}
        )
        alarms = connection.scalar(sa.text("SELECT count(*) FROM pollbook_alarm"))
    assert (twice, events, marked, alarms) == (0, used, used, 0), (twice, events, marked, alarms, used)


def _bare(connection: sa.Connection) -> float:
    """Seconds in which the database alone writes the same events into a table without keys."""
    start = time.perf_counter()
    connection.execute(sa.text("CREATE TABLE bare_events AS SELECT * FROM pollbook_event"))
    connection.commit()
    return time.perf_counter() - start


@contextmanager
def _phase(name: str) -> Iterator[None]:
    """Says when a part begins, and how long it took: by the clock, and of this process's own processor time."""
    _say(f"{name} ...")
    start, own = time.perf_counter(), time.process_time()
    yield
    _say(
        f"{name}: {time.perf_counter() - start:,.0f} s ({time.process_time() - own:,.0f} s of this process), {peak_mib():,} MiB"
    )


def _say(text: str) -> None:
    print(f"{datetime.now():%H:%M:%S} nation: {text}", file=sys.stderr, flush=True)  # noqa: DTZ005 - for who waits here
