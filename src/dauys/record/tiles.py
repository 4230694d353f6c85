"""How is the log published so that anyone can fetch and check any part of it? Tiles after C2SP `tlog-tiles`.

A hash tile of level L holds up to 256 hashes, each over 256**L leaves; an entry bundle holds up to 256 entries. What is
full never changes. Everything here takes or gives plain bytes: `fetch(path)` may read a folder or an address.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from dauys.errors import DauysError
from dauys.record.merkle import HASH_SIZE, Frontier, Node, leaf_hash, root
from dauys.regular_file import read_regular

WIDTH = 256
MAX_ENTRY_BYTES = 65_535

Fetch = Callable[[str], bytes]
LeafHashes = Callable[[int, int], Sequence[bytes]]


class TileError(DauysError):
    """A tile that is malformed, or a path that names none."""


class NotPublished(TileError):
    """The log does not have the file asked for."""


class Unreachable(TileError):
    """A file could not be asked for: the line broke, or the server failed. It says nothing about the log."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One published file: a hash tile of `level` 0 to 63, or, with `level` None, an entry bundle."""

    level: int | None
    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """`tile/<L>/x001/x234/067`, with `.p/<W>` when partial."""
        digits = f"{self.index:03d}"
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        number = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
        level = "entries" if self.level is None else str(self.level)
        return f"tile/{level}/{number}" + ("" if self.width == WIDTH else f".p/{self.width}")

    @property
    def full(self) -> Tile:
        return Tile(self.level, self.index)

    @property
    def start(self) -> int:
        """The first entry that the tile covers."""
        return self.index << (8 * ((self.level or 0) + 1))

    @property
    def stop(self) -> int:
        """One past the last entry that the tile covers: it exists once the log has this many."""
        return self.start + (self.width << (8 * (self.level or 0)))

    @classmethod
    def parse(cls, path: str) -> Tile:
        """The tile that a path names, spelled in its one valid way. Raises TileError."""
        match = _PATH.fullmatch(path)
        if match is None:
            raise TileError(f"{path[:80]!r} names no tile")
        level, number, width = match.groups()
        index = int(number.replace("x", "").replace("/", ""))
        tile = cls(None if level == "entries" else int(level), index, int(width or WIDTH))
        if tile.path != path:
            raise TileError(f"{path[:80]!r} names no tile; did you mean {tile.path}?")
        return tile


_PATH = re.compile(
    r"tile/(entries|[0-9]|[1-5][0-9]|6[0-3])/((?:x[0-9]{3}/){0,6}[0-9]{3})"
    r"(?:\.p/([1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5]))?"
)


