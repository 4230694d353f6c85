"""The pollbook and its poll: packages out of a frozen roll, sealed check-ins, turnout reports, protocols held against it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from joined_faults import FAULTS, bundle_of, failed
from joined_world import CONTEST, KEYS, POLL, VAULT, World, applied, rows, the_poll, world_of

from dauys.errors import BadInput, DauysError
from dauys.pollbook.gathered.states import Look, alarms, listed, whole
from dauys.pollbook.gathered.sums import sums_at
from dauys.pollbook.machine import acts, ballot_acts
from dauys.pollbook.packing import packages as packing_out
from dauys.pollbook.rules.channels import Ruling
from dauys.pollbook.rules.custody import CustodyError
from dauys.pollbook.sealed.commitment import code_of
from dauys.pollbook.serving import service
from dauys.pollbook.settling import additions
from dauys.pollbook.station.book_sums import sums_of
from dauys.pollbook.wire.package import unseal
from dauys.pollbook.wire.questions import Question
from dauys.polls import pollbook_find
from dauys.polls.declaring import declare
from dauys.polls.night import begin
from dauys.polls.pollbook_join import channels_of, late, report, reported, seal
from dauys.polls.pollbook_protocols import beside
from dauys.polls.replay import Fault, Replay
from dauys.polls.sources import Source
from dauys.publish.bundle import write_bundle
from dauys.record import log
from dauys.record.entry import Entry
from dauys.registers.poll_file import PollFile
from dauys.roll.freeze import add_set
from dauys.stations.batch import one
from dauys.stations.corrections import correct
from dauys.stations.intake import receive
from dauys.stations.ledger import Receipt
from dauys.stations.turnout import report_of

pytestmark = pytest.mark.database
VOTERS = {"A-1": 6, "A/2": 4, "B-1": 3}


@pytest.fixture
def world(connection: sa.Connection, tmp_path: Path) -> Iterator[World]:
    with world_of(connection, tmp_path, VOTERS) as world:
        yield world


def replayed(world: World) -> list[Fault]:
    """The faults of the record."""
    entries = [Entry.from_bytes(data) for _, data in log.read(world.connection, POLL)]
    replay = Replay()
    for seq, entry in enumerate(entries):
        replay.apply(seq, entry)
    replay.check_list()
    replay.check_identities()
    replay.check_roll()
    return replay.faults


def test_a_package_is_the_stations_list_and_nobody_elses(world: World) -> None:
    one = world.packed("A-1")
    package = unseal(one.data, one.code)
    assert len(package.voters) == one.voters == 6 and not any(voter.away for voter in package.voters)
    assert package.log.holder == "station/A-1/1" and list(package.stations) == ["A-1", "A/2"]
    assert package.channels["any-station"].pilot and package.channels["certificate"].state == "not-loaded"
    again = world.packed("A-1")
    assert again.log == one.log and again.code != one.code
    with pytest.raises(BadInput, match=r"P\.012|code"):
        unseal(again.data, one.code)
    with pytest.raises(DauysError, match="no station 'C-9'"):
        world.packed("C-9")
    mode = {
        path.suffix: path.stat().st_mode & 0o777
        for _, *paths in packing_out.write(world.folder, [one])
        for path in paths
    }
    assert mode == {".package": 0o644, ".code": 0o600}


def test_a_station_that_works_gets_no_other_package_until_it_is_lost(world: World) -> None:
    machine = world.start("A-1")
    with pytest.raises(DauysError, match="dauys pollbook lost"):
        world.packed("A-1")
    machine.check_in(machine.voters[0], world.at(9))
    machine.link.once()
    lost, state = packing_out.lose(world.connection, POLL, "A-1")
    assert (lost.generation, state) == (1, "lost")
    one = world.packed("A-1")
    assert one.log.generation == 2
    assert {voter.away for voter in unseal(one.data, one.code).voters} == {"station/A-1/1"}  # nobody's right moved
    assert packing_out.lose(world.connection, POLL, "A-1") == (one.log, "void")  # stolen before it was enrolled
    with pytest.raises(DauysError, match="no package yet"):
        packing_out.lose(world.connection, POLL, "B-1")


def test_check_ins_travel_are_sealed_and_found_by_their_code(world: World) -> None:
    machine = world.start("A/2")
    first, second = machine.voters[:2]
    codes = [code_of(bytes.fromhex(event.body["salt"]), who) for who in (first, second)
             for event in [machine.check_in(who, world.at(9))]]  # fmt: skip
    machine.link.once()
    assert pollbook_find.find(world.connection, POLL, codes[0]).to_json() == {
        "state": "waiting",
        "station": "A/2",
        "entry": "",
    }
    assert seal(world.connection, POLL, KEYS.commission, world.now) == 1
    machine.do(acts.do_undo, 3, reason="wrong person", officer="member1", at=world.at(9, 5))
    machine.link.once()
    assert seal(world.connection, POLL, KEYS.commission, world.now) == 1
    assert seal(world.connection, POLL, KEYS.commission, world.now) == 0
    found = [pollbook_find.find(world.connection, POLL, code) for code in codes]
    assert [(one.state, one.station) for one in found] == [("counted", "A/2"), ("undone", "A/2")]
    assert found[0].entry == "check-ins/A/2/1/3" and found[1].entry == "check-ins/A/2/1/4"
    assert pollbook_find.find(world.connection, POLL, code_of(bytes(10), first)).state == "unknown"
    assert pollbook_find.find(world.connection, POLL, code_of(bytes(10), uuid4())).state == "unknown"
    with pytest.raises(BadInput, match=r"mistyped|code"):
        pollbook_find.find(world.connection, POLL, codes[0][:-1] + ("A" if codes[0][-1] != "A" else "B"))
    assert pollbook_find.totals(world.connection, POLL) == {"stations": 1, "used": 1, "electronic": 0, "entries": 2}
    assert [one.to_json() for one in pollbook_find.sealed(world.connection, POLL, 0, 9)] == [
        {"station": "A/2", "area": "A", "used": 1}
    ]
    assert replayed(world) == []


def test_turnout_reports_come_by_themselves_when_a_log_reaches_past_the_hour(world: World) -> None:
    here, there = world.start("A-1"), world.start("B-1")
    here.check_in(here.voters[0], world.at(9))
    gone = here.check_in(here.voters[1], world.at(9, 30))
    here.do(acts.do_undo, gone.n, reason="wrong person", officer="member1", at=world.at(10, 30))  # it stood at ten
    here.link.once()
    there.check_in(there.voters[0], world.at(9, 50))
    there.link.once()
    assert report(world.connection, world.poll, world.at(9, 55)) == 0  # the hour is not over
    world.at(10, 40)
    here.link.once()
    assert late(world.connection, world.poll, world.now) == [("10:00", 0, ["B-1"])]
    assert report(world.connection, world.poll, world.now) == 1  # B-1 may have more to tell
    found = report_of(world.connection, POLL, "A-1", "10:00")
    assert found is not None and found.numbers == {"eligible": 6, "received": 2}
    there.link.once()  # a sign of life: there is no more
    assert report(world.connection, world.poll, world.now) == 1
    assert report(world.connection, world.poll, world.now) == 0
    assert reported(world.connection, POLL, "10:00") == ["A-1", "B-1"]
    world.at(14, 1)
    here.check_in(here.voters[2], world.now)  # after the hour: the log reaches past it, and it does not count
    here.link.once()
    report(world.connection, world.poll, world.now)
    found = report_of(world.connection, POLL, "A-1", "14:00")
    assert found is not None and found.received == 1
    assert late(world.connection, world.poll, world.now)[1] == ("14:00", 1, ["B-1"])


def test_a_voter_moves_and_the_lists_follow(world: World) -> None:
    home, away = world.start("A-1"), world.start("B-1")
    who, iin = home.voters[0], home.keep.package.voters[0].iin
    said = away.link.wire.question("find", {"iin": iin})
    assert said["found"] and said["holder"] == "station/A-1/1" and said["line"]["iin"] == iin
    away.link.wire.question("ask", {"request": "r1", "entitlement": str(who)})
    for machine in (home, home, away):
        while machine.link.once():
            pass
    away.check_in(who, world.at(9))
    with pytest.raises(acts.Refused, match=r"P\.022"):
        home.check_in(who, world.now)
    for machine in (home, away):
        while machine.link.once():
            pass
    for name, machine in world.stations.items():
        found = sums_at(world.connection, POLL, name)
        assert found is not None and found.sums == sums_of(machine.keep.book)
    world.at(10, 1)
    for machine in (home, away):
        machine.link.once()
    assert report(world.connection, world.poll, world.now) == 2
    numbers = [report_of(world.connection, POLL, name, "10:00") for name in ("A-1", "B-1")]
    assert [one and one.numbers for one in numbers] == [{"eligible": 5, "received": 0}, {"eligible": 4, "received": 1}]
    seal(world.connection, POLL, KEYS.commission, world.now)
    assert replayed(world) == []


def test_the_centres_sums_are_the_stations_own(world: World) -> None:
    """Every kind of event that counts, told by the log alone and by the station's book."""
    machine, at = world.start("A-1"), world.at(8)
    machine.do(ballot_acts.do_ballots, "delivered", 10, officer="chair", at=at)
    machine.do(ballot_acts.do_ballots, "handed-to-member", 6, officer="chair", at=at, member="member1")
    machine.do(acts.do_mobile_request, machine.voters[3], officer="member1", at=at)
    for who in machine.voters[:3]:
        machine.check_in(who, at)
    machine.check_in(machine.voters[3], at, "mobile", members=("member1", "member2"))
    machine.do(acts.do_undo, 6, reason="wrong", officer="member1", at=at)
    machine.do(ballot_acts.do_ballots, "spoilt", 1, officer="chair", at=at, member="member1")
    machine.do(ballot_acts.do_ballots, "returned", 2, officer="chair", at=at, member="member1")
    machine.do(ballot_acts.do_ballots, "delivered", 500, officer="chair", at=at)
    slip = machine.keep.book.ballots[-1].n
    machine.do(ballot_acts.do_ballots_back, slip, reason="typed twice", officer="chair", at=at)
    machine.do(acts.do_close, officer="chair", at=world.at(20))
    machine.do(ballot_acts.do_ballots, "cancelled", 7, officer="chair", at=at)
    while machine.link.once():
        pass
    found = sums_at(world.connection, POLL, "A-1")
    assert found is not None and found.sums == sums_of(machine.keep.book) and found.sealed is None
    assert found.sums.fields == {"eligible": 6, "received": 3, "mobile_requests": 1, "delivered": 10, "cancelled": 7}
    seal(world.connection, POLL, KEYS.commission, at)
    found = sums_at(world.connection, POLL, "A-1")
    assert found is not None and found.sealed == 3
    assert sums_at(world.connection, POLL, "B-1") is None


