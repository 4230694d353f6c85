"""What happened, in order: the append-only log of a poll in PostgreSQL.

Every function works in the caller's transaction, so that a protocol and its entry are stored together or not at all.
The tree is never recomputed: its compact range (record.merkle.Frontier) is kept beside the size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa

from dauys.errors import DauysError
from dauys.record import checkpoint as checkpoints_of
from dauys.record.checkpoint import Checkpoint
from dauys.record.entry import Entry
from dauys.record.merkle import Frontier, inclusion_proof, leaf_hash
from dauys.record.note import COSIGNATURE, NoteError, Signature, SigningKey, VerifierKey
from dauys.record.note import parse as parse_note
from dauys.record.parts import joined, parts_of
from dauys.record.witness import verify_cosignatures
from dauys.store.engine import Connection, driver, many

READ_CHUNK = 20_000


class ReplayConflict(DauysError):
    """An entry whose id is in the log already, with other content."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where an entry stands: `seq` counts from 0; `new` is false when the same entry was there before."""

    seq: int
    new: bool


def open_log(connection: Connection, poll: str, origin: str) -> None:
    """Makes the log of a poll if there is none yet. `origin` is its name on checkpoints."""
    connection.execute(
        sa.text("INSERT INTO log (poll, origin, frontier) VALUES (:poll, :origin, :frontier) ON CONFLICT DO NOTHING"),
        {"poll": poll, "origin": origin, "frontier": Frontier().to_bytes()},
    )


def polls(connection: Connection) -> list[str]:
    """The polls that have a log, oldest first by name."""
    return list(connection.scalars(sa.text("SELECT poll FROM log WHERE size > 0 ORDER BY poll")))


def append(connection: Connection, poll: str, entries: Sequence[Entry], *, absent: bool = False) -> list[Placed]:
    """Appends entries in order and says where each stands.

    An entry that is in the log already, byte for byte, keeps its place: sending twice does nothing twice.
    Raises ReplayConflict if an id is there with other content; nothing is appended then (the caller's transaction).
    Appends of one poll wait for each other: the log has one order. `absent`: the caller holds the log's lock in this
    transaction and has looked: none of the ids is there.
    """
    if not entries:
        return []
    row = connection.execute(
        sa.text("SELECT size, frontier FROM log WHERE poll = :poll FOR NO KEY UPDATE"), {"poll": poll}
    ).one_or_none()
    if row is None:
        raise DauysError(f"there is no record of {poll!r}: open the poll first")
    first: int = row.size
    frontier = Frontier.from_bytes(bytes(row.frontier))
    here = {} if absent else _already_here(connection, poll, [entry.id for entry in entries])
    placed: list[Placed] = []
    rows: list[tuple[str, int, str, str, bytes, bytes]] = []
    for entry in entries:
        body = entry.to_bytes()
        leaf = leaf_hash(body)
        old = here.get(entry.id)
        if old is not None:
            if old[1] != leaf:
                raise ReplayConflict(
                    f"{entry.id} is in the record already, at {old[0]}, with other content: "
                    "nothing is overwritten; send a correction"
                )
            placed.append(Placed(old[0], False))
            continue
        seq = first + len(rows)
        here[entry.id] = (seq, leaf)
        rows.append((poll, seq, entry.kind, entry.id, body, leaf))
        placed.append(Placed(seq, True))
    if rows:
        frontier.extend(leaf for *_, leaf in rows)
        with (
            driver(connection).cursor() as cursor,
            cursor.copy("COPY entry (poll, seq, kind, id, body, leaf) FROM STDIN (FORMAT BINARY)") as copy,
        ):
            copy.set_types(["text", "int8", "text", "text", "bytea", "bytea"])
            for values in rows:
                copy.write_row(values)
        connection.execute(
            sa.text("UPDATE log SET size = :size, frontier = :frontier WHERE poll = :poll"),
            {"poll": poll, "size": first + len(rows), "frontier": frontier.to_bytes()},
        )
    return placed


