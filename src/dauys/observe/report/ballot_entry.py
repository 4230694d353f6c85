"""A round's ballots at one station, entered on a phone; a whole round from a table; the sheets that boards fill in on paper.

None of them shows what was reported of a ballot before it is entered: the board reads blind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from starlette.responses import Response

from dauys.errors import BadInput
from dauys.observe.audit import sheets
from dauys.observe.audit.plan import NATION
from dauys.observe.audit.records import Records
from dauys.observe.known.model import MissionError
from dauys.observe.office.visit import Model, Visit
from dauys.observe.report.audit_count import ballot_fields, printed
from dauys.observe.report.audit_told import Sort
from dauys.observe.report.ballot_state import (
    COMPARISON,
    MISSING,
    POLLING,
    BallotState,
    Place,
    asked,
    manifest_of,
    records_of,
    state_of_ballots,
)  # fmt: skip
from dauys.observe.report.contests import area_names, chosen_contest, official_of, zone_of
from dauys.observe.sample.draw import seed_sha256
from dauys.registers.poll import Contest
from dauys.registers.table import read_table

Parts = Mapping[str, list[int]]
"""Territory (`*` for all) to the places to look at in one station's pile."""


def polling_count(visit: Visit) -> Model | str:
    """`/audit/polling/count`: the tallies of a round at one station."""
    return _count(visit, POLLING)


def comparison_count(visit: Visit) -> Model | str:
    """`/audit/comparison/count`: each of its ballots."""
    return _count(visit, COMPARISON)


def _count(visit: Visit, sort: Sort) -> Model | str:
    official, form = official_of(visit), visit.form
    given = visit.request.query_params if form is None else form
    contest = chosen_contest(official.poll, given.get("of", ""))
    state = state_of_ballots(visit.office.keep, sort, contest.id, contest.options[0])
    station, typed = given.get("station", "")[:60], given.get("round", "")
    number = int(typed) if typed.isdecimal() and len(typed) <= 3 else 0
    if not 1 <= number <= len(state.rounds):
        raise BadInput("there is no such round", field="round", found=typed[:9], check="O.180")
    manifest = manifest_of(visit.office.keep, state)
    wanted = asked(state, manifest, number)
    if station not in wanted:
        raise BadInput("no ballot of this station was drawn", field="station", found=station, check="O.180")
    parts = wanted[station]
    if form is not None:
        _enter(visit, contest, state, number, station, parts)
        return f"/audit/{sort.id}/count?of={contest.id}&round={number}&station={station}"
    names, records = area_names(official, visit.lang), records_of(visit.office.keep, state)
    area = next(one.region for one in manifest.stations if one.id == station)
    event = state.seen.get((number, station))
    left = [name for name in wanted if (number, name) not in state.seen and name != station]
    fields = [(field.name, field.labels) for field in ballot_fields(contest)]
    rows = [
        {
            "title": "" if region == NATION else names.get(region, region), "place": place, "region": region,
            "ballots": [(one, mark(records, (station, one))) for one in places],
        }
        for place, (region, places) in enumerate(parts.items())
    ]  # fmt: skip
    return {
        "of": contest.id, "question": contest.question, "sort": sort.id, "station": station, "round": number,
        "area": names.get(area, area), "fields": fields, "parts": rows, "event": event, "left": left,
        "entry": manifest.entries[station], "mission_zone": zone_of(visit), "missing": MISSING,
        "said": _said(records, event, station) if event is not None and records is not None else [],
        "has_records": records is not None,
    }  # fmt: skip


def _said(records: Records, event: Any, station: str) -> list[tuple[str, str, str]]:
    """Of each ballot its mark, what was seen, what its record says (empty: there is none)."""
    found = []
    for place, vote in event.body["ballots"].items():
        record = records.of(station, int(place))
        found.append((mark(records, (station, int(place))), vote, "" if record is None else record[1]))
    return found


def mark(records: Records | None, place: Place) -> str:
    """What a ballot is called: its mark in the records, else its place in the pile."""
    record = None if records is None else records.of(*place)
    if record is not None:
        return record[0]
    return str(place[1]) if records is None else f"+{place[1] - records.piles.get(place[0], (0, 0))[1]}"


def _enter(visit: Visit, contest: Contest, state: BallotState, number: int, station: str, parts: Parts) -> None:
    names = [*(field.name for field in ballot_fields(contest)), MISSING]
    reason = visit.text("reason")
    if (number, station) in state.seen and not reason:
        raise BadInput("what is entered again needs its reason", field="reason", check="O.182")
    body: dict[str, Any] = {"board": visit.text("board", 60), "reason": reason}
    if state.sort is POLLING:
        tallies = {}
        for place, (region, places) in enumerate(parts.items()):
            tally = {name: visit.number(f"n-{place}-{name}", 0, len(places)) for name in names}
            if sum(tally.values()) != len(places):
                raise BadInput(
                    "the ballots do not add up to those drawn", field=f"n-{place}-{names[0]}", found=sum(tally.values()),
                    expected=str(len(places)), check="O.181",
                )  # fmt: skip
            tallies[region] = tally
        body["tallies"] = tallies
    else:
        ballots = {}
        for places in parts.values():
            for place in places:
                vote = visit.text(f"b-{place}", 60)
                if vote not in names:
                    raise BadInput(
                        "what does this ballot say?", field=f"b-{place}", found=vote, expected=", ".join(names), check="O.012"
                    )  # fmt: skip
                ballots[str(place)] = vote
        body["ballots"] = ballots
    visit.append("audit", _named(state, number, station) | body)


