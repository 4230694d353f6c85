"""Does every address that shows a figure of a reconstructed station say that it is a reconstruction?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from sample_poll import Sample, SiteClient, referendum
from starlette.routing import BaseRoute

from dauys.polls.keys import Keys, new_keys
from dauys.polls.opening import open_poll
from dauys.publish import observer_pages, pollbook_pages
from dauys.publish.bundle import PUBLISHED
from dauys.publish.record_routes import record_router
from dauys.record import log
from dauys.stations.routes import desk_router
from dauys.web.app import create_app
from dauys.web.render import render

pytestmark = pytest.mark.database
POLL = "test/said"
HELD, COUNTED = "KZ11-0000", "KZ11-0001"
FIGURES = {HELD: 76543, COUNTED: 86543}
"""Ballots for yes at two stations: numbers that stand nowhere else."""
FILLED = {"lang": "en", "poll": POLL, "area": "KZ11", "station": COUNTED, "size": "1"}
RAW = {"tile", "bundle.zip", "events", "static", "openapi.json", "cosign"}
"""The signed entries themselves, the first of which says it; what holds the files below; what holds no figure."""


@pytest.fixture(scope="module")
def site(engine: sa.Engine, tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    sample = Sample(replace(referendum(), id=POLL, reconstruction=True), per_area=2)
    folder = tmp_path_factory.mktemp("said")
    keys = new_keys(sample.poll_, folder)
    insert = sa.text(
        "INSERT INTO protocol (poll, contest, station, version, state, values, checks, seq) "
        "VALUES (:poll, 'q1', :station, 0, :state, CAST(:values AS jsonb), :checks, 3)"
    )
    with engine.begin() as connection:
        open_poll(connection, sample.poll_, sample.stations_, keys, datetime(2022, 6, 5, 1, tzinfo=UTC))
        log.sign_checkpoint(connection, POLL, keys.log)
        for station, held in sample.held["q1"].items():
            state = "quarantined" if station == HELD else "accepted"
            values = json.dumps(dict(held.values) | ({"yes": FIGURES[station]} if station in FIGURES else {}))
            row = {"poll": POLL, "station": station, "state": state, "values": values}
            connection.execute(insert, row | {"checks": ["F.101"] if station == HELD else []})

    def key(poll: str) -> Keys | None:
        return keys if poll == POLL else None

    routers = [
        record_router(engine, key),
        observer_pages.router(engine, render, lambda: datetime(2022, 6, 6, tzinfo=UTC)),
        pollbook_pages.router(engine, render),
        desk_router(engine),
    ]
    return create_app(engine, routers, Path(folder))


def addresses(routes: list[BaseRoute]) -> Iterator[str]:
    """Every address that can be got without an account; of the desk see tests/stations."""
    for route in routes:
        inner = getattr(getattr(route, "original_router", None), "routes", None)
        if inner is not None:
            yield from addresses(list(inner))
            continue
        path: str = route.path  # type: ignore[attr-defined]
        if "{poll" not in path or "/desk" in path or "GET" not in getattr(route, "methods", ()):
            continue
        if RAW & set(path.split("/")):
            continue
        for name in PUBLISHED if path.endswith("{name}") else ("",):
            yield "/".join(_filled(part, name) for part in path.split("/"))


def _filled(part: str, name: str) -> str:
    if not part.startswith("{"):
        return part
    inside, _, after = part[1:].partition("}")
    return {**FILLED, "name": name}[inside.partition(":")[0]] + after


def test_every_address_that_shows_a_figure_of_a_station_says_so(site: FastAPI) -> None:
    figures = [form for number in FIGURES.values() for form in (str(number), f"{number:,}")]
    shown: list[str] = []
    with SiteClient(site, raises=False) as client:
        for address in addresses(list(site.routes)):
            answer: Any = client.get(address)
            assert answer.status_code in (200, 404), address
            if any(figure in answer.text for figure in figures):
                shown.append(address)
                assert "reconstruction" in answer.text.lower(), address
    assert f"/api/polls/{POLL}/checks" in shown
    assert {address.rpartition("/")[2] for address in shown} >= {
        *("KZ11", "KZ11.json", COUNTED, f"{COUNTED}.json", "quarantine", "quarantine.json", "stations.csv"),
        *("nist-1500-100.xml", "nist-1500-100.json", "checks"),
    }
