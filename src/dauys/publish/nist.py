"""What does the result look like in the format election offices exchange? NIST SP 1500-100 version 2.0, XML and JSON.

There is one model of the report: plain dicts in the shape of the standard's JSON, their members in the order of its XML
schema (2.0.3), long lists as iterators; publish.nist_files writes both files from it. What goes where, and what the standard
has no place for, is written down in docs/exports.md.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import groupby

from dauys.polls.result import ContestStanding, Sheet, Snapshot, contest_standing
from dauys.publish.exports import in_order, states_of
from dauys.publish.nist_files import NUMBER, TEXT, WORD, Alike, Node, Row, alike, json_bytes, node, xml_bytes
from dauys.registers.poll import Poll, Station

NATION = "nation"
"""The id of the unit that holds all areas."""

AREA_TYPES = {"region": "state", "canton": "state", "capital": "city"}
"""Our kinds of area in the standard's words (ReportingUnitType); the kinds of SAME_TYPES keep their name."""

SAME_TYPES = frozenset({"borough", "city", "county", "municipality", "state", "town", "township", "village", "ward"})
ABROAD = "precinct-abroad"
"""OtherType of a station abroad: the standard has no such type of unit."""

DONE = frozenset({"accepted", "annulled"})
"""States of a station from which nothing more is to come."""

_NOT_IN_NAME = re.compile(r"[^A-Za-z0-9_-]")
_NOT_IN_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Report:
    """The ElectionReport of a snapshot, of which it is a pure function: the verifier renders it again and compares.

    `standings` are those of the snapshot's sheets.
    """

    def __init__(self, now: Snapshot, standings: Sequence[ContestStanding]) -> None:
        self._now = now
        ids = {station.id: _id("station", station.id) for station in now.sheets[0].stations}
        self._counts = [_count(sheet, standing, ids) for sheet, standing in zip(now.sheets, standings, strict=True)]
        self._lines = _lines(self._counts, ids)

    def xml(self) -> bytes:
        """As XML."""
        return xml_bytes(_report(self._now, self._counts, self._lines))

    def json(self) -> bytes:
        """The same as JSON."""
        return json_bytes(_report(self._now, self._counts, self._lines))


def report_xml(now: Snapshot) -> bytes:
    """The ElectionReport as XML alone."""
    return Report(now, [contest_standing(sheet) for sheet in now.sheets]).xml()


def report_json(now: Snapshot) -> bytes:
    """The ElectionReport as JSON alone."""
    return Report(now, [contest_standing(sheet) for sheet in now.sheets]).json()


# The model


@dataclass(frozen=True, slots=True)
class _Count:
    """What a contest's part of the report is made of: `units` are the ids and values of every unit with counts.

    `states` are by station. A unit in which nothing is counted is not among `units`: no count is not a count of nought.
    """

    sheet: Sheet
    standing: ContestStanding
    states: Mapping[str, str]
    units: Sequence[tuple[str, Mapping[str, int]]]

    @property
    def id(self) -> str:
        return _id("contest", self.sheet.contest.id)

    @property
    def status(self) -> str:
        return _status(set(self.states.values()))


def _count(sheet: Sheet, standing: ContestStanding, ids: Mapping[str, str]) -> _Count:
    every = states_of(sheet)
    states = {sheet.stations[row].id: every[row] for row in in_order(sheet)}
    units: list[tuple[str, Mapping[str, int]]] = [(NATION, standing.totals)] if standing.counted else []
    units += [(_id("area", area.code), area.totals) for area in standing.areas if area.counted]
    units += [(ids[key], sheet.held[key].values) for key, state in states.items() if state == "accepted"]
    return _Count(sheet, standing, states, units)


@dataclass(frozen=True, slots=True)
class _Line:
    """A station as its unit: CountStatus, whether all its protocols count, its list, the voters with a ballot.

    `registered` is the list at the end of the day by the first accepted protocol; before that, when the poll opened.
    `received` is None where it is not given, or not one number: in a poll with several contests.
    """

    id: str
    station: Station
    status: str
    reported: bool
    registered: int
    received: int | None


def _lines(counts: Sequence[_Count], ids: Mapping[str, str]) -> list[_Line]:
    """Every station by id."""
    sheet = counts[0].sheet
    stations = [sheet.stations[row] for row in in_order(sheet)]
    return [_line(counts, station, ids[station.id]) for station in stations]


def _line(counts: Sequence[_Count], station: Station, unit: str) -> _Line:
    states = {count.states[station.id] for count in counts}
    accepted = [count.sheet.held[station.id].values for count in counts if count.states[station.id] == "accepted"]
    registered = next((values["eligible"] for values in accepted if "eligible" in values), station.eligible)
    received = accepted[0].get("received") if accepted and len(counts) == 1 else None
    return _Line(unit, station, _status(states), states == {"accepted"}, registered, received)


