"""Why the frozen list changed by a claim: do the clerks' page and the public one say it in the language of the page?"""

from __future__ import annotations

from typing import cast

import pytest
import sqlalchemy as sa
from joined_world import POLL, OneConnection, World
from test_paper_and_withdrawals import duplicate
from test_pollbook_desk import RIGHTS, Clerk, world

from dauys.law.citation_words import said
from dauys.pollbook.settling.returns import BEFORE
from dauys.publish import pollbook_pages
from dauys.record import log
from dauys.roll.ground import ground
from dauys.web import render as rendering
from dauys.web.app import create_app
from site_client import SiteClient

pytestmark = pytest.mark.database
__all__ = ["world"]

WHY = ground(2, "Elections law 24 to 26-1, by Referendum law 9, 30(2)")
SHOWN = {
    "kk": "Өтініш 2, «Қазақстан Республикасындағы сайлау туралы» Конституциялық заңның 24–26-1-баптары",
    "ru": "Заявление 2, статьи 24–26-1 Конституционного закона «О выборах в Республике Казахстан»",
    "en": WHY.replace("claim", "Claim"),
}


def test_a_claim_is_said_in_every_language_and_the_record_keeps_its_words(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    packs: list[str] = []

    def here(cite: str, lang: str, pack: str) -> tuple[tuple[str, str], ...]:
        packs.append(pack)
        return said(cite, lang, "kz")

    monkeypatch.setattr(rendering, "said", here)
    anna = Clerk(world, "anna")
    anna.send(RIGHTS, "withdraw", set=str(duplicate(world, goes=1, stays=7)), reason=WHY)
    engine = cast(sa.Engine, OneConnection(world.connection))
    public = SiteClient(
        create_app(engine, [pollbook_pages.router(engine, rendering.render)], world.folder), base_url="http://centre"
    )
    for lang, words in SHOWN.items():
        assert words in anna.site.get(RIGHTS.replace("/en/", f"/{lang}/")).text
        page = public.get(f"/{lang}/polls/{POLL}/pollbook").text
        assert f"<li>{words}" in page and page.partition(words)[2].partition("</li>")[0].endswith(": −1")
    assert set(packs) == {"test"}, "the law of a poll is in the pack that its id begins with"
    twin = public.get(f"/en/polls/{POLL}/pollbook.json").json()
    assert twin["roll"][-1]["reasons"] == [{"reason": WHY, "voters": -1}]
    assert [entry.body["reason"] for _, entry in log.of_kind(world.connection, POLL, "withdrawals")] == [WHY]


@pytest.mark.parametrize("lang", ["kk", "ru", "en"])
def test_what_the_program_itself_gives_as_the_reason_is_translated(lang: str) -> None:
    """The page knows those words by heart: they are the ones that the record gets."""
    shown = rendering.environment(lang).get_template("reason.html").module.why(BEFORE, "kz")  # type: ignore[attr-defined]
    assert (str(shown) == BEFORE) is (lang == "en")
