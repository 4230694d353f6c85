"""What does the fingerprint look like? A heat map as SVG by hand, and a small one of letters for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import numpy as np

from dauys.observe.indicators.counts import Ints

COLOURS = ("#e8eef6", "#c6d8ec", "#9ebfe0", "#6fa1d0", "#447fba", "#235e9c", "#123f75", "#0a254a")
SHADES = " .:-=+*#%@"
LEFT, TOP, SIDE, CELL = 46, 14, 404, 4


def svg(cells: Ints, words: Mapping[str, str], mark: str = "fp") -> str:
    """The heat map: turnout to the right, share upward, one square a point; darker is more votes, each step twice as many.

    `words`: `title`, `turnout`, `share`, `caption` in the reader's language. `mark` tells two pictures of one page apart.
    """
    width, height = LEFT + SIDE + 20, TOP + SIDE + 56
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-labelledby="{mark}-t {mark}-d" font-family="sans-serif" font-size="11">',
        f'<title id="{mark}-t">{escape(words["title"])}</title><desc id="{mark}-d">{escape(words["caption"])}</desc>',
        f'<rect x="{LEFT}" y="{TOP}" width="{SIDE}" height="{SIDE}" fill="#fff" stroke="#888"/>',
    ]
    levels = _levels(cells, len(COLOURS))
    for level, colour in enumerate(COLOURS, 1):
        places = np.argwhere(levels == level)
        if len(places):
            path = "".join(f"M{LEFT + CELL * t} {TOP + CELL * (100 - s)}h4v4h-4z" for t, s in places.tolist())
            parts.append(f'<path fill="{colour}" d="{path}"/>')
    for percent in range(0, 101, 20):
        x, y = LEFT + CELL * percent, TOP + CELL * (101 - percent)
        parts.append(f'<text x="{x}" y="{TOP + SIDE + 14}" text-anchor="middle">{percent}</text>')
        parts.append(f'<text x="{LEFT - 6}" y="{y}" text-anchor="end">{percent}</text>')
    middle = TOP + SIDE // 2
    parts += [
        f'<text x="{LEFT + SIDE // 2}" y="{TOP + SIDE + 30}" text-anchor="middle">{escape(words["turnout"])}, %</text>',
        f'<text x="12" y="{middle}" text-anchor="middle" transform="rotate(-90 12 {middle})">'
        f"{escape(words['share'])}, %</text>",
        f'<text x="{LEFT}" y="{TOP + SIDE + 48}" fill="#555">{escape(words["caption"])}</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def text(cells: Ints, step: int = 5) -> str:
    """The same for a terminal: rows of share from above, columns of turnout, `step` points each."""
    size = 100 // step
    squares = np.zeros((size, size), dtype=np.int64)
    places = np.minimum(np.arange(101) // step, size - 1)
    np.add.at(squares, (places[:, None], places[None, :]), cells)
    levels = _levels(squares, len(SHADES) - 1)
    rows = [
        f"{share * step:>4} |" + "".join(SHADES[levels[turnout, share]] * 2 for turnout in range(size)) + "|"
        for share in reversed(range(size))
    ]
    marks = "".join(f"{mark:<{2 * 20 // step}}" for mark in range(0, 100, 20))
    return "\n".join([*rows, "     +" + "-" * 2 * size + "+", f"      {marks}100"])


def _levels(cells: Ints, most: int) -> Ints:
    """0 where nothing is; else `most` less the halvings from the fullest cell, at least 1."""
    top = int(cells.max(initial=0))
    levels: Ints = np.zeros(cells.shape, dtype=np.int64)
    some = cells > 0
    levels[some] = np.maximum(most - np.floor(np.log2(top / cells[some])).astype(np.int64), 1)
    return levels
