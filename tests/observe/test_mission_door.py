"""Whose wrong tries count against whom at a mission's door?"""

from __future__ import annotations

from pathlib import Path

import pytest
from compared_world import World
from mission_world import PASSWORD, Desk, desk

from dauys.errors import BadInput
from dauys.observe.office import door as the_door
from dauys.observe.office.door import TRIES, Shut


@pytest.fixture
def office(tmp_path: Path) -> Desk:
    return desk(tmp_path / "m", World(per_area=1)).set_up()


def test_wrong_codes_count_for_the_observer_and_not_for_how_he_is_typed(office: Desk) -> None:
    office.post("/en/people/add", name="Aigerim")
    code = office.office.extra["slips"]["O-001"]
    typed = ["o-001", "O-001", " O-001 ", "o-001 ", "O-001"]
    for who in typed:
        with pytest.raises(BadInput):
            office.door.observer_sign_in(who, "AAAAAAAAAA")
    for n in range(50):
        with pytest.raises(BadInput):
            office.door.observer_sign_in(f"X-{n}", "AAAAAAAAAA")
    for who in ("o-001", "O-001"):
        with pytest.raises(Shut):
            office.door.observer_sign_in(who, code)


def test_ids_that_nobody_has_are_forgotten_before_those_of_observers(
    office: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(the_door, "STRANGERS", 3)
    office.post("/en/people/add", name="Aigerim")
    for _ in range(TRIES):
        with pytest.raises(BadInput):
            office.door.observer_sign_in("o-001", "AAAAAAAAAA")
    for n in range(20):
        with pytest.raises(BadInput):
            office.door.observer_sign_in(f"X-{n}", "AAAAAAAAAA")
    assert len(office.door._strangers) == 3
    with pytest.raises(Shut):
        office.door.observer_sign_in("O-001", office.office.extra["slips"]["O-001"])


def test_a_stranger_does_not_shut_the_office_out(office: Desk) -> None:
    door = office.door
    for n in range(TRIES):  # one line has a whole /64
        with pytest.raises(BadInput):
            door.office_sign_in("guess 12345", f"2001:db8::{n}")
    with pytest.raises(Shut):
        door.office_sign_in(PASSWORD, "2001:db8::99")
    assert door.office_sign_in(PASSWORD, "192.0.2.7").who == "office"
