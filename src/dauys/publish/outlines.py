"""What do the territories of a poll's day really look like: outlines from a data package, joined, projected, simplified?

The package (`outlines.yaml` of the pack names it) is read as data and never imported. Its units are those of one day;
the pack's own dated parentage joins them into the units of another. Pictures only: no decision rests on these lines.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from dauys.law.files import read_yaml
from dauys.law.packs import load_pack
from dauys.publish.maps import Drawing, Shape, pack_of
from dauys.registers.areas import read_areas

EARTH = 6_371_007.0
"""Radius in metres of the sphere with the Earth's surface: areas on the picture stay in proportion."""
WIDTH = 1000
"""The picture's width in SVG units."""
SEEN = 700
"""Outlines with less than this area (square SVG units) get a marker: a square of 26 units."""
CLEAR = 30
"""Units around a marker that stay free of the numbers of the region that it lies in."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What `outlines.yaml` says. `parallels`, `meridian`, `latitude` are degrees, `tolerance` metres."""

    package: str
    file: str
    name: str
    attribution: str
    parallels: tuple[int, int]
    meridian: int
    latitude: int
    tolerance: int
    units: Mapping[str, str]


def outlines(poll_id: str, codes: Sequence[str], cache: Path | None) -> Drawing | None:
    """The outlines of exactly these territories; None where the pack or its data package has none.

    The drawing is kept in `cache` (a folder) under a name that changes with everything it is made from.
    """
    pack = pack_of(poll_id)
    if pack is None or not (pack / "outlines.yaml").is_file():
        return None
    recipe = _read(pack / "outlines.yaml")
    data = _package_file(recipe.package, recipe.file)
    if data is None:
        return None
    parents = {a.code: a.separated_from for a in read_areas(load_pack(pack.name).areas) if a.separated_from}
    made_from = repr((recipe, data.stat().st_size, list(codes), sorted(parents.items()), WIDTH, SEEN, CLEAR))
    kept = cache / f"outlines-{sha256(made_from.encode()).hexdigest()[:16]}.json" if cache else None
    if kept is not None and kept.is_file():
        body = json.loads(kept.read_text("utf-8"))
        return Drawing(**{**body, "shapes": tuple(Shape(**shape) for shape in body["shapes"])})
    drawing = _draw(json.loads(data.read_text("utf-8")), recipe, codes, parents)
    if drawing is not None and kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        partial = kept.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(drawing), ensure_ascii=False), "utf-8")
        partial.replace(kept)
    return drawing


def _read(file: Path) -> Recipe:
    parts = read_yaml(file).mapping(("package", "file", "name", "attribution", "projection", "tolerance", "units"))
    projection = parts["projection"].mapping(("parallels", "meridian", "latitude"))
    parallels = [degree.integer(-90, 90) for degree in projection["parallels"].items()]
    if len(parallels) != 2:
        projection["parallels"].fail("a conic has two standard parallels", found=parallels)
    return Recipe(
        package=parts["package"].matching(r"[a-z_][a-z0-9_]*", "the name of a package"),
        file=parts["file"].text(),
        name=parts["name"].text(),
        attribution=parts["attribution"].text(),
        parallels=(parallels[0], parallels[1]),
        meridian=projection["meridian"].integer(-180, 180),
        latitude=projection["latitude"].integer(-90, 90),
        tolerance=parts["tolerance"].integer(1, 100_000),
        units={unit.text(): code.text() for unit, code in parts["units"].entries()},
    )


def _package_file(package: str, file: str) -> Path | None:
    """A file inside an installed package, found without importing it."""
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        return None
    folders = spec.submodule_search_locations if spec else None
    found = [Path(folder) / file for folder in folders or () if (Path(folder) / file).is_file()]
    return found[0] if found else None


def _draw(geojson: Any, recipe: Recipe, codes: Sequence[str], parents: Mapping[str, str]) -> Drawing | None:
    groups: dict[str, list[Any]] = {code: [] for code in codes}
    units: list[Any] = []
    for feature in geojson["features"]:
        code: str | None = recipe.units.get(feature["properties"][recipe.name])
        while code is not None and code not in groups:
            code = parents.get(code)
        if code is not None:
            groups[code].append(len(units))
            units.append(shapely.geometry.shape(feature["geometry"]))
    if not all(groups.values()):
        return None
    flat = shapely.transform(shapely.make_valid(np.array(units)), _albers(recipe))
    # the package's borders do not quite meet: make them one coverage before anything is joined or simplified
    clean = shapely.coverage_clean(_polygons(flat), gap_width=recipe.tolerance / 4)
    joined = np.array([shapely.union_all(clean[members]) for members in groups.values()])
    simple = shapely.coverage_simplify(joined, recipe.tolerance)
    west, south, east, north = shapely.total_bounds(simple)
    scale = (WIDTH - 8) / (east - west)
    on_page = shapely.transform(simple, lambda xy: np.c_[(xy[:, 0] - west) * scale + 4, (north - xy[:, 1]) * scale + 4])
    shapes = []
    markers = shapely.buffer(shapely.centroid(on_page[shapely.area(on_page) < SEEN]), CLEAR)
    for code, geometry in zip(groups, on_page, strict=True):
        small = bool(shapely.area(geometry) < SEEN)
        free = geometry if small else shapely.difference(geometry, shapely.union_all(markers))
        at = shapely.maximum_inscribed_circle(_largest(free), tolerance=1.0).coords[0]
        shapes.append(Shape(code, _path(geometry), round(at[0]), round(at[1]), None, small))
    # markers last, so that they lie on top of the region around them
    shapes.sort(key=lambda shape: shape.marker)
    return Drawing("outlines", WIDTH, round((north - south) * scale) + 8, tuple(shapes), recipe.attribution)


def _albers(recipe: Recipe) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Albers equal-area conic on the sphere (Snyder 1987, equations 14-1 to 14-6): degrees to metres."""
    first, second = np.radians(recipe.parallels)
    n = (np.sin(first) + np.sin(second)) / 2
    c = np.cos(first) ** 2 + 2 * n * np.sin(first)
    origin = EARTH * np.sqrt(c - 2 * n * np.sin(np.radians(recipe.latitude))) / n

    def project(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
        radius = EARTH * np.sqrt(c - 2 * n * np.sin(np.radians(degrees[:, 1]))) / n
        angle = n * np.radians(degrees[:, 0] - recipe.meridian)
        return np.column_stack((radius * np.sin(angle), origin - radius * np.cos(angle)))

    return project


def _polygons(geometries: Any) -> Any:
    """What `make_valid` leaves besides polygons (points, lines) is nothing to draw."""
    kept = []
    for geometry in geometries:
        parts = [part for part in shapely.get_parts(geometry, return_index=False) if part.geom_type.endswith("Polygon")]
        kept.append(shapely.union_all(parts) if len(parts) != 1 else parts[0])
    return np.array(kept)


def _largest(geometry: Any) -> Any:
    return max(shapely.get_parts(geometry), key=lambda part: float(part.area))


def _path(geometry: Any) -> str:
    """The SVG path in whole tenths; islands that nobody can see are left out, the largest part never."""
    largest = _largest(geometry)
    rings = []
    for part in shapely.get_parts(geometry):
        if part is largest or part.equals(largest) or part.area > 4:
            rings += [part.exterior, *(hole for hole in part.interiors if shapely.Polygon(hole).area > 4)]
    return "".join("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in np.asarray(ring.coords)[:-1]) + "z" for ring in rings)
