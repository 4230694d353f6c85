"""Of the rights of one person one is used at most: by the rules alone, whatever comes in whatever order."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import hypothesis.strategies as st
from hypothesis import given

from dauys.pollbook.rules.one_person import Member, alarmed, nobody_else, other_used, people, to_ask

MANY = st.integers(2, 5)
FLAGS = st.tuples(*[st.booleans()] * 4)
PERSON = st.lists(FLAGS, min_size=2, max_size=5).map(
    lambda rows: [Member(UUID(int=n), *flags) for n, flags in enumerate(rows, 1)]
)


def pairs_of(*pairs: tuple[int, int]) -> list[tuple[UUID, UUID]]:
    return [(UUID(int=one), UUID(int=other)) for one, other in pairs]


def test_who_is_joined_by_others_is_one_person() -> None:
    chain, star = pairs_of((1, 2), (2, 3)), pairs_of((7, 9), (8, 9))
    found = people([*star, *chain, *pairs_of((4, 5))])
    assert [sorted(one.int for one in person) for person in found] == [[1, 2, 3], [4, 5], [7, 8, 9]]
    assert people([]) == []


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)).filter(lambda pair: pair[0] != pair[1]), max_size=12))
def test_people_are_the_connected_parts(pairs: list[tuple[int, int]]) -> None:
    found = people(pairs_of(*pairs))
    assert sorted(right for person in found for right in person) == sorted(
        {right for pair in pairs_of(*pairs) for right in pair}
    )
    whose = {right: n for n, person in enumerate(found) for right in person}
    assert all(whose[one] == whose[other] for one, other in pairs_of(*pairs))
    for person in found:  # nobody is joined without a pair
        reached, before = {min(person)}, 0
        while len(reached) > before:
            before = len(reached)
            reached |= {right for pair in pairs_of(*pairs) if reached & set(pair) for right in pair}
        assert reached == person
    assert people(pairs_of(*reversed(pairs))) == found


@given(PERSON)
def test_all_others_of_a_used_one_are_asked_for_once(person: list[Member]) -> None:
    asked = to_ask(person)
    used = [one for one in person if one.used]
    assert bool(used) or not asked
    assert not any(one.used for one in asked)
    after = [replace(one, asked=one.asked or one in asked) for one in person]
    assert to_ask(after) == []
    assert not used or all(one.used or one.asked for one in after)
    assert to_ask([replace(one, listed=False) for one in person]) == []


@given(PERSON)
def test_one_use_is_a_vote_and_each_other_an_alarm(person: list[Member]) -> None:
    before, now = alarmed(person)
    uses = sum(one.used for one in person)
    assert len(before) + len(now) == max(uses - 1, 0)
    assert all(one.used for one in (*before, *now)) and all(one.alarmed for one in before)
    after = [replace(one, alarmed=one in before or one in now) for one in person]
    assert alarmed(after)[1] == []


def test_what_was_asked_for_is_the_alarm() -> None:
    stays, goes = Member(UUID(int=1), used=True), Member(UUID(int=2), used=True, asked=True)
    assert alarmed([stays, goes]) == ([], [goes])


@given(PERSON, st.data())
def test_a_right_is_given_where_no_other_can_be_used(person: list[Member], data: st.DataObject) -> None:
    one = data.draw(st.sampled_from(person))
    if nobody_else(person, one.id):
        assert not other_used(person, one.id)
        given_it = [replace(each, gone=False) if each == one else each for each in person]
        others = [each for each in given_it if each.id != one.id]
        assert not any(nobody_else(given_it, each.id) for each in others)  # and to nobody of them after it


@given(st.data())
def test_in_any_order_nobody_votes_twice_unheard(data: st.DataObject) -> None:
    """Members vote at machines that have heard of what was asked, or have not; the centre looks again and again."""
    person = [Member(UUID(int=n)) for n in range(1, data.draw(MANY) + 1)]
    for _ in range(data.draw(st.integers(1, 12))):
        n = data.draw(st.integers(0, len(person) - 1))
        one = person[n]
        match data.draw(st.sampled_from(["vote", "undo", "let go", "look", "give back"])):
            case "vote" if not one.gone:
                person[n] = replace(one, used=True)
            case "undo":
                person[n] = replace(one, used=False)
            case "let go" if one.asked and not one.used:
                person[n] = replace(one, gone=True)
            case "give back" if one.gone and nobody_else(person, one.id):
                person[n] = replace(one, gone=False, asked=False)
            case "look":
                asked = to_ask(person)
                person = [replace(each, asked=each.asked or each in asked) for each in person]
                before, now = alarmed(person)
                person = [replace(each, alarmed=each in before or each in now) for each in person]
                uses = [each for each in person if each.used]
                assert sum(each.alarmed for each in uses) == max(len(uses) - 1, 0)
        everybody_gone = all(each.gone for each in person)
        assert not everybody_gone or nobody_else(person, person[0].id)  # nobody is left without a way back
