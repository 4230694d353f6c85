"""Did someone outside see that the log only ever grew? Cosignatures after C2SP `tlog-cosignature` (Ed25519, v1).

A cosignature says: at this time, the largest tree that I have seen of this log, consistent with all before, has this
root.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dauys.errors import DauysError
from dauys.record.checkpoint import verify as verify_checkpoint
from dauys.record.merkle import ProofError, verify_consistency
from dauys.record.note import COSIGNATURE, Note, NoteError, Signature, SigningKey, VerifierKey
from dauys.record.note import parse as parse_note

_LATEST = 2**63 - 1


class WitnessRefusal(DauysError):
    """The witness does not cosign: the log shrank, split or is not signed. Keep the checkpoint: it is evidence."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The largest tree of a log that a witness has cosigned."""

    size: int
    root: bytes


def cosignature(text: str, key: SigningKey, timestamp: int) -> Signature:
    """The signature line of a witness under a checkpoint's text; `timestamp` is in Unix seconds."""
    if key.algorithm != COSIGNATURE:
        raise NoteError(f"the key of {key.name} is not a witness's (signature type 0x04)")
    if not 0 <= timestamp <= _LATEST:
        raise NoteError(f"{timestamp} is not a time in Unix seconds")
    signature = key.private.sign(_message(text, timestamp))
    return Signature(key.name, key.vkey.key_id, timestamp.to_bytes(8, "big") + signature)


def verify_cosignature(text: str, line: str | Signature, key: VerifierKey) -> bool:
    """Whether `line` is this witness's cosignature under this text. Raises NoteError if it is no line at all."""
    signature = line if isinstance(line, Signature) else Signature.parse(line)
    return key.algorithm == COSIGNATURE and signature.by(key) and _is_good(text, signature, key)


def verify_cosignatures(note: Note | str | bytes, keys: Iterable[VerifierKey]) -> dict[VerifierKey, int]:
    """When each witness cosigned the checkpoint, in Unix seconds; unknown witnesses are ignored, absent ones left out.

    Raises NoteError when a known witness's line is bad.
    """
    note = note if isinstance(note, Note) else parse_note(note)
    found: dict[VerifierKey, int] = {}
    for key in keys:
        if key.algorithm != COSIGNATURE:
            raise NoteError(f"the key of {key.name} is not a witness's (signature type 0x04)")
        for signature in note.signatures:
            if signature.by(key):
                if not _is_good(note.text, signature, key):
                    raise NoteError(f"the cosignature of {key.name} is not valid for this checkpoint")
                found[key] = max(found.get(key, 0), _timestamp(signature))
    return found


def cosign(
    before: Seen | None,
    note: Note | str | bytes,
    proof: Sequence[bytes],
    key: SigningKey,
    log_key: VerifierKey,
    timestamp: int,
) -> tuple[Seen, Signature]:
    """One step of a witness: what it has seen now, and the line it gives. Save the first before sending the second.

    `proof` is the consistency proof from the tree seen before (None: nothing yet) to the checkpoint's. Raises
    WitnessRefusal.
    """
    try:
        note = note if isinstance(note, Note) else parse_note(note)
        checkpoint = verify_checkpoint(note, log_key)
    except NoteError as error:
        raise WitnessRefusal(f"the checkpoint is not the log's: {error}") from None
    now = Seen(checkpoint.size, checkpoint.root)
    if before is not None and now.size < before.size:
        raise WitnessRefusal(f"the log shrank: {before.size} entries were seen, now it claims {now.size}")
    if before is not None and now.size == before.size and now.root != before.root:
        roots = f"{before.root.hex()} seen before and {now.root.hex()} now"
        raise WitnessRefusal(f"the log is split: two roots for {now.size} entries, {roots}")
    if before is not None:
        try:
            verify_consistency(before.size, now.size, before.root, now.root, proof)
        except ProofError as error:
            raise WitnessRefusal(
                f"the log was rewritten: {now.size} entries do not continue the {before.size} seen before ({error})"
            ) from None
    return now, cosignature(note.text, key, timestamp)


def _message(text: str, timestamp: int) -> bytes:
    return f"cosignature/v1\ntime {timestamp}\n{text}".encode()


def _timestamp(signature: Signature) -> int:
    return int.from_bytes(signature.blob[:8], "big")


def _is_good(text: str, signature: Signature, key: VerifierKey) -> bool:
    if len(signature.blob) != 72 or (timestamp := _timestamp(signature)) > _LATEST:
        return False
    return key.signed(signature.blob[8:], _message(text, timestamp))
