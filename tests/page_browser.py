"""In which browser do tests open pages? In Chromium: its headless shell where that is installed, which takes half the time."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "chromium-browser"))), None)


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser of its own (playwright's `Browser`)."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine: install Debian's chromium-headless-shell for the browser tests")
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield started
        started.close()
