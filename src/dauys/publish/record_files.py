"""Which file of the record is it? Every file of a poll's log, by its published path, straight from the database.

The same paths serve the site (`/record/POLL/...`) and fill the bundle, so that a verifier needs no other reader.
"""

from __future__ import annotations

import json
from pathlib import Path

from dauys.polls.keys import Keys
from dauys.record import log
from dauys.record.tiles import NotPublished, Tile, entry_bundle, hash_tile, write_tiles
from dauys.store.engine import Connection


def newest_checkpoint(connection: Connection, poll_id: str, keys: Keys | None) -> str:
    """The newest signed state with its cosignatures. With the log's key, the present state is signed first."""
    if keys is not None:
        log.sign_checkpoint(connection, poll_id, keys.log, keep=False)
    signed = log.checkpoints(connection, poll_id)
    if not signed:
        raise NotPublished(f"{poll_id} has no checkpoint yet")
    return signed[-1][1]


def keys_json(connection: Connection, poll_id: str, keys: Keys) -> str:
    """The keys that this publisher claims, and the sizes of the earlier checkpoints.

    Whoever verifies compares the keys with what the commission printed.
    """
    body = {
        "log": str(keys.log.vkey),
        "witnesses": log.witnesses(connection, poll_id),
        "checkpoints": [size for size, _ in log.checkpoints(connection, poll_id)][:-1],
    }
    return json.dumps(body, indent=1) + "\n"


def tile_bytes(connection: Connection, poll_id: str, path: str) -> bytes:
    """The tile or entry bundle that `path` names. Raises NotPublished where the log is not that long."""
    tile = Tile.parse(path)
    if tile.stop > log.size(connection, poll_id):
        raise NotPublished(f"{path} is beyond the end of the record")
    if tile.level is None:
        return entry_bundle(body for _, body in log.read(connection, poll_id, tile.start, tile.stop))
    return hash_tile(
        tile.level, tile.index, tile.width, lambda start, stop: log.leaf_hashes(connection, poll_id, start, stop)
    )


def write_record(connection: Connection, poll_id: str, keys: Keys, folder: Path) -> None:
    """Writes checkpoint, earlier checkpoints, keys and all tiles of the newest signed state below `folder`."""
    newest = newest_checkpoint(connection, poll_id, keys)
    signed = log.checkpoints(connection, poll_id)
    size = signed[-1][0]
    entries = (body for _, body in log.read(connection, poll_id, 0, size))
    write_tiles(folder, entries, [earlier for earlier, _ in signed])
    (folder / "checkpoint").write_text(newest, encoding="utf-8")
    (folder / "checkpoints").mkdir(exist_ok=True)
    for earlier, note in signed[:-1]:
        (folder / "checkpoints" / str(earlier)).write_text(note, encoding="utf-8")
    (folder / "keys.json").write_text(keys_json(connection, poll_id, keys), encoding="utf-8")
