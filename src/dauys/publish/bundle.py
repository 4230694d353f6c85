"""What is published, and how does it reach a folder whole? The verification bundle (docs/architecture.md)."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path

from dauys.errors import BadInput
from dauys.polls.keys import Keys
from dauys.polls.result import Snapshot, contest_standing
from dauys.polls.standing import snapshot
from dauys.publish import exports, nist
from dauys.publish.record_files import write_record
from dauys.record import log
from dauys.store.engine import Connection

PUBLISHED = {
    "results.json": "application/json",
    "stations.csv": "text/csv; charset=utf-8",
    "stations.parquet": "application/vnd.apache.parquet",
    "datapackage.json": "application/json",
    "nist-1500-100.xml": "application/xml",
    "nist-1500-100.json": "application/json",
    "README.txt": "text/plain; charset=utf-8",
}
"""The files beside the record, each a pure function of it, with their media types."""

OURS = frozenset({*PUBLISHED, "checkpoint", "checkpoints", "tile", "keys.json"})
"""What lies in the folder of a bundle."""


def render(now: Snapshot, name: str) -> bytes:
    """One of the PUBLISHED files, from a snapshot alone."""
    makers: dict[str, Callable[[], bytes]] = {
        "results.json": lambda: exports.results_file(now, [contest_standing(sheet) for sheet in now.sheets]),
        "stations.csv": lambda: exports.stations_csv(now),
        "stations.parquet": lambda: exports.stations_parquet(now),
        "datapackage.json": lambda: exports.datapackage(now, exports.stations_csv(now)),
        "nist-1500-100.xml": lambda: nist.report_xml(now),
        "nist-1500-100.json": lambda: nist.report_json(now),
        "README.txt": lambda: readme(now).encode(),
    }
    return makers[name]()


def published_file(connection: Connection, poll_id: str, name: str) -> bytes:
    """One of the PUBLISHED files as of now; rendered once for each state of the record."""
    state = (str(connection.engine.url), poll_id, log.size(connection, poll_id))
    with _RENDERING:
        for earlier in [key for key in _rendered if key[:2] == state[:2] and key[:3] != state]:
            del _rendered[earlier]
        if (*state, name) not in _rendered:
            _rendered[*state, name] = render(snapshot(connection, poll_id), name)
        return _rendered[*state, name]


_RENDERING = threading.Lock()
_rendered: dict[tuple[str, str, int, str], bytes] = {}


def place_for(folder: Path) -> Path:
    """The folder as a place where a bundle may be put, and replaced: nothing, an empty folder, or an earlier bundle.

    Raises BadInput for anything else: what somebody keeps there would be lost.
    """
    folder = folder.resolve()
    if folder.exists() and not folder.is_dir():
        raise BadInput("a bundle is a folder, and this is a file", file=folder, expected="another name with --out")
    there = {path.name for path in folder.iterdir()} if folder.exists() else set()
    bundle = {"checkpoint", "keys.json"} <= there <= OURS
    if not folder.name or (there and not bundle):
        raise BadInput(
            "the bundle would replace this folder", file=folder, found=", ".join(sorted(there - OURS)) or None,
            expected="an empty or a new folder, or an earlier bundle: name another with --out",
        )  # fmt: skip
    return folder


def write_bundle(connection: Connection, poll_id: str, keys: Keys, folder: Path) -> Path:
    """Writes the bundle of a poll to `folder`, all of it or nothing: it is made beside and then put in place.

    An earlier bundle there is replaced; anything else is not (`place_for`).
    """
    place_for(folder)
    fresh = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    write_record(connection, poll_id, keys, fresh)
    now = snapshot(connection, poll_id)
    for name in PUBLISHED:
        (fresh / name).write_bytes(render(now, name))
    old = folder.with_name(f"{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
    return folder


def readme(now: Snapshot) -> str:
    """README.txt: what the folder is and how to check it."""
    poll = now.poll
    warning = (
        "\nRECONSTRUCTION: results by station were never published. Every station-level figure here is a\n"
        "reconstruction that agrees with all published totals; none is the real result of a station.\n"
        if poll.reconstruction
        else ""
    )
    return f"""{poll.names["en"]}
{poll.names["kk"]} · {poll.names["ru"]}
Stage: {now.stage}. Entries in the record: {now.size}. Newest entry: {now.as_of}.
{warning}
Check everything here, without a database:

    ./dauys verify THIS-FOLDER

checkpoint            the signed state of the record (C2SP checkpoint), with the cosignatures of witnesses
checkpoints/          earlier signed states
tile/                 the record itself (C2SP tlog-tiles, RFC 6962 tree)
keys.json             the keys claimed here: compare them with the ones that the commission printed
results.json          totals, areas, decision with its articles
stations.csv, .parquet, datapackage.json    one row for each station and question
nist-1500-100.xml, .json                    the same in NIST SP 1500-100
"""
