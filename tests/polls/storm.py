"""Is each right used at most once, and none lost, whatever happens to the stations and to the centre, and however often it is put back?

python tests/polls/storm.py 0 300      # the first seed, and the one after the last; prints how many worlds and steps there were
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from unittest.mock import patch

import sqlalchemy as sa

sys.path.extend(str(folder) for folder in Path(__file__).parents[:2])
import joined_world
from joined_world import World, world_of
from noted_world import Noted
from storm_end import Ending
from storm_people import VOTERS
from storm_world import Fate

from dauys.store import embedded
from dauys.store.engine import Connection, open_store

FATES: tuple[Fate, ...] = ("kept", "gone", "kept", "copied")
ENVELOPE = {"on": True, "two": "none", "cite": "P"}
CERTIFICATE = {"on": True, "until": "18:00", "cite": "P"}
REMOTE = {
    "remote": {"on": True, "first": "2022-06-03", "last": "2022-06-05", "cite": "P"},
    "paper-beats-electronic": {"on": True, "cite": "P"},
}
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None

BEFORE = {
    "make_a_package": 4, "start": 4, "move": 4, "use": 2, "declare_lost": 2, "sync_all": 2, "settle": 1,
    "certificate": 1, "undo": 1, "void_a_package": 1, "not_lost": 1,
    "add": 3, "unadd": 1, "die": 1, "pair": 2, "ask_later": 1,
    "mobile": 2, "envelope": 2, "envelope_undo": 1, "electronic": 3, "electronic_back": 1, "paper_instead": 3, "take_out": 1,
    "burn": 1, "hand_out": 1, "type_paper": 1, "untype": 1, "print_list": 1,
    "second_use": 2, "second_undo": 1, "second_move": 2, "second_settles": 2,
}  # fmt: skip
"""Until the copy is made: how often each step."""

SINCE = BEFORE | {
    "make_a_package": 3, "start": 3, "move": 8, "use": 3, "undo": 2, "settle": 2, "live": 1, "certificate_back": 1,
    "lose_an_answer": 2, "hold": 1, "knock": 1, "unpair": 1,
}  # fmt: skip
"""Between the copy and the death of the centre's disk: all of this is forgotten."""

MARKED = {
    "start": 3, "use": 2, "knock": 1, "undo": 1, "certificate": 1, "lose_an_answer": 1, "void_a_package": 1, "declare_lost": 1,
    "settle": 1, "restart": 1, "mobile": 1, "envelope": 1, "electronic": 1, "hand_out": 1, "type_paper": 1,
}  # fmt: skip
"""While nothing is given: machines begin, or not yet, and stations go on."""

AFTER = SINCE | {
    "move": 12, "sync_all": 3, "add": 2, "decide_again": 2, "be_heard_again": 1, "fall_silent": 1, "lift": 2, "restart": 1,
    "knock": 3, "find": 2, "ask": 2, "sync": 2, "give_back_again": 1, "burn": 3, "hand_out": 4, "type_paper": 5, "say_put_back": 1,
}  # fmt: skip
"""When it was put back, and mostly the mark is lifted."""


GIVING_BACK = {
    "die": 4, "live": 4, "declare_lost": 3, "make_a_package": 4, "void_a_package": 2, "not_lost": 3, "ask_later": 3, "settle": 3,
    "pair": 1, "mobile": 1, "hand_out": 1,
}  # fmt: skip
"""In every seventh world: many are taken for dead, and given back while machines are lost, or have not begun."""


