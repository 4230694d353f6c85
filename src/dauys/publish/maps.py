"""Where does each territory stand on a picture: a schematic map of equal squares, and true outlines where there are any?

A drawing holds shapes only; what they mean (colour, hatching, text) is the page's. Coordinates are SVG user units,
y grows downwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

import yaml

from dauys.errors import BadInput

SIDE = 100
"""The side of a square of the schematic map."""

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Shape:
    """One territory: an SVG path, the point its text or marker stands at, and a short name where the pack has one.

    `marker` says that the outline is too small to see, so a round mark must stand at (x, y).
    """

    code: str
    path: str
    x: int
    y: int
    short: Labels | None = None
    marker: bool = False


@dataclass(frozen=True, slots=True)
class Drawing:
    kind: str
    width: int
    height: int
    shapes: tuple[Shape, ...]
    attribution: str = ""

    def shape(self, code: str) -> Shape | None:
        return next((shape for shape in self.shapes if shape.code == code), None)


def pack_of(poll_id: str) -> Traversable | None:
    """The folder of the jurisdiction pack that `poll_id` belongs to, if it belongs to one."""
    name, slash, _ = poll_id.partition("/")
    folder = resources.files("dauys") / "jurisdictions" / name
    return folder if slash and name.isidentifier() and folder.is_dir() else None


def tiles(poll_id: str, codes: Sequence[str]) -> Drawing:
    """One square a territory: as the pack's `tilemap.yaml` places them, or in reading order where no pack does."""
    pack = pack_of(poll_id)
    file = pack / "tilemap.yaml" if pack else None
    places, short = _layout(file, codes) if file is not None and file.is_file() else ({}, {})
    if not places:
        columns = max(1, -(-len(codes) // max(1, round((len(codes) / 2) ** 0.5))))
        places = {code: (n % columns, n // columns) for n, code in enumerate(codes)}
    shapes = tuple(
        Shape(
            code,
            f"M{column * SIDE + 2} {row * SIDE + 2}h{SIDE - 4}v{SIDE - 4}h{4 - SIDE}z",
            column * SIDE + SIDE // 2,
            row * SIDE + SIDE // 2,
            short.get(code),
        )
        for code, (column, row) in ((code, places[code]) for code in codes)
    )
    width = 1 + max((column for column, _ in places.values()), default=0)
    height = 1 + max((row for _, row in places.values()), default=0)
    return Drawing("tiles", width * SIDE, height * SIDE, shapes)


def _layout(file: Traversable, codes: Sequence[str]) -> tuple[dict[str, tuple[int, int]], dict[str, Labels]]:
    """The first layout of the file that places exactly these codes, and the short names; none: no places."""
    content: Any = yaml.safe_load(file.read_text("utf-8"))
    if not isinstance(content, dict) or set(content) - {"layouts", "short"}:
        raise BadInput("a tile map has the keys layouts and short only", file=str(file), found=sorted(content or ()))
    for layout in content["layouts"]:
        placed: dict[str, tuple[int, int]] = {}
        for code, place in layout["tiles"].items():
            if not (isinstance(place, list) and len(place) == 2 and all(isinstance(n, int) and n >= 0 for n in place)):
                raise BadInput("not a place", file=str(file), field=code, found=place, expected="[column, row]")
            if tuple(place) in placed.values():
                raise BadInput("two territories stand on one square", file=str(file), field=code, found=place)
            placed[code] = (place[0], place[1])
        if set(placed) == set(codes):
            return placed, content.get("short", {})
    return {}, {}
