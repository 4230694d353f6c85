"""Do the mission's pages of estimate and comparison show the night, the differences and the commission's answers?"""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from compared_world import CLOSES, CONTEST, World, law, mission_of, protocol, tell
from field_world import Notebook
from starlette.requests import Request

from dauys.errors import BadInput
from dauys.observe.compare import pages
from dauys.observe.compare.estimated import tonight
from dauys.observe.compare.national import measures_of
from dauys.observe.estimates.partial import Gate, _reasons
from dauys.observe.known.model import MissionError
from dauys.observe.known.official import Official
from dauys.observe.mission import night_pages
from dauys.observe.night.picture import NARROW, WIDE, Point, svg
from dauys.observe.night.snapshots import Ask, drawn_of_draw, say
from dauys.observe.office.sending import NOTE, Waits
from dauys.observe.office.visit import Model, Office, Visit
from dauys.observe.office.words import base_words
from dauys.web.render import render

PAGES = (*night_pages.PAGES, *pages.PAGES)
LATE = CLOSES + timedelta(hours=16)
PHOTO = "ab" * 32


class Mission:
    """A mission's office in memory: its notebook, the record that it reads, and what it sent, which the record takes."""

    def __init__(self, folder: Path) -> None:
        self.world = World(12).count()
        self.drawn = self.world.drawn(folder, 51)
        self.book: Notebook = mission_of(self.world, folder, self.drawn)
        self.official: Official = self.world.official()
        self.sent: list[tuple[str, Mapping[str, Any]]] = []
        self.office = Office(self.book, lambda: LATE, lambda: self.official, lambda: self.official, self.send)

    def send(self, kind: str, name: str, body: Mapping[str, Any]) -> int:
        index = self.world.say(kind, name, body, 1000)
        self.sent.append((name, body))
        self.book.append("sent", {"id": name, "entry_kind": kind, "index": index}, "office", LATE)
        return index

    def read(self) -> None:
        self.official = self.world.official(self.official)

    def visit(
        self, path: str, lang: str = "en", query: str = "", form: Mapping[str, str] | None = None, at: datetime = LATE
    ) -> Visit:
        scope = {
            "type": "http", "method": "GET" if form is None else "POST", "path": f"/{lang}{path}", "scheme": "http",
            "query_string": query.encode(), "headers": [], "server": ("mission", 80), "root_path": "", "path_params": {},
        }  # fmt: skip
        return Visit(self.office, Request(scope), lang, form, {}, at)

    def page(self, path: str, lang: str = "en", query: str = "") -> tuple[Model, str]:
        """The model of a page of the office, and its HTML."""
        (page,) = [one for one in PAGES if one.path == path]
        visit = self.visit(path, lang, query)
        model = page.act(visit)
        assert isinstance(model, dict)
        words = {"asset": "/static/{}".format, "menu": [], "here": path, "signed_in": True, "mark_field": ""}
        json.dumps(model[page.twin])  # the twin can be said as JSON
        return model, bytes(render(visit.request, page.template, base_words(self.office) | words | model).body).decode()


@pytest.fixture(scope="module")
def mission(tmp_path_factory: pytest.TempPathFactory) -> Mission:
    """49 of 51 copies: one that differs with a photo, one station whose observers differ, one copy not verified."""
    made = Mission(tmp_path_factory.mktemp("mission"))
    for n, station in enumerate(made.drawn["stations"][:49]):
        values = protocol(made.world.stations[station])
        if n == 5:
            values = values | {"yes": values["yes"] - 20, "no": values["no"] + 20}
        tell(made.book, station, values, 60 + 6 * n, verified=n != 8, photos=(PHOTO,) if n == 5 else ())
        if n == 7:
            tell(made.book, station, values | {"yes": 1}, 61 + 6 * n, by="o2")
    return made


def test_before_the_sample_and_before_the_copies(tmp_path: Path) -> None:
    made = Mission(tmp_path)
    made.book.mission.sample, drawn = None, made.book.mission.sample
    for path in ("/estimate", "/compare"):
        assert "/en/sample" in made.page(path)[1]
    made.book.mission.sample = drawn
    assert made.page("/estimate")[0]["said"] is None
    model, html = made.page("/compare")
    assert model["compare"]["stations"]["no-copy"] == 51 and "Nothing to compare yet" in html


