"""Provisional envelopes at the centre: resolved once, by the stated rule, each a use of its right, in the record."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from joined_faults import bundle_of, failed
from joined_world import KEYS, POLL, VAULT, VOTING, Machine, OneConnection, World, applied, rows, world_of
from test_paper_and_withdrawals import duplicate, right
from test_pollbook_join import protocol, replayed

from dauys.cli import pollbook as office
from dauys.cli import pollbook_status
from dauys.cli.main import tree
from dauys.errors import DauysError
from dauys.law.packs import load_form
from dauys.pollbook.gathered.audit import audit_poll
from dauys.pollbook.gathered.states import alarms
from dauys.pollbook.gathered.sums import sums_at
from dauys.pollbook.machine import acts, ballot_acts
from dauys.pollbook.packing import packages as packing_out
from dauys.pollbook.rules.sums import Sums, check_book, check_protocol
from dauys.pollbook.settling import additions, withdrawals
from dauys.pollbook.settling.envelopes import totals
from dauys.pollbook.station.book_sums import sums_of
from dauys.polls.declaring import declare
from dauys.polls.pollbook_join import envelopes, resolve_envelopes
from dauys.polls.pollbook_protocols import to_correct
from dauys.publish.bundle import write_bundle
from dauys.record import log
from dauys.roll.freeze import add_set

pytestmark = pytest.mark.database
BY_TWO = ("anna", "boris")


@pytest.fixture
def world(connection: sa.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setitem(VOTING, "envelope", {"on": True, "two": "none", "cite": "Pilot 2"})
    with world_of(connection, tmp_path, {"A-1": 6, "A/2": 4, "B-1": 3}) as made:
        yield made


def leave(world: World, machine: Machine, number: int, who: UUID | None) -> None:
    machine.do(acts.do_envelope, UUID(int=number), reason="no answer", officer="member1", at=world.now, who=who)


def close(world: World, *machines: Machine) -> None:
    for machine in machines:
        machine.do(acts.do_close, officer="chair", at=world.at(20))
    for machine in machines:
        while machine.link.once():
            pass


def resolved(world: World, final: bool = False) -> int:
    return resolve_envelopes(world.connection, world.poll, KEYS.commission, world.now, BY_TWO if final else ())


def stands(world: World) -> list[tuple[int, bool | None, str, bool]]:
    lines = envelopes(world.connection, world.poll).lines
    return [(line.at.id.int, line.counts, line.check, line.decided is not None) for line in lines]


def held(world: World, who: UUID) -> tuple[str, int]:
    row = world.connection.execute(sa.text("SELECT holder, state FROM entitlement WHERE id = :who"), {"who": who}).one()
    return row.holder, row.state


def entries(world: World) -> list[tuple[str, dict[str, Any]]]:
    return [(entry.id, dict(entry.body)) for _, entry in log.of_kind(world.connection, POLL, "envelopes")]


def five_lie(world: World) -> tuple[Machine, Machine, Machine]:
    """Voters of A-1 left envelopes elsewhere: one alone, one who then voted at home, one twice, and somebody unknown."""
    home, second, third = (world.start(name) for name in ("A-1", "A/2", "B-1"))
    world.at(9)
    leave(world, third, 1, home.voters[0])
    leave(world, third, 2, home.voters[1])
    leave(world, second, 3, home.voters[2])
    leave(world, third, 4, home.voters[2])
    leave(world, third, 5, None)
    home.check_in(home.voters[1], world.at(10))
    for machine in (home, second, third):
        while machine.link.once():
            pass
    return home, second, third


def test_envelopes_wait_for_every_log_and_are_resolved_once(world: World) -> None:
    home, second, third = five_lie(world)
    who = home.voters[0]
    assert resolved(world) == 0 and entries(world) == []
    assert stands(world) == [
        (3, False, "P.062", False), (1, None, "P.063", False), (2, False, "P.061", False), (4, False, "P.062", False),
        (5, None, "P.060", False),
    ]  # fmt: skip
    close(world, second, third)
    assert resolved(world) == 0 and held(world, who) == ("station/A-1/1", 0)  # the holder may still check him in
    close(world, home)
    assert resolved(world) == 4 and resolved(world) == 0
    assert [line[1:] for line in stands(world)] == [
        (False, "P.062", True), (True, "P.065", True), (False, "P.061", True), (False, "P.062", True),
        (None, "P.060", False),
    ]  # fmt: skip
    assert held(world, who) == ("envelope/B-1/1", 1) and held(world, home.voters[2]) == ("station/A-1/1", 0)
    (first, there), (_, here) = sorted(entries(world))
    assert (first, there["used"], list(there["refused"])) == ("envelopes/A/2/1", 0, ["P.062"])
    assert (here["used"], len(here["counted"]), sorted(here["refused"])) == (1, 1, ["P.061", "P.062"])
    assert here["rule"] == {"two": "none", "cite": "Pilot 2"} and not here["final"]
    text = json.dumps(entries(world))
    assert all(str(voter) not in text and voter.hex not in text for voter in home.voters)
    assert resolved(world, final=True) == 1  # nobody is found for the last one
    assert totals(world.connection, POLL) == {"taken": 5, "resolved": 5, "counted": 1}
    assert entries(world)[-1][0] == "envelopes/B-1/2" and replayed(world) == []
    found = sums_at(world.connection, POLL, "B-1")
    assert found is not None and (found.sums.received, found.sums.envelopes, found.sealed) == (1, 0, 1)
    assert (found.sums.enclosed, found.sums.members["member1"].issued) == (
        3,
        4,
    )  # what does not count was handed out, too


def test_ballots_in_envelopes_are_their_members_at_the_station_and_at_the_centre(world: World) -> None:
    """Four envelopes at one table: what the centre adds up is what the station does, and nothing is missing before and after."""
    home, second, third = five_lie(world)
    third.do(ballot_acts.do_ballots, "delivered", 9, officer="chair", at=world.at(10))
    third.do(ballot_acts.do_ballots, "handed-to-member", 5, officer="chair", at=world.at(10), member="member1")
    third.check_in(third.voters[0], world.at(10))
    third.do(ballot_acts.do_ballots, "cancelled", 4, officer="chair", at=world.at(10))
    close(world, home, second, third)
    found = sums_at(world.connection, POLL, "B-1")
    assert found is not None and found.sums == sums_of(third.keep.book)
    assert (found.sums.received, found.sums.enclosed) == (1, 4) and [one.check for one in check_book(found.sums)] == [
        "B.203"
    ]
    assert in_its_form(found.sums) == []  # while they wait ...
    sent = protocol(world, "B-1", **found.sums.fields, participated=1, yes=1, no=0)
    assert (sent.state, sent.checks) == ("accepted", ("B.203", "W.110"))
    assert to_correct(world.connection, POLL, ["A-1", "B-1"]) == []
    assert resolved(world, final=True) == 5
    found = sums_at(world.connection, POLL, "B-1")
    assert found is not None and (found.sums.received, found.sums.enclosed) == (2, 3)
    assert check_protocol(found.sums, found.sums.fields, found.sealed) == []
    assert in_its_form(found.sums) == []  # ... and when one counts, and three do not
    assert to_correct(world.connection, POLL, ["A-1", "B-1"]) == ["B-1"]  # its protocol came before
    cancelled = found.sums.fields | {"cancelled": found.sums.cancelled}
    assert [one.check for one in check_protocol(found.sums, cancelled)] == ["B.104"]


def in_its_form(sums: Sums) -> list[str]:
    """The identities about ballots handed out that the protocol breaks which is filled from the pollbook alone."""
    of = {one.number: one.relation for one in load_form("kz/referendum-protocol").identities}
    return [number for number in ("F.103", "F.104") if not of[number].holds(sums.fields)]


def test_a_right_that_somebody_may_have_used_does_not_count_and_one_that_counted_is_used(world: World) -> None:
    home, third = world.start("A-1"), world.start("B-1")
    lost, away = home.voters[0], home.voters[1]
    third.link.wire.question("ask", {"request": "r1", "entitlement": str(away)})
    for machine in (home, home, third):
        while machine.link.once():
            pass
    assert held(world, away)[0] == "station/B-1/1"
    world.at(9)
    other = world.start("A/2")
    leave(world, other, 1, lost)
    leave(world, other, 2, away)
    packing_out.lose(world.connection, POLL, "A-1")
    close(world, third, other)
    assert resolved(world) == 0
    with pytest.raises(DauysError, match="too early"):
        resolve_envelopes(world.connection, world.poll, KEYS.commission, world.now - timedelta(hours=1), BY_TWO)
    assert resolved(world, final=True) == 2
    assert [line[1:3] for line in stands(world)] == [(False, "P.064"), (True, "P.065")]
    assert held(world, lost) == ("station/A-1/1", 0) and held(world, away) == ("envelope/A/2/1", 1)
    home.check_in(lost, world.now)  # its disk is found: no second use of that right
    home.link.once()
    assert held(world, lost) == ("station/A-1/1", 1) and alarms(world.connection, POLL) == []
    taken = "UPDATE entitlement SET holder = 'envelope/A/2/1', state = 1 WHERE id = :who"  # had it been given too early
    world.connection.execute(sa.text(taken), {"who": home.voters[2]})
    with pytest.raises(acts.Refused, match=r"P\.087"):  # it has heard that it was declared lost
        home.check_in(home.voters[2], world.now)
    home.keep.book.lost = False  # had it not
    home.check_in(home.voters[2], world.now)
    home.link.once()
    assert {alarm.number for alarm in alarms(world.connection, POLL)} == {"P.101", "P.102"}


def test_a_right_that_is_asked_back_counts_for_no_envelope(world: World) -> None:
    """Somebody on the roll twice used one right; the other one's station could not be asked in time."""
    home, third = world.start("A-1"), world.start("B-1")
    twin = third.voters[0]
    assert twin == right(11)
    third.check_in(right(12), world.at(9))
    number = duplicate(world, goes=1, stays=11)
    withdrawals.withdraw_set(world.connection, VAULT, world.poll, number, "twice on the roll", "anna", world.now)
    leave(world, third, 1, right(1))
    leave(world, third, 2, right(2))
    close(world, home, third)  # the list of A-1 closes without having heard
    assert resolved(world) == 2
    assert [line[1:3] for line in stands(world)] == [(False, "P.056"), (True, "P.065")]
    assert held(world, right(1)) != ("envelope/B-1/1", 1)


