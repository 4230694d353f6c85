"""The centre was put back from a copy, and what people had decided since is forgotten: does it come back, and harm nobody?"""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from joined_world import POLL, Machine, World, applied, held, iin_of, right, rows, synced
from noted_world import Noted, lifted, opened, put_back, put_back_and_lifted
from test_decided_since import add, died, findings, numbers, wants
from test_lists_since import here
from test_paper_and_withdrawals import ask, duplicate, settled
from test_put_back import RIGHTS, asks
from test_put_back_lost import lost, marked, missed
from test_returns import back, mistaken

from dauys.cli import main, pollbook_restored
from dauys.errors import BadInput
from dauys.pollbook.centre.mark import mark, standing
from dauys.pollbook.centre.take import cursor
from dauys.pollbook.log.events import LogId
from dauys.pollbook.machine import acts
from dauys.pollbook.machine.enrolling import enrol
from dauys.pollbook.machine.sync import Link, connect
from dauys.pollbook.packing import packages as packing_out
from dauys.pollbook.paper.lost_list import left
from dauys.pollbook.put_back import restored
from dauys.pollbook.settling import asked

pytestmark = pytest.mark.database


def restoring(noted: Noted, monkeypatch: pytest.MonkeyPatch, *args: str) -> dict[str, Any]:
    """`dauys pollbook restored`, as a person types it."""
    monkeypatch.setattr(pollbook_restored, "open_store", lambda: noted.engine)
    monkeypatch.setattr(pollbook_restored, "journal", lambda: noted.journal)
    command = ["pollbook", "restored", POLL, *args, "--at", noted.world.now.isoformat(), "--json"]
    done = CliRunner().invoke(main.tree, command, standalone_mode=False)
    if done.exception:
        raise done.exception
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("first", [["--mark", "--by", "anna"], []])
def test_what_the_journal_saw_is_not_marked_again_by_a_person(
    noted: Noted, monkeypatch: pytest.MonkeyPatch, first: list[str]
) -> None:
    a, b = opened(noted, "A-1", "a"), opened(noted, "B-1", "b")
    noted.lose("B-1")  # in the morning, and everybody knows
    noted.hold()
    copy = noted.world.connection.begin_nested()
    a.check_in(RIGHTS[0], noted.world.at(9, 5))
    synced(a, b)
    put_back(noted, copy)
    restoring(noted, monkeypatch, *first)
    assert restoring(noted, monkeypatch, "--mark", "--by", "anna")["journal"]
    synced(a)
    assert restoring(noted, monkeypatch, "--lift", "--by", "anna")["whole"] and not missed(noted.world)
    with pytest.raises(BadInput, match="--mark"):
        restoring(noted, monkeypatch, "--again")
    restoring(noted, monkeypatch, "--mark", "--by", "anna")
    said = restoring(noted, monkeypatch, "--mark", "--again", "--by", "anna")  # once more, and no journal saw it
    assert not said["whole"] and not said["journal"]


def packed_in_the_morning(noted: Noted) -> tuple[Machine, packing_out.Packed]:
    """Since the copy somebody was added at A-1 and its package made; put back, everybody heard, lifted."""
    b = opened(noted, "B-1", "b")
    noted.hold()
    copy = noted.world.connection.begin_nested()
    add(noted.world, 50)
    package = noted.package("A-1")
    assert put_back_and_lifted(noted, copy, b) == 0
    return b, package


def test_a_station_whose_addition_is_forgotten_waits_until_it_is_repeated(noted: Noted) -> None:
    _, package = packed_in_the_morning(noted)
    a = noted.machine(package, "a")
    assert not a.keep.book.told and not a.keep.book.stopped
    assert a.link.status.check == "P.090" and "7 voters" in a.link.status.fault
    assert "repeat the additions" in a.link.status.fault and "went elsewhere" not in a.link.status.fault
    add(noted.world, 50)
    synced(a)
    assert a.keep.book.told
    a.do(acts.do_open, officer="chair", at=noted.world.now)
    a.check_in(right(50), noted.world.at(9, 5))
    synced(a)
    assert numbers(noted.world) == []


def test_who_was_added_does_not_make_up_for_whom_the_list_lacks(noted: Noted) -> None:
    """Since the copy r was given to B-1 ahead of A-1's list. The copy is back, nobody knows it yet, and A-1's package has r on it."""
    world, who = noted.world, RIGHTS[0]
    b = opened(noted, "B-1", "b")
    noted.hold()
    copy = world.connection.begin_nested()
    asks(b, who, "q1")
    synced(b, b)
    assert here(b, who)
    copy.rollback()
    package = world.packed("A-1")  # by another process, without the journal
    world.at(9, 5)
    mark(cursor(world.connection), POLL, "anna", world.now, blind=True)
    synced(b)
    restored.lift(world.connection, POLL, "anna", world.now, "telephoned", packages="good")
    world.at(9, 10)
    add(world, 50)  # the list is taken for one of since the copy, and may have him
    a = noted.machine(package, "a")
    assert not a.keep.book.told and a.link.status.check == "P.090"
    assert "some went elsewhere" in a.link.status.fault and "repeat the additions" not in a.link.status.fault


