"""The centre was put back from a copy and machines were given up unheard: what they may have been given nobody else is given."""

from __future__ import annotations

import httpx
import pytest
from joined_world import POLL, Machine, World
from noted_world import lifted
from test_put_back import RIGHTS, asks, custody, numbers, synced

from dauys.pollbook.centre import take as centre
from dauys.pollbook.centre.mark import mark
from dauys.pollbook.centre.take import cursor
from dauys.pollbook.log.events import sign_batch
from dauys.pollbook.machine import acts
from dauys.pollbook.packing import packages as packing_out
from dauys.pollbook.put_back import restored

pytestmark = pytest.mark.database

WHO = RIGHTS[0]
"""A voter of A-1."""


def marked(world: World) -> None:
    mark(cursor(world.connection), POLL, "anna says so", world.now, again=True)


def lost(world: World, *stations: str) -> None:
    for station in stations:
        assert packing_out.lose(world.connection, POLL, station)[1] == "lost"


def parted(world: World, machine: Machine) -> None:
    """Another history of its log is sent (P.106): its disk was copied, or put back."""
    batch = sign_batch(machine.keep.log, 1, (), "0" * 64, machine.keep.key)
    assert centre.take(world.connection, batch, world.now).stopped


def missed(world: World) -> list[str]:
    """Whom the centre has given up unheard, and what may have been given to it is in doubt."""
    query = "SELECT station FROM pollbook_log WHERE poll = %s AND missed AND NOT sound ORDER BY station"
    return [row.station for row in cursor(world.connection).execute(query, (POLL,))]


def is_refused(world: World, machine: Machine, request: str) -> bool:
    """The machine asks for the right; whether it does not get it."""
    asks(machine, WHO, request)
    synced(machine, machine)
    return WHO not in machine.keep.book.places


def test_of_two_that_were_given_up_the_one_that_let_go_is_found_first(world: World) -> None:
    a, b, c = (world.start(station) for station in ("A-1", "B-1", "A/2"))
    synced(a, b, c)
    copy = world.connection.begin_nested()
    asks(b, WHO, "q1")
    synced(a, b, a, b)
    b.check_in(WHO, world.at(9, 5))
    synced(b)
    copy.rollback()
    marked(world)
    lost(world, "A-1", "B-1")
    synced(c)
    assert lifted(world) == 0
    synced(a)  # let go, before the copy was put back: and to whom was it given?
    assert custody(world, WHO) == ("station/A-1/1", 0, 2) and is_refused(world, c, "q2")
    synced(b)
    assert custody(world, WHO) == ("station/B-1/1", 1, 1) and numbers(world) == []


def test_what_was_given_ahead_of_a_list_is_not_left_over_on_it(world: World) -> None:
    b, c = world.start("B-1"), world.start("A/2")
    synced(b, c)
    copy = world.connection.begin_nested()
    asks(b, WHO, "q1")  # A-1 has no list yet
    synced(b)
    b.check_in(WHO, world.at(9, 5))
    synced(b)
    a = world.start("A-1")
    assert WHO not in a.voters
    synced(a)
    copy.rollback()
    marked(world)
    synced(a, c)
    lost(world, "B-1")
    lifted(world)
    world.at(20, 1)
    a.do(acts.do_close, officer="chair", at=world.now)
    synced(a)
    assert is_refused(world, c, "q2")


def test_what_a_machine_lets_go_since_its_word_moves_on(world: World) -> None:
    """Another machine is given up and never found: whoever is at a station that was heard votes where he likes."""
    a, b, c = (world.start(station) for station in ("A-1", "B-1", "A/2"))
    synced(a, b, c)
    marked(world)
    lost(world, "B-1")
    synced(a, c)
    assert lifted(world) == 0
    asks(c, WHO, "q1")
    synced(a, c, a, c)
    assert c.keep.book.places[WHO].standing == "here"
    c.check_in(WHO, world.at(10))
    synced(c)
    assert custody(world, WHO) == ("station/A/2/1", 1, 1) and numbers(world) == []


def test_an_answer_of_before_brings_nothing(world: World) -> None:
    """Somebody on the wire kept an answer with a grant that never arrived, and plays it when the right has gone elsewhere."""
    a, b, c = (world.start(station) for station in ("A-1", "B-1", "A/2"))
    synced(a, b, c)
    copy = world.connection.begin_nested()
    asks(b, WHO, "q1")
    synced(a)
    kept: list[bytes] = []
    whole = world.wires.handle_request

    def loses(request: httpx.Request) -> httpx.Response:
        kept.append(whole(request).content)
        raise httpx.ReadError("the wire is cut")

    world.wires.handle_request = loses  # type: ignore[method-assign]
    b.link.once()
    world.wires.handle_request = whole  # type: ignore[method-assign]
    assert custody(world, WHO) == ("station/B-1/1", 1, 0) and WHO not in b.keep.book.places
    copy.rollback()
    marked(world)
    synced(b, a, c, b)
    lifted(world)
    asks(c, WHO, "q2")
    synced(a, c, a, c)
    c.check_in(WHO, world.at(9, 30))
    synced(c)

    answer = httpx.Response(200, content=kept[0])
    world.wires.handle_request = lambda request: answer if request.url.path.endswith("/sync") else whole(request)  # type: ignore[method-assign]
    b.link.once()
    world.wires.handle_request = whole  # type: ignore[method-assign]
    assert b.link.status.check == "P.008" and WHO not in b.keep.book.places
    synced(b)
    assert custody(world, WHO) == ("station/A/2/1", 1, 1) and numbers(world) == []


