"""Somebody on the wire keeps what the centre answered and plays it later: a machine believes the answer to what it has just sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from joined_world import POLL, VOTING, Machine, World, synced, world_of
from noted_world import lifted
from test_door_slips import at_table
from test_put_back import RIGHTS, asks, custody, numbers
from test_put_back_lost import lost, marked
from test_remote import IIN, Remote, who, world

from dauys.pollbook.log.words import digest
from dauys.pollbook.machine import acts
from dauys.pollbook.machine.acts import Refused
from dauys.pollbook.machine.sync import CentreRefused, Link
from dauys.pollbook.packing import packages as packing_out
from dauys.pollbook.rules.grants import Answer
from dauys.store.engine import Connection

pytestmark = pytest.mark.database
__all__ = ["world"]

WHO = RIGHTS[0]
"""A voter of A-1."""
Exchange = tuple[bytes, bytes]
"""What was sent, and the centre's answer."""


@pytest.fixture
def day(connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setitem(VOTING, "certificate", {"on": True, "until": "18:00", "cite": "Pilot 1"})
    with world_of(connection, tmp_path, {"A-1": 6, "A/2": 3, "B-1": 4}) as made:
        made.at(9)
        yield made


@contextmanager
def wire(place: World, handle: Callable[[httpx.Request], httpx.Response]) -> Iterator[None]:
    true = place.wires.handle_request
    place.wires.handle_request = handle  # type: ignore[method-assign]
    try:
        yield
    finally:
        place.wires.handle_request = true  # type: ignore[method-assign]


def caught(place: World, link: Link, *, heard: bool) -> list[Exchange]:
    """One exchange of a machine, and what went by. `heard`: the machine gets its answers."""
    kept: list[Exchange] = []
    true = place.wires.handle_request

    def handle(request: httpx.Request) -> httpx.Response:
        answer = true(request)
        if request.url.path.endswith("/sync"):
            kept.append((request.content, answer.content))
            if not heard:
                raise httpx.ReadError("lost")
        return answer

    with wire(place, handle):
        link.once()
    return kept


def played(place: World, link: Link, answer: bytes) -> None:
    """The machine's wire is in somebody's hands, who answers whatever it sends by this. Nothing of it is believed, or kept."""

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/sync"):
            return httpx.Response(200, content=answer)
        raise httpx.ConnectError("cut")

    before = link.keep.acknowledged, link.keep.last_word, link.keep.book.lost, link.keep.book.lease
    with wire(place, handle):
        assert not link.once()
    assert link.status.check == "P.008" and link.status.cut
    assert (link.keep.acknowledged, link.keep.last_word, link.keep.book.lost, link.keep.book.lease) == before


def is_refused(machine: Machine, check: str) -> bool:
    """Whether its officers are refused a ballot for the voter."""
    with pytest.raises(Refused) as refused:
        machine.check_in(WHO, machine.link.clock())
    return refused.value.check == check


def test_the_centre_answers_the_very_batch_that_was_sent(day: World) -> None:
    """Nothing happened between two: only their `once` tells them apart. Sent twice, the same bytes are the same request."""
    a = day.start("A-1")
    (sent, answer), (other, _) = (caught(day, a.link, heard=True)[0] for _ in range(2))
    assert sent != other and Answer.of_centre(answer, a.keep.package.centre).of == digest(sent)
    Answer.from_bytes(answer, a.keep.log, a.keep.public, sent, a.keep.package.centre)
    again = day.wires.handle_request(httpx.Request("POST", "http://centre/api/pollbook/sync", content=sent)).content
    assert Answer.from_bytes(again, a.keep.log, a.keep.public, sent, a.keep.package.centre).acknowledged.n == 1
    assert numbers(day) == []


def test_an_old_answer_strikes_no_electronic_ballot(world: World) -> None:
    """A station asked for a right that was used electronically, and called it off: its voter walked away."""
    world.at(9)
    remote, away, home = Remote(world), world.start("B-1"), world.start("A-1")
    iin = IIN["A-1"][0]
    remote.ask(iin)
    synced(home)
    remote.sync()
    remote.vote(iin)
    away.link.wire.question("find", {"iin": iin})
    away.link.wire.question("ask", {"request": "q1", "entitlement": str(who(iin))})
    ((_, old),) = caught(world, remote.link, heard=False)
    assert [one.id for one in Answer.of_centre(old, remote.keep.package.centre).requests] == ["q1"]
    assert away.link.call_off(who(iin)) == (True, True)
    played(world, remote.link, old)
    remote.sync()
    assert remote.keep.book.check_in_of(who(iin)) is not None and not remote.struck()
    assert custody(world, who(iin)) == ("remote/1", 1, 1)


def test_an_old_answer_takes_no_right_from_its_own_station(day: World) -> None:
    a, b = day.start("A-1"), day.start("B-1")
    synced(a, b)
    asks(b, WHO, "q1")
    ((_, old),) = caught(day, a.link, heard=False)
    assert b.link.call_off(WHO) == (True, True)
    synced(a, b)
    played(day, a.link, old)
    a.check_in(WHO, day.now)
    synced(a)
    assert custody(day, WHO) == ("station/A-1/1", 0, 1) and numbers(day) == []


def test_what_the_centre_said_of_a_lost_machine_is_so_when_it_was_said(day: World) -> None:
    """An old answer neither lets it hand out again, nor shuts the table of one that works."""
    a = day.start("A-1")
    ((_, works),) = caught(day, a.link, heard=True)
    lost(day, "A-1")
    ((_, gone),) = caught(day, a.link, heard=True)
    assert is_refused(a, "P.087")
    table = at_table(day, a)  # it says so before anybody taps
    assert "P.087" in table.get("").text and "hand-out" not in table.get(f"/voter/{WHO}").text
    played(day, a.link, works)
    assert is_refused(a, "P.087")
    packing_out.not_lost(day.connection, POLL, "A-1", day.now, "anna")
    synced(a)
    played(day, a.link, gone)
    a.check_in(WHO, day.now)


def test_a_mark_that_the_centre_has_forgotten_keeps_no_right_from_anybody(day: World) -> None:
    """Every machine gave its word; the centre is put back to before that, and nothing else had happened: it gives as before."""
    a, b = day.start("A-1"), day.start("B-1")
    synced(a, b)
    copy = day.connection.begin_nested()
    marked(day)
    synced(a, b)
    lifted(day)
    copy.rollback()
    synced(a, b)
    asks(b, WHO, "q1")
    synced(a, b)
    assert b.keep.book.places[WHO].standing == "here"
    b.check_in(WHO, day.now)
    synced(b)
    assert custody(day, WHO) == ("station/B-1/1", 1, 1) and numbers(day) == []


def test_a_lost_machine_lets_no_right_go(day: World) -> None:
    """Its voters may have signed on paper: nobody gets a certificate there, nor the box, and nobody is let go."""
    a, b = day.start("A-1"), day.start("B-1")
    synced(a, b)
    asks(b, WHO, "q1")
    ((_, asked),) = caught(day, a.link, heard=False)
    (request,) = Answer.of_centre(asked, a.keep.package.centre).requests
    lost(day, "A-1")
    synced(a)
    day_before = day.now - timedelta(days=1)
    for act, said in (
        (acts.do_certificate, {"who": WHO, "number": "7", "officer": "chair", "at": day_before}),
        (acts.do_mobile_request, {"who": WHO, "officer": "chair", "at": day_before}),
        (acts.do_release, {"request": request, "at": day.now}),
    ):
        with pytest.raises(Refused, match=r"P\.087"):
            a.do(act, **said)
    synced(a)
    assert custody(day, WHO) == ("station/A-1/1", 0, 0)
    with pytest.raises(CentreRefused, match=r"P\.078"):
        asks(a, RIGHTS[7], "q2")
    a.do(acts.do_close, officer="chair", at=day.at(20))  # it takes back, and closes
