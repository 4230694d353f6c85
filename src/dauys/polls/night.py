"""How does a poll go, from its opening to its declaration? Each event in one transaction, again and again the same.

Killed at any point and started again, the night ends in the same record: what is there already is recognised by its entry's id
(record.log.append), so that nothing is lost and nothing doubled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, time
from typing import Any

import sqlalchemy as sa

from dauys.polls.opening import open_poll
from dauys.polls.result import contest_json, contest_standing
from dauys.polls.sources import Corrected, Declared, Event, Protocols, Reports, Source
from dauys.polls.standing import snapshot
from dauys.record import log
from dauys.record.entry import Entry, sign_entry
from dauys.registers.poll import COMMISSION
from dauys.stations.corrections import correct
from dauys.stations.intake import receive
from dauys.stations.turnout import report_turnout
from dauys.store.engine import Connection

IMPORT = "import"
"""Who sent in protocols that no station signed: they were read from a file."""

Wait = Callable[[datetime], None]
"""Called before each event with its moment: a replay sleeps there, a plain run returns at once."""

Tell = Callable[[str], None]


def begin(engine: sa.Engine, source: Source) -> None:
    """Opens the poll: its definition and its stations are in the record, under a first signed checkpoint. Once."""
    poll = source.poll
    with engine.begin() as connection:
        open_poll(connection, poll, source.stations, source.keys, poll.moment(time(0)))
        if not log.checkpoints(connection, poll.id):
            log.sign_checkpoint(connection, poll.id, source.keys.log)


def run_night(engine: sa.Engine, source: Source, wait: Wait = lambda at: None, tell: Tell = lambda text: None) -> None:
    """Runs the whole poll into the record. Started again after any interruption it goes on where it stopped."""
    begin(engine, source)
    tell(f"{source.poll.names['en']}: {len(source.stations):,} stations in {len(source.poll.areas)} areas")
    for event in source.stream():
        wait(event.at)
        with engine.begin() as connection:
            tell(f"{event.at:%d %b %H:%M}  {_take(connection, source, event)}")


def _take(connection: Connection, source: Source, event: Event) -> str:
    match event:
        case Reports():
            report_turnout(connection, source.poll, event, by=IMPORT, at=event.at)
            return f"turnout at {event.hour}: {int(event.received.sum()):,} ballots handed out"
        case Protocols():
            receipts = receive(connection, source.poll, event.batch, by=IMPORT, at=event.at)
            held = sum(receipt.state == "quarantined" for receipt in receipts)
            return f"{len(receipts):,} protocols" + (f", {held:,} in quarantine" if held else "")
        case Corrected():
            return _correct(connection, source, event)
        case Declared():
            return declare(connection, source, event)


def _correct(connection: Connection, source: Source, event: Corrected) -> str:
    receipt = correct(
        connection, source.poll, contest=event.contest, station=event.station, before=event.before, after=event.after,
        reason=event.reason, by=IMPORT, at=event.at, seal=source.keys.commission,
    )  # fmt: skip
    changed = {name: event.after[name] - event.before[name] for name in event.after}
    shown = ", ".join(f"{name} {change:+,}" for name, change in changed.items() if change)
    return f"correction at {event.station}: {shown} ({receipt.state})"


def declare(connection: Connection, source: Source, event: Declared) -> str:
    """Counts, decides, and writes the declaration of a stage, signed by the commission, under a signed checkpoint.

    The last stage closes the poll first: after it only corrections and annulments come in. A stage that was declared
    already is left as it is.
    """
    poll, entry_id = source.poll, f"declaration/{event.stage}"
    if log.find(connection, poll.id, entry_id) is None:
        if event.last:
            _commission_entry(connection, source, event, "closing", "closing", {})
        now = snapshot(connection, poll.id)
        contests = [contest_json(contest_standing(sheet)) for sheet in now.sheets]
        body = {"stage": event.stage, "size": now.size, "contests": contests}
        _commission_entry(connection, source, event, "declaration", entry_id, body)
        log.sign_checkpoint(connection, poll.id, source.keys.log)
    declared = log.entry_at(connection, poll.id, log.find(connection, poll.id, entry_id) or 0).body["contests"]
    return f"{event.stage} result: " + ", ".join(f"{c['contest']} {c['decision']['outcome']}" for c in declared)


def _commission_entry(
    connection: Connection, source: Source, event: Declared, kind: str, entry_id: str, body: Mapping[str, Any]
) -> None:
    entry = Entry(source.poll.id, kind, entry_id, event.at.isoformat(), COMMISSION, body)
    log.append(connection, source.poll.id, [sign_entry(entry, source.keys.commission)])
