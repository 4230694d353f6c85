"""Do the counts add up, and which stations are at a hundred percent? Identities find mistakes, nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dauys.observe.indicators.counts import Bools, Counts

SHOWN = 20
ALIKE = 100
"""Two protocols with the same four counts are counted from so many ballots on: small ones are often alike by chance."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One identity: how many stations it was held against, how many break it, and the first of them (rows from 1)."""

    rule: str
    checked: int
    broken: int
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`full_turnout`: stations where every voter on the list voted; `all_yes`: where every ballot is for the option.
    `twice`: ids that stand in several rows; `alike`: rows whose counts are all those of another row."""

    rules: tuple[Rule, ...]
    full_turnout: int | None
    all_yes: int
    twice: int | None
    alike: int


def arithmetic(counts: Counts) -> Arithmetic:
    """Every identity that the columns at hand allow."""
    found = []

    def rule(text: str, broken: Bools) -> None:
        rows = np.flatnonzero(broken)
        found.append(Rule(text, len(counts), len(rows), tuple((rows[:SHOWN] + 1).tolist())))

    parts = [name for name in ("yes", "no", "both", "invalid") if counts.has(name)]
    added = np.sum([counts[name] for name in parts], axis=0)
    if counts.has("no", "invalid"):
        rule(f"cast = {' + '.join(parts)}", counts["cast"] != added)
    else:
        rule(f"cast >= {' + '.join(parts)}", counts["cast"] < added)
    if counts.has("issued"):
        rule("issued >= cast", counts["issued"] < counts["cast"])
    if counts.has("issued", "registered"):
        rule("issued <= registered", counts["issued"] > counts["registered"])
    if counts.has("registered"):
        rule("cast <= registered", counts["cast"] > counts["registered"])
    if counts.has("received", "cancelled", "issued"):
        rule("received = issued + cancelled", counts["received"] != counts["issued"] + counts["cancelled"])
    some = counts["cast"] > 0
    full = int(np.sum(some & (counts["cast"] == counts["registered"]))) if counts.has("registered") else None
    names = counts.texts.get("station")
    named = [name for name in ("registered", "issued", "cast", "yes", "no", "invalid") if counts.has(name)]
    table = np.stack([counts[name] for name in named], axis=1)[counts["cast"] >= ALIKE]
    _, times = np.unique(table, axis=0, return_counts=True) if len(table) else (table, np.zeros(0, dtype=np.int64))
    return Arithmetic(
        tuple(found),
        full,
        int(np.sum(some & (counts["yes"] == counts["cast"]))),
        None if names is None else len(names) - len(set(names)),
        int(times[times > 1].sum()),
    )
