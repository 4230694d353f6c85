"""What does a sample say of itself, so that anyone can draw it again and estimate from it?

The answer of `dauys sample --json`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dauys.observe.sample.draw import Draw, seed_sha256
from dauys.observe.sample.frame import Columns
from dauys.observe.sample.size import detection_table


def as_body(drawn: Draw, columns: Columns) -> dict[str, Any]:
    """The sample as `--json` says it: enough to draw it again, and to estimate from it."""
    body: dict[str, Any] = {
        "frame_sha256": drawn.frame_sha256,
        "seed": drawn.seed,
        "seed_sha256": seed_sha256(drawn.seed),
        "design": drawn.plan.to_json() | {"columns": columns.to_json()},
        "population": drawn.population,
        "stations": list(drawn.stations),
        "strata": [
            {"name": one.name, "stations": one.population, "take_all": one.take_all, "ids": list(one.ids)}
            for one in drawn.strata
        ],
        "detects": detection_table(drawn.population, len(drawn.stations)),
    }
    if drawn.pi:
        body |= {"pi": {name: str(share) for name, share in drawn.pi.items()}, "pi_constant": str(drawn.pi_constant)}
    return body


def columns_of(body: Mapping[str, Any]) -> Columns:
    """The columns of the frame that a sample or a design names."""
    design = body.get("design", {})
    named = design.get("columns", {}) if isinstance(design, dict) else {}
    return Columns(
        tuple(map(str, named.get("id", ()))), tuple(map(str, named.get("strata", ()))),
        named.get("size"), named.get("y"), named.get("x"),
    )  # fmt: skip
