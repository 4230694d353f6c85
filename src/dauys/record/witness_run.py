"""How does an observer's witness look after a log? It reads the log, decides, saves, and sends its line.

One state folder follows one log. The log's key is pinned there: given by the caller, or taken the first time from the
log's `keys.json`. The evidence lies there, too: `cosigned.note`, the checkpoint that was cosigned last, and each one that
was refused, `refused-<size>.note`; all as the log served them, with its signature.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from threading import Timer

import httpx

from dauys.errors import DauysError
from dauys.record.canonical import canonical, parse
from dauys.record.checkpoint import Checkpoint
from dauys.record.merkle import consistency_proof_from
from dauys.record.note import SigningKey, VerifierKey
from dauys.record.note import parse as parse_note
from dauys.record.tiles import Fetch, NotPublished, TileError, Unreachable, folder_fetch, largest, nodes_of
from dauys.record.witness import Seen, WitnessRefusal, cosign

Post = Callable[[str, str], None]

COSIGNED = "cosigned.note"
_STATE = "witnessed.json"


@dataclass(frozen=True, slots=True)
class Report:
    """What one round did: the log's origin and key, the sizes before (None: first round) and now, the line given."""

    origin: str
    log_key: str
    before: int | None
    size: int
    root: bytes
    line: str
    posted: bool


def witness_once(
    base: str | Path,
    key: SigningKey,
    state_folder: Path,
    at: int,
    fetch: Fetch | None = None,
    post: Post | None = None,
    log_key: VerifierKey | None = None,
) -> Report:
    """One round of the witness, at `at` (Unix seconds), of the log at an address or in a folder.

    `fetch(path)` reads `checkpoint`, `keys.json` and `tile/...` below the base; `post(address, line)` sends the line to
    `<base>/cosign` when the base is an address. Raises WitnessRefusal when the log misbehaves and keeps what it showed;
    raises DauysError when it cannot be read. Then nothing is remembered or sent.
    """
    address = base if isinstance(base, str) and base.startswith(("http://", "https://")) else None
    if fetch is None:
        fetch = http_fetch(address) if address else folder_fetch(Path(base))
    state_folder.mkdir(parents=True, exist_ok=True)
    with _locked(state_folder):
        before, log_key = _load(state_folder, log_key)
        log_key = log_key or _published_key(fetch)
        served = fetch("checkpoint")
        note = parse_note(served)
        claimed = Checkpoint.parse(note.text)
        try:
            proof = _grown(fetch, before, claimed.size)
            seen, signature = cosign(before, note, proof, key, log_key, at)
        except WitnessRefusal as refusal:
            kept = _keep_refused(state_folder, claimed.size, served)
            raise WitnessRefusal(f"{refusal}. The refused checkpoint is kept in {kept}") from None
        _write(state_folder / COSIGNED, served)
        memory = {"log": str(log_key), "origin": claimed.origin, "root": seen.root.hex(), "size": seen.size}
        _write(state_folder / _STATE, canonical(memory))
    if address:
        (post or http_post)(f"{address.rstrip('/')}/cosign", str(signature))
    return Report(
        origin=claimed.origin,
        log_key=str(log_key),
        before=before.size if before else None,
        size=seen.size,
        root=seen.root,
        line=str(signature),
        posted=address is not None,
    )


READING = 3600.0
"""Seconds in which a log is to be read: a publisher who sends byte by byte would otherwise hold a reader for ever."""


def http_fetch(address: str, seconds: float = READING) -> Fetch:
    """Reads published files below an address, over one connection, for that many seconds from now."""
    client = httpx.Client(timeout=30, follow_redirects=True)
    ends = time.monotonic() + seconds

    def fetch(path: str) -> bytes:
        url = f"{address.rstrip('/')}/{path}"
        late = Unreachable(f"{url} cannot be read: the publisher has taken longer than {seconds:g} seconds")
        if (left := ends - time.monotonic()) <= 0:
            raise late
        watch = Timer(left, client.close)  # a timeout of the client is one of a single read
        watch.daemon = True
        watch.start()
        try:
            with client.stream("GET", url) as answer:
                if answer.status_code in (404, 410):
                    raise NotPublished(f"{url} is missing")
                answer.raise_for_status()
                data = bytearray()
                for chunk in answer.iter_bytes():
                    data += chunk
                    if len(data) > largest(path):
                        raise TileError(f"{url} is larger than any file of a log")
                return bytes(data)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, RuntimeError) as error:
            raise (late if time.monotonic() >= ends else Unreachable(f"{url} cannot be read: {error}")) from None
        finally:
            watch.cancel()

    return fetch


def http_post(url: str, line: str) -> None:
    """Sends a signature line as text/plain."""
    try:
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        answer = httpx.post(url, content=line.encode(), headers=headers, timeout=30)
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        raise DauysError(f"{url} cannot be reached: {error}") from None
    if answer.is_error:
        raise DauysError(f"{url} did not take the cosignature ({answer.status_code}): {answer.text[:300]}")


def _published_key(fetch: Fetch) -> VerifierKey:
    try:
        return VerifierKey.parse(json.loads(fetch("keys.json"))["log"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise DauysError("keys.json of the log does not name its key; give the key yourself") from None


def _load(folder: Path, given: VerifierKey | None) -> tuple[Seen | None, VerifierKey | None]:
    path = folder / _STATE
    try:
        state = parse(path.read_bytes())
        assert isinstance(state, dict)
        seen = Seen(int(str(state["size"])), bytes.fromhex(str(state["root"])))
        pinned = VerifierKey.parse(str(state["log"]))
    except FileNotFoundError:
        return None, given
    except (DauysError, AssertionError, KeyError, ValueError) as error:
        raise DauysError(f"{path} is damaged ({error}). A witness must not forget: restore it from a copy") from None
    if given is not None and given != pinned:
        raise WitnessRefusal(f"this witness follows {pinned}, not {given}; use another state folder for another log")
    return seen, pinned


def _grown(fetch: Fetch, before: Seen | None, size: int) -> list[bytes]:
    """The proof that the log grew from what was seen to `size`. A line that broke is no refusal: the next round asks again."""
    if before is None or before.size >= size:
        return []
    try:
        return consistency_proof_from(nodes_of(fetch, size), before.size, size)
    except Unreachable:
        raise
    except TileError as error:
        raise WitnessRefusal(f"the log does not show how it grew from {before.size} entries: {error}") from None


def _keep_refused(folder: Path, size: int, served: bytes) -> Path:
    """Where the refused checkpoint is kept; another one of the same size is kept beside it, never in its place."""
    names = chain([f"refused-{size}.note"], (f"refused-{size}-{n}.note" for n in count(2)))
    for path in (folder / name for name in names):
        if not path.exists():
            _write(path, served)
            return path
        if path.read_bytes() == served:
            return path
    raise AssertionError("the numbers do not end")


def _write(path: Path, data: bytes) -> None:
    """Atomic and durable: a witness that forgets may cosign a split."""
    draft = path.with_name(path.name + ".new")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Two rounds at once could cosign two sides of a split."""
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
