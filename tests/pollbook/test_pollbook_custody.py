"""The rules of custody one by one, at the centre: what an honest station may do, and what becomes of what a dishonest one says."""

from __future__ import annotations

import pytest
from pollbook_sample import CENTRE, MORNING, POLL, key, who

from dauys.pollbook.log import words
from dauys.pollbook.log.events import Event, Head, LogError, LogId, sign_batch
from dauys.pollbook.rules import custody, decided, holders
from dauys.pollbook.rules.audit import audit
from dauys.pollbook.rules.custody import Centre, Custody, CustodyError, State
from dauys.pollbook.rules.grants import Answer, Grant, Request
from dauys.pollbook.rules.holders import CERTIFICATE
from dauys.pollbook.rules.places import was_used

A, B, C = (LogId(POLL, name, 1) for name in "ABC")
KEYS = {A: key(1), B: key(2), C: key(3)}
AT = MORNING.isoformat()


class Scribe:
    """Writes a log without asking any rule: an honest or a dishonest station."""

    def __init__(self, log: LogId) -> None:
        self.log = log
        self.events: list[Event] = []

    def write(self, kind: str, **body: object) -> Event:
        head = self.events[-1].head if self.events else Head.before(self.log)
        self.events.append(Event(head.n + 1, AT, kind, body, head.hash))
        return self.events[-1]

    def check_in(self, number: int) -> Event:
        return self.write(
            "check-in",
            entitlement=str(who(number)),
            channel="polling-day",
            officer="m1",
            salt=f"{len(self.events):020x}",
        )

    def release(self, number: int, epoch: int = 0, request: str = "r") -> Event:
        return self.write("release", entitlement=str(who(number)), epoch=epoch, request=request)

    def send(self, centre: Centre, first: int = 1) -> custody.Taken:
        head = self.events[-1].head.hash if self.events else self.log.start
        return custody.take(centre, sign_batch(self.log, first, self.events[first - 1 :], head, KEYS[self.log]))


