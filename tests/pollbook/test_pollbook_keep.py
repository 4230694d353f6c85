"""The station's store: what was acknowledged survives kill -9, what is damaged or foreign is refused, names stay sealed."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from pollbook_sample import CENTRE, MORNING, POLL, key, later, package, voter, who

from dauys.errors import BadInput
from dauys.pollbook.log.events import Batch, Event, Head, LogId, verify_batch
from dauys.pollbook.machine import acts
from dauys.pollbook.machine.keep import Keep, create, open_keep
from dauys.pollbook.rules import custody
from dauys.pollbook.rules.custody import Centre, Custody, CustodyError
from dauys.pollbook.rules.grants import Answer, Grant

SEAL = b"k" * 32


def made(path: Path, voters: int) -> Path:
    """A store whose station the centre has answered once, closed."""
    keep = create(path, package(voters=voters), SEAL, key(1))
    keep.hear(Answer(keep.log, keep.public, "", keep.book.head))
    keep.close()
    return path


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return made(tmp_path / "station.dauys", 40)


def busy(store: Path, upto: int = 6) -> Path:
    """The store after some work, closed."""
    keep = open_keep(store, SEAL)
    keep.append(acts.do_open(keep.book, "c1", MORNING))
    for number in range(upto):
        salt = number.to_bytes(10, "big")
        keep.append(acts.do_check_in(keep.book, who(number), officer="m1", salt=salt, at=later(minutes=number)))
    keep.append(acts.do_undo(keep.book, 2, reason="wrong person", officer="m1", at=MORNING))
    keep.close()
    return store


def state(keep: Keep) -> object:
    book = keep.book
    return book.head, book.places, book.check_ins, book.voters, book.opened, book.stopped, book.lease, keep.acknowledged


def test_a_store_opened_again_says_the_same(store: Path) -> None:
    keep = open_keep(busy(store), SEAL, LogId(POLL, "1", 1))
    before, batch = state(keep), keep.batch()
    keep.keep("pin/m1", "scrypt")
    keep.close()
    keep = open_keep(store, SEAL)
    assert state(keep) == before and keep.kept("pin/m1") == "scrypt" and keep.kept("other") is None
    again = keep.batch()
    assert (again.first, again.events, again.head) == (batch.first, batch.events, batch.head) and len(batch.events) == 8
    assert again.once != batch.once  # another request: no answer to the one before is an answer to this one
    verify_batch(Batch.from_bytes(batch.to_bytes()), key(1).public_key().public_bytes_raw())
    keep.close()


def test_a_store_of_the_version_before_opens_and_goes_on(store: Path) -> None:
    """It kept the mark of its machine's last word, and an answer that names no batch."""
    keep = open_keep(busy(store), SEAL)
    before = state(keep)
    keep._keep(mark="a mark", answer="what the centre said")
    keep._database.execute("PRAGMA user_version = 1")
    keep.close()
    for _ in range(2):
        keep = open_keep(store, SEAL)
        assert state(keep) == before and keep.last_word == b"" and keep._read("mark") is None
        assert keep._database.execute("PRAGMA user_version").fetchone() == (2,)
        keep.close()
    keep = open_keep(store, SEAL)
    keep._database.execute("PRAGMA user_version = 3")
    keep.close()
    with pytest.raises(BadInput, match="another version"):
        open_keep(store, SEAL)


def test_nothing_is_stored_before_the_centre_has_answered(tmp_path: Path) -> None:
    keep = create(tmp_path / "new", package(), SEAL, key(1))
    with pytest.raises(acts.Refused, match=r"P\.018"):
        acts.do_open(keep.book, "c1", MORNING)
    keep.book.told = True
    event = acts.do_open(keep.book, "c1", MORNING)
    keep.book.told = False
    with pytest.raises(acts.LogError, match=r"P\.018"):
        keep.append(event)
    keep.close()
    keep = open_keep(tmp_path / "new", SEAL)
    assert keep.book.told is False
    keep.hear(Answer(keep.log, keep.public, "", keep.book.head))
    keep.append(event)
    keep.close()
    keep = open_keep(tmp_path / "new", SEAL)
    assert keep.book.told and keep.book.opened
    keep.close()


