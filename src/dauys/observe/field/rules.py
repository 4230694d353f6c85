"""What is odd about a report, beside what was sent before and what is known of the station? Flags, never verdicts.

A flag is the number of a check (O.12x, O.13x in docs/checks.md); of a copy's identities also the number of the form's own check
(F.1xx). A flagged report is kept like any other: a person looks at it. Rules between the answers of one form stand in
`forms.yaml`; those here look at other reports, at the list and at the clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

from dauys.observe.field.forms import Form, minutes
from dauys.observe.mission.model import Report, Value
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


def flags_of(coming: Coming, known: Known, here: Sequence[Report], alike: Sequence[Report]) -> tuple[str, ...]:
    """The numbers that a report raises. Of what stands so far, rejected reports left out: `here` what came of its station,
    `alike` the copies of any station with all the same numbers."""
    broken = [rule.number for rule in coming.form.broken(coming.values)]
    found = [number for number in broken if number.startswith("O.")]
    found += [SUM, *(number for number in broken if not number.startswith("O."))] if len(found) < len(broken) else []
    same = [one for one in here if one.form == coming.form.id and one.contest == coming.contest]
    match coming.form.id:
        case "voting":
            found += _voting(coming, known, same)
        case "setup":
            found += [OPENING] if _too_many(coming, known) else []
            found += _different(coming, same, tuple(coming.form.counts))
        case "count":
            found += [BEFORE_CLOSE] if _before(coming, known) else []
        case "incident":
            found += [ASKED] if _asked(coming) else []
        case "protocol":
            found += _protocol(coming, known, here, same)
            found += [SAME_COPY] if _elsewhere(coming, alike) else []
    return tuple(dict.fromkeys(found))


def missing_of(report: Report) -> tuple[str, ...]:
    """What an incident is asked for: `happened`, `fact`, `picture`."""
    asked = tuple(name for name in ("happened", "fact") if not report.values.get(name))
    return asked + (() if report.photos else ("picture",))


def differ(one: Mapping[str, Value], other: Mapping[str, Value]) -> tuple[str, ...]:
    """The fields that two reports both answer, differently."""
    return tuple(name for name in one if name in other and one[name] != other[name])


def disagreeing(reports: Iterable[Report]) -> bool:
    """Whether any two of the reports answer a field differently."""
    return any(differ(one.values, other.values) for one, other in combinations(list(reports), 2))


def newest(reports: Iterable[Report]) -> list[Report]:
    """Of each observer the report written last: who sends again puts his own right."""
    last: dict[str, Report] = {}
    for one in sorted(reports, key=lambda report: (datetime.fromisoformat(report.written), report.n)):
        last[one.observer] = one
    return list(last.values())


def _voting(coming: Coming, known: Known, same: Sequence[Report]) -> list[str]:
    """Turnout only grows, stays within the list, and is told of an hour that has passed."""
    hour, given = minutes(str(coming.values["as_of"])), int(coming.values["handed_out"])
    told = [(minutes(str(one.values["as_of"])), int(one.values["handed_out"])) for one in same]
    found = [FALLING] if any((h < hour and n > given) or (h > hour and n < given) for h, n in told) else []
    found += [BEYOND_LIST] if known.eligible is not None and given > known.eligible else []
    local = minutes(f"{coming.written:%H:%M}")
    found += [LATE_HOUR] if hour > local + 15 else []
    return found + _different(
        coming, [one for one in same if one.values["as_of"] == coming.values["as_of"]], ("handed_out",)
    )


def _protocol(coming: Coming, known: Known, here: Sequence[Report], same: Sequence[Report]) -> list[str]:
    found = [BEFORE_CLOSE] if _before(coming, known) else []
    given = coming.values.get("received", coming.values.get("participated"))
    if isinstance(given, int):
        found += [BEYOND_LIST] if known.eligible is not None and given > known.eligible else []
        told = [int(one.values["handed_out"]) for one in here if one.form == "voting"]
        received = "received" in coming.values
        found += [BELOW_LAST] if received and told and given < max(told) else []
    found += [PARTIAL] if any(field.wanted and field.id not in coming.values for field in coming.form.fields) else []
    return found + _different(coming, same, tuple(coming.form.counts))


def _different(coming: Coming, same: Sequence[Report], fields: Sequence[str]) -> list[str]:
    """Another observer says otherwise (O.130), or this one said otherwise before (O.131)."""
    mine = {name: coming.values[name] for name in fields if name in coming.values}
    against = {one.observer for one in same if differ(mine, one.values)}
    found = [DIFFER] if against - {coming.observer} else []
    return found + ([AGAIN] if coming.observer in against else [])


def _elsewhere(coming: Coming, alike: Sequence[Report]) -> bool:
    """Whether the copy of another station has all the same numbers."""
    largest = max((int(coming.values[name]) for name in coming.form.counts if name in coming.values), default=0)
    return largest >= SMALL and any(one.station != coming.station for one in alike)


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
