"""The page of indicators: what in the counts is unusual, with its assumptions and a clean election beside it. Never a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dauys.errors import BadInput
from dauys.observe.indicators.discovery import benjamini_hochberg
from dauys.observe.indicators.integers import KINDS
from dauys.observe.indicators.picture import svg
from dauys.observe.indicators.redraws import DRAWS
from dauys.observe.indicators.report import control, control_print
from dauys.observe.indicators.words import NOTE, words
from dauys.observe.known.official import Official
from dauys.observe.office.visit import Model, Page, Visit
from dauys.observe.report.contests import area_names, chosen_contest, contest_links, zone_of
from dauys.observe.report.figures import chance, decimal, share
from dauys.observe.report.indicator_work import FILE, Made, being_made, fault, made, make_of_file, make_of_record
from dauys.observe.report.labels import axes, label

Row = tuple[str, str, str]
"""What it is, of this vote, of the control election (empty: it has none)."""

COLUMNS = "station=station,region=region,registered=registered,issued=issued,cast=cast,yes=yes,no=no,invalid=invalid"


def indicators(visit: Visit) -> Model | str:
    """`/indicators`: shows what was made last; makes it of the record as it is now, or of a table that was sent."""
    office, official = visit.office, visit.office.official()
    if visit.form is not None:
        return _make(visit, official)
    name = visit.request.query_params.get("of", "")
    contest = None
    if name != FILE and official is not None:
        contest = chosen_contest(official.poll, name)
        name = contest.id
    found = made(office.keep, name) if name else None
    going = bool(name) and being_made(office, name)
    published = 0 if official is None or contest is None else _published(official, contest.id)
    return {
        "refresh": 3 if going else 0,
        "going": going,
        "fault": fault(office, name) if name else "",
        "of": name,
        "links": [] if official is None else contest_links(official.poll, name),
        "has_file": made(office.keep, FILE) is not None or being_made(office, FILE),
        "official": official,
        "published": published,
        "stations": 0 if official is None else len(official.stations),
        "stale": found is not None
        and official is not None
        and found.note.get("record_size") not in (None, official.size),
        "columns": COLUMNS,
        "draws": DRAWS,
        "note": NOTE[visit.lang],
        "made": found,
        "cards": [] if found is None else cards(found.body, visit.lang, area_names(official, visit.lang)),
        "pictures": [] if found is None else pictures(found, visit.lang),
        "control": control()["stations"],
        "mission_zone": zone_of(visit),
        "answer": None
        if found is None
        else {"made_of": dict(found.note), "event": found.n, "at": found.at} | dict(found.body),
    }


def _make(visit: Visit, official: Official | None) -> str:
    act = visit.text("act", 10)
    draws = DRAWS if visit.text("draws", 3) == "yes" else 0
    if act == "file":
        if "table" not in visit.files:
            raise BadInput("no file was chosen", field="table", expected="a CSV file, or Parquet", check="O.172")
        make_of_file(visit.office, visit.files["table"], visit.text("columns", 2000), draws)
        return f"/indicators?of={FILE}"
    if official is None:
        raise BadInput(
            "the official record was not read yet", expected="read it on the page Set up first", check="O.173"
        )
    contest = chosen_contest(official.poll, visit.text("of", 60))
    make_of_record(visit.office, official, contest, draws)
    return f"/indicators?of={contest.id}"


def _published(official: Official, contest: str) -> int:
    return sum(of == contest for of, _ in official.protocols)


def pictures(found: Made, lang: str) -> list[tuple[str, str]]:
    """The fingerprint and that of the control election, as SVG, each with its caption; none where it could not be made."""
    cells = found.cells
    if cells is None:
        return []
    stations = (found.note["stations"], control()["stations"]["fingerprint"]["stations"])
    drawn = []
    for mark, shown, count in zip(("own", "clean"), (cells, control_print()), stations, strict=True):
        said = label(mark, lang).format(stations=decimal(count, lang, 0))
        drawn.append((svg(shown, axes(lang) | {"title": said}, mark), said))
    return drawn


def cards(body: Mapping[str, Any], lang: str, names: Mapping[str, str]) -> list[Model]:
    """Each indicator as the page and the report show it: its words, its rows of numbers, the columns that it lacks.

    `names` are those of the regions, by their code.
    """
    said, clean = words(), control()["stations"]
    made_cards = []
    for name, found in body["indicators"].items():
        rows = [] if "needs" in found else _ROWS[name](found, clean, lang)
        made_cards.append(
            {
                "id": name,
                "title": said[name].title[lang],
                "says": said[name].says[lang],
                "assumes": said[name].assumes[lang],
                "needs": list(found.get("needs", ())),
                "hint": label("hint_integers", lang) if name == "integers" else "",
                "rows": rows,
                "control": any(beside for _, _, beside in rows),
                "table": _regions(found, lang, names) if name == "regions" and "needs" not in found else [],
            }
        )
    return made_cards


def _arithmetic(found: Mapping[str, Any], clean: Mapping[str, Any], lang: str) -> list[Row]:
    rows = [
        (one["rule"], f"{decimal(one['broken'], lang, 0)} / {decimal(one['checked'], lang, 0)}", "")
        for one in found["rules"]
    ]
    names = ("full_turnout", "all_yes", "twice", "alike")
    return rows + [(label(name, lang), decimal(found[name], lang, 0), "") for name in names]


def _fingerprint(found: Mapping[str, Any], clean: Mapping[str, Any], lang: str) -> list[Row]:
    other = clean["fingerprint"]
    rows = [
        (label("correlation", lang), decimal(found["correlation"], lang, 3), decimal(other["correlation"], lang, 3)),
        (label("full_turnout", lang), decimal(found["full"], lang, 0), decimal(other["full"], lang, 0)),
        (label("high_share", lang), share(found["high_share"], lang, 1), share(other["high_share"], lang, 1)),
    ]
    for name, places in (("n", 0), ("mean", 3), ("sd", 3), ("skewness", 3), ("excess_kurtosis", 3)):
        own, others = found["log_rate"][name], other["log_rate"][name]
        rows.append((label(name, lang), decimal(own, lang, places), decimal(others, lang, places)))
    model = found.get("model")
    if model is not None:  # a model that does not describe the vote says nothing of its parts
        known = {name: 100 * model[name] if model["fits"] else None for name in ("incremental", "extreme")}
        rows += [(label(name, lang), decimal(value, lang, 1), "") for name, value in known.items()]
        rows.append((label("misfit", lang), decimal(100 * model["misfit"], lang, 1), ""))
    return rows


def _integers(found: Mapping[str, Any], clean: Mapping[str, Any], lang: str) -> list[Row]:
    other = clean["integers"]
    rows: list[Row] = [
        (label("tested", lang), decimal(found["stations"], lang, 0), decimal(other["stations"], lang, 0))
    ]
    rows += [
        (label(kind, lang), _excess(found[kind], lang), _excess(other.get(kind), lang))
        for kind in KINDS
        if kind in found
    ]
    for kind, one in found.get("redraws", {}).items():
        if kind in KINDS:
            text = f"{decimal(one['observed'], lang, 0)} − {decimal(one['mean'], lang, 3)} = {decimal(one['excess'], lang, 3)}"
            rows.append((label(f"{kind}_redrawn", lang), text, ""))
    return rows


def _excess(one: Mapping[str, Any] | None, lang: str) -> str:
    """Observed less expected, the limit, the P-value."""
    if one is None:
        return ""
    return (
        f"{decimal(one['observed'], lang, 0)} − {decimal(one['expected'], lang, 1)} = {decimal(one['excess'], lang, 1)}"
        f" (≤ {decimal(one['limit'], lang, 1)}), P {chance(one['p_value'], lang)}"
    )


def _shpilkin(found: Mapping[str, Any], clean: Mapping[str, Any], lang: str) -> list[Row]:
    band = found["anomalous"]
    if band is None:
        return []
    rows: list[Row] = [
        (label("least", lang), decimal(band["least"], lang, 0), ""),
        (label("most", lang), decimal(band["most"], lang, 0), ""),
        (label("ranges", lang), decimal(len(found["ranges"]), lang, 0), ""),
    ]
    return rows


def _digits(found: Mapping[str, Any], clean: Mapping[str, Any], lang: str) -> list[Row]:
    return [
        (
            label(f"{name}_{which}", lang),
            f"χ² {decimal(one['chi2'], lang, 1)}, P {chance(one['p_value'], lang)} (n = {decimal(one['n'], lang, 0)})",
            "",
        )
        for name in ("registered", "cast", "yes", "no")
        for which, one in found.get(name, {}).items()
        if one["n"]
    ]


def _density(found: Mapping[str, Any], clean: Mapping[str, Any], lang: str) -> list[Row]:
    kinds = [kind for kind in ("share", "turnout") if kind in found]
    return [(label(f"density_{kind}", lang), decimal(found[kind]["percent"], lang, 3), "") for kind in kinds]


def _plausible(found: Mapping[str, Any], clean: Mapping[str, Any], lang: str) -> list[Row]:
    return [
        (label("looked_at", lang), decimal(found["stations"], lang, 0), ""),
        (label("far", lang), decimal(found["far"], lang, 0), ""),
    ]


def _region_rows(found: Mapping[str, Any], clean: Mapping[str, Any], lang: str) -> list[Row]:
    return [
        (label("regions", lang), decimal(found["tested"], lang, 0), ""),
        (label("above", lang), decimal(len(found["above"]), lang, 0), ""),
    ]


def _regions(found: Mapping[str, Any], lang: str, names: Mapping[str, str]) -> Sequence[Model]:
    """The regions' tests in the order of their P-values; those that stand out come first so."""
    tests = {one["region"]: one for one in found["tests"]}
    order = benjamini_hochberg({name: one["p_value"] for name, one in tests.items()}, 1.0)
    return [
        {
            "region": names.get(name, name),
            "stands_out": name in found["above"],
            "observed": decimal(tests[name]["observed"], lang, 0),
            "expected": decimal(tests[name]["expected"], lang, 1),
            "p": chance(tests[name]["p_value"], lang),
        }
        for name in order
    ]


_ROWS = {
    "arithmetic": _arithmetic, "fingerprint": _fingerprint, "integers": _integers, "shpilkin": _shpilkin, "digits": _digits,
    "density": _density, "neighbours": _plausible, "history": _plausible, "regions": _region_rows,
}  # fmt: skip

PAGES = (Page("/indicators", "report/indicators.html", indicators, "Indicators", twin="answer"),)
