"""After the centre was put back from a copy: who is struck on a lost machine's print, and does the list say that it may lack some?"""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from joined_world import POLL, VAULT, Machine, OneConnection, World, synced
from noted_world import Noted, opened, put_back
from test_put_back import RIGHTS, asks

from dauys.cli import pollbook as commands
from dauys.cli import pollbook_not_lost
from dauys.cli.main import tree
from dauys.pollbook.centre.mark import mark
from dauys.pollbook.centre.take import cursor
from dauys.pollbook.log.events import LogId
from dauys.pollbook.packing import packages as packing_out
from dauys.pollbook.paper.lost_list import left, lost_list, may_lack

pytestmark = pytest.mark.database
LOST = LogId(POLL, "A-1", 1)
KNOWN, UNKNOWN, FROM_ELSEWHERE = RIGHTS[0], RIGHTS[1], RIGHTS[3]


def used_elsewhere_and_put_back(world: World) -> tuple[Machine, Machine, Machine]:
    """Two voters of A-1 voted elsewhere since the copy; A-1 is lost, and only the station of one of them was heard."""
    home, first, second = (world.start(station) for station in ("A-1", "B-1", "A/2"))
    synced(home, first, second)
    copy = world.connection.begin_nested()
    asks(first, KNOWN, "q1")
    asks(second, UNKNOWN, "q2")
    synced(home, first, second)
    for machine, who in ((first, KNOWN), (second, UNKNOWN)):
        machine.check_in(who, world.now)
        synced(machine)
    copy.rollback()
    with world.connection.begin_nested():
        mark(cursor(world.connection), POLL, "anna says so", world.now)
    return home, first, second


def struck(world: World, lost: LogId = LOST) -> dict[str, str]:
    """Name and where his right is, of everybody on the strike list."""
    model = lost_list(world.connection, VAULT, world.poll, lost, "anna", world.now, to_strike=True)
    assert model["may_lack"] is may_lack(world.connection, lost)
    return {line["name"]: line["where"]["id"] or line["standing"] for line in model["lines"]}


def name(machine: Machine, who: UUID) -> str:
    voter = machine.keep.book.voters[who]
    return f"{voter.surname} {voter.given}"


def run(*args: str) -> str:
    command = ["pollbook", *args]
    return CliRunner().invoke(tree, command, standalone_mode=False, catch_exceptions=False).stdout


