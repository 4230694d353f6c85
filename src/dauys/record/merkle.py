"""Is this entry in the log, and is this log a continuation of that one? Merkle trees after RFC 6962 §2.1.

A hash is 32 bytes of SHA-256. A `node` function answers `node(level, index)`: the hash of the perfect subtree over the
leaves `index * 2**level` up to `(index + 1) * 2**level`, from wherever it is kept (a list, tiles, a database).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

from dauys.errors import DauysError

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()

Node = Callable[[int, int], bytes]


class ProofError(DauysError):
    """A proof that does not prove what it claims, or a proof nobody can make."""


def leaf_hash(entry: bytes) -> bytes:
    """MTH({d(0)}): SHA-256 over 0x00 and the entry."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 over 0x01 and both children; the prefix keeps a leaf from passing for a node."""
    return sha256(b"\x01" + left + right).digest()


def root(leaf_hashes: Sequence[bytes]) -> bytes:
    """MTH(D[n]) over leaf hashes; of an empty list, the hash of the empty string.

    Pairing from the left and carrying an odd last node up unchanged is the split at the largest power of two.
    """
    level = list(leaf_hashes)
    if not level:
        return EMPTY_ROOT
    while len(level) > 1:
        halves = iter(level)
        above = [sha256(b"\x01" + left + right).digest() for left, right in zip(halves, halves, strict=False)]
        if len(level) % 2:
            above.append(level[-1])
        level = above
    return level[0]


def inclusion_proof(leaf_hashes: Sequence[bytes], index: int, size: int | None = None) -> list[bytes]:
    """PATH(index, D[size]) of RFC 6962 §2.1.1, from the leaf up; `size` defaults to all the hashes."""
    size = len(leaf_hashes) if size is None else size
    _expect(size <= len(leaf_hashes), f"a tree of {size} leaves needs {size} hashes, not {len(leaf_hashes)}")
    return [root(leaf_hashes[start:stop]) for start, stop in inclusion_ranges(index, size)]


def consistency_proof(leaf_hashes: Sequence[bytes], old: int, new: int | None = None) -> list[bytes]:
    """PROOF(old, D[new]) of RFC 6962 §2.1.2; empty when there is nothing to prove (old is 0 or new)."""
    new = len(leaf_hashes) if new is None else new
    _expect(new <= len(leaf_hashes), f"a tree of {new} leaves needs {new} hashes, not {len(leaf_hashes)}")
    return [root(leaf_hashes[start:stop]) for start, stop in consistency_ranges(old, new)]


def inclusion_proof_from(node: Node, index: int, size: int) -> list[bytes]:
    """The same proof as `inclusion_proof`, from a handful of subtree hashes."""
    return [range_hash(node, start, stop) for start, stop in inclusion_ranges(index, size)]


def consistency_proof_from(node: Node, old: int, new: int) -> list[bytes]:
    """The same proof as `consistency_proof`, from a handful of subtree hashes."""
    return [range_hash(node, start, stop) for start, stop in consistency_ranges(old, new)]


def root_from(node: Node, size: int) -> bytes:
    """The root of the first `size` leaves, from a handful of subtree hashes."""
    return range_hash(node, 0, size) if size else EMPTY_ROOT


def range_hash(node: Node, start: int, stop: int) -> bytes:
    """MTH(D[start:stop]) for a range that a proof asks for (it starts at a multiple of its largest perfect subtree)."""
    parts = []
    while start < stop:
        level = (stop - start).bit_length() - 1
        parts.append(node(level, start >> level))
        start += 1 << level
    return _fold(parts)


def inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """The leaf ranges [start, stop) whose hashes are the inclusion proof, in its order."""
    _expect(0 <= index < size, f"entry {index} is not among the {size} of this log")
    start, stop, ranges = 0, size, []
    while stop - start > 1:
        middle = start + _left_size(stop - start)
        if index < middle:
            ranges.append((middle, stop))
            stop = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def consistency_ranges(old: int, new: int) -> list[tuple[int, int]]:
    """The leaf ranges [start, stop) whose hashes are the consistency proof, in its order."""
    _expect(0 <= old <= new, f"a log of {old} entries is not the start of one of {new}")
    if old in (0, new):
        return []
    start, stop, ranges = 0, new, []
    while stop != old:
        middle = start + _left_size(stop - start)
        if old <= middle:
            ranges.append((middle, stop))
            stop = middle
        else:
            ranges.append((start, middle))
            start = middle
    if start:  # the old tree's own root is known to whoever asks; any other node must be told
        ranges.append((start, stop))
    return ranges[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], tree_root: bytes) -> None:
    """RFC 9162 §2.1.3.2: `leaf` (a leaf hash) stands at `index` in the tree. Raises ProofError if not proven."""
    _expect(0 <= index < size, f"entry {index} is not among the {size} of this log")
    position, last, found = index, size - 1, leaf
    for sibling in proof:
        _expect(last > 0, "the inclusion proof is too long")
        if position % 2 or position == last:
            found = node_hash(sibling, found)
            while not position % 2 and position:
                position, last = position >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        position, last = position >> 1, last >> 1
    _expect(last == 0, "the inclusion proof is too short")
    _expect(found == tree_root, f"the inclusion proof of entry {index} does not lead to the root")


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """RFC 9162 §2.1.4.2: the tree of size `old` is a prefix of that of size `new`. Raises ProofError if not proven."""
    _expect(0 <= old <= new, f"a log of {old} entries is not the start of one of {new}")
    if old in (0, new):
        _expect(not proof, "nothing is to be proven, yet there is a consistency proof")
        _expect(old_root == (new_root if old == new else EMPTY_ROOT), f"two different roots for {old} entries")
        return
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    _expect(len(path) > 0, "the consistency proof is empty")
    position, last = old - 1, new - 1
    while position % 2:
        position, last = position >> 1, last >> 1
    found_old = found_new = path[0]
    for sibling in path[1:]:
        _expect(last > 0, "the consistency proof is too long")
        if position % 2 or position == last:
            found_old, found_new = node_hash(sibling, found_old), node_hash(sibling, found_new)
            while not position % 2 and position:
                position, last = position >> 1, last >> 1
        else:
            found_new = node_hash(found_new, sibling)
        position, last = position >> 1, last >> 1
    _expect(last == 0, "the consistency proof is too short")
    _expect(found_old == old_root, f"the consistency proof does not lead to the old root ({old} entries)")
    _expect(found_new == new_root, f"the consistency proof does not lead to the new root ({new} entries)")


class Frontier:
    """What must be kept of a tree to append to it: its size and the roots of its perfect subtrees, largest first.

    At most 64 hashes, whatever the size. `to_bytes` is the size (8 bytes, big-endian) and the hashes.
    """

    __slots__ = ("peaks", "size")

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self.size = size
        self.peaks = list(peaks)
        if size < 0 or len(self.peaks) != size.bit_count() or any(len(peak) != HASH_SIZE for peak in self.peaks):
            raise ProofError(f"a tree of {size} leaves has not these {len(self.peaks)} subtrees")

    def append(self, leaf: bytes) -> None:
        """Adds one leaf hash."""
        self.extend((leaf,))

    def extend(self, leaf_hashes: Iterable[bytes]) -> None:
        """Adds leaf hashes in order."""
        peaks, size = self.peaks, self.size
        for found in leaf_hashes:
            full = size
            while full & 1:
                found = sha256(b"\x01" + peaks.pop() + found).digest()
                full >>= 1
            peaks.append(found)
            size += 1
        self.size = size

    def root(self) -> bytes:
        return _fold(self.peaks) if self.peaks else EMPTY_ROOT

    def copy(self) -> Frontier:
        return Frontier(self.size, self.peaks)

    def to_bytes(self) -> bytes:
        return self.size.to_bytes(8, "big") + b"".join(self.peaks)

    @classmethod
    def from_bytes(cls, data: bytes) -> Frontier:
        if len(data) < 8 or (len(data) - 8) % HASH_SIZE:
            raise ProofError(f"{len(data)} bytes are not a saved tree: expected 8 and a multiple of {HASH_SIZE}")
        peaks = (data[at : at + HASH_SIZE] for at in range(8, len(data), HASH_SIZE))
        return cls(int.from_bytes(data[:8], "big"), peaks)


def _fold(parts: Sequence[bytes]) -> bytes:
    """Joins neighbouring subtrees of shrinking size, from the right."""
    found = parts[-1]
    for left in reversed(parts[:-1]):
        found = node_hash(left, found)
    return found


def _left_size(size: int) -> int:
    """The largest power of two smaller than `size` (RFC 6962 §2.1)."""
    return 1 << ((size - 1).bit_length() - 1)


def _expect(holds: bool, message: str) -> None:
    if not holds:
        raise ProofError(message)
