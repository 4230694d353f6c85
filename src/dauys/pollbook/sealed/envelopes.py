"""What does the record say of provisional envelopes, and does it agree with itself? Commitments alone; no database, no key.

An entry `envelopes/<station>/<n>` has the body

    {"station", "rule": {"two", "cite"}, "final", "counted": [hex], "refused": {number of the reason: [hex]}, "used"}

for the envelopes that lay at the station and were resolved together. `used` are those of this station that count so far. A
commitment is SHA-256(b"dauys envelope v1\\0" + poll + b"\\0" + station + b"\\0" + generation + b"/" + n + b"\\0" + id + right).
The id is 16 random bytes that the station made: the salt. The right is 16 bytes, zeros where nobody was found.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any
from uuid import UUID

from dauys.errors import DauysError
from dauys.pollbook.log.events import LogId
from dauys.pollbook.sealed.check_ins import hashes

ENVELOPES = "envelopes"
REFUSED = frozenset({"P.026", "P.056", "P.060", "P.061", "P.062", "P.064", "P.107"})
"""Reasons for which an envelope does not count (docs/pollbook-checks.md)."""


def envelope_commitment(log: LogId, n: int, envelope: UUID, entitlement: UUID | None) -> str:
    """What the record holds in place of one envelope, in hex."""
    place = f"{log.poll}\0{log.station}\0{log.generation}/{n}\0".encode()
    right = bytes(16) if entitlement is None else entitlement.bytes
    return sha256(b"dauys envelope v1\0" + place + envelope.bytes + right).hexdigest()


def envelopes_shape(body: Mapping[str, Any]) -> str:
    """The station of an entry's body. Raises DauysError for anything that is no such body."""
    match body:
        case {
            "station": str(station), "rule": {"two": "none" | "first", "cite": str(), **other}, "final": bool(),
            "counted": list(counted), "refused": dict(refused), "used": int(used), **rest,
        } if station and not rest and not other and used is not True and used is not False and used >= 0:  # fmt: skip
            lists = [counted, *refused.values()]
            some = all(isinstance(one, list) and one for one in lists[1:]) and any(lists)
            if some and refused.keys() <= REFUSED and all(map(hashes, lists)):
                return station
    raise DauysError("not envelopes: station, rule, final, counted, refused by their reasons, used; commitments sorted")


class EnvelopeReader:
    """The envelopes resolved so far. `used` are those that count, by the station where they lay.

    `read` raises DauysError: an unknown station, an entry out of order, an envelope resolved twice, a sum that does not follow.
    """

    def __init__(self, stations: Iterable[str]) -> None:
        self.known = frozenset(stations)
        self.used: dict[str, int] = {}
        self._entries: dict[str, int] = {}
        self._seen: set[str] = set()

    @property
    def total(self) -> int:
        return sum(self.used.values())

    def read(self, entry_id: str, body: Mapping[str, Any]) -> None:
        """Takes in one entry; what of it is wrong is said after all of it has been taken in."""
        station = envelopes_shape(body)
        number = self._entries[station] = self._entries.get(station, 0) + 1
        used = self.used[station] = self.used.get(station, 0) + len(body["counted"])
        named = [one for some in (body["counted"], *body["refused"].values()) for one in some]
        faults = [] if station in self.known else [f"{station} is no station of the poll"]
        if entry_id != f"{ENVELOPES}/{station}/{number}":
            faults.append(f"it is number {number} of its station")
        if len(set(named)) != len(named) or not self._seen.isdisjoint(named):
            faults.append("an envelope is resolved twice")
        self._seen.update(named)
        if body["used"] != used:
            faults.append(f"{body['used']} are said to count, and {used} do")
        if faults:
            raise DauysError(f"{entry_id}: {'; '.join(faults)}")
