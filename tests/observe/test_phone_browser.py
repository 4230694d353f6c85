"""Does a phone keep what is written while the wire is cut, and send it once when it is back? One real browser."""

from __future__ import annotations

import socket
import struct
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from field_world import CODE, COPY, STATIONS, Notebook, mission, site

from page_browser import chromium


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Notebook, str]]:
    keep = mission(tmp_path)
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(site(keep)[0], log_level="critical"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield keep, f"http://localhost:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)


@pytest.mark.browser
def test_a_protocol_written_with_the_wire_cut_arrives_once(served: tuple[Notebook, str]) -> None:
    from playwright.sync_api import expect

    keep, address = served
    with chromium() as browser:
        context = browser.new_context(viewport={"width": 390, "height": 844}, locale="en")
        page = context.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if "Content Security" in said.text else None)
        page.goto(f"{address}/en/o/in?id=O-1&code={CODE}")
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("#ready")).to_be_visible(timeout=20_000)

        context.set_offline(True)
        page.locator('#forms a[data-contest="charter"]').click()
        page.locator(f'input[value="{STATIONS[3]}"]').check()
        for name, value in COPY.items():
            page.locator(f'[name="a-{name}"]').fill(value)
        page.locator("#photo").set_input_files({"name": "p.png", "mimeType": "image/png", "buffer": _picture()})
        expect(page.locator("#shots img")).to_have_count(1)
        page.get_by_role("button", name="Send").click()
        expect(page.locator('#kept-list [data-state="waiting"]')).to_have_count(1)
        assert not keep.mission.reports
        page.reload()  # the page and what waits are on the phone
        expect(page.locator('#kept-list [data-state="waiting"]')).to_have_count(1)

        context.set_offline(False)
        expect(page.locator('#kept-list [data-state="sent"]')).to_have_count(1, timeout=20_000)
        page.reload()
        expect(page.locator("[data-came]")).to_have_count(1)
    (came,) = keep.mission.reports.values()
    assert came.values["yes"] == 512 and came.station == STATIONS[3] and came.flags == ("O.120",)
    assert [photo.kind for photo in came.photos] == ["image/jpeg"], "the phone made the picture small, without metadata"
    assert not faults


def _picture() -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\0" + bytes([n, 90, 160]) * 64 for n in range(64))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )  # fmt: skip
