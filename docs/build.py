"""How are the docs made? One night is run, photographed half-way and at its end, and the pages are built into site/.

    .venv/bin/python docs/build.py            help texts, pictures, pages
    .venv/bin/python docs/build.py help       only the help texts in docs/commands.md

Needs what `./test` installs (requirements/dev.txt) and Chromium. The night runs in a folder of its own and is gone afterwards.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
POLL = "kz/2022-referendum"
LAPTOP, PHONE, WALL = (1280, 900), (390, 844), (1920, 1080)
LARGEST = 300 << 10
"""Bytes that a picture may have: they are committed."""
COLUMNS = "80"
"""The width of the terminal that help texts are written for."""
HELP = re.compile(r"(<!-- help ?(?P<command>[a-z -]*?) -->\n```text\n).*?(```\n)", re.DOTALL)


@dataclass(frozen=True)
class Picture:
    """One picture: its file, the page below the poll's address, the window, the share of protocols that are in, the words of
    the heading to scroll to, and the language."""

    name: str
    page: str
    window: tuple[int, int]
    share: float = 1.0
    heading: str = ""
    language: str = "en"


PICTURES = (
    Picture("night", "", LAPTOP, share=0.5, heading="The tests of the law"),
    Picture("site", "", LAPTOP),
    Picture("phone", "", PHONE, language="kk"),
    Picture("wall", "?wall", WALL),
    Picture("area", "areas/KZ75", LAPTOP),
    Picture("station", "stations/KZ75-0001", LAPTOP),
    Picture("turnout", "turnout", LAPTOP),
)


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes the docs.")
    parser.add_argument("only", nargs="?", choices=["help", "pictures", "pages"])
    only = parser.parse_args().only
    steps: dict[str, Callable[[], None]] = {"help": write_help, "pictures": take_pictures, "pages": build_pages}
    for name, step in steps.items():
        if only in (None, name):
            step()


def help_text(command: str) -> str:
    """What `dauys COMMAND --help` prints; without a command, `dauys --help`."""
    args = [sys.executable, "-m", "dauys", *command.split(), "--help"]
    done = subprocess.run(args, env=os.environ | {"COLUMNS": COLUMNS}, capture_output=True, text=True, check=True)
    return done.stdout


def write_help() -> None:
    """Puts the help texts of now into docs/commands.md."""
    path = DOCS / "commands.md"
    path.write_text(HELP.sub(lambda found: found[1] + help_text(found["command"]) + found[3], path.read_text()))


def take_pictures() -> None:
    """Runs the night with the site up and photographs it."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with tempfile.TemporaryDirectory(prefix="dauys") as home, sync_playwright() as playwright:
        os.environ["DAUYS_HOME"] = home
        os.environ.pop("DAUYS_DATABASE_URL", None)
        browser = playwright.chromium.launch(executable_path=chromium)
        _night(lambda address, picture: _take(browser, address, picture))
        browser.close()


def _night(take: Callable[[str, Picture], None]) -> None:
    import sqlalchemy as sa

    from dauys.cli.site import Site
    from dauys.polls.keys import new_keys
    from dauys.polls.night import begin, run_night
    from dauys.polls.sources import open_source
    from dauys.registers.poll_file import find_poll, read_poll
    from dauys.store.engine import data_folder, open_store

    file = read_poll(find_poll(POLL))
    keys = new_keys(file.poll, data_folder() / "keys")
    source, engine = open_source(file, keys), open_store()
    begin(engine, source)
    waiting = sorted(PICTURES, key=lambda picture: picture.share)

    with Site(engine, 0) as site:

        def due(at: datetime | None) -> None:
            """Before each event: takes the pictures whose share of protocols has come in. At the end, the others."""
            with engine.connect() as connection:
                counted = int(connection.scalar(sa.text("SELECT count(*) FROM protocol")) or 0)
            while waiting and (at is None or counted >= waiting[0].share * len(source.stations) > 0):
                if at is not None and waiting[0].share == 1:
                    return
                take(site.address, waiting.pop(0))

        run_night(engine, source, due)
        due(None)
    engine.dispose()


def _take(browser: Any, address: str, picture: Picture) -> None:
    width, height = picture.window
    page = browser.new_page(viewport={"width": width, "height": height})
    page.goto(f"{address}/{picture.language}/polls/{POLL}/{picture.page}")
    page.evaluate("document.fonts.ready")
    if picture.heading:
        page.get_by_role("heading", name=picture.heading).evaluate(
            "heading => heading.scrollIntoView({behavior: 'instant'})"
        )
    data = page.screenshot()
    page.close()
    if len(data) > LARGEST:
        raise SystemExit(f"{picture.name}.png has {len(data):,} bytes; at most {LARGEST:,} are kept")
    path = DOCS / "pictures" / f"{picture.name}.png"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    print(f"{path.name}: {width} x {height}, {len(data) // 1024} KiB")


def build_pages() -> None:
    """mkdocs, strict: a link to nowhere is an error."""
    args = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--config-file", "mkdocs.yml"]
    subprocess.run(args, cwd=DOCS.parent, check=True)
    print("site/index.html")


if __name__ == "__main__":
    main()
