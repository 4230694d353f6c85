"""Where do the events of a poll come from? From a reconstruction, or from the files of a folder; one stream either way.

An event is what one transaction takes in. The stream is a function of the files alone: run again after a crash, it brings the
same events in the same order, and those that are in the record already change nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.errors import BadInput, DauysError
from dauys.polls.keys import Keys
from dauys.reconstruction.reconstruct import Reconstruction, reconstruct
from dauys.record.entry import Entry, sign_entry
from dauys.registers.poll import Poll, Station
from dauys.registers.poll_file import PollFile, areas_of, read_stations
from dauys.stations.batch import Batch
from dauys.stations.readers import read_protocols

WINDOW = timedelta(minutes=5)
"""Protocols that arrive in the same five minutes are taken in together."""


@dataclass(frozen=True, slots=True)
class Reports:
    """Turnout reports of one hour, for all stations in order: their lists and the ballots handed out so far."""

    at: datetime
    hour: str
    stations: Sequence[str]
    eligible: npt.NDArray[np.int64]
    received: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Protocols:
    """Protocols that arrive together; `at` is when the last of them does."""

    at: datetime
    batch: Batch


@dataclass(frozen=True, slots=True)
class Corrected:
    """One protocol replaced by another."""

    at: datetime
    contest: str
    station: str
    before: Mapping[str, int]
    after: Mapping[str, int]
    reason: str


@dataclass(frozen=True, slots=True)
class Declared:
    """The commission declares a stage of the result; nothing comes in after the last one but corrections."""

    at: datetime
    stage: str
    last: bool


Event = Reports | Protocols | Corrected | Declared


@dataclass(frozen=True, slots=True)
class Source:
    """A poll with its stations and everything that happens to it, in the order of time."""

    poll: Poll
    stations: Sequence[Station]
    keys: Keys
    events: Sequence[Event] | None
    file: PollFile

    def stream(self) -> Iterator[Event]:
        """The events; files are read as the stream is."""
        if self.events is not None:
            yield from self.events
            return
        closing = self.poll.closing()
        if self.file.protocols is None:
            place = self.file.folder / "poll.yaml"
            raise BadInput("the poll names no protocols", file=place, expected="`protocols: {file: ...}`")
        last = closing
        source = self.file.protocols
        for arrived in in_time(read_protocols(source.file, self.poll, source.columns), closing):
            last = max(last, arrived.at)
            yield arrived
        stages = self.poll.stages or {"final": last}
        for number, (stage, at) in enumerate(stages.items(), start=1):
            yield Declared(at, stage, number == len(stages))


def in_time(batches: Iterable[Batch], closing: datetime) -> Iterator[Protocols]:
    """Batches as they arrived: where the protocols say when, sorted and in windows of time; otherwise as they stand.

    A file without times is streamed; one with times is held in memory, since its last row may be the night's first.
    """
    timed: list[tuple[datetime, int, int]] = []
    kept: list[Batch] = []
    for batch in batches:
        if batch.at is None:
            yield Protocols(closing, batch)
            continue
        kept.append(batch)
        timed += [(_arrival(batch, place) or closing, len(kept) - 1, place) for place in range(len(batch))]
    timed.sort()
    for (_, number), window in groupby(timed, key=lambda row: ((row[0] - closing) // WINDOW, row[1])):
        rows = list(window)
        yield Protocols(rows[-1][0], kept[number].take([place for _, _, place in rows]))


def _arrival(batch: Batch, place: int) -> datetime | None:
    if batch.at is None or not batch.at[place]:
        return None
    try:
        at = datetime.fromisoformat(batch.at[place])
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise batch.refuse(
            place, "the time is not ISO 8601 with an offset", "F.027", field="at", found=batch.at[place],
            expected="2022-06-05T21:00:00+06:00",
        )  # fmt: skip
    return at


def open_source(file: PollFile, keys: Keys) -> Source:
    """Reads or reconstructs a poll's stations and prepares its stream of events."""
    if file.reconstruction is not None:
        return _reconstructed(file, keys)
    if file.stations is None:
        raise BadInput("the poll names no stations", file=file.folder / "poll.yaml", expected="`stations: {file: ...}`")
    stations = read_stations(file.stations, [area.code for area in file.poll.areas])
    poll = file.poll if file.poll.areas else replace(file.poll, areas=areas_of(stations))
    return Source(poll, stations, keys, None, replace(file, poll=poll))


