"""What does the record say about the roll of a poll, without saying who is on it? Commitments, roots, and the entries' bodies.

A voter's commitment is SHA-256("dauys roll v1" 0 poll 0 station 0 salt entitlement): ten bytes of salt, sixteen of the id of his
right. The commitments of a station, sorted, are the leaves of a Merkle tree (RFC 6962 §2.1); the canonical JSON of
`{"id","root","voters"}` of every station, by id, those of the tree of the poll. Nothing here needs a database or a key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any

from dauys.errors import DauysError
from dauys.record.canonical import canonical
from dauys.record.merkle import HASH_SIZE, leaf_hash, root

ROLL, STATIONS, ADDITIONS, WITHDRAWALS = "roll", "roll-stations", "additions", "withdrawals"
RESTORATIONS = "restorations"
"""The kinds of entries."""

CHANGES = (ADDITIONS, WITHDRAWALS, RESTORATIONS)
"""What changes a frozen roll: who came onto it, who left it, and who of those left it by mistake and is back."""

STATIONS_PER_ENTRY = 300
COMMITMENTS_PER_ENTRY = 800
"""An entry has at most 65,535 bytes."""

PURPOSE = b"roll"
"""What the salts of these commitments are made for (`Vault.salt`)."""


@dataclass(frozen=True, slots=True)
class StationRoll:
    """A station's part of a frozen roll: how many voters, and the root over their commitments."""

    id: str
    voters: int
    root: bytes

    def to_json(self) -> dict[str, Any]:
        return {"id": self.id, "voters": self.voters, "root": self.root.hex()}

    @staticmethod
    def from_json(body: object) -> StationRoll:
        """The station that `to_json` wrote. Raises DauysError for anything else."""
        match body:
            case {"id": str(name), "voters": int(voters), "root": str(text), **rest}:
                if name and not isinstance(voters, bool) and voters >= 0 and is_hash(text) and not rest:
                    return StationRoll(name, voters, bytes.fromhex(text))
        raise DauysError(f"not a station of a roll: {str(body)[:80]}")


def commitment(poll: str, station: str, salt: bytes, entitlement: bytes) -> bytes:
    """What the record holds in place of a voter."""
    return sha256(b"dauys roll v1\0" + poll.encode() + b"\0" + station.encode() + b"\0" + salt + entitlement).digest()


def station_root(commitments: Iterable[bytes]) -> bytes:
    """The root over a station's commitments, which stand sorted: their order says nothing of the list's."""
    return root([leaf_hash(one) for one in sorted(commitments)])


def roll_root(stations: Sequence[StationRoll]) -> bytes:
    """The root over all stations, by id."""
    return root([leaf_hash(canonical(one.to_json())) for one in sorted(stations, key=lambda one: one.id)])


