"""How does a station get its package? The list, the law and the officers of one station, sealed by a code of its own.

The first package of a station is its generation 1. Made again before the station has told its key, it replaces the one
before, whose machine can do nothing then (docs/custody.md); afterwards the commission first declares the machine lost, and
the next package is the next generation.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.errors import BadInput, DauysError
from dauys.pollbook import lists
from dauys.pollbook.centre import cursor, declare_lost
from dauys.pollbook.channels import Channels
from dauys.pollbook.log import PAPER, LogId
from dauys.pollbook.moves import lock_station, onto_the_list
from dauys.pollbook.package import (
    CODE_BYTES,
    NONCE_BYTES,
    SALT_BYTES,
    Officer,
    Package,
    Place,
    new_code,
    proof_key,
    seal,
)
from dauys.registers.poll import Poll, Station
from dauys.roll.vault import Vault
from dauys.store.engine import Connection

UNHEARD = timedelta(hours=6)
"""How long after closing a station that was never heard may still work: until its queue and its count are done."""

TRIAL_OFFICERS = (
    Officer("chair", "chair", "Chair (trial)"),
    Officer("secretary", "secretary", "Secretary (trial)"),
    Officer("member1", "member", "Member 1 (trial)"),
    Officer("member2", "member", "Member 2 (trial)"),
)
COLUMNS = ("station", "id", "role", "name")

Random = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Packing:
    """What every package of a poll is made with. `stations` are all of the poll, by id; `trial` as in `Package`."""

    poll: Poll
    stations: Mapping[str, Station]
    channels: Channels
    key: Ed25519PrivateKey
    vault: Vault
    trial: bool = False


@dataclass(frozen=True, slots=True)
class Packed:
    """A package on its way: the file, and the code that goes another way."""

    log: LogId
    data: bytes
    code: str
    voters: int


def pack(
    connection: Connection, packing: Packing, station: str, officers: tuple[Officer, ...], at: datetime,
    random: Random = os.urandom,
) -> Packed:  # fmt: skip
    """Makes a station's package and notes at the centre what checks its enrolment. In the caller's transaction.

    Raises DauysError where the roll is not frozen, the station is unknown, or it works already.
    """
    poll, found = packing.poll, packing.stations.get(station)
    if found is None:
        raise DauysError(f"{poll.id} has no station {station!r}")
    cur = cursor(connection)
    if cur.execute("SELECT 1 FROM roll_freeze WHERE poll = %s", (poll.id,)).fetchone() is None:
        raise DauysError(f"the roll of {poll.id} is not frozen: dauys roll freeze {poll.id}")
    lock_station(cur, poll.id, station)
    log = LogId(poll.id, station, next_generation(connection, poll.id, station))
    onto_the_list(connection, log)
    area = poll.area(found.area)
    package = Package(
        log=log,
        names=poll.names,
        centre=packing.key.public_key().public_bytes_raw(),
        lease=poll.closing(found.area) + UNHEARD,
        opens=f"{poll.opens:%H:%M}",
        closes=f"{poll.closes:%H:%M}",
        channels=replace(packing.channels, timezone=area.timezone or poll.timezone),
        officers=officers,
        voters=lists.voters_of(connection, packing.vault, log),
        stations={
            one.id: Place(dict.fromkeys(("kk", "ru", "en"), one.id), one.settlement, one.address)
            for one in packing.stations.values()
            if one.area == found.area
        },
        trial=packing.trial,
    )
    cur.execute(  # rights that were sent after a list that nobody enrolled with: they stand on this one
        "UPDATE pollbook_grant SET taken = true WHERE poll = %s AND receiver = %s AND NOT taken", (poll.id, log.holder)
    )
    code, salt = new_code(random(CODE_BYTES)), random(SALT_BYTES)
    data = seal(package, code, packing.key, salt, random(NONCE_BYTES))
    here = sum(not voter.away for voter in package.voters)
    lists.note_package(connection, log, proof_key(code, salt, log), at, here)
    return Packed(log, data, code, len(package.voters))


def next_generation(connection: Connection, poll: str, station: str) -> int:
    """Which generation the next package of a station is. Raises DauysError while the last one works."""
    row = cursor(connection).execute(
        "SELECT generation, lost FROM pollbook_log WHERE poll = %s AND station = %s AND generation <= %s "
        "ORDER BY generation DESC LIMIT 1",
        (poll, station, PAPER),
    ).fetchone()  # fmt: skip
    if row is None:
        return 1
    if not row.lost:
        raise DauysError(
            f"station {station} works with the package it has; if its machine is gone: dauys pollbook lost {poll} {station}"
        )
    return int(row.generation) + 1


def lose(connection: Connection, poll: str, station: str) -> tuple[LogId, str]:
    """Declares the machine of a station `lost`: its newest log. Rights stay where they are.

    A package that nobody has enrolled with is made `void` instead: nobody can any more, and a machine that opened it while
    its wire was cut never could do anything. Raises DauysError.
    """
    lock_station(cursor(connection), poll, station)
    row = cursor(connection).execute(
        "SELECT generation, lost FROM pollbook_log WHERE poll = %s AND station = %s AND generation <= %s "
        "ORDER BY generation DESC LIMIT 1",
        (poll, station, PAPER),
    ).fetchone()  # fmt: skip
    generation = 1 if row is None else row.generation + row.lost
    voided = cursor(connection).execute(
        "DELETE FROM pollbook_package WHERE (poll, station, generation) = (%s, %s, %s) AND NOT EXISTS "
        "(SELECT FROM pollbook_log l WHERE (l.poll, l.station, l.generation) = (%s, %s, %s))",
        (poll, station, generation) * 2,
    ).rowcount  # fmt: skip
    if voided:
        return LogId(poll, station, generation), "void"
    if row is None:
        raise DauysError(f"station {station} of {poll} has no package yet")
    log = LogId(poll, station, row.generation)
    declare_lost(connection, log)
    return log, "lost"


def read_officers(path: Path) -> dict[str, tuple[Officer, ...]]:
    """The officers of each station out of a CSV file with the columns of `COLUMNS`. Raises BadInput with the row."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"the officers cannot be read: {error}", file=path, expected="a CSV file in UTF-8") from None
    reader = csv.DictReader(io.StringIO(text))
    if tuple(reader.fieldnames or ()) != COLUMNS:
        found = ",".join(reader.fieldnames or ())
        raise BadInput("other columns than expected", file=path, row=1, found=found, expected=",".join(COLUMNS))
    officers: dict[str, dict[str, Officer]] = {}
    for number, row in enumerate(reader, 2):
        if None in row or None in row.values() or not all(value.strip() for value in row.values()):
            raise BadInput("a cell is empty, or there are too many", file=path, row=number, expected=",".join(COLUMNS))
        station, name, role, called = (row[column].strip() for column in COLUMNS)
        if role not in ("chair", "secretary", "member"):
            raise BadInput("no such role", file=path, row=number, field="role", found=role,
                           expected="chair, secretary or member")  # fmt: skip
        if not (name.isascii() and len(name) <= 20 and name.replace("-", "a").isalnum() and name == name.lower()):
            raise BadInput("no id of an officer", file=path, row=number, field="id", found=name,
                           expected="small letters, digits, hyphens, at most 20")  # fmt: skip
        if name in (here := officers.setdefault(station, {})):
            raise BadInput("the officer is listed twice", file=path, row=number, field="id", found=name)
        here[name] = Officer(name, role, called)
    return {station: _complete(path, station, of) for station, of in officers.items()}


