"""Where are the territories of a mission's poll, shaded by a share? An SVG without a style of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path

from markupsafe import Markup

from dauys.publish import figures
from dauys.publish.maps import Drawing, tiles
from dauys.publish.outlines import outlines

SHADES = 5
"""s0 is nothing, s1 up to a fifth, ..., s5 above four fifths."""

DrawMap = Callable[[str, Mapping[str, float], str], str]


def drawer(cache: Path) -> DrawMap:
    """`draw(poll, shares, lang)`: an SVG of the territories in `shares`, each from 0 to 1; empty where there are none."""

    @lru_cache(maxsize=8)
    def drawing(poll: str, codes: tuple[str, ...]) -> Drawing:
        return outlines(poll, codes, cache) or tiles(poll, codes)

    def draw(poll: str, shares: Mapping[str, float], lang: str) -> str:
        if not shares:
            return ""
        found = drawing(poll, tuple(shares))
        parts = [
            Markup('<svg viewBox="0 0 {} {}" class="areas {}" role="img">').format(
                found.width, found.height, found.kind
            )
        ]
        for shape in found.shapes:
            share = min(max(shares[shape.code], 0.0), 1.0)
            said = figures.percent_text(str(round(100 * share)), lang)
            words = f"{shape.short.get(lang, shape.code) if shape.short else shape.code}: {said}"
            parts.append(
                Markup('<g><title>{}</title><path class="s{}" d="{}"/>').format(words, _shade(share), shape.path)
            )
            if shape.marker:
                parts.append(
                    Markup('<circle class="s{}" cx="{}" cy="{}" r="13"/>').format(_shade(share), shape.x, shape.y)
                )
            elif share or found.kind == "tiles":
                parts.append(Markup('<text x="{}" y="{}">{}</text>').format(shape.x, shape.y, round(100 * share)))
            parts.append(Markup("</g>"))
        return str(Markup("").join([*parts, Markup("</svg>")]))

    return draw


def _shade(share: float) -> int:
    return min(SHADES, 1 + int(share * SHADES)) if share > 0 else 0
