"""Does every report come in once, refused or kept as the rules say, with the flags that it earns?"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import NoReturn

import pytest
from field_world import COPY, NIGHT, NOON, STATIONS, Notebook, incoming, mission, official, poll, send
from hypothesis import given, settings
from hypothesis import strategies as st

from dauys.errors import BadInput
from dauys.observe.field.copies import copies_of
from dauys.observe.field.forms import load_forms, minutes, read_value
from dauys.observe.field.intake import Incoming, take
from dauys.observe.field.moments import TOLERATED, settle
from dauys.observe.field.rules import disagreeing
from dauys.observe.known.model import fold
from dauys.observe.known.reports import Photo, Report
from dauys.observe.known.told import Told

KEY = ("charter", STATIONS[3])


@pytest.fixture
def keep(tmp_path: Path) -> Notebook:
    return mission(tmp_path)


def refused(keep: Notebook, report: object, at: datetime = NIGHT) -> str:
    size = keep.mission.size
    with pytest.raises(BadInput) as caught:
        send(keep, report, at)  # type: ignore[arg-type]
    assert keep.mission.size == size, "what is refused leaves no trace"
    return str(caught.value.check)


def copy(**changed: int) -> dict[str, str]:
    return COPY | {name: str(value) for name, value in changed.items()}


def judge(keep: Notebook, n: int, standing: str, **body: object) -> None:
    keep.append("judged", {"report": n, "standing": standing, **body}, "office", NIGHT)


def test_a_copy_comes_in_once_and_counts_when_verified(keep: Notebook) -> None:
    report = send(keep, incoming("p/1"))
    size = keep.mission.size
    assert send(keep, incoming("p/1"), NIGHT + timedelta(hours=1)) == report and keep.mission.size == size
    assert report.flags == () and report.standing == "new" and report.contest == "charter"
    found = copies_of(keep.mission, "charter")[KEY]
    assert found.values == {name: int(text) for name, text in COPY.items()} and not found.counts and not found.disputed
    judge(keep, report.n, "verified")
    assert copies_of(keep.mission, "charter")[KEY].counts
    assert copies_of(keep.mission, "river") == {}
    assert send(keep, incoming("p/1")).standing == "verified"


def test_a_key_is_one_report_for_ever(keep: Notebook) -> None:
    send(keep, incoming("p/1"))
    assert refused(keep, incoming("p/1", answers=copy(yes=511))) == "O.106"
    assert refused(keep, incoming("p/1", station=STATIONS[0])) == "O.106"
    assert refused(keep, incoming("")) == "O.106"


def test_two_observers_who_differ_are_both_kept_and_neither_counts(keep: Notebook) -> None:
    first = send(keep, incoming("a/1"))
    second = send(keep, incoming("b/1", observer="O-2", answers=copy(yes=502, no=98)))
    assert "O.130" in second.flags
    found = copies_of(keep.mission, "charter")[KEY]
    assert found.disputed and not found.counts and found.others == (first.n,)
    judge(keep, first.n, "verified")
    found = copies_of(keep.mission, "charter")[KEY]
    assert found.counts and found.report == first.n and found.others == (second.n,)
    judge(keep, second.n, "verified")
    assert copies_of(keep.mission, "charter")[KEY].disputed
    judge(keep, second.n, "rejected", note="read from afar")
    assert copies_of(keep.mission, "charter")[KEY].counts


def test_two_who_agree_are_not_disputed_and_one_who_sends_again_corrects_himself(keep: Notebook) -> None:
    send(keep, incoming("a/1", answers=copy(yes=500)))
    again = send(keep, incoming("a/2"))
    assert "O.131" in again.flags
    send(keep, incoming("b/1", observer="O-2"))
    found = copies_of(keep.mission, "charter")[KEY]
    assert not found.disputed and found.values["yes"] == 512 and found.others == ()


def test_what_the_office_corrected_is_what_counts(keep: Notebook) -> None:
    report = send(keep, incoming("a/1", answers=copy(yes=521)))
    assert report.flags == ("O.123", "F.101")
    judge(keep, report.n, "verified", values=dict(report.values) | {"yes": 512}, note="seen on the photo")
    assert copies_of(keep.mission, "charter")[KEY].values["yes"] == 512


def test_who_may_not_send(keep: Notebook) -> None:
    assert refused(keep, incoming("x/1", observer="O-9")) == "O.102"
    assert refused(keep, incoming("x/1", observer="O-3")) == "O.104"
    assert refused(keep, incoming("x/1", station="KZ99-0001")) == "O.105"
    assert refused(keep, incoming("x/1", form="horoscope")) == "O.101"
    assert refused(keep, incoming("x/1", contest="moon")) == "O.113"
    assert refused(keep, incoming("x/1", contest="")) == "O.113"


def test_a_suspended_observer_is_refused_but_not_what_was_written_before(keep: Notebook) -> None:
    keep.append("suspended", {"observer": "O-1", "why": "slept"}, "office", NOON)
    before, after = (NOON + timedelta(minutes=m) for m in (-10, 10))
    asked = {"as_of": "11:40", "handed_out": "200"}
    assert refused(keep, incoming("a/2", "voting", asked, written=after.isoformat())) == "O.103"
    assert refused(keep, incoming("a/3", "voting", asked)) == "O.103"
    kept = send(keep, incoming("a/1", "voting", asked, written=before.isoformat()))
    assert "O.121" in kept.flags
    keep.append("suspended", {"observer": "O-1", "why": ""}, "office", NIGHT)
    assert send(keep, incoming("a/4", "voting", asked)).flags == ()


def test_what_was_written_while_suspended_is_refused_after_it_ended_too(keep: Notebook) -> None:
    """Also by a phone whose clock is an hour fast: the settled moment counts."""
    for hours, why in ((0, "slept"), (1, "slept on"), (2, ""), (4, "left"), (5, "")):
        keep.append("suspended", {"observer": "O-1", "why": why}, "office", NOON + timedelta(hours=hours))
    asked = {"as_of": "11:40", "handed_out": "200"}

    def report(key: str, hours: float) -> Incoming:
        return incoming(key, "voting", asked, written=(NOON + timedelta(hours=hours)).isoformat())

    for hours in (0, 0.5, 1.5, 4, 4.9):
        assert refused(keep, report("a/1", hours)) == "O.103"
    fast = {"written": NOON + timedelta(hours=2.5), "sent": NIGHT + timedelta(hours=1)}
    moved = incoming("a/1", "voting", asked, **{name: at.isoformat() for name, at in fast.items()})
    assert refused(keep, moved) == "O.103"
    assert [send(keep, report(f"x{hours}", hours)).flags for hours in (5, 2, -0.25)] == [(), ("O.121",), ("O.121",)]


def test_who_may_send_is_answered_without_reading_the_log(keep: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"as_of": "11:40", "handed_out": "200"}
    later = NOON + timedelta(hours=1)
    for kind, at in (("unassigned", NOON), ("assigned", later)):
        keep.append(kind, {"observer": "O-1", "station": STATIONS[0]}, "office", at)
    keep.append("unassigned", {"observer": "O-1", "station": STATIONS[0]}, "office", NOON + timedelta(hours=2))
    keep.append("suspended", {"observer": "O-2", "why": "slept"}, "office", NOON)
    monkeypatch.setattr(keep, "events", lambda first=0: pytest.fail("the whole log was read"))
    assert refused(keep, incoming("a/1", "voting", asked, "O-2")) == "O.103"
    assert refused(keep, incoming("a/1", "voting", asked, "O-3")) == "O.104"
    for minutes_on, check in ((-1, ""), (0, "O.104"), (59, "O.104"), (60, ""), (120, "O.104")):
        written = (NOON + timedelta(minutes=minutes_on)).isoformat()
        report = incoming(f"x{minutes_on}", "voting", asked, station=STATIONS[0], written=written)
        if check:
            assert refused(keep, report) == check
        else:
            assert "O.122" in send(keep, report).flags


def test_a_form_written_before_its_observer_was_sent_elsewhere_is_kept(keep: Notebook) -> None:
    keep.append("unassigned", {"observer": "O-1", "station": STATIONS[3]}, "office", NOON)
    asked = {"as_of": "11:40", "handed_out": "200"}
    early = (NOON - timedelta(minutes=20)).isoformat()
    assert "O.122" in send(keep, incoming("a/1", "voting", asked, written=early)).flags
    assert refused(keep, incoming("a/2", "voting", asked)) == "O.104"


@pytest.mark.parametrize(
    ("answers", "check"),
    [
        (copy(yes=10**6), "O.108"),
        (COPY | {"yes": "-5"}, "O.108"),
        (COPY | {"yes": "5.5"}, "O.108"),
        (COPY | {"yes": "1 234"}, "O.108"),
        (COPY | {"yes": "9" * 5000}, "O.108"),
        (COPY | {"yes": ""}, "O.107"),
        (COPY | {"maybe": "1"}, "O.109"),
    ],
)
def test_impossible_numbers_are_refused(keep: Notebook, answers: dict[str, str], check: str) -> None:
    assert refused(keep, incoming("a/1", answers=answers)) == check


@pytest.mark.parametrize(
    ("typed", "said"),
    [("512", 512), ("５１２", 512), ("007", 7), ("²", "digits 0 to 9"), ("5²", "digits 0 to 9"), ("①", "digits 0 to 9"),
     ("𝟓", "digits 0 to 9"), ("٥", "digits 0 to 9"), ("+5", "no sign"), ("＋５", "no sign"), ("-5", "never negative"),
     ("−5", "never negative"), ("-²", "digits 0 to 9"), ("+", "digits 0 to 9")],
)  # fmt: skip
def test_only_digits_are_a_count(typed: str, said: int | str) -> None:
    field = load_forms()["voting"].field("handed_out")
    assert field is not None
    if isinstance(said, int):
        assert read_value(field, typed) == said
        return
    with pytest.raises(BadInput, match=said) as caught:
        read_value(field, typed)
    assert caught.value.check == "O.108"


def test_a_photo_must_have_come_and_belong(keep: Notebook) -> None:
    photo = Photo(keep.store_photo(b"\xff\xd8\xff\xd9"), 4, "image/jpeg")
    assert send(keep, incoming("a/1", photos=(photo,))).photos == (photo,)
    assert refused(keep, incoming("a/2", photos=(Photo("0" * 64, 1, "image/jpeg"),))) == "O.112"
    asked = {"as_of": "11:40", "handed_out": "200"}
    assert refused(keep, incoming("a/3", "voting", asked, photos=(photo,))) == "O.112"


def voting(keep: Notebook, key: str, hour: str, given: int, observer: str = "O-1", **more: str) -> tuple[str, ...]:
    return send(keep, incoming(key, "voting", {"as_of": hour, "handed_out": str(given), **more}, observer)).flags


def test_turnout_that_falls_exceeds_the_list_or_differs(keep: Notebook) -> None:
    assert voting(keep, "a/1", "10:00", 100) == ()
    assert voting(keep, "a/2", "14:00", 300) == ()
    assert voting(keep, "a/3", "12:00", 301) == ("O.124",)
    assert voting(keep, "a/4", "16:00", 299) == ("O.124",)
    assert voting(keep, "a/5", "18:00", 1001) == ("O.125",)
    assert voting(keep, "a/6", "18:30", 1001, listed="1000") == ("O.125",)
    assert voting(keep, "b/1", "14:00", 310, "O-2") == ("O.124", "O.130")
    assert voting(keep, "a/7", "23:00", 1001) == ("O.125", "O.134")
    flags = send(keep, incoming("a/8", answers=copy(received=611))).flags
    assert flags == ("O.132",)


def test_the_opening_and_the_list(keep: Notebook) -> None:
    opened = {"opened": "07:00", "eligible": "1000", "delivered": "1010", "boxes_empty": "yes"}
    assert send(keep, incoming("a/1", "setup", opened)).flags == ()
    assert send(keep, incoming("a/2", "setup", opened | {"delivered": "1011"})).flags == ("O.133", "O.131")
    assert send(keep, incoming("b/1", "setup", opened | {"eligible": "1001"}, "O-2")).flags == ("O.130",)


def test_a_copy_that_is_not_whole_is_taken_and_said(keep: Notebook) -> None:
    some = {name: COPY[name] for name in ("participated", "yes", "no")}
    assert send(keep, incoming("a/1", answers=some)).flags == ("O.135",)
    assert refused(keep, incoming("a/2", answers={"yes": "5"})) == "O.107"


def test_a_count_before_voting_ended_and_times_out_of_order(keep: Notebook) -> None:
    answers = {"closed": "20:00", "began": "20:10", "ended": "00:40", "clear_view": "yes"}
    assert send(keep, incoming("a/1", "count", answers)).flags == ()
    early = send(keep, incoming("a/2", "count", answers | {"began": "19:50"}), NIGHT)
    assert early.flags == ("O.128",)
    assert "O.126" in send(keep, incoming("a/3"), NOON).flags
    assert minutes("03:59") > minutes("23:59") > minutes("04:00") == 0


def test_the_copy_of_another_station(keep: Notebook) -> None:
    send(keep, incoming("a/1"))
    assert send(keep, incoming("a/2", station=STATIONS[0])).flags == ("O.127",)
    few = copy(eligible=9, received=9, participated=9, yes=9, no=0, invalid=0, not_counted=0)
    send(keep, incoming("a/3", station=STATIONS[1], answers=few))
    assert send(keep, incoming("b/3", answers=few, observer="O-2")).flags == ("O.130",)


def test_an_incident_is_asked_for_fact_time_and_photo(keep: Notebook) -> None:
    bare = {"sort": "pressure", "weight": "serious"}
    assert send(keep, incoming("a/1", "incident", bare)).flags == ("O.129",)
    photo = Photo(keep.store_photo(b"x"), 1, "image/png")
    whole = bare | {"fact": "Two men gave out money at the door", "happened": "11:20"}
    assert send(keep, incoming("a/2", "incident", whole, photos=(photo,))).flags == ()


def test_a_clock_that_is_wrong_is_settled_and_said(keep: Notebook) -> None:
    wrong = NIGHT + timedelta(hours=3)
    report = send(keep, incoming("p/7", written=(wrong - timedelta(minutes=20)).isoformat(), sent=wrong.isoformat()))
    assert datetime.fromisoformat(report.written) == NIGHT - timedelta(minutes=20) and "O.120" in report.flags
    assert refused(keep, incoming("p/8", written="yesterday")) == "O.114"
    earlier = send(keep, incoming("p/6", "incident", {"sort": "order", "weight": "small"}, written=NIGHT.isoformat()))
    assert earlier.written <= report.written, "the phone's own order stays"


MOMENT = st.integers(-5000, 5000).map(lambda minutes: NIGHT + timedelta(minutes=minutes))


@given(MOMENT, st.none() | MOMENT, MOMENT, st.none() | MOMENT, st.none() | MOMENT)
@settings(max_examples=60, deadline=None)
def test_what_is_settled_never_lies_in_the_future(
    written: datetime, sent: datetime | None, now: datetime, after: datetime | None, before: datetime | None
) -> None:
    found = settle(written, sent, now, after, before)
    assert found.at <= now
    if after is not None and after <= now:
        assert found.at >= after
    if sent is not None and abs(sent - now) > TOLERATED:
        assert found.odd
    if sent is not None and after is None and before is None and written <= sent:
        assert found.at == now - (sent - written)


def test_what_is_known_of_reports_is_what_all_of_them_say(keep: Notebook) -> None:
    """The mission's indexes against a look at every report, over an afternoon of sending, correcting and rejecting."""
    chance = random.Random(5)
    for n in range(60):
        where = [("O-1", STATIONS[chance.choice((0, 1, 3))]), ("O-2", STATIONS[3])][chance.random() < 0.3]
        who, station = where
        key = f"{chance.choice('ab')}/{n if chance.random() < 0.8 else n - 7}" if chance.random() < 0.9 else f"k{n}"
        if key in keep.mission.by_key:
            continue
        yes = chance.choice((510, 511, 512))
        everything = [one for one in keep.mission.reports.values() if one.standing != "rejected"]
        values = {name: int(text) for name, text in copy(yes=yes).items()}
        sent = send(keep, incoming(key, answers=copy(yes=yes), observer=who, station=station))
        twin = any(one.station != station and dict(one.values) == values for one in everything)
        assert ("O.127" in sent.flags) == twin
        here = [one for one in everything if one.station == station]
        assert ("O.130" in sent.flags) == any(one.observer != who and one.values["yes"] != yes for one in here)
        assert ("O.131" in sent.flags) == any(one.observer == who and one.values["yes"] != yes for one in here)
        afresh = Told(keep.mission.reports.values())
        assert all(
            keep.mission.told.answers(s, "protocol", "charter") == afresh.answers(s, "protocol", "charter")
            for s in STATIONS
        )
        if chance.random() < 0.5:
            judge(
                keep,
                sent.n,
                chance.choice(("rejected", "verified")),
                values=values | {"yes": chance.choice((510, 511))},
            )
    assert any("O.127" in one.flags for one in keep.mission.reports.values())
    assert fold(keep.events()) == keep.mission