def _report(now: Snapshot, counts: Sequence[_Count], lines: Sequence[_Line]) -> Node:
    poll = now.poll
    moment = datetime.fromisoformat(now.as_of).replace(microsecond=0)
    issuer, notes = f"Dauys, from the public record of {poll.id}", [f"Stage: {now.stage}."]
    notes.append(f"Newest of {now.size} entries in the record: {now.as_of}.")
    notes.append("Counts are of accepted protocols; units without counts are missing, in quarantine or annulled.")
    if poll.reconstruction:
        issuer += " (reconstruction)"
        notes.insert(0, "RECONSTRUCTION: no figure of a station here is the real result of any station.")
    return node(
        "ElectionReport",
        Election=iter([_election(poll, counts)]),
        Format="precinct-level",
        GeneratedDate=moment.isoformat(),
        GpUnit=_units(poll, lines),
        Issuer=_text(issuer),
        IssuerAbbreviation=_text(poll.id.partition("/")[0].upper()),
        Notes=_text(" ".join(notes)),
        SequenceStart=1,
        SequenceEnd=1,
        Status=_results_status(now, counts),
        VendorApplicationId="Dauys",
    )


def _results_status(now: Snapshot, counts: Sequence[_Count]) -> str:
    """ResultsStatus: the last of the poll's declarations certifies; before it results are unofficial."""
    if now.stage in ("opening", "voting"):
        return "pre-election"
    last = max(now.poll.stages, key=lambda stage: now.poll.stages[stage], default="final")
    if now.stage == last:
        return "certified"
    return "unofficial-complete" if all(count.status == "completed" for count in counts) else "unofficial-partial"


def _election(poll: Poll, counts: Sequence[_Count]) -> Node:
    return node(
        "Election",
        BallotCounts=(ballots for count in counts for ballots in _ballot_counts(count, alone=len(counts) == 1)),
        Contest=(_contest(poll, count, number) for number, count in enumerate(counts, start=1)),
        ElectionScopeId=NATION,
        ExternalIdentifier=_identifiers("poll", poll.id, "national-level"),
        Name=_labels(poll.names),
        StartDate=poll.day.isoformat(),
        EndDate=poll.day.isoformat(),
        Type="general",
    )


def _ballot_counts(count: _Count, alone: bool) -> Iterator[Alike]:
    """Ballots found and ballots invalid. Ballot counts belong to the election: with several contests, each says which."""
    base = next((field.name for field in count.sheet.contest.form.fields if field.role == "base"), "")
    rows = ((unit, values.get(base), values.get("invalid")) for unit, values in count.units)

    def form(given: tuple[bool, ...]) -> Node:
        return node(
            "BallotCounts",
            GpUnitId=WORD,
            Type="total" if alone else "other",
            OtherType=None if alone else count.id,
            BallotsCast=NUMBER if given[1] else None,
            BallotsRejected=NUMBER if given[2] else None,
        )

    return alike((row for row in rows if row[1:] != (None, None)), form)


def _contest(poll: Poll, count: _Count, number: int) -> Node:
    contest, question = count.sheet.contest, _labels(count.sheet.contest.question)
    return node(
        "BallotMeasureContest",
        count.id,
        BallotTitle=question,
        ContestSelection=(_selection(count, option, place) for place, option in enumerate(contest.options, start=1)),
        CountStatus=[node("CountStatus", Status=count.status, Type="total")],
        ElectionDistrictId=NATION,
        ExternalIdentifier=_identifiers("contest", contest.id, "national-level"),
        Name=_text(f"{poll.id} {contest.id}"),
        OtherCounts=alike(
            _values(count, "not_counted"), lambda given: node("OtherCounts", GpUnitId=WORD, Overvotes=NUMBER)
        ),
        SequenceOrder=number,
        SubUnitsReported=count.standing.counted,
        TotalSubUnits=count.standing.expected,
        FullText=question,
        Type="referendum",
    )


def _selection(count: _Count, option: str, place: int) -> Node:
    key = f"{count.sheet.contest.id}/{option}"
    return node(
        "BallotMeasureSelection",
        _id("selection", key),
        SequenceOrder=place,
        VoteCounts=alike(
            _values(count, option), lambda given: node("VoteCounts", GpUnitId=WORD, Type="total", Count=NUMBER)
        ),
        ExternalIdentifier=_identifiers("selection", key, "national-level"),
        Selection=_labels(count.sheet.contest.form.field(option).labels),
    )


def _values(count: _Count, field: str) -> Iterator[Row]:
    """One field by unit, where it is given."""
    return ((unit, values[field]) for unit, values in count.units if field in values)