def test_sync_goes_on_from_what_the_centre_has(store: Path) -> None:
    keep = open_keep(busy(store), SEAL)
    centre = custody.enrol(
        Centre(POLL, {who(n): Custody(keep.log.holder, 0) for n in range(40)}),
        keep.log,
        keep.key.public_key().public_bytes_raw(),
    )
    taken = custody.take(centre, keep.batch(most=3))
    answer = Answer(keep.log, keep.public, "", taken.acknowledged, lease=later(days=1))
    assert keep.hear(answer) == "" and keep.acknowledged == 3
    keep.close()
    keep = open_keep(store, SEAL)
    assert keep.acknowledged == 3 and keep.book.lease == later(days=1) and keep.batch().first == 4
    taken = custody.take(taken.centre, keep.batch())
    assert taken.acknowledged == keep.book.head and not taken.alarms
    keep.hear(Answer(keep.log, keep.public, "", taken.acknowledged))
    alive = keep.batch()
    assert not alive.events and custody.take(taken.centre, alive).acknowledged == keep.book.head
    keep.close()


def test_a_disk_put_back_from_an_old_copy_stops_when_the_centre_is_heard(store: Path, tmp_path: Path) -> None:
    keep = open_keep(busy(store), SEAL)
    keep.close()
    old = shutil.copy(store, tmp_path / "old")
    keep = open_keep(store, SEAL)
    keep.append(acts.do_check_in(keep.book, who(9), officer="m1", salt=b"9" * 10, at=MORNING))
    head = keep.book.head
    keep.close()
    keep = open_keep(Path(old), SEAL)
    assert "old copy" in keep.hear(Answer(keep.log, keep.public, "", head))
    keep.close()
    keep = open_keep(Path(old), SEAL)
    with pytest.raises(acts.Refused, match=r"P\.041"):
        acts.do_check_in(keep.book, who(10), officer="m1", salt=b"9" * 10, at=MORNING)
    keep.close()


def test_names_are_nowhere_in_the_file(store: Path) -> None:
    keep = open_keep(busy(store), SEAL)
    keep.add_voter(voter(77, surname="Ысқақов"))
    late = voter(77)
    grant = Grant(POLL, late.entitlement, 1, keep.log.holder, "move", "r").signed(CENTRE)
    keep.append(acts.do_receive(keep.book, grant, MORNING))
    keep.close()
    raw = b"".join(path.read_bytes() for path in store.parent.iterdir())
    for text in ("Ахметов", "Әлихан", "Ысқақов", "9001015", "Aigul", key(1).private_bytes_raw().hex()):
        assert text.encode() not in raw
    keep = open_keep(store, SEAL)
    assert keep.book.voters[who(77)].surname == "Ысқақов"
    keep.close()


def test_nothing_wrong_is_stored(store: Path) -> None:
    keep = open_keep(busy(store), SEAL)
    before = state(keep)
    for event in (
        Event(keep.book.head.n + 2, MORNING.isoformat(), "close", {"officer": "c1"}, keep.book.head.hash),
        Event(keep.book.head.n + 1, MORNING.isoformat(), "close", {"officer": "c1"}, keep.log.start),
        Event(
            keep.book.head.n + 1,
            MORNING.isoformat(),
            "undo",
            {"of": 2, "reason": "x", "officer": "m1"},
            keep.book.head.hash,
        ),
    ):
        with pytest.raises((CustodyError, acts.LogError)):
            keep.append(event)
    assert state(keep) == before
    keep.close()
    keep = open_keep(store, SEAL)
    assert state(keep) == before
    keep.close()


def test_a_disk_that_fails_is_a_message_and_changes_nothing(store: Path) -> None:
    keep = open_keep(busy(store), SEAL)
    before = state(keep)
    event = acts.do_close(keep.book, "c1", MORNING)
    keep._database.execute("PRAGMA query_only = ON")
    with pytest.raises(BadInput, match=r"P\.015"):
        keep.append(event)
    assert state(keep) == before
    keep._database.execute("PRAGMA query_only = OFF")
    keep.append(event)
    keep.close()


def test_one_program_at_a_time(store: Path) -> None:
    keep = open_keep(store, SEAL)
    with pytest.raises(BadInput, match=r"P\.017"):
        open_keep(store, SEAL)
    keep.close()
    open_keep(store, SEAL).close()


