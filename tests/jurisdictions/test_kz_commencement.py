"""Which rules of the Kazakh pack change on which day, and on which event does each hang? Exact lists, no more, no less."""

from __future__ import annotations

import datetime
import re

from kz_law import (
    DAY,
    ELECTIONS,
    JANUARY,
    JUNE,
    REFERENDUM,
    book,
    changed,
    facts,
    keys,
    on,
    rows,
    says,
)

from dauys.law.snapshot import LawNotLoaded

# The three commencement days: every key that changes, by the event it rests on, no more and no less.
BY_REFERENDUM = keys(
    """
    akim.acts_cancelled_by akim.region.consent akim.region.consent_by akim.region.min_candidates audit.body
    audit.reports_per_year constitution.unchangeable court.by_mazhilis court.by_president court.by_senate
    court.casting_vote court.chair_consent court.ex_presidents court.judges court.terms death_penalty
    forced_labour.basis incompatibility.deputy.leaving_party incompatibility.party.audit
    incompatibility.party.constitutional_court incompatibility.party.election_commission
    judicial_council.chair_consent judicial_council.formed_by natural_resources.owner ombudsman.constitutional
    ombudsman.immunity_lifted_by ombudsman.law_rank parliament.chairs_propose president.cancel_akim_acts
    president.counsellor president.family.posts president.first_president_exempt president.first_president_status
    president.oath_before president.party_member president.remove_district_and_rural_akim prosecutor.law_rank
    recall.who senate.consents_to senate.lifts_immunity_of
    """
)
BY_REGIONS = keys(
    """
    region.territories referendum.territories_needed senate.elected_seats senate.size senate.majority
    senate.two_thirds senate.three_quarters senate.four_fifths senate.one_fifth senate.one_third
    """
)
BY_JANUARY = keys(
    """
    bill.emergency bill.insist_effect bill.rejected bill.temporary_acts constitution.binding_rulings
    constitution.opinion_by constitutional_law.override constitutional_law.readings constitutional_law.sitting
    court.acting court.admission_time court.applicants court.decision.time court.decision.urgent court.paper_hour
    court.void_from court.void_scope
    mazhilis.bill_power mazhilis.considers_bills parliament.court_message president.laws_from
    president.removal_conclusion senate.bill_power senate.silence
    """
)
BY_COURT_LAW = keys(
    """
    court.admission.act_age court.admission.cure court.admission.judges court.admission.notice
    court.decision.citizens court.fee court.files_before
    court.panel.judges court.panel.need court.petition_fields court.quorum
    """
)
BY_ELECTIONS_LAW_IN_JANUARY = keys(
    """
    akim.district.selection akim.election.call_district akim.election.nomination_district
    akim.election.registration_district commission.territorial.professional
    """
)
BY_ELECTIONS = keys(
    """
    mazhilis.assembly_quota mazhilis.district_share mazhilis.list_share mazhilis.size mazhilis.system
    senate.assembly_proposals senate.assembly_role senate.presidential_quota
    """
)
COMPUTED_BY_ELECTIONS = keys(
    """
    mazhilis.district_seats mazhilis.list_seats mazhilis.majority mazhilis.two_thirds mazhilis.three_quarters
    mazhilis.four_fifths mazhilis.one_fifth mazhilis.one_third senate.size senate.majority senate.two_thirds
    senate.three_quarters senate.four_fifths senate.one_fifth senate.one_third
    """
)


def test_8_june_2022() -> None:
    assert changed(JUNE) == {REFERENDUM: BY_REFERENDUM, "constitution-2019.in-force": BY_REGIONS}


def test_1_january_2023() -> None:
    assert changed(JANUARY) == {
        REFERENDUM: BY_JANUARY,
        "court-law-2022-11.published": BY_COURT_LAW,
        "elections-law-2022-11.published": BY_ELECTIONS_LAW_IN_JANUARY,
        "jury-law-2023.in-force": {"jury.offences"},
        "minimum-wage-2023.in-force": {"minimum_wage"},
        "torture-law.in-force": {"prosecutor.torture"},
    }


