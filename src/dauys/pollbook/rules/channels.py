"""By which ways may a voter vote in this poll, and which article says so? The channels of a poll out of the pack's law.

A channel is on, off, or `not-loaded`: the law of that day is not in the pack, which is no permission. A poll's own file
can rule on a channel, for a pilot or where the pack's law is not loaded, and must say by which citation:

    voting:                                                   # poll.yaml, optional
      any-station: {on: true, cite: "..."}
      mobile: {on: true, until: "12:00", members: 2, cite: "..."}
      certificate: {on: true, until: "18:00", cite: "..."}     # until: of the day before
      early: {on: true, first: 2022-06-01, last: 2022-06-04, cite: "..."}
      remote: {on: true, first: 2022-06-01, last: 2022-06-05, cite: "..."}   # days on which electronic ballots are taken
      paper-beats-electronic: {on: true, cite: "..."}
      envelope: {on: true, two: none, cite: "..."}             # of two envelopes of one right: none, or first

The rules of a pack that are read are those of `election.*` below; a referendum reads them where its own law refers to
the elections law (`referendum.otherwise`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dauys.errors import Numbered
from dauys.law.files import Node
from dauys.law.rules import Value
from dauys.law.snapshot import LawNotLoaded, Snapshot

POLLING_DAY, MOBILE, CERTIFICATE, ANY_STATION = "polling-day", "mobile", "certificate", "any-station"
EARLY, REMOTE, PAPER_FIRST, ENVELOPE, HAND_OUT = "early", "remote", "paper-beats-electronic", "envelope", "hand-out"

NAMES = (POLLING_DAY, MOBILE, CERTIFICATE, ANY_STATION, EARLY, REMOTE, PAPER_FIRST, ENVELOPE, HAND_OUT)
"""The ways to vote, and three rules beside them: what a paper ballot does to an electronic one; whether a voter whose
right cannot be reached may leave a provisional envelope; and who may hand out ballots."""

CALLED: Mapping[str, str] = {
    POLLING_DAY: "voting at the station",
    MOBILE: "the mobile box",
    CERTIFICATE: "voting with an absentee certificate",
    ANY_STATION: "voting at any station",
    EARLY: "early voting",
    REMOTE: "electronic voting",
    PAPER_FIRST: "a paper ballot in place of an electronic one",
    ENVELOPE: "a provisional envelope",
    HAND_OUT: "handing out ballots",
}
"""How an English message calls them; the pages say it in their own words."""

ROLES = ("chair", "secretary", "member")
"""Of the officers of a station's commission: a way to vote says which of them hand out its ballots."""

OFFICER_ID = r"[a-z0-9-]{1,20}"
"""Under which ids the officers of a station stand in its package."""

CALLING_ACT = "the act that calls the poll"
"""By what one votes on the polling day where the law is not loaded. The pages say it in their own words."""

LIST = "list"
"""The one member of `voting:` that is no channel."""

IN_LAW: Mapping[str, str] = {
    ANY_STATION: "any-station voting",
    EARLY: "early voting",
    REMOTE: "remote voting",
    PAPER_FIRST: "paper ballots that replace electronic ones",
    ENVELOPE: "provisional envelopes",
}
"""What a channel is called in the pack's list `election.alternative_voting.in_law`."""

SETTINGS: Mapping[str, tuple[str, ...]] = {
    MOBILE: ("until", "members"),
    CERTIFICATE: ("until",),
    EARLY: ("first", "last"),
    REMOTE: ("first", "last"),
    ENVELOPE: ("two",),
    HAND_OUT: ("roles",),
}

DAYS = (EARLY, REMOTE)
"""The ways to vote that have days of their own."""


class NotAllowed(Numbered):
    """A way to vote that cannot be used now."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What is laid down on one channel. `state`: `on`, `off`, `not-loaded`. `pilot`: by the poll's own file.

    `settings` are plain JSON: times "HH:MM", days "YYYY-MM-DD", numbers, and for hand-out the roles.
    """

    state: str
    cite: str
    reason: str = ""
    pilot: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def on(self) -> bool:
        return self.state == "on"

    def to_json(self) -> dict[str, Any]:
        return {
            "state": self.state,
            "cite": self.cite,
            "reason": self.reason,
            "pilot": self.pilot,
            "settings": dict(self.settings),
        }