def test_a_machine_that_was_stopped_begins_no_log(noted: Noted) -> None:
    package = noted.package("A-1")
    ((one, file, _),) = packing_out.write(noted.world.folder, [package])
    keep = enrol(file, one.code, noted.world.folder / "a", "http://centre")
    keep.stop("[P.019] another package was made")
    link = Link(connect(keep, lambda: noted.world.now, noted.world.wires), lambda: noted.world.now)
    assert not link.once() and link.status.check == "P.041"
    assert noted.logs() == []


def withdrawn_ahead(noted: Noted) -> Machine:
    """Since the copy voter 1 was withdrawn, and then A-1's package made, which shows him so; put back, heard, lifted."""
    world = noted.world
    b = opened(noted, "B-1", "b")
    noted.hold()
    copy = world.connection.begin_nested()
    died(world, ("A-1", 1))
    settled(world)
    a = opened(noted, "A-1", "a")
    assert a.keep.book.went[right(1)] == "withdrawn"
    assert put_back_and_lifted(noted, copy, a, b) == 0 and held(world, right(1)) == ("station/A-1/1", 0, 0)
    return a


def test_a_withdrawal_that_only_a_list_knows_is_repeated(noted: Noted) -> None:
    a, world = withdrawn_ahead(noted), noted.world
    number = died(world, ("A-1", 1))
    synced(a, a)
    settled(world)
    assert held(world, right(1)) == ("withdrawn", 1, 0)
    assert asked.state(world.connection, POLL).withdrawn == 1
    mistaken(world, number)
    assert back(world, number).returned == 1
    synced(a, a)
    assert here(a, right(1)) and numbers(world) == findings(world) == []


def test_the_page_of_a_withdrawn_voter_brings_it_back_too(noted: Noted) -> None:
    a, world = withdrawn_ahead(noted), noted.world
    a.link.show_withdrawn(right(1))
    assert held(world, right(1)) == ("withdrawn", 1, 0)
    number = died(world, ("A-1", 1))
    settled(world)
    assert asked.state(world.connection, POLL).withdrawn == 1
    mistaken(world, number)
    assert back(world, number).returned == 1


def test_what_a_list_showed_as_withdrawn_is_not_lost_by_an_undo_in_between(noted: Noted) -> None:
    a, world = withdrawn_ahead(noted), noted.world
    number = died(world, ("A-1", 1))
    synced(a, a)  # it says so, and the next minute has not come
    mistaken(world, number)
    assert back(world, number).kept == 1
    synced(a)
    assert here(a, right(1)) and numbers(world) == findings(world) == []


def test_what_only_a_list_shows_as_withdrawn_can_be_given_back(noted: Noted, monkeypatch: pytest.MonkeyPatch) -> None:
    a, world = withdrawn_ahead(noted), noted.world
    a.link.show_withdrawn(right(1))
    assert restoring(noted, monkeypatch)["let_go"] == [{"station": "A-1", "rights": 1}]
    assert back(world, int(applied(world.connection, rows({"A-1": 1}, 1), world.now))).returned == 1
    synced(a)
    assert here(a, right(1)) and restoring(noted, monkeypatch)["let_go"] == []


def test_no_machine_says_that_of_a_right_that_is_elsewhere(noted: Noted) -> None:
    world = noted.world
    a, b = opened(noted, "A-1", "a"), opened(noted, "B-1", "b")
    for who in (RIGHTS[0], right(10)):
        a.link.wire.question("withdrawn", {"entitlement": str(who), "n": a.keep.book.head.n, "epoch": 1})
        assert held(world, who)[0].startswith("station/")
    assert here(a, RIGHTS[0]) and here(b, right(10))