def test_the_audit_tells_every_story_again_from_the_logs_of_the_centre(world: World) -> None:
    number = applied(world.connection, rows({"B-1": 1}, first=50), world.at(8))
    add_set(world.connection, VAULT, world.poll, number, "address proved", KEYS.commission, world.now, additions)
    home, third = world.start("A-1"), world.start("B-1")
    world.at(9)
    moved = home.voters[1]
    third.link.wire.question("ask", {"request": "r1", "entitlement": str(moved)})
    for machine in (home, home, third):
        while machine.link.once():
            pass
    third.check_in(moved, world.now)
    for who in (*home.voters[2:4], *third.voters[3:]):
        (home if who in home.voters else third).check_in(who, world.now)
    undone = home.check_in(home.voters[4], world.now)
    home.do(acts.do_undo, undone.n, reason="wrong person", officer="member1", at=world.now)
    leave(world, third, 1, home.voters[0])
    close(world, home, third)
    assert resolved(world) == 1

    def findings(at_once: int) -> tuple[int, list[str]]:
        told = list(audit_poll(world.connection, POLL, at_once))
        return sum(many for many, _ in told), sorted(one.check for _, some in told for one in some)

    assert findings(10**6) == findings(2) == (14, [])
    envelope = "UPDATE pollbook_envelope SET entitlement = :who WHERE counts"  # as if it had used what was used at home
    world.connection.execute(sa.text(envelope), {"who": home.voters[2]})
    world.connection.execute(sa.text("UPDATE entitlement SET home = 'B-1' WHERE id = :who"), {"who": home.voters[3]})
    assert findings(10**6) == findings(2) == (14, ["P.101", "P.102"])


