"""The centre was put back more than once: who stood on a list that it has forgotten is counted as that list has it."""

from __future__ import annotations

from datetime import datetime, timedelta
from importlib.resources import files

import pytest
import sqlalchemy as sa
from joined_world import POLL, Machine, right, synced
from noted_world import Noted, lifted, opened
from test_decided_since import add, died, finds
from test_paper_and_withdrawals import settled
from test_put_back_lost import marked

from dauys.pollbook.gathered.sums import sums_at
from dauys.pollbook.log.events import LogId
from dauys.pollbook.machine import acts
from dauys.pollbook.put_back import restored
from dauys.pollbook.station.book_sums import sums_of

pytestmark = pytest.mark.database


class Scene:
    """A-1's machine, and what befalls the centre: one word for each, a minute after the one before."""

    def __init__(self, noted: Noted) -> None:
        self.noted, self.world = noted, noted.world
        self.copies: list[sa.NestedTransaction] = []
        self.machines: list[Machine] = []
        self.decided = 0

    def play(self, words: str) -> None:
        for word in words.split():
            self.world.clock[0] += timedelta(minutes=1)
            getattr(self, word)()

    @property
    def a(self) -> Machine:
        return next(one for one in self.machines if one.keep.log.station == "A-1")

    def list(self) -> None:
        self.machines.append(opened(self.noted, "A-1", "a"))

    def asked(self) -> None:
        """Somebody has died, and his right is asked back."""
        self.decided = died(self.world, ("A-1", 1))

    def settled(self) -> None:
        assert settled(self.world).withdrawn == 1

    def withdrawn(self) -> None:
        self.asked()
        self.settled()

    def found(self) -> None:
        """A-1 uses it."""
        self.a.check_in(right(1), self.world.now)

    def comes(self) -> None:
        finds(self.a, 1)

    def told(self) -> None:
        synced(*self.machines)

    def closed(self) -> None:
        """A-1 has left him over, as a station further east has that closes before the others."""
        self.a.do(acts.do_close, officer="chair", at=self.evening)
        synced(*self.machines)

    @property
    def evening(self) -> datetime:
        return self.world.poll.closing("A") + timedelta(minutes=1)

    def copied(self) -> None:
        self.copies.append(self.world.connection.begin_nested())

    def back(self) -> None:
        """The newest copy is in the database's place, the journal is gone with the disk, and the machines are heard."""
        self.copies.pop().rollback()
        self.noted.path.unlink(missing_ok=True)
        self.noted.again()
        self.noted.hold()
        self.again()

    def again(self) -> None:
        """The copy is of a moment ago: nothing is forgotten."""
        marked(self.world)
        synced(*self.machines)
        lifted(self.world, "telephoned")

    def unheard(self) -> None:
        """As `back`, and somebody says that there is no machine, of which there is one."""
        machines, self.machines = self.machines, []
        self.back()
        self.machines = machines

    def heard(self) -> None:
        synced(*self.machines)
        lifted(self.world, "telephoned")


@pytest.mark.parametrize(
    ("words", "listed"),
    [
        ("withdrawn copied list back", 5),
        ("withdrawn copied list back again", 5),
        ("withdrawn copied list back again again closed", 5),
        ("again withdrawn copied list back", 5),  # there was a mark before he was withdrawn
        ("again withdrawn copied list back again", 5),
        ("copied withdrawn copied list back back comes", 5),  # only the list remembers it
        ("copied withdrawn copied list back back asked told settled", 5),
        ("copied withdrawn copied list back back asked told settled again", 5),
        ("copied list back closed withdrawn", 6),
        ("copied list back closed withdrawn again", 6),
        ("copied list back closed withdrawn again again", 6),
        ("again copied list back closed withdrawn again", 6),
        ("copied list back again closed withdrawn", 6),
        ("copied list back again closed withdrawn again", 6),
        ("copied list back again again closed withdrawn", 6),
        ("copied list back closed copied withdrawn back", 6),
        ("copied list back closed copied withdrawn back withdrawn", 6),
        ("copied list back closed copied withdrawn back withdrawn again", 6),
        ("copied list back copied closed withdrawn back withdrawn again", 6),
        ("copied copied list back closed withdrawn back withdrawn", 6),  # the first mark is forgotten, too
        ("copied copied list back closed withdrawn back withdrawn again", 6),
        ("copied list unheard withdrawn found heard", 6),  # its own log says that he was on it
    ],
)
def test_whoever_stood_on_a_list_that_was_forgotten(noted: Noted, words: str, listed: int) -> None:
    scene = Scene(noted)
    scene.play(words)
    found = sums_at(noted.world.connection, POLL, "A-1")
    assert found is not None and found.sums.listed == sums_of(scene.a.keep.book).listed == listed


