"""What lies can an insider with all keys tell about the roll and the check-ins? Each in a bundle of its own, well signed."""

from __future__ import annotations

import json
import shutil
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

from joined_world import KEYS, POLL, World

from dauys.publish.verify import verify
from dauys.record import log
from dauys.record.canonical import canonical
from dauys.record.checkpoint import Checkpoint
from dauys.record.checkpoint import sign as sign_checkpoint
from dauys.record.tiles import folder_fetch, write_tiles
from independent_verifier import verify as verify_independently

FAULTS: dict[str, tuple[str, Any]] = {
    "a station's number in the roll": ("roll-stations", lambda body: body["stations"][0].update(voters=99)),
    "the number of voters": ("roll", lambda body: body.update(voters=14)),
    "the root of the roll": ("roll", lambda body: body.update(root="0" * 64)),
    "a station's root": ("roll-stations", lambda body: body["stations"][1].update(root="1" * 64)),
    "a station is left out of the roll": ("roll-stations", lambda body: body["stations"].pop()),
    "a count of additions": ("additions", lambda body: body.update(count=3)),
    "additions in another order": ("additions", lambda body: body["commitments"].reverse()),
    "an addition twice": ("additions", lambda body: body.update(commitments=[body["commitments"][0]] * 2)),
    "an addition without a reason": ("additions", lambda body: body.update(reason=" ")),
    "the roll of another day": ("roll", lambda body: body.update(day="2021-06-05")),
    "check-ins in the order in which they came": ("check-ins", lambda body: body["commitments"].reverse()),
    "a check-in more than stand": ("check-ins", lambda body: body.update(used=body["used"] + 1)),
    "a check-in that vanishes": ("check-ins", lambda body: body["commitments"].pop()),
    "a check-in taken back that never was": ("check-ins", lambda body: body["undone"].append("f" * 64)),
    "check-ins of a station that is not there": ("check-ins", lambda body: body.update(station="C-9")),
    "a protocol that says another number": ("protocol", lambda body: body["values"].update(received=4)),
}
"""{what is false: (the kind of the entry that says it, how its body is changed)}."""


def bundle_of(world: World, folder: Path, change: Callable[[dict[str, Any]], None], kind: str) -> Path:
    """The poll's bundle, with its whole log made again around a change of the first entry of a kind, and signed again."""
    entries = [json.loads(data) for _, data in log.read(world.connection, POLL)]
    for entry in entries:
        if entry["kind"] == kind:
            change(entry["body"])
            break
    for entry in entries:
        if entry["by"] == "commission":
            said = {name: value for name, value in entry.items() if name not in ("sig", "checks")}
            entry["sig"] = b64encode(KEYS.commission.sign(canonical(said))).decode()
    shutil.copytree(world.folder / "bundle", folder)
    for path in [*folder.glob("tile/**/*"), *folder.glob("checkpoints/*")]:
        if path.is_file():
            path.unlink()
    tree = write_tiles(folder, [canonical(entry) for entry in entries])
    (folder / "checkpoint").write_text(
        str(sign_checkpoint(Checkpoint(f"dauys/{POLL}", tree.size, tree.root()), KEYS.log))
    )
    keys = json.loads((folder / "keys.json").read_text())
    (folder / "keys.json").write_text(json.dumps(keys | {"checkpoints": []}))
    return folder


def failed(bundle: Path) -> tuple[set[str], set[str]]:
    """The numbers of the failed checks: our verifier's, the second verifier's."""
    ours = {check.id for check in verify(folder_fetch(bundle)) if not check.ok}
    return ours, {check["id"] for check in verify_independently(bundle)["checks"] if not check["ok"]}
