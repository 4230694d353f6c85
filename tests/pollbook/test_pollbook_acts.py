"""What an officer may do, and what he is told when he may not; the book as a fold of its log; sums; envelopes."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st
from pollbook_sample import CENTRE, LEASE, MORNING, OFFICERS, POLL, all_on, key, later, package, voter, who

from dauys.errors import BadInput
from dauys.pollbook.log.events import Event, Head, LogError, LogId
from dauys.pollbook.log.member_keys import hand_out_bytes
from dauys.pollbook.machine import acts, ballot_acts, box
from dauys.pollbook.machine.acts import Refused
from dauys.pollbook.machine.book import Book
from dauys.pollbook.rules import envelopes
from dauys.pollbook.rules.custody import Centre, Custody, Known, State
from dauys.pollbook.rules.grants import Answer, Grant, Request
from dauys.pollbook.rules.holders import CERTIFICATE
from dauys.pollbook.rules.sums import Difference, check_book, check_protocol, together
from dauys.pollbook.station.book_sums import sums_of
from dauys.pollbook.wire.package import Officer
from dauys.roll.free_text import no_iin
from dauys.roll.iin import is_iin


class Desk:
    """A station's desk: does what may be done, and shows why not."""

    def __init__(self, **given: Any) -> None:
        self.opened = given.pop("opened", True)
        self.book = Book.of(package(**given))
        self.events: list[Event] = []
        if self.opened:
            self.do(acts.do_open, "c1", MORNING)

    def do(self, act: Callable[..., Event], *args: Any, **named: Any) -> Event:
        event = act(self.book, *args, **named)
        self.book.apply(event)
        self.events.append(event)
        return event

    def vote(self, number: int, **named: Any) -> Event:
        return self.do(acts.do_check_in, who(number), **{"officer": "m1", "salt": bytes(10), "at": MORNING} | named)

    def refused(self, check: str, act: Callable[..., Event], *args: Any, **named: Any) -> Refused:
        before = self.book.head, dict(self.book.places)
        with pytest.raises(Refused) as error:
            act(self.book, *args, **named)
        assert error.value.check == check, error.value
        assert (self.book.head, self.book.places) == before
        return error.value

    def no_vote(self, check: str, number: int = 0, **named: Any) -> Refused:
        return self.refused(
            check, acts.do_check_in, who(number), **{"officer": "m1", "salt": bytes(10), "at": MORNING} | named
        )


def grant(number: int, epoch: int = 1, to: str = "station/1/1", why: str = "move") -> Grant:
    return Grant(POLL, who(number), epoch, to, why, f"r{number}-{epoch}").signed(CENTRE)


def test_who_voted_is_told_when_and_by_whom() -> None:
    desk = Desk()
    desk.vote(0)
    refused = desk.no_vote("P.021", salt=b"x" * 10, at=later(hours=1))
    assert "already voted at 10:32, handed out by m1" in str(refused)
    assert refused.facts["same_tap"] is False and refused.facts["n"] == 2
    assert desk.no_vote("P.021").facts["same_tap"] is True, "the page was sent twice"


def test_the_wrong_person_is_put_right_and_both_stay_in_the_log() -> None:
    desk = Desk()
    desk.vote(0)
    desk.refused("P.032", acts.do_undo, 2, reason=" ", officer="m1", at=MORNING)
    desk.refused("P.031", acts.do_undo, 1, reason="x", officer="m1", at=MORNING)
    desk.do(acts.do_undo, 2, reason="picked the wrong Akhmetov", officer="m2", at=MORNING)
    desk.refused("P.031", acts.do_undo, 2, reason="again", officer="m1", at=MORNING)
    desk.vote(0)
    assert [one.undone for one in desk.book.check_ins.values()] == [3, 0]


def test_chair_and_secretary_do_not_hand_out() -> None:
    desk = Desk()
    for officer in ("c1", "s1"):
        assert desk.no_vote("P.028", officer=officer).cite == "art. 9"
    desk.no_vote("P.029", officer="m9")
    desk.refused("P.029", acts.do_close, "m1", MORNING)