def test_one_copy_is_compared_and_estimates_nothing(tmp_path: Path) -> None:
    made = Mission(tmp_path)
    first = made.drawn["stations"][0]
    tell(made.book, first, protocol(made.world.stations[first]), 60)
    assert made.page("/estimate")[0]["said"] is None
    model, _ = made.page("/compare")
    assert model["compare"]["stations"]["no-copy"] == 50
    for station in made.drawn["stations"][1:3]:
        tell(made.book, station, protocol(made.world.stations[station]), 66)
    shares = made.page("/compare")[0]["compare"]["national"]
    assert shares and all(one["agrees"] is None and one["reasons"] for one in shares)  # of 51 drawn: nothing to say yet


def test_the_estimate_is_that_of_the_verified_copies(mission: Mission) -> None:
    model, html = mission.page("/estimate")
    found = model["estimate"]
    assert found["facts"]["received"] == 47 and found["facts"]["designed"] == 51
    names = list(mission.drawn["stations"])
    came = [n < 49 and n not in (7, 8) for n in range(51)]
    values = [protocol(mission.world.stations[name]) for name in names]
    y = np.array([one["yes"] - 20 * (n == 5) if came[n] else 0 for n, one in enumerate(values)], dtype=float)
    x = np.array([one["participated"] if came[n] else 0 for n, one in enumerate(values)], dtype=float)
    expected = say(drawn_of_draw(mission.drawn), np.array(came), y, x, Ask(), LATE, "participated")
    assert found["estimate"] == pytest.approx(expected.found.estimate, abs=1e-12)
    assert found["se"] == pytest.approx(expected.found.se, abs=1e-12)
    received = [one["received"] for one in found["snapshots"]]
    assert received == sorted(received) and received[-1] == 47
    assert found["snapshots"][0]["publish"] is False and found["snapshots"][0]["reasons"]
    counted = [one["official"]["stations"] for one in found["snapshots"]]
    assert counted == sorted(counted) and found["official"]["stations"] == 204
    minutes = [60 + 3 * n for n in range(204)]  # one of them on the half hour itself
    for state in found["snapshots"]:
        passed = (datetime.fromisoformat(state["at"]) - CLOSES) // timedelta(minutes=1)
        assert state["official"]["stations"] == sum(one <= passed for one in minutes)
    by_hand = sum(protocol(one)["yes"] for one in mission.world.stations.values()) / sum(
        protocol(one)["participated"] for one in mission.world.stations.values()
    )
    assert found["official"]["share"] == pytest.approx(by_hand)
    assert (found["double"]["needed"], found["double"]["of"]) == (12, 17) and len(found["by"]) == 17
    assert "Do not publish" in html or "It may be published" in html
    assert html.count("<svg xmlns") == 2 and "SHA-256 of the seed" in html
    turnout = mission.page("/estimate", query="measure=held")[0]["estimate"]
    assert turnout["measure"]["value"] == "participated" and "double" not in turnout
    with pytest.raises(BadInput, match="no such share"):
        mission.page("/estimate", query="measure=maybe")


def test_every_reason_of_the_gate_is_said_in_the_readers_language() -> None:
    """The sentences come from observe.estimates.partial: one that is worded anew must not fall back to English unseen."""
    came, drawn = np.array([5, 0]), np.array([10, 1100])
    reasons = [*_reasons(Gate(), came, drawn, 0.5, 0.01, [0.4, 0.6]), *_reasons(Gate(), came, drawn, 0.5, 0.01, [])]
    found = [night_pages.reason(one) for one in reasons]
    assert [one["kind"] for one in found] == ["few", "thin", "moved", "few", "thin", "new"]
    assert (found[0]["a"], found[0]["b"], found[0]["c"]) == ("5", "1110", "744")
    assert (found[1]["a"], found[1]["b"], found[1]["c"], found[1]["d"]) == ("1", "1100", "1/3", "1/10")
    assert (found[2]["a"], found[2]["b"], found[2]["c"]) == ("0.2000", "3", "0.0100")
    assert night_pages.reason("anything else") == {"kind": "other", "text": "anything else"}


