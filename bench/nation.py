"""The synthetic nation votes on one machine: 11.7 million rights, 10,012 stations, and the guarantee checked over every voter.

The roll is brought in, approved and frozen; every station is enrolled and sends signed batches to the centre's own code (without
HTTP: see the job `checkins`). One station in ten is offline until the evening, and sends everything then. One voter in a hundred
of those who vote does so elsewhere: asked for, let go, granted. Every twentieth batch is sent twice. With offline stations
nothing can be moved; their voters are told so, and vote at home. Then, over every voter: no right used twice, every check-in
that was answered is there, no alarm.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.timing import Line, peak_mib
from dauys.pollbook import centre, moves, service
from dauys.pollbook.custody import CustodyError
from dauys.pollbook.log import Batch, Event, Head, LogError, LogId, sign_batch
from dauys.polls.keys import throwaway_keys
from dauys.polls.opening import open_poll
from dauys.polls.sources import open_source
from dauys.registers.poll_file import find_poll, read_poll
from dauys.roll.changes import approve
from dauys.roll.freeze import freeze
from dauys.roll.importing import bring
from dauys.roll.synthetic import nation, write_nation
from dauys.roll.vault import new_vault
from dauys.store.engine import open_store

POLL, SEED, QUICK = "kz/2022-referendum", "bench", 117_225
MORNING = datetime(2022, 6, 5, 7, tzinfo=UTC)
TURNOUT, MOVE, OFFLINE, TWICE = 68, 100, 10, 20
TOGETHER, BATCH = 64, 100
CENTRE = Ed25519PrivateKey.from_private_bytes(b"c" * 32)


@dataclass(slots=True)
class Station:
    """A station's machine: its log and the rights that it holds."""

    log: LogId
    key: Ed25519PrivateKey
    rights: list[UUID]
    head: Head = field(init=False)
    used: int = 0

    def __post_init__(self) -> None:
        self.head = Head.before(self.log)

    def batch(self, events: Sequence[tuple[str, dict[str, object]]]) -> Batch:
        """The next events of its log, signed."""
        first, made = self.head.n + 1, []
        for kind, body in events:
            made.append(Event(self.head.n + 1, MORNING.isoformat(), kind, body, self.head.hash))
            self.head = made[-1].head
        return sign_batch(self.log, first, made, self.head.hash, self.key)

    def voting(self) -> Iterator[Batch]:
        """Everybody who votes here, a hundred at a time."""
        going = [right for right in self.rights if right.int % 100 < TURNOUT]
        for start in range(0, len(going), BATCH):
            part = going[start : start + BATCH]
            self.used += len(part)
            yield self.batch([_check_in(right, self.head.n) for right in part])


def _check_in(right: UUID, salt: int) -> tuple[str, dict[str, object]]:
    body = {
        "entitlement": str(right),
        "channel": "polling-day",
        "officer": "m1",
        "salt": f"{right.int % 16**8 + salt:020x}",
    }
    return "check-in", body


def measure(quick: bool) -> list[Line]:
    """One line for the day; `--quick` has a nation of one hundredth, spread over as many stations."""
    described = read_poll(find_poll(POLL))
    source = open_source(described, throwaway_keys(described.poll))
    poll, vault = source.poll, new_vault()
    with tempfile.TemporaryDirectory(prefix="dauys") as name:
        engine = open_store(Path(name))
        path = Path(name) / "nation.csv"
        write_nation(path, nation(source.stations, poll.areas, poll.day, SEED, QUICK if quick else None))
        areas = {station.id: station.area for station in source.stations}
        with engine.begin() as connection:
            bring(connection, vault, path, areas, day=poll.day, by="one", at=MORNING, bad_file=path.with_suffix(".bad"))
        path.unlink()
        with engine.begin() as connection:
            approve(connection, 1, "two", MORNING)
            keys = throwaway_keys(poll)
            open_poll(connection, poll, source.stations, keys, MORNING)
            frozen = freeze(connection, vault, poll, keys.commission, MORNING)
        _say(f"{frozen.voters:,} rights frozen")
        stations = _enrolled(engine, poll.id)
        start = time.perf_counter()
        moved, refused = _day(engine, stations)
        seconds = time.perf_counter() - start
        used = sum(station.used for station in stations)
        _guarantee(engine, poll.id, used)
        _say(f"{moved:,} rights moved, {refused:,} could not; no right used twice, none of {used:,} check-ins lost")
        with engine.connect() as connection:
            bare = _bare(connection)
        engine.dispose()
    job = f"nation: {used:,} check-ins of {frozen.voters:,} voters ({used / seconds:,.0f} a second), {moved:,} moved"
    return [Line(job, [seconds], "bare COPY of the same events", [bare], peak=peak_mib())]


