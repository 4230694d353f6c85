"""Which poll is held: its day, areas, contests, forms and rules, as one value that holds everything a count needs.

A `Poll` is read from a `poll.yaml` (registers.poll_file) or from the first entry of a record (`Poll.from_json`): the
same value either way, so that a verifier without our packs decides by what the record says.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from dauys.errors import BadInput, DauysError
from dauys.law.decision_rule import DecisionRule, rule_of
from dauys.law.files import Node
from dauys.law.form import Form, form_of
from dauys.registers.areas import Area, area_of
from dauys.registers.cells import LARGEST

COMMISSION = "commission"
"""The name under which the commission of the whole poll signs: declarations, corrections, annulments."""

KEY_LENGTH = 44
"""Base64 of an Ed25519 public key."""

Labels = Mapping[str, str]
"""One text in several languages: `{"kk": ..., "ru": ..., "en": ...}`."""


@dataclass(frozen=True, slots=True)
class Contest:
    """One question on one ballot: decided by one rule, counted on one form."""

    id: str
    question: Labels
    form: Form
    rule: DecisionRule

    @property
    def options(self) -> tuple[str, ...]:
        return tuple(f.name for f in self.form.fields if f.role == "option")


@dataclass(frozen=True, slots=True)
class Station:
    """A polling place: `area` is where its votes count, `eligible` its list when the poll opens.

    `key` is the station commission's raw Ed25519 public key (32 bytes), if it signs its protocols. `address` and
    `settlement` are as the published list writes them, empty where it does not say: two stations are in one settlement
    where it has the same text.
    """

    id: str
    area: str
    eligible: int
    key: bytes | None = None
    abroad: bool = False
    address: str = ""
    settlement: str = ""

    def to_json(self) -> dict[str, Any]:
        body: dict[str, Any] = {"id": self.id, "area": self.area, "eligible": self.eligible}
        if self.key is not None:
            body["key"] = b64encode(self.key).decode()
        if self.abroad:
            body["abroad"] = True
        for name in PLACE:
            if text := getattr(self, name):
                body[name] = text
        return body

    @staticmethod
    def from_json(body: Mapping[str, Any]) -> Station:
        """The station that `to_json` wrote. Raises DauysError for anything else."""
        match body:
            case {"id": str(name), "area": str(area), "eligible": int(eligible), **rest} if name and area:
                key = rest.get("key")
                address, settlement = (rest.get(name, "") for name in PLACE)
                if (
                    not isinstance(eligible, bool)
                    and 0 <= eligible <= LARGEST
                    and (key is None or (isinstance(key, str) and len(key) == KEY_LENGTH))
                    and rest.keys() <= {"key", "abroad", *PLACE}
                    and all(is_place(name, rest[name]) for name in PLACE if name in rest)
                    and rest.get("abroad", True) is True
                ):
                    raw = None if key is None else b64decode(key, validate=True)
                    return Station(name, area, eligible, raw, "abroad" in rest, address, settlement)
        raise DauysError(f"not a station of a list: {str(body)[:80]}")


PLACE = {"address": 300, "settlement": 100}
"""What the list may say of where a station is, and how long that may be."""


def is_place(name: str, text: object) -> bool:
    """Whether it may stand in a list as a station's address or settlement."""
    return isinstance(text, str) and 0 < len(text) <= PLACE[name] and text.isprintable() and text.strip() == text