@dataclass(frozen=True, slots=True)
class Channels:
    """The channels of a poll on its day; times are local in `timezone`."""

    day: date
    timezone: str
    rulings: Mapping[str, Ruling]

    def __getitem__(self, name: str) -> Ruling:
        if name not in self.rulings:
            raise NotAllowed(f"there is no channel {name!r}; there are: {', '.join(self.rulings)}", "P.026")
        return self.rulings[name]

    def require(self, name: str) -> Ruling:
        """The ruling of a channel that is on; raises NotAllowed P.026."""
        ruling = self[name]
        if not ruling.on:
            raise NotAllowed(f"{CALLED[name]} is off: {ruling.reason}", "P.026", ruling.cite)
        return ruling

    def may_check_in(self, name: str, at: datetime) -> Ruling:
        """The ruling by which a ballot may be handed out by this way on that day; raises NotAllowed P.026 or P.033.

        The hours are the officers' (`open`, `close`): who stood in the queue at closing time may still vote.
        """
        ruling = self.require(name)
        today = self.local(at).date()
        first, last = self.day, self.day
        if name in DAYS:
            first, last = (date.fromisoformat(ruling.settings[end]) for end in ("first", "last"))
        if not first <= today <= last:
            days = str(first) if first == last else f"{first} to {last}"
            clock = f"this machine's clock says {today}; {CALLED[name]} is on {days}"
            raise NotAllowed(f"{clock}. Set the clock, or wait", "P.033", ruling.cite)
        return ruling

    def may_check_in_on_paper(self, at: datetime) -> None:
        """Raises NotAllowed P.033 on a day on which no station hands out ballots."""
        try:
            self.may_check_in(EARLY, at)
        except NotAllowed:
            self.may_check_in(POLLING_DAY, at)

    def may_request(self, name: str, at: datetime) -> Ruling:
        """The ruling by which a mobile box or a certificate may be asked for; raises NotAllowed P.026 or P.027."""
        ruling = self.require(name)
        until = self.until(name)
        if until is not None and self.local(at) > until:
            raise NotAllowed(f"{CALLED[name]} could be asked for until {until:%Y-%m-%d %H:%M}", "P.027", ruling.cite)
        return ruling

    def until(self, name: str) -> datetime | None:
        """The deadline for requests: of the polling day for mobile, of the day before for certificates."""
        if (text := self[name].settings.get("until")) is None:
            return None
        day = self.day - timedelta(days=1) if name == CERTIFICATE else self.day
        return datetime.combine(day, time.fromisoformat(text), ZoneInfo(self.timezone))

    def local(self, at: datetime) -> datetime:
        return at.astimezone(ZoneInfo(self.timezone))

    def to_json(self) -> dict[str, Any]:
        """`{"day","timezone","rulings":{name:{"state","cite","reason","pilot","settings"}}}`."""
        rulings = {name: ruling.to_json() for name, ruling in self.rulings.items()}
        return {"day": self.day.isoformat(), "timezone": self.timezone, "rulings": rulings}

    @staticmethod
    def from_json(body: object) -> Channels:
        """The channels that `to_json` wrote; raises BadInput for anything else."""
        parts = Node.of(body).mapping(("day", "timezone", "rulings"))
        rulings: dict[str, Ruling] = {}
        for name, value in parts["rulings"].mapping(NAMES).items():
            members = value.mapping(("state", "cite", "reason", "pilot", "settings"))
            state = members["state"].choice("on", "off", "not-loaded")
            cite, reason = members["cite"].text(empty=True), members["reason"].text(empty=True)
            settings = _settings(name, members["settings"], all_needed=state == "on")
            rulings[name] = Ruling(state, cite, reason, members["pilot"].boolean(), settings)
        return Channels(parts["day"].date(), parts["timezone"].timezone(), rulings)


def voting_of(node: Node | None) -> dict[str, Ruling]:
    """The poll's own rulings: the mapping under `voting:`; raises BadInput with its line."""
    rulings: dict[str, Ruling] = {}
    for name, value in ({} if node is None else node.mapping((), (*NAMES[1:], LIST))).items():
        if name == LIST:  # when the list is open, and by when claims are decided: read by dauys.roll.lookup
            continue
        parts = value.mapping(("on", "cite"), SETTINGS.get(name, ()))
        on = parts.pop("on").boolean()
        cite = parts.pop("cite").text()
        settings = _settings(name, value, all_needed=on)
        rulings[name] = Ruling("on" if on else "off", cite, "" if on else "the poll's own rule", True, settings)
    if PAPER_FIRST in rulings and node is not None and not rulings.get(REMOTE, Ruling("off", "")).on:
        node.fail("a rule on electronic ballots where there are none", expected="`remote` switched on beside it")
    return rulings


def _settings(name: str, node: Node, *, all_needed: bool) -> dict[str, Any]:
    names = SETTINGS.get(name, ())
    parts = node.mapping(names if all_needed else (), (*names, "on", "cite"))
    settings: dict[str, Any] = {}
    for key in names:
        if key in parts:
            settings[key] = _READERS[key](parts[key])
    if name in DAYS and "first" in settings and settings["first"] > settings.get("last", settings["first"]):
        parts["first"].fail("it ends before it begins", found=settings["first"], expected=f"up to {settings['last']}")
    return settings


