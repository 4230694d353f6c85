"""Who observes where? Lists of observers read and judged, and an even assignment to the stations that were drawn.

An observer is at one station at a time, and of each organisation there is one at a station (Elections law 20, 20-1, 20-2).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heapreplace
from pathlib import Path

from dauys.errors import BadInput
from dauys.observe.known.model import Mission
from dauys.registers.blocks import decode
from dauys.regular_file import read_regular

ID = re.compile("[A-Z0-9][A-Z0-9-]{0,19}")
PHONE = re.compile(r"\+?[0-9]{5,15}")
LONGEST_NAME, LARGEST_LIST, MOST_ROWS = 120, 8 << 20, 20_000
COLUMNS = ("name", "organisation", "phone", "badge", "area", "station", "id")
"""What a list may have; `name` it must have. `area` is where the observer lives, `station` where he is to be."""


class Crowded(BadInput):
    """An observer may not join one of his organisation at a station (O.027). `cite`: the article, where a law says so."""

    def __init__(
        self, station: str, there: str, cite: str = "", file: str | Path | None = None, row: int | None = None
    ) -> None:
        self.cite = cite
        message = f"{there} of the same organisation is at station {station}"
        expected = "one observer of an organisation at a station at a time"
        super().__init__(message, file=file, row=row, field="station", found=station, expected=expected, check="O.027")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is to be an observer, and where (empty: not yet said)."""

    id: str
    name: str
    organisation: str
    phone: str = ""
    badge: str = ""
    area: str = ""
    station: str = ""

    def body(self, secret: str) -> dict[str, str]:
        """The event's body. `secret` is the mark of his code."""
        return {
            "id": self.id, "name": self.name, "organisation": self.organisation, "secret": secret, "phone": self.phone,
            "badge": self.badge, "area": self.area,
        }  # fmt: skip


@dataclass
class Entered:
    """What is entered together: ids and stations that are taken already, so that a list is judged against itself, too."""

    mission: Mission
    cite: str = ""
    """The article by which one observer of an organisation is at a station at a time."""
    _ids: set[str] = field(default_factory=set)
    _there: dict[str, dict[str, str]] = field(default_factory=dict)
    """Station to organisation to who of it is to be there."""
    _next: int = 0

    def person(self, row: Mapping[str, str], place: str | Path | None = None, number: int | None = None) -> Person:
        """The observer that a row or a form describes. Raises BadInput O.026 with file and row, where they are given."""

        def bad(message: str, name: str, expected: str) -> BadInput:
            found = row.get(name, "")[:60]
            return BadInput(message, file=place, row=number, field=name, found=found, expected=expected, check="O.026")

        name = " ".join(row.get("name", "").split())
        if not name or len(name) > LONGEST_NAME or not name.isprintable():
            raise bad("an observer has a name", "name", f"up to {LONGEST_NAME} characters")
        organisations = self.organisations()
        organisation = row.get("organisation", "").strip().lower() or (organisations[0] if organisations else "")
        if organisation not in organisations:
            raise bad(
                "the organisation is not one of the mission", "organisation", ", ".join(organisations) or "set-up first"
            )
        phone = re.sub(r"[\s()-]", "", row.get("phone", ""))
        if phone and PHONE.fullmatch(phone) is None:
            raise bad("this is no telephone number", "phone", "digits, with or without + and blanks")
        typed = row.get("id", "").strip().upper()
        if typed and (ID.fullmatch(typed) is None or typed in self.mission.observers or typed in self._ids):
            raise bad(
                "this id will not do, or is taken", "id", "letters, digits and hyphens; or nothing, then one is given"
            )
        station = row.get("station", "").strip()
        drawn = () if self.mission.sample is None else self.mission.sample.drawn
        if station and station not in drawn:
            raise bad("this station was not drawn", "station", "a station of the sample; or nothing")
        there = self._there.get(station, {}).get(organisation) or at_station(self.mission, organisation, station)
        if station and there:
            raise Crowded(station, there, self.cite, place, number)
        person = Person(
            typed or self._free(), name, organisation, phone, row.get("badge", "").strip()[:80],
            row.get("area", "").strip()[:40], station,
        )  # fmt: skip
        self._ids.add(person.id)
        if station:
            self._there.setdefault(station, {})[organisation] = person.id
        return person

    def organisations(self) -> list[str]:
        """The mission's own organisation, and those in coalition with it."""
        identity = self.mission.identity
        return [] if identity is None else [identity.code, *identity.coalition]

    def _free(self) -> str:
        """The next id that nobody has."""
        self._next = self._next or 1 + len(self.mission.observers)
        while (name := f"O-{self._next:03d}") in self.mission.observers or name in self._ids:
            self._next += 1
        return name


