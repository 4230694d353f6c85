"""Are checkpoints those of C2SP tlog-checkpoint? Oracle: `aics_tlog`, and the example of the specification."""

from __future__ import annotations

import base64

import aics_tlog
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dauys.record import checkpoint
from dauys.record.checkpoint import Checkpoint, CheckpointError
from dauys.record.note import NoteError, SigningKey

KEY = SigningKey.from_seed("example.org/log", bytes(range(32)))
EXAMPLE = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
ROOT = base64.b64encode(bytes(32)).decode()


def test_the_example_of_the_specification():
    found = Checkpoint.parse(EXAMPLE)
    assert (found.origin, found.size, found.extensions) == ("example.com/behind-the-sofa", 20852163, ())
    assert found.root.hex().startswith("0ac5186a")
    assert found.body() == EXAMPLE


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**53), st.binary(min_size=32, max_size=32), st.lists(st.sampled_from(["a", "b c"]), max_size=2))
def test_another_implementation_verifies_our_checkpoints(size, root, extensions):
    made = Checkpoint(KEY.name, size, root, tuple(extensions))
    note = checkpoint.sign(made, KEY)
    assert checkpoint.verify(note, KEY.vkey) == made
    assert checkpoint.verify(note.encode(), KEY.vkey) == made
    theirs = aics_tlog.parse_note(note)
    aics_tlog.verify_checkpoint(theirs, aics_tlog.parse_vkey(str(KEY.vkey)))
    found = aics_tlog.parse_checkpoint(theirs.text)
    assert (found.origin, found.size, found.root, found.extension_lines) == (KEY.name, size, root, tuple(extensions))


def test_a_changed_checkpoint_is_not_the_logs():
    note = checkpoint.sign(Checkpoint(KEY.name, 10, bytes(32)), KEY)
    with pytest.raises(NoteError, match="not valid for this text"):
        checkpoint.verify(note.replace("\n10\n", "\n11\n"), KEY.vkey)
    with pytest.raises(NoteError, match=r"not signed by example.org/other"):
        checkpoint.verify(note, SigningKey.from_seed("example.org/other", bytes(32)).vkey)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "origin\n1\n",
        f"origin\n1\n{ROOT}",
        f"\n1\n{ROOT}\n",
        f"origin\n01\n{ROOT}\n",
        f"origin\n-1\n{ROOT}\n",
        f"origin\n1 \n{ROOT}\n",
        f"origin\n١\n{ROOT}\n",
        f"origin\n{'9' * 30}\n{ROOT}\n",
        f"origin\n1\n{ROOT[:-4]}\n",
        f"origin\n1\n{ROOT[:-2]}B=\n",
        f"origin\n1\n{ROOT}\n\nextension\n",
        f"origin\n1\n{ROOT}\n\n",
    ],
)
def test_other_texts_are_refused(text):
    with pytest.raises(CheckpointError):
        Checkpoint.parse(text)


@pytest.mark.parametrize(
    ("origin", "size", "root", "extensions"),
    [
        ("", 1, bytes(32), ()),
        ("a\nb", 1, bytes(32), ()),
        ("a", -1, bytes(32), ()),
        ("a", 1, b"", ()),
        ("a", 1, bytes(32), ("",)),
    ],
)
def test_a_checkpoint_cannot_be_made_malformed(origin, size, root, extensions):
    with pytest.raises(CheckpointError):
        Checkpoint(origin, size, root, extensions)
