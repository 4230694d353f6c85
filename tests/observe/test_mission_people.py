"""Are observers entered whole or not at all, sent out evenly, one of each organisation to a station, and suspended with a reason?"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from compared_world import World
from hypothesis import given, settings
from hypothesis import strategies as st
from mission_world import WHO, Desk, desk

from dauys.errors import BadInput
from dauys.observe.field.coverage import coverage, stages
from dauys.observe.known.model import Event, Mission
from dauys.observe.known.people import Crowded, even, read_list
from dauys.observe.known.rights import one_at_a_time

AT = "2022-06-05T09:00:00+06:00"


def mission(stations: int = 6, coalition: tuple[str, ...] = ("erkin",)) -> Mission:
    found = Mission()
    tell(found, "identity", code="adil", names={"en": "Adil"}, poll="kz/x", source="s", zone="UTC", coalition=coalition)
    tell(found, "frame", sha256="f", stations=stations, record_size=0)
    names = [f"S{n}" for n in range(stations)]
    strata = [{"name": "all", "ids": names, "stations": stations, "take_all": False}]
    tell(found, "drawn", frame_sha256="f", stations=names, strata=strata)
    return found


def tell(found: Mission, kind: str, **body: object) -> None:
    found.apply(Event(found.size, AT, "office", kind, body))


def listed(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "list.csv"
    path.write_bytes(text.encode())
    return path


def test_a_list_is_read_with_ids_given_and_made(tmp_path: Path) -> None:
    text = "\ufeffName;Organisation;Phone;Station;Id\nАйгерім Т.;;+7 (701) 123-45-67;S1;\nB;erkin;;S1;e-7\n;;;;\nC;adil;;;\n"
    found = read_list(listed(tmp_path, text), mission())
    assert [(one.id, one.name, one.organisation, one.phone, one.station) for one in found] == [
        ("O-001", "Айгерім Т.", "adil", "+77011234567", "S1"),
        ("E-7", "B", "erkin", "", "S1"),
        ("O-002", "C", "adil", "", ""),
    ]


@pytest.mark.parametrize(
    ("text", "row", "field"),
    [
        ("name\nA\n\n  ,\nB,surplus\n", 5, None),
        ("name,shoe\nA,42\n", 1, "shoe"),
        ("organisation\nadil\n", 1, None),
        ("name,name\nA,B\n", 1, None),
        ("name,organisation\nA,adil\nB,strangers\n", 3, "organisation"),
        ("name,station\nA,S1\nB,S9\n", 3, "station"),
        ("name,station\nA,S1\nB,S1\n", 3, "station"),
        ("name,id\nA,X\nB,x\n", 3, "id"),
        ("name,phone\nA,nobody\n", 2, "phone"),
        (f"name\n{'A' * 200}\n", 2, "name"),
        ("name\n", None, None),
    ],
)
def test_a_list_with_a_fault_is_refused_whole(tmp_path: Path, text: str, row: int | None, field: str | None) -> None:
    with pytest.raises(BadInput) as error:
        read_list(listed(tmp_path, text), mission())
    assert (error.value.row, error.value.field) == (row, field)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["adil", "erkin"]), st.sampled_from(["", "N", "S"]), st.booleans()), max_size=9),
    st.integers(1, 3),
    st.sampled_from([("*",), ("N",), ("S",), ()]),
)
def test_an_even_assignment(people: list[tuple[str, str, bool]], most: int, scope: tuple[str, ...]) -> None:
    found = mission()
    areas = {f"S{n}": "NS"[n % 2] for n in range(6)}
    for n, (organisation, area, out) in enumerate(people):
        tell(found, "observer", id=f"O{n}", name="A", organisation=organisation, area=area)
        if out:
            tell(found, "suspended", observer=f"O{n}", why="w")
    for organisation in ("adil", "erkin"):
        for station, observer in even(found, organisation, areas, scope, most):
            tell(found, "assigned", observer=observer, station=station)  # raises where it may not be
            assert "*" in scope or areas[station] in scope
        free = [one for one in found.observers.values() if one.organisation == organisation and not one.suspended]
        load = Counter({one.id: len(found.where(one.id)) for one in free})
        reachable = sum("*" in scope or areas[name] in scope for name in areas)
        assert sum(load.values()) == min(reachable, most * len(free)), "as many stations as there are observers for"
        assert not load or max(load.values()) <= most
        if free and all(not one.area for one in free):
            assert max(load.values()) - min(load.values()) <= 1
    assert even(found, "adil", areas, scope, most) == [], "a second time there is nothing left to do"


def test_who_lives_there_goes_there_first() -> None:
    found = mission(2)
    for name, area in (("O1", "S"), ("O2", "N")):
        tell(found, "observer", id=name, name="A", organisation="adil", area=area)
    assert even(found, "adil", {"S0": "N", "S1": "S"}) == [("S0", "O2"), ("S1", "O1")]


def test_one_of_an_organisation_by_the_law_of_the_day(tmp_path: Path) -> None:
    poll = World(per_area=3).official().poll
    assert one_at_a_time(replace(poll, day=date(2026, 3, 15))).startswith(
        "Elections law 20, 20-1, 20-2; Referendum law 9"
    )
    assert one_at_a_time(poll) == "Elections law 20, 20-1, 20-2 (since 2022-11-05)" and one_at_a_time(None) == ""
    with pytest.raises(Crowded, match=r"O\.027.*row 3.*O-001 of the same") as caught:
        read_list(listed(tmp_path, "name,station\nA,S1\nB,S1\n"), mission(), one_at_a_time(poll))
    assert caught.value.cite == one_at_a_time(poll)


def test_coverage_counts_what_was_reached() -> None:
    found = mission(3)
    tell(found, "observer", id="O1", name="A", organisation="adil")
    tell(found, "assigned", observer="O1", station="S0")
    for n, (station, form) in enumerate((("S0", "arrival"), ("S0", "protocol"), ("S1", "protocol"), ("S2", "count"))):
        tell(
            found, "report", key=str(n), observer="O1", station=station, form=form, values={}, written=AT, channel="sms"
        )
    tell(found, "judged", report=found.by_key["1"], standing="verified")
    tell(found, "judged", report=found.by_key["2"], standing="rejected")
    assert stages(found) == {
        "S0": {"planned", "assigned", "arrived", "copy", "verified"},
        "S1": {"planned"},
        "S2": {"planned", "count"},
    }
    said = coverage(found, None)
    assert said["stages"]["verified"] == 1 and said["areas"][0]["planned"] == 3


def test_in_the_browser_from_a_list_to_a_suspension(tmp_path: Path) -> None:
    here: Desk = desk(tmp_path / "m").set_up()
    here.post("/en/setup", **{**WHO, "coalition": "erkin"})
    here.post("/en/sample/freeze")
    here.post("/en/sample/commit", allocation="simple", n="4", seed="")
    here.post("/en/sample/draw")
    drawn = here.keep.mission.sample.stations  # type: ignore[union-attr]
    text = "name,organisation\n" + "".join(f"P{n},{('adil', 'erkin')[n % 2]}\n" for n in range(6))
    slips = here.post("/en/people/list", files={"file": ("l.csv", text.encode())})
    codes = list(here.office.extra["slips"].values())
    assert slips.url.path == "/en/people/slips" and slips.text.count("<svg") == 6
    assert all(f"{code[:5]}-{code[5:]}" in slips.text for code in codes)
    assert not any(code in str(here.keep.events()) for code in codes), "the log has marks of codes, not codes"
    assert here.post("/en/people/slips").url.path == "/en/people"
    assert not any(code[:5] in here.get("/en/people/slips").text for code in codes), "printed once"
    before = here.keep.mission.size
    assert here.post("/en/people/list", files={"file": ("l.csv", b"name,phone\nA,\nB,x\n")}).status_code == 422
    assert here.keep.mission.size == before, "all rows or none"
    here.post("/en/people/even")
    assert all(len(here.keep.mission.assigned[name]) == 2 for name in drawn[:3])
    left = next(name for name in drawn if not here.keep.mission.assigned.get(name))
    outside = next(name for name in here.office.official().stations if name not in drawn)  # type: ignore[union-attr]
    assert here.post("/en/people/assign", observer="O-001", station=outside).status_code == 409
    assert here.post("/en/people/suspend", observer="O-001", why="").status_code == 422
    assert "Campaigned" in here.post("/en/people/suspend", observer="O-001", why="Campaigned at the station").text
    assert here.post("/en/people/assign", observer="O-001", station=left).status_code == 409
    here.post("/en/people/suspend", observer="O-001", ends="1")
    assert here.post("/en/people/assign", observer="O-001", station=left).status_code == 200
    assert "Campaigned at the station" in here.get("/en/people/O-001").text, "what happened stays"
    before = here.keep.mission.size
    refused = here.post("/en/people/assign", observer="O-003", station=left)
    assert refused.status_code == 409 and "O.027" in refused.text and "O-001 of the same organisation" in refused.text
    assert "Elections law 20, 20-1, 20-2 (since 2022-11-05)" in refused.text, "with its article, said to be a later one"
    listed = here.post("/en/people/list", files={"file": ("l.csv", f"name,station\nA,{left}\n".encode())})
    assert "O.027" in listed.text and "20-1" in listed.text and here.keep.mission.size == before
    assert here.post("/en/people/assign", observer="O-002", station=left).status_code == 200, "of another one"
    assert here.get("/en/people/O-999").status_code == 409
    rights = here.get("/en/people/rights").text
    assert "Referendum law" in rights and "Cannot say" in rights, "on 5 June 2022 the law had no list of rights"
