"""Do the numbers of the Kazakh pack say what the facts say, on every day? The tables here were retyped, not generated."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest
from kz_law import ADDRESS, DAY, ELECTIONS, JANUARY, JUNE, NOVEMBER, UNKNOWN, book, facts, keys, on, says

from dauys.law.rules import Value
from dauys.law.snapshot import LawNotLoaded

# procedures.md 2.1, row by row: (key, first day of the new value, before, after).
PARAMETERS: list[tuple[str, datetime.date, object, object]] = [
    ("senate.presidential_quota", ELECTIONS, 15, 10),
    ("senate.assembly_role", ELECTIONS, "none", "proposes"),
    ("senate.assembly_proposals", ELECTIONS, 0, 5),
    ("mazhilis.assembly_quota", ELECTIONS, 9, 0),
    ("mazhilis.list_share", ELECTIONS, Fraction(1), Fraction(7, 10)),
    ("mazhilis.district_share", ELECTIONS, Fraction(0), Fraction(3, 10)),
    ("maslikhat.region.system", NOVEMBER, "proportional", "mixed"),
    ("maslikhat.region.list_share", NOVEMBER, Fraction(1), Fraction(1, 2)),
    ("maslikhat.district.system", NOVEMBER, "proportional", "majoritarian"),
    ("party.min_members", NOVEMBER, 20_000, 5_000),
    ("party.min_members_per_branch", NOVEMBER, 600, 200),
    ("party.initiative_group", NOVEMBER, 1_000, 700),
    ("party.congress_deadline", NOVEMBER, 2, 3),
    ("party.branch_registration", NOVEMBER, 6, 12),
    ("akim.region.min_candidates", JUNE, 1, 2),
    ("akim.region.consent", JUNE, UNKNOWN, "plurality"),
    ("akim.deputies.max", ADDRESS, UNKNOWN, 3),
    ("akim.deputies.max_exceptional", ADDRESS, UNKNOWN, 4),
    ("president.party_member", JUNE, "allowed", "forbidden"),
    ("president.family.posts", JUNE, "allowed", "forbidden"),
    ("incompatibility.party.election_commission", JUNE, "allowed", "forbidden"),
    ("incompatibility.party.audit", JUNE, "allowed", "forbidden"),
    ("incompatibility.party.constitutional_court", JUNE, "allowed", "forbidden"),
    ("akim.party_branch_posts", NOVEMBER, "allowed", "forbidden"),
    ("president.cancel_akim_acts", JUNE, True, False),
    ("president.remove_district_and_rural_akim", JUNE, True, False),
    ("president.dismiss_regional_akim", JUNE, True, True),
    ("senate.bill_power", JANUARY, "adopts", "approves"),
    ("senate.silence", JANUARY, "not regulated", "passes to the President"),
    ("senate.bill_days", JANUARY, 60, 60),
    (
        "senate.consents_to",
        JUNE,
        ("chair of the National Bank", "Prosecutor General", "chair of the National Security Committee"),
        (
            "chair of the Constitutional Court",
            "chair of the National Bank",
            "chair of the Supreme Judicial Council",
            "Prosecutor General",
            "chair of the National Security Committee",
        ),
    ),
    ("audit.reports_per_year", JUNE, 0, 2),
    ("court.judges", JUNE, 7, 11),
    ("court.ex_presidents", JUNE, True, False),
    (
        "court.applicants",
        JANUARY,
        (
            "President",
            "chair of the Senate",
            "chair of the Mazhilis",
            "one fifth of deputies",
            "Prime Minister",
            "courts",
        ),
        (
            *("President", "chair of the Senate", "chair of the Mazhilis", "one fifth of deputies", "Prime Minister"),
            *("courts", "citizens", "Prosecutor General", "Human Rights Ombudsman"),
        ),
    ),
    ("death_penalty", JUNE, "allowed by the text in two cases", "prohibited"),
    ("natural_resources.owner", JUNE, "state", "people"),
    ("fund.rules.donor_cap", NOVEMBER, False, True),
    ("centre.decision_deadline", ADDRESS, UNKNOWN, 3),
    ("centre.decision_target", ADDRESS, UNKNOWN, 1),
    ("programme.laws", ADDRESS, UNKNOWN, 20),
    ("programme.laws_due", ADDRESS, UNKNOWN, datetime.date(2022, 12, 31)),
    ("local.preparation_due", ADDRESS, UNKNOWN, "middle of 2022"),
    ("kurultai.first_meeting", datetime.date(2022, 4, 29), UNKNOWN, 1),
]

# Rules with more than two stages: the value from each day on.
STAGES: dict[str, list[tuple[str, object]]] = {
    "senate.size": [("2019-03-23", 49), ("2022-06-08", 55), ("2023-01-19", 50)],
    "senate.elected_seats": [("2019-03-23", 34), ("2022-06-08", 40)],
    "senate.majority": [("2019-03-23", 25), ("2022-06-08", 28), ("2023-01-19", 26)],
    "senate.two_thirds": [("2019-03-23", 33), ("2022-06-08", 37), ("2023-01-19", 34)],
    "senate.three_quarters": [("2019-03-23", 37), ("2022-06-08", 42), ("2023-01-19", 38)],
    "senate.one_fifth": [("2019-03-23", 10), ("2022-06-08", 11), ("2023-01-19", 10)],
    "senate.one_third": [("2019-03-23", 17), ("2022-06-08", 19), ("2023-01-19", 17)],
    "mazhilis.size": [("2019-03-23", 107), ("2023-01-19", 98)],
    "mazhilis.list_seats": [("2019-03-23", 98), ("2023-01-19", 69)],
    "mazhilis.district_seats": [("2019-03-23", 0), ("2023-01-19", 29)],
    "mazhilis.majority": [("2019-03-23", 54), ("2023-01-19", 50)],
    "mazhilis.two_thirds": [("2019-03-23", 72), ("2023-01-19", 66)],
    "mazhilis.three_quarters": [("2019-03-23", 81), ("2023-01-19", 74)],
    "mazhilis.one_fifth": [("2019-03-23", 22), ("2023-01-19", 20)],
    "mazhilis.one_third": [("2019-03-23", 36), ("2023-01-19", 33)],
    "mazhilis.threshold": [("2021-01-10", Fraction(7, 100)), ("2021-01-11", UNKNOWN), ("2022-11-05", Fraction(1, 20))],
    "referendum.territories_needed": [("2019-03-23", 12), ("2022-06-08", 14)],
    "party.min_members": [("2019-03-23", 40_000), ("2020-05-25", 20_000), ("2022-11-05", 5_000)],
    "party.committee_life": [("2019-03-23", 6), ("2022-11-05", 7)],
    "president.term": [("2019-03-23", 5), ("2022-09-17", 7)],
    "president.terms": [("2019-03-23", "two in a row"), ("2022-09-17", "once")],
    "court.term": [("2019-03-23", 6), ("2022-09-17", 8)],
    "court.terms": [("2019-03-23", "not limited"), ("2022-06-08", "two in a row"), ("2022-09-17", "once")],
    "capital.name": [("2019-03-23", "Nur-Sultan"), ("2022-09-17", "Astana")],
    "jury.offences": [("2019-03-23", 14), ("2023-01-01", 35), ("2024-01-01", 43)],
    "referendum.marking": [("2019-03-23", "cross out"), ("2022-05-05", "mark the box")],
    "minimum_wage": [("2022-01-01", 60_000), ("2023-01-01", 70_000), ("2024-01-01", 85_000), ("2026-01-01", UNKNOWN)],
    "local.budget.min_people": [("2019-03-23", 2_000), ("2020-01-01", 0)],
    "local.budget.taxes": [("2020-01-01", 6), ("2022-01-01", 10)],
    "court.fee": [("2023-01-01", False), ("2024-01-01", True)],
    "petition.open_at": [("2024-04-04", 50)],
}


def test_how_many() -> None:
    values = [value for rule in book().rules.values() for value in rule.values if value.status != "draft"]
    assert len(book().rules) == 475
    assert Counter(value.status for value in values) == {
        "enacted": 485,
        "paraphrase": 40,
        "reconstructed": 22,
        "unknown": 47,
    }


@pytest.mark.parametrize(("key", "day", "before", "after"), PARAMETERS, ids=[row[0] for row in PARAMETERS])
def test_parameter_before_and_after(key: str, day: datetime.date, before: object, after: object) -> None:
    assert says(key, day - DAY) == before
    assert says(key, day) == after
    assert says(key, datetime.date(2025, 6, 1)) == after


@pytest.mark.parametrize("key", STAGES)
def test_stages(key: str) -> None:
    before: object = UNKNOWN
    for text, value in STAGES[key]:
        day = datetime.date.fromisoformat(text)
        assert (says(key, day - DAY), says(key, day)) == (before, value)
        before = value
    assert says(key, datetime.date(2026, 6, 30)) == before


def test_every_value_holds_from_its_day() -> None:
    for rule in book().rules.values():
        for value in rule.values:
            day = value.since.resolve(facts())
            if day is not None:
                assert on(day).explain(rule.key).live in (value, _computed(value, rule.key, day)), rule.key


def _computed(value: Value, key: str, day: datetime.date) -> Value | None:
    live = on(day).explain(key).live
    return live if live is not None and live.formula == value.formula and live.since == value.since else None


def test_every_unknown_answers_cannot_say() -> None:
    seen = 0
    for rule in book().rules.values():
        for value in rule.values:
            if value.status == "unknown":
                day = value.since.resolve(facts())
                assert day is not None, rule.key
                with pytest.raises(LawNotLoaded, match="cannot say: law not loaded"):
                    on(day).value(rule.key)
                seen += 1
    assert seen == 47


def test_the_unknowns_of_the_facts_are_here() -> None:
    for key in keys(
        """
        unpublished.referendum_2022_votes unpublished.referendum_2022_registered unpublished.mazhilis_2023_list_votes
        unpublished.mazhilis_2023_winners unpublished.mazhilis_2023_not_counted unpublished.karaganda_2023_seats
        unpublished.amendments_numbered unpublished.english_constitution unpublished.amending_instructions
        unpublished.odihr_reports unpublished.station_protocols judicial_council.broadcast senate.assembly_selection
        prosecutor.torture_article akim.party_branch_article bill.conciliation_deadline kurultai.voting region.support
        public_council.rules assembly.notice commission.territorial.selection centre.day_count election.protocol.forms
        """
    ):
        assert says(key, datetime.date(2024, 6, 1)) == UNKNOWN, key
        assert book().rules[key].values[-1].status == "unknown", key
    assert says("akim.region.consent", JUNE - DAY) == UNKNOWN


def test_the_docs_count_the_same() -> None:
    page = (Path(__file__).parents[2] / "docs/law-kz.md").read_text(encoding="utf-8")
    values = [value for rule in book().rules.values() for value in rule.values if value.status != "draft"]
    assert f"{len(book().rules)} rules with {len(values)} values" in page
    assert f"{len(facts())} days on which something happened" in page
    for status, count in Counter(value.status for value in values).items():
        assert re.search(rf"\| `{status}` \|.*\| {count} \|", page), status
    for group in {key.split(".")[0] for key in book().rules}:
        assert f"`{group}`" in page, group
