"""What stands on a public page? Plain values made from a standing: the page is drawn from them and the JSON twin sends them.

Counts are exact integers, shares are texts made by `figures.percent`, texts in several languages are `{"kk","ru","en"}`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dauys.count.decision import AreaResult, TestResult
from dauys.law.decision_rule import Test
from dauys.polls.result import AreaStanding, ContestStanding
from dauys.polls.standing import ProtocolView, Standing, StationView, TurnoutPoint
from dauys.publish.bundle import PUBLISHED
from dauys.publish.checks_page import form_checks
from dauys.publish.figures import percent
from dauys.publish.focus import STEPS, asked, base, line, part_and_whole, sides
from dauys.publish.source import RecordState, StationRow
from dauys.record.entry import Entry
from dauys.record.note import parse as parse_note
from dauys.registers.poll import Contest, Poll

Model = dict[str, Any]

DRAWN = 12
"""Answers and classes, those with most votes, that a territory's bar and row show: there may be hundreds of candidates."""


def poll_head(poll: Poll) -> Model:
    """What every page of a poll says about it."""
    return {
        "id": poll.id,
        "names": dict(poll.names),
        "kind": poll.kind,
        "pack": poll.contests[0].rule.id.partition("/")[0],
        "day": poll.day.isoformat(),
        "timezone": poll.timezone,
        "opens": f"{poll.opens:%H:%M}",
        "closes": f"{poll.closes:%H:%M}",
        "areas": len(poll.areas),
        "reconstruction": poll.reconstruction,
        "trial": poll.trial,
    }


def head(standing: Standing) -> Model:
    """What every page of a poll begins with: the poll, how far it is, and the state of the record it is made from."""
    return {
        "poll": poll_head(standing.poll),
        "stage": standing.stage,
        "size": standing.size,
        "as_of": standing.as_of,
    }


def result(standing: Standing) -> Model:
    """The poll's page: every contest with its decision, bounds, totals and areas; the newest turnout."""
    contests = [contest_result(standing.poll, contest) for contest in standing.contests]
    newest = [turnout_point(point) for point in standing.turnout[-1:]]
    return {**head(standing), "contests": contests, "turnout": newest[0] if newest else None}


def contest_result(poll: Poll, standing: ContestStanding) -> Model:
    """One question: its form's fields, totals, shares of the base, decision with its tests, bounds, and its areas."""
    contest = standing.contest
    areas = [area_result(contest, area) for area in standing.areas]
    decision = standing.decision
    tests = {test.name: test for test in contest.rule.tests}
    return {
        "id": contest.id,
        "question": dict(contest.question),
        "rule": {"title": dict(contest.rule.title), "cite": contest.rule.cite},
        "fields": fields(contest),
        "base": base(contest),
        **asked(contest),
        "drawn": drawn(contest, standing.totals),
        "line": line(contest),
        "stations": stations(standing),
        "covers": standing.covers,
        **figures_of(contest, standing.totals),
        "decision": {
            "outcome": decision.outcome,
            "tests": [_test(poll, tests[result.name], result, standing) for result in decision.tests],
        },
        "bounds": standing.bounds.to_json(),
        "areas": areas,
    }


def area_result(contest: Contest, area: AreaStanding) -> Model:
    """One area of one question. `step` is its class on the map's colour scale, None while nothing is counted."""
    part, whole = part_and_whole(contest, area.totals)
    return {
        "code": area.code,
        "names": dict(area.names),
        "stations": stations(area),
        **figures_of(contest, area.totals),
        "met": area.met,
        "focus_share": percent(part, whole),
        "step": None if whole == 0 else sum(part * 100 >= edge * whole for edge in STEPS),
    }


def figures_of(contest: Contest, totals: Mapping[str, int]) -> Model:
    """Totals by field, and the shares that are printed: of the base for answers and classes, of the list for the base."""
    whole = totals.get(base(contest), 0)
    register = next((f.name for f in contest.form.fields if f.role == "register"), "")
    shares = {
        f.name: percent(totals.get(f.name, 0), whole) for f in contest.form.fields if f.role in ("option", "class")
    }
    return {
        "totals": dict(totals),
        "shares": shares,
        "turnout": percent(whole, totals.get(register, 0)),
    }


