"""Which checks does a protocol pass, and what does each number mean? As the public pages show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dauys.law.form import Form
from dauys.pollbook.catalogue import Follows, follows
from dauys.pollbook.catalogue import catalogue as of_pollbook
from dauys.registers.catalogue import Check
from dauys.registers.poll import Contest, Poll
from dauys.stations.catalogue import checks_of, meanings, severity

Model = dict[str, Any]


def catalogue(poll: Poll) -> Model:
    """Every check that holds in this poll, by number; a number that two forms give to two identities stands there twice."""
    return {
        "contests": [{"id": contest.id, "question": dict(contest.question)} for contest in poll.contests],
        "checks": [_check(found.check) | {"contests": list(found.contests)} for found in meanings(poll.contests)],
    }


def form_checks(contest: Contest, values: Mapping[str, int], raised: Sequence[str]) -> list[Model]:
    """The identities that a protocol was held against, with both sides in numbers, and every other check it raised."""
    known = checks_of(contest.form)
    rows = [_identity(contest.form, number, values, known) for number in _applying(contest.form, values)]
    shown = {row["number"] for row in rows}
    rows += [
        (_check(known[number]) if number in known else _unknown(number)) | {"passed": False}
        for number in raised
        if number not in shown
    ]
    return sorted(rows, key=lambda row: str(row["number"]))


def _applying(form: Form, values: Mapping[str, int]) -> list[str]:
    return [identity.number for identity in form.identities if identity.applies_to(values)]


def _identity(form: Form, number: str, values: Mapping[str, int], known: Mapping[str, Check]) -> Model:
    identity = next(i for i in form.identities if i.number == number)
    left, right = identity.relation.sides(values)
    return _check(known[number]) | {
        "passed": identity.relation.holds(values),
        "relation": str(identity.relation),
        "left": left,
        "sign": identity.relation.sign,
        "right": right,
    }


def _check(check: Check) -> Model:
    return {
        "number": check.number,
        "severity": severity(check.number).value,
        "title": dict(check.title),
        "text": dict(check.text),
        "cite": check.cite,
    }


def _unknown(number: str) -> Model:
    """A number of the pollbook's; one from a newer catalogue than ours is shown as it is."""
    if (check := of_pollbook().get(number)) is not None and follows(number) in (Follows.DIFFERENCE, Follows.WARNING):
        return {
            "number": number,
            "severity": "warning",
            "title": dict(check.title),
            "text": dict(check.text),
            "cite": "",
        }
    kind = "warning" if number.startswith("W") else "error"
    return {"number": number, "severity": kind, "title": {"en": number}, "text": {"en": ""}, "cite": ""}
