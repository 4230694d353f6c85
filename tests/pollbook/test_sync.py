"""Does the centre get every event once and in order, and the station every answer, whatever the wire loses or repeats?"""

from __future__ import annotations

import tempfile
import threading
import time
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from pollbook_sample import MORNING, who
from station_world import ADDRESS, FakeCentre, enrolled, person
from sync_world import CLOCK, check_in, known, link_of, lists, opened

from dauys.errors import BadInput
from dauys.pollbook.log.events import Event, LogError, sign_batch
from dauys.pollbook.machine import acts, ballot_acts
from dauys.pollbook.machine.acts import Refused
from dauys.pollbook.machine.enrolling import enrol, open_station, seal_key
from dauys.pollbook.machine.sync import Link, Unreached, connect
from dauys.pollbook.machine.syncing import LONGEST, Syncing
from dauys.pollbook.rules.custody import Known
from dauys.pollbook.rules.grants import Request
from dauys.pollbook.wire.questions import PREFIX

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Where many stores are made one after the other: what a disk does with them is tried elsewhere."""


def test_enrolling_is_told_as_soon_as_there_is_a_wire(tmp_path: Path) -> None:
    """Before the centre has answered nothing can be done; afterwards the wire may be cut."""
    centre = FakeCentre(lists())
    keep = enrolled(centre, tmp_path, "1", tell=False)
    link = link_of(keep, centre)
    deeds = (
        lambda: acts.do_open(keep.book, "c1", MORNING),
        lambda: acts.do_close(keep.book, "c1", MORNING),
        lambda: acts.do_certificate(keep.book, who(1), number="7", officer="m1", at=MORNING - timedelta(days=1)),
        lambda: acts.do_mobile_request(keep.book, who(1), officer="m1", at=MORNING),
        lambda: ballot_acts.do_ballots(keep.book, "delivered", 9, officer="c1", at=MORNING),
        lambda: acts.do_release(keep.book, Request("r", who(1), 0, "station/2/1"), MORNING),
        lambda: check_in(keep, 1),
    )
    centre.cut = True
    assert not link.once() and link.status.cut == MORNING and not keep.book.told
    centre.cut, centre.forget = False, True
    assert not link.once() and keep.log in centre.centre.logs and not keep.book.told, "an answer that was lost is none"
    for deed in deeds:
        with pytest.raises(Refused, match=r"P\.018"):
            deed()
    centre.forget = False
    link.once()
    assert link.status.heard == MORNING and keep.book.told
    link.once()
    assert centre.heard.count(f"{PREFIX}/enrol") == 2
    keep.close()
    centre.cut = True
    keep = open_station(tmp_path / "1")
    keep.append(acts.do_open(keep.book, "c1", MORNING))
    check_in(keep, 1)
    keep.close()


def test_an_enrolment_can_be_taken_up_after_a_crash(tmp_path: Path) -> None:
    centre = FakeCentre(lists())
    file, code = centre.package(tmp_path, "1")
    first = enrol(file, code, tmp_path / "1", ADDRESS)
    public = first.key.public_key()
    first.close()
    again = enrol(file, code, tmp_path / "1", ADDRESS + "/")
    assert again.key.public_key() == public
    again.close()
    assert (tmp_path / "1/pollbook.key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "1/pollbook.db").stat().st_mode & 0o777 == 0o600
    other, other_code = centre.package(tmp_path, "2")
    for package, said, folder, check in (
        (other, other_code, "1", "P.016"),
        (file, other_code, "3", "P.012"),
        (file, code[:-1] + "0", "3", "P.038"),
        (tmp_path / "none", code, "3", "P.011"),
    ):
        with pytest.raises(BadInput, match=check):
            enrol(package, said, tmp_path / folder, ADDRESS)
    with pytest.raises(BadInput, match="http://HOST"):
        enrol(file, code, tmp_path / "1", "centre")
    (tmp_path / "1/pollbook.key").unlink()
    with pytest.raises(BadInput, match=r"P\.016"):
        open_station(tmp_path / "1")
    with pytest.raises(BadInput, match=r"P\.016"):
        open_station(tmp_path)
    (tmp_path / "1/pollbook.key").write_text("no hex")
    with pytest.raises(BadInput, match=r"P\.015"):
        seal_key(tmp_path / "1")


def test_answers_that_are_lost_are_asked_for_again(tmp_path: Path) -> None:
    centre = FakeCentre(lists())
    keep, link = opened(centre, tmp_path)
    link.once()
    check_in(keep, 1)
    centre.forget = True
    for _ in range(3):
        assert not link.once()
    assert link.waiting == 1 and len(known(centre, keep)) == 2, "the centre had it all along"
    centre.forget = False
    check_in(keep, 2)
    link.once()
    assert link.waiting == 0 and known(centre, keep) == keep.book.hashes and not centre.centre.alarms
    keep.close()


def test_a_centre_that_was_put_back_gets_what_it_lost(tmp_path: Path) -> None:
    centre = FakeCentre(lists())
    keep, link = opened(centre, tmp_path)
    link.once()
    old = centre.centre
    for number in (1, 2, 3):
        check_in(keep, number)
        link.once()
    centre.centre = old
    check_in(keep, 4)
    link.once()
    assert known(centre, keep) == keep.book.hashes and not keep.book.stopped
    assert centre.centre.books.marked
    keep.close()


def test_a_machine_that_the_centre_does_not_take_is_stopped_for_good(tmp_path: Path) -> None:
    """Its package was made again; the folder is not taken over by the new one, whose list is another."""
    centre = FakeCentre(lists())
    keep = enrolled(centre, tmp_path, "1", tell=False)
    centre.lists = lists() | {"1": [person(n) for n in range(1, 4)]}
    file, code = centre.package(tmp_path, "1")
    link = link_of(keep, centre)
    assert not link.once()
    assert link.status.check == "P.019" and "empty folder" in keep.book.stopped
    keep.close()
    keep = open_station(tmp_path / "1")
    with pytest.raises(Refused, match=r"P\.041"):
        acts.do_open(keep.book, "c1", MORNING)
    keep.close()
    with pytest.raises(BadInput, match="is stopped; enrol in an empty folder"):
        enrol(file, code, tmp_path / "1", ADDRESS)


@pytest.mark.parametrize("number", ["P.004", "P.106"])
def test_a_working_machine_whose_log_has_another_key_or_history_is_stopped_for_good(
    tmp_path: Path, number: str
) -> None:
    """The centre was put back, and another machine enrolled; or this one's disk was copied. What it noted stays as it is."""
    centre = FakeCentre(lists())
    keep, link = opened(centre, tmp_path)
    link.once()
    if number == "P.004":
        other = Ed25519PrivateKey.from_private_bytes(b"o" * 32).public_key().public_bytes_raw()
        centre.centre = replace(centre.centre, logs={keep.log: Known(other)})
    else:
        first, tap = (
            keep.book.head,
            {"entitlement": str(who(2)), "channel": "polling-day", "officer": "m1", "salt": "7" * 20},
        )
        copy = Event(first.n + 1, MORNING.isoformat(), "check-in", tap, first.hash)
        centre.handle(f"{PREFIX}/sync", sign_batch(keep.log, copy.n, [copy], copy.head.hash, keep.key).to_bytes())
    check_in(keep, 1)
    assert not link.once()
    assert ("empty folder" if number == "P.004" else "two histories") in keep.book.stopped
    keep.close()
    again = open_station(tmp_path / "1")
    with pytest.raises(Refused, match=r"P\.041"):
        check_in(again, 3)
    assert [event.kind for event in again.events()] == ["open", "check-in"]
    again.close()


