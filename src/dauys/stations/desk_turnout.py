"""How do turnout reports come in at the desk, hour by hour, who is still silent, and how is a wrong one corrected?"""

from __future__ import annotations

from urllib.parse import quote, urlencode

import numpy as np

from dauys.errors import BadInput
from dauys.registers.poll import Poll
from dauys.stations.desk_visit import Model, Page, Visit, about, number_of
from dauys.stations.intake import report_turnout
from dauys.stations.overview import station_count
from dauys.stations.states import Role
from dauys.stations.turnout import Reports, correct_report, held_reports, report_of, reported, silent

PER_PAGE = 50


def _turnout(visit: Visit) -> Model | str:
    """Takes one station's report; below it stand the hours of the day and the stations that are silent."""
    poll, done = visit.poll, None
    own = visit.account.station if visit.account.role is Role.STATION else None
    if own is not None and visit.account.poll != poll.id:
        raise BadInput("this account is of another poll", check="F.040", found=poll.id, expected=visit.account.poll)
    hour = visit.sent("time") or visit.asked("time")
    if visit.form is not None:
        station = own or visit.station()
        numbers = {name: np.array([number_of(visit.form, name)], np.int64) for name in ("eligible", "received")}
        reports = Reports(hour, [station], numbers["eligible"], numbers["received"])
        (receipt,) = report_turnout(visit.connection, poll, reports, by=visit.account.author, at=visit.at)
        done = {"station": station, "hour": hour, "state": receipt.state, "checks": receipt.checks}
    hours = _hours(visit, poll)
    hour = hour or next((at for at in reversed(hours) if _is_over(visit, poll, at)), hours[0] if hours else "")
    model = about(poll) | {
        "own": own or "",
        "station": own or visit.asked("station"),
        "hours": hours,
        "asked": [f"{at:%H:%M}" for at in poll.reports],
        "hour": hour,
        "timezone": poll.timezone,
        "told": {at: report for at in hours if own and (report := report_of(visit.connection, poll.id, own, at))},
    }
    if own is None:
        model |= _lists(visit, poll, hour)
    return model if done is None else model | {"done": done, "typed": {}}


def _hours(visit: Visit, poll: Poll) -> list[str]:
    """The hours at which reports are due, or, where the poll names none, at which some came."""
    return [f"{at:%H:%M}" for at in poll.reports] or list(reported(visit.connection, poll.id))


def _is_over(visit: Visit, poll: Poll, hour: str) -> bool:
    return any(f"{at:%H:%M}" == hour and poll.moment(at) <= visit.at for at in poll.reports)


def _lists(visit: Visit, poll: Poll, hour: str) -> Model:
    area, start = visit.asked("area"), visit.start()
    known = {each.code for each in poll.areas}
    quiet = (
        silent(visit.connection, poll.id, hour, area if area in known else None, start, PER_PAGE + 1) if hour else []
    )
    return {
        "reported": reported(visit.connection, poll.id),
        "listed": station_count(visit.connection, poll.id),
        "areas": [(each.code, dict(each.names)) for each in poll.areas],
        "area": area,
        "silent": quiet[:PER_PAGE],
        "next": start + PER_PAGE if len(quiet) > PER_PAGE else None,
        "held": held_reports(visit.connection, poll.id),
    }


def _correct(visit: Visit) -> Model | str:
    """Corrects the report of `?station=&time=`; without them it asks for which."""
    poll = visit.poll
    station, hour = visit.asked("station"), visit.asked("time")
    if visit.form is not None:
        after = {name: number_of(visit.form, name) for name in ("eligible", "received")}
        receipt = correct_report(
            visit.connection, poll, station=station, hour=hour, after=after, reason=visit.sent("reason"),
            by=visit.account.author, at=visit.at, of=visit.place(), seal=visit.seal(poll.id),
        )  # fmt: skip
        return f"/{quote(poll.id)}/correct-turnout?{urlencode({'corrected': receipt.station, 'time': hour})}"
    corrected = visit.asked("corrected")
    model = about(poll) | {
        "station": station,
        "hour": hour,
        "hours": _hours(visit, poll),
        "corrected": corrected and report_of(visit.connection, poll.id, corrected, hour),
    }
    if not station:
        return model
    report = report_of(visit.connection, poll.id, station, hour)
    if report is None:
        message = "the station has not reported for this hour: send the report"
        raise BadInput(message, field="station", found=f"{station} {hour}".strip(), check="F.029")
    return model | {"report": report}


PAGES = (
    Page("/{poll:path}/turnout", "desk/turnout.html", _turnout, (Role.CLERK, Role.STATION)),
    Page("/{poll:path}/correct-turnout", "desk/correct_turnout.html", _correct, (Role.CLERK,)),
)
