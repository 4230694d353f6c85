"""Does docs/site.md name every route of the site, and no other?"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from doc_pages import first_cells, read
from fastapi.routing import APIRoute
from starlette.routing import Mount, Route

from dauys.cli.office import Centre
from dauys.cli.site_pages import centre_door, clerks_door, observers_door
from dauys.observe.accreditation import api as observers_api
from dauys.observe.accreditation import desk as observers_desk
from dauys.observe.accreditation import pages as observers_pages
from dauys.pollbook.desk import clerks as centre_desk
from dauys.pollbook.desk import stations as centre_pages
from dauys.pollbook.serving import routes as centre_routes
from dauys.polls.pollbook_join import late
from dauys.publish import observer_pages, pollbook_pages
from dauys.publish.bundle import PUBLISHED
from dauys.publish.record_routes import record_router
from dauys.stations.routes import desk_router
from dauys.web.app import create_app
from dauys.web.clerks import clerks_router
from dauys.web.render import render

_NAMED = re.compile(r"`((?:GET|POST|PUT)(?:, POST)?) (/[^`]*)`")


@pytest.fixture(scope="module")
def routes() -> set[tuple[str, str]]:
    """(method, path) of the app as `dauys serve` builds it; no database is asked for its routes."""
    engine = sa.create_engine("postgresql+psycopg://nobody@localhost/none")
    centre = Centre(engine, 60)
    observers = observers_pages.Office(centre.seal, centre.office.clock)
    routers = [
        record_router(engine, lambda poll: None),
        centre_routes.router(engine, centre.office),
        centre_pages.router(engine, centre_door(engine), centre.office.clock, late),
        clerks_router(centre_desk.pages(engine, centre.desk), clerks_door(engine)),
        pollbook_pages.router(engine, render),
        observers_api.router(engine, centre.office.clock),
        observers_pages.router(engine, observers),
        clerks_router(observers_desk.pages(engine, observers), observers_door(engine)),
        observer_pages.router(engine, render, centre.office.clock),
        desk_router(engine),
    ]
    app = create_app(engine, routers, Path("maps"))
    found = set()
    for route in _flat(app.routes):
        if isinstance(route, Mount):
            found.add(("GET", f"{route.path}/{{path}}"))
            continue
        assert isinstance(route, Route | APIRoute), route
        path = re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path)
        path = re.sub(r"^/(?:kk|ru|en)(?=/desk|/observers)", "/{language}", path).replace("{lang}", "{language}")
        found.update((method, path) for method in (route.methods or set()) - {"HEAD"})
    return found - {("GET", "/docs"), ("GET", "/redoc")}


def _flat(routes: list[object]) -> list[object]:
    """Routes of included routers, too, where the framework keeps them below one."""
    flat: list[object] = []
    for route in routes:
        inner = getattr(getattr(route, "original_router", None), "routes", None)
        flat += [route] if inner is None else _flat(list(inner))
    return flat


def test_every_route_is_documented_and_exists(routes: set[tuple[str, str]]) -> None:
    text = read("site.md")
    documented = {(method, path) for methods, path in _NAMED.findall(text) for method in methods.split(", ")}
    assert documented - routes == set(), "documented, but the app has no such route"
    assert routes - documented == set(), "not in docs/site.md"


def test_every_page_stands_beside_its_json_twin(routes: set[tuple[str, str]]) -> None:
    rows = [line.split("|")[1:3] for line in read("site.md").splitlines() if line.startswith("| `GET /{language}/")]
    pairs = {(page.strip(" `"), twin.strip(" `")) for page, twin in rows if page.strip() and "desk" not in page}
    assert len(pairs) >= 11
    for page, twin in pairs:
        assert twin == page.rstrip("/") + ".json"


def test_every_published_file_is_documented() -> None:
    for page in ("site.md", "exports.md"):
        text = read(page)
        assert [name for name in PUBLISHED if name not in text and name != "README.txt"] == [], page
    assert len(first_cells(read("exports.md"))) > len(PUBLISHED)
