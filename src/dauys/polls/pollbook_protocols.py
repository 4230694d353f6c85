"""What does the pollbook say beside a protocol? Numbers that fill its form, and every difference as a numbered check (B.xxx)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from dauys.pollbook.catalogue import catalogue
from dauys.pollbook.centre.mark import CHECK, standing
from dauys.pollbook.centre.take import cursor
from dauys.pollbook.gathered.hand_outs import check, unsigned
from dauys.pollbook.gathered.sealing import unsealed
from dauys.pollbook.gathered.sums import sums_at
from dauys.pollbook.rules.sums import Difference, check_protocol
from dauys.polls.pollbook_join import Seal, seal
from dauys.registers.catalogue import Check
from dauys.stations.beside import Beside
from dauys.store.engine import Connection


def fields(connection: Connection, poll: str, station: str) -> Mapping[str, int]:
    """The fields of a protocol that the station's pollbook counts, as far as the centre was told; none without a log.

    None either where a member did not sign for a ballot in his name (P.110): that is found out first.
    """
    found = sums_at(connection, poll, station)
    return {} if found is None or unsigned(connection, poll, station) else found.sums.fields


def differences(
    connection: Connection, poll: str, station: str, values: Mapping[str, int]
) -> Sequence[Difference]:  # fmt: skip
    """The checks that a protocol raises against the station's pollbook; none without a log.

    What the record holds is compared (B.108) unless something of the station still waits to be sealed.
    """
    found = sums_at(connection, poll, station)
    if found is None:
        return ()
    raised = check_protocol(found.sums, values, found.sealed)
    bad = unsigned(connection, poll, station)
    if not bad:
        return raised
    signed = max(0, found.sums.received - bad)  # what was not signed for may have been taken back
    return [*raised, Difference("B.111", "received", found.sums.received, signed)]


def to_correct(connection: Connection, poll: str, stations: Iterable[str]) -> list[str]:
    """Those of the stations whose protocol came before one of their envelopes counted, so that it lacks its ballot (B.102)."""
    query = sa.text("SELECT DISTINCT station, values FROM protocol WHERE poll = :poll AND station = ANY(:stations)")
    rows = connection.execute(query, {"poll": poll, "stations": sorted(set(stations))})
    return sorted(
        {
            row.station
            for row in rows.all()
            if any(one.check == "B.102" for one in differences(connection, poll, row.station, row.values))
        }
    )


def stopped(connection: Connection, poll: str) -> Check | None:
    """P.090 while the mark stands that the centre was put back from a copy."""
    return catalogue()[CHECK] if standing(cursor(connection), poll) is not None else None


MEANINGS = {number: check for number, check in catalogue().items() if number.startswith("B.")}


def beside(key_of: Seal, clock: Callable[[], datetime]) -> Beside:
    """The pollbook, for the desk and intake (dauys.stations).

    Before a station's form is filled its members' signatures are checked, and before its protocol comes its check-ins are sealed.
    """

    def filled(connection: Connection, poll: str, station: str) -> Mapping[str, int]:
        check(connection, poll, clock(), station)
        return fields(connection, poll, station)

    def before(connection: Connection, poll: str, station: str) -> None:
        check(connection, poll, clock(), station)
        if unsealed(connection, poll, station) and (key := key_of(poll)) is not None:
            seal(connection, poll, key, clock(), station)

    return Beside(filled, differences, MEANINGS, before, stopped=stopped)
