"""Where does each territory stand on a picture: a schematic map of equal squares, and true outlines where there are any?

A drawing holds shapes only; what they mean (colour, hatching, text) is the page's. Coordinates are SVG user units,
y grows downwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dauys.law.files import read_yaml
from dauys.law.packs import pack_folder, pack_names

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


def pack_of(poll_id: str) -> Path | None:
    """The folder of the jurisdiction pack that `poll_id` belongs to, if it belongs to one."""
    name, slash, _ = poll_id.partition("/")
    return pack_folder(name) if slash and name in pack_names() else None


def tiles(poll_id: str, codes: Sequence[str]) -> Drawing:
    """One square a territory: as the pack's `tilemap.yaml` places them, or in reading order where no pack does."""
    pack = pack_of(poll_id)
    file = pack / "tilemap.yaml" if pack else None
    places, short = _layout(file, codes) if file and file.is_file() else ({}, {})
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


def _layout(file: Path, codes: Sequence[str]) -> tuple[dict[str, tuple[int, int]], dict[str, Labels]]:
    """The first layout of the file that places exactly these codes, and the short names; none: no places."""
    parts = read_yaml(file).mapping(required=("layouts",), optional=("short",))
    short = {key.text(): labels.labels() for key, labels in parts["short"].entries()} if "short" in parts else {}
    for layout in parts["layouts"].items():
        placed: dict[str, tuple[int, int]] = {}
        for code, place in layout.mapping(required=("areas", "tiles"))["tiles"].entries():
            numbers = [number.integer(at_least=0, at_most=99) for number in place.items()]
            if len(numbers) != 2:
                place.fail("not a place", found=numbers, expected="[column, row]")
            if (numbers[0], numbers[1]) in placed.values():
                place.fail("two territories stand on one square", found=numbers)
            placed[code.text()] = (numbers[0], numbers[1])
        if set(placed) == set(codes):
            return placed, dict(short)
    return {}, {}
