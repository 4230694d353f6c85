"""A centre that was put back from a copy: what it gave and acknowledged since is not given again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from joined_world import KEYS, POLL, VAULT, Machine, World, iin_of

from dauys.errors import DauysError
from dauys.pollbook.centre.mark import mark, standing
from dauys.pollbook.centre.take import cursor
from dauys.pollbook.gathered.states import alarms
from dauys.pollbook.log.events import LogError
from dauys.pollbook.machine.sync import CentreRefused
from dauys.pollbook.packing import packages as packing_out
from dauys.pollbook.put_back import restored
from dauys.pollbook.put_back.doubts import in_doubt
from dauys.pollbook.rules.custody import CustodyError
from dauys.pollbook.rules.grants import Answer
from dauys.record.canonical import canonical

pytestmark = pytest.mark.database

IIN = {UUID(bytes=VAULT.entitlement(POLL, VAULT.voter(iin_of(n)))): iin_of(n) for n in range(1, 14)}
RIGHTS = list(IIN)


def synced(*machines: Machine) -> None:
    for machine in machines:
        while machine.link.once():
            continue


def asks(machine: Machine, who: UUID, request: str) -> None:
    machine.link.wire.question("find", {"iin": IIN[who]})
    machine.link.wire.question("ask", {"request": request, "entitlement": str(who)})


def custody(world: World, who: UUID) -> tuple[str, int, int]:
    query = sa.text("SELECT holder, epoch, state FROM entitlement WHERE id = :who")
    return tuple(world.connection.execute(query, {"who": who}).one())  # type: ignore[return-value]


def numbers(world: World) -> list[str]:
    return [one.number for one in alarms(world.connection, POLL)]


def whole(world: World) -> bool:
    return standing(cursor(world.connection), POLL) is None


def lifted(world: World) -> int:
    """There is no journal: somebody says how the machines are known."""
    restored.lift(world.connection, POLL, "anna", world.now, "each station was telephoned", packages="good")
    return sum(in_doubt(cursor(world.connection), POLL).values())


def test_what_was_given_since_the_copy_is_not_given_again(world: World) -> None:
    a, b, c = (world.start(station) for station in ("A-1", "B-1", "A/2"))
    who, other = RIGHTS[0], RIGHTS[1]
    synced(a, b, c)
    copy = world.connection.begin_nested()
    asks(b, who, "q1")
    synced(a, b, a, b)
    b.check_in(who, world.at(9, 5))
    synced(b)
    assert custody(world, who) == ("station/B-1/1", 1, 1)
    copy.rollback()

    synced(a)  # it is told less than it was, and shows what the centre signed
    assert not whole(world) and numbers(world) == ["P.120"]
    with pytest.raises(CentreRefused) as refused:
        asks(c, who, "q2")
    assert refused.value.check == "P.090"
    a.check_in(other, world.at(10))  # what a station holds it uses
    synced(a, c)
    assert custody(world, other) == ("station/A-1/1", 0, 1)
    with pytest.raises(CustodyError, match=r"P\.090"):
        world.packed("A-1")
    with pytest.raises(DauysError, match="B-1/1"):
        lifted(world)

    synced(b, a, b, c)
    assert custody(world, who) == ("station/B-1/1", 1, 1)
    assert lifted(world) == 0
    assert whole(world) and numbers(world) == ["P.120"]
    assert c.link.wire.question("find", {"iin": IIN[who]})["used"]


def test_a_machine_that_is_never_heard_leaves_in_doubt_what_was_free(world: World) -> None:
    a, b, c = (world.start(station) for station in ("A-1", "B-1", "A/2"))
    who = RIGHTS[0]
    synced(a, b, c)
    copy = world.connection.begin_nested()
    asks(b, who, "q1")
    synced(a, b, a, b)
    b.check_in(who, world.at(9, 5))  # and nobody hears of it for a long time
    copy.rollback()

    synced(a)
    assert packing_out.lose(world.connection, POLL, "B-1")[1] == "lost"
    synced(c)
    assert lifted(world) == 1
    asks(c, who, "q2")
    synced(c, a, c)
    assert custody(world, who)[0] == "station/A-1/1" and who not in c.keep.book.places
    synced(b)  # its disk is found
    assert custody(world, who) == ("station/B-1/1", 1, 1) and numbers(world) == ["P.120"]


def test_what_is_in_doubt_is_free_again_when_the_disk_is_found(world: World) -> None:
    a, b, c = (world.start(station) for station in ("A-1", "B-1", "A/2"))
    who = RIGHTS[0]
    synced(a, b, c)
    asks(c, who, "q1")
    copy = world.connection.begin_nested()
    a.check_in(RIGHTS[1], world.now)
    synced(a)  # and lets go
    copy.rollback()
    synced(a)
    packing_out.lose(world.connection, POLL, "B-1")
    synced(c)
    assert lifted(world) == 1
    synced(c)
    assert who not in c.keep.book.places
    synced(b, b, c)
    assert c.keep.book.places[who].standing == "here" and numbers(world) == ["P.120"]


def test_a_machine_enrolled_since_the_copy_is_known_by_what_the_centre_signed(world: World) -> None:
    copy = world.connection.begin_nested()
    a = world.start("A-1")
    a.check_in(RIGHTS[0], world.now)
    synced(a)
    copy.rollback()

    a.check_in(RIGHTS[1], world.at(9, 30))
    synced(a)
    assert a.link.status.fault == "" and a.link.waiting == 0
    assert [custody(world, RIGHTS[n]) for n in (0, 1)] == [("station/A-1/1", 0, 1)] * 2
    with pytest.raises(CustodyError, match=r"P\.090"):
        world.packed("A-1")
    synced(a)
    lifted(world)
    with pytest.raises(DauysError, match="works with the package"):
        world.packed("A-1")
    assert numbers(world) == ["P.120"]


def test_a_second_machine_is_lost_after_the_first_as_it_was_before_the_copy(world: World) -> None:
    copy = world.connection.begin_nested()
    a = world.start("A-1")
    synced(a)
    packing_out.lose(world.connection, POLL, "A-1")
    second = world.start("A-1")
    copy.rollback()
    synced(second)
    assert second.link.status.fault == ""
    a.check_in(RIGHTS[0], world.at(9, 30))
    synced(a)  # the first one is found: its key was not known
    assert a.link.status.fault == ""
    synced(a, a, second)
    assert custody(world, RIGHTS[0]) == ("station/A-1/1", 0, 1)
    lifted(world)
    query = sa.text("SELECT generation, lost FROM pollbook_log WHERE poll = :poll ORDER BY 1")
    assert [tuple(row) for row in world.connection.execute(query, {"poll": POLL})] == [(1, True), (2, False)]


def test_where_two_machines_have_one_list_by_then_the_first_stops_and_the_centre_hears_of_it(
    world: World, tmp_path: Path
) -> None:
    """Nobody knew that the centre was put back, and a second machine enrolled before the first one spoke."""
    copy = world.connection.begin_nested()
    a = world.start("A-1")
    a.check_in(RIGHTS[0], world.now)
    synced(a)
    copy.rollback()
    (tmp_path / "second").mkdir()
    b = replace(world, folder=tmp_path / "second").start("A-1")
    synced(a)
    assert "P.004" in a.keep.book.stopped and numbers(world) == ["P.120"] and not whole(world)
    with pytest.raises(CentreRefused, match=r"P\.090"):
        asks(b, RIGHTS[7], "q")


def test_what_may_have_been_given_ahead_of_a_list_is_not_on_it(world: World) -> None:
    a, b = world.start("A-1"), world.start("B-1")
    who = RIGHTS[6]  # of A/2, which has no list yet
    synced(a, b)
    copy = world.connection.begin_nested()
    asks(b, who, "q1")
    synced(b)
    b.check_in(who, world.at(9, 5))
    copy.rollback()
    with world.connection.begin_nested():
        mark(cursor(world.connection), POLL, "anna says so", world.now)
    packing_out.lose(world.connection, POLL, "B-1")
    synced(a)
    assert lifted(world) == 3
    asks(a, who, "q2")
    synced(a)
    c = world.start("A/2")
    assert who not in a.keep.book.places and who not in c.voters and custody(world, who)[0] == "roll/A/2"
    synced(b)
    assert custody(world, who) == ("station/B-1/1", 1, 1)
    c.link.wire.question("find", {"iin": IIN[RIGHTS[7]]})  # the disk is found: what is not in its log comes
    synced(c)
    assert c.keep.book.places[RIGHTS[7]].standing == "here"


def test_nobody_else_can_mark(world: World) -> None:
    a, b = world.start("A-1"), world.start("B-1")
    synced(a, b)
    a.check_in(RIGHTS[0], world.now)
    synced(a)
    a.link.wire.show()  # what the centre still has
    assert whole(world)
    for name, value in (("n", 9), ("key", "A" * 43 + "="), ("generation", 2)):
        said = json.loads(a.keep.last_word)
        with pytest.raises(LogError, match=r"P\.014"):
            Answer.of_centre(canonical({**said, name: value}), KEYS.commission.public_key().public_bytes_raw())
