"""Does each sampled station's published protocol say what the observers' copy says, field by field?

A station whose observers differ among themselves is disputed and compared with nothing until their office settled it. A copy that
says what was published before a correction is told apart: the record itself says why it was corrected.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dauys.errors import BadInput
from dauys.observe.known.official import Official, Published, Version
from dauys.registers.cells import LARGEST
from dauys.registers.poll import Labels

STANDINGS = (
    "differ", "corrected", "disputed", "not-published", "quarantined", "annulled", "unverified", "no-copy", "agree",
)  # fmt: skip
"""What can be said of a sampled station, the ones to look at first."""

COMPARED = frozenset({"agree", "differ", "corrected", "quarantined"})
"""Standings in which a copy was held against a published protocol."""

UNUSED = frozenset({"disputed", "unverified", "annulled"})
"""Standings in which a copy goes into no estimate."""


@dataclass(frozen=True, slots=True)
class Copy:
    """What observers copied from one station's protocol.

    `values` may lack a field that could not be read. `photos` are SHA-256 in hex; `report` is the event of the mission's log
    that brought it. `disputed`: another observer of the station says something else (`others`), and the office has not
    settled it. `verified`: the office has looked at it.
    """

    values: Mapping[str, int]
    photos: tuple[str, ...] = ()
    report: int | None = None
    observer: str = ""
    others: tuple[Mapping[str, int], ...] = ()
    disputed: bool = False
    verified: bool = True


@dataclass(frozen=True, slots=True)
class Book:
    """One contest as it was published: its fields in the order of the form, the protocols by station, annulled stations."""

    contest: str
    fields: tuple[str, ...]
    published: Mapping[str, Published]
    areas: Mapping[str, str]
    """The area of each station of the list; a station that is not here is none of the poll."""
    annulled: frozenset[str] = frozenset()
    labels: Mapping[str, Labels] | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """A field whose copy is not what was published."""

    field: str
    copy: int
    published: int


@dataclass(frozen=True, slots=True)
class Standing:
    """One sampled station: what is known of it, where copy and protocol differ, the version that the copy agrees with.

    `unread`: fields of the published protocol that the copy lacks.
    """

    station: str
    area: str
    standing: str
    copy: Copy | None
    published: Published | None
    differences: tuple[Difference, ...] = ()
    corrected: Version | None = None
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """All sampled stations of one contest, differences first."""

    contest: str
    stations: tuple[Standing, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Stations by standing, each of `STANDINGS`."""
        found = Counter(one.standing for one in self.stations)
        return {name: found[name] for name in STANDINGS}

    @property
    def compared(self) -> int:
        """Stations whose copy was held against a published protocol."""
        return sum(one.standing in COMPARED for one in self.stations)

    @property
    def differing(self) -> tuple[Standing, ...]:
        """Those whose copy is not what is published now, corrections included."""
        return tuple(one for one in self.stations if one.differences and one.standing in COMPARED)

    @property
    def usable(self) -> Mapping[str, Copy]:
        """The copies that an estimate may use: verified, not disputed, and not of an annulled vote."""
        return {one.station: one.copy for one in self.stations if one.copy is not None and one.standing not in UNUSED}


def book_of(official: Official, contest: str | None = None) -> Book:
    """The record's protocols of one contest (None: the only one). Raises BadInput for a contest that the poll has not."""
    found = official.poll.contest(contest)
    published = {station: one for (name, station), one in official.protocols.items() if name == found.id}
    void = frozenset(name for name in official.stations if official.is_annulled(found.id, name))
    labels = {field.name: field.labels for field in found.form.fields}
    areas = {name: station.area for name, station in official.stations.items()}
    return Book(found.id, found.form.names, published, areas, void, labels)


def compare(
    copies: Mapping[tuple[str, str], Copy],
    official: Official | Book,
    sampled: Sequence[str],
    contest: str | None = None,
) -> Comparison:
    """Every sampled station's copy, by (contest, station), against what was published.

    `sampled` are the stations of the draw. Raises BadInput: a copy of a station that was not drawn (O.150), a station that the
    poll has not (O.151), an unknown field (O.152), an impossible number (O.153).
    """
    book = official if isinstance(official, Book) else book_of(official, contest)
    own = {station: copy for (name, station), copy in copies.items() if name == book.contest}
    if strangers := sorted(own.keys() - set(sampled)):
        raise BadInput(
            "this station was not drawn: a station of a sample is never replaced by another",
            field="station", found=strangers[0], expected="a station of the sample", check="O.150",
        )  # fmt: skip
    known = set(book.fields)
    for station, copy in own.items():
        for values in (copy.values, *copy.others):
            _check(station, values, known)
    found = [_standing(station, own.get(station), book) for station in dict.fromkeys(sampled)]
    found.sort(key=lambda one: (STANDINGS.index(one.standing), one.station))
    return Comparison(book.contest, tuple(found))


def differences(copy: Mapping[str, int], published: Mapping[str, int], fields: Sequence[str]) -> tuple[Difference, ...]:
    """The fields that both give and that differ, in the order of the form; a field that only one gives is no difference."""
    return tuple(
        Difference(name, copy[name], published[name])
        for name in fields
        if name in copy and name in published and copy[name] != published[name]
    )


def _standing(station: str, copy: Copy | None, book: Book) -> Standing:
    if station not in book.areas:
        raise BadInput(
            "the official list has no such station: is this the record of the poll that the sample was drawn for?",
            field="station", found=station, check="O.151",
        )  # fmt: skip
    area, published = book.areas[station], book.published.get(station)
    if station in book.annulled:
        return Standing(station, area, "annulled", copy, published)
    if copy is None:
        return Standing(station, area, "no-copy", None, published)
    if copy.disputed:
        return Standing(station, area, "disputed", copy, published)
    if not copy.verified:
        return Standing(station, area, "unverified", copy, published)
    if published is None:
        return Standing(station, area, "not-published", copy, None)
    unread = tuple(name for name in book.fields if name in published.values and name not in copy.values)
    apart = differences(copy.values, published.values, book.fields)
    if not published.counted:
        return Standing(station, area, "quarantined", copy, published, apart, None, unread)
    if not apart:
        return Standing(station, area, "agree", copy, published, (), None, unread)
    for version in reversed(published.earlier):
        if not differences(copy.values, version.values, book.fields):
            return Standing(station, area, "corrected", copy, published, apart, version, unread)
    return Standing(station, area, "differ", copy, published, apart, None, unread)


def _check(station: str, values: Mapping[str, int], known: set[str]) -> None:
    for name, value in values.items():
        if name not in known:
            raise BadInput(
                f"the copy of {station} has a field that the protocol has not",
                field=name, expected=", ".join(sorted(known)), check="O.152",
            )  # fmt: skip
        if type(value) is not int or not 0 <= value <= LARGEST:
            raise BadInput(
                f"the copy of {station} has an impossible number",
                field=name, found=value, expected=f"a whole number from 0 to {LARGEST}", check="O.153",
            )  # fmt: skip
