"""The classes of NIST SP 1500-100 version 2.0.3 that a report of a ballot measure uses, as one table.

Retyped from the class model of the published schema: names, order, types, how often. From it the tests make an XML
schema and check the JSON. It is narrower than the standard's own: members that we never write are left out, so whatever
fits here fits there. `LanguageString` is text with a language.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

NAMESPACE = "http://itl.nist.gov/ns/voting/1500-100/v2"

CLASSES = {
    "ElectionReport": "Election:Election* ExternalIdentifier:ExternalIdentifier* Format:ReportDetailLevel"
    " GeneratedDate:DateTimeWithZone GpUnit:GpUnit* Issuer:string IssuerAbbreviation:string IsTest:boolean?"
    " Notes:string? SequenceStart:integer SequenceEnd:integer Status:ResultsStatus TestType:string?"
    " VendorApplicationId:string",
    "Election": "BallotCounts:BallotCounts* Contest:Contest* CountStatus:CountStatus* ElectionScopeId:IDREF"
    " ExternalIdentifier:ExternalIdentifier* Name:InternationalizedText StartDate:date EndDate:date Type:ElectionType"
    " OtherType:string?",
    "Contest": "Abbreviation:string? BallotSubTitle:InternationalizedText? BallotTitle:InternationalizedText?"
    " ContestSelection:ContestSelection* CountStatus:CountStatus* ElectionDistrictId:IDREF"
    " ExternalIdentifier:ExternalIdentifier* HasRotation:boolean? Name:string OtherCounts:OtherCounts*"
    " SequenceOrder:integer? SubUnitsReported:integer? TotalSubUnits:integer? VoteVariation:VoteVariation?"
    " OtherVoteVariation:string?",
    "BallotMeasureContest": "ConStatement:InternationalizedText? EffectOfAbstain:InternationalizedText?"
    " FullText:InternationalizedText? PassageThreshold:InternationalizedText? ProStatement:InternationalizedText?"
    " SummaryText:InternationalizedText? Type:BallotMeasureType? OtherType:string?",
    "ContestSelection": "SequenceOrder:integer? VoteCounts:VoteCounts*",
    "BallotMeasureSelection": "ExternalIdentifier:ExternalIdentifier* Selection:InternationalizedText",
    "Counts": "GpUnitId:IDREF IsSuppressedForPrivacy:boolean? Round:integer? Type:CountItemType OtherType:string?",
    "VoteCounts": "Count:double",
    "BallotCounts": "BallotsCast:integer? BallotsOutstanding:integer? BallotsRejected:integer?",
    "OtherCounts": "GpUnitId:IDREF Overvotes:float? Undervotes:float? WriteIns:integer?",
    "CountStatus": "Status:CountItemStatus Type:CountItemType OtherType:string?",
    "GpUnit": "ComposingGpUnitIds:IDREFS? ExternalIdentifier:ExternalIdentifier* Name:InternationalizedText?",
    "ReportingUnit": "CountStatus:CountStatus* IsDistricted:boolean? IsMailOnly:boolean? Number:string?"
    " SubUnitsReported:integer? TotalSubUnits:integer? Type:ReportingUnitType OtherType:string?"
    " VotersParticipated:integer? VotersRegistered:integer?",
    "ExternalIdentifier": "Type:IdentifierType OtherType:string? Value:string",
    "InternationalizedText": "Text:LanguageString+",
}
BASES = {
    "BallotMeasureContest": "Contest",
    "BallotMeasureSelection": "ContestSelection",
    "VoteCounts": "Counts",
    "BallotCounts": "Counts",
    "ReportingUnit": "GpUnit",
}
ABSTRACT = {"Contest", "ContestSelection", "Counts", "GpUnit"}
WITH_ID = {"Contest", "ContestSelection", "GpUnit"}

WORDS = {
    "BallotMeasureType": "ballot-measure initiative recall referendum other",
    "CountItemStatus": "completed in-process not-processed unknown",
    "CountItemType": "absentee absentee-fwab absentee-in-person absentee-mail early election-day provisional seats total"
    " uocava write-in other",
    "ElectionType": "general partisan-primary-closed partisan-primary-open primary runoff special other",
    "IdentifierType": "fips local-level national-level ocd-id state-level other",
    "ReportDetailLevel": "precinct-level summary-contest",
    "ReportingUnitType": "ballot-batch ballot-style-area borough city city-council combined-precinct congressional country"
    " county county-council drop-box judicial municipality polling-place precinct school special split-precinct state"
    " state-house state-senate town township utility village vote-center ward water other",
    "ResultsStatus": "certified correction pre-election recount unofficial-complete unofficial-partial",
    "VoteVariation": "approval borda cumulative majority n-of-m plurality proportional range rcv super-majority other",
}

Member = tuple[str, str, str]
"""Name, type, and how often: "" once, "?" at most once, "*" any number, "+" at least once."""


def own_members(cls: str) -> list[Member]:
    """The members a class adds to those of its base, in the order of the schema."""
    parts = [part.partition(":") for part in CLASSES[cls].split()]
    return [(name, kind.rstrip("?*+"), kind[len(kind.rstrip("?*+")) :]) for name, _, kind in parts]


def members(cls: str) -> list[Member]:
    return (members(BASES[cls]) if cls in BASES else []) + own_members(cls)


def xsd() -> str:
    """The table as an XML schema."""
    return (
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="{NAMESPACE}" targetNamespace="{NAMESPACE}"'
        ' elementFormDefault="qualified">\n<xs:element name="ElectionReport" type="ElectionReport"/>\n'
        '<xs:simpleType name="DateTimeWithZone"><xs:restriction base="xs:dateTime"><xs:pattern'
        r' value="\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+\-]\d\d:\d\d)"/></xs:restriction></xs:simpleType>' + "\n"
        '<xs:complexType name="LanguageString"><xs:simpleContent><xs:extension base="xs:string"><xs:attribute'
        ' name="Language" type="xs:language" use="required"/></xs:extension></xs:simpleContent></xs:complexType>\n'
        + "\n".join([*map(_xsd_words, WORDS), *map(_xsd_class, CLASSES)])
        + "\n</xs:schema>\n"
    )


def _xsd_words(name: str) -> str:
    values = "".join(f'<xs:enumeration value="{word}"/>' for word in WORDS[name].split())
    return f'<xs:simpleType name="{name}"><xs:restriction base="xs:string">{values}</xs:restriction></xs:simpleType>'


def _xsd_class(cls: str) -> str:
    known = {*CLASSES, *WORDS, "LanguageString", "DateTimeWithZone"}
    often = {"": "", "?": ' minOccurs="0"', "*": ' minOccurs="0" maxOccurs="unbounded"', "+": ' maxOccurs="unbounded"'}
    body = "".join(
        f'<xs:element name="{name}" type="{kind if kind in known else "xs:" + kind}"{often[times]}/>'
        for name, kind, times in own_members(cls)
    )
    body = f"<xs:sequence>{body}</xs:sequence>"
    body += '<xs:attribute name="ObjectId" type="xs:ID" use="required"/>' if cls in WITH_ID else ""
    if cls in BASES:
        body = f'<xs:complexContent><xs:extension base="{BASES[cls]}">{body}</xs:extension></xs:complexContent>'
    abstract = ' abstract="true"' if cls in ABSTRACT else ""
    return f'<xs:complexType name="{cls}"{abstract}>{body}</xs:complexType>'


def json_faults(node: Any, declared: str = "ElectionReport") -> Iterator[str]:
    """What a JSON object has against its class: unknown or missing members, wrong types or words."""
    cls = node["@type"].removeprefix("ElectionResults.")
    if declared not in (cls, BASES.get(cls)) or cls in ABSTRACT:
        yield f"{cls} where {declared} is expected"
    if cls == "LanguageString":
        if {*node} != {"@type", "Content", "Language"}:
            yield f"LanguageString has {[*node]}"
        return
    if ("@id" in node) != (declared in WITH_ID):
        yield f"{cls} and its @id"
    expected = {name: (kind, times) for name, kind, times in members(cls)}
    for name in [name for name in node if not name.startswith("@") and name not in expected]:
        yield f"{cls} has no {name}"
    for name, (kind, times) in expected.items():
        if name not in node:
            if times in ("", "+"):
                yield f"{cls} lacks {name}"
            continue
        values = node[name] if times in ("*", "+") or kind == "IDREFS" else [node[name]]
        for value in values:
            if kind in CLASSES or kind == "LanguageString":
                yield from json_faults(value, kind)
            elif not _fits(value, kind):
                yield f"{cls}.{name}: {value!r} is no {kind}"


def _fits(value: Any, kind: str) -> bool:
    if kind in WORDS:
        return value in WORDS[kind].split()
    if kind in ("integer", "double", "float"):
        return type(value) is int
    return isinstance(value, bool) if kind == "boolean" else isinstance(value, str)
