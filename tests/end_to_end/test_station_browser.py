"""Does a station work as its officers use it: two commands, a phone's browser, a machine that loses its power?"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from dauys_command import answer, command, environ, told

from forked_dauys import Dauys
from page_browser import chromium

sys.path.insert(0, str(Path(__file__).parents[1] / "pollbook"))
from station_world import PIN, FakeCentre, iin, person

MORNING = "2022-06-05T10:32:00+06:00"
WORDS = {
    "en": ("Hand out one ballot", "Already received a ballot at 10:3", "was taken back", "Sent until 10:3"),
    "kk": ("Бір бюллетень беріңіз", "бюллетень алып қойған", "қайтарып алынды", "дейін жіберілді"),
}

BROKEN = """[...document.querySelectorAll('.line dd')].filter(dd => [...dd.firstChild.data.matchAll(/\\S+/g)].some(word => {
    const range = document.createRange();
    range.setStart(dd.firstChild, word.index);
    range.setEnd(dd.firstChild, word.index + word[0].length);
    return range.getClientRects().length > 1;
})).map(dd => dd.innerText)"""
"""What stands in a voter's line with a word of it on two lines."""
CUT = "[...document.querySelectorAll('form div.wide')].map(table => table.scrollWidth - table.clientWidth)"


@dataclass
class Running:
    """A station's process and its address."""

    process: Dauys | subprocess.Popen[str]
    site: str

    def end(self, by: int) -> int:
        self.process.send_signal(by)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return self.process.wait(timeout=20)


def start(folder: Path, newcomer: bool = False) -> Running:
    """`dauys station`, forked; for a `newcomer`, as Python comes to it from nothing."""
    args = ["station", "--port", "0", "--every", "0.3", "--clock", MORNING, "--json"]
    process: Dauys | subprocess.Popen[str]
    if newcomer:
        process = subprocess.Popen(
            [sys.executable, "-m", "dauys", *args],
            cwd=folder,
            env=environ(folder),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
    else:
        process = Dauys(folder, *args, env=environ(folder), stdout=subprocess.PIPE)
    assert process.stdout is not None
    return Running(process, json.loads(process.stdout.readline())["site"])


@pytest.fixture(scope="module")
def centre() -> Iterator[tuple[FakeCentre, str]]:
    made = FakeCentre({"1": [person(n, born="1990-11-30") for n in range(1, 31)]}, trial=True)
    server = made.serve()
    yield made, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("station")


@pytest.fixture(scope="module")
def pins(centre: tuple[FakeCentre, str], folder: Path) -> dict[str, str]:
    """The station, enrolled by the command; the chair's first PIN."""
    file, code = centre[0].package(folder, "1")
    done = command(folder, "station", "enrol", file, "--centre", centre[1], "--json", DAUYS_STATION_CODE=code)
    said = json.loads(done.stdout)
    assert said["told"] is True and code not in done.stdout + done.stderr
    return dict(said["pins"])


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


class Officer:
    """One officer at his own phone. Everything is done with the keyboard where a keyboard does it."""

    def __init__(self, browser: Any, site: str, lang: str, name: str) -> None:
        self.context = browser.new_context(viewport={"width": 390, "height": 844}, java_script_enabled=lang == "kk")
        self.context.add_init_script("window.print = () => { window.printed = (window.printed || 0) + 1; };")
        self.page = self.context.new_page()
        self.home = f"{site}/{lang}"
        self.name = name
        self.faults: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))

    def sign_in(self, first: str) -> None:
        self.page.goto(f"{self.home}/in")
        self.page.check(f"input[value={self.name}]")
        self.page.fill("#pin", first)
        self.page.keyboard.press("Enter")
        self.page.fill("#again", PIN)
        self.page.fill("#pin", PIN)
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector("#text")

    def search(self, text: str) -> None:
        self.page.goto(self.home)
        self.page.wait_for_selector("#text:focus")
        self.page.keyboard.type(text)  # as a scanner does: the box has the focus
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector("section.voter", timeout=5000)

    def main(self) -> str:
        return str(self.page.inner_text("main"))

    def fits(self) -> None:
        for width in (390, 1024, 1280):
            self.page.set_viewport_size({"width": width, "height": 844})
            seen = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert seen <= 0, f"{self.page.url} is {seen} px wider than {width} px"
            row = "(row => row.scrollWidth - row.clientWidth)(document.querySelector('nav.pages'))"
            assert self.page.evaluate(row) <= 0, f"the row of pages is cut at {width} px"
        self.page.set_viewport_size({"width": 390, "height": 844})