def test_a_station_that_is_not_open_closed_stopped_or_unheard() -> None:
    desk = Desk(opened=False)
    desk.no_vote("P.024")
    desk.do(acts.do_open, "c1", MORNING)
    desk.refused("P.024", acts.do_open, "c1", MORNING)
    desk.no_vote("P.025", at=LEASE + timedelta(seconds=1))
    desk.book.hear(Answer(desk.book.log, bytes(32), "", desk.book.head, lease=LEASE + timedelta(hours=1)))
    desk.vote(1, at=LEASE + timedelta(seconds=1))
    desk.do(acts.do_close, "c1", MORNING)
    desk.no_vote("P.023")
    desk.refused("P.023", acts.do_release, Request("r", who(0), 0, "station/2/1"), MORNING)
    desk.refused("P.023", acts.do_receive, grant(9), MORNING)
    desk.do(ballot_acts.do_ballots, "delivered", 9, officer="c1", at=MORNING)
    desk.do(ballot_acts.do_ballots, "cancelled", 3, officer="c1", at=MORNING)
    assert desk.book.hear(Answer(desk.book.log, bytes(32), "", Head(99, "0" * 64)))
    desk.refused("P.041", ballot_acts.do_ballots, "cancelled", 3, officer="c1", at=MORNING)


def test_a_clock_that_is_wrong_by_days_is_named() -> None:
    desk = Desk()
    desk.book.lease = later(days=9)
    assert "this machine's clock says 2022-06-07" in str(desk.no_vote("P.033", at=later(days=2)))
    desk.vote(0, at=later(days=-2), channel="early")
    desk.no_vote("P.033", number=1, channel="early")


def test_channels_that_the_law_does_not_know_are_off_with_the_article() -> None:
    desk = Desk(
        channels=all_on(any_station="the law knows none", early="no", envelope="no", mobile="no", certificate="no")
    )
    for refused in (
        desk.no_vote("P.026", channel="early", at=later(days=-2)),
        desk.refused("P.026", acts.do_release, Request("r", who(0), 0, "station/2/1"), MORNING),
        desk.refused("P.026", acts.do_receive, grant(9), MORNING),
        desk.refused("P.026", acts.do_receive, grant(9, why="certificate"), MORNING),
        desk.refused("P.026", acts.do_envelope, UUID(int=1), reason="x", officer="m1", at=MORNING),
        desk.refused("P.026", acts.do_mobile_request, who(0), officer="m1", at=MORNING),
        desk.refused("P.026", acts.do_certificate, who(0), number="1", officer="m1", at=MORNING),
    ):
        assert refused.cite == "art. 9"
    desk.do(acts.do_receive, grant(9, why="addition", epoch=0), MORNING)
    desk.no_vote("P.026", channel="any-station")
    desk.no_vote("P.026", channel="by post")


def test_a_move_there_and_back() -> None:
    desk = Desk()
    desk.refused("P.037", acts.do_release, Request("r", who(0), 3, "station/2/1"), MORNING)
    desk.refused("P.020", acts.do_release, Request("r", who(50), 0, "station/2/1"), MORNING)
    desk.do(acts.do_release, Request("r", who(0), 0, "station/2/1"), MORNING)
    refused = desk.no_vote("P.022")
    assert "station 2, No. 2" in str(refused) and refused.facts["where"] == "station/2/1"
    for wrong, why in (
        (grant(0, to="station/2/1"), "another station's"),
        (grant(0, to="station/1/2"), "the next generation's"),
        (grant(0, epoch=0), "an epoch that was here"),
        (Grant(POLL, who(0), 2, "station/1/1", "move", "r").signed(key(1)), "not the centre's"),
        (Grant("other", who(0), 2, "station/1/1", "move", "r").signed(CENTRE), "another poll's"),
    ):
        assert desk.refused("P.036", acts.do_receive, wrong, MORNING), why
    desk.do(acts.do_receive, grant(0, epoch=2), MORNING)
    desk.refused("P.036", acts.do_receive, grant(0, epoch=2), MORNING)
    desk.vote(0)
    desk.refused("P.021", acts.do_release, Request("s", who(0), 2, "station/2/1"), MORNING)