def test_the_elections_of_the_8th_mazhilis() -> None:
    assert facts().day("mazhilis-8.elections") == ELECTIONS
    assert changed(ELECTIONS) == {
        f"{REFERENDUM} + mazhilis-8.elections": BY_ELECTIONS,
        "constitution-2019.in-force": COMPUTED_BY_ELECTIONS,
        "elections-law-2022-11.published": {"mazhilis.list.max"},
    }


def test_without_the_referendum_its_old_values_stay() -> None:
    for day in (JUNE, JANUARY, ELECTIONS, datetime.date(2025, 6, 1)):
        for key in BY_REFERENDUM | BY_JANUARY:
            without, before = on(day, REFERENDUM), on(JUNE - DAY)
            assert without.values.get(key) == before.values.get(key), key


def test_without_the_referendum_the_chambers_stay() -> None:
    for key in BY_ELECTIONS:
        assert says(key, datetime.date(2025, 6, 1), REFERENDUM) == says(key, JUNE - DAY), key


def test_nothing_of_the_2022_system_lives_in_july_2026() -> None:
    assert on(datetime.date(2026, 6, 30)).values
    for day in (datetime.date(2026, 7, 1), datetime.date(2030, 1, 1)):
        assert not on(day).values
        answer = on(day).get("senate.size")
        assert isinstance(answer, LawNotLoaded) and "cannot say: law not loaded" in str(answer)


def test_the_traps() -> None:
    for key in (
        "senate.presidential_quota",
        "party.min_members",
        "party.min_members_per_branch",
        "party.initiative_group",
    ):
        assert says(key, JUNE - DAY) == says(key, JUNE), key
    assert says("senate.bill_power", JUNE) == "adopts"
    assert says("senate.size", JUNE - DAY) == 49  # the total, not the elected part
    assert (says("senate.elected_seats", JUNE - DAY), says("senate.presidential_quota", JUNE - DAY)) == (34, 15)
    assert says("president.dismiss_regional_akim", JUNE) is True
    assert says("president.remove_district_and_rural_akim", JUNE) is False
    assert says("senate.presidential_quota", JANUARY) == 15  # the print of that day has both
    assert says("petition.open_at", datetime.date(2024, 4, 4)) == 50
    assert [value.value for value in book().rules["petition.open_at"].values if value.status == "draft"] == [150]


def test_the_regions_do_not_hang_on_the_referendum() -> None:
    assert says("senate.size", JUNE, REFERENDUM) == 55
    assert says("referendum.territories_needed", datetime.date(2022, 6, 5)) == 12


def test_the_table_of_amendments_agrees() -> None:
    table = rows("constitution2022_amendments.csv")
    articles = {row["article_no"] for row in table}
    assert len(articles) == 33
    days: dict[str, set[datetime.date]] = {}
    for row in table:
        text = row["effective"]
        found = {datetime.date.fromisoformat(day) for day in re.findall(r"\d{4}-\d\d-\d\d", text)}
        days.setdefault(row["article_no"], set()).update(found or ({ELECTIONS} if "8th" in text else {JUNE, JANUARY}))
    cited = set()
    for rule in book().rules.values():
        for value in rule.values:
            if REFERENDUM not in value.since.events or not value.cite.startswith("Const. "):
                continue
            if "term-law-2022-09.published" in value.since.events:
                continue  # a second law changes what the first one made; the table is of the first
            numbers = set(re.findall(r"(?:^|[ ,])(\d{1,2}(?:-\d)?)(?=[(,;]|$)", value.cite.split(";")[0][7:]))
            assert numbers and numbers <= articles, (rule.key, value.cite)
            assert any(value.since.resolve(facts()) in days[number] for number in numbers), (rule.key, value.cite)
            cited |= numbers
    assert articles - cited == set()