def test_a_package_that_was_never_heard_of_is_waited_for(world: World) -> None:
    home = world.start("A-1")
    world.packed("B-1")
    world.at(9)
    other = world.start("A/2")
    leave(world, other, 1, home.voters[0])
    close(world, home, other)
    assert resolved(world) == 0
    assert [log.holder for log in envelopes(world.connection, world.poll).missing] == ["station/B-1/1"]
    packing_out.lose(world.connection, POLL, "B-1")  # void: nobody has enrolled with it
    assert resolved(world) == 1 and stands(world)[0][2] == "P.065"


def test_the_commands_resolve_envelopes_and_audit_the_logs(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (office, pollbook_status):
        monkeypatch.setattr(module, "open_store", lambda: OneConnection(world.connection))
    monkeypatch.setattr(office, "keys_of", lambda poll, folder: KEYS)
    monkeypatch.setattr(office, "data_folder", lambda: tmp_path)
    monkeypatch.setenv("DAUYS_HOME", str(tmp_path))

    def said(*args: str, code: int = 0) -> dict[str, Any]:
        done = CliRunner().invoke(tree, ["pollbook", *args, "--json"], standalone_mode=False)
        assert done.exception is None and done.return_value == code, done.exception
        return dict(json.loads(done.stdout))

    machines = five_lie(world)
    at = ("--at", world.at(21).isoformat())
    look = said("envelopes", POLL, "--look", *at)
    assert (look["envelopes"], look["resolved"], look["missing_logs"]) == (5, 0, 3)
    assert [(line["counts"], line["check"]) for line in look["lines"]][1] == (None, "P.063")
    close(world, *machines)
    assert [said("envelopes", POLL, *at)["now"] for _ in range(2)] == [4, 0]
    done = said("envelopes", POLL, "--final", "--by", *BY_TWO, "--at", world.at(21).isoformat())
    assert (done["now"], done["resolved"], done["counted"], done["lines"][1]["entry"]) == (1, 5, 1, "envelopes/B-1/1")
    assert "voters" not in json.dumps(done) and str(machines[0].voters[0]) not in json.dumps(done)
    status = said("status", POLL, *at)
    assert (status["envelopes"]["counted"], status["steps"]) == (1, {"closed": 3})
    assert said("audit", POLL) == {"poll": POLL, "rights": 13, "findings": []}
    shown = CliRunner().invoke(tree, ["pollbook", "envelopes", POLL, "--look", *at], standalone_mode=False)
    assert (
        "5 envelopes: 5 resolved, 1 of them count" in shown.stdout
        and "counts: P.065 The envelope counts" in shown.stdout
    )
    both = CliRunner().invoke(tree, ["pollbook", "envelopes", POLL, "--look", "--final"], standalone_mode=False)
    assert isinstance(both.exception, DauysError)


Lie = Callable[[dict[str, Any]], Any]
FAULTS: dict[str, Lie] = {
    "one more counts": lambda body: body.update(used=body["used"] + 1),
    "another order": lambda body: body["refused"]["P.061"].extend(["0" * 64]),
    "an envelope twice": lambda body: body["refused"].update({"P.062": body["counted"]}),
    "no such reason": lambda body: body["refused"].update({"P.999": body["refused"].pop("P.061")}),
    "a rule that is none": lambda body: body["rule"].update(two="both"),
    "a station that is not there": lambda body: body.update(station="C-9"),
    "more votes than voters": lambda body: body.update(
        counted=sorted(f"{n:064x}" for n in range(20)), used=20
    ),
}  # fmt: skip


def test_both_verifiers_know_envelopes_and_find_every_planted_fault(world: World, tmp_path: Path) -> None:
    home, third = world.start("A-1"), world.start("B-1")
    world.at(9)
    leave(world, third, 1, home.voters[0])
    leave(world, third, 2, home.voters[1])
    home.check_in(home.voters[1], world.at(10))
    close(world, home, third)
    resolved(world)
    protocol(world, "A-1")
    protocol(world, "B-1")
    declare(world.connection, world.poll, KEYS, "final", world.at(22), close=True)
    with pytest.raises(DauysError, match="is closed"):
        resolved(world)
    log.sign_checkpoint(world.connection, POLL, KEYS.log)
    write_bundle(world.connection, POLL, KEYS, world.folder / "bundle")
    assert failed(bundle_of(world, tmp_path / "untouched", lambda body: None, "envelopes")) == (set(), set())
    for number, (fault, change) in enumerate(FAULTS.items()):
        ours, theirs = failed(bundle_of(world, tmp_path / str(number), change, "envelopes"))
        assert ours & {"V.14", "V.05"} and "V.14" in theirs, fault