def _complete(path: Path, station: str, officers: Mapping[str, Officer]) -> tuple[Officer, ...]:
    roles = {officer.role for officer in officers.values()}
    if missing := [role for role in ("chair", "member") if role not in roles]:
        raise BadInput(f"station {station} has no {missing[0]}", file=path, expected="a chair and members for each")
    return tuple(officers.values())


def write(folder: Path, packed: Iterable[Packed]) -> list[tuple[Packed, Path, Path]]:
    """Writes `STATION.package` and `STATION.code` (for its owner's eyes alone) of each; a whole file or none."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for one in packed:
        package, code = (folder / (file_name(one.log.station) + ending) for ending in (".package", ".code"))
        _write(package, one.data, 0o644)
        _write(code, f"{one.code}\n".encode(), 0o600)
        written.append((one, package, code))
    return written


def file_name(station: str) -> str:
    """A station's id as the name of a file: letters, digits, `-`, `_` and `.`; anything else by its number."""
    return "".join(c if c.isalnum() or c in "-_" or (c == "." and n) else f"%{ord(c):X}" for n, c in enumerate(station))


def _write(path: Path, data: bytes, mode: int) -> None:
    making = path.with_name(path.name + ".making")
    making.unlink(missing_ok=True)
    with os.fdopen(os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    making.rename(path)