def _reconstructed(file: PollFile, keys: Keys) -> Source:
    poll = file.poll
    made = reconstruct(file.folder)
    if keys.station is None:
        raise DauysError(f"{poll.id} is a reconstruction and needs the keys derived for one")
    signers = {station: keys.station(station) for station in made.stations.ids}
    stations = [
        Station(station, area, int(eligible), signers[station].public_key().public_bytes_raw(), abroad)
        for station, area, eligible, abroad in zip(
            made.stations.ids, made.stations.areas, made.stations.opening, made.stations.abroad, strict=True
        )
    ]
    events = [*_reports(poll, made), *_protocols(poll, made, signers), *_corrections(poll, made), *_stages(poll)]
    # Sorted by time; reports before protocols of the same minute, a declaration after everything of its minute.
    order = {Reports: 0, Protocols: 1, Corrected: 2, Declared: 3}
    return Source(poll, stations, keys, sorted(events, key=lambda event: (event.at, order[type(event)])), file)


def _reports(poll: Poll, made: Reconstruction) -> Iterator[Event]:
    for number, hour in enumerate(made.turnout.times):
        at = poll.moment(datetime.strptime(hour, "%H:%M").time())  # noqa: DTZ007 - a time of day
        yield Reports(at, hour, made.stations.ids, made.turnout.eligible[number], made.turnout.received[number])


def _protocols(poll: Poll, made: Reconstruction, signers: Mapping[str, Ed25519PrivateKey]) -> Iterator[Event]:
    """Protocols in the order of arrival, signed by their stations, in groups; every protocol keeps its own minute."""
    contest = poll.contest(None).id
    closing = {area.code: poll.closing(area.code) for area in poll.areas}
    arrival = [
        closing[area] + timedelta(minutes=int(minutes))
        for area, minutes in zip(made.stations.areas, made.arrival, strict=True)
    ]
    order = sorted(range(len(arrival)), key=lambda n: (arrival[n], made.stations.ids[n]))
    fields = list(made.protocols)
    for _, window in groupby(order, key=lambda n: (arrival[n] - poll.closing()) // WINDOW):
        group = list(window)
        at, ids, signatures = [], [], []
        for n in group:
            station = made.stations.ids[n]
            values = {field: int(made.protocols[field][n]) for field in fields}
            stamp = arrival[n].isoformat()
            body = {"station": station, "contest": contest, "values": values}
            entry = Entry(poll.id, "protocol", f"protocol/{contest}/{station}", stamp, station, body)
            signatures.append(sign_entry(entry, signers[station]).sig or "")
            at.append(stamp)
            ids.append(station)
        columns = {field: made.protocols[field][group].astype(np.int64) for field in fields}
        yield Protocols(arrival[group[-1]], Batch(contest, ids, columns, at=at, sig=signatures))


def _corrections(poll: Poll, made: Reconstruction) -> Iterator[Event]:
    zone = ZoneInfo(poll.timezone)
    for correction in made.corrections:
        reason = " · ".join(correction.reason[language] for language in ("kk", "ru", "en"))
        yield Corrected(
            correction.at.astimezone(zone), poll.contest(None).id, correction.station, correction.before,
            correction.after, reason,
        )  # fmt: skip


def _stages(poll: Poll) -> Iterator[Event]:
    for number, (stage, at) in enumerate(poll.stages.items(), start=1):
        yield Declared(at, stage, number == len(poll.stages))
