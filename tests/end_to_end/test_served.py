"""Does a night on the site look right in a real browser, and can strangers follow its record? One served night for all."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import pytest
from dauys_command import SMALL, answer, environ, told

from forked_dauys import Dauys
from page_browser import chromium
from prepared_store import prepare_store

POLL = "polls/test/small/"
PAGES = (
    *(POLL, f"{POLL}areas", f"{POLL}areas/A2", f"{POLL}stations/A2-03", f"{POLL}turnout", f"{POLL}quarantine"),
    *(f"{POLL}checks", f"{POLL}record", f"{POLL}downloads", f"{POLL}?wall"),
    *("law/kz/", "law/kz/on/2022-06-08", "law/kz/text/constitution", "law/kz/rules/senate.size"),
)
SEEN = """() => {
  const page = document.documentElement;
  return {language: page.lang, headings: document.querySelectorAll("h1").length, width: window.innerWidth,
    overflow: page.scrollWidth - page.clientWidth,
    cut: [...document.querySelectorAll("nav.pages, nav.pages a")].filter(e => e.scrollWidth > e.clientWidth + 1).length};
}"""
WEB = httpx.Client(timeout=30)
"""One for all: each new one reads the certificates of the whole web."""

pytestmark = pytest.mark.database


@dataclass(frozen=True)
class Served:
    """A small poll that was run with --serve: the folder, the address of the site and that of the record."""

    folder: Path
    site: str
    record: str


def serve(folder: Path, *args: str) -> Iterator[Served]:
    """`dauys run ... --serve` on a free port; ended by its own process id."""
    prepare_store(folder / ".dauys")
    process = Dauys(folder, "run", SMALL, "--serve", "--port", "0", *args, env=environ(folder), stderr=subprocess.PIPE)
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if found := re.search(r"the site: (\S+)\s+the record: (\S+)", line):
                yield Served(folder, found[1], found[2])
                break
        else:
            pytest.fail("the site did not start")
    finally:
        process.send_signal(signal.SIGINT)
        process.stderr.close()
        assert process.wait(timeout=20) in (0, 130)


@pytest.fixture(scope="module")
def witness_key(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder and the key of an observer mission's witness."""
    folder = tmp_path_factory.mktemp("mission")
    said, _ = told(folder, "witness", "nowhere", "--name", "mission", "--state", folder / "w", "--key-only")
    return folder, said["vkey"]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, witness_key: tuple[Path, str]) -> Iterator[Served]:
    yield from serve(tmp_path_factory.mktemp("served"), "--witness", witness_key[1])


