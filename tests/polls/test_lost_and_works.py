"""A machine is declared lost, that is taken back, and it is lost all the same: which word was the last, after a copy was put back?"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from joined_world import POLL, Machine, world_of
from noted_world import Noted
from test_put_back import RIGHTS, asks, custody, numbers, synced

from dauys.cli import pollbook_not_lost
from dauys.cli.main import tree
from dauys.errors import DauysError
from dauys.pollbook.centre.mark import mark
from dauys.pollbook.centre.take import cursor
from dauys.pollbook.log.events import LogId
from dauys.pollbook.machine import acts
from dauys.pollbook.packing import packages as packing_out
from dauys.pollbook.put_back import restored
from dauys.pollbook.put_back.doubts import in_doubt
from dauys.pollbook.put_back.journal import Facts, Line
from dauys.record.canonical import canonical
from dauys.store.engine import Connection

pytestmark = pytest.mark.database


class Told(Noted):
    """What is said of machines, through a journal."""

    def works(self, station: str) -> None:
        with self.journal.acting(self.engine, POLL, station, self.world.now) as connection:
            packing_out.not_lost(connection, POLL, station, self.world.now, "anna", "anna")

    def opened(self, station: str, where: str) -> Machine:
        machine = self.machine(self.package(station), where)
        machine.do(acts.do_open, officer="chair", at=self.world.now)
        synced(machine)
        return machine

    def lift(self) -> int:
        restored.lift(self.world.connection, POLL, "anna", self.world.now)
        return sum(in_doubt(cursor(self.world.connection), POLL).values())

    def unheard(self) -> list[str]:
        return [f"{log.station}/{log.generation}" for log in restored.unheard(cursor(self.world.connection), POLL)]

    def lines(self) -> list[Line]:
        return [json.loads(line) for line in self.path.read_bytes().splitlines()]

    def lines_of(self, what: str) -> list[Line]:
        return [line for line in self.lines() if line["what"] == what]

    def last(self) -> int:
        """How often the journal has that a machine was lost, or was not, by its last line of that."""
        return self.words()[-1]

    def words(self) -> list[int]:
        """Of all its lines of that."""
        return [int(line.get("changes", 0)) for line in self.lines() if line["what"] in ("lost", "works")]

    def row(self, station: str) -> tuple[bool, int, bool]:
        query = sa.text("SELECT lost, lost_changes, missed FROM pollbook_log WHERE poll = :poll AND station = :station")
        asked = {"poll": POLL, "station": station}
        lost, changes, missed = self.world.connection.execute(query, asked).one()
        return lost, changes, missed


@pytest.fixture
def told(connection: Connection, tmp_path: Path) -> Iterator[Told]:
    with world_of(connection, tmp_path, {"A-1": 6, "A/2": 3, "B-1": 4}) as world:
        world.at(9)
        made = Told(world, tmp_path / "keys" / "pollbook.journal")
        made.hold()
        yield made


@pytest.mark.parametrize("given_up", [False, True])
def test_a_copy_in_which_it_is_lost_waits_for_a_machine_that_worked_since(told: Told, given_up: bool) -> None:
    """It had been lost by a slip, and that was taken back, before: of sets of facts nothing is new."""
    a, b, c = (told.opened(station, where) for station, where in (("A-1", "a"), ("B-1", "b"), ("A/2", "c")))
    who = RIGHTS[0]
    told.lose("B-1")
    told.works("B-1")
    told.lose("B-1")
    copy = told.world.connection.begin_nested()
    told.works("B-1")
    asks(b, who, "q1")
    synced(a, b, a, b)
    b.check_in(who, told.world.at(9, 5))
    synced(b)
    if given_up:
        told.lose("B-1")
    copy.rollback()
    told.again()
    assert f"B-1/1 {'lost' if given_up else 'works'}" in told.hold()
    assert told.row("B-1") == ((True, 5, True) if given_up else (False, 4, False))
    synced(a, c)
    if given_up:
        assert told.unheard() == [] and told.lift() > 0
        synced(a)
        asks(c, who, "q2")
        synced(c, c)
        assert who not in c.keep.book.places
        synced(b, b)  # its disk is found
    else:
        with pytest.raises(DauysError, match="B-1/1"):
            told.lift()
        synced(b, b, a)
        assert told.lift() == 0
    assert custody(told.world, who) == ("station/B-1/1", 1, 1)
    assert not {"P.101", "P.102", "P.105"} & set(numbers(told.world))


def test_a_machine_that_was_lost_by_a_slip_and_then_burnt_is_waited_for_by_nobody(told: Told) -> None:
    told.opened("A-1", "a")
    b = told.opened("B-1", "b")
    copy = told.world.connection.begin_nested()
    told.lose("A-1")
    told.works("A-1")
    told.lose("A-1")
    second = told.opened("A-1", "a2")
    copy.rollback()
    told.again()
    assert told.hold() and told.logs() == [("A-1", 1, True), ("A-1", 2, False), ("B-1", 1, False)]
    synced(second, b)
    assert told.unheard() == []
    with pytest.raises(DauysError, match=r"machine 2 of station A-1 was heard .* would be shut out.* --generation 2"):
        told.lose("A-1")
    told.lift()
    assert told.hold() == "" and told.mark is None
    with pytest.raises(DauysError, match="machine 1 of station A-1 stays lost: its next machine is enrolled"):
        told.works("A-1")


def test_lines_of_before_they_were_counted(told: Told) -> None:
    """Each stood once there, the third not at all: the later machine says what the last word was."""
    told.opened("A-1", "a")
    copy = told.world.connection.begin_nested()
    for act in (told.lose, told.works, told.lose):
        act("A-1")
    told.opened("A-1", "a2")
    copy.rollback()
    old = [line for line in told.lines() if line.pop("changes", 0) < 3]
    told.path.write_bytes(b"".join(canonical(line) + b"\n" for line in old))
    told.again()
    assert "A-1/1 works" in told.hold() and told.logs() == [("A-1", 1, True), ("A-1", 2, False)]
    assert told.hold() == "" and told.last() == 3


def test_that_a_machine_works_is_written_before_anybody_can_give_it_a_right(told: Told) -> None:
    told.opened("A-1", "a")
    told.lose("A-1")
    at_commit: list[tuple[str, bool]] = []

    class Watched:
        @contextmanager
        def begin(self) -> Iterator[sa.Connection]:
            with one.begin() as connection:
                yield connection
                at_commit.append((told.lines()[-1]["what"], told.row("A-1")[0]))

    one, told.engine = told.engine, cast(sa.Engine, Watched())
    told.works("A-1")
    assert ("works", False) in at_commit and ("works", True) not in at_commit


def test_the_power_goes_before_a_loss_is_written(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody was told of it; what holds the journal next writes it."""
    told.opened("A-1", "a")

    def dead(poll: str, lines: Sequence[Line]) -> Facts:
        if any(line["what"] == "lost" for line in lines):
            raise OSError("no power")
        return append(poll, lines)

    append = told.journal._append
    monkeypatch.setattr(told.journal, "_append", dead)
    with pytest.raises(OSError, match="no power"):
        told.lose("A-1")
    told.again()
    assert told.words() == []
    assert told.hold() == "" and told.mark is None and told.last() == 1


