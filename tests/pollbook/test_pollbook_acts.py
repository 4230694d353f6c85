"""What an officer may do, and what he is told when he may not; the book as a fold of its log; sums."""

from __future__ import annotations

import base64
from datetime import timedelta
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st
from officers_desk import Desk, grant
from pollbook_sample import CENTRE, LEASE, MORNING, OFFICERS, POLL, all_on, key, later, package, voter, who

from dauys.errors import BadInput
from dauys.pollbook.log.events import Event, Head, LogError
from dauys.pollbook.log.member_keys import hand_out_bytes
from dauys.pollbook.machine import acts, ballot_acts, box
from dauys.pollbook.machine.acts import Refused
from dauys.pollbook.machine.book import Book
from dauys.pollbook.rules.grants import Answer, Grant, Request
from dauys.pollbook.rules.holders import CERTIFICATE
from dauys.pollbook.rules.sums import check_book, together
from dauys.pollbook.station.book_sums import sums_of
from dauys.pollbook.wire.package import Officer


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


def test_a_later_machine_notes_what_became_of_the_ballots_of_the_one_before_it() -> None:
    """While that one's log is incomplete the paper has the ballots; once it is found, all of them add up."""
    first, second = Desk(), Desk(generation=2, voters=[voter(0, away="station/1/1"), voter(1, away="station/1/1")])
    first.do(ballot_acts.do_ballots, "delivered", 10, officer="c1", at=MORNING)
    first.do(ballot_acts.do_ballots, "handed-to-member", 4, officer="c1", at=MORNING, member="m1")
    first.vote(0)
    first.refused("P.040", ballot_acts.do_ballots, "cancelled", 7, officer="c1", at=MORNING)
    second.do(ballot_acts.do_ballots, "returned", 3, officer="m1", at=MORNING, member="m1")
    second.do(ballot_acts.do_ballots, "cancelled", 9, officer="c1", at=MORNING)
    second.do(acts.do_close, "c1", MORNING)
    lost = together([sums_of(first.book), sums_of(second.book)])
    assert "delivered" not in lost.fields and [one.check for one in check_book(lost)] == ["B.201"]
    first.do(acts.do_close, "c1", MORNING)
    found = together([sums_of(first.book), sums_of(second.book)])
    assert (found.fields["delivered"], found.fields["received"], found.fields["cancelled"]) == (10, 1, 9)
    assert check_book(found) == []


def test_what_is_no_log_of_this_list_is_refused() -> None:
    desk = Desk()
    desk.vote(0)
    with pytest.raises(LogError):
        Book.of(package(station="2"), desk.events)
    with pytest.raises(LogError):
        desk.book.apply(desk.events[-1])
