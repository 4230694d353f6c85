"""Events, the chain, batches: what is written is read again, and whatever was changed on the way is refused."""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st
from pollbook_sample import MORNING, POLL, key, who

from dauys.pollbook.log.events import KINDS, Batch, Event, Head, LogError, LogId, follow, sign_batch, verify_batch
from dauys.record.canonical import canonical, parse

LOG = LogId(POLL, "1", 1)
AT = MORNING.isoformat()
BODIES = {
    "open": {"officer": "c1"},
    "check-in": {"entitlement": str(who(1)), "channel": "polling-day", "officer": "m1", "salt": "00" * 10},
    "undo": {"of": 2, "reason": "wrong person", "officer": "m1"},
    "reported": {
        "entitlement": str(who(1)),
        "channel": "polling-day",
        "officer": "m1",
        "salt": "00" * 10,
        "typed": ["anna", "boris"],
    },
    "reported-undo": {"entitlement": str(who(1)), "reason": "misread", "officer": "anna + boris"},
    "release": {"entitlement": str(who(2)), "epoch": 0, "request": "r-1", "to": "station/2/1"},
    "certificate": {"entitlement": str(who(3)), "epoch": 0, "number": "17", "officer": "m1"},
    "mobile-request": {"entitlement": str(who(3)), "officer": "m1"},
    "mobile-out": {"entitlement": str(who(3)), "officer": "m1", "members": ["m1", "m2"]},
    "mobile-back": {"entitlement": str(who(3)), "officer": "m1"},
    "ballots": {"what": "delivered", "count": 101, "officer": "c1"},
    "certificate-back": {"entitlement": str(who(3)), "epoch": 0, "reason": "wrong person", "officer": "m1"},
    "envelope": {"id": str(UUID(int=5)), "reason": "no answer", "officer": "m1"},
    "envelope-undo": {"of": 7, "reason": "wrong person", "officer": "m1"},
    "envelope-of": {"of": 7, "entitlement": str(who(3))},
    "officer-key": {"officer": "m1", "key": "A" * 43 + "="},
    "queue": {"count": 0, "officer": "m1"},
    "struck-out": {"of": 3, "officer": "voting-system"},
    "close": {"officer": "c1"},
}


def chain(kinds: list[str]) -> list[Event]:
    head, events = Head.before(LOG), []
    for kind in kinds:
        events.append(Event(head.n + 1, AT, kind, BODIES[kind], head.hash))
        head = events[-1].head
    return events


def batch(kinds: list[str], first: int = 1) -> Batch:
    events = chain(kinds)
    return sign_batch(LOG, first, events[first - 1 :], events[-1].head.hash if events else LOG.start, key(1))


PUBLIC = key(1).public_key().public_bytes_raw()


def test_the_chain_is_what_the_contract_says() -> None:
    """The same hashes and signature, computed here from bytes alone."""
    start = sha256(b"dauys pollbook log\0test/pollbook\x001\x001\0").hexdigest()
    said = {"at": AT, "body": {"officer": "c1"}, "kind": "open", "n": 1, "prev": start}
    data = canonical(said)
    assert chain(["open"])[0].to_bytes() == data
    head = sha256(data).hexdigest()
    true = batch(["open"])
    message = f"dauys pollbook sync v2\ntest/pollbook\n1\n1\n1\n1\n{head}\n{true.once}\n".encode()
    assert len(true.once) == 16 and batch(["open"]).once != true.once
    Ed25519PublicKey.from_public_bytes(PUBLIC).verify(true.sig, message)


def test_holders_have_names_of_their_own() -> None:
    logs = [LogId(POLL, name, n) for name in ("1", "1/1", "remote", "station") for n in (1, 2)]
    assert len({log.holder for log in logs}) == len({log.start for log in logs}) == len(logs)
    assert LogId(POLL, "remote", 1).holder == "remote/1" and LOG.holder == "station/1/1"


def test_every_kind_is_tried_here() -> None:
    assert BODIES.keys() == KINDS.keys() - {"receive"}  # tests of custody make receive out of true grants


