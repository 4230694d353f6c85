"""The centre in PostgreSQL says and does what the pure model of custody says and does, step by step."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from itertools import product
from typing import Any

import custody_back
import custody_ground
import custody_world
import pytest
import sqlalchemy as sa
from centre_mirror import Mirror, in_database, right
from custody_ground import STATIONS, VOTERS
from custody_world import World
from pollbook_sample import CENTRE, MORNING, POLL, key, who
from sqlalchemy.engine import NestedTransaction

from dauys.pollbook.centre import moves
from dauys.pollbook.centre import take as centre
from dauys.pollbook.centre.take import Outcome
from dauys.pollbook.centre.together import stirred, take_together
from dauys.pollbook.gathered import sealing
from dauys.pollbook.log.events import Batch, Event, Head, LogError, LogId, sign_batch
from dauys.pollbook.rules import custody
from dauys.pollbook.rules.custody import Centre, Custody
from dauys.pollbook.rules.grants import Answer
from dauys.pollbook.sealed.commitment import code_of, commitment, find_code
from dauys.pollbook.serving import service
from dauys.pollbook.wire.received import received
from dauys.record import log as record
from dauys.record.entry import Entry
from dauys.store.engine import Connection, driver

pytestmark = pytest.mark.database


@pytest.fixture
def centre_of(connection: Connection) -> Iterator[Connection]:
    record.open_log(connection, POLL, "dauys/test")
    for number in range(VOTERS):
        right(connection, who(number), str(number % STATIONS))
    yield connection


STEPS = (
    ("check_in", 5), ("undo", 2), ("certificate", 1), ("envelope", 1), ("close", 1), ("crash", 1), ("start", 3), ("send", 4),
    ("deliver", 6), ("forge", 2), ("replay_grant", 2), ("ask", 3), ("enter", 1), ("add", 3), ("lose", 1), ("sync", 6),
    ("withdraw", 2), ("give_back", 2), ("let_go", 1), ("call_off", 1), ("type_in", 1), ("list", 1), ("electronic", 4),
    ("mistype", 3),
)  # fmt: skip


def step(world: World, name: str, dice: random.Random) -> None:
    at, number, any_message = dice.randrange(6), dice.randrange(VOTERS + 2), dice.randrange(200)
    match name:
        case "check_in":
            here = custody.Standing.HERE if dice.randrange(4) else dice.choice(list(custody.Standing))
            world.check_in(at, world.one_of(at, here, number), dice.choice(["", "", "", "before", "after"]))
        case "undo":
            world.undo(at, world.one_of(at, custody.Standing.USED, number))
        case "certificate" | "envelope":
            getattr(world, name)(at, number)
            if name == "envelope":
                world.envelope_undo(at)
                world.box_out(at, number)
        case "close":
            if dice.randrange(8) == 0:
                world.close(at)
        case "withdraw" | "call_off" | "let_go":
            getattr(world, name)(number)
        case "give_back":
            world.give_back(number, at)
        case "add":
            world.add(VOTERS + dice.randrange(len(world.added)) if dice.randrange(8) else number, at)
        case "crash" | "start" | "enter" | "type_in":
            getattr(world, name)(at)
        case "mistype":
            world.mistype(at, number, dice.random() < 0.5)
        case "send":
            world.send(at, dice.randrange(1, 7))
        case "deliver":
            world.deliver(any_message, True, dice.random() < 0.7)
        case "forge":
            world.forge(any_message, at, dice.randrange(3))
        case "replay_grant":
            world.replay_grant(any_message, at)
        case "ask":
            world.ask(number, at)
            if dice.randrange(3) == 0:
                world.go_home(number, at)
        case "list":
            world.begin(str(at % STATIONS))
        case "electronic":  # asked for by the channel, or, where it was used there, by a station; both are heard
            channel = world.channel
            at = at if world.machine(channel).book.used_by and dice.randrange(2) else channel
            number = world.one_of(channel, custody.Standing.USED, number) if at != channel else number
            world.ask(number, at)
            for place in (world.holder_of(number), channel, channel, at):
                step_sync(world, place)
            world.check_in(at, number)
        case "lose":
            if dice.randrange(4) == 0:
                world.check_in(at, world.one_of(at, custody.Standing.HERE, number))
                world.lose(at, dice.random() < 0.7)
        case "sync":
            step_sync(world, at)
        case "copy" | "go_back" | "lift":
            getattr(world, name)()
        case "all_heard":
            for place in [*range(len(world.machines))] * 2:
                step_sync(world, place)
                world.deliver(0)
            world.lift()


def step_sync(world: World, at: int) -> None:
    world.send(at, 1)
    world.deliver(0)
    world.deliver(0)


PUT_BACK = (("copy", 1), ("go_back", 2), ("lift", 3), ("all_heard", 2))


class Copied(World):
    """A copy of the database is a savepoint; each later copy takes the place of the one before."""

    connection: Connection
    savepoint: NestedTransaction | None = None

    def copy(self) -> None:
        super().copy()
        self.savepoint = self.connection.begin_nested()

    def go_back(self) -> None:
        if self.may_go_back and self.savepoint is not None:
            self.savepoint.rollback()
            self.savepoint = self.connection.begin_nested()
        super().go_back()


@pytest.mark.parametrize("seed", range(14))
def test_the_database_follows_the_model(centre_of: Connection, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every step of the world that the proof searches, taken by both: same answers, same alarms, same custody. From seed 6 on
    the centre is put back from copies, too."""
    mirror = Mirror(centre_of, together=seed % 2 == 0)
    for module, name in product((custody_back, custody_ground, custody_world), ("custody", "decided", "forgotten")):
        monkeypatch.setattr(module, name, mirror, raising=False)
    dice = random.Random(seed)
    world = Copied(paper=seed % 3 > 0, late=seed % 4)
    world.connection = centre_of
    names, weights = zip(*STEPS, *(PUT_BACK if seed >= 6 else ()), strict=True)
    for name in dice.choices(names, weights, k=120):
        step(world, name, dice)
        assert in_database(centre_of) == dict(world.centre.custody), name
        mirror.stand(world.centre)
        if dice.randrange(8) == 0:
            mirror.mean(world.centre)
            if not world.centre.books.marked:
                nobody_waits_unheard(centre_of, world.centre)
    world.everything_ends()
    assert in_database(centre_of) == dict(world.centre.custody)
    alarms = set(centre_of.scalars(sa.text("SELECT number FROM pollbook_alarm WHERE poll = :poll"), {"poll": POLL}))
    assert alarms <= {"P.108", *(("P.101", "P.102") if world.back else ())}


