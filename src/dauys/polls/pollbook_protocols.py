"""What does the pollbook say beside a protocol? Numbers that fill its form, and every difference as a numbered check (B.xxx)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from dauys.pollbook.catalogue import catalogue
from dauys.pollbook.centre_sums import sums_at
from dauys.pollbook.sealing import unsealed
from dauys.pollbook.sums import Difference, check_protocol
from dauys.polls.pollbook_join import Seal, seal
from dauys.stations.beside import Beside
from dauys.store.engine import Connection


def fields(connection: Connection, poll: str, station: str) -> Mapping[str, int]:
    """The fields of a protocol that the station's pollbook counts, as far as the centre was told; none without a log."""
    found = sums_at(connection, poll, station)
    return {} if found is None else found.sums.fields


def differences(
    connection: Connection, poll: str, station: str, values: Mapping[str, int]
) -> Sequence[Difference]:  # fmt: skip
    """The checks that a protocol raises against the station's pollbook; none without a log.

    What the record holds is compared (B.108) unless something of the station still waits to be sealed.
    """
    found = sums_at(connection, poll, station)
    return () if found is None else check_protocol(found.sums, values, found.sealed)


MEANINGS = {number: check for number, check in catalogue().items() if number.startswith("B.")}


def beside(key_of: Seal, clock: Callable[[], datetime]) -> Beside:
    """The pollbook, for the desk and intake (dauys.stations): a station's check-ins are sealed before its protocol comes."""

    def before(connection: Connection, poll: str, station: str) -> None:
        if unsealed(connection, poll, station) and (key := key_of(poll)) is not None:
            seal(connection, poll, key, clock(), station)

    return Beside(fields, differences, MEANINGS, before)