@given(st.lists(st.sampled_from(sorted(BODIES)), max_size=8), st.integers(1, 9))
@settings(max_examples=60)
def test_batches_come_back_as_they_went(kinds: list[str], first: int) -> None:
    true = batch(kinds, min(first, len(kinds) + 1))
    again = Batch.from_bytes(true.to_bytes())
    assert again == true and again.to_bytes() == true.to_bytes()
    verify_batch(again, PUBLIC)
    assert [Event.from_bytes(event.to_bytes()) for event in again.events] == list(true.events)


@given(st.integers(0, 10_000), st.integers(1, 255))
@settings(max_examples=60)
def test_any_changed_byte_is_refused(place: int, change: int) -> None:
    data = bytearray(batch(["open", "check-in", "undo"]).to_bytes())
    data[place % len(data)] ^= change
    with pytest.raises(LogError):
        verify_batch(Batch.from_bytes(bytes(data)), PUBLIC)


def test_reordered_and_cut_chains_are_refused() -> None:
    events = chain(["open", "check-in", "undo", "close"])
    assert follow(Head.before(LOG), events) == events[-1].head
    for wrong, check in (
        ([events[1]], "P.006"),
        ([events[0], events[2]], "P.006"),
        ([events[0], Event(2, AT, "close", BODIES["close"], LOG.start)], "P.005"),
    ):
        with pytest.raises(LogError) as error:
            follow(Head.before(LOG), wrong)
        assert error.value.check == check
    with pytest.raises(LogError):
        follow(Head.before(LogId(POLL, "2", 1)), events)


@pytest.mark.parametrize(
    "change",
    [
        {"n": 0}, {"n": True}, {"n": "1"}, {"at": "2022-06-05T10:32:00"}, {"at": "soon"}, {"kind": "vote"},
        {"prev": "00"}, {"body": {}}, {"body": {"officer": "c1", "name": "Aigul"}}, {"body": {"officer": " c1"}},
        {"body": {"officer": "c1\n"}}, {"body": {"officer": 7}}, {"body": []}, {"body": {"officer": "x" * 301}},
    ],
)  # fmt: skip
def test_events_of_another_shape_are_refused(change: dict[str, object]) -> None:
    value = {"n": 1, "at": AT, "kind": "open", "body": {"officer": "c1"}, "prev": LOG.start} | change
    with pytest.raises(LogError, match=r"\[P\.001\]"):
        Event.of(value)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("check-in", {"entitlement": str(who(1)).upper()}), ("check-in", {"salt": "00" * 9}), ("check-in", {"salt": "0G" * 10}),
        ("check-in", {"members": []}), ("check-in", {"sig": "AAAA"}), ("undo", {"of": 0}), ("undo", {"of": True}),
        ("release", {"epoch": -1}), ("release", {"epoch": 1 << 15}), ("ballots", {"count": 0}),
        ("ballots", {"count": 1_000_001}), ("ballots", {"what": "burnt"}), ("envelope", {"id": "5"}),
    ],
)  # fmt: skip
def test_members_of_another_kind_are_refused(kind: str, change: dict[str, object]) -> None:
    with pytest.raises(LogError, match=r"\[P\.001\]"):
        Event(1, AT, kind, BODIES[kind] | change, LOG.start)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b'{"poll":1}', b"[" * 5000])
def test_what_is_no_batch_is_one_message(data: bytes) -> None:
    with pytest.raises(LogError, match=r"\[P\.001\]"):
        Batch.from_bytes(data)


def test_a_batch_whose_head_is_not_its_last_event_is_refused() -> None:
    value = parse(batch(["open", "close"]).to_bytes())
    assert isinstance(value, dict)
    value["head"] = LOG.start
    with pytest.raises(LogError, match=r"\[P\.005\]"):
        Batch.from_bytes(canonical(value))


def test_a_log_of_a_nation_names_events_behind_the_first_million() -> None:
    """An electronic channel's log: what a paper ballot strikes may be its ten millionth event."""
    for kind in ("undo", "struck-out"):
        body = {**BODIES[kind], "of": 10_000_000}
        assert Event(10_000_001, AT, kind, body, "0" * 64).body["of"] == 10_000_000
    with pytest.raises(LogError):
        Event(1, AT, "ballots", {**BODIES["ballots"], "count": 10_000_000}, "0" * 64)
