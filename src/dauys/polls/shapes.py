"""Has an entry the shape of its kind (docs/architecture.md, "Entries")? What the fold of a record may rely on.

Whoever publishes a record may write anything into it. An entry that passes here has every member of its body, of its
type and within its bounds, and nothing besides; it names areas, contests and stations' areas that the poll has.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from dauys.errors import DauysError
from dauys.observe.accreditation.entries import ABOUT_OBSERVERS, observer_shape
from dauys.pollbook.sealed.check_ins import check_in_shape
from dauys.pollbook.sealed.envelopes import ENVELOPES, envelopes_shape
from dauys.record.canonical import canonical
from dauys.record.entry import Entry
from dauys.record.parts import PART, parts_of
from dauys.registers.cells import LARGEST
from dauys.registers.poll import KEY_LENGTH, Contest, Poll, Station
from dauys.roll.frozen import CHANGES, StationRoll, is_hash

Body = Mapping[str, Any]


class Misshapen(DauysError):
    """An entry that has not the shape of its kind."""


def expect_shape(entry: Entry, poll: Poll | None) -> str:
    """Raises Misshapen unless the entry has the shape of its kind; returns the id that its body gives it.

    `poll` is what the record's first entry defines; None while it is read itself.
    """
    if parts_of(entry):
        raise Misshapen("the entries after it are not its parts")
    shape = _SHAPES.get(entry.kind)
    if shape is None and entry.kind not in ABOUT_OBSERVERS:
        raise Misshapen(f"a kind of entry that nobody defined: {entry.kind}")
    if entry.kind == "poll":
        return _poll(entry.body)
    if poll is None:
        raise Misshapen("no poll is defined before it")
    if shape is None:
        return observer_shape(entry.kind, entry.body, poll, entry.id)
    return shape(entry.body, poll, entry.id)


def _poll(body: Body) -> str:
    poll = Poll.from_json(body)
    said = {name: value for name, value in body.items() if name not in ("stations", "keys")}
    if canonical(poll.to_json()) != canonical(said):
        raise Misshapen("the poll is not written in its one form")
    _number(body, "stations")
    keys = body.get("keys")
    if not isinstance(keys, dict):
        raise Misshapen("`keys` is no object")
    for name, key in keys.items():
        try:
            good = isinstance(key, str) and len(key) == KEY_LENGTH and len(b64decode(key, validate=True)) == 32
        except (binascii.Error, ValueError):
            good = False
        if not good:
            raise Misshapen(f"the key of {name} is not base64 of 32 bytes")
    return "poll"


def _stations(body: Body, poll: Poll, entry_id: str) -> str:
    _only(body, ("stations",))
    areas = {area.code for area in poll.areas}
    for station in _of(body, "stations", list):
        if Station.from_json(station).area not in areas:
            raise Misshapen(f"station {station['id']} is in {station['area']}, which is no area of the poll")
    return f"stations/{_digits(entry_id)}"


def _turnout(body: Body, poll: Poll, entry_id: str) -> str:
    _only(body, ("station", "time", "eligible", "received"))
    _number(body, "eligible")
    _number(body, "received")
    return f"turnout/{_text(body, 'station')}/{_text(body, 'time')}"


def _protocol(body: Body, poll: Poll, entry_id: str) -> str:
    _only(body, ("station", "contest", "values"), ("words",))
    contest = _contest(body, poll)
    _values(body, "values", contest)
    if "words" in body:
        for name in (words := _of(body, "words", dict)):
            if name not in contest.form.names:
                raise Misshapen(f"`words` has {name}, which is no field of the form")
            _text(words, name)
    return f"protocol/{contest.id}/{_text(body, 'station')}"


def _correction(body: Body, poll: Poll, entry_id: str) -> str:
    _only(body, ("station", "contest", "of", "before", "after", "reason"), ("clerk",))
    contest = _contest(body, poll)
    _number(body, "of")
    _values(body, "before", contest)
    _values(body, "after", contest)
    for name in ("reason", "clerk"):
        _of(body, name, str) if name in body else None
    return f"correction/{contest.id}/{_text(body, 'station')}/{_digits(entry_id)}"


def _turnout_correction(body: Body, poll: Poll, entry_id: str) -> str:
    _only(body, ("station", "time", "of", "before", "after", "reason"), ("clerk",))
    _number(body, "of")
    for part in ("before", "after"):
        _only(numbers := _of(body, part, dict), ("eligible", "received"))
        _number(numbers, "eligible")
        _number(numbers, "received")
    for name in ("reason", "clerk"):
        _of(body, name, str) if name in body else None
    return f"turnout-correction/{_text(body, 'station')}/{_text(body, 'time')}/{_digits(entry_id)}"


def _annulment(body: Body, poll: Poll, entry_id: str) -> str:
    target = "station" if "station" in body else "area"
    _only(body, ("contest", target, "reason", "cite", "repeat"), ("clerk",))
    contest = _contest(body, poll)
    for name in ("reason", "cite"):
        _text(body, name)
    _of(body, "repeat", bool)
    where = _text(body, target)
    if target == "area" and where not in {area.code for area in poll.areas}:
        raise Misshapen(f"{where} is no area of the poll")
    return f"annulment/{contest.id}/{where}"


def _closing(body: Body, poll: Poll, entry_id: str) -> str:
    _only(body, ())
    return "closing"


def _declaration(body: Body, poll: Poll, entry_id: str) -> str:
    _only(body, ("stage", "size", "contests"))
    _of(body, "size", int)
    contests = _of(body, "contests", list)
    declared = [contest.get("contest") if isinstance(contest, dict) else None for contest in contests]
    if declared != [contest.id for contest in poll.contests]:
        raise Misshapen(f"it declares {str(declared)[:80]} and not each contest of the poll in its order")
    return f"declaration/{_text(body, 'stage')}"


def _publication(body: Body, poll: Poll, entry_id: str) -> str:
    _only(body, ("event", "day", "cite", "because"))
    _of(body, "because", int)
    said = {name: body[name] for name in ("event", "day", "cite")}
    if poll.publishes is None or said != poll.publishes.to_json():
        raise Misshapen("it publishes what the poll does not set off")
    return f"publication/{_text(body, 'event')}"


def _roll(body: Body, poll: Poll, entry_id: str) -> str:
    _only(body, ("day", "voters", "stations", "root"))
    _text(body, "day")
    _number(body, "stations")
    _of(body, "voters", int)
    _hash(body["root"])
    return "roll"


def _roll_stations(body: Body, poll: Poll, entry_id: str) -> str:
    _only(body, ("stations",))
    for station in _of(body, "stations", list):
        StationRoll.from_json(station)
    return f"roll-stations/{_digits(entry_id)}"


def _of_roll(kind: str, body: Body, poll: Poll, entry_id: str) -> str:
    """Additions to a frozen roll, withdrawals from it, and who is back."""
    _only(body, ("station", "reason", "count", "commitments"))
    _text(body, "reason")
    _number(body, "count")
    for one in _of(body, "commitments", list):
        _hash(one)
    return f"{kind}/{_text(body, 'station')}/{_digits(entry_id)}"


def _part(body: Body, poll: Poll, entry_id: str) -> str:
    """A piece of another body; whose it is, the fold knows."""
    _only(body, ("text",))
    _text(body, "text")
    return entry_id


def _hash(value: object) -> None:
    if not isinstance(value, str) or not is_hash(value):
        raise Misshapen("a root or commitment is no SHA-256 in hex")


_SHAPES: Mapping[str, Callable[[Body, Poll, str], str]] = {
    "poll": lambda body, poll, entry_id: _poll(body),
    PART: _part,
    "stations": _stations,
    "turnout": _turnout,
    "turnout-correction": _turnout_correction,
    "protocol": _protocol,
    "correction": _correction,
    "annulment": _annulment,
    "closing": _closing,
    "declaration": _declaration,
    "publication": _publication,
    "roll": _roll,
    "roll-stations": _roll_stations,
    **{kind: partial(_of_roll, kind) for kind in CHANGES},
    "check-ins": lambda body, poll, entry_id: check_in_shape(body),
    ENVELOPES: lambda body, poll, entry_id: f"{ENVELOPES}/{envelopes_shape(body)}/{_digits(entry_id)}",
}


def _only(body: Body, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> None:
    for name in required:
        if name not in body:
            raise Misshapen(f"`{name}` is missing")
    for name in body if len(body) > len(required) else ():
        if name not in required and name not in optional:
            raise Misshapen(f"`{name}` does not belong there")


def _of(body: Body, name: str, kind: type) -> Any:
    value = body[name]
    if type(value) is not kind:
        raise Misshapen(f"`{name}` is of another type than {kind.__name__}")
    return value


def _text(body: Body, name: str) -> str:
    text: str = _of(body, name, str)
    if not text:
        raise Misshapen(f"`{name}` is empty")
    return text


def _number(body: Body, name: str) -> None:
    value = body.get(name)
    if type(value) is not int or not 0 <= value <= LARGEST:
        raise Misshapen(f"`{name}` is no whole number from 0 to {LARGEST}")


def _contest(body: Body, poll: Poll) -> Contest:
    name = _text(body, "contest")
    for contest in poll.contests:
        if contest.id == name:
            return contest
    raise Misshapen(f"{name} is no contest of the poll")


def _values(body: Body, name: str, contest: Contest) -> None:
    values = _of(body, name, dict)
    fields, required = contest.form.names, contest.form.required
    for field, value in values.items():
        if type(value) is not int or not 0 <= value <= LARGEST:
            raise Misshapen(f"`{name}.{field}` is no whole number from 0 to {LARGEST}")
        if field not in fields:
            raise Misshapen(f"`{name}` has {field}, which is no field of the form")
    for field in required:
        if field not in values:
            raise Misshapen(f"`{name}` lacks {field}, which the form asks for")


def _digits(entry_id: str) -> str:
    """The number at the end of an id: the body does not give it."""
    number = entry_id.rpartition("/")[2]
    return number if number.isascii() and number.isdigit() and len(number) < 10 else "a number"
