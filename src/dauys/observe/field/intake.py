"""How does a report come in? The one way for phone, CSV, lines of text and the office: judged, kept once, flagged.

What is refused leaves no trace in the log (BadInput O.10x, O.11x: one message, docs/checks.md). What is odd is kept with the
numbers of the rules that it raised. The same key is the same report: what is sent twice comes in once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from dauys.errors import BadInput
from dauys.observe.field import rules
from dauys.observe.field.forms import PROTOCOL, Form, form_of, read_answers
from dauys.observe.field.moments import Settled, read_moment, settle
from dauys.observe.known.model import Mission, held, moment_of
from dauys.observe.known.official import Official
from dauys.observe.known.reports import Photo, Report
from dauys.observe.office.visit import Keeping
from dauys.registers.poll import Poll

CHANNELS = ("phone", "csv", "sms", "office")
POLL_NOTE = "field.poll"
"""The note of the mission that holds the poll as the record describes it: copies are read by its forms."""
MOST_PHOTOS = 8

_noted: tuple[object, Poll] | None = None
"""The note that was read last and its poll: it is asked for with each report, and never changes."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A form as somebody sends it. `answers` as typed; `written` and `sent` by the phone's clock (ISO 8601; empty: not known).

    `key` is the sender's own. A key `PHONE/NUMBER` says in which order one phone wrote its reports.
    """

    key: str
    observer: str
    station: str
    form: str
    answers: Mapping[str, str]
    channel: str
    contest: str = ""
    written: str = ""
    sent: str = ""
    photos: tuple[Photo, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Checked:
    """A report that may come in: the body of its event, or the report that it is already."""

    body: Mapping[str, Any]
    there: Report | None = None


def take(keep: Keeping, report: Incoming, at: datetime, official: Official | None = None) -> Report:
    """Takes a report in, or finds it there. `at` is the server's now; `official` the record, where it was read.

    Raises BadInput O.101 to O.114 where it is refused.
    """
    with keep.acting() as mission:
        checked = check(mission, keep, report, at, official)
        if checked.there is not None:
            return checked.there
        by = report.observer if report.channel == "phone" else "office" if report.channel == "office" else "import"
        event = keep.append("report", checked.body, by, at)
        return mission.reports[event.n]


def check(mission: Mission, keep: Keeping, report: Incoming, at: datetime, official: Official | None = None) -> Checked:
    """Whether a report may come in, and as what, without taking it. Raises like `take`."""
    if not report.key or len(report.key) > 200 or not report.key.isprintable():
        raise BadInput("a report has a key of its own", field="key", found=report.key, check="O.106")
    poll = poll_of(mission, official)
    form = form_of(report.form, poll, report.contest)
    values = read_answers(form, report.answers)
    contest = (report.contest or (poll.contests[0].id if poll else "")) if form.id == PROTOCOL else ""
    there = mission.reports.get(mission.by_key.get(report.key, -1))
    if there is not None:
        same = (there.observer, there.station, there.form) == (report.observer, report.station, form.id)
        if not same or (there.standing == "new" and dict(there.values) != values):
            raise BadInput("this key belongs to another report", field="key", found=report.key, check="O.106")
        return Checked({}, there)
    zone = ZoneInfo(mission.identity.zone) if mission.identity else ZoneInfo("UTC")
    settled = _settled(mission, report, at, zone)
    flags = [rules.CLOCK] if settled.odd else []
    flags += _allowed(mission, report, settled.at)
    _photos(keep, form, report.photos)
    known = _known(poll, official, report.station)
    local = settled.at.astimezone(_zone_of(official, report.station, zone))
    coming = rules.Coming(report.observer, report.station, form, contest, values, local, len(report.photos))
    flags += rules.flags_of(coming, known, mission.told)
    body: dict[str, Any] = {
        "key": report.key, "observer": report.observer, "station": report.station, "form": form.id, "values": values,
        "written": settled.at.astimezone(zone).isoformat(timespec="seconds"), "channel": report.channel,
        "flags": list(dict.fromkeys(flags)),
    }  # fmt: skip
    if contest:
        body["contest"] = contest
    if report.photos:
        body["photos"] = [{"sha256": one.sha256, "size": one.size, "kind": one.kind} for one in report.photos]
    if report.written:
        body["phone"] = {"written": report.written, "sent": report.sent}
    return Checked(body)


def poll_of(mission: Mission, official: Official | None = None) -> Poll | None:
    """The poll by whose forms copies are read: that of the record, or the one that the mission noted of it."""
    if official is not None:
        return official.poll
    noted = mission.notes.get(POLL_NOTE)
    if noted is None:
        return None
    global _noted
    if _noted is None or _noted[0] is not noted:
        _noted = noted, Poll.from_json(noted["poll"])
    return _noted[1]


def note_poll(keep: Keeping, poll: Poll, at: datetime) -> None:
    """Notes the poll in the mission's log, once: its forms are known from now on with the wire cut, too."""
    if POLL_NOTE not in keep.mission.notes:
        keep.append("note", {"name": POLL_NOTE, "poll": poll.to_json()}, "office", at)


