"""Is the frame of a poll the list that stands frozen in its record? A small poll's bundle, drawn from."""

from __future__ import annotations

from pathlib import Path

import pytest

from dauys.errors import DauysError
from dauys.observe.sample.draw import Plan, draw
from dauys.observe.sample.frame import Columns, read_frame, record_frame
from dauys.record.checkpoint import Checkpoint, sign
from dauys.record.entry import Entry
from dauys.record.note import SigningKey
from dauys.record.tiles import folder_fetch, write_tiles
from dauys.registers.poll import Station


def bundle(folder: Path, kinds: list[tuple[str, dict[str, object]]]) -> Path:
    """Tiles and a checkpoint, as a bundle has them."""
    entries = [
        Entry("test/small", kind, f"{kind}/{n}", "2022-06-05T20:00:00+06:00", "commission", body)
        for n, (kind, body) in enumerate(kinds)
    ]
    tree = write_tiles(folder, [entry.to_bytes() for entry in entries])
    note = sign(Checkpoint("dauys/test", len(entries), tree.root()), SigningKey.generate("dauys/test"))
    (folder / "checkpoint").write_text(note)
    return folder


def test_the_list_of_the_record_is_the_frame(tmp_path: Path) -> None:
    stations = [Station(f"S-{n}", f"A{n % 2}", 100 + n, abroad=n == 3) for n in range(40)]
    lists = [{"stations": [one.to_json() for one in part]} for part in (stations[:25], stations[25:])]
    folder = bundle(
        tmp_path / "bundle", [("poll", {}), ("stations", lists[0]), ("stations", lists[1]), ("closing", {})]
    )
    data = record_frame(folder_fetch(folder))
    assert data == record_frame(folder_fetch(folder))
    path = tmp_path / "frame.csv"
    path.write_bytes(data)
    listed = read_frame(path, Columns(("id",), ("area",), "eligible"))
    assert listed.ids == tuple(one.id for one in stations) and listed.strata == tuple(one.area for one in stations)
    assert listed.sizes is not None and listed.sizes.tolist() == [one.eligible for one in stations]
    assert "\nS-3,A1,103,1\n" in data.decode()
    assert len(draw(listed, Plan(10, "proportional"), "dice").stations) == 10


def test_a_record_without_a_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DauysError, match="no list of stations"):
        record_frame(folder_fetch(bundle(tmp_path / "bundle", [("poll", {}), ("closing", {})])))