def test_the_power_goes_before_a_commit_of_what_is_written(told: Told) -> None:
    """It is taken for a copy that was put back: the machine is waited for, which costs time."""
    told.opened("A-1", "a")
    told.lose("A-1")

    class Dead:
        acts = 0

        @contextmanager
        def begin(self) -> Iterator[sa.Connection]:
            with one.begin() as connection:
                yield connection
                self.acts += 1
                if self.acts == 2:
                    raise OSError("no power")

    one, told.engine = told.engine, cast(sa.Engine, Dead())
    with pytest.raises(OSError, match="no power"):
        told.works("A-1")
    told.engine = one
    told.again()
    assert told.row("A-1")[0] and "A-1/1 works" in told.hold() and told.unheard() == ["A-1/1"]
    told.lose("A-1")
    assert told.row("A-1") == (True, 3, True) and told.hold() == ""


@pytest.mark.parametrize("seed", range(3))
def test_two_journals_and_a_copy_agree_on_the_last_word(told: Told, seed: int) -> None:
    """Each knows what it wrote, and what it saw; at any moment a copy is put back."""
    dice, station = random.Random(seed), "B-1"
    told.opened(station, "b")
    both = [told, Told(told.world, told.path.with_name("other"))]
    copy = told.world.connection.begin_nested()
    for one in both:
        one.hold()
    said = 0
    for _ in range(dice.randrange(2, 9)):
        if dice.random() < 0.25 and copy.is_active:
            copy.rollback()
            copy = told.world.connection.begin_nested()
            for one in dice.sample(both, 2):
                one.again()
                one.hold()
            lifted = "UPDATE pollbook_restored SET lifted = at WHERE poll = :poll"
            told.world.connection.execute(sa.text(lifted), {"poll": POLL})
            told.world.connection.execute(sa.text("UPDATE pollbook_log SET missed = false"))
        at = dice.choice(both)
        (at.works if told.row(station)[0] else at.lose)(station)
        said += 1
        for one in both:
            assert dice.random() < 0.5 or one.hold() == ""
    if copy.is_active:
        copy.rollback()
    for one in (*both, *both):
        one.again()
        one.hold()
    assert told.row(station)[:2] == (said % 2 == 1, said)
    assert [one.last() for one in both] == [said, said]


