"""Which ballots does a seed draw out of the stations' piles, for ever the same?"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from itertools import accumulate, count, islice

from dauys.observe.sample.tickets import ticket


def places(seed: str, label: str, below: int) -> Iterator[int]:
    """Draws with replacement from 0 to below - 1, without end.

    Draw j, from 1, is SHA-256 of `seed,LF draw,label,j` as a number of 256 bits, scaled to `below`: uneven by less than
    below / 2**256.
    """
    for number in count(1):
        yield int.from_bytes(ticket(seed, f"\ndraw,{label},{number}"), "big") * below >> 256


def ballots(piles: Mapping[str, int], seed: str, size: int, label: str, *, again: bool = True) -> list[tuple[str, int]]:
    """The first `size` ballots drawn, as station and place in its pile, from 1. More draws begin with the same.

    `piles` is the ballot manifest: how many ballots each station keeps; stations in the order of their ids. `again`: a ballot
    may be drawn more than once; otherwise a repeated draw is passed over. Raises ValueError for more than there are then.
    """
    names = sorted(piles)
    ends = list(accumulate(piles[name] for name in names))
    if not ends or not ends[-1]:
        raise ValueError("there is no ballot to draw")
    if not again and size > ends[-1]:
        raise ValueError("more ballots are to be drawn than there are")
    drawn = places(seed, label, ends[-1])
    if not again:
        drawn = _once(drawn)
    found = []
    for place in islice(drawn, size):
        pile = bisect_right(ends, place)
        found.append((names[pile], place - (ends[pile - 1] if pile else 0) + 1))
    return found


def _once(drawn: Iterator[int]) -> Iterator[int]:
    seen: set[int] = set()
    for place in drawn:
        if place not in seen:
            seen.add(place)
            yield place
