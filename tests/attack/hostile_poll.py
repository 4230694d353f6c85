"""A poll whose stations bear the strangest names that a list can hold, opened in a database as any poll is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time
from pathlib import Path

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.polls.keys import Keys, throwaway_keys
from dauys.polls.opening import open_poll
from dauys.registers.poll import Poll, Station
from dauys.registers.poll_file import read_poll

NOW = datetime(2022, 6, 5, 15, tzinfo=UTC)
VALUES = {"eligible": 500, "received": 400, "participated": 400, "yes": 300, "no": 100, "invalid": 0, "not_counted": 0}
SIGNER = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
STRANGE = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "'; DROP TABLE station; --", "a/b/../c", "%2e%2e%2f",
    "100%", "a?b=c#d", "{{7*7}}", "=cmd()", " s ", "\u0448\u043a\u043e\u043b\u0430 \u2116 5", "x" * 300,
)  # fmt: skip


def hostile_poll(name: str) -> Poll:
    poll = read_poll(Path(__file__).resolve().parents[1] / "end_to_end/small/poll.yaml").poll
    return replace(poll, id=name, contests=poll.contests[:1], reports=(time(12),))


def opened(connection: sa.Connection, name: str) -> tuple[Poll, Keys]:
    """The poll with plain stations `s0` to `s8`, a station `signs` that has a key, and the strange ones."""
    poll = hostile_poll(name)
    stations = [Station(f"s{number}", "A1", 500) for number in range(9)]
    stations.append(Station("signs", "A2", 500, SIGNER.public_key().public_bytes_raw()))
    stations += [Station(station, "A3", 500) for station in STRANGE]
    keys = throwaway_keys(poll)
    open_poll(connection, poll, stations, keys, NOW)
    return poll, keys
