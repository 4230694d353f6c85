"""The centre of `custody_world` dies, and a copy of its database is put in its place; what it has forgotten comes back, or does not.

The journal beside the keys has who was added, which machines began and which were lost, in order (tests/polls/test_journal.py).
Grants, requests, decisions of the commission and what was heard of the logs are not in it.
"""

from __future__ import annotations

import json
from contextlib import suppress
from uuid import UUID

from custody_truth import Judged

from dauys.pollbook.log.events import Head
from dauys.pollbook.rules import forgotten
from dauys.pollbook.rules.custody import Centre, CustodyError


class Forgetful(Judged):
    """The ground, and the steps by which the centre forgets."""

    copied: tuple[Centre, int, frozenset[UUID]] | None = None

    def copy(self) -> None:
        """A copy of the centre's database is made."""
        self.copied = (self.centre, self._typed_lines, frozenset(self.ahead))

    @property
    def may_go_back(self) -> bool:
        return self.copied is not None and self.copied[1] == self._typed_lines

    @property
    def _typed_lines(self) -> int:
        """What was typed from paper is typed again; that is not played here."""
        return sum(map(len, self.papers.values()))

    def go_back(self) -> None:
        """The centre's disk dies; the copy is put in its place, and it is known to be one."""
        if self.copied is None or not self.may_go_back:
            return
        self.tap += 1
        self.back += 1
        self.void = len(self.grants)
        self.centre = self.copied[0]
        if self.fault != "the centre goes back and nobody knows":
            self.centre = forgotten.put_back(self.centre, f"mark-{self.tap}")
            self.promised.clear()  # what was called off is asked for again
        made = {machine.log.station for machine in self.machines}
        self.ahead = {one for one in self.ahead if one in self.homes and self.homes[one].station in made} | self.copied[
            2
        ]
        for again in self.journal:
            with suppress(CustodyError):  # it is in the copy
                self.centre = again(self.centre)
        self.done["go back"] += 1

    def words_again(self) -> None:
        """Whatever machines said of being whole, long ago, arrives again."""
        for place in [place for place, (kind, *_) in enumerate(self.net) if kind == "whole"]:
            _, data, log = self.net[place]
            mark, n, head = json.loads(data)
            self.centre = forgotten.whole(self.centre, log, mark, Head(n, head))

    def lift(self) -> None:
        """Somebody says that the books are whole."""
        if self.centre.books.marked:
            try:
                self.centre = forgotten.lift(self.centre)
            except CustodyError:
                self.done["lift refused"] += 1
                return
            self.done["lift"] += 1
