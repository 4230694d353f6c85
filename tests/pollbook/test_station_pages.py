"""Do the officers' pages hand out one ballot per right, whatever is sent, by whom, and how often?"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pollbook_sample import MORNING, all_on, who
from station_tablet import Tablet
from station_world import PIN, Clock, FakeCentre, enrolled, iin, station_of

from dauys.page_forms import LANGUAGES
from dauys.pollbook.machine.answers import HEADERS
from dauys.pollbook.sealed.commitment import read_code
from dauys.pollbook.station.door import PAUSE, TRIES, Door
from dauys.pollbook.station.visit import Station

pytestmark = pytest.mark.usefixtures("cheap_pins")


def standing(station: Station) -> int:
    return sum(not one.undone for one in station.keep.book.check_ins.values())


def test_two_taps_from_a_search_to_a_receipt(station: Station) -> None:
    tablet = Tablet(station, "m1")
    found = tablet.post("/find", text="әлихан7")
    assert found.status_code == 303 and urlsplit(found.headers["location"]).path == f"/en/voter/{who(7)}"
    done = tablet.hand_out(7)
    assert done.status_code == 303
    page = tablet.client.get(done.headers["location"]).text
    code = "".join(re.findall(r"<span>([0-9A-Z*$+%-]+)</span>", page))
    one = station.keep.book.check_in_of(who(7))
    assert one is not None and read_code(code) == (one.salt, who(7)) and one.officer == "m1"
    assert "<svg" in page and "style=" not in page


@pytest.mark.parametrize(
    "typed, number",
    [
        ("12", 12),
        (iin(12), 12),
        (f"{iin(12)[:6]} {iin(12)[6:]}", 12),
        (f"IDKAZ{'1' * 9}{iin(12)}<<<<<<<<<<<<<<<<<", 12),
    ],
)
def test_what_a_keyboard_or_a_scanner_types_finds_the_voter(station: Station, typed: str, number: int) -> None:
    found = Tablet(station, "m1").post("/find", text=typed)
    assert found.headers["location"] == f"/en/voter/{who(number)}"


def test_a_receipt_that_is_scanned_finds_its_voter(station: Station) -> None:
    tablet = Tablet(station, "m1")
    page = tablet.client.get(tablet.hand_out(3).headers["location"]).text
    code = "".join(re.findall(r"<span>([0-9A-Z*$+%-]+)</span>", page))
    assert tablet.post("/find", text=code).headers["location"] == f"/en/voter/{who(3)}"


def test_the_same_tap_hands_out_once_however_often_it_comes(station: Station) -> None:
    tablet = Tablet(station, "m1")
    tap = tablet.fields(f"/voter/{who(5)}", "/hand-out")
    with ThreadPoolExecutor(8) as pool:
        places = {
            answer.headers["location"] for answer in pool.map(lambda _: tablet.post("/hand-out", **tap), range(8))
        }
    assert len(places) == 1 and standing(station) == 1
    n = station.keep.book.used_by[who(5)]
    assert tablet.post("/undo", n=str(n), reason="wrong person picked").headers["location"] == f"/en/voter/{who(5)}"
    again = tablet.post("/hand-out", **tap)
    assert standing(station) == 0, "an old tap handed out a second ballot"
    assert "taken back" in tablet.client.get(again.headers["location"]).text


def test_two_tablets_and_one_voter(station: Station, clock: Clock) -> None:
    """Both officers see him as free; one wins, the other reads who, and when."""
    tablets = [Tablet(station, "m1"), Tablet(station, "m2")]
    taps = [tablet.fields(f"/voter/{who(9)}", "/hand-out") for tablet in tablets]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda pair: pair[0].post("/hand-out", **pair[1]), zip(tablets, taps, strict=True)))
    assert sorted(answer.status_code for answer in answers) == [303, 409]
    lost = next(answer for answer in answers if answer.status_code == 409).text
    winner = station.keep.book.check_ins[station.keep.book.used_by[who(9)]]
    name = {"m1": "Dana (m1)", "m2": "Yerlan (m2)"}[winner.officer]
    assert f"Already received a ballot at 10:32 from {name}." in lost and "P.021" in lost
    assert standing(station) == 1


def test_refusals_are_said_in_three_languages_with_their_article(
    tmp_path: Path, centre: FakeCentre, clock: Clock
) -> None:
    fresh = FakeCentre(centre.lists, all_on(mobile="the law knows none"))
    made = station_of(enrolled(fresh, tmp_path, "1"), fresh, clock)
    for lang, title in (
        ("en", "does not know this way"),
        ("kk", "бұл тәсілді білмейді"),
        ("ru", "не знает этого способа"),
    ):
        said = Tablet(made, "m1", lang).post("/mobile", who=str(who(1)))
        assert said.status_code == 409 and title in said.text and "P.026" in said.text and "art. 9" in said.text
    made.keep.close()


def test_nothing_personal_stands_in_an_address(station: Station) -> None:
    tablet = Tablet(station, "m1")
    for text in (iin(4), "ахметов", "nobody at all"):
        assert tablet.post("/find", text=text).headers["location"].startswith(("/en/voter/", "/en/found"))
    page = tablet.get("/found").text
    assert not re.findall(rf'(?:href|action)="[^"]*(?:{iin(4)}|хмет)', page)
    assert "Nobody on this list" in page


def test_the_chair_may_not_hand_out(station: Station) -> None:
    chair = Tablet(station, "c1")
    page = chair.get(f"/voter/{who(2)}").text
    assert 'class="go"' not in page and "Ballots are handed out by" in page
    said = chair.post("/hand-out", who=str(who(2)), salt="0" * 20, channel="polling-day")
    assert said.status_code == 403 and "P.028" in said.text and standing(station) == 0


def test_only_who_is_signed_in_sends_forms_of_this_site(station: Station) -> None:
    stranger = Tablet(station)
    for path in ("", "/found", f"/voter/{who(1)}", "/list", "/protocol"):
        assert stranger.get(path).headers["location"] == "/en/in"
    assert (
        stranger.client.post("/en/hand-out", data={"who": str(who(1)), "salt": "0" * 20}).headers["location"]
        == "/en/in"
    )
    assert stranger.get("/paper").status_code == 403
    tablet = Tablet(station, "m1")
    tap = tablet.fields(f"/voter/{who(1)}", "/hand-out")
    for mark, headers in (
        ("", {}),
        ("0" * 32, {}),
        (tap["mark"], {"sec-fetch-site": "cross-site"}),
        (tap["mark"], {"origin": "http://evil"}),
    ):
        said = tablet.client.post("/en/hand-out", data=tap | {"mark": mark}, headers=headers)
        assert said.status_code == 403 and "P.046" in said.text
    assert tablet.client.post("/en/hand-out", content=b"x" * 70_000).status_code == 413
    assert standing(station) == 0
    tablet.post("/out")
    assert tablet.get("").headers["location"] == "/en/in"


def test_pins_are_released_replaced_and_not_guessed(station: Station, clock: Clock) -> None:
    chair, tablet = Tablet(station, "c1"), Tablet(station)
    page = chair.post("/officers", officer="m2").text
    first = re.findall(r'class="pin">(\d{6})<', page)[0]
    assert tablet.client.post("/en/in", data={"officer": "m2", "pin": PIN}).status_code == 401
    assert tablet.client.post("/en/in", data={"officer": "m2", "pin": first}).status_code == 303
    assert tablet.get("/list").headers["location"] == "/en/pin"
    mark = tablet.fields("/pin", "/pin")["mark"]
    for pin, again in (
        ("111111", "111111"),
        ("123456", "123456"),
        ("314159", "314158"),
        (first, first),
        ("31415", "31415"),
    ):
        assert tablet.client.post("/en/pin", data={"mark": mark, "pin": pin, "again": again}).status_code == 422
    assert tablet.client.post("/en/pin", data={"mark": mark, "pin": "314159", "again": "314159"}).status_code == 303
    assert tablet.get("/list").status_code == 200
    for _ in range(TRIES):
        assert tablet.client.post("/en/in", data={"officer": "m2", "pin": "000000"}).status_code == 401
    assert tablet.client.post("/en/in", data={"officer": "m2", "pin": "314159"}).status_code == 429
    reopened = Door(station.keep, clock)
    assert reopened.pin_of("m2") == station.door.pin_of("m2"), "a restart forgets the wrong PINs"
    clock.now += PAUSE
    assert tablet.client.post("/en/in", data={"officer": "m2", "pin": "314159"}).status_code == 303
    assert Tablet(station, "m1").post("/officers", officer="m1").status_code == 403


def test_a_session_outlives_the_program_and_ends_in_time(station: Station, clock: Clock) -> None:
    session = station.door.sign_in("m1", PIN)
    again = Door(station.keep, clock).session(session.token)
    assert again is not None and (again.officer, again.mark) == ("m1", session.mark)
    station.door.sign_out(session)
    assert Door(station.keep, clock).session(session.token) is None
    late = station.door.sign_in("m1", PIN)
    clock.now += timedelta(hours=15)
    assert station.door.session(late.token) is None
    assert PIN not in (station.keep.kept("pins") or "") and late.token not in (station.keep.kept("sessions") or "")


def test_ballots_that_are_noted_twice_count_once(station: Station) -> None:
    chair, other = Tablet(station, "c1"), Tablet(station, "s1")
    note = chair.fields("/ballots", "/ballots") | {"what": "delivered", "count": "100"}
    assert [chair.post("/ballots", **note).status_code for _ in range(2)] == [303, 303]
    assert other.post("/ballots", what="delivered", count="7", seen="0").status_code == 403
    assert chair.post("/ballots", what="handed-to-member", count="30", member="m1", seen="1").status_code == 303
    assert (
        "Not so many ballots" in chair.post("/ballots", what="handed-to-member", count="71", member="m1", seen="2").text
    )
    assert [(one.what, one.count, one.member) for one in station.keep.book.ballots] == [
        ("delivered", 100, ""), ("handed-to-member", 30, "m1"),
    ]  # fmt: skip
    assert chair.post("/ballots", what="delivered", count="-1", seen="2").status_code == 422
    assert "P.047" in chair.post("/protocol", received="0" * 12 + "9" * 9).text
    Tablet(station, "m1").hand_out(1)
    row = re.findall(r'<th scope="row">Dana \(m1\)</th>(.*?)</tr>', chair.get("/ballots").text)[0]
    assert re.findall(r">(\d+)<", row) == ["29", "1", "30", "0", "0"]


def test_a_note_of_ballots_is_taken_back_once(station: Station) -> None:
    chair, member = Tablet(station, "c1"), Tablet(station, "m1")
    chair.post("/ballots", what="delivered", count="5000", seen="0")
    n = str(station.keep.book.ballots[0].n)
    assert "/en/ballots-back" in chair.get("/ballots").text and "/en/ballots-back" not in member.get("/ballots").text
    assert "P.029" in member.post("/ballots-back", n=n, reason="wrong number typed").text
    refused = chair.post("/ballots-back", n=n, other=f"of {iin(3)}")
    assert refused.status_code == 422 and "P.077" in refused.text and iin(3) not in refused.text
    assert [chair.post("/ballots-back", n=n, reason="wrong number typed").status_code for _ in range(2)] == [303, 303]
    assert "<s>" in chair.get("/ballots").text and len(station.keep.book.ballots) == 1
    note = chair.fields("/ballots", "/ballots") | {"what": "delivered", "count": "5000"}
    assert chair.post("/ballots", **note).status_code == 303
    assert [one.undone for one in station.keep.book.ballots] == [int(n) + 1, 0]
    for lang, said in (
        ("en", "must have 0 left"),
        ("ru", "должно оставаться бюллетеней: 0"),
        ("kk", "бюллетень саны – 0"),
    ):
        more = Tablet(station, "c1", lang).post("/ballots", what="returned", count="1", member="m1", seen="3")
        assert "P.040" in more.text and said in more.text


def test_the_receipt_says_to_hand_out_only_now_and_to_its_officer(station: Station, clock: Clock) -> None:
    tablet = Tablet(station, "m1")
    place = tablet.hand_out(4).headers["location"].removeprefix("/en")
    assert "Hand out one ballot" in tablet.get(place).text
    other = Tablet(station, "m2").get(place).text
    assert "Hand out one ballot" not in other and "A ballot was handed out at 10:32 by Dana (m1)." in other
    clock.now += timedelta(minutes=9)
    assert "Hand out one ballot" in tablet.get(place).text
    clock.now += timedelta(minutes=1)
    later = tablet.get(place).text
    assert "Hand out one ballot" not in later and "A ballot was handed out at 10:32 by Dana (m1)." in later


def test_a_way_that_is_not_named_is_no_way(station: Station) -> None:
    tablet = Tablet(station, "m1")
    for channel in ({}, {"channel": ""}, {"channel": "post"}):
        said = tablet.post("/hand-out", who=str(who(1)), salt="1" * 20, **channel)
        assert said.status_code == 409 and "P.026" in said.text
    assert not standing(station)


def test_at_home_the_page_offers_who_left_with_the_box(station: Station) -> None:
    tablet, form = Tablet(station, "m1"), {"who": str(who(6)), "salt": "5" * 20, "channel": "mobile"}
    tablet.post("/mobile", who=str(who(6)))
    assert tablet.post("/box", **{"what": "out", "second": "m2", str(who(6)): "1"}).status_code == 303
    assert re.findall(r'<option value="(\w+)"', tablet.get(f"/voter/{who(6)}").text) == ["m2"]
    said = tablet.post("/hand-out", **form, second="c1")
    assert said.status_code == 409 and "The box left with: Dana (m1), Yerlan (m2)." in said.text
    assert tablet.post("/hand-out", **form, second="m2").status_code == 303


def test_the_mobile_box_goes_with_two_members(station: Station, clock: Clock) -> None:
    tablet = Tablet(station, "m1")
    assert tablet.post("/mobile", who=str(who(6))).status_code == 303
    assert tablet.post("/mobile", who=str(who(6))).status_code == 303  # the same tap
    form = {"who": str(who(6)), "salt": "5" * 20, "channel": "mobile"}
    assert "P.030" in tablet.post("/hand-out", **form).text
    assert tablet.post("/hand-out", **form, second="m2").status_code == 303
    one = station.keep.book.check_in_of(who(6))
    assert one is not None and one.members == ("m1", "m2") and one.channel == "mobile"
    clock.now += timedelta(hours=2)
    late = tablet.post("/mobile", who=str(who(8)))
    assert late.status_code == 409 and "P.027" in late.text


def test_until_when_the_box_is_asked_for_is_said_with_the_day_where_that_is_not_today(
    station: Station, clock: Clock
) -> None:
    assert "asked for until 12:00." in Tablet(station, "m1").get(f"/voter/{who(6)}").text
    clock.now = MORNING - timedelta(days=1)
    assert "asked for until 05.06. 12:00." in Tablet(station, "m1").get(f"/voter/{who(6)}").text


def test_the_mobile_box_comes_back_and_leaves_with_somebody_who_is_ticked(station: Station) -> None:
    member, ticked = Tablet(station, "m1"), {str(who(6)): "1"}
    member.post("/mobile", who=str(who(6)))
    said = {"en": "Tick at least one voter.", "kk": "Кемінде бір сайлаушыны", "ru": "хотя бы одного избирателя"}
    for what in ("out", "back"):
        for lang in LANGUAGES:
            answer = Tablet(station, "m1", lang).post("/box", what=what, second="m2")
            assert answer.status_code == 422 and said[lang] in answer.text
        # and the same tap twice
        for _ in range(2):
            assert member.post("/box", **{"what": what, "second": "m2", **ticked}).status_code == 303
    assert not station.keep.book.in_box


def test_the_mobile_box_leaves_for_more_than_two_hundred(station: Station) -> None:
    tablet, others = Tablet(station, "m1"), {str(who(n)): "1" for n in range(1_000, 1_300)}
    tablet.post("/mobile", who=str(who(6)))
    assert tablet.post("/box", **{"what": "out", "second": "m2", **others, str(who(6)): "1"}).status_code == 303
    assert list(station.keep.book.in_box) == [who(6)]


def test_a_certificate_takes_the_right_away(station: Station, clock: Clock) -> None:
    clock.now = MORNING - timedelta(days=1)
    tablet = Tablet(station, "m1")
    assert tablet.post("/certificate", who=str(who(10)), number="A 17").status_code == 303
    assert tablet.post("/certificate", who=str(who(10)), number="A 17").status_code == 303  # the same tap
    clock.now = MORNING
    tablet = Tablet(station, "m1")  # sessions end overnight
    page = tablet.get(f"/voter/{who(10)}").text
    assert "an absentee certificate that the voter carries" in page and 'class="go"' not in page
    said = tablet.post("/hand-out", who=str(who(10)), salt="7" * 20, channel="polling-day")
    assert said.status_code == 409 and "P.022" in said.text


def test_the_day_opens_and_closes(tmp_path: Path, centre: FakeCentre, clock: Clock) -> None:
    fresh = FakeCentre(centre.lists)
    made = station_of(enrolled(fresh, tmp_path, "1"), fresh, clock)
    chair, tablet = Tablet(made, "c1"), Tablet(made, "m1")
    assert "P.024" in tablet.post("/hand-out", who=str(who(1)), salt="1" * 20).text
    assert "P.029" in tablet.post("/day", what="open").text
    assert [chair.post("/day", what="open").status_code for _ in range(2)] == [303, 303]
    assert tablet.hand_out(1).status_code == 303
    assert tablet.post("/queue", count="0").status_code == 303
    assert tablet.post("/queue", count="14").status_code == 303
    assert made.keep.book.queue == (MORNING.isoformat(), 14) and "14 at 10:32" in tablet.get("").text
    assert chair.post("/day", what="close").status_code == 422
    assert chair.post("/day", what="close", sure="yes").status_code == 303
    assert "P.023" in tablet.post("/hand-out", who=str(who(2)), salt="1" * 20).text
    typed = {"eligible": "40", "received": "2", "participated": "1", "delivered": ""}
    said = chair.post("/protocol", **typed).text
    assert set(re.findall(r'class="badge">(B\.\d+)', said)) == {"B.102"}
    assert "pollbook 1, protocol 2" in said
    assert "Everything agrees." in chair.post("/protocol", **typed | {"received": "1"}).text
    made.keep.close()


def test_the_printed_list_has_everybody_and_is_remembered(station: Station, clock: Clock) -> None:
    tablet = Tablet(station, "m1")
    tablet.hand_out(2)
    page = tablet.post("/list").text
    assert len(re.findall(r'<tr class="(?:here|used|away)">', page)) == 40
    assert re.search(rf'Әлихан2</th><td class="left nowrap">{iin(2)[:6]} {iin(2)[6:]}.*?<b>10:32</b> Dana', page, re.S)
    clock.now += timedelta(minutes=61)
    assert "The list was last printed at 10:32." in tablet.get("").text


def test_every_page_in_every_language(station: Station) -> None:
    pages = (
        "",
        "/elsewhere",
        "/ballots",
        "/day",
        "/protocol",
        "/list",
        "/officers",
        "/pin",
        f"/voter/{who(1)}",
    )
    for lang in LANGUAGES:
        chair = Tablet(station, "c1", lang)
        for path in pages:
            answer = chair.get(path)
            assert answer.status_code == 200, path
            assert answer.text.count("<h1") == 1 and f'<html lang="{lang}">' in answer.text
            assert (
                HEADERS.items() <= dict(answer.headers).items() | {(name, answer.headers[name]) for name in HEADERS}
                and answer.headers["cache-control"] == "no-store"
            )
            assert "style=" not in answer.text and "onclick" not in answer.text
        for path in re.findall(r'(?:href|src)="(/static/[^"]+)"', chair.get("").text):
            assert chair.client.get(path).status_code == 200
    assert Tablet(station, "c1").client.get("/", headers={"accept-language": "ru"}).headers["location"] == "/ru"
    assert Tablet(station, "c1").client.get("/en/nowhere").status_code == 404
