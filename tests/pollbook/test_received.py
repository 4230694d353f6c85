"""A plain batch read without a value for each event says what `Batch.from_bytes` says; what that refuses is refused."""

from __future__ import annotations

import struct
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pollbook_sample import MORNING, POLL, key, who

from dauys.pollbook.log.events import Batch, Event, Head, LogError, LogId, sign_batch, verify_batch
from dauys.pollbook.wire.received import CheckIns, received

LOG = LogId(POLL, "1", 1)
PUBLIC = key(1).public_key().public_bytes_raw()
SIGNATURE = "A" * 85 + "Q=="


def body(number: int, **more: object) -> dict[str, object]:
    return {"entitlement": str(who(number)), "channel": "polling-day", "officer": "m1", "salt": f"{number:020x}"} | more


def batch(*bodies: dict[str, object], before: int = 0, kind: str = "check-in", at: str = MORNING.isoformat()) -> Batch:
    """A batch of such events, after so many others of the log."""
    head, events = Head.before(LOG), []
    for one in [*(body(1000 + n) for n in range(before)), *bodies]:
        events.append(Event(head.n + 1, at, kind, one, head.hash))
        head = events[-1].head
    return sign_batch(LOG, before + 1, events[before:], head.hash, key(1))


def same(data: bytes) -> bool:
    """Whether both ways of reading say the same; a batch, or the number of the refusal."""
    try:
        wanted = Batch.from_bytes(data)
    except LogError as error:
        with pytest.raises(LogError) as found:
            received(data)
        return found.value.check == error.check
    got = received(data)
    if isinstance(got, Batch):
        return got == wanted
    assert got.batch() == wanted
    assert got.signed_bytes() == wanted.signed_bytes()
    assert (got.log, got.first, got.head, got.sig) == (wanted.log, wanted.first, wanted.head, wanted.sig)
    assert got.once == wanted.once and got.to_bytes() == wanted.to_bytes()
    assert got.prev == wanted.events[0].prev and got.last == wanted.events[-1].n
    assert [event.to_bytes() for event in wanted.events] == list(got.events)
    assert [event.entitlement.bytes for event in wanted.events if event.entitlement] == list(got.rights)
    assert got.named.split(",") == [event.body["entitlement"] for event in wanted.events]
    return got.rows(7) == b"".join(row(7, event) for event in wanted.events)


def row(log: int, event: Event) -> bytes:
    """The row as the manual of PostgreSQL describes it (COPY, "Binary Format"), field by field."""
    assert event.entitlement is not None
    since = datetime.fromisoformat(event.at) - datetime.fromisoformat("2000-01-01T00:00:00+00:00")
    values = (
        log.to_bytes(4, "big"), event.n.to_bytes(4, "big"), b"check-in", event.entitlement.bytes,
        struct.pack("!q", since // timedelta(microseconds=1)), event.to_bytes(),
    )  # fmt: skip
    return (6).to_bytes(2, "big") + b"".join(len(value).to_bytes(4, "big") + value for value in values)


texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12).filter(
    lambda text: text.isprintable() and text.strip() == text
)
plain_texts = st.sampled_from(["m1", "polling-day", "a b", "~", "},{", "x" * 300])
zones = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.builds(lambda seconds, tick, zone: datetime.fromtimestamp(seconds, zone).replace(microsecond=tick),
                    st.integers(0, 4_000_000_000), st.sampled_from([0, 0, 1, 999_999]), zones)  # fmt: skip


@given(st.lists(st.builds(lambda n, o, c, s: body(n, officer=o, channel=c, **s), st.integers(0, 40), plain_texts | texts,
                          plain_texts, st.sampled_from([{}, {}, {"sig": SIGNATURE}, {"members": ["m1", "m2"]}])), max_size=6),
       st.integers(0, 2), moments)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_both_ways_of_reading_say_the_same(bodies: list[dict[str, object]], before: int, at: datetime) -> None:
    assert same(batch(*bodies, before=before, at=at.isoformat()).to_bytes())


