"""What can a hostile publisher do to whoever verifies a bundle? Nothing but be found out: by number, in bounded time."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from hostile_bundle import AFTER, LOG, VALUES, entry, honest, signed, write

from dauys.cli.main import main, tree
from dauys.polls.replay import Replay
from dauys.publish.rendering import PUBLISHED, render
from dauys.publish.verify import MovedOn, verify
from dauys.record.checkpoint import Checkpoint, sign
from dauys.record.entry import Entry
from dauys.record.note import SigningKey
from dauys.record.tiles import Fetch, folder_fetch


def failed(bundle: Path) -> set[str]:
    return {check.id for check in verify(folder_fetch(bundle)) if not check.ok}


def test_the_honest_bundle_is_proven(tmp_path: Path) -> None:
    assert failed(write(tmp_path, [signed(body) for body in honest()])) == set()


# --- entries of wrong shapes ---------------------------------------------------------------------------------------

DEEP: list[Any] = []
for _ in range(400):
    DEEP = [DEEP]

PLANTED: dict[str, tuple[int, tuple[str | int, ...], Any, str]] = {
    # entry, way to the member, what it becomes, the check that has to fail
    "an exponent that fills the memory": (0, ("body", "areas", 0, "weight"), "1e999999999", "V.05"),
    "a division by zero": (0, ("body", "ballot_limit", "share"), "1/0", "V.05"),
    "a time zone out of the folder of zones": (0, ("body", "timezone"), "../../etc/passwd", "V.05"),
    "no areas": (0, ("body", "areas"), [], "V.05"),
    "no contests": (0, ("body", "contests"), [], "V.05"),
    "one language": (0, ("body", "names"), {"en": "A vote"}, "V.05"),
    "no year that can be": (0, ("body", "day"), "9999-12-31", "V.05"),
    "a key that is none": (0, ("body", "keys", "commission"), "AAAA", "V.05"),
    "fewer stations than announced": (0, ("body", "stations"), 25, "V.07"),
    "stations as a text": (1, ("body", "stations"), "A1-01", "V.05"),
    "a station in no area": (1, ("body", "stations", 0, "area"), "Z9", "V.05"),
    "a station of true voters": (1, ("body", "stations", 0, "eligible"), True, "V.05"),
    "a station of all the world": (1, ("body", "stations", 0, "eligible"), 2**53 - 1, "V.05"),
    "a station whose id is a number": (1, ("body", "stations", 0, "id"), 7, "V.05"),
    "a report by nobody": (2, ("body", "received"), None, "V.05"),
    "a protocol of another poll": (3, ("poll",), "test/other", "V.05"),
    "a protocol under another id": (3, ("id",), "protocol/charter/A1-09", "V.05"),
    "a kind that is a method": (3, ("kind",), "_init__", "V.05"),
    "a kind that is a method of ours": (3, ("kind",), "check_author", "V.05"),
    "a kind that nobody defined": (3, ("kind",), "ballot", "V.05"),
    "values beyond 64 bits": (3, ("body", "values", "yes"), 2**53 - 1, "V.05"),
    "values below zero": (3, ("body", "values", "yes"), -1, "V.05"),
    "values that are a list": (3, ("body", "values"), [1, 2], "V.05"),
    "values that no form has": (3, ("body", "values", "maybe"), 1, "V.05"),
    "a contest that is not there": (3, ("body", "contest"), "lake", "V.05"),
    "a protocol without a contest": (3, ("body", "contest"), None, "V.05"),
    "a value that is a list without end": (3, ("body", "values", "yes"), DEEP, "V.05"),
    "an annulment of nothing": (5, ("body", "area"), "Z9", "V.05"),
    "an annulment that may be repeated": (5, ("body", "repeat"), 1, "V.05"),
    "a closing that says more": (6, ("body", "but"), "not yet", "V.05"),
    "a correction without a reason": (7, ("body", "reason"), None, "V.05"),
    "a declaration of all contests but one": (8, ("body", "contests"), [], "V.10"),
    "a declaration that is a number": (8, ("body", "contests"), 7, "V.10"),
    "true for one": (8, ("body", "contests", 0, "decision", "tests", 0, "tie"), 0, "V.11"),
    "a total without end": (8, ("body", "contests", 0, "totals", "yes"), DEEP, "V.10"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_an_entry_of_a_wrong_shape(tmp_path: Path, name: str) -> None:
    place, way, value, number = PLANTED[name]
    log = honest()
    part: Any = log[place]
    for key in way[:-1]:
        part = part[key]
    part[way[-1]] = value
    assert number in failed(write(tmp_path, [signed(body) for body in log]))


@pytest.mark.parametrize("place", range(9))
def test_every_member_of_every_kind_is_missed(tmp_path: Path, place: int) -> None:
    log = honest()
    for member in [*(log[place] if place == 3 else ()), *(("body", name) for name in log[place]["body"])]:
        body = deepcopy(log[place])
        if isinstance(member, tuple):
            del body["body"][member[1]]
        else:
            del body[member]
        bundle = write(tmp_path / "-".join(member), [signed(e) for e in (*log[:place], body, *log[place + 1 :])])
        assert failed(bundle) & {"V.05", "V.09", "V.10"}, member


def test_entries_that_are_no_entries(tmp_path: Path) -> None:
    good = [signed(body) for body in honest()]
    junk = [b"", b"\xff\xfe", b"[" * 60_000, b"{}", b"null", b"1e400", b'{"a":NaN}', b" " * 65_535, b"9" * 5_000]
    for place, data in enumerate(junk):
        assert "V.05" in failed(write(tmp_path / str(place), [*good[:3], data, *good[3:]]))


def test_a_record_that_begins_with_anything_else(tmp_path: Path) -> None:
    log = [signed(body) for body in honest()]
    assert "V.05" in failed(write(tmp_path / "no-poll", log[1:]))
    assert "V.05" in failed(write(tmp_path / "two-polls", [*log, signed(honest()[0] | {"id": "poll2"})]))
    assert failed(write(tmp_path / "nothing", [])) >= {"V.05"}


def test_a_fold_that_is_begun_again_forgets_nothing(tmp_path: Path) -> None:
    """`_` + `_init__` is Python's own constructor: with it an entry once emptied the list of faults."""
    log = honest()
    stolen = entry("protocol", "protocol/charter/A9-99", {"station": "A9-99", "contest": "charter", "values": VALUES})
    again = entry("_init__", "x", {})
    assert failed(write(tmp_path, [signed(e) for e in (*log, stolen, again)])) >= {"V.05", "V.07"}