def test_the_mobile_box_needs_a_request_in_time_and_two_members() -> None:
    desk = Desk()
    desk.refused("P.027", acts.do_mobile_request, who(0), officer="m1", at=later(hours=2))
    desk.no_vote("P.030", channel="mobile", members=("m1", "m2"))
    desk.do(acts.do_mobile_request, who(0), officer="m1", at=MORNING)
    desk.refused("P.030", acts.do_mobile_request, who(0), officer="m1", at=MORNING)
    for members in (("m1",), ("m1", "m1"), ("m2", "s1")):
        desk.no_vote("P.030", channel="mobile", members=members)
    desk.no_vote("P.029", channel="mobile", members=("m1", "m9"))
    desk.vote(0, channel="mobile", members=("m1", "m2"), at=later(hours=3))
    assert sums_of(desk.book).mobile_received == 1


def test_at_home_hand_out_those_who_left_with_the_box() -> None:
    desk = Desk()
    for number in (0, 1):
        desk.do(acts.do_mobile_request, who(number), officer="m1", at=MORNING)
    desk.do(box.do_out, who(0), members=("m1", "m2"), officer="m1", at=MORNING)
    for officer, members in (("m1", ("m1", "c1")), ("m1", ("m1", "s1")), ("m1", ("m1", "m2", "c1"))):
        refused = desk.no_vote("P.030", officer=officer, channel="mobile", members=members)
        assert refused.facts["with"] == ("m1", "m2")
    desk.vote(0, officer="m2", channel="mobile", members=("m2", "m1"))
    desk.vote(1, channel="mobile", members=("m1", "c1"))  # the box left unnoted: nothing says who went along


@pytest.mark.parametrize(
    "digits", ["{}", "{} {}", "{}-{}", "gave it to {} {}.", "№5: {}", "5 kg {}–{}", "{} / {}", "{}_{}", "{}\u200b{}",
     "{}, 10:32", "{} {} 5", "{} {} {} {}", " ".join(["{}"] * 12)],
)  # fmt: skip
def test_no_reason_holds_an_iin(digits: str) -> None:
    desk = Desk()
    vote = desk.vote(0)
    number = "731101400000"
    long = len(number) // digits.count("{}")
    text = digits.format(*(number[n : n + long] for n in range(0, len(number), long)))
    assert is_iin(number)
    before = desk.book.head
    with pytest.raises(BadInput) as refused:
        acts.do_undo(desk.book, vote.n, reason=text, officer="m1", at=MORNING)
    assert refused.value.check == "P.077" and number[-6:] not in str(refused.value)
    with pytest.raises(BadInput, match=r"P\.077"):
        acts.do_envelope(desk.book, UUID(int=1), reason=text, officer="m1", at=MORNING)
    assert desk.book.head == before
    for fine in (
        "12 ballots",
        "731101400001",
        "7311014000001",
        "7311014000",
        "2022-06-05 10:32",
        "№ 1234 5678 9012 3456",
        "05.06.2022 11:05",  # these days and hours have twelve digits, and the check digit fits
        "at the table, 16/04/2030 18.34, once more",
        "05.06.22 14:30:15, 16:09, 10:12, 17:12",
    ):
        assert no_iin(fine) == fine


def test_a_certificate_takes_the_right_along_until_18_of_the_day_before() -> None:
    desk = Desk()
    eve = MORNING.replace(day=4, hour=18, minute=0)
    desk.refused("P.027", acts.do_certificate, who(0), number="7", officer="m1", at=eve + timedelta(seconds=1))
    desk.do(acts.do_certificate, who(0), number="7", officer="m1", at=eve)
    assert desk.no_vote("P.022").facts["where"] == CERTIFICATE
    desk.refused("P.022", acts.do_certificate, who(0), number="8", officer="m1", at=eve)
    desk.refused(
        "P.091", acts.do_certificate, who(1), number="7", officer="m1", at=eve
    )  # it lies in another voter's pocket
    with pytest.raises(BadInput, match=r"P\.077"):  # the scanner was held to the identity card
        acts.do_certificate(desk.book, who(1), number="731101400000", officer="m1", at=eve)
    desk.do(acts.do_certificate, who(1), number="8", officer="m1", at=eve)