def _units(poll: Poll, lines: Sequence[_Line]) -> Iterator[Node | Alike]:
    """The nation, its areas, their stations. A unit names the units it is composed of."""
    by_area: dict[str, list[_Line]] = {area.code: [] for area in poll.areas}
    for line in lines:
        by_area[line.station.area].append(line)
    country = poll.id.partition("/")[0]
    ocd = [("ocd-id", f"ocd-division/country:{country}")] if re.fullmatch("[a-z]{2}", country) else []
    yield _composed(
        NATION,
        _identifiers(NATION, "", *ocd),
        {"kk": "Барлық аумақтар", "ru": "Все территории", "en": "All territories"},
        "country",
        lines,
        [_id("area", area.code) for area in poll.areas],
    )
    for area in poll.areas:
        kind = AREA_TYPES.get(area.kind, area.kind)
        codes = [("national-level", area.classifier)] if area.classifier else []
        parts = by_area[area.code]
        yield _composed(
            _id("area", area.code),
            _identifiers("area", area.code, "local-level", *codes),
            area.names,
            kind,
            parts,
            [line.id for line in parts],
        )
    for abroad, group in groupby(lines, key=lambda line: line.station.abroad):
        yield from _stations(group, abroad)


def _composed(
    unit: str,
    identifiers: list[Node],
    names: Mapping[str, str],
    kind: str,
    lines: Sequence[_Line],
    parts: Sequence[str],
) -> Node:
    """A ReportingUnit of the stations `lines`. It has numbers of stations in the place of a count status."""
    known = kind in SAME_TYPES or kind in ("country", "precinct")
    received = [line.received for line in lines if line.received is not None]
    return node(
        "ReportingUnit",
        unit,
        ComposingGpUnitIds=parts or None,
        ExternalIdentifier=identifiers,
        Name=_labels(names),
        SubUnitsReported=sum(line.reported for line in lines),
        TotalSubUnits=len(lines),
        Type=kind if known else "other",
        OtherType=None if known else _text(kind),
        VotersParticipated=sum(received) if received else None,
        VotersRegistered=sum(line.registered for line in lines),
    )


def _stations(lines: Iterable[_Line], abroad: bool) -> Iterator[Alike]:
    """The ReportingUnits of stations, which differ in little."""

    def row(line: _Line) -> Row:
        key = _text(line.station.id)
        return line.id, key, line.id, key, line.status, line.received, line.registered

    def form(given: tuple[bool, ...]) -> Node:
        return node(
            "ReportingUnit",
            WORD,
            ExternalIdentifier=[
                node("ExternalIdentifier", Type="local-level", Value=TEXT),
                node("ExternalIdentifier", Type="other", OtherType="stable", Value=WORD),
            ],
            Name=node("InternationalizedText", Text=[_language("en", f"Station {TEXT}")]),
            CountStatus=[node("CountStatus", Status=WORD, Type="total")],
            Type="other" if abroad else "precinct",
            OtherType=ABROAD if abroad else None,
            VotersParticipated=NUMBER if given[5] else None,
            VotersRegistered=NUMBER,
        )

    return alike(map(row, lines), form)


def _status(states: Collection[str]) -> str:
    """CountItemStatus of a set of protocols: what is in quarantine, or voted again, is in process."""
    if DONE.issuperset(states):
        return "completed"
    return "not-processed" if set(states) == {"missing"} else "in-process"


# Its parts


def _id(kind: str, key: str) -> str:
    """An xsd:ID of its own for every (kind, key): the key itself, or 64 bits of its SHA-256 where it is no plain name."""
    if _NOT_IN_NAME.search(key):
        return f"{kind}_{sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
    return f"{kind}-{key}"


def _identifiers(kind: str, key: str, *known: str | tuple[str, str]) -> list[Node]:
    """ExternalIdentifiers: the key itself under a type, codes of other registers, and the `stable` id that consumers ask for."""
    pairs = [(code, key) if isinstance(code, str) else code for code in known]
    stable = _id(kind, key) if key else kind
    return [node("ExternalIdentifier", Type=code, Value=_text(value)) for code, value in pairs] + [
        node("ExternalIdentifier", Type="other", OtherType="stable", Value=stable)
    ]


def _labels(labels: Mapping[str, str]) -> Node | None:
    """InternationalizedText; by language, since a record read again has its members in that order."""
    texts = [_language(language, _text(text)) for language, text in sorted(labels.items()) if text.strip()]
    return node("InternationalizedText", Text=texts) if texts else None


def _language(language: str, text: str) -> Node:
    return node("LanguageString", Content=text, Language=language)


def _text(text: str) -> str:
    """Text that XML 1.0 can hold (section 2.2), the same in both files."""
    return _NOT_IN_XML.sub("\ufffd", text)
