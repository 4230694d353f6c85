"""The centre's work of every minute: one order of locks, nothing that fails ends it, and everybody sees when it was last done."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import psycopg
import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from joined_world import KEYS, POLL, OneConnection, World, world_of

from dauys.cli import main, office, pollbook_not_lost, pollbook_status
from dauys.pollbook.centre import take as centre
from dauys.pollbook.desk import stations as centre_pages
from dauys.pollbook.gathered import hand_outs, sealing
from dauys.pollbook.log.events import LogId
from dauys.polls import pollbook_join
from dauys.polls.pollbook_join import tend
from dauys.record import log as record
from dauys.web.render import render
from site_client import SiteClient

pytestmark = pytest.mark.database
OTHER = "test/tended"
NOON = datetime(2022, 6, 5, 12, tzinfo=UTC)
Deadlock = psycopg.errors.DeadlockDetected


@pytest.fixture
def world(connection: sa.Connection, tmp_path: Path) -> Iterator[World]:
    with world_of(connection, tmp_path, {"A-1": 3, "A/2": 2, "B-1": 2}) as world:
        yield world


@pytest.fixture
def two_logs(engine: sa.Engine) -> Iterator[sa.Engine]:
    """A poll whose second station by name was enrolled first; each has an event to seal, and to look at."""
    with engine.begin() as connection:
        record.open_log(connection, OTHER, "dauys/test")
        for station in ("B", "A"):
            centre.enrol(connection, LogId(OTHER, station, 1), bytes(32), NOON)
        connection.execute(
            sa.text("UPDATE pollbook_log SET n = 1, keyed = true, closed = station = 'A' WHERE poll = :poll"),
            {"poll": OTHER},
        )
    yield engine
    with engine.begin() as connection:  # other tests tend every poll that they find
        for table in ("pollbook_log", "log"):
            connection.execute(sa.text(f"DELETE FROM {table} WHERE poll = :poll"), {"poll": OTHER})


def sealed(connection: sa.Connection) -> None:
    sealing.seal(connection, OTHER, NOON)


def looked_at(connection: sa.Connection) -> None:
    hand_outs.check(connection, OTHER, NOON)


@pytest.mark.parametrize("act", [sealed, looked_at])
def test_logs_are_locked_by_their_rows_as_batches_lock_them(
    two_logs: sa.Engine, act: Callable[[sa.Connection], None]
) -> None:
    """Who takes batches has the first log and wants the second; who seals has not got that one while he waits for the first."""
    failed: list[BaseException] = []

    def other() -> None:
        try:
            with two_logs.connect() as connection:
                act(connection)  # and undone
        except psycopg.Error as error:
            failed.append(error)

    thread = threading.Thread(target=other)
    with two_logs.connect() as batches, two_logs.connect() as looks:
        batches.execute(sa.text("SET lock_timeout = '500ms'"))
        first, second = (
            sa.text(f"SELECT FROM pollbook_log WHERE poll = '{OTHER}' AND station = '{name}' FOR UPDATE")
            for name in "BA"
        )
        batches.execute(first)
        thread.start()
        waits = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        for _ in range(500):
            if looks.scalar(waits):
                break
            time.sleep(0.01)
        else:
            pytest.fail("nobody waited")
        batches.execute(second)
        batches.rollback()
        thread.join(10)
    assert not failed


def test_a_right_is_locked_after_the_log_that_is_to_have_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A question locks the log of who asks before the right: batches of that log come in the same order."""
    machine, home = world.start("A/2"), world.start("A-1")
    order: list[str] = []
    execute = psycopg.Cursor.execute

    def heard(self: Any, query: Any, *args: Any, **more: Any) -> Any:
        text = str(query)
        if " FOR SHARE" in text or " FOR UPDATE" in text:
            order.append("log" if "FROM pollbook_log" in text else "right")
        return execute(self, query, *args, **more)

    monkeypatch.setattr(psycopg.Cursor, "execute", heard)
    who = home.voters[0]
    machine.link.wire.question("ask", {"request": "r", "entitlement": str(who)})
    assert order == ["log", "right", "log"]


