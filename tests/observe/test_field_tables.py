"""Is a table taken whole or not at all, whatever its headers, separators and encoding, and is every row's fault named?"""

from __future__ import annotations

from pathlib import Path

import pytest
from field_world import COPY, NIGHT, NOON, STATIONS, Notebook, incoming, mission, official, poll
from hypothesis import given, settings
from hypothesis import strategies as st

from dauys.errors import BadInput
from dauys.observe.field.intake import note_poll, take
from dauys.observe.field.tables import preview, take_table
from dauys.observe.known.keep import create, open_keep

HEADER = "station,observer,eligible,received,participated,yes,no,invalid,not_counted"
NUMBERS = ",".join(COPY.values())


def look(keep: Notebook, data: bytes) -> list[tuple[int, str]]:
    found = preview(keep, data, "protocol", NIGHT, official(), "charter")
    return [(row.number, "" if row.fault is None else str(row.fault.check)) for row in found.rows]


@pytest.mark.parametrize(
    ("header", "separator", "encoding"),
    [
        (HEADER, ",", "utf-8"),
        (HEADER.upper(), ";", "utf-8-sig"),
        ("Участок,Наблюдатель,Число граждан имеющих право участвовать в референдуме,Число граждан получивших бюллетени,"
         "Число граждан принявших участие в голосовании,Число голосов «за»,Число голосов «против»,invalid,not counted",
         "\t", "cp1251"),
        ("Polling Station,OBSERVER,eligible,received,Citizens who took part,Votes for (yes),No,Invalid ballots,not_counted",
         ";", "utf-16"),
    ],
)  # fmt: skip
def test_headers_separators_and_encodings(tmp_path: Path, header: str, separator: str, encoding: str) -> None:
    text = f"{header}\r\n{STATIONS[3]},O-1,{NUMBERS}\r\n\r\n{STATIONS[0]},,{NUMBERS}\r\n".replace(",", separator)
    keep = mission(tmp_path)
    assert look(keep, text.encode(encoding)) == [(2, ""), (4, "")]
    taken = take_table(keep, text.encode(encoding), "protocol", NIGHT, official(), "charter")
    assert [one.observer for one in taken] == ["O-1", "O-1"], "where one observer is at a station he need not be named"
    assert all(dict(one.values) == {name: int(text) for name, text in COPY.items()} for one in taken)


def test_every_fault_is_named_and_nothing_is_taken(tmp_path: Path) -> None:
    keep = mission(tmp_path)
    rows = [f"{STATIONS[3]},O-1,{NUMBERS}", f"{STATIONS[3]},O-1,{NUMBERS}", f"{STATIONS[3]},,{NUMBERS}", f"KZ99,O-1,{NUMBERS}",
            f"{STATIONS[3]},O-2,{NUMBERS.replace('512', '-1')}", f"{STATIONS[3]},O-2,{NUMBERS},7"]  # fmt: skip
    data = "\n".join((HEADER, *rows)).encode()
    assert look(keep, data) == [(2, ""), (3, "O.118"), (4, "O.102"), (5, "O.105"), (6, "O.108"), (7, "O.118")]
    with pytest.raises(BadInput, match=r"O\.118.*row 3.*nothing was taken"):
        take_table(keep, data, "protocol", NIGHT, official(), "charter")
    assert not keep.mission.reports


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (HEADER.encode(), "no rows"),
        (b"observer,yes\nO-1,5", "which station"),
        (b"station,yes,Votes for (yes)\nx,5,5", "two columns mean yes"),
        (b'station,yes\n"x,5', "cannot be read"),
        (b"station\0,yes\nx,5", "no text table|not a text"),
        (b"station\n" + b"x" * (3 << 20), "too large"),
    ],
)
def test_what_is_no_table(tmp_path: Path, data: bytes, said: str) -> None:
    with pytest.raises(BadInput, match=said) as caught:
        preview(mission(tmp_path), data, "protocol", NIGHT, official(), "charter")
    assert caught.value.check == "O.118"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Notebook:
    return mission(tmp_path_factory.mktemp("tables"))


@given(data=st.binary(max_size=120) | st.text("station,obrveyn;\n\"'0123456789KZ-\t", max_size=120).map(str.encode))
@settings(max_examples=40, deadline=None)
def test_any_bytes_are_looked_at_or_refused(drawn: Notebook, data: bytes) -> None:
    try:
        found = preview(drawn, HEADER.encode() + b"\n" + data, "protocol", NIGHT, official(), "charter")
    except BadInput as fault:
        assert fault.check == "O.118"
    else:
        assert all(row.fault is not None for row in found.rows)


def test_the_real_store_keeps_a_report_once_and_a_table_whole(tmp_path: Path) -> None:
    keep = create(tmp_path / "m")
    for event in mission(tmp_path).events():
        keep.append(event.kind, event.body, event.by, NOON)
    note_poll(keep, poll(), NOON)
    first = take(keep, incoming("p/1"), NIGHT, official())
    assert take(keep, incoming("p/1"), NIGHT, official()) == first
    data = f"{HEADER}\n{STATIONS[0]},O-1,{NUMBERS}\n{STATIONS[1]},O-1,{NUMBERS}\n".encode()
    assert len(take_table(keep, data, "protocol", NIGHT, official(), "charter")) == 2
    assert take_table(keep, data, "protocol", NIGHT, official(), "charter") == []
    found = dict(keep.mission.reports)
    keep.close()
    again = open_keep(tmp_path / "m")
    assert dict(again.mission.reports) == found and len(found) == 3
    again.close()
