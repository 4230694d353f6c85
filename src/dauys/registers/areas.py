"""Which territorial units exist on a day, under which names, in which time zone, with which weight in a decision?

An area is dated: `since` is its first day under this name, `until` its last, None where the pack knows no bound. A unit
that is renamed has one row for each name; at most one of them holds on any day.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from dauys.errors import BadInput
from dauys.law.files import LANGUAGES, Node
from dauys.law.tables import Row, read_table

COLUMNS = ("code", "kind", "parent", "since", "until", "timezone", "weight", "name_kk", "name_ru", "name_en")
OPTIONAL_COLUMNS = ("classifier", "separated_from")


@dataclass(frozen=True, slots=True)
class Area:
    """A territorial unit under one name. `weight` is what it counts where areas are counted (a half-canton: 1/2).

    `classifier` is its code in the country's own register of territories (KATO in Kazakhstan);
    `separated_from` is the code of the unit it was cut out of.
    """

    code: str
    kind: str
    names: Mapping[str, str]
    parent: str | None = None
    since: datetime.date | None = None
    until: datetime.date | None = None
    timezone: str | None = None
    weight: Fraction = Fraction(1)
    classifier: str | None = None
    separated_from: str | None = None

    def exists(self, on: datetime.date) -> bool:
        """Whether the area exists under this name on the day."""
        return (self.since is None or self.since <= on) and (self.until is None or on <= self.until)

    def to_json(self) -> dict[str, Any]:
        """{"code","kind","names","weight": "p/q"} and, where known, "parent", "timezone", "classifier": a poll's area."""
        known = {"parent": self.parent, "timezone": self.timezone, "classifier": self.classifier}
        return {
            "code": self.code,
            "kind": self.kind,
            "names": dict(self.names),
            "weight": str(self.weight),
            **{name: value for name, value in known.items() if value is not None},
        }

    @classmethod
    def from_json(cls, data: object) -> Area:
        """The area of a poll that `to_json` wrote, without its dates. Raises `BadInput`."""
        return area_of(Node.of(data))


def area_of(node: Node) -> Area:
    """The area, without its dates, that a node of a record describes. Raises `BadInput`."""
    parts = node.mapping(("code", "kind", "names", "weight"), ("parent", "timezone", "classifier"))
    return Area(
        code=parts["code"].text(),
        kind=parts["kind"].text(),
        names=parts["names"].labels(),
        parent=parts["parent"].text() if "parent" in parts else None,
        timezone=parts["timezone"].timezone() if "timezone" in parts else None,
        weight=parts["weight"].fraction(),
        classifier=parts["classifier"].text() if "classifier" in parts else None,
    )


def read_areas(path: Path) -> tuple[Area, ...]:
    """All dated areas of a pack's table (`COLUMNS`, and of `OPTIONAL_COLUMNS` those it has); raises `BadInput`."""
    areas: list[Area] = []
    for row in read_table(path, COLUMNS, OPTIONAL_COLUMNS):
        area = _area_of(row)
        if area.until is not None and area.since is not None and area.until < area.since:
            row.fail("ends before it begins", field="until", found=area.until, expected=f"{area.since} or later")
        for other in areas:
            if other.code == area.code and _overlap(area, other):
                row.fail("this area exists twice on one day", field="code", found=area.code, expected="separate dates")
        areas.append(area)
    codes = {area.code for area in areas}
    for area in areas:
        for name, code in (("parent", area.parent), ("separated_from", area.separated_from)):
            if code is not None and code not in codes:
                raise BadInput("no such area in this table", file=path, field=name, found=code)
    return tuple(areas)


def areas_on(areas: Iterable[Area], day: datetime.date) -> tuple[Area, ...]:
    """The areas that exist on the day, in the order of the table."""
    return tuple(area for area in areas if area.exists(day))


def _area_of(row: Row) -> Area:
    return Area(
        code=row.text("code"),
        kind=row.text("kind"),
        names={language: row.text(f"name_{language}") for language in LANGUAGES},
        parent=row.cells["parent"] or None,
        since=row.date("since"),
        until=row.date("until"),
        timezone=row.timezone("timezone"),
        weight=row.fraction("weight"),
        classifier=row.cells.get("classifier") or None,
        separated_from=row.cells.get("separated_from") or None,
    )


def _overlap(one: Area, other: Area) -> bool:
    first, last = datetime.date.min, datetime.date.max
    return (one.since or first) <= (other.until or last) and (other.since or first) <= (one.until or last)