def _already_here(connection: Connection, poll: str, ids: list[str]) -> dict[str, tuple[int, bytes]]:
    found = connection.execute(
        sa.text(
            "SELECT id, seq, leaf FROM entry WHERE poll = :poll AND id = "
            "ANY(ARRAY(SELECT json_array_elements_text(CAST(:ids AS json))))"
        ),
        {"poll": poll, "ids": many(ids)},
    )
    return {row.id: (row.seq, bytes(row.leaf)) for row in found}


def size(connection: Connection, poll: str) -> int:
    """How many entries the log has; 0 where there is none."""
    return connection.scalar(sa.text("SELECT size FROM log WHERE poll = :poll"), {"poll": poll}) or 0


def head(connection: Connection, poll: str) -> Checkpoint:
    """The log's newest state: origin, size, root. Unsigned."""
    row = connection.execute(
        sa.text("SELECT origin, size, frontier FROM log WHERE poll = :poll"), {"poll": poll}
    ).one_or_none()
    if row is None:
        raise DauysError(f"there is no record of {poll!r}")
    return Checkpoint(row.origin, row.size, Frontier.from_bytes(bytes(row.frontier)).root())


def read(connection: Connection, poll: str, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, bytes]]:
    """Entries `start` up to but not with `stop`, as (place, bytes), streamed in chunks."""
    end = size(connection, poll) if stop is None else stop
    for low in range(start, end, READ_CHUNK):
        rows = connection.execute(
            sa.text("SELECT seq, body FROM entry WHERE poll = :poll AND seq >= :low AND seq < :high ORDER BY seq"),
            {"poll": poll, "low": low, "high": min(low + READ_CHUNK, end)},
        )
        yield from ((seq, bytes(body)) for seq, body in rows.all())


def of_kind(connection: Connection, poll: str, kind: str) -> list[tuple[int, Entry]]:
    """All entries of one kind, in order, each whole. Meant for the few: not for protocols or turnout reports."""
    rows = connection.execute(
        sa.text("SELECT seq, body FROM entry WHERE poll = :poll AND kind = :kind ORDER BY seq"),
        {"poll": poll, "kind": kind},
    )
    return [(row.seq, _whole(connection, poll, row.seq, Entry.from_bytes(bytes(row.body)))) for row in rows.all()]


def _whole(connection: Connection, poll: str, seq: int, entry: Entry) -> Entry:
    """The entry with its parts, where it has any (record.parts)."""
    parts = parts_of(entry)
    if not parts:
        return entry
    return joined(entry, [Entry.from_bytes(data) for _, data in read(connection, poll, seq + 1, seq + 1 + parts)])


def entry_at(connection: Connection, poll: str, seq: int) -> Entry:
    """The entry at one place, whole. Raises DauysError if the log is not that long."""
    body = connection.scalar(
        sa.text("SELECT body FROM entry WHERE poll = :poll AND seq = :seq"), {"poll": poll, "seq": seq}
    )
    if body is None:
        raise DauysError(f"the record of {poll!r} has no entry {seq}")
    return _whole(connection, poll, seq, Entry.from_bytes(bytes(body)))


def leaf_hashes(connection: Connection, poll: str, start: int, stop: int) -> list[bytes]:
    """The leaf hashes (32 bytes each) of entries `start` up to but not with `stop`."""
    rows = connection.scalars(
        sa.text("SELECT leaf FROM entry WHERE poll = :poll AND seq >= :start AND seq < :stop ORDER BY seq"),
        {"poll": poll, "start": start, "stop": stop},
    )
    return [bytes(leaf) for leaf in rows]


def sign_checkpoint(connection: Connection, poll: str, key: SigningKey, *, keep: bool = True) -> str:
    """Signs the log's newest state and returns the note. The same state is signed once.

    With `keep` it is a stage of the poll and stays published; otherwise only while it is the newest, or once cosigned.
    """
    state = head(connection, poll)
    note = connection.scalar(
        sa.text("SELECT note FROM checkpoint WHERE poll = :poll AND size = :size"), {"poll": poll, "size": state.size}
    )
    note = str(checkpoints_of.sign(state, key)) if note is None else str(note)
    connection.execute(
        sa.text(
            "INSERT INTO checkpoint VALUES (:poll, :size, :note, :keep) "
            "ON CONFLICT (poll, size) DO UPDATE SET kept = checkpoint.kept OR excluded.kept"
        ),
        {"poll": poll, "size": state.size, "note": note, "keep": keep},
    )
    return note