@pytest.mark.browser
def test_officers_at_their_phones(
    browser: Any, centre: tuple[FakeCentre, str], folder: Path, pins: dict[str, str]
) -> None:
    """In English without scripts, in Kazakh with them: sign in, search, hand out, try again, take back."""
    running = start(folder)
    try:
        chair = Officer(browser, running.site, "en", "c1")
        chair.sign_in(pins["c1"])
        chair.page.goto(f"{chair.home}/day")
        chair.page.click("button.go")
        released: dict[str, str] = {}
        for name in ("m1", "m2"):
            chair.page.goto(f"{chair.home}/officers")
            chair.page.click(f"form:has(input[value={name}]) button")
            released[name] = chair.page.inner_text(".pin")
        for lang, name, number in (("en", "m1", 5), ("kk", "m2", 6)):
            done, already, taken_back, sent = WORDS[lang]
            officer = Officer(browser, running.site, lang, name)
            officer.sign_in(released[name])
            officer.search(iin(number))
            voter = officer.page.url
            assert officer.page.evaluate(BROKEN) == []
            officer.page.dblclick("button.go")
            officer.page.wait_for_selector(".slip")
            assert done in officer.main()
            officer.fits()
            officer.search(f"әлихан{number}")
            assert already in officer.main() and officer.page.locator("button.go").count() == 0
            officer.page.click("summary")
            officer.page.click("details button")
            officer.page.wait_for_selector("button.go")
            assert officer.page.url == voter and taken_back in officer.main()
            officer.page.goto(officer.home)
            assert sent in officer.page.inner_text("header")
            officer.page.goto(f"{officer.home}/protocol")
            assert officer.page.evaluate(CUT) == [0]
            officer.page.goto(f"{officer.home}/list")
            officer.page.click("main form button")
            officer.page.wait_for_selector("[data-print-now]")
            scripts = lang == "kk"
            assert officer.page.is_visible("[data-print]") == scripts
            assert not scripts or officer.page.wait_for_function("window.printed === 1")
            assert officer.faults == []
        officer.page.goto(officer.home)
        officer.page.wait_for_selector("#text:focus")
        officer.page.keyboard.type(iin(31))  # nobody here has it: the field From elsewhere begins with it
        officer.page.keyboard.press("Enter")
        officer.page.wait_for_url("**/found")
        officer.page.goto(f"{officer.home}/elsewhere")
        officer.page.wait_for_selector("#iin:focus")
        before = officer.page.input_value("#iin")
        officer.page.keyboard.type(iin(32))  # a scanner types over it
        assert (before, officer.page.input_value("#iin")) == (iin(31), iin(32))
    finally:
        assert running.end(signal.SIGTERM) == 0
    assert not (folder / ".dauys/station/serving.json").exists()
    (log,) = centre[0].centre.logs
    kinds = [("check-in", "undo")] * 2
    assert len(centre[0].centre.logs[log].hashes) == 1 + sum(map(len, kinds)), "a double click is one tap"
    assert not centre[0].centre.alarms


def test_a_station_that_loses_its_power_goes_on(
    centre: tuple[FakeCentre, str], folder: Path, pins: dict[str, str]
) -> None:
    """kill -9 while it runs; the list comes from the running station, and from its store."""
    running = start(folder, newcomer=True)
    first = told(folder, "station", "print", "--language", "en")[0]["file"]
    page = Path(folder, first).read_text("utf-8")
    assert len(re.findall(r'<tr class="here">', page)) == 30 and "<script" not in page and "<style>" in page
    assert Path(folder, first).stat().st_mode & 0o777 == 0o600
    assert running.end(signal.SIGKILL) == -signal.SIGKILL
    assert (folder / ".dauys/station/serving.json").exists()
    assert start(folder).end(signal.SIGTERM) == 0
    again = answer(folder, "station", "print", "--language", "ru", "--out", folder / "ru.html")["file"]
    assert "Список на" in Path(again).read_text("utf-8")
