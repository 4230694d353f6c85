"""A storm over real stations and a centre that is put back from copies: no right is used twice, none is lost, nobody is blamed.

Here are a few worlds, chosen for what happens in them. `python tests/polls/storm.py 0 1000` makes more.
"""

from __future__ import annotations

from collections import Counter

import pytest
import sqlalchemy as sa
from storm import storms

from dauys.pollbook.centre import take
from dauys.pollbook.settling import one_person

pytestmark = pytest.mark.database

SEEDS = (50, 88, 97, 99, 134)
SITUATIONS = (
    # in several of these worlds
    "put back, the journal is kept", "put back with a package on its way", "a list was made since the copy",
    "burnt with what it had not sent", "given up unheard", "lift", "decide_again", "pair", "die", "envelope",
    "one person voted twice in the poll",
    "by law nobody votes at another station",  # in 50
    # in 88 alone: another poll; a machine that burns with an undo unsent
    "burn", "give_back_again", "lifted, packages are made again", "second_use", "one person voted twice in the other poll",
    # in 97
    "put back, the journal is gone", "ask_later", "fall_silent", "knock", "taken back in the end",
    # in 99
    "put back, the journal is copied", "certificate_back", "declare_lost", "not_lost", "be_heard_again", "mobile",
    # in 134: the electronic channel; paper of a lost machine
    "electronic", "paper beat electronic", "take_out", "type_paper", "a strange line is typed again", "unpair", "void_a_package",
)  # fmt: skip
"""What these worlds come to; a storm without it would try nothing."""


def test_each_right_is_used_at_most_once_and_none_is_lost(engine: sa.Engine) -> None:
    seen = sum(storms(engine, SEEDS), Counter[str]())
    assert min(seen[one] for one in SITUATIONS) > 0, seen


def test_a_centre_that_does_not_believe_what_it_signed_is_found(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine's log shows a grant of before the copy was put back, and the right is not noted as its own."""
    monkeypatch.setattr(take, "given_before", lambda *_: False)
    with pytest.raises(AssertionError, match="seed 4: in the poll: a false alarm"):
        next(storms(engine, (4,)))


def test_a_centre_that_is_silent_of_who_votes_twice_is_found(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody stands on the roll three times and has voted by each entry: no alarm is raised."""
    monkeypatch.setattr(one_person, "_alarm", lambda *_: None)
    with pytest.raises(AssertionError, match=r"seed 98: in the poll: one person, \[1, 3, 5\], voted 3 times"):
        next(storms(engine, (98,)))
