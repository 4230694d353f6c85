"""Majorities against a brute-force reading of their definitions, over small bodies; and known votes."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dauys.errors import BadInput
from dauys.law.majority import BASES, InAreas, Majority, Plurality, Votes, parse

HALF, TWO_THIRDS = Fraction(1, 2), Fraction(2, 3)
SHARES = st.integers(1, 12).flatmap(lambda q: st.integers(1, q).map(lambda p: Fraction(p, q)))
MAJORITIES = st.builds(Majority, SHARES, st.booleans(), st.sampled_from(BASES), st.integers(0, 8))


@st.composite
def votes(draw: st.DrawFn) -> Votes:
    yes, no = draw(st.integers(0, 12)), draw(st.integers(0, 12))
    cast = yes + no + draw(st.integers(0, 4))
    present = cast + draw(st.integers(0, 4))
    return Votes(yes, no, cast, present, present + draw(st.integers(0, 4)))


def test_exactly_half_is_no_majority_but_a_tie() -> None:
    result = Majority(HALF, True, "total").judge(Votes(49, 49, total=98))
    assert (result.met, result.tie, result.needed, result.of) == (False, True, 50, 98)
    assert Majority(HALF, True, "total").judge(Votes(50, 48, total=98)).met
    assert not Majority(HALF, True, "total").judge(Votes(49, 0, total=99)).tie


def test_two_thirds_of_fifty_senators_are_thirty_four() -> None:
    majority = Majority(TWO_THIRDS, False, "total")
    assert majority.judge(Votes(33, 0, total=50)).met is False
    assert majority.judge(Votes(34, 0, total=50)).met is True
    assert majority.judge(Votes(34, 0, total=50)).needed == 34


def test_the_base_decides() -> None:
    vote = Votes(yes=5, no=4, cast=10, present=11, total=20)
    met = {base: Majority(HALF, True, base).judge(vote).met for base in BASES}
    assert met == {"total": False, "present": False, "cast": False, "yes_no": True}


def test_a_floor_holds_beside_the_share() -> None:
    result = Majority(HALF, True, "yes_no", floor=10).judge(Votes(9, 0))
    assert (result.met, result.needed) == (False, 10)
    assert Majority(HALF, True, "yes_no", floor=10).judge(Votes(10, 0)).met


def test_nothing_of_nothing_is_no_majority() -> None:
    assert not Majority(HALF, False, "yes_no").judge(Votes(0, 0)).met
    assert not Majority(HALF, True, "yes_no").judge(Votes(0, 0)).tie


def test_an_unknown_base_is_an_error_and_so_are_impossible_votes() -> None:
    with pytest.raises(BadInput, match="cannot be judged"):
        Majority(HALF, True, "present").judge(Votes(1, 0))
    with pytest.raises(BadInput, match="fewer than"):
        Votes(3, 3, cast=5)
    with pytest.raises(BadInput, match="fewer than cast"):
        Votes(3, 3, cast=7, total=6)
    with pytest.raises(BadInput, match="negative"):
        Votes(-1, 3)


@given(MAJORITIES, votes())
@settings(max_examples=60)
def test_majority_is_its_definition_in_whole_numbers(majority: Majority, vote: Votes) -> None:
    base = {"total": vote.total, "present": vote.present, "cast": vote.cast, "yes_no": vote.yes + vote.no}[majority.of]
    assert base is not None
    left, right = vote.yes * majority.share.denominator, majority.share.numerator * base
    over = left > right if majority.strict else left >= right
    result = majority.judge(vote)
    assert result.met == (over and vote.yes >= majority.floor and base > 0)
    assert result.tie == (majority.strict and left == right and base > 0 and vote.yes >= majority.floor)
    assert result.met == (vote.yes >= result.needed)
    assert not (result.met and result.tie)


@given(MAJORITIES, votes())
@settings(max_examples=60)
def test_one_more_yes_never_hurts(majority: Majority, vote: Votes) -> None:
    if vote.no and majority.judge(vote).met:
        assert majority.judge(Votes(vote.yes + 1, vote.no - 1, vote.cast, vote.present, vote.total)).met


@given(MAJORITIES)
@settings(max_examples=50)
def test_text_and_back(majority: Majority) -> None:
    assert parse(str(majority)) == majority


@pytest.mark.parametrize("text", ["", "half", "more than 50% of total", "more than 0 of total", "at least 3/2 of cast"])
def test_texts_that_are_no_majority(text: str) -> None:
    with pytest.raises(BadInput, match="cannot be read as a majority"):
        parse(text)


def test_plurality() -> None:
    assert parse("plurality") == Plurality()
    result = Plurality().judge({"A": 7, "B": 5, "C": 6})
    assert (result.winner, result.needed, result.tie) == ("A", 7, False)
    tie = Plurality().judge({"A": 7, "B": 7, "C": 6})
    assert (tie.winner, tie.met, tie.tied, tie.needed) == (None, False, ("A", "B"), 8)
    assert not Plurality().judge({"A": 0, "B": 0}).met
    assert not Plurality().judge({"A": 0, "B": 0}).tie
    assert not Plurality(floor=0).judge({"A": 0}).met
    assert not Plurality().judge({}).met
    assert Plurality(floor=4).judge({"A": 3}).needed == 4


@given(st.dictionaries(st.sampled_from("ABCDE"), st.integers(0, 6)), st.integers(1, 4))
@settings(max_examples=80)
def test_plurality_is_its_definition(votes: dict[str, int], floor: int) -> None:
    ahead = [
        name
        for name, number in votes.items()
        if number >= floor and all(number > other for rival, other in votes.items() if rival != name)
    ]
    result = Plurality(floor).judge(votes)
    assert result.winner == (ahead[0] if ahead else None)
    assert result.met == (bool(votes) and result.value >= result.needed)


def test_the_referendum_of_seventeen_territories_needs_twelve() -> None:
    rule = InAreas(Majority(HALF, True, "cast"), TWO_THIRDS)
    areas = {f"KZ-{n}": Votes(6 if n < 11 else 5, 4, cast=10) for n in range(17)}
    result = rule.judge(areas)
    assert (result.met, result.value, result.needed, result.of) == (False, 11, 12, 17)
    assert result.areas["KZ-16"].tie
    areas["KZ-11"] = Votes(6, 4, cast=10)
    assert rule.judge(areas).met


def test_half_cantons_count_half_and_a_tie_of_cantons_rejects() -> None:
    rule = InAreas(Majority(HALF, True, "yes_no"), HALF, strict=True)
    votes = {"ZH": Votes(2, 1), "BE": Votes(1, 2), "OW": Votes(2, 1), "NW": Votes(1, 2)}
    weights = {"ZH": Fraction(1), "BE": Fraction(1), "OW": HALF, "NW": HALF}
    result = rule.judge(votes, weights)
    assert (result.met, result.tie, result.needed) == (False, True, Fraction(2))
    with pytest.raises(BadInput, match="different areas"):
        rule.judge(votes, {"ZH": Fraction(1)})


@given(st.lists(votes(), max_size=9), MAJORITIES, SHARES, st.booleans())
@settings(max_examples=80)
def test_areas_are_their_definition(ballots: list[Votes], inner: Majority, share: Fraction, strict: bool) -> None:
    areas = {str(n): vote for n, vote in enumerate(ballots)}
    count = sum(inner.judge(vote).met for vote in ballots)
    left, right = count * share.denominator, share.numerator * len(ballots)
    result = InAreas(inner, share, strict).judge(areas)
    assert result.met == (bool(ballots) and (left > right if strict else left >= right))
    assert result.met == (count >= result.needed)
