"""A small poll for the tests of this room: three areas, made up stations, the form and rule of Kazakhstan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, time

import numpy as np
import sqlalchemy as sa

from dauys.law.packs import load_form, load_rule
from dauys.record.entry import Entry
from dauys.record.log import append, open_log
from dauys.registers.areas import Area
from dauys.registers.poll import Contest, Poll, Station
from dauys.stations.batch import Batch

AT = "2022-06-05T21:00:00+06:00"
GOOD = {"eligible": 1000, "received": 700, "participated": 690, "yes": 500, "no": 150, "invalid": 30, "not_counted": 10}


def labels(text: str) -> dict[str, str]:
    return dict.fromkeys(("kk", "ru", "en"), text)


def sample_poll(poll_id: str = "test/sample", contests: Sequence[str] = ("q1",)) -> Poll:
    form, rule = load_form("kz/referendum-protocol"), load_rule("kz/referendum-constitution")
    areas = tuple(Area(code=code, kind="area", names=labels(code)) for code in ("A", "B", "C"))
    return Poll(
        id=poll_id, kind="referendum", day=date(2022, 6, 5), names=labels("Sample"), timezone="Asia/Almaty",
        opens=time(7), closes=time(20), areas=areas,
        contests=tuple(Contest(name, labels(name), form, rule) for name in contests),
        reports=(time(10), time(12), time(18), time(22)),
    )  # fmt: skip


def open_sample(
    connection: sa.Connection, poll: Poll, stations: int = 6, keys: Mapping[str, bytes] | None = None
) -> list[Station]:
    made = [Station(f"s{n}", "ABC"[n % 3], 1000, (keys or {}).get(f"s{n}")) for n in range(stations)]
    open_log(connection, poll.id, f"test.example/{poll.id}")
    append(connection, poll.id, [Entry(poll.id, "poll", "poll", AT, "commission", poll.to_json())])
    connection.execute(
        sa.text("INSERT INTO station (poll, id, area, eligible, key) VALUES (:poll, :id, :area, :eligible, :key)"),
        [{"poll": poll.id, "id": s.id, "area": s.area, "eligible": s.eligible, "key": s.key} for s in made],
    )
    return made


def batch(rows: Mapping[str, Mapping[str, int]], contest: str = "q1", **rest: object) -> Batch:
    names = list(next(iter(rows.values())))
    columns = {name: np.array([row[name] for row in rows.values()], np.int64) for name in names}
    return Batch(contest, list(rows), columns, **rest)  # type: ignore[arg-type]
