"""What does our sample say by now, how surely, and may it be published? The night beside the official count, as a page."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping

from markupsafe import Markup

from dauys.errors import BadInput
from dauys.law.relation import Linear
from dauys.observe.compare.estimated import Tonight, tonight
from dauys.observe.compare.national import Measure, measures_of
from dauys.observe.known.official import Official
from dauys.observe.night.picture import NARROW, WIDE, svg
from dauys.observe.office.visit import Model, Page, Visit
from dauys.registers.poll import Contest, Labels

KEPT = "night"
EMPTY: Model = {"said": None, "official": None, "estimate": {"estimate": None, "snapshots": []}, "picture": None}


def estimate(visit: Visit) -> Model:
    """The interval over the night of one share of one contest: `?contest=`, `?measure=`."""
    official, mission = visit.office.official(), visit.mission
    base: Model = {
        "read": official is not None, "drawn": mission.sample is not None, "contests": (), "measures": (), "contest": None,
        "measure": "", "zone": "" if mission.identity is None else mission.identity.zone, "refresh": 120, **EMPTY,
    }  # fmt: skip
    if official is None or mission.sample is None:
        return base
    contest, measures = chosen(official, visit.request.query_params.get("contest"))
    measure = _measure(measures, visit.request.query_params.get("measure"))
    base |= {"contests": official.poll.contests, "contest": contest, "measures": measures, "measure": measure.name}
    found = _tonight(visit, official, contest, measure)
    if found is None:
        return base
    areas = {area.code: area for area in official.poll.areas}
    tests = {test.name: test for test in contest.rule.tests}
    return base | {
        "estimate": found.to_json(),
        "said": found.said,
        "official": found.official,
        "inside": _inside(found),
        "reasons": [reason(text) for text in found.said.partial.reasons] if found.said.partial is not None else [],
        "declared": official.declared,
        "listed": len(official.stations),
        "regions": [(areas[one.name], one.found) for one in found.said.by],
        "double": found.double,
        "labels": {one.name: tests[one.name].labels for one in measures if one.name in tests},
        "value_names": named_fields(contest, measure.value),
        "of_names": named_fields(contest, measure.of),
        "scale": _scale(found),
        "hours": list(zip(found.states, found.counted, strict=True)),
        "first": _first(found),
        "picture": _picture(found, visit.lang) if found.states else None,
    }


def chosen(official: Official, named: str | None) -> tuple[Contest, list[Measure]]:
    """The contest that an address names, or the first, with its shares. Raises BadInput."""
    contest = official.poll.contest(named or official.poll.contests[0].id)
    return contest, measures_of(contest)


def named_fields(contest: Contest, linear: Linear) -> list[Labels]:
    """What the protocol's form calls the fields of a sum."""
    labels = {field.name: field.labels for field in contest.form.fields}
    return [labels.get(name, {"en": name}) for name in linear.fields]


def _measure(measures: list[Measure], named: str | None) -> Measure:
    for one in measures:
        if named in (None, "", one.name):
            return one
    raise BadInput("no such share", field="measure", found=named, expected=", ".join(one.name for one in measures))


def _tonight(visit: Visit, official: Official, contest: Contest, measure: Measure) -> Tonight | None:
    """Computed once for a state of the log and the record, and again when a minute has passed."""
    minute = visit.at.replace(second=0, microsecond=0)
    key = (visit.mission.size, official.size, contest.id, measure.name, minute)
    kept = visit.office.extra.get(KEPT)
    if kept is None or kept[0] != key:
        kept = visit.office.extra[KEPT] = key, tonight(visit.mission, official, contest, measure, visit.at)
    found: Tonight | None = kept[1]
    return found


def _inside(found: Tonight) -> bool | None:
    """Whether the official share by now lies in the interval; None where either is not known."""
    share, (low, high) = found.official.share, found.said.found.ci
    return None if share is None or low != low else low <= share <= high


_REASONS = {
    "few": re.compile(r"(?P<a>\S+) of (?P<b>\S+) stations came; at least (?P<c>\S+) are needed"),
    "thin": re.compile(
        r"(?P<a>\S+) strata with (?P<b>\S+) stations have less than (?P<c>\S+) of theirs; at most (?P<d>\S+) of all stations .*"
    ),
    "new": re.compile(r"(?P<a>\S+) of the (?P<b>\S+) snapshots that show whether it is stable"),
    "moved": re.compile(r"it moved by (?P<a>\S+) over (?P<b>\S+) snapshots; at most (?P<c>\S+)"),
}
"""The sentences of observe.estimates.partial, which a page says in the reader's language."""


def reason(text: str) -> Model:
    """Why nothing is to be published yet: `kind` (few, thin, new, moved; other), its numbers a to d, and the `text`."""
    for kind, pattern in _REASONS.items():
        if (match := pattern.fullmatch(text)) is not None:
            return {
                "kind": kind,
                "text": text,
                **{name: found.replace(",", "") for name, found in match.groupdict().items()},
            }
    return {"kind": "other", "text": text}


def _scale(found: Tonight) -> tuple[float, float]:
    """The shares between which the territories' intervals are drawn, with a half among them: whole tenths."""
    ends = [end for one in found.said.by for end in one.found.ci if end == end]
    low, high = min([0.5, *ends]), max([0.5, *ends])
    return max(0.0, math.floor(10 * low) / 10), min(1.0, math.ceil(10 * high) / 10)


def _first(found: Tonight) -> str | None:
    """From when on it could be published (ISO 8601); None: not yet."""
    first = None
    for one in reversed(found.states):
        if one.partial is not None and not one.partial.publish:
            break
        first = str(one.facts["at"])
    return first


def _picture(found: Tonight, lang: str) -> Callable[[Mapping[str, str], str], Markup]:
    """Draws the night with words in the reader's language, `wide` or for a phone."""

    def draw(words: Mapping[str, str], kind: str) -> Markup:
        frame = NARROW if kind == "narrow" else WIDE
        return Markup(svg(found.points(), found.official.share, words, frame, f"night-{kind}", written(lang)))

    return draw


def written(lang: str) -> Callable[[float], str]:
    """How a share is written in a picture: `77,18 %` in Kazakh and Russian, `77.18%` in English."""
    if lang == "en":
        return lambda share: f"{100 * share:.2f}%"
    return lambda share: f"{100 * share:.2f}\N{NO-BREAK SPACE}%".replace(".", ",")


PAGES = (Page("/estimate", "compare/estimate.html", estimate, "Estimate", twin="estimate"),)
