"""How does a paper form get in? Two people type it, neither sees the other's numbers, and a third decides what differs.

What agrees goes to intake in the same transaction. Words are compared without regard to case, hyphens and
the like; in two languages they differ.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dauys.errors import BadInput
from dauys.record.log import is_closed
from dauys.registers.poll import Poll
from dauys.stations.batch import one
from dauys.stations.beside import NOTHING, Beside
from dauys.stations.intake import Receipt, receive
from dauys.stations.overview import protocol
from dauys.stations.states import Paper, Refusal, Typed, Typing, decided, taken_back, typed
from dauys.store.engine import Connection


@dataclass(frozen=True, slots=True)
class Typings:
    """Where a form stands after somebody typed it, and its receipt once it has gone to intake."""

    state: Typing
    receipt: Receipt | None = None


def type_in(
    connection: Connection, poll: Poll, *, contest: str | None, station: str, values: Typed, by: str, at: datetime | str,
    beside: Beside = NOTHING,
) -> Typings:  # fmt: skip
    """Takes one person's typing of a form. Raises BadInput F.040 if it is not theirs to type, F.0xx as intake does."""
    found = poll.contest(contest).id
    _checked(poll, found, station, values)
    paper, row = _load(connection, poll, found, station)
    after = typed(paper, by, _written(values))
    if isinstance(after, Refusal):
        raise BadInput(after.message, field="station", found=station, check=after.check)
    if row is None and protocol(connection, poll.id, found, station) is not None:
        message = "a protocol of the station is in: a clerk may send a correction with its reason"
        raise BadInput(message, field="station", found=station, check="F.025")
    if is_closed(connection, poll.id):  # nobody types for nothing
        message = "the poll is closed: no protocol is taken, a clerk may correct those that are in"
        raise BadInput(message, field="station", found=station, check="F.024")
    _save(connection, poll.id, found, station, after, None, new=row is None)
    if after.state is not Typing.AGREED:
        return Typings(after.state)
    return Typings(after.state, _send(connection, poll, found, station, values, f"{after.first_by} + {by}", at, beside))


def resolve(
    connection: Connection, poll: Poll, *, contest: str | None, station: str, values: Typed, by: str, at: datetime | str,
    beside: Beside = NOTHING,
) -> Typings:  # fmt: skip
    """Takes the third person's decision. Raises BadInput F.040 if nothing differs or that person typed it."""
    found = poll.contest(contest).id
    _checked(poll, found, station, values)
    paper, _ = _load(connection, poll, found, station)
    after = decided(paper, by)
    if isinstance(after, Refusal):
        raise BadInput(after.message, field="station", found=station, check=after.check)
    _save(connection, poll.id, found, station, after, by, new=False)
    author = f"{after.first_by} + {after.second_by} + {by}"
    return Typings(after.state, _send(connection, poll, found, station, values, author, at, beside))


def take_back(connection: Connection, poll: Poll, *, contest: str | None, station: str, by: str) -> None:
    """Forgets what this person typed, while nobody has typed it again. Raises BadInput F.040 otherwise."""
    found = poll.contest(contest).id
    paper, _ = _load(connection, poll, found, station)
    after = taken_back(paper, by)
    if isinstance(after, Refusal):
        raise BadInput(after.message, field="station", found=station, check=after.check)
    connection.execute(
        sa.text("DELETE FROM paper WHERE poll = :poll AND contest = :contest AND station = :station"),
        {"poll": poll.id, "contest": found, "station": station},
    )


def typed_by(connection: Connection, poll_id: str, by: str, limit: int = 100) -> list[tuple[str, str]]:
    """Forms that this person typed first and nobody typed again, as (contest, station): what they may take back."""
    rows = connection.execute(
        sa.text(
            "SELECT contest, station FROM paper WHERE poll = :poll AND state = 'typed once' AND first_by = :by "
            "ORDER BY contest, station LIMIT :limit"
        ),
        {"poll": poll_id, "by": by, "limit": limit},
    )
    return [(row.contest, row.station) for row in rows]


