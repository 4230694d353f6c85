"""The channels of real and made-up polls: on with an article, off with an article, or not loaded and said so."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from pollbook_sample import MORNING, all_on

from dauys.errors import BadInput
from dauys.law.citation_words import said
from dauys.law.files import parse_yaml
from dauys.law.snapshot import Snapshot
from dauys.law.system import load_system
from dauys.pollbook.rules.channels import (
    CALLING_ACT,
    IN_LAW,
    NAMES,
    Channels,
    NotAllowed,
    Ruling,
    certificate_elsewhere,
    channels_on,
    voting_of,
)

KZ = load_system("kz")
ZONE = "Asia/Almaty"
PILOT = """
any-station: {on: true, cite: Pilot decision 1}
mobile: {on: true, until: "12:00", members: 2, cite: Elections law before 2022}
early: {on: true, first: 2022-06-01, last: 2022-06-04, cite: Pilot decision 2}
remote: {on: true, first: 2022-06-01, last: 2022-06-05, cite: Pilot decision 3}
paper-beats-electronic: {on: true, cite: Pilot decision 3}
certificate: {on: false, cite: Pilot decision 4}
"""


def of(day: date, kind: str, voting: str = "") -> Channels:
    return channels_on(KZ.rules(day), kind, ZONE, voting_of(parse_yaml(voting)) if voting else None)


def test_after_the_reform_the_elections_law_rules() -> None:
    channels = of(date(2023, 3, 19), "election")
    assert channels["mobile"] == Ruling("on", "Elections law 37 to 46", settings={"until": "12:00", "members": 2})
    assert channels["certificate"] == Ruling("on", "Elections law 24 to 26-1", settings={"until": "18:00"})
    for name in IN_LAW:
        assert channels[name].state == "off" and channels[name].cite == "Elections law ch. 9-1"
        assert "electronic voting" not in channels[name].reason  # which the law names, and which is off by another rule
    referendum = of(date(2024, 10, 6), "referendum")
    assert referendum["mobile"].cite == "Elections law 37 to 46, by Referendum law 9, 30(2)"


def test_on_5_june_2022_other_ways_are_off_by_law() -> None:
    """The mobile box and the certificate are in the law that the referendum law refers to; nothing else is."""
    channels = of(date(2022, 6, 5), "referendum")
    assert channels["mobile"].settings == {"until": "12:00", "members": 2}
    assert channels["certificate"].settings == {"until": "18:00"}
    for name in IN_LAW:
        assert (
            channels[name].state == "off" and channels[name].cite == "Elections law ch. 9-1, by Referendum law 9, 30(2)"
        )
        with pytest.raises(NotAllowed, match=r"P\.026"):
            channels.require(name)
    assert channels["polling-day"].on and channels["hand-out"].settings["roles"] == ["member"]


@pytest.mark.parametrize(
    ("day", "kind"),
    [(date(2022, 6, 5), "referendum"), (date(2023, 3, 19), "election"), (date(2024, 10, 6), "referendum")],
)
def test_the_article_of_every_ruling_reads_in_kazakh_and_in_russian(day: date, kind: str) -> None:
    """But for the poll's own, which stays as it was written."""
    own = 'early: {on: false, cite: "Pilot decision 2"}'
    cites = {ruling.cite for ruling in of(day, kind, own).rulings.values()} - {"", CALLING_ACT}
    assert "Pilot decision 2" in cites and len(cites) > 3
    english = {
        cite for cite in cites for lang in ("kk", "ru") if any(tongue != lang for _, tongue in said(cite, lang, "kz"))
    }
    assert english == {"Pilot decision 2"}


def test_before_the_law_that_was_read_nothing_is_presumed() -> None:
    channels = of(date(2022, 4, 1), "referendum")
    for name in ("mobile", "certificate", *IN_LAW):
        assert channels[name].state == "not-loaded" and "law of 2022-04-01 is not loaded" in channels[name].reason
        with pytest.raises(NotAllowed) as error:
            channels.require(name)
        # in words: neither the name of a rule of the pack nor that of a channel in a file
        assert not re.search(r"[a-z]\.[a-z]|[a-z]_[a-z]|[a-z]-[a-z]+-|any-", error.value.message), error.value.message


