"""The whole report as plain values: what was observed, how stations were drawn, what follows, where each number comes from.

A trace is `{"events": [n, ...]}`, places in the mission's log under the head that the report names, or `{"entry": n}`, a place in
the official record under its size and root. Nothing that was not verified by the office is among the numbers.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dauys.errors import DauysError
from dauys.observe.compare.estimated import tonight
from dauys.observe.compare.gather import mission_answer
from dauys.observe.compare.national import measures_of
from dauys.observe.known.model import Mission, MissionError
from dauys.observe.known.official import Official
from dauys.observe.office.visit import Office
from dauys.observe.report.audit_pages import summary
from dauys.observe.report.audit_told import unsent
from dauys.observe.report.ballot_pages import ballot_summary
from dauys.observe.report.ballot_state import SORTS
from dauys.observe.report.indicator_work import made, plain
from dauys.observe.report.limits import limits
from dauys.observe.report.observed import observed
from dauys.observe.report.traces import newest, sent_events
from dauys.observe.sample.draw import seed_sha256
from dauys.observe.sample.size import detection_table
from dauys.registers.poll import Contest

VERSION = 1
HEADLINES = ("arithmetic", "fingerprint", "integers", "regions")
"""The indicators that the report says in numbers; the page of indicators has all."""


def gather(office: Office, at: datetime) -> dict[str, Any]:
    """The report's content (docs/report.md). Raises MissionError before the mission is set up or the record was read."""
    mission, official = office.keep.mission, office.official()
    if mission.identity is None or official is None:
        raise MissionError("a report needs the mission and the official record: set them up first")
    contests = [_contest(office, mission, official, contest, at) for contest in official.poll.contests]
    body: dict[str, Any] = {
        "report": VERSION,
        "at": at.isoformat(),
        "mission": _mission(office, mission, official),
        "poll": {
            "id": official.poll.id, "names": dict(official.poll.names), "day": official.poll.day.isoformat(),
            "zone": official.poll.timezone, "reconstruction": official.poll.reconstruction, "trace": {"entry": 0},
        },
        "record": {
            "source": mission.identity.source, "log": official.log_key, "size": official.size, "root": official.root,
            "as_of": official.as_of, "declared": official.declared, "stations": len(official.stations),
        },
        "log": {"size": mission.size, "head": office.keep.head()},
        "observed": observed(mission, official),
        "design": _design(office, mission, official),
        "contests": contests,
        "sent": _sent(office, mission),
        "waiting": office.waiting() + sum(len(unsent(office.keep, one.id)) for one in official.poll.contests),
    }  # fmt: skip
    found: dict[str, Any] = plain(body | {"limits": limits(body)})
    return found


def _sent(office: Office, mission: Mission) -> list[dict[str, Any]]:
    """What the mission said to the official record: each entry's place there, and the event of its receipt."""
    events = sent_events(office.keep)
    return [
        {"id": one.id, "kind": one.kind, "entry": one.index, "trace": {"events": _known(events.get(one.id))}}
        for one in mission.sent.values()
    ]


def _mission(office: Office, mission: Mission, official: Official) -> dict[str, Any]:
    """Who observes, and by which entry the commission accredited it (None: no such entry is in the record)."""
    who = mission.identity
    assert who is not None
    accredited = [
        place
        for place, entry in official.observers.items()
        if entry.kind == "organisation" and entry.body["code"] == who.code
    ]
    event = newest(office.keep, "identity")
    return {
        "code": who.code, "names": dict(who.names), "coalition": list(who.coalition), "key": office.keep.public,
        "accredited": accredited[-1] if accredited else None, "trace": {"events": _known(None if event is None else event.n)},
    }  # fmt: skip


def _design(office: Office, mission: Mission, official: Official) -> dict[str, Any]:
    """The frozen list, the commitment, the draw and the seed, each with its event and its entry.

    `committed` is where the record has the commitment; before it was read there, what the receipt says.
    """
    keep = office.keep
    events = {kind: newest(keep, kind) for kind in ("frame", "plan", "drawn")}
    traces = {kind: {"events": _known(None if one is None else one.n)} for kind, one in events.items()}
    indices = {one.kind: one.index for one in mission.sent.values() if one.kind in ("observer-sample", "observer-seed")}
    body: dict[str, Any] = {
        "frame": None,
        "commitment": mission.commitment or None,
        "committed": next(
            (
                place
                for place, entry in sorted(official.observers.items())
                if entry.kind == "observer-sample"
                and entry.body.get("commitment") == mission.commitment
                and mission.identity is not None
                and entry.body.get("organisation") == mission.identity.code
            ),
            indices.get("observer-sample"),
        ),
        "first_protocol": min(
            (one.earlier[0].index if one.earlier else one.index for one in official.protocols.values()), default=None
        ),
        "revealed": indices.get("observer-seed"),
        "traces": traces,
        "sample": None,
    }
    if mission.frame is not None:
        frame = mission.frame
        body["frame"] = {"sha256": frame.sha256, "stations": frame.stations, "record_size": frame.record_size}
    if mission.sample is not None:
        draw = mission.sample.draw
        drawn = len(mission.sample.stations)
        body["sample"] = {
            "stations": drawn,
            "population": draw["population"],
            "design": draw["design"]["name"],
            "strata": len(draw["strata"]),
            "seed": draw["seed"] if "observer-seed" in indices else None,
            "seed_sha256": seed_sha256(str(draw["seed"])),
            "detects": detection_table(int(draw["population"]), drawn),
        }
    return body


def _contest(office: Office, mission: Mission, official: Official, contest: Contest, at: datetime) -> dict[str, Any]:
    """What the mission says of one question. A part that cannot be made says why."""
    shown = made(office.keep, contest.id)
    body: dict[str, Any] = {
        "id": contest.id,
        "question": dict(contest.question),
        "estimates": [],
        "comparison": None,
        "audit": summary(office.keep, contest.id),
        "ballots": [ballot_summary(office.keep, sort, contest) for sort in SORTS],
        "indicators": None,
    }
    if shown is not None:
        named = {name: shown.body["indicators"][name] for name in HEADLINES}
        body["indicators"] = {
            "note": dict(shown.note), "at": shown.at, "trace": {"events": [shown.n]}, "indicators": named,
        }  # fmt: skip
    if mission.sample is None:
        return body
    used = [
        one.n
        for one in mission.reports.values()
        if one.form == "protocol" and one.contest == contest.id and one.standing == "verified"
    ]
    for measure in measures_of(contest):
        try:
            found = tonight(mission, official, contest, measure, at)
        except DauysError as error:
            body["estimates"].append({"name": measure.name, "fault": str(error)})
            continue
        if found is not None:
            body["estimates"].append({"name": measure.name} | found.to_json() | {"trace": {"events": used}})
    try:
        body["comparison"] = mission_answer(mission, official, contest.id, at).to_json() | {"trace": {"events": used}}
    except DauysError as error:
        body["comparison"] = {"fault": str(error)}
    return body


def _known(n: int | None) -> list[int]:
    return [] if n is None else [n]
