"""A whole bundle proven, beside the hashing of its bytes and the checking of its signatures one by one."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from base64 import b64decode
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from bench.timing import Line, interleaved, peak_mib
from dauys.polls.replay import Replay
from dauys.publish.verify import verify
from dauys.record.checkpoint import Checkpoint
from dauys.record.entry import Entry
from dauys.record.note import parse as parse_note
from dauys.record.tiles import folder_fetch, read_entries

Signed = tuple[bytes, bytes, bytes]
"""Public key, signature, what is signed."""


def measure(quick: bool) -> list[Line]:
    """One line. The product makes the bundle of kz/2022-referendum first, in a temporary folder; that is not timed."""
    with tempfile.TemporaryDirectory(prefix="dauys") as folder:
        bundle = _bundle(Path(folder))
        files = sorted(str(path) for path in bundle.rglob("*") if path.is_file())
        signed = _signatures(bundle)

        def ours() -> None:
            assert all(check.ok for check in verify(folder_fetch(bundle)))

        def theirs() -> None:
            subprocess.run(["sha256sum", *files], stdout=subprocess.DEVNULL, check=True)
            for key, signature, message in signed:
                Ed25519PublicKey.from_public_bytes(key).verify(signature, message)

        times = interleaved(ours, theirs, 2 if quick else 5)
        size = sum(Path(file).stat().st_size for file in files) / 1e6
    job = f"verify: 10,012 stations, bundle of {size:.0f} MB, {len(signed):,} signatures"
    return [Line(job, times[0], "sha256sum and the signatures", times[1], most_ratio=10, peak=peak_mib())]


def _bundle(folder: Path) -> Path:
    bundle = folder / "bundle"
    subprocess.run(
        [sys.executable, "-m", "dauys", "run", "kz/2022-referendum", "--out", str(bundle)],
        cwd=folder, env=os.environ | {"DAUYS_HOME": str(folder / "home")}, capture_output=True, check=True,
    )  # fmt: skip
    return bundle


def _signatures(bundle: Path) -> list[Signed]:
    """Every signed entry, ready to be checked: finding keys and messages is not in the time either is given."""
    fetch, replay, found = folder_fetch(bundle), Replay(), []
    size = Checkpoint.parse(parse_note(fetch("checkpoint")).text).size
    for seq, data in enumerate(read_entries(fetch, size)):
        entry = Entry.from_bytes(data)
        replay.apply(seq, entry)
        if entry.sig is not None:
            key = replay.keys.get(entry.by) or replay.stations[entry.by].key
            assert key is not None
            found.append((key, b64decode(entry.sig), entry.signed_bytes()))
    assert len(found) == replay.signatures
    return found
