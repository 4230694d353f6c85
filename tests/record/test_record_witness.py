"""Does a witness cosign what grew, and refuse what shrank, split or was rewritten? Oracle: `aics_tlog`."""

from __future__ import annotations

import aics_tlog
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dauys.record import checkpoint
from dauys.record.checkpoint import Checkpoint
from dauys.record.merkle import consistency_proof, leaf_hash, root
from dauys.record.note import COSIGNATURE, NoteError, Signature, SigningKey, parse
from dauys.record.witness import Seen, WitnessRefusal, cosign, cosignature, verify_cosignature, verify_cosignatures

LOG = SigningKey.from_seed("example.org/log", bytes(range(32)))
WITNESS = SigningKey.from_seed("observers.example/w1", bytes([1] * 32), COSIGNATURE)
NOW = 1_654_444_800
LEAVES = [leaf_hash(bytes([index])) for index in range(50)]


def note_of(size, tree_root=None, key=LOG):
    return checkpoint.sign(Checkpoint(key.name, size, tree_root or root(LEAVES[:size])), key)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 50), st.data(), st.integers(0, 2**63 - 1))
def test_a_log_that_grew_is_cosigned_and_others_can_check_it(size, data, timestamp):
    old = data.draw(st.none() | st.integers(0, size))
    before = None if old is None else Seen(old, root(LEAVES[:old]))
    proof = [] if old is None else consistency_proof(LEAVES, old, size)
    seen, line = cosign(before, note_of(size), proof, WITNESS, LOG.vkey, timestamp)
    assert seen == Seen(size, root(LEAVES[:size]))
    note = parse(note_of(size)).with_signature(line)
    assert verify_cosignatures(str(note), [WITNESS.vkey]) == {WITNESS.vkey: timestamp}
    assert verify_cosignature(note.text, str(line), WITNESS.vkey)
    blob = line.key_id + line.blob
    theirs = aics_tlog.cosignature_vkey(WITNESS.name, WITNESS.vkey.public)
    assert aics_tlog.format_vkey(theirs) == str(WITNESS.vkey)
    checked = aics_tlog.verify_checkpoint(
        aics_tlog.parse_note(str(note)), aics_tlog.parse_vkey(str(LOG.vkey)), [theirs], 1
    )
    assert checked.ok, checked
    made, _ = aics_tlog.sign_cosignature(WITNESS.private, WITNESS.name, timestamp, LOG.name, size, seen.root)
    assert made in (blob, line.blob)


def test_the_message_is_the_one_of_the_specification():
    line = cosignature("text\n", WITNESS, 1679315147)
    assert line.blob[:8] == (1679315147).to_bytes(8, "big")
    WITNESS.private.public_key().verify(line.blob[8:], b"cosignature/v1\ntime 1679315147\ntext\n")


def test_a_shrunk_log_is_refused():
    with pytest.raises(WitnessRefusal, match="the log shrank: 20 entries were seen, now it claims 19"):
        cosign(Seen(20, root(LEAVES[:20])), note_of(19), [], WITNESS, LOG.vkey, NOW)


def test_two_roots_for_one_size_are_refused():
    with pytest.raises(WitnessRefusal, match="the log is split: two roots for 20 entries"):
        cosign(Seen(20, root(LEAVES[:20])), note_of(20, bytes(32)), [], WITNESS, LOG.vkey, NOW)


@pytest.mark.parametrize("proof", [[], consistency_proof(LEAVES, 19, 30), [bytes(32)] * 4])
def test_a_rewritten_log_is_refused(proof):
    with pytest.raises(WitnessRefusal, match="the log was rewritten: 30 entries do not continue the 20 seen before"):
        cosign(Seen(20, root(LEAVES[:20])), note_of(30), proof, WITNESS, LOG.vkey, NOW)


def test_a_checkpoint_of_another_is_refused():
    other = SigningKey.from_seed(LOG.name, bytes([9] * 32))
    with pytest.raises(WitnessRefusal, match="the checkpoint is not the log's"):
        cosign(None, note_of(5, key=other), [], WITNESS, LOG.vkey, NOW)
    with pytest.raises(WitnessRefusal, match="the checkpoint is not the log's"):
        cosign(None, note_of(5).replace("\n5\n", "\n6\n"), [], WITNESS, LOG.vkey, NOW)
    with pytest.raises(WitnessRefusal, match="the checkpoint is not the log's"):
        cosign(None, "nothing", [], WITNESS, LOG.vkey, NOW)


def test_a_bad_cosignature_of_a_known_witness_is_an_error_and_an_unknown_one_is_ignored():
    note = parse(note_of(5)).with_signature(cosignature(note_of(6), WITNESS, NOW))
    with pytest.raises(NoteError, match=r"cosignature of observers\.example/w1 is not valid"):
        verify_cosignatures(note, [WITNESS.vkey])
    unknown = SigningKey.from_seed(WITNESS.name, bytes([3] * 32), COSIGNATURE)
    assert verify_cosignatures(note, [unknown.vkey]) == {}
    assert not verify_cosignature(note.text, str(note.signatures[1]), WITNESS.vkey)
    short = Signature(WITNESS.name, WITNESS.vkey.key_id, bytes(71))
    assert not verify_cosignature(note.text, short, WITNESS.vkey)
    shifted = cosignature(note.text, WITNESS, NOW)
    later = Signature(shifted.name, shifted.key_id, (NOW + 1).to_bytes(8, "big") + shifted.blob[8:])
    assert verify_cosignature(note.text, shifted, WITNESS.vkey)
    assert not verify_cosignature(note.text, later, WITNESS.vkey)


def test_a_log_key_is_no_witness_and_a_witness_key_signs_no_notes():
    with pytest.raises(NoteError, match="not a witness's"):
        cosignature("text\n", LOG, NOW)
    with pytest.raises(NoteError, match="not a witness's"):
        verify_cosignatures(note_of(5), [LOG.vkey])
    with pytest.raises(NoteError, match="signs checkpoints only"):
        note_of(5, key=WITNESS)
    with pytest.raises(NoteError, match="not a time"):
        cosignature("text\n", WITNESS, -1)