def protocol(world: World, station: str, **changes: int) -> Receipt:
    said = {
        "eligible": 6,
        "received": 3,
        "participated": 3,
        "yes": 2,
        "no": 1,
        "invalid": 0,
        "not_counted": 0,
    } | changes
    known = beside(lambda poll: KEYS.commission, lambda: world.now)
    (receipt,) = receive(
        world.connection, world.poll, one("q1", station, said), by="account/x", at=world.now, beside=known
    )
    return receipt


def three_came(world: World) -> None:
    machine = world.start("A-1")
    for who in machine.voters[:3]:
        machine.check_in(who, world.at(9))
    machine.do(acts.do_close, officer="chair", at=world.at(20))
    machine.link.once()


def test_a_protocol_that_agrees_raises_nothing_and_its_check_ins_are_sealed_before_it(world: World) -> None:
    three_came(world)
    assert set(beside(lambda poll: None, lambda: world.now).fields(world.connection, POLL, "A-1")) <= set(
        CONTEST.form.names
    )
    assert protocol(world, "A-1").checks == ()
    kinds = [Entry.from_bytes(data).kind for _, data in log.read(world.connection, POLL)]
    assert kinds[-2:] == ["check-ins", "protocol"]
    assert replayed(world) == []


def test_every_difference_is_a_numbered_check_and_holds_nothing_back(world: World) -> None:
    three_came(world)
    found = protocol(world, "A-1", received=4, eligible=7)
    assert (found.state, found.checks) == ("accepted", ("B.101", "B.102", "W.103"))
    assert protocol(world, "B-1", eligible=4).checks == ("W.103",)  # no pollbook there: nothing to hold it against
    assert replayed(world) == []