def test_after_the_system_ended_nothing_is_loaded() -> None:
    channels = of(date(2026, 7, 5), "election")
    assert {channels[name].state for name in ("mobile", "certificate", *IN_LAW)} == {"not-loaded"}


def test_a_law_to_come_that_knows_remote_voting_waits_for_the_polls_days() -> None:
    """And what it says of remote voting says nothing of paper ballots that replace electronic ones."""

    class Later:
        law, day = KZ.rules(date(2023, 3, 19)), date(2023, 3, 19)

        def get(self, key: str) -> Any:
            found = self.law.get(key)
            ways = ("remote voting", "any-station voting")
            return replace(found, value=ways) if key == "election.alternative_voting.in_law" else found

    channels = channels_on(cast(Snapshot, Later()), "election", ZONE)
    assert channels["any-station"].on and not channels["remote"].on and not channels["paper-beats-electronic"].on
    assert "the poll does not say: first, last" in channels["remote"].reason
    own = voting_of(parse_yaml("remote: {on: true, first: 2023-03-17, last: 2023-03-18, cite: art. 50}"))
    assert channels_on(cast(Snapshot, Later()), "election", ZONE, own)["remote"].on


def test_a_pilot_switches_on_and_off_by_citation() -> None:
    channels = of(date(2022, 6, 5), "referendum", PILOT)
    assert channels["any-station"] == Ruling("on", "Pilot decision 1", pilot=True)
    assert channels["mobile"].on and channels["remote"].on and channels["mobile"].pilot
    assert channels["certificate"].state == "off" and channels["envelope"].state == "off"
    assert Channels.from_json(json.loads(json.dumps(channels.to_json()))) == channels


@pytest.mark.parametrize("wrong", [
    "any-station: {on: true}", "any-station: {on: maybe, cite: x}", "by-post: {on: true, cite: x}",
    "mobile: {on: true, cite: x}", 'mobile: {on: true, until: noon, members: 2, cite: x}',
    'mobile: {on: true, until: "12:00", members: 0, cite: x}', "early: {on: true, first: 2022-06-04, last: 2022-06-01, cite: x}",
    "early: {on: true, first: 2022-06-04, cite: x}", "envelope: {on: true, two: both, cite: x}",
    "paper-beats-electronic: {on: true, cite: x}", "remote: {on: true, cite: x}", "polling-day: {on: false, cite: x}", "any-station: {on: true, cite: x, until: \"12:00\"}",
])  # fmt: skip
def test_a_voting_section_of_another_shape_is_refused_with_its_line(wrong: str) -> None:
    with pytest.raises(BadInput) as error:
        voting_of(parse_yaml(wrong, "poll.yaml"))
    assert error.value.line == 1


def test_deadlines_are_local_and_to_the_second() -> None:
    channels = all_on()
    noon = datetime(2022, 6, 5, 12, 0, tzinfo=ZoneInfo(ZONE))
    eve = datetime(2022, 6, 4, 18, 0, tzinfo=ZoneInfo(ZONE))
    for name, until in (("mobile", noon), ("certificate", eve)):
        assert channels.until(name) == until
        assert channels.may_request(name, until.astimezone(ZoneInfo("UTC"))).on
        with pytest.raises(NotAllowed, match=r"P\.027"):
            channels.may_request(name, until + timedelta(seconds=1))


def test_a_day_is_the_stations_day() -> None:
    channels = all_on()
    assert channels.may_check_in(
        "polling-day", datetime(2022, 6, 4, 19, 0, tzinfo=ZoneInfo("UTC"))
    ).on  # 01:00 in Almaty
    for name, at in (("polling-day", MORNING - timedelta(days=1)), ("early", MORNING)):
        with pytest.raises(NotAllowed, match=r"P\.033"):
            channels.may_check_in(name, at)
    assert channels.may_check_in("early", MORNING - timedelta(days=4)).on
    with pytest.raises(NotAllowed, match="no channel"):
        channels["post"]
    assert channels.rulings.keys() == set(NAMES)


def test_a_certificate_is_not_for_the_same_settlement() -> None:
    ruling = Ruling("on", "art. 26")
    certificate_elsewhere("Almaty", "Semey", ruling)
    certificate_elsewhere("", "", ruling)
    with pytest.raises(NotAllowed, match=r"P\.035.*art\. 26"):
        certificate_elsewhere("Almaty", "Almaty", ruling)
