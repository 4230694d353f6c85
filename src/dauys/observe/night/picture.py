"""How did the estimate settle over the night, and does the official share lie in it? The converging interval as SVG by hand.

Nothing is told by colour alone: the interval is a filled band with a line, the sensitivity band is hatched, the official share
is dashed, and a point that must not be published is hollow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape

INTERVAL, LINE, BAND, OFFICIAL, INK, SOFT, GRID, GATE = (
    "#a9cfdf", "#0b4a66", "#8a949d", "#b4500f", "#16202b", "#53606d", "#e3dfd5", "#f3e7c9",
)  # fmt: skip
STEPS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
"""Shares between two marks of the upright axis."""


@dataclass(frozen=True, slots=True)
class Point:
    """What could be said at one moment. Shares are from 0 to 1; `official` is the share of what was counted by then.

    `ci` is None where there is no degree of freedom, `band` where every station had come.
    """

    at: datetime
    estimate: float
    ci: tuple[float, float] | None
    band: tuple[float, float] | None
    publish: bool
    official: float | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """Where the picture is drawn: its size, the plot inside it, the height of its letters."""

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    letters: int


WIDE = Frame(1000, 440, 74, 122, 34, 58, 15)
NARROW = Frame(390, 400, 56, 12, 46, 52, 13)
"""For a phone: the same letters on the screen, fewer hours, labels inside the plot."""


def svg(
    points: Sequence[Point], official: float | None, words: Mapping[str, str], frame: Frame = WIDE, name: str = "night",
    percent: Callable[[float], str] = lambda share: f"{100 * share:.2f} %",
) -> str:  # fmt: skip
    """The picture. `words`: title, desc, official, do_not_publish (with `{time}`), never, in the reader's language.

    `official` is the share of the whole count (None: nothing is counted). `name` begins the ids: two pictures of one page need
    two. `percent` writes a share. Times are shown in the zone of the points. Raises ValueError without a point.
    """
    if not points:
        raise ValueError("a picture of a night needs a point")
    plot = _Plot(frame, *_times(points), *_shares(points, official))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {frame.width} {frame.height}" role="img" '
        f'aria-labelledby="{name}-t {name}-d" font-family="system-ui, sans-serif" font-size="{frame.letters}" fill="{INK}">',
        f'<title id="{name}-t">{escape(words["title"])}</title><desc id="{name}-d">{escape(words["desc"])}</desc>',
        f'<defs><pattern id="{name}-h" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        f'<path d="M0 0V7" stroke="{BAND}" stroke-width="1.6" opacity=".55"/></pattern>'
        f'<clipPath id="{name}-c"><rect x="{plot.x0 - 6}" y="{plot.y1}" width="{plot.x1 - plot.x0 + 12}" '
        f'height="{plot.y0 - plot.y1}"/></clipPath></defs>',
        *_gate(plot, points, words),
        *_grid(plot, percent),
        *_hours(plot),
        f'<g clip-path="url(#{name}-c)">',
        *_bands(plot, points, name),
        *_by_then(plot, points),
        "</g>",
        *_official(plot, official, words, percent),
        f'<g clip-path="url(#{name}-c)">',
        *_line(plot, points),
        "</g></svg>",
    ]
    return "\n".join(parts) + "\n"


class _Plot:
    """Moments to the right, shares upward."""

    def __init__(self, frame: Frame, begin: datetime, end: datetime, low: float, high: float) -> None:
        self.frame, self.begin, self.end, self.low, self.high = frame, begin, end, low, high
        self.x0, self.x1 = frame.left, frame.width - frame.right
        self.y0, self.y1 = frame.height - frame.bottom, frame.top

    def x(self, at: datetime) -> float:
        return round(self.x0 + (at - self.begin) / (self.end - self.begin) * (self.x1 - self.x0), 1)

    def y(self, share: float) -> float:
        return round(self.y0 - (share - self.low) / (self.high - self.low) * (self.y0 - self.y1), 1)


def _times(points: Sequence[Point]) -> tuple[datetime, datetime]:
    begin, end = points[0].at, points[-1].at
    if begin == end:
        return begin - timedelta(minutes=30), end + timedelta(minutes=30)
    return begin, end


def _shares(points: Sequence[Point], official: float | None) -> tuple[float, float]:
    """The part of the axis that is shown: the later half of the night whole, with the official share; what came before is cut
    off where it is far away, and a part of the band."""
    late = points[len(points) // 2 :]
    seen = [end for one in late for end in (*(one.ci or ()), one.estimate)]
    seen += [official] if official is not None else []
    low, high = min(seen), max(seen)
    room = max(high - low, 0.004)
    wide = [end for one in late if one.band for end in one.band] + [one.estimate for one in points]
    low = max(min([low, *wide]), low - room)
    high = min(max([high, *wide]), high + room)
    room = max(high - low, 0.004) * 0.08
    return max(0.0, low - room), min(1.0, high + room)


def _gate(plot: _Plot, points: Sequence[Point], words: Mapping[str, str]) -> list[str]:
    """The time before which nothing was to be published; all of it where nothing ever was."""
    first = next((one for place, one in enumerate(points) if all(later.publish for later in points[place:])), None)
    if first is points[0]:
        return []
    edge = plot.x1 if first is None else plot.x(first.at)
    said = words["never"] if first is None else words["do_not_publish"].format(time=f"{first.at:%H:%M}")
    height = plot.y0 - plot.y1
    narrow = edge - plot.x0 < (plot.x1 - plot.x0) / 2
    place, anchor = (edge, "start") if narrow else (edge, "end")
    return [
        f'<rect x="{plot.x0}" y="{plot.y1}" width="{edge - plot.x0:.1f}" height="{height}" fill="{GATE}"/>',
        f'<path d="M{edge} {plot.y1 - 8}V{plot.y0}" stroke="{INK}" stroke-width="1.5" stroke-dasharray="2 4"/>',
        f'<text x="{place + (4 if narrow else -4)}" y="{plot.y1 - 12}" text-anchor="{anchor}" font-weight="600">'
        f"{escape(said)}</text>",
    ]


def _grid(plot: _Plot, percent: Callable[[float], str]) -> Iterable[str]:
    step = next((one for one in STEPS if (plot.high - plot.low) / one <= 7), STEPS[-1])
    mark = -int(-plot.low / step // 1)
    while (share := mark * step) <= plot.high:
        if share >= plot.low:
            y = plot.y(share)
            yield f'<path d="M{plot.x0} {y}H{plot.x1}" stroke="{GRID}"/>'
            yield f'<text x="{plot.x0 - 8}" y="{y + 5}" text-anchor="end" fill="{SOFT}">{escape(_short(percent(share)))}</text>'
        mark += 1


def _short(text: str) -> str:
    """A share without the zeros that say nothing: 77.00 % is 77 %."""
    digits = text.rstrip("% \u00a0")
    sign = text[len(digits) :]
    for point in ".,":
        if point in digits:
            digits = digits.rstrip("0").rstrip(point)
    return digits + sign


def _hours(plot: _Plot) -> Iterable[str]:
    span = (plot.end - plot.begin) / timedelta(hours=1)
    fits = (plot.x1 - plot.x0) / (4.2 * plot.frame.letters)
    every = next((hours for hours in (1, 2, 3, 4, 6, 12, 24, 48) if span / hours <= fits), 96)
    at = plot.begin.replace(minute=0, second=0, microsecond=0)
    day = None
    while at <= plot.end:
        if at >= plot.begin:
            x, labelled = plot.x(at), at.hour % every == 0 or every > 24
            yield f'<path d="M{x} {plot.y0}v{8 if labelled else 4}" stroke="{SOFT}"/>'
            if labelled:
                yield f'<text x="{x}" y="{plot.y0 + 24}" text-anchor="middle" fill="{SOFT}">{at:%H:%M}</text>'
                if at.date() != day:
                    day = at.date()
                    yield f'<text x="{x}" y="{plot.y0 + 42}" text-anchor="middle" fill="{SOFT}">{at:%d.%m}</text>'
        at += timedelta(hours=1)
    yield f'<path d="M{plot.x0} {plot.y0}H{plot.x1}" stroke="{SOFT}"/>'


def _bands(plot: _Plot, points: Sequence[Point], name: str) -> Iterable[str]:
    banded = [(one.at, one.band) for one in points if one.band is not None]
    if len(banded) > 1:
        yield f'<path d="{_area(plot, banded)}" fill="url(#{name}-h)" stroke="{BAND}" stroke-width=".8"/>'
    known = [(one.at, one.ci) for one in points if one.ci is not None]
    if len(known) > 1:
        yield f'<path d="{_area(plot, known)}" fill="{INTERVAL}" fill-opacity=".85"/>'
    else:
        for at, (low, high) in known:
            yield f'<path d="M{plot.x(at)} {plot.y(low)}V{plot.y(high)}" stroke="{INTERVAL}" stroke-width="12"/>'


def _area(plot: _Plot, ends: Sequence[tuple[datetime, tuple[float, float]]]) -> str:
    there = [f"{plot.x(at)} {plot.y(high)}" for at, (_, high) in ends]
    back = [f"{plot.x(at)} {plot.y(low)}" for at, (low, _) in reversed(ends)]
    return f"M{'L'.join(there + back)}Z"


def _by_then(plot: _Plot, points: Sequence[Point]) -> Iterable[str]:
    places = [f"{plot.x(one.at)} {plot.y(one.official)}" for one in points if one.official is not None]
    if len(places) > 1:
        yield (
            f'<path d="M{"L".join(places)}" fill="none" stroke="{OFFICIAL}" stroke-width="1.6" stroke-dasharray="1.5 4" '
            'stroke-linecap="round"/>'
        )


def _official(
    plot: _Plot, official: float | None, words: Mapping[str, str], percent: Callable[[float], str]
) -> Iterable[str]:
    if official is None:
        return
    y = plot.y(official)
    yield f'<path d="M{plot.x0} {y}H{plot.x1}" stroke="{OFFICIAL}" stroke-width="2.2" stroke-dasharray="9 5"/>'
    if plot.frame.right > 60:
        yield f'<text x="{plot.x1 + 8}" y="{y - 3}" fill="{OFFICIAL}" font-weight="600">{escape(words["official"])}</text>'
        yield f'<text x="{plot.x1 + 8}" y="{y + plot.frame.letters + 1}" fill="{OFFICIAL}">{escape(percent(official))}</text>'
    else:
        low = y > (plot.y0 + plot.y1) / 2
        place = y - 6 if low else y + plot.frame.letters + 3
        said = f"{words['official']} {percent(official)}"
        yield (
            f'<text x="{plot.x1 - 4}" y="{place}" text-anchor="end" fill="{OFFICIAL}" font-weight="600" stroke="#fff" '
            f'stroke-width="3" paint-order="stroke">{escape(said)}</text>'
        )


def _line(plot: _Plot, points: Sequence[Point]) -> Iterable[str]:
    places = [f"{plot.x(one.at)} {plot.y(one.estimate)}" for one in points]
    yield f'<path d="M{"L".join(places)}" fill="none" stroke="{LINE}" stroke-width="2.4" stroke-linejoin="round"/>'
    for one in points:
        fill = LINE if one.publish else "#fff"
        yield f'<circle cx="{plot.x(one.at)}" cy="{plot.y(one.estimate)}" r="4" fill="{fill}" stroke="{LINE}" stroke-width="2"/>'