@pytest.fixture(scope="module")
def night_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a second night is run, and served once more."""
    return tmp_path_factory.mktemp("night")


@pytest.fixture(scope="module", autouse=True)
def web_closed() -> Iterator[None]:
    yield
    WEB.close()


def final(served: Served) -> Any:
    """The JSON twin of the result page, once the night is over."""
    for _ in range(400):
        body = WEB.get(f"{served.site.rstrip('/')}.json").json()
        if "final" in json.dumps(body.get("stage", "")):
            return body
        time.sleep(0.1)
    pytest.fail("the night did not end")


def test_a_served_record_verifies_and_a_witness_cosigns_it(served: Served, witness_key: tuple[Path, str]) -> None:
    final(served)
    folder, vkey = witness_key
    first = answer(folder, "witness", served.record, "--name", "mission", "--state", folder / "w")
    assert first["posted"] is True
    again, _ = told(folder, "witness", served.record, "--name", "mission", "--state", folder / "w")
    assert again["before"] == first["size"]
    body = answer(folder, "verify", served.record, "--witness", vkey)
    assert body["ok"] is True
    cosigned = next(check for check in body["checks"] if check["id"] == "V.04")
    assert "cosigned by 1 of 1 witnesses that you named" in cosigned["found"]


def test_a_trusted_witness_that_has_not_cosigned_is_missed(served: Served, tmp_path: Path) -> None:
    """Whatever witnesses a bundle names for itself: the one that the reader trusts must be among the cosigners."""
    final(served)
    other, _ = told(tmp_path, "witness", "nowhere", "--name", "other", "--state", tmp_path / "w", "--key-only")
    body, _ = told(tmp_path, "verify", served.record, "--witness", other["vkey"], code=1)
    assert [check["id"] for check in body["checks"] if not check["ok"]] == ["V.04"]


def test_a_stranger_may_not_cosign(served: Served, tmp_path: Path) -> None:
    final(served)
    _, said = told(tmp_path, "witness", served.record, "--name", "stranger", "--state", tmp_path / "w", code=2)
    assert "accredited" in said


def test_a_reader_that_nobody_here_wrote_follows_the_record(served: Served, witness_key: tuple[Path, str]) -> None:
    """aics-tlog reads the tiles over HTTP, checks signature and cosignature, audits every tile, proves every entry."""
    aics_tlog = pytest.importorskip("aics_tlog", reason="the peer reader of requirements/peers.txt is not installed")
    final(served)
    told(witness_key[0], "witness", served.record, "--name", "mission", "--state", witness_key[0] / "w")
    keys = WEB.get(f"{served.record}/keys.json").json()
    note = aics_tlog.parse_note(WEB.get(f"{served.record}/checkpoint").content)
    seen = aics_tlog.verify_checkpoint(
        note, aics_tlog.parse_vkey(keys["log"]), [aics_tlog.parse_vkey(key) for key in keys["witnesses"]], quorum=1
    )
    assert seen.ok
    state = aics_tlog.parse_checkpoint(note.text)
    reader = aics_tlog.HttpTileReader([f"{served.record}/"])
    aics_tlog.audit_tiles(reader, state.size, state.root)
    verified = aics_tlog.VerifiedTileReader(reader, state.size, state.root)
    kinds = [json.loads(verified.entry(index))["kind"] for index in range(state.size)]
    assert kinds[0] == "poll"
    assert kinds.count("protocol") == 47
    assert kinds[-1] == "declaration"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.mark.browser
def test_every_page_in_every_language_at_phone_laptop_and_wall_width(served: Served, browser: Any) -> None:
    """Each page is opened once in each language; the window then grows from the phone to the wall."""
    final(served)
    page = browser.new_page()
    window = page.context.new_cdp_session(page)  # as page.set_viewport_size, without its waiting for pictures
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    home = served.site.partition("/en/")[0]
    for language, path in product(("kk", "ru", "en"), PAGES):
        address = f"{home}/{language}/{path}"
        answered = page.goto(address, wait_until="domcontentloaded")
        assert answered is not None and answered.status == 200, address
        for width, height in ((390, 844), (1280, 800), (2560, 1440)):
            size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
            window.send("Emulation.setDeviceMetricsOverride", size)
            seen = page.evaluate(SEEN)
            assert seen["language"] == language and seen["headings"] == 1, address
            assert seen["overflow"] <= 0, f"{address} is {seen['overflow']} px wider than {width} px"
            assert seen["cut"] == 0, f"the names of the pages are cut off on {address} at {width} px"
            assert seen["width"] == width
    assert faults == []
    page.close()


@pytest.mark.browser
def test_the_result_page_says_what_was_decided(served: Served, browser: Any) -> None:
    final(served)
    page = browser.new_page(java_script_enabled=False)
    page.goto(served.site)
    outcomes = page.locator("[data-outcome]").evaluate_all("found => found.map(e => e.dataset.outcome)")
    assert outcomes[0] == "adopted"
    tests = page.locator("[data-test]").evaluate_all("found => found.map(e => [e.dataset.test, e.dataset.met])")
    assert ["territories", "true"] in tests
    assert page.locator("[data-map] [data-area]").count() == 0 or page.locator("[data-area]").count() >= 3
    text = page.locator("main").inner_text()
    assert "22 of 24" in re.sub(r"\s+", " ", text)
    assert page.locator('a[href$="/pollbook#find"]').count() == 1 and "Is mine counted?" in text
    assert page.locator("[data-can-change]").first.get_attribute("data-can-change") == "false"
    page.close()


@pytest.mark.browser
def test_the_page_follows_the_night_without_a_reload(browser: Any, night_folder: Path) -> None:
    """The night at 25,000 times its speed: the counts on an open page rise by themselves, until the outcome is there."""
    for night in serve(night_folder, "--speed", "25000"):
        page = browser.new_page()
        page.goto(night.site)
        page.evaluate("window.untouched = true")
        stage = page.locator("body").get_attribute("data-stage")
        before = page.locator("[data-stations-counted]").first.get_attribute("data-stations-counted")
        page.wait_for_selector("body[data-stage=final]", timeout=40_000)
        after = page.locator("[data-stations-counted]").first.get_attribute("data-stations-counted")
        # on a loaded machine the page may open when the last protocol is in, but never when all is declared
        assert stage != "final" and int(after) >= int(before)
        assert page.evaluate("window.untouched") is True
        assert page.locator("[data-outcome]").first.get_attribute("data-outcome") == "adopted"
        entries = page.locator("body").get_attribute("data-size")
        assert f"with {entries} entries" in page.locator("footer").inner_text()  # the page is made from this record
        page.close()


def test_the_bundle_in_one_file_is_the_bundle(served: Served, tmp_path: Path) -> None:
    final(served)
    archive = tmp_path / "bundle.zip"
    archive.write_bytes(WEB.get(f"{served.record}/bundle.zip").raise_for_status().content)
    shutil.unpack_archive(archive, tmp_path / "home")
    (bundle,) = (tmp_path / "home").iterdir()
    assert told(tmp_path, "verify", bundle)[0]["ok"] is True
    kept = {str(path.relative_to(bundle)) for path in bundle.rglob("*") if path.is_file()}
    written = served.folder / "out/test/small"
    assert {str(path.relative_to(written)) for path in written.rglob("*") if path.is_file()} <= kept


def test_serve_ends_with_its_database_when_it_is_told_to(night_folder: Path) -> None:
    if not (night_folder / ".dauys").exists():  # no browser on this machine, no night there
        answer(night_folder, "open", SMALL)
    process = subprocess.Popen(
        [sys.executable, "-m", "dauys", "serve", "--port", "0", "--json"],
        cwd=night_folder,
        env=environ(night_folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    said = json.loads(process.stdout.readline())
    assert said["polls"] == ["test/small"]
    page = WEB.get(f"{said['site']}/en/polls/test/small/")
    assert (page.status_code, page.headers["content-encoding"]) == (200, "gzip")
    process.send_signal(signal.SIGTERM)
    process.stdout.close()
    assert process.wait(timeout=20) == 0
    assert not (night_folder / ".dauys/postgres/postmaster.pid").exists()