def differing(connection: Connection, poll: Poll, contest: str, station: str, by: str) -> Paper:
    """The two typings, for the one who resolves. Raises BadInput F.040 to anybody who typed it, or if nothing differs."""
    paper, _ = _load(connection, poll, contest, station)
    allowed = decided(paper, by)
    if isinstance(allowed, Refusal):
        raise BadInput(allowed.message, field="station", found=station, check=allowed.check)
    return paper


def waiting(connection: Connection, poll_id: str, state: Typing, by: str, limit: int = 100) -> list[tuple[str, str]]:
    """Forms in a state that this person has not typed, as (contest, station): what there is for them to do."""
    rows = connection.execute(
        sa.text(
            "SELECT contest, station FROM paper WHERE poll = :poll AND state = :state AND first_by <> :by "
            "AND second_by IS DISTINCT FROM :by ORDER BY contest, station LIMIT :limit"
        ),
        {"poll": poll_id, "state": state.value, "by": by, "limit": limit},
    )
    return [(row.contest, row.station) for row in rows]


def _checked(poll: Poll, contest: str, station: str, values: Typed) -> None:
    one(contest, station, _numbers(values)).check_against(poll.contest(contest).form)


def _numbers(values: Typed) -> dict[str, int]:
    return {name: value for name, value in values.items() if isinstance(value, int)}


def _words(values: Typed) -> dict[str, str]:
    return {name: value for name, value in values.items() if isinstance(value, str)}


def _written(values: Typed) -> Typed:
    """What is kept: the numbers, and the words that the paper has."""
    return _numbers(values) | {name: text for name, text in _words(values).items() if text.strip()}


def _send(
    connection: Connection, poll: Poll, contest: str, station: str, values: Typed, by: str, at: datetime | str,
    beside: Beside,
) -> Receipt:  # fmt: skip
    batch = one(contest, station, _numbers(values), **_words(values))
    (receipt,) = receive(connection, poll, batch, by=by, at=at, beside=beside)
    return receipt


def _load(connection: Connection, poll: Poll, contest: str, station: str) -> tuple[Paper, Any]:
    """The form as typed so far, held for this transaction. Raises BadInput F.020 for a station not on the list."""
    place = {"poll": poll.id, "contest": contest, "station": station}
    there = connection.execute(
        sa.text("SELECT 1 FROM station WHERE poll = :poll AND id = :station FOR UPDATE"), place
    ).one_or_none()
    if there is None:
        raise BadInput("the station is not on the list", field="station", found=station, check="F.020")
    row = connection.execute(
        sa.text("SELECT * FROM paper WHERE poll = :poll AND contest = :contest AND station = :station"), place
    ).one_or_none()
    if row is None:
        return Paper(), None
    return Paper(Typing(row.state), row.first_by, row.first, row.second_by, row.second), row


def _save(
    connection: Connection, poll_id: str, contest: str, station: str, paper: Paper, by: str | None, *, new: bool
) -> None:
    values = {
        "poll": poll_id, "contest": contest, "station": station, "state": paper.state.value,
        "first_by": paper.first_by, "first": json.dumps(paper.first), "second_by": paper.second_by,
        "second": None if paper.second is None else json.dumps(paper.second), "decided_by": by,
    }  # fmt: skip
    if new:
        statement = (
            "INSERT INTO paper (poll, contest, station, state, first_by, first) "
            "VALUES (:poll, :contest, :station, :state, :first_by, CAST(:first AS jsonb))"
        )
    else:
        statement = (
            "UPDATE paper SET state = :state, second_by = :second_by, second = CAST(:second AS jsonb), "
            "decided_by = :decided_by WHERE poll = :poll AND contest = :contest AND station = :station"
        )
    connection.execute(sa.text(statement), values)
