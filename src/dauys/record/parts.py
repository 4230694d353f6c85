"""How does a fact stand in the record that is longer than an entry may be? As an entry, and its body in parts right after it.

The entry says how many parts follow and what the body hashes to, `{"parts": n, "sha256": hex}`: so its signature covers all.
Part k has the id `part/<id of the entry>/<k>`, k from 1, and the body `{"text": ...}`; the texts, one after another, are the
canonical JSON of the body that is meant (docs/architecture.md, "Entries").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.errors import DauysError
from dauys.record.canonical import canonical, parse
from dauys.record.entry import MAX_ENTRY_BYTES, Entry, EntryError, sign_entry

PART = "part"
"""The kind of the entries that follow."""
IN_PARTS = frozenset({"poll", "declaration"})
"""The kinds that grow with a poll's areas, contests and options. No other entry has parts."""
CHARACTERS = 15_000
"""In one part: at most four bytes each in UTF-8, and two where JSON escapes what is escaped in the text already."""


def sign_whole(entry: Entry, private_key: Ed25519PrivateKey) -> list[Entry]:
    """The entries, signed, that say what this one does: itself where it fits, else as parts. To be appended together.

    Raises EntryError where it is too long and of a kind that has no parts.
    """
    signed = sign_entry(entry, private_key)
    if entry.kind not in IN_PARTS or signed.size() <= MAX_ENTRY_BYTES:
        return [signed]
    body = canonical(entry.body)
    text = body.decode()
    texts = [text[at : at + CHARACTERS] for at in range(0, len(text), CHARACTERS)]
    said = {"parts": len(texts), "sha256": sha256(body).hexdigest()}
    head = Entry(entry.poll, entry.kind, entry.id, entry.at, entry.by, said)
    parts = [
        Entry(entry.poll, PART, part_id(entry.id, n), entry.at, entry.by, {"text": text})
        for n, text in enumerate(texts, start=1)
    ]
    return [sign_entry(one, private_key) for one in (head, *parts)]


def part_id(entry_id: str, n: int) -> str:
    return f"{PART}/{entry_id}/{n}"


def parts_of(entry: Entry) -> int:
    """How many parts follow an entry as it lies in the record; 0 where it is whole."""
    if entry.kind not in IN_PARTS or entry.body.keys() != {"parts", "sha256"}:
        return 0
    parts = entry.body["parts"]
    return parts if type(parts) is int and parts > 0 else 0


def joined(head: Entry, parts: Sequence[Entry]) -> Entry:
    """The entry with the body that its parts hold; its signature stays that of the entry as it lies in the record.

    Raises EntryError where these are not its parts, each of them, in order, by the same author at the same time.
    """
    for n, part in enumerate(parts, start=1):
        if (part.kind, part.id) != (PART, part_id(head.id, n)):
            raise EntryError(f"part {n} of {head.id} does not follow it: {part.id} does")
        if (part.poll, part.by, part.at) != (head.poll, head.by, head.at):
            raise EntryError(f"{part.id} is not by {head.by} at {head.at}")
        if part.body.keys() != {"text"} or not isinstance(part.body["text"], str):
            raise EntryError(f"{part.id} has another body than a text")
    if len(parts) != parts_of(head):
        raise EntryError(f"{head.id} has {parts_of(head):,} parts; {len(parts):,} follow")
    try:
        text = "".join(part.body["text"] for part in parts).encode()
        if sha256(text).hexdigest() != head.body["sha256"]:
            raise EntryError("it has another SHA-256")
        body = parse(text)
    except (DauysError, UnicodeEncodeError) as error:
        raise EntryError(f"the parts of {head.id} do not hold its body: {error}") from None
    if not isinstance(body, dict):
        raise EntryError(f"the parts of {head.id} hold no object")
    return head.with_body(body, len(parts))


class Joining:
    """Reads entries one by one and gives each whole, in order: one with parts is given when its last part is there."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, Entry]] = []
        self._last = 0  # the place of the last part that is waited for

    def take(self, seq: int, entry: Entry) -> list[tuple[int, Entry]]:
        """What can be given now that this one is read. Where parts are not what they should be, all as they lie there."""
        if not self._waiting:
            parts = parts_of(entry)
            if not parts:
                return [(seq, entry)]
            self._waiting, self._last = [(seq, entry)], seq + parts
            return []
        if entry.kind != PART or seq != self._waiting[-1][0] + 1:
            return [*self.rest(), *self.take(seq, entry)]
        self._waiting.append((seq, entry))
        if seq < self._last:
            return []
        found = self.rest()
        with suppress(EntryError):  # who reads on meets an entry without a body, and says so
            found[0] = found[0][0], joined(found[0][1], [part for _, part in found[1:]])
        return found

    def rest(self) -> list[tuple[int, Entry]]:
        """What waits at the end of the record for parts that never came."""
        waiting, self._waiting = self._waiting, []
        return waiting


def whole(entries: Iterable[bytes]) -> Iterator[tuple[int, Entry]]:
    """The entries of a record from its first on, with their places, each whole. Raises DauysError for what is no entry."""
    joining = Joining()
    for seq, data in enumerate(entries):
        yield from joining.take(seq, Entry.from_bytes(data))
    yield from joining.rest()