def _enrolled(engine: sa.Engine, poll: str) -> list[Station]:
    stations = []
    with engine.begin() as connection:
        rows = connection.execute(
            sa.text(
                "SELECT home, array_agg(id) AS rights FROM entitlement WHERE poll = :poll GROUP BY home ORDER BY home"
            ),
            {"poll": poll},
        )
        for row in rows:
            station = Station(LogId(poll, row.home, 1), Ed25519PrivateKey.generate(), list(row.rights))
            centre.enrol(connection, station.log, station.key.public_key().public_bytes_raw(), MORNING)
            stations.append(station)
    return stations


def _day(engine: sa.Engine, stations: Sequence[Station]) -> tuple[int, int]:
    """Morning: who votes elsewhere asks. Day: those with a wire. Evening: the others."""
    online = [station for place, station in enumerate(stations) if place % OFFLINE]
    offline = [station for place, station in enumerate(stations) if not place % OFFLINE]
    moved, refused = _moves(engine, stations, {station.log for station in offline})
    for name, several in (("by day", online), ("in the evening", offline)):
        for start in range(0, len(several), TOGETHER):
            _together(engine, [station.voting() for station in several[start : start + TOGETHER]])
        _say(f"{name}: {sum(station.used for station in several):,} check-ins")
    return moved, refused


def _moves(engine: sa.Engine, stations: Sequence[Station], away: set[LogId]) -> tuple[int, int]:
    """One voter in a hundred stands at the next station: asked, let go, granted; refused where home is offline."""
    moved = refused = 0
    leaving = [[right for right in home.rights if _leaves(right)] for home in stations]
    for place, home in enumerate(stations):
        host = stations[(place + 1) % len(stations)]
        if host.log in away:
            continue
        for right in leaving[place]:
            name = f"{home.log.station}-{right}"
            with engine.begin() as connection:
                moves.ask(connection, name, right, host.log, MORNING)
                if home.log in away:
                    try:
                        moves.grant(connection, name, host.log, MORNING)
                    except CustodyError as error:
                        assert error.check == "P.052"
                        refused += 1
                    continue
                (request,) = (one for one in moves.asked_of(connection, home.log) if one.id == name)
                body: dict[str, object] = {
                    "entitlement": str(right),
                    "epoch": request.epoch,
                    "request": name,
                    "to": request.to,
                }
                _take(connection, [home.batch([("release", body)])])
                given = moves.grant(connection, name, host.log, MORNING).signed(CENTRE)
                _take(connection, [host.batch([("receive", given.body())])])
            home.rights.remove(right)
            host.rights.append(right)
            moved += 1
    return moved, refused


def _leaves(right: UUID) -> bool:
    """Whether this voter stands at another station: one in a hundred of those who vote."""
    return right.int % 100 < TURNOUT and right.int // 100 % MOVE == 0


def _together(engine: sa.Engine, logs: Sequence[Iterator[Batch]]) -> None:
    """One batch of each log in turn, all in one transaction; some come twice."""
    count = 0
    while group := [batch for log in logs if (batch := next(log, None)) is not None]:
        with engine.begin() as connection:
            _take(connection, group)
        count += 1
        if count % TWICE == 0:
            with engine.begin() as connection:
                _take(connection, group)


def _take(connection: sa.Connection, batches: Sequence[Batch]) -> None:
    for said in service.answer(
        connection, [Batch.from_bytes(one.to_bytes()) for one in batches], MORNING, lambda poll: CENTRE
    ):
        assert not isinstance(said, LogError), said


def _guarantee(engine: sa.Engine, poll: str, used: int) -> None:
    """Over every voter, from the logs and from custody: nobody twice, nothing lost, no alarm."""
    with engine.connect() as connection:
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


def _say(text: str) -> None:
    print(f"nation: {text}", file=sys.stderr, flush=True)
