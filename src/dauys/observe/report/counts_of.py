"""Which counts of the official record do the indicators and the audit look at?"""

from __future__ import annotations

import numpy as np

from dauys.errors import BadInput
from dauys.observe.indicators.counts import Counts
from dauys.observe.known.official import Official
from dauys.registers.poll import Contest

SHARED = {
    "registered": "eligible",
    "issued": "received",
    "received": "delivered",
    "cancelled": "cancelled",
    "both": "not_counted",
    "invalid": "invalid",
}
"""The indicators' names and the fields of a protocol (docs/architecture.md, "Fields")."""


def base_of(contest: Contest) -> str:
    """The field of the ballots found: the base of the shares. Raises BadInput where the form has none."""
    for field in contest.form.fields:
        if field.role == "base":
            return field.name
    raise BadInput(
        "the form has no field for the ballots found", found=contest.id, expected="a field with the role base"
    )


def counts_of(official: Official, contest: Contest, option: str | None = None) -> Counts:
    """The counts of every protocol that stands in the record, counted or held back, by station.

    A column that some protocol leaves out is left out. Raises BadInput where there is no protocol yet.
    """
    chosen = option or contest.options[0]
    found = sorted(
        (station, one.values)
        for (of, station), one in official.protocols.items()
        if of == contest.id and station in official.stations
    )
    if not found:
        raise BadInput("the record has no protocol of this contest yet", found=contest.id, check="O.170")
    others = [name for name in contest.options if name != chosen]
    columns: dict[str, list[str]] = {name: [field] for name, field in SHARED.items()}
    columns |= {"cast": [base_of(contest)], "yes": [chosen]} | ({"no": others} if others else {})
    numbers = {}
    for name, fields in columns.items():
        if all(isinstance(values.get(field), int) for _, values in found for field in fields):
            numbers[name] = np.array([sum(values[field] for field in fields) for _, values in found], dtype=np.int64)
    regions = [official.stations[station].area for station, _ in found]
    return Counts(numbers, {"station": [station for station, _ in found], "region": regions})
