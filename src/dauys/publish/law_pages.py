"""Which pages show the law? Its days of change, what changes on a day, the text and the rules of a day, one rule.

Pages and JSON twins as everywhere (`publish.twins`); models in `publish.law_views`. A day is `?on=2022-06-08`; without
it, the last day on which the pack has law.
"""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter, HTTPException, Query

from dauys.errors import BadInput
from dauys.publish import law_views as views
from dauys.publish.law_source import DAY, PackLaw, Records, law_packs, served_law
from dauys.publish.twins import Model, Render, paired

_ON = Query("", max_length=20, description="a day, as 2022-06-08")


def router(source: Records, render: Render) -> APIRouter:
    """All pages of the law, under what the records of `source` say happened."""
    routes = APIRouter()
    page = paired(routes, render)

    def _law(pack: str) -> PackLaw:
        if pack not in law_packs():
            raise HTTPException(404)
        return served_law(pack, source)

    @page("/law/", "law/index.html")
    def law_index(lang: str) -> Model:
        """The packs that have law as data."""
        return views.index([_law(name) for name in law_packs()])

    @page("/law/{pack}/on/{day}", "law/day.html")
    def law_day(lang: str, pack: str, day: str, columns: int = Query(3, ge=2, le=3)) -> Model:
        """What changes on a day: provisions word by word, and rules. Two `columns` leave the middle one out on the page."""
        law = _law(pack)
        return views.day(law, _day(law, day)) | {"columns": columns}

    @page("/law/{pack}/text/{work}", "law/text.html")
    def law_text(lang: str, pack: str, work: str, on: str = _ON) -> Model:
        """The text of a day, each provision with its history."""
        law = _law(pack)
        if work not in law.system.works:
            raise HTTPException(404)
        return views.text(law, work, _day(law, on))

    @page("/law/{pack}/rules/{key}", "law/rule.html")
    def law_rule(lang: str, pack: str, key: str, on: str = _ON) -> Model:
        """One rule on a day, with its history, and why its other values do not hold."""
        law = _law(pack)
        if key not in law.system.book.rules:
            raise HTTPException(404)
        return views.rule(law, key, _day(law, on))

    @page("/law/{pack}/rules", "law/rules.html")
    def law_rules(lang: str, pack: str, on: str = _ON) -> Model:
        """Every rule of a day by subject."""
        law = _law(pack)
        return views.rules(law, _day(law, on))

    @page("/law/{pack}/", "law/timeline.html")
    def law_timeline(lang: str, pack: str, on: str = _ON) -> Model:
        """Every day on which a text or a rule changes."""
        law = _law(pack)
        return views.timeline(law, _day(law, on) if on else None)

    return routes


def _day(law: PackLaw, words: str) -> date:
    """The day that a reader asks for; 400 where it is none that a calendar counts."""
    try:
        day = views.day_of(words, law.last)
        return day if date.min + DAY < day < date.max - DAY else views.day_of("?", law.last)
    except BadInput as error:
        raise HTTPException(400, str(error)) from None
