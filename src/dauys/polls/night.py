"""How does a poll go, from its opening to its declaration? Each event in one transaction, again and again the same.

Killed at any point and started again, the night ends in the same record: what is there already is recognised by its entry's id
(record.log.append), so that nothing is lost and nothing doubled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, time

import sqlalchemy as sa

from dauys.polls.declaring import declare
from dauys.polls.opening import open_poll
from dauys.polls.pollbook_join import check_ways
from dauys.polls.sources import Corrected, Declared, Event, Protocols, Reports, Source
from dauys.record import log
from dauys.stations.corrections import correct
from dauys.stations.intake import receive
from dauys.stations.turnout import report_turnout
from dauys.store.engine import Connection

IMPORT = "import"
"""Who sent in protocols that no station signed: they were read from a file."""

Wait = Callable[[datetime], None]
"""Called before each event with its moment: a replay sleeps there, a plain run returns at once."""

Tell = Callable[[str], None]


def begin(engine: sa.Engine, source: Source, witnesses: Sequence[str] = ()) -> None:
    """Opens the poll: its definition and its stations are in the record, under a first signed checkpoint. Once.

    `witnesses` are keys to accredit, at the opening or at any time later. Raises BadInput for rules of the poll on ways to
    vote that are none: they could not be put right in the record.
    """
    poll = source.poll
    check_ways(poll, source.file.folder / "poll.yaml")
    with engine.begin() as connection:
        open_poll(connection, poll, source.stations, source.keys, poll.moment(time(0)))
        if not log.checkpoints(connection, poll.id):
            log.sign_checkpoint(connection, poll.id, source.keys.log)
        for vkey in witnesses:
            log.accredit_witness(connection, poll.id, vkey)


def run_night(engine: sa.Engine, source: Source, wait: Wait = lambda at: None, tell: Tell = lambda text: None) -> None:
    """Runs the whole poll, once it has begun, into the record. After any interruption it goes on where it stopped."""
    tell(
        f"{source.poll.names['en']}: {_counted(len(source.stations), 'station')} in "
        f"{_counted(len(source.poll.areas), 'area')}"
    )
    for event in source.stream():
        wait(event.at)
        with engine.begin() as connection:
            tell(f"{event.at:%d %b %H:%M}  {_take(connection, source, event)}")


def _take(connection: Connection, source: Source, event: Event) -> str:
    match event:
        case Reports():
            report_turnout(connection, source.poll, event, by=IMPORT, at=event.at)
            return f"turnout at {event.hour}: {_counted(int(event.received.sum()), 'ballot')} handed out"
        case Protocols():
            receipts = receive(connection, source.poll, event.batch, by=IMPORT, at=event.at)
            held = sum(receipt.state == "quarantined" for receipt in receipts)
            return _counted(len(receipts), "protocol") + (f", {held:,} in quarantine" if held else "")
        case Corrected():
            return _correct(connection, source, event)
        case Declared():
            return declare(connection, source.poll, source.keys, event.stage, event.at, close=event.last)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _correct(connection: Connection, source: Source, event: Corrected) -> str:
    receipt = correct(
        connection, source.poll, contest=event.contest, station=event.station, before=event.before, after=event.after,
        reason=event.reason, by=IMPORT, at=event.at, seal=source.keys.commission,
    )  # fmt: skip
    changed = {name: event.after[name] - event.before[name] for name in event.after}
    shown = ", ".join(f"{name} {change:+,}" for name, change in changed.items() if change)
    return f"correction at {event.station}: {shown} ({receipt.state})"
