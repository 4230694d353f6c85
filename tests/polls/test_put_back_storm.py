"""A storm over real stations and a centre that is put back from copies: no right is used twice, none is lost, nobody is blamed.

Here are a few worlds, chosen for what happens in them. `python tests/polls/storm.py 0 1000` makes more.
"""

from __future__ import annotations

from collections import Counter

import pytest
import sqlalchemy as sa
from storm import storms

from dauys.pollbook.centre import take

pytestmark = pytest.mark.database

SEEDS = (13, 19, 21, 25, 37, 38)
SITUATIONS = (
    "put back, the journal is kept", "put back, the journal is gone", "put back, the journal is copied",
    "put back with a package on its way", "a list was made since the copy", "burnt with what it had not sent",
    "given up unheard", "lift", "decide_again", "declare_lost", "void_a_package", "not_lost",
    "certificate_back", "knock", "pair", "unpair", "give_back_again", "one person used two rights",
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
    with pytest.raises(AssertionError, match="seed 5: the centre counts otherwise"):
        next(storms(engine, (5,)))
