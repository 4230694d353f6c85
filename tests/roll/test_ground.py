"""Does a page read out of a reason what the program wrote there, and leave what people typed as it is?"""

from __future__ import annotations

import pytest

from dauys.pollbook.settling.returns import BEFORE
from dauys.roll.ground import by_claim, ground
from dauys.web.render import environment

LAW = "Elections law 24 to 26-1, by Referendum law 9, 30(2)"


def shown(reason: str, lang: str) -> str:
    page = '{% import "reason.html" as reason with context %}{{ reason.why(text, "kz") }}'
    return environment(lang).from_string(page).render(text=reason)


@pytest.mark.parametrize("cite", ["", LAW, "Pilot decision 3"])
def test_what_is_written_is_read_back(cite: str) -> None:
    assert by_claim(ground(12, cite)) == (12, cite)


@pytest.mark.parametrize(
    "text", ["", "claim", "claim x", "claim 0", "claims 2", "a claim 2", "claim 2, ", "court decision 12"]
)
def test_any_other_reason_is_none(text: str) -> None:
    assert by_claim(text) is None


def test_a_claim_and_its_article_are_said_in_the_language_of_the_page() -> None:
    assert shown(ground(2, LAW), "ru").startswith("Заявление 2, статьи 24–26-1 Конституционного закона «О выборах")
    assert shown(ground(2, LAW), "kk").startswith("Өтініш 2, «Қазақстан Республикасындағы сайлау туралы»")
    assert shown(ground(2, LAW), "en") == f"Claim 2, {LAW}"
    assert shown(ground(2, "Pilot decision 3"), "ru") == 'Заявление 2, <span lang="en">Pilot decision 3</span>'


def test_the_reason_of_the_centre_itself_is_said_so_too() -> None:
    assert shown(BEFORE, "en") == BEFORE and "копии" in shown(BEFORE, "ru") and "көшірме" in shown(BEFORE, "kk")


@pytest.mark.parametrize("lang", ["kk", "ru", "en"])
def test_what_people_typed_stays(lang: str) -> None:
    assert shown("суд <12>", lang) == "суд &lt;12&gt;"
