"""A file counted without a database: the same sums, whatever the order of its rows; what is absent, faulty, unknown, twice."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, time
from pathlib import Path

import pytest

from dauys.count.tally import covers
from dauys.errors import BadInput
from dauys.law.packs import load_form, load_rule
from dauys.polls.dry_run import Listed, dry_run
from dauys.registers.areas import Area
from dauys.registers.poll import Contest, Poll, Station

NAMES = ("eligible", "received", "participated", "yes", "no", "invalid", "not_counted")
GOOD = (100, 80, 70, 40, 20, 6, 4)
LABELS = dict.fromkeys(("kk", "ru", "en"), "sample")
FORM, RULE = load_form("kz/referendum-protocol"), load_rule("kz/referendum-constitution")
POLL = Poll(
    id="test/dry", kind="referendum", day=date(2022, 6, 5), names=LABELS, timezone="Asia/Almaty", opens=time(7),
    closes=time(20), areas=tuple(Area(code=code, kind="area", names=LABELS) for code in "AB"),
    contests=(Contest("q1", LABELS, FORM, RULE),),
)  # fmt: skip
STATIONS = [Station(f"s{n}", "AB"[n % 2], 100) for n in (5, 0, 3, 11, 2, 10, 1, 4)]


def file_of(folder: Path, rows: list[tuple[object, ...]], header: tuple[str, ...] = ("station", *NAMES)) -> Path:
    path = folder / "p.csv"
    path.write_text("\n".join(",".join(map(str, row)) for row in (header, *rows)) + "\n")
    return path


def test_the_order_of_the_rows_does_not_matter(tmp_path: Path) -> None:
    rows: list[tuple[object, ...]] = [
        (station.id, 100, 80, 60 + n, 30 + n, 20, 6, 4) for n, station in enumerate(STATIONS)
    ]
    listed = Listed.of(POLL, STATIONS)
    (own_order,) = dry_run(file_of(tmp_path, rows), POLL, listed)
    random.Random(1).shuffle(rows)
    (any_order,) = dry_run(file_of(tmp_path, rows), POLL, STATIONS)
    assert own_order.to_json() == any_order.to_json()
    assert own_order.tally.national["yes"] == sum(30 + n for n in range(8))
    odd = sum(30 + n for n, station in enumerate(STATIONS) if station.area == "B")
    assert own_order.tally.areas["B"]["yes"] == odd
    assert own_order.tally.covers == covers(station.id for station in STATIONS)


def test_faulty_and_absent_protocols_are_in_no_sum(tmp_path: Path) -> None:
    rows = [("s0", *GOOD), ("s1", *GOOD), ("s2", 100, 80, 70, 41, 20, 6, 4)]
    (run,) = dry_run(file_of(tmp_path, rows), POLL, STATIONS)
    assert run.to_json()["stations"] == {"expected": 8, "counted": 2, "quarantined": 1, "missing": 5}
    assert run.raised == {"F.101": 1}
    assert run.to_json()["faulty"] == [{"station": "s2", "checks": ["F.101"]}]
    assert (run.tally.national["yes"], run.tally.covers) == (80, covers(["s0", "s1"]))
    assert run.decision.outcome == "undetermined"


@pytest.mark.parametrize(
    ("rows", "check", "row"),
    [
        ([("s0", *GOOD), ("s9", *GOOD)], "F.020", 3),
        ([("s0", *GOOD), ("s1", *GOOD), ("s0", *GOOD)], "F.021", 4),
    ],
)
def test_what_intake_would_refuse_is_refused(
    tmp_path: Path, rows: list[tuple[object, ...]], check: str, row: int
) -> None:
    with pytest.raises(BadInput) as caught:
        dry_run(file_of(tmp_path, rows), POLL, STATIONS)
    assert (caught.value.check, caught.value.row) == (check, row)


def test_each_contest_is_counted_by_itself(tmp_path: Path) -> None:
    poll = replace(POLL, contests=(Contest("q1", LABELS, FORM, RULE), Contest("q2", LABELS, FORM, RULE)))
    rows = [("q1", "s5", *GOOD), ("q2", "s5", 100, 80, 70, 20, 40, 6, 4), ("q2", "s0", *GOOD)]
    first, second = dry_run(file_of(tmp_path, rows, ("contest", "station", *NAMES)), poll, STATIONS)
    assert (first.tally.stations, first.tally.national["yes"]) == (1, 40)
    assert (second.tally.stations, second.tally.national["yes"], second.missing) == (2, 60, 6)
