"""How does a hostile publisher make a bundle? With the log's and the commission's keys, around any entries at all."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.polls.opening import COMMISSION
from dauys.polls.replay import Replay
from dauys.polls.result import contest_json, contest_standing
from dauys.publish.rendering import PUBLISHED, render
from dauys.record.canonical import canonical
from dauys.record.checkpoint import Checkpoint, sign
from dauys.record.entry import Entry, sign_entry
from dauys.record.note import SigningKey
from dauys.record.tiles import write_tiles
from dauys.registers.poll_file import read_poll, read_stations

SMALL = Path(__file__).resolve().parents[1] / "end_to_end/small"
LOG = SigningKey.from_seed("dauys/test/small", b"\x01" * 32)
OFFICE = Ed25519PrivateKey.from_private_bytes(b"\x02" * 32)
AT = "2022-06-05T21:00:00+06:00"
VALUES = {"eligible": 600, "received": 500, "participated": 500, "yes": 300, "no": 200, "invalid": 0, "not_counted": 0}
AFTER = {**VALUES, "yes": 299, "no": 201}


def entry(kind: str, entry_id: str, body: Any) -> dict[str, Any]:
    return {"poll": "test/small", "kind": kind, "id": entry_id, "at": AT, "by": COMMISSION, "body": body}


@cache
def _honest() -> tuple[dict[str, Any], ...]:
    file = read_poll(SMALL / "poll.yaml")
    assert file.stations is not None
    stations = [station.to_json() for station in read_stations(file.stations)]
    keys = {COMMISSION: b64encode(OFFICE.public_key().public_bytes_raw()).decode()}
    made = [
        entry("poll", "poll", file.poll.to_json() | {"stations": len(stations), "keys": keys}),
        entry("stations", "stations/0", {"stations": stations}),
        entry("turnout", "turnout/A1-02/12:00", {"station": "A1-02", "time": "12:00", "eligible": 746, "received": 9}),
        entry("protocol", "protocol/charter/A1-01", {"station": "A1-01", "contest": "charter", "values": VALUES}),
        entry("protocol", "protocol/charter/A2-01", {"station": "A2-01", "contest": "charter", "values": VALUES}),
        entry("annulment", "annulment/charter/A3", {"contest": "charter", "area": "A3", "reason": "r", "cite": "c",
                                                    "repeat": True}),
        entry("closing", "closing", {}),
        entry("correction", "correction/charter/A1-01/1", {"station": "A1-01", "contest": "charter", "of": 3,
                                                           "before": VALUES, "after": AFTER, "reason": "r"}),
    ]  # fmt: skip
    replay = Replay()
    for seq, body in enumerate(made):
        replay.apply(seq, Entry.from_bytes(signed(body)))
    contests = [contest_json(contest_standing(sheet)) for sheet in replay.snapshot(len(made)).sheets]
    return *made, entry("declaration", "declaration/final", {"stage": "final", "size": len(made), "contests": contests})


def honest() -> list[dict[str, Any]]:
    """The entries of a small poll: one of each kind, all as they should be."""
    return deepcopy(list(_honest()))


def signed(body: Any) -> bytes:
    """The bytes of an entry, signed by the commission as far as it can be signed at all."""
    try:
        return sign_entry(Entry.from_bytes(canonical(body)), OFFICE).to_bytes()
    except Exception:  # noqa: BLE001 - a hostile publisher does not care why
        return canonical(body)


@cache
def _files() -> dict[str, bytes]:
    """The published files of the honest record."""
    replay, entries = Replay(), [signed(body) for body in _honest()]
    for seq, data in enumerate(entries):
        replay.apply(seq, Entry.from_bytes(data))
    return {name: render(replay.snapshot(len(entries)), name) for name in PUBLISHED}


def write(folder: Path, entries: Sequence[bytes]) -> Path:
    """A bundle around these entries: tree and signatures good, beside the published files of the honest record."""
    folder.mkdir(parents=True, exist_ok=True)
    tree = write_tiles(folder, entries)
    (folder / "checkpoint").write_text(sign(Checkpoint(LOG.name, tree.size, tree.root()), LOG))
    (folder / "keys.json").write_text(json.dumps({"log": str(LOG.vkey), "witnesses": [], "checkpoints": []}))
    for name, data in _files().items():
        (folder / name).write_bytes(data)
    return folder
