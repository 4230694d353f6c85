"""A station's recount, entered on a phone, and the sheets that boards fill in on paper.

Neither shows the announced counts before the station's own are entered: the board counts blind.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from starlette.responses import Response

from dauys.errors import BadInput
from dauys.law.form import Field
from dauys.observe.audit import sheets
from dauys.observe.known.model import MissionError
from dauys.observe.office.visit import Model, Visit
from dauys.observe.report.audit_state import State, frozen, plan_of, state_of
from dauys.observe.report.contests import area_names, chosen_contest, official_of, zone_of
from dauys.observe.report.counts_of import base_of
from dauys.observe.sample.draw import seed_sha256
from dauys.registers.poll import Contest

MOST_BALLOTS = 1_000_000


def count(visit: Visit) -> Model | str:
    """`/audit/count`: one station's recount. Every class of ballots is typed, and their sum once more: it must agree."""
    official = official_of(visit)
    form = visit.form
    asked = visit.request.query_params if form is None else form
    contest = chosen_contest(official.poll, asked.get("of", ""))
    state = state_of(visit.office.keep, contest.id)
    station = asked.get("station", "")[:60]
    if state.plan is None or station not in state.drawn:
        raise BadInput("this station was not drawn for the audit", field="station", found=station, check="O.180")
    if form is not None:
        _enter(visit, contest, state, station)
        return f"/audit/count?of={contest.id}&station={station}"
    results = frozen(visit.office.keep, state.plan["results_sha256"])
    announced = next(one for one in results.stations if one.id == station)
    event = state.counts.get(station)
    left = [name for name in state.drawn if name not in state.counts and name != station]
    return {
        "of": contest.id,
        "question": contest.question,
        "station": station,
        "area": area_names(official, visit.lang).get(announced.region, announced.region),
        "fields": [(one.name, one.labels) for one in ballot_fields(contest)],
        "event": event,
        "announced": announced if event is not None else None,
        "entry": results.entries[station],
        "base": next(one.labels for one in contest.form.fields if one.name == base_of(contest)),
        "left": left,
        "mission_zone": zone_of(visit),
    }


def ballot_fields(contest: Contest) -> list[Field]:
    """The fields of the form that every ballot found falls into: options, and what is for none."""
    return [field for field in contest.form.fields if field.role in ("option", "class")]


def _enter(visit: Visit, contest: Contest, state: State, station: str) -> None:
    values = {field.name: visit.number(f"n-{field.name}", 0, MOST_BALLOTS) for field in ballot_fields(contest)}
    cast = visit.number("n-all", 0, MOST_BALLOTS)
    if sum(values.values()) != cast:
        raise BadInput(
            "the ballots do not add up to their sum",
            field="n-all",
            found=cast,
            expected=f"{sum(values.values()):,}",
            check="O.181",
        )
    reason = visit.text("reason")
    if station in state.counts and not reason:
        raise BadInput("a recount that is entered again needs its reason", field="reason", check="O.182")
    body = {
        "name": f"{contest.id}/count/{station}", "contest": contest.id, "station": station, "cast": cast,
        "yes": values[contest.options[0]], "values": values, "board": visit.text("board", 60), "reason": reason,
    }  # fmt: skip
    visit.append("audit", body)


def tally_sheets(visit: Visit) -> Response:
    """`/audit/sheets`: a sheet for each station that is still to be recounted, for so many boards: PDF, or HTML to print."""
    official = official_of(visit)
    contest = chosen_contest(official.poll, visit.request.query_params.get("of", ""))
    state = state_of(visit.office.keep, contest.id)
    if state.plan is None:
        raise MissionError("draw the stations first")
    typed = visit.request.query_params.get("boards", "1")
    count = int(typed) if typed.isdecimal() and 0 < len(typed) <= 3 else 1
    wanted, names = set(state.drawn) - state.counts.keys(), area_names(official, visit.lang)
    stations = [
        replace(one, region=names.get(one.region, one.region))
        for one in frozen(visit.office.keep, state.plan["results_sha256"]).stations
        if one.id in (wanted or set(state.drawn))
    ]
    shares = sheets.boards(stations, max(1, count))
    return printed(sheets.together(shares, seed_sha256(plan_of(state.plan).seed), visit.lang))


def printed(page: str) -> Response:
    """Sheets as PDF; where no Chromium is installed the page to print."""
    with tempfile.TemporaryDirectory(prefix="dauys-sheets-") as folder:
        path = Path(folder) / "sheets.html"
        path.write_text(page, encoding="utf-8")
        made = sheets.pdf(path)
        data = page.encode() if made is None else made.read_bytes()
    name, kind = ("sheets.html", "text/html; charset=utf-8") if made is None else ("sheets.pdf", "application/pdf")
    disposition = f"{'attachment' if made is None else 'inline'}; filename={name}"
    return Response(data, media_type=kind, headers={"Content-Disposition": disposition})