def test_who_stays_of_a_pair_gets_back_what_was_let_go_in_his_place(
    noted: Noted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """X goes, Y stays; X was tapped by mistake, Y withdrawn in his place; the tap is undone, and Y given back, unheard."""
    world, x, y = noted.world, right(1), right(10)
    a, b = opened(noted, "A-1", "a"), opened(noted, "B-1", "b")
    number = duplicate(world, goes=1, stays=10)
    noted.hold()
    copy = world.connection.begin_nested()
    event = a.check_in(x, world.now)
    synced(a)
    ask(world, number)
    synced(a, b)
    settled(world)
    a.do(acts.do_undo, event.n, reason="wrong person", officer="member1", at=world.at(9, 30))
    for _ in range(3):
        synced(a)
        settled(world)
    put_back_and_lifted(noted, copy, a, b)
    assert restoring(noted, monkeypatch)["let_go"] == [{"station": "A-1", "rights": 1}, {"station": "B-1", "rights": 1}]
    assert back(world, number).returned == 0  # X is not withdrawn yet: one person would have two
    ask(world, number)
    settled(world)
    assert held(world, x)[0] == "withdrawn" and held(world, y) == ("station/B-1/1", 0, 2)
    assert back(world, number).returned == 1
    synced(b, b)
    assert here(b, y) and numbers(world) == findings(world) == []


def test_another_set_gives_one_person_no_second_right(noted: Noted) -> None:
    """X was used, so Y was withdrawn in his place; that is forgotten. Another set corrects Y's address."""
    world, y = noted.world, right(10)
    a, b = opened(noted, "A-1", "a"), opened(noted, "B-1", "b")
    number = duplicate(world, goes=1, stays=10)
    other = int(applied(world.connection, rows({"B-1": 1}, 10), world.now))
    noted.hold()
    copy = world.connection.begin_nested()
    a.check_in(right(1), world.now)
    synced(a)
    ask(world, number)
    synced(a, b)
    settled(world)
    put_back_and_lifted(noted, copy, a, b)
    assert (back(world, other).may_not, back(world, number).may_not) == (1, 1)
    synced(b, b)
    assert not here(b, y)


def test_who_was_added_and_withdrawn_is_given_to_nobody(noted: Noted) -> None:
    """Since the copy; the addition is repeated, and the withdrawal not yet."""
    world, who = noted.world, right(50)
    b = opened(noted, "B-1", "b")
    noted.hold()
    copy = world.connection.begin_nested()
    add(world, 50)
    a = opened(noted, "A-1", "a")
    died(world, ("A-1", 50))
    synced(a)
    put_back_and_lifted(noted, copy, a, b)
    add(world, 50)
    wants(b, 50, "q")
    synced(b, b)
    assert not here(b, who)


def test_what_a_found_machine_let_go_is_given_back_by_a_person(noted: Noted) -> None:
    """The withdrawal was repeated and called off meanwhile; no clock says which word was the last."""
    world, who = noted.world, right(10)
    a, b = opened(noted, "A-1", "a"), opened(noted, "B-1", "b")
    noted.hold()
    copy = world.connection.begin_nested()
    died(world, ("B-1", 10))
    synced(b)
    put_back(noted, copy)
    noted.hold()
    noted.lose("B-1")
    synced(a)
    lifted(world)
    number = died(world, ("B-1", 10))
    mistaken(world, number)
    world.at(9, 30)
    assert back(world, number).kept == 1
    synced(b)  # found
    settled(world)
    second = opened(noted, "B-1", "b2")
    assert back(world, number).returned == 1
    synced(second, second)
    assert here(second, who)


def test_a_machine_with_another_key_marks_the_poll_once(world: World) -> None:
    """A-1's package lies on two machines; the first enrolled since the copy, the second after the mark was lifted."""
    b = world.start("B-1")
    ((one, package, _),) = packing_out.write(world.folder, [world.packed("A-1")])
    synced(b)
    copy = world.connection.begin_nested()

    def machine(where: str) -> Machine:
        keep = enrol(package, one.code, world.folder / where, "http://centre")
        made = Machine(keep, Link(connect(keep, lambda: world.now, world.wires), lambda: world.now), world.dice)
        made.link.once()
        return made

    first = machine("first")
    first.do(acts.do_open, officer="chair", at=world.now)
    synced(first)
    copy.rollback()
    marked(world)
    synced(b)
    lifted(world)
    second = machine("second")
    for turn in range(3):
        world.at(10, turn * 5)
        first.link.once()
        assert (standing(cursor(world.connection), POLL) is not None) == (turn == 0)
        synced(b, second)
        if turn == 0:
            restored.lift(world.connection, POLL, "anna", world.now, "telephoned", packages="good")
    assert numbers(world) == ["P.120"]


def test_what_was_asked_for_and_called_off_is_struck_all_the_same(world: World) -> None:
    who, log = RIGHTS[0], LogId(POLL, "A-1", 1)
    a, b = world.start("A-1"), world.start("B-1")
    synced(a, b)
    asks(b, who, "q1")
    a.link.once()  # it hears of it, and lets go; that is not sent
    b.link.call_off(who)
    lost(world, "A-1")
    assert left(world.connection, log) == 1
    asks(b, right(2), "q2")
    assert left(world.connection, log) == 1  # of the lost nobody is asked


def test_a_word_that_is_repeated_on_its_way_takes_nobody_off_the_strike(world: World) -> None:
    who, log = RIGHTS[0], LogId(POLL, "A-1", 1)
    a, b = world.start("A-1"), world.start("B-1")
    synced(a, b)
    asks(b, who, "q1")
    word = a.keep.batch().to_bytes()
    a.link.once()  # it lets go; that is not sent
    b.link.call_off(who)
    world.at(9, 12)
    world.wires.handle_request(httpx.Request("POST", "http://centre/api/pollbook/sync", content=word))
    lost(world, "A-1")
    assert left(world.connection, log) == 1


def test_a_busy_table_brings_whoever_is_added_again(world: World) -> None:
    from test_door_slips import at_table

    b = world.start("B-1")
    synced(b)
    copy = world.connection.begin_nested()
    a = world.start("A-1")
    add(world, 50)
    copy.rollback()
    marked(world)
    synced(a, b)
    lifted(world)
    add(world, 50)
    a.check_in(RIGHTS[0], world.now)  # a moment ago, not sent
    at_table(world, a).post("/elsewhere", iin=iin_of(50))
    synced(a, a)
    assert here(a, right(50))
