"""States: the drawing is the table, every pair is answered, and no sequence of events leaves the machine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dauys.stations.states import (
    MAY,
    TRANSITIONS,
    TYPING,
    Event,
    Paper,
    Refusal,
    Role,
    State,
    Typing,
    decided,
    following,
    typed,
)

PAGE = Path(__file__).parents[2] / "docs" / "states.md"
DRAWINGS = re.findall(r"```mermaid\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def arrows(drawing: str) -> set[tuple[str, str, str]]:
    found = re.findall(r"^ *(\w+) --> (\w+) : (.+)$", drawing, re.MULTILINE)
    return {(a.replace("_", " "), event, b.replace("_", " ")) for a, b, event in found}


def test_the_drawings_and_the_tables_are_one() -> None:
    life, typing = DRAWINGS
    assert arrows(life) == {(a, event, b) for (a, event), b in TRANSITIONS.items()}
    assert arrows(typing) == {(a, stroke, b) for (a, stroke), b in TYPING.items()}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
def test_every_event_is_answered_in_every_state(state: State, event: Event) -> None:
    answer = following(state, event)
    if isinstance(answer, Refusal):
        assert answer.message and re.fullmatch(r"F\.0\d\d", answer.check)
    assert MAY[event]


@given(st.lists(st.sampled_from(Event)))
def test_whatever_happens_annulled_is_final_and_a_protocol_is_never_lost(events: list[Event]) -> None:
    state, seen = State.EXPECTED, [State.EXPECTED]
    for event in events:
        answer = following(state, event)
        state = state if isinstance(answer, Refusal) else answer
        seen.append(state)
    if State.ANNULLED in seen:
        assert set(seen[seen.index(State.ANNULLED) :]) == {State.ANNULLED}
    in_hand = {State.ACCEPTED, State.QUARANTINED, State.ANNULLED}
    first = next((n for n, s in enumerate(seen) if s in in_hand), len(seen))
    assert set(seen[first:]) <= in_hand


PEOPLE = st.sampled_from(["ann", "bek", "cho", "dan"])
VALUES = st.dictionaries(st.sampled_from(["yes", "no"]), st.integers(0, 2))


@given(st.lists(st.tuples(st.booleans(), PEOPLE, VALUES), max_size=8))
def test_double_entry_takes_two_who_agree_or_a_third(steps: list[tuple[bool, str, dict[str, int]]]) -> None:
    paper, decider = Paper(), None
    for decides, who, values in steps:
        answer = decided(paper, who) if decides else typed(paper, who, values)
        if not isinstance(answer, Refusal):
            decider = who if decides else decider
            paper = answer
    if paper.state is Typing.AGREED:
        assert paper.first == paper.second and paper.first_by != paper.second_by and paper.differing == ()
    if paper.state in (Typing.DIFFERS, Typing.RESOLVED):
        assert paper.first != paper.second and paper.differing
    if paper.state is Typing.RESOLVED:
        assert len({paper.first_by, paper.second_by, decider}) == 3


def test_refusals_say_who_may_do_what() -> None:
    once = typed(Paper(), "ann", {"yes": 1})
    assert isinstance(once, Paper)
    again = typed(once, "ann", {"yes": 1})
    assert isinstance(again, Refusal) and "another typist" in again.message
    assert isinstance(decided(once, "cho"), Refusal)
    assert {Role.CLERK} == MAY[Event.CORRECTED_CLEAN]