def test_the_lost_machines_voters_are_in_doubt() -> None:
    desk = Desk(generation=2, voters=[voter(0, away="station/1/1"), voter(1, away="certificate", epoch=1), voter(2)])
    desk.no_vote("P.034")
    desk.no_vote("P.022", number=1)
    desk.do(acts.do_envelope, UUID(int=1), reason="lost machine", officer="m1", at=MORNING, who=who(0))
    desk.refused("P.037", acts.do_envelope, UUID(int=2), reason="x", officer="m1", at=MORNING, who=who(2))
    desk.do(acts.do_receive, grant(0, to="station/1/2", why="found-log"), MORNING)
    desk.vote(0)


def test_an_officer_with_a_key_signs_each_ballot() -> None:
    own = key(5)
    signing = Officer("m3", "member", "Madi", own.public_key().public_bytes_raw())
    desk = Desk(officers=(*OFFICERS, signing))
    desk.no_vote("P.042", officer="m3")
    desk.no_vote("P.042", officer="m3", sign=key(6).sign)
    event = desk.vote(0, officer="m3", sign=own.sign)
    said = base64.b64decode(event.body["sig"])
    Ed25519PublicKey.from_public_bytes(signing.key or b"").verify(said, hand_out_bytes(desk.book.log, event.body))


deeds = st.lists(
    st.tuples(
        st.sampled_from(["vote", "undo", "release", "receive", "mobile", "certificate", "ballots"]), st.integers(0, 6)
    ),
    max_size=25,
)


@given(deeds)
@settings(max_examples=60, deadline=None)
def test_a_book_is_the_fold_of_its_log_and_its_sums_add_up(doing: list[tuple[str, int]]) -> None:
    desk = Desk(voters=[*(voter(n) for n in range(4)), voter(4, away="station/2/1")])
    for n, (deed, number) in enumerate(doing):
        one = who(number)
        try:
            match deed:
                case "vote":
                    desk.vote(number)
                case "undo":
                    desk.do(acts.do_undo, desk.book.used_by.get(one, 1), reason="x", officer="m1", at=MORNING)
                case "release":
                    epoch = desk.book.places[one].epoch if one in desk.book.places else 0
                    desk.do(acts.do_release, Request("r", one, epoch, "station/2/1"), MORNING)
                case "receive":
                    desk.do(acts.do_receive, grant(number, epoch=n + 1), MORNING)
                case "mobile":
                    desk.do(acts.do_mobile_request, one, officer="m1", at=MORNING)
                case "certificate":
                    desk.do(acts.do_certificate, one, number=str(number), officer="m1", at=later(days=-1))
                case "ballots":
                    desk.do(ballot_acts.do_ballots, "delivered", number + 1, officer="c1", at=MORNING)
        except Refused:
            continue
    again = Book.of(desk.book.package, [Event.from_bytes(event.to_bytes()) for event in desk.events])
    assert again == desk.book
    sums = sums_of(desk.book)
    assert sums.eligible == sums.listed + sum(sums.came.values()) - sum(sums.left.values())
    assert sums.received == len(desk.book.used_by) <= sums.eligible
    assert sums.received + sums.undone == sum(event.kind == "check-in" for event in desk.events)


