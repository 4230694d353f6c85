"""What does the result look like in the format election offices exchange? NIST SP 1500-100 version 2.0, XML and JSON.

There is one model of the report: plain dicts in the shape of the standard's JSON, their members in the order of its XML
schema (2.0.3), long lists as iterators. Both files are written from it as a stream. What goes where, and what the standard
has no place for, is written down in docs/exports.md.
"""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from dauys.polls.result import ContestStanding, Sheet, Snapshot, contest_standing
from dauys.publish.exports import in_order, state_of
from dauys.registers.poll import Poll, Station

NAMESPACE = "http://itl.nist.gov/ns/voting/1500-100/v2"

NATION = "nation"
"""The id of the unit that holds all areas."""

AREA_TYPES = {"region": "state", "canton": "state", "capital": "city"}
"""Our kinds of area in the standard's words (ReportingUnitType); the kinds of SAME_TYPES keep their name."""

SAME_TYPES = frozenset({"borough", "city", "county", "municipality", "state", "town", "township", "village", "ward"})
ABROAD = "precinct-abroad"
"""OtherType of a station abroad: the standard has no such type of unit."""

DONE = frozenset({"accepted", "annulled"})
"""States of a station from which nothing more is to come."""

Node = dict[str, Any]
"""One object of the report: `@type`, `@id` where others refer to it, then its members in the order of the schema."""

_SUBTYPES = frozenset({"ReportingUnit", "BallotMeasureContest", "BallotMeasureSelection"})
"""Classes that stand in for an abstract one: XML names them by xsi:type."""

_NOT_IN_NAME = re.compile(r"[^A-Za-z0-9_-]")
_NOT_IN_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def report_xml(now: Snapshot) -> bytes:
    """The ElectionReport as XML. A pure function of the snapshot: the verifier renders it again and compares."""
    out = io.BytesIO()
    text = io.TextIOWrapper(out, encoding="utf-8", newline="")
    text.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    _write_xml("ElectionReport", _report(now), text.write)
    text.write("\n")
    text.flush()
    return out.getvalue()


def report_json(now: Snapshot) -> bytes:
    """The same report as JSON, by the standard's JSON schema: every object has its `@type`."""
    out = io.BytesIO()
    text = io.TextIOWrapper(out, encoding="utf-8", newline="")
    _write_json(_report(now), text.write)
    text.write("\n")
    text.flush()
    return out.getvalue()


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
        return _status(Counter(self.states.values()))


def _count(sheet: Sheet) -> _Count:
    standing = contest_standing(sheet)
    states = {sheet.stations[row].id: state_of(sheet, row) for row in in_order(sheet)}
    units: list[tuple[str, Mapping[str, int]]] = [(NATION, standing.totals)] if standing.counted else []
    units += [(_id("area", area.code), area.totals) for area in standing.areas if area.counted]
    units += [(_id("station", key), sheet.held[key].values) for key, state in states.items() if state == "accepted"]
    return _Count(sheet, standing, states, units)


