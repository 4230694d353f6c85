"""Which notes of ballots are refused, to the last ballot: what is there may leave, and nothing else."""

from __future__ import annotations

from pollbook_sample import MORNING
from test_pollbook_acts import Desk

from dauys.pollbook.machine import acts
from dauys.pollbook.machine.ballot_acts import do_ballots, do_ballots_back

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
