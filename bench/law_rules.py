"""How fast is a rule looked up, a day's snapshot built, a folder of rules read? Beside a plain dict, and openfisca-core."""

from __future__ import annotations

import datetime
import tempfile
import warnings
from pathlib import Path

from bench.timing import Line, interleaved, peak_mib, table
from dauys.law.facts import Fact, Facts
from dauys.law.rulebook import read_book
from dauys.law.snapshot import rules_on

RULES = 400
LOOKUPS = 1_000_000
FACTS = Facts(Fact(f"law-{n}.in-force", datetime.date(2000 + n, 6, 8), "the gazette") for n in range(25))


def measure(quick: bool) -> list[Line] | str:
    """The lines; openfisca-core (dev) is needed as the peer."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from openfisca_core.parameters import ParameterNode
    except ImportError:
        return "openfisca-core (dev) is not installed"
    repeats = 3 if quick else 7
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write(folder)
        reading = interleaved(
            lambda: read_book(folder, FACTS), lambda: ParameterNode("", directory_path=name), min(repeats, 3)
        )
        book, tree = read_book(folder, FACTS), ParameterNode("", directory_path=name)
    days = [datetime.date(2000 + n, 6, 8) for n in range(25)]
    building = interleaved(
        lambda: [rules_on(book, day, FACTS, {"regions": 20}) for day in days],
        lambda: [tree(day.isoformat()) for day in days],
        repeats,
    )
    snapshot = rules_on(book, days[-1], FACTS, {"regions": 20})
    keys = list(snapshot) * (LOOKUPS // RULES)
    get, values = snapshot.get, dict(snapshot.values)
    looking = interleaved(lambda: [get(key) for key in keys], lambda: [values[key] for key in keys], repeats)
    peak = peak_mib()
    return [
        Line(f"{len(keys):,} look-ups", looking[0], "a plain dict", looking[1], most_seconds=1.0, peak=peak),
        Line(
            f"25 snapshots of {RULES} rules", building[0], "openfisca-core", building[1], most_seconds=0.125, peak=peak
        ),
        Line(f"reading {RULES} rules", reading[0], "openfisca-core", reading[1], most_seconds=2.0, peak=peak),
    ]


def _write(folder: Path) -> None:
    """Twenty groups of twenty rules, each with three values; the last of each group is a formula over the others."""
    for group in range(20):
        lines = []
        for n in range(RULES // 20):
            lines += [
                f"rule{n}:",
                f"  description: Rule {n} of group {group}",
                "  metadata:",
                "    unit: count",
                "    labels: {kk: ереже, ru: правило, en: rule}",
                "  values:",
            ]
            for change in (0, 1 + n % 12, 13 + n % 12):
                last = n == RULES // 20 - 1
                value = "null" if last else change
                formula = f", formula: 2 * areas.regions + g{group}.rule0" if last else ""
                lines.append(f"    {2000 + change}-06-08:")
                lines.append(f"      value: {value}")
                lines.append(
                    f"      metadata: {{since: law-{change}.in-force, cite: art. {n}({group}), status: enacted{formula}}}"
                )
        (folder / f"g{group}.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    found = measure(quick=True)
    print(found if isinstance(found, str) else table(found))