def test_a_list_that_may_lack_some_says_so(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    home, first, second = used_elsewhere_and_put_back(world)
    synced(first)
    for module in (commands, pollbook_not_lost):
        monkeypatch.setattr(module, "open_store", lambda: OneConnection(world.connection))
    monkeypatch.setattr(commands, "vault_of", lambda *_: VAULT)
    monkeypatch.setenv("DAUYS_HOME", str(tmp_path))
    said = json.loads(run("lost", POLL, "A-1", "--generation", "1", "--json"))
    assert (said["left"], said["may_lack"]) == (1, True)
    text = run("lost", POLL, "A-1", "--generation", "1")
    assert "1 right had left it. Strike them" in text and "put back from a copy and does not have all" in text
    assert f"not-lost {POLL} A-1 --nobody-by-hand NAME" in text
    out = ["--out", str(tmp_path / "list.html"), "--by", "anna"]
    for strike, lines in (("--strike", "1 line"), ("--json", '"lines": 6')):
        text = run("print", POLL, "A-1", *out, "--language", "en", strike)
        assert lines in text and (f"pollbook print {POLL} A-1 --strike --out" in text or '"may_lack": true' in text)
        assert "somebody may have left" in (tmp_path / "list.html").read_text("utf-8")
    assert struck(world) == {name(home, KNOWN): "B-1"}
    synced(second)
    assert struck(world) == {name(home, KNOWN): "B-1", name(home, UNKNOWN): "A/2"} and left(world.connection, LOST) == 2
    synced(home)  # it is found, and the centre has all of its log
    assert not may_lack(world.connection, LOST) and left(world.connection, LOST) == 2
    run("print", POLL, "A-1", *out, "--language", "en")
    assert "somebody may have left" not in (tmp_path / "list.html").read_text("utf-8")


def test_a_machine_lost_without_any_copy_lacks_nobody(world: World) -> None:
    home, first = world.start("A-1"), world.start("B-1")
    asks(first, KNOWN, "q1")
    synced(home, first)
    packing_out.lose(world.connection, POLL, "A-1")
    assert struck(world) == {name(home, KNOWN): "B-1"}
    assert left(world.connection, LOST) == 1 and not may_lack(world.connection, LOST)
    second = world.start("A-1")
    packing_out.lose(world.connection, POLL, "A-1")
    assert left(world.connection, second.keep.log) == 0, "what its list never had did not leave it"


def test_who_came_from_elsewhere_and_left_again_is_struck_too(world: World) -> None:
    """His right is of B-1, stood on A-1's print since it came, and is at A/2 now: neither home nor holder is A-1."""
    home, first, second = (world.start(station) for station in ("A-1", "B-1", "A/2"))
    who = first.voters[0]
    asks(home, who, "q1")
    synced(first, home)
    asks(second, who, "q2")
    synced(home, second)
    packing_out.lose(world.connection, POLL, "A-1")
    assert struck(world) == {name(first, who): "A/2"} and left(world.connection, LOST) == 1


def test_somebody_whose_addition_was_forgotten_may_be_missing_too(world: World) -> None:
    """A grant showed that he was added at this station; his name is not known until he is added again."""
    home = world.start("A-1")
    synced(home)
    packing_out.lose(world.connection, POLL, "A-1")
    added = "INSERT INTO entitlement (poll, id, home, holder, epoch, addition, voter, set_id) "
    added += "VALUES (:poll, :id, :home, 'station/B-1/1', 2, -1, :id, 0)"
    for n, (station, lacks) in enumerate((("B-1", False), ("A-1", True))):
        world.connection.execute(sa.text(added), {"poll": POLL, "id": UUID(int=n), "home": station})
        assert may_lack(world.connection, LOST) is lacks


@pytest.mark.parametrize("how", ["grant", "stray", "alarm"])
def test_whatever_says_that_a_right_is_elsewhere_is_enough(world: World, how: str) -> None:
    """By custody it is at A-1, unused; the centre's own grant, a use, or another log's receive says that it is at B-1."""
    home, other = world.start("A-1"), world.start("B-1")
    packing_out.lose(world.connection, POLL, "A-1")
    said = {
        "grant": "INSERT INTO pollbook_grant (poll, request, entitlement, epoch, receiver, why, at) "
        "VALUES (:poll, 'q', :who, 1, 'station/B-1/1', 'move', :at)",
        "stray": "INSERT INTO pollbook_stray SELECT poll, :who, id, 9 FROM pollbook_log WHERE poll = :poll AND station = 'B-1'",
        "alarm": "INSERT INTO pollbook_alarm (poll, log, n, entitlement, number, text, at) "
        "SELECT poll, id, 9, :who, 'P.105', 'x', :at FROM pollbook_log WHERE poll = :poll AND station = 'B-1'",
    }
    assert struck(world) == {} and other.voters
    world.connection.execute(sa.text(said[how]), {"poll": POLL, "who": KNOWN, "at": world.now})
    assert struck(world) == {name(home, KNOWN): "B-1"} and left(world.connection, LOST) == 1


SENT_NOTHING = {
    "kk": "Ол жібергеннен орталықта ештеңе жоқ",
    "ru": "Из присланного ею в центре ничего нет",
    "en": "The centre has nothing that it sent",
}


@pytest.mark.parametrize("lang", SENT_NOTHING)
def test_the_list_of_a_machine_that_only_the_journal_knows(
    noted: Noted, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lang: str
) -> None:
    """Enrolled since the copy, and burnt before it was heard again: its station goes on by hand, and the list says what it lacks."""
    world = noted.world
    noted.hold()
    copy = world.connection.begin_nested()
    opened(noted, "A-1", "a")
    put_back(noted, copy)
    noted.hold()
    noted.lose("A-1")
    monkeypatch.setattr(commands, "open_store", lambda: OneConnection(world.connection))
    monkeypatch.setattr(commands, "vault_of", lambda *_: VAULT)
    monkeypatch.setenv("DAUYS_HOME", str(tmp_path))
    out = ["--out", str(tmp_path / "list.html"), "--by", "anna", "--language", lang]
    for strike, lines in (((), 6), (("--strike",), 0)):
        said = json.loads(run("print", POLL, "A-1", *out, *strike, "--json"))
        assert (said["lines"], said["may_lack"]) == (lines, True)
        assert SENT_NOTHING[lang] in (tmp_path / "list.html").read_text("utf-8")
