"""May this organisation observe, who decides until when, and what may its observers do? From the law of the poll's day.

What the law of that day does not say, or what of it is not loaded, is answered "cannot say": the commission then decides by its
own words and cites its own ground.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from dauys.errors import DauysError
from dauys.law.deadline import Deadline, Within
from dauys.law.facts import Facts
from dauys.law.packs import pack_names
from dauys.law.rules import Book
from dauys.law.snapshot import LawNotLoaded, Snapshot, plain, rules_on
from dauys.law.system import load_system
from dauys.law.unit import Scalar
from dauys.observe.accreditation.entries import EVERYWHERE
from dauys.registers.poll import Poll

ACCREDIT, REFUSE, CANNOT_SAY = "accredit", "refuse", "cannot-say"

WORDS: Mapping[str, frozenset[str]] = {
    "party": frozenset({"political parties"}),
    "association": frozenset({"public associations", "non-profit bodies"}),
    "foreign": frozenset({"foreign states"}),
    "international": frozenset({"international bodies"}),
}
"""Kind of an organisation to what the law calls it."""

KEYS: Mapping[str, str] = {
    "kinds": "observer.organisations",
    "charter": "observer.charter",
    "papers": "observer.papers",
    "within": "observer.decision",
    "validity": "observer.validity",
    "national": "observer.accredits.national",
    "regional": "observer.accredits.regional",
    "through": "observer.foreign_through",
    "foreign_until": "observer.foreign_until",
    "foreign_time": "observer.foreign_time",
    "at_a_time": "observer.per_organisation",
    "rights": "observer.rights",
    "foreign_rights": "observer.foreign_rights",
    "duties": "observer.duties",
    "ground": "observer.suspension.ground",
    "form": "observer.suspension.form",
    "tabulation": "observer.tabulation",
}
"""What is asked of the law, and the rule that says it. Of a referendum too, where its own law refers to the elections law."""
OF_REFERENDUM = {"mandate": "referendum.observers", "own_kinds": "referendum.observers_of"}


@dataclass(frozen=True, slots=True)
class Told:
    """What the law says, with its article; `value` is None where it cannot be said, and `missing` says why.

    `since` is set for a later law's value, which does not hold for the poll.
    """

    value: Scalar | None
    cite: str = ""
    missing: str = ""
    since: date | None = None

    def to_json(self) -> dict[str, Any]:
        since = self.since and self.since.isoformat()
        return {"value": plain(self.value), "cite": self.cite, "missing": self.missing, "since": since}


Terms = Mapping[str, Told]
"""The names of `KEYS` and `OF_REFERENDUM`, each with what the law of the poll's day says."""


@dataclass(frozen=True, slots=True)
class Application:
    """What an organisation asks. `charter`: the words of its charter on observing; `through`: put forward by the ministry.

    `kind` is one of `entries.KINDS`; `scope` area codes or `("*",)`; `at` is when it came in.
    """

    kind: str
    charter: str
    through: bool
    scope: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Ground:
    """Why an organisation is refused, or why it cannot be said: a code that pages have words for, and the article."""

    code: str
    cite: str = ""
    missing: str = ""

    def to_json(self) -> dict[str, str]:
        return {"code": self.code, "cite": self.cite, "missing": self.missing}


@dataclass(frozen=True, slots=True)
class Judged:
    """What may be decided: `may` is accredit, refuse or cannot-say; `due` the first moment too late for the decision.

    `last` is the first moment too late to apply, `until` the last day of an accreditation of today, `by` who accredits; each
    None (empty) where the law does not say.
    """

    may: str
    grounds: tuple[Ground, ...]
    unknown: tuple[Ground, ...]
    due: datetime | None
    due_cite: str
    last: datetime | None
    last_cite: str
    until: date | None
    until_cite: str
    by: str
    by_cite: str

    @property
    def cite(self) -> str:
        """The articles that the answer rests on."""
        found = dict.fromkeys(one.cite for one in self.grounds if one.cite) or dict.fromkeys([self.by_cite])
        return "; ".join(cite for cite in found if cite)


def law_of(poll: Poll) -> Snapshot:
    """The law of the poll's day in the pack that its id begins with; an empty one where there is none."""
    pack = poll.id.partition("/")[0]
    if pack in pack_names():
        try:
            return load_system(pack).rules(poll.day)
        except DauysError:  # a pack of areas and forms alone
            pass
    return rules_on(Book({}), poll.day, Facts())


def terms_of(poll: Poll, law: Snapshot) -> Terms:
    """What the law of the poll's day says on observers."""
    refers = law.get("referendum.otherwise") if poll.kind == "referendum" else None

    def told(key: str, refer: bool) -> Told:
        found = refers if refer and isinstance(refers, LawNotLoaded) else law.get(key)
        if isinstance(found, LawNotLoaded):
            return Told(None, missing=str(found))
        by = f"; {refers.cite}" if refer and refers is not None and not isinstance(refers, LawNotLoaded) else ""
        return Told(found.value, found.cite + by)

    terms = {name: told(key, refer=True) for name, key in KEYS.items()}
    if poll.kind == "referendum":
        terms |= {name: told(key, refer=False) for name, key in OF_REFERENDUM.items()}
    return terms