def test_a_correction_is_held_against_the_pollbook_too(world: World) -> None:
    three_came(world)
    known = beside(lambda poll: KEYS.commission, lambda: world.now)
    before = log.entry_at(world.connection, POLL, protocol(world, "A-1").seq).body["values"]
    for received, checks in ((4, ("B.102",)), (3, ())):
        after = before | {"received": received}
        terms: dict[str, Any] = {"contest": "q1", "station": "A-1", "after": after, "reason": f"recount {received}"}
        found = correct(world.connection, world.poll, **terms, by="x", at=world.now, seal=KEYS.commission, beside=known)
        assert found.checks == checks and found.state == "accepted"
    assert replayed(world) == []


def test_a_certificate_is_not_for_the_voters_own_settlement(world: World) -> None:
    """The list of stations says which settlement each is in; where it does not, the officers decide (P.035)."""
    machine = world.start("A-1")
    who = machine.voters[0]
    world.connection.execute(sa.text("UPDATE entitlement SET holder = 'certificate' WHERE id = :id"), {"id": who})
    carried = dataclasses.replace(channels_of(world.poll), rulings={**channels_of(world.poll).rulings,
                      "certificate": Ruling("on", "art. 41-1")})  # fmt: skip
    other, iin = world.start("A/2"), machine.keep.package.by_entitlement[who].iin

    def asked(what: str, body: dict[str, str]) -> dict[str, Any]:
        question = Question(other.keep.log, world.now.isoformat(), what, body).to_bytes(other.keep.key)
        return service.reply(world.connection, Question.from_bytes(question), VAULT, carried, world.now)

    for home, here, allowed in (("", "", True), ("Акбулак", "Мартук", True), ("Акбулак", "Акбулак", False)):
        for station, settlement in (("A-1", home), ("A/2", here)):
            query = "UPDATE station SET settlement = :settlement, address = 'Абая 1' WHERE id = :id"
            world.connection.execute(sa.text(query), {"settlement": settlement, "id": station})
        found = asked("find", {"iin": iin})
        assert (found["line"] is not None, found["home_address"]) == (allowed, "Абая 1")
        if allowed:
            asked("ask", {"request": f"r-{home}", "entitlement": str(who)})
            continue
        assert found["why"]["check"] == "P.035" and found["why"]["cite"] == "art. 41-1"
        with pytest.raises(CustodyError, match=r"P\.035"):
            asked("ask", {"request": "no", "entitlement": str(who)})
    packed = world.packed("B-1")
    assert list(unseal(packed.data, packed.code).stations) == ["B-1"]