def bodies(stations: Sequence[StationRoll], day: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Kind, id and body of each entry of a frozen roll, in order."""
    voters = sum(one.voters for one in stations)
    body = {"day": day, "voters": voters, "stations": len(stations), "root": roll_root(stations).hex()}
    yield ROLL, ROLL, body
    ordered = sorted(stations, key=lambda one: one.id)
    for number, first in enumerate(range(0, len(ordered), STATIONS_PER_ENTRY)):
        part = ordered[first : first + STATIONS_PER_ENTRY]
        yield STATIONS, f"{STATIONS}/{number}", {"stations": [one.to_json() for one in part]}


def change_body(station: str, reason: str, commitments: Sequence[bytes]) -> dict[str, Any]:
    """The body of an entry `<kind>/<station>/<n>` of `CHANGES`: who came onto a frozen roll, left it or is back, and why."""
    return {
        "station": station,
        "reason": reason,
        "count": len(commitments),
        "commitments": sorted(one.hex() for one in commitments),
    }


class RollReader:
    """Holds a record's entries about the roll to one another, in their order; whoever replays a record feeds it.

    Raises DauysError with what is wrong: a second roll, one of another day than `day` (where it is given), a station twice or
    unknown, a count or root that does not follow, a commitment that stands twice, one given back that is not withdrawn.
    `eligible` are the voters of each station so far, with additions and without the withdrawn.
    """

    def __init__(self, stations: Iterable[str], day: date | None = None) -> None:
        self.known = frozenset(stations)
        self.day = day
        self.frozen: dict[str, StationRoll] = {}
        self.eligible: dict[str, int] = {}
        self.total = 0
        self._roll: Mapping[str, Any] | None = None
        self._changes: dict[tuple[str, str], int] = {}
        self._added: set[str] = set()
        self._withdrawn: set[tuple[str, str]] = set()  # station, commitment: those that are now

    def read(self, kind: str, entry_id: str, body: Mapping[str, Any]) -> None:
        """Takes in one entry of the kinds `roll`, `roll-stations`, and of `CHANGES`."""
        if kind == ROLL:
            self._read_roll(entry_id, body)
        elif kind == STATIONS:
            self._read_stations(body)
        elif kind in CHANGES:
            self._read_change(kind, entry_id, body)
        else:
            raise DauysError(f"{kind} is no kind of entry about the roll")

    def close(self) -> None:
        """At the end of the record: the roll is whole. Raises DauysError."""
        if self._roll is None:
            return
        found = list(self.frozen.values())
        if len(found) != self._roll["stations"] or self.frozen.keys() != self.known:
            raise DauysError(f"the roll has {len(found):,} stations, and the poll {len(self.known):,}")
        if sum(one.voters for one in found) != self._roll["voters"]:
            raise DauysError("the stations of the roll do not add up to its voters")
        if roll_root(found).hex() != self._roll["root"]:
            raise DauysError("the stations of the roll do not lead to its root")

    def _read_roll(self, entry_id: str, body: Mapping[str, Any]) -> None:
        if self._roll is not None or entry_id != ROLL:
            raise DauysError("the roll is frozen twice")
        match body:
            case {"day": str(), "voters": int(voters), "stations": int(), "root": str(text), **rest}:
                if self.day is not None and body["day"] != self.day.isoformat():
                    raise DauysError(f"the roll is of {body['day'][:20]}, and the poll is on {self.day}")
                if is_hash(text) and voters >= 0 and not rest:
                    self._roll, self.total = body, voters
                    return
        raise DauysError("not a roll: day, voters, stations and root are needed")

    def _read_stations(self, body: Mapping[str, Any]) -> None:
        if self._roll is None or body.keys() != {"stations"} or not isinstance(body["stations"], list):
            raise DauysError("stations of a roll that is not there, or no list of them")
        for one in map(StationRoll.from_json, body["stations"]):
            if one.id not in self.known or one.id in self.frozen:
                raise DauysError(f"station {one.id} of the roll is unknown, or there twice")
            self.frozen[one.id] = one
            self.eligible[one.id] = one.voters

    def _read_change(self, kind: str, entry_id: str, body: Mapping[str, Any]) -> None:
        match body:
            case {
                "station": str(station),
                "reason": str(reason),
                "count": int(count),
                "commitments": list(ones),
                **rest,
            }:
                number = self._changes.get((kind, station), 0) + 1
                change = -count if kind == WITHDRAWALS else count
                good = (
                    station in self.frozen
                    and reason.strip()
                    and entry_id == f"{kind}/{station}/{number}"
                    and self.eligible[station] + change >= 0
                    and count == len(ones) > 0
                    and not rest
                    and all(isinstance(one, str) and is_hash(one) for one in ones)
                    and ones == sorted(set(ones))
                    and self._follows(kind, station, ones)
                )
                if good:
                    self._changes[kind, station] = number
                    self.eligible[station] += change
                    self.total += change
                    return
        raise DauysError(f"{entry_id}: no change of a frozen roll, or a commitment stands where it does not belong")

    def _follows(self, kind: str, station: str, ones: Sequence[str]) -> bool:
        """Whether these may be added (once), withdrawn (while they are not), or given back (while they are); notes it if so."""
        here = {(station, one) for one in ones}
        if kind == ADDITIONS:
            good = self._added.isdisjoint(ones)
            self._added.update(ones if good else ())
        elif kind == WITHDRAWALS:
            good = self._withdrawn.isdisjoint(here)
            self._withdrawn |= here if good else set()
        else:
            good = here <= self._withdrawn
            self._withdrawn -= here if good else set()
        return good


def is_hash(text: str) -> bool:
    """Whether the text is a SHA-256 in small hexadecimal letters."""
    return len(text) == 2 * HASH_SIZE and set(text) <= set("0123456789abcdef")