def fields(contest: Contest) -> list[Model]:
    """The lines of the form, in its order. `tone` numbers the answers and the other classes for their colours."""
    rows: list[Model] = []
    tones = {"option": 0, "class": 0}
    for field in contest.form.fields:
        tone = None
        if field.role in tones:
            tone = f"{field.role}-{tones[field.role]}"
            tones[field.role] += 1
        rows.append(
            {"name": field.name, "number": field.number, "role": field.role, "labels": dict(field.labels), "tone": tone}
        )
    return rows


def drawn(contest: Contest, totals: Mapping[str, int]) -> list[str]:
    """The answers and classes that each territory's bar and row show, in the form's order: all, or those with the most votes."""
    toned = [f.name for f in contest.form.fields if f.role in ("option", "class")]
    most = sorted(toned, key=lambda name: -totals.get(name, 0))[:DRAWN]
    return [name for name in toned if name in most]


def stations(standing: ContestStanding | AreaStanding) -> Model:
    return {
        "expected": standing.expected,
        "counted": standing.counted,
        "quarantined": standing.quarantined,
        "missing": standing.missing,
        "annulled": standing.annulled,
        "repeat_pending": standing.repeat_pending,
        "share": percent(standing.counted, standing.expected),
    }


def _test(poll: Poll, test: Test, result: TestResult, standing: ContestStanding) -> Model:
    """One test of the decision with what is needed to draw it: both sums and the threshold, or a mark for each area."""
    threshold = test.of_areas or test.share.threshold
    body: Model = {**result.to_json(), "labels": dict(test.labels), "kind": test.kind}
    body["threshold"] = {"share": str(threshold.share), "strict": threshold.strict, "percent": percent(threshold.share)}
    if test.of_areas is not None:
        names = {area.code: dict(area.names) for area in poll.areas}
        weights = [area.weight for area in poll.areas]
        body["areas"] = [
            {"code": a.area, "names": names[a.area], "met": a.met, "leads": _leads(test, a)} for a in result.areas
        ]
        body["certain"] = str(result.least)
        body["all"] = str(sum(weights))
        body["even"] = set(weights) == {1}
    else:
        value, whole = sides(test.share, standing.totals)
        body |= {"sum": value, "of": whole, "percent": percent(value, whole)}
        body |= {"value_fields": list(test.share.value.fields), "of_fields": list(test.share.of.fields)}
    return body


def _leads(test: Test, area: AreaResult) -> bool | None:
    """Whether what is counted in the area meets the test, as long as that is not certain; None where nothing is counted."""
    return test.share.threshold.met(area.value, area.of) if area.of and area.value is not None else None


def turnout_point(point: TurnoutPoint) -> Model:
    return {
        "at": point.at,
        "stations": point.stations,
        "eligible": point.eligible,
        "received": point.received,
        "percent": percent(point.received, point.eligible),
        "areas": {
            code: {"eligible": eligible, "received": received, "percent": percent(received, eligible)}
            for code, (eligible, received) in point.areas.items()
        },
    }


def turnout(standing: Standing) -> Model:
    """Ballots handed out by hour, of the voters on the lists of the stations that reported; and what was found later."""
    return {
        **head(standing),
        "areas": [{"code": area.code, "names": dict(area.names)} for area in standing.poll.areas],
        "points": [turnout_point(point) for point in standing.turnout],
        "found": [
            {"contest": c.contest.id, "question": dict(c.contest.question), "stations": stations(c)}
            | figures_of(c.contest, c.totals)
            | {"base": base(c.contest), "fields": fields(c.contest)}
            | {"decides": bool(c.contest.rule.fields_with("register"))}
            for c in standing.contests
        ],
    }


def area(standing: Standing, code: str, rows: Sequence[StationRow], start: int, count: int) -> Model:
    """One area in every contest, with a page of its stations."""
    found = standing.poll.area(code)
    contests = []
    for contest in standing.contests:
        contests.append(
            question(contest.contest)
            | {
                "line": line(contest.contest),
                **asked(contest.contest),
                "area": area_result(contest.contest, next(a for a in contest.areas if a.code == code)),
            }
        )
    reports = [
        {"at": point.at, "eligible": eligible, "received": received, "percent": percent(received, eligible)}
        for point in standing.turnout
        for eligible, received in [point.areas.get(code, (0, 0))]
        if eligible
    ]
    stations_here = max((c["area"]["stations"]["expected"] for c in contests), default=0)
    return {
        **head(standing),
        "area": {"code": code, "names": dict(found.names), "timezone": found.timezone or standing.poll.timezone},
        "contests": contests,
        "turnout": reports,
        "stations": [station_row(row) for row in rows],
        "pages": pages(start, count, stations_here),
    }


