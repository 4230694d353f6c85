"""Which notes of ballots are refused, to the last ballot, and which differences stand in the protocol."""

from __future__ import annotations

import base64
from dataclasses import replace
from uuid import UUID

from officers_desk import Desk
from pollbook_sample import MORNING, key, who

from dauys.pollbook.log.events import Event
from dauys.pollbook.log.member_keys import hand_out_bytes
from dauys.pollbook.machine import acts, ballot_acts
from dauys.pollbook.machine.ballot_acts import do_ballots, do_ballots_back
from dauys.pollbook.machine.book import Book
from dauys.pollbook.rules.sums import Difference, check_book, check_protocol
from dauys.pollbook.station.book_sums import sums_of

C1 = {"officer": "c1", "at": MORNING}
M1 = {"officer": "m1", "at": MORNING, "member": "m1"}


def delivered(*counts: int) -> Desk:
    desk = Desk()
    for count in counts:
        desk.do(do_ballots, "delivered", count, **C1)
    return desk


def test_all_that_is_in_the_safe_may_be_handed_out() -> None:
    desk = delivered(10)
    desk.do(do_ballots, "handed-to-member", 10, **M1)
    assert desk.refused("P.040", do_ballots, "handed-to-member", 1, **M1).facts == {"left": 0}


def test_a_spoilt_ballot_is_none_to_hand_out() -> None:
    desk = delivered(10)
    desk.do(do_ballots, "handed-to-member", 4, **M1)
    desk.do(do_ballots, "spoilt", 1, **M1)
    assert desk.refused("P.040", do_ballots, "handed-to-member", 7, **M1).facts == {"left": 6}


def test_a_note_by_which_ballots_came_stays_though_one_of_them_was_spoilt() -> None:
    """That one may be cancelled, and yet without the note more would have left the safe than there were."""
    desk = delivered(9, 1)
    desk.do(do_ballots, "handed-to-member", 10, **M1)
    desk.do(do_ballots, "spoilt", 1, **M1)
    last = next(one.n for one in desk.book.ballots if one.count == 1)
    assert desk.refused("P.040", do_ballots_back, last, reason="counted twice", **C1).facts == {"short": 1}


def test_a_machine_that_the_centre_does_not_know_notes_nothing() -> None:
    desk = delivered(10)
    desk.book.told = False
    desk.refused("P.018", do_ballots, "delivered", 5, **C1)


def test_a_ballot_that_was_taken_back_is_with_its_member_again() -> None:
    desk = delivered(10)
    desk.do(do_ballots, "handed-to-member", 1, **M1)
    vote = desk.vote(0)
    assert desk.refused("P.040", do_ballots, "returned", 1, **M1).facts == {"has": 0, "officer": "m1"}
    desk.do(acts.do_undo, vote.n, reason="wrong line", officer="m1", at=MORNING)
    desk.do(do_ballots, "returned", 1, **M1)


def test_only_chair_and_secretary_cancel() -> None:
    desk = delivered(10)
    desk.refused("P.029", do_ballots, "cancelled", 1, **C1 | {"officer": "m1"})
    desk.do(do_ballots, "cancelled", 1, **C1 | {"officer": "s1"})


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


def test_a_later_machine_holds_nothing_of_the_station_against_what_it_noted_itself() -> None:
    """The station's true numbers, and what becomes of the ballots that the machine before it noted: neither differs from its part."""
    desk = Desk(generation=2)
    desk.vote(0)
    desk.do(ballot_acts.do_ballots, "delivered", 50, officer="c1", at=MORNING)
    desk.do(ballot_acts.do_ballots, "handed-to-member", 3, officer="c1", at=MORNING, member="m1")
    desk.do(ballot_acts.do_ballots, "returned", 5, officer="m1", at=MORNING, member="m1")
    sums = sums_of(desk.book)
    assert sums.fields == {} and (sums.received, sums.members["m1"].issued) == (1, 1)
    true = {"eligible": 200, "received": 13, "delivered": 100, "cancelled": 87, "mobile_requests": 4}
    true |= {"participated": 13, "mobile_ballots": 4}
    assert [one.check for one in check_protocol(sums, true)] == ["B.201"], "its own list is still open"
    desk.do(acts.do_close, "c1", MORNING)
    assert check_protocol(sums_of(desk.book), true) == check_book(sums_of(desk.book)) == []
    differs = check_protocol(replace(sums_of(desk.book), whole=True), true)
    assert [one.check for one in differs] == [*(f"B.10{n}" for n in (1, 2, 3, 4, 5, 6, 7, 9)), "B.110"]


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