@pytest.mark.parametrize("station", [STATIONS[0], STATIONS[3]])
def test_a_report_costs_the_same_however_many_came(keep: Notebook, station: str) -> None:
    """Many reports are there, of another station and phone or of this one: none of them is looked at."""

    class Counted(dict[int, Report]):
        read = 0

        def __getitem__(self, n: int) -> Report:
            self.read += 1
            return super().__getitem__(n)

        def values(self) -> NoReturn:
            pytest.fail("every report was looked at")

    for n in range(40):
        send(keep, incoming(f"z/{n}", station=station, answers=copy(yes=400 + n // 2), written=NIGHT.isoformat()))
    counted = keep.mission.reports = Counted(keep.mission.reports)
    send(keep, incoming("y/1", written=NIGHT.isoformat()))
    send(keep, incoming("z/019", written=NIGHT.isoformat(), observer="O-2"))
    assert counted.read < 10


def test_whether_many_differ_is_seen_at_one_look_at_each() -> None:
    class Seen(int):
        times = 0

        def __ne__(self, other: object) -> bool:
            Seen.times += 1
            return int(self) != int(other)  # type: ignore[call-overload]

    def told(n: int, yes: int) -> Report:
        return Report(n, f"k{n}", f"O-{n}", STATIONS[3], "protocol", {"yes": Seen(yes)}, "", "", "csv")

    many = [told(n, 512) for n in range(500)]
    assert not disagreeing(many) and Seen.times <= len(many)
    assert disagreeing([*many, told(500, 511)])


def test_without_the_record_its_noted_poll_gives_the_form(keep: Notebook) -> None:
    assert take(keep, incoming("a/1"), NIGHT).flags == ()
    assert official().poll.to_json() == poll().to_json()
