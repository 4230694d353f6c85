"""Can a mission be set up, its sample committed to, drawn and revealed from the browser, and is what must not be refused?"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64decode
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from compared_world import World
from mission_world import MORNING, PASSWORD, WHO, Desk, desk, open_desk

from dauys.cli.mission_map import drawer
from dauys.errors import DauysError
from dauys.observe.accreditation.entries import observer_shape
from dauys.observe.known.keep import open_keep
from dauys.observe.known.model import Event
from dauys.observe.mission.design import asked_of, preview
from dauys.observe.office import forms
from dauys.observe.office.door import TRIES, Door, mark_of, shown
from dauys.observe.sample.draw import Plan, redraw
from dauys.observe.sample.draw import draw as draw_sample
from dauys.observe.sample.frame import Columns, read_frame, record_frame
from dauys.record.entry import check_signature

DESIGN = {"allocation": "proportional", "strata": "area", "n": "40", "least": "2"}
SEED = "dice 4 1 6 2 2 5 3 1 6 6 4 2"


@pytest.fixture
def office(tmp_path: Path) -> Desk:
    return desk(tmp_path / "m").set_up()


def test_from_sign_in_to_the_revealed_seed(office: Desk) -> None:
    """The whole way of a sample, in the browser; what went into the record is signed, well-formed and keeps its word."""
    assert office.post("/en/sample/freeze").status_code == 200
    frame = office.keep.mission.frame
    assert frame is not None
    record = record_frame(office.commission.world.fetch())
    assert frame.sha256 == sha256(record).hexdigest() and office.get("/en/sample/frame").content == record
    shown_design = office.get("/en/sample?allocation=proportional&strata=area&n=40").text
    assert "40 of 51 stations" in shown_design
    assert office.post("/en/sample/commit", **DESIGN, seed=SEED).status_code == 200
    assert SEED not in office.get("/en/sample").text and not office.keep.mission.sample, "the seed is secret"
    office.post("/en/sample/draw")
    body = office.get("/en/sample/drawn").json()
    listed = read_frame(office.keep.folder / frame.file, Columns(("id",), ("area",)))
    again = draw_sample(listed, Plan(40, "proportional", False, (), 2), SEED)
    assert tuple(body["stations"]) == again.stations
    assert redraw(listed, body).stations == again.stations
    assert SEED not in office.get("/en/sample.json").text
    office.post("/en/sample/reveal")
    assert office.get("/en/sample.json").json()["sample"]["seed"] == SEED
    sample, seed = office.commission.taken
    assert [one.by for one in (sample, seed)] == ["organisation/adil"] * 2
    poll = office.commission.world.official().poll
    for one in (sample, seed):
        assert check_signature(one, b64decode(office.keep.public))
        assert observer_shape(one.kind, one.body, poll, one.id) == one.id
    assert sample.body["commitment"] == sha256(SEED.encode()).hexdigest() and sample.body["stations"] == 40
    assert seed.body == {"organisation": "adil", "of": 100, "seed": SEED}
    assert [one.index for one in office.keep.mission.sent.values()] == [100, 101]


def test_nothing_goes_back_after_the_draw(office: Desk) -> None:
    """A second draw, another list, another design, a list that changed, a station that was replaced: all refused."""
    office.post("/en/sample/freeze")
    office.post("/en/sample/commit", **DESIGN, seed=SEED)
    assert office.post("/en/sample/freeze").status_code == 409
    office.post("/en/sample/draw")
    drawn = office.keep.mission.sample
    assert drawn is not None
    for path in ("/en/sample/draw", "/en/sample/commit"):
        assert office.post(path, **DESIGN).status_code == 409
    assert office.post("/en/setup", **{**WHO, "code": "other"}).status_code == 409
    frame = office.get("/en/sample/frame").content
    body = office.get("/en/sample/drawn").json()
    left_out = next(name for name in read_ids(frame) if name not in body["stations"])
    replaced = {**body, "stations": [left_out, *body["stations"][1:]]}
    for name, data, status in (
        ("list.csv", frame, 200),
        ("list.csv", frame.replace(b"KZ11-0000", b"KZ11-9999"), 422),
        ("sample.json", json.dumps(body).encode(), 200),
        ("sample.json", json.dumps(replaced).encode(), 422),
        ("sample.json", b"[1]", 422),
    ):
        answer = office.post("/en/sample/check", files={"file": (name, data)})
        assert answer.status_code == status, (name, answer.text)
    assert "never replaced" in office.post("/en/sample/check", files={"file": ("s.json", json.dumps(replaced))}).text
    assert office.keep.mission.sample == drawn


def read_ids(frame: bytes) -> list[str]:
    return [line.split(",")[0] for line in frame.decode().splitlines()[1:]]


def test_a_frozen_file_that_changed_on_the_disk_is_not_drawn_from(office: Desk) -> None:
    office.post("/en/sample/freeze")
    office.post("/en/sample/commit", **DESIGN, seed=SEED)
    frame = office.keep.mission.frame
    assert frame is not None
    path = office.keep.folder / frame.file
    good = path.read_bytes()
    path.write_bytes(good.replace(b"KZ11-0000,KZ11", b"KZ11-0000,KZ15"))
    answer = office.post("/en/sample/draw")
    assert answer.status_code == 422 and "O.025" in answer.text and office.keep.mission.sample is None
    path.write_bytes(good)
    assert office.post("/en/sample/draw").status_code == 200 and office.keep.mission.sample is not None


def test_the_wire_is_cut_and_comes_back(office: Desk) -> None:
    """What cannot be sent waits, over a restart too, and is sent once, byte for byte; what is refused is not committed to."""
    office.post("/en/sample/freeze")
    office.commission.cut = True
    office.post("/en/sample/commit", **DESIGN, seed=SEED)
    assert office.keep.mission.commitment and not office.commission.taken
    assert "Waiting to be sent" in office.get("/en").text
    office.post("/en/sample/draw")
    assert office.post("/en/sample/reveal").status_code == 409, "the record does not have what the seed would open"
    folder = office.keep.folder
    office.keep.close()
    again = open_desk(open_keep(folder), office.commission)
    again.office.refresh()
    office.commission.cut = False
    again.office.extra["outbox"].flush()
    again.office.extra["outbox"].flush()
    assert [one.kind for one in office.commission.taken] == ["observer-sample"] and not again.office.waiting()
    assert again.office.send("observer-sample", "observer-sample/adil/1", {"other": 1}) == 100, "an id is said once"
    again.keep.close()


def test_a_commitment_that_the_record_refuses_is_none(office: Desk) -> None:
    office.post("/en/sample/freeze")
    office.commission.status = 403
    answer = office.post("/en/sample/commit", **DESIGN, seed=SEED)
    assert answer.status_code == 422 and "suspended" in answer.text
    assert not office.keep.mission.commitment and not office.office.waiting()
    office.post("/en/sample/commit", **DESIGN, seed=SEED, alone="1")
    assert office.keep.mission.commitment and not office.keep.mission.sent
    assert office.post("/en/sample/commit", **DESIGN, seed=SEED + " 1").status_code == 409, (
        "nobody chooses among samples"
    )
    office.commission.status = 201
    office.post("/en/sample/tell")
    assert [one.body["commitment"] for one in office.commission.taken] == [office.keep.mission.commitment]


def test_a_program_that_ends_while_it_commits_goes_on_with_what_it_said(
    office: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.post("/en/sample/freeze")
    append = office.keep.append

    def ends(kind: str, *what: Any) -> Event:
        if kind == "plan":
            raise DauysError("the power is out")
        return append(kind, *what)

    monkeypatch.setattr(office.keep, "append", ends)
    assert office.post("/en/sample/commit", **DESIGN, seed=SEED).status_code == 422
    monkeypatch.setattr(office.keep, "append", append)
    assert office.commission.taken and not office.keep.mission.commitment
    office.post("/en/sample/commit", **{**DESIGN, "n": "44"}, seed="another seed that was typed")
    assert office.keep.mission.commitment == office.commission.taken[0].body["commitment"]
    office.post("/en/sample/draw")
    assert office.keep.mission.sample and office.keep.mission.sample.draw["seed"] == SEED


BAD_FORMS = (
    ("/en/setup", {**WHO, "code": "Two Words"}),
    ("/en/setup", {**WHO, "name-kk": "", "name-ru": "", "name-en": ""}),
    ("/en/setup", {**WHO, "coalition": "a b"}),
    ("/en/sample/commit", {**DESIGN, "seed": "short"}),
    ("/en/sample/commit", {**DESIGN, "n": "10"}),
    ("/en/sample/commit", {**DESIGN, "n": ""}),
    ("/en/sample/commit", {**DESIGN, "n": "", "margin": "0", "spread": "9"}),
    ("/en/sample/commit", {**DESIGN, "allocation": "neyman"}),
    ("/en/sample/commit", {**DESIGN, "allocation": "whatever"}),
    ("/en/sample/commit", {**DESIGN, "strata": "colour"}),
    ("/en/sample/commit", {**DESIGN, "allocation": "power", "exponent": "1/0"}),
    ("/en/people/add", {"name": "", "organisation": "adil"}),
    ("/en/people/add", {"name": "A", "organisation": "strangers"}),
    ("/en/people/add", {"name": "A", "phone": "call me"}),
)


def test_bad_forms_are_refused_with_a_message(office: Desk) -> None:
    office.post("/en/sample/freeze")
    before = office.keep.mission
    for path, fields in BAD_FORMS:
        answer = office.post(path, **fields)
        assert answer.status_code == 422 and 'role="alert"' in answer.text, (path, fields)
        assert office.keep.mission == before


def test_sizes_follow_from_how_stations_differ(tmp_path: Path) -> None:
    """S**2 = 219 points**2 on 10,012 stations: the margins of facts/observation.md 1.3, and back to the numbers."""
    path = tmp_path / "frame.csv"
    path.write_text("id,area\n" + "".join(f"S{n},{n % 17}\n" for n in range(10_012)))
    spread = f"{219**0.5:.6f}"
    for n, margin in ((300, "1.65"), (500, "1.26"), (1000, "0.87"), (1500, "0.69"), (2500, "0.50")):
        asked = asked_of({"n": str(n), "spread": spread}, path, False)
        rows = {row["n"]: row["margin"] for row in preview(asked, path)["margins"]}
        assert rows[n] == margin
        back = asked_of({"margin": margin, "spread": spread}, path, False)
        assert abs(Fraction(back.plan.n, n) - 1) < Fraction(2, 100)
    more = asked_of({"margin": "1.65", "spread": spread, "response": "80"}, path, False)
    assert more.plan.n == -(-asked_of({"margin": "1.65", "spread": spread}, path, False).plan.n * 100 // 80)


def test_stations_abroad_are_taken_whole(tmp_path: Path) -> None:
    path = tmp_path / "frame.csv"
    rows = [f"A{n},KZ1,{n + 1},0" for n in range(30)] + [f"B{n},KZ1,9,1" for n in range(4)]
    path.write_text("id,area,eligible,abroad\n" + "\n".join(rows) + "\n")
    asked = asked_of({"allocation": "proportional", "strata": "area", "abroad": "all", "n": "10"}, path, True)
    assert asked.plan.take_all == ("KZ1:1",)
    found = draw_sample(read_frame(path, asked.columns), asked.plan, "s")
    assert set(found.stations) >= {f"B{n}" for n in range(4)} and len(found.stations) == 10
    pps = asked_of({"allocation": "simple", "pps": "1", "n": "10"}, path, True)
    assert pps.columns.size == "eligible" and not pps.columns.strata


def test_a_past_vote_gives_s(office: Desk) -> None:
    office.post("/en/sample/freeze")
    table = "station,yes,voted\n" + "".join(f"S{n},{50 + n % 3 * 10},100\n" for n in range(60))
    office.post("/en/sample/past", files={"file": ("past.csv", table.encode())}, y="yes", x="voted")
    assert office.keep.mission.notes["past-vote"]["spread"] == "8.23", "sd of 50, 60, 70 in equal parts, divisor 59"
    assert 'value="8.23"' in office.get("/en/sample").text


def test_the_door_opens_once_by_the_code_and_then_by_the_password(tmp_path: Path) -> None:
    here = desk(tmp_path / "m")
    code = here.door.code
    for path in ("/en", "/en/setup", "/kk/people"):
        assert here.client.get(path, follow_redirects=False).headers["location"].endswith("/in")
    assert here.client.get("/en.json").status_code == 401
    assert code not in here.client.get("/en/in").text
    assert here.get(f"/en/in?code={shown(code)}").url.path == "/en/in", "nobody is signed in by a link"
    assert here.post("/en/in", code=shown(code).lower()).url.path == "/en/password", "first a password is chosen"
    assert here.get("/en/setup").url.path == "/en/password"
    assert here.post("/en/password", password="short", again="short").status_code == 422
    assert here.post("/en/password", password=PASSWORD, again=PASSWORD + "x").status_code == 422
    here.post("/en/password", password=PASSWORD, again=PASSWORD)
    assert here.get("/en/setup").status_code == 200
    here.post("/en/out")
    assert here.get("/en").url.path == "/en/in"
    assert here.post("/en/in", code=code).status_code == 401, "a code is good once"
    assert here.post("/en/in", code=PASSWORD).url.path == "/en"
    store = b"".join(path.read_bytes() for path in here.keep.folder.iterdir() if path.is_file())
    assert PASSWORD.encode() not in store


def test_the_overview_has_its_twin_after_the_draw_too(office: Desk, tmp_path: Path) -> None:
    """With the map of the shell, in each language: the language of `/en.json` is `en`."""
    office.office.draw_map = drawer(tmp_path / "maps")
    office.post("/en/sample/freeze")
    office.post("/en/sample/commit", **DESIGN, seed=SEED)
    office.post("/en/sample/draw")
    for lang in ("kk", "ru", "en"):
        answer = office.get(f"/{lang}.json")
        assert answer.status_code == 200 and answer.json()["stages"]["planned"] == 40


def test_the_seed_of_the_draw_is_shown_when_it_is_revealed(office: Desk) -> None:
    office.post("/en/sample/freeze")
    office.post("/en/sample/commit", **DESIGN, seed=SEED)
    office.post("/en/sample/draw")
    drawn = next(one.n for one in office.keep.events() if one.kind == "drawn")
    page = office.get(f"/en/report/event?n={drawn}").text
    assert SEED not in page and "hidden until it is revealed" in page
    assert all(SEED not in office.get(f"/en/report/event?n={n}").text for n in range(drawn))
    office.post("/en/sample/reveal")
    assert SEED in office.get(f"/en/report/event?n={drawn}").text


def test_a_password_takes_its_time() -> None:
    """What is kept of it is scrypt with 16 MiB; nobody tries a million of them."""
    secret = mark_of(PASSWORD, 1 << 14)
    salt, _, found = secret.partition(":")
    expected = hashlib.scrypt(PASSWORD.encode(), salt=bytes.fromhex(salt), n=1 << 14, r=8, p=1)
    assert found == expected.hex() and mark_of(PASSWORD, 1 << 14) != secret


def test_wrong_tries_have_to_wait(office: Desk) -> None:
    office.post("/en/out")
    codes = [office.post("/en/in", code="guess 12345").status_code for _ in range(TRIES + 2)]
    assert codes == [401] * TRIES + [429] * 2


def test_observers_and_office_have_separate_doors(office: Desk) -> None:
    office.post("/en/people/add", name="Aigerim")
    code = office.office.extra["slips"]["O-001"]
    door: Door = office.door
    session = door.observer_sign_in("o-001", f" {code[:5].lower()}-{code[5:]}")
    assert session.who == "O-001"
    cookies = {door.office_cookie: session.token}
    assert office.client.get("/en", cookies=cookies, follow_redirects=False).status_code in (200, 303)
    fresh = open_desk(office.keep, office.commission)
    assert fresh.client.get("/en", cookies=cookies, follow_redirects=False).status_code == 303, (
        "no office for an observer"
    )
    for who, typed in (("O-001", "AAAAAAAAAA"), ("O-999", code), ("", "")):
        with pytest.raises(DauysError):
            door.observer_sign_in(who, typed)
    office.post("/en/people/slip", observer="O-001")
    with pytest.raises(DauysError):
        door.observer_sign_in("O-001", code)
    assert all(one._session(session.token) is None for one in (door, fresh.door)), "a new code ends the old session"


def test_forms_from_elsewhere_and_too_large_ones_are_refused(office: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    post = office.client.post
    assert post("/en/people/add", data={"name": "A"}).status_code == 403, "without the mark"
    assert (
        post(
            "/en/people/add", data={"name": "A", "mark": office.mark}, headers={"sec-fetch-site": "cross-site"}
        ).status_code
        == 403
    )
    assert (
        post(
            "/en/people/add", data={"name": "A", "mark": office.mark}, headers={"origin": "http://evil.test"}
        ).status_code
        == 403
    )
    monkeypatch.setattr(forms, "LARGEST_UPLOAD", 1000)
    files = {"file": ("list.csv", b"name\n" + b"x" * 2000)}
    assert post("/en/people/list", data={"mark": office.mark}, files=files).status_code == 413
    monkeypatch.setattr(forms, "LARGEST_FORM", 1000)
    assert post("/en/people/add", data={"name": "A" * 2000, "mark": office.mark}).status_code == 413
    assert not office.keep.mission.observers


def test_every_page_is_safe_and_names_no_other_host(office: Desk) -> None:
    office.post("/en/sample/freeze")
    for path in ("/en", "/ru/setup", "/kk/sample", "/en/people", "/en/people/rights", "/en/coverage", "/en/nothing"):
        answer = office.get(path)
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert answer.headers["cache-control"] == "no-store"
        outside = set(re.findall(r'(?:src|href|action)="https?://([^/"]+)', answer.text))
        assert outside <= {"commission.test"}, path
    twin = office.get("/en/coverage.json").json()
    assert twin == {"stages": dict.fromkeys(twin["stages"], 0), "areas": [], "stations": []}


def test_the_record_says_whether_the_organisation_is_accredited(office: Desk) -> None:
    """The step of the overview is done when the record names the organisation with this mission's key, and not suspended."""
    said = office.commission.world.say
    body = {"code": "adil", "names": {"en": "Adil"}, "kind": "association", "scope": ["KZ11"], "until": "2023-06-01",
            "reason": "r", "cite": "c"}  # fmt: skip
    done = '<li class="done"><p><a href="/en/setup">Be accredited'
    for kind, name, more, expected in (
        ("organisation", "organisation/adil", {**body, "key": "A" * 43 + "="}, False),
        ("organisation", "organisation/adil", {**body, "key": office.keep.public}, True),
        ("organisation-suspended", "organisation-suspended/adil/1",
         {"organisation": "adil", "suspended": True, "reason": "leaflets", "cite": "c"}, False),
        ("organisation-suspended", "organisation-suspended/adil/2",
         {"organisation": "adil", "suspended": False, "reason": "r", "cite": "c"}, True),
    ):  # fmt: skip
        said(kind, name, more)
        page = office.post("/en/setup/refresh").text
        assert ("leaflets" in page) == (name.endswith("adil/1"))
        assert (done in office.get("/en").text) == expected
    office.post("/en/sample/freeze")
    office.post("/en/sample/commit", **DESIGN, seed=SEED)
    office.post("/en/sample/draw")
    drawn = office.keep.mission.sample.stations  # type: ignore[union-attr]
    office.post("/en/people/add", name="A")
    outside = next(name for name in drawn if not name.startswith("KZ11"))
    assert office.post("/en/people/assign", observer="O-001", station=outside).status_code == 409, (
        "not accredited there"
    )


def test_a_record_that_is_rewritten_is_refused_and_said(tmp_path: Path) -> None:
    here = desk(tmp_path / "m", World(per_area=1)).set_up()
    size = here.office.official().size  # type: ignore[union-attr]
    here.commission.world = World(per_area=2)
    here.commission.world.count()
    answer = here.post("/en/setup/refresh")
    assert "does not extend the one shown before" in answer.text
    assert here.office.official().size == size, "what was read before stays"  # type: ignore[union-attr]
    assert MORNING.year == 2022