def test_ballots_of_members_add_up_or_the_number_says_who() -> None:
    desk = Desk(voters=5)
    desk.do(ballot_acts.do_ballots, "delivered", 10, officer="c1", at=MORNING)
    desk.refused("P.040", ballot_acts.do_ballots, "handed-to-member", 11, officer="c1", at=MORNING, member="m1")
    desk.refused("P.028", ballot_acts.do_ballots, "handed-to-member", 1, officer="c1", at=MORNING, member="s1")
    desk.refused("P.029", ballot_acts.do_ballots, "delivered", 1, officer="m1", at=MORNING)
    desk.do(ballot_acts.do_ballots, "handed-to-member", 4, officer="c1", at=MORNING, member="m1")
    for number in range(3):
        desk.vote(number)
    desk.do(ballot_acts.do_ballots, "spoilt", 1, officer="m1", at=MORNING, member="m1")
    sums = sums_of(desk.book)
    assert sums.members["m1"].left == 0 and [one.check for one in check_book(sums)] == ["B.201"]
    desk.do(acts.do_close, "c1", MORNING)
    desk.do(ballot_acts.do_ballots, "cancelled", 7, officer="c1", at=MORNING)
    sums = sums_of(desk.book)
    assert check_book(sums) == []
    true = {
        "eligible": 5,
        "received": 3,
        "delivered": 10,
        "cancelled": 7,
        "mobile_requests": 0,
        "participated": 3,
        "mobile_ballots": 0,
    }
    assert sums.fields == {name: true[name] for name in sums.fields}
    assert check_protocol(sums, true, sealed=3) == []
    for name, value, check in (
        ("eligible", 6, "B.101"), ("received", 4, "B.102"), ("delivered", 11, "B.103"), ("cancelled", 6, "B.104"),
        ("mobile_requests", 1, "B.105"), ("participated", 4, "B.106"), ("mobile_ballots", 1, "B.107"),
    ):  # fmt: skip
        found = check_protocol(sums, true | {name: value}, sealed=3)
        assert [(one.check, one.subject, one.protocol) for one in found] == [(check, name, value)]
    assert check_protocol(sums, true, sealed=2) == [Difference("B.108", "received", 3, 2)]


def test_nothing_leaves_a_place_where_it_is_not() -> None:
    desk = Desk(voters=5)
    desk.refused("P.040", ballot_acts.do_ballots, "cancelled", 1, officer="c1", at=MORNING)
    desk.do(ballot_acts.do_ballots, "delivered", 10, officer="c1", at=MORNING)
    desk.refused("P.040", ballot_acts.do_ballots, "cancelled", 11, officer="c1", at=MORNING)
    desk.do(ballot_acts.do_ballots, "handed-to-member", 4, officer="c1", at=MORNING, member="m1")
    desk.vote(0)
    desk.do(acts.do_envelope, UUID(int=1), reason="no answer", officer="m1", at=MORNING)
    for what in ("returned", "spoilt"):
        refused = desk.refused("P.040", ballot_acts.do_ballots, what, 3, officer="m1", at=MORNING, member="m1")
        assert refused.facts == {"has": 2, "officer": "m1"}
        desk.refused("P.040", ballot_acts.do_ballots, what, 1, officer="m1", at=MORNING, member="m2")
    desk.do(ballot_acts.do_ballots, "returned", 1, officer="m1", at=MORNING, member="m1")
    desk.do(ballot_acts.do_ballots, "spoilt", 1, officer="m1", at=MORNING, member="m1")
    assert ballot_acts.with_member(desk.book, "m1") == sums_of(desk.book).members["m1"].left == 0
    refused = desk.refused("P.040", ballot_acts.do_ballots, "cancelled", 9, officer="c1", at=MORNING)
    assert refused.facts == {"to_cancel": 8}  # seven in the safe, and the spoilt one
    desk.do(ballot_acts.do_ballots, "cancelled", 8, officer="c1", at=MORNING)
    assert ballot_acts.in_safe(desk.book) == 0
    spoilt = next(one.n for one in desk.book.ballots if one.what == "spoilt")
    why = {"reason": "it was not", "officer": "m1", "at": MORNING}
    assert desk.refused("P.040", ballot_acts.do_ballots_back, spoilt, **why).facts == {"short": 1}