def test_additions_of_the_day_reach_the_station_and_the_record(world: World) -> None:
    machine = world.start("B-1")
    number = applied(world.connection, rows({"B-1": 2}, first=50), world.at(9))
    added = add_set(
        world.connection,
        VAULT,
        world.poll,
        number,
        "address proved by passport",
        KEYS.commission,
        world.now,
        additions,
    )
    assert (added.added, added.total) == (2, 15)
    said = machine.link.wire.question("find", {"iin": rows({"B-1": 2}, first=50)[0]["iin"]})["line"]
    machine.link.once()
    machine.link.once()
    machine.check_in(UUID(said["entitlement"]), world.at(9, 10))
    while machine.link.once():
        pass
    assert alarms(world.connection, POLL) == []
    found = sums_at(world.connection, POLL, "B-1")
    assert found is not None and found.sums.fields["eligible"] == 4 and found.sums.came == {"addition": 1}
    seal(world.connection, POLL, KEYS.commission, world.now)
    assert replayed(world) == []


def test_the_centre_sees_who_is_silent(world: World) -> None:
    first, second = world.start("A-1"), world.start("B-1")
    first.check_in(first.voters[0], world.at(9))
    first.do(acts.do_queue, 12, officer="member1", at=world.now)
    first.link.once()
    world.at(9, 30)
    second.link.once()
    found = {one.station: one for one in listed(world.connection, POLL, world.now, Look()).rows}
    assert found["A-1"].calls(world.now) and not found["B-1"].calls(world.now)
    assert (found["A-1"].hour, found["A-1"].queue and found["A-1"].queue[0]) == (1, 12)
    assert found["A-1"].lease == found["A-1"].heard + timedelta(hours=16) if found["A-1"].heard else False
    total = whole(world.connection, POLL)
    assert (total.stations, total.logs, total.check_ins, total.sealed, total.alarms) == (3, 2, 1, 0, 0)


