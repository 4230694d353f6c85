"""Does the public validator of NIST SP 1500-100 reports find nothing in ours but the documented exceptions?"""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import export_snapshot as made
import nist_classes
import pytest
from lxml import etree

from dauys.publish.nist import report_xml

XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"

EXCEPTIONS_AS_IS = {"GpUnitsHaveSingleRoot": "error", "MissingStableIds": "error", "BallotTitle": "error"}
EXCEPTIONS = {
    "ElectionStartDates": "warning",
    "ElectionEndDatesInThePast": "warning",
    "AllInternationalizedTextHaveEnVersion": "info",
}
"""Rules of the validator that a report breaks, as it is and in the words of version 1.0 (docs/exports.md)."""

DIALECT = {
    "ContestSelection": "BallotSelection",
    "ElectionDistrictId": "ElectoralDistrictId",
    "FullText": "BallotText",
    "ObjectId": "objectId",
    "Language": "language",
}
"""Words of version 2.0 and what the validator, which reads a dialect of version 1.0, calls them."""

COLLECTED = {
    "GpUnit": "GpUnitCollection",
    "Contest": "ContestCollection",
    "VoteCounts": "VoteCountsCollection",
    "ExternalIdentifier": "ExternalIdentifiers",
}
"""What version 1.0 wraps; the changes are listed with the standard's second version."""

Logs = dict[str, dict[str, list[str]]]


def validate(document: bytes, schema: str, without: tuple[str, ...] = ()) -> Logs:
    """What the validator's rules for election results raise: {severity: {rule: [message]}}."""
    from civics_cdf_validator import (
        base,
        gpunit_rules,
        loggers,
        rules,
    )  # here: every process of the suite reads this file

    registry = base.RulesRegistry(
        election_file=io.BytesIO(document),
        schema_file=io.BytesIO(schema.encode()),
        rule_classes_to_check=[rule for rule in rules.ELECTION_RULES if rule.__name__ not in without],
        rule_options={"AllLanguages": [base.RuleOption("required_languages", ["kk", "ru", "en"])]},
        ocd_id_validator=gpunit_rules.GpUnitOcdIdValidator("kz", None, ["ocd-division/country:kz"]),
    )
    registry.check_rules()
    found = registry.exceptions_wrapper.get_all_exceptions()
    names = {
        loggers.ElectionFatal: "fatal",
        loggers.ElectionError: "error",
        loggers.ElectionWarning: "warning",
        loggers.ElectionInfo: "info",
    }
    return {
        names[kind]: {rule: [entry.message for entry in entries] for rule, entries in logs.items()}
        for kind, logs in found.items()
    }


def in_dialect(report: Any) -> bytes:
    """The report in the words of version 1.0 that the validator reads: renamed and wrapped, nothing added or left out."""

    def rebuilt(node: Any) -> Any:
        name = etree.QName(node).localname
        gpunit_name = name == "Name" and node.getparent().get(XSI_TYPE) == "ReportingUnit"
        new = etree.Element("InternationalizedName" if gpunit_name else DIALECT.get(name, name))
        new.text = node.text
        for key, value in node.attrib.items():
            new.set(DIALECT.get(key, key), value)
        for child in node:
            wrapper = COLLECTED.get(etree.QName(child).localname)
            parent = new
            if wrapper is not None:
                parent = new[-1] if len(new) and new[-1].tag == wrapper else etree.SubElement(new, wrapper)
            parent.append(rebuilt(child))
        return new

    whole = rebuilt(report)
    etree.indent(whole)  # the rule EmptyString takes an element whose first child follows at once for an empty one
    return etree.tostring(whole, xml_declaration=True, encoding="UTF-8")


def dialect_schema() -> str:
    """The class table in the dialect's words: the rules look up in it which elements are references, texts, ..."""
    text = nist_classes.xsd().replace(f' xmlns="{nist_classes.NAMESPACE}"', "")
    for ours, theirs in DIALECT.items():
        text = text.replace(f'name="{ours}"', f'name="{theirs}"')
    return text


def by_rule(logs: Logs) -> dict[str, str]:
    return {rule: severity for severity, found in logs.items() for rule in found}


def test_the_validator_takes_the_file_itself() -> None:
    """It looks for the words of version 1.0 and misses some; the schema and the encoding it sees."""
    assert by_rule(validate(report_xml(made.snapshot()), nist_classes.xsd())) == EXCEPTIONS_AS_IS
    for rule, before, after in (
        ("Schema", b"<Format>precinct-level</Format>", b""),
        ("Schema", b"<Count>400</Count>", b"<Count>many</Count>"),
        ("Encoding", b'encoding="UTF-8"', b'encoding="UTF-16"'),
    ):
        text = report_xml(made.snapshot())
        assert before in text
        spoilt = text.replace(before, after)
        spoilt = spoilt.decode().encode("utf-16") if rule == "Encoding" else spoilt
        assert rule in validate(spoilt, nist_classes.xsd())["error"]


@pytest.mark.parametrize("stage", ["counting", "final"])
def test_the_validator_finds_nothing_but_the_listed_exceptions(stage: str) -> None:
    report = etree.fromstring(report_xml(made.snapshot(stage)))
    logs = validate(in_dialect(report), dialect_schema(), without=("Schema",))
    assert by_rule(logs) == EXCEPTIONS
    assert len(logs["info"]["AllInternationalizedTextHaveEnVersion"]) == 2  # the plain names of the two contests


def test_every_exception_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "exports.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (error|warning|info) \|", page, re.MULTILINE)
    assert rows == [*EXCEPTIONS_AS_IS.items(), *EXCEPTIONS.items()]


@pytest.mark.parametrize(
    ("rule", "before", "after"),
    [
        ("ValidIDREF", "<GpUnitId>nation<", "<GpUnitId>elsewhere<"),
        ("DuplicateID", 'ObjectId="station-11-002"', 'ObjectId="station-11-001"'),
        ("GpUnitsCyclesRefsValidation", "station-11-001 station-11-002", "station-11-001 area-KZ11"),
        ("OtherType", "<OtherType>precinct-abroad</OtherType>", ""),
        ("ProperBallotSelection", 'xsi:type="BallotMeasureSelection"', 'xsi:type="CandidateSelection"'),
        ("DuplicateContestNames", "<Name>kz/two-questions q/2<", "<Name>kz/two-questions q1<"),
        ("UniqueStableID", "<Value>station-11-002<", "<Value>station-11-001<"),
        ("LanguageCode", 'Language="kk"', 'Language="kazakh-x"'),
    ],
)
def test_the_validator_sees_planted_faults(rule: str, before: str, after: str) -> None:
    """So that its silence about our reports means something."""
    text = report_xml(made.snapshot()).decode()
    assert before in text
    spoilt = etree.fromstring(text.replace(before, after).encode())
    assert rule in validate(in_dialect(spoilt), dialect_schema(), without=("Schema",))["error"]