def test_a_slip_of_ballots_is_taken_back_with_a_reason() -> None:
    desk = Desk(voters=5)
    slip = desk.do(ballot_acts.do_ballots, "delivered", 5000, officer="c1", at=MORNING)
    back = {"reason": "5000 typed for 500", "officer": "c1", "at": MORNING}
    given = desk.do(ballot_acts.do_ballots, "handed-to-member", 40, officer="m1", at=MORNING, member="m1")
    desk.refused("P.040", ballot_acts.do_ballots_back, slip.n, **back)  # 40 of them are with a member
    desk.refused("P.029", ballot_acts.do_ballots_back, slip.n, **back | {"officer": "m1"})
    desk.refused("P.032", ballot_acts.do_ballots_back, slip.n, **back | {"reason": " "})
    desk.refused("P.082", ballot_acts.do_ballots_back, slip.n + 7, **back)
    desk.do(ballot_acts.do_ballots, "delivered", 500, officer="c1", at=MORNING)
    desk.do(ballot_acts.do_ballots_back, slip.n, **back)
    desk.refused("P.082", ballot_acts.do_ballots_back, slip.n, **back)
    sums = sums_of(desk.book)
    assert (sums.delivered, ballot_acts.in_safe(desk.book)) == (500, 460)
    desk.do(acts.do_close, "c1", MORNING)
    event = desk.do(ballot_acts.do_ballots_back, given.n, **back | {"officer": "m2"})
    assert event.body["what"] == "handed-to-member" and event.body["member"] == "m1" and event.body["undoes"] == given.n
    assert ballot_acts.in_safe(desk.book) == 500 and not sums_of(desk.book).members
    again = Book.of(desk.book.package, [Event.from_bytes(event.to_bytes()) for event in desk.events])
    assert again == desk.book


def test_a_member_without_noted_ballots_differs_where_others_have_them() -> None:
    desk = Desk(voters=5)
    desk.vote(0, officer="m2")
    desk.do(ballot_acts.do_ballots, "delivered", 10, officer="c1", at=MORNING)
    assert [one.check for one in check_book(sums_of(desk.book))] == ["B.201"]  # they are not kept by member here
    desk.do(ballot_acts.do_ballots, "handed-to-member", 1, officer="c1", at=MORNING, member="m1")
    desk.vote(1)
    assert check_book(sums_of(desk.book))[0] == Difference("B.109", "m2", 0, 1)


def test_ballots_that_do_not_add_up() -> None:
    desk = Desk()
    desk.do(ballot_acts.do_ballots, "delivered", 10, officer="c1", at=MORNING)
    desk.do(ballot_acts.do_ballots, "handed-to-member", 4, officer="c1", at=MORNING, member="m2")
    desk.vote(0, officer="m2")
    desk.do(acts.do_close, "c1", MORNING)
    assert [(one.check, one.subject) for one in check_book(sums_of(desk.book))] == [
        ("B.109", "m2"),
        ("B.110", "delivered"),
    ]


def test_a_ballot_in_an_envelope_was_handed_out_by_its_member() -> None:
    """It is no check-in, and yet he has it no more: nothing differs for that alone, and what is missing is still seen."""
    for lost, found in ((0, []), (1, ["B.109", "B.110"])):
        desk = Desk(voters=5)
        desk.do(ballot_acts.do_ballots, "delivered", 10, officer="c1", at=MORNING)
        desk.do(ballot_acts.do_ballots, "handed-to-member", 3 + lost, officer="c1", at=MORNING, member="m1")
        desk.vote(0)
        for number in (1, 2):
            desk.do(acts.do_envelope, UUID(int=number), reason="no answer", officer="m1", at=MORNING)
        desk.refused("P.028", acts.do_envelope, UUID(int=3), reason="no answer", officer="c1", at=MORNING)
        desk.do(acts.do_close, "c1", MORNING)
        desk.do(ballot_acts.do_ballots, "cancelled", 7 - lost, officer="c1", at=MORNING)
        sums = sums_of(desk.book)
        assert (sums.received, sums.enclosed, sums.members["m1"].issued) == (1, 2, 3)
        assert [one.check for one in check_book(sums)] == [*found, "B.203"]
        counted = replace(sums, received=2, envelopes=0, enclosed=1)  # the centre resolves them: one counts
        assert [one.check for one in check_book(counted)] == found


def test_a_member_with_a_key_signs_for_the_ballot_in_an_envelope() -> None:
    desk, own = Desk(), key(5)
    desk.do(acts.do_officer_key, "m1", own.public_key().public_bytes_raw(), at=MORNING)
    envelope = {"reason": "no answer", "officer": "m1", "at": MORNING, "who": who(9)}
    for sign in (None, key(6).sign):
        desk.refused("P.042", acts.do_envelope, UUID(int=1), **envelope, sign=sign)
    event = desk.do(acts.do_envelope, UUID(int=1), **envelope, sign=own.sign)
    own.public_key().verify(base64.b64decode(event.body["sig"]), hand_out_bytes(desk.book.log, event.body))


