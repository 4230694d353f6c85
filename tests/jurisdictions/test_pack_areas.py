"""The tables of areas in the packs, and what a malformed table is told."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from dauys.errors import BadInput
from dauys.law.packs import load_pack, pack_names
from dauys.registers.areas import Area, areas_on, read_areas

KZ = read_areas(load_pack("kz").areas)
REFERENDUM = date(2022, 6, 5)


def test_the_territories_of_5_june_and_of_8_june_2022() -> None:
    before, after = (areas_on(KZ, day) for day in (date(2022, 6, 7), date(2022, 6, 8)))
    assert sorted(area.kind for area in before) == ["capital", "city", "city"] + ["region"] * 14
    new = {area.code: area.separated_from for area in after if area not in before}
    assert new == {"KZ10": "KZ63", "KZ33": "KZ19", "KZ62": "KZ35"}
    assert len(after) == 20


def test_the_capital_has_the_name_of_the_day() -> None:
    names = [
        next(area.names["en"] for area in areas_on(KZ, day) if area.code == "KZ71")
        for day in (REFERENDUM, date(2022, 9, 16), date(2022, 9, 17))
    ]
    assert names == ["Nur-Sultan", "Nur-Sultan", "Astana"]


def test_the_western_five_were_an_hour_behind_on_the_day() -> None:
    noon = datetime(2022, 6, 5, 12, tzinfo=ZoneInfo("UTC"))
    hours = {a.code: noon.astimezone(ZoneInfo(a.timezone or "")).utcoffset() for a in areas_on(KZ, REFERENDUM)}
    western = {code for code, offset in hours.items() if offset == timedelta(hours=5)}
    assert western == {"KZ15", "KZ23", "KZ27", "KZ43", "KZ47"}
    assert {hours[code] for code in set(hours) - western} == {timedelta(hours=6)}


def test_kato_numbers_have_nine_digits_and_follow_the_code() -> None:
    assert all(area.classifier is not None and area.classifier == area.code[2:] + "0000000" for area in KZ)


@pytest.mark.parametrize("pack", pack_names())
def test_an_area_survives_the_record(pack: str) -> None:
    for area in read_areas(load_pack(pack).areas):
        back = Area.from_json(area.to_json())
        assert (back.code, back.kind, back.names, back.weight) == (area.code, area.kind, area.names, area.weight)
        assert (back.timezone, back.classifier) == (area.timezone, area.classifier)


def test_half_cantons_and_jura() -> None:
    cantons = read_areas(load_pack("ch").areas)
    assert {a.code for a in cantons if a.weight == Fraction(1, 2)} == {"OW", "NW", "BS", "BL", "AR", "AI"}
    assert sum(a.weight for a in areas_on(cantons, date(1978, 12, 31))) == 22
    assert sum(a.weight for a in areas_on(cantons, date(1979, 1, 1))) == 23


HEADER = "code,kind,parent,since,until,timezone,weight,name_kk,name_ru,name_en\n"
ROW = "A,region,,2000-01-01,,Asia/Almaty,1,а,б,c\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (ROW, "row 1: unknown column; found 'A'; expected one of: code, kind"),
        (HEADER.replace(",weight", ""), "the column weight is missing"),
        (HEADER.replace(",", ";"), "wrong separator"),
        (HEADER.replace("kind", "code"), "there twice"),
        (HEADER + ROW.replace("Almaty", "Atlantis"), "row 2, field timezone: no such time zone"),
        (HEADER + ROW.replace("2000-01-01", "2000-13-01"), "row 2, field since: not a day"),
        (HEADER + ROW.replace(",1,", ",0.5,"), "row 2, field weight: cannot be read"),
        (HEADER + ROW.replace("б", ""), "row 2, field name_ru: the cell is empty"),
        (HEADER + ROW.replace(",,Asia", ",1999-01-01,Asia"), "ends before it begins"),
        (HEADER + ROW + ROW, "row 3, field code: this area exists twice on one day"),
        (HEADER + ROW.replace("region,,", "region,B,"), "field parent: no such area in this table; found 'B'"),
        (HEADER + ROW + "A,region\n", "row 3: wrong number of cells; found 2; expected 10"),
        (HEADER + '"A\n', "not readable as CSV"),
        ("", "the file is empty"),
    ],
)
def test_a_malformed_table_is_told_with_file_and_place(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "areas.csv"
    path.write_text(text)
    with pytest.raises(BadInput) as refused:
        read_areas(path)
    assert refused.value.file == str(path)
    assert message in str(refused.value)
