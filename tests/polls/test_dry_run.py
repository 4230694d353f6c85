"""A file counted without a database: the same sums, whatever the order of its rows; what is absent, faulty, unknown, twice."""

from __future__ import annotations

import random
from collections.abc import Sequence
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
from dauys.registers.table import read_table
from dauys.stations.readers import read_protocols

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


def file_of(folder: Path, rows: Sequence[tuple[object, ...]], header: tuple[str, ...] = ("station", *NAMES)) -> Path:
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


def test_a_station_that_stands_twice_is_named_with_both_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the file is cut into blocks, and in whatever order its rows stand."""
    rows: list[tuple[object, ...]] = [(station.id, *GOOD) for station in STATIONS]
    for order in (rows, rows[::-1]):
        for first, again in ((0, 1), (0, 8), (2, 4), (6, 7)):
            faulty = [*order[:again], order[first], *order[again:]]
            for block in (60, 100, 4000):
                monkeypatch.setitem(read_table.__kwdefaults__ or {}, "block", block)
                with pytest.raises(BadInput) as caught:
                    dry_run(file_of(tmp_path, faulty), POLL, STATIONS)
                fault = caught.value
                assert (fault.check, fault.row, fault.found) == ("F.021", again + 2, order[first][0])
                assert f"row {first + 2} already" in fault.message


@pytest.mark.parametrize("block", [100, 1 << 20])
def test_identities_over_optional_fields_hold_where_a_protocol_gives_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    """F.104 delivered = received + cancelled, F.107 and F.109 on the mobile box, W.110: as intake decides them, row by row."""
    monkeypatch.setitem(read_table.__kwdefaults__ or {}, "block", block)
    optional = ("delivered", "cancelled", "mobile_requests", "mobile_ballots")
    given: list[tuple[object, ...]] = [
        (81, 1, "", ""), (82, 1, "", ""), ("", 1, 5, 5), (0, "", 5, 6), ("", "", "", 71), (80, 0, 80, 71), ("",) * 4,
        (102, 22, "", ""),
    ]  # fmt: skip
    rows = [(station.id, *GOOD, *values) for station, values in zip(STATIONS, given, strict=False)]
    path = file_of(tmp_path, rows, ("station", *NAMES, *optional))
    (run,) = dry_run(path, POLL, STATIONS)
    expected: dict[str, tuple[str, ...]] = {}
    for batch in read_protocols(path, POLL, chunk_rows=3):
        for station, values in zip(batch.stations, batch.protocols(), strict=True):
            if numbers := tuple(identity.number for identity in FORM.broken(values)):
                expected[station] = numbers
    assert expected.pop(STATIONS[7].id) == ("W.110",)  # it is counted, with a warning
    assert run.faulty == expected and run.tally.stations == len(STATIONS) - len(expected)
    assert run.raised == {"F.104": 1, "W.110": 1, "F.107": 1, "F.109": 2}
    assert set(run.tally.national) == set(FORM.required)


def test_each_contest_is_counted_by_itself(tmp_path: Path) -> None:
    poll = replace(POLL, contests=(Contest("q1", LABELS, FORM, RULE), Contest("q2", LABELS, FORM, RULE)))
    rows = [("q1", "s5", *GOOD), ("q2", "s5", 100, 80, 70, 20, 40, 6, 4), ("q2", "s0", *GOOD)]
    first, second = dry_run(file_of(tmp_path, rows, ("contest", "station", *NAMES)), poll, STATIONS)
    assert (first.tally.stations, first.tally.national["yes"]) == (1, 40)
    assert (second.tally.stations, second.tally.national["yes"], second.missing) == (2, 60, 6)
