"""Readers: files of protocols and reports become batches; what is wrong is named by number and row."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_stations import GOOD, sample_poll

from dauys.errors import BadInput
from dauys.stations.batch import Batch
from dauys.stations.readers import Seen, protocols_of, read_protocols, read_turnout

POLL = sample_poll()
TWO = sample_poll("test/two", ("q1", "q2"))
NAMES = list(GOOD)


def table(*rows: dict[str, Any], names: list[str] | None = None) -> str:
    names = names or ["station", *NAMES]
    return "\n".join([",".join(names), *(",".join(str(row.get(name, "")) for name in names) for row in rows)])


def read(folder: Path, text: str, poll: Any = POLL, **options: Any) -> list[Batch]:
    path = folder / "p.csv"
    path.write_text(text, encoding="utf-8")
    return list(read_protocols(path, poll, **options))


def check_of(folder: Path, text: str, poll: Any = POLL, **options: Any) -> tuple[str | None, int | None]:
    with pytest.raises(BadInput) as caught:
        read(folder, text, poll, **options)
    return caught.value.check, caught.value.row


def test_a_plain_file(tmp_path: Path) -> None:
    (batch,) = read(tmp_path, table({"station": "s0", **GOOD}, {"station": "s1", **GOOD, "yes": 3}))
    assert list(batch.stations) == ["s0", "s1"] and batch.row(1) == 3
    assert batch.protocols() == [GOOD, GOOD | {"yes": 3}]
    assert batch.at is None and batch.sig is None and batch.words == {}


def test_the_labels_of_the_form_are_column_names_in_three_languages(tmp_path: Path) -> None:
    for language in ("kk", "ru", "en"):
        fields = [POLL.contests[0].form.field(name).labels[language] for name in NAMES]
        header = ";".join(["Участок", *(f'"{label}"' for label in fields)])
        (batch,) = read(tmp_path, header + "\ns0;" + ";".join(str(n) for n in GOOD.values()) + "\n")
        assert batch.protocols() == [GOOD]


def test_a_mapping_of_columns_ignores_all_others(tmp_path: Path) -> None:
    columns = {"station": ["region", "uik"], **{name: f"x_{name}" for name in NAMES}}
    names = ["region", "uik", "note", *(f"x_{name}" for name in NAMES)]
    row = {"region": "R", "uik": 7, "note": "n", **{f"x_{name}": value for name, value in GOOD.items()}}
    (batch,) = read(tmp_path, table(row, names=names), columns=columns)
    assert list(batch.stations) == ["R:7"] and batch.protocols() == [GOOD]
    assert check_of(tmp_path, table(row, names=names), columns=columns | {"maybe": "note"})[0] == "F.035"
    assert check_of(tmp_path, table(row, names=names), columns=columns | {"yes": ["x_yes", "x_no"]})[0] == "F.036"
    del columns["yes"]
    assert check_of(tmp_path, table(row, names=names), columns=columns)[0] == "F.010"


def test_what_is_not_mapped_goes_by_its_name_or_label(tmp_path: Path) -> None:
    label = POLL.contests[0].form.field("no").labels["ru"]
    names = ["place", *(label if name == "no" else name for name in NAMES if name != "yes"), "for", "by", "note"]
    row = {"place": "s0", label: GOOD["no"], "for": GOOD["yes"], "by": "bek", "note": "n", **GOOD}
    (batch,) = read(tmp_path, table(row, names=names), columns={"station": "place", "yes": "for"})
    assert list(batch.stations) == ["s0"] and batch.protocols() == [GOOD] and batch.by == ["bek"]
    assert check_of(tmp_path, table(row, names=names), columns={"station": "place"})[0] == "F.010"


def test_some_columns_of_a_turnout_report_are_mapped(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("station,hour,eligible,votes,note\ns1,12:00,10,6,x\n")
    (report,) = read_turnout(path, POLL, {"received": "votes"})
    assert (report.hour, report.received.tolist()) == ("12:00", [6])
    with pytest.raises(BadInput) as caught:
        read_turnout(path, POLL, {"yes": "votes"})
    assert caught.value.check == "F.035"


@pytest.mark.parametrize(
    ("rows", "poll", "expected"),
    [
        ([{"station": "s0", **GOOD}, {"station": "s0", **GOOD}], POLL, ("F.021", 3)),
        ([{"station": "s0", **GOOD}, {"station": "", **GOOD}], POLL, ("F.011", 3)),
        ([{"station": "s0", **GOOD, "contest": "q9"}], POLL, ("F.022", 2)),
        ([{"station": "s0", **GOOD, "contest": "q1"}, {"station": "s1", **GOOD, "contest": "q3"}], TWO, ("F.022", 3)),
        ([{"station": "s0", **GOOD, "contest": "q1"}, {"station": "s0", **GOOD, "contest": "q1"}], TWO, ("F.021", 3)),
    ],
)
def test_faults_name_their_row(tmp_path: Path, rows: list[Any], poll: Any, expected: tuple[str, int]) -> None:
    names = ["station", *(["contest"] if "contest" in rows[0] else []), *NAMES]
    assert check_of(tmp_path, table(*rows, names=names), poll) == expected


def test_a_poll_with_two_questions_needs_the_contest(tmp_path: Path) -> None:
    assert check_of(tmp_path, table({"station": "s0", **GOOD}), TWO)[0] == "F.010"
    with pytest.raises(BadInput) as caught:
        protocols_of(TWO, [{"station": "s0", **GOOD, "contest": "q1"}, {"station": "s1", **GOOD}])
    assert (caught.value.check, caught.value.row) == ("F.011", 2)


def test_a_station_twice_is_found_across_batches(tmp_path: Path) -> None:
    rows = [{"station": f"s{n}", **GOOD} for n in range(10)]
    assert check_of(tmp_path, table(*rows, rows[2]), chunk_rows=4) == ("F.021", 12)
    assert [len(batch) for batch in read(tmp_path, table(*rows), chunk_rows=4)] == [4, 4, 2]


def test_optional_fields_words_and_authors(tmp_path: Path) -> None:
    names = ["station", *NAMES, "delivered", "yes_words", "at", "by", "sig"]
    rows = [
        {"station": "s0", **GOOD, "delivered": 900, "yes_words": "пятьсот", "at": "2022-06-05T21:00:00+06:00"},
        {"station": "s1", **GOOD, "by": "bek"},
    ]
    (batch,) = read(tmp_path, table(*rows, names=names))
    assert batch.protocols() == [GOOD | {"delivered": 900}, GOOD]
    assert batch.words == {"yes": ["пятьсот", ""]} and batch.by == ["", "bek"] and batch.sig is None


def test_json_rows_flat_or_nested() -> None:
    flat = {"station": "s0", **GOOD}
    nested = {"station": "s1", "values": GOOD, "words": {"yes": "five hundred"}}
    (batch,) = protocols_of(POLL, [flat, nested])
    assert batch.protocols() == [GOOD, GOOD] and batch.words == {"yes": ["", "five hundred"]}
    for bad in ({"station": "s0", "values": [1]}, {"station": "s0", **GOOD, "values": {"yes": 1}}):
        with pytest.raises(BadInput):
            protocols_of(POLL, [bad])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["q1", "q2"]), min_size=1, max_size=30), st.integers(1, 7))
def test_mixed_contests_lose_no_row(tmp_path_factory: pytest.TempPathFactory, contests: list[str], size: int) -> None:
    rows = [{"station": f"s{n}", "contest": c, **GOOD, "yes": n} for n, c in enumerate(contests)]
    path = tmp_path_factory.mktemp("r") / "p.json"
    path.write_text(json.dumps(rows))
    found = {
        (batch.contest, station, int(yes), batch.row(place))
        for batch in read_protocols(path, TWO, chunk_rows=size)
        for place, (station, yes) in enumerate(zip(batch.stations, batch.values["yes"], strict=True))
    }
    assert found == {(c, f"s{n}", n, n + 1) for n, c in enumerate(contests)}


def test_turnout_by_hour(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("station,time,eligible,received\ns1,12:00,10,6\ns0,10:00,10,4\ns0,12:00,10,5\n")
    early, late = read_turnout(path, POLL)
    assert (early.hour, list(early.stations), early.received.tolist()) == ("10:00", ["s0"], [4])
    assert (late.hour, list(late.stations), list(late.rows or ())) == ("12:00", ["s1", "s0"], [2, 4])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 60), min_size=1, max_size=40), st.integers(1, 9))
def test_the_first_station_that_stands_twice_is_named_with_both_rows(numbers: list[int], size: int) -> None:
    """Whatever the batches, Seen says what a plain list would."""
    seen = Seen()
    first: dict[int, int] = {}
    twice = next((place for place, n in enumerate(numbers) if first.setdefault(n, place) != place), None)
    cut = range(0, len(numbers), size)
    parts = [Batch("q1", [f"s{n}" for n in numbers[a : a + size]], {}, rows=range(a + 2, a + size + 2)) for a in cut]
    if twice is None:
        for part in parts:
            seen.add(part)
        return
    with pytest.raises(BadInput) as caught:
        for part in parts:
            seen.add(part)
    fault = caught.value
    assert (fault.check, fault.row, fault.found) == ("F.021", twice + 2, f"s{numbers[twice]}")
    assert f"row {first[numbers[twice]] + 2} already" in fault.message


def test_equal_hashes_of_different_stations_are_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pl.Series, "hash", lambda series: pl.Series([7] * len(series), dtype=pl.UInt64))
    seen = Seen()
    seen.add(Batch("q1", ["a", "b"], {}))
    seen.add(Batch("q1", ["c"], {}))
    with pytest.raises(BadInput):
        seen.add(Batch("q1", ["d", "b"], {}))


def test_a_column_that_one_of_several_contests_needs_is_missing(tmp_path: Path) -> None:
    first, second = TWO.contests
    more = replace(second.form, fields=(*second.form.fields, replace(second.form.field("no"), name="third", labels={})))
    poll = replace(TWO, contests=(first, replace(second, form=more)))
    rows = [{"station": "s0", **GOOD, "contest": contest} for contest in ("q1", "q2")]
    with pytest.raises(BadInput, match="columns are missing: third") as caught:
        read(tmp_path, table(*rows, names=["station", "contest", *NAMES]), poll)
    assert (caught.value.check, caught.value.row, caught.value.field) == ("F.010", 3, "q2")
    assert len(read(tmp_path, table(rows[0], names=["station", "contest", *NAMES]), poll)) == 1
