"""Deadlines: the days of this country, cut-off hours, rolling, months, and what cannot be computed."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dauys.errors import BadInput
from dauys.law.calendar import Calendar, NotAnnounced, load_calendar
from dauys.law.deadline import Deadline, NotComputable, Within, within
from dauys.law.rules import Value
from dauys.law.snapshot import LawNotLoaded
from dauys.law.when import When

KZ = load_calendar("kz")
ALMATY = ZoneInfo("Asia/Almaty")
KNOWN_DAYS = st.dates(date(2022, 6, 1), date(2025, 6, 1))


def last(period: Within, start: date, *, calendar: Calendar = KZ) -> date:
    deadline = period.due(start, calendar)
    assert isinstance(deadline, Deadline), deadline
    return deadline.last


# The calendar


@pytest.mark.parametrize("day", [date(2022, 3, 5), date(2022, 8, 27), date(2022, 10, 22), date(2025, 1, 5)])
def test_weekend_days_that_were_worked(day: date) -> None:
    assert day.weekday() >= 5
    assert KZ.is_working(day)


@pytest.mark.parametrize(
    "day",
    [
        date(2022, 3, 7), date(2022, 8, 29), date(2022, 10, 24), date(2022, 8, 30), date(2022, 10, 25),
        date(2022, 5, 10), date(2023, 1, 3), date(2023, 7, 7), date(2024, 5, 8), date(2025, 3, 25), date(2022, 6, 5),
    ],
)  # fmt: skip
def test_days_off(day: date) -> None:
    assert not KZ.is_working(day)


def test_the_pack_and_the_library_know_the_same_moves() -> None:
    for year in KZ.years:
        public = holidays.country_holidays("KZ", years=year)
        assert {day for day in public.weekend_workdays if day.year == year} == {d for d in KZ.moved if d.year == year}
        assert all(day in public for day in KZ.moved.values() if day.year == year)


def test_a_year_that_is_not_announced_is_not_guessed() -> None:
    assert sorted(KZ.years) == [2022, 2023, 2024, 2025]
    with pytest.raises(NotAnnounced, match="2026"):
        KZ.is_working(date(2026, 2, 2))


def test_a_move_that_only_the_pack_knows(tmp_path: Path) -> None:
    path = tmp_path / "calendar.yaml"
    path.write_text(
        "country: KZ\nyears:\n  - {year: 2026, cite: x, moved: [{off: 2026-05-08, works: 2026-05-16}]}\n",
        encoding="utf-8",
    )
    calendar = Calendar.read(path)
    assert calendar.is_working(date(2026, 5, 16))
    assert not calendar.is_working(date(2026, 5, 8))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("country: Kazakhstan\nyears: []\n", "line 1.*cannot be read"),
        ("country: ZZ\nyears: []\n", "line 1.*no public holidays"),
        ("country: KZ\nyears:\n  - {year: 2022, moved: []}\n", "line 3.*missing: cite"),
        ("country: KZ\nyears:\n  - {year: 2022, cite: x, moved: [{off: 2023-03-07, works: 2022-03-05}]}\n", "line 3.*not a move"),
        ("country: KZ\nyears:\n  - {year: 2022, cite: x, moved: []}\n  - {year: 2022, cite: x, moved: []}\n", "line 4.*twice"),
    ],
)  # fmt: skip
def test_bad_calendars(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "calendar.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=message):
        Calendar.read(tmp_path / "calendar.yaml")


# Days


def test_the_day_of_the_start_is_not_counted() -> None:
    assert last(Within(60, "calendar_day"), date(2023, 1, 1)) == date(2023, 3, 2)
    assert last(Within(60, "calendar_day"), date(2024, 1, 1)) == date(2024, 3, 1)  # a leap year
    assert last(Within(0, "calendar_day"), date(2024, 1, 1)) == date(2024, 1, 1)


def test_until_six_in_the_evening_of_the_day_before() -> None:
    eve = Within(1, "calendar_day", direction="before", cut_off=time(18))
    deadline = eve.due(date(2022, 6, 5), zone=ALMATY)
    assert deadline == Deadline(date(2022, 6, 4), datetime(2022, 6, 4, 18, tzinfo=ALMATY))
    assert isinstance(deadline, Deadline)
    assert deadline.in_time(datetime(2022, 6, 4, 17, 59, tzinfo=ALMATY))
    assert not deadline.in_time(datetime(2022, 6, 4, 18, tzinfo=ALMATY))
    assert deadline.in_time(datetime(2022, 6, 4, 11, 59, tzinfo=UTC))
    assert deadline.in_time(date(2022, 6, 3))
    assert not deadline.in_time(date(2022, 6, 5))
    with pytest.raises(BadInput, match="the hour decides"):
        deadline.in_time(date(2022, 6, 4))


def test_a_whole_last_day_ends_at_midnight() -> None:
    deadline = Within(3, "calendar_day").due(datetime(2022, 6, 5, 23, tzinfo=ALMATY))
    assert isinstance(deadline, Deadline)
    assert deadline.end == datetime(2022, 6, 9, tzinfo=ALMATY)
    assert deadline.in_time(date(2022, 6, 8))
    assert deadline.in_time(datetime(2022, 6, 8, 23, 59, 59, tzinfo=ALMATY))
    assert not deadline.in_time(deadline.end)


def test_rolling() -> None:
    # 10 days from 18 December 2022 end on Wednesday 28; 14 days on Sunday 1 January: rolled over New Year and its days
    assert last(Within(10, "calendar_day", roll="next"), date(2022, 12, 18)) == date(2022, 12, 28)
    assert last(Within(14, "calendar_day", roll="next"), date(2022, 12, 18)) == date(2023, 1, 4)
    assert last(Within(14, "calendar_day", roll="previous"), date(2022, 12, 18)) == date(2022, 12, 30)
    assert last(Within(5, "calendar_day", roll="next"), date(2022, 8, 22)) == date(2022, 8, 27)  # a Saturday worked


def test_working_days_over_moved_days_and_new_year() -> None:
    assert last(Within(1, "working_day"), date(2022, 8, 26)) == date(2022, 8, 27)
    assert last(Within(2, "working_day"), date(2022, 8, 26)) == date(2022, 8, 31)
    assert last(Within(3, "working_day"), date(2022, 12, 29)) == date(2023, 1, 5)
    assert last(Within(3, "working_day", direction="before"), date(2023, 1, 5)) == date(2022, 12, 29)


def test_three_working_days_of_a_paper_received_before_three_o_clock() -> None:
    period = Within(3, "working_day", received_before=time(15))
    on_time = period.due(datetime(2022, 6, 9, 14, 59, tzinfo=ALMATY), KZ)
    late = period.due(datetime(2022, 6, 9, 15, 0, tzinfo=ALMATY), KZ)
    friday = period.due(datetime(2022, 6, 10, 15, 0, tzinfo=ALMATY), KZ)
    assert isinstance(on_time, Deadline)
    assert isinstance(late, Deadline)
    assert isinstance(friday, Deadline)
    assert (on_time.last, late.last, friday.last) == (date(2022, 6, 14), date(2022, 6, 15), date(2022, 6, 16))


def test_sitting_days() -> None:
    sittings = [date(2022, 6, 20), date(2022, 6, 8), date(2022, 6, 15), date(2022, 6, 15)]
    period = Within(2, "sitting_day", cite="art. 62")
    assert period.due(date(2022, 6, 8), sitting_days=sittings) == Deadline(date(2022, 6, 20), None, "art. 62")
    answer = Within(4, "sitting_day", cite="art. 62").due(date(2022, 6, 1), sitting_days=sittings)
    assert answer == NotComputable("only 3 sitting days are announced", "art. 62")
    back = Within(2, "sitting_day", direction="before").due(date(2022, 6, 20), sitting_days=sittings)
    assert back == Deadline(date(2022, 6, 8), None)


# Hours and months


def test_hours_run_through_a_change_of_the_clock() -> None:
    # on 1 March 2024, 00:00, Almaty moved from UTC+6 to UTC+5
    start = datetime(2024, 2, 29, 20, tzinfo=ALMATY)
    deadline = Within(48, "hour").due(start)
    assert isinstance(deadline, Deadline)
    assert deadline.end is not None
    assert deadline.end.astimezone(UTC) - start.astimezone(UTC) == timedelta(hours=48)
    assert deadline.end == datetime(2024, 3, 2, 19, tzinfo=ALMATY)
    assert Within(12, "hour", direction="before").due(start) == Deadline(
        date(2024, 2, 29), datetime(2024, 2, 29, 8, tzinfo=ALMATY)
    )
    once, again = datetime(2024, 2, 29, 23, 30, tzinfo=ALMATY), datetime(2024, 2, 29, 23, 30, tzinfo=ALMATY, fold=1)
    backwards = Within(4, "hour").due(start)
    assert isinstance(backwards, Deadline)
    assert (backwards.in_time(once), backwards.in_time(again)) == (True, False)
    midnight = Within(5, "hour").due(start)
    assert isinstance(midnight, Deadline)
    assert (midnight.last, midnight.in_time(date(2024, 2, 29)), midnight.in_time(date(2024, 3, 1))) == (
        date(2024, 2, 29), True, False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("start", "period", "end"),
    [
        (date(2022, 4, 29), Within(1, "month"), date(2022, 5, 29)),
        (date(2022, 12, 15), Within(2, "month"), date(2023, 2, 15)),
        (date(2023, 1, 31), Within(1, "month", month_rounding="down"), date(2023, 2, 28)),
        (date(2023, 1, 31), Within(1, "month", month_rounding="up"), date(2023, 3, 1)),
        (date(2024, 1, 31), Within(1, "month", month_rounding="down"), date(2024, 2, 29)),
        (date(2024, 1, 30), Within(1, "month", month_rounding="up"), date(2024, 3, 1)),
        (date(2024, 2, 29), Within(1, "year", month_rounding="down"), date(2025, 2, 28)),
        (date(2024, 2, 29), Within(4, "year"), date(2028, 2, 29)),
        (date(2023, 3, 31), Within(1, "month", direction="before", month_rounding="down"), date(2023, 2, 28)),
        (date(2022, 11, 30), Within(1, "month", roll="next"), date(2022, 12, 30)),
        (date(2022, 12, 1), Within(1, "month", roll="next"), date(2023, 1, 4)),
    ],
)
def test_months(start: date, period: Within, end: date) -> None:
    assert last(period, start) == end


@pytest.mark.parametrize(
    ("period", "start", "reason"),
    [
        (Within(1, "month"), date(2023, 1, 31), "2023-02 has no day 31, and the law declares no rounding"),
        (Within(1, "year"), date(2024, 2, 29), "2025-02 has no day 29"),
        (Within(3, "day"), date(2022, 9, 1), "calendar or working days"),
        (Within(5, "working_day"), date(2025, 12, 29), "the working days of 2026 in KZ are not known here"),
        (Within(5, "working_day", direction="before"), date(2022, 1, 3), "2021"),
        (Within(4, "calendar_day", roll="next"), date(2025, 12, 29), "2026"),
        (Within(1, "year", roll="next"), date(2026, 1, 1), "2027"),
        (Within(100_000, "month"), date(2022, 1, 1), "no such day"),
    ],
)
def test_not_computable_is_an_answer(period: Within, start: date, reason: str) -> None:
    answer = period.due(start, KZ)
    assert isinstance(answer, NotComputable)
    assert reason in str(answer)


def test_what_makes_no_period() -> None:
    for wrong in (
        {"n": -1, "unit": "hour"},
        {"n": 1, "unit": "fortnight"},
        {"n": 1, "unit": "hour", "roll": "next"},
        {"n": 1, "unit": "hour", "cut_off": time(18)},
        {"n": 1, "unit": "calendar_day", "month_rounding": "up"},
    ):
        with pytest.raises(BadInput):
            Within(**wrong)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="without time zone"):
        Within(1, "hour").due(datetime(2022, 6, 5, 7))  # noqa: DTZ001
    with pytest.raises(BadInput, match="hour of the start"):
        Within(1, "hour").due(date(2022, 6, 5), zone=ALMATY)
    with pytest.raises(BadInput, match="no hour without a time zone"):
        Within(1, "calendar_day", cut_off=time(18)).due(date(2022, 6, 5))
    with pytest.raises(BadInput, match="without a calendar"):
        Within(1, "working_day").due(date(2022, 6, 5))


def test_the_period_of_a_rule_carries_its_citation_and_refuses_without_law() -> None:
    value = Value(3, "day", When(day=date(2022, 9, 1)), "seeds: within a maximum of three days", "paraphrase")
    period = within(value)
    assert isinstance(period, Within)
    answer = period.due(date(2022, 9, 5), KZ)
    assert answer == NotComputable("the law does not say whether calendar or working days are meant", value.cite)
    missing = within(LawNotLoaded("court.admission", date(2026, 7, 1), "ended"))
    assert isinstance(missing, NotComputable)
    assert "law not loaded" in missing.reason
    with pytest.raises(BadInput, match="no period of time"):
        within(Value(3, "count", When(day=date(2022, 9, 1)), "art. 1", "enacted"))


@given(KNOWN_DAYS, st.integers(0, 60), st.sampled_from(["after", "before"]))
@settings(max_examples=60)
def test_working_days_are_counted_one_by_one(start: date, n: int, direction: str) -> None:
    end = last(Within(n, "working_day", direction=direction), start)  # type: ignore[arg-type]
    low, high = (start + timedelta(days=1), end) if direction == "after" else (end, start - timedelta(days=1))
    between = (low + timedelta(days=k) for k in range((high - low).days + 1))
    assert sum(KZ.is_working(day) for day in between) == n
    assert n == 0 or KZ.is_working(end)


@given(KNOWN_DAYS, st.integers(0, 100))
@settings(max_examples=60)
def test_rolled_is_a_working_day_and_none_was_skipped(start: date, n: int) -> None:
    plain, rolled = last(Within(n, "calendar_day"), start), last(Within(n, "calendar_day", roll="next"), start)
    assert KZ.is_working(rolled)
    assert not any(KZ.is_working(plain + timedelta(days=k)) for k in range((rolled - plain).days))


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(0, 400))
@settings(max_examples=80)
def test_months_there_and_back(start: date, n: int) -> None:
    down, up = (last(Within(n, "month", month_rounding=way), start) for way in ("down", "up"))  # type: ignore[arg-type]
    assert (down.year * 12 + down.month) == start.year * 12 + start.month + n
    exact = Within(n, "month").due(start)
    if isinstance(exact, Deadline):
        assert down == up == exact.last
        assert last(Within(n, "month", direction="before", month_rounding="down"), exact.last) == start
    else:
        assert up == down + timedelta(days=1)
        assert up.day == 1
