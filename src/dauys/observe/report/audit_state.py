"""How far is the audit of a contest's paper: seed committed, results frozen, stations drawn, recounts entered, what do they say?

Everything comes from the mission's log (events `audit`, named `<contest>/commitment`, `<contest>/plan/<round>`,
`<contest>/count/<station>`, `<contest>/result/<round>`) and from the frozen results, a CSV in the mission's folder that bears its
SHA-256 as its name. A recount that is entered again replaces the first; both stay in the log.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from dauys.errors import BadInput
from dauys.law.decision_rule import DecisionRule
from dauys.law.files import Node
from dauys.observe.audit import plan as planning
from dauys.observe.audit.plan import Found, Plan, Station, evaluate, make_plan, next_round, outcome
from dauys.observe.known.model import Event
from dauys.observe.known.official import Official
from dauys.observe.office.visit import Keeping
from dauys.observe.report.counts_of import base_of
from dauys.observe.report.traces import audits_of
from dauys.registers.poll import Contest

METHOD = "batch comparison (MACRO, Kaplan-Markov)"
FOLDER = "audit"


@dataclass(frozen=True, slots=True)
class State:
    """The events of one contest's audit: of each name the newest. `rounds` and `results` in their order."""

    contest: str
    commitment: Event | None
    rounds: tuple[Event, ...]
    counts: Mapping[str, Event]
    results: tuple[Event, ...]

    @property
    def plan(self) -> Mapping[str, Any] | None:
        """The plan of the last round: the body of its event."""
        return self.rounds[-1].body if self.rounds else None

    @property
    def recounts(self) -> dict[str, tuple[int, int]]:
        """Station to ballots found and those for the option, of the stations that were drawn."""
        return {name: (event.body["cast"], event.body["yes"]) for name, event in self.counts.items()}

    @property
    def drawn(self) -> list[str]:
        """The stations to recount, each once, in the order of territories and ids."""
        plan = self.plan
        return [] if plan is None else sorted({name for names in plan["stations"].values() for name in names})


@dataclass(frozen=True, slots=True, eq=False)
class Frozen:
    """The results as they were announced when the audit began; `entries` is each station's place in the record.

    One file is one object while it is remembered: it is the same or not, and a key of what is reckoned from it.
    """

    stations: tuple[Station, ...]
    entries: Mapping[str, int]


def state_of(keep: Keeping, contest: str) -> State:
    """The audit of a contest so far."""
    found = audits_of(keep, f"{contest}/")

    def numbered(what: str) -> tuple[Event, ...]:
        events = {name.removeprefix(what): one for name, one in found.items() if name.startswith(what)}
        return tuple(events[number] for number in sorted(events, key=int))

    counts = {name.removeprefix("count/"): one for name, one in found.items() if name.startswith("count/")}
    return State(contest, found.get("commitment"), numbered("plan/"), counts, numbered("result/"))


Row = tuple[str, str, int, int, int]
"""Station, territory, ballots found, those for the option, the entry that says so."""


def announced(official: Official, contest: Contest) -> list[Row]:
    """The counted protocols, in the order of the stations' ids. Raises BadInput O.175 where there are none."""
    base, option = base_of(contest), contest.options[0]
    rows = []
    for station in sorted(official.stations):
        one = official.protocols.get((contest.id, station))
        if one is not None and one.counted:
            rows.append((station, official.stations[station].area, one.values[base], one.values[option], one.index))
    if not rows:
        raise BadInput("the record has no counted protocol of this contest yet", found=contest.id, check="O.175")
    return rows


def freeze(official: Official, contest: Contest) -> bytes:
    """The counted protocols as a table `station,region,cast,yes,entry`. Raises BadInput O.175 where there are none."""
    return table(announced(official, contest))


def table(rows: Iterable[Row]) -> bytes:
    """The bytes whose SHA-256 is the name of the frozen results."""
    text = io.StringIO()
    written = csv.writer(text, lineterminator="\n")
    written.writerow(("station", "region", "cast", "yes", "entry"))
    written.writerows(rows)
    return text.getvalue().encode()


def frozen(keep: Keeping, digest: str) -> Frozen:
    """The frozen results of that SHA-256. Raises BadInput O.176 where the file is gone or was changed."""
    return _frozen(keep.folder / FOLDER / f"{digest}.csv")


@lru_cache(maxsize=4)
def _frozen(path: Path) -> Frozen:
    data = path.read_bytes() if path.is_file() else b""
    if sha256(data).hexdigest() != path.stem:
        raise BadInput(
            "the frozen results are gone or were changed", file=path, expected=f"SHA-256 {path.stem}", check="O.176"
        )
    rows = list(csv.DictReader(io.StringIO(data.decode())))
    stations = tuple(Station(row["station"], row["region"], int(row["cast"]), int(row["yes"])) for row in rows)
    return Frozen(stations, {row["station"]: int(row["entry"]) for row in rows})


def threshold(rule: DecisionRule, contest: Contest) -> tuple[Fraction, Fraction | None]:
    """(share, regional): what the option must exceed of all ballots found, and the share of territories where it must, too.

    Raises BadInput O.177 where the rule has no such test: then there is nothing that this audit confirms.
    """
    base, option = base_of(contest), contest.options[0]
    share, regional = None, None
    for test in rule.tests:
        if test.share.value.fields == (option,) and test.share.of.fields == (base,):
            if test.kind == "areas":
                regional = None if test.of_areas is None else test.of_areas.share
            elif test.kind == "share":
                share = test.share.threshold.share
    if share is None:
        raise BadInput("the rule does not ask for a share of the ballots found", found=contest.id, check="O.177")
    return share, regional


def planned(
    results: Frozen, digest: str, seed: str, risk: Fraction, share: Fraction, regional: Fraction | None
) -> Plan:
    """The first round."""
    return make_plan(results.stations, digest, seed, risk, share, regional)


def stations_of(plan: Plan, results: Frozen) -> dict[str, list[str]]:
    """Territory (`*` for all) to its draws in their order: a station may be drawn more than once."""
    return {one.region: planning.drawn(plan, one, results.stations)[1] for one in plan.contests}


def plan_of(body: Mapping[str, Any]) -> Plan:
    """The plan of a round's event."""
    return Plan.of(Node.of(body["plan"]))


def assessed(state: State, results: Frozen) -> tuple[list[Found], str]:
    """What the recounts so far say of every assertion, and of all together: confirmed, go-on, count-all."""
    plan = state.plan
    assert plan is not None
    drawn = set(state.drawn)
    recounts = tuple(sorted((name, *counts) for name, counts in state.recounts.items() if name in drawn))
    return _assessed(json.dumps(plan["plan"], sort_keys=True), results.stations, recounts)


@lru_cache(maxsize=8)
def _assessed(
    plan: str, stations: tuple[Station, ...], recounts: tuple[tuple[str, int, int], ...]
) -> tuple[list[Found], str]:
    made = Plan.of(Node.of(json.loads(plan)))
    found = evaluate(
        made, stations, made.frame_sha256, {name: (cast, yes) for name, cast, yes in recounts}, "the results"
    )
    return found, outcome(found)


def further(state: State, found: Sequence[Found]) -> Plan:
    """The next round: as many more draws as would do if all are clean."""
    plan = state.plan
    assert plan is not None
    return next_round(plan_of(plan), found)
