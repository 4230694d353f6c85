"""How many rights of a poll were asked back, and what became of them? In all, and by who decided it, why and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from dauys.pollbook.centre.take import cursor
from dauys.store.engine import Connection


@dataclass(frozen=True, slots=True)
class State:
    """How many rights of a poll were asked back, and what became of them. `twice`: one person used two. `returned` are given
    back; for them and for `kept` the asking was a mistake, seen after and before they were withdrawn."""

    asked: int
    withdrawn: int
    used: int
    twice: int
    returned: int = 0
    kept: int = 0

    def to_json(self) -> dict[str, int]:
        names = {"asked": "waiting"}
        return {names.get(name, name): getattr(self, name) for name in self.__slots__}


def state(connection: Connection, poll: str) -> State:
    """The poll's withdrawals in numbers."""
    row = cursor(connection).execute(
        "SELECT count(*) FILTER (WHERE outcome = 'asked') AS asked, count(*) FILTER (WHERE outcome = 'withdrawn') AS withdrawn, "
        "count(*) FILTER (WHERE outcome = 'used') AS used, count(*) FILTER (WHERE alarmed) AS twice, "
        "count(*) FILTER (WHERE outcome = 'returned') AS returned, count(*) FILTER (WHERE outcome = 'kept') AS kept "
        "FROM roll_withdrawal WHERE poll = %s",
        (poll,),
    ).fetchone()  # fmt: skip
    assert row is not None
    return State(*row)


@dataclass(frozen=True, slots=True)
class Group:
    """Rights that were asked back, or given back, at one time: because of which set, why, by whom, when, how many stand how."""

    set_id: int
    reason: str
    by: str
    at: datetime
    outcomes: Mapping[str, int]


def groups(connection: Connection, poll: str, limit: int = 50) -> list[Group]:
    """What was asked back in a poll, the newest first."""
    return grouped(connection, poll, ("set_id", "reason", "by", "asked"), limit)


def grouped(connection: Connection, poll: str, columns: tuple[str, str, str, str], limit: int) -> list[Group]:
    """A poll's withdrawals as these columns say who decided them: set, reason, name, moment."""
    decided, (set_id, _, by, at) = ", ".join(columns), columns
    rows = cursor(connection).execute(
        f"SELECT {decided}, json_object_agg(outcome, n ORDER BY outcome) AS outcomes FROM ("  # noqa: S608 - columns of ours
        f"SELECT {decided}, outcome, count(*) AS n FROM roll_withdrawal WHERE poll = %s AND {by} IS NOT NULL "
        f"GROUP BY {decided}, outcome) AS counts GROUP BY {decided} ORDER BY {at} DESC, {set_id} DESC LIMIT %s",
        (poll, limit),
    )
    return [Group(*row) for row in rows]
