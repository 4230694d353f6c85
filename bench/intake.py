"""Protocols durable in PostgreSQL and in the record together, beside a bare COPY of the same bytes into tables without keys.

Ours is `receive`: checks, entries, tree, both tables, commit. The same rows of both tables are then read back and copied in one
transaction for each of ours, which PostgreSQL makes as durable.
"""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from datetime import time as hour

import numpy as np
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.own_store import own_store
from bench.timing import Line, peak_mib
from dauys.law.packs import load_form, load_rule
from dauys.record.entry import Entry
from dauys.record.log import open_log
from dauys.registers.areas import Area
from dauys.registers.poll import Contest, Poll
from dauys.stations.batch import Batch
from dauys.stations.intake import receive
from dauys.store.engine import driver

AT = "2022-06-05T21:00:00+06:00"
CHUNK = 20_000
AREAS = 17
FIELDS = ("eligible", "received", "participated", "yes", "no", "invalid", "not_counted")
NIGHT, MILLION = 10_012, 1_000_000

ENTRIES = "SELECT poll, seq, kind, id, body, leaf FROM entry WHERE poll = :poll AND seq >= :low AND seq < :high"
PROTOCOLS = (
    "SELECT poll, contest, station, version, state, values::text, checks, seq FROM protocol "
    "WHERE poll = :poll AND seq >= :low AND seq < :high"
)


def measure(quick: bool) -> list[Line]:
    """The night's protocols unsigned and signed by their stations."""
    with own_store() as (engine, _):
        return [
            _line(engine, "intake: 10,012 protocols", None, 3 if quick else 7),
            _line(engine, "intake: 10,012, signed by stations", Ed25519PrivateKey.generate(), 3 if quick else 7),
        ]


def measure_million(quick: bool) -> list[Line] | str:
    """A million protocols, once, in chunks: memory is bounded by a chunk."""
    if quick:
        return "left out by --quick"
    with own_store() as (engine, _):
        ours, theirs = _once(engine, "bench/million", MILLION, None)
    job = f"intake: 1,000,000 protocols ({MILLION / ours:,.0f} a second)"
    return [Line(job, [ours], "bare COPY", [theirs], most_mib=512, peak=peak_mib())]


def _line(engine: sa.Engine, job: str, key: Ed25519PrivateKey | None, repeats: int) -> Line:
    times = [_once(engine, f"bench/{'signed' if key else 'plain'}-{n}", NIGHT, key) for n in range(repeats + 1)]
    ours, theirs = zip(*times[1:], strict=True)
    return Line(job, ours, "bare COPY", theirs, most_seconds=2)


def _once(engine: sa.Engine, poll_id: str, size: int, key: Ed25519PrivateKey | None) -> tuple[float, float]:
    """Seconds of our intake into a fresh poll, and of copying what it wrote."""
    poll = sample_poll(poll_id)
    _open(engine, poll, size, key)
    ours = theirs = 0.0
    for number, batch in enumerate(batches(size)):
        given = _signed(poll, batch, key) if key else batch
        start = time.perf_counter()
        with engine.begin() as connection:
            receipts = receive(connection, poll, given, by="bench", at=AT)
        ours += time.perf_counter() - start
        assert [receipt.seq for receipt in receipts] == list(range(number * CHUNK, number * CHUNK + len(batch)))
        theirs += _bare(engine, poll_id, number * CHUNK, number * CHUNK + len(batch))
    return ours, theirs


def sample_poll(poll_id: str) -> Poll:
    """A poll of the form of kz/2022-referendum in 17 areas."""
    labels = dict.fromkeys(("kk", "ru", "en"), "bench")
    contest = Contest("q1", labels, load_form("kz/referendum-protocol"), load_rule("kz/referendum-constitution"))
    areas = tuple(Area(code=f"A{n:02}", kind="area", names=labels) for n in range(AREAS))
    return Poll(
        id=poll_id, kind="referendum", day=date(2022, 6, 5), names=labels, timezone="Asia/Almaty", opens=hour(7),
        closes=hour(20), areas=areas, contests=(contest,),
    )  # fmt: skip


def batches(size: int) -> Iterator[Batch]:
    """Good protocols of as many stations, in chunks."""
    for first in range(0, size, CHUNK):
        n = np.arange(first, min(first + CHUNK, size), dtype=np.int64)
        eligible = 1000 + n % 1000
        participated = eligible * 7 // 10
        yes, invalid, other = participated * 77 // 100, participated * 3 // 100, participated // 100
        no = participated - yes - invalid - other
        columns = (eligible, participated + n % 5, participated, yes, no, invalid, other)
        yield Batch("q1", [f"S{i:07}" for i in n.tolist()], dict(zip(FIELDS, columns, strict=True)))


def _open(engine: sa.Engine, poll: Poll, size: int, key: Ed25519PrivateKey | None) -> None:
    public = key.public_key().public_bytes_raw() if key else None
    with engine.begin() as connection:
        open_log(connection, poll.id, f"bench/{poll.id}")
        with (
            driver(connection).cursor() as cursor,
            cursor.copy("COPY station (poll, id, area, eligible, key) FROM STDIN") as copy,
        ):
            for n in range(size):
                copy.write_row((poll.id, f"S{n:07}", f"A{n % AREAS:02}", 1000 + n % 1000, public))
        connection.execute(
            sa.text(
                "CREATE TABLE IF NOT EXISTS bare_entry (poll text, seq int8, kind text, id text, body bytea, leaf bytea);"
                "CREATE TABLE IF NOT EXISTS bare_protocol (poll text, contest text, station text, version int4, state text, "
                "values jsonb, checks text[], seq int8)"
            )
        )


def _signed(poll: Poll, batch: Batch, key: Ed25519PrivateKey) -> Batch:
    sigs = []
    for station, values in zip(batch.names(), batch.protocols(), strict=True):
        body = {"contest": batch.contest, "station": station, "values": values}
        entry = Entry(poll.id, "protocol", f"protocol/{batch.contest}/{station}", AT, station, body)
        sigs.append(b64encode(key.sign(entry.signed_bytes())).decode())
    return replace(batch, at=[AT] * len(batch), by=batch.names(), sig=sigs)


def _bare(engine: sa.Engine, poll_id: str, low: int, high: int) -> float:
    """Seconds for a durable COPY of the rows of both tables with these places, in one transaction."""
    span = {"poll": poll_id, "low": low, "high": high}
    with engine.begin() as connection:
        found = {
            "bare_entry": connection.execute(sa.text(ENTRIES), span).all(),
            "bare_protocol": connection.execute(sa.text(PROTOCOLS), span).all(),
        }
    start = time.perf_counter()
    with engine.begin() as connection:
        for name, rows in found.items():
            with driver(connection).cursor() as cursor, cursor.copy(f"COPY {name} FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
    return time.perf_counter() - start