def nobody_waits_unheard(connection: Connection, model: Centre) -> None:
    """Who is asked for a right, was given one, or can be is among those whose answer is looked after, one by one."""
    found = stirred(connection, list(model.logs))
    let_go = {(who, has.epoch) for who, has in model.custody.items() if has.state is custody.State.RELEASED}
    for log in model.logs:
        comes = any((one.entitlement, one.epoch) in let_go for one in model.requests.values() if one.to == log.holder)
        receives = moves.may_receive(connection, log)
        assert receives == (comes or bool(moves.granted_to(connection, log)))
        if receives or moves.asked_of(connection, log):
            assert (log.poll, log.holder) in found


class Liar:
    """A station that writes what it likes, in a good chain and well signed."""

    def __init__(self, connection: Connection, number: int, together: bool = False) -> None:
        self.mirror, self.log, self.key = Mirror(connection, together), LogId(POLL, str(number), 1), key(number + 1)
        self.head = Head.before(self.log)

    def says(self, model: Centre, *events: tuple[str, dict[str, Any]]) -> Centre:
        first, made = self.head.n + 1, []
        for kind, body in events:
            made.append(Event(self.head.n + 1, MORNING.isoformat(), kind, body, self.head.hash))
            self.head = made[-1].head
        batch = sign_batch(self.log, first, made, self.head.hash, self.key)
        return self.mirror.take(model, batch).centre


def used(number: int, salt: int = 1) -> tuple[str, dict[str, Any]]:
    body = {"entitlement": str(who(number)), "channel": "polling-day", "officer": "m1", "salt": f"{salt:020x}"}
    return "check-in", body


@pytest.mark.parametrize("together", [False, True])
def test_what_a_lying_station_does_is_kept_and_raises_the_same_alarms(centre_of: Connection, together: bool) -> None:
    """Double use, use and release of another's right, undo of nothing, taking without a grant, writing after the end."""
    model = Centre(POLL, {who(n): Custody(f"station/{n % STATIONS}/1", 0) for n in range(VOTERS)})
    first, second = Liar(centre_of, 0, together), Liar(centre_of, 1, together)
    for liar in (first, second):
        model = liar.mirror.enrol(model, liar.log, liar.key.public_key().public_bytes_raw())
    undo = ("undo", {"of": 9, "reason": "x", "officer": "m1"})
    model = first.says(model, used(0), used(3), used(0, 2), used(1), undo)
    release = ("release", {"entitlement": str(who(3)), "epoch": 0, "request": "r", "to": "station/1/1"})
    take_it = {"entitlement": str(who(2)), "epoch": 1, "grant": {"why": "move", "request": "r", "sig": "A" * 86 + "=="}}
    back = ("certificate-back", {"entitlement": str(who(1)), "epoch": 0, "reason": "x", "officer": "m1"})
    model = second.says(model, used(1), release, ("receive", take_it), back)
    model = first.says(
        model,
        ("undo", {"of": 4, "reason": "not ours", "officer": "m1"}),
        ("undo", {"of": 4, "reason": "again", "officer": "m1"}),
    )
    model = first.says(
        model, ("close", {"officer": "c1"}), used(3, 4), ("ballots", {"what": "cancelled", "count": 3, "officer": "c1"})
    )
    assert in_database(centre_of) == dict(model.custody)
    rows = centre_of.execute(sa.text("SELECT number, n FROM pollbook_alarm WHERE poll = :poll"), {"poll": POLL})
    assert sorted((row.number, row.n) for row in rows) == sorted((alarm.check, alarm.n) for alarm in model.alarms)
    assert {alarm.check for alarm in model.alarms} >= {"P.101", "P.102", "P.103", "P.104", "P.105", "P.107"}


