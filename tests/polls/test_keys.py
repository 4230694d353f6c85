"""Whose key files are these? Two polls never share them, though their names on disk may be the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from dauys.errors import DauysError
from dauys.polls.keys import keys_of, new_keys, throwaway_keys
from dauys.polls.opening import load_poll, open_poll
from dauys.record import log
from dauys.record.entry import MAX_ENTRY_BYTES
from dauys.registers.poll import Station
from dauys.registers.poll_file import read_poll

POLL = read_poll(Path(__file__).parents[1] / "end_to_end/small/poll.yaml").poll


@pytest.mark.parametrize("reconstruction", [False, True])
def test_a_poll_never_takes_the_key_files_of_another(tmp_path: Path, reconstruction: bool) -> None:
    first = replace(POLL, id="test/x", reconstruction=reconstruction)
    second = replace(first, id="test-x")
    keys = new_keys(first, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert tmp_path / "test-x.log.key" in before
    for load in (new_keys, keys_of):
        with pytest.raises(DauysError, match=r"is the key of test/x: .* of test-x .*another name"):
            load(second, tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert keys_of(first, tmp_path).public == new_keys(first, tmp_path).public == keys.public


def test_keys_that_are_not_there_are_not_made_again(tmp_path: Path) -> None:
    with pytest.raises(DauysError, match="bring them back from your backup"):
        keys_of(POLL, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.database
def test_a_poll_that_no_single_entry_holds_is_opened(connection: sa.Connection, tmp_path: Path) -> None:
    names = dict.fromkeys(("kk", "ru", "en"), "a territory with a long name")
    areas = tuple(replace(POLL.areas[0], code=f"area-{n}", names=names) for n in range(500))
    large = replace(POLL, id="test/large", areas=areas)
    open_poll(connection, large, [Station("s", "area-1", 1)], new_keys(large, tmp_path), large.closing())
    assert load_poll(connection, large.id).to_json() == large.to_json()
    assert log.size(connection, large.id) > 5
    assert all(len(data) <= MAX_ENTRY_BYTES for _, data in log.read(connection, large.id))


def test_throwaway_keys_are_kept_nowhere_and_never_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first, second = throwaway_keys(POLL), throwaway_keys(POLL)
    assert first.public != second.public and list(tmp_path.iterdir()) == []