def test_a_station_of_two_machines_is_one_station() -> None:
    first, second = Desk(), Desk(generation=2, voters=[voter(0, away="station/1/1"), voter(1, away="station/1/1")])
    first.vote(0)
    first.do(ballot_acts.do_ballots, "delivered", 10, officer="c1", at=MORNING)
    first.do(ballot_acts.do_ballots, "handed-to-member", 1, officer="c1", at=MORNING, member="m1")
    second.do(acts.do_receive, grant(9, to="station/1/2"), MORNING)
    second.vote(9, officer="m2")
    sums = together([sums_of(first.book), sums_of(second.book)])
    assert (sums.eligible, sums.received, sums.listed, dict(sums.came)) == (4, 2, 3, {"move": 1})
    assert {name: one.issued for name, one in sums.members.items()} == {"m1": 1, "m2": 1}


def test_what_is_no_log_of_this_list_is_refused() -> None:
    desk = Desk()
    desk.vote(0)
    with pytest.raises(LogError):
        Book.of(package(station="2"), desk.events)
    with pytest.raises(LogError):
        desk.book.apply(desk.events[-1])


# Envelopes

A, B = LogId(POLL, "A", 1), LogId(POLL, "B", 1)
NONE, FIRST = envelopes.Rule("none", "art. 8"), envelopes.Rule("first", "art. 8")


def centre(*, closed: bool = True, stopped: str = "", **custody: Custody) -> Centre:
    logs = {A: Known(b"", closed=closed, stopped=stopped), B: Known(b"", closed=True)}
    return Centre(POLL, {who(int(name[1:])): one for name, one in custody.items()}, logs)


def envelope(number: int | None, n: int = 1, log: LogId = B) -> envelopes.Provisional:
    return envelopes.Provisional(UUID(int=n * 10 + (log == A)), log, n, None if number is None else who(number))


@pytest.mark.parametrize(
    ("now", "final", "counts", "check"),
    [
        (centre(v1=Custody(A.holder, 0)), False, True, "P.065"),
        (centre(v1=Custody(A.holder, 1, State.USED, 4)), False, False, "P.061"),
        (centre(v1=Custody(A.holder, 0), closed=False), False, None, "P.063"),
        (centre(v1=Custody(A.holder, 0), closed=False), True, False, "P.064"),
        (centre(v1=Custody(A.holder, 0), stopped="two histories"), True, False, "P.064"),
        (centre(v1=Custody(B.holder, 1), closed=False), True, True, "P.065"),
        (centre(v1=Custody(A.holder, 0, State.RELEASED)), False, True, "P.065"),
        (centre(v1=Custody(CERTIFICATE, 1)), False, True, "P.065"),
        (centre(), False, None, "P.060"),
        (centre(), True, False, "P.060"),
    ],
)
def test_the_rule_of_envelopes(now: Centre, final: bool, counts: bool | None, check: str) -> None:
    (found,) = envelopes.resolve(now, [envelope(1)], NONE, final=final)
    assert (found.counts, found.check) == (counts, check)


def test_two_envelopes_of_one_right_and_one_of_nobody() -> None:
    now = centre(v1=Custody(A.holder, 0))
    several = [envelope(1, 5), envelope(1, 2), envelope(1, 9, A), envelope(None, 7)]
    assert [one.counts for one in envelopes.resolve(now, several, NONE)] == [False, False, False, None]
    assert [one.counts for one in envelopes.resolve(now, several, FIRST)] == [False, False, True, None]


def test_an_iin_in_other_figures_is_one() -> None:
    arabic = {ord("0") + n: 0x660 + n for n in range(10)}
    for figures in (arabic, str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")):
        with pytest.raises(BadInput, match=r"P\.077"):
            no_iin(f"gave it to {'731101400000'.translate(figures)}")
    assert no_iin("1 " * 20_000)
