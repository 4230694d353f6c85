"""A station that notes ballots in the name of a member who has a key: the centre sees it, and fills no protocol from its log."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joined_world import KEYS, POLL, Machine, OneConnection, World, world_of

from dauys.pollbook.gathered import hand_outs
from dauys.pollbook.gathered.states import alarms
from dauys.pollbook.log.events import Event, LogId
from dauys.pollbook.log.member_keys import Wrong, hand_out_bytes, officer_key_bytes, wrongs
from dauys.pollbook.machine import acts
from dauys.pollbook.rules.sums import Difference
from dauys.polls.pollbook_join import tend
from dauys.polls.pollbook_protocols import beside, differences

LOG = LogId(POLL, "A-1", 1)
ONE, TWO = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2))
BALLOT = {"entitlement": "00000000-0000-0000-0000-000000000001", "channel": "polling-day", "officer": "member1",
          "salt": "00" * 10}  # fmt: skip


def signed(body: dict[str, Any], key: Ed25519PrivateKey, log: LogId = LOG) -> dict[str, Any]:
    make = officer_key_bytes if "key" in body else hand_out_bytes
    return body | {"sig": b64encode(key.sign(make(log, body))).decode()}


def key_of(private: Ed25519PrivateKey, officer: str = "member1") -> dict[str, Any]:
    return {"officer": officer, "key": b64encode(private.public_key().public_bytes_raw()).decode()}


def found(*events: tuple[str, dict[str, Any]], since: int = 0) -> list[tuple[str, int]]:
    numbered = [(n, kind, body) for n, (kind, body) in enumerate(events, 1)]
    return [(wrong.check, wrong.n) for wrong in wrongs(LOG, numbered, since)]


def test_what_a_member_signed_for_and_what_not() -> None:
    first, ballot = ("officer-key", key_of(ONE)), ("check-in", BALLOT)
    good = ("check-in", signed(BALLOT, ONE))
    assert found(ballot, first, good, good) == []  # before he had a key he signed nothing
    assert found(first, ballot) == [("P.110", 2)]
    assert found(first, ("check-in", signed(BALLOT, TWO))) == [("P.110", 2)]
    assert found(first, ("check-in", good[1] | {"salt": "11" * 10})) == [("P.110", 2)]
    assert found(first, ("check-in", signed(BALLOT, ONE, LogId(POLL, "A-1", 2)))) == [("P.110", 2)]  # another machine's
    other = BALLOT | {"officer": "member2"}
    assert found(first, ("check-in", other)) == []  # who has no key signs nothing
    assert found(first, ("check-in", signed(other, ONE))) == []
    envelope = {"id": str(UUID(int=1)), "reason": "no answer", "officer": "member1"}
    assert found(first, ("envelope", signed(envelope, ONE))) == []
    assert found(first, ("envelope", envelope), ("envelope", signed(envelope, TWO))) == [("P.110", 2), ("P.110", 3)]
    second, later = ("officer-key", signed(key_of(TWO), ONE)), ("check-in", signed(BALLOT, TWO))
    assert found(first, second, later) == []
    assert found(first, second, good) == [("P.110", 3)]  # the key before holds no more
    assert found(first, ("officer-key", key_of(TWO)), later) == [("P.111", 2)]  # he forgot his PIN, or was it another?
    assert found(first, ("officer-key", signed(key_of(TWO), TWO)), later) == [("P.110", 2)]
    assert found(first, ballot, ballot, since=2) == [("P.110", 3)]
    assert wrongs(LOG, [(1, *first), (2, *ballot)]) == [
        Wrong("P.110", 2, "member1", "a ballot without its member's signature")
    ]


@pytest.fixture
def world(connection: sa.Connection, tmp_path: Path) -> Iterator[World]:
    with world_of(connection, tmp_path, {"A-1": 6, "B-1": 4}) as made:
        yield made


def forged(machine: Machine, world: World, key: Ed25519PrivateKey | None = None) -> Event:
    """The program of this station does not keep to the rules: it hands out in member1's name without him."""
    with machine.keep.acting() as book:
        body = BALLOT | {
            "entitlement": str(machine.voters[len(book.check_ins)]),
            "salt": world.dice.randbytes(10).hex(),
        }
        body = body if key is None else signed(body, key, book.log)
        event = Event(book.head.n + 1, world.now.isoformat(), "check-in", body, book.head.hash)
        return machine.keep.append(event)


@pytest.mark.database
def test_a_protocol_is_not_filled_from_a_log_that_lies_about_its_members(world: World) -> None:
    machine, other = world.start("A-1"), world.start("B-1")
    world.at(9)
    for one in (machine, other):
        public = ONE.public_key().public_bytes_raw()
        one.do(acts.do_officer_key, "member1", public, at=world.now)
        one.check_in(one.voters[0], world.now, sign=ONE.sign)
        one.link.once()
    at_desk = beside(lambda poll: KEYS.commission, lambda: world.now)
    assert at_desk.fields(world.connection, POLL, "A-1")["received"] == 1
    assert not alarms(world.connection, POLL)
    lie = forged(machine, world)
    forged(machine, world, TWO)
    machine.link.once()
    assert at_desk.fields(world.connection, POLL, "A-1") == {}  # seen as the form is asked for
    assert [(one.number, one.n) for one in alarms(world.connection, POLL)] == [("P.110", lie.n + 1), ("P.110", lie.n)]
    assert Difference("B.111", "received", 3, 1) in differences(world.connection, POLL, "A-1", {"received": 3})
    assert at_desk.numbers(world.connection, POLL, "A-1", {"received": 3})[0] == "B.111"
    assert hand_outs.check(world.connection, POLL, world.now, "A-1") == 0  # once
    assert at_desk.fields(world.connection, POLL, "B-1")["received"] == 1


@pytest.mark.database
def test_the_centre_looks_by_itself_a_part_at_a_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = world.start("A-1")
    monkeypatch.setattr(hand_outs, "MOST", 3)
    machine.do(acts.do_officer_key, "member1", ONE.public_key().public_bytes_raw(), at=world.at(9))
    lies = [forged(machine, world).n for _ in range(4)]
    machine.link.once()
    told = sa.text("SELECT signed_to FROM pollbook_log WHERE station = 'A-1'")
    for seen in (3, 6, 6):
        list(tend(OneConnection(world.connection), lambda poll: KEYS.commission, world.now))  # type: ignore[arg-type]
        assert world.connection.scalar(told) == seen
    assert sorted(one.n for one in alarms(world.connection, POLL)) == lies