def test_foreign_files_are_refused(store: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    sqlite3.connect(other).executescript("CREATE TABLE t (a); PRAGMA application_id = 7")
    (tmp_path / "text").write_text("not a store")
    (tmp_path / "empty").touch()
    for path in (other, tmp_path / "text", tmp_path / "empty", tmp_path / "none"):
        with pytest.raises(BadInput, match=r"P\.016"):
            open_keep(path, SEAL)
    with pytest.raises(BadInput, match=r"P\.016"):
        open_keep(store, SEAL, LogId(POLL, "2", 1))
    with pytest.raises(BadInput, match=r"P\.016"):
        create(store, package(), SEAL, key(1))
    with pytest.raises(BadInput, match=r"P\.015"):
        open_keep(store, b"x" * 32)


def test_a_changed_byte_is_seen_or_meant_nothing(store: Path, tmp_path: Path) -> None:
    """Any byte of the file: it is refused with one message, or everything in it is as before."""
    keep = open_keep(busy(store), SEAL)
    true = state(keep)
    keep.close()
    data, random, refused = store.read_bytes(), Random(1), 0
    for trial in range(120):
        changed = bytearray(data)
        changed[random.randrange(len(data))] ^= random.randrange(1, 256)
        path = tmp_path / f"t{trial}"
        path.write_bytes(changed)
        try:
            keep = open_keep(path, SEAL)
        except BadInput as error:
            assert error.check in ("P.015", "P.016"), error
            refused += 1
        else:
            assert state(keep) == true
            keep.close()
    assert refused > 30


@pytest.mark.parametrize("statement", [
    "DELETE FROM event WHERE n = 3", "DELETE FROM event WHERE n = 1", "UPDATE event SET n = 100 WHERE n = 8",
    "UPDATE event SET (bytes, mark) = (SELECT bytes, mark FROM event WHERE n = 4) WHERE n = 5",
    "UPDATE event SET bytes = CAST(replace(CAST(bytes AS TEXT), 'm1', 'm2') AS BLOB) WHERE n = 8", "DELETE FROM kept WHERE name = 'key'",
    "UPDATE kept SET sealed = (SELECT sealed FROM kept WHERE name = 'key') WHERE name = 'package'", "DROP TABLE late",
])  # fmt: skip
def test_a_hand_in_the_file_is_seen(store: Path, statement: str) -> None:
    with sqlite3.connect(busy(store)) as database:
        database.execute(statement)
    database.close()
    with pytest.raises(BadInput, match=r"P\.015"):
        open_keep(store, SEAL)


def test_a_log_cut_at_its_end_is_seen_once_the_centre_has_acknowledged_it(store: Path) -> None:
    keep = open_keep(busy(store), SEAL)
    keep.hear(Answer(keep.log, keep.public, "", keep.book.head))
    keep.close()
    with sqlite3.connect(store) as database:
        database.execute("DELETE FROM event WHERE n = 8")
    database.close()
    with pytest.raises(BadInput, match=r"the centre has 8 events"):
        open_keep(store, SEAL)


def test_a_torn_write_leaves_the_beginning_of_the_log(store: Path, tmp_path: Path) -> None:
    """The write-ahead log, cut at any byte: what remains is a true beginning, never something else."""
    keep = open_keep(store, SEAL)
    keep.append(acts.do_open(keep.book, "c1", MORNING))
    for number in range(5):
        keep.append(acts.do_check_in(keep.book, who(number), officer="m1", salt=bytes(10), at=MORNING))
    hashes = [Head.before(keep.log).hash, *keep.book.hashes]
    wal = store.with_name(store.name + "-wal").read_bytes()
    main = store.read_bytes()
    keep.close()
    lengths = set()
    for cut in [0, 1, 31, 32, *range(40, len(wal), 397), len(wal) - 1, len(wal)]:
        path = tmp_path / f"torn{cut}"
        path.write_bytes(main)
        path.with_name(path.name + "-wal").write_bytes(wal[:cut])
        keep = open_keep(path, SEAL)
        n = keep.book.head.n
        assert keep.book.head.hash == hashes[n]
        lengths.add(n)
        keep.close()
    assert lengths == set(range(7)), "every length of the log comes up, the whole log with the whole file"


def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    store = made(tmp_path / "victim", 600)
    random, acknowledged = Random(2), 0
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("keep_victim.py")), str(store)],
            stdout=subprocess.PIPE, env=environment,
        )  # fmt: skip
        assert process.stdout is not None
        first = b"".join(process.stdout.readline() for _ in range(random.randint(1, 60)))
        process.send_signal(signal.SIGKILL)
        said = (first + process.stdout.read()).decode().split("\n")
        process.stdout.close()
        process.wait()
        acknowledged = max(int(line) for line in said[:-1])
        keep = open_keep(store, SEAL)
        assert acknowledged <= keep.book.head.n <= acknowledged + 1
        assert len(keep.book.check_ins) == keep.book.head.n - 1
        keep.close()
    assert acknowledged > 10
