"""A station's desk for tests: does what may be done, and shows why not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pollbook_sample import CENTRE, MORNING, POLL, package, who

from dauys.pollbook.log.events import Event
from dauys.pollbook.machine import acts
from dauys.pollbook.machine.acts import Refused
from dauys.pollbook.machine.book import Book
from dauys.pollbook.rules.grants import Grant


class Desk:
    """A station's desk: does what may be done, and shows why not."""

    def __init__(self, **given: Any) -> None:
        self.opened = given.pop("opened", True)
        self.book = Book.of(package(**given))
        self.events: list[Event] = []
        if self.opened:
            self.do(acts.do_open, "c1", MORNING)

    def do(self, act: Callable[..., Event], *args: Any, **named: Any) -> Event:
        event = act(self.book, *args, **named)
        self.book.apply(event)
        self.events.append(event)
        return event

    def vote(self, number: int, **named: Any) -> Event:
        return self.do(acts.do_check_in, who(number), **{"officer": "m1", "salt": bytes(10), "at": MORNING} | named)

    def refused(self, check: str, act: Callable[..., Event], *args: Any, **named: Any) -> Refused:
        before = self.book.head, dict(self.book.places)
        with pytest.raises(Refused) as error:
            act(self.book, *args, **named)
        assert error.value.check == check, error.value
        assert (self.book.head, self.book.places) == before
        return error.value

    def no_vote(self, check: str, number: int = 0, **named: Any) -> Refused:
        return self.refused(
            check, acts.do_check_in, who(number), **{"officer": "m1", "salt": bytes(10), "at": MORNING} | named
        )


def grant(number: int, epoch: int = 1, to: str = "station/1/1", why: str = "move") -> Grant:
    return Grant(POLL, who(number), epoch, to, why, f"r{number}-{epoch}").signed(CENTRE)