@pytest.fixture
def centre() -> Centre:
    centre = Centre(POLL, {who(n): Custody("ABC"[n // 2] and f"station/{'ABC'[n // 2]}/1", 0) for n in range(6)})
    for log, own in KEYS.items():
        centre = custody.enrol(centre, log, own.public_key().public_bytes_raw())
    return centre


def test_a_check_in_uses_the_right_and_is_acknowledged_again_and_again(centre: Centre) -> None:
    a = Scribe(A)
    a.check_in(0)
    once = a.send(centre)
    assert once.acknowledged == a.events[-1].head and once.centre.custody[who(0)].state is State.USED
    again = a.send(once.centre)
    assert again.centre == once.centre and again.acknowledged == once.acknowledged


def test_a_gap_names_where_to_send_from(centre: Centre) -> None:
    a = Scribe(A)
    for number in (0, 1):
        a.check_in(number)
    taken = a.send(centre, first=2)
    assert (taken.send_from, taken.acknowledged.n, taken.centre) == (1, 0, centre)


def test_two_histories_stop_the_station(centre: Centre) -> None:
    a, copy = Scribe(A), Scribe(A)
    a.check_in(0)
    copy.check_in(1)
    centre = a.send(centre).centre
    taken = copy.send(centre)
    assert taken.stopped and [alarm.check for alarm in taken.alarms] == ["P.106"]
    assert taken.centre.custody == centre.custody
    assert a.send(taken.centre).stopped, "which of the two is true, people find out"


def test_a_copy_that_goes_on_from_a_shorter_log_is_seen(centre: Centre) -> None:
    a = Scribe(A)
    a.check_in(0)
    copy = Scribe(A)
    copy.events = list(a.events)
    a.check_in(1)
    centre = a.send(centre).centre
    copy.release(1)
    assert copy.send(centre, first=2).stopped


def test_the_sign_of_life_of_another_history_stops_the_station(centre: Centre) -> None:
    a, copy = Scribe(A), Scribe(A)
    a.check_in(0)
    copy.check_in(1)
    centre = a.send(centre).centre
    assert copy.send(centre, first=2).stopped
    assert not a.send(centre, first=2).stopped


def test_forged_batches_and_unknown_stations_are_refused(centre: Centre) -> None:
    a = Scribe(A)
    event = a.check_in(0)
    for log, own, check in ((A, key(9), "P.004"), (B, KEYS[A], "P.004"), (LogId(POLL, "Z", 1), key(1), "P.003"),
                            (LogId(POLL, "A", 2), KEYS[A], "P.003")):  # fmt: skip
        with pytest.raises(LogError) as error:
            custody.take(centre, sign_batch(log, 1, [event], event.head.hash, own))
        assert error.value.check == check


def test_a_move_takes_the_release_and_nothing_less(centre: Centre) -> None:
    a, b = Scribe(A), Scribe(B)
    centre = custody.ask(centre, "r", who(0), B)
    assert custody.asked_of(centre, A) == (Request("r", who(0), 0, B.holder),)
    with pytest.raises(CustodyError, match=r"P\.052"):
        custody.grant(centre, "r", B)
    a.release(0)
    centre = a.send(centre).centre
    assert custody.asked_of(centre, A) == ()
    centre, grant = custody.grant(centre, "r", B)
    assert custody.grant(centre, "r", B) == (centre, grant), "asked again, told again"
    assert centre.custody[who(0)] == Custody(B.holder, 1)
    b.write("receive", **grant.signed(CENTRE).body())
    b.check_in(0)
    centre = b.send(centre).centre
    assert centre.custody[who(0)].state is State.USED and not centre.alarms
    a.check_in(0)
    dishonest = a.send(centre)
    assert [alarm.check for alarm in dishonest.alarms] == ["P.101", "P.102"]
    assert dishonest.centre.uses[who(0)] == ((B, 2), (A, 2)), "both are kept"


def test_a_used_right_is_not_asked_for_and_not_granted(centre: Centre) -> None:
    a = Scribe(A)
    centre = custody.ask(centre, "early", who(0), B)
    a.check_in(0)
    centre = a.send(centre).centre
    with pytest.raises(CustodyError, match=r"P\.021"):
        custody.ask(centre, "late", who(0), B)
    with pytest.raises(CustodyError, match=r"P\.052"):
        custody.grant(centre, "early", B)


def test_of_two_who_ask_one_gets_it(centre: Centre) -> None:
    a = Scribe(A)
    for request, to in (("r", B), ("s", C)):
        centre = custody.ask(centre, request, who(0), to)
    a.release(0)
    centre, _ = custody.grant(a.send(centre).centre, "s", C)
    with pytest.raises(CustodyError, match=r"P\.053"):
        custody.grant(centre, "r", B)


def test_a_certificate_is_granted_where_it_is_shown(centre: Centre) -> None:
    a = Scribe(A)
    a.write("certificate", entitlement=str(who(0)), epoch=0, number="7", officer="m1")
    centre = a.send(centre).centre
    assert centre.custody[who(0)] == Custody(CERTIFICATE, 1)
    centre, grant = custody.grant(custody.ask(centre, "r", who(0), B), "r", B)
    assert (grant.why, grant.epoch) == ("certificate", 2)


def test_a_lost_station_keeps_what_it_holds_until_its_log_is_found(centre: Centre) -> None:
    a, second = Scribe(A), LogId(POLL, "A", 2)
    with pytest.raises(CustodyError, match=r"P\.019"):
        custody.enrol(centre, second, key(4).public_key().public_bytes_raw())
    a.check_in(0)
    centre = custody.enrol(custody.declare_lost(centre, A), second, key(4).public_key().public_bytes_raw())
    centre = custody.ask(centre, "r", who(1), second)
    with pytest.raises(CustodyError, match=r"P\.052"):
        custody.grant(centre, "r", second)
    assert centre.incomplete() == [A, B, C, second]
    a.write("close", officer="c1")
    found = a.send(centre).centre
    assert found.custody[who(0)].state is State.USED and not found.alarms
    found, grant = custody.grant(found, "r", second)
    assert (grant.why, grant.to) == ("found-log", "station/A/2")
    _, grant = custody.grant(custody.ask(a.send(centre).centre, "s", who(1), B), "s", B)
    assert (grant.why, grant.to) == ("move", "station/B/1"), (
        "at another station its voter votes by the law of any station"
    )


def test_a_stopped_log_frees_nothing(centre: Centre) -> None:
    a, copy = Scribe(A), Scribe(A)
    a.write("close", officer="c1")
    copy.check_in(0)
    centre = copy.send(a.send(centre).centre).centre
    assert centre.logs[A].closed and not custody.may_grant(centre, who(1))


def test_dishonest_logs_raise_alarms_and_move_nothing(centre: Centre) -> None:
    a = Scribe(A)
    a.check_in(3)  # B's
    a.release(2)  # B's
    a.release(0, epoch=5)
    a.write("receive", **Grant(POLL, who(2), 1, A.holder, "move", "r").signed(key(8)).body())
    a.write("undo", of=99, reason="x", officer="m1")
    a.write("close", officer="c1")
    a.check_in(1)
    taken = a.send(centre)
    assert [alarm.check for alarm in taken.alarms] == ["P.101", "P.103", "P.103", "P.105", "P.104", "P.107"]
    moved = {one for one in centre.custody if taken.centre.custody[one] != centre.custody[one]}
    assert moved == {who(1)}, "only the late check-in of its own voter, which counts and is shown"
    assert taken.centre.uses[who(3)] == ((A, 1),)
    with pytest.raises(CustodyError, match=r"P\.021"):
        custody.ask(taken.centre, "r", who(3), C)


def test_the_audit_finds_by_the_logs_alone_what_the_centre_alarms_of() -> None:
    """Two honest-looking logs and a centre that gave one right twice: nothing but the logs is needed."""
    homes = {who(n): (A, B, C)[n // 2] for n in range(6)}
    a, b, c = Scribe(A), Scribe(B), Scribe(C)
    a.check_in(3)
    a.release(0)
    a.release(1, epoch=4)
    for scribe in (b, c):
        scribe.write("receive", **Grant(POLL, who(0), 1, scribe.log.holder, "move", "r").signed(CENTRE).body())
        scribe.check_in(0)
    c.write("receive", **Grant(POLL, who(1), 1, C.holder, "move", "s").signed(CENTRE).body())
    b.check_in(3)
    found = audit({scribe.log: scribe.events for scribe in (a, b, c)}, homes)
    assert sorted((one.check, one.entitlement) for one in found) == [
        ("P.101", who(3)), ("P.102", who(0)), ("P.102", who(3)), ("P.103", who(1)), ("P.105", who(0)), ("P.105", who(1)),
    ]  # fmt: skip
    unread = audit({C: c.events}, homes)
    assert unread == [], "what was given out of a log that nobody has is not judged"


def test_the_audit_sees_whether_what_was_given_back_had_been_let_go() -> None:
    homes = {who(n): A for n in range(2)}
    a, b = Scribe(A), Scribe(B)
    a.release(0)  # for the commission, which withdrew it (epoch 1) and gave it back (epoch 2)
    a.check_in(1)
    for number in range(2):
        b.write("receive", **Grant(POLL, who(number), 2, B.holder, "returned", f"r{number}").signed(CENTRE).body())
        b.check_in(number)
    found = audit({scribe.log: scribe.events for scribe in (a, b)}, homes)
    assert sorted((one.check, one.entitlement) for one in found) == [("P.102", who(1)), ("P.105", who(1))]


def test_only_what_is_withdrawn_is_given_back_and_once(centre: Centre) -> None:
    with pytest.raises(CustodyError, match=r"P\.057"):
        decided.give_back(centre, "b", who(0), B)
    with pytest.raises(CustodyError, match=r"P\.020"):
        decided.give_back(centre, "b", who(99), B)
    centre = decided.withdraw(centre, "w", who(0))
    a = Scribe(A)
    a.release(0)
    centre = decided.settle(a.send(centre).centre, "w")
    assert decided.call_off(centre, "w") == centre  # it is withdrawn already
    centre, grant = decided.give_back(centre, "b", who(0), B)
    assert (grant.epoch, grant.why, grant.to) == (2, "returned", B.holder)
    assert decided.give_back(centre, "b", who(0), B) == (centre, grant)
    with pytest.raises(CustodyError, match=r"P\.057"):
        decided.give_back(centre, "again", who(0), C)


def test_undo_frees_the_right_where_it_was_used(centre: Centre) -> None:
    a = Scribe(A)
    a.check_in(0)
    a.write("undo", of=1, reason="wrong person", officer="m1")
    a.release(0)
    taken = a.send(centre)
    assert not taken.alarms and taken.centre.custody[who(0)].state is State.RELEASED
    assert taken.centre.uses[who(0)] == ()


def refused_to_add(centre: Centre, one: int, to: LogId) -> str:
    with pytest.raises(CustodyError) as error:
        decided.add(centre, "another", who(one), to)
    return error.value.check


def test_a_voter_is_added_once(centre: Centre) -> None:
    new = who(99)
    assert refused_to_add(centre, 99, B) == "P.020"
    centre = decided.enter(centre, new, "B")
    with pytest.raises(CustodyError, match=r"P\.054"):
        decided.enter(centre, new, "C")
    assert refused_to_add(centre, 99, C) == "P.054"
    centre, grant = decided.add(centre, "add", new, B)
    assert (grant.epoch, grant.why) == (1, "addition") and custody.granted_to(centre, B) == (grant,)
    assert decided.add(centre, "add", new, B) == (centre, grant)
    assert [refused_to_add(centre, 99, to) for to in (B, C)] == ["P.054", "P.054"]
    with pytest.raises(CustodyError, match=r"P\.054"):
        decided.add(centre, "add", new, C)  # another's request


@pytest.mark.parametrize("when", ["before the list", "after the list", "given before the loss"])
def test_an_addition_is_given_only_while_no_list_has_it(centre: Centre, when: str) -> None:
    """The machine that was lost may have used what is on its list, or came to it, and nobody knows."""
    second, new = LogId(POLL, "B", 2), who(99)
    centre = decided.enter(centre, new, "B")
    if when == "before the list":
        centre = decided.listed(centre, B)
        assert decided.listed(centre, C) == centre and centre.custody[new] == Custody(B.holder, 0)
    if when == "given before the loss":
        centre, _ = decided.add(centre, "add", new, B)
    centre = custody.enrol(custody.declare_lost(centre, B), second, key(4).public_key().public_bytes_raw())
    assert refused_to_add(centre, 99, B) == ("P.051" if when == "after the list" else "P.054")
    if when != "after the list":
        assert refused_to_add(centre, 99, second) == "P.034"
        assert decided.listed(centre, second) == centre
        return
    other = decided.listed(centre, second)
    assert other.custody[new] == Custody(second.holder, 0) and refused_to_add(other, 99, second) == "P.054"
    centre, grant = decided.add(centre, "add", new, second)
    assert grant.to == second.holder and centre.custody[new] == Custody(second.holder, 1)


def test_what_is_on_no_list_can_be_used_by_nobody_and_is_given_or_withdrawn_at_once(centre: Centre) -> None:
    new = who(99)
    centre = decided.enter(centre, new, "B")
    moved, grant = custody.grant(custody.ask(centre, "r", new, C), "r", C)
    assert (grant.why, grant.epoch) == ("ahead", 1), "the law of voting at any station is held against it"
    assert refused_to_add(moved, 99, B) == "P.054"
    gone = decided.settle(decided.withdraw(centre, "w", new), "w")
    assert gone.custody[new].holder == holders.WITHDRAWN and refused_to_add(gone, 99, B) == "P.054"
    b = Scribe(B)
    b.check_in(99)  # a liar
    used = b.send(centre).centre
    assert [alarm.check for alarm in used.alarms] == ["P.101"] and refused_to_add(used, 99, B) == "P.021"


def test_enrolling_again_with_another_key_is_refused(centre: Centre) -> None:
    assert custody.enrol(centre, A, KEYS[A].public_key().public_bytes_raw()) == centre
    for log, own in ((A, key(9)), (LogId("other", "A", 1), key(9)), (LogId(POLL, "D", 2), key(9))):
        with pytest.raises(CustodyError, match=r"P\.019"):
            custody.enrol(centre, log, own.public_key().public_bytes_raw())


def test_answers_are_the_centres_and_for_one_log() -> None:
    grant = Grant(POLL, who(0), 1, A.holder, "move", "r").signed(CENTRE)
    request = Request("s", who(1), 0, B.holder)
    asked, own = b"what A sent", key(7).public_key().public_bytes_raw()
    answer = Answer(A, own, words.digest(asked), Head(3, "0" * 64), 4, "", MORNING, (request,), (grant,))
    data, public = answer.to_bytes(CENTRE), CENTRE.public_key().public_bytes_raw()
    assert Answer.from_bytes(data, A, answer.key, asked, public) == answer
    assert grant.good(public) and not grant.good(key(1).public_key().public_bytes_raw())
    for wrong, log, station, request_, check in (
        (answer.to_bytes(key(1)), A, own, asked, "P.014"),
        (data, B, own, asked, "P.002"),
        (data, A, key(8).public_key().public_bytes_raw(), asked, "P.009"),
        (data, A, own, b"what A sent before", "P.008"),
        (b"{}", A, own, asked, "P.001"),
        (b"no", A, own, asked, "P.001"),
    ):
        with pytest.raises(LogError) as error:
            Answer.from_bytes(wrong, log, station, request_, public)
        assert error.value.check == check


def test_where_a_right_was_used_is_said_in_words() -> None:
    for holder, said in (
        ("station/A1-02/1", "station A1-02"),
        ("envelope/A1-02/1", "the provisional envelope of station A1-02"),
    ):
        assert was_used(holder).message == f"the right was used at {said}"
