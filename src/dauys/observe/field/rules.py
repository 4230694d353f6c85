"""What is odd about a report, beside what was sent before and what is known of the station? Flags, never verdicts.

A flag is the number of a check (O.12x, O.13x in docs/checks.md); of a copy's identities also the number of the form's own check
(F.1xx). A flagged report is kept like any other: a person looks at it. Rules between the answers of one form stand in
`forms.yaml`; those here look at other reports, at the list and at the clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from dauys.observe.field.forms import Form, minutes
from dauys.observe.known.reports import Report, Value
from dauys.observe.known.told import HOUR, Answers, Told
from dauys.registers.poll import BallotLimit

CLOCK, SUSPENDED_SINCE, LEFT_SINCE = "O.120", "O.121", "O.122"
SUM, FALLING, BEYOND_LIST, BEFORE_CLOSE, SAME_COPY = "O.123", "O.124", "O.125", "O.126", "O.127"
ASKED, DIFFER, AGAIN, BELOW_LAST = "O.129", "O.130", "O.131", "O.132"
OPENING, LATE_HOUR, PARTIAL = "O.133", "O.134", "O.135"
SMALL = 20
"""Two stations with fewer ballots than this may well have the same protocol."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the station beside its reports: voters on its list, when its voting ends, the most ballots for a list.

    None: not known.
    """

    eligible: int | None = None
    closes: datetime | None = None
    limit: BallotLimit | None = None


@dataclass(frozen=True, slots=True)
class Coming:
    """A report as it comes in, with its answers read and its moment settled."""

    observer: str
    station: str
    form: Form
    contest: str
    values: Mapping[str, Value]
    written: datetime
    photos: int = 0


def flags_of(coming: Coming, known: Known, told: Told) -> tuple[str, ...]:
    """The numbers that a report raises, against what was told before it."""
    broken = [rule.number for rule in coming.form.broken(coming.values)]
    found = [number for number in broken if number.startswith("O.")]
    found += [SUM, *(number for number in broken if not number.startswith("O."))] if len(found) < len(broken) else []
    match coming.form.id:
        case "voting":
            found += _voting(coming, known, told)
        case "setup":
            found += [OPENING] if _too_many(coming, known) else []
            found += _different(coming, told, coming.form.counts)
        case "count":
            found += [BEFORE_CLOSE] if _before(coming, known) else []
        case "incident":
            found += [ASKED] if _asked(coming) else []
        case "protocol":
            found += _protocol(coming, known, told)
            found += [SAME_COPY] if _elsewhere(coming, told) else []
    return tuple(dict.fromkeys(found))


def missing_of(report: Report) -> tuple[str, ...]:
    """What an incident is asked for: `happened`, `fact`, `picture`."""
    asked = tuple(name for name in ("happened", "fact") if not report.values.get(name))
    return asked + (() if report.photos else ("picture",))


def differ(one: Mapping[str, Value], other: Mapping[str, Value]) -> tuple[str, ...]:
    """The fields that two reports both answer, differently."""
    return tuple(name for name in one if name in other and one[name] != other[name])


def disagreeing(reports: Iterable[Report]) -> bool:
    """Whether any two of the reports answer a field differently: whether a field has two answers."""
    said: dict[str, Value] = {}
    return any(said.setdefault(name, value) != value for one in reports for name, value in one.values.items())


def newest(reports: Iterable[Report]) -> list[Report]:
    """Of each observer the report written last: who sends again puts his own right."""
    last: dict[str, Report] = {}
    for one in sorted(reports, key=lambda report: (datetime.fromisoformat(report.written), report.n)):
        last[one.observer] = one
    return list(last.values())


def _voting(coming: Coming, known: Known, told: Told) -> list[str]:
    """Turnout only grows, stays within the list, and is told of an hour that has passed."""
    hour, given = minutes(str(coming.values[HOUR])), int(coming.values["handed_out"])
    by_hour = [(minutes(when), one.ordered) for when, one in _handed_out(coming.station, told)]
    falls = any((when < hour and ns[-1] > given) or (when > hour and ns[0] < given) for when, ns in by_hour)
    found = [FALLING] if falls else []
    found += [BEYOND_LIST] if known.eligible is not None and given > known.eligible else []
    local = minutes(f"{coming.written:%H:%M}")
    found += [LATE_HOUR] if hour > local + 15 else []
    return found + _different(coming, told, ("handed_out",))


def _handed_out(station: str, told: Told) -> list[tuple[str, Answers]]:
    """The hours of which turnout was told at a station: as many as a day has minutes, however many reports there are."""
    return [(when, one) for (name, when), one in told.answers(station, "voting").items() if name == "handed_out"]


def _protocol(coming: Coming, known: Known, told: Told) -> list[str]:
    found = [BEFORE_CLOSE] if _before(coming, known) else []
    given = coming.values.get("received", coming.values.get("participated"))
    if isinstance(given, int):
        found += [BEYOND_LIST] if known.eligible is not None and given > known.eligible else []
        if "received" in coming.values:
            last = max((one.ordered[-1] for _, one in _handed_out(coming.station, told)), default=given)
            found += [BELOW_LAST] if given < last else []
    found += [PARTIAL] if any(field.wanted and field.id not in coming.values for field in coming.form.fields) else []
    return found + _different(coming, told, coming.form.counts)


def _different(coming: Coming, told: Told, fields: Sequence[str]) -> list[str]:
    """Another observer says otherwise (O.130), or this one said otherwise before (O.131)."""
    answers, when = told.answers(coming.station, coming.form.id, coming.contest), str(coming.values.get(HOUR, ""))
    against = [
        one.against(coming.observer, int(coming.values[name]))
        for name in fields
        if name in coming.values and (one := answers.get((name, when))) is not None
    ]
    found = [DIFFER] if any(others for others, _ in against) else []
    return found + ([AGAIN] if any(himself for _, himself in against) else [])


def _elsewhere(coming: Coming, told: Told) -> bool:
    """Whether the copy of another station has all the same numbers."""
    largest = max((int(coming.values[name]) for name in coming.form.counts if name in coming.values), default=0)
    return largest >= SMALL and told.elsewhere(coming.contest, coming.values, coming.station)


def _before(coming: Coming, known: Known) -> bool:
    return known.closes is not None and coming.written < known.closes


def _asked(coming: Coming) -> bool:
    """An incident's fact, its time and a photo: without them nobody can check it."""
    return not (coming.values.get("fact") and coming.values.get("happened") and coming.photos)


def _too_many(coming: Coming, known: Known) -> bool:
    """Whether more ballots were delivered than the law allows for the list."""
    delivered, listed = coming.values.get("delivered"), coming.values.get("eligible", known.eligible)
    return (
        known.limit is not None
        and isinstance(delivered, int)
        and isinstance(listed, int)
        and delivered > known.limit.cap(listed)
    )
