"""`dauys pollbook status`: how is every station, as the centre last heard of it?"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import click

from dauys.cli.main import answer, counted, moment, say, utc
from dauys.pollbook.centre.mark import standing
from dauys.pollbook.centre.take import cursor
from dauys.pollbook.gathered.sealing import Tended, tended
from dauys.pollbook.gathered.states import Look, Raised, State, alarms, channel_states, listed, whole
from dauys.pollbook.paper.lost_list import Printed, printed
from dauys.pollbook.settling.envelopes import totals
from dauys.polls.opening import load_poll
from dauys.registers.poll import Poll
from dauys.store.engine import open_store


@click.command()
@click.argument("poll")
@click.option("--at", help="When (ISO 8601 with offset). [default: now]")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON (docs/commands.md).")
def status(poll: str, at: str | None, as_json: bool) -> int:
    """Show every station of POLL as it was last heard. Exits with 1 while there is any alarm, or its books are not whole."""
    when = moment(at)
    with open_store().begin() as connection:
        opened = load_poll(connection, poll)
        total, found, raised = whole(connection, poll), listed(connection, poll, when, Look()), alarms(connection, poll)
        of_envelopes, channels = totals(connection, poll), channel_states(connection, poll, when)
        sealing, prints = tended(connection, poll), printed(connection, poll)
        books = standing(cursor(connection), poll)
    every = [one for one in found.rows if one.step != "none"]  # without a package there is nothing to say but how many
    body = {
        "poll": poll,
        **total.to_json(),
        "steps": dict(found.steps),
        "envelopes": of_envelopes,
        "sealing": sealing.to_json(when),
        "put_back": None if books is None else books.at.isoformat(),
        "channels": [one.to_json(when) for one in channels],
        "states": [one.to_json(when) for one in every],
        "printed": [one.to_json() for one in prints],
        "raised": [one.to_json() for one in raised],
    }
    lines = [
        f"{counted(total.stations, 'station')}, {counted(total.packages, 'package')}, {counted(total.logs, 'pollbook')} heard, "
        f"{total.closed:,} closed",
        f"{counted(total.check_ins, 'check-in')}, {total.sealed:,} of them in the record"
        + (f", {total.electronic:,} of them electronically" if channels else "")
        + f"; {counted(total.alarms, 'alarm')}"
        + (f", {total.settled:,} of them settled" if total.settled else ""),
        "; ".join(f"{n:,} {_STEPS[step]}" for step, n in found.steps.items()),
        f"{counted(of_envelopes['taken'], 'envelope')}, {of_envelopes['resolved']:,} resolved",
        _sealing(sealing, when),
        *((f"PUT BACK from a copy, nothing is given: dauys pollbook restored {poll}",) if books else ()),
        *(_line(one, when) for one in every),
        *(f"{_line(one.state, when)}; {one.struck:,} struck, {one.taken_out:,} of them taken out" for one in channels),
        *map(_printed, prints),
        *(_alarm(one) for one in raised if not one.settled),
        *(_alarm(one) for one in raised if one.settled),
    ]
    answer(body, as_json, "\n".join(lines))
    say_whose_clock(opened, at)
    return 1 if total.alarms or books else 0


def say_whose_clock(poll: Poll, at: str | None) -> None:
    """Remarks on a trial of another day that it is judged by the clock of now: its centre may have one that is set back."""
    now = moment(None)
    if poll.trial and at is None and now.astimezone(ZoneInfo(poll.timezone)).date() != poll.day:
        say(f"judged at {utc(now)}: if the `serve` of this trial has --clock, give --at with its time")


_STEPS = {
    "none": "without a package", "package": "never called", "enrolled": "enrolled, not opened", "open": "open",
    "closed": "closed", "stopped": "stopped", "lost": "lost", "paper": "from paper",
}  # fmt: skip


def _sealing(found: Tended, at: datetime) -> str:
    last = "never" if found.sealed is None else utc(found.sealed)
    said = f"last sealed {last}, {counted(found.waiting, 'event')} not in the record"
    return said + (f"; LOOK AT `dauys serve`: {found.fault or 'it seals nothing'}" if found.late(at) else "")


def _printed(one: Printed) -> str:
    what = "who is to be struck on the print of" if one.strike else "the list of"
    return f"printed {utc(one.at)} by {one.by}: {what} {one.station}/{one.generation}"


def _alarm(one: Raised) -> str:
    what = "settled" if one.settled else "ALARM"
    by_now = "" if one.stands is None else f" (uses of this right that stand now: {one.stands})"
    return f"{what} {one.number} {one.station}/{one.generation} event {one.n}: {one.text}{by_now}"


def _line(one: State, at: datetime) -> str:
    heard = "never" if one.heard is None else utc(one.heard)
    state = one.stopped or _STEPS[one.step] + (", call them" if one.calls(at) else "")
    queue = "" if one.queue is None else f"  {one.queue[0]} wait"
    name = f"{one.station}/{one.generation}"
    return f"{name:<20} heard {heard}  {one.check_ins:>6,} in, {one.hour:>4} an hour{queue}  {state}"
