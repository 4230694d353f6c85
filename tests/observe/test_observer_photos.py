"""A photo goes from the mission to the commission's clerk: both see it, everybody sees its hash, nothing else comes in."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from accredited_world import ASKED, KEYS, MISSION, POLL, Site, World, photo, world_of
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import Request

from dauys.errors import BadInput, DauysError
from dauys.observe.accreditation import api, desk, pages
from dauys.observe.accreditation.applications import answer, suspend
from dauys.observe.accreditation.offer import Offer, pass_of
from dauys.observe.accreditation.pictures import LARGEST
from dauys.observe.accreditation.quota import Quota
from dauys.observe.accreditation.received import MOST_PHOTOS, receive
from dauys.observe.known.keep import Keep, create, open_keep
from dauys.observe.office.running import Outbox
from dauys.observe.office.sending import AGAIN, AT_ONCE, Photos, is_sent
from dauys.page_forms import Clerk
from dauys.publish import observer_pages
from dauys.record import log
from dauys.record.entry import sign_entry
from dauys.web.clerks import clerks_router
from dauys.web.render import render

pytestmark = pytest.mark.database
OTHER = Ed25519PrivateKey.from_private_bytes(b"\x09" * 32)
PUBLIC, WAITING = f"/en/polls/{POLL.id}/observers", f"/en/desk/observers/observations?poll={POLL.id}"


def name_of(data: bytes) -> str:
    return sha256(data).hexdigest()


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body


PICTURE = photo()
SCRIPT = b"<html><script>alert(1)</script></html>"
BOMB = b"\xff\xd8\xff\xc0\0\x0b\x08\xea\x60\xea\x60\1\1\x11\0" + PICTURE[15:]
HEIC = b"\0\0\0\x18ftypheic" + bytes(12)


@pytest.fixture
def world(connection: sa.Connection) -> World:
    return world_of(connection)


def site_of(world: World, officer: bool = True, quota: Quota | None = None) -> Site:
    office = pages.Office(lambda poll: KEYS.commission, lambda: world.now)

    def who(request: Request) -> Clerk | None:
        return Clerk("anna", "mark") if officer else None

    return world.site(
        api.router(world.engine, lambda: world.now, quota or Quota()),
        clerks_router(desk.pages(world.engine, office), who),
        observer_pages.router(world.engine, render, lambda: world.now),
    )


def observed(world: World, *names: str, **more: Any) -> int:
    return receive(world.connection, POLL, world.shows(*names, **more).to_bytes(), world.now)[0]


def address(name: str, poll: str = POLL.id) -> str:
    return f"/api/polls/{poll}/observers/photos/{name}"


def header(world: World, of: int, data: bytes = PICTURE, key: Ed25519PrivateKey = MISSION, **change: Any) -> str:
    offer = Offer(POLL.id, "qala", name_of(data), of, len(data))
    return pass_of(replace(offer, **change), key, world.now)


def kept(world: World) -> int:
    return int(world.connection.scalar(sa.text("SELECT count(*) FROM observer_photo")) or 0)


def mission_of(world: World, folder: Path, site: Site) -> tuple[Keep, Outbox, list[str]]:
    """A mission whose wire leads to the site; what it sent. An answer in front of the list cuts the wire once."""
    keep, said = create(folder), list[str]()
    source = f"http://centre/record/{POLL.id}"
    body: Mapping[str, Any] = {
        "code": "qala", "names": dict(ASKED.names), "poll": POLL.id, "source": source, "zone": POLL.timezone,
    }  # fmt: skip
    keep.append("identity", body, "office", world.now)

    def post(where: str, entry: bytes) -> tuple[int, str]:
        found = site.post(where.removeprefix("http://centre"), entry)
        return found.status_code, found.text

    def put(where: str, data: bytes, authorization: str) -> tuple[int, str]:
        if said[:1] == ["cut"]:
            raise DauysError("the commission's site cannot be reached: the wire is cut")
        found = site.put(where.removeprefix("http://centre"), data, authorization=authorization)
        said.append(f"{found.status_code} {where[-64:]}")
        return found.status_code, found.text

    return keep, Outbox(keep, lambda: world.now, post, put), said


def test_a_photo_goes_from_the_mission_to_the_clerk_and_to_nobody_else(world: World, tmp_path: Path) -> None:
    site = site_of(world)
    keep, outbox, said = mission_of(world, tmp_path / "mission", site)
    world.accredited(key=keep.public)
    name = keep.store_photo(PICTURE)
    entry = world.shows(name)
    outbox.photos.flush()
    assert said == []  # nothing goes before its observation stands in the record
    place = outbox.send("observation", entry.id, entry.body)
    assert place is not None and dict(outbox.photos.waiting()).keys() == {name}

    before = unescape(site.get(WAITING).text)
    assert f'data-photo="{name}" data-here="no"' in before and "not sent yet" in before and "<img" not in before
    assert "not sent to the commission yet" in unescape(site.get(PUBLIC).text)
    shown = f"/en/desk/observers/photos/{name}?poll={POLL.id}"
    assert site.get(shown).status_code == 404 and "O.083" in site.get(shown).text

    said.append("cut")
    outbox.photos.flush()
    assert "cannot be reached" in outbox.photos.waiting()[name].why and kept(world) == 0
    said.clear()
    outbox.photos.flush()
    assert said == [f"201 {name}"] and not outbox.photos.waiting() and is_sent(keep.mission, name)
    outbox.photos.flush()
    assert said == [f"201 {name}"]

    after = unescape(site.get(WAITING).text)
    assert f'data-photo="{name}" data-here="yes"' in after and after.count("<img") == 1 and f'src="{shown}"' in after
    found = site.get(shown)
    assert (found.status_code, found.content, found.headers["content-type"]) == (200, PICTURE, "image/jpeg")
    assert found.headers["cache-control"] == "no-store" and found.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'; sandbox" in found.headers.get_list("content-security-policy")
    assert found.headers["content-disposition"] == f'inline; filename="{name[:16]}.jpg"'
    stranger = site_of(world, officer=False).get(shown)
    assert (stranger.status_code, stranger.headers["location"], stranger.content) == (303, "/en/desk/in", b"")
    for path in (
        f"{shown}x",
        f"/en/desk/observers/photos/{name}?poll=kz/none",
        "/en/desk/observers/photos/..%2f..%2fetc",
    ):
        assert site.get(path).status_code == 404

    public = unescape(site.get(PUBLIC).text)
    assert f'data-photo="{name}"' in public and "the commission has it" in public and "<img" not in public
    assert site.get(f"{PUBLIC}.json").json()["photos_sent"] == [name]
    assert not any(PICTURE in data for _, data in log.read(world.connection, POLL.id))
    answer(world.connection, POLL, place, "stands", None, "the paper says so", KEYS.commission, world.now)
    assert name not in site.get(WAITING).text  # answered; it is still there to be looked at
    assert f'data-photo="{name}" data-here="yes"' in site.get(f"{WAITING}&show=all").text
    assert 'data-answer="stands"' in site.get(f"{WAITING}&show=all").text and world.faults() == []
    keep.close()


def test_sent_again_it_is_stored_once(world: World) -> None:
    world.accredited()
    name = name_of(PICTURE)
    first, second = observed(world, name), observed(world, name, n=2)
    site = site_of(world)
    answers = [site.put(address(name), PICTURE, authorization=header(world, of)) for of in (first, second, first)]
    assert [one.status_code for one in answers] == [201, 200, 200]
    assert answers[0].json() == {"sha256": name, "kind": "image/jpeg", "size": len(PICTURE)}
    world.accredited("dala", key=b64encode(OTHER.public_key().public_bytes_raw()).decode())
    of = observed(world, name, code="dala", key=OTHER)  # two organisations, one picture
    sent = header(world, of, key=OTHER, organisation="dala")
    assert site.put(address(name), PICTURE, authorization=sent).status_code == 200 and kept(world) == 1


def refusals(world: World) -> dict[str, tuple[str, bytes, str, int, str, str]]:
    """What is sent: to which name, which bytes, with which pass; and the status, the check and the words of its refusal."""
    world.accredited()
    world.accredited("dala", key=b64encode(OTHER.public_key().public_bytes_raw()).decode())
    files = {"comment": PICTURE[:2] + segment(0xFE, SCRIPT) + PICTURE[2:], "after": PICTURE + SCRIPT, "bomb": BOMB, "heic": HEIC,
             "html": SCRIPT, "half": PICTURE[:-2], "whole": PICTURE}  # fmt: skip
    place = observed(world, *map(name_of, files.values()), "cd" * 32)
    theirs = observed(world, name_of(photo(1)), code="dala", key=OTHER)
    other = world.protocol()
    name, good = name_of(PICTURE), header(world, place)
    statement = Offer(POLL.id, "qala", name, place, len(PICTURE)).statement(world.now)

    def packed(entry: Any, key: Ed25519PrivateKey = MISSION) -> str:
        return "Dauys " + b64encode(sign_entry(entry, key).to_bytes()).decode()

    found = {
        "wrong hash": ("cd" * 32, PICTURE, header(world, place, sha256="cd" * 32), 422, "O.082", "not the bytes"),
        "fewer bytes": (name, PICTURE[:-1], good, 422, "O.082", "not as many bytes"),
        "more bytes": (name, PICTURE + b"x", good, 422, "O.082", "not as many bytes"),
        "too large": (name, b"x", header(world, place, size=50 << 20), 413, "O.110", "50.0 MiB"),
        "unsigned": (name, PICTURE, "", 403, "O.006", "nobody signed"),
        "a password": (name, PICTURE, "Basic cWFsYTpxYWxh", 403, "O.006", "nobody signed"),
        "no statement": (name, PICTURE, "Dauys AAAA", 422, "O.007", "no statement"),
        "a long statement": (name, PICTURE, "Dauys " + "A" * 4000, 422, "O.007", "at most 2,000"),
        "another key": (name, PICTURE, header(world, place, key=OTHER), 403, "O.006", "not valid"),
        "nobody": (name, PICTURE, header(world, place, organisation="nobody"), 403, "O.006", "no organisation"),
        "for another": (name, PICTURE, header(world, theirs, organisation="dala"), 403, "O.006", "not valid"),
        "another photo": (name_of(HEIC), HEIC, good, 422, "O.007", "of another photo"),
        "another poll": (name, PICTURE, header(world, place, poll="kz/none"), 422, "O.007", "of another photo"),
        "an entry": (name, PICTURE, packed(world.shows(name)), 422, "O.007", "kind photo"),
        "more said": (name, PICTURE, packed(replace(statement, body={**statement.body, "x": 1})), 422, "O.007", "nothing else"),
        "truth as number": (name, PICTURE, packed(replace(statement, body={**statement.body, "of": True})), 422, "O.007", "says"),
        "of the day before": (name, PICTURE, packed(replace(statement, at="2024-08-19T05:00:00+00:00")), 422, "O.007", "clock"),
        "not named": (name_of(photo(2)), photo(2), header(world, place, photo(2)), 403, "O.081", "names this photo"),
        "theirs": (name_of(photo(1)), photo(1), header(world, theirs, photo(1)), 403, "O.081", "names this photo"),
        "no observation": (name, PICTURE, header(world, other), 403, "O.081", "names this photo"),
        "no entry": (name, PICTURE, header(world, 10**9), 403, "O.081", "names this photo"),
    }  # fmt: skip
    checks = {"comment": "O.082", "after": "O.082"}
    for kind, data in files.items():
        if kind != "whole":
            check = checks.get(kind, "O.111")
            found[kind] = (
                name_of(data),
                data,
                header(world, place, data),
                422,
                check,
                {"heic": "JPEG", "bomb": "pixels"}.get(kind, "picture"),
            )
    for odd in ("cd" * 31, "CD" * 32, "..", "%2e%2e%2f%2e%2e", "a%00b"):
        found[f"name {odd}"] = (odd, PICTURE, good, 422, "O.007", "named by its SHA-256")
    return found


def test_everything_else_is_refused_with_one_clear_message_and_nothing_is_kept(world: World) -> None:
    sent, site = refusals(world), site_of(world)
    size = len(world.kinds())
    for what, (name, data, authorization, status, check, words) in sent.items():
        found = site.put(address(name), data, authorization=authorization)
        if what in ("name ..", "name %2e%2e%2f%2e%2e", "name a%00b"):  # such an address leads nowhere
            assert found.status_code in (400, 404, 405), what
            continue
        error = found.json()["error"]
        assert (found.status_code, error["check"]) == (status, check) and words in error["message"] + error.get(
            "found", ""
        ), what
    assert site.put(address(name_of(PICTURE), "kz/none"), PICTURE).status_code == 404
    suspend(world.connection, POLL, "qala", True, "a breach", "Elections law 20-1", KEYS.commission, world.now)
    off = site.put(address(name_of(PICTURE)), PICTURE, authorization=header(world, size - 2))
    assert off.status_code == 403 and "qala is suspended" in off.json()["error"]["message"]
    world.tick(days=366)
    late = site.put(address(name_of(PICTURE)), PICTURE, authorization=header(world, size - 2))
    assert late.status_code == 403 and "ended" in late.json()["error"]["message"]
    assert kept(world) == 0


def test_fifty_megabytes_are_not_read(world: World) -> None:
    """Unsigned, not a byte is taken from the wire; signed for less, no more than was signed for and one piece."""
    world.accredited()
    place, site, pulled = observed(world, name_of(PICTURE)), site_of(world), list[int]()

    async def film() -> AsyncIterator[bytes]:
        for n in range(50):
            pulled.append(n)
            yield bytes(1 << 20)

    assert site.put(address(name_of(PICTURE)), film()).status_code == 403 and pulled == []
    short = site.put(address(name_of(PICTURE)), film(), authorization=header(world, place))
    assert short.json()["error"]["check"] == "O.082" and len(pulled) <= 2
    pulled.clear()
    whole = header(world, place, size=LARGEST + 1)
    assert site.put(address(name_of(PICTURE)), film(), authorization=whole).status_code == 413 and pulled == []


def test_a_wire_that_is_cut_leaves_nothing(world: World) -> None:
    world.accredited()
    name, said = name_of(PICTURE), list[Any]()
    came = iter([{"type": "http.request", "body": PICTURE[:9], "more_body": True}, {"type": "http.disconnect"}])
    head = [(b"authorization", header(world, observed(world, name)).encode())]
    scope = {
        "type": "http",
        "method": "PUT",
        "path": address(name),
        "headers": head,
        "query_string": b"",
        "root_path": "",
    }

    async def receive_next() -> Any:
        return next(came)

    async def send(message: Any) -> None:
        said.append(message)

    asyncio.run(site_of(world).app(scope, receive_next, send))
    assert said[0]["status"] == 400 and kept(world) == 0


def test_one_organisation_sends_few_at_a_time() -> None:
    coming: Counter[str] = Counter()
    with ExitStack() as several:
        for _ in range(api.AT_ONCE):
            several.enter_context(api._one_more(coming, "kz qala"))
        with pytest.raises(BadInput, match=r"O\.080"), api._one_more(coming, "kz qala"):
            pass
        with api._one_more(coming, "kz dala"):
            assert coming["kz dala"] == 1
    assert not any(coming.values())


def test_an_observation_names_as_many_photos_as_a_clerk_can_look_at(world: World) -> None:
    world.accredited()
    names = [name_of(bytes([n])) for n in range(MOST_PHOTOS + 1)]
    with pytest.raises(BadInput, match=r"O\.007.*at most 40 photos"):
        observed(world, *names)
    assert observed(world, *names[1:])


def test_markup_where_a_picture_needs_its_colours_is_no_page(world: World) -> None:
    """A colour profile may hold any bytes: what is handed out is a picture, whatever a browser would make of it."""
    world.accredited()
    data = PICTURE[:2] + segment(0xE2, b"ICC_PROFILE\0\1\1" + SCRIPT) + PICTURE[2:]
    site = site_of(world)
    sent = site.put(address(name_of(data)), data, authorization=header(world, observed(world, name_of(data)), data))
    assert sent.status_code == 201
    found = site.get(f"/ru/desk/observers/photos/{name_of(data)}?poll={POLL.id}")
    assert found.headers["content-type"] == "image/jpeg" and found.headers["x-content-type-options"] == "nosniff"
    assert any("sandbox" in said for said in found.headers.get_list("content-security-policy"))


def test_one_organisation_sends_so_many_photos(world: World) -> None:
    world.accredited()
    files = [photo(n) for n in range(4)]
    place = observed(world, *map(name_of, files))
    few, little = site_of(world, quota=Quota(photos=2)), site_of(world, quota=Quota(photo_bytes=3 * len(PICTURE) - 1))

    def sent(site: Site, data: bytes) -> tuple[int, str]:
        found = site.put(address(name_of(data)), data, authorization=header(world, place, data))
        return found.status_code, found.text

    assert [sent(few, data)[0] for data in files[:2]] == [201, 201]
    status, text = sent(few, files[2])
    assert status == 429 and "O.080" in text and "at most 2 photos in this poll" in text
    assert sent(few, files[0])[0] == 200  # it is here already
    status, text = sent(little, files[3])
    assert status == 429 and "MiB of photos in this poll" in text and kept(world) == 2


def test_the_mission_forgets_nothing_and_tries_again(world: World, tmp_path: Path) -> None:
    site, folder = site_of(world), tmp_path / "mission"
    keep, outbox, said = mission_of(world, folder, site)
    world.accredited(key=keep.public)
    names = [keep.store_photo(photo(n)) for n in range(AT_ONCE + 2)]
    entry = world.shows(*names)
    outbox.send("observation", entry.id, entry.body)
    keep.photo(names[0]).unlink()
    suspend(world.connection, POLL, "qala", True, "a breach", "Elections law 20-1", KEYS.commission, world.now)
    outbox.photos.flush()
    waits = outbox.photos.waiting()
    assert "is suspended" in waits[names[1]].why and "put it back from a copy" in waits[names[0]].why
    assert len(said) == AT_ONCE - 1 and outbox.photos.more
    suspend(world.connection, POLL, "qala", False, "the court", "", KEYS.commission, world.now)
    said.clear()
    outbox.photos.flush()
    assert [one[:3] for one in said] == ["201", "201"] and not outbox.photos.more  # those that were not tried yet
    keep.close()

    keep = open_keep(folder)  # the program was stopped: all of it stands in the log
    again = Photos(keep, lambda: world.now, lambda source: "http://centre", outbox.photos._put)
    assert list(again.waiting()) == names[:AT_ONCE]
    keep.write(f"photos/{names[0]}", photo(0))
    again.flush()
    assert not again.waiting() and kept(world) == len(names) and all(is_sent(keep.mission, name) for name in names)
    keep.close()


def test_what_is_refused_waits_before_it_is_tried_again(world: World, tmp_path: Path) -> None:
    keep, _, said = mission_of(world, tmp_path / "mission", site_of(world))
    entry = world.shows("ab" * 32).to_bytes().decode()
    body = {"id": "observation/qala/q1/s1/1", "entry_kind": "observation", "index": 5, "entry": entry}
    keep.append("sent", body, "office", world.now)
    keep.write(f"photos/{'ab' * 32}", PICTURE)
    answers = iter([(500, "gone"), (403, '{"error": {"message": "no"}}'), (201, "{}")])
    photos = Photos(
        keep, lambda: world.now, lambda source: "http://centre", lambda *sent: (said.append(""), next(answers))[1]
    )
    for _ in range(3):  # the server's own fault is tried at once, a refusal not
        photos.flush()
    assert len(said) == 2 and photos.waiting()["ab" * 32].why == "the commission did not take it (403): no"
    world.tick(seconds=AGAIN / timedelta(seconds=1))
    photos.flush()
    assert not photos.waiting()
    keep.close()
