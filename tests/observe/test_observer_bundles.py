"""A published bundle with what observers said: both verifiers prove it, and find every fault that an insider plants (V.15)."""

from __future__ import annotations

import json
import shutil
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from accredited_world import KEYS, MISSION, POLL, World, world_of
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.cli.main import tree
from dauys.observe.accreditation.applications import answer, refuse, suspend
from dauys.observe.accreditation.badges import issue
from dauys.observe.accreditation.received import receive
from dauys.observe.sample.draw import seed_sha256
from dauys.polls.declaring import declare
from dauys.publish.bundle import write_bundle
from dauys.publish.verify import verify
from dauys.record import log
from dauys.record.canonical import canonical
from dauys.record.checkpoint import Checkpoint
from dauys.record.checkpoint import sign as sign_checkpoint
from dauys.record.tiles import folder_fetch, write_tiles
from independent_verifier import verify as verify_independently

pytestmark = pytest.mark.database
HASH = "ab" * 32
FORGER = Ed25519PrivateKey.from_private_bytes(b"\x0a" * 32)

Entry = dict[str, Any]
Log = list[Entry]


@pytest.fixture
def bundle(connection: sa.Connection, tmp_path: Path) -> Path:
    """A poll that was observed to its end."""
    world = world_of(connection)
    world.accredited()
    number = world.apply(b"refused", charter="")
    refuse(connection, POLL, number, [("the charter says nothing of it", "20-1")], "anna", KEYS.commission, world.now)
    sample = world.entry(
        "observer-sample", "qala/1", frame_sha256=HASH, record_size=0, design={"n": 1}, stations=1,
        commitment=seed_sha256("quiet rivers"),
    )  # fmt: skip
    drawn = send(world, sample)
    of, _ = world.protocol(), world.protocol("s2")
    send(world, world.entry("observer-seed", "qala/1", of=drawn, seed="quiet rivers"))
    seen = send(world, world.observed(of, yes=(490, 500)))
    declare(connection, POLL, KEYS, "final", world.tick(hours=1), close=True)
    answer(connection, POLL, seen, "stands", None, "the paper says 500", KEYS.commission, world.now)
    send(world, world.entry("observer-report", "qala/1", sha256=HASH, title="Seen", log_size=3, log_head=HASH))
    texts = issue(connection, POLL, "qala", [("Әлия Нұрланқызы", "")], "anna", KEYS.commission, world.now)
    (tmp_path / "badge.txt").write_text(texts[0] + "\n")
    suspend(connection, POLL, "qala", True, "a breach", "20-1", KEYS.commission, world.now)
    log.sign_checkpoint(connection, POLL.id, KEYS.log)
    write_bundle(connection, POLL.id, KEYS, tmp_path / "bundle")
    (tmp_path / "log.json").write_text(json.dumps([json.loads(data) for _, data in log.read(connection, POLL.id)]))
    return tmp_path / "bundle"


def send(world: World, entry: Any) -> int:
    return receive(world.connection, POLL, entry.to_bytes(), world.now)[0]


def failed(bundle: Path) -> tuple[set[str], set[str]]:
    ours = {check.id for check in verify(folder_fetch(bundle)) if not check.ok}
    return ours, {check["id"] for check in verify_independently(bundle)["checks"] if not check["ok"]}


def again(bundle: Path, folder: Path, change: Callable[[Log], None]) -> Path:
    """The bundle with its whole log made again around a change, signed by everybody who has a key."""
    entries = json.loads((bundle.parent / "log.json").read_text())
    change(entries)
    for entry in entries:
        said = {name: value for name, value in entry.items() if name not in ("sig", "checks", "forged")}
        keys = {"commission": KEYS.commission, "organisation/qala": FORGER if entry.pop("forged", False) else MISSION}
        if entry["by"] in keys:
            entry["sig"] = b64encode(keys[entry["by"]].sign(canonical(said))).decode()
    shutil.copytree(bundle, folder)
    for path in [*folder.glob("tile/**/*"), *folder.glob("checkpoints/*")]:
        if path.is_file():
            path.unlink()
    tree = write_tiles(folder, [canonical(entry) for entry in entries])
    state = Checkpoint(f"dauys/{POLL.id}", tree.size, tree.root())
    (folder / "checkpoint").write_text(str(sign_checkpoint(state, KEYS.log)))
    said = json.loads((folder / "keys.json").read_text())
    (folder / "keys.json").write_text(json.dumps(said | {"checkpoints": []}))
    return folder


def the(log_: Log, kind: str) -> Entry:
    return next(entry for entry in log_ if entry["kind"] == kind)


def forged_signature(log_: Log) -> None:
    the(log_, "observation")["forged"] = True


def suspended_sender(log_: Log) -> None:
    late = the(log_, "observer-report")
    log_.remove(late)
    log_.append(late)


def published_otherwise(log_: Log) -> None:
    the(log_, "observation")["body"]["fields"]["yes"]["published"] = 490


def another_seed(log_: Log) -> None:
    the(log_, "observer-seed")["body"]["seed"] = "loud rivers"


def refused_sender(log_: Log) -> None:
    """The organisation was refused, not accredited: nothing of it may stand."""
    refusal = the(log_, "organisation-refused")
    accredited = the(log_, "organisation")
    accredited |= {"kind": "organisation-refused", "id": "organisation-refused/2", "body": refusal["body"]}
    log_.remove(the(log_, "organisation-suspended"))


FAULTS: list[Callable[[Log], None]] = [
    forged_signature,
    suspended_sender,
    published_otherwise,
    another_seed,
    refused_sender,
]


def test_the_bundle_is_proven_and_every_planted_fault_is_found(bundle: Path, tmp_path: Path) -> None:
    assert failed(bundle) == (set(), set())
    assert failed(again(bundle, tmp_path / "untouched", lambda log_: None)) == (set(), set())
    for fault in FAULTS:
        ours, theirs = failed(again(bundle, tmp_path / fault.__name__, fault))
        assert "V.15" in ours and "V.15" in theirs, (fault.__name__, ours, theirs)
        assert not {"V.02", "V.03", "V.05", "V.06"} & (ours | theirs), (fault.__name__, ours, theirs)


def test_a_badge_is_checked_against_the_bundle_without_a_database(bundle: Path, tmp_path: Path) -> None:
    def asked(*args: str) -> tuple[int, dict[str, Any]]:
        done = CliRunner().invoke(tree, ["observers", "badge", *args, "--json"], standalone_mode=False)
        return int(done.return_value), json.loads(done.stdout)

    file, key = str(tmp_path / "badge.txt"), b64encode(KEYS.commission.public_key().public_bytes_raw()).decode()
    code, said = asked(file, "--key", key, "--on", "2024-10-06")
    assert (code, said["state"], said["badge"]["name"]) == (0, "valid", "Әлия Нұрланқызы")
    code, said = asked(file, "--record", str(bundle), "--on", "2024-10-06")
    assert (code, said["state"], said["why"]) == (1, "suspended", "the organisation is suspended")
    admitted = again(bundle, tmp_path / "admitted", lambda log_: log_.remove(the(log_, "organisation-suspended")))
    assert asked(file, "--record", str(admitted), "--on", "2024-10-06")[1]["state"] == "valid"
    assert asked(file, "--record", str(admitted), "--on", "2025-08-21")[1]["state"] == "ended"
    forged = (tmp_path / "badge.txt").read_text().replace("Әлия", "Алия")
    assert asked(forged, "--record", str(admitted))[1]["state"] == "forged"
