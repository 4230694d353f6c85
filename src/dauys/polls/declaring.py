"""How is a result declared? The count and the decision of that moment enter the record, signed by the commission."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from dauys.polls.keys import Keys
from dauys.polls.result import contest_json, contest_standing
from dauys.polls.standing import snapshot
from dauys.record import log
from dauys.record.entry import Entry
from dauys.record.parts import sign_whole
from dauys.registers.poll import COMMISSION, Poll
from dauys.store.engine import Connection


def declare(connection: Connection, poll: Poll, keys: Keys, stage: str, at: datetime, *, close: bool) -> str:
    """Counts, decides, and writes the declaration of a stage under a signed checkpoint; returns what was declared.

    With `close` the poll is closed first: after it only corrections and annulments come in. A stage that was declared
    already is left as it is. A closed poll that is adopted publishes what it sets off in the law, once.
    """
    entry_id = f"declaration/{stage}"
    if close and not log.is_closed(connection, poll.id):
        _enter(connection, poll, keys, at, "closing", "closing", {})
    if log.find(connection, poll.id, entry_id) is None:
        now = snapshot(connection, poll.id)
        contests = [contest_json(contest_standing(sheet)) for sheet in now.sheets]
        body = {"stage": stage, "size": now.size, "contests": contests}
        _enter(connection, poll, keys, at, "declaration", entry_id, body)
        _publish(connection, poll, keys, at, now.size, contests)
        log.sign_checkpoint(connection, poll.id, keys.log)
    declared = log.entry_at(connection, poll.id, log.find(connection, poll.id, entry_id) or 0).body["contests"]
    return f"{stage} result: " + ", ".join(f"{c['contest']} {c['decision']['outcome']}" for c in declared)


def _publish(
    connection: Connection, poll: Poll, keys: Keys, at: datetime, because: int, contests: Sequence[Mapping[str, Any]]
) -> None:
    """The Fact by which the adopted text commences (law.facts), naming the declaration that it follows from."""
    published = poll.publishes
    if published is None or not log.is_closed(connection, poll.id):
        return
    entry_id = f"publication/{published.event}"
    adopted = all(contest["decision"]["outcome"] == "adopted" for contest in contests)
    if adopted and log.find(connection, poll.id, entry_id) is None:
        _enter(connection, poll, keys, at, "publication", entry_id, {**published.to_json(), "because": because})


def _enter(
    connection: Connection, poll: Poll, keys: Keys, at: datetime, kind: str, entry_id: str, body: Mapping[str, Any]
) -> None:
    entry = Entry(poll.id, kind, entry_id, at.isoformat(), COMMISSION, body)
    log.append(connection, poll.id, sign_whole(entry, keys.commission))