@dataclass(frozen=True, slots=True)
class BallotLimit:
    """The most ballots a station can have, as a share of its list, rounded up; with the article that says so.

    It bounds what a missing station can still add. Without a limit (`share` 1) nobody votes off the list.
    """

    share: Fraction = Fraction(1)
    cite: str = ""

    def cap(self, eligible: int) -> int:
        return -(-eligible * self.share.numerator // self.share.denominator)


@dataclass(frozen=True, slots=True)
class Publication:
    """What an adopted poll sets off in the law: the event that its publication is, its day, and the article.

    Nothing of it happens when the poll is not adopted (dauys.law.when: what waits for the event never starts).
    """

    event: str
    day: date
    cite: str

    def to_json(self) -> dict[str, str]:
        return {"event": self.event, "day": self.day.isoformat(), "cite": self.cite}


def publication_of(node: Node) -> Publication:
    """The publication that a node describes; raises `BadInput` with its line."""
    parts = node.mapping(("event", "day", "cite"))
    return Publication(parts["event"].text(), parts["day"].date(), parts["cite"].text())


def voting_in(node: Node) -> dict[str, Any]:
    """The poll's own rules on ways to vote, as they are written: plain JSON, not yet understood."""
    return {key.text(): _plain(value) for key, value in node.entries()}


def _plain(node: Node) -> Any:
    if isinstance(node.raw, yaml.MappingNode):
        return {key.text(): _plain(value) for key, value in node.entries()}
    if isinstance(node.raw, yaml.SequenceNode):
        return [_plain(item) for item in node.items()]
    text = node.text(empty=True)
    plain = not getattr(node.raw, "style", None)
    if plain and text in ("true", "false"):
        return text == "true"
    return int(text) if plain and re.fullmatch("[1-9]?[0-9]{1,8}", text) else text


def is_trial(poll_id: str) -> bool:
    """Whether the poll with this id is a rehearsal: `test/...`, or a last part that begins with `trial-`."""
    parts = poll_id.split("/")
    return parts[0] == "test" or parts[-1].startswith("trial-")


@dataclass(frozen=True, slots=True)
class Poll:
    """A referendum or an election on one day.

    `areas` are the areas that exist on the day (the rule's denominator). `hours` are local times in each area's zone,
    `reports` times in the poll's own zone. `stages` name the declarations and when they were made. `voting` is what the
    poll itself lays down on ways to vote, as plain JSON: who holds the pollbook reads it (dauys.pollbook.rules.channels).
    """

    id: str
    kind: str
    day: date
    names: Labels
    timezone: str
    opens: time
    closes: time
    areas: tuple[Area, ...]
    contests: tuple[Contest, ...]
    reports: tuple[time, ...] = ()
    stages: Mapping[str, datetime] = field(default_factory=dict)
    ballot_limit: BallotLimit = BallotLimit()
    reconstruction: bool = False
    publishes: Publication | None = None
    voting: Mapping[str, Any] | None = None

    @property
    def trial(self) -> bool:
        """Whether it is a rehearsal. Its id says so, which stands in every entry of the record, every address and every package,
        and never changes."""
        return is_trial(self.id)

    def contest(self, contest_id: str | None) -> Contest:
        """The contest with that id; with None the only one there is. Raises BadInput F.022, F.023."""
        if contest_id is None and len(self.contests) == 1:
            return self.contests[0]
        for contest in self.contests:
            if contest.id == contest_id:
                return contest
        known = ", ".join(c.id for c in self.contests)
        if contest_id is None:
            raise BadInput("the poll has several contests: name one", field="contest", expected=known, check="F.023")
        raise BadInput("the poll has no such contest", field="contest", found=contest_id, expected=known, check="F.022")

    def area(self, code: str) -> Area:
        for area in self.areas:
            if area.code == code:
                return area
        raise DauysError(f"{self.id} has no area {code!r}")

    def moment(self, at: time, area: str | None = None, day_offset: int = 0) -> datetime:
        """A local time of the day in an area (or in the poll's own zone) as an aware datetime in the poll's zone."""
        zone = ZoneInfo(self.area(area).timezone or self.timezone) if area else ZoneInfo(self.timezone)
        local = datetime.combine(self.day + timedelta(days=day_offset), at, zone)
        return local.astimezone(ZoneInfo(self.timezone))

    def closing(self, area: str | None = None) -> datetime:
        return self.moment(self.closes, area)

    def last_closing(self, areas: Iterable[str]) -> datetime:
        """When the last station closes: of those that the poll has, in these areas. An area without any closes nothing."""
        return max(self.closing(area) for area in set(areas))

    def to_json(self) -> dict[str, Any]:
        """The body of the record's `poll` entry, less `stations` and `keys` (docs/architecture.md)."""
        return {
            "poll": self.id,
            "kind": self.kind,
            "day": self.day.isoformat(),
            "names": dict(self.names),
            "timezone": self.timezone,
            "hours": {"open": f"{self.opens:%H:%M}", "close": f"{self.closes:%H:%M}"},
            "reports": [f"{at:%H:%M}" for at in self.reports],
            "stages": [{"stage": name, "at": at.isoformat()} for name, at in self.stages.items()],
            "ballot_limit": {"share": str(self.ballot_limit.share), "cite": self.ballot_limit.cite},
            "reconstruction": self.reconstruction,
            **({} if self.publishes is None else {"publishes": self.publishes.to_json()}),
            **({} if self.voting is None else {"voting": dict(self.voting)}),
            "areas": [area.to_json() for area in self.areas],
            "contests": [
                {
                    "id": contest.id,
                    "question": dict(contest.question),
                    "options": list(contest.options),
                    "form": contest.form.to_json(),
                    "rule": contest.rule.to_json(),
                }
                for contest in self.contests
            ],
        }

    @staticmethod
    def from_json(body: Mapping[str, Any]) -> Poll:
        """The poll that `to_json` wrote. Raises BadInput, naming the member, for anything that is not one."""
        try:
            return _read(_Said(json.dumps(body), body))
        except (TypeError, ValueError, RecursionError):  # no JSON: what is wrong with it is said by reading it
            return _poll_of(Node.of(body))


@dataclass(frozen=True, slots=True)
class _Said:
    """A poll as text, to know it again, and as the value that is read."""

    text: str
    body: Mapping[str, Any] = field(compare=False)


@lru_cache(maxsize=32)
def _read(said: _Said) -> Poll:
    """Most pages of a site and a desk ask their poll's record who it is, again and again the same."""
    return _poll_of(Node.of(said.body))


def _poll_of(node: Node) -> Poll:
    parts = node.mapping(
        ("poll", "kind", "day", "names", "timezone", "hours", "reports", "stages", "ballot_limit", "reconstruction",
         "areas", "contests"),
        ("publishes", "voting", "stations", "keys"),
    )  # fmt: skip
    hours = parts["hours"].mapping(("open", "close"))
    limit = parts["ballot_limit"].mapping(("share", "cite"))
    stages = [stage.mapping(("stage", "at")) for stage in parts["stages"].items()]
    poll = Poll(
        id=parts["poll"].text(),
        kind=parts["kind"].choice("referendum", "election"),
        day=parts["day"].date(),
        names=parts["names"].labels(),
        timezone=parts["timezone"].timezone(),
        opens=hours["open"].time(),
        closes=hours["close"].time(),
        reports=tuple(at.time() for at in parts["reports"].items()),
        stages={stage["stage"].text(): stage["at"].moment() for stage in stages},
        ballot_limit=BallotLimit(limit["share"].fraction(), limit["cite"].text(empty=True)),
        reconstruction=parts["reconstruction"].boolean(),
        publishes=publication_of(parts["publishes"]) if "publishes" in parts else None,
        voting=voting_in(parts["voting"]) if "voting" in parts else None,
        areas=tuple(area_of(area) for area in parts["areas"].items()),
        contests=tuple(_contest_of(contest) for contest in parts["contests"].items()),
    )
    for name, found in (("areas", [a.code for a in poll.areas]), ("contests", [c.id for c in poll.contests])):
        if not found or len(set(found)) < len(found):
            parts[name].fail("not each of them once", found=", ".join(found), expected="at least one, and each once")
    return poll


def _contest_of(node: Node) -> Contest:
    parts = node.mapping(("id", "question", "options", "form", "rule"))
    contest = Contest(parts["id"].text(), parts["question"].labels(), form_of(parts["form"]), rule_of(parts["rule"]))
    if missing := [name for name in contest.rule.fields if name not in contest.form.required]:
        parts["rule"].fail("the rule needs a field that the form does not ask for", found=missing[0])
    return contest