def with_everything(world: World) -> None:
    """A record with every kind of entry about the roll and the pollbook."""
    three_came(world)
    number = applied(world.connection, rows({"B-1": 2}, first=50), world.at(9))
    add_set(world.connection, VAULT, world.poll, number, "address proved", KEYS.commission, world.now, additions)
    protocol(world, "A-1")


def test_both_verifiers_find_every_planted_fault(world: World, tmp_path: Path) -> None:
    """An insider with all keys makes the log again around a lie about the roll or the check-ins."""
    with_everything(world)
    declare(world.connection, world.poll, KEYS, "final", world.at(22), close=True)
    log.sign_checkpoint(world.connection, POLL, KEYS.log)
    write_bundle(world.connection, POLL, KEYS, world.folder / "bundle")
    assert failed(bundle_of(world, tmp_path / "untouched", lambda body: None, "roll")) == (set(), set())
    for number, (fault, (kind, change)) in enumerate(FAULTS.items()):
        ours, theirs = failed(bundle_of(world, tmp_path / str(number), change, kind))
        assert ours & {"V.14", "V.05"}, fault
        assert "V.14" in theirs, fault
        assert not {"V.02", "V.03", "V.06"} & (ours | theirs), fault  # well signed: what finds it is the sum


def test_a_poll_of_no_pack_has_its_own_rules_alone(world: World) -> None:
    channels = channels_of(world.poll)
    assert channels["any-station"].on and channels["remote"].state == "not-loaded"
    with pytest.raises(BadInput, match="cite"):
        channels_of(dataclasses.replace(world.poll, voting={"any-station": {"on": True}}))


@pytest.mark.parametrize(
    ("voting", "field"),
    [
        ({"any-station": {"on": True}}, "voting.any-station"),
        ({"mobile": {"on": True, "until": "25:00", "members": 2, "cite": "P"}}, "voting.mobile.until"),
        ({"remote": {"on": True, "cite": "P"}}, "voting.remote"),
        ({"remote": {"on": True, "first": "2022-06-01", "last": "2022-06-06", "cite": "P"}}, "voting.remote.last"),
        ({"early": {"on": True, "first": "2022-06-01", "last": "2022-06-06", "cite": "P"}}, "voting.early.last"),
        ({"paper-beats-electronic": {"on": True, "cite": "P"}}, "voting"),
        ({"pigeon": {"on": True, "cite": "P"}}, "voting.pigeon"),
        ({"list": {"open": "soon", "cite": "P"}}, "voting.list"),
        ({"early": {"on": True, "cite": "P", "first": "2022-06-05", "last": "2022-06-01"}}, "voting.early.first"),
    ],
)
def test_rules_that_are_none_are_refused_before_the_poll_is_opened(voting: dict[str, Any], field: str) -> None:
    described = PollFile(dataclasses.replace(the_poll(), voting=voting), Path("here"), None, None, None)
    source = Source(described.poll, [], KEYS, None, described)
    with pytest.raises(BadInput) as refused:
        begin(cast(sa.Engine, None), source)  # before anything is asked of a database
    assert (refused.value.field, refused.value.file) == (field, "here/poll.yaml")
