"""How fast are protocols durable, in PostgreSQL and in the record, against a bare COPY of the same rows?

    python bench/intake.py [rows ...]     default 10012; 1000000 shows that memory stays bounded

Each figure is a ratio in one run: `receive` (checks, entries, tree, both tables, commit) to one COPY of the same columns into
a table without keys, committed the same way. Peak memory is this process's; the server's is its own.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from datetime import time as hour
from pathlib import Path

import numpy as np
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.law.packs import load_form, load_rule
from dauys.record.entry import Entry
from dauys.record.log import open_log
from dauys.registers.areas import Area
from dauys.registers.poll import Contest, Poll
from dauys.stations.batch import Batch
from dauys.stations.intake import receive
from dauys.store.engine import driver, open_store

AT = "2022-06-05T21:00:00+06:00"
CHUNK = 20_000
AREAS = 17


@dataclass(frozen=True)
class Row:
    """One line of the table: seconds of ours and of the baseline, and what came of it."""

    what: str
    rows: int
    seconds: float
    baseline: float
    peak_mib: int

    @property
    def ratio(self) -> float:
        return self.seconds / self.baseline

    @property
    def rate(self) -> float:
        return self.rows / self.seconds


def measure(sizes: Sequence[int] = (10_012,), signed: bool = True) -> list[Row]:
    """Unsigned and (up to 100,000 rows) signed intake of each size, each beside its baseline."""
    found = []
    with tempfile.TemporaryDirectory(prefix="dauys") as folder:
        engine = open_store(Path(folder))
        engine.connect().close()
        for size in sizes:
            for key in (None, Ed25519PrivateKey.generate()) if signed and size <= 100_000 else (None,):
                found.append(_one(engine, size, key))
        engine.dispose()
    return found


def _one(engine: sa.Engine, size: int, key: Ed25519PrivateKey | None) -> Row:
    poll = _poll(f"bench/{size}-{'signed' if key else 'plain'}")
    _open(engine, poll, size, key)
    baseline = _bare(engine, size)
    batches = [_signed(poll, batch, key) for batch in _batches(size)] if key else _batches(size)
    start = time.perf_counter()
    taken = 0
    for batch in batches:
        with engine.begin() as connection:
            taken += len(receive(connection, poll, batch, by="bench", at=AT))
    seconds = time.perf_counter() - start
    assert taken == size
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return Row("intake, signed by stations" if key else "intake", size, seconds, baseline, peak)


def _poll(poll_id: str) -> Poll:
    labels = dict.fromkeys(("kk", "ru", "en"), "bench")
    contest = Contest("q1", labels, load_form("kz/referendum-protocol"), load_rule("kz/referendum-constitution"))
    areas = tuple(Area(code=f"A{n:02}", kind="area", names=labels) for n in range(AREAS))
    return Poll(
        id=poll_id, kind="referendum", day=date(2022, 6, 5), names=labels, timezone="Asia/Almaty", opens=hour(7),
        closes=hour(20), areas=areas, contests=(contest,),
    )  # fmt: skip


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


def _batches(size: int) -> Iterator[Batch]:
    for first in range(0, size, CHUNK):
        n = np.arange(first, min(first + CHUNK, size), dtype=np.int64)
        eligible = 1000 + n % 1000
        participated = eligible * 7 // 10
        yes, invalid, other = participated * 77 // 100, participated * 3 // 100, participated // 100
        values = {
            "eligible": eligible,
            "received": participated + n % 5,
            "participated": participated,
            "yes": yes,
            "no": participated - yes - invalid - other,
            "invalid": invalid,
            "not_counted": other,
        }
        yield Batch("q1", [f"S{i:07}" for i in n.tolist()], values)


def _signed(poll: Poll, batch: Batch, key: Ed25519PrivateKey) -> Batch:
    sigs = []
    for station, values in zip(batch.stations, batch.protocols(), strict=True):
        body = {"contest": batch.contest, "station": station, "values": values}
        entry = Entry(poll.id, "protocol", f"protocol/{batch.contest}/{station}", AT, station, body)
        sigs.append(b64encode(key.sign(entry.signed_bytes())).decode())
    return replace(batch, at=[AT] * len(batch), by=batch.stations, sig=sigs)


def _bare(engine: sa.Engine, size: int) -> float:
    """Seconds for one durable COPY of the same rows, as PostgreSQL itself would take them."""
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE bare (contest text, station text, values jsonb)"))
    start = time.perf_counter()
    for batch in _batches(size):
        with (
            engine.begin() as connection,
            driver(connection).cursor() as cursor,
            cursor.copy("COPY bare (contest, station, values) FROM STDIN") as copy,
        ):
            for station, values in zip(batch.stations, batch.protocols(), strict=True):
                copy.write_row((batch.contest, station, json.dumps(values)))
    seconds = time.perf_counter() - start
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE bare"))
    return seconds


def main() -> None:
    sizes = [int(text) for text in sys.argv[1:]] or [10_012]
    print("| job | protocols | seconds | per second | bare COPY, s | ratio | peak MiB |")
    print("|---|---|---|---|---|---|---|")
    for row in measure(sizes):
        print(
            f"| {row.what} | {row.rows:,} | {row.seconds:.2f} | {row.rate:,.0f} | {row.baseline:.2f} "
            f"| {row.ratio:.1f} | {row.peak_mib} |"
        )


if __name__ == "__main__":
    main()
