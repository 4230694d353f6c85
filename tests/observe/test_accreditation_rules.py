"""What may be decided about an organisation that asks to observe: the law of the day, its terms, and what cannot be said."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dauys.observe.accreditation.entries import KINDS
from dauys.observe.accreditation.rules import (
    ACCREDIT,
    CANNOT_SAY,
    KEYS,
    REFUSE,
    Application,
    judge,
    last_moment,
    later,
    law_of,
    rights,
    terms_of,
    too_many,
)  # fmt: skip
from dauys.registers.poll import Poll
from dauys.registers.poll_file import find_poll, read_poll

OLD: Poll = read_poll(find_poll("kz/2022-referendum")).poll
NEW = replace(OLD, id="kz/2024-referendum", day=date(2024, 10, 6))
ELECTION = replace(OLD, id="kz/2023-mazhilis", day=date(2023, 3, 19), kind="election")
OLD_TERMS, NEW_TERMS = (terms_of(poll, law_of(poll)) for poll in (OLD, NEW))
ZONE = ZoneInfo("Asia/Almaty")
AT = datetime(2024, 8, 20, 10, tzinfo=ZONE)
EVERYWHERE = ("*",)


def association(**change: object) -> Application:
    return replace(Application("association", "observing elections", False, EVERYWHERE, AT), **change)  # type: ignore[arg-type]


def test_an_association_whose_charter_names_it_is_accredited_within_thirty_days_for_a_year() -> None:
    found = judge(NEW, NEW_TERMS, association(), AT)
    assert (found.may, found.grounds, found.unknown) == (ACCREDIT, (), ())
    assert found.due == datetime(2024, 9, 20, tzinfo=ZONE)  # the end of the thirtieth day
    assert found.until == date(2025, 8, 20)
    assert found.by == "Central Election Commission" and "20-1" in found.by_cite
    regional = judge(NEW, NEW_TERMS, association(scope=(NEW.areas[0].code,)), AT)
    assert regional.by == "territorial election commission"


def test_a_charter_that_does_not_name_it_is_a_ground_of_refusal_with_its_article() -> None:
    found = judge(NEW, NEW_TERMS, association(charter="  "), AT)
    assert found.may == REFUSE
    assert [(one.code, one.cite) for one in found.grounds] == [
        ("charter", "Elections law 20-1; Referendum law 9, 30(2)")
    ]
    assert found.cite == found.grounds[0].cite


def test_a_party_needs_no_charter_and_the_law_sets_no_day_for_it() -> None:
    found = judge(NEW, NEW_TERMS, association(kind="party", charter=""), AT)
    assert found.may == ACCREDIT and found.due is None and found.until is None


@pytest.mark.parametrize("kind", ["foreign", "international"])
def test_foreign_observers_come_through_the_ministry_until_six_in_the_evening_five_days_before(kind: str) -> None:
    last = datetime(2024, 9, 30, 18, tzinfo=ZONE)
    assert last_moment(NEW, NEW_TERMS) == (last, "Elections law 20-2; Referendum law 9, 30(2)")
    asked = association(kind=kind, through="a note")
    asked = Application(kind, "", True, EVERYWHERE, last - timedelta(minutes=1))
    assert judge(NEW, NEW_TERMS, asked, AT).may == ACCREDIT
    late = judge(NEW, NEW_TERMS, replace(asked, at=last), AT)
    assert (late.may, [one.code for one in late.grounds]) == (REFUSE, ["late"])
    alone = judge(NEW, NEW_TERMS, replace(asked, through=False), AT)
    assert [one.code for one in alone.grounds] == ["ministry"]


def test_the_last_moment_of_2022_is_the_one_that_was_published() -> None:
    # astanatimes.com/2022/05/over-100-foreign-observers: accreditation closed on 30 May
    assert last_moment(OLD, OLD_TERMS)[0] == datetime(2022, 5, 30, 18, tzinfo=ZONE)


def test_what_is_not_loaded_is_never_decided_by_a_default() -> None:
    found = judge(OLD, OLD_TERMS, association(charter=""), AT)
    assert found.may == CANNOT_SAY and found.due is None and found.until is None and found.by == ""
    assert [one.code for one in found.unknown] == ["charter"]
    assert "law not loaded" in found.unknown[0].missing
    party = judge(OLD, OLD_TERMS, association(kind="party"), AT)
    assert [one.code for one in party.unknown] == ["kind"]  # the referendum law does not name parties
    assert rights(OLD_TERMS, "association").value is None


def test_a_later_law_is_shown_as_later_and_with_its_day() -> None:
    told = later(OLD, "rights")
    assert told.since == date(2022, 11, 5) and "certified copies" in (told.value or ())  # type: ignore[operator]
    assert later(NEW, "rights").value is None
    assert later(replace(OLD, id="test/x"), "rights").value is None


def test_an_election_reads_the_elections_law_itself() -> None:
    terms = terms_of(ELECTION, law_of(ELECTION))
    assert terms["charter"].cite == "Elections law 20-1"
    assert "mandate" not in terms


def test_a_poll_without_a_pack_of_law_answers_cannot_say() -> None:
    poll = replace(OLD, id="test/seen")
    terms = terms_of(poll, law_of(poll))
    assert all(told.value is None for told in terms.values())
    for kind in KINDS:
        assert judge(poll, terms, Application(kind, "", False, EVERYWHERE, AT), AT).may == CANNOT_SAY


def test_one_observer_of_an_organisation_at_a_station_at_a_time() -> None:
    assert too_many(NEW_TERMS, ["other"], "qala") is None
    found = too_many(NEW_TERMS, ["other", "qala"], "qala")
    assert found is not None and found.cite.startswith("Elections law 20")
    unknown = too_many(OLD_TERMS, [], "qala")
    assert unknown is not None and unknown.missing


def test_the_unknown_right_stays_unknown() -> None:
    assert NEW_TERMS["tabulation"].value is None  # to see the tabulation inside a territorial commission
    assert set(KEYS) <= set(NEW_TERMS)


@given(
    st.sampled_from(KINDS),
    st.text(max_size=3),
    st.booleans(),
    st.datetimes(datetime(2024, 1, 1), datetime(2024, 12, 31)),  # noqa: DTZ001
)
def test_a_refusal_always_has_a_ground_with_an_article_and_nothing_else_is_refused(
    kind: str, charter: str, through: bool, at: datetime
) -> None:
    asked = Application(kind, charter, through, EVERYWHERE, at.replace(tzinfo=ZONE))
    found = judge(NEW, NEW_TERMS, asked, asked.at)
    assert (found.may == REFUSE) == bool(found.grounds)
    assert all(one.cite for one in found.grounds) and not found.unknown
    if found.due is not None:
        assert found.due > asked.at
