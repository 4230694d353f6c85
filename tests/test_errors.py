"""What a user is told when something is refused, and where its number stands."""

from __future__ import annotations

import pickle

import pytest

from dauys.errors import DauysError, Numbered
from dauys.pollbook.log.events import LogError
from dauys.pollbook.machine.acts import Refused
from dauys.pollbook.machine.sync import CentreRefused
from dauys.pollbook.rules.channels import NotAllowed
from dauys.pollbook.rules.custody import CustodyError


@pytest.mark.parametrize("kind", [LogError, CustodyError, NotAllowed, Refused])
def test_a_numbered_refusal_says_number_message_and_article_each_once(kind: type[Numbered]) -> None:
    plain, cited = kind("the right was used", "P.021"), kind("the way is off", "P.026", "art. 9")
    assert isinstance(plain, DauysError) and str(plain) == "[P.021] the right was used"
    assert str(cited) == "[P.026] the way is off (art. 9)" and cited.words == "the way is off (art. 9)"
    assert (plain.message, plain.check, plain.cite, plain.words) == (
        "the right was used",
        "P.021",
        "",
        "the right was used",
    )
    assert str(pickle.loads(pickle.dumps(cited))) == str(cited)


def test_what_the_centre_refuses_is_told_apart_from_its_words() -> None:
    refused, bare = CentreRefused("the voter is not on the roll", "P.020"), CentreRefused("no")
    assert str(refused) == "[P.020] the centre refuses: the voter is not on the roll"
    assert (refused.message, str(bare), bare.check) == ("the voter is not on the roll", "the centre refuses: no", "")


def test_facts_of_a_refusal_are_for_pages_alone() -> None:
    refused = Refused("the list was closed", "P.023", facts={"at": "20:00"})
    assert refused.facts == {"at": "20:00"} and "20:00" not in str(refused)
