"""How long is the log, and what is its root, in its operator's word? Checkpoints after C2SP `tlog-checkpoint`."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from dauys.record.merkle import HASH_SIZE
from dauys.record.note import Note, NoteError, SigningKey, VerifierKey
from dauys.record.note import parse as parse_note
from dauys.record.note import sign as sign_note
from dauys.record.note import verify as verify_note


class CheckpointError(NoteError):
    """A text that is not a checkpoint, or a checkpoint that its log did not sign."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`origin` names the log, `size` counts its entries, `root` is the 32-byte root of RFC 6962 §2.1."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.root) != HASH_SIZE:
            found = f"{self.size} and {len(self.root)} bytes"
            raise CheckpointError(f"a checkpoint has a size and a root of {HASH_SIZE} bytes, found {found}")
        if any(not line or "\n" in line for line in (self.origin, *self.extensions)):
            raise CheckpointError("the lines of a checkpoint are not empty")

    def body(self) -> str:
        """The note text: origin, size, root in base64, extension lines."""
        root = base64.b64encode(self.root).decode()
        return "".join(f"{line}\n" for line in (self.origin, str(self.size), root, *self.extensions))

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Reads a note text. Raises CheckpointError if it is not exactly a checkpoint."""
        origin, *rest = text.removesuffix("\n").split("\n") if text.endswith("\n") else [""]
        if not origin or len(rest) < 2 or "" in rest:
            raise CheckpointError("a checkpoint has at least three lines: origin, size, root")
        if not re.fullmatch(r"0|[1-9][0-9]{0,18}", rest[0]):
            raise CheckpointError(f"the size in a checkpoint is a whole number, found {rest[0][:40]!r}")
        try:
            root = base64.b64decode(rest[1].encode("ascii"), validate=True)
        except (binascii.Error, ValueError):
            root = b""
        if len(root) != HASH_SIZE or base64.b64encode(root).decode() != rest[1]:
            raise CheckpointError(f"the root in a checkpoint is base64 of {HASH_SIZE} bytes, found {rest[1][:60]!r}")
        return cls(origin, int(rest[0]), root, tuple(rest[2:]))


def sign(checkpoint: Checkpoint, key: SigningKey) -> str:
    """The signed note of a checkpoint. The log's key name should be its origin."""
    return sign_note(checkpoint.body(), key)


def verify(note: Note | str | bytes, log_key: VerifierKey) -> Checkpoint:
    """The checkpoint in a note that the log's key signed; cosignatures are not looked at. Raises NoteError."""
    note = note if isinstance(note, Note) else parse_note(note)
    verify_note(note, [log_key])
    return Checkpoint.parse(note.text)