def at_station(mission: Mission, organisation: str, station: str) -> str:
    """The observer of an organisation who is assigned to a station now; empty: nobody."""
    there = mission.assigned.get(station, ())
    return next((name for name in there if mission.observers[name].organisation == organisation), "")


def read_list(path: Path, mission: Mission, cite: str = "") -> list[Person]:
    """The observers of a CSV list, all or none. Raises BadInput with the first row that is wrong. `cite`: as of `Entered`."""
    try:
        data = read_regular(path, LARGEST_LIST)
    except OSError as error:
        raise BadInput(f"the list cannot be read: {error.strerror}", field="file", check="O.026") from error
    text = decode(data.removeprefix(b"\xef\xbb\xbf"), Path("list"), 1)
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    rows = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
    entered, found = Entered(mission, cite), list[Person]()
    try:
        labels = [label.strip().lower() for label in next(rows, [])]
        if unknown := [label for label in labels if label not in COLUMNS]:
            message = "the list has a column that nobody knows"
            raise BadInput(message, row=1, field=unknown[0], expected=", ".join(COLUMNS), check="O.026")
        if "name" not in labels or len(set(labels)) < len(labels):
            message = "the list has no column of names, or one twice"
            raise BadInput(message, row=1, expected=", ".join(COLUMNS), check="O.026")
        for cells in rows:
            if not any(cell.strip() for cell in cells):
                continue
            if any(cell.strip() for cell in cells[len(labels) :]):
                message = "the row has more cells than the first one"
                raise BadInput(message, row=rows.line_num, found=cells[len(labels)], check="O.026")
            found.append(entered.person(dict(zip(labels, cells, strict=False)), None, rows.line_num))
            if len(found) > MOST_ROWS:
                message = "the list is too long"
                raise BadInput(message, row=rows.line_num, expected=f"at most {MOST_ROWS:,} rows", check="O.026")
    except csv.Error as error:
        raise BadInput(f"this is not CSV: {error}", row=rows.line_num, check="O.026") from None
    if not found:
        raise BadInput("the list is empty", expected="a row for each observer", check="O.026")
    return found


def even(
    mission: Mission, organisation: str, areas: Mapping[str, str], scope: Iterable[str] = ("*",), most: int = 1
) -> list[tuple[str, str]]:
    """Pairs (station, observer) that send an organisation's free observers to the drawn stations without one of theirs.

    Who has fewest stations goes first, none gets more than `most`; who lives in a station's area goes there before others,
    then by id. Stations come in the order of their tickets, so that too few observers leave a sample of the sample. `areas`
    maps stations to areas, `scope` are those in which the organisation is accredited.
    """
    drawn = () if mission.sample is None else mission.sample.stations
    within = set(scope)
    free = [one for one in mission.observers.values() if one.organisation == organisation and not one.suspended]
    load = {one.id: len(mission.where(one.id)) for one in free}
    empty = [
        station
        for station in drawn
        if ("*" in within or areas.get(station) in within)
        and not any(mission.observers[name].organisation == organisation for name in mission.assigned.get(station, ()))
    ]
    pairs: list[tuple[str, str]] = []
    for home in (True, False):
        pools: dict[str, list[tuple[int, str]]] = {}
        for one in free:
            if not home or one.area:
                pools.setdefault(one.area if home else "", []).append((load[one.id], one.id))
        for pool in pools.values():
            heapify(pool)
        for station in list(empty):
            pool = pools.get(areas.get(station, "") if home else "", [])
            if pool and pool[0][0] < most:
                stations, chosen = pool[0]
                heapreplace(pool, (stations + 1, chosen))
                load[chosen] += 1
                pairs.append((station, chosen))
        taken = {station for station, _ in pairs}
        empty = [station for station in empty if station not in taken]
    order = {station: place for place, station in enumerate(drawn)}
    return sorted(pairs, key=lambda pair: order[pair[0]])


def without(mission: Mission) -> Sequence[str]:
    """The drawn stations where nobody of the mission is to be."""
    drawn = () if mission.sample is None else mission.sample.stations
    return [station for station in drawn if not mission.assigned.get(station)]