@given(st.integers(0, 10_000), st.integers(1, 255), st.sampled_from(["change", "drop", "double", "insert"]))
@settings(max_examples=80, deadline=None)
def test_changed_on_the_way_it_is_refused_by_both(place: int, change: int, how: str) -> None:
    data = bytearray(DATA)
    place %= len(data)
    match how:
        case "change":
            data[place] ^= change
        case "drop":
            del data[place]
        case "double":
            data[place:place] = data[place : place + change]
        case "insert":
            data.insert(place, change)
    assert same(bytes(data))
    if bytes(data) != DATA:
        with pytest.raises(LogError):
            verify_batch(received(bytes(data)), PUBLIC)


def test_the_usual_batch_is_read_the_short_way_and_nothing_else_is() -> None:
    assert type(received(DATA)) is CheckIns
    again: list[dict[str, Any]] = [body(1), body(2), body(1)]
    for other in (batch(*again), batch(body(1, members=["m1", "m2"])), batch(), batch({"officer": "c1"}, kind="open")):
        assert type(received(other.to_bytes())) is Batch
        assert same(other.to_bytes())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"n":4', b'"n":5'), (b'"n":4', b'"n":04'), (b'"n":4', b'"n":4.0'), (b'"kind":"check-in",', b""), (b'"at":', b' "at":'),
        (b'"m1"', b'" m1"'), (b'"m1"', b'"m1 "'), (b'"m1"', b'"m\\u0031"'), (b'"m1"', b'"m\x7f"'), (b'"m1"', b'""'),
        (b'"m1"', b'"m\xc3\xa9"'), (b'"m1"', b'"m\xff"'), (b'"m1"', b'"' + 301 * b"x" + b'"'), (b'"m1"', b'"m1","officer":"m1"'),
        (b"Q==", b"R=="), (b"Q==", b"QQ="), (b"+06:00", b"+24:00"), (b"+06:00", b""), (b"+06:00", b"Z"), (b"+06:00", b"+00:00:01"),
        (b"2022-06-05T", b"2022-06-35T"), (b"2022-06-05T", b"2022-06-05 "), (b"2022", b"0000"), (b'"check-in"', b'"queue"'),
        (b'"entitlement":"', b'"entitlement":"A'), (b'"salt":"0', b'"salt":"A'), (b'"channel"', b'"Channel"'),
    ],
)  # fmt: skip
def test_only_its_form_is_wrong(old: bytes, new: bytes) -> None:
    """The last event is another text, and the chain and its head are made for that text."""
    events, rest = DATA[: DATA.rindex(b"],")], DATA[DATA.rindex(b"],") :]
    start = events.rindex(b'{"at"')
    last = events[start:]
    assert old in last
    changed = last.replace(old, new, 1)
    rest = rest.replace(sha256(last).hexdigest().encode(), sha256(changed).hexdigest().encode())
    assert same(events[:start] + changed + rest)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"first":2', b'"first":1'), (b'"first":2', b'"first":2,"first":2'), (b'"first":2', b'"first":"2"'),
        (b'"generation":1', b'"generation":true'), (b'"generation":1', b'"generation":0'), (b'"station":"1"}', b'"station":"1"}\n'),
        (b'"station":"1"', b'"station":1'), (b'"poll"', b'"pool"'), (b'{"events":[{', b'{"events":[{},{'), (b"],", b",],"),
        (b'},{"at"', b'} ,{"at"'), (b'},{"at"', b'},,{"at"'), (b'"sig":"', b'"sig":"A'),
    ],
)  # fmt: skip
def test_only_what_stands_around_the_events_is_wrong(old: bytes, new: bytes) -> None:
    assert old in PLAIN
    assert same(PLAIN.replace(old, new))


@pytest.mark.parametrize("once", [b"0" * 15, b"0" * 17, b"A" * 16, b"0" * 15 + b"\\n"])
def test_what_makes_a_batch_unlike_any_other_is_sixteen_digits(once: bytes) -> None:
    start = PLAIN.index(b'"once":"') + 8
    for changed in (PLAIN[:start] + once + PLAIN[start + 16 :], PLAIN[: start - 8] + PLAIN[start + 18 :]):
        with pytest.raises(LogError, match=r"P\.001"):
            received(changed)
        assert same(changed)


DATA = batch(body(1), body(2), body(3, sig=SIGNATURE), before=1).to_bytes()
PLAIN = batch(body(1), body(2), body(3), before=1).to_bytes()
