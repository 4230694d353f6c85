"""Does the tree prove what RFC 6962 says it proves? Oracles: published roots, the recursive definition, `aics_tlog`."""

from __future__ import annotations

from hashlib import sha256

import aics_tlog
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dauys.record.merkle import (
    EMPTY_ROOT,
    Frontier,
    ProofError,
    consistency_proof,
    consistency_proof_from,
    inclusion_proof,
    inclusion_proof_from,
    leaf_hash,
    node_hash,
    root,
    root_from,
    verify_consistency,
    verify_inclusion,
)

# The eight leaves and the roots of the first 1 to 8 of them, as in the tests of Certificate Transparency.
KNOWN_LEAVES = [
    bytes.fromhex(digits)
    for digits in (["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"])
]
KNOWN_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
SIZES = st.integers(1, 300)


def hashes(size: int) -> list[bytes]:
    return [leaf_hash(str(index).encode()) for index in range(size)]


def node(level: int, index: int) -> bytes:
    return root(hashes((index + 1) << level)[index << level :])


@pytest.mark.parametrize("size", range(1, 9))
def test_published_roots(size):
    leaves = [leaf_hash(leaf) for leaf in KNOWN_LEAVES[:size]]
    assert root(leaves).hex() == KNOWN_ROOTS[size - 1]
    tree = Frontier()
    tree.extend(leaves)
    assert tree.root().hex() == KNOWN_ROOTS[size - 1]


def test_published_proof():
    # PATH(0, D[8]) and PROOF(6, D[8]) over the same leaves.
    leaves = [leaf_hash(leaf) for leaf in KNOWN_LEAVES]
    assert [h.hex() for h in inclusion_proof(leaves, 0)] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]
    assert [h.hex() for h in consistency_proof(leaves, 6, 8)] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


def test_the_empty_tree():
    assert root([]) == Frontier().root() == EMPTY_ROOT == sha256(b"").digest()
    verify_consistency(0, 3, EMPTY_ROOT, root(hashes(3)), [])


def test_the_root_is_the_recursive_definition():
    def mth(leaves):
        if len(leaves) == 1:
            return leaves[0]
        split = 1
        while split * 2 < len(leaves):
            split *= 2
        return node_hash(mth(leaves[:split]), mth(leaves[split:]))

    for size in range(1, 70):
        assert root(hashes(size)) == mth(hashes(size))


@settings(max_examples=60, deadline=None)
@given(SIZES, st.data())
def test_another_implementation_accepts_our_proofs_and_makes_the_same(size, data):
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    leaves = hashes(size)
    other = aics_tlog.MerkleTree([str(i).encode() for i in range(size)])
    assert other.root() == root(leaves)
    included, consistent = inclusion_proof(leaves, index), consistency_proof(leaves, old, size)
    assert aics_tlog.verify_inclusion(leaves[index], index, size, included, root(leaves))
    assert aics_tlog.verify_consistency(old, size, root(leaves[:old]), root(leaves), consistent)
    assert list(other.inclusion_proof(index)) == included
    assert list(other.consistency_proof(old, size)) == consistent


@settings(max_examples=80, deadline=None)
@given(SIZES, st.data())
def test_what_is_proven_verifies_and_nothing_else_does(size, data):
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
    leaves = hashes(size)
    whole, part = root(leaves), root(leaves[:old])
    included, consistent = inclusion_proof(leaves, index), consistency_proof(leaves, old)
    verify_inclusion(leaves[index], index, size, included, whole)
    verify_consistency(old, size, part, whole, consistent)
    for wrong in _damaged(included):
        with pytest.raises(ProofError):
            verify_inclusion(leaves[index], index, size, wrong, whole)
    for wrong in _damaged(consistent):
        with pytest.raises(ProofError):
            verify_consistency(old, size, part, whole, wrong)
    other = leaf_hash(b"another")
    with pytest.raises(ProofError, match="root"):
        verify_inclusion(other, index, size, included, whole)
    for wrong_part, wrong_whole in ((other, whole), (part, other)):
        if old or wrong_part is other:  # nothing can be said about what follows an empty tree
            with pytest.raises(ProofError):
                verify_consistency(old, size, wrong_part, wrong_whole, consistent)
    if size > 1:
        with pytest.raises(ProofError):
            verify_inclusion(leaves[index], (index + 1) % size, size, included, whole)


def _damaged(proof):
    yield [*proof, leaf_hash(b"more")]
    for place in range(len(proof)):
        yield [*proof[:place], bytes(32), *proof[place + 1 :]]
    if proof:
        yield proof[:-1]
        yield proof[1:]


@settings(max_examples=40, deadline=None)
@given(SIZES, st.data())
def test_proofs_from_subtree_hashes_are_the_same(size, data):
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
    assert root_from(node, size) == root(hashes(size))
    assert inclusion_proof_from(node, index, size) == inclusion_proof(hashes(size), index)
    assert consistency_proof_from(node, old, size) == consistency_proof(hashes(size), old)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 40), max_size=6))
def test_a_frontier_grows_in_any_steps_and_survives_saving(steps):
    tree, done = Frontier(), 0
    for step in steps:
        tree.extend(hashes(done + step)[done:])
        done += step
        tree = Frontier.from_bytes(tree.to_bytes())
        assert (tree.size, tree.root()) == (done, root(hashes(done)))
    copy = tree.copy()
    copy.append(leaf_hash(b"more"))
    assert (tree.size, copy.size) == (done, done + 1)
    assert tree.root() == root(hashes(done))


@pytest.mark.parametrize(
    "data", [b"", b"1234567", bytes(8) + bytes(32), (3).to_bytes(8, "big") + bytes(32), bytes(7) + b"\x01" + bytes(31)]
)
def test_a_damaged_frontier_is_refused(data):
    with pytest.raises(ProofError):
        Frontier.from_bytes(data)


def test_questions_without_an_answer_are_errors():
    with pytest.raises(ProofError, match="entry 3 is not among the 3"):
        inclusion_proof(hashes(3), 3)
    with pytest.raises(ProofError, match="entry 5 is not among"):
        verify_inclusion(bytes(32), 5, 5, [], bytes(32))
    with pytest.raises(ProofError, match="a log of 4 entries is not the start of one of 3"):
        consistency_proof(hashes(3), 4)
    with pytest.raises(ProofError, match="needs 9 hashes, not 3"):
        inclusion_proof(hashes(3), 1, 9)
    with pytest.raises(ProofError, match="two different roots for 3"):
        verify_consistency(3, 3, bytes(32), root(hashes(3)), [])
