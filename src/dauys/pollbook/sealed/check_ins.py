"""Do the check-ins of a record agree with one another? Whoever replays a record feeds it its entries of the kind `check-ins`.

Nothing here needs a database or a key. What an entry holds is said in `dauys.pollbook.gathered.sealing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from dauys.errors import DauysError
from dauys.pollbook.log.events import CHANNEL_LOGS
from dauys.pollbook.rules.channels import REMOTE
from dauys.pollbook.sealed.commitment import ENTRY_KIND

HASH_DIGITS = 64
ANSWERS = frozenset({"B.102", "B.108"})
"""Checks that say beside a protocol that its ballots handed out are not the check-ins of the record."""


def check_in_shape(body: Mapping[str, Any]) -> str:
    """The id that the body of an entry gives it. Raises DauysError for anything that is no such body."""
    match body:
        case {
            "station": str(station), "generation": int(generation), "first": int(first), "last": int(last),
            "commitments": list(made), "undone": list(undone), "used": int(used), **rest,
        } if not rest and station:  # fmt: skip
            numbers = (generation, first, last, used)
            whole = not any(isinstance(number, bool) for number in numbers) and used >= 0
            good = (made or undone) and hashes(made) and hashes(undone)
            if whole and good and 1 <= generation <= 1000 and 1 <= first <= last:
                return f"{ENTRY_KIND}/{station}/{generation}/{last}"
    raise DauysError("not check-ins: station, generation, first, last, sorted commitments and undone ones, used")


def hashes(texts: list[Any]) -> bool:
    """Whether it is a list of SHA-256 in hex, sorted, each once."""
    good = all(isinstance(one, str) and len(one) == HASH_DIGITS and set(one) <= _HEX for one in texts)
    return good and all(one < other for one, other in pairwise(texts))


_HEX = frozenset("0123456789abcdef")


@dataclass(slots=True)
class _Log:
    last: int = 0
    used: int = 0
    standing: set[bytes] = field(default_factory=set)
    undone: set[bytes] = field(default_factory=set)


def places(stations: Iterable[str], voting: Mapping[str, Any] | None) -> set[str]:
    """Where voters are checked in: at stations, and in the electronic channel where the poll's own rules switch it on."""
    rule = (voting or {}).get(REMOTE)
    return {*stations, *(CHANNEL_LOGS if isinstance(rule, Mapping) and rule.get("on") is True else ())}


class CheckInReader:
    """The check-ins so far. `used` are those that stand, by station, over all machines that it had.

    `read` raises DauysError: an unknown station, events out of their order, a commitment that stands twice, one taken back
    that does not stand, or a sum that does not follow.
    """

    def __init__(self, stations: Iterable[str]) -> None:
        self.known = frozenset(stations)
        self.used: dict[str, int] = {}
        self._logs: dict[tuple[str, int], _Log] = {}

    @property
    def total(self) -> int:
        return sum(self.used.values())

    def read(self, entry_id: str, body: Mapping[str, Any]) -> None:
        """Takes in one entry; what of it is wrong is said after all of it has been taken in."""
        if entry_id != check_in_shape(body):
            raise DauysError(f"{entry_id} is not the id of what it says")
        station = body["station"]
        log = self._logs.setdefault((station, body["generation"]), _Log())
        faults = [] if station in self.known else [f"{station} is no station of the poll"]
        if body["first"] <= log.last:
            faults.append(f"event {body['first']} was sealed before")
        made, undone = ({bytes.fromhex(one) for one in body[name]} for name in ("commitments", "undone"))
        if made & (log.standing | log.undone):
            faults.append("a check-in stands twice")
        log.standing |= made
        if not undone <= log.standing:
            faults.append("a check-in is taken back that does not stand")
        log.standing -= undone
        log.undone |= undone
        used = log.used + len(made) - len(undone)
        if body["used"] != used:
            faults.append(f"{body['used']} are said to stand, and {used} do")
        self.used[station] = self.used.get(station, 0) + used - log.used
        log.last, log.used = body["last"], used
        if faults:
            raise DauysError(f"{entry_id}: {'; '.join(faults)}")
