"""Which sample does the office ask for: its frame's file, its design, how many stations, what that many can tell?

Sizes come from how much stations differ (a past vote's, or a stated S), never from p(1-p) over voters.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from dauys.errors import BadInput, DauysError
from dauys.observe.estimates.interval import normal_quantile
from dauys.observe.known.model import Frozen, Mission, MissionError
from dauys.observe.sample.draw import ALLOCATIONS, Plan, allocate, by_stratum, commitment, draw, keeps
from dauys.observe.sample.drawn import as_body, columns_of
from dauys.observe.sample.frame import Columns, Frame, file_sha256, id_column, read_frame
from dauys.observe.sample.size import detection_table, margin_of, needed
from dauys.observe.sample.spread import spreads

ABROAD = "abroad"
"""The column of a record's frame that says whether a station is abroad: 0 or 1."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A design as the form has it. `spread` is S in points (hundredths of a share), `margin` in points, `confidence` per cent."""

    plan: Plan
    columns: Columns
    margin: Fraction | None = None
    spread: Fraction | None = None
    confidence: Fraction = Fraction(95)
    response: int = 100

    def design(self) -> dict[str, Any]:
        """The design as it is committed to."""
        return self.plan.to_json() | {"columns": self.columns.to_json()}


def frame_path(folder: Path, frozen: Frozen) -> Path:
    """The frozen file. Raises BadInput O.025 where it is missing or is another one: a sample is drawn from that file only."""
    path = folder / frozen.file
    if not path.is_file():
        raise BadInput("the frozen list is missing; put it back from a copy", file=frozen.file, check="O.025")
    same(file_sha256(path), frozen)
    return path


def same(found: str, frozen: Frozen) -> None:
    """Refuses a list that is not the frozen one."""
    if found != frozen.sha256:
        raise BadInput(
            "this is not the list that was frozen: it changed", found=f"SHA-256 {found}",
            expected=f"SHA-256 {frozen.sha256}", check="O.025",
        )  # fmt: skip


def header(path: Path) -> list[str]:
    """The columns of a frame in CSV; empty for other kinds of tables."""
    if ".gz" in path.suffixes or path.suffix not in (".csv", ".txt", ".tsv"):
        return []
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        line = file.readline(10_000).strip("\n\r")
    return [name.strip().strip('"') for name in line.replace(";", ",").replace("\t", ",").split(",")]


def asked_of(form: Mapping[str, str], path: Path, record: bool) -> Asked:
    """The design that a form asks for. `record`: the frame is of the record, whose columns are known. Raises BadInput O.012.

    Without a number of stations it is the one that the margin needs.
    """
    allocation = form.get("allocation", "proportional" if record else "simple")
    if allocation not in ALLOCATIONS:
        raise _bad("allocation", allocation, ", ".join(ALLOCATIONS))
    strata = _names(form.get("strata", "area" if record else ""))
    abroad = record and form.get("abroad", "") == "all" and allocation != "simple"
    if abroad:
        strata = (*(name for name in strata if name != ABROAD), ABROAD)
    if allocation == "simple":
        strata = ()
    ids = _names(form.get("id", "")) or (id_column(path),)
    pps = form.get("pps", "") == "1"
    columns = Columns(
        ids, strata, (form.get("size", "").strip() or "eligible") if pps else None,
        form.get("y", "").strip() or None, form.get("x", "").strip() or None,
    )  # fmt: skip
    frame = read_frame(path, columns)
    take_all = list(_names(form.get("take_all", ""))) if strata else []
    if abroad:
        take_all += [name for name in sorted(set(frame.strata)) if name.endswith(":1") and name not in take_all]
    spread = _decimal(form, "spread", Fraction(100))
    if columns.part and columns.whole:
        spread = spread_of(frame)
    margin, n = _decimal(form, "margin", Fraction(50)), _whole(form, "n", len(frame))
    confidence = _decimal(form, "confidence", Fraction(100)) or Fraction(95)
    response = _whole(form, "response", 100) or 100
    least, exponent = _whole(form, "least", 1000) or 2, _fraction(form.get("exponent", "") or "1/2")
    plan = Plan(n or 1, allocation, pps, tuple(take_all), least, exponent)
    asked = Asked(plan, columns, margin, spread, confidence, response)
    return asked if n else replace(asked, plan=replace(plan, n=_needed(asked, frame)))


