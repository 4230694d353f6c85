"""How does the night of an estimate look, from its JSON alone? For the report, and for `dauys estimate --svg`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from markupsafe import Markup

from dauys.errors import DauysError
from dauys.observe.night.picture import WIDE, Point, svg
from dauys.observe.report.figures import share
from dauys.observe.report.labels import label


def points_of(states: list[dict[str, Any]]) -> list[Point]:
    """The `snapshots` of an estimate's JSON as the picture draws them."""
    points = []
    for one in states:
        low, high = one["ci"]
        band = None if one["band"] is None else (one["band"][0], one["band"][1])
        counted = one.get("official", {}).get("share")
        at, interval = datetime.fromisoformat(one["at"]), None if low is None else (low, high)
        points.append(Point(at, one["estimate"], interval, band, one["publish"], counted))
    return points


def night(found: Mapping[str, Any], name: str, lang: str) -> Markup:
    """The picture of an estimate's night. Raises DauysError without a snapshot."""
    if not found.get("snapshots"):
        raise DauysError("there is no night to draw: no station had come at any of its hours")
    points, official = points_of(found["snapshots"]), found.get("official", {}).get("share")
    low, high = found["ci"]
    words = {
        "title": label("night_title", lang),
        "desc": label("night_desc", lang).format(
            time=f"{points[-1].at:%H:%M}", estimate=share(found["estimate"], lang), low=share(low, lang),
            high=share(high, lang), official=share(official, lang),
        ),
        "official": label("night_official", lang),
        "do_not_publish": label("night_wait", lang),
        "never": label("night_never", lang),
    }  # fmt: skip
    return Markup(svg(points, official, words, WIDE, name, lambda value: share(value, lang)))