def test_what_another_process_does_meanwhile_is_no_sign_of_a_copy(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between reading the journal and reading the database."""
    of, other = told.journal._of, iter([Told(told.world, told.path)])

    def read(poll: str, station: str | None = None) -> Facts:
        facts = of(poll, station)
        for one in other:
            one.package("B-1")
        return facts

    monkeypatch.setattr(told.journal, "_of", read)
    assert told.hold() == "" and told.mark is None and told.hold() == ""


def test_a_journal_vouches_when_the_others_have_been_held_too(told: Told) -> None:
    """What only another one knows is not passed over by lifting the mark before that one was looked at."""
    other, connection = Told(told.world, told.path.with_name("other")), told.world.connection
    other.hold()
    told.opened("A-1", "a")
    told.lose("A-1")
    assert [one.hold() for one in (told, other)] == ["", ""] and told.journal.vouches(connection, POLL)
    copy = connection.begin_nested()
    other.works("A-1")
    copy.rollback()
    mark(cursor(connection), POLL, "anna says so", told.world.now)
    assert told.hold() == "" and not told.journal.vouches(connection, POLL)
    assert "A-1/1 works" in other.hold() and told.unheard() == ["A-1/1"]
    assert told.journal.vouches(connection, POLL)


@settings(max_examples=30)
@given(st.lists(st.integers(1, 9), min_size=1, unique=True).flatmap(st.permutations))
def test_the_order_of_the_lines_says_nothing(changes: list[int]) -> None:
    facts = Facts()
    for n in changes:
        facts.learn({"what": "lost" if n % 2 else "works", "station": "A-1", "generation": 1, "changes": n})
    newest = max(changes)
    kind = "lost" if newest % 2 else "works"
    assert facts.beyond(Facts()) == [{"what": kind, "station": "A-1", "generation": 1, "changes": newest}]
    assert facts.of("A-1").beyond(facts) == facts.of("B-1").beyond(facts) == []


def test_a_package_that_was_made_and_void_since_the_copy_marks_once(told: Told) -> None:
    copy = told.world.connection.begin_nested()
    told.package("A-1")
    told.lose("A-1")
    copy.rollback()
    told.again()
    assert "A-1/1 package" in told.hold() and told.hold() == ""


def test_which_machine_is_gone_is_asked_where_it_is_not_certain(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    told.opened("A-1", "a")
    told.lose("A-1")
    told.opened("A-1", "a2")
    wrong = sa.text("UPDATE pollbook_log SET lost = false WHERE poll = :poll")
    told.world.connection.execute(wrong, {"poll": POLL})  # as a journal of before left it
    monkeypatch.setattr(pollbook_not_lost, "open_store", lambda: told.engine)
    monkeypatch.setattr(pollbook_not_lost, "journal", lambda: told.journal)

    def lost(*args: str) -> Any:
        words = ["pollbook", "lost", POLL, "A-1", *args]
        return CliRunner().invoke(tree, words, standalone_mode=False)

    assert "machines 1, 2 of station A-1" in str(lost().exception) and told.logs()[1] == ("A-1", 2, False)
    assert "no machine 3: the newest is 2" in str(lost("--generation", "3").exception)
    assert "not-lost" in lost("--generation", "1").stdout
    assert told.logs() == [("A-1", 1, True), ("A-1", 2, False)]
    with pytest.raises(DauysError, match="machine 1 of station A-1 stays lost: its next machine is enrolled"):
        told.works("A-1")
    with pytest.raises(DauysError, match="no station 'A-9'"):
        told.lose("A-9")


def test_while_the_books_are_not_whole_only_a_silent_machine_is_lost_without_its_number(told: Told) -> None:
    a = told.opened("A-1", "a")
    told.package("A/2")
    mark(cursor(told.world.connection), POLL, "anna says so", told.world.now)
    synced(a)
    with pytest.raises(DauysError, match=r"heard since .* --generation 1"):
        told.lose("A-1")
    with pytest.raises(DauysError, match=r"none is known.* --generation 1"):
        told.lose("B-1")
    with pytest.raises(DauysError, match=r"nobody is known to have enrolled with package 1.* --generation 1"):
        told.lose("A/2")  # somebody may have, and who knows?
    with told.journal.acting(told.engine, POLL, "B-1", told.world.now) as connection:
        assert packing_out.lose(connection, POLL, "B-1", 1) == (LogId(POLL, "B-1", 1), "lost")
        assert packing_out.lose(connection, POLL, "A/2", 1) == (LogId(POLL, "A/2", 1), "lost")
        packing_out.lose(connection, POLL, "A-1", 1)
    for _ in range(2):
        with pytest.raises(DauysError, match=r"1 is lost already.* --generation 2"):
            told.lose("A/2")
    assert told.logs() == [(one, 1, True) for one in ("A-1", "A/2", "B-1")] and told.hold() == ""
    told.lift()
    told.works("A-1")  # it was heard
    assert told.row("A-1") == (False, 2, False)
