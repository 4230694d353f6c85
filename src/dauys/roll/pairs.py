"""What does a person decide about two entries that may be one? The worklist of likely duplicates, and its decisions.

`same` makes a change set that a second person has to approve, as any set, and that can be rolled back: the pair is then open
again. `different` is remembered until one of the two entries changes. Every decision stays, with its name and reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from dauys.errors import DauysError
from dauys.roll.changes import get_set, one_decision_at_a_time
from dauys.roll.duplicates import print_of
from dauys.roll.free_text import no_iin
from dauys.roll.importing import add_versions, new_set
from dauys.roll.vault import Vault
from dauys.roll.versions import in_force
from dauys.roll.voter import FOR_GOOD, NAMES_KK, Person, Version, open_person
from dauys.store.engine import Connection


@dataclass(frozen=True, slots=True)
class Pair:
    """A line of the worklist. `state`: open, same, different, gone. `goes`: whose entry a set takes off."""

    id: int
    one: UUID
    other: UUID
    score: int
    evidence: tuple[str, ...]
    found: datetime
    state: str
    set_id: int | None
    goes: UUID | None

    def to_json(self) -> dict[str, Any]:
        """Without the voters' ids: an operator's screen needs the number alone."""
        return {
            "id": self.id, "score": self.score, "evidence": list(self.evidence), "found": self.found.isoformat(),
            "state": self.state, "set": self.set_id,
        }  # fmt: skip


def worklist(connection: Connection, state: str = "open", *, limit: int = 100, start: int = 0) -> list[Pair]:
    """Pairs in a state, the most alike first."""
    rows = connection.execute(
        sa.text(
            "SELECT id, one, other, score, evidence, found, now, set_id, goes FROM roll_pair_now "
            "WHERE now = :state ORDER BY score DESC, id OFFSET :start LIMIT :limit"
        ),
        {"state": state, "start": start, "limit": limit},
    )
    return [_pair(row) for row in rows]


def count_pairs(connection: Connection) -> dict[str, int]:
    """How many pairs there are in each state."""
    rows = connection.execute(sa.text("SELECT now, count(*) AS pairs FROM roll_pair_now GROUP BY now ORDER BY now"))
    return {row.now: row.pairs for row in rows}


def get_pair(connection: Connection, number: int) -> Pair:
    """A pair by its number. Raises DauysError."""
    row = connection.execute(
        sa.text("SELECT id, one, other, score, evidence, found, now, set_id, goes FROM roll_pair_now WHERE id = :id"),
        {"id": number},
    ).one_or_none()
    if row is None:
        raise DauysError(f"there is no pair {number}: `dauys roll duplicates list` shows them")
    return _pair(row)


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two entries, opened for the person who decides."""

    version: Version
    person: Person


def both(connection: Connection, vault: Vault, pair: Pair) -> tuple[Side, Side]:
    """The two entries as they are in force. Raises DauysError where one is no longer, or changed since it was compared."""
    sides = []
    for voter in (pair.one, pair.other):
        version = in_force(connection, voter)
        if version is None or version.status in FOR_GOOD:
            raise DauysError(f"one of pair {pair.id} is not on the roll any more: there is nothing to decide")
        sides.append(Side(version, open_person(vault, version)))
    one, other = sides
    entries = [(0, side.version.voter.bytes, side.version.station, side.version.sealed) for side in sides]
    stored = connection.scalar(sa.text("SELECT print FROM roll_pair WHERE id = :id"), {"id": pair.id})
    if bytes(stored or b"") != print_of(*entries):
        raise DauysError(f"an entry of pair {pair.id} changed since it was found: search again (roll duplicates find)")
    return one, other