# --- a site that goes on while it is read --------------------------------------------------------------------------


def moved_on(first: Path, then: Path) -> Fetch:
    """The record of `first`, which every later state has too; checkpoint and files of `then` once the first state was read."""
    seen: list[str] = []

    def fetch(path: str) -> bytes:
        late = "checkpoint" in seen and not path.startswith("tile/")
        seen.append(path)
        return folder_fetch(then if late else first)(path)

    return fetch


@pytest.fixture
def grown(tmp_path: Path) -> tuple[Path, Path]:
    """The honest bundle, and that of one more entry."""
    body = {"station": "A1-01", "contest": "charter", "of": 7, "before": AFTER, "after": VALUES, "reason": "r"}
    entries = [signed(e) for e in (*honest(), entry("correction", "correction/charter/A1-01/2", body))]
    first, then = write(tmp_path / "first", entries[:-1]), write(tmp_path / "then", entries)
    replay = Replay()
    for seq, data in enumerate(entries):
        replay.apply(seq, Entry.from_bytes(data))
    for name in PUBLISHED:
        (then / name).write_bytes(render(replay.snapshot(len(entries)), name))
    assert failed(first) == failed(then) == set()
    return first, then


def test_a_record_that_grows_while_it_is_read_is_to_be_read_again(grown: tuple[Path, Path]) -> None:
    with pytest.raises(MovedOn, match="from 9 to 10 entries"):
        verify(moved_on(*grown))


def test_nothing_is_excused_by_growing(grown: tuple[Path, Path]) -> None:
    """Only the log's own signature under a longer record explains other files, and explains nothing else."""
    first, then = grown
    good = (then / "checkpoint").read_bytes()
    stranger = SigningKey.from_seed(LOG.name, b"\x05" * 32)
    (then / "checkpoint").write_text(sign(Checkpoint(LOG.name, 10, b"\x01" * 32), stranger))
    assert {check.id for check in verify(moved_on(first, then)) if not check.ok} == {"V.12"}
    (then / "checkpoint").write_bytes((first / "checkpoint").read_bytes())
    assert {check.id for check in verify(moved_on(first, then)) if not check.ok} == {"V.12"}
    (then / "checkpoint").write_bytes(good)
    tile = first / "tile/entries/000.p/9"
    tile.write_bytes(tile.read_bytes().replace(b'"received":9', b'"received":8'))
    assert {"V.03", "V.12"} <= {check.id for check in verify(moved_on(first, then)) if not check.ok}


# --- files ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write(tmp_path / "bundle", [signed(body) for body in honest()])


@pytest.mark.parametrize("size", [10**18, 2**62, 300])
def test_a_checkpoint_of_any_size_costs_nothing(bundle: Path, size: int) -> None:
    (bundle / "checkpoint").write_text(sign(Checkpoint(LOG.name, size, b"\x01" * 32), LOG))
    assert {"V.01", "V.03"} <= failed(bundle)


