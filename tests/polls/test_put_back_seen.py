"""Who sees that the centre was put back from a copy, and who vouches for which machines there are?"""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from joined_world import KEYS, POLL, VAULT, Machine, synced
from noted_world import Noted, lifted, opened
from test_put_back import RIGHTS, asks, custody
from test_put_back_lost import marked, missed

from dauys.cli import main, pollbook, pollbook_not_lost, pollbook_restored
from dauys.errors import BadInput
from dauys.pollbook.centre.mark import newest, standing
from dauys.pollbook.centre.take import cursor
from dauys.pollbook.machine import acts
from dauys.pollbook.put_back import restored
from dauys.pollbook.rules.places import CustodyError

pytestmark = pytest.mark.database

WHO = RIGHTS[0]
"""A voter of A-1."""


def forgotten_use(noted: Noted, *stations: str) -> list[Machine]:
    """Since the copy B-1 was given a right ahead of A-1's list, and used it; the copy is back, and nobody has looked yet."""
    world = noted.world
    machines = [opened(noted, station, station[-1]) for station in stations]
    b = machines[-1]
    noted.hold()
    copy = world.connection.begin_nested()
    asks(b, WHO, "q1")
    synced(*machines, b, b)
    b.check_in(WHO, world.at(9, 5))
    synced(b)
    noted.hold()
    copy.rollback()
    noted.again()
    return machines


def test_a_word_of_the_copy_is_not_believed_when_the_centre_starts(noted: Noted) -> None:
    world = noted.world
    a, b, c = (world.start(station) for station in ("A-1", "B-1", "A/2"))
    synced(a, b, c)
    marked(world)
    synced(b)
    copy = world.connection.begin_nested()
    synced(a, c)
    lifted(world)
    asks(b, WHO, "q1")
    synced(a, b, a, b)
    b.check_in(WHO, world.at(9, 5))
    synced(b)
    copy.rollback()
    cur = cursor(world.connection)
    before = newest(cur, POLL)
    restored.begins(world.connection, POLL)
    assert newest(cur, POLL) != before and standing(cur, POLL) is not None
    synced(a, c)
    assert [str(log) for log in restored.unheard(cur, POLL)] == [f"{POLL} station/B-1/1"]


def test_a_journal_that_was_put_back_too_does_not_say_which_machines_there_are(noted: Noted) -> None:
    world = noted.world
    a, c = opened(noted, "A-1", "a"), opened(noted, "A/2", "c")
    package = noted.package("B-1")
    noted.hold()
    copy, kept = world.connection.begin_nested(), noted.path.read_bytes()
    b = noted.machine(package, "b")
    b.do(acts.do_open, officer="chair", at=world.now)
    asks(b, WHO, "q1")
    synced(a, b, a, b)
    copy.rollback()
    noted.path.write_bytes(kept)
    noted.again()
    assert noted.hold() == "" and noted.mark is None
    synced(a, c)  # A-1 shows what was signed to it
    assert noted.mark is not None and noted.mark.blind
    with pytest.raises(BadInput, match="no other machine was enrolled"):
        lifted(world)


def test_events_that_never_came_back_are_not_passed_over(noted: Noted) -> None:
    world = noted.world
    a, b = opened(noted, "A-1", "a"), opened(noted, "B-1", "b")
    noted.hold()
    copy = world.connection.begin_nested()
    for number in range(3):
        a.check_in(RIGHTS[number], world.at(9, 5))
    synced(a)
    noted.hold()
    copy.rollback()
    noted.again()
    assert noted.hold() and noted.mark is not None and noted.mark.counted > 0
    b.check_in(RIGHTS[9], world.at(9, 30))  # others go on
    b.check_in(RIGHTS[10], world.at(9, 31))
    b.check_in(RIGHTS[11], world.at(9, 32))
    synced(b)
    # A-1's disk was put back as well: it says that the copy has all of it
    log = "UPDATE pollbook_log SET sound = true WHERE poll = %s AND station = 'A-1'"
    cursor(world.connection).execute(log, (POLL,))
    with pytest.raises(BadInput, match="was the disk of one put back"):
        lifted(world)
    word = "its last check-ins are on the print"
    assert lifted(world, word) == 0


def test_events_that_came_back_are_not_asked_for(noted: Noted) -> None:
    world = noted.world
    a, b = opened(noted, "A-1", "a"), opened(noted, "B-1", "b")
    noted.hold()
    copy = world.connection.begin_nested()
    a.check_in(WHO, world.at(9, 5))
    synced(a)
    noted.hold()
    copy.rollback()
    noted.again()
    assert "events" in noted.hold()
    synced(a, b)
    assert lifted(world) == 0 and custody(world, WHO) == ("station/A-1/1", 0, 1)


