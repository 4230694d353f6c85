"""What does the reconstruction look like as tables in the documentation?

Tables stand between `<!-- NAME -->` and `<!-- /NAME -->`; `fill` puts fresh ones there, so a test can tell stale ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fractions import Fraction

from dauys.errors import DauysError
from dauys.reconstruction.book import ELIGIBLE, PARTICIPATED
from dauys.reconstruction.check import Checked, check
from dauys.reconstruction.figures import Figure, percent
from dauys.reconstruction.reconstruct import Reconstruction

_MARKED = re.compile(r"<!-- (?P<name>[a-z]+) -->\n.*?<!-- /(?P=name) -->", re.DOTALL)


def tables(reconstruction: Reconstruction, figures: Iterable[Figure], names: Mapping[str, str]) -> dict[str, str]:
    """Markdown tables: `registers`, `areas`, `corrections`, `doubted` and `figures`. `names` are the areas' by code."""
    checked = check(reconstruction, figures)
    return {
        "registers": _registers(reconstruction, names),
        "areas": _areas(reconstruction, names),
        "corrections": _corrections(reconstruction),
        "doubted": _doubted(checked),
        "figures": _figures(checked),
    }


def fill(text: str, rendered: Mapping[str, str]) -> str:
    """The text with every marked table replaced. Raises `DauysError` for a table without a mark, or a mark unknown."""
    marked = {match["name"] for match in _MARKED.finditer(text)}
    if marked != set(rendered):
        raise DauysError(f"the text marks the tables {sorted(marked)}, expected {sorted(rendered)}")
    return _MARKED.sub(lambda m: f"<!-- {m['name']} -->\n{rendered[m['name']]}\n<!-- /{m['name']} -->", text)


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _number(value: int) -> str:
    return f"{value:,}"


def _registers(r: Reconstruction, names: Mapping[str, str]) -> str:
    registers = r.territories.registers
    states = r.settings.registers
    rows = []
    for area in r.settings.areas:
        prior = registers.prior[area]
        ratio = Fraction(registers.voters[states[-1]][area]) / prior
        thousandths = (2 * 1000 * ratio.numerator + ratio.denominator) // (2 * ratio.denominator)
        voters = [_number(registers.voters[state][area]) for state in states]
        shown = f"{thousandths // 1000}.{thousandths % 1000:03d}"
        rows.append([area, names[area], _number(int(prior + Fraction(1, 2))), *voters, shown])
    sums = [_number(sum(registers.voters[state].values())) for state in states]
    rows.append(["", "all", sums[-1], *sums, "1.000"])
    return _table(["code", "territory", "prior, scaled", *states, f"{states[-1]} / prior"], rows)


def _areas(r: Reconstruction, names: Mapping[str, str]) -> str:
    solved, last = r.territories, list(r.settings.reports)[-1]
    classes = list(reversed(r.settings.classes))
    voters = solved.registers.voters[r.settings.registers[-1]]
    rows = []
    for area in r.settings.areas:
        took_part = solved.values[PARTICIPATED][area]
        abroad = solved.abroad if area == r.settings.abroad_area else 0
        rows.append(
            [area, names[area], _number(solved.stations[area] + abroad), percent(solved.received[last][area], voters[area], 2)]
            + [_number(took_part)]
            + [f"{_number(solved.values[c][area])} ({percent(solved.values[c][area], took_part, 2)})" for c in classes]
        )  # fmt: skip
    return _table(["code", "territory", "stations", f"received {last}, %", PARTICIPATED, *classes], rows)


def _corrections(r: Reconstruction) -> str:
    fields = [field for field in r.protocols if field != ELIGIBLE]
    rows = []
    for c in r.corrections:
        moved = [f"{c.before[f]} → {c.after[f]}" if c.before[f] != c.after[f] else str(c.before[f]) for f in fields]
        rows.append([c.station, c.at.strftime("%Y-%m-%d %H:%M"), *moved])
    sums = [str(sum(c.after[f] - c.before[f] for c in r.corrections)) for f in fields]
    return _table(["station", "at", *fields], [*rows, ["change", "", *sums]])


def _doubted(checked: Iterable[Checked]) -> str:
    rows = [
        [
            f.id,
            f.moment,
            f.area,
            f.field,
            f"{_printed(f)}",
            "used" if f.used else "not believed",
            c.recomputed,
            f.reason,
        ]
        for c in checked
        if (f := c.figure).believed != "yes"
    ]
    return _table(["figure", "moment", "area", "field", "printed", "status", "reconstruction", "why"], rows)


def _figures(checked: Iterable[Checked]) -> str:
    rows = [
        [f.id, f.moment, f.area, f.field, _printed(f), c.recomputed, "yes" if c.matches else "**no**", f.source]
        for c in checked
        if (f := c.figure).used
    ]
    return _table(["figure", "moment", "area", "field", "printed", "recomputed", "agrees", "source"], rows)


def _printed(figure: Figure) -> str:
    return {
        "count": figure.printed,
        "percent": f"{figure.printed} %",
        "above": f"> {figure.printed} %",
        "thousands": f"{figure.printed} thousand and more",
    }[figure.unit]
