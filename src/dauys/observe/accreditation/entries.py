"""Which entries of the record are about observers, and has one of them its shape (docs/architecture.md, "Entries")?

No entry holds personal data: organisations are named, observers never are; a badge stands there as a salted commitment.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from dauys.errors import DauysError
from dauys.registers.cells import LARGEST
from dauys.registers.poll import COMMISSION, Contest, Poll

Body = Mapping[str, Any]

KINDS = ("party", "association", "foreign", "international")
"""Kinds of organisations: parties and public associations of the country, foreign states, international bodies."""

SENT = frozenset({"observer-sample", "observer-seed", "observation", "observer-audit", "observer-report"})
"""Entries that an organisation signs; an audit may be the commission's, too."""
OWN = frozenset(
    {"organisation", "organisation-refused", "organisation-suspended", "badge-suspended", "observation-answer"}
)
"""Entries that the commission signs."""
ABOUT_OBSERVERS = SENT | OWN

ANSWERS = ("stands", "corrected", "open")
"""What the commission says to an observation: its number stands, it has been corrected, it is being looked into."""
EVERYWHERE = "*"
PREFIX = "organisation/"
LONGEST, LONGEST_NAME = 2000, 400
_CODE = re.compile("[a-z0-9][a-z0-9-]{0,39}")
_LANGUAGE = re.compile("[a-z]{2,3}")
_NUMBER = re.compile("0|[1-9][0-9]{0,8}")
_HASH = re.compile("[0-9a-f]{64}")

Test = Callable[[Any], bool]


def is_code(value: object) -> bool:
    """Whether it can name an organisation: lower-case letters, digits and hyphens; `commission` names nobody else."""
    return isinstance(value, str) and value != COMMISSION and _CODE.fullmatch(value) is not None


def author_of(entry_by: str) -> str | None:
    """The organisation's code in `organisation/<code>`; None for any other author."""
    code = entry_by.removeprefix(PREFIX)
    return code if code != entry_by and is_code(code) else None


def observer_shape(kind: str, body: Body, poll: Poll, entry_id: str) -> str:
    """The id that the body of such an entry gives it. Raises DauysError for a body that is none of its kind."""
    needed, optional = _MEMBERS[kind]
    for name in needed:
        if name not in body:
            raise DauysError(f"`{name}` is missing")
    for name, value in body.items():
        test = needed.get(name) or optional.get(name)
        if test is None:
            raise DauysError(f"`{name}` does not belong there")
        if not test(value):
            raise DauysError(f"`{name}` is not what the kind {kind} has there")
    _of_poll(kind, body, poll)
    return f"{kind}/{_ID[kind](body, _last(entry_id))}"


def _of_poll(kind: str, body: Body, poll: Poll) -> None:
    """What it names is there in the poll."""
    if kind == "organisation":
        areas = {area.code for area in poll.areas}
        if body["scope"] != [EVERYWHERE] and not areas.issuperset(body["scope"]):
            raise DauysError("the scope names what is no area of the poll")
    if "contest" in body:
        contest = next((one for one in poll.contests if one.id == body["contest"]), None)
        if contest is None:
            raise DauysError(f"{body['contest']} is no contest of the poll")
        if kind == "observation":
            _of_form(body, contest)
    if kind == "observer-audit" and "commitment" not in body and "seed" not in body:
        raise DauysError("an audit has a commitment to its seed, or the seed")


def _of_form(body: Body, contest: Contest) -> None:
    for name, pair in body["fields"].items():
        if name not in contest.form.names:
            raise DauysError(f"`fields` has {name}, which is no field of the form")
        if pair["published"] is not None and body["of"] is None:
            raise DauysError(f"`fields.{name}.published` comes from no entry: `of` names none")
    if not body["fields"] and not body["photos"] and not body["note"].strip():
        raise DauysError("an observation says something: fields, photos or a note")


def _last(entry_id: str) -> str:
    """The number at the end of an id: the body does not give it."""
    number = entry_id.rpartition("/")[2]
    return number if _NUMBER.fullmatch(number) else "a number"


def _text(value: Any) -> bool:
    return _any_text(value) and bool(value.strip())


def _any_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST and "\0" not in value  # no database holds a NUL


def _names(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and 0 < len(value) <= 10
        and all(_LANGUAGE.fullmatch(lang) and _text(name) and len(name) <= LONGEST_NAME for lang, name in value.items())
    )


