"""Where a station is: read from the list, kept in its one form, in entries that are never too large."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest

from dauys.errors import BadInput, DauysError
from dauys.polls.opening import STATION_BYTES, STATIONS_PER_ENTRY, _chunks
from dauys.record.canonical import canonical
from dauys.registers.poll import PLACE, Station
from dauys.registers.poll_file import TableSource, read_stations


def listed(folder: Path, text: str, **columns: str) -> list[Station]:
    (folder / "stations.csv").write_text(text, encoding="utf-8")
    return read_stations(TableSource(folder / "stations.csv", columns))


def test_a_list_may_say_where_its_stations_are(tmp_path: Path) -> None:
    text = 'id,area,eligible,address,settlement,phone\n1,A,10,"ул. Абая,  10",Акбулак,x\n2,A,20,,,y\n'
    assert listed(tmp_path, text) == [
        Station("1", "A", 10, address="ул. Абая, 10", settlement="Акбулак"), Station("2", "A", 20),
    ]  # fmt: skip
    assert listed(tmp_path, "id,area,eligible\n1,A,10\n") == [Station("1", "A", 10)]
    mapped = listed(tmp_path, "id,area,eligible,мекенжай\n1,A,10,Абай көшесі 5\n", address="мекенжай")
    assert mapped[0].address == "Абай көшесі 5"
    with pytest.raises(BadInput) as fault:
        listed(tmp_path, f"id,area,eligible,settlement\n1,A,10,{'x' * 101}\n")
    assert (fault.value.field, fault.value.row) == ("settlement", 2)


def test_a_list_may_say_which_key_a_station_signs_with_and_what_lies_abroad(tmp_path: Path) -> None:
    key = b64encode(bytes(range(32))).decode()
    text = f"id,area,eligible,pub,where\n1,A,10,{key},no\n2,A,20,,yes\n3,A,30,,\n"
    assert listed(tmp_path, text, key="pub", abroad="where") == [
        Station("1", "A", 10, bytes(range(32))), Station("2", "A", 20, abroad=True), Station("3", "A", 30),
    ]  # fmt: skip
    for wrong in (key[:-2], "x" * 44, b64encode(bytes(31)).decode(), key[:-2] + "9="):
        with pytest.raises(BadInput) as fault:
            listed(tmp_path, f"id,area,eligible,key\n1,A,10,{wrong}\n")
        assert (fault.value.field, fault.value.row) == ("key", 2)
    with pytest.raises(BadInput, match="where") as fault:  # mapped, and not there
        listed(tmp_path, "id,area,eligible,abroad\n1,A,10,yes\n", abroad="where")
    assert fault.value.check == "F.010"
    with pytest.raises(BadInput, match="abroad or not"):
        listed(tmp_path, "id,area,eligible,abroad\n1,A,10,maybe\n")


def test_a_station_has_one_form() -> None:
    plain = Station("1", "A", 10, bytes(32), True, "Абая 10", "Акбулак")
    assert Station.from_json(plain.to_json()) == plain
    assert Station("1", "A", 10).to_json() == {"id": "1", "area": "A", "eligible": 10}
    for name, most in PLACE.items():
        for wrong in ("", " x", "x" * (most + 1), "a\nb", 7, None):
            with pytest.raises(DauysError):
                Station.from_json({"id": "1", "area": "A", "eligible": 10, name: wrong})


def test_long_addresses_make_more_entries_and_short_ones_the_same_as_before() -> None:
    short = [Station(str(n), "A", n) for n in range(2 * STATIONS_PER_ENTRY + 1)]
    assert [len(chunk) for chunk in _chunks(short)] == [STATIONS_PER_ENTRY, STATIONS_PER_ENTRY, 1]
    long = [Station(str(n), "A", n, address="ы" * 300, settlement="ң" * 100) for n in range(300)]
    chunks = list(_chunks(long))
    assert [one for chunk in chunks for one in chunk] == [one.to_json() for one in long]
    assert len(chunks) > 3 and all(len(canonical({"stations": chunk})) < STATION_BYTES + 100 for chunk in chunks)