def same(connection: Connection, vault: Vault, number: int, stays: UUID, by: str, at: datetime, reason: str) -> int:
    """Decides that both are one person and the entry `stays`: a held set gives the other the status `duplicate`.

    Returns the set's number; a second person approves it, or rejects it, and then the pair is open again. Raises DauysError.
    """
    pair = _to_decide(connection, number, by, reason)
    sides = {side.version.voter: side for side in both(connection, vault, pair)}
    if stays not in sides:
        raise DauysError(f"pair {number} has no such entry to keep")
    (goes,) = sides.keys() - {stays}
    # by a set that is not approved yet: who went by another one is not on the roll, unless a later set has him there again
    goes_by = "SELECT p.id FROM roll_pair p JOIN roll_set s ON s.id = p.set_id AND s.state = 'held' WHERE p.goes = :entry LIMIT 1"
    if (going := connection.scalar(sa.text(goes_by), {"entry": stays})) is not None:
        raise DauysError(
            f"the entry that is to stay goes by pair {going}: decide about that one first, or keep the other"
        )
    if (going := connection.scalar(sa.text(goes_by), {"entry": goes})) is not None:
        raise DauysError(
            f"the entry that is to go goes by pair {going} already, and two would stay: have that set rejected, "
            f"decide pair {going} the other way round, and then this one"
        )
    version, person = sides[goes].version, sides[goes].person
    day = get_set(connection, version.set_id).day
    set_id = new_set(connection, by, at, "duplicates", f"pair {number}", day)
    row = row_of(person, version) | {"status": "duplicate", "since": at.date().isoformat(), "until": "",
                                     "source": f"pair {number} of likely duplicates"}  # fmt: skip
    add_versions(connection, vault, set_id, [row])
    connection.execute(
        sa.text("UPDATE roll_set SET summary = CAST(:summary AS jsonb) WHERE id = :id"),
        {"id": set_id, "summary": '{"rows": 1, "taken": 1}'},
    )
    connection.execute(
        sa.text("UPDATE roll_pair SET state = 'same', set_id = :set, goes = :goes WHERE id = :id"),
        {"id": number, "set": set_id, "goes": goes},
    )
    _note(connection, number, at, by, "same", reason, set_id)
    return set_id


def different(connection: Connection, number: int, by: str, at: datetime, reason: str) -> None:
    """Decides that they are two people: not proposed again unless one of the entries changes. Raises DauysError."""
    _to_decide(connection, number, by, reason)
    connection.execute(
        sa.text("UPDATE roll_pair SET state = 'different', set_id = NULL, goes = NULL WHERE id = :id"), {"id": number}
    )
    _note(connection, number, at, by, "different", reason)


def reopen(connection: Connection, number: int, by: str, at: datetime, reason: str) -> None:
    """Takes `different` back. (`same` is taken back by rejecting its set, or rolling it back.) Raises DauysError."""
    one_decision_at_a_time(connection)
    if get_pair(connection, number).state != "different":
        raise DauysError(f"pair {number} was not found different; a set is rejected or rolled back instead")
    _needs(by, reason)
    connection.execute(sa.text("UPDATE roll_pair SET state = 'open' WHERE id = :id"), {"id": number})
    _note(connection, number, at, by, "open", reason)


def row_of(person: Person, version: Version) -> dict[str, str]:
    """A version as a row for `importing.add_versions`."""
    kazakh = {f"{name}_kk": person.names_kk.get(name, "") for name in NAMES_KK}
    days = {name: _text(day) for name, day in (("since", version.since), ("until", version.until))}
    return {
        "iin": person.iin, "born": person.born.isoformat(), "surname": person.surname, "given": person.given,
        "patronymic": person.patronymic, **kazakh, **person.address, "station": version.station, "area": version.area,
        "status": version.status, "source": version.source, **days,
    }  # fmt: skip


def _text(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def _pair(row: Any) -> Pair:
    open_ = row.now in ("open", "gone", "different")
    return Pair(
        row.id, row.one, row.other, row.score, tuple(row.evidence), row.found, row.now,
        None if open_ else row.set_id, None if open_ else row.goes,
    )  # fmt: skip


def _to_decide(connection: Connection, number: int, by: str, reason: str) -> Pair:
    one_decision_at_a_time(connection)
    pair = get_pair(connection, number)
    if pair.state != "open":
        more = f" (set {pair.set_id})" if pair.set_id is not None else ""
        raise DauysError(f"pair {number} is decided already: {pair.state}{more}")
    _needs(by, reason)
    return pair


def _needs(by: str, reason: str) -> None:
    no_iin(reason)
    if not by.strip() or not reason.strip():
        raise DauysError("a decision about two entries has a name and a reason: both stay with it")


def _note(
    connection: Connection, number: int, at: datetime, by: str, what: str, reason: str, set_id: int | None = None
) -> None:
    connection.execute(
        sa.text(
            "INSERT INTO roll_pair_decision (pair, n, at, by, what, reason, set_id) SELECT :pair, count(*) + 1, :at, :by, "
            ":what, :reason, CAST(:set AS bigint) FROM roll_pair_decision WHERE pair = :pair"
        ),
        {"pair": number, "at": at, "by": by, "what": what, "reason": reason, "set": set_id},
    )