def test_an_annulled_station_counts_as_nothing(tmp_path: Path) -> None:
    made = Mission(tmp_path)
    for n, station in enumerate(made.drawn["stations"]):
        tell(made.book, station, protocol(made.world.stations[station]), 60 + n)
    gone = made.drawn["stations"][0]
    made.world.annul(station=gone)
    made.read()
    contest = law().contests[0]
    found = tonight(made.book.mission, made.official, contest, measures_of(contest)[0], LATE)
    assert found is not None and found.said.partial is None and found.said.facts["received"] == 51
    stratum = next(one for one in made.drawn["strata"] if gone in one["ids"])
    weight = stratum["stations"] / len(stratum["ids"])
    copies = [protocol(made.world.stations[name]) for name in made.drawn["stations"] if name != gone]
    assert weight == 4  # in every stratum, so the ratio is that of plain sums
    assert found.said.found.estimate == pytest.approx(
        sum(one["yes"] for one in copies) / sum(one["participated"] for one in copies), abs=1e-12
    )
    assert found.official.stations == 203


@pytest.mark.parametrize("lang", ["kk", "ru", "en"])
def test_differences_stand_first_side_by_side(mission: Mission, lang: str) -> None:
    model, html = mission.page("/compare", lang)
    bad = mission.drawn["stations"][5]
    assert [one["standing"].standing for one in model["apart"]] == ["differ", "disputed", "unverified"]
    assert model["apart"][0]["standing"].station == bad
    assert f'id="s-{bad}"' in html and f"/{lang}/compare/photo/{PHOTO}" in html
    assert f"{protocol(mission.world.stations[bad])['yes'] - 20}" in html
    assert model["compare"]["stations"]["compared"] == 47
    assert '<td class="num bad">' in html and 'name="station"' in html


def test_an_observation_is_sent_once_and_its_answer_shown(mission: Mission) -> None:
    bad = mission.drawn["stations"][5]
    form = {"station": bad, "contest": CONTEST, "note": "Seen by two observers."}
    poked: list[int] = []
    waiting = SimpleNamespace(waiting=lambda: {PHOTO: Waits("kz", 1, "the wire is cut")})
    mission.office.extra |= {"poke": lambda: poked.append(1), "outbox": SimpleNamespace(photos=waiting)}
    assert 'data-photo="here"' in mission.page("/compare")[1]
    went = pages.comparison(mission.visit("/compare", form=form))
    assert went == f"/compare?contest={CONTEST}#s-{bad}"
    ((name, body),) = mission.sent
    html = mission.page("/compare")[1]
    assert (
        poked
        and 'data-photo="waits"' in html
        and "the wire is cut" in html
        and "not sent to the commission yet" in html
    )
    mission.book.append("note", {"name": f"{NOTE}{PHOTO}", "of": 1}, "office", LATE)
    html = mission.page("/compare")[1]
    assert 'data-photo="sent"' in html and "the commission has it" in html and "the wire is cut" not in html
    assert name == f"observation/echo/{CONTEST}/{bad}/1" and body["photos"] == [PHOTO]
    assert body["of"] == mission.world.held[bad] and body["note"] == "Seen by two observers."
    with pytest.raises(MissionError, match="sent already"):
        pages.comparison(mission.visit("/compare", form=form))
    html = mission.page("/compare")[1]
    assert ">sent</span>" in html and f'name="station" value="{bad}"' not in html
    index = len(mission.world.entries) - 1
    answer = {"of": index, "answer": "open", "because": None, "reason": "the box is opened tomorrow"}
    mission.world.say("observation-answer", f"observation-answer/{index}/1", answer, 1100)
    mission.read()
    model, html = mission.page("/compare")
    assert "the box is opened tomorrow" in html and "being looked into" in html
    (told,) = model["compare"]["observations"]
    assert (told["index"], told["answer"], told["station"]) == (index, "open", bad)
    values = protocol(mission.world.stations[bad])
    mission.world.correct(bad, yes=values["yes"] - 19, no=values["no"] + 19)  # corrected, and still not what was seen
    mission.read()
    pages.comparison(mission.visit("/compare", form=form))
    assert mission.sent[-1][0].endswith(f"{bad}/2") and mission.sent[-1][1]["of"] == mission.world.held[bad]