def tiles_of(size: int) -> Iterator[Tile]:
    """Every tile and bundle of a log of `size` entries, its partial ones at their width for that size."""
    level = 0
    while (hashes := size >> (8 * level)) > 0:
        for kind in (None, 0) if level == 0 else (level,):
            yield from (Tile(kind, index) for index in range(hashes // WIDTH))
            if hashes % WIDTH:
                yield Tile(kind, hashes // WIDTH, hashes % WIDTH)
        level += 1


def partial_tiles_of(size: int) -> Iterator[Tile]:
    """Those of `tiles_of(size)` that are partial: at most one of each level."""
    level = 0
    while (hashes := size >> (8 * level)) > 0:
        if hashes % WIDTH:
            for kind in (None, 0) if level == 0 else (level,):
                yield Tile(kind, hashes // WIDTH, hashes % WIDTH)
        level += 1


def hash_tile(level: int, index: int, width: int, leaf_hashes: LeafHashes) -> bytes:
    """One hash tile, from `leaf_hashes(start, stop)`; it asks for 256**level of them at a time.

    A server that keeps leaf hashes in a database answers `tile/<L>/<N>` with this; the caller has checked that the log
    is long enough (`Tile.stop`).
    """
    if level == 0:
        return b"".join(_exactly(leaf_hashes, index * WIDTH, index * WIDTH + width))
    span = 1 << (8 * level)
    starts = range(index * WIDTH * span, (index * WIDTH + width) * span, span)
    return b"".join(root(_exactly(leaf_hashes, start, start + span)) for start in starts)


def entry_bundle(entries: Iterable[bytes]) -> bytes:
    """Entries, each behind its length in two bytes, big-endian."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def split_bundle(data: bytes) -> list[bytes]:
    """The entries of a bundle. Raises TileError if it is cut off."""
    entries: list[bytes] = []
    at = 0
    while at < len(data):
        start = at + 2
        at = start + int.from_bytes(data[at:start], "big")
        if start > len(data) or at > len(data):
            raise TileError(f"an entry bundle is cut off after {len(entries)} entries")
        entries.append(data[start:at])
    return entries


def split_hashes(data: bytes) -> list[bytes]:
    if len(data) % HASH_SIZE:
        raise TileError(f"a hash tile of {len(data)} bytes; expected a multiple of {HASH_SIZE}")
    return [data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE)]


def render_tiles(
    entries: Iterable[bytes], sizes: Collection[int] = (), tree: Frontier | None = None
) -> Iterator[tuple[Tile, bytes]]:
    """Every file of the log, streaming: a full tile as soon as it is full, partial ones at the end.

    `sizes` are those of earlier checkpoints: their partial tiles are rendered too, as the format demands. `tree`, when
    given, is an empty Frontier that grows along and knows size and root at the end. Memory: one open tile per level.
    """
    bundle: list[bytes] = []
    open_tiles: list[list[bytes]] = [[]]
    size, sizes = 0, frozenset(sizes)

    def partial() -> Iterator[tuple[Tile, bytes]]:
        if bundle:
            yield Tile(None, size // WIDTH, len(bundle)), entry_bundle(bundle)
        for level, hashes in enumerate(open_tiles):
            if hashes:
                yield Tile(level, size >> (8 * (level + 1)), len(hashes)), b"".join(hashes)

    for entry in entries:
        if len(entry) > MAX_ENTRY_BYTES:
            raise TileError(f"entry {size} has {len(entry):,} bytes, more than {MAX_ENTRY_BYTES:,}")
        hashed = leaf_hash(entry)
        if tree is not None:
            tree.append(hashed)
        bundle.append(entry)
        open_tiles[0].append(hashed)
        size += 1
        if len(bundle) == WIDTH:
            yield Tile(None, size // WIDTH - 1), entry_bundle(bundle)
            bundle.clear()
            level = 0
            while len(full := open_tiles[level]) == WIDTH:
                yield Tile(level, (size >> (8 * (level + 1))) - 1), b"".join(full)
                if len(open_tiles) == level + 1:
                    open_tiles.append([])
                open_tiles[level + 1].append(root(full))
                full.clear()
                level += 1
        if size in sizes:
            yield from partial()
    if size not in sizes:
        yield from partial()


def write_tiles(folder: Path, entries: Iterable[bytes], sizes: Collection[int] = ()) -> Frontier:
    """Writes every file of the log below `folder` (`tile/...`); returns the tree, for its size and root."""
    tree, made = Frontier(), set[Path]()
    for tile, data in render_tiles(entries, sizes, tree):
        path = folder / tile.path
        if path.parent not in made:
            path.parent.mkdir(parents=True, exist_ok=True)
            made.add(path.parent)
        path.write_bytes(data)
    return tree


def folder_fetch(folder: Path) -> Fetch:
    """Reads published files from a folder."""

    here = folder.resolve()

    def fetch(path: str) -> bytes:
        try:
            if not (folder / path).resolve().is_relative_to(here):
                raise TileError(f"{folder / path} is a link that leads out of the folder")
            return read_regular(folder / path, largest(path))
        except (FileNotFoundError, NotADirectoryError):
            raise NotPublished(f"{folder / path} is missing") from None
        except (OSError, RuntimeError) as error:  # RuntimeError: links that lead in a circle
            raise TileError(f"{folder / path} cannot be read: {error}") from None

    return fetch


def largest(path: str) -> int:
    """The most bytes that a published file can have: a full bundle of full entries; more for a table of the stations."""
    return 32 << 20 if path.startswith(("tile/", "checkpoint", "keys.json")) else 1 << 30


def read_tile(fetch: Fetch, tile: Tile) -> bytes:
    """One tile; a partial one that is no longer kept is cut from the full one. Raises TileError if it is too short."""
    try:
        data = fetch(tile.path)
    except NotPublished:
        if tile.width == WIDTH:
            raise
        data = fetch(tile.full.path)
    if tile.level is None:
        entries = split_bundle(data)
        found, data = len(entries), entry_bundle(entries[: tile.width])
    else:
        found, data = len(split_hashes(data)), data[: tile.width * HASH_SIZE]
    if found < tile.width:
        raise TileError(f"{tile.path} holds {found}, expected {tile.width}")
    return data


def read_entries(fetch: Fetch, size: int, start: int = 0) -> Iterator[bytes]:
    """The entries from `start` up to `size`, bundle by bundle; nothing is checked against a root here."""
    for index in range(start // WIDTH, -(-size // WIDTH)):
        first = index * WIDTH
        entries = split_bundle(read_tile(fetch, Tile(None, index, min(WIDTH, size - first))))
        yield from entries[max(0, start - first) :]


def read_leaf_hashes(fetch: Fetch, size: int, start: int = 0) -> Iterator[bytes]:
    """The leaf hashes from `start` up to `size`, tile by tile; nothing is checked against a root here."""
    for index in range(start // WIDTH, -(-size // WIDTH)):
        first = index * WIDTH
        hashes = split_hashes(read_tile(fetch, Tile(0, index, min(WIDTH, size - first))))
        yield from hashes[max(0, start - first) :]


def nodes_of(fetch: Fetch, size: int, cached: int = 64) -> Node:
    """The subtree hashes of a log of `size` entries, for `merkle.root_from` and proofs; reads only the tiles needed."""

    @lru_cache(cached)
    def hashes(level: int, index: int) -> list[bytes]:
        return split_hashes(read_tile(fetch, Tile(level, index, min(WIDTH, (size >> (8 * level)) - index * WIDTH))))

    def node(level: int, index: int) -> bytes:
        tile_level, height = divmod(level, 8)
        tile_index, first = divmod(index << height, WIDTH)
        return root(hashes(tile_level, tile_index)[first : first + (1 << height)])

    return node


def _exactly(leaf_hashes: LeafHashes, start: int, stop: int) -> Sequence[bytes]:
    found = leaf_hashes(start, stop)
    if len(found) != stop - start:
        raise TileError(f"the log has no entries {start} to {stop - 1}")
    return found
