"""A station and a centre in memory, with what goes between them done by hand, step by step."""

from __future__ import annotations

from pathlib import Path

from pollbook_sample import MORNING, who
from station_world import Clock, FakeCentre, enrolled, person

from dauys.pollbook.machine import acts
from dauys.pollbook.machine.keep import Keep
from dauys.pollbook.machine.sync import Link, connect
from dauys.pollbook.wire.package import Voter

CLOCK = Clock()


def lists() -> dict[str, list[Voter]]:
    return {"1": [person(n) for n in range(1, 6)], "2": [person(n) for n in range(101, 106)]}


def link_of(keep: Keep, centre: FakeCentre) -> Link:
    return Link(connect(keep, CLOCK, centre.transport), CLOCK)


def opened(centre: FakeCentre, folder: Path, name: str = "1") -> tuple[Keep, Link]:
    keep = enrolled(centre, folder, name)
    keep.append(acts.do_open(keep.book, "c1", MORNING))
    return keep, link_of(keep, centre)


def check_in(keep: Keep, number: int, tap: int = 0) -> None:
    salt = (tap or number).to_bytes(10, "big")
    with keep.acting() as book:
        keep.append(acts.do_check_in(book, who(number), officer="m1", salt=salt, at=MORNING))


def known(centre: FakeCentre, keep: Keep) -> list[str]:
    return list(centre.centre.logs[keep.log].hashes)