def test_what_the_centre_refuses_is_said_and_work_goes_on(tmp_path: Path) -> None:
    """Once it was known: the centre has lost its database, and says so; the station's own list is not touched by that."""
    centre = FakeCentre(lists())
    keep, link = opened(centre, tmp_path)
    centre.centre = replace(centre.centre, logs={})
    keep._keep(answer="")  # a machine that has no word of the centre left
    assert not link.once()
    assert link.status.check == "P.003"
    check_in(keep, 1)
    keep.close()


def test_a_centre_that_has_lost_its_database_is_shown_what_it_signed(tmp_path: Path) -> None:
    centre = FakeCentre(lists())
    keep, link = opened(centre, tmp_path)
    check_in(keep, 1)
    link.once()
    centre.centre = replace(centre.centre, logs={}, uses={})
    link.once()
    assert link.status.check == "" and known(centre, keep) == keep.book.hashes
    assert centre.centre.logs[keep.log].key == keep.public and centre.centre.books.marked
    keep.close()


def test_a_stopped_station_hands_out_nothing_and_stays_stopped(tmp_path: Path) -> None:
    centre = FakeCentre(lists())
    keep, link = opened(centre, tmp_path)
    centre.stopped = "two histories"
    link.once()
    with pytest.raises(Refused, match=r"P\.041"):
        check_in(keep, 1)
    keep.close()
    again = open_station(tmp_path / "1")
    assert again.book.stopped == "two histories"
    again.close()


@pytest.mark.parametrize(
    "status, body",
    [
        (200, b"<html>Log in to the school's network</html>"),
        (404, b"{}"),
        (302, b""),
        (500, b"x"),
        (200, b"[]"),
        (409, b'{"error": 5}'),
    ],
)
def test_what_is_not_the_centre_is_a_cut_wire(tmp_path: Path, status: int, body: bytes) -> None:
    centre = FakeCentre(lists())
    keep, link = opened(centre, tmp_path)
    link.once()
    strange = httpx.MockTransport(lambda request: httpx.Response(status, content=body))
    link = Link(connect(keep, CLOCK, strange), CLOCK)
    assert not link.once() and link.status.cut == MORNING and link.waiting == 0
    with pytest.raises(Unreached):
        link.wire.question("find", {"iin": ""})
    keep.close()