def later(poll: Poll, name: str) -> Told:
    """What the first later law says under a name of `KEYS`, with its day: to be shown as such, never applied."""
    pack = poll.id.partition("/")[0]
    if pack not in pack_names():
        return Told(None)
    try:
        system = load_system(pack)
        values = system.book.rule(KEYS[name]).values
    except DauysError:
        return Told(None)
    begun = [(day, value) for value in values if value.value is not None and (day := value.since.resolve(system.facts))]
    day, value = min((one for one in begun if one[0] > poll.day), key=lambda one: one[0], default=(None, None))
    return Told(None) if value is None else Told(value.value, value.cite, since=day)


def judge(poll: Poll, terms: Terms, asked: Application, at: datetime) -> Judged:
    """What the commission may decide at a moment about an application."""
    zone = ZoneInfo(poll.timezone)
    grounds: list[Ground] = []
    unknown: list[Ground] = []
    _kind(terms, asked.kind, grounds, unknown)
    last, last_cite = None, ""
    if asked.kind in ("foreign", "international"):
        _yes(terms["through"], "ministry", asked.through, grounds, unknown)
        last, last_cite = last_moment(poll, terms)
        if last is None:
            unknown.append(Ground("late", missing=terms["foreign_until"].missing or terms["foreign_time"].missing))
        elif asked.at >= last:
            grounds.append(Ground("late", last_cite))
    elif asked.kind == "association":
        _yes(terms["charter"], "charter", bool(asked.charter.strip()), grounds, unknown)
    due = _within(terms["within"], "calendar_day", asked.at, zone) if asked.kind == "association" else None
    until = _within(terms["validity"], "year", at, zone) if asked.kind == "association" else None
    national = asked.scope == (EVERYWHERE,) or asked.kind in ("foreign", "international")
    who = terms["national" if national else "regional"]
    return Judged(
        REFUSE if grounds else CANNOT_SAY if unknown else ACCREDIT, tuple(grounds), tuple(unknown),
        due.end if due else None, terms["within"].cite if due else "", last, last_cite, until.last if until else None,
        terms["validity"].cite if until else "", str(who.value or ""), who.cite,
    )  # fmt: skip


def last_moment(poll: Poll, terms: Terms) -> tuple[datetime | None, str]:
    """The first moment too late for foreign observers, and the article; None where the law does not say."""
    days, hour = terms["foreign_until"], terms["foreign_time"]
    if not isinstance(days.value, int) or not isinstance(hour.value, time):
        return None, ""
    # whole days lie between: for 5 June 2022 it was closed on 30 May
    before = Within(days.value + 1, "calendar_day", direction="before", cut_off=hour.value)
    found = before.due(poll.day, zone=ZoneInfo(poll.timezone))
    return (found.end, days.cite) if isinstance(found, Deadline) else (None, "")


def too_many(terms: Terms, there: Iterable[str], code: str) -> Ground | None:
    """Why an observer of `code` may not join those at a station now (`there`: the organisation of each); None if he may."""
    most = terms["at_a_time"]
    if not isinstance(most.value, int):
        return Ground("at-a-time", missing=most.missing)
    return Ground("at-a-time", most.cite) if sum(1 for one in there if one == code) >= most.value else None


def rights(terms: Terms, kind: str) -> Told:
    """The list of rights of an organisation's observers."""
    return terms["foreign_rights" if kind in ("foreign", "international") else "rights"]


def _kind(terms: Terms, kind: str, grounds: list[Ground], unknown: list[Ground]) -> None:
    """Whether the law has such organisations at all. One list that names it is enough; only whole lists can leave it out."""
    lists = [told for name in ("own_kinds", "kinds") if (told := terms.get(name)) is not None]
    known = [told for told in lists if told.value is not None]
    if any(WORDS[kind] & set(_texts(told.value)) for told in known):
        return
    if len(known) < len(lists):
        unknown.append(Ground("kind", missing=next(told.missing for told in lists if told.value is None)))
    else:
        grounds.append(Ground("kind", "; ".join(told.cite for told in known)))


def _yes(told: Told, code: str, fulfilled: bool, grounds: list[Ground], unknown: list[Ground]) -> None:
    """A condition of the law: asked for, not asked for, or not known."""
    if told.value is None:
        unknown.append(Ground(code, missing=told.missing))
    elif told.value and not fulfilled:
        grounds.append(Ground(code, told.cite))


def _within(told: Told, unit: Any, start: datetime, zone: ZoneInfo) -> Deadline | None:
    if not isinstance(told.value, int):
        return None
    found = Within(told.value, unit).due(start, zone=zone)
    return found if isinstance(found, Deadline) else None


def _texts(value: Scalar | None) -> Sequence[str]:
    return value if isinstance(value, tuple) else ()