def test_a_package_of_before_anybody_knew_is_refused(noted: Noted) -> None:
    world = noted.world
    (b,) = forgotten_use(noted, "B-1")
    package = noted.package("A-1")  # as a program that looks at this station alone
    assert noted.mark is None and noted.hold() != ""
    synced(b)
    assert lifted(world) == 0 and custody(world, WHO)[0] == "station/B-1/1"
    noted.machine(package, "a")
    assert noted.logs() == [("B-1", 1, False)]
    assert len(opened(noted, "A-1", "again").voters) == 5


@pytest.mark.parametrize("command", ["packages", "lost"])
def test_the_first_command_after_a_copy_was_put_back_sees_it(
    noted: Noted, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = noted.world
    forgotten_use(noted, "A/2", "B-1")
    for module in (pollbook, pollbook_not_lost):
        monkeypatch.setattr(module, "open_store", lambda: noted.engine)
        monkeypatch.setattr(module, "journal", lambda: noted.journal)
    monkeypatch.setattr(pollbook, "keys_of", lambda poll, folder: KEYS)
    monkeypatch.setattr(pollbook, "vault_of", lambda *_: VAULT)
    out = ["--out", str(world.folder / "out"), "--station", "A-1", "--trial", "--at", world.now.isoformat()]
    args = [command, POLL, *(out if command == "packages" else ["B-1"])]
    done = CliRunner().invoke(main.tree, ["pollbook", *args], standalone_mode=False)
    assert noted.mark is not None and not noted.mark.blind
    if command == "packages":
        assert isinstance(done.exception, CustodyError) and done.exception.check == "P.090"
    else:
        assert done.exception is None and missed(world) == ["B-1"]


def test_what_only_a_person_says_no_journal_vouches_for(noted: Noted, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(noted, "A-1", "a")
    monkeypatch.setattr(pollbook_restored, "open_store", lambda: noted.engine)
    monkeypatch.setattr(pollbook_restored, "journal", lambda: noted.journal)
    args = ["pollbook", "restored", POLL, "--mark", "--by", "anna", "--json"]
    done = CliRunner().invoke(main.tree, args, standalone_mode=False)
    assert json.loads(done.stdout)["journal"] is False and noted.mark is not None and noted.mark.blind


def test_whose_rights_stay_in_doubt_is_said(noted: Noted, monkeypatch: pytest.MonkeyPatch) -> None:
    world = noted.world
    a, _ = opened(noted, "A-1", "a"), opened(noted, "B-1", "b")
    noted.hold()
    marked(world)
    noted.lose("B-1")
    synced(a)
    for module in (pollbook, pollbook_restored):
        monkeypatch.setattr(module, "open_store", lambda: noted.engine)
        monkeypatch.setattr(module, "journal", lambda: noted.journal)
    monkeypatch.setattr(pollbook, "keys_of", lambda poll, folder: KEYS)
    monkeypatch.setattr(pollbook, "vault_of", lambda *_: VAULT)

    def said(*args: str) -> str:
        return CliRunner().invoke(main.tree, ["pollbook", *args], standalone_mode=False, catch_exceptions=False).stdout

    assert "in doubt stay 3 rights, until lost machines are found, of the voters of A/2 3" in said(
        "restored", POLL, "--lift", "--by", "anna"
    )
    assert json.loads(said("restored", POLL, "--json"))["doubts"] == [{"station": "A/2", "rights": 3}]
    out = ["--out", str(world.folder / "out"), "--station", "A/2", "--trial", "--at", world.now.isoformat()]
    assert "until lost machines are found: A/2 3\n" in said("packages", POLL, *out)


def test_a_copy_of_while_the_mark_stood_is_seen_by_what_was_signed_since(noted: Noted) -> None:
    """The whole folder was put back, the journal, too."""
    world = noted.world
    a, c = opened(noted, "A-1", "a"), opened(noted, "A/2", "c")
    package = noted.package("B-1")
    noted.hold()
    marked(world)
    copy, kept = world.connection.begin_nested(), noted.path.read_bytes()
    synced(a, c)
    lifted(world)
    world.at(9, 3)
    b = noted.machine(package, "b")
    asks(b, WHO, "q1")
    synced(a, b, a, b)
    copy.rollback()
    noted.path.write_bytes(kept)
    noted.again()
    restored.begins(world.connection, POLL)
    assert noted.hold() == "" and noted.mark is not None and not noted.mark.blind
    synced(a, c)
    assert noted.mark.blind
    with pytest.raises(BadInput, match="no other machine was enrolled"):
        lifted(world)


def test_the_first_word_of_a_person_is_not_called_a_second(noted: Noted, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--mark`, whose own look into the journal marks the poll."""
    forgotten_use(noted, "B-1")
    monkeypatch.setattr(pollbook_restored, "open_store", lambda: noted.engine)
    monkeypatch.setattr(pollbook_restored, "journal", lambda: noted.journal)
    command = ["pollbook", "restored", POLL, "--mark", "--by", "anna", "--at", noted.world.now.isoformat()]
    first, second = (CliRunner().invoke(main.tree, command, standalone_mode=False).stdout for _ in range(2))
    assert "marked already" not in first and "marked already" in second