def test_a_used_right_is_never_let_go(tmp_path: Path) -> None:
    centre = FakeCentre(lists())
    (here, to), (there, away) = opened(centre, tmp_path, "1"), opened(centre, tmp_path, "2")
    to.once(), away.once()
    for number in (101, 102):
        to.wire.question("ask", {"request": f"r{number}", "entitlement": str(who(number))})
    check_in(there, 101)
    away.once(), away.once(), to.once(), to.once()
    assert [event.kind for event in there.events()] == ["open", "check-in", "release"]
    received = [event for event in here.events() if event.kind == "receive"]
    assert [event.entitlement for event in received] == [who(102)]
    here.close(), there.close()


def test_pauses_grow_are_spread_and_end() -> None:
    centre = FakeCentre(lists())
    with tempfile.TemporaryDirectory() as folder:
        keep, link = opened(centre, Path(folder))
        slow, fast = (Syncing(link, 10, lambda share=share: share) for share in (1.0, 0.0))
        assert [slow.pause_after(n) for n in (1, 2, 3)] == [3, 6, 12] and slow.pause_after(99) == LONGEST * 1.5
        assert (fast.pause_after(0), slow.pause_after(0)) == (7.5, 12.5)
        fast.impatient = lambda: True
        assert fast.pause_after(0) < 2
        keep.close()


def test_the_thread_sends_what_is_stored_and_ends(tmp_path: Path) -> None:
    centre = FakeCentre(lists())
    keep, link = opened(centre, tmp_path)
    syncing = Syncing(link, every=60)
    syncing.start()
    for number in (1, 2, 3):
        check_in(keep, number)
        syncing.poke()
    late = time.monotonic() + 5
    while link.waiting and time.monotonic() < late:
        time.sleep(0.01)
    assert known(centre, keep) == keep.book.hashes
    syncing.stop()
    assert "sync" not in {thread.name for thread in threading.enumerate()}
    keep.close()


def test_a_question_that_is_answered_ends_the_pause(tmp_path: Path) -> None:
    """An officer hears from the centre: his page does not go on saying that there is none."""
    centre = FakeCentre(lists())
    keep, link = opened(centre, tmp_path)
    centre.cut = True
    syncing = Syncing(link, jitter=lambda: 100)  # more than three minutes
    syncing.start()
    late = time.monotonic() + 5
    while link.status.cut is None and time.monotonic() < late:
        time.sleep(0.01)
    assert link.status.cut
    centre.cut = False
    while link.status.cut and time.monotonic() < late:
        link.wire.question("call-off", {"entitlement": str(who(101))})
        time.sleep(0.01)
    assert link.status.cut is None
    syncing.stop()
    keep.close()


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            (
                "check in",
                "check in",
                "check in",
                "ask",
                "ask",
                "sync",
                "sync",
                "sync",
                "sync both",
                "cut",
                "join",
                "forget",
                "hear",
                "crash",
            )
        ),
        st.sampled_from(("1", "2")),
        st.sampled_from((1, 101)),
    ),
    min_size=12,
    max_size=30,
)


@given(STEPS)
@settings(max_examples=40, deadline=None)
def test_no_right_is_used_twice_and_nothing_stored_is_lost(steps: list[tuple[str, str, int]]) -> None:
    """Two real stores, a wire that fails and answers that are lost; in the end the centre has both logs whole."""
    centre = FakeCentre(lists())
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        at = {name: opened(centre, Path(folder), name) for name in ("1", "2")}
        for _, link in at.values():
            link.once()
        for tap, (step, name, number) in enumerate(steps, 1):
            keep, link = at[name]
            match step:
                case "check in":
                    try:
                        check_in(keep, number, tap)
                    except Refused:
                        continue
                case "ask":
                    voter = centre.home[who(number)][1]
                    keep.add_voter(voter)
                    try:
                        link.wire.question("ask", {"request": f"{name}-{tap}", "entitlement": str(who(number))})
                    except (Unreached, KeyError, LogError):
                        continue
                    except Exception as error:  # noqa: BLE001 - the centre's own refusals
                        assert type(error).__name__ == "CentreRefused", error
                case "sync":
                    link.once()
                case "sync both":
                    for _, one in (*at.values(), *at.values()):
                        one.once()
                case "cut" | "join":
                    centre.cut = step == "cut"
                case "forget" | "hear":
                    centre.forget = step == "forget"
                case "crash":
                    keep.close()
                    keep = open_station(Path(folder) / name)
                    at[name] = keep, link_of(keep, centre)
        centre.cut = centre.forget = False
        for _ in range(2):
            for _, link in at.values():
                while link.once():
                    continue
                assert not link.status.fault, link.status
        used = Counter(one.entitlement for keep, _ in at.values() for one in keep.book.check_ins.values())
        assert max(used.values(), default=0) <= 1
        assert not centre.centre.alarms
        for keep, _ in at.values():
            assert known(centre, keep) == keep.book.hashes
            keep.close()
        assert Counter(one for one, uses in centre.centre.uses.items() for _ in uses) == used