class Storm(Ending):
    """The country, and in which order its steps come."""

    def __init__(self, world: World, noted: Noted, seed: int) -> None:
        super().__init__(world, noted, random.Random(seed), FATES[seed % len(FATES)])
        self.seed = seed
        self.otherwise, self.shaken, self.typed = set(), set(), {}

    def run(self) -> None:
        self.some(self.dice.randint(3, 14), BEFORE)
        for _ in range(self.dice.choice((1, 1, 2, 3))):
            self.step("copy_is_made")
            self.some(self.dice.randint(4, 16), SINCE)
            self.goes_back()
            self.some(self.dice.randint(6, 20), AFTER)
        self.everything_ends()

    def some(self, number: int, weights: Mapping[str, int]) -> None:
        if self.seed % 7 == 3 and weights is not MARKED:
            weights = {**weights, **GIVING_BACK}
        for name in self.dice.choices(list(weights), list(weights.values()), k=number):
            self.step(name)

    def goes_back(self) -> None:
        """The disk dies; some machines are not heard and mostly given up, the others are heard, and the mark is lifted if it can be."""
        self.step("put_back")
        self.some(self.dice.randint(0, 4), MARKED)
        for holder in self.machines:
            if self.dice.random() < 0.3:
                self.silent.add(holder)
        for name in ("give_up", "sync_all", "sync_all", "lift"):
            if name != "give_up" or self.dice.random() < 0.8:
                self.step(name)


def storm(connection: Connection, folder: Path, seed: int) -> Counter[str]:
    """One world, in a transaction that the caller undoes; what was seen in it. Raises AssertionError with its story.

    By its seed: what becomes of the journal, whether there is an electronic channel, whether another poll, and whether the law lets
    anybody vote at another station.
    """
    remote = REMOTE if seed // len(FATES) % 2 else {}
    law = {**joined_world.VOTING, "certificate": CERTIFICATE, "envelope": ENVELOPE, **remote}
    if seed // (4 * len(FATES)) % 4 == 3:
        del law["any-station"]
    with (
        patch.dict(joined_world.VOTING, law, clear=True),
        world_of(connection, folder, VOTERS) as world,
    ):
        world.at(9)
        noted = Noted(world, folder / "keys" / "pollbook.journal")
        noted.hold()
        one = Storm(world, noted, seed)
        one.seen["by law nobody votes at another station"] += "any-station" not in law
        if seed // (2 * len(FATES)) % 2:
            one.second_begins()
        if remote:
            one.channel_begins()
        try:
            one.run()
        except Exception as error:
            error.add_note("\n".join(one.told()))
            raise
        finally:
            if one.there is not None:
                one.there.world.close()
        return one.seen


def storms(engine: sa.Engine, seeds: Iterable[int]) -> Iterator[Counter[str]]:
    """World after world, each undone."""
    for seed in seeds:
        with (
            engine.connect() as connection,
            connection.begin() as all_of_it,
            tempfile.TemporaryDirectory(dir=MEMORY) as folder,
        ):
            yield storm(connection, Path(folder), seed)
            all_of_it.rollback()


def main(first: int, last: int) -> int:
    """Plays these worlds, tells the story of each that does not hold, and how many these were."""
    begun, seen, failed = time.perf_counter(), Counter[str](), list[int]()
    with tempfile.TemporaryDirectory(prefix="dauys", dir=MEMORY) as store:
        engine = open_store(Path(store))
        try:
            for seed in range(first, last):
                try:
                    seen.update(*storms(engine, (seed,)))
                except Exception as error:  # noqa: BLE001 - whatever it is, the others are played, too
                    traceback.print_exception(error)
                    failed.append(seed)
        finally:
            engine.dispose()
            embedded.stop(Path(store))
    steps = sum(times for name, times in seen.items() if name == "refused" or hasattr(Storm, name))
    held = "no right used twice, none lost, nobody blamed" if not failed else f"it does not hold in {failed}"
    print(f"{last - first:,} worlds, {steps:,} steps in {time.perf_counter() - begun:.0f} s: {held}")
    for name, times in sorted(seen.items()):
        print(f"{times:>9,}  {name.replace('_', ' ')}")
    return len(failed)


if __name__ == "__main__":
    begin, end = (int(text) for text in (*sys.argv[1:], *("0", "100")[len(sys.argv) - 1 :]))
    sys.exit(main(begin, end) > 0)
