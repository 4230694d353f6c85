"""How is a result declared? The count and the decision of that moment enter the record, signed by the commission."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dauys.polls.keys import Keys
from dauys.polls.result import contest_json, contest_standing
from dauys.polls.standing import snapshot
from dauys.record import log
from dauys.record.entry import Entry, sign_entry
from dauys.registers.poll import COMMISSION, Poll
from dauys.store.engine import Connection


def declare(connection: Connection, poll: Poll, keys: Keys, stage: str, at: datetime, *, close: bool) -> str:
    """Counts, decides, and writes the declaration of a stage under a signed checkpoint; returns what was declared.

    With `close` the poll is closed first: after it only corrections and annulments come in. A stage that was declared
    already is left as it is.
    """
    entry_id = f"declaration/{stage}"
    if close and log.find(connection, poll.id, "closing") is None:
        _enter(connection, poll, keys, at, "closing", "closing", {})
    if log.find(connection, poll.id, entry_id) is None:
        now = snapshot(connection, poll.id)
        contests = [contest_json(contest_standing(sheet)) for sheet in now.sheets]
        body = {"stage": stage, "size": now.size, "contests": contests}
        _enter(connection, poll, keys, at, "declaration", entry_id, body)
        log.sign_checkpoint(connection, poll.id, keys.log)
    declared = log.entry_at(connection, poll.id, log.find(connection, poll.id, entry_id) or 0).body["contests"]
    return f"{stage} result: " + ", ".join(f"{c['contest']} {c['decision']['outcome']}" for c in declared)


def _enter(
    connection: Connection, poll: Poll, keys: Keys, at: datetime, kind: str, entry_id: str, body: Mapping[str, Any]
) -> None:
    entry = Entry(poll.id, kind, entry_id, at.isoformat(), COMMISSION, body)
    log.append(connection, poll.id, [sign_entry(entry, keys.commission)])
