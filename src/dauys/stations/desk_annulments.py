"""How is a result annulled at the desk? One clerk proposes it, another confirms it; what it would take out is shown."""

from __future__ import annotations

from dauys.record.log import of_kind
from dauys.stations.annulling import Proposal, confirm, proposals, propose, withdraw
from dauys.stations.desk_visit import Model, Page, Visit, about
from dauys.stations.states import Role


def _annul(visit: Visit) -> Model | str:
    poll, act, done = visit.poll, visit.sent("act"), None
    connection, by = visit.connection, visit.account.author
    if visit.form is not None:
        whole, place = visit.sent("whole") == "yes", visit.sent("place")
        contest = poll.contest(visit.sent("contest") or poll.contests[0].id).id
        if act == "confirm":
            seal = visit.seal(poll.id)
            seq = confirm(
                connection, poll, contest=contest, whole=whole, place=place, by=by, at=visit.at, seal=seal
            )  # fmt: skip
            done = {"place": place, "state": "annulled", "seq": seq}
        elif act == "withdraw":
            withdraw(connection, poll, contest=contest, whole=whole, place=place)
            done = {"place": place, "state": "withdrawn", "seq": None}
        else:
            area, station = visit.sent("area"), visit.sent("station")
            place = station or area
            repeat = visit.sent("repeat") == "yes"
            reason, cite = visit.sent("reason"), visit.sent("cite")
            propose(connection, poll, Proposal(contest, not station, place, reason, cite, repeat, by, visit.at))
            done = {"place": place, "state": "proposed", "seq": None}
    model = about(poll) | {
        "contest": visit.contest(poll).id,
        "areas": [(area.code, dict(area.names)) for area in poll.areas],
        "proposals": proposals(connection, poll.id),
        "own": by,
        "annulled": [entry.body for _, entry in of_kind(connection, poll.id, "annulment")],
        "station": visit.asked("station"),
    }
    return model if done is None else model | {"done": done, "typed": {}}


PAGES = (Page("/{poll:path}/annul", "desk/annul.html", _annul, (Role.CLERK,)),)