def checkpoints(connection: Connection, poll: str, *, every: bool = False) -> list[tuple[int, str]]:
    """The published signed states as (size, note with its cosignatures), oldest first: stages, cosigned ones, the newest.

    `every` gives those too that somebody was shown in between.
    """
    rows = connection.execute(
        sa.text(
            "SELECT c.size, c.note, c.kept, "
            "array_agg(s.line ORDER BY s.witness) FILTER (WHERE s.line IS NOT NULL) AS lines "
            "FROM checkpoint c LEFT JOIN cosignature s USING (poll, size) WHERE c.poll = :poll "
            "GROUP BY c.size, c.note, c.kept ORDER BY c.size"
        ),
        {"poll": poll},
    ).all()
    return [
        (row.size, row.note + "".join(f"{line}\n" for line in row.lines or []))
        for row in rows
        if every or row.kept or row.lines or row is rows[-1]
    ]


def accredit_witness(connection: Connection, poll: str, vkey: str) -> None:
    """Lets a witness cosign this log. Raises DauysError if `vkey` is not a witness's key."""
    if VerifierKey.parse(vkey).algorithm != COSIGNATURE:
        raise NoteError(f"{vkey} is not a witness's key (signature type 0x04): `dauys witness` prints the right one")
    connection.execute(
        sa.text("INSERT INTO witness VALUES (:poll, :vkey) ON CONFLICT DO NOTHING"), {"poll": poll, "vkey": vkey}
    )


def witnesses(connection: Connection, poll: str) -> list[str]:
    """The accredited witnesses' keys."""
    return list(
        connection.scalars(sa.text("SELECT vkey FROM witness WHERE poll = :poll ORDER BY vkey"), {"poll": poll})
    )


def add_cosignature(connection: Connection, poll: str, line: str) -> int:
    """Keeps a witness's cosignature of one of the log's checkpoints and returns that checkpoint's size.

    Raises DauysError if no accredited witness made it over any checkpoint of this log.
    """
    signature = Signature.parse(line.strip())
    accredited = [VerifierKey.parse(vkey) for vkey in witnesses(connection, poll)]
    signers = [key for key in accredited if signature.by(key)]
    for tree_size, text in reversed(checkpoints(connection, poll, every=True) if signers else []):
        bare = replace(parse_note(text), signatures=(signature,))
        try:
            verify_cosignatures(bare, signers)
        except NoteError:
            continue
        connection.execute(
            sa.text(
                "INSERT INTO cosignature VALUES (:poll, :size, :witness, :line) "
                "ON CONFLICT (poll, size, witness) DO UPDATE SET line = excluded.line"
            ),
            {"poll": poll, "size": tree_size, "witness": signature.name, "line": str(signature).rstrip("\n")},
        )
        return tree_size
    raise DauysError(
        "no accredited witness made this cosignature over a checkpoint of this log: "
        "give the commission the witness's key (the witness prints it), and cosign the newest checkpoint"
    )


def prove(connection: Connection, poll: str, seq: int, tree_size: int) -> list[bytes]:
    """The inclusion proof of one entry in the log's first `tree_size` entries, from the leaf up (RFC 6962 §2.1.1)."""
    return inclusion_proof(leaf_hashes(connection, poll, 0, tree_size), seq)


def find(connection: Connection, poll: str, entry_id: str) -> int | None:
    """Where the entry with this id stands; None if it is not in the log."""
    found = connection.scalar(
        sa.text("SELECT seq FROM entry WHERE poll = :poll AND id = :id"), {"poll": poll, "id": entry_id}
    )
    return None if found is None else int(found)


def is_closed(connection: Connection, poll: str) -> bool:
    """Whether the log has the entry after which neither a protocol nor a change of the roll is taken."""
    return find(connection, poll, "closing") is not None