def test_two_histories_stop_a_station(centre_of: Connection) -> None:
    """A machine that was put back from an old copy, or copied, writes another event in a place that is taken."""
    liar, copy = Liar(centre_of, 0), Liar(centre_of, 0)
    model = Centre(POLL, {who(n): Custody(f"station/{n % STATIONS}/1", 0) for n in range(VOTERS)})
    model = liar.mirror.enrol(model, liar.log, liar.key.public_key().public_bytes_raw())
    model = liar.says(model, used(0))
    model = copy.says(model, used(3))
    assert model.logs[liar.log].stopped
    model = liar.says(model, used(3))
    assert in_database(centre_of)[who(3)].state is custody.State.UNUSED
    batch = sign_batch(liar.log, liar.head.n + 1, (), liar.head.hash, liar.key)
    (data,) = service.answer(centre_of, [batch], MORNING, lambda poll: CENTRE)
    assert isinstance(data, bytes)
    own, centre = liar.key.public_key().public_bytes_raw(), CENTRE.public_key().public_bytes_raw()
    said = Answer.from_bytes(data, liar.log, own, batch.to_bytes(), centre)
    assert said.stopped
    assert said.lease is None


def test_check_ins_are_sealed_and_a_code_finds_its_own(centre_of: Connection) -> None:
    """The record gets sorted commitments and a sum; the voter's code finds its entry, an undone one says so."""
    liar = Liar(centre_of, 0)
    model = Centre(POLL, {who(n): Custody(f"station/{n % STATIONS}/1", 0) for n in range(VOTERS)})
    model = liar.mirror.enrol(model, liar.log, liar.key.public_key().public_bytes_raw())
    model = liar.says(model, used(0, 7), used(3, 8))
    entries = sealing.seal(centre_of, POLL, MORNING)
    assert sealing.seal(centre_of, POLL, MORNING) == []
    liar.says(model, ("undo", {"of": 1, "reason": "wrong person", "officer": "m1"}))
    entries += sealing.seal(centre_of, POLL, MORNING)
    assert [entry.body["used"] for entry in entries] == [2, 1]
    assert entries[0].body["commitments"] == sorted(
        commitment(POLL, "0", bytes(9) + bytes([salt]), who(n)) for n, salt in ((0, 7), (3, 8))
    )
    assert all(len(Entry.to_bytes(entry)) < 1000 for entry in entries)
    undone, stands = (
        find_code(code_of(bytes(9) + bytes([salt]), who(n)), POLL, entries) for n, salt in ((0, 7), (3, 8))
    )
    assert stands is not None
    assert (stands.station, stands.entry, stands.undone) == ("0", entries[0].id, "")
    assert undone is not None
    assert undone.undone == entries[1].id
    assert find_code(code_of(bytes(10), who(0)), POLL, entries) is None


def test_a_batch_that_was_not_committed_is_taken_again(centre_of: Connection) -> None:
    """The answer is lost, or the centre falls before it commits: the same batch again has the same outcome, once."""
    liar = Liar(centre_of, 0)
    centre.enrol(centre_of, liar.log, liar.key.public_key().public_bytes_raw(), MORNING)
    made = Event(1, MORNING.isoformat(), *used(0), prev=liar.head.hash)
    batch = sign_batch(liar.log, 1, (made,), made.head.hash, liar.key)
    savepoint = centre_of.begin_nested()
    once = centre.take(centre_of, batch, MORNING)
    savepoint.rollback()
    assert in_database(centre_of)[who(0)].state is custody.State.UNUSED
    assert centre.take(centre_of, batch, MORNING) == once == centre.take(centre_of, batch, MORNING)
    assert driver(centre_of).execute("SELECT count(*) FROM pollbook_event").fetchone() == (1,)
    assert in_database(centre_of)[who(0)] == Custody("station/0/1", 0, custody.State.USED, 1)