def _named(state: BallotState, number: int, station: str) -> dict[str, Any]:
    name = f"{state.sort.named(state.contest)}seen/{number}/{station}"
    return {"name": name, "contest": state.contest, "round": number, "station": station}


def enter_table(visit: Visit, contest: Contest, state: BallotState) -> None:
    """The last round from a table, a row for each ballot looked at: `station,ballot,vote`. All of it is taken, or none.

    Polled ballots may have `region` (`*` or left out: all). Every drawn ballot of a station is there, as often as it was drawn.
    Stations that are entered already are refused: they are entered again on their own page, with a reason.
    """
    path = visit.files.get("table")
    if path is None:
        raise BadInput("no file was chosen", field="table", expected="station,ballot,vote", check="O.172")
    if not state.rounds:
        raise MissionError("draw the first ballots first")
    keep, number = visit.office.keep, len(state.rounds)
    wanted, records = asked(state, manifest_of(keep, state), number), records_of(keep, state)
    names = [*(field.name for field in ballot_fields(contest)), MISSING]
    sent = _table(path, names)
    for station, seen in sent.items():
        if station not in wanted or (number, station) in state.seen:
            raise BadInput(
                "this station has no ballot of the round, or is entered", file=path, field="station", found=station[:60],
                check="O.180",
            )  # fmt: skip
        due = sorted(
            ("*" if state.sort is COMPARISON else region, mark(records, (station, place)))
            for region, places in wanted[station].items()
            for place in places
        )
        if sorted((region, ballot) for region, ballot, _ in seen) != due:
            raise BadInput(
                "these are not the ballots that were drawn there", file=path, field="ballot", found=station[:60],
                expected=", ".join(ballot for _, ballot in due)[:200], check="O.181",
            )  # fmt: skip
    with keep.acting():
        for station, seen in sent.items():
            body: dict[str, Any] = {"board": "", "reason": ""}
            if state.sort is POLLING:
                body["tallies"] = {
                    region: {name: sum((one, vote) == (region, name) for one, _, vote in seen) for name in names}
                    for region in wanted[station]
                }
            else:
                votes = {ballot: vote for _, ballot, vote in seen}
                places = [place for found in wanted[station].values() for place in found]
                body["ballots"] = {str(place): votes[mark(records, (station, place))] for place in places}
            visit.append("audit", _named(state, number, station) | body)


def _table(path: Path, names: list[str]) -> dict[str, list[tuple[str, str, str]]]:
    """Station to its rows: territory, ballot, vote."""
    columns = {name: name for name in ("station", "ballot", "vote", "region")}
    sent: dict[str, list[tuple[str, str, str]]] = {}
    for chunk in read_table(path, columns, optional=("region",), ignore=None):
        regions = chunk.texts["region"].to_list() if "region" in chunk.texts else [""] * len(chunk)
        told = (chunk.texts[name].to_list() for name in ("station", "ballot", "vote"))
        for row, (station, ballot, vote, region) in enumerate(zip(*told, regions, strict=True), chunk.first_row):
            if vote not in names:
                raise BadInput(
                    "what does this ballot say?", file=path, row=row, field="vote", found=vote[:60], expected=", ".join(names),
                    check="O.012",
                )  # fmt: skip
            sent.setdefault(station, []).append((region or NATION, ballot, vote))
    if not sent:
        raise BadInput("the file has no ballot", file=path, expected="one row for each ballot", check="O.181")
    return sent


def polling_sheets(visit: Visit) -> Response:
    """`/audit/polling/sheets`: a sheet for each station of the last round that is not entered."""
    return _sheets(visit, POLLING)


def comparison_sheets(visit: Visit) -> Response:
    """`/audit/comparison/sheets`: the same for ballots that are compared."""
    return _sheets(visit, COMPARISON)


def _sheets(visit: Visit, sort: Sort) -> Response:
    official = official_of(visit)
    contest = chosen_contest(official.poll, visit.request.query_params.get("of", ""))
    keep = visit.office.keep
    state = state_of_ballots(keep, sort, contest.id, contest.options[0])
    if not state.rounds:
        raise MissionError("draw the ballots first")
    number, manifest, records = len(state.rounds), manifest_of(keep, state), records_of(keep, state)
    wanted, names = asked(state, manifest, number), area_names(official, visit.lang)
    left = {name for name in wanted if (number, name) not in state.seen} or set(wanted)
    everything = sheets.WORDS[visit.lang]["sum"]
    piles, loads = {}, []
    for one in manifest.stations:
        if one.id in left:
            parts = [
                (
                    everything if region == NATION else names.get(region, region),
                    [mark(records, (one.id, place)) for place in places],
                )
                for region, places in wanted[one.id].items()
            ]
            if sort is COMPARISON:  # a ballot is looked at once, whoever drew it
                parts = [(everything, [mark for _, marks in parts for mark in marks])]
            shown = replace(one, region=names.get(one.region, one.region))
            piles[one.id] = sheets.Pile(shown, parts)
            loads.append(replace(shown, cast=sum(len(marks) for _, marks in parts), yes=0))
    typed = visit.request.query_params.get("boards", "1")
    count = int(typed) if typed.isdecimal() and 0 < len(typed) <= 3 else 1
    shares = [[piles[one.id] for one in share] for share in sheets.boards(loads, max(1, count))]
    classes = [field.labels.get(visit.lang) or field.name for field in ballot_fields(contest)]
    return printed(sheets.ballot_sheets(shares, classes, seed_sha256(state.plan.seed), number, visit.lang))
