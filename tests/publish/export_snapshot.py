"""A poll made by hand for the tests of downloads: two areas, five stations, two questions with different answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, time
from fractions import Fraction

from dauys.law.decision_rule import DecisionRule
from dauys.law.form import Form
from dauys.law.packs import load_form, load_rule
from dauys.polls.result import Held, Sheet, Snapshot
from dauys.registers.areas import Area
from dauys.registers.poll import Contest, Poll, Station


def said(word: str) -> dict[str, str]:
    return {"kk": f"{word} (қаз.)", "ru": f"{word} (рус.)", "en": word}


AREAS = (
    Area("KZ11", "region", said("North & <South>"), classifier="110000000"),
    Area("KZ71", "capital", said("Capital"), weight=Fraction(1), classifier="710000000"),
)
STATIONS = (
    Station("71-002/а б", "KZ71", 90, abroad=True),
    Station("11-001", "KZ11", 1000),
    Station("11-002", "KZ11", 800),
    Station("11_003", "KZ11", 700),
    Station("71-001", "KZ71", 500),
)
"""Not in order of their ids; one id holds characters that no xsd:ID may have."""

YES_NO = Contest(
    "q1", said("Do you accept?"), load_form("kz/referendum-protocol"), load_rule("kz/referendum-constitution")
)
CAPITAL = Contest(
    "q/2",
    said("Where shall the capital be?"),
    Form.from_json(
        {
            "form": "x/three", "cite": "art. 1", "status": "draft", "identities": [],
            "fields": [
                {"name": "participated", "role": "base", "labels": said("Ballots found")},
                *({"name": name, "role": "option", "labels": said(name)} for name in ("north", "south", "either")),
                {"name": "invalid", "role": "class", "labels": said("Invalid")},
            ],
        }
    ),
    DecisionRule.from_json(
        {
            "rule": "x/north", "title": said("North"), "since": "2000-01-01", "cite": "art. 1", "status": "draft",
            "fields": [{"name": "participated", "role": "base"}, {"name": "north", "role": "option"}],
            "tests": [
                {
                    "name": "north", "cite": "art. 1", "labels": said("More than half"), "otherwise": "rejected",
                    "share": {"value": "north", "of": "participated", "more_than": "1/2"},
                }
            ],
        }
    ),
)  # fmt: skip

POLL = Poll(
    id="kz/two-questions",
    kind="referendum",
    day=date(2022, 6, 5),
    names=said("Two questions"),
    timezone="Asia/Almaty",
    opens=time(7),
    closes=time(20),
    areas=AREAS,
    contests=(YES_NO, CAPITAL),
    stages={
        "final": datetime.fromisoformat("2022-06-08T10:00:00+06:00"),
        "preliminary": datetime.fromisoformat("2022-06-06T08:00:00+06:00"),
    },
)


def yes_no(
    yes: int, no: int, invalid: int = 0, not_counted: int = 0, *, eligible: int, more: int = 0
) -> dict[str, int]:
    """A sound protocol of the first question; `more` got a ballot and did not cast it."""
    cast = yes + no + invalid + not_counted
    values = {"eligible": eligible, "received": cast + more, "participated": cast, "yes": yes, "no": no}
    return values | {"invalid": invalid, "not_counted": not_counted}


def capital(north: int, south: int, either: int, invalid: int = 0) -> dict[str, int]:
    cast = north + south + either + invalid
    return {"participated": cast, "north": north, "south": south, "either": either, "invalid": invalid}


HELD: Mapping[str, Mapping[str, Held]] = {
    "q1": {
        "11-001": Held(10, yes_no(400, 200, 20, 5, eligible=1003, more=4)),
        "11-002": Held(11, yes_no(300, 100, 7, 1, eligible=800) | {"participated": 409}, ("F.101", "W.203")),
        "71-001": Held(12, yes_no(100, 250, 3, 0, eligible=500), ("W.201",), version=1),
        "71-002/а б": Held(13, yes_no(30, 20, 1, 2, eligible=90, more=1)),
    },
    "q/2": {
        "11-001": Held(20, capital(300, 200, 100, 25)),
        "11-002": Held(21, capital(10, 20, 30)),
        "71-001": Held(22, capital(0, 350, 0, 3)),
    },
}
"""11_003 never came, 11-002 is in quarantine for q1, the station abroad sent only q1."""


def snapshot(
    stage: str = "counting",
    held: Mapping[str, Mapping[str, Held]] = HELD,
    annulled: Mapping[tuple[str, str], bool] | None = None,
    *,
    poll: Poll = POLL,
    reconstruction: bool = False,
) -> Snapshot:
    poll = replace(poll, reconstruction=reconstruction)
    sheets = tuple(Sheet.of(poll, contest, STATIONS, held.get(contest.id, {}), annulled) for contest in poll.contests)
    return Snapshot(poll, 30, stage, "2022-06-05T23:59:59.123456+06:00", sheets)
