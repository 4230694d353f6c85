"""Packages on their way when the centre is put back: which are good by a person's word, the journal's, or none, and who says so?"""

from __future__ import annotations

import pytest
from joined_world import VOTING, synced
from noted_world import Noted, lifted, opened, put_back, put_back_and_lifted, put_back_without_journal, said_by_a_person
from test_decisions_forgotten import restoring
from test_lists_unknown import refused
from test_put_back import RIGHTS

from dauys.errors import BadInput
from dauys.pollbook.centre.take import cursor
from dauys.pollbook.machine import acts
from dauys.pollbook.put_back.doubts import not_vouched_for

pytestmark = pytest.mark.database


def test_the_channel_s_package_made_again_is_good(noted: Noted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(VOTING, "remote", {"on": True, "first": "2022-06-03", "last": "2022-06-05", "cite": "P3"})
    package = noted.package("remote")
    said_by_a_person(noted.world)
    lifted(noted.world, "telephoned", "again")
    old = noted.machine(package, "r")
    assert refused(old) and "--again remote --out FOLDER" in old.link.status.fault
    assert noted.machine(noted.package("remote"), "r2").keep.book.told


def test_a_second_package_on_its_way_is_asked_for_and_refused(noted: Noted) -> None:
    """The log of the station's first machine says nothing of it."""
    opened(noted, "A-1", "a")
    noted.lose("A-1")
    package = noted.package("A-1")
    said_by_a_person(noted.world)
    with pytest.raises(BadInput, match="nobody has enrolled: 1"):
        lifted(noted.world, "telephoned", "")
    lifted(noted.world, "telephoned", "again")
    assert refused(noted.machine(package, "a2"))


def test_where_a_person_says_it_the_packages_are_asked_for_though_the_journal_vouches(
    noted: Noted, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted.package("A-1")
    noted.hold()
    said_by_a_person(noted.world)
    assert noted.journal.vouches(noted.world.connection, "test/joined")
    with pytest.raises(BadInput, match="nobody has enrolled: 1"):
        restoring(noted, monkeypatch, "--lift", "--by", "anna", "--word", "telephoned")


def test_what_the_journal_told_of_is_made_again_by_a_person_s_word(noted: Noted) -> None:
    """A-1's package is of since the copy, which the journal saw; then another copy was put back, which it did not."""
    b = opened(noted, "B-1", "b")
    noted.hold()
    copy = noted.world.connection.begin_nested()
    package = noted.package("A-1")
    put_back_and_lifted(noted, copy, b)
    said_by_a_person(noted.world)
    synced(b)
    lifted(noted.world, "telephoned", "again")
    assert refused(noted.machine(package, "a"))


def test_a_package_made_again_since_the_copy_stays_good(noted: Noted) -> None:
    b = opened(noted, "B-1", "b")
    noted.package("A-1")
    said_by_a_person(noted.world)
    synced(b)
    lifted(noted.world, "telephoned", "again")
    noted.hold()
    copy = noted.world.connection.begin_nested()
    package = noted.package("A-1")
    put_back(noted, copy)
    assert noted.hold()
    synced(b)
    noted.world.at(9, 20)
    lifted(noted.world)
    assert noted.machine(package, "a").keep.book.told


def test_again_is_refused_where_the_journal_vouches(noted: Noted, monkeypatch: pytest.MonkeyPatch) -> None:
    b = opened(noted, "B-1", "b")
    noted.hold()
    package = noted.package("A-1")
    copy = noted.world.connection.begin_nested()
    b.check_in(RIGHTS[9], noted.world.now)
    synced(b)
    noted.hold()
    put_back(noted, copy)
    assert noted.hold()
    synced(b)
    with pytest.raises(BadInput, match="vouches for the packages on their way"):
        restoring(noted, monkeypatch, "--lift", "--by", "anna", "--packages", "again")
    assert restoring(noted, monkeypatch, "--lift", "--by", "anna")["again"] == []
    assert noted.machine(package, "a").keep.book.told


def test_lifting_says_which_packages_are_to_be_made_again(noted: Noted, monkeypatch: pytest.MonkeyPatch) -> None:
    for station in ("A-1", "A/2"):
        noted.package(station)
    said_by_a_person(noted.world)
    lifting = ("--lift", "--by", "anna", "--word", "telephoned", "--packages", "again")
    assert restoring(noted, monkeypatch, *lifting)["again"] == ["A-1", "A/2"]
    opened(noted, "A-1", "a")
    assert [log.station for log in not_vouched_for(cursor(noted.world.connection), "test/joined")] == ["A/2"]


def test_a_copy_of_a_working_machine_s_package_is_stopped_for_good(noted: Noted) -> None:
    package = noted.package("A-1")
    noted.hold()
    copy = noted.world.connection.begin_nested()
    a = noted.machine(package, "a")
    a.do(acts.do_open, officer="chair", at=noted.world.now)
    synced(a)
    put_back_without_journal(noted, copy)
    lifted(noted.world, "telephoned", "again")
    noted.world.at(9, 10)
    synced(a)  # which marks the poll once more
    lifted(noted.world, "telephoned", "again")
    assert noted.machine(package, "again").link.status.check == "P.019"


def test_a_journal_that_was_begun_late_is_called_that(noted: Noted, monkeypatch: pytest.MonkeyPatch) -> None:
    noted.path.unlink()
    opened(noted, "B-1", "b")
    noted.path.unlink()
    noted.again()
    noted.hold()
    b = noted.world.stations["b"]
    copy = noted.world.connection.begin_nested()
    noted.package("A-1")
    put_back(noted, copy)
    assert noted.hold()
    synced(b)
    with pytest.raises(BadInput, match="was begun late"):
        restoring(noted, monkeypatch, "--lift", "--by", "anna")
