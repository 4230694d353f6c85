"""A mission at the end of its night, for tests of indicators, audit and report: a record in a folder, copies, an office in memory."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from compared_world import CLOSES, CONTEST, World, mission_of, protocol, tell
from starlette.requests import Request
from starlette.responses import Response

from dauys.observe.known.official import Official
from dauys.observe.office.visit import Model, Office, Page, Visit
from dauys.observe.office.words import base_words
from dauys.observe.report import audit_pages, indicator_pages, report_pages
from dauys.web.render import render

PAGES = {page.path: page for page in (*indicator_pages.PAGES, *audit_pages.PAGES, *report_pages.PAGES)}
LATE = CLOSES + timedelta(hours=16)


class Night:
    """Of 51 drawn stations the last five never came; one copy says 12 fewer for yes than the record."""

    def __init__(self, folder: Path) -> None:
        self.world = World(12).count()
        drawn = self.world.drawn(folder, 51)
        self.book = mission_of(self.world, folder, drawn, str(self.world.folder(folder / "bundle")))
        for name in ("audit", "indicators", "reports"):  # the notebook in memory makes no folders
            (folder / name).mkdir()
        self.drawn: list[str] = list(drawn["stations"])
        self.differs = self.drawn[3]
        for minutes, station in enumerate(self.drawn[:-5]):
            values = protocol(self.world.stations[station])
            if station == self.differs:
                values |= {"yes": values["yes"] - 12, "no": values["no"] + 12}
            tell(self.book, station, values, 70 + 4 * minutes)
        self.official: Official = self.world.official()
        self.sent: list[tuple[str, Mapping[str, Any]]] = []
        self.office = Office(self.book, lambda: LATE, lambda: self.official, lambda: self.official, self.send)
        self.office.extra["show"] = self.show

    def send(self, kind: str, name: str, body: Mapping[str, Any]) -> int:
        self.sent.append((name, body))
        self.book.append("sent", {"id": name, "entry_kind": kind, "index": 1000 + len(self.sent)}, "office", LATE)
        return 1000 + len(self.sent)

    def visit(
        self, path: str, form: Mapping[str, str] | None = None, lang: str = "en", query: str = "",
        files: Mapping[str, Path] | None = None,
    ) -> Visit:  # fmt: skip
        scope = {
            "type": "http", "method": "GET" if form is None else "POST", "path": f"/{lang}{path}", "scheme": "http",
            "query_string": query.encode(), "headers": [], "server": ("mission", 80), "root_path": "", "path_params": {},
        }  # fmt: skip
        return Visit(self.office, Request(scope), lang, form, files or {}, LATE)

    def act(self, path: str, **fields: str) -> Any:
        """A form of the page was sent: where it leads to."""
        return PAGES[path].act(self.visit(path, {"of": CONTEST, **fields}))

    def model(self, path: str, query: str = "", lang: str = "en") -> Model:
        found = PAGES[path].act(self.visit(path, lang=lang, query=query))
        assert isinstance(found, dict)
        return found

    def html(self, path: str, query: str = "", lang: str = "en") -> str:
        page: Page = PAGES[path]
        answer = self.show(self.visit(path, lang=lang).request, page.template, self.model(path, query, lang))
        return bytes(answer.body).decode()

    def show(self, request: Request, template: str, model: Model, status: int = 200, session: None = None) -> Response:
        words = {
            "asset": lambda name: f"/static/{name}?v=1",
            "menu": [],
            "here": "",
            "signed_in": False,
            "mark_field": "",
        }
        return render(request, template, base_words(self.office) | words | {"strip": None} | model, status)

    def recount(self, station: str, **change: int) -> None:
        """A board's counts of a station: those of the record, but for `change`."""
        values = {
            name: self.official.protocols[CONTEST, station].values[name]
            for name in ("yes", "no", "invalid", "not_counted")
        }
        counts = {name: value + change.get(name, 0) for name, value in values.items()}
        typed = {f"n-{name}": str(value) for name, value in counts.items()} | {"n-all": str(sum(counts.values()))}
        self.act("/audit/count", station=station, **typed)