def _allowed(mission: Mission, report: Incoming, written: datetime) -> list[str]:
    """Flags of who wrote it where. Raises BadInput O.102 to O.105."""
    observer = mission.observers.get(report.observer)
    if observer is None:
        raise BadInput("the mission has no such observer", field="observer", found=report.observer, check="O.102")
    if mission.sample is None or report.station not in mission.sample.drawn:
        message = "the station is not in the sample" if mission.sample else "no sample was drawn yet"
        raise BadInput(message, field="station", found=report.station, check="O.105")
    flags = []
    suspensions = mission.suspensions.get(observer.id, ())
    if held(suspensions, written):
        message = f"{observer.id} is suspended: {observer.suspended}"
        message = message if observer.suspended else f"{observer.id} was suspended when this was written"
        raise BadInput(message, field="observer", found=observer.id, check="O.103")
    if any(written < datetime.fromisoformat(begin) for begin, _ in suspensions):
        flags.append(rules.SUSPENDED_SINCE)
    if observer.id not in mission.assigned.get(report.station, ()):
        if not held(mission.stays.get((observer.id, report.station), ()), written):
            stations = ", ".join(mission.where(observer.id)) or "no station yet"
            message = f"{observer.id} is not assigned to this station"
            raise BadInput(message, field="station", found=report.station, expected=stations, check="O.104")
        flags.append(rules.LEFT_SINCE)
    return flags


def _settled(mission: Mission, report: Incoming, at: datetime, zone: ZoneInfo) -> Settled:
    if not report.written:
        return settle(at, None, at)
    written = read_moment(report.written, zone)
    sent = read_moment(report.sent, zone) if report.sent else None
    after, before = (
        None if n is None else moment_of(mission.reports[n]) for n in mission.told.beside(report.observer, report.key)
    )
    return settle(written, sent, at, after, before)


def _photos(keep: Keeping, form: Form, photos: Sequence[Photo]) -> None:
    """Raises BadInput O.112 for a photo that did not come, or does not belong here."""
    if photos and not form.photos:
        raise BadInput("the form has no place for a photo", field="photos", found=form.id, check="O.112")
    if len(photos) > MOST_PHOTOS:
        message = "these are too many photos for one report"
        raise BadInput(message, found=len(photos), expected=f"at most {MOST_PHOTOS}", check="O.112")
    for photo in photos:
        if not keep.photo(photo.sha256).is_file():
            raise BadInput("the photo did not come: send it first", field="photos", found=photo.sha256, check="O.112")


def _known(poll: Poll | None, official: Official | None, station: str) -> rules.Known:
    """Without the record the poll's own hours hold, not those of the station's area."""
    if poll is None:
        return rules.Known()
    listed = official.stations.get(station) if official is not None else None
    if listed is None:
        return rules.Known(None, poll.closing(), poll.ballot_limit)
    return rules.Known(listed.eligible, poll.closing(listed.area), poll.ballot_limit)


def _zone_of(official: Official | None, station: str, zone: ZoneInfo) -> ZoneInfo:
    """The zone of the station's clock: times of day in answers are told in it."""
    listed = official.stations.get(station) if official is not None else None
    if official is None or listed is None:
        return zone
    return ZoneInfo(official.poll.area(listed.area).timezone or official.poll.timezone)