def _needed(asked: Asked, frame: Frame) -> int:
    """Stations for a margin: n0 / (1 + n0/N) with n0 = (z S / margin)**2 (Cochran 1977, 4.6); more where some will not report.

    With a past vote in the list itself S is that inside the strata (observe.sample.size).
    """
    if asked.margin is None or asked.spread is None:
        raise BadInput(
            "how many stations?", field="n", check="O.012",
            expected="a number; or a margin, and how much stations differ (S, from a past vote)",
        )  # fmt: skip
    if frame.parts is not None and frame.wholes is not None:
        places = list(by_stratum(frame).values()) if asked.plan.allocation != "simple" else None
        share = Fraction(asked.response, 100)
        return needed(frame, float(asked.margin) / 100, float(asked.confidence) / 100, places, share).asked
    z = normal_quantile(float(1 + asked.confidence / 100) / 2)
    wanted = (z * float(asked.spread / asked.margin)) ** 2
    n = max(1, math.ceil(wanted / (1 + wanted / len(frame))))
    return min(len(frame), math.ceil(Fraction(n) / Fraction(asked.response, 100)))


def spread_of(frame: Frame) -> Fraction:
    """S between the stations of a past vote, in points to two places: what is shown is what is reckoned with."""
    found = spreads(frame, [range(len(frame))])[0]
    return Fraction(round(100 * 100 * math.sqrt(float(found))), 100)


def preview(asked: Asked, path: Path) -> dict[str, Any]:
    """What the design means: stations of each stratum, the margin, what so many stations can detect. Raises DauysError."""
    frame = read_frame(path, asked.columns)
    plan = asked.plan
    draw(frame, plan, "a look at the design, not the draw")  # whatever cannot be drawn is said now
    places = by_stratum(frame) if plan.allocation != "simple" else {"": list(range(len(frame)))}
    counts = allocate(frame, plan, places)
    z = float(asked.confidence) / 100
    spread = None if asked.spread is None else float(asked.spread) / 100
    sizes = sorted({plan.n, *(n for n in (300, 500, 1000, 2000) if n < len(frame))})
    return {
        "n": plan.n,
        "population": len(frame),
        "name": plan.name,
        "strata": [
            {"name": name, "stations": len(members), "drawn": counts[name], "take_all": name in plan.take_all}
            for name, members in places.items()
        ],
        "margins": []
        if spread is None
        else [{"n": n, "margin": f"{100 * margin_of(n, len(frame), spread, z):.2f}"} for n in sizes],
        "detects": detection_table(len(frame), plan.n),
        "spread": None if asked.spread is None else f"{float(asked.spread):.2f}",
        "confidence": f"{float(asked.confidence):g}",
    }


def drawn_now(mission: Mission, folder: Path, seed: str) -> dict[str, Any]:
    """The sample of the design that was committed to, from the frozen file. Raises BadInput O.025, MissionError."""
    if mission.sample is not None:
        raise MissionError("the sample is drawn already: a station of a sample is never replaced by another")
    if mission.frame is None or mission.plan is None:
        raise MissionError("freeze the list and commit to a design first")
    path = frame_path(folder, mission.frame)
    columns = columns_of({"design": mission.plan})
    drawn = draw(read_frame(path, columns), Plan.from_json(mission.plan), seed)
    committed = {"frame_sha256": mission.frame.sha256, "seed_sha256": mission.commitment, "design": dict(mission.plan)}
    if not keeps(committed, drawn):
        own = commitment(drawn.frame_sha256, drawn.plan, drawn.seed)
        raise MissionError(
            f"this is not the draw that was committed to: {own['seed_sha256']}, not {mission.commitment}"
        )
    return as_body(drawn, columns)


def _bad(field: str, found: object, expected: str) -> BadInput:
    return BadInput("the field is empty or wrong", field=field, found=found, expected=expected, check="O.012")


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _decimal(form: Mapping[str, str], name: str, most: Fraction) -> Fraction | None:
    """A number above 0 with a point or a comma; None where nothing was typed."""
    typed = form.get(name, "").strip().replace(",", ".").removesuffix("%").strip()
    if not typed:
        return None
    try:
        found = Fraction(typed) if len(typed) <= 12 and typed.replace(".", "", 1).isdecimal() else None
    except ValueError:
        found = None
    if found is None or not 0 < found < most:
        raise _bad(name, typed[:20], f"a number above 0 and below {most}")
    return found


def _whole(form: Mapping[str, str], name: str, most: int) -> int | None:
    typed = "".join(form.get(name, "").split())
    if not typed:
        return None
    if not typed.isascii() or not typed.isdecimal() or len(typed) > 9 or not 1 <= int(typed) <= most:
        raise _bad(name, typed[:20], f"a whole number from 1 to {most:,}")
    return int(typed)


def _fraction(text: str) -> Fraction:
    try:
        found = Fraction(text.strip())
    except (ValueError, ZeroDivisionError):
        raise _bad("exponent", text[:20], "like 1/2") from None
    if not 0 < found <= 1:
        raise DauysError(f"the exponent of a power allocation is more than 0 and at most 1, not {found}")
    return found