def question(contest: Contest) -> Model:
    """What a table about one contest needs to know of it."""
    return {
        "id": contest.id,
        "question": dict(contest.question),
        "fields": fields(contest),
        "base": base(contest),
    }


def pages(start: int, count: int, all_: int) -> Model:
    """Where a list is: `starts` of its pages of `count` rows each."""
    return {"start": start, "count": count, "all": all_, "starts": list(range(0, max(all_, 1), count))}


def station_row(row: StationRow) -> Model:
    return {
        "id": row.id,
        "area": row.area,
        "eligible": row.eligible,
        "abroad": row.abroad,
        "protocols": {
            p.contest: {"state": p.state, "values": dict(p.values), "checks": list(p.checks)} for p in row.protocols
        },
    }


def station(standing: Standing, view: StationView) -> Model:
    """One polling place: its protocols with every check, their history, the proof, and its turnout reports."""
    own = view.station
    return {
        **head(standing),
        "station": {
            "id": own.id,
            "area": own.area,
            "area_names": dict(standing.poll.area(own.area).names),
            "eligible": own.eligible,
            "abroad": own.abroad,
            "settlement": own.settlement,
            "address": own.address,
            "signs": own.key is not None,
        },
        "contests": [question(p.contest) | _protocol(p) for p in view.protocols],
        "turnout": [
            {"at": at, "eligible": eligible, "received": received, "percent": percent(received, eligible)}
            for at, eligible, received in view.turnout
        ],
        "turnout_corrections": [_change(seq, entry) for seq, entry in view.corrected],
    }


def _change(seq: int, entry: Entry) -> Model:
    """A correction or an annulment as its entry says it."""
    return {"seq": seq, "kind": entry.kind, "at": entry.at, "by": entry.by, **entry.body}


def _protocol(view: ProtocolView) -> Model:
    return {
        "state": view.state,
        "totals": dict(view.values),
        "shares": figures_of(view.contest, view.values)["shares"],
        "turnout_found": figures_of(view.contest, view.values)["turnout"],
        "checks": form_checks(view.contest, view.values, view.checks) if view.values else [],
        "history": _history(view),
        "proof": None if view.proof is None else dict(view.proof),
    }


def _history(view: ProtocolView) -> list[Model]:
    """The entries in order; `changed` are the fields that one changed, as [name, before, after], None where not given."""
    rows: list[Model] = []
    before: Mapping[str, int] = {}
    for item in view.history:
        now = before if item.values is None else item.values
        names = (name for name in view.contest.form.names if before.get(name) != now.get(name))
        rows.append(
            {
                "seq": item.seq,
                "kind": item.kind,
                "at": item.at,
                "by": item.by,
                "clerk": item.clerk,
                "values": None if item.values is None else dict(item.values),
                "changed": [[name, before.get(name), now.get(name)] for name in names],
                "reason": item.reason,
                "cite": item.cite,
                "signed": item.signed,
            }
        )
        before = now
    return rows


def quarantine(
    standing: Standing, rows: Sequence[StationRow], corrections: Sequence[tuple[int, Entry]], start: int, count: int
) -> Model:
    """What waits for an answer, and what was answered: protocols in quarantine, corrections, annulments."""
    waiting = sum(contest.quarantined for contest in standing.contests)
    return {
        **head(standing),
        "contests": [question(c.contest) | {"quarantined": c.quarantined} for c in standing.contests],
        "areas": {area.code: dict(area.names) for area in standing.poll.areas},
        "stations": [station_row(row) for row in rows],
        "pages": pages(start, count, waiting),
        "corrections": [_change(seq, entry) for seq, entry in corrections],
    }


def record(standing: Standing, state: RecordState) -> Model:
    """The newest signed state of the record, who has cosigned it, and earlier ones."""
    signed = []
    for size, text in state.checkpoints:
        note = parse_note(text)
        signed.append({"size": size, "note": text, "signers": [signature.name for signature in note.signatures]})
    return {**head(standing), "checkpoints": signed, "witnesses": list(state.witnesses), "base": record_path(standing)}


def downloads(standing: Standing) -> Model:
    """The files of the verification bundle, each with its address."""
    files = [{"name": name, "type": media_type} for name, media_type in PUBLISHED.items()]
    return {**head(standing), "files": files, "base": record_path(standing)}


def record_path(standing: Standing) -> str:
    return f"/record/{standing.poll.id}/"


def front(polls: Sequence[Poll]) -> Model:
    return {"polls": [poll_head(poll) for poll in polls]}
