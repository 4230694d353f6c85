"""How do protocols come in and get right at the desk? Sent by a station, typed twice, resolved, taken back, corrected."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from dauys.errors import BadInput
from dauys.registers.poll import Contest
from dauys.stations.batch import one
from dauys.stations.beside import Named
from dauys.stations.catalogue import checks_of
from dauys.stations.desk_visit import Model, Page, Visit, about, form_model, values_of
from dauys.stations.double_entry import Typings, differing, resolve, take_back, type_in, waiting
from dauys.stations.intake import correct, receive
from dauys.stations.overview import protocol, quarantine
from dauys.stations.states import Role, Typed, Typing

PER_PAGE = 50


def _type(visit: Visit) -> Model | str:
    """Types a paper form, or takes back what one typed first."""
    poll = visit.poll
    contest = visit.contest(poll)
    station = visit.asked("station")
    if visit.form is None:
        return form_model(poll, contest, station)
    station, by = visit.station(), visit.account.author
    if visit.sent("act") == "take back":
        take_back(visit.connection, poll, contest=contest.id, station=station, by=by)
        return form_model(poll, contest, "") | {
            "done": {"station": station, "state": "untyped", "intake": None, "checks": ()},
            "typed": {},
        }
    values = values_of(contest, visit.form)
    done = type_in(visit.connection, poll, contest=contest.id, station=station, values=values, by=by, at=visit.at,
                   beside=visit.beside)  # fmt: skip
    found = {} if done.receipt is None else _differences(visit, poll.id, station, _numbers(values))
    model = form_model(poll, contest, station) | {"checks": _meanings(visit, contest), "typed": {}}
    return model | {"done": _done(done, station)} | found


def _send(visit: Visit) -> Model | str:
    """A station sends its own protocol."""
    poll = visit.poll
    contest, station = visit.contest(poll), visit.account.station or ""
    if visit.account.poll != poll.id:
        raise BadInput("this account is of another poll", check="F.040", found=poll.id, expected=visit.account.poll)
    done = None
    if visit.form is not None:
        values = values_of(contest, visit.form)
        words = {name: value for name, value in values.items() if isinstance(value, str)}
        batch = one(contest.id, station, _numbers(values), **words)
        (receipt,) = receive(visit.connection, poll, batch, by=visit.account.author, at=visit.at, beside=visit.beside)
        done = {"station": station, "state": receipt.state, "checks": receipt.checks}
    held = protocol(visit.connection, poll.id, contest.id, station)
    model = form_model(poll, contest, station) | {"held": held, "checks": _meanings(visit, contest), "filled": ()}
    if held is not None:
        model |= _differences(visit, poll.id, station, held.values)
    elif visit.request.method == "GET":  # what was typed and refused stays as it was typed
        known = visit.beside.fields(visit.connection, poll.id, station)
        fill = {name: str(value) for name, value in known.items() if name in contest.form.names}
        model |= {"typed": fill, "filled": tuple(fill)}
    return model if done is None else model | {"done": done, "typed": {}}


def _resolve(visit: Visit) -> Model | str:
    poll = visit.poll
    contest, by = visit.contest(poll), visit.account.author
    if visit.form is not None:
        values = values_of(contest, visit.form)
        station = visit.station()
        resolve(visit.connection, poll, contest=contest.id, station=station, values=values, by=by, at=visit.at,
                beside=visit.beside)  # fmt: skip
        return f"/{quote(poll.id)}/resolve?{urlencode({'contest': contest.id, 'resolved': station})}"
    station = visit.asked("station")
    if not station:  # the address without a station is the list of what there is to decide
        resolved = visit.asked("resolved")
        return about(poll) | {
            "station": "",
            "differs": waiting(visit.connection, poll.id, Typing.DIFFERS, by),
            "resolved": resolved and protocol(visit.connection, poll.id, contest.id, resolved),
            "checks": _meanings(visit, contest),
        }
    paper = differing(visit.connection, poll, contest.id, station, by)
    return form_model(poll, contest, station) | {
        "first": paper.first or {},
        "second": paper.second or {},
        "differing": [name for name in _typed_names(contest) if name in paper.differing],
    }


def _quarantine(visit: Visit) -> Model | str:
    poll, start = visit.poll, visit.start()
    held = quarantine(visit.connection, poll.id, start, PER_PAGE + 1)
    corrected = visit.asked("corrected")
    return about(poll) | {
        "corrected": corrected and protocol(visit.connection, poll.id, visit.asked("contest"), corrected),
        "held": held[:PER_PAGE],
        "checks": {contest.id: _meanings(visit, contest) for contest in poll.contests},
        "questions": {contest.id: dict(contest.question) for contest in poll.contests},
        "next": start + PER_PAGE if len(held) > PER_PAGE else None,
    }


def _correct(visit: Visit) -> Model | str:
    """Corrects the protocol of `?station=`; without one it asks for which."""
    poll = visit.poll
    contest, station = visit.contest(poll), visit.asked("station")
    if visit.form is not None:
        after = _numbers(values_of(contest, visit.form))
        receipt = correct(
            visit.connection, poll, contest=contest.id, station=station, by=visit.account.author, at=visit.at,
            after=after, reason=visit.sent("reason"), of=visit.place(), seal=visit.seal(poll.id), beside=visit.beside,
        )  # fmt: skip
        shown = urlencode({"contest": contest.id, "corrected": receipt.station})
        return f"/{quote(poll.id)}/quarantine?{shown}"
    model = form_model(poll, contest, station)
    if not station:
        return model
    held = protocol(visit.connection, poll.id, contest.id, station)
    if held is None:
        raise BadInput("the station has no protocol yet", field="station", found=station, check="F.029")
    return model | {"held": held, "checks": _meanings(visit, contest)}


def _meanings(visit: Visit, contest: Contest) -> Mapping[str, Named]:
    """What each number means in a contest, and beside its form."""
    return {**checks_of(contest.form), **visit.beside.catalogue}


def _typed_names(contest: Contest) -> list[str]:
    """What a paper form is typed in, line by line: the digits and the words."""
    return [name for field in contest.form.names for name in (field, f"{field}_words")]


def _numbers(values: Typed) -> dict[str, int]:
    return {name: value for name, value in values.items() if isinstance(value, int)}


def _differences(visit: Visit, poll: str, station: str, values: Mapping[str, int]) -> Model:
    """What is known beside the protocol and is otherwise there, with both figures."""
    found = visit.beside.differences(visit.connection, poll, station, values)
    return {"differences": found, "meanings": visit.beside.catalogue}


def _done(done: Typings, station: str) -> Model:
    receipt = done.receipt
    intake, checks = (None, ()) if receipt is None else (receipt.state, receipt.checks)
    return {"station": station, "state": done.state.value, "intake": intake, "checks": checks}


PAGES = (
    Page("/{poll:path}/type", "desk/type.html", _type, (Role.TYPIST, Role.CLERK)),
    Page("/{poll:path}/send", "desk/send.html", _send, (Role.STATION,)),
    Page("/{poll:path}/resolve", "desk/resolve.html", _resolve, (Role.RESOLVER,)),
    Page("/{poll:path}/quarantine", "desk/quarantine.html", _quarantine, (Role.CLERK,)),
    Page("/{poll:path}/correct", "desk/correct.html", _correct, (Role.CLERK,)),
)
