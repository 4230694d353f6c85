"""How does a voter become a right in a poll, packed for the database, and a commitment in the record?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dauys.roll.binary import cell, fields, whole
from dauys.roll.frozen import PURPOSE, StationRoll, commitment, station_root
from dauys.roll.vault import ID, Vault

RIGHT = ("poll", "id", "home", "holder", "epoch", "state", "addition", "voter", "set_id")
"""The columns of `entitlement` in the order in which they are packed."""

EACH = ID + 8
"""Bytes of a voter's id and the number of the set of his version."""


@dataclass(frozen=True, slots=True)
class Rights:
    """Packs the rights of whole stations, and commits to them; goes to a process of its own as it is."""

    vault: Vault
    poll: str
    addition: int = 0

    def __call__(self, stations: Sequence[tuple[str, bytes]]) -> tuple[bytes, list[StationRoll]]:
        """`stations`: id, and of each voter the id and set, one after the other (24 bytes). Rows of `RIGHT`; the roots."""
        packed: list[bytes] = []
        rolls = []
        begin = fields(len(RIGHT)) + cell(self.poll.encode()) + ID.to_bytes(4, "big")
        middle = whole(0, 2) + whole(0, 2) + whole(self.addition, 4) + ID.to_bytes(4, "big")
        for station, voters in stations:
            # what is added later stands on no list until one is made (pollbook.centre.decided.onto_the_list)
            holder = f"roll/{station}" if self.addition else f"station/{station}/1"
            homes = cell(station.encode()) + cell(holder.encode()) + middle
            rows, commitments = [], []
            for first in range(0, len(voters), EACH):
                voter = voters[first : first + ID]
                right = self.vault.entitlement(self.poll, voter)
                commitments.append(commitment(self.poll, station, self.vault.salt(PURPOSE, right), right))
                set_id = voters[first + ID : first + EACH]
                rows.append(right + homes + voter + (8).to_bytes(4, "big") + set_id)
            rows.sort()  # by right: where a row lies says nothing of the voter
            packed += [part for row in rows for part in (begin, row)]
            rolls.append(StationRoll(station, len(rows), station_root(commitments)))
        return b"".join(packed), rolls