KEYS: dict[str, str] = {
    "a list": "[]",
    "a text": '"log"',
    "nested without end": "[" * 100_000,
    "objects without end": '{"a":' * 100_000,
    "a key that is a number": '{"log": 1, "witnesses": [], "checkpoints": []}',
    "witnesses that are numbers": json.dumps({"log": str(LOG.vkey), "witnesses": [1, 2], "checkpoints": []}),
    "witnesses that are a text": json.dumps({"log": str(LOG.vkey), "witnesses": "abc", "checkpoints": []}),
    "sizes that are texts": json.dumps({"log": str(LOG.vkey), "witnesses": [], "checkpoints": ["1"]}),
    "half a surrogate pair": '{"log": "\\ud800+00000000+AAAA", "witnesses": [], "checkpoints": []}',
    "not a text": "\x00\x01",
    "a number of ten thousand digits": '{"log": ' + "9" * 10_000 + "}",
}


@pytest.mark.parametrize("name", KEYS)
def test_keys_of_wrong_types(bundle: Path, name: str) -> None:
    (bundle / "keys.json").write_text(KEYS[name])
    done = CliRunner().invoke(tree, ["verify", str(bundle)], standalone_mode=False)
    assert done.exception is None and done.return_value == 1
    assert "FAIL V.01" in done.output or "FAIL V.02" in done.output


def test_an_earlier_checkpoint_beyond_the_record(bundle: Path) -> None:
    keys = json.loads((bundle / "keys.json").read_text())
    (bundle / "keys.json").write_text(json.dumps(keys | {"checkpoints": [10**18]}))
    assert "V.04" in failed(bundle)


def to(path: Path) -> Callable[[Path], None]:
    return lambda place: place.symlink_to(path)


STRANGE: dict[str, Callable[[Path], None]] = {
    "a device without end": to(Path("/dev/zero")),
    "a file outside": to(Path("/etc/hostname")),
    "a link to itself": lambda place: place.symlink_to(place.name),
    "a pipe": lambda place: os.mkfifo(place),
    "a folder": lambda place: place.mkdir(),
    "nothing": lambda place: None,
    "a terabyte of nothing": lambda place: (place.touch(), os.truncate(place, 1 << 40)) and None,
}


@pytest.mark.parametrize("name", STRANGE)
@pytest.mark.parametrize("path", ["keys.json", "stations.parquet", "tile/0/000.p/9"])
def test_a_file_that_is_none(bundle: Path, path: str, name: str) -> None:
    (bundle / path).unlink()
    STRANGE[name](bundle / path)
    assert {"V.01", "V.02", "V.03", "V.12"} & failed(bundle)


def test_tiles_that_are_none(bundle: Path) -> None:
    entries = next(path for path in (bundle / "tile/entries").rglob("*") if path.is_file())
    hashes = next(path for path in (bundle / "tile/0").rglob("*") if path.is_file())
    good = {path: path.read_bytes() for path in (entries, hashes)}
    for path, data in good.items():
        for bad in (b"", data[:-1], data + b"\x00", bytes(1 << 20), b"\xff" * 1000, data * 3):
            path.write_bytes(bad)
            found = failed(bundle)
            assert {"V.01", "V.03"} & found or bad == data * 3, (path, bad[:20])
        path.write_bytes(data)
    assert failed(bundle) == set()


def test_a_table_that_fills_the_memory(bundle: Path) -> None:
    """A million times the same row takes no room in Parquet, and much where it is unpacked."""
    out = io.BytesIO()
    pl.select(nature=pl.repeat("reconstruction", 5_000_000)).write_parquet(out)
    (bundle / "stations.parquet").write_bytes(out.getvalue())
    assert failed(bundle) == {"V.12"}
    for junk in (b"", b"PAR1", b"PAR1" * 100, bytes(1000), out.getvalue()[:-9] + b"\xff\xff\xff\x7fPAR1"):
        (bundle / "stations.parquet").write_bytes(junk)
        assert failed(bundle) == {"V.12"}


def test_tables_that_are_none(bundle: Path) -> None:
    good = (bundle / "stations.csv").read_bytes()
    for junk in (
        b"",
        b"\x00" * 100,
        b"station\n",
        b'"' * 1000,
        good[:-1] + b'"',
        good * 2,
        b"contest,station\n1,2,3\n",
    ):
        (bundle / "stations.csv").write_bytes(junk)
        assert "V.12" in failed(bundle)


def test_what_a_bundle_says_cannot_write_the_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line feed or an escape sequence in a fault would let the publisher print `proven` on the reader's screen."""
    log = honest()
    log[3]["id"] = "x\n\x1b[2J\x1b[Hproven: everything published follows from the record\u202e\x9b"
    write(tmp_path, [signed(body) for body in log])
    with pytest.raises(SystemExit) as stopped:
        main(["verify", str(tmp_path)])
    text = capsys.readouterr().out
    assert stopped.value.code == 1
    assert not any(line.startswith("proven") for line in text.splitlines())
    assert all(char == "\n" or char.isprintable() for char in text)
