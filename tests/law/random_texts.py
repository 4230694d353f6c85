"""Texts of laws for property tests: any tree of provisions that a Work accepts, with words that repeat."""

from __future__ import annotations

from datetime import date

from hypothesis import strategies as st

from dauys.law.works import Provision, Work

URI = "/akn/kz/act/law/2020-01-01/1"
DAY = date(2020, 1, 1)
WORDS = ("the", "court", "Council", "10", "15", "deputies", "of", "Сенат", "ө", "а", ",", ";", "(", "- ", "<", "&", " ")
SENTENCES = st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join)
STATES = st.sampled_from(["", "", "", "repealed", "suspended"])


def work_of(*provisions: Provision, language: str = "en", day: date = DAY) -> Work:
    return Work(URI, "A law", "law", "paraphrase", language, day, provisions)


@st.composite
def provisions(draw: st.DrawFn, above: str = "", kinds: tuple[str, ...] = ("art",)) -> tuple[Provision, ...]:
    found = []
    for kind in kinds:
        for number in draw(st.lists(st.integers(2, 5), max_size=3, unique=True)):
            key = f"{above}__{kind}_{number}" if above else f"{kind}_{number}"
            below = {"art": ("para", "al"), "para": ("point", "al"), "point": ("al",), "al": ()}[kind]
            children = draw(provisions(key, below)) if below and draw(st.booleans()) else ()
            num = "" if kind == "al" else str(number)
            found.append(Provision(key, num, draw(SENTENCES), draw(SENTENCES), draw(STATES), children))
    return tuple(draw(st.permutations(found)))


WORKS = provisions().map(lambda found: work_of(*found))