def test_of_what_agrees_or_is_not_settled_nothing_is_sent(mission: Mission) -> None:
    for n in (0, 7, 8, 50):
        with pytest.raises(BadInput) as fault:
            pages.comparison(
                mission.visit("/compare", form={"station": mission.drawn["stations"][n], "contest": CONTEST})
            )
        assert fault.value.check == "O.158"


def test_pictures_are_only_those_of_reports(mission: Mission) -> None:
    for name in ("cd" * 32, "../store", PHOTO):  # the last one is named by a report, and not there
        visit = mission.visit("/compare/photo/x")
        visit.request.scope["path_params"] = {"sha256": name}
        with pytest.raises(BadInput) as fault:
            pages.photo(visit)
        assert fault.value.check == "O.157"
    mission.book.write(PHOTO, b"\xff\xd8\xff")
    visit = mission.visit("/compare/photo/x")
    visit.request.scope["path_params"] = {"sha256": PHOTO}
    assert pages.photo(visit).media_type == "image/jpeg"  # type: ignore[union-attr]


def at(hour: int) -> datetime:
    return CLOSES + timedelta(hours=hour)


WORDS = {
    "title": "a < b",
    "desc": "d & e",
    "official": "Official",
    "do_not_publish": "not before {time}",
    "never": "never",
}


def places(picture: str, tag: str) -> list[dict[str, str]]:
    return [one.attrib for one in ET.fromstring(picture).iter(f"{{http://www.w3.org/2000/svg}}{tag}")]


@pytest.mark.parametrize("frame", [WIDE, NARROW])
def test_the_picture_stays_in_its_frame_and_says_the_gate(frame: Any) -> None:
    night = [
        Point(at(1), 0.70, None, (0.0, 1.0), False, None),
        Point(at(2), 0.76, (0.60, 0.92), (0.5, 1.0), False, 0.74),
        Point(at(3), 0.77, (0.74, 0.80), (0.7, 0.85), True, 0.76),
        Point(at(4), 0.772, (0.76, 0.784), None, True, 0.7718),
    ]
    picture = svg(night, 0.7718, WORDS, frame)
    root = ET.fromstring(picture)
    texts = ["".join(one.itertext()) for one in root.iter()]
    assert "a < b" in texts and "d & e" in texts and "not before 23:00" in texts
    dots = places(picture, "circle")
    assert [dot["fill"] for dot in dots] == ["#fff", "#fff", "#0b4a66", "#0b4a66"]
    xs, ys = [float(dot["cx"]) for dot in dots], [float(dot["cy"]) for dot in dots]
    assert xs == sorted(xs) and (xs[0], xs[-1]) == (frame.left, frame.width - frame.right)
    assert ys[0] > ys[1] > ys[2] > ys[3]  # more is higher
    numbers = [float(one) for path in places(picture, "path") for one in re.findall(r"[ML]([-0-9.]+) ", path["d"])]
    assert all(0 <= one <= frame.width for one in numbers)


def test_the_picture_of_one_point_and_of_a_night_never_published() -> None:
    assert "never" in svg([Point(at(1), 0.5, (0.4, 0.6), None, False)], None, WORDS)
    assert "not before" not in svg([Point(at(1), 0.5, (0.4, 0.6), None, True)], 0.5, WORDS)
    with pytest.raises(ValueError, match="needs a point"):
        svg([], None, WORDS)
    assert (
        night_pages.written("ru")(0.7718) == "77,18\N{NO-BREAK SPACE}%" and night_pages.written("en")(0.5) == "50.00%"
    )
