"""What the centre tells a station about voters: not too many in an hour, to no machine that was lost, and no more than is needed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import httpx
import psycopg
import pytest
import sqlalchemy as sa
from joined_world import KEYS, VAULT, Machine, OneConnection, World, iin_of, world_of

from dauys.pollbook.log.events import LogError
from dauys.pollbook.machine.sync import CentreRefused, Unreached
from dauys.pollbook.packing import packages as packing_out
from dauys.pollbook.rules.channels import Channels, Ruling
from dauys.pollbook.serving import service, waiting
from dauys.pollbook.wire.questions import Question
from dauys.pollbook.wire.replies import ERROR, Reply
from dauys.polls.pollbook_join import channels_of

pytestmark = pytest.mark.database


@pytest.fixture
def world(connection: sa.Connection, tmp_path: Path) -> Iterator[World]:
    with world_of(connection, tmp_path, {"A-1": 3, "A/2": 2}) as world:
        yield world


def asked(
    world: World, machine: Machine, what: str, most: int = 9, channels: Channels | None = None, **body: str
) -> dict[str, Any]:
    question = Question(machine.keep.log, world.now.isoformat(), what, body)
    signed = Question.from_bytes(question.to_bytes(machine.keep.key))
    with world.connection.begin_nested():
        return service.reply(world.connection, signed, VAULT, channels or channels_of(world.poll), world.now, most)


def test_a_machine_that_was_declared_lost_may_send_its_log_and_nothing_else(world: World) -> None:
    thief, home = world.start("A/2"), world.start("A-1")
    iin, who = home.keep.package.voters[0].iin, home.voters[0]
    assert thief.link.wire.question("find", {"iin": iin})["line"]
    thief.check_in(thief.voters[0], world.at(9))
    packing_out.lose(world.connection, world.poll.id, "A/2")
    for what, body in (("find", {"iin": iin}), ("ask", {"request": str(uuid4()), "entitlement": str(who)})):
        with pytest.raises(CentreRefused, match=r"P\.078"):
            thief.link.wire.question(what, body)
    waits = Question(thief.keep.log, world.now.isoformat(), "wait", {})
    with pytest.raises(LogError, match=r"P\.078"):
        waiting.is_word(
            cast(sa.Engine, OneConnection(world.connection)),
            Question.from_bytes(waits.to_bytes(thief.keep.key)),
            world.now,
        )
    thief.link.once()
    assert thief.link.waiting == 0 and not thief.keep.book.stopped
    assert home.link.wire.question("find", {"iin": iin})["found"]


def test_a_station_asks_for_so_many_voters_in_an_hour(world: World) -> None:
    """A burst passes; then it waits, until an hour ago is over. Letting a right come, which names nobody, is never too much."""
    machine, home = world.start("A/2"), world.start("A-1")
    world.at(9)
    for serial in (1, 2, 3):
        asked(world, machine, "find", most=3, iin=iin_of(serial))
    with pytest.raises(LogError, match=r"P\.079"):
        asked(world, machine, "find", most=3, iin=iin_of(1))
    asked(world, home, "find", most=3, iin=iin_of(4))
    assert asked(world, machine, "ask", most=3, request="r", entitlement=str(home.voters[0])) == {"request": "r"}
    world.clock[0] += timedelta(minutes=61)
    asked(world, machine, "find", most=3, iin=iin_of(1))


def test_where_he_may_not_vote_nobody_hears_whether_he_has(world: World) -> None:
    machine, home = world.start("A/2"), world.start("A-1")
    home.check_in(home.voters[0], world.at(9))
    home.link.once()
    iin = home.keep.package.voters[0].iin
    assert asked(world, machine, "find", iin=iin)["used"] is True, "the law of any station: no second ballot here"
    on = channels_of(world.poll)
    rulings = {**on.rulings, "any-station": Ruling("off", "art. 1", "the law does not know it")}
    off: Channels = dataclasses.replace(on, rulings=rulings)
    voted, not_yet = (asked(world, machine, "find", channels=off, iin=iin_of(serial)) for serial in (1, 2))
    assert voted == not_yet, "both are sent to their station, and nothing else is said"
    assert (voted["used"], voted["holder"], voted["line"], voted["home"]) == (None, None, None, "A-1")
    assert voted["why"]["check"] == "P.026"


def test_a_question_that_the_database_gave_up_is_503_and_signed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = world.start("A/2")

    def dead(*_: Any) -> None:
        raise psycopg.errors.DeadlockDetected("deadlock detected")

    monkeypatch.setattr(service, "reply", dead)
    data = Question(machine.keep.log, world.now.isoformat(), "find", {"iin": iin_of(1)}).to_bytes(machine.keep.key)
    answer = world.wires.handle_request(httpx.Request("POST", "http://centre/api/pollbook/question", content=data))
    reply = Reply.from_bytes(answer.content, machine.keep.log, data, KEYS.commission.public_key().public_bytes_raw())
    assert (answer.status_code, reply.kind) == (503, ERROR) and "database" in reply.body["message"]
    with pytest.raises(Unreached):
        machine.link.wire.question("find", {"iin": iin_of(1)})
