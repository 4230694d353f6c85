"""Who annuls a result at the desk? Two clerks: one proposes it with reason and article, another one confirms.

Nothing of a proposal is in the record. The annulment that follows is the commission's, sealed with its key, and names both.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.errors import BadInput
from dauys.registers.poll import Poll
from dauys.stations.batch import one
from dauys.stations.corrections import annul
from dauys.stations.ledger import annulled, look_up
from dauys.stations.stated import stated
from dauys.store.engine import Connection


@dataclass(frozen=True, slots=True)
class Proposal:
    """An annulment that waits for a second clerk: of an area where `whole`, else of one station.

    `protocols` of them are in the sums now and would leave them.
    """

    contest: str
    whole: bool
    place: str
    reason: str
    cite: str
    repeat: bool
    by: str
    at: datetime
    protocols: int = 0


def propose(connection: Connection, poll: Poll, proposal: Proposal) -> None:
    """Keeps a proposal until another clerk confirms or anyone withdraws it. Raises BadInput F.018, F.020, F.022, F.028, F.031."""
    contest = poll.contest(proposal.contest)
    for name in ("reason", "cite"):
        stated(getattr(proposal, name), name, "an annulment states its reason and its article")
    if not proposal.whole:
        look_up(connection, poll.id, one(contest.id, proposal.place, {}))
    elif proposal.place not in {area.code for area in poll.areas}:
        raise BadInput("the poll has no such area", field="place", found=proposal.place, check="F.020")
    if proposal.place in annulled(connection, poll.id, contest.id):
        raise BadInput("the result is annulled already", field="place", found=proposal.place, check="F.028")
    made = connection.execute(
        sa.text(
            "INSERT INTO proposal (poll, contest, whole, place, reason, cite, repeat, by, at) VALUES "
            "(:poll, :contest, :whole, :place, :reason, :cite, :repeat, :by, :at) ON CONFLICT DO NOTHING RETURNING by"
        ),
        {"poll": poll.id, "contest": contest.id, "whole": proposal.whole, "place": proposal.place,
         "reason": proposal.reason, "cite": proposal.cite, "repeat": proposal.repeat, "by": proposal.by,
         "at": proposal.at},
    )  # fmt: skip
    if made.one_or_none() is None:
        message = "it is proposed already: another clerk confirms it, or it is withdrawn first"
        raise BadInput(message, field="place", found=proposal.place, check="F.028")


_PROPOSALS = (
    "SELECT contest, whole, place, reason, cite, repeat, by, at, (SELECT count(*) FROM protocol p JOIN station s "
    "ON s.poll = p.poll AND s.id = p.station WHERE p.poll = proposal.poll AND p.contest = proposal.contest "
    "AND p.state = 'accepted' AND proposal.place = CASE WHEN proposal.whole THEN s.area ELSE s.id END) AS protocols "
    "FROM proposal WHERE poll = :poll"
)


def proposals(connection: Connection, poll_id: str) -> list[Proposal]:
    """Annulments that wait for a second clerk, the oldest first."""
    rows = connection.execute(sa.text(f"{_PROPOSALS} ORDER BY at, contest, place"), {"poll": poll_id})
    return [_proposal(row) for row in rows]


def confirm(
    connection: Connection, poll: Poll, *, contest: str, whole: bool, place: str, by: str, at: datetime,
    seal: Ed25519PrivateKey | None,
) -> int:  # fmt: skip
    """Annuls what another clerk proposed and returns the entry's place. Raises BadInput F.030, F.040, and as `annul`."""
    found = _take(connection, poll.id, contest, whole, place)
    if found.by == by:
        raise BadInput("you proposed it: another clerk has to confirm it", field="place", found=place, check="F.040")
    return annul(
        connection, poll, contest=contest, reason=found.reason, cite=found.cite, repeat=found.repeat,
        by=f"{found.by} + {by}", at=at, seal=seal, **{"area" if whole else "station": place},
    )  # fmt: skip


def withdraw(connection: Connection, poll: Poll, *, contest: str, whole: bool, place: str) -> None:
    """Forgets a proposal. Raises BadInput F.030 if it is not there any more."""
    _take(connection, poll.id, contest, whole, place)


def _take(connection: Connection, poll_id: str, contest: str, whole: bool, place: str) -> Proposal:
    row = connection.execute(
        sa.text(
            "DELETE FROM proposal WHERE poll = :poll AND contest = :contest AND whole = :whole AND place = :place "
            "RETURNING contest, whole, place, reason, cite, repeat, by, at, 0 AS protocols"
        ),
        {"poll": poll_id, "contest": contest, "whole": whole, "place": place},
    ).one_or_none()
    if row is None:
        message = "this is not proposed any more: look at the list again"
        raise BadInput(message, field="place", found=place, check="F.030")
    return _proposal(row)


def _proposal(row: Any) -> Proposal:
    return Proposal(
        row.contest, row.whole, row.place, row.reason, row.cite, row.repeat, row.by, row.at, int(row.protocols)
    )