_READERS: Mapping[str, Callable[[Node], Any]] = {
    "until": lambda node: f"{node.time():%H:%M}",
    "members": lambda node: node.integer(1, 9),
    "first": lambda node: node.date().isoformat(),
    "last": lambda node: node.date().isoformat(),
    "two": lambda node: node.choice("none", "first"),
    "roles": lambda node: [role.choice(*ROLES) for role in node.items()],
}


def channels_on(law: Snapshot, kind: str, timezone: str, voting: Mapping[str, Ruling] | None = None) -> Channels:
    """The channels of a poll of this kind (`referendum`, `election`) on the snapshot's day.

    `voting` are the poll's own rulings; they win over the law read, and are marked as such.
    """
    read = _Reading(law, kind)
    rulings = {
        POLLING_DAY: Ruling("on", read.cite("election.hours.open", CALLING_ACT)),
        MOBILE: read.both(MOBILE, {"until": "election.mobile.request_until", "members": "election.mobile.members"}),
        CERTIFICATE: read.both(CERTIFICATE, {"until": "election.list.certificate_until"}),
        **{name: read.listed(name) for name in IN_LAW},
        HAND_OUT: read.hand_out(),
    }
    own = {name: replace(ruling, pilot=True) for name, ruling in (voting or {}).items()}
    return Channels(law.day, timezone, {name: own.get(name, rulings[name]) for name in NAMES})


@dataclass(frozen=True, slots=True)
class _Reading:
    """Reads the pack's rules for a kind of poll."""

    law: Snapshot
    kind: str

    def get(self, key: str) -> Value | LawNotLoaded:
        """A rule of the elections law; for a referendum only where its own law refers to that one."""
        if self.kind == "referendum":
            refers = self.law.get("referendum.otherwise")
            if isinstance(refers, LawNotLoaded):
                return refers
        return self.law.get(key)

    def cite(self, key: str, otherwise: str) -> str:
        found = self.get(key)
        return otherwise if isinstance(found, LawNotLoaded) else self.by(found)

    def by(self, value: Value) -> str:
        """The citation, with the article of the referendum law that leads to it."""
        if self.kind != "referendum":
            return value.cite
        refers = self.law.get("referendum.otherwise")
        return value.cite if isinstance(refers, LawNotLoaded) else f"{value.cite}, by {refers.cite}"

    def both(self, name: str, keys: Mapping[str, str]) -> Ruling:
        """On where all its rules are loaded; what is missing is named."""
        settings: dict[str, Any] = {}
        cites: list[str] = []
        for setting, key in keys.items():
            found = self.get(key)
            if isinstance(found, LawNotLoaded):
                return Ruling("not-loaded", "", _missing(found))
            value = found.value
            settings[setting] = f"{value:%H:%M}" if isinstance(value, time) else value
            cites.append(self.by(found))
        return Ruling("on", "; ".join(dict.fromkeys(cites)), settings=settings)

    def listed(self, name: str) -> Ruling:
        """On only where the law's list of other ways names it."""
        found = self.get("election.alternative_voting.in_law")
        if isinstance(found, LawNotLoaded):
            return Ruling("not-loaded", "", _missing(found))
        ways = found.value if isinstance(found.value, tuple | list) else (found.value,)
        if IN_LAW[name] in ways:
            if not SETTINGS.get(name):
                return Ruling("on", self.by(found))
            needed = ", ".join(SETTINGS[name])
            return Ruling("off", self.by(found), f"the law knows {IN_LAW[name]}, and the poll does not say: {needed}")
        # what else the law's list names may be off by another of its rules: the pages name the ways that are on
        return Ruling("off", self.by(found), f"the law knows no {IN_LAW[name]}")

    def hand_out(self) -> Ruling:
        """Who may hand out ballots. Without a rule only members do: the narrower reading needs no permission."""
        found = self.get("election.ballot.handed_out_by")
        if isinstance(found, LawNotLoaded):
            return Ruling(
                "on", "", f"{_missing(found)}; members only is the narrower reading", settings={"roles": ["member"]}
            )
        roles = [str(role) for role in found.value] if isinstance(found.value, tuple | list) else [str(found.value)]
        return Ruling("on", self.by(found), settings={"roles": roles})


def _missing(found: LawNotLoaded) -> str:
    """Why nothing can be said, for people: the day, and no name of a rule."""
    return f"the law of {found.day} is not loaded here, and that is no permission"


def certificate_elsewhere(home: str, here: str, ruling: Ruling) -> None:
    """A certificate is not for another station of the same settlement; raises NotAllowed P.035.

    `home`, `here`: the settlements of the two stations; where one is not known (empty), the officers decide.
    """
    if home and home == here:
        raise NotAllowed("a certificate is not used within the voter's own settlement", "P.035", ruling.cite)