def test_what_fails_keeps_nothing_else_from_being_done(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = world.start("A-1")
    machine.check_in(machine.voters[0], world.at(9))
    machine.link.once()
    engine = cast(sa.Engine, OneConnection(world.connection))
    looked: list[str] = []

    def check(connection: sa.Connection, poll: str, *_: Any) -> None:
        looked.append(poll)

    def dead(*_: Any) -> None:
        raise Deadlock("deadlock detected\nDETAIL:  Process 1 waits")

    def defect(*_: Any) -> None:
        raise KeyError("Ахметов")

    monkeypatch.setattr(hand_outs, "check", check)
    monkeypatch.setattr(pollbook_join, "withdraw", dead)
    with monkeypatch.context() as inside:
        inside.setattr(sealing, "seal", defect)
        faults = list(tend(engine, lambda _: KEYS.commission, world.now))
        now = sealing.tended(world.connection, POLL)
        assert len(faults) == 2 and "KeyError in" in faults[0] and "Ахметов" not in faults[0]
        assert faults[1].endswith("withdrawals wait: deadlock detected")
        assert now.late(world.now) and now.sealed is None and now.waiting == 2 and "deadlock" in now.fault
        assert looked == [POLL]
    (fault,) = tend(engine, lambda _: KEYS.commission, world.now)
    now = sealing.tended(world.connection, POLL)
    assert (now.sealed, now.waiting) == (world.now, 0) and fault.endswith(now.fault)
    monkeypatch.undo()
    assert not list(tend(engine, lambda _: KEYS.commission, world.now))
    now = sealing.tended(world.connection, POLL)
    assert not now.fault and not now.late(world.now + timedelta(days=1))  # nothing waits
    machine.check_in(machine.voters[1], world.now)
    machine.link.once()
    now = sealing.tended(world.connection, POLL)
    assert (now.late(world.now + timedelta(minutes=14)), now.late(world.now + timedelta(minutes=16))) == (False, True)


@pytest.mark.parametrize("lang", ["kk", "ru", "en"])
def test_the_desk_and_the_command_show_when_it_was_last_done(
    world: World, lang: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = cast(sa.Engine, OneConnection(world.connection))
    app = FastAPI()
    app.state.render = render
    app.include_router(centre_pages.router(engine, lambda _: None, lambda: world.now, pollbook_join.late))
    site = SiteClient(app)
    monkeypatch.setattr(pollbook_status, "open_store", lambda: engine)

    def shown() -> tuple[list[str], bool, dict[str, Any]]:
        page = site.get(f"/{lang}/desk/pollbook/{POLL}").text
        with pytest.raises(SystemExit):
            main.main(["pollbook", "status", POLL, "--at", world.now.isoformat(), "--json"])
        status = json.loads(capsys.readouterr().out)["sealing"]
        return re.findall('data-sealed="([^"]*)"', page), 'role="alert"' in page, status

    assert shown() == ([""], False, {"sealed": None, "waiting": 0, "fault": "", "late": False})
    sealing.note_sealed(world.connection, POLL, world.now)
    assert shown()[:2] == ([world.now.isoformat()], False)
    sealing.note_fault(world.connection, POLL, "deadlock detected")
    at, alert, status = shown()
    assert (at, alert, status["late"], status["fault"]) == ([world.now.isoformat()], True, True, "deadlock detected")


def test_the_thread_that_seals_lives_as_long_as_the_site(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the minute raises, and even if nobody listens to what it says."""
    raised: list[BaseException] = [Deadlock("deadlock detected"), ZeroDivisionError(), BrokenPipeError()]
    gone, heard = threading.Event(), []

    def minute(*_: Any) -> Iterator[str]:
        if raised:
            raise raised.pop(0)
        gone.set()
        return iter(())

    def say(text: str) -> None:
        heard.append(text)
        raise BrokenPipeError

    monkeypatch.setattr(office, "tend", minute)
    monkeypatch.setattr(office, "say", say)
    for look in ("_begin", "_hold"):
        monkeypatch.setattr(office.Centre, look, lambda _: iter(()))
    here = office.Centre(cast(sa.Engine, SimpleNamespace()), 0.001, lambda: NOON)
    here.start()
    assert gone.wait(10)
    here.stop()
    assert [text.partition(":")[0] for text in heard] == [
        "the database does not answer", "check-ins wait to be sealed", "check-ins wait to be sealed",
    ]  # fmt: skip


def test_a_command_that_the_database_gave_up_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def store() -> None:
        raise Deadlock("deadlock detected\nDETAIL:  Process 1 waits")

    monkeypatch.setattr(pollbook_not_lost, "open_store", store)
    with pytest.raises(SystemExit) as ended:
        main.main(["pollbook", "lost", POLL, "A-1"])
    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        "dauys: the database did not do it (deadlock detected). What was not finished is undone: try again\n"
    )
