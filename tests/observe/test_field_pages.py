"""Do the phones' pages and the office's queue work over HTTP: without JavaScript, as JSON, with photos, for the wrong people?"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from field_world import COPY, NIGHT, NOON, STATIONS, Notebook, Phone, incoming, mission, send, site

from dauys.observe.field import photos, queue_pages
from dauys.observe.field.copies import copies_of
from dauys.observe.field.photos import LARGEST
from dauys.observe.office.door import Door

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
HERE = {"sec-fetch-site": "same-origin"}


@pytest.fixture
def keep(tmp_path: Path) -> Notebook:
    return mission(tmp_path)


@pytest.fixture
def world(keep: Notebook) -> tuple[Any, Door]:
    return site(keep)


def body(key: str = "phone/1", **more: Any) -> dict[str, Any]:
    return {
        "key": key, "station": STATIONS[3], "form": "protocol", "contest": "charter", "answers": COPY,
        "written": "2022-06-05T15:20:00.000Z", "sent": "2022-06-05T15:30:00.000Z", "photos": [], **more,
    }  # fmt: skip


def report(phone: Phone, what: Any, **headers: str) -> httpx.Response:
    kind = {"content-type": "application/json"}
    return phone.ask("POST", "/o/api/reports?lang=en", content=json.dumps(what), headers=kind | HERE | headers)


def test_the_pages_of_a_phone(world: tuple[Any, Door]) -> None:
    nobody = Phone(*world, who="")
    assert nobody.get("/en/o").headers["location"] == "/en/o/in"
    assert nobody.get("/en/o/form/voting").status_code == 303
    linked = nobody.get("/ru/o/in?id=O-1&code=ABCDE23456").text
    assert 'value="ABCDE23456"' in linked and 'value="O-1"' in linked
    assert nobody.post("/en/o/in", id="O-1", code="WRONG").status_code == 401
    signed = nobody.post("/en/o/in", id="o-1", code="abcde-23456")
    assert signed.headers["location"] == "/en/o" and "HttpOnly" in signed.headers["set-cookie"]
    page = nobody.get("/en/o")
    assert all(one in page.text for one in (STATIONS[0], STATIONS[1], STATIONS[3], "/en/o/form/protocol/charter"))
    assert "KZ11-0001" not in page.text and "<script>" not in page.text and "style=" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for path in ("voting", "incident", "protocol/river", "setup", "arrival", "count"):
        assert nobody.get(f"/kk/o/form/{path}").status_code == 200
    assert nobody.get("/en/o/form/horoscope").status_code == 404
    assert "factual and documented" in nobody.get("/en/o/form/incident").text
    assert nobody.get("/en/o/rights").status_code == 200


def test_a_form_posts_without_javascript_with_its_photos(keep: Notebook, world: tuple[Any, Door]) -> None:
    phone = Phone(*world)
    fields = {f"a-{name}": value for name, value in COPY.items()} | {"station": STATIONS[3], "key": "page-1"}
    sent = phone.post("/en/o/form/protocol/charter", files={"photo": ("a.png", PNG)}, **fields)
    assert sent.status_code == 303 and "/en/o?sent=" in sent.headers["location"]
    (came,) = keep.mission.reports.values()
    assert came.channel == "phone" and came.observer == "O-1" and len(came.photos) == 1
    assert keep.photo(came.photos[0].sha256).read_bytes() == PNG
    assert phone.post("/en/o/form/protocol/charter", **fields).status_code == 303 and len(keep.mission.reports) == 1
    wrong = phone.post("/en/o/form/protocol/charter", **fields | {"a-yes": "5x", "key": "page-2"})
    assert wrong.status_code == 422 and "O.108" in wrong.text and 'value="5x"' in wrong.text
    assert "It arrived" in phone.get(sent.headers["location"]).text
    other = Phone(*world, who="O-2")
    other.mark = phone.mark
    assert other.post("/en/o/form/protocol/charter", **fields | {"key": "page-3"}).status_code == 403
    large = phone.post("/en/o/form/protocol/charter", files={"photo": b"\xff\xd8\xff" + bytes(LARGEST)}, **fields)
    assert large.status_code == 413 and "O.110" in large.text


def test_the_api_takes_a_report_once(keep: Notebook, world: tuple[Any, Door]) -> None:
    phone = Phone(*world)
    first = report(phone, body())
    again = report(phone, body())
    assert (first.status_code, again.status_code) == (201, 200) and first.json() == again.json()
    assert first.json()["standing"] == "new" and first.json()["flags"] == []
    (came,) = keep.mission.reports.values()
    assert came.written == "2022-06-05T21:20:00+06:00"
    bare = body("phone/2", form="incident", contest="", answers={"sort": "order", "weight": "small"})
    asked = report(phone, bare).json()
    assert asked["asked"] == ["happened", "fact", "picture"] and asked["flags"][0]["text"]["kk"]
    mine = phone.get("/o/api/reports").json()["reports"]
    assert [one["key"] for one in mine] == ["phone/2", "phone/1"]
    assert Phone(*world, who="O-2").get("/o/api/reports").json() == {"reports": []}


@pytest.mark.parametrize(
    ("what", "status", "check"),
    [
        (body(answers=COPY | {"yes": "-1"}), 422, "O.108"),
        (body(station="KZ11-0001"), 422, "O.104"),
        (body(photos=["0" * 64]), 422, "O.112"),
        (body(photos=["../../etc/passwd"]), 422, "O.112"),
        (body(photos=[5]), 422, "O.112"),
        (body(written="soon"), 422, "O.114"),
        ([], 422, "O.119"),
        ({"key": 5, "answers": {}}, 422, "O.119"),
        (body(answers={"yes": 5}), 422, "O.119"),
        (body(answers="x"), 422, "O.119"),
        *(
            (body(**{name: "x\ud83d"}), 422, "O.119")
            for name in ("key", "station", "form", "contest", "written", "sent")
        ),
        (body(answers=COPY | {"x\ud83d": "1"}), 422, "O.119"),
        (body(photos=["x\ud83d"]), 422, "O.119"),
    ],
)
def test_the_api_refuses_with_a_reason(world: tuple[Any, Door], what: Any, status: int, check: str) -> None:
    said = report(Phone(*world), what)
    assert said.status_code == status and said.json()["error"]["check"] == check
    assert said.json()["error"]["text"]


def test_the_api_is_for_the_phones_own_pages(world: tuple[Any, Door]) -> None:
    assert report(Phone(*world, who=""), body()).status_code == 401
    assert report(Phone(*world), body(), **{"sec-fetch-site": "cross-site"}).status_code == 403
    assert report(Phone(*world), body(), **{"content-type": "text/plain"}).status_code == 403
    assert Phone(*world).ask("POST", "/o/api/reports", content=b"{" * 100_000, headers={"content-type": "application/json"}).status_code == 413  # fmt: skip


def test_a_photo_streams_and_is_cut_off_at_its_limit(keep: Notebook, world: tuple[Any, Door]) -> None:
    phone, given = Phone(*world), 0

    async def film() -> Any:
        nonlocal given
        for _ in range(50):
            given += 1
            yield b"\xff\xd8\xff" + bytes((1 << 20) - 3)

    said = phone.ask("POST", "/o/api/photos", content=film(), headers=HERE)
    assert said.status_code == 413 and said.json()["error"]["check"] == "O.110" and given <= 12
    stored = phone.ask("POST", "/o/api/photos", content=PNG, headers=HERE)
    assert stored.status_code == 201 and stored.json()["kind"] == "image/png"
    assert phone.ask("POST", "/o/api/photos", content=b"MZ", headers=HERE).json()["error"]["check"] == "O.111"
    taken = report(phone, body(photos=[stored.json()["sha256"]]))
    assert taken.status_code == 201 and taken.json()["photos"] == [stored.json()["sha256"]]
    office = Phone(*world, who="office")
    shown = office.get(f"/en/field/photo?sha256={stored.json()['sha256']}")
    assert shown.content == PNG and shown.headers["content-type"] == "image/png"
    assert office.get("/en/field/photo?sha256=" + "0" * 64).status_code == 409


def test_an_observer_sends_so_many_photos_and_no_more(
    keep: Notebook, world: tuple[Any, Door], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photos, "MOST_SENT", 5)
    monkeypatch.setattr(photos, "MOST_WAITING", 3)
    phone, other = Phone(*world), Phone(*world, who="O-2")

    def photo(n: int, phone: Phone = phone) -> httpx.Response:
        picture = b"\xff\xd8\xff\xc0\0\x08\x08\0\1\0\1\0\xff\xda\0\x02" + bytes([n + 1]) + b"\xff\xd9"
        return phone.ask("POST", "/o/api/photos", content=picture, headers=HERE)

    names = [photo(n).json()["sha256"] for n in range(3)]
    assert photo(1).status_code == 201, "what is there already is no further photo"
    for said in (photo(3), photo(4)):
        assert (said.status_code, said.json()["error"]["check"]) == (422, "O.112")
    assert photo(3, other).status_code == 201
    fields = {f"a-{name}": value for name, value in COPY.items()} | {"station": STATIONS[3], "key": "page-1"}
    refused = phone.post("/en/o/form/protocol/charter", files={"photo": ("a.png", PNG)}, **fields)
    assert refused.status_code == 422 and "O.112" in refused.text
    assert report(phone, body(photos=names)).status_code == 201
    assert [photo(n).status_code for n in (5, 6, 7)] == [201, 201, 422]
    assert len(list(keep.folder.iterdir())) == 6


@pytest.mark.parametrize(
    ("path", "who", "lines"),
    [("/o/api/photos", "O-1", 0), ("/o/api/reports", "O-1", 0), ("/en/o/form/voting", "O-1", 0), ("/en/o/in", "O-1", 0),
     ("/en/in", "", 1), ("/en/field/import", "office", 1), ("/en/field/write", "office", 1), ("/en/people/list", "office", 1)],
)  # fmt: skip
def test_a_wire_that_is_cut_while_sending_ends_quietly(
    keep: Notebook, world: tuple[Any, Door], path: str, who: str, lines: int, caplog: pytest.LogCaptureFixture
) -> None:
    phone = Phone(*world, who)
    heard: list[str] = []
    half = f'--x\r\nContent-Disposition: form-data; name="mark"\r\n\r\n{phone.mark}\r\n--x\r\n'
    half += 'Content-Disposition: form-data; name="file"; filename="copies.csv"\r\n\r\nstation,observer\n'
    came = [{"type": "http.request", "body": half.encode(), "more_body": True}, {"type": "http.disconnect"}]
    files, events = set(keep.folder.rglob("*")), keep.mission.size

    async def receive() -> Any:
        return came.pop(0)

    async def send_(message: Any) -> None:
        heard.append(message["type"])

    cookie = "; ".join(f"{name}={value}" for name, value in phone.cookies.items())
    content = "application/json" if path.startswith("/o/api") else "multipart/form-data; boundary=x"
    headers = {"cookie": cookie, "content-type": content, "host": "mission.test", **HERE}
    scope = {
        "type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "scheme": "http", "http_version": "1.1", "server": ("mission.test", 80), "client": ("127.0.0.1", 9),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    asyncio.run(world[0](scope, receive, send_))
    assert came == [] and "http.response.start" in heard
    assert set(keep.folder.rglob("*")) == files and keep.mission.size == events, "nothing half-written"
    assert [one.exc_info for one in caplog.records if one.name.startswith("dauys")] == [None] * lines, "one line each"


def test_a_suspended_observer_hears_why(keep: Notebook, world: tuple[Any, Door]) -> None:
    phone = Phone(*world)
    keep.append("suspended", {"observer": "O-1", "why": "left the station"}, "office", NOON)
    said = report(phone, body())
    assert said.status_code == 403 and "left the station" in said.json()["error"]["message"]
    assert report(phone, body(written="2022-06-05T05:00:00Z", sent="2022-06-05T15:30:00Z")).status_code == 201
    assert "left the station" in phone.get("/en/o").text


def test_the_queue_verifies_rejects_and_corrects(keep: Notebook, world: tuple[Any, Door]) -> None:
    office = Phone(*world, who="office")
    clean = send(keep, incoming("a/1", station=STATIONS[0]))
    first = send(keep, incoming("a/2", answers=COPY | {"yes": "502"}))
    second = send(keep, incoming("b/2", observer="O-2"))
    queue = office.get("/en/field").text
    assert "Verify all that are in order (1)" in queue and "Disputed" in queue and "O.123" in queue
    assert office.get("/en/field.json").json()[0]["report"] == second.n
    assert office.post("/en/field").headers["location"] == "/en/field?done=1"
    assert keep.mission.reports[clean.n].standing == "verified"
    beside = office.get(f"/en/field/report?n={first.n}").text
    assert "differs" in beside and ">502<" in beside.replace("\n", "") and ">512<" in beside.replace("\n", "")
    assert "F.101" in beside
    path = f"/en/field/report?n={first.n}"
    assert office.post(path, act="reject").status_code == 422
    assert office.post(path, act="verify", **{f"a-{n}": v for n, v in COPY.items()}).status_code == 422
    corrected = {f"a-{name}": value for name, value in COPY.items()}
    assert office.post(path, act="verify", note="as on the photo", **corrected).status_code == 303
    assert keep.mission.reports[first.n].values["yes"] == 512
    assert office.post(f"/en/field/report?n={second.n}", act="reject", note="not seen").status_code == 303
    assert copies_of(keep.mission, "charter")["charter", STATIONS[3]].counts
    assert all(
        office.get(f"/kk/field?show={name}").status_code == 200 for name in ("flagged", "disputed", "rejected", "all")
    )
    assert office.get("/en/field/report?n=9999").status_code == 409
    assert Phone(*world).get("/en/field").status_code == 303


def test_imports_are_looked_at_and_answered(keep: Notebook, world: tuple[Any, Door]) -> None:
    office = Phone(*world, who="office")
    head = "Учаске;Байқаушы;participated;Votes for (yes);no;Ескерту\n"
    rows = f"{STATIONS[0]};O-1;600;500;90;x\n{STATIONS[3]};O-2;600;500;ninety;\n"
    looked = office.post(
        "/en/field/import", files={"file": ("t.csv", (head + rows).encode())}, act="look", path="protocol/charter"
    )
    assert "O.108" in looked.text and "Ескерту" in looked.text and not keep.mission.reports
    good = head + rows.replace("ninety", "90")
    refused = office.post("/en/field/import", act="take", path="protocol/charter", table=head + rows)
    assert "nothing was taken" in refused.text and not keep.mission.reports
    looked = office.post("/en/field/import", files={"file": ("t.csv", good.encode("cp1251", "replace"))}, act="look", path="protocol/charter")  # fmt: skip
    assert looked.status_code == 200
    taken = office.post("/en/field/import", act="take", path="protocol/charter", table=good)
    assert "Taken: 2" in taken.text and len(keep.mission.reports) == 2
    assert "Taken: 0" in office.post("/en/field/import", act="take", path="protocol/charter", table=good).text
    assert len(keep.mission.reports) == 2, "a table that is sent twice comes in once"
    lines = f"{STATIONS[3]} явка 12:00 выдано 345 #1 код ABCDE23456\nhello"
    answered = office.post("/en/field/import", act="lines", lines=lines)
    assert "Not taken" in answered.text and ">Taken<" in answered.text and len(keep.mission.reports) == 3


def test_the_office_writes_a_call_down(keep: Notebook, world: tuple[Any, Door]) -> None:
    office = Phone(*world, who="office")
    assert office.get("/en/field/write?path=voting").status_code == 200
    fields = {"path": "voting", "observer": "O-1", "station": STATIONS[3], "a-as_of": "12:00"}
    assert "O.107" in office.post("/en/field/write", **fields).text
    done = office.post("/en/field/write", **fields, **{"a-handed_out": "345"})
    assert done.status_code == 303
    (came,) = keep.mission.reports.values()
    assert came.channel == "office" and done.headers["location"] == f"/en/field/report?n={came.n}"
    assert json.dumps(dict(came.values)) and came.received == NIGHT.isoformat()


def test_of_very_many_reports_some_stand_side_by_side(
    keep: Notebook, world: tuple[Any, Door], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_pages, "SHOWN", 3)
    office = Phone(*world, who="office")
    sent = [send(keep, incoming(f"a/{n}", answers=COPY | {"yes": str(500 + n)})) for n in range(6)]
    page = office.get(f"/en/field/report?n={sent[0].n}").text.replace("\n", "")
    assert [n for n in range(6) if f">{500 + n}<" in page] == [0, 4, 5] and "3 of 6" in page
    assert "station=KZ10-0123" in page, "where the others stand"
    assert "3 of 6" not in office.get("/en/field").text