def test_a_found_machine_is_asked_first_whether_this_is_all(world: World) -> None:
    """Whatever else there is for it: until it has said so, rights are in doubt."""
    a, b, c = (world.start(station) for station in ("A-1", "B-1", "A/2"))
    synced(a, b, c)
    asks(b, WHO, "q1")
    asks(c, RIGHTS[1], "q2")
    marked(world)
    lost(world, "B-1")
    synced(a, c)
    lifted(world)
    synced(a, c)
    assert RIGHTS[1] in c.keep.book.places  # let go since A-1's word
    synced(b)
    sound = "SELECT sound FROM pollbook_log WHERE poll = %s AND station = 'B-1'"
    assert cursor(world.connection).execute(sound, (POLL,)).fetchone() == (True,)


def test_a_machine_that_was_given_up_is_asked_for_nothing(world: World) -> None:
    """Its officers went on by hand, with what it held: it may not let that go behind their backs."""
    a, b = world.start("A-1"), world.start("B-1")
    synced(a, b)
    lost(world, "A-1")
    asks(b, WHO, "q1")
    synced(a, b, a, b)
    assert custody(world, WHO) == ("station/A-1/1", 0, 0) and a.keep.book.places[WHO].standing == "here"


@pytest.mark.parametrize("given_up", [False, True])
def test_one_that_is_stopped_in_the_copy_was_given_nothing_since(world: World, given_up: bool) -> None:
    """Nobody can hear it, and nobody has to; however often a copy is put back."""
    a, b, c = (world.start(station) for station in ("A-1", "B-1", "A/2"))
    synced(a, b, c)
    parted(world, b)
    asks(c, WHO, "q1")
    copy = world.connection.begin_nested()
    synced(a)  # lets go
    copy.rollback()
    for _ in range(2):
        marked(world)
        if given_up:
            lost(world, *(["B-1"] if not is_lost(world, "B-1") else []))
        synced(a, b, c)
        assert restored.unheard(cursor(world.connection), POLL) == [] and missed(world) == []
        assert lifted(world) == 0
    synced(c)
    assert c.keep.book.places[WHO].standing == "here" and numbers(world) == ["P.106"]


def test_one_that_stops_after_the_copy_may_have_been_given_something(world: World) -> None:
    a, b, c = (world.start(station) for station in ("A-1", "B-1", "A/2"))
    synced(a, b, c)
    marked(world)
    parted(world, b)
    synced(a, c)
    assert [log.station for log in restored.unheard(cursor(world.connection), POLL)] == ["B-1"]
    lost(world, "B-1")
    for _ in range(2):  # that it is stopped by the next copy says nothing of what it was given before
        lifted(world)
        assert missed(world) == ["B-1"]
        marked(world)
        synced(a, c)


def test_one_that_was_heard_and_burns_afterwards_is_not_missed(world: World) -> None:
    """Nor by the next mark: it was given nothing since."""
    a, b, c = (world.start(station) for station in ("A-1", "B-1", "A/2"))
    synced(a, b, c)
    marked(world)
    synced(a, b, c)
    assert packing_out.lose(world.connection, POLL, "B-1", 1)[1] == "lost" and missed(world) == []
    lifted(world)
    asks(c, WHO, "q1")
    synced(a)  # let go
    marked(world)
    synced(a, c)
    assert lifted(world) == 0 and missed(world) == []
    synced(c)
    assert c.keep.book.places[WHO].standing == "here"


def test_one_that_was_found_is_not_missed_by_the_next_mark(world: World) -> None:
    a, b, c = (world.start(station) for station in ("A-1", "B-1", "A/2"))
    synced(a, b, c)
    marked(world)
    lost(world, "B-1")
    synced(a, c)
    lifted(world)
    assert missed(world) == ["B-1"]
    synced(b, b)  # its disk
    assert missed(world) == []
    marked(world)
    assert missed(world) == []


def is_lost(world: World, station: str) -> bool:
    query = "SELECT lost FROM pollbook_log WHERE poll = %s AND station = %s"
    row = cursor(world.connection).execute(query, (POLL, station)).fetchone()
    return row is not None and bool(row.lost)