def _scope(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_text, value)) and len(set(value)) == len(value)


def _key(value: Any) -> bool:
    if value == "":
        return True
    try:
        return isinstance(value, str) and len(value) == 44 and len(b64decode(value, validate=True)) == 32
    except (binascii.Error, ValueError):
        return False


def _day(value: Any) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def is_sha256(value: object) -> bool:
    """Whether it is a SHA-256 in lower-case hexadecimal."""
    return isinstance(value, str) and _HASH.fullmatch(value) is not None


def _count(value: Any) -> bool:
    return type(value) is int and 0 <= value <= LARGEST


def _or_none(test: Test) -> Test:
    return lambda value: value is None or test(value)


def _truth(value: Any) -> bool:
    return isinstance(value, bool)


def _object(value: Any) -> bool:
    return isinstance(value, dict)


def _reasons(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(
            isinstance(one, dict) and one.keys() == {"why", "cite"} and _text(one["why"]) and _any_text(one["cite"])
            for one in value
        )
    )


def _fields(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(pair, dict)
        and pair.keys() == {"copy", "published"}
        and _count(pair["copy"])
        and (pair["published"] is None or _count(pair["published"]))
        for pair in value.values()
    )


def _photos(value: Any) -> bool:
    return isinstance(value, list) and all(map(is_sha256, value)) and len(set(value)) == len(value)


def _author(value: Any) -> bool:
    return is_code(value) or value == COMMISSION


def _one_of(*values: str) -> Test:
    return lambda value: isinstance(value, str) and value in values


_MEMBERS: Mapping[str, tuple[Mapping[str, Test], Mapping[str, Test]]] = {
    "organisation": (
        {
            "code": is_code, "names": _names, "kind": _one_of(*KINDS), "scope": _scope, "key": _key, "until": _day,
            "reason": _text, "cite": _any_text,
        },
        {"coalition": is_code},
    ),
    "organisation-refused": ({"names": _names, "kind": _one_of(*KINDS), "reasons": _reasons}, {}),
    "organisation-suspended": (
        {"organisation": is_code, "suspended": _truth, "reason": _text, "cite": _any_text}, {},
    ),
    "badge-suspended": (
        {"organisation": is_code, "badge": is_sha256, "suspended": _truth, "reason": _text, "cite": _any_text}, {},
    ),
    "observer-sample": (
        {
            "organisation": is_code, "frame_sha256": is_sha256, "record_size": _count, "design": _object,
            "stations": _count, "commitment": is_sha256,
        },
        {},
    ),
    "observer-seed": ({"organisation": is_code, "of": _count, "seed": _text}, {}),
    "observation": (
        {
            "organisation": is_code, "contest": _text, "station": _text, "of": _or_none(_count), "fields": _fields,
            "photos": _photos, "note": _any_text,
        },
        {},
    ),
    "observation-answer": (
        {"of": _count, "answer": _one_of(*ANSWERS), "because": _or_none(_count), "reason": _text}, {},
    ),
    "observer-audit": (
        {"organisation": _author, "contest": _text, "name": _text, "method": _text, "plan": _object, "result": _object},
        {"commitment": is_sha256, "seed": _text},
    ),
    "observer-report": (
        {"organisation": is_code, "sha256": is_sha256, "title": _text, "log_size": _count, "log_head": is_sha256}, {},
    ),
}  # fmt: skip
"""Kind to its members, needed and optional, and what each may hold."""

_ID: Mapping[str, Callable[[Body, str], str]] = {
    "organisation": lambda body, n: body["code"],
    "organisation-refused": lambda body, n: n,
    "organisation-suspended": lambda body, n: f"{body['organisation']}/{n}",
    "badge-suspended": lambda body, n: f"{body['badge']}/{n}",
    "observer-sample": lambda body, n: f"{body['organisation']}/{n}",
    "observer-seed": lambda body, n: f"{body['organisation']}/{n}",
    "observation": lambda body, n: f"{body['organisation']}/{body['contest']}/{body['station']}/{n}",
    "observation-answer": lambda body, n: f"{body['of']}/{n}",
    "observer-audit": lambda body, n: f"{body['organisation']}/{body['contest']}/{n}",
    "observer-report": lambda body, n: f"{body['organisation']}/{n}",
}