@pytest.mark.parametrize("then", ["", "again"])
def test_who_is_asked_for_before_anybody_knows_and_withdrawn_since(noted: Noted, then: str) -> None:
    """The copy is back, in which A-1 has no list yet, and is marked when A-1 is heard, a minute later."""
    scene = Scene(noted)
    scene.play("copied list closed")
    scene.copies.pop().rollback()
    noted.path.unlink()
    noted.again()
    noted.hold()
    scene.play(f"asked again settled {then}")
    found = sums_at(noted.world.connection, POLL, "A-1")
    assert found is not None and found.sums.listed == sums_of(scene.a.keep.book).listed == 6


def test_a_list_is_known_since_the_mark_at_which_it_was_told_first(noted: Noted) -> None:
    """Another one of its number is known since its own."""
    scene, log = Scene(noted), LogId(POLL, "A-1", 1)
    known, said = [], []
    for remade in (False, False, True):
        scene.play("again")
        said.append(noted.world.now)
        restored.told(noted.world.connection, log, remade=remade)
        known.append(noted.world.connection.scalar(sa.text("SELECT since FROM pollbook_late_list")))
    assert known == [said[0], said[0], said[2]]


@pytest.mark.parametrize("left", ["withdrawn", "kept"])
def test_who_is_left_over_on_the_first_list_is_not_on_the_second(noted: Noted, left: str) -> None:
    """A-1's first machine is lost, found and closed; who was added since stands on the second list, which is forgotten."""
    world = noted.world
    scene = Scene(noted)
    scene.play("list")
    noted.lose("A-1")
    scene.play("closed" + " withdrawn" * (left == "withdrawn"))
    add(world, 50)
    scene.play("copied")
    a2 = opened(noted, "A-1", "a2")
    scene.machines.append(a2)
    scene.play("back again")
    found = sums_at(world.connection, POLL, "A-1")
    assert (
        found is not None and found.sums.listed == sums_of(scene.a.keep.book).listed + sums_of(a2.keep.book).listed == 7
    )


def test_who_was_added_and_withdrawn_again_was_on_no_list(noted: Noted) -> None:
    """As there, and he whom no list had is withdrawn before the second one is made; another one is on it."""
    world = noted.world
    scene = Scene(noted)
    scene.play("list")
    noted.lose("A-1")
    scene.play("closed")
    add(world, 50, 51)
    number = died(world, ("A-1", 50))
    scene.play("settled copied")
    assert number
    a2 = opened(noted, "A-1", "a2")
    scene.machines.append(a2)
    scene.play("back again")
    found = sums_at(world.connection, POLL, "A-1")
    assert (
        found is not None and found.sums.listed == sums_of(scene.a.keep.book).listed + sums_of(a2.keep.book).listed == 7
    )


@pytest.mark.parametrize(("words", "listed"), [("withdrawn copied list", 5), ("copied list", 6)])
def test_a_journal_that_is_found_brings_the_list_back(noted: Noted, words: str, listed: int) -> None:
    """At the second mark; what was counted without it is what the package says."""
    scene = Scene(noted)
    scene.play(words)
    kept = noted.path.read_bytes()
    scene.play("back closed" + " withdrawn" * (listed == 6))
    before = sums_at(noted.world.connection, POLL, "A-1")
    noted.path.write_bytes(kept)
    noted.again()
    assert noted.hold()
    scene.play("again")
    assert noted.world.connection.scalar(sa.text("SELECT voters FROM pollbook_package WHERE station = 'A-1'")) == listed
    assert before is not None and before.sums.listed == listed
    assert sums_at(noted.world.connection, POLL, "A-1") == before


def test_lists_of_before_the_upgrade_are_counted_as_before(noted: Noted) -> None:
    """Since when they are known, older versions did not note (0041): the newest mark of then, whatever marks come."""
    scene = Scene(noted)
    scene.play("copied list back closed withdrawn")
    noted.world.connection.exec_driver_sql("ALTER TABLE pollbook_late_list DROP since")
    sql = files("dauys.store").joinpath("migrations/0041_forgotten_since.sql").read_text(encoding="utf-8")
    noted.world.connection.exec_driver_sql(sql)
    scene.play("again again")
    found = sums_at(noted.world.connection, POLL, "A-1")
    assert found is not None and found.sums.listed == 6
