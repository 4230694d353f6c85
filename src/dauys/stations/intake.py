"""How does a protocol get in? Checked, entered in the record and stored, in the caller's one transaction.

Sending the same protocol again gives the same receipt and changes nothing; other numbers for a station that has a
protocol are refused: what is in the record is corrected, never overwritten (dauys.stations.corrections).
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime

from dauys.errors import BadInput
from dauys.record.entry import Entry, EntryError
from dauys.record.log import append, is_closed
from dauys.registers.poll import Contest, Poll
from dauys.stations.batch import Batch
from dauys.stations.beside import NOTHING, Beside
from dauys.stations.catalogue import quarantines
from dauys.stations.checks import protocol_checks
from dauys.stations.corrections import annul, correct
from dauys.stations.ledger import (
    Receipt,
    Stations,
    annulled,
    earlier,
    lock,
    look_up,
    moment,
    signed_by_station,
)
from dauys.stations.states import Event, State, following
from dauys.stations.turnout import report_turnout
from dauys.store.engine import Connection, driver

__all__ = ["Receipt", "annul", "correct", "receive", "report_turnout"]

TOGETHER = 200
"""Signatures that one thread checks at a time."""


def receive(
    connection: Connection, poll: Poll, batch: Batch, *, by: str, at: datetime | str, beside: Beside = NOTHING
) -> list[Receipt]:
    """Takes protocols of one contest and returns a receipt for each, in order; `beside` adds checks of its own.

    `by` and `at` hold for the protocols that do not say otherwise. A protocol that says who signed it (`sig`, with `at`)
    is verified with its station's key. Raises BadInput F.0xx, naming the row; the caller's transaction then undoes all.
    """
    contest = poll.contest(batch.contest)
    batch = replace(batch, stations=batch.names())
    batch.check_against(contest.form)
    batch.check_unique()
    lock(connection, poll.id)
    stations = look_up(connection, poll.id, batch)
    protocols = batch.protocols()
    before = earlier(connection, poll.id, [_id(contest.id, station) for station in batch.stations])
    receipts: list[Receipt | None] = [None] * len(batch)
    fresh = list(range(len(batch)))
    if before:
        fresh = []
        for place, station in enumerate(batch.stations):
            found = before.get(_id(contest.id, station))
            if found is None:
                fresh.append(place)
                continue
            receipts[place] = _replayed(batch, place, protocols[place], *found)
    if fresh:
        _open_for(connection, poll, contest, batch, stations, fresh)
        checks = protocol_checks(contest.form, batch, stations.known)
        for place in fresh if beside is not NOTHING else ():
            others = beside.numbers(connection, poll.id, batch.stations[place], protocols[place])
            checks[place] = tuple(sorted((*checks[place], *others)))
        entries = _entries(poll, contest, batch, stations, protocols, checks, fresh, by, moment(at))
        placed = append(connection, poll.id, entries, absent=True)  # `earlier` has looked, under the lock
        new = [
            Receipt(batch.stations[place], contest.id, str(_state(checks[place])), checks[place], at_seq.seq)
            for place, at_seq in zip(fresh, placed, strict=True)
        ]
        _store(connection, poll.id, new, [protocols[place] for place in fresh])
        for place, receipt in zip(fresh, new, strict=True):
            receipts[place] = receipt
    return [receipt for receipt in receipts if receipt is not None]


def _id(contest: str, station: str) -> str:
    return f"protocol/{contest}/{station}"


def _replayed(batch: Batch, place: int, values: dict[str, int], seq: int, entry: Entry) -> Receipt:
    if entry.body["values"] != values:
        differing = [name for name in values if entry.body["values"].get(name) != values[name]]
        raise batch.refuse(
            place, "the station's protocol is in with other numbers: send a correction", "F.025",
            field=differing[0] if differing else "station", found=str(values.get(differing[0])) if differing else None,
            expected=f"the same as entry {seq}",
        )  # fmt: skip
    return Receipt(batch.stations[place], batch.contest, str(_state(entry.checks)), entry.checks, seq, True)


def _state(checks: Sequence[str]) -> State:
    """The state of a protocol as first received."""
    event = Event.RECEIVED_FAULTY if quarantines(checks) else Event.RECEIVED_CLEAN
    state = following(State.EXPECTED, event)
    assert isinstance(state, State)
    return state


def _open_for(
    connection: Connection, poll: Poll, contest: Contest, batch: Batch, stations: Stations, fresh: Sequence[int]
) -> None:
    """Raises BadInput F.024, F.028 if the poll, or the result of a station or its area, takes no protocol any more."""
    if is_closed(connection, poll.id):
        raise batch.refuse(
            fresh[0], "the poll is closed and takes no new protocol", "F.024", field="station",
            found=batch.stations[fresh[0]], expected="a correction of a protocol that is in",
        )  # fmt: skip
    void = annulled(connection, poll.id, contest.id)
    for place in fresh if void else ():
        if batch.stations[place] in void or stations.areas[place] in void:
            raise batch.refuse(
                place, "the result of the station or its area is annulled", "F.028", field="station",
                found=batch.stations[place],
            )  # fmt: skip


def _entries(
    poll: Poll,
    contest: Contest,
    batch: Batch,
    stations: Stations,
    protocols: Sequence[dict[str, int]],
    checks: Sequence[tuple[str, ...]],
    fresh: Sequence[int],
    by: str,
    at: str,
) -> list[Entry]:
    entries = []
    for place in fresh:
        station = batch.stations[place]
        sig = batch.sig[place] if batch.sig is not None else ""
        said = batch.at[place] if batch.at is not None else ""
        author = (batch.by[place] if batch.by is not None else "") or (station if sig else by)
        body: dict[str, object] = {"contest": contest.id, "station": station, "values": protocols[place]}
        words = {name: texts[place] for name, texts in batch.words.items() if texts[place]}
        if words:
            body["words"] = words
        try:
            entry = Entry(
                poll.id, "protocol", _id(contest.id, station), said or at, author, body, sig or None, checks[place]
            )
        except EntryError as error:
            raise _unfit(batch, place, error, said, sig) from error
        entries.append(entry)
    signed = [(entry, place) for entry, place in zip(entries, fresh, strict=True) if entry.sig]
    parts = [signed[start : start + TOGETHER] for start in range(0, len(signed), TOGETHER)]

    def check(part: list[tuple[Entry, int]]) -> None:
        for entry, place in part:
            signed_by_station(entry, stations.keys[place], batch, place)

    if len(parts) > 1:
        with ThreadPoolExecutor(os.cpu_count()) as threads:  # a signature is checked without the interpreter's lock
            list(threads.map(check, parts))  # in order: the first bad one is named
    elif parts:
        check(*parts)
    return entries


def _unfit(batch: Batch, place: int, error: EntryError, said: str, sig: str) -> BadInput:
    try:
        moment(said or "2022-06-05T21:00:00+06:00")
    except BadInput as fault:
        return batch.refuse(place, fault.message, "F.027", field="at", found=said, expected=fault.expected)
    return batch.refuse(place, str(error), "F.026", field="sig", found=sig, expected="base64 of 64 bytes")


def _store(connection: Connection, poll_id: str, receipts: Sequence[Receipt], values: Sequence[dict[str, int]]) -> None:
    with (
        driver(connection).cursor() as cursor,
        cursor.copy("COPY protocol (poll, contest, station, version, state, values, checks, seq) FROM STDIN") as copy,
    ):
        for receipt, row in zip(receipts, values, strict=True):
            numbers = "{" + ",".join(receipt.checks) + "}"
            copy.write_row(
                (poll_id, receipt.contest, receipt.station, 0, receipt.state, json.dumps(row), numbers, receipt.seq)
            )
