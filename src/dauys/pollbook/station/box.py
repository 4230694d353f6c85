"""The mobile box leaves and comes back: for whom, and with whom? The officers' page."""

from __future__ import annotations

from functools import partial

from dauys.errors import BadInput
from dauys.pollbook.machine import box
from dauys.pollbook.machine.answers import clock_of
from dauys.pollbook.rules import channels as ways
from dauys.pollbook.station.visit import Model, Page, Visit
from dauys.pollbook.station.words import line


def page(visit: Visit) -> Model | str:
    """Who asked for the box, and whose ballots it carries. Sent: it leaves (`out`) with those who are ticked, or is back (`back`)
    without having handed a ballot to those."""
    book = visit.book
    if visit.form is not None:
        _noted(visit)
        return "/box"
    roles = book.package.channels[ways.HAND_OUT].settings["roles"]
    return {
        "ruling": book.package.channels[ways.MOBILE],
        "to_visit": [line(book, book.voters[who]) for who in box.to_visit(book)],
        "carried": [
            line(book, book.voters[who]) | {"since": clock_of(book, one.at)} for who, one in book.in_box.items()
        ],
        "others": [one for one in book.package.officers if one.id != visit.officer.id and one.role in roles],
        "may": visit.officer.role in roles,
        "roles": roles,
    }


def _noted(visit: Visit) -> None:
    what, officer, form = visit.text("what"), visit.officer.id, visit.form or {}
    ticked = [who for who in (*box.to_visit(visit.book), *visit.book.in_box) if str(who) in form]
    if what in ("out", "back") and not form.keys() - {"mark", "what", "second"}:
        raise BadInput("tick at least one voter", field="ticked", check="P.047")
    if what == "out":
        second = visit.text("second")
        members = (officer, second) if second else (officer,)
        for who in ticked:
            if who not in visit.book.in_box:
                visit.act(partial(box.do_out, who=who, members=members, officer=officer, at=visit.at))
    elif what == "back":
        for who in ticked:
            if who in visit.book.in_box:
                visit.act(partial(box.do_back, who=who, officer=officer, at=visit.at))
    else:
        raise BadInput("the page has expired; open it again", check="P.046")


PAGES = (Page("/box", "station/box.html", page),)