def test_a_group_is_taken_as_its_batches_would_be_one_by_one(centre_of: Connection) -> None:
    """Plain ones, two of one log, one of a stranger, a forged one, a gap, one right named twice, an old one again."""
    liars = [Liar(centre_of, number) for number in range(STATIONS)]
    for liar in liars:
        centre.enrol(centre_of, liar.log, liar.key.public_key().public_bytes_raw(), MORNING)

    def made(liar: Liar, *events: tuple[str, dict[str, Any]], signer: Any = None) -> Batch:
        first, several = liar.head.n + 1, []
        for kind, body in events:
            several.append(Event(liar.head.n + 1, MORNING.isoformat(), kind, body, liar.head.hash))
            liar.head = several[-1].head
        return sign_batch(liar.log, first, several, liar.head.hash, signer or liar.key)

    stranger, third = Liar(centre_of, 2), liars[2].head
    stranger.log = LogId(POLL, "9", 1)
    stranger.head = Head.before(stranger.log)
    plain = made(liars[0], used(0), used(3))
    group = [
        plain,
        made(liars[1], used(1), used(0, 2)),  # a right that another batch of the group names
        made(liars[0], ("undo", {"of": 1, "reason": "wrong person", "officer": "m1"})),
        made(stranger, used(2)),
        made(liars[2], used(2), signer=CENTRE),
        plain,
    ]
    liars[2].head = third
    gap = made(liars[2], used(2)), made(liars[2], used(5))
    group.append(gap[1])
    outcomes: list[list[Any]] = []
    for way in (
        lambda: take_together(centre_of, [received(batch.to_bytes()) for batch in group], MORNING),
        lambda: [one_by_one(centre_of, batch) for batch in group],
    ):
        savepoint = centre_of.begin_nested()
        found = way()
        outcomes.append([(one.check if isinstance(one, LogError) else one, in_database(centre_of)) for one in found])
        savepoint.rollback()
    assert outcomes[0] == outcomes[1]
    kinds = [type(one).__name__ if not isinstance(one, str) else one for one, _ in outcomes[0]]
    assert kinds == ["Outcome", "Outcome", "Outcome", "P.003", "P.004", "Outcome", "Outcome"]
    assert [alarm.check for alarm in outcomes[0][1][0].alarms] == ["P.101", "P.102"]
    assert outcomes[0][6][0].send_from == 1


def test_of_two_wrong_uses_at_once_the_second_knows_of_the_first(engine: sa.Engine) -> None:
    """Two transactions: a right that is neither station's is used at both; whichever commits later says "twice"."""
    poll, right = "test/two-strays", who(0)
    alarms: list[list[str]] = []

    def use(number: int, begun: threading.Event, go: threading.Event) -> None:
        log = LogId(poll, str(number), 1)
        made = Event(1, MORNING.isoformat(), *used(0, number), prev=log.start)
        batch = sign_batch(log, 1, (made,), made.head.hash, key(number))
        with engine.begin() as connection:
            (outcome,) = take_together(connection, [received(batch.to_bytes())], MORNING)
            assert isinstance(outcome, Outcome)
            alarms.append([alarm.check for alarm in outcome.alarms])
            begun.set()
            assert go.wait(10)

    with engine.begin() as connection:
        record.open_log(connection, poll, "dauys/test")
        for number in (1, 2):
            centre.enrol(connection, LogId(poll, str(number), 1), key(number).public_key().public_bytes_raw(), MORNING)
        connection.execute(
            sa.text(
                "INSERT INTO entitlement (poll, id, home, holder, voter, set_id) VALUES (:poll, :id, '3', 'station/3/1', :id, 1)"
            ),
            {"poll": poll, "id": right},
        )
    begun, go, free = threading.Event(), threading.Event(), threading.Event()
    free.set()
    first, second = (threading.Thread(target=use, args=work) for work in ((1, begun, go), (2, threading.Event(), free)))
    first.start()
    assert begun.wait(10)
    second.start()
    second.join(0.2)
    assert second.is_alive() and len(alarms) == 1
    go.set()
    first.join(10)
    second.join(10)
    with engine.begin() as connection:
        for table in (
            "entitlement",
            "pollbook_stray",
            "pollbook_alarm",
            "pollbook_log",
            "log",
        ):  # others look at every poll
            connection.execute(sa.text(f"DELETE FROM {table} WHERE poll = :poll"), {"poll": poll})
    assert alarms == [["P.101"], ["P.101", "P.102"]]


def one_by_one(connection: Connection, batch: Batch) -> Outcome | LogError:
    try:
        return centre.take(connection, batch, MORNING)
    except LogError as error:
        return error
