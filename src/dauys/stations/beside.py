"""What does somebody else know of a station's protocol? Numbers that its form can begin with, and checks of their own.

This room knows no pollbook, and no roll: whoever joins them hands it in. A check from beside is recorded with the protocol and
holds nothing back. Of the roll the desk's home shows how many claims about its list wait, of the pollbooks what stops them all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from dauys.registers.poll import Poll
from dauys.store.engine import Connection


class Difference(Protocol):
    """One check that was raised: its number, the field it is about, what is known beside and what the protocol says."""

    @property
    def check(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def pollbook(self) -> int: ...
    @property
    def protocol(self) -> int: ...


class Named(Protocol):
    """A number, and what it means in every language."""

    @property
    def number(self) -> str: ...
    @property
    def title(self) -> Mapping[str, str]: ...
    @property
    def text(self) -> Mapping[str, str]: ...


class Claims(Protocol):
    """Claims about a voter list: how many wait for a decision, since when, how many of them too long; for a second person."""

    @property
    def open(self) -> int: ...
    @property
    def oldest(self) -> datetime | None: ...
    @property
    def overdue(self) -> int: ...
    @property
    def second(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Beside:
    """`fields(connection, poll, station)` fill a form; `differences(connection, poll, station, values)` are the checks.

    `before(connection, poll, station)` is told that a protocol of the station is about to enter the record.
    `claims(connection, poll, station)` are those that wait at the desk, of one station or (None) of all; None where there is
    no list to claim about. `stopped(connection, poll)` is what stops the pollbooks of all stations, or None.
    """

    fields: Callable[[Connection, str, str], Mapping[str, int]]
    differences: Callable[[Connection, str, str, Mapping[str, int]], Sequence[Difference]]
    catalogue: Mapping[str, Named] = field(default_factory=dict)
    before: Callable[[Connection, str, str], None] = lambda connection, poll, station: None
    claims: Callable[[Connection, Poll, str | None], Claims | None] = lambda connection, poll, station: None
    stopped: Callable[[Connection, str], Named | None] = lambda connection, poll: None

    def numbers(self, connection: Connection, poll: str, station: str, values: Mapping[str, int]) -> tuple[str, ...]:
        """The checks that a protocol raises as it enters the record, each once, in order."""
        self.before(connection, poll, station)
        return tuple(sorted({found.check for found in self.differences(connection, poll, station, values)}))


NOTHING = Beside(lambda connection, poll, station: {}, lambda connection, poll, station, values: ())
"""Nothing is known."""