def _report(now: Snapshot) -> Node:
    poll = now.poll
    counts = [_count(sheet) for sheet in now.sheets]
    moment = datetime.fromisoformat(now.as_of).replace(microsecond=0)
    issuer, notes = f"Dauys, from the public record of {poll.id}", [f"Stage: {now.stage}."]
    notes.append(f"Newest of {now.size} entries in the record: {now.as_of}.")
    notes.append("Counts are of accepted protocols; units without counts are missing, in quarantine or annulled.")
    if poll.reconstruction:
        issuer += " (reconstruction)"
        notes.insert(0, "RECONSTRUCTION: no figure of a station here is the real result of any station.")
    return _node(
        "ElectionReport",
        Election=iter([_election(poll, counts)]),
        Format="precinct-level",
        GeneratedDate=moment.isoformat(),
        GpUnit=_units(poll, counts),
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
    return _node(
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


def _ballot_counts(count: _Count, alone: bool) -> Iterator[Node]:
    """Ballots found and ballots invalid. Ballot counts belong to the election: with several contests, each says which."""
    base = next((field.name for field in count.sheet.contest.form.fields if field.role == "base"), "")
    for unit, values in count.units:
        if base in values or "invalid" in values:
            yield _node(
                "BallotCounts",
                GpUnitId=unit,
                Type="total" if alone else "other",
                OtherType=None if alone else count.id,
                BallotsCast=values.get(base),
                BallotsRejected=values.get("invalid"),
            )


def _contest(poll: Poll, count: _Count, number: int) -> Node:
    contest, question = count.sheet.contest, _labels(count.sheet.contest.question)
    return _node(
        "BallotMeasureContest",
        count.id,
        BallotTitle=question,
        ContestSelection=(_selection(count, option, place) for place, option in enumerate(contest.options, start=1)),
        CountStatus=[_node("CountStatus", Status=count.status, Type="total")],
        ElectionDistrictId=NATION,
        ExternalIdentifier=_identifiers("contest", contest.id, "national-level"),
        Name=_text(f"{poll.id} {contest.id}"),
        OtherCounts=(
            _node("OtherCounts", GpUnitId=unit, Overvotes=values["not_counted"])
            for unit, values in count.units
            if "not_counted" in values
        ),
        SequenceOrder=number,
        SubUnitsReported=count.standing.counted,
        TotalSubUnits=count.standing.expected,
        FullText=question,
        Type="referendum",
    )


def _selection(count: _Count, option: str, place: int) -> Node:
    key = f"{count.sheet.contest.id}/{option}"
    return _node(
        "BallotMeasureSelection",
        _id("selection", key),
        SequenceOrder=place,
        VoteCounts=(
            _node("VoteCounts", GpUnitId=unit, Type="total", Count=values[option])
            for unit, values in count.units
            if option in values
        ),
        ExternalIdentifier=_identifiers("selection", key, "national-level"),
        Selection=_labels(count.sheet.contest.form.field(option).labels),
    )


def _units(poll: Poll, counts: Sequence[_Count]) -> Iterator[Node]:
    """The nation, its areas, their stations. A unit names the units it is composed of."""
    sheet = counts[0].sheet
    stations = [sheet.stations[row] for row in in_order(sheet)]
    by_area: dict[str, list[Station]] = {area.code: [] for area in poll.areas}
    for station in stations:
        by_area[station.area].append(station)
    country = poll.id.partition("/")[0]
    ocd = [("ocd-id", f"ocd-division/country:{country}")] if re.fullmatch("[a-z]{2}", country) else []
    yield _unit(
        NATION,
        _identifiers(NATION, "", *ocd),
        {"kk": "Барлық аумақтар", "ru": "Все территории", "en": "All territories"},
        "country",
        counts,
        stations,
        [_id("area", area.code) for area in poll.areas],
    )
    for area in poll.areas:
        kind = AREA_TYPES.get(area.kind, area.kind)
        codes = [("national-level", area.classifier)] if area.classifier else []
        parts = by_area[area.code]
        yield _unit(
            _id("area", area.code),
            _identifiers("area", area.code, "local-level", *codes),
            area.names,
            kind,
            counts,
            parts,
            [_id("station", station.id) for station in parts],
        )
    for station in stations:
        yield _unit(
            _id("station", station.id),
            _identifiers("station", station.id, "local-level"),
            {"en": f"Station {station.id}"},
            ABROAD if station.abroad else "precinct",
            counts,
            [station],
        )


def _unit(
    unit: str,
    identifiers: list[Node],
    names: Mapping[str, str],
    kind: str,
    counts: Sequence[_Count],
    stations: Sequence[Station],
    parts: Sequence[str] | None = None,
) -> Node:
    """One ReportingUnit over `stations`. A station has a count status; what is composed has numbers of stations instead."""
    known = kind in SAME_TYPES or kind in ("country", "precinct")
    single = parts is None
    statuses = [_station_status(counts, station) for station in stations] if single else []
    return _node(
        "ReportingUnit",
        unit,
        ComposingGpUnitIds=list(parts) if parts else None,
        ExternalIdentifier=identifiers,
        Name=_labels(names),
        CountStatus=[_node("CountStatus", Status=status, Type="total") for status in statuses] or None,
        SubUnitsReported=None if single else sum(_reported(counts, station) for station in stations),
        TotalSubUnits=None if single else len(stations),
        Type=kind if known else "other",
        OtherType=None if known else _text(kind),
        VotersParticipated=_received(counts, stations),
        VotersRegistered=sum(_registered(counts, station) for station in stations),
    )


def _accepted(counts: Sequence[_Count], station: Station) -> Iterator[Mapping[str, int]]:
    """The protocols of a station that are in the sums, contest by contest."""
    return (count.sheet.held[station.id].values for count in counts if count.states[station.id] == "accepted")


def _reported(counts: Sequence[_Count], station: Station) -> bool:
    return all(count.states[station.id] == "accepted" for count in counts)


def _registered(counts: Sequence[_Count], station: Station) -> int:
    """The list at the end of the day by the first accepted protocol; before that, the list when the poll opened."""
    return next((v["eligible"] for v in _accepted(counts, station) if "eligible" in v), station.eligible)


def _received(counts: Sequence[_Count], stations: Sequence[Station]) -> int | None:
    """Voters who were handed a ballot, where that is one number: in a poll with one contest."""
    if len(counts) > 1:
        return None
    given = [v["received"] for station in stations for v in _accepted(counts, station) if "received" in v]
    return sum(given) if given else None


def _station_status(counts: Sequence[_Count], station: Station) -> str:
    return _status(Counter(count.states[station.id] for count in counts))


def _status(states: Counter[str]) -> str:
    """CountItemStatus of a set of protocols: what is in quarantine, or voted again, is in process."""
    if DONE.issuperset(states):
        return "completed"
    return "not-processed" if set(states) == {"missing"} else "in-process"


# Its parts


def _node(cls: str, key: str | None = None, /, **members: Any) -> Node:
    """An object of class `cls` with the id `key`, without the members that are None."""
    node = {"@type": f"ElectionResults.{cls}", "@id": key, **members}
    return {name: value for name, value in node.items() if value is not None}


def _id(kind: str, key: str) -> str:
    """An xsd:ID of its own for every (kind, key): the key itself, or 64 bits of its SHA-256 where it is no plain name."""
    if _NOT_IN_NAME.search(key):
        return f"{kind}_{sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
    return f"{kind}-{key}"


def _identifiers(kind: str, key: str, *known: str | tuple[str, str]) -> list[Node]:
    """ExternalIdentifiers: the key itself under a type, codes of other registers, and the `stable` id that consumers ask for."""
    pairs = [(code, key) if isinstance(code, str) else code for code in known]
    stable = _id(kind, key) if key else kind
    return [_node("ExternalIdentifier", Type=code, Value=_text(value)) for code, value in pairs] + [
        _node("ExternalIdentifier", Type="other", OtherType="stable", Value=stable)
    ]


def _labels(labels: Mapping[str, str]) -> Node | None:
    """InternationalizedText; by language, since a record read again has its members in that order."""
    texts = [
        _node("LanguageString", Content=_text(text), Language=language)
        for language, text in sorted(labels.items())
        if text.strip()
    ]
    return _node("InternationalizedText", Text=texts) if texts else None


def _text(text: str) -> str:
    """Text that XML 1.0 can hold (section 2.2), the same in both files."""
    return _NOT_IN_XML.sub("\ufffd", text)


# The two ways of writing it down


def _write_json(value: Any, write: Callable[[str], object]) -> None:
    if isinstance(value, Iterator):
        write("[")
        for number, item in enumerate(value):
            write(",\n" if number else "\n")
            _write_json(item, write)
        write("]")
    elif isinstance(value, dict) and any(isinstance(member, Iterator) for member in value.values()):
        for number, (name, member) in enumerate(value.items()):
            write(f"{',' if number else '{'}{json.dumps(name)}:")
            _write_json(member, write)
        write("}")
    else:
        write(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _write_xml(name: str, value: Any, write: Callable[[str], object]) -> None:
    if isinstance(value, Iterator):
        for item in value:
            write("\n")
            _write_xml(name, item, write)
    elif isinstance(value, list) and name.endswith("Ids"):
        write(f"<{name}>{' '.join(value)}</{name}>")
    elif isinstance(value, list):
        for item in value:
            _write_xml(name, item, write)
    elif not isinstance(value, dict):
        write(f"<{name}>{escape(str(value))}</{name}>")
    elif "Language" in value:
        write(f"<{name} Language={quoteattr(value['Language'])}>{escape(value['Content'])}</{name}>")
    else:
        write(f"<{name}{_attributes(value)}>")
        for member, part in value.items():
            if not member.startswith("@"):
                _write_xml(member, part, write)
        write(f"</{name}>")


def _attributes(node: Node) -> str:
    cls = node["@type"].removeprefix("ElectionResults.")
    if cls == "ElectionReport":
        return f' xmlns="{NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    return (f' ObjectId="{node["@id"]}"' if "@id" in node else "") + (f' xsi:type="{cls}"' if cls in _SUBTYPES else "")
