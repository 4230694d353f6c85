"""Can others read the published tiles? Oracle: `aics_tlog` audits what we write, at every size a checkpoint had."""

from __future__ import annotations

from collections import Counter

import aics_tlog
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dauys.errors import DauysError
from dauys.record.merkle import Frontier, consistency_proof, consistency_proof_from, leaf_hash, root, root_from
from dauys.record.tiles import (
    NotPublished,
    Tile,
    TileError,
    entry_bundle,
    folder_fetch,
    hash_tile,
    nodes_of,
    read_entries,
    read_leaf_hashes,
    render_tiles,
    split_bundle,
    tiles_of,
    write_tiles,
)


def entries(size: int) -> list[bytes]:
    return [f"entry {index}".encode() * (index % 3) for index in range(size)]


def hashes(size: int) -> list[bytes]:
    return [leaf_hash(entry) for entry in entries(size)]


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(1, 999, 5), "tile/1/999.p/5"),
        (Tile(0, 1000), "tile/0/x001/000"),
        (Tile(63, 1234067), "tile/63/x001/x234/067"),  # the example of the specification
        (Tile(None, 1234067, 255), "tile/entries/x001/x234/067.p/255"),
    ],
)
def test_paths(tile, path):
    assert tile.path == path
    assert Tile.parse(path) == tile


@settings(deadline=None)
@given(st.none() | st.integers(0, 63), st.integers(0, 10**12), st.integers(1, 256))
def test_every_path_names_its_tile(level, index, width):
    assert Tile.parse(Tile(level, index, width).path) == Tile(level, index, width)


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/00/001",
        "tile/64/001",
        "tile/0/001.p/0",
        "tile/0/001.p/05",
        "tile/0/001.p/256",
        "tile/0/x001",
        "tile/0/001\n",
        "tile/0/../../etc/passwd",
        "tile/entries/٠٠١",
        "/tile/0/001",
    ],
)
def test_other_paths_name_none(path):
    with pytest.raises(TileError):
        Tile.parse(path)


def test_the_example_of_the_specification_of_70_000_entries():
    tiles = list(tiles_of(70_000))
    assert Counter((tile.level, tile.width) for tile in tiles) == {
        (None, 256): 273,
        (None, 112): 1,
        (0, 256): 273,
        (0, 112): 1,
        (1, 256): 1,
        (1, 17): 1,
        (2, 1): 1,
    }
    assert [tile.path for tile in tiles_of(256)] == ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]
    assert list(tiles_of(0)) == []
    assert all(tile.stop <= 70_000 for tile in tiles)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 1400), st.sets(st.integers(1, 1400), max_size=3))
def test_what_is_rendered_is_what_a_log_of_that_size_has(size, sizes):
    sizes = {at for at in sizes if at <= size}
    tree = Frontier()
    made: dict[Tile, bytes] = {}
    for tile, data in render_tiles(entries(size), sizes, tree):
        assert made.setdefault(tile, data) == data  # a tile that two sizes share is rendered twice, the same
    assert set(made) == set(tiles_of(size)).union(*(tiles_of(at) for at in sizes))
    assert (tree.size, tree.root()) == (size, root(hashes(size)))


def test_upper_levels_of_a_large_log():
    size = 65_536 + 256 + 3
    leaves = hashes(size)
    made = dict(render_tiles(entries(size)))
    assert set(made) == set(tiles_of(size))
    for tile in (Tile(2, 0, 1), Tile(1, 0), Tile(1, 1, 1), Tile(0, 257, 3), Tile(0, 256)):
        assert hash_tile(tile.level, tile.index, tile.width, lambda start, stop: leaves[start:stop]) == made[tile]
    fetch = {tile.path: data for tile, data in made.items()}.__getitem__
    assert root_from(nodes_of(fetch, size), size) == root(leaves)
    assert aics_tlog.tree_root_from_tiles(
        aics_tlog.MemoryTileReader({t.path: d for t, d in made.items()}), size
    ) == root(leaves)


def test_another_implementation_audits_the_folder(tmp_path):
    size, earlier = 1000, [1, 255, 256, 700, 900]
    tree = write_tiles(tmp_path, entries(size), earlier)
    assert tree.root() == root(hashes(size))
    reader = aics_tlog.FileSystemTileReader(tmp_path)
    for at in [*earlier, size]:
        assert aics_tlog.audit_tiles(reader, at, root(hashes(at))).size == at  # raises at the first wrong tile
        proof = aics_tlog.consistency_proof_from_tiles(reader, at, size)
        assert list(proof) == consistency_proof(hashes(size), at)
        assert list(proof) == consistency_proof_from(nodes_of(folder_fetch(tmp_path), size), at, size)
    assert aics_tlog.read_entry(reader, 700, size) == entries(size)[700]


def test_we_read_the_folder_of_another_implementation(tmp_path):
    writer = aics_tlog.IncrementalTileWriter(aics_tlog.DirectoryTileStore(tmp_path, fsync=False))
    writer.append(entries(600))
    fetch = folder_fetch(tmp_path)
    assert list(read_entries(fetch, 600)) == entries(600)
    assert list(read_entries(fetch, 600, 511)) == entries(600)[511:]
    assert list(read_leaf_hashes(fetch, 600, 256)) == hashes(600)[256:]
    assert root_from(nodes_of(fetch, 600), 600) == root(hashes(600))


def test_an_earlier_size_is_read_from_the_full_tile(tmp_path):
    write_tiles(tmp_path, entries(300))  # no partial tiles for 200 are kept
    assert list(read_entries(folder_fetch(tmp_path), 200)) == entries(200)
    assert root_from(nodes_of(folder_fetch(tmp_path), 200), 200) == root(hashes(200))


def test_what_is_missing_or_cut_off_is_said(tmp_path):
    write_tiles(tmp_path, entries(300))
    fetch = folder_fetch(tmp_path)
    with pytest.raises(NotPublished, match="entries/001"):
        list(read_entries(fetch, 301))
    partial = tmp_path / "tile/entries/001.p/44"
    partial.write_bytes(partial.read_bytes()[:-1])
    with pytest.raises(TileError, match="cut off after 43"):
        list(read_entries(fetch, 300))
    partial.write_bytes(entry_bundle(entries(20)))
    with pytest.raises(TileError, match="holds 20, expected 44"):
        list(read_entries(fetch, 300))
    hash_file = tmp_path / "tile/0/001.p/44"
    hash_file.write_bytes(bytes(31))
    with pytest.raises(TileError, match="a multiple of 32"):
        list(read_leaf_hashes(fetch, 300))
    hash_file.write_bytes(bytes(32))
    with pytest.raises(TileError, match="holds 1, expected 44"):
        list(read_leaf_hashes(fetch, 300))


@settings(deadline=None)
@given(st.lists(st.binary(max_size=300), max_size=20))
def test_bundles(items):
    assert split_bundle(entry_bundle(items)) == items


def test_an_entry_longer_than_a_bundle_can_say_is_refused():
    assert split_bundle(entry_bundle([b"a" * 65_535])) == [b"a" * 65_535]
    with pytest.raises(DauysError, match="entry 1 has 65,536 bytes"):
        list(render_tiles([b"", b"a" * 65_536]))


def test_a_tile_of_a_log_too_short_is_refused():
    with pytest.raises(TileError, match="no entries 0 to 255"):
        hash_tile(1, 0, 1, lambda start, stop: hashes(200)[start:stop])
