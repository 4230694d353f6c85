"""A browser at a station with an officer before it, for tests of the pages."""

from __future__ import annotations

import re

import httpx
from pollbook_sample import who
from station_world import PIN

from dauys.pollbook.station.app import create_app
from dauys.pollbook.station.visit import Station
from dauys.web.render import language, render
from site_client import SiteClient


class Tablet:
    """A browser with an officer at it. Forms are read off the page and sent as the page has them."""

    def __init__(self, station: Station, officer: str = "", lang: str = "en") -> None:
        self.client = SiteClient(
            create_app(station, render, language), base_url="http://station", follow_redirects=False
        )
        self.lang = lang
        if officer:
            assert self.client.post(f"/{lang}/in", data={"officer": officer, "pin": PIN}).status_code == 303

    def get(self, path: str) -> httpx.Response:
        return self.client.get(f"/{self.lang}{path}")

    def fields(self, path: str, action: str) -> dict[str, str]:
        """The hidden fields of the form with that action on a page."""
        for form in re.findall(r"<form.*?</form>", self.get(path).text, re.S):
            if f'action="/{self.lang}{action}"' in form or (action == path and "action=" not in form):
                return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
        raise AssertionError(f"{path} has no form for {action}")

    def mark(self) -> str:
        return self.fields("", "/find")["mark"]

    def post(self, path: str, **fields: str) -> httpx.Response:
        return self.client.post(f"/{self.lang}{path}", data={"mark": self.mark(), **fields})

    def hand_out(self, number: int) -> httpx.Response:
        return self.post("/hand-out", **self.fields(f"/voter/{who(number)}", "/hand-out"))
