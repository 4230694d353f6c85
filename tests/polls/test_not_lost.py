"""A machine was declared lost by mistake: which can be taken back, who has to say what, and what becomes of one that never was?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from joined_world import KEYS, POLL, VAULT, iin_of, world_of
from test_lost_and_works import Told
from test_paper_and_withdrawals import typed_by_two
from test_put_back import RIGHTS, asks, custody, numbers, synced

from dauys.cli import pollbook_not_lost
from dauys.cli.main import tree
from dauys.errors import BadInput, DauysError
from dauys.pollbook.centre.mark import mark
from dauys.pollbook.centre.take import cursor
from dauys.pollbook.log.events import LogId
from dauys.pollbook.packing import packages as packing_out
from dauys.pollbook.paper.by_hand import Typing, lost_log, type_in
from dauys.pollbook.paper.lost_list import lost_list
from dauys.pollbook.put_back import restored
from dauys.store.engine import Connection

pytestmark = pytest.mark.database
WHO = RIGHTS[0]
"""A voter of A-1."""


@pytest.fixture
def told(connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    with world_of(connection, tmp_path, {"A-1": 6, "A/2": 3, "B-1": 4}) as world:
        world.at(9)
        made = Told(world, tmp_path / "keys" / "pollbook.journal")
        made.hold()
        monkeypatch.setattr(pollbook_not_lost, "open_store", lambda: made.engine)
        monkeypatch.setattr(pollbook_not_lost, "journal", lambda: made.journal)
        monkeypatch.setattr(pollbook_not_lost, "moment", lambda _: world.now)
        yield made


def said(*words: str) -> Any:
    return CliRunner().invoke(tree, ["pollbook", *words], standalone_mode=False)


def marked(told: Told, *, blind: bool = False) -> None:
    mark(cursor(told.world.connection), POLL, "anna says so", told.world.now, again=True, blind=blind)


def row(told: Told, station: str) -> Any:
    query = "SELECT lost, missed, sound, closed FROM pollbook_log WHERE poll = :poll AND station = :station"
    return told.world.connection.execute(sa.text(query), {"poll": POLL, "station": station}).one()


def test_lost_said_under_the_mark_of_a_station_without_a_machine(told: Told) -> None:
    """The wrong station was named: the journal knows that nobody enrolled there, so there is no list that could be lost."""
    b, c = told.opened("B-1", "b"), told.opened("A/2", "c")
    told.package("A-1")
    marked(told)
    told.hold()
    assert "is void" in said("lost", POLL, "A-1").stdout
    for generation in ((), ("--generation", "1")):
        failed = said("lost", POLL, "A-1", *generation).exception
        assert isinstance(failed, DauysError) and ("every machine" in str(failed) or "no machine 1" in str(failed))
    assert told.logs() == [("A/2", 1, False), ("B-1", 1, False)] and told.hold() == ""
    synced(b, c)
    assert told.lift() == 0
    a = told.opened("A-1", "a")
    assert a.keep.log == LogId(POLL, "A-1", 1) and len(a.voters) == 6


@pytest.mark.parametrize("blind", [False, True])
def test_nobody_is_lost_by_a_package_alone_where_the_journal_does_not_vouch(told: Told, blind: bool) -> None:
    told.opened("B-1", "b")
    told.package("A-1")
    if not blind:  # it was begun late
        told.path.unlink()
        told.again()
        told.hold()
    marked(told, blind=blind)
    failed = said("lost", POLL, "A-1").exception
    assert "nobody is known to have enrolled with package 1" in str(failed) and "--generation 1" in str(failed)
    assert "is declared lost" in said("lost", POLL, "A-1", "--generation", "1").stdout


def test_a_machine_that_never_was_keeps_no_list(told: Told) -> None:
    """Declared lost by its number, where the journal did not know; two people say that nobody enrolled, and nobody voted by hand."""
    b, c = told.opened("B-1", "b"), told.opened("A/2", "c")
    marked(told, blind=True)
    said("lost", POLL, "A-1", "--generation", "1")
    synced(b, c)
    restored.lift(
        told.world.connection, POLL, "anna", told.world.now, "each station was telephoned", packages="good", blind=True
    )
    asks(c, RIGHTS[9], "q1")  # of B-1
    synced(b, c)
    for words in ([], ["--nobody-by-hand", "anna"], ["--nobody-enrolled", "boris"]):
        failed = said("not-lost", POLL, "A-1", *words).exception
        assert isinstance(failed, BadInput) and failed.check == "P.058"
    assert "never was" in said("not-lost", POLL, "A-1", "--nobody-by-hand", "anna", "--nobody-enrolled", "boris").stdout
    assert (told.hold(), told.mark) == ("", None)
    kept = sa.text("SELECT by_hand, never FROM pollbook_not_lost WHERE poll = :poll")
    assert told.world.connection.execute(kept, {"poll": POLL}).all() == [("anna", "boris")]
    with pytest.raises(DauysError, match="no machine of station A-1"):
        told.works("A-1")
    a = told.opened("A-1", "a")
    assert a.keep.log.generation == 2 and WHO not in a.voters
    asks(a, WHO, "q2")  # he stands there
    synced(a)
    a.check_in(WHO, told.world.at(10))
    synced(a)
    assert custody(told.world, WHO) == ("station/A-1/2", 1, 1) and numbers(told.world) == []


def test_one_that_was_enrolled_all_the_same_is_heard(told: Told) -> None:
    """Whoever said that nobody had was wrong: nothing of it is passed over."""
    copy = told.world.connection.begin_nested()
    a = told.world.start("A-1")  # through another journal, which is gone
    synced(a)
    copy.rollback()
    marked(told, blind=True)
    said("lost", POLL, "A-1", "--generation", "1")
    restored.lift(
        told.world.connection, POLL, "anna", told.world.now, "each station was telephoned", packages="good", blind=True
    )
    said("not-lost", POLL, "A-1", "--nobody-by-hand", "anna", "--nobody-enrolled", "boris")
    a.check_in(WHO, told.world.now)
    synced(a, a)
    assert custody(told.world, WHO) == ("station/A-1/1", 0, 1) and set(numbers(told.world)) == {"P.107"}


def test_a_working_machine_that_was_declared_lost_under_the_mark_works_on(told: Told) -> None:
    """Its wire was cut, and the whole country waited for it."""
    a, b, c = (told.opened(station, where) for station, where in (("A-1", "a"), ("B-1", "b"), ("A/2", "c")))
    marked(told)
    synced(b, c)
    told.lose("A-1")
    told.lift()
    failed = said("not-lost", POLL, "A-1", "--nobody-by-hand", "anna").exception
    assert "not heard since" in str(failed)
    synced(a, a)  # the wire is back
    assert "it works with what it holds" in said("not-lost", POLL, "A-1", "--nobody-by-hand", "anna").stdout
    assert tuple(row(told, "A-1")) == (False, False, True, False)
    asks(a, RIGHTS[9], "q1")
    synced(b, a)
    assert a.keep.book.places[RIGHTS[9]].standing == "here"
    marked(told)  # it is one of those that are waited for
    assert "A-1/1" in told.unheard()


def test_who_went_on_by_hand_stays_lost(told: Told, tmp_path: Path) -> None:
    """The machine runs again an hour later. Whoever signed on paper meanwhile would get a second ballot from it."""
    a = told.opened("A-1", "a")
    told.lose("A-1")
    asked = said("not-lost", POLL, "A-1").exception
    assert isinstance(asked, BadInput) and asked.check == "P.058" and "the station printed itself" in str(asked)
    told.world.at(9, 30)
    lost_list(told.world.connection, VAULT, told.world.poll, LogId(POLL, "A-1", 1), "boris", told.world.now)
    asked = said("not-lost", POLL, "A-1", "--nobody-by-hand", " ").exception
    assert "the centre printed its list" in str(asked) and "(boris)" in str(asked) and told.row("A-1")[0]

    told.world.at(10)
    assert said("not-lost", POLL, "A-1", "--nobody-by-hand", "chair").return_value == 0  # which was not true
    told.world.at(11)
    synced(a)
    a.check_in(WHO, told.world.at(11))
    synced(a)
    with pytest.raises(DauysError, match="no machine of station A-1 is declared lost"):
        lost_log(told.world.connection, POLL, "A-1")
    told.lose("A-1")  # the sheets turn up
    assert "the station printed itself" in str(said("not-lost", POLL, "A-1").exception)
    lines = typed_by_two(tmp_path, f"{iin_of(1)},member1", f"{iin_of(2)},member1")
    typing = Typing(lost_log(told.world.connection, POLL, "A-1"), ("anna", "boris"), KEYS.commission, told.world.now)
    found = type_in(told.world.connection, VAULT, lines, typing, told.world.dice.randbytes)
    assert (found.noted, found.reported) == (1, 1)  # whoever signed and is in its log: one ballot or two, people look
    with pytest.raises(DauysError, match="its paper is typed in"):
        told.works("A-1")
    assert packing_out.next_generation(told.world.connection, POLL, "A-1") == 2
